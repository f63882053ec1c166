/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lend-test: timeout=180
 *
 * Threads that come and go while arenas do. The window has two slots, so each new arena lies
 * where an old one was and every stale cache would be found.
 */
#include <pthread.h>

#include "support/heap.h"
#include "support/leaks.h"
#include "support/suite.h"
#include "support/tools.h"
#include "support/window.h"

#define MIB ((size_t)1 << 20)
#define GIB ((size_t)1 << 30)

#ifdef __SANITIZE_THREAD__
#define MAPPINGS_SPARE 300 /* its own */
#else
#define MAPPINGS_SPARE 10
#endif

/* Valgrind and TSan are slow: the same with less. */
static int scaled(int count)
{
#ifdef __SANITIZE_THREAD__
	return count / 10;
#else
	return under_valgrind() ? count / 50 : count;
#endif
}

static struct lend_arena *make(struct lend_arena_options options)
{
	struct lend_arena *arena = NULL;

	CU_ASSERT_EQUAL_FATAL(lend_arena_create(&options, &arena), 0);
	return arena;
}

static struct lend_arena *make_plain(void)
{
	return make((struct lend_arena_options){.name = "plain"});
}

static void end(struct lend_arena *arena)
{
	CU_ASSERT_EQUAL(lend_arena_destroy(arena), 0);
}

static pthread_t start(void *(*run)(void *context), void *context)
{
	pthread_t thread;

	CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, run, context), 0);
	return thread;
}

static void *join(pthread_t thread)
{
	void *result = &thread;

	CU_ASSERT_EQUAL(pthread_join(thread, &result), 0);
	return result;
}

/* Use two arenas, leave one object in each and filled caches behind. NULL when all was well. */
static void *live_shortly(void *context)
{
	struct lend_arena **arenas = context;
	char *objects[12];
	size_t i;

	for (i = 0; i < HEAP_COUNT(objects); i++) {
		objects[i] = lend_alloc(arenas[i % 2], 40 * i + 8);
		if (!objects[i])
			return "no memory";
		heap_fill(objects[i], 40 * i + 8, i);
	}
	for (i = 0; i < HEAP_COUNT(objects); i++)
		if (!heap_is_filled(objects[i], 40 * i + 8, i))
			return "objects overlap";
	for (i = 2; i < HEAP_COUNT(objects); i++)
		lend_free(arenas[i % 2], objects[i]);
	return NULL;
}

CLEAN_TEST(threads_that_end_leave_their_objects_and_no_cache)
{
	struct lend_arena *arenas[2] = {
		make_plain(), make((struct lend_arena_options){.cache = LEND_CACHE_LEAN})};
	const int turns = scaled(10000);
	size_t mappings;
	int i;

	CU_ASSERT_PTR_NULL(join(start(live_shortly, arenas)));
	mappings = heap_mapping_count();
	for (i = 1; i < turns; i++) {
		pthread_t threads[2] = {
			start(live_shortly, arenas), start(live_shortly, arenas)};

		CU_ASSERT_PTR_NULL(join(threads[0]));
		CU_ASSERT_PTR_NULL(join(threads[1]));
	}
	for (i = 0; i < 2; i++) {
		CU_ASSERT_EQUAL(heap_stats(arenas[i]).live_count, (uint64_t)turns * 2 - 1);
		CU_ASSERT_EQUAL(heap_stats(arenas[i]).cached_count, 0);
		CU_ASSERT_EQUAL(heap_stats(arenas[i]).foreign_frees, 0);
	}
	CU_ASSERT(heap_mapping_count() <= mappings + MAPPINGS_SPARE);
	end(arenas[0]);
	end(arenas[1]);
}

static pthread_key_t early_key;
static struct lend_arena *destructors_arena;
static int destructor_runs;

static void free_last_object(void *object)
{
	void *scratch = lend_alloc(destructors_arena, 500);

	if (scratch)
		lend_free_sized(destructors_arena, scratch, 500);
	lend_free(destructors_arena, object);
	(void)__atomic_add_fetch(&destructor_runs, 1, __ATOMIC_RELAXED);
}

/* A thread that does one thing at a time for another and lives through all of it. */
struct servant {
	pthread_t thread;
	pthread_barrier_t begin;
	pthread_barrier_t done;
	void (*task)(struct servant *servant);
	struct lend_arena *arena;
	void *object;
	int turn;
	int bad;
};

static void *serve(void *context)
{
	struct servant *servant = context;

	for (;;) {
		(void)pthread_barrier_wait(&servant->begin);
		if (!servant->task)
			return NULL;
		servant->task(servant);
		(void)pthread_barrier_wait(&servant->done);
	}
}

static void engage(struct servant *servant)
{
	memset(servant, 0, sizeof(*servant));
	(void)pthread_barrier_init(&servant->begin, NULL, 2);
	(void)pthread_barrier_init(&servant->done, NULL, 2);
	servant->thread = start(serve, servant);
}

static void let_do(struct servant *servant, void (*task)(struct servant *servant))
{
	servant->task = task;
	(void)pthread_barrier_wait(&servant->begin);
	(void)pthread_barrier_wait(&servant->done);
}

static void dismiss(struct servant *servant)
{
	servant->task = NULL;
	(void)pthread_barrier_wait(&servant->begin);
	CU_ASSERT_PTR_NULL(join(servant->thread));
	(void)pthread_barrier_destroy(&servant->begin);
	(void)pthread_barrier_destroy(&servant->done);
}

/* Fill caches of several classes with free objects of the arena and keep some. */
static void use_arena(struct servant *servant)
{
	void *objects[300];
	size_t i;

	for (i = 0; i < HEAP_COUNT(objects); i++) {
		size_t bytes = i % 30 ? i * 7 % 900 + 1 : 20000 + i;

		objects[i] = lend_alloc(servant->arena, bytes);
		if (!objects[i] || lend_arena_of(objects[i]) != servant->arena ||
			lend_usable_bytes(servant->arena, objects[i]) < bytes) {
			servant->bad++;
			return;
		}
		heap_fill(objects[i], bytes, i);
	}
	for (i = 0; i < HEAP_COUNT(objects); i++) {
		size_t bytes = i % 30 ? i * 7 % 900 + 1 : 20000 + i;

		servant->bad += !heap_is_filled(objects[i], bytes, i);
		if (i % 3)
			lend_free(servant->arena, objects[i]);
	}
}

CLEAN_TEST(thread_outlives_arenas_and_uses_their_slots_again)
{
	const int turns = under_valgrind() ? 30 : 150;
	struct servant servant;
	int turn;

	engage(&servant);
	for (turn = 0; turn < turns; turn++) {
		struct lend_arena *first = make_plain();
		struct lend_arena *second = make_plain();
		struct lend_arena *both;

		servant.arena = first;
		let_do(&servant, use_arena);
		servant.arena = second;
		let_do(&servant, use_arena);
		end(first);
		servant.arena = second;
		let_do(&servant, use_arena);
		end(second);

		/* A run over both slots: the caches of either would be found for it. */
		both = make((struct lend_arena_options){.reservation_bytes = 6 * GIB});
		servant.arena = both;
		let_do(&servant, use_arena);
		CU_ASSERT_EQUAL(heap_stats(both).foreign_frees, 0);
		CU_ASSERT_EQUAL(heap_stats(both).live_count, 100);
		end(both);
		CU_ASSERT_EQUAL_FATAL(servant.bad, 0);
	}
	dismiss(&servant);
}

static void use_stale_arena(struct servant *servant)
{
	void *object = lend_alloc(servant->arena, 64);

	servant->bad += object || errno != ESTALE;
	object = lend_alloc_zeroed(servant->arena, 20000);
	servant->bad += object || errno != ESTALE;
}

CLEAN_TEST(stale_handle_is_refused_though_its_slot_is_used_again)
{
	struct servant servant;
	int turn;

	engage(&servant);
	for (turn = 0; turn < 20; turn++) {
		struct lend_arena *arenas[2] = {make_plain(), make_plain()};
		struct lend_arena *later[2];
		int i;

		for (i = 0; i < 2; i++) {
			servant.arena = arenas[i];
			let_do(&servant, use_arena);
		}
		for (i = 0; i < 2; i++)
			end(arenas[i]);
		for (i = 0; i < 2; i++) {
			later[i] = make_plain();
			servant.arena = later[i];
			let_do(&servant, use_arena);
		}
		for (i = 0; i < 2; i++) {
			servant.arena = arenas[i];
			let_do(&servant, use_stale_arena);
			CU_ASSERT_EQUAL(heap_stats(later[i]).live_count, 100);
		}
		for (i = 0; i < 2; i++)
			end(later[i]);
	}
	CU_ASSERT_EQUAL(servant.bad, 0);
	dismiss(&servant);
}

/* A thread that has used an arena and ends, at the moment the arena is destroyed. */
struct leaver {
	struct lend_arena *arena;
	struct lend_arena *other;
	struct lend_cache *handle;
	pthread_barrier_t *used;
	int bad;
};

static void *use_and_leave(void *context)
{
	struct leaver *leaver = context;
	struct lend_cache *handle = NULL;
	void *object;
	int i;

	leaver->bad += lend_cache_open(leaver->arena, &handle) != 0;
	for (i = 0; i < 200; i++) {
		object = lend_alloc(leaver->arena, (size_t)i % 50 * 8 + 8);
		leaver->bad += !object;
		if (i % 2)
			lend_cache_free(handle, object);
		else
			lend_free(leaver->arena, object);
		lend_free(leaver->other, lend_alloc(leaver->other, 100));
	}
	(void)pthread_barrier_wait(leaver->used);
	/* From here on it is in no call on the arena: it lets go of it only. */
	lend_cache_close(handle);
	return NULL;
}

CLEAN_TEST(destroy_beside_threads_that_end_loses_nothing)
{
	struct lend_arena *other = make_plain();
	const int turns = scaled(1000);
	int turn;

	for (turn = 0; turn < turns; turn++) {
		struct lend_arena *arena = make_plain();
		pthread_barrier_t used;
		struct leaver leaver = {.arena = arena, .other = other, .used = &used};
		struct leaver leaver2 = leaver;
		pthread_t threads[2];

		(void)pthread_barrier_init(&used, NULL, 3);
		threads[0] = start(use_and_leave, &leaver);
		threads[1] = start(use_and_leave, &leaver2);
		(void)pthread_barrier_wait(&used);
		end(arena);
		CU_ASSERT_PTR_NULL(join(threads[0]));
		CU_ASSERT_PTR_NULL(join(threads[1]));
		CU_ASSERT_EQUAL(leaver.bad + leaver2.bad, 0);
		(void)pthread_barrier_destroy(&used);
	}
	CU_ASSERT_EQUAL(heap_stats(other).live_count, 0);
	CU_ASSERT_EQUAL(heap_stats(other).cached_count, 0);
	end(other);
}

/* A thread that flushes all its caches over and over is in no call on an arena it has left. */
struct flusher {
	pthread_barrier_t turn;
	struct lend_arena *own;
	struct lend_arena *arena;
	bool stop;
	int bad;
};

static void *flush_often(void *context)
{
	struct flusher *flusher = context;
	int i;

	for (;;) {
		(void)pthread_barrier_wait(&flusher->turn);
		if (flusher->stop)
			return NULL;
		for (i = 0; i < 30; i++) {
			void *object = lend_alloc(flusher->arena, (size_t)i * 30 + 1);

			flusher->bad += !object;
			lend_free(flusher->arena, object);
		}
		(void)pthread_barrier_wait(&flusher->turn);
		for (i = 0; i < 20; i++) {
			lend_free(flusher->own, lend_alloc(flusher->own, 1000));
			lend_thread_flush();
		}
	}
}

CLEAN_TEST(thread_flush_beside_destroy_is_safe)
{
	struct flusher flusher = {.own = make_plain()};
	const int turns = scaled(2000);
	pthread_t thread;
	int turn;

	(void)pthread_barrier_init(&flusher.turn, NULL, 2);
	thread = start(flush_often, &flusher);
	for (turn = 0; turn < turns; turn++) {
		flusher.arena = make_plain();
		(void)pthread_barrier_wait(&flusher.turn);
		(void)pthread_barrier_wait(&flusher.turn);
		end(flusher.arena);
	}
	flusher.stop = true;
	(void)pthread_barrier_wait(&flusher.turn);
	CU_ASSERT_PTR_NULL(join(thread));
	CU_ASSERT_EQUAL(flusher.bad, 0);
	CU_ASSERT_EQUAL(heap_stats(flusher.own).live_count, 0);
	end(flusher.own);
	(void)pthread_barrier_destroy(&flusher.turn);
}

#ifndef __SANITIZE_THREAD__ /* which lets go of a thread before glibc's last round of destructors */

/*
 * A program's own destructors run before and after ours, and may allocate and free: what they
 * leave cached after our last turn is bounded by what a thread caches, and no object is lost.
 */
static pthread_key_t late_key;

static void free_and_come_again(void *object)
{
	/* glibc goes round four times, and ours runs in between. */
	static __thread int turns;

	lend_free(destructors_arena, object);
	if (++turns < 3)
		(void)pthread_setspecific(late_key, lend_alloc(destructors_arena, 24));
	(void)__atomic_add_fetch(&destructor_runs, 1, __ATOMIC_RELAXED);
}

static void *set_keys(void *context)
{
	(void)pthread_setspecific(early_key, lend_alloc(context, 100));
	(void)pthread_setspecific(late_key, lend_alloc(context, 200));
	return NULL;
}

static void users_destructors_may_allocate_and_free(void)
{
	const int turns = scaled(1000);
	struct lend_arena_stats stats;
	size_t mappings = 0;
	int turn;

	destructor_runs = 0;
	destructors_arena = make_plain();
	CU_ASSERT_EQUAL_FATAL(pthread_key_create(&late_key, free_and_come_again), 0);
	for (turn = 0; turn < turns; turn++) {
		CU_ASSERT_PTR_NULL(join(start(set_keys, destructors_arena)));
		if (turn == 2)
			mappings = heap_mapping_count();
	}
	CU_ASSERT_EQUAL(destructor_runs, turns * 4);
	stats = heap_stats(destructors_arena);
	CU_ASSERT_EQUAL(stats.live_count, 0);
	CU_ASSERT_EQUAL(stats.cached_count, 0);
	CU_ASSERT(heap_mapping_count() <= mappings + MAPPINGS_SPARE);
	(void)pthread_key_delete(late_key);
	end(destructors_arena);
}

#endif

/* What one thread allocates the other frees, both ways, while a third reads the statistics. */
struct pipe_of_objects {
	void *slots[256];
	struct lend_arena *arena;
	uint64_t seed;
	int count;
	int bad;
};

static size_t size_of(uint64_t seed, int i)
{
	return heap_mix(seed + (uint64_t)i) % (i % 100 ? 700 : 40000) + 1;
}

static void *produce(void *context)
{
	struct pipe_of_objects *pipe = context;
	int i;

	for (i = 0; i < pipe->count; i++) {
		void **slot = &pipe->slots[i % 256];
		size_t bytes = size_of(pipe->seed, i);
		void *object = lend_alloc(pipe->arena, bytes);

		if (!object) {
			(void)__atomic_add_fetch(&pipe->bad, 1, __ATOMIC_RELAXED);
			object = lend_alloc(pipe->arena, 1);
			bytes = 1;
		}
		heap_fill(object, bytes, (uint64_t)i);
		while (__atomic_load_n(slot, __ATOMIC_ACQUIRE))
			(void)sched_yield();
		__atomic_store_n(slot, object, __ATOMIC_RELEASE);
	}
	return NULL;
}

static void *consume(void *context)
{
	struct pipe_of_objects *pipe = context;
	int i;

	for (i = 0; i < pipe->count; i++) {
		void **slot = &pipe->slots[i % 256];
		size_t bytes = size_of(pipe->seed, i);
		void *object;

		while (!(object = __atomic_load_n(slot, __ATOMIC_ACQUIRE)))
			(void)sched_yield();
		__atomic_store_n(slot, NULL, __ATOMIC_RELEASE);
		if (!heap_is_filled(object, bytes, (uint64_t)i))
			(void)__atomic_add_fetch(&pipe->bad, 1, __ATOMIC_RELAXED);
		if (i % 2)
			lend_free(pipe->arena, object);
		else
			lend_free_sized(pipe->arena, object, bytes);
	}
	return NULL;
}

CLEAN_TEST(objects_freed_by_another_thread_are_all_counted)
{
	struct lend_arena *arena = make_plain();
	static struct pipe_of_objects pipes[2];
	const int count = scaled(100000);
	struct lend_class_stats of;
	pthread_t threads[4];
	int i;

	memset(pipes, 0, sizeof(pipes));
	for (i = 0; i < 2; i++) {
		pipes[i].arena = arena;
		pipes[i].seed = (uint64_t)i + 9;
		pipes[i].count = count;
		threads[2 * i] = start(produce, &pipes[i]);
		threads[2 * i + 1] = start(consume, &pipes[i]);
	}
	for (i = 0; i < 50; i++) {
		struct lend_arena_stats stats = heap_stats(arena);

		CU_ASSERT(stats.committed_bytes <= stats.quota_bytes);
		CU_ASSERT(stats.live_count + stats.cached_count < 100000);
		CU_ASSERT_EQUAL(lend_arena_class_stats(arena, (uint32_t)i, &of), 0);
		(void)sched_yield();
	}
	for (i = 0; i < 4; i++)
		CU_ASSERT_PTR_NULL(join(threads[i]));
	CU_ASSERT_EQUAL(pipes[0].bad + pipes[1].bad, 0);
	CU_ASSERT_EQUAL(heap_stats(arena).live_count, 0);
	CU_ASSERT_EQUAL(heap_stats(arena).cached_count, 0);
	CU_ASSERT_EQUAL(lend_arena_purge(arena), 0);
	CU_ASSERT_EQUAL(heap_stats(arena).committed_bytes, 0);
	end(arena);
}

/* Many threads at the edge of a small quota: refused often, exceeded never. */
static void *fight_for_quota(void *context)
{
	struct lend_arena *arena = context;
	void *objects[64] = {NULL};
	uint64_t random = (uint64_t)(uintptr_t)&random;
	uintptr_t bad = 0;
	int turns = scaled(20000);
	size_t i;

	while (turns--) {
		i = heap_draw(&random) % HEAP_COUNT(objects);
		lend_free(arena, objects[i]);
		objects[i] = lend_alloc(arena, heap_draw(&random) % 60000 + 8);
		if (objects[i])
			*(void **)objects[i] = &objects[i];
		else
			bad += errno != EDQUOT;
	}
	for (i = 0; i < HEAP_COUNT(objects); i++) {
		bad += objects[i] && *(void **)objects[i] != &objects[i];
		lend_free(arena, objects[i]);
	}
	return (void *)bad;
}

CLEAN_TEST(quota_holds_between_threads)
{
	struct lend_arena *arena = make((struct lend_arena_options){.quota_bytes = 4 * MIB});
	pthread_t threads[3];
	void *whole;
	size_t i;

	for (i = 0; i < HEAP_COUNT(threads); i++)
		threads[i] = start(fight_for_quota, arena);
	for (i = 0; i < 200; i++) {
		CU_ASSERT(heap_stats(arena).committed_bytes <= 4 * MIB);
		(void)sched_yield();
	}
	for (i = 0; i < HEAP_COUNT(threads); i++)
		CU_ASSERT_PTR_NULL(join(threads[i]));
	CU_ASSERT_EQUAL(heap_stats(arena).live_count, 0);
	whole = lend_alloc(arena, 4 * MIB);
	CU_ASSERT_PTR_NOT_NULL(whole);
	lend_free(arena, whole);
	end(arena);
}

static const struct suite_test tests[] = {
	SUITE_TEST(threads_that_end_leave_their_objects_and_no_cache),
	SUITE_TEST(thread_outlives_arenas_and_uses_their_slots_again),
	SUITE_TEST(stale_handle_is_refused_though_its_slot_is_used_again),
	SUITE_TEST(destroy_beside_threads_that_end_loses_nothing),
	SUITE_TEST(thread_flush_beside_destroy_is_safe),
#ifndef __SANITIZE_THREAD__
	SUITE_TEST(users_destructors_may_allocate_and_free),
#endif
	SUITE_TEST(objects_freed_by_another_thread_are_all_counted),
	SUITE_TEST(quota_holds_between_threads),
};

int main(int argc, char **argv)
{
	struct lend_window window = window_small(2, getpid());

	/* Before any thread has a cache: its key's destructor runs before the library's. */
	if (pthread_key_create(&early_key, free_last_object) || lend_window_configure(&window))
		return EXIT_FAILURE;
	return suite_run("threads", tests, HEAP_COUNT(tests), argc, argv);
}
