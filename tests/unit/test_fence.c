/* SPDX-License-Identifier: Apache-2.0 */
/* The fence of an arena: one owner, inside a process and with forked children. */
#include "support/suite.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <unistd.h>

#include <lendheap/alloc.h>

#include "arena/arena.h"
#include "os/os.h"
#include "support/child.h"
#include "support/leaks.h"
#include "support/tools.h"

static bool detail_says(const char *part)
{
	return strstr(lend_error_detail(), part) != NULL;
}

static int copy_fd(int fd)
{
	return fcntl(fd, F_DUPFD_CLOEXEC, 0);
}

CLEAN_TEST(fence_new_is_held_and_goes_with_release)
{
	struct lendi_fence fence;

	CU_ASSERT_EQUAL_FATAL(lendi_fence_create(&fence), 0);
	CU_ASSERT_TRUE(lendi_fence_held(&fence));
	CU_ASSERT_NOT_EQUAL(fcntl(fence.fd, F_GETFD) & FD_CLOEXEC, 0);
	lendi_fence_release(&fence);
	CU_ASSERT_EQUAL(fence.fd, -1);
	CU_ASSERT_FALSE(lendi_fence_held(&fence));
}

CLEAN_TEST(fence_locked_twice_in_a_process_is_busy)
{
	struct lendi_fence fence;
	struct lendi_fence again;
	int copy;

	CU_ASSERT_EQUAL_FATAL(lendi_fence_create(&fence), 0);
	copy = copy_fd(fence.fd);
	CU_ASSERT_EQUAL(lendi_fence_lock(copy, &again), -EBUSY);
	CU_ASSERT_TRUE(detail_says("this process already"));
	CU_ASSERT_TRUE(lendi_fence_held(&fence)); /* the refused FD is open still */
	lendi_fence_release(&fence);
	/* With the first gone, the copy is as good as any. */
	CU_ASSERT_EQUAL_FATAL(lendi_fence_lock(copy, &again), 0);
	CU_ASSERT_TRUE(lendi_fence_held(&again));
	lendi_fence_release(&again);
}

CLEAN_TEST(fence_lost_by_closing_a_copy_is_noticed)
{
	struct lendi_fence fence;

	CU_ASSERT_EQUAL_FATAL(lendi_fence_create(&fence), 0);
	(void)close(copy_fd(fence.fd));
	CU_ASSERT_FALSE(lendi_fence_held(&fence));
	lendi_fence_release(&fence);
}

CLEAN_TEST(fence_of_what_cannot_be_locked_is_an_error)
{
	struct lendi_fence fence;
	char path[64];
	int readonly;
	int fd;

	CU_ASSERT_EQUAL_FATAL(lendi_memfd("fence", &fd), 0);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	readonly = open(path, O_RDONLY | O_CLOEXEC);
	if (readonly >= 0) {
		CU_ASSERT_EQUAL(lendi_fence_lock(readonly, &fence), -EBADF);
		CU_ASSERT_TRUE(detail_says("fence"));
		(void)close(readonly);
	}
	(void)close(fd);
	CU_ASSERT_EQUAL(lendi_fence_lock(-1, &fence), -EBADF);
}

/* closefrom() and the like: the arena stays readable, but grows no more. */
CLEAN_TEST(fence_lost_stops_the_growth_of_its_arena)
{
	struct lend_arena *arena;
	uint64_t file_bytes;
	void *large;
	char *small;

	CU_ASSERT_EQUAL_FATAL(lend_arena_create(NULL, &arena), 0);
	small = lend_alloc(arena, 100);
	CU_ASSERT_PTR_NOT_NULL_FATAL(small);
	large = lend_alloc(arena, 8 << 20);
	CU_ASSERT_PTR_NOT_NULL(large);
	file_bytes = lend_load_relaxed64(&arena->data.file_bytes);

	(void)close(copy_fd(arena->fence.fd));
	CU_ASSERT_FALSE(lendi_fence_held(&arena->fence));
	errno = 0;
	CU_ASSERT_PTR_NULL(lend_alloc(arena, 16 << 20));
	CU_ASSERT_EQUAL(errno, EPERM);
	CU_ASSERT_TRUE(detail_says("ownership"));
	CU_ASSERT_EQUAL(lend_load_relaxed64(&arena->data.file_bytes), file_bytes);
	errno = 0;
	CU_ASSERT_PTR_NULL(lend_realloc(arena, large, 32 << 20));
	CU_ASSERT_EQUAL(errno, EPERM);
	*small = 1;
	lend_free(arena, small);
	lend_free(arena, large);
	CU_ASSERT_EQUAL(lend_arena_destroy(arena), 0);
}

/* A child has neither the lock nor, once the parent is gone, a reason not to get it. */
static int try_as_child(int parent, void *argument)
{
	struct lendi_fence *inherited = argument;
	struct lendi_fence fence;
	int fd = copy_fd(inherited->fd);

	(void)parent;
	CHILD_CHECK(!lendi_fence_held(inherited));
	CHILD_CHECK(lendi_fence_lock(fd, &fence) == -EBUSY);
	CHILD_CHECK(detail_says("another process"));
	return 0;
}

CLEAN_TEST(fence_is_not_a_forked_child_s)
{
	struct lendi_fence fence;

	CU_ASSERT_EQUAL_FATAL(lendi_fence_create(&fence), 0);
	CU_ASSERT_EQUAL(child_run(try_as_child, &fence), 0);
	CU_ASSERT_TRUE(lendi_fence_held(&fence));
	lendi_fence_release(&fence);
}

static int lock_after_parent(int parent, void *argument)
{
	struct lendi_fence *inherited = argument;
	struct lendi_fence fence;
	int fd = copy_fd(inherited->fd);

	CHILD_CHECK(child_tell(parent));
	CHILD_CHECK(child_await(parent));
	/* The parent has let go; what it had locked at the fork is not ours to mind. */
	CHILD_CHECK(lendi_fence_lock(fd, &fence) == 0);
	CHILD_CHECK(lendi_fence_held(&fence));
	return 0;
}

CLEAN_TEST(fence_let_go_by_the_parent_can_be_locked_by_its_child)
{
	struct lendi_fence fence;
	struct child child;

	CU_ASSERT_EQUAL_FATAL(lendi_fence_create(&fence), 0);
	child = child_start(lock_after_parent, &fence);
	CU_ASSERT_TRUE(child_await(child.sock));
	lendi_fence_release(&fence);
	CU_ASSERT_TRUE(child_tell(child.sock));
	CU_ASSERT_EQUAL(child_end(&child), 0);
}

/*
 * Threads of one process that want one fence, each with FDs of its own. Whoever is told it has
 * the lock must have it, also while another is just letting go.
 */
enum { RIVALS = 4, TURNS = 200 };

struct rival {
	pthread_t thread;
	int fds[TURNS];
	unsigned won;
	unsigned lost; /* told to have what it had not */
};

static lend_word32 inside;
static lend_word32 doubles;

static void *race_in_process(void *argument)
{
	struct rival *rival = argument;
	struct lendi_fence fence;
	int i;
	int k;

	for (i = 0; i < TURNS; i++) {
		if (lendi_fence_lock(rival->fds[i], &fence)) {
			(void)sched_yield();
			continue; /* the FD stays open: closing it would drop the winner's lock */
		}
		if (__atomic_add_fetch(&inside.raw, 1, __ATOMIC_ACQ_REL) != 1)
			(void)__atomic_add_fetch(&doubles.raw, 1, __ATOMIC_RELAXED);
		rival->won++;
		for (k = 0; k < 40; k++)
			(void)sched_yield();
		if (!lendi_fence_held(&fence))
			rival->lost++;
		(void)__atomic_sub_fetch(&inside.raw, 1, __ATOMIC_ACQ_REL);
		lendi_fence_release(&fence);
		rival->fds[i] = -1;
	}
	return NULL;
}

/* Letting go takes its time, so that the others come in between. */
static int close_slowly(int fd)
{
	int i;

	for (i = 0; i < 10; i++)
		(void)sched_yield();
	return close(fd);
}

CLEAN_TEST(fence_wanted_by_threads_is_one_s_at_a_time)
{
	static struct rival rivals[RIVALS];
	unsigned won = 0;
	unsigned lost = 0;
	int fd;
	int i;
	int k;

	CU_ASSERT_EQUAL_FATAL(lendi_memfd("fence", &fd), 0);
	lendi_os.close = close_slowly;
	for (i = 0; i < RIVALS; i++)
		for (k = 0; k < TURNS; k++)
			rivals[i].fds[k] = copy_fd(fd);
	for (i = 0; i < RIVALS; i++)
		CU_ASSERT_EQUAL_FATAL(
			pthread_create(&rivals[i].thread, NULL, race_in_process, &rivals[i]),
			0);
	for (i = 0; i < RIVALS; i++) {
		(void)pthread_join(rivals[i].thread, NULL);
		won += rivals[i].won;
		lost += rivals[i].lost;
	}
	lendi_os.close = close;
	CU_ASSERT(won > 0);
	CU_ASSERT_EQUAL(lost, 0);
	CU_ASSERT_EQUAL(lend_load_relaxed32(&doubles), 0);
	for (i = 0; i < RIVALS; i++)
		for (k = 0; k < TURNS; k++)
			if (rivals[i].fds[k] >= 0)
				(void)close(rivals[i].fds[k]);
	(void)close(fd);
}

/* A child forked while another thread of the parent locks and lets go must not wait for it. */
static lend_word32 stop;

static void *lock_and_release(void *argument)
{
	struct lendi_fence fence;

	(void)argument;
	while (!lend_load_relaxed32(&stop)) {
		(void)lend_window_current();
		if (lendi_fence_create(&fence) == 0)
			lendi_fence_release(&fence);
	}
	return NULL;
}

static int lock_in_child(int parent, void *argument)
{
	struct lendi_fence fence;

	(void)parent, (void)argument;
	(void)alarm(10); /* stuck is what this is about */
	(void)lend_window_current();
	CHILD_CHECK(lendi_fence_create(&fence) == 0);
	CHILD_CHECK(lendi_fence_held(&fence));
	lendi_fence_release(&fence);
	return 0;
}

CLEAN_TEST(fence_works_in_a_child_forked_beside_a_busy_thread)
{
	pthread_t thread;
	int bad = 0;
	int i;

	CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, lock_and_release, NULL), 0);
	for (i = 0; i < (under_slow_tool() ? 20 : 100) && !bad; i++)
		bad = child_run(lock_in_child, NULL);
	CU_ASSERT_EQUAL(bad, 0);
	lend_store_relaxed32(&stop, 1);
	(void)pthread_join(thread, NULL);
}

static const struct suite_test tests[] = {
	SUITE_TEST(fence_new_is_held_and_goes_with_release),
	SUITE_TEST(fence_locked_twice_in_a_process_is_busy),
	SUITE_TEST(fence_lost_by_closing_a_copy_is_noticed),
	SUITE_TEST(fence_of_what_cannot_be_locked_is_an_error),
	SUITE_TEST(fence_lost_stops_the_growth_of_its_arena),
	SUITE_TEST(fence_is_not_a_forked_child_s),
	SUITE_TEST(fence_let_go_by_the_parent_can_be_locked_by_its_child),
	SUITE_TEST(fence_wanted_by_threads_is_one_s_at_a_time),
	SUITE_TEST(fence_works_in_a_child_forked_beside_a_busy_thread),
};

SUITE_MAIN("fence", tests)
