/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAPH_WALK_H
#define GRAPH_WALK_H

/*
 * The walks. One piece of code for a graph in a borrowed arena, for the union of a graph and an
 * overlay, and for a private copy; it writes nothing into the graph. Arrays of results lie in
 * this process's own memory, by index of the vertex.
 *
 *	struct walk_arrays arrays;
 *
 *	walk_arrays_init(&arrays, graph->vertex_count);
 *	walk_run(WALK_BREADTH, graph, NULL, &arrays);
 *	walk_result(WALK_BREADTH, &arrays, &bytes);
 *
 * Each result is a function of the graph alone, bit for bit: vertices and arcs are visited in
 * one order, so floating-point sums are added in one order.
 */
#include <stddef.h>
#include <stdint.h>

#include "graph.h"
#include "overlay.h"

/*
 * The two searches start at the hub and then, where arcs lead one way, again at the first vertex
 * not reached yet, until they have seen the whole graph.
 */
enum walk_kind {
	WALK_BREADTH, /* breadth-first search: uint32_t levels below its start */
	WALK_RANK,    /* PageRank: double */
	WALK_PATHS,   /* Dijkstra: uint64_t distances from its start */
	WALK_NAMES,   /* each name looked up in the map: uint32_t index found */
	WALK_COUNT,
};

/* PageRank ends after so many rounds, or when a round moves less rank than this in all. */
#define WALK_RANK_ROUNDS_MAX 20u
#define WALK_RANK_TOLERANCE  1e-9
#define WALK_RANK_DAMPING    0.85

struct walk_arrays {
	uint32_t vertex_count;
	uint32_t *levels;
	double *ranks;
	double *next_ranks;
	uint64_t *distances;
	uint32_t *found;
	const struct graph_vertex **queue; /* of the search; the heap of the shortest paths */
	uint32_t *places;                  /* where a vertex stands in that heap */
};

int walk_arrays_init(struct walk_arrays *arrays, uint32_t vertex_count);
void walk_arrays_fini(struct walk_arrays *arrays);

/* "breadth-first search" */
const char *walk_name(enum walk_kind kind);

/*
 * Walk. overlay may be NULL; its arcs come behind those a vertex has itself. graph must not be
 * empty, arrays must be made for its number of vertices.
 */
void walk_run(enum walk_kind kind, const struct graph *graph, const struct overlay *overlay,
	struct walk_arrays *arrays);

/* The array that a walk filled. */
const void *walk_result(
	enum walk_kind kind, const struct walk_arrays *arrays, uint64_t *out_bytes);

/* One number for a whole array of results: a hash over its every word. */
uint64_t walk_checksum(enum walk_kind kind, const struct walk_arrays *arrays);

/* From how many vertices the breadth-first search had to start until it had seen all. */
uint32_t walk_starts(const struct walk_arrays *arrays);

#endif /* GRAPH_WALK_H */
