/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The reader borrows the owner's arena and walks the graph where it lies; when asked it also gets
 * a copy of its own and races the two. The copier only gets the copy: it stands for a reader of
 * the usual kind, so that both kinds can be weighed.
 */
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <lendheap/share.h>

#include "failure.h"
#include "role.h"

#define RACE_ROUNDS_MIN   5u
#define RACE_SECONDS      2.0   /* for each walk; no further round after so long */
#define RACE_SECONDS_MAX  12.0  /* a walk so slow that even the least rounds are cut short */
#define RACE_TURN_SECONDS 0.016 /* a turn takes at least so long, by repeating short walks */
#define RACE_REPEATS_MAX  32u   /* a tiny graph shall not take long for all that */

struct race {
	enum walk_kind kind;
	uint32_t rounds_max;
	uint32_t repeats; /* walks in a turn */
	const struct graph *in_place;
	const struct graph *copy;
	const struct reference *reference;
	struct walk_arrays *arrays;
};

/* Get the graph in the usual way: ask, receive bytes, rebuild with malloc(). */
static int get_copy(struct message_copied *copied, struct graph **out_graph)
{
	struct heap heap = heap_private();
	double start = measure_now();
	struct block_head head;
	struct plain plain;
	double received;
	void *block;
	int err;

	if (send(ROLE_FD_COPIES, "?", 1, MSG_NOSIGNAL) != 1)
		return graph_fail(-errno, "asking for a copy: %s", strerror(errno));
	err = block_receive(ROLE_FD_COPIES, &head, &block);
	if (err)
		return err;
	received = measure_now();
	err = plain_from_block(block, head.bytes, &plain);
	if (err) {
		free(block);
		return err;
	}
	err = graph_build(&plain, &heap, NULL, out_graph);
	plain_fini(&plain);
	if (err)
		return err;

	copied->total_seconds = measure_now() - start;
	copied->serialize_seconds = head.serialize_seconds;
	copied->send_seconds = received - start - head.serialize_seconds;
	copied->rebuild_seconds = copied->total_seconds - (received - start);
	copied->sent_bytes = head.bytes;
	return 0;
}

/* Answer a first question: a breadth-first search on memory this process never touched before. */
static int answer_first(const struct graph *graph, double since, double *out_seconds)
{
	struct reference reference;
	struct walk_arrays arrays;
	int err;

	err = walk_arrays_init(&arrays, graph->vertex_count);
	if (err)
		return err;
	walk_run(WALK_BREADTH, graph, NULL, &arrays);
	*out_seconds = measure_now() - since;

	err = reference_open(ROLE_FD_REFERENCE, graph->vertex_count, &reference);
	if (!err)
		err = reference_compare(&reference, REFERENCE_BASE, WALK_BREADTH, &arrays);
	reference_fini(&reference);
	walk_arrays_fini(&arrays);
	return err;
}

/*
 * So many walks of one graph, in CPU time: a walk waits for nothing, so what other processes take
 * of the machine does not count. The last one's result is compared with the right one.
 */
static int time_walks(const struct race *race, const struct graph *graph, double *out_seconds)
{
	double start = measure_busy();
	uint32_t i;

	for (i = 0; i < race->repeats; i++)
		walk_run(race->kind, graph, NULL, race->arrays);
	*out_seconds = (measure_busy() - start) / race->repeats;
	return reference_compare(race->reference, REFERENCE_BASE, race->kind, race->arrays);
}

/* Walks of each that are not counted; they tell how many make a turn worth timing. */
static int warm_up(struct race *race)
{
	const struct graph *graphs[2] = {race->copy, race->in_place};
	double least = RACE_TURN_SECONDS;
	double seconds;
	unsigned i;
	int err;

	race->repeats = 1;
	for (i = 0; i < 4; i++) {
		err = time_walks(race, graphs[i % 2], &seconds);
		if (err)
			return err;
		if (seconds < least)
			least = seconds;
		if (seconds > RACE_SECONDS / 4 && i > 0)
			break; /* long enough to be warm */
	}
	while (race->repeats < RACE_REPEATS_MAX && least * race->repeats < RACE_TURN_SECONDS)
		race->repeats++;
	return 0;
}

/*
 * One kind of walk, in place and in the copy by turns, each first by turns. Both fill the same
 * arrays. The ratio is the median of the rounds' own: a slow moment of the machine hits both.
 */
static int run_race(struct race *race)
{
	struct message message = {.kind = MESSAGE_TIMED};
	struct message_timed *timed = &message.u.timed;
	double seconds[2][SETTINGS_ROUNDS_MAX];
	double ratios[SETTINGS_ROUNDS_MAX];
	double start = measure_now();
	uint32_t round;
	int err;

	err = warm_up(race);
	for (round = 0; !err && round < race->rounds_max; round++) {
		unsigned first = round % 2;
		double so_far = measure_now() - start;

		if (round > 0 && so_far > RACE_SECONDS &&
			(round >= RACE_ROUNDS_MIN || so_far > RACE_SECONDS_MAX))
			break;
		err = time_walks(
			race, first ? race->copy : race->in_place, &seconds[first][round]);
		if (!err)
			err = time_walks(race, first ? race->in_place : race->copy,
				&seconds[!first][round]);
		ratios[round] = seconds[0][round] / seconds[1][round];
		role_progress(((double)race->kind + so_far / RACE_SECONDS) / WALK_COUNT);
	}
	if (err)
		return err;

	timed->walk = race->kind;
	timed->repeats = race->repeats;
	timed->in_place = sample_of(seconds[0], round);
	timed->in_copy = sample_of(seconds[1], round);
	timed->ratio = sample_of(ratios, round);
	return role_tell(&message);
}

static int race_all(const struct settings *settings, const struct graph *in_place)
{
	struct message message = {.kind = MESSAGE_COPIED};
	struct heap heap = heap_private();
	struct graph *copy = NULL;
	struct reference reference = {0};
	struct walk_arrays arrays = {0};
	unsigned kind;
	int err;

	err = get_copy(&message.u.copied, &copy);
	if (!err)
		err = role_tell(&message);
	if (!err)
		err = walk_arrays_init(&arrays, in_place->vertex_count);
	if (!err)
		err = reference_open(ROLE_FD_REFERENCE, in_place->vertex_count, &reference);
	for (kind = 0; !err && kind < WALK_COUNT; kind++) {
		struct race race = {
			.kind = (enum walk_kind)kind,
			.rounds_max = settings->round_count,
			.in_place = in_place,
			.copy = copy,
			.reference = &reference,
			.arrays = &arrays,
		};

		err = run_race(&race);
	}

	reference_fini(&reference);
	walk_arrays_fini(&arrays);
	graph_destroy(copy, &heap);
	return err;
}

static int attach(const struct settings *settings, const struct lend_arena **out_arena,
	const struct graph **out_graph)
{
	struct message message = {.kind = MESSAGE_ATTACHED};
	struct message_attached *attached = &message.u.attached;
	double start = measure_now();
	const void *object;
	const void *base;
	int err;

	err = role_borrow(settings, "graph", LEND_TYPE(struct graph, GRAPH_TYPE_VERSION),
		out_arena, &object);
	if (err)
		return err;
	attached->seconds = measure_now() - start;
	*out_graph = object;

	err = answer_first(*out_graph, start, &attached->first_answer_seconds);
	if (err)
		return err;
	(void)malloc_trim(0);
	err = lend_arena_range(*out_arena, &base, &attached->arena_bytes);
	if (err)
		return role_fail_lend(err, "asking where the arena lies");
	attached->arena_start = (uintptr_t)base;
	attached->graph_address = (uintptr_t)object;
	attached->code_address = role_code_address();
	return role_tell(&message);
}

static int obey(const struct settings *settings, const struct graph *graph)
{
	struct message message;
	int err;

	for (;;) {
		err = role_listen(&message);
		if (err)
			return err;
		switch (message.kind) {
		case MESSAGE_DO_WALK:
			role_die_if_asked(settings);
			message = (struct message){.kind = MESSAGE_WALKED};
			err = role_walk(settings, graph, NULL, WALK_COUNT, &message.u.walked);
			if (!err)
				err = role_tell(&message);
			break;
		case MESSAGE_DO_TIME:
			err = race_all(settings, graph);
			break;
		default:
			return 0;
		}
		if (err)
			return err;
	}
}

int reader_run(const struct settings *settings)
{
	const struct lend_arena *arena = NULL;
	const struct graph *graph;
	int err;
	int closed;

	err = attach(settings, &arena, &graph);
	if (!err)
		err = obey(settings, graph);
	if (!arena)
		return err;
	closed = lend_close(arena);
	if (!err && closed)
		err = role_fail_lend(closed, "giving the arena back");
	return err;
}

static uint64_t own_pss(void)
{
	struct memory memory;

	return measure_memory(getpid(), 0, 0, &memory) ? 0 : memory.pss_bytes;
}

int copier_run(const struct settings *settings)
{
	struct message message = {.kind = MESSAGE_COPIED};
	struct message_copied *copied = &message.u.copied;
	struct heap heap = heap_private();
	uint64_t before = own_pss();
	uint64_t after;
	double start = measure_now();
	struct graph *graph = NULL;
	struct message command;
	int err;

	role_die_if_asked(settings);
	err = get_copy(copied, &graph);
	if (err)
		return err;
	err = answer_first(graph, start, &copied->first_answer_seconds);
	if (err)
		return err;
	(void)malloc_trim(0);
	after = own_pss();
	copied->heap_bytes = after > before ? after - before : 0;
	err = role_tell(&message);
	if (!err)
		err = role_listen(&command); /* to be weighed; any command ends it */
	graph_destroy(graph, &heap);
	return err;
}
