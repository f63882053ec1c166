/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The check of a hash table on bytes that another process scribbled: it neither crashes nor
 * hangs, and what it finds sound can be walked. The input is that of scribble.h.
 */
#include <lendheap/hash.h>
#include <lendheap/hashing.h>

#include "fuzz/scribble.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

struct element {
	uint64_t key;
	struct lend_hash_hook_shm hook;
};

#define LEND_HASH                 elements
#define LEND_HASH_TYPE            struct element
#define LEND_HASH_HOOK            hook
#define LEND_HASH_KEY             uint64_t
#define LEND_HASH_KEY_OF(element) ((element)->key)
#define LEND_HASH_OF(key)         lend_hash_u64(key, 0)
#define LEND_HASH_EQUAL(a, b)     ((a) == (b))
#include <lendheap/hash.h>

enum { ELEMENTS = 60 };

struct held {
	struct elements in;
	struct element elements[ELEMENTS];
	struct lend_hash_bucket_shm buckets[32];
};

static struct scribble scribble;

static struct held *make_held(void)
{
	struct held *held = scribble_init(&scribble, sizeof(*held));
	uint64_t i;

	CHECK(elements_rehash(&held->in, held->buckets, 32) == 0);
	for (i = 0; i < ELEMENTS; i++) {
		held->elements[i].key = i * 37 % ELEMENTS;
		CHECK(elements_insert(&held->in, &held->elements[i]) == 0);
	}
	CHECK(elements_check(&held->in, scribble.arena) == 0);
	scribble_keep(&scribble);
	return held;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	static struct held *held;
	struct elements outside;
	const struct element *element;
	uint64_t count = 0;
	int err;

	if (!held)
		held = make_held();
	scribble_run(&scribble, data, bytes);
	err = elements_check(&held->in, scribble.arena);
	CHECK(err == 0 || (err == -EUCLEAN && lend_error_detail()[0]));
	memcpy((void *)&outside, (const void *)&held->in, sizeof(outside));
	CHECK(elements_check(&outside, scribble.arena) == -EXDEV);
	if (err)
		return 0;
	for (element = elements_first(&held->in); element;
		element = elements_next(&held->in, element))
		count++;
	CHECK(count == elements_count(&held->in));
	return 0;
}
