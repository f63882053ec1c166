/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LENDHEAP_ALLOC_SHADOW_H
#define LENDHEAP_ALLOC_SHADOW_H

/*
 * A private bit per 8 bytes of heap, set where an object in the application's hands begins. It
 * finds double frees, also of objects that lie in a cache, where jemalloc's own bitmap counts
 * them as allocated, and frees of pointers into the middle of an object. Builds with
 * LENDHEAP_CHECKS have it; in others these are nothing.
 */
#include "alloc/heap.h"

#ifdef LEND_CHECKS

static inline uint64_t *lendi_shadow_word(
	struct lendi_heap *heap, const void *object, uint64_t *bit)
{
	uint64_t index = ((uintptr_t)object - heap->arena->heap_base) / 8;

	*bit = UINT64_C(1) << index % 64;
	return &heap->shadow[index / 64];
}

static inline void lendi_shadow_born(struct lendi_heap *heap, const void *object)
{
	uint64_t bit;
	uint64_t *word = lendi_shadow_word(heap, object, &bit);

	/* Relaxed: neighbours share a word; each object's bit is its owner's. */
	(void)__atomic_fetch_or(word, bit, __ATOMIC_RELAXED);
}

/* False when no live object begins there. */
static inline bool lendi_shadow_died(struct lendi_heap *heap, const void *object)
{
	uint64_t bit;
	uint64_t *word;

	if ((uintptr_t)object % 8)
		return false;
	word = lendi_shadow_word(heap, object, &bit);
	return __atomic_fetch_and(word, ~bit, __ATOMIC_RELAXED) & bit;
}

static inline bool lendi_shadow_lives(struct lendi_heap *heap, const void *object)
{
	uint64_t bit;
	uint64_t *word;

	if ((uintptr_t)object % 8)
		return false;
	word = lendi_shadow_word(heap, object, &bit);
	return __atomic_load_n(word, __ATOMIC_RELAXED) & bit;
}

#else

static inline void lendi_shadow_born(struct lendi_heap *heap, const void *object)
{
	(void)heap, (void)object;
}

static inline bool lendi_shadow_died(struct lendi_heap *heap, const void *object)
{
	(void)heap, (void)object;
	return true;
}

static inline bool lendi_shadow_lives(struct lendi_heap *heap, const void *object)
{
	(void)heap, (void)object;
	return true;
}

#endif

#endif /* LENDHEAP_ALLOC_SHADOW_H */
