/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LENDHEAP_ERROR_H
#define LENDHEAP_ERROR_H

/*
 * One number space for all that can go wrong: 0 or a negative errno. Where a condition is ours
 * rather than the system's it takes one errno, and this is the only list of them:
 *
 *   -EPROTO      protocol version or memory layout differs, or a peer broke the protocol
 *   -EOWNERDEAD  the process that owned it died
 *   -ESTALE      an old generation: the arena was destroyed, the reference is of an earlier life
 *   -EUCLEAN     bytes that another process wrote fail a check
 *   -EXDEV       a pointer of another arena, or of no arena
 *   -ENOLINK     the session is closed
 *   -EPROTOTYPE  the type asked for is not the type stored
 *   -EDQUOT      the arena's quota is used up
 *   -EPERM       read-only here: a borrowed arena, or a forked child of its owner
 *   -EACCES      the peer's policy refused us
 *   -EBUSY       owned by another process
 *   -EADDRINUSE  the place in the window, or the name, is taken
 *   -ETIMEDOUT   the deadline passed
 *   -ENOSYS      the kernel or the machine lacks what is needed; the sentence says what
 *
 * Allocation alone returns NULL and sets errno: ENOMEM, EDQUOT, EPERM, EINVAL or ESTALE.
 */
#include <lendheap/compiler.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * A sentence about the last failure of a lend_ function in the calling thread, with the values
 * that explain it: "slot 7: mapped by someone else". Never NULL; empty when nothing failed yet.
 * A success leaves it alone, so read it right after a failure. Valid until the thread's next
 * failing call.
 */
LEND_API const char *lend_error_detail(void);

#ifdef __cplusplus
}
#endif

#endif /* LENDHEAP_ERROR_H */
