/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LENDHEAP_VECTOR_H
#define LENDHEAP_VECTOR_H

/*
 * An array in an arena that grows: 24 bytes, and one block with the elements.
 *
 *	#define LEND_VECTOR      edges		struct edges, edges_push_back(), ...
 *	#define LEND_VECTOR_TYPE struct edge
 *	#include <lendheap/vector.h>
 *
 *	err = edges_push_back(&node->out, arena, edge);
 *	err = edges_append(&node->out, arena, many, count);
 *	at = edges_data(&node->out);
 *	for (i = 0; i < edges_count(&node->out); i++)
 *		sum += at[i].weight;
 *
 * Of an element that owns memory or holds self-relative pointers it must be told how to end it
 * and how to take it elsewhere, since memcpy breaks such pointers:
 *
 *	#define LEND_VECTOR                      names
 *	#define LEND_VECTOR_TYPE                 struct lend_string_shm
 *	#define LEND_VECTOR_MOVE(to, from)       lend_string_move(to, from)
 *	#define LEND_VECTOR_FINI(arena, element) lend_string_fini(element, arena)
 *	#include <lendheap/vector.h>
 *
 * A vector may be such an element itself, with its own move() and fini(). The vector holds in
 * fixed and in relocated arenas. Zeroed memory is the empty vector.
 *
 * operation                  cost                    beside  pointers to elements
 * data at first last count   O(1)                    R
 * check                      O(1)                    R
 * push_back emplace          O(1) amortized          X       lost if count was capacity
 * append                     O(count) amortized      X       lost if there was no room
 * insert_at emplace_at       O(elements behind)      X       so too, else from there on
 * erase_at                   O(elements behind)      X       lost from there on
 * erase_unordered pop_back   O(1)                    X       of the last and the erased lost
 * resize                     O(elements more, less)  X       as push_back, pop_back
 * clear fini                 O(count)                X       lost
 * reserve shrink             O(count)                X       lost
 * move swap init             O(1)                    X       valid
 *
 * R: any number of readers, in any process; nothing is written. X: nobody else is in it.
 * Without a FINI, clear, fini and resize to less are O(1).
 * Death of a writer. push_back, append, pop_back, resize and growth leave the vector as before
 * or as after; erase_ and insert_at may leave an element in it twice, or a finished one. A death
 * between emplace and the filling leaves a last element of any bytes. A block above 16 KiB that
 * was growing may be free already, with its bytes still there for readers.
 * Limits. Count and capacity have 64 bits: the arena's bytes are the bound.
 */
#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include <lendheap/alloc.h>
#include <lendheap/compiler.h>
#include <lendheap/instance.h>
#include <lendheap/layout.h>
#include <lendheap/ptr.h>

#ifdef __cplusplus
extern "C" {
#endif

struct lend_vector_shm {
	LEND_PTR(void) data; /* not null unless capacity is 0 */
	uint64_t count;
	uint64_t capacity; /* elements that fit into the block */
};
LEND_SHM_SIZEOF(struct lend_vector_shm, 24);
LEND_SHM_AT(struct lend_vector_shm, count, 8);
LEND_SHM_AT(struct lend_vector_shm, capacity, 16);

/* What the functions here must know of an instance's elements. */
struct lend_vector_element {
	uint64_t bytes;
	uint64_t alignment;
	/* Take so many to uninitialised memory; those at from are dead then. NULL: memcpy does
	 * it. */
	void (*move)(void *to, void *from, uint64_t count);
};

/*
 * Called by the functions of an instance. Each returns 0, or the allocation's error (-ENOMEM,
 * -EDQUOT, -EPERM) and the vector is as it was.
 *
 * grow: make room for one more element at least, and in proportion to what there is.
 * append: count elements behind the last, copied or moved as an instance's append says.
 * reserve: make room for count elements in all.
 * shrink: give back the room beyond the elements.
 */
LEND_API int lend_vector_grow(struct lend_vector_shm *vector, struct lend_arena *arena,
	const struct lend_vector_element *element);
LEND_API int lend_vector_append(struct lend_vector_shm *vector, struct lend_arena *arena,
	const struct lend_vector_element *element, const void *elements, uint64_t count);
LEND_API int lend_vector_reserve(struct lend_vector_shm *vector, struct lend_arena *arena,
	const struct lend_vector_element *element, uint64_t count);
LEND_API int lend_vector_shrink(struct lend_vector_shm *vector, struct lend_arena *arena,
	const struct lend_vector_element *element);

/* Give back the block of a vector whose elements are finished; it is empty then. */
LEND_API void lend_vector_fini(struct lend_vector_shm *vector, struct lend_arena *arena,
	const struct lend_vector_element *element);

/*
 * Called by <instance>_check(): the counts, and with an arena (else NULL) that the elements lie
 * in its data; safe on any bytes. The elements themselves are the caller's to check, after.
 * Returns 0; -EUCLEAN with a sentence, -EXDEV the vector itself is not in the arena, -ESTALE.
 */
LEND_API int lend_vector_check(const struct lend_vector_shm *vector,
	const struct lend_arena *arena, const struct lend_vector_element *element);

/* Fold what this header lays down into a layout hash. */
static inline uint64_t lend_vector_layout_fold(uint64_t hash)
{
	hash = lend_layout_fold(hash, sizeof(struct lend_vector_shm));
	return lend_layout_fold(hash, offsetof(struct lend_vector_shm, count));
}

#ifdef __cplusplus
}
#endif

#endif /* LENDHEAP_VECTOR_H */

/*
 * An instance. Parameters, all undefined at the end:
 *	LEND_VECTOR                       its name
 *	LEND_VECTOR_TYPE                  the type of the elements
 *	LEND_VECTOR_MOVE(to, from)        takes an element to uninitialised memory; from is dead
 * then LEND_VECTOR_FINI(arena, element)  gives back what an element owns
 */
#ifdef LEND_VECTOR

#define LENDI_VECTOR(verb) LENDI_JOIN(LEND_VECTOR, verb)

struct LEND_VECTOR {
	struct lend_vector_shm shm;
};

#ifdef LEND_VECTOR_MOVE
/* In ascending order, so `to` may lie below `from` and overlap it. */
LENDI_INSTANCE void LENDI_VECTOR(lendi_move)(void *to, void *from, uint64_t count)
{
	LEND_VECTOR_TYPE *into = (LEND_VECTOR_TYPE *)to;
	LEND_VECTOR_TYPE *of = (LEND_VECTOR_TYPE *)from;
	uint64_t i;

	for (i = 0; i < count; i++)
		LEND_VECTOR_MOVE(&into[i], &of[i]);
}
#endif

LENDI_INSTANCE const struct lend_vector_element *LENDI_VECTOR(lendi_element)(void)
{
	static const struct lend_vector_element element = {
		sizeof(LEND_VECTOR_TYPE),
		LEND_ALIGNOF(LEND_VECTOR_TYPE),
#ifdef LEND_VECTOR_MOVE
		LENDI_VECTOR(lendi_move),
#else
		NULL,
#endif
	};

	return &element;
}

/* End count elements: FINI for each. */
LENDI_INSTANCE void LENDI_VECTOR(lendi_end)(
	struct lend_arena *arena, LEND_VECTOR_TYPE *element, uint64_t count)
{
#ifdef LEND_VECTOR_FINI
	uint64_t i;

	for (i = 0; i < count; i++)
		LEND_VECTOR_FINI(arena, &element[i]);
#else
	(void)arena;
	(void)element;
	(void)count;
#endif
}

/* Make memory that is not zeroed the empty vector. */
LENDI_INSTANCE void LENDI_VECTOR(init)(struct LEND_VECTOR *vector)
{
	memset((void *)vector, 0, sizeof(*vector));
}

LENDI_INSTANCE uint64_t LENDI_VECTOR(count)(const struct LEND_VECTOR *vector)
{
	return vector->shm.count;
}

/* How many elements fit before the next allocation. */
LENDI_INSTANCE uint64_t LENDI_VECTOR(capacity)(const struct LEND_VECTOR *vector)
{
	return vector->shm.capacity;
}

/* The elements, in a row. NULL before there is room for any. For loops: fetch it once. */
LENDI_INSTANCE LEND_VECTOR_TYPE *LENDI_VECTOR(data)(const struct LEND_VECTOR *vector)
{
	return (LEND_VECTOR_TYPE *)lend_ptr_get(&vector->shm.data);
}

/* The element at an index, which is below count. */
LENDI_INSTANCE LEND_VECTOR_TYPE *LENDI_VECTOR(at)(
	const struct LEND_VECTOR *vector, uint64_t index)
{
	assert(index < vector->shm.count);
	return (LEND_VECTOR_TYPE *)lend_ptr_get_raw(&vector->shm.data) + index;
}

/* The first and the last element; NULL when there is none. */
LENDI_INSTANCE LEND_VECTOR_TYPE *LENDI_VECTOR(first)(const struct LEND_VECTOR *vector)
{
	return vector->shm.count ? LENDI_VECTOR(at)(vector, 0) : NULL;
}

LENDI_INSTANCE LEND_VECTOR_TYPE *LENDI_VECTOR(last)(const struct LEND_VECTOR *vector)
{
	return vector->shm.count ? LENDI_VECTOR(at)(vector, vector->shm.count - 1) : NULL;
}

/* Room for count elements in all without a further allocation. 0 or a negative errno. */
LENDI_INSTANCE int LENDI_VECTOR(reserve)(
	struct LEND_VECTOR *vector, struct lend_arena *arena, uint64_t count)
{
	return lend_vector_reserve(&vector->shm, arena, LENDI_VECTOR(lendi_element)(), count);
}

/* Give back the room beyond the elements. 0 or a negative errno. */
LENDI_INSTANCE int LENDI_VECTOR(shrink)(struct LEND_VECTOR *vector, struct lend_arena *arena)
{
	return lend_vector_shrink(&vector->shm, arena, LENDI_VECTOR(lendi_element)());
}

/*
 * A new last element, of any bytes, to be filled by the caller. NULL, and errno says why: the
 * vector is as it was.
 */
LENDI_INSTANCE LEND_VECTOR_TYPE *LENDI_VECTOR(emplace)(
	struct LEND_VECTOR *vector, struct lend_arena *arena)
{
	if (LEND_UNLIKELY(vector->shm.count == vector->shm.capacity)) {
		int err = lend_vector_grow(&vector->shm, arena, LENDI_VECTOR(lendi_element)());

		if (err) {
			errno = -err;
			return NULL;
		}
	}
	return (LEND_VECTOR_TYPE *)lend_ptr_get_raw(&vector->shm.data) + vector->shm.count++;
}

/* A place for a new element before the index, at most count: as emplace. */
LENDI_INSTANCE LEND_VECTOR_TYPE *LENDI_VECTOR(emplace_at)(
	struct LEND_VECTOR *vector, struct lend_arena *arena, uint64_t index)
{
	LEND_VECTOR_TYPE *last = LENDI_VECTOR(emplace)(vector, arena);
	LEND_VECTOR_TYPE *at;

	if (!last)
		return NULL;
	at = LENDI_VECTOR(at)(vector, index);
#ifdef LEND_VECTOR_MOVE
	for (; last > at; last--)
		LEND_VECTOR_MOVE(last, last - 1);
#else
	memmove((void *)(at + 1), (const void *)at, (size_t)((char *)last - (char *)at));
#endif
	return at;
}

#ifndef LEND_VECTOR_MOVE
/* A copy of an element behind the last. 0, or a negative errno and the vector is as it was. */
LENDI_INSTANCE int LENDI_VECTOR(push_back)(
	struct LEND_VECTOR *vector, struct lend_arena *arena, LEND_VECTOR_TYPE element)
{
	uint64_t count = vector->shm.count;

	if (LEND_UNLIKELY(count == vector->shm.capacity)) {
		int err = lend_vector_grow(&vector->shm, arena, LENDI_VECTOR(lendi_element)());

		if (err)
			return err;
	}
	((LEND_VECTOR_TYPE *)lend_ptr_get_raw(&vector->shm.data))[count] = element;
	LENDI_STORE_ORDER(); /* filled before it counts */
	vector->shm.count = count + 1;
	return 0;
}

/*
 * Copies of count elements behind the last, with at most one allocation. They may be elements
 * of this vector. As above.
 */
LENDI_INSTANCE int LENDI_VECTOR(append)(struct LEND_VECTOR *vector, struct lend_arena *arena,
	const LEND_VECTOR_TYPE *elements, uint64_t count)
{
	return lend_vector_append(
		&vector->shm, arena, LENDI_VECTOR(lendi_element)(), elements, count);
}

/* A copy of an element before the index, at most count. As above. */
LENDI_INSTANCE int LENDI_VECTOR(insert_at)(struct LEND_VECTOR *vector, struct lend_arena *arena,
	uint64_t index, LEND_VECTOR_TYPE element)
{
	LEND_VECTOR_TYPE *at = LENDI_VECTOR(emplace_at)(vector, arena, index);

	if (!at)
		return -errno;
	*at = element;
	return 0;
}
#else
/* Move an element, not one of this vector, behind the last; it is dead then. As below. */
LENDI_INSTANCE int LENDI_VECTOR(push_back)(
	struct LEND_VECTOR *vector, struct lend_arena *arena, LEND_VECTOR_TYPE *element)
{
	LEND_VECTOR_TYPE *at = LENDI_VECTOR(emplace)(vector, arena);

	if (!at)
		return -errno;
	LEND_VECTOR_MOVE(at, element);
	return 0;
}

/* Move count of them, none of this vector, behind the last. As below. */
LENDI_INSTANCE int LENDI_VECTOR(append)(struct LEND_VECTOR *vector, struct lend_arena *arena,
	LEND_VECTOR_TYPE *elements, uint64_t count)
{
	return lend_vector_append(
		&vector->shm, arena, LENDI_VECTOR(lendi_element)(), elements, count);
}

/*
 * Move it before the index, at most count. 0, or a negative errno and both are as they were.
 */
LENDI_INSTANCE int LENDI_VECTOR(insert_at)(struct LEND_VECTOR *vector, struct lend_arena *arena,
	uint64_t index, LEND_VECTOR_TYPE *element)
{
	LEND_VECTOR_TYPE *at = LENDI_VECTOR(emplace_at)(vector, arena, index);

	if (!at)
		return -errno;
	LEND_VECTOR_MOVE(at, element);
	return 0;
}
#endif

/* End the last element; there is one. */
LENDI_INSTANCE void LENDI_VECTOR(pop_back)(struct LEND_VECTOR *vector, struct lend_arena *arena)
{
	LEND_VECTOR_TYPE *last = LENDI_VECTOR(at)(vector, vector->shm.count - 1);

	vector->shm.count--;
	LENDI_VECTOR(lendi_end)(arena, last, 1);
}

/* End the element at an index below count; those behind it move up by one. */
LENDI_INSTANCE void LENDI_VECTOR(erase_at)(
	struct LEND_VECTOR *vector, struct lend_arena *arena, uint64_t index)
{
	LEND_VECTOR_TYPE *at = LENDI_VECTOR(at)(vector, index);
	uint64_t behind = vector->shm.count - index - 1;

	LENDI_VECTOR(lendi_end)(arena, at, 1);
#ifdef LEND_VECTOR_MOVE
	LENDI_VECTOR(lendi_move)(at, at + 1, behind);
#else
	memmove((void *)at, (const void *)(at + 1), behind * sizeof(*at));
#endif
	vector->shm.count--;
}

/* End the element at an index below count; the last one takes its place. */
LENDI_INSTANCE void LENDI_VECTOR(erase_unordered)(
	struct LEND_VECTOR *vector, struct lend_arena *arena, uint64_t index)
{
	LEND_VECTOR_TYPE *at = LENDI_VECTOR(at)(vector, index);
	LEND_VECTOR_TYPE *last = LENDI_VECTOR(last)(vector);

	LENDI_VECTOR(lendi_end)(arena, at, 1);
	if (at != last) {
#ifdef LEND_VECTOR_MOVE
		LEND_VECTOR_MOVE(at, last);
#else
		*at = *last;
#endif
	}
	vector->shm.count--;
}

/*
 * Have count elements: end those beyond, or zero new ones. 0, or a negative errno, as it was.
 */
LENDI_INSTANCE int LENDI_VECTOR(resize)(
	struct LEND_VECTOR *vector, struct lend_arena *arena, uint64_t count)
{
	uint64_t old = vector->shm.count;
	LEND_VECTOR_TYPE *data;
	int err;

	if (count < old) {
		vector->shm.count = count;
		LENDI_VECTOR(lendi_end)(arena, LENDI_VECTOR(data)(vector) + count, old - count);
		return 0;
	}
	err = LENDI_VECTOR(reserve)(vector, arena, count);
	if (err || count == old)
		return err;
	data = LENDI_VECTOR(data)(vector);
	memset((void *)(data + old), 0, (count - old) * sizeof(*data));
	LENDI_STORE_ORDER(); /* as in push_back */
	vector->shm.count = count;
	return 0;
}

/* End all elements; the room stays. */
LENDI_INSTANCE void LENDI_VECTOR(clear)(struct LEND_VECTOR *vector, struct lend_arena *arena)
{
	uint64_t count = vector->shm.count;

	vector->shm.count = 0;
	LENDI_VECTOR(lendi_end)(arena, LENDI_VECTOR(data)(vector), count);
}

/* End all elements and give the room back: an empty vector. */
LENDI_INSTANCE void LENDI_VECTOR(fini)(struct LEND_VECTOR *vector, struct lend_arena *arena)
{
	LENDI_VECTOR(clear)(vector, arena);
	lend_vector_fini(&vector->shm, arena, LENDI_VECTOR(lendi_element)());
}

/*
 * Take the vector to uninitialised memory of the same arena. from is dead then: it is not
 * written, and not to be used before it is initialised again.
 */
LENDI_INSTANCE void LENDI_VECTOR(move)(struct LEND_VECTOR *to, const struct LEND_VECTOR *from)
{
	lend_ptr_copy(&to->shm.data, &from->shm.data);
	to->shm.count = from->shm.count;
	to->shm.capacity = from->shm.capacity;
}

LENDI_INSTANCE void LENDI_VECTOR(swap)(struct LEND_VECTOR *a, struct LEND_VECTOR *b)
{
	struct LEND_VECTOR between;

	LENDI_VECTOR(move)(&between, a);
	LENDI_VECTOR(move)(a, b);
	LENDI_VECTOR(move)(b, &between);
}

/* lend_vector_check() of it; arena may be NULL. */
LENDI_INSTANCE_COLD int LENDI_VECTOR(check)(
	const struct LEND_VECTOR *vector, const struct lend_arena *arena)
{
	return lend_vector_check(&vector->shm, arena, LENDI_VECTOR(lendi_element)());
}

#undef LENDI_VECTOR
#undef LEND_VECTOR
#undef LEND_VECTOR_TYPE
#undef LEND_VECTOR_MOVE
#undef LEND_VECTOR_FINI

#endif /* LEND_VECTOR */
