/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LENDHEAP_SHARE_H
#define LENDHEAP_SHARE_H

/*
 * Sharing in two lines: the short form of a session (lendheap/session.h).
 *
 *	lend_share(arena, "roads");                              the owner
 *	lend_open("roads", lend_deadline_in_ms(2000), &arena);   a reader, in another process
 *
 * The name is found by processes of the same user on the same machine (in the same network
 * namespace): it is the abstract Unix socket "lendheap/share/<uid>/<name>".
 */
#include <lendheap/arena.h>
#include <lendheap/deadline.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Serve borrowers of an arena from now on, read-only, to processes of the same user. A helper
 * thread of the library does it, one for the process, started by the first call and ended by the
 * last lend_unshare() or lend_arena_destroy(): calling this is the asking for it. Returns 0;
 * -EADDRINUSE the name is served already, -EINVAL name empty or longer than 63 bytes, -EPERM not
 * the owner, -ESTALE, -EBUSY this arena is shared already, or the failing system call's error.
 */
LEND_API int lend_share(struct lend_arena *arena, const char *name);

/* Stop serving it; borrowers keep what they have. 0; -ENOENT not shared. */
LEND_API int lend_unshare(struct lend_arena *arena);

/*
 * Borrow the arena shared under a name, waiting for one to appear until the deadline. The
 * memory is mapped read-only; *out_arena is the caller's until lend_close(). Opening the same
 * arena twice gives the same handle, to be closed twice. Returns 0; -ETIMEDOUT nobody served
 * it in time, -EACCES refused (the sentence has the reason), -EPROTO other version or layout,
 * -EADDRINUSE its place is taken in this process, -EEXIST this process owns it, -EUCLEAN the
 * peer's memory fails a check.
 */
LEND_API int lend_open(
	const char *name, lend_deadline deadline, const struct lend_arena **out_arena);

/* Unmap a borrowed arena: every pointer into it is dead after. 0; -ESTALE, -EPERM not borrowed. */
LEND_API int lend_close(const struct lend_arena *arena);

#ifdef __cplusplus
}
#endif

#endif /* LENDHEAP_SHARE_H */
