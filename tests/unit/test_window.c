/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The window of a process. Each test runs in a child, since a window in use stays as it is.
 */
#include "support/suite.h"

#include <errno.h>
#include <sys/mman.h>

#include <lendheap/alloc.h>

#include "arena/arena.h"
#include "support/child.h"
#include "support/leaks.h"
#include "support/window.h"

#define ADDRESS_END UINT64_C(0x7ffffffff000)

static bool detail_says(const char *part)
{
	return strstr(lend_error_detail(), part) != NULL;
}

static bool unchanged(const struct lend_window *before)
{
	struct lend_window now = lend_window_current();

	return memcmp(&now, before, sizeof(now)) == 0;
}

/* Every field out of range is refused with its sentence, and the window stays as it was. */
static int refuse_each(int parent, void *argument)
{
	struct lend_window before = lend_window_current();
	struct lend_window window;

	(void)parent, (void)argument;
	CHILD_CHECK(lend_window_configure(NULL) == -EINVAL && detail_says("NULL"));

	window = before;
	window.base += 4096;
	CHILD_CHECK(lend_window_configure(&window) == -EINVAL && detail_says("multiple"));
	window.base = before.base + LEND_SLOT_BYTES / 2;
	CHILD_CHECK(lend_window_configure(&window) == -EINVAL && detail_says("multiple"));
	window.base = 0;
	CHILD_CHECK(lend_window_configure(&window) == -EINVAL && detail_says("multiple"));

	window = before;
	window.slot_count = 0;
	CHILD_CHECK(lend_window_configure(&window) == -EINVAL && detail_says("0 slots"));
	window.slot_count = LEND_WINDOW_SLOTS_MAX + 1;
	CHILD_CHECK(lend_window_configure(&window) == -EINVAL && detail_says("4065 slots"));
	window.slot_count = UINT32_MAX;
	CHILD_CHECK(lend_window_configure(&window) == -EINVAL);

	window = before;
	window.base = UINT64_C(1) << 47;
	CHILD_CHECK(lend_window_configure(&window) == -EINVAL && detail_says("2^47"));
	window.base = UINT64_MAX - LEND_SLOT_BYTES + 1;
	CHILD_CHECK(lend_window_configure(&window) == -EINVAL && detail_says("2^47"));
	window.base = (ADDRESS_END & ~(LEND_SLOT_BYTES - 1)) - LEND_SLOT_BYTES;
	window.slot_count = 2;
	CHILD_CHECK(lend_window_configure(&window) == -EINVAL && detail_says("2^47"));

	window = before;
	window.reserved = 1;
	CHILD_CHECK(lend_window_configure(&window) == -EINVAL && detail_says("reserved"));
	window = before;
	memset(window.domain, 'x', sizeof(window.domain));
	CHILD_CHECK(lend_window_configure(&window) == -EINVAL && detail_says("domain"));

	CHILD_CHECK(unchanged(&before));
	return 0;
}

CLEAN_TEST(window_refuses_fields_out_of_range)
{
	CU_ASSERT_EQUAL(child_run(refuse_each, NULL), 0);
}

static int accept_limits(int parent, void *argument)
{
	struct lend_window window = lend_window_current();

	(void)parent, (void)argument;
	window.base = LEND_SLOT_BYTES;
	window.slot_count = LEND_WINDOW_SLOTS_MAX;
	memset(window.domain, 'x', LEND_WINDOW_DOMAIN_MAX);
	CHILD_CHECK(lend_window_configure(&window) == 0);
	CHILD_CHECK(unchanged(&window));
	/* The highest slot whose page map, behind the window, still ends below 2^47. */
	window.base = (ADDRESS_END & ~(LEND_SLOT_BYTES - 1)) - LEND_SLOT_BYTES;
	window.slot_count = 1;
	CHILD_CHECK(lend_window_configure(&window) == 0);
	CHILD_CHECK(unchanged(&window));
	return 0;
}

CLEAN_TEST(window_takes_its_limits)
{
	CU_ASSERT_EQUAL(child_run(accept_limits, NULL), 0);
}

static int clear_behind_domain(int parent, void *argument)
{
	struct lend_window window = window_small(4, getpid());
	struct lend_window now;

	(void)parent, (void)argument;
	memset(window.domain, 'x', sizeof(window.domain));
	memcpy(window.domain, "short", sizeof("short"));
	CHILD_CHECK(lend_window_configure(&window) == 0);
	now = lend_window_current();
	CHILD_CHECK(strcmp(now.domain, "short") == 0);
	CHILD_CHECK(now.domain[6] == 0 && now.domain[LEND_WINDOW_DOMAIN_MAX] == 0);
	return 0;
}

CLEAN_TEST(window_clears_what_stands_behind_the_domain)
{
	CU_ASSERT_EQUAL(child_run(clear_behind_domain, NULL), 0);
}

static int refuse_after_use(int parent, void *argument)
{
	struct lend_window window = lend_window_current();
	struct lend_arena *arena;

	(void)parent, (void)argument;
	/* Looking at it is not using it. */
	CHILD_CHECK(lend_window_configure(&window) == 0);
	CHILD_CHECK(lend_arena_create(NULL, &arena) == 0);
	CHILD_CHECK(lend_window_configure(&window) == -EBUSY && detail_says("in use"));
	CHILD_CHECK(lend_arena_destroy(arena) == 0);
	CHILD_CHECK(lend_window_configure(&window) == -EBUSY);
	window.slot_count = 0;
	CHILD_CHECK(lend_window_configure(&window) == -EINVAL);
	CHILD_CHECK(lend_arena_create(NULL, &arena) == 0);
	CHILD_CHECK(lend_arena_destroy(arena) == 0);
	return 0;
}

CLEAN_TEST(window_in_use_is_busy)
{
	CU_ASSERT_EQUAL(child_run(refuse_after_use, NULL), 0);
}

static int work_elsewhere(int parent, void *argument)
{
	struct lend_window window = window_small(4, getpid());
	struct lend_arena *arena;
	struct leaks before;
	char *object;

	(void)parent, (void)argument;
	window.base += 8 * LEND_SLOT_BYTES;
	CHILD_CHECK(lend_window_configure(&window) == 0);
	before = leaks_count();
	CHILD_CHECK(lend_arena_create(NULL, &arena) == 0);
	object = lend_alloc_zeroed(arena, 100);
	CHILD_CHECK(object);
	CHILD_CHECK((uintptr_t)object >= window.base);
	CHILD_CHECK((uintptr_t)object < window.base + 4 * LEND_SLOT_BYTES);
	CHILD_CHECK(lend_arena_of(object) == arena);
	CHILD_CHECK(lend_arena_of((void *)(uintptr_t)(window.base - 1)) == NULL);
	CHILD_CHECK(lend_arena_of(NULL) == NULL);
	CHILD_CHECK(lend_arena_is_fixed(arena) == 1);
	lend_free(arena, object);
	CHILD_CHECK(lend_arena_destroy(arena) == 0);
	CHILD_CHECK(leaks_since(&before) == 0);
	return 0;
}

CLEAN_TEST(window_at_another_base_works)
{
	CU_ASSERT_EQUAL(child_run(work_elsewhere, NULL), 0);
}

static int check_machine(int parent, void *argument)
{
	(void)parent, (void)argument;
	CHILD_CHECK(lendi_machine_check() == 0);
	CHILD_CHECK(sysconf(_SC_PAGESIZE) == (long)LENDI_PAGE_BYTES);
	return 0;
}

CLEAN_TEST(window_accepts_this_machine)
{
	CU_ASSERT_EQUAL(child_run(check_machine, NULL), 0);
}

/* The arithmetic of addresses, at the ends. */
static int check_addresses(int parent, void *argument)
{
	struct lend_window window = window_small(4, getpid());
	uintptr_t end = window.base + 4 * LEND_SLOT_BYTES;

	(void)parent, (void)argument;
	CHILD_CHECK(lendi_slot_of(&window, window.base) == 0);
	CHILD_CHECK(lendi_slot_of(&window, window.base + LEND_SLOT_BYTES - 1) == 0);
	CHILD_CHECK(lendi_slot_of(&window, end - 1) == 3);
	CHILD_CHECK(lendi_slot_of(&window, end) == 4);
	CHILD_CHECK(lendi_slot_of(&window, window.base - 1) > LEND_WINDOW_SLOTS_MAX);
	CHILD_CHECK(lendi_slot_of(&window, 0) > LEND_WINDOW_SLOTS_MAX);
	CHILD_CHECK(lendi_slot_at(&window, 3) == end - LEND_SLOT_BYTES);
	CHILD_CHECK(lendi_leaf_at(&window, 0) == end);
	CHILD_CHECK(lendi_leaf_at(&window, 3) == end + 3 * LENDI_LEAF_SLOT_BYTES);
	return 0;
}

CLEAN_TEST(window_addresses_end_where_they_should)
{
	CU_ASSERT_EQUAL(child_run(check_addresses, NULL), 0);
}

static const struct suite_test tests[] = {
	SUITE_TEST(window_refuses_fields_out_of_range),
	SUITE_TEST(window_takes_its_limits),
	SUITE_TEST(window_clears_what_stands_behind_the_domain),
	SUITE_TEST(window_in_use_is_busy),
	SUITE_TEST(window_at_another_base_works),
	SUITE_TEST(window_accepts_this_machine),
	SUITE_TEST(window_addresses_end_where_they_should),
};

SUITE_MAIN("window", tests)
