/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LENDHEAP_TESTS_CHILD_H
#define LENDHEAP_TESTS_CHILD_H

/*
 * Forked children that report by exit status, each with a socket to its parent.
 *
 *	static int borrow(int parent, void *argument)
 *	{
 *		CHILD_CHECK(child_await(parent));
 *		return 0;
 *	}
 *
 *	struct child child = child_start(borrow, NULL);
 *	CU_ASSERT_TRUE(child_tell(child.sock));
 *	CU_ASSERT_EQUAL(child_end(&child), 0);
 *
 * A child has a bound in time (an alarm kills it), dies with its parent, and calls nothing of
 * CUnit. A check that fails there is printed and ends it with CHILD_FAILED.
 */
#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>
#include <unistd.h>

enum {
	CHILD_FAILED = 1,
	CHILD_SKIPPED = 77,  /* it said why */
	CHILD_SIGNAL = 1000, /* plus the signal that ended it */
};

struct child {
	pid_t pid;
	int sock; /* to the child: SOCK_SEQPACKET */
};

/* Fork; the child runs run(its socket, argument) and ends with what that returns. */
struct child child_start(int (*run)(int parent, void *argument), void *argument);

/* Wait for the child's end and close its socket: exit status, or CHILD_SIGNAL + signal. */
int child_end(struct child *child);

/* SIGKILL, wait, close. */
void child_kill(struct child *child);

/* The three in a row: start, end. */
int child_run(int (*run)(int parent, void *argument), void *argument);

/* A byte to the other end, and a wait for one; false when the other end is gone. */
bool child_tell(int sock);
bool child_await(int sock);

/* A number to the other end, and from it; false as above. */
bool child_tell_number(int sock, long long number);
bool child_await_number(int sock, long long *out_number);

/* An FD to the other end, which gets it close-on-exec; -1 when the other end is gone. */
bool child_send_fd(int sock, int fd);
int child_receive_fd(int sock);

/* Print why a child's check failed and end the child. */
void child_fail(const char *file, int line, const char *claim, const char *detail)
	__attribute__((noreturn));

#define CHILD_CHECK(claim)                                                                     \
	do {                                                                                   \
		if (!(claim))                                                                  \
			child_fail(__FILE__, __LINE__, #claim, lend_error_detail());           \
	} while (0)

#endif /* LENDHEAP_TESTS_CHILD_H */
