/* SPDX-License-Identifier: Apache-2.0 */
/* Roots: names and types, and what a borrower makes of a table its owner has ruined. */
#include "support/suite.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <unistd.h>

#include <lendheap/alloc.h>

#include "support/child.h"
#include "support/leaks.h"
#include "support/offer.h"
#include "support/tools.h"

struct point {
	uint64_t x;
	uint64_t y;
};

struct town {
	struct point place;
	char name[40];
};

#define POINT LEND_TYPE(struct point, 1)
#define TOWN  LEND_TYPE(struct town, 3)

static struct lend_arena *arena;

static bool detail_says(const char *part)
{
	return strstr(lend_error_detail(), part) != NULL;
}

static void make_arena(void)
{
	/* Not large, so that an offset may be in the arena and beyond its file, or beyond both. */
	struct lend_arena_options options = {.name = "roads", .reservation_bytes = 32 << 20};

	CU_ASSERT_EQUAL_FATAL(lend_arena_create(&options, &arena), 0);
}

static void drop_arena(void)
{
	CU_ASSERT_EQUAL(lend_arena_destroy(arena), 0);
}

static const void *get(const char *name, struct lend_type type)
{
	const void *object = NULL;

	return lend_root_get(arena, name, type, &object) ? NULL : object;
}

static int count_one(const struct lend_root *root, void *context)
{
	(void)root;
	++*(unsigned *)context;
	return 0;
}

static unsigned count_roots(void)
{
	unsigned count = 0;

	CU_ASSERT_EQUAL(lend_root_each(arena, count_one, &count), 0);
	return count;
}

CLEAN_TEST(root_is_found_by_its_name_until_unset)
{
	struct point *a;
	struct town *b;

	make_arena();
	a = lend_alloc_zeroed(arena, sizeof(*a));
	b = lend_alloc_zeroed(arena, sizeof(*b));
	CU_ASSERT_PTR_NULL(get("a", POINT));
	CU_ASSERT_TRUE(detail_says("no root \"a\""));
	CU_ASSERT_EQUAL(lend_root_set(arena, "a", POINT, a), 0);
	CU_ASSERT_EQUAL(lend_root_set(arena, "b", TOWN, b), 0);
	CU_ASSERT_PTR_EQUAL(get("a", POINT), a);
	CU_ASSERT_PTR_EQUAL(get("b", TOWN), b);
	CU_ASSERT_EQUAL(count_roots(), 2);
	CU_ASSERT_EQUAL(lend_root_unset(arena, "a"), 0);
	CU_ASSERT_PTR_NULL(get("a", POINT));
	CU_ASSERT_EQUAL(lend_root_unset(arena, "a"), -ENOENT);
	CU_ASSERT_PTR_EQUAL(get("b", TOWN), b);
	CU_ASSERT_EQUAL(count_roots(), 1);
	drop_arena();
}

CLEAN_TEST(root_taken_gives_its_object_and_is_gone)
{
	struct lend_type no_name = {NULL, 16, 8, 1};
	struct point *a;
	void *taken = &no_name;

	make_arena();
	a = lend_alloc_zeroed(arena, sizeof(*a));
	CU_ASSERT_EQUAL(lend_root_take(arena, "a", POINT, &taken), -ENOENT);
	CU_ASSERT_TRUE(detail_says("no root \"a\""));
	CU_ASSERT_EQUAL(lend_root_set(arena, "a", POINT, a), 0);
	CU_ASSERT_EQUAL(lend_root_take(arena, "a", TOWN, &taken), -EPROTOTYPE);
	CU_ASSERT_EQUAL(lend_root_take(arena, "", POINT, &taken), -EINVAL);
	CU_ASSERT_EQUAL(lend_root_take(arena, "a", no_name, &taken), -EINVAL);
	CU_ASSERT_EQUAL(lend_root_take(arena, "a", POINT, NULL), -EINVAL);
	CU_ASSERT_PTR_EQUAL(taken, &no_name);
	CU_ASSERT_PTR_EQUAL(get("a", POINT), a);
	CU_ASSERT_EQUAL(lend_root_take(arena, "a", POINT, &taken), 0);
	CU_ASSERT_PTR_EQUAL(taken, a);
	CU_ASSERT_PTR_NULL(get("a", POINT));
	CU_ASSERT_EQUAL(count_roots(), 0);
	CU_ASSERT_EQUAL(lend_root_add(arena, "a", POINT, a), 0);
	drop_arena();
}

CLEAN_TEST(root_of_another_type_is_refused_by_name)
{
	struct lend_type other = POINT;
	const void *object = &other;
	struct point *a;

	make_arena();
	a = lend_alloc_zeroed(arena, sizeof(*a));
	CU_ASSERT_EQUAL(lend_root_set(arena, "a", POINT, a), 0);
	CU_ASSERT_EQUAL(lend_root_get(arena, "a", TOWN, &object), -EPROTOTYPE);
	CU_ASSERT_PTR_EQUAL(object, &other);
	CU_ASSERT_TRUE(detail_says("struct point") && detail_says("struct town"));
	other.version = 2;
	CU_ASSERT_EQUAL(lend_root_get(arena, "a", other, &object), -EPROTOTYPE);
	CU_ASSERT_TRUE(detail_says("version 1") && detail_says("version 2"));
	other = POINT;
	other.bytes++;
	CU_ASSERT_EQUAL(lend_root_get(arena, "a", other, &object), -EPROTOTYPE);
	other = POINT;
	other.alignment *= 2;
	CU_ASSERT_EQUAL(lend_root_get(arena, "a", other, &object), -EPROTOTYPE);
	other = POINT;
	other.name = "struct poin";
	CU_ASSERT_EQUAL(lend_root_get(arena, "a", other, &object), -EPROTOTYPE);
	drop_arena();
}

/* Names longer than the table shows differ in what it does not show. */
CLEAN_TEST(root_types_with_long_names_differ)
{
	char one[200];
	char two[200];
	struct lend_type first = POINT;
	struct lend_type second = POINT;
	struct point *a;

	memset(one, 'n', sizeof(one) - 1);
	one[sizeof(one) - 1] = 0;
	memcpy(two, one, sizeof(two));
	two[150] = 'm';
	first.name = one;
	second.name = two;
	make_arena();
	a = lend_alloc_zeroed(arena, sizeof(*a));
	CU_ASSERT_EQUAL(lend_root_set(arena, "a", first, a), 0);
	CU_ASSERT_PTR_EQUAL(get("a", first), a);
	CU_ASSERT_PTR_NULL(get("a", second));
	drop_arena();
}

CLEAN_TEST(root_set_again_is_replaced_whatever_its_type)
{
	struct point *a;
	struct town *b;

	make_arena();
	a = lend_alloc_zeroed(arena, 2 * sizeof(*a));
	b = lend_alloc_zeroed(arena, sizeof(*b));
	CU_ASSERT_EQUAL(lend_root_set(arena, "a", POINT, a), 0);
	CU_ASSERT_EQUAL(lend_root_set(arena, "a", POINT, a + 1), 0);
	CU_ASSERT_PTR_EQUAL(get("a", POINT), a + 1);
	CU_ASSERT_EQUAL(lend_root_set(arena, "a", TOWN, b), 0);
	CU_ASSERT_PTR_EQUAL(get("a", TOWN), b);
	CU_ASSERT_PTR_NULL(get("a", POINT));
	CU_ASSERT_EQUAL(count_roots(), 1);
	drop_arena();
}

CLEAN_TEST(root_is_added_only_where_its_name_is_free)
{
	struct point *points;
	struct town *town;

	make_arena();
	points = lend_alloc_zeroed(arena, 2 * sizeof(*points));
	town = lend_alloc_zeroed(arena, sizeof(*town));
	CU_ASSERT_EQUAL(lend_root_add(arena, "p", POINT, &points[0]), 0);
	CU_ASSERT_EQUAL(lend_root_add(arena, "p", POINT, &points[1]), -EEXIST);
	CU_ASSERT(detail_says("\"p\" already"));
	CU_ASSERT_EQUAL(lend_root_add(arena, "p", TOWN, town), -EEXIST);
	CU_ASSERT_PTR_EQUAL(get("p", POINT), &points[0]);
	CU_ASSERT_EQUAL(lend_root_unset(arena, "p"), 0);
	CU_ASSERT_EQUAL(lend_root_add(arena, "p", TOWN, town), 0);
	CU_ASSERT_PTR_EQUAL(get("p", TOWN), town);
	drop_arena();
}

CLEAN_TEST(root_names_have_1_to_63_bytes)
{
	char name[80];
	struct point *a;

	make_arena();
	a = lend_alloc_zeroed(arena, sizeof(*a));
	memset(name, 'x', sizeof(name));
	name[63] = 0;
	CU_ASSERT_EQUAL(lend_root_set(arena, name, POINT, a), 0);
	CU_ASSERT_PTR_EQUAL(get(name, POINT), a);
	name[63] = 'x';
	name[64] = 0;
	CU_ASSERT_EQUAL(lend_root_set(arena, name, POINT, a), -EINVAL);
	CU_ASSERT_TRUE(detail_says("63"));
	CU_ASSERT_PTR_NULL(get(name, POINT));
	CU_ASSERT_EQUAL(lend_root_unset(arena, name), -EINVAL);
	CU_ASSERT_EQUAL(lend_root_set(arena, "", POINT, a), -EINVAL);
	CU_ASSERT_EQUAL(lend_root_set(arena, NULL, POINT, a), -EINVAL);
	CU_ASSERT_EQUAL(lend_root_unset(arena, NULL), -EINVAL);
	CU_ASSERT_PTR_NULL(get("", POINT));
	CU_ASSERT_EQUAL(lend_root_set(arena, "x", POINT, a), 0);
	CU_ASSERT_EQUAL(count_roots(), 2);
	drop_arena();
}

CLEAN_TEST(root_of_a_foreign_object_is_refused)
{
	struct lend_arena *other;
	struct lend_type huge = POINT;
	struct point *a;
	struct point *b;
	struct point here = {0, 0};

	make_arena();
	CU_ASSERT_EQUAL_FATAL(lend_arena_create(NULL, &other), 0);
	a = lend_alloc_zeroed(arena, sizeof(*a));
	b = lend_alloc_zeroed(other, sizeof(*b));
	CU_ASSERT_EQUAL(lend_root_set(arena, "a", POINT, &here), -EXDEV);
	CU_ASSERT_TRUE(detail_says("roads"));
	CU_ASSERT_EQUAL(lend_root_set(arena, "a", POINT, b), -EXDEV);
	CU_ASSERT_EQUAL(lend_root_set(arena, "a", POINT, NULL), -EXDEV);
	CU_ASSERT_EQUAL(lend_root_set(arena, "a", POINT, (void *)arena->base), -EXDEV);
	CU_ASSERT_EQUAL(lend_root_set(arena, "a", POINT, (void *)arena->books), -EXDEV);
	CU_ASSERT_EQUAL(lend_root_set(arena, "a", POINT,
				(void *)(arena->heap_base + arena->heap_bytes - 8)),
		-EXDEV);
	huge.bytes = UINT64_MAX;
	CU_ASSERT_EQUAL(lend_root_set(arena, "a", huge, a), -EXDEV);
	CU_ASSERT_EQUAL(count_roots(), 0);
	CU_ASSERT_EQUAL(lend_arena_destroy(other), 0);
	drop_arena();
}

CLEAN_TEST(root_of_a_misaligned_object_or_no_type_is_refused)
{
	struct lend_type type = POINT;
	char *a;

	make_arena();
	a = lend_alloc_zeroed(arena, 64);
	CU_ASSERT_EQUAL(lend_root_set(arena, "a", POINT, a + 4), -EINVAL);
	CU_ASSERT_TRUE(detail_says("aligned"));
	type.alignment = 3;
	CU_ASSERT_EQUAL(lend_root_set(arena, "a", type, a), -EINVAL);
	type = POINT;
	type.name = NULL;
	CU_ASSERT_EQUAL(lend_root_set(arena, "a", type, a), -EINVAL);
	CU_ASSERT_PTR_NULL(get("a", type));
	type = POINT;
	type.alignment = 0; /* unknown: no claim is made */
	CU_ASSERT_EQUAL(lend_root_set(arena, "a", type, a + 3), 0);
	CU_ASSERT_PTR_EQUAL(get("a", type), a + 3);
	drop_arena();
}

static const char *nth_name(unsigned n)
{
	static char name[32];

	(void)snprintf(name, sizeof(name), "root %u", n);
	return name;
}

CLEAN_TEST(root_4097_is_one_too_many)
{
	struct point *a;
	struct town *b;
	unsigned bad = 0;
	unsigned i;

	make_arena();
	a = lend_alloc_zeroed(arena, (LEND_ROOT_COUNT_MAX + 1) * sizeof(*a));
	b = lend_alloc_zeroed(arena, sizeof(*b));
	CU_ASSERT_PTR_NOT_NULL_FATAL(a);
	for (i = 0; i < LEND_ROOT_COUNT_MAX; i++)
		bad += lend_root_set(arena, nth_name(i), POINT, a + i) != 0;
	CU_ASSERT_EQUAL(bad, 0);
	CU_ASSERT_EQUAL(lend_root_set(arena, nth_name(i), POINT, a), -ENOSPC);
	CU_ASSERT_TRUE(detail_says("4096"));
	for (i = 0; i < LEND_ROOT_COUNT_MAX; i++)
		bad += get(nth_name(i), POINT) != a + i;
	CU_ASSERT_EQUAL(bad, 0);
	CU_ASSERT_PTR_NULL(get(nth_name(i), POINT));
	CU_ASSERT_EQUAL(count_roots(), LEND_ROOT_COUNT_MAX);
	/* Full is no reason not to replace one, be it by another type. */
	CU_ASSERT_EQUAL(lend_root_set(arena, nth_name(7), POINT, a), 0);
	CU_ASSERT_EQUAL(lend_root_set(arena, nth_name(8), TOWN, b), 0);
	CU_ASSERT_PTR_EQUAL(get(nth_name(8), TOWN), b);
	CU_ASSERT_EQUAL(lend_root_set(arena, "one more", POINT, a), -ENOSPC);
	CU_ASSERT_EQUAL(lend_root_unset(arena, nth_name(9)), 0);
	CU_ASSERT_EQUAL(lend_root_set(arena, "one more", POINT, a), 0);
	CU_ASSERT_EQUAL(lend_root_set(arena, nth_name(9), POINT, a), -ENOSPC);
	drop_arena();
}

/* Names come and go without end; the table does not fill with what was. */
CLEAN_TEST(root_names_long_gone_take_no_place)
{
	struct point *a;
	unsigned bad = 0;
	unsigned i;

	make_arena();
	a = lend_alloc_zeroed(arena, sizeof(*a));
	for (i = 0; i < 30000; i++) {
		bad += lend_root_set(arena, nth_name(i), POINT, a) != 0;
		if (i >= 100)
			bad += lend_root_unset(arena, nth_name(i - 100)) != 0;
	}
	CU_ASSERT_EQUAL(bad, 0);
	CU_ASSERT_EQUAL(count_roots(), 100);
	CU_ASSERT_PTR_EQUAL(get(nth_name(i - 1), POINT), a);
	CU_ASSERT_PTR_NULL(get(nth_name(i - 101), POINT));
	drop_arena();
}

static int stop_at_town(const struct lend_root *root, void *context)
{
	if (strcmp(root->type.name, "struct town") != 0)
		return 0;
	CU_ASSERT_STRING_EQUAL(root->name, "b");
	CU_ASSERT_EQUAL(root->type.version, 3);
	CU_ASSERT_EQUAL(root->type.bytes, sizeof(struct town));
	*(const void **)context = root->object;
	return 42;
}

CLEAN_TEST(root_each_shows_all_and_stops_when_told)
{
	const void *found = NULL;
	struct point *a;
	struct town *b;

	make_arena();
	a = lend_alloc_zeroed(arena, sizeof(*a));
	b = lend_alloc_zeroed(arena, sizeof(*b));
	CU_ASSERT_EQUAL(lend_root_each(arena, stop_at_town, &found), 0);
	CU_ASSERT_EQUAL(lend_root_set(arena, "a", POINT, a), 0);
	CU_ASSERT_EQUAL(lend_root_set(arena, "b", TOWN, b), 0);
	CU_ASSERT_EQUAL(lend_root_set(arena, "c", POINT, a), 0);
	CU_ASSERT_EQUAL(lend_root_each(arena, stop_at_town, &found), 42);
	CU_ASSERT_PTR_EQUAL(found, b);
	CU_ASSERT_EQUAL(lend_root_each(arena, NULL, NULL), -EINVAL);
	CU_ASSERT_EQUAL(lend_root_each(NULL, stop_at_town, &found), -EINVAL);
	drop_arena();
}

static int read_in_child(int parent, void *argument)
{
	(void)parent;
	CHILD_CHECK(get("a", POINT) == argument);
	CHILD_CHECK(((const struct point *)argument)->x == 7);
	CHILD_CHECK(lend_root_set(arena, "a", POINT, argument) == -EPERM);
	CHILD_CHECK(lend_root_set(arena, "b", POINT, argument) == -EPERM);
	CHILD_CHECK(lend_root_unset(arena, "a") == -EPERM);
	CHILD_CHECK(lend_root_take(arena, "a", POINT, &argument) == -EPERM);
	return 0;
}

CLEAN_TEST(root_of_a_forked_child_s_parent_can_be_read_only)
{
	struct point *a;

	make_arena();
	a = lend_alloc_zeroed(arena, sizeof(*a));
	a->x = 7;
	CU_ASSERT_EQUAL(lend_root_set(arena, "a", POINT, a), 0);
	CU_ASSERT_EQUAL(child_run(read_in_child, a), 0);
	CU_ASSERT_PTR_EQUAL(get("a", POINT), a);
	drop_arena();
}

CLEAN_TEST(root_of_a_destroyed_arena_is_stale)
{
	const void *object = NULL;
	unsigned count = 0;
	void *taken;

	make_arena();
	drop_arena();
	CU_ASSERT_EQUAL(lend_root_get(arena, "a", POINT, &object), -ESTALE);
	CU_ASSERT_EQUAL(lend_root_set(arena, "a", POINT, &count), -ESTALE);
	CU_ASSERT_EQUAL(lend_root_unset(arena, "a"), -ESTALE);
	CU_ASSERT_EQUAL(lend_root_take(arena, "a", POINT, &taken), -ESTALE);
	CU_ASSERT_EQUAL(lend_root_each(arena, count_one, &count), -ESTALE);
	CU_ASSERT_EQUAL(lend_root_get(NULL, "a", POINT, &object), -EINVAL);
	CU_ASSERT_EQUAL(lend_root_set(NULL, "a", POINT, &count), -EINVAL);
}

/*
 * Readers beside a writer, as threads on one mapping. "a" is there all the time, with an object
 * of the type it was found with; its entry is taken for other names as soon as it is replaced.
 */
enum { READERS = 2, TAKERS = 4 };

/* How often: enough to show a reader that looks away too early. */
static unsigned changes(void)
{
	if (under_valgrind())
		return 200;
	return under_slow_tool() ? 10000 : 100000;
}

static lend_word32 stop;

static void *read_changing(void *argument)
{
	uint64_t *bad = argument;
	const void *object;
	int err;

	while (!lend_load_acquire32(&stop)) {
		err = lend_root_get(arena, "a", POINT, &object);
		if (err == 0)
			*bad += ((const struct point *)object)->x != 1;
		else
			*bad += err != -EPROTOTYPE;
		err = lend_root_get(arena, "a", TOWN, &object);
		if (err == 0)
			*bad += ((const struct town *)object)->place.x != 2;
		else
			*bad += err != -EPROTOTYPE;
		err = lend_root_get(arena, "still", POINT, &object);
		*bad += err != 0;
		err = lend_root_get(arena, "never", POINT, &object);
		*bad += err != -ENOENT;
	}
	return NULL;
}

CLEAN_TEST(root_that_changes_is_always_found_whole)
{
	pthread_t threads[READERS];
	uint64_t bad[READERS][8] = {{0}};
	struct point *a;
	struct town *b;
	unsigned i;

	make_arena();
	a = lend_alloc_zeroed(arena, sizeof(*a));
	b = lend_alloc_zeroed(arena, sizeof(*b));
	a->x = 1;
	b->place.x = 2;
	lend_store_relaxed32(&stop, 0);
	CU_ASSERT_EQUAL(lend_root_set(arena, "a", POINT, a), 0);
	CU_ASSERT_EQUAL(lend_root_set(arena, "still", POINT, a), 0);
	for (i = 0; i < READERS; i++)
		CU_ASSERT_EQUAL_FATAL(
			pthread_create(&threads[i], NULL, read_changing, bad[i]), 0);
	for (i = 0; i < changes(); i++) {
		struct lend_type type = i % 2 ? POINT : TOWN;
		void *object = i % 2 ? (void *)a : (void *)b;

		(void)lend_root_set(arena, "a", type, object);
		(void)lend_root_set(arena, nth_name(i), POINT, a);
		(void)lend_root_unset(arena, nth_name(i));
		if (i % 64 == 0)
			(void)sched_yield();
	}
	lend_store_release32(&stop, 1);
	for (i = 0; i < READERS; i++) {
		(void)pthread_join(threads[i], NULL);
		CU_ASSERT_EQUAL(bad[i][0], 0);
	}
	CU_ASSERT_EQUAL(count_roots(), 2);
	drop_arena();
}

/* Threads that add, take and free one name: no object is taken twice, or lost. */
static void *add_and_take(void *argument)
{
	struct point *next = lend_alloc_zeroed(arena, sizeof(*next));
	uint64_t *bad = argument;
	unsigned i;

	for (i = 0; i < changes() / 4; i++) {
		struct point *mine = next;
		void *taken;
		int err;

		/* Before what is taken is free, so that the next one has another address. */
		next = lend_alloc_zeroed(arena, sizeof(*next));
		mine->x = 7;
		err = lend_root_add(arena, "a", POINT, mine);
		if (err)
			lend_free_sized(arena, mine, sizeof(*mine));
		*bad += err && err != -EEXIST;
		err = lend_root_take(arena, "a", POINT, &taken);
		if (err == 0) {
			*bad += ((struct point *)taken)->x != 7;
			((struct point *)taken)->x = 0;
			lend_free_sized(arena, taken, sizeof(struct point));
		}
		*bad += err && err != -ENOENT;
	}
	lend_free_sized(arena, next, sizeof(*next));
	return NULL;
}

CLEAN_TEST(root_object_is_taken_by_one_thread)
{
	struct lend_arena_stats stats = {.struct_bytes = sizeof(stats)};
	pthread_t threads[TAKERS];
	uint64_t bad[TAKERS][8] = {{0}};
	int i;

	make_arena();
	for (i = 0; i < TAKERS; i++)
		CU_ASSERT_EQUAL_FATAL(
			pthread_create(&threads[i], NULL, add_and_take, bad[i]), 0);
	for (i = 0; i < TAKERS; i++) {
		(void)pthread_join(threads[i], NULL);
		CU_ASSERT_EQUAL(bad[i][0], 0);
	}
	CU_ASSERT_EQUAL(count_roots(), 0);
	CU_ASSERT_EQUAL(lend_arena_stats(arena, &stats), 0);
	CU_ASSERT_EQUAL(stats.live_count, 0);
	drop_arena();
}

/* The same from another process, whose view of the table is its own mapping. */
static int borrow_changing(int parent, void *argument)
{
	const struct lend_arena *borrowed;
	uint64_t bad = 0;
	unsigned i;

	(void)argument;
	/* The fork was made before any arena: this mapping comes from the offer alone. */
	CHILD_CHECK(offer_receive_arena(parent, &borrowed) == 0);
	arena = (struct lend_arena *)(uintptr_t)borrowed;
	CHILD_CHECK(child_tell(parent));
	for (i = 0; i < changes() / 4; i++) {
		const void *object;
		int err = lend_root_get(borrowed, "a", POINT, &object);

		bad += err ? err != -EPROTOTYPE : ((const struct point *)object)->x != 1;
		err = lend_root_get(borrowed, "a", TOWN, &object);
		bad += err ? err != -EPROTOTYPE : ((const struct town *)object)->place.x != 2;
	}
	CHILD_CHECK(bad == 0);
	CHILD_CHECK(lend_root_set(arena, "a", POINT, arena) == -EPERM);
	CHILD_CHECK(lend_root_unset(arena, "a") == -EPERM);
	CHILD_CHECK(lendi_arena_detach(borrowed) == 0);
	CHILD_CHECK(lend_root_get(borrowed, "a", POINT, (const void **)&arena) == -ESTALE);
	CHILD_CHECK(child_tell(parent));
	return 0;
}

CLEAN_TEST(root_that_changes_is_found_whole_by_a_borrower)
{
	struct child child = child_start(borrow_changing, NULL);
	struct point *a;
	struct town *b;
	unsigned i;

	make_arena();
	a = lend_alloc_zeroed(arena, sizeof(*a));
	b = lend_alloc_zeroed(arena, sizeof(*b));
	a->x = 1;
	b->place.x = 2;
	CU_ASSERT_EQUAL(lend_root_set(arena, "a", POINT, a), 0);
	CU_ASSERT_TRUE(offer_send_arena(child.sock, arena));
	CU_ASSERT_TRUE(child_await(child.sock));
	for (i = 0; i < changes(); i++) {
		struct lend_type type = i % 2 ? POINT : TOWN;

		(void)lend_root_set(arena, "a", type, i % 2 ? (void *)a : (void *)b);
		(void)lend_root_set(arena, nth_name(i), POINT, a);
		(void)lend_root_unset(arena, nth_name(i));
	}
	CU_ASSERT_TRUE(child_await(child.sock));
	CU_ASSERT_EQUAL(child_end(&child), 0);
	drop_arena();
}

/*
 * A ruined table. The parent owns the arena and writes rubbish where roots are; the child has it
 * borrowed, asks for all it knows, and touches every object it is given.
 */
static unsigned touch(const void *object, uint64_t bytes)
{
	const volatile unsigned char *at = object;
	unsigned sum = 0;

	if (bytes)
		sum = (unsigned)at[0] + at[bytes / 2] + at[bytes - 1];
	return sum;
}

static int touch_root(const struct lend_root *root, void *context)
{
	*(unsigned *)context += touch(root->object, root->type.bytes);
	*(unsigned *)context += (unsigned)(strlen(root->name) + strlen(root->type.name));
	return 0;
}

static void ask_for_all(const struct lend_arena *from)
{
	const void *object;
	unsigned sum = 0;
	unsigned i;

	for (i = 0; i < 8; i++)
		if (lend_root_get(from, nth_name(i), POINT, &object) == 0)
			sum += touch(object, sizeof(struct point));
	(void)lend_root_each(from, touch_root, &sum);
}

static int borrow_ruined(int parent, void *argument)
{
	const struct lend_arena *borrowed;

	(void)argument;
	CHILD_CHECK(offer_receive_arena(parent, &borrowed) == 0);
	ask_for_all(borrowed);
	CHILD_CHECK(child_tell(parent));
	while (child_await(parent)) {
		ask_for_all(borrowed);
		CHILD_CHECK(child_tell(parent));
	}
	CHILD_CHECK(lendi_arena_detach(borrowed) == 0);
	return 0;
}

/* One more look of the child, and of the owner itself. */
static void show(struct child *child)
{
	unsigned i;

	CU_ASSERT_TRUE(child_tell(child->sock));
	CU_ASSERT_TRUE_FATAL(child_await(child->sock));
	ask_for_all(arena);
	for (i = 0; i < 8; i++) {
		(void)lend_root_set(arena, nth_name(i), TOWN, (void *)arena->heap_base);
		(void)lend_root_unset(arena, nth_name(i));
	}
	(void)lend_root_set(arena, "new", POINT, (void *)arena->heap_base);
}

CLEAN_TEST(root_table_in_ruins_harms_nobody)
{
	const uint32_t words[] = {
		1, 8, 4096, 4097, 4098, 0x7fffffff, 0xfffffffe, 0xffffffff, 0};
	const uint64_t offsets[] = {0, 1, 4096, LENDI_HEADER_BYTES - 8, LENDI_HEADER_BYTES + 1,
		LENDI_HEADER_BYTES + (UINT64_C(16) << 20), LENDI_DATA_SLOT_BYTES - 8,
		LENDI_DATA_SLOT_BYTES, UINT64_C(1) << 47, UINT64_MAX - 7, UINT64_MAX};
	struct child child = child_start(borrow_ruined, NULL);
	static char whole[1 << 20];
	const size_t roots_bytes = LENDI_ROOTS_END;
	struct lend_root_shm *entries;
	lend_word32 *index;
	struct point *a;
	uint64_t seed = 1;
	unsigned i;
	size_t k;

	make_arena();
	a = lend_alloc_zeroed(arena, 8 * sizeof(*a));
	for (i = 0; i < 8; i++)
		CU_ASSERT_EQUAL(lend_root_set(arena, nth_name(i), POINT, a + i), 0);
	CU_ASSERT_TRUE(offer_send_arena(child.sock, arena));
	CU_ASSERT_TRUE_FATAL(child_await(child.sock));
	index = (lend_word32 *)(arena->base + LENDI_ROOT_INDEX_AT);
	entries = (struct lend_root_shm *)(arena->base + LENDI_ROOT_ENTRY_AT);
	memcpy(whole, (void *)(arena->base + 4096), roots_bytes - 4096);

	/* Index words: all the same, all beyond the table. */
	for (k = 0; k < sizeof(words) / sizeof(words[0]); k++) {
		for (i = 0; i < LENDI_ROOT_INDEX_COUNT; i++)
			lend_store_relaxed32(&index[i], words[k]);
		show(&child);
		memcpy((void *)(arena->base + 4096), whole, roots_bytes - 4096);
	}
	/* Sequences that are odd for ever, in every entry the index names. */
	for (i = 0; i < 8; i++)
		lend_store_relaxed32(&entries[i].sequence, 1);
	show(&child);
	for (i = 0; i < LENDI_ROOT_INDEX_COUNT; i++)
		lend_store_relaxed32(&index[i], i % 8 + 1);
	for (i = 0; i < 8; i++)
		lend_store_relaxed32(&entries[i].sequence, 1);
	show(&child);
	memcpy((void *)(arena->base + 4096), whole, roots_bytes - 4096);
	/* Objects that are nowhere: in the header, past the file, past the arena. */
	for (k = 0; k < sizeof(offsets) / sizeof(offsets[0]); k++) {
		for (i = 0; i < 8; i++)
			lend_store_relaxed64(&entries[i].object, offsets[k]);
		show(&child);
		memcpy((void *)(arena->base + 4096), whole, roots_bytes - 4096);
	}
	/* Types that are larger than the arena, names without an end. */
	for (i = 0; i < 8; i++)
		entries[i].type_bytes = UINT64_MAX - i;
	show(&child);
	memcpy((void *)(arena->base + 4096), whole, roots_bytes - 4096);
	for (i = 0; i < 8; i++)
		memset(entries[i].name, 'x', sizeof(entries[i].name));
	show(&child);
	memcpy((void *)(arena->base + 4096), whole, roots_bytes - 4096);
	for (i = 0; i < 8; i++)
		memset(entries[i].type_name, 'x', sizeof(entries[i].type_name));
	show(&child);
	/* Noise over all of it. */
	for (k = 0; k < 20; k++) {
		for (i = 0; i < 20000; i++) {
			seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
			((char *)arena->base + 4096)[(seed >> 33) % (64 << 10)] =
				(char)(seed >> 24);
		}
		show(&child);
	}
	(void)close(child.sock);
	child.sock = -1;
	CU_ASSERT_EQUAL(child_end(&child), 0);
	drop_arena();
}

static const struct suite_test tests[] = {
	SUITE_TEST(root_is_found_by_its_name_until_unset),
	SUITE_TEST(root_taken_gives_its_object_and_is_gone),
	SUITE_TEST(root_of_another_type_is_refused_by_name),
	SUITE_TEST(root_types_with_long_names_differ),
	SUITE_TEST(root_set_again_is_replaced_whatever_its_type),
	SUITE_TEST(root_is_added_only_where_its_name_is_free),
	SUITE_TEST(root_names_have_1_to_63_bytes),
	SUITE_TEST(root_of_a_foreign_object_is_refused),
	SUITE_TEST(root_of_a_misaligned_object_or_no_type_is_refused),
	SUITE_TEST(root_4097_is_one_too_many),
	SUITE_TEST(root_names_long_gone_take_no_place),
	SUITE_TEST(root_each_shows_all_and_stops_when_told),
	SUITE_TEST(root_of_a_forked_child_s_parent_can_be_read_only),
	SUITE_TEST(root_of_a_destroyed_arena_is_stale),
	SUITE_TEST(root_that_changes_is_always_found_whole),
	SUITE_TEST(root_object_is_taken_by_one_thread),
	SUITE_TEST(root_that_changes_is_found_whole_by_a_borrower),
	SUITE_TEST(root_table_in_ruins_harms_nobody),
};

SUITE_MAIN("root", tests)
