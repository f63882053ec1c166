/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LENDHEAP_BENCH_GRAPH_H
#define LENDHEAP_BENCH_GRAPH_H

/*
 * A directed graph of vertices that point to vertices: what a program would build on its heap.
 * The same code builds it in an arena and on the private heap, in the same order. A vertex and
 * the array of its edges are one object, or two (split).
 */
#include <stddef.h>
#include <stdint.h>

struct graph_vertex {
	uint32_t id;
	uint32_t degree;
	uint64_t weight;
	struct graph_vertex **edges; /* degree of them */
};

struct graph {
	uint32_t vertex_count;
	uint32_t edge_count;
	struct graph_vertex **vertices;
};

/* The shape of a graph: who points to whom, from which graphs are built and sent. */
struct graph_shape {
	uint32_t vertex_count;
	uint32_t edge_count;
	uint32_t *degree; /* of each vertex */
	uint32_t *target; /* of each edge, by source */
};

/* Where objects come from. */
struct graph_heap {
	void *(*alloc)(void *context, size_t bytes);
	void *context;
};

extern const struct graph_heap graph_private_heap; /* malloc */

/* A random graph of 2 to 14 edges a vertex, 8 on average. -ENOMEM or 0. */
int graph_shape_draw(struct graph_shape *shape, uint32_t vertex_count);
void graph_shape_free(struct graph_shape *shape);

/* How many bytes the objects of such a graph ask for. */
uint64_t graph_shape_bytes(const struct graph_shape *shape);

/* Build; NULL when the heap is exhausted. Nothing is freed: the process or the arena ends. */
struct graph *graph_build(
	const struct graph_shape *shape, const struct graph_heap *heap, int split);

/* Write a graph's shape into one block for sending; its size. words holds 2 + V + E. */
size_t graph_flatten(const struct graph *graph, uint32_t *words);

/* The reverse, pointing into words. -EUCLEAN when the counts do not fit, else 0. */
int graph_unflatten(const uint32_t *words, size_t bytes, struct graph_shape *out_shape);

/* What a search needs beside the graph; its pages go back to the system with fini. */
struct graph_scratch {
	uint32_t vertex_count;
	const struct graph_vertex **queue;
	uint32_t *depth;
};

/* Memory for searches of graphs of up to vertex_count, touched. 0 or -ENOMEM. */
int graph_scratch_init(struct graph_scratch *scratch, uint32_t vertex_count);
void graph_scratch_fini(struct graph_scratch *scratch);

/* Breadth-first search from vertex 0; the sum of weight times depth over what is reached. */
uint64_t graph_search(const struct graph *graph, struct graph_scratch *scratch);

/* Read every object once, in order of allocation. */
uint64_t graph_scan(const struct graph *graph);

#endif /* LENDHEAP_BENCH_GRAPH_H */
