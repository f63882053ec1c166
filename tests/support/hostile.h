/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LENDHEAP_TESTS_HOSTILE_H
#define LENDHEAP_TESTS_HOSTILE_H

/*
 * One session of ours and the bare socket at its other end, written to by hand. For tests linked
 * with the internal library; every check is CUnit's.
 */
#include "session/handshake.h"
#include "session/link.h"
#include "support/meet.h"

struct hostile {
	struct meet_log log; /* of our session; arenas come through on_arena */
	struct lend_session *session;
	int sock;
};

/* Our session accepts; nothing is said. limits may be NULL, else its three limits and flags hold. */
void hostile_begin(struct hostile *meeting, const struct lend_session_options *limits);

/* The same, and a handshake as it should be. */
void hostile_open(struct hostile *meeting, const struct lend_session_options *limits);

void hostile_end(struct hostile *meeting);

/* Send a message with count FDs, each of them standard input's. */
void hostile_say(struct hostile *meeting, const union lendi_message *message, uint32_t count);

/* Receive a message, which must be of this type. */
void hostile_hear(struct hostile *meeting, uint16_t type, union lendi_message *out_message);

void hostile_hello(union lendi_message *out_message);
void hostile_announce(union lendi_message *out_message, uint64_t id, uint32_t slot_count);
void hostile_chunk(union lendi_message *out_message, uint16_t type, uint64_t id, uint32_t first,
	uint32_t count);

#endif /* LENDHEAP_TESTS_HOSTILE_H */
