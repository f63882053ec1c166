/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LENDHEAP_SESSION_HANDSHAKE_H
#define LENDHEAP_SESSION_HANDSHAKE_H

/*
 * The handshake: messages in, messages out, no I/O.
 *
 *	connects            accepts
 *	HELLO      -->                    version range, layout, window, options
 *	                    decides
 *	           <--      WELCOME       the same of the other side, version chosen
 *	decides
 *	READY      -->                    open
 *
 * Each side decides twice: this file checks what must fit, then the caller asks the application's
 * policy. Either may answer REFUSAL instead, which ends the session on both sides with one reason.
 */
#include "session/wire.h"

/* What a process says of itself. */
struct lendi_self {
	uint32_t role; /* LEND_SESSION_CONNECTS, LEND_SESSION_ACCEPTS */
	uint16_t version_min;
	uint16_t version_max;
	uint64_t features;
	uint64_t features_needed;
	uint64_t layout;
	struct lend_window window;
	uint32_t options; /* LENDI_HELLO_... */
	uint32_t library_version;
};

enum lendi_handshake_state {
	LENDI_HANDSHAKE_START = 0,   /* nothing said or heard */
	LENDI_HANDSHAKE_HELLO = 1,   /* connects: hello sent, welcome awaited */
	LENDI_HANDSHAKE_DECIDE = 2,  /* the peer fits; the policy is asked */
	LENDI_HANDSHAKE_WELCOME = 3, /* accepts: welcome sent, ready awaited; may lend */
	LENDI_HANDSHAKE_OPEN = 4,
	LENDI_HANDSHAKE_REFUSED = 5,
};

struct lendi_handshake {
	struct lendi_self self;
	enum lendi_handshake_state state;
	uint16_t version;  /* agreed on; 0 before */
	uint64_t features; /* that both have */
	uint32_t peer_options;
	uint32_t peer_library_version;
};

/* This process's own words for a session of these flags (LEND_SESSION_...). */
void lendi_self_init(struct lendi_self *self, uint32_t role, uint32_t flags);

void lendi_handshake_init(struct lendi_handshake *handshake, const struct lendi_self *self);

/* The first message of the side that connects, and how long it is. */
uint32_t lendi_handshake_hello(
	struct lendi_handshake *handshake, union lendi_message *out_message);

/*
 * Take a message of the peer. Afterwards the state says what to do: DECIDE, or OPEN. 0; an error
 * of ours to refuse with; when the peer refused: the state is REFUSED and this is its error.
 */
int lendi_handshake_take(struct lendi_handshake *handshake, const union lendi_message *message);

/* In DECIDE, the policy said yes: the next message to send, welcome or ready. */
uint32_t lendi_handshake_admit(
	struct lendi_handshake *handshake, union lendi_message *out_message);

#endif /* LENDHEAP_SESSION_HANDSHAKE_H */
