/* SPDX-License-Identifier: Apache-2.0 */
/* The hash map of lendheap/map.h. test_map_portable.c runs all of this without SSE2. */
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

#define LEND_MAP       number_map
#define LEND_MAP_KEY   uint64_t
#define LEND_MAP_VALUE uint64_t
#include <lendheap/map.h>

#define LEND_MAP     byte_set
#define LEND_MAP_KEY uint8_t
#include <lendheap/map.h>

/* Entries of other sizes, to beyond a cache line. */
#define LEND_MAP     number_set
#define LEND_MAP_KEY uint64_t
#include <lendheap/map.h>

#define LEND_MAP     id_set
#define LEND_MAP_KEY uint32_t
#include <lendheap/map.h>

struct large {
	char bytes[200];
};

#define LEND_MAP       large_map
#define LEND_MAP_KEY   int64_t
#define LEND_MAP_VALUE struct large
#include <lendheap/map.h>

/* Hashes that are all equal, and ones that fill two homes. */
#define LEND_MAP                 equal_map
#define LEND_MAP_KEY             uint32_t
#define LEND_MAP_VALUE           uint32_t
#define LEND_MAP_HASH(key, seed) ((void)(key), (void)(seed), UINT64_C(0))
#include <lendheap/map.h>

#define LEND_MAP     two_set
#define LEND_MAP_KEY uint32_t
#define LEND_MAP_HASH(key, seed)                                                               \
	((void)(seed), (key) % 2 ? UINT64_MAX : UINT64_C(0x4000000000000003))
#include <lendheap/map.h>

#define LEND_MAP town_map
#define LEND_MAP_STRING_KEYS
#define LEND_MAP_VALUE uint64_t
#include <lendheap/map.h>

/* Values that point to themselves and own a block; a key that may not want to be made. */
struct owner {
	LEND_PTR(struct owner) self;
	LEND_PTR(uint64_t) block;
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
	lend_ptr_set(&to->self, to);
	lend_ptr_copy(&to->block, &from->block);
}

static void fini_owner(struct lend_arena *arena, struct owner *owner)
{
	lend_free_sized(arena, lend_ptr_get(&owner->block), sizeof(uint64_t));
}

#define LEND_MAP                              owner_map
#define LEND_MAP_KEY                          uint64_t
#define LEND_MAP_KEY_INIT(arena, key, sought) init_key(key, sought)
#define LEND_MAP_VALUE                        struct owner
#define LEND_MAP_VALUE_MOVE(to, from)         move_owner(to, from)
#define LEND_MAP_VALUE_FINI(arena, value)     fini_owner(arena, value)
#include <lendheap/map.h>

#define LEND_MAP       broken_map
#define LEND_MAP_KEY   uint64_t
#define LEND_MAP_VALUE struct owner
#include <lendheap/map.h>

#undef lend_alloc

static struct lend_arena *make_arena(void)
{
	struct lend_arena_options options = {.name = "map"};
	struct lend_arena *arena = NULL;

	CU_ASSERT_EQUAL_FATAL(lend_arena_create(&options, &arena), 0);
	return arena;
}

static uint64_t live_count(struct lend_arena *arena)
{
	return heap_stats(arena).live_count;
}

static void fill(struct number_map *map, struct lend_arena *arena, uint64_t count)
{
	uint64_t key;

	for (key = 0; key < count; key++)
		CU_ASSERT_EQUAL_FATAL(number_map_set(map, arena, key, key * key), 1);
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
	CU_ASSERT_EQUAL(number_map_erase(map, arena, 0), 0);
	CU_ASSERT_EQUAL(number_map_reserve(map, arena, 0), 0);
	CU_ASSERT_EQUAL(number_map_check(map, arena), 0);
	number_map_clear(map, arena);
	number_map_fini(map, arena);
	CU_ASSERT_EQUAL(live_count(arena), before);
	CU_ASSERT_TRUE(heap_is_zero(map, sizeof(*map)));
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

	/* A slot used before shows nothing of it. */
	CU_ASSERT_EQUAL(number_map_erase(map, arena, 7), 1);
	CU_ASSERT_EQUAL(number_map_erase(map, arena, 7), 0);
	CU_ASSERT_EQUAL(number_map_put(map, arena, 8, &made), 1);
	CU_ASSERT_EQUAL(made->value, 0);
	number_map_fini(map, arena);
	CU_ASSERT_EQUAL(lend_arena_destroy(arena), 0);
}

CLEAN_TEST(all_entries_are_found_while_it_grows)
{
	struct lend_arena *arena = make_arena();
	struct number_map *map = lend_alloc_zeroed(arena, sizeof(*map));
	uint64_t before = live_count(arena);
	uint64_t count;
	uint64_t key;

	for (count = 0; count < 2000; count++) {
		CU_ASSERT_EQUAL_FATAL(number_map_set(map, arena, count, count + 1), 1);
		CU_ASSERT_EQUAL_FATAL(number_map_count(map), count + 1);
		if (count % 61 != 0)
			continue;
		CU_ASSERT_EQUAL(number_map_check(map, arena), 0);
		for (key = 0; key <= count; key++)
			CU_ASSERT_EQUAL(number_map_find(map, key)->value, key + 1);
		for (; key < count + 2000; key++)
			CU_ASSERT_PTR_NULL(number_map_find(map, key));
	}
	number_map_fini(map, arena);
	CU_ASSERT_EQUAL(live_count(arena), before);
	CU_ASSERT_EQUAL(lend_arena_destroy(arena), 0);
}

#define CHECK_KIND(name, keys)                                                                 \
	do {                                                                                   \
		struct name *kind = lend_alloc_zeroed(arena, sizeof(*kind));                   \
		struct name##_entry *made;                                                     \
		int key;                                                                       \
                                                                                               \
		for (key = 0; key < (keys); key++)                                             \
			CU_ASSERT_EQUAL(name##_put(kind, arena, (unsigned char)key, &made),    \
				key < 256);                                                    \
		CU_ASSERT_EQUAL(name##_check(kind, arena), 0);                                 \
		for (key = 0; key < (keys); key += 2)                                          \
			CU_ASSERT_EQUAL(                                                       \
				name##_erase(kind, arena, (unsigned char)key), key < 256);     \
		CU_ASSERT_EQUAL(name##_check(kind, arena), 0);                                 \
		CU_ASSERT_EQUAL(name##_count(kind), 128);                                      \
		name##_fini(kind, arena);                                                      \
	} while (0)

CLEAN_TEST(entries_of_any_size_fit)
{
	struct lend_arena *arena = make_arena();

	CHECK_KIND(byte_set, 300);
	CHECK_KIND(id_set, 300);
	CHECK_KIND(number_set, 300);
	CHECK_KIND(number_map, 300);
	CHECK_KIND(large_map, 300);
	CHECK_KIND(equal_map, 300);
	CHECK_KIND(two_set, 300);
	CU_ASSERT_EQUAL(lend_arena_destroy(arena), 0);
}

CLEAN_TEST(iteration_meets_each_entry_once_and_survives_erasing_it)
{
	struct lend_arena *arena = make_arena();
	struct number_map *map = lend_alloc_zeroed(arena, sizeof(*map));
	struct number_map_iterator at;
	struct number_map_entry *entry;
	static uint8_t met[1000];
	uint64_t count = 0;

	fill(map, arena, 1000);
	memset(met, 0, sizeof(met));
	for (entry = number_map_first(map, &at); entry; entry = number_map_next(&at)) {
		CU_ASSERT_EQUAL(entry->value, entry->key * entry->key);
		met[entry->key]++;
		if (entry->key % 3)
			number_map_erase_entry(map, arena, entry);
	}
	CU_ASSERT_TRUE(met[0] == 1 && memcmp(met, met + 1, sizeof(met) - 1) == 0);
	CU_ASSERT_EQUAL(number_map_check(map, arena), 0);
	for (entry = number_map_first(map, &at); entry; entry = number_map_next(&at))
		count += entry->key % 3 == 0;
	CU_ASSERT_EQUAL(count, 334);
	CU_ASSERT_EQUAL(number_map_count(map), 334);
	number_map_fini(map, arena);
	CU_ASSERT_EQUAL(lend_arena_destroy(arena), 0);
}

CLEAN_TEST(equal_hashes_are_slow_but_right)
{
	struct lend_arena *arena = make_arena();
	struct equal_map *map = lend_alloc_zeroed(arena, sizeof(*map));
	struct two_set *two = lend_alloc_zeroed(arena, sizeof(*two));
	struct two_set_entry *made;
	uint32_t key;

	for (key = 0; key < 500; key++) {
		CU_ASSERT_EQUAL(equal_map_set(map, arena, key, key), 1);
		CU_ASSERT_EQUAL(two_set_put(two, arena, key, &made), 1);
	}
	CU_ASSERT_EQUAL(equal_map_check(map, arena), 0);
	CU_ASSERT_EQUAL(two_set_check(two, arena), 0);
	for (key = 0; key < 1000; key++)
		CU_ASSERT_EQUAL(equal_map_find(map, key) != NULL, key < 500);
	for (key = 0; key < 500; key += 2)
		CU_ASSERT_EQUAL(equal_map_erase(map, arena, key), 1);
	CU_ASSERT_EQUAL(equal_map_check(map, arena), 0);
	for (key = 0; key < 500; key++) {
		CU_ASSERT_EQUAL(equal_map_find(map, key) != NULL, key % 2);
		CU_ASSERT_EQUAL(equal_map_set(map, arena, key, 1), key % 2 == 0);
	}
	CU_ASSERT_EQUAL(equal_map_check(map, arena), 0);
	equal_map_fini(map, arena);
	two_set_fini(two, arena);
	CU_ASSERT_EQUAL(lend_arena_destroy(arena), 0);
}

CLEAN_TEST(erasing_and_putting_for_ever_needs_no_larger_table)
{
	struct lend_arena *arena = make_arena();
	struct number_map *map = lend_alloc_zeroed(arena, sizeof(*map));
	uint64_t seed = 1;
	uint64_t last;
	uint64_t key;

	fill(map, arena, 600);
	last = map->shm.last;
	for (key = 600; key < (under_slow_tool() ? 10000u : 100000u); key++) {
		CU_ASSERT_EQUAL_FATAL(number_map_set(map, arena, key, 0), 1);
		CU_ASSERT_EQUAL_FATAL(number_map_erase(map, arena, key - 600), 1);
		CU_ASSERT_PTR_NULL(number_map_find(map, heap_draw(&seed)));
	}
	CU_ASSERT_EQUAL(map->shm.last, last);
	CU_ASSERT_EQUAL(number_map_check(map, arena), 0);
	number_map_fini(map, arena);
	CU_ASSERT_EQUAL(lend_arena_destroy(arena), 0);
}

CLEAN_TEST(reserved_room_needs_no_allocation_and_moves_nothing)
{
	static const uint64_t counts[] = {1, 15, 16, 30, 31, 52, 53, 1000, 1001, 14336};
	struct lend_arena *arena = make_arena();
	struct number_map *map = lend_alloc_zeroed(arena, sizeof(*map));
	struct number_map_entry *first;
	size_t i;

	for (i = 0; i < HEAP_COUNT(counts); i++) {
		CU_ASSERT_EQUAL(number_map_reserve(map, arena, counts[i]), 0);
		failing = 1;
		fill(map, arena, 1);
		first = number_map_find(map, 0);
		CU_ASSERT_EQUAL(number_map_erase(map, arena, 0), 1);
		fill(map, arena, counts[i]);
		CU_ASSERT_PTR_EQUAL(number_map_find(map, 0), first);
		CU_ASSERT_EQUAL(number_map_check(map, arena), 0);
		failing = 0;
		number_map_clear(map, arena);
		CU_ASSERT_EQUAL(number_map_check(map, arena), 0);
		CU_ASSERT_EQUAL(number_map_count(map), 0);
		CU_ASSERT_PTR_NULL(number_map_find(map, 0));
	}
	CU_ASSERT_EQUAL(number_map_reserve(map, arena, UINT64_C(1) << 48), -ENOMEM);
	CU_ASSERT_EQUAL(number_map_reserve(map, arena, UINT64_MAX), -ENOMEM);
	CU_ASSERT_EQUAL(number_map_reserve(map, arena, UINT64_C(1) << 47), -ENOMEM);
	number_map_fini(map, arena);
	CU_ASSERT_EQUAL(lend_arena_destroy(arena), 0);
}

CLEAN_TEST(seeds_differ_between_maps)
{
	struct lend_arena *arena = make_arena();
	struct number_map *a = lend_alloc_zeroed(arena, sizeof(*a));
	struct number_map *b = lend_alloc_zeroed(arena, sizeof(*b));

	fill(a, arena, 1);
	fill(b, arena, 1);
	CU_ASSERT_NOT_EQUAL(a->shm.seed, b->shm.seed);
	number_map_fini(a, arena);
	number_map_fini(b, arena);
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
	CU_ASSERT_EQUAL(live_count(arena), before + 1);
	CU_ASSERT_EQUAL(town_map_check(towns, arena), 0);
	for (i = 0; i < 3000; i += 3)
		CU_ASSERT_EQUAL(town_map_set(towns, arena, town(i), i), 1);
	town_map_clear(towns, arena);
	CU_ASSERT_EQUAL(live_count(arena), before + 1);
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

	for (key = 0; key < 100; key++) {
		CU_ASSERT_EQUAL_FATAL(owner_map_put(map, arena, key, &entry), 1);
		lend_ptr_set(&entry->value.self, &entry->value);
		lend_ptr_set(&entry->value.block, lend_alloc(arena, sizeof(uint64_t)));
		*lend_ptr_get(&entry->value.block) = key;
		CU_ASSERT_EQUAL_FATAL(broken_map_put(broken, arena, key, &held), 1);
		lend_ptr_set(&held->value.block, lend_ptr_get(&entry->value.block));
	}
	for (key = 0; key < 100; key++) {
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
	CU_ASSERT_EQUAL(live_count(arena), before + 1 + 99);
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
	unsigned failed = 0;
	uint64_t key;
	unsigned nth;
	int made;

	for (key = 0; key < 1000; key++)
		for (nth = 1;; nth++) {
			failing = nth;
			made = owner_map_put(map, arena, key, &entry);
			failing = 0;
			if (made == 1)
				break;
			failed++;
			CU_ASSERT_TRUE(made == -EDQUOT || made == -ENOMEM);
			CU_ASSERT_EQUAL_FATAL(owner_map_count(map), key);
			CU_ASSERT_PTR_NULL(owner_map_find(map, key));
			if (key % 15 == 0)
				CU_ASSERT_EQUAL(owner_map_check(map, arena), 0);
		}
	CU_ASSERT_TRUE(failed > 1000 + 5); /* each key once, and tables */
	failing = 1;
	CU_ASSERT_EQUAL(owner_map_reserve(map, arena, 100000), -EDQUOT);
	failing = 0;
	CU_ASSERT_EQUAL(owner_map_count(map), 1000);
	CU_ASSERT_EQUAL(owner_map_check(map, arena), 0);
	owner_map_fini(map, arena);
	CU_ASSERT_EQUAL(live_count(arena), before);
	CU_ASSERT_EQUAL(lend_arena_destroy(arena), 0);
}

CLEAN_TEST(a_borrowed_or_forked_map_is_not_changed)
{
	struct lend_arena_options options = {.reservation_bytes = HEAP_FORKED_BYTES};
	struct lend_arena *arena = NULL;
	struct town_map *towns;
	pid_t child;

	CU_ASSERT_EQUAL_FATAL(lend_arena_create(&options, &arena), 0);
	towns = lend_alloc_zeroed(arena, sizeof(*towns));
	child = fork();
	if (child == 0) {
		struct town_map local;

		town_map_init(&local);
		CHILD_REQUIRE(town_map_set(&local, arena, town(1), 1) == -EPERM);
		CHILD_REQUIRE(town_map_count(&local) == 0);
		_exit(0);
	}
	CU_ASSERT_EQUAL(heap_wait(child), 0);
	CU_ASSERT_EQUAL(town_map_count(towns), 0);
	CU_ASSERT_EQUAL(lend_arena_destroy(arena), 0);
}

/* One change at a time: check refuses it, and accepts the map set right again. */
CLEAN_TEST(check_refuses_what_is_torn)
{
	struct lend_arena *arena = make_arena();
	struct number_map outside = {0};
	struct number_map *map = lend_alloc_zeroed(arena, sizeof(*map));
	struct number_map_entry *entries;
	struct number_map_entry *entry;
	uint64_t good[sizeof(*map) / 8];
	size_t index;
	uint8_t *tag;
	int i;

	fill(map, arena, 1000);
	entries = number_map_lendi_entries(map);
	memcpy(good, map, sizeof(good));
	CU_ASSERT_EQUAL(number_map_check(map, arena), 0);
	CU_ASSERT_EQUAL(number_map_check(map, NULL), 0);
	CU_ASSERT_EQUAL(number_map_check(&outside, arena), -EXDEV);
	for (i = 0; i < 9; i++) {
		switch (i) {
		case 0:
			map->shm.count++;
			break;
		case 1:
			map->shm.growth_left += 1000;
			break;
		case 2:
			map->shm.seed++;
			break;
		case 3:
			map->shm.last = UINT64_MAX;
			break;
		case 4:
			map->shm.last--;
			break;
		case 5:
			lend_ptr_set(&map->shm.entries, NULL);
			break;
		case 6:
			lend_ptr_set(&map->shm.entries, &failing);
			break;
		case 7: /* its groups would begin below address 0 */
			lend_ptr_set(&map->shm.entries, (void *)(uintptr_t)4096);
			map->shm.last = ((UINT64_C(1) << 30) - 1) * LENDI_MAP_STEP;
			break;
		default:
			lend_ptr_set(&map->shm.entries, (char *)entries + 8);
		}
		CU_ASSERT_EQUAL(number_map_check(map, arena), -EUCLEAN);
		CU_ASSERT_PTR_NOT_NULL(strstr(lend_error_detail(), "map"));
		memcpy((void *)map, good, sizeof(good));
		CU_ASSERT_EQUAL(number_map_check(map, arena), 0);
	}

	entry = number_map_find(map, 500);
	index = (size_t)(entry - entries);
	tag = &lendi_map_group(entries, map->shm.last, index / LEND_MAP_SLOTS * LENDI_MAP_STEP)
		       ->tags[index % LEND_MAP_SLOTS];
	*tag ^= 1;
	CU_ASSERT_EQUAL(number_map_check(map, arena), -EUCLEAN);
	*tag ^= 1;
	entry->key = 499; /* twice, or in the wrong place */
	CU_ASSERT_EQUAL(number_map_check(map, arena), -EUCLEAN);
	entry->key = 500;
	CU_ASSERT_EQUAL(number_map_check(map, arena), 0);
	number_map_fini(map, arena);
	CU_ASSERT_EQUAL(lend_arena_destroy(arena), 0);
}

CLEAN_TEST(check_refuses_lost_overflow_bits)
{
	struct lend_arena *arena = make_arena();
	struct two_set *two = lend_alloc_zeroed(arena, sizeof(*two));
	struct two_set_entry *made;
	uint64_t group;
	uint32_t key;

	for (key = 0; key < 100; key++)
		CU_ASSERT_EQUAL(two_set_put(two, arena, key, &made), 1);
	CU_ASSERT_EQUAL(two_set_check(two, arena), 0);
	for (group = 0; group <= two->shm.last; group += LENDI_MAP_STEP)
		lendi_map_group(two_set_lendi_entries(two), two->shm.last, group)->overflow = 0;
	CU_ASSERT_EQUAL(two_set_check(two, arena), -EUCLEAN);
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

/* With and without SSE2 the same bits, so the same layout. */
CLEAN_TEST(tags_match_as_compared_one_by_one)
{
	struct lend_map_group_shm group;
	uint64_t seed = 4711;
	uint32_t expected;
	uint64_t hash;
	int round;
	int tag;
	int i;

	for (round = 0; round < 200; round++) {
		uint64_t mask = round % 2 ? 0xff : 0x81;

		for (i = 0; i < 15; i++)
			group.tags[i] = (uint8_t)(heap_draw(&seed) & mask);
		group.overflow = (uint8_t)(heap_draw(&seed) & mask);
		for (tag = 0; tag < 256; tag++) {
			for (expected = 0, i = 0; i < 15; i++)
				expected |= (uint32_t)(group.tags[i] == tag) << i;
			CU_ASSERT_EQUAL(lendi_map_match(&group, (uint8_t)tag), expected);
			hash = (uint64_t)tag << 56 | heap_draw(&seed) >> 8;
			CU_ASSERT_EQUAL(lendi_map_match_hash(&group, hash),
				lendi_map_match(&group, lendi_map_tag(hash)));
			CU_ASSERT_EQUAL(lendi_map_went_on(&group, hash),
				group.overflow >> lendi_map_overflow_bit(lendi_map_tag(hash)) &
					1);
		}
	}
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
	SUITE_TEST(all_entries_are_found_while_it_grows),
	SUITE_TEST(entries_of_any_size_fit),
	SUITE_TEST(iteration_meets_each_entry_once_and_survives_erasing_it),
	SUITE_TEST(equal_hashes_are_slow_but_right),
	SUITE_TEST(erasing_and_putting_for_ever_needs_no_larger_table),
	SUITE_TEST(reserved_room_needs_no_allocation_and_moves_nothing),
	SUITE_TEST(seeds_differ_between_maps),
	SUITE_TEST(move_and_swap_take_everything_along),
	SUITE_TEST(string_keys_are_owned_and_found),
	SUITE_TEST(values_are_moved_and_finished),
	SUITE_TEST(failed_allocation_leaves_the_map_as_it_was),
	SUITE_TEST(a_borrowed_or_forked_map_is_not_changed),
	SUITE_TEST(check_refuses_what_is_torn),
	SUITE_TEST(check_refuses_lost_overflow_bits),
	SUITE_TEST(check_looks_at_no_key_outside_the_arena),
	SUITE_TEST(tags_match_as_compared_one_by_one),
	SUITE_TEST(other_programs_walk_it_at_its_place_and_elsewhere),
	SUITE_TEST(a_reader_killed_in_mid_walk_harms_nothing),
};

int main(int argc, char **argv)
{
	int status = visit_main(visitors, VISITOR_COUNT(visitors), argc, argv);

	return status >= 0 ? status : suite_run("map", tests, HEAP_COUNT(tests), argc, argv);
}
