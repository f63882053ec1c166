/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WORDS_H
#define WORDS_H

/*
 * How often each word stands in a text: a hash map finds a word, and a tree through the words
 * themselves has them in order, the most frequent first. Owner and readers include this.
 */
#include <stdint.h>
#include <string.h>

#include <lendheap/lendheap.h>
#include <lendheap/tree.h>

struct word {
	struct lend_tree_hook_shm by_count;
	uint64_t count;
	char *text; /* raw: every process maps the arena at one place */
};

/* More often first, then by bytes. */
static inline int word_compare(const struct word *a, const struct word *b)
{
	if (a->count != b->count)
		return a->count > b->count ? -1 : 1;
	return strcmp(a->text, b->text);
}

#define LEND_MAP word_map
#define LEND_MAP_STRING_KEYS
#define LEND_MAP_VALUE struct word *
#include <lendheap/map.h>

#define LEND_TREE               word_tree
#define LEND_TREE_TYPE          struct word
#define LEND_TREE_HOOK          by_count
#define LEND_TREE_COMPARE(a, b) word_compare(a, b)
#include <lendheap/tree.h>

struct words {
	struct word_map by_text;
	struct word_tree by_count;
};

#define WORDS_TYPE LEND_TYPE(struct words, 1)

#endif /* WORDS_H */
