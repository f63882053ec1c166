/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A peer is killed at every step of a session: between every two messages it sends or takes, as
 * the side that connects and the side that accepts, over a server and over an inherited socket.
 * The survivor sees the end at once and keeps no FD, mapping or slot of it.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "arena/arena.h"
#include "support/leaks.h"
#include "support/meet.h"
#include "support/role.h"
#include "support/suite.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* What the victim is: it connects or accepts over a pair, is a server, or a server's client. */
enum { CONNECTS = 'c', ACCEPTS = 'a', SERVES = 's', CALLS = 'k' };

enum { NOT_DEAD = 42 };

static char address[64]; /* abstract, of this run */

static const struct {
	const char *point;
	const char *modes;
} points[] = {
	{"session.connected", "k"},
	{"session.accepted", "s"},
	{"session.hello.before", "ck"},
	{"session.hello.sent", "ck"},
	{"session.hello.taken", "caks"}, /* and the welcome */
	{"session.answer.before", "caks"},
	{"session.answer.sent", "caks"},
	{"session.open", "caks"},
	{"session.lend.before", "caks"},
	{"session.lend.announced", "caks"},
	{"session.lend.chunk", "caks"},
	{"session.lend.committed", "caks"},
	{"session.lend.answered", "caks"},
	{"session.take.announced", "caks"},
	{"session.take.chunk", "caks"},
	{"session.take.mapped", "caks"},
	{"session.take.before_answer", "caks"},
	{"session.take.answered", "caks"},
	{"session.bye.sent", "caks"},
};

static int die_as_server(const struct lend_session_options *options, struct meet_log *log,
	struct lend_arena *arena, int parent, const char *where)
{
	struct lend_server *server;

	CHILD_CHECK(!lend_server_create(where, options, &server));
	CHILD_CHECK(!lend_server_offer(server, arena, NULL));
	CHILD_CHECK(child_tell(parent));
	CHILD_CHECK(meet_server(server, &log->lent, 1));
	CHILD_CHECK(meet_server(server, &log->arena_count, 1));
	lend_server_destroy(server);
	return NOT_DEAD;
}

/* argument: mode, address, crash point. */
static int victim(int parent, int link, const char *argument)
{
	struct meet_log log = {.closed = 0};
	struct lend_session_options options = meet_options_taking(&log);
	struct lend_arena *arena = meet_arena("victim's");
	struct lend_session *session;
	static char where[80];
	static char point[80];
	char mode;

	CHILD_CHECK(sscanf(argument, "%c %79s %79s", &mode, where, point) == 3);
	CHILD_CHECK(arena && child_tell_number(parent, arena->slot));
	lendi_crashpoint_arm(point, 1);
	if (mode == SERVES)
		return die_as_server(&options, &log, arena, parent, where);
	if (mode == CALLS)
		CHILD_CHECK(!lend_session_connect(where, &options, meet_deadline(), &session));
	else
		CHILD_CHECK(!lend_session_start(link,
			mode == CONNECTS ? LEND_SESSION_CONNECTS : LEND_SESSION_ACCEPTS,
			&options, &session));
	CHILD_CHECK(!lend_session_lend(session, arena, NULL));
	CHILD_CHECK(meet_session(session, &log.lent, 1));
	CHILD_CHECK(meet_session(session, &log.arena_count, 1));
	lend_session_close(session);
	return NOT_DEAD;
}

/* Over a pair, or as the client of a victim that serves: until the session is over. */
static int outlive(char mode, struct meet_log *log, int link, struct lend_arena *arena)
{
	struct lend_session_options options = meet_options_taking(log);
	struct lend_session *session;
	int err;

	if (mode == SERVES)
		err = lend_session_connect(address, &options, meet_deadline(), &session);
	else
		err = lend_session_start(link,
			mode == CONNECTS ? LEND_SESSION_ACCEPTS : LEND_SESSION_CONNECTS,
			&options, &session);
	if (err)
		return err;
	(void)lend_session_lend(session, arena, NULL);
	CU_ASSERT_TRUE(meet_session(session, &log->closed, 1));
	err = lend_session_error(session);
	lend_session_close(session);
	return err;
}

/* As the server of a victim that calls. Returns why its session ended; 0: it never said hello. */
static int outlive_caller(struct meet_log *log, const struct child *child,
	struct lend_server *server, struct lend_arena *arena)
{
	struct pollfd fd = {.fd = lend_server_fd(server), .events = POLLIN};
	siginfo_t info;

	CU_ASSERT_EQUAL(lend_server_offer(server, arena, NULL), 0);
	/* It dies: first this closes; when it is a zombie, all of it is closed. */
	CU_ASSERT_TRUE(meet_child(server, child->sock));
	CU_ASSERT_EQUAL(waitid(P_PID, (id_t)child->pid, &info, WEXITED | WNOWAIT), 0);
	while (poll(&fd, 1, 0) == 1)
		CU_ASSERT_EQUAL(lend_server_dispatch(server), 0);
	CU_ASSERT_EQUAL(lend_server_session_count(server), 0);
	lend_server_destroy(server);
	return log->closed_err;
}

static int check_slot(uint32_t slot)
{
	int fd;
	int err = lendi_slot_claim(slot, &fd);

	if (!err)
		(void)close(fd);
	return err;
}

static void kill_at(const char *point, char mode)
{
	struct meet_log log = {.closed = 0};
	struct lend_session_options options = meet_options_taking(&log);
	struct lend_arena *arena = meet_arena("survivor's");
	struct lend_server *server = NULL;
	int socks[2] = {-1, -1};
	char argument[200];
	struct child child;
	long long slot = 0;
	int err;
	int i;

	if (mode == CONNECTS || mode == ACCEPTS)
		CU_ASSERT_TRUE(meet_pair(socks));
	if (mode == CALLS)
		CU_ASSERT_EQUAL_FATAL(lend_server_create(address, &options, &server), 0);
	(void)snprintf(argument, sizeof(argument), "%c %s %s", mode, address, point);
	child = role_start("victim", socks[1], argument);
	CU_ASSERT_TRUE(child_await_number(child.sock, &slot));
	if (mode == SERVES)
		CU_ASSERT_TRUE(child_await(child.sock));
	err = mode == CALLS ? outlive_caller(&log, &child, server, arena)
			    : outlive(mode, &log, socks[0], arena);
	CU_ASSERT_EQUAL(child_end(&child), CHILD_SIGNAL + SIGKILL);

	if (strcmp(point, "session.bye.sent") == 0)
		CU_ASSERT_EQUAL(err, -ENOLINK)
	else if (mode == CALLS && log.closed == 0)
		CU_ASSERT_PTR_NOT_NULL(strstr("session.connected session.hello.before", point))
	else
		CU_ASSERT_EQUAL(err, -EOWNERDEAD)

	/* What came before it died is whole, and keeps the slot; then the slot is free. */
	for (i = 0; i < log.arena_count; i++) {
		CU_ASSERT_TRUE(meet_reads(log.arenas[i], "victim's"));
		CU_ASSERT_EQUAL(check_slot((uint32_t)slot), -EADDRINUSE);
		CU_ASSERT_EQUAL(lend_close(log.arenas[i]), 0);
	}
	CU_ASSERT_EQUAL(check_slot((uint32_t)slot), 0);
	CU_ASSERT_EQUAL(check_slot(arena->slot), -EADDRINUSE);
	CU_ASSERT_TRUE(meet_reads(arena, "survivor's"));
	slot = arena->slot;
	CU_ASSERT_EQUAL(lend_arena_destroy(arena), 0);
	CU_ASSERT_EQUAL(check_slot((uint32_t)slot), 0);
}

static void kill_everywhere(char mode)
{
	struct leaks before;
	size_t i;

	for (i = 0; i < COUNT(points); i++) {
		if (!strchr(points[i].modes, mode))
			continue;
		before = leaks_count();
		kill_at(points[i].point, mode);
		if (leaks_since(&before)) {
			printf("\nkilled at %s as %c\n", points[i].point, mode);
			CU_FAIL("something is left");
		}
	}
}

static void survivor_of_one_that_connects_keeps_nothing(void)
{
	kill_everywhere(CONNECTS);
}

static void survivor_of_one_that_accepts_keeps_nothing(void)
{
	kill_everywhere(ACCEPTS);
}

static void survivor_of_a_server_keeps_nothing(void)
{
	kill_everywhere(SERVES);
}

static void server_that_survives_a_caller_keeps_nothing(void)
{
	kill_everywhere(CALLS);
}

static const struct role roles[] = {
	ROLE(victim),
};

static const struct suite_test tests[] = {
	SUITE_TEST(survivor_of_one_that_connects_keeps_nothing),
	SUITE_TEST(survivor_of_one_that_accepts_keeps_nothing),
	SUITE_TEST(survivor_of_a_server_keeps_nothing),
	SUITE_TEST(server_that_survives_a_caller_keeps_nothing),
};

int main(int argc, char **argv)
{
	int status = role_main(roles, COUNT(roles), argc, argv);

	if (status >= 0)
		return status;
	(void)snprintf(address, sizeof(address), "@lendheap/test/crash/%d", (int)getpid());
	return suite_run("session, killed", tests, COUNT(tests), argc, argv);
}
