/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "failure.h"
#include "load.h"
#include "measure.h"
#include "random.h"

#define REPORT_EACH 65536u
#define EDGE_BYTES  40u /* in the list, which doubles as it grows, and sorted into two arcs */

/* Graph500's initiator matrix, as shares of 2^32: A 0.57, B 0.19, C 0.19 and the rest. */
#define SHARE_A   UINT32_C(2448131359)
#define SHARE_AB  UINT32_C(3264175145)
#define SHARE_ABC UINT32_C(4080218931)

/* The labels in random order, so that a vertex's number says nothing about its degree. */
static uint32_t *shuffle_labels(struct random *random, uint32_t count)
{
	uint32_t *labels = malloc(count * sizeof(*labels));
	uint32_t i;

	if (!labels)
		return NULL;
	for (i = 0; i < count; i++)
		labels[i] = i;
	for (i = count - 1; i > 0; i--) {
		uint32_t j = random_below(random, i + 1);
		uint32_t kept = labels[i];

		labels[i] = labels[j];
		labels[j] = kept;
	}
	return labels;
}

/* One edge: at each bit of the two numbers, fall into one quarter of the adjacency matrix. */
static void draw_edge(
	struct random *random, uint32_t scale, uint32_t *out_tail, uint32_t *out_head)
{
	uint32_t tail = 0;
	uint32_t head = 0;
	uint32_t bit;

	for (bit = 0; bit < scale; bit++) {
		uint32_t r = (uint32_t)(random_next(random) >> 32);
		uint32_t down = r >= SHARE_AB;
		uint32_t right = (r >= SHARE_A && r < SHARE_AB) || r >= SHARE_ABC;

		tail |= down << bit;
		head |= right << bit;
	}
	*out_tail = tail;
	*out_head = head;
}

static int add_vertices(struct edge_list *list, uint32_t count)
{
	char name[16];
	uint32_t i;
	int err;

	for (i = 0; i < count; i++) {
		(void)snprintf(name, sizeof(name), "v%" PRIu32, i);
		err = edges_add_vertex(list, name);
		if (err)
			return err;
	}
	return 0;
}

int load_kronecker(const struct load_options *options, struct edge_list *list)
{
	struct random random = random_from(options->seed);
	uint32_t vertex_count = 1u << options->kronecker_scale;
	uint64_t edge_count = (uint64_t)options->edge_factor * vertex_count;
	uint32_t *labels;
	uint32_t tail;
	uint32_t head;
	uint64_t i;
	int err;

	if (edge_count > GRAPH_EDGE_COUNT_MAX)
		return graph_fail(-E2BIG,
			"2^%" PRIu32 " vertices with %" PRIu32
			" edges each are more than 2^30 edges",
			options->kronecker_scale, options->edge_factor);
	if (edge_count * EDGE_BYTES > measure_available())
		return graph_fail(-ENOMEM,
			"%" PRIu64 " edges take about %" PRIu64 " MiB to draw and "
			"sort, and only %" PRIu64 " MiB of memory are available",
			edge_count, edge_count * EDGE_BYTES >> 20, measure_available() >> 20);
	err = add_vertices(list, vertex_count);
	if (err)
		return err;
	labels = shuffle_labels(&random, vertex_count);
	if (!labels)
		return graph_fail_memory("the labels of the vertices");

	for (i = 0; i < edge_count; i++) {
		draw_edge(&random, options->kronecker_scale, &tail, &head);
		err = edges_add(list, labels[tail], labels[head], 0);
		if (err)
			goto free_labels;
		if (options->progress && i % REPORT_EACH == 0)
			options->progress(
				options->progress_context, (double)i / (double)edge_count, i);
	}
	list->undirected = true;
	list->unweighted = true;
	(void)snprintf(list->title, sizeof(list->title),
		"Kronecker graph of Graph500, scale %" PRIu32 ", edge factor %" PRIu32,
		options->kronecker_scale, options->edge_factor);
free_labels:
	free(labels);
	return err;
}
