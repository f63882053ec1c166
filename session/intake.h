/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LENDHEAP_SESSION_INTAKE_H
#define LENDHEAP_SESSION_INTAKE_H

/*
 * An arena on its way in: announcement, chunks of FDs, commit. No I/O: it counts and keeps the
 * numbers of FDs, the caller closes them. One at a time, in order, each step checked against what
 * was announced and what this peer may have.
 */
#include <stdbool.h>

#include "session/wire.h"

/* What a peer may make us hold. */
struct lendi_limits {
	uint32_t arena_count_max;
	uint32_t slot_count_max;
	uint32_t fd_pending_max;
};

struct lendi_intake {
	bool active; /* between announcement and commit */
	uint64_t last_id;
	struct lendi_lend_wire lend; /* checked copy of the announcement */
	uint32_t fd_count;           /* that came so far */
	int *fds;                    /* lend.fd_count places */
};

/*
 * Take an announcement from a peer that has arena_count arenas of slot_count slots with us.
 * 0; -EPROTO it is wrong or beyond a limit, -ENOMEM.
 */
int lendi_intake_begin(struct lendi_intake *intake, const struct lendi_lend_wire *lend,
	const struct lendi_limits *limits, uint64_t arena_count, uint64_t slot_count);

/* Take a chunk's FDs. 0, and they are the intake's; -EPROTO, and they stay the caller's. */
int lendi_intake_add(
	struct lendi_intake *intake, const struct lendi_chunk_wire *chunk, const int *fds);

/* Is the arena complete, as the commit says? 0; -EPROTO. */
int lendi_intake_commit(
	const struct lendi_intake *intake, const struct lendi_chunk_wire *chunk);

/* Does this message withdraw the arena on its way? 0; -EPROTO. */
int lendi_intake_withdraw(
	const struct lendi_intake *intake, const struct lendi_chunk_wire *chunk);

/* Ready for the next arena. The FDs are the caller's or closed already. */
void lendi_intake_reset(struct lendi_intake *intake);

#endif /* LENDHEAP_SESSION_INTAKE_H */
