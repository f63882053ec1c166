/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <lendheap/alloc.h>

#include "failure.h"
#include "heap.h"

static void *alloc_in_arena(void *context, size_t bytes)
{
	return lend_alloc(context, bytes);
}

static void free_in_arena(void *context, void *object, size_t bytes)
{
	if (object)
		lend_free_sized(context, object, bytes);
}

struct heap heap_of_arena(struct lend_arena *arena)
{
	struct heap made = {alloc_in_arena, free_in_arena, arena};

	return made;
}

static void *alloc_private(void *context, size_t bytes)
{
	(void)context;
	return malloc(bytes);
}

static void free_private(void *context, void *object, size_t bytes)
{
	(void)context;
	(void)bytes;
	free(object);
}

struct heap heap_private(void)
{
	struct heap made = {alloc_private, free_private, NULL};

	return made;
}

void *heap_alloc(const struct heap *heap, size_t bytes, const char *what)
{
	void *made = heap->alloc(heap->context, bytes ? bytes : 1);
	int err = errno;

	if (made)
		return made;
	if (heap->context && *lend_error_detail())
		(void)graph_fail(
			-err, "no room in the arena for %s: %s", what, lend_error_detail());
	else
		(void)graph_fail(-err, "no room for %s: %s", what, strerror(err));
	errno = err;
	return NULL;
}
