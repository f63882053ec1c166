/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LENDHEAP_ARENA_SLOT_H
#define LENDHEAP_ARENA_SLOT_H

/*
 * Claims of slots: who holds a slot on this machine. A claim is an abstract Unix stream socket,
 * listening from birth and never accepting, whose name says domain, window base and slot. The
 * kernel allows one of a name and frees it with its last holder, so a claim cannot outlive the
 * processes that use the slot. It travels with the arena's data FD, and so a borrower keeps the
 * slot taken. Why it listens: docs/decisions/0003-claims-listen.md.
 *
 * Another network namespace does not see the names; there a mapping that fails because the place
 * is taken is the second line of defence. Another local user can squat on names: a denial of
 * service, not a breach.
 */
#include "arena/window.h"

/* Claim one slot. 0; -EADDRINUSE taken, or the system call's error. */
int lendi_slot_claim(uint32_t slot, int *out_fd);

/* Claim slots first to first + count - 1 into fds[], or none of them. Errors as above. */
int lendi_run_claim(uint32_t first, uint32_t count, int *fds);

/* Close count claims. */
void lendi_run_release(int *fds, uint32_t count);

/* Is fd, which another process sent, the claim of slot? 0; -EUCLEAN with what it is instead. */
int lendi_slot_check_claim(int fd, uint32_t slot);

#endif /* LENDHEAP_ARENA_SLOT_H */
