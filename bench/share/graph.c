/* SPDX-License-Identifier: Apache-2.0 */
#include "graph.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "bench/harness/bench.h"

#define NOT_REACHED UINT32_MAX

static void *alloc_private(void *context, size_t bytes)
{
	(void)context;
	return malloc(bytes);
}

const struct graph_heap graph_private_heap = {alloc_private, NULL};

int graph_shape_draw(struct graph_shape *shape, uint32_t vertex_count)
{
	uint64_t seed = 3;
	uint32_t v, e;

	shape->vertex_count = vertex_count;
	shape->edge_count = 0;
	shape->target = NULL;
	shape->degree = malloc(vertex_count * sizeof(*shape->degree));
	if (!shape->degree)
		return -ENOMEM;
	for (v = 0; v < vertex_count; v++) {
		shape->degree[v] = 2 + bench_random_below(&seed, 13);
		shape->edge_count += shape->degree[v];
	}

	shape->target = malloc(shape->edge_count * sizeof(*shape->target));
	if (!shape->target) {
		graph_shape_free(shape);
		return -ENOMEM;
	}
	for (e = 0; e < shape->edge_count; e++)
		shape->target[e] = bench_random_below(&seed, vertex_count);
	return 0;
}

void graph_shape_free(struct graph_shape *shape)
{
	free(shape->degree);
	free(shape->target);
}

uint64_t graph_shape_bytes(const struct graph_shape *shape)
{
	return sizeof(struct graph) +
	       (uint64_t)shape->vertex_count *
		       (sizeof(struct graph_vertex) + sizeof(struct graph_vertex *)) +
	       (uint64_t)shape->edge_count * sizeof(struct graph_vertex *);
}

static struct graph_vertex *make_vertex(
	const struct graph_heap *heap, uint32_t degree, int split)
{
	size_t edge_bytes = degree * sizeof(struct graph_vertex *);
	struct graph_vertex *vertex;

	vertex = heap->alloc(heap->context, sizeof(*vertex) + (split ? 0 : edge_bytes));
	if (!vertex)
		return NULL;
	vertex->degree = degree;
	vertex->edges = (struct graph_vertex **)(vertex + 1);
	if (split)
		vertex->edges = heap->alloc(heap->context, edge_bytes);
	return vertex->edges ? vertex : NULL;
}

struct graph *graph_build(
	const struct graph_shape *shape, const struct graph_heap *heap, int split)
{
	const uint32_t *target = shape->target;
	struct graph_vertex *vertex;
	struct graph *graph;
	uint32_t v, e;

	graph = heap->alloc(heap->context, sizeof(*graph));
	if (!graph)
		return NULL;
	graph->vertex_count = shape->vertex_count;
	graph->edge_count = shape->edge_count;
	graph->vertices =
		heap->alloc(heap->context, shape->vertex_count * sizeof(*graph->vertices));
	if (!graph->vertices)
		return NULL;

	for (v = 0; v < shape->vertex_count; v++) {
		vertex = make_vertex(heap, shape->degree[v], split);
		if (!vertex)
			return NULL;
		vertex->id = v;
		vertex->weight = (uint64_t)v * v;
		graph->vertices[v] = vertex;
	}
	for (v = 0; v < shape->vertex_count; v++) {
		vertex = graph->vertices[v];
		for (e = 0; e < vertex->degree; e++)
			vertex->edges[e] = graph->vertices[*target++];
	}
	return graph;
}

size_t graph_flatten(const struct graph *graph, uint32_t *words)
{
	uint32_t *degree = words + 2, *target = degree + graph->vertex_count;
	uint32_t v, e;

	words[0] = graph->vertex_count;
	words[1] = graph->edge_count;
	for (v = 0; v < graph->vertex_count; v++) {
		const struct graph_vertex *vertex = graph->vertices[v];

		*degree++ = vertex->degree;
		for (e = 0; e < vertex->degree; e++)
			*target++ = vertex->edges[e]->id;
	}
	return (size_t)(target - words) * sizeof(*words);
}

int graph_unflatten(const uint32_t *words, size_t bytes, struct graph_shape *out_shape)
{
	uint64_t wanted;

	if (bytes < 2 * sizeof(*words))
		return -EUCLEAN;
	wanted = (UINT64_C(2) + words[0] + words[1]) * sizeof(*words);
	if (wanted != bytes)
		return -EUCLEAN;
	out_shape->vertex_count = words[0];
	out_shape->edge_count = words[1];
	out_shape->degree = (uint32_t *)(uintptr_t)(words + 2);
	out_shape->target = out_shape->degree + words[0];
	return 0;
}

static void *map_touched(size_t bytes)
{
	void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

int graph_scratch_init(struct graph_scratch *scratch, uint32_t vertex_count)
{
	scratch->vertex_count = vertex_count;
	scratch->queue = map_touched(vertex_count * sizeof(*scratch->queue));
	if (!scratch->queue)
		return -ENOMEM;
	scratch->depth = map_touched(vertex_count * sizeof(*scratch->depth));
	if (!scratch->depth) {
		munmap(scratch->queue, vertex_count * sizeof(*scratch->queue));
		return -ENOMEM;
	}
	return 0;
}

void graph_scratch_fini(struct graph_scratch *scratch)
{
	munmap(scratch->queue, scratch->vertex_count * sizeof(*scratch->queue));
	munmap(scratch->depth, scratch->vertex_count * sizeof(*scratch->depth));
}

uint64_t graph_search(const struct graph *graph, struct graph_scratch *scratch)
{
	const struct graph_vertex **queue = scratch->queue;
	uint32_t *depth = scratch->depth;
	uint32_t head = 0, tail = 0, e;
	uint64_t sum = 0;

	memset(depth, 0xff, graph->vertex_count * sizeof(*depth)); /* NOT_REACHED */
	queue[tail++] = graph->vertices[0];
	depth[graph->vertices[0]->id] = 0;
	while (head < tail) {
		const struct graph_vertex *vertex = queue[head++];
		uint32_t next_depth = depth[vertex->id] + 1;

		sum += vertex->weight * next_depth;
		for (e = 0; e < vertex->degree; e++) {
			const struct graph_vertex *next = vertex->edges[e];

			if (depth[next->id] != NOT_REACHED)
				continue;
			depth[next->id] = next_depth;
			queue[tail++] = next;
		}
	}
	return sum;
}

uint64_t graph_scan(const struct graph *graph)
{
	uint64_t sum = 0;
	uint32_t v, e;

	for (v = 0; v < graph->vertex_count; v++) {
		const struct graph_vertex *vertex = graph->vertices[v];

		sum += vertex->weight;
		for (e = 0; e < vertex->degree; e++)
			sum += (uintptr_t)vertex->edges[e] & 1;
	}
	return sum;
}
