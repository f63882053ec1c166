/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "failure.h"
#include "input.h"
#include "load.h"

#define REPORT_EACH 16384u /* edges between two looks at the progress */
#define SHOWN_BYTES 24     /* of a wrong word, in a message */

/* Enough to make a graph; with less, apt's records were cleared from this machine. */
#define PACKAGES_MIN 1000u

static const char packages_command[] = "LC_ALL=C apt-cache dumpavail 2>/dev/null";
static const char dpkg_status[] = "/var/lib/dpkg/status";

void load_report(const struct load_options *options, const struct input *in,
	const struct edge_list *list)
{
	uint64_t total;
	uint64_t seen;

	if (!options->progress || list->edge_count % REPORT_EACH != 0)
		return;
	seen = input_position(in, &total);
	options->progress(options->progress_context,
		total ? (double)seen / (double)total : -1.0, list->edge_count);
}

int load_number(
	const struct input *in, char **at, const char *what, uint64_t max, uint64_t *out_number)
{
	const char *start = *at;
	char *end = *at;
	uint64_t number = 0;

	while (isdigit((unsigned char)*end)) {
		uint64_t digit = (uint64_t)(*end++ - '0');

		if (number > (max - digit) / 10)
			return input_fail(in, "%s %.*s is above %llu", what,
				(int)strspn(start, "0123456789"), start,
				(unsigned long long)max);
		number = number * 10 + digit;
	}
	if (end == start && *start == '\0')
		return input_fail(in, "the line ends where %s should be", what);
	if (*start == '-' && isdigit((unsigned char)start[1]))
		return input_fail(in, "%s is negative: \"%.*s\"", what, SHOWN_BYTES, start);
	if (end == start || (*end != '\0' && *end != ' ' && *end != '\t'))
		return input_fail(in, "%s should be a whole number, not \"%.*s\"", what,
			SHOWN_BYTES, start);

	while (*end == ' ' || *end == '\t')
		end++;
	*at = end;
	*out_number = number;
	return 0;
}

/* A line that a record of packages begins with: "Package: 0ad". */
static bool is_field(const char *line)
{
	size_t count =
		strspn(line, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-");

	return count > 1 && isupper((unsigned char)*line) && line[count] == ':';
}

/* Tell the format by the first line that says something, and leave that line to be read again. */
static int sniff(struct input *in, enum load_format *out_format)
{
	char *line;
	int more;

	while ((more = input_next(in, &line)) > 0) {
		line += strspn(line, " \t");
		if (*line == '\0')
			continue;
		if (strchr("#%0123456789-", *line))
			*out_format = LOAD_SNAP;
		else if (strchr("cpae", *line) && (line[1] == ' ' || line[1] == '\0'))
			*out_format = LOAD_DIMACS;
		else if (is_field(line))
			*out_format = LOAD_APT;
		else
			return input_fail(in,
				"\"%.*s\" begins neither an edge list (\"1 2\"), nor a "
				"DIMACS graph (\"p sp ...\"), nor package records",
				SHOWN_BYTES, line);
		input_unread(in);
		return 0;
	}
	return more < 0 ? more : input_fail_whole(in, "the file is empty");
}

static int load_by_format(const struct load_options *options, enum load_format format,
	struct input *in, struct edge_list *list)
{
	static const char *const names[] = {"", "edge list", "DIMACS", "package records"};
	const char *base;
	int err;

	switch (format) {
	case LOAD_DIMACS:
		err = load_dimacs(options, in, list);
		break;
	case LOAD_APT:
		err = load_apt(options, in, list);
		break;
	default:
		err = load_snap(options, in, list);
		break;
	}
	if (err)
		return err;
	if (list->edge_count == 0)
		return input_fail_whole(in, "no edges in it");

	base = strrchr(options->path, '/');
	(void)snprintf(list->title, sizeof(list->title), "%.120s (%s)",
		base ? base + 1 : options->path, names[format]);
	return 0;
}

static int load_file(const struct load_options *options, struct edge_list *list)
{
	enum load_format format = options->format;
	struct input *in;
	int err;

	err = input_open(options->path, &in);
	if (err)
		return err;
	if (format == LOAD_AUTO)
		err = sniff(in, &format);
	if (!err)
		err = load_by_format(options, format, in, list);
	(void)input_close(in);
	return err;
}

static int load_command(const struct load_options *options, struct edge_list *list)
{
	struct input *in;
	int err;
	int ended;

	err = input_open_command(packages_command, "apt-cache dumpavail", &in);
	if (err)
		return err;
	err = load_apt(options, in, list);
	ended = input_close(in);
	if (err || ended)
		return err ? err : ended;

	(void)snprintf(list->title, sizeof(list->title),
		"the Debian packages apt knows on this machine");
	return 0;
}

static int load_status(const struct load_options *options, struct edge_list *list)
{
	struct input *in;
	int err;

	err = input_open(dpkg_status, &in);
	if (err)
		return err;
	err = load_apt(options, in, list);
	(void)input_close(in);
	if (err)
		return err;

	(void)snprintf(list->title, sizeof(list->title),
		"the Debian packages installed on this machine");
	return 0;
}

int load_packages(const struct load_options *options, struct edge_list *list)
{
	uint32_t wanted = options->format == LOAD_APT ? 1 : PACKAGES_MIN;
	int err;

	err = load_command(options, list);
	if (!err && list->vertex_count >= wanted && list->edge_count > 0)
		return 0;
	edges_fini(list);
	err = load_status(options, list);
	if (!err && list->vertex_count >= wanted && list->edge_count > 0)
		return 0;
	edges_fini(list);
	return graph_fail(-ENOENT, "neither apt nor dpkg knows %u packages here", wanted);
}

static int load_default(const struct load_options *options, struct edge_list *list)
{
	struct load_options other = *options;
	size_t used;
	int err;

	err = load_packages(options, list);
	if (err != -ENOENT || options->format == LOAD_APT)
		return err;

	other.kronecker_scale = LOAD_SCALE_DEFAULT;
	err = load_kronecker(&other, list);
	if (err)
		return err;
	used = strlen(list->title);
	(void)snprintf(list->title + used, sizeof(list->title) - used,
		" (no package records on this machine)");
	return 0;
}

int load_graph(const struct load_options *options, struct edge_list *list)
{
	int err;

	if (options->kronecker_scale)
		err = load_kronecker(options, list);
	else if (options->path)
		err = load_file(options, list);
	else
		err = load_default(options, list);
	if (err) {
		edges_fini(list);
		return err;
	}
	edges_finish(list, options->seed);
	return 0;
}
