/* SPDX-License-Identifier: Apache-2.0 */
/* Which type a T is: names given and made, what they tell apart, and that C and C++ meet. */
#include <cerrno>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <lendheap/alloc.h>
#include <lendheap/arena.h>
#include <lendheap/type.hpp>

#include "support/suite.h"

namespace town
{

struct graph {
	std::uint64_t count;
	int *first;
};

struct street {
	int length;
};

template <class T, class U> struct both {
	T t;
	U u;
};

} // namespace town

LEND_TYPE_NAME(town::graph, "struct graph", 3)

namespace
{

/* As a type of one name in two versions of a program: the same but for its elements. */
template <class T> struct allocator {
	using value_type = T;

	allocator() = default;
	template <class U> allocator(const allocator<U> &)
	{
	}

	T *allocate(std::size_t count)
	{
		return std::allocator<T>().allocate(count);
	}

	void deallocate(T *p, std::size_t count)
	{
		std::allocator<T>().deallocate(p, count);
	}
};

template <class T> using vector = std::vector<T, allocator<T>>;

struct before {
	long a;
};

struct after {
	long a;
	long b;
};

struct of_before {
	vector<before> list;
	int count;
};

struct of_street_map {
	std::map<int, vector<town::street>, std::less<>,
		allocator<std::pair<const int, vector<town::street>>>>
		map;
};

struct tree {
	vector<tree> children;
};

lend_arena *create_arena()
{
	lend_arena *arena = nullptr;

	CU_ASSERT_FATAL(lend_arena_create(nullptr, &arena) == 0);
	return arena;
}

template <class T> std::string name()
{
	return lend::type_of<T>().name;
}

template <class T> bool has_hash()
{
	const std::string text = name<T>();

	return text.size() >= 17 && text[text.size() - 17] == '~';
}

/* The hash of a container's elements, without the name of the container. */
template <class T> std::uint64_t elements()
{
	return lend::detail::fold_elements<T>(LEND_LAYOUT_SEED, lend::detail::types<>{});
}

void a_given_name_and_version_are_used_as_they_are()
{
	const lend_type type = lend::type_of<const town::graph>();

	CU_ASSERT(type.name == std::string_view("struct graph") && type.version == 3);
	CU_ASSERT(type.bytes == sizeof(town::graph) && type.alignment == alignof(town::graph));
}

void numbers_have_the_names_of_c()
{
	const lend_type type = LEND_TYPE(unsigned long, 1);

	CU_ASSERT(name<unsigned long>() == type.name);
	CU_ASSERT(name<const double>() == "double");
	CU_ASSERT(lend::type_of<double>().version == 1);
}

void a_path_is_spelled_out()
{
	CU_ASSERT(name<town::street>() == "town::street");
	CU_ASSERT(lend::detail::spell_path("5graph") == "graph");
	CU_ASSERT(lend::detail::spell_path("N4town5graphE") == "town::graph");
	CU_ASSERT(lend::detail::spell_path("St6vectorIiSaIiEE") == "std::vector<iSaIiEE");
	CU_ASSERT(lend::detail::spell_path("N1aIiE1bE") == "a<iE1bE");
	CU_ASSERT(lend::detail::spell_path("A4_i") == "_ZA4_i");
	CU_ASSERT(lend::detail::spell_path("Pi") == "_ZPi");
	CU_ASSERT(lend::detail::spell_path("Ss") == "_ZSs");
	CU_ASSERT(lend::detail::spell_path("9a") == "a"); /* no name: no harm */
}

void long_names_are_cut_and_still_differ()
{
	using quad = town::both<town::both<town::graph, before>, town::both<after, of_before>>;
	using a = town::both<town::both<quad, before *>, town::both<town::street, int>>;
	using b = town::both<town::both<quad, before *>, town::both<town::street, unsigned>>;

	CU_ASSERT((name<town::both<int, int>>() == "town::both<iiEE"));
	CU_ASSERT(name<a>().size() == 79 && has_hash<a>());
	CU_ASSERT(name<a>().substr(0, 62) == name<b>().substr(0, 62));
	CU_ASSERT(name<a>() != name<b>());
}

void elements_of_containers_count()
{
	CU_ASSERT(!has_hash<before>());
	CU_ASSERT(has_hash<vector<before>>() && has_hash<of_before>());
	CU_ASSERT(has_hash<of_street_map>() && has_hash<tree>());
	CU_ASSERT((elements<town::both<int, before>>() == LEND_LAYOUT_SEED));
	CU_ASSERT(elements<vector<before>>() != elements<vector<after>>());
	CU_ASSERT(elements<of_before>() == elements<vector<before>>());
	CU_ASSERT(elements<vector<before>[3]>() == elements<vector<before>>());
	CU_ASSERT(elements<vector<vector<before>>>() != elements<vector<before>>());
	CU_ASSERT(elements<of_street_map>() != LEND_LAYOUT_SEED);
}

void the_name_is_made_once()
{
	CU_ASSERT((lend::type_of<tree>().name == lend::type_of<const tree>().name));
	CU_ASSERT(name<tree>() == name<tree>());
	CU_ASSERT(name<vector<before>>() != name<vector<after>>());
}

void roots_of_c_and_cpp_meet()
{
	lend_arena *arena = create_arena();
	const void *found = nullptr;
	auto *graph = static_cast<town::graph *>(lend_alloc_zeroed(arena, sizeof(town::graph)));
	const struct lend_type c = {"struct graph", sizeof(town::graph), 8, 3};

	CU_ASSERT_FATAL(graph != nullptr);
	CU_ASSERT(lend_root_set(arena, "g", c, graph) == 0);
	CU_ASSERT(lend_root_get(arena, "g", lend::type_of<town::graph>(), &found) == 0);
	CU_ASSERT(found == graph);
	CU_ASSERT(lend_root_get(arena, "g", lend::type_of<town::street>(), &found) ==
		  -EPROTOTYPE);
	lend_arena_destroy(arena);
}

int check_shown(const struct lend_root *root, void *context)
{
	CU_ASSERT(root->type.name == std::string_view(lend::type_of<vector<tree>>().name));
	*static_cast<int *>(context) += 1;
	return 0;
}

void what_a_root_shows_is_the_whole_name()
{
	lend_arena *arena = create_arena();
	void *object = lend_alloc_zeroed(arena, sizeof(vector<tree>));
	const void *found = nullptr;
	int count = 0;

	CU_ASSERT_FATAL(object != nullptr);
	CU_ASSERT(lend_root_set(arena, "t", lend::type_of<vector<tree>>(), object) == 0);
	CU_ASSERT(lend_root_get(arena, "t", lend::type_of<vector<tree>>(), &found) == 0);
	CU_ASSERT(lend_root_get(arena, "t", lend::type_of<vector<before>>(), &found) ==
		  -EPROTOTYPE);
	CU_ASSERT(lend_root_each(arena, check_shown, &count) == 0 && count == 1);
	lend_arena_destroy(arena);
}

const struct suite_test tests[] = {
	SUITE_TEST(a_given_name_and_version_are_used_as_they_are),
	SUITE_TEST(numbers_have_the_names_of_c),
	SUITE_TEST(a_path_is_spelled_out),
	SUITE_TEST(long_names_are_cut_and_still_differ),
	SUITE_TEST(elements_of_containers_count),
	SUITE_TEST(the_name_is_made_once),
	SUITE_TEST(roots_of_c_and_cpp_meet),
	SUITE_TEST(what_a_root_shows_is_the_whole_name),
};

} // namespace

SUITE_MAIN("type", tests)
