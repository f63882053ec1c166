/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LENDHEAP_SESSION_SESSION_H
#define LENDHEAP_SESSION_SESSION_H

/*
 * A session as its process sees it. session.c: its life; peer.c: who is there; give.c: arenas
 * going out; take.c: arenas coming in; server.c: many of them behind one address.
 */
#include <stdbool.h>

#include <lendheap/session.h>

#include "arena/arena.h"
#include "base/crashpoint.h"
#include "base/error.h"
#include "os/os.h"
#include "session/handshake.h"
#include "session/intake.h"
#include "session/link.h"
#include "session/registry.h"

#define LENDI_GIFTS_MAX 1024u /* lends the peer has not answered */

/* What an event of an epoll FD is about. */
enum lendi_watch_kind {
	LENDI_WATCH_SOCKET = 1,
	LENDI_WATCH_PIDFD = 2,
	LENDI_WATCH_LISTENER = 3,
	LENDI_WATCH_TIMER = 4,
};

struct lendi_watch {
	enum lendi_watch_kind kind;
	struct lend_session *session; /* NULL for the server's own */
};

/* Where a blocking call waits for its answer; on its stack. */
struct lendi_waiter {
	struct lendi_waiter *outer; /* a borrow inside a callback of a borrow */
	const char *name;           /* of the arena a borrow wants */
	bool done;
	int err;
	const struct lend_arena *arena;
	char reason[LENDI_WIRE_TEXT_BYTES];
};

enum lendi_gift_step {
	LENDI_GIFT_WAITS = 0,     /* nothing said yet */
	LENDI_GIFT_ANNOUNCED = 1, /* some of its FDs are sent */
	LENDI_GIFT_COMMITTED = 2, /* the peer's answer is awaited */
};

/*
 * An arena on its way out. The FDs are the arena's and sent from there, none is duplicated; so
 * each step looks whether the arena is still the one that was lent.
 */
struct lendi_gift {
	struct lendi_gift *next;
	struct lend_arena *arena;
	uint64_t generation; /* of the arena when it was lent */
	uint64_t id;
	enum lendi_gift_step step;
	uint32_t fd_next;
	struct lendi_waiter *waiter;
	char name[LEND_ARENA_NAME_BYTES_MAX + 1];
};

/* An arena of the peer that is mapped here, as long as the application has not closed it. */
struct lendi_borrowed {
	struct lendi_borrowed *next;
	const struct lend_arena *arena;
	uint64_t generation;
	uint32_t slot_count;
	bool waits; /* nobody has asked for it yet: the session's own */
	char name[LEND_ARENA_NAME_BYTES_MAX + 1];
};

/* An arena of the peer that could not be mapped before anyone asked for it. */
struct lendi_refused {
	struct lendi_refused *next;
	int err;
	char name[LEND_ARENA_NAME_BYTES_MAX + 1];
	char reason[LENDI_WIRE_TEXT_BYTES];
};

#define LENDI_REFUSED_MAX 16u /* the latest, of a session */

struct lend_session {
	struct lendi_registered registered;
	struct lend_server *server; /* NULL: stands alone */
	struct lend_session *next;  /* of a server */
	struct lend_session_options options;
	struct lendi_limits limits;
	uint64_t fork_epoch;

	int socket;
	int epoll;         /* the server's, or our own */
	uint32_t interest; /* events asked for on the socket */
	struct lendi_watch watch_socket;
	struct lendi_watch watch_pidfd;
	struct lend_peer peer;
	int64_t handshake_until_ns; /* of a server's session */

	struct lendi_handshake handshake;
	struct lendi_intake intake;
	struct lendi_outbox outbox;
	struct lendi_gift *gifts; /* oldest first */
	uint64_t last_gift_id;
	struct lendi_borrowed *borrowed; /* oldest first */
	struct lendi_refused *refused;   /* latest first */
	struct lendi_waiter *waiter;     /* a borrow in progress */

	uint32_t depth; /* of dispatch inside callbacks inside dispatch */
	bool unwanted;  /* closed by the application: free it at depth 0 */
	bool quiet;     /* on_closed is not called */
	int pipe_error; /* sending failed; what the peer said last is still to be read */
	int error;      /* why it is closed; 0 open */
	char reason[LENDI_WIRE_TEXT_BYTES];
};

/* Make a session over fd, which becomes its own on success. */
int lendi_session_create(int fd, uint32_t role, const struct lend_session_options *options,
	struct lend_server *server, int epoll, struct lend_session **out_session);

/* Fill in the defaults of options (which may be NULL) of a caller of any version. */
int lendi_session_options(
	const struct lend_session_options *given, struct lend_session_options *out_options);

/* May this process use it, and is it open? 0; -EPERM, -EINVAL, or why it closed. */
int lendi_session_check(const struct lend_session *session);

/* Read, write and call back what can be without blocking; died: the pidfd says so. */
void lendi_session_step(struct lend_session *session, bool died);

/* Send what fits now, without reading. */
void lendi_session_send(struct lend_session *session);

/*
 * Around each public call: check that it may be used, and keep it from being freed by a callback
 * meanwhile. leave returns err, or -ENOLINK when a callback closed the session.
 */
int lendi_session_enter(struct lend_session *session);
int lendi_session_leave(struct lend_session *session, int err);

/*
 * Wait until there is something to do, and do it. 0; -ETIMEDOUT the deadline has passed, and what
 * was waited for may have come even so; poll's error.
 */
int lendi_session_turn(struct lend_session *session, lend_deadline deadline);

/* Tell the peer why and close; err and the sentence of this thread are the reason. */
void lendi_session_fail(struct lend_session *session, int err);

/* Close, for a reason the peer knows or cannot be told. */
void lendi_session_end(struct lend_session *session, int err, const char *reason);

/* Post a message; a failure to send shows when the socket is read. */
void lendi_session_post(struct lend_session *session, const union lendi_message *message);

/* Free what is left; in a forked child too. */
void lendi_session_free(struct lend_session *session);

/* The lends of this session may go on (handshake far enough, peer alive). */
static inline bool lendi_session_may_lend(const struct lend_session *session)
{
	return !session->error && !session->pipe_error &&
	       (session->handshake.state == LENDI_HANDSHAKE_OPEN ||
		       session->handshake.state == LENDI_HANDSHAKE_WELCOME);
}

/* peer.c: take the credentials of the hello, and ask the policy. 0; an error to refuse with. */
int lendi_peer_meet(struct lend_session *session, const struct lendi_packet *packet);
int lendi_peer_admit(struct lend_session *session);

/* Is the packet from the process that said hello? 0; -EPROTO. */
int lendi_peer_check(const struct lend_session *session, const struct lendi_packet *packet);

/* give.c */
int lendi_give_check(const struct lend_arena *arena, const char *name);
int lendi_give_add(struct lend_session *session, struct lend_arena *arena, const char *name,
	struct lendi_waiter *waiter);
void lendi_give_pump(struct lend_session *session); /* send what fits */
bool lendi_give_waits(const struct lend_session *session);
int lendi_give_answer(struct lend_session *session, const struct lendi_answer_wire *answer);
void lendi_give_clear(struct lend_session *session);

/* take.c: a message about an arena of the peer; takes the packet's FDs that it keeps. */
int lendi_take_message(struct lend_session *session, const union lendi_message *message,
	struct lendi_packet *packet);
void lendi_take_clear(struct lend_session *session); /* what came in part */
void lendi_take_free(struct lend_session *session);  /* what nobody asked for, too */

/* server.c: free its sessions that are over and that nobody is inside of. */
void lendi_server_reap(struct lend_server *server);

/* server.c: the session's handshake got to where it may be lent to. 0; -ENOMEM. */
int lendi_server_greet(struct lend_server *server, struct lend_session *session);

#endif /* LENDHEAP_SESSION_SESSION_H */
