/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAPH_LOAD_H
#define GRAPH_LOAD_H

/*
 * Where a graph comes from. Every loader fills an edge list that was edges_init()ed and is the
 * caller's to edges_fini(), or leaves a sentence that names file, line and fault; then the list
 * is empty: nothing is half-loaded.
 */
#include <stdbool.h>
#include <stdint.h>

#include "edges.h"

enum load_format { LOAD_AUTO, LOAD_SNAP, LOAD_DIMACS, LOAD_APT };

struct load_options {
	const char *path; /* NULL: this machine's packages, or a Kronecker graph */
	enum load_format format;
	uint32_t kronecker_scale; /* 0: none asked for */
	uint32_t edge_factor;
	uint64_t seed;

	/* Called every so often with the share done, 0 to 1, below 0 when nobody knows. */
	void (*progress)(void *context, double share, uint64_t edge_count);
	void *progress_context;
};

#define LOAD_SCALE_MIN       4u
#define LOAD_SCALE_MAX       26u
#define LOAD_SCALE_DEFAULT   16u /* where there are no packages: 65,536 vertices, 1 M edges */
#define LOAD_EDGE_FACTOR     16u /* Graph500's */
#define LOAD_EDGE_FACTOR_MAX 64u

/* The graph that the options ask for. 0, or a negative errno and a sentence. */
int load_graph(const struct load_options *options, struct edge_list *list);

/* What each format is: for the loaders' own use, and the tests'. */
struct input;
int load_snap(const struct load_options *options, struct input *in, struct edge_list *list);
int load_dimacs(const struct load_options *options, struct input *in, struct edge_list *list);
int load_apt(const struct load_options *options, struct input *in, struct edge_list *list);

/* apt's records on this machine, or dpkg's. -ENOENT: there are none worth walking. */
int load_packages(const struct load_options *options, struct edge_list *list);

/*
 * The generator of the Graph500 benchmark: 2^scale vertices, edge_factor times as many edges.
 * https://graph500.org/?page_id=12 (Kronecker generator, A = 0.57, B = 0.19, C = 0.19); and
 * Leskovec et al., "Kronecker graphs: an approach to modeling networks", JMLR 11, 2010.
 */
int load_kronecker(const struct load_options *options, struct edge_list *list);

/* Report progress of a file being read, at most once in a few thousand lines. */
void load_report(const struct load_options *options, const struct input *in,
	const struct edge_list *list);

/*
 * Read a decimal number of at most max at *at, which is moved behind it and the blanks after it.
 * The number must be followed by a blank or the end. 0, or input_fail() with what was there.
 */
int load_number(const struct input *in, char **at, const char *what, uint64_t max,
	uint64_t *out_number);

#endif /* GRAPH_LOAD_H */
