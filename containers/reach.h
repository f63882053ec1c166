/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LENDHEAP_CONTAINERS_REACH_H
#define LENDHEAP_CONTAINERS_REACH_H

/*
 * The memory that a check may follow links into: the data of an arena, or all there is.
 */
#include <stdbool.h>
#include <stdint.h>

#include <lendheap/arena.h>

#include "base/error.h"

struct lendi_reach {
	uintptr_t base;
	uint64_t bytes;
};

/* 0, or the error of lend_arena_range(). Without an arena everything is in reach. */
static inline int lendi_reach_init(struct lendi_reach *reach, const struct lend_arena *arena)
{
	const void *base;
	int err;

	reach->base = 0;
	reach->bytes = UINT64_MAX;
	if (!arena)
		return 0;
	err = lend_arena_range(arena, &base, &reach->bytes);
	reach->base = (uintptr_t)base;
	return err;
}

/* Do bytes at address lie in it, and at a multiple of alignment (a power of two)? */
static inline bool lendi_reach_holds(
	const struct lendi_reach *reach, uintptr_t address, uint64_t bytes, uint64_t alignment)
{
	return (address & (alignment - 1)) == 0 && bytes <= reach->bytes &&
	       address - reach->base <= reach->bytes - bytes;
}

/*
 * Does the element whose hook lies at an address, and with it the hook? Hooks are aligned to 8,
 * so no walk of sound links sees more elements than lendi_reach_count().
 */
static inline bool lendi_reach_element(const struct lendi_reach *reach, uintptr_t hook,
	uint64_t hook_offset, uint64_t element_bytes)
{
	return (hook & 7) == 0 &&
	       lendi_reach_holds(reach, hook - hook_offset, element_bytes, 1);
}

/*
 * Does a block that shared words name lie in it, so that it may be read? 0; -EUCLEAN with a
 * sentence about the what at owner ("string", its address).
 */
int lendi_reach_check(const struct lendi_reach *reach, const char *what, const void *owner,
	const void *block, uint64_t bytes, uint64_t alignment);

static inline uint64_t lendi_reach_count(const struct lendi_reach *reach)
{
	return reach->bytes / 8;
}

#endif /* LENDHEAP_CONTAINERS_REACH_H */
