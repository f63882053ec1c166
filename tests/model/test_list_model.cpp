// SPDX-License-Identifier: Apache-2.0
// Random operations on two lists beside std::list of the same numbers. The seed is printed and
// can be given, as the first argument or in LEND_TEST_SEED.
#include <cstdint>
#include <cstdio>
#include <iterator>
#include <list>
#include <vector>

#include <lendheap/list.h>

#include "support/heap.h"

struct item {
	uint64_t number;
	struct lend_list_hook_shm hook;
};

#define LEND_LIST      item_list
#define LEND_LIST_TYPE item
#define LEND_LIST_HOOK hook
#include <lendheap/list.h>

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

constexpr int STEPS = 100000;
constexpr uint64_t ITEMS = 60;

bool equal(const item_list &list, const std::list<uint64_t> &model)
{
	const item *at = item_list_first(&list);

	for (uint64_t number : model) {
		if (!at || at->number != number)
			return false;
		at = item_list_next(&list, at);
	}
	if (at || item_list_check(&list, nullptr))
		return false;
	at = item_list_last(&list);
	for (auto i = model.rbegin(); i != model.rend(); ++i, at = item_list_prev(&list, at))
		if (!at || at->number != *i)
			return false;
	return !at && item_list_count(&list) == model.size();
}

struct place {
	int list;
	std::list<uint64_t>::iterator at;
};

int run(uint64_t state)
{
	std::vector<item> items(ITEMS);
	std::vector<place> places(ITEMS);
	item_list lists[2] = {};
	std::list<uint64_t> models[2];

	for (uint64_t i = 0; i < ITEMS; i++)
		items[i].number = i;
	for (int step = 0; step < STEPS; step++) {
		uint64_t number = heap_draw(&state) % ITEMS;
		uint64_t beside = heap_draw(&state) % ITEMS;
		int which = static_cast<int>(heap_draw(&state) % 2);
		item *one = &items[number];
		item *other = &items[beside];
		place &here = places[number];
		place &there = places[beside];
		bool linked = item_list_is_linked(one);

		REQUIRE(!linked || *here.at == number);
		switch (heap_draw(&state) % 8) {
		case 0:
			if (linked)
				break;
			item_list_push_front(&lists[which], one);
			models[which].push_front(number);
			here = {which, models[which].begin()};
			break;
		case 1:
			if (linked)
				break;
			item_list_push_back(&lists[which], one);
			models[which].push_back(number);
			here = {which, std::prev(models[which].end())};
			break;
		case 2:
			if (linked || !item_list_is_linked(other))
				break;
			item_list_insert_before(other, one);
			here = {there.list, models[there.list].insert(there.at, number)};
			break;
		case 3:
			if (linked || !item_list_is_linked(other))
				break;
			item_list_insert_after(other, one);
			here = {there.list,
				models[there.list].insert(std::next(there.at), number)};
			break;
		case 4:
			if (!linked)
				break;
			item_list_erase(one);
			models[here.list].erase(here.at);
			break;
		case 5:
			if (linked || !item_list_is_linked(other))
				break;
			item_list_replace(other, one);
			here = there;
			*here.at = number;
			break;
		case 6: {
			item *popped = number % 2 ? item_list_pop_front(&lists[which])
						  : item_list_pop_back(&lists[which]);

			REQUIRE((popped == nullptr) == models[which].empty());
			if (!popped)
				break;
			REQUIRE(popped->number ==
				(number % 2 ? models[which].front() : models[which].back()));
			if (number % 2)
				models[which].pop_front();
			else
				models[which].pop_back();
			break;
		}
		default:
			if (number % 8) /* rarely: lists that stay short test little */
				break;
			for (place &each : places)
				if (each.list == !which)
					each.list = which;
			if (beside % 2) {
				item_list_splice_front(&lists[which], &lists[!which]);
				models[which].splice(models[which].begin(), models[!which]);
			} else {
				item_list_splice_back(&lists[which], &lists[!which]);
				models[which].splice(models[which].end(), models[!which]);
			}
			break;
		}
		REQUIRE(equal(lists[0], models[0]));
		REQUIRE(equal(lists[1], models[1]));
	}
	printf("%d operations\n", STEPS);
	return 0;
}

} // namespace

int main(int argc, char **argv)
{
	return run(heap_seed(argc, argv));
}
