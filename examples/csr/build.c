/* SPDX-License-Identifier: Apache-2.0 */
/* From a file of edges to rows. */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "csr.h"

#define VERTEX_MAX (UINT32_MAX - 1u)

static bool read_vertex(char **at, uint32_t *out_vertex)
{
	unsigned long long number;
	char *end;

	*at += strspn(*at, " \t");
	if (**at < '0' || **at > '9')
		return false;
	number = strtoull(*at, &end, 10);
	if (number > VERTEX_MAX)
		return false;
	*at = end;
	*out_vertex = (uint32_t)number;
	return true;
}

static int add_edge(struct csr_edges *edges, struct csr_edge edge)
{
	int end;

	if (edges->count == edges->room) {
		uint64_t room = edges->room ? 2 * edges->room : 1024;
		struct csr_edge *grown = realloc(edges->at, room * sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		edges->at = grown;
		edges->room = room;
	}
	edges->at[edges->count++] = edge;
	for (end = 0; end < 2; end++)
		if (edge.vertex[end] >= edges->vertex_count)
			edges->vertex_count = edge.vertex[end] + 1;
	return 0;
}

/* 0; a negative errno; -EINVAL for a line that is no edge. */
static int read_line(char *line, struct csr_edges *edges)
{
	struct csr_edge edge = {{0, 0}};
	char *at = line + strspn(line, " \t");

	if (*at == '#' || *at == '\n' || *at == 0)
		return 0;
	if (!read_vertex(&at, &edge.vertex[0]) || !read_vertex(&at, &edge.vertex[1]) ||
		at[strspn(at, " \t\r\n")] != 0)
		return -EINVAL;
	return add_edge(edges, edge);
}

int csr_read(const char *path, struct csr_edges *out_edges)
{
	struct csr_edges edges = {NULL, 0, 0, 0};
	unsigned long number = 0;
	FILE *file = fopen(path, "r");
	char line[256];
	int err = 0;

	if (!file) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return -1;
	}
	while (!err && fgets(line, sizeof(line), file)) {
		number++;
		err = strchr(line, '\n') || feof(file) ? read_line(line, &edges) : -EINVAL;
	}
	if (!err && ferror(file))
		err = -EIO;
	if (!err && edges.count == 0)
		err = -ENODATA;
	(void)fclose(file);
	if (err) {
		fprintf(stderr, "%s: line %lu: %s\n", path, number,
			err == -EINVAL ? "not \"tail head\"" : strerror(-err));
		free(edges.at);
		return -1;
	}
	*out_edges = edges;
	return 0;
}

static int by_number(const void *a, const void *b)
{
	const uint32_t *x = a;
	const uint32_t *y = b;

	return (*x > *y) - (*x < *y);
}

/* One direction by a counting sort: a row for each vertex that an edge has at its end `from`. */
static bool fill_side(struct csr_side *side, const struct csr_edges *edges, int from,
	void *(*alloc)(void *heap, size_t bytes), void *heap)
{
	uint64_t i;
	uint32_t v;

	side->first = alloc(heap, (edges->vertex_count + UINT64_C(1)) * sizeof(*side->first));
	side->head = alloc(heap, edges->count * sizeof(*side->head));
	if (!side->first || !side->head)
		return false;

	memset(side->first, 0, (edges->vertex_count + UINT64_C(1)) * sizeof(*side->first));
	for (i = 0; i < edges->count; i++)
		side->first[edges->at[i].vertex[from]]++;
	for (v = 1; v <= edges->vertex_count; v++)
		side->first[v] += side->first[v - 1];
	/* first[v] is now the end of row v and moves down to its beginning. */
	for (i = edges->count; i-- > 0;) {
		const struct csr_edge *edge = &edges->at[i];

		side->head[--side->first[edge->vertex[from]]] = edge->vertex[!from];
	}
	for (v = 0; v < edges->vertex_count; v++)
		qsort(side->head + side->first[v], side->first[v + 1] - side->first[v],
			sizeof(*side->head), by_number);
	return true;
}

struct csr *csr_build(
	const struct csr_edges *edges, void *(*alloc)(void *heap, size_t bytes), void *heap)
{
	struct csr *graph = alloc(heap, sizeof(*graph));

	if (!graph)
		return NULL;
	memset(graph, 0, sizeof(*graph));
	graph->vertex_count = edges->vertex_count;
	graph->edge_count = edges->count;
	if (!fill_side(&graph->out, edges, 0, alloc, heap) ||
		!fill_side(&graph->in, edges, 1, alloc, heap))
		return NULL;
	return graph;
}

uint32_t csr_widest(const struct csr *graph)
{
	const uint64_t *first = graph->out.first;
	uint32_t widest = 0;
	uint32_t v;

	for (v = 1; v < graph->vertex_count; v++)
		if (first[v + 1] - first[v] > first[widest + 1] - first[widest])
			widest = v;
	return widest;
}
