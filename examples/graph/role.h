/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAPH_ROLE_H
#define GRAPH_ROLE_H

/*
 * A process of the demo other than the conductor. The conductor starts each by fork() and exec()
 * of this program with three open FDs; a role talks to it over the first and ends with it.
 *
 *	owner           owner.c         builds the graph in an arena and shares it
 *	reader          reader.c        borrows it and walks it in place
 *	overlay-writer  overlay_roles.c borrows it, shares new arcs in an arena of its own
 *	union-walker    overlay_roles.c borrows both and walks them as one
 *	copier          reader.c        gets the graph in the usual way, for comparison
 */
#include <lendheap/arena.h>

#include "message.h"
#include "reference.h"
#include "settings.h"

enum {
	ROLE_FD_CONTROL = 3,   /* messages to and from the conductor */
	ROLE_FD_COPIES = 4,    /* stream socket of the usual way: the owner has one end */
	ROLE_FD_REFERENCE = 5, /* reference.h */
};

#define ROLE_OPEN_MS 20000

/* Be the role that the settings name. Returns its exit status. */
int role_main(const struct settings *settings);

/* What each role does, from start to MESSAGE_DO_QUIT. 0, or a negative errno and a sentence. */
int owner_run(const struct settings *settings);
int reader_run(const struct settings *settings);
int copier_run(const struct settings *settings);
int overlay_writer_run(const struct settings *settings);
int union_walker_run(const struct settings *settings);

/* Tell the conductor how far we are. */
void role_progress(double share);

/* Send a message to the conductor. */
int role_tell(const struct message *message);

/* Wait for the conductor's next command. */
int role_listen(struct message *out_message);

/* The name under which this run shares its graph, or its overlay. */
#define ROLE_SHARE_NAME_BYTES 48u
void role_share_name(const struct settings *settings, const char *what,
	char out_name[ROLE_SHARE_NAME_BYTES]);

/* A failure of the library in our words: keeps what and lend_error_detail(), returns err. */
int role_fail_lend(int err, const char *what);

/* Borrow what this run shares as "graph" or "overlay", and find its root. */
int role_borrow(const struct settings *settings, const char *what, struct lend_type type,
	const struct lend_arena **out_arena, const void **out_object);

/* Walk in so many kinds, compare each result with the reference, and count. */
int role_walk(const struct settings *settings, const struct graph *graph,
	const struct overlay *overlay, unsigned kind_count, struct message_walked *out_walked);

/* An address in this program's code, which differs from process to process. */
uint64_t role_code_address(void);

/*
 * Faults on purpose, for the tests: LEND_GRAPH_FAULT="die:reader" in the environment kills the
 * readers, "bend:reader" makes one of their results wrong.
 */
void role_die_if_asked(const struct settings *settings);
void role_bend_if_asked(const struct settings *settings, struct walk_arrays *arrays);

#endif /* GRAPH_ROLE_H */
