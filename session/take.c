/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "arena/table.h"
#include "session/session.h"

/*
 * Arenas coming in. Every FD is the packet's, then the intake's, then the arena's; who has it
 * closes it. An arena that cannot be mapped is refused by itself, with the reason for its lender;
 * a peer that breaks the order of messages or a limit loses the session.
 */

static void close_intake(struct lendi_intake *intake)
{
	uint32_t i;

	for (i = 0; i < intake->fd_count; i++)
		lendi_close(intake->fds[i]);
	lendi_intake_reset(intake);
}

/* Forget arenas the application has closed: the limits are about what is mapped. */
static void count_borrowed(
	struct lend_session *session, uint64_t *out_arenas, uint64_t *out_slots)
{
	struct lendi_borrowed **link = &session->borrowed;
	struct lendi_borrowed *borrowed;

	*out_arenas = *out_slots = 0;
	lendi_table_lock();
	while ((borrowed = *link)) {
		if (borrowed->arena->generation != borrowed->generation ||
			borrowed->arena->role != LENDI_BORROWED) {
			*link = borrowed->next;
			free(borrowed);
			continue;
		}
		*out_arenas += 1;
		*out_slots += borrowed->slot_count;
		link = &borrowed->next;
	}
	lendi_table_unlock();
}

static int take_announcement(struct lend_session *session, const struct lendi_lend_wire *lend)
{
	uint64_t arenas;
	uint64_t slots;
	int err;

	count_borrowed(session, &arenas, &slots);
	err = lendi_intake_begin(&session->intake, lend, &session->limits, arenas, slots);
	if (!err)
		LEND_CRASHPOINT("session.take.announced");
	return err;
}

/* Is the memory what was announced? The header was checked by attach; the words were not. */
static int check_announced(const struct lend_arena *arena, const struct lendi_lend_wire *lend)
{
	if (arena->slot_count != lend->slot_count || arena->data_bytes != lend->data_bytes ||
		(arena->fixed && arena->slot != lend->slot) ||
		arena->incarnation != lend->incarnation)
		return lendi_fail(-EUCLEAN,
			"arena \"%s\" of %u slots at %u is not the announced one of %u at %u",
			arena->name, arena->slot_count, arena->slot, lend->slot_count,
			lend->slot);
	return 0;
}

/* Map what is complete. On success *out_borrowed is in the session's list. */
static int attach(struct lend_session *session, struct lendi_borrowed **out_borrowed)
{
	struct lendi_intake *intake = &session->intake;
	struct lendi_borrowed **link = &session->borrowed;
	struct lendi_borrowed *borrowed;
	struct lendi_offer offer = {
		.identity = intake->lend.identity,
		.data_fd = intake->fds[0],
		.claims = intake->fds + 1,
		.claim_count = intake->lend.slot_count,
		.may_relocate = session->options.flags & LEND_SESSION_MAY_RELOCATE,
	};
	int err;

	if (session->options.flags & LEND_SESSION_LENDS_ONLY)
		return lendi_fail(-EACCES, "arenas are not taken here");
	borrowed = calloc(1, sizeof(*borrowed));
	if (!borrowed)
		return lendi_fail(-ENOMEM, "a borrowed arena");
	err = lendi_arena_attach(&offer, &borrowed->arena);
	if (err) {
		free(borrowed);
		return err;
	}
	intake->fd_count = 0; /* the arena's now */
	LEND_CRASHPOINT("session.take.mapped");
	err = check_announced(borrowed->arena, &intake->lend);
	if (err) {
		(void)lendi_arena_detach(borrowed->arena);
		free(borrowed);
		return err;
	}

	borrowed->generation = borrowed->arena->generation;
	borrowed->slot_count = borrowed->arena->slot_count;
	borrowed->waits = true;
	memcpy(borrowed->name, intake->lend.name, sizeof(borrowed->name));
	while (*link)
		link = &(*link)->next;
	*link = borrowed;
	*out_borrowed = borrowed;
	return 0;
}

static struct lendi_waiter *find_waiter(struct lend_session *session, const char *name)
{
	struct lendi_waiter *waiter = session->waiter;

	while (waiter && (waiter->done || strcmp(waiter->name, name) != 0))
		waiter = waiter->outer;
	return waiter;
}

static void deliver(struct lend_session *session, struct lendi_borrowed *borrowed)
{
	const struct lend_session_options *options = &session->options;
	struct lendi_waiter *waiter = find_waiter(session, borrowed->name);
	char name[sizeof(borrowed->name)];

	if (waiter) {
		borrowed->waits = false;
		waiter->done = true;
		waiter->arena = borrowed->arena;
	} else if (options->on_arena) {
		borrowed->waits = false;
		memcpy(name, borrowed->name, sizeof(name)); /* the callback may close it */
		options->on_arena(session, borrowed->arena, name, options->context);
	}
}

static void forget_refused(struct lend_session *session, const char *name)
{
	struct lendi_refused **link = &session->refused;
	struct lendi_refused *refused;

	while ((refused = *link)) {
		if (name && strcmp(refused->name, name) != 0) {
			link = &refused->next;
			continue;
		}
		*link = refused->next;
		free(refused);
	}
}

/* Tell whoever waits for it, or will ask, why it did not come. */
static void deliver_refusal(
	struct lend_session *session, const char *name, int err, const char *reason)
{
	struct lendi_waiter *waiter = find_waiter(session, name);
	struct lendi_refused **link = &session->refused;
	struct lendi_refused *refused;
	uint32_t count;

	if (waiter) {
		waiter->done = true;
		waiter->err = err;
		lendi_wire_text(waiter->reason, sizeof(waiter->reason), reason);
		return;
	}
	for (count = 1; *link; count++) {
		if (count < LENDI_REFUSED_MAX) {
			link = &(*link)->next;
			continue;
		}
		free(*link);
		*link = NULL;
	}
	refused = calloc(1, sizeof(*refused));
	if (!refused)
		return; /* a borrow then waits until its deadline */
	refused->next = session->refused;
	refused->err = err;
	lendi_wire_text(refused->name, sizeof(refused->name), name);
	lendi_wire_text(refused->reason, sizeof(refused->reason), reason);
	session->refused = refused;
}

static int take_commit(struct lend_session *session, const struct lendi_chunk_wire *chunk)
{
	struct lendi_borrowed *borrowed = NULL;
	union lendi_message message;
	char name[LEND_ARENA_NAME_BYTES_MAX + 1];
	int err;

	err = lendi_intake_commit(&session->intake, chunk);
	if (err)
		return err;
	memcpy(name, session->intake.lend.name, sizeof(name));
	err = attach(session, &borrowed);
	(void)lendi_wire_head(&message, LENDI_WIRE_ANSWER, session->handshake.version);
	message.answer.id = chunk->id;
	if (err) {
		message.answer.error = (uint32_t)-err;
		lendi_wire_text(message.answer.reason, sizeof(message.answer.reason),
			lend_error_detail());
	}
	close_intake(&session->intake);
	LEND_CRASHPOINT("session.take.before_answer");
	lendi_session_post(session, &message);
	LEND_CRASHPOINT("session.take.answered");
	forget_refused(session, name);
	if (err)
		deliver_refusal(session, name, err, message.answer.reason);
	else
		deliver(session, borrowed);
	return 0;
}

int lendi_take_message(struct lend_session *session, const union lendi_message *message,
	struct lendi_packet *packet)
{
	int err;

	switch (message->head.type) {
	case LENDI_WIRE_LEND:
		return take_announcement(session, &message->lend);
	case LENDI_WIRE_FDS:
		err = lendi_intake_add(&session->intake, &message->chunk, packet->fds);
		if (!err) {
			packet->fd_count = 0; /* the intake's now */
			LEND_CRASHPOINT("session.take.chunk");
		}
		return err;
	case LENDI_WIRE_COMMIT:
		return take_commit(session, &message->chunk);
	case LENDI_WIRE_WITHDRAW:
		err = lendi_intake_withdraw(&session->intake, &message->chunk);
		if (!err)
			close_intake(&session->intake);
		return err;
	default:
		return lendi_fail(
			-EPROTO, "message of type %u in an open session", message->head.type);
	}
}

void lendi_take_clear(struct lend_session *session)
{
	struct lendi_waiter *waiter;

	close_intake(&session->intake);
	for (waiter = session->waiter; waiter; waiter = waiter->outer) {
		if (waiter->done)
			continue;
		waiter->done = true;
		waiter->err = session->error;
		memcpy(waiter->reason, session->reason, sizeof(waiter->reason));
	}
}

void lendi_take_free(struct lend_session *session)
{
	struct lendi_borrowed *borrowed;

	while ((borrowed = session->borrowed)) {
		session->borrowed = borrowed->next;
		if (borrowed->waits)
			(void)lendi_arena_detach(borrowed->arena);
		free(borrowed);
	}
	forget_refused(session, NULL);
}

/* What came before anyone asked: 1 and it is in *waiter, or 0. */
static int take_waiting(struct lend_session *session, struct lendi_waiter *waiter)
{
	struct lendi_borrowed *borrowed;
	struct lendi_refused *refused;

	for (borrowed = session->borrowed; borrowed; borrowed = borrowed->next) {
		if (borrowed->waits && strcmp(borrowed->name, waiter->name) == 0) {
			borrowed->waits = false;
			waiter->arena = borrowed->arena;
			return 1;
		}
	}
	for (refused = session->refused; refused; refused = refused->next) {
		if (strcmp(refused->name, waiter->name) == 0) {
			waiter->err = refused->err;
			memcpy(waiter->reason, refused->reason, sizeof(waiter->reason));
			forget_refused(session, waiter->name);
			return 1;
		}
	}
	return 0;
}

/* The session is entered. */
static int wait_for_arena(
	struct lend_session *session, struct lendi_waiter *waiter, lend_deadline deadline)
{
	int err = 0;

	waiter->outer = session->waiter;
	session->waiter = waiter;
	lendi_session_step(session, false);
	while (!err && !waiter->done) {
		err = lendi_session_turn(session, deadline);
		if (err == -ETIMEDOUT)
			(void)lendi_fail(err, "process %d lent no arena \"%s\" in time",
				session->peer.pid, waiter->name);
	}
	session->waiter = waiter->outer;
	return waiter->done ? 0 : err;
}

int lend_session_borrow(struct lend_session *session, const char *name, lend_deadline deadline,
	const struct lend_arena **out_arena)
{
	struct lendi_waiter waiter = {.name = name};
	int err;

	if (!session || !name)
		return lendi_fail(-EINVAL, "session or name is NULL");
	/* What came is there for the asking, also when the session is closed by now. */
	if (session->fork_epoch != lendi_fork_epoch() || !take_waiting(session, &waiter)) {
		err = lendi_session_enter(session);
		if (err)
			return err;
		err = wait_for_arena(session, &waiter, deadline);
		/* A callback may have closed the session: what was borrowed stays borrowed. */
		(void)lendi_session_leave(session, err);
		if (err)
			return err;
	}
	if (waiter.err)
		return lendi_fail(waiter.err, "%s", waiter.reason);
	*out_arena = waiter.arena;
	return 0;
}
