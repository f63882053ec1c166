/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LENDHEAP_HASH_H
#define LENDHEAP_HASH_H

/*
 * A hash table whose links lie in the elements. The caller gives the array of buckets, and
 * larger ones at any time, so nothing is allocated.
 *
 *	struct user {
 *		struct lend_hash_hook_shm hook;
 *		uint64_t id;
 *	};
 *	#define LEND_HASH                 user_table	struct user_table, user_table_...()
 *	#define LEND_HASH_TYPE            struct user
 *	#define LEND_HASH_HOOK            hook
 *	#define LEND_HASH_KEY             uint64_t
 *	#define LEND_HASH_KEY_OF(element) ((element)->id)
 *	#define LEND_HASH_OF(key)         lend_hash_u64(key, 0)
 *	#define LEND_HASH_EQUAL(a, b)     ((a) == (b))
 *	#include <lendheap/hash.h>
 *
 *	if (user_table_is_full(users))
 *		(void)user_table_grow(users, arena);	or rehash into buckets of your own
 *	err = user_table_insert(users, user);
 *
 * The lowest bits of the hash are the index of the bucket, so it has to be mixed well, as those
 * of lendheap/hashing.h are. Hooks keep it: a longer array needs no hashing, and keys are
 * compared only where all 64 bits are equal. An element is in at most one table per hook.
 * Table, buckets and elements lie in one arena, or together in any memory; they hold where it
 * is relocated. None may be copied or moved while linked, and keys may not change. Zeroed
 * memory is an empty table without buckets, and a zeroed hook is not linked.
 *
 * operation                          cost                   readers and other writers meanwhile
 * is_empty is_full is_linked count   O(1)                   R
 * bucket_count buckets               O(1)                   R
 * find                               O(1 + load)            R
 * first next                         O(1 + empty buckets)   R, in no order
 * check                              O(n + buckets)         R
 * insert erase                       O(1 + load)            X
 * init                               O(1)                   X
 * rehash grow                        O(n + buckets)         X
 *
 * load: elements per bucket. R: any number of readers, in any process; nothing is written. X:
 * nobody else is in the table. Pointers to elements stay valid whatever happens to others;
 * next() goes on after an insert, an erase of others, but not after rehash and grow. Death of a
 * writer: insert and erase leave the chains as before or as after, and the count may be off by
 * one; within rehash, elements can be missing. _check() tells.
 */
#include <errno.h>

#include <lendheap/alloc.h>
#include <lendheap/compiler.h>
#include <lendheap/instance.h>
#include <lendheap/layout.h>
#include <lendheap/link.h>

#ifdef __cplusplus
extern "C" {
#endif

struct lend_hash_hook_shm {
	uint64_t next; /* a link (lendheap/link.h) and a mark; zero when not linked */
	uint64_t hash;
};
LEND_SHM_SIZEOF(struct lend_hash_hook_shm, 16);
LEND_SHM_AT(struct lend_hash_hook_shm, next, 0);
LEND_SHM_AT(struct lend_hash_hook_shm, hash, 8);

#define LENDI_HASH_LINKED UINT64_C(1) /* in next */

struct lend_hash_bucket_shm {
	uint64_t first; /* a link; zero is none */
};
LEND_SHM_SIZEOF(struct lend_hash_bucket_shm, 8);

struct lend_hash_shm {
	LEND_PTR(struct lend_hash_bucket_shm) buckets;
	uint64_t bucket_count; /* a power of two, or 0 */
	uint64_t count;
};
LEND_SHM_SIZEOF(struct lend_hash_shm, 24);
LEND_SHM_AT(struct lend_hash_shm, bucket_count, 8);
LEND_SHM_AT(struct lend_hash_shm, count, 16);

/*
 * What instances call; any writer of the table, and nobody else meanwhile.
 *
 * lend_hash_rehash(): as <instance>_rehash() says. lend_hash_grow(): as <instance>_grow() says.
 */
LEND_API int lend_hash_rehash(struct lend_hash_shm *table, struct lend_hash_bucket_shm *buckets,
	uint64_t bucket_count);
LEND_API int lend_hash_grow(struct lend_hash_shm *table, struct lend_arena *arena);

/*
 * Called by <instance>_check(): walk every chain, compare each hash with its bucket and with
 * what hash_of(element) says, and count. With an arena, buckets and elements must lie whole in
 * its data, and so the walk is safe and bounded whatever the bytes are; NULL trusts the links
 * to lead to memory. What pointers in the elements lead to is the affair of hash_of. Returns 0;
 * -EUCLEAN with a sentence, -EXDEV the table itself is not in the arena, -ESTALE.
 */
LEND_API int lend_hash_check(const struct lend_hash_shm *table, size_t hook_offset,
	size_t element_bytes, uint64_t (*hash_of)(const void *element),
	const struct lend_arena *arena);

static inline struct lend_hash_bucket_shm *lendi_hash_bucket(
	const struct lend_hash_shm *table, uint64_t hash)
{
	return lend_ptr_get_raw(&table->buckets) + (hash & (table->bucket_count - 1));
}

static inline struct lend_hash_hook_shm *lendi_hash_first(
	const struct lend_hash_bucket_shm *bucket)
{
	return (struct lend_hash_hook_shm *)lendi_link_get(bucket, bucket->first);
}

static inline struct lend_hash_hook_shm *lendi_hash_next(const struct lend_hash_hook_shm *hook)
{
	return (struct lend_hash_hook_shm *)lendi_link_get(
		hook, hook->next & ~LENDI_LINK_MARKS);
}

/* The mark that a hook is linked is made with its link. */
static inline void lendi_hash_set_next(
	struct lend_hash_hook_shm *hook, const struct lend_hash_hook_shm *next)
{
	hook->next = (next ? lendi_link_to(hook, next) : 0) | LENDI_HASH_LINKED;
}

static inline void lendi_hash_set_first(
	struct lend_hash_bucket_shm *bucket, const struct lend_hash_hook_shm *hook)
{
	bucket->first = hook ? lendi_link_to(bucket, hook) : 0;
}

/* The first hook in a bucket from that of index on; NULL: all are empty. */
static inline struct lend_hash_hook_shm *lendi_hash_from(
	const struct lend_hash_shm *table, uint64_t index)
{
	struct lend_hash_hook_shm *hook = NULL;

	for (; !hook && index < table->bucket_count; index++)
		hook = lendi_hash_first(lend_ptr_get_raw(&table->buckets) + index);
	return hook;
}

static inline void lendi_hash_insert(
	struct lend_hash_shm *table, struct lend_hash_hook_shm *hook, uint64_t hash)
{
	struct lend_hash_bucket_shm *bucket = lendi_hash_bucket(table, hash);

	hook->hash = hash;
	lendi_hash_set_next(hook, lendi_hash_first(bucket));
	LENDI_STORE_ORDER();
	lendi_hash_set_first(bucket, hook);
	table->count++;
}

static inline void lendi_hash_erase(
	struct lend_hash_shm *table, struct lend_hash_hook_shm *hook)
{
	struct lend_hash_bucket_shm *bucket = lendi_hash_bucket(table, hook->hash);
	struct lend_hash_hook_shm *at = lendi_hash_first(bucket);
	struct lend_hash_hook_shm *after = lendi_hash_next(hook);

	if (at == hook) {
		lendi_hash_set_first(bucket, after);
	} else {
		while (lendi_hash_next(at) != hook)
			at = lendi_hash_next(at);
		lendi_hash_set_next(at, after);
	}
	LENDI_STORE_ORDER();
	hook->next = 0;
	table->count--;
}

#ifdef __cplusplus
}
#endif

#endif /* LENDHEAP_HASH_H */

/*
 * An instance. Parameters, all undefined at the end:
 *	LEND_HASH                   its name
 *	LEND_HASH_TYPE              the type of the elements
 *	LEND_HASH_HOOK              the field of it that is the hook
 *	LEND_HASH_KEY               what is looked up by: a value, or a pointer to const
 *	LEND_HASH_KEY_OF(element)   the key of a pointer to a const element
 *	LEND_HASH_OF(key)           the 64-bit hash of a key
 *	LEND_HASH_EQUAL(a, b)       non-zero when two keys are equal
 */
#ifdef LEND_HASH

#define LENDI_HASH(verb)            LENDI_JOIN(LEND_HASH, verb)
#define LENDI_HASH_OFFSET           offsetof(LEND_HASH_TYPE, LEND_HASH_HOOK)
#define LENDI_HASH_HOOK_OF(element) (&(element)->LEND_HASH_HOOK)

struct LEND_HASH {
	struct lend_hash_shm shm;
};

/* Make any memory an empty table without buckets. What was there is forgotten. */
LENDI_INSTANCE void LENDI_HASH(init)(struct LEND_HASH *table)
{
	lend_ptr_set(&table->shm.buckets, NULL);
	table->shm.bucket_count = 0;
	table->shm.count = 0;
}

LENDI_INSTANCE uint64_t LENDI_HASH(count)(const struct LEND_HASH *table)
{
	return table->shm.count;
}

LENDI_INSTANCE int LENDI_HASH(is_empty)(const struct LEND_HASH *table)
{
	return table->shm.count == 0;
}

/* 1 when there are as many elements as buckets, or no buckets: time for more of them. */
LENDI_INSTANCE int LENDI_HASH(is_full)(const struct LEND_HASH *table)
{
	return table->shm.count >= table->shm.bucket_count;
}

LENDI_INSTANCE uint64_t LENDI_HASH(bucket_count)(const struct LEND_HASH *table)
{
	return table->shm.bucket_count;
}

/* The array of buckets: the caller's to give back after a rehash into another. May be NULL. */
LENDI_INSTANCE struct lend_hash_bucket_shm *LENDI_HASH(buckets)(const struct LEND_HASH *table)
{
	return lend_ptr_get(&table->shm.buckets);
}

/* 1 when the element is in a table by this hook. Its memory was zeroed before its first use. */
LENDI_INSTANCE int LENDI_HASH(is_linked)(const LEND_HASH_TYPE *element)
{
	return LENDI_HASH_HOOK_OF(element)->next != 0;
}

/* The element of a hook; NULL of NULL. */
LENDI_INSTANCE LEND_HASH_TYPE *LENDI_HASH(lendi_at)(const struct lend_hash_hook_shm *hook)
{
	return (LEND_HASH_TYPE *)lendi_link_element_or_null(hook, LENDI_HASH_OFFSET);
}

LENDI_INSTANCE uint64_t LENDI_HASH(lendi_hash_of)(const void *element)
{
	return LEND_HASH_OF(LEND_HASH_KEY_OF((const LEND_HASH_TYPE *)element));
}

LENDI_INSTANCE LEND_HASH_TYPE *LENDI_HASH(lendi_find)(
	const struct LEND_HASH *table, LEND_HASH_KEY key, uint64_t hash)
{
	const struct lend_hash_hook_shm *hook;
	LEND_HASH_TYPE *element;

	if (table->shm.bucket_count == 0)
		return NULL;
	hook = lendi_hash_first(lendi_hash_bucket(&table->shm, hash));
	for (; hook; hook = lendi_hash_next(hook)) {
		element = LENDI_HASH(lendi_at)(hook);
		if (hook->hash == hash && LEND_HASH_EQUAL(key, LEND_HASH_KEY_OF(element)))
			return element;
	}
	return NULL;
}

/* The element of a key; NULL when there is none. */
LENDI_INSTANCE LEND_HASH_TYPE *LENDI_HASH(find)(
	const struct LEND_HASH *table, LEND_HASH_KEY key)
{
	return LENDI_HASH(lendi_find)(table, key, LEND_HASH_OF(key));
}

/* Each element once, in no order; NULL at the end. */
LENDI_INSTANCE LEND_HASH_TYPE *LENDI_HASH(first)(const struct LEND_HASH *table)
{
	return LENDI_HASH(lendi_at)(lendi_hash_from(&table->shm, 0));
}

LENDI_INSTANCE LEND_HASH_TYPE *LENDI_HASH(next)(
	const struct LEND_HASH *table, const LEND_HASH_TYPE *element)
{
	const struct lend_hash_hook_shm *hook = LENDI_HASH_HOOK_OF(element);
	const struct lend_hash_hook_shm *next = lendi_hash_next(hook);

	if (!next)
		next = lendi_hash_from(
			&table->shm, (hook->hash & (table->shm.bucket_count - 1)) + 1);
	return LENDI_HASH(lendi_at)(next);
}

/*
 * Link an element that is in no table; its hook may hold anything. Returns 0; -EEXIST its key
 * is there, -ENOSPC the table has no buckets; then nothing changed.
 */
LENDI_INSTANCE int LENDI_HASH(insert)(struct LEND_HASH *table, LEND_HASH_TYPE *element)
{
	uint64_t hash = LENDI_HASH(lendi_hash_of)(element);

	if (table->shm.bucket_count == 0)
		return -ENOSPC;
	if (LENDI_HASH(lendi_find)(table, LEND_HASH_KEY_OF(element), hash))
		return -EEXIST;
	lendi_hash_insert(&table->shm, LENDI_HASH_HOOK_OF(element), hash);
	return 0;
}

/* Unlink an element of this table. It is the caller's again. */
LENDI_INSTANCE void LENDI_HASH(erase)(struct LEND_HASH *table, LEND_HASH_TYPE *element)
{
	lendi_hash_erase(&table->shm, LENDI_HASH_HOOK_OF(element));
}

/*
 * Go over to another array of bucket_count buckets, a power of two; what they hold does not
 * matter. It is the table's until the next one; the one before is the caller's again (ask
 * _buckets() for it first). Returns 0; -EINVAL not a power of two, and nothing changed.
 */
LENDI_INSTANCE int LENDI_HASH(rehash)(
	struct LEND_HASH *table, struct lend_hash_bucket_shm *buckets, uint64_t bucket_count)
{
	return lend_hash_rehash(&table->shm, buckets, bucket_count);
}

/*
 * Rehash into twice the buckets, or the first 16, of the arena the table lies in, and free the
 * ones before: for a table whose buckets all come from here. Returns 0; -ENOMEM, -EDQUOT,
 * -EPERM, -ESTALE as lend_alloc(), and the table is as it was, and can be used on.
 */
LENDI_INSTANCE_COLD int LENDI_HASH(grow)(struct LEND_HASH *table, struct lend_arena *arena)
{
	return lend_hash_grow(&table->shm, arena);
}

/* Free the buckets that _grow() made; the table is then empty, its elements are forgotten. */
LENDI_INSTANCE_COLD void LENDI_HASH(fini)(struct LEND_HASH *table, struct lend_arena *arena)
{
	lend_free_sized(arena, lend_ptr_get(&table->shm.buckets),
		(size_t)table->shm.bucket_count * sizeof(struct lend_hash_bucket_shm));
	LENDI_HASH(init)(table);
}

/* lend_hash_check() of it; arena may be NULL. */
LENDI_INSTANCE_COLD int LENDI_HASH(check)(
	const struct LEND_HASH *table, const struct lend_arena *arena)
{
	return lend_hash_check(&table->shm, LENDI_HASH_OFFSET, sizeof(LEND_HASH_TYPE),
		LENDI_HASH(lendi_hash_of), arena);
}

#undef LENDI_HASH
#undef LENDI_HASH_OFFSET
#undef LENDI_HASH_HOOK_OF
#undef LEND_HASH
#undef LEND_HASH_TYPE
#undef LEND_HASH_HOOK
#undef LEND_HASH_KEY
#undef LEND_HASH_KEY_OF
#undef LEND_HASH_OF
#undef LEND_HASH_EQUAL

#endif /* LEND_HASH */
