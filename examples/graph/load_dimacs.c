/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The graph files of the DIMACS challenges, 1-based:
 *
 *	c a comment
 *	p sp 4 2		4 vertices, 2 arcs: one way, with weights
 *	a 1 2 803
 *
 * and two undirected relatives without weights, "p edge 4 2" with lines "e 1 2", and the PACE
 * challenge's "p tw 4 2" with lines "1 2".
 * http://www.diag.uniroma1.it/challenge9/format.shtml, https://pacechallenge.org/2016/treewidth/
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "input.h"
#include "load.h"

struct dimacs {
	uint64_t vertex_count;
	uint64_t edge_count; /* as the problem line promises */
	char mark;           /* what an edge line begins with; '\0' nothing */
	bool weighted;
};

static char *skip_blanks(char *at)
{
	return at + strspn(at, " \t");
}

/* "p sp 4 2", with at behind the p. */
static int read_problem(const struct input *in, char *at, struct dimacs *out_problem)
{
	struct dimacs problem = {0};
	size_t count;
	int err;

	at = skip_blanks(at);
	count = strcspn(at, " \t");
	if (count == 2 && strncmp(at, "sp", count) == 0) {
		problem.mark = 'a';
		problem.weighted = true;
	} else if ((count == 4 && strncmp(at, "edge", count) == 0) ||
		   (count == 3 && strncmp(at, "col", count) == 0)) {
		problem.mark = 'e';
	} else if (!(count == 2 && strncmp(at, "tw", count) == 0)) {
		return input_fail(in,
			"the problem is \"%.*s\"; this program reads sp, edge, col and "
			"tw",
			(int)(count < 24 ? count : 24), at);
	}

	at = skip_blanks(at + count);
	err = load_number(in, &at, "the number of vertices", GRAPH_VERTEX_COUNT_MAX,
		&problem.vertex_count);
	if (!err)
		err = load_number(in, &at, "the number of edges", GRAPH_EDGE_COUNT_MAX,
			&problem.edge_count);
	if (err)
		return err;
	if (*at != '\0')
		return input_fail(
			in, "\"%.24s\" follows the two numbers of the problem line", at);

	*out_problem = problem;
	return 0;
}

static int read_end(const struct input *in, char **at, const char *what,
	const struct dimacs *problem, uint32_t *out_index)
{
	uint64_t number;
	int err;

	err = load_number(in, at, what, UINT64_MAX / 16, &number);
	if (err)
		return err;
	if (number < 1 || number > problem->vertex_count)
		return input_fail(in, "%s is %" PRIu64 ", outside 1 to %" PRIu64, what, number,
			problem->vertex_count);

	*out_index = (uint32_t)(number - 1);
	return 0;
}

static int read_edge(
	const struct input *in, char *at, const struct dimacs *problem, struct edge_list *list)
{
	uint64_t weight = 0;
	uint32_t tail = 0;
	uint32_t head = 0;
	int err;

	if (problem->mark) {
		if (at[0] != problem->mark || (at[1] != ' ' && at[1] != '\t'))
			return input_fail(in,
				"a line of edges begins with \"%c\", this one with "
				"\"%.24s\"",
				problem->mark, at);
		at = skip_blanks(at + 1);
	}
	if (list->edge_count == problem->edge_count)
		return input_fail(in, "more edges than the %" PRIu64 " of the problem line",
			problem->edge_count);
	err = read_end(in, &at, "the first vertex", problem, &tail);
	if (!err)
		err = read_end(in, &at, "the second vertex", problem, &head);
	if (!err && problem->weighted)
		err = load_number(in, &at, "the weight", UINT32_MAX, &weight);
	if (err)
		return err;
	if (*at != '\0')
		return input_fail(in, "\"%.24s\" follows the numbers of an edge", at);
	return edges_add(list, tail, head, (uint32_t)weight);
}

/* Only now: a promise of a billion vertices costs nothing until the edges bore it out. */
static int add_vertices(const struct dimacs *problem, struct edge_list *list)
{
	char name[24];
	uint64_t i;
	int err;

	for (i = 0; i < problem->vertex_count; i++) {
		(void)snprintf(name, sizeof(name), "%" PRIu64, i + 1);
		err = edges_add_vertex(list, name);
		if (err)
			return err;
	}
	return 0;
}

int load_dimacs(const struct load_options *options, struct input *in, struct edge_list *list)
{
	struct dimacs problem = {0};
	bool begun = false;
	char *line;
	int more;
	int err;

	while ((more = input_next(in, &line)) > 0) {
		line = skip_blanks(line);
		if (*line == '\0' || *line == 'c')
			continue;
		if (*line == 'p' && begun)
			return input_fail(in, "a second problem line");
		if (*line == 'p') {
			err = read_problem(in, line + 1, &problem);
			begun = true;
		} else if (!begun) {
			err = input_fail(in,
				"the problem line (\"p sp ...\") is missing before the "
				"first edge");
		} else {
			err = read_edge(in, line, &problem, list);
		}
		if (err)
			return err;
		load_report(options, in, list);
	}
	if (more < 0)
		return more;

	if (!begun)
		return input_fail(in, "the file ends without a problem line (\"p sp ...\")");
	if (list->edge_count < problem.edge_count)
		return input_fail(in,
			"the file ends after %" PRIu64 " edges and its problem line "
			"promises %" PRIu64 ": it is cut off",
			list->edge_count, problem.edge_count);
	list->unweighted = !problem.weighted;
	list->undirected = !problem.weighted;
	return add_vertices(&problem, list);
}
