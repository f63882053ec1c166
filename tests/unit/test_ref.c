/* SPDX-License-Identifier: Apache-2.0 */
/*
 * References: objects named by value, checked in full when they are resolved.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <lendheap/alloc.h>
#include <lendheap/error.h>

#include "support/leaks.h"
#include "support/suite.h"
#include "support/window.h"

static struct lend_arena *make_arena(const char *name)
{
	struct lend_arena *arena = NULL;

	CU_ASSERT_EQUAL_FATAL(
		lend_arena_create(&(struct lend_arena_options){.name = name}, &arena), 0);
	return arena;
}

CLEAN_TEST(ref_resolves_to_what_it_was_made_of)
{
	struct lend_arena *arena = make_arena("refs");
	char *object = lend_alloc(arena, 100);
	const void *found = NULL;
	lend_ref ref;

	CU_ASSERT_EQUAL_FATAL(lend_ref_make(arena, object, &ref), 0);
	CU_ASSERT_FALSE(lend_ref_is_null(ref));
	CU_ASSERT_EQUAL(lend_ref_resolve(arena, ref, 100, &found), 0);
	CU_ASSERT_PTR_EQUAL(found, object);
	CU_ASSERT_EQUAL(lend_ref_resolve(arena, lend_ref_add(ref, 60), 40, &found), 0);
	CU_ASSERT_PTR_EQUAL(found, object + 60);
	CU_ASSERT_PTR_EQUAL(lend_ref_arena(ref), arena);
	CU_ASSERT_EQUAL(lend_arena_destroy(arena), 0);
}

CLEAN_TEST(ref_to_what_is_not_there_is_refused)
{
	struct lend_arena *arena = make_arena("one");
	struct lend_arena *other = make_arena("other");
	const void *found = arena;
	lend_ref ref;
	lend_ref bent;
	int local = 0;

	CU_ASSERT_EQUAL(lend_ref_make(arena, &local, &ref), -EXDEV);
	CU_ASSERT_EQUAL(lend_ref_make(arena, lend_alloc(other, 8), &ref), -EXDEV);
	CU_ASSERT_EQUAL_FATAL(lend_ref_make(arena, lend_alloc(arena, 8), &ref), 0);

	CU_ASSERT_EQUAL(lend_ref_resolve(other, ref, 8, &found), -EXDEV);
	CU_ASSERT_EQUAL(lend_ref_resolve(arena, lend_ref_null(), 8, &found), -EINVAL);
	CU_ASSERT_EQUAL(lend_ref_resolve(arena, ref, UINT64_MAX, &found), -EXDEV);
	CU_ASSERT_EQUAL(lend_ref_resolve(arena, ref, UINT64_C(4) << 30, &found), -EXDEV);
	/* Inside the reservation, but the file does not reach there yet. */
	CU_ASSERT_EQUAL(lend_ref_resolve(arena, lend_ref_add(ref, INT64_C(3) << 30), 8, &found),
		-EUCLEAN);
	/* The arena's header is no object. */
	CU_ASSERT_EQUAL(
		lend_ref_resolve(arena, lend_ref_add(ref, -(INT64_C(1) << 20)), 8, &found),
		-EXDEV);
	bent = ref;
	bent.life++;
	CU_ASSERT_EQUAL(lend_ref_resolve(arena, bent, 8, &found), -ESTALE);
	CU_ASSERT_PTR_NULL(lend_ref_arena(bent));
	CU_ASSERT_PTR_NULL(lend_ref_arena(lend_ref_null()));
	CU_ASSERT_PTR_EQUAL(found, arena); /* untouched by all of it */
	CU_ASSERT_EQUAL(lend_arena_destroy(other), 0);
	CU_ASSERT_EQUAL(lend_arena_destroy(arena), 0);
}

/* The window has two slots, so of two arenas one lies where the first one lay. */
CLEAN_TEST(ref_does_not_name_the_next_arena_of_its_slot)
{
	struct lend_arena *arena = make_arena("first");
	char *object = lend_alloc(arena, 64);
	const void *found = NULL;
	struct lend_arena *others[2];
	lend_ref ref;
	int i;

	CU_ASSERT_EQUAL_FATAL(lend_ref_make(arena, object, &ref), 0);
	CU_ASSERT_EQUAL_FATAL(lend_arena_destroy(arena), 0);
	CU_ASSERT_EQUAL(lend_ref_resolve(arena, ref, 64, &found), -ESTALE);

	others[0] = make_arena("next");
	others[1] = make_arena("other");
	arena = lend_arena_of(object);
	CU_ASSERT_PTR_NOT_NULL_FATAL(arena);
	CU_ASSERT_PTR_EQUAL(lend_alloc(arena, 64), object);
	CU_ASSERT_EQUAL(lend_ref_resolve(arena, ref, 64, &found), -ESTALE);
	CU_ASSERT_PTR_NULL(lend_ref_arena(ref));
	CU_ASSERT_PTR_NULL(found);
	for (i = 0; i < 2; i++)
		CU_ASSERT_EQUAL(lend_arena_destroy(others[i]), 0);
}

int main(int argc, char **argv)
{
	static const struct suite_test tests[] = {
		SUITE_TEST(ref_does_not_name_the_next_arena_of_its_slot),
		SUITE_TEST(ref_resolves_to_what_it_was_made_of),
		SUITE_TEST(ref_to_what_is_not_there_is_refused),
	};
	struct lend_window window = window_small(2, getpid());

	if (lend_window_configure(&window))
		return EXIT_FAILURE;
	return suite_run("ref", tests, sizeof(tests) / sizeof(tests[0]), argc, argv);
}
