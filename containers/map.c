/* SPDX-License-Identifier: Apache-2.0 */
#include <lendheap/map.h>

#include "base/error.h"
#include "containers/reach.h"

struct table {
	const char *entries;
	uint64_t groups;
};

static const struct lend_map_group_shm *group_at(const struct table *table, uint64_t index)
{
	return lendi_map_group(
		table->entries, (table->groups - 1) * LENDI_MAP_STEP, index * LENDI_MAP_STEP);
}

static const void *entry_at(const struct table *table, const struct lend_map_kind *kind,
	uint64_t group, uint32_t slot)
{
	return table->entries + (group * LEND_MAP_SLOTS + slot) * kind->entry_bytes;
}

/* map is a copy of the header that lies at place. */
static int check_header(const struct lend_map_shm *map, const void *place,
	const struct lend_map_kind *kind, const struct lendi_reach *reach,
	struct table *out_table)
{
	uint64_t load_max;
	uint64_t groups;
	uint64_t bytes;
	uintptr_t begin;

	out_table->entries = lend_ptr_get(&map->entries);
	out_table->groups = 0;
	if (!out_table->entries) {
		if (map->count != 0 || map->growth_left != 0 || map->last != 0)
			return lendi_fail(-EUCLEAN,
				"map: %llu entries, room for %llu, last group at %llu, no "
				"table",
				(unsigned long long)map->count,
				(unsigned long long)map->growth_left,
				(unsigned long long)map->last);
		return 0;
	}
	groups = lendi_map_group_count(map->last);
	bytes = map->last % LENDI_MAP_STEP || (groups & (groups - 1))
			? 0
			: lendi_map_bytes(groups, kind->entry_bytes);
	if (!bytes)
		return lendi_fail(
			-EUCLEAN, "map: last group at %llu", (unsigned long long)map->last);
	load_max = lendi_map_load_max(groups);
	if (map->count > load_max || map->growth_left > load_max - map->count)
		return lendi_fail(-EUCLEAN, "map: %llu entries and room for %llu, of %llu",
			(unsigned long long)map->count, (unsigned long long)map->growth_left,
			(unsigned long long)load_max);
	out_table->groups = groups;
	/* An integer: before it is known to lie in the arena there may be no such pointer. */
	begin = (uintptr_t)out_table->entries - groups * sizeof(struct lend_map_group_shm);
	return lendi_reach_check(
		reach, "map", place, (const void *)begin, bytes, LENDI_MAP_ALIGNMENT);
}

/* The count, and that each key is safe to read. */
static int check_groups(const struct lend_map_shm *map, const struct lend_map_kind *kind,
	const struct lend_arena *arena, const struct table *table)
{
	uint64_t count = 0;
	uint64_t i;
	uint32_t slot;
	int err;

	for (i = 0; i < table->groups; i++) {
		const struct lend_map_group_shm *group = group_at(table, i);

		for (slot = 0; slot < LEND_MAP_SLOTS; slot++) {
			if (group->tags[slot] == 0)
				continue;
			err = kind->key_check(entry_at(table, kind, i, slot), arena);
			if (err)
				return err;
			count++;
		}
	}
	if (count != map->count)
		return lendi_fail(-EUCLEAN, "map: %llu entries, counted as %llu",
			(unsigned long long)count, (unsigned long long)map->count);
	return 0;
}

/* Each entry is found for its key: tags and overflow bits are right, none is there twice. */
static int check_search(const struct lend_map_shm *map, const struct lend_map_kind *kind,
	const struct table *table)
{
	uint64_t i;
	uint32_t slot;

	for (i = 0; i < table->groups; i++) {
		const struct lend_map_group_shm *group = group_at(table, i);

		for (slot = 0; slot < LEND_MAP_SLOTS; slot++) {
			const void *entry = entry_at(table, kind, i, slot);
			const void *found;

			if (group->tags[slot] == 0)
				continue;
			found = kind->find(map, entry);
			if (found != entry)
				return lendi_fail(-EUCLEAN,
					"map: group %llu, slot %u: its key finds %s",
					(unsigned long long)i, slot,
					found ? "another entry" : "nothing");
		}
	}
	return 0;
}

int lend_map_check(const struct lend_map_shm *map, const struct lend_map_kind *kind,
	const struct lend_arena *arena)
{
	struct lend_map_shm head; /* checked and used from here: the owner may rewrite it */
	struct lendi_reach reach;
	struct table table;
	int err;

	err = lendi_reach_init(&reach, arena, "map", map, sizeof(*map));
	if (err)
		return err;
	head.count = map->count;
	head.growth_left = map->growth_left;
	lend_ptr_copy(&head.entries, &map->entries);
	head.seed = map->seed;
	head.last = map->last;
	err = check_header(&head, map, kind, &reach, &table);
	if (err)
		return err;

	err = check_groups(&head, kind, arena, &table);
	if (err)
		return err;
	return check_search(&head, kind, &table);
}
