/* SPDX-License-Identifier: Apache-2.0 */
/* lend::unique, lend::shared, lend::weak: who owns, who counts, and in which process. */
/* lend-test: tsan */
#include <atomic>
#include <functional>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include <lendheap/arena.hpp>
#include <lendheap/fixed.hpp>
#include <lendheap/shared.hpp>
#include <lendheap/unique.hpp>

#include "support/heap.h"
#include "support/leaks.h"
#include "support/suite.h"
#include "support/tools.h"
#include "support/visit.h"

namespace
{

int alive;

struct counted {
	int value;

	explicit counted(int v) : value(v)
	{
		if (v < 0)
			throw std::runtime_error("negative");
		alive++;
	}

	~counted()
	{
		alive--;
	}
};

/* Incomplete where its own members are declared. */
struct node {
	int value = 0;
	lend::unique<node> next;
	lend::shared<node> left;
	lend::weak<node> up;
};

} // namespace

/* A namespace whose functions have the names of ours: they are not called. */
namespace app
{

struct thing {
	int value;
};

void destroy(thing *);
void deallocate(thing *, int);
template <class T, class... Args> T *construct_at(thing *, Args &&...);
template <class T> void let_go_weak(T *);

} // namespace app

namespace
{

struct alignas(128) wide {
	char bytes[128];
};

std::uint64_t live_count(const lend::arena &arena)
{
	return arena.stats().live_count;
}

static_assert(sizeof(lend::unique<int>) == 8 && sizeof(lend::shared<int>) == 8 &&
	      sizeof(lend::weak<int>) == 8);
static_assert(!std::is_copy_constructible_v<lend::unique<int>> &&
	      !std::is_copy_assignable_v<lend::unique<int>> &&
	      std::is_nothrow_move_constructible_v<lend::unique<int>> &&
	      std::is_nothrow_move_assignable_v<lend::unique<int>>);
static_assert(std::is_nothrow_move_constructible_v<lend::shared<int>> &&
	      std::is_nothrow_move_assignable_v<lend::shared<int>> &&
	      !std::is_nothrow_copy_constructible_v<lend::shared<int>>);
static_assert(!std::is_convertible_v<int *, lend::unique<int>>);

/* As one type in two versions of a program; one that is not known; and who owns them. */
struct before {
	int *a;
};

struct after {
	int a;
	int b;
	int c;
};

struct unknown;

template <template <class> class Owner> struct owns {
	template <class T>
	static constexpr bool moves = lend::is_relocatable_v<Owner<T>>
		&&lend::is_relocatable_v<std::pair<int, Owner<T>>>;

	static_assert(moves<int> && moves<node> && moves<unknown> && !moves<before>);
	static_assert(lend::is_shareable_v<Owner<before>> &&
		      !lend::is_shareable_v<Owner<std::vector<int>>>);
};

template struct owns<lend::unique>;
template struct owns<lend::shared>;
template struct owns<lend::weak>;

CLEAN_TEST(owners_tell_what_they_own)
{
	struct of_before {
		lend::unique<before> one;
		lend::shared<int> two;
	};

	const std::string name = lend::type_of<lend::unique<before>>().name;
	CU_ASSERT_NOT_EQUAL(name.find('~'), name.npos);
	CU_ASSERT_NOT_EQUAL(std::string(lend::type_of<of_before>().name).find('~'), name.npos);
	CU_ASSERT_EQUAL(lend::detail::fold_elements<lend::unique<unknown>>(
				LEND_LAYOUT_SEED, lend::detail::types<>{}),
		LEND_LAYOUT_SEED);
	CU_ASSERT_NOT_EQUAL(lend::detail::fold_elements<lend::unique<before>>(
				    LEND_LAYOUT_SEED, lend::detail::types<>{}),
		lend::detail::fold_elements<lend::unique<after>>(
			LEND_LAYOUT_SEED, lend::detail::types<>{}));
}

CLEAN_TEST(unique_destroys_its_object_once)
{
	lend::arena arena("a");
	lend::scope in(arena);
	{
		auto one = lend::make_unique<counted>(7);

		CU_ASSERT_PTR_EQUAL(lend_arena_of(one.get()), arena.get());
		CU_ASSERT_EQUAL(one->value, 7);
		CU_ASSERT_EQUAL((*one).value, 7);
		CU_ASSERT_TRUE(one && one != nullptr);
		CU_ASSERT_EQUAL(alive, 1);
	}
	CU_ASSERT_EQUAL(alive, 0);
	CU_ASSERT_EQUAL(live_count(arena), 0);
}

CLEAN_TEST(unique_moves_swaps_releases_and_resets)
{
	lend::arena arena("a");
	lend::scope in(arena);
	auto one = lend::make_unique<counted>(1);
	auto two = lend::make_unique<counted>(2);
	counted *const first = one.get();
	counted *const second = two.get();

	swap(one, two);
	CU_ASSERT_PTR_EQUAL(one.get(), second);
	CU_ASSERT_PTR_EQUAL(two.get(), first);
	CU_ASSERT_TRUE(one != two);
	lend::unique<counted> three(std::move(one));
	CU_ASSERT_TRUE(one == nullptr && nullptr == one);
	CU_ASSERT_PTR_EQUAL(three.get(), second);
	three = std::move(two);
	CU_ASSERT_EQUAL(alive, 1);
	CU_ASSERT_PTR_EQUAL(three.get(), first);
	three = std::move(*&three);
	CU_ASSERT_PTR_EQUAL(three.get(), first);

	counted *released = three.release();
	CU_ASSERT_PTR_EQUAL(released, first);
	CU_ASSERT_FALSE(three);
	three.reset(released);
	three.reset();
	CU_ASSERT_EQUAL(alive, 0);
	three = lend::make_unique<counted>(3);
	three = nullptr;
	CU_ASSERT_EQUAL(alive, 0);
	CU_ASSERT_EQUAL(live_count(arena), 0);
}

CLEAN_TEST(owned_objects_may_be_const)
{
	lend::arena arena("a");
	lend::scope in(arena);
	{
		auto unique = lend::make_unique<const counted>(1);
		auto shared = lend::make_shared<const counted>(2);
		auto volatile_too = lend::make_unique<const volatile int>(3);

		CU_ASSERT_EQUAL(unique->value + shared->value + *volatile_too, 6);
		CU_ASSERT_EQUAL(alive, 2);
		CU_ASSERT_EQUAL(*arena.construct<const int>("four", 4), 4);
		CU_ASSERT_TRUE(arena.destroy<const int>("four"));
	}
	CU_ASSERT_EQUAL(alive, 0);
	CU_ASSERT_EQUAL(live_count(arena), 0);
}

CLEAN_TEST(unique_members_make_a_list_in_the_arena)
{
	lend::arena arena("a");
	lend::scope in(arena);
	auto head = lend::make_unique<node>();
	node *last = head.get();
	int count = 0;

	for (int i = 1; i < 100; i++) {
		last->next = lend::make_unique<node>();
		last = last->next.get();
		last->value = i;
	}
	for (const node *at = head.get(); at; at = at->next.get())
		CU_ASSERT_EQUAL(at->value, count++);
	CU_ASSERT_EQUAL(count, 100);
	CU_ASSERT_EQUAL(live_count(arena), 100);
	head.reset();
	CU_ASSERT_EQUAL(live_count(arena), 0);
}

CLEAN_TEST(functions_of_the_object_s_namespace_are_left_alone)
{
	lend::arena arena("a");
	lend::scope in(arena);
	auto one = lend::make_unique<app::thing>(app::thing{1});
	auto many = lend::make_shared<app::thing>(app::thing{2});
	lend::weak<app::thing> seen = many;

	CU_ASSERT_EQUAL(one->value + seen.lock()->value, 3);
	one.reset();
	many.reset();
	seen.reset();
	CU_ASSERT_EQUAL(live_count(arena), 0);
}

CLEAN_TEST(throwing_constructor_frees_what_was_to_be_owned)
{
	lend::arena arena("a");
	lend::scope in(arena);
	int caught = 0;

	try {
		auto none = lend::make_unique<counted>(-1);
	} catch (const std::runtime_error &) {
		caught++;
	}
	try {
		auto none = lend::make_shared<counted>(-1);
	} catch (const std::runtime_error &) {
		caught++;
	}
	CU_ASSERT_EQUAL(caught, 2);
	CU_ASSERT_EQUAL(alive, 0);
	CU_ASSERT_EQUAL(live_count(arena), 0);
}

CLEAN_TEST(making_outside_of_a_scope_throws)
{
	int caught = 0;

	try {
		auto none = lend::make_unique<int>(1);
	} catch (const lend::bad_alloc &error) {
		caught += error.number() == EINVAL;
	}
	try {
		auto none = lend::make_shared<int>(1);
	} catch (const lend::bad_alloc &error) {
		caught += error.number() == EINVAL;
	}
	CU_ASSERT_EQUAL(caught, 2);
}

CLEAN_TEST(alignments_over_16_are_kept)
{
	lend::arena arena("a");
	lend::scope in(arena);
	auto one = lend::make_unique<wide>();
	auto many = lend::make_shared<wide>();

	CU_ASSERT_EQUAL((uintptr_t)one.get() % 128, 0);
	CU_ASSERT_EQUAL((uintptr_t)many.get() % 128, 0);
	one.reset();
	many.reset();
	CU_ASSERT_EQUAL(live_count(arena), 0);
}

CLEAN_TEST(shared_object_lives_until_its_last_owner_lets_go)
{
	lend::arena arena("a");
	lend::scope in(arena);
	auto one = lend::make_shared<counted>(5);
	lend::shared<counted> two(one);
	lend::shared<counted> three;

	CU_ASSERT_EQUAL(one.use_count(), 2);
	three = two;
	three = *&three;
	CU_ASSERT_EQUAL(one.use_count(), 3);
	CU_ASSERT_TRUE(one == two && two == three && three != nullptr);
	one.reset();
	CU_ASSERT_EQUAL(one.use_count(), 0);
	CU_ASSERT_TRUE(one == nullptr && !one && one.get() == nullptr);
	lend::shared<counted> moved(std::move(two));
	CU_ASSERT_EQUAL(moved.use_count(), 2);
	three = std::move(moved);
	CU_ASSERT_EQUAL(three.use_count(), 1);
	CU_ASSERT_EQUAL((*three).value + three->value, 10);
	CU_ASSERT_EQUAL(alive, 1);
	three = nullptr;
	CU_ASSERT_EQUAL(alive, 0);
	CU_ASSERT_EQUAL(live_count(arena), 0);
}

CLEAN_TEST(weak_sees_an_object_without_keeping_it)
{
	lend::arena arena("a");
	lend::scope in(arena);
	lend::weak<counted> seen;

	CU_ASSERT_TRUE(seen.expired());
	CU_ASSERT_FALSE(seen.lock());
	{
		auto one = lend::make_shared<counted>(5);

		seen = one;
		CU_ASSERT_EQUAL(one.use_count(), 1);
		lend::shared<counted> locked = seen.lock();
		CU_ASSERT_TRUE(locked == one);
		CU_ASSERT_EQUAL(one.use_count(), 2);
	}
	CU_ASSERT_EQUAL(alive, 0);
	CU_ASSERT_TRUE(seen.expired());
	CU_ASSERT_FALSE(seen.lock());
	CU_ASSERT_EQUAL(live_count(arena), 1); /* the counts */
	lend::weak<counted> other(seen);
	seen.reset();
	CU_ASSERT_EQUAL(live_count(arena), 1);
	seen = std::move(other);
	seen = lend::weak<counted>();
	CU_ASSERT_EQUAL(live_count(arena), 0);
}

CLEAN_TEST(weak_members_break_cycles)
{
	lend::arena arena("a");
	lend::scope in(arena);
	auto root = lend::make_shared<node>();

	root->left = lend::make_shared<node>();
	root->left->up = root;
	CU_ASSERT_TRUE(root->left->up.lock() == root);
	root.reset();
	CU_ASSERT_EQUAL(live_count(arena), 0);
}

/* As std's owners do, of which the same is asked. */
template <class Owner> void compare(const Owner &a, const Owner &b, const Owner &none)
{
	const bool below = std::less<>{}(a.get(), b.get());

	CU_ASSERT_TRUE(a == a && !(a != a) && a <= a && a >= a && !(a < a) && !(a > a));
	CU_ASSERT_TRUE(a != b && !(a == b));
	CU_ASSERT_TRUE((a < b) == below && (b > a) == below);
	CU_ASSERT_TRUE((a <= b) == below && (b >= a) == below && (b < a) != below);
	CU_ASSERT_TRUE(none < a && !(a < none) && none <= none && none == nullptr);
	CU_ASSERT_TRUE(a != nullptr && nullptr != a && !(a == nullptr) && nullptr == none);
	CU_ASSERT_EQUAL(std::hash<Owner>{}(a), std::hash<decltype(a.get())>{}(a.get()));
	CU_ASSERT_EQUAL(std::hash<Owner>{}(none), std::hash<decltype(a.get())>{}(nullptr));
}

CLEAN_TEST(owners_compare_and_hash_as_those_of_std)
{
	lend::arena arena("a");
	lend::scope in(arena);

	compare(lend::make_unique<int>(1), lend::make_unique<int>(1), lend::unique<int>());
	compare(lend::make_shared<int>(1), lend::make_shared<int>(1), lend::shared<int>());
	compare(lend::make_shared<const int>(1), lend::make_shared<const int>(1),
		lend::shared<const int>());
	compare(std::make_unique<int>(1), std::make_unique<int>(1), std::unique_ptr<int>());
	compare(std::make_shared<int>(1), std::make_shared<int>(1), std::shared_ptr<int>());
	CU_ASSERT_EQUAL(live_count(arena), 0);
}

CLEAN_TEST(owners_are_keys)
{
	lend::arena arena("a");
	lend::scope in(arena);
	{
		lend::fixed::set<lend::shared<counted>> ordered;
		lend::fixed::unordered_set<lend::shared<counted>> hashed;
		lend::fixed::set<lend::unique<counted>> owned;
		std::vector<lend::shared<counted>> all;

		for (int i = 0; i < 200; i++) {
			all.push_back(lend::make_shared<counted>(i));
			CU_ASSERT_TRUE(ordered.insert(all.back()).second);
			CU_ASSERT_TRUE(hashed.insert(all.back()).second);
			CU_ASSERT_TRUE(owned.insert(lend::make_unique<counted>(i)).second);
		}
		for (const auto &one : all) {
			CU_ASSERT_TRUE(ordered.count(one) == 1 && !ordered.insert(one).second);
			CU_ASSERT_TRUE(hashed.count(one) == 1 && !hashed.insert(one).second);
			CU_ASSERT_EQUAL(one.use_count(), 3);
		}
		CU_ASSERT_TRUE(ordered.count(nullptr) == 0 && hashed.count(nullptr) == 0);
		CU_ASSERT_EQUAL(ordered.erase(all[7]) + hashed.erase(all[7]), 2);
		CU_ASSERT_EQUAL(all[7].use_count(), 1);
		CU_ASSERT_EQUAL(alive, 400);
	}
	CU_ASSERT_EQUAL(alive, 0);
	CU_ASSERT_EQUAL(live_count(arena), 0);
}

struct two_keys {
	lend::shared<int> a;
	lend::unique<int> b;
	lend::unique<int> c;
	std::size_t hash_of_a;
	bool b_is_below;
};

/* What the head of unique.hpp says of keys, in a process of its own. */
int read_keys(const lend_arena *arena, int)
{
	const void *object = nullptr;

	CHILD_CHECK(lend_root_get(arena, "keys", lend::type_of<two_keys>(), &object) == 0);
	const auto &keys = *static_cast<const two_keys *>(object);
	CHILD_CHECK((keys.b < keys.c) == keys.b_is_below && keys.b != keys.c);
	CHILD_CHECK((std::hash<lend::shared<int>>{}(keys.a) == keys.hash_of_a) ==
		    (lend_arena_is_fixed(arena) != 0));
	return 0;
}

CLEAN_TEST(keys_hold_in_fixed_arenas_and_their_order_in_relocated_ones)
{
	lend::arena arena(lend::arena_options("a").reservation_bytes(HEAP_FORKED_BYTES));
	lend::scope in(arena);
	auto &keys = *arena.construct<two_keys>("keys");

	keys.a = lend::make_shared<int>(1);
	keys.b = lend::make_unique<int>(2);
	keys.c = lend::make_unique<int>(3);
	keys.hash_of_a = hash_value(keys.a);
	CU_ASSERT_EQUAL(keys.hash_of_a, std::hash<lend::shared<int>>{}(keys.a));
	keys.b_is_below = keys.b < keys.c;
	CU_ASSERT_EQUAL(visit(arena.get(), VISIT_FIXED, "read_keys"), 0);
	CU_ASSERT_EQUAL(visit(arena.get(), VISIT_RELOCATED, "read_keys"), 0);
}

CLEAN_TEST(weak_ones_are_ordered_also_when_the_object_is_gone)
{
	lend::arena arena("a");
	lend::scope in(arena);
	{
		std::set<lend::weak<counted>, std::owner_less<>> seen;
		auto one = lend::make_shared<counted>(1);
		auto two = lend::make_shared<counted>(2);
		const lend::weak<counted> gone = two;

		CU_ASSERT_TRUE(seen.insert(one).second && seen.insert(gone).second);
		CU_ASSERT_TRUE(seen.insert(lend::weak<counted>()).second);
		CU_ASSERT_TRUE(one.owner_before(two) != two.owner_before(one));
		CU_ASSERT_TRUE(one.owner_before(two) == one.owner_before(gone));
		CU_ASSERT_TRUE(gone.owner_before(one) == two.owner_before(one));
		CU_ASSERT_TRUE(!gone.owner_before(two) && !two.owner_before(gone));
		two.reset();
		CU_ASSERT_FALSE(seen.insert(gone).second);
		CU_ASSERT_EQUAL(seen.count(one), 1); /* std::owner_less<> mixes the two */
		CU_ASSERT_EQUAL(seen.size(), 3);
	}
	CU_ASSERT_EQUAL(alive, 0);
	CU_ASSERT_EQUAL(live_count(arena), 0);
}

CLEAN_TEST(owners_lie_in_containers)
{
	lend::arena arena("a");
	using owners = lend::fixed::vector<lend::shared<counted>>;
	owners &all = *arena.construct<owners>("all");
	{
		lend::scope in(arena);
		auto one = lend::make_shared<counted>(1);

		for (int i = 0; i < 1000; i++)
			all.push_back(one);
	}
	CU_ASSERT_EQUAL(all.front().use_count(), 1000);
	CU_ASSERT_TRUE(arena.destroy<owners>("all"));
	CU_ASSERT_EQUAL(alive, 0);
	CU_ASSERT_EQUAL(live_count(arena), 0);
}

struct pair_of_owners {
	lend::unique<counted> unique;
	lend::shared<counted> shared;
	lend::weak<counted> weak;
};

void own_in_a_forked_child(void *context)
{
	auto &owners = *static_cast<pair_of_owners *>(context);
	int refused = 0;

	auto refuses = [&](auto &&call) {
		try {
			call();
		} catch (const lend::error &error) {
			refused += error.code().value() == EPERM;
		}
	};
	refuses([&] { lend::shared<counted> copy(owners.shared); });
	refuses([&] { lend::weak<counted> copy(owners.shared); });
	refuses([&] { lend::weak<counted> copy(owners.weak); });
	refuses([&] { (void)owners.weak.lock(); });
	CHILD_REQUIRE(refused == 4);
	CHILD_REQUIRE(owners.shared->value == 2 && owners.unique->value == 1);

	/* Moves work, and destructors of what was inherited leave all as it is. */
	{
		pair_of_owners ends(std::move(owners));
		CHILD_REQUIRE(ends.shared.use_count() == 1);
	}
	CHILD_REQUIRE(alive == 2);
}

CLEAN_TEST(forked_child_copies_nothing_and_destroys_nothing)
{
	lend::arena arena(lend::arena_options("a").reservation_bytes(HEAP_FORKED_BYTES));
	lend::scope in(arena);
	{
		pair_of_owners owners;

		owners.unique = lend::make_unique<counted>(1);
		owners.shared = lend::make_shared<counted>(2);
		owners.weak = owners.shared;
		CU_ASSERT_EQUAL(heap_in_child(own_in_a_forked_child, &owners), 0);
		CU_ASSERT_EQUAL(owners.shared.use_count(), 1);
	}
	CU_ASSERT_EQUAL(alive, 0);
	CU_ASSERT_EQUAL(live_count(arena), 0);
}

struct tally {
	std::atomic<int> *ended;
	int written = 0;

	explicit tally(std::atomic<int> *e) : ended(e)
	{
	}

	~tally()
	{
		ended->fetch_add(written == 4 ? 1 : 1000);
	}
};

/*
 * Each of four threads writes a part of the object's state in turn, lets go, and locks a weak
 * meanwhile: the last one destroys, once, and sees what all wrote.
 */
void race(lend::arena &arena, int rounds)
{
	std::atomic<int> ended{0};

	for (int round = 0; round < rounds; round++) {
		lend::scope in(arena);
		auto first = lend::make_shared<tally>(&ended);
		std::vector<std::thread> threads;
		std::atomic<int> turn{0};

		for (int i = 0; i < 4; i++)
			threads.emplace_back(
				[&turn, i, mine = first,
					seen = lend::weak<tally>(first)]() mutable {
					while (turn.load(std::memory_order_acquire) != i)
						std::this_thread::yield();
					mine->written++;
					turn.store(i + 1, std::memory_order_release);
					for (int j = 0; j < 100; j++) {
						auto copy = mine;
						auto locked = seen.lock();
						mine = std::move(locked);
					}
					mine.reset();
					(void)seen.lock();
				});
		first.reset();
		for (std::thread &thread : threads)
			thread.join();
	}
	CU_ASSERT_EQUAL(ended.load(), rounds);
}

CLEAN_TEST(threads_that_share_destroy_once_and_see_all_writes)
{
	lend::arena arena("a");

	race(arena, under_slow_tool() ? 20 : 200);
	CU_ASSERT_EQUAL(live_count(arena), 0);
}

const struct suite_test tests[] = {
	SUITE_TEST(owners_tell_what_they_own),
	SUITE_TEST(unique_destroys_its_object_once),
	SUITE_TEST(unique_moves_swaps_releases_and_resets),
	SUITE_TEST(owned_objects_may_be_const),
	SUITE_TEST(unique_members_make_a_list_in_the_arena),
	SUITE_TEST(functions_of_the_object_s_namespace_are_left_alone),
	SUITE_TEST(throwing_constructor_frees_what_was_to_be_owned),
	SUITE_TEST(making_outside_of_a_scope_throws),
	SUITE_TEST(alignments_over_16_are_kept),
	SUITE_TEST(shared_object_lives_until_its_last_owner_lets_go),
	SUITE_TEST(weak_sees_an_object_without_keeping_it),
	SUITE_TEST(weak_members_break_cycles),
	SUITE_TEST(owners_compare_and_hash_as_those_of_std),
	SUITE_TEST(owners_are_keys),
	SUITE_TEST(keys_hold_in_fixed_arenas_and_their_order_in_relocated_ones),
	SUITE_TEST(weak_ones_are_ordered_also_when_the_object_is_gone),
	SUITE_TEST(owners_lie_in_containers),
	SUITE_TEST(forked_child_copies_nothing_and_destroys_nothing),
	SUITE_TEST(threads_that_share_destroy_once_and_see_all_writes),
};

const visitor visitors[] = {VISITOR(read_keys)};

} // namespace

int main(int argc, char **argv)
{
	const int status = visit_main(visitors, VISITOR_COUNT(visitors), argc, argv);

	return status >= 0 ? status
			   : suite_run("unique_shared", tests, HEAP_COUNT(tests), argc, argv);
}
