/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "failure.h"
#include "walk.h"

#define SETTLED UINT32_MAX /* the place of a vertex that has left the heap for good */

int walk_arrays_init(struct walk_arrays *arrays, uint32_t vertex_count)
{
	*arrays = (struct walk_arrays){.vertex_count = vertex_count};
	arrays->levels = calloc(vertex_count, sizeof(*arrays->levels));
	arrays->ranks = calloc(vertex_count, sizeof(*arrays->ranks));
	arrays->next_ranks = calloc(vertex_count, sizeof(*arrays->next_ranks));
	arrays->distances = calloc(vertex_count, sizeof(*arrays->distances));
	arrays->found = calloc(vertex_count, sizeof(*arrays->found));
	arrays->queue = calloc(vertex_count, sizeof(*arrays->queue));
	arrays->places = calloc(vertex_count, sizeof(*arrays->places));
	if (!arrays->levels || !arrays->ranks || !arrays->next_ranks || !arrays->distances ||
		!arrays->found || !arrays->queue || !arrays->places) {
		walk_arrays_fini(arrays);
		return graph_fail_memory("the results of the walks");
	}
	return 0;
}

void walk_arrays_fini(struct walk_arrays *arrays)
{
	free(arrays->levels);
	free(arrays->ranks);
	free(arrays->next_ranks);
	free(arrays->distances);
	free(arrays->found);
	free(arrays->queue);
	free(arrays->places);
	*arrays = (struct walk_arrays){0};
}

const char *walk_name(enum walk_kind kind)
{
	static const char *const names[WALK_COUNT] = {
		[WALK_BREADTH] = "breadth-first search",
		[WALK_RANK] = "PageRank",
		[WALK_PATHS] = "shortest paths",
		[WALK_NAMES] = "look up every name",
	};

	return names[kind];
}

/* The arcs of a vertex: its own, and those an overlay adds. */
struct arcs {
	const struct graph_arc *first;
	uint32_t count;
};

static inline unsigned arcs_of(const struct graph_vertex *vertex, const struct overlay *overlay,
	struct arcs out_arcs[2])
{
	const struct overlay_fan *fan;

	out_arcs[0] = (struct arcs){vertex->arcs, vertex->arc_count};
	if (!overlay)
		return 1;
	fan = overlay_find(overlay, vertex);
	if (!fan)
		return 1;
	out_arcs[1] = (struct arcs){fan->arcs, fan->arc_count};
	return 2;
}

/* Search from one vertex over all that no search reached before. */
static void search_from(const struct graph_vertex *start, const struct overlay *overlay,
	struct walk_arrays *arrays)
{
	uint32_t *levels = arrays->levels;
	uint32_t put = 0;
	uint32_t taken = 0;
	struct arcs arcs[2];
	unsigned part;
	uint32_t i;

	levels[start->index] = 0;
	arrays->queue[put++] = start;
	while (taken < put) {
		const struct graph_vertex *vertex = arrays->queue[taken++];
		uint32_t level = levels[vertex->index] + 1;
		unsigned parts = arcs_of(vertex, overlay, arcs);

		for (part = 0; part < parts; part++) {
			for (i = 0; i < arcs[part].count; i++) {
				const struct graph_vertex *head = arcs[part].first[i].head;

				if (levels[head->index] != UINT32_MAX)
					continue;
				levels[head->index] = level;
				arrays->queue[put++] = head;
			}
		}
	}
}

static void run_breadth(
	const struct graph *graph, const struct overlay *overlay, struct walk_arrays *arrays)
{
	uint32_t v;

	memset(arrays->levels, 0xff, graph->vertex_count * sizeof(*arrays->levels));
	search_from(graph->hub, overlay, arrays);
	for (v = 0; v < graph->vertex_count; v++) {
		if (arrays->levels[v] == UINT32_MAX)
			search_from(graph->vertices[v], overlay, arrays);
	}
}

/* Send each vertex's rank along its arcs in equal parts. Returns the rank that has no arc to take. */
static double spread_ranks(
	const struct graph *graph, const struct overlay *overlay, struct walk_arrays *arrays)
{
	double *next = arrays->next_ranks;
	double stuck = 0.0;
	struct arcs arcs[2];
	unsigned part;
	uint32_t v;
	uint32_t i;

	for (v = 0; v < graph->vertex_count; v++) {
		const struct graph_vertex *vertex = graph->vertices[v];
		unsigned parts = arcs_of(vertex, overlay, arcs);
		uint64_t count = arcs[0].count;
		double share;

		if (parts == 2)
			count += arcs[1].count;
		if (count == 0) {
			stuck += arrays->ranks[v];
			continue;
		}
		share = arrays->ranks[v] / (double)count;
		for (part = 0; part < parts; part++) {
			for (i = 0; i < arcs[part].count; i++)
				next[arcs[part].first[i].head->index] += share;
		}
	}
	return stuck;
}

static void run_rank(
	const struct graph *graph, const struct overlay *overlay, struct walk_arrays *arrays)
{
	double count = (double)graph->vertex_count;
	double moved = 1.0;
	unsigned round;
	uint32_t v;

	for (v = 0; v < graph->vertex_count; v++)
		arrays->ranks[v] = 1.0 / count;
	for (round = 0; round < WALK_RANK_ROUNDS_MAX && moved >= WALK_RANK_TOLERANCE; round++) {
		double everywhere;
		double stuck;

		memset(arrays->next_ranks, 0, graph->vertex_count * sizeof(double));
		stuck = spread_ranks(graph, overlay, arrays);
		everywhere = (1.0 - WALK_RANK_DAMPING + WALK_RANK_DAMPING * stuck) / count;
		moved = 0.0;
		for (v = 0; v < graph->vertex_count; v++) {
			double rank = everywhere + WALK_RANK_DAMPING * arrays->next_ranks[v];

			moved += fabs(rank - arrays->ranks[v]);
			arrays->ranks[v] = rank;
		}
	}
}

/*
 * The heap of the shortest paths: arrays->queue, least distance first; a vertex that gets nearer
 * moves up from its place.
 */
static void heap_put_at(
	struct walk_arrays *arrays, uint32_t at, const struct graph_vertex *vertex)
{
	arrays->queue[at] = vertex;
	arrays->places[vertex->index] = at;
}

static void heap_rise(
	struct walk_arrays *arrays, uint32_t at, const struct graph_vertex *vertex)
{
	uint64_t distance = arrays->distances[vertex->index];

	while (at > 0) {
		uint32_t above = (at - 1) / 2;

		if (arrays->distances[arrays->queue[above]->index] <= distance)
			break;
		heap_put_at(arrays, at, arrays->queue[above]);
		at = above;
	}
	heap_put_at(arrays, at, vertex);
}

/* Take the nearest vertex out; the last one fills its place from the top down. */
static const struct graph_vertex *heap_take(struct walk_arrays *arrays, uint32_t *count)
{
	const struct graph_vertex *nearest = arrays->queue[0];
	const struct graph_vertex *last = arrays->queue[--*count];
	uint64_t distance = arrays->distances[last->index];
	uint32_t at = 0;

	for (;;) {
		uint32_t below = 2 * at + 1;

		if (below >= *count)
			break;
		if (below + 1 < *count &&
			arrays->distances[arrays->queue[below + 1]->index] <
				arrays->distances[arrays->queue[below]->index])
			below++;
		if (arrays->distances[arrays->queue[below]->index] >= distance)
			break;
		heap_put_at(arrays, at, arrays->queue[below]);
		at = below;
	}
	if (*count > 0)
		heap_put_at(arrays, at, last);
	arrays->places[nearest->index] = SETTLED;
	return nearest;
}

/* Find the shortest paths from one vertex to all that none led to before. */
static void find_paths_from(const struct graph_vertex *start, const struct overlay *overlay,
	struct walk_arrays *arrays)
{
	uint64_t *distances = arrays->distances;
	uint32_t count = 0;
	struct arcs arcs[2];
	unsigned part;
	uint32_t i;

	distances[start->index] = 0;
	heap_rise(arrays, count++, start);
	while (count > 0) {
		const struct graph_vertex *vertex = heap_take(arrays, &count);
		unsigned parts = arcs_of(vertex, overlay, arcs);

		for (part = 0; part < parts; part++) {
			for (i = 0; i < arcs[part].count; i++) {
				const struct graph_arc *arc = &arcs[part].first[i];
				uint64_t distance = distances[vertex->index] + arc->weight;
				const struct graph_vertex *head = arc->head;
				uint64_t known = distances[head->index];

				if (distance >= known || arrays->places[head->index] == SETTLED)
					continue;
				distances[head->index] = distance;
				if (known == UINT64_MAX)
					heap_rise(arrays, count++, head);
				else
					heap_rise(arrays, arrays->places[head->index], head);
			}
		}
	}
}

static void run_paths(
	const struct graph *graph, const struct overlay *overlay, struct walk_arrays *arrays)
{
	uint32_t v;

	memset(arrays->distances, 0xff, graph->vertex_count * sizeof(*arrays->distances));
	memset(arrays->places, 0, graph->vertex_count * sizeof(*arrays->places));
	find_paths_from(graph->hub, overlay, arrays);
	for (v = 0; v < graph->vertex_count; v++) {
		if (arrays->distances[v] == UINT64_MAX)
			find_paths_from(graph->vertices[v], overlay, arrays);
	}
}

static void run_names(const struct graph *graph, struct walk_arrays *arrays)
{
	uint32_t v;

	for (v = 0; v < graph->vertex_count; v++) {
		const struct graph_vertex *found = graph_find(graph, graph->vertices[v]->name);

		arrays->found[v] = found ? found->index : UINT32_MAX;
	}
}

void walk_run(enum walk_kind kind, const struct graph *graph, const struct overlay *overlay,
	struct walk_arrays *arrays)
{
	switch (kind) {
	case WALK_BREADTH:
		run_breadth(graph, overlay, arrays);
		break;
	case WALK_RANK:
		run_rank(graph, overlay, arrays);
		break;
	case WALK_PATHS:
		run_paths(graph, overlay, arrays);
		break;
	default:
		run_names(graph, arrays);
		break;
	}
}

const void *walk_result(
	enum walk_kind kind, const struct walk_arrays *arrays, uint64_t *out_bytes)
{
	switch (kind) {
	case WALK_BREADTH:
		*out_bytes = arrays->vertex_count * sizeof(*arrays->levels);
		return arrays->levels;
	case WALK_RANK:
		*out_bytes = arrays->vertex_count * sizeof(*arrays->ranks);
		return arrays->ranks;
	case WALK_PATHS:
		*out_bytes = arrays->vertex_count * sizeof(*arrays->distances);
		return arrays->distances;
	default:
		*out_bytes = arrays->vertex_count * sizeof(*arrays->found);
		return arrays->found;
	}
}

uint64_t walk_checksum(enum walk_kind kind, const struct walk_arrays *arrays)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325) + (uint64_t)kind;
	const char *bytes;
	uint64_t count;
	uint32_t word;
	uint64_t i;

	bytes = walk_result(kind, arrays, &count);
	for (i = 0; i < count; i += sizeof(word)) {
		memcpy(&word, bytes + i, sizeof(word));
		hash = (hash ^ word) * UINT64_C(0x100000001b3);
	}
	return hash;
}

uint32_t walk_starts(const struct walk_arrays *arrays)
{
	uint32_t count = 0;
	uint32_t v;

	for (v = 0; v < arrays->vertex_count; v++)
		count += arrays->levels[v] == 0;
	return count;
}
