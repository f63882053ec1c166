/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A vector of vectors whose words another process scribbled on: check neither crashes nor
 * hangs, and what it lets pass can be read whole. The input is a list of
 *
 *	uint8_t place; uint8_t value;                      place < 0x80: a byte of the vectors
 *	uint8_t place | 0x80; uint8_t 0; uint64_t value;   else a word
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define LEND_VECTOR      numbers
#define LEND_VECTOR_TYPE uint32_t
#include <lendheap/vector.h>

#define LEND_VECTOR                      rows
#define LEND_VECTOR_TYPE                 struct numbers
#define LEND_VECTOR_MOVE(to, from)       numbers_move(to, from)
#define LEND_VECTOR_FINI(arena, element) numbers_fini(element, arena)
#include <lendheap/vector.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

#define CHECK(claim)                                                                           \
	do {                                                                                   \
		if (!(claim))                                                                  \
			abort();                                                               \
	} while (0)

enum { ROWS = 3, WORDS = 3 + ROWS * 3 };

static struct lend_arena *arena;
static struct rows *rows;
static struct numbers *inner; /* the elements of rows, where they were */
static uint64_t words[WORDS]; /* of rows, then of those */

static void build(void)
{
	uint32_t row;
	uint32_t i;

	CHECK(lend_arena_create(NULL, &arena) == 0);
	rows = lend_alloc_zeroed(arena, sizeof(*rows));
	CHECK(rows);
	CHECK(rows_resize(rows, arena, ROWS) == 0);
	for (row = 0; row < ROWS; row++)
		for (i = 0; i < row * 500; i++)
			CHECK(numbers_push_back(rows_at(rows, row), arena, i) == 0);
	inner = rows_data(rows);
	memcpy(words, rows, 24);
	memcpy(words + 3, inner, sizeof(words) - 24);
}

static void scribble(const uint8_t *data, size_t bytes)
{
	uint8_t scribbled[sizeof(words)];

	memcpy(scribbled, words, sizeof(words));
	while (bytes >= 2) {
		uint8_t place = data[0];

		if (place < 0x80) {
			scribbled[place % sizeof(words)] = data[1];
		} else {
			if (bytes < 10)
				break;
			memcpy(scribbled + (size_t)(place & 0x7f) % WORDS * 8, data + 2, 8);
			data += 8;
			bytes -= 8;
		}
		data += 2;
		bytes -= 2;
	}
	memcpy((void *)rows, scribbled, 24);
	memcpy((void *)inner, scribbled + 24, sizeof(words) - 24);
}

static void read_row(const struct numbers *row)
{
	static volatile uint32_t sink;
	const uint32_t *numbers = numbers_data(row);
	uint64_t count = numbers_count(row);
	uint64_t i;

	/* Not all of an arena: a page here and there shows whether it may be read. */
	for (i = 0; i < count; i += 1 + count / 100)
		sink = numbers[i];
	if (count)
		sink = numbers[count - 1];
	(void)sink;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	struct rows outside;
	uint64_t i;
	int err;

	if (!arena)
		build();
	scribble(data, bytes);
	memcpy((void *)&outside, (const void *)rows, sizeof(outside));
	CHECK(rows_check(&outside, arena) == -EXDEV);
	err = rows_check(rows, arena);
	CHECK(err == 0 || err == -EUCLEAN);
	(void)rows_check(rows, NULL);
	for (i = 0; err == 0 && i < rows_count(rows) && i < 100; i++) {
		const struct numbers *row = rows_data(rows) + i;

		err = numbers_check(row, arena);
		CHECK(err == 0 || err == -EUCLEAN);
		if (err == 0)
			read_row(row);
		err = 0;
	}
	return 0;
}
