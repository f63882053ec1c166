/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LENDHEAP_TESTS_ROLE_H
#define LENDHEAP_TESTS_ROLE_H

/*
 * Peers that share nothing with the test but FDs: the test's own program, started anew in a role.
 *
 *	static int reader(int parent, int link, const char *argument) { ...; return 0; }
 *	static const struct role roles[] = {ROLE(reader)};
 *
 *	int main(int argc, char **argv)
 *	{
 *		int status = role_main(roles, COUNT, argc, argv);
 *
 *		return status >= 0 ? status : suite_run(...);
 *	}
 *
 *	struct child child = role_start("reader", link_fd, "roads");
 *
 * It is a child as in child.h: the control socket, child_end(), child_kill() and CHILD_CHECK are
 * the same. link is handed over: the parent's FD is closed. -1: none.
 */
#include <stddef.h>

#include "support/child.h"

struct role {
	const char *name;
	int (*run)(int parent, int link, const char *argument);
};

/* clang-format off */
#define ROLE(function) {#function, function}
/* clang-format on */

struct child role_start(const char *name, int link, const char *argument);

/* Run the role the arguments ask for: its exit status; -1 when they ask for none. */
int role_main(const struct role *roles, size_t count, int argc, char **argv);

#endif /* LENDHEAP_TESTS_ROLE_H */
