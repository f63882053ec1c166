/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hostile peer's side of a whole session, without a socket: packets of random bytes and FD
 * counts go through wire, handshake and intake. The input is a role byte, then packets:
 *
 *	uint16_t bytes; uint8_t fd_count; uint8_t 0; bytes...
 *
 * What must hold: no state but those of the machine, no FD lost or kept twice, no limit passed.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "session/handshake.h"
#include "session/intake.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

#define CHECK(claim)                                                                           \
	do {                                                                                   \
		if (!(claim))                                                                  \
			abort();                                                               \
	} while (0)

static const struct lendi_limits limits = {4, 512, 400};

struct peer {
	struct lendi_handshake handshake;
	struct lendi_intake intake;
	uint64_t arena_count;
	uint64_t slot_count;
	int fd_next; /* numbers stand for FDs: each is given out once */
};

/* As session.c does: 0 go on; else the session ends. */
static int take_handshake(struct peer *peer, const union lendi_message *message)
{
	union lendi_message answer;
	union lendi_message again;
	int err = lendi_handshake_take(&peer->handshake, message);

	CHECK(err <= 0);
	CHECK(err == 0 || lend_error_detail()[0]);
	if (err)
		return err;
	if (peer->handshake.state == LENDI_HANDSHAKE_DECIDE) {
		CHECK(peer->handshake.version == 1);
		(void)lendi_handshake_admit(&peer->handshake, &answer);
		/* What we write, we can read. */
		CHECK(lendi_wire_read(&answer, answer.head.bytes, 0, 0, &again) == 0);
		CHECK(memcmp(&answer, &again, answer.head.bytes) == 0);
	}
	return 0;
}

static int take_arena(struct peer *peer, const union lendi_message *message, const int *fds)
{
	struct lendi_intake *intake = &peer->intake;
	uint32_t i;
	int err;

	switch (message->head.type) {
	case LENDI_WIRE_LEND:
		err = lendi_intake_begin(
			intake, &message->lend, &limits, peer->arena_count, peer->slot_count);
		CHECK(err || intake->lend.fd_count <= limits.fd_pending_max);
		return err;
	case LENDI_WIRE_FDS:
		return lendi_intake_add(intake, &message->chunk, fds);
	case LENDI_WIRE_COMMIT:
		err = lendi_intake_commit(intake, &message->chunk);
		if (err)
			return err;
		CHECK(intake->fd_count == intake->lend.slot_count + 1);
		/* In the order they came, none twice. */
		for (i = 1; i < intake->fd_count; i++)
			CHECK(intake->fds[i] > intake->fds[i - 1]);
		peer->arena_count++;
		peer->slot_count += intake->lend.slot_count;
		CHECK(peer->arena_count <= limits.arena_count_max);
		CHECK(peer->slot_count <= limits.slot_count_max);
		lendi_intake_reset(intake);
		return 0;
	case LENDI_WIRE_WITHDRAW:
		err = lendi_intake_withdraw(intake, &message->chunk);
		if (!err)
			lendi_intake_reset(intake);
		return err;
	default:
		return lendi_wire_error(message->answer.error);
	}
}

static int take_packet(struct peer *peer, const uint8_t *bytes, size_t count, uint32_t fd_count)
{
	union lendi_message message;
	int fds[LENDI_WIRE_FDS_MAX];
	uint32_t i;
	int err;

	for (i = 0; i < fd_count; i++)
		fds[i] = peer->fd_next++;
	err = lendi_wire_read(bytes, count, fd_count, peer->handshake.version, &message);
	CHECK(err <= 0);
	if (err || message.head.type == LENDI_WIRE_SKIPPED)
		return err;
	if (message.head.type == LENDI_WIRE_BYE) {
		CHECK(memchr(message.end.reason, 0, sizeof(message.end.reason)));
		return -1;
	}
	if (peer->handshake.state != LENDI_HANDSHAKE_OPEN ||
		message.head.type < LENDI_WIRE_LEND)
		return take_handshake(peer, &message);
	return take_arena(peer, &message, fds);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	union lendi_message hello;
	struct lendi_self self;
	struct peer peer;
	size_t count;
	uint32_t fd_count;
	int err = 0;

	memset(&peer, 0, sizeof(peer));
	if (bytes < 1)
		return 0;
	lendi_self_init(&self, data[0] & 1 ? LEND_SESSION_ACCEPTS : LEND_SESSION_CONNECTS, 0);
	/* Fixed, so that the corpus stays good when an arena's layout changes. */
	self.layout = 1;
	lendi_handshake_init(&peer.handshake, &self);
	if (self.role == LEND_SESSION_CONNECTS)
		(void)lendi_handshake_hello(&peer.handshake, &hello);
	data++;
	bytes--;
	while (!err && bytes >= 4) {
		count = (size_t)data[0] | (size_t)data[1] << 8;
		fd_count = data[2] > LENDI_WIRE_FDS_MAX ? LENDI_WIRE_FDS_MAX : data[2];
		data += 4;
		bytes -= 4;
		if (count > bytes)
			count = bytes;
		err = take_packet(&peer, data, count, fd_count);
		data += count;
		bytes -= count;
	}
	lendi_intake_reset(&peer.intake);
	return 0;
}
