/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lend-test: timeout=120
 *
 * Children of an owner: by fork, a raw clone, vfork, clone(CLONE_VM) and posix_spawn. The owner
 * goes on in each case; a child that has a memory of its own reads and is refused all else.
 */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include <lendheap/window.h>

#include "support/heap.h"
#include "support/leaks.h"
#include "support/suite.h"

#define MIB ((size_t)1 << 20)

/* A fork copies a sanitizer's page tables, while threads make it copy pages too. */
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
enum { OBJECTS = 400, STORM = 25 };
#else
enum { OBJECTS = 400, STORM = 150 };
#endif

#ifdef __SANITIZE_THREAD__
const char *__tsan_default_options(void) __attribute__((visibility("default")));

/*
 * A child that exits would wait a second for threads that only its parent has, and may find the
 * lock of the deadlock detector taken by one of those.
 */
const char *__tsan_default_options(void)
{
	return "atexit_sleep_ms=0:detect_deadlocks=0";
}
#endif

struct family {
	struct lend_arena *arena;
	struct lend_cache *handle;
	void *objects[OBJECTS];
	size_t sizes[OBJECTS];
	struct lend_arena_stats before;
};

static void found(struct family *family)
{
	uint64_t random = 5;
	size_t i;

	memset(family, 0, sizeof(*family));
	CU_ASSERT_EQUAL_FATAL(lend_arena_create(&(struct lend_arena_options){.name = "family"},
				      &family->arena),
		0);
	CU_ASSERT_EQUAL_FATAL(lend_cache_open(family->arena, &family->handle), 0);
	for (i = 0; i < OBJECTS; i++) {
		family->sizes[i] = heap_draw(&random) % (i % 20 ? 600 : 100000) + 1;
		family->objects[i] = lend_alloc(family->arena, family->sizes[i]);
		CU_ASSERT_PTR_NOT_NULL_FATAL(family->objects[i]);
		heap_fill(family->objects[i], family->sizes[i], i);
	}
	lend_cache_free(family->handle, lend_cache_alloc(family->handle, 64));
	family->before = heap_stats(family->arena);
}

static bool reads_all(const struct family *family)
{
	size_t i;

	for (i = 0; i < OBJECTS; i++)
		if (!heap_is_filled(family->objects[i], family->sizes[i], i))
			return false;
	return true;
}

/* The owner finds all as it was, and goes on: no object of its is given out again. */
static void check_unaffected(struct family *family)
{
	struct lend_arena_stats after = heap_stats(family->arena);
	static void *more[OBJECTS];
	size_t i;

	CU_ASSERT(reads_all(family));
	CU_ASSERT_EQUAL(after.live_count, family->before.live_count);
	CU_ASSERT_EQUAL(after.live_bytes, family->before.live_bytes);
	CU_ASSERT_EQUAL(after.cached_count, family->before.cached_count);
	CU_ASSERT_EQUAL(after.committed_bytes, family->before.committed_bytes);
	CU_ASSERT_EQUAL(after.foreign_frees, family->before.foreign_frees);
	for (i = 0; i < OBJECTS; i++) {
		more[i] = lend_alloc(family->arena, family->sizes[i]);
		CU_ASSERT_PTR_NOT_NULL_FATAL(more[i]);
		heap_fill(more[i], family->sizes[i], i + OBJECTS);
	}
	CU_ASSERT(reads_all(family));
	for (i = 0; i < OBJECTS; i++) {
		CU_ASSERT(heap_is_filled(more[i], family->sizes[i], i + OBJECTS));
		lend_free(family->arena, more[i]);
	}
	family->before = heap_stats(family->arena);
}

static void disband(struct family *family)
{
	size_t i;

	for (i = 0; i < OBJECTS; i++)
		lend_free_sized(family->arena, family->objects[i], family->sizes[i]);
	lend_cache_close(family->handle);
	CU_ASSERT_EQUAL(heap_stats(family->arena).live_count, 0);
	CU_ASSERT_EQUAL(lend_arena_destroy(family->arena), 0);
}

#define REFUSED(call, error)                                                                   \
	do {                                                                                   \
		uint64_t count_before = lend_forked_call_count();                              \
		errno = 0;                                                                     \
		CHILD_REQUIRE(!(call));                                                        \
		CHILD_REQUIRE(errno == (error));                                               \
		CHILD_REQUIRE(strstr(lend_error_detail(), "forked child"));                    \
		CHILD_REQUIRE(lend_forked_call_count() == count_before + 1);                   \
	} while (0)

#define IGNORED(call)                                                                          \
	do {                                                                                   \
		uint64_t count_before = lend_forked_call_count();                              \
		call;                                                                          \
		CHILD_REQUIRE(lend_forked_call_count() == count_before + 1);                   \
	} while (0)

/* All that a forked child may and may not do; no lock is taken, so a raw clone may run it too. */
static void be_refused(void *context)
{
	struct family *family = context;
	struct lend_arena *arena = family->arena;
	struct lend_arena_stats stats = {.struct_bytes = sizeof(stats)};
	struct lend_class_stats of_class;
	struct lend_cache *cache = NULL;
	void *objects[2] = {family->objects[1], family->objects[2]};

	CHILD_REQUIRE(reads_all(family));
	REFUSED(lend_alloc(arena, 64), EPERM);
	REFUSED(lend_alloc(arena, 100000), EPERM);
	REFUSED(lend_alloc_zeroed(arena, 64), EPERM);
	REFUSED(lend_alloc_aligned(arena, 64, 4096), EPERM);
	REFUSED(lend_realloc(arena, family->objects[0], 10000), EPERM);
	REFUSED(lend_alloc_batch(arena, 64, objects, 2), EPERM);
	REFUSED(lend_cache_alloc(family->handle, 64), EPERM);
	IGNORED(lend_free(arena, family->objects[0]));
	IGNORED(lend_free(lend_arena_of(family->objects[3]), family->objects[3]));
	IGNORED(lend_free_sized(arena, family->objects[0], family->sizes[0]));
	IGNORED(lend_free_sized_aligned(arena, family->objects[0], family->sizes[0], 8));
	IGNORED(lend_free_batch(arena, objects, 1));
	IGNORED(lend_cache_free(family->handle, family->objects[0]));
	IGNORED(lend_cache_free_sized(family->handle, family->objects[0], family->sizes[0]));
	lend_free(arena, NULL);
	CHILD_REQUIRE(lend_usable_bytes(arena, family->objects[0]) == 0);
	CHILD_REQUIRE(lend_cache_open(arena, &cache) == -EPERM && !cache);
	CHILD_REQUIRE(lend_arena_purge(arena) == -EPERM);
	CHILD_REQUIRE(lend_arena_stats(arena, &stats) == -EPERM);
	CHILD_REQUIRE(lend_arena_class_stats(arena, 0, &of_class) == -EPERM);
	CHILD_REQUIRE(lend_arena_destroy(arena) == -EPERM);
	CHILD_REQUIRE(lend_arena_is_owned(arena) == 0);
	CHILD_REQUIRE(lend_arena_owns(family->objects[0]) == 0);
	lend_cache_flush(family->handle);
	lend_cache_close(family->handle);
	lend_thread_flush();
	CHILD_REQUIRE(reads_all(family));
}

CLEAN_TEST(forked_child_reads_on_and_is_refused)
{
	struct family family;

	found(&family);
	CU_ASSERT_EQUAL(heap_in_child(be_refused, &family), 0);
	CU_ASSERT_EQUAL(lend_forked_call_count(), 0);
	check_unaffected(&family);
	disband(&family);
}

CLEAN_TEST(raw_clone_reads_on_and_is_refused)
{
	struct family family;
	pid_t child;

	found(&family);
	child = (pid_t)syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);
	if (child == 0) {
		be_refused(&family);
		_exit(0);
	}
	CU_ASSERT_EQUAL(heap_wait(child), 0);
	CU_ASSERT_EQUAL(lend_forked_call_count(), 0);
	check_unaffected(&family);
	disband(&family);
}

static void write_data(void *context)
{
	struct family *family = context;

	(void)signal(SIGSEGV, SIG_DFL); /* a sanitizer's handler would report it as a bug */
	CHILD_REQUIRE(reads_all(family));
	*(volatile char *)family->objects[7] = 1;
}

CLEAN_TEST(forked_child_that_writes_dies_of_sigsegv)
{
	struct family family;

	found(&family);
	CU_ASSERT_EQUAL(heap_in_child(write_data, &family), 1000 + SIGSEGV);
	check_unaffected(&family);
	disband(&family);
}

static void fill_own_arena(struct lend_arena *own, void **objects, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		objects[i] = lend_alloc(own, i % 700 + 1);
		CHILD_REQUIRE(objects[i] && lend_arena_of(objects[i]) == own);
		heap_fill(objects[i], i % 700 + 1, i);
	}
	for (i = 0; i < count; i++) {
		CHILD_REQUIRE(heap_is_filled(objects[i], i % 700 + 1, i));
		if (i % 2)
			lend_free(own, objects[i]);
		else
			lend_free_sized(own, objects[i], i % 700 + 1);
	}
	CHILD_REQUIRE(heap_stats(own).live_count == 0);
	CHILD_REQUIRE(heap_stats(own).foreign_frees == 0);
}

static void grandchild(void *context)
{
	struct lend_arena *of_child = context;
	struct lend_arena *own = NULL;
	void *objects[100];

	REFUSED(lend_alloc(of_child, 64), EPERM);
	CHILD_REQUIRE(lend_arena_create(NULL, &own) == 0);
	fill_own_arena(own, objects, 100);
	CHILD_REQUIRE(lend_arena_destroy(own) == 0);
}

static void make_own_arena(void *context)
{
	struct family *family = context;
	struct lend_arena *own = NULL;
	struct lend_cache *cache = NULL;
	static void *objects[3000];

	be_refused(family);
	CHILD_REQUIRE(lend_arena_create(NULL, &own) == 0);
	CHILD_REQUIRE(lend_arena_of(family->objects[0]) == family->arena);
	fill_own_arena(own, objects, HEAP_COUNT(objects));
	CHILD_REQUIRE(lend_cache_open(own, &cache) == 0);
	objects[0] = lend_cache_alloc(cache, 100);
	CHILD_REQUIRE(objects[0]);
	lend_cache_free(cache, objects[0]);
	lend_cache_close(cache);
	IGNORED(lend_free(family->arena, family->objects[0]));
	REFUSED(lend_alloc(family->arena, 64), EPERM);
	CHILD_REQUIRE(heap_in_child(grandchild, own) == 0);
	fill_own_arena(own, objects, HEAP_COUNT(objects));
	CHILD_REQUIRE(lend_arena_purge(own) == 0);
	CHILD_REQUIRE(lend_arena_destroy(own) == 0);
}

CLEAN_TEST(forked_child_makes_and_uses_its_own_arena)
{
	struct family family;

	found(&family);
	CU_ASSERT_EQUAL(heap_in_child(make_own_arena, &family), 0);
	check_unaffected(&family);
	disband(&family);
}

static struct family *at_exit_family;

static void free_at_exit(void)
{
	lend_free(at_exit_family->arena, at_exit_family->objects[0]);
	if (lend_arena_destroy(at_exit_family->arena) != -EPERM)
		_exit(9);
}

static void exit_with_destructors(void *context)
{
	at_exit_family = context;
	CHILD_REQUIRE(atexit(free_at_exit) == 0);
	exit(0);
}

static void *free_in_thread(void *context)
{
	struct family *family = context;

	lend_free(family->arena, family->objects[0]);
	return lend_alloc(family->arena, 64);
}

static void end_by_threads(void *context)
{
#ifndef __SANITIZE_THREAD__
	pthread_t thread;
	void *made = context;

	CHILD_REQUIRE(pthread_create(&thread, NULL, free_in_thread, context) == 0);
	CHILD_REQUIRE(pthread_join(thread, &made) == 0);
	CHILD_REQUIRE(!made);
	pthread_exit(NULL); /* runs the destructor of the wiped table */
#else
	(void)free_in_thread(context);
#endif
}

CLEAN_TEST(forked_child_ends_in_any_way_without_harm)
{
	struct family family;

	found(&family);
	CU_ASSERT_EQUAL(heap_in_child(exit_with_destructors, &family), 0);
	check_unaffected(&family);
	CU_ASSERT_EQUAL(heap_in_child(end_by_threads, &family), 0);
	check_unaffected(&family);
	disband(&family);
}

static void *fork_in_thread(void *context)
{
	void *object = lend_alloc(((struct family *)context)->arena, 64);
	int status;

	status = heap_in_child(make_own_arena, context);
	lend_free(((struct family *)context)->arena, object);
	return (void *)(intptr_t)status;
}

static void thread_may_fork(void)
{
	struct family family;
	pthread_t thread;
	void *status = &family;

	found(&family);
	CU_ASSERT_EQUAL(pthread_create(&thread, NULL, fork_in_thread, &family), 0);
	CU_ASSERT_EQUAL(pthread_join(thread, &status), 0);
	CU_ASSERT_PTR_NULL(status);
	check_unaffected(&family);
	disband(&family);
}

/*
 * A child that shares the memory is served as the owner: what it does is as if its parent had
 * done it. It grows the arena's file on the way, where the ownership is looked at.
 */
struct shared {
	struct lend_arena *arena;
	char *made[64];
	int error;
};

static int serve_shared(void *context)
{
	struct shared *shared = context;
	size_t i;

	for (i = 0; i < HEAP_COUNT(shared->made); i++) {
		shared->made[i] = lend_alloc(shared->arena, i % 2 ? MIB : 100);
		if (!shared->made[i]) {
			shared->error = errno;
			return 1;
		}
		heap_fill(shared->made[i], 100, i);
	}
	lend_free(shared->arena, shared->made[0]);
	return 0;
}

static void check_shared(struct shared *shared, uint64_t live)
{
	size_t i;

	if (shared->error)
		printf("\n  errno %d, \"%s\"\n", shared->error, lend_error_detail());
	CU_ASSERT_EQUAL_FATAL(shared->error, 0);
	CU_ASSERT_EQUAL(
		heap_stats(shared->arena).live_count, live + HEAP_COUNT(shared->made) - 1);
	for (i = 1; i < HEAP_COUNT(shared->made); i++) {
		CU_ASSERT(heap_is_filled(shared->made[i], 100, i));
		lend_free(shared->arena, shared->made[i]);
	}
	CU_ASSERT_EQUAL(heap_stats(shared->arena).live_count, live);
	CU_ASSERT_EQUAL(lend_forked_call_count(), 0);
	CU_ASSERT_EQUAL(heap_stats(shared->arena).foreign_frees, 0);
}

#ifndef __SANITIZE_THREAD__ /* which makes a fork of it */

CLEAN_TEST(vfork_child_is_served_as_the_owner)
{
	struct shared shared = {0};
	struct lend_arena_options options = {.name = "shared"};
	pid_t child;

	CU_ASSERT_EQUAL_FATAL(lend_arena_create(&options, &shared.arena), 0);
	child = vfork();
	if (child == 0)
		_exit(serve_shared(&shared));
	CU_ASSERT_EQUAL(heap_wait(child), 0);
	check_shared(&shared, 0);
	CU_ASSERT_EQUAL(lend_arena_destroy(shared.arena), 0);
}

#endif

CLEAN_TEST(clone_that_shares_memory_is_served_as_the_owner)
{
	static char stack[1 << 18] __attribute__((aligned(16)));
	struct shared shared = {0};
	struct lend_arena_options options = {.name = "shared"};
	pid_t child;

	CU_ASSERT_EQUAL_FATAL(lend_arena_create(&options, &shared.arena), 0);
	child = clone(
		serve_shared, stack + sizeof(stack), CLONE_VM | CLONE_VFORK | SIGCHLD, &shared);
	CU_ASSERT_EQUAL(heap_wait(child), 0);
	check_shared(&shared, 0);
	CU_ASSERT_EQUAL(lend_arena_destroy(shared.arena), 0);
}

/* Threads that allocate, check and free while others fork. */
struct worker {
	pthread_t thread;
	struct lend_arena *arena;
	const bool *stop;
	uint64_t seed;
	uint64_t rounds;
	uint64_t bad;
};

static void *churn(void *context)
{
	struct worker *worker = context;
	enum { KEPT = 200 };
	void *objects[KEPT] = {NULL};
	size_t sizes[KEPT] = {0};
	uint64_t random = worker->seed;
	size_t i;

	while (!__atomic_load_n(worker->stop, __ATOMIC_RELAXED)) {
		i = heap_draw(&random) % KEPT;
		if (objects[i]) {
			worker->bad += !heap_is_filled(objects[i], sizes[i], worker->seed + i);
			lend_free(worker->arena, objects[i]);
		}
		sizes[i] = heap_draw(&random) % (i % 10 ? 500 : 50000) + 1;
		objects[i] = lend_alloc(worker->arena, sizes[i]);
		worker->bad += !objects[i];
		if (objects[i])
			heap_fill(objects[i], sizes[i], worker->seed + i);
		worker->rounds++;
	}
	for (i = 0; i < KEPT; i++)
		lend_free(worker->arena, objects[i]);
	return NULL;
}

/* Arenas come and go: every lock of the library is held at some fork. */
static void *come_and_go(void *context)
{
	struct worker *worker = context;

	while (!__atomic_load_n(worker->stop, __ATOMIC_RELAXED)) {
		struct lend_arena *arena = NULL;
		struct lend_cache *cache = NULL;
		struct lend_window window = lend_window_current();

		if (lend_arena_create(NULL, &arena) || window.slot_count == 0) {
			worker->bad++;
			continue;
		}
		worker->bad += !lend_alloc(arena, 100);
		worker->bad += lend_cache_open(arena, &cache) != 0;
		worker->bad += !lend_cache_alloc(cache, 100);
		lend_cache_close(cache);
		worker->bad += lend_arena_destroy(arena) != 0;
		worker->rounds++;
	}
	return NULL;
}

static void child_of_storm(void *context)
{
	struct family *family = context;
	struct lend_arena *own = NULL;
	void *objects[200];

	(void)alarm(30); /* a lock left taken would hang here */
	REFUSED(lend_alloc(family->arena, 64), EPERM);
	CHILD_REQUIRE(reads_all(family));
	CHILD_REQUIRE(lend_arena_create(NULL, &own) == 0);
	fill_own_arena(own, objects, HEAP_COUNT(objects));
	CHILD_REQUIRE(lend_window_current().slot_count > 0);
	CHILD_REQUIRE(lend_arena_destroy(own) == 0);
}

/* Start two churning threads and one that makes arenas; run the body; stop and check them. */
static void with_threads(struct family *family, void (*body)(struct family *family))
{
	struct worker workers[3];
	bool stop = false;
	size_t i;

	memset(workers, 0, sizeof(workers));
	for (i = 0; i < HEAP_COUNT(workers); i++) {
		workers[i].arena = family->arena;
		workers[i].stop = &stop;
		workers[i].seed = i * 1000 + 1;
		CU_ASSERT_EQUAL_FATAL(pthread_create(&workers[i].thread, NULL,
					      i < 2 ? churn : come_and_go, &workers[i]),
			0);
	}
	body(family);
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	for (i = 0; i < HEAP_COUNT(workers); i++) {
		CU_ASSERT_EQUAL(pthread_join(workers[i].thread, NULL), 0);
		CU_ASSERT_EQUAL(workers[i].bad, 0);
		CU_ASSERT(workers[i].rounds > 0);
	}
	lend_thread_flush();
	CU_ASSERT_EQUAL(heap_stats(family->arena).live_count, family->before.live_count);
	CU_ASSERT_EQUAL(heap_stats(family->arena).foreign_frees, 0);
	CU_ASSERT(reads_all(family));
}

static void fork_often(struct family *family)
{
	int i;

	for (i = 0; i < STORM; i++) {
		int status = heap_in_child(child_of_storm, family);

		CU_ASSERT_EQUAL(status, 0);
		if (status)
			break;
	}
}

static void storm_of_forks_leaves_no_lock_and_no_object_taken(void)
{
	struct family family;

	found(&family);
	with_threads(&family, fork_often);
	disband(&family);
}

static void spawn_often(struct family *family)
{
	static char name[] = "true";
	char *arguments[] = {name, NULL};
	char *environment[] = {NULL};
	pid_t child;
	int i;

	(void)family;
	for (i = 0; i < STORM; i++) {
		int err = posix_spawn(&child, "/bin/true", NULL, NULL, arguments, environment);

		CU_ASSERT_EQUAL_FATAL(err, 0);
		CU_ASSERT_EQUAL(heap_wait(child), 0);
	}
}

#ifndef __SANITIZE_THREAD__ /* whose own locks such a child finds taken */

static void clone_often(struct family *family)
{
	int i;

	for (i = 0; i < STORM; i++) {
		pid_t child = (pid_t)syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);

		if (child == 0) {
			(void)alarm(30);
			if (lend_alloc(family->arena, 64) || errno != EPERM)
				_exit(1);
			lend_free(family->arena, family->objects[0]);
			_exit(lend_forked_call_count() == 2 && reads_all(family) ? 0 : 2);
		}
		CU_ASSERT_EQUAL(heap_wait(child), 0);
	}
}

#endif

static void spawn_and_clone_while_threads_allocate(void)
{
	struct family family;

	found(&family);
	with_threads(&family, spawn_often);
#ifndef __SANITIZE_THREAD__
	with_threads(&family, clone_often);
#endif
	disband(&family);
}

static const struct suite_test tests[] = {
	SUITE_TEST(forked_child_reads_on_and_is_refused),
	SUITE_TEST(raw_clone_reads_on_and_is_refused),
	SUITE_TEST(forked_child_that_writes_dies_of_sigsegv),
	SUITE_TEST(forked_child_makes_and_uses_its_own_arena),
	SUITE_TEST(forked_child_ends_in_any_way_without_harm),
	SUITE_TEST(thread_may_fork),
#ifndef __SANITIZE_THREAD__
	SUITE_TEST(vfork_child_is_served_as_the_owner),
#endif
	SUITE_TEST(clone_that_shares_memory_is_served_as_the_owner),
	SUITE_TEST(storm_of_forks_leaves_no_lock_and_no_object_taken),
	SUITE_TEST(spawn_and_clone_while_threads_allocate),
};

SUITE_MAIN("fork", tests)
