/* SPDX-License-Identifier: Apache-2.0 */
/* The intrusive list: every function, and every fault that its check finds. */
#include <errno.h>
#include <string.h>

#include <lendheap/alloc.h>
#include <lendheap/list.h>

#include "support/suite.h"

struct job {
	uint64_t number;
	struct lend_list_hook_shm hook;
	struct lend_list_hook_shm other;
};

#define LEND_LIST      job_list
#define LEND_LIST_TYPE struct job
#define LEND_LIST_HOOK hook
#include <lendheap/list.h>

#define LEND_LIST      other_list
#define LEND_LIST_TYPE struct job
#define LEND_LIST_HOOK other
#include <lendheap/list.h>

struct wide {
	_Alignas(64) uint64_t number;
	struct lend_list_hook_shm hook;
};

#define LEND_LIST      wide_list
#define LEND_LIST_TYPE struct wide
#define LEND_LIST_HOOK hook
#include <lendheap/list.h>

enum { JOBS = 8 };

static struct job jobs[JOBS];

/* All unlinked, numbered from 0; the lists of the tests are their own. */
static void reset_jobs(void)
{
	uint64_t i;

	memset(jobs, 0, sizeof(jobs));
	for (i = 0; i < JOBS; i++)
		jobs[i].number = i;
}

/* Does the list hold these digits, forward and backward? */
static int holds(const struct job_list *list, const char *digits)
{
	const struct job *job;
	size_t count = strlen(digits);
	size_t i = 0;

	lend_list_each (job_list, job, list) {
		if (i == count || job->number != (uint64_t)(digits[i] - '0'))
			return 0;
		i++;
	}
	if (i != count)
		return 0;
	for (job = job_list_last(list); job; job = job_list_prev(list, job))
		if (i == 0 || job->number != (uint64_t)(digits[--i] - '0'))
			return 0;
	return i == 0 && job_list_count(list) == count &&
	       job_list_is_empty(list) == (count == 0) && job_list_check(list, NULL) == 0;
}

static void fill(struct job_list *list, uint64_t from, uint64_t until)
{
	for (; from < until; from++)
		job_list_push_back(list, &jobs[from]);
}

static void list_of_zeroes_is_empty(void)
{
	struct job_list list;
	struct job_list made;

	memset(&list, 0, sizeof(list));
	memset(&made, 0xff, sizeof(made));
	job_list_init(&made);
	CU_ASSERT_TRUE(holds(&list, ""));
	CU_ASSERT_TRUE(holds(&made, ""));
	CU_ASSERT_PTR_NULL(job_list_first(&list));
	CU_ASSERT_PTR_NULL(job_list_last(&list));
	CU_ASSERT_PTR_NULL(job_list_pop_front(&list));
	CU_ASSERT_PTR_NULL(job_list_pop_back(&list));
	CU_ASSERT_TRUE(holds(&list, ""));
}

static void list_pushes_and_pops_at_both_ends(void)
{
	struct job_list list = {0};

	reset_jobs();
	job_list_push_back(&list, &jobs[1]);
	CU_ASSERT_TRUE(holds(&list, "1"));
	job_list_push_back(&list, &jobs[2]);
	job_list_push_front(&list, &jobs[0]);
	CU_ASSERT_TRUE(holds(&list, "012"));
	CU_ASSERT_PTR_EQUAL(job_list_pop_front(&list), &jobs[0]);
	CU_ASSERT_TRUE(holds(&list, "12"));
	CU_ASSERT_PTR_EQUAL(job_list_pop_back(&list), &jobs[2]);
	CU_ASSERT_PTR_EQUAL(job_list_pop_back(&list), &jobs[1]);
	CU_ASSERT_TRUE(holds(&list, ""));
}

static void list_inserts_before_and_after(void)
{
	struct job_list list = {0};

	reset_jobs();
	job_list_push_back(&list, &jobs[3]);
	job_list_insert_before(&jobs[3], &jobs[1]);
	job_list_insert_after(&jobs[3], &jobs[5]);
	job_list_insert_after(&jobs[1], &jobs[2]);
	job_list_insert_before(&jobs[5], &jobs[4]);
	CU_ASSERT_TRUE(holds(&list, "12345"));
}

static void list_erases_any_element_and_forgets_it(void)
{
	struct job_list list = {0};

	reset_jobs();
	fill(&list, 0, 5);
	job_list_erase(&jobs[2]);
	job_list_erase(&jobs[0]);
	job_list_erase(&jobs[4]);
	CU_ASSERT_TRUE(holds(&list, "13"));
	CU_ASSERT_FALSE(job_list_is_linked(&jobs[0]));
	CU_ASSERT_TRUE(job_list_is_linked(&jobs[1]));
	job_list_erase(&jobs[3]);
	CU_ASSERT_TRUE(holds(&list, "1"));
	CU_ASSERT_TRUE(job_list_is_linked(&jobs[1]));
	job_list_erase(&jobs[1]);
	CU_ASSERT_FALSE(job_list_is_linked(&jobs[1]));
	CU_ASSERT_TRUE(holds(&list, ""));
}

static void list_replaces_an_element_in_its_place(void)
{
	struct job_list list = {0};

	reset_jobs();
	fill(&list, 0, 3);
	job_list_replace(&jobs[1], &jobs[7]);
	CU_ASSERT_TRUE(holds(&list, "072"));
	CU_ASSERT_FALSE(job_list_is_linked(&jobs[1]));
	job_list_erase(&jobs[0]);
	job_list_erase(&jobs[2]);
	job_list_replace(&jobs[7], &jobs[4]);
	CU_ASSERT_TRUE(holds(&list, "4"));
}

static void list_splices_a_whole_list_in(void)
{
	struct job_list list = {0};
	struct job_list more = {0};
	struct job_list none = {0};

	reset_jobs();
	fill(&more, 0, 3);
	job_list_splice_back(&list, &more);
	CU_ASSERT_TRUE(holds(&list, "012"));
	CU_ASSERT_TRUE(holds(&more, ""));
	fill(&more, 3, 5);
	job_list_splice_back(&list, &more);
	CU_ASSERT_TRUE(holds(&list, "01234"));
	fill(&more, 5, 7);
	job_list_splice_front(&list, &more);
	CU_ASSERT_TRUE(holds(&list, "5601234"));
	job_list_splice_front(&list, &none);
	job_list_splice_back(&list, &none);
	CU_ASSERT_TRUE(holds(&list, "5601234"));
	CU_ASSERT_TRUE(holds(&more, ""));
}

static void list_can_be_erased_while_it_is_walked(void)
{
	struct job_list list = {0};
	struct job *following;
	struct job *job;

	reset_jobs();
	fill(&list, 0, JOBS);
	lend_list_each_safe (job_list, job, following, &list) {
		if (job->number % 3)
			job_list_erase(job);
	}
	CU_ASSERT_TRUE(holds(&list, "036"));
}

static void list_element_is_in_one_list_per_hook(void)
{
	struct job_list list = {0};
	struct other_list other = {0};
	uint64_t i;

	reset_jobs();
	fill(&list, 0, 4);
	for (i = 0; i < 4; i++)
		other_list_push_front(&other, &jobs[i]);
	job_list_erase(&jobs[1]);
	CU_ASSERT_TRUE(holds(&list, "023"));
	CU_ASSERT_EQUAL(other_list_count(&other), 4);
	CU_ASSERT_PTR_EQUAL(other_list_first(&other), &jobs[3]);
	CU_ASSERT_EQUAL(other_list_check(&other, NULL), 0);
}

/* Everything in one block of an arena. */
struct held {
	struct job_list list;
	struct job jobs[4];
};

static struct lend_arena *arena;

static struct held *make_held(void)
{
	struct held *held = lend_alloc_zeroed(arena, sizeof(*held));
	uint64_t i;

	CU_ASSERT_PTR_NOT_NULL_FATAL(held);
	for (i = 0; i < 4; i++) {
		held->jobs[i].number = i;
		job_list_push_back(&held->list, &held->jobs[i]);
	}
	CU_ASSERT_EQUAL(job_list_check(&held->list, arena), 0);
	return held;
}

static int fails_with(const struct held *held, const char *words)
{
	return job_list_check(&held->list, arena) == -EUCLEAN &&
	       strstr(lend_error_detail(), words) != NULL;
}

static void list_check_names_what_is_wrong(void)
{
	struct held *held = make_held();
	struct lend_list_hook_shm *hook = &held->jobs[1].hook;
	struct lend_list_hook_shm was = *hook;
	struct job_list outside = {0};

	hook->prev += 8;
	CU_ASSERT_TRUE(fails_with(held, "element 1 has its prev link"));
	*hook = was;
	hook->next += 1;
	CU_ASSERT_TRUE(fails_with(held, "element 2"));
	*hook = was;
	hook->next = UINT64_C(1) << 60;
	CU_ASSERT_TRUE(fails_with(held, "outside the arena"));
	*hook = was;
	hook->next = 0;
	CU_ASSERT_TRUE(fails_with(held, "prev link"));
	*hook = was;
	/* A ring beside the list. */
	hook->next = lendi_link_to(hook, &held->jobs[0].hook);
	CU_ASSERT_TRUE(fails_with(held, "prev link"));
	*hook = was;
	/* A short cut forward alone. */
	held->list.shm.ring.next = lendi_link_to(&held->list, &held->jobs[3].hook);
	CU_ASSERT_TRUE(fails_with(held, "element 0 has its prev link"));
	held->list.shm.ring.next = lendi_link_to(&held->list, &held->jobs[0].hook);
	CU_ASSERT_EQUAL(job_list_check(&held->list, arena), 0);
	CU_ASSERT_EQUAL(job_list_check(&outside, arena), -EXDEV);
	lend_free(arena, held);
}

/* Readers of its elements take their alignment for granted. */
static void list_check_refuses_an_element_that_is_not_aligned(void)
{
	struct wide_list *list = lend_alloc_zeroed(arena, sizeof(*list));
	struct wide *wide = lend_alloc_aligned(arena, 2 * sizeof(*wide), 64);
	struct lend_list_hook_shm *hook;

	CU_ASSERT_PTR_NOT_NULL_FATAL(list);
	CU_ASSERT_PTR_NOT_NULL_FATAL(wide);
	memset(wide, 0, 2 * sizeof(*wide));
	hook = (struct lend_list_hook_shm *)((uintptr_t)&wide->hook + 8);
	lendi_list_insert(&list->shm.ring, hook, hook, &list->shm.ring);
	CU_ASSERT_EQUAL(wide_list_check(list, arena), -EUCLEAN);
	CU_ASSERT_PTR_NOT_NULL(strstr(lend_error_detail(), "not aligned"));
	lend_free(arena, wide);
	lend_free(arena, list);
}

static const struct suite_test tests[] = {
	SUITE_TEST(list_of_zeroes_is_empty),
	SUITE_TEST(list_pushes_and_pops_at_both_ends),
	SUITE_TEST(list_inserts_before_and_after),
	SUITE_TEST(list_erases_any_element_and_forgets_it),
	SUITE_TEST(list_replaces_an_element_in_its_place),
	SUITE_TEST(list_splices_a_whole_list_in),
	SUITE_TEST(list_can_be_erased_while_it_is_walked),
	SUITE_TEST(list_element_is_in_one_list_per_hook),
	SUITE_TEST(list_check_names_what_is_wrong),
	SUITE_TEST(list_check_refuses_an_element_that_is_not_aligned),
};

int main(int argc, char **argv)
{
	int status;

	if (lend_arena_create(NULL, &arena))
		return suite_skip(lend_error_detail());
	status = suite_run("list", tests, sizeof(tests) / sizeof(tests[0]), argc, argv);
	lend_arena_destroy(arena);
	return status;
}
