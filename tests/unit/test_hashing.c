/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hashes of shared tables: what they are, for ever, and that they spread. The golden values
 * come from the recipe written down a second time, in Python with its long integers.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <lendheap/hashing.h>

#include "support/suite.h"

#define OTHER_SEED      (UINT64_MAX - 41)
#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static void hash_of_bytes_is_what_it_always_was(void)
{
	static const struct {
		size_t bytes;
		uint64_t plain;
		uint64_t seeded;
	} golden[] = {
		{0, UINT64_C(0xfa303abc2b1d7630), UINT64_C(0xab539d2f93b8ce4d)},
		{1, UINT64_C(0x3c05a3185ce024e0), UINT64_C(0x04856a2fb1a400c4)},
		{2, UINT64_C(0x93abf22720dc9935), UINT64_C(0x03e4d89220c3407d)},
		{3, UINT64_C(0xdf2967fe8161dcfc), UINT64_C(0x246f599ce3a883f9)},
		{4, UINT64_C(0x9fdf0f02e4219a11), UINT64_C(0x526ca4be39a20afc)},
		{7, UINT64_C(0x99a1cc6143d6dc9a), UINT64_C(0xe7e9db65b57bdec7)},
		{8, UINT64_C(0x16e92d5dc933b020), UINT64_C(0x87ece0a11910b98e)},
		{9, UINT64_C(0x2b4f7a1993ac058f), UINT64_C(0xef48823501dbb0cc)},
		{15, UINT64_C(0x7ee8ea7ab74a05c0), UINT64_C(0x852925409e288d42)},
		{16, UINT64_C(0x8f336f07459733d3), UINT64_C(0x17adfd474d43c939)},
		{17, UINT64_C(0x55eed89fffecd5eb), UINT64_C(0xc4fc37afd461c180)},
		{32, UINT64_C(0xaf0ea627934d75bd), UINT64_C(0x930c8d8058f834ef)},
		{33, UINT64_C(0x82678d17f0b1932a), UINT64_C(0xa60deeaccb8c391b)},
		{48, UINT64_C(0xb4f3d20f7c6fbb7c), UINT64_C(0x951baed0e50c8f36)},
		{49, UINT64_C(0xc0a7a4bb59f364a5), UINT64_C(0x30da79c97e67d00d)},
		{64, UINT64_C(0xe0ce09ace99e8a30), UINT64_C(0xcaea09f642fb02c3)},
		{96, UINT64_C(0xf2fae8eba3468140), UINT64_C(0xe27b0e42fe84c240)},
		{97, UINT64_C(0x8901c3d8b675255d), UINT64_C(0xe27e3c73bbf05893)},
		{200, UINT64_C(0x3c981838e0318576), UINT64_C(0x7aef88d2601f04f1)},
		{256, UINT64_C(0x2dfd36ab8c349f83), UINT64_C(0xd708ce0101c60400)},
	};
	unsigned char text[256];
	size_t i;

	for (i = 0; i < sizeof(text); i++)
		text[i] = (unsigned char)(i * 7 + 1);
	for (i = 0; i < COUNT_OF(golden); i++) {
		CU_ASSERT_EQUAL(lend_hash_bytes(text, golden[i].bytes, 0), golden[i].plain);
		CU_ASSERT_EQUAL(
			lend_hash_bytes(text, golden[i].bytes, OTHER_SEED), golden[i].seeded);
	}
	CU_ASSERT_EQUAL(lend_hash_bytes(NULL, 0, 0), golden[0].plain);
}

static void hash_of_a_number_is_what_it_always_was(void)
{
	static const struct {
		uint64_t number;
		uint64_t plain;
		uint64_t seeded;
	} golden[] = {
		{0, UINT64_C(0x8761f679426aed20), UINT64_C(0xa3e2e5fe8b30d37b)},
		{1, UINT64_C(0xddcb8fbb0eef1377), UINT64_C(0xfa4cb8c2d92a8f7f)},
		{2, UINT64_C(0x7cb42002eb60f1a3), UINT64_C(0x993953b8b05b2bce)},
		{UINT64_MAX, UINT64_C(0x732b882db6fe5549), UINT64_C(0x56ac9ba3f9341214)},
		{UINT64_C(1) << 63, UINT64_C(0xea94e1d760617138), UINT64_C(0x7119f250a93b675c)},
		{UINT64_C(0x120000000000), UINT64_C(0x4e10de9bc32272c6),
			UINT64_C(0x6f39cb1d9a785f85)},
	};
	size_t i;

	for (i = 0; i < COUNT_OF(golden); i++) {
		CU_ASSERT_EQUAL(lend_hash_u64(golden[i].number, 0), golden[i].plain);
		CU_ASSERT_EQUAL(lend_hash_u64(golden[i].number, 12345), golden[i].seeded);
	}
}

static void hash_of_a_string_is_that_of_its_bytes(void)
{
	CU_ASSERT_EQUAL(lend_hash_string("Bonn", 0), UINT64_C(0x073c7c0eae6fca00));
	CU_ASSERT_EQUAL(lend_hash_string("Bonn", 3), lend_hash_bytes("Bonn", 4, 3));
	CU_ASSERT_EQUAL(lend_hash_string("", 0), lend_hash_bytes(NULL, 0, 0));
}

static void hash_combine_knows_the_order(void)
{
	CU_ASSERT_EQUAL(lend_hash_combine(0, 0), UINT64_C(0xca813bf4c7abf0a9));
	CU_ASSERT_EQUAL(lend_hash_combine(1, 2), UINT64_C(0xb84cebf106fdbf28));
	CU_ASSERT_EQUAL(lend_hash_combine(2, 1), UINT64_C(0xa4c432ae41a4135d));
}

/* The input ends where the next page is forbidden, and begins where the one before is. */
static void hash_of_bytes_reads_none_beyond_them(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	unsigned char *memory =
		mmap(NULL, 3 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned char *middle = memory + page;
	unsigned char copy[300];
	size_t bytes;

	CU_ASSERT_FATAL((void *)memory != MAP_FAILED);
	CU_ASSERT_EQUAL_FATAL(mprotect(middle, page, PROT_READ | PROT_WRITE), 0);
	memset(middle, 0x5a, page);
	memset(copy, 0x5a, sizeof(copy));
	for (bytes = 0; bytes <= sizeof(copy); bytes++) {
		CU_ASSERT_EQUAL(lend_hash_bytes(middle + page - bytes, bytes, 0),
			lend_hash_bytes(copy, bytes, 0));
		CU_ASSERT_EQUAL(
			lend_hash_bytes(middle, bytes, 0), lend_hash_bytes(copy, bytes, 0));
	}
	munmap(memory, 3 * page);
}

static void hash_of_bytes_sees_every_bit_the_length_and_the_seed(void)
{
	unsigned char text[130] = {0};
	uint64_t hash;
	size_t bytes;
	size_t bit;

	for (bytes = 1; bytes <= sizeof(text); bytes++) {
		hash = lend_hash_bytes(text, bytes, 0);
		CU_ASSERT_NOT_EQUAL(hash, lend_hash_bytes(text, bytes - 1, 0));
		CU_ASSERT_NOT_EQUAL(hash, lend_hash_bytes(text, bytes, 1));
		for (bit = 0; bit < 8 * bytes; bit++) {
			text[bit / 8] ^= (unsigned char)(1u << bit % 8);
			CU_ASSERT_NOT_EQUAL(hash, lend_hash_bytes(text, bytes, 0));
			text[bit / 8] ^= (unsigned char)(1u << bit % 8);
		}
	}
}

/*
 * Chi squared over the buckets, divided by what it is on average for a random function: 1. A
 * value below is more even than random. 2^16 hashes. Nothing is drawn: the bounds hold or not.
 */
enum { SPREAD_KEYS = 1 << 16, SPREAD_BUCKETS_MAX = 1 << 12 };

static double spread(const uint64_t *hashes, unsigned shift, unsigned bits)
{
	static uint32_t counts[SPREAD_BUCKETS_MAX];
	double wanted = (double)SPREAD_KEYS / (double)(1u << bits);
	double sum = 0;
	uint32_t i;

	memset(counts, 0, sizeof(counts));
	for (i = 0; i < SPREAD_KEYS; i++)
		counts[hashes[i] >> shift & ((1u << bits) - 1)]++;
	for (i = 0; i < 1u << bits; i++)
		sum += ((double)counts[i] - wanted) * ((double)counts[i] - wanted) / wanted;
	return sum / (double)((1u << bits) - 1);
}

/* At the worst of the places tables take bits from: tags at either end, indexes beside them. */
static double spread_worst(const uint64_t *hashes)
{
	static const unsigned places[][2] = {
		{0, 7}, {4, 12}, {7, 12}, {20, 12}, {32, 12}, {52, 12}, {56, 8}, {57, 7}};
	double worst = 0;
	double here;
	size_t i;

	for (i = 0; i < COUNT_OF(places); i++) {
		here = spread(hashes, places[i][0], places[i][1]);
		worst = here > worst ? here : worst;
	}
	return worst;
}

static int spreads(const uint64_t *hashes, const char *what, double bound)
{
	double worst = spread_worst(hashes);

	if (worst >= bound)
		printf("\n    %s: %.2f", what, worst);
	return worst < bound;
}

static void hash_of_a_number_spreads_keys_of_any_stride(void)
{
	static uint64_t hashes[SPREAD_KEYS];
	char what[32];
	unsigned shift;
	uint64_t i;

	for (shift = 0; shift <= 48; shift += 4) {
		for (i = 0; i < SPREAD_KEYS; i++)
			hashes[i] = lend_hash_u64(i << shift, 0);
		snprintf(what, sizeof(what), "numbers << %u", shift);
		CU_ASSERT_TRUE(spreads(hashes, what, 4));
	}
	for (i = 0; i < SPREAD_KEYS; i++)
		hashes[i] = lend_hash_u64(UINT64_C(0x120000000000) + i * 48, 0);
	CU_ASSERT_TRUE(spreads(hashes, "objects of an arena", 4));
	for (i = 0; i < SPREAD_KEYS; i++)
		hashes[i] = lend_hash_u64((i >> 8) << 32 | (i & 255), 0);
	CU_ASSERT_TRUE(spreads(hashes, "pairs", 4));
	for (i = 0; i < SPREAD_KEYS; i++)
		hashes[i] = lend_hash_u64(7, i);
	CU_ASSERT_TRUE(spreads(hashes, "seeds", 4));
}

/* Keys fall in heaps where the spread is 4 or more. A constant factor is refused here. */
static void hash_of_a_number_spreads_keys_of_nearly_any_distance(void)
{
	enum { DISTANCES = 200 };
	static uint64_t hashes[SPREAD_KEYS];
	unsigned heaps = 0;
	unsigned d;
	uint64_t i;

	for (d = 0; d < DISTANCES; d++) {
		uint64_t distance = (uint64_t)(5 * d + 1) << 7 * d % 36;
		uint64_t seed = d % 2 ? OTHER_SEED * d : 0;

		for (i = 0; i < SPREAD_KEYS; i++)
			hashes[i] = lend_hash_u64(i * distance, seed);
		heaps += spread_worst(hashes) >= 4;
	}
	CU_ASSERT_TRUE(heaps <= DISTANCES / 50);
}

static void hash_of_a_string_spreads_what_differs_little(void)
{
	static uint64_t hashes[SPREAD_KEYS];
	char text[64];
	char what[32];
	unsigned last;
	uint32_t i;

	for (last = 1; last < sizeof(text); last += last / 2 + 1) {
		memset(text, 'a', sizeof(text));
		for (i = 0; i < SPREAD_KEYS; i++) {
			text[0] = (char)(i & 255);
			text[last] = (char)(i >> 8);
			hashes[i] = lend_hash_bytes(text, last + 1, 0);
		}
		snprintf(what, sizeof(what), "%u bytes", last + 1);
		CU_ASSERT_TRUE(spreads(hashes, what, 1.6));
	}
	for (i = 0; i < SPREAD_KEYS; i++) {
		snprintf(text, sizeof(text), "user-%u", i);
		hashes[i] = lend_hash_string(text, 0);
	}
	CU_ASSERT_TRUE(spreads(hashes, "numbered names", 1.6));
}

static void hash_combine_spreads_a_grid(void)
{
	static uint64_t hashes[SPREAD_KEYS];
	uint64_t i;

	for (i = 0; i < SPREAD_KEYS; i++)
		hashes[i] = lend_hash_combine(i >> 8, i & 255);
	CU_ASSERT_TRUE(spreads(hashes, "grid", 1.6));
}

static const struct suite_test tests[] = {
	SUITE_TEST(hash_of_bytes_is_what_it_always_was),
	SUITE_TEST(hash_of_a_number_is_what_it_always_was),
	SUITE_TEST(hash_of_a_string_is_that_of_its_bytes),
	SUITE_TEST(hash_combine_knows_the_order),
	SUITE_TEST(hash_of_bytes_reads_none_beyond_them),
	SUITE_TEST(hash_of_bytes_sees_every_bit_the_length_and_the_seed),
	SUITE_TEST(hash_of_a_number_spreads_keys_of_any_stride),
	SUITE_TEST(hash_of_a_number_spreads_keys_of_nearly_any_distance),
	SUITE_TEST(hash_of_a_string_spreads_what_differs_little),
	SUITE_TEST(hash_combine_spreads_a_grid),
};
SUITE_MAIN("hashing", tests)
