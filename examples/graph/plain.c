/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "failure.h"
#include "graph.h"
#include "plain.h"

#define PLAIN_MAGIC UINT64_C(0x31687061726774ff)

struct plain_header {
	uint64_t magic;
	uint64_t vertex_count;
	uint64_t arc_count;
	uint64_t name_bytes;
};

/* The same block while it is being filled. */
struct arrays {
	struct plain_header *header;
	uint64_t *arc_first;
	uint64_t *name_first;
	uint32_t *heads;
	uint32_t *weights;
	char *names;
};

static uint64_t block_bytes(const struct plain_header *header)
{
	return sizeof(*header) + (header->vertex_count + 1) * 2 * sizeof(uint64_t) +
	       header->arc_count * 2 * sizeof(uint32_t) + header->name_bytes;
}

static struct arrays arrays_of(void *block, const struct plain_header *header)
{
	struct arrays arrays;

	arrays.header = block;
	arrays.arc_first = (uint64_t *)(arrays.header + 1);
	arrays.name_first = arrays.arc_first + header->vertex_count + 1;
	arrays.heads = (uint32_t *)(arrays.name_first + header->vertex_count + 1);
	arrays.weights = arrays.heads + header->arc_count;
	arrays.names = (char *)(arrays.weights + header->arc_count);
	return arrays;
}

static void describe(void *block, const struct plain_header *header, struct plain *out_plain)
{
	struct arrays arrays = arrays_of(block, header);

	*out_plain = (struct plain){
		.vertex_count = (uint32_t)header->vertex_count,
		.arc_count = header->arc_count,
		.name_bytes = header->name_bytes,
		.arc_first = arrays.arc_first,
		.name_first = arrays.name_first,
		.heads = arrays.heads,
		.weights = arrays.weights,
		.names = arrays.names,
		.block = block,
		.block_bytes = block_bytes(header),
	};
}

static int create(
	const struct plain_header *header, struct arrays *out_arrays, struct plain *out_plain)
{
	void *block = malloc(block_bytes(header));

	if (!block)
		return graph_fail_memory("the flat arrays of the graph");
	memcpy(block, header, sizeof(*header));
	*out_arrays = arrays_of(block, header);
	describe(block, header, out_plain);
	return 0;
}

/* First pass of the sort: how many arcs each vertex has, then where they begin. */
static void count_arcs(const struct edge_list *list, const struct edge *extra,
	uint64_t extra_count, uint64_t *arc_first)
{
	uint64_t sum = 0;
	uint64_t i;

	memset(arc_first, 0, ((uint64_t)list->vertex_count + 1) * sizeof(*arc_first));
	for (i = 0; i < list->edge_count; i++) {
		arc_first[list->edges[i].tail]++;
		if (list->undirected && list->edges[i].tail != list->edges[i].head)
			arc_first[list->edges[i].head]++;
	}
	for (i = 0; i < extra_count; i++)
		arc_first[extra[i].tail]++;
	for (i = 0; i <= list->vertex_count; i++) {
		uint64_t count = arc_first[i];

		arc_first[i] = sum;
		sum += count;
	}
}

static void put_arc(struct arrays *arrays, uint32_t tail, uint32_t head, uint32_t weight)
{
	uint64_t at = arrays->arc_first[tail]++;

	arrays->heads[at] = head;
	arrays->weights[at] = weight;
}

/* Second pass: it moves every arc_first to its end, which is the next one's start. */
static void place_arcs(const struct edge_list *list, const struct edge *extra,
	uint64_t extra_count, struct arrays *arrays)
{
	const struct edge *edge;
	uint64_t i;

	for (i = 0; i < list->edge_count; i++) {
		edge = &list->edges[i];
		put_arc(arrays, edge->tail, edge->head, edge->weight);
		if (list->undirected && edge->tail != edge->head)
			put_arc(arrays, edge->head, edge->tail, edge->weight);
	}
	for (i = 0; i < extra_count; i++)
		put_arc(arrays, extra[i].tail, extra[i].head, extra[i].weight);

	memmove(arrays->arc_first + 1, arrays->arc_first,
		list->vertex_count * sizeof(*arrays->arc_first));
	arrays->arc_first[0] = 0;
}

int plain_from_edges(const struct edge_list *list, const struct edge *extra,
	uint64_t extra_count, struct plain *out_plain)
{
	struct plain_header header = {
		.magic = PLAIN_MAGIC,
		.vertex_count = list->vertex_count,
		.arc_count = list->edge_count + extra_count,
		.name_bytes = list->name_bytes,
	};
	struct arrays arrays;
	uint64_t i;
	int err;

	for (i = 0; list->undirected && i < list->edge_count; i++)
		header.arc_count += list->edges[i].tail != list->edges[i].head;
	err = create(&header, &arrays, out_plain);
	if (err)
		return err;

	count_arcs(list, extra, extra_count, arrays.arc_first);
	place_arcs(list, extra, extra_count, &arrays);
	memcpy(arrays.name_first, list->name_first,
		((uint64_t)list->vertex_count + 1) * sizeof(*arrays.name_first));
	memcpy(arrays.names, list->names, list->name_bytes);
	return 0;
}

int plain_from_graph(const struct graph *graph, struct plain *out_plain)
{
	struct plain_header header = {
		.magic = PLAIN_MAGIC,
		.vertex_count = graph->vertex_count,
		.arc_count = graph->arc_count,
		.name_bytes = graph->name_bytes,
	};
	struct arrays arrays;
	uint64_t arc_at = 0;
	uint64_t name_at = 0;
	uint32_t i;
	uint32_t j;
	int err;

	err = create(&header, &arrays, out_plain);
	if (err)
		return err;
	for (i = 0; i < graph->vertex_count; i++) {
		const struct graph_vertex *vertex = graph->vertices[i];
		uint64_t bytes = strlen(vertex->name) + 1;

		arrays.arc_first[i] = arc_at;
		arrays.name_first[i] = name_at;
		for (j = 0; j < vertex->arc_count; j++) {
			arrays.heads[arc_at] = vertex->arcs[j].head->index;
			arrays.weights[arc_at++] = vertex->arcs[j].weight;
		}
		memcpy(arrays.names + name_at, vertex->name, bytes);
		name_at += bytes;
	}
	arrays.arc_first[i] = arc_at;
	arrays.name_first[i] = name_at;
	return 0;
}

/* Ranges that touch each other from 0 to the total. */
static bool ascends(const uint64_t *first, uint64_t count, uint64_t total, uint64_t each_min)
{
	uint64_t i;

	if (first[0] != 0 || first[count] != total)
		return false;
	for (i = 0; i < count; i++) {
		if (first[i] > total || first[i + 1] > total ||
			first[i + 1] < first[i] + each_min)
			return false;
	}
	return true;
}

static bool is_sound(const struct plain *plain)
{
	uint64_t i;

	if (!ascends(plain->arc_first, plain->vertex_count, plain->arc_count, 0) ||
		!ascends(plain->name_first, plain->vertex_count, plain->name_bytes, 1))
		return false;
	for (i = 0; i < plain->arc_count; i++) {
		if (plain->heads[i] >= plain->vertex_count)
			return false;
	}
	for (i = 0; i < plain->vertex_count; i++) {
		if (plain->names[plain->name_first[i + 1] - 1] != '\0')
			return false;
	}
	return true;
}

int plain_from_block(void *block, uint64_t bytes, struct plain *out_plain)
{
	struct plain_header header;
	struct plain plain;

	if (bytes < sizeof(header))
		return graph_fail(-EUCLEAN, "the graph received has no head");
	memcpy(&header, block, sizeof(header));
	if (header.magic != PLAIN_MAGIC || header.vertex_count > GRAPH_VERTEX_COUNT_MAX ||
		header.arc_count > UINT32_MAX || header.name_bytes > bytes ||
		block_bytes(&header) != bytes)
		return graph_fail(-EUCLEAN, "the head of the graph received makes no sense");
	describe(block, &header, &plain);
	if (!is_sound(&plain))
		return graph_fail(-EUCLEAN, "the arrays of the graph received make no sense");

	*out_plain = plain;
	return 0;
}

void plain_fini(struct plain *plain)
{
	free(plain->block);
	*plain = (struct plain){0};
}
