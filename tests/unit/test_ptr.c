/* SPDX-License-Identifier: Apache-2.0 */
/* Self-relative pointers and references in C: what they keep, and what breaks them. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <lendheap/ptr.h>
#include <lendheap/ref.h>

#include "support/relocate.h"
#include "support/suite.h"

#define REGION_BYTES ((size_t)1 << 16)
#define NODE_COUNT   1000u

struct node {
	uint64_t value;
	LEND_PTR(struct node) next;
	struct node *raw;
};

/* What lies at the start of a region: a list, and a pointer into another region. */
struct region {
	LEND_PTR(struct node) first;
	LEND_PTR(void) far;
	struct node *raw;
	struct node nodes[NODE_COUNT];
};

/* A list through nodes[] in an order that is not that of their addresses. */
static void fill_region(struct region *region)
{
	struct node *node;
	uint32_t i;

	lend_ptr_set(&region->first, &region->nodes[0]);
	region->raw = &region->nodes[0];
	for (i = 0; i < NODE_COUNT; i++) {
		node = &region->nodes[i * 7 % NODE_COUNT];
		node->value = i;
		node->raw =
			i + 1 < NODE_COUNT ? &region->nodes[(i + 1) * 7 % NODE_COUNT] : NULL;
		lend_ptr_set(&node->next, node->raw);
	}
}

/* Walk the list; 1 when every node lies in this region and holds what it should. */
static int region_holds(const struct region *region)
{
	const struct node *node = lend_ptr_get(&region->first);
	uint64_t count = 0;

	while (node) {
		if (node < region->nodes || node >= region->nodes + NODE_COUNT)
			return 0;
		if (node->value != count)
			return 0;
		count++;
		node = lend_ptr_get(&node->next);
	}
	return count == NODE_COUNT;
}

static int lies_in(const void *pointer, const void *base)
{
	return (uintptr_t)pointer - (uintptr_t)base < REGION_BYTES;
}

static void ptr_zeroed_memory_is_null(void)
{
	struct node *node = calloc(1, sizeof(*node));
	static struct node in_bss;
	struct node named = {.value = 1, .next = LEND_PTR_NULL};

	CU_ASSERT_PTR_NOT_NULL_FATAL(node);
	CU_ASSERT_PTR_NULL(lend_ptr_get(&node->next));
	CU_ASSERT_TRUE(lend_ptr_is_null(&node->next));
	CU_ASSERT_PTR_NULL(lend_ptr_get(&in_bss.next));
	CU_ASSERT_PTR_NULL(lend_ptr_get(&named.next));
	free(node);
}

static void ptr_null_is_not_self(void)
{
	struct {
		LEND_PTR(void) self;
	} loop;

	lend_ptr_set(&loop.self, &loop);
	CU_ASSERT_FALSE(lend_ptr_is_null(&loop.self));
	CU_ASSERT_PTR_EQUAL(lend_ptr_get(&loop.self), &loop);
	CU_ASSERT_PTR_EQUAL(lend_ptr_get_raw(&loop.self), &loop);
	lend_ptr_set(&loop.self, NULL);
	CU_ASSERT_PTR_NULL(lend_ptr_get(&loop.self));
}

static void ptr_reaches_every_byte_around_it_but_its_second(void)
{
	struct {
		char before[64];
		LEND_PTR(char) pointer;
		char after[64];
	} s;
	char *target;
	ptrdiff_t at;

	for (at = 0; at < (ptrdiff_t)sizeof(s); at++) {
		target = (char *)&s + at;
		if (target == (char *)&s.pointer + 1)
			continue;
		lend_ptr_set(&s.pointer, target);
		CU_ASSERT_FALSE(lend_ptr_is_null(&s.pointer));
		CU_ASSERT_PTR_EQUAL(lend_ptr_get(&s.pointer), target);
		CU_ASSERT_PTR_EQUAL(lend_ptr_get_raw(&s.pointer), target);
	}
}

static void ptr_reaches_the_ends_of_the_address_space(void)
{
	static const uintptr_t addresses[] = {1, 2, 4096, UINTPTR_MAX, (uintptr_t)1 << 47,
		(uintptr_t)INTPTR_MAX, (uintptr_t)INTPTR_MAX + 1};
	LEND_PTR(void) pointer;
	size_t i;

	for (i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
		lend_ptr_set(&pointer, (void *)addresses[i]);
		CU_ASSERT_EQUAL((uintptr_t)lend_ptr_get(&pointer), addresses[i]);
	}
}

static void ptr_copy_keeps_the_target(void)
{
	struct node target;
	LEND_PTR(struct node) a;
	LEND_PTR(struct node) b[3];
	LEND_PTR(const void) wider;

	lend_ptr_set(&a, &target);
	lend_ptr_copy(&b[2], &a);
	lend_ptr_copy(&wider, &b[2]);
	CU_ASSERT_PTR_EQUAL(lend_ptr_get(&b[2]), &target);
	CU_ASSERT_PTR_EQUAL(lend_ptr_get(&wider), &target);
	CU_ASSERT_NOT_EQUAL(a.shm.stored, b[2].shm.stored);
	lend_ptr_copy(&a, &a);
	CU_ASSERT_PTR_EQUAL(lend_ptr_get(&a), &target);

	lend_ptr_set(&a, NULL);
	lend_ptr_copy(&b[2], &a);
	CU_ASSERT_TRUE(lend_ptr_is_null(&b[2]));
}

static void ptr_accessors_evaluate_arguments_once(void)
{
	LEND_PTR(int) pointers[4] = {{{0}}, {{0}}, {{0}}, {{0}}};
	int targets[4] = {0, 1, 2, 3};
	int p = 0;
	int t = 0;

	lend_ptr_set(&pointers[p++], &targets[t++]);
	CU_ASSERT_EQUAL(p, 1);
	CU_ASSERT_EQUAL(t, 1);
	lend_ptr_copy(&pointers[p++], &pointers[--t]);
	CU_ASSERT_EQUAL(p, 2);
	CU_ASSERT_EQUAL(t, 0);
	CU_ASSERT_PTR_EQUAL(lend_ptr_get(&pointers[--p]), &targets[0]);
	CU_ASSERT_EQUAL(p, 1);
}

/* Types are checked at compile time; here, what must compile without a cast. */
static void ptr_has_the_type_of_its_target(void)
{
	struct typed {
		LEND_PTR(int[4]) array;
		LEND_PTR(const char) text;
		LEND_PTR(struct not_defined_here) opaque;
		LEND_PTR(LEND_PTR(int)) nested;
	} typed;
	const struct typed *readable = &typed;
	int numbers[4] = {1, 2, 3, 4};
	int(*array)[4];
	const char *text;

	memset(&typed, 0, sizeof(typed));
	lend_ptr_set(&typed.array, &numbers);
	lend_ptr_set(&typed.text, "text");
	array = lend_ptr_get(&readable->array);
	text = lend_ptr_get(&readable->text);
	CU_ASSERT_EQUAL((*array)[3], 4);
	CU_ASSERT_STRING_EQUAL(text, "text");
	CU_ASSERT_PTR_NULL(lend_ptr_get(&readable->opaque));
	CU_ASSERT_TRUE(_Generic(lend_ptr_get(&readable->array), int(*)[4] : 1, default : 0));
	CU_ASSERT_TRUE(_Generic(lend_ptr_get(&readable->text), const char * : 1, default : 0));
	CU_ASSERT_TRUE(_Generic(lend_ptr_get_raw(&typed.text), const char * : 1, default : 0));
}

static void ptr_memcpy_breaks_it(void)
{
	struct node target;
	struct node from = {.value = 1, .next = LEND_PTR_NULL};
	struct node by_bytes[2];
	struct node by_assignment;

	lend_ptr_set(&from.next, &target);
	memcpy(&by_bytes[1], &from, sizeof(from));
	by_assignment = from;
	CU_ASSERT_PTR_NOT_EQUAL(lend_ptr_get(&by_bytes[1].next), &target);
	CU_ASSERT_PTR_NOT_EQUAL(lend_ptr_get(&by_assignment.next), &target);

	lend_ptr_copy(&by_bytes[1].next, &from.next);
	CU_ASSERT_PTR_EQUAL(lend_ptr_get(&by_bytes[1].next), &target);
}

static void ptr_realloc_breaks_it(void)
{
	struct node *target = calloc(1, sizeof(*target));
	struct node *array = calloc(4, sizeof(*array));
	uintptr_t before = (uintptr_t)array;

	CU_ASSERT_PTR_NOT_NULL_FATAL(target);
	CU_ASSERT_PTR_NOT_NULL_FATAL(array);
	lend_ptr_set(&array[3].next, target);
	array = realloc(array, (size_t)1 << 24); /* too large to stay where it was */
	CU_ASSERT_PTR_NOT_NULL_FATAL(array);
	CU_ASSERT_NOT_EQUAL((uintptr_t)array, before);
	CU_ASSERT_PTR_NOT_EQUAL(lend_ptr_get(&array[3].next), target);
	free(array);
	free(target);
}

/* What a container that grows asks of its user: move one element to new memory. */
static void move_node(struct node *to, const struct node *from)
{
	to->value = from->value;
	to->raw = from->raw;
	lend_ptr_copy(&to->next, &from->next);
}

static void ptr_survives_growth_with_a_move_callback(void)
{
	struct node target;
	struct node *small = calloc(4, sizeof(*small));
	struct node *large = calloc(8, sizeof(*large));
	int i;

	CU_ASSERT_PTR_NOT_NULL_FATAL(small);
	CU_ASSERT_PTR_NOT_NULL_FATAL(large);
	for (i = 0; i < 4; i++)
		lend_ptr_set(&small[i].next, i % 2 ? &target : NULL);
	for (i = 0; i < 4; i++)
		move_node(&large[i], &small[i]);
	free(small);
	for (i = 0; i < 4; i++)
		CU_ASSERT_PTR_EQUAL(lend_ptr_get(&large[i].next), i % 2 ? &target : NULL);
	free(large);
}

static void ptr_holds_where_the_region_is_mapped_again(void)
{
	int fd = region_create(REGION_BYTES);
	struct region *here = region_map(fd, REGION_BYTES, NULL);
	struct region *there = region_map(fd, REGION_BYTES, NULL);

	CU_ASSERT_PTR_NOT_NULL_FATAL(here);
	CU_ASSERT_PTR_NOT_NULL_FATAL(there);
	CU_ASSERT_PTR_NOT_EQUAL_FATAL(here, there);
	fill_region(here);
	CU_ASSERT_TRUE(region_holds(here));
	CU_ASSERT_TRUE(region_holds(there));
	munmap(here, REGION_BYTES);
	CU_ASSERT_TRUE(region_holds(there)); /* nothing leads back to the first place */
	munmap(there, REGION_BYTES);
	close(fd);
}

static void ptr_holds_in_another_process_at_another_address(void)
{
	int fd = region_create(REGION_BYTES);
	struct region *here = region_map(fd, REGION_BYTES, NULL);

	CU_ASSERT_PTR_NOT_NULL_FATAL(here);
	fill_region(here);
	CU_ASSERT_EQUAL(region_visit(fd, here, "walk"), 0);
	munmap(here, REGION_BYTES);
	close(fd);
}

static void raw_pointer_leads_back_to_where_it_was_made(void)
{
	int fd = region_create(REGION_BYTES);
	struct region *here = region_map(fd, REGION_BYTES, NULL);
	struct region *there = region_map(fd, REGION_BYTES, NULL);

	CU_ASSERT_PTR_NOT_NULL_FATAL(here);
	CU_ASSERT_PTR_NOT_NULL_FATAL(there);
	fill_region(here);
	CU_ASSERT_FALSE(lies_in(there->raw, there));
	CU_ASSERT_TRUE(lies_in(there->raw, here));
	CU_ASSERT_TRUE(lies_in(lend_ptr_get(&there->first), there));
	munmap(here, REGION_BYTES);
	munmap(there, REGION_BYTES);
	close(fd);
}

static void ptr_between_regions_breaks_when_one_is_relocated(void)
{
	int fd_a = region_create(REGION_BYTES);
	int fd_b = region_create(REGION_BYTES);
	struct region *a = region_map(fd_a, REGION_BYTES, NULL);
	struct region *a_elsewhere = region_map(fd_a, REGION_BYTES, NULL);
	struct region *b = region_map(fd_b, REGION_BYTES, NULL);
	struct region *b_elsewhere = region_map(fd_b, REGION_BYTES, NULL);

	CU_ASSERT_PTR_NOT_NULL_FATAL(a);
	CU_ASSERT_PTR_NOT_NULL_FATAL(a_elsewhere);
	CU_ASSERT_PTR_NOT_NULL_FATAL(b);
	CU_ASSERT_PTR_NOT_NULL_FATAL(b_elsewhere);
	lend_ptr_set(&a->far, &b->nodes[5]);
	CU_ASSERT_PTR_EQUAL(lend_ptr_get(&a->far), &b->nodes[5]);
	/* Seen where a is relocated: neither here nor there, and never null. */
	CU_ASSERT_PTR_NOT_EQUAL(lend_ptr_get(&a_elsewhere->far), &b->nodes[5]);
	CU_ASSERT_PTR_NOT_NULL(lend_ptr_get(&a_elsewhere->far));
	/* A process that maps only b elsewhere: a's pointer leads to where b is not. */
	CU_ASSERT_PTR_NOT_EQUAL(lend_ptr_get(&a->far), &b_elsewhere->nodes[5]);
	munmap(a, REGION_BYTES);
	munmap(a_elsewhere, REGION_BYTES);
	munmap(b, REGION_BYTES);
	munmap(b_elsewhere, REGION_BYTES);
	close(fd_a);
	close(fd_b);
}

static void ref_zeroed_memory_is_null(void)
{
	lend_ref ref;

	memset(&ref, 0, sizeof(ref));
	CU_ASSERT_TRUE(lend_ref_is_null(ref));
	CU_ASSERT_TRUE(lend_ref_equal(ref, lend_ref_null()));
	CU_ASSERT_TRUE(lend_ref_is_null(lend_ref_make_raw(4096, NULL, 3)));
	CU_ASSERT_TRUE(lend_ref_is_null(lend_ref_add(ref, 64)));
	CU_ASSERT_PTR_NULL(lend_ref_resolve_raw(ref, UINT64_C(0x120000000000)));
}

static void ref_resolves_at_the_place_of_its_window(void)
{
	char memory[256] = {0};
	uint64_t window = (uint64_t)(uintptr_t)memory - 64;
	uint64_t elsewhere = window + UINT64_C(0x10000000);
	lend_ref ref = lend_ref_make_raw(window, &memory[100], 7);

	CU_ASSERT_EQUAL(ref.offset, 164);
	CU_ASSERT_EQUAL(ref.life, 7);
	CU_ASSERT_PTR_EQUAL(lend_ref_resolve_raw(ref, window), &memory[100]);
	CU_ASSERT_EQUAL((uintptr_t)lend_ref_resolve_raw(ref, elsewhere), elsewhere + 164);
	CU_ASSERT_PTR_EQUAL(lend_ref_resolve_raw(lend_ref_add(ref, 8), window), &memory[108]);
	CU_ASSERT_PTR_EQUAL(lend_ref_resolve_raw(lend_ref_add(ref, -8), window), &memory[92]);
}

static void ref_of_another_life_is_not_equal(void)
{
	lend_ref first = {4096, 1};
	lend_ref later = {4096, 2};
	lend_ref other = {8192, 1};

	CU_ASSERT_TRUE(lend_ref_equal(first, first));
	CU_ASSERT_FALSE(lend_ref_equal(first, later));
	CU_ASSERT_FALSE(lend_ref_equal(first, other));
	CU_ASSERT_FALSE(lend_ref_equal(first, lend_ref_null()));
}

static void layout_folds_tell_pointers_from_refs(void)
{
	uint64_t ptr = lend_ptr_layout_fold(LEND_LAYOUT_SEED);
	uint64_t ref = lend_ref_layout_fold(LEND_LAYOUT_SEED);

	CU_ASSERT_NOT_EQUAL(ptr, LEND_LAYOUT_SEED);
	CU_ASSERT_NOT_EQUAL(ptr, ref);
	CU_ASSERT_EQUAL(ptr, lend_ptr_layout_fold(LEND_LAYOUT_SEED));
}

static const struct suite_test tests[] = {
	SUITE_TEST(ptr_zeroed_memory_is_null),
	SUITE_TEST(ptr_null_is_not_self),
	SUITE_TEST(ptr_reaches_every_byte_around_it_but_its_second),
	SUITE_TEST(ptr_reaches_the_ends_of_the_address_space),
	SUITE_TEST(ptr_copy_keeps_the_target),
	SUITE_TEST(ptr_accessors_evaluate_arguments_once),
	SUITE_TEST(ptr_has_the_type_of_its_target),
	SUITE_TEST(ptr_memcpy_breaks_it),
	SUITE_TEST(ptr_realloc_breaks_it),
	SUITE_TEST(ptr_survives_growth_with_a_move_callback),
	SUITE_TEST(ptr_holds_where_the_region_is_mapped_again),
	SUITE_TEST(ptr_holds_in_another_process_at_another_address),
	SUITE_TEST(raw_pointer_leads_back_to_where_it_was_made),
	SUITE_TEST(ptr_between_regions_breaks_when_one_is_relocated),
	SUITE_TEST(ref_zeroed_memory_is_null),
	SUITE_TEST(ref_resolves_at_the_place_of_its_window),
	SUITE_TEST(ref_of_another_life_is_not_equal),
	SUITE_TEST(layout_folds_tell_pointers_from_refs),
};

/* In a process of its own: the list holds here, and its raw pointers lead elsewhere. */
static int walk(char **argv)
{
	const void *there = region_visit_there(argv);
	const struct region *here = region_map(region_visit_fd(argv), REGION_BYTES, there);

	if (!here || here == there)
		return 2;
	if (!region_holds(here))
		return 3;
	return lies_in(here->raw, here) ? 4 : 0;
}

int main(int argc, char **argv)
{
	if (argc == 4 && strcmp(argv[1], "walk") == 0)
		return walk(argv);
	return suite_run("ptr", tests, sizeof(tests) / sizeof(tests[0]), argc, argv);
}
