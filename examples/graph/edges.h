/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAPH_EDGES_H
#define GRAPH_EDGES_H

/*
 * A graph as it comes out of a file: named vertices and a list of edges, in private memory. All
 * loaders fill one of these; plain.h makes a graph of it.
 *
 *	struct edge_list list;
 *
 *	edges_init(&list);
 *	edges_intern(&list, "libc6", &index);
 *	edges_add(&list, tail, head, weight);
 *	edges_finish(&list, seed);
 *	edges_fini(&list);
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GRAPH_VERTEX_COUNT_MAX (1u << 28)
#define GRAPH_EDGE_COUNT_MAX   (UINT64_C(1) << 30)

struct edge {
	uint32_t tail;
	uint32_t head;
	uint32_t weight; /* 0: the input has none */
};

struct edge_list {
	char title[200];         /* what was loaded: "roads.gr.xz, DIMACS" */
	const char *vertex_noun; /* plural: "packages" */
	const char *edge_noun;
	const char *weight_note; /* where the weights come from */
	bool undirected;         /* each edge leads both ways */
	bool unweighted;         /* edges_finish() draws weights from the seed */

	uint32_t vertex_count;
	uint64_t edge_count;
	struct edge *edges;
	uint64_t edge_room;

	/* Name i is at names + name_first[i] and ends with '\0'; name_first has one more entry. */
	char *names;
	uint64_t name_bytes;
	uint64_t name_room;
	uint64_t *name_first;
	uint32_t vertex_room;

	uint32_t *slots; /* open addressing: index + 1 of a name, 0 free */
	uint64_t slot_count;
};

void edges_init(struct edge_list *list);

/* Add a vertex that no edges_intern() will look for. 0; -ENOMEM, -E2BIG. */
int edges_add_vertex(struct edge_list *list, const char *name);

/* The vertex of that name, added if it is new. 0; -ENOMEM, -E2BIG. */
int edges_intern(struct edge_list *list, const char *name, uint32_t *out_index);

/* 0; -ENOMEM, -E2BIG. */
int edges_add(struct edge_list *list, uint32_t tail, uint32_t head, uint32_t weight);

/* Give edges without a weight one of 1 to 255, drawn from the seed. */
void edges_finish(struct edge_list *list, uint64_t seed);

static inline const char *edges_name(const struct edge_list *list, uint32_t index)
{
	return list->names + list->name_first[index];
}

void edges_fini(struct edge_list *list);

/* FNV-1a over a name's bytes: the hash of every table of names here. */
static inline uint64_t name_hash(const char *name)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (; *name; name++) {
		hash ^= (unsigned char)*name;
		hash *= UINT64_C(0x100000001b3);
	}
	return hash;
}

#endif /* GRAPH_EDGES_H */
