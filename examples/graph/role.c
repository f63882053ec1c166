/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <lendheap/share.h>

#include "failure.h"
#include "role.h"

#define TOP_COUNT 4u

int role_tell(const struct message *message)
{
	return message_send(ROLE_FD_CONTROL, message);
}

int role_listen(struct message *out_message)
{
	return message_receive(ROLE_FD_CONTROL, out_message);
}

void role_progress(double share)
{
	struct message message = {.kind = MESSAGE_PROGRESS, .u.share = share};

	(void)role_tell(&message); /* if the conductor is gone, the next real message tells */
}

void role_share_name(
	const struct settings *settings, const char *what, char out_name[ROLE_SHARE_NAME_BYTES])
{
	(void)snprintf(out_name, ROLE_SHARE_NAME_BYTES, "lend-graph/%ld/%s",
		(long)settings->conductor, what);
}

int role_fail_lend(int err, const char *what)
{
	const char *detail = lend_error_detail();

	return graph_fail(err, "%s: %s", what, *detail ? detail : strerror(-err));
}

int role_borrow(const struct settings *settings, const char *what, struct lend_type type,
	const struct lend_arena **out_arena, const void **out_object)
{
	const struct lend_arena *arena;
	char name[ROLE_SHARE_NAME_BYTES];
	int err;

	role_share_name(settings, what, name);
	err = lend_open(name, lend_deadline_in_ms(ROLE_OPEN_MS), &arena);
	if (err)
		return role_fail_lend(err, "borrowing the arena");
	err = lend_root_get(arena, what, type, out_object);
	if (err) {
		err = role_fail_lend(err, "finding the root");
		(void)lend_close(arena);
		return err;
	}
	if (!lend_arena_is_fixed(arena)) {
		(void)lend_close(arena);
		return graph_fail(-EADDRINUSE,
			"the arena is mapped at another address here: its "
			"raw pointers do not hold");
	}

	*out_arena = arena;
	return 0;
}

/* The vertices of most rank, best first: "libc6 0.0312, perl 0.0121, ..." */
static void name_top(const struct graph *graph, const double *ranks, char *text, size_t room)
{
	uint32_t top[TOP_COUNT];
	unsigned count = 0;
	unsigned at;
	size_t used = 0;
	uint32_t v;

	for (v = 0; v < graph->vertex_count; v++) {
		if (count == TOP_COUNT && ranks[v] <= ranks[top[TOP_COUNT - 1]])
			continue;
		if (count < TOP_COUNT)
			count++;
		for (at = count - 1; at > 0 && ranks[v] > ranks[top[at - 1]]; at--)
			top[at] = top[at - 1];
		top[at] = v;
	}
	for (at = 0; at < count && used < room; at++)
		used += (size_t)snprintf(text + used, room - used, "%s%.24s %.2g",
			at ? ", " : "", graph->vertices[top[at]]->name, ranks[top[at]]);
}

static int walk_each(const struct settings *settings, const struct graph *graph,
	const struct overlay *overlay, unsigned kind_count, struct walk_arrays *arrays,
	struct message_walked *walked)
{
	enum reference_set set = overlay ? REFERENCE_UNION : REFERENCE_BASE;
	struct reference reference;
	unsigned kind;
	int err;

	err = reference_open(ROLE_FD_REFERENCE, graph->vertex_count, &reference);
	for (kind = 0; !err && kind < kind_count; kind++) {
		walk_run((enum walk_kind)kind, graph, overlay, arrays);
		if (kind == WALK_BREADTH)
			role_bend_if_asked(settings, arrays);
		err = reference_compare(&reference, set, (enum walk_kind)kind, arrays);
		walked->checksums[kind] = walk_checksum((enum walk_kind)kind, arrays);
		walked->walk_count = kind + 1;
		role_progress((double)(kind + 1) / (double)kind_count);
	}
	if (!err && overlay)
		walked->changed = reference_changed(&reference);
	if (!err)
		name_top(graph, arrays->ranks, walked->top, sizeof(walked->top));
	reference_fini(&reference);
	return err;
}

int role_walk(const struct settings *settings, const struct graph *graph,
	const struct overlay *overlay, unsigned kind_count, struct message_walked *out_walked)
{
	struct message_walked walked = {
		.graph_address = (uintptr_t)graph,
		.code_address = role_code_address(),
	};
	double start = measure_now();
	struct walk_arrays arrays;
	int err;

	err = walk_arrays_init(&arrays, graph->vertex_count);
	if (err)
		return err;
	err = walk_each(settings, graph, overlay, kind_count, &arrays, &walked);
	walk_arrays_fini(&arrays);
	(void)malloc_trim(0); /* so that what is counted of us after this is the graph */
	if (err)
		return err;

	walked.seconds = measure_now() - start;
	*out_walked = walked;
	return 0;
}

uint64_t role_code_address(void)
{
	return (uintptr_t)&role_main;
}

static bool is_fault(const struct settings *settings, const char *fault)
{
	const char *asked = getenv("LEND_GRAPH_FAULT");
	size_t count = strlen(fault);

	return asked && strncmp(asked, fault, count) == 0 && asked[count] == ':' &&
	       strcmp(asked + count + 1, role_name(settings->role)) == 0;
}

void role_die_if_asked(const struct settings *settings)
{
	if (is_fault(settings, "die"))
		(void)raise(SIGKILL);
}

void role_bend_if_asked(const struct settings *settings, struct walk_arrays *arrays)
{
	if (is_fault(settings, "bend"))
		arrays->levels[arrays->vertex_count / 2] ^= 1;
}

int role_main(const struct settings *settings)
{
	static int (*const runs[ROLE_COUNT])(const struct settings *settings) = {
		[ROLE_OWNER] = owner_run,
		[ROLE_READER] = reader_run,
		[ROLE_OVERLAY_WRITER] = overlay_writer_run,
		[ROLE_UNION_WALKER] = union_walker_run,
		[ROLE_COPIER] = copier_run,
	};
	struct message failed = {.kind = MESSAGE_FAILED};
	int err;

	err = runs[settings->role](settings);
	if (!err)
		return 0;

	failed.exit_status = err == REFERENCE_DIFFERS ? EXIT_STATUS_DIFFER : EXIT_STATUS_INPUT;
	(void)snprintf(failed.u.sentence, sizeof(failed.u.sentence), "%s", graph_failure());
	(void)role_tell(&failed);
	return failed.exit_status;
}
