/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lendheap/ordered_map.h against std::map: random puts, sets, erasures, look-ups, bounds, clears,
 * swaps and walks both ways, with integer keys, string keys and nodes of few entries, in random
 * and in ascending order. The seed is printed and can be given:
 * LEND_TEST_SEED=42 model_ordered_map_model
 */
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <random>
#include <string>

#include <lendheap/alloc.h>

#define LEND_ORDERED_MAP       number_map
#define LEND_ORDERED_MAP_KEY   uint64_t
#define LEND_ORDERED_MAP_VALUE uint64_t
#include <lendheap/ordered_map.h>

/* Five entries in a node: many levels. */
struct wide_key {
	std::uint64_t number;
	char pad[72];
};
#define LEND_ORDERED_MAP                wide_map
#define LEND_ORDERED_MAP_KEY            struct wide_key
#define LEND_ORDERED_MAP_SOUGHT         uint64_t
#define LEND_ORDERED_MAP_AS_SOUGHT(key) ((key).number)
#define LEND_ORDERED_MAP_KEY_INIT(arena, key, sought)                                          \
	((void)(arena), (key)->number = (sought), 0)
#define LEND_ORDERED_MAP_VALUE uint64_t
#include <lendheap/ordered_map.h>

#define LEND_ORDERED_MAP word_map
#define LEND_ORDERED_MAP_STRING_KEYS
#define LEND_ORDERED_MAP_VALUE uint64_t
#include <lendheap/ordered_map.h>

#include "support/leaks.h"
#include "support/suite.h"

namespace
{

std::mt19937_64 draw;

/* One face for the three instances. */
#define FACE(name, key_of)                                                                     \
	struct name##_face {                                                                   \
		using map = struct name;                                                       \
		using entry = struct name##_entry;                                             \
		using iterator = struct name##_iterator;                                       \
		static constexpr auto put = name##_put;                                        \
		static constexpr auto set = name##_set;                                        \
		static constexpr auto find = name##_find;                                      \
		static constexpr auto erase = name##_erase;                                    \
		static constexpr auto erase_at = name##_erase_at;                              \
		static constexpr auto first = name##_first;                                    \
		static constexpr auto last = name##_last;                                      \
		static constexpr auto next = name##_next;                                      \
		static constexpr auto prev = name##_prev;                                      \
		static constexpr auto lower_bound = name##_lower_bound;                        \
		static constexpr auto upper_bound = name##_upper_bound;                        \
		static constexpr auto count = name##_count;                                    \
		static constexpr auto clear = name##_clear;                                    \
		static constexpr auto swap = name##_swap;                                      \
		static constexpr auto fini = name##_fini;                                      \
		static constexpr auto check = name##_check;                                    \
		static auto key(const entry *e)                                                \
		{                                                                              \
			return key_of(e->key);                                                 \
		}                                                                              \
	}

std::uint64_t as_is(std::uint64_t key)
{
	return key;
}

std::string text_of(const lend_string_shm &key)
{
	return std::string(lend_string_data(&key), lend_string_bytes(&key));
}

FACE(number_map, as_is);
std::uint64_t number_of(const wide_key &key)
{
	return key.number;
}

FACE(wide_map, number_of);
FACE(word_map, text_of);

std::uint64_t sought(std::uint64_t key)
{
	return key;
}

lend_view sought(const std::string &key)
{
	return lend_view_make(key.data(), key.size());
}

void make_key(std::uint64_t number, std::uint64_t &key)
{
	key = number;
}

void make_key(std::uint64_t number, std::string &key)
{
	key = std::to_string(number);
	if (number % 4 == 0)
		key += std::string(number % 100, 'x');
	if (number % 4 == 1)
		key = "as so many: " + key;
}

template <class Face, class Key> class game
{
	using model = std::map<Key, std::uint64_t>;

	lend_arena *arena;
	typename Face::map *map;
	typename Face::map *other;
	model expected;
	std::uint64_t keys;
	std::uint64_t next_key = 0;

	Key draw_key()
	{
		Key key;

		make_key(draw() % keys, key);
		return key;
	}

	void put()
	{
		Key key = draw_key();
		auto [at, made] = expected.emplace(key, 0);
		typename Face::entry *entry = nullptr;

		CU_ASSERT_EQUAL_FATAL(Face::put(map, arena, sought(key), &entry), int(made));
		CU_ASSERT_TRUE(Face::key(entry) == key);
		CU_ASSERT_EQUAL(entry->value, at->second);
		at->second = entry->value = draw();
	}

	void set()
	{
		Key key = draw_key();
		std::uint64_t value = draw();
		bool made = expected.insert_or_assign(key, value).second;

		CU_ASSERT_EQUAL_FATAL(Face::set(map, arena, sought(key), value), int(made));
	}

	void find()
	{
		Key key = draw_key();
		auto at = expected.find(key);
		auto *entry = Face::find(map, sought(key));

		CU_ASSERT_EQUAL_FATAL(entry != nullptr, at != expected.end());
		if (entry)
			CU_ASSERT_TRUE(Face::key(entry) == key && entry->value == at->second);
	}

	void erase()
	{
		Key key = draw_key();

		CU_ASSERT_EQUAL_FATAL(
			Face::erase(map, arena, sought(key)), int(expected.erase(key)));
	}

	void bounds()
	{
		Key key = draw_key();
		typename Face::iterator at;
		bool upper = draw() % 2;
		auto found = upper ? expected.upper_bound(key) : expected.lower_bound(key);
		auto *entry = upper ? Face::upper_bound(map, sought(key), &at)
				    : Face::lower_bound(map, sought(key), &at);
		bool back = draw() % 2;

		for (int i = 0; i < 20; i++) {
			CU_ASSERT_EQUAL_FATAL(entry == nullptr, found == expected.end());
			CU_ASSERT_TRUE_FATAL(!entry || Face::key(entry) == found->first);
			back |= !entry;
			if (back && found == expected.begin()) {
				CU_ASSERT_PTR_NULL(Face::prev(&at));
				return;
			}
			entry = back ? Face::prev(&at) : Face::next(&at);
			back ? --found : ++found;
		}
	}

	/* All, in order; erase about one in `one_in`. */
	void walk(std::uint64_t one_in)
	{
		typename Face::iterator at;
		auto found = expected.begin();
		auto *entry = Face::first(map, &at);

		while (entry) {
			CU_ASSERT_TRUE_FATAL(found != expected.end());
			CU_ASSERT_TRUE_FATAL(Face::key(entry) == found->first);
			CU_ASSERT_EQUAL(entry->value, found->second);
			if (one_in && draw() % one_in == 0) {
				found = expected.erase(found);
				entry = Face::erase_at(map, arena, &at);
			} else {
				++found;
				entry = Face::next(&at);
			}
		}
		CU_ASSERT_TRUE(found == expected.end());
		for (entry = Face::last(map, &at); entry; entry = Face::prev(&at)) {
			--found;
			CU_ASSERT_EQUAL_FATAL(entry->value, found->second);
		}
		CU_ASSERT_TRUE(found == expected.begin());
	}

	/* Some in ascending order, above all others as a rule. */
	void ascend()
	{
		for (int i = 0; i < 200; i++) {
			Key key;

			make_key(keys + next_key++, key);
			Face::set(map, arena, sought(key), next_key);
			expected.insert_or_assign(key, next_key);
		}
	}

	void step()
	{
		switch (draw() % 4000) {
		case 0:
			Face::clear(map, arena);
			expected.clear();
			break;
		case 1:
			walk(2);
			break;
		case 2:
		case 3:
			walk(0);
			break;
		case 4:
			ascend();
			break;
		case 5:
			Face::swap(map, other);
			Face::swap(other, map);
			std::swap(map, other);
			Face::swap(map, other);
			break;
		case 6:
			Face::fini(map, arena);
			expected.clear();
			break;
		default:
			switch (draw() % 8) {
			case 0:
			case 1:
				put();
				break;
			case 2:
				set();
				break;
			case 3:
			case 4:
				erase();
				break;
			case 5:
				bounds();
				break;
			default:
				find();
			}
		}
		CU_ASSERT_EQUAL_FATAL(Face::count(map), expected.size());
	}

      public:
	game(lend_arena *arena_, std::uint64_t keys_) : arena(arena_), keys(keys_)
	{
		void *memory = lend_alloc_zeroed(arena, 2 * sizeof(*map));

		CU_ASSERT_PTR_NOT_NULL_FATAL(memory);
		map = static_cast<typename Face::map *>(memory);
		other = map + 1;
	}

	void play(int steps)
	{
		for (int i = 0; i < steps; i++) {
			step();
			if (i % 500 == 0)
				CU_ASSERT_EQUAL_FATAL(Face::check(map, arena), 0);
		}
		walk(0);
		CU_ASSERT_EQUAL(Face::check(map, arena), 0);
		Face::fini(map, arena);
		Face::fini(other, arena);
	}
};

lend_arena *make_arena()
{
	lend_arena_options options{};
	lend_arena *arena = nullptr;

	CU_ASSERT_EQUAL_FATAL(lend_arena_create(&options, &arena), 0);
	return arena;
}

template <class Face, class Key> void play(int steps, std::initializer_list<int> key_counts)
{
	lend_arena *arena = make_arena();

	for (int keys : key_counts)
		game<Face, Key>(arena, std::uint64_t(keys)).play(steps);
	CU_ASSERT_EQUAL(lend_arena_destroy(arena), 0);
}

CLEAN_TEST(a_map_of_numbers_is_as_std_map)
{
	play<number_map_face, std::uint64_t>(40000, {10, 100, 3000, 100000});
}

CLEAN_TEST(a_map_of_strings_is_as_std_map)
{
	play<word_map_face, std::string>(40000, {10, 3000, 100000});
}

CLEAN_TEST(a_map_with_small_nodes_is_as_std_map)
{
	CU_ASSERT_EQUAL(int(wide_map_lendi_slots), 5);
	play<wide_map_face, std::uint64_t>(40000, {10, 1000, 20000});
}

const suite_test tests[] = {
	SUITE_TEST(a_map_of_numbers_is_as_std_map),
	SUITE_TEST(a_map_of_strings_is_as_std_map),
	SUITE_TEST(a_map_with_small_nodes_is_as_std_map),
};

} // namespace

int main(int argc, char **argv)
{
	const char *given = std::getenv("LEND_TEST_SEED");
	std::uint64_t seed = given ? std::strtoull(given, nullptr, 0) : std::random_device{}();

	std::printf("LEND_TEST_SEED=%llu\n", static_cast<unsigned long long>(seed));
	draw.seed(seed);
	return suite_run(
		"ordered map model", tests, sizeof(tests) / sizeof(*tests), argc, argv);
}
