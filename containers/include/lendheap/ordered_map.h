/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LENDHEAP_ORDERED_MAP_H
#define LENDHEAP_ORDERED_MAP_H

/*
 * An ordered map, or set, that owns its entries: a B-tree.
 *
 *	#define LEND_ORDERED_MAP       year_map
 *	#define LEND_ORDERED_MAP_KEY   int32_t
 *	#define LEND_ORDERED_MAP_VALUE struct year	left out: a set
 *	#include <lendheap/ordered_map.h>
 *
 *	struct year_map *years = lend_alloc_zeroed(arena, sizeof *years);	an empty map
 *	struct year_map_iterator at;
 *	struct year_map_entry *e;
 *
 *	if (year_map_put(years, arena, 1989, &e) == 1)	1: made, with a zeroed value
 *		e->value.population = 276751;
 *	e = year_map_find(years, 1989);			NULL when absent
 *	for (e = year_map_lower_bound(years, 1900, &at); e; e = year_map_next(&at))
 *		visit(e->key, &e->value);		from 1900 on, in order
 *	year_map_lower_bound(years, 1900, &at);
 *	e = year_map_prev(&at);				the last before 1900, or NULL
 *
 * Parameters. Each include makes one instance and forgets its parameters. Beside the three
 * above, all of them optional:
 *
 *	LEND_ORDERED_MAP_COMPARE(a, b)	of two sought ones: <, = or > 0; default: by <
 *	LEND_ORDERED_MAP_SOUGHT		what one looks up with; default the key's type
 *	LEND_ORDERED_MAP_AS_SOUGHT(key)	a stored key, an lvalue, as that
 *	LEND_ORDERED_MAP_KEY_INIT(arena, key, sought)
 *					make *key; 0, or a negative errno and nothing is made
 *	LEND_ORDERED_MAP_KEY_FINI(arena, key)	give back what *key owns
 *	LEND_ORDERED_MAP_KEY_CHECK(key, arena)	0 when *key is safe to read, else -EUCLEAN
 *	LEND_ORDERED_MAP_VALUE_FINI(arena, value)
 *	LEND_ORDERED_MAP_KEY_MOVE(to, from), LEND_ORDERED_MAP_VALUE_MOVE(to, from)
 *					relocate *from to uninitialised *to: for what holds
 *					self-relative pointers, which memcpy breaks
 *	LEND_ORDERED_MAP_STRING_KEYS	all of this for keys that are strings, in the order of
 *					their bytes: the key is a struct lend_string_shm
 *					(lendheap/string.h) and is sought as a lend_view
 *
 * | operation                       | cost         | entries and iterators after it | beside |
 * |---------------------------------|--------------|--------------------------------|--------|
 * | find, lower_bound, upper_bound, | O(log count) | all hold                       | R      |
 * | first, last                     |              |                                |        |
 * | next, prev, count               | O(1) am.     | all hold                       | R      |
 * | put and set that find           | O(log count) | all hold                       | X      |
 * | put and set that make           | O(log count) | none holds but the new entry   | X      |
 * | erase, erase_at                 | O(log count) | none holds but what they give  | X      |
 * | clear, fini                     | O(count)     | none holds                     | X      |
 * | move, swap                      | O(1)         | all hold, in the other map     | X      |
 * | check                           | O(count)     | all hold                       | R      |
 *
 * R: other readers may run at the same time, in any process. X: the caller excludes everyone.
 * Keys put in ascending order leave full nodes.
 *
 * Results: 0, or what is said, or the negative errno of an allocation or of KEY_INIT, and then
 * the map is as it was. Erasing cannot fail. The arena is the one that the map lies in.
 * Layout. A header and nodes that point down only, by self-relative pointers. Zeroed memory is
 * an empty map.
 * Death. An owner that dies in a put or an erasure leaves a map that check may refuse.
 *
 * Source: Bayer, McCreight, Organization and maintenance of large ordered indexes, 1972; that
 * a split at the right edge leaves the left node full is as in absl::btree_map.
 */
#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <lendheap/alloc.h>
#include <lendheap/compiler.h>
#include <lendheap/instance.h>
#include <lendheap/layout.h>
#include <lendheap/ptr.h>
#include <lendheap/string.h>

#ifdef __cplusplus
#include <type_traits>

extern "C" {
#endif

/* More levels no arena has room for: a node but the root has three children or more. */
#define LEND_ORDERED_MAP_HEIGHT_MAX 28

struct lend_ordered_map_shm {
	LEND_PTR(void) root; /* null: empty */
	uint64_t count;
	uint32_t height; /* levels of nodes; on level 0 are the leaves */
	uint32_t pad0;
};
LEND_SHM_SIZEOF(struct lend_ordered_map_shm, 24);
LEND_SHM_AT(struct lend_ordered_map_shm, height, 16);

/* What the check needs to know of an instance. */
struct lend_ordered_map_kind {
	uint64_t leaf_bytes;
	uint64_t inner_bytes;
	uint64_t entry_bytes;
	uint32_t entries_at; /* in a node; its first word is the count of entries */
	uint32_t children_at;
	uint32_t slots;
	uint32_t slots_min; /* less are in the root, and in nodes on the right edge */
	/* 0, or -EUCLEAN when the entry's key is not safe to read. */
	int (*key_check)(const void *entry, const struct lend_arena *arena);
	/* 1 when the key of entry a is below that of b. */
	int (*less)(const void *a, const void *b);
};

/*
 * Walk every invariant of an ordered map: what <name>_check() calls. With an arena (else NULL)
 * also that all lies in its data: then any bytes may be there, and it neither crashes nor
 * hangs. 0; -EUCLEAN with a sentence, -EXDEV the map itself is not in the arena, -ESTALE.
 */
LEND_API int lend_ordered_map_check(const struct lend_ordered_map_shm *map,
	const struct lend_ordered_map_kind *kind, const struct lend_arena *arena);

/* From here on: how the instances are made; names with lendi_ are not for use elsewhere. */

/*
 * Entries in a node: 15, fewer where it would be more than 512 bytes, but never below 5.
 * Measured: docs/decisions, 0004.
 */
#define LENDI_ORDERED_SLOTS(bytes)                                                             \
	((bytes)*15 <= 504 ? 15 : (bytes)*5 >= 504 ? 5 : 504 / (bytes))

/* lend_view_compare(), but the first eight bytes, which mostly decide, without a call. */
static inline int lendi_ordered_compare(lend_view a, lend_view b)
{
	uint64_t first_a;
	uint64_t first_b;

	if (LEND_LIKELY(a.bytes >= 8 && b.bytes >= 8)) {
		memcpy(&first_a, a.at, 8);
		memcpy(&first_b, b.at, 8);
		if (first_a != first_b)
			return __builtin_bswap64(first_a) < __builtin_bswap64(first_b) ? -1 : 1;
	}
	return lend_view_compare(a, b);
}

/* Become what `from` was; `from` is empty then. */
static inline void lendi_ordered_move(
	struct lend_ordered_map_shm *to, struct lend_ordered_map_shm *from)
{
	lend_ptr_copy(&to->root, &from->root);
	to->count = from->count;
	to->height = from->height;
	to->pad0 = 0;
	memset((void *)from, 0, sizeof(*from));
}

#ifdef __cplusplus
}
#endif

#endif /* LENDHEAP_ORDERED_MAP_H */

#ifdef LEND_ORDERED_MAP

/* clang-format off */

#ifdef LEND_ORDERED_MAP_STRING_KEYS
#define LEND_ORDERED_MAP_KEY            struct lend_string_shm
#define LEND_ORDERED_MAP_SOUGHT         lend_view
#define LEND_ORDERED_MAP_AS_SOUGHT(key) lend_string_view(&(key))
#define LEND_ORDERED_MAP_COMPARE(a, b)  lendi_ordered_compare(a, b)
#define LEND_ORDERED_MAP_KEY_INIT(arena, key, sought)                                          \
	(lend_string_init(key), lend_string_set(key, arena, sought))
#define LEND_ORDERED_MAP_KEY_FINI(arena, key)  lend_string_fini(key, arena)
#define LEND_ORDERED_MAP_KEY_MOVE(to, from)    lend_string_move(to, from)
#define LEND_ORDERED_MAP_KEY_CHECK(key, arena) lend_string_check(key, arena)
#endif
#ifndef LEND_ORDERED_MAP_SOUGHT
#define LEND_ORDERED_MAP_SOUGHT LEND_ORDERED_MAP_KEY
#endif
#ifndef LEND_ORDERED_MAP_AS_SOUGHT
#define LEND_ORDERED_MAP_AS_SOUGHT(key) (key)
#endif
#ifdef LEND_ORDERED_MAP_COMPARE
#define LENDI_ORDERED_LESS(a, b) (LEND_ORDERED_MAP_COMPARE(a, b) < 0)
#else
#define LENDI_ORDERED_LESS(a, b) ((a) < (b))
#endif

#define LENDI_ORDERED(name)    LENDI_JOIN(LEND_ORDERED_MAP, name)
#define LENDI_ORDERED_ENTRY    struct LENDI_ORDERED(entry)
#define LENDI_ORDERED_NODE     struct LENDI_ORDERED(lendi_node)
#define LENDI_ORDERED_INNER    struct LENDI_ORDERED(lendi_inner)
#define LENDI_ORDERED_ITERATOR struct LENDI_ORDERED(iterator)

struct LEND_ORDERED_MAP {
	struct lend_ordered_map_shm shm;
};

LENDI_ORDERED_ENTRY {
	LEND_ORDERED_MAP_KEY key; /* not to be changed */
#ifdef LEND_ORDERED_MAP_VALUE
	LEND_ORDERED_MAP_VALUE value;
#endif
};

#ifdef __cplusplus
LEND_STATIC_ASSERT(std::is_trivially_destructible<LENDI_ORDERED_ENTRY>::value,
	"keys and values pass through local variables: no destructors, give a FINI instead");
#endif

enum {
	LENDI_ORDERED(lendi_slots) = LENDI_ORDERED_SLOTS(sizeof(LENDI_ORDERED_ENTRY)),
	LENDI_ORDERED(lendi_slots_min) = (LENDI_ORDERED(lendi_slots) - 1) / 2
};

/* A leaf, or the first part of an inner node. */
LENDI_ORDERED_NODE {
	uint32_t count;
	uint32_t pad0;
	LENDI_ORDERED_ENTRY entries[LENDI_ORDERED(lendi_slots)];
};
LEND_STATIC_ASSERT(
	LEND_ALIGNOF(LENDI_ORDERED_NODE) <= 16, "an entry is aligned to 16 bytes at most");

/* children[i] has the keys below entries[i]; there is one more than there are entries. */
LENDI_ORDERED_INNER {
	LENDI_ORDERED_NODE node;
	LEND_PTR(LENDI_ORDERED_NODE) children[LENDI_ORDERED(lendi_slots) + 1];
};

/*
 * A place in the map, or a path to one; of no meaning outside its process. On the levels above
 * `level` the positions are those of the children taken, below it nothing is set.
 */
LENDI_ORDERED_ITERATOR {
	uint32_t level; /* of the entry: nodes[level]->entries[positions[level]] */
	uint32_t height;
	uint32_t positions[LEND_ORDERED_MAP_HEIGHT_MAX];
	LENDI_ORDERED_NODE *nodes[LEND_ORDERED_MAP_HEIGHT_MAX];
};

LENDI_INSTANCE LENDI_ORDERED_NODE *LENDI_ORDERED(lendi_root)(const struct LEND_ORDERED_MAP *map)
{
	return (LENDI_ORDERED_NODE *)lend_ptr_get_raw(&map->shm.root);
}

LENDI_INSTANCE LENDI_ORDERED_INNER *LENDI_ORDERED(lendi_as_inner)(LENDI_ORDERED_NODE *node)
{
	return (LENDI_ORDERED_INNER *)(void *)node;
}

LENDI_INSTANCE LENDI_ORDERED_NODE *LENDI_ORDERED(lendi_child)(
	LENDI_ORDERED_NODE *node, uint32_t index)
{
	return lend_ptr_get_raw(&LENDI_ORDERED(lendi_as_inner)(node)->children[index]);
}

/*
 * Where in a node the first entry is that is not below sought, and whether it is equal. With <
 * one by one: on so few, one branch that is not foreseen costs less than the four of halving,
 * and less than halving without branches, where each step waits for the one before.
 */
LENDI_INSTANCE uint32_t LENDI_ORDERED(lendi_search)(
	const LENDI_ORDERED_NODE *node, LEND_ORDERED_MAP_SOUGHT sought, int *out_is_equal)
{
	uint32_t count = node->count;
#ifdef LEND_ORDERED_MAP_COMPARE
	uint32_t low = 0;

	while (low < count) {
		uint32_t middle = (low + count) / 2;
		int order = LEND_ORDERED_MAP_COMPARE(
			LEND_ORDERED_MAP_AS_SOUGHT(node->entries[middle].key), sought);

		if (order < 0) {
			low = middle + 1;
		} else if (order > 0) {
			count = middle;
		} else {
			*out_is_equal = 1;
			return middle;
		}
	}
	*out_is_equal = 0;
	return low;
#else
	uint32_t at = 0;

	while (at < count && LEND_ORDERED_MAP_AS_SOUGHT(node->entries[at].key) < sought)
		at++;
	*out_is_equal =
		at < count && !(sought < LEND_ORDERED_MAP_AS_SOUGHT(node->entries[at].key));
	return at;
#endif
}

LENDI_INSTANCE void LENDI_ORDERED(lendi_relocate)(LENDI_ORDERED_ENTRY *to,
	LENDI_ORDERED_ENTRY *from)
{
#ifdef LEND_ORDERED_MAP_KEY_MOVE
	LEND_ORDERED_MAP_KEY_MOVE(&to->key, &from->key);
#else
	memcpy((void *)&to->key, (const void *)&from->key, sizeof(to->key));
#endif
#if defined(LEND_ORDERED_MAP_VALUE) && defined(LEND_ORDERED_MAP_VALUE_MOVE)
	LEND_ORDERED_MAP_VALUE_MOVE(&to->value, &from->value);
#elif defined(LEND_ORDERED_MAP_VALUE)
	memcpy((void *)&to->value, (const void *)&from->value, sizeof(to->value));
#endif
}

/* count entries to elsewhere; the two may overlap. */
LENDI_INSTANCE void LENDI_ORDERED(lendi_relocate_many)(
	LENDI_ORDERED_ENTRY *to, LENDI_ORDERED_ENTRY *from, uint32_t count)
{
#if defined(LEND_ORDERED_MAP_KEY_MOVE) || defined(LEND_ORDERED_MAP_VALUE_MOVE)
	uint32_t i;

	if (to < from)
		for (i = 0; i < count; i++)
			LENDI_ORDERED(lendi_relocate)(&to[i], &from[i]);
	else
		for (i = count; i > 0; i--)
			LENDI_ORDERED(lendi_relocate)(&to[i - 1], &from[i - 1]);
#else
	memmove((void *)to, (const void *)from, count * sizeof(*to));
#endif
}

/* The same for children, which are of inner nodes. */
LENDI_INSTANCE void LENDI_ORDERED(lendi_relocate_children)(LENDI_ORDERED_NODE *to,
	uint32_t to_index,
	LENDI_ORDERED_NODE *from, uint32_t from_index, uint32_t count)
{
	LENDI_ORDERED_INNER *a = LENDI_ORDERED(lendi_as_inner)(to);
	LENDI_ORDERED_INNER *b = LENDI_ORDERED(lendi_as_inner)(from);
	uint32_t i;

	if (a != b || to_index < from_index)
		for (i = 0; i < count; i++)
			lend_ptr_copy(&a->children[to_index + i], &b->children[from_index + i]);
	else
		for (i = count; i > 0; i--)
			lend_ptr_copy(&a->children[to_index + i - 1],
				&b->children[from_index + i - 1]);
}

LENDI_INSTANCE void LENDI_ORDERED(lendi_entry_fini)(
	struct lend_arena *arena, LENDI_ORDERED_ENTRY *entry)
{
	(void)arena;
	(void)entry;
#ifdef LEND_ORDERED_MAP_KEY_FINI
	LEND_ORDERED_MAP_KEY_FINI(arena, &entry->key);
#endif
#if defined(LEND_ORDERED_MAP_VALUE) && defined(LEND_ORDERED_MAP_VALUE_FINI)
	LEND_ORDERED_MAP_VALUE_FINI(arena, &entry->value);
#endif
}

LENDI_INSTANCE size_t LENDI_ORDERED(lendi_node_bytes)(uint32_t level)
{
	return level ? sizeof(LENDI_ORDERED_INNER) : sizeof(LENDI_ORDERED_NODE);
}

/* Zeroed memory is the same. */
LENDI_INSTANCE void LENDI_ORDERED(init)(struct LEND_ORDERED_MAP *map)
{
	memset((void *)map, 0, sizeof(*map));
}

LENDI_INSTANCE uint64_t LENDI_ORDERED(count)(const struct LEND_ORDERED_MAP *map)
{
	return map->shm.count;
}

/* The entry with this key; NULL when absent. */
LENDI_INSTANCE LENDI_ORDERED_ENTRY *LENDI_ORDERED(find)(
	const struct LEND_ORDERED_MAP *map, LEND_ORDERED_MAP_SOUGHT sought)
{
	uint32_t level = map->shm.height;
	LENDI_ORDERED_NODE *node;

	if (level == 0)
		return NULL;
	for (node = LENDI_ORDERED(lendi_root)(map);;) {
		int is_equal;
		uint32_t position = LENDI_ORDERED(lendi_search)(node, sought, &is_equal);

		if (is_equal)
			return &node->entries[position];
		if (--level == 0)
			return NULL;
		node = LENDI_ORDERED(lendi_child)(node, position);
	}
}

/* Up to the first level where an entry is at the position; NULL when there is none. */
LENDI_INSTANCE LENDI_ORDERED_ENTRY *LENDI_ORDERED(lendi_climb)(LENDI_ORDERED_ITERATOR *at)
{
	for (; at->level < at->height; at->level++)
		if (at->positions[at->level] < at->nodes[at->level]->count)
			return &at->nodes[at->level]->entries[at->positions[at->level]];
	return NULL;
}

/* From the child at the position, down to its first leaf, or its last, before or behind all. */
LENDI_INSTANCE void LENDI_ORDERED(lendi_descend)(LENDI_ORDERED_ITERATOR *at, int to_last)
{
	while (at->level > 0) {
		LENDI_ORDERED_NODE *node =
			LENDI_ORDERED(lendi_child)(at->nodes[at->level],
				at->positions[at->level]);

		at->level--;
		at->nodes[at->level] = node;
		at->positions[at->level] = to_last ? node->count : 0;
	}
}

/* At the root, before or behind all; 0 when the map is empty. */
LENDI_INSTANCE int LENDI_ORDERED(lendi_enter)(
	const struct LEND_ORDERED_MAP *map, LENDI_ORDERED_ITERATOR *out_at, int to_last)
{
	LENDI_ORDERED_NODE *root;

	out_at->height = map->shm.height;
	out_at->level = 0;
	if (out_at->height == 0)
		return 0;
	root = LENDI_ORDERED(lendi_root)(map);
	out_at->level = out_at->height - 1;
	out_at->nodes[out_at->level] = root;
	out_at->positions[out_at->level] = to_last ? root->count : 0;
	return 1;
}

/* The entry after the iterator's; NULL at the end, where the iterator stays; prev leads back. */
LENDI_INSTANCE LENDI_ORDERED_ENTRY *LENDI_ORDERED(next)(LENDI_ORDERED_ITERATOR *at)
{
	if (at->level == at->height)
		return NULL;
	at->positions[at->level]++;
	LENDI_ORDERED(lendi_descend)(at, 0);
	return LENDI_ORDERED(lendi_climb)(at);
}

/*
 * The entry before the iterator's, of one at the end the last; NULL at the beginning, and then
 * neither next nor prev lead anywhere.
 */
LENDI_INSTANCE LENDI_ORDERED_ENTRY *LENDI_ORDERED(prev)(LENDI_ORDERED_ITERATOR *at)
{
	if (at->level == at->height) {
		/* Behind all of the root, unless prev left it before all or there is no root. */
		if (at->height == 0 || at->positions[at->height - 1] == 0)
			return NULL;
		at->level--;
	}
	LENDI_ORDERED(lendi_descend)(at, 1);
	for (; at->level < at->height; at->level++)
		if (at->positions[at->level] > 0)
			return &at->nodes[at->level]->entries[--at->positions[at->level]];
	return NULL;
}

/* The entry with the lowest key; NULL when the map is empty. */
LENDI_INSTANCE LENDI_ORDERED_ENTRY *LENDI_ORDERED(first)(
	const struct LEND_ORDERED_MAP *map, LENDI_ORDERED_ITERATOR *out_at)
{
	if (!LENDI_ORDERED(lendi_enter)(map, out_at, 0))
		return NULL;
	LENDI_ORDERED(lendi_descend)(out_at, 0);
	return LENDI_ORDERED(lendi_climb)(out_at);
}

/* The entry with the highest key; NULL when the map is empty. */
LENDI_INSTANCE LENDI_ORDERED_ENTRY *LENDI_ORDERED(last)(
	const struct LEND_ORDERED_MAP *map, LENDI_ORDERED_ITERATOR *out_at)
{
	return LENDI_ORDERED(lendi_enter)(map, out_at, 1) ? LENDI_ORDERED(prev)(out_at) : NULL;
}

/*
 * The way down to where a key is, or would be on level 0: 1 when it is there. The map is not
 * empty. *out_at_edge: nothing in the map is above it.
 */
LENDI_INSTANCE int LENDI_ORDERED(lendi_seek)(const struct LEND_ORDERED_MAP *map,
	LEND_ORDERED_MAP_SOUGHT sought, LENDI_ORDERED_ITERATOR *out_at, int *out_at_edge)
{
	LENDI_ORDERED_NODE *node = LENDI_ORDERED(lendi_root)(map);
	uint32_t level = map->shm.height;
	int at_edge = 1;
	int is_equal;

	out_at->height = level;
	for (;;) {
		uint32_t position = LENDI_ORDERED(lendi_search)(node, sought, &is_equal);

		level--;
		out_at->nodes[level] = node;
		out_at->positions[level] = position;
		at_edge &= position == node->count;
		if (is_equal || level == 0)
			break;
		node = LENDI_ORDERED(lendi_child)(node, position);
	}
	out_at->level = level;
	*out_at_edge = at_edge;
	return is_equal;
}

/* The first entry whose key is not below sought; NULL when there is none. */
LENDI_INSTANCE LENDI_ORDERED_ENTRY *LENDI_ORDERED(lower_bound)(
	const struct LEND_ORDERED_MAP *map, LEND_ORDERED_MAP_SOUGHT sought,
	LENDI_ORDERED_ITERATOR *out_at)
{
	int at_edge;

	if (!LENDI_ORDERED(lendi_enter)(map, out_at, 0))
		return NULL;
	(void)LENDI_ORDERED(lendi_seek)(map, sought, out_at, &at_edge);
	return LENDI_ORDERED(lendi_climb)(out_at);
}

/* The first entry whose key is above sought; NULL when there is none. */
LENDI_INSTANCE LENDI_ORDERED_ENTRY *LENDI_ORDERED(upper_bound)(
	const struct LEND_ORDERED_MAP *map, LEND_ORDERED_MAP_SOUGHT sought,
	LENDI_ORDERED_ITERATOR *out_at)
{
	int at_edge;

	if (!LENDI_ORDERED(lendi_enter)(map, out_at, 0))
		return NULL;
	if (LENDI_ORDERED(lendi_seek)(map, sought, out_at, &at_edge))
		return LENDI_ORDERED(next)(out_at);
	return LENDI_ORDERED(lendi_climb)(out_at);
}

/* Put *entry, and a child behind it unless NULL, into a node that is not full. */
LENDI_INSTANCE LENDI_ORDERED_ENTRY *LENDI_ORDERED(lendi_insert)(LENDI_ORDERED_NODE *node,
	uint32_t position, LENDI_ORDERED_ENTRY *entry, LENDI_ORDERED_NODE *child)
{
	LENDI_ORDERED_ENTRY *place = &node->entries[position];
	uint32_t behind = node->count - position;

	LENDI_ORDERED(lendi_relocate_many)(place + 1, place, behind);
	LENDI_ORDERED(lendi_relocate)(place, entry);
	if (child) {
		LENDI_ORDERED(lendi_relocate_children)(node, position + 2, node, position + 1,
			behind);
		lend_ptr_set(
			&LENDI_ORDERED(lendi_as_inner)(node)->children[position + 1], child);
	}
	node->count++;
	return place;
}

/* Leave `keep` entries in a full node, the next one in *out_middle, the others in right. */
LENDI_INSTANCE void LENDI_ORDERED(lendi_split)(LENDI_ORDERED_NODE *node, uint32_t keep,
	int is_inner,
	LENDI_ORDERED_ENTRY *out_middle, LENDI_ORDERED_NODE *right)
{
	uint32_t moved = node->count - keep - 1;

	LENDI_ORDERED(lendi_relocate)(out_middle, &node->entries[keep]);
	LENDI_ORDERED(lendi_relocate_many)(right->entries, &node->entries[keep + 1], moved);
	if (is_inner)
		LENDI_ORDERED(lendi_relocate_children)(right, 0, node, keep + 1, moved + 1);
	right->count = moved;
	right->pad0 = 0;
	node->count = keep;
}

/* A new node for each full one on the way up, and a root if they all are: 0 or an errno. */
LENDI_INSTANCE int LENDI_ORDERED(lendi_provide)(
	struct lend_arena *arena, const LENDI_ORDERED_ITERATOR *at, LENDI_ORDERED_NODE **nodes)
{
	uint32_t level;
	int err;

	for (level = 0;; level++) {
		if (level < at->height && at->nodes[level]->count < LENDI_ORDERED(lendi_slots))
			return 0;
		nodes[level] = NULL;
		if (level < LEND_ORDERED_MAP_HEIGHT_MAX)
			nodes[level] = (LENDI_ORDERED_NODE *)lend_alloc(
				arena, LENDI_ORDERED(lendi_node_bytes)(level));
		else
			errno = ENOMEM;
		if (!nodes[level])
			break;
		if (level == at->height)
			return 0;
	}
	err = errno > 0 ? -errno : -ENOMEM; /* negative, as the compiler sees too */
	while (level-- > 0)
		lend_free_sized(arena, nodes[level], LENDI_ORDERED(lendi_node_bytes)(level));
	return err;
}

/* The slow part of make(): the leaf is full, or there is none. */
LENDI_INSTANCE_COLD int LENDI_ORDERED(lendi_grow)(struct LEND_ORDERED_MAP *map,
	struct lend_arena *arena, LENDI_ORDERED_ITERATOR *at, int at_edge,
	LENDI_ORDERED_ENTRY *entry, LENDI_ORDERED_ENTRY **out_entry)
{
	LENDI_ORDERED_NODE *nodes[LEND_ORDERED_MAP_HEIGHT_MAX + 1];
	LENDI_ORDERED_NODE *right = NULL;
	LENDI_ORDERED_ENTRY carried;
	LENDI_ORDERED_ENTRY middle;
	uint32_t keep = at_edge ? LENDI_ORDERED(lendi_slots) - 1 :
		LENDI_ORDERED(lendi_slots) / 2;
	uint32_t level;
	int err;

	err = LENDI_ORDERED(lendi_provide)(arena, at, nodes);
	if (err < 0)
		return err;

	LENDI_ORDERED(lendi_relocate)(&carried, entry);
	for (level = 0; level < at->height; level++) {
		LENDI_ORDERED_NODE *node = at->nodes[level];
		uint32_t position = at->positions[level];
		LENDI_ORDERED_NODE *child = right;
		LENDI_ORDERED_ENTRY *place;

		if (node->count < LENDI_ORDERED(lendi_slots)) {
			LENDI_ORDERED(lendi_insert)(node, position, &carried, child);
			return 0;
		}
		right = nodes[level];
		LENDI_ORDERED(lendi_split)(node, keep, level > 0, &middle, right);
		if (position > keep) {
			node = right;
			position -= keep + 1;
		}
		place = LENDI_ORDERED(lendi_insert)(node, position, &carried, child);
		if (level == 0)
			*out_entry = place;
		LENDI_ORDERED(lendi_relocate)(&carried, &middle);
	}
	nodes[level]->count = 0;
	nodes[level]->pad0 = 0;
	if (level > 0)
		lend_ptr_set(&LENDI_ORDERED(lendi_as_inner)(nodes[level])->children[0],
			LENDI_ORDERED(lendi_root)(map));
	else
		*out_entry = nodes[level]->entries;
	LENDI_ORDERED(lendi_insert)(nodes[level], 0, &carried, right);
	lend_ptr_set(&map->shm.root, nodes[level]);
	map->shm.height = level + 1;
	return 0;
}

/* Make an entry of a key that is absent. */
LENDI_INSTANCE int LENDI_ORDERED(lendi_make)(struct LEND_ORDERED_MAP *map,
	struct lend_arena *arena,
	LENDI_ORDERED_ITERATOR *at, int at_edge, LEND_ORDERED_MAP_SOUGHT sought,
	LENDI_ORDERED_ENTRY **out_entry)
{
	LENDI_ORDERED_ENTRY entry;
	LENDI_ORDERED_ENTRY *made;
	int err;

#ifdef LEND_ORDERED_MAP_KEY_INIT
	err = LEND_ORDERED_MAP_KEY_INIT(arena, &entry.key, sought);
	if (err < 0)
		return err;
#else
	entry.key = sought;
#endif
#ifdef LEND_ORDERED_MAP_VALUE
	memset((void *)&entry.value, 0, sizeof(entry.value));
#endif
	if (LEND_LIKELY(at->height && at->nodes[0]->count < LENDI_ORDERED(lendi_slots))) {
		made = LENDI_ORDERED(lendi_insert)(
			at->nodes[0], at->positions[0], &entry, NULL);
	} else {
		err = LENDI_ORDERED(lendi_grow)(map, arena, at, at_edge, &entry, &made);
		if (err < 0) {
#ifdef LEND_ORDERED_MAP_KEY_FINI
			LEND_ORDERED_MAP_KEY_FINI(arena, &entry.key);
#endif
			return err;
		}
	}
	map->shm.count++;
	*out_entry = made;
	return 1;
}

/*
 * Find or make the entry with this key. 1 when it was made, with a zeroed value; 0 when it was
 * there; else a negative errno.
 */
LENDI_INSTANCE int LENDI_ORDERED(put)(struct LEND_ORDERED_MAP *map, struct lend_arena *arena,
	LEND_ORDERED_MAP_SOUGHT sought, LENDI_ORDERED_ENTRY **out_entry)
{
	LENDI_ORDERED_ITERATOR at;
	int at_edge = 1;

	at.height = 0;
	if (map->shm.height && LENDI_ORDERED(lendi_seek)(map, sought, &at, &at_edge)) {
		*out_entry = &at.nodes[at.level]->entries[at.positions[at.level]];
		return 0;
	}
	return LENDI_ORDERED(lendi_make)(map, arena, &at, at_edge, sought, out_entry);
}

/*
 * Put, and assign the value: 1 when the entry was made, 0 when it was there, else a negative
 * errno. Not there for a VALUE with FINI or MOVE, which = would not do justice.
 */
#if defined(LEND_ORDERED_MAP_VALUE) && !defined(LEND_ORDERED_MAP_VALUE_FINI) &&                \
	!defined(LEND_ORDERED_MAP_VALUE_MOVE)
LENDI_INSTANCE int LENDI_ORDERED(set)(struct LEND_ORDERED_MAP *map, struct lend_arena *arena,
	LEND_ORDERED_MAP_SOUGHT sought, LEND_ORDERED_MAP_VALUE value)
{
	LENDI_ORDERED_ENTRY *entry;
	int made = LENDI_ORDERED(put)(map, arena, sought, &entry);

	if (made >= 0)
		entry->value = value;
	return made;
}
#endif

/* Close the gap of an entry that was taken from a node, and of the child behind it. */
LENDI_INSTANCE void LENDI_ORDERED(lendi_close)(
	LENDI_ORDERED_NODE *node, uint32_t position, int is_inner)
{
	uint32_t behind = node->count - position - 1;

	LENDI_ORDERED(lendi_relocate_many)
	(&node->entries[position], &node->entries[position + 1], behind);
	if (is_inner)
		LENDI_ORDERED(lendi_relocate_children)(node, position + 1, node, position + 2,
			behind);
	node->count--;
}

/* Two neighbours and the entry between them, at parent's position, become the left one. */
LENDI_INSTANCE void LENDI_ORDERED(lendi_merge)(
	struct lend_arena *arena, LENDI_ORDERED_NODE *parent, uint32_t position, uint32_t level)
{
	LENDI_ORDERED_NODE *left = LENDI_ORDERED(lendi_child)(parent, position);
	LENDI_ORDERED_NODE *right = LENDI_ORDERED(lendi_child)(parent, position + 1);

	LENDI_ORDERED(lendi_relocate)(&left->entries[left->count], &parent->entries[position]);
	LENDI_ORDERED(lendi_relocate_many)
	(&left->entries[left->count + 1], right->entries, right->count);
	if (level > 0)
		LENDI_ORDERED(lendi_relocate_children)(left, left->count + 1, right, 0,
			right->count + 1);
	left->count += right->count + 1;
	LENDI_ORDERED(lendi_close)(parent, position, 1);
	lend_free_sized(arena, right, LENDI_ORDERED(lendi_node_bytes)(level));
}

/* The left neighbour's last goes up to parent's position, what was there to the right one. */
LENDI_INSTANCE void LENDI_ORDERED(lendi_turn_right)(
	LENDI_ORDERED_NODE *parent, uint32_t position, uint32_t level)
{
	LENDI_ORDERED_NODE *left = LENDI_ORDERED(lendi_child)(parent, position);
	LENDI_ORDERED_NODE *right = LENDI_ORDERED(lendi_child)(parent, position + 1);

	LENDI_ORDERED(lendi_relocate_many)(&right->entries[1], right->entries, right->count);
	LENDI_ORDERED(lendi_relocate)(right->entries, &parent->entries[position]);
	LENDI_ORDERED(lendi_relocate)(&parent->entries[position],
		&left->entries[left->count - 1]);
	if (level > 0) {
		LENDI_ORDERED(lendi_relocate_children)(right, 1, right, 0, right->count + 1);
		LENDI_ORDERED(lendi_relocate_children)(right, 0, left, left->count, 1);
	}
	right->count++;
	left->count--;
}

/* The first of the right neighbour goes up, what was there to the left one. */
LENDI_INSTANCE void LENDI_ORDERED(lendi_turn_left)(
	LENDI_ORDERED_NODE *parent, uint32_t position, uint32_t level)
{
	LENDI_ORDERED_NODE *left = LENDI_ORDERED(lendi_child)(parent, position);
	LENDI_ORDERED_NODE *right = LENDI_ORDERED(lendi_child)(parent, position + 1);

	LENDI_ORDERED(lendi_relocate)(&left->entries[left->count], &parent->entries[position]);
	LENDI_ORDERED(lendi_relocate)(&parent->entries[position], right->entries);
	LENDI_ORDERED(lendi_relocate_many)(right->entries, &right->entries[1],
		right->count - 1);
	if (level > 0) {
		LENDI_ORDERED(lendi_relocate_children)(left, left->count + 1, right, 0, 1);
		LENDI_ORDERED(lendi_relocate_children)(right, 0, right, 1, right->count);
	}
	left->count++;
	right->count--;
}

/* Give a node that has too few a share of a neighbour's, or make one of the two: 1 when so. */
LENDI_INSTANCE int LENDI_ORDERED(lendi_refill)(
	struct lend_arena *arena, LENDI_ORDERED_NODE *parent, uint32_t position, uint32_t level)
{
	LENDI_ORDERED_NODE *node = LENDI_ORDERED(lendi_child)(parent, position);
	LENDI_ORDERED_NODE *right = NULL;
	LENDI_ORDERED_NODE *left = NULL;

	if (position > 0)
		left = LENDI_ORDERED(lendi_child)(parent, position - 1);
	if (position < parent->count)
		right = LENDI_ORDERED(lendi_child)(parent, position + 1);

	if (left && left->count + node->count < LENDI_ORDERED(lendi_slots)) {
		LENDI_ORDERED(lendi_merge)(arena, parent, position - 1, level);
		return 1;
	}
	if (right && right->count + node->count < LENDI_ORDERED(lendi_slots)) {
		LENDI_ORDERED(lendi_merge)(arena, parent, position, level);
		return 1;
	}
	if (left)
		LENDI_ORDERED(lendi_turn_right)(parent, position - 1, level);
	else
		LENDI_ORDERED(lendi_turn_left)(parent, position, level);
	return 0;
}

/* Take the entry at an iterator out of the map, into *out_entry; the iterator is used up. */
LENDI_INSTANCE void LENDI_ORDERED(lendi_take_out)(struct LEND_ORDERED_MAP *map,
	struct lend_arena *arena, LENDI_ORDERED_ITERATOR *at, LENDI_ORDERED_ENTRY *out_entry)
{
	LENDI_ORDERED_ENTRY *entry = &at->nodes[at->level]->entries[at->positions[at->level]];
	LENDI_ORDERED_NODE *root = LENDI_ORDERED(lendi_root)(map);
	uint32_t top = at->height - 1;
	uint32_t level;

	LENDI_ORDERED(lendi_relocate)(out_entry, entry);
	if (at->level > 0) {
		/* The one before it lies in a leaf and takes its place. */
		LENDI_ORDERED(lendi_descend)(at, 1);
		at->positions[0]--;
		LENDI_ORDERED(lendi_relocate)(entry, &at->nodes[0]->entries[at->positions[0]]);
	}
	LENDI_ORDERED(lendi_close)(at->nodes[0], at->positions[0], 0);
	map->shm.count--;

	for (level = 0; level < top; level++)
		if (at->nodes[level]->count >= LENDI_ORDERED(lendi_slots_min) ||
			!LENDI_ORDERED(lendi_refill)(
				arena, at->nodes[level + 1], at->positions[level + 1], level))
			return;
	if (root->count > 0)
		return;
	lend_ptr_set(&map->shm.root, top ? LENDI_ORDERED(lendi_child)(root, 0) : NULL);
	map->shm.height = top;
	lend_free_sized(arena, root, LENDI_ORDERED(lendi_node_bytes)(top));
}

/* Erase the entry with this key: 1, or 0 when it is absent. */
LENDI_INSTANCE int LENDI_ORDERED(erase)(
	struct LEND_ORDERED_MAP *map, struct lend_arena *arena, LEND_ORDERED_MAP_SOUGHT sought)
{
	LENDI_ORDERED_ITERATOR at;
	LENDI_ORDERED_ENTRY entry;
	int at_edge;

	if (map->shm.height == 0 || !LENDI_ORDERED(lendi_seek)(map, sought, &at, &at_edge))
		return 0;
	LENDI_ORDERED(lendi_take_out)(map, arena, &at, &entry);
	LENDI_ORDERED(lendi_entry_fini)(arena, &entry);
	return 1;
}

/* Erase the iterator's entry; it goes on to the next, which is returned, or to the end, NULL. */
LENDI_INSTANCE LENDI_ORDERED_ENTRY *LENDI_ORDERED(erase_at)(
	struct LEND_ORDERED_MAP *map, struct lend_arena *arena, LENDI_ORDERED_ITERATOR *at)
{
	LENDI_ORDERED_ENTRY *next;
	LENDI_ORDERED_ENTRY entry;

	LENDI_ORDERED(lendi_take_out)(map, arena, at, &entry);
	next = LENDI_ORDERED(lower_bound)(map, LEND_ORDERED_MAP_AS_SOUGHT(entry.key), at);
	LENDI_ORDERED(lendi_entry_fini)(arena, &entry);
	return next;
}

LENDI_INSTANCE_COLD void LENDI_ORDERED(lendi_fini_node)(
	struct lend_arena *arena, LENDI_ORDERED_NODE *node, uint32_t level)
{
	uint32_t i;

	for (i = 0; i < node->count; i++)
		LENDI_ORDERED(lendi_entry_fini)(arena, &node->entries[i]);
	if (level > 0)
		for (i = 0; i <= node->count; i++)
			LENDI_ORDERED(lendi_fini_node)(arena,
				LENDI_ORDERED(lendi_child)(node, i), level - 1);
	lend_free_sized(arena, node, LENDI_ORDERED(lendi_node_bytes)(level));
}

/* Give back all that the map owns; it is empty then, as after init(). */
LENDI_INSTANCE void LENDI_ORDERED(fini)(struct LEND_ORDERED_MAP *map, struct lend_arena *arena)
{
	if (map->shm.height > 0)
		LENDI_ORDERED(lendi_fini_node)(arena, LENDI_ORDERED(lendi_root)(map),
			map->shm.height - 1);
	LENDI_ORDERED(init)(map);
}

/* Erase all entries: the same. */
LENDI_INSTANCE void LENDI_ORDERED(clear)(struct LEND_ORDERED_MAP *map, struct lend_arena *arena)
{
	LENDI_ORDERED(fini)(map, arena);
}

/* *to, uninitialised, becomes what *from was; *from is empty then. Both in one arena. */
LENDI_INSTANCE void LENDI_ORDERED(move)(
	struct LEND_ORDERED_MAP *to, struct LEND_ORDERED_MAP *from)
{
	lendi_ordered_move(&to->shm, &from->shm);
}

/* Both in one arena. */
LENDI_INSTANCE void LENDI_ORDERED(swap)(struct LEND_ORDERED_MAP *a, struct LEND_ORDERED_MAP *b)
{
	struct LEND_ORDERED_MAP old_a;

	LENDI_ORDERED(move)(&old_a, a);
	LENDI_ORDERED(move)(a, b);
	LENDI_ORDERED(move)(b, &old_a);
}

LENDI_INSTANCE_COLD int LENDI_ORDERED(lendi_check_key)(
	const void *entry, const struct lend_arena *arena)
{
	(void)entry;
	(void)arena;
#ifdef LEND_ORDERED_MAP_KEY_CHECK
	return LEND_ORDERED_MAP_KEY_CHECK(&((const LENDI_ORDERED_ENTRY *)entry)->key, arena);
#else
	return 0;
#endif
}

LENDI_INSTANCE_COLD int LENDI_ORDERED(lendi_check_less)(const void *a, const void *b)
{
	return LENDI_ORDERED_LESS(
		LEND_ORDERED_MAP_AS_SOUGHT(((const LENDI_ORDERED_ENTRY *)a)->key),
		LEND_ORDERED_MAP_AS_SOUGHT(((const LENDI_ORDERED_ENTRY *)b)->key));
}

/* Walk every invariant; see lend_ordered_map_check(). */
LENDI_INSTANCE_COLD int LENDI_ORDERED(check)(
	const struct LEND_ORDERED_MAP *map, const struct lend_arena *arena)
{
	const struct lend_ordered_map_kind kind = {
		sizeof(LENDI_ORDERED_NODE),
		sizeof(LENDI_ORDERED_INNER),
		sizeof(LENDI_ORDERED_ENTRY),
		offsetof(LENDI_ORDERED_NODE, entries),
		offsetof(LENDI_ORDERED_INNER, children),
		LENDI_ORDERED(lendi_slots),
		LENDI_ORDERED(lendi_slots_min),
		LENDI_ORDERED(lendi_check_key),
		LENDI_ORDERED(lendi_check_less),
	};

	return lend_ordered_map_check(&map->shm, &kind, arena);
}

#undef LEND_ORDERED_MAP
#undef LEND_ORDERED_MAP_KEY
#undef LEND_ORDERED_MAP_VALUE
#undef LEND_ORDERED_MAP_COMPARE
#undef LEND_ORDERED_MAP_SOUGHT
#undef LEND_ORDERED_MAP_AS_SOUGHT
#undef LEND_ORDERED_MAP_KEY_INIT
#undef LEND_ORDERED_MAP_KEY_FINI
#undef LEND_ORDERED_MAP_KEY_MOVE
#undef LEND_ORDERED_MAP_KEY_CHECK
#undef LEND_ORDERED_MAP_VALUE_FINI
#undef LEND_ORDERED_MAP_VALUE_MOVE
#undef LEND_ORDERED_MAP_STRING_KEYS
#undef LENDI_ORDERED
#undef LENDI_ORDERED_LESS
#undef LENDI_ORDERED_ENTRY
#undef LENDI_ORDERED_NODE
#undef LENDI_ORDERED_INNER
#undef LENDI_ORDERED_ITERATOR
/* clang-format on */
#endif
