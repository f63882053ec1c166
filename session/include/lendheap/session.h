/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LENDHEAP_SESSION_H
#define LENDHEAP_SESSION_H

/*
 * Sessions: how processes meet and lend each other arenas, over a Unix socket.
 *
 *	lend_server_create("/run/roads.sock", &options, &server);       the owner
 *	lend_server_offer(server, arena, "roads");
 *	for (;;) poll(lend_server_fd(server)), lend_server_dispatch(server);
 *
 *	lend_session_connect("/run/roads.sock", NULL, deadline, &session);        a reader
 *	lend_session_borrow(session, "roads", deadline, &borrowed);
 *
 * An address is a path or, with a leading '@', an abstract name. Two processes that share a
 * SOCK_SEQPACKET socketpair use lend_session_start(). Either side may lend; what is lent is
 * mapped read-only by the other, enforced by the kernel.
 * Threads. None is started. A server with its sessions, or a session of its own, is used by one
 * thread at a time; callbacks run inside dispatch and inside the blocking calls, on that thread.
 * Processes. After a fork the child has none of the parent's sessions: their FDs are closed there
 * and calls on them give -EPERM. SIGPIPE is never raised.
 * Lifetime. A borrowed arena is the application's and outlives its session; lend_close()
 * (lendheap/share.h) lets go of it. The end of a session unmaps nothing that was handed out.
 */
#include <stddef.h>
#include <stdint.h>

#include <lendheap/arena.h>
#include <lendheap/deadline.h>

#ifdef __cplusplus
extern "C" {
#endif

#define LEND_ADDRESS_BYTES_MAX 107u /* of a path or an abstract name with its '@' */
#define LEND_REASON_BYTES_MAX  191u /* of a refusal's sentence, without its end */

struct lend_session;
struct lend_server;

/* Which process is at the other end, as the kernel says. */
struct lend_peer {
	int32_t pid; /* 0: not visible from our pid namespace; then only EOF tells its death */
	uint32_t uid;
	uint32_t gid;
	int32_t pidfd;            /* the session's, valid while it is open; -1 when pid is 0 */
	uint32_t library_version; /* major << 16 | minor << 8 | patch */
	uint32_t reserved;
};

#define LEND_SESSION_MAY_RELOCATE                                                              \
	(1u << 0)                         /* map at another place when the right one is taken */
#define LEND_SESSION_LENDS_ONLY (1u << 1) /* refuse whatever the peer lends */

/*
 * Zero in any field asks for its default. The callbacks may use the session they are given, and
 * close it. The strings they get are valid during the call.
 */
struct lend_session_options {
	size_t struct_bytes; /* sizeof(struct lend_session_options); 0: as in version 0.1 */
	void *context;       /* handed to each callback */
	/*
	 * The policy: may this process have a session? 0, or a negative errno and a sentence in
	 * reason[reason_bytes], which the peer reads too. NULL: processes of our own user only.
	 */
	int (*admit)(
		const struct lend_peer *peer, char *reason, size_t reason_bytes, void *context);
	/* The handshake is done. */
	void (*on_open)(struct lend_session *session, void *context);
	/*
	 * The peer lent an arena; it is the application's, until lend_close(). NULL: arenas wait
	 * in the session for lend_session_borrow(), and go with it when nobody asks.
	 */
	void (*on_arena)(struct lend_session *session, const struct lend_arena *arena,
		const char *name, void *context);
	/* The peer mapped what we lent (err 0), or could not (err and its reason). */
	void (*on_lent)(struct lend_session *session, const char *name, int err,
		const char *reason, void *context);
	/*
	 * It is over: -ENOLINK the peer closed it, -EOWNERDEAD the peer died, -EACCES one side's
	 * policy refused, -EPROTO version, layout or window differ or the peer broke the protocol,
	 * -ETIMEDOUT no handshake in time, -EMFILE. Not called for lend_session_close(). A
	 * server's session is gone when this returns.
	 */
	void (*on_closed)(
		struct lend_session *session, int err, const char *reason, void *context);
	uint32_t flags;             /* LEND_SESSION_... */
	uint32_t arena_count_max;   /* arenas of this peer mapped at a time; 0: 256 */
	uint32_t slot_count_max;    /* slots of those, one claim FD each; 0: 1024 */
	uint32_t fd_pending_max;    /* FDs of an arena on its way in; 0: 1025 */
	uint32_t session_count_max; /* of a server; 0: 1024. One more is refused with -EAGAIN */
	uint32_t handshake_ms;      /* of a server, for each peer; 0: 5000 */
};

/*
 * Connect to a server and finish the handshake. options may be NULL. *out_session is the caller's
 * until lend_session_close(). Returns 0; -ENOENT or -ECONNREFUSED nobody serves there, -EACCES or
 * what the peer's policy chose (lend_error_detail() has its sentence), -EPROTO version, layout or
 * window differ, -ETIMEDOUT, -EINVAL, or a system call's error. on_closed is not called.
 */
LEND_API int lend_session_connect(const char *address,
	const struct lend_session_options *options, lend_deadline deadline,
	struct lend_session **out_session);

#define LEND_SESSION_CONNECTS 1u /* speaks first */
#define LEND_SESSION_ACCEPTS  2u

/*
 * Begin a session over a connected SOCK_SEQPACKET Unix socket, such as an inherited end of a
 * socketpair; one side connects, the other accepts. The handshake goes on in
 * lend_session_dispatch() or lend_session_wait(). On success fd is the session's. Returns 0;
 * -EINVAL, or a system call's error.
 */
LEND_API int lend_session_start(int fd, uint32_t role,
	const struct lend_session_options *options, struct lend_session **out_session);

/* Wait until the handshake is done. 0; -ETIMEDOUT, or why the session closed. */
LEND_API int lend_session_wait(struct lend_session *session, lend_deadline deadline);

/* One FD that polls readable when there is work for dispatch; -1 for a server's session. */
LEND_API int lend_session_fd(const struct lend_session *session);

/* Do what there is to do, and never block. 0; why the session closed; -EPERM forked child. */
LEND_API int lend_session_dispatch(struct lend_session *session);

/*
 * Lend an arena that this process owns under a name (NULL: the arena's), now or as soon as the
 * session is open. Does not block; on_lent tells the outcome. The arena must not be destroyed
 * before lend_session_withdraw() or the session's end; when it is, it is not lent. Returns 0;
 * -EOPNOTSUPP or the error that made it impossible to lend (no /proc at its creation, not a
 * memfd), -EAGAIN 1024 are unanswered, -EINVAL, -EPERM, -ESTALE, or why the session closed.
 */
LEND_API int lend_session_lend(
	struct lend_session *session, struct lend_arena *arena, const char *name);

/* The same, and wait for the peer's answer. Also -ETIMEDOUT, or the peer's refusal. */
LEND_API int lend_session_lend_until(struct lend_session *session, struct lend_arena *arena,
	const char *name, lend_deadline deadline);

/* Do not lend it any more, where it was not yet sent. What the peer has mapped it keeps. */
LEND_API void lend_session_withdraw(struct lend_session *session, struct lend_arena *arena);

/*
 * Wait for an arena of this name from the peer. *out_arena is the caller's until lend_close().
 * Returns 0; -ETIMEDOUT it did not lend one in time, why an arena of this name could not be
 * mapped (-EADDRINUSE, -EUCLEAN, -EEXIST it is our own, ...), or why the session closed.
 */
LEND_API int lend_session_borrow(struct lend_session *session, const char *name,
	lend_deadline deadline, const struct lend_arena **out_arena);

/* Who is at the other end; zeroes until its hello is read. Lives as long as the session. */
LEND_API const struct lend_peer *lend_session_peer(const struct lend_session *session);

/* Why the session is closed: a negative errno; 0 while it lives. */
LEND_API int lend_session_error(const struct lend_session *session);

/* That error's sentence; "" while it lives. */
LEND_API const char *lend_session_reason(const struct lend_session *session);

/*
 * Say goodbye and free the session. NULL is allowed. Does not block: a peer that does not read
 * may see the end without the goodbye. In a callback of the session itself it is allowed too.
 */
LEND_API void lend_session_close(struct lend_session *session);

/*
 * Listen at an address; options are those of each session. A path's socket file gets mode 0600;
 * one that a dead server left is replaced. *out_server is the caller's until
 * lend_server_destroy(). Returns 0; -EADDRINUSE served already, or the path is no socket,
 * -EINVAL, or a system call's error.
 */
LEND_API int lend_server_create(const char *address, const struct lend_session_options *options,
	struct lend_server **out_server);

/* One FD for the server and all its sessions. */
LEND_API int lend_server_fd(const struct lend_server *server);

/* Do what there is to do for the server and its sessions, never block. 0; -EPERM forked child. */
LEND_API int lend_server_dispatch(struct lend_server *server);

/*
 * Lend an arena to every peer, of now and later, under a name (NULL: the arena's). Retract it
 * before destroying it. 0; errors as lend_session_lend(), -EEXIST the name is offered already,
 * -ENOSPC 1024 are.
 */
LEND_API int lend_server_offer(
	struct lend_server *server, struct lend_arena *arena, const char *name);

/* Lend it to nobody further; peers keep what they have mapped. 0; -ENOENT not offered. */
LEND_API int lend_server_retract(struct lend_server *server, struct lend_arena *arena);

/* Sessions that are open now. */
LEND_API uint32_t lend_server_session_count(const struct lend_server *server);

/* Close all sessions with a goodbye, remove the socket file. NULL is allowed. Not in a callback. */
LEND_API void lend_server_destroy(struct lend_server *server);

#ifdef __cplusplus
}
#endif

#endif /* LENDHEAP_SESSION_H */
