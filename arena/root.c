/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "arena/arena.h"

/*
 * Roots: a table of entries and an index over it, in the header of the data. The index is a hash
 * table with linear probing (Knuth, TAOCP 6.4, algorithm L) of entry numbers: 0 is free, GONE was
 * used, other words are a number plus one. Readers take no lock and may be in other processes; the
 * owner's writers hold root_lock.
 *
 * An entry is filled while no index word names it, then published by one store of its number. A
 * reader copies an entry and then looks whether the index names it still, with the same sequence:
 * an entry that was replaced, freed and filled with another name meanwhile would otherwise pass
 * for a root that is not the one sought. Everything taken from the table is copied and checked.
 */
#define GONE UINT32_MAX
#define RETRIES_MAX                                                                            \
	100 /* of a position whose entry is another each time: the reader gives up */

/* The words of an entry that a reader copies: all but the sequence. */
#define ENTRY_WORDS (offsetof(struct lend_root_shm, sequence) / sizeof(uint64_t))

static lend_word32 *index_of(const struct lend_arena *arena)
{
	return (lend_word32 *)(arena->base + LENDI_ROOT_INDEX_AT);
}

static struct lend_root_shm *entry_of(const struct lend_arena *arena, uint32_t number)
{
	return (struct lend_root_shm *)(arena->base + LENDI_ROOT_ENTRY_AT) + number;
}

static uint64_t hash_string(const char *string)
{
	uint64_t hash = LEND_LAYOUT_SEED;

	for (; *string; string++) {
		hash ^= (unsigned char)*string;
		hash *= UINT64_C(0x100000001b3);
	}
	/* FNV's low bits mix least of all and a table uses just those. */
	return hash ^ hash >> 32;
}

static int check_name(const char *name)
{
	size_t bytes = name ? strnlen(name, LEND_ROOT_NAME_BYTES_MAX + 1) : 0;

	if (bytes == 0 || bytes > LEND_ROOT_NAME_BYTES_MAX)
		return lendi_fail(-EINVAL, "root name %s, 1 to %u bytes are possible",
			bytes ? "too long" : "empty", LEND_ROOT_NAME_BYTES_MAX);
	return 0;
}

/* A root found: where, the index word that names it, and a copy of its entry. */
struct found {
	uint32_t position;
	uint32_t word;
	struct lend_root_shm root;
};

/*
 * Copy what an index position names. 0 with found->word 0 or GONE if that is nothing; -EUCLEAN
 * the word is no entry's, the copy has a string without an end, or it changed on every try.
 */
static int read_position(
	const struct lend_arena *arena, uint32_t position, struct found *out_found)
{
	const lend_word32 *word = &index_of(arena)[position];
	uint64_t *to = (uint64_t *)&out_found->root;
	const struct lend_root_shm *entry;
	uint32_t sequence;
	size_t i;
	int tries;

	out_found->position = position;
	for (tries = 0; tries < RETRIES_MAX; tries++) {
		/* ROOT: acquire; the entry named is filled, and so is its object. */
		out_found->word = lend_load_acquire32(word);
		if (out_found->word == 0 || out_found->word == GONE)
			return 0;
		if (out_found->word > LENDI_ROOT_ENTRY_COUNT)
			return lendi_fail(-EUCLEAN,
				"root index %u of arena \"%s\" names entry %u", position,
				arena->name, out_found->word - 1);
		entry = entry_of(arena, out_found->word - 1);
		/* SEQUENCE: acquire; the words are read after it. */
		sequence = lend_load_acquire32(&entry->sequence);
		for (i = 0; i < ENTRY_WORDS; i++)
			/* SEQUENCE: acquire, so that the second looks come after it; ROOT: object. */
			to[i] = lend_load_acquire64((const lend_word64 *)entry + i);
		/* ROOT: acquire, before the second look at the sequence. */
		if (!(sequence & 1) && lend_load_acquire32(word) == out_found->word &&
			lend_load_relaxed32(&entry->sequence) == sequence)
			break;
	}
	if (tries == RETRIES_MAX)
		return lendi_fail(-EUCLEAN, "root entry %u of arena \"%s\" does not hold still",
			out_found->word - 1, arena->name);
	if (!memchr(out_found->root.name, 0, sizeof(out_found->root.name)) ||
		!memchr(out_found->root.type_name, 0, sizeof(out_found->root.type_name)))
		return lendi_fail(-EUCLEAN, "root entry %u of arena \"%s\": a name has no end",
			out_found->word - 1, arena->name);
	return 0;
}

/* 0; -ENOENT, without a sentence; -EUCLEAN. */
static int find_root(const struct lend_arena *arena, const char *name, struct found *out_found)
{
	uint32_t start = (uint32_t)hash_string(name);
	uint32_t i;

	for (i = 0; i < LENDI_ROOT_INDEX_COUNT; i++) {
		int err = read_position(arena, (start + i) % LENDI_ROOT_INDEX_COUNT, out_found);

		if (err)
			return err;
		if (out_found->word == 0)
			break;
		if (out_found->word != GONE && strcmp(out_found->root.name, name) == 0)
			return 0;
	}
	return -ENOENT;
}

static int fail_missing(const struct lend_arena *arena, const char *name)
{
	return lendi_fail(-ENOENT, "arena \"%s\" has no root \"%s\"", arena->name, name);
}

/* Is the object where the arena has objects, and there to be read? 0; -EUCLEAN. */
static int check_object(const struct lend_arena *arena, const struct lend_root_shm *root)
{
	uint64_t offset = root->object.raw;

	if (offset < LENDI_HEADER_BYTES || offset >= arena->data_bytes ||
		root->type_bytes > arena->data_bytes - offset ||
		(root->type_alignment && offset % root->type_alignment))
		return lendi_fail(-EUCLEAN, "root \"%s\" is at offset 0x%llx of %llu bytes",
			root->name, (unsigned long long)offset,
			(unsigned long long)arena->data_bytes);
	return lendi_arena_check_exists(arena, offset + root->type_bytes);
}

static bool same_type(const struct lend_root_shm *root, const struct lend_type *type)
{
	return root->type_hash == hash_string(type->name) && root->type_bytes == type->bytes &&
	       root->type_alignment == type->alignment && root->type_version == type->version;
}

/* Find a root of this type with an object. 0; -ENOENT, -EPROTOTYPE, -EUCLEAN. */
static int find_typed(const struct lend_arena *arena, const char *name,
	const struct lend_type *type, struct found *out_found)
{
	const struct lend_root_shm *root = &out_found->root;
	int err;

	err = find_root(arena, name, out_found);
	if (err)
		return err == -ENOENT ? fail_missing(arena, name) : err;
	if (!same_type(root, type))
		return lendi_fail(-EPROTOTYPE,
			"root \"%s\" is a %s (%llu bytes, version %u), not a %s (%llu bytes, "
			"version %u)",
			name, root->type_name, (unsigned long long)root->type_bytes,
			root->type_version, type->name, (unsigned long long)type->bytes,
			type->version);
	return check_object(arena, root);
}

int lend_root_get(const struct lend_arena *arena, const char *name, struct lend_type type,
	const void **out_object)
{
	struct found found;
	int err;

	if (!arena || !type.name || !out_object)
		return lendi_fail(-EINVAL, "lend_root_get: NULL argument");
	if (arena->role == LENDI_NONE)
		return lendi_fail(-ESTALE, "the arena was destroyed or closed");
	err = check_name(name);
	if (!err)
		err = find_typed(arena, name, &type, &found);
	if (!err)
		*out_object = (const void *)(arena->base + found.root.object.raw);
	return err;
}

static uint32_t take_free_entry(struct lend_arena *arena)
{
	uint32_t number;

	for (number = 0; number < LENDI_ROOT_ENTRY_COUNT; number++) {
		uint64_t *used = &arena->root_used[number / 64];

		if (*used == UINT64_MAX) {
			number |= 63;
		} else if (!(*used >> number % 64 & 1)) {
			*used |= UINT64_C(1) << number % 64;
			break;
		}
	}
	return number;
}

static void give_free_entry(struct lend_arena *arena, uint32_t number)
{
	arena->root_used[number / 64] &= ~(UINT64_C(1) << number % 64);
}

static void fill_entry(struct lend_root_shm *entry, const char *name,
	const struct lend_type *type, uint64_t offset)
{
	struct lend_root_shm filled = {
		.type_hash = hash_string(type->name),
		.type_bytes = type->bytes,
		.type_alignment = type->alignment,
		.type_version = type->version,
		.object = {offset},
	};
	const uint64_t *from = (const uint64_t *)&filled;
	lend_word64 *to = (lend_word64 *)entry;
	uint32_t sequence = lend_load_relaxed32(&entry->sequence); /* ours alone to write */
	size_t i;

	memcpy(filled.name, name, strlen(name));
	memcpy(filled.type_name, type->name, strnlen(type->name, LENDI_ROOT_TYPE_NAME_MAX));

	/* Odd while it changes; a death in between leaves a free entry odd, so make it odd again. */
	sequence |= 1;
	lend_store_relaxed32(&entry->sequence, sequence);
	for (i = 0; i < ENTRY_WORDS; i++)
		/* SEQUENCE: release; who reads a new word sees the odd number. */
		lend_store_release64(&to[i], from[i]);
	LEND_CRASHPOINT("root.set.filling");
	/* SEQUENCE: release; an even number stands behind a whole entry. */
	lend_store_release32(&entry->sequence, sequence + 1);
}

/* Where a new name goes: the first position of its probe that names no entry. */
static uint32_t free_position(const struct lend_arena *arena, const char *name)
{
	const lend_word32 *index = index_of(arena);
	uint32_t start = (uint32_t)hash_string(name);
	uint32_t i;

	/* Ours alone to write; entries are half as many as positions, so an index whole has one. */
	for (i = 0; i < LENDI_ROOT_INDEX_COUNT; i++) {
		uint32_t position = (start + i) % LENDI_ROOT_INDEX_COUNT;
		uint32_t word = lend_load_relaxed32(&index[position]);

		if (word == 0 || word == GONE)
			return position;
	}
	return LENDI_ROOT_INDEX_COUNT;
}

static int set_locked(struct lend_arena *arena, const char *name, const struct lend_type *type,
	uint64_t offset, bool replaces)
{
	lend_word32 *index = index_of(arena);
	struct found old;
	uint32_t number;
	bool is_new;
	int err;

	err = find_root(arena, name, &old);
	if (err && err != -ENOENT)
		return err;
	is_new = err != 0;
	if (!is_new && !replaces)
		return lendi_fail(
			-EEXIST, "arena \"%s\" has a root \"%s\" already", arena->name, name);
	if (!is_new && same_type(&old.root, type)) {
		/* ROOT: release; the object was filled before. */
		lend_store_release64(&entry_of(arena, old.word - 1)->object, offset);
		return 0;
	}
	if (is_new)
		old.position = free_position(arena, name);
	if (old.position == LENDI_ROOT_INDEX_COUNT)
		return lendi_fail(-EUCLEAN, "root index of arena \"%s\" is full", arena->name);

	number = is_new && arena->root_count >= LEND_ROOT_COUNT_MAX ? LENDI_ROOT_ENTRY_COUNT
								    : take_free_entry(arena);
	if (number >= LENDI_ROOT_ENTRY_COUNT)
		return lendi_fail(-ENOSPC, "arena \"%s\" has %u roots already", arena->name,
			LEND_ROOT_COUNT_MAX);
	fill_entry(entry_of(arena, number), name, type, offset);
	LEND_CRASHPOINT("root.set.filled");
	/* ROOT: release; the entry and its object were filled before. */
	lend_store_release32(&index[old.position], number + 1);
	if (is_new)
		arena->root_count++;
	else
		give_free_entry(arena, old.word - 1);
	return 0;
}

static int set_root(struct lend_arena *arena, const char *name, struct lend_type type,
	const void *object, bool replaces)
{
	uint64_t offset;
	int err;

	err = lendi_arena_check_owned(arena);
	if (!err)
		err = check_name(name);
	if (err)
		return err;
	if (!type.name || (type.alignment & (type.alignment - 1)))
		return lendi_fail(-EINVAL, "root \"%s\": type without a name, or alignment %u",
			name, type.alignment);
	if (!lendi_arena_holds(arena, object) ||
		type.bytes > arena->heap_base + arena->heap_bytes - (uintptr_t)object)
		return lendi_fail(-EXDEV, "root \"%s\": %p is not in arena \"%s\"", name,
			object, arena->name);
	if (type.alignment && (uintptr_t)object % type.alignment)
		return lendi_fail(-EINVAL, "root \"%s\": %p is not aligned to %u", name, object,
			type.alignment);

	offset = (uintptr_t)object - arena->base;
	(void)pthread_mutex_lock(&arena->root_lock);
	err = set_locked(arena, name, &type, offset, replaces);
	(void)pthread_mutex_unlock(&arena->root_lock);
	return err;
}

int lend_root_set(
	struct lend_arena *arena, const char *name, struct lend_type type, const void *object)
{
	return set_root(arena, name, type, object, true);
}

int lend_root_add(
	struct lend_arena *arena, const char *name, struct lend_type type, const void *object)
{
	return set_root(arena, name, type, object, false);
}

/* No probe needs a mark in front of a free position: take such marks away, backwards. */
static void clear_marks(lend_word32 *index, uint32_t position)
{
	uint32_t next = (position + 1) % LENDI_ROOT_INDEX_COUNT;

	while (lend_load_relaxed32(&index[next]) == 0 &&
		lend_load_relaxed32(&index[position]) == GONE) {
		lend_store_relaxed32(&index[position], 0);
		next = position;
		position = (position + LENDI_ROOT_INDEX_COUNT - 1) % LENDI_ROOT_INDEX_COUNT;
	}
}

/* Forget a root of this type; NULL: of any. What it was is in *out_found. */
static int remove_root(struct lend_arena *arena, const char *name, const struct lend_type *type,
	struct found *out_found)
{
	lend_word32 *index;
	int err;

	err = lendi_arena_check_owned(arena);
	if (!err)
		err = check_name(name);
	if (err)
		return err;

	index = index_of(arena);
	(void)pthread_mutex_lock(&arena->root_lock);
	err = type ? find_typed(arena, name, type, out_found)
		   : find_root(arena, name, out_found);
	if (!err) {
		/* ROOT: release, so that what is set next here is ordered after it. */
		lend_store_release32(&index[out_found->position], GONE);
		LEND_CRASHPOINT("root.unset.marked");
		give_free_entry(arena, out_found->word - 1);
		if (arena->root_count)
			arena->root_count--;
		clear_marks(index, out_found->position);
	}
	(void)pthread_mutex_unlock(&arena->root_lock);
	return err == -ENOENT ? fail_missing(arena, name) : err;
}

int lend_root_unset(struct lend_arena *arena, const char *name)
{
	struct found found;

	return remove_root(arena, name, NULL, &found);
}

int lend_root_take(
	struct lend_arena *arena, const char *name, struct lend_type type, void **out_object)
{
	struct found found;
	int err;

	if (!type.name || !out_object)
		return lendi_fail(-EINVAL, "lend_root_take: NULL argument");
	err = remove_root(arena, name, &type, &found);
	if (!err)
		*out_object = (void *)(arena->base + found.root.object.raw);
	return err;
}

int lend_root_each(const struct lend_arena *arena,
	int (*visit)(const struct lend_root *root, void *context), void *context)
{
	struct lend_root root;
	struct found found;
	uint32_t i;
	int answer = 0;

	if (!arena || !visit)
		return lendi_fail(-EINVAL, "lend_root_each: NULL argument");
	if (arena->role == LENDI_NONE)
		return lendi_fail(-ESTALE, "the arena was destroyed or closed");

	for (i = 0; answer == 0 && i < LENDI_ROOT_INDEX_COUNT; i++) {
		/* What fails a check is left out: the others are still of use. */
		if (read_position(arena, i, &found) || found.word == 0 || found.word == GONE ||
			check_object(arena, &found.root))
			continue;
		root.name = found.root.name;
		root.type.name = found.root.type_name;
		root.type.bytes = found.root.type_bytes;
		root.type.alignment = found.root.type_alignment;
		root.type.version = found.root.type_version;
		root.object = (const void *)(arena->base + found.root.object.raw);
		answer = visit(&root, context);
	}
	return answer;
}
