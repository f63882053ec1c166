/* SPDX-License-Identifier: Apache-2.0 */
/* Scopes: the arena of code that names none, and frees that go where the address says. */
#include "support/suite.h"

#include <errno.h>
#include <pthread.h>

#include "support/heap.h"

#include <lendheap/scope.h>
#include <lendheap/window.h>

static struct lend_arena *make_arena(void)
{
	struct lend_arena *arena = NULL;

	CU_ASSERT_EQUAL_FATAL(lend_arena_create(NULL, &arena), 0);
	return arena;
}

static void allocation_outside_of_a_scope_fails_and_says_so(void)
{
	CU_ASSERT_PTR_NULL(lend_scope_arena());
	errno = 0;
	CU_ASSERT_PTR_NULL(lend_scope_alloc(24, 8));
	CU_ASSERT_EQUAL(errno, EINVAL);
	CU_ASSERT_PTR_NOT_NULL(strstr(lend_error_detail(), "24 bytes"));
	CU_ASSERT_PTR_NOT_NULL(strstr(lend_error_detail(), "outside of any scope"));
}

static void scopes_nest_and_each_allocates_in_its_arena(void)
{
	struct lend_arena *one = make_arena();
	struct lend_arena *two = make_arena();
	struct lend_arena *before = lend_scope_enter(one);
	struct lend_arena *outer;
	void *objects[4];

	CU_ASSERT_PTR_NULL(before);
	objects[0] = lend_scope_alloc(40, 8);
	outer = lend_scope_enter(two);
	CU_ASSERT_PTR_EQUAL(outer, one);
	CU_ASSERT_PTR_EQUAL(lend_scope_arena(), two);
	objects[1] = lend_scope_alloc(40, 8);
	(void)lend_scope_enter(NULL);
	CU_ASSERT_PTR_NULL(lend_scope_alloc(40, 8));
	lend_scope_leave(two);
	objects[2] = lend_scope_alloc(40, 8);
	lend_scope_leave(outer);
	objects[3] = lend_scope_alloc(40, 8);
	lend_scope_leave(before);
	CU_ASSERT_PTR_NULL(lend_scope_arena());
	CU_ASSERT_PTR_EQUAL(lend_arena_of(objects[0]), one);
	CU_ASSERT_PTR_EQUAL(lend_arena_of(objects[1]), two);
	CU_ASSERT_PTR_EQUAL(lend_arena_of(objects[2]), two);
	CU_ASSERT_PTR_EQUAL(lend_arena_of(objects[3]), one);
	CU_ASSERT_EQUAL(lend_arena_destroy(one), 0);
	CU_ASSERT_EQUAL(lend_arena_destroy(two), 0);
}

static void objects_lie_at_their_alignment_and_free_by_address(void)
{
	static const size_t alignments[] = {1, 2, 4, 8, 16, 32, 64, 256, 4096, 1 << 16};
	struct lend_arena *arena = make_arena();
	struct lend_arena *outer = lend_scope_enter(arena);
	size_t bytes;
	size_t i;
	int turn;

	for (turn = 0; turn < 3; turn++)
		for (i = 0; i < HEAP_COUNT(alignments); i++)
			for (bytes = 0; bytes < 40000; bytes = bytes * 3 / 2 + 1) {
				void *object = lend_scope_alloc(bytes, alignments[i]);

				CU_ASSERT_PTR_NOT_NULL_FATAL(object);
				CU_ASSERT_EQUAL((uintptr_t)object % alignments[i], 0);
				CU_ASSERT(lend_usable_bytes(arena, object) >= bytes);
				heap_fill(object, bytes, i);
				lend_free_any(object, bytes, alignments[i]);
			}
	lend_scope_leave(outer);
	CU_ASSERT_EQUAL(heap_stats(arena).live_count, 0);
	CU_ASSERT_EQUAL(heap_stats(arena).foreign_frees, 0);
	CU_ASSERT_EQUAL(lend_arena_destroy(arena), 0);
}

static void bad_alignment_is_refused(void)
{
	struct lend_arena *arena = make_arena();
	struct lend_arena *outer = lend_scope_enter(arena);

	CU_ASSERT_PTR_NULL(lend_scope_alloc(8, 0));
	CU_ASSERT_EQUAL(errno, EINVAL);
	CU_ASSERT_PTR_NULL(lend_scope_alloc(8, 3));
	CU_ASSERT_PTR_NULL(lend_scope_alloc(8, 12));
	lend_scope_leave(outer);
	CU_ASSERT_EQUAL(lend_arena_destroy(arena), 0);
}

static void free_in_the_second_slot_of_a_large_arena_finds_it(void)
{
	struct lend_arena_options options = {.reservation_bytes = UINT64_C(6) << 30};
	struct lend_arena *arena = NULL;
	void *objects[2];

	if (lend_window_current().slot_count < 64)
		return; /* TSan's window has no room to spare */
	CU_ASSERT_EQUAL_FATAL(lend_arena_create(&options, &arena), 0);
	objects[0] = lend_alloc(arena, (size_t)3700 << 20);
	objects[1] = lend_alloc(arena, (size_t)1 << 30);
	CU_ASSERT_PTR_NOT_NULL(objects[0]);
	CU_ASSERT_PTR_NOT_NULL(objects[1]);
	lend_free_any(objects[0], (size_t)3700 << 20, 8);
	lend_free_any(objects[1], (size_t)1 << 30, 8);
	CU_ASSERT_EQUAL(heap_stats(arena).live_count, 0);
	CU_ASSERT_EQUAL(lend_arena_destroy(arena), 0);
}

static void null_is_freed_in_silence(void)
{
	uint64_t before = lend_foreign_free_count();

	lend_free_any(NULL, 8, 8);
	lend_free_any(NULL, 8, 64);
	CU_ASSERT_EQUAL(lend_foreign_free_count(), before);
}

static void free_of_foreign_memory_is_counted_and_changes_nothing(void)
{
#ifndef LEND_CHECKS
	uint64_t before = lend_foreign_free_count();
	char *heap = malloc(64);

	lend_free_any(heap, 64, 8);
	CU_ASSERT_EQUAL(lend_foreign_free_count(), before + 1);
	memset(heap, 1, 64);
	free(heap);
#endif
}

static void *see_no_scope(void *context)
{
	(void)context;
	return lend_scope_arena();
}

static void new_thread_has_no_scope(void)
{
	struct lend_arena *arena = make_arena();
	struct lend_arena *outer = lend_scope_enter(arena);
	void *seen = arena;
	pthread_t thread;

	CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, see_no_scope, NULL), 0);
	CU_ASSERT_EQUAL(pthread_join(thread, &seen), 0);
	CU_ASSERT_PTR_NULL(seen);
	lend_scope_leave(outer);
	CU_ASSERT_EQUAL(lend_arena_destroy(arena), 0);
}

static void child_allocates(void *context)
{
	CHILD_REQUIRE(lend_scope_arena() == context);
	CHILD_REQUIRE(lend_scope_alloc(64, 8) == NULL);
	CHILD_REQUIRE(errno == EPERM);
}

static void forked_child_is_refused_in_its_parents_scope(void)
{
	struct lend_arena_options options = {.reservation_bytes = HEAP_FORKED_BYTES};
	struct lend_arena *arena = NULL;
	struct lend_arena *outer;

	CU_ASSERT_EQUAL_FATAL(lend_arena_create(&options, &arena), 0);
	outer = lend_scope_enter(arena);
	CU_ASSERT_EQUAL(heap_in_child(child_allocates, arena), 0);
	lend_scope_leave(outer);
	CU_ASSERT_EQUAL(lend_arena_destroy(arena), 0);
}

static void scope_of_a_destroyed_arena_allocates_nothing(void)
{
	struct lend_arena *arena = make_arena();
	struct lend_arena *outer = lend_scope_enter(arena);

	CU_ASSERT_EQUAL(lend_arena_destroy(arena), 0);
	CU_ASSERT_PTR_NULL(lend_scope_alloc(64, 8));
	CU_ASSERT_EQUAL(errno, ESTALE);
	lend_scope_leave(outer);
}

static const struct suite_test tests[] = {
	SUITE_TEST(allocation_outside_of_a_scope_fails_and_says_so),
	SUITE_TEST(scopes_nest_and_each_allocates_in_its_arena),
	SUITE_TEST(objects_lie_at_their_alignment_and_free_by_address),
	SUITE_TEST(bad_alignment_is_refused),
	SUITE_TEST(free_in_the_second_slot_of_a_large_arena_finds_it),
	SUITE_TEST(null_is_freed_in_silence),
	SUITE_TEST(free_of_foreign_memory_is_counted_and_changes_nothing),
	SUITE_TEST(new_thread_has_no_scope),
	SUITE_TEST(forked_child_is_refused_in_its_parents_scope),
	SUITE_TEST(scope_of_a_destroyed_arena_allocates_nothing),
};

SUITE_MAIN("scope", tests)
