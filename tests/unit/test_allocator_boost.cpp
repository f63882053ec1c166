/* SPDX-License-Identifier: Apache-2.0 */
/* lend-test: timeout=120 no-valgrind */
/*
 * What Boost asks of an allocator, and Boost's containers in arenas: what they cost, where their
 * elements go, what a failure leaves, and look-up by a reader, which cannot allocate.
 */
#include "support/suite.h"

#if !__has_include(<boost/version.hpp>)

int main()
{
	return suite_skip("Boost's headers are not installed");
}

#else

#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <lendheap/boost.hpp>
#include <lendheap/lendheap.hpp>

#include <boost/container/allocator_traits.hpp>
#include <boost/container/detail/version_type.hpp>
#include <boost/container/scoped_allocator.hpp>
#include <boost/core/allocator_access.hpp>

#include "support/visit.h"

namespace
{

namespace bc = boost::container;

using std::string_view;

template <class T> using bound = lend::bound_allocator<T>;
using bound_vector = bc::vector<int, bound<int>>;
using bound_table = boost::unordered_map<int, int, boost::hash<int>, std::equal_to<int>,
	bound<std::pair<const int, int>>>;

/* What both trait classes make of an allocator with offset pointers. */
template <class Traits> constexpr bool has_offset_pointers()
{
	return std::is_same_v<typename Traits::pointer, lend::offset_ptr<int>> &&
	       std::is_same_v<typename Traits::const_pointer, lend::offset_ptr<const int>> &&
	       std::is_same_v<typename Traits::void_pointer, lend::offset_ptr<void>> &&
	       std::is_same_v<typename Traits::const_void_pointer,
		       lend::offset_ptr<const void>> &&
	       std::is_same_v<typename Traits::size_type, std::size_t> &&
	       std::is_same_v<typename Traits::difference_type, std::ptrdiff_t>;
}

static_assert(has_offset_pointers<std::allocator_traits<lend::allocator<int>>>());
static_assert(has_offset_pointers<std::allocator_traits<bound<int>>>());
static_assert(has_offset_pointers<bc::allocator_traits<lend::allocator<int>>>());
static_assert(has_offset_pointers<bc::allocator_traits<bound<int>>>());

/* Moves take the memory along with the allocator where there is none to tell apart. */
template <class Traits, bool Move> constexpr bool propagates()
{
	return Traits::propagate_on_container_move_assignment::value == Move &&
	       !Traits::propagate_on_container_copy_assignment::value &&
	       !Traits::propagate_on_container_swap::value;
}

static_assert(propagates<bc::allocator_traits<lend::allocator<int>>, true>());
static_assert(propagates<bc::allocator_traits<bound<int>>, false>());
static_assert(bc::allocator_traits<lend::allocator<int>>::is_always_equal::value);
static_assert(!bc::allocator_traits<bound<int>>::is_always_equal::value);
static_assert(boost::allocator_is_always_equal<lend::allocator<int>>::type::value);

/* Plain allocators in Boost's eyes: no expansion in place, no bursts of nodes. */
static_assert(bc::dtl::version<lend::allocator<int>>::value == 1);
static_assert(bc::dtl::version<bound<int>>::value == 1);

static_assert(std::is_default_constructible_v<bound<int>> &&
	      std::is_convertible_v<bound<int>, bound<char>> &&
	      std::is_convertible_v<lend_arena *, bound<int>> &&
	      std::is_convertible_v<lend::arena &, bound<int>> &&
	      std::is_convertible_v<lend::allocator<int>, lend::allocator<char>> &&
	      std::is_nothrow_copy_constructible_v<bound<int>>);

/* No state, no bytes; a bound one is a word. */
static_assert(sizeof(lend::vector<int>) == 24 && sizeof(lend::string) == 24 &&
	      sizeof(lend::list<int>) == 24 && sizeof(lend::slist<int>) == 16 &&
	      sizeof(lend::flat_map<int, int>) == 24 && sizeof(lend::map<int, int>) == 32 &&
	      sizeof(lend::set<int>) == 32 && sizeof(bound_vector) == 32);

/* And the pointers to them are no larger than those of a heap. */
static_assert(sizeof(lend::vector<int>) == sizeof(bc::vector<int>) &&
	      sizeof(lend::map<int, int>) == sizeof(bc::map<int, int>) &&
	      sizeof(lend::unordered_map<int, int>) == sizeof(boost::unordered_map<int, int>));

/* What the traits make of them. */
static_assert(
	lend::is_relocatable<lend::unordered_map<lend::string, lend::vector<int>>>::value &&
	lend::is_relocatable<lend::small_vector<int, 4>>::value &&
	lend::is_relocatable<bound_vector>::value &&
	lend::is_relocatable<lend::circular_buffer<int>>::value &&
	!lend::is_relocatable<lend::vector<int *>>::value);
static_assert(!lend::is_shareable<bc::map<int, int>>::value &&
	      !lend::is_shareable<bc::string>::value &&
	      !lend::is_shareable<bc::small_vector<int, 4>>::value &&
	      !lend::is_shareable<boost::unordered_map<int, int>>::value &&
	      !lend::is_shareable<lend::vector<bc::vector<int>>>::value);

std::uint64_t live_count(const lend::arena &arena)
{
	return arena.stats().live_count;
}

bool lies_in(const void *object, const lend::arena &arena)
{
	return lend_arena_of(object) == arena.get();
}

template <class Traits> void allocate_each_way(typename Traits::allocator_type allocator)
{
	typename Traits::pointer first = Traits::allocate(allocator, 3);
	typename Traits::pointer second = Traits::allocate(allocator, 5, first);

	Traits::construct(allocator, first.get(), 7);
	CU_ASSERT_EQUAL(*first, 7);
	Traits::destroy(allocator, first.get());
	Traits::deallocate(allocator, first, 3);
	Traits::deallocate(allocator, second, 5);
	CU_ASSERT(Traits::max_size(allocator) > std::size_t{1} << 40);
	CU_ASSERT(Traits::select_on_container_copy_construction(allocator) == allocator);
}

void allocators_serve_both_kinds_of_traits()
{
	lend::arena arena;
	lend::scope in(arena);

	allocate_each_way<std::allocator_traits<lend::allocator<int>>>({});
	allocate_each_way<bc::allocator_traits<lend::allocator<int>>>({});
	allocate_each_way<std::allocator_traits<bound<int>>>(arena);
	allocate_each_way<bc::allocator_traits<bound<int>>>(arena);
	CU_ASSERT_EQUAL(live_count(arena), 0);
}

template <class C> void fill(C &container)
{
	for (int i = 0; i < 300; i++)
		container.emplace(i, i);
}

/* Every way of copying and moving a container of one arena to that of another. */
void bound_containers_keep_to_their_arenas()
{
	lend::arena a;
	lend::arena b;
	{
		bound_vector in_a({1, 2, 3}, a);
		bound_vector in_b(in_a, b);
		bound_table table_a(a.get());
		bound_table table_b(b.get());

		CU_ASSERT(lies_in(in_a.data(), a) && lies_in(in_b.data(), b));
		in_a.push_back(4);
		in_b = in_a;
		CU_ASSERT(in_b == in_a && lies_in(in_b.data(), b));
		in_b = std::move(in_a);
		CU_ASSERT(in_b.size() == 4 && lies_in(in_b.data(), b));
		bound_vector moved(std::move(in_b));
		CU_ASSERT(moved.size() == 4 && lies_in(moved.data(), b));

		fill(table_a);
		table_b = table_a;
		CU_ASSERT(table_b == table_a && lies_in(&*table_b.begin(), b));
		table_b.clear();
		table_b = std::move(table_a);
		CU_ASSERT(table_b.size() == 300 && lies_in(&*table_b.begin(), b));
	}
	CU_ASSERT_EQUAL(live_count(a), 0);
	CU_ASSERT_EQUAL(live_count(b), 0);
}

/* As with Boost.Interprocess: the outer container hands its allocator to what it holds. */
void scoped_allocator_hands_the_arena_along()
{
	using inner = bc::basic_string<char, std::char_traits<char>, bound<char>>;
	using scoped = bc::scoped_allocator_adaptor<bound<inner>>;
	lend::arena arena;
	{
		bc::vector<inner, scoped> words{scoped(bound<inner>(arena))};

		words.emplace_back("a text that is too long to lie inside of a string object");
		CU_ASSERT(lies_in(words[0].data(), arena));
	}
	CU_ASSERT_EQUAL(live_count(arena), 0);
}

template <class C> void fill_until_refused(lend::arena &arena)
{
	std::size_t count = 0;
	bool refused = false;
	{
		lend::scope in(arena);
		C container;

		try {
			for (int i = 0;; i++, count++)
				container.emplace(i, i);
		} catch (const lend::bad_alloc &error) {
			refused = error.number() == EDQUOT;
		}
		CU_ASSERT(refused);
		CU_ASSERT_EQUAL(container.size(), count);
		std::size_t found = 0;

		for (std::size_t i = 0; i < count; i++)
			found += container.count(int(i));
		CU_ASSERT_EQUAL(found, count);
	}
	CU_ASSERT(count > 1000);
	CU_ASSERT_EQUAL(live_count(arena), 0);
}

void refused_allocation_leaves_the_container_whole()
{
	lend::arena arena(lend::arena_options("small").quota_bytes(std::uint64_t{1} << 20));

	fill_until_refused<lend::map<int, int>>(arena);
	fill_until_refused<lend::unordered_map<int, int>>(arena);
	fill_until_refused<lend::flat_map<int, int>>(arena);
}

void allocation_outside_of_a_scope_is_refused()
{
	lend::vector<int> nowhere;
	int number = 0;

	try {
		nowhere.push_back(1);
	} catch (const lend::bad_alloc &error) {
		number = error.number();
	}
	CU_ASSERT_EQUAL(number, EINVAL);
	CU_ASSERT(nowhere.empty());
}

using strings_hash = lend::hash<lend::string>;

void strings_hash_by_their_characters()
{
	lend::arena arena;
	lend::scope in(arena);
	const char text[] = "a text that is too long to lie inside of a string object";
	const std::size_t hash = strings_hash{}(lend::string(text));

	CU_ASSERT_EQUAL(strings_hash{}(text), hash);
	CU_ASSERT_EQUAL(strings_hash{}(string_view(text)), hash);
	CU_ASSERT_EQUAL(lend::hash<lend::fixed::string>{}(text), hash);
	CU_ASSERT_NOT_EQUAL(strings_hash{}("another"), hash);
}

/* A reader: what it looks for lies nowhere in an arena, and it allocates in none. */

using index = lend::unordered_map<lend::string, lend::vector<int>>;
using dictionary = lend::map<lend::string, lend::string>;
using pairs = lend::unordered_set<std::pair<int, int>>;

const char bonn[] = "Bonn, whose name is too long here to lie inside of a string object";

int look_up(const lend_arena *handle, int)
{
	lend::borrowed arena(handle);
	const index *by_name = arena.find<index>("index");
	const dictionary *words = arena.find<dictionary>("dictionary");
	const pairs *edges = arena.find<pairs>("pairs");

	CHILD_CHECK(by_name && words && edges);
	auto named = by_name->find(bonn);
	auto word = words->find(string_view("k7"));

	CHILD_CHECK(named != by_name->end() && named->second.size() == 100);
	CHILD_CHECK(by_name->find("Siegburg")->second[0] == 1);
	CHILD_CHECK(by_name->find(std::string("Hennef")) == by_name->end());
	CHILD_CHECK(word != words->end() && word->second == "v7");
	CHILD_CHECK(words->find("k1000") == words->end());
	CHILD_CHECK(edges->count({3, 4}) == 1 && edges->count({4, 3}) == 0);
	return 0;
}

const visitor visitors[] = {VISITOR(look_up)};

void reader_finds_strings_without_allocating()
{
	lend::arena arena("index");
	lend::scope in(arena);
	index &by_name = *arena.construct<index>("index");
	dictionary &words = *arena.construct<dictionary>("dictionary");

	for (int i = 0; i < 100; i++) {
		by_name[bonn].push_back(i);
		words[lend::string(("k" + std::to_string(i)).c_str())] =
			("v" + std::to_string(i)).c_str();
	}
	by_name["Siegburg"].push_back(1);
	arena.construct<pairs>("pairs")->insert({3, 4});
	CU_ASSERT_EQUAL(visit(arena.get(), VISIT_FIXED, "look_up"), 0);
	CU_ASSERT_EQUAL(visit(arena.get(), VISIT_RELOCATED, "look_up"), 0);
}

const struct suite_test tests[] = {
	SUITE_TEST(allocators_serve_both_kinds_of_traits),
	SUITE_TEST(bound_containers_keep_to_their_arenas),
	SUITE_TEST(scoped_allocator_hands_the_arena_along),
	SUITE_TEST(refused_allocation_leaves_the_container_whole),
	SUITE_TEST(allocation_outside_of_a_scope_is_refused),
	SUITE_TEST(strings_hash_by_their_characters),
	SUITE_TEST(reader_finds_strings_without_allocating),
};

} // namespace

int main(int argc, char **argv)
{
	int status = visit_main(visitors, VISITOR_COUNT(visitors), argc, argv);

	return status >= 0
		       ? status
		       : suite_run("allocator_boost", tests, VISITOR_COUNT(tests), argc, argv);
}

#endif
