/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LENDHEAP_REF_H
#define LENDHEAP_REF_H

/*
 * A reference: names an object in any arena of the window, by value, for messages and for links
 * between arenas. It holds no address, so it means the same in a process that maps the arena
 * elsewhere, and it says which life of the arena it belongs to, so an old one is found out.
 *
 *	struct order_message { lend_ref order; uint64_t sent_at; };
 *
 * Copied as any value, by assignment or memcpy, and compared with lend_ref_equal(). All bits
 * zero is null. Making one from a pointer and resolving one against the arenas of a process,
 * with all checks, is lend_ref_make() and lend_ref_resolve(), one floor up in arena.
 * What stands here is arithmetic alone: any thread, any process.
 */
#include <stdint.h>

#include <lendheap/layout.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Offsets are below this: the addresses of the machine have 48 bits. */
#define LEND_REF_OFFSET_MAX (UINT64_C(1) << 48)

typedef struct {
	uint64_t offset; /* bytes from the window's base; 0, an arena's header, is null */
	uint64_t life;   /* which arena, and which life of it: never 0 but in null */
} lend_ref;
LEND_SHM_SIZEOF(lend_ref, 16);
LEND_SHM_AT(lend_ref, offset, 0);
LEND_SHM_AT(lend_ref, life, 8);

static inline lend_ref lend_ref_null(void)
{
	lend_ref ref = {0, 0};

	return ref;
}

static inline int lend_ref_is_null(lend_ref ref)
{
	return ref.offset == 0;
}

/* 1 when both name one object in one life of its arena, or both are null; else 0. */
static inline int lend_ref_equal(lend_ref a, lend_ref b)
{
	if (a.offset == 0)
		return b.offset == 0;
	return a.offset == b.offset && a.life == b.life;
}

/*
 * The reference to what lies bytes behind ref (before it, when negative) in the same object: a
 * field, an element. Null stays null.
 */
static inline lend_ref lend_ref_add(lend_ref ref, int64_t bytes)
{
	if (ref.offset != 0)
		ref.offset += (uint64_t)bytes;
	return ref;
}

/*
 * Without any check: the reference to what lies at address. window_base is that of the window,
 * or for an arena mapped elsewhere the address at which the window would then begin. NULL gives
 * null.
 */
static inline lend_ref lend_ref_make_raw(
	uint64_t window_base, const void *address, uint64_t life)
{
	lend_ref ref = {0, 0};

	if (address) {
		ref.offset = (uintptr_t)address - window_base;
		ref.life = life;
	}
	return ref;
}

/*
 * Without any check: the address, given the same window_base. Only for references that this
 * process made or has checked. Null gives NULL.
 */
static inline void *lend_ref_resolve_raw(lend_ref ref, uint64_t window_base)
{
	return ref.offset ? (void *)(uintptr_t)(window_base + ref.offset) : (void *)0;
}

/* Fold what this header lays down into a layout hash. */
static inline uint64_t lend_ref_layout_fold(uint64_t hash)
{
	hash = lend_layout_fold(hash, sizeof(lend_ref));
	return lend_layout_fold(hash, offsetof(lend_ref, life));
}

#ifdef __cplusplus
}
#endif

#endif /* LENDHEAP_REF_H */
