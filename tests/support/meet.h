/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LENDHEAP_TESTS_MEET_H
#define LENDHEAP_TESTS_MEET_H

/*
 * What tests of sessions share: a log of all that the callbacks said, waits that are bounded, and
 * an arena with something to read in it.
 */
#include <stdbool.h>

#include <lendheap/lendheap.h>

enum { MEET_ARENAS_MAX = 32, MEET_MS = 10000 };

/* All callbacks of one session, or of all sessions of a server. */
struct meet_log {
	int opened;
	int closed;
	int closed_err; /* of the last */
	char closed_reason[LEND_REASON_BYTES_MAX + 1];
	int lent; /* answers */
	int lent_err;
	char lent_reason[LEND_REASON_BYTES_MAX + 1];
	int arena_count;
	const struct lend_arena *arenas[MEET_ARENAS_MAX];
	struct lend_session *session; /* the last that opened; NULL once one closed */
	int admit_err;                /* what the policy answers, with this reason */
	const char *admit_reason;
	struct lend_peer peer; /* whom the policy was asked about */
};

/* Options whose callbacks write the log; arenas are kept for lend_session_borrow(). */
struct lend_session_options meet_options(struct meet_log *log);

/* The same, and arenas come through on_arena. */
struct lend_session_options meet_options_taking(struct meet_log *log);

/* Dispatch, from events of its FD alone, until *word is at least wanted; false: not in time. */
bool meet_session(struct lend_session *session, const int *word, int wanted);
bool meet_server(struct lend_server *server, const int *word, int wanted);

/* Serve until the child tells something, or ends. */
bool meet_child(struct lend_server *server, int sock);

lend_deadline meet_deadline(void);

/* An arena of this name with the root "text", which is the name too. NULL: it failed. */
struct lend_arena *meet_arena(const char *name);

/* Does the arena say that it is the one of this name? */
bool meet_reads(const struct lend_arena *arena, const char *name);

/* A pair of connected sockets for a session. */
bool meet_pair(int socks[2]);

#endif /* LENDHEAP_TESTS_MEET_H */
