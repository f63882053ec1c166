/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAPH_REFERENCE_H
#define GRAPH_REFERENCE_H

/*
 * The results that are right by definition: those of a graph built with malloc(), as whole
 * arrays. The owner writes them into an anonymous file that every role has inherited; each walk
 * of shared memory is compared with them value by value. The library has no part in this.
 */
#include <errno.h>
#include <stdint.h>

#include "walk.h"

enum reference_set {
	REFERENCE_BASE,
	REFERENCE_UNION, /* the graph with the overlay's arcs merged in */
	REFERENCE_SETS,
};

#define REFERENCE_DIFFERS (-EILSEQ) /* what a comparison returns; no system call here does */

struct reference {
	uint32_t vertex_count;
	uint64_t bytes;
	uint8_t *map;
};

/* Size the file and map it for writing (the owner), or map it for reading (all others). */
int reference_create(int fd, uint32_t vertex_count, struct reference *out_reference);
int reference_open(int fd, uint32_t vertex_count, struct reference *out_reference);
void reference_fini(struct reference *reference);

/* Write down what a walk of the private graph found. */
void reference_put(const struct reference *reference, enum reference_set set,
	enum walk_kind kind, const struct walk_arrays *arrays);

/*
 * Compare a walk's whole result. 0, or REFERENCE_DIFFERS and a sentence that names the first
 * vertex that differs and both values.
 */
int reference_compare(const struct reference *reference, enum reference_set set,
	enum walk_kind kind, const struct walk_arrays *arrays);

/* How many distances of the union are not those of the graph alone. */
uint32_t reference_changed(const struct reference *reference);

#endif /* GRAPH_REFERENCE_H */
