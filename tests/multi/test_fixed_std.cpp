/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every container of the standard library, built in an arena by one program and read by another:
 * empty, with one element and with many, short and long strings, nests of all of them. The reader
 * builds the same from the same seed with std's allocator and compares, walking and finding.
 */
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

#include <lendheap/arena.hpp>
#include <lendheap/fixed.hpp>

#include "support/heap.h"
#include "support/leaks.h"
#include "support/suite.h"
#include "support/visit.h"

namespace
{

/* The same names for std's own containers. */
namespace plain
{
template <class Char> using basic_string = std::basic_string<Char>;
using string = std::string;
template <class T> using vector = std::vector<T>;
template <class T> using deque = std::deque<T>;
template <class T> using list = std::list<T>;
template <class T> using forward_list = std::forward_list<T>;
template <class K> using set = std::set<K>;
template <class K> using multiset = std::multiset<K>;
template <class K, class V> using map = std::map<K, V>;
template <class K, class V> using multimap = std::multimap<K, V>;
template <class K> using unordered_set = std::unordered_set<K>;
template <class K> using unordered_multiset = std::unordered_multiset<K>;
template <class K, class V> using unordered_map = std::unordered_map<K, V>;
template <class K, class V> using unordered_multimap = std::unordered_multimap<K, V>;
template <class T> using stack = std::stack<T>;
template <class T> using queue = std::queue<T>;
template <class T> using priority_queue = std::priority_queue<T>;
} // namespace plain

/* One of each. */
#define SHELF(name, from)                                                                      \
	struct name {                                                                          \
		using string = from::string;                                                   \
		string narrow;                                                                 \
		from::basic_string<wchar_t> wide;                                              \
		from::basic_string<char16_t> utf16;                                            \
		from::basic_string<char32_t> utf32;                                            \
		from::vector<int> numbers;                                                     \
		from::vector<bool> bits;                                                       \
		from::vector<string> strings;                                                  \
		from::deque<string> deque;                                                     \
		from::list<string> list;                                                       \
		from::forward_list<std::uint64_t> forward_list;                                \
		from::set<string> set;                                                         \
		from::multiset<int> multiset;                                                  \
		from::map<string, from::vector<int>> map;                                      \
		from::multimap<int, string> multimap;                                          \
		from::unordered_set<string> unordered_set;                                     \
		from::unordered_multiset<int> unordered_multiset;                              \
		from::unordered_map<string, string> unordered_map;                             \
		from::unordered_multimap<int, string> unordered_multimap;                      \
		from::stack<int> stack;                                                        \
		from::queue<string> queue;                                                     \
		from::priority_queue<int> priority_queue;                                      \
		from::map<string,                                                              \
			from::unordered_map<string, from::list<from::vector<string>>>>         \
			nest;                                                                  \
		from::vector<from::vector<bool>> bit_rows;                                     \
		from::vector<from::deque<from::set<int>>> sets;                                \
                                                                                               \
		auto all() const                                                               \
		{                                                                              \
			return std::tie(narrow, wide, utf16, utf32, numbers, bits, strings,    \
				deque, list, forward_list, set, multiset, map, multimap,       \
				unordered_set, unordered_multiset, unordered_map,              \
				unordered_multimap, nest, bit_rows, sets);                     \
		}                                                                              \
	}

SHELF(fixed_shelf, lend::fixed);
SHELF(plain_shelf, plain);

constexpr std::uint64_t seed = 0x1e5d;
const std::size_t counts[] = {0, 1, 700};

/* The i-th word: one in three is too long to lie inside of a string object. */
template <class String> String word(std::uint64_t i)
{
	const std::uint64_t bits = heap_mix(seed + i);
	String made;

	for (std::size_t n = bits % 3 ? bits % 15 : 16 + bits % 40; n > 0; n--)
		made.push_back((typename String::value_type)('a' + heap_mix(bits + n) % 26));
	return made;
}

int number(std::uint64_t i)
{
	return (int)(heap_mix(seed ^ i) % 1000);
}

template <class Shelf> void put(Shelf &shelf, std::uint64_t i)
{
	using string = typename Shelf::string;

	shelf.narrow += word<string>(i);
	shelf.wide += word<decltype(shelf.wide)>(i);
	shelf.utf16 += word<decltype(shelf.utf16)>(i);
	shelf.utf32 += word<decltype(shelf.utf32)>(i);
	shelf.numbers.push_back(number(i));
	shelf.bits.push_back(number(i) & 1);
	shelf.strings.push_back(word<string>(i));
	shelf.deque.push_front(word<string>(i));
	shelf.list.push_back(word<string>(i));
	shelf.forward_list.push_front(i);
	shelf.set.insert(word<string>(i));
	shelf.multiset.insert(number(i));
	shelf.map[word<string>(i)].push_back(number(i));
	shelf.multimap.emplace(number(i), word<string>(i));
	shelf.unordered_set.insert(word<string>(i));
	shelf.unordered_multiset.insert(number(i));
	shelf.unordered_map[word<string>(i)] = word<string>(i + 1);
	shelf.unordered_multimap.emplace(number(i), word<string>(i));
	shelf.stack.push(number(i));
	shelf.queue.push(word<string>(i));
	shelf.priority_queue.push(number(i));
	auto &rows = shelf.nest[word<string>(i % 7)][word<string>(i)];
	rows.emplace_back();
	rows.back().push_back(word<string>(i));
	rows.emplace_back();
	shelf.bit_rows.emplace_back(i % 200, i % 2 == 0);
	shelf.sets.emplace_back();
	shelf.sets.back().emplace_back();
	shelf.sets.back().back().insert(number(i));
}

/* Words from one number to another, and some are taken away again. */
template <class Shelf> void fill(Shelf &shelf, std::size_t from, std::size_t to)
{
	for (std::uint64_t i = from; i < to; i++)
		put(shelf, i);
	for (std::uint64_t i = from; i < to; i += 4) {
		shelf.map.erase(word<typename Shelf::string>(i));
		shelf.unordered_map.erase(word<typename Shelf::string>(i));
		shelf.list.pop_front();
		shelf.stack.pop();
		shelf.queue.pop();
		shelf.priority_queue.pop();
	}
}

template <class T, class = void> constexpr bool is_range = false;
template <class T>
constexpr bool is_range<T, std::void_t<decltype(std::declval<const T &>().begin())>> = true;
template <class T, class = void> constexpr bool has_keys = false;
template <class T> constexpr bool has_keys<T, std::void_t<typename T::key_type>> = true;
template <class T, class = void> constexpr bool is_ordered = false;
template <class T> constexpr bool is_ordered<T, std::void_t<typename T::key_compare>> = true;
template <class T> constexpr bool is_pair = false;
template <class A, class B> constexpr bool is_pair<std::pair<A, B>> = true;

/* A key of B's as a container A is asked for it; a string of A's own only where it must be. */
template <class A, class Key> auto key_for(const Key &key)
{
	if constexpr (!std::is_same_v<Key, std::string>)
		return key;
	else if constexpr (is_ordered<A>)
		return std::string_view(key);
	else
		return typename A::key_type(key);
}

template <class B> const typename B::key_type &key_of(const typename B::value_type &value)
{
	if constexpr (std::is_same_v<typename B::key_type, typename B::value_type>)
		return value;
	else
		return value.first;
}

/* Equal, element by element, whoever allocated them. */
template <class A, class B> bool same(const A &a, const B &b);

template <class A, class B> bool same_walk(const A &a, const B &b)
{
	auto i = a.begin();
	auto j = b.begin();

	for (; i != a.end() && j != b.end(); ++i, ++j)
		if (!same(*i, *j))
			return false;
	return i == a.end() && j == b.end();
}

/* Each key of b is found in a, with all its values, and a has no other. */
template <class A, class B> bool same_finds(const A &a, const B &b)
{
	if (a.size() != b.size())
		return false;
	for (const auto &value : b) {
		const auto there = a.equal_range(key_for<A>(key_of<B>(value)));
		const auto here = b.equal_range(key_of<B>(value));

		if (!std::equal(there.first, there.second, here.first, here.second,
			    [](const auto &x, const auto &y) { return same(x, y); }))
			return false;
	}
	return true;
}

template <class A, class B> bool same(const A &a, const B &b)
{
	if constexpr (is_pair<A>)
		return same(a.first, b.first) && same(a.second, b.second);
	else if constexpr (is_ordered<A>)
		return same_finds(a, b) && same_walk(a, b);
	else if constexpr (has_keys<A>)
		return same_finds(a, b);
	else if constexpr (is_range<A>)
		return same_walk(a, b);
	else
		return a == b;
}

/* What std's adapters keep to themselves. */
template <class Adapter> const typename Adapter::container_type &inside(const Adapter &adapter)
{
	struct opened : Adapter {
		static const typename Adapter::container_type &of(const Adapter &closed)
		{
			return closed.*&opened::c;
		}
	};

	return opened::of(adapter);
}

/* The first member in which they differ, counted from 1; 0: none does. */
template <class A, class B, std::size_t... I>
std::size_t first_difference(const A &a, const B &b, std::index_sequence<I...>)
{
	std::size_t differs = 0;

	((same(std::get<I>(a), std::get<I>(b)) || (differs = differs ? differs : I + 1)), ...);
	return differs;
}

const char *root_name(std::size_t count)
{
	static char name[32];

	std::snprintf(name, sizeof(name), "%zu", count);
	return name;
}

bool differs(const fixed_shelf &shelf, std::size_t count, std::size_t from)
{
	plain_shelf reference;

	fill(reference, 0, from);
	if (count > from)
		fill(reference, from, count);
	const auto a = shelf.all();
	const std::size_t member = first_difference(
		a, reference.all(), std::make_index_sequence<std::tuple_size_v<decltype(a)>>());

	if (member)
		std::fprintf(stderr, "shelf of %zu differs in member %zu\n", count, member);
	return member != 0 || !same(inside(shelf.stack), inside(reference.stack)) ||
	       !same(inside(shelf.queue), inside(reference.queue)) ||
	       !same(inside(shelf.priority_queue), inside(reference.priority_queue));
}

/* All shelves as they were built, and extended if the owner says so. */
int compare(const lend_arena *arena, int parent)
{
	lend::borrowed there(arena);
	lend::arena scratch("scratch"); /* for keys of the unordered ones */
	lend::scope in(scratch);
	long long more = 0;

	CHILD_CHECK(there.is_fixed());
	CHILD_CHECK(child_await_number(parent, &more));
	for (std::size_t count : counts) {
		const fixed_shelf *shelf = there.find<fixed_shelf>(root_name(count));

		CHILD_CHECK(shelf);
		CHILD_CHECK(!differs(*shelf, count + (std::size_t)more, count));
		CHILD_CHECK(shelf->map.find("no such key, and too long for a short one") ==
			    shelf->map.end());
		CHILD_CHECK(shelf->unordered_map.count("no such key") == 0);
		CHILD_CHECK(shelf->set.count("no such key") == 0);
	}
	(void)there.release();
	return 0;
}

/* Raw pointers do not hold there, and find() says so. */
int refuse(const lend_arena *arena, int parent)
{
	lend::borrowed there(arena);
	int number = 0;

	(void)parent;
	CHILD_CHECK(!there.is_fixed());
	CHILD_CHECK(!there.find<fixed_shelf>("no such name"));
	try {
		(void)there.find<fixed_shelf>("0");
	} catch (const lend::error &error) {
		number = error.code().value();
		CHILD_CHECK(std::strstr(error.what(), "relocated"));
	}
	CHILD_CHECK(number == EXDEV);
	(void)there.release();
	return 0;
}

int visit_and_tell(const lend::arena &arena, std::size_t more)
{
	struct child child = visit_start(arena.get(), VISIT_FIXED, "compare");

	CU_ASSERT_TRUE(child_tell_number(child.sock, (long long)more));
	return child_end(&child);
}

CLEAN_TEST(every_container_is_read_by_another_program)
{
	lend::arena arena("shelves");

	for (std::size_t count : counts) {
		fixed_shelf &shelf = *arena.construct<fixed_shelf>(root_name(count));
		lend::scope in(arena);

		fill(shelf, 0, count);
	}
	CU_ASSERT_EQUAL(visit_and_tell(arena, 0), 0);

	/* Changed after it was read, and read again. */
	for (std::size_t count : counts) {
		lend::scope in(arena);
		fill(*arena.find<fixed_shelf>(root_name(count)), count, count + 100);
	}
	CU_ASSERT_EQUAL(visit_and_tell(arena, 100), 0);

	for (std::size_t count : counts)
		CU_ASSERT_TRUE(arena.destroy<fixed_shelf>(root_name(count)));
	CU_ASSERT_EQUAL(arena.stats().live_count, 0);
}

CLEAN_TEST(reader_that_compares_can_fail)
{
	lend::arena arena("shelves");

	for (std::size_t count : counts) {
		fixed_shelf &shelf = *arena.construct<fixed_shelf>(root_name(count));
		lend::scope in(arena);

		fill(shelf, 0, count);
		shelf.nest["one too many"];
	}
	CU_ASSERT_EQUAL(visit_and_tell(arena, 0), CHILD_FAILED);
}

CLEAN_TEST(relocated_reader_is_refused_raw_pointers)
{
	lend::arena arena("shelves");

	arena.construct<fixed_shelf>("0");
	CU_ASSERT_EQUAL(visit(arena.get(), VISIT_RELOCATED, "refuse"), 0);
}

const struct suite_test tests[] = {
	SUITE_TEST(every_container_is_read_by_another_program),
	SUITE_TEST(reader_that_compares_can_fail),
	SUITE_TEST(relocated_reader_is_refused_raw_pointers),
};

const struct visitor visitors[] = {VISITOR(compare), VISITOR(refuse)};

} // namespace

int main(int argc, char **argv)
{
	int status = visit_main(visitors, VISITOR_COUNT(visitors), argc, argv);

	return status >= 0 ? status
			   : suite_run("fixed_std", tests, HEAP_COUNT(tests), argc, argv);
}
