/* SPDX-License-Identifier: Apache-2.0 */

/* The demo from start to end, as the conductor sees it: who is started when, and told what. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "crew.h"
#include "failure.h"
#include "results.h"
#include "role.h"

struct run {
	const struct settings *settings;
	struct crew *crew;
	struct results *results;
	struct member *owner;
	struct member *readers[SETTINGS_READERS_MAX];
	struct member *copiers[SETTINGS_READERS_MAX];
};

static int load_and_share(struct run *run)
{
	struct crew *crew = run->crew;
	struct results *results = run->results;
	struct message message;
	int err;

	progress_begin(crew->progress, "the owner reads the input");
	crew_restart_progress(crew, 1);
	err = crew_start(crew, ROLE_OWNER, 0, &run->owner);
	if (!err)
		err = crew_await(crew, run->owner, MESSAGE_LOADED, &message);
	if (err)
		return err;
	results->owner = run->owner->pid;
	results->loaded = message.u.loaded;
	progress_end(crew->progress);

	progress_begin(crew->progress, "it builds the graph, in an arena and with malloc");
	crew_restart_progress(crew, 1);
	err = crew_await(crew, run->owner, MESSAGE_SHARED, &message);
	if (err)
		return err;
	results->shared = message.u.shared;
	progress_end(crew->progress);

	progress_begin(crew->progress, "it walks the malloc graph for the right results");
	crew_restart_progress(crew, 1);
	err = crew_await(crew, run->owner, MESSAGE_REFERENCE, &message);
	if (err)
		return err;
	results->reference = message.u.reference;
	progress_end(crew->progress);
	return 0;
}

/* One by one, so that each attaches on a quiet machine. */
static int attach_readers(struct run *run)
{
	struct results *results = run->results;
	struct crew *crew = run->crew;
	struct message message;
	uint32_t i;
	int err;

	progress_begin(crew->progress, "%" PRIu32 " readers attach", results->reader_count);
	for (i = 0; i < results->reader_count; i++) {
		err = crew_start(crew, ROLE_READER, i, &run->readers[i]);
		if (!err)
			err = crew_await(crew, run->readers[i], MESSAGE_ATTACHED, &message);
		if (err)
			return err;
		results->readers[i].pid = run->readers[i]->pid;
		results->readers[i].attached = message.u.attached;
		progress_set(crew->progress, (double)(i + 1) / results->reader_count);
	}
	progress_end(crew->progress);
	return 0;
}

/*
 * A second pair of eyes on what the roles compared themselves: the checksums that they sent, and
 * the place where they saw the graph.
 */
static int check_walked(const struct run *run, const struct message_walked *walked,
	const struct message_reference *reference, unsigned walk_count)
{
	uint64_t address = run->results->readers[0].attached.graph_address;
	unsigned kind;

	if (walked->walk_count != walk_count)
		run->crew->exit_status = EXIT_STATUS_DIFFER;
	for (kind = 0; kind < walk_count; kind++) {
		if (walked->checksums[kind] != reference->checksums[kind])
			run->crew->exit_status = EXIT_STATUS_DIFFER;
	}
	if (walked->graph_address != address)
		run->crew->exit_status = EXIT_STATUS_DIFFER;
	if (run->crew->exit_status == EXIT_STATUS_DIFFER)
		return graph_fail(REFERENCE_DIFFERS,
			"checksums or addresses differ from those of the private copy");
	return 0;
}

static int weigh_readers(struct run *run)
{
	struct results *results = run->results;
	const struct message_attached *attached = &results->readers[0].attached;
	uint32_t i;
	int err;

	for (i = 0; i < results->reader_count; i++) {
		attached = &results->readers[i].attached;
		err = measure_memory(results->readers[i].pid, attached->arena_start,
			attached->arena_bytes, &results->readers[i].memory);
		if (err)
			return err;
	}
	return measure_memory(results->owner, attached->arena_start, attached->arena_bytes,
		&results->owner_memory);
}

/* All at once: as many processes, one graph. */
static int walk_in_place(struct run *run)
{
	struct results *results = run->results;
	struct crew *crew = run->crew;
	struct message message;
	double start = measure_now();
	uint32_t i;
	int err;

	progress_begin(crew->progress, "%" PRIu32 " readers walk it in place, all at once",
		results->reader_count);
	crew_restart_progress(crew, results->reader_count);
	for (i = 0; i < results->reader_count; i++) {
		err = crew_tell(crew, run->readers[i], MESSAGE_DO_WALK);
		if (err)
			return err;
	}
	for (i = 0; i < results->reader_count; i++) {
		err = crew_await(crew, run->readers[i], MESSAGE_WALKED, &message);
		if (err)
			return err;
		results->readers[i].walked = message.u.walked;
		err = check_walked(run, &message.u.walked, &results->reference, WALK_COUNT);
		if (err)
			return err;
	}
	results->walk_seconds = measure_now() - start;
	progress_end(crew->progress);
	return weigh_readers(run);
}

/* New arcs in another process's arena, and a third process that walks both arenas as one graph. */
static int walk_union(struct run *run)
{
	struct results *results = run->results;
	struct crew *crew = run->crew;
	struct member *writer;
	struct member *walker;
	struct message message;
	int err;

	progress_begin(crew->progress, "an overlay in a second arena, and a walk of both");
	crew_restart_progress(crew, 2);
	err = crew_start(crew, ROLE_OVERLAY_WRITER, 0, &writer);
	if (!err)
		err = crew_await(crew, writer, MESSAGE_OVERLAID, &message);
	if (err)
		return err;
	results->overlay_writer = writer->pid;
	results->overlaid = message.u.overlaid;

	err = crew_tell(crew, run->owner, MESSAGE_DO_UNION);
	if (!err)
		err = crew_await(crew, run->owner, MESSAGE_REFERENCE, &message);
	if (err)
		return err;
	results->union_reference = message.u.reference;

	err = crew_start(crew, ROLE_UNION_WALKER, 0, &walker);
	if (!err)
		err = crew_await(crew, walker, MESSAGE_WALKED, &message);
	if (err)
		return err;
	results->union_walker = walker->pid;
	results->union_walked = message.u.walked;
	err = check_walked(run, &message.u.walked, &results->union_reference, WALK_NAMES);
	if (!err)
		err = crew_release(crew, walker);
	if (!err)
		err = crew_release(crew, writer);
	progress_end(crew->progress);
	return err;
}

/* The usual way, for as many processes: each gets the graph sent and builds its own. */
static int make_copies(struct run *run)
{
	struct results *results = run->results;
	struct crew *crew = run->crew;
	struct message message;
	uint64_t needed = 0;
	uint32_t i;
	int err = 0;

	progress_begin(crew->progress, "%" PRIu32 " processes get it the usual way: copies",
		results->reader_count);
	for (i = 0; i < results->reader_count && measure_available() / 2 >= needed; i++) {
		err = crew_start(crew, ROLE_COPIER, i, &run->copiers[i]);
		if (!err)
			err = crew_await(crew, run->copiers[i], MESSAGE_COPIED, &message);
		if (err)
			return err;
		results->copiers[i].pid = run->copiers[i]->pid;
		results->copiers[i].copied = message.u.copied;
		results->copier_count = i + 1;
		needed = message.u.copied.sent_bytes * 2 + message.u.copied.heap_bytes;
		progress_set(crew->progress, (double)(i + 1) / results->reader_count);
	}
	for (i = 0; i < results->copier_count && !err; i++)
		err = measure_memory(
			results->copiers[i].pid, 0, 0, &results->copiers[i].memory);
	for (i = 0; i < results->copier_count && !err; i++)
		err = crew_release(crew, run->copiers[i]);
	progress_end(crew->progress);
	return err;
}

/* One reader alone, in place against a copy of its own. */
static int race(struct run *run)
{
	struct crew *crew = run->crew;
	struct member *racer = run->readers[0];
	struct message message;
	unsigned kind;
	int err;

	progress_begin(crew->progress, "one reader: in place against a copy of its own");
	crew_restart_progress(crew, 1);
	err = crew_tell(crew, racer, MESSAGE_DO_TIME);
	if (!err)
		err = crew_await(crew, racer, MESSAGE_COPIED, &message);
	for (kind = 0; kind < WALK_COUNT && !err; kind++) {
		err = crew_await(crew, racer, MESSAGE_TIMED, &message);
		if (!err)
			run->results->timed[kind] = message.u.timed;
	}
	if (!err)
		progress_end(crew->progress);
	return err;
}

int conduct(const struct settings *settings, struct crew *crew, struct results *results)
{
	struct run run = {.settings = settings, .crew = crew, .results = results};
	double start = measure_now();
	int err;

	results->reader_count = settings->reader_count;
	err = load_and_share(&run);
	if (!err)
		err = attach_readers(&run);
	if (!err)
		err = walk_in_place(&run);
	if (!err)
		err = walk_union(&run);
	if (!err)
		err = make_copies(&run);
	if (!err)
		err = race(&run);
	if (!err)
		err = crew_dismiss(crew);
	progress_clear(crew->progress);
	results->seconds = measure_now() - start;
	return err;
}
