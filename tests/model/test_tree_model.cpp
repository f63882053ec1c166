// SPDX-License-Identifier: Apache-2.0
// Random operations on trees beside std::set and std::multiset of the same elements. The seed
// is printed and can be given, as the first argument or in LEND_TEST_SEED.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <set>
#include <vector>

#include <lendheap/tree.h>

#include "support/heap.h"

struct word {
	uint64_t key;
	uint64_t serial; // tells equal ones apart
	struct lend_tree_hook_shm hook;
};

#define ORDER(a, b) ((a) < (b) ? -1 : (a) > (b))

#define LEND_TREE                            word_tree
#define LEND_TREE_TYPE                       word
#define LEND_TREE_HOOK                       hook
#define LEND_TREE_COMPARE(a, b)              ORDER((a)->key, (b)->key)
#define LEND_TREE_KEY                        uint64_t
#define LEND_TREE_KEY_COMPARE(key_, element) ORDER(key_, (element)->key)
#include <lendheap/tree.h>

#define REQUIRE(condition)                                                                     \
	do {                                                                                   \
		if (!(condition)) {                                                            \
			fprintf(stderr, "%s:%d: %s, step %d\n", __FILE__, __LINE__,            \
				#condition, step);                                             \
			return 1;                                                              \
		}                                                                              \
	} while (0)

namespace
{

struct by_key {
	bool operator()(const word *a, const word *b) const
	{
		return a->key < b->key;
	}
};

template <class Model> bool equal(const word_tree &tree, const Model &model)
{
	const word *at = word_tree_first(&tree);

	for (const word *one : model) {
		if (at != one)
			return false;
		at = word_tree_next(at);
	}
	if (at || word_tree_count(&tree) != model.size() || word_tree_check(&tree, nullptr))
		return false;
	at = word_tree_last(&tree);
	for (auto i = model.rbegin(); i != model.rend(); ++i, at = word_tree_prev(at))
		if (at != *i)
			return false;
	return !at;
}

template <class Model> const word *element(const Model &model, typename Model::iterator at)
{
	return at == model.end() ? nullptr : *at;
}

void insert(word_tree &tree, word *one, std::set<word *, by_key> &model, bool &same)
{
	same = (word_tree_insert(&tree, one) == 0) == model.insert(one).second;
}

void insert(word_tree &tree, word *one, std::multiset<word *, by_key> &model, bool &same)
{
	word_tree_insert_equal(&tree, one);
	model.insert(one);
	same = true;
}

template <class Model> void erase_one(Model &model, word *one)
{
	for (auto i = model.lower_bound(one);; ++i)
		if (*i == one) {
			model.erase(i);
			return;
		}
}

// Trees of up to count elements with keys below range; all is compared every `often` steps.
template <class Model>
int run(uint64_t state, uint64_t count, uint64_t range, int steps, int often)
{
	std::vector<word> words(count);
	std::vector<word> spares(count);
	word_tree tree = {};
	Model model;
	word probe = {};
	bool same;

	for (uint64_t i = 0; i < count; i++) {
		words[i].serial = spares[i].serial = i;
		words[i].key = heap_draw(&state) % range;
	}
	for (int step = 0; step < steps; step++) {
		// Waves: the tree grows to nearly all elements, and shrinks to nearly none.
		bool grows = step / static_cast<int>(2 * count) % 2 == 0;
		uint64_t number = heap_draw(&state) % count;
		word *one =
			word_tree_is_linked(&spares[number]) ? &spares[number] : &words[number];

		probe.key = heap_draw(&state) % range;
		switch (heap_draw(&state) % 8) {
		case 0:
			if (!word_tree_is_linked(one))
				break;
			word *spare;
			spare = one == &words[number] ? &spares[number] : &words[number];
			spare->key = one->key;
			word_tree_replace(&tree, one, spare);
			*const_cast<word **>(
				&*std::find(model.lower_bound(one), model.end(), one)) = spare;
			break;
		case 1:
		case 2:
			REQUIRE(word_tree_lower_bound(&tree, probe.key) ==
				element(model, model.lower_bound(&probe)));
			REQUIRE(word_tree_upper_bound(&tree, probe.key) ==
				element(model, model.upper_bound(&probe)));
			REQUIRE((word_tree_find(&tree, probe.key) != nullptr) ==
				(model.count(&probe) != 0));
			break;
		case 3:
			grows = !grows;
			/* fall through */
		default:
			if (word_tree_is_linked(one) && !grows) {
				word_tree_erase(&tree, one);
				erase_one(model, one);
				one->key = heap_draw(&state) % range;
			} else if (!word_tree_is_linked(one) && grows) {
				insert(tree, one, model, same);
				REQUIRE(same);
			}
		}
		REQUIRE(word_tree_count(&tree) == model.size());
		if (step % often == 0)
			REQUIRE(equal(tree, model));
	}
	printf("%d operations, up to %llu elements\n", steps, (unsigned long long)count);
	return 0;
}

} // namespace

int main(int argc, char **argv)
{
	using set = std::set<word *, by_key>;
	using multiset = std::multiset<word *, by_key>;
	uint64_t state = heap_seed(argc, argv);
	int err = run<set>(state, 20, 40, 20000, 1);

	err = err ? err : run<set>(state + 1, 2000, 4000, 100000, 500);
	err = err ? err : run<multiset>(state + 2, 30, 8, 20000, 1);
	return err ? err : run<multiset>(state + 3, 2000, 300, 100000, 500);
}
