/* SPDX-License-Identifier: Apache-2.0 */
/* The intrusive tree: every function, its height, and every fault that its check finds. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <lendheap/alloc.h>
#include <lendheap/tree.h>

#include "support/suite.h"
#include "support/tools.h"

struct word {
	uint64_t number;
	uint64_t serial;
	struct lend_tree_hook_shm hook;
	struct lend_tree_hook_shm by_serial;
};

#define ORDER(a, b) ((a) < (b) ? -1 : (a) > (b))

#define LEND_TREE                           word_tree
#define LEND_TREE_TYPE                      struct word
#define LEND_TREE_HOOK                      hook
#define LEND_TREE_COMPARE(a, b)             ORDER((a)->number, (b)->number)
#define LEND_TREE_KEY                       uint64_t
#define LEND_TREE_KEY_COMPARE(key, element) ORDER(key, (element)->number)
#include <lendheap/tree.h>

/* Looked up by an element, in the other direction. */
#define LEND_TREE               serial_tree
#define LEND_TREE_TYPE          struct word
#define LEND_TREE_HOOK          by_serial
#define LEND_TREE_COMPARE(a, b) ORDER((b)->serial, (a)->serial)
#include <lendheap/tree.h>

struct wide {
	_Alignas(64) uint64_t number;
	struct lend_tree_hook_shm hook;
};

#define LEND_TREE               wide_tree
#define LEND_TREE_TYPE          struct wide
#define LEND_TREE_HOOK          hook
#define LEND_TREE_COMPARE(a, b) ORDER((a)->number, (b)->number)
#include <lendheap/tree.h>

enum { WORDS = 64 };

static struct word words[WORDS];

/* All unlinked; numbers are even, from 0. */
static void reset_words(void)
{
	uint64_t i;

	memset(words, 0, sizeof(words));
	for (i = 0; i < WORDS; i++) {
		words[i].number = 2 * i;
		words[i].serial = i;
	}
}

static unsigned height(const struct lend_tree_hook_shm *hook)
{
	unsigned left;
	unsigned right;

	if (!hook)
		return 0;
	left = height(lendi_tree_child(hook, 0));
	right = height(lendi_tree_child(hook, 1));
	return 1 + (left > right ? left : right);
}

static void tree_of_zeroes_is_empty(void)
{
	struct word_tree tree;
	struct word_tree made;

	memset(&tree, 0, sizeof(tree));
	memset(&made, 0xff, sizeof(made));
	word_tree_init(&made);
	CU_ASSERT_TRUE(word_tree_is_empty(&tree));
	CU_ASSERT_TRUE(word_tree_is_empty(&made));
	CU_ASSERT_EQUAL(word_tree_count(&tree), 0);
	CU_ASSERT_PTR_NULL(word_tree_first(&tree));
	CU_ASSERT_PTR_NULL(word_tree_last(&tree));
	CU_ASSERT_PTR_NULL(word_tree_find(&tree, 0));
	CU_ASSERT_PTR_NULL(word_tree_lower_bound(&tree, 0));
	CU_ASSERT_PTR_NULL(word_tree_upper_bound(&tree, 0));
	CU_ASSERT_EQUAL(word_tree_check(&tree, NULL), 0);
}

static void tree_finds_keys_and_bounds(void)
{
	struct word_tree tree = {0};
	uint64_t key;

	reset_words();
	for (key = 0; key < WORDS; key++)
		CU_ASSERT_EQUAL(word_tree_insert(&tree, &words[key * 37 % WORDS]), 0);
	CU_ASSERT_EQUAL(word_tree_count(&tree), WORDS);
	CU_ASSERT_EQUAL(word_tree_check(&tree, NULL), 0);
	for (key = 0; key < 2 * WORDS - 2; key++) {
		CU_ASSERT_PTR_EQUAL(
			word_tree_find(&tree, key), key % 2 ? NULL : &words[key / 2]);
		CU_ASSERT_PTR_EQUAL(word_tree_lower_bound(&tree, key), &words[(key + 1) / 2]);
		CU_ASSERT_PTR_EQUAL(word_tree_upper_bound(&tree, key), &words[key / 2 + 1]);
	}
	CU_ASSERT_PTR_NULL(word_tree_upper_bound(&tree, 2 * WORDS - 2));
	CU_ASSERT_PTR_NULL(word_tree_lower_bound(&tree, 2 * WORDS - 1));
	CU_ASSERT_PTR_NULL(word_tree_find(&tree, 2 * WORDS));
}

static void tree_walks_in_order_both_ways(void)
{
	struct word_tree tree = {0};
	const struct word *word;
	uint64_t i;

	reset_words();
	for (i = 0; i < WORDS; i++)
		CU_ASSERT_EQUAL(word_tree_insert(&tree, &words[i * 37 % WORDS]), 0);
	i = 0;
	for (word = word_tree_first(&tree); word; word = word_tree_next(word))
		CU_ASSERT_PTR_EQUAL(word, &words[i++]);
	CU_ASSERT_EQUAL(i, WORDS);
	for (word = word_tree_last(&tree); word; word = word_tree_prev(word))
		CU_ASSERT_PTR_EQUAL(word, &words[--i]);
	CU_ASSERT_EQUAL(i, 0);
}

static void tree_insert_refuses_what_is_there(void)
{
	struct word_tree tree = {0};
	struct word twin = {.number = 10};

	reset_words();
	CU_ASSERT_EQUAL(word_tree_insert(&tree, &words[5]), 0);
	CU_ASSERT_EQUAL(word_tree_insert(&tree, &words[3]), 0);
	CU_ASSERT_EQUAL(word_tree_insert(&tree, &twin), -EEXIST);
	CU_ASSERT_FALSE(word_tree_is_linked(&twin));
	CU_ASSERT_EQUAL(word_tree_count(&tree), 2);
	CU_ASSERT_PTR_EQUAL(word_tree_find(&tree, 10), &words[5]);
}

static void tree_keeps_equal_ones_in_the_order_they_came(void)
{
	struct word_tree tree = {0};
	const struct word *word;
	uint64_t i;

	reset_words();
	for (i = 0; i < WORDS; i++) {
		words[i].number = i % 3;
		word_tree_insert_equal(&tree, &words[i]);
	}
	CU_ASSERT_EQUAL(word_tree_check(&tree, NULL), 0);
	i = 1;
	for (word = word_tree_find(&tree, 1); word; word = word_tree_next(word), i += 3)
		if (word->number == 1)
			CU_ASSERT_EQUAL(word->serial, i);
	CU_ASSERT_EQUAL(word_tree_upper_bound(&tree, 1)->serial, 2);
}

static void tree_looks_up_by_an_element_too(void)
{
	struct serial_tree tree = {0};
	struct word key = {.serial = 9};
	uint64_t i;

	reset_words();
	for (i = 0; i < WORDS; i += 3)
		CU_ASSERT_EQUAL(serial_tree_insert(&tree, &words[i]), 0);
	CU_ASSERT_PTR_EQUAL(serial_tree_find(&tree, &key), &words[9]);
	key.serial = 10;
	CU_ASSERT_PTR_NULL(serial_tree_find(&tree, &key));
	CU_ASSERT_PTR_EQUAL(serial_tree_lower_bound(&tree, &key), &words[9]);
	CU_ASSERT_PTR_EQUAL(serial_tree_first(&tree), &words[63]);
}

/* From each small tree, in each order of insertion, each element is erased. */
static void tree_stays_balanced_whatever_is_erased(void)
{
	const uint64_t most = under_valgrind() ? 24 : 40;
	struct word_tree tree;
	uint64_t count;
	uint64_t step;
	uint64_t out;
	uint64_t i;

	for (count = 1; count <= most; count++)
		for (step = 1; step <= count; step++)
			for (out = 0; out < count; out++) {
				reset_words();
				word_tree_init(&tree);
				for (i = 0; i < count; i++)
					(void)word_tree_insert(
						&tree, &words[i * step % (count + 1)]);
				for (i = out; i < count; i++) {
					if (!word_tree_is_linked(&words[i]))
						continue;
					word_tree_erase(&tree, &words[i]);
					CU_ASSERT_FALSE(word_tree_is_linked(&words[i]));
					CU_ASSERT_EQUAL(word_tree_check(&tree, NULL), 0);
				}
			}
}

static void tree_replaces_an_element_in_its_place(void)
{
	struct word_tree tree = {0};
	struct word other[WORDS];
	uint64_t i;

	reset_words();
	for (i = 0; i < WORDS; i++)
		CU_ASSERT_EQUAL(word_tree_insert(&tree, &words[i]), 0);
	memset(other, 0xff, sizeof(other));
	for (i = 0; i < WORDS; i++) {
		other[i].number = 2 * i;
		word_tree_replace(&tree, &words[i], &other[i]);
		CU_ASSERT_FALSE(word_tree_is_linked(&words[i]));
		CU_ASSERT_PTR_EQUAL(word_tree_find(&tree, 2 * i), &other[i]);
		CU_ASSERT_EQUAL(word_tree_check(&tree, NULL), 0);
	}
	CU_ASSERT_EQUAL(word_tree_count(&tree), WORDS);
}

/* In order, as a perfect tree; a red-black tree would have 30 levels. Erasures add none. */
static void tree_is_as_low_as_it_claims(void)
{
	enum { MANY = 50000 };
	struct word *many = calloc(MANY, sizeof(*many));
	struct word_tree tree = {0};
	uint64_t i;

	CU_ASSERT_PTR_NOT_NULL_FATAL(many);
	for (i = 0; i < MANY; i++) {
		many[i].number = i;
		CU_ASSERT_EQUAL_FATAL(word_tree_insert(&tree, &many[i]), 0);
	}
	CU_ASSERT(height(lendi_tree_root(&tree.shm)) <= 16);
	for (i = 0; i < MANY; i++)
		if (i % 4 != 1)
			word_tree_erase(&tree, &many[i]);
	CU_ASSERT_EQUAL(word_tree_count(&tree), MANY / 4);
	CU_ASSERT(height(lendi_tree_root(&tree.shm)) <= 16);
	CU_ASSERT_EQUAL(word_tree_check(&tree, NULL), 0);
	free(many);
}

/* Everything in one block of an arena. */
struct held {
	struct word_tree tree;
	struct word words[7];
};

static struct lend_arena *arena;

/* A full tree of three levels: 3, 1 and 5 below it, 0 2 4 6 below those. */
static struct held *make_held(void)
{
	static const uint64_t numbers[] = {3, 1, 5, 0, 2, 4, 6};
	struct held *held = lend_alloc_zeroed(arena, sizeof(*held));
	uint64_t i;

	CU_ASSERT_PTR_NOT_NULL_FATAL(held);
	for (i = 0; i < 7; i++) {
		held->words[i].number = numbers[i];
		CU_ASSERT_EQUAL(word_tree_insert(&held->tree, &held->words[i]), 0);
	}
	CU_ASSERT_EQUAL(word_tree_check(&held->tree, arena), 0);
	return held;
}

static int fails_with(const struct held *held, const char *sentence)
{
	return word_tree_check(&held->tree, arena) == -EUCLEAN &&
	       strstr(lend_error_detail(), sentence) != NULL;
}

static void tree_check_names_what_is_wrong(void)
{
	struct held *held = make_held();
	struct lend_tree_hook_shm *one = &held->words[1].hook;
	struct lend_tree_hook_shm was = *one;
	struct word_tree outside = {0};
	uint64_t root = held->tree.shm.root;

	one->child[0] += UINT64_C(1) << 40;
	CU_ASSERT_TRUE(fails_with(held, "outside the arena"));
	*one = was;
	one->child[1] += 4;
	CU_ASSERT_TRUE(fails_with(held, "outside the arena"));
	*one = was;
	one->child[0] = one->child[1];
	CU_ASSERT_TRUE(fails_with(held, "twice the same child"));
	*one = was;
	one->child[1] = lendi_link_to(one, &held->words[5].hook);
	CU_ASSERT_TRUE(fails_with(held, "its parent link leads elsewhere"));
	*one = was;
	one->child[1] = lendi_link_to(one, &held->words[0].hook);
	CU_ASSERT_TRUE(fails_with(held, "its parent link leads elsewhere"));
	*one = was;
	one->parent &= ~LENDI_TREE_LINKED;
	CU_ASSERT_TRUE(fails_with(held, "not marked as linked"));
	*one = was;
	one->parent ^= LENDI_TREE_FAR;
	CU_ASSERT_TRUE(fails_with(held, "out of balance"));
	*one = was;
	one->child[1] = 0;
	CU_ASSERT_TRUE(fails_with(held, "out of balance"));
	one->child[0] = 0; /* of rank 1, without children */
	one->parent |= 3 * LENDI_TREE_FAR;
	CU_ASSERT_TRUE(fails_with(held, "out of balance"));
	*one = was;
	held->words[4].number = 9;
	CU_ASSERT_TRUE(fails_with(held, "out of order"));
	held->words[4].number = 2;
	held->tree.shm.count = 6;
	CU_ASSERT_TRUE(fails_with(held, "more elements than counted"));
	held->tree.shm.count = 8;
	CU_ASSERT_TRUE(fails_with(held, "7 elements, 8 counted"));
	held->tree.shm.count = 7;
	held->tree.shm.root = 0;
	CU_ASSERT_TRUE(fails_with(held, "0 elements"));
	held->tree.shm.root = root;
	CU_ASSERT_EQUAL(word_tree_check(&held->tree, arena), 0);
	CU_ASSERT_EQUAL(word_tree_check(&outside, arena), -EXDEV);
	lend_free(arena, held);
}

/* A chain of parents and children that would be a sound tree, but for its depth. */
static void tree_check_ends_in_a_deep_chain(void)
{
	enum { DEEP = 200 };
	struct word_tree *tree = lend_alloc_zeroed(arena, sizeof(*tree));
	struct word *deep = lend_alloc_zeroed(arena, DEEP * sizeof(*deep));
	int i;

	CU_ASSERT_PTR_NOT_NULL_FATAL(tree);
	CU_ASSERT_PTR_NOT_NULL_FATAL(deep);
	tree->shm.root = lendi_link_to(tree, &deep[0].hook);
	tree->shm.count = DEEP;
	for (i = 0; i < DEEP; i++) {
		deep[i].hook.parent = LENDI_TREE_LINKED;
		if (i)
			deep[i].hook.parent |= lendi_link_to(&deep[i].hook, &deep[i - 1].hook);
		if (i + 1 < DEEP)
			deep[i].hook.child[0] = lendi_link_to(&deep[i].hook, &deep[i + 1].hook);
	}
	CU_ASSERT_EQUAL(word_tree_check(tree, arena), -EUCLEAN);
	CU_ASSERT_PTR_NOT_NULL(strstr(lend_error_detail(), "too deep"));
	lend_free(arena, deep);
	lend_free(arena, tree);
}

/* Readers of its elements take their alignment for granted. */
static void tree_check_refuses_an_element_that_is_not_aligned(void)
{
	struct wide_tree *tree = lend_alloc_zeroed(arena, sizeof(*tree));
	struct wide *wide = lend_alloc_aligned(arena, 2 * sizeof(*wide), 64);
	struct lend_tree_hook_shm *hook;

	CU_ASSERT_PTR_NOT_NULL_FATAL(tree);
	CU_ASSERT_PTR_NOT_NULL_FATAL(wide);
	memset(wide, 0, 2 * sizeof(*wide));
	hook = (struct lend_tree_hook_shm *)((uintptr_t)&wide->hook + 8);
	lend_tree_link(&tree->shm, NULL, 0, hook);
	CU_ASSERT_EQUAL(wide_tree_check(tree, arena), -EUCLEAN);
	CU_ASSERT_PTR_NOT_NULL(strstr(lend_error_detail(), "not aligned"));
	lend_free(arena, wide);
	lend_free(arena, tree);
}

static const struct suite_test tests[] = {
	SUITE_TEST(tree_of_zeroes_is_empty),
	SUITE_TEST(tree_finds_keys_and_bounds),
	SUITE_TEST(tree_walks_in_order_both_ways),
	SUITE_TEST(tree_insert_refuses_what_is_there),
	SUITE_TEST(tree_keeps_equal_ones_in_the_order_they_came),
	SUITE_TEST(tree_looks_up_by_an_element_too),
	SUITE_TEST(tree_stays_balanced_whatever_is_erased),
	SUITE_TEST(tree_replaces_an_element_in_its_place),
	SUITE_TEST(tree_is_as_low_as_it_claims),
	SUITE_TEST(tree_check_names_what_is_wrong),
	SUITE_TEST(tree_check_ends_in_a_deep_chain),
	SUITE_TEST(tree_check_refuses_an_element_that_is_not_aligned),
};

int main(int argc, char **argv)
{
	int status;

	if (lend_arena_create(NULL, &arena))
		return suite_skip(lend_error_detail());
	status = suite_run("tree", tests, sizeof(tests) / sizeof(tests[0]), argc, argv);
	lend_arena_destroy(arena);
	return status;
}
