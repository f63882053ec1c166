/* SPDX-License-Identifier: Apache-2.0 */
#include <memory>

#include <lendheap/boost.hpp>
#include <lendheap/fixed.hpp>

#include "compat.hpp"

namespace compat
{

namespace
{

template <class T> using offset = lend::allocator<T>;

/* Shared pointers whose objects the allocator made. */
template <bool Offset>
using pointers = std::vector<std::shared_ptr<int>, unguarded<std::shared_ptr<int>, Offset>>;

template <bool Offset> struct shared_of_unguarded : pointers<Offset> {
	using value_type = int;

	void push_back(int number)
	{
		pointers<Offset>::push_back(
			std::allocate_shared<int>(unguarded<int, Offset>(), number));
	}
};

} // namespace

std::vector<row> rows_of_std()
{
	using namespace lend::fixed;
	using words = vector<string>;
	using unguarded_pair = unguarded<std::pair<const int, int>, true>;

	return {
		row_of<vector<int>>("std::vector<int>", "raw"),
		row_of<vector<bool>>("std::vector<bool>", "raw"),
		row_of<words>("std::vector<string>", "raw"),
		row_of<string>("std::string", "raw"),
		row_of<deque<int>>("std::deque<int>", "raw"),
		row_of<list<string>>("std::list<string>", "raw"),
		row_of<forward_list<int>>("std::forward_list<int>", "raw"),
		row_of<set<int>>("std::set<int>", "raw"),
		row_of<multiset<string>>("std::multiset<string>", "raw"),
		row_of<map<int, int>>("std::map<int, int>", "raw"),
		row_of<map<string, words>>("std::map<string, vector<string>>", "raw"),
		row_of<multimap<int, string>>("std::multimap<int, string>", "raw"),
		row_of<unordered_set<string>>("std::unordered_set<string>", "raw"),
		row_of<unordered_multiset<int>>("std::unordered_multiset<int>", "raw"),
		row_of<unordered_map<int, int>>("std::unordered_map<int, int>", "raw"),
		row_of<unordered_map<string, words>>(
			"std::unordered_map<string, vector<string>>", "raw"),
		row_of<unordered_multimap<int, string>>(
			"std::unordered_multimap<int, string>", "raw"),
		row_of<std::vector<int, offset<int>>>("std::vector<int>", "offset"),
		row_of<std::vector<lend::string, offset<lend::string>>>(
			"std::vector<lend::string>", "offset"),
		row_of<std::deque<int, offset<int>>>("std::deque<int>", "offset"),
		row_of<std::deque<lend::string, offset<lend::string>>>(
			"std::deque<lend::string>", "offset"),
		row_of<std::vector<bool, unguarded<bool, true>>>(
			"std::vector<bool>", "offset unguarded"),
		row_of<std::forward_list<int, unguarded<int, true>>>(
			"std::forward_list<int>", "offset unguarded"),
		row_of<std::unordered_map<int, int, lend::hash<int>, std::equal_to<int>,
			unguarded_pair>>("std::unordered_map<int, int>", "offset unguarded"),
		row_of<std::unordered_set<int, lend::hash<int>, std::equal_to<int>,
			unguarded<int, true>>>("std::unordered_set<int>", "offset unguarded"),
		row_of<shared_of_unguarded<false>>(
			"std::allocate_shared<int>", "raw unguarded"),
		row_of<shared_of_unguarded<true>>(
			"std::allocate_shared<int>", "offset unguarded"),
	};
}

} // namespace compat
