/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LENDHEAP_TESTS_LEAKS_H
#define LENDHEAP_TESTS_LEAKS_H

/*
 * What a test must leave as it found it: open FDs, mappings in the window, children.
 *
 *	CLEAN_TEST(arena_destroy_returns_all)
 *	{
 *		CU_ASSERT_EQUAL(lend_arena_create(NULL, &arena), 0);
 *		...
 *	}
 *
 * is a CUnit test that fails if it leaves more or fewer of them. leaks_count() and leaks_since()
 * are the same in pieces, for children too: they call nothing of CUnit. One thread at a time.
 */
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct leaks {
	int fds;
	int mappings; /* that touch the window or the page map behind it */
	int children; /* running, or dead and not waited for */
};

/* Where mappings are counted; without a call, where the default window of this build lies. */
void leaks_watch(uint64_t base, uint64_t bytes);

struct leaks leaks_count(void);

/* How many more or fewer there are than before; each difference is printed to stderr. */
int leaks_since(const struct leaks *before);

#ifdef __cplusplus
}
#endif

#define CLEAN_TEST(name)                                                                       \
	static void name##_body(void);                                                         \
	static void name(void)                                                                 \
	{                                                                                      \
		struct leaks before = leaks_count();                                           \
                                                                                               \
		name##_body();                                                                 \
		CU_ASSERT_EQUAL(leaks_since(&before), 0);                                      \
	}                                                                                      \
	static void name##_body(void)

#endif /* LENDHEAP_TESTS_LEAKS_H */
