/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LENDHEAP_SCOPE_H
#define LENDHEAP_SCOPE_H

/*
 * A scope names the arena for code that cannot pass one along: allocators without state, and
 * whatever is called underneath. It is the calling thread's; scopes nest.
 *
 *	struct lend_arena *outer = lend_scope_enter(arena);
 *	struct node *n = lend_scope_alloc(sizeof *n, _Alignof(struct node));
 *	lend_scope_leave(outer);
 *	...
 *	lend_free_any(n, sizeof *n, _Alignof(struct node));     no scope: the address tells
 *
 * In C++ it is lend::scope (lendheap/scope.hpp), which leaves by itself.
 *
 * Threads. Each has its own; a new thread has none. Processes. A forked child inherits its
 * parent's and gets EPERM from it. Lifetime. An arena that is destroyed in its scope gives ESTALE.
 */
#include <lendheap/alloc.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * From now on the calling thread's scope is this arena (NULL: none). Returns what it was before,
 * for lend_scope_leave(). Cannot fail: an arena that may not be written is told by the allocation.
 */
LEND_API struct lend_arena *lend_scope_enter(struct lend_arena *arena);

/* Back to the scope outside of this one: what lend_scope_enter() returned. */
LEND_API void lend_scope_leave(struct lend_arena *outer);

/* The arena of the calling thread's scope; NULL outside of any. */
LEND_API struct lend_arena *lend_scope_arena(void);

/*
 * lend_alloc_aligned() in the scope's arena, as fast as lend_alloc() for the alignments of
 * ordinary types. NULL and errno as there; outside of any scope EINVAL.
 */
LEND_API void *lend_scope_alloc(size_t bytes, size_t alignment);

/*
 * Give an object back to the arena it lies in, told the size and the alignment it was asked for
 * with. Needs no scope. NULL is allowed; a pointer into no arena of this process changes nothing
 * and is counted (lend_foreign_free_count()).
 */
LEND_API void lend_free_any(void *object, size_t bytes, size_t alignment);

#ifdef __cplusplus
}
#endif

#endif /* LENDHEAP_SCOPE_H */
