/* SPDX-License-Identifier: Apache-2.0 */
#include <lendheap/boost.hpp>

#include <boost/multi_index/hashed_index.hpp>
#include <boost/multi_index/identity.hpp>
#include <boost/multi_index/ordered_index.hpp>
#include <boost/multi_index/random_access_index.hpp>
#include <boost/multi_index/ranked_index.hpp>
#include <boost/multi_index/sequenced_index.hpp>
#include <boost/multi_index_container.hpp>
#include <boost/version.hpp>
#if BOOST_VERSION >= 108100
#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/unordered/unordered_flat_set.hpp>
#endif

#include "compat.hpp"

namespace compat
{

namespace
{

namespace bm = boost::multi_index;

using all_indices = bm::multi_index_container<int,
	bm::indexed_by<bm::ordered_unique<bm::identity<int>>,
		bm::ranked_unique<bm::identity<int>>, bm::hashed_unique<bm::identity<int>>,
		bm::sequenced<>, bm::random_access<>>,
	lend::allocator<int>>;

/* The first index is looked at by everyone; the others here. */
struct multi_index : all_indices {
	const_iterator find(int number) const
	{
		const auto &hashed = get<2>();
		const auto &listed = get<3>();
		const bool is_here = number < static_cast<int>(size());

		if ((hashed.find(number) != hashed.end()) != is_here ||
			(is_here && get<4>()[static_cast<std::size_t>(number)] != number) ||
			(is_here && get<1>().rank(get<1>().find(number)) !=
					    static_cast<std::size_t>(number)) ||
			(is_here && listed.back() != static_cast<int>(size()) - 1))
			return end();
		return all_indices::find(number);
	}
};

template <class T> using hash = boost::hash<T>;
template <class T> using equal = std::equal_to<T>;
using number_pair = std::pair<const int, int>;

#if BOOST_VERSION >= 108100
template <bool Offset>
using flat_map = boost::unordered_flat_map<int, int, hash<int>, equal<int>,
	unguarded<number_pair, Offset>>;
template <bool Offset>
using flat_set = boost::unordered_flat_set<int, hash<int>, equal<int>, unguarded<int, Offset>>;
#endif

} // namespace

std::vector<row> rows_of_boost_tables()
{
	using namespace lend;
	using compat::flat_map;
	using compat::flat_set;

	return
	{
		row_of<unordered_set<string>>("lend::unordered_set<string>", "offset"),
			row_of<unordered_multiset<int>>(
				"lend::unordered_multiset<int>", "offset"),
			row_of<unordered_map<int, int>>(
				"lend::unordered_map<int, int>", "offset"),
			row_of<unordered_map<string, lend::vector<string>>>(
				"lend::unordered_map<string, vector<string>>", "offset"),
			row_of<unordered_multimap<int, string>>(
				"lend::unordered_multimap<int, string>", "offset"),
			row_of<multi_index>(
				"boost::multi_index_container<int, 5 indices>", "offset"),
			row_of<boost::unordered_map<int, int, compat::hash<int>, equal<int>,
				fixed_allocator<number_pair>>>(
				"boost::unordered_map<int, int>", "raw"),
#if BOOST_VERSION >= 108100
			row_of<flat_map<false>>(
				"boost::unordered_flat_map<int, int>", "raw unguarded"),
			row_of<flat_map<true>>(
				"boost::unordered_flat_map<int, int>", "offset unguarded"),
			row_of<flat_set<false>>(
				"boost::unordered_flat_set<int>", "raw unguarded"),
			row_of<flat_set<true>>(
				"boost::unordered_flat_set<int>", "offset unguarded"),
#endif
	};
}

} // namespace compat
