/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LENDHEAP_TRAITS_HPP
#define LENDHEAP_TRAITS_HPP

/*
 * What may lie in an arena, told at compile time.
 *
 *	lend::is_shareable<T>    T means the same in every process that maps the arena at its place
 *	lend::is_relocatable<T>  and also where an arena is mapped elsewhere: no raw pointers
 *
 * T is                                                  shareable      relocatable
 * number, enum, pointer to a data member, empty class   yes            yes
 * raw pointer, string_view, reference_wrapper           yes            no
 * lend::offset_ptr, Boost.Interprocess' one             yes            yes
 * reference, function pointer, std::function, any       no             no
 * class with virtual functions or virtual bases         no             no
 * unique_ptr of new, shared_ptr, weak_ptr               no             no
 * mutex, thread and whatever else has a native handle   no             no
 * std::atomic: lock-free                                its value      its value
 * array, std::array, pair, tuple, optional, variant     each element   each element
 * container with std::allocator or a pmr one            no             no
 * container of Boost with its own allocator             no             no
 * container whose allocator has raw pointers            each element   no
 * container whose allocator has fancy pointers          each element   each element, and not one
 *                                                                      that stores raw ones still
 * aggregate of up to 64 fields (lendheap/fields.hpp)    each field     each field
 * class with LEND_FIELDS(class, fields...)              each field     each field
 * lend::unique, shared, weak of a T that is complete    T              T
 * other class, or union: opaque                         yes            no, unless its alignment
 *                                                                      leaves no place to a pointer
 *
 * An element of a container is its value type; its comparison and hash functions count too. What
 * looks like a container (or an atomic) but is not of std or Boost, such as a class derived from
 * one, may have fields besides: relocated, it is opaque.
 * What lies behind a pointer is not looked at: it may be incomplete, and it is there in its own
 * right. A class that holds itself, in a container, is fine if the rest of it is.
 *
 * The last word is yours. What you know of a type and the compiler cannot see, say once, outside
 * of all namespaces, before the type is first used:
 *
 *	template <> inline constexpr lend::sharing lend::sharing_of<token> =
 *		lend::sharing::relocatable;
 *
 * Not seen: what an opaque class hides (a string, a pointer into the program: type_info, an error
 * category), and where a pointer leads (a literal, a global: other processes have those
 * elsewhere).
 */
#include <any>
#include <array>
#include <forward_list>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <variant>
#include <vector>

#include <lendheap/fields.hpp>
#include <lendheap/ptr.hpp>

/* What is known of Boost, declared here as Boost 1.81 declares it; nothing of it is included. */
namespace boost
{
namespace container
{
template <class> class new_allocator;
template <class, class, class> class small_vector_allocator;
} // namespace container
namespace interprocess
{
template <class T, class Difference, class Offset, std::size_t Alignment> class offset_ptr;
}
namespace unordered
{
template <class K, class H, class E, class A> class unordered_flat_set;
template <class K, class V, class H, class E, class A> class unordered_flat_map;
} // namespace unordered
} // namespace boost

namespace lend
{

enum class sharing {
	by_rule,     /* as in the table above */
	refused,     /* not in an arena */
	fixed,       /* where every process maps it at one place */
	relocatable, /* anywhere */
};

/* What its author says of T; specialize it. */
template <class T> inline constexpr sharing sharing_of = sharing::by_rule;

namespace detail
{

/* Why a type may not lie in an arena. Each has its advice in advise(). */
enum class cause {
	none,
	refused,
	not_an_object,
	reference,
	function_pointer,
	function_object,
	virtual_functions,
	process_heap,
	unique_pointer,
	shared_pointer,
	memory_resource,
	any,
	native_handle,
	not_lock_free,
	/* the rest only where arenas are relocated */
	fixed_only,
	raw_pointer,
	view,
	raw_container,
	opaque,
};

template <cause Why, class Culprit> struct verdict {
	static constexpr cause why = Why;
};

using fine = verdict<cause::none, void>;

/* The first that is not fine. */
template <cause Why, class T, class Other>
constexpr auto operator&(verdict<Why, T>, Other other)
{
	if constexpr (Why == cause::none)
		return other;
	else
		return verdict<Why, T>{};
}

template <class T, class List> inline constexpr bool is_in = false;

template <class T, class... U>
inline constexpr bool is_in<T, types<U...>> = (std::is_same_v<T, U> || ...);

/* Faults of templates that have no other mark. */
template <class T> inline constexpr cause fault_by_name = cause::none;
template <> inline constexpr cause fault_by_name<std::any> = cause::any;
template <class F>
inline constexpr cause fault_by_name<std::function<F>> = cause::function_object;
template <class T>
inline constexpr cause fault_by_name<std::shared_ptr<T>> = cause::shared_pointer;
template <class T>
inline constexpr cause fault_by_name<std::weak_ptr<T>> = cause::shared_pointer;
template <class T>
inline constexpr cause fault_by_name<std::unique_ptr<T, std::default_delete<T>>> =
	cause::unique_pointer;

/*
 * And those where arenas are relocated: the containers keep raw pointers, with libstdc++ 12 and
 * Boost 1.81, whatever their allocator says.
 */
template <class T> inline constexpr cause moved_fault_by_name = cause::none;
template <class Char, class Traits>
inline constexpr cause moved_fault_by_name<std::basic_string_view<Char, Traits>> = cause::view;
template <class T>
inline constexpr cause moved_fault_by_name<std::initializer_list<T>> = cause::view;
template <class T>
inline constexpr cause moved_fault_by_name<std::reference_wrapper<T>> = cause::raw_pointer;
template <class A>
inline constexpr cause moved_fault_by_name<std::vector<bool, A>> = cause::raw_container;
template <class T, class A>
inline constexpr cause moved_fault_by_name<std::forward_list<T, A>> = cause::raw_container;
template <class K, class H, class E, class A>
inline constexpr cause moved_fault_by_name<std::unordered_set<K, H, E, A>> =
	cause::raw_container;
template <class K, class H, class E, class A>
inline constexpr cause moved_fault_by_name<std::unordered_multiset<K, H, E, A>> =
	cause::raw_container;
template <class K, class V, class H, class E, class A>
inline constexpr cause moved_fault_by_name<std::unordered_map<K, V, H, E, A>> =
	cause::raw_container;
template <class K, class V, class H, class E, class A>
inline constexpr cause moved_fault_by_name<std::unordered_multimap<K, V, H, E, A>> =
	cause::raw_container;

template <class K, class H, class E, class A>
inline constexpr cause moved_fault_by_name<boost::unordered::unordered_flat_set<K, H, E, A>> =
	cause::raw_container;
template <class K, class V, class H, class E, class A>
inline constexpr cause
	moved_fault_by_name<boost::unordered::unordered_flat_map<K, V, H, E, A>> =
		cause::raw_container;

/* Does T have what Member names? */
template <class T, template <class> class Member, class = void>
inline constexpr bool has = false;
template <class T, template <class> class Member>
inline constexpr bool has<T, Member, std::void_t<Member<T>>> = true;

template <class T> using native_handle_of = typename T::native_handle_type;
template <class T> using mutex_of = typename T::mutex_type;
template <class T> using weak_of = decltype(std::declval<T &>().weak_from_this());
template <class T> using separator_of = decltype(T::preferred_separator); /* filesystem::path */
template <class T> using lock_free_of = decltype(T::is_always_lock_free);
template <class T> using value_of = typename T::value_type;
template <class T> using allocator_of = typename T::allocator_type;
template <class T> using resource_of = decltype(std::declval<T &>().resource());
template <class T> using key_compare_of = typename T::key_compare;
template <class T> using hasher_of = typename T::hasher;
template <class T> using key_equal_of = typename T::key_equal;
template <class T> using sequence_of = typename T::container_type;
template <class T> using size_of = typename T::size_type;
template <class T> using value_compare_of = typename T::value_compare;
template <class T> using rep_of = typename T::rep;
template <class T> using duration_of = typename T::duration;

template <class T> inline constexpr bool is_container = has<T, allocator_of> &&has<T, value_of>;

/* Do the parts of T lie elsewhere, so that its size does not tell theirs? Owners do too. */
template <class T> inline constexpr bool has_elements = is_container<T>;

/* Is T, which looks like something of std, from std or Boost, and so known to be that alone? */
template <class T> constexpr bool is_of_library()
{
	constexpr std::string_view name = __PRETTY_FUNCTION__;
	constexpr std::string_view type = name.substr(name.find("T = ") + 4);

	return type.substr(0, 5) == "std::" || type.substr(0, 7) == "boost::";
}

/* Is a Member, which T names, all that T can consist of? */
template <class T, template <class> class Member> constexpr bool is_made_of()
{
	if constexpr (has<T, Member>)
		return sizeof(T) == sizeof(Member<T>) && alignof(T) == alignof(Member<T>);
	else
		return false;
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wnon-virtual-dtor"
template <class T> struct with_virtual_function : T {
	virtual void lendi_probe();
};
#pragma GCC diagnostic pop

/*
 * A class with virtual bases has a pointer to their table, which a derived class with virtual
 * functions uses too: it gets no larger. Only for classes without virtual functions.
 */
template <class T> constexpr bool has_virtual_base()
{
	if constexpr (std::is_union_v<T> || std::is_final_v<T> || std::is_aggregate_v<T> ||
		      std::is_standard_layout_v<T>)
		return false;
	else
		return sizeof(with_virtual_function<T>) == sizeof(T);
}

/* An aggregate that can be copied, but not be assigned nor made from nothing. */
template <class T> constexpr bool has_reference()
{
	if constexpr (!std::is_aggregate_v<T>)
		return false;
	else if constexpr (takes<T, count<0>>::value)
		return false;
	else
		return std::is_copy_constructible_v<T> && !std::is_copy_assignable_v<T> &&
		       !std::is_move_assignable_v<T>;
}

/* std::allocator and what derives from it. */
template <class T>
inline constexpr bool is_process_heap =
	std::is_base_of_v<std::allocator<typename T::value_type>, T>;
template <class T>
inline constexpr bool is_process_heap<boost::container::new_allocator<T>> = true;
template <class T, class From, class Options>
inline constexpr bool
	is_process_heap<boost::container::small_vector_allocator<T, From, Options>> =
		is_process_heap<From>;

template <class T> constexpr cause fault_of_allocator()
{
	if constexpr (is_process_heap<T>)
		return cause::process_heap;
	else if constexpr (has<T, resource_of>)
		return cause::memory_resource;
	else
		return cause::none;
}

/* What is wrong with the class T by itself, whatever it consists of. */
template <class T> constexpr cause fault_of_class()
{
	if constexpr (std::is_polymorphic_v<T>)
		return cause::virtual_functions;
	else if constexpr (fault_by_name<T> != cause::none)
		return fault_by_name<T>;
	else if constexpr (is_container<T>)
		return fault_of_allocator<typename T::allocator_type>();
	else if constexpr (has<T, native_handle_of> || has<T, mutex_of>)
		return cause::native_handle;
	else if constexpr (has<T, weak_of>)
		return cause::shared_pointer;
	else if constexpr (has<T, separator_of>)
		return cause::process_heap;
	else if constexpr (has<T, lock_free_of>)
		return T::is_always_lock_free ? cause::none : cause::not_lock_free;
	else if constexpr (has_virtual_base<T>())
		return cause::virtual_functions;
	else
		return has_reference<T>() ? cause::reference : cause::none;
}

template <class T> constexpr cause moved_fault_of_class()
{
	if constexpr (moved_fault_by_name<T> != cause::none)
		return moved_fault_by_name<T>;
	else if constexpr (is_container<T>)
		return std::is_pointer_v<typename std::allocator_traits<
			       typename T::allocator_type>::pointer>
			       ? cause::raw_container
			       : cause::none;
	else
		return cause::none;
}

template <class... T, class... U>
constexpr types<T..., U...> operator+(types<T...>, types<U...>)
{
	return {};
}

template <class T, template <class> class Member> constexpr auto member_if_any()
{
	if constexpr (has<T, Member>)
		return types<Member<T>>{};
	else
		return types<>{};
}

template <class T> struct tag {
};

/* The types that a class consists of, as types<...>; or opaque. */
template <class T> constexpr auto parts_of(tag<T>)
{
	if constexpr (declares_fields<T>)
		return fields_of<T>{};
	else if constexpr (is_container<T>)
		return types<typename T::value_type>{} + member_if_any<T, key_compare_of>() +
		       member_if_any<T, hasher_of>() + member_if_any<T, key_equal_of>();
	else if constexpr (has<T, sequence_of> && has<T, size_of>) /* std::stack and its kin */
		return types<typename T::container_type>{} +
		       member_if_any<T, value_compare_of>();
	else if constexpr (has<T, lock_free_of> && has<T, value_of>) /* std::atomic */
		return types<typename T::value_type>{};
	else if constexpr (is_made_of<T, rep_of>()) /* std::chrono::duration */
		return types<typename T::rep>{};
	else if constexpr (is_made_of<T, duration_of>()) /* std::chrono::time_point */
		return types<typename T::duration>{};
	else
		return fields_of<T>{};
}

template <class A, class B> types<A, B> parts_of(tag<std::pair<A, B>>);
template <class... T> types<T...> parts_of(tag<std::tuple<T...>>);
template <class... T> types<T...> parts_of(tag<std::variant<T...>>);
template <class T> types<T> parts_of(tag<std::optional<T>>);
template <class T, std::size_t N> types<T> parts_of(tag<std::array<T, N>>);
template <class T, class D>
types<typename std::unique_ptr<T, D>::pointer, D> parts_of(tag<std::unique_ptr<T, D>>);

template <class T> using parts = decltype(parts_of(tag<T>{}));

/* What owns a T consists of it, unless it is not known here. */
template <class T> using complete = std::enable_if_t<sizeof(T) != 0, T>;

template <class T> constexpr auto parts_of_owner()
{
	if constexpr (has<T, complete>)
		return types<T>{};
	else
		return types<>{};
}

/* May T consist of more than its parts, and of a pointer at that? */
template <class T> constexpr bool may_hide_pointer()
{
	if constexpr (alignof(T) < alignof(void *))
		return false;
	else if constexpr (std::is_same_v<parts<T>, opaque>)
		return true;
	else if constexpr (declares_fields<T>)
		return false;
	else
		return (is_container<T> || has<T, sequence_of> ||
			has<T, lock_free_of>)&&!is_of_library<T>();
}

/* The verdict on T without qualifiers; Seen are the classes that it is a part of. */
template <class T, bool Moved, class Seen> constexpr auto inspect();

template <bool Moved, class Seen, class... T> constexpr auto inspect_each(types<T...>)
{
	return (fine{} & ... & inspect<std::remove_cv_t<T>, Moved, Seen>());
}

template <bool Moved, class Seen> constexpr auto inspect_each(opaque)
{
	return fine{};
}

template <class T, bool Moved, class... Seen> constexpr auto inspect_class(types<Seen...>)
{
	if constexpr (is_in<T, types<Seen...>>)
		return fine{};
	else if constexpr (fault_of_class<T>() != cause::none)
		return verdict<fault_of_class<T>(), T>{};
	else if constexpr (Moved && moved_fault_of_class<T>() != cause::none)
		return verdict<moved_fault_of_class<T>(), T>{};
	else {
		constexpr cause hidden =
			Moved && may_hide_pointer<T>() ? cause::opaque : cause::none;

		return inspect_each<Moved, types<Seen..., T>>(parts<T>{}) &
		       verdict<hidden, T>{};
	}
}

template <class T, bool Moved, class Seen> constexpr auto inspect()
{
	if constexpr (sharing_of<T> == sharing::refused)
		return verdict<cause::refused, T>{};
	else if constexpr (sharing_of<T> == sharing::fixed && Moved)
		return verdict<cause::fixed_only, T>{};
	else if constexpr (sharing_of<T> != sharing::by_rule)
		return fine{};
	else if constexpr (std::is_reference_v<T>)
		return verdict<cause::reference, T>{};
	else if constexpr (std::is_void_v<T> || std::is_function_v<T>)
		return verdict<cause::not_an_object, T>{};
	else if constexpr (std::is_array_v<T>)
		return inspect<std::remove_cv_t<std::remove_all_extents_t<T>>, Moved, Seen>();
	else if constexpr (std::is_member_function_pointer_v<T> ||
			   std::is_function_v<std::remove_pointer_t<T>>)
		return verdict<cause::function_pointer, T>{};
	else if constexpr (std::is_pointer_v<T> && Moved)
		return verdict<cause::raw_pointer, T>{};
	else if constexpr (std::is_class_v<T> || std::is_union_v<T>)
		return inspect_class<T, Moved>(Seen{});
	else
		return fine{};
}

template <class T>
using fixed_verdict = decltype(inspect<std::remove_cv_t<T>, false, types<>>());

/* What is wrong everywhere comes before what is wrong in relocated arenas. */
template <class T>
using moved_verdict = decltype(
	fixed_verdict<T>{} & inspect<std::remove_cv_t<T>, true, types<>>());

} // namespace detail

template <class T>
inline constexpr bool is_shareable_v = detail::fixed_verdict<T>::why == detail::cause::none;

template <class T>
inline constexpr bool is_relocatable_v = detail::moved_verdict<T>::why == detail::cause::none;

template <class T> struct is_shareable : std::bool_constant<is_shareable_v<T>> {
};

template <class T> struct is_relocatable : std::bool_constant<is_relocatable_v<T>> {
};

template <class T> inline constexpr sharing sharing_of<offset_ptr<T>> = sharing::relocatable;

template <class T, class Difference, class Offset, std::size_t Alignment>
inline constexpr sharing
	sharing_of<boost::interprocess::offset_ptr<T, Difference, Offset, Alignment>> =
		sharing::relocatable;

namespace detail
{

/* clang-format off */
/* Does not compile unless Why is none; the error begins with the advice and names the Culprit. */
template <cause Why, class Culprit> constexpr void advise(verdict<Why, Culprit>)
{
	static_assert(Why != cause::refused,
		"its author says that this type does not go into an arena (lend::sharing_of)");
	static_assert(Why != cause::not_an_object,
		"only objects go into an arena");
	static_assert(Why != cause::reference,
		"a reference does not go into an arena: use a pointer, or lend::offset_ptr<T>");
	static_assert(Why != cause::function_pointer,
		"functions lie elsewhere in other processes: store an enum and switch on it");
	static_assert(Why != cause::function_object,
		"std::function points into this process: "
		"use std::variant of function objects (docs/recipes.md)");
	static_assert(Why != cause::virtual_functions,
		"tables of virtual functions and bases lie elsewhere in other processes: "
		"use std::variant (docs/recipes.md)");
	static_assert(Why != cause::process_heap,
		"this has its elements on the heap of one process: use lend::fixed::string, "
		"lend::fixed::vector and so on (lendheap/fixed.hpp)");
	static_assert(Why != cause::unique_pointer,
		"std::unique_ptr deletes on the heap of one process: use lend::unique<T>");
	static_assert(Why != cause::shared_pointer,
		"std::shared_ptr keeps virtual functions beside its count: use lend::shared<T>");
	static_assert(Why != cause::memory_resource,
		"pmr containers point to a resource with virtual functions: "
		"use lend::fixed::string, lend::fixed::vector and so on (lendheap/fixed.hpp)");
	static_assert(Why != cause::any,
		"std::any points into this process: use std::variant (docs/recipes.md)");
	static_assert(Why != cause::native_handle,
		"locks and threads of std work in one process alone: "
		"use std::atomic, or keep them outside of the arena");
	static_assert(Why != cause::not_lock_free,
		"this std::atomic takes a lock of one process: use one that is lock-free");
	static_assert(Why != cause::fixed_only,
		"its author says that this type does not hold in a relocated arena "
		"(lend::sharing_of)");
	static_assert(Why != cause::raw_pointer,
		"a raw pointer does not hold in a relocated arena: use lend::offset_ptr<T>");
	static_assert(Why != cause::view,
		"a view does not hold in a relocated arena: use lend::offset_ptr<T> and a count");
	static_assert(Why != cause::raw_container,
		"this container stores raw pointers, which do not hold in a relocated arena: "
		"use lend::vector, lend::map and so on (lendheap/boost.hpp)");
	static_assert(Why != cause::opaque,
		"raw pointers may hide in this type, which do not hold in a relocated arena: "
		"name its fields with LEND_FIELDS, or specialize lend::sharing_of<T>");
}
/* clang-format on */

/* For functions that put a T into an arena, or find one there: what does not hold ends here. */
template <class T> constexpr void require_shareable()
{
	advise(fixed_verdict<T>{});
}

template <class T> constexpr void require_relocatable()
{
	advise(moved_verdict<T>{});
}

} // namespace detail
} // namespace lend

#endif /* LENDHEAP_TRAITS_HPP */
