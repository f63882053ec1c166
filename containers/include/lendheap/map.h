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
 * | find, count                  | O(1)     | all hold                         | R         |
 * | first, next                  | O(gap)   | all hold                         | R         |
 * | put, set                     | O(1) am. | hold, unless the table grew      | X         |
 * | reserve                      | O(count) | none holds, when it grew         | X         |
 * | erase, erase_entry           | O(1)     | all but the erased one's         | X         |
 * | clear, fini                  | O(table) | none holds                       | X         |
 * | move, swap                   | O(1)     | all hold, in the other map       | X         |
 * | check                        | O(table) | all hold                         | R         |
 *
 * O(1) is with a fair hash; with one that is the same for all keys everything is right and
 * O(count). Gap: the groups passed that have no entry, few unless much was erased or reserved;
 * to erase what first gives, again and again, is O(count x table).
 * R: other readers may run at the same time, in any process. X: the caller excludes everyone.
 * After reserve(count) no entry moves before there are more than count, unless some are erased.
 * An iterator goes on after its current entry was erased, and after no other change. The order
 * is that of the hashes.
 *
 * What put makes a key of must not lie in an entry (a view of a short string in a value does):
 * the table may have grown before the key is made.
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
#include <stdbool.h>
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
	uint8_t overflow; /* bit tag / 32: an entry with such a tag may lie in a later group */
};
LEND_SHM_SIZEOF(struct lend_map_group_shm, 16);
LEND_SHM_AT(struct lend_map_group_shm, overflow, 15);

/*
 * The table is one block: the groups and then the entries of all groups, in order.
 *
 *	| group 0 | group 1 | ... | group n-1 | entries 0 to 14 | 15 to 29 | ... |
 *	                                      ^ entries
 *
 * Of a map without a table all of the header is zero, and so are the 16 bytes before the second
 * of entries: what find takes for the first group is an empty one, and it need not ask.
 */
struct lend_map_shm {
	uint64_t count;
	uint64_t growth_left;   /* entries that may come before a new table does */
	LEND_PTR(void) entries; /* null: no table yet */
	uint64_t seed;
	uint64_t last; /* offset of the last group: 16 times a power of two less one */
};
LEND_SHM_SIZEOF(struct lend_map_shm, 40);
LEND_SHM_AT(struct lend_map_shm, entries, 16);
LEND_SHM_AT(struct lend_map_shm, last, 32);

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
 * all lies in its data: then any bytes may be there, and it does not crash and ends. It takes
 * count x groups steps where all entries have one hash, and where hostile bytes pretend so: of a
 * table of many MiB that you do not trust, hours. 0; -EUCLEAN with a sentence, -EXDEV
 * the map itself is not in the arena, -ESTALE.
 */
LEND_API int lend_map_check(const struct lend_map_shm *map, const struct lend_map_kind *kind,
	const struct lend_arena *arena);

/* From here on: how the instances are made; names with lendi_ are not for use elsewhere. */

/*
 * A group is named by its offset among the groups, a multiple of 16: that is what a hash has to be
 * masked for, and what its address takes.
 */
#define LENDI_MAP_STEP ((uint64_t)sizeof(struct lend_map_group_shm))

/* The group where the search for a hash begins: by other bits than the tag's. */
static inline uint64_t lendi_map_home(uint64_t hash, uint64_t last)
{
	return hash & last;
}

static inline struct lend_map_group_shm *lendi_map_group(
	const void *entries, uint64_t last, uint64_t group)
{
	uintptr_t first = (uintptr_t)entries - LENDI_MAP_STEP - last;

	/* Or GCC takes the sum apart, and a loop of searches adds it up anew in each. */
	__asm__("" : "+r"(first));
	return (struct lend_map_group_shm *)(first + group);
}

/* A tag is the top byte of the hash, but never 0. */
static inline uint8_t lendi_map_tag(uint64_t hash)
{
	uint8_t top = (uint8_t)(hash >> 56);

	return (uint8_t)(top + !top);
}

/* The bit of overflow that stands for the tag, by its upper bits: those of tag 1 and top 0 agree. */
static inline unsigned lendi_map_overflow_bit(uint8_t tag)
{
	return tag >> 5;
}

/* May an entry with this hash lie in a later group? */
static inline bool lendi_map_went_on(const struct lend_map_group_shm *group, uint64_t hash)
{
	return group->overflow >> (hash >> 61) & 1;
}

#ifdef __SSE2__
/* Bit i: tags[i] is byte i of tag. */
static inline uint32_t lendi_map_compare(const struct lend_map_group_shm *group, __m128i tag)
{
	__m128i tags = _mm_loadu_si128((const __m128i *)(const void *)group);

	return (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(tags, tag)) & 0x7fff;
}

/* Bit i: tags[i] is tag. */
static inline uint32_t lendi_map_match(const struct lend_map_group_shm *group, uint8_t tag)
{
	return lendi_map_compare(group, _mm_set1_epi8((char)tag));
}

/* The same for the tag of a hash: never 0, but where that does not delay the search. */
static inline uint32_t lendi_map_match_hash(
	const struct lend_map_group_shm *group, uint64_t hash)
{
	return lendi_map_compare(
		group, _mm_max_epu8(_mm_set1_epi8((char)(hash >> 56)), _mm_set1_epi8(1)));
}
#else
static inline uint32_t lendi_map_match(const struct lend_map_group_shm *group, uint8_t tag)
{
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
}

static inline uint32_t lendi_map_match_hash(
	const struct lend_map_group_shm *group, uint64_t hash)
{
	return lendi_map_match(group, lendi_map_tag(hash));
}
#endif

/* Bit i: there is an entry i. */
static inline uint32_t lendi_map_taken(const struct lend_map_group_shm *group)
{
	return ~lendi_map_match(group, 0) & 0x7fff;
}

/* How many entries a table takes: all its slots while it is tiny, then seven of eight. */
static inline uint64_t lendi_map_load_max(uint64_t groups)
{
	uint64_t slots = groups * LEND_MAP_SLOTS;

	return groups > 2 ? slots - slots / 8 : slots;
}

static inline uint64_t lendi_map_group_count(uint64_t last)
{
	return last / LENDI_MAP_STEP + 1;
}

/* Of the table; 0 when it would be more than any arena has. */
static inline uint64_t lendi_map_bytes(uint64_t groups, uint64_t entry_bytes)
{
	uint64_t bytes = sizeof(struct lend_map_group_shm) + LEND_MAP_SLOTS * entry_bytes;

	return groups > (UINT64_C(1) << 47) / bytes ? 0 : groups * bytes;
}

/* The last group of the smallest table that takes count entries, count below 2^48. */
static inline uint64_t lendi_map_last_for(uint64_t count)
{
	uint64_t last = 0;

	while (lendi_map_load_max(lendi_map_group_count(last)) < count)
		last = 2 * last + LENDI_MAP_STEP;
	return last;
}

/* The last group of the next table of a full one: the same when much was erased. */
static inline uint64_t lendi_map_last_next(const struct lend_map_shm *map)
{
	if (lend_ptr_is_null(&map->entries))
		return 0;
	return lendi_map_last_for(map->count + map->count / 4 + 1);
}

/* Differs between two maps, and between two runs of a program. */
static inline uint64_t lendi_map_seed(const struct lend_arena *arena, const void *table)
{
	struct lend_identity identity = lend_arena_identity(arena);

	return lend_hash_bytes(&identity, sizeof(identity), (uintptr_t)table);
}

/* Give a table back; NULL is allowed. */
static inline void lendi_map_free(
	void *entries, uint64_t last, uint64_t entry_bytes, struct lend_arena *arena)
{
	if (entries)
		lend_free_sized(arena, lendi_map_group(entries, last, 0),
			lendi_map_bytes(lendi_map_group_count(last), entry_bytes));
}

/* Become what `from` was; `from` is empty then. */
static inline void lendi_map_move(struct lend_map_shm *to, struct lend_map_shm *from)
{
	to->count = from->count;
	to->growth_left = from->growth_left;
	lend_ptr_copy(&to->entries, &from->entries);
	to->seed = from->seed;
	to->last = from->last;
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
#define LENDI_MAP_INTEGER_KEYS
#endif
#ifndef LEND_MAP_EQUAL
#define LEND_MAP_EQUAL(sought, other) ((sought) == (other))
#endif

#define LENDI_MAP(name)    LENDI_JOIN(LEND_MAP, name)
#define LENDI_MAP_ENTRY    struct LENDI_MAP(entry)
#define LENDI_MAP_ITERATOR struct LENDI_MAP(iterator)

#ifdef LENDI_MAP_INTEGER_KEYS
LEND_STATIC_ASSERT(__builtin_classify_type((LEND_MAP_SOUGHT)0) != 8, /* of floating point */
	"keys that are no integers need a LEND_MAP_HASH");
#endif

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
LEND_STATIC_ASSERT(sizeof(LENDI_MAP_ENTRY) <= (size_t)1 << 28, /* slots are counted in 32 bits */
	"an entry has 256 MiB at most");

/* Where first() and next() are; of no meaning outside its process. */
LENDI_MAP_ITERATOR {
	LENDI_MAP_ENTRY *entries; /* of the group */
	const struct lend_map_group_shm *group;
	uint64_t groups_left;
	uint32_t slots_left; /* bit i: entries[i] is still to come */
};

LENDI_INSTANCE uint64_t LENDI_MAP(lendi_hash)(const LENDI_MAP_ENTRY *entry, uint64_t seed)
{
	return LEND_MAP_HASH(LEND_MAP_AS_SOUGHT(entry->key), seed);
}

LENDI_INSTANCE void LENDI_MAP(lendi_relocate)(LENDI_MAP_ENTRY *to, LENDI_MAP_ENTRY *from)
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

LENDI_INSTANCE void LENDI_MAP(lendi_entry_fini)(struct lend_arena *arena, LENDI_MAP_ENTRY *entry)
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

/* Where they begin; without a table where the empty group of the header ends. */
LENDI_INSTANCE LENDI_MAP_ENTRY *LENDI_MAP(lendi_entries)(const struct LEND_MAP *map)
{
	return (LENDI_MAP_ENTRY *)lend_ptr_get_raw(&map->shm.entries);
}

/* The first entry of a group. Most sizes of entries need no division. */
LENDI_INSTANCE LENDI_MAP_ENTRY *LENDI_MAP(lendi_slots)(LENDI_MAP_ENTRY *entries, uint64_t group)
{
	const uint64_t bytes = LEND_MAP_SLOTS * sizeof(*entries);
	uint64_t offset = bytes % LENDI_MAP_STEP == 0 ? group * (bytes / LENDI_MAP_STEP)
						      : group * bytes / LENDI_MAP_STEP;

	return (LENDI_MAP_ENTRY *)(void *)((char *)entries + offset);
}

/* The next entry; NULL at the end. */
LENDI_INSTANCE LENDI_MAP_ENTRY *LENDI_MAP(next)(LENDI_MAP_ITERATOR *at)
{
	LENDI_MAP_ENTRY *entry;

	while (at->slots_left == 0) {
		if (at->groups_left == 0)
			return NULL;
		at->groups_left--;
		at->group++;
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
	out_at->entries = LENDI_MAP(lendi_entries)(map);
	out_at->group = lendi_map_group(out_at->entries, map->shm.last, 0);
	out_at->groups_left = map->shm.last / LENDI_MAP_STEP;
	out_at->slots_left = lendi_map_taken(out_at->group);
	return LENDI_MAP(next)(out_at);
}

/* The entry with this hash and key among those of one group; NULL when absent. */
LENDI_INSTANCE LENDI_MAP_ENTRY *LENDI_MAP(lendi_look)(const struct lend_map_group_shm *group,
	LENDI_MAP_ENTRY *slots, LEND_MAP_SOUGHT sought, uint64_t hash)
{
	uint32_t match = lendi_map_match_hash(group, hash);

	for (; match; match &= match - 1) {
		/* In 32 bits: a conversion less. */
		uint32_t offset = (uint32_t)__builtin_ctz(match) * (uint32_t)sizeof(*slots);
		LENDI_MAP_ENTRY *entry = (LENDI_MAP_ENTRY *)(void *)((char *)slots + offset);

		if (LEND_LIKELY(LEND_MAP_EQUAL(sought, LEND_MAP_AS_SOUGHT(entry->key))))
			return entry;
	}
	return NULL;
}

/* The search after its first group. */
LENDI_INSTANCE_COLD LENDI_MAP_ENTRY *LENDI_MAP(lendi_seek_on)(
	const struct LEND_MAP *map, LEND_MAP_SOUGHT sought, uint64_t hash)
{
	LENDI_MAP_ENTRY *entries = LENDI_MAP(lendi_entries)(map);
	const uint64_t last = map->shm.last;
	uint64_t at = lendi_map_home(hash, last);
	uint64_t step;

	for (step = LENDI_MAP_STEP; step <= last; step += LENDI_MAP_STEP) {
		const struct lend_map_group_shm *group;
		LENDI_MAP_ENTRY *entry;

		at = (at + step) & last;
		group = lendi_map_group(entries, last, at);
		entry = LENDI_MAP(lendi_look)(
			group, LENDI_MAP(lendi_slots)(entries, at), sought, hash);
		if (entry || !lendi_map_went_on(group, hash))
			return entry;
	}
	return NULL;
}

/* The entry with this hash and key; NULL when absent. */
LENDI_INSTANCE LENDI_MAP_ENTRY *LENDI_MAP(lendi_seek)(
	const struct LEND_MAP *map, LEND_MAP_SOUGHT sought, uint64_t hash)
{
	LENDI_MAP_ENTRY *entries = LENDI_MAP(lendi_entries)(map);
	const uint64_t last = map->shm.last;
	const uint64_t home = lendi_map_home(hash, last);
	const struct lend_map_group_shm *group = lendi_map_group(entries, last, home);
	LENDI_MAP_ENTRY *slots = LENDI_MAP(lendi_slots)(entries, home);
	LENDI_MAP_ENTRY *entry;

	__builtin_prefetch(slots); /* on its way while the tags are */
	entry = LENDI_MAP(lendi_look)(group, slots, sought, hash);
	if (LEND_LIKELY(entry || !lendi_map_went_on(group, hash)))
		return entry;
	return LENDI_MAP(lendi_seek_on)(map, sought, hash);
}

/* Where an entry with this hash goes: a free slot; the full groups before it are marked. */
LENDI_INSTANCE LENDI_MAP_ENTRY *LENDI_MAP(lendi_claim)(
	LENDI_MAP_ENTRY *entries, uint64_t last, uint64_t hash, uint8_t **out_tag)
{
	uint64_t at = lendi_map_home(hash, last);
	uint8_t tag = lendi_map_tag(hash);
	uint64_t step = 0;

	for (;;) {
		struct lend_map_group_shm *group = lendi_map_group(entries, last, at);
		uint32_t vacant = lendi_map_match(group, 0);

		if (LEND_LIKELY(vacant)) {
			unsigned slot = (unsigned)__builtin_ctz(vacant);

			*out_tag = &group->tags[slot];
			return &LENDI_MAP(lendi_slots)(entries, at)[slot];
		}
		group->overflow |= (uint8_t)(1u << lendi_map_overflow_bit(tag));
		step += LENDI_MAP_STEP;
		at = (at + step) & last;
	}
}

/* Move all entries to a table of this size, or to a first one. */
LENDI_INSTANCE_COLD int LENDI_MAP(lendi_rehash)(
	struct LEND_MAP *map, struct lend_arena *arena, uint64_t last)
{
	void *old = lend_ptr_get(&map->shm.entries);
	uint64_t old_last = map->shm.last;
	uint64_t groups = lendi_map_group_count(last);
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
		uint64_t hash = LENDI_MAP(lendi_hash)(entry, map->shm.seed);
		uint8_t *tag;

		LENDI_MAP(lendi_relocate)(LENDI_MAP(lendi_claim)(entries, last, hash, &tag), entry);
		*tag = lendi_map_tag(hash);
	}
	if (!old)
		map->shm.seed = lendi_map_seed(arena, table);
	lend_ptr_set(&map->shm.entries, entries);
	map->shm.last = last;
	map->shm.growth_left = lendi_map_load_max(groups) - map->shm.count;
	lendi_map_free(old, old_last, sizeof(*entry), arena);
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
	return LENDI_MAP(lendi_seek)(map, sought, LEND_MAP_HASH(sought, map->shm.seed));
}

/* Room for count entries in all without another allocation. 0 or a negative errno. */
LENDI_INSTANCE int LENDI_MAP(reserve)(
	struct LEND_MAP *map, struct lend_arena *arena, uint64_t count)
{
	if (count <= map->shm.count + map->shm.growth_left)
		return 0;
	if (count >= UINT64_C(1) << 48)
		return -ENOMEM;
	return LENDI_MAP(lendi_rehash)(map, arena, lendi_map_last_for(count));
}

/* Make an entry of a key that is absent; there is a table. */
LENDI_INSTANCE int LENDI_MAP(lendi_make)(struct LEND_MAP *map, struct lend_arena *arena,
	LEND_MAP_SOUGHT sought, uint64_t hash, LENDI_MAP_ENTRY **out_entry)
{
	LENDI_MAP_ENTRY *entry;
	uint8_t *tag;
	int err;

	if (LEND_UNLIKELY(map->shm.growth_left == 0)) {
		err = LENDI_MAP(lendi_rehash)(map, arena, lendi_map_last_next(&map->shm));
		if (err < 0)
			return err;
	}
	entry = LENDI_MAP(lendi_claim)(LENDI_MAP(lendi_entries)(map), map->shm.last, hash, &tag);
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
	LENDI_STORE_ORDER(); /* complete before it is seen */
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
		err = LENDI_MAP(lendi_rehash)(map, arena, 0);
		if (err < 0)
			return err;
	}
	hash = LEND_MAP_HASH(sought, map->shm.seed);
	entry = LENDI_MAP(lendi_seek)(map, sought, hash);
	if (entry) {
		*out_entry = entry;
		return 0;
	}
	return LENDI_MAP(lendi_make)(map, arena, sought, hash, out_entry);
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
	LENDI_MAP_ENTRY *entries = LENDI_MAP(lendi_entries)(map);
	size_t index = (size_t)(entry - entries);
	struct lend_map_group_shm *group = lendi_map_group(
		entries, map->shm.last, index / LEND_MAP_SLOTS * LENDI_MAP_STEP);
	uint8_t *tag = &group->tags[index % LEND_MAP_SLOTS];

	map->shm.growth_left += !(group->overflow >> lendi_map_overflow_bit(*tag) & 1);
	map->shm.count--;
	*tag = 0;
	LENDI_STORE_ORDER(); /* unseen before it is given back */
	LENDI_MAP(lendi_entry_fini)(arena, entry);
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
	uint64_t last = map->shm.last;

	if (lend_ptr_is_null(&map->shm.entries))
		return;
	for (entry = LENDI_MAP(first)(map, &at); entry; entry = LENDI_MAP(next)(&at))
		LENDI_MAP(lendi_entry_fini)(arena, entry);
	memset(lendi_map_group(LENDI_MAP(lendi_entries)(map), last, 0), 0,
		last + sizeof(struct lend_map_group_shm));
	map->shm.count = 0;
	map->shm.growth_left = lendi_map_load_max(lendi_map_group_count(last));
}

/* Give back all that the map owns; it is empty then, as after init(). */
LENDI_INSTANCE void LENDI_MAP(fini)(struct LEND_MAP *map, struct lend_arena *arena)
{
	void *entries = lend_ptr_get(&map->shm.entries);
	uint64_t last = map->shm.last;
	LENDI_MAP_ITERATOR at;
	LENDI_MAP_ENTRY *entry;

	for (entry = LENDI_MAP(first)(map, &at); entry; entry = LENDI_MAP(next)(&at))
		LENDI_MAP(lendi_entry_fini)(arena, entry);
	LENDI_MAP(init)(map);
	lendi_map_free(entries, last, sizeof(*entry), arena);
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

LENDI_INSTANCE_COLD int LENDI_MAP(lendi_check_key)(const void *entry, const struct lend_arena *arena)
{
	(void)entry;
	(void)arena;
#ifdef LEND_MAP_KEY_CHECK
	return LEND_MAP_KEY_CHECK(&((const LENDI_MAP_ENTRY *)entry)->key, arena);
#else
	return 0;
#endif
}

LENDI_INSTANCE_COLD const void *LENDI_MAP(lendi_check_find)(
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
		sizeof(LENDI_MAP_ENTRY), LENDI_MAP(lendi_check_key), LENDI_MAP(lendi_check_find)};

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
#undef LENDI_MAP_INTEGER_KEYS
#undef LENDI_MAP_ITERATOR
/* clang-format on */
#endif
