/* SPDX-License-Identifier: Apache-2.0 */
/* What the C++ face does not let happen: objects that cannot be shared, copies of owners. */
#include <forward_list>
#include <functional>
#include <map>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include <lendheap/arena.hpp>
#include <lendheap/fixed.hpp>
#include <lendheap/shared.hpp>

struct speaks {
	virtual void speak();
};

using strings = lend::fixed::vector<std::string>;

void these_are_fine(lend::arena &arena, lend::borrowed &borrowed)
{
	lend::scope in(arena);
	const lend::arena &reader = arena;

	arena.construct<lend::fixed::vector<lend::fixed::string>>("a", 3u);
	(void)arena.find<int *>("b");
	(void)reader.find<int>("c");
	(void)borrowed.find<int>("d");
	(void)lend::open("e").find<int>("f");
	std::vector<int, lend::allocator<int>> numbers(3);
	lend::unique<int> owner = lend::make_unique<int>(3);
	lend::unique<int> moved = std::move(owner);
	arena = lend::arena("other");
}

void these_are_not(lend::arena &arena, lend::borrowed &borrowed)
{
	lend::unique<int> owner;
	lend::arena other("other");
	(void)arena, (void)borrowed;
/* lend-test: case 1 expects "use std::variant (docs/recipes.md)" */
#if CASE == 1
	arena.construct<speaks>("x");
/* lend-test: case 2 expects "use lend::fixed::string" */
#elif CASE == 2
	arena.construct<std::string>("x");
/* lend-test: case 3 expects "use lend::fixed::string" */
#elif CASE == 3
	arena.construct<std::map<int, int>>("x");
/* lend-test: case 4 expects "std::variant of function objects" */
#elif CASE == 4
	arena.construct<std::function<void()>>("x");
/* lend-test: case 5 expects "use lend::fixed::string" */
#elif CASE == 5
	arena.find_or_construct<strings>("x");
/* lend-test: case 6 expects "use std::variant (docs/recipes.md)" */
#elif CASE == 6
	(void)borrowed.find<speaks>("x");
/* lend-test: case 7 expects "use std::variant (docs/recipes.md)" */
#elif CASE == 7
	(void)lend::make_unique<speaks>();
/* lend-test: case 8 expects "use lend::fixed::string" */
#elif CASE == 8
	(void)lend::make_shared<std::string>();
/* lend-test: case 9 expects "std::forward_list stores raw pointers: use lend::slist" */
#elif CASE == 9
	std::forward_list<int, lend::allocator<int>> list;
	list.push_front(1);
/* lend-test: case 10 expects "store raw pointers: use lend::unordered_map" */
#elif CASE == 10
	std::unordered_map<int, int, std::hash<int>, std::equal_to<int>,
		lend::allocator<std::pair<const int, int>>>
		map;
	map[1] = 1;
/* lend-test: case 11 expects "store raw pointers: use lend::unordered_map" */
#elif CASE == 11
	std::unordered_set<int, std::hash<int>, std::equal_to<int>, lend::bound_allocator<int>>
		set;
	set.insert(1);
/* lend-test: case 12 expects "std::vector<bool> stores raw pointers" */
#elif CASE == 12
	std::vector<bool, lend::allocator<bool>> bits(3);
/* lend-test: case 13 expects "deleted" */
#elif CASE == 13
	lend::unique<int> copy = owner;
/* lend-test: case 14 expects "deleted" */
#elif CASE == 14
	arena = other;
/* lend-test: case 15 expects "deleted" */
#elif CASE == 15
	(void)lend::arena("x").find<int>("y");
/* lend-test: case 16 expects "deleted" */
#elif CASE == 16
	lend::arena("x").construct<int>("y");
/* lend-test: case 17 expects "lend::" */
#elif CASE == 17
	lend::scope in(lend::arena("x"));
/* lend-test: case 18 expects "an array is a lend::fixed::vector" */
#elif CASE == 18
	lend::unique<int[]> array;
/* lend-test: case 19 expects "an array is a lend::fixed::vector" */
#elif CASE == 19
	(void)lend::make_shared<int[3]>();
/* lend-test: case 20 expects "this type does not go into an arena" */
#elif CASE == 20
	arena.construct<std::pair<int, lend::arena>>("x");
/* lend-test: case 21 expects "this type does not go into an arena" */
#elif CASE == 21
	arena.construct<lend::fixed::vector<lend::borrowed>>("x");
#endif
}
