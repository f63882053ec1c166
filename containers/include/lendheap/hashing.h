/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LENDHEAP_HASHING_H
#define LENDHEAP_HASHING_H

/*
 * Hash functions for tables that several processes read.
 *
 *	uint64_t h = lend_hash_u64(node->id, 0);
 *	h = lend_hash_combine(h, lend_hash_string(node->name, 0));
 *
 * The same input and seed give the same hash in every process, build, compiler and version of
 * the library: the hashes are part of what lies in shared memory, and a test pins them. All 64
 * bits are mixed alike, so a table may take its index from either end of them.
 *
 * The seed only makes one table differ from another. These are not cryptographic: who chooses
 * the keys and knows the seed can make them collide.
 *
 * How. Two words are multiplied to 128 bits and the halves are xored; strings take two such
 * steps up to 16 bytes, and one more for each further 16. Source: Wang Yi, wyhash; the reads of
 * short strings and most constants are those of Nicolas De Carli, rapidhash. The hashes are our
 * own.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <lendheap/compiler.h>
#include <lendheap/layout.h>

#ifdef __cplusplus
extern "C" {
#endif

/* rapidhash's: odd, four bits set in each byte, and 32 bits between any two of them. */
#define LENDI_HASH_A UINT64_C(0x2d358dccaa6c78a5)
#define LENDI_HASH_B UINT64_C(0x8bb84b93962eacc9)
#define LENDI_HASH_C UINT64_C(0x4b33a62ed433d4a3)
/* CityHash's multiplier. */
#define LENDI_HASH_D UINT64_C(0x9ddfea08eb382d69)

LEND_STATIC_ASSERT(
	__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the hashes are of this byte order");

/* The product's low half; the high one to *out_high. */
static inline uint64_t lendi_hash_multiply(uint64_t a, uint64_t b, uint64_t *out_high)
{
#if defined(__x86_64__) && !defined(__clang__)
	/* GCC 12 takes the two halves of a wide product through the stack. */
	__asm__("mul %2" : "+a"(a), "=d"(*out_high) : "r"(b) : "cc");
	return a;
#else
	__extension__ unsigned __int128 product = (unsigned __int128)a * b;

	*out_high = (uint64_t)(product >> 64);
	return (uint64_t)product;
#endif
}

static inline uint64_t lendi_hash_fold(uint64_t a, uint64_t b)
{
	uint64_t high;
	uint64_t low = lendi_hash_multiply(a, b, &high);

	return low ^ high;
}

static inline uint64_t lendi_hash_read64(const unsigned char *bytes)
{
	uint64_t word;

	memcpy(&word, bytes, sizeof(word));
	return word;
}

static inline uint32_t lendi_hash_read32(const unsigned char *bytes)
{
	uint32_t word;

	memcpy(&word, bytes, sizeof(word));
	return word;
}

/* The last two steps: the last words, what went before them, and the length. */
static inline uint64_t lendi_hash_finish(uint64_t a, uint64_t b, uint64_t state, size_t bytes)
{
	uint64_t high;
	uint64_t low = lendi_hash_multiply(a ^ LENDI_HASH_B, b ^ state, &high);

	return lendi_hash_fold(low ^ LENDI_HASH_A, high ^ LENDI_HASH_B ^ bytes);
}

/* More than 16 bytes: three lanes of 16 while there are 48, one after; the last 16 overlap. */
LEND_NOINLINE __attribute__((unused)) static uint64_t lendi_hash_long(
	const unsigned char *at, size_t bytes, uint64_t state)
{
	const unsigned char *end = at + bytes;
	uint64_t second = state;
	uint64_t third = state;

	while (end - at > 48) {
		state = lendi_hash_fold(lendi_hash_read64(at) ^ LENDI_HASH_A,
			lendi_hash_read64(at + 8) ^ state);
		second = lendi_hash_fold(lendi_hash_read64(at + 16) ^ LENDI_HASH_B,
			lendi_hash_read64(at + 24) ^ second);
		third = lendi_hash_fold(lendi_hash_read64(at + 32) ^ LENDI_HASH_C,
			lendi_hash_read64(at + 40) ^ third);
		at += 48;
	}
	if (bytes > 48)
		state ^= second ^ third;
	for (; end - at > 16; at += 16)
		state = lendi_hash_fold(lendi_hash_read64(at) ^ LENDI_HASH_C,
			lendi_hash_read64(at + 8) ^ state);
	return lendi_hash_finish(
		lendi_hash_read64(end - 16), lendi_hash_read64(end - 8), state, bytes);
}

/*
 * A number. With a constant for the second factor, as others have it, evenly spaced keys fall in
 * heaps for about one distance in ten; with the number itself, rotated, for one in two hundred, and
 * it takes no longer. Seed and addend are one sum, which the compiler makes ahead of a loop. The
 * rotation is the best of 32 tried. tests/unit/test_hashing.c says what a heap is.
 */
static inline uint64_t lend_hash_u64(uint64_t number, uint64_t seed)
{
	return lendi_hash_fold(
		number ^ LENDI_HASH_A, (number << 44 | number >> 20) + (seed + LENDI_HASH_D));
}

/* The bytes at pointer, and none beyond them. NULL is allowed for 0 bytes; they have a hash. */
static inline uint64_t lend_hash_bytes(const void *pointer, size_t bytes, uint64_t seed)
{
	const unsigned char *at = (const unsigned char *)pointer;
	uint64_t state = seed ^ LENDI_HASH_A;
	uint64_t a = 0;
	uint64_t b = 0;

	if (LEND_UNLIKELY(bytes > 16))
		return lendi_hash_long(at, bytes, state);
	if (bytes >= 8) {
		a = lendi_hash_read64(at);
		b = lendi_hash_read64(at + bytes - 8);
	} else if (bytes >= 4) {
		a = lendi_hash_read32(at);
		b = lendi_hash_read32(at + bytes - 4);
	} else if (bytes > 0) {
		a = (uint64_t)at[0] << 45 | at[bytes - 1];
		b = at[bytes / 2];
	}
	return lendi_hash_finish(a, b, state, bytes);
}

/* A string without its end: the hash of its bytes. */
static inline uint64_t lend_hash_string(const char *string, uint64_t seed)
{
	return lend_hash_bytes(string, strlen(string), seed);
}

/*
 * One hash of two, for keys of several fields: combine(hash, with), where `with` is a hash or a
 * number. The order matters.
 */
static inline uint64_t lend_hash_combine(uint64_t hash, uint64_t with)
{
	return lendi_hash_fold(hash ^ LENDI_HASH_A, with ^ LENDI_HASH_B);
}

#ifdef __cplusplus
}
#endif

#endif /* LENDHEAP_HASHING_H */
