/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc/je.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/error.h"

/*
 * Our options. jemalloc reads this string last, after its file in /etc, so nothing there undoes it
 * (docs of malloc_conf_2_conf_harder; tests/unit/test_je.c). Its environment variable it does not
 * find at all, see below.
 *
 * narenas:1, percpu_arena, background_thread: only our own arenas do work, on the caller's thread.
 * tcache: the caches are ours. retain: an extent once known is never unmapped.
 * oversize_threshold:0: no arena of jemalloc's own for large sizes, and no eager purge of them.
 * muzzy_decay_ms:0: a memfd has no lazy purge.
 * slab_sizes, bin_shards: the layout that processes share.
 * Built with cache-oblivious placement off: a large object takes its pages and not one more.
 * The rest keeps debugging aids that would touch shared memory switched off.
 */
const char *je_malloc_conf_2_conf_harder =
	"narenas:1,percpu_arena:disabled,background_thread:false,tcache:false,retain:true,"
	"oversize_threshold:0,muzzy_decay_ms:0,dirty_decay_ms:10000,lg_extent_max_active_fit:6,"
	"slab_sizes:default,bin_shards:1-16384:1,"
	"dss:disabled,thp:default,metadata_thp:disabled,hpa:false,trust_madvise:false,"
	"san_guard_large:0,san_guard_small:0,junk:false,zero:false,"
	"abort:false,abort_conf:false,confirm_conf:false,stats_print:false,stats_interval:-1";

/*
 * The private jemalloc asks the environment by this name and is linked against this one, which
 * nobody else sees. Its variable could not undo an option of ours, but abort_conf:true and a word
 * that jemalloc does not know, in whatever environment a program inherits, would end that program
 * before main().
 */
__attribute__((visibility("hidden"))) char *secure_getenv(const char *name)
{
	(void)name;
	return NULL;
}

static int start_answer;
static char start_detail[128];
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* What jemalloc says it does: bools, signed and unsigned numbers, words. */
static const struct {
	const char *name;
	enum { FLAG, NUMBER, COUNT, WORD } kind;
	intptr_t number;
	const char *word;
} wanted[] = {
	{"opt.narenas", COUNT, 1, NULL},
	{"opt.percpu_arena", WORD, 0, "disabled"},
	{"opt.background_thread", FLAG, false, NULL},
	{"opt.tcache", FLAG, false, NULL},
	{"opt.retain", FLAG, true, NULL},
	{"opt.oversize_threshold", NUMBER, 0, NULL},
	{"opt.muzzy_decay_ms", NUMBER, 0, NULL},
	{"opt.dirty_decay_ms", NUMBER, 10000, NULL},
	{"opt.lg_extent_max_active_fit", NUMBER, 6, NULL},
	{"opt.dss", WORD, 0, "disabled"},
	{"opt.thp", WORD, 0, "default"},
	{"opt.metadata_thp", WORD, 0, "disabled"},
	{"opt.hpa", FLAG, false, NULL},
	{"opt.trust_madvise", FLAG, false, NULL},
	{"opt.junk", WORD, 0, "false"},
	{"opt.zero", FLAG, false, NULL},
	{"opt.abort", FLAG, false, NULL},
	{"opt.abort_conf", FLAG, false, NULL},
	{"opt.confirm_conf", FLAG, false, NULL},
	{"opt.stats_print", FLAG, false, NULL},
	{"config.cache_oblivious", FLAG, false, NULL},
	{"config.stats", FLAG, true, NULL},
	{"config.prof", FLAG, false, NULL},
	{"config.debug", FLAG, false, NULL},
	{"config.xmalloc", FLAG, false, NULL},
};

static bool is_wanted(size_t which)
{
	union {
		bool flag;
		intptr_t number;
		unsigned count;
		const char *word;
	} value = {.number = 0};
	static const size_t sizes[] = {
		sizeof(bool), sizeof(intptr_t), sizeof(unsigned), sizeof(char *)};
	size_t bytes = sizes[wanted[which].kind];

	if (je_mallctl(wanted[which].name, &value, &bytes, NULL, 0))
		return false;
	switch (wanted[which].kind) {
	case FLAG:
		return value.flag == (wanted[which].number != 0);
	case NUMBER:
		return value.number == wanted[which].number;
	case COUNT:
		return value.count == (unsigned)wanted[which].number;
	default:
		return strcmp(value.word, wanted[which].word) == 0;
	}
}

/* What differs from the jemalloc this library is built for; NULL: nothing. */
static const char *find_difference(void)
{
	const char *version = NULL;
	size_t bytes = sizeof(version);
	size_t i;

	if (je_mallctl("version", &version, &bytes, NULL, 0))
		return "it does not start";
	if (strncmp(version, "5.3.0-", 6) != 0)
		return "its version";
	for (i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		if (!is_wanted(i))
			return wanted[i].name;
	if (narenas_total_get() != 1 || opt_san_guard_large != 0 || opt_san_guard_small != 0)
		return "its arenas or guards";
	if (sz_large_pad != 0 || rtree_leaf_maskbits() != 30)
		return "its page map";
	for (i = 0; i < SC_NBINS; i++)
		if (bin_infos[i].n_shards != 1)
			return "its bins are sharded";
	return NULL;
}

static void start(void)
{
	const char *difference = find_difference();

	if (difference) {
		(void)snprintf(start_detail, sizeof(start_detail),
			"the private jemalloc is not as lendheap needs it: %s", difference);
		start_answer = -ENOSYS;
	}
}

int lendi_je_start(void)
{
	(void)pthread_once(&once, start);
	return start_answer ? lendi_fail(start_answer, "%s", start_detail) : 0;
}
