/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>

#include <lendheap/list.h>

#include "base/error.h"
#include "containers/reach.h"

/*
 * Every hook's prev must lead to where the walk came from, so no hook is reached twice but that
 * of the list, where the walk ends; the bound is for bytes that change meanwhile.
 */
int lend_list_check(const struct lend_list_shm *list, size_t hook_offset, size_t element_bytes,
	size_t element_alignment, const struct lend_arena *arena)
{
	const struct lend_list_hook_shm *ring = &list->ring;
	const struct lend_list_hook_shm *before = ring;
	const struct lend_list_hook_shm *hook;
	struct lendi_reach reach;
	uint64_t bound;
	uint64_t at = 0;
	int err;

	err = lendi_reach_init(&reach, arena, "list", list, sizeof(*list));
	if (err)
		return err;

	bound = lendi_reach_count(&reach);
	for (;; before = hook, at++) {
		hook = lendi_list_next(before);
		if (hook != ring && !lendi_reach_element(&reach, (uintptr_t)hook, hook_offset,
					    element_bytes, element_alignment))
			return lendi_fail(-EUCLEAN,
				"list at %p: element %" PRIu64
				" at %p, outside the arena, or not aligned",
				(const void *)list, at, lendi_link_element(hook, hook_offset));
		if (lendi_list_prev(hook) != before)
			return lendi_fail(-EUCLEAN,
				"list at %p: element %" PRIu64 " has its prev link at %p, not "
				"%p",
				(const void *)list, at, (const void *)lendi_list_prev(hook),
				(const void *)before);
		if (hook == ring)
			return 0;
		if (at == bound)
			return lendi_fail(-EUCLEAN,
				"list at %p: more than %" PRIu64 " elements",
				(const void *)list, bound);
	}
}
