/* SPDX-License-Identifier: Apache-2.0 */
#include <lendheap/ring.h>

#include "base/error.h"

#define RING_MAGIC     UINT64_C(0x676e6972646e656c) /* "lendring" */
#define RING_BYTES_MAX (UINT64_C(1) << 47)          /* more than can be mapped */

enum { RING_ALIGNMENT = 64 };

uint64_t lend_ring_bytes(uint64_t element_bytes, uint64_t capacity)
{
	if (capacity == 0 || (capacity & (capacity - 1)) != 0 ||
		capacity > LEND_RING_COUNT_MAX || element_bytes == 0 ||
		element_bytes > RING_BYTES_MAX / capacity)
		return 0;
	return sizeof(struct lend_ring_shm) + capacity * element_bytes;
}

static int fail_capacity(int err, uint64_t element_bytes, uint64_t capacity)
{
	return lendi_fail(err, "a ring of %llu elements of %llu bytes",
		(unsigned long long)capacity, (unsigned long long)element_bytes);
}

int lend_ring_init(struct lend_ring_shm *ring, uint64_t element_bytes, uint64_t capacity)
{
	if (!lend_ring_bytes(element_bytes, capacity))
		return fail_capacity(-EINVAL, element_bytes, capacity);
	if ((uintptr_t)ring % RING_ALIGNMENT)
		return lendi_fail(-EINVAL, "a ring at %p, no multiple of %d", (void *)ring,
			RING_ALIGNMENT);

	memset(ring, 0, sizeof(*ring));
	ring->element_bytes = element_bytes;
	ring->capacity = capacity;
	/* RING: the fields are there before what tells that this is a ring. */
	lend_store_release64(&ring->magic, RING_MAGIC);
	return 0;
}

int lend_ring_create(struct lend_arena *arena, uint64_t element_bytes, uint64_t capacity,
	struct lend_ring_shm **out_ring)
{
	uint64_t bytes = lend_ring_bytes(element_bytes, capacity);
	struct lend_ring_shm *ring;
	int err;

	if (!bytes)
		return fail_capacity(-EINVAL, element_bytes, capacity);
	ring = lend_alloc_aligned(arena, bytes, RING_ALIGNMENT);
	if (!ring)
		return -errno;

	err = lend_ring_init(ring, element_bytes, capacity);
	assert(!err);
	*out_ring = ring;
	return err;
}

void lend_ring_destroy(struct lend_ring_shm *ring, struct lend_arena *arena)
{
	uint64_t bytes = lend_ring_bytes(ring->element_bytes, ring->capacity);

	lend_store_relaxed64(&ring->magic, 0); /* relaxed: nobody else is here any more */
	lend_free_sized_aligned(arena, ring, bytes, RING_ALIGNMENT);
}

/* Open the writer's side: each word is read once, checked, and kept. */
static int open_side(struct lend_ring_shm *ring, uint64_t bytes, uint64_t element_bytes,
	struct lend_ring_side *out_side)
{
	uint64_t capacity;
	uint64_t its_bytes;
	uint64_t magic;
	uint64_t head;
	uint64_t tail;

	if (bytes < sizeof(*ring) || (uintptr_t)ring % RING_ALIGNMENT)
		return lendi_fail(-EUCLEAN, "ring at %p: no place for one in %llu bytes",
			(void *)ring, (unsigned long long)bytes);
	/* RING: what it consists of is there. */
	magic = lend_load_acquire64(&ring->magic);
	if (magic != RING_MAGIC)
		return lendi_fail(-EUCLEAN, "ring at %p: magic 0x%llx, wanted 0x%llx",
			(void *)ring, (unsigned long long)magic,
			(unsigned long long)RING_MAGIC);
	its_bytes = __atomic_load_n(&ring->element_bytes, __ATOMIC_RELAXED);
	if (its_bytes != element_bytes)
		return lendi_fail(-EPROTOTYPE,
			"ring at %p: elements of %llu bytes, wanted %llu", (void *)ring,
			(unsigned long long)its_bytes, (unsigned long long)element_bytes);
	capacity = __atomic_load_n(&ring->capacity, __ATOMIC_RELAXED);
	its_bytes = lend_ring_bytes(element_bytes, capacity);
	if (!its_bytes || its_bytes > bytes)
		return lendi_fail(-EUCLEAN,
			"ring at %p: %llu elements of %llu bytes do not fit into %llu",
			(void *)ring, (unsigned long long)capacity,
			(unsigned long long)element_bytes, (unsigned long long)bytes);
	/* HEAD and TAIL: this side goes on behind whoever had it before. */
	head = lend_load_acquire64(&ring->head);
	tail = lend_load_acquire64(&ring->tail);
	if (tail - head > capacity)
		return lendi_fail(-EUCLEAN, "ring at %p: %llu put, %llu taken, room for %llu",
			(void *)ring, (unsigned long long)tail, (unsigned long long)head,
			(unsigned long long)capacity);

	out_side->ring = ring;
	out_side->mask = capacity - 1;
	out_side->own = tail;
	out_side->other = head;
	return 0;
}

int lend_ring_open_writer(struct lend_ring_shm *ring, uint64_t bytes, uint64_t element_bytes,
	struct lend_ring_side *out_side)
{
	return open_side(ring, bytes, element_bytes, out_side);
}

int lend_ring_open_reader(struct lend_ring_shm *ring, uint64_t bytes, uint64_t element_bytes,
	struct lend_ring_side *out_side)
{
	struct lend_ring_side writer = {0};
	int err = open_side(ring, bytes, element_bytes, &writer);

	if (err)
		return err;
	*out_side = writer;
	out_side->own = writer.other;
	out_side->other = writer.own;
	return 0;
}

int lend_ring_check(const struct lend_ring_shm *ring, uint64_t bytes, uint64_t element_bytes)
{
	struct lend_ring_side side;

	/* It reads only. */
	return open_side((struct lend_ring_shm *)(uintptr_t)ring, bytes, element_bytes, &side);
}

int lend_ring_refuse(const struct lend_ring_side *side)
{
	return lendi_fail(-EUCLEAN, "ring at %p: the peer's index does not fit with ours, %llu",
		(const void *)side->ring, (unsigned long long)side->own);
}
