/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A plain C program that knows the library by dlopen() alone. A thread that allocated outlives
 * the dlclose(): its end still finds the library in place.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include <lendheap/lendheap.h>

static int (*arena_create)(const struct lend_arena_options *, struct lend_arena **);
static int (*arena_destroy)(struct lend_arena *);
static void *(*alloc)(struct lend_arena *, size_t);
static void (*give)(struct lend_arena *, void *);

static struct lend_arena *arena;
static pthread_barrier_t closed;

static void *find(void *library, const char *name)
{
	void *symbol = dlsym(library, name);

	if (!symbol)
		fprintf(stderr, "no %s: %s\n", name, dlerror());
	return symbol;
}

static void *allocate_and_outlive(void *unused)
{
	void *object = alloc(arena, 100);

	(void)unused;
	if (object) {
		memset(object, 1, 100);
		give(arena, object);
	}
	pthread_barrier_wait(&closed);
	pthread_barrier_wait(&closed);
	return object ? &arena : NULL;
}

int main(int argc, char **argv)
{
	const struct lend_arena_options options = {.name = "dlopened"};
	pthread_t thread;
	void *library;
	void *result;

	library = dlopen(argc > 1 ? argv[1] : "liblendheap.so.0", RTLD_NOW | RTLD_LOCAL);
	if (!library) {
		fprintf(stderr, "%s\n", dlerror());
		return 1;
	}
	/* POSIX's way to make a function of dlsym()'s object pointer. */
	*(void **)&arena_create = find(library, "lend_arena_create");
	*(void **)&arena_destroy = find(library, "lend_arena_destroy");
	*(void **)&alloc = find(library, "lend_alloc");
	*(void **)&give = find(library, "lend_free");
	if (!arena_create || !arena_destroy || !alloc || !give)
		return 1;
	if (dlsym(library, "malloc") != dlsym(RTLD_DEFAULT, "malloc")) {
		fprintf(stderr, "the library brings a malloc of its own\n");
		return 1;
	}

	pthread_barrier_init(&closed, NULL, 2);
	if (arena_create(&options, &arena)) {
		fprintf(stderr, "no arena\n");
		return 1;
	}
	if (pthread_create(&thread, NULL, allocate_and_outlive, NULL))
		return 1;
	pthread_barrier_wait(&closed);
	if (arena_destroy(arena)) {
		fprintf(stderr, "arena not destroyed\n");
		return 1;
	}
	dlclose(library);
	pthread_barrier_wait(&closed);
	if (pthread_join(thread, &result) || !result) {
		fprintf(stderr, "the thread got no memory\n");
		return 1;
	}
	return 0;
}
