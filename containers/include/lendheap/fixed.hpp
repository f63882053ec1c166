/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LENDHEAP_FIXED_HPP
#define LENDHEAP_FIXED_HPP

/*
 * lend::fixed: the containers of the standard library as they are, with their elements in an
 * arena. They keep raw pointers, which hold in every process that has the arena at its place.
 *
 *	using graph = lend::fixed::map<lend::fixed::string, lend::fixed::vector<int>>;
 *
 *	lend::scope in(arena);
 *	graph &g = *arena.construct<graph>("g");
 *	g["Bonn"].push_back(7);
 *
 * Only the allocator differs, lend::fixed_allocator, which has no state: containers in containers
 * need no care. What allocates needs a lend::scope of the arena that the container lies in and
 * throws lend::bad_alloc outside of any; what frees needs none. A container changed in the scope
 * of another arena would get elements there: they hold while both are mapped, and readers of one
 * arena alone would miss them.
 *
 * Keys that are strings are compared and hashed by their characters (lendheap/hashing.hpp), so
 * that a reader, which cannot allocate, finds them by a view or a literal.
 *
 * Processes and threads: who writes excludes all others, in every process; all may read.
 * Processes that share a container are built with the same standard library and the same settings
 * of it (_GLIBCXX_DEBUG, _GLIBCXX_USE_CXX11_ABI).
 */
#include <deque>
#include <forward_list>
#include <list>
#include <map>
#include <queue>
#include <set>
#include <stack>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include <lendheap/allocator.hpp>
#include <lendheap/hashing.hpp>

namespace lend::fixed
{

template <class Char, class Traits = std::char_traits<Char>>
using basic_string = std::basic_string<Char, Traits, fixed_allocator<Char>>;
using string = basic_string<char>;
using wstring = basic_string<wchar_t>;
using u16string = basic_string<char16_t>;
using u32string = basic_string<char32_t>;

template <class T> using vector = std::vector<T, fixed_allocator<T>>;
template <class T> using deque = std::deque<T, fixed_allocator<T>>;
template <class T> using list = std::list<T, fixed_allocator<T>>;
template <class T> using forward_list = std::forward_list<T, fixed_allocator<T>>;

template <class Key, class Less = less<Key>>
using set = std::set<Key, Less, fixed_allocator<Key>>;
template <class Key, class Less = less<Key>>
using multiset = std::multiset<Key, Less, fixed_allocator<Key>>;
template <class Key, class Value, class Less = less<Key>>
using map = std::map<Key, Value, Less, fixed_allocator<std::pair<const Key, Value>>>;
template <class Key, class Value, class Less = less<Key>>
using multimap = std::multimap<Key, Value, Less, fixed_allocator<std::pair<const Key, Value>>>;

template <class Key, class Hash = hash<Key>, class Equal = equal_to<Key>>
using unordered_set = std::unordered_set<Key, Hash, Equal, fixed_allocator<Key>>;
template <class Key, class Hash = hash<Key>, class Equal = equal_to<Key>>
using unordered_multiset = std::unordered_multiset<Key, Hash, Equal, fixed_allocator<Key>>;
template <class Key, class Value, class Hash = hash<Key>, class Equal = equal_to<Key>>
using unordered_map = std::unordered_map<Key, Value, Hash, Equal,
	fixed_allocator<std::pair<const Key, Value>>>;
template <class Key, class Value, class Hash = hash<Key>, class Equal = equal_to<Key>>
using unordered_multimap = std::unordered_multimap<Key, Value, Hash, Equal,
	fixed_allocator<std::pair<const Key, Value>>>;

template <class T, class Sequence = deque<T>> using stack = std::stack<T, Sequence>;
template <class T, class Sequence = deque<T>> using queue = std::queue<T, Sequence>;
template <class T, class Sequence = vector<T>, class Less = std::less<T>>
using priority_queue = std::priority_queue<T, Sequence, Less>;

} // namespace lend::fixed

#endif /* LENDHEAP_FIXED_HPP */
