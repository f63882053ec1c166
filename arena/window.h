/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LENDHEAP_ARENA_WINDOW_H
#define LENDHEAP_ARENA_WINDOW_H

/* Addresses of the window: pure functions of its base, which is fixed before its first use. */
#include <lendheap/window.h>

#include "arena/layout.h"

/* The window in force; from the first call on lend_window_configure() answers -EBUSY. */
const struct lend_window *lendi_window(void);

/* Has this machine the 4 KiB pages the layout is built for? 0; -ENOSYS. */
int lendi_machine_check(void);

/* The slot an address lies in; slot_count or more when outside. */
static inline uint64_t lendi_slot_of(const struct lend_window *window, uintptr_t address)
{
	return (address - window->base) / LEND_SLOT_BYTES;
}

static inline uintptr_t lendi_slot_at(const struct lend_window *window, uint32_t slot)
{
	return window->base + slot * LEND_SLOT_BYTES;
}

/* Where the page map of a slot is mapped: the leaf range begins where the window ends. */
static inline uintptr_t lendi_leaf_at(const struct lend_window *window, uint32_t slot)
{
	return lendi_slot_at(window, window->slot_count) + slot * LENDI_LEAF_SLOT_BYTES;
}

#endif /* LENDHEAP_ARENA_WINDOW_H */
