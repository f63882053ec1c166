/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "arena/table.h"

/* The address at which the window would begin for the offsets of this arena to hold. */
static uint64_t origin_of(const struct lend_arena *arena)
{
	return arena->base - arena->home_slot * LEND_SLOT_BYTES;
}

int lend_ref_make(const struct lend_arena *arena, const void *address, lend_ref *out_ref)
{
	if (arena->role == LENDI_NONE)
		return lendi_fail(-ESTALE, "the arena was destroyed or closed");
	if (!lendi_arena_holds(arena, address))
		return lendi_fail(-EXDEV, "%p is not in arena \"%s\"", address, arena->name);
	*out_ref = lend_ref_make_raw(origin_of(arena), address, arena->incarnation);
	return 0;
}

/* Do the first end bytes of the data exist? The size once seen is kept: it never shrinks. */
static int check_exists(const struct lend_arena *arena, uint64_t end)
{
	struct lendi_segment *data = (struct lendi_segment *)(uintptr_t)&arena->data;
	uint64_t bytes;
	int err;

	/* Relaxed: a number of the kernel's; the memory it speaks of is there for every thread. */
	if (end <= lend_load_relaxed64(&data->file_bytes))
		return 0;
	err = lendi_arena_file_bytes(arena, &bytes);
	if (err)
		return err;
	if (arena->role == LENDI_BORROWED)
		lend_store_relaxed64(&data->file_bytes, bytes);
	if (end > bytes)
		return lendi_fail(-EUCLEAN,
			"reference to byte %llu of arena \"%s\", which has %llu",
			(unsigned long long)end, arena->name, (unsigned long long)bytes);
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
	if (ref.incarnation != arena->incarnation)
		return lendi_fail(-ESTALE,
			"reference of life %llu, arena \"%s\" is in life %llu",
			(unsigned long long)ref.incarnation, arena->name,
			(unsigned long long)arena->incarnation);
	err = check_exists(arena, offset + bytes);
	if (err)
		return err;
	*out_address = (const void *)(arena->base + offset);
	return 0;
}

struct lend_arena *lend_ref_arena(lend_ref ref)
{
	return lend_ref_is_null(ref) ? NULL : lendi_table_at(ref.offset / LEND_SLOT_BYTES);
}
