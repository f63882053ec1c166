/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Containers of Boost that would store pointers that do not hold, in silence.
 * tests/compat/table.py takes their names from the comments.
 */
#include <functional>
#include <utility>

#include <lendheap/boost.hpp>

#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/unordered/unordered_flat_set.hpp>

template <class T> using hash = boost::hash<T>;
template <class T> using equal = std::equal_to<T>;
using number_pair = std::pair<const int, int>;

void this_takes_it()
{
	boost::unordered_map<int, int, hash<int>, equal<int>,
		lend::fixed_allocator<number_pair>>
		c;

	c.emplace(1, 1);
}

void refused()
{
#if CASE == 1 /* offset: boost::unordered_flat_map<int, int> */
	/* lend-test: case 1 expects "use lend::unordered_map" */
	boost::unordered_flat_map<int, int, hash<int>, equal<int>, lend::allocator<number_pair>>
		c;
#elif CASE == 2 /* offset: boost::unordered_flat_set<int> */
	/* lend-test: case 2 expects "use lend::unordered_map" */
	boost::unordered_flat_set<int, hash<int>, equal<int>, lend::allocator<int>> c;
#elif CASE == 3
	/* lend-test: case 3 expects "use lend::unordered_map" */
	boost::unordered_flat_map<int, int, hash<int>, equal<int>,
		lend::bound_allocator<number_pair>>
		c;
#elif CASE == 4
	/* lend-test: case 4 expects "use lend::unordered_map" */
	boost::unordered_flat_set<int, hash<int>, equal<int>, lend::bound_allocator<int>> c;
#elif CASE == 5 /* raw: boost::unordered_flat_map<int, int> */
	/* lend-test: case 5 expects "use lend::fixed::unordered_map" */
	boost::unordered_flat_map<int, int, hash<int>, equal<int>,
		lend::fixed_allocator<number_pair>>
		c;
#elif CASE == 6 /* raw: boost::unordered_flat_set<int> */
	/* lend-test: case 6 expects "use lend::fixed::unordered_map" */
	boost::unordered_flat_set<int, hash<int>, equal<int>, lend::fixed_allocator<int>> c;
#elif CASE == 7
	/* lend-test: case 7 expects "use std::variant" */
	struct speaks {
		virtual void speak()
		{
		}
	};
	lend::vector<speaks> c;
	c.emplace_back();
#endif
}
