/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LENDHEAP_ALLOC_HEAP_H
#define LENDHEAP_ALLOC_HEAP_H

/*
 * The heap of an arena that this process owns: jemalloc's arena_t in the books, the hooks that
 * give it memory, and the list of thread caches on it. lend_arena.heap points here.
 */
#include "alloc/je.h"

#include <lendheap/alloc.h>

#include "arena/arena.h"

struct lend_cache;

struct lendi_heap {
	extent_hooks_t data_hooks; /* first: hooks find their heap by these two tables */
	extent_hooks_t books_hooks;
	struct lend_arena *arena;
	arena_t *je;
	struct lend_cache *caches; /* on this arena; under the registry's lock (cache.c) */
	uint32_t flushing;         /* caches of ending threads on their way back; same lock */
#ifdef LEND_CHECKS
	uint64_t *shadow; /* one bit per 8 bytes of heap: set where a live object begins */
	uint64_t shadow_bytes;
#endif
};

/* Make the heap of a new arena. On success arena->heap is set. 0; -ENOMEM, -ENOSYS. */
int lendi_heap_create(struct lend_arena *arena);

/*
 * Take the heap out of this process: its caches, jemalloc's index, the page map. The memory is
 * the arena floor's to give back.
 */
void lendi_heap_destroy(struct lend_arena *arena);

/*
 * Are there spare extent structures for whatever the next allocation splits? When jemalloc finds
 * none in the middle of a split it abandons the extent it was splitting, and ours is all the free
 * memory there is. So every way into it that may split asks here first. False: no memory for the
 * books.
 */
bool lendi_heap_has_metadata(tsdn_t *tsdn, arena_t *je);

/* Give every page without a live object back now, and wait for others that are at it. */
void lendi_heap_purge(tsdn_t *tsdn, arena_t *je);

/* What the page map says of the page of an address in the heap of an arena we own. */
static inline rtree_contents_t lendi_page_of(
	const struct lend_arena *arena, const void *pointer)
{
	uintptr_t leaf = lendi_leaf_at(lendi_window(), arena->slot) +
			 ((uintptr_t)pointer - arena->base) / LENDI_PAGE_BYTES *
				 sizeof(rtree_leaf_elm_t);

	/* Relaxed: who has a pointer to an object was given it after its page was entered. */
	return rtree_leaf_elm_bits_decode(
		(uintptr_t)atomic_load_p(&((rtree_leaf_elm_t *)leaf)->le_bits, ATOMIC_RELAXED));
}

/*
 * Why the last hook called by this thread refused: 0 or a negative errno. Set it to 0 before
 * asking jemalloc for memory.
 */
extern __thread int lendi_hook_error __attribute__((tls_model("initial-exec")));

#endif /* LENDHEAP_ALLOC_HEAP_H */
