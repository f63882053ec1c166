/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Vectors in an arena: of numbers, of strings, of vectors, of over-aligned elements; what each
 * function does, and what each leaves when there is no memory.
 */
#include <errno.h>
#include <string.h>

#include <lendheap/string.h>

#define LEND_VECTOR      numbers
#define LEND_VECTOR_TYPE uint64_t
#include <lendheap/vector.h>

#define LEND_VECTOR                      names
#define LEND_VECTOR_TYPE                 struct lend_string_shm
#define LEND_VECTOR_MOVE(to, from)       lend_string_move(to, from)
#define LEND_VECTOR_FINI(arena, element) lend_string_fini(element, arena)
#include <lendheap/vector.h>

/* A vector of vectors. */
#define LEND_VECTOR                      rows
#define LEND_VECTOR_TYPE                 struct names
#define LEND_VECTOR_MOVE(to, from)       names_move(to, from)
#define LEND_VECTOR_FINI(arena, element) names_fini(element, arena)
#include <lendheap/vector.h>

struct wide {
	_Alignas(64) uint64_t number;
	uint8_t rest[56];
};

#define LEND_VECTOR      wides
#define LEND_VECTOR_TYPE struct wide
#include <lendheap/vector.h>

struct odd {
	uint8_t bytes[24];
};

#define LEND_VECTOR      odds
#define LEND_VECTOR_TYPE struct odd
#include <lendheap/vector.h>

#include "support/full.h"
#include "support/heap.h"
#include "support/suite.h"

static struct lend_arena *arena;

static uint64_t live(void)
{
	return heap_stats(arena).live_count;
}

/* count numbers from 0 up. */
static struct numbers *make_numbers(uint64_t count)
{
	struct numbers *v = lend_alloc_zeroed(arena, sizeof(*v));
	uint64_t i;

	CU_ASSERT_PTR_NOT_NULL_FATAL(v);
	for (i = 0; i < count; i++)
		if (numbers_push_back(v, arena, i))
			break;
	CU_ASSERT_EQUAL_FATAL(i, count);
	return v;
}

static void drop_numbers(struct numbers *v)
{
	numbers_fini(v, arena);
	lend_free_sized(arena, v, sizeof(*v));
}

static int equals(const struct numbers *v, const uint64_t *wanted, uint64_t count)
{
	return numbers_check(v, arena) == 0 && numbers_count(v) == count &&
	       (count == 0 || memcmp(numbers_data(v), wanted, count * sizeof(*wanted)) == 0);
}

static void name(struct lend_string_shm *string, uint64_t number)
{
	char text[64];

	/* Some inline, some not. */
	(void)snprintf(text, sizeof(text), "%s %llu",
		number % 3 ? "short" : "a name that is too long to be inline",
		(unsigned long long)number);
	lend_string_init(string);
	CU_ASSERT_EQUAL_FATAL(lend_string_set(string, arena, lend_view_of(text)), 0);
}

static int is_named(const struct lend_string_shm *string, uint64_t number)
{
	char text[64];

	(void)snprintf(text, sizeof(text), "%s %llu",
		number % 3 ? "short" : "a name that is too long to be inline",
		(unsigned long long)number);
	return lend_string_check(string, arena) == 0 &&
	       lend_view_equal(lend_string_view(string), lend_view_of(text));
}

static void push_name(struct names *v, uint64_t number)
{
	struct lend_string_shm string;

	name(&string, number);
	CU_ASSERT_EQUAL_FATAL(names_push_back(v, arena, &string), 0);
}

static void zeroed_memory_is_the_empty_vector(void)
{
	struct numbers v;

	memset((void *)&v, 0xff, sizeof(v));
	numbers_init(&v);
	CU_ASSERT_TRUE(heap_is_zero(&v, sizeof(v)));
	CU_ASSERT_EQUAL(numbers_count(&v), 0);
	CU_ASSERT_EQUAL(numbers_capacity(&v), 0);
	CU_ASSERT_PTR_NULL(numbers_data(&v));
	CU_ASSERT_PTR_NULL(numbers_first(&v));
	CU_ASSERT_PTR_NULL(numbers_last(&v));
	CU_ASSERT_EQUAL(numbers_check(&v, NULL), 0);
	numbers_clear(&v, arena);
	CU_ASSERT_EQUAL(numbers_shrink(&v, arena), 0);
	CU_ASSERT_EQUAL(numbers_resize(&v, arena, 0), 0);
	CU_ASSERT_EQUAL(numbers_reserve(&v, arena, 0), 0);
	CU_ASSERT_PTR_NULL(numbers_data(&v));
	numbers_fini(&v, arena);
	CU_ASSERT_TRUE(heap_is_zero(&v, sizeof(v)));
}

/* Past the sizes where the block grows in place. */
static void pushed_elements_stay_in_order(void)
{
	uint64_t count = 300000;
	struct numbers *v = make_numbers(count);
	uint64_t i;

	CU_ASSERT_EQUAL(numbers_count(v), count);
	for (i = 0; i < count; i++)
		if (*numbers_at(v, i) != i)
			break;
	CU_ASSERT_EQUAL(i, count);
	CU_ASSERT_EQUAL(*numbers_first(v), 0);
	CU_ASSERT_EQUAL(*numbers_last(v), count - 1);
	CU_ASSERT_EQUAL(numbers_check(v, arena), 0);
	drop_numbers(v);
}

static void pushing_grows_in_proportion(void)
{
	struct numbers *v = make_numbers(0);
	uint64_t capacity = 0;
	int growths = 0;
	int err = 0;
	uint64_t i;

	for (i = 0; i < 200000 && !err; i++) {
		err = numbers_push_back(v, arena, i);
		growths += numbers_capacity(v) != capacity;
		capacity = numbers_capacity(v);
	}
	CU_ASSERT_EQUAL(err, 0);
	CU_ASSERT_TRUE(growths < 25);
	drop_numbers(v);
}

static void an_element_of_the_vector_is_pushed(void)
{
	struct numbers *v = make_numbers(8);
	uint64_t i;

	for (i = 0; i < 1000; i++)
		CU_ASSERT_EQUAL(numbers_push_back(v, arena, *numbers_at(v, 7)), 0);
	CU_ASSERT_EQUAL(numbers_insert_at(v, arena, 0, *numbers_last(v)), 0);
	CU_ASSERT_EQUAL(*numbers_first(v), 7);
	CU_ASSERT_EQUAL(*numbers_last(v), 7);
	drop_numbers(v);
}

/* Into none, into room there is, beyond it, and where the block grows in place. */
static void appended_elements_are_copied_in_order(void)
{
	static uint64_t many[20000];
	struct numbers *v = make_numbers(0);
	const uint64_t *data;
	uint64_t i;

	for (i = 0; i < HEAP_COUNT(many); i++)
		many[i] = i;
	CU_ASSERT_EQUAL(numbers_append(v, arena, NULL, 0), 0);
	CU_ASSERT_EQUAL(numbers_append(v, arena, many, 0), 0);
	CU_ASSERT_PTR_NULL(numbers_data(v));
	CU_ASSERT_EQUAL(numbers_append(v, arena, many, 100), 0);
	CU_ASSERT_TRUE(numbers_capacity(v) < 200); /* it did not double up to there */
	CU_ASSERT_TRUE(equals(v, many, 100));
	CU_ASSERT_EQUAL(numbers_reserve(v, arena, 1000), 0);
	data = numbers_data(v);
	CU_ASSERT_EQUAL(numbers_append(v, arena, many + 100, 900), 0);
	CU_ASSERT_PTR_EQUAL(numbers_data(v), data);
	CU_ASSERT_EQUAL(numbers_append(v, arena, many + 1000, 9000), 0);
	CU_ASSERT_EQUAL(numbers_append(v, arena, many + 10000, 10000), 0);
	CU_ASSERT_TRUE(equals(v, many, 20000));
	drop_numbers(v);
}

static void a_vector_s_own_elements_are_appended(void)
{
	struct numbers *v = make_numbers(3);
	uint64_t count = 3;
	uint64_t i;

	while (count < 100000) {
		CU_ASSERT_EQUAL_FATAL(numbers_append(v, arena, numbers_data(v), count), 0);
		count *= 2;
		CU_ASSERT_EQUAL_FATAL(numbers_count(v), count);
	}
	CU_ASSERT_EQUAL(numbers_append(v, arena, numbers_at(v, 1), 4), 0);
	for (i = 0; i < count; i++)
		if (*numbers_at(v, i) != i % 3)
			break;
	CU_ASSERT_EQUAL(i, count);
	CU_ASSERT_EQUAL(*numbers_at(v, count), 1);
	CU_ASSERT_EQUAL(*numbers_last(v), 1);
	drop_numbers(v);
}

static void appending_grows_in_proportion(void)
{
	static const uint64_t three[] = {0, 1, 2};
	struct numbers *v = make_numbers(0);
	uint64_t capacity = 0;
	int growths = 0;
	int i;

	for (i = 0; i < 40000; i++) {
		CU_ASSERT_EQUAL_FATAL(numbers_append(v, arena, three, 3), 0);
		growths += numbers_capacity(v) != capacity;
		capacity = numbers_capacity(v);
	}
	CU_ASSERT_TRUE(growths < 30);
	CU_ASSERT_EQUAL(numbers_check(v, arena), 0);
	drop_numbers(v);
}

static void appended_strings_are_moved(void)
{
	struct lend_string_shm strings[50];
	uint64_t before = live();
	struct names v;
	uint64_t i;

	names_init(&v);
	push_name(&v, 0);
	for (i = 0; i < 50; i++)
		name(&strings[i], i + 1);
	CU_ASSERT_EQUAL(names_append(&v, arena, strings, 50), 0);
	for (i = 0; i < 51; i++)
		CU_ASSERT_TRUE(is_named(names_at(&v, i), i));
	names_fini(&v, arena);
	CU_ASSERT_EQUAL(live(), before);
}

static void inserted_and_erased_elements_leave_the_others_in_order(void)
{
	static const uint64_t wanted[] = {0, 1, 2, 3, 4, 5, 6, 7, 8};
	static const uint64_t fewer[] = {1, 2, 3, 5, 6, 7};
	static const uint64_t unordered[] = {7, 2, 6, 5};
	struct numbers *v = make_numbers(0);
	uint64_t *place;

	CU_ASSERT_EQUAL(numbers_insert_at(v, arena, 0, 4), 0);
	CU_ASSERT_EQUAL(numbers_insert_at(v, arena, 0, 1), 0);
	CU_ASSERT_EQUAL(numbers_insert_at(v, arena, 2, 8), 0);
	CU_ASSERT_EQUAL(numbers_insert_at(v, arena, 2, 6), 0);
	CU_ASSERT_EQUAL(numbers_insert_at(v, arena, 2, 5), 0);
	CU_ASSERT_EQUAL(numbers_insert_at(v, arena, 1, 3), 0);
	CU_ASSERT_EQUAL(numbers_insert_at(v, arena, 1, 2), 0);
	CU_ASSERT_EQUAL(numbers_insert_at(v, arena, 6, 7), 0);
	place = numbers_emplace_at(v, arena, 0);
	CU_ASSERT_PTR_NOT_NULL_FATAL(place);
	*place = 0;
	CU_ASSERT_TRUE(equals(v, wanted, 9));
	numbers_erase_at(v, arena, 8);
	numbers_erase_at(v, arena, 0);
	numbers_erase_at(v, arena, 3);
	CU_ASSERT_TRUE(equals(v, fewer, 6));
	numbers_erase_unordered(v, arena, 0);
	numbers_erase_unordered(v, arena, 2);
	CU_ASSERT_TRUE(equals(v, unordered, 4));
	numbers_erase_unordered(v, arena, 3);
	numbers_pop_back(v, arena);
	CU_ASSERT_TRUE(equals(v, unordered, 2));
	numbers_pop_back(v, arena);
	numbers_pop_back(v, arena);
	CU_ASSERT_TRUE(equals(v, NULL, 0));
	drop_numbers(v);
}

static void resizing_zeroes_what_is_new(void)
{
	static const uint64_t wanted[] = {0, 1, 0, 0, 0};
	struct numbers *v = make_numbers(4);

	CU_ASSERT_EQUAL(numbers_resize(v, arena, 2), 0);
	CU_ASSERT_EQUAL(numbers_resize(v, arena, 5), 0);
	CU_ASSERT_TRUE(equals(v, wanted, 5));
	CU_ASSERT_EQUAL(numbers_resize(v, arena, 50000), 0);
	CU_ASSERT_EQUAL(numbers_count(v), 50000);
	CU_ASSERT_TRUE(heap_is_zero(numbers_at(v, 2), 49998 * sizeof(uint64_t)));
	numbers_clear(v, arena);
	CU_ASSERT_TRUE(equals(v, NULL, 0));
	CU_ASSERT_TRUE(numbers_capacity(v) >= 50000);
	drop_numbers(v);
}

static void reserved_room_is_used_without_memory(void)
{
	struct numbers *v = make_numbers(1);
	const uint64_t *data;
	uint64_t before;
	uint64_t i;

	CU_ASSERT_EQUAL(numbers_reserve(v, arena, 1000), 0);
	data = numbers_data(v);
	before = live();
	for (i = 1; i < 1000; i++)
		CU_ASSERT_EQUAL(numbers_push_back(v, arena, i), 0);
	CU_ASSERT_PTR_EQUAL(numbers_data(v), data);
	CU_ASSERT_EQUAL(live(), before);
	CU_ASSERT_EQUAL(numbers_resize(v, arena, 5), 0);
	CU_ASSERT_EQUAL(numbers_shrink(v, arena), 0);
	CU_ASSERT_TRUE(numbers_capacity(v) < 10);
	CU_ASSERT_EQUAL(*numbers_last(v), 4);
	CU_ASSERT_EQUAL(numbers_resize(v, arena, 40000), 0);
	CU_ASSERT_EQUAL(numbers_resize(v, arena, 20000), 0);
	CU_ASSERT_EQUAL(numbers_shrink(v, arena), 0);
	CU_ASSERT_TRUE(numbers_capacity(v) < 24000);
	CU_ASSERT_EQUAL(*numbers_at(v, 4), 4);
	numbers_clear(v, arena);
	CU_ASSERT_EQUAL(numbers_shrink(v, arena), 0);
	CU_ASSERT_EQUAL(numbers_capacity(v), 0);
	CU_ASSERT_EQUAL(live(), before - 1);
	drop_numbers(v);
}

static void aligned_and_odd_elements_are_placed_right(void)
{
	struct wides w;
	struct odds o;
	uint64_t i;

	wides_init(&w);
	odds_init(&o);
	for (i = 0; i < 2000; i++) {
		struct wide *wide = wides_emplace(&w, arena);
		struct odd *odd = odds_emplace(&o, arena);

		CU_ASSERT_PTR_NOT_NULL_FATAL(wide);
		CU_ASSERT_PTR_NOT_NULL_FATAL(odd);
		wide->number = i;
		heap_fill(odd, sizeof(*odd), i);
	}
	CU_ASSERT_EQUAL((uintptr_t)wides_data(&w) % 64, 0);
	for (i = 0; i < 2000; i++)
		if (wides_at(&w, i)->number != i ||
			!heap_is_filled(odds_at(&o, i), sizeof(struct odd), i))
			break;
	CU_ASSERT_EQUAL(i, 2000);
	CU_ASSERT_EQUAL(wides_check(&w, NULL), 0);
	CU_ASSERT_EQUAL(odds_check(&o, NULL), 0);
	wides_fini(&w, arena);
	odds_fini(&o, arena);
}

static void moved_and_swapped_vectors_hold(void)
{
	static const uint64_t wanted[] = {0, 1, 2, 3, 4};
	struct numbers *a = make_numbers(5);
	struct numbers *b = make_numbers(3);
	struct numbers *moved = lend_alloc(arena, sizeof(*moved));
	struct numbers copied;

	memcpy((void *)&copied, a, sizeof(copied));
	CU_ASSERT_PTR_NOT_EQUAL(numbers_data(&copied), numbers_data(a));
	numbers_swap(a, b);
	CU_ASSERT_TRUE(equals(a, wanted, 3));
	CU_ASSERT_TRUE(equals(b, wanted, 5));
	numbers_swap(a, a);
	CU_ASSERT_TRUE(equals(a, wanted, 3));
	CU_ASSERT_PTR_NOT_NULL_FATAL(moved);
	numbers_move(moved, a);
	CU_ASSERT_TRUE(equals(moved, wanted, 3));
	drop_numbers(moved);
	numbers_init(a);
	drop_numbers(a);
	drop_numbers(b);
}

static void strings_move_with_their_vector(void)
{
	struct names v;
	struct lend_string_shm string;
	uint64_t before = live();
	uint64_t i;

	names_init(&v);
	for (i = 0; i < 3000; i++)
		push_name(&v, i);
	for (i = 0; i < 3000; i++)
		if (!is_named(names_at(&v, i), i))
			break;
	CU_ASSERT_EQUAL(i, 3000);
	name(&string, 9000);
	CU_ASSERT_EQUAL(names_insert_at(&v, arena, 1, &string), 0);
	CU_ASSERT_TRUE(is_named(names_at(&v, 0), 0));
	CU_ASSERT_TRUE(is_named(names_at(&v, 1), 9000));
	CU_ASSERT_TRUE(is_named(names_at(&v, 4), 3));
	CU_ASSERT_TRUE(is_named(names_last(&v), 2999));
	names_erase_at(&v, arena, 0);
	CU_ASSERT_TRUE(is_named(names_first(&v), 9000));
	CU_ASSERT_TRUE(is_named(names_at(&v, 3), 3));
	names_erase_unordered(&v, arena, 3);
	CU_ASSERT_TRUE(is_named(names_at(&v, 3), 2999));
	names_erase_unordered(&v, arena, names_count(&v) - 1);
	names_pop_back(&v, arena);
	CU_ASSERT_TRUE(is_named(names_last(&v), 2996));
	CU_ASSERT_EQUAL(names_resize(&v, arena, 10), 0);
	CU_ASSERT_EQUAL(names_shrink(&v, arena), 0);
	CU_ASSERT_EQUAL(names_resize(&v, arena, 12), 0);
	CU_ASSERT_EQUAL(lend_string_bytes(names_last(&v)), 0);
	CU_ASSERT_TRUE(is_named(names_at(&v, 9), 9));
	CU_ASSERT_EQUAL(names_check(&v, NULL), 0);
	names_fini(&v, arena);
	CU_ASSERT_EQUAL(live(), before);
}

static void vectors_move_with_their_vector(void)
{
	struct rows rows;
	uint64_t before = live();
	uint64_t i;

	rows_init(&rows);
	for (i = 0; i < 2000; i++) {
		if (i % 20 == 0) {
			CU_ASSERT_PTR_NOT_NULL_FATAL(rows_emplace_at(&rows, arena, 0));
			names_init(rows_first(&rows));
		}
		push_name(rows_first(&rows), i);
	}
	CU_ASSERT_EQUAL(rows_count(&rows), 100);
	for (i = 0; i < 2000; i++)
		if (!is_named(names_at(rows_at(&rows, 99 - i / 20), i % 20), i))
			break;
	CU_ASSERT_EQUAL(i, 2000);
	rows_erase_at(&rows, arena, 50);
	CU_ASSERT_TRUE(is_named(names_first(rows_at(&rows, 50)), 960));
	rows_fini(&rows, arena);
	CU_ASSERT_EQUAL(live(), before);
}

static void too_many_elements_are_refused(void)
{
	static const uint64_t elements[1];
	struct numbers *v = make_numbers(3);
	struct numbers before;

	memcpy((void *)&before, v, sizeof(before));
	CU_ASSERT_EQUAL(numbers_reserve(v, arena, UINT64_MAX), -ENOMEM);
	CU_ASSERT_EQUAL(numbers_reserve(v, arena, UINT64_MAX / 8 + 2), -ENOMEM);
	CU_ASSERT_EQUAL(numbers_resize(v, arena, UINT64_C(1) << 61), -ENOMEM);
	CU_ASSERT_EQUAL(numbers_append(v, arena, elements, UINT64_MAX), -ENOMEM);
	CU_ASSERT_EQUAL(numbers_append(v, arena, elements, UINT64_C(1) << 46), -ENOMEM);
	CU_ASSERT_EQUAL(memcmp(&before, v, sizeof(before)), 0);
	drop_numbers(v);
}

/* Each call that allocates. */
static int numbers_fail_all(struct numbers *v, int wanted)
{
	static const uint64_t many[10];
	struct numbers before;
	int faults = 0;

	memcpy((void *)&before, v, sizeof(before));
	faults += numbers_push_back(v, arena, 1) != wanted;
	faults += numbers_insert_at(v, arena, 0, 1) != wanted;
	faults += numbers_append(v, arena, many, HEAP_COUNT(many)) != wanted;
	errno = 0;
	faults += numbers_emplace(v, arena) != NULL || errno != -wanted;
	faults += numbers_emplace_at(v, arena, 0) != NULL;
	faults += numbers_reserve(v, arena, numbers_capacity(v) + 1) != wanted;
	faults += numbers_resize(v, arena, numbers_capacity(v) + 1) != wanted;
	return faults + (memcmp(&before, v, sizeof(before)) != 0);
}

static int names_fail_all(struct names *v, int wanted)
{
	struct lend_string_shm spare;
	struct names before;
	int faults = 0;

	memcpy((void *)&before, v, sizeof(before));
	lend_string_init(&spare);
	faults += names_push_back(v, arena, &spare) != wanted;
	faults += names_insert_at(v, arena, 0, &spare) != wanted;
	faults += names_append(v, arena, &spare, 1) != wanted;
	faults += names_emplace(v, arena) != NULL;
	faults += names_reserve(v, arena, names_capacity(v) + 1) != wanted;
	faults += names_resize(v, arena, names_capacity(v) + 1) != wanted;
	return faults + (memcmp(&before, v, sizeof(before)) != 0);
}

static void without_memory_a_vector_is_as_it_was(void)
{
	struct numbers *none = make_numbers(0);
	struct numbers *small = make_numbers(8);
	struct numbers *large = make_numbers(30000);
	struct names names;
	void *taken;
	uint64_t i;

	CU_ASSERT_EQUAL(numbers_resize(large, arena, numbers_capacity(large)), 0);
	names_init(&names);
	for (i = 0; i < 2 || names_count(&names) < names_capacity(&names); i++)
		push_name(&names, i);
	taken = full_take(arena);
	CU_ASSERT_EQUAL(numbers_fail_all(none, -EDQUOT), 0);
	CU_ASSERT_EQUAL(numbers_fail_all(small, -EDQUOT), 0);
	CU_ASSERT_EQUAL(numbers_fail_all(large, -EDQUOT), 0);
	CU_ASSERT_EQUAL(names_fail_all(&names, -EDQUOT), 0);
	CU_ASSERT_EQUAL(numbers_resize(small, arena, 2), 0);
	CU_ASSERT_EQUAL(numbers_shrink(small, arena), -EDQUOT);
	CU_ASSERT_EQUAL(numbers_capacity(small), 8);
	full_give_back(arena, taken);
	CU_ASSERT_EQUAL(numbers_check(large, arena), 0);
	CU_ASSERT_EQUAL(*numbers_at(large, 29999), 29999);
	CU_ASSERT_TRUE(is_named(names_at(&names, 0), 0));
	CU_ASSERT_EQUAL(numbers_push_back(none, arena, 5), 0);
	names_fini(&names, arena);
	drop_numbers(none);
	drop_numbers(small);
	drop_numbers(large);
}

static void grow_in_child(void *context)
{
	struct numbers *v = context;

	CHILD_REQUIRE(numbers_fail_all(v, -EPERM) == 0);
	CHILD_REQUIRE(*numbers_at(v, 7) == 7);
}

static void a_forked_child_reads_and_is_refused(void)
{
	struct numbers *v = make_numbers(8);

	CU_ASSERT_EQUAL(heap_in_child(grow_in_child, v), 0);
	drop_numbers(v);
}

static void check_names_what_is_wrong(void)
{
	struct numbers *v = make_numbers(8);
	struct numbers outside = {0};
	uint64_t words[3];

	CU_ASSERT_EQUAL(numbers_check(&outside, arena), -EXDEV);
	memcpy(words, v, sizeof(words));
	v->shm.count = 9;
	CU_ASSERT_EQUAL(numbers_check(v, NULL), -EUCLEAN);
	CU_ASSERT_PTR_NOT_NULL(strstr(lend_error_detail(), "count 9, capacity 8"));
	v->shm.count = 8;
	v->shm.capacity = UINT64_MAX;
	CU_ASSERT_EQUAL(numbers_check(v, NULL), -EUCLEAN);
	v->shm.capacity = UINT64_C(1) << 30;
	CU_ASSERT_EQUAL(numbers_check(v, arena), -EUCLEAN);
	CU_ASSERT_PTR_NOT_NULL(strstr(lend_error_detail(), "outside the arena's data"));
	v->shm.capacity = 8;
	lend_ptr_set(&v->shm.data, (uint64_t *)(void *)((char *)numbers_data(v) + 4));
	CU_ASSERT_EQUAL(numbers_check(v, arena), -EUCLEAN);
	CU_ASSERT_PTR_NOT_NULL(strstr(lend_error_detail(), "not aligned"));
	lend_ptr_set(&v->shm.data, words);
	CU_ASSERT_EQUAL(numbers_check(v, arena), -EUCLEAN);
	lend_ptr_set(&v->shm.data, NULL);
	CU_ASSERT_EQUAL(numbers_check(v, NULL), -EUCLEAN);
	v->shm.capacity = v->shm.count = 0;
	CU_ASSERT_EQUAL(numbers_check(v, arena), 0);
	memcpy((void *)v, words, sizeof(words));
	CU_ASSERT_EQUAL(numbers_check(v, arena), 0);
	CU_ASSERT_NOT_EQUAL(lend_vector_layout_fold(LEND_LAYOUT_SEED), LEND_LAYOUT_SEED);
	drop_numbers(v);
}

static const struct suite_test tests[] = {
	SUITE_TEST(zeroed_memory_is_the_empty_vector),
	SUITE_TEST(pushed_elements_stay_in_order),
	SUITE_TEST(pushing_grows_in_proportion),
	SUITE_TEST(an_element_of_the_vector_is_pushed),
	SUITE_TEST(appended_elements_are_copied_in_order),
	SUITE_TEST(a_vector_s_own_elements_are_appended),
	SUITE_TEST(appending_grows_in_proportion),
	SUITE_TEST(appended_strings_are_moved),
	SUITE_TEST(inserted_and_erased_elements_leave_the_others_in_order),
	SUITE_TEST(resizing_zeroes_what_is_new),
	SUITE_TEST(reserved_room_is_used_without_memory),
	SUITE_TEST(aligned_and_odd_elements_are_placed_right),
	SUITE_TEST(moved_and_swapped_vectors_hold),
	SUITE_TEST(strings_move_with_their_vector),
	SUITE_TEST(vectors_move_with_their_vector),
	SUITE_TEST(too_many_elements_are_refused),
	SUITE_TEST(without_memory_a_vector_is_as_it_was),
	SUITE_TEST(a_forked_child_reads_and_is_refused),
	SUITE_TEST(check_names_what_is_wrong),
};

int main(int argc, char **argv)
{
	struct lend_arena_options options = {
		.name = "vector", .reservation_bytes = 64u << 20, .quota_bytes = 32u << 20};
	uint64_t before;
	int status;

	if (lend_arena_create(&options, &arena))
		return EXIT_FAILURE;
	before = live();
	status = suite_run("vector", tests, HEAP_COUNT(tests), argc, argv);
	if (live() != before) {
		fprintf(stderr, "%llu objects are left\n",
			(unsigned long long)(live() - before));
		status = EXIT_FAILURE;
	}
	return lend_arena_destroy(arena) ? EXIT_FAILURE : status;
}
