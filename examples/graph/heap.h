/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAPH_HEAP_H
#define GRAPH_HEAP_H

/*
 * Where a graph's objects are allocated: an arena that others can borrow, or this process's own
 * heap. One interface for both, so that one function builds either graph.
 */
#include <stddef.h>

struct lend_arena;

struct heap {
	void *(*alloc)(void *context, size_t bytes);
	void (*free)(void *context, void *object, size_t bytes);
	void *context;
};

/* lend_alloc() in this arena. */
struct heap heap_of_arena(struct lend_arena *arena);

/* malloc(). */
struct heap heap_private(void);

/* An object; or NULL and a sentence that names what it was for and why there is none. */
void *heap_alloc(const struct heap *heap, size_t bytes, const char *what);

static inline void heap_free(const struct heap *heap, void *object, size_t bytes)
{
	heap->free(heap->context, object, bytes);
}

#endif /* GRAPH_HEAP_H */
