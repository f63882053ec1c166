/* SPDX-License-Identifier: Apache-2.0 */
/* The intrusive hash table: every function, growth that fails, and every fault of its check. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <lendheap/hash.h>
#include <lendheap/hashing.h>

#include "support/suite.h"

struct user {
	uint64_t id;
	struct lend_hash_hook_shm hook;
	struct lend_hash_hook_shm by_name;
	char name[16];
};

#define LEND_HASH                 user_table
#define LEND_HASH_TYPE            struct user
#define LEND_HASH_HOOK            hook
#define LEND_HASH_KEY             uint64_t
#define LEND_HASH_KEY_OF(element) ((element)->id)
#define LEND_HASH_OF(key)         lend_hash_u64(key, 0)
#define LEND_HASH_EQUAL(a, b)     ((a) == (b))
#include <lendheap/hash.h>

#define LEND_HASH                 name_table
#define LEND_HASH_TYPE            struct user
#define LEND_HASH_HOOK            by_name
#define LEND_HASH_KEY             const char *
#define LEND_HASH_KEY_OF(element) ((element)->name)
#define LEND_HASH_OF(key)         lend_hash_string(key, 0)
#define LEND_HASH_EQUAL(a, b)     (strcmp(a, b) == 0)
#include <lendheap/hash.h>

/* All in one chain, and all of one hash: what a poor hash function does. */
#define LEND_HASH                 poor_table
#define LEND_HASH_TYPE            struct user
#define LEND_HASH_HOOK            hook
#define LEND_HASH_KEY             uint64_t
#define LEND_HASH_KEY_OF(element) ((element)->id)
#define LEND_HASH_OF(key)         ((key) % 2)
#define LEND_HASH_EQUAL(a, b)     ((a) == (b))
#include <lendheap/hash.h>

struct wide {
	_Alignas(64) uint64_t number;
	struct lend_hash_hook_shm hook;
};

#define LEND_HASH                 wide_table
#define LEND_HASH_TYPE            struct wide
#define LEND_HASH_HOOK            hook
#define LEND_HASH_KEY             uint64_t
#define LEND_HASH_KEY_OF(element) ((element)->number)
#define LEND_HASH_OF(key)         ((void)(key), UINT64_C(0))
#define LEND_HASH_EQUAL(a, b)     ((a) == (b))
#include <lendheap/hash.h>

enum { USERS = 100 };

static struct user users[USERS];
static struct lend_hash_bucket_shm buckets[64];
static struct lend_arena *arena;

static void reset_users(void)
{
	uint64_t i;

	memset(users, 0, sizeof(users));
	memset(buckets, 0xff, sizeof(buckets)); /* what they hold does not matter */
	for (i = 0; i < USERS; i++) {
		users[i].id = i;
		(void)snprintf(users[i].name, sizeof(users[i].name), "user-%u", (unsigned)i);
	}
}

/* Are users [from, until) in the table, each once, and nobody else? */
static int holds(const struct user_table *table, uint64_t from, uint64_t until)
{
	const struct user *user;
	int seen[USERS] = {0};
	uint64_t i;

	for (user = user_table_first(table); user; user = user_table_next(table, user))
		seen[user->id]++;
	for (i = 0; i < USERS; i++) {
		int in = i >= from && i < until;

		if (seen[i] != in || user_table_is_linked(&users[i]) != in ||
			user_table_find(table, i) != (in ? &users[i] : NULL))
			return 0;
	}
	return user_table_count(table) == until - from && user_table_check(table, NULL) == 0;
}

static void hash_table_of_zeroes_is_empty(void)
{
	struct user_table table;
	struct user_table made;

	reset_users();
	memset(&table, 0, sizeof(table));
	memset(&made, 0xff, sizeof(made));
	user_table_init(&made);
	CU_ASSERT_TRUE(holds(&table, 0, 0));
	CU_ASSERT_TRUE(holds(&made, 0, 0));
	CU_ASSERT_TRUE(user_table_is_empty(&table));
	CU_ASSERT_TRUE(user_table_is_full(&table));
	CU_ASSERT_EQUAL(user_table_bucket_count(&table), 0);
	CU_ASSERT_PTR_NULL(user_table_buckets(&table));
	CU_ASSERT_EQUAL(user_table_insert(&table, &users[0]), -ENOSPC);
	CU_ASSERT_TRUE(holds(&table, 0, 0));
}

static void hash_table_inserts_finds_and_erases(void)
{
	struct user_table table = {0};
	uint64_t i;

	reset_users();
	CU_ASSERT_EQUAL(user_table_rehash(&table, buckets, 64), 0);
	CU_ASSERT_TRUE(holds(&table, 0, 0));
	for (i = 0; i < USERS; i++) {
		CU_ASSERT_EQUAL(user_table_is_full(&table), i >= 64);
		CU_ASSERT_EQUAL(user_table_insert(&table, &users[i]), 0);
	}
	CU_ASSERT_TRUE(holds(&table, 0, USERS));
	for (i = 0; i < 40; i++)
		user_table_erase(&table, &users[i]);
	CU_ASSERT_TRUE(holds(&table, 40, USERS));
	for (; i < USERS; i++)
		user_table_erase(&table, user_table_find(&table, i));
	CU_ASSERT_TRUE(holds(&table, 0, 0));
}

static void hash_table_insert_refuses_what_is_there(void)
{
	struct user_table table = {0};
	struct user twin = {.id = 7};

	reset_users();
	CU_ASSERT_EQUAL(user_table_rehash(&table, buckets, 1), 0);
	CU_ASSERT_EQUAL(user_table_insert(&table, &users[7]), 0);
	CU_ASSERT_EQUAL(user_table_insert(&table, &users[8]), 0);
	CU_ASSERT_EQUAL(user_table_insert(&table, &twin), -EEXIST);
	CU_ASSERT_FALSE(user_table_is_linked(&twin));
	CU_ASSERT_TRUE(holds(&table, 7, 9));
}

static void hash_table_tells_equal_hashes_apart(void)
{
	struct poor_table table = {0};
	uint64_t i;

	reset_users();
	CU_ASSERT_EQUAL(poor_table_rehash(&table, buckets, 1), 0);
	for (i = 0; i < 10; i++)
		CU_ASSERT_EQUAL(poor_table_insert(&table, &users[i]), 0);
	for (i = 0; i < 10; i++)
		CU_ASSERT_PTR_EQUAL(poor_table_find(&table, i), &users[i]);
	CU_ASSERT_PTR_NULL(poor_table_find(&table, 10));
	/* In the middle, at the end and at the front of the chain. */
	poor_table_erase(&table, &users[5]);
	poor_table_erase(&table, &users[0]);
	poor_table_erase(&table, &users[9]);
	CU_ASSERT_EQUAL(poor_table_check(&table, NULL), 0);
	CU_ASSERT_EQUAL(poor_table_count(&table), 7);
	for (i = 0; i < 10; i++)
		CU_ASSERT_PTR_EQUAL(
			poor_table_find(&table, i), i % 5 == 0 || i == 9 ? NULL : &users[i]);
}

static void hash_table_takes_strings_as_keys(void)
{
	struct name_table table = {0};
	uint64_t i;

	reset_users();
	CU_ASSERT_EQUAL(name_table_rehash(&table, buckets, 32), 0);
	for (i = 0; i < USERS; i++)
		CU_ASSERT_EQUAL(name_table_insert(&table, &users[i]), 0);
	CU_ASSERT_PTR_EQUAL(name_table_find(&table, "user-42"), &users[42]);
	CU_ASSERT_PTR_NULL(name_table_find(&table, "user-420"));
	CU_ASSERT_EQUAL(name_table_check(&table, NULL), 0);
}

static void hash_table_rehashes_into_more_and_into_fewer_buckets(void)
{
	struct lend_hash_bucket_shm few[2];
	struct user_table table = {0};
	uint64_t i;

	reset_users();
	CU_ASSERT_EQUAL(user_table_rehash(&table, few, 2), 0);
	for (i = 0; i < 30; i++)
		CU_ASSERT_EQUAL(user_table_insert(&table, &users[i]), 0);
	CU_ASSERT_EQUAL(user_table_rehash(&table, buckets, 64), 0);
	memset(few, 0xff, sizeof(few));
	CU_ASSERT_PTR_EQUAL(user_table_buckets(&table), buckets);
	CU_ASSERT_EQUAL(user_table_bucket_count(&table), 64);
	CU_ASSERT_TRUE(holds(&table, 0, 30));
	CU_ASSERT_EQUAL(user_table_rehash(&table, few, 2), 0);
	CU_ASSERT_TRUE(holds(&table, 0, 30));
	CU_ASSERT_EQUAL(user_table_rehash(&table, buckets, 0), -EINVAL);
	CU_ASSERT_EQUAL(user_table_rehash(&table, buckets, 48), -EINVAL);
	CU_ASSERT_PTR_EQUAL(user_table_buckets(&table), few);
	CU_ASSERT_TRUE(holds(&table, 0, 30));
}

static void hash_table_grows_in_its_arena_and_gives_back(void)
{
	struct lend_arena_stats before = {.struct_bytes = sizeof(before)};
	struct lend_arena_stats after = {.struct_bytes = sizeof(after)};
	struct user_table *table = lend_alloc_zeroed(arena, sizeof(*table));
	struct user *many = lend_alloc_zeroed(arena, 1000 * sizeof(*many));
	uint64_t i;

	CU_ASSERT_PTR_NOT_NULL_FATAL(table);
	CU_ASSERT_PTR_NOT_NULL_FATAL(many);
	CU_ASSERT_EQUAL(lend_arena_stats(arena, &before), 0);
	for (i = 0; i < 1000; i++) {
		many[i].id = i;
		if (user_table_is_full(table))
			CU_ASSERT_EQUAL_FATAL(user_table_grow(table, arena), 0);
		CU_ASSERT_EQUAL_FATAL(user_table_insert(table, &many[i]), 0);
	}
	CU_ASSERT_EQUAL(user_table_bucket_count(table), 1024);
	CU_ASSERT_EQUAL(user_table_check(table, arena), 0);
	user_table_fini(table, arena);
	CU_ASSERT_TRUE(user_table_is_empty(table));
	user_table_fini(table, arena);
	CU_ASSERT_EQUAL(lend_arena_stats(arena, &after), 0);
	CU_ASSERT_EQUAL(before.live_count, after.live_count);
	lend_free(arena, many);
	lend_free(arena, table);
}

static void hash_table_that_cannot_grow_is_as_it_was(void)
{
	struct lend_arena_options options = {.quota_bytes = 1 << 20};
	struct lend_arena *small;
	struct user_table *table;
	struct user_table was;
	struct user *user;
	struct user *last = NULL;
	uint64_t count = 0;
	int err = 0;

	CU_ASSERT_EQUAL_FATAL(lend_arena_create(&options, &small), 0);
	table = lend_alloc_zeroed(small, sizeof(*table));
	CU_ASSERT_PTR_NOT_NULL_FATAL(table);
	/* Until the quota refuses the buckets, and then the elements. */
	while ((user = lend_alloc_zeroed(small, sizeof(*user)))) {
		user->id = count++;
		last = user;
		if (user_table_is_full(table) && !err) {
			memcpy(&was, table, sizeof(was));
			err = user_table_grow(table, small);
			if (err)
				CU_ASSERT_EQUAL(memcmp(&was, table, sizeof(was)), 0);
		}
		CU_ASSERT_EQUAL_FATAL(user_table_insert(table, user), 0);
	}
	if (!err)
		err = user_table_grow(table, small);
	CU_ASSERT_TRUE(err == -EDQUOT || err == -ENOMEM);
	CU_ASSERT_EQUAL(user_table_count(table), count);
	CU_ASSERT_EQUAL(user_table_check(table, small), 0);
	CU_ASSERT_PTR_EQUAL(user_table_find(table, count - 1), last);
	lend_arena_destroy(small);
}

/* Everything in one block of an arena. */
struct held {
	struct user_table table;
	struct user users[8];
	struct lend_hash_bucket_shm buckets[4];
};

static struct held *make_held(void)
{
	struct held *held = lend_alloc_zeroed(arena, sizeof(*held));
	uint64_t i;

	CU_ASSERT_PTR_NOT_NULL_FATAL(held);
	CU_ASSERT_EQUAL(user_table_rehash(&held->table, held->buckets, 4), 0);
	for (i = 0; i < 8; i++) {
		held->users[i].id = i;
		CU_ASSERT_EQUAL(user_table_insert(&held->table, &held->users[i]), 0);
	}
	CU_ASSERT_EQUAL(user_table_check(&held->table, arena), 0);
	return held;
}

static int fails_with(const struct held *held, const char *sentence)
{
	return user_table_check(&held->table, arena) == -EUCLEAN &&
	       strstr(lend_error_detail(), sentence) != NULL;
}

static void hash_table_check_names_what_is_wrong(void)
{
	struct held *held = make_held();
	struct lend_hash_hook_shm *hook = &held->users[3].hook;
	struct lend_hash_hook_shm was = *hook;
	struct lend_hash_shm shm = held->table.shm;
	struct user_table outside = {0};

	hook->next = (UINT64_C(1) << 40) | LENDI_HASH_LINKED;
	CU_ASSERT_TRUE(fails_with(held, "outside the arena"));
	*hook = was;
	hook->next &= ~LENDI_HASH_LINKED;
	CU_ASSERT_TRUE(fails_with(held, "not marked as linked"));
	*hook = was;
	hook->hash ^= 1;
	CU_ASSERT_TRUE(fails_with(held, "in the wrong bucket"));
	*hook = was;
	hook->hash ^= 4;
	CU_ASSERT_TRUE(fails_with(held, "not the hash of its key"));
	*hook = was;
	held->table.shm.count = 7;
	CU_ASSERT_TRUE(fails_with(held, "more elements than counted"));
	held->table.shm.count = 9;
	CU_ASSERT_TRUE(fails_with(held, "8 elements, 9 counted"));
	held->table.shm.count = UINT64_MAX;
	CU_ASSERT_TRUE(fails_with(held, "elements counted"));
	held->table.shm.count = shm.count;
	held->table.shm.bucket_count = 3;
	CU_ASSERT_TRUE(fails_with(held, "3 buckets"));
	held->table.shm.bucket_count = UINT64_C(1) << 61;
	CU_ASSERT_TRUE(fails_with(held, "outside the arena"));
	held->table.shm.bucket_count = 0;
	CU_ASSERT_TRUE(fails_with(held, "0 buckets"));
	held->table.shm.bucket_count = 4;
	held->table.shm.buckets.shm.stored += 4;
	CU_ASSERT_TRUE(fails_with(held, "outside the arena"));
	held->table.shm.buckets.shm.stored = 0;
	CU_ASSERT_TRUE(fails_with(held, "outside the arena"));
	held->table.shm.buckets.shm.stored = shm.buckets.shm.stored;
	CU_ASSERT_EQUAL(user_table_check(&held->table, arena), 0);
	CU_ASSERT_EQUAL(user_table_check(&outside, arena), -EXDEV);
	lend_free(arena, held);
}

static void hash_table_check_ends_in_a_ring(void)
{
	struct held *held = make_held();
	struct lend_hash_hook_shm *first;
	struct lend_hash_hook_shm *second = NULL;
	int rings = 0;
	int i;

	/* Eight in four buckets: some chain has two. */
	for (i = 0; i < 4; i++) {
		first = lendi_hash_first(&held->buckets[i]);
		second = first ? lendi_hash_next(first) : NULL;
		if (!second)
			continue;
		lendi_hash_set_next(second, first);
		CU_ASSERT_TRUE(fails_with(held, "more elements than counted"));
		rings++;
	}
	CU_ASSERT(rings > 0);
	lend_free(arena, held);
}

/* Readers of its elements take their alignment for granted. */
static void hash_check_refuses_an_element_that_is_not_aligned(void)
{
	struct wide_table *table = lend_alloc_zeroed(arena, sizeof(*table));
	struct wide *wide = lend_alloc_aligned(arena, 2 * sizeof(*wide), 64);
	struct lend_hash_hook_shm *hook;

	CU_ASSERT_PTR_NOT_NULL_FATAL(table);
	CU_ASSERT_PTR_NOT_NULL_FATAL(wide);
	memset(wide, 0, 2 * sizeof(*wide));
	hook = (struct lend_hash_hook_shm *)((uintptr_t)&wide->hook + 8);
	CU_ASSERT_EQUAL_FATAL(wide_table_grow(table, arena), 0);
	lendi_hash_insert(&table->shm, hook, 0);
	CU_ASSERT_EQUAL(wide_table_check(table, arena), -EUCLEAN);
	CU_ASSERT_PTR_NOT_NULL(strstr(lend_error_detail(), "not aligned"));
	wide_table_fini(table, arena);
	lend_free(arena, wide);
	lend_free(arena, table);
}

static const struct suite_test tests[] = {
	SUITE_TEST(hash_table_of_zeroes_is_empty),
	SUITE_TEST(hash_table_inserts_finds_and_erases),
	SUITE_TEST(hash_table_insert_refuses_what_is_there),
	SUITE_TEST(hash_table_tells_equal_hashes_apart),
	SUITE_TEST(hash_table_takes_strings_as_keys),
	SUITE_TEST(hash_table_rehashes_into_more_and_into_fewer_buckets),
	SUITE_TEST(hash_table_grows_in_its_arena_and_gives_back),
	SUITE_TEST(hash_table_that_cannot_grow_is_as_it_was),
	SUITE_TEST(hash_table_check_names_what_is_wrong),
	SUITE_TEST(hash_table_check_ends_in_a_ring),
	SUITE_TEST(hash_check_refuses_an_element_that_is_not_aligned),
};

int main(int argc, char **argv)
{
	int status;

	if (lend_arena_create(NULL, &arena))
		return suite_skip(lend_error_detail());
	status = suite_run("hash", tests, sizeof(tests) / sizeof(tests[0]), argc, argv);
	lend_arena_destroy(arena);
	return status;
}
