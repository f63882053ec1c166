/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Strings whose bytes another process scribbled on: lend_string_check() neither crashes nor
 * hangs, and what it lets pass can be read whole. The input is a list of
 *
 *	uint8_t place; uint8_t value;                      place < 0x80: a byte of the strings
 *	uint8_t place | 0x80; uint8_t 0; uint64_t value;   else a word
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <lendheap/string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

#define CHECK(claim)                                                                           \
	do {                                                                                   \
		if (!(claim))                                                                  \
			abort();                                                               \
	} while (0)

enum { STRINGS = 3, WORDS = STRINGS * 3 };

static struct lend_arena *arena;
static struct lend_string_shm *strings;
static uint64_t words[WORDS]; /* as they were */

static void build(void)
{
	char text[3000];

	memset(text, 'x', sizeof(text));
	CHECK(lend_arena_create(NULL, &arena) == 0);
	strings = lend_alloc_zeroed(arena, STRINGS * sizeof(*strings));
	CHECK(strings);
	CHECK(lend_string_set(&strings[0], arena, lend_view_of("inline")) == 0);
	CHECK(lend_string_set(&strings[1], arena, lend_view_make(text, 40)) == 0);
	CHECK(lend_string_set(&strings[2], arena, lend_view_make(text, sizeof(text))) == 0);
	memcpy(words, strings, sizeof(words));
}

static void scribble(const uint8_t *data, size_t bytes)
{
	uint8_t *at = (uint8_t *)strings;

	while (bytes >= 2) {
		uint8_t place = data[0];

		if (place < 0x80) {
			at[place % sizeof(words)] = data[1];
		} else {
			if (bytes < 10)
				return;
			memcpy(at + (size_t)(place & 0x7f) % WORDS * 8, data + 2, 8);
			data += 8;
			bytes -= 8;
		}
		data += 2;
		bytes -= 2;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	static volatile char sink;
	int i;

	if (!arena)
		build();
	memcpy((void *)strings, words, sizeof(words));
	scribble(data, bytes);
	for (i = 0; i < STRINGS; i++) {
		int err = lend_string_check(&strings[i], arena);
		struct lend_string_shm outside;
		lend_view view;
		size_t at;

		memcpy((void *)&outside, (const void *)&strings[i], sizeof(outside));
		CHECK(lend_string_check(&outside, arena) == -EXDEV);
		CHECK(err == 0 || err == -EUCLEAN);
		(void)lend_string_check(&strings[i], NULL);
		if (err)
			continue;
		view = lend_string_view(&strings[i]);
		CHECK(view.at[view.bytes] == 0);
		for (at = 0; at < view.bytes; at += 64)
			sink = view.at[at];
	}
	(void)sink;
	return 0;
}
