/* SPDX-License-Identifier: Apache-2.0 */
/*
 * List, tree and hash table of one set of elements, seen by other programs: at their place and
 * relocated; a reader killed in mid-walk; a writer killed in mid-update.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <lendheap/hash.h>
#include <lendheap/hashing.h>
#include <lendheap/list.h>
#include <lendheap/share.h>
#include <lendheap/tree.h>

#include "support/leaks.h"
#include "support/offer.h"
#include "support/suite.h"
#include "support/tools.h"
#include "support/visit.h"

/* A name that lies elsewhere in the arena, reached by a self-relative pointer. */
struct town {
	uint64_t number;
	LEND_PTR(char) name;
	struct lend_list_hook_shm in_order;
	struct lend_tree_hook_shm by_number;
	struct lend_hash_hook_shm by_name;
};

#define ORDER(a, b) ((a) < (b) ? -1 : (a) > (b))

#define LEND_LIST      town_list
#define LEND_LIST_TYPE struct town
#define LEND_LIST_HOOK in_order
#include <lendheap/list.h>

#define LEND_TREE                           town_tree
#define LEND_TREE_TYPE                      struct town
#define LEND_TREE_HOOK                      by_number
#define LEND_TREE_COMPARE(a, b)             ORDER((a)->number, (b)->number)
#define LEND_TREE_KEY                       uint64_t
#define LEND_TREE_KEY_COMPARE(key, element) ORDER(key, (element)->number)
#include <lendheap/tree.h>

#define LEND_HASH                 town_table
#define LEND_HASH_TYPE            struct town
#define LEND_HASH_HOOK            by_name
#define LEND_HASH_KEY             const char *
#define LEND_HASH_KEY_OF(element) lend_ptr_get(&(element)->name)
#define LEND_HASH_OF(key)         lend_hash_string(key, 0)
#define LEND_HASH_EQUAL(a, b)     (strcmp(a, b) == 0)
#include <lendheap/hash.h>

struct atlas {
	uint64_t count;
	struct town_list list;
	struct town_tree tree;
	struct town_table table;
};

enum { TOWNS = 2000 };

static void name_of(uint64_t number, char name[24])
{
	(void)snprintf(name, 24, "town-%llu", (unsigned long long)number);
}

/* Add a town to all three; false: the arena is full. */
static bool add_town(struct atlas *atlas, struct lend_arena *arena, uint64_t number)
{
	struct town *town = lend_alloc_zeroed(arena, sizeof(*town));
	char *name = lend_alloc(arena, 24);

	if (!town || !name)
		return false;
	name_of(number, name);
	town->number = number;
	lend_ptr_set(&town->name, name);
	town_list_push_back(&atlas->list, town);
	if (town_tree_insert(&atlas->tree, town))
		return false;
	if (town_table_is_full(&atlas->table) && town_table_grow(&atlas->table, arena))
		return false;
	return town_table_insert(&atlas->table, town) == 0 && ++atlas->count;
}

static void drop_town(struct atlas *atlas, struct lend_arena *arena, uint64_t number)
{
	struct town *town = town_tree_find(&atlas->tree, number);

	town_list_erase(town);
	town_tree_erase(&atlas->tree, town);
	town_table_erase(&atlas->table, town);
	lend_free(arena, lend_ptr_get(&town->name));
	lend_free(arena, town);
	atlas->count--;
}

static struct atlas *make_atlas(struct lend_arena *arena)
{
	struct atlas *atlas = lend_alloc_zeroed(arena, sizeof(*atlas));
	uint64_t i;

	for (i = 0; atlas && i < TOWNS; i++)
		if (!add_town(atlas, arena, i * 7 % TOWNS))
			return NULL;
	if (!atlas || lend_root_set(arena, "atlas", LEND_TYPE(struct atlas, 1), atlas))
		return NULL;
	return atlas;
}

/* Every way through the atlas; 0, or the number of what is wrong. */
static int walk_atlas(const struct atlas *atlas)
{
	const struct town *town;
	uint64_t count = 0;
	uint64_t last = 0;
	char name[24];

	lend_list_each (town_list, town, &atlas->list) {
		name_of(town->number, name);
		if (town_tree_find(&atlas->tree, town->number) != town)
			return 1;
		if (town_table_find(&atlas->table, name) != town)
			return 2;
		count++;
	}
	for (town = town_list_last(&atlas->list); town;
		town = town_list_prev(&atlas->list, town))
		count--;
	if (count != 0)
		return 3;
	for (town = town_tree_first(&atlas->tree); town; town = town_tree_next(town)) {
		if (count++ && town->number <= last)
			return 4;
		last = town->number;
	}
	if (count != atlas->count || town_tree_find(&atlas->tree, last + 1))
		return 5;
	for (town = town_table_first(&atlas->table); town;
		town = town_table_next(&atlas->table, town))
		count--;
	return count ? 6 : 0;
}

static int check_atlas(const struct atlas *atlas, const struct lend_arena *arena)
{
	int err = town_list_check(&atlas->list, arena);

	err = err ? err : town_tree_check(&atlas->tree, arena);
	return err ? err : town_table_check(&atlas->table, arena);
}

static const struct atlas *find_atlas(const struct lend_arena *arena)
{
	const void *object;

	CHILD_CHECK(lend_root_get(arena, "atlas", LEND_TYPE(struct atlas, 1), &object) == 0);
	return object;
}

static int walk(const struct lend_arena *arena, int parent)
{
	const struct atlas *atlas = find_atlas(arena);

	(void)parent;
	CHILD_CHECK(walk_atlas(atlas) == 0);
	CHILD_CHECK(check_atlas(atlas, arena) == 0);
	return 0;
}

static int walk_for_ever(const struct lend_arena *arena, int parent)
{
	const struct atlas *atlas = find_atlas(arena);

	CHILD_CHECK(child_tell(parent));
	for (;;)
		CHILD_CHECK(walk_atlas(atlas) == 0);
}

static const struct visitor visitors[] = {VISITOR(walk), VISITOR(walk_for_ever)};

CLEAN_TEST(links_hold_in_other_programs_fixed_and_relocated)
{
	struct lend_arena *arena;
	struct atlas *atlas;

	CU_ASSERT_EQUAL_FATAL(lend_arena_create(NULL, &arena), 0);
	atlas = make_atlas(arena);
	CU_ASSERT_PTR_NOT_NULL_FATAL(atlas);
	CU_ASSERT_EQUAL(walk_atlas(atlas), 0);
	CU_ASSERT_EQUAL(check_atlas(atlas, arena), 0);
	CU_ASSERT_EQUAL(visit(arena, VISIT_FIXED, "walk"), 0);
	CU_ASSERT_EQUAL(visit(arena, VISIT_RELOCATED, "walk"), 0);
	CU_ASSERT_EQUAL(lend_arena_destroy(arena), 0);
}

CLEAN_TEST(links_are_unharmed_by_a_reader_killed_in_mid_walk)
{
	static const enum visit_place places[] = {VISIT_FIXED, VISIT_RELOCATED};
	const struct timespec moment = {0, 3000000};
	struct lend_arena *arena;
	struct atlas *atlas;
	struct child reader;
	uint64_t i;
	int round;

	CU_ASSERT_EQUAL_FATAL(lend_arena_create(NULL, &arena), 0);
	atlas = make_atlas(arena);
	CU_ASSERT_PTR_NOT_NULL_FATAL(atlas);
	for (round = 0; round < 4; round++) {
		reader = visit_start(arena, places[round % 2], "walk_for_ever");
		CU_ASSERT_TRUE(child_await(reader.sock));
		(void)nanosleep(&moment, NULL);
		child_kill(&reader);
		CU_ASSERT_EQUAL(walk_atlas(atlas), 0);
		CU_ASSERT_EQUAL(check_atlas(atlas, arena), 0);
		for (i = 0; i < 100; i++)
			drop_town(atlas, arena, (uint64_t)round * 100 + i);
		for (i = 0; i < 50; i++)
			CU_ASSERT_TRUE(
				add_town(atlas, arena, 10000 + (uint64_t)round * 50 + i));
	}
	CU_ASSERT_EQUAL(check_atlas(atlas, arena), 0);
	CU_ASSERT_EQUAL(visit(arena, VISIT_RELOCATED, "walk"), 0);
	CU_ASSERT_EQUAL(lend_arena_destroy(arena), 0);
}

enum { SPINNING = 50 };

/* An owner that moves towns to the end of the list, and out of the table and in, for ever. */
static int update_for_ever(int parent, void *argument)
{
	struct lend_arena *arena;
	struct atlas *atlas;
	struct town *town;
	uint64_t i;

	(void)argument;
	CHILD_CHECK(lend_arena_create(NULL, &arena) == 0);
	atlas = lend_alloc_zeroed(arena, sizeof(*atlas));
	CHILD_CHECK(atlas);
	for (i = 0; i < SPINNING; i++)
		CHILD_CHECK(add_town(atlas, arena, i));
	CHILD_CHECK(lend_root_set(arena, "atlas", LEND_TYPE(struct atlas, 1), atlas) == 0);
	CHILD_CHECK(offer_send_arena(parent, arena));
	for (;;) {
		town = town_list_pop_front(&atlas->list);
		town_list_push_back(&atlas->list, town);
		town_table_erase(&atlas->table, town);
		CHILD_CHECK(town_table_insert(&atlas->table, town) == 0);
	}
}

/* Forward, the list is whole but for at most one; so are the chains. */
static int is_as_a_death_leaves_it(const struct atlas *atlas)
{
	const struct town *town;
	const struct town *before = NULL;
	int seen[SPINNING] = {0};
	int count = 0;

	lend_list_each (town_list, town, &atlas->list) {
		if (before && town->number != (before->number + 1) % SPINNING)
			return 0;
		if (++count > SPINNING)
			return 0;
		before = town;
	}
	if (count < SPINNING - 1)
		return 0;
	count = 0;
	for (town = town_table_first(&atlas->table); town;
		town = town_table_next(&atlas->table, town)) {
		if (seen[town->number]++)
			return 0;
		count++;
	}
	return count >= SPINNING - 1;
}

CLEAN_TEST(links_of_a_writer_killed_in_mid_update_lead_forward_to_all_but_one)
{
	const int rounds = under_slow_tool() ? 10 : 60;
	const struct lend_arena *arena;
	struct timespec moment = {0, 0};
	struct child writer;
	const void *atlas;
	int round;

	for (round = 0; round < rounds; round++) {
		writer = child_start(update_for_ever, NULL);
		CU_ASSERT_EQUAL_FATAL(offer_receive_arena(writer.sock, &arena), 0);
		moment.tv_nsec = 100000 + round * 3001;
		(void)nanosleep(&moment, NULL);
		child_kill(&writer);
		CU_ASSERT_EQUAL_FATAL(
			lend_root_get(arena, "atlas", LEND_TYPE(struct atlas, 1), &atlas), 0);
		CU_ASSERT_TRUE(is_as_a_death_leaves_it(atlas));
		CU_ASSERT_EQUAL(lend_close(arena), 0);
	}
}

static const struct suite_test tests[] = {
	SUITE_TEST(links_hold_in_other_programs_fixed_and_relocated),
	SUITE_TEST(links_are_unharmed_by_a_reader_killed_in_mid_walk),
	SUITE_TEST(links_of_a_writer_killed_in_mid_update_lead_forward_to_all_but_one),
};

int main(int argc, char **argv)
{
	int status = visit_main(visitors, VISITOR_COUNT(visitors), argc, argv);

	if (status >= 0)
		return status;
	return suite_run("links", tests, sizeof(tests) / sizeof(tests[0]), argc, argv);
}
