/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LENDHEAP_TESTS_COMPAT_HPP
#define LENDHEAP_TESTS_COMPAT_HPP

/*
 * A container under test, whatever it is: made empty and filled, looked at, grown, destroyed.
 *
 *	std::vector<row> rows_of_std()
 *	{
 *		return {row_of<std::deque<int, lend::allocator<int>>>("std::deque<int>", "offset")};
 *	}
 *
 * compat.cpp carries each row through processes and addresses. All memory comes from
 * lend_scope_alloc(), which is an arena's or the region's (region.hpp).
 */
#include <cstddef>
#include <cstdint>
#include <new>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <lendheap/allocator.hpp>

namespace compat
{

constexpr int built = 600; /* elements of the filled one, made by the owner */
constexpr int grown = 200; /* added to both by a visitor or by the owner */
constexpr int misses = 50; /* looked for in vain */

/* One line of the table, and what is done with its container: two of them at an address. */
struct row {
	const char *container;
	const char
		*pointer;  /* "raw", "offset", or "unguarded": an offset pointer let through */
	std::size_t bytes; /* sizeof */
	void *(*make)();
	bool (*holds)(const void *two, int more); /* are all elements found, and no others? */
	void (*grow)(void *two);
	void (*destroy)(void *two);
};

inline std::uint64_t mix(std::uint64_t x)
{
	x = (x ^ x >> 31) * UINT64_C(0xbf58476d1ce4e5b9);
	return x ^ x >> 29;
}

/* What a type offers. */
#define COMPAT_HAS(name, expression)                                                           \
	template <class T, class = void> struct has_##name : std::false_type {                 \
	};                                                                                     \
	template <class T>                                                                     \
	struct has_##name<T, std::void_t<decltype(expression)>> : std::true_type {             \
	};
COMPAT_HAS(first, std::declval<T>().first)
COMPAT_HAS(value, std::declval<T>().value)
COMPAT_HAS(characters, std::declval<T>().c_str())
COMPAT_HAS(push_back, std::declval<T &>().pop_back())
COMPAT_HAS(set_capacity, std::declval<T>().set_capacity(1))
COMPAT_HAS(key, std::declval<typename T::key_type>())
COMPAT_HAS(mapped, std::declval<typename T::mapped_type>())
COMPAT_HAS(pointee, *std::declval<T>().get())
#undef COMPAT_HAS

/* A number that tells values apart, whoever allocated them. */
template <class T> std::uint64_t digest(const T &object)
{
	if constexpr (std::is_arithmetic_v<T>)
		return mix(static_cast<std::uint64_t>(object) + 1);
	else if constexpr (has_first<T>::value)
		return mix(digest(object.first) + 3 * digest(object.second));
	else if constexpr (has_value<T>::value)
		return digest(object.value);
	else if constexpr (has_pointee<T>::value)
		return digest(*object);
	else {
		std::uint64_t sum = 1;

		for (const auto &part : object)
			sum = mix(sum + digest(part));
		return sum;
	}
}

/*
 * Strings that lie in the object itself and longer ones, in turn. The short ones fill it: bytes
 * left over would hold whatever was on the stack, and be counted as pointers.
 */
template <class String> String text_of(int number)
{
	const std::string digits = std::to_string(number);
	const std::size_t inside = String().capacity();
	const std::size_t length = number % 2 ? 3 * inside : inside;

	return String((std::string(length - digits.size(), '-') + digits).c_str());
}

/* The value that stands for a number. */
template <class T> T value_of(int number)
{
	if constexpr (std::is_same_v<T, bool>)
		return number % 3 == 0;
	else if constexpr (std::is_same_v<T, char>)
		return static_cast<char>('a' + number % 26);
	else if constexpr (std::is_arithmetic_v<T>)
		return static_cast<T>(number);
	else if constexpr (has_first<T>::value)
		return T(value_of<std::remove_const_t<typename T::first_type>>(number),
			value_of<typename T::second_type>(number));
	else if constexpr (has_characters<T>::value)
		return text_of<T>(number);
	else {
		T few;

		for (int i = 0; i <= number % 3; i++)
			few.push_back(value_of<typename T::value_type>(number + i));
		return few;
	}
}

template <class C> void add(C &container, int number)
{
	if constexpr (has_mapped<C>::value)
		container.emplace(value_of<typename C::key_type>(number),
			value_of<typename C::mapped_type>(number));
	else if constexpr (has_key<C>::value)
		container.insert(value_of<typename C::key_type>(number));
	else if constexpr (has_push_back<C>::value) {
		if constexpr (has_set_capacity<C>::value)
			if (container.full())
				container.set_capacity(2 * container.capacity() + 4);
		container.push_back(value_of<typename C::value_type>(number));
	} else
		container.push_front(value_of<typename C::value_type>(number));
}

template <class C> bool finds(const C &container, int number)
{
	const std::uint64_t wanted = digest(value_of<typename C::value_type>(number));

	if constexpr (has_key<C>::value) {
		auto found = container.find(value_of<typename C::key_type>(number));

		return found != container.end() && digest(*found) == wanted;
	} else {
		for (const auto &element : container)
			if (digest(element) == wanted)
				return true;
		return false;
	}
}

/* Sequences in their order, sets and maps in any. */
template <class C> bool walks(const C &container, int count)
{
	std::uint64_t sum = 0;
	int i = 0;

	for (const auto &element : container) {
		if (i == count)
			return false;
		const int number = has_push_back<C>::value ? i : count - 1 - i;
		const std::uint64_t wanted = digest(value_of<typename C::value_type>(number));

		if (!has_key<C>::value && digest(element) != wanted)
			return false;
		sum += digest(element) - wanted;
		i++;
	}
	return i == count && sum == 0;
}

/* A sequence is searched from its begin each time: for fewer. */
template <class C> bool is_whole(const C &container, int count)
{
	using value = typename C::value_type;
	constexpr int step = has_key<C>::value ? 1 : 37;

	if (!walks(container, count))
		return false;
	for (int i = 0; i < count; i += step)
		if (!finds(container, i))
			return false;
	if constexpr (sizeof(value) > 1) /* a bool or a char stands for many numbers */
		for (int i = count; i < count + misses; i += step)
			if (finds(container, i))
				return false;
	return true;
}

template <class C> struct two {
	C empty;
	C filled;
};

template <class C> void *make()
{
	auto *both = ::new (lend_scope_alloc(sizeof(two<C>), alignof(two<C>))) two<C>;

	for (int i = 0; i < built; i++)
		add(both->filled, i);
	return both;
}

template <class C> bool holds(const void *address, int more)
{
	const auto &both = *static_cast<const two<C> *>(address);

	return is_whole(both.empty, more) && is_whole(both.filled, built + more);
}

template <class C> void grow(void *address)
{
	auto &both = *static_cast<two<C> *>(address);

	for (int i = 0; i < grown; i++) {
		add(both.empty, i);
		add(both.filled, built + i);
	}
}

template <class C> void destroy(void *address)
{
	auto *both = static_cast<two<C> *>(address);

	both->~two<C>();
	lend_free_any(both, sizeof(*both), alignof(two<C>));
}

template <class C> row row_of(const char *container, const char *pointer)
{
	return {container, pointer, sizeof(C), make<C>, holds<C>, grow<C>, destroy<C>};
}

/* lend::allocator, or fixed_allocator, without refusals: what would happen. */
template <class T, bool Offset> class unguarded
{
	template <class U>
	using pointer_to = std::conditional_t<Offset, lend::offset_ptr<U>, U *>;

      public:
	using value_type = T;
	using pointer = pointer_to<T>;
	using const_pointer = pointer_to<const T>;
	using void_pointer = pointer_to<void>;
	using const_void_pointer = pointer_to<const void>;

	template <class U> struct rebind {
		using other = unguarded<U, Offset>;
	};

	unguarded() = default;

	template <class U> unguarded(const unguarded<U, Offset> &) noexcept
	{
	}

	pointer allocate(std::size_t count)
	{
		return static_cast<T *>(lend_scope_alloc(count * sizeof(T), alignof(T)));
	}

	void deallocate(const pointer &memory, std::size_t count) noexcept
	{
		lend_free_any(std::addressof(*memory), count * sizeof(T), alignof(T));
	}

	template <class U> bool operator==(const unguarded<U, Offset> &) const noexcept
	{
		return true;
	}

	template <class U> bool operator!=(const unguarded<U, Offset> &) const noexcept
	{
		return false;
	}
};

std::vector<row> rows_of_std();
std::vector<row> rows_of_boost_container();
std::vector<row> rows_of_boost_trees();
std::vector<row> rows_of_boost_tables();
std::vector<row> rows_of_boost_intrusive();

} // namespace compat

#endif /* LENDHEAP_TESTS_COMPAT_HPP */
