/* SPDX-License-Identifier: Apache-2.0 */
#include "containers/reach.h"

#include <errno.h>

#include "arena/arena.h"

int lendi_reach_own(
	const struct lend_arena *arena, const char *what, const void *container, uint64_t bytes)
{
	uint64_t offset;
	int err;

	if (!arena)
		return 0;
	if (arena->role == LENDI_NONE)
		return lendi_fail(-ESTALE, "the arena was destroyed or closed");
	offset = (uintptr_t)container - arena->base;
	if (offset % 8 == 0 && offset < arena->data_bytes &&
		bytes <= arena->data_bytes - offset) {
		err = lendi_arena_check_exists(arena, offset + bytes);
		if (err != -EUCLEAN)
			return err;
	}
	return lendi_fail(-EXDEV, "%s at %p: not in the arena", what, container);
}

int lendi_reach_init(struct lendi_reach *reach, const struct lend_arena *arena,
	const char *what, const void *container, uint64_t bytes)
{
	const void *base = NULL;
	int err;

	err = lendi_reach_own(arena, what, container, bytes);
	reach->bytes = UINT64_MAX;
	if (!err && arena)
		err = lend_arena_range(arena, &base, &reach->bytes);
	reach->base = (uintptr_t)base;
	return err;
}

int lendi_reach_check(const struct lendi_reach *reach, const char *what, const void *owner,
	const void *block, uint64_t bytes, uint64_t alignment)
{
	uintptr_t at = (uintptr_t)block;

	if (!lendi_reach_holds(reach, at, bytes, 1))
		return lendi_fail(-EUCLEAN,
			"%s at %p: %llu bytes at %p, outside the arena's data (%llu at %p)",
			what, owner, (unsigned long long)bytes, block,
			(unsigned long long)reach->bytes, (const void *)reach->base);
	if (!lendi_reach_holds(reach, at, bytes, alignment))
		return lendi_fail(-EUCLEAN, "%s at %p: %llu bytes at %p, not aligned to %llu",
			what, owner, (unsigned long long)bytes, block,
			(unsigned long long)alignment);
	return 0;
}
