/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LENDHEAP_ALLOCATOR_HPP
#define LENDHEAP_ALLOCATOR_HPP

/*
 * Allocators that put a container's elements into an arena.
 *
 *	                        pointer             state     allocates in           takes it
 *	fixed_allocator<T>      T *                 none      the thread's scope     every container
 *	allocator<T>            offset_ptr<T>       none      the thread's scope     see below
 *	bound_allocator<T>      offset_ptr<T>       8 bytes   the arena it is bound to    as allocator
 *
 * With raw pointers a container holds in every process that has the arena at its place in the
 * window, which is the default; with offset pointers also where an arena is relocated.
 * lendheap/fixed.hpp and lendheap/boost.hpp have the containers by name.
 *
 * Without state means: nothing in the container tells the arena, so elements of a container of
 * containers find it by themselves, and any two allocators are equal. An allocation goes where
 * the calling thread's lend::scope says and throws lend::bad_alloc outside of one; a free goes
 * to the arena that the address lies in, with or without a scope. Keep a container and its
 * elements in one arena: raw pointers would hold also between two, offset pointers would not.
 * bound_allocator is for code that hands its allocator along, as with Boost.Interprocess.
 *
 * Containers that take offset pointers: std::vector (not of bool), std::deque, and Boost's
 * Container, Unordered (node-based), MultiIndex and circular_buffer. With libstdc++ std::list,
 * map, set and string do not compile with them; std::forward_list, unordered_map, unordered_set
 * and vector<bool> would, and would store raw pointers in silence: those are refused here, and
 * so are boost::unordered_flat_map and set before Boost 1.84. With raw pointers those point into
 * the program while they are empty: refused too. Refused by all three are objects with virtual
 * functions, such as the control block of std::allocate_shared.
 *
 * Exceptions: lend::bad_alloc (a std::bad_alloc; number() EINVAL outside of a scope, EPERM in a
 * process that only reads, EDQUOT, ENOMEM), std::bad_array_new_length. Threads: as lend_alloc().
 */
#include <cstddef>
#include <cstdint>
#include <new>
#include <type_traits>

#include <lendheap/error.hpp>
#include <lendheap/ptr.hpp>
#include <lendheap/scope.hpp>

#if __has_include(<boost/version.hpp>)
#include <boost/version.hpp>
#endif

/* Nodes of libstdc++'s containers that store raw pointers whatever their allocator says. */
/* clang-format off */
#ifdef _GLIBCXX_BEGIN_NAMESPACE_CONTAINER
namespace std _GLIBCXX_VISIBILITY(default)
{
_GLIBCXX_BEGIN_NAMESPACE_VERSION
namespace __detail
{
template <class, bool> struct _Hash_node;
}
_GLIBCXX_BEGIN_NAMESPACE_CONTAINER
template <class> struct _Fwd_list_node;
_GLIBCXX_END_NAMESPACE_CONTAINER
_GLIBCXX_END_NAMESPACE_VERSION
}
#endif
/* clang-format on */

namespace lend
{

namespace detail
{

/* count objects of T as bytes. */
template <class T> std::size_t array_bytes(std::size_t count)
{
	static_assert(!std::is_polymorphic_v<T>,
		"an object with virtual functions holds for one process: use std::variant, or "
		"lend::shared in place of std::allocate_shared");
	if (count > static_cast<std::size_t>(PTRDIFF_MAX) / sizeof(T))
		throw std::bad_array_new_length();
	return count * sizeof(T);
}

template <class T> T *allocate_in_scope(std::size_t count)
{
	void *memory = lend_scope_alloc(array_bytes<T>(count), alignof(T));

	if (!memory)
		throw bad_alloc();
	return static_cast<T *>(memory);
}

template <class T> T *allocate_in(lend_arena *arena, std::size_t count)
{
	void *memory = alignof(T) <= 16
			       ? lend_alloc(arena, array_bytes<T>(count))
			       : lend_alloc_aligned(arena, array_bytes<T>(count), alignof(T));

	if (!memory)
		throw bad_alloc();
	return static_cast<T *>(memory);
}

template <class T> void deallocate(T *memory, std::size_t count) noexcept
{
	lend_free_any(memory, count * sizeof(T), alignof(T));
}

/*
 * What an allocator with offset pointers may be rebound to. A container of libstdc++ that keeps
 * raw pointers is told by its node; vector<bool> by its word.
 */
template <class From, class To> struct check_rebind {
	static_assert(!(std::is_same_v<From, bool> && std::is_same_v<To, unsigned long>),
		"std::vector<bool> stores raw pointers: use lend::vector<bool> of "
		"<lendheap/boost.hpp>, or lend::fixed::vector<bool>");
	using type = To;
};

#ifdef _GLIBCXX_BEGIN_NAMESPACE_CONTAINER
template <class From, class T, bool Cached>
struct check_rebind<From, std::__detail::_Hash_node<T, Cached>> {
	static_assert(!sizeof(From),
		"std::unordered_map and its kin store raw pointers: use lend::unordered_map of "
		"<lendheap/boost.hpp>, or lend::fixed::unordered_map");
};

#ifdef _GLIBCXX_DEBUG
template <class T> using forward_list_node = std::__cxx1998::_Fwd_list_node<T>;
#else
template <class T> using forward_list_node = std::_Fwd_list_node<T>;
#endif

template <class From, class T> struct check_rebind<From, forward_list_node<T>> {
	static_assert(!sizeof(From), "std::forward_list stores raw pointers: use lend::slist "
				     "of <lendheap/boost.hpp>, "
				     "or lend::fixed::forward_list");
};
#endif

} // namespace detail

/* Raw pointers, allocates in the scope. */
template <class T> class fixed_allocator
{
      public:
	using value_type = T;
	using is_always_equal = std::true_type;
	using propagate_on_container_move_assignment = std::true_type;

	fixed_allocator() = default;

	template <class U> fixed_allocator(const fixed_allocator<U> &) noexcept
	{
	}

	[[nodiscard]] T *allocate(std::size_t count)
	{
		return detail::allocate_in_scope<T>(count);
	}

	void deallocate(T *memory, std::size_t count) noexcept
	{
		detail::deallocate(memory, count);
	}

	template <class U>
	friend bool operator==(const fixed_allocator &, const fixed_allocator<U> &) noexcept
	{
		return true;
	}

	template <class U>
	friend bool operator!=(const fixed_allocator &, const fixed_allocator<U> &) noexcept
	{
		return false;
	}
};

/* Offset pointers, allocates in the scope. */
template <class T> class allocator
{
      public:
	using value_type = T;
	using pointer = offset_ptr<T>;
	using const_pointer = offset_ptr<const T>;
	using void_pointer = offset_ptr<void>;
	using const_void_pointer = offset_ptr<const void>;
	using size_type = std::size_t;
	using difference_type = std::ptrdiff_t;
	using is_always_equal = std::true_type;
	using propagate_on_container_move_assignment = std::true_type;

	template <class U> struct rebind {
		using other = allocator<typename detail::check_rebind<T, U>::type>;
	};

	allocator() = default;

	template <class U> allocator(const allocator<U> &) noexcept
	{
	}

	[[nodiscard]] pointer allocate(size_type count)
	{
		return detail::allocate_in_scope<T>(count);
	}

	void deallocate(const pointer &memory, size_type count) noexcept
	{
		detail::deallocate(memory.get(), count);
	}

	template <class U>
	friend bool operator==(const allocator &, const allocator<U> &) noexcept
	{
		return true;
	}

	template <class U>
	friend bool operator!=(const allocator &, const allocator<U> &) noexcept
	{
		return false;
	}
};

/*
 * Offset pointers, allocates in the arena it is bound to, which it names by an address in it: so
 * it lies in that arena, or beside it at the same distance in every process.
 */
template <class T> class bound_allocator
{
      public:
	using value_type = T;
	using pointer = offset_ptr<T>;
	using const_pointer = offset_ptr<const T>;
	using void_pointer = offset_ptr<void>;
	using const_void_pointer = offset_ptr<const void>;
	using size_type = std::size_t;
	using difference_type = std::ptrdiff_t;
	using is_always_equal = std::false_type;

	template <class U> struct rebind {
		using other = bound_allocator<typename detail::check_rebind<T, U>::type>;
	};

	/* To the arena of the scope; throws lend::error (EINVAL) outside of one. */
	bound_allocator() : bound_allocator(lend_scope_arena())
	{
	}

	/* Throws lend::error (EINVAL, ESTALE) when it is NULL or gone. */
	bound_allocator(lend_arena *arena) : home_(base_of(arena))
	{
	}

	/* To whatever has its arena at get(): lend::arena. */
	template <class Arena,
		class = decltype(static_cast<lend_arena *>(std::declval<Arena &>().get()))>
	bound_allocator(Arena &arena) : bound_allocator(arena.get())
	{
	}

	bound_allocator(const bound_allocator &) = default;
	bound_allocator &operator=(const bound_allocator &) = default;

	template <class U>
	bound_allocator(const bound_allocator<U> &other) noexcept : home_(other.home())
	{
	}

	[[nodiscard]] pointer allocate(size_type count)
	{
		return detail::allocate_in<T>(arena(), count);
	}

	void deallocate(const pointer &memory, size_type count) noexcept
	{
		detail::deallocate(memory.get(), count);
	}

	/* The arena's handle in this process. */
	lend_arena *arena() const noexcept
	{
		return lend_arena_of(home_.get());
	}

	/* Where the arena's data begin in this process. */
	const void *home() const noexcept
	{
		return home_.get();
	}

	template <class U>
	friend bool operator==(const bound_allocator &a, const bound_allocator<U> &b) noexcept
	{
		return a.home() == b.home();
	}

	template <class U>
	friend bool operator!=(const bound_allocator &a, const bound_allocator<U> &b) noexcept
	{
		return a.home() != b.home();
	}

      private:
	static const void *base_of(const lend_arena *arena)
	{
		const void *base = nullptr;
		std::uint64_t bytes = 0;

		if (!arena)
			throw error(-EINVAL, "a lend::bound_allocator of no arena");
		detail::check(lend_arena_range(arena, &base, &bytes));
		return base;
	}

	offset_ptr<const void> home_;
};

} // namespace lend

/*
 * Boost's open-addressing tables, declared as Boost declares them. An empty one points to an array
 * in the program, with raw pointers; until 1.84 it has those whatever its allocator says.
 */
#define LENDI_REFUSE(table, allocator, instead)                                                \
	template <class Key, class Value, class Hash, class Equal, class T>                    \
	class table##_map<Key, Value, Hash, Equal, lend::allocator<T>>                         \
	{                                                                                      \
		static_assert(!sizeof(Key), instead);                                          \
	};                                                                                     \
	template <class Key, class Hash, class Equal, class T>                                 \
	class table##_set<Key, Hash, Equal, lend::allocator<T>>                                \
	{                                                                                      \
		static_assert(!sizeof(Key), instead);                                          \
	}
#define LENDI_REFUSE_FIXED(table)                                                              \
	LENDI_REFUSE(table, fixed_allocator,                                                   \
		"boost::unordered_flat_map and its kin point into the program while they are " \
		"empty: use lend::fixed::unordered_map")
#define LENDI_REFUSE_OFFSET(table, allocator)                                                  \
	LENDI_REFUSE(table, allocator,                                                         \
		"boost::unordered_flat_map and its kin store raw pointers before Boost 1.84: " \
		"use lend::unordered_map of <lendheap/boost.hpp>")

namespace boost::unordered
{

template <class, class, class, class, class> class unordered_flat_map;
template <class, class, class, class> class unordered_flat_set;
template <class, class, class, class, class> class unordered_node_map;
template <class, class, class, class> class unordered_node_set;

LENDI_REFUSE_FIXED(unordered_flat);
LENDI_REFUSE_FIXED(unordered_node);

#if defined(BOOST_VERSION) && BOOST_VERSION < 108400
LENDI_REFUSE_OFFSET(unordered_flat, allocator);
LENDI_REFUSE_OFFSET(unordered_flat, bound_allocator);
LENDI_REFUSE_OFFSET(unordered_node, allocator);
LENDI_REFUSE_OFFSET(unordered_node, bound_allocator);
#endif

} // namespace boost::unordered

#undef LENDI_REFUSE_OFFSET
#undef LENDI_REFUSE_FIXED
#undef LENDI_REFUSE

#endif /* LENDHEAP_ALLOCATOR_HPP */
