/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What sharing costs: opening an arena, walking it in place, memory of many readers, and all of
 * it against sending a copy. What each case does stands at the head of its file in share/.
 */
#include "bench/share/share.h"

static void set_limits(struct bench *bench)
{
	static const char *const attach[] = {"attach-1MiB", "attach-100MiB", "attach-4GiB"};
	uint32_t i;

	for (i = 0; i < 3; i++) {
		bench_add_limit(bench, attach[i], "lend", NULL, NULL, "microseconds", 1000);
		if (i > 0)
			bench_add_limit(
				bench, attach[i], "lend", NULL, "attach-1MiB", "ratio", 2);
	}
	bench_add_limit(bench, "walk-offset", "offset", NULL, "raw", "ratio", 1.1);
	bench_add_limit(bench, "walk-reader", "lend", NULL, "private-copy", "ratio", 1.05);
	bench_add_limit(bench, "pss-8-readers", "lend", NULL, "one-copy", "ratio", 1.1);
}

int main(int argc, char **argv)
{
	struct bench bench;

	if (bench_init(&bench, "share", argc, argv) != 0)
		return 2;
	bench_isolate(&bench, "attach-1MiB,attach-100MiB,attach-4GiB", share_run_attach, NULL);
	bench_isolate(&bench, "walk-offset,walk-offset-l1", share_run_walk_offset, NULL);
	bench_isolate(&bench, "walk-reader", share_run_walk_reader, NULL);
	bench_isolate(&bench, "walk-reader-split", share_run_walk_reader, &bench);
	bench_isolate(&bench, "pss-8-readers", share_run_pss, NULL);
	bench_isolate(&bench, "share-graph", share_run_graph, NULL);
	set_limits(&bench);
	return bench_report(&bench);
}
