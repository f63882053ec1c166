/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAPH_RESULTS_H
#define GRAPH_RESULTS_H

/*
 * Everything a run of the demo found out. conduct() fills it; the table and the JSON lines are
 * two ways to show it.
 */
#include "message.h"
#include "settings.h"

struct reader_results {
	pid_t pid;
	struct message_attached attached;
	struct message_walked walked;
	struct memory memory; /* after all its walks */
};

struct copier_results {
	pid_t pid;
	struct message_copied copied;
	struct memory memory;
};

struct results {
	pid_t owner;
	pid_t overlay_writer;
	pid_t union_walker;
	struct message_loaded loaded;
	struct message_shared shared;
	struct message_reference reference;
	struct message_reference union_reference;
	struct memory owner_memory; /* its range is the arena */

	uint32_t reader_count;
	struct reader_results readers[SETTINGS_READERS_MAX];
	double walk_seconds; /* all readers at once */

	uint32_t copier_count; /* as many as readers, unless memory was short */
	struct copier_results copiers[SETTINGS_READERS_MAX];

	struct message_overlaid overlaid;
	struct message_walked union_walked;
	struct message_timed timed[WALK_COUNT];
	double seconds; /* the whole run */
};

/* Run the demo from start to end. 0, or a negative errno, a sentence and an exit status. */
struct crew;
int conduct(const struct settings *settings, struct crew *crew, struct results *results);

void print_table(const struct settings *settings, const struct results *results);
void print_json(const struct settings *settings, const struct results *results);

/* What both ways of showing need: figures over all readers, all copiers. */
struct figures {
	struct sample attach; /* seconds */
	struct sample first_in_place;
	struct sample usual; /* serialize, send, rebuild */
	struct sample serialize;
	struct sample send;
	struct sample rebuild;
	struct sample first_in_copy;
	uint64_t copied_bytes; /* of the arena, by all readers, measured: 0 */
	uint64_t sent_bytes;   /* to each copier */
	uint64_t readers_pss;  /* whole processes, summed */
	uint64_t copiers_pss;
	uint64_t graph_pss;  /* the arena's pages in owner and readers, summed */
	uint64_t copy_bytes; /* the private memory of one copy, the mean */
	uint64_t values_compared;
	unsigned arrays_compared;
	unsigned process_count; /* that saw the graph at one address... */
	unsigned code_places;   /* ...with their own code at so many different ones */
};
void figures_of(const struct results *results, struct figures *out_figures);

#endif /* GRAPH_RESULTS_H */
