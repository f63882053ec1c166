/* SPDX-License-Identifier: Apache-2.0 */
typedef int hostile_not_empty;

#if __has_include(<CUnit/Basic.h>) /* else no test needs it */

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <CUnit/Basic.h>

#include "support/hostile.h"

void hostile_begin(struct hostile *meeting, const struct lend_session_options *limits)
{
	struct lend_session_options options = meet_options_taking(&meeting->log);
	int socks[2];

	memset(&meeting->log, 0, sizeof(meeting->log));
	if (limits) {
		options.arena_count_max = limits->arena_count_max;
		options.slot_count_max = limits->slot_count_max;
		options.fd_pending_max = limits->fd_pending_max;
		options.flags = limits->flags;
	}
	CU_ASSERT_TRUE_FATAL(meet_pair(socks));
	CU_ASSERT_EQUAL_FATAL(
		lend_session_start(socks[0], LEND_SESSION_ACCEPTS, &options, &meeting->session),
		0);
	meeting->sock = socks[1];
}

void hostile_end(struct hostile *meeting)
{
	lend_session_close(meeting->session);
	(void)close(meeting->sock);
}

/* Send a message with count FDs, each of them /dev/null's. */
void hostile_say(struct hostile *meeting, const union lendi_message *message, uint32_t count)
{
	int fds[LENDI_WIRE_FDS_MAX];
	uint32_t i;

	for (i = 0; i < count; i++)
		fds[i] = STDIN_FILENO;
	CU_ASSERT_EQUAL(lendi_link_send(meeting->sock, message, fds, count), 0);
}

void hostile_hello(union lendi_message *message)
{
	struct lendi_handshake handshake;
	struct lendi_self self;

	lendi_self_init(&self, LEND_SESSION_CONNECTS, 0);
	lendi_handshake_init(&handshake, &self);
	(void)lendi_handshake_hello(&handshake, message);
}

void hostile_hear(struct hostile *meeting, uint16_t type, union lendi_message *out_message)
{
	memset(out_message, 0, sizeof(*out_message));
	CU_ASSERT(recv(meeting->sock, out_message, sizeof(*out_message), MSG_DONTWAIT) > 0);
	CU_ASSERT_EQUAL(out_message->head.type, type);
}

/* A handshake as it should be. */
void hostile_open(struct hostile *meeting, const struct lend_session_options *limits)
{
	union lendi_message message;

	hostile_begin(meeting, limits);
	hostile_hello(&message);
	hostile_say(meeting, &message, 0);
	CU_ASSERT_EQUAL(lend_session_dispatch(meeting->session), 0);
	hostile_hear(meeting, LENDI_WIRE_WELCOME, &message);
	(void)lendi_wire_head(&message, LENDI_WIRE_READY, 1);
	hostile_say(meeting, &message, 0);
	CU_ASSERT_EQUAL(lend_session_dispatch(meeting->session), 0);
	CU_ASSERT_EQUAL(meeting->log.opened, 1);
}

void hostile_announce(union lendi_message *message, uint64_t id, uint32_t slot_count)
{
	struct lendi_lend_wire *lend = &message->lend;

	(void)lendi_wire_head(message, LENDI_WIRE_LEND, 1);
	lend->id = id;
	lend->slot_count = slot_count;
	lend->fd_count = slot_count + 1;
	lend->data_bytes = UINT64_C(4) << 20;
	lend->flags = LENDI_LEND_READ_ONLY;
	lend->window_base = lend_window_current().base;
	strcpy(lend->name, "bait");
}

void hostile_chunk(union lendi_message *message, uint16_t type, uint64_t id, uint32_t first,
	uint32_t count)
{
	(void)lendi_wire_head(message, (enum lendi_wire_type)type, 1);
	message->chunk.id = id;
	message->chunk.first = first;
	message->chunk.count = count;
}

#endif
