/* SPDX-License-Identifier: Apache-2.0 */
/* Prints the identities of many types: check_types.sh compares those of two compilers. */
#include <array>
#include <cstdio>
#include <deque>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include <lendheap/type.hpp>

namespace town
{

enum class colour { red };

struct street {
	int length;
	colour paint[3];
	std::string name;
};

struct map {
	std::map<std::string, std::vector<street>> streets;
	std::optional<std::list<int>> list;
	struct {
		int x;
		std::deque<street> y;
	} inner;
	int bits : 3;
};

struct tree : street {
	std::vector<tree> children;
};

class hides
{
	std::vector<map> maps_;
	std::unordered_map<int, map> more_;
	LEND_FIELDS(hides, maps_, more_)

      public:
	hides() = default;
};

template <class T, int N> struct of {
	T t[N];

	struct inner {
		std::set<T> u;
	};
};

namespace
{
struct local {
	std::vector<int> v;
};
} // namespace

} // namespace town

struct graph {
	long a;
};

LEND_TYPE_NAME(graph, "struct graph", 2)

template <class T> static void print()
{
	const lend_type type = lend::type_of<T>();

	std::printf("%s %llu %u %u\n", type.name, static_cast<unsigned long long>(type.bytes),
		type.alignment, type.version);
}

template <class... T> static void print_all()
{
	(print<T>(), ...);
}

int main()
{
	struct in_function {
		std::vector<town::map> m;
	};

	print_all<bool, char, unsigned long, double, wchar_t, char16_t, std::nullptr_t, int *,
		int[4], void (*)(int)>();
	print_all<graph, const graph, std::vector<graph>, town::colour, town::street, town::map,
		town::tree, town::hides, town::local, in_function>();
	print_all<town::of<int, 3>, town::of<town::map, 2>::inner, std::string, std::wstring,
		std::pair<const int, town::map>, std::array<town::tree, 2>,
		std::variant<int, town::map>, std::unordered_map<std::string, town::tree>,
		std::vector<std::vector<bool>>, std::unique_ptr<town::tree>>();
	return 0;
}
