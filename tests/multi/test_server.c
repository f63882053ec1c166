/* SPDX-License-Identifier: Apache-2.0 */
/* Servers: who may come, who else serves there, and peers that do not behave in time. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "arena/arena.h"
#include "support/leaks.h"
#include "support/meet.h"
#include "support/role.h"
#include "support/suite.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define STRANGER     54321u /* a user id that is not ours */

static char address[64]; /* abstract, of this run */

/* A folder for socket files, gone after the test. */
static char folder[64];
static char path[80];

static void make_folder(void)
{
	strcpy(folder, "/tmp/lendheap-test-XXXXXX");
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(folder));
	(void)snprintf(path, sizeof(path), "%s/s", folder);
}

static void drop_folder(void)
{
	CU_ASSERT_EQUAL(rmdir(folder), 0);
}

/* Connect, tell the errno and then the sentence. */
static int caller(int parent, int link, const char *argument)
{
	struct lend_session *session;
	int err;

	(void)link;
	err = lend_session_connect(argument, NULL, meet_deadline(), &session);
	CHILD_CHECK(child_tell_number(parent, err));
	CHILD_CHECK(send(parent, lend_error_detail(), 256, 0) == 256);
	if (err)
		return 0;
	CHILD_CHECK(child_await(parent));
	lend_session_close(session);
	return 0;
}

/* Calls with a policy of its own, which refuses the server. */
static int choosy_caller(int parent, int link, const char *argument)
{
	struct meet_log log = {.admit_err = -EKEYREJECTED, .admit_reason = "not my type"};
	struct lend_session_options options = meet_options(&log);
	struct lend_session *session;

	(void)parent;
	(void)link;
	CHILD_CHECK(lend_session_connect(argument, &options, meet_deadline(), &session) ==
		    -EKEYREJECTED);
	CHILD_CHECK(strcmp(lend_error_detail(), "not my type") == 0);
	CHILD_CHECK(log.closed == 0 && log.opened == 0);
	CHILD_CHECK(log.peer.pid == getppid());
	return 0;
}

static int strange_caller(int parent, int link, const char *argument)
{
	if (setgid(STRANGER) || setuid(STRANGER))
		return CHILD_SKIPPED;
	return caller(parent, link, argument);
}

/* Another user whom the policy admits: it reads, and cannot make its FD one that writes. */
static int strange_reader(int parent, int link, const char *argument)
{
	struct meet_log log = {.closed = 0};
	struct lend_session_options options = meet_options(&log); /* admits everyone */
	const struct lend_arena *arena;
	struct lend_session *session;
	char file[64];

	(void)parent;
	(void)link;
	if (setgid(STRANGER) || setuid(STRANGER) || prctl(PR_SET_DUMPABLE, 1))
		return CHILD_SKIPPED;
	CHILD_CHECK(!lend_session_connect(argument, &options, meet_deadline(), &session));
	CHILD_CHECK(!lend_session_borrow(session, "roads", meet_deadline(), &arena));
	CHILD_CHECK(meet_reads(arena, "roads"));
	(void)snprintf(file, sizeof(file), "/proc/self/fd/%d", arena->data.fd);
	CHILD_CHECK(access(file, F_OK) == 0);
	CHILD_CHECK(open(file, O_RDWR | O_CLOEXEC) == -1 && errno == EACCES);
	CHILD_CHECK(fchmod(arena->data.fd, 0666) == -1 && errno == EPERM);
	CHILD_CHECK(!lend_close(arena));
	lend_session_close(session);
	return 0;
}

static long long told(const struct child *child, char *sentence)
{
	long long err = 1;

	CU_ASSERT_TRUE(child_await_number(child->sock, &err));
	CU_ASSERT_EQUAL(recv(child->sock, sentence, 256, 0), 256);
	return err;
}

CLEAN_TEST(policy_refuses_with_one_reason_on_both_sides)
{
	struct meet_log log = {.admit_err = -EKEYREVOKED, .admit_reason = "we are closed"};
	struct lend_session_options options = meet_options(&log);
	struct lend_server *server;
	struct child child;
	char sentence[256];

	CU_ASSERT_EQUAL_FATAL(lend_server_create(address, &options, &server), 0);
	child = role_start("caller", -1, address);
	CU_ASSERT_TRUE(meet_server(server, &log.closed, 1));
	CU_ASSERT_EQUAL(log.closed_err, -EKEYREVOKED);
	CU_ASSERT_STRING_EQUAL(log.closed_reason, "we are closed");
	CU_ASSERT_EQUAL(told(&child, sentence), -EKEYREVOKED);
	CU_ASSERT_STRING_EQUAL(sentence, "the peer refused the session: we are closed");
	CU_ASSERT_EQUAL(child_end(&child), 0);
	CU_ASSERT_EQUAL(log.opened, 0);
	lend_server_destroy(server);
}

CLEAN_TEST(caller_too_may_refuse)
{
	struct meet_log log = {.closed = 0};
	struct lend_session_options options = meet_options(&log);
	struct lend_server *server;
	struct child child;

	CU_ASSERT_EQUAL_FATAL(lend_server_create(address, &options, &server), 0);
	child = role_start("choosy_caller", -1, address);
	CU_ASSERT_TRUE(meet_server(server, &log.closed, 1));
	CU_ASSERT_EQUAL(log.closed_err, -EKEYREJECTED);
	CU_ASSERT_PTR_NOT_NULL(strstr(log.closed_reason, "not my type"));
	CU_ASSERT_EQUAL(child_end(&child), 0);
	lend_server_destroy(server);
}

CLEAN_TEST(without_a_policy_another_user_is_refused)
{
	struct lend_session_options options;
	struct meet_log log = {.closed = 0};
	struct lend_server *server;
	struct child child;
	char sentence[256];

	options = meet_options(&log);
	options.admit = NULL;
	CU_ASSERT_EQUAL_FATAL(lend_server_create(address, &options, &server), 0);
	child = role_start("strange_caller", -1, address);
	CU_ASSERT_TRUE(meet_child(server, child.sock));
	if (geteuid() != 0) {
		CU_ASSERT_EQUAL(child_end(&child), CHILD_SKIPPED);
	} else {
		CU_ASSERT_EQUAL(told(&child, sentence), -EACCES);
		CU_ASSERT_PTR_NOT_NULL(strstr(sentence, "user 54321"));
		CU_ASSERT_EQUAL(child_end(&child), 0);
		CU_ASSERT_EQUAL(log.closed_err, -EACCES);
	}
	lend_server_destroy(server);
}

CLEAN_TEST(admitted_stranger_reads_and_cannot_reopen_to_write)
{
	struct meet_log log = {.closed = 0};
	struct lend_session_options options = meet_options(&log);
	struct lend_arena *arena = meet_arena("roads");
	struct lend_server *server;
	struct child child;

	CU_ASSERT_EQUAL_FATAL(lend_server_create(address, &options, &server), 0);
	CU_ASSERT_EQUAL(lend_server_offer(server, arena, NULL), 0);
	child = role_start("strange_reader", -1, address);
	if (geteuid() == 0) {
		CU_ASSERT_TRUE(meet_server(server, &log.closed, 1));
		CU_ASSERT_EQUAL(log.closed_err, -ENOLINK);
		CU_ASSERT_EQUAL(log.peer.uid, STRANGER);
		CU_ASSERT_EQUAL(child_end(&child), 0);
	} else {
		CU_ASSERT_EQUAL(child_end(&child), CHILD_SKIPPED);
	}
	lend_server_destroy(server);
	CU_ASSERT_EQUAL(lend_arena_destroy(arena), 0);
}

CLEAN_TEST(socket_file_is_for_its_user_only)
{
	struct lend_server *server;
	struct stat status;
	mode_t mask = umask(0);

	make_folder();
	CU_ASSERT_EQUAL_FATAL(lend_server_create(path, NULL, &server), 0);
	(void)umask(mask);
	CU_ASSERT_EQUAL(lstat(path, &status), 0);
	CU_ASSERT_TRUE(S_ISSOCK(status.st_mode));
	CU_ASSERT_EQUAL(status.st_mode & 0777, 0600);
	lend_server_destroy(server);
	drop_folder();
}

CLEAN_TEST(second_server_at_an_address_is_refused)
{
	struct lend_server *server;
	struct lend_server *other;
	const char *where;
	int i;

	make_folder();
	for (i = 0; i < 2; i++) {
		where = i ? path : address;
		CU_ASSERT_EQUAL_FATAL(lend_server_create(where, NULL, &server), 0);
		CU_ASSERT_EQUAL(lend_server_create(where, NULL, &other), -EADDRINUSE);
		CU_ASSERT_PTR_NOT_NULL(strstr(lend_error_detail(), where));
		CU_ASSERT_EQUAL(lend_server_dispatch(server), 0); /* the probe was no event */
		lend_server_destroy(server);
	}
	drop_folder();
}

CLEAN_TEST(file_that_is_no_socket_stays)
{
	struct lend_server *server;
	int fd;

	make_folder();
	fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
	CU_ASSERT_TRUE(fd >= 0);
	CU_ASSERT_EQUAL(lend_server_create(path, NULL, &server), -EADDRINUSE);
	CU_ASSERT_PTR_NOT_NULL(strstr(lend_error_detail(), "no socket"));
	CU_ASSERT_EQUAL(unlink(path), 0);
	(void)close(fd);
	drop_folder();
}

CLEAN_TEST(destroy_leaves_a_successors_file_alone)
{
	struct lend_server *server;
	struct stat status;
	int fd;

	make_folder();
	CU_ASSERT_EQUAL_FATAL(lend_server_create(path, NULL, &server), 0);
	CU_ASSERT_EQUAL(unlink(path), 0);
	fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
	lend_server_destroy(server);
	CU_ASSERT_EQUAL(lstat(path, &status), 0);
	CU_ASSERT_EQUAL(unlink(path), 0);
	(void)close(fd);
	drop_folder();
}

/* Serve at a path until told to go; tell whether it was possible. */
static int one_server(int parent, int link, const char *argument)
{
	struct lend_server *server;
	int err;

	(void)link;
	CHILD_CHECK(child_await(parent));
	err = lend_server_create(argument, NULL, &server);
	CHILD_CHECK(child_tell_number(parent, err));
	(void)child_await(parent);
	return 0; /* without a word: the file stays, as after a kill */
}

static void leave_dead_file(void)
{
	struct child child = role_start("one_server", -1, path);
	long long err = 1;

	CU_ASSERT_TRUE(child_tell(child.sock));
	CU_ASSERT_TRUE(child_await_number(child.sock, &err));
	CU_ASSERT_EQUAL(err, 0);
	child_kill(&child);
	CU_ASSERT_EQUAL(access(path, F_OK), 0);
}

CLEAN_TEST(dead_servers_file_is_replaced)
{
	struct lend_session *session;
	struct lend_server *server;

	make_folder();
	leave_dead_file();
	CU_ASSERT_EQUAL(
		lend_session_connect(path, NULL, meet_deadline(), &session), -ECONNREFUSED);
	CU_ASSERT_EQUAL_FATAL(lend_server_create(path, NULL, &server), 0);
	lend_server_destroy(server);
	CU_ASSERT_EQUAL(lend_session_connect(path, NULL, meet_deadline(), &session), -ENOENT);
	drop_folder();
}

CLEAN_TEST(one_of_many_replaces_a_dead_file)
{
	enum { RIVALS = 8, ROUNDS = 3 };
	struct child rivals[RIVALS];
	long long err;
	int round;
	int won;
	int i;

	make_folder();
	leave_dead_file();
	for (round = 0; round < ROUNDS; round++) {
		for (i = 0; i < RIVALS; i++)
			rivals[i] = role_start("one_server", -1, path);
		for (i = 0; i < RIVALS; i++)
			CU_ASSERT_TRUE(child_tell(rivals[i].sock));
		for (i = 0, won = 0; i < RIVALS; i++) {
			CU_ASSERT_TRUE(child_await_number(rivals[i].sock, &err));
			CU_ASSERT(err == 0 || err == -EADDRINUSE);
			won += err == 0;
		}
		CU_ASSERT_EQUAL(won, 1);
		for (i = 0; i < RIVALS; i++)
			child_kill(&rivals[i]);
	}
	CU_ASSERT_EQUAL(unlink(path), 0);
	drop_folder();
}

static int raw_connect(void)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	memcpy(name.sun_path + 1, address + 1, strlen(address + 1));
	if (connect(fd, (struct sockaddr *)&name,
		    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(address))))
		perror("connect");
	return fd;
}

CLEAN_TEST(silent_peer_is_dropped_in_time_and_hides_no_other)
{
	struct meet_log log = {.closed = 0};
	struct lend_session_options options = meet_options(&log);
	struct lend_server *server;
	struct child child;
	char sentence[256];
	int fd;

	options.handshake_ms = 100;
	CU_ASSERT_EQUAL_FATAL(lend_server_create(address, &options, &server), 0);
	fd = raw_connect();
	child = role_start("caller", -1, address);
	CU_ASSERT_TRUE(meet_server(server, &log.opened, 1));
	CU_ASSERT_EQUAL(told(&child, sentence), 0);
	CU_ASSERT_TRUE(meet_server(server, &log.closed, 1));
	CU_ASSERT_EQUAL(log.closed_err, -ETIMEDOUT);
	CU_ASSERT_EQUAL(lend_server_session_count(server), 1);
	CU_ASSERT_TRUE(child_tell(child.sock));
	CU_ASSERT_TRUE(meet_server(server, &log.closed, 2));
	CU_ASSERT_EQUAL(child_end(&child), 0);
	(void)close(fd);
	lend_server_destroy(server);
}

CLEAN_TEST(one_session_too_many_is_told_so)
{
	struct meet_log log = {.closed = 0};
	struct lend_session_options options = meet_options(&log);
	struct lend_server *server;
	struct child first;
	struct child second;
	char sentence[256];

	options.session_count_max = 1;
	CU_ASSERT_EQUAL_FATAL(lend_server_create(address, &options, &server), 0);
	first = role_start("caller", -1, address);
	CU_ASSERT_TRUE(meet_server(server, &log.opened, 1));
	CU_ASSERT_EQUAL(told(&first, sentence), 0);
	second = role_start("caller", -1, address);
	CU_ASSERT_TRUE(meet_child(server, second.sock));
	CU_ASSERT_EQUAL(told(&second, sentence), -EAGAIN);
	CU_ASSERT_PTR_NOT_NULL(strstr(sentence, "1 sessions"));
	CU_ASSERT_EQUAL(child_end(&second), 0);
	CU_ASSERT_TRUE(child_tell(first.sock));
	CU_ASSERT_TRUE(meet_server(server, &log.closed, 1));
	CU_ASSERT_EQUAL(child_end(&first), 0);
	lend_server_destroy(server);
}

CLEAN_TEST(server_out_of_fds_waits_without_a_busy_loop)
{
	struct meet_log log = {.closed = 0};
	struct lend_session_options options = meet_options(&log);
	struct rlimit kept;
	struct rlimit tight;
	struct lend_server *server;
	struct pollfd fd;
	struct child child;
	char sentence[256];
	int64_t turns = 0;
	lend_deadline end;

	CU_ASSERT_EQUAL_FATAL(lend_server_create(address, &options, &server), 0);
	child = role_start("caller", -1, address);
	fd = (struct pollfd){.fd = lend_server_fd(server), .events = POLLIN};
	CU_ASSERT_EQUAL(poll(&fd, 1, MEET_MS), 1);
	CU_ASSERT_EQUAL(getrlimit(RLIMIT_NOFILE, &kept), 0);
	tight = kept;
	tight.rlim_cur = 3; /* what is open stays open */
	CU_ASSERT_EQUAL(setrlimit(RLIMIT_NOFILE, &tight), 0);
	for (end = lend_deadline_in_ms(350); lend_deadline_in_ms(0).ns < end.ns; turns++) {
		(void)poll(&fd, 1, 50);
		CU_ASSERT_EQUAL(lend_server_dispatch(server), 0);
	}
	CU_ASSERT(turns < 30);
	CU_ASSERT_EQUAL(log.opened, 0);
	CU_ASSERT_EQUAL(setrlimit(RLIMIT_NOFILE, &kept), 0);
	CU_ASSERT_TRUE(meet_server(server, &log.opened, 1));
	CU_ASSERT_EQUAL(told(&child, sentence), 0);
	CU_ASSERT_TRUE(child_tell(child.sock));
	CU_ASSERT_TRUE(meet_server(server, &log.closed, 1));
	CU_ASSERT_EQUAL(child_end(&child), 0);
	lend_server_destroy(server);
}

CLEAN_TEST(stopped_server_is_a_timeout)
{
	struct lend_session *session;
	struct child child;
	long long err;
	int status;

	child = role_start("one_server", -1, address);
	CU_ASSERT_TRUE(child_tell(child.sock));
	CU_ASSERT_TRUE(child_await_number(child.sock, &err));
	CU_ASSERT_EQUAL(kill(child.pid, SIGSTOP), 0);
	CU_ASSERT_EQUAL(waitpid(child.pid, &status, WUNTRACED), child.pid);
	CU_ASSERT_EQUAL(lend_session_connect(address, NULL, lend_deadline_in_ms(50), &session),
		-ETIMEDOUT);
	child_kill(&child);
	CU_ASSERT_EQUAL(lend_session_connect(address, NULL, lend_deadline_in_ms(50), &session),
		-ECONNREFUSED);
}

CLEAN_TEST(wrong_arguments_are_refused)
{
	char longer[LEND_ADDRESS_BYTES_MAX + 2];
	struct lend_session_options options = {.struct_bytes = 8};
	struct lend_session *session;
	struct lend_server *server;
	int fds[2];

	memset(longer, 'x', sizeof(longer));
	longer[sizeof(longer) - 1] = 0;
	CU_ASSERT_EQUAL(lend_server_create(longer, NULL, &server), -EINVAL);
	CU_ASSERT_EQUAL(lend_server_create("", NULL, &server), -EINVAL);
	CU_ASSERT_EQUAL(lend_server_create("@", NULL, &server), -EINVAL);
	CU_ASSERT_EQUAL(lend_server_create(NULL, NULL, &server), -EINVAL);
	CU_ASSERT_EQUAL(lend_server_create(address, &options, &server), -EINVAL);
	options = (struct lend_session_options){.flags = 1u << 30};
	CU_ASSERT_EQUAL(lend_server_create(address, &options, &server), -EINVAL);
	CU_ASSERT_EQUAL(lend_session_connect(longer, NULL, meet_deadline(), &session), -EINVAL);
	CU_ASSERT_EQUAL(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	CU_ASSERT_EQUAL(
		lend_session_start(fds[0], LEND_SESSION_CONNECTS, NULL, &session), -EINVAL);
	CU_ASSERT_EQUAL(close(fds[0]) | close(fds[1]), 0);
	CU_ASSERT_TRUE(meet_pair(fds));
	CU_ASSERT_EQUAL(lend_session_start(fds[0], 3, NULL, &session), -EINVAL);
	CU_ASSERT_EQUAL(close(fds[0]) | close(fds[1]), 0);
	CU_ASSERT_EQUAL(lend_session_start(-1, LEND_SESSION_CONNECTS, NULL, &session), -EBADF);
	CU_ASSERT_EQUAL(lend_session_dispatch(NULL), -EINVAL);
	CU_ASSERT_EQUAL(lend_server_dispatch(NULL), -EINVAL);
	lend_session_close(NULL);
	lend_server_destroy(NULL);
}

static const struct role roles[] = {
	ROLE(caller),
	ROLE(choosy_caller),
	ROLE(strange_caller),
	ROLE(strange_reader),
	ROLE(one_server),
};

static const struct suite_test tests[] = {
	SUITE_TEST(policy_refuses_with_one_reason_on_both_sides),
	SUITE_TEST(caller_too_may_refuse),
	SUITE_TEST(without_a_policy_another_user_is_refused),
	SUITE_TEST(admitted_stranger_reads_and_cannot_reopen_to_write),
	SUITE_TEST(socket_file_is_for_its_user_only),
	SUITE_TEST(second_server_at_an_address_is_refused),
	SUITE_TEST(file_that_is_no_socket_stays),
	SUITE_TEST(destroy_leaves_a_successors_file_alone),
	SUITE_TEST(dead_servers_file_is_replaced),
	SUITE_TEST(one_of_many_replaces_a_dead_file),
	SUITE_TEST(silent_peer_is_dropped_in_time_and_hides_no_other),
	SUITE_TEST(one_session_too_many_is_told_so),
	SUITE_TEST(server_out_of_fds_waits_without_a_busy_loop),
	SUITE_TEST(stopped_server_is_a_timeout),
	SUITE_TEST(wrong_arguments_are_refused),
};

int main(int argc, char **argv)
{
	int status = role_main(roles, COUNT(roles), argc, argv);

	if (status >= 0)
		return status;
	(void)snprintf(address, sizeof(address), "@lendheap/test/server/%d", (int)getpid());
	return suite_run("server", tests, COUNT(tests), argc, argv);
}
