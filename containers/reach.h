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

/* Do bytes at address lie in it, and at a multiple of alignment (a power of two)? */
static inline bool lendi_reach_holds(
	const struct lendi_reach *reach, uintptr_t address, uint64_t bytes, uint64_t alignment)
{
	return (address & (alignment - 1)) == 0 && bytes <= reach->bytes &&
	       address - reach->base <= reach->bytes - bytes;
}

/*
 * Does the element whose hook lies at an address, and with it the hook, at a multiple of what an
 * element's type asks for? Hooks are aligned to 8, so no walk of sound links sees more elements
 * than lendi_reach_count().
 */
static inline bool lendi_reach_element(const struct lendi_reach *reach, uintptr_t hook,
	uint64_t hook_offset, uint64_t element_bytes, uint64_t element_alignment)
{
	return (hook & 7) == 0 &&
	       lendi_reach_holds(reach, hook - hook_offset, element_bytes, element_alignment);
}

/*
 * Does the what at container ("string", its address) itself lie in the arena, so that its words
 * may be read? Without an arena it does. 0; -EXDEV with a sentence, -ESTALE. Mostly no system
 * call, for strings are many.
 */
int lendi_reach_own(const struct lend_arena *arena, const char *what, const void *container,
	uint64_t bytes);

/*
 * The same, and the reach of its links: without an arena everything. Also the errors of
 * lend_arena_range().
 */
int lendi_reach_init(struct lendi_reach *reach, const struct lend_arena *arena,
	const char *what, const void *container, uint64_t bytes);

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
