/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LENDHEAP_BENCH_SUBJECTS_HPP
#define LENDHEAP_BENCH_SUBJECTS_HPP

/*
 * The containers that bench_containers compares, all of one shape:
 *
 *	subject s;
 *	s.open();                           0 or -errno: a heap of its own
 *	s.make();                           an empty container
 *	s.put(item, value);                 item: a number, or the text of a key to be made
 *	s.settle();                         all is put; not measured
 *	uint64_t *value = s.find(key);      NULL: not there
 *	s.each(visit);                      visit(weight, value)
 *	bool was = s.erase(key);
 *	size_t left = s.count();
 *	s.drop(); s.close();
 *
 * subject::key is what it is searched with, made beforehand by s.key_of(item). A container is as
 * its users get it: its own hash function, its own growth, nothing reserved.
 */
#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <new>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

#ifdef LEND_BENCH_ABSL
#include <absl/container/btree_map.h>
#include <absl/container/flat_hash_map.h>
#endif
#ifdef LEND_BENCH_BOOST
#include <boost/container/map.hpp>
#include <boost/unordered_map.hpp>
#include <boost/version.hpp>
#if BOOST_VERSION >= 108100
#include <boost/unordered/unordered_flat_map.hpp>
#endif
#endif

#include "bench/containers/heaps.hpp"
#include "bench/containers/plan.hpp"

namespace contest
{

/* The key of a C++ container: a number, or a string in its heap. */
template <class Heap, class Item>
using key_in =
	std::conditional_t<std::is_same_v<Item, uint64_t>, uint64_t, typename Heap::string>;

template <class Heap, class Key> Key make_key(const Heap &heap, std::string_view text)
{
	return Key(text.data(), text.size(), heap.template get<char>());
}

template <class Heap, class Key> Key make_key(const Heap &, uint64_t number)
{
	return number;
}

/* A container that lies in its heap, as its elements do. */
template <class Heap, class Container> class placed
{
      public:
	void make(const Heap &heap)
	{
		auto allocator = heap.template get<Container>();

		at_ = allocator.allocate(1);
		new (static_cast<void *>(std::addressof(*at_))) Container(
			typename Container::allocator_type(heap.template get<char>()));
	}
	void drop(const Heap &heap)
	{
		auto allocator = heap.template get<Container>();

		at_->~Container();
		allocator.deallocate(at_, 1);
	}
	Container *operator->() const
	{
		return std::addressof(*at_);
	}
	Container &operator*() const
	{
		return *at_;
	}

      private:
	typename std::allocator_traits<typename Heap::template allocator<Container>>::pointer
		at_ = nullptr;
};

/* A map of the shape that all C++ maps share. */
template <class Heap, class Item, template <class, class> class Map> class map_subject
{
      public:
	using key = key_in<Heap, Item>;
	using map = Map<key, typename Heap::template allocator<std::pair<const key, uint64_t>>>;

	int open()
	{
		return heap_.open();
	}
	void close()
	{
		heap_.close();
	}
	void make()
	{
		map_.make(heap_);
	}
	size_t count() const
	{
		return map_->size();
	}
	void drop()
	{
		map_.drop(heap_);
	}
	key key_of(Item item) const
	{
		return make_key<Heap, key>(heap_, item);
	}
	void put(Item item, uint64_t value)
	{
		map_->emplace(key_of(item), value);
	}
	void settle()
	{
	}
	const uint64_t *find(const key &wanted) const
	{
		auto at = map_->find(wanted);

		return at == map_->end() ? nullptr : &at->second;
	}
	template <class Visit> void each(Visit visit) const
	{
		for (const auto &element : *map_)
			visit(weight(element.first), element.second);
	}
	bool erase(const key &wanted)
	{
		return map_->erase(wanted) == 1;
	}

      private:
	Heap heap_;
	placed<Heap, map> map_;
};

/* A vector: filled at its end, sorted, searched by halves, emptied from its end. */
template <class Heap, class Item> class vector_subject
{
      public:
	using key = key_in<Heap, Item>;
	using element = std::pair<key, uint64_t>;
	using vector = std::vector<element, typename Heap::template allocator<element>>;

	int open()
	{
		return heap_.open();
	}
	void close()
	{
		heap_.close();
	}
	void make()
	{
		vector_.make(heap_);
	}
	size_t count() const
	{
		return vector_->size();
	}
	void drop()
	{
		vector_.drop(heap_);
	}
	key key_of(Item item) const
	{
		return make_key<Heap, key>(heap_, item);
	}
	void put(Item item, uint64_t value)
	{
		vector_->emplace_back(key_of(item), value);
	}
	void settle()
	{
		std::sort(vector_->begin(), vector_->end());
	}
	const uint64_t *find(const key &wanted) const
	{
		auto at = std::lower_bound(vector_->begin(), vector_->end(), wanted,
			[](const element &e, const key &k) { return e.first < k; });

		return at == vector_->end() || at->first != wanted ? nullptr : &at->second;
	}
	template <class Visit> void each(Visit visit) const
	{
		for (const element &e : *vector_)
			visit(weight(e.first), e.second);
	}
	bool erase(const key &)
	{
		vector_->pop_back();
		return true;
	}

      private:
	Heap heap_;
	placed<Heap, vector> vector_;
};

/* The maps as templates of a key and an allocator, all else as it comes. */
template <class Key, class Allocator>
using std_map = std::map<Key, uint64_t, std::less<Key>, Allocator>;

template <class Key, class Allocator>
using std_unordered_map =
	std::unordered_map<Key, uint64_t, std::hash<Key>, std::equal_to<Key>, Allocator>;

/* As users name them: they know their allocator. */
template <class Key, class> using fixed_map = lend::fixed::map<Key, uint64_t>;

template <class Key, class>
using fixed_unordered_map = lend::fixed::unordered_map<Key, uint64_t>;

#ifdef LEND_BENCH_ABSL
template <class Key, class> using absl_flat_hash_map = absl::flat_hash_map<Key, uint64_t>;

template <class Key, class> using absl_btree_map = absl::btree_map<Key, uint64_t>;
#endif

#ifdef LEND_BENCH_BOOST
/* boost::interprocess::map is another name of it. */
template <class Key, class Allocator>
using boost_map = boost::container::map<Key, uint64_t, std::less<Key>, Allocator>;

template <class Key, class Allocator>
using boost_unordered_map =
	boost::unordered_map<Key, uint64_t, boost::hash<Key>, std::equal_to<Key>, Allocator>;

#if BOOST_VERSION >= 108100
template <class Key, class Allocator>
using boost_unordered_flat_map = boost::unordered_flat_map<Key, uint64_t, boost::hash<Key>,
	std::equal_to<Key>, Allocator>;
#endif
#endif

} /* namespace contest */

#endif /* LENDHEAP_BENCH_SUBJECTS_HPP */
