/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LENDHEAP_BENCH_C_MAPS_HPP
#define LENDHEAP_BENCH_C_MAPS_HPP

/* lendheap's own maps in the shape of subjects.hpp: instances of its C headers. */
#include <cstdint>
#include <new>
#include <string_view>
#include <type_traits>

#include "bench/containers/heaps.hpp"
#include "bench/containers/plan.hpp"
#include "bench/containers/subjects.hpp"

#define LEND_MAP       number_map
#define LEND_MAP_KEY   uint64_t
#define LEND_MAP_VALUE uint64_t
#include <lendheap/map.h>

#define LEND_MAP word_map
#define LEND_MAP_STRING_KEYS
#define LEND_MAP_VALUE uint64_t
#include <lendheap/map.h>

#define LEND_ORDERED_MAP       number_tree
#define LEND_ORDERED_MAP_KEY   uint64_t
#define LEND_ORDERED_MAP_VALUE uint64_t
#include <lendheap/ordered_map.h>

#define LEND_ORDERED_MAP word_tree
#define LEND_ORDERED_MAP_STRING_KEYS
#define LEND_ORDERED_MAP_VALUE uint64_t
#include <lendheap/ordered_map.h>

namespace contest
{

inline uint64_t weight(const lend_string_shm &key)
{
	return lend_string_view(&key).bytes;
}

/* The functions of an instance, told by name. */
template <class Item, class Map, class Entry, class Iterator, auto Set, auto Find, auto First,
	auto Next, auto Erase, auto Count, auto Fini>
class c_map_subject
{
      public:
	using key = key_in<own_heap, Item>; /* the same copies as the peers get */

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
		map_ = static_cast<Map *>(lend_alloc_zeroed(heap_.arena(), sizeof(*map_)));
		if (!map_)
			throw std::bad_alloc();
	}
	void drop()
	{
		Fini(map_, heap_.arena());
		lend_free_sized(heap_.arena(), map_, sizeof(*map_));
	}
	key key_of(Item item) const
	{
		return key(item);
	}
	void put(Item item, uint64_t value)
	{
		if (Set(map_, heap_.arena(), sought(item), value) != 1)
			throw std::bad_alloc();
	}
	void settle()
	{
	}
	const uint64_t *find(const key &wanted) const
	{
		Entry *entry = Find(map_, sought(wanted));

		return entry ? &entry->value : nullptr;
	}
	template <class Visit> void each(Visit visit) const
	{
		Iterator at;

		for (Entry *entry = First(map_, &at); entry; entry = Next(&at))
			visit(weight(entry->key), entry->value);
	}
	bool erase(const key &wanted)
	{
		return Erase(map_, heap_.arena(), sought(wanted)) == 1;
	}
	uint64_t count() const
	{
		return Count(map_);
	}

      private:
	static uint64_t sought(uint64_t number)
	{
		return number;
	}

	static lend_view sought(std::string_view word)
	{
		return lend_view_make(word.data(), word.size());
	}

	arena_heap heap_;
	Map *map_ = nullptr;
};

using number_map_subject = c_map_subject<uint64_t, number_map, number_map_entry,
	number_map_iterator, number_map_set, number_map_find, number_map_first, number_map_next,
	number_map_erase, number_map_count, number_map_fini>;
using word_map_subject = c_map_subject<std::string_view, word_map, word_map_entry,
	word_map_iterator, word_map_set, word_map_find, word_map_first, word_map_next,
	word_map_erase, word_map_count, word_map_fini>;

template <class Item>
using lend_map_subject = std::conditional_t<std::is_same_v<Item, uint64_t>, number_map_subject,
	word_map_subject>;

using number_tree_subject = c_map_subject<uint64_t, number_tree, number_tree_entry,
	number_tree_iterator, number_tree_set, number_tree_find, number_tree_first,
	number_tree_next, number_tree_erase, number_tree_count, number_tree_fini>;
using word_tree_subject = c_map_subject<std::string_view, word_tree, word_tree_entry,
	word_tree_iterator, word_tree_set, word_tree_find, word_tree_first, word_tree_next,
	word_tree_erase, word_tree_count, word_tree_fini>;

template <class Item>
using lend_tree_subject = std::conditional_t<std::is_same_v<Item, uint64_t>,
	number_tree_subject, word_tree_subject>;

} /* namespace contest */

#endif /* LENDHEAP_BENCH_C_MAPS_HPP */
