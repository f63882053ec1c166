/* SPDX-License-Identifier: Apache-2.0 */
/* What may lie in an arena: fields of structs, types of std, types of users, and types refused. */
#include <any>
#include <array>
#include <atomic>
#include <chrono>
#include <complex>
#include <condition_variable>
#include <deque>
#include <filesystem>
#include <forward_list>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <memory_resource>
#include <mutex>
#include <optional>
#include <queue>
#include <set>
#include <shared_mutex>
#include <stack>
#include <string>
#include <string_view>
#include <thread>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <variant>
#include <vector>

#include <lendheap/ref.h>
#include <lendheap/traits.hpp>

#include "support/suite.h"

#if __has_include(<boost/version.hpp>)
#define HAVE_BOOST 1
#include <boost/container/flat_map.hpp>
#include <boost/container/string.hpp>
#include <boost/interprocess/offset_ptr.hpp>
#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/unordered_map.hpp>
#else
#define HAVE_BOOST 0
#endif

namespace
{

using lend::is_relocatable_v;
using lend::is_shareable_v;
using lend::offset_ptr;
using lend::detail::cause;
using lend::detail::fields_of;
using lend::detail::opaque;
using lend::detail::types;

/* Allocators with the two kinds of pointers; nothing here allocates. */
template <class T, class Pointer> struct test_allocator {
	using value_type = T;
	using pointer = Pointer;
	template <class U> struct rebind {
		using other = test_allocator<U,
			typename std::pointer_traits<Pointer>::template rebind<U>>;
	};

	pointer allocate(std::size_t)
	{
		return {};
	}

	void deallocate(pointer, std::size_t)
	{
	}
};

template <class T> using raw = test_allocator<T, T *>;
template <class T> using fancy = test_allocator<T, offset_ptr<T>>;

template <class T, template <class> class A> using vector = std::vector<T, A<T>>;
using raw_string = std::basic_string<char, std::char_traits<char>, raw<char>>;

template <class T> constexpr bool only_fixed = is_shareable_v<T> && !is_relocatable_v<T>;
template <class T> constexpr bool both = is_shareable_v<T> &&is_relocatable_v<T>;
template <class T> constexpr bool neither = !is_shareable_v<T> && !is_relocatable_v<T>;

template <class T, cause Why>
constexpr bool refused_for = neither<T> &&lend::detail::fixed_verdict<T>::why ==
			     Why &&lend::detail::moved_verdict<T>::why == Why;

template <class T, cause Why>
constexpr bool fixed_for = only_fixed<T> &&lend::detail::moved_verdict<T>::why == Why;

/* Fields. */
template <class T, class... F>
constexpr bool has_fields = std::is_same_v<fields_of<T>, types<F...>>;
template <class T> constexpr bool is_opaque = std::is_same_v<fields_of<T>, opaque>;

enum class colour : unsigned char { red };

struct empty {
};

struct one {
	int a;
};

struct plain {
	int a[3];
	one o[2][2];
	const double d;
	colour c = colour::red;
	plain *next{};
	void (*call)(int);
	int plain::*member;
	volatile int v;
	bool b;
};

struct bits {
	int a : 3;
	int b : 5;
	unsigned c;
};

struct of_std {
	std::string s;
	std::optional<int> o;
	std::variant<int, std::string> v;
	std::any a;
	std::function<void()> f;
	std::mutex m;
	std::unique_ptr<int> u;
	std::atomic<int> t;
	std::array<int, 3> r;
	std::map<int, int> k;
	std::pair<int, int> p;
};

struct any_first {
	std::any a;
	int b;
};

struct derived_from_empty : empty {
	int a;
};

struct derived : one {
	int b;
};

struct with_union {
	int a;
	union {
		int i;
		float f;
	} u;
	int *p;
};

struct with_anonymous_union {
	long a;
	union {
		int i;
		float f;
	};
};

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpedantic"
#ifdef __clang__
#pragma GCC diagnostic ignored "-Wgnu-anonymous-struct"
#endif
struct with_anonymous_struct {
	long a;
	struct {
		int b;
		int c;
	};
};
#pragma GCC diagnostic pop

int global;

struct with_reference {
	int a;
	int &r;
};

struct with_reference_to_global {
	int a;
	int &r = global;
	int b;
};

struct no_default {
	explicit no_default(int);
	int v;
};

struct implicit_no_default {
	implicit_no_default(int a) : v(a)
	{
	}

	int v;
};

struct holds_no_default {
	int a;
	no_default n;
};

struct initializes_no_default {
	int a;
	implicit_no_default n = 3;
	int c;
};

struct explicit_default {
	explicit explicit_default() = default;
	explicit explicit_default(int a) : v(a)
	{
	}

	int v;
};

struct holds_explicit_default {
	int a;
	explicit_default e{};
	int b;
};

struct takes_anything {
	takes_anything() = default;
	template <class U> takes_anything(U &&);
};

struct holds_takes_anything {
	takes_anything g;
	std::function<void()> f;
};

struct packed_pair {
	char c;
	int *p;
} __attribute__((packed));

struct many {
	char a0, a1, a2, a3, a4, a5, a6, a7, b0, b1, b2, b3, b4, b5, b6, b7;
	int c0, c1, c2, c3, c4, c5, c6, c7, d0, d1, d2, d3, d4, d5, d6, d7;
	long e0, e1, e2, e3, e4, e5, e6, e7, f0, f1, f2, f3, f4, f5, f6, f7;
	float g0, g1, g2, g3, g4, g5, g6, g7, h0, h1, h2, h3, h4, h5, h6[9];
	int *last;
};

struct too_many {
	many m;
	char a0, a1, a2, a3, a4, a5, a6, a7, b0, b1, b2, b3, b4, b5, b6, b7;
	int c0, c1, c2, c3, c4, c5, c6, c7, d0, d1, d2, d3, d4, d5, d6, d7;
	long e0, e1, e2, e3, e4, e5, e6, e7, f0, f1, f2, f3, f4, f5, f6, f7;
	float g0, g1, g2, g3, g4, g5, g6, g7, h0, h1, h2, h3, h4, h5, h6, h7;
};

class declares
{
	int a_;
	offset_ptr<declares> b_;
	long c_[4];
	unsigned d_ : 3;
	LEND_FIELDS(declares, a_, b_, c_, d_)

      public:
	explicit declares(int a) : a_(a), c_{}, d_(0)
	{
	}

	long sum() const
	{
		return a_ + c_[0] + d_;
	}
};

class inherits_declaration : public declares
{
	int *p_ = nullptr;

      public:
	using declares::declares;

	int *p() const
	{
		return p_;
	}
};

template <class T> class declares_for
{
      public:
	LEND_FIELDS(declares_for, value_, next_, list_)
	declares_for();

      private:
	T value_;
	offset_ptr<declares_for> next_;
	vector<declares_for, fancy> list_;
};

void aggregates_are_looked_into()
{
	CU_ASSERT((has_fields<one, int>));
	CU_ASSERT((has_fields<plain, int[3], one[2][2], const double, colour, plain *,
		void (*)(int), int plain::*, volatile int, bool>));
	CU_ASSERT((has_fields<bits, int, int, unsigned>));
	CU_ASSERT((has_fields<of_std, std::string, std::optional<int>,
		std::variant<int, std::string>, std::any, std::function<void()>, std::mutex,
		std::unique_ptr<int>, std::atomic<int>, std::array<int, 3>, std::map<int, int>,
		std::pair<int, int>>));
	CU_ASSERT((has_fields<any_first, std::any, int>));
	CU_ASSERT((has_fields<packed_pair, char, int *>));
	CU_ASSERT((has_fields<empty>));
	CU_ASSERT(!is_opaque<many>);
}

void what_might_not_decompose_is_opaque()
{
	CU_ASSERT(is_opaque<derived_from_empty>);
	CU_ASSERT(is_opaque<derived>);
	CU_ASSERT(is_opaque<with_union>);
	CU_ASSERT(is_opaque<with_anonymous_union>);
	CU_ASSERT(is_opaque<with_anonymous_struct>);
	CU_ASSERT(is_opaque<with_reference>);
	CU_ASSERT(is_opaque<with_reference_to_global>);
	CU_ASSERT(is_opaque<holds_no_default>);
	CU_ASSERT(is_opaque<initializes_no_default>);
	CU_ASSERT(is_opaque<holds_explicit_default>);
	CU_ASSERT(is_opaque<holds_takes_anything>);
	CU_ASSERT(is_opaque<too_many>);
	CU_ASSERT(is_opaque<no_default>);
}

void classes_tell_their_fields()
{
	const declares d(3);
	const inherits_declaration i(4);

	CU_ASSERT(d.sum() + i.sum() == 7 && i.p() == nullptr);
	CU_ASSERT((has_fields<declares, int, offset_ptr<declares>, long[4], unsigned>));
	CU_ASSERT(both<declares>);
	CU_ASSERT(is_opaque<inherits_declaration>);
	CU_ASSERT(only_fixed<inherits_declaration>);
	CU_ASSERT(both<declares_for<int>>);
	CU_ASSERT((fixed_for<declares_for<int *>, cause::raw_pointer>));
	CU_ASSERT((refused_for<declares_for<std::any>, cause::any>));
}

/* What is not a class. */
void numbers_hold_anywhere()
{
	CU_ASSERT(both<int> && both<const double> && both<bool> && both<char32_t>);
	CU_ASSERT(both<colour> && both<std::nullptr_t> && both<int one::*>);
	CU_ASSERT(both<int[3][4]> && both<const volatile long>);
	CU_ASSERT(both<lend_ref> && both<lend_word64> && both<empty> && both<std::less<>>);
}

void raw_pointers_hold_in_fixed_arenas_only()
{
	CU_ASSERT((fixed_for<int *, cause::raw_pointer>));
	CU_ASSERT((fixed_for<const void *const, cause::raw_pointer>));
	CU_ASSERT((fixed_for<struct incomplete *[3], cause::raw_pointer>));
	CU_ASSERT((fixed_for<many, cause::raw_pointer>));
	CU_ASSERT((fixed_for<packed_pair, cause::raw_pointer>));
	CU_ASSERT((fixed_for<std::string_view, cause::view>));
	CU_ASSERT((fixed_for<std::reference_wrapper<int>, cause::raw_pointer>));
	CU_ASSERT(both<offset_ptr<int>> && both<const offset_ptr<void>> &&
		  both<offset_ptr<struct incomplete>>);
}

void references_and_code_are_refused()
{
	CU_ASSERT((refused_for<int &, cause::reference>));
	CU_ASSERT((refused_for<int &&, cause::reference>));
	CU_ASSERT((refused_for<with_reference, cause::reference>));
	CU_ASSERT((refused_for<std::pair<int &, int>, cause::reference>));
	CU_ASSERT((refused_for<void (*)(), cause::function_pointer>));
	CU_ASSERT((refused_for<void (one::*)() const, cause::function_pointer>));
	CU_ASSERT((refused_for<plain, cause::function_pointer>));
	CU_ASSERT((refused_for<std::function<int(int)>, cause::function_object>));
	CU_ASSERT((refused_for<void, cause::not_an_object>));
	CU_ASSERT((refused_for<void(), cause::not_an_object>));
}

/* Virtual functions and bases. */
struct speaks {
	virtual ~speaks() = default;
};

struct speaks_finally final : speaks {
};

struct virtually : virtual one {
	long own = 1;
};

struct below_virtually : virtually {
	long more = 2;
};

struct virtually_empty : virtual empty {
};

class hidden
{
      public:
	explicit hidden(long a) : b(a), a_(a)
	{
	}

	long b;

	long a() const
	{
		return a_;
	}

      private:
	long a_;
};

class no_tail : hidden
{
      public:
	no_tail();

      private:
	char c_[3];
};

void virtual_functions_and_bases_are_refused()
{
	CU_ASSERT((refused_for<speaks, cause::virtual_functions>));
	CU_ASSERT((refused_for<speaks_finally, cause::virtual_functions>));
	CU_ASSERT((refused_for<std::ofstream, cause::virtual_functions>));
	CU_ASSERT((refused_for<virtually, cause::virtual_functions>));
	CU_ASSERT((refused_for<below_virtually, cause::virtual_functions>));
	CU_ASSERT((refused_for<virtually_empty, cause::virtual_functions>));
	CU_ASSERT(
		(refused_for<std::array<std::optional<speaks>, 2>, cause::virtual_functions>));
	CU_ASSERT(is_shareable_v<hidden> && is_shareable_v<no_tail> && hidden(1).a() == 1);
	CU_ASSERT((fixed_for<speaks *, cause::raw_pointer>));
}

/* Types of the standard library. */
struct shares_itself : std::enable_shared_from_this<shares_itself> {
	int a;
};

struct arrow_deleter {
	using pointer = offset_ptr<int>;
	void operator()(pointer) const;
};

struct raw_deleter {
	void operator()(int *) const;
};

void what_lives_in_one_process_is_refused()
{
	CU_ASSERT((refused_for<std::string, cause::process_heap>));
	CU_ASSERT((refused_for<std::vector<int>, cause::process_heap>));
	CU_ASSERT((refused_for<std::map<int, int>, cause::process_heap>));
	CU_ASSERT((refused_for<std::unordered_set<int>, cause::process_heap>));
	CU_ASSERT((refused_for<std::vector<bool>, cause::process_heap>));
	CU_ASSERT((refused_for<std::stack<int>, cause::process_heap>));
	CU_ASSERT((refused_for<std::filesystem::path, cause::process_heap>));
	CU_ASSERT((refused_for<vector<std::string, raw>, cause::process_heap>));
	CU_ASSERT((refused_for<std::unique_ptr<int>, cause::unique_pointer>));
	CU_ASSERT((refused_for<std::unique_ptr<int[]>, cause::unique_pointer>));
	CU_ASSERT((refused_for<std::shared_ptr<int>, cause::shared_pointer>));
	CU_ASSERT((refused_for<std::weak_ptr<int>, cause::shared_pointer>));
	CU_ASSERT((refused_for<shares_itself, cause::shared_pointer>));
	CU_ASSERT((refused_for<std::pmr::string, cause::memory_resource>));
	CU_ASSERT((refused_for<std::pmr::map<int, int>, cause::memory_resource>));
	CU_ASSERT((refused_for<std::any, cause::any>));
	CU_ASSERT((refused_for<std::mutex, cause::native_handle>));
	CU_ASSERT((refused_for<std::shared_mutex, cause::native_handle>));
	CU_ASSERT((refused_for<std::thread, cause::native_handle>));
	CU_ASSERT((refused_for<std::condition_variable, cause::native_handle>));
	CU_ASSERT((refused_for<std::unique_lock<std::mutex>, cause::native_handle>));
	CU_ASSERT((refused_for<std::atomic<many>, cause::not_lock_free>));
	CU_ASSERT(neither<of_std>);
}

void values_of_std_are_what_they_hold()
{
	CU_ASSERT(both<std::atomic<long>> && both<std::atomic<bool>>);
	CU_ASSERT((fixed_for<std::atomic<int *>, cause::raw_pointer>));
	CU_ASSERT((refused_for<std::atomic<void (*)()>, cause::function_pointer>));
	CU_ASSERT((both<std::pair<const int, offset_ptr<int>>>));
	CU_ASSERT((both<std::tuple<>> && both<std::tuple<int, std::array<colour, 0>>>));
	CU_ASSERT((fixed_for<std::tuple<int, int *>, cause::raw_pointer>));
	CU_ASSERT((both<std::variant<std::monostate, int, declares>>));
	CU_ASSERT((refused_for<std::variant<int, std::string>, cause::process_heap>));
	CU_ASSERT((fixed_for<std::optional<std::string_view>, cause::view>));
	CU_ASSERT((both<std::unique_ptr<int, arrow_deleter>>));
	CU_ASSERT((fixed_for<std::unique_ptr<int, raw_deleter>, cause::raw_pointer>));
	CU_ASSERT(
		(refused_for<std::unique_ptr<int, void (*)(int *)>, cause::function_pointer>));
	CU_ASSERT(
		both<std::chrono::nanoseconds> && both<std::chrono::system_clock::time_point>);
	CU_ASSERT(both<std::complex<float>> && only_fixed<std::complex<double>>);
}

/* Containers: by their allocator's pointer, and by what they hold. */
using less = bool (*)(int, int);
template <class T, template <class> class A, class Less = std::less<T>>
using set = std::set<T, Less, A<T>>;
template <class T, class A>
using unordered_set = std::unordered_set<T, std::hash<T>, std::equal_to<T>, A>;

void containers_with_raw_pointers_hold_in_fixed_arenas_only()
{
	using nest = std::map<raw_string, vector<std::pair<int, int *>, raw>, std::less<>,
		raw<std::pair<const raw_string, vector<std::pair<int, int *>, raw>>>>;

	CU_ASSERT((fixed_for<vector<int, raw>, cause::raw_container>));
	CU_ASSERT((fixed_for<vector<bool, raw>, cause::raw_container>));
	CU_ASSERT((fixed_for<raw_string, cause::raw_container>));
	CU_ASSERT((fixed_for<nest, cause::raw_container>));
	CU_ASSERT((fixed_for<std::forward_list<int, raw<int>>, cause::raw_container>));
	CU_ASSERT((fixed_for<unordered_set<int, raw<int>>, cause::raw_container>));
	CU_ASSERT(
		(fixed_for<std::queue<int, std::deque<int, raw<int>>>, cause::raw_container>));
	CU_ASSERT((refused_for<vector<speaks, raw>, cause::virtual_functions>));
	CU_ASSERT((refused_for<vector<std::unique_ptr<int>, raw>, cause::unique_pointer>));
	CU_ASSERT((refused_for<set<int, raw, less>, cause::function_pointer>));
	CU_ASSERT((refused_for<std::priority_queue<int, vector<int, raw>, less>,
		cause::function_pointer>));
}

void containers_with_fancy_pointers_hold_anywhere()
{
	CU_ASSERT((both<vector<int, fancy>>));
	CU_ASSERT((both<std::deque<vector<offset_ptr<int>, fancy>,
			fancy<vector<offset_ptr<int>, fancy>>>>));
	CU_ASSERT((both<std::stack<int, vector<int, fancy>>>));
	CU_ASSERT((fixed_for<vector<int *, fancy>, cause::raw_pointer>));
	CU_ASSERT((fixed_for<vector<vector<int, raw>, fancy>, cause::raw_container>));
	CU_ASSERT((refused_for<vector<std::string, fancy>, cause::process_heap>));
}

void containers_that_store_raw_pointers_still_are_refused()
{
	CU_ASSERT((fixed_for<vector<bool, fancy>, cause::raw_container>));
	CU_ASSERT((fixed_for<std::forward_list<int, fancy<int>>, cause::raw_container>));
	CU_ASSERT((fixed_for<unordered_set<int, fancy<int>>, cause::raw_container>));
	CU_ASSERT((fixed_for<std::unordered_map<int, int, std::hash<int>, std::equal_to<int>,
				     fancy<std::pair<const int, int>>>,
		cause::raw_container>));
}

/* What looks like a container or an atomic, and holds more than that. */
struct and_a_pointer : vector<int, fancy> {
	int *p;
};

template <class T> struct and_a_string : vector<T, fancy> {
	std::string s;
};

struct counter : std::atomic<long> {
	int *p;
};

class own_container
{
	int *raw_;
	LEND_FIELDS(own_container, raw_)

      public:
	using value_type = int;
	using allocator_type = fancy<int>;
};

class own_good_container
{
	offset_ptr<int> first_;
	LEND_FIELDS(own_good_container, first_)

      public:
	using value_type = int;
	using allocator_type = fancy<int>;
};

template <class T> struct no_init_allocator : std::allocator<T> {
	template <class U> struct rebind {
		using other = no_init_allocator<U>;
	};
};

void what_only_looks_like_a_container_is_opaque()
{
	CU_ASSERT((fixed_for<and_a_pointer, cause::opaque>));
	CU_ASSERT((fixed_for<and_a_string<int>, cause::opaque>));
	CU_ASSERT((refused_for<and_a_string<std::string>, cause::process_heap>));
	CU_ASSERT((fixed_for<counter, cause::opaque>));
	CU_ASSERT((fixed_for<own_container, cause::raw_pointer>));
	CU_ASSERT(both<own_good_container>);
	CU_ASSERT((fixed_for<std::back_insert_iterator<vector<int, fancy>>, cause::opaque>));
	CU_ASSERT((refused_for<vector<int, no_init_allocator>, cause::process_heap>));
}

#if HAVE_BOOST
void containers_of_boost_are_told_apart()
{
	using string =
		boost::container::basic_string<char, std::char_traits<char>, fancy<char>>;
	using pair = std::pair<const string, int>;
	using flat = std::pair<string, int>;

	CU_ASSERT((refused_for<boost::container::string, cause::process_heap>));
	CU_ASSERT((refused_for<boost::container::flat_map<int, int>, cause::process_heap>));
	CU_ASSERT(both<string>);
	CU_ASSERT((both<boost::container::flat_map<string, int, std::less<>, fancy<flat>>>));
	CU_ASSERT((both<boost::unordered_map<string, int, std::hash<int>, std::equal_to<>,
			fancy<pair>>>));
	CU_ASSERT((fixed_for<boost::unordered_flat_map<string, int, std::hash<int>,
				     std::equal_to<>, fancy<pair>>,
		cause::raw_container>));
	CU_ASSERT(both<boost::interprocess::offset_ptr<int>>);
}
#endif

/* Classes that hold themselves. */
struct tree {
	int value;
	vector<tree, fancy> children;
	offset_ptr<tree> parent;
};

struct raw_tree {
	vector<raw_tree, raw> children;
	std::map<int, raw_tree, std::less<>, raw<std::pair<const int, raw_tree>>> more;
};

struct bad_tree {
	vector<bad_tree, fancy> children;
	std::function<void()> visit;
};

void a_class_may_hold_itself()
{
	CU_ASSERT(both<tree>);
	CU_ASSERT((both<vector<tree, fancy>>));
	CU_ASSERT((fixed_for<raw_tree, cause::raw_container>));
	CU_ASSERT((refused_for<bad_tree, cause::function_object>));
	CU_ASSERT((refused_for<vector<bad_tree, fancy>, cause::function_object>));
}

/* What cannot be seen, and what its author says of it. */
class small_and_hidden
{
	int a_[5];

      public:
	small_and_hidden();
};

union either {
	int i;
	int *p;
};

struct said {
	template <int> struct relocatable {
		int *p;
	};

	struct fixed {
		int a;
	};

	struct refused {
		int a;
	};

	/* Would not compile if it were looked into. */
	struct slips_through {
		int a;
		explicit_default e[2] = {explicit_default(1), explicit_default(2)};
	};
};

struct holds_refused {
	int a;
	said::refused r[2];
};

} // namespace

template <int N>
inline constexpr lend::sharing lend::sharing_of<said::relocatable<N>> =
	lend::sharing::relocatable;
template <> inline constexpr lend::sharing lend::sharing_of<said::fixed> = lend::sharing::fixed;
template <>
inline constexpr lend::sharing lend::sharing_of<said::refused> = lend::sharing::refused;
template <>
inline constexpr lend::sharing lend::sharing_of<said::slips_through> = lend::sharing::fixed;

namespace
{

void opaque_types_hold_in_fixed_arenas()
{
	CU_ASSERT((fixed_for<hidden, cause::opaque>));
	CU_ASSERT((fixed_for<either, cause::opaque>));
	CU_ASSERT((fixed_for<with_union, cause::opaque>));
	CU_ASSERT(both<derived_from_empty>); /* no place for a pointer */
	CU_ASSERT((fixed_for<holds_takes_anything, cause::opaque>));
	CU_ASSERT(both<small_and_hidden>);
	CU_ASSERT((fixed_for<std::pair<int, hidden>, cause::opaque>));
}

void the_author_has_the_last_word()
{
	CU_ASSERT(both<said::relocatable<1>>);
	CU_ASSERT((both<std::tuple<const said::relocatable<2>>>));
	CU_ASSERT((fixed_for<said::fixed, cause::fixed_only>));
	CU_ASSERT((fixed_for<vector<said::fixed, fancy>, cause::fixed_only>));
	CU_ASSERT((refused_for<said::refused, cause::refused>));
	CU_ASSERT((refused_for<const holds_refused, cause::refused>));
	CU_ASSERT(only_fixed<said::slips_through>);
}

const struct suite_test tests[] = {
	SUITE_TEST(aggregates_are_looked_into),
	SUITE_TEST(what_might_not_decompose_is_opaque),
	SUITE_TEST(classes_tell_their_fields),
	SUITE_TEST(numbers_hold_anywhere),
	SUITE_TEST(raw_pointers_hold_in_fixed_arenas_only),
	SUITE_TEST(references_and_code_are_refused),
	SUITE_TEST(virtual_functions_and_bases_are_refused),
	SUITE_TEST(what_lives_in_one_process_is_refused),
	SUITE_TEST(values_of_std_are_what_they_hold),
	SUITE_TEST(containers_with_raw_pointers_hold_in_fixed_arenas_only),
	SUITE_TEST(containers_with_fancy_pointers_hold_anywhere),
	SUITE_TEST(containers_that_store_raw_pointers_still_are_refused),
	SUITE_TEST(what_only_looks_like_a_container_is_opaque),
#if HAVE_BOOST
	SUITE_TEST(containers_of_boost_are_told_apart),
#endif
	SUITE_TEST(a_class_may_hold_itself),
	SUITE_TEST(opaque_types_hold_in_fixed_arenas),
	SUITE_TEST(the_author_has_the_last_word),
};

} // namespace

SUITE_MAIN("traits", tests)
