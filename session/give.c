/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "session/session.h"

/*
 * Arenas going out: announced, their FDs in chunks, committed, answered. The FDs are sent from
 * the arena itself. What does not fit the socket waits here, without an FD of its own, and goes on
 * when the peer has read.
 */

int lendi_give_check(const struct lend_arena *arena, const char *name)
{
	int err = lendi_arena_check_owned(arena);

	if (err)
		return err;
	if (name && strlen(name) > LEND_ARENA_NAME_BYTES_MAX)
		return lendi_fail(-EINVAL, "name of %zu bytes, at most %u", strlen(name),
			LEND_ARENA_NAME_BYTES_MAX);
	if (arena->lend_fd >= 0)
		return 0;
	if (arena->lend_error == -EOPNOTSUPP)
		return lendi_fail(-EOPNOTSUPP,
			"arena \"%s\" cannot be lent: it lies in files, which cannot be sealed",
			arena->name);
	return lendi_fail_errno(arena->lend_error,
		"arena \"%s\" cannot be lent: no read-only FD through /proc at its creation",
		arena->name);
}

int lendi_give_add(struct lend_session *session, struct lend_arena *arena, const char *name,
	struct lendi_waiter *waiter)
{
	struct lendi_gift **link = &session->gifts;
	struct lendi_gift *gift;
	uint32_t count = 0;

	for (; *link; link = &(*link)->next)
		count++;
	if (count >= LENDI_GIFTS_MAX)
		return lendi_fail(-EAGAIN, "%u lent arenas wait for process %d", count,
			session->peer.pid);
	gift = calloc(1, sizeof(*gift));
	if (!gift)
		return lendi_fail(-ENOMEM, "an arena on its way to a peer");
	gift->arena = arena;
	gift->generation = arena->generation;
	gift->id = ++session->last_gift_id;
	gift->waiter = waiter;
	lendi_wire_text(gift->name, sizeof(gift->name), name ? name : arena->name);
	*link = gift;
	return 0;
}

/* It is over with this arena, one way or the other. The gift is out of the list already. */
static void conclude(
	struct lend_session *session, struct lendi_gift *gift, int err, const char *reason)
{
	const struct lend_session_options *options = &session->options;

	if (gift->waiter) {
		gift->waiter->done = true;
		gift->waiter->err = err;
		lendi_wire_text(gift->waiter->reason, sizeof(gift->waiter->reason), reason);
	}
	if (options->on_lent)
		options->on_lent(session, gift->name, err, reason, options->context);
	free(gift);
}

static int send_announcement(struct lend_session *session, const struct lendi_gift *gift)
{
	const struct lend_arena *arena = gift->arena;
	union lendi_message message;
	struct lendi_lend_wire *lend = &message.lend;

	(void)lendi_wire_head(&message, LENDI_WIRE_LEND, session->handshake.version);
	lend->id = gift->id;
	lend->identity = arena->identity;
	lend->incarnation = arena->incarnation;
	lend->window_base = lendi_window()->base;
	lend->data_bytes = arena->data_bytes;
	lend->slot = arena->slot;
	lend->slot_count = arena->slot_count;
	lend->fd_count = 1 + arena->slot_count;
	lend->flags = LENDI_LEND_READ_ONLY;
	memcpy(lend->name, gift->name, sizeof(lend->name));
	LEND_CRASHPOINT("session.lend.before");
	return lendi_link_send(session->socket, &message, NULL, 0);
}

static int send_chunk_head(struct lend_session *session, const struct lendi_gift *gift,
	enum lendi_wire_type type, const int *fds, uint32_t count)
{
	union lendi_message message;

	(void)lendi_wire_head(&message, type, session->handshake.version);
	message.chunk.id = gift->id;
	message.chunk.first = type == LENDI_WIRE_FDS ? gift->fd_next : 0;
	message.chunk.count = type == LENDI_WIRE_COMMIT ? 1 + gift->arena->slot_count : count;
	return lendi_link_send(session->socket, &message, fds, count);
}

/* The data's FD comes first, the claims in slot order behind it. */
static int send_fds(struct lend_session *session, struct lendi_gift *gift)
{
	const struct lend_arena *arena = gift->arena;
	int fds[LENDI_WIRE_FDS_MAX];
	int err = 0;

	while (!err && gift->fd_next < 1 + arena->slot_count) {
		uint32_t count = 0;
		uint32_t i = gift->fd_next;

		for (; i < 1 + arena->slot_count && count < LENDI_WIRE_FDS_MAX; i++)
			fds[count++] = i == 0 ? arena->lend_fd : arena->claims[i - 1];
		err = send_chunk_head(session, gift, LENDI_WIRE_FDS, fds, count);
		if (!err) {
			gift->fd_next = i;
			LEND_CRASHPOINT("session.lend.chunk");
		}
	}
	return err;
}

static bool is_stale(const struct lendi_gift *gift)
{
	return gift->arena->role != LENDI_OWNED || gift->arena->generation != gift->generation;
}

/* The next step of one gift. 0 it is with the peer; -EAGAIN; -ESTALE it cannot go; an error. */
static int advance(struct lend_session *session, struct lendi_gift *gift)
{
	int err = 0;

	if (is_stale(gift)) {
		if (gift->step == LENDI_GIFT_ANNOUNCED)
			err = send_chunk_head(session, gift, LENDI_WIRE_WITHDRAW, NULL, 0);
		return err ? err : -ESTALE;
	}
	if (gift->step == LENDI_GIFT_WAITS) {
		err = send_announcement(session, gift);
		if (err)
			return err;
		gift->step = LENDI_GIFT_ANNOUNCED;
		LEND_CRASHPOINT("session.lend.announced");
	}
	err = send_fds(session, gift);
	if (!err)
		err = send_chunk_head(session, gift, LENDI_WIRE_COMMIT, NULL, 0);
	if (!err) {
		gift->step = LENDI_GIFT_COMMITTED;
		LEND_CRASHPOINT("session.lend.committed");
	}
	return err;
}

void lendi_give_pump(struct lend_session *session)
{
	struct lendi_gift **link = &session->gifts;
	struct lendi_gift *gift;
	int err = 0;

	/* Letters first: they are answers, and the welcome must not be overtaken. */
	while ((gift = *link) && !session->outbox.first && !err) {
		if (gift->step == LENDI_GIFT_COMMITTED) {
			link = &gift->next;
			continue;
		}
		if (session->handshake.peer_options & LENDI_HELLO_LENDS_ONLY) {
			*link = gift->next;
			conclude(session, gift, -EACCES, "the peer takes no arenas");
			link = &session->gifts; /* the callback may have changed the list */
			continue;
		}
		err = advance(session, gift);
		if (err == -ESTALE) {
			*link = gift->next;
			conclude(session, gift, -ESTALE, "the arena was destroyed");
			link = &session->gifts;
			err = session->error;
		}
	}
	if (err && err != -EAGAIN && !session->error)
		session->pipe_error = err;
}

bool lendi_give_waits(const struct lend_session *session)
{
	const struct lendi_gift *gift;

	if (!lendi_session_may_lend(session))
		return false;
	for (gift = session->gifts; gift; gift = gift->next)
		if (gift->step != LENDI_GIFT_COMMITTED)
			return true;
	return false;
}

int lendi_give_answer(struct lend_session *session, const struct lendi_answer_wire *answer)
{
	struct lendi_gift **link = &session->gifts;
	struct lendi_gift *gift;

	while (*link && (*link)->id != answer->id)
		link = &(*link)->next;
	gift = *link;
	if (!gift || gift->step != LENDI_GIFT_COMMITTED)
		return lendi_fail(-EPROTO, "an answer for arena %llu, which was not lent",
			(unsigned long long)answer->id);
	LEND_CRASHPOINT("session.lend.answered");
	*link = gift->next;
	conclude(session, gift, answer->error ? lendi_wire_error(answer->error) : 0,
		answer->reason);
	return 0;
}

void lendi_give_clear(struct lend_session *session)
{
	struct lendi_gift *gift;

	while ((gift = session->gifts)) {
		session->gifts = gift->next;
		if (gift->waiter) {
			gift->waiter->done = true;
			gift->waiter->err = session->error;
			lendi_wire_text(gift->waiter->reason, sizeof(gift->waiter->reason),
				session->reason);
		}
		free(gift);
	}
}

static int lend_entered(struct lend_session *session, struct lend_arena *arena,
	const char *name, struct lendi_waiter *waiter)
{
	int err = lendi_give_check(arena, name);

	if (!err && (session->handshake.peer_options & LENDI_HELLO_LENDS_ONLY))
		err = lendi_fail(-EACCES, "the peer takes no arenas");
	if (!err)
		err = lendi_give_add(session, arena, name, waiter);
	if (!err)
		lendi_session_send(session);
	return err;
}

int lend_session_lend(struct lend_session *session, struct lend_arena *arena, const char *name)
{
	int err = lendi_session_enter(session);

	if (err)
		return err;
	return lendi_session_leave(session, lend_entered(session, arena, name, NULL));
}

int lend_session_lend_until(struct lend_session *session, struct lend_arena *arena,
	const char *name, lend_deadline deadline)
{
	struct lendi_waiter waiter = {.done = false};
	struct lendi_gift *gift;
	int err;

	err = lendi_session_enter(session);
	if (err)
		return err;
	err = lend_entered(session, arena, name, &waiter);
	while (!err && !waiter.done) {
		err = lendi_session_turn(session, deadline);
		if (err == -ETIMEDOUT)
			(void)lendi_fail(err, "process %d has not answered", session->peer.pid);
	}
	/* It goes on without us: nobody may write to our stack then. */
	for (gift = session->gifts; gift; gift = gift->next)
		if (gift->waiter == &waiter)
			gift->waiter = NULL;
	if (waiter.done)
		err = waiter.err ? lendi_fail(waiter.err, "%s", waiter.reason) : 0;
	return lendi_session_leave(session, err);
}

void lend_session_withdraw(struct lend_session *session, struct lend_arena *arena)
{
	struct lendi_gift **link;
	struct lendi_gift *gift;

	if (lendi_session_enter(session))
		return;
	for (link = &session->gifts; (gift = *link);) {
		if (gift->arena != arena || gift->step == LENDI_GIFT_COMMITTED) {
			link = &gift->next;
			continue;
		}
		/* Half announced: the message that says so must reach the peer in its turn. */
		gift->generation = 0;
		if (gift->step == LENDI_GIFT_ANNOUNCED) {
			link = &gift->next;
			continue;
		}
		*link = gift->next;
		conclude(session, gift, -ESTALE, "the arena was withdrawn");
		link = &session->gifts;
	}
	(void)lendi_session_leave(session, 0);
}
