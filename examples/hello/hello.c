/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The smallest program: an arena, a list in it, a root that names the list.
 *
 *	cc hello.c $(pkg-config --cflags --libs lendheap) -o hello
 */
#include <stdio.h>

#include <lendheap/lendheap.h>

struct town {
	const char *name; /* in the arena too: raw pointers hold wherever it is mapped */
	struct town *next;
};

static char *copy_name(struct lend_arena *a, const char *name)
{
	size_t bytes = 0;
	char *copy;

	while (name[bytes++])
		;
	copy = lend_alloc(a, bytes);
	while (copy && bytes--)
		copy[bytes] = name[bytes];
	return copy;
}

static struct town *add_town(struct lend_arena *a, struct town *next, const char *name)
{
	struct town *town = lend_alloc_zeroed(a, sizeof(*town));

	if (!town)
		return NULL;
	town->name = copy_name(a, name);
	town->next = next;
	return town->name ? town : NULL;
}

int main(void)
{
	static const char *const names[] = {"Bonn", "Siegburg", "Hennef"};
	struct town *towns = NULL;
	const void *found;
	struct lend_arena *a;
	int err;

	err = lend_arena_create(&(struct lend_arena_options){.name = "towns"}, &a);
	if (err) {
		fprintf(stderr, "hello: no arena: %s\n", lend_error_detail());
		return 1;
	}
	for (int i = 0; i < 3; i++) {
		towns = add_town(a, towns, names[i]);
		if (!towns) {
			fprintf(stderr, "hello: no memory: %s\n", lend_error_detail());
			return 1;
		}
	}
	err = lend_root_set(a, "towns", LEND_TYPE(struct town, 1), towns);
	if (!err)
		err = lend_root_get(a, "towns", LEND_TYPE(struct town, 1), &found);
	if (err) {
		fprintf(stderr, "hello: no root: %s\n", lend_error_detail());
		return 1;
	}

	printf("lendheap %s:", lend_version());
	for (const struct town *town = found; town; town = town->next)
		printf(" %s", town->name);
	printf("\n");
	return lend_arena_destroy(a) ? 1 : 0;
}
