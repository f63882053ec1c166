/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LENDHEAP_LINK_H
#define LENDHEAP_LINK_H

/*
 * What links the hooks of list, tree and hash; not for use elsewhere.
 *
 * A link is a word that holds how many bytes another hook lies from the hook (or head) that the
 * word is part of. It is measured from the start of the hook, not from the word: so zero leads
 * to the hook itself, and zeroed hooks and heads are valid. Hooks are aligned to 8 bytes, which
 * leaves the three lowest bits of a link for marks. Where both ends move together it holds.
 */
#include <stddef.h>
#include <stdint.h>

#include <lendheap/ptr.h>

#ifdef __cplusplus
extern "C" {
#endif

#define LENDI_LINK_MARKS UINT64_C(7)

static inline uint64_t lendi_link_to(const void *from, const void *to)
{
	return (uintptr_t)to - (uintptr_t)from;
}

/* Where a link leads; one of zero leads to `from`. */
static inline void *lendi_link_follow(const void *from, uint64_t link)
{
	return lendi_ptr_decode_raw((uintptr_t)from, link - 1);
}

/* The same where zero is none: NULL then. */
static inline void *lendi_link_get(const void *from, uint64_t link)
{
	return link ? lendi_link_follow(from, link) : NULL;
}

/* The element that a hook is part of, and NULL for NULL where that can be. Drops the const. */
static inline void *lendi_link_element(const void *hook, size_t hook_offset)
{
	return (void *)((uintptr_t)hook - hook_offset);
}

static inline void *lendi_link_element_or_null(const void *hook, size_t hook_offset)
{
	return hook ? lendi_link_element(hook, hook_offset) : NULL;
}

#ifdef __cplusplus
}
#endif

#endif /* LENDHEAP_LINK_H */
