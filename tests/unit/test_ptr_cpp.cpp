/* SPDX-License-Identifier: Apache-2.0 */
/* lend::offset_ptr looks like T *: types, conversions, comparisons, arithmetic, tag bits. */
#include <cstdint>
#include <cstring>
#include <deque>
#include <iterator>
#include <memory>
#include <new>
#include <string>
#include <type_traits>
#include <unordered_set>
#include <vector>

#include <lendheap/ptr.h>
#include <lendheap/ptr.hpp>
#include <lendheap/ptr_boost.hpp>

#include "support/suite.h"

using lend::offset_ptr;

namespace
{

struct base {
	std::uint64_t b = 1;
	virtual ~base() = default;
};

struct other_base {
	std::uint64_t o = 2;
	virtual ~other_base() = default;
};

struct derived : base, other_base {
	std::uint64_t d = 3;
};

struct virtually : virtual base {
	std::uint64_t v = 4;
};

struct unrelated {
};

template <class From, class To> constexpr bool implicit = std::is_convertible_v<From, To>;

template <class From, class To>
constexpr bool explicit_only =
	std::is_constructible_v<To, From> && !std::is_convertible_v<From, To>;

template <class From, class To> constexpr bool impossible = !std::is_constructible_v<To, From>;

/* The face of a fancy pointer and of an iterator. */
using P = offset_ptr<const int>;
static_assert(std::is_same_v<P::element_type, const int>);
static_assert(std::is_same_v<P::value_type, int>);
static_assert(std::is_same_v<P::difference_type, std::ptrdiff_t>);
static_assert(std::is_same_v<P::size_type, std::size_t>);
static_assert(std::is_same_v<P::pointer, const int *>);
static_assert(std::is_same_v<P::reference, const int &>);
static_assert(std::is_same_v<P::rebind<base>, offset_ptr<base>>);
static_assert(std::is_same_v<std::iterator_traits<P>::iterator_category,
	std::random_access_iterator_tag>);
static_assert(std::is_reference_v<offset_ptr<void>::reference>);
static_assert(std::is_reference_v<offset_ptr<const void>::reference>);
static_assert(std::is_same_v<std::pointer_traits<P>::pointer, P>);
static_assert(std::is_same_v<std::pointer_traits<P>::element_type, const int>);
static_assert(std::is_same_v<std::pointer_traits<P>::rebind<char>, offset_ptr<char>>);
static_assert(std::is_same_v<std::pointer_traits<offset_ptr<void>>::element_type, void>);

/* It lies in shared memory, and no algorithm may memcpy it. */
static_assert(sizeof(P) == 8 && alignof(P) == 8);
static_assert(std::is_standard_layout_v<P>);
static_assert(std::is_trivially_destructible_v<P>);
static_assert(!std::is_trivially_copyable_v<P>);
static_assert(!std::is_trivially_copyable_v<lend_ptr_shm>);
static_assert(std::is_trivially_default_constructible_v<lend_ptr_shm>);
struct with_c_pointer {
	LEND_PTR(with_c_pointer) next;
	int value;
};
static_assert(!std::is_trivially_copyable_v<with_c_pointer>);
static_assert(!std::is_copy_constructible_v<with_c_pointer>);
static_assert(!std::is_copy_assignable_v<with_c_pointer>);
static_assert(std::is_standard_layout_v<with_c_pointer>);
static_assert(std::is_nothrow_copy_constructible_v<P>);
static_assert(std::is_nothrow_swappable_v<P>);

/* From raw pointers. */
static_assert(implicit<int *, offset_ptr<int>>);
static_assert(implicit<int *, offset_ptr<const int>>);
static_assert(implicit<int *, offset_ptr<void>>);
static_assert(implicit<derived *, offset_ptr<other_base>>);
static_assert(implicit<std::nullptr_t, offset_ptr<int>>);
static_assert(impossible<const int *, offset_ptr<int>>);
static_assert(impossible<base *, offset_ptr<derived>>);
static_assert(impossible<void *, offset_ptr<int>>);
static_assert(impossible<std::uintptr_t, offset_ptr<int>>);

/* Between offset pointers. */
static_assert(implicit<offset_ptr<int>, offset_ptr<const int>>);
static_assert(implicit<offset_ptr<int>, offset_ptr<const volatile void>>);
static_assert(implicit<offset_ptr<derived>, offset_ptr<other_base>>);
static_assert(implicit<offset_ptr<virtually>, offset_ptr<base>>);
static_assert(explicit_only<offset_ptr<base>, offset_ptr<derived>>);
static_assert(explicit_only<offset_ptr<void>, offset_ptr<int>>);
static_assert(impossible<offset_ptr<const int>, offset_ptr<int>>);
static_assert(impossible<offset_ptr<const void>, offset_ptr<int>>);
static_assert(impossible<offset_ptr<base>, offset_ptr<virtually>>);
static_assert(impossible<offset_ptr<int>, offset_ptr<unrelated>>);
static_assert(!std::is_assignable_v<offset_ptr<int> &, offset_ptr<const int>>);

/* To bool only where asked; never to a raw pointer in silence. */
static_assert(explicit_only<offset_ptr<int>, bool>);
static_assert(impossible<offset_ptr<int>, int *>);

static_assert(lend::detail::tag_bits(1) == 0 && lend::detail::tag_bits(2) == 0);
static_assert(lend::detail::tag_bits(4) == 1 && lend::detail::tag_bits(64) == 2);

/* An allocator with nothing but the pointer to tell it from std::allocator. */
template <class T> struct heap {
	using value_type = T;
	using pointer = offset_ptr<T>;

	heap() = default;
	template <class U> heap(const heap<U> &)
	{
	}

	pointer allocate(std::size_t count)
	{
		return static_cast<T *>(::operator new(count * sizeof(T)));
	}

	void deallocate(const pointer &p, std::size_t)
	{
		::operator delete(p.get());
	}

	template <class U> bool operator==(const heap<U> &) const
	{
		return true;
	}

	template <class U> bool operator!=(const heap<U> &) const
	{
		return false;
	}
};

void literal_zero_is_null()
{
	int x = 0;
	offset_ptr<int> p(0);
	offset_ptr<int> q = 0;
	offset_ptr<int> r(&x);

	CU_ASSERT(p == 0);
	CU_ASSERT(0 == q);
	CU_ASSERT(r != 0);
	CU_ASSERT(0 != r);
	r = 0;
	CU_ASSERT(r == nullptr);
	r = &x;
	r = nullptr;
	CU_ASSERT(nullptr == r);
	CU_ASSERT(p == NULL);
	r = {};
	CU_ASSERT(!r);
	CU_ASSERT(r.get() == nullptr);
}

void zeroed_memory_is_null()
{
	alignas(8) unsigned char bytes[sizeof(offset_ptr<int>)] = {};
	auto *p = reinterpret_cast<offset_ptr<int> *>(bytes);
	static offset_ptr<int> in_bss;
	constexpr offset_ptr<int> constant;

	CU_ASSERT(*p == nullptr);
	CU_ASSERT(!in_bss);
	CU_ASSERT(constant.get() == nullptr);
}

void self_is_not_null()
{
	offset_ptr<void> p;

	p = &p;
	CU_ASSERT(p != nullptr);
	CU_ASSERT(p.get() == &p);
	CU_ASSERT(p == static_cast<void *>(&p));

	offset_ptr<void> q(p);

	CU_ASSERT(q == p);
	CU_ASSERT(q.get() == &p);
}

void copies_keep_the_target()
{
	int x[2] = {1, 2};
	auto on_heap = std::make_unique<offset_ptr<int>>(&x[1]);
	offset_ptr<int> copy(*on_heap);
	offset_ptr<int> assigned;
	offset_ptr<const int> wider(copy);
	offset_ptr<int> null;
	offset_ptr<int> null_too(null);

	assigned = std::move(copy);
	CU_ASSERT(assigned.get() == &x[1]);
	CU_ASSERT(wider.get() == &x[1]);
	wider = assigned;
	CU_ASSERT(*wider == 2);
	CU_ASSERT(null_too == nullptr);

	offset_ptr<int> &same = assigned;

	assigned = same;
	CU_ASSERT(assigned.get() == &x[1]);
	swap(assigned, null);
	CU_ASSERT(assigned == nullptr && null.get() == &x[1]);
	std::swap(assigned, null);
	CU_ASSERT(null == nullptr && assigned.get() == &x[1]);
}

void memcpy_breaks_it()
{
	int x = 0;
	offset_ptr<int> from(&x);
	offset_ptr<int> to[2];

	std::memcpy(static_cast<void *>(&to[1]), static_cast<void *>(&from), sizeof(from));
	CU_ASSERT(to[1].get() != &x);
}

void base_conversions_move_the_address()
{
	derived d;
	virtually v;
	offset_ptr<derived> pd(&d);
	offset_ptr<other_base> po(pd);
	offset_ptr<virtually> pv(&v);
	offset_ptr<base> pb(pv);

	CU_ASSERT(static_cast<void *>(po.get()) != static_cast<void *>(pd.get()));
	CU_ASSERT(po.get() == static_cast<other_base *>(&d));
	CU_ASSERT(po->o == 2);
	CU_ASSERT(pb.get() == static_cast<base *>(&v));
	CU_ASSERT(pb->b == 1);
	po = pd;
	CU_ASSERT(po == pd && pd == po);
	CU_ASSERT(offset_ptr<derived>(po) == pd);

	/* Null stays null on the way, though the base lies elsewhere. */
	pd = nullptr;
	pv = nullptr;
	po = pd;
	pb = pv;
	CU_ASSERT(po == nullptr);
	CU_ASSERT(pb == nullptr);
	CU_ASSERT(offset_ptr<derived>(po) == nullptr);
}

void casts_do_as_the_language_does()
{
	derived d;
	offset_ptr<base> pb(&d);
	offset_ptr<const base> pc(pb);
	base plain;
	offset_ptr<base> pp(&plain);

	CU_ASSERT(offset_ptr<derived>::static_cast_from(pb).get() == &d);
	CU_ASSERT(offset_ptr<base>::const_cast_from(pc) == pb);
	CU_ASSERT(offset_ptr<derived>::dynamic_cast_from(pb).get() == &d);
	CU_ASSERT(offset_ptr<derived>::dynamic_cast_from(pp) == nullptr);
	CU_ASSERT(offset_ptr<other_base>::dynamic_cast_from(pb).get() == &d);
	CU_ASSERT(offset_ptr<char>::reinterpret_cast_from(pb).get() ==
		  reinterpret_cast<char *>(pb.get()));
	CU_ASSERT(lend::static_pointer_cast<derived>(pb).get() == &d);
	CU_ASSERT(lend::const_pointer_cast<base>(pc) == pb);
	CU_ASSERT(lend::dynamic_pointer_cast<derived>(pp) == nullptr);
	CU_ASSERT(lend::reinterpret_pointer_cast<char>(pb) != nullptr);
	pb = nullptr;
	CU_ASSERT(offset_ptr<derived>::static_cast_from(pb) == nullptr);
	CU_ASSERT(offset_ptr<derived>::dynamic_cast_from(pb) == nullptr);
}

template <class A, class B> void check_order(const A &low, const B &high)
{
	CU_ASSERT(low != high && high != low);
	CU_ASSERT(!(low == high) && !(high == low));
	CU_ASSERT(low < high && low <= high && high > low && high >= low);
	CU_ASSERT(!(high < low) && !(high <= low) && !(low > high) && !(low >= high));
	CU_ASSERT(low == low && low <= low && low >= low && !(low < low) && !(low != low));
}

void comparisons_mix_raw_const_and_base()
{
	int x[2] = {};
	derived d[2];
	offset_ptr<int> p(&x[0]);
	offset_ptr<int> q(&x[1]);
	offset_ptr<const int> c(&x[1]);
	const int *raw_c = &x[1];

	check_order(p, q);
	check_order(p, c);
	check_order(p, &x[1]);
	check_order(&x[0], q);
	check_order(p, raw_c); /* a raw pointer to const beside one to non-const */
	check_order(p, static_cast<void *>(&x[1]));
	check_order(p, offset_ptr<void>(q));
	check_order(offset_ptr<other_base>(&d[0]), offset_ptr<derived>(&d[1]));
	check_order(offset_ptr<other_base>(&d[0]), &d[1]);
	check_order(offset_ptr<int>(), q);
	CU_ASSERT(q == c && c == q && q == raw_c && raw_c == q);
}

void null_equals_null_and_nothing_else()
{
	struct {
		offset_ptr<char> a;
		offset_ptr<char> b;
		offset_ptr<char> to;
	} s;
	auto *bytes = reinterpret_cast<char *>(&s);

	CU_ASSERT(s.a == s.b && !(s.a != s.b));
	for (std::size_t at = 0; at < sizeof(s); at++) {
		/* Where nulls of a, b and of `to` itself decode to. */
		if (at % sizeof(s.a) == 1)
			continue;
		s.to = bytes + at;
		CU_ASSERT(s.to != s.a && s.a != s.to);
		CU_ASSERT(s.to != nullptr);
	}
}

void arithmetic_is_that_of_an_array()
{
	int x[10] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
	offset_ptr<int> p(x);
	offset_ptr<const int> end(x + 10);

	CU_ASSERT(*(p + 3) == 3 && *(3 + p) == 3 && p[3] == 3 && end[-1] == 9);
	CU_ASSERT((p + 5) - 2 == x + 3);
	CU_ASSERT(*++p == 1 && *p++ == 1 && *p == 2);
	CU_ASSERT(*--p == 1 && *p-- == 1 && p == x);
	p += 4;
	CU_ASSERT(p - x == 4 && x - p == -4);
	p -= 3;
	CU_ASSERT(*p == 1);
	CU_ASSERT(end - p == 9 && p - end == -9); /* across const */
	CU_ASSERT(std::distance(p, offset_ptr<int>(x + 10)) == 9);

	p = nullptr;
	CU_ASSERT(p + 0 == nullptr && p - 0 == nullptr);
	CU_ASSERT(p - offset_ptr<const int>() == 0);
}

void difference_crosses_base_and_derived()
{
	struct first {
		std::uint64_t x;
	};
	struct same_size : first {
	};
	same_size s[4];
	offset_ptr<same_size> p(&s[3]);
	offset_ptr<first> q(&s[0]);

	CU_ASSERT(p - q == 3);
	CU_ASSERT(q - p == -3);
}

void pointer_to_gives_the_address()
{
	int x = 0;
	const int y = 0;
	offset_ptr<void> v(&x);

	CU_ASSERT(offset_ptr<int>::pointer_to(x).get() == &x);
	CU_ASSERT(std::pointer_traits<offset_ptr<const int>>::pointer_to(y).get() == &y);
	CU_ASSERT(offset_ptr<void>::pointer_to(
			  reinterpret_cast<offset_ptr<void>::reference>(x)) == v);
	CU_ASSERT(offset_ptr<int>(&x).operator->() == &x);
	CU_ASSERT(offset_ptr<int>().operator->() == nullptr);
#if __cplusplus > 201703L
	CU_ASSERT(std::to_address(offset_ptr<int>(&x)) == &x);
	CU_ASSERT(std::to_address(offset_ptr<int>()) == nullptr);
#endif
}

void hash_is_that_of_the_address()
{
	int x[2] = {};
	offset_ptr<int> p(&x[0]);
	std::unordered_set<offset_ptr<int>> set{p, &x[1], p};

	CU_ASSERT(set.size() == 2 && set.count(&x[0]) == 1);
	CU_ASSERT(std::hash<offset_ptr<int>>{}(p) == std::hash<int *>{}(&x[0]));
	CU_ASSERT(hash_value(p) == std::hash<int *>{}(&x[0]));
}

void c_and_cpp_store_the_same_bits()
{
	union {
		LEND_PTR(int) in_c;
		std::uint64_t bits;
	} u;
	auto *in_cpp = reinterpret_cast<offset_ptr<int> *>(&u);
	int x = 0;

	lend_ptr_set(&u.in_c, &x);
	CU_ASSERT(in_cpp->get() == &x);

	::new (static_cast<void *>(&u)) offset_ptr<int>(&x + 1);
	CU_ASSERT(lend_ptr_get(&u.in_c) == &x + 1);
	lend_ptr_set(&u.in_c, nullptr);
	CU_ASSERT(u.bits == 0);
	CU_ASSERT(*in_cpp == nullptr);
}

void std_containers_take_it()
{
	std::vector<int, heap<int>> vector;
	std::deque<int, heap<int>> deque;

	CU_ASSERT(vector.empty() && vector.begin() == vector.end());
	for (int i = 0; i < 1000; i++) {
		vector.push_back(i);
		deque.push_front(i);
	}
	vector.insert(vector.begin() + 500, 7, -1);
	CU_ASSERT(vector.size() == 1007 && vector[499] == 499 && vector[506] == -1);
	CU_ASSERT(deque.size() == 1000 && deque[0] == 999 && deque.back() == 0);
	vector.clear();
	vector.shrink_to_fit();
	CU_ASSERT(vector.size() == 0);
}

void tags_survive_pointer_changes_and_null()
{
	using tagged = boost::intrusive::pointer_plus_bits<offset_ptr<double>, 2>;
	double x[2] = {};
	offset_ptr<double> p(&x[0]);

	static_assert(boost::intrusive::max_pointer_plus_bits<offset_ptr<void>, 8>::value == 2);
	for (std::size_t bits = 0; bits < 4; bits++) {
		tagged::set_bits(p, bits);
		CU_ASSERT(tagged::get_bits(p) == bits);
		CU_ASSERT(tagged::get_pointer(p) == &x[0]);
		tagged::set_pointer(p, &x[1]);
		CU_ASSERT(tagged::get_bits(p) == bits);
		CU_ASSERT(tagged::get_pointer(p) == &x[1]);
		tagged::set_pointer(p, nullptr);
		CU_ASSERT(tagged::get_bits(p) == bits);
		CU_ASSERT(tagged::get_pointer(p) == nullptr);
		tagged::set_bits(p, 0);
		CU_ASSERT(p == nullptr);
		tagged::set_bits(p, bits);
		tagged::set_pointer(p, &x[0]);
		tagged::set_bits(p, 0);
		CU_ASSERT(p == &x[0]);
	}
	tagged::set_pointer(p, reinterpret_cast<double *>(&p)); /* itself */
	tagged::set_bits(p, 3);
	CU_ASSERT(tagged::get_pointer(p).get() == reinterpret_cast<double *>(&p));
}

/* A function that callers are compiled without a look into, and the other way round. */
#ifdef __clang__
#define OPAQUE __attribute__((noinline))
#else
#define OPAQUE __attribute__((noipa))
#endif

/*
 * A write through a pointer must be seen by a read of the target's own name, and the other way
 * round. Where the pointer lies on the stack or in fresh memory, a compiler that takes the sum
 * for a place in that object would order the two wrongly, as GCC 12 does without the barrier.
 */
OPAQUE int write_through_local(int &x, int value)
{
	offset_ptr<int> local(&x);

	x = 1;
	*local = value;
	return x;
}

OPAQUE int read_through_local(int &x, int value)
{
	offset_ptr<int> local(&x);
	int before = *local;

	x = value;
	return *local + before;
}

struct holder {
	offset_ptr<int> p;
	int own;
};

OPAQUE int write_through_fresh(int &x, int value)
{
	std::unique_ptr<holder> fresh(new holder{&x, 0});

	x = 1;
	*fresh->p = value;
	return x;
}

OPAQUE int write_to_local(int value)
{
	int x = 1;
	std::unique_ptr<holder> fresh(new holder{&x, 0});

	fresh->p[0] = value;
	return x;
}

OPAQUE int write_to_own(int value)
{
	holder local{nullptr, 1};

	local.p = &local.own;
	*local.p = value;
	return local.own;
}

OPAQUE int write_by_iteration(int (&array)[4], int value)
{
	const offset_ptr<int> end(array + 4);

	array[3] = 1;
	for (offset_ptr<int> p(array); p != end; ++p)
		*p = value;
	return array[3];
}

OPAQUE int write_in_c(int &x, int value)
{
	LEND_PTR(int) local;

	lend_ptr_set(&local, &x);
	x = 1;
	*lend_ptr_get(&local) = value;
	return x;
}

void writes_through_it_are_seen()
{
	int x = 3;
	int array[4] = {};

	CU_ASSERT(write_through_local(x, 5) == 5);
	CU_ASSERT(read_through_local(x, 6) == 11);
	CU_ASSERT(write_through_fresh(x, 7) == 7);
	CU_ASSERT(write_to_local(8) == 8);
	CU_ASSERT(write_to_own(9) == 9);
	CU_ASSERT(write_by_iteration(array, 10) == 10);
	CU_ASSERT(write_in_c(x, 11) == 11);
}

const struct suite_test tests[] = {
	SUITE_TEST(literal_zero_is_null),
	SUITE_TEST(zeroed_memory_is_null),
	SUITE_TEST(self_is_not_null),
	SUITE_TEST(copies_keep_the_target),
	SUITE_TEST(memcpy_breaks_it),
	SUITE_TEST(base_conversions_move_the_address),
	SUITE_TEST(casts_do_as_the_language_does),
	SUITE_TEST(comparisons_mix_raw_const_and_base),
	SUITE_TEST(null_equals_null_and_nothing_else),
	SUITE_TEST(arithmetic_is_that_of_an_array),
	SUITE_TEST(difference_crosses_base_and_derived),
	SUITE_TEST(pointer_to_gives_the_address),
	SUITE_TEST(hash_is_that_of_the_address),
	SUITE_TEST(c_and_cpp_store_the_same_bits),
	SUITE_TEST(std_containers_take_it),
	SUITE_TEST(tags_survive_pointer_changes_and_null),
	SUITE_TEST(writes_through_it_are_seen),
};

} // namespace

SUITE_MAIN("ptr_cpp", tests)
