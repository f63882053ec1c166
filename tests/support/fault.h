/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LENDHEAP_TESTS_FAULT_H
#define LENDHEAP_TESTS_FAULT_H

/*
 * System calls that fail on demand: the library's table of them, lendi_os, with a counter in
 * front of each entry. For tests linked with the internal library.
 *
 *	fault_install();
 *	fault_plan(FAULT_mmap, 3, ENOMEM);	the third mmap from now fails
 *	... fault_struck() tells whether it came to that ...
 *	fault_remove();
 *
 * A close or munmap that is to fail does its work first, as Linux's close does: else the test
 * itself would leak. getpid, geteuid and getegid cannot fail and are only counted. Any threads
 * may call; one at a time plans.
 */
#include <stdbool.h>

#include "os/os.h"

/* clang-format off */
enum fault_call {
#define FAULT_MEMBER(result, name, parameters, arguments) FAULT_##name,
	LENDI_OS_CALLS(FAULT_MEMBER)
#undef FAULT_MEMBER
	FAULT_CALLS,
	FAULT_ANY = -1,
};
/* clang-format on */

void fault_install(void);
void fault_remove(void);

/* The nth call from now, of one kind or of any, fails with err; nth 0: none does. */
void fault_plan(int call, unsigned nth, int err);

/* The same, and all later ones of the kind too. */
void fault_plan_from(int call, unsigned nth, int err);

/* Calls of one kind, or of any, since the last plan. */
unsigned fault_calls(int call);

/* Which call failed as planned: its name, or NULL. */
const char *fault_struck(void);

#endif /* LENDHEAP_TESTS_FAULT_H */
