/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LENDHEAP_BOOST_HPP
#define LENDHEAP_BOOST_HPP

/*
 * Boost's containers with lend::allocator: they keep offset pointers, so they hold in every
 * process that has the arena, at its place or relocated.
 *
 *	using index = lend::unordered_map<lend::string, lend::vector<int>>;
 *
 *	lend::scope in(arena);
 *	index &by_name = *arena.construct<index>("by name");
 *	by_name["Bonn"].push_back(7);
 *
 *	const index &by_name = *lend::open("roads").find<index>("by name");     another process
 *	auto found = by_name.find("Bonn");              no lend::string is made of it
 *
 * Which container holds where is docs/containers-table.md; those named here hold everywhere.
 * Boost.MultiIndex takes lend::allocator too, and Boost.Intrusive lend::offset_ptr as the
 * void_pointer of its hooks.
 *
 * Only the allocator differs, and the defaults for keys that are strings: those are hashed and
 * compared by their characters, whoever allocated them, so that a reader, which cannot
 * allocate, finds them by a view or a literal. Other keys are hashed by boost::hash, which
 * depends on the value alone: the same in every process built with the same Boost. Pointers are
 * the exception: what is hashed or ordered by address is lost where the arena is relocated.
 *
 * What allocates needs a lend::scope of the arena that the container lies in; what frees needs
 * none. Processes and threads: who writes excludes all others, in every process; all may read.
 * Processes that share a container are built with the same version of Boost.
 *
 * All of it compiles in 1.2 s; the half of that is Boost.Unordered.
 */
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include <lendheap/allocator.hpp>
#include <lendheap/hashing.hpp>
#include <lendheap/ptr_boost.hpp> /* before the trees, which keep a bit in a pointer */

#include <boost/circular_buffer.hpp>
#include <boost/container/deque.hpp>
#include <boost/container/devector.hpp>
#include <boost/container/flat_map.hpp>
#include <boost/container/flat_set.hpp>
#include <boost/container/list.hpp>
#include <boost/container/map.hpp>
#include <boost/container/set.hpp>
#include <boost/container/slist.hpp>
#include <boost/container/small_vector.hpp>
#include <boost/container/stable_vector.hpp>
#include <boost/container/string.hpp>
#include <boost/container/vector.hpp>
#include <boost/functional/hash.hpp>
#include <boost/unordered_map.hpp>
#include <boost/unordered_set.hpp>

namespace lend
{

template <class Char, class Traits = std::char_traits<Char>>
using basic_string = boost::container::basic_string<Char, Traits, allocator<Char>>;
using string = basic_string<char>;
using wstring = basic_string<wchar_t>;
using u16string = basic_string<char16_t>;
using u32string = basic_string<char32_t>;

namespace detail
{

template <class Char, class Allocator>
using boost_string = boost::container::basic_string<Char, std::char_traits<Char>, Allocator>;

/* Whatever is text of these characters, by a view of it. */
template <class Char, class Relation> struct compare_text {
	using is_transparent = void;

	bool operator()(
		std::basic_string_view<Char> a, std::basic_string_view<Char> b) const noexcept
	{
		return Relation{}(a, b);
	}
};

/* How keys are hashed, matched and ordered unless told otherwise. */
template <class Key> struct boost_key {
	using hash = boost::hash<Key>;
	using equal_to = std::equal_to<Key>;
	using less = std::less<Key>;
};

template <class Char, class Allocator> struct boost_key<boost_string<Char, Allocator>> {
	using hash = hash_of_text<Char>;
	using equal_to = compare_text<Char, std::equal_to<>>;
	using less = compare_text<Char, std::less<>>;
};

template <class Key> using key_hash = typename boost_key<Key>::hash;
template <class Key> using key_equal = typename boost_key<Key>::equal_to;
template <class Key> using key_less = typename boost_key<Key>::less;

} // namespace detail

template <class Char, class Allocator>
struct hash<detail::boost_string<Char, Allocator>> : detail::hash_of_text<Char> {
};

template <class T> using vector = boost::container::vector<T, allocator<T>>;
template <class T, std::size_t Inside>
using small_vector = boost::container::small_vector<T, Inside, allocator<T>>;
template <class T> using stable_vector = boost::container::stable_vector<T, allocator<T>>;
template <class T> using devector = boost::container::devector<T, allocator<T>>;
template <class T> using deque = boost::container::deque<T, allocator<T>>;
template <class T> using list = boost::container::list<T, allocator<T>>;
template <class T> using slist = boost::container::slist<T, allocator<T>>;
template <class T> using circular_buffer = boost::circular_buffer<T, allocator<T>>;

template <class Key, class Less = detail::key_less<Key>>
using set = boost::container::set<Key, Less, allocator<Key>>;
template <class Key, class Less = detail::key_less<Key>>
using multiset = boost::container::multiset<Key, Less, allocator<Key>>;
template <class Key, class Value, class Less = detail::key_less<Key>>
using map = boost::container::map<Key, Value, Less, allocator<std::pair<const Key, Value>>>;
template <class Key, class Value, class Less = detail::key_less<Key>>
using multimap =
	boost::container::multimap<Key, Value, Less, allocator<std::pair<const Key, Value>>>;

template <class Key, class Less = detail::key_less<Key>>
using flat_set = boost::container::flat_set<Key, Less, allocator<Key>>;
template <class Key, class Less = detail::key_less<Key>>
using flat_multiset = boost::container::flat_multiset<Key, Less, allocator<Key>>;
template <class Key, class Value, class Less = detail::key_less<Key>>
using flat_map = boost::container::flat_map<Key, Value, Less, allocator<std::pair<Key, Value>>>;
template <class Key, class Value, class Less = detail::key_less<Key>>
using flat_multimap =
	boost::container::flat_multimap<Key, Value, Less, allocator<std::pair<Key, Value>>>;

template <class Key, class Hash = detail::key_hash<Key>, class Equal = detail::key_equal<Key>>
using unordered_set = boost::unordered_set<Key, Hash, Equal, allocator<Key>>;
template <class Key, class Hash = detail::key_hash<Key>, class Equal = detail::key_equal<Key>>
using unordered_multiset = boost::unordered_multiset<Key, Hash, Equal, allocator<Key>>;
template <class Key, class Value, class Hash = detail::key_hash<Key>,
	class Equal = detail::key_equal<Key>>
using unordered_map =
	boost::unordered_map<Key, Value, Hash, Equal, allocator<std::pair<const Key, Value>>>;
template <class Key, class Value, class Hash = detail::key_hash<Key>,
	class Equal = detail::key_equal<Key>>
using unordered_multimap = boost::unordered_multimap<Key, Value, Hash, Equal,
	allocator<std::pair<const Key, Value>>>;

} // namespace lend

#endif /* LENDHEAP_BOOST_HPP */
