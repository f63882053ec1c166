/* SPDX-License-Identifier: Apache-2.0 */
#include <lendheap/boost.hpp>

#include "compat.hpp"

namespace compat
{

std::vector<row> rows_of_boost_container()
{
	using namespace lend;

	return {
		row_of<lend::vector<int>>("lend::vector<int>", "offset"),
		row_of<lend::vector<bool>>("lend::vector<bool>", "offset"),
		row_of<lend::vector<string>>("lend::vector<string>", "offset"),
		row_of<lend::vector<lend::vector<int>>>("lend::vector<vector<int>>", "offset"),
		row_of<small_vector<int, 8>>("lend::small_vector<int, 8>", "offset"),
		row_of<small_vector<string, 4>>("lend::small_vector<string, 4>", "offset"),
		row_of<stable_vector<int>>("lend::stable_vector<int>", "offset"),
		row_of<devector<int>>("lend::devector<int>", "offset"),
		row_of<deque<int>>("lend::deque<int>", "offset"),
		row_of<deque<string>>("lend::deque<string>", "offset"),
		row_of<list<string>>("lend::list<string>", "offset"),
		row_of<slist<string>>("lend::slist<string>", "offset"),
		row_of<string>("lend::string", "offset"),
		row_of<circular_buffer<int>>("lend::circular_buffer<int>", "offset"),
		row_of<circular_buffer<string>>("lend::circular_buffer<string>", "offset"),
	};
}

std::vector<row> rows_of_boost_trees()
{
	using namespace lend;

	return {
		row_of<set<int>>("lend::set<int>", "offset"),
		row_of<multiset<string>>("lend::multiset<string>", "offset"),
		row_of<map<int, int>>("lend::map<int, int>", "offset"),
		row_of<map<string, lend::vector<string>>>(
			"lend::map<string, vector<string>>", "offset"),
		row_of<multimap<int, string>>("lend::multimap<int, string>", "offset"),
		row_of<flat_set<int>>("lend::flat_set<int>", "offset"),
		row_of<flat_multiset<string>>("lend::flat_multiset<string>", "offset"),
		row_of<flat_map<string, string>>("lend::flat_map<string, string>", "offset"),
		row_of<flat_multimap<int, int>>("lend::flat_multimap<int, int>", "offset"),
		row_of<boost::container::map<int, int, std::less<int>,
			fixed_allocator<std::pair<const int, int>>>>(
			"boost::container::map<int, int>", "raw"),
	};
}

} // namespace compat
