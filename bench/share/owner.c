/* SPDX-License-Identifier: Apache-2.0 */
/* Owners in processes of their own, and the graph that most of them share. */
#include "share.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static void be_owner(
	int cpu, int ready_fd, int hold_fd, int (*prepare)(void *context), void *context)
{
	char byte;
	int err;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	err = bench_pin(cpu);
	if (!err)
		err = prepare(context);
	if (write(ready_fd, &err, sizeof(err)) != sizeof(err))
		_exit(1);
	while (read(hold_fd, &byte, 1) < 0 && errno == EINTR)
		;
	_exit(0);
}

int share_owner_start(
	struct share_owner *owner, int cpu, int (*prepare)(void *context), void *context)
{
	int ready[2], hold[2], err;

	if (pipe2(ready, O_CLOEXEC) < 0)
		return -errno;
	if (pipe2(hold, O_CLOEXEC) < 0) {
		err = -errno;
		goto close_ready;
	}
	fflush(NULL);
	owner->pid = fork();
	if (owner->pid < 0) {
		err = -errno;
		goto close_hold;
	}
	if (owner->pid == 0) {
		close(ready[0]);
		close(hold[1]);
		be_owner(cpu, ready[1], hold[0], prepare, context);
	}
	close(ready[1]);
	close(hold[0]);
	owner->release_fd = hold[1];

	if (read(ready[0], &err, sizeof(err)) != sizeof(err))
		err = -ECHILD; /* it died */
	close(ready[0]);
	if (err)
		share_owner_stop(owner);
	return err;
close_hold:
	close(hold[0]);
	close(hold[1]);
close_ready:
	close(ready[0]);
	close(ready[1]);
	return err;
}

void share_owner_stop(struct share_owner *owner)
{
	close(owner->release_fd);
	while (waitpid(owner->pid, NULL, 0) < 0 && errno == EINTR)
		;
}

void share_name(char *name, size_t bytes, const char *what, pid_t pid)
{
	snprintf(name, bytes, "bench-%s-%ld", what, (long)pid);
}

int share_complain(const char *what, int err)
{
	fprintf(stderr, "bench_share: %s: %s: %s\n", what, strerror(-err), lend_error_detail());
	return err;
}

static void *alloc_in_arena(void *context, size_t bytes)
{
	return lend_alloc(context, bytes);
}

int share_graph_publish(const struct graph_shape *shape, int split, const char *name,
	const struct graph **out_graph)
{
	struct lend_arena_options options = {.struct_bytes = sizeof(options), .name = "graph"};
	struct graph_heap heap = {alloc_in_arena, NULL};
	struct lend_arena *arena;
	struct graph *graph;
	int err;

	err = lend_arena_create(&options, &arena);
	if (err)
		return share_complain("lend_arena_create", err);
	heap.context = arena;
	graph = graph_build(shape, &heap, split);
	if (!graph)
		return share_complain("graph", -errno);
	err = lend_root_set(arena, "graph", LEND_TYPE(struct graph, 1), graph);
	if (err)
		return share_complain("lend_root_set", err);
	err = lend_share(arena, name);
	if (err)
		return share_complain("lend_share", err);
	if (out_graph)
		*out_graph = graph;
	return 0;
}

int share_graph_open(const char *name, const struct graph **out_graph)
{
	const struct lend_arena *arena;
	int err;

	err = lend_open(name, lend_deadline_in_ms(SHARE_OPEN_MS), &arena);
	if (err)
		return share_complain("lend_open", err);
	err = lend_root_get(
		arena, "graph", LEND_TYPE(struct graph, 1), (const void **)out_graph);
	return err ? share_complain("lend_root_get", err) : 0;
}
