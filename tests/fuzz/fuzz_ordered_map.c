/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check of an ordered map on bytes that someone scribbled over. The input: how many entries to
 * make, then changes, each
 *
 *	uint8_t which; uint8_t word; uint8_t xor;
 *
 * in the header, the root, or the first or the last node below it. What must hold: check neither
 * crashes nor hangs; what it accepts can be searched and walked.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lendheap/alloc.h>

#define LEND_ORDERED_MAP       word_map
#define LEND_ORDERED_MAP_VALUE uint64_t
#define LEND_ORDERED_MAP_STRING_KEYS
#include <lendheap/ordered_map.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

enum { ENTRIES_MAX = 100, NODES = 3 };

static struct lend_arena *arena;
static struct word_map *map;

static void require(int condition)
{
	if (!condition)
		abort();
}

static lend_view word(unsigned number)
{
	static char text[64];

	(void)snprintf(text, sizeof(text),
		number % 3 ? "%u" : "a word too long to lie in the entry: %u", number);
	return lend_view_of(text);
}

static void make_map(unsigned count)
{
	unsigned i;

	if (!arena)
		require(lend_arena_create(NULL, &arena) == 0);
	if (!map)
		map = lend_alloc_zeroed(arena, sizeof(*map));
	require(map != NULL);
	for (i = 0; i < count; i++)
		require(word_map_set(map, arena, word(i), i) == 1);
	require(word_map_check(map, arena) == 0);
}

static void use_map(void)
{
	struct word_map_iterator at;
	struct word_map_entry *entry;
	uint64_t count = 0;

	for (entry = word_map_first(map, &at); entry; entry = word_map_next(&at), count++)
		require(word_map_find(map, lend_string_view(&entry->key)) == entry);
	require(count == word_map_count(map));
}

/* The bytes of a node, or of the map itself, as they are to be again. */
struct kept {
	uint8_t *at;
	size_t bytes;
	uint8_t good[2048];
};

static void keep(struct kept *kept, void *at, size_t bytes)
{
	require(bytes <= sizeof(kept->good));
	kept->at = at;
	kept->bytes = bytes;
	memcpy(kept->good, at, bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	static struct kept kept[1 + NODES];
	struct word_map_lendi_node *root;
	struct word_map outside;
	size_t count = 1;
	size_t at;
	size_t i;

	if (bytes < 1)
		return 0;
	make_map(data[0] % ENTRIES_MAX);
	keep(&kept[0], map, sizeof(*map));
	if (map->shm.height > 0) {
		root = word_map_lendi_root(map);
		keep(&kept[count++], root, word_map_lendi_node_bytes(map->shm.height - 1));
		for (i = 0; map->shm.height > 1 && i < 2; i++)
			keep(&kept[count++], word_map_lendi_child(root, i ? root->count : 0),
				word_map_lendi_node_bytes(map->shm.height - 2));
	}

	for (at = 1; at + 3 <= bytes; at += 3) {
		struct kept *in = &kept[data[at] % count];

		in->at[data[at + 1] * 8u % in->bytes + data[at + 2] % 8] ^= data[at + 2];
	}
	memcpy((void *)&outside, (const void *)map, sizeof(outside));
	require(word_map_check(&outside, arena) == -EXDEV);
	if (word_map_check(map, arena) == 0)
		use_map();

	for (i = 0; i < count; i++)
		memcpy(kept[i].at, kept[i].good, kept[i].bytes);
	word_map_fini(map, arena);
	return 0;
}
