/* SPDX-License-Identifier: Apache-2.0 */
#include "arena/huge.h"

#include <errno.h>

#define RESIDENT_BYTES_MIN (UINT64_C(16) << 20)
#define PAUSE_MAX          1023u

/*
 * What a huge page may cost. Half a millisecond to one is what the faults cost that it replaces,
 * a fifth of that what it takes where memory is at hand; a machine that has to make room first, or
 * to ask its host, needs several. Small objects are worth that, since they are met in any order
 * and then most look-ups miss the TLB; what is large is as a rule gone through in order.
 */
#define PIECE_NS_MAX  (INT64_C(1) * 1000 * 1000)
#define GROWTH_NS_MAX (INT64_C(10) * 1000 * 1000)

static uint64_t round_down(uint64_t offset)
{
	return offset & ~(LENDI_HUGE_PAGE_BYTES - 1);
}

static uint64_t round_up(uint64_t offset)
{
	return round_down(offset + LENDI_HUGE_PAGE_BYTES - 1);
}

void lendi_huge_init(struct lendi_huge *huge, bool wanted)
{
	huge->wanted = wanted;
	lend_store_relaxed64(&huge->used_end, 0);
	huge->ground_end = 0;
	huge->growth = (struct lendi_huge_chance){.ns_max = GROWTH_NS_MAX};
	huge->pieces = (struct lendi_huge_chance){.ns_max = PIECE_NS_MAX};
	(void)pthread_mutex_init(&huge->lock, NULL);
}

void lendi_huge_fini(struct lendi_huge *huge)
{
	(void)pthread_mutex_destroy(&huge->lock);
}

/* Take them one by one while it is worth it. */
static void take(struct lendi_huge_chance *chance, struct lendi_segment *data, uint64_t from,
	uint64_t to)
{
	uint64_t resident;
	int err = 0;

	if (chance->pause) {
		chance->pause--;
		return;
	}
	resident = lendi_segment_resident_bytes(data);
	if (resident < RESIDENT_BYTES_MIN)
		return;
	if (to - from > resident)
		to = from + round_down(resident);

	for (; !err && from < to; from += LENDI_HUGE_PAGE_BYTES) {
		int64_t start = lendi_now_ns();

		err = lendi_segment_take_huge(data, from);
		if (lendi_now_ns() - start > chance->ns_max)
			err = -ETIME;
	}
	chance->next_pause = err ? (chance->next_pause * 2 + 1) & PAUSE_MAX : 0;
	chance->pause = chance->next_pause;
}

void lendi_huge_commit(
	struct lendi_huge *huge, struct lendi_segment *data, uint64_t offset, uint64_t bytes)
{
	uint64_t end = offset + bytes;
	uint64_t from;
	uint64_t to;

	/* Relaxed: who is to get these bytes has the only right to them, so they stay below. */
	if (!huge->wanted ||
		(bytes < LENDI_HUGE_PAGE_BYTES && end <= lend_load_relaxed64(&huge->used_end)))
		return;

	(void)pthread_mutex_lock(&huge->lock);
	from = round_up(offset);
	to = end > huge->ground_end && !data->fallocates ? round_up(end) : round_down(end);
	if (end > lend_load_relaxed64(&huge->used_end))
		lend_store_relaxed64(&huge->used_end, end);
	if (end > huge->ground_end)
		huge->ground_end = round_up(end);
	if (from < to)
		take(bytes < LENDI_HUGE_PAGE_BYTES ? &huge->growth : &huge->pieces, data, from,
			to);
	(void)pthread_mutex_unlock(&huge->lock);
}

int lendi_huge_decommit(
	struct lendi_huge *huge, struct lendi_segment *data, uint64_t offset, uint64_t bytes)
{
	uint64_t end = offset + bytes;
	int err;

	/* Relaxed: nobody moves the end across bytes that are this caller's. */
	if (!huge->wanted || end != lend_load_relaxed64(&huge->used_end))
		return lendi_segment_punch(data, offset, bytes);

	(void)pthread_mutex_lock(&huge->lock);
	if (end == lend_load_relaxed64(&huge->used_end)) {
		err = lendi_segment_punch(data, offset, huge->ground_end - offset);
		if (!err) {
			lend_store_relaxed64(&huge->used_end, offset);
			huge->ground_end = round_up(offset);
		}
	} else {
		err = lendi_segment_punch(data, offset, bytes);
	}
	(void)pthread_mutex_unlock(&huge->lock);
	return err;
}
