/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LEND_TEST_USE_ARENA_H
#define LEND_TEST_USE_ARENA_H

/*
 * What every program of the install tests does with the library: fill an arena with objects of
 * many sizes, see that each still holds what was written, give them back.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lendheap/lendheap.h>

enum { USE_COUNT = 2000 };

struct use {
	struct lend_arena *arena;
	unsigned char *objects[USE_COUNT];
	size_t bytes[USE_COUNT];
	unsigned char mark;
};

#define USE_REQUIRE(condition)                                                                 \
	do {                                                                                   \
		if (!(condition)) {                                                            \
			fprintf(stderr, "%s:%d: not so: %s (%s)\n", __FILE__, __LINE__,        \
				#condition, lend_error_detail());                              \
			exit(1);                                                               \
		}                                                                              \
	} while (0)

static inline void use_start(struct use *use, const char *name, unsigned char mark)
{
	const struct lend_arena_options options = {.name = name};

	use->mark = mark;
	USE_REQUIRE(lend_arena_create(&options, &use->arena) == 0);
	for (size_t i = 0; i < USE_COUNT; i++) {
		use->bytes[i] = 1 + (i * 37) % 3000 + (i % 100 ? 0 : 100000);
		use->objects[i] = lend_alloc(use->arena, use->bytes[i]);
		USE_REQUIRE(use->objects[i]);
		USE_REQUIRE(lend_arena_of(use->objects[i]) == use->arena);
		memset(use->objects[i], mark, use->bytes[i]);
	}
}

static inline void use_check(const struct use *use)
{
	for (size_t i = 0; i < USE_COUNT; i++) {
		for (size_t at = 0; at < use->bytes[i]; at++)
			USE_REQUIRE(use->objects[i][at] == use->mark);
	}
}

static inline void use_end(struct use *use)
{
	use_check(use);
	for (size_t i = 0; i < USE_COUNT; i += 2)
		lend_free(use->arena, use->objects[i]);
	for (size_t i = 1; i < USE_COUNT; i += 2)
		lend_free_sized(use->arena, use->objects[i], use->bytes[i]);
	USE_REQUIRE(lend_arena_destroy(use->arena) == 0);
}

#endif /* LEND_TEST_USE_ARENA_H */
