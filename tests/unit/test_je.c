/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The private jemalloc has the options we gave it, whatever the environment says, and the host
 * program's heap is not it. Each hostile setting is tried by running this program anew.
 */
#include <malloc.h>
#include <pthread.h>

#include "support/heap.h"
#include "support/suite.h"

/* Of the private jemalloc, which the test links. */
int lendi_je_mallctl(
	const char *name, void *old_value, size_t *old_bytes, void *value, size_t bytes);

#define VARIABLE "LENDI_JE_MALLOC_CONF"

static bool get(const char *name, void *value, size_t bytes)
{
	size_t got = bytes;

	return lendi_je_mallctl(name, value, &got, NULL, 0) == 0 && got == bytes;
}

static bool flag_is(const char *name, bool wanted)
{
	bool value = !wanted;

	return get(name, &value, sizeof(value)) && value == wanted;
}

static bool number_is(const char *name, ssize_t wanted)
{
	ssize_t value = wanted + 1;

	return get(name, &value, sizeof(value)) && value == wanted;
}

static bool text_is(const char *name, const char *wanted)
{
	const char *value = NULL;

	return get(name, &value, sizeof(value)) && strcmp(value, wanted) == 0;
}

/* The first option that is not ours; NULL when all are. */
static const char *find_difference(void)
{
	static const char *const off[] = {"opt.background_thread", "opt.tcache", "opt.abort",
		"opt.abort_conf", "opt.confirm_conf", "opt.zero", "opt.hpa",
		"opt.trust_madvise", "opt.stats_print"};
	static const char *const texts[][2] = {{"opt.percpu_arena", "disabled"},
		{"opt.metadata_thp", "disabled"}, {"opt.thp", "default"},
		{"opt.dss", "disabled"}, {"opt.junk", "false"}};
	size_t bytes;
	unsigned count;
	size_t i;

	for (i = 0; i < HEAP_COUNT(off); i++)
		if (!flag_is(off[i], false))
			return off[i];
	for (i = 0; i < HEAP_COUNT(texts); i++)
		if (!text_is(texts[i][0], texts[i][1]))
			return texts[i][0];
	if (!flag_is("opt.retain", true))
		return "opt.retain";
	if (!get("arenas.narenas", &count, sizeof(count)) || count != 1)
		return "arenas.narenas";
	if (!get("opt.oversize_threshold", &bytes, sizeof(bytes)) || bytes != 0)
		return "opt.oversize_threshold";
	if (!number_is("opt.muzzy_decay_ms", 0) || !number_is("opt.dirty_decay_ms", 10000))
		return "decay";
	if (!get("arenas.nbins", &count, sizeof(count)) || count != 36)
		return "arenas.nbins";
	if (!get("arenas.bin.0.slab_size", &bytes, sizeof(bytes)) || bytes != 4096)
		return "arenas.bin.0.slab_size";
	return NULL;
}

/* In the program run anew: 0, or a line number. */
static int use_library(void)
{
	struct lend_arena *arena = NULL;
	void *objects[500];
	const char *differs;
	size_t i;

	if (lend_arena_create(NULL, &arena))
		return __LINE__;
	differs = find_difference();
	if (differs) {
		fprintf(stderr, "%s differs\n", differs);
		return __LINE__;
	}
	for (i = 0; i < HEAP_COUNT(objects); i++) {
		objects[i] = lend_alloc_zeroed(arena, i * 100);
		if (!objects[i] || !heap_is_zero(objects[i], i * 100))
			return __LINE__;
		heap_fill(objects[i], i * 100, i);
	}
	for (i = 0; i < HEAP_COUNT(objects); i++) {
		if (!heap_is_filled(objects[i], i * 100, i))
			return __LINE__;
		lend_free(arena, objects[i]);
	}
	if (lend_arena_purge(arena) || heap_stats(arena).committed_bytes != 0)
		return __LINE__;
	return lend_arena_destroy(arena) ? __LINE__ : 0;
}

static void run_anew(void *settings)
{
	if (setenv(VARIABLE, settings, 1) == 0)
		heap_exec_self("use", NULL, NULL);
	_exit(126);
}

static void environment_undoes_no_option_and_stops_no_program(void)
{
	static const char *const settings[] = {
		"",
		"narenas:4",
		"retain:false",
		"background_thread:true,max_background_threads:4",
		"tcache:true,lg_tcache_max:16",
		"slab_sizes:1-4096:17",
		"bin_shards:1-16384:8",
		"oversize_threshold:4096",
		"junk:true",
		"zero:true",
		"dirty_decay_ms:-1",
		"dirty_decay_ms:0,muzzy_decay_ms:1000",
		"percpu_arena:percpu",
		"hpa:true",
		"stats_print:true,stats_print_opts:a",
		"stats_interval:1000",
		"xmalloc:true",
		"metadata_thp:always",
		"thp:never",
		"dss:primary",
		"confirm_conf:true",
		"trust_madvise:true",
		"san_guard_large:1,san_guard_small:1",
		"cache_oblivious:true",
		"lg_extent_max_active_fit:0",
		"abort:true",
		"abort_conf:true",
		"abort_conf:true,no_such_option:1",
		"abort_conf:true,narenas:many",
		"abort_conf:true,xmalloc:true,prof:true,utrace:true",
		"narenas",
		",,,:::",
		"prof:true,prof_leak:true,prof_final:true,prof_accum:true",
	};
	char said[512];
	size_t i;

	for (i = 0; i < HEAP_COUNT(settings); i++) {
		int status = heap_in_child_said(
			run_anew, (void *)(uintptr_t)settings[i], said, sizeof(said));

		if (status || said[0])
			printf("\n  %s=%s: %d, it said \"%s\"\n", VARIABLE, settings[i], status,
				said);
		CU_ASSERT_EQUAL(status, 0);
		CU_ASSERT_EQUAL(said[0], 0); /* the library does not print */
	}
}

static void options_are_ours(void)
{
	const char *differs;

	CU_ASSERT_EQUAL(use_library(), 0);
	differs = find_difference();
	if (differs)
		printf("\n  %s\n", differs);
	CU_ASSERT_PTR_NULL(differs);
}

static void *use_both_heaps(void *context)
{
	struct lend_arena *arena = context;
	uintptr_t bad = 0;
	int i;

	for (i = 0; i < 5000; i++) {
		size_t bytes = (size_t)i % 3000 + 1;
		char *of_host = malloc(bytes);
		char *of_arena = lend_alloc(arena, bytes);

		bad += !of_host || lend_arena_of(of_host) || lend_arena_of(of_arena) != arena;
		if (of_host)
			memset(of_host, 1, bytes);
		if (of_arena)
			memset(of_arena, 2, bytes);
		bad += of_host && of_host[bytes - 1] != 1;
		free(of_host);
		lend_free(arena, of_arena);
	}
	return (void *)bad;
}

static void host_heap_lies_outside_and_counts_nothing_of_ours(void)
{
	struct lend_arena *arena = NULL;
	pthread_t thread;
	void *bad = &thread;
	struct mallinfo2 before;
	struct mallinfo2 after;
	void *large;
	int i;

	CU_ASSERT_EQUAL_FATAL(lend_arena_create(NULL, &arena), 0);
	CU_ASSERT_PTR_NULL(use_both_heaps(arena));
	CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, use_both_heaps, arena), 0);
	CU_ASSERT_EQUAL(pthread_join(thread, &bad), 0);
	CU_ASSERT_PTR_NULL(bad);
	large = malloc(64 << 20);
	CU_ASSERT_PTR_NULL(lend_arena_of(large));
	free(large);

	before = mallinfo2();
	for (i = 0; i < 10000; i++)
		CU_ASSERT_PTR_NOT_NULL_FATAL(lend_alloc(arena, 1000));
	after = mallinfo2();
	CU_ASSERT_EQUAL(after.uordblks, before.uordblks);
	CU_ASSERT_EQUAL(after.arena, before.arena);
	CU_ASSERT_EQUAL(after.hblkhd, before.hblkhd);
	CU_ASSERT_EQUAL(lend_arena_destroy(arena), 0);
}

static const struct suite_test tests[] = {
	SUITE_TEST(environment_undoes_no_option_and_stops_no_program),
	SUITE_TEST(options_are_ours),
	SUITE_TEST(host_heap_lies_outside_and_counts_nothing_of_ours),
};

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "use") == 0)
		return use_library() ? EXIT_FAILURE : EXIT_SUCCESS;
	return suite_run("je", tests, HEAP_COUNT(tests), argc, argv);
}
