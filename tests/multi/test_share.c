/* SPDX-License-Identifier: Apache-2.0 */
/* lend_share() and lend_open(): sharing in two lines. */
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "support/leaks.h"
#include "support/meet.h"
#include "support/role.h"
#include "support/suite.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define STRANGER     54321u

/* TSan's runtime has threads and signals of its own, and lets no forked child start a thread. */
#if defined(__SANITIZE_THREAD__)
enum { TSAN = 1 };
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
enum { TSAN = 1 };
#else
enum { TSAN = 0 };
#endif
#else
enum { TSAN = 0 };
#endif

static char name[40]; /* of this run */

/* Open by name, tell what came of it; wait, read again, close. */
static int reader(int parent, int link, const char *argument)
{
	const struct lend_arena *arena;
	int err;

	(void)link;
	err = lend_open(argument, meet_deadline(), &arena);
	CHILD_CHECK(err || meet_reads(arena, "roads"));
	CHILD_CHECK(child_tell_number(parent, err));
	if (err)
		return 0;
	(void)child_await(parent);
	CHILD_CHECK(meet_reads(arena, "roads"));
	CHILD_CHECK(!lend_close(arena));
	CHILD_CHECK(lend_close(arena) == -ESTALE);
	return 0;
}

/* Share by name, tell what came of it; until killed. */
static int sharer(int parent, int link, const char *argument)
{
	struct lend_arena *arena = meet_arena("roads");

	(void)link;
	CHILD_CHECK(arena);
	CHILD_CHECK(child_tell_number(parent, lend_share(arena, argument)));
	(void)child_await(parent);
	return 0;
}

static long long told(struct child *child)
{
	long long number = 1;

	CU_ASSERT_TRUE(child_await_number(child->sock, &number));
	return number;
}

/* Threads of this process, and whether one is the helper with all signals blocked. */
static int count_threads(int *out_helpers)
{
	/* Bit n - 1 is signal n. All but those the C library keeps are blocked; these stand for them. */
	const unsigned long long wanted = 1ull << (SIGINT - 1) | 1ull << (SIGTERM - 1) |
					  1ull << (SIGALRM - 1) | 1ull << (SIGCHLD - 1) |
					  1ull << (SIGRTMAX - 1);
	unsigned long long blocked;
	struct dirent *entry;
	char path[300];
	char line[128];
	DIR *dir = opendir("/proc/self/task");
	int count = 0;

	*out_helpers = 0;
	while (dir && (entry = readdir(dir))) {
		FILE *status;
		int named = 0;

		(void)snprintf(path, sizeof(path), "/proc/self/task/%s/status", entry->d_name);
		if (entry->d_name[0] == '.' || !(status = fopen(path, "re")))
			continue;
		count++;
		while (fgets(line, sizeof(line), status)) {
			named |= strstr(line, "lendheap-share") != NULL;
			if (named && sscanf(line, "SigBlk: %llx", &blocked) == 1)
				*out_helpers += (blocked & wanted) == wanted;
		}
		(void)fclose(status);
	}
	if (dir)
		(void)closedir(dir);
	return count;
}

CLEAN_TEST(reader_opens_what_is_shared)
{
	struct lend_arena *arena = meet_arena("roads");
	struct child child;

	CU_ASSERT_EQUAL(lend_share(arena, name), 0);
	child = role_start("reader", -1, name);
	CU_ASSERT_EQUAL(told(&child), 0);
	CU_ASSERT_EQUAL(lend_unshare(arena), 0);
	CU_ASSERT_TRUE(child_tell(child.sock));
	CU_ASSERT_EQUAL(child_end(&child), 0);
	CU_ASSERT_EQUAL(lend_arena_destroy(arena), 0);
}

CLEAN_TEST(reader_waits_for_it_to_be_shared)
{
	struct lend_arena *arena = meet_arena("roads");
	struct child child = role_start("reader", -1, name);
	struct timespec delay = {0, 50000000};

	(void)nanosleep(&delay, NULL);
	CU_ASSERT_EQUAL(lend_share(arena, name), 0);
	CU_ASSERT_EQUAL(told(&child), 0);
	CU_ASSERT_TRUE(child_tell(child.sock));
	CU_ASSERT_EQUAL(child_end(&child), 0);
	CU_ASSERT_EQUAL(lend_arena_destroy(arena), 0);
}

CLEAN_TEST(open_gives_up_at_its_deadline)
{
	const struct lend_arena *none = NULL;
	lend_deadline start = lend_deadline_in_ms(0);
	int64_t ms;

	CU_ASSERT_EQUAL(lend_open(name, lend_deadline_in_ms(60), &none), -ETIMEDOUT);
	ms = (lend_deadline_in_ms(0).ns - start.ns) / 1000000;
	CU_ASSERT(ms >= 60 && ms < 5000);
	CU_ASSERT_PTR_NOT_NULL(strstr(lend_error_detail(), name));
	CU_ASSERT_PTR_NULL(none);
	CU_ASSERT_EQUAL(lend_open(name, lend_deadline_in_ms(0), &none), -ETIMEDOUT);
}

CLEAN_TEST(name_is_served_once)
{
	struct lend_arena *arena = meet_arena("roads");
	struct lend_arena *other = meet_arena("other");
	struct child child = role_start("sharer", -1, name);

	CU_ASSERT_EQUAL(told(&child), 0);
	CU_ASSERT_EQUAL(lend_share(arena, name), -EADDRINUSE);
	CU_ASSERT_PTR_NOT_NULL(strstr(lend_error_detail(), name));
	child_kill(&child);
	CU_ASSERT_EQUAL(lend_share(arena, name), 0);
	CU_ASSERT_EQUAL(lend_share(other, name), -EADDRINUSE);
	CU_ASSERT_EQUAL(lend_share(arena, "another name"), -EBUSY);
	CU_ASSERT_EQUAL(lend_unshare(other), -ENOENT);
	CU_ASSERT_EQUAL(lend_unshare(arena), 0);
	CU_ASSERT_EQUAL(lend_unshare(arena), -ENOENT);
	CU_ASSERT_EQUAL(lend_share(other, name), 0);
	CU_ASSERT_EQUAL(lend_arena_destroy(other), 0);
	CU_ASSERT_EQUAL(lend_arena_destroy(arena), 0);
}

CLEAN_TEST(one_thread_serves_all_and_ends_with_the_last)
{
	struct lend_arena *arenas[3];
	char names[3][64];
	int threads;
	int helpers;
	int i;

	threads = count_threads(&helpers);
	CU_ASSERT_EQUAL(helpers, 0);
	for (i = 0; i < 3; i++) {
		arenas[i] = meet_arena("roads");
		(void)snprintf(names[i], sizeof(names[i]), "%s.%d", name, i);
		CU_ASSERT_EQUAL(lend_share(arenas[i], names[i]), 0);
		CU_ASSERT_EQUAL(count_threads(&helpers), threads + 1);
		CU_ASSERT(TSAN || helpers == 1);
	}
	for (i = 0; i < 3; i++) {
		struct child child = role_start("reader", -1, names[i]);

		CU_ASSERT_EQUAL(told(&child), 0);
		CU_ASSERT_EQUAL(child_tell(child.sock), 1);
		CU_ASSERT_EQUAL(child_end(&child), 0);
	}
	CU_ASSERT_EQUAL(lend_unshare(arenas[0]), 0);
	CU_ASSERT_EQUAL(lend_arena_destroy(arenas[1]), 0);
	CU_ASSERT_EQUAL(count_threads(&helpers), threads + 1);
	CU_ASSERT_EQUAL(lend_arena_destroy(arenas[2]), 0);
	CU_ASSERT_EQUAL(count_threads(&helpers), threads);
	CU_ASSERT_EQUAL(lend_share(arenas[0], name), 0); /* and it starts again */
	CU_ASSERT_EQUAL(lend_arena_destroy(arenas[0]), 0);
	CU_ASSERT_EQUAL(lend_share(arenas[0], name), -ESTALE);
}

CLEAN_TEST(destroy_while_shared_leaves_borrowers_their_memory)
{
	struct lend_arena *arena = meet_arena("roads");
	struct child child;

	CU_ASSERT_EQUAL(lend_share(arena, name), 0);
	child = role_start("reader", -1, name);
	CU_ASSERT_EQUAL(told(&child), 0);
	CU_ASSERT_EQUAL(lend_arena_destroy(arena), 0);
	CU_ASSERT_TRUE(child_tell(child.sock));
	CU_ASSERT_EQUAL(child_end(&child), 0);
}

CLEAN_TEST(opening_twice_is_one_handle_to_close_twice)
{
	struct child child = role_start("sharer", -1, name);
	const struct lend_arena *first = NULL;
	const struct lend_arena *second = NULL;

	CU_ASSERT_EQUAL(told(&child), 0);
	CU_ASSERT_EQUAL(lend_open(name, meet_deadline(), &first), 0);
	CU_ASSERT_EQUAL(lend_open(name, meet_deadline(), &second), 0);
	CU_ASSERT_PTR_EQUAL(first, second);
	CU_ASSERT_EQUAL(lend_close(first), 0);
	CU_ASSERT_EQUAL(lend_close(first), 0);
	/* Closed, and opened again: at the same place. */
	CU_ASSERT_EQUAL(lend_open(name, meet_deadline(), &first), 0);
	CU_ASSERT_EQUAL(lend_open(name, meet_deadline(), &second), 0);
	CU_ASSERT_TRUE(meet_reads(first, "roads"));
	child_kill(&child);
	CU_ASSERT_EQUAL(lend_open(name, lend_deadline_in_ms(30), &second), -ETIMEDOUT);
	CU_ASSERT_EQUAL(lend_close(first), 0);
	CU_ASSERT_TRUE(
		meet_reads(first, "roads")); /* its owner is dead, it is still held once */
	CU_ASSERT_EQUAL(lend_close(first), 0);
	CU_ASSERT_EQUAL(lend_close(first), -ESTALE);
	CU_ASSERT_EQUAL(lend_close(NULL), -EINVAL);
}

CLEAN_TEST(own_arena_is_not_opened)
{
	struct lend_arena *arena = meet_arena("roads");
	const struct lend_arena *again = NULL;

	CU_ASSERT_EQUAL(lend_share(arena, name), 0);
	CU_ASSERT_EQUAL(lend_open(name, meet_deadline(), &again), -EEXIST);
	CU_ASSERT_EQUAL(lend_close(arena), -EPERM);
	CU_ASSERT_EQUAL(lend_arena_destroy(arena), 0);
}

CLEAN_TEST(stopped_owner_is_a_timeout)
{
	struct child child = role_start("sharer", -1, name);
	const struct lend_arena *none;
	int status;

	CU_ASSERT_EQUAL(told(&child), 0);
	CU_ASSERT_EQUAL(kill(child.pid, SIGSTOP), 0);
	CU_ASSERT_EQUAL(waitpid(child.pid, &status, WUNTRACED), child.pid);
	CU_ASSERT_EQUAL(lend_open(name, lend_deadline_in_ms(50), &none), -ETIMEDOUT);
	child_kill(&child);
}

/* Another user takes the name, and answers as lendheap does. */
static int squatter(int parent, int link, const char *argument)
{
	struct lend_session_options options;
	struct meet_log log = {.closed = 0};
	struct lend_server *server;
	char address[100];

	(void)link;
	(void)snprintf(address, sizeof(address), "@lendheap/share/%u/%s", (unsigned)geteuid(),
		argument);
	if (setgid(STRANGER) || setuid(STRANGER))
		return CHILD_SKIPPED;
	options = meet_options(&log); /* admits everyone */
	CHILD_CHECK(!lend_server_create(address, &options, &server));
	CHILD_CHECK(child_tell(parent));
	CHILD_CHECK(meet_server(server, &log.closed, 1));
	CHILD_CHECK(log.closed_err == -EACCES);
	return 0;
}

CLEAN_TEST(stranger_who_took_the_name_is_refused)
{
	struct child child = role_start("squatter", -1, name);
	const struct lend_arena *none;

	if (geteuid() != 0) {
		CU_ASSERT_EQUAL(child_end(&child), CHILD_SKIPPED);
		return;
	}
	CU_ASSERT_TRUE(child_await(child.sock));
	CU_ASSERT_EQUAL(lend_open(name, meet_deadline(), &none), -EACCES);
	CU_ASSERT_PTR_NOT_NULL(strstr(lend_error_detail(), "user 54321"));
	CU_ASSERT_EQUAL(child_end(&child), 0);
}

/* In a forked child: the parent's shares are not ours, and we can share what is. */
static int share_after_fork(int parent, void *argument)
{
	struct lend_arena *theirs = argument;
	struct lend_arena *mine = meet_arena("roads");
	char other[50];

	(void)parent;
	(void)snprintf(other, sizeof(other), "%s.forked", name);
	CHILD_CHECK(lend_unshare(theirs) == -ENOENT);
	CHILD_CHECK(lend_share(theirs, other) == -EPERM);
	CHILD_CHECK(mine);
	CHILD_CHECK(TSAN || !lend_share(mine, other));
	CHILD_CHECK(child_tell(parent) && child_await(parent));
	return lend_arena_destroy(mine) ? CHILD_FAILED : 0;
}

CLEAN_TEST(forked_child_neither_ends_nor_inherits_a_share)
{
	struct lend_arena *arena = meet_arena("roads");
	const struct lend_arena *theirs;
	struct child forked;
	struct child child;
	char other[50];

	(void)snprintf(other, sizeof(other), "%s.forked", name);
	CU_ASSERT_EQUAL(lend_share(arena, name), 0);
	forked = child_start(share_after_fork, arena);
	CU_ASSERT_TRUE(child_await(forked.sock));
	child = role_start("reader", -1, name);
	CU_ASSERT_EQUAL(told(&child), 0);
	if (!TSAN) {
		CU_ASSERT_EQUAL_FATAL(lend_open(other, meet_deadline(), &theirs), 0);
		CU_ASSERT_TRUE(meet_reads(theirs, "roads"));
		CU_ASSERT_EQUAL(lend_close(theirs), 0);
	}
	CU_ASSERT_TRUE(child_tell(forked.sock));
	CU_ASSERT_EQUAL(child_end(&forked), 0);
	CU_ASSERT_TRUE(child_tell(child.sock));
	CU_ASSERT_EQUAL(child_end(&child), 0);
	CU_ASSERT_EQUAL(lend_arena_destroy(arena), 0);
	/* Its name went with it, though the child outlived nothing of it. */
	CU_ASSERT_EQUAL(lend_open(name, lend_deadline_in_ms(20), &theirs), -ETIMEDOUT);
}

CLEAN_TEST(many_readers_come_at_once)
{
	enum { READERS = 12 };
	struct lend_arena *arena = meet_arena("roads");
	struct child readers[READERS];
	int i;

	for (i = 0; i < READERS; i++)
		readers[i] = role_start("reader", -1, name);
	CU_ASSERT_EQUAL(lend_share(arena, name), 0);
	for (i = 0; i < READERS; i++)
		CU_ASSERT_EQUAL(told(&readers[i]), 0);
	for (i = 0; i < READERS; i++) {
		CU_ASSERT_TRUE(child_tell(readers[i].sock));
		CU_ASSERT_EQUAL(child_end(&readers[i]), 0);
	}
	CU_ASSERT_EQUAL(lend_arena_destroy(arena), 0);
}

CLEAN_TEST(wrong_arguments_are_refused)
{
	const struct lend_arena *none;
	struct lend_arena *arena = meet_arena("roads");
	char longer[65];

	memset(longer, 'x', sizeof(longer));
	longer[64] = 0;
	memcpy(longer, name, strlen(name)); /* other runs of this test share at the same time */
	CU_ASSERT_EQUAL(lend_share(NULL, name), -EINVAL);
	CU_ASSERT_EQUAL(lend_share(arena, ""), -EINVAL);
	CU_ASSERT_EQUAL(lend_share(arena, NULL), -EINVAL);
	CU_ASSERT_EQUAL(lend_share(arena, longer), -EINVAL);
	CU_ASSERT_EQUAL(lend_open("", meet_deadline(), &none), -EINVAL);
	CU_ASSERT_EQUAL(lend_open(NULL, meet_deadline(), &none), -EINVAL);
	CU_ASSERT_EQUAL(lend_open(longer, meet_deadline(), &none), -EINVAL);
	CU_ASSERT_EQUAL(lend_open(name, meet_deadline(), NULL), -EINVAL);
	longer[63] = 0;
	CU_ASSERT_EQUAL(lend_share(arena, longer), 0);
	CU_ASSERT_EQUAL(lend_arena_destroy(arena), 0);
	CU_ASSERT_STRING_EQUAL(lend_version(), "0.1.0");
}

static const struct role roles[] = {
	ROLE(reader),
	ROLE(sharer),
	ROLE(squatter),
};

static const struct suite_test tests[] = {
	SUITE_TEST(reader_opens_what_is_shared),
	SUITE_TEST(reader_waits_for_it_to_be_shared),
	SUITE_TEST(open_gives_up_at_its_deadline),
	SUITE_TEST(name_is_served_once),
	SUITE_TEST(one_thread_serves_all_and_ends_with_the_last),
	SUITE_TEST(destroy_while_shared_leaves_borrowers_their_memory),
	SUITE_TEST(opening_twice_is_one_handle_to_close_twice),
	SUITE_TEST(own_arena_is_not_opened),
	SUITE_TEST(stopped_owner_is_a_timeout),
	SUITE_TEST(stranger_who_took_the_name_is_refused),
	SUITE_TEST(forked_child_neither_ends_nor_inherits_a_share),
	SUITE_TEST(many_readers_come_at_once),
	SUITE_TEST(wrong_arguments_are_refused),
};

int main(int argc, char **argv)
{
	int status = role_main(roles, COUNT(roles), argc, argv);

	if (status >= 0)
		return status;
	(void)snprintf(name, sizeof(name), "test.share.%d", (int)getpid());
	return suite_run("share", tests, COUNT(tests), argc, argv);
}
