/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The owner: it loads the input, builds the graph in an arena and shares it. Beside that it
 * builds the same graph with malloc(), in which the usual way is served and the reference results
 * are found.
 */
#include <errno.h>
#include <inttypes.h>
#include <malloc.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <lendheap/alloc.h>
#include <lendheap/share.h>

#include "failure.h"
#include "role.h"

#define BUILD_ROUNDS_MAX 5u
#define BUILD_SECONDS    2.0 /* no further round after so long */
#define GRAPHS_AT_ONCE   3u  /* in the arena, with malloc, and merged with the overlay */

struct owner {
	const struct settings *settings;
	struct edge_list list;
	struct plain plain;
	struct lend_arena *arena;
	struct graph *graph;         /* in the arena */
	struct graph *private_graph; /* built with malloc() */
	struct reference reference;
};

static void report_load(void *context, double share, uint64_t edge_count)
{
	(void)context;
	(void)edge_count;
	role_progress(share);
}

static void report_build(void *context, double share)
{
	(void)context;
	role_progress(share);
}

static const struct graph_progress build_progress = {report_build, NULL};

/* Linux promises more memory than it has and kills later: better to say so now. */
static int check_room(const struct plain *plain)
{
	uint64_t needed = GRAPHS_AT_ONCE * graph_reservation(plain);
	uint64_t available = measure_available();

	if (needed <= available)
		return 0;
	return graph_fail(-ENOMEM,
		"this graph takes about %" PRIu64 " MiB to build and compare, and only %" PRIu64
		" MiB of memory are available",
		needed >> 20, available >> 20);
}

static int load(struct owner *owner)
{
	struct message message = {.kind = MESSAGE_LOADED};
	struct load_options options = owner->settings->load;
	struct message_loaded *loaded = &message.u.loaded;
	double start = measure_now();
	int err;

	options.progress = report_load;
	edges_init(&owner->list);
	err = load_graph(&options, &owner->list);
	if (err)
		return err;
	err = plain_from_edges(&owner->list, NULL, 0, &owner->plain);
	if (!err)
		err = check_room(&owner->plain);
	if (err)
		return err;

	(void)snprintf(loaded->title, sizeof(loaded->title), "%s", owner->list.title);
	(void)snprintf(loaded->vertex_noun, sizeof(loaded->vertex_noun), "%s",
		owner->list.vertex_noun);
	(void)snprintf(
		loaded->edge_noun, sizeof(loaded->edge_noun), "%s", owner->list.edge_noun);
	(void)snprintf(loaded->weight_note, sizeof(loaded->weight_note), "%s",
		owner->list.weight_note);
	loaded->vertex_count = owner->list.vertex_count;
	loaded->edge_count = owner->list.edge_count;
	loaded->seconds = measure_now() - start;
	return role_tell(&message);
}

static int create_arena(const struct owner *owner, struct lend_arena **out_arena)
{
	struct lend_arena_options options = {
		.struct_bytes = sizeof(options),
		.name = "graph",
		.reservation_bytes = graph_reservation(&owner->plain),
		.quota_bytes = owner->settings->quota_bytes,
	};
	int err;

	if (options.quota_bytes > options.reservation_bytes)
		options.reservation_bytes = options.quota_bytes;
	err = lend_arena_create(&options, out_arena);
	return err ? role_fail_lend(err, "making the arena") : 0;
}

/* Build in a new arena, timed from its creation on. */
static int build_in_arena(
	struct owner *owner, const struct graph_progress *progress, double *out_seconds)
{
	double start = measure_now();
	struct heap heap;
	int err;

	err = create_arena(owner, &owner->arena);
	if (err)
		return err;
	heap = heap_of_arena(owner->arena);
	err = graph_build(&owner->plain, &heap, progress, &owner->graph);
	*out_seconds = measure_now() - start;
	return err;
}

static int build_private(struct owner *owner, double *out_seconds)
{
	struct heap heap = heap_private();
	double start = measure_now();
	int err;

	err = graph_build(&owner->plain, &heap, NULL, &owner->private_graph);
	*out_seconds = measure_now() - start;
	return err;
}

/* Throw both graphs away, memory and all, so that the next round begins as the first did. */
static int forget_graphs(struct owner *owner)
{
	struct heap heap = heap_private();
	int err;

	graph_destroy(owner->private_graph, &heap);
	owner->private_graph = NULL;
	(void)malloc_trim(0);
	err = lend_arena_destroy(owner->arena);
	owner->arena = NULL;
	owner->graph = NULL;
	return err ? role_fail_lend(err, "destroying an arena") : 0;
}

/*
 * Build in turns, arena and heap: a first round to warm up, then as many as there is time for.
 * The graphs of the last round stay.
 */
static int build(struct owner *owner, struct message_shared *shared)
{
	double in_arena[BUILD_ROUNDS_MAX + 1];
	double in_heap[BUILD_ROUNDS_MAX + 1];
	double ratios[BUILD_ROUNDS_MAX + 1];
	double start = measure_now();
	uint32_t round = 0;
	uint32_t first;
	uint32_t i;
	int err;

	for (;;) {
		err = build_in_arena(owner, round ? NULL : &build_progress, &in_arena[round]);
		if (!err)
			err = build_private(owner, &in_heap[round]);
		if (err)
			return err;
		round++;
		if (round > BUILD_ROUNDS_MAX || measure_now() - start > BUILD_SECONDS)
			break;
		err = forget_graphs(owner);
		if (err)
			return err;
		role_progress((double)round / (BUILD_ROUNDS_MAX + 1));
	}

	first = round > 1; /* one alone: too large to build twice */
	for (i = first; i < round; i++)
		ratios[i] = in_arena[i] / in_heap[i];
	shared->in_arena = sample_of(in_arena + first, round - first);
	shared->in_heap = sample_of(in_heap + first, round - first);
	shared->ratio = sample_of(ratios + first, round - first);
	return 0;
}

static int publish(struct owner *owner)
{
	char name[ROLE_SHARE_NAME_BYTES];
	int err;

	err = lend_root_set(owner->arena, "graph", LEND_TYPE(struct graph, GRAPH_TYPE_VERSION),
		owner->graph);
	if (err)
		return role_fail_lend(err, "setting the root");
	role_share_name(owner->settings, "graph", name);
	err = lend_share(owner->arena, name);
	return err ? role_fail_lend(err, "sharing the arena") : 0;
}

static int build_and_share(struct owner *owner)
{
	struct lend_arena_stats stats = {.struct_bytes = sizeof(stats)};
	struct message message = {.kind = MESSAGE_SHARED};
	struct message_shared *shared = &message.u.shared;
	int err;

	err = build(owner, shared);
	if (err)
		return err;
	err = publish(owner);
	if (err)
		return err;
	err = lend_arena_stats(owner->arena, &stats);
	if (err)
		return role_fail_lend(err, "counting the arena");

	shared->arc_count = owner->graph->arc_count;
	shared->object_count = stats.live_count;
	shared->live_bytes = stats.live_bytes;
	(void)snprintf(shared->hub, sizeof(shared->hub), "%s", owner->graph->hub->name);
	return role_tell(&message);
}

/* Walk a private graph in every way and write the results down as those that are right. */
static int write_reference(
	struct owner *owner, const struct graph *graph, enum reference_set set)
{
	struct message message = {.kind = MESSAGE_REFERENCE};
	struct message_reference *told = &message.u.reference;
	struct walk_arrays arrays;
	unsigned kind;
	int err;

	err = walk_arrays_init(&arrays, graph->vertex_count);
	if (err)
		return err;
	for (kind = 0; kind < WALK_COUNT; kind++) {
		walk_run((enum walk_kind)kind, graph, NULL, &arrays);
		reference_put(&owner->reference, set, (enum walk_kind)kind, &arrays);
		told->checksums[kind] = walk_checksum((enum walk_kind)kind, &arrays);

		role_progress((double)(kind + 1) / WALK_COUNT);
	}
	told->starts = walk_starts(&arrays);
	walk_arrays_fini(&arrays);
	return role_tell(&message);
}

/* The union as anyone would build it: one graph with malloc(), the new arcs among the others. */
static int write_union_reference(struct owner *owner)
{
	const struct graph *base = owner->private_graph;
	struct heap heap = heap_private();
	struct graph *merged = NULL;
	struct plain plain;
	struct edge *extra;
	int err;

	err = overlay_plan(base, owner->settings->load.seed, &extra);
	if (err)
		return err;
	err = plain_from_edges(&owner->list, extra, overlay_arc_count(base), &plain);
	free(extra);
	if (err)
		return err;
	err = graph_build(&plain, &heap, NULL, &merged);
	plain_fini(&plain);
	if (err)
		return err;

	/* The walks start where those of the graph alone do, also if another has more arcs now. */
	merged->hub = merged->vertices[base->hub->index];
	err = write_reference(owner, merged, REFERENCE_UNION);
	graph_destroy(merged, &heap);
	return err;
}

/* The usual way, our part: write the private graph out flat and send it. */
static int serve_copy(struct owner *owner)
{
	struct block_head head;
	struct plain plain;
	double start;
	char asked;
	int err;

	if (recv(ROLE_FD_COPIES, &asked, 1, 0) != 1)
		return graph_fail(-EPROTO, "a copier asked for nothing");
	start = measure_now();
	err = plain_from_graph(owner->private_graph, &plain);
	if (err)
		return err;
	head.bytes = plain.block_bytes;
	head.serialize_seconds = measure_now() - start;
	err = block_send(ROLE_FD_COPIES, &head, plain.block);
	plain_fini(&plain);
	return err;
}

/* Serve until told to end. The library's helper thread serves the borrowers meanwhile. */
static int serve(struct owner *owner)
{
	struct pollfd fds[2] = {
		{.fd = ROLE_FD_CONTROL, .events = POLLIN},
		{.fd = ROLE_FD_COPIES, .events = POLLIN},
	};
	struct message message;
	int err;

	for (;;) {
		if (poll(fds, 2, -1) < 0) {
			if (errno == EINTR)
				continue;
			return graph_fail(-errno, "poll: %s", strerror(errno));
		}
		if (fds[0].revents) {
			err = role_listen(&message);
			if (err)
				return err;
			if (message.kind == MESSAGE_DO_QUIT)
				return 0;
			if (message.kind == MESSAGE_DO_UNION) {
				err = write_union_reference(owner);
				if (err)
					return err;
			}
		}
		if (fds[1].revents) {
			err = serve_copy(owner);
			if (err)
				return err;
		}
	}
}

static int run(struct owner *owner)
{
	int err;

	err = load(owner);
	if (err)
		return err;
	role_die_if_asked(owner->settings);
	err = build_and_share(owner);
	if (err)
		return err;
	err = reference_create(ROLE_FD_REFERENCE, owner->plain.vertex_count, &owner->reference);
	if (err)
		return err;
	plain_fini(&owner->plain);
	err = write_reference(owner, owner->private_graph, REFERENCE_BASE);
	if (err)
		return err;
	return serve(owner);
}

int owner_run(const struct settings *settings)
{
	struct heap heap = heap_private();
	struct owner owner = {.settings = settings};
	int err;
	int ended = 0;

	err = run(&owner);
	graph_destroy(owner.private_graph, &heap);
	reference_fini(&owner.reference);
	plain_fini(&owner.plain);
	edges_fini(&owner.list);
	if (owner.arena)
		ended = lend_arena_destroy(owner.arena);
	if (!err && ended)
		err = role_fail_lend(ended, "destroying the arena");
	return err;
}
