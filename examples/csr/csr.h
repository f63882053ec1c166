/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CSR_H
#define CSR_H

/*
 * A graph in compressed sparse rows, as the GAP Benchmark Suite keeps it: the neighbours of vertex
 * v are head[first[v]] to head[first[v + 1] - 1], in both directions. Raw pointers, because every
 * process maps an arena at the same place.
 *
 * Source: Beamer, Asanovic, Patterson, "The GAP Benchmark Suite", 2015, arXiv:1508.03619.
 */
#include <stddef.h>
#include <stdint.h>

struct csr_side {
	uint64_t *first; /* vertex_count + 1 */
	uint32_t *head;  /* edge_count, ascending for each vertex */
};

struct csr {
	uint32_t vertex_count;
	uint32_t reserved;
	uint64_t edge_count;
	struct csr_side out;
	struct csr_side in;
};

#define CSR_TYPE LEND_TYPE(struct csr, 1)

struct csr_edge {
	uint32_t vertex[2]; /* tail, head */
};

/* Edges read from "tail head" lines; '#' begins a comment. malloc memory, free(edges->at). */
struct csr_edges {
	struct csr_edge *at;
	uint64_t count;
	uint64_t room;
	uint32_t vertex_count; /* largest number + 1 */
};

/* 0; -1 with the fault on stderr, and nothing to free. */
int csr_read(const char *path, struct csr_edges *out_edges);

/* Build a graph of them with memory from alloc(heap, bytes). NULL: it had none. */
struct csr *csr_build(
	const struct csr_edges *edges, void *(*alloc)(void *heap, size_t bytes), void *heap);

/* The vertex with most arcs out, the first of several. */
uint32_t csr_widest(const struct csr *graph);

/*
 * The kernels. Results go to private arrays of vertex_count; 0, or -1 for no memory.
 */
#define CSR_UNREACHED UINT32_MAX

/* Arcs on the shortest way from source, CSR_UNREACHED if none leads there. */
int csr_bfs(const struct csr *graph, uint32_t source, uint32_t *depth);

/* PageRank: 20 rounds, or until the sum of changes is below 1e-4. */
int csr_pagerank(const struct csr *graph, double *score);

/* The smallest vertex of the component each lies in, arcs taken both ways. Returns how many. */
uint32_t csr_components(const struct csr *graph, uint32_t *component);

#endif /* CSR_H */
