/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LENDHEAP_TESTS_SCRIBBLE_H
#define LENDHEAP_TESTS_SCRIBBLE_H

/*
 * What the fuzz targets of the containers share: a block of an arena that holds a container
 * with all its elements, and an input that scribbles on it. The input is a row of
 *
 *	uint16_t word; uint8_t how; uint8_t value
 *
 * The word of that index (modulo those of the block) is then: 0 xored with the value at byte
 * how / 8, 1 a link to some place in the block, 2 zero, 3 all
 * ones shifted right. So links lead to hooks, into the middle of them, and out of the arena.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <lendheap/alloc.h>

#define CHECK(claim)                                                                           \
	do {                                                                                   \
		if (!(claim))                                                                  \
			abort();                                                               \
	} while (0)

struct scribble {
	struct lend_arena *arena;
	uint64_t *words; /* the block */
	uint64_t *sound; /* what it holds before an input: same place, so links hold */
	size_t bytes;    /* a multiple of 8 */
};

static inline void *scribble_init(struct scribble *scribble, size_t bytes)
{
	struct lend_arena_options options = {.reservation_bytes = 16 << 20};

	CHECK(lend_arena_create(&options, &scribble->arena) == 0);
	scribble->bytes = bytes;
	scribble->words = lend_alloc_zeroed(scribble->arena, bytes);
	scribble->sound = malloc(bytes);
	CHECK(scribble->words && scribble->sound);
	return scribble->words;
}

/* The container is filled: each input begins with it as it is now. */
static inline void scribble_keep(struct scribble *scribble)
{
	memcpy(scribble->sound, scribble->words, scribble->bytes);
}

static inline void scribble_run(struct scribble *scribble, const uint8_t *data, size_t bytes)
{
	size_t count = scribble->bytes / 8;
	uint64_t value;
	size_t at;

	memcpy(scribble->words, scribble->sound, scribble->bytes);
	for (; bytes >= 4; data += 4, bytes -= 4) {
		at = ((size_t)data[0] | (size_t)data[1] << 8) % count;
		value = data[3];
		switch (data[2] & 3) {
		case 0:
			scribble->words[at] ^= value << (data[2] >> 3 & 7) * 8;
			break;
		case 1:
			/* As if the word were the first, second or third of a hook. */
			value = (value * 4 + (data[2] >> 4)) % count;
			scribble->words[at] =
				8 * (value - at + (data[2] >> 2 & 3)) | (data[2] >> 5 & 7);
			break;
		case 2:
			scribble->words[at] = 0;
			break;
		default:
			scribble->words[at] = UINT64_MAX >> value % 64;
		}
	}
}

#endif /* LENDHEAP_TESTS_SCRIBBLE_H */
