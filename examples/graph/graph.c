/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "failure.h"
#include "graph.h"

#define REPORT_EACH       4096u
#define RESERVATION_SPARE (UINT64_C(64) << 20)

/* A power of two, at least one bucket for each vertex. */
static uint32_t bucket_count(uint32_t vertex_count)
{
	uint32_t count = 1;

	while (count < vertex_count)
		count *= 2;
	return count;
}

static struct graph_vertex **bucket_of(const struct graph *graph, const char *name)
{
	uint64_t hash = name_hash(name);

	return &graph->buckets[(hash ^ (hash >> 32)) & graph->bucket_mask];
}

static size_t table_bytes(uint32_t count)
{
	return count * sizeof(struct graph_vertex *);
}

static size_t arcs_bytes(uint32_t count)
{
	return count * sizeof(struct graph_arc);
}

/* The head of the graph and its two tables, all empty. */
static int create_tables(
	const struct plain *plain, const struct heap *heap, struct graph **out_graph)
{
	uint32_t buckets = bucket_count(plain->vertex_count);
	struct graph *graph;
	int err;

	graph = heap_alloc(heap, sizeof(*graph), "the graph");
	if (!graph)
		return -errno;
	*graph = (struct graph){.bucket_mask = buckets - 1};
	graph->vertices = heap_alloc(heap, table_bytes(plain->vertex_count), "the vertices");
	if (!graph->vertices)
		goto destroy;
	graph->buckets = heap_alloc(heap, table_bytes(buckets), "the map of names");
	if (!graph->buckets)
		goto destroy;

	memset(graph->vertices, 0, table_bytes(plain->vertex_count));
	memset(graph->buckets, 0, table_bytes(buckets));
	graph->vertex_count = plain->vertex_count;
	*out_graph = graph;
	return 0;
destroy:
	err = -errno;
	heap_free(heap, graph->vertices, table_bytes(plain->vertex_count));
	heap_free(heap, graph, sizeof(*graph));
	return err;
}

/* A vertex with its name and room for its arcs, found by its name from now on. */
static int add_vertex(
	const struct plain *plain, const struct heap *heap, struct graph *graph, uint32_t index)
{
	const char *name = plain->names + plain->name_first[index];
	size_t name_bytes = plain->name_first[index + 1] - plain->name_first[index];
	uint32_t arc_count = (uint32_t)(plain->arc_first[index + 1] - plain->arc_first[index]);
	struct graph_vertex **bucket;
	struct graph_vertex *vertex;
	char *own_name;

	vertex = heap_alloc(heap, sizeof(*vertex), "a vertex");
	if (!vertex)
		return -errno;
	*vertex = (struct graph_vertex){.index = index};
	graph->vertices[index] = vertex;

	own_name = heap_alloc(heap, name_bytes, "a name");
	if (!own_name)
		return -errno;
	memcpy(own_name, name, name_bytes);
	vertex->name = own_name;
	graph->name_bytes += name_bytes;
	bucket = bucket_of(graph, own_name);
	vertex->next_named = *bucket;
	*bucket = vertex;

	if (arc_count > 0) {
		vertex->arcs = heap_alloc(heap, arcs_bytes(arc_count), "the arcs of a vertex");
		if (!vertex->arcs)
			return -errno;
		vertex->arc_count = arc_count;
	}
	if (!graph->hub || arc_count > graph->hub->arc_count)
		graph->hub = vertex;
	return 0;
}

/* Aim the arcs of a vertex, now that all vertices are there. */
static void aim_arcs(const struct plain *plain, struct graph *graph, uint32_t index)
{
	struct graph_vertex *vertex = graph->vertices[index];
	uint64_t first = plain->arc_first[index];
	uint32_t i;

	for (i = 0; i < vertex->arc_count; i++) {
		vertex->arcs[i] = (struct graph_arc){
			.head = graph->vertices[plain->heads[first + i]],
			.weight = plain->weights[first + i],
		};
	}
	graph->arc_count += vertex->arc_count;
}

static void report(const struct graph_progress *progress, uint64_t done, uint64_t total)
{
	if (progress && done % REPORT_EACH == 0)
		progress->report(progress->context, (double)done / (double)total);
}

int graph_build(const struct plain *plain, const struct heap *heap,
	const struct graph_progress *progress, struct graph **out_graph)
{
	uint64_t steps = 2 * (uint64_t)plain->vertex_count;
	struct graph *graph = NULL;
	uint32_t i;
	int err;

	err = create_tables(plain, heap, &graph);
	if (err)
		return err;
	for (i = 0; i < plain->vertex_count; i++) {
		err = add_vertex(plain, heap, graph, i);
		if (err) {
			err = graph_fail(err, "vertex %u of %u: %s", i + 1, plain->vertex_count,
				graph_failure());
			graph_destroy(graph, heap);
			return err;
		}
		report(progress, i, steps);
	}
	for (i = 0; i < plain->vertex_count; i++) {
		aim_arcs(plain, graph, i);
		report(progress, (uint64_t)plain->vertex_count + i, steps);
	}

	*out_graph = graph;
	return 0;
}

void graph_destroy(struct graph *graph, const struct heap *heap)
{
	uint32_t i;

	if (!graph)
		return;
	for (i = 0; i < graph->vertex_count && graph->vertices[i]; i++) {
		struct graph_vertex *vertex = graph->vertices[i];

		if (vertex->name)
			heap_free(heap, (char *)(uintptr_t)vertex->name,
				strlen(vertex->name) + 1);
		if (vertex->arcs)
			heap_free(heap, vertex->arcs, arcs_bytes(vertex->arc_count));
		heap_free(heap, vertex, sizeof(*vertex));
	}
	heap_free(heap, graph->buckets, table_bytes(graph->bucket_mask + 1));
	heap_free(heap, graph->vertices, table_bytes(graph->vertex_count));
	heap_free(heap, graph, sizeof(*graph));
}

const struct graph_vertex *graph_find(const struct graph *graph, const char *name)
{
	const struct graph_vertex *vertex = *bucket_of(graph, name);

	while (vertex && strcmp(vertex->name, name) != 0)
		vertex = vertex->next_named;
	return vertex;
}

uint64_t graph_reservation(const struct plain *plain)
{
	uint64_t tables = table_bytes(plain->vertex_count) +
			  table_bytes(bucket_count(plain->vertex_count));
	uint64_t objects = plain->vertex_count * (sizeof(struct graph_vertex) + 2 * 16) +
			   plain->arc_count * sizeof(struct graph_arc) + plain->name_bytes;

	return (tables + objects) / 4 * 5 + RESERVATION_SPARE;
}
