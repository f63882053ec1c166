/* SPDX-License-Identifier: Apache-2.0 */
/* Floor os: files, deadlines, and which process image this is. */
#include "support/suite.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/child.h"
#include "support/fault.h"
#include "support/leaks.h"

CLEAN_TEST(os_memfd_is_private_and_sealable)
{
	struct stat status;
	int fd = -1;

	CU_ASSERT_EQUAL_FATAL(lendi_memfd("test", &fd), 0);
	CU_ASSERT_EQUAL(fstat(fd, &status), 0);
	CU_ASSERT_EQUAL(status.st_mode & 07777, 0600);
	CU_ASSERT_EQUAL(status.st_size, 0);
	CU_ASSERT_NOT_EQUAL(fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
	CU_ASSERT_EQUAL(fcntl(fd, F_GET_SEALS) & (F_SEAL_SEAL | F_SEAL_SHRINK), 0);
	CU_ASSERT_EQUAL(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK), 0);
	lendi_close(fd);
}

/* A kernel without MFD_NOEXEC_SEAL says EINVAL; it is asked again without. */
CLEAN_TEST(os_memfd_works_where_noexec_is_unknown)
{
	int fd = -1;

	fault_install();
	fault_plan(FAULT_memfd_create, 1, EINVAL);
	CU_ASSERT_EQUAL(lendi_memfd("test", &fd), 0);
	CU_ASSERT_EQUAL(fault_calls(FAULT_memfd_create), 2);
	lendi_close(fd);
	fault_plan_from(FAULT_memfd_create, 1, EINVAL);
	fd = -1;
	CU_ASSERT_EQUAL(lendi_memfd("test", &fd), -EINVAL);
	fault_plan(FAULT_fchmod, 1, EPERM);
	CU_ASSERT_EQUAL(lendi_memfd("test", &fd), -EPERM);
	CU_ASSERT_PTR_NOT_NULL(strstr(lend_error_detail(), "mode of memfd test"));
	CU_ASSERT_EQUAL(fd, -1);
	fault_remove();
}

CLEAN_TEST(os_close_keeps_errno)
{
	errno = EXDEV;
	lendi_close(-1);
	CU_ASSERT_EQUAL(errno, EXDEV);
	lendi_close(987654);
	CU_ASSERT_EQUAL(errno, EXDEV);
}

CLEAN_TEST(os_random_fills_or_says_why)
{
	uint8_t one[16] = {0};
	uint8_t two[16] = {0};

	CU_ASSERT_EQUAL(lendi_random(one, sizeof(one)), 0);
	CU_ASSERT_EQUAL(lendi_random(two, sizeof(two)), 0);
	CU_ASSERT_NOT_EQUAL(memcmp(one, two, sizeof(one)), 0);
	fault_install();
	fault_plan(FAULT_getrandom, 1, ENOSYS);
	CU_ASSERT_EQUAL(lendi_random(one, sizeof(one)), -ENOSYS);
	CU_ASSERT_PTR_NOT_NULL(strstr(lend_error_detail(), "16 random bytes"));
	fault_remove();
}

CLEAN_TEST(os_deadlines_are_absolute_and_round_up)
{
	lend_deadline passed = {0};
	lend_deadline soon = lend_deadline_in_ms(100000);
	int64_t now = lendi_now_ns();

	CU_ASSERT_EQUAL(lendi_deadline_poll_ms(lend_deadline_never()), -1);
	CU_ASSERT_EQUAL(lendi_deadline_poll_ms(passed), 0);
	CU_ASSERT(lendi_deadline_poll_ms(soon) > 0);
	CU_ASSERT(lendi_deadline_poll_ms(soon) <= 100000);
	/* A nanosecond is a millisecond: 0 would poll without end just before it. */
	passed.ns = now + 3600 * INT64_C(1000000000) + 1;
	CU_ASSERT(lendi_deadline_poll_ms(passed) <= 3600 * 1000 + 1);
	CU_ASSERT_EQUAL(lend_deadline_in_ms(-1).ns, INT64_MAX);
	CU_ASSERT_EQUAL(lend_deadline_in_ms(INT64_MIN).ns, INT64_MAX);
	CU_ASSERT_EQUAL(lend_deadline_in_ms(INT64_MAX).ns, INT64_MAX);
	CU_ASSERT(lend_deadline_in_ms(0).ns >= now);
	passed.ns = INT64_MAX - 1;
	CU_ASSERT_EQUAL(lendi_deadline_poll_ms(passed), INT_MAX);
}

static int compare_epoch(int parent, void *argument)
{
	uint64_t before = *(uint64_t *)argument;
	uint64_t mine = lendi_fork_epoch();

	(void)parent;
	CHILD_CHECK(mine != before);
	CHILD_CHECK(lendi_fork_epoch() == mine);
	/* A child of the child is a third. */
	if (before)
		CHILD_CHECK(child_run(compare_epoch, &(uint64_t){0}) == 0);
	return 0;
}

CLEAN_TEST(os_epoch_is_another_in_each_forked_child)
{
	uint64_t mine = lendi_fork_epoch();
	int i;

	CU_ASSERT_NOT_EQUAL(mine, 0);
	for (i = 0; i < 3; i++)
		CU_ASSERT_EQUAL(child_run(compare_epoch, &mine), 0);
	CU_ASSERT_EQUAL(lendi_fork_epoch(), mine);
}

/* No handler of ours runs in a child made by the bare system call. */
CLEAN_TEST(os_epoch_is_another_after_a_raw_clone)
{
	uint64_t mine = lendi_fork_epoch();
	int status = -1;
	pid_t pid;

	pid = (pid_t)syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);
	if (pid == 0)
		_exit(lendi_fork_epoch() == mine);
	CU_ASSERT_TRUE_FATAL(pid > 0);
	CU_ASSERT_EQUAL(waitpid(pid, &status, 0), pid);
	CU_ASSERT_EQUAL(status, 0);
}

static void *read_epoch(void *argument)
{
	*(uint64_t *)argument = lendi_fork_epoch();
	return NULL;
}

static int agree_in_threads(int parent, void *argument)
{
	pthread_t threads[4];
	uint64_t epochs[4] = {0};
	int i;

	(void)parent, (void)argument;
	for (i = 0; i < 4; i++)
		CHILD_CHECK(pthread_create(&threads[i], NULL, read_epoch, &epochs[i]) == 0);
	for (i = 0; i < 4; i++) {
		(void)pthread_join(threads[i], NULL);
		CHILD_CHECK(epochs[i] && epochs[i] == lendi_fork_epoch());
	}
	return 0;
}

/* In a child the word is blank again, and its threads may find it so all at once. */
CLEAN_TEST(os_epoch_is_one_for_all_threads)
{
	int i;

	for (i = 0; i < 10; i++)
		CU_ASSERT_EQUAL(child_run(agree_in_threads, NULL), 0);
}

static int look_at_wiped(int parent, void *argument)
{
	(void)parent;
	CHILD_CHECK(*(const uint64_t *)argument == 0);
	return 0;
}

CLEAN_TEST(os_wiped_memory_is_blank_in_a_child)
{
	uint64_t *word;
	void *at = NULL;

	CU_ASSERT_EQUAL_FATAL(lendi_map_wiped(8192, &at), 0);
	word = at;
	CU_ASSERT_EQUAL(word[0], 0);
	word[0] = 5;
	CU_ASSERT_EQUAL(child_run(look_at_wiped, word), 0);
	CU_ASSERT_EQUAL(word[0], 5);
	(void)munmap(at, 8192);

	fault_install();
	at = NULL;
	fault_plan(FAULT_madvise, 1, EINVAL);
	CU_ASSERT_EQUAL(lendi_map_wiped(4096, &at), -EINVAL);
	CU_ASSERT_PTR_NOT_NULL(strstr(lend_error_detail(), "WIPEONFORK"));
	fault_plan(FAULT_mmap, 1, ENOMEM);
	CU_ASSERT_EQUAL(lendi_map_wiped(4096, &at), -ENOMEM);
	CU_ASSERT_PTR_NULL(at);
	fault_plan(FAULT_madvise, 2, EINVAL); /* DONTDUMP alone is no reason */
	CU_ASSERT_EQUAL(lendi_map_wiped(4096, &at), 0);
	(void)munmap(at, 4096);
	fault_remove();
}

static const struct suite_test tests[] = {
	SUITE_TEST(os_memfd_is_private_and_sealable),
	SUITE_TEST(os_memfd_works_where_noexec_is_unknown),
	SUITE_TEST(os_close_keeps_errno),
	SUITE_TEST(os_random_fills_or_says_why),
	SUITE_TEST(os_deadlines_are_absolute_and_round_up),
	SUITE_TEST(os_epoch_is_another_in_each_forked_child),
	SUITE_TEST(os_epoch_is_another_after_a_raw_clone),
	SUITE_TEST(os_epoch_is_one_for_all_threads),
	SUITE_TEST(os_wiped_memory_is_blank_in_a_child),
};

SUITE_MAIN("os", tests)
