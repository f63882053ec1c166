/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <errno.h>

#include <lendheap/instance.h>
#include <lendheap/string.h>

#include "base/error.h"
#include "containers/block.h"
#include "containers/reach.h"

enum { FORM_BYTE = 23 }; /* the highest byte of form */

static int fail_bytes(uint64_t bytes)
{
	return lendi_fail(-ENOMEM, "a string of %llu bytes", (unsigned long long)bytes);
}

/* Bytes of the block outside: a NUL more than it may hold. */
static uint64_t block_bytes(const struct lend_string_shm *string)
{
	return lend_string_capacity(string) + 1;
}

/* The count and then the NUL behind: the bytes that count are right at each moment. */
static void set_count(struct lend_string_shm *string, uint64_t bytes)
{
	/* Inline bytes share the word of the count, so the last byte alone is stored. */
	if (lend_string_is_inline(string))
		((unsigned char *)string)[FORM_BYTE] = (unsigned char)bytes;
	else
		string->count = bytes;
	LENDI_STORE_ORDER();
	lend_string_data(string)[bytes] = 0;
}

/*
 * End the string with these bytes, for which there is room. They may be a part of it. At each
 * moment a NUL stands behind, so that no reader of a C string runs on: that of the old end, or
 * of the new one where it is further, and then the bytes are no part of what it overwrites.
 */
static void put_bytes(struct lend_string_shm *string, uint64_t at, lend_view bytes)
{
	char *data = lend_string_data(string);
	uint64_t end = at + bytes.bytes;

	if (end > lend_string_bytes(string))
		data[end] = 0;
	LENDI_STORE_ORDER();
	if (bytes.bytes)
		memmove(data + at, bytes.at, bytes.bytes);
	LENDI_STORE_ORDER();
	set_count(string, end);
}

/* The same in place of `gone` bytes, and those behind stay behind. */
static void splice_bytes(
	struct lend_string_shm *string, uint64_t at, uint64_t gone, lend_view bytes)
{
	char *data = lend_string_data(string);
	uint64_t count = lend_string_bytes(string);
	uint64_t behind = count - at - gone;
	uint64_t end = at + bytes.bytes + behind;
	/* Where in the string the bytes lie, if they do; else this is beyond its end. */
	uint64_t own = (uintptr_t)bytes.at - (uintptr_t)data;
	/* How many of them what is behind does not take along when it moves up. */
	uint64_t still = bytes.bytes;

	if (end > count) {
		data[end] = 0;
		LENDI_STORE_ORDER();
		memmove(data + at + bytes.bytes, data + at + gone, behind);
		if (own < count && own + still > at + gone)
			still = own < at + gone ? at + gone - own : 0;
	}
	if (still)
		memmove(data + at, bytes.at, still);
	if (still < bytes.bytes)
		memcpy(data + at + still, bytes.at + still + (end - count),
			bytes.bytes - still);
	if (end < count)
		memmove(data + at + bytes.bytes, data + at + gone, behind);
	LENDI_STORE_ORDER();
	set_count(string, end);
}

/*
 * Point at a block which holds all that counts. Of the inline form first its bytes go, then the
 * last byte says that they did; until then it is an inline string with other bytes in it.
 */
static void set_block(
	struct lend_string_shm *string, char *block, uint64_t count, uint64_t bytes)
{
	LENDI_STORE_ORDER();
	lend_ptr_set(&string->at, block);
	LENDI_STORE_ORDER();
	string->count = count;
	LENDI_STORE_ORDER();
	string->form = LENDI_STRING_OUTSIDE | (bytes - 1);
}

/* A new block with all the bytes that count takes the place of what there was. */
static void change_block(struct lend_string_shm *string, struct lend_arena *arena, char *block,
	uint64_t count, uint64_t bytes)
{
	uint64_t old_bytes = block_bytes(string);
	char *old = lend_string_is_inline(string) ? NULL : lend_string_data(string);

	set_block(string, block, count, bytes);
	if (old)
		lendi_block_free(arena, old, old_bytes, 1);
}

/* Take the bytes to a block of this many, enough for them. */
static int move_outside(
	struct lend_string_shm *string, struct lend_arena *arena, uint64_t bytes)
{
	uint64_t count = lend_string_bytes(string);
	char *data = lend_string_data(string);
	char *block;

	if (!lend_string_is_inline(string) &&
		lendi_block_in_place(block_bytes(string), bytes, 1)) {
		block = (char *)lend_realloc(arena, data, bytes);
		if (!block)
			return -errno;
		set_block(string, block, count, bytes);
		return 0;
	}

	block = (char *)lendi_block_alloc(arena, bytes, 1);
	if (!block)
		return -errno;
	memcpy(block, data, count + 1);
	change_block(string, arena, block, count, bytes);
	return 0;
}

/*
 * The last byte first: a block's words are read as bytes then, never bytes as a block's words.
 */
static void move_inline(struct lend_string_shm *string, struct lend_arena *arena)
{
	struct lend_string_shm small;
	uint64_t old_bytes = block_bytes(string);
	char *old = lend_string_data(string);

	lend_string_init(&small);
	memcpy((void *)&small, old, string->count);
	((unsigned char *)&small)[FORM_BYTE] = (unsigned char)string->count;
	string->form = small.form;
	LENDI_STORE_ORDER();
	memcpy((void *)string, (const void *)&small, sizeof(small));
	lendi_block_free(arena, old, old_bytes, 1);
}

void lend_string_fini(struct lend_string_shm *string, struct lend_arena *arena)
{
	uint64_t bytes = block_bytes(string);
	char *block = lend_string_is_inline(string) ? NULL : lend_string_data(string);

	string->form = 0;
	LENDI_STORE_ORDER();
	lend_string_init(string);
	if (block)
		lendi_block_free(arena, block, bytes, 1);
}

int lend_string_set(struct lend_string_shm *string, struct lend_arena *arena, lend_view bytes)
{
	/* What does not fit is no part of it, so nothing of the string need be kept. */
	if (bytes.bytes > lend_string_capacity(string)) {
		uint64_t new_bytes;
		char *block;

		if (bytes.bytes > LEND_STRING_BYTES_MAX)
			return fail_bytes(bytes.bytes);
		new_bytes = lendi_block_bytes(bytes.bytes + 1);
		block = (char *)lendi_block_alloc(arena, new_bytes, 1);
		if (!block)
			return -errno;
		memcpy(block, bytes.at, bytes.bytes);
		block[bytes.bytes] = 0;
		change_block(string, arena, block, bytes.bytes, new_bytes);
		return 0;
	}

	put_bytes(string, 0, bytes);
	return 0;
}

int lend_string_append(
	struct lend_string_shm *string, struct lend_arena *arena, lend_view bytes)
{
	uint64_t count = lend_string_bytes(string);
	uint64_t needed;
	/* Where in the string the bytes lie, if they do; else this is beyond its end. */
	uint64_t own = (uintptr_t)bytes.at - (uintptr_t)lend_string_data(string);
	int err;

	if (!bytes.bytes)
		return 0;
	if (bytes.bytes > LEND_STRING_BYTES_MAX - count)
		return fail_bytes(bytes.bytes);
	needed = count + bytes.bytes;
	if (needed > lend_string_capacity(string)) {
		err = move_outside(
			string, arena, lendi_block_grown(block_bytes(string), needed + 1));
		if (err)
			return err;
		if (own < count)
			bytes.at = lend_string_data(string) + own;
	}

	put_bytes(string, count, bytes);
	return 0;
}

int lend_string_replace(struct lend_string_shm *string, struct lend_arena *arena, uint64_t at,
	uint64_t count, lend_view bytes)
{
	const char *data = lend_string_data(string);
	uint64_t behind = lend_string_bytes(string) - at;
	uint64_t new_bytes;
	uint64_t end;
	char *block;

	assert(at <= lend_string_bytes(string));
	if (count > behind)
		count = behind;
	behind -= count;
	if (bytes.bytes > LEND_STRING_BYTES_MAX - (at + behind))
		return fail_bytes(bytes.bytes);
	end = at + bytes.bytes + behind;
	if (end <= lend_string_capacity(string)) {
		splice_bytes(string, at, count, bytes);
		return 0;
	}

	/* The old bytes, of which the new ones may be a part, are read until the block changes. */
	new_bytes = lendi_block_grown(block_bytes(string), end + 1);
	block = (char *)lendi_block_alloc(arena, new_bytes, 1);
	if (!block)
		return -errno;
	memcpy(block, data, at);
	memcpy(block + at, bytes.at, bytes.bytes);
	memcpy(block + at + bytes.bytes, data + at + count, behind + 1);
	change_block(string, arena, block, end, new_bytes);
	return 0;
}

void lend_string_erase(struct lend_string_shm *string, uint64_t at, uint64_t count)
{
	uint64_t behind = lend_string_bytes(string) - at;

	assert(at <= lend_string_bytes(string));
	splice_bytes(string, at, count < behind ? count : behind, lend_view_make(NULL, 0));
}

int lend_string_reserve(
	struct lend_string_shm *string, struct lend_arena *arena, uint64_t bytes)
{
	if (bytes <= lend_string_capacity(string))
		return 0;
	if (bytes > LEND_STRING_BYTES_MAX)
		return fail_bytes(bytes);
	return move_outside(string, arena, lendi_block_bytes(bytes + 1));
}

int lend_string_shrink(struct lend_string_shm *string, struct lend_arena *arena)
{
	uint64_t bytes;

	if (lend_string_is_inline(string))
		return 0;
	if (string->count <= LEND_STRING_INLINE_BYTES_MAX) {
		move_inline(string, arena);
		return 0;
	}
	bytes = lendi_block_bytes(string->count + 1);
	return bytes < block_bytes(string) ? move_outside(string, arena, bytes) : 0;
}

void lend_string_truncate(struct lend_string_shm *string, uint64_t bytes)
{
	if (bytes < lend_string_bytes(string))
		set_count(string, bytes);
}

/* Each word is read once: who scribbled may still do so. */
int lend_string_check(const struct lend_string_shm *string, const struct lend_arena *arena)
{
	struct lendi_reach reach;
	uint64_t capacity;
	uint64_t count;
	uint64_t form;
	const char *block;
	bool outside;
	int err;

	err = lendi_reach_own(arena, "string", string, sizeof(*string));
	if (err)
		return err;
	form = __atomic_load_n(&string->form, __ATOMIC_RELAXED);
	count = __atomic_load_n(&string->count, __ATOMIC_RELAXED);
	block = lend_ptr_get(&string->at);
	capacity = form & ~LENDI_STRING_OUTSIDE;
	outside = form & LENDI_STRING_OUTSIDE;
	if (!outside) {
		capacity = LEND_STRING_INLINE_BYTES_MAX;
		count = form >> 56;
		block = (const char *)string;
	}
	if (count > capacity || capacity >= LENDI_BLOCK_BYTES_MAX)
		return lendi_fail(-EUCLEAN, "string at %p: count %llu, capacity %llu",
			(const void *)string, (unsigned long long)count,
			(unsigned long long)capacity);
	if (outside) {
		if (!arena)
			return 0;
		err = lendi_reach_init(&reach, arena, "string", string, sizeof(*string));
		if (!err)
			err = lendi_reach_check(
				&reach, "string", string, block, capacity + 1, 1);
		if (err)
			return err;
	}
	if (block[count])
		return lendi_fail(-EUCLEAN, "string at %p: no NUL behind its %llu bytes",
			(const void *)string, (unsigned long long)count);
	return 0;
}
