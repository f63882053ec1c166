/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a borrower may do with an arena on the alloc floor: read. Everything else is refused with
 * EPERM, frees are counted (a build with checks aborts on them), and the owner sees none of it.
 */
#include <signal.h>

#include "support/child.h"
#include "support/heap.h"
#include "support/leaks.h"
#include "support/offer.h"
#include "support/suite.h"

struct task {
	void (*free_it)(struct lend_arena *arena, void *object);
};

/* A borrower: it is sent the arena, then the address of an object in it. */
static struct lend_arena *borrow(int parent, void **out_object)
{
	const struct lend_arena *arena = NULL;
	long long at = 0;

	CHILD_CHECK(offer_receive_arena(parent, &arena) == 0);
	CHILD_CHECK(child_await_number(parent, &at));
	*out_object = (void *)(uintptr_t)at;
	CHILD_CHECK(lend_arena_of(*out_object) == arena);
	CHILD_CHECK(heap_is_filled(*out_object, 100, 1));
	return lend_arena_of(*out_object);
}

static int be_refused(int parent, void *argument)
{
	struct lend_arena_stats stats = {.struct_bytes = sizeof(stats)};
	struct lend_class_stats of_class;
	struct lend_cache *cache = NULL;
	struct lend_arena *own = NULL;
	void *made[2] = {NULL, NULL};
	struct lend_arena *arena;
	void *object;

	(void)argument;
	arena = borrow(parent, &object);
#define REFUSED(call)                                                                          \
	do {                                                                                   \
		errno = 0;                                                                     \
		CHILD_CHECK(!(call));                                                          \
		CHILD_CHECK(errno == EPERM);                                                   \
		CHILD_CHECK(strstr(lend_error_detail(), "borrowed"));                          \
	} while (0)
	REFUSED(lend_alloc(arena, 64));
	REFUSED(lend_alloc_zeroed(arena, 100000));
	REFUSED(lend_alloc_aligned(arena, 64, 64));
	REFUSED(lend_realloc(arena, object, 1000));
	REFUSED(lend_alloc_batch(arena, 64, made, 2));
	CHILD_CHECK(lend_usable_bytes(arena, object) == 0);
	CHILD_CHECK(lend_cache_open(arena, &cache) == -EPERM && !cache);
	CHILD_CHECK(lend_arena_purge(arena) == -EPERM);
	CHILD_CHECK(lend_arena_stats(arena, &stats) == -EPERM);
	CHILD_CHECK(lend_arena_class_stats(arena, 0, &of_class) == -EPERM);
	CHILD_CHECK(lend_arena_destroy(arena) == -EPERM);
	CHILD_CHECK(lend_forked_call_count() == 0);

	/* Beside an arena of its own, whose pointers the borrowed one does not take. */
	CHILD_CHECK(lend_arena_create(NULL, &own) == 0);
	made[0] = lend_alloc(own, 100);
	CHILD_CHECK(made[0] && lend_arena_of(made[0]) == own);
	REFUSED(lend_alloc(arena, 64));
	lend_free(own, made[0]);
	CHILD_CHECK(lend_arena_destroy(own) == 0);
	CHILD_CHECK(heap_is_filled(object, 100, 1));
	return 0;
}

static void free_plain(struct lend_arena *arena, void *object)
{
	lend_free(arena, object);
}

static void free_by_size(struct lend_arena *arena, void *object)
{
	lend_free_sized(arena, object, 100);
}

static void free_by_alignment(struct lend_arena *arena, void *object)
{
	lend_free_sized_aligned(arena, object, 100, 8);
}

static void free_by_address(struct lend_arena *arena, void *object)
{
	(void)arena;
	lend_free_batch(lend_arena_of(object), &object, 1);
}

static void free_into_own(struct lend_arena *arena, void *object)
{
	struct lend_arena *own = NULL;

	(void)arena;
	CHILD_CHECK(lend_arena_create(NULL, &own) == 0);
	lend_free(own, lend_alloc(own, 100));
	lend_free_sized(own, object, 100);
	CHILD_CHECK(lend_alloc(own, 100) != object);
	CHILD_CHECK(heap_stats(own).foreign_frees == 1);
	arena->foreign_frees.raw++; /* what the caller looks for */
	CHILD_CHECK(lend_arena_destroy(own) == 0);
}

static int free_borrowed(int parent, void *argument)
{
	const struct task *task = argument;
	struct lend_arena *arena;
	void *object;

	heap_no_core();
	arena = borrow(parent, &object);
	task->free_it(arena, object);
	CHILD_CHECK(lend_load_relaxed64(&arena->foreign_frees) == 1);
	CHILD_CHECK(heap_is_filled(object, 100, 1));
	return 0;
}

/* Run a borrower on an arena with one object; the owner's side is unchanged after. */
static int lend_to(int (*run)(int parent, void *argument), void *argument)
{
	struct child child = child_start(run, argument);
	struct lend_arena *arena = NULL;
	uint64_t cached;
	void *object;
	int status;

	CU_ASSERT_EQUAL_FATAL(lend_arena_create(NULL, &arena), 0);
	object = lend_alloc(arena, 100);
	CU_ASSERT_PTR_NOT_NULL_FATAL(object);
	heap_fill(object, 100, 1);
	cached = heap_stats(arena).cached_count;
	CU_ASSERT(offer_send_arena(child.sock, arena));
	CU_ASSERT(child_tell_number(child.sock, (long long)(uintptr_t)object));
	status = child_end(&child);

	CU_ASSERT(heap_is_filled(object, 100, 1));
	CU_ASSERT_EQUAL(heap_stats(arena).live_count, 1);
	CU_ASSERT_EQUAL(heap_stats(arena).cached_count, cached);
	CU_ASSERT_EQUAL(heap_stats(arena).foreign_frees, 0);
	lend_free(arena, object);
	CU_ASSERT_EQUAL(lend_arena_destroy(arena), 0);
	return status;
}

CLEAN_TEST(borrower_reads_and_is_refused_all_else)
{
	CU_ASSERT_EQUAL(lend_to(be_refused, NULL), 0);
}

CLEAN_TEST(frees_of_a_borrower_change_nothing)
{
	static const struct task tasks[] = {
		{free_plain},
		{free_by_size},
		{free_by_alignment},
		{free_by_address},
		{free_into_own},
	};
	size_t i;

	for (i = 0; i < HEAP_COUNT(tasks); i++) {
		int status = lend_to(free_borrowed, (void *)(uintptr_t)&tasks[i]);

#ifdef LEND_CHECKS
		CU_ASSERT_EQUAL(status, CHILD_SIGNAL + SIGABRT);
#else
		CU_ASSERT_EQUAL(status, 0);
#endif
	}
}

static const struct suite_test tests[] = {
	SUITE_TEST(borrower_reads_and_is_refused_all_else),
	SUITE_TEST(frees_of_a_borrower_change_nothing),
};

SUITE_MAIN("borrowed_alloc", tests)
