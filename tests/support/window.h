/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LENDHEAP_TESTS_WINDOW_H
#define LENDHEAP_TESTS_WINDOW_H

/*
 * Small windows for tests that exhaust or occupy one: at the place of the default window, in a
 * domain of their own, so that tests which run at the same time do not take each other's slots.
 * A process has one window, so they are configured in children of a parent that used none.
 */
#include <stdio.h>
#include <string.h>

#include <lendheap/window.h>

/* slot_count slots in a domain named after owner, a process of the test. */
static inline struct lend_window window_small(uint32_t slot_count, int owner)
{
	struct lend_window window = lend_window_current();

	window.slot_count = slot_count;
	memset(window.domain, 0, sizeof(window.domain));
	(void)snprintf(window.domain, sizeof(window.domain), "test-%d", owner);
	return window;
}

#endif /* LENDHEAP_TESTS_WINDOW_H */
