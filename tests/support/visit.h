/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LENDHEAP_TESTS_VISIT_H
#define LENDHEAP_TESTS_VISIT_H

/*
 * An arena seen by another program: this very program anew, exec'd, with its own address space
 * layout, which borrows the arena read-only at its place or, relocated, at another address.
 *
 *	static int walk(const struct lend_arena *arena, int parent)
 *	{
 *		CHILD_CHECK(lend_root_get(arena, ...) == 0);
 *		return 0;
 *	}
 *	static const struct visitor visitors[] = {VISITOR(walk)};
 *
 *	CU_ASSERT_EQUAL(visit(arena, VISIT_FIXED, "walk"), 0);
 *	CU_ASSERT_EQUAL(visit(arena, VISIT_RELOCATED, "walk"), 0);
 *
 *	int main(int argc, char **argv)
 *	{
 *		int status = visit_main(visitors, VISITOR_COUNT(visitors), argc, argv);
 *
 *		return status >= 0 ? status : suite_run(...);
 *	}
 *
 * A visitor that goes on while the test does something, to be killed in mid-walk for example, is
 * started with visit_start() and ended with child_end() or child_kill(); parent is its end of
 * child.sock. For tests linked with the internal library, from C11 or C++17.
 */
#include <stddef.h>

#include <lendheap/arena.h>

#ifdef __cplusplus
extern "C" {
#endif

#include "support/child.h"

enum visit_place { VISIT_FIXED, VISIT_RELOCATED };

struct visitor {
	const char *name;
	int (*run)(const struct lend_arena *arena, int parent);
};

/* clang-format off */
#define VISITOR(function) {#function, function}
/* clang-format on */
#define VISITOR_COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Start a visitor of an arena that this process owns. child.pid is -1 when it cannot. */
struct child visit_start(
	const struct lend_arena *arena, enum visit_place place, const char *name);

/* Start it and wait: its exit status, or CHILD_SIGNAL + signal. */
int visit(const struct lend_arena *arena, enum visit_place place, const char *name);

/* Run the visitor the arguments ask for: its exit status; -1 when they ask for none. */
int visit_main(const struct visitor *visitors, size_t count, int argc, char **argv);

#ifdef __cplusplus
}
#endif

#endif /* LENDHEAP_TESTS_VISIT_H */
