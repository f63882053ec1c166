/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Three kernels of the GAP Benchmark Suite, one thread each. They read a graph and know nothing
 * of where it lies.
 */
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "csr.h"

/*
 * Breadth-first search that turns around: from the front outwards while it is small, and while it
 * is large from the unreached vertices inwards, which stop at the first arc out of the front.
 * Source: Beamer, Asanovic, Patterson, "Direction-Optimizing Breadth-First Search", SC 2012;
 * alpha and beta are theirs.
 */
#define ALPHA 15u
#define BETA  18u

struct search {
	const struct csr *graph;
	uint32_t *depth;
	uint32_t *front; /* of this level, then of the next */
	uint32_t *next;
	uint32_t front_count;
	uint32_t level;
};

static uint64_t arcs_of(const struct csr_side *side, uint32_t v)
{
	return side->first[v + 1] - side->first[v];
}

/* Returns the arcs that lead out of the new front. */
static uint64_t step_outwards(struct search *s)
{
	const struct csr_side *out = &s->graph->out;
	uint32_t count = 0;
	uint64_t arcs = 0;
	uint32_t i;
	uint64_t j;

	for (i = 0; i < s->front_count; i++)
		for (j = out->first[s->front[i]]; j < out->first[s->front[i] + 1]; j++) {
			uint32_t v = out->head[j];

			if (s->depth[v] != CSR_UNREACHED)
				continue;
			s->depth[v] = s->level + 1;
			s->next[count++] = v;
			arcs += arcs_of(out, v);
		}
	memcpy(s->front, s->next, count * sizeof(*s->front));
	s->front_count = count;
	s->level++;
	return arcs;
}

static uint64_t step_inwards(struct search *s)
{
	const struct csr_side *in = &s->graph->in;
	uint32_t count = 0;
	uint64_t arcs = 0;
	uint32_t v;
	uint64_t j;

	for (v = 0; v < s->graph->vertex_count; v++) {
		if (s->depth[v] != CSR_UNREACHED)
			continue;
		for (j = in->first[v]; j < in->first[v + 1]; j++)
			if (s->depth[in->head[j]] == s->level)
				break;
		if (j == in->first[v + 1])
			continue;
		s->depth[v] = s->level + 1;
		s->front[count++] = v;
		arcs += arcs_of(&s->graph->out, v);
	}
	s->front_count = count;
	s->level++;
	return arcs;
}

int csr_bfs(const struct csr *graph, uint32_t source, uint32_t *depth)
{
	struct search s = {.graph = graph, .depth = depth, .front_count = 1};
	uint64_t unseen = graph->edge_count; /* arcs out of what is not reached */
	uint64_t arcs = arcs_of(&graph->out, source);
	bool inwards = false;
	uint32_t v;

	s.front = malloc(graph->vertex_count * sizeof(*s.front));
	s.next = malloc(graph->vertex_count * sizeof(*s.next));
	if (!s.front || !s.next) {
		free(s.front);
		free(s.next);
		return -1;
	}
	for (v = 0; v < graph->vertex_count; v++)
		depth[v] = CSR_UNREACHED;
	depth[source] = 0;
	s.front[0] = source;

	while (s.front_count > 0) {
		unseen -= arcs;
		if (inwards)
			inwards = s.front_count > graph->vertex_count / BETA;
		else
			inwards = arcs > unseen / ALPHA;
		arcs = inwards ? step_inwards(&s) : step_outwards(&s);
	}
	free(s.front);
	free(s.next);
	return 0;
}

int csr_pagerank(const struct csr *graph, double *score)
{
	const double damping = 0.85;
	const double base = (1 - damping) / graph->vertex_count;
	double *given = malloc(graph->vertex_count * sizeof(*given));
	double change = 1;
	uint32_t v;
	uint64_t j;
	int round;

	if (!given)
		return -1;
	for (v = 0; v < graph->vertex_count; v++)
		score[v] = 1.0 / graph->vertex_count;
	for (round = 0; round < 20 && change >= 1e-4; round++) {
		change = 0;
		for (v = 0; v < graph->vertex_count; v++) {
			uint64_t arcs = arcs_of(&graph->out, v);

			given[v] = arcs ? score[v] / (double)arcs : 0;
		}
		for (v = 0; v < graph->vertex_count; v++) {
			double sum = 0;
			double was = score[v];

			for (j = graph->in.first[v]; j < graph->in.first[v + 1]; j++)
				sum += given[graph->in.head[j]];
			score[v] = base + damping * sum;
			change += fabs(score[v] - was);
		}
	}
	free(given);
	return 0;
}

/* The smallest vertex known to be connected; paths are halved on the way. */
static uint32_t find_smallest(uint32_t *component, uint32_t v)
{
	while (component[v] != v) {
		component[v] = component[component[v]];
		v = component[v];
	}
	return v;
}

uint32_t csr_components(const struct csr *graph, uint32_t *component)
{
	const struct csr_side *out = &graph->out;
	uint32_t count = 0;
	uint32_t v;
	uint64_t j;

	for (v = 0; v < graph->vertex_count; v++)
		component[v] = v;
	for (v = 0; v < graph->vertex_count; v++)
		for (j = out->first[v]; j < out->first[v + 1]; j++) {
			uint32_t a = find_smallest(component, v);
			uint32_t b = find_smallest(component, out->head[j]);

			component[a > b ? a : b] = a > b ? b : a;
		}
	for (v = 0; v < graph->vertex_count; v++) {
		component[v] = find_smallest(component, v);
		count += component[v] == v;
	}
	return count;
}
