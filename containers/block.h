/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LENDHEAP_CONTAINERS_BLOCK_H
#define LENDHEAP_CONTAINERS_BLOCK_H

/*
 * The blocks that growing containers own.
 *
 * What a block has beyond its request is lost unless its container knows of it, and asking the
 * heap costs a look-up; so containers ask for sizes that the heap has: 16 bytes apart up to
 * 128, then four to a doubling. With other classes this would cost memory, nothing else. A test
 * compares them with the heap's.
 */
#include <stdbool.h>
#include <stdint.h>

#include <lendheap/alloc.h>

/* No arena has room for a block above this; sums of a few such do not wrap. */
#define LENDI_BLOCK_BYTES_MAX (UINT64_C(1) << 47)

/*
 * From here on the heap can resize a block in place, so lend_realloc() is worth its look-up and
 * growth by half wastes less. Smaller blocks are copied always.
 */
#define LENDI_BLOCK_IN_PLACE_BYTES UINT64_C(16384)

/* bytes, at most LENDI_BLOCK_BYTES_MAX, rounded up to what the heap would hand out. */
static inline uint64_t lendi_block_bytes(uint64_t bytes)
{
	uint64_t step = 16;

	if (bytes > 128)
		step = UINT64_C(1) << (61 - __builtin_clzll(bytes - 1));
	return (bytes + step - 1) & -step;
}

/*
 * Bytes of the block that takes the place of one of old bytes and must hold needed: geometric,
 * so that n appends copy O(n). The two factors are those of folly's fbvector.
 */
static inline uint64_t lendi_block_grown(uint64_t old, uint64_t needed)
{
	uint64_t bytes = old < LENDI_BLOCK_IN_PLACE_BYTES ? 2 * old : old + old / 2;

	return lendi_block_bytes(bytes < needed ? needed : bytes);
}

/* May a block of old bytes become one of bytes by lend_realloc()? */
static inline bool lendi_block_in_place(uint64_t old, uint64_t bytes, uint64_t alignment)
{
	return old >= LENDI_BLOCK_IN_PLACE_BYTES && bytes >= LENDI_BLOCK_IN_PLACE_BYTES &&
	       alignment <= 16;
}

/* A block of a size of lendi_block_bytes(); NULL and errno as lend_alloc(). */
static inline void *lendi_block_alloc(
	struct lend_arena *arena, uint64_t bytes, uint64_t alignment)
{
	return alignment <= 16 ? lend_alloc(arena, bytes)
			       : lend_alloc_aligned(arena, bytes, alignment);
}

static inline void lendi_block_free(
	struct lend_arena *arena, void *block, uint64_t bytes, uint64_t alignment)
{
	if (alignment <= 16)
		lend_free_sized(arena, block, bytes);
	else
		lend_free_sized_aligned(arena, block, bytes, alignment);
}

#endif /* LENDHEAP_CONTAINERS_BLOCK_H */
