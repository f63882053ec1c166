/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LENDHEAP_LAYOUT_H
#define LENDHEAP_LAYOUT_H

/*
 * What every type that lies in shared memory is made of.
 *
 * Such a type ends in _shm and holds fixed-width integers, shared words, offsets and arrays of
 * those: no raw pointer, size_t, long, bool, enum, bit-field, function pointer or FD number. Its
 * size and the places of its fields are pinned below its definition with the macros here, so
 * that a change of compiler or of a field cannot change the layout in silence.
 *
 * A word that two processes touch is a lend_word32 or lend_word64 and is read and written
 * through the accessors only: a plain x.raw = 1 would compile to an access the peer may see torn
 * or late. A release names its pair in a comment above it, and so does each acquire.
 */
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#define LEND_STATIC_ASSERT(condition, text) static_assert(condition, text)
#define LEND_ALIGNOF(type)                  alignof(type)
#else
#define LEND_STATIC_ASSERT(condition, text) _Static_assert(condition, text)
#define LEND_ALIGNOF(type)                  _Alignof(type)
#endif

/* Pin the size of a type that lies in shared memory, and the place of a field. */
#define LEND_SHM_SIZEOF(type, size)                                                            \
	LEND_STATIC_ASSERT(sizeof(type) == (size), #type " changed size")
#define LEND_SHM_AT(type, field, at)                                                           \
	LEND_STATIC_ASSERT(offsetof(type, field) == (at), #type "." #field " moved")

typedef struct {
	uint32_t raw;
} lend_word32;

typedef struct {
	uint64_t raw;
} lend_word64;

static inline uint32_t lend_load_acquire32(const lend_word32 *w)
{
	return __atomic_load_n(&w->raw, __ATOMIC_ACQUIRE);
}

static inline uint32_t lend_load_relaxed32(const lend_word32 *w)
{
	return __atomic_load_n(&w->raw, __ATOMIC_RELAXED);
}

static inline void lend_store_release32(lend_word32 *w, uint32_t v)
{
	__atomic_store_n(&w->raw, v, __ATOMIC_RELEASE);
}

static inline void lend_store_relaxed32(lend_word32 *w, uint32_t v)
{
	__atomic_store_n(&w->raw, v, __ATOMIC_RELAXED);
}

static inline uint64_t lend_load_acquire64(const lend_word64 *w)
{
	return __atomic_load_n(&w->raw, __ATOMIC_ACQUIRE);
}

static inline uint64_t lend_load_relaxed64(const lend_word64 *w)
{
	return __atomic_load_n(&w->raw, __ATOMIC_RELAXED);
}

static inline void lend_store_release64(lend_word64 *w, uint64_t v)
{
	__atomic_store_n(&w->raw, v, __ATOMIC_RELEASE);
}

static inline void lend_store_relaxed64(lend_word64 *w, uint64_t v)
{
	__atomic_store_n(&w->raw, v, __ATOMIC_RELAXED);
}

/*
 * Fold one more number into a layout hash (64-bit FNV-1a over its eight bytes). A floor folds the
 * sizes and offsets of its shared types into a constant; two processes compare the constants
 * before either trusts what the other wrote. Source: Fowler, Noll, Vo, RFC 9923.
 */
#define LEND_LAYOUT_SEED UINT64_C(0xcbf29ce484222325)

static inline uint64_t lend_layout_fold(uint64_t hash, uint64_t number)
{
	int i;

	for (i = 0; i < 8; i++) {
		hash ^= (number >> (8 * i)) & 0xff;
		hash *= UINT64_C(0x100000001b3);
	}
	return hash;
}

#endif /* LENDHEAP_LAYOUT_H */
