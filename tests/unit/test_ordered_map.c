/* SPDX-License-Identifier: Apache-2.0 */
/* The ordered map of lendheap/ordered_map.h. */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <lendheap/alloc.h>
#include <lendheap/string.h>

#include "support/heap.h"
#include "support/leaks.h"
#include "support/suite.h"
#include "support/tools.h"
#include "support/visit.h"

/* The allocation that fails, from 1; 0: none does. */
static unsigned failing;

static void *alloc_or_fail(struct lend_arena *arena, size_t bytes)
{
	if (failing && --failing == 0) {
		errno = EDQUOT;
		return NULL;
	}
	return lend_alloc(arena, bytes);
}

#define lend_alloc alloc_or_fail

#define LEND_ORDERED_MAP       number_map
#define LEND_ORDERED_MAP_KEY   uint64_t
#define LEND_ORDERED_MAP_VALUE uint64_t
#include <lendheap/ordered_map.h>

#define LEND_ORDERED_MAP     byte_set
#define LEND_ORDERED_MAP_KEY int8_t
#include <lendheap/ordered_map.h>

/* Five entries in a node. */
struct large {
	char bytes[200];
};

#define LEND_ORDERED_MAP       large_map
#define LEND_ORDERED_MAP_KEY   int64_t
#define LEND_ORDERED_MAP_VALUE struct large
#include <lendheap/ordered_map.h>

/* The other way round. */
#define LEND_ORDERED_MAP               falling_set
#define LEND_ORDERED_MAP_KEY           uint32_t
#define LEND_ORDERED_MAP_COMPARE(a, b) (((a) < (b)) - ((a) > (b)))
#include <lendheap/ordered_map.h>

#define LEND_ORDERED_MAP town_map
#define LEND_ORDERED_MAP_STRING_KEYS
#define LEND_ORDERED_MAP_VALUE uint64_t
#include <lendheap/ordered_map.h>

/* Values that point to themselves and own a block; a key that may not want to be made. */
struct owner {
	LEND_PTR(struct owner) self;
	LEND_PTR(uint64_t) block;
	char pad[64];
};

static int init_key(uint64_t *key, uint64_t sought)
{
	if (failing && --failing == 0)
		return -ENOMEM;
	*key = sought;
	return 0;
}

static void move_owner(struct owner *to, struct owner *from)
{
	if (lend_ptr_is_null(&from->self))
		lend_ptr_set(&to->self, NULL);
	else
		lend_ptr_set(&to->self, to);
	lend_ptr_copy(&to->block, &from->block);
}

static void fini_owner(struct lend_arena *arena, struct owner *owner)
{
	lend_free_sized(arena, lend_ptr_get(&owner->block), sizeof(uint64_t));
}

#define LEND_ORDERED_MAP                              owner_map
#define LEND_ORDERED_MAP_KEY                          uint64_t
#define LEND_ORDERED_MAP_KEY_INIT(arena, key, sought) init_key(key, sought)
#define LEND_ORDERED_MAP_VALUE                        struct owner
#define LEND_ORDERED_MAP_VALUE_MOVE(to, from)         move_owner(to, from)
#define LEND_ORDERED_MAP_VALUE_FINI(arena, value)     fini_owner(arena, value)
#include <lendheap/ordered_map.h>

#define LEND_ORDERED_MAP       broken_map
#define LEND_ORDERED_MAP_KEY   uint64_t
#define LEND_ORDERED_MAP_VALUE struct owner
#include <lendheap/ordered_map.h>

#undef lend_alloc

static struct lend_arena *make_arena(void)
{
	struct lend_arena_options options = {.name = "ordered"};
	struct lend_arena *arena = NULL;

	CU_ASSERT_EQUAL_FATAL(lend_arena_create(&options, &arena), 0);
	return arena;
}

static uint64_t live_count(struct lend_arena *arena)
{
	return heap_stats(arena).live_count;
}

/* 0 to count - 1, in a mixed order. */
static void fill(struct number_map *map, struct lend_arena *arena, uint64_t count)
{
	uint64_t i;

	for (i = 0; i < count; i++) {
		uint64_t key = i * 7919 % count;

		CU_ASSERT_EQUAL_FATAL(number_map_set(map, arena, key, key * key), 1);
	}
}

CLEAN_TEST(zeroed_memory_is_an_empty_map)
{
	struct lend_arena *arena = make_arena();
	struct number_map *map = lend_alloc_zeroed(arena, sizeof(*map));
	uint64_t before = live_count(arena);
	struct number_map_iterator at;

	CU_ASSERT_EQUAL(number_map_count(map), 0);
	CU_ASSERT_PTR_NULL(number_map_find(map, 0));
	CU_ASSERT_PTR_NULL(number_map_first(map, &at));
	CU_ASSERT_PTR_NULL(number_map_last(map, &at));
	CU_ASSERT_PTR_NULL(number_map_lower_bound(map, 0, &at));
	CU_ASSERT_PTR_NULL(number_map_upper_bound(map, 0, &at));
	CU_ASSERT_EQUAL(number_map_erase(map, arena, 0), 0);
	CU_ASSERT_EQUAL(number_map_check(map, arena), 0);
	number_map_clear(map, arena);
	number_map_fini(map, arena);
	CU_ASSERT_EQUAL(live_count(arena), before);
	memset(map, 1, sizeof(*map));
	number_map_init(map);
	CU_ASSERT_TRUE(heap_is_zero(map, sizeof(*map)));
	CU_ASSERT_EQUAL(lend_arena_destroy(arena), 0);
}

CLEAN_TEST(put_makes_an_entry_once)
{
	struct lend_arena *arena = make_arena();
	struct number_map *map = lend_alloc_zeroed(arena, sizeof(*map));
	struct number_map_entry *made = NULL;
	struct number_map_entry *found = NULL;

	CU_ASSERT_EQUAL(number_map_put(map, arena, 7, &made), 1);
	CU_ASSERT_EQUAL(made->key, 7);
	CU_ASSERT_EQUAL(made->value, 0);
	made->value = 49;
	CU_ASSERT_EQUAL(number_map_put(map, arena, 7, &found), 0);
	CU_ASSERT_PTR_EQUAL(found, made);
	CU_ASSERT_EQUAL(found->value, 49);
	CU_ASSERT_EQUAL(number_map_set(map, arena, 7, 50), 0);
	CU_ASSERT_EQUAL(number_map_find(map, 7)->value, 50);
	CU_ASSERT_EQUAL(number_map_count(map), 1);
	CU_ASSERT_EQUAL(number_map_erase(map, arena, 7), 1);
	CU_ASSERT_EQUAL(number_map_erase(map, arena, 7), 0);
	CU_ASSERT_EQUAL(number_map_count(map), 0);
	CU_ASSERT_EQUAL(number_map_check(map, arena), 0);
	CU_ASSERT_EQUAL(lend_arena_destroy(arena), 0);
}

/* What put gives is the entry made, also where nodes split above it. */
CLEAN_TEST(all_entries_are_found_while_it_grows_and_shrinks)
{
	struct lend_arena *arena = make_arena();
	struct large_map *map = lend_alloc_zeroed(arena, sizeof(*map));
	uint64_t before = live_count(arena);
	struct large_map_entry *entry = NULL;
	int64_t i;

	for (i = 0; i < 1500; i++) {
		CU_ASSERT_EQUAL_FATAL(large_map_put(map, arena, i * 7919 % 1500, &entry), 1);
		CU_ASSERT_EQUAL(entry->key, i * 7919 % 1500);
		CU_ASSERT_TRUE(heap_is_zero(&entry->value, sizeof(entry->value)));
		heap_fill(&entry->value, sizeof(entry->value), (uint64_t)entry->key);
		if (i % 37 == 0)
			CU_ASSERT_EQUAL(large_map_check(map, arena), 0);
	}
	CU_ASSERT_EQUAL((int)large_map_lendi_slots, 5);
	CU_ASSERT_TRUE(map->shm.height >= 5);
	for (i = 0; i < 1500; i++) {
		entry = large_map_find(map, i);
		CU_ASSERT_TRUE(
			heap_is_filled(&entry->value, sizeof(entry->value), (uint64_t)i));
	}
	for (i = 0; i < 1500; i++) {
		CU_ASSERT_EQUAL_FATAL(large_map_erase(map, arena, i * 4547 % 1500), 1);
		CU_ASSERT_PTR_NULL(large_map_find(map, i * 4547 % 1500));
		if (i % 37 == 0)
			CU_ASSERT_EQUAL(large_map_check(map, arena), 0);
	}
	CU_ASSERT_EQUAL(live_count(arena), before);
	CU_ASSERT_TRUE(heap_is_zero(map, sizeof(*map)));
	CU_ASSERT_EQUAL(lend_arena_destroy(arena), 0);
}

CLEAN_TEST(order_is_that_of_compare)
{
	struct lend_arena *arena = make_arena();
	struct falling_set *falling = lend_alloc_zeroed(arena, sizeof(*falling));
	struct byte_set *bytes = lend_alloc_zeroed(arena, sizeof(*bytes));
	struct falling_set_iterator at;
	struct falling_set_entry *entry;
	struct byte_set_iterator byte_at;
	struct byte_set_entry *byte;
	uint32_t i;
	int next;

	for (i = 0; i < 1000; i++)
		CU_ASSERT_EQUAL(falling_set_put(falling, arena, i * 7919 % 1000, &entry), 1);
	for (i = 999, entry = falling_set_first(falling, &at); entry;
		entry = falling_set_next(&at), i--)
		CU_ASSERT_EQUAL(entry->key, i);
	CU_ASSERT_EQUAL(falling_set_lower_bound(falling, 2000, &at)->key, 999);
	CU_ASSERT_EQUAL(falling_set_upper_bound(falling, 500, &at)->key, 499);
	CU_ASSERT_EQUAL(falling_set_check(falling, arena), 0);
	for (next = -128; next < 128; next++)
		CU_ASSERT_EQUAL(byte_set_put(bytes, arena, (int8_t)next, &byte), 1);
	for (next = -128, byte = byte_set_first(bytes, &byte_at); byte;
		byte = byte_set_next(&byte_at), next++)
		CU_ASSERT_EQUAL(byte->key, next);
	CU_ASSERT_EQUAL(next, 128);
	falling_set_fini(falling, arena);
	byte_set_fini(bytes, arena);
	CU_ASSERT_EQUAL(lend_arena_destroy(arena), 0);
}

CLEAN_TEST(iterators_go_both_ways_from_anywhere)
{
	struct lend_arena *arena = make_arena();
	struct number_map *map = lend_alloc_zeroed(arena, sizeof(*map));
	struct number_map_iterator at;
	struct number_map_entry *entry;
	uint64_t key;
	uint64_t i;

	for (i = 0; i < 3000; i++)
		CU_ASSERT_EQUAL(number_map_set(map, arena, 2 * (i * 7919 % 3000), i), 1);
	for (key = 0; key < 6000; key += 13) {
		entry = number_map_lower_bound(map, key, &at);
		for (i = key + key % 2; i < key + 200 && i < 6000; i += 2) {
			CU_ASSERT_EQUAL_FATAL(entry->key, i);
			entry = number_map_next(&at);
		}
		CU_ASSERT_EQUAL(entry != NULL, i < 6000);
		entry = number_map_upper_bound(map, key, &at);
		CU_ASSERT_EQUAL(entry != NULL, key < 5998);
		for (i = key - key % 2 + 2; entry && i + 200 > key; i -= 2) {
			CU_ASSERT_EQUAL_FATAL(entry->key, i);
			entry = number_map_prev(&at);
			if (i == 0)
				CU_ASSERT_PTR_NULL_FATAL(entry);
		}
	}
	CU_ASSERT_EQUAL(number_map_first(map, &at)->key, 0);
	CU_ASSERT_PTR_NULL(number_map_prev(&at));
	CU_ASSERT_EQUAL(number_map_last(map, &at)->key, 5998);
	CU_ASSERT_PTR_NULL(number_map_next(&at));
	CU_ASSERT_PTR_NULL(number_map_lower_bound(map, 5999, &at));
	number_map_fini(map, arena);
	CU_ASSERT_EQUAL(lend_arena_destroy(arena), 0);
}

/* Of an empty map, and of one, two and three levels. */
CLEAN_TEST(an_iterator_at_the_end_steps_back_to_the_last_entry)
{
	static const uint64_t counts[] = {0, 1, 15, 16, 200, 3000};
	struct lend_arena *arena = make_arena();
	struct number_map *map = lend_alloc_zeroed(arena, sizeof(*map));
	struct number_map_iterator at;
	struct number_map_entry *last;
	size_t i;
	int times;

	for (i = 0; i < HEAP_COUNT(counts); i++) {
		fill(map, arena, counts[i]);
		last = number_map_last(map, &at);
		for (times = 0; times < 2; times++) {
			CU_ASSERT_PTR_NULL(number_map_next(&at));
			CU_ASSERT_PTR_NULL(number_map_next(&at));
			CU_ASSERT_PTR_EQUAL(number_map_prev(&at), last);
		}
		CU_ASSERT_PTR_NULL(number_map_lower_bound(map, 5000, &at));
		CU_ASSERT_PTR_EQUAL(number_map_prev(&at), last);
		CU_ASSERT_PTR_NULL(number_map_upper_bound(map, counts[i] - 1, &at));
		CU_ASSERT_PTR_EQUAL(number_map_prev(&at), last);

		/* Before the first there is nothing to come back from. */
		(void)number_map_first(map, &at);
		for (times = 0; times < 2; times++)
			CU_ASSERT_PTR_NULL(number_map_prev(&at));
		CU_ASSERT_PTR_NULL(number_map_next(&at));
		number_map_clear(map, arena);
	}
	fill(map, arena, 1000);
	(void)number_map_last(map, &at);
	CU_ASSERT_PTR_NULL(number_map_erase_at(map, arena, &at));
	CU_ASSERT_EQUAL(number_map_prev(&at)->key, 998);
	number_map_fini(map, arena);
	CU_ASSERT_EQUAL(lend_arena_destroy(arena), 0);
}

CLEAN_TEST(erase_at_goes_on_with_the_next)
{
	struct lend_arena *arena = make_arena();
	struct number_map *map = lend_alloc_zeroed(arena, sizeof(*map));
	struct number_map_iterator at;
	struct number_map_entry *entry;
	uint64_t key = 0;

	fill(map, arena, 2000);
	for (entry = number_map_first(map, &at); entry; key++) {
		CU_ASSERT_EQUAL_FATAL(entry->key, key);
		CU_ASSERT_EQUAL(entry->value, key * key);
		entry = key % 3 ? number_map_erase_at(map, arena, &at) : number_map_next(&at);
	}
	CU_ASSERT_EQUAL(key, 2000);
	CU_ASSERT_EQUAL(number_map_count(map), 667);
	CU_ASSERT_EQUAL(number_map_check(map, arena), 0);
	for (entry = number_map_first(map, &at); entry;)
		entry = number_map_erase_at(map, arena, &at);
	CU_ASSERT_TRUE(heap_is_zero(map, sizeof(*map)));
	CU_ASSERT_EQUAL(lend_arena_destroy(arena), 0);
}

CLEAN_TEST(ascending_keys_leave_full_nodes)
{
	struct lend_arena *arena = make_arena();
	struct number_map *map = lend_alloc_zeroed(arena, sizeof(*map));
	uint64_t before = live_count(arena);
	uint64_t nodes;
	uint64_t key;

	for (key = 0; key < 20000; key++)
		CU_ASSERT_EQUAL(number_map_set(map, arena, key, key), 1);
	nodes = live_count(arena) - before;
	CU_ASSERT_TRUE(20000 > nodes * number_map_lendi_slots * 9 / 10);
	CU_ASSERT_EQUAL(number_map_check(map, arena), 0);
	for (key = 20000; key-- > 0;)
		CU_ASSERT_EQUAL(number_map_erase(map, arena, key), 1);
	CU_ASSERT_EQUAL(live_count(arena), before);
	CU_ASSERT_EQUAL(lend_arena_destroy(arena), 0);
}

CLEAN_TEST(move_and_swap_take_everything_along)
{
	struct lend_arena *arena = make_arena();
	struct number_map *maps = lend_alloc_zeroed(arena, 3 * sizeof(*maps));

	fill(&maps[0], arena, 100);
	fill(&maps[1], arena, 10);
	memset(&maps[2], 0xff, sizeof(maps[2]));
	number_map_move(&maps[2], &maps[0]);
	CU_ASSERT_TRUE(heap_is_zero(&maps[0], sizeof(maps[0])));
	CU_ASSERT_EQUAL(number_map_count(&maps[2]), 100);
	CU_ASSERT_EQUAL(number_map_check(&maps[2], arena), 0);
	number_map_swap(&maps[2], &maps[1]);
	CU_ASSERT_EQUAL(number_map_count(&maps[2]), 10);
	CU_ASSERT_EQUAL(number_map_count(&maps[1]), 100);
	CU_ASSERT_EQUAL(number_map_find(&maps[1], 99)->value, 99 * 99);
	number_map_swap(&maps[1], &maps[1]);
	number_map_swap(&maps[0], &maps[1]);
	CU_ASSERT_EQUAL(number_map_check(&maps[0], arena), 0);
	CU_ASSERT_EQUAL(number_map_find(&maps[0], 99)->value, 99 * 99);
	CU_ASSERT_EQUAL(number_map_count(&maps[1]), 0);
	number_map_fini(&maps[0], arena);
	number_map_fini(&maps[2], arena);
	CU_ASSERT_EQUAL(lend_arena_destroy(arena), 0);
}

/* Short ones inline, long ones in a block of their own. */
static lend_view town(unsigned number)
{
	static char name[64];

	(void)snprintf(name, sizeof(name),
		number % 3 ? "%u" : "a town whose name goes on and on: %u", number);
	return lend_view_of(name);
}

CLEAN_TEST(string_keys_are_owned_and_found)
{
	struct lend_arena *arena = make_arena();
	struct town_map *towns = lend_alloc_zeroed(arena, sizeof(*towns));
	uint64_t before = live_count(arena);
	unsigned i;

	CU_ASSERT_EQUAL(town_map_set(towns, arena, lend_view_make(NULL, 0), 5), 1);
	CU_ASSERT_EQUAL(town_map_set(towns, arena, lend_view_make("a\0b", 3), 6), 1);
	CU_ASSERT_EQUAL(town_map_set(towns, arena, lend_view_make("a\0c", 3), 7), 1);
	for (i = 0; i < 3000; i++)
		CU_ASSERT_EQUAL(town_map_set(towns, arena, town(i), i), 1);
	CU_ASSERT_EQUAL(town_map_check(towns, arena), 0);
	CU_ASSERT_EQUAL(town_map_count(towns), 3003);
	for (i = 0; i < 3000; i++)
		CU_ASSERT_EQUAL(town_map_find(towns, town(i))->value, i);
	CU_ASSERT_EQUAL(town_map_find(towns, lend_view_make("", 0))->value, 5);
	CU_ASSERT_EQUAL(town_map_find(towns, lend_view_make("a\0b", 3))->value, 6);
	CU_ASSERT_PTR_NULL(town_map_find(towns, lend_view_of("a")));
	CU_ASSERT_PTR_NULL(town_map_find(towns, town(3000)));
	for (i = 0; i < 3000; i += 3)
		CU_ASSERT_EQUAL(town_map_erase(towns, arena, town(i)), 1);
	CU_ASSERT_EQUAL(town_map_check(towns, arena), 0);
	for (i = 0; i < 3000; i += 3)
		CU_ASSERT_EQUAL(town_map_set(towns, arena, town(i), i), 1);
	town_map_clear(towns, arena);
	CU_ASSERT_EQUAL(live_count(arena), before);
	CU_ASSERT_EQUAL(town_map_set(towns, arena, town(0), 0), 1);
	town_map_fini(towns, arena);
	CU_ASSERT_EQUAL(live_count(arena), before);
	CU_ASSERT_EQUAL(lend_arena_destroy(arena), 0);
}

CLEAN_TEST(values_are_moved_and_finished)
{
	struct lend_arena *arena = make_arena();
	struct owner_map *map = lend_alloc_zeroed(arena, sizeof(*map));
	struct broken_map *broken = lend_alloc_zeroed(arena, sizeof(*broken));
	uint64_t before = live_count(arena);
	struct broken_map_entry *held = NULL;
	struct owner_map_entry *entry = NULL;
	unsigned wrong = 0;
	uint64_t key;

	for (key = 0; key < 101; key++) {
		CU_ASSERT_EQUAL_FATAL(owner_map_put(map, arena, key * 61 % 101, &entry), 1);
		lend_ptr_set(&entry->value.self, &entry->value);
		lend_ptr_set(&entry->value.block, lend_alloc(arena, sizeof(uint64_t)));
		*lend_ptr_get(&entry->value.block) = key * 61 % 101;
		CU_ASSERT_EQUAL_FATAL(broken_map_put(broken, arena, key * 61 % 101, &held), 1);
		lend_ptr_set(&held->value.block, lend_ptr_get(&entry->value.block));
	}
	for (key = 0; key < 101; key++) {
		entry = owner_map_find(map, key);
		CU_ASSERT_PTR_EQUAL(lend_ptr_get(&entry->value.self), &entry->value);
		CU_ASSERT_EQUAL(*lend_ptr_get(&entry->value.block), key);
		/* Without MOVE they point elsewhere once they were moved. */
		held = broken_map_find(broken, key);
		wrong += lend_ptr_get(&held->value.block) != lend_ptr_get(&entry->value.block);
	}
	CU_ASSERT_TRUE(wrong > 0);
	CU_ASSERT_EQUAL(owner_map_erase(map, arena, 50), 1);
	broken_map_fini(broken, arena);
	owner_map_fini(map, arena);
	CU_ASSERT_EQUAL(live_count(arena), before);
	CU_ASSERT_EQUAL(lend_arena_destroy(arena), 0);
}

/* Each call that can fail fails once, at every step; the map is what it was and goes on. */
CLEAN_TEST(failed_allocation_leaves_the_map_as_it_was)
{
	struct lend_arena *arena = make_arena();
	struct owner_map *map = lend_alloc_zeroed(arena, sizeof(*map));
	uint64_t before = live_count(arena);
	struct owner_map_entry *entry = NULL;
	unsigned most = 0;
	uint64_t key;
	unsigned nth;
	int made;

	for (key = 0; key < 1009; key++) {
		uint64_t held = live_count(arena);

		for (nth = 1;; nth++) {
			failing = nth;
			made = owner_map_put(map, arena, key * 613 % 1009, &entry);
			failing = 0;
			if (made == 1)
				break;
			CU_ASSERT_TRUE(made == (nth == 1 ? -ENOMEM : -EDQUOT));
			CU_ASSERT_EQUAL(live_count(arena), held);
			CU_ASSERT_EQUAL_FATAL(owner_map_count(map), key);
			CU_ASSERT_PTR_NULL(owner_map_find(map, key * 613 % 1009));
			CU_ASSERT_EQUAL(owner_map_check(map, arena), 0);
			most = nth > most ? nth : most;
		}
	}
	CU_ASSERT_TRUE(most >= 4); /* the key, and nodes on three levels */
	CU_ASSERT_EQUAL(owner_map_check(map, arena), 0);
	owner_map_fini(map, arena);
	CU_ASSERT_EQUAL(live_count(arena), before);
	CU_ASSERT_EQUAL(lend_arena_destroy(arena), 0);
}

CLEAN_TEST(a_string_key_goes_with_the_node_that_is_not_to_be_had)
{
	struct lend_arena *arena = make_arena();
	struct town_map *towns = lend_alloc_zeroed(arena, sizeof(*towns));
	uint64_t before = live_count(arena);

	failing = 1;
	CU_ASSERT_EQUAL(town_map_set(towns, arena, town(0), 1), -EDQUOT);
	failing = 0;
	CU_ASSERT_EQUAL(live_count(arena), before);
	CU_ASSERT_EQUAL(town_map_count(towns), 0);
	CU_ASSERT_EQUAL(lend_arena_destroy(arena), 0);
}

/* One change at a time: check refuses it, and accepts the map set right again. */
CLEAN_TEST(check_refuses_what_is_torn)
{
	struct lend_arena *arena = make_arena();
	struct number_map outside = {0};
	struct number_map *map = lend_alloc_zeroed(arena, sizeof(*map));
	uint64_t good[sizeof(*map) / 8];
	struct number_map_lendi_inner *root;
	uint64_t good_root[sizeof(*root) / 8];
	int i;

	fill(map, arena, 1000);
	root = number_map_lendi_as_inner(number_map_lendi_root(map));
	memcpy(good, map, sizeof(good));
	memcpy(good_root, root, sizeof(good_root));
	CU_ASSERT_EQUAL(number_map_check(map, arena), 0);
	CU_ASSERT_EQUAL(number_map_check(map, NULL), 0);
	CU_ASSERT_EQUAL(number_map_check(&outside, arena), -EXDEV);
	for (i = 0; i < 14; i++) {
		switch (i) {
		case 0:
			map->shm.count++;
			break;
		case 1:
			map->shm.count--;
			break;
		case 2:
			map->shm.height++;
			break;
		case 3:
			map->shm.height--;
			break;
		case 4:
			map->shm.height = LEND_ORDERED_MAP_HEIGHT_MAX + 1;
			break;
		case 5:
			lend_ptr_set(&map->shm.root, NULL);
			break;
		case 6:
			map->shm.height = 0;
			break;
		case 7:
			lend_ptr_set(&map->shm.root, &failing);
			break;
		case 8:
			root->node.count = 0;
			break;
		case 9:
			root->node.count = number_map_lendi_slots + 1;
			break;
		case 10:
			root->node.entries[0].key++;
			break;
		case 11:
			lend_ptr_set(&root->children[0], NULL);
			break;
		case 12:
			lend_ptr_set(&root->children[1], &root->node);
			break;
		default:
			lend_ptr_copy(&root->children[1], &root->children[0]);
		}
		CU_ASSERT_EQUAL(number_map_check(map, arena), -EUCLEAN);
		CU_ASSERT_PTR_NOT_NULL(strstr(lend_error_detail(), "ordered map"));
		memcpy((void *)map, good, sizeof(good));
		memcpy((void *)root, good_root, sizeof(good_root));
		CU_ASSERT_EQUAL(number_map_check(map, arena), 0);
	}
	number_map_fini(map, arena);
	CU_ASSERT_EQUAL(lend_arena_destroy(arena), 0);
}

CLEAN_TEST(check_looks_at_no_key_outside_the_arena)
{
	struct lend_arena *arena = make_arena();
	struct town_map *towns = lend_alloc_zeroed(arena, sizeof(*towns));
	struct town_map_entry *entry;
	unsigned i;

	for (i = 0; i < 100; i++)
		CU_ASSERT_EQUAL(town_map_set(towns, arena, town(i), i), 1);
	entry = town_map_find(towns, town(99));
	CU_ASSERT_FALSE(lend_string_is_inline(&entry->key));
	entry->key.at.shm.stored ^= UINT64_C(1) << 45;
	CU_ASSERT_EQUAL(town_map_check(towns, arena), -EUCLEAN);
	entry->key.at.shm.stored ^= UINT64_C(1) << 45;
	CU_ASSERT_EQUAL(town_map_check(towns, arena), 0);
	town_map_fini(towns, arena);
	CU_ASSERT_EQUAL(lend_arena_destroy(arena), 0);
}

enum { TOWNS = 5000 };

static struct town_map *make_towns(struct lend_arena *arena)
{
	struct town_map *towns = lend_alloc_zeroed(arena, sizeof(*towns));
	unsigned i;

	CU_ASSERT_PTR_NOT_NULL_FATAL(towns);
	for (i = 0; i < TOWNS; i++)
		CU_ASSERT_EQUAL_FATAL(town_map_set(towns, arena, town(i), i), 1);
	CU_ASSERT_EQUAL(lend_root_set(arena, "towns", LEND_TYPE(struct town_map, 1), towns), 0);
	return towns;
}

static const struct town_map *visited_towns(const struct lend_arena *arena)
{
	const void *towns = NULL;

	CHILD_CHECK(lend_root_get(arena, "towns", LEND_TYPE(struct town_map, 1), &towns) == 0);
	return towns;
}

static int walk(const struct lend_arena *arena, int parent)
{
	const struct town_map *towns = visited_towns(arena);
	struct town_map_iterator at;
	struct town_map_entry *entry;
	uint64_t sum = 0;
	uint64_t count = 0;
	unsigned i;

	(void)parent;
	CHILD_CHECK(town_map_check(towns, arena) == 0);
	for (entry = town_map_first(towns, &at); entry; entry = town_map_next(&at)) {
		CHILD_CHECK(lend_view_equal(
			lend_string_view(&entry->key), town((unsigned)entry->value)));
		sum += entry->value;
		count++;
	}
	CHILD_CHECK(count == TOWNS && sum == (uint64_t)TOWNS * (TOWNS - 1) / 2);
	for (entry = town_map_last(towns, &at); entry; entry = town_map_prev(&at))
		count--;
	CHILD_CHECK(count == 0);
	for (i = 0; i < 2 * TOWNS; i++)
		CHILD_CHECK((town_map_find(towns, town(i)) != NULL) == (i < TOWNS));
	return 0;
}

static int walk_for_ever(const struct lend_arena *arena, int parent)
{
	(void)child_tell(parent);
	for (;;)
		CHILD_CHECK(walk(arena, parent) == 0);
}

static const struct visitor visitors[] = {VISITOR(walk), VISITOR(walk_for_ever)};

CLEAN_TEST(other_programs_walk_it_at_its_place_and_elsewhere)
{
	struct lend_arena *arena;
	struct town_map *towns;

	if (under_valgrind())
		return; /* it follows no program, and takes ten seconds to start one */
	arena = make_arena();
	towns = make_towns(arena);
	CU_ASSERT_EQUAL(visit(arena, VISIT_FIXED, "walk"), 0);
	CU_ASSERT_EQUAL(visit(arena, VISIT_RELOCATED, "walk"), 0);
	town_map_fini(towns, arena);
	CU_ASSERT_EQUAL(lend_arena_destroy(arena), 0);
}

CLEAN_TEST(a_reader_killed_in_mid_walk_harms_nothing)
{
	struct lend_arena *arena;
	struct town_map *towns;
	struct child reader;

	if (under_valgrind())
		return; /* it follows no program, and takes ten seconds to start one */
	arena = make_arena();
	towns = make_towns(arena);
	reader = visit_start(arena, VISIT_RELOCATED, "walk_for_ever");
	CU_ASSERT_TRUE(child_await(reader.sock));
	child_kill(&reader);
	CU_ASSERT_EQUAL(town_map_check(towns, arena), 0);
	CU_ASSERT_EQUAL(town_map_set(towns, arena, town(TOWNS), 1), 1);
	town_map_fini(towns, arena);
	CU_ASSERT_EQUAL(lend_arena_destroy(arena), 0);
}

static const struct suite_test tests[] = {
	SUITE_TEST(zeroed_memory_is_an_empty_map),
	SUITE_TEST(put_makes_an_entry_once),
	SUITE_TEST(all_entries_are_found_while_it_grows_and_shrinks),
	SUITE_TEST(order_is_that_of_compare),
	SUITE_TEST(iterators_go_both_ways_from_anywhere),
	SUITE_TEST(an_iterator_at_the_end_steps_back_to_the_last_entry),
	SUITE_TEST(erase_at_goes_on_with_the_next),
	SUITE_TEST(ascending_keys_leave_full_nodes),
	SUITE_TEST(move_and_swap_take_everything_along),
	SUITE_TEST(string_keys_are_owned_and_found),
	SUITE_TEST(values_are_moved_and_finished),
	SUITE_TEST(failed_allocation_leaves_the_map_as_it_was),
	SUITE_TEST(a_string_key_goes_with_the_node_that_is_not_to_be_had),
	SUITE_TEST(check_refuses_what_is_torn),
	SUITE_TEST(check_looks_at_no_key_outside_the_arena),
	SUITE_TEST(other_programs_walk_it_at_its_place_and_elsewhere),
	SUITE_TEST(a_reader_killed_in_mid_walk_harms_nothing),
};

int main(int argc, char **argv)
{
	int status = visit_main(visitors, VISITOR_COUNT(visitors), argc, argv);

	return status >= 0 ? status
			   : suite_run("ordered map", tests, HEAP_COUNT(tests), argc, argv);
}
