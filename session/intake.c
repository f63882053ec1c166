/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "arena/layout.h"
#include "base/error.h"
#include "session/intake.h"

static int check_lend(const struct lendi_lend_wire *lend)
{
	const uint32_t count = lend->slot_count;

	if (count == 0 || count > LENDI_RUN_SLOTS_MAX || (count & (count - 1)) ||
		lend->slot % count || (uint64_t)lend->slot + count > LEND_WINDOW_SLOTS_MAX)
		return lendi_fail(
			-EPROTO, "announced a run of %u slots at slot %u", count, lend->slot);
	if (lend->fd_count != count + 1)
		return lendi_fail(
			-EPROTO, "announced %u FDs for %u slots", lend->fd_count, count);
	if (lend->data_bytes <= LENDI_HEADER_BYTES || lend->data_bytes % LENDI_PAGE_BYTES ||
		lend->data_bytes > count * LENDI_DATA_SLOT_BYTES)
		return lendi_fail(-EPROTO, "announced %llu bytes in %u slots",
			(unsigned long long)lend->data_bytes, count);
	if (lend->flags != LENDI_LEND_READ_ONLY)
		return lendi_fail(-EPROTO, "announced an arena of flags 0x%x", lend->flags);
	return 0;
}

int lendi_intake_begin(struct lendi_intake *intake, const struct lendi_lend_wire *lend,
	const struct lendi_limits *limits, uint64_t arena_count, uint64_t slot_count)
{
	int err;

	if (intake->active)
		return lendi_fail(-EPROTO, "arena %llu announced inside arena %llu",
			(unsigned long long)lend->id, (unsigned long long)intake->lend.id);
	if (lend->id <= intake->last_id)
		return lendi_fail(-EPROTO, "arena %llu announced after arena %llu",
			(unsigned long long)lend->id, (unsigned long long)intake->last_id);
	err = check_lend(lend);
	if (err)
		return err;
	if (arena_count >= limits->arena_count_max)
		return lendi_fail(-EPROTO, "the peer lent %llu arenas, at most %u are allowed",
			(unsigned long long)arena_count + 1, limits->arena_count_max);
	if (slot_count + lend->slot_count > limits->slot_count_max)
		return lendi_fail(-EPROTO, "the peer lent %llu slots, at most %u are allowed",
			(unsigned long long)slot_count + lend->slot_count,
			limits->slot_count_max);
	if (lend->fd_count > limits->fd_pending_max)
		return lendi_fail(-EPROTO, "the peer announced %u FDs, at most %u are allowed",
			lend->fd_count, limits->fd_pending_max);

	intake->fds = malloc(lend->fd_count * sizeof(int));
	if (!intake->fds)
		return lendi_fail(-ENOMEM, "places of %u FDs", lend->fd_count);
	intake->active = true;
	intake->last_id = lend->id;
	intake->lend = *lend;
	intake->fd_count = 0;
	return 0;
}

static int check_id(const struct lendi_intake *intake, const struct lendi_chunk_wire *chunk)
{
	if (!intake->active || chunk->id != intake->lend.id)
		return lendi_fail(-EPROTO, "message of type %u for arena %llu, which %s",
			chunk->head.type, (unsigned long long)chunk->id,
			intake->active ? "is not the announced one" : "was not announced");
	return 0;
}

int lendi_intake_add(
	struct lendi_intake *intake, const struct lendi_chunk_wire *chunk, const int *fds)
{
	int err = check_id(intake, chunk);

	if (err)
		return err;
	if (chunk->first != intake->fd_count ||
		(uint64_t)chunk->first + chunk->count > intake->lend.fd_count)
		return lendi_fail(-EPROTO, "FDs %u to %llu came after %u of %u", chunk->first,
			(unsigned long long)chunk->first + chunk->count, intake->fd_count,
			intake->lend.fd_count);
	memcpy(intake->fds + intake->fd_count, fds, chunk->count * sizeof(int));
	intake->fd_count += chunk->count;
	return 0;
}

int lendi_intake_commit(const struct lendi_intake *intake, const struct lendi_chunk_wire *chunk)
{
	int err = check_id(intake, chunk);

	if (err)
		return err;
	if (chunk->count != intake->lend.fd_count || intake->fd_count != intake->lend.fd_count)
		return lendi_fail(-EPROTO, "arena committed with %u FDs, %u of %u came",
			chunk->count, intake->fd_count, intake->lend.fd_count);
	return 0;
}

int lendi_intake_withdraw(
	const struct lendi_intake *intake, const struct lendi_chunk_wire *chunk)
{
	return check_id(intake, chunk);
}

void lendi_intake_reset(struct lendi_intake *intake)
{
	free(intake->fds);
	intake->fds = NULL;
	intake->fd_count = 0;
	intake->active = false;
}
