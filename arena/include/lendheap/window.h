/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LENDHEAP_WINDOW_H
#define LENDHEAP_WINDOW_H

/*
 * The window: one range of virtual addresses, the same in every process that shares arenas,
 * divided into slots of 4 GiB. An arena takes a slot or an aligned run of slots.
 *
 * The default place suits ordinary programs, ASan, UBSan and valgrind; a build of the library
 * under TSan or MSan has one below 2^47 that suits those. Set another before the first arena:
 *
 *	lend_window_configure(&(struct lend_window){.base = 0x7e8000000000, .slot_count = 32});
 *
 * Processes with different windows do not share at fixed addresses; the handshake tells them so.
 * Nothing is reserved: slots are mapped one by one, and the system says when one is occupied.
 */
#include <stdint.h>

#include <lendheap/error.h>

#ifdef __cplusplus
extern "C" {
#endif

#define LEND_SLOT_BYTES        (UINT64_C(1) << 32)
#define LEND_WINDOW_SLOTS_MAX  4064u
#define LEND_WINDOW_DOMAIN_MAX 31u /* bytes of a domain, without its end */

struct lend_window {
	uint64_t base;       /* a multiple of 4 GiB */
	uint32_t slot_count; /* 1 to 4064 */
	uint32_t reserved;   /* 0 */
	/*
	 * Arenas of one domain never overlap on a machine: their slots are claimed in its name.
	 * Processes share only within a domain. "" is the default domain.
	 */
	char domain[LEND_WINDOW_DOMAIN_MAX + 1];
};

/*
 * Choose the window of this process. Once, before anything else of the library makes or opens an
 * arena. Returns 0; -EINVAL, -EBUSY the window is in use already.
 */
LEND_API int lend_window_configure(const struct lend_window *window);

/* The window of this process. */
LEND_API struct lend_window lend_window_current(void);

#ifdef __cplusplus
}
#endif

#endif /* LENDHEAP_WINDOW_H */
