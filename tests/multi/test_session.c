/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions between processes that behave: servers, inherited sockets, arenas both ways. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/leaks.h"
#include "support/meet.h"
#include "support/role.h"
#include "support/suite.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define GIB          (UINT64_C(1) << 30)

static char address[64]; /* abstract, of this run */

/* Borrow an arena from a server, read it, say so; wait for a word, and read it again. */
static int reader(int parent, int link, const char *argument)
{
	const struct lend_arena *arena;
	struct lend_session *session;

	(void)link;
	CHILD_CHECK(!lend_session_connect(argument, NULL, meet_deadline(), &session));
	CHILD_CHECK(lend_session_peer(session)->pid == getppid());
	CHILD_CHECK(!lend_session_borrow(session, "roads", meet_deadline(), &arena));
	CHILD_CHECK(lend_arena_is_fixed(arena) && !lend_arena_is_owned(arena));
	CHILD_CHECK(meet_reads(arena, "roads"));
	CHILD_CHECK(child_tell(parent) && child_await(parent));
	CHILD_CHECK(meet_reads(arena, "roads"));
	lend_session_close(session);
	CHILD_CHECK(meet_reads(arena, "roads"));
	CHILD_CHECK(!lend_close(arena));
	CHILD_CHECK(lend_close(arena) == -ESTALE);
	return 0;
}

/* A server offers an arena, a reader comes, reads and leaves. */
static void serve_a_reader(const char *where)
{
	struct meet_log log = {.closed = 0};
	struct lend_session_options options = meet_options(&log);
	struct lend_arena *arena = meet_arena("roads");
	struct lend_server *server;
	struct child child;

	CU_ASSERT_EQUAL_FATAL(lend_server_create(where, &options, &server), 0);
	CU_ASSERT_EQUAL(lend_server_offer(server, arena, NULL), 0);
	CU_ASSERT_EQUAL(lend_server_offer(server, arena, "roads"), -EEXIST);
	child = role_start("reader", -1, where);
	CU_ASSERT_TRUE(meet_child(server, child.sock));
	CU_ASSERT_TRUE(child_await(child.sock));
	CU_ASSERT_TRUE(meet_server(server, &log.lent, 1));
	CU_ASSERT_EQUAL(log.lent_err, 0);
	CU_ASSERT_EQUAL(log.opened, 1);
	CU_ASSERT_EQUAL(log.peer.pid, child.pid);
	CU_ASSERT_EQUAL(log.peer.uid, geteuid());
	CU_ASSERT_EQUAL(lend_server_session_count(server), 1);
	CU_ASSERT_EQUAL(lend_session_fd(log.session), -1);
	CU_ASSERT_TRUE(child_tell(child.sock));
	CU_ASSERT_TRUE(meet_server(server, &log.closed, 1));
	CU_ASSERT_EQUAL(log.closed_err, -ENOLINK);
	CU_ASSERT_EQUAL(lend_server_session_count(server), 0);
	CU_ASSERT_EQUAL(child_end(&child), 0);
	CU_ASSERT_EQUAL(lend_server_retract(server, arena), 0);
	CU_ASSERT_EQUAL(lend_server_retract(server, arena), -ENOENT);
	lend_server_destroy(server);
	CU_ASSERT_EQUAL(lend_arena_destroy(arena), 0);
}

CLEAN_TEST(abstract_server_lends_to_a_reader)
{
	serve_a_reader(address);
}

CLEAN_TEST(path_server_lends_to_a_reader)
{
	char folder[] = "/tmp/lendheap-test-XXXXXX";
	char path[64];

	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(folder));
	(void)snprintf(path, sizeof(path), "%s/roads.sock", folder);
	serve_a_reader(path);
	/* The socket file is gone with its server, or the folder could not go. */
	CU_ASSERT_EQUAL(rmdir(folder), 0);
}

/* Lend two, of which one before the session is open, and take two, read them and let go. */
static int trader(int parent, int link, const char *argument)
{
	struct meet_log log = {.closed = 0};
	struct lend_session_options options = meet_options_taking(&log);
	uint32_t role = *argument == 'c' ? LEND_SESSION_CONNECTS : LEND_SESSION_ACCEPTS;
	struct lend_arena *first = meet_arena("child's first");
	struct lend_arena *later = meet_arena("child's later");
	struct lend_session *session;

	CHILD_CHECK(first && later);
	CHILD_CHECK(!lend_session_start(link, role, &options, &session));
	CHILD_CHECK(!lend_session_lend(session, first, NULL));
	CHILD_CHECK(meet_session(session, &log.lent, 1) && log.lent_err == 0);
	CHILD_CHECK(meet_session(session, &log.arena_count, 1));
	CHILD_CHECK(!lend_session_lend_until(session, later, NULL, meet_deadline()));
	CHILD_CHECK(meet_session(session, &log.arena_count, 2));
	CHILD_CHECK(meet_reads(log.arenas[0], "parent's first"));
	CHILD_CHECK(meet_reads(log.arenas[1], "parent's later"));
	CHILD_CHECK(child_await(parent));
	lend_session_close(session);
	CHILD_CHECK(!lend_close(log.arenas[0]) && !lend_close(log.arenas[1]));
	CHILD_CHECK(!lend_arena_destroy(first) && !lend_arena_destroy(later));
	return 0;
}

static void trade(uint32_t role)
{
	struct meet_log log = {.closed = 0};
	struct lend_session_options options = meet_options_taking(&log);
	struct lend_arena *first = meet_arena("parent's first");
	struct lend_arena *later = meet_arena("parent's later");
	struct lend_session *session;
	struct child child;
	int socks[2];

	CU_ASSERT_TRUE_FATAL(meet_pair(socks));
	child = role_start(
		"trader", socks[1], role == LEND_SESSION_CONNECTS ? "accepts" : "connects");
	CU_ASSERT_EQUAL_FATAL(lend_session_start(socks[0], role, &options, &session), 0);
	CU_ASSERT_EQUAL(lend_session_lend(session, first, NULL), 0);
	CU_ASSERT_EQUAL(lend_session_wait(session, meet_deadline()), 0);
	CU_ASSERT_EQUAL(log.opened, 1);
	/* SO_PEERCRED would name ourselves here: we made the pair. */
	CU_ASSERT_EQUAL(lend_session_peer(session)->pid, child.pid);
	CU_ASSERT_TRUE(lend_session_peer(session)->pidfd >= 0);
	CU_ASSERT_TRUE(meet_session(session, &log.arena_count, 2));
	CU_ASSERT_EQUAL(lend_session_lend_until(session, later, NULL, meet_deadline()), 0);
	CU_ASSERT_TRUE(child_tell(child.sock));
	CU_ASSERT_TRUE(meet_session(session, &log.closed, 1));
	CU_ASSERT_EQUAL(log.closed_err, -ENOLINK);
	CU_ASSERT_EQUAL(child_end(&child), 0);
	/* Their owner is gone; what was borrowed is still there. */
	CU_ASSERT_EQUAL_FATAL(log.arena_count, 2);
	CU_ASSERT_TRUE(meet_reads(log.arenas[0], "child's first"));
	CU_ASSERT_TRUE(meet_reads(log.arenas[1], "child's later"));
	CU_ASSERT_EQUAL(lend_close(log.arenas[0]), 0);
	CU_ASSERT_EQUAL(lend_close(log.arenas[1]), 0);
	CU_ASSERT_EQUAL(lend_session_lend(session, first, NULL), -ENOLINK);
	lend_session_close(session);
	CU_ASSERT_EQUAL(lend_arena_destroy(first), 0);
	CU_ASSERT_EQUAL(lend_arena_destroy(later), 0);
}

CLEAN_TEST(connecting_side_of_a_pair_lends_and_borrows)
{
	trade(LEND_SESSION_CONNECTS);
}

CLEAN_TEST(accepting_side_of_a_pair_lends_and_borrows)
{
	trade(LEND_SESSION_ACCEPTS);
}

/* An owner over an inherited socket: lends "roads", then does as it is told. */
static int owner(int parent, int link, const char *argument)
{
	struct lend_arena *arena = meet_arena("roads");
	struct lend_session *session;
	long long order = 0;

	(void)argument;
	CHILD_CHECK(arena);
	CHILD_CHECK(!lend_session_start(link, LEND_SESSION_CONNECTS, NULL, &session));
	CHILD_CHECK(!lend_session_lend_until(session, arena, NULL, meet_deadline()));
	CHILD_CHECK(child_tell(parent));
	while (child_await_number(parent, &order)) {
		char *bytes;
		uint64_t i;

		if (order == 0)
			break;
		/* order GiB in one piece, a word in each page, and where it is. */
		bytes = lend_alloc(arena, (size_t)order * GIB);
		CHILD_CHECK(bytes);
		for (i = 0; i < (uint64_t)order * GIB; i += 4096)
			*(uint64_t *)(void *)(bytes + i) = i ^ 0x5eed;
		CHILD_CHECK(child_tell_number(parent, (long long)(uintptr_t)bytes));
	}
	lend_session_close(session);
	return lend_arena_destroy(arena) ? CHILD_FAILED : 0;
}

/* An owner has lent us "roads". */
static void borrow_from_owner(struct meet_log *log, struct child *out_child,
	struct lend_session **out_session, const struct lend_arena **out_arena)
{
	struct lend_session_options options = meet_options(log);
	int socks[2];

	CU_ASSERT_TRUE_FATAL(meet_pair(socks));
	*out_child = role_start("owner", socks[1], NULL);
	CU_ASSERT_EQUAL_FATAL(
		lend_session_start(socks[0], LEND_SESSION_ACCEPTS, &options, out_session), 0);
	CU_ASSERT_EQUAL_FATAL(
		lend_session_borrow(*out_session, "roads", meet_deadline(), out_arena), 0);
	CU_ASSERT_TRUE(child_await(out_child->sock));
}

CLEAN_TEST(growth_after_attach_needs_no_message)
{
	struct meet_log log = {.closed = 0};
	const struct lend_arena *arena;
	struct lend_session *session;
	struct child child;
	long long at = 0;
	uint64_t wrong = 0;
	uint64_t i;

	borrow_from_owner(&log, &child, &session, &arena);
	lend_session_close(session); /* whoever would send a message now, nobody hears it */
	CU_ASSERT_TRUE(child_tell_number(child.sock, 1));
	CU_ASSERT_TRUE_FATAL(child_await_number(child.sock, &at));
	for (i = 0; i < GIB; i += 4096)
		wrong += *(const uint64_t *)((uintptr_t)at + i) != (i ^ 0x5eed);
	CU_ASSERT_EQUAL(wrong, 0);
	CU_ASSERT_TRUE(child_tell_number(child.sock, 0));
	CU_ASSERT_EQUAL(child_end(&child), 0);
	CU_ASSERT_EQUAL(lend_close(arena), 0);
}

CLEAN_TEST(owner_killed_is_seen_at_once_and_its_data_stay)
{
	struct meet_log log = {.closed = 0};
	const struct lend_arena *arena;
	struct lend_session *session;
	struct child child;
	struct pollfd fd;

	borrow_from_owner(&log, &child, &session, &arena);
	fd = (struct pollfd){.fd = lend_session_fd(session), .events = POLLIN};
	CU_ASSERT_EQUAL(lend_session_dispatch(session), 0);
	CU_ASSERT_EQUAL(poll(&fd, 1, 0), 0);
	CU_ASSERT_EQUAL(kill(child.pid, SIGKILL), 0);
	CU_ASSERT_EQUAL(poll(&fd, 1, MEET_MS), 1);
	CU_ASSERT_EQUAL(lend_session_dispatch(session), -EOWNERDEAD);
	CU_ASSERT_EQUAL(log.closed, 1);
	CU_ASSERT_EQUAL(log.closed_err, -EOWNERDEAD);
	CU_ASSERT_EQUAL(lend_session_error(session), -EOWNERDEAD);
	CU_ASSERT_PTR_NOT_NULL(strstr(lend_session_reason(session), "without a goodbye"));
	CU_ASSERT_EQUAL(lend_session_wait(session, meet_deadline()), -EOWNERDEAD);
	CU_ASSERT_TRUE(meet_reads(arena, "roads"));
	CU_ASSERT_EQUAL(child_end(&child), CHILD_SIGNAL + SIGKILL);
	CU_ASSERT_TRUE(meet_reads(arena, "roads"));
	CU_ASSERT_EQUAL(lend_close(arena), 0);
	lend_session_close(session);
}

static int write_into(int parent, void *argument)
{
	const struct lend_arena *arena = argument;
	const void *base;
	uint64_t bytes;

	(void)parent;
	CHILD_CHECK(!lend_arena_range(arena, &base, &bytes));
	CHILD_CHECK(mprotect((void *)(uintptr_t)base, 4096, PROT_READ | PROT_WRITE) == -1 &&
		    errno == EACCES);
	(void)signal(SIGSEGV, SIG_DFL); /* a sanitizer's handler would exit */
	*(volatile char *)(uintptr_t)base = 1;
	return 0;
}

CLEAN_TEST(borrowed_memory_is_read_only_to_the_kernel)
{
	struct meet_log log = {.closed = 0};
	const struct lend_arena *arena;
	struct lend_session *session;
	struct child child;

	borrow_from_owner(&log, &child, &session, &arena);
	CU_ASSERT_EQUAL(
		child_run(write_into, (void *)(uintptr_t)arena), CHILD_SIGNAL + SIGSEGV);
	CU_ASSERT_PTR_NULL(lend_alloc((struct lend_arena *)(uintptr_t)arena, 8));
	CU_ASSERT_EQUAL(errno, EPERM);
	CU_ASSERT_EQUAL(lend_session_lend(session, (struct lend_arena *)(uintptr_t)arena, NULL),
		-EPERM);
	CU_ASSERT_TRUE(child_tell_number(child.sock, 0));
	CU_ASSERT_EQUAL(child_end(&child), 0);
	CU_ASSERT_EQUAL(lend_close(arena), 0);
	lend_session_close(session);
}

/* In a forked child: the parent's session and server are not ours. */
static int use_after_fork(int parent, void *argument)
{
	struct lend_session *session = argument;
	const struct lend_arena *arena;

	CHILD_CHECK(lend_session_dispatch(session) == -EPERM);
	CHILD_CHECK(lend_session_borrow(session, "x", meet_deadline(), &arena) == -EPERM);
	CHILD_CHECK(lend_session_fd(session) == -1);
	CHILD_CHECK(lend_session_peer(session)->pidfd == -1);
	lend_session_close(session); /* frees memory, says nothing */
	CHILD_CHECK(child_tell(parent));
	return child_await(parent) ? 0 : CHILD_FAILED;
}

CLEAN_TEST(forked_child_has_no_session_and_does_not_hide_our_end)
{
	struct meet_log log = {.closed = 0};
	const struct lend_arena *arena;
	struct lend_session *session;
	struct child forked;
	struct child child;

	borrow_from_owner(&log, &child, &session, &arena);
	forked = child_start(use_after_fork, session);
	CU_ASSERT_TRUE(child_await(forked.sock));
	CU_ASSERT_EQUAL(lend_session_dispatch(session), 0); /* it is still ours */
	CU_ASSERT_EQUAL(log.closed, 0);
	CU_ASSERT_TRUE(child_tell(forked.sock));
	CU_ASSERT_EQUAL(child_end(&forked), 0);
	CU_ASSERT_TRUE(child_tell_number(child.sock, 0));
	CU_ASSERT_TRUE(meet_session(session, &log.closed, 1));
	CU_ASSERT_EQUAL(log.closed_err, -ENOLINK);
	CU_ASSERT_EQUAL(child_end(&child), 0);
	CU_ASSERT_EQUAL(lend_close(arena), 0);
	lend_session_close(session);
}

/* An owner that forks a child which lives on, and dies. */
static int forking_owner(int parent, int link, const char *argument)
{
	pid_t pid;

	(void)argument;
	pid = fork(); /* before the session: this child inherits the socket itself */
	if (pid == 0) {
		(void)child_await(parent); /* until the test lets go */
		_exit(0);
	}
	CHILD_CHECK(pid > 0);
	CHILD_CHECK(child_tell_number(parent, pid));
	return owner(parent, link, "");
}

CLEAN_TEST(death_is_seen_though_a_forked_child_keeps_the_socket)
{
	struct meet_log log = {.closed = 0};
	struct lend_session_options options = meet_options(&log);
	const struct lend_arena *arena;
	struct lend_session *session;
	struct child child;
	long long grandchild = 0;
	int socks[2];

	CU_ASSERT_TRUE_FATAL(meet_pair(socks));
	child = role_start("forking_owner", socks[1], NULL);
	CU_ASSERT_TRUE(child_await_number(child.sock, &grandchild));
	CU_ASSERT_EQUAL_FATAL(
		lend_session_start(socks[0], LEND_SESSION_ACCEPTS, &options, &session), 0);
	CU_ASSERT_EQUAL(lend_session_borrow(session, "roads", meet_deadline(), &arena), 0);
	CU_ASSERT_EQUAL(kill(child.pid, SIGKILL), 0);
	CU_ASSERT_TRUE(meet_session(session, &log.closed, 1)); /* by its pidfd: no EOF comes */
	CU_ASSERT_EQUAL(log.closed_err, -EOWNERDEAD);
	CU_ASSERT_EQUAL(kill((pid_t)grandchild, SIGKILL), 0);
	CU_ASSERT_EQUAL(child_end(&child), CHILD_SIGNAL + SIGKILL);
	CU_ASSERT_EQUAL(lend_close(arena), 0);
	lend_session_close(session);
}

CLEAN_TEST(stopped_peer_blocks_nobody_and_goes_on_later)
{
	struct meet_log log = {.closed = 0};
	struct lend_arena *mine = meet_arena("mine");
	const struct lend_arena *arena;
	const struct lend_arena *none;
	struct lend_session *session;
	struct child child;
	int status;
	int err;
	int i;

	borrow_from_owner(&log, &child, &session, &arena);
	CU_ASSERT_EQUAL(kill(child.pid, SIGSTOP), 0);
	CU_ASSERT_EQUAL(waitpid(child.pid, &status, WUNTRACED), child.pid);
	CU_ASSERT_EQUAL(lend_session_lend_until(session, mine, NULL, lend_deadline_in_ms(20)),
		-ETIMEDOUT);
	CU_ASSERT_EQUAL(
		lend_session_borrow(session, "no", lend_deadline_in_ms(20), &none), -ETIMEDOUT);
	for (i = 0, err = 0; i < 2000 && !err; i++)
		err = lend_session_lend(session, mine, NULL);
	CU_ASSERT_EQUAL(err, -EAGAIN);
	CU_ASSERT_EQUAL(lend_session_dispatch(session), 0);
	CU_ASSERT_EQUAL(log.lent, 0);
	/* Not yet sent, or half sent: the arena may go all the same. */
	lend_session_withdraw(session, mine);
	CU_ASSERT_EQUAL(log.lent_err, -ESTALE);
	CU_ASSERT_EQUAL(lend_arena_destroy(mine), 0);
	CU_ASSERT_EQUAL(kill(child.pid, SIGCONT), 0);
	/* It has no use for more; it reads what lay in its socket when it closes, and goes. */
	CU_ASSERT_TRUE(child_tell_number(child.sock, 0));
	CU_ASSERT_TRUE(meet_session(session, &log.closed, 1));
	CU_ASSERT_EQUAL(log.closed_err, -ENOLINK);
	CU_ASSERT_EQUAL(child_end(&child), 0);
	CU_ASSERT_EQUAL(lend_close(arena), 0);
	lend_session_close(session);
}

/* More FDs than a message can carry: 256 slots; in a small window, which others use too, 4. */
static uint32_t many_slots(void)
{
	return lend_window_current().slot_count >= 512 ? 256 : 4;
}

/* Lend an arena of many slots, with a root at its start and a word near its end. */
static int giant(int parent, int link, const char *argument)
{
	struct lend_arena_options options = {.name = "giant"};
	struct lend_session *session;
	struct lend_arena *arena;
	char **word;

	(void)argument;
	options.reservation_bytes = (many_slots() - 1) * (UINT64_C(15) << 28);
	CHILD_CHECK(!lend_arena_create(&options, &arena));
	word = lend_alloc(arena, sizeof(*word));
	CHILD_CHECK(word && (*word = lend_alloc(arena, 64)));
	strcpy(*word, "far away");
	CHILD_CHECK(!lend_root_set(arena, "word", LEND_TYPE(char *, 1), word));
	CHILD_CHECK(!lend_session_start(link, LEND_SESSION_CONNECTS, NULL, &session));
	CHILD_CHECK(!lend_session_lend_until(session, arena, NULL, meet_deadline()));
	(void)child_await(parent);
	lend_session_close(session);
	return lend_arena_destroy(arena) ? CHILD_FAILED : 0;
}

CLEAN_TEST(arena_of_many_slots_comes_in_chunks)
{
	struct meet_log log = {.closed = 0};
	struct lend_session_options options = meet_options(&log);
	const struct lend_arena *arena;
	struct lend_session *session;
	struct leaks before;
	struct child child;
	const void *word;
	int socks[2];

	before = leaks_count();
	CU_ASSERT_TRUE_FATAL(meet_pair(socks));
	child = role_start("giant", socks[1], NULL);
	CU_ASSERT_EQUAL_FATAL(
		lend_session_start(socks[0], LEND_SESSION_ACCEPTS, &options, &session), 0);
	CU_ASSERT_EQUAL_FATAL(
		lend_session_borrow(session, "giant", meet_deadline(), &arena), 0);
	/* Its claims, all of them, and its data; the session's three, and the child's socket. */
	CU_ASSERT_EQUAL(leaks_count().fds, before.fds + (int)many_slots() + 1 + 3 + 1);
	CU_ASSERT_EQUAL(lend_root_get(arena, "word", LEND_TYPE(char *, 1), &word), 0);
	CU_ASSERT_STRING_EQUAL(*(char *const *)word, "far away");
	CU_ASSERT_EQUAL(lend_close(arena), 0);
	CU_ASSERT_TRUE(child_tell(child.sock));
	CU_ASSERT_TRUE(meet_session(session, &log.closed, 1));
	CU_ASSERT_EQUAL(child_end(&child), 0);
	lend_session_close(session);
}

CLEAN_TEST(arena_that_cannot_be_lent_says_so)
{
	struct lend_arena_options options = {
		.name = "files", .backing = LEND_BACKING_DIRECTORY, .directory = "/dev/shm"};
	struct meet_log log = {.closed = 0};
	struct lend_session_options session_options = meet_options(&log);
	struct lend_arena *files;
	struct lend_arena *roads = meet_arena("roads");
	struct lend_session *session;
	int socks[2];

	CU_ASSERT_EQUAL_FATAL(lend_arena_create(&options, &files), 0);
	CU_ASSERT_TRUE_FATAL(meet_pair(socks));
	CU_ASSERT_EQUAL_FATAL(
		lend_session_start(socks[0], LEND_SESSION_CONNECTS, &session_options, &session),
		0);
	CU_ASSERT_EQUAL(lend_session_lend(session, files, NULL), -EOPNOTSUPP);
	CU_ASSERT_PTR_NOT_NULL(strstr(lend_error_detail(), "cannot be lent"));
	CU_ASSERT_EQUAL(lend_share(files, "files"), -EOPNOTSUPP);
	CU_ASSERT_EQUAL(lend_arena_destroy(files), 0);
	CU_ASSERT_EQUAL(lend_session_lend(session, files, NULL), -ESTALE);
	/* Lent, and gone before anyone could take it: it is not lent. */
	CU_ASSERT_EQUAL(lend_session_lend(session, roads, NULL), 0);
	CU_ASSERT_EQUAL(lend_arena_destroy(roads), 0);
	lend_session_withdraw(session, roads);
	CU_ASSERT_EQUAL(log.lent, 1);
	CU_ASSERT_EQUAL(log.lent_err, -ESTALE);
	lend_session_close(session);
	(void)close(socks[1]);
}

CLEAN_TEST(arena_withdrawn_half_way_is_forgotten_on_both_sides)
{
	struct meet_log log[2] = {{.closed = 0}};
	struct lend_session_options options[2] = {meet_options(&log[0]), meet_options(&log[1])};
	struct lend_arena *arena = meet_arena("roads");
	struct lend_session *session[2];
	struct leaks before;
	int socks[2];
	int lent = 0;
	int i;

	CU_ASSERT_TRUE_FATAL(meet_pair(socks));
	for (i = 0; i < 2; i++)
		CU_ASSERT_EQUAL_FATAL(lend_session_start(socks[i],
					      i ? LEND_SESSION_ACCEPTS : LEND_SESSION_CONNECTS,
					      &options[i], &session[i]),
			0);
	for (i = 0; i < 4; i++)
		CU_ASSERT_EQUAL(lend_session_dispatch(session[i % 2]), 0);
	CU_ASSERT_TRUE(log[0].opened && log[1].opened);
	before = leaks_count();
	/* The other end does not read: the socket fills up somewhere inside an arena. */
	while (lend_session_lend(session[0], arena, NULL) == 0)
		lent++;
	CU_ASSERT_EQUAL(lent, 1024);
	lend_session_withdraw(session[0], arena);
	CU_ASSERT_EQUAL(lend_arena_destroy(arena), 0);
	for (i = 0; i < 4000 && log[0].lent < lent; i++)
		CU_ASSERT_EQUAL_FATAL(lend_session_dispatch(session[i % 2]), 0);
	CU_ASSERT_EQUAL(log[0].lent, lent); /* each has its answer, or went no further */
	CU_ASSERT_EQUAL(leaks_count().fds, before.fds - 5); /* the arena had 5 */
	for (i = 0; i < 2; i++)
		lend_session_close(session[i]);
}

static const struct role roles[] = {
	ROLE(reader),
	ROLE(trader),
	ROLE(owner),
	ROLE(forking_owner),
	ROLE(giant),
};

static const struct suite_test tests[] = {
	SUITE_TEST(abstract_server_lends_to_a_reader),
	SUITE_TEST(path_server_lends_to_a_reader),
	SUITE_TEST(connecting_side_of_a_pair_lends_and_borrows),
	SUITE_TEST(accepting_side_of_a_pair_lends_and_borrows),
	SUITE_TEST(growth_after_attach_needs_no_message),
	SUITE_TEST(owner_killed_is_seen_at_once_and_its_data_stay),
	SUITE_TEST(borrowed_memory_is_read_only_to_the_kernel),
	SUITE_TEST(forked_child_has_no_session_and_does_not_hide_our_end),
	SUITE_TEST(death_is_seen_though_a_forked_child_keeps_the_socket),
	SUITE_TEST(stopped_peer_blocks_nobody_and_goes_on_later),
	SUITE_TEST(arena_of_many_slots_comes_in_chunks),
	SUITE_TEST(arena_that_cannot_be_lent_says_so),
	SUITE_TEST(arena_withdrawn_half_way_is_forgotten_on_both_sides),
};

int main(int argc, char **argv)
{
	int status = role_main(roles, COUNT(roles), argc, argv);

	if (status >= 0)
		return status;
	(void)snprintf(address, sizeof(address), "@lendheap/test/session/%d", (int)getpid());
	return suite_run("session", tests, COUNT(tests), argc, argv);
}
