/* SPDX-License-Identifier: Apache-2.0 */
/* lend-test: tsan */
/* lend::arena: options, names, construction that leaves all or nothing, moves. */
#include <atomic>
#include <cstring>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include <lendheap/arena.hpp>
#include <lendheap/fixed.hpp>

#include "support/heap.h"
#include "support/leaks.h"
#include "support/suite.h"
#include "support/tools.h"

namespace
{

using words = lend::fixed::vector<lend::fixed::string>;

struct town {
	const char *name;
	int population;
};

/* Allocates in the scope, then throws if told to. */
struct fragile {
	lend::fixed::string text;

	fragile(const char *from, bool breaks) : text(from)
	{
		if (breaks)
			throw std::runtime_error("broken");
	}
};

const char long_text[] = "a text that is too long to lie inside of a string object";

std::uint64_t live_count(const lend::arena &arena)
{
	return arena.stats().live_count;
}

/* The errno that a call throws as lend::error; 0 when it throws none. */
template <class Call> int thrown(Call &&call)
{
	try {
		call();
	} catch (const lend::error &error) {
		CU_ASSERT_TRUE(error.code().category() == std::generic_category());
		return error.code().value();
	}
	return 0;
}

CLEAN_TEST(arena_is_made_from_a_name_and_gone_with_its_object)
{
	lend_arena *handle;
	{
		lend::arena arena("roads");

		handle = arena.get();
		CU_ASSERT_STRING_EQUAL(arena.name(), "roads");
		CU_ASSERT_EQUAL(lend_arena_is_owned(handle), 1);
		const lend_identity identity = lend_arena_identity(handle);
		CU_ASSERT_EQUAL(std::memcmp(arena.identity().bytes, identity.bytes, 16), 0);
	}
	CU_ASSERT_EQUAL(lend_arena_purge(handle), -ESTALE);

	lend::arena nameless;
	CU_ASSERT_STRING_EQUAL(nameless.name(), "");
}

CLEAN_TEST(arena_options_reach_the_arena)
{
	lend::arena arena(lend::arena_options("small")
				  .reservation_bytes(64u << 20)
				  .quota_bytes(8u << 20)
				  .commit(LEND_COMMIT_UP_FRONT)
				  .cache(LEND_CACHE_LEAN));
	const auto stats = arena.stats();

	CU_ASSERT_EQUAL(stats.quota_bytes, 8u << 20);
	CU_ASSERT_EQUAL(stats.reservation_bytes, 64u << 20);
	CU_ASSERT_EQUAL(lend::arena_options("x").commit(LEND_COMMIT_UP_FRONT).get().commit,
		(uint32_t)LEND_COMMIT_UP_FRONT);
	CU_ASSERT_EQUAL(
		lend::arena_options("x").huge_pages(LEND_HUGE_PAGES_NEVER).get().huge_pages,
		LEND_HUGE_PAGES_NEVER);
	CU_ASSERT_EQUAL(lend::arena_options("x").cache(LEND_CACHE_LEAN).get().cache,
		(uint32_t)LEND_CACHE_LEAN);
	const lend::arena_options there = lend::arena_options("x").directory("/dev/shm");
	CU_ASSERT_EQUAL(there.get().backing, (uint32_t)LEND_BACKING_DIRECTORY);
	CU_ASSERT_STRING_EQUAL(there.get().directory, "/dev/shm");

	lend_arena_options plain = {};
	plain.name = "plain";
	lend::arena from_c(plain);
	CU_ASSERT_STRING_EQUAL(from_c.name(), "plain");
}

CLEAN_TEST(arena_that_cannot_be_made_throws_the_reason)
{
	const std::string name(64, 'x');

	CU_ASSERT_EQUAL(thrown([&] { lend::arena arena(name.c_str()); }), EINVAL);
	try {
		lend::arena arena(name.c_str());
	} catch (const lend::error &error) {
		CU_ASSERT_EQUAL(std::strncmp(error.what(), lend_error_detail(),
					std::strlen(lend_error_detail())),
			0);
		CU_ASSERT_NOT_EQUAL(error.what()[0], 0);
	}
}

CLEAN_TEST(arena_moves_and_does_not_copy)
{
	static_assert(!std::is_copy_constructible_v<lend::arena>);
	static_assert(!std::is_copy_assignable_v<lend::arena>);
	static_assert(std::is_nothrow_move_constructible_v<lend::arena>);
	static_assert(sizeof(lend::arena) == sizeof(void *));

	lend::arena first("first");
	lend::arena second("second");
	lend_arena *const handle = first.get();
	lend_arena *const lost = second.get();

	second = std::move(first);
	CU_ASSERT_PTR_EQUAL(second.get(), handle);
	CU_ASSERT_PTR_NULL(first.get());
	CU_ASSERT_EQUAL(lend_arena_purge(lost), -ESTALE);

	lend::arena third(std::move(second));
	CU_ASSERT_PTR_EQUAL(third.get(), handle);
	third = std::move(*&third);
	CU_ASSERT_PTR_EQUAL(third.get(), handle);
	CU_ASSERT_EQUAL(lend_arena_destroy(third.release()), 0);
	CU_ASSERT_PTR_NULL(third.get());
}

CLEAN_TEST(constructed_object_is_found_by_its_name_until_destroyed)
{
	lend::arena arena("roads");
	const lend::arena &same = arena;
	words *made = arena.construct<words>("words", 3u, long_text);

	CU_ASSERT_PTR_EQUAL(lend_arena_of(made), arena.get());
	CU_ASSERT_PTR_EQUAL(lend_arena_of(made->at(2).data()), arena.get());
	CU_ASSERT_PTR_EQUAL(arena.find<words>("words"), made);
	CU_ASSERT_PTR_EQUAL(same.find<words>("words"), made);
	static_assert(std::is_same_v<decltype(arena.find<words>("")), words *>);
	static_assert(std::is_same_v<decltype(same.find<words>("")), const words *>);
	CU_ASSERT_PTR_NULL(arena.find<words>("other"));

	CU_ASSERT_TRUE(arena.destroy<words>("words"));
	CU_ASSERT_FALSE(arena.destroy<words>("words"));
	CU_ASSERT_PTR_NULL(arena.find<words>("words"));
	CU_ASSERT_EQUAL(live_count(arena), 0);
}

CLEAN_TEST(construction_needs_no_scope_and_leaves_the_one_there_is)
{
	lend::arena arena("inner");
	lend::arena outer("outer");

	CU_ASSERT_PTR_NOT_NULL(arena.construct<words>("no scope", 1u, long_text));
	CU_ASSERT_PTR_NULL(lend_scope_arena());

	lend::scope in(outer);
	words *made = arena.construct<words>("in another's", 1u, long_text);
	CU_ASSERT_PTR_EQUAL(lend_arena_of(made->front().data()), arena.get());
	CU_ASSERT_PTR_EQUAL(lend_scope_arena(), outer.get());
	CU_ASSERT_EQUAL(live_count(outer), 0);
}

CLEAN_TEST(aggregates_are_constructed_from_their_members)
{
	lend::arena arena("roads");
	const town *bonn = arena.construct<town>("Bonn", nullptr, 330000);
	const town *none = arena.construct<town>("none");

	CU_ASSERT_EQUAL(bonn->population, 330000);
	CU_ASSERT_EQUAL(none->population, 0);
}

/* std has a make_unique too, which their types would call in. */
CLEAN_TEST(objects_are_constructed_from_arguments_of_std)
{
	lend::arena arena("a");
	lend::scope in(arena);
	words list(3, lend::fixed::string(long_text));

	CU_ASSERT_EQUAL(arena.construct<words>("moved", std::move(list))->size(), 3);
	CU_ASSERT_EQUAL(arena.find_or_construct<words>("made", words(2))->size(), 2);
	lend::destroy(arena.make<lend::fixed::string>(std::string_view(long_text)));
	CU_ASSERT_TRUE(arena.destroy<words>("moved") && arena.destroy<words>("made"));
	CU_ASSERT_EQUAL(live_count(arena), 0);
}

CLEAN_TEST(object_of_another_type_is_refused_with_both_names)
{
	lend::arena arena("roads");

	arena.construct<town>("Bonn");
	CU_ASSERT_EQUAL(thrown([&] { (void)arena.find<words>("Bonn"); }), EPROTOTYPE);
	CU_ASSERT_PTR_NOT_NULL(std::strstr(lend_error_detail(), "town"));
	CU_ASSERT_EQUAL(thrown([&] { arena.destroy<words>("Bonn"); }), EPROTOTYPE);
	CU_ASSERT_EQUAL(thrown([&] { arena.find_or_construct<words>("Bonn"); }), EPROTOTYPE);
	CU_ASSERT_PTR_NOT_NULL(arena.find<town>("Bonn"));
	CU_ASSERT_EQUAL(live_count(arena), 1);
}

CLEAN_TEST(taken_or_impossible_name_leaves_nothing_behind)
{
	lend::arena arena("roads");
	words *made = arena.construct<words>("words");

	CU_ASSERT_EQUAL(
		thrown([&] { arena.construct<words>("words", 9u, long_text); }), EEXIST);
	CU_ASSERT_PTR_EQUAL(arena.find<words>("words"), made);
	CU_ASSERT_EQUAL(thrown([&] { arena.construct<words>("", 9u, long_text); }), EINVAL);
	CU_ASSERT_EQUAL(thrown([&] {
		arena.construct<words>(std::string(64, 'x').c_str(), 9u, long_text);
	}),
		EINVAL);
	CU_ASSERT_EQUAL(live_count(arena), 1);
}

CLEAN_TEST(throwing_constructor_leaves_nothing_behind)
{
	lend::arena arena("roads");
	bool caught = false;

	try {
		arena.construct<fragile>("x", long_text, true);
	} catch (const std::runtime_error &) {
		caught = true;
	}
	CU_ASSERT_TRUE(caught);
	CU_ASSERT_PTR_NULL(arena.find<fragile>("x"));
	CU_ASSERT_PTR_NULL(lend_scope_arena());
	CU_ASSERT_EQUAL(live_count(arena), 0);
	CU_ASSERT_PTR_NOT_NULL(arena.construct<fragile>("x", long_text, false));
}

CLEAN_TEST(find_or_construct_makes_one_object_for_all_threads)
{
	lend::arena arena("roads");
	std::vector<std::thread> threads;
	words *found[4] = {};

	for (words *&mine : found)
		threads.emplace_back(
			[&] { mine = arena.find_or_construct<words>("w", 2u, long_text); });
	for (std::thread &thread : threads)
		thread.join();
	for (const words *mine : found)
		CU_ASSERT_PTR_EQUAL(mine, arena.find<words>("w"));
	CU_ASSERT_EQUAL(found[0]->size(), 2);
	CU_ASSERT_TRUE(arena.destroy<words>("w"));
	CU_ASSERT_EQUAL(live_count(arena), 0);
}

CLEAN_TEST(one_of_the_threads_that_destroy_an_object_does)
{
	constexpr int count = 100;
	lend::arena arena("roads");
	std::atomic<int> arrived{0};
	std::atomic<int> destroyed{0};
	std::atomic<int> thrown{0};
	const auto destroy_all = [&] {
		for (int i = 0; i < count; i++) {
			const std::string name = std::to_string(i);

			/* Spins first: after a yield they hardly meet. Valgrind needs one. */
			arrived++;
			for (int spins = 0; arrived < 2 * (i + 1); spins++)
				if (spins > 10000)
					std::this_thread::yield();
			try {
				destroyed += arena.destroy<int>(name.c_str());
			} catch (const lend::error &) {
				thrown++;
			}
		}
	};

	for (int i = 0; i < count; i++)
		arena.construct<int>(std::to_string(i).c_str(), i);
	std::thread other(destroy_all);
	destroy_all();
	other.join();
	CU_ASSERT_EQUAL(destroyed, count);
	CU_ASSERT_EQUAL(thrown, 0);
	CU_ASSERT_EQUAL(live_count(arena), 0);
}

/* Between the look at a name and the end of its object it may be another's already. */
CLEAN_TEST(threads_that_construct_and_destroy_one_name_end_each_object_once)
{
	struct ends_once {
		std::atomic<int> *wrong;
		std::atomic<std::uint32_t> state{0x600d};

		explicit ends_once(std::atomic<int> *w) : wrong(w)
		{
		}

		~ends_once()
		{
			*wrong += state.exchange(0xbad) != 0x600d;
		}
	};

	const int rounds = under_slow_tool() ? 2000 : 20000;
	lend::arena arena("roads");
	std::atomic<int> wrong{0};
	std::atomic<int> made{0};
	std::atomic<int> destroyed{0};
	const auto make_and_destroy = [&] {
		lend::unique<ends_once> spare;

		for (int i = 0; i < rounds; i++) {
			/* The last one's memory: the next one gets another address. */
			spare.reset(arena.make<ends_once>(&wrong));
			try {
				arena.construct<ends_once>("one", &wrong);
				made++;
			} catch (const lend::error &error) {
				wrong += error.code().value() != EEXIST;
			}
			destroyed += arena.destroy<ends_once>("one");
		}
	};
	std::vector<std::thread> threads;

	for (int i = 0; i < 4; i++)
		threads.emplace_back(make_and_destroy);
	for (std::thread &thread : threads)
		thread.join();
	CU_ASSERT_EQUAL(wrong, 0);
	CU_ASSERT_EQUAL(destroyed, made);
	CU_ASSERT_EQUAL(live_count(arena), 0);
	CU_ASSERT_EQUAL(arena.stats().foreign_frees, 0);
}

CLEAN_TEST(made_object_has_no_name_and_is_destroyed_by_address)
{
	lend::arena arena("roads");
	words *made = arena.make<words>(2u, long_text);

	CU_ASSERT_PTR_EQUAL(lend_arena_of(made), arena.get());
	lend::destroy(made);
	lend::destroy(static_cast<words *>(nullptr));
	CU_ASSERT_EQUAL(live_count(arena), 0);
}

CLEAN_TEST(want_of_memory_is_a_bad_alloc_with_its_reason)
{
	lend::arena arena(lend::arena_options("small").quota_bytes(4u << 20));
	int number = 0;

	try {
		arena.construct<lend::fixed::vector<char>>("much", 16u << 20);
	} catch (const std::bad_alloc &error) {
		const auto *ours = dynamic_cast<const lend::bad_alloc *>(&error);

		CU_ASSERT_PTR_NOT_NULL_FATAL(ours);
		number = ours->number();
		CU_ASSERT_PTR_NOT_NULL(std::strstr(error.what(), "quota"));
	}
	CU_ASSERT_EQUAL(number, EDQUOT);
	CU_ASSERT_EQUAL(live_count(arena), 0);
}

CLEAN_TEST(arena_shares_once_and_purges)
{
	const std::string name = "test/cpp_arena/" + std::to_string(getpid());
	lend::arena arena("roads");

	arena.share(name.c_str());
	CU_ASSERT_EQUAL(thrown([&] { arena.share(name.c_str()); }), EBUSY);
	arena.unshare();
	CU_ASSERT_EQUAL(thrown([&] { arena.unshare(); }), ENOENT);
	arena.purge();
}

CLEAN_TEST(nobody_to_open_is_a_result_or_a_throw)
{
	const std::string name = "test/cpp_arena/none/" + std::to_string(getpid());
	const lend_deadline now = lend_deadline_in_ms(0);
	auto result = lend::try_open(name.c_str(), now);

	static_assert(noexcept(lend::try_open("", now)));
	CU_ASSERT_FALSE(result);
	CU_ASSERT_EQUAL(result.error(), -ETIMEDOUT);
	CU_ASSERT_NOT_EQUAL(result.detail()[0], 0);
	CU_ASSERT_EQUAL(thrown([&] { (void)lend::open(name.c_str(), now); }), ETIMEDOUT);
}

void construct_as_a_forked_child(void *context)
{
	auto &arena = *static_cast<lend::arena *>(context);
	int number = 0;

	CHILD_REQUIRE(arena.find<words>("words")->size() == 2);
	try {
		arena.construct<words>("mine");
	} catch (const lend::bad_alloc &error) {
		number = error.number();
	}
	CHILD_REQUIRE(number == EPERM);
	CHILD_REQUIRE(thrown([&] { arena.destroy<words>("words"); }) == EPERM);
	/* Its own copy of the object ends; the arena is the parent's. */
	lend::arena moved(std::move(arena));
}

CLEAN_TEST(forked_child_finds_and_changes_nothing)
{
	lend::arena arena(lend::arena_options("roads").reservation_bytes(HEAP_FORKED_BYTES));

	arena.construct<words>("words", 2u, long_text);
	CU_ASSERT_EQUAL(heap_in_child(construct_as_a_forked_child, &arena), 0);
	CU_ASSERT_EQUAL(arena.find<words>("words")->size(), 2);
}

void a_result_holds_a_value_of_any_type_or_a_failure()
{
	lend::result<int> three(3);
	auto none = lend::result<int>::failure(-ENOENT);

	CU_ASSERT(three && *three == 3 && three.error() == 0);
	CU_ASSERT(!none && none.error() == -ENOENT);
	try {
		(void)std::move(none).value();
		CU_FAIL("a failure has no value");
	} catch (const lend::error &e) {
		CU_ASSERT_EQUAL(e.code().value(), ENOENT);
	}
}

const struct suite_test tests[] = {
	SUITE_TEST(a_result_holds_a_value_of_any_type_or_a_failure),
	SUITE_TEST(arena_is_made_from_a_name_and_gone_with_its_object),
	SUITE_TEST(arena_options_reach_the_arena),
	SUITE_TEST(arena_that_cannot_be_made_throws_the_reason),
	SUITE_TEST(arena_moves_and_does_not_copy),
	SUITE_TEST(constructed_object_is_found_by_its_name_until_destroyed),
	SUITE_TEST(construction_needs_no_scope_and_leaves_the_one_there_is),
	SUITE_TEST(aggregates_are_constructed_from_their_members),
	SUITE_TEST(objects_are_constructed_from_arguments_of_std),
	SUITE_TEST(object_of_another_type_is_refused_with_both_names),
	SUITE_TEST(taken_or_impossible_name_leaves_nothing_behind),
	SUITE_TEST(throwing_constructor_leaves_nothing_behind),
	SUITE_TEST(find_or_construct_makes_one_object_for_all_threads),
	SUITE_TEST(one_of_the_threads_that_destroy_an_object_does),
	SUITE_TEST(threads_that_construct_and_destroy_one_name_end_each_object_once),
	SUITE_TEST(made_object_has_no_name_and_is_destroyed_by_address),
	SUITE_TEST(want_of_memory_is_a_bad_alloc_with_its_reason),
	SUITE_TEST(arena_shares_once_and_purges),
	SUITE_TEST(nobody_to_open_is_a_result_or_a_throw),
	SUITE_TEST(forked_child_finds_and_changes_nothing),
};

} // namespace

SUITE_MAIN("cpp_arena", tests)
