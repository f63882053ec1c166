/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LENDHEAP_TRAITS_HPP
#define LENDHEAP_TRAITS_HPP

/* A stand-in for the real traits. */
#include <type_traits>

namespace lend
{

enum class sharing { by_rule, refused, fixed, relocatable };

template <class T> inline constexpr sharing sharing_of = sharing::by_rule;

template <class T> struct is_shareable : std::bool_constant<!std::is_polymorphic_v<T>> {
};

template <class T>
struct is_relocatable
    : std::bool_constant<std::is_trivially_copyable_v<T> && !std::is_pointer_v<T>> {
};

namespace detail
{

template <class T> constexpr void require_shareable()
{
	static_assert(is_shareable<T>::value, "not shareable");
}

} // namespace detail
} // namespace lend

#endif /* LENDHEAP_TRAITS_HPP */
