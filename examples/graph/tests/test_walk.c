/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Graphs, overlays and walks against slow and simple models of them, on random graphs. All in
 * private memory: that an arena changes nothing is what the demo itself shows.
 */
#include "support/suite.h"

#include <errno.h>
#include <math.h>

#include "../failure.h"
#include "../measure.h"
#include "../random.h"
#include "../reference.h"
#include "../walk.h"

#define ROUNDS 60

/* A random list: few vertices, so that loops, double edges and isolated ones all come up. */
static void make_list(uint64_t seed, int undirected, struct edge_list *list)
{
	struct random random = random_from(seed);
	uint32_t vertex_count = 1 + random_below(&random, 40);
	uint32_t edge_count = random_below(&random, 120);
	char name[16];
	uint32_t i;

	edges_init(list);
	list->undirected = undirected != 0;
	for (i = 0; i < vertex_count; i++) {
		snprintf(name, sizeof(name), "n%x", i * 2654435761u);
		CU_ASSERT_FATAL(edges_add_vertex(list, name) == 0);
	}
	for (i = 0; i < edge_count; i++)
		CU_ASSERT_FATAL(edges_add(list, random_below(&random, vertex_count),
					random_below(&random, vertex_count),
					random_below(&random, 9)) == 0);
}

static struct graph *build(const struct edge_list *list)
{
	struct heap heap = heap_private();
	struct graph *graph = NULL;
	struct plain plain;

	CU_ASSERT_FATAL(plain_from_edges(list, NULL, 0, &plain) == 0);
	CU_ASSERT_FATAL(graph_build(&plain, &heap, NULL, &graph) == 0);
	plain_fini(&plain);
	return graph;
}

static void destroy(struct graph *graph)
{
	struct heap heap = heap_private();

	graph_destroy(graph, &heap);
}

/*
 * Relax every edge among the vertices not done until nothing changes: distances from the start,
 * or levels where each edge costs 1.
 */
static void model_from(const struct edge_list *list, uint32_t start, int count_edges,
	const uint8_t *done, uint64_t *distances)
{
	int changed = 1;
	uint64_t i;
	int way;

	distances[start] = 0;
	while (changed) {
		changed = 0;
		for (i = 0; i < list->edge_count; i++) {
			for (way = 0; way < (list->undirected ? 2 : 1); way++) {
				const struct edge *edge = &list->edges[i];
				uint32_t from = way ? edge->head : edge->tail;
				uint32_t to = way ? edge->tail : edge->head;
				uint64_t cost = count_edges ? 1 : edge->weight;

				if (done[from] || done[to] || distances[from] == UINT64_MAX ||
					distances[from] + cost >= distances[to])
					continue;
				distances[to] = distances[from] + cost;
				changed = 1;
			}
		}
	}
}

/* From the hub, then from each vertex that nothing led to. Returns the number of starts. */
static uint32_t model_distances(
	const struct edge_list *list, uint32_t hub, int count_edges, uint64_t *distances)
{
	uint8_t done[64] = {0};
	uint32_t starts = 0;
	uint32_t start = hub;
	uint32_t v;

	memset(distances, 0xff, list->vertex_count * sizeof(*distances));
	while (start < list->vertex_count) {
		model_from(list, start, count_edges, done, distances);
		starts++;
		start = list->vertex_count;
		for (v = list->vertex_count; v-- > 0;) {
			done[v] = distances[v] != UINT64_MAX;
			if (!done[v])
				start = v;
		}
	}
	return starts;
}

static void searches_agree_with_a_model(void)
{
	uint64_t model[64];
	uint64_t seed;
	uint32_t v;

	for (seed = 0; seed < ROUNDS; seed++) {
		struct walk_arrays arrays;
		struct edge_list list;
		struct graph *graph;

		make_list(seed, seed % 2, &list);
		graph = build(&list);
		CU_ASSERT_FATAL(walk_arrays_init(&arrays, graph->vertex_count) == 0);
		walk_run(WALK_BREADTH, graph, NULL, &arrays);
		CU_ASSERT(model_distances(&list, graph->hub->index, 1, model) ==
			  walk_starts(&arrays));
		for (v = 0; v < list.vertex_count; v++)
			CU_ASSERT(arrays.levels[v] == (uint32_t)model[v]);
		walk_run(WALK_PATHS, graph, NULL, &arrays);
		model_distances(&list, graph->hub->index, 0, model);
		for (v = 0; v < list.vertex_count; v++)
			CU_ASSERT(arrays.distances[v] == model[v]);

		walk_arrays_fini(&arrays);
		destroy(graph);
		edges_fini(&list);
	}
}

static void ranks_sum_to_one_and_favour_what_is_linked(void)
{
	struct walk_arrays arrays;
	struct edge_list list;
	struct graph *graph;
	double sum = 0.0;
	uint32_t v;

	make_list(3, 0, &list);
	list.edge_count = 0; /* a star: all point at the first, which points nowhere */
	for (v = 1; v < list.vertex_count; v++)
		CU_ASSERT_FATAL(edges_add(&list, v, 0, 1) == 0);
	graph = build(&list);
	CU_ASSERT_FATAL(walk_arrays_init(&arrays, graph->vertex_count) == 0);
	walk_run(WALK_RANK, graph, NULL, &arrays);
	for (v = 0; v < graph->vertex_count; v++) {
		sum += arrays.ranks[v];
		CU_ASSERT(v == 0 || arrays.ranks[v] < arrays.ranks[0]);
	}
	CU_ASSERT(fabs(sum - 1.0) < 1e-12);
	walk_arrays_fini(&arrays);
	destroy(graph);
	edges_fini(&list);
}

static void names_lead_to_their_vertices(void)
{
	struct walk_arrays arrays;
	struct edge_list list;
	struct graph *graph;
	uint32_t v;

	make_list(5, 0, &list);
	graph = build(&list);
	CU_ASSERT_FATAL(walk_arrays_init(&arrays, graph->vertex_count) == 0);
	walk_run(WALK_NAMES, graph, NULL, &arrays);
	for (v = 0; v < graph->vertex_count; v++)
		CU_ASSERT(arrays.found[v] == v);
	CU_ASSERT(graph_find(graph, "no such name") == NULL);
	CU_ASSERT(graph_find(graph, "") == NULL);
	walk_arrays_fini(&arrays);
	destroy(graph);
	edges_fini(&list);
}

static void a_graph_goes_flat_and_comes_back(void)
{
	struct heap heap = heap_private();
	uint64_t seed;

	for (seed = 0; seed < ROUNDS; seed++) {
		struct edge_list list;
		struct plain before;
		struct plain after;
		struct plain read;
		struct graph *graph = NULL;

		make_list(seed, seed % 2, &list);
		CU_ASSERT_FATAL(plain_from_edges(&list, NULL, 0, &before) == 0);
		CU_ASSERT_FATAL(graph_build(&before, &heap, NULL, &graph) == 0);
		CU_ASSERT_FATAL(plain_from_graph(graph, &after) == 0);
		CU_ASSERT(before.block_bytes == after.block_bytes);
		CU_ASSERT(memcmp(before.block, after.block, before.block_bytes) == 0);
		CU_ASSERT(plain_from_block(after.block, after.block_bytes, &read) == 0);
		CU_ASSERT(read.arc_count == graph->arc_count);
		plain_fini(&before);
		plain_fini(&read);
		graph_destroy(graph, &heap);
		edges_fini(&list);
	}
}

/* Whatever word is bent: refused, or a graph whose every index is in range. */
static void a_bent_block_does_no_harm(void)
{
	struct heap heap = heap_private();
	struct random random = random_from(11);
	struct edge_list list;
	struct plain plain;
	int refused = 0;
	int i;

	make_list(7, 0, &list);
	CU_ASSERT_FATAL(plain_from_edges(&list, NULL, 0, &plain) == 0);
	for (i = 0; i < 2000; i++) {
		uint64_t bytes = i % 5 ? plain.block_bytes
				       : random_below(&random, (uint32_t)plain.block_bytes);
		struct graph *graph = NULL;
		struct plain read;
		char *block = malloc(plain.block_bytes);

		CU_ASSERT_FATAL(block != NULL);
		memcpy(block, plain.block, plain.block_bytes);
		block[random_below(&random, (uint32_t)plain.block_bytes)] ^=
			(char)(1 << random_below(&random, 8));
		if (plain_from_block(block, bytes, &read)) {
			refused++;
			free(block);
			continue;
		}
		CU_ASSERT(graph_build(&read, &heap, NULL, &graph) == 0);
		graph_destroy(graph, &heap);
		plain_fini(&read);
	}
	CU_ASSERT(refused > 400);
	plain_fini(&plain);
	edges_fini(&list);
}

/* The union walked over two heaps is the merged graph walked in one, bit for bit. */
static void a_union_equals_the_merged_graph(void)
{
	struct heap heap = heap_private();
	uint64_t seed;
	int kind;

	for (seed = 0; seed < ROUNDS; seed++) {
		struct graph *graph;
		struct graph *merged = NULL;
		struct overlay *overlay = NULL;
		struct walk_arrays one;
		struct walk_arrays two;
		struct edge_list list;
		struct plain plain;
		struct edge *extra;
		const void *results[2];
		uint64_t bytes;
		uint64_t count;

		make_list(seed, seed % 2, &list);
		graph = build(&list);
		count = overlay_arc_count(graph);
		CU_ASSERT_FATAL(overlay_plan(graph, seed, &extra) == 0);
		CU_ASSERT_FATAL(overlay_build(graph, extra, count, &heap, &overlay) == 0);
		CU_ASSERT(overlay->arc_count == count);
		CU_ASSERT_FATAL(plain_from_edges(&list, extra, count, &plain) == 0);
		CU_ASSERT_FATAL(graph_build(&plain, &heap, NULL, &merged) == 0);
		merged->hub = merged->vertices[graph->hub->index];
		CU_ASSERT_FATAL(walk_arrays_init(&one, graph->vertex_count) == 0);
		CU_ASSERT_FATAL(walk_arrays_init(&two, graph->vertex_count) == 0);
		for (kind = 0; kind < WALK_COUNT; kind++) {
			walk_run((enum walk_kind)kind, graph, overlay, &one);
			walk_run((enum walk_kind)kind, merged, NULL, &two);
			results[0] = walk_result((enum walk_kind)kind, &one, &bytes);
			results[1] = walk_result((enum walk_kind)kind, &two, &bytes);
			CU_ASSERT(memcmp(results[0], results[1], bytes) == 0);
			CU_ASSERT(walk_checksum((enum walk_kind)kind, &one) ==
				  walk_checksum((enum walk_kind)kind, &two));
		}
		walk_arrays_fini(&one);
		walk_arrays_fini(&two);
		plain_fini(&plain);
		graph_destroy(merged, &heap);
		graph_destroy(graph, &heap);
		overlay_destroy(overlay, &heap);
		free(extra);
		edges_fini(&list);
	}
}

/* A heap that runs out after so many objects, and counts those that are out. */
struct short_heap {
	int left;
	int live;
};

static void *alloc_short(void *context, size_t bytes)
{
	struct short_heap *heap = context;

	if (heap->left == 0) {
		errno = ENOMEM;
		return NULL;
	}
	heap->left--;
	heap->live++;
	return malloc(bytes);
}

static void free_short(void *context, void *object, size_t bytes)
{
	struct short_heap *heap = context;

	(void)bytes;
	heap->live -= object != NULL;
	free(object);
}

static void a_build_that_runs_out_leaves_nothing(void)
{
	struct short_heap counted = {0, 0};
	struct heap heap = {alloc_short, free_short, &counted};
	struct graph *graph = NULL;
	struct edge_list list;
	struct plain plain;
	int limit;
	int err = -1;

	make_list(9, 0, &list);
	CU_ASSERT_FATAL(plain_from_edges(&list, NULL, 0, &plain) == 0);
	for (limit = 0; err; limit++) {
		counted.left = limit;
		err = graph_build(&plain, &heap, NULL, &graph);
		CU_ASSERT(err == 0 || err == -ENOMEM);
		CU_ASSERT(err == 0 || counted.live == 0);
	}
	CU_ASSERT(limit > 10);
	graph_destroy(graph, &heap);
	CU_ASSERT(counted.live == 0);
	plain_fini(&plain);
	edges_fini(&list);
}

static void a_reference_notices_one_bit(void)
{
	FILE *file = tmpfile();
	struct reference reference;
	struct walk_arrays arrays;
	struct edge_list list;
	struct graph *graph;

	CU_ASSERT_FATAL(file != NULL);
	make_list(1, 0, &list);
	graph = build(&list);
	CU_ASSERT_FATAL(walk_arrays_init(&arrays, graph->vertex_count) == 0);
	CU_ASSERT_FATAL(reference_create(fileno(file), graph->vertex_count, &reference) == 0);
	walk_run(WALK_RANK, graph, NULL, &arrays);
	reference_put(&reference, REFERENCE_UNION, WALK_RANK, &arrays);
	CU_ASSERT(reference_compare(&reference, REFERENCE_UNION, WALK_RANK, &arrays) == 0);
	arrays.ranks[graph->vertex_count - 1] =
		nextafter(arrays.ranks[graph->vertex_count - 1], 1);
	CU_ASSERT(reference_compare(&reference, REFERENCE_UNION, WALK_RANK, &arrays) ==
		  REFERENCE_DIFFERS);
	CU_ASSERT(strncmp(graph_failure(), "PageRank: vertex ", 17) == 0);
	reference_fini(&reference);
	walk_arrays_fini(&arrays);
	destroy(graph);
	edges_fini(&list);
	fclose(file);
}

static void a_sample_has_its_median(void)
{
	double odd[] = {5, 1, 3};
	double even[] = {4, 1, 3, 2};
	double one[] = {7};
	struct sample sample = sample_of(odd, 3);

	CU_ASSERT(sample.median == 3 && sample.low == 2 && sample.high == 4);
	sample = sample_of(even, 4);
	CU_ASSERT(sample.median == 2.5 && sample.low == 1.75 && sample.high == 3.25);
	sample = sample_of(one, 1);
	CU_ASSERT(sample.median == 7 && sample.low == 7 && sample.high == 7);
}

static const struct suite_test tests[] = {
	SUITE_TEST(searches_agree_with_a_model),
	SUITE_TEST(ranks_sum_to_one_and_favour_what_is_linked),
	SUITE_TEST(names_lead_to_their_vertices),
	SUITE_TEST(a_graph_goes_flat_and_comes_back),
	SUITE_TEST(a_bent_block_does_no_harm),
	SUITE_TEST(a_union_equals_the_merged_graph),
	SUITE_TEST(a_build_that_runs_out_leaves_nothing),
	SUITE_TEST(a_reference_notices_one_bit),
	SUITE_TEST(a_sample_has_its_median),
};
SUITE_MAIN("graph_walk", tests)
