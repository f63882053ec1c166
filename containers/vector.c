/* SPDX-License-Identifier: Apache-2.0 */
#include <lendheap/vector.h>

#include "base/error.h"
#include "containers/block.h"
#include "containers/reach.h"

/* What there is first: growing from one element up costs as many blocks as it has doublings. */
enum { FIRST_BYTES = 64 };

/*
 * A block is asked for with capacity * element->bytes, so that its size is known when it is
 * freed. Of a size of the heap some bytes may remain at the end.
 */
static uint64_t block_bytes(
	const struct lend_vector_shm *vector, const struct lend_vector_element *element)
{
	return vector->capacity * element->bytes;
}

/* New elements are there before the words that name them; lendheap/instance.h says what for. */
static void set_block(struct lend_vector_shm *vector, void *block, uint64_t capacity)
{
	LENDI_STORE_ORDER();
	lend_ptr_set(&vector->data, block);
	LENDI_STORE_ORDER();
	vector->capacity = capacity;
}

/* Take the elements to a block for this many, at least count and not 0. */
static int set_capacity(struct lend_vector_shm *vector, struct lend_arena *arena,
	const struct lend_vector_element *element, uint64_t capacity)
{
	uint64_t old_bytes = block_bytes(vector, element);
	uint64_t bytes = capacity * element->bytes;
	void *old = lend_ptr_get(&vector->data);
	void *block;

	if (!element->move && lendi_block_in_place(old_bytes, bytes, element->alignment)) {
		block = lend_realloc(arena, old, bytes);
		if (!block)
			return -errno;
		set_block(vector, block, capacity);
		return 0;
	}

	block = lendi_block_alloc(arena, bytes, element->alignment);
	if (!block)
		return -errno;
	if (element->move)
		element->move(block, old, vector->count);
	else if (old)
		memcpy(block, old, vector->count * element->bytes);
	set_block(vector, block, capacity);
	if (old)
		lendi_block_free(arena, old, old_bytes, element->alignment);
	return 0;
}

static int fail_count(uint64_t count, const struct lend_vector_element *element)
{
	return lendi_fail(-ENOMEM, "a vector of %llu elements of %llu bytes",
		(unsigned long long)count, (unsigned long long)element->bytes);
}

/* Room for count elements, more than there is, and in proportion to what there is. */
static int grow_to(struct lend_vector_shm *vector, struct lend_arena *arena,
	const struct lend_vector_element *element, uint64_t count)
{
	uint64_t needed;

	if (count > LENDI_BLOCK_BYTES_MAX / 2 / element->bytes)
		return fail_count(count, element);
	needed = count * element->bytes;
	if (needed < FIRST_BYTES)
		needed = FIRST_BYTES;
	return set_capacity(vector, arena, element,
		lendi_block_grown(block_bytes(vector, element), needed) / element->bytes);
}

int lend_vector_grow(struct lend_vector_shm *vector, struct lend_arena *arena,
	const struct lend_vector_element *element)
{
	return grow_to(vector, arena, element, vector->capacity + 1);
}

int lend_vector_append(struct lend_vector_shm *vector, struct lend_arena *arena,
	const struct lend_vector_element *element, const void *elements, uint64_t count)
{
	uint64_t old_count = vector->count;
	uint64_t old_bytes = old_count * element->bytes;
	char *data = (char *)lend_ptr_get(&vector->data);
	/* Where among its elements these lie, if they do; else this is beyond their end. */
	uint64_t own = (uintptr_t)elements - (uintptr_t)data;
	int err;

	if (!count)
		return 0;
	if (count > vector->capacity - old_count) {
		if (count > LENDI_BLOCK_BYTES_MAX)
			return fail_count(count, element);
		err = grow_to(vector, arena, element, old_count + count);
		if (err)
			return err;
		data = (char *)lend_ptr_get(&vector->data);
		if (own < old_bytes)
			elements = data + own;
	}

	if (element->move)
		element->move(data + old_bytes, (void *)(uintptr_t)elements, count);
	else
		memcpy(data + old_bytes, elements, count * element->bytes);
	LENDI_STORE_ORDER(); /* filled before they count */
	vector->count = old_count + count;
	return 0;
}

int lend_vector_reserve(struct lend_vector_shm *vector, struct lend_arena *arena,
	const struct lend_vector_element *element, uint64_t count)
{
	if (count <= vector->capacity)
		return 0;
	if (count > LENDI_BLOCK_BYTES_MAX / element->bytes)
		return fail_count(count, element);
	return set_capacity(vector, arena, element,
		lendi_block_bytes(count * element->bytes) / element->bytes);
}

int lend_vector_shrink(struct lend_vector_shm *vector, struct lend_arena *arena,
	const struct lend_vector_element *element)
{
	uint64_t capacity;

	if (vector->count == 0) {
		lend_vector_fini(vector, arena, element);
		return 0;
	}
	capacity = lendi_block_bytes(vector->count * element->bytes) / element->bytes;
	return capacity < vector->capacity ? set_capacity(vector, arena, element, capacity) : 0;
}

void lend_vector_fini(struct lend_vector_shm *vector, struct lend_arena *arena,
	const struct lend_vector_element *element)
{
	uint64_t bytes = block_bytes(vector, element);
	void *block = lend_ptr_get(&vector->data);

	vector->count = 0;
	LENDI_STORE_ORDER();
	vector->capacity = 0;
	lend_ptr_set(&vector->data, NULL);
	LENDI_STORE_ORDER();
	if (block)
		lendi_block_free(arena, block, bytes, element->alignment);
}

/* Each word is read once: who scribbled may still do so. */
int lend_vector_check(const struct lend_vector_shm *vector, const struct lend_arena *arena,
	const struct lend_vector_element *element)
{
	struct lendi_reach reach;
	uint64_t capacity;
	uint64_t count;
	const void *data;
	int err;

	err = lendi_reach_init(&reach, arena, "vector", vector, sizeof(*vector));
	if (err)
		return err;
	capacity = __atomic_load_n(&vector->capacity, __ATOMIC_RELAXED);
	count = __atomic_load_n(&vector->count, __ATOMIC_RELAXED);
	data = lend_ptr_get(&vector->data);
	if (count > capacity || capacity > LENDI_BLOCK_BYTES_MAX / element->bytes)
		return lendi_fail(-EUCLEAN,
			"vector at %p: count %llu, capacity %llu of %llu bytes each",
			(const void *)vector, (unsigned long long)count,
			(unsigned long long)capacity, (unsigned long long)element->bytes);
	/* A death may leave a block that has no capacity yet, or no more. */
	if (!capacity)
		return 0;
	if (!data)
		return lendi_fail(-EUCLEAN, "vector at %p: capacity %llu, but no elements",
			(const void *)vector, (unsigned long long)capacity);
	return lendi_reach_check(
		&reach, "vector", vector, data, capacity * element->bytes, element->alignment);
}
