/* SPDX-License-Identifier: Apache-2.0 */
/* lend::open() and lend::borrowed: an arena by name in another program, and how long it stays. */
#include <cerrno>
#include <cstring>
#include <string>
#include <type_traits>
#include <utility>

#include <lendheap/arena.hpp>
#include <lendheap/fixed.hpp>
#include <lendheap/shared.hpp>

extern "C" {
#include "support/role.h"
}
#include "support/heap.h"
#include "support/leaks.h"
#include "support/suite.h"
#include "support/visit.h"

namespace
{

using graph = lend::fixed::map<lend::fixed::string, lend::fixed::vector<int>>;

/* Self-relative throughout: for readers at any address. */
struct node {
	std::uint64_t value;
	lend::unique<node> next;
	lend::shared<node> other;
	lend::weak<node> seen;
};

static_assert(!std::is_copy_constructible_v<lend::borrowed> &&
	      !std::is_copy_assignable_v<lend::borrowed> &&
	      std::is_nothrow_move_constructible_v<lend::borrowed>);

template <class Call> int thrown(Call &&call)
{
	try {
		call();
	} catch (const lend::error &error) {
		return error.code().value();
	}
	return 0;
}

lend_deadline soon()
{
	return lend_deadline_in_ms(20000);
}

/* The sample: found through a temporary, and held after. */
int find_in_a_temporary(int parent, int link, const char *name)
{
	const struct leaks before = leaks_count();
	const graph *g = lend::open(name, soon()).find<graph>("g");

	(void)parent, (void)link;
	CHILD_CHECK(g && g->find("Bonn")->second.at(0) == 7);
	CHILD_CHECK(leaks_count().mappings > before.mappings);
	CHILD_CHECK(lend_arena_of(g) != nullptr);
	return 0;
}

/* What finds nothing keeps nothing open. */
int find_nothing_in_a_temporary(int parent, int link, const char *name)
{
	const struct leaks before = leaks_count();

	(void)parent, (void)link;
	CHILD_CHECK(!lend::open(name, soon()).find<graph>("h"));
	CHILD_CHECK(leaks_count().mappings == before.mappings);
	CHILD_CHECK(
		thrown([&] { (void)lend::open(name, soon()).find<int>("g"); }) == EPROTOTYPE);
	CHILD_CHECK(leaks_count().mappings == before.mappings);
	return 0;
}

int open_move_and_close(int parent, int link, const char *name)
{
	const struct leaks before = leaks_count();
	const lend_arena *handle;

	(void)parent, (void)link;
	{
		lend::result<lend::borrowed> opened = lend::try_open(name, soon());

		CHILD_CHECK(opened && opened.error() == 0);
		lend::borrowed there = std::move(*opened);
		handle = there.get();
		CHILD_CHECK(handle && std::strcmp(there.name(), "roads") == 0);
		CHILD_CHECK(there.is_fixed());
		const lend_identity identity = lend_arena_identity(handle);
		CHILD_CHECK(!std::memcmp(there.identity().bytes, identity.bytes, 16));
		CHILD_CHECK(there.find<graph>("g")->size() == 1);

		lend::borrowed again = lend::open(name, soon());
		CHILD_CHECK(again.get() == handle);
		again = std::move(there);
		CHILD_CHECK(!there.get() && again.get() == handle);
		again = std::move(*&again);
		CHILD_CHECK(again.get() == handle);
		/* The one it had is closed; this one is open still. */
		CHILD_CHECK(again.find<graph>("g")->count("Bonn") == 1);
	}
	CHILD_CHECK(lend_close(handle) == -ESTALE);
	CHILD_CHECK(leaks_count().mappings == before.mappings);
	return 0;
}

const struct role roles[] = {
	ROLE(find_in_a_temporary),
	ROLE(find_nothing_in_a_temporary),
	ROLE(open_move_and_close),
};

/* A borrower reads owners, and is refused to become one. */
int read_owners(const lend_arena *arena, int parent)
{
	lend::borrowed there(arena);
	const node *head = there.find<node>("head");
	std::uint64_t count = 0;

	(void)parent;
	CHILD_CHECK(head);
	for (const node *at = head; at; at = at->next.get()) {
		CHILD_CHECK(at->value == count++);
		CHILD_CHECK(at->other->value == 77);
		CHILD_CHECK(at->other.use_count() == 100);
		CHILD_CHECK(!at->seen.expired());
	}
	CHILD_CHECK(count == 100);
	CHILD_CHECK(thrown([&] { lend::shared<node> copy(head->other); }) == EPERM);
	CHILD_CHECK(thrown([&] { lend::weak<node> copy(head->other); }) == EPERM);
	CHILD_CHECK(thrown([&] { lend::weak<node> copy(head->seen); }) == EPERM);
	CHILD_CHECK(thrown([&] { (void)head->seen.lock(); }) == EPERM);
	(void)there.release();
	return 0;
}

const struct visitor visitors[] = {VISITOR(read_owners)};

int shared_with(const char *role)
{
	const std::string name = "test/cpp_share/" + std::to_string(getpid());
	lend::arena arena("roads");
	lend::scope in(arena);

	(*arena.construct<graph>("g"))["Bonn"].push_back(7);
	arena.share(name.c_str());
	struct child child = role_start(role, -1, name.c_str());
	return child_end(&child);
}

CLEAN_TEST(object_found_in_a_temporary_holds)
{
	CU_ASSERT_EQUAL(shared_with("find_in_a_temporary"), 0);
}

CLEAN_TEST(temporary_that_finds_nothing_is_closed)
{
	CU_ASSERT_EQUAL(shared_with("find_nothing_in_a_temporary"), 0);
}

CLEAN_TEST(borrowed_moves_and_closes_at_its_end)
{
	CU_ASSERT_EQUAL(shared_with("open_move_and_close"), 0);
}

CLEAN_TEST(unique_and_shared_are_read_at_any_address)
{
	lend::arena arena("nodes");
	node *at = arena.construct<node>("head", 0u);
	{
		lend::scope in(arena);
		lend::shared<node> other = lend::make_shared<node>(77u);

		for (std::uint64_t i = 1;; i++) {
			at->other = other;
			at->seen = other;
			if (i == 100)
				break;
			at->next = lend::make_unique<node>(i);
			at = at->next.get();
		}
	}
	CU_ASSERT_EQUAL(visit(arena.get(), VISIT_FIXED, "read_owners"), 0);
	CU_ASSERT_EQUAL(visit(arena.get(), VISIT_RELOCATED, "read_owners"), 0);
	CU_ASSERT_TRUE(arena.destroy<node>("head"));
	CU_ASSERT_EQUAL(arena.stats().live_count, 0);
}

const struct suite_test tests[] = {
	SUITE_TEST(object_found_in_a_temporary_holds),
	SUITE_TEST(temporary_that_finds_nothing_is_closed),
	SUITE_TEST(borrowed_moves_and_closes_at_its_end),
	SUITE_TEST(unique_and_shared_are_read_at_any_address),
};

} // namespace

int main(int argc, char **argv)
{
	int status = visit_main(visitors, VISITOR_COUNT(visitors), argc, argv);

	if (status < 0)
		status = role_main(roles, HEAP_COUNT(roles), argc, argv);
	return status >= 0 ? status
			   : suite_run("cpp_share", tests, HEAP_COUNT(tests), argc, argv);
}
