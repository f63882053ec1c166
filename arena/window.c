/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "arena/window.h"
#include "base/error.h"

#if !defined(__x86_64__) || !defined(__linux__)
#error "lendheap runs on Linux on x86-64: its layout is pinned to 4 KiB pages and 48-bit addresses"
#endif

#if defined(__has_feature)
#if __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define LENDI_SHADOWED 1
#endif
#endif
#if defined(__SANITIZE_THREAD__)
#define LENDI_SHADOWED 1
#endif

/*
 * 0x1200_0000_0000 is free in ordinary processes, outside ASan's shadow and below the legacy mmap
 * area. TSan and MSan leave applications only the addresses near their ends; there the kernel
 * puts stacks and libraries above, so few slots are safe.
 */
#ifdef LENDI_SHADOWED
#define WINDOW_BASE  UINT64_C(0x7e8000000000)
#define WINDOW_SLOTS 32u
#else
#define WINDOW_BASE  UINT64_C(0x120000000000)
#define WINDOW_SLOTS LEND_WINDOW_SLOTS_MAX
#endif

#define ADDRESS_END UINT64_C(0x7ffffffff000) /* user space with 48-bit addresses */

static struct lend_window current = {.base = WINDOW_BASE, .slot_count = WINDOW_SLOTS};
static bool in_use;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static int check_window(const struct lend_window *window)
{
	uint64_t end =
		window->base + window->slot_count * (LEND_SLOT_BYTES + LENDI_LEAF_SLOT_BYTES);

	if (window->slot_count == 0 || window->slot_count > LEND_WINDOW_SLOTS_MAX)
		return lendi_fail(-EINVAL, "window of %u slots, 1 to %u are possible",
			window->slot_count, LEND_WINDOW_SLOTS_MAX);
	if (window->base == 0 || window->base % LEND_SLOT_BYTES)
		return lendi_fail(-EINVAL, "window base 0x%llx is not a multiple of 4 GiB",
			(unsigned long long)window->base);
	if (window->base >= ADDRESS_END || end > ADDRESS_END)
		return lendi_fail(-EINVAL, "window 0x%llx of %u slots ends beyond 2^47",
			(unsigned long long)window->base, window->slot_count);
	if (window->reserved)
		return lendi_fail(-EINVAL, "window.reserved is %u, not 0", window->reserved);
	if (!memchr(window->domain, 0, sizeof(window->domain)))
		return lendi_fail(
			-EINVAL, "window domain longer than %u bytes", LEND_WINDOW_DOMAIN_MAX);
	return 0;
}

int lend_window_configure(const struct lend_window *window)
{
	int err;

	if (!window)
		return lendi_fail(-EINVAL, "window is NULL");
	err = check_window(window);
	if (err)
		return err;

	(void)pthread_mutex_lock(&lock);
	if (in_use) {
		err = lendi_fail(
			-EBUSY, "the window is in use: configure it before the first arena");
	} else {
		current = *window;
		/* Names of claims are made from the domain: nothing may stand behind its end. */
		memset(current.domain + strlen(current.domain), 0,
			sizeof(current.domain) - strlen(current.domain));
	}
	(void)pthread_mutex_unlock(&lock);
	return err;
}

struct lend_window lend_window_current(void)
{
	struct lend_window window;

	/* WINDOW: acquire. In use it stays, and no lock is needed (nor held at a fork). */
	if (__atomic_load_n(&in_use, __ATOMIC_ACQUIRE))
		return current;
	(void)pthread_mutex_lock(&lock);
	window = current;
	(void)pthread_mutex_unlock(&lock);
	return window;
}

const struct lend_window *lendi_window(void)
{
	/* WINDOW: acquire here, release below; current does not change after it. */
	if (LEND_UNLIKELY(!__atomic_load_n(&in_use, __ATOMIC_ACQUIRE))) {
		(void)pthread_mutex_lock(&lock);
		__atomic_store_n(&in_use, true, __ATOMIC_RELEASE);
		(void)pthread_mutex_unlock(&lock);
	}
	return &current;
}

int lendi_machine_check(void)
{
	long page_bytes = sysconf(_SC_PAGESIZE);

	if (page_bytes != (long)LENDI_PAGE_BYTES)
		return lendi_fail(
			-ENOSYS, "pages of %ld bytes; lendheap is built for 4096", page_bytes);
	return 0;
}
