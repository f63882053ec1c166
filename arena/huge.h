/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LENDHEAP_ARENA_HUGE_H
#define LENDHEAP_ARENA_HUGE_H

/*
 * Huge pages for the heap of an arena.
 *
 * Linux gives a memfd huge pages at its first touch only where the administrator allowed it, and
 * by default nobody has. But a process may ask for a range to become huge pages now
 * (MADV_COLLAPSE, Linux 6.1). Where memory is at hand 2 MiB then cost a fifth of the 512 faults that
 * they replace, and large heaps miss the TLB far less, in every process. So the heap asks, in two
 * cases:
 *
 *	fresh ground	at the end of what is in use, where the heap grows: the 2 MiB that it
 *			grows into, of which the rest is likely to follow
 *	whole pieces	2 MiB and more at once, of an object as large
 *
 * With memory taken up front only the second: it takes no more than was asked.
 *
 * This takes memory before it is touched. How much is bounded: nothing before 16 MiB are resident,
 * less than 2 MiB where the heap grows, and for a large object at most as much as is resident
 * already. So a huge sparse object in an empty arena stays sparse. What was taken ahead goes back
 * with the neighbour that it was taken for.
 *
 * Below the end pages that were given back one by one come back one by one: a huge page that is
 * broken is not mended for a small piece.
 */
#include <pthread.h>
#include <stdbool.h>

#include <lendheap/layout.h>

#include "arena/segment.h"

/* Where huge pages fail or come slowly they are asked for ever more rarely. */
struct lendi_huge_chance {
	int64_t ns_max; /* what one may cost */
	uint32_t pause; /* so many of the next chances are left out */
	uint32_t next_pause;
};

/*
 * Offsets are bytes from the start of the data. Of a heap that is not new, which somebody takes
 * over, both ends would have to begin at the end of its file: behind them all is given back.
 */
struct lendi_huge {
	bool wanted;
	pthread_mutex_t lock; /* the rest; held while memory comes and goes at the end */
	lend_word64 used_end; /* no byte from here on is in use; read without the lock */
	uint64_t ground_end;  /* and no page from here on is there; a multiple of 2 MiB */
	struct lendi_huge_chance growth;
	struct lendi_huge_chance pieces;
};

void lendi_huge_init(struct lendi_huge *huge, bool wanted);
void lendi_huge_fini(struct lendi_huge *huge);

/*
 * Bytes at offset come into use: the file reaches past them, nothing was written there yet. Takes
 * huge pages if that is the thing to do; a kernel that has none to give is no error.
 */
void lendi_huge_commit(
	struct lendi_huge *huge, struct lendi_segment *data, uint64_t offset, uint64_t bytes);

/* Bytes at offset are out of use: give them back, with what was taken ahead behind them. */
int lendi_huge_decommit(
	struct lendi_huge *huge, struct lendi_segment *data, uint64_t offset, uint64_t bytes);

#endif /* LENDHEAP_ARENA_HUGE_H */
