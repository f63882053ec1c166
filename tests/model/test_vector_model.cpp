/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random operations on vectors in an arena against std::vector, of numbers and of strings that
 * a callback moves; compiled as C++17.
 */
#include <string>
#include <string_view>
#include <vector>

#include <lendheap/string.h>

#define LEND_VECTOR      numbers
#define LEND_VECTOR_TYPE uint64_t
#include <lendheap/vector.h>

#define LEND_VECTOR                      names
#define LEND_VECTOR_TYPE                 struct lend_string_shm
#define LEND_VECTOR_MOVE(to, from)       lend_string_move(to, from)
#define LEND_VECTOR_FINI(arena, element) lend_string_fini(element, arena)
#include <lendheap/vector.h>

#include "support/heap.h"
#include "support/suite.h"
#include "support/tools.h"

static uint64_t seed;
static struct lend_arena *arena;

static int steps(void)
{
	return under_slow_tool() ? 20000 : 200000;
}

/* Which operation, by weight; growing and shrinking phases follow each other. */
enum operation {
	PUSH,
	EMPLACE,
	APPEND,
	INSERT,
	POP,
	ERASE,
	UNORDERED,
	RESIZE,
	RESERVE,
	SHRINK,
	CLEAR
};

static enum operation draw_operation(uint64_t *state, int i)
{
	uint64_t kind = heap_draw(state) % 1000;
	bool grows = i / 4096 % 2 == 0;

	if (kind < (grows ? 500u : 150u))
		return kind % 3 ? PUSH : EMPLACE;
	if (kind < (grows ? 510u : 155u))
		return APPEND;
	if (kind < (grows ? 600u : 250u))
		return INSERT;
	if (kind < (grows ? 800u : 700u))
		return POP;
	if (kind < 850)
		return ERASE;
	if (kind < 960)
		return UNORDERED;
	if (kind < 975)
		return RESIZE;
	if (kind < 985)
		return RESERVE;
	return kind < 998 ? SHRINK : CLEAR;
}

/* Some of others, or of its own. */
static void append_numbers(uint64_t *state, struct numbers *ours, std::vector<uint64_t> &model)
{
	bool own = heap_draw(state) % 2;
	uint64_t at = own ? heap_draw(state) % (model.size() + 1) : 0;
	uint64_t count = heap_draw(state) % 100;
	std::vector<uint64_t> many(count, heap_draw(state));

	if (own && count > model.size() - at)
		count = model.size() - at;
	if (own)
		many.assign(
			model.begin() + (ptrdiff_t)at, model.begin() + (ptrdiff_t)(at + count));
	CU_ASSERT_EQUAL(
		numbers_append(ours, arena, own ? numbers_data(ours) + at : many.data(), count),
		0);
	model.insert(model.end(), many.begin(), many.end());
}

static void step_numbers(
	uint64_t *state, int i, struct numbers *ours, std::vector<uint64_t> &model)
{
	uint64_t value = heap_draw(state);
	uint64_t at = value % (model.size() + 1);
	enum operation operation = draw_operation(state, i);
	uint64_t *place;

	if (model.empty() && (operation == POP || operation == ERASE || operation == UNORDERED))
		operation = PUSH;
	if (at == model.size() && (operation == ERASE || operation == UNORDERED))
		at--;
	switch (operation) {
	case PUSH:
		model.push_back(value);
		CU_ASSERT_EQUAL(numbers_push_back(ours, arena, value), 0);
		break;
	case EMPLACE:
		model.push_back(value);
		place = numbers_emplace(ours, arena);
		CU_ASSERT_PTR_NOT_NULL_FATAL(place);
		*place = value;
		break;
	case APPEND:
		append_numbers(state, ours, model);
		break;
	case INSERT:
		model.insert(model.begin() + (ptrdiff_t)at, value);
		CU_ASSERT_EQUAL(numbers_insert_at(ours, arena, at, value), 0);
		break;
	case POP:
		model.pop_back();
		numbers_pop_back(ours, arena);
		break;
	case ERASE:
		model.erase(model.begin() + (ptrdiff_t)at);
		numbers_erase_at(ours, arena, at);
		break;
	case UNORDERED:
		model[at] = model.back();
		model.pop_back();
		numbers_erase_unordered(ours, arena, at);
		break;
	case RESIZE:
		model.resize(value % 3000);
		CU_ASSERT_EQUAL(numbers_resize(ours, arena, value % 3000), 0);
		break;
	case RESERVE:
		CU_ASSERT_EQUAL(numbers_reserve(ours, arena, value % 6000), 0);
		CU_ASSERT_TRUE(numbers_capacity(ours) >= value % 6000);
		break;
	case SHRINK:
		CU_ASSERT_EQUAL(numbers_shrink(ours, arena), 0);
		break;
	case CLEAR:
		model.clear();
		numbers_clear(ours, arena);
		break;
	}
	CU_ASSERT_EQUAL_FATAL(numbers_count(ours), model.size());
}

static void numbers_do_as_the_model_does(void)
{
	struct numbers *ours = (struct numbers *)lend_alloc_zeroed(arena, sizeof(*ours));
	std::vector<uint64_t> model;
	uint64_t state = seed;
	int i;

	CU_ASSERT_PTR_NOT_NULL_FATAL(ours);
	for (i = 0; i < steps(); i++) {
		step_numbers(&state, i, ours, model);
		CU_ASSERT_EQUAL_FATAL(numbers_check(ours, arena), 0);
		if (i % 16 == 0 && !model.empty())
			CU_ASSERT_EQUAL_FATAL(memcmp(numbers_data(ours), model.data(),
						      model.size() * sizeof(model[0])),
				0);
	}
	numbers_fini(ours, arena);
	lend_free_sized(arena, ours, sizeof(*ours));
	CU_ASSERT_EQUAL(heap_stats(arena).live_count, 0);
}

static std::string random_name(uint64_t *state)
{
	uint64_t draw = heap_draw(state);

	return std::string((size_t)(draw % 40), (char)('a' + draw / 64 % 26));
}

static void set_name(struct lend_string_shm *string, const std::string &name)
{
	lend_string_init(string);
	CU_ASSERT_EQUAL_FATAL(
		lend_string_set(string, arena, lend_view_make(name.data(), name.size())), 0);
}

static void step_names(
	uint64_t *state, int i, struct names *ours, std::vector<std::string> &model)
{
	std::string value = random_name(state);
	uint64_t at = heap_draw(state) % (model.size() + 1);
	enum operation operation = draw_operation(state, i);
	struct lend_string_shm string;
	struct lend_string_shm several[5];
	struct lend_string_shm *place;

	if (model.empty() && (operation == POP || operation == ERASE || operation == UNORDERED))
		operation = PUSH;
	if (at == model.size() && (operation == ERASE || operation == UNORDERED))
		at--;
	switch (operation) {
	case PUSH:
		model.push_back(value);
		set_name(&string, value);
		CU_ASSERT_EQUAL(names_push_back(ours, arena, &string), 0);
		break;
	case EMPLACE:
		model.push_back(value);
		place = names_emplace(ours, arena);
		CU_ASSERT_PTR_NOT_NULL_FATAL(place);
		set_name(place, value);
		break;
	case APPEND:
		for (struct lend_string_shm &one : several) {
			model.push_back(random_name(state));
			set_name(&one, model.back());
		}
		CU_ASSERT_EQUAL(names_append(ours, arena, several, HEAP_COUNT(several)), 0);
		break;
	case INSERT:
		model.insert(model.begin() + (ptrdiff_t)at, value);
		set_name(&string, value);
		CU_ASSERT_EQUAL(names_insert_at(ours, arena, at, &string), 0);
		break;
	case POP:
		model.pop_back();
		names_pop_back(ours, arena);
		break;
	case ERASE:
		model.erase(model.begin() + (ptrdiff_t)at);
		names_erase_at(ours, arena, at);
		break;
	case UNORDERED:
		std::swap(model[at], model.back());
		model.pop_back();
		names_erase_unordered(ours, arena, at);
		break;
	case RESIZE:
		model.resize((size_t)(at / 2 + 20));
		CU_ASSERT_EQUAL(names_resize(ours, arena, at / 2 + 20), 0);
		break;
	case RESERVE:
		CU_ASSERT_EQUAL(names_reserve(ours, arena, at * 2), 0);
		break;
	case SHRINK:
		CU_ASSERT_EQUAL(names_shrink(ours, arena), 0);
		break;
	case CLEAR:
		model.clear();
		names_clear(ours, arena);
		break;
	}
	CU_ASSERT_EQUAL_FATAL(names_count(ours), model.size());
}

static void strings_do_as_the_model_does(void)
{
	struct names *ours = (struct names *)lend_alloc_zeroed(arena, sizeof(*ours));
	std::vector<std::string> model;
	uint64_t state = seed;
	int i;

	CU_ASSERT_PTR_NOT_NULL_FATAL(ours);
	for (i = 0; i < steps() / 2; i++) {
		uint64_t at;

		step_names(&state, i, ours, model);
		CU_ASSERT_EQUAL_FATAL(names_check(ours, arena), 0);
		for (at = 0; i % 128 == 0 && at < model.size(); at++) {
			lend_view view = lend_string_view(names_at(ours, at));

			CU_ASSERT_TRUE_FATAL(
				std::string_view(view.at, view.bytes) == model[at]);
			CU_ASSERT_EQUAL(lend_string_check(names_at(ours, at), arena), 0);
		}
	}
	names_fini(ours, arena);
	lend_free_sized(arena, ours, sizeof(*ours));
	CU_ASSERT_EQUAL(heap_stats(arena).live_count, 0);
}

static const struct suite_test tests[] = {
	SUITE_TEST(numbers_do_as_the_model_does),
	SUITE_TEST(strings_do_as_the_model_does),
};

int main(int argc, char **argv)
{
	int status;

	seed = heap_seed(argc, argv);
	if (lend_arena_create(nullptr, &arena))
		return EXIT_FAILURE;
	status = suite_run("vector_model", tests, HEAP_COUNT(tests), 1, argv);
	return lend_arena_destroy(arena) ? EXIT_FAILURE : status;
}
