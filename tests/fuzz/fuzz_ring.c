/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A ring beside a hostile peer: whatever bytes it writes, and whenever, check and opening
 * neither crash nor hang, and no put or take leaves the ring's memory. The input is a list of
 *
 *	uint8_t what; uint8_t place; uint64_t value;
 *
 * what % 8: 0, 1 scribble on a byte, or a word, of the head; 2, 3 open a side anew; 4 to 7 put
 * or take one, or `value` of them.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <lendheap/arena.h>

struct element {
	uint8_t bytes[64];
};

#define LEND_RING      elements
#define LEND_RING_TYPE struct element
#include <lendheap/ring.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

#define CHECK(claim)                                                                           \
	do {                                                                                   \
		if (!(claim))                                                                  \
			abort();                                                               \
	} while (0)

enum { CAPACITY = 8, BATCH_MAX = 20 };

struct table {
	struct elements *ring;
	uint64_t bytes;
	struct elements_writer writer;
	struct elements_reader reader;
	struct element batch[BATCH_MAX];
};

static void act(struct table *t, uint8_t what, uint8_t place, uint64_t value)
{
	struct lend_ring_shm *head = &t->ring->shm;
	struct elements_writer writer;
	struct elements_reader reader;
	int64_t done = 0;
	int err;

	switch (what % 8) {
	case 0:
		((uint8_t *)head)[place % sizeof(*head)] = (uint8_t)value;
		break;
	case 1:
		memcpy((uint8_t *)head + place % (sizeof(*head) / 8) * 8, &value, 8);
		break;
	case 2:
		err = elements_open_writer(t->ring, t->bytes, &writer);
		CHECK((err == 0) == (elements_check(t->ring, t->bytes) == 0));
		if (!err)
			t->writer = writer;
		break;
	case 3:
		err = elements_open_reader(t->ring, t->bytes, &reader);
		CHECK(err == 0 || err == -EUCLEAN || err == -EPROTOTYPE);
		if (!err)
			t->reader = reader;
		break;
	case 4:
		err = elements_try_put(&t->writer, t->batch[0]);
		CHECK(err == 0 || err == -EAGAIN || err == -EUCLEAN);
		break;
	case 5:
		err = elements_try_take(&t->reader, t->batch);
		CHECK(err == 0 || err == -EAGAIN || err == -EUCLEAN);
		break;
	case 6:
		done = elements_try_put_batch(&t->writer, t->batch, value % (BATCH_MAX + 1));
		break;
	case 7:
		done = elements_try_take_batch(&t->reader, t->batch, value % (BATCH_MAX + 1));
		break;
	}
	CHECK(done <= CAPACITY && (done >= 0 || done == -EUCLEAN));
	(void)elements_count(t->ring);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	struct table t = {.bytes = elements_bytes(CAPACITY)};

	/* Just as large as the ring, so that a sanitizer sees one byte too many. */
	t.ring = aligned_alloc(64, t.bytes);
	CHECK(t.ring);
	CHECK(elements_init(t.ring, CAPACITY) == 0);
	CHECK(elements_open_writer(t.ring, t.bytes, &t.writer) == 0);
	CHECK(elements_open_reader(t.ring, t.bytes, &t.reader) == 0);
	for (; bytes >= 10; bytes -= 10, data += 10) {
		uint64_t value;

		memcpy(&value, data + 2, sizeof(value));
		act(&t, data[0], data[1], value);
	}
	free(t.ring);
	return 0;
}
