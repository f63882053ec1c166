/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LENDHEAP_PTR_HPP
#define LENDHEAP_PTR_HPP

/*
 * lend::offset_ptr<T> looks like T * and stores how far its target lies from the pointer: it
 * holds in an arena that is mapped at another address. The bits are those of LEND_PTR(T) in C
 * (lendheap/ptr.h, which tells of null, limits and dangers), so a struct may say
 *
 *	#ifdef __cplusplus
 *		lend::offset_ptr<node> next;
 *	#else
 *		LEND_PTR(struct node) next;
 *	#endif
 *
 * It is a random access iterator and a fancy pointer for allocators: std::vector, std::deque
 * and the containers of Boost.Container, Unordered, MultiIndex and Intrusive take it (for tag
 * bits in Boost.Intrusive add lendheap/ptr_boost.hpp). With libstdc++ 12, std::map, list and
 * string do not compile with it; std::forward_list, unordered_map and vector<bool> do, and
 * store raw pointers in silence.
 *
 * Cost: `*p`, `p[i]` and `(*p).x` are one add, with no look at null. get(), `p->x`, copies and
 * comparisons heed null; a loop that tests its pointer pays that test once. A copy relocates,
 * so the type is not trivially copyable, and memcpy of an object that holds one is as wrong as
 * in C.
 */
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <memory>
#include <type_traits>

#include <lendheap/ptr.h>

namespace lend
{

template <class T> class offset_ptr;

namespace detail
{

/* What offset_ptr<void>::reference refers to: a real reference type, which void & is not. */
struct any_object;

template <class T>
using pointer_reference = std::conditional_t<std::is_void_v<T>,
	std::conditional_t<std::is_const_v<T>, const any_object, any_object>, T> &;

template <class From, class To, class = void> struct is_static_castable : std::false_type {
};

template <class From, class To>
struct is_static_castable<From, To,
	std::void_t<decltype(static_cast<To>(std::declval<From>()))>> : std::true_type {
};

/* To the stored word, for ptr_boost.hpp and between pointers of different types. */
struct offset_ptr_access {
	template <class T> static std::uintptr_t place(const offset_ptr<T> &p) noexcept
	{
		return p.place();
	}

	template <class T> static std::uint64_t stored(const offset_ptr<T> &p) noexcept
	{
		return p.stored_;
	}

	template <class T>
	static void set_stored(offset_ptr<T> &p, std::uint64_t stored) noexcept
	{
		p.stored_ = stored;
	}
};

} // namespace detail

template <class T> class offset_ptr
{
	static_assert(!std::is_reference_v<T> && !std::is_function_v<T>,
		"offset_ptr points to objects");

	template <class U>
	using if_implicit = std::enable_if_t<std::is_convertible_v<U *, T *>, int>;
	template <class U>
	using if_explicit =
		std::enable_if_t<!std::is_convertible_v<U *, T *> &&
					 detail::is_static_castable<U *, T *>::value,
			int>;

      public:
	using element_type = T;
	using value_type = std::remove_cv_t<T>;
	using difference_type = std::ptrdiff_t;
	using size_type = std::size_t;
	using pointer = T *;
	using reference = detail::pointer_reference<T>;
	using iterator_category = std::random_access_iterator_tag;
	template <class U> using rebind = offset_ptr<U>;

	constexpr offset_ptr() noexcept : stored_(0)
	{
	}

	constexpr offset_ptr(std::nullptr_t) noexcept : stored_(0)
	{
	}

	template <class U, if_implicit<U> = 0> offset_ptr(U *target) noexcept
	{
		point_at(target);
	}

	offset_ptr(const offset_ptr &other) noexcept
	{
		follow(other);
	}

	/* To void, to a base (a virtual one too), to more const: what U * to T * does. */
	template <class U, if_implicit<U> = 0> offset_ptr(const offset_ptr<U> &other) noexcept
	{
		follow(other);
	}

	/* From void or from a base: what static_cast<T *>(U *) does. */
	template <class U, if_explicit<U> = 0>
	explicit offset_ptr(const offset_ptr<U> &other) noexcept
	{
		point_at(static_cast<T *>(other.get()));
	}

	offset_ptr &operator=(const offset_ptr &other) noexcept
	{
		follow(other);
		return *this;
	}

	template <class U, if_implicit<U> = 0> offset_ptr &operator=(U *target) noexcept
	{
		point_at(target);
		return *this;
	}

	template <class U, if_implicit<U> = 0>
	offset_ptr &operator=(const offset_ptr<U> &other) noexcept
	{
		follow(other);
		return *this;
	}

	/* The target; nullptr for null. */
	T *get() const noexcept
	{
		return static_cast<T *>(lendi_ptr_decode(place(), stored_));
	}

	explicit operator bool() const noexcept
	{
		return stored_ != 0;
	}

	bool operator!() const noexcept
	{
		return stored_ == 0;
	}

	reference operator*() const noexcept
	{
		return *get_raw();
	}

	/* Heeds null: generic code asks for the address of any pointer in this way. */
	T *operator->() const noexcept
	{
		return get();
	}

	reference operator[](difference_type index) const noexcept
	{
		return get_raw()[index];
	}

	offset_ptr &operator+=(difference_type count) noexcept
	{
		stored_ += bytes(count); /* null + 0 stays null */
		return *this;
	}

	offset_ptr &operator-=(difference_type count) noexcept
	{
		stored_ -= bytes(count);
		return *this;
	}

	offset_ptr &operator++() noexcept
	{
		return *this += 1;
	}

	offset_ptr &operator--() noexcept
	{
		return *this -= 1;
	}

	offset_ptr operator++(int) noexcept
	{
		offset_ptr before(*this);

		++*this;
		return before;
	}

	offset_ptr operator--(int) noexcept
	{
		offset_ptr before(*this);

		--*this;
		return before;
	}

	friend offset_ptr operator+(const offset_ptr &p, difference_type count) noexcept
	{
		offset_ptr sum(p);

		sum += count;
		return sum;
	}

	friend offset_ptr operator+(difference_type count, const offset_ptr &p) noexcept
	{
		return p + count;
	}

	friend offset_ptr operator-(const offset_ptr &p, difference_type count) noexcept
	{
		offset_ptr difference(p);

		difference -= count;
		return difference;
	}

	/* Two pointers into one array, or two null ones; so a look at one is enough. */
	friend difference_type operator-(const offset_ptr &p, const offset_ptr &q) noexcept
	{
		if (!p)
			return 0;
		return reinterpret_cast<T *>(p.address()) - reinterpret_cast<T *>(q.address());
	}

	/* The object behind a reference, as std::pointer_traits asks it. */
	static offset_ptr pointer_to(reference object) noexcept
	{
		if constexpr (std::is_void_v<T>)
			return offset_ptr(static_cast<T *>(&object));
		else
			return offset_ptr(std::addressof(object));
	}

	template <class U> static offset_ptr static_cast_from(const offset_ptr<U> &p) noexcept
	{
		return offset_ptr(static_cast<T *>(p.get()));
	}

	template <class U> static offset_ptr const_cast_from(const offset_ptr<U> &p) noexcept
	{
		return offset_ptr(const_cast<T *>(p.get()));
	}

	template <class U> static offset_ptr dynamic_cast_from(const offset_ptr<U> &p) noexcept
	{
		return offset_ptr(dynamic_cast<T *>(p.get()));
	}

	template <class U>
	static offset_ptr reinterpret_cast_from(const offset_ptr<U> &p) noexcept
	{
		return offset_ptr(reinterpret_cast<T *>(p.get()));
	}

	/*
	 * A null decodes to its own second byte, where no other pointer points: so it equals
	 * nothing by address, and what remains is that both are null. No branch.
	 */
	friend bool operator==(const offset_ptr &p, const offset_ptr &q) noexcept
	{
		return (p.address() == q.address()) | ((p.stored_ | q.stored_) == 0);
	}

	friend bool operator==(const offset_ptr &p, std::nullptr_t) noexcept
	{
		return p.stored_ == 0;
	}

	friend bool operator==(std::nullptr_t, const offset_ptr &p) noexcept
	{
		return p.stored_ == 0;
	}

	template <class U> friend bool operator==(const offset_ptr &p, U *q) noexcept
	{
		return p.get() == q;
	}

	template <class U> friend bool operator==(U *p, const offset_ptr &q) noexcept
	{
		return p == q.get();
	}

	friend bool operator!=(const offset_ptr &p, const offset_ptr &q) noexcept
	{
		return !(p == q);
	}

	friend bool operator!=(const offset_ptr &p, std::nullptr_t) noexcept
	{
		return p.stored_ != 0;
	}

	friend bool operator!=(std::nullptr_t, const offset_ptr &p) noexcept
	{
		return p.stored_ != 0;
	}

	template <class U> friend bool operator!=(const offset_ptr &p, U *q) noexcept
	{
		return !(p == q);
	}

	template <class U> friend bool operator!=(U *p, const offset_ptr &q) noexcept
	{
		return !(p == q);
	}

/* Order by address, null first; std::less gives an order across objects too. */
#define LENDI_PTR_ORDER(op, order)                                                             \
	friend bool operator op(const offset_ptr &p, const offset_ptr &q) noexcept             \
	{                                                                                      \
		return order{}(p.get(), q.get());                                              \
	}                                                                                      \
                                                                                               \
	template <class U> friend bool operator op(const offset_ptr &p, U *q) noexcept         \
	{                                                                                      \
		return order{}(p.get(), q);                                                    \
	}                                                                                      \
                                                                                               \
	template <class U> friend bool operator op(U *p, const offset_ptr &q) noexcept         \
	{                                                                                      \
		return order{}(p, q.get());                                                    \
	}

	LENDI_PTR_ORDER(<, std::less<>)
	LENDI_PTR_ORDER(<=, std::less_equal<>)
	LENDI_PTR_ORDER(>, std::greater<>)
	LENDI_PTR_ORDER(>=, std::greater_equal<>)
#undef LENDI_PTR_ORDER

	friend void swap(offset_ptr &p, offset_ptr &q) noexcept
	{
		offset_ptr kept(p);

		p = q;
		q = kept;
	}

	/* For boost::hash. */
	friend std::size_t hash_value(const offset_ptr &p) noexcept
	{
		return std::hash<offset_ptr>{}(p);
	}

      private:
	using access = detail::offset_ptr_access;
	friend access;

	void point_at(T *target) noexcept
	{
		stored_ = lendi_ptr_encode(place(), reinterpret_cast<std::uintptr_t>(target));
	}

	/* Point where another does; the address changes only on the way to another type. */
	template <class U> void follow(const offset_ptr<U> &other) noexcept
	{
		if constexpr (std::is_same_v<std::remove_cv_t<U>, std::remove_cv_t<T>>)
			stored_ = lendi_ptr_moved(
				place(), access::place(other), access::stored(other));
		else
			point_at(other.get());
	}

	T *get_raw() const noexcept
	{
		return static_cast<T *>(lendi_ptr_decode_raw(place(), stored_));
	}

	std::uintptr_t address() const noexcept
	{
		return lendi_ptr_address(place(), stored_);
	}

	std::uintptr_t place() const noexcept
	{
		return reinterpret_cast<std::uintptr_t>(this);
	}

	static std::uint64_t bytes(difference_type count) noexcept
	{
		return static_cast<std::uint64_t>(count) * sizeof(T);
	}

	std::uint64_t stored_; /* as in struct lend_ptr_shm */
};

static_assert(sizeof(offset_ptr<void>) == sizeof(struct lend_ptr_shm) &&
		      alignof(offset_ptr<void>) == alignof(struct lend_ptr_shm) &&
		      std::is_standard_layout_v<offset_ptr<void>>,
	"C and C++ disagree");

/* The casts of the language, by the names that std::shared_ptr gave them. */
template <class T, class U> offset_ptr<T> static_pointer_cast(const offset_ptr<U> &p) noexcept
{
	return offset_ptr<T>::static_cast_from(p);
}

template <class T, class U> offset_ptr<T> const_pointer_cast(const offset_ptr<U> &p) noexcept
{
	return offset_ptr<T>::const_cast_from(p);
}

template <class T, class U> offset_ptr<T> dynamic_pointer_cast(const offset_ptr<U> &p) noexcept
{
	return offset_ptr<T>::dynamic_cast_from(p);
}

template <class T, class U>
offset_ptr<T> reinterpret_pointer_cast(const offset_ptr<U> &p) noexcept
{
	return offset_ptr<T>::reinterpret_cast_from(p);
}

} // namespace lend

template <class T> struct std::hash<lend::offset_ptr<T>> {
	std::size_t operator()(const lend::offset_ptr<T> &p) const noexcept
	{
		return std::hash<T *>{}(p.get());
	}
};

#endif /* LENDHEAP_PTR_HPP */
