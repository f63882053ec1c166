/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LENDHEAP_HASHING_HPP
#define LENDHEAP_HASHING_HPP

/*
 * How the containers of lendheap/fixed.hpp hash and compare their keys, unless told otherwise:
 * as std does, and strings by their characters, whoever allocated them.
 *
 *	lend::fixed::map<lend::fixed::string, int> m;
 *	m.find("a word too long to be short");          no lend::fixed::string is made of it
 *
 * std::hash covers std::string but none with another allocator: lend::hash does, and a string, a
 * view and a literal of the same characters have the same hash. Its values depend on the value
 * alone, so they are the same in every process that uses the same standard library, as a table
 * that processes share needs it (libstdc++: integers as they are, bytes with MurmurHash2 and a
 * constant seed).
 *
 * Look-up without making a key: std::map and set by C++17, std::unordered_map and set by C++20.
 */
#include <functional>
#include <string>
#include <string_view>
#include <type_traits>

namespace lend
{

/* Whatever std::hash knows. */
template <class T> struct hash : std::hash<T> {
};

namespace detail
{

template <class Char> struct hash_of_text {
	using is_transparent = void;

	/* Not noexcept, by which libstdc++ tells slow hashes: those it keeps in the nodes. */
	std::size_t operator()(std::basic_string_view<Char> text) const
	{
		return std::hash<std::basic_string_view<Char>>{}(text);
	}
};

template <class T> struct is_text : std::false_type {
};

template <class Char, class Allocator>
struct is_text<std::basic_string<Char, std::char_traits<Char>, Allocator>> : std::true_type {
};

} // namespace detail

/* clang-format off */
template <class Char, class Allocator>
struct hash<std::basic_string<Char, std::char_traits<Char>, Allocator>> : detail::hash_of_text<Char> {
};
/* clang-format on */

template <class Char> struct hash<std::basic_string_view<Char>> : detail::hash_of_text<Char> {
};

/* std::equal_to and std::less; of strings with whatever compares with them. */
template <class T>
using equal_to = std::equal_to<std::conditional_t<detail::is_text<T>::value, void, T>>;

template <class T>
using less = std::less<std::conditional_t<detail::is_text<T>::value, void, T>>;

} // namespace lend

#endif /* LENDHEAP_HASHING_HPP */
