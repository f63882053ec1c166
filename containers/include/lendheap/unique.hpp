/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LENDHEAP_UNIQUE_HPP
#define LENDHEAP_UNIQUE_HPP

/*
 * lend::unique<T> owns one object in an arena, as std::unique_ptr owns one on the heap:
 *
 *	struct node {
 *		int value;
 *		lend::unique<node> next;
 *	};
 *
 *	lend::scope in(arena);
 *	lend::unique<node> head = lend::make_unique<node>(...);
 *
 * It is 8 bytes, self-relative: in an arena it holds in every process, at whatever address.
 * Making needs a scope, which says where; destroying finds the arena by the object's address.
 * There is no unique<Base> of a Derived, since the size that is freed would be the wrong one, and
 * none of an array: that is a vector. T may be incomplete where a unique<T> is declared.
 *
 * Keys. As std::unique_ptr it compares, orders and hashes by the object's address: the same in
 * every process where the arena is fixed. Where it is relocated the order of one arena's objects
 * stays, but a table finds nothing by the hash.
 * Processes. The owner of the arena makes, moves and destroys. Others look: a reader through
 * const, and a forked child, whose destructors leave the object alone, as its frees are ignored.
 * Threads. As a pointer: one at a time, or all of them reading.
 * Death. What a process that dies had in a unique outside of the arena stays allocated.
 */
#include <cstddef>
#include <functional>
#include <type_traits>
#include <utility>

#include <lendheap/allocator.hpp>
#include <lendheap/ptr.hpp>
#include <lendheap/traits.hpp>

namespace lend
{

template <class T> class unique;

namespace detail
{

/*
 * What owners of an object compare by, and are hashed and ordered by as keys: its address, null
 * first. No layout of its own.
 */
template <class Owner> struct compared_by_address {
	friend bool operator==(const Owner &a, const Owner &b) noexcept
	{
		return a.get() == b.get();
	}

	friend bool operator!=(const Owner &a, const Owner &b) noexcept
	{
		return a.get() != b.get();
	}

	friend bool operator<(const Owner &a, const Owner &b) noexcept
	{
		return std::less<>{}(a.get(), b.get());
	}

	friend bool operator<=(const Owner &a, const Owner &b) noexcept
	{
		return !(b < a);
	}

	friend bool operator>(const Owner &a, const Owner &b) noexcept
	{
		return b < a;
	}

	friend bool operator>=(const Owner &a, const Owner &b) noexcept
	{
		return !(a < b);
	}

	friend bool operator==(const Owner &a, std::nullptr_t) noexcept
	{
		return !a;
	}

	friend bool operator!=(const Owner &a, std::nullptr_t) noexcept
	{
		return bool(a);
	}

	friend bool operator==(std::nullptr_t, const Owner &a) noexcept
	{
		return !a;
	}

	friend bool operator!=(std::nullptr_t, const Owner &a) noexcept
	{
		return bool(a);
	}

	/* For boost::hash. */
	friend std::size_t hash_value(const Owner &a) noexcept
	{
		return std::hash<Owner>{}(a);
	}
};

/* It holds wherever what it owns does. */
template <class T> constexpr auto parts_of(tag<unique<T>>)
{
	return detail::parts_of_owner<T>();
}

template <class T> inline constexpr bool has_elements<unique<T>> = has<T, complete>;

/* Memory of the scope for one T, const or not, given back unless kept. */
template <class T> class room
{
	using object = std::remove_cv_t<T>;

      public:
	room() : memory_(detail::allocate_in_scope<object>(1))
	{
	}

	~room()
	{
		if (memory_)
			detail::deallocate(memory_, 1);
	}

	room(const room &) = delete;
	room &operator=(const room &) = delete;

	void *get() const noexcept
	{
		return memory_;
	}

	void keep() noexcept
	{
		memory_ = nullptr;
	}

      private:
	object *memory_;
};

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
/* A T of these arguments in memory that has room for it; an aggregate gets them as its members. */
template <class T, class... Args> T *construct_at(void *memory, Args &&...args)
{
	if constexpr (std::is_constructible_v<T, Args...>)
		return ::new (memory) T(std::forward<Args>(args)...);
	else
		return ::new (memory) T{std::forward<Args>(args)...};
}
#pragma GCC diagnostic pop

} // namespace detail

/*
 * Destroy an object of an arena and give its memory back. nullptr is allowed. Where this process
 * may not write, nothing is done, and it is counted as lend_free() counts it.
 */
template <class T> void destroy(T *object) noexcept
{
	static_assert(sizeof(T) > 0, "T is incomplete here: it cannot be destroyed");

	/* The free asks for itself; a destructor with nothing to do need not be kept from it. */
	if constexpr (!std::is_trivially_destructible_v<T>)
		if (lend_arena_owns(object))
			object->~T();
	lend_free_any(const_cast<std::remove_cv_t<T> *>(object), sizeof(T), alignof(T));
}

template <class T> class unique : detail::compared_by_address<unique<T>>
{
	static_assert(!std::is_array_v<T>, "an array is a lend::fixed::vector");

      public:
	using element_type = T;
	using pointer = T *;

	constexpr unique() noexcept = default;

	constexpr unique(std::nullptr_t) noexcept
	{
	}

	/* Take over an object that make_unique() or lend::arena made, or release() gave. */
	explicit unique(T *object) noexcept : object_(object)
	{
	}

	unique(unique &&other) noexcept : object_(other.release())
	{
	}

	unique &operator=(unique &&other) noexcept
	{
		reset(other.release());
		return *this;
	}

	unique &operator=(std::nullptr_t) noexcept
	{
		reset();
		return *this;
	}

	~unique()
	{
		if (object_)
			lend::destroy(object_.get());
	}

	T *get() const noexcept
	{
		return object_.get();
	}

	T &operator*() const noexcept
	{
		return *object_;
	}

	T *operator->() const noexcept
	{
		return object_.get();
	}

	explicit operator bool() const noexcept
	{
		return object_ != nullptr;
	}

	/* The object is the caller's from now on, to be given to lend::destroy(). */
	[[nodiscard]] T *release() noexcept
	{
		T *object = object_.get();

		object_ = nullptr;
		return object;
	}

	/* Own another object, or none; the one so far is destroyed after that. */
	void reset(T *object = nullptr) noexcept
	{
		T *old = object_.get();

		object_ = object;
		if (old)
			lend::destroy(old);
	}

	friend void swap(unique &a, unique &b) noexcept
	{
		swap(a.object_, b.object_);
	}

      private:
	offset_ptr<T> object_;
};

/*
 * A T of these arguments in the scope; an aggregate takes them as its members. Throws what its
 * constructor throws, with nothing left behind, and lend::bad_alloc.
 */
template <class T, class... Args> unique<T> make_unique(Args &&...args)
{
	detail::require_shareable<T>();
	detail::room<T> room;
	T *object = detail::construct_at<T>(room.get(), std::forward<Args>(args)...);

	room.keep();
	return unique<T>(object);
}

} // namespace lend

template <class T> struct std::hash<lend::unique<T>> {
	std::size_t operator()(const lend::unique<T> &owner) const noexcept
	{
		return std::hash<T *>{}(owner.get());
	}
};

#endif /* LENDHEAP_UNIQUE_HPP */
