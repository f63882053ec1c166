/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lendheap/map.h against std::unordered_map: random puts, sets, erasures, look-ups, reserves,
 * clears, moves and walks, with integer keys, string keys and hashes of a few values only. The
 * seed is printed and can be given: LEND_TEST_SEED=42 model_map_model
 */
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <unordered_map>

#include <lendheap/alloc.h>

#define LEND_MAP       number_map
#define LEND_MAP_KEY   uint64_t
#define LEND_MAP_VALUE uint64_t
#include <lendheap/map.h>

#define LEND_MAP       poor_map
#define LEND_MAP_KEY   uint64_t
#define LEND_MAP_VALUE uint64_t
#define LEND_MAP_HASH(key, seed)                                                               \
	((void)(seed), (key) % 3 * UINT64_C(0x5000000000000000) + (key) % 2)
#include <lendheap/map.h>

#define LEND_MAP word_map
#define LEND_MAP_STRING_KEYS
#define LEND_MAP_VALUE uint64_t
#include <lendheap/map.h>

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
		static constexpr auto erase_entry = name##_erase_entry;                        \
		static constexpr auto first = name##_first;                                    \
		static constexpr auto next = name##_next;                                      \
		static constexpr auto count = name##_count;                                    \
		static constexpr auto reserve = name##_reserve;                                \
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
FACE(poor_map, as_is);
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
	using model = std::unordered_map<Key, std::uint64_t>;

	lend_arena *arena;
	typename Face::map *map;
	typename Face::map *other;
	model expected;
	std::uint64_t keys;

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

	/* Meet all, each once; erase about one in `one_in`. */
	void walk(std::uint64_t one_in)
	{
		model left = expected;
		typename Face::iterator at;

		for (auto *entry = Face::first(map, &at); entry; entry = Face::next(&at)) {
			Key key = Face::key(entry);
			auto found = left.find(key);

			CU_ASSERT_TRUE_FATAL(found != left.end());
			CU_ASSERT_EQUAL(found->second, entry->value);
			left.erase(found);
			if (one_in && draw() % one_in == 0) {
				Face::erase_entry(map, arena, entry);
				expected.erase(key);
			}
		}
		CU_ASSERT_TRUE(left.empty());
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
			CU_ASSERT_EQUAL(Face::reserve(map, arena, draw() % (2 * keys)), 0);
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

CLEAN_TEST(a_map_of_numbers_is_as_std_unordered_map)
{
	play<number_map_face, std::uint64_t>(40000, {10, 100, 3000, 100000});
}

CLEAN_TEST(a_map_of_strings_is_as_std_unordered_map)
{
	play<word_map_face, std::string>(40000, {10, 3000, 100000});
}

CLEAN_TEST(a_map_with_poor_hashes_is_as_std_unordered_map)
{
	play<poor_map_face, std::uint64_t>(20000, {10, 100, 1000});
}

const suite_test tests[] = {
	SUITE_TEST(a_map_of_numbers_is_as_std_unordered_map),
	SUITE_TEST(a_map_of_strings_is_as_std_unordered_map),
	SUITE_TEST(a_map_with_poor_hashes_is_as_std_unordered_map),
};

} // namespace

int main(int argc, char **argv)
{
	const char *given = std::getenv("LEND_TEST_SEED");
	std::uint64_t seed = given ? std::strtoull(given, nullptr, 0) : std::random_device{}();

	std::printf("LEND_TEST_SEED=%llu\n", static_cast<unsigned long long>(seed));
	draw.seed(seed);
	return suite_run("map model", tests, sizeof(tests) / sizeof(*tests), argc, argv);
}
