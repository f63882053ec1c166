/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAPH_PLAIN_H
#define GRAPH_PLAIN_H

/*
 * A graph as flat arrays of numbers in one block, without a pointer: what the usual way sends
 * from process to process, and what every graph is built from (graph.h). The block:
 *
 *	header | arc_first, one more than vertices | name_first, the same | heads | weights | names
 *
 * Arcs of vertex i are those from arc_first[i] up to arc_first[i + 1].
 */
#include <stdint.h>

#include "edges.h"

struct plain {
	uint32_t vertex_count;
	uint64_t arc_count;
	uint64_t name_bytes;
	const uint64_t *arc_first;
	const uint64_t *name_first;
	const uint32_t *heads;
	const uint32_t *weights;
	const char *names;

	void *block; /* the arrays' memory */
	uint64_t block_bytes;
};

/*
 * Sort a list of edges into arcs, an undirected edge into two; extra edges, each one way, come
 * behind the others of their vertex. *out_plain is the caller's to plain_fini(). 0; -ENOMEM.
 */
int plain_from_edges(const struct edge_list *list, const struct edge *extra,
	uint64_t extra_count, struct plain *out_plain);

/* Write a graph out flat: serialization. *out_plain is the caller's to plain_fini(). 0; -ENOMEM. */
struct graph;
int plain_from_graph(const struct graph *graph, struct plain *out_plain);

/*
 * Find the arrays in a block that came from another process, and check that every index in it is
 * in range. *out_plain points into the block and owns it on success. 0; -EUCLEAN.
 */
int plain_from_block(void *block, uint64_t block_bytes, struct plain *out_plain);

void plain_fini(struct plain *plain);

#endif /* GRAPH_PLAIN_H */
