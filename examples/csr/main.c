/* SPDX-License-Identifier: Apache-2.0 */
/*
 *	lend-csr owner NAME FILE     read the edges, build the graph in an arena, share it until the
 *	                             end of input
 *	lend-csr reader NAME         run the kernels on the owner's graph, in place
 *	lend-csr plain FILE          the same on a graph built with malloc in this process
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lendheap/hashing.h>
#include <lendheap/lendheap.h>

#include "csr.h"

/* A digest of a result: equal for equal arrays. */
static unsigned long long digest(const void *bytes, size_t count)
{
	return lend_hash_bytes(bytes, count, 0);
}

/* Run the kernels and print what they found. */
static int run(const struct csr *graph)
{
	uint32_t *numbers = malloc(graph->vertex_count * sizeof(*numbers));
	double *scores = malloc(graph->vertex_count * sizeof(*scores));
	uint32_t source = csr_widest(graph);
	uint32_t deepest = 0;
	uint32_t reached = 0;
	uint32_t best = 0;
	uint32_t count;
	uint32_t v;

	if (!numbers || !scores || csr_bfs(graph, source, numbers) ||
		csr_pagerank(graph, scores)) {
		fprintf(stderr, "lend-csr: no memory\n");
		free(numbers);
		free(scores);
		return 1;
	}
	for (v = 0; v < graph->vertex_count; v++) {
		if (numbers[v] != CSR_UNREACHED) {
			reached++;
			deepest = numbers[v] > deepest ? numbers[v] : deepest;
		}
		best = scores[v] > scores[best] ? v : best;
	}
	printf("graph       %u vertices, %llu arcs\n", graph->vertex_count,
		(unsigned long long)graph->edge_count);
	printf("bfs         from %u: %u reached, the farthest %u arcs away, digest %016llx\n",
		source, reached, deepest,
		digest(numbers, graph->vertex_count * sizeof(*numbers)));
	printf("pagerank    %u has most: %.6f, digest %016llx\n", best, scores[best],
		digest(scores, graph->vertex_count * sizeof(*scores)));
	count = csr_components(graph, numbers);
	printf("components  %u, digest %016llx\n", count,
		digest(numbers, graph->vertex_count * sizeof(*numbers)));
	free(numbers);
	free(scores);
	return 0;
}

static void *from_arena(void *heap, size_t bytes)
{
	return lend_alloc(heap, bytes);
}

static void *from_malloc(void *heap, size_t bytes)
{
	(void)heap;
	return malloc(bytes);
}

static int own(const char *name, const char *path)
{
	struct csr_edges edges;
	struct lend_arena *a;
	struct csr *graph;

	if (csr_read(path, &edges))
		return 1;
	if (lend_arena_create(&(struct lend_arena_options){.name = "csr"}, &a))
		goto fail;
	graph = csr_build(&edges, from_arena, a);
	free(edges.at);
	edges.at = NULL;
	if (!graph || lend_root_set(a, "graph", CSR_TYPE, graph) || lend_share(a, name))
		goto fail;

	printf("shared as \"%s\" until the end of input\n", name);
	fflush(stdout);
	while (getchar() != EOF)
		;
	return lend_arena_destroy(a) ? 1 : 0;
fail:
	fprintf(stderr, "lend-csr: %s\n", lend_error_detail());
	free(edges.at);
	return 1;
}

static int read_shared(const char *name)
{
	const struct lend_arena *r;
	const void *graph;
	int status;

	if (lend_open(name, lend_deadline_in_ms(30000), &r) ||
		lend_root_get(r, "graph", CSR_TYPE, &graph)) {
		fprintf(stderr, "lend-csr: %s\n", lend_error_detail());
		return 1;
	}
	status = run(graph);
	return lend_close(r) ? 1 : status;
}

static int run_plain(const char *path)
{
	struct csr_edges edges;
	struct csr *graph;
	int status = 1;

	if (csr_read(path, &edges))
		return 1;
	graph = csr_build(&edges, from_malloc, NULL);
	if (graph) {
		status = run(graph);
		free(graph->out.first);
		free(graph->out.head);
		free(graph->in.first);
		free(graph->in.head);
		free(graph);
	}
	free(edges.at);
	return status;
}

int main(int argc, char **argv)
{
	if (argc == 4 && strcmp(argv[1], "owner") == 0)
		return own(argv[2], argv[3]);
	if (argc == 3 && strcmp(argv[1], "reader") == 0)
		return read_shared(argv[2]);
	if (argc == 3 && strcmp(argv[1], "plain") == 0)
		return run_plain(argv[2]);
	fprintf(stderr, "usage: lend-csr owner NAME FILE | reader NAME | plain FILE\n");
	return 2;
}
