/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LENDHEAP_ALLOC_CACHE_H
#define LENDHEAP_ALLOC_CACHE_H

/*
 * A thread's cache of free objects of one arena: per size class a stack of pointers, from which
 * nearly every allocation and free is served without a lock.
 *
 *	full                head         low_water          empty
 *	|  room for frees    | objects    :   untouched since |
 *	+--------------------+------------:--the last look----+
 *	                     grows down <-
 *
 * The stack and the low-water mark that finds idle objects are jemalloc's idea (its cache_bin);
 * the caches are our own, because one cache serves one arena: a flush takes one lock and asks
 * for no owner, each arena has its own sizes (its profile), and there is no limit to their number.
 * docs/decisions/0001-own-caches.md has the reasons and the measurements.
 *
 * A thread finds its cache in a table by the arena's slot. Table and caches lie in memory that
 * the kernel wipes in a forked child, so that even after a raw clone a child finds none and
 * ends in the slow path, which refuses it. Destroying an arena empties and unhooks all caches on
 * it: what is left of one can only miss.
 */
#include "alloc/heap.h"

/* Cached classes: all small ones (to 14 KiB) and the large ones to 64 KiB. */
#define LENDI_CACHED_LARGE   9u
#define LENDI_CACHED_CLASSES (SC_NBINS + LENDI_CACHED_LARGE)
#define LENDI_CACHED_BYTES   ((size_t)64 << 10)

#define LENDI_LEAN_DECAY_MS 3000

struct lendi_bin {
	void **head;      /* first object; written by the thread, read by statistics: relaxed */
	void **low_water; /* where head was highest since the last look */
	void **full;
	void **empty;
};

struct lend_cache {
	/* Read by every call; bins first, where their addresses are a shift and an add. */
	struct lendi_bin bins[LENDI_CACHED_CLASSES];
	uintptr_t heap_base;
	uint64_t heap_bytes;
	uintptr_t
		leaf_bias; /* the page map's word of address p is at leaf_bias + (p >> 12) * 8 */
	struct lend_arena *arena; /* NULL once that was destroyed */

	/* Slow paths. */
	uint16_t fill[LENDI_CACHED_CLASSES];    /* objects the next refill takes */
	uint16_t slots[LENDI_CACHED_CLASSES];   /* what a bin may grow to: full moves down */
	uint8_t refilled[LENDI_CACHED_CLASSES]; /* since the bin was last full */
	uint32_t events;    /* refills and flushes: the clock of the looks */
	uint32_t next_look; /* bin */
	size_t mapped_bytes;
	/* Under the registry's lock. */
	struct lendi_thread *thread; /* whose table holds it; NULL for an explicit cache */
	struct lend_cache *arena_next, **arena_link;
	struct lend_cache *thread_next, **thread_link;
};

/* A thread's caches, by slot; the entry behind the last slot is always NULL. */
struct lendi_thread {
	struct lend_cache *at[LEND_WINDOW_SLOTS_MAX + 1];
	struct lend_cache *first; /* of its caches; under the registry's lock */
	uint64_t has_caches; /* it made one in this process image: wiped in a forked child */
};

/* The calling thread's; never NULL: before its first use a table of NULLs. */
extern __thread struct lendi_thread *lendi_thread __attribute__((tls_model("initial-exec")));

/* The calling thread's cache of an arena it may write, made if need be. NULL: no memory. */
struct lend_cache *lendi_cache_get(struct lend_arena *arena);

/* An explicit cache. NULL: no memory. */
struct lend_cache *lendi_cache_create(struct lend_arena *arena, struct lendi_thread *thread);

/* Flush and unmap. */
void lendi_cache_destroy(struct lend_cache *cache);

/* Take objects of a class from the heap and return one; NULL if it has none. */
void *lendi_cache_refill(struct lend_cache *cache, szind_t class);

/* Let a full bin grow, or give its oldest half back. */
void lendi_cache_make_room(struct lend_cache *cache, szind_t class);

/* Give all of it back. */
void lendi_cache_flush(struct lend_cache *cache);

/* The same for all caches of the calling thread, beside threads that destroy arenas it has left. */
void lendi_thread_flush(void);

/* Unhook every cache of a heap that is being destroyed. */
void lendi_caches_drop(struct lendi_heap *heap);

/* Objects of each class in all caches of a heap, into counts[LENDI_CACHED_CLASSES]. */
void lendi_caches_count(struct lendi_heap *heap, uint64_t *counts);

static inline uint64_t lendi_bin_count(const struct lendi_bin *bin)
{
	/* Relaxed: for statistics the thread may be pushing and popping meanwhile. */
	return (uint64_t)(bin->empty - __atomic_load_n(&bin->head, __ATOMIC_RELAXED));
}

/* Pop an object; false when the bin is empty. */
LEND_ALWAYS_INLINE bool lendi_bin_take(struct lendi_bin *bin, void **out_object)
{
	void **head = bin->head;

	if (LEND_UNLIKELY(head == bin->low_water)) {
		if (head == bin->empty)
			return false;
		bin->low_water = head + 1;
	}
	__atomic_store_n(&bin->head, head + 1, __ATOMIC_RELAXED);
	*out_object = *head;
	return true;
}

/* Push an object; false when the bin is full. */
LEND_ALWAYS_INLINE bool lendi_bin_put(struct lendi_bin *bin, void *object)
{
	void **head = bin->head;

	if (LEND_UNLIKELY(head == bin->full))
		return false;
	*--head = object;
	__atomic_store_n(&bin->head, head, __ATOMIC_RELAXED);
	return true;
}

/* The page map's word of an address in the cache's heap; 0 for a page nothing is known of. */
LEND_ALWAYS_INLINE uintptr_t lendi_page_bits(
	const struct lend_cache *cache, const void *pointer)
{
	rtree_leaf_elm_t *leaf =
		(rtree_leaf_elm_t *)(cache->leaf_bias + ((uintptr_t)pointer >> LG_PAGE) *
								sizeof(rtree_leaf_elm_t));

	/* Relaxed: who has a pointer to an object was given it after its page was entered. */
	return (uintptr_t)atomic_load_p(&leaf->le_bits, ATOMIC_RELAXED);
}

#endif /* LENDHEAP_ALLOC_CACHE_H */
