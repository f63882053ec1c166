/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Containers of the standard library that do not go with lend::allocator: those that would store
 * raw pointers in silence are refused, some do not compile with any fancy pointer.
 * tests/compat/table.py takes their names from the comments.
 */
#include <deque>
#include <forward_list>
#include <list>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include <lendheap/allocator.hpp>

using number_pair = std::pair<const int, int>;

void these_take_it()
{
	std::vector<int, lend::allocator<int>> vector;
	std::deque<int, lend::bound_allocator<int>> deque;
	std::unordered_map<int, int, std::hash<int>, std::equal_to<int>,
		lend::fixed_allocator<number_pair>>
		fixed;

	vector.push_back(1);
	deque.push_back(1);
	fixed.emplace(1, 1);
}

void refused()
{
#if CASE == 1 /* offset: std::forward_list<int> */
	/* lend-test: case 1 expects "use lend::slist" */
	std::forward_list<int, lend::allocator<int>> c;
	c.push_front(1);
#elif CASE == 2 /* offset: std::unordered_map<int, int> */
	/* lend-test: case 2 expects "use lend::unordered_map" */
	std::unordered_map<int, int, std::hash<int>, std::equal_to<int>,
		lend::allocator<number_pair>>
		c;
	c.emplace(1, 1);
#elif CASE == 3 /* offset: std::unordered_set<int> */
	/* lend-test: case 3 expects "use lend::unordered_map" */
	std::unordered_set<int, std::hash<int>, std::equal_to<int>, lend::bound_allocator<int>>
		c;
	c.insert(1);
#elif CASE == 4 /* offset: std::vector<bool> */
	/* lend-test: case 4 expects "use lend::vector<bool>" */
	std::vector<bool, lend::allocator<bool>> c;
	c.push_back(true);
#elif CASE == 5 /* offset: std::allocate_shared<int> */
	/* lend-test: case 5 expects "lend::shared" */
	std::allocate_shared<int>(lend::allocator<int>(), 1);
#elif CASE == 6 /* raw: std::allocate_shared<int> */
	/* lend-test: case 6 expects "lend::shared" */
	std::allocate_shared<int>(lend::fixed_allocator<int>(), 1);
#elif CASE == 7
	/* lend-test: case 7 expects "lend::shared" */
	std::shared_ptr<int>(new int, std::default_delete<int>(), lend::bound_allocator<int>());
#endif
}

/* libstdc++ 12: some member of theirs is a raw pointer, and no pointer converts to it. */
void not_compiled()
{
#if CASE == 8 /* offset: std::list<int> */
	/* lend-test: case 8 expects "offset_ptr" */
	std::list<int, lend::allocator<int>> c;
	c.push_back(1);
#elif CASE == 9  /* offset: std::set<int> */
	/* lend-test: case 9 expects "_Rb_tree" */
	std::set<int, std::less<int>, lend::allocator<int>> c;
	c.insert(1);
#elif CASE == 10 /* offset: std::map<int, int> */
	/* lend-test: case 10 expects "_Rb_tree" */
	std::map<int, int, std::less<int>, lend::allocator<number_pair>> c;
	c.emplace(1, 1);
#elif CASE == 11 /* offset: std::string */
	/* lend-test: case 11 expects "pointer" */
	std::basic_string<char, std::char_traits<char>, lend::allocator<char>> c;
	c.push_back('a');
#endif
}
