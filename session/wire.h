/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LENDHEAP_SESSION_WIRE_H
#define LENDHEAP_SESSION_WIRE_H

/*
 * The messages of a session: bytes in, bytes out, no I/O. docs/protocol.md describes each byte.
 *
 * A message is one packet of a SOCK_SEQPACKET socket: a head and a body of fixed size, integers
 * little-endian, no holes. A hello is readable by every version, so that two that cannot talk can
 * say so. Later messages carry the version agreed on. One of an unknown type is skipped when its
 * sender marked it optional, else it ends the session.
 */
#include <stddef.h>
#include <stdint.h>

#include <lendheap/arena.h>
#include <lendheap/session.h>
#include <lendheap/window.h>

#define LENDI_WIRE_MAGIC       UINT32_C(0x444e454c) /* "LEND" */
#define LENDI_WIRE_VERSION_MIN 1u
#define LENDI_WIRE_VERSION_MAX 1u
#define LENDI_WIRE_BYTES_MAX   1024u /* of any message, of later versions too */
#define LENDI_WIRE_FDS_MAX     253u  /* of one message: the kernel's SCM_MAX_FD */
#define LENDI_WIRE_TEXT_BYTES  (LEND_REASON_BYTES_MAX + 1u)

#define LENDI_WIRE_OPTIONAL (1u << 0) /* head.flags: skip it if you do not know it */

enum lendi_wire_type {
	LENDI_WIRE_HELLO = 1,        /* first of who connects */
	LENDI_WIRE_WELCOME = 2,      /* its answer: a hello of who accepts, version chosen */
	LENDI_WIRE_READY = 3,        /* the answer to that; the session is open */
	LENDI_WIRE_REFUSAL = 4,      /* instead of welcome or ready: error and reason */
	LENDI_WIRE_BYE = 5,          /* the end: error 0 is orderly */
	LENDI_WIRE_LEND = 16,        /* an arena comes: what it is, how many FDs */
	LENDI_WIRE_FDS = 17,         /* a chunk of its FDs */
	LENDI_WIRE_COMMIT = 18,      /* all FDs are there: map it */
	LENDI_WIRE_WITHDRAW = 19,    /* it does not come after all */
	LENDI_WIRE_ANSWER = 20,      /* of who maps it: error 0, or error and reason */
	LENDI_WIRE_SKIPPED = 0xffff, /* never on the wire: an optional message we do not know */
};

struct lendi_head_wire {
	uint32_t magic;
	uint16_t type;
	uint16_t version; /* agreed on; in hello, welcome and refusal: 1 */
	uint32_t bytes;   /* of the whole message */
	uint32_t flags;
};
LEND_SHM_SIZEOF(struct lendi_head_wire, 16);
LEND_SHM_AT(struct lendi_head_wire, type, 4);
LEND_SHM_AT(struct lendi_head_wire, bytes, 8);

#define LENDI_HELLO_MAY_RELOCATE (1u << 0)
#define LENDI_HELLO_LENDS_ONLY   (1u << 1)

/* Of hello and welcome. Its first bytes stay as they are in every version. */
#define LENDI_HELLO_BYTES_MIN 24u
struct lendi_hello_wire {
	struct lendi_head_wire head;
	uint16_t version_min;
	uint16_t version_max; /* in welcome both are the version chosen */
	uint32_t role;        /* LEND_SESSION_CONNECTS, LEND_SESSION_ACCEPTS */
	uint64_t features;    /* it has; both use those that both have */
	uint64_t features_needed;
	uint64_t layout; /* lendi_arena_layout() */
	uint64_t window_base;
	uint32_t window_slot_count;
	uint32_t options;
	char window_domain[LEND_WINDOW_DOMAIN_MAX + 1];
	uint32_t library_version;
	uint32_t reserved; /* 0 */
};
LEND_SHM_SIZEOF(struct lendi_hello_wire, 104);
LEND_SHM_AT(struct lendi_hello_wire, role, 20);
LEND_SHM_AT(struct lendi_hello_wire, layout, 40);
LEND_SHM_AT(struct lendi_hello_wire, window_domain, 64);
LEND_SHM_AT(struct lendi_hello_wire, library_version, 96);

/* Of refusal and bye. */
struct lendi_end_wire {
	struct lendi_head_wire head;
	uint32_t error; /* a positive errno; 0: orderly */
	uint32_t reserved;
	char reason[LENDI_WIRE_TEXT_BYTES];
};
LEND_SHM_SIZEOF(struct lendi_end_wire, 216);
LEND_SHM_AT(struct lendi_end_wire, reason, 24);

#define LENDI_LEND_READ_ONLY (1u << 0)

struct lendi_lend_wire {
	struct lendi_head_wire head;
	uint64_t id; /* of this lend, its sender's number, 1 and up */
	struct lend_identity identity;
	uint64_t incarnation;
	uint64_t window_base;
	uint64_t data_bytes;
	uint32_t slot;
	uint32_t slot_count;
	uint32_t fd_count; /* 1 of the data, then slot_count claims */
	uint32_t flags;    /* LENDI_LEND_READ_ONLY */
	char name[LEND_ARENA_NAME_BYTES_MAX + 1];
};
LEND_SHM_SIZEOF(struct lendi_lend_wire, 144);
LEND_SHM_AT(struct lendi_lend_wire, identity, 24);
LEND_SHM_AT(struct lendi_lend_wire, data_bytes, 56);
LEND_SHM_AT(struct lendi_lend_wire, fd_count, 72);
LEND_SHM_AT(struct lendi_lend_wire, name, 80);

/* Of fds (count of them travel with it), commit and withdraw. */
struct lendi_chunk_wire {
	struct lendi_head_wire head;
	uint64_t id;
	uint32_t first; /* index of the first FD; in commit and withdraw 0 */
	uint32_t count; /* FDs of this message; in commit of all */
};
LEND_SHM_SIZEOF(struct lendi_chunk_wire, 32);
LEND_SHM_AT(struct lendi_chunk_wire, first, 24);

struct lendi_answer_wire {
	struct lendi_head_wire head;
	uint64_t id;
	uint32_t error;
	uint32_t reserved;
	char reason[LENDI_WIRE_TEXT_BYTES];
};
LEND_SHM_SIZEOF(struct lendi_answer_wire, 224);
LEND_SHM_AT(struct lendi_answer_wire, reason, 32);

/* A message with its head; what kind it is says head.type. */
union lendi_message {
	struct lendi_head_wire head;
	struct lendi_hello_wire hello;
	struct lendi_end_wire end;
	struct lendi_lend_wire lend;
	struct lendi_chunk_wire chunk;
	struct lendi_answer_wire answer;
};

/*
 * Read a packet that came with fd_count FDs. version is the one agreed on, 0 before that. Every
 * field is in its range and every text has its end afterwards; head.type is LENDI_WIRE_SKIPPED
 * for a message to ignore. 0; -EPROTO with what is wrong.
 */
int lendi_wire_read(const void *bytes, size_t count, uint32_t fd_count, uint16_t version,
	union lendi_message *out_message);

/* Write a head; the body follows by the caller. Returns the message's size. */
uint32_t lendi_wire_head(
	union lendi_message *message, enum lendi_wire_type type, uint16_t version);

/* Write a refusal or bye: err is 0 or negative, reason is cut to fit. Returns its size. */
uint32_t lendi_wire_end(union lendi_message *message, enum lendi_wire_type type,
	uint16_t version, int err, const char *reason);

/* A peer's errno as ours: negative, and -EPROTO when it is none. */
int lendi_wire_error(uint32_t error);

/* Copy text into a field of fixed size: cut to fit, the rest zeroes. */
void lendi_wire_text(char *field, size_t field_bytes, const char *text);

/* The sizes and places of all messages as one number: changes only with the version. */
uint64_t lendi_wire_layout(void);

#endif /* LENDHEAP_SESSION_WIRE_H */
