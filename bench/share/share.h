/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LENDHEAP_BENCH_SHARE_H
#define LENDHEAP_BENCH_SHARE_H

/*
 * The cases of bench_share, and what they have in common: an owner in a process of its own, that
 * makes an arena, shares it and waits until it is let go.
 */
#include <sys/types.h>

#include <lendheap/alloc.h>
#include <lendheap/ptr.h>
#include <lendheap/session.h>
#include <lendheap/share.h>

#include "bench/harness/bench.h"
#include "bench/share/graph.h"

#define SHARE_OPEN_MS 10000 /* a reader gives up after this */

/* Each runs in a process that has not used lendheap. 0 or a negative errno. */
int share_run_attach(struct bench *bench, void *context);
int share_run_walk_offset(struct bench *bench, void *context);
int share_run_walk_reader(struct bench *bench, void *context);
int share_run_pss(struct bench *bench, void *context);
int share_run_graph(struct bench *bench, void *context);

struct share_owner {
	pid_t pid;
	int release_fd; /* closing it lets the owner go */
};

/*
 * Start an owner: a child on cpu that calls prepare(context) and then waits. Returns when
 * prepare has; its negative errno, or 0 and the owner is to be ended with share_owner_stop().
 */
int share_owner_start(
	struct share_owner *owner, int cpu, int (*prepare)(void *context), void *context);

/* Let the owner go and wait for its end. */
void share_owner_stop(struct share_owner *owner);

/*
 * Build a graph in an arena of this process, its root "graph", and share it for as long as the
 * process lives. out_graph may be NULL. 0 or a negative errno, already complained about.
 */
int share_graph_publish(const struct graph_shape *shape, int split, const char *name,
	const struct graph **out_graph);

/* Open it in another process. The same errors. */
int share_graph_open(const char *name, const struct graph **out_graph);

/* Arenas that a program lends over sessions of its own, as asked. */
struct share_lender {
	char address[LEND_ADDRESS_BYTES_MAX + 1];
	int request_fd; /* a byte read from it: lend that arena over the session opened last */
	uint32_t arena_count;
	struct lend_arena *arena[8];
	const char *name[8];
	/* The lender's own. */
	struct lend_server *server;
	struct lend_session *session;
};

/* Serve from a thread, until the process ends. lender must live that long. 0 or -errno. */
int share_lender_start(struct share_lender *lender);

/* A name for lend_share() that no other run uses: what and the caller's process. */
void share_name(char *name, size_t bytes, const char *what, pid_t pid);

/* Print a failure of the library with its sentence; returns err. */
int share_complain(const char *what, int err);

#endif /* LENDHEAP_BENCH_SHARE_H */
