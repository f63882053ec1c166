/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "session/address.h"
#include "session/session.h"

#define PACKETS_PER_STEP  64u   /* one peer cannot keep dispatch for itself */
#define PACKETS_AT_DEATH  4096u /* more than a socket buffer holds */
#define DEFAULT_ARENAS    256u
#define DEFAULT_SLOTS     1024u
#define DEFAULT_FDS       1025u
#define DEFAULT_SESSIONS  1024u
#define DEFAULT_HANDSHAKE 5000u

static void or_default(uint32_t *field, uint32_t value)
{
	if (*field == 0)
		*field = value;
}

int lendi_session_options(
	const struct lend_session_options *given, struct lend_session_options *out_options)
{
	static const struct lend_session_options none;

	if (!given)
		given = &none;
	if (given->struct_bytes && given->struct_bytes != sizeof(*given))
		return lendi_fail(-EINVAL, "options of %zu bytes, this version's have %zu",
			given->struct_bytes, sizeof(*given));
	if (given->flags & ~(LEND_SESSION_MAY_RELOCATE | LEND_SESSION_LENDS_ONLY))
		return lendi_fail(
			-EINVAL, "session flags 0x%x are not all known", given->flags);
	*out_options = *given;
	or_default(&out_options->arena_count_max, DEFAULT_ARENAS);
	or_default(&out_options->slot_count_max, DEFAULT_SLOTS);
	or_default(&out_options->fd_pending_max, DEFAULT_FDS);
	or_default(&out_options->session_count_max, DEFAULT_SESSIONS);
	or_default(&out_options->handshake_ms, DEFAULT_HANDSHAKE);
	return 0;
}

/* Runs in a forked child: the numbers are a copy, the sockets behind them are the parent's. */
static void close_in_child(struct lendi_registered *registered)
{
	struct lend_session *session = (struct lend_session *)registered;
	uint32_t i;

	lendi_close(session->socket);
	lendi_close(session->peer.pidfd);
	if (!session->server)
		lendi_close(session->epoll);
	session->socket = session->peer.pidfd = session->epoll = -1;
	/* At depth 0 nobody was changing the list when the process forked. */
	for (i = 0; session->depth == 0 && i < session->intake.fd_count; i++)
		lendi_close(session->intake.fds[i]);
	if (session->depth == 0)
		session->intake.fd_count = 0;
}

/* Is it a socket that messages with FDs can cross? */
static int check_socket(int fd)
{
	const int one = 1;
	socklen_t bytes = sizeof(int);
	int domain = 0;
	int type = 0;

	if (lendi_os.getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &bytes))
		return lendi_fail_errno(-errno, "FD %d for a session", fd);
	bytes = sizeof(int);
	if (lendi_os.getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &bytes))
		return lendi_fail_errno(-errno, "FD %d for a session", fd);
	if (domain != AF_UNIX || type != SOCK_SEQPACKET)
		return lendi_fail(-EINVAL,
			"FD %d is a socket of domain %d and type %d, not Unix SEQPACKET", fd,
			domain, type);
	if (lendi_os.setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &one, sizeof(one)))
		return lendi_fail_errno(-errno, "SO_PASSCRED");
	if (lendi_os.fcntl(fd, F_SETFD, (void *)(uintptr_t)FD_CLOEXEC))
		return lendi_fail_errno(-errno, "close-on-exec of FD %d", fd);
	return 0;
}

static int watch_socket(struct lend_session *session, int operation, uint32_t interest)
{
	struct epoll_event event = {.events = interest, .data.ptr = &session->watch_socket};

	if (lendi_os.epoll_ctl(session->epoll, operation, session->socket, &event))
		return lendi_fail_errno(-errno, "watching a session");
	session->interest = interest;
	return 0;
}

static struct lend_session *allocate(int fd, uint32_t role,
	const struct lend_session_options *options, struct lend_server *server)
{
	struct lend_session *session = calloc(1, sizeof(*session));
	struct lendi_self self;

	if (!session)
		return NULL;
	session->registered.close_in_child = close_in_child;
	session->server = server;
	session->options = *options;
	session->limits.arena_count_max = options->arena_count_max;
	session->limits.slot_count_max = options->slot_count_max;
	session->limits.fd_pending_max = options->fd_pending_max;
	session->fork_epoch = lendi_fork_epoch();
	session->socket = fd;
	session->peer.pidfd = -1;
	session->watch_socket = (struct lendi_watch){LENDI_WATCH_SOCKET, session};
	session->watch_pidfd = (struct lendi_watch){LENDI_WATCH_PIDFD, session};
	session->handshake_until_ns = INT64_MAX;
	lendi_self_init(&self, role, options->flags);
	lendi_handshake_init(&session->handshake, &self);
	return session;
}

int lendi_session_create(int fd, uint32_t role, const struct lend_session_options *options,
	struct lend_server *server, int epoll, struct lend_session **out_session)
{
	struct lend_session *session;
	int err;

	err = check_socket(fd);
	if (err)
		return err;
	session = allocate(fd, role, options, server);
	if (!session)
		return lendi_fail(-ENOMEM, "a session");
	session->epoll = server ? epoll : lendi_os.epoll_create1(EPOLL_CLOEXEC);
	if (session->epoll < 0) {
		err = lendi_fail_errno(-errno, "epoll FD of a session");
		goto free_session;
	}
	err = watch_socket(session, EPOLL_CTL_ADD, EPOLLIN);
	if (err)
		goto close_epoll;

	lendi_registry_add(&session->registered);
	*out_session = session;
	return 0;
close_epoll:
	if (!server)
		lendi_close(session->epoll);
free_session:
	free(session);
	return err;
}

int lend_session_start(int fd, uint32_t role, const struct lend_session_options *options,
	struct lend_session **out_session)
{
	struct lend_session_options filled;
	struct lend_session *session;
	union lendi_message message;
	int err;

	if (role != LEND_SESSION_CONNECTS && role != LEND_SESSION_ACCEPTS)
		return lendi_fail(-EINVAL, "session role %u", role);
	err = lendi_session_options(options, &filled);
	if (!err)
		err = lendi_session_create(fd, role, &filled, NULL, -1, &session);
	if (err)
		return err;

	if (role == LEND_SESSION_CONNECTS) {
		(void)lendi_handshake_hello(&session->handshake, &message);
		LEND_CRASHPOINT("session.hello.before");
		lendi_session_post(session, &message);
		LEND_CRASHPOINT("session.hello.sent");
	}
	/* Nobody at the other end is for dispatch to find; out of memory is for the caller. */
	if (session->pipe_error == -ENOMEM) {
		session->socket = -1; /* stays the caller's */
		lendi_session_free(session);
		return lendi_fail(-ENOMEM, "the hello of a session");
	}
	*out_session = session;
	return 0;
}

int lendi_session_check(const struct lend_session *session)
{
	if (!session)
		return lendi_fail(-EINVAL, "session is NULL");
	if (session->fork_epoch != lendi_fork_epoch())
		return lendi_fail(-EPERM, "the session is the parent's, not a forked child's");
	if (session->error)
		return lendi_fail(session->error, "%s", session->reason);
	return 0;
}

void lendi_session_post(struct lend_session *session, const union lendi_message *message)
{
	int err;

	if (session->pipe_error)
		return;
	err = lendi_outbox_post(&session->outbox, session->socket, message);
	if (err)
		session->pipe_error = err;
}

static void close_fds(struct lend_session *session)
{
	bool ours = session->fork_epoch == lendi_fork_epoch(); /* the set is the parent's too */

	/* By hand: a copy of the socket in some forked child would keep it in the set. */
	if (session->socket >= 0 && ours)
		(void)lendi_os.epoll_ctl(session->epoll, EPOLL_CTL_DEL, session->socket, NULL);
	if (session->peer.pidfd >= 0 && ours)
		(void)lendi_os.epoll_ctl(
			session->epoll, EPOLL_CTL_DEL, session->peer.pidfd, NULL);
	lendi_close(session->socket);
	lendi_close(session->peer.pidfd);
	session->socket = session->peer.pidfd = -1;
}

void lendi_session_end(struct lend_session *session, int err, const char *reason)
{
	if (session->error)
		return;
	session->error = err;
	lendi_wire_text(session->reason, sizeof(session->reason), reason);
	lendi_take_clear(session);
	lendi_give_clear(session);
	lendi_outbox_clear(&session->outbox);
	if (!session->quiet && session->options.on_closed)
		session->options.on_closed(
			session, err, session->reason, session->options.context);
	close_fds(session);
}

void lendi_session_fail(struct lend_session *session, int err)
{
	bool open = session->handshake.state == LENDI_HANDSHAKE_OPEN;
	union lendi_message message;
	char reason[LENDI_WIRE_TEXT_BYTES];

	lendi_wire_text(reason, sizeof(reason), lend_error_detail());
	(void)lendi_wire_end(&message, open ? LENDI_WIRE_BYE : LENDI_WIRE_REFUSAL,
		open ? session->handshake.version : 1, err, reason);
	lendi_session_post(session, &message);
	(void)lendi_outbox_flush(&session->outbox, session->socket);
	lendi_session_end(session, err, reason);
}

/* The policy is asked, and the handshake goes one message on. */
static void decide(struct lend_session *session, const struct lendi_packet *packet)
{
	union lendi_message message;
	int err;

	LEND_CRASHPOINT("session.hello.taken");
	err = lendi_peer_meet(session, packet);
	if (!err)
		err = lendi_peer_admit(session);
	if (err) {
		lendi_session_fail(session, err);
		return;
	}
	(void)lendi_handshake_admit(&session->handshake, &message);
	LEND_CRASHPOINT("session.answer.before");
	lendi_session_post(session, &message);
	LEND_CRASHPOINT("session.answer.sent");
	err = session->server ? lendi_server_greet(session->server, session) : 0;
	if (err)
		lendi_session_fail(session, err);
}

static void take_handshake(struct lend_session *session, const union lendi_message *message,
	const struct lendi_packet *packet)
{
	int err = lendi_handshake_take(&session->handshake, message);

	if (err && session->handshake.state == LENDI_HANDSHAKE_REFUSED)
		lendi_session_end(session, err, lend_error_detail());
	else if (err)
		lendi_session_fail(session, err);
	else if (session->handshake.state == LENDI_HANDSHAKE_DECIDE)
		decide(session, packet);
	if (session->error || session->handshake.state != LENDI_HANDSHAKE_OPEN)
		return;
	session->handshake_until_ns = INT64_MAX;
	LEND_CRASHPOINT("session.open");
	if (session->options.on_open)
		session->options.on_open(session, session->options.context);
}

static void take_bye(struct lend_session *session, const struct lendi_end_wire *end)
{
	char reason[LENDI_WIRE_TEXT_BYTES + 32];

	if (!end->error) {
		lendi_session_end(session, -ENOLINK, "the peer closed the session");
		return;
	}
	lendi_wire_text(reason, sizeof(reason), "the peer broke off: ");
	lendi_wire_text(reason + strlen(reason), sizeof(reason) - strlen(reason), end->reason);
	lendi_session_end(session, lendi_wire_error(end->error), reason);
}

static void take_packet(struct lend_session *session, struct lendi_packet *packet)
{
	struct lendi_handshake *handshake = &session->handshake;
	union lendi_message message;
	int err;

	err = lendi_wire_read(
		packet->bytes, packet->count, packet->fd_count, handshake->version, &message);
	if (!err && handshake->version && session->peer.pid)
		err = lendi_peer_check(session, packet);
	if (err) {
		lendi_session_fail(session, err);
	} else if (message.head.type == LENDI_WIRE_SKIPPED) {
		return;
	} else if (message.head.type == LENDI_WIRE_BYE ||
		   (message.head.type == LENDI_WIRE_REFUSAL &&
			   handshake->state == LENDI_HANDSHAKE_OPEN)) {
		take_bye(session, &message.end);
	} else if (handshake->state != LENDI_HANDSHAKE_OPEN ||
		   message.head.type < LENDI_WIRE_LEND) {
		take_handshake(session, &message, packet);
	} else {
		err = message.head.type == LENDI_WIRE_ANSWER
			      ? lendi_give_answer(session, &message.answer)
			      : lendi_take_message(session, &message, packet);
		if (err)
			lendi_session_fail(session, err);
	}
}

static void lose(struct lend_session *session)
{
	char reason[LENDI_WIRE_TEXT_BYTES];

	(void)lendi_fail(
		0, "process %d ended the session without a goodbye", session->peer.pid);
	lendi_wire_text(reason, sizeof(reason), lend_error_detail());
	/* A probe that looked whether anyone serves here is no event for the application. */
	if (session->server && session->handshake.state == LENDI_HANDSHAKE_START)
		session->quiet = true;
	lendi_session_end(session, -EOWNERDEAD, reason);
}

static void receive(struct lend_session *session, uint32_t packet_count_max)
{
	struct lendi_packet packet;
	uint32_t i;
	int got = 1;

	for (i = 0; i < packet_count_max && !session->error && !session->unwanted; i++) {
		if (session->outbox.count >= LENDI_OUTBOX_COUNT_MAX)
			return;
		got = lendi_link_receive(session->socket, &packet);
		if (got <= 0)
			break;
		take_packet(session, &packet);
		lendi_packet_close(&packet);
	}
	if (session->error || session->unwanted)
		return;
	if (got == 0)
		lose(session);
	else if (got < 0 && got != -EAGAIN)
		lendi_session_fail(session, got);
}

/* Sending failed. If the peer is gone its last words decide, and they are still to be read. */
static void check_pipe(struct lend_session *session)
{
	int err = session->pipe_error;

	lendi_outbox_clear(&session->outbox);
	if (err == -EPIPE || err == -ECONNRESET || err == -ENOTCONN)
		return;
	(void)lendi_fail_errno(err, "sending to process %d", session->peer.pid);
	lendi_session_end(session, err, lend_error_detail());
}

/* What the socket is watched for follows from what waits. */
static void update_interest(struct lend_session *session)
{
	uint32_t interest = 0;

	if (session->outbox.count < LENDI_OUTBOX_COUNT_MAX)
		interest |= EPOLLIN;
	if (!session->pipe_error && (session->outbox.count || lendi_give_waits(session)))
		interest |= EPOLLOUT;
	if (interest != session->interest &&
		watch_socket(session, EPOLL_CTL_MOD, interest) != 0)
		lendi_session_fail(session, -errno);
}

void lendi_session_send(struct lend_session *session)
{
	if (lendi_session_may_lend(session))
		lendi_give_pump(session);
	if (session->pipe_error && !session->error)
		check_pipe(session);
	if (!session->error)
		update_interest(session);
}

void lendi_session_step(struct lend_session *session, bool died)
{
	int err;

	if (session->error)
		return;
	session->depth++;
	if (!session->pipe_error) {
		err = lendi_outbox_flush(&session->outbox, session->socket);
		session->pipe_error = err == -EAGAIN ? 0 : err;
	}
	receive(session, died ? PACKETS_AT_DEATH : PACKETS_PER_STEP);
	if (died && !session->error)
		lose(session);
	lendi_session_send(session);
	session->depth--;
}

int lendi_session_enter(struct lend_session *session)
{
	int err = lendi_session_check(session);

	if (!err)
		session->depth++;
	return err;
}

int lendi_session_leave(struct lend_session *session, int err)
{
	bool closed = session->unwanted;

	if (--session->depth == 0) {
		if (session->server)
			lendi_server_reap(session->server);
		else if (closed)
			lendi_session_free(session);
	}
	return closed ? lendi_fail(-ENOLINK, "the session was closed by this process") : err;
}

/* What a call answers that has nothing else to say. */
static int state_of(const struct lend_session *session)
{
	return session->error ? lendi_fail(session->error, "%s", session->reason) : 0;
}

int lendi_session_turn(struct lend_session *session, lend_deadline deadline)
{
	struct pollfd fds[2] = {
		{.fd = session->socket,
			.events = (short)(session->interest & (POLLIN | POLLOUT))},
		{.fd = session->peer.pidfd, .events = POLLIN},
	};
	int wait_ms = lendi_deadline_poll_ms(deadline);
	int count;

	count = lendi_os.poll(fds, 2, wait_ms);
	if (count < 0 && errno != EINTR)
		return lendi_fail_errno(-errno, "waiting for the peer");
	lendi_session_step(session, count > 0 && fds[1].revents);
	/* Also when there was work: a peer that never falls silent must not hold us. */
	return lendi_deadline_poll_ms(deadline) == 0 ? -ETIMEDOUT : 0;
}

int lend_session_wait(struct lend_session *session, lend_deadline deadline)
{
	int err = lendi_session_enter(session);

	if (err)
		return err;
	lendi_session_step(session, false);
	while (!err && !session->error && session->handshake.state != LENDI_HANDSHAKE_OPEN) {
		err = lendi_session_turn(session, deadline);
		if (err == -ETIMEDOUT)
			(void)lendi_fail(err, "the peer did not finish the handshake in time");
	}
	if (session->error)
		err = state_of(session);
	else if (session->handshake.state == LENDI_HANDSHAKE_OPEN)
		err = 0;
	return lendi_session_leave(session, err);
}

int lend_session_fd(const struct lend_session *session)
{
	return session->server ? -1 : session->epoll;
}

int lend_session_dispatch(struct lend_session *session)
{
	struct epoll_event events[2];
	bool died = false;
	int err;
	int count;
	int i;

	if (session && session->server)
		return lendi_fail(-EINVAL, "the session is a server's: dispatch that");
	err = lendi_session_enter(session);
	if (err)
		return err;
	count = lendi_os.epoll_wait(session->epoll, events, 2, 0);
	for (i = 0; i < count; i++)
		died |= events[i].data.ptr == &session->watch_pidfd;
	lendi_session_step(session, died);
	return lendi_session_leave(session, state_of(session));
}

const struct lend_peer *lend_session_peer(const struct lend_session *session)
{
	return &session->peer;
}

int lend_session_error(const struct lend_session *session)
{
	return session->error;
}

const char *lend_session_reason(const struct lend_session *session)
{
	return session->reason;
}

void lendi_session_free(struct lend_session *session)
{
	lendi_registry_remove(&session->registered);
	lendi_take_clear(session);
	lendi_take_free(session);
	lendi_give_clear(session);
	lendi_outbox_clear(&session->outbox);
	close_fds(session);
	if (!session->server)
		lendi_close(session->epoll);
	free(session);
}

void lend_session_close(struct lend_session *session)
{
	union lendi_message message;

	if (!session || session->unwanted)
		return;
	session->quiet = true;
	session->unwanted = true;
	if (!session->error && session->fork_epoch == lendi_fork_epoch()) {
		(void)lendi_wire_end(&message,
			session->handshake.version ? LENDI_WIRE_BYE : LENDI_WIRE_REFUSAL,
			session->handshake.version ? session->handshake.version : 1,
			session->handshake.version ? 0 : -ENOLINK, "closed");
		lendi_session_post(session, &message);
		(void)lendi_outbox_flush(&session->outbox, session->socket);
		LEND_CRASHPOINT("session.bye.sent");
		lendi_session_end(session, -ENOLINK, "this process closed the session");
	}
	if (session->server)
		lendi_server_reap(session->server);
	else if (session->depth == 0)
		lendi_session_free(session);
}

int lend_session_connect(const char *address, const struct lend_session_options *options,
	lend_deadline deadline, struct lend_session **out_session)
{
	struct lend_session *session;
	char reason[LENDI_WIRE_TEXT_BYTES];
	struct lendi_address parsed;
	int fd;
	int err;

	err = lendi_address_parse(address, &parsed);
	if (!err)
		err = lendi_address_connect(&parsed, deadline, &fd);
	if (err)
		return err;
	LEND_CRASHPOINT("session.connected");
	err = lend_session_start(fd, LEND_SESSION_CONNECTS, options, &session);
	if (err) {
		lendi_close(fd);
		return err;
	}
	session->quiet = true;
	err = lend_session_wait(session, deadline);
	if (err) {
		lendi_wire_text(reason, sizeof(reason), lend_error_detail());
		lend_session_close(session);
		return lendi_fail(err, "%s", reason);
	}
	session->quiet = false;
	*out_session = session;
	return 0;
}
