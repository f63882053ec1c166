/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "failure.h"
#include "overlay.h"
#include "random.h"

#define ARCS_FOR_ONE_MORE 20u
#define PLAN_SEED         UINT64_C(0x6f7665726c6179) /* other numbers than the loaders draw */

uint64_t overlay_arc_count(const struct graph *graph)
{
	return graph->arc_count / ARCS_FOR_ONE_MORE + 1;
}

/* One arc on, drawn at random; NULL at a dead end. */
static const struct graph_arc *step(const struct graph_vertex *vertex, struct random *random)
{
	if (vertex->arc_count == 0)
		return NULL;
	return &vertex->arcs[random_below(random, vertex->arc_count)];
}

int overlay_plan(const struct graph *graph, uint64_t seed, struct edge **out_edges)
{
	struct random random = random_from(seed ^ PLAN_SEED);
	uint64_t count = overlay_arc_count(graph);
	struct edge *edges;
	uint64_t i;

	edges = malloc(count * sizeof(*edges));
	if (!edges)
		return graph_fail_memory("the plan of the new arcs");

	for (i = 0; i < count; i++) {
		uint32_t start = random_below(&random, graph->vertex_count);
		const struct graph_vertex *tail = graph->vertices[start];
		const struct graph_arc *first = step(tail, &random);
		const struct graph_arc *second = first ? step(first->head, &random) : NULL;
		uint32_t weight = 1;

		if (second)
			weight = (uint32_t)(((uint64_t)first->weight + second->weight) / 2);
		else /* a dead end: a bridge to anywhere instead */
			start = random_below(&random, graph->vertex_count);
		edges[i] = (struct edge){
			.tail = tail->index,
			.head = second ? second->head->index : start,
			.weight = weight,
		};
	}
	*out_edges = edges;
	return 0;
}

static struct overlay_fan **bucket_of(struct overlay *overlay, uint32_t index)
{
	return &overlay->buckets[index & overlay->bucket_mask];
}

static int create(const struct graph *graph, uint64_t edge_count, const struct heap *heap,
	struct overlay **out_overlay)
{
	struct overlay *overlay;
	uint32_t count = 1;
	int err;

	while (count < edge_count && count < graph->vertex_count)
		count *= 2;
	overlay = heap_alloc(heap, sizeof(*overlay), "the overlay");
	if (!overlay)
		return -errno;
	*overlay = (struct overlay){.base = graph, .bucket_mask = count - 1};
	overlay->buckets = heap_alloc(heap, count * sizeof(*overlay->buckets), "the overlay");
	if (!overlay->buckets) {
		err = -errno;
		heap_free(heap, overlay, sizeof(*overlay));
		return err;
	}
	memset(overlay->buckets, 0, count * sizeof(*overlay->buckets));

	*out_overlay = overlay;
	return 0;
}

void overlay_destroy(struct overlay *overlay, const struct heap *heap)
{
	uint32_t i;

	if (!overlay)
		return;
	for (i = 0; i <= overlay->bucket_mask; i++) {
		while (overlay->buckets[i]) {
			struct overlay_fan *fan = overlay->buckets[i];

			overlay->buckets[i] = fan->next;
			if (fan->arcs)
				heap_free(heap, fan->arcs, fan->arc_count * sizeof(*fan->arcs));
			heap_free(heap, fan, sizeof(*fan));
		}
	}
	heap_free(
		heap, overlay->buckets, (overlay->bucket_mask + 1) * sizeof(*overlay->buckets));
	heap_free(heap, overlay, sizeof(*overlay));
}

/* Count an arc of a vertex, making its fan when it is the first. */
static int count_arc(const struct graph *graph, const struct edge *edge,
	const struct heap *heap, struct overlay *overlay)
{
	const struct graph_vertex *tail = graph->vertices[edge->tail];
	struct overlay_fan **bucket = bucket_of(overlay, edge->tail);
	struct overlay_fan *fan = *bucket;

	while (fan && fan->tail != tail)
		fan = fan->next;
	if (!fan) {
		fan = heap_alloc(heap, sizeof(*fan), "new arcs of a vertex");
		if (!fan)
			return -errno;
		*fan = (struct overlay_fan){.tail = tail, .next = *bucket};
		*bucket = fan;
		overlay->fan_count++;
	}
	fan->arc_count++;
	return 0;
}

/* Put an arc behind those its fan has; the fan's arcs are allocated with its first. */
static int put_arc(const struct graph *graph, const struct edge *edge, const struct heap *heap,
	struct overlay *overlay, uint32_t *filled)
{
	struct overlay_fan *fan = *bucket_of(overlay, edge->tail);

	while (fan->tail->index != edge->tail)
		fan = fan->next;
	if (!fan->arcs) {
		fan->arcs = heap_alloc(heap, fan->arc_count * sizeof(*fan->arcs), "new arcs");
		if (!fan->arcs)
			return -errno;
	}
	fan->arcs[filled[edge->tail]++] = (struct graph_arc){
		.head = graph->vertices[edge->head],
		.weight = edge->weight,
	};
	return 0;
}

int overlay_build(const struct graph *graph, const struct edge *edges, uint64_t edge_count,
	const struct heap *heap, struct overlay **out_overlay)
{
	struct overlay *overlay = NULL;
	uint32_t *filled;
	uint64_t i;
	int err;

	filled = calloc(graph->vertex_count, sizeof(*filled));
	if (!filled)
		return graph_fail_memory("the new arcs");
	err = create(graph, edge_count, heap, &overlay);
	for (i = 0; !err && i < edge_count; i++)
		err = count_arc(graph, &edges[i], heap, overlay);
	for (i = 0; !err && i < edge_count; i++)
		err = put_arc(graph, &edges[i], heap, overlay, filled);
	free(filled);
	if (err) {
		overlay_destroy(overlay, heap);
		return err;
	}

	overlay->arc_count = edge_count;
	*out_overlay = overlay;
	return 0;
}
