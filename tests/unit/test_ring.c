/* SPDX-License-Identifier: Apache-2.0 */
/* Rings: what each side may do, alone and beside the other, and what a hostile word does. */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>

#include <lendheap/arena.h>

struct order {
	uint64_t number;
	uint64_t words[5];
};

#define LEND_RING      orders
#define LEND_RING_TYPE struct order
#include <lendheap/ring.h>

#define LEND_RING      bytes3
#define LEND_RING_TYPE struct triple
struct triple {
	uint8_t bytes[3];
};
#include <lendheap/ring.h>

#include "support/full.h"
#include "support/heap.h"
#include "support/suite.h"
#include "support/tools.h"

static struct lend_arena *arena;

static struct order order(uint64_t number)
{
	struct order o = {number, {0}};

	heap_fill(o.words, sizeof(o.words), number);
	return o;
}

static int is_order(const struct order *o, uint64_t number)
{
	return o->number == number && heap_is_filled(o->words, sizeof(o->words), number);
}

/* A ring and both its sides. */
struct pair {
	struct orders *ring;
	struct orders_writer writer;
	struct orders_reader reader;
};

static struct pair make(uint64_t capacity)
{
	struct pair p = {0};

	CU_ASSERT_EQUAL_FATAL(orders_create(arena, capacity, &p.ring), 0);
	CU_ASSERT_EQUAL_FATAL(orders_open_writer(p.ring, orders_bytes(capacity), &p.writer), 0);
	CU_ASSERT_EQUAL_FATAL(orders_open_reader(p.ring, orders_bytes(capacity), &p.reader), 0);
	return p;
}

static void elements_come_out_in_order_until_empty(void)
{
	struct pair p = make(8);
	struct order o;
	uint64_t i;
	uint64_t n;

	for (n = 0; n < 100; n++) {
		for (i = 0; i < 1 + n % 8; i++)
			CU_ASSERT_EQUAL(orders_try_put(&p.writer, order(n + i)), 0);
		CU_ASSERT_EQUAL(orders_count(p.ring), 1 + n % 8);
		CU_ASSERT_EQUAL(orders_check(p.ring, orders_bytes(8)), 0);
		for (i = 0; i < 1 + n % 8; i++) {
			CU_ASSERT_EQUAL(orders_try_take(&p.reader, &o), 0);
			CU_ASSERT_TRUE(is_order(&o, n + i));
		}
		CU_ASSERT_EQUAL(orders_try_take(&p.reader, &o), -EAGAIN);
		CU_ASSERT_TRUE(orders_is_empty(&p.reader));
		CU_ASSERT_FALSE(orders_is_full(&p.writer));
	}
	orders_destroy(p.ring, arena);
}

static void a_full_ring_takes_no_more(void)
{
	uint64_t capacity;
	struct order o;
	uint64_t i;

	for (capacity = 1; capacity <= 64; capacity *= 2) {
		struct pair p = make(capacity);

		for (i = 0; i < capacity; i++)
			CU_ASSERT_EQUAL(orders_try_put(&p.writer, order(i)), 0);
		CU_ASSERT_EQUAL(orders_try_put(&p.writer, order(i)), -EAGAIN);
		CU_ASSERT_TRUE(orders_is_full(&p.writer));
		CU_ASSERT_EQUAL(orders_count(p.ring), capacity);
		CU_ASSERT_EQUAL(orders_try_take(&p.reader, &o), 0);
		CU_ASSERT_TRUE(is_order(&o, 0));
		CU_ASSERT_FALSE(orders_is_full(&p.writer));
		CU_ASSERT_EQUAL(orders_try_put(&p.writer, order(i)), 0);
		CU_ASSERT_EQUAL(orders_try_put(&p.writer, order(i)), -EAGAIN);
		orders_destroy(p.ring, arena);
	}
}

static void batches_wrap_and_stop_at_what_there_is(void)
{
	struct pair p = make(16);
	struct order in[20];
	struct order out[20];
	uint64_t put = 0;
	uint64_t taken = 0;
	uint64_t round;
	int64_t got;
	int64_t i;

	for (round = 0; round < 300; round++) {
		uint64_t want = round * 7 % 21;
		uint64_t there = 16 - (put - taken);

		for (i = 0; i < 20; i++)
			in[i] = order(put + (uint64_t)i);
		got = orders_try_put_batch(&p.writer, in, want);
		CU_ASSERT_EQUAL(got, (int64_t)(want < there ? want : there));
		put += (uint64_t)got;
		want = round * 5 % 19;
		there = put - taken;
		got = orders_try_take_batch(&p.reader, out, want);
		CU_ASSERT_EQUAL(got, (int64_t)(want < there ? want : there));
		for (i = 0; i < got; i++)
			CU_ASSERT_TRUE(is_order(&out[i], taken + (uint64_t)i));
		taken += (uint64_t)got;
		CU_ASSERT_EQUAL(orders_count(p.ring), put - taken);
	}
	CU_ASSERT_TRUE(put > 300);
	orders_destroy(p.ring, arena);
}

static void a_side_opened_anew_goes_on(void)
{
	struct pair p = make(4);
	struct order o;
	uint64_t i;

	for (i = 0; i < 50; i++) {
		CU_ASSERT_EQUAL(orders_open_writer(p.ring, orders_bytes(4), &p.writer), 0);
		CU_ASSERT_EQUAL(orders_try_put(&p.writer, order(2 * i)), 0);
		CU_ASSERT_EQUAL(orders_try_put(&p.writer, order(2 * i + 1)), 0);
		CU_ASSERT_EQUAL(orders_open_reader(p.ring, orders_bytes(4), &p.reader), 0);
		CU_ASSERT_EQUAL(orders_try_take(&p.reader, &o), 0);
		CU_ASSERT_TRUE(is_order(&o, 2 * i));
		CU_ASSERT_EQUAL(orders_open_reader(p.ring, orders_bytes(4), &p.reader), 0);
		CU_ASSERT_EQUAL(orders_try_take(&p.reader, &o), 0);
		CU_ASSERT_TRUE(is_order(&o, 2 * i + 1));
	}
	orders_destroy(p.ring, arena);
}

/* The two indices run on for ever; here past 2^64. */
static void indices_wrap(void)
{
	struct pair p = make(4);
	struct order o;
	uint64_t i;

	lend_store_relaxed64(&p.ring->shm.head, UINT64_MAX - 5);
	lend_store_relaxed64(&p.ring->shm.tail, UINT64_MAX - 5);
	CU_ASSERT_EQUAL(orders_open_writer(p.ring, orders_bytes(4), &p.writer), 0);
	CU_ASSERT_EQUAL(orders_open_reader(p.ring, orders_bytes(4), &p.reader), 0);
	for (i = 0; i < 20; i++) {
		while (orders_try_put(&p.writer, order(i)) == 0)
			i++;
		CU_ASSERT_EQUAL(orders_count(p.ring), 4);
		CU_ASSERT_EQUAL(orders_try_take(&p.reader, &o), 0);
		CU_ASSERT_TRUE(is_order(&o, i - 4));
		CU_ASSERT_EQUAL(orders_try_put(&p.writer, order(i)), 0);
	}
	CU_ASSERT_TRUE(lend_load_relaxed64(&p.ring->shm.tail) < 100);
	orders_destroy(p.ring, arena);
}

static void a_ring_lies_in_any_memory(void)
{
	static _Alignas(64) unsigned char memory[192 + 3 * 16 + 1];
	struct bytes3 *ring = (struct bytes3 *)(void *)memory;
	struct bytes3_writer writer;
	struct bytes3_reader reader;
	struct triple t = {{1, 2, 3}};
	struct triple got;

	CU_ASSERT_EQUAL(bytes3_bytes(16), sizeof(memory) - 1);
	memory[sizeof(memory) - 1] = 77;
	CU_ASSERT_EQUAL(bytes3_init(ring, 16), 0);
	CU_ASSERT_EQUAL(bytes3_open_writer(ring, sizeof(memory) - 1, &writer), 0);
	CU_ASSERT_EQUAL(bytes3_open_reader(ring, sizeof(memory) - 1, &reader), 0);
	while (bytes3_try_put(&writer, t) == 0)
		t.bytes[0]++;
	CU_ASSERT_EQUAL(memory[sizeof(memory) - 1], 77);
	CU_ASSERT_EQUAL(bytes3_try_take(&reader, &got), 0);
	CU_ASSERT_EQUAL(got.bytes[0], 1);
	CU_ASSERT_EQUAL(bytes3_check(ring, sizeof(memory) - 1), 0);
	CU_ASSERT_EQUAL(bytes3_check(ring, sizeof(memory) - 2), -EUCLEAN);
	CU_ASSERT_EQUAL(
		orders_check((struct orders *)(void *)memory, sizeof(memory)), -EPROTOTYPE);
	CU_ASSERT_EQUAL(bytes3_init((struct bytes3 *)(void *)(memory + 8), 1), -EINVAL);
	CU_ASSERT_EQUAL(bytes3_check((struct bytes3 *)(void *)(memory + 8), 200), -EUCLEAN);
}

static void impossible_rings_are_refused(void)
{
	static const uint64_t capacities[] = {
		0, 3, 6, 1000, UINT64_MAX, LEND_RING_COUNT_MAX * 2};
	struct orders *ring = NULL;
	void *taken;
	size_t i;

	for (i = 0; i < HEAP_COUNT(capacities); i++) {
		CU_ASSERT_EQUAL(orders_bytes(capacities[i]), 0);
		CU_ASSERT_EQUAL(orders_create(arena, capacities[i], &ring), -EINVAL);
	}
	taken = full_take(arena);
	CU_ASSERT_EQUAL(orders_create(arena, 64, &ring), -EDQUOT);
	full_give_back(arena, taken);
	CU_ASSERT_EQUAL(orders_create(arena, UINT64_C(1) << 30, &ring), -ENOMEM);
	CU_ASSERT_PTR_NULL(ring);
}

static void damaged_rings_are_refused(void)
{
	struct pair p = make(8);
	uint64_t bytes = orders_bytes(8);
	struct orders_writer writer;
	struct orders_reader reader;
	_Alignas(64) unsigned char zero[256] = {0};

	CU_ASSERT_EQUAL(orders_check((struct orders *)(void *)zero, sizeof(zero)), -EUCLEAN);
	CU_ASSERT_EQUAL(orders_check(p.ring, 100), -EUCLEAN);
	CU_ASSERT_EQUAL(orders_check(p.ring, bytes - 1), -EUCLEAN);
	p.ring->shm.capacity = 16;
	CU_ASSERT_EQUAL(orders_open_writer(p.ring, bytes, &writer), -EUCLEAN);
	p.ring->shm.capacity = 7;
	CU_ASSERT_EQUAL(orders_open_reader(p.ring, bytes, &reader), -EUCLEAN);
	p.ring->shm.capacity = 8;
	p.ring->shm.element_bytes = 1;
	CU_ASSERT_EQUAL(orders_open_reader(p.ring, bytes, &reader), -EPROTOTYPE);
	p.ring->shm.element_bytes = sizeof(struct order);
	lend_store_relaxed64(&p.ring->shm.head, 1);
	CU_ASSERT_EQUAL(orders_open_writer(p.ring, bytes, &writer), -EUCLEAN);
	lend_store_relaxed64(&p.ring->shm.tail, 10);
	CU_ASSERT_EQUAL(orders_check(p.ring, bytes), -EUCLEAN);
	CU_ASSERT_PTR_NOT_NULL(strstr(lend_error_detail(), "10 put, 1 taken, room for 8"));
	CU_ASSERT_EQUAL(orders_count(p.ring), 8);
	lend_store_relaxed64(&p.ring->shm.tail, 9);
	CU_ASSERT_EQUAL(orders_check(p.ring, bytes), 0);
	CU_ASSERT_NOT_EQUAL(lend_ring_layout_fold(LEND_LAYOUT_SEED), LEND_LAYOUT_SEED);
	orders_destroy(p.ring, arena);
}

/* A peer that writes whatever it likes: each side errs or goes on, always within its slots. */
static void a_hostile_word_does_not_lead_outside(void)
{
	static const uint64_t words[] = {0, 1, 7, 9, 1000, UINT64_MAX, UINT64_MAX / 2};
	struct order many[20];
	struct order o;
	size_t i;

	memset(many, 0, sizeof(many));
	for (i = 0; i < HEAP_COUNT(words); i++) {
		struct pair p = make(8);
		int err;

		CU_ASSERT_EQUAL(orders_try_put_batch(&p.writer, many, 8), 8);
		p.ring->shm.capacity = words[i];
		lend_store_relaxed64(&p.ring->shm.head, words[i]);
		err = orders_try_put(&p.writer, order(1));
		CU_ASSERT_EQUAL(err, words[i] == 0 ? -EAGAIN : words[i] < 8 ? 0 : -EUCLEAN);
		CU_ASSERT_EQUAL(
			orders_try_put_batch(&p.writer, many, 20) == -EUCLEAN, words[i] > 8);
		lend_store_relaxed64(&p.ring->shm.tail, words[i]);
		err = orders_try_take(&p.reader, &o);
		CU_ASSERT_TRUE(words[i] <= 8 || err == -EUCLEAN);
		CU_ASSERT_TRUE(words[i] <= 8 ||
			       orders_try_take_batch(&p.reader, many, 20) == -EUCLEAN);
		p.ring->shm.capacity = 8;
		orders_destroy(p.ring, arena);
	}
}

struct run {
	struct pair p;
	uint64_t count;
	int in_batches;
};

static void *write_run(void *argument)
{
	struct run *run = argument;
	struct orders_writer writer = run->p.writer;
	struct order batch[7];
	uint64_t i = 0;

	while (i < run->count) {
		int64_t put;
		uint64_t k;

		if (run->in_batches) {
			for (k = 0; k < 7; k++)
				batch[k] = order(i + k);
			put = orders_try_put_batch(
				&writer, batch, run->count - i < 7 ? run->count - i : 7);
		} else {
			put = orders_try_put(&writer, order(i)) == 0;
		}
		if (put <= 0)
			(void)sched_yield();
		i += (uint64_t)put;
	}
	return NULL;
}

static void *read_run(void *argument)
{
	struct run *run = argument;
	struct orders_reader reader = run->p.reader;
	struct order batch[5];
	uint64_t i = 0;

	while (i < run->count) {
		int64_t got = run->in_batches ? orders_try_take_batch(&reader, batch, 5)
					      : orders_try_take(&reader, batch) == 0;
		int64_t k;

		if (got <= 0)
			(void)sched_yield();
		for (k = 0; k < got; k++)
			if (!is_order(&batch[k], i++))
				return "an element is not what was put";
	}
	return NULL;
}

/* Under TSan too: both threads on one mapping. */
static void two_threads_see_every_element_once(void)
{
	int in_batches;
	uint64_t capacity;

	for (in_batches = 0; in_batches < 2; in_batches++)
		for (capacity = 1; capacity <= 64; capacity *= 8) {
			struct run run = {
				make(capacity), under_slow_tool() ? 3000 : 30000, in_batches};
			pthread_t threads[2];
			void *said = NULL;

			CU_ASSERT_EQUAL_FATAL(
				pthread_create(&threads[0], NULL, write_run, &run), 0);
			CU_ASSERT_EQUAL_FATAL(
				pthread_create(&threads[1], NULL, read_run, &run), 0);
			CU_ASSERT_EQUAL(pthread_join(threads[0], NULL), 0);
			CU_ASSERT_EQUAL(pthread_join(threads[1], &said), 0);
			CU_ASSERT_PTR_NULL(said);
			CU_ASSERT_EQUAL(orders_count(run.p.ring), 0);
			orders_destroy(run.p.ring, arena);
		}
}

static const struct suite_test tests[] = {
	SUITE_TEST(elements_come_out_in_order_until_empty),
	SUITE_TEST(a_full_ring_takes_no_more),
	SUITE_TEST(batches_wrap_and_stop_at_what_there_is),
	SUITE_TEST(a_side_opened_anew_goes_on),
	SUITE_TEST(indices_wrap),
	SUITE_TEST(a_ring_lies_in_any_memory),
	SUITE_TEST(impossible_rings_are_refused),
	SUITE_TEST(damaged_rings_are_refused),
	SUITE_TEST(a_hostile_word_does_not_lead_outside),
	SUITE_TEST(two_threads_see_every_element_once),
};

int main(int argc, char **argv)
{
	struct lend_arena_options options = {
		.name = "ring", .reservation_bytes = 64u << 20, .quota_bytes = 16u << 20};
	uint64_t before;
	int status;

	if (lend_arena_create(&options, &arena))
		return EXIT_FAILURE;
	before = heap_stats(arena).live_count;
	status = suite_run("ring", tests, HEAP_COUNT(tests), argc, argv);
	if (heap_stats(arena).live_count != before) {
		fprintf(stderr, "rings are left\n");
		status = EXIT_FAILURE;
	}
	return lend_arena_destroy(arena) ? EXIT_FAILURE : status;
}
