/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAPH_MESSAGE_H
#define GRAPH_MESSAGE_H

/*
 * What the conductor and the processes it started tell each other, over a socket pair each. Both
 * ends are one program, so a message is a C struct, sent whole. The graph never passes here.
 */
#include <stdint.h>

#include "failure.h"
#include "measure.h"
#include "walk.h"

enum message_kind {
	/* From a role. */
	MESSAGE_PROGRESS = 1,
	MESSAGE_FAILED,
	MESSAGE_LOADED,
	MESSAGE_SHARED,
	MESSAGE_REFERENCE,
	MESSAGE_ATTACHED,
	MESSAGE_WALKED,
	MESSAGE_OVERLAID,
	MESSAGE_COPIED,
	MESSAGE_TIMED,

	/* To a role. */
	MESSAGE_DO_WALK,
	MESSAGE_DO_UNION,
	MESSAGE_DO_TIME,
	MESSAGE_DO_QUIT,
};

struct message_loaded {
	char title[200];
	char vertex_noun[24];
	char edge_noun[24];
	char weight_note[64];
	uint64_t vertex_count;
	uint64_t edge_count;
	double seconds;
};

struct message_shared {
	struct sample in_arena; /* seconds to build it */
	struct sample in_heap;
	struct sample ratio; /* of the two in the same round */
	uint64_t arc_count;
	uint64_t object_count;
	uint64_t live_bytes;
	char hub[64];
};

/* Results of the private copy, base graph or union. */
struct message_reference {
	uint64_t checksums[WALK_COUNT];
	uint32_t starts; /* of the breadth-first search */
};

struct message_attached {
	double seconds;              /* from nothing to a pointer to the graph */
	double first_answer_seconds; /* and on to the end of a breadth-first search */
	uint64_t graph_address;
	uint64_t code_address;
	uint64_t arena_start;
	uint64_t arena_bytes;
};

struct message_walked {
	double seconds;
	uint64_t checksums[WALK_COUNT];
	uint32_t walk_count; /* done, and equal to the reference in every value */
	uint32_t changed;    /* distances that are others with the overlay */
	uint64_t graph_address;
	uint64_t code_address;
	char top[160]; /* the vertices of most rank */
};

struct message_overlaid {
	uint64_t arc_count;
	uint64_t arena_start;
	uint64_t graph_address;
	uint64_t code_address;
};

struct message_copied {
	double serialize_seconds;
	double send_seconds;
	double rebuild_seconds;
	double total_seconds;
	double first_answer_seconds;
	uint64_t sent_bytes;
	uint64_t heap_bytes; /* that the copy takes: growth of the process's PSS */
};

struct message_timed {
	uint32_t walk;    /* enum walk_kind */
	uint32_t repeats; /* walks in each turn */
	struct sample in_place;
	struct sample in_copy;
	struct sample ratio; /* of the two in the same round */
};

struct message {
	enum message_kind kind;
	int exit_status; /* of MESSAGE_FAILED */
	union {
		double share; /* of MESSAGE_PROGRESS: 0 to 1, below 0 unknown */
		struct message_loaded loaded;
		struct message_shared shared;
		struct message_reference reference;
		struct message_attached attached;
		struct message_walked walked;
		struct message_overlaid overlaid;
		struct message_copied copied;
		struct message_timed timed;
		char sentence[GRAPH_FAILURE_BYTES_MAX]; /* of MESSAGE_FAILED */
	} u;
};

/* 0, or a negative errno and a sentence; -ENOLINK: the other end is gone. */
int message_send(int socket, const struct message *message);
int message_receive(int socket, struct message *out_message);

/* A block of bytes over a stream socket, the usual way's part. Both wait until all is through. */
struct block_head {
	uint64_t bytes;
	double serialize_seconds;
};
int block_send(int socket, const struct block_head *head, const void *block);
int block_receive(int socket, struct block_head *out_head, void **out_block);

#endif /* GRAPH_MESSAGE_H */
