/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LENDHEAP_RING_H
#define LENDHEAP_RING_H

/*
 * A bounded queue from one writer to one reader, which may run at the same time: two threads,
 * or two processes that both may write the memory it lies in.
 *
 *	#define LEND_RING      orders		struct orders, orders_try_put(), ...
 *	#define LEND_RING_TYPE struct order
 *	#include <lendheap/ring.h>
 *
 *	err = orders_create(arena, 1024, &ring);
 *	err = orders_open_writer(ring, orders_bytes(1024), &writer);	in one thread
 *	err = orders_try_put(&writer, order);
 *	err = orders_open_reader(ring, orders_bytes(1024), &reader);	in the other
 *	err = orders_try_take(&reader, &order);
 *
 * Elements are copied by value, so they hold no self-relative pointers; neither does the ring,
 * so it lies in any memory, at any addresses: in an arena by create(), elsewhere by init().
 * Zeroed memory is no ring. A process that borrows an arena cannot write there, not even the
 * word that says what it took: for two processes the ring lies in memory that both may write.
 *
 * Each side has its private state, made by opening and used by one thread at a time, best on a
 * cache line of its own. There lie the ring's place, the mask and the side's own index, checked
 * once and never read from shared memory again, so that no word a peer writes leads outside the
 * ring; and a copy of the other side's index, which is read anew only when the ring looks full,
 * or empty: that spares most cache misses. (Lamport's ring, 1983, with the cached indices of
 * Lee, Bu and Chandranmenon's MCRingBuffer, 2009.)
 *
 * operation                             cost           who beside
 * try_put try_put_batch                 O(elements)    the reader; no other writer (X)
 * try_take try_take_batch               O(elements)    the writer; no other reader (X)
 * count                                 O(1)           everyone
 * is_full is_empty                      O(1)           as try_put, try_take
 * open_writer open_reader check         O(1)           the other side
 * create init destroy                   O(1)           nobody
 *
 * Memory order. What the writer did before a put, the reader sees after the take of that
 * element (pair TAIL); what the reader did before a take, the writer sees after it has put an
 * element in the place (pair HEAD).
 * Death. A writer killed in a put leaves the elements unseen, or whole; a reader killed in a
 * take leaves them to be taken again. Who opens the side anew goes on from there.
 * Limits. A power of two of elements, up to 2^40, each aligned to at most 64 bytes.
 */
#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include <lendheap/alloc.h>
#include <lendheap/compiler.h>
#include <lendheap/instance.h>
#include <lendheap/layout.h>

#ifdef __cplusplus
extern "C" {
#endif

#define LEND_RING_COUNT_MAX (UINT64_C(1) << 40)

/*
 * field          written by  order                                  a death before leaves
 * element_bytes  creator     fixed before magic                     no ring
 * capacity       creator     fixed before magic                     no ring
 * magic          creator     RING: release in init, acquire in open no ring
 * head           reader      HEAD: release in take, acquire in put  read, but taken again
 * tail           writer      TAIL: release in put, acquire in take  filled, but never seen
 *
 * head counts the elements taken, tail those put. They wrap at 2^64; their difference
 * is how many are there. The slots follow.
 */
struct lend_ring_shm {
	lend_word64 magic;
	uint64_t element_bytes;
	uint64_t capacity; /* a power of two */
	uint8_t pad0[40];
	lend_word64 head; /* the reader's line */
	uint8_t pad1[56];
	lend_word64 tail; /* the writer's line */
	uint8_t pad2[56];
};
LEND_SHM_SIZEOF(struct lend_ring_shm, 192);
LEND_SHM_AT(struct lend_ring_shm, element_bytes, 8);
LEND_SHM_AT(struct lend_ring_shm, capacity, 16);
LEND_SHM_AT(struct lend_ring_shm, head, 64);
LEND_SHM_AT(struct lend_ring_shm, tail, 128);

/*
 * One side's view of a ring, private to it: the common part of an instance's writer and reader.
 */
struct lend_ring_side {
	struct lend_ring_shm *ring;
	uint64_t mask;
	uint64_t own;   /* this side's index: what it last stored in the ring */
	uint64_t other; /* the other side's index when it was last looked at */
};

/*
 * Called by the functions of an instance; what they return stands there.
 *
 * bytes: the memory a ring takes; 0 when there is no such ring.
 * open_writer, open_reader: check a ring that begins in bytes of mapped memory, once, and fill
 * the private state of a side from it.
 */
LEND_API uint64_t lend_ring_bytes(uint64_t element_bytes, uint64_t capacity);
LEND_API int lend_ring_init(
	struct lend_ring_shm *ring, uint64_t element_bytes, uint64_t capacity);
LEND_API int lend_ring_create(struct lend_arena *arena, uint64_t element_bytes,
	uint64_t capacity, struct lend_ring_shm **out_ring);
LEND_API void lend_ring_destroy(struct lend_ring_shm *ring, struct lend_arena *arena);
LEND_API int lend_ring_open_writer(struct lend_ring_shm *ring, uint64_t bytes,
	uint64_t element_bytes, struct lend_ring_side *out_side);
LEND_API int lend_ring_open_reader(struct lend_ring_shm *ring, uint64_t bytes,
	uint64_t element_bytes, struct lend_ring_side *out_side);
LEND_API int lend_ring_check(
	const struct lend_ring_shm *ring, uint64_t bytes, uint64_t element_bytes);

/* The peer's index is an impossible one: keeps a sentence and returns -EUCLEAN. */
LEND_API int lend_ring_refuse(const struct lend_ring_side *side);

/*
 * Slots the writer may fill, at least `wanted` of them if there are: only when the index it
 * knows leaves too few does it look at the reader's line. Below 0: -EUCLEAN, the reader's index
 * is wrong.
 */
static inline int64_t lendi_ring_room(struct lend_ring_side *writer, uint64_t wanted)
{
	uint64_t room = writer->mask + 1 - (writer->own - writer->other);

	if (LEND_UNLIKELY(room < wanted)) {
		/* HEAD: the reader has read what was in the slots before it. */
		uint64_t head = lend_load_acquire64(&writer->ring->head);

		if (LEND_UNLIKELY(writer->own - head > writer->mask + 1))
			return lend_ring_refuse(writer);
		writer->other = head;
		room = writer->mask + 1 - (writer->own - head);
	}
	return (int64_t)room;
}

/* Elements the reader may take, likewise. */
static inline int64_t lendi_ring_ready(struct lend_ring_side *reader, uint64_t wanted)
{
	uint64_t ready = reader->other - reader->own;

	if (LEND_UNLIKELY(ready < wanted)) {
		/* TAIL: the slots before it are filled. */
		uint64_t tail = lend_load_acquire64(&reader->ring->tail);

		if (LEND_UNLIKELY(tail - reader->own > reader->mask + 1))
			return lend_ring_refuse(reader);
		reader->other = tail;
		ready = tail - reader->own;
	}
	return (int64_t)ready;
}

static inline void lendi_ring_filled(struct lend_ring_side *writer, uint64_t count)
{
	writer->own += count;
	/* TAIL: the elements are there before the index that shows them. */
	lend_store_release64(&writer->ring->tail, writer->own);
}

static inline void lendi_ring_emptied(struct lend_ring_side *reader, uint64_t count)
{
	reader->own += count;
	/* HEAD: they are read before the index that gives their slots back. */
	lend_store_release64(&reader->ring->head, reader->own);
}

/* Fold what this header lays down into a layout hash. */
static inline uint64_t lend_ring_layout_fold(uint64_t hash)
{
	hash = lend_layout_fold(hash, sizeof(struct lend_ring_shm));
	hash = lend_layout_fold(hash, offsetof(struct lend_ring_shm, head));
	return lend_layout_fold(hash, offsetof(struct lend_ring_shm, tail));
}

#ifdef __cplusplus
}
#endif

#endif /* LENDHEAP_RING_H */

/*
 * An instance. Parameters, undefined at the end:
 *	LEND_RING       its name
 *	LEND_RING_TYPE  the type of the elements: may be copied by memcpy to another process
 */
#ifdef LEND_RING

#define LENDI_RING(verb) LENDI_JOIN(LEND_RING, verb)

LEND_STATIC_ASSERT(
	LEND_ALIGNOF(LEND_RING_TYPE) <= 64, "elements of a ring align to 64 at most");
#ifdef __cplusplus
LEND_STATIC_ASSERT(__is_trivially_copyable(LEND_RING_TYPE), "a ring copies elements as bytes");
#endif

/* Its slots follow in memory. */
struct LEND_RING {
	struct lend_ring_shm shm;
};

struct LENDI_RING(writer) {
	struct lend_ring_side side;
};

struct LENDI_RING(reader) {
	struct lend_ring_side side;
};

/* They are indexed with the private mask only. */
LENDI_INSTANCE LEND_RING_TYPE *LENDI_RING(lendi_slots)(const struct lend_ring_side *side)
{
	return (LEND_RING_TYPE *)(void *)(side->ring + 1);
}

/* The memory a ring for this many elements takes; 0: no power of two, or too many. */
LENDI_INSTANCE uint64_t LENDI_RING(bytes)(uint64_t capacity)
{
	return lend_ring_bytes(sizeof(LEND_RING_TYPE), capacity);
}

/* Make memory of bytes(capacity), at a multiple of 64, an empty ring. 0; -EINVAL. */
LENDI_INSTANCE int LENDI_RING(init)(struct LEND_RING *ring, uint64_t capacity)
{
	return lend_ring_init(&ring->shm, sizeof(LEND_RING_TYPE), capacity);
}

/* The same in new memory of an arena. 0; -EINVAL, -ENOMEM, -EDQUOT, -EPERM. */
LENDI_INSTANCE int LENDI_RING(create)(
	struct lend_arena *arena, uint64_t capacity, struct LEND_RING **out_ring)
{
	struct lend_ring_shm *shm;
	int err = lend_ring_create(arena, sizeof(LEND_RING_TYPE), capacity, &shm);

	if (!err)
		*out_ring = (struct LEND_RING *)shm;
	return err;
}

/* Give back what create() made; both sides have ended. */
LENDI_INSTANCE void LENDI_RING(destroy)(struct LEND_RING *ring, struct lend_arena *arena)
{
	lend_ring_destroy(&ring->shm, arena);
}

/*
 * Become the ring's one writer, or reader. bytes are mapped there, from the ring on: it is
 * checked to fit. 0; -EUCLEAN no ring, -EPROTOTYPE elements of another size.
 */
LENDI_INSTANCE int LENDI_RING(open_writer)(
	struct LEND_RING *ring, uint64_t bytes, struct LENDI_RING(writer) * out_writer)
{
	return lend_ring_open_writer(
		&ring->shm, bytes, sizeof(LEND_RING_TYPE), &out_writer->side);
}

LENDI_INSTANCE int LENDI_RING(open_reader)(
	struct LEND_RING *ring, uint64_t bytes, struct LENDI_RING(reader) * out_reader)
{
	return lend_ring_open_reader(
		&ring->shm, bytes, sizeof(LEND_RING_TYPE), &out_reader->side);
}

/* Put a copy of an element. 0; -EAGAIN full; -EUCLEAN the reader wrote an impossible index. */
LENDI_INSTANCE int LENDI_RING(try_put)(
	struct LENDI_RING(writer) * writer, LEND_RING_TYPE element)
{
	int64_t room = lendi_ring_room(&writer->side, 1);

	if (LEND_UNLIKELY(room <= 0))
		return room ? (int)room : -EAGAIN;
	LENDI_RING(lendi_slots)(&writer->side)[writer->side.own & writer->side.mask] = element;
	lendi_ring_filled(&writer->side, 1);
	return 0;
}

/* Take an element. 0; -EAGAIN empty; -EUCLEAN the writer wrote an impossible index. */
LENDI_INSTANCE int LENDI_RING(try_take)(
	struct LENDI_RING(reader) * reader, LEND_RING_TYPE *out_element)
{
	int64_t ready = lendi_ring_ready(&reader->side, 1);

	if (LEND_UNLIKELY(ready <= 0))
		return ready ? (int)ready : -EAGAIN;
	*out_element =
		LENDI_RING(lendi_slots)(&reader->side)[reader->side.own & reader->side.mask];
	lendi_ring_emptied(&reader->side, 1);
	return 0;
}

/*
 * Put as many of the elements, from the first on, as there is room for, and show them to the
 * reader at once. Returns how many, 0 when full; -EUCLEAN as above.
 */
LENDI_INSTANCE int64_t LENDI_RING(try_put_batch)(
	struct LENDI_RING(writer) * writer, const LEND_RING_TYPE *elements, uint64_t count)
{
	int64_t room = lendi_ring_room(&writer->side, count);
	LEND_RING_TYPE *slots = LENDI_RING(lendi_slots)(&writer->side);
	uint64_t at = writer->side.own & writer->side.mask;
	uint64_t before_end = writer->side.mask + 1 - at;

	if (room <= 0 || count == 0)
		return count ? room : 0;
	if (count > (uint64_t)room)
		count = (uint64_t)room;
	if (before_end > count)
		before_end = count;
	memcpy((void *)(slots + at), (const void *)elements, before_end * sizeof(*slots));
	memcpy((void *)slots, (const void *)(elements + before_end),
		(count - before_end) * sizeof(*slots));
	lendi_ring_filled(&writer->side, count);
	return (int64_t)count;
}

/* Take as many elements as there are, up to count. Returns how many; -EUCLEAN as above. */
LENDI_INSTANCE int64_t LENDI_RING(try_take_batch)(
	struct LENDI_RING(reader) * reader, LEND_RING_TYPE *elements, uint64_t count)
{
	int64_t ready = lendi_ring_ready(&reader->side, count);
	const LEND_RING_TYPE *slots = LENDI_RING(lendi_slots)(&reader->side);
	uint64_t at = reader->side.own & reader->side.mask;
	uint64_t before_end = reader->side.mask + 1 - at;

	if (ready <= 0 || count == 0)
		return count ? ready : 0;
	if (count > (uint64_t)ready)
		count = (uint64_t)ready;
	if (before_end > count)
		before_end = count;
	memcpy((void *)elements, (const void *)(slots + at), before_end * sizeof(*slots));
	memcpy((void *)(elements + before_end), (const void *)slots,
		(count - before_end) * sizeof(*slots));
	lendi_ring_emptied(&reader->side, count);
	return (int64_t)count;
}

/* Would a put, or a take, find no room, or no element? Each asks for its own side. */
LENDI_INSTANCE int LENDI_RING(is_full)(struct LENDI_RING(writer) * writer)
{
	return lendi_ring_room(&writer->side, 1) <= 0;
}

LENDI_INSTANCE int LENDI_RING(is_empty)(struct LENDI_RING(reader) * reader)
{
	return lendi_ring_ready(&reader->side, 1) <= 0;
}

/*
 * How many elements are in it, at some moment during the call; for both sides and for others. A
 * number to look at: what a side may put or take it learns by trying.
 */
LENDI_INSTANCE uint64_t LENDI_RING(count)(const struct LEND_RING *ring)
{
	/* Relaxed: nothing is read because of it. Head first, so that it is not beyond tail. */
	uint64_t head = lend_load_relaxed64(&ring->shm.head);
	uint64_t count = lend_load_relaxed64(&ring->shm.tail) - head;

	/* Some may have been put and as many taken in between. */
	return count > ring->shm.capacity ? ring->shm.capacity : count;
}

/*
 * Every invariant, safe on any bytes, when so many bytes are mapped there; at most one side
 * runs meanwhile. 0; -EUCLEAN with a sentence, -EPROTOTYPE elements of another size.
 */
LENDI_INSTANCE_COLD int LENDI_RING(check)(const struct LEND_RING *ring, uint64_t bytes)
{
	return lend_ring_check(&ring->shm, bytes, sizeof(LEND_RING_TYPE));
}

#undef LENDI_RING
#undef LEND_RING
#undef LEND_RING_TYPE

#endif /* LEND_RING */
