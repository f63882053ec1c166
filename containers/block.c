/* SPDX-License-Identifier: Apache-2.0 */
#include "containers/block.h"

#include <errno.h>

#include <lendheap/arena.h>

#include "base/error.h"

int lendi_block_check(const struct lend_arena *arena, const char *what, const void *owner,
	const void *block, uint64_t bytes, uint64_t alignment)
{
	uint64_t at = (uintptr_t)block;
	const void *base;
	uint64_t data_bytes;
	uint64_t offset;
	int err;

	err = lend_arena_range(arena, &base, &data_bytes);
	if (err)
		return err;

	offset = at - (uintptr_t)base;
	if (at < (uintptr_t)base || offset > data_bytes || bytes > data_bytes - offset)
		return lendi_fail(-EUCLEAN,
			"%s at %p: %llu bytes at 0x%llx, outside the arena's data (%llu at %p)",
			what, owner, (unsigned long long)bytes, (unsigned long long)at,
			(unsigned long long)data_bytes, base);
	if (at % alignment)
		return lendi_fail(-EUCLEAN, "%s at %p: elements at 0x%llx, not aligned to %llu",
			what, owner, (unsigned long long)at, (unsigned long long)alignment);
	return 0;
}
