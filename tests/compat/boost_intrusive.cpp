/* SPDX-License-Identifier: Apache-2.0 */
#include <lendheap/ptr_boost.hpp>

#include <boost/intrusive/avl_set.hpp>
#include <boost/intrusive/bs_set.hpp>
#include <boost/intrusive/list.hpp>
#include <boost/intrusive/set.hpp>
#include <boost/intrusive/sg_set.hpp>
#include <boost/intrusive/slist.hpp>
#include <boost/intrusive/splay_set.hpp>
#include <boost/intrusive/treap_set.hpp>
#include <boost/intrusive/unordered_set.hpp>

#include "compat.hpp"

namespace compat
{

namespace
{

namespace bi = boost::intrusive;

using hook_pointer = bi::void_pointer<lend::offset_ptr<void>>;

template <class Hook> struct item : Hook {
	explicit item(int number) : value(number)
	{
	}

	int value;

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
		return static_cast<std::size_t>(a.value);
	}

	/* Of treaps: who is nearer to the root. */
	friend bool priority_order(const item &a, const item &b)
	{
		return mix(static_cast<std::uint64_t>(a.value)) <
		       mix(static_cast<std::uint64_t>(b.value));
	}
};

/* Owns the items that are linked in an intrusive container. */
template <class Item, class Container, class... Traits> class owning : public Container
{
      public:
	using value_type = int;

	explicit owning(Traits... traits) : Container(traits...)
	{
	}

	~owning()
	{
		this->clear_and_dispose(
			[](auto it) { lend::allocator<Item>().deallocate(it, 1); });
	}

      protected:
	static Item &make(int number)
	{
		return *::new (lend::allocator<Item>().allocate(1).get()) Item(number);
	}
};

template <class Hook> struct list : owning<item<Hook>, bi::list<item<Hook>>> {
	void push_back(int number)
	{
		bi::list<item<Hook>>::push_back(this->make(number));
	}
};

template <class Hook> struct slist : owning<item<Hook>, bi::slist<item<Hook>>> {
	void push_front(int number)
	{
		bi::slist<item<Hook>>::push_front(this->make(number));
	}
};

template <class Hook, template <class...> class Set>
struct tree : owning<item<Hook>, Set<item<Hook>>> {
	using key_type = int;

	void insert(int number)
	{
		Set<item<Hook>>::insert(this->make(number));
	}

	auto find(int number) const
	{
		return Set<item<Hook>>::find(item<Hook>(number));
	}
};

constexpr std::size_t bucket_count = 256;

/* Buckets are the user's: here they lie behind the head. */
template <class Hook> struct table_base {
	using set = bi::unordered_set<item<Hook>>;
	using bucket = typename set::bucket_type;

	bucket buckets[bucket_count];
};

template <class Hook>
struct table : private table_base<Hook>,
	       owning<item<Hook>, typename table_base<Hook>::set,
		       typename table_base<Hook>::set::bucket_traits> {
	using key_type = int;
	using set = typename table_base<Hook>::set;
	using owner = owning<item<Hook>, set, typename set::bucket_traits>;

	table() : owner(typename set::bucket_traits(this->buckets, bucket_count))
	{
	}

	void insert(int number)
	{
		set::insert(this->make(number));
	}

	auto find(int number) const
	{
		return set::find(item<Hook>(number));
	}
};

using tagged = bi::optimize_size<true>;
using untagged = bi::optimize_size<false>;

/* The colour is in the parent pointer, or the hook would be a word larger. */
static_assert(sizeof(bi::set_base_hook<hook_pointer, tagged>) == 24);
static_assert(sizeof(bi::avl_set_base_hook<hook_pointer, tagged>) == 24);

} // namespace

std::vector<row> rows_of_boost_intrusive()
{
	return {
		row_of<list<bi::list_base_hook<hook_pointer>>>(
			"boost::intrusive::list", "offset"),
		row_of<slist<bi::slist_base_hook<hook_pointer>>>(
			"boost::intrusive::slist", "offset"),
		row_of<tree<bi::set_base_hook<hook_pointer, untagged>, bi::set>>(
			"boost::intrusive::set", "offset"),
		row_of<tree<bi::set_base_hook<hook_pointer, tagged>, bi::set>>(
			"boost::intrusive::set, tag bits", "offset"),
		row_of<tree<bi::avl_set_base_hook<hook_pointer, untagged>, bi::avl_set>>(
			"boost::intrusive::avl_set", "offset"),
		row_of<tree<bi::avl_set_base_hook<hook_pointer, tagged>, bi::avl_set>>(
			"boost::intrusive::avl_set, tag bits", "offset"),
		row_of<tree<bi::bs_set_base_hook<hook_pointer>, bi::splay_set>>(
			"boost::intrusive::splay_set", "offset"),
		row_of<tree<bi::bs_set_base_hook<hook_pointer>, bi::sg_set>>(
			"boost::intrusive::sg_set", "offset"),
		row_of<tree<bi::bs_set_base_hook<hook_pointer>, bi::treap_set>>(
			"boost::intrusive::treap_set", "offset"),
		row_of<table<bi::unordered_set_base_hook<hook_pointer>>>(
			"boost::intrusive::unordered_set", "offset"),
		row_of<list<bi::list_base_hook<>>>("boost::intrusive::list", "raw"),
		row_of<tree<bi::set_base_hook<tagged>, bi::set>>(
			"boost::intrusive::set, tag bits", "raw"),
	};
}

} // namespace compat
