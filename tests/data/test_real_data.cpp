/* SPDX-License-Identifier: Apache-2.0 */
/* lend-test: timeout=300 */
/*
 * Real keys through every map: the words of Debian's wpolish and the arcs of two graphs go in,
 * and another process finds each of them with its number, and nothing else; where the map holds
 * at any address, in a relocated arena too.
 *
 * Sets that are not there are skipped, and said. Every fourth key is taken, with slow tools every
 * sixtieth; LEND_TEST_STRIDE=1 takes all (two minutes).
 */
#include "support/suite.h"

#if !__has_include(<boost/version.hpp>)

int main()
{
	return suite_skip("Boost's headers are not installed");
}

#else

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <lendheap/arena.hpp>
#include <lendheap/boost.hpp>
#include <lendheap/fixed.hpp>
#include <lendheap/ptr.h>

#include "support/tools.h"
#include "support/visit.h"

extern "C" {
#include "examples/graph/load.h"
}

#define LEND_MAP       arc_map
#define LEND_MAP_KEY   uint64_t
#define LEND_MAP_VALUE uint64_t
#include <lendheap/map.h>

#define LEND_MAP word_map
#define LEND_MAP_STRING_KEYS
#define LEND_MAP_VALUE uint64_t
#include <lendheap/map.h>

#define LEND_ORDERED_MAP       arc_tree
#define LEND_ORDERED_MAP_KEY   uint64_t
#define LEND_ORDERED_MAP_VALUE uint64_t
#include <lendheap/ordered_map.h>

#define LEND_ORDERED_MAP word_tree
#define LEND_ORDERED_MAP_STRING_KEYS
#define LEND_ORDERED_MAP_VALUE uint64_t
#include <lendheap/ordered_map.h>

namespace
{

using word = std::string_view;

/* The keys as they lie in the arena, beside the map: what a visitor compares with. */
struct key_set {
	LEND_PTR(std::uint64_t) arcs;
	LEND_PTR(std::uint64_t) ends; /* of the words in bytes */
	LEND_PTR(char) bytes;
	std::uint64_t count;
};

template <class Key> Key key_at(const key_set &keys, std::uint64_t i);

template <> std::uint64_t key_at(const key_set &keys, std::uint64_t i)
{
	return lend_ptr_get(&keys.arcs)[i];
}

template <> word key_at(const key_set &keys, std::uint64_t i)
{
	const std::uint64_t *ends = lend_ptr_get(&keys.ends);
	const std::uint64_t begin = i ? ends[i - 1] : 0;

	return word(lend_ptr_get(&keys.bytes) + begin, ends[i] - begin);
}

/* A key that is in no set. */
std::uint64_t absent(std::uint64_t arc)
{
	return arc | std::uint64_t{1} << 63;
}

std::string absent(word text)
{
	return std::string(text) + "\n";
}

/* The maps, each with the same four functions. */
template <class Map, class Key> struct std_kind {
	using map = Map;
	using key = Key;

	static void put(map &m, lend_arena *, key k, std::uint64_t value)
	{
		m.emplace(typename Map::key_type(k), value);
	}
	static const std::uint64_t *find(const map &m, key k)
	{
		auto found = m.find(k);

		return found == m.end() ? nullptr : &found->second;
	}
	static std::uint64_t count(const map &m)
	{
		return m.size();
	}
	template <class Visit> static void each(const map &m, Visit visit)
	{
		for (const auto &entry : m)
			visit(key(entry.first), entry.second);
	}
	static bool check(const map &, const lend_arena *)
	{
		return true;
	}
};

std::uint64_t sought(std::uint64_t arc)
{
	return arc;
}

lend_view sought(word text)
{
	return lend_view_make(text.data(), text.size());
}

word shown(const lend_string_shm &text)
{
	const lend_view view = lend_string_view(&text);

	return word(view.at, view.bytes);
}

std::uint64_t shown(std::uint64_t arc)
{
	return arc;
}

/* The same of an instance in C. */
#define C_KIND(name, key_)                                                                     \
	struct name##_kind {                                                                   \
		using map = struct name;                                                       \
		using key = key_;                                                              \
                                                                                               \
		static void put(map &m, lend_arena *arena, key k, std::uint64_t value)         \
		{                                                                              \
			if (name##_set(&m, arena, sought(k), value) != 1)                      \
				throw std::runtime_error(lend_error_detail());                 \
		}                                                                              \
		static const std::uint64_t *find(const map &m, key k)                          \
		{                                                                              \
			auto *entry = name##_find(&m, sought(k));                              \
                                                                                               \
			return entry ? &entry->value : nullptr;                                \
		}                                                                              \
		static std::uint64_t count(const map &m)                                       \
		{                                                                              \
			return name##_count(&m);                                               \
		}                                                                              \
		template <class Visit> static void each(const map &m, Visit visit)             \
		{                                                                              \
			struct name##_iterator at;                                             \
                                                                                               \
			for (auto *e = name##_first(&m, &at); e; e = name##_next(&at))         \
				visit(shown(e->key), e->value);                                \
		}                                                                              \
		static bool check(const map &m, const lend_arena *arena)                       \
		{                                                                              \
			return name##_check(&m, arena) == 0;                                   \
		}                                                                              \
	}

C_KIND(arc_map, std::uint64_t);
C_KIND(word_map, word);
C_KIND(arc_tree, std::uint64_t);
C_KIND(word_tree, word);

using u64 = std::uint64_t;
using fixed_arc_tree = std_kind<lend::fixed::map<u64, u64>, u64>;
using fixed_arc_hash = std_kind<lend::fixed::unordered_map<u64, u64>, u64>;
using fancy_arc_tree = std_kind<lend::map<u64, u64>, u64>;
using fancy_arc_hash = std_kind<lend::unordered_map<u64, u64>, u64>;
using fixed_word_tree = std_kind<lend::fixed::map<lend::fixed::string, u64>, word>;

/* Every key has its number, no other key has one, and a walk shows each once. */
template <class Kind> int compare(const lend_arena *arena, int)
{
	const void *found = nullptr;

	CHILD_CHECK(lend_root_get(arena, "keys", LEND_TYPE(key_set, 1), &found) == 0);
	const auto &keys = *static_cast<const key_set *>(found);
	CHILD_CHECK(lend_root_get(arena, "map", LEND_TYPE(typename Kind::map, 1), &found) == 0);
	const auto &map = *static_cast<const typename Kind::map *>(found);
	std::vector<bool> seen(keys.count);
	u64 walked = 0;

	CHILD_CHECK(Kind::count(map) == keys.count);
	for (u64 i = 0; i < keys.count; i++) {
		const auto key = key_at<typename Kind::key>(keys, i);
		const u64 *value = Kind::find(map, key);

		CHILD_CHECK(value && *value == i);
		CHILD_CHECK(i % 8 || !Kind::find(map, absent(key)));
	}
	Kind::each(map, [&](typename Kind::key key, u64 value) {
		CHILD_CHECK(value < keys.count && !seen[value]);
		CHILD_CHECK(key == key_at<typename Kind::key>(keys, value));
		seen[value] = true;
		walked++;
	});
	CHILD_CHECK(walked == keys.count);
	return 0;
}

struct contender {
	visitor visit;
	bool relocates; /* holds in a relocated arena */
	void (*fill)(lend_arena *arena, const key_set &keys);
};

template <class Kind> void fill(lend_arena *arena, const key_set &keys)
{
	lend::scope in(arena);
	void *memory = lend_alloc_zeroed(arena, sizeof(typename Kind::map));

	CU_ASSERT_PTR_NOT_NULL_FATAL(memory);

	auto *map = ::new (memory) typename Kind::map();

	for (u64 i = 0; i < keys.count; i++)
		Kind::put(*map, arena, key_at<typename Kind::key>(keys, i), i);
	CU_ASSERT(Kind::check(*map, arena));
	CU_ASSERT_EQUAL(lend_root_set(arena, "map", LEND_TYPE(typename Kind::map, 1), map), 0);
}

template <class Kind> constexpr contender contend(const char *name, bool relocates)
{
	return {{name, compare<Kind>}, relocates, fill<Kind>};
}

const contender arc_maps[] = {
	contend<arc_map_kind>("arcs, lend_map", true),
	contend<arc_tree_kind>("arcs, lend_tree", true),
	contend<fixed_arc_tree>("arcs, fixed map", false),
	contend<fixed_arc_hash>("arcs, fixed unordered_map", false),
	contend<fancy_arc_tree>("arcs, Boost's map", true),
	contend<fancy_arc_hash>("arcs, Boost's unordered_map", true),
};

const contender word_maps[] = {
	contend<word_map_kind>("words, lend_map", true),
	contend<word_tree_kind>("words, lend_tree", true),
	contend<fixed_word_tree>("words, fixed map", false),
};

/* An arena with the keys in it, through each map in turn. */
template <class Put, class Contenders> void run(Put put_keys, const Contenders &contenders)
{
	for (const contender &one : contenders) {
		lend::arena arena("real data");
		auto *keys =
			static_cast<key_set *>(lend_alloc_zeroed(arena.get(), sizeof(key_set)));

		CU_ASSERT_PTR_NOT_NULL_FATAL(keys);
		put_keys(arena.get(), *keys);
		CU_ASSERT_EQUAL(
			lend_root_set(arena.get(), "keys", LEND_TYPE(key_set, 1), keys), 0);
		one.fill(arena.get(), *keys);
		CU_ASSERT_EQUAL(visit(arena.get(), VISIT_FIXED, one.visit.name), 0);
		if (one.relocates)
			CU_ASSERT_EQUAL(visit(arena.get(), VISIT_RELOCATED, one.visit.name), 0);
	}
}

u64 stride()
{
	const char *given = std::getenv("LEND_TEST_STRIDE");

	if (given && std::atoi(given) > 0)
		return static_cast<u64>(std::atoi(given));
	return under_slow_tool() ? 60 : 4;
}

template <class T> T *copy_of(lend_arena *arena, const std::vector<T> &from)
{
	auto *to = static_cast<T *>(lend_alloc(arena, from.size() * sizeof(T) + 1));

	CU_ASSERT_PTR_NOT_NULL_FATAL(to);
	std::copy(from.begin(), from.end(), to);
	return to;
}

/* Are the keys of this file to be had here? */
bool is_there(const std::string &path)
{
	FILE *file = std::fopen(path.c_str(), "r");

	if (!file) {
		std::printf("skip: %s is not here\n", path.c_str());
		return false;
	}
	std::fclose(file);
	return true;
}

void arcs_come_out_equal(const char *name)
{
	const std::string path = std::string(LEND_TEST_SOURCE_DIR "/../../shared/data/") + name;
	load_options options = {};
	std::vector<u64> arcs;
	edge_list list;

	if (!is_there(path))
		return;
	options.path = path.c_str();
	edges_init(&list);
	CU_ASSERT_EQUAL_FATAL(load_graph(&options, &list), 0);
	for (u64 i = 0; i < list.edge_count; i += stride())
		arcs.push_back(u64{list.edges[i].tail} << 32 | list.edges[i].head);
	edges_fini(&list);
	std::sort(arcs.begin(), arcs.end());
	arcs.erase(std::unique(arcs.begin(), arcs.end()), arcs.end());
	std::shuffle(arcs.begin(), arcs.end(), std::mt19937_64(7));
	CU_ASSERT(arcs.size() * stride() > 1000000);

	run(
		[&](lend_arena *arena, key_set &keys) {
			lend_ptr_set(&keys.arcs, copy_of(arena, arcs));
			keys.count = arcs.size();
		},
		arc_maps);
}

void arcs_of_a_road_network_come_out_equal()
{
	arcs_come_out_equal("NE.gr.xz");
}

void arcs_of_a_web_graph_come_out_equal()
{
	arcs_come_out_equal("cnr-2000.edges.tsv.xz");
}

void words_of_a_dictionary_come_out_equal()
{
	const std::string path = "/usr/share/dict/polish";
	std::vector<u64> ends;
	std::vector<char> bytes;
	char line[512];
	u64 number = 0;

	if (!is_there(path))
		return;

	FILE *file = std::fopen(path.c_str(), "r");

	while (std::fgets(line, sizeof(line), file)) {
		const word text(line, std::strcspn(line, "\n"));

		if (number++ % stride())
			continue;
		bytes.insert(bytes.end(), text.begin(), text.end());
		ends.push_back(bytes.size());
	}
	std::fclose(file);
	CU_ASSERT(number > 4000000);

	run(
		[&](lend_arena *arena, key_set &keys) {
			lend_ptr_set(&keys.ends, copy_of(arena, ends));
			lend_ptr_set(&keys.bytes, copy_of(arena, bytes));
			keys.count = ends.size();
		},
		word_maps);
}

const struct suite_test tests[] = {
	SUITE_TEST(arcs_of_a_road_network_come_out_equal),
	SUITE_TEST(arcs_of_a_web_graph_come_out_equal),
	SUITE_TEST(words_of_a_dictionary_come_out_equal),
};

} // namespace

int main(int argc, char **argv)
{
	std::vector<visitor> visitors;

	for (const contender &one : arc_maps)
		visitors.push_back(one.visit);
	for (const contender &one : word_maps)
		visitors.push_back(one.visit);

	const int status = visit_main(visitors.data(), visitors.size(), argc, argv);

	return status >= 0 ? status
			   : suite_run("real data", tests, sizeof(tests) / sizeof(tests[0]),
				     argc, argv);
}

#endif
