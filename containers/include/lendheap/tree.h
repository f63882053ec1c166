/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LENDHEAP_TREE_H
#define LENDHEAP_TREE_H

/*
 * An ordered tree whose links lie in the elements. Nothing is allocated.
 *
 *	struct word {
 *		struct lend_tree_hook_shm hook;
 *		uint64_t number;
 *	};
 *	#define ORDER(a, b)             ((a) < (b) ? -1 : (a) > (b))
 *	#define LEND_TREE               word_tree	struct word_tree, word_tree_find(), ...
 *	#define LEND_TREE_TYPE          struct word
 *	#define LEND_TREE_HOOK          hook
 *	#define LEND_TREE_COMPARE(a, b) ORDER((a)->number, (b)->number)
 *	#define LEND_TREE_KEY           uint64_t
 *	#define LEND_TREE_KEY_COMPARE(key, element) ORDER(key, (element)->number)
 *	#include <lendheap/tree.h>
 *
 *	if (word_tree_insert(&index->words, word) == -EEXIST)
 *		...
 *	for (w = word_tree_lower_bound(&index->words, 100); w; w = word_tree_next(w))
 *		...
 *
 * An element is in at most one tree per hook. Tree and elements lie in one arena, or together
 * in any memory; they hold where it is relocated. Neither may be copied or moved while linked,
 * and what the order depends on may not change. Zeroed memory is an empty tree, and a zeroed
 * hook is not linked.
 *
 * operation                                   cost      readers and other writers meanwhile
 * is_empty is_linked count                    O(1)      R
 * find lower_bound upper_bound first last     O(log n)  R
 * next prev                                   O(log n)  R, O(1) on average over a walk
 * check                                       O(n)      R
 * insert insert_equal erase                   O(log n)  X
 * replace init                                O(1)      X
 *
 * R: any number of readers, in any process; nothing is written. X: nobody else is in the tree.
 * Pointers to elements stay valid whatever happens to others. Death of a writer may leave the
 * tree torn: elements can be missing from a walk. _check() tells.
 *
 * How. A weak AVL tree: as low as an AVL tree where elements are only inserted (at most 1.44
 * log2 n levels; a red-black tree reaches 2 log2 n when they come in order), never higher than
 * 2 log2 n, and at most two rotations for an insertion or an erasure, where AVL trees take
 * O(log n) for the latter. Two free bits of the link to its parent tell how far the children of
 * a node are below it. Source: Haeupler, Sen, Tarjan, Rank-Balanced Trees, 2015.
 */
#include <errno.h>

#include <lendheap/arena.h>
#include <lendheap/compiler.h>
#include <lendheap/instance.h>
#include <lendheap/layout.h>
#include <lendheap/link.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Links (lendheap/link.h): zero is none. */
struct lend_tree_hook_shm {
	uint64_t child[2]; /* before it in order, after it */
	uint64_t parent;   /* and marks; not zero while linked */
};
LEND_SHM_SIZEOF(struct lend_tree_hook_shm, 24);
LEND_SHM_AT(struct lend_tree_hook_shm, child, 0);
LEND_SHM_AT(struct lend_tree_hook_shm, parent, 16);

/* Marks: the child on side 0 (shifted by one: on side 1) is two ranks below. In a tree. */
#define LENDI_TREE_FAR    UINT64_C(1)
#define LENDI_TREE_LINKED UINT64_C(4)

struct lend_tree_shm {
	uint64_t root; /* a link from the tree; zero is none */
	uint64_t count;
};
LEND_SHM_SIZEOF(struct lend_tree_shm, 16);
LEND_SHM_AT(struct lend_tree_shm, root, 0);
LEND_SHM_AT(struct lend_tree_shm, count, 8);

/*
 * What instances call; any writer of the tree, and nobody else meanwhile.
 *
 * lend_tree_link(): link a hook at a free place, the child `side` of parent (of the tree itself
 * when NULL), and rebalance. lend_tree_unlink(): take it out and rebalance; its words are
 * zeroed. lend_tree_exchange(): put a hook where another one is, which is then zeroed.
 */
LEND_API void lend_tree_link(struct lend_tree_shm *tree, struct lend_tree_hook_shm *parent,
	int side, struct lend_tree_hook_shm *hook);
LEND_API void lend_tree_unlink(struct lend_tree_shm *tree, struct lend_tree_hook_shm *hook);
LEND_API void lend_tree_exchange(struct lend_tree_shm *tree, struct lend_tree_hook_shm *old,
	struct lend_tree_hook_shm *hook);

/*
 * Called by <instance>_check(): walk every link and that back, ranks, count, and the order that
 * compare(a, b) tells of two elements. With an arena, every element must lie whole and aligned
 * in its data, and so the walk is safe and bounded whatever the bytes are; NULL trusts the links
 * to lead to memory. What pointers in the elements lead to is the affair of compare. Returns 0;
 * -EUCLEAN with a sentence, -EXDEV the tree itself is not in the arena, -ESTALE.
 */
LEND_API int lend_tree_check(const struct lend_tree_shm *tree, size_t hook_offset,
	size_t element_bytes, size_t element_alignment,
	int (*compare)(const void *a, const void *b), const struct lend_arena *arena);

static inline struct lend_tree_hook_shm *lendi_tree_root(const struct lend_tree_shm *tree)
{
	return (struct lend_tree_hook_shm *)lendi_link_get(tree, tree->root);
}

static inline struct lend_tree_hook_shm *lendi_tree_child(
	const struct lend_tree_hook_shm *hook, int side)
{
	return (struct lend_tree_hook_shm *)lendi_link_get(hook, hook->child[side]);
}

static inline struct lend_tree_hook_shm *lendi_tree_parent(
	const struct lend_tree_hook_shm *hook)
{
	return (struct lend_tree_hook_shm *)lendi_link_get(
		hook, hook->parent & ~LENDI_LINK_MARKS);
}

/* The outermost node on a side, below a node that may be NULL. */
static inline struct lend_tree_hook_shm *lendi_tree_end(
	struct lend_tree_hook_shm *hook, int side)
{
	struct lend_tree_hook_shm *below;

	while (hook && (below = lendi_tree_child(hook, side)))
		hook = below;
	return hook;
}

/* The neighbour in order: side 1 the next, 0 the previous one. NULL: none. */
static inline struct lend_tree_hook_shm *lendi_tree_step(
	const struct lend_tree_hook_shm *hook, int side)
{
	struct lend_tree_hook_shm *to = lendi_tree_child(hook, side);

	if (to)
		return lendi_tree_end(to, !side);
	while ((to = lendi_tree_parent(hook)) && lendi_tree_child(to, side) == hook)
		hook = to;
	return to;
}

#ifdef __cplusplus
}
#endif

#endif /* LENDHEAP_TREE_H */

/*
 * An instance. Parameters, all undefined at the end:
 *	LEND_TREE                      its name
 *	LEND_TREE_TYPE                 the type of the elements
 *	LEND_TREE_HOOK                 the field of it that is the hook
 *	LEND_TREE_COMPARE(a, b)        of pointers to const elements: below, at or above zero
 *	LEND_TREE_KEY                  what is looked up by; left out: const LEND_TREE_TYPE *
 *	LEND_TREE_KEY_COMPARE(key, b)  of a key and a pointer to a const element, with KEY only
 */
#ifdef LEND_TREE

#ifndef LEND_TREE_KEY
#define LEND_TREE_KEY               const LEND_TREE_TYPE *
#define LEND_TREE_KEY_COMPARE(a, b) LEND_TREE_COMPARE(a, b)
#endif

#define LENDI_TREE(verb)            LENDI_JOIN(LEND_TREE, verb)
#define LENDI_TREE_OFFSET           offsetof(LEND_TREE_TYPE, LEND_TREE_HOOK)
#define LENDI_TREE_HOOK_OF(element) (&(element)->LEND_TREE_HOOK)

struct LEND_TREE {
	struct lend_tree_shm shm;
};

/* Make any memory an empty tree. Elements of a tree that was there are forgotten. */
LENDI_INSTANCE void LENDI_TREE(init)(struct LEND_TREE *tree)
{
	tree->shm.root = 0;
	tree->shm.count = 0;
}

LENDI_INSTANCE uint64_t LENDI_TREE(count)(const struct LEND_TREE *tree)
{
	return tree->shm.count;
}

LENDI_INSTANCE int LENDI_TREE(is_empty)(const struct LEND_TREE *tree)
{
	return tree->shm.count == 0;
}

/* 1 when the element is in a tree by this hook. Its memory was zeroed before its first use. */
LENDI_INSTANCE int LENDI_TREE(is_linked)(const LEND_TREE_TYPE *element)
{
	return LENDI_TREE_HOOK_OF(element)->parent != 0;
}

/* The element of a hook; NULL of NULL. */
LENDI_INSTANCE LEND_TREE_TYPE *LENDI_TREE(lendi_at)(const struct lend_tree_hook_shm *hook)
{
	return (LEND_TREE_TYPE *)lendi_link_element_or_null(hook, LENDI_TREE_OFFSET);
}

LENDI_INSTANCE int LENDI_TREE(lendi_compare)(const void *a, const void *b)
{
	const LEND_TREE_TYPE *one = (const LEND_TREE_TYPE *)a;
	const LEND_TREE_TYPE *other = (const LEND_TREE_TYPE *)b;

	return LEND_TREE_COMPARE(one, other);
}

/*
 * The first element not below key, and the first above it; NULL when there is none.
 *
 * Here and in insert there is a branch for each side rather than an index: the machine guesses
 * and goes on ahead (67 ns against 76 for an insert among 2000).
 */
LENDI_INSTANCE LEND_TREE_TYPE *LENDI_TREE(lower_bound)(
	const struct LEND_TREE *tree, LEND_TREE_KEY key)
{
	const struct lend_tree_hook_shm *hook = lendi_tree_root(&tree->shm);
	const struct lend_tree_hook_shm *best = NULL;
	const LEND_TREE_TYPE *element;

	while (hook) {
		element = LENDI_TREE(lendi_at)(hook);
		if (LEND_TREE_KEY_COMPARE(key, element) > 0) {
			hook = lendi_tree_child(hook, 1);
		} else {
			best = hook;
			hook = lendi_tree_child(hook, 0);
		}
	}
	return LENDI_TREE(lendi_at)(best);
}

LENDI_INSTANCE LEND_TREE_TYPE *LENDI_TREE(upper_bound)(
	const struct LEND_TREE *tree, LEND_TREE_KEY key)
{
	const struct lend_tree_hook_shm *hook = lendi_tree_root(&tree->shm);
	const struct lend_tree_hook_shm *best = NULL;
	const LEND_TREE_TYPE *element;

	while (hook) {
		element = LENDI_TREE(lendi_at)(hook);
		if (LEND_TREE_KEY_COMPARE(key, element) >= 0) {
			hook = lendi_tree_child(hook, 1);
		} else {
			best = hook;
			hook = lendi_tree_child(hook, 0);
		}
	}
	return LENDI_TREE(lendi_at)(best);
}

/* An element equal to key, the first of several; NULL when there is none. */
LENDI_INSTANCE LEND_TREE_TYPE *LENDI_TREE(find)(const struct LEND_TREE *tree, LEND_TREE_KEY key)
{
	LEND_TREE_TYPE *element = LENDI_TREE(lower_bound)(tree, key);

	return element && LEND_TREE_KEY_COMPARE(key, element) == 0 ? element : NULL;
}

/* First, last, next and previous element in order; NULL when there is none. */
LENDI_INSTANCE LEND_TREE_TYPE *LENDI_TREE(first)(const struct LEND_TREE *tree)
{
	return LENDI_TREE(lendi_at)(lendi_tree_end(lendi_tree_root(&tree->shm), 0));
}

LENDI_INSTANCE LEND_TREE_TYPE *LENDI_TREE(last)(const struct LEND_TREE *tree)
{
	return LENDI_TREE(lendi_at)(lendi_tree_end(lendi_tree_root(&tree->shm), 1));
}

LENDI_INSTANCE LEND_TREE_TYPE *LENDI_TREE(next)(const LEND_TREE_TYPE *element)
{
	return LENDI_TREE(lendi_at)(lendi_tree_step(LENDI_TREE_HOOK_OF(element), 1));
}

LENDI_INSTANCE LEND_TREE_TYPE *LENDI_TREE(prev)(const LEND_TREE_TYPE *element)
{
	return LENDI_TREE(lendi_at)(lendi_tree_step(LENDI_TREE_HOOK_OF(element), 0));
}

/*
 * Link an element that is in no tree; its hook may hold anything. Returns 0; -EEXIST an equal
 * one is there, and nothing changed.
 */
LENDI_INSTANCE int LENDI_TREE(insert)(struct LEND_TREE *tree, LEND_TREE_TYPE *element)
{
	struct lend_tree_hook_shm *parent = NULL;
	struct lend_tree_hook_shm *hook = lendi_tree_root(&tree->shm);
	struct lend_tree_hook_shm *best = NULL; /* the first not below it */
	int side = 0;

	while (hook) {
		parent = hook;
		if (LENDI_TREE(lendi_compare)(element, LENDI_TREE(lendi_at)(hook)) > 0) {
			side = 1;
			hook = lendi_tree_child(hook, 1);
		} else {
			side = 0;
			best = hook;
			hook = lendi_tree_child(hook, 0);
		}
	}
	if (best && LENDI_TREE(lendi_compare)(element, LENDI_TREE(lendi_at)(best)) == 0)
		return -EEXIST;
	lend_tree_link(&tree->shm, parent, side, LENDI_TREE_HOOK_OF(element));
	return 0;
}

/* The same where equal ones are allowed: it comes after them. */
LENDI_INSTANCE void LENDI_TREE(insert_equal)(struct LEND_TREE *tree, LEND_TREE_TYPE *element)
{
	struct lend_tree_hook_shm *parent = NULL;
	struct lend_tree_hook_shm *hook = lendi_tree_root(&tree->shm);
	int side = 0;

	while (hook) {
		parent = hook;
		side = LENDI_TREE(lendi_compare)(element, LENDI_TREE(lendi_at)(hook)) >= 0;
		hook = lendi_tree_child(hook, side);
	}
	lend_tree_link(&tree->shm, parent, side, LENDI_TREE_HOOK_OF(element));
}

/* Unlink an element of this tree. It is the caller's again; its hook is zeroed. */
LENDI_INSTANCE void LENDI_TREE(erase)(struct LEND_TREE *tree, LEND_TREE_TYPE *element)
{
	lend_tree_unlink(&tree->shm, LENDI_TREE_HOOK_OF(element));
}

/* Put an element that is in no tree where one of equal order is, which is then in none. */
LENDI_INSTANCE void LENDI_TREE(replace)(
	struct LEND_TREE *tree, LEND_TREE_TYPE *old, LEND_TREE_TYPE *element)
{
	lend_tree_exchange(&tree->shm, LENDI_TREE_HOOK_OF(old), LENDI_TREE_HOOK_OF(element));
}

/* lend_tree_check() of it; arena may be NULL. */
LENDI_INSTANCE_COLD int LENDI_TREE(check)(
	const struct LEND_TREE *tree, const struct lend_arena *arena)
{
	return lend_tree_check(&tree->shm, LENDI_TREE_OFFSET, sizeof(LEND_TREE_TYPE),
		LEND_ALIGNOF(LEND_TREE_TYPE), LENDI_TREE(lendi_compare), arena);
}

#undef LENDI_TREE
#undef LENDI_TREE_OFFSET
#undef LENDI_TREE_HOOK_OF
#undef LEND_TREE
#undef LEND_TREE_TYPE
#undef LEND_TREE_HOOK
#undef LEND_TREE_COMPARE
#undef LEND_TREE_KEY
#undef LEND_TREE_KEY_COMPARE

#endif /* LEND_TREE */
