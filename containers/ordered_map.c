/* SPDX-License-Identifier: Apache-2.0 */
#include <lendheap/ordered_map.h>

#include "base/error.h"
#include "containers/reach.h"

struct walk {
	const struct lend_ordered_map_kind *kind;
	const struct lend_arena *arena; /* for key_check */
	struct lendi_reach reach;
	const void *map;
	const void *last; /* entry, in order; its key is safe */
	uint64_t count;
	uint64_t count_max;
};

static int walk_entry(struct walk *walk, const void *entry)
{
	int err;

	err = walk->kind->key_check(entry, walk->arena);
	if (err)
		return err;
	/* What lies in two places in the tree ends here as well. */
	if (walk->last && !walk->kind->less(walk->last, entry))
		return lendi_fail(-EUCLEAN,
			"ordered map: entry %llu is not above the one before it",
			(unsigned long long)walk->count);
	if (++walk->count > walk->count_max)
		return lendi_fail(-EUCLEAN, "ordered map: more than its %llu entries",
			(unsigned long long)walk->count_max);
	walk->last = entry;
	return 0;
}

static int walk_node(struct walk *walk, const char *node, uint32_t level, uint32_t count_min)
{
	const struct lend_ordered_map_kind *kind = walk->kind;
	const struct lend_ptr_shm *children = (const void *)(node + kind->children_at);
	uint32_t count;
	uint32_t i;
	int err;

	err = lendi_reach_check(&walk->reach, "ordered map", walk->map, node,
		level ? kind->inner_bytes : kind->leaf_bytes, 16);
	if (err)
		return err;
	count = *(const volatile uint32_t *)(const void *)
			node; /* once: its owner may rewrite it */
	if (count < count_min || count > kind->slots)
		return lendi_fail(-EUCLEAN,
			"ordered map: a node of %u entries on level %u, not %u to %u", count,
			level, count_min, kind->slots);

	for (i = 0; i <= count; i++) {
		/* On the right edge one is enough. */
		uint32_t child_min = count_min == 1 && i == count ? 1 : kind->slots_min;

		if (level > 0) {
			err = walk_node(
				walk, lendi_ptr_get(&children[i]), level - 1, child_min);
			if (err)
				return err;
		}
		if (i == count)
			break;
		err = walk_entry(walk, node + kind->entries_at + i * kind->entry_bytes);
		if (err)
			return err;
	}
	return 0;
}

int lend_ordered_map_check(const struct lend_ordered_map_shm *map,
	const struct lend_ordered_map_kind *kind, const struct lend_arena *arena)
{
	struct walk walk = {.kind = kind, .arena = arena, .map = map};
	const void *root;
	uint32_t height;
	int err;

	err = lendi_reach_init(&walk.reach, arena, "ordered map", map, sizeof(*map));
	if (err)
		return err;
	walk.count_max = map->count;
	root = lend_ptr_get(&map->root);
	height = map->height;
	if (height > LEND_ORDERED_MAP_HEIGHT_MAX || !height != !root)
		return lendi_fail(-EUCLEAN, "ordered map: %u levels and %s root", height,
			root ? "a" : "no");
	if (root) {
		err = walk_node(&walk, root, height - 1, 1);
		if (err)
			return err;
	}
	if (walk.count != walk.count_max)
		return lendi_fail(-EUCLEAN, "ordered map: %llu entries, counted as %llu",
			(unsigned long long)walk.count, (unsigned long long)walk.count_max);
	return 0;
}
