/* SPDX-License-Identifier: Apache-2.0 */
/* Random operations on both sides of a ring against std::deque; compiled as C++17. */
#include <cerrno>
#include <deque>

#include <lendheap/arena.h>

#define LEND_RING      numbers
#define LEND_RING_TYPE uint64_t
#include <lendheap/ring.h>

#include "support/heap.h"
#include "support/suite.h"
#include "support/tools.h"

static uint64_t seed;
static struct lend_arena *arena;

enum { BATCH_MAX = 40 };

struct subject {
	struct numbers *ring;
	struct numbers_writer writer;
	struct numbers_reader reader;
	uint64_t capacity;
	std::deque<uint64_t> model;
};

static void put_batch(uint64_t *state, struct subject &s)
{
	uint64_t elements[BATCH_MAX];
	uint64_t count = heap_draw(state) % BATCH_MAX;
	uint64_t room = s.capacity - s.model.size();
	int64_t put;

	for (uint64_t &element : elements)
		element = heap_draw(state);
	put = numbers_try_put_batch(&s.writer, elements, count);
	CU_ASSERT_EQUAL_FATAL(put, (int64_t)(count < room ? count : room));
	s.model.insert(s.model.end(), elements, elements + put);
}

static void take_batch(uint64_t *state, struct subject &s)
{
	uint64_t elements[BATCH_MAX];
	uint64_t count = heap_draw(state) % BATCH_MAX;
	int64_t taken = numbers_try_take_batch(&s.reader, elements, count);
	int64_t i;

	CU_ASSERT_EQUAL_FATAL(
		taken, (int64_t)(count < s.model.size() ? count : s.model.size()));
	for (i = 0; i < taken; i++) {
		CU_ASSERT_EQUAL(elements[i], s.model.front());
		s.model.pop_front();
	}
}

static void step(uint64_t *state, struct subject &s)
{
	uint64_t bytes = numbers_bytes(s.capacity);
	uint64_t value = heap_draw(state);
	uint64_t taken;

	switch (heap_draw(state) % 9) {
	case 0:
	case 1:
	case 2:
		if (s.model.size() == s.capacity) {
			CU_ASSERT_EQUAL(numbers_try_put(&s.writer, value), -EAGAIN);
		} else {
			CU_ASSERT_EQUAL(numbers_try_put(&s.writer, value), 0);
			s.model.push_back(value);
		}
		break;
	case 3:
	case 4:
	case 5:
		if (s.model.empty()) {
			CU_ASSERT_EQUAL(numbers_try_take(&s.reader, &taken), -EAGAIN);
		} else {
			CU_ASSERT_EQUAL(numbers_try_take(&s.reader, &taken), 0);
			CU_ASSERT_EQUAL(taken, s.model.front());
			s.model.pop_front();
		}
		break;
	case 6:
		put_batch(state, s);
		break;
	case 7:
		take_batch(state, s);
		break;
	default: /* a side ends, and another begins */
		CU_ASSERT_EQUAL_FATAL(value % 2 ? numbers_open_writer(s.ring, bytes, &s.writer)
						: numbers_open_reader(s.ring, bytes, &s.reader),
			0);
	}
	CU_ASSERT_EQUAL(numbers_count(s.ring), s.model.size());
	CU_ASSERT_EQUAL(numbers_is_full(&s.writer) != 0, s.model.size() == s.capacity);
	CU_ASSERT_EQUAL(numbers_is_empty(&s.reader) != 0, s.model.empty());
	CU_ASSERT_EQUAL_FATAL(numbers_check(s.ring, bytes), 0);
}

static void rings_do_as_the_model_does(void)
{
	uint64_t state = seed;
	int steps = under_slow_tool() ? 5000 : 50000;
	uint64_t capacity;
	int i;

	for (capacity = 1; capacity <= 64; capacity *= 2) {
		struct subject s = {};

		s.capacity = capacity;
		CU_ASSERT_EQUAL_FATAL(numbers_create(arena, capacity, &s.ring), 0);
		CU_ASSERT_EQUAL_FATAL(
			numbers_open_writer(s.ring, numbers_bytes(capacity), &s.writer), 0);
		CU_ASSERT_EQUAL_FATAL(
			numbers_open_reader(s.ring, numbers_bytes(capacity), &s.reader), 0);
		for (i = 0; i < steps; i++)
			step(&state, s);
		numbers_destroy(s.ring, arena);
	}
	CU_ASSERT_EQUAL(heap_stats(arena).live_count, 0);
}

static const struct suite_test tests[] = {
	SUITE_TEST(rings_do_as_the_model_does),
};

int main(int argc, char **argv)
{
	int status;

	seed = heap_seed(argc, argv);
	if (lend_arena_create(nullptr, &arena))
		return EXIT_FAILURE;
	status = suite_run("ring_model", tests, HEAP_COUNT(tests), 1, argv);
	return lend_arena_destroy(arena) ? EXIT_FAILURE : status;
}
