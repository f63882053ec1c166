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

static bool has_flag(const char *name, bool wanted)
{
	bool value = !wanted;
	size_t bytes = sizeof(value);

	return je_mallctl(name, &value, &bytes, NULL, 0) == 0 && value == wanted;
}

static const char *find_difference(void)
{
	const char *version = NULL;
	size_t bytes = sizeof(version);
	unsigned i;

	if (je_mallctl("version", &version, &bytes, NULL, 0) ||
		strncmp(version, "5.3.0-", 6) != 0)
		return "it is not version 5.3.0";
	if (!has_flag("opt.retain", true) || !has_flag("opt.background_thread", false) ||
		!has_flag("opt.tcache", false) || !has_flag("opt.abort", false) ||
		!has_flag("opt.zero", false) || !has_flag("opt.hpa", false))
		return "an option differs";
	if (narenas_total_get() != 1 || opt_oversize_threshold != 0 ||
		opt_muzzy_decay_ms != 0 || opt_percpu_arena != percpu_arena_disabled)
		return "an option differs";
	if (!config_stats || config_prof || config_debug || config_xmalloc)
		return "it was built with other options";
	if (sz_large_pad != 0 || rtree_leaf_maskbits() != 30)
		return "its page map differs";
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
			"the private jemalloc is not the one lendheap is built for: %s",
			difference);
		start_answer = -ENOSYS;
	}
}

int lendi_je_start(void)
{
	(void)pthread_once(&once, start);
	return start_answer ? lendi_fail(start_answer, "%s", start_detail) : 0;
}
