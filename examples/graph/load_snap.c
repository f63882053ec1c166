/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Edge lists as the Stanford network collection writes them:
 *
 *	# Nodes: 875713 Edges: 5105039
 *	# FromNodeId	ToNodeId
 *	0	11342
 *
 * Columns after the second are not read: in that collection they are times, ratings or signs,
 * none of them a length. https://snap.stanford.edu/data/
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "input.h"
#include "load.h"

/* How many edges a comment promises, or 0. */
static uint64_t promised_edges(const char *comment)
{
	const char *at = strstr(comment, "Edges:");

	if (!at || !strstr(comment, "Nodes:"))
		return 0;
	return strtoull(at + strlen("Edges:"), NULL, 10);
}

static int read_vertex(const struct input *in, char **at, const char *what,
	struct edge_list *list, uint32_t *out_index)
{
	char name[24]; /* in one form: 007 is 7 */
	uint64_t number;
	int err;

	err = load_number(in, at, what, INT64_MAX, &number);
	if (err)
		return err;
	(void)snprintf(name, sizeof(name), "%" PRIu64, number);
	return edges_intern(list, name, out_index);
}

static int read_edge(const struct input *in, char *line, struct edge_list *list)
{
	uint32_t tail;
	uint32_t head;
	int err;

	err = read_vertex(in, &line, "the first vertex", list, &tail);
	if (err)
		return err;
	err = read_vertex(in, &line, "the second vertex", list, &head);
	if (err)
		return err;
	return edges_add(list, tail, head, 0);
}

int load_snap(const struct load_options *options, struct input *in, struct edge_list *list)
{
	uint64_t promised = 0;
	char *line;
	int more;
	int err;

	list->unweighted = true;
	while ((more = input_next(in, &line)) > 0) {
		line += strspn(line, " \t");
		if (*line == '\0')
			continue;
		if (*line == '#' || *line == '%') {
			if (promised == 0)
				promised = promised_edges(line);
			continue;
		}
		err = read_edge(in, line, list);
		if (err)
			return err;
		load_report(options, in, list);
	}
	if (more < 0)
		return more;

	if (list->edge_count < promised)
		return input_fail(in,
			"the file ends after %" PRIu64 " edges and its head promises "
			"%" PRIu64 ": it is cut off",
			list->edge_count, promised);
	return 0;
}
