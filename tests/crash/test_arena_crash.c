/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An owner that dies at each crash point of the floors arena and alloc, the first time it passes
 * there, the second and so on. A borrower that attached before reads on; roots are as before or
 * as after; with the last holder the slot is free again. The window has one slot, so that what is
 * left behind would be in the way.
 */
#include "support/suite.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include <lendheap/alloc.h>

#include "support/child.h"
#include "support/leaks.h"
#include "support/offer.h"
#include "support/window.h"

enum { SURVIVED = 5, PASSAGES_MAX = 4, LARGE_COUNT = 20000, FACTS = 100 };

/* What a root names: numbers that belong together. */
struct fact {
	uint64_t number;
	uint64_t square;
};

/* The same, as a later version has it. */
struct fact_two {
	uint64_t number;
	uint64_t square;
	uint64_t cube;
};

#define FACT     LEND_TYPE(struct fact, 1)
#define FACT_TWO LEND_TYPE(struct fact_two, 2)

struct plan {
	struct lend_window window;
	const char *point;
	unsigned passage;
	bool in_create;
	bool in_destroy;
};

static struct fact *make_fact(struct lend_arena *arena, uint64_t number)
{
	struct fact *fact = lend_alloc(arena, sizeof(struct fact_two));

	CHILD_CHECK(fact);
	fact->number = number;
	fact->square = number * number;
	((struct fact_two *)fact)->cube = number * number * number;
	return fact;
}

static const char *nth_name(unsigned n)
{
	static char name[32];

	(void)snprintf(name, sizeof(name), "fact %u", n);
	return name;
}

/* Pass all crash points: roots that change, memory that grows, is cut, merged and given back. */
static void churn(struct lend_arena *arena)
{
	static void *large[LARGE_COUNT];
	void *gone;
	unsigned i;

	for (i = 0; i < 4; i++) {
		CHILD_CHECK(
			lend_root_set(arena, "changes", FACT_TWO, make_fact(arena, 20)) == 0);
		CHILD_CHECK(lend_root_set(arena, "changes", FACT, make_fact(arena, 10)) == 0);
		CHILD_CHECK(lend_root_set(arena, "comes", FACT, make_fact(arena, 30)) == 0);
		CHILD_CHECK(lend_root_unset(arena, "comes") == 0);
		CHILD_CHECK(lend_root_take(arena, "goes", FACT, &gone) == 0);
		CHILD_CHECK(lend_root_set(arena, "goes", FACT, make_fact(arena, 40)) == 0);
	}
	/* Untouched, so that it costs addresses and metadata only: more than one base block. */
	for (i = 0; i < LARGE_COUNT; i++) {
		large[i] = lend_alloc(arena, 80 << 10);
		CHILD_CHECK(large[i]);
	}
	for (i = 0; i < LARGE_COUNT; i++)
		lend_free(arena, large[i]);
	CHILD_CHECK(lend_arena_purge(arena) == 0);
}

static int own_and_die(int parent, void *argument)
{
	const struct plan *plan = argument;
	struct lend_arena *arena;
	unsigned i;

	CHILD_CHECK(lend_window_configure(&plan->window) == 0);
	if (plan->in_create)
		lendi_crashpoint_arm(plan->point, plan->passage);
	CHILD_CHECK(lend_arena_create(NULL, &arena) == 0);
	for (i = 0; i < FACTS; i++)
		CHILD_CHECK(lend_root_set(arena, nth_name(i), FACT, make_fact(arena, i)) == 0);
	CHILD_CHECK(lend_root_set(arena, "changes", FACT, make_fact(arena, 10)) == 0);
	CHILD_CHECK(lend_root_set(arena, "goes", FACT, make_fact(arena, 40)) == 0);
	CHILD_CHECK(offer_send_arena(parent, arena));
	CHILD_CHECK(child_await(parent));
	lendi_crashpoint_arm(plan->point, plan->passage);
	if (plan->in_destroy)
		CHILD_CHECK(lend_arena_destroy(arena) == 0);
	else
		churn(arena);
	lendi_crashpoint_arm(NULL, 0);
	return SURVIVED;
}

static bool is_fact(const struct lend_arena *arena, const char *name, uint64_t number)
{
	const struct fact *fact;

	return lend_root_get(arena, name, FACT, (const void **)&fact) == 0 &&
	       fact->number == number && fact->square == number * number;
}

static bool is_fact_or_gone(const struct lend_arena *arena, const char *name, uint64_t number)
{
	const struct fact *fact;
	int err = lend_root_get(arena, name, FACT, (const void **)&fact);

	return err == -ENOENT || (err == 0 && fact->square == number * number);
}

static int count_one(const struct lend_root *root, void *context)
{
	const struct fact *fact = root->object;

	++*(unsigned *)context;
	return fact->square != fact->number * fact->number;
}

/* Everything there, whatever moment the owner died at. */
static void check_facts(const struct lend_arena *arena)
{
	const struct fact_two *two;
	unsigned count = 0;
	unsigned i;

	for (i = 0; i < FACTS; i++)
		CHILD_CHECK(is_fact(arena, nth_name(i), i));
	if (!is_fact(arena, "changes", 10)) {
		CHILD_CHECK(
			lend_root_get(arena, "changes", FACT_TWO, (const void **)&two) == 0);
		CHILD_CHECK(two->number == 20 && two->cube == 8000);
	}
	CHILD_CHECK(is_fact_or_gone(arena, "comes", 30));
	CHILD_CHECK(is_fact_or_gone(arena, "goes", 40));
	CHILD_CHECK(lend_root_each(arena, count_one, &count) == 0);
	CHILD_CHECK(count >= FACTS + 1 && count <= FACTS + 3);
}

static int borrow(int parent, void *argument)
{
	const struct plan *plan = argument;
	const struct lend_arena *arena;
	struct leaks before;

	CHILD_CHECK(lend_window_configure(&plan->window) == 0);
	before = leaks_count();
	CHILD_CHECK(offer_receive_arena(parent, &arena) == 0);
	check_facts(arena);
	CHILD_CHECK(child_tell(parent));
	CHILD_CHECK(child_await(parent));
	check_facts(arena);
	CHILD_CHECK(lend_arena_is_fixed(arena) == 1);
	CHILD_CHECK(lendi_arena_detach(arena) == 0);
	CHILD_CHECK(leaks_since(&before) == 0);
	return 0;
}

static int find_taken(int parent, void *argument)
{
	const struct plan *plan = argument;
	struct lend_arena *arena;

	(void)parent;
	CHILD_CHECK(lend_window_configure(&plan->window) == 0);
	CHILD_CHECK(lend_arena_create(NULL, &arena) == -EADDRINUSE);
	return 0;
}

static int find_free(int parent, void *argument)
{
	const struct plan *plan = argument;
	struct lend_arena *arena;
	char *object;

	(void)parent;
	CHILD_CHECK(lend_window_configure(&plan->window) == 0);
	CHILD_CHECK(lend_arena_create(NULL, &arena) == 0);
	object = lend_alloc_zeroed(arena, 1 << 20);
	CHILD_CHECK(object && object[12345] == 0);
	CHILD_CHECK(lend_arena_destroy(arena) == 0);
	return 0;
}

/* True when the owner died where it was to; false when it does not pass there that often. */
static bool die_at(const char *point, unsigned passage)
{
	struct plan plan = {window_small(1, getpid()), point, passage, false, false};
	struct child owner = child_start(own_and_die, &plan);
	struct child early = child_start(borrow, &plan);
	struct child late;
	struct offer offer;
	int how;

	CU_ASSERT_TRUE_FATAL(offer_receive(owner.sock, &offer));
	CU_ASSERT_TRUE(offer_send(early.sock, &offer));
	CU_ASSERT_TRUE(child_await(early.sock));
	CU_ASSERT_TRUE(child_tell(owner.sock));
	how = child_end(&owner);
	CU_ASSERT(how == SURVIVED || how == CHILD_SIGNAL + SIGKILL);

	/* Who attaches after the death finds the same. */
	late = child_start(borrow, &plan);
	CU_ASSERT_TRUE(offer_send(late.sock, &offer));
	CU_ASSERT_TRUE(child_await(late.sock));
	offer_drop(&offer);
	CU_ASSERT_EQUAL(child_run(find_taken, &plan), 0);
	CU_ASSERT_TRUE(child_tell(early.sock));
	CU_ASSERT_EQUAL(child_end(&early), 0);
	CU_ASSERT_EQUAL(child_run(find_taken, &plan), 0);
	CU_ASSERT_TRUE(child_tell(late.sock));
	CU_ASSERT_EQUAL(child_end(&late), 0);
	CU_ASSERT_EQUAL(child_run(find_free, &plan), 0);
	return how != SURVIVED;
}

static void die_at_each_passage(const char *point, unsigned deaths_min)
{
	unsigned deaths = 0;

	while (deaths < PASSAGES_MAX && die_at(point, deaths + 1))
		deaths++;
	CU_ASSERT(deaths >= deaths_min);
}

CLEAN_TEST(crash_while_a_root_s_entry_is_filled)
{
	die_at_each_passage("root.set.filling", 4);
}

CLEAN_TEST(crash_before_a_root_is_published)
{
	die_at_each_passage("root.set.filled", 4);
}

CLEAN_TEST(crash_while_a_root_is_unset)
{
	die_at_each_passage("root.unset.marked", 4);
}

CLEAN_TEST(crash_while_memory_is_committed)
{
	die_at_each_passage("hook.commit", 4);
}

CLEAN_TEST(crash_while_memory_is_given_back)
{
	die_at_each_passage("hook.decommit", 1);
}

CLEAN_TEST(crash_while_an_extent_is_split)
{
	die_at_each_passage("hook.split", 4);
}

CLEAN_TEST(crash_while_extents_are_merged)
{
	die_at_each_passage("hook.merge", 4);
}

CLEAN_TEST(crash_while_the_books_grow)
{
	die_at_each_passage("books.block.filled", 1);
}

/* Nobody knows of the arena yet; its slot is free at once. */
static void die_in_create(const char *point)
{
	struct plan plan = {window_small(1, getpid()), point, 1, true, false};
	int how = child_run(own_and_die, &plan);

	CU_ASSERT_EQUAL(how, CHILD_SIGNAL + SIGKILL);
	CU_ASSERT_EQUAL(child_run(find_free, &plan), 0);
}

CLEAN_TEST(crash_while_an_arena_is_created)
{
	die_in_create("arena.create.filled");
	die_in_create("books.block.filled");
	die_in_create("arena.create.placed");
}

static int find_ended(int parent, void *argument)
{
	const struct plan *plan = argument;
	const struct lend_arena *arena;

	CHILD_CHECK(lend_window_configure(&plan->window) == 0);
	CHILD_CHECK(offer_receive_arena(parent, &arena) == -EUCLEAN);
	CHILD_CHECK(strstr(lend_error_detail(), "magic 0x0"));
	return 0;
}

/* Borrowers keep what they have; nobody gets it any more. */
static void die_in_destroy(const char *point)
{
	struct plan plan = {window_small(1, getpid()), point, 1, false, true};
	struct child owner = child_start(own_and_die, &plan);
	struct child early = child_start(borrow, &plan);
	struct child late;
	struct offer offer;

	CU_ASSERT_TRUE_FATAL(offer_receive(owner.sock, &offer));
	CU_ASSERT_TRUE(offer_send(early.sock, &offer));
	CU_ASSERT_TRUE(child_await(early.sock));
	CU_ASSERT_TRUE(child_tell(owner.sock));
	CU_ASSERT_EQUAL(child_end(&owner), CHILD_SIGNAL + SIGKILL);
	late = child_start(find_ended, &plan);
	CU_ASSERT_TRUE(offer_send(late.sock, &offer));
	CU_ASSERT_EQUAL(child_end(&late), 0);
	offer_drop(&offer);
	CU_ASSERT_TRUE(child_tell(early.sock));
	CU_ASSERT_EQUAL(child_end(&early), 0);
	CU_ASSERT_EQUAL(child_run(find_free, &plan), 0);
}

CLEAN_TEST(crash_while_an_arena_is_destroyed)
{
	die_in_destroy("arena.destroy.cleared");
	die_in_destroy("arena.destroy.unmapped");
}

static const struct suite_test tests[] = {
	SUITE_TEST(crash_while_a_root_s_entry_is_filled),
	SUITE_TEST(crash_before_a_root_is_published),
	SUITE_TEST(crash_while_a_root_is_unset),
	SUITE_TEST(crash_while_memory_is_committed),
	SUITE_TEST(crash_while_memory_is_given_back),
	SUITE_TEST(crash_while_an_extent_is_split),
	SUITE_TEST(crash_while_extents_are_merged),
	SUITE_TEST(crash_while_the_books_grow),
	SUITE_TEST(crash_while_an_arena_is_created),
	SUITE_TEST(crash_while_an_arena_is_destroyed),
};

SUITE_MAIN("arena_crash", tests)
