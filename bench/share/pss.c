/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pss-8-readers: an owner and eight readers of one graph, each of which has read all of it. The
 * sum of their proportional set sizes (all of each process, not only the arena), against that of
 * one process with the same graph on its private heap.
 */
#include "share.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#define READER_COUNT 8

struct pss_case {
	struct bench *bench;
	uint32_t vertex_count;
	char name[LEND_ARENA_NAME_BYTES_MAX + 1];
};

/* The shape is drawn and dropped here, so that no process counts it. */
static int prepare_owner(void *context)
{
	const struct pss_case *c = context;
	struct graph_shape shape;
	int err;

	err = graph_shape_draw(&shape, c->vertex_count);
	if (err)
		return err;
	c->bench->table->answer[0] = (double)graph_shape_bytes(&shape);
	err = share_graph_publish(&shape, 0, c->name, NULL);
	graph_shape_free(&shape);
	return err;
}

static int prepare_reader(void *context)
{
	const struct pss_case *c = context;
	const struct graph *graph = NULL;
	int err;

	err = share_graph_open(c->name, &graph);
	if (err)
		return err;
	bench_keep(graph_scan(graph));
	return 0;
}

static int prepare_copy(void *context)
{
	const struct pss_case *c = context;
	struct graph_shape shape;
	struct graph *graph;
	int err;

	err = graph_shape_draw(&shape, c->vertex_count);
	if (err)
		return err;
	graph = graph_build(&shape, &graph_private_heap, 0);
	if (graph)
		bench_keep(graph_scan(graph));
	graph_shape_free(&shape);
	return graph ? 0 : -ENOMEM;
}

static int sum_pss(const struct share_owner *process, uint32_t count, double *out_bytes)
{
	int64_t bytes;
	uint32_t i;

	*out_bytes = 0;
	for (i = 0; i < count; i++) {
		bytes = bench_smaps_bytes(process[i].pid, "Pss");
		if (bytes < 0)
			return (int)bytes;
		*out_bytes += (double)bytes;
	}
	return 0;
}

static int measure_shared(struct bench *bench, struct pss_case *c, double *out_bytes)
{
	struct share_owner process[1 + READER_COUNT];
	uint32_t count = 0;
	int err;

	err = share_owner_start(&process[count], bench->cpu_other, prepare_owner, c);
	while (!err && ++count <= READER_COUNT)
		err = share_owner_start(&process[count], bench->cpu, prepare_reader, c);
	if (!err)
		err = sum_pss(process, count, out_bytes);
	while (count > 0)
		share_owner_stop(&process[--count]);
	return err;
}

static int measure_copy(struct bench *bench, struct pss_case *c, double *out_bytes)
{
	struct share_owner process;
	int err;

	err = share_owner_start(&process, bench->cpu, prepare_copy, c);
	if (err)
		return err;
	err = sum_pss(&process, 1, out_bytes);
	share_owner_stop(&process);
	return err;
}

int share_run_pss(struct bench *bench, void *context)
{
	uint32_t round, rounds = bench_rounds(bench, 3);
	struct bench_row *readers, *copy;
	struct pss_case c = {.bench = bench};
	double shared_bytes = 0, copy_bytes = 0;
	int err = 0;

	(void)context;
	c.vertex_count = bench->quick ? 131072 : 1048576;
	share_name(c.name, sizeof(c.name), "pss", getpid());
	readers = bench_add_row(bench, "pss-8-readers", "lend", BENCH_SUBJECT, NULL, NULL);
	copy = bench_add_row(bench, "pss-8-readers", "one-copy", BENCH_PEER, NULL, NULL);
	for (round = 0; round < rounds && !err; round++) {
		bench_progress(bench, "pss-8-readers", round, rounds);
		err = measure_shared(bench, &c, &shared_bytes);
		if (!err)
			err = measure_copy(bench, &c, &copy_bytes);
		if (err)
			break;
		bench_add(readers, "pss_bytes", "ratio", shared_bytes);
		bench_add(readers, "requested_bytes", NULL, bench->table->answer[0]);
		bench_add(copy, "pss_bytes", "ratio", copy_bytes);
	}
	return err;
}
