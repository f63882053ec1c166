/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAPH_SETTINGS_H
#define GRAPH_SETTINGS_H

/*
 * What the command line says. The program starts itself again for every process of the demo with
 * the same arguments and a role in front: lend-graph --role=reader:2 ... roads.gr.
 */
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "load.h"

#define SETTINGS_READERS_MAX 64u
#define SETTINGS_ROUNDS_MAX  41u

enum role {
	ROLE_CONDUCTOR, /* the process the user started: it starts the others and prints */
	ROLE_OWNER,
	ROLE_READER,
	ROLE_OVERLAY_WRITER,
	ROLE_UNION_WALKER,
	ROLE_COPIER,
	ROLE_COUNT,
};

struct settings {
	struct load_options load;
	uint32_t reader_count;
	uint32_t round_count; /* of each timed walk, at most */
	uint64_t quota_bytes; /* of the owner's arena; 0: as much as it needs */
	bool json;
	bool progress;
	bool help;

	enum role role;
	uint32_t role_index; /* which reader, which copier */
	pid_t conductor;     /* names what this run shares */
};

/* The exit statuses, in --help too. */
enum {
	EXIT_STATUS_INPUT = 1, /* input, memory or system: the sentence says which */
	EXIT_STATUS_USAGE = 2,
	EXIT_STATUS_DIFFER = 3, /* a result is not that of the private copy */
	EXIT_STATUS_DIED = 4,   /* a process of the demo ended by itself */
};

/* 0, or -EINVAL and a sentence. path in it points into argv. */
int settings_read(int argc, char **argv, struct settings *out_settings);

void settings_print_help(void);

/* "reader" */
const char *role_name(enum role role);

#endif /* GRAPH_SETTINGS_H */
