/* SPDX-License-Identifier: Apache-2.0 */
/* Random operations on strings in an arena against std::string; compiled as C++17. */
#include <string>
#include <string_view>

#include <lendheap/string.h>

#include "support/heap.h"
#include "support/suite.h"
#include "support/tools.h"

static uint64_t seed;
static struct lend_arena *arena;

enum { STRINGS = 8, BYTES_MAX = 60000 };

struct subject {
	struct lend_string_shm *ours;
	std::string model;
};

static lend_view random_view(uint64_t *state, char *bytes, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		bytes[i] = (char)heap_draw(state);
	return lend_view_make(bytes, count);
}

/* Some part of a string, which may be the one that is written. */
static lend_view random_part(uint64_t *state, const struct subject &from, std::string *out_copy)
{
	size_t at = (size_t)(heap_draw(state) % (from.model.size() + 1));
	size_t count = (size_t)(heap_draw(state) % (from.model.size() - at + 1));

	*out_copy = from.model.substr(at, count);
	return lend_view_make(lend_string_data(from.ours) + at, count);
}

/* A part by one of the other string, or by nothing; at times to the end and beyond. */
static int replace(uint64_t *state, struct subject &s, const struct subject &other)
{
	size_t at = (size_t)(heap_draw(state) % (s.model.size() + 1));
	size_t count = (size_t)(heap_draw(state) % (s.model.size() - at + 2));
	std::string copy;
	lend_view view;

	if (heap_draw(state) % 3 == 0) {
		lend_string_erase(s.ours, at, count);
		s.model.erase(at, count);
		return 0;
	}
	view = random_part(state, other, &copy);
	s.model.replace(at, count, copy);
	return lend_string_replace(s.ours, arena, at, count, view);
}

static void step(uint64_t *state, struct subject &s, const struct subject &other)
{
	uint64_t kind = heap_draw(state) % 100;
	/* Mostly around the inline limit, at times far beyond it. */
	size_t count = (size_t)(heap_draw(state) % (kind % 10 ? 30 : 3000));
	char bytes[3000];
	std::string copy;
	lend_view view;
	int err = 0;

	if (s.model.size() > BYTES_MAX)
		kind = 99;
	if (kind < 30) {
		view = random_view(state, bytes, count);
		s.model.append(view.at, view.bytes);
		err = lend_string_append(s.ours, arena, view);
	} else if (kind < 50) {
		view = random_view(state, bytes, count);
		s.model.assign(view.at, view.bytes);
		err = lend_string_set(s.ours, arena, view);
	} else if (kind < 60) {
		view = random_part(state, other, &copy);
		s.model += copy;
		err = lend_string_append(s.ours, arena, view);
	} else if (kind < 65) {
		view = random_part(state, other, &copy);
		s.model = copy;
		err = lend_string_set(s.ours, arena, view);
	} else if (kind < 75) {
		err = replace(state, s, other);
	} else if (kind < 80) {
		err = lend_string_reserve(s.ours, arena, count * 2);
		CU_ASSERT_TRUE(lend_string_capacity(s.ours) >= count * 2);
	} else if (kind < 88) {
		err = lend_string_shrink(s.ours, arena);
	} else if (kind < 94) {
		s.model.resize(s.model.size() < count ? s.model.size() : count);
		lend_string_truncate(s.ours, count);
	} else if (kind < 98) {
		struct lend_string_shm *moved =
			(struct lend_string_shm *)lend_alloc(arena, sizeof(*moved));

		CU_ASSERT_PTR_NOT_NULL_FATAL(moved);
		lend_string_move(moved, s.ours);
		lend_free_sized(arena, s.ours, sizeof(*moved));
		s.ours = moved;
	} else {
		s.model.clear();
		lend_string_clear(s.ours);
	}
	CU_ASSERT_EQUAL_FATAL(err, 0);
}

static int equals(const struct subject &s)
{
	lend_view view = lend_string_view(s.ours);

	return lend_string_check(s.ours, arena) == 0 &&
	       std::string_view(view.at, view.bytes) == s.model && view.at[view.bytes] == 0;
}

static void strings_do_as_the_model_does(void)
{
	struct subject subjects[STRINGS];
	uint64_t state = seed;
	int steps = under_slow_tool() ? 30000 : 200000;
	int i;

	for (struct subject &s : subjects) {
		s.ours = (struct lend_string_shm *)lend_alloc_zeroed(arena, sizeof(*s.ours));
		CU_ASSERT_PTR_NOT_NULL_FATAL(s.ours);
	}
	for (i = 0; i < steps; i++) {
		struct subject &s = subjects[heap_draw(&state) % STRINGS];
		const struct subject &other = subjects[heap_draw(&state) % STRINGS];
		int order;

		step(&state, s, other);
		order = s.model.compare(other.model);
		CU_ASSERT_TRUE_FATAL(equals(s));
		CU_ASSERT_EQUAL(lend_string_equal(s.ours, other.ours), order == 0);
		CU_ASSERT_EQUAL(lend_string_compare(s.ours, other.ours) < 0, order < 0);
	}
	for (struct subject &s : subjects) {
		CU_ASSERT_TRUE(equals(s));
		lend_string_fini(s.ours, arena);
		lend_free_sized(arena, s.ours, sizeof(*s.ours));
	}
	CU_ASSERT_EQUAL(heap_stats(arena).live_count, 0);
}

static const struct suite_test tests[] = {
	SUITE_TEST(strings_do_as_the_model_does),
};

int main(int argc, char **argv)
{
	int status;

	seed = heap_seed(argc, argv);
	if (lend_arena_create(nullptr, &arena))
		return EXIT_FAILURE;
	status = suite_run("string_model", tests, HEAP_COUNT(tests), 1, argv);
	return lend_arena_destroy(arena) ? EXIT_FAILURE : status;
}
