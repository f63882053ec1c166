/* SPDX-License-Identifier: Apache-2.0 */
/* Allocators and the memory resource: where memory comes from, and what a failure leaves. */
#include <deque>
#include <functional>
#include <memory_resource>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <unordered_map>
#include <vector>

#include <lendheap/allocator.hpp>
#include <lendheap/arena.hpp>
#include <lendheap/fixed.hpp>
#include <lendheap/memory_resource.hpp>

#include "support/heap.h"
#include "support/leaks.h"
#include "support/suite.h"

namespace
{

const char long_text[] = "a text that is too long to lie inside of a string object";

std::uint64_t live_count(const lend::arena &arena)
{
	return arena.stats().live_count;
}

/* The number of the lend::bad_alloc that a call throws; 0 when it throws none. */
template <class Call> int refused(Call &&call)
{
	try {
		call();
	} catch (const lend::bad_alloc &error) {
		return error.number();
	}
	return 0;
}

struct alignas(64) wide {
	char bytes[64];
};

static_assert(sizeof(lend::fixed::vector<int>) == sizeof(std::vector<int>) &&
	      sizeof(lend::fixed::map<int, int>) == sizeof(std::map<int, int>) &&
	      sizeof(lend::fixed::string) == sizeof(std::string));
static_assert(std::is_nothrow_move_constructible_v<lend::fixed::vector<int>> &&
	      std::is_nothrow_move_assignable_v<lend::fixed::vector<int>> &&
	      std::is_nothrow_move_assignable_v<lend::fixed::map<int, int>>);
static_assert(std::allocator_traits<lend::fixed_allocator<int>>::is_always_equal::value &&
	      std::allocator_traits<lend::allocator<int>>::is_always_equal::value &&
	      !std::allocator_traits<lend::bound_allocator<int>>::is_always_equal::value);
static_assert(
	std::is_same_v<std::allocator_traits<lend::fixed_allocator<int>>::pointer, int *>);
static_assert(std::is_same_v<std::allocator_traits<lend::allocator<int>>::pointer,
	lend::offset_ptr<int>>);

/* One body for the allocators that find their arena by the scope. */
template <template <class> class Allocator> void check_scoped()
{
	using ints = std::vector<int, Allocator<int>>;
	lend::arena one("one");
	lend::arena two("two");
	{
		ints of_none;
		ints of_one;
		ints of_two;

		CU_ASSERT_EQUAL(refused([&] { of_none.push_back(1); }), EINVAL);
		CU_ASSERT_TRUE(of_none.empty());
		{
			lend::scope in(one);

			of_one.assign(100, 1);
			{
				lend::scope inner(two);
				of_two.assign(100, 2);
			}
			of_one.resize(1000, 1);
		}
		CU_ASSERT_PTR_EQUAL(lend_arena_of(&of_one[0]), one.get());
		CU_ASSERT_PTR_EQUAL(lend_arena_of(&of_two[0]), two.get());
		CU_ASSERT_EQUAL(refused([&] { of_one.resize(2000); }), EINVAL);
		CU_ASSERT_EQUAL(of_one.size(), 1000);
		/* Any two are equal: memory moves over, and goes back where it came from. */
		of_one.swap(of_two);
		of_none = std::move(of_one);
		CU_ASSERT_PTR_EQUAL(lend_arena_of(&of_none[0]), two.get());
		CU_ASSERT_EQUAL(of_none[99], 2);
	}
	CU_ASSERT_EQUAL(live_count(one), 0);
	CU_ASSERT_EQUAL(live_count(two), 0);
	CU_ASSERT_TRUE(Allocator<int>() == Allocator<long>(Allocator<int>()));
	CU_ASSERT_FALSE(Allocator<int>() != Allocator<long>());
}

CLEAN_TEST(fixed_allocator_takes_the_scope_and_frees_by_address)
{
	check_scoped<lend::fixed_allocator>();
}

CLEAN_TEST(allocator_takes_the_scope_and_frees_by_address)
{
	check_scoped<lend::allocator>();
}

CLEAN_TEST(bound_allocator_keeps_to_its_arena)
{
	using ints = std::vector<int, lend::bound_allocator<int>>;
	lend::arena one("one");
	lend::arena two("two");
	lend::bound_allocator<int> to_one(one);
	lend::bound_allocator<long> to_two(two.get());

	CU_ASSERT_PTR_EQUAL(to_one.arena(), one.get());
	CU_ASSERT_TRUE(to_one == lend::bound_allocator<long>(to_one));
	CU_ASSERT_TRUE(to_one != to_two);
	{
		lend::scope in(two);
		ints *a = one.construct<ints>("a", to_one);
		ints b(lend::bound_allocator<int>{}); /* of the scope */

		a->assign(100, 1);
		CU_ASSERT_PTR_EQUAL(lend_arena_of(&a->front()), one.get());
		b = *a;
		CU_ASSERT_PTR_EQUAL(lend_arena_of(&b.front()), two.get());
		*a = std::move(b); /* unequal: the elements move, one by one */
		CU_ASSERT_PTR_EQUAL(lend_arena_of(&a->front()), one.get());
		CU_ASSERT_EQUAL(a->size(), 100);
		CU_ASSERT_TRUE(one.destroy<ints>("a"));
	}
	CU_ASSERT_EQUAL(live_count(one), 0);
	CU_ASSERT_EQUAL(live_count(two), 0);
}

CLEAN_TEST(bound_allocator_of_no_arena_throws)
{
	int caught = 0;

	try {
		lend::bound_allocator<int> none;
	} catch (const lend::error &error) {
		caught += error.code().value() == EINVAL;
	}
	lend::arena arena("gone");
	lend_arena *handle = arena.get();
	arena = lend::arena("other");
	try {
		lend::bound_allocator<int> none(handle);
	} catch (const lend::error &error) {
		caught += error.code().value() == ESTALE;
	}
	CU_ASSERT_EQUAL(caught, 2);
}

CLEAN_TEST(deque_takes_offset_pointers)
{
	lend::arena arena("a");
	lend::scope in(arena);
	{
		std::deque<long, lend::allocator<long>> numbers;

		for (long i = 0; i < 5000; i++)
			numbers.push_front(i);
		CU_ASSERT_EQUAL(numbers[4999], 0);
		CU_ASSERT_PTR_EQUAL(lend_arena_of(&numbers[2500]), arena.get());
	}
	CU_ASSERT_EQUAL(live_count(arena), 0);
}

CLEAN_TEST(alignments_over_16_are_kept)
{
	lend::arena arena("a");
	lend::scope in(arena);
	{
		lend::fixed::vector<wide> fixed(3);
		std::vector<wide, lend::allocator<wide>> offset(3);
		std::vector<wide, lend::bound_allocator<wide>> bound(
			3, lend::bound_allocator<wide>(arena));
		lend::memory_resource resource(arena);
		std::pmr::vector<wide> pmr(3, &resource);

		CU_ASSERT_EQUAL((uintptr_t)&fixed[0] % 64, 0);
		CU_ASSERT_EQUAL((uintptr_t)&offset[0] % 64, 0);
		CU_ASSERT_EQUAL((uintptr_t)&bound[0] % 64, 0);
		CU_ASSERT_EQUAL((uintptr_t)&pmr[0] % 64, 0);
	}
	CU_ASSERT_EQUAL(live_count(arena), 0);
}

CLEAN_TEST(counts_beyond_the_address_space_are_refused)
{
	lend::arena arena("a");
	lend::scope in(arena);
	int caught = 0;

	auto refuses = [&](auto allocator) {
		try {
			(void)allocator.allocate(SIZE_MAX / 2);
		} catch (const std::bad_array_new_length &) {
			caught++;
		}
	};
	refuses(lend::fixed_allocator<long>());
	refuses(lend::allocator<long>());
	refuses(lend::bound_allocator<long>(arena));
	CU_ASSERT_EQUAL(caught, 3);
}

CLEAN_TEST(memory_resource_serves_pmr_containers)
{
	lend::arena arena("a");
	lend::arena other("b");
	lend::memory_resource memory(arena);
	const lend::memory_resource same(arena.get());
	const lend::memory_resource different(other);
	{
		std::pmr::unordered_map<int, std::pmr::string> names(&memory);

		for (int i = 0; i < 100; i++)
			names[i] = long_text;
		CU_ASSERT_PTR_EQUAL(lend_arena_of(names[50].data()), arena.get());
		std::pmr::monotonic_buffer_resource on_top(&memory);
		std::pmr::vector<int> numbers(1000, 7, &on_top);
		CU_ASSERT_PTR_EQUAL(lend_arena_of(&numbers[0]), arena.get());
	}
	CU_ASSERT_EQUAL(live_count(arena), 0);
	CU_ASSERT_TRUE(memory == same);
	CU_ASSERT_TRUE(memory != different);
	CU_ASSERT_TRUE(memory != *std::pmr::new_delete_resource());
	CU_ASSERT_PTR_EQUAL(memory.arena(), arena.get());
}

CLEAN_TEST(quota_ends_a_container_s_growth_and_harms_nothing)
{
	lend::arena arena(lend::arena_options("small").quota_bytes(4u << 20));
	using names = lend::fixed::map<int, lend::fixed::string>;
	names &all = *arena.construct<names>("names");
	{
		lend::scope in(arena);
		lend::memory_resource memory(arena);
		int made = 0;

		CU_ASSERT_EQUAL(refused([&] {
			for (;; made++)
				all.emplace(made, long_text);
		}),
			EDQUOT);
		CU_ASSERT_TRUE(made > 1000);
		CU_ASSERT_EQUAL(all.size(), (std::size_t)made);
		CU_ASSERT_EQUAL(refused([&] { (void)memory.allocate(1u << 20); }), EDQUOT);
		CU_ASSERT_EQUAL(
			refused([&] { (void)lend::allocator<char>().allocate(1u << 20); }),
			EDQUOT);
		for (const auto &[number, name] : all)
			CU_ASSERT_TRUE(number < made && name == long_text);
	}
	CU_ASSERT_TRUE(arena.destroy<names>("names"));
	CU_ASSERT_EQUAL(live_count(arena), 0);
}

void allocate_in_a_forked_child(void *context)
{
	auto &numbers = *static_cast<lend::fixed::vector<int> *>(context);

	CHILD_REQUIRE(refused([&] { numbers.resize(10000); }) == EPERM);
	CHILD_REQUIRE(numbers.size() == 100 && numbers[99] == 3);
	CHILD_REQUIRE(refused([] { (void)lend::allocator<int>().allocate(1); }) == EPERM);
	numbers.~vector(); /* a free that changes nothing */
}

CLEAN_TEST(forked_child_is_refused_and_its_frees_are_ignored)
{
	lend::arena arena(lend::arena_options("a").reservation_bytes(HEAP_FORKED_BYTES));
	lend::scope in(arena);
	lend::fixed::vector<int> numbers(100, 3);

	CU_ASSERT_EQUAL(heap_in_child(allocate_in_a_forked_child, &numbers), 0);
	CU_ASSERT_EQUAL(numbers[99], 3);
	CU_ASSERT_EQUAL(live_count(arena), 1);
}

struct throws_at_3 {
	static int made;
	lend::fixed::string text = long_text;

	throws_at_3()
	{
		if (++made == 3)
			throw std::runtime_error("third");
	}
};
int throws_at_3::made;

CLEAN_TEST(element_whose_constructor_throws_leaves_nothing)
{
	lend::arena arena("a");
	lend::scope in(arena);
	bool caught = false;

	try {
		lend::fixed::vector<throws_at_3> three(3);
	} catch (const std::runtime_error &) {
		caught = true;
	}
	CU_ASSERT_TRUE(caught);
	CU_ASSERT_EQUAL(live_count(arena), 0);
}

/*
 * An allocation that fails when it is told to: it is made outside of any scope.
 */
int fail_at; /* the how many-th from now; 0: none does */

template <class T> struct failing : lend::fixed_allocator<T> {
	template <class U> struct rebind {
		using other = failing<U>;
	};

	failing() = default;

	template <class U> failing(const failing<U> &) noexcept
	{
	}

	T *allocate(std::size_t count)
	{
		if (fail_at && --fail_at == 0) {
			lend::scope none(static_cast<lend_arena *>(nullptr));
			return lend::fixed_allocator<T>::allocate(count);
		}
		return lend::fixed_allocator<T>::allocate(count);
	}
};

using text = std::basic_string<char, std::char_traits<char>, failing<char>>;

/*
 * An operation with the strong guarantee, with each of its allocations failing in turn: the
 * container and the number of objects are as before, until it succeeds.
 */
template <class Container, class Operation>
void fail_each(Container start, Operation &&operation)
{
	const Container before = start;
	int fails = 0;

	for (int nth = 1;; nth++) {
		Container container = before;
		const std::uint64_t live = heap_stats(lend_scope_arena()).live_count;
		fail_at = nth;
		const int number = refused([&] { operation(container); });
		const bool was_reached = fail_at == 0;

		fail_at = 0;
		if (!was_reached)
			break;
		fails++;
		CU_ASSERT_EQUAL(number, EINVAL);
		CU_ASSERT_TRUE(container == before);
		CU_ASSERT_EQUAL(heap_stats(lend_scope_arena()).live_count, live);
	}
	CU_ASSERT_TRUE(fails > 0);
}

CLEAN_TEST(failing_allocations_leave_containers_as_they_were)
{
	lend::arena arena("a");
	lend::scope in(arena);
	const text value = long_text;

	fail_each(std::vector<text, failing<text>>(4, value),
		[&](auto &vector) { vector.push_back(value); });
	fail_each(std::deque<text, failing<text>>(8, value),
		[&](auto &deque) { deque.push_back(value); });
	fail_each(std::list<text, failing<text>>(4, value),
		[&](auto &list) { list.push_front(value); });
	fail_each(std::map<text, text, std::less<>, failing<std::pair<const text, text>>>(
			  {{"a", value}, {"c", value}}),
		[&](auto &map) { map.emplace("a key that is too long to lie inside", value); });
	fail_each(
		std::unordered_map<text, text, lend::hash<text>, std::equal_to<>,
			failing<std::pair<const text, text>>>({{"a", value}, {"c", value}}, 1),
		[&](auto &map) {
			map.max_load_factor(map.load_factor()); /* so it rehashes too */
			map.emplace("a key that is too long to lie inside", value);
		});
	fail_each(text("short"), [&](auto &string) { string += value; });
	fail_each(value, [&](auto &string) { string.insert(3, value); });
	CU_ASSERT_EQUAL(live_count(arena), 1); /* value */
}

/* Without the guarantee: whatever it holds then, it can be destroyed, and nothing is lost. */
CLEAN_TEST(failing_allocations_of_nested_copies_lose_nothing)
{
	using nest = std::map<text, std::vector<text, failing<text>>, std::less<>,
		failing<std::pair<const text, std::vector<text, failing<text>>>>>;
	lend::arena arena("a");
	lend::scope in(arena);
	{
		nest from;
		int nth = 0;

		for (int i = 0; i < 5; i++)
			from[long_text + text(1, char('a' + i))].assign(3, long_text);
		const std::uint64_t live = live_count(arena);
		do {
			fail_at = ++nth;
			(void)refused([&] {
				nest to({{"short", {}}});
				to = from;
				CU_ASSERT_TRUE(to == from);
			});
			CU_ASSERT_EQUAL(live_count(arena), live);
		} while (fail_at == 0);
		fail_at = 0;
		CU_ASSERT_TRUE(nth > 25);
	}
	CU_ASSERT_EQUAL(live_count(arena), 0);
}

CLEAN_TEST(strings_hash_alike_whoever_allocated_them)
{
	lend::arena arena("a");
	lend::scope in(arena);
	const lend::hash<lend::fixed::string> hash;

	CU_ASSERT_EQUAL(hash(lend::fixed::string(long_text)), hash(std::string(long_text)));
	CU_ASSERT_EQUAL(hash(long_text), lend::hash<std::string>{}(long_text));
	CU_ASSERT_EQUAL(hash(long_text), lend::hash<std::string_view>{}(long_text));
	CU_ASSERT_EQUAL(lend::hash<lend::fixed::u16string>{}(u"Bonn"),
		std::hash<std::u16string_view>{}(u"Bonn"));
	CU_ASSERT_EQUAL(lend::hash<int>{}(7), std::hash<int>{}(7));
}

const struct suite_test tests[] = {
	SUITE_TEST(fixed_allocator_takes_the_scope_and_frees_by_address),
	SUITE_TEST(allocator_takes_the_scope_and_frees_by_address),
	SUITE_TEST(bound_allocator_keeps_to_its_arena),
	SUITE_TEST(bound_allocator_of_no_arena_throws),
	SUITE_TEST(deque_takes_offset_pointers),
	SUITE_TEST(alignments_over_16_are_kept),
	SUITE_TEST(counts_beyond_the_address_space_are_refused),
	SUITE_TEST(memory_resource_serves_pmr_containers),
	SUITE_TEST(quota_ends_a_container_s_growth_and_harms_nothing),
	SUITE_TEST(forked_child_is_refused_and_its_frees_are_ignored),
	SUITE_TEST(element_whose_constructor_throws_leaves_nothing),
	SUITE_TEST(failing_allocations_leave_containers_as_they_were),
	SUITE_TEST(failing_allocations_of_nested_copies_lose_nothing),
	SUITE_TEST(strings_hash_alike_whoever_allocated_them),
};

} // namespace

SUITE_MAIN("allocator", tests)
