/* SPDX-License-Identifier: Apache-2.0 */
/* STANDIN */
#pragma once
#include <type_traits>
namespace lend {
template <class T, class = void> struct is_shareable : std::bool_constant<!std::is_polymorphic_v<T> && !std::is_reference_v<T>> {};
template <class T, class = void> struct is_relocatable : std::bool_constant<!std::is_pointer_v<T>> {};
namespace detail { template <class T> constexpr void assert_shareable() { static_assert(is_shareable<T>::value); } }
}
