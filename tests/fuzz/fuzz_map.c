/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check of a hash map on bytes that someone scribbled over. The input: how many entries to make,
 * then changes, each
 *
 *	uint16_t at; uint8_t xor;
 *
 * in the header, or from 64 on in the table. What must hold: check
 * neither crashes nor hangs; what it accepts can be searched and walked.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lendheap/alloc.h>

#define LEND_MAP       word_map
#define LEND_MAP_VALUE uint64_t
#define LEND_MAP_STRING_KEYS
#include <lendheap/map.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

enum { ENTRIES_MAX = 64 };

static struct lend_arena *arena;
static uint8_t good[64 * 1024];
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	struct lend_map_shm head;
	struct word_map outside;
	uint8_t *table = NULL;
	size_t table_bytes = 0;
	uint64_t last;
	size_t at;

	if (bytes < 1)
		return 0;
	make_map(data[0] % ENTRIES_MAX);
	last = map->shm.last;
	if (!lend_ptr_is_null(&map->shm.entries)) {
		table = (uint8_t *)lendi_map_group(lend_ptr_get(&map->shm.entries), last, 0);
		table_bytes = lendi_map_bytes(
			lendi_map_group_count(last), sizeof(struct word_map_entry));
	}
	require(table_bytes <= sizeof(good));
	if (table)
		memcpy(good, table, table_bytes);
	memcpy((void *)&head, (const void *)&map->shm, sizeof(head));

	for (at = 1; at + 3 <= bytes; at += 3) {
		size_t place = (size_t)(data[at] | data[at + 1] << 8) % (64 + table_bytes);

		if (place < sizeof(head))
			((uint8_t *)map)[place] ^= data[at + 2];
		else if (place >= 64)
			table[place - 64] ^= data[at + 2];
	}
	memcpy((void *)&outside, (const void *)map, sizeof(outside));
	require(word_map_check(&outside, arena) == -EXDEV);
	if (word_map_check(map, arena) == 0)
		use_map();

	memcpy((void *)&map->shm, (const void *)&head, sizeof(head));
	if (table)
		memcpy(table, good, table_bytes);
	word_map_fini(map, arena);
	return 0;
}
