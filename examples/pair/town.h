/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PAIR_TOWN_H
#define PAIR_TOWN_H

/* What the two programs agree on: a C struct, raw pointers and all. */
struct town {
	const char *name;
	struct town *next;
};

#define TOWN_TYPE LEND_TYPE(struct town, 1)

#endif /* PAIR_TOWN_H */
