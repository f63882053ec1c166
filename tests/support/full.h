/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LENDHEAP_TESTS_FULL_H
#define LENDHEAP_TESTS_FULL_H

/*
 * An arena without a free object of any size, so that every allocation fails until some are
 * given back: what containers do without memory is tested in.
 *
 *	void *taken = full_take(arena);		lend_alloc(arena, 16) is NULL now
 *	full_give_back(arena, taken);
 *
 * The arena should have a small quota.
 */
#include <lendheap/alloc.h>

/* Take all there is, largest first; what is taken is chained. */
static inline void *full_take(struct lend_arena *arena)
{
	void *chain = NULL;
	size_t bytes;

	for (bytes = (size_t)64 << 20; bytes >= 8; bytes -= (bytes + 7) / 8) {
		void **object;

		while ((object = (void **)lend_alloc(arena, bytes)) != NULL) {
			*object = chain;
			chain = object;
		}
	}
	return chain;
}

static inline void full_give_back(struct lend_arena *arena, void *chain)
{
	while (chain) {
		void *object = chain;

		chain = *(void **)object;
		lend_free(arena, object);
	}
}

#endif /* LENDHEAP_TESTS_FULL_H */
