/* SPDX-License-Identifier: Apache-2.0 */
/* A plugin that brings its own static copy of the library; plugin_host.c loads it. */
#include "use_arena.h"

static struct use use;

struct lend_arena *plugin_start(void);
void *plugin_object(int index);
void *plugin_own_function(void);
struct lend_arena *plugin_arena_of(const void *p);
void plugin_end(void);

struct lend_arena *plugin_start(void)
{
	use_start(&use, "plugin", 0x5a);
	return use.arena;
}

void *plugin_object(int index)
{
	return use.objects[index];
}

/* Where this copy's lend_alloc lies: not where the host's does. */
void *plugin_own_function(void)
{
	void *(*function)(struct lend_arena *, size_t) = lend_alloc;

	return *(void **)&function;
}

struct lend_arena *plugin_arena_of(const void *p)
{
	return lend_arena_of(p);
}

void plugin_end(void)
{
	use_end(&use);
}
