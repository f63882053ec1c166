/* SPDX-License-Identifier: Apache-2.0 */
/*
 * walk-offset: a list in an arena, followed through LEND_PTR and through raw pointers. Each node
 * has both, side by side, so memory, layout and order are the same. Every hop waits for the one
 * before it, which is the worst case for a pointer that needs an addition. The nodes fit the L2
 * cache, or no cache; walk-offset-l1 is the extreme where a hop is a few cycles.
 *
 * walk-reader: a breadth-first search by a reader in the owner's arena, in place, against the
 * same search on a private copy that the reader built with malloc in the same order. A vertex and
 * its edges are one object. In walk-reader-split they are two: then it also counts that glibc
 * puts the two side by side, and that heaps which sort objects by size do not.
 */
#include "share.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define BIG_NODES 100000u /* a walk of more takes long enough by itself */

struct walk_node {
	LEND_PTR(struct walk_node) next;
	struct walk_node *next_raw;
	uint64_t value;
	uint64_t filling[5];
};
LEND_SHM_SIZEOF(struct walk_node, 64);

/* Chain nodes in random order; the last one ends the list. Returns the first. */
static struct walk_node *chain_nodes(
	struct walk_node *node, const uint32_t *order, uint32_t count)
{
	uint32_t i;

	for (i = 0; i < count; i++) {
		struct walk_node *next = i + 1 < count ? &node[order[i + 1]] : NULL;

		lend_ptr_set(&node[order[i]].next, next);
		node[order[i]].next_raw = next;
		node[order[i]].value = i;
	}
	return &node[order[0]];
}

LEND_NOINLINE static uint64_t walk_offset(const struct walk_node *node)
{
	uint64_t sum = 0;

	for (; node; node = lend_ptr_get(&node->next))
		sum += node->value;
	return sum;
}

LEND_NOINLINE static uint64_t walk_raw(const struct walk_node *node)
{
	uint64_t sum = 0;

	for (; node; node = node->next_raw)
		sum += node->value;
	return sum;
}

struct walk_size {
	const char *case_name;
	uint32_t node_count;
};

/* CPU time of one hop, over as many walks as make hops enough for the clock. */
static double time_walks(uint64_t (*walk)(const struct walk_node *),
	const struct walk_node *first, uint32_t node_count, uint32_t hops)
{
	uint32_t i, walks = hops / node_count ? hops / node_count : 1;
	uint64_t start, wanted = (uint64_t)node_count * (node_count - 1) / 2;

	if (node_count <= BIG_NODES) /* what fits no cache needs no warming up */
		bench_keep(walk(first));
	start = bench_thread_ns();
	for (i = 0; i < walks; i++) {
		if (walk(first) != wanted)
			abort();
	}
	return (double)(bench_thread_ns() - start) / ((double)walks * node_count);
}

static void name_bytes(char *text, size_t bytes, size_t number)
{
	if (number < 1 << 20)
		snprintf(text, bytes, "%zuKiB", number >> 10);
	else
		snprintf(text, bytes, "%zuMiB", number >> 20);
}

static int run_walk_size(struct bench *bench, struct lend_arena *arena,
	const struct walk_size *size, uint32_t hops)
{
	uint32_t round, rounds = bench_rounds(bench, size->node_count > BIG_NODES ? 11 : 41);
	struct bench_row *offset, *raw;
	struct walk_node *nodes, *first;
	uint64_t seed = 5;
	uint32_t *order;
	char label[32];

	order = malloc(size->node_count * sizeof(*order));
	if (!order)
		return -ENOMEM;
	bench_shuffle(order, size->node_count, &seed);
	nodes = lend_alloc_aligned(arena, size->node_count * sizeof(*nodes), 64);
	if (!nodes) {
		free(order);
		return share_complain("nodes", -errno);
	}
	first = chain_nodes(nodes, order, size->node_count);
	free(order);

	name_bytes(label, sizeof(label), size->node_count * sizeof(*nodes));
	offset = bench_add_row(
		bench, size->case_name, "offset", BENCH_SUBJECT, "working_set", label);
	raw = bench_add_row(bench, size->case_name, "raw", BENCH_PEER, "working_set", label);
	for (round = 0; round < rounds; round++) {
		bench_progress(bench, size->case_name, round, rounds);
		if (round % 2)
			bench_add(raw, "ns", "ratio",
				time_walks(walk_raw, first, size->node_count, hops));
		bench_add(offset, "ns", "ratio",
			time_walks(walk_offset, first, size->node_count, hops));
		if (round % 2 == 0)
			bench_add(raw, "ns", "ratio",
				time_walks(walk_raw, first, size->node_count, hops));
	}
	return 0;
}

int share_run_walk_offset(struct bench *bench, void *context)
{
	static const struct walk_size sizes[] = {
		{"walk-offset", 8192},
		{"walk-offset", 2097152},
		{"walk-offset-l1", 256},
	};
	struct lend_arena_options options = {.struct_bytes = sizeof(options), .name = "walk"};
	uint32_t i, hops = bench->quick ? 65536 : 1048576;
	struct lend_arena *arena;
	int err;

	(void)context;
	err = lend_arena_create(&options, &arena);
	if (err)
		return share_complain("lend_arena_create", err);
	for (i = 0; i < sizeof(sizes) / sizeof(*sizes) && !err; i++) {
		struct walk_size size = sizes[i];

		if (bench->quick && size.node_count > BIG_NODES)
			size.node_count /= 64;
		err = run_walk_size(bench, arena, &size, hops);
	}
	lend_arena_destroy(arena);
	return err;
}

struct reader_case {
	const char *case_name;
	int split;
	struct graph_shape shape;
	char name[LEND_ARENA_NAME_BYTES_MAX + 1];
};

static int prepare_owner(void *context)
{
	const struct reader_case *c = context;

	return share_graph_publish(&c->shape, c->split, c->name, NULL);
}

static double time_search(
	const struct graph *graph, struct graph_scratch *scratch, uint64_t *out_sum)
{
	uint64_t start = bench_thread_ns();

	*out_sum = graph_search(graph, scratch);
	return (double)(bench_thread_ns() - start) / graph->edge_count;
}

static int compare_searches(struct bench *bench, const char *case_name,
	const struct graph *shared, const struct graph *copy)
{
	uint32_t round, rounds = bench_rounds(bench, 15);
	struct bench_row *reader, *private_copy;
	uint64_t sum, copy_sum;
	struct graph_scratch scratch;
	double ns, copy_ns, first_ns;
	int err;

	err = graph_scratch_init(&scratch, shared->vertex_count);
	if (err)
		return err;
	reader = bench_add_row(bench, case_name, "lend", BENCH_SUBJECT, NULL, NULL);
	private_copy = bench_add_row(bench, case_name, "private-copy", BENCH_PEER, NULL, NULL);
	first_ns = time_search(shared, &scratch, &sum); /* maps the pages */
	time_search(copy, &scratch, &copy_sum);
	for (round = 0; round < rounds && sum == copy_sum; round++) {
		bench_progress(bench, case_name, round, rounds);
		if (round % 2) {
			ns = time_search(shared, &scratch, &sum);
			copy_ns = time_search(copy, &scratch, &copy_sum);
		} else {
			copy_ns = time_search(copy, &scratch, &copy_sum);
			ns = time_search(shared, &scratch, &sum);
		}
		bench_add(reader, "ns", "ratio", ns);
		bench_add(private_copy, "ns", "ratio", copy_ns);
	}
	bench_add(reader, "first_walk_ns", NULL, first_ns);
	graph_scratch_fini(&scratch);
	return sum == copy_sum ? 0 : -EUCLEAN;
}

static int run_walk_reader(struct bench *bench, struct reader_case *c)
{
	const struct graph *shared = NULL;
	struct share_owner owner;
	struct graph *copy;
	int err;

	share_name(c->name, sizeof(c->name), c->case_name, getpid());
	err = share_owner_start(&owner, bench->cpu_other, prepare_owner, c);
	if (err)
		return err;
	err = share_graph_open(c->name, &shared);
	if (err)
		goto stop_owner;
	copy = graph_build(&c->shape, &graph_private_heap, c->split);
	err = copy ? compare_searches(bench, c->case_name, shared, copy) : -ENOMEM;
stop_owner:
	share_owner_stop(&owner);
	return err;
}

/* context: not NULL for split vertices. */
int share_run_walk_reader(struct bench *bench, void *context)
{
	struct reader_case c = {.case_name = context ? "walk-reader-split" : "walk-reader"};
	int err;

	c.split = context != NULL;
	err = graph_shape_draw(&c.shape, bench->quick ? 16384 : 1048576);
	if (err)
		return err;
	err = run_walk_reader(bench, &c);
	graph_shape_free(&c.shape);
	return err;
}
