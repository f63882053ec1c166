/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "arena/table.h"

/* The address at which the window would begin for the offsets of this arena to hold. */
static uint64_t origin_of(const struct lend_arena *arena)
{
	return arena->base - arena->home_slot * LEND_SLOT_BYTES;
}

/*
 * What tells this arena in this life from all others that lay, or will lie, in its slot: 48 bits
 * of its identity and 16 of the count of its lives, which begins at 1.
 */
static uint64_t life_of(const struct lend_arena *arena)
{
	uint64_t identity;

	memcpy(&identity, arena->identity.bytes, sizeof(identity));
	return identity << 16 | (arena->incarnation & 0xffff);
}

int lend_ref_make(const struct lend_arena *arena, const void *address, lend_ref *out_ref)
{
	if (arena->role == LENDI_NONE)
		return lendi_fail(-ESTALE, "the arena was destroyed or closed");
	if (!lendi_arena_holds(arena, address))
		return lendi_fail(-EXDEV, "%p is not in arena \"%s\"", address, arena->name);
	*out_ref = lend_ref_make_raw(origin_of(arena), address, life_of(arena));
	return 0;
}

int lend_ref_resolve(
	const struct lend_arena *arena, lend_ref ref, uint64_t bytes, const void **out_address)
{
	uint64_t offset = ref.offset - arena->home_slot * LEND_SLOT_BYTES;
	int err;

	if (arena->role == LENDI_NONE)
		return lendi_fail(-ESTALE, "the arena was destroyed or closed");
	if (lend_ref_is_null(ref))
		return lendi_fail(-EINVAL, "the reference is null");
	if (offset < LENDI_HEADER_BYTES || offset >= arena->data_bytes ||
		bytes > arena->data_bytes - offset)
		return lendi_fail(-EXDEV,
			"%llu bytes at window offset 0x%llx are not in arena \"%s\"",
			(unsigned long long)bytes, (unsigned long long)ref.offset, arena->name);
	if (ref.life != life_of(arena))
		return lendi_fail(-ESTALE,
			"reference of life 0x%llx, arena \"%s\" is in life 0x%llx",
			(unsigned long long)ref.life, arena->name,
			(unsigned long long)life_of(arena));
	err = lendi_arena_check_exists(arena, offset + bytes);
	if (err)
		return err;
	*out_address = (const void *)(arena->base + offset);
	return 0;
}

struct lend_arena *lend_ref_arena(lend_ref ref)
{
	struct lend_arena *arena;

	if (lend_ref_is_null(ref))
		return NULL;
	arena = lendi_table_at(ref.offset / LEND_SLOT_BYTES);
	/* Another arena may lie there now. */
	return arena && life_of(arena) == ref.life ? arena : NULL;
}
