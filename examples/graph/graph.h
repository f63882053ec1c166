/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAPH_GRAPH_H
#define GRAPH_GRAPH_H

/*
 * The graph: ordinary C structs that point at each other. Nothing in them knows whether they lie
 * in an arena that other processes walk, or in this process's own heap.
 *
 *	struct graph
 *	  vertices ---> [0] ---> struct graph_vertex
 *	                [1]        arcs ------------> { head, weight } { head, weight } ...
 *	                ...        name ---> "libc6"      |
 *	  buckets ----> [0]        next_named             +--> struct graph_vertex
 *	                ...
 *
 * A vertex, its arcs and its name are three allocations. buckets and next_named are a hash map
 * from names to vertices. Raw pointers hold in every process, since an arena lies at one address
 * in all of them.
 */
#include <stdint.h>

#include "heap.h"
#include "plain.h"

struct graph_vertex;

struct graph_arc {
	const struct graph_vertex *head;
	uint32_t weight;
	uint32_t reserved;
};

struct graph_vertex {
	struct graph_arc *arcs;
	const char *name;
	struct graph_vertex *next_named; /* in its bucket */
	uint32_t arc_count;
	uint32_t index;
};

struct graph {
	uint32_t vertex_count;
	uint32_t bucket_mask;
	uint64_t arc_count;
	uint64_t name_bytes; /* with their ends */
	struct graph_vertex **vertices;
	struct graph_vertex **buckets;
	const struct graph_vertex *hub; /* has most arcs: where the walks start */
};

#define GRAPH_TYPE_VERSION 1

/*
 * Build a graph in a heap. progress may be NULL; it is called with the share done, 0 to 1.
 * 0; -ENOMEM, -EDQUOT: then what was made is freed again.
 */
struct graph_progress {
	void (*report)(void *context, double share);
	void *context;
};
int graph_build(const struct plain *plain, const struct heap *heap,
	const struct graph_progress *progress, struct graph **out_graph);

/* Free every object of a graph. NULL is allowed. */
void graph_destroy(struct graph *graph, const struct heap *heap);

/* The vertex of that name, or NULL. */
const struct graph_vertex *graph_find(const struct graph *graph, const char *name);

/*
 * How many bytes of addresses an arena for this graph asks for: its objects, a quarter more for
 * the rounding of the allocator, and some for its own pages.
 */
uint64_t graph_reservation(const struct plain *plain);

#endif /* GRAPH_GRAPH_H */
