/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include <lendheap/hash.h>

#include "base/error.h"
#include "containers/reach.h"

enum { BUCKETS_FIRST = 16 };

static bool is_power_of_two(uint64_t number)
{
	return number != 0 && (number & (number - 1)) == 0;
}

int lend_hash_rehash(struct lend_hash_shm *table, struct lend_hash_bucket_shm *buckets,
	uint64_t bucket_count)
{
	struct lend_hash_bucket_shm *old = lend_ptr_get(&table->buckets);
	uint64_t old_count = table->bucket_count;
	struct lend_hash_hook_shm *hook;
	struct lend_hash_hook_shm *next;
	struct lend_hash_bucket_shm *bucket;
	uint64_t i;

	if (!is_power_of_two(bucket_count))
		return lendi_fail(
			-EINVAL, "%" PRIu64 " buckets: not a power of two", bucket_count);

	memset(buckets, 0, (size_t)bucket_count * sizeof(*buckets));
	lend_ptr_set(&table->buckets, buckets);
	table->bucket_count = bucket_count;
	for (i = 0; i < old_count; i++) {
		for (hook = lendi_hash_first(&old[i]); hook; hook = next) {
			next = lendi_hash_next(hook);
			bucket = lendi_hash_bucket(table, hook->hash);
			lendi_hash_set_next(hook, lendi_hash_first(bucket));
			lendi_hash_set_first(bucket, hook);
		}
	}
	return 0;
}

int lend_hash_grow(struct lend_hash_shm *table, struct lend_arena *arena)
{
	struct lend_hash_bucket_shm *old = lend_ptr_get(&table->buckets);
	uint64_t old_count = table->bucket_count;
	uint64_t count = old_count ? 2 * old_count : BUCKETS_FIRST;
	struct lend_hash_bucket_shm *buckets;

	/* No arena holds the half of 2^64 bytes, so neither product overflows. */
	buckets = lend_alloc(arena, (size_t)count * sizeof(*buckets));
	if (!buckets)
		return -errno;

	(void)lend_hash_rehash(table, buckets, count);
	lend_free_sized(arena, old, (size_t)old_count * sizeof(*old));
	return 0;
}

struct walk {
	const struct lend_hash_shm *table;
	struct lendi_reach reach;
	size_t hook_offset;
	size_t element_bytes;
	size_t element_alignment;
	uint64_t (*hash_of)(const void *element);
	uint64_t mask;
	uint64_t seen;
	uint64_t count;
};

static int walk_fail(
	const struct walk *walk, uint64_t index, const void *hook, const char *what)
{
	return lendi_fail(-EUCLEAN, "hash table at %p: bucket %" PRIu64 ", hook %p: %s",
		(const void *)walk->table, index, hook, what);
}

/* One chain; each word of it is read once. A ring in it ends where the count does. */
static int walk_chain(
	struct walk *walk, const struct lend_hash_bucket_shm *bucket, uint64_t index)
{
	const struct lend_hash_hook_shm *hook = lendi_hash_first(bucket);
	struct lend_hash_hook_shm words;

	for (; hook; hook = lendi_link_get(hook, words.next & ~LENDI_LINK_MARKS)) {
		if (!lendi_reach_element(&walk->reach, (uintptr_t)hook, walk->hook_offset,
			    walk->element_bytes, walk->element_alignment))
			return walk_fail(
				walk, index, hook, "outside the arena, or not aligned");
		if (walk->seen == walk->count)
			return walk_fail(walk, index, hook, "more elements than counted");
		words = *hook;
		if ((words.next & LENDI_LINK_MARKS) != LENDI_HASH_LINKED)
			return walk_fail(walk, index, hook, "not marked as linked");
		if ((words.hash & walk->mask) != index)
			return walk_fail(walk, index, hook, "in the wrong bucket");
		if (words.hash != walk->hash_of(lendi_link_element(hook, walk->hook_offset)))
			return walk_fail(walk, index, hook, "not the hash of its key");
		walk->seen++;
	}
	return 0;
}

static int walk_buckets(
	struct walk *walk, const struct lend_hash_bucket_shm *buckets, uint64_t bucket_count)
{
	uint64_t i;
	int err;

	if (!buckets || !is_power_of_two(bucket_count) ||
		bucket_count > walk->reach.bytes / sizeof(*buckets) ||
		!lendi_reach_holds(
			&walk->reach, (uintptr_t)buckets, bucket_count * sizeof(*buckets), 8))
		return lendi_fail(-EUCLEAN,
			"hash table at %p: %" PRIu64 " buckets at %p, outside the arena",
			(const void *)walk->table, bucket_count, (const void *)buckets);

	walk->mask = bucket_count - 1;
	for (i = 0; i < bucket_count; i++) {
		err = walk_chain(walk, &buckets[i], i);
		if (err)
			return err;
	}
	return 0;
}

int lend_hash_check(const struct lend_hash_shm *table, size_t hook_offset, size_t element_bytes,
	size_t element_alignment, uint64_t (*hash_of)(const void *element),
	const struct lend_arena *arena)
{
	struct walk walk = {.table = table,
		.hook_offset = hook_offset,
		.element_bytes = element_bytes,
		.element_alignment = element_alignment,
		.hash_of = hash_of};
	int err;

	err = lendi_reach_init(&walk.reach, arena, "hash table", table, sizeof(*table));
	if (err)
		return err;

	walk.count = table->count;
	if (walk.count > lendi_reach_count(&walk.reach))
		return lendi_fail(-EUCLEAN, "hash table at %p: %" PRIu64 " elements counted",
			(const void *)table, walk.count);
	if (table->bucket_count || !lend_ptr_is_null(&table->buckets))
		err = walk_buckets(&walk, lend_ptr_get(&table->buckets), table->bucket_count);
	if (!err && walk.seen != walk.count)
		return lendi_fail(-EUCLEAN,
			"hash table at %p: %" PRIu64 " elements, %" PRIu64 " counted",
			(const void *)table, walk.seen, walk.count);
	return err;
}
