/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "edges.h"
#include "failure.h"
#include "random.h"

#define WEIGHT_MAX 255u

void edges_init(struct edge_list *list)
{
	*list = (struct edge_list){
		.vertex_noun = "vertices",
		.edge_noun = "edges",
		.weight_note = "as in the file",
	};
}

/* Make room for count items of a growing array. */
static int grow(void **array, uint64_t *room, uint64_t count, size_t item_bytes)
{
	uint64_t larger = *room ? *room * 2 : 1024;
	void *moved;

	if (count <= *room)
		return 0;
	if (larger < count)
		larger = count;
	moved = realloc(*array, larger * item_bytes);
	if (!moved)
		return graph_fail_memory("the list of edges");

	*array = moved;
	*room = larger;
	return 0;
}

int edges_add_vertex(struct edge_list *list, const char *name)
{
	uint64_t bytes = strlen(name) + 1;
	uint64_t room = list->vertex_room;
	void *array = list->name_first;
	int err;

	if (list->vertex_count == GRAPH_VERTEX_COUNT_MAX)
		return graph_fail(-E2BIG, "more than %u vertices", GRAPH_VERTEX_COUNT_MAX);
	err = grow(&array, &room, (uint64_t)list->vertex_count + 2, sizeof(uint64_t));
	list->name_first = array;
	list->vertex_room = (uint32_t)room;
	if (err)
		return err;
	array = list->names;
	err = grow(&array, &list->name_room, list->name_bytes + bytes, 1);
	list->names = array;
	if (err)
		return err;

	memcpy(list->names + list->name_bytes, name, bytes);
	list->name_first[list->vertex_count++] = list->name_bytes;
	list->name_bytes += bytes;
	list->name_first[list->vertex_count] = list->name_bytes;
	return 0;
}

/* The slot that holds a name, or the free one where it belongs. */
static uint32_t *find_slot(const struct edge_list *list, const char *name)
{
	uint64_t mask = list->slot_count - 1;
	uint64_t hash = name_hash(name);
	uint64_t at = (hash ^ (hash >> 32)) & mask;

	while (list->slots[at] && strcmp(edges_name(list, list->slots[at] - 1), name) != 0)
		at = (at + 1) & mask;
	return &list->slots[at];
}

static int grow_slots(struct edge_list *list)
{
	uint64_t count = list->slot_count ? list->slot_count * 2 : 4096;
	uint32_t *old = list->slots;
	uint64_t old_count = list->slot_count;
	uint64_t i;

	list->slots = calloc(count, sizeof(*list->slots));
	if (!list->slots) {
		list->slots = old;
		return graph_fail_memory("the table of names");
	}
	list->slot_count = count;

	for (i = 0; i < old_count; i++) {
		if (old[i])
			*find_slot(list, edges_name(list, old[i] - 1)) = old[i];
	}
	free(old);
	return 0;
}

int edges_intern(struct edge_list *list, const char *name, uint32_t *out_index)
{
	uint32_t *slot;
	int err;

	if ((uint64_t)list->vertex_count * 2 >= list->slot_count) {
		err = grow_slots(list);
		if (err)
			return err;
	}
	slot = find_slot(list, name);
	if (!*slot) {
		err = edges_add_vertex(list, name);
		if (err)
			return err;
		*slot = list->vertex_count;
	}

	*out_index = *slot - 1;
	return 0;
}

int edges_add(struct edge_list *list, uint32_t tail, uint32_t head, uint32_t weight)
{
	void *array = list->edges;
	int err;

	if (list->edge_count == GRAPH_EDGE_COUNT_MAX)
		return graph_fail(-E2BIG, "more than %llu edges",
			(unsigned long long)GRAPH_EDGE_COUNT_MAX);
	err = grow(&array, &list->edge_room, list->edge_count + 1, sizeof(struct edge));
	list->edges = array;
	if (err)
		return err;

	list->edges[list->edge_count++] = (struct edge){tail, head, weight};
	return 0;
}

void edges_finish(struct edge_list *list, uint64_t seed)
{
	struct random random = random_from(seed);
	uint64_t i;

	free(list->slots);
	list->slots = NULL;
	list->slot_count = 0;
	if (!list->unweighted)
		return;

	for (i = 0; i < list->edge_count; i++)
		list->edges[i].weight = 1 + random_below(&random, WEIGHT_MAX);
	list->weight_note = "1 to 255, drawn from the seed: the input has none";
}

void edges_fini(struct edge_list *list)
{
	free(list->edges);
	free(list->names);
	free(list->name_first);
	free(list->slots);
	edges_init(list);
}
