/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What runs out, and that nothing is lost by it: metadata, the quota while another thread purges or
 * keeps its cache, keys for thread-specific data.
 */
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <lendheap/alloc.h>
#include <lendheap/error.h>

#include "os/os.h"

#include "arena/arena.h"
#include "support/leaks.h"
#include "support/suite.h"

#define MIB ((size_t)1 << 20)

static struct lend_arena *make_arena(uint64_t quota)
{
	struct lend_arena_options options = {.name = "exhaust", .quota_bytes = quota};
	struct lend_arena *arena = NULL;

	CU_ASSERT_EQUAL_FATAL(lend_arena_create(&options, &arena), 0);
	return arena;
}

/* The books of one arena cannot grow while this is set. */
static int failing_fd = -1;
static int failed_count;
static int (*true_ftruncate)(int fd, off_t bytes);

static int fail_ftruncate(int fd, off_t bytes)
{
	if (fd == failing_fd) {
		failed_count++;
		errno = ENOMEM;
		return -1;
	}
	return true_ftruncate(fd, bytes);
}

/*
 * jemalloc abandons an extent that it cannot find metadata to split, and all of our free memory is
 * one extent: after the machine had no memory for the books once, the heap must still be whole.
 */
CLEAN_TEST(exhausted_books_lose_no_memory)
{
	struct lend_arena *arena = make_arena(0);
	uint64_t made = 0;
	void *large;

	true_ftruncate = lendi_os.ftruncate;
	lendi_os.ftruncate = fail_ftruncate;
	failing_fd = arena->books_file.fd;
	failed_count = 0;
	while (made < 512 * MIB && lend_alloc(arena, 64))
		made += 64;
	CU_ASSERT_TRUE(failed_count > 0);
	CU_ASSERT_EQUAL(errno, ENOMEM);
	CU_ASSERT_NOT_EQUAL(lend_error_detail()[0], 0);
	failing_fd = -1;
	lendi_os.ftruncate = true_ftruncate;

	CU_ASSERT_PTR_NOT_NULL(lend_alloc(arena, 64));
	large = lend_alloc(arena, 3000 * MIB);
	CU_ASSERT_PTR_NOT_NULL(large);
	CU_ASSERT_EQUAL(lend_arena_destroy(arena), 0);
}

static void *purge(void *argument)
{
	CU_ASSERT_EQUAL(lend_arena_purge(argument), 0);
	return NULL;
}

/* Nearly all of the quota is free; that another thread is giving it back just now must not show. */
CLEAN_TEST(quota_is_whole_while_another_thread_purges)
{
	struct lend_arena *arena = make_arena(300 * MIB);
	void *objects[120];
	pthread_t thread;
	int round;
	int i;

	for (round = 0; round < 4; round++) {
		for (i = 0; i < 120; i++) {
			objects[i] = lend_alloc(arena, 2 * MIB);
			CU_ASSERT_PTR_NOT_NULL_FATAL(objects[i]);
			memset(objects[i], 1, 2 * MIB);
		}
		for (i = 0; i < 120; i++)
			lend_free(arena, objects[i]);
		CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, purge, arena), 0);
		objects[0] = lend_alloc(arena, 256 * MIB);
		CU_ASSERT_PTR_NOT_NULL(objects[0]);
		lend_free(arena, objects[0]);
		CU_ASSERT_EQUAL(pthread_join(thread, NULL), 0);
	}
	CU_ASSERT_EQUAL(lend_arena_destroy(arena), 0);
}

struct idler {
	struct lend_arena *arena;
	pthread_barrier_t barrier;
};

/* Take all there is in small objects of every size, give all back, and be idle. */
static void *hoard(void *argument)
{
	struct idler *idler = argument;
	static void *objects[400000];
	size_t bytes;
	size_t count;

	for (bytes = 16; bytes <= 16384; bytes *= 2) {
		count = 0;
		while (count < 400000 && (objects[count] = lend_alloc(idler->arena, bytes)))
			count++;
		while (count)
			lend_free_sized(idler->arena, objects[--count], bytes);
	}
	(void)pthread_barrier_wait(&idler->barrier);
	(void)pthread_barrier_wait(&idler->barrier);
	return NULL;
}

CLEAN_TEST(idle_thread_does_not_keep_a_small_quota)
{
	struct idler idler = {.arena = make_arena(16 * MIB)};
	struct lend_arena_stats stats = {.struct_bytes = sizeof(stats)};
	pthread_t thread;
	void *object;

	CU_ASSERT_EQUAL_FATAL(pthread_barrier_init(&idler.barrier, NULL, 2), 0);
	CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, hoard, &idler), 0);
	(void)pthread_barrier_wait(&idler.barrier);
	object = lend_alloc(idler.arena, 4 * MIB);
	CU_ASSERT_PTR_NOT_NULL(object);
	CU_ASSERT_EQUAL(lend_arena_stats(idler.arena, &stats), 0);
	CU_ASSERT_EQUAL(stats.live_count, 1);
	(void)pthread_barrier_wait(&idler.barrier);
	CU_ASSERT_EQUAL(pthread_join(thread, NULL), 0);
	(void)pthread_barrier_destroy(&idler.barrier);
	CU_ASSERT_EQUAL(lend_arena_destroy(idler.arena), 0);
}

/* In a child: jemalloc has its key, all others are taken before our first cache is made. */
static int run_without_keys(void)
{
	struct lend_arena *arena;
	pthread_key_t key;
	char *object;
	int i;

	if (lend_arena_create(NULL, &arena))
		return 1;
	while (pthread_key_create(&key, NULL) == 0)
		;
	for (i = 0; i < 10000; i++) {
		object = lend_alloc(arena, 100);
		if (!object)
			return 2;
		memset(object, 1, 100);
		if (i % 2)
			lend_free(arena, object);
	}
	return lend_arena_destroy(arena) ? 3 : 0;
}

CLEAN_TEST(threads_without_keys_go_without_caches)
{
	pid_t child = fork();
	int status = 0;

	if (child == 0)
		_exit(run_without_keys());
	CU_ASSERT_EQUAL_FATAL(waitpid(child, &status, 0), child);
	CU_ASSERT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* What can never be is refused at once, and costs the caller nothing of what it has cached. */
CLEAN_TEST(hopeless_requests_flush_nothing)
{
	struct lend_arena *arena = make_arena(64 * MIB);
	struct lend_arena_stats stats = {.struct_bytes = sizeof(stats)};
	uint64_t cached;

	lend_free(arena, lend_alloc(arena, 100));
	CU_ASSERT_EQUAL(lend_arena_stats(arena, &stats), 0);
	cached = stats.cached_count;
	CU_ASSERT_TRUE(cached > 0);
	CU_ASSERT_PTR_NULL(lend_alloc(arena, 65 * MIB));
	CU_ASSERT_EQUAL(errno, EDQUOT);
	CU_ASSERT_PTR_NULL(lend_alloc(arena, 8192 * MIB));
	CU_ASSERT_EQUAL(errno, ENOMEM);
	CU_ASSERT_EQUAL(lend_arena_stats(arena, &stats), 0);
	CU_ASSERT_EQUAL(stats.cached_count, cached);
	CU_ASSERT_EQUAL(lend_arena_destroy(arena), 0);
}

int main(int argc, char **argv)
{
	static const struct suite_test tests[] = {
		SUITE_TEST(threads_without_keys_go_without_caches),
		SUITE_TEST(exhausted_books_lose_no_memory),
		SUITE_TEST(quota_is_whole_while_another_thread_purges),
		SUITE_TEST(idle_thread_does_not_keep_a_small_quota),
		SUITE_TEST(hopeless_requests_flush_nothing),
	};

	return suite_run("exhaust", tests, sizeof(tests) / sizeof(tests[0]), argc, argv);
}
