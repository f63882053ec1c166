/* SPDX-License-Identifier: Apache-2.0 */
/* Floor base: sentences, shared words, layout hashes, crash points. */
#include "support/suite.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <lendheap/layout.h>

#include "base/crashpoint.h"
#include "base/error.h"
#include "support/child.h"
#include "support/leaks.h"

CLEAN_TEST(error_gives_back_its_number_and_keeps_its_sentence)
{
	CU_ASSERT_EQUAL(lendi_fail(-EPROTO, "slot %u: magic 0x%x", 7u, 0x4cu), -EPROTO);
	CU_ASSERT_STRING_EQUAL(lend_error_detail(), "slot 7: magic 0x4c");
	CU_ASSERT_EQUAL(lendi_fail_errno(-ENOENT, "file %s", "x"), -ENOENT);
	CU_ASSERT_STRING_EQUAL(lend_error_detail(), "file x: No such file or directory");
	CU_ASSERT_EQUAL(lendi_fail_errno(-99999, "odd"), -99999);
	CU_ASSERT_STRING_EQUAL(lend_error_detail(), "odd: unknown error");
}

CLEAN_TEST(error_sentences_too_long_are_cut)
{
	char longest[500];

	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = 0;
	(void)lendi_fail(-EINVAL, "%s", longest);
	CU_ASSERT(strlen(lend_error_detail()) > 100);
	CU_ASSERT(strlen(lend_error_detail()) < 400);
	(void)lendi_fail_errno(-EINVAL, "%s", longest);
	CU_ASSERT(strlen(lend_error_detail()) < 400);
	/* 190 bytes leave a little room for errno's text. */
	longest[190] = 0;
	(void)lendi_fail_errno(-ENOENT, "%s", longest);
	CU_ASSERT_EQUAL(strncmp(lend_error_detail(), longest, 190), 0);
}

static void *look_at_detail(void *argument)
{
	*(bool *)argument = *lend_error_detail() == 0;
	(void)lendi_fail(-EINVAL, "another thread's");
	return NULL;
}

CLEAN_TEST(error_sentences_are_each_thread_s_own)
{
	pthread_t thread;
	bool empty = false;

	(void)lendi_fail(-EINVAL, "mine");
	CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, look_at_detail, &empty), 0);
	(void)pthread_join(thread, NULL);
	CU_ASSERT_TRUE(empty);
	CU_ASSERT_STRING_EQUAL(lend_error_detail(), "mine");
}

#ifdef LEND_CHECKS
static int misuse(int parent, void *argument)
{
	(void)parent, (void)argument;
	if (!freopen("/dev/null", "w", stderr))
		return CHILD_FAILED;
	lendi_misuse("free of %p", NULL);
	return 0;
}
#endif

CLEAN_TEST(error_misuse_aborts_in_checked_builds_alone)
{
#ifdef LEND_CHECKS
	CU_ASSERT_EQUAL(child_run(misuse, NULL), CHILD_SIGNAL + SIGABRT);
#else
	lendi_misuse("free of %d", 5);
	CU_ASSERT_STRING_EQUAL(lend_error_detail(), "free of 5");
#endif
}

CLEAN_TEST(layout_words_keep_what_was_stored)
{
	lend_word32 small = {0};
	lend_word64 large = {0};

	lend_store_release32(&small, UINT32_MAX);
	CU_ASSERT_EQUAL(lend_load_acquire32(&small), UINT32_MAX);
	lend_store_relaxed32(&small, 5);
	CU_ASSERT_EQUAL(lend_load_relaxed32(&small), 5);
	lend_store_release64(&large, UINT64_MAX);
	CU_ASSERT_EQUAL(lend_load_acquire64(&large), UINT64_MAX);
	lend_store_relaxed64(&large, 7);
	CU_ASSERT_EQUAL(lend_load_relaxed64(&large), 7);
}

/* Of the byte "a" and seven zeroes; the first step has a published value. */
CLEAN_TEST(layout_hash_is_fnv_1a_over_eight_bytes)
{
	uint64_t hash = LEND_LAYOUT_SEED;
	const uint64_t prime = UINT64_C(0x100000001b3);
	int i;

	for (i = 0; i < 8; i++)
		hash = (hash ^ (i == 0 ? 0x61 : 0)) * prime;
	CU_ASSERT_EQUAL(lend_layout_fold(LEND_LAYOUT_SEED, 0x61), hash);

	CU_ASSERT_EQUAL((LEND_LAYOUT_SEED ^ 0x61) * prime, UINT64_C(0xaf63dc4c8601ec8c));
	CU_ASSERT_NOT_EQUAL(lend_layout_fold(lend_layout_fold(LEND_LAYOUT_SEED, 1), 2),
		lend_layout_fold(lend_layout_fold(LEND_LAYOUT_SEED, 2), 1));
}

static int pass_points(int parent, void *argument)
{
	unsigned count = *(unsigned *)argument;

	(void)parent;
	lendi_crashpoint_arm("here", count);
	LEND_CRASHPOINT("there");
	LEND_CRASHPOINT("here");
	LEND_CRASHPOINT("hereafter");
	LEND_CRASHPOINT("here");
	lendi_crashpoint_arm(NULL, 0);
	LEND_CRASHPOINT("here");
	return 42;
}

CLEAN_TEST(crashpoint_kills_at_the_passage_it_is_armed_for)
{
	unsigned count;

	for (count = 1; count <= 2; count++)
		CU_ASSERT_EQUAL(child_run(pass_points, &count), CHILD_SIGNAL + SIGKILL);
	CU_ASSERT_EQUAL(child_run(pass_points, &count), 42);
}

static const struct suite_test tests[] = {
	SUITE_TEST(error_gives_back_its_number_and_keeps_its_sentence),
	SUITE_TEST(error_sentences_too_long_are_cut),
	SUITE_TEST(error_sentences_are_each_thread_s_own),
	SUITE_TEST(error_misuse_aborts_in_checked_builds_alone),
	SUITE_TEST(layout_words_keep_what_was_stored),
	SUITE_TEST(layout_hash_is_fnv_1a_over_eight_bytes),
	SUITE_TEST(crashpoint_kills_at_the_passage_it_is_armed_for),
};

SUITE_MAIN("base", tests)
