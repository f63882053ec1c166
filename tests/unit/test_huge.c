/* SPDX-License-Identifier: Apache-2.0 */
/* lend-test: no-valgrind */
/*
 * Huge pages of a heap: when they are taken, that what is taken ahead of its use stays within its
 * bounds and goes back, and that a machine without any is none the worse. What a huge page may
 * cost is set aside here, so that a slow machine takes the same ones.
 */
#include <errno.h>
#include <pthread.h>
#include <sys/mman.h>

#include "arena/arena.h"
#include "support/fault.h"
#include "support/heap.h"
#include "support/leaks.h"
#include "support/suite.h"
#include "support/tools.h"

#define MIB  ((size_t)1 << 20)
#define HUGE ((size_t)LENDI_HUGE_PAGE_BYTES)

static struct lend_arena *make(struct lend_arena_options options)
{
	struct lend_arena *arena = NULL;

	CU_ASSERT_EQUAL_FATAL(lend_arena_create(&options, &arena), 0);
	arena->huge.growth.ns_max = INT64_MAX;
	arena->huge.pieces.ns_max = INT64_MAX;
	return arena;
}

static uint64_t resident(struct lend_arena *arena)
{
	return heap_stats(arena).data_resident_bytes;
}

/* How much of the arena's data this process has mapped by huge pages. */
static uint64_t mapped_huge(const struct lend_arena *arena)
{
	FILE *file = fopen("/proc/self/smaps", "r");
	unsigned long long start = 0;
	unsigned long long end = 0;
	unsigned long long kib;
	uint64_t bytes = 0;
	char line[512];

	while (file && fgets(line, sizeof(line), file)) {
		bool field = line[0] >= 'A' && line[0] <= 'Z';

		if (!field && sscanf(line, "%llx-%llx ", &start, &end) != 2)
			start = end = 0;
		if (sscanf(line, "ShmemPmdMapped: %llu kB", &kib) == 1 &&
			start >= arena->base && end <= arena->base + arena->data_bytes)
			bytes += kib * 1024;
	}
	if (file)
		(void)fclose(file);
	return bytes;
}

/* Small objects of so many bytes in all, each filled, chained for give_back(). */
static void *grow(struct lend_arena *arena, void *chain, size_t bytes)
{
	size_t at;

	for (at = 0; at < bytes; at += 4096) {
		void **object = lend_alloc(arena, 4096);

		if (!object) {
			CU_FAIL_FATAL("no memory");
			return chain;
		}
		memset(object, 0x5a, 4096);
		object[0] = chain;
		chain = object;
	}
	return chain;
}

static void give_back(struct lend_arena *arena, void *chain)
{
	while (chain) {
		void *object = chain;

		chain = *(void **)object;
		lend_free(arena, object);
	}
	CU_ASSERT_EQUAL(lend_arena_purge(arena), 0);
}

/* Does this kernel make huge pages of shared memory when asked? */
static bool machine_has_some(void)
{
	struct lend_arena *arena = make((struct lend_arena_options){.name = "probe"});
	void *chain = grow(arena, NULL, 32 * MIB);
	bool has = mapped_huge(arena) > 0;

	give_back(arena, chain);
	CU_ASSERT_EQUAL(lend_arena_destroy(arena), 0);
	if (!has)
		printf("\n    skip: this machine has no huge pages for memfds\n    ");
	return has;
}

CLEAN_TEST(heap_that_grows_lies_in_huge_pages)
{
	struct lend_arena *arena;
	void *chain;

	if (!machine_has_some())
		return;
	arena = make((struct lend_arena_options){.name = "grows"});
	chain = grow(arena, NULL, 64 * MIB);
	CU_ASSERT(mapped_huge(arena) >= 24 * MIB); /* of 48: some may be hard to get */
	give_back(arena, chain);
	CU_ASSERT_EQUAL(lend_arena_destroy(arena), 0);
}

CLEAN_TEST(large_object_lies_in_huge_pages_as_far_as_the_heap_is_large)
{
	struct lend_arena *arena;
	uint64_t before;
	void *chain;
	char *object;

	if (!machine_has_some())
		return;
	arena = make((struct lend_arena_options){.name = "large"});
	chain = grow(arena, NULL, 40 * MIB);
	before = resident(arena);
	object = lend_alloc_zeroed(arena, 1024 * MIB);
	CU_ASSERT_PTR_NOT_NULL_FATAL(object);
	CU_ASSERT(resident(arena) >= before + 20 * MIB);
	CU_ASSERT(resident(arena) <= 2 * before + HUGE);
	CU_ASSERT(heap_is_zero(object, 48 * MIB));
	CU_ASSERT(mapped_huge(arena) >= 20 * MIB);
	lend_free(arena, object);
	give_back(arena, chain);
	CU_ASSERT_EQUAL(lend_arena_destroy(arena), 0);
}

CLEAN_TEST(small_heap_and_sparse_object_take_nothing_ahead)
{
	struct lend_arena *arena = make((struct lend_arena_options){.name = "small"});
	void *chain = grow(arena, NULL, 12 * MIB);
	char *object;

	CU_ASSERT(resident(arena) <= heap_stats(arena).committed_bytes + MIB);
	CU_ASSERT_EQUAL(mapped_huge(arena), 0);
	give_back(arena, chain);
	object = lend_alloc(arena, 1024 * MIB);
	CU_ASSERT_PTR_NOT_NULL_FATAL(object);
	CU_ASSERT(resident(arena) < MIB);
	lend_free(arena, object);
	CU_ASSERT_EQUAL(lend_arena_destroy(arena), 0);
}

CLEAN_TEST(who_does_not_want_them_gets_none)
{
	static const struct lend_arena_options options[] = {
		{.huge_pages = LEND_HUGE_PAGES_NEVER},
		{.cache = LEND_CACHE_LEAN},
	};
	struct lend_arena *arena = NULL;
	void *chain;
	size_t i;

	for (i = 0; i < HEAP_COUNT(options); i++) {
		arena = make(options[i]);
		chain = grow(arena, NULL, 40 * MIB);
		CU_ASSERT_EQUAL(mapped_huge(arena), 0);
		CU_ASSERT(resident(arena) <= heap_stats(arena).committed_bytes + MIB);
		give_back(arena, chain);
		CU_ASSERT_EQUAL(lend_arena_destroy(arena), 0);
	}
	CU_ASSERT_EQUAL(
		lend_arena_create(&(struct lend_arena_options){.huge_pages = 2}, &arena),
		-EINVAL);
	CU_ASSERT_PTR_NOT_NULL(strstr(lend_error_detail(), "huge page policy 2"));
}

CLEAN_TEST(what_was_taken_ahead_goes_back)
{
	struct lend_arena *arena = make((struct lend_arena_options){.name = "tide"});
	void *half;
	void *chain;
	int turn;

	for (turn = 0; turn < 4; turn++) {
		half = grow(arena, NULL, (20 + 3 * (size_t)turn) * MIB);
		chain = grow(arena, NULL, 21 * MIB);
		CU_ASSERT(resident(arena) <= heap_stats(arena).committed_bytes + HUGE + MIB);
		give_back(arena, chain);
		CU_ASSERT(resident(arena) <= heap_stats(arena).committed_bytes + HUGE + MIB);
		give_back(arena, half);
		CU_ASSERT(resident(arena) < MIB);
		CU_ASSERT_EQUAL(heap_stats(arena).committed_bytes, 0);
	}
	CU_ASSERT_EQUAL(lend_arena_destroy(arena), 0);
}

CLEAN_TEST(memory_up_front_takes_none_ahead)
{
	struct lend_arena *arena =
		make((struct lend_arena_options){.commit = LEND_COMMIT_UP_FRONT});
	void *chain = grow(arena, NULL, 40 * MIB);
	char *object = lend_alloc_zeroed(arena, 32 * MIB + 4096);
	struct lend_arena_stats stats = heap_stats(arena);

	CU_ASSERT_PTR_NOT_NULL_FATAL(object);
	CU_ASSERT(heap_is_zero(object, 32 * MIB + 4096));
	CU_ASSERT(stats.data_resident_bytes >= stats.committed_bytes);
	CU_ASSERT(stats.data_resident_bytes <= stats.committed_bytes + MIB);
	lend_free(arena, object);
	give_back(arena, chain);
	CU_ASSERT(resident(arena) < MIB);
	CU_ASSERT_EQUAL(lend_arena_destroy(arena), 0);
}

/* Some 100 chances, none taken well: few are tried, and every object is there all the same. */
CLEAN_TEST(machine_without_them_is_asked_ever_more_rarely)
{
	static const int errors[] = {EINVAL, ENOMEM, EAGAIN, 0 /* they come, but slowly */};
	struct lend_arena *arena;
	void *chain;
	size_t i;

	for (i = 0; i < HEAP_COUNT(errors); i++) {
		arena = make((struct lend_arena_options){.name = "without"});
		if (!errors[i])
			arena->huge.growth.ns_max = -1;
		chain = grow(arena, NULL, 16 * MIB);
		fault_install();
		fault_plan_from(FAULT_madvise, errors[i] ? 1 : 0, errors[i]);
		chain = grow(arena, chain, 200 * MIB);
		CU_ASSERT(fault_calls(FAULT_madvise) >= 1);
		CU_ASSERT(fault_calls(FAULT_madvise) <= 2 * 8);
		fault_remove();
		give_back(arena, chain);
		CU_ASSERT(resident(arena) < MIB);
		CU_ASSERT_EQUAL(lend_arena_destroy(arena), 0);
	}
}

enum { THREADS = 4, HELD = 24 };

struct worker {
	struct lend_arena *arena;
	uint64_t seed;
	int turns;
	bool whole;
};

/* Objects at and behind the end of what is in use, that come, hold their bytes, and go. */
static void *work(void *argument)
{
	struct worker *worker = argument;
	struct {
		char *object;
		size_t bytes;
		uint64_t seed;
	} held[HELD] = {{NULL, 0, 0}};
	int turn;
	size_t i;

	for (turn = 0; turn < worker->turns; turn++) {
		i = heap_draw(&worker->seed) % HELD;
		if (held[i].object) {
			worker->whole = worker->whole && heap_is_filled(held[i].object,
								 held[i].bytes, held[i].seed);
			lend_free(worker->arena, held[i].object);
			held[i].object = NULL;
		} else {
			held[i].bytes = (size_t)1 << (12 + heap_draw(&worker->seed) % 11);
			held[i].bytes += heap_draw(&worker->seed) % held[i].bytes;
			held[i].seed = heap_draw(&worker->seed);
			held[i].object = lend_alloc_zeroed(worker->arena, held[i].bytes);
			worker->whole = worker->whole && held[i].object &&
					heap_is_zero(held[i].object, held[i].bytes);
			if (held[i].object)
				heap_fill(held[i].object, held[i].bytes, held[i].seed);
		}
		if (heap_draw(&worker->seed) % 16 == 0)
			worker->whole = worker->whole && lend_arena_purge(worker->arena) == 0;
	}
	for (i = 0; i < HELD; i++)
		lend_free(worker->arena, held[i].object);
	return NULL;
}

static uint64_t seed;

CLEAN_TEST(threads_that_grow_and_purge_lose_no_byte)
{
	struct lend_arena *arena = make((struct lend_arena_options){.name = "threads"});
	struct worker workers[THREADS];
	pthread_t threads[THREADS];
	void *chain = grow(arena, NULL, 16 * MIB);
	size_t i;

	for (i = 0; i < THREADS; i++) {
		workers[i] =
			(struct worker){arena, seed + i, under_slow_tool() ? 150 : 1500, true};
		CU_ASSERT_EQUAL_FATAL(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
	}
	for (i = 0; i < THREADS; i++) {
		(void)pthread_join(threads[i], NULL);
		CU_ASSERT_TRUE(workers[i].whole);
	}
	give_back(arena, chain);
	CU_ASSERT(resident(arena) < MIB);
	CU_ASSERT_EQUAL(heap_stats(arena).committed_bytes, 0);
	CU_ASSERT_EQUAL(lend_arena_destroy(arena), 0);
}

static const struct suite_test tests[] = {
	SUITE_TEST(heap_that_grows_lies_in_huge_pages),
	SUITE_TEST(large_object_lies_in_huge_pages_as_far_as_the_heap_is_large),
	SUITE_TEST(small_heap_and_sparse_object_take_nothing_ahead),
	SUITE_TEST(who_does_not_want_them_gets_none),
	SUITE_TEST(what_was_taken_ahead_goes_back),
	SUITE_TEST(memory_up_front_takes_none_ahead),
	SUITE_TEST(machine_without_them_is_asked_ever_more_rarely),
	SUITE_TEST(threads_that_grow_and_purge_lose_no_byte),
};

int main(int argc, char **argv)
{
	seed = heap_seed(0, argv);
	return suite_run("huge", tests, HEAP_COUNT(tests), argc, argv);
}
