/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LENDHEAP_MAP_H
#define LENDHEAP_MAP_H

/*
 * A hash map, or set, that owns its entries: open addressing, probed with SIMD.
 *
 *	#define LEND_MAP       word_map
 *	#define LEND_MAP_KEY   uint64_t
 *	#define LEND_MAP_VALUE struct word	left out: a set
 *	#include <lendheap/map.h>
 *
 *	struct word_map *words = lend_alloc_zeroed(arena, sizeof *words);	an empty map
 *	struct word_map_entry *e;
 *
 *	if (word_map_put(words, arena, 42, &e) == 1)	1: made, with a zeroed value
 *		e->value.length = 7;
 *	e = word_map_find(words, 42);			NULL when absent
 *
 *	struct word_map_iterator at;
 *	for (e = word_map_first(words, &at); e; e = word_map_next(&at))
 *		visit(e->key, &e->value);
 *
 * Parameters. Each include makes one instance and forgets its parameters. Beside the three
 * above, all of them optional:
 *
 *	LEND_MAP_HASH(sought, seed)	a hash mixed in all 64 bits; default lend_hash_u64
 *	LEND_MAP_EQUAL(sought, other)	default ==
 *	LEND_MAP_SOUGHT			what one looks up with; default the key's type
 *	LEND_MAP_AS_SOUGHT(key)		a stored key, an lvalue, as that
 *	LEND_MAP_KEY_INIT(arena, key, sought)
 *					make *key; 0, or a negative errno and nothing is made
 *	LEND_MAP_KEY_FINI(arena, key)	give back what *key owns
 *	LEND_MAP_KEY_CHECK(key, arena)	0 when *key is safe to read, else -EUCLEAN
 *	LEND_MAP_VALUE_FINI(arena, value)
 *	LEND_MAP_KEY_MOVE(to, from), LEND_MAP_VALUE_MOVE(to, from)
 *					relocate *from to uninitialised *to: for what holds
 *					self-relative pointers, which memcpy breaks
 *	LEND_MAP_STRING_KEYS		all of this for keys that are strings: the key is a
 *					struct lend_string_shm (lendheap/string.h) and is
 *					sought as a lend_view
 *
 * | operation                    | cost     | pointers to entries after it     | beside it |
 * |------------------------------|----------|----------------------------------|-----------|
 * | find, first, next, count     | O(1)     | all hold                         | R         |
 * | put, set                     | O(1) am. | hold, unless the table grew      | X         |
 * | reserve                      | O(count) | none holds, when it grew         | X         |
 * | erase, erase_entry           | O(1)     | all but the erased one's         | X         |
 * | clear, fini                  | O(table) | none holds                       | X         |
 * | move, swap                   | O(1)     | all hold, in the other map       | X         |
 * | check                        | O(table) | all hold                         | R         |
 *
 * O(1) is with a fair hash; with one that is the same for all keys everything is right and
 * O(count).
 * R: other readers may run at the same time, in any process. X: the caller excludes everyone.
 * After reserve(count) no entry moves before there are more than count, unless some are erased.
 * An iterator goes on after its current entry was erased, and after no other change. The order
 * is that of the hashes.
 *
 * Results: 0, or what is said, or the negative errno of an allocation or of KEY_INIT, and then
 * the map holds what it held. The arena is the one that the map lies in.
 * Layout. A header and one table, both position independent; the seed of the hashes lies in the
 * header, drawn with the first table. Zeroed memory is an empty map.
 * Death. An entry is complete before its tag makes it seen. An owner that dies while a table is
 * exchanged, or between a tag and the count, leaves a map that check refuses.
 *
 * How. Entries stand in groups of 15. 16 bytes tell of each group: a tag for each entry, eight
 * bits of its hash, and an overflow byte that says which tags went on to a later group. So a
 * search looks at one group as a rule, hit or miss, and erasing leaves no tombstone. Source:
 * Joaquin M Lopez Munoz, boost::unordered_flat_map. Why this one: docs/decisions, 0004.
 */
#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <lendheap/alloc.h>
#include <lendheap/compiler.h>
#include <lendheap/hashing.h>
#include <lendheap/instance.h>
#include <lendheap/layout.h>
#include <lendheap/ptr.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define LEND_MAP_SLOTS      15 /* entries in a group */
#define LENDI_MAP_ALIGNMENT 16 /* of the table, as lend_alloc() gives it */

/* What there is to know of 15 entries. */
struct lend_map_group_shm {
	uint8_t tags[LEND_MAP_SLOTS]; /* 0: free */
	uint8_t overflow; /* bit tag % 8: an entry with such a tag may lie in a later group */
};
LEND_SHM_SIZEOF(struct lend_map_group_shm, 16);
LEND_SHM_AT(struct lend_map_group_shm, overflow, 15);

/*
 * The table is one block: the groups, last one first, and then the entries of all groups in order.
 *
 *	| group n-1 | ... | group 1 | group 0 | entries 0 to 14 | 15 to 29 | ... |
 *	                                      ^ entries
 */
struct lend_map_shm {
	LEND_PTR(void) entries; /* null: no table yet */
	uint64_t count;
	uint64_t growth_left; /* entries that may come before a new table does */
	uint64_t seed;
	uint32_t shift; /* there are 2^(63 - shift) groups */
	uint32_t pad0;
};
LEND_SHM_SIZEOF(struct lend_map_shm, 40);
LEND_SHM_AT(struct lend_map_shm, seed, 24);
LEND_SHM_AT(struct lend_map_shm, shift, 32);

/* What the check needs to know of an instance. */
struct lend_map_kind {
	uint64_t entry_bytes;
	/* 0, or -EUCLEAN when the entry's key is not safe to read. */
	int (*key_check)(const void *entry, const struct lend_arena *arena);
	/* The entry that is found for the key of this one. */
	const void *(*find)(const struct lend_map_shm *map, const void *entry);
};

/*
 * Walk every invariant of a map: what <name>_check() calls. With an arena (else NULL) also that
 * all lies in its data: then any bytes may be there, and it neither crashes nor hangs, though
 * it may take count x groups steps on hostile ones. 0; -EUCLEAN with a sentence, -ESTALE.
 */
LEND_API int lend_map_check(const struct lend_map_shm *map, const struct lend_map_kind *kind,
	const struct lend_arena *arena);

/* From here on: how the instances are made; names with lendi_ are not for use elsewhere. */

/* A tag is the low byte of the hash, but never 0. */
static inline uint8_t lendi_map_tag(uint64_t hash)
{
	uint8_t low = (uint8_t)hash;

	return (uint8_t)(low + !low);
}

/* Bit i: tags[i] is tag. */
static inline uint32_t lendi_map_match(const struct lend_map_group_shm *group, uint8_t tag)
{
#ifdef __SSE2__
	__m128i tags = _mm_loadu_si128((const __m128i *)(const void *)group);

	return (uint32_t)_mm_movemask_epi8(
		       _mm_cmpeq_epi8(tags, _mm_set1_epi32((int)(tag * 0x01010101u)))) &
	       0x7fff;
#else
	const uint64_t low7 = UINT64_C(0x7f7f7f7f7f7f7f7f);
	uint32_t match = 0;
	uint64_t word;
	int half;

	for (half = 1; half >= 0; half--) {
		memcpy(&word, (const char *)group + 8 * half, sizeof(word));
		word ^= tag * UINT64_C(0x0101010101010101);
		word = ~(((word & low7) + low7) | word | low7); /* 0x80 where a byte was 0 */
		match = match << 8 |
			(uint32_t)((word >> 7) * UINT64_C(0x0102040810204080) >> 56);
	}
	return match & 0x7fff;
#endif
}

/* Bit i: there is an entry i. */
static inline uint32_t lendi_map_taken(const struct lend_map_group_shm *group)
{
	return ~lendi_map_match(group, 0) & 0x7fff;
}

static inline uint64_t lendi_map_home(uint64_t hash, uint32_t shift)
{
	return hash >> 1 >> shift;
}

/* The number of groups less one. */
static inline uint64_t lendi_map_last(uint32_t shift)
{
	return UINT64_MAX >> 1 >> shift;
}

/* How many entries a table takes: all its slots while it is tiny, then seven of eight. */
static inline uint64_t lendi_map_load_max(uint64_t groups)
{
	uint64_t slots = groups * LEND_MAP_SLOTS;

	return groups > 2 ? slots - slots / 8 : slots;
}

/* A group of the table with these entries. */
static inline struct lend_map_group_shm *lendi_map_group(const void *entries, uint64_t index)
{
	return (struct lend_map_group_shm *)(uintptr_t)entries - 1 - index;
}

/* Of the table; 0 when it would be more than any arena has. */
static inline uint64_t lendi_map_bytes(uint64_t groups, uint64_t entry_bytes)
{
	uint64_t bytes = sizeof(struct lend_map_group_shm) + LEND_MAP_SLOTS * entry_bytes;

	return groups > (UINT64_C(1) << 47) / bytes ? 0 : groups * bytes;
}

/* The shift of the smallest table that takes count entries, count below 2^48. */
static inline uint32_t lendi_map_shift_for(uint64_t count)
{
	uint32_t shift = 63;

	while (lendi_map_load_max(lendi_map_last(shift) + 1) < count)
		shift--;
	return shift;
}

/* The size of the next table of a full one: the same when much was erased. */
static inline uint32_t lendi_map_shift_next(const struct lend_map_shm *map)
{
	if (lend_ptr_is_null(&map->entries))
		return 63;
	return lendi_map_shift_for(map->count + map->count / 4 + 1);
}

/* Differs between two maps, and between two runs of a program. */
static inline uint64_t lendi_map_seed(const struct lend_arena *arena, const void *table)
{
	struct lend_identity identity = lend_arena_identity(arena);

	return lend_hash_bytes(&identity, sizeof(identity), (uintptr_t)table);
}

/* Give the table back; there is one. */
static inline void lendi_map_free(
	const struct lend_map_shm *map, struct lend_arena *arena, uint64_t entry_bytes)
{
	uint64_t last = lendi_map_last(map->shift);

	lend_free_sized(arena, lendi_map_group(lend_ptr_get_raw(&map->entries), last),
		lendi_map_bytes(last + 1, entry_bytes));
}

/* Become what `from` was; `from` is empty then. */
static inline void lendi_map_move(struct lend_map_shm *to, struct lend_map_shm *from)
{
	lend_ptr_copy(&to->entries, &from->entries);
	to->count = from->count;
	to->growth_left = from->growth_left;
	to->seed = from->seed;
	to->shift = from->shift;
	to->pad0 = 0;
	memset((void *)from, 0, sizeof(*from));
}

#ifdef __cplusplus
}
#endif

#endif /* LENDHEAP_MAP_H */

#ifdef LEND_MAP

/* clang-format off */

#ifdef LEND_MAP_STRING_KEYS
#include <lendheap/string.h>
#define LEND_MAP_KEY                struct lend_string_shm
#define LEND_MAP_SOUGHT             lend_view
#define LEND_MAP_AS_SOUGHT(key)     lend_string_view(&(key))
#define LEND_MAP_HASH(sought, seed) lend_hash_bytes((sought).at, (sought).bytes, seed)
#define LEND_MAP_EQUAL(a, b)        lend_view_equal(a, b)
#define LEND_MAP_KEY_INIT(arena, key, sought)                                                  \
	(lend_string_init(key), lend_string_set(key, arena, sought))
#define LEND_MAP_KEY_FINI(arena, key)  lend_string_fini(key, arena)
#define LEND_MAP_KEY_MOVE(to, from)    lend_string_move(to, from)
#define LEND_MAP_KEY_CHECK(key, arena) lend_string_check(key, arena)
#endif
#ifndef LEND_MAP_SOUGHT
#define LEND_MAP_SOUGHT LEND_MAP_KEY
#endif
#ifndef LEND_MAP_AS_SOUGHT
#define LEND_MAP_AS_SOUGHT(key) (key)
#endif
#ifndef LEND_MAP_HASH
#define LEND_MAP_HASH(sought, seed) lend_hash_u64((uint64_t)(sought), seed)
#endif
#ifndef LEND_MAP_EQUAL
#define LEND_MAP_EQUAL(sought, other) ((sought) == (other))
#endif

#define LENDI_MAP(name)    LENDI_JOIN(LEND_MAP, name)
#define LENDI_MAP_ENTRY    struct LENDI_MAP(entry)
#define LENDI_MAP_ITERATOR struct LENDI_MAP(iterator)

struct LEND_MAP {
	struct lend_map_shm shm;
};

LENDI_MAP_ENTRY {
	LEND_MAP_KEY key; /* not to be changed */
#ifdef LEND_MAP_VALUE
	LEND_MAP_VALUE value;
#endif
};

LEND_STATIC_ASSERT(LEND_ALIGNOF(LENDI_MAP_ENTRY) <= LENDI_MAP_ALIGNMENT,
	"an entry is aligned to 16 bytes at most");

/* Where first() and next() are; of no meaning outside its process. */
LENDI_MAP_ITERATOR {
	LENDI_MAP_ENTRY *entries; /* of the group */
	const struct lend_map_group_shm *group;
	uint64_t groups_left;
	uint32_t slots_left; /* bit i: entries[i] is still to come */
};

LENDI_INSTANCE uint64_t LENDI_MAP(hash)(const LENDI_MAP_ENTRY *entry, uint64_t seed)
{
	return LEND_MAP_HASH(LEND_MAP_AS_SOUGHT(entry->key), seed);
}

LENDI_INSTANCE void LENDI_MAP(relocate)(LENDI_MAP_ENTRY *to, LENDI_MAP_ENTRY *from)
{
#ifdef LEND_MAP_KEY_MOVE
	LEND_MAP_KEY_MOVE(&to->key, &from->key);
#else
	memcpy((void *)&to->key, (const void *)&from->key, sizeof(to->key));
#endif
#if defined(LEND_MAP_VALUE) && defined(LEND_MAP_VALUE_MOVE)
	LEND_MAP_VALUE_MOVE(&to->value, &from->value);
#elif defined(LEND_MAP_VALUE)
	memcpy((void *)&to->value, (const void *)&from->value, sizeof(to->value));
#endif
}

LENDI_INSTANCE void LENDI_MAP(entry_fini)(struct lend_arena *arena, LENDI_MAP_ENTRY *entry)
{
	(void)arena;
	(void)entry;
#ifdef LEND_MAP_KEY_FINI
	LEND_MAP_KEY_FINI(arena, &entry->key);
#endif
#if defined(LEND_MAP_VALUE) && defined(LEND_MAP_VALUE_FINI)
	LEND_MAP_VALUE_FINI(arena, &entry->value);
#endif
}

LENDI_INSTANCE LENDI_MAP_ENTRY *LENDI_MAP(entries)(const struct LEND_MAP *map)
{
	return (LENDI_MAP_ENTRY *)lend_ptr_get(&map->shm.entries);
}

/* The next entry; NULL at the end. */
LENDI_INSTANCE LENDI_MAP_ENTRY *LENDI_MAP(next)(LENDI_MAP_ITERATOR *at)
{
	LENDI_MAP_ENTRY *entry;

	while (at->slots_left == 0) {
		if (at->groups_left == 0)
			return NULL;
		at->groups_left--;
		at->group--;
		at->entries += LEND_MAP_SLOTS;
		at->slots_left = lendi_map_taken(at->group);
	}
	entry = &at->entries[__builtin_ctz(at->slots_left)];
	at->slots_left &= at->slots_left - 1;
	return entry;
}

/* Some entry, from which next() leads to each other one once; NULL when empty. */
LENDI_INSTANCE LENDI_MAP_ENTRY *LENDI_MAP(first)(
	const struct LEND_MAP *map, LENDI_MAP_ITERATOR *out_at)
{
	if (map->shm.count == 0)
		return NULL;
	out_at->entries = LENDI_MAP(entries)(map);
	out_at->group = lendi_map_group(out_at->entries, 0);
	out_at->groups_left = lendi_map_last(map->shm.shift);
	out_at->slots_left = lendi_map_taken(out_at->group);
	return LENDI_MAP(next)(out_at);
}

/* The entry with this hash and key; NULL when absent. There is a table. */
LENDI_INSTANCE LENDI_MAP_ENTRY *LENDI_MAP(seek)(
	const struct LEND_MAP *map, LEND_MAP_SOUGHT sought, uint64_t hash)
{
	LENDI_MAP_ENTRY *entries = (LENDI_MAP_ENTRY *)lend_ptr_get_raw(&map->shm.entries);
	uint64_t at = lendi_map_home(hash, map->shm.shift);
	uint8_t tag = lendi_map_tag(hash);
	uint64_t step = 0;

	for (;;) {
		const struct lend_map_group_shm *group = lendi_map_group(entries, at);
		uint32_t match;

		/* It is on its way while the tags are. */
		__builtin_prefetch(&entries[at * LEND_MAP_SLOTS]);
		match = lendi_map_match(group, tag);
		for (; match; match &= match - 1) {
			LENDI_MAP_ENTRY *entry =
				&entries[at * LEND_MAP_SLOTS + (unsigned)__builtin_ctz(match)];

			if (LEND_LIKELY(LEND_MAP_EQUAL(sought, LEND_MAP_AS_SOUGHT(entry->key))))
				return entry;
		}
		if (LEND_LIKELY(!(group->overflow >> (tag & 7) & 1)))
			return NULL;
		step++;
		if (step > lendi_map_last(map->shm.shift))
			return NULL;
		at = (at + step) & lendi_map_last(map->shm.shift);
	}
}

/* Where an entry with this hash goes: a free slot; the full groups before it are marked. */
LENDI_INSTANCE LENDI_MAP_ENTRY *LENDI_MAP(claim)(
	LENDI_MAP_ENTRY *entries, uint32_t shift, uint64_t hash, uint8_t **out_tag)
{
	uint64_t at = lendi_map_home(hash, shift);
	uint64_t step = 0;

	for (;;) {
		struct lend_map_group_shm *group = lendi_map_group(entries, at);
		uint32_t vacant = lendi_map_match(group, 0);

		if (LEND_LIKELY(vacant)) {
			unsigned slot = (unsigned)__builtin_ctz(vacant);

			*out_tag = &group->tags[slot];
			return &entries[at * LEND_MAP_SLOTS + slot];
		}
		group->overflow |= (uint8_t)(1u << (lendi_map_tag(hash) & 7));
		step++;
		at = (at + step) & lendi_map_last(shift);
	}
}

/* Move all entries to a table of this size, or to a first one. */
LENDI_INSTANCE_COLD int LENDI_MAP(rehash)(
	struct LEND_MAP *map, struct lend_arena *arena, uint32_t shift)
{
	uint64_t groups = lendi_map_last(shift) + 1;
	uint64_t bytes = lendi_map_bytes(groups, sizeof(LENDI_MAP_ENTRY));
	LENDI_MAP_ENTRY *entries;
	LENDI_MAP_ENTRY *entry;
	LENDI_MAP_ITERATOR at;
	struct lend_map_group_shm *table;

	if (!bytes)
		return -ENOMEM;
	table = (struct lend_map_group_shm *)lend_alloc(arena, bytes);
	if (!table)
		return errno > 0 ? -errno : -ENOMEM; /* negative, as the compiler sees too */

	memset(table, 0, groups * sizeof(*table));
	entries = (LENDI_MAP_ENTRY *)(void *)(table + groups);
	for (entry = LENDI_MAP(first)(map, &at); entry; entry = LENDI_MAP(next)(&at)) {
		uint64_t hash = LENDI_MAP(hash)(entry, map->shm.seed);
		uint8_t *tag;

		LENDI_MAP(relocate)(LENDI_MAP(claim)(entries, shift, hash, &tag), entry);
		*tag = lendi_map_tag(hash);
	}
	if (lend_ptr_is_null(&map->shm.entries))
		map->shm.seed = lendi_map_seed(arena, table);
	else
		lendi_map_free(&map->shm, arena, sizeof(*entry));
	lend_ptr_set(&map->shm.entries, entries);
	map->shm.shift = shift;
	map->shm.growth_left = lendi_map_load_max(groups) - map->shm.count;
	return 0;
}

/* Zeroed memory is the same. */
LENDI_INSTANCE void LENDI_MAP(init)(struct LEND_MAP *map)
{
	memset((void *)map, 0, sizeof(*map));
}

LENDI_INSTANCE uint64_t LENDI_MAP(count)(const struct LEND_MAP *map)
{
	return map->shm.count;
}

/* The entry with this key; NULL when absent. */
LENDI_INSTANCE LENDI_MAP_ENTRY *LENDI_MAP(find)(
	const struct LEND_MAP *map, LEND_MAP_SOUGHT sought)
{
	if (map->shm.count == 0)
		return NULL;
	return LENDI_MAP(seek)(map, sought, LEND_MAP_HASH(sought, map->shm.seed));
}

/* Room for count entries in all without another allocation. 0 or a negative errno. */
LENDI_INSTANCE int LENDI_MAP(reserve)(
	struct LEND_MAP *map, struct lend_arena *arena, uint64_t count)
{
	if (count <= map->shm.count + map->shm.growth_left)
		return 0;
	if (count >= UINT64_C(1) << 48)
		return -ENOMEM;
	return LENDI_MAP(rehash)(map, arena, lendi_map_shift_for(count));
}

/* Make an entry of a key that is absent; there is a table. */
LENDI_INSTANCE int LENDI_MAP(make)(struct LEND_MAP *map, struct lend_arena *arena,
	LEND_MAP_SOUGHT sought, uint64_t hash, LENDI_MAP_ENTRY **out_entry)
{
	LENDI_MAP_ENTRY *entry;
	uint8_t *tag;
	int err;

	if (LEND_UNLIKELY(map->shm.growth_left == 0)) {
		err = LENDI_MAP(rehash)(map, arena, lendi_map_shift_next(&map->shm));
		if (err < 0)
			return err;
	}
	entry = LENDI_MAP(claim)(LENDI_MAP(entries)(map), map->shm.shift, hash, &tag);
#ifdef LEND_MAP_KEY_INIT
	err = LEND_MAP_KEY_INIT(arena, &entry->key, sought);
	if (err < 0)
		return err;
#else
	entry->key = sought;
#endif
#ifdef LEND_MAP_VALUE
	memset((void *)&entry->value, 0, sizeof(entry->value));
#endif
	__atomic_signal_fence(__ATOMIC_RELEASE); /* complete before it is seen */
	*tag = lendi_map_tag(hash);
	map->shm.count++;
	map->shm.growth_left--;
	*out_entry = entry;
	return 1;
}

/*
 * Find or make the entry with this key. 1 when it was made, with a zeroed value; 0 when it was
 * there; else a negative errno.
 */
LENDI_INSTANCE int LENDI_MAP(put)(struct LEND_MAP *map, struct lend_arena *arena,
	LEND_MAP_SOUGHT sought, LENDI_MAP_ENTRY **out_entry)
{
	LENDI_MAP_ENTRY *entry;
	uint64_t hash;
	int err;

	if (LEND_UNLIKELY(lend_ptr_is_null(&map->shm.entries))) {
		err = LENDI_MAP(rehash)(map, arena, 63);
		if (err < 0)
			return err;
	}
	hash = LEND_MAP_HASH(sought, map->shm.seed);
	entry = LENDI_MAP(seek)(map, sought, hash);
	if (entry) {
		*out_entry = entry;
		return 0;
	}
	return LENDI_MAP(make)(map, arena, sought, hash, out_entry);
}

/*
 * Put, and assign the value: 1 when the entry was made, 0 when it was there, else a negative
 * errno. Not there for a VALUE with FINI or MOVE, which = would not do justice.
 */
#if defined(LEND_MAP_VALUE) && !defined(LEND_MAP_VALUE_FINI) && !defined(LEND_MAP_VALUE_MOVE)
LENDI_INSTANCE int LENDI_MAP(set)(struct LEND_MAP *map, struct lend_arena *arena,
	LEND_MAP_SOUGHT sought, LEND_MAP_VALUE value)
{
	LENDI_MAP_ENTRY *entry;
	int made = LENDI_MAP(put)(map, arena, sought, &entry);

	if (made >= 0)
		entry->value = value;
	return made;
}
#endif

/*
 * Erase an entry of the map. Its slot is free at once, but counts until the next table when
 * entries with like tags went on to a later group.
 */
LENDI_INSTANCE void LENDI_MAP(erase_entry)(
	struct LEND_MAP *map, struct lend_arena *arena, LENDI_MAP_ENTRY *entry)
{
	LENDI_MAP_ENTRY *entries = LENDI_MAP(entries)(map);
	size_t index = (size_t)(entry - entries);
	struct lend_map_group_shm *group = lendi_map_group(entries, index / LEND_MAP_SLOTS);
	uint8_t *tag = &group->tags[index % LEND_MAP_SLOTS];

	map->shm.growth_left += !(group->overflow >> (*tag & 7) & 1);
	map->shm.count--;
	*tag = 0;
	__atomic_signal_fence(__ATOMIC_RELEASE); /* unseen before it is given back */
	LENDI_MAP(entry_fini)(arena, entry);
}

/* Erase the entry with this key: 1, or 0 when it is absent. */
LENDI_INSTANCE int LENDI_MAP(erase)(
	struct LEND_MAP *map, struct lend_arena *arena, LEND_MAP_SOUGHT sought)
{
	LENDI_MAP_ENTRY *entry = LENDI_MAP(find)(map, sought);

	if (!entry)
		return 0;
	LENDI_MAP(erase_entry)(map, arena, entry);
	return 1;
}

/* Erase all entries; the table stays. */
LENDI_INSTANCE void LENDI_MAP(clear)(struct LEND_MAP *map, struct lend_arena *arena)
{
	LENDI_MAP_ITERATOR at;
	LENDI_MAP_ENTRY *entry;
	uint64_t last = lendi_map_last(map->shm.shift);

	if (lend_ptr_is_null(&map->shm.entries))
		return;
	for (entry = LENDI_MAP(first)(map, &at); entry; entry = LENDI_MAP(next)(&at))
		LENDI_MAP(entry_fini)(arena, entry);
	memset(lendi_map_group(LENDI_MAP(entries)(map), last), 0,
		(last + 1) * sizeof(struct lend_map_group_shm));
	map->shm.count = 0;
	map->shm.growth_left = lendi_map_load_max(last + 1);
}

/* Give back all that the map owns; it is empty then, as after init(). */
LENDI_INSTANCE void LENDI_MAP(fini)(struct LEND_MAP *map, struct lend_arena *arena)
{
	LENDI_MAP_ITERATOR at;
	LENDI_MAP_ENTRY *entry;

	for (entry = LENDI_MAP(first)(map, &at); entry; entry = LENDI_MAP(next)(&at))
		LENDI_MAP(entry_fini)(arena, entry);
	if (!lend_ptr_is_null(&map->shm.entries))
		lendi_map_free(&map->shm, arena, sizeof(*entry));
	LENDI_MAP(init)(map);
}

/* *to, uninitialised, becomes what *from was; *from is empty then. Both in one arena. */
LENDI_INSTANCE void LENDI_MAP(move)(struct LEND_MAP *to, struct LEND_MAP *from)
{
	lendi_map_move(&to->shm, &from->shm);
}

/* Both in one arena. */
LENDI_INSTANCE void LENDI_MAP(swap)(struct LEND_MAP *a, struct LEND_MAP *b)
{
	struct LEND_MAP old_a;

	LENDI_MAP(move)(&old_a, a);
	LENDI_MAP(move)(a, b);
	LENDI_MAP(move)(b, &old_a);
}

LENDI_INSTANCE_COLD int LENDI_MAP(check_key)(const void *entry, const struct lend_arena *arena)
{
	(void)entry;
	(void)arena;
#ifdef LEND_MAP_KEY_CHECK
	return LEND_MAP_KEY_CHECK(&((const LENDI_MAP_ENTRY *)entry)->key, arena);
#else
	return 0;
#endif
}

LENDI_INSTANCE_COLD const void *LENDI_MAP(check_find)(
	const struct lend_map_shm *map, const void *entry)
{
	return LENDI_MAP(find)((const struct LEND_MAP *)map,
		LEND_MAP_AS_SOUGHT(((const LENDI_MAP_ENTRY *)entry)->key));
}

/* Walk every invariant; see lend_map_check(). */
LENDI_INSTANCE_COLD int LENDI_MAP(check)(
	const struct LEND_MAP *map, const struct lend_arena *arena)
{
	const struct lend_map_kind kind = {
		sizeof(LENDI_MAP_ENTRY), LENDI_MAP(check_key), LENDI_MAP(check_find)};

	return lend_map_check(&map->shm, &kind, arena);
}

#undef LEND_MAP
#undef LEND_MAP_KEY
#undef LEND_MAP_VALUE
#undef LEND_MAP_SOUGHT
#undef LEND_MAP_AS_SOUGHT
#undef LEND_MAP_HASH
#undef LEND_MAP_EQUAL
#undef LEND_MAP_KEY_INIT
#undef LEND_MAP_KEY_FINI
#undef LEND_MAP_KEY_MOVE
#undef LEND_MAP_KEY_CHECK
#undef LEND_MAP_VALUE_FINI
#undef LEND_MAP_VALUE_MOVE
#undef LEND_MAP_STRING_KEYS
#undef LENDI_MAP
#undef LENDI_MAP_ENTRY
#undef LENDI_MAP_ITERATOR
/* clang-format on */
#endif
