/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Strings in an arena: what each function does, and what each leaves when there is no memory.
 */
#include <errno.h>
#include <string.h>

#include <lendheap/string.h>

#include "containers/block.h"
#include "support/full.h"
#include "support/heap.h"
#include "support/suite.h"

static struct lend_arena *arena;

static struct lend_string_shm *make(const char *text)
{
	struct lend_string_shm *string = lend_alloc_zeroed(arena, sizeof(*string));

	CU_ASSERT_PTR_NOT_NULL_FATAL(string);
	CU_ASSERT_EQUAL_FATAL(lend_string_set(string, arena, lend_view_of(text)), 0);
	return string;
}

static void drop(struct lend_string_shm *string)
{
	lend_string_fini(string, arena);
	lend_free_sized(arena, string, sizeof(*string));
}

static int holds(const struct lend_string_shm *string, const char *text)
{
	return lend_string_check(string, arena) == 0 &&
	       lend_view_equal(lend_string_view(string), lend_view_of(text)) &&
	       lend_string_data(string)[strlen(text)] == 0;
}

static uint64_t live(void)
{
	return heap_stats(arena).live_count;
}

static void zeroed_memory_is_the_empty_string(void)
{
	struct lend_string_shm string;

	memset(&string, 0, sizeof(string));
	CU_ASSERT_EQUAL(lend_string_check(&string, NULL), 0);
	CU_ASSERT_EQUAL(lend_string_bytes(&string), 0);
	CU_ASSERT_EQUAL(lend_string_capacity(&string), LEND_STRING_INLINE_BYTES_MAX);
	memset(&string, 0xff, sizeof(string));
	lend_string_init(&string);
	CU_ASSERT_EQUAL(lend_string_check(&string, NULL), 0);
	CU_ASSERT_EQUAL(lend_string_bytes(&string), 0);
	lend_string_fini(&string, arena);
}

static void up_to_22_bytes_need_no_memory(void)
{
	struct lend_string_shm *string = make("");
	uint64_t before = live();

	CU_ASSERT_EQUAL(
		lend_string_set(string, arena, lend_view_of("twenty two bytes long.")), 0);
	CU_ASSERT_EQUAL(live(), before);
	CU_ASSERT_TRUE(lend_string_is_inline(string));
	CU_ASSERT_TRUE(holds(string, "twenty two bytes long."));
	CU_ASSERT_EQUAL(lend_string_append(string, arena, lend_view_of("!")), 0);
	CU_ASSERT_EQUAL(live(), before + 1);
	CU_ASSERT_FALSE(lend_string_is_inline(string));
	CU_ASSERT_TRUE(holds(string, "twenty two bytes long.!"));
	lend_string_fini(string, arena);
	CU_ASSERT_EQUAL(live(), before);
	CU_ASSERT_TRUE(holds(string, ""));
	drop(string);
}

static void any_byte_may_stand_in_it(void)
{
	struct lend_string_shm *string = make("");
	char bytes[256];
	int i;

	for (i = 0; i < 256; i++)
		bytes[i] = (char)i;
	for (i = 0; i <= 256; i++) {
		lend_view view = lend_view_make(bytes, (size_t)i);

		CU_ASSERT_EQUAL(lend_string_set(string, arena, view), 0);
		CU_ASSERT_TRUE(lend_view_equal(lend_string_view(string), view));
		CU_ASSERT_EQUAL(lend_string_data(string)[i], 0);
		CU_ASSERT_EQUAL(lend_string_check(string, arena), 0);
	}
	drop(string);
}

static void a_part_of_itself_is_set(void)
{
	struct lend_string_shm *string = make("of all the strings here this is one");

	CU_ASSERT_EQUAL(lend_string_set(string, arena,
				lend_view_make(lend_string_data(string) + 7, 11)),
		0);
	CU_ASSERT_TRUE(holds(string, "the strings"));
	CU_ASSERT_EQUAL(lend_string_set(string, arena, lend_string_view(string)), 0);
	CU_ASSERT_TRUE(holds(string, "the strings"));
	drop(string);
	string = make("inline too");
	CU_ASSERT_EQUAL(
		lend_string_set(string, arena, lend_view_make(lend_string_data(string) + 7, 3)),
		0);
	CU_ASSERT_TRUE(holds(string, "too"));
	drop(string);
}

/* From the inline form to a block, from block to block, and to one that grows in place. */
static void a_part_of_itself_is_appended(void)
{
	struct lend_string_shm *string = make("abc");
	uint64_t bytes = 3;
	uint64_t i;

	while (bytes < 200000) {
		CU_ASSERT_EQUAL_FATAL(
			lend_string_append(string, arena, lend_string_view(string)), 0);
		bytes *= 2;
		CU_ASSERT_EQUAL_FATAL(lend_string_bytes(string), bytes);
		CU_ASSERT_EQUAL(lend_string_check(string, arena), 0);
	}
	CU_ASSERT_EQUAL(lend_string_append(string, arena,
				lend_view_make(lend_string_data(string) + 1, bytes - 1)),
		0);
	for (i = 0; i < bytes; i++)
		if (lend_string_data(string)[i] != "abc"[i % 3])
			break;
	CU_ASSERT_EQUAL(i, bytes);
	CU_ASSERT_EQUAL(lend_string_data(string)[bytes], 'b');
	drop(string);
}

static void bytes_are_inserted_replaced_and_erased_at_a_place(void)
{
	struct lend_string_shm *string = make("on the Rhine");
	const char *data;

	CU_ASSERT_EQUAL(lend_string_insert(string, arena, 0, lend_view_of("Bonn ")), 0);
	CU_ASSERT_TRUE(holds(string, "Bonn on the Rhine"));
	CU_ASSERT_EQUAL(lend_string_insert(string, arena, 17, lend_view_of("!")), 0);
	CU_ASSERT_EQUAL(lend_string_replace(string, arena, 0, 4, lend_view_of("Koeln")), 0);
	CU_ASSERT_TRUE(holds(string, "Koeln on the Rhine!"));
	CU_ASSERT_TRUE(lend_string_is_inline(string));
	CU_ASSERT_EQUAL(
		lend_string_insert(string, arena, 5, lend_view_of(", Bonn and Basel")), 0);
	CU_ASSERT_FALSE(lend_string_is_inline(string));
	CU_ASSERT_TRUE(holds(string, "Koeln, Bonn and Basel on the Rhine!"));
	data = lend_string_data(string);
	CU_ASSERT_EQUAL(lend_string_replace(string, arena, 5, 6, lend_view_of("")), 0);
	lend_string_erase(string, 5, 10);
	CU_ASSERT_TRUE(holds(string, "Koeln on the Rhine!"));
	lend_string_erase(string, 19, 1);
	lend_string_erase(string, 0, 0);
	CU_ASSERT_TRUE(holds(string, "Koeln on the Rhine!"));
	CU_ASSERT_EQUAL(
		lend_string_replace(string, arena, 6, UINT64_MAX, lend_view_of("am Rhein")), 0);
	CU_ASSERT_TRUE(holds(string, "Koeln am Rhein"));
	lend_string_erase(string, 5, UINT64_MAX);
	CU_ASSERT_TRUE(holds(string, "Koeln"));
	lend_string_erase(string, 0, 5);
	CU_ASSERT_TRUE(holds(string, ""));
	CU_ASSERT_PTR_EQUAL(lend_string_data(string), data);
	drop(string);
}

/* Put each part of a string in place of each, where there is room and where there is none. */
static int replaces_parts(const char *text, uint64_t room)
{
	uint64_t count = strlen(text);
	int faults = 0;
	uint64_t at;
	uint64_t i;

	/* Place, bytes gone, own place, bytes put: as digits of one number. */
	for (i = 0; i < (count + 1) * (count + 1) * (count + 1) * (count + 1); i++) {
		uint64_t gone = i / (count + 1) % (count + 1);
		uint64_t own = i / (count + 1) / (count + 1) % (count + 1);
		uint64_t put = i / (count + 1) / (count + 1) / (count + 1);
		struct lend_string_shm *string;
		char wanted[100];

		at = i % (count + 1);
		if (at + gone > count || own + put > count)
			continue;
		(void)snprintf(wanted, sizeof(wanted), "%.*s%.*s%s", (int)at, text, (int)put,
			text + own, text + at + gone);
		string = make(text);
		faults += lend_string_reserve(string, arena, room) != 0;
		faults += lend_string_replace(string, arena, at, gone,
				  lend_view_make(lend_string_data(string) + own, put)) != 0;
		faults += !holds(string, wanted);
		drop(string);
	}
	return faults;
}

static void a_part_of_itself_replaces_another(void)
{
	CU_ASSERT_EQUAL(replaces_parts("abcdefg", 0), 0); /* inline, before and after */
	CU_ASSERT_EQUAL(replaces_parts("abcdefg", 30), 0);
	CU_ASSERT_EQUAL(
		replaces_parts("abcdefghijklmnop", 0), 0); /* at times from inline out */
}

static void appending_grows_in_proportion(void)
{
	struct lend_string_shm *string = make("");
	uint64_t capacity = 0;
	int growths = 0;
	int err = 0;
	int i;

	for (i = 0; i < 200000 && !err; i++) {
		err = lend_string_append(string, arena, lend_view_make("x", 1));
		growths += lend_string_capacity(string) != capacity;
		capacity = lend_string_capacity(string);
	}
	CU_ASSERT_EQUAL(err, 0);
	CU_ASSERT_EQUAL(lend_string_bytes(string), 200000);
	CU_ASSERT_TRUE(growths < 30);
	CU_ASSERT_EQUAL(lend_string_check(string, arena), 0);
	drop(string);
}

static void blocks_are_of_sizes_the_heap_has(void)
{
	struct lend_class_stats class = {0};
	uint64_t below = 0;
	uint32_t i;

	for (i = 0; lend_arena_class_stats(arena, i, &class) == 0; i++) {
		if (class.bytes >= 16) {
			CU_ASSERT_EQUAL(lendi_block_bytes(below + 1), class.bytes);
			CU_ASSERT_EQUAL(lendi_block_bytes(class.bytes), class.bytes);
		}
		below = class.bytes >= 16 ? class.bytes : 0;
	}
	CU_ASSERT_TRUE(i > 30);
}

static void reserved_room_is_used_without_memory(void)
{
	struct lend_string_shm *string = make("kept");
	const char *data;
	int i;

	CU_ASSERT_EQUAL(lend_string_reserve(string, arena, 3), 0);
	CU_ASSERT_TRUE(lend_string_is_inline(string));
	CU_ASSERT_EQUAL(lend_string_reserve(string, arena, 1000), 0);
	CU_ASSERT_TRUE(lend_string_capacity(string) >= 1000);
	CU_ASSERT_TRUE(holds(string, "kept"));
	data = lend_string_data(string);
	for (i = 4; i < 1000; i++)
		CU_ASSERT_EQUAL(lend_string_append(string, arena, lend_view_of("y")), 0);
	CU_ASSERT_PTR_EQUAL(lend_string_data(string), data);
	lend_string_clear(string);
	CU_ASSERT_TRUE(holds(string, ""));
	CU_ASSERT_PTR_EQUAL(lend_string_data(string), data);
	drop(string);
}

static void shrinking_gives_back_room(void)
{
	struct lend_string_shm *string = make("a string that has a block of its own");
	uint64_t before = live();

	CU_ASSERT_EQUAL(lend_string_shrink(string, arena), 0);
	CU_ASSERT_EQUAL(lend_string_reserve(string, arena, 100000), 0);
	CU_ASSERT_EQUAL(lend_string_reserve(string, arena, 200000), 0);
	CU_ASSERT_EQUAL(lend_string_shrink(string, arena), 0);
	CU_ASSERT_TRUE(lend_string_capacity(string) < 64);
	CU_ASSERT_TRUE(holds(string, "a string that has a block of its own"));
	CU_ASSERT_EQUAL(live(), before);
	lend_string_truncate(string, 100);
	lend_string_truncate(string, 8);
	CU_ASSERT_TRUE(holds(string, "a string"));
	CU_ASSERT_FALSE(lend_string_is_inline(string));
	CU_ASSERT_EQUAL(lend_string_shrink(string, arena), 0);
	CU_ASSERT_TRUE(lend_string_is_inline(string));
	CU_ASSERT_TRUE(holds(string, "a string"));
	CU_ASSERT_EQUAL(live(), before - 1);
	CU_ASSERT_EQUAL(lend_string_shrink(string, arena), 0);
	lend_string_truncate(string, 1);
	CU_ASSERT_TRUE(holds(string, "a"));
	drop(string);
}

static void a_moved_string_holds_where_a_copied_one_does_not(void)
{
	struct lend_string_shm *string = make("long enough for a block of its own");
	struct lend_string_shm *moved = lend_alloc(arena, sizeof(*moved));
	struct lend_string_shm *small = make("small");

	CU_ASSERT_PTR_NOT_NULL_FATAL(moved);
	memcpy((void *)moved, string, sizeof(*moved));
	CU_ASSERT_PTR_NOT_EQUAL(lend_string_data(moved), lend_string_data(string));
	lend_string_move(moved, string);
	CU_ASSERT_PTR_EQUAL(lend_string_data(moved), lend_string_data(string));
	CU_ASSERT_TRUE(holds(moved, "long enough for a block of its own"));
	lend_string_init(string);
	drop(moved);
	lend_string_move(string, small);
	CU_ASSERT_TRUE(holds(string, "small"));
	lend_string_init(small);
	drop(small);
	drop(string);
}

static void strings_are_ordered_as_bytes(void)
{
	static const char *const words[] = {"", "A", "a", "a\x7f", "a\x80", "ab",
		"abandoned beyond all measure", "abandoned beyond all measures"};
	struct lend_string_shm *strings[8];
	int i;
	int j;

	for (i = 0; i < 8; i++)
		strings[i] = make(words[i]);
	for (i = 0; i < 8; i++)
		for (j = 0; j < 8; j++) {
			int order = strcmp(words[i], words[j]);
			int ours = lend_string_compare(strings[i], strings[j]);

			CU_ASSERT_EQUAL((order > 0) - (order < 0), (ours > 0) - (ours < 0));
			CU_ASSERT_EQUAL(lend_string_equal(strings[i], strings[j]), order == 0);
		}
	for (i = 0; i < 8; i++)
		drop(strings[i]);
}

static void too_many_bytes_are_refused(void)
{
	struct lend_string_shm *string = make("as it was");
	lend_view huge = lend_view_make("", (size_t)LEND_STRING_BYTES_MAX + 1);

	CU_ASSERT_EQUAL(lend_string_set(string, arena, huge), -ENOMEM);
	CU_ASSERT_EQUAL(lend_string_append(string, arena, huge), -ENOMEM);
	CU_ASSERT_EQUAL(
		lend_string_append(string, arena, lend_view_make("", SIZE_MAX)), -ENOMEM);
	CU_ASSERT_EQUAL(lend_string_replace(string, arena, 3, 4, huge), -ENOMEM);
	CU_ASSERT_EQUAL(
		lend_string_insert(string, arena, 9, lend_view_make("", SIZE_MAX)), -ENOMEM);
	CU_ASSERT_EQUAL(lend_string_reserve(string, arena, huge.bytes), -ENOMEM);
	CU_ASSERT_EQUAL(lend_string_reserve(string, arena, UINT64_MAX), -ENOMEM);
	CU_ASSERT_TRUE(holds(string, "as it was"));
	drop(string);
}

/* Each call that allocates, on a string of each form. */
static int fails_all(struct lend_string_shm *string, int wanted)
{
	static char many[100000];
	struct lend_string_shm before;
	int faults = 0;

	memcpy((void *)&before, string, sizeof(before));
	faults += lend_string_set(string, arena, lend_view_make(many, sizeof(many))) != wanted;
	faults +=
		lend_string_append(string, arena, lend_view_make(many, sizeof(many))) != wanted;
	faults += lend_string_replace(
			  string, arena, 1, 2, lend_view_make(many, sizeof(many))) != wanted;
	faults += lend_string_reserve(string, arena, sizeof(many)) != wanted;
	if (lend_string_bytes(string) > LEND_STRING_INLINE_BYTES_MAX)
		faults += lend_string_shrink(string, arena) != wanted;
	return faults + (memcmp(&before, string, sizeof(before)) != 0);
}

static void without_memory_a_string_is_as_it_was(void)
{
	struct lend_string_shm *small = make("small");
	struct lend_string_shm *large = make("large: with a block of its own");
	struct lend_string_shm *huge = make("huge: its block could grow in place");
	void *taken;

	CU_ASSERT_EQUAL(lend_string_reserve(large, arena, 1000), 0);
	CU_ASSERT_EQUAL(lend_string_reserve(huge, arena, 50000), 0);
	taken = full_take(arena);
	CU_ASSERT_EQUAL(fails_all(small, -EDQUOT), 0);
	CU_ASSERT_EQUAL(fails_all(large, -EDQUOT), 0);
	CU_ASSERT_EQUAL(fails_all(huge, -EDQUOT), 0);
	full_give_back(arena, taken);
	CU_ASSERT_TRUE(holds(small, "small"));
	CU_ASSERT_TRUE(holds(large, "large: with a block of its own"));
	CU_ASSERT_TRUE(holds(huge, "huge: its block could grow in place"));
	CU_ASSERT_EQUAL(lend_string_reserve(small, arena, 1000), 0);
	drop(small);
	drop(large);
	drop(huge);
}

static void grow_in_child(void *context)
{
	struct lend_string_shm *string = context;

	CHILD_REQUIRE(fails_all(string, -EPERM) == 0);
	CHILD_REQUIRE(holds(string, "a string of the parent's, outside"));
}

static void a_forked_child_reads_and_is_refused(void)
{
	struct lend_string_shm *string = make("a string of the parent's, outside");

	CU_ASSERT_EQUAL(lend_string_reserve(string, arena, 500), 0);
	CU_ASSERT_EQUAL(heap_in_child(grow_in_child, string), 0);
	drop(string);
}

static void check_names_what_is_wrong(void)
{
	static const struct {
		int word;
		uint64_t value;
	} damages[] = {
		{0, 0}, /* null */
		{0, 1},
		{0, UINT64_MAX - 8},    /* too near */
		{0, UINT64_C(1) << 46}, /* outside the arena */
		{1, 1000},              /* more than fit */
		{1, UINT64_MAX},
		{2, UINT64_MAX},                     /* no capacity */
		{2, UINT64_C(1) << 63 | (64 << 20)}, /* more than the arena has */
		{2, UINT64_C(23) << 56},             /* inline, one too many */
		{2, UINT64_C(127) << 56},
	};
	struct lend_string_shm *string = make("a string whose words get damaged");
	struct lend_string_shm outside = {0};
	uint64_t words[3];
	size_t i;

	CU_ASSERT_EQUAL(lend_string_check(&outside, arena), -EXDEV);
	memcpy(words, string, sizeof(words));
	for (i = 0; i < HEAP_COUNT(damages); i++) {
		((uint64_t *)(void *)string)[damages[i].word] = damages[i].value;
		/* The block named by a word of 1 may happen to end in a 0, in the arena. */
		if (damages[i].value != 1 && damages[i].value != UINT64_MAX - 8) {
			CU_ASSERT_EQUAL(lend_string_check(string, arena), -EUCLEAN);
			CU_ASSERT_PTR_NOT_NULL(strstr(lend_error_detail(), "string"));
		} else {
			(void)lend_string_check(string, arena);
		}
		memcpy((void *)string, words, sizeof(words));
	}
	lend_string_data(string)[lend_string_bytes(string)] = 'x';
	CU_ASSERT_EQUAL(lend_string_check(string, arena), -EUCLEAN);
	CU_ASSERT_EQUAL(lend_string_check(string, NULL), 0);
	lend_string_data(string)[lend_string_bytes(string)] = 0;
	string->count = lend_string_capacity(string) + 1;
	CU_ASSERT_EQUAL(lend_string_check(string, NULL), -EUCLEAN);
	/* A block that is said to be the string itself is not looked at without an arena. */
	lend_ptr_set(&string->at, (char *)string);
	string->count = LENDI_BLOCK_BYTES_MAX / 2;
	string->form = LENDI_STRING_OUTSIDE | LENDI_BLOCK_BYTES_MAX / 2;
	CU_ASSERT_EQUAL(lend_string_check(string, NULL), 0);
	CU_ASSERT_EQUAL(lend_string_check(string, arena), -EUCLEAN);
	memcpy((void *)string, words, sizeof(words));
	CU_ASSERT_NOT_EQUAL(lend_string_layout_fold(LEND_LAYOUT_SEED), LEND_LAYOUT_SEED);
	drop(string);
}

static const struct suite_test tests[] = {
	SUITE_TEST(zeroed_memory_is_the_empty_string),
	SUITE_TEST(up_to_22_bytes_need_no_memory),
	SUITE_TEST(any_byte_may_stand_in_it),
	SUITE_TEST(a_part_of_itself_is_set),
	SUITE_TEST(a_part_of_itself_is_appended),
	SUITE_TEST(bytes_are_inserted_replaced_and_erased_at_a_place),
	SUITE_TEST(a_part_of_itself_replaces_another),
	SUITE_TEST(appending_grows_in_proportion),
	SUITE_TEST(blocks_are_of_sizes_the_heap_has),
	SUITE_TEST(reserved_room_is_used_without_memory),
	SUITE_TEST(shrinking_gives_back_room),
	SUITE_TEST(a_moved_string_holds_where_a_copied_one_does_not),
	SUITE_TEST(strings_are_ordered_as_bytes),
	SUITE_TEST(too_many_bytes_are_refused),
	SUITE_TEST(without_memory_a_string_is_as_it_was),
	SUITE_TEST(a_forked_child_reads_and_is_refused),
	SUITE_TEST(check_names_what_is_wrong),
};

int main(int argc, char **argv)
{
	struct lend_arena_options options = {
		.name = "string", .reservation_bytes = 64u << 20, .quota_bytes = 16u << 20};
	uint64_t before;
	int status;

	if (lend_arena_create(&options, &arena))
		return EXIT_FAILURE;
	before = live();
	status = suite_run("string", tests, HEAP_COUNT(tests), argc, argv);
	if (live() != before) {
		fprintf(stderr, "%llu objects are left\n",
			(unsigned long long)(live() - before));
		status = EXIT_FAILURE;
	}
	return lend_arena_destroy(arena) ? EXIT_FAILURE : status;
}
