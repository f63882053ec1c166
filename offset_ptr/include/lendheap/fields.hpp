/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LENDHEAP_FIELDS_HPP
#define LENDHEAP_FIELDS_HPP

/*
 * The types of a struct's fields, for lendheap/traits.hpp. Up to LENDI_FIELDS_MAX of them.
 *
 * An aggregate (all fields public, no constructor, no base) is looked into without its help:
 * N is counted by how many {} may stand in T{{}, {}, ...}, where, unlike any other initializer,
 * one {} is one field, be it an array or a struct; then `auto &[f0, f1, ...] = object` gives the
 * types. Structured bindings cannot be tried out: they compile or they end the compilation. So
 * what might not decompose is left alone, and is opaque: a type with a base, with a union or a
 * struct without a name (which may be anonymous members), with a field that {} does not
 * initialize, with more fields. Two kinds slip through and end the compilation until
 * lend::sharing_of keeps them from being looked into: arrays with initializers of their own whose
 * elements {} does not initialize, and, with gcc, a flexible array member (an extension).
 * Source of the method: A. Polukhin, Boost.PFR, whose count goes by conversions instead and
 * takes each element of an array for a field.
 *
 * A class that hides its fields, or has constructors, can name them itself:
 *
 *	class route {
 *		lend::offset_ptr<stop> first_;
 *		std::uint32_t count_;
 *		LEND_FIELDS(route, first_, count_)
 *	      public:
 *		explicit route(stop *first);
 *	};
 *
 * A field left out does not compile, since the count differs from that of the class.
 */
#include <cstddef>
#include <string_view>
#include <type_traits>
#include <utility>

#define LENDI_FIELDS_MAX 64

/* In the body of a class: all its fields. Its bases have none. */
#define LEND_FIELDS(type, ...)                                                                 \
	friend struct ::lend::detail::field_access;                                            \
	using lend_fields_type = type;                                                         \
	static constexpr ::std::size_t lend_fields_count()                                     \
	{                                                                                      \
		return sizeof(::lend::detail::fields_named(__VA_ARGS__));                      \
	}

namespace lend::detail
{

template <class... T> struct types {
};

/* How many were named; an array of that many is its return type. */
template <class... F> char (&fields_named(const F &...))[sizeof...(F)];

/*
 * What to initialize a field with: anything by reference or value; a base of T; what may be an
 * anonymous member. The latter two are not copied, so that std::any does not take them for values.
 */
struct any_lvalue {
	template <class U> operator U &() const;
};

struct any_value {
	template <class U> operator U() const;
};

template <class T> struct any_base {
	any_base(const any_base &) = delete;
	template <class U,
		std::enable_if_t<std::is_base_of_v<U, T> && !std::is_same_v<U, T>, int> = 0>
	operator U() const;
};

/* A struct without a name may be an anonymous member, as unions may: an extension of C's. */
template <class U> constexpr bool may_be_anonymous()
{
	constexpr std::string_view name = __PRETTY_FUNCTION__;

	return std::is_union_v<U> || name.find("unnamed struct") != name.npos ||
	       name.find("anonymous struct") != name.npos;
}

struct any_anonymous {
	any_anonymous(const any_anonymous &) = delete;
	template <class U, std::enable_if_t<may_be_anonymous<U>(), int> = 0> operator U() const;
};

template <std::size_t Count> using count = std::integral_constant<std::size_t, Count>;

/* Is T{{}, {}, ...} well-formed with Count times {}, and with one Last after them? */
template <class T, class Count, class = void> struct takes : std::false_type {
};

template <class T, class Count, class Last, class = void> struct takes_also : std::false_type {
};

/* clang-format off */
/* Lists of one to eight; and of 8 * eights + rest, whose names begin with f0 to f7. */
#define LENDI_NAMES1(f) f##0
#define LENDI_NAMES2(f) LENDI_NAMES1(f), f##1
#define LENDI_NAMES3(f) LENDI_NAMES2(f), f##2
#define LENDI_NAMES4(f) LENDI_NAMES3(f), f##3
#define LENDI_NAMES5(f) LENDI_NAMES4(f), f##4
#define LENDI_NAMES6(f) LENDI_NAMES5(f), f##5
#define LENDI_NAMES7(f) LENDI_NAMES6(f), f##6
#define LENDI_NAMES8(f) LENDI_NAMES7(f), f##7
#define LENDI_TYPES1(f) decltype(f##0)
#define LENDI_TYPES2(f) LENDI_TYPES1(f), decltype(f##1)
#define LENDI_TYPES3(f) LENDI_TYPES2(f), decltype(f##2)
#define LENDI_TYPES4(f) LENDI_TYPES3(f), decltype(f##3)
#define LENDI_TYPES5(f) LENDI_TYPES4(f), decltype(f##4)
#define LENDI_TYPES6(f) LENDI_TYPES5(f), decltype(f##5)
#define LENDI_TYPES7(f) LENDI_TYPES6(f), decltype(f##6)
#define LENDI_TYPES8(f) LENDI_TYPES7(f), decltype(f##7)
#define LENDI_INITS1(f) {}
#define LENDI_INITS2(f) LENDI_INITS1(f), {}
#define LENDI_INITS3(f) LENDI_INITS2(f), {}
#define LENDI_INITS4(f) LENDI_INITS3(f), {}
#define LENDI_INITS5(f) LENDI_INITS4(f), {}
#define LENDI_INITS6(f) LENDI_INITS5(f), {}
#define LENDI_INITS7(f) LENDI_INITS6(f), {}
#define LENDI_INITS8(f) LENDI_INITS7(f), {}
#define LENDI_BEFORE0(list)
#define LENDI_BEFORE1(list) list(f0),
#define LENDI_BEFORE2(list) LENDI_BEFORE1(list) list(f1),
#define LENDI_BEFORE3(list) LENDI_BEFORE2(list) list(f2),
#define LENDI_BEFORE4(list) LENDI_BEFORE3(list) list(f3),
#define LENDI_BEFORE5(list) LENDI_BEFORE4(list) list(f4),
#define LENDI_BEFORE6(list) LENDI_BEFORE5(list) list(f5),
#define LENDI_BEFORE7(list) LENDI_BEFORE6(list) list(f6),
#define LENDI_LIST(list, eights, rest) LENDI_BEFORE##eights(list##8) list##rest(f##eights)

#define LENDI_EIGHT(one, eights) \
	one(eights, 1) one(eights, 2) one(eights, 3) one(eights, 4) \
	one(eights, 5) one(eights, 6) one(eights, 7) one(eights, 8)
#define LENDI_EACH(one) \
	LENDI_EIGHT(one, 0) LENDI_EIGHT(one, 1) LENDI_EIGHT(one, 2) LENDI_EIGHT(one, 3) \
	LENDI_EIGHT(one, 4) LENDI_EIGHT(one, 5) LENDI_EIGHT(one, 6) LENDI_EIGHT(one, 7)

#define LENDI_TAKES(eights, rest) \
	template <class T> \
	struct takes<T, count<8 * eights + rest>, \
		std::void_t<decltype(T{LENDI_LIST(LENDI_INITS, eights, rest)})>> : std::true_type { \
	}; \
	template <class T, class Last> \
	struct takes_also<T, count<8 * eights + rest>, Last, \
		std::void_t<decltype(T{LENDI_LIST(LENDI_INITS, eights, rest), \
			std::declval<Last>()})>> : std::true_type { \
	};
LENDI_EACH(LENDI_TAKES)
#undef LENDI_TAKES

template <class T> struct takes<T, count<0>, std::void_t<decltype(T{})>> : std::true_type {
};

template <class T, class Last>
struct takes_also<T, count<0>, Last,
	std::void_t<decltype(T{std::declval<Last>()})>> : std::true_type {
};
/* clang-format on */

/* The one place that reaches into a class: LEND_FIELDS makes it a friend. */
struct field_access {
	template <class T> static typename T::lend_fields_type declared_in(int);
	template <class T> static void declared_in(long);

	template <class T> static constexpr std::size_t declared_count()
	{
		return T::lend_fields_count();
	}

	/* An error in here: LEND_FIELDS lacks a field; or specialize lend::sharing_of<T>. */
/* clang-format off */
#define LENDI_BIND(eights, rest) \
	template <class T> static auto bind(T &object, count<8 * eights + rest>) \
	{ \
		[[maybe_unused]] auto &[LENDI_LIST(LENDI_NAMES, eights, rest)] = object; \
		return types<LENDI_LIST(LENDI_TYPES, eights, rest)>{}; \
	}
	LENDI_EACH(LENDI_BIND)
#undef LENDI_BIND
	/* clang-format on */
};

/* A class derived from one with LEND_FIELDS inherits the declaration, not the truth. */
template <class T>
inline constexpr bool declares_fields =
	std::is_same_v<decltype(field_access::declared_in<T>(0)), T>;

/* The largest count in [Least, Most] that T takes, given that it takes Least. */
template <class T, std::size_t Least, std::size_t Most> constexpr std::size_t count_fields()
{
	constexpr std::size_t middle = Least + (Most - Least + 1) / 2;

	if constexpr (Least == Most)
		return Least;
	else if constexpr (takes<T, count<middle>>::value)
		return count_fields<T, middle, Most>();
	else
		return count_fields<T, Least, middle - 1>();
}

template <class T, std::size_t... Index>
constexpr bool has_anonymous(std::index_sequence<Index...>)
{
	return (takes_also<T, count<Index>, any_anonymous>::value || ...);
}

template <class T, class = void> struct is_tuple_like : std::false_type {
};

template <class T>
struct is_tuple_like<T, std::void_t<decltype(std::tuple_size<T>::value)>> : std::true_type {
};

/* How many fields the aggregate T has, if it surely decomposes into them; else 0. */
template <class T> constexpr std::size_t safe_count()
{
	if constexpr (takes_also<T, count<0>, any_base<T>>::value || is_tuple_like<T>::value ||
		      !takes<T, count<0>>::value) {
		return 0;
	} else {
		constexpr std::size_t found = count_fields<T, 0, LENDI_FIELDS_MAX>();

		/* Another field, which {} does not initialize. */
		if constexpr (takes_also<T, count<found>, any_lvalue>::value ||
			      takes_also<T, count<found>, any_value>::value)
			return 0;
		else if constexpr (has_anonymous<T>(std::make_index_sequence<found>{}))
			return 0;
		else
			return found;
	}
}

/* Not known, and no list of fields. */
struct opaque {
};

/* The fields of the class T in their order, as types<...>; or opaque. */
template <class T> constexpr auto find_fields()
{
	if constexpr (declares_fields<T>) {
		static_assert(field_access::declared_count<T>() <= LENDI_FIELDS_MAX,
			"too many fields for LEND_FIELDS: specialize lend::sharing_of<T>");
		return decltype(field_access::bind(
			std::declval<T &>(), count<field_access::declared_count<T>()>{})){};
	} else if constexpr (std::is_empty_v<T>) {
		return types<>{};
	} else if constexpr (!std::is_aggregate_v<T> || std::is_union_v<T>) {
		return opaque{};
	} else if constexpr (safe_count<T>() == 0) {
		return opaque{};
	} else {
		return decltype(field_access::bind(
			std::declval<T &>(), count<safe_count<T>()>{})){};
	}
}

template <class T> using fields_of = decltype(find_fields<T>());

} // namespace lend::detail

#undef LENDI_EACH
#undef LENDI_EIGHT
#undef LENDI_LIST

#endif /* LENDHEAP_FIELDS_HPP */
