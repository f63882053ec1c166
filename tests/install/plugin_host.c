/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program that uses the shared library and loads a plugin with a static copy of its own: both
 * make arenas and allocate, neither sees the other's, and both sets of objects stay whole.
 */
#include <dlfcn.h>

#include "use_arena.h"

static struct use use;

static void *find(void *plugin, const char *name)
{
	void *symbol = dlsym(plugin, name);

	if (!symbol) {
		fprintf(stderr, "%s\n", dlerror());
		exit(1);
	}
	return symbol;
}

int main(int argc, char **argv)
{
	void *(*shared_function)(struct lend_arena *, size_t) = lend_alloc;
	struct lend_arena *(*plugin_start)(void);
	void *(*plugin_object)(int);
	void *(*plugin_own_function)(void);
	struct lend_arena *(*plugin_arena_of)(const void *);
	void (*plugin_end)(void);
	struct lend_arena *plugin_arena;
	void *plugin;

	if (argc != 2)
		return 2;
	/* RTLD_GLOBAL: the harder case, all symbols of both in one scope. */
	plugin = dlopen(argv[1], RTLD_NOW | RTLD_GLOBAL);
	if (!plugin) {
		fprintf(stderr, "%s\n", dlerror());
		return 1;
	}
	*(void **)&plugin_start = find(plugin, "plugin_start");
	*(void **)&plugin_object = find(plugin, "plugin_object");
	*(void **)&plugin_own_function = find(plugin, "plugin_own_function");
	*(void **)&plugin_arena_of = find(plugin, "plugin_arena_of");
	*(void **)&plugin_end = find(plugin, "plugin_end");
	USE_REQUIRE(plugin_own_function() != *(void **)&shared_function);

	for (int round = 0; round < 3; round++) {
		use_start(&use, "host", 0xa5);
		plugin_arena = plugin_start();
		USE_REQUIRE(plugin_arena != use.arena);
		USE_REQUIRE(plugin_arena_of(plugin_object(0)) == plugin_arena);
		for (int i = 0; i < USE_COUNT; i++) {
			USE_REQUIRE(plugin_object(i) != use.objects[i]);
			USE_REQUIRE(lend_arena_of(plugin_object(i)) == NULL);
			USE_REQUIRE(plugin_arena_of(use.objects[i]) == NULL);
		}
		use_check(&use);
		if (round % 2) {
			plugin_end();
			use_end(&use);
		} else {
			use_end(&use);
			plugin_end();
		}
	}
	return 0;
}
