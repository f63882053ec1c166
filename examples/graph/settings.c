/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "failure.h"
#include "settings.h"

enum {
	OPTION_FORMAT = 256,
	OPTION_KRONECKER,
	OPTION_EDGE_FACTOR,
	OPTION_READERS,
	OPTION_ROUNDS,
	OPTION_SEED,
	OPTION_QUOTA,
	OPTION_JSON,
	OPTION_PROGRESS,
	OPTION_ROLE,
	OPTION_CONDUCTOR,
};

static const struct option options[] = {
	{"format", required_argument, NULL, OPTION_FORMAT},
	{"kronecker", required_argument, NULL, OPTION_KRONECKER},
	{"edge-factor", required_argument, NULL, OPTION_EDGE_FACTOR},
	{"readers", required_argument, NULL, OPTION_READERS},
	{"rounds", required_argument, NULL, OPTION_ROUNDS},
	{"seed", required_argument, NULL, OPTION_SEED},
	{"quota", required_argument, NULL, OPTION_QUOTA},
	{"json", no_argument, NULL, OPTION_JSON},
	{"progress", no_argument, NULL, OPTION_PROGRESS},
	{"help", no_argument, NULL, 'h'},
	{"role", required_argument, NULL, OPTION_ROLE},
	{"conductor", required_argument, NULL, OPTION_CONDUCTOR},
	{NULL, 0, NULL, 0},
};

static const char help[] =
	"Usage: lend-graph [OPTION]... [FILE]\n"
	"\n"
	"One process builds a graph in an arena; others walk it where it lies, without a "
	"copy.\n"
	"Everything is measured against the usual way: serialize, send, rebuild, walk the "
	"copy.\n"
	"\n"
	"The graph:\n"
	"  (nothing)             the Debian packages this machine knows, and what depends on "
	"what\n"
	"  FILE                  a SNAP edge list, a DIMACS .gr file or package records;\n"
	"                        plain, gzip or xz\n"
	"  --format FORMAT       auto (default), snap, dimacs or apt: what FILE holds\n"
	"  --kronecker SCALE     a random graph of 2^SCALE vertices as in Graph500, SCALE 4 to "
	"26\n"
	"  --edge-factor COUNT   edges for each of its vertices (default 16)\n"
	"  --seed NUMBER         of everything random (default 1); the same seed, the same "
	"graph\n"
	"\n"
	"The run:\n"
	"  --readers COUNT       processes that walk the graph at once, 1 to 64 (default 4)\n"
	"  --rounds COUNT        at most so many of each timed walk, 1 to 41 (default 41)\n"
	"  --quota BYTES         let the arena grow to so much only; K, M and G are "
	"understood\n"
	"  --json                figures as one JSON object a line instead of the table\n"
	"  --progress            show progress even when stderr is not a terminal\n"
	"  -h, --help            this text\n"
	"\n"
	"Exit status: 0 all results equal; 1 the input, memory or the system failed; 2 wrong "
	"usage;\n"
	"3 a result differs from the private copy's; 4 a process of the demo died.\n";

static const char *const role_names[ROLE_COUNT] = {
	[ROLE_CONDUCTOR] = "conductor",
	[ROLE_OWNER] = "owner",
	[ROLE_READER] = "reader",
	[ROLE_OVERLAY_WRITER] = "overlay-writer",
	[ROLE_UNION_WALKER] = "union-walker",
	[ROLE_COPIER] = "copier",
};

const char *role_name(enum role role)
{
	return role_names[role];
}

void settings_print_help(void)
{
	(void)fputs(help, stdout);
}

static int read_number(
	const char *option, const char *text, uint64_t min, uint64_t max, uint64_t *out_number)
{
	unsigned long long number;
	char *end;

	errno = 0;
	number = strtoull(text, &end, 10);
	if (*text < '0' || *text > '9' || *end != '\0' || errno || number < min || number > max)
		return graph_fail(-EINVAL, "--%s takes a number from %llu to %llu, not \"%s\"",
			option, (unsigned long long)min, (unsigned long long)max, text);
	*out_number = number;
	return 0;
}

static int read_number32(
	const char *option, const char *text, uint32_t min, uint32_t max, uint32_t *out_number)
{
	uint64_t number = 0;
	int err;

	err = read_number(option, text, min, max, &number);
	if (!err)
		*out_number = (uint32_t)number;
	return err;
}

/* "64M" */
static int read_bytes(const char *text, uint64_t *out_bytes)
{
	static const char units[] = "KMG";
	unsigned long long number;
	const char *unit;
	char *end;

	errno = 0;
	number = strtoull(text, &end, 10);
	unit = *end ? strchr(units, *end) : NULL;
	if (*text < '0' || *text > '9' || errno || (*end && (!unit || end[1])) || number == 0 ||
		number > UINT64_MAX >> 34)
		return graph_fail(
			-EINVAL, "--quota takes a number of bytes as in 64M, not \"%s\"", text);
	*out_bytes = number << (unit ? 10 * (unit - units + 1) : 0);
	return 0;
}

static int read_format(const char *text, enum load_format *out_format)
{
	static const char *const names[] = {
		[LOAD_AUTO] = "auto",
		[LOAD_SNAP] = "snap",
		[LOAD_DIMACS] = "dimacs",
		[LOAD_APT] = "apt",
	};
	unsigned i;

	for (i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (strcmp(text, names[i]) == 0) {
			*out_format = (enum load_format)i;
			return 0;
		}
	}
	return graph_fail(-EINVAL, "--format is auto, snap, dimacs or apt, not \"%s\"", text);
}

/* "reader:2": written by ourselves when we start the program again. */
static int read_role(const char *text, struct settings *settings)
{
	const char *colon = strchr(text, ':');
	size_t count = colon ? (size_t)(colon - text) : strlen(text);
	int role;

	for (role = ROLE_OWNER; role < ROLE_COUNT; role++) {
		if (strlen(role_names[role]) != count || strncmp(text, role_names[role], count))
			continue;
		settings->role = (enum role)role;
		if (!colon)
			return 0;
		return read_number32(
			"role", colon + 1, 0, SETTINGS_READERS_MAX, &settings->role_index);
	}
	return graph_fail(-EINVAL, "no such role: \"%s\"", text);
}

static int read_option(int option, struct settings *settings)
{
	uint64_t number = 0;
	int err;

	switch (option) {
	case OPTION_FORMAT:
		return read_format(optarg, &settings->load.format);
	case OPTION_KRONECKER:
		return read_number32("kronecker", optarg, LOAD_SCALE_MIN, LOAD_SCALE_MAX,
			&settings->load.kronecker_scale);
	case OPTION_EDGE_FACTOR:
		return read_number32("edge-factor", optarg, 1, LOAD_EDGE_FACTOR_MAX,
			&settings->load.edge_factor);
	case OPTION_READERS:
		return read_number32(
			"readers", optarg, 1, SETTINGS_READERS_MAX, &settings->reader_count);
	case OPTION_ROUNDS:
		return read_number32(
			"rounds", optarg, 1, SETTINGS_ROUNDS_MAX, &settings->round_count);
	case OPTION_SEED:
		return read_number("seed", optarg, 0, UINT64_MAX, &settings->load.seed);
	case OPTION_QUOTA:
		return read_bytes(optarg, &settings->quota_bytes);
	case OPTION_JSON:
		settings->json = true;
		return 0;
	case OPTION_PROGRESS:
		settings->progress = true;
		return 0;
	case OPTION_ROLE:
		return read_role(optarg, settings);
	case OPTION_CONDUCTOR:
		err = read_number("conductor", optarg, 1, INT32_MAX, &number);
		settings->conductor = (pid_t)number;
		return err;
	default:
		settings->help = true;
		return 0;
	}
}

static int fail_option(int option, char **argv)
{
	const char *word = argv[optind - 1];

	if (option == ':')
		return graph_fail(-EINVAL, "%s needs a value", word);
	if (optopt >= OPTION_FORMAT)
		return graph_fail(-EINVAL, "%s takes no value", word);
	if (optopt)
		return graph_fail(-EINVAL, "no such option: -%c", optopt);
	return graph_fail(-EINVAL, "no such option: %s", word);
}

int settings_read(int argc, char **argv, struct settings *out_settings)
{
	struct settings settings = {
		.load = {.edge_factor = LOAD_EDGE_FACTOR, .seed = 1},
		.reader_count = 4,
		.round_count = SETTINGS_ROUNDS_MAX,
		.conductor = getpid(),
	};
	int option;
	int err;

	opterr = 0;
	optind = 1;
	while ((option = getopt_long(argc, argv, ":h", options, NULL)) != -1) {
		if (option == '?' || option == ':')
			return fail_option(option, argv);
		err = read_option(option, &settings);
		if (err)
			return err;
	}
	if (optind < argc)
		settings.load.path = argv[optind];
	if (optind + 1 < argc)
		return graph_fail(-EINVAL, "one file at a time: \"%s\" is one too many",
			argv[optind + 1]);
	if (settings.load.path && settings.load.kronecker_scale)
		return graph_fail(-EINVAL, "a file or --kronecker, not both");
	if (!settings.load.path && settings.load.format != LOAD_AUTO &&
		settings.load.format != LOAD_APT)
		return graph_fail(-EINVAL, "--format snap and dimacs want a file");

	*out_settings = settings;
	return 0;
}
