/* SPDX-License-Identifier: Apache-2.0 */
/* Walks the owner's list where it lies, in the owner's memory: reader NAME */
#include <stdio.h>

#include <lendheap/lendheap.h>

#include "town.h"

int main(int argc, char **argv)
{
	const struct lend_arena *r;
	const struct town *town;
	const void *root;

	if (argc != 2 || lend_open(argv[1], lend_deadline_in_ms(2000), &r) ||
		lend_root_get(r, "towns", TOWN_TYPE, &root)) {
		fprintf(stderr, "reader NAME: %s\n", lend_error_detail());
		return 1;
	}
	for (town = root; town; town = town->next)
		printf("%p %s\n", (const void *)town, town->name);
	return lend_close(r) ? 1 : 0;
}
