/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LENDHEAP_STRING_H
#define LENDHEAP_STRING_H

/*
 * A string of bytes that lies in an arena: 24 bytes, of which up to 22 hold the string itself.
 *
 *	struct town {
 *		struct lend_string_shm name;
 *		uint64_t people;
 *	};
 *	err = lend_string_set(&town->name, arena, lend_view_of("Bonn"));
 *	err = lend_string_append(&town->name, arena, lend_view_of(" am Rhein"));
 *	printf("%s\n", lend_string_data(&town->name));
 *	lend_string_fini(&town->name, arena);
 *
 * Any bytes may stand in it, NULs too; a NUL that does not count follows them. Zeroed memory is
 * the empty string. What a function is given to read is a lend_view: a place and a count of
 * bytes, of a string in an arena, of a C string, of any memory.
 *
 * The string holds in fixed and in relocated arenas. memcpy breaks it: lend_string_move() takes
 * it elsewhere, and is the MOVE callback of containers of strings (lendheap/vector.h).
 *
 * operation             time                    what lend_string_data() and views gave
 * view, data, bytes     O(1)                    valid until the next change
 * set, append           O(bytes); append        lost
 *                       amortized over many
 * replace, insert       O(string + bytes)       lost
 * erase                 O(bytes behind)         the place stays valid, its bytes change
 * reserve               O(string)               lost; then valid while it suffices
 * shrink                O(string)               lost
 * truncate, clear       O(1)                    the place stays valid, its bytes change
 * move                  O(1), at most 24 bytes  lost
 * fini                  O(1)                    lost
 *
 * Threads and processes. Any number may read at one time; who changes the string excludes all
 * others (readers R, changes X). Only the arena's owner changes it; readers write nothing.
 * Death. An owner killed in append, reserve or truncate leaves the bytes as before or as after;
 * one killed in set, replace, insert or erase, or in a change between the two forms, may leave
 * them torn. Place, capacity and count can be used in each case, and a NUL stands somewhere in
 * the memory behind.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <lendheap/alloc.h>
#include <lendheap/layout.h>
#include <lendheap/ptr.h>

#ifdef __cplusplus
extern "C" {
#endif

#define LEND_STRING_INLINE_BYTES_MAX 22u                 /* without an allocation */
#define LEND_STRING_BYTES_MAX        (UINT64_C(1) << 46) /* more than any arena has */

/*
 * Bytes to read that belong to someone else: a value, copied freely, alive as long as they are.
 * It holds an address, so it does not go into shared memory.
 */
typedef struct {
	const char *at; /* may be NULL when bytes is 0 */
	size_t bytes;
} lend_view;

static inline lend_view lend_view_make(const void *at, size_t bytes)
{
	lend_view view;

	view.at = (const char *)at;
	view.bytes = bytes;
	return view;
}

/* The bytes of a C string, without its NUL. */
static inline lend_view lend_view_of(const char *text)
{
	return lend_view_make(text, strlen(text));
}

static inline bool lend_view_equal(lend_view a, lend_view b)
{
	return a.bytes == b.bytes && (a.bytes == 0 || memcmp(a.at, b.at, a.bytes) == 0);
}

/* Below, at or above 0, as memcmp has it; of two with one beginning the shorter is less. */
static inline int lend_view_compare(lend_view a, lend_view b)
{
	size_t common = a.bytes < b.bytes ? a.bytes : b.bytes;
	int order = common ? memcmp(a.at, b.at, common) : 0;

	return order ? order : (a.bytes > b.bytes) - (a.bytes < b.bytes);
}

/*
 * The last byte tells the form. Below 128 it counts the bytes that lie in the string itself:
 *
 *	| 22 bytes and a NUL, in place of the fields              | count |
 *	| at                | count             | capacity        | 0x80  |
 *
 * else they lie in a block of capacity + 1 bytes elsewhere.
 */
struct lend_string_shm {
	LEND_PTR(char) at;
	uint64_t count;
	uint64_t form; /* inline: count << 56 and bytes; else LENDI_STRING_OUTSIDE | capacity */
};
LEND_SHM_SIZEOF(struct lend_string_shm, 24);
LEND_SHM_AT(struct lend_string_shm, count, 8);
LEND_SHM_AT(struct lend_string_shm, form, 16);
LEND_STATIC_ASSERT(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the last byte is the highest");

#define LENDI_STRING_OUTSIDE (UINT64_C(1) << 63)

/* Make memory the empty string, where no zeroing did. */
static inline void lend_string_init(struct lend_string_shm *string)
{
	memset((void *)string, 0, sizeof(*string));
}

/* Give back what the string holds; it is the empty string then. */
LEND_API void lend_string_fini(struct lend_string_shm *string, struct lend_arena *arena);

/*
 * Make the string these bytes, which may be a part of itself. A copy of another string is
 * lend_string_init(to), then lend_string_set(to, arena, lend_string_view(from)). Returns 0, or
 * the allocation's error (-ENOMEM, -EDQUOT, -EPERM) and the string is as it was.
 */
LEND_API int lend_string_set(
	struct lend_string_shm *string, struct lend_arena *arena, lend_view bytes);

/* Put these bytes behind the string's, a part of itself too. Returns as lend_string_set(). */
LEND_API int lend_string_append(
	struct lend_string_shm *string, struct lend_arena *arena, lend_view bytes);

/*
 * Put these bytes, which may be a part of the string, in place of count of its own from the place
 * `at` on, at most lend_string_bytes(); where there are fewer, of those. As above.
 */
LEND_API int lend_string_replace(struct lend_string_shm *string, struct lend_arena *arena,
	uint64_t at, uint64_t count, lend_view bytes);

/* Put them before the byte at a place, at most lend_string_bytes(). As above. */
static inline int lend_string_insert(
	struct lend_string_shm *string, struct lend_arena *arena, uint64_t at, lend_view bytes)
{
	return lend_string_replace(string, arena, at, 0, bytes);
}

/* Take out count bytes from a place on, or as many as there are; the room stays. */
LEND_API void lend_string_erase(struct lend_string_shm *string, uint64_t at, uint64_t count);

/* Make room, so that it holds up to this many bytes without a further allocation. As above. */
LEND_API int lend_string_reserve(
	struct lend_string_shm *string, struct lend_arena *arena, uint64_t bytes);

/* Give back the room beyond the string's bytes. As above. */
LEND_API int lend_string_shrink(struct lend_string_shm *string, struct lend_arena *arena);

/* Keep the first bytes of it, and its room; no change when it has not more than these. */
LEND_API void lend_string_truncate(struct lend_string_shm *string, uint64_t bytes);

static inline void lend_string_clear(struct lend_string_shm *string)
{
	lend_string_truncate(string, 0);
}

/*
 * Every invariant, in bounded time, safe on any bytes: the form, the counts, the NUL behind,
 * and with an arena (else NULL) that the block lies in its data, where alone it is looked at.
 * Returns 0; -EUCLEAN with a sentence, -EXDEV the string itself is not in the arena, -ESTALE.
 */
LEND_API int lend_string_check(
	const struct lend_string_shm *string, const struct lend_arena *arena);

static inline bool lend_string_is_inline(const struct lend_string_shm *string)
{
	return (string->form & LENDI_STRING_OUTSIDE) == 0;
}

static inline uint64_t lend_string_bytes(const struct lend_string_shm *string)
{
	return lend_string_is_inline(string) ? string->form >> 56 : string->count;
}

/* How many bytes fit before the next allocation. */
static inline uint64_t lend_string_capacity(const struct lend_string_shm *string)
{
	return lend_string_is_inline(string) ? LEND_STRING_INLINE_BYTES_MAX
					     : string->form & ~LENDI_STRING_OUTSIDE;
}

/* The bytes and the NUL behind them. An owner may write over those that count. */
static inline char *lend_string_data(const struct lend_string_shm *string)
{
	if (lend_string_is_inline(string))
		return (char *)(uintptr_t)string;
	return lend_ptr_get_raw(&string->at);
}

static inline lend_view lend_string_view(const struct lend_string_shm *string)
{
	return lend_view_make(lend_string_data(string), lend_string_bytes(string));
}

static inline bool lend_string_equal(
	const struct lend_string_shm *a, const struct lend_string_shm *b)
{
	return lend_view_equal(lend_string_view(a), lend_string_view(b));
}

static inline int lend_string_compare(
	const struct lend_string_shm *a, const struct lend_string_shm *b)
{
	return lend_view_compare(lend_string_view(a), lend_string_view(b));
}

/*
 * Take the string to uninitialised memory of the same arena. from is dead then: it is not
 * written, and not to be used before it is initialised again.
 */
static inline void lend_string_move(
	struct lend_string_shm *to, const struct lend_string_shm *from)
{
	memcpy((void *)to, (const void *)from, sizeof(*to));
	if (!lend_string_is_inline(from))
		lend_ptr_copy(&to->at, &from->at);
}

/* Fold what this header lays down into a layout hash. */
static inline uint64_t lend_string_layout_fold(uint64_t hash)
{
	hash = lend_layout_fold(hash, sizeof(struct lend_string_shm));
	return lend_layout_fold(hash, LEND_STRING_INLINE_BYTES_MAX);
}

#ifdef __cplusplus
}
#endif

#endif /* LENDHEAP_STRING_H */
