/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every system call of a session fails once, in turn, on the side of the reader, of the server and
 * of lend_share() and lend_open(): each time a clear error or a success, and nothing left.
 */
#include <errno.h>
#include <unistd.h>

#include "support/fault.h"
#include "support/leaks.h"
#include "support/meet.h"
#include "support/role.h"
#include "support/suite.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum { STEPS_MAX = 500, PATIENCE_MS = 60 };

static char address[64]; /* abstract, of this run */

static const int errors[] = {ENOMEM, EMFILE, EINTR};

/* Serve "roads" until the parent is gone. */
static int server(int parent, int link, const char *argument)
{
	struct lend_arena *arena = meet_arena("roads");
	struct lend_server *self;

	(void)link;
	CHILD_CHECK(arena && !lend_server_create(argument, NULL, &self));
	CHILD_CHECK(!lend_server_offer(self, arena, NULL));
	CHILD_CHECK(child_tell(parent));
	while (meet_child(self, parent) && child_await(parent))
		CHILD_CHECK(child_tell(parent));
	return 0;
}

/* For each word of the parent: connect, borrow, read, go; whatever comes of it. */
static int reader(int parent, int link, const char *argument)
{
	const struct lend_arena *arena;
	struct lend_session *session;
	lend_deadline soon;
	int err;

	(void)link;
	while (child_await(parent)) {
		soon = lend_deadline_in_ms(PATIENCE_MS);
		err = lend_session_connect(argument, NULL, soon, &session);
		if (!err) {
			err = lend_session_borrow(session, "roads", soon, &arena);
			lend_session_close(session);
			if (!err)
				CHILD_CHECK(meet_reads(arena, "roads") && !lend_close(arena));
		}
		CHILD_CHECK(child_tell_number(parent, err));
	}
	return 0;
}

static int borrow_once(void)
{
	const struct lend_arena *arena;
	struct lend_session *session;
	int err;

	err = lend_session_connect(address, NULL, lend_deadline_in_ms(PATIENCE_MS), &session);
	if (err)
		return err;
	err = lend_session_borrow(session, "roads", lend_deadline_in_ms(PATIENCE_MS), &arena);
	lend_session_close(session);
	if (err)
		return err;
	err = meet_reads(arena, "roads") ? 0 : -EIO;
	(void)lend_close(arena);
	return err;
}

/* Let the nth call of try() fail for n from 1 on, until it makes fewer calls. */
static void fail_each(int (*try)(void), const char *what, size_t error_count)
{
	struct leaks before;
	const char *struck;
	unsigned calls;
	unsigned nth;
	size_t e;
	int err;

	fault_install();
	for (e = 0; e < error_count; e++) {
		for (nth = 1, calls = 1; nth < STEPS_MAX && calls + 1 >= nth; nth++) {
			before = leaks_count();
			fault_plan(FAULT_ANY, nth, errors[e]);
			err = try();
			calls = fault_calls(FAULT_ANY);
			struck = fault_struck();
			fault_plan(FAULT_ANY, 0, 0);
			CU_ASSERT(err <= 0);
			CU_ASSERT(err == 0 || lend_error_detail()[0]);
			if (leaks_since(&before)) {
				printf("\n%s: call %u (%s), %s: %d\n", what, nth,
					struck ? struck : "none", strerror(errors[e]), err);
				CU_FAIL("something is left");
			}
		}
		CU_ASSERT(nth > 10 && nth < STEPS_MAX);
		/* Without a fault it works; on a busy machine a peer may be late. */
		for (nth = 0; nth < 50 && (err = try()); nth++)
			;
		CU_ASSERT_EQUAL(err, 0);
	}
	fault_remove();
}

CLEAN_TEST(reader_survives_each_failing_call)
{
	struct child child = role_start("server", -1, address);

	CU_ASSERT_TRUE(child_await(child.sock));
	fail_each(borrow_once, "reader", COUNT(errors));
	/* The server had only the trouble of losing peers. */
	CU_ASSERT_TRUE(child_tell(child.sock));
	CU_ASSERT_TRUE(child_await(child.sock));
	child_kill(&child);
}

static struct lend_arena *roads;
static struct child other;

/* One reader at a server of ours: 0 if it got what it wanted. */
static int serve_once(void)
{
	struct lend_server *self;
	long long err = 0;
	int ours;

	ours = lend_server_create(address, NULL, &self);
	if (ours)
		return ours;
	ours = lend_server_offer(self, roads, NULL);
	CU_ASSERT_TRUE(child_tell(other.sock));
	CU_ASSERT_TRUE(meet_child(self, other.sock));
	CU_ASSERT_TRUE(child_await_number(other.sock, &err));
	lend_server_destroy(self);
	return ours ? ours : (int)err;
}

CLEAN_TEST(server_survives_each_failing_call)
{
	roads = meet_arena("roads");
	other = role_start("reader", -1, address);
	(void)lend_share(NULL, NULL); /* so that some sentence is there */
	fail_each(serve_once, "server", 1);
	child_kill(&other);
	CU_ASSERT_EQUAL(lend_arena_destroy(roads), 0);
}

/* For each word of the parent: open by name, read, close. */
static int opener(int parent, int link, const char *argument)
{
	const struct lend_arena *arena;
	int err;

	(void)link;
	while (child_await(parent)) {
		err = lend_open(argument, lend_deadline_in_ms(PATIENCE_MS), &arena);
		if (!err)
			CHILD_CHECK(meet_reads(arena, "roads") && !lend_close(arena));
		CHILD_CHECK(child_tell_number(parent, err));
	}
	return 0;
}

static int share_once(void)
{
	long long err = 0;
	int ours;

	ours = lend_share(roads, address + 1);
	if (ours)
		return ours;
	CU_ASSERT_TRUE(child_tell(other.sock));
	CU_ASSERT_TRUE(child_await_number(other.sock, &err));
	CU_ASSERT_EQUAL(lend_unshare(roads), 0);
	return (int)err;
}

CLEAN_TEST(share_survives_each_failing_call)
{
	roads = meet_arena("roads");
	other = role_start("opener", -1, address + 1);
	fail_each(share_once, "share", 1);
	child_kill(&other);
	CU_ASSERT_EQUAL(lend_arena_destroy(roads), 0);
}

static const struct role roles[] = {
	ROLE(server),
	ROLE(reader),
	ROLE(opener),
};

static const struct suite_test tests[] = {
	SUITE_TEST(reader_survives_each_failing_call),
	SUITE_TEST(server_survives_each_failing_call),
	SUITE_TEST(share_survives_each_failing_call),
};

int main(int argc, char **argv)
{
	int status = role_main(roles, COUNT(roles), argc, argv);

	if (status >= 0)
		return status;
	(void)snprintf(address, sizeof(address), "@lendheap/test/faults/%d", (int)getpid());
	return suite_run("session, failing calls", tests, COUNT(tests), argc, argv);
}
