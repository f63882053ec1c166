/* SPDX-License-Identifier: Apache-2.0 */
/* lend-test: timeout=120 */
/*
 * Boost's containers with lend::offset_ptr: built in this process, then walked, searched, grown
 * and walked again in a fresh process that maps the same memory at another address.
 */
#include "support/suite.h"

#if !__has_include(<boost/version.hpp>)

int main()
{
	return suite_skip("Boost's headers are not installed");
}

#else

#include <cstdint>
#include <cstring>
#include <deque>
#include <functional>
#include <new>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <lendheap/ptr_boost.hpp>

#include <boost/circular_buffer.hpp>
#include <boost/container/deque.hpp>
#include <boost/container/flat_map.hpp>
#include <boost/container/list.hpp>
#include <boost/container/map.hpp>
#include <boost/container/set.hpp>
#include <boost/container/slist.hpp>
#include <boost/container/stable_vector.hpp>
#include <boost/container/string.hpp>
#include <boost/container/vector.hpp>
#include <boost/intrusive/list.hpp>
#include <boost/intrusive/set.hpp>
#include <boost/intrusive/unordered_set.hpp>
#include <boost/multi_index/hashed_index.hpp>
#include <boost/multi_index/identity.hpp>
#include <boost/multi_index/ordered_index.hpp>
#include <boost/multi_index/random_access_index.hpp>
#include <boost/multi_index/sequenced_index.hpp>
#include <boost/multi_index_container.hpp>
#include <boost/unordered_map.hpp>

#include "support/relocate.h"

namespace
{

constexpr std::size_t region_bytes = std::size_t{16} << 20;
constexpr int built = 2000;  /* elements made where the region was made */
constexpr int grown = 2500;  /* and after the visitor has added its own */
constexpr int buckets = 512; /* of the intrusive hash set */

/* The head of the memory: what is used, and where the containers lie. */
struct region {
	std::uint64_t used;
	lend::offset_ptr<void> root;
};

/* Never frees; holds the region by a pointer that relocates with it. */
template <class T> class bump
{
      public:
	using value_type = T;
	using pointer = lend::offset_ptr<T>;
	using const_pointer = lend::offset_ptr<const T>;
	using void_pointer = lend::offset_ptr<void>;
	using const_void_pointer = lend::offset_ptr<const void>;
	using size_type = std::size_t;
	using difference_type = std::ptrdiff_t;

	bump(region *memory) noexcept : memory_(memory)
	{
	}

	template <class U> bump(const bump<U> &other) noexcept : memory_(other.memory())
	{
	}

	pointer allocate(std::size_t count)
	{
		const std::uint64_t at = (memory_->used + 15) & ~std::uint64_t{15};

		if (count > (region_bytes - at) / sizeof(T))
			throw std::bad_alloc();
		memory_->used = at + count * sizeof(T);
		return reinterpret_cast<T *>(reinterpret_cast<char *>(memory()) + at);
	}

	void deallocate(const pointer &, std::size_t) noexcept
	{
	}

	region *memory() const noexcept
	{
		return memory_.get();
	}

	template <class U> bool operator==(const bump<U> &other) const noexcept
	{
		return memory() == other.memory();
	}

	template <class U> bool operator!=(const bump<U> &other) const noexcept
	{
		return !(*this == other);
	}

      private:
	lend::offset_ptr<region> memory_;
};

namespace bc = boost::container;
namespace bi = boost::intrusive;
namespace bm = boost::multi_index;

template <class T> using pair_bump = bump<std::pair<const int, T>>;
using string = bc::basic_string<char, std::char_traits<char>, bump<char>>;
using hook_pointer = bi::void_pointer<lend::offset_ptr<void>>;

struct item : bi::list_base_hook<hook_pointer>,
	      bi::set_base_hook<hook_pointer, bi::optimize_size<true>>,
	      bi::unordered_set_base_hook<hook_pointer> {
	int value = 0;

	friend bool operator<(const item &a, const item &b)
	{
		return a.value < b.value;
	}

	friend bool operator==(const item &a, const item &b)
	{
		return a.value == b.value;
	}

	friend std::size_t hash_value(const item &a)
	{
		return std::size_t(a.value);
	}
};

/* The tree's colour is in its parent pointer, or the hook would be a word larger. */
static_assert(sizeof(bi::set_base_hook<hook_pointer, bi::optimize_size<true>>) == 24);

using list_type = bi::list<item>;
using tree_type = bi::set<item>;
using hash_type = bi::unordered_set<item>;
using bucket_type = hash_type::bucket_type;

/* Where the hash set finds its buckets relocates with the hook's kind of pointer. */
static_assert(std::is_same_v<hash_type::bucket_ptr, lend::offset_ptr<hash_type::bucket_type>>);

using index_type = bm::multi_index_container<int,
	bm::indexed_by<bm::ordered_unique<bm::identity<int>>,
		bm::hashed_unique<bm::identity<int>>, bm::sequenced<>, bm::random_access<>>,
	bump<int>>;

string text(region *memory, int i)
{
	string s("item ", bump<char>(memory));

	if (i % 2)
		s += "with a name too long for the string object itself ";
	s += std::to_string(i).c_str();
	return s;
}

struct containers {
	std::vector<int, bump<int>> std_vector;
	std::deque<int, bump<int>> std_deque;
	bc::vector<int, bump<int>> vector;
	bc::map<int, string, std::less<int>, pair_bump<string>> map;
	bc::list<int, bump<int>> list;
	bc::slist<int, bump<int>> slist;
	bc::deque<int, bump<int>> deque;
	bc::set<int, std::less<int>, bump<int>> set;
	bc::flat_map<int, int, std::less<int>, bump<std::pair<int, int>>> flat_map;
	bc::stable_vector<int, bump<int>> stable_vector;
	boost::unordered_map<int, int, boost::hash<int>, std::equal_to<int>, pair_bump<int>>
		hash;
	index_type index;
	boost::circular_buffer<int, bump<int>> ring;
	list_type items;
	tree_type tree;
	hash_type item_hash;
	bc::vector<int, bump<int>> empty_vector;
	bc::map<int, int, std::less<int>, pair_bump<int>> empty_map;

	explicit containers(region *m)
	    : std_vector(m), std_deque(m), vector(m), map(m), list(m), slist(m), deque(m),
	      set(m), flat_map(m), stable_vector(m), hash(m), index(m), ring(grown, m),
	      item_hash(hash_type::bucket_traits(make_buckets(m), buckets)), empty_vector(m),
	      empty_map(m)
	{
	}

	static bucket_type *make_buckets(region *m)
	{
		bucket_type *array = bump<bucket_type>(m).allocate(buckets).get();

		for (int i = 0; i < buckets; i++)
			::new (&array[i]) bucket_type;
		return array;
	}
};

void add(containers &c, region *m, int i)
{
	item *it = ::new (bump<item>(m).allocate(1).get()) item;

	c.std_vector.push_back(i);
	c.std_deque.push_back(i);
	c.vector.push_back(i);
	c.map.emplace(i, text(m, i));
	c.list.push_back(i);
	c.slist.push_front(i);
	c.deque.push_back(i);
	c.set.insert(i);
	c.flat_map.emplace(i, -i);
	c.stable_vector.push_back(i);
	c.hash.emplace(i, -i);
	c.index.insert(i);
	c.ring.push_back(i);
	it->value = i;
	c.items.push_back(*it);
	c.tree.insert(*it);
	c.item_hash.insert(*it);
}

/* 0, 1, 2, ... count - 1 in this order. */
template <class C> bool counts_up(const C &c, int count)
{
	int i = 0;

	for (const auto &value : c)
		if (value != i++)
			return false;
	return i == count;
}

bool items_count_up(const containers &c, int count)
{
	int in_list = 0;
	int in_tree = 0;

	for (const item &it : c.items)
		if (it.value != in_list++)
			return false;
	for (const item &it : c.tree)
		if (it.value != in_tree++)
			return false;
	return in_list == count && in_tree == count;
}

template <class Map> bool maps_to_negative(const Map &map, int count)
{
	for (int i = 0; i < count; i++) {
		auto found = map.find(i);

		if (found == map.end() || found->second != -i)
			return false;
	}
	return map.size() == std::size_t(count) && map.find(count) == map.end();
}

bool walk_each(const containers &c, int count)
{
	int down = count;

	if (!counts_up(c.std_vector, count) || !counts_up(c.std_deque, count))
		return false;
	if (!counts_up(c.vector, count) || !counts_up(c.list, count) ||
		!counts_up(c.deque, count))
		return false;
	if (!counts_up(c.set, count) || !counts_up(c.stable_vector, count))
		return false;
	if (!counts_up(c.ring, count) || !counts_up(c.index.get<0>(), count))
		return false;
	if (!counts_up(c.index.get<2>(), count) || !counts_up(c.index.get<3>(), count))
		return false;
	for (int value : c.slist)
		if (value != --down)
			return false;
	return down == 0 && items_count_up(c, count);
}

bool find_each(const containers &c, region *m, int count)
{
	item wanted;

	for (int i = 0; i < count; i++) {
		auto named = c.map.find(i);

		if (named == c.map.end() || named->second != text(m, i))
			return false;
		if (!c.set.count(i) || !c.index.get<1>().count(i) ||
			c.index.get<3>()[std::size_t(i)] != i)
			return false;
		wanted.value = i;
		if (c.tree.find(wanted) == c.tree.end() ||
			c.item_hash.find(wanted) == c.item_hash.end())
			return false;
	}
	return maps_to_negative(c.flat_map, count) && maps_to_negative(c.hash, count);
}

bool is_whole(const containers &c, region *m, int count)
{
	if (!c.empty_vector.empty() || c.empty_vector.begin() != c.empty_vector.end())
		return false;
	if (!c.empty_map.empty() || c.empty_map.begin() != c.empty_map.end())
		return false;
	return walk_each(c, count) && find_each(c, m, count);
}

/* Take every element with an odd value out of the trees and lists and put it in again. */
void churn(containers &c)
{
	for (int i = 1; i < grown; i += 2) {
		c.set.erase(i);
		c.index.get<0>().erase(i);
		c.hash.erase(i);
	}
	for (auto it = c.tree.begin(); it != c.tree.end();)
		if (it->value % 2)
			it = c.tree.erase(it);
		else
			++it;
	for (item &it : c.items)
		if (it.value % 2)
			c.tree.insert(it);
	for (int i = 1; i < grown; i += 2) {
		c.set.insert(i);
		c.hash.emplace(i, -i);
		c.index.get<0>().insert(i);
	}
	c.index.get<2>().sort();
	c.index.get<3>().sort();
}

void containers_hold_where_they_were_made_and_elsewhere()
{
	int fd = region_create(region_bytes);
	auto *memory = static_cast<region *>(region_map(fd, region_bytes, nullptr));

	CU_ASSERT_PTR_NOT_NULL_FATAL(memory);
	::new (memory) region{sizeof(region), nullptr};

	auto *c = ::new (bump<containers>(memory).allocate(1).get()) containers(memory);

	memory->root = c;
	for (int i = 0; i < built; i++)
		add(*c, memory, i);
	CU_ASSERT_FATAL(is_whole(*c, memory, built));

	/* The visitor adds the rest; what it did must hold here, at the first address. */
	CU_ASSERT_EQUAL(region_visit(fd, memory, "grow"), 0);
	CU_ASSERT(is_whole(*c, memory, grown));
	churn(*c);
	CU_ASSERT(is_whole(*c, memory, grown));
	CU_ASSERT_EQUAL(region_visit(fd, memory, "walk"), 0);
	munmap(memory, region_bytes);
	close(fd);
}

const struct suite_test tests[] = {
	SUITE_TEST(containers_hold_where_they_were_made_and_elsewhere),
};

int visit(char **argv)
{
	const void *there = region_visit_there(argv);
	auto *memory =
		static_cast<region *>(region_map(region_visit_fd(argv), region_bytes, there));

	if (!memory || memory == there)
		return 2;

	auto &c = *static_cast<containers *>(memory->root.get());

	if (strcmp(argv[1], "walk") == 0)
		return is_whole(c, memory, grown) ? 0 : 3;
	if (!is_whole(c, memory, built))
		return 4;
	for (int i = built; i < grown; i++)
		add(c, memory, i);
	return is_whole(c, memory, grown) ? 0 : 5;
}

} // namespace

int main(int argc, char **argv)
{
	if (argc == 4)
		return visit(argv);
	return suite_run("ptr_boost", tests, sizeof(tests) / sizeof(tests[0]), argc, argv);
}

#endif
