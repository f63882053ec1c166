/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Two roles for a graph that grew by someone else's hand. The overlay writer borrows the owner's
 * graph and shares new arcs in an arena of its own: raw pointers from one arena into another.
 * The union walker borrows both and walks them as one graph.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include <lendheap/alloc.h>
#include <lendheap/share.h>

#include "failure.h"
#include "role.h"

#define OVERLAY_ARC_BYTES 80u /* an arc and, at worst, a fan and a bucket of its own */
#define OVERLAY_SPARE     (UINT64_C(64) << 20)

/* Build the overlay in an arena of our own and set its root. */
static int build(const struct graph *graph, const struct edge *edges, uint64_t edge_count,
	struct lend_arena *arena)
{
	struct heap heap = heap_of_arena(arena);
	struct overlay *overlay;
	int err;

	err = overlay_build(graph, edges, edge_count, &heap, &overlay);
	if (err)
		return err;
	err = lend_root_set(
		arena, "overlay", LEND_TYPE(struct overlay, OVERLAY_TYPE_VERSION), overlay);
	return err ? role_fail_lend(err, "setting the overlay's root") : 0;
}

static int create(const struct settings *settings, const struct graph *graph,
	struct lend_arena **out_arena)
{
	uint64_t edge_count = overlay_arc_count(graph);
	struct lend_arena_options options = {
		.struct_bytes = sizeof(options),
		.name = "overlay",
		.reservation_bytes = edge_count * OVERLAY_ARC_BYTES / 4 * 5 + OVERLAY_SPARE,
	};
	char name[ROLE_SHARE_NAME_BYTES];
	struct lend_arena *arena;
	struct edge *edges;
	int err;

	err = lend_arena_create(&options, &arena);
	if (err)
		return role_fail_lend(err, "making the overlay's arena");
	err = overlay_plan(graph, settings->load.seed, &edges);
	if (err)
		goto destroy;
	err = build(graph, edges, edge_count, arena);
	free(edges);
	if (err)
		goto destroy;
	role_share_name(settings, "overlay", name);
	err = lend_share(arena, name);
	if (err) {
		err = role_fail_lend(err, "sharing the overlay");
		goto destroy;
	}

	*out_arena = arena;
	return 0;
destroy:
	(void)lend_arena_destroy(arena);
	return err;
}

static int write_overlay(const struct settings *settings, const struct graph *graph)
{
	struct message message = {.kind = MESSAGE_OVERLAID};
	struct message_overlaid *overlaid = &message.u.overlaid;
	struct lend_arena *arena = NULL;
	struct message command;
	const void *base;
	uint64_t bytes;
	int ended;
	int err;

	err = create(settings, graph, &arena);
	if (err)
		return err;
	err = lend_arena_range(arena, &base, &bytes);
	if (err)
		return role_fail_lend(err, "asking where the overlay lies");
	overlaid->arc_count = overlay_arc_count(graph);
	overlaid->arena_start = (uintptr_t)base;
	overlaid->graph_address = (uintptr_t)graph;
	overlaid->code_address = role_code_address();
	err = role_tell(&message);
	if (!err)
		err = role_listen(&command); /* the library serves borrowers meanwhile */
	ended = lend_arena_destroy(arena);
	if (!err && ended)
		err = role_fail_lend(ended, "destroying the overlay");
	return err;
}

int overlay_writer_run(const struct settings *settings)
{
	const struct lend_arena *arena;
	const void *object;
	int err;

	role_die_if_asked(settings);
	err = role_borrow(settings, "graph", LEND_TYPE(struct graph, GRAPH_TYPE_VERSION),
		&arena, &object);
	if (err)
		return err;
	err = write_overlay(settings, object);
	(void)lend_close(arena);
	return err;
}

static int walk_union(const struct settings *settings, const struct graph *graph,
	const struct overlay *overlay)
{
	struct message message = {.kind = MESSAGE_WALKED};
	struct message command;
	int err;

	if (overlay->base != graph)
		return graph_fail(-EUCLEAN,
			"the overlay points at a graph at %p; the graph lies "
			"at %p",
			(const void *)overlay->base, (const void *)graph);
	err = role_walk(settings, graph, overlay, WALK_NAMES, &message.u.walked);
	if (err)
		return err;
	err = role_tell(&message);
	if (err)
		return err;
	return role_listen(&command);
}

int union_walker_run(const struct settings *settings)
{
	const struct lend_arena *graph_arena;
	const struct lend_arena *overlay_arena;
	const void *graph;
	const void *overlay;
	int err;

	role_die_if_asked(settings);
	err = role_borrow(settings, "graph", LEND_TYPE(struct graph, GRAPH_TYPE_VERSION),
		&graph_arena, &graph);
	if (err)
		return err;
	err = role_borrow(settings, "overlay", LEND_TYPE(struct overlay, OVERLAY_TYPE_VERSION),
		&overlay_arena, &overlay);
	if (!err) {
		err = walk_union(settings, graph, overlay);
		(void)lend_close(overlay_arena);
	}
	(void)lend_close(graph_arena);
	return err;
}
