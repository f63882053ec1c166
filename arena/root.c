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
 * reader that held on to the number of an entry since freed and filled anew sees its sequence
 * move and reads again. Everything a reader takes from the table is copied first and checked.
 */
#define GONE        UINT32_MAX
#define RETRIES_MAX 1000 /* an owner that changes a root without pause: the reader gives up */

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

/*
 * Copy an entry that its owner may be changing. False when it changed on every try, or when the
 * copy has strings without an end.
 */
static bool copy_entry(const struct lend_root_shm *entry, struct lend_root_shm *out_copy)
{
	uint64_t *to = (uint64_t *)out_copy;
	const lend_word64 *from = (const lend_word64 *)entry;
	uint32_t before;
	size_t i;
	int tries;

	for (tries = 0; tries < RETRIES_MAX; tries++) {
		/* SEQUENCE: acquire; the words are read after it. */
		before = lend_load_acquire32(&entry->sequence);
		for (i = 0; i < ENTRY_WORDS; i++)
			to[i] = lend_load_relaxed64(&from[i]); /* torn copies are thrown away */
		/* SEQUENCE: the words are read before the second look. */
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		if (!(before & 1) && lend_load_relaxed32(&entry->sequence) == before)
			return memchr(out_copy->name, 0, sizeof(out_copy->name)) &&
			       memchr(out_copy->type_name, 0, sizeof(out_copy->type_name));
	}
	return false;
}

/* The index position and a copy of the entry of a name. 0; -ENOENT, -EUCLEAN. */
static int find_root(const struct lend_arena *arena, const char *name, uint32_t *out_position,
	struct lend_root_shm *out_copy)
{
	const lend_word32 *index = index_of(arena);
	uint32_t start = (uint32_t)hash_string(name);
	uint32_t i;

	for (i = 0; i < LENDI_ROOT_INDEX_COUNT; i++) {
		uint32_t position = (start + i) % LENDI_ROOT_INDEX_COUNT;
		/* ROOT: acquire; the entry named is filled, and so is its object. */
		uint32_t word = lend_load_acquire32(&index[position]);

		if (word == 0)
			break;
		if (word == GONE)
			continue;
		if (word > LEND_ROOT_COUNT_MAX)
			return lendi_fail(-EUCLEAN,
				"root index %u of arena \"%s\" names entry %u", position,
				arena->name, word - 1);
		if (!copy_entry(entry_of(arena, word - 1), out_copy))
			return lendi_fail(-EUCLEAN,
				"root entry %u of arena \"%s\" does not hold still", word - 1,
				arena->name);
		if (strcmp(out_copy->name, name) == 0) {
			*out_position = position;
			return 0;
		}
	}
	return lendi_fail(-ENOENT, "arena \"%s\" has no root \"%s\"", arena->name, name);
}

static bool same_type(const struct lend_root_shm *root, const struct lend_type *type)
{
	return root->type_hash == hash_string(type->name) && root->type_bytes == type->bytes &&
	       root->type_alignment == type->alignment && root->type_version == type->version;
}

int lend_root_get(const struct lend_arena *arena, const char *name, struct lend_type type,
	const void **out_object)
{
	struct lend_root_shm root;
	uint32_t position;
	uint64_t offset;
	int err;

	if (!arena || !type.name || !out_object)
		return lendi_fail(-EINVAL, "lend_root_get: NULL argument");
	if (arena->role == LENDI_NONE)
		return lendi_fail(-ESTALE, "the arena was destroyed or closed");
	err = check_name(name);
	if (!err)
		err = find_root(arena, name, &position, &root);
	if (err)
		return err;
	if (!same_type(&root, &type))
		return lendi_fail(-EPROTOTYPE,
			"root \"%s\" is a %s (%llu bytes, version %u), not a %s (%llu bytes, "
			"version %u)",
			name, root.type_name, (unsigned long long)root.type_bytes,
			root.type_version, type.name, (unsigned long long)type.bytes,
			type.version);

	offset = root.object.raw;
	if (offset < LENDI_HEADER_BYTES || offset >= arena->data_bytes ||
		type.bytes > arena->data_bytes - offset ||
		(type.alignment && offset % type.alignment))
		return lendi_fail(-EUCLEAN, "root \"%s\" is at offset 0x%llx of %llu bytes",
			name, (unsigned long long)offset,
			(unsigned long long)arena->data_bytes);
	*out_object = (const void *)(arena->base + offset);
	return 0;
}

static uint32_t take_free_entry(struct lend_arena *arena)
{
	uint32_t word;

	for (word = 0; word < LEND_ROOT_COUNT_MAX / 64; word++) {
		if (arena->root_used[word] != UINT64_MAX) {
			int bit = __builtin_ctzll(~arena->root_used[word]);

			arena->root_used[word] |= UINT64_C(1) << bit;
			return word * 64 + (uint32_t)bit;
		}
	}
	return LEND_ROOT_COUNT_MAX;
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
	/* SEQUENCE: who reads a new word sees the odd number. */
	__atomic_thread_fence(__ATOMIC_RELEASE);
	for (i = 0; i < ENTRY_WORDS; i++)
		lend_store_relaxed64(&to[i], from[i]);
	LEND_CRASHPOINT("root.set.filling");
	/* SEQUENCE: release; an even number stands behind a whole entry. */
	lend_store_release32(&entry->sequence, sequence + 1);
}

/* Where a new name goes: the first position of its probe that names no entry. */
static uint32_t free_position(const struct lend_arena *arena, const char *name)
{
	const lend_word32 *index = index_of(arena);
	uint32_t position = (uint32_t)hash_string(name) % LENDI_ROOT_INDEX_COUNT;

	/* Ours alone to write; entries are half as many as positions, so there is one. */
	while (lend_load_relaxed32(&index[position]) != 0 &&
		lend_load_relaxed32(&index[position]) != GONE)
		position = (position + 1) % LENDI_ROOT_INDEX_COUNT;
	return position;
}

static int set_locked(struct lend_arena *arena, const char *name, const struct lend_type *type,
	uint64_t offset)
{
	lend_word32 *index = index_of(arena);
	struct lend_root_shm old;
	uint32_t old_number = LEND_ROOT_COUNT_MAX;
	uint32_t position;
	uint32_t number;
	int err;

	err = find_root(arena, name, &position, &old);
	if (err && err != -ENOENT)
		return err;
	if (!err) {
		old_number = lend_load_relaxed32(&index[position]) - 1;
		if (same_type(&old, type)) {
			/* ROOT: release; the object was filled before. */
			lend_store_release64(&entry_of(arena, old_number)->object, offset);
			return 0;
		}
	} else {
		position = free_position(arena, name);
	}

	number = take_free_entry(arena);
	if (number == LEND_ROOT_COUNT_MAX)
		return lendi_fail(-ENOSPC, "arena \"%s\" has %u roots already", arena->name,
			LEND_ROOT_COUNT_MAX);
	fill_entry(entry_of(arena, number), name, type, offset);
	LEND_CRASHPOINT("root.set.filled");
	/* ROOT: release; the entry and its object were filled before. */
	lend_store_release32(&index[position], number + 1);
	if (old_number != LEND_ROOT_COUNT_MAX)
		give_free_entry(arena, old_number);
	return 0;
}

int lend_root_set(
	struct lend_arena *arena, const char *name, struct lend_type type, const void *object)
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
	err = set_locked(arena, name, &type, offset);
	(void)pthread_mutex_unlock(&arena->root_lock);
	return err;
}

int lend_root_unset(struct lend_arena *arena, const char *name)
{
	struct lend_root_shm root;
	lend_word32 *index;
	uint32_t position;
	uint32_t next;
	int err;

	err = lendi_arena_check_owned(arena);
	if (!err)
		err = check_name(name);
	if (err)
		return err;

	index = index_of(arena);
	(void)pthread_mutex_lock(&arena->root_lock);
	err = find_root(arena, name, &position, &root);
	if (!err) {
		give_free_entry(arena, lend_load_relaxed32(&index[position]) - 1);
		/* ROOT: release, so that what is set next here is ordered after it. */
		lend_store_release32(&index[position], GONE);
		/* No probe needs a mark in front of a free position: take such marks away. */
		next = (position + 1) % LENDI_ROOT_INDEX_COUNT;
		while (lend_load_relaxed32(&index[next]) == 0 &&
			lend_load_relaxed32(&index[position]) == GONE) {
			lend_store_relaxed32(&index[position], 0);
			next = position;
			position = (position + LENDI_ROOT_INDEX_COUNT - 1) %
				   LENDI_ROOT_INDEX_COUNT;
		}
	}
	(void)pthread_mutex_unlock(&arena->root_lock);
	return err;
}

int lend_root_each(const struct lend_arena *arena,
	int (*visit)(const struct lend_root *root, void *context), void *context)
{
	const lend_word32 *index;
	struct lend_root_shm copy;
	struct lend_root root;
	uint32_t i;
	int answer = 0;

	if (!arena || !visit)
		return lendi_fail(-EINVAL, "lend_root_each: NULL argument");
	if (arena->role == LENDI_NONE)
		return lendi_fail(-ESTALE, "the arena was destroyed or closed");

	index = index_of(arena);
	for (i = 0; answer == 0 && i < LENDI_ROOT_INDEX_COUNT; i++) {
		/* ROOT: acquire. */
		uint32_t word = lend_load_acquire32(&index[i]);

		/* What fails a check is left out: the others are still of use. */
		if (word == 0 || word > LEND_ROOT_COUNT_MAX ||
			!copy_entry(entry_of(arena, word - 1), &copy) ||
			copy.object.raw >= arena->data_bytes)
			continue;
		root.name = copy.name;
		root.type.name = copy.type_name;
		root.type.bytes = copy.type_bytes;
		root.type.alignment = copy.type_alignment;
		root.type.version = copy.type_version;
		root.object = (const void *)(arena->base + copy.object.raw);
		answer = visit(&root, context);
	}
	return answer;
}
