/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>

#include <lendheap/tree.h>

#include "base/error.h"
#include "containers/reach.h"

/*
 * A weak AVL tree. Each node has a rank, higher than that of its children by 1 or 2; a missing
 * node has rank -1, one without children 0. Ranks are not stored, but in each node two marks:
 * the child on this side is far, two below, rather than near, one below. So nothing off the
 * path to the root is read before a rotation. In between, a child may be level with its parent,
 * or low, three below it.
 *
 * Both sides are handled by one text: `side` is where the change is, !side the other one.
 */
typedef struct lend_tree_hook_shm node;

static uint64_t far_mark(int side)
{
	return LENDI_TREE_FAR << side;
}

static bool is_far(const node *at, int side)
{
	return at->parent & far_mark(side);
}

static void set_far(node *at, int side, bool far)
{
	at->parent = (at->parent & ~far_mark(side)) | (far ? far_mark(side) : 0);
}

static void set_both_far(node *at, bool far)
{
	set_far(at, 0, far);
	set_far(at, 1, far);
}

static int side_of(const node *parent, const node *child)
{
	return parent->child[1] == lendi_link_to(parent, child);
}

static void set_child(node *parent, int side, const node *child)
{
	parent->child[side] = child ? lendi_link_to(parent, child) : 0;
}

/* The marks stay. */
static void set_parent(node *child, const node *parent)
{
	uint64_t link = parent ? lendi_link_to(child, parent) : 0;

	child->parent = link | (child->parent & LENDI_LINK_MARKS);
}

static void clear(node *at)
{
	at->child[0] = 0;
	at->child[1] = 0;
	at->parent = 0;
}

/* What led from parent (the tree itself when NULL) to old leads to child now. */
static void redirect(struct lend_tree_shm *tree, node *parent, const node *old, node *child)
{
	if (parent)
		set_child(parent, side_of(parent, old), child);
	else
		tree->root = child ? lendi_link_to(tree, child) : 0;
	if (child)
		set_parent(child, parent);
}

/*
 *	      top                up
 *	     /   \              /  \
 *	   up     c    ->      a    top       side 0; the mirror image for side 1
 *	  /  \                     /   \
 *	 a    b                   b     c
 */
static void rotate(struct lend_tree_shm *tree, node *top, node *up, int side)
{
	node *inner = lendi_tree_child(up, !side);

	redirect(tree, lendi_tree_parent(top), top, up);
	set_child(top, side, inner);
	if (inner)
		set_parent(inner, top);
	set_child(up, !side, top);
	set_parent(top, up);
}

/* at, on the side of parent, is level with it, and the other child is far: it rises. */
static void mend_level(struct lend_tree_shm *tree, node *parent, node *at, int side)
{
	node *inner = lendi_tree_child(at, !side);

	if (is_far(at, !side)) {
		rotate(tree, parent, at, side);
		set_both_far(at, false);
		set_both_far(parent, false);
		return;
	}
	rotate(tree, at, inner, !side);
	rotate(tree, parent, inner, side);
	set_far(at, side, false);
	set_far(at, !side, is_far(inner, side));
	set_far(parent, side, is_far(inner, !side));
	set_far(parent, !side, false);
	set_both_far(inner, false);
}

void lend_tree_link(struct lend_tree_shm *tree, node *parent, int side, node *hook)
{
	node *at = hook;

	clear(hook);
	hook->parent = LENDI_TREE_LINKED;
	set_parent(hook, parent);
	tree->count++;
	if (!parent) {
		tree->root = lendi_link_to(tree, hook);
		return;
	}
	set_child(parent, side, hook);

	/* at is one higher than what was there. If level with its parent, that goes up too. */
	while (!is_far(parent, side)) {
		if (is_far(parent, !side)) {
			mend_level(tree, parent, at, side);
			return;
		}
		set_far(parent, !side, true);
		at = parent;
		parent = lendi_tree_parent(at);
		if (!parent)
			return;
		side = side_of(parent, at);
	}
	set_far(parent, side, false);
}

/* The child on the side of parent is low, the other one near, with a near child: it rises. */
static void mend_low(struct lend_tree_shm *tree, node *parent, int side)
{
	node *sibling = lendi_tree_child(parent, !side);
	node *inner = lendi_tree_child(sibling, side);
	bool is_leaf;

	if (!is_far(sibling, !side)) {
		rotate(tree, parent, sibling, !side);
		is_leaf = !parent->child[0] && !parent->child[1]; /* then it goes down by two */
		set_far(parent, !side, is_far(sibling, side) && !is_leaf);
		set_far(parent, side, !is_leaf);
		set_far(sibling, side, is_leaf);
		set_far(sibling, !side, true);
		return;
	}
	rotate(tree, sibling, inner, side);
	rotate(tree, parent, inner, !side);
	set_far(parent, side, false);
	set_far(parent, !side, is_far(inner, side));
	set_far(sibling, side, is_far(inner, !side));
	set_far(sibling, !side, false);
	set_both_far(inner, true);
}

/*
 * What is on the side of parent is one lower than it was. Where that is too low the parent goes
 * down too, with its other child if that is near, and so on up.
 */
static void rebalance_unlink(struct lend_tree_shm *tree, node *parent, int side)
{
	node *sibling;
	node *at;

	while (parent) {
		if (!is_far(parent, side)) {
			set_far(parent, side, true);
			if (parent->child[0] || parent->child[1])
				return;
			set_both_far(parent, false); /* without children its rank is 0 */
		} else if (is_far(parent, !side)) {
			set_far(parent, !side, false);
		} else {
			sibling = lendi_tree_child(parent, !side);
			if (!is_far(sibling, 0) || !is_far(sibling, 1)) {
				mend_low(tree, parent, side);
				return;
			}
			set_both_far(sibling, false);
		}
		at = parent;
		parent = lendi_tree_parent(at);
		side = parent ? side_of(parent, at) : 0;
	}
}

void lend_tree_exchange(struct lend_tree_shm *tree, node *old, node *hook)
{
	node *parent = lendi_tree_parent(old);
	node *child;
	int side;

	hook->parent = old->parent & LENDI_LINK_MARKS;
	for (side = 0; side < 2; side++) {
		child = lendi_tree_child(old, side);
		set_child(hook, side, child);
		if (child)
			set_parent(child, hook);
	}
	redirect(tree, parent, old, hook);
	clear(old);
}

/*
 * Take a node with at most one child out. *out_side is on which side of its parent, which is
 * returned, it was.
 */
static node *take_out(struct lend_tree_shm *tree, node *hook, int *out_side)
{
	node *parent = lendi_tree_parent(hook);
	node *below = lendi_tree_child(hook, hook->child[0] == 0);

	*out_side = parent ? side_of(parent, hook) : 0;
	redirect(tree, parent, hook, below);
	return parent;
}

void lend_tree_unlink(struct lend_tree_shm *tree, node *hook)
{
	node *parent;
	node *heir;
	int side;

	if (hook->child[0] && hook->child[1]) {
		/* Its successor, which has no left child, comes out and takes its place. */
		heir = lendi_tree_end(lendi_tree_child(hook, 1), 0);
		parent = take_out(tree, heir, &side);
		if (parent == hook)
			parent = heir;
		lend_tree_exchange(tree, hook, heir);
	} else {
		parent = take_out(tree, hook, &side);
		clear(hook);
	}
	tree->count--;
	rebalance_unlink(tree, parent, side);
}

/* A tree of 2^64 elements has no more levels than this. */
enum { LEVELS_MAX = 128 };

struct walk {
	const struct lend_tree_shm *tree;
	struct lendi_reach reach;
	size_t hook_offset;
	size_t element_bytes;
	size_t element_alignment;
	int (*compare)(const void *a, const void *b);
	const void *before; /* the element before in order */
	uint64_t seen;
	uint64_t count;
};

static int walk_fail(const struct walk *walk, const node *at, const char *what)
{
	return lendi_fail(-EUCLEAN, "tree at %p: element %" PRIu64 ", hook %p: %s",
		(const void *)walk->tree, walk->seen, (const void *)at, what);
}

/* The element of a hook, seen in its order. */
static int visit(struct walk *walk, const node *at)
{
	const void *element = lendi_link_element(at, walk->hook_offset);

	if (walk->before && walk->compare(walk->before, element) > 0)
		return walk_fail(walk, at, "out of order");
	if (walk->seen == walk->count)
		return walk_fail(walk, at, "more elements than counted");
	walk->before = element;
	walk->seen++;
	return 0;
}

/*
 * Walk what hangs at a link of `from`. Each word is read once; a child must lead back to its
 * parent, so no node is reached twice. *out_rank is that of the node, -1 of none.
 */
static int walk_below(struct walk *walk, const void *from, uint64_t link, const node *parent,
	int level, int *out_rank)
{
	const node *at = lendi_link_get(from, link);
	int ranks[2] = {-1, -1};
	node words;
	int err;

	*out_rank = -1;
	if (!at)
		return 0;
	if (!lendi_reach_element(&walk->reach, (uintptr_t)at, walk->hook_offset,
		    walk->element_bytes, walk->element_alignment))
		return walk_fail(walk, at, "outside the arena, or not aligned");
	if (level == LEVELS_MAX)
		return walk_fail(walk, at, "too deep");
	words = *at;
	if (lendi_link_get(at, words.parent & ~LENDI_LINK_MARKS) != parent)
		return walk_fail(walk, at, "its parent link leads elsewhere");
	if (!(words.parent & LENDI_TREE_LINKED))
		return walk_fail(walk, at, "not marked as linked");
	if (words.child[0] && words.child[0] == words.child[1])
		return walk_fail(walk, at, "twice the same child");

	err = walk_below(walk, at, words.child[0], at, level + 1, &ranks[0]);
	if (!err)
		err = visit(walk, at);
	if (!err)
		err = walk_below(walk, at, words.child[1], at, level + 1, &ranks[1]);
	if (err)
		return err;

	*out_rank = ranks[0] + 1 + is_far(&words, 0);
	if (*out_rank != ranks[1] + 1 + is_far(&words, 1) ||
		(*out_rank == 1 && !words.child[0] && !words.child[1]))
		return walk_fail(walk, at, "out of balance");
	return 0;
}

int lend_tree_check(const struct lend_tree_shm *tree, size_t hook_offset, size_t element_bytes,
	size_t element_alignment, int (*compare)(const void *a, const void *b),
	const struct lend_arena *arena)
{
	struct walk walk = {.tree = tree,
		.hook_offset = hook_offset,
		.element_bytes = element_bytes,
		.element_alignment = element_alignment,
		.compare = compare};
	int rank;
	int err;

	err = lendi_reach_init(&walk.reach, arena, "tree", tree, sizeof(*tree));
	if (err)
		return err;

	walk.count = tree->count;
	err = walk_below(&walk, tree, tree->root, NULL, 0, &rank);
	if (!err && walk.seen != walk.count)
		return lendi_fail(-EUCLEAN,
			"tree at %p: %" PRIu64 " elements, %" PRIu64 " counted",
			(const void *)tree, walk.seen, walk.count);
	return err;
}
