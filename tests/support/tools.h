/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LENDHEAP_TESTS_TOOLS_H
#define LENDHEAP_TESTS_TOOLS_H

/*
 * Which tool the test runs under: TSan has a window of its own and cannot fork beside threads,
 * and all of them make forks and loops slow. GCC and clang tell in two ways.
 */
#include <stdlib.h>

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define UNDER_TSAN 1
#endif
#if __has_feature(address_sanitizer)
#define UNDER_ASAN 1
#endif
#endif
#ifdef __SANITIZE_THREAD__
#define UNDER_TSAN 1
#endif
#ifdef __SANITIZE_ADDRESS__
#define UNDER_ASAN 1
#endif
#ifndef UNDER_TSAN
#define UNDER_TSAN 0
#endif
#ifndef UNDER_ASAN
#define UNDER_ASAN 0
#endif

static inline int under_valgrind(void)
{
	return getenv("LEND_TEST_VALGRIND") != NULL;
}

/* Does the test run at a fraction of its speed? */
static inline int under_slow_tool(void)
{
	return UNDER_TSAN || UNDER_ASAN || under_valgrind();
}

#endif /* LENDHEAP_TESTS_TOOLS_H */
