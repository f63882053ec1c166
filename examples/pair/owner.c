/* SPDX-License-Identifier: Apache-2.0 */
/* Builds a list in an arena and lends it until it is told to end: owner NAME TOWN... */
#include <stdio.h>
#include <string.h>

#include <lendheap/lendheap.h>

#include "town.h"

static struct town *add_town(struct lend_arena *a, struct town *next, const char *name)
{
	struct town *town = lend_alloc(a, sizeof(*town));
	char *copy = lend_alloc(a, strlen(name) + 1);

	if (!town || !copy)
		return NULL;
	*town = (struct town){.name = strcpy(copy, name), .next = next};
	return town;
}

int main(int argc, char **argv)
{
	struct town *towns = NULL;
	struct lend_arena *a;
	int i;

	if (argc < 3 || lend_arena_create(&(struct lend_arena_options){.name = "towns"}, &a))
		goto fail;
	for (i = argc - 1; i > 1; i--) {
		towns = add_town(a, towns, argv[i]);
		if (!towns)
			goto fail;
	}
	if (lend_root_set(a, "towns", TOWN_TYPE, towns) || lend_share(a, argv[1]))
		goto fail;

	printf("shared as \"%s\" until a line or the end of input\n", argv[1]);
	fflush(stdout);
	(void)getchar();
	return lend_arena_destroy(a) ? 1 : 0;
fail:
	fprintf(stderr, "owner NAME TOWN...: %s\n", lend_error_detail());
	return 1;
}
