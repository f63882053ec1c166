/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The environment cannot undo what the library asks of its jemalloc: run under hostile settings
 * by run.sh, an arena is made and serves allocations, from two threads, and holds its quota.
 */
#include <pthread.h>

#include "use_arena.h"

static struct use use;

/* These are jemalloc's names for built-in options in a program: the library must not read ours. */
extern const char *lendi_je_malloc_conf;
const char *lendi_je_malloc_conf = "narenas:7,retain:false,abort_conf:true,nonsense:1";
extern const char *malloc_conf;
const char *malloc_conf = "narenas:7,retain:false";

static void *use_in_thread(void *unused)
{
	(void)unused;
	for (int i = 0; i < 10000; i++) {
		void *object = lend_alloc(use.arena, 1 + (size_t)i % 500);

		USE_REQUIRE(object && lend_arena_of(object) == use.arena);
		lend_free(use.arena, object);
	}
	return NULL;
}

static void fill_quota(void)
{
	const struct lend_arena_options options = {.name = "small", .quota_bytes = 8u << 20};
	struct lend_arena_stats stats = {.struct_bytes = sizeof(stats)};
	struct lend_arena *small;
	size_t count = 0;

	USE_REQUIRE(lend_arena_create(&options, &small) == 0);
	while (lend_alloc(small, 64 << 10))
		USE_REQUIRE(++count <= 128);
	USE_REQUIRE(count >= 64);
	USE_REQUIRE(lend_arena_stats(small, &stats) == 0);
	USE_REQUIRE(stats.committed_bytes <= stats.quota_bytes);
	USE_REQUIRE(lend_arena_destroy(small) == 0);
}

int main(void)
{
	pthread_t thread;

	use_start(&use, "options", 0x11);
	USE_REQUIRE(pthread_create(&thread, NULL, use_in_thread, NULL) == 0);
	USE_REQUIRE(pthread_join(thread, NULL) == 0);
	fill_quota();
	USE_REQUIRE(lend_arena_purge(use.arena) == 0);
	use_end(&use);
	return 0;
}
