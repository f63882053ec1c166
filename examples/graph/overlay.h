/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAPH_OVERLAY_H
#define GRAPH_OVERLAY_H

/*
 * New arcs on a graph that belongs to someone else: they lie in their writer's own arena and
 * point, as raw pointers, at vertices in the owner's.
 *
 *	writer's arena                            owner's arena
 *	struct overlay
 *	  base ---------------------------------> struct graph
 *	  buckets -> struct overlay_fan
 *	               tail --------------------> struct graph_vertex "a"
 *	               arcs -> { head, weight } -> struct graph_vertex "c"
 */
#include <stdint.h>

#include "graph.h"

struct overlay_fan {
	const struct graph_vertex *tail;
	struct graph_arc *arcs;
	struct overlay_fan *next; /* in its bucket */
	uint32_t arc_count;
	uint32_t reserved;
};

struct overlay {
	const struct graph *base;
	uint64_t arc_count;
	uint64_t fan_count;
	uint32_t bucket_mask;
	uint32_t reserved;
	struct overlay_fan **buckets; /* by the index of the tail */
};

#define OVERLAY_TYPE_VERSION 1

/* How many new arcs a graph gets: one for each 20 it has, at least one. */
uint64_t overlay_arc_count(const struct graph *graph);

/*
 * Choose new arcs: shortcuts from a vertex to one two arcs away, at half the price. The same
 * graph and seed give the same arcs, in whatever process and heap. 0; -ENOMEM. *out_edges is the
 * caller's to free().
 */
int overlay_plan(const struct graph *graph, uint64_t seed, struct edge **out_edges);

/* Build them. 0; -ENOMEM, -EDQUOT: then what was made is freed again. */
int overlay_build(const struct graph *graph, const struct edge *edges, uint64_t edge_count,
	const struct heap *heap, struct overlay **out_overlay);

/* Free every object of an overlay. NULL is allowed. */
void overlay_destroy(struct overlay *overlay, const struct heap *heap);

/* The new arcs of a vertex, or NULL. */
static inline const struct overlay_fan *overlay_find(
	const struct overlay *overlay, const struct graph_vertex *tail)
{
	const struct overlay_fan *fan = overlay->buckets[tail->index & overlay->bucket_mask];

	while (fan && fan->tail != tail)
		fan = fan->next;
	return fan;
}

#endif /* GRAPH_OVERLAY_H */
