/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LENDHEAP_SHARED_HPP
#define LENDHEAP_SHARED_HPP

/*
 * lend::shared<T> and lend::weak<T>: one object in an arena with several owners, as
 * std::shared_ptr and std::weak_ptr have it, but fit to lie in the arena themselves.
 *
 *	lend::scope in(arena);
 *	lend::shared<road> a5 = lend::make_shared<road>("A5");
 *	lend::weak<road> seen = a5;
 *
 * Each is 8 bytes, self-relative: it holds in every process, at whatever address. The counts lie
 * beside the object, in one allocation, with no vtable. So there are no aliases, no shared<Base>
 * of a Derived, no deleters. T may be incomplete where a shared<T> is declared.
 *
 * Keys. As std::shared_ptr it compares, orders and hashes by the object's address, a weak with
 * std::owner_less<> by that of the counts; unique.hpp says where this holds.
 * Processes. Any that may write the arena copies and lets go. One that may not (it borrowed the
 * arena, or is a forked child) reads through const shared<T>; a copy there throws lend::error
 * (EPERM), where a write to the count would be a fault. Its destructors leave the counts alone.
 * A move touches no count, in any process.
 * Threads. As std::shared_ptr: different ones that own one object, at the same time; the same
 * one only if all read it.
 * Orders. Getting one more is relaxed: the object is held by another meanwhile. Letting go is
 * acquire and release (pair LAST): who lets go last sees what the others did to the object.
 * Death. A process that dies leaves what it counted: an object that a shared outside of the arena
 * owned stays allocated, and readable, until the arena is destroyed.
 */
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

#include <lendheap/unique.hpp>

namespace lend
{

template <class T> class shared;
template <class T> class weak;

namespace detail
{

/* They hold wherever what they own does. */
template <class T> constexpr auto parts_of(tag<shared<T>>)
{
	return detail::parts_of_owner<T>();
}

template <class T> constexpr auto parts_of(tag<weak<T>>)
{
	return detail::parts_of_owner<T>();
}

template <class T> inline constexpr bool has_elements<shared<T>> = has<T, complete>;
template <class T> inline constexpr bool has_elements<weak<T>> = has<T, complete>;

/* What a shared owns: the counts, and the object for as long as strong is not 0. */
template <class T> struct counted {
	using count = std::atomic<std::uint32_t>;

	static_assert(count::is_always_lock_free && sizeof(count) == 4, "shared by processes");

	count strong{1};
	count weak{1}; /* one for all the strong ones together */
	union {
		T object;
	};

	template <class... Args> explicit counted(Args &&...args)
	{
		(void)detail::construct_at<T>(
			const_cast<std::remove_cv_t<T> *>(std::addressof(object)),
			std::forward<Args>(args)...);
	}

	~counted()
	{
	}
};

/* The same block counted once more; nullptr stays nullptr. */
template <class T>
counted<T> *count_one(counted<T> *block, std::atomic<std::uint32_t> counted<T>::*which)
{
	if (!block)
		return nullptr;
	if (!lend_arena_owns(block))
		throw error(-EPERM, "a lend::shared or weak is copied in a process that may "
				    "not write its arena");
	/* Relaxed: the caller's own one keeps the block alive. */
	(block->*which).fetch_add(1, std::memory_order_relaxed);
	return block;
}

template <class T> void let_go_weak(counted<T> *block) noexcept
{
	/* LAST: release of what we did, acquire of what others did. */
	if (block->weak.fetch_sub(1, std::memory_order_acq_rel) == 1)
		detail::deallocate(block, 1); /* no object is in it any more */
}

template <class T> void let_go_strong(counted<T> *block) noexcept
{
	/* LAST: as above. */
	if (block->strong.fetch_sub(1, std::memory_order_acq_rel) != 1)
		return;
	block->object.~T();
	detail::let_go_weak(block);
}

} // namespace detail

template <class T> class shared : detail::compared_by_address<shared<T>>
{
	static_assert(!std::is_array_v<T>, "an array is a lend::fixed::vector");

      public:
	using element_type = T;
	using weak_type = weak<T>;

	constexpr shared() noexcept = default;

	constexpr shared(std::nullptr_t) noexcept
	{
	}

	/* Throws lend::error (EPERM) where this process may not write. */
	shared(const shared &other)
	    : block_(detail::count_one(other.block_.get(), &detail::counted<T>::strong))
	{
	}

	shared(shared &&other) noexcept : block_(other.block_)
	{
		other.block_ = nullptr;
	}

	shared &operator=(const shared &other)
	{
		shared copy(other);

		swap(*this, copy);
		return *this;
	}

	shared &operator=(shared &&other) noexcept
	{
		shared moved(std::move(other));

		swap(*this, moved);
		return *this;
	}

	~shared()
	{
		if (block_ && lend_arena_owns(block_.get()))
			detail::let_go_strong(block_.get());
	}

	T *get() const noexcept
	{
		return block_ ? std::addressof((*block_).object) : nullptr;
	}

	T &operator*() const noexcept
	{
		return (*block_).object;
	}

	T *operator->() const noexcept
	{
		return get();
	}

	explicit operator bool() const noexcept
	{
		return block_ != nullptr;
	}

	void reset() noexcept
	{
		shared none;

		swap(*this, none);
	}

	/* How many own the object; others may change it meanwhile. */
	std::uint32_t use_count() const noexcept
	{
		/* Relaxed: a number to look at. */
		return block_ ? block_->strong.load(std::memory_order_relaxed) : 0;
	}

	/* An order of shared and weak ones by what they count: std::owner_less<> asks for it. */
	bool owner_before(const shared &other) const noexcept
	{
		return block_ < other.block_;
	}

	bool owner_before(const weak<T> &other) const noexcept
	{
		return block_ < other.block_;
	}

	friend void swap(shared &a, shared &b) noexcept
	{
		swap(a.block_, b.block_);
	}

      private:
	friend class weak<T>;
	template <class U, class... Args> friend shared<U> make_shared(Args &&...args);

	/* Take over one count. */
	explicit shared(detail::counted<T> *block) noexcept : block_(block)
	{
	}

	offset_ptr<detail::counted<T>> block_;
};

/* Sees a shared object without owning it. */
template <class T> class weak
{
	static_assert(!std::is_array_v<T>, "an array is a lend::fixed::vector");

      public:
	using element_type = T;

	constexpr weak() noexcept = default;

	/* These throw lend::error (EPERM) where this process may not write. */
	weak(const shared<T> &owner)
	    : block_(detail::count_one(owner.block_.get(), &detail::counted<T>::weak))
	{
	}

	weak(const weak &other)
	    : block_(detail::count_one(other.block_.get(), &detail::counted<T>::weak))
	{
	}

	weak(weak &&other) noexcept : block_(other.block_)
	{
		other.block_ = nullptr;
	}

	weak &operator=(const weak &other)
	{
		weak copy(other);

		swap(*this, copy);
		return *this;
	}

	weak &operator=(weak &&other) noexcept
	{
		weak moved(std::move(other));

		swap(*this, moved);
		return *this;
	}

	~weak()
	{
		if (block_ && lend_arena_owns(block_.get()))
			detail::let_go_weak(block_.get());
	}

	/* The object, owned, or null when its last owner let go. Throws lend::error (EPERM). */
	shared<T> lock() const
	{
		detail::counted<T> *block = block_.get();

		if (!block || expired())
			return nullptr;
		if (!lend_arena_owns(block))
			throw error(-EPERM, "a lend::weak is locked in a process that may not "
					    "write its arena");
		/* Relaxed: what made the object came to us with the weak. */
		std::uint32_t strong = block->strong.load(std::memory_order_relaxed);

		while (strong != 0)
			if (block->strong.compare_exchange_weak(
				    strong, strong + 1, std::memory_order_relaxed))
				return shared<T>(block);
		return nullptr;
	}

	/* True once the object is gone: for good. */
	bool expired() const noexcept
	{
		/* Relaxed: a number to look at. */
		return !block_ || block_->strong.load(std::memory_order_relaxed) == 0;
	}

	void reset() noexcept
	{
		weak none;

		swap(*this, none);
	}

	/* As that of shared. It stays when the object is gone, so a weak can be a key. */
	bool owner_before(const weak &other) const noexcept
	{
		return block_ < other.block_;
	}

	bool owner_before(const shared<T> &other) const noexcept
	{
		return block_ < other.block_;
	}

	friend void swap(weak &a, weak &b) noexcept
	{
		swap(a.block_, b.block_);
	}

      private:
	friend class shared<T>;

	offset_ptr<detail::counted<T>> block_;
};

/* As make_unique(): a T of these arguments in the scope. */
template <class T, class... Args> shared<T> make_shared(Args &&...args)
{
	detail::require_shareable<T>();
	detail::room<detail::counted<T>> room;
	auto *block = ::new (room.get()) detail::counted<T>(std::forward<Args>(args)...);

	room.keep();
	return shared<T>(block);
}

} // namespace lend

template <class T> struct std::hash<lend::shared<T>> {
	std::size_t operator()(const lend::shared<T> &owner) const noexcept
	{
		return std::hash<T *>{}(owner.get());
	}
};

#endif /* LENDHEAP_SHARED_HPP */
