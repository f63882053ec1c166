/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LENDHEAP_TYPE_HPP
#define LENDHEAP_TYPE_HPP

/*
 * lend::type_of<T>(): which type a T is, as a lend_type (lendheap/arena.h), the same in every
 * process and from every compiler of one C++ ABI. It is compared where an object crosses.
 *
 * A type has a name and a version of your choice when you give it both, outside of all
 * namespaces; so C and C++ meet, here LEND_TYPE(struct graph, 1) and type_of<town::graph>():
 *
 *	LEND_TYPE_NAME(town::graph, "struct graph", 1)
 *
 * All others have version 1 and a name made of the mangled one, which tells apart what differs
 * in layout too: libstdc++, libc++, their debug modes, std::string before and after C++11. It is
 * at most 79 bytes, which is what a root stores and shows:
 *
 *	town::graph                                      a class that is not a template
 *	town::graph~8e7d1f2a90b3c456                     one that holds containers
 *	std::vector<iN4lend15fixed_allocatorIiEEE~...    a template: its arguments stay mangled
 *
 * After the ~ is a hash of the whole mangled name and of the elements of every container (and
 * lend::unique, shared, weak) that is seen in T (lendheap/traits.hpp): their names, sizes, alignments and versions. A program
 * whose struct node has grown does not find the std::vector<node> of one where it has not.
 * What lies behind plain pointers, and what changes but keeps name and size, is for your version.
 * Compilers do not agree on the names of closures: give a comparison function a class.
 *
 * Any thread; the string lives as long as the program. Without RTTI each type needs a name.
 */
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <type_traits>
#include <typeinfo>

#include <lendheap/arena.h>
#include <lendheap/layout.h>
#include <lendheap/traits.hpp>

namespace lend
{

/* The name and version of T; LEND_TYPE_NAME specializes it, or you do, for all of a template. */
template <class T> struct type_name {
	static constexpr const char *name = nullptr;
	static constexpr std::uint32_t version = 1;
};

} // namespace lend

#define LEND_TYPE_NAME(type, name_, version_)                                                  \
	template <> struct lend::type_name<type> {                                             \
		static constexpr const char *name = name_;                                     \
		static constexpr ::std::uint32_t version = version_;                           \
	};

/* As C says them. */
LEND_TYPE_NAME(bool, "bool", 1)
LEND_TYPE_NAME(char, "char", 1)
LEND_TYPE_NAME(signed char, "signed char", 1)
LEND_TYPE_NAME(unsigned char, "unsigned char", 1)
LEND_TYPE_NAME(short, "short", 1)
LEND_TYPE_NAME(unsigned short, "unsigned short", 1)
LEND_TYPE_NAME(int, "int", 1)
LEND_TYPE_NAME(unsigned int, "unsigned int", 1)
LEND_TYPE_NAME(long, "long", 1)
LEND_TYPE_NAME(unsigned long, "unsigned long", 1)
LEND_TYPE_NAME(long long, "long long", 1)
LEND_TYPE_NAME(unsigned long long, "unsigned long long", 1)
LEND_TYPE_NAME(float, "float", 1)
LEND_TYPE_NAME(double, "double", 1)
LEND_TYPE_NAME(long double, "long double", 1)

namespace lend
{

namespace detail
{

inline std::uint64_t fold_text(std::uint64_t hash, const char *text)
{
	for (; *text; text++)
		hash = lend_layout_fold(hash, static_cast<unsigned char>(*text));
	return hash;
}

template <class T> const char *name_of()
{
	if constexpr (type_name<T>::name != nullptr) {
		return type_name<T>::name;
	} else {
#ifdef __GXX_RTTI
		return typeid(T).name();
#else
		static_assert(!sizeof(T), "without RTTI a type has no name: give it one with "
					  "LEND_TYPE_NAME(type, \"name\", version)");
		return "";
#endif
	}
}

/*
 * Fold in the elements of all containers that are seen in T, itself included. The hash stays as
 * it is when there are none. Seen are the classes that T is a part of.
 */
template <class T, class... Seen>
std::uint64_t fold_elements(std::uint64_t hash, types<Seen...> seen);

template <bool AreElements, class... Part, class Seen>
std::uint64_t fold_parts(std::uint64_t hash, types<Part...>, [[maybe_unused]] Seen seen)
{
	if constexpr (AreElements)
		((hash = fold_text(hash, name_of<std::remove_cv_t<Part>>()),
			 hash = lend_layout_fold(hash, sizeof(Part)),
			 hash = lend_layout_fold(hash, alignof(Part)),
			 hash = lend_layout_fold(
				 hash, type_name<std::remove_cv_t<Part>>::version)),
			...);
	((hash = fold_elements<std::remove_cv_t<Part>>(hash, seen)), ...);
	return hash;
}

template <class T, class... Seen>
std::uint64_t fold_elements(std::uint64_t hash, [[maybe_unused]] types<Seen...> seen)
{
	if constexpr (std::is_array_v<T>)
		return fold_elements<std::remove_cv_t<std::remove_all_extents_t<T>>>(
			hash, seen);
	else if constexpr (!std::is_class_v<T> || is_in<T, types<Seen...>> ||
			   sharing_of<T> != sharing::by_rule)
		return hash;
	else if constexpr (std::is_same_v<parts<T>, opaque>)
		return hash;
	else
		return fold_parts<has_elements<T>>(hash, parts<T>{}, types<Seen..., T>{});
}

/*
 * A mangled name with its path spelled out: "N4town5graphE" is town::graph. Only where it begins
 * with one; what follows stays as it is.
 */
inline std::string spell_path(std::string_view mangled)
{
	const bool nested = mangled.substr(0, 1) == "N";
	std::string_view rest = mangled.substr(nested);
	std::string path;

	for (;;) {
		std::string_view step = "std";
		std::size_t digits = 0;
		std::size_t bytes = 0;

		for (; digits < rest.size() && rest[digits] >= '0' && rest[digits] <= '9';
			digits++)
			bytes = bytes * 10 + static_cast<std::size_t>(rest[digits] - '0');
		if (digits)
			step = rest.substr(digits, bytes);
		else if (rest.substr(0, 2) != "St")
			break;
		path += path.empty() ? "" : "::";
		path += step;
		rest = rest.substr(std::min(rest.size(), digits ? digits + bytes : 2));
	}
	if (path.empty())
		return std::string("_Z").append(
			mangled); /* Pi, an int *, is no class of that name */
	if (nested && rest == "E")
		return path;
	if (rest.substr(0, 1) == "I")
		return path.append("<").append(rest.substr(1));
	return path.append(rest);
}

/* The name of a type that was given none: at most 79 bytes, and a hash of what they do not show. */
struct spelled_name {
	static constexpr std::size_t bytes_max = 79;
	static constexpr std::size_t hash_bytes = 17;

	spelled_name(const char *mangled, std::uint64_t elements)
	{
		std::string spelled = spell_path(mangled);
		char hash[hash_bytes + 1];

		if (elements != LEND_LAYOUT_SEED || spelled.size() > bytes_max) {
			std::snprintf(hash, sizeof(hash), "~%016llx",
				static_cast<unsigned long long>(fold_text(elements, mangled)));
			spelled.resize(std::min(spelled.size(), bytes_max - hash_bytes));
			spelled += hash;
		}
		text[spelled.copy(text, bytes_max)] = 0;
	}

	char text[bytes_max + 1];
};

/* The name to compare T by. */
template <class T> const char *root_name_of()
{
	if constexpr (type_name<T>::name != nullptr) {
		return type_name<T>::name;
	} else {
		static const spelled_name spelled(
			name_of<T>(), fold_elements<T>(LEND_LAYOUT_SEED, types<>{}));

		return spelled.text;
	}
}

} // namespace detail

template <class T> lend_type type_of()
{
	using type = std::remove_cv_t<T>;

	return lend_type{detail::root_name_of<type>(), sizeof(type),
		static_cast<std::uint32_t>(alignof(type)), type_name<type>::version};
}

} // namespace lend

#endif /* LENDHEAP_TYPE_HPP */
