/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LENDHEAP_TESTS_SUITE_H
#define LENDHEAP_TESTS_SUITE_H

/*
 * One CUnit suite per program, from C11 or C++17. The name of a test is a claim.
 *
 *	static void ring_put_fails_when_full(void) { CU_ASSERT(lend_ring_put(...) == -EAGAIN); }
 *
 *	static const struct suite_test tests[] = {
 *		SUITE_TEST(ring_put_fails_when_full),
 *	};
 *	SUITE_MAIN("ring", tests)
 *
 * With arguments it runs only the tests whose name contains one of them: unit_ring when_full.
 * A program with roles of its own writes main() and ends it with suite_run(). A program that
 * cannot test anything here says so with `return suite_skip("no hugetlb pages");`. A child that
 * the test forks leaves with _exit() and never calls CUnit.
 */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <CUnit/Basic.h>

#define SUITE_SKIPPED 77 /* exit status that CTest shows as a skip */

struct suite_test {
	const char *name;
	void (*run)(void);
};

/* clang-format off */
#define SUITE_TEST(function) {#function, function}
/* clang-format on */

static inline int suite_skip(const char *reason)
{
	printf("skip: %s\n", reason);
	return SUITE_SKIPPED;
}

/* Is the test asked for by the arguments? Without any, all are. */
static inline int suite_wants(const char *name, int argc, char **argv)
{
	int i;

	for (i = 1; i < argc; i++)
		if (strstr(name, argv[i]))
			return 1;
	return argc <= 1;
}

/* Run the tests and print each. Returns the exit status; nothing run is a failure. */
static inline int suite_run(
	const char *title, const struct suite_test *tests, size_t count, int argc, char **argv)
{
	unsigned int failed;
	unsigned int run;
	CU_pSuite suite;
	size_t i;

	setvbuf(stdout, NULL, _IONBF, 0); /* a crash shows its test; a fork repeats nothing */
	if (CU_initialize_registry() != CUE_SUCCESS)
		return EXIT_FAILURE;
	suite = CU_add_suite(title, NULL, NULL);
	for (i = 0; suite && i < count; i++)
		if (suite_wants(tests[i].name, argc, argv) &&
			!CU_add_test(suite, tests[i].name, tests[i].run))
			suite = NULL;
	if (!suite) {
		fprintf(stderr, "%s: %s\n", title, CU_get_error_msg());
		CU_cleanup_registry();
		return EXIT_FAILURE;
	}
	CU_basic_set_mode(CU_BRM_VERBOSE);
	CU_basic_run_tests();
	run = CU_get_number_of_tests_run();
	failed = CU_get_number_of_failures();
	CU_cleanup_registry();
	return run && !failed ? EXIT_SUCCESS : EXIT_FAILURE;
}

#define SUITE_MAIN(title, tests)                                                               \
	int main(int argc, char **argv)                                                        \
	{                                                                                      \
		return suite_run(                                                              \
			title, tests, sizeof(tests) / sizeof((tests)[0]), argc, argv);         \
	}

#endif /* LENDHEAP_TESTS_SUITE_H */
