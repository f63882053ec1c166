/* SPDX-License-Identifier: Apache-2.0 */
/* The messages, the handshake and the intake of a session, without a socket. */
#include <errno.h>
#include <string.h>

#include <lendheap/lendheap.h>

#include "arena/layout.h"
#include "session/handshake.h"
#include "session/intake.h"
#include "support/suite.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const uint16_t types[] = {
	LENDI_WIRE_HELLO,
	LENDI_WIRE_WELCOME,
	LENDI_WIRE_READY,
	LENDI_WIRE_REFUSAL,
	LENDI_WIRE_BYE,
	LENDI_WIRE_LEND,
	LENDI_WIRE_FDS,
	LENDI_WIRE_COMMIT,
	LENDI_WIRE_WITHDRAW,
	LENDI_WIRE_ANSWER,
};

static uint32_t write(union lendi_message *message, uint16_t type)
{
	uint32_t bytes = lendi_wire_head(message, (enum lendi_wire_type)type, 1);

	if (type == LENDI_WIRE_FDS)
		message->chunk.count = 1;
	return bytes;
}

static int read_again(const union lendi_message *message, union lendi_message *out_message)
{
	return lendi_wire_read(message, message->head.bytes,
		message->head.type == LENDI_WIRE_FDS ? message->chunk.count : 0, 0,
		out_message);
}

struct pair {
	struct lendi_handshake connects;
	struct lendi_handshake accepts;
	struct lendi_self self[2];
};

static void pair_init(struct pair *pair)
{
	lendi_self_init(&pair->self[0], LEND_SESSION_CONNECTS, 0);
	lendi_self_init(&pair->self[1], LEND_SESSION_ACCEPTS, 0);
}

/* Hello across: what the accepting side says to it. */
static int pair_hello(struct pair *pair)
{
	union lendi_message message;
	union lendi_message got;
	int err;

	lendi_handshake_init(&pair->connects, &pair->self[0]);
	lendi_handshake_init(&pair->accepts, &pair->self[1]);
	(void)lendi_handshake_hello(&pair->connects, &message);
	err = read_again(&message, &got);
	return err ? err : lendi_handshake_take(&pair->accepts, &got);
}

/* The rest of a handshake that fits. */
static int pair_finish(struct pair *pair)
{
	union lendi_message message;
	union lendi_message got;
	int err;

	(void)lendi_handshake_admit(&pair->accepts, &message);
	err = read_again(&message, &got);
	if (!err)
		err = lendi_handshake_take(&pair->connects, &got);
	if (err)
		return err;
	(void)lendi_handshake_admit(&pair->connects, &message);
	err = read_again(&message, &got);
	return err ? err : lendi_handshake_take(&pair->accepts, &got);
}

static int says(const char *word)
{
	return strstr(lend_error_detail(), word) != NULL;
}

static void wire_layout_is_golden(void)
{
	/* Another number is another protocol: raise LENDI_WIRE_VERSION_MAX with it. */
	CU_ASSERT_EQUAL(lendi_wire_layout(), UINT64_C(0x8ce52caa88df788c));
	CU_ASSERT_EQUAL(LENDI_WIRE_VERSION_MAX, 1);
}

static void hello_names_the_version_of_the_library(void)
{
	struct lendi_self self;

	lendi_self_init(&self, LEND_SESSION_CONNECTS, 0);
	CU_ASSERT_EQUAL(self.library_version,
		LEND_VERSION_MAJOR << 16 | LEND_VERSION_MINOR << 8 | LEND_VERSION_PATCH);
}

static void two_alike_open(void)
{
	struct pair pair;

	pair_init(&pair);
	CU_ASSERT_EQUAL(pair_hello(&pair), 0);
	CU_ASSERT_EQUAL(pair.accepts.state, LENDI_HANDSHAKE_DECIDE);
	CU_ASSERT_EQUAL(pair_finish(&pair), 0);
	CU_ASSERT_EQUAL(pair.connects.state, LENDI_HANDSHAKE_OPEN);
	CU_ASSERT_EQUAL(pair.accepts.state, LENDI_HANDSHAKE_OPEN);
	CU_ASSERT_EQUAL(pair.connects.version, 1);
	CU_ASSERT_EQUAL(pair.accepts.version, 1);
}

static void highest_common_version_is_chosen(void)
{
	struct pair pair;

	pair_init(&pair);
	pair.self[0].version_min = 2;
	pair.self[0].version_max = 7;
	pair.self[1].version_min = 1;
	pair.self[1].version_max = 5;
	pair.self[0].features = 0x17;
	pair.self[1].features = 0x35;
	CU_ASSERT_EQUAL(pair_hello(&pair), 0);
	CU_ASSERT_EQUAL(pair_finish(&pair), 0);
	CU_ASSERT_EQUAL(pair.connects.version, 5);
	CU_ASSERT_EQUAL(pair.accepts.version, 5);
	CU_ASSERT_EQUAL(pair.connects.features, 0x15);
	CU_ASSERT_EQUAL(pair.accepts.features, 0x15);
}

static void versions_that_do_not_meet_are_refused(void)
{
	static const uint16_t ranges[][2] = {{2, 3}, {9, 9}, {0, 0}, {5, 4}, {3, 1}};
	struct pair pair;
	size_t i;

	for (i = 0; i < COUNT(ranges); i++) {
		pair_init(&pair);
		pair.self[0].version_min = ranges[i][0];
		pair.self[0].version_max = ranges[i][1];
		CU_ASSERT_EQUAL(pair_hello(&pair), -EPROTO);
		CU_ASSERT_TRUE(says("version"));
	}
}

static void other_layout_is_refused(void)
{
	struct pair pair;

	pair_init(&pair);
	pair.self[0].layout++;
	CU_ASSERT_EQUAL(pair_hello(&pair), -EPROTO);
	CU_ASSERT_TRUE(says("layout"));
}

static void other_window_is_refused_unless_one_may_relocate(void)
{
	struct pair pair;
	int side;

	pair_init(&pair);
	pair.self[0].window.base += LEND_SLOT_BYTES;
	CU_ASSERT_EQUAL(pair_hello(&pair), -EPROTO);
	CU_ASSERT_TRUE(says("window at"));
	for (side = 0; side < 2; side++) {
		lendi_self_init(&pair.self[0], LEND_SESSION_CONNECTS,
			side ? 0 : LEND_SESSION_MAY_RELOCATE);
		lendi_self_init(&pair.self[1], LEND_SESSION_ACCEPTS,
			side ? LEND_SESSION_MAY_RELOCATE : 0);
		pair.self[0].window.base += LEND_SLOT_BYTES;
		CU_ASSERT_EQUAL(pair_hello(&pair), 0);
		CU_ASSERT_EQUAL(pair_finish(&pair), 0);
	}
}

static void other_domain_is_refused(void)
{
	struct pair pair;

	pair_init(&pair);
	strcpy(pair.self[1].window.domain, "elsewhere");
	CU_ASSERT_EQUAL(pair_hello(&pair), -EPROTO);
	CU_ASSERT_TRUE(says("elsewhere"));
}

static void missing_feature_is_refused_on_either_side(void)
{
	struct pair pair;
	int side;

	for (side = 0; side < 2; side++) {
		pair_init(&pair);
		pair.self[side].features = pair.self[side].features_needed = 4;
		CU_ASSERT_EQUAL(pair_hello(&pair), -EPROTO);
		CU_ASSERT_TRUE(says("features 0x4"));
	}
}

static void equal_roles_are_refused(void)
{
	struct lendi_handshake both[2];
	union lendi_message message;
	struct lendi_self self;

	lendi_self_init(&self, LEND_SESSION_CONNECTS, 0);
	lendi_handshake_init(&both[0], &self);
	lendi_handshake_init(&both[1], &self);
	(void)lendi_handshake_hello(&both[0], &message);
	(void)lendi_handshake_hello(&both[1], &message);
	CU_ASSERT_EQUAL(lendi_handshake_take(&both[0], &message), -EPROTO);
	CU_ASSERT_TRUE(says("both sides connect"));
	message.head.type = LENDI_WIRE_WELCOME;
	CU_ASSERT_EQUAL(lendi_handshake_take(&both[0], &message), -EPROTO);
	message.hello.role = 77;
	CU_ASSERT_EQUAL(lendi_handshake_take(&both[0], &message), -EPROTO);
}

/* Put a handshake into each of its states and give it each type: one fits, or none. */
static void message_out_of_order_is_refused_in_every_state(void)
{
	static const struct {
		uint32_t role;
		enum lendi_handshake_state state;
		uint16_t fits;
	} cases[] = {
		{LEND_SESSION_CONNECTS, LENDI_HANDSHAKE_START, 0},
		{LEND_SESSION_CONNECTS, LENDI_HANDSHAKE_HELLO, LENDI_WIRE_WELCOME},
		{LEND_SESSION_CONNECTS, LENDI_HANDSHAKE_OPEN, 0},
		{LEND_SESSION_ACCEPTS, LENDI_HANDSHAKE_START, LENDI_WIRE_HELLO},
		{LEND_SESSION_ACCEPTS, LENDI_HANDSHAKE_WELCOME, LENDI_WIRE_READY},
		{LEND_SESSION_ACCEPTS, LENDI_HANDSHAKE_OPEN, 0},
	};
	struct lendi_handshake handshake;
	union lendi_message message;
	struct lendi_self self;
	size_t i;
	size_t t;

	for (i = 0; i < COUNT(cases); i++) {
		for (t = 0; t < COUNT(types); t++) {
			if (types[t] == cases[i].fits || types[t] == LENDI_WIRE_REFUSAL)
				continue;
			lendi_self_init(&self, cases[i].role, 0);
			lendi_handshake_init(&handshake, &self);
			handshake.state = cases[i].state;
			(void)write(&message, types[t]);
			CU_ASSERT_EQUAL(lendi_handshake_take(&handshake, &message), -EPROTO);
			CU_ASSERT_EQUAL(handshake.state, cases[i].state);
		}
	}
}

static void refusal_brings_its_errno_and_reason(void)
{
	struct pair pair;
	union lendi_message message;
	union lendi_message got;

	pair_init(&pair);
	CU_ASSERT_EQUAL(pair_hello(&pair), 0);
	(void)lendi_wire_end(&message, LENDI_WIRE_REFUSAL, 1, -EACCES, "not on a Sunday");
	CU_ASSERT_EQUAL(read_again(&message, &got), 0);
	CU_ASSERT_EQUAL(lendi_handshake_take(&pair.connects, &got), -EACCES);
	CU_ASSERT_EQUAL(pair.connects.state, LENDI_HANDSHAKE_REFUSED);
	CU_ASSERT_TRUE(says("not on a Sunday"));
}

static void refusal_without_a_true_errno_is_still_one(void)
{
	CU_ASSERT_EQUAL(lendi_wire_error(EACCES), -EACCES);
	CU_ASSERT_EQUAL(lendi_wire_error(0), -EPROTO);
	CU_ASSERT_EQUAL(lendi_wire_error(4096), -EPROTO);
	CU_ASSERT_EQUAL(lendi_wire_error(UINT32_MAX), -EPROTO);
}

static void long_reason_is_cut(void)
{
	char reason[1000];
	union lendi_message message;
	union lendi_message got;

	memset(reason, 'x', sizeof(reason));
	reason[sizeof(reason) - 1] = 0;
	(void)lendi_wire_end(&message, LENDI_WIRE_BYE, 1, -EIO, reason);
	CU_ASSERT_EQUAL(read_again(&message, &got), 0);
	CU_ASSERT_EQUAL(strlen(got.end.reason), LEND_REASON_BYTES_MAX);
}

/* Cut at each length, and told the truth about it in the head or not. */
static void message_cut_short_is_refused(void)
{
	union lendi_message message;
	union lendi_message got;
	uint32_t fds;
	uint32_t cut;
	uint32_t bytes;
	size_t t;

	for (t = 0; t < COUNT(types); t++) {
		bytes = write(&message, types[t]);
		fds = types[t] == LENDI_WIRE_FDS;
		for (cut = 0; cut < bytes; cut++) {
			message.head.bytes = bytes;
			CU_ASSERT_EQUAL(lendi_wire_read(&message, cut, fds, 0, &got), -EPROTO);
			message.head.bytes = cut;
			/* A hello may be shorter: who sent it may be of an older version. */
			if (types[t] <= LENDI_WIRE_WELCOME && cut >= LENDI_HELLO_BYTES_MIN)
				CU_ASSERT_EQUAL(lendi_wire_read(&message, cut, fds, 0, &got), 0)
			else
				CU_ASSERT_EQUAL(
					lendi_wire_read(&message, cut, fds, 0, &got), -EPROTO)
		}
	}
}

static void short_hello_tells_its_version_and_no_more(void)
{
	struct pair pair;
	union lendi_message message;
	union lendi_message got;

	pair_init(&pair);
	pair.self[0].version_min = pair.self[0].version_max = 9;
	lendi_handshake_init(&pair.connects, &pair.self[0]);
	lendi_handshake_init(&pair.accepts, &pair.self[1]);
	(void)lendi_handshake_hello(&pair.connects, &message);
	message.head.bytes = LENDI_HELLO_BYTES_MIN;
	CU_ASSERT_EQUAL(read_again(&message, &got), 0);
	CU_ASSERT_EQUAL(lendi_handshake_take(&pair.accepts, &got), -EPROTO);
	CU_ASSERT_TRUE(says("versions 9 to 9"));
	message.hello.version_min = 1;
	CU_ASSERT_EQUAL(read_again(&message, &got), 0);
	CU_ASSERT_EQUAL(lendi_handshake_take(&pair.accepts, &got), -EPROTO);
	CU_ASSERT_TRUE(says("24 bytes"));
}

static void message_too_long_is_refused_but_a_hello(void)
{
	uint8_t bytes[LENDI_WIRE_BYTES_MAX + 1] = {0};
	union lendi_message message;
	union lendi_message got;
	uint32_t fds;
	size_t t;
	int err;

	for (t = 0; t < COUNT(types); t++) {
		fds = types[t] == LENDI_WIRE_FDS;
		message.head.bytes = write(&message, types[t]) + 8;
		memcpy(bytes, &message, sizeof(message));
		err = lendi_wire_read(bytes, message.head.bytes, fds, 0, &got);
		/* Those that two versions exchange before they agree may grow. */
		if (types[t] <= LENDI_WIRE_WELCOME || types[t] == LENDI_WIRE_REFUSAL)
			CU_ASSERT_EQUAL(err, 0)
		else
			CU_ASSERT_EQUAL(err, -EPROTO)
		message.head.bytes = LENDI_WIRE_BYTES_MAX + 1;
		memcpy(bytes, &message, sizeof(message.head));
		CU_ASSERT_EQUAL(lendi_wire_read(bytes, sizeof(bytes), fds, 0, &got), -EPROTO);
	}
}

static void foreign_bytes_are_refused(void)
{
	static const char http[] = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
	union lendi_message message;
	union lendi_message got;

	CU_ASSERT_EQUAL(lendi_wire_read(http, sizeof(http), 0, 0, &got), -EPROTO);
	CU_ASSERT_EQUAL(lendi_wire_read(http, 0, 0, 0, &got), -EPROTO);
	(void)write(&message, LENDI_WIRE_BYE);
	CU_ASSERT_EQUAL(lendi_wire_read(&message, message.head.bytes, 0, 1, &got), 0);
	CU_ASSERT_EQUAL(lendi_wire_read(&message, message.head.bytes, 0, 2, &got), -EPROTO);
	CU_ASSERT_TRUE(says("agreed was 2"));
}

static void unknown_message_is_skipped_only_if_optional(void)
{
	union lendi_message message;
	union lendi_message got;

	(void)write(&message, LENDI_WIRE_READY);
	message.head.type = 999;
	CU_ASSERT_EQUAL(lendi_wire_read(&message, 16, 0, 1, &got), -EPROTO);
	CU_ASSERT_TRUE(says("unknown type 999"));
	message.head.flags = LENDI_WIRE_OPTIONAL;
	CU_ASSERT_EQUAL(lendi_wire_read(&message, 16, 0, 1, &got), 0);
	CU_ASSERT_EQUAL(got.head.type, LENDI_WIRE_SKIPPED);
	/* With FDs it is not skipped: they would be for nobody. */
	CU_ASSERT_EQUAL(lendi_wire_read(&message, 16, 1, 1, &got), -EPROTO);
}

static void fds_come_with_chunks_only_and_as_many_as_said(void)
{
	union lendi_message message;
	union lendi_message got;
	size_t t;

	for (t = 0; t < COUNT(types); t++) {
		uint32_t bytes = write(&message, types[t]);

		if (types[t] != LENDI_WIRE_FDS)
			CU_ASSERT_EQUAL(lendi_wire_read(&message, bytes, 1, 0, &got), -EPROTO);
	}
	(void)write(&message, LENDI_WIRE_FDS);
	CU_ASSERT_EQUAL(lendi_wire_read(&message, 32, 1, 0, &got), 0);
	CU_ASSERT_EQUAL(lendi_wire_read(&message, 32, 0, 0, &got), -EPROTO);
	CU_ASSERT_EQUAL(lendi_wire_read(&message, 32, 2, 0, &got), -EPROTO);
	message.chunk.count = 0;
	CU_ASSERT_EQUAL(lendi_wire_read(&message, 32, 0, 0, &got), -EPROTO);
	message.chunk.count = 254;
	CU_ASSERT_EQUAL(lendi_wire_read(&message, 32, 254, 0, &got), -EPROTO);
}

static void text_must_end_and_is_made_printable(void)
{
	union lendi_message message;
	union lendi_message got;

	(void)lendi_wire_end(&message, LENDI_WIRE_BYE, 1, -EIO, "a\033[31mb\nc");
	CU_ASSERT_EQUAL(read_again(&message, &got), 0);
	CU_ASSERT_STRING_EQUAL(got.end.reason, "a?[31mb?c");
	memset(message.end.reason, 'x', sizeof(message.end.reason));
	CU_ASSERT_EQUAL(read_again(&message, &got), -EPROTO);
	(void)write(&message, LENDI_WIRE_LEND);
	memset(message.lend.name, 'x', sizeof(message.lend.name));
	CU_ASSERT_EQUAL(read_again(&message, &got), -EPROTO);
	(void)write(&message, LENDI_WIRE_HELLO);
	memset(message.hello.window_domain, 'x', sizeof(message.hello.window_domain));
	CU_ASSERT_EQUAL(read_again(&message, &got), -EPROTO);
	(void)write(&message, LENDI_WIRE_ANSWER);
	memset(message.answer.reason, 'x', sizeof(message.answer.reason));
	CU_ASSERT_EQUAL(read_again(&message, &got), -EPROTO);
}

static const struct lendi_limits limits = {3, 300, 300};

static struct lendi_lend_wire announce(uint64_t id, uint32_t slot_count)
{
	struct lendi_lend_wire lend;

	memset(&lend, 0, sizeof(lend));
	lend.id = id;
	lend.slot = 8 * slot_count;
	lend.slot_count = slot_count;
	lend.fd_count = slot_count + 1;
	lend.data_bytes = slot_count * LENDI_DATA_SLOT_BYTES;
	lend.flags = LENDI_LEND_READ_ONLY;
	return lend;
}

static struct lendi_chunk_wire chunk(uint64_t id, uint32_t first, uint32_t count)
{
	struct lendi_chunk_wire wire;

	memset(&wire, 0, sizeof(wire));
	wire.id = id;
	wire.first = first;
	wire.count = count;
	return wire;
}

static int begin(struct lendi_intake *intake, struct lendi_lend_wire lend)
{
	return lendi_intake_begin(intake, &lend, &limits, 0, 0);
}

static int add(struct lendi_intake *intake, struct lendi_chunk_wire wire)
{
	static int fds[LENDI_WIRE_FDS_MAX];
	uint32_t i;

	for (i = 0; i < LENDI_WIRE_FDS_MAX; i++)
		fds[i] = (int)(wire.first + i);
	return lendi_intake_add(intake, &wire, fds);
}

static int commit(struct lendi_intake *intake, uint64_t id, uint32_t count)
{
	struct lendi_chunk_wire wire = chunk(id, 0, count);

	return lendi_intake_commit(intake, &wire);
}

static void intake_takes_an_arena_in_chunks(void)
{
	struct lendi_intake intake = {.active = false};
	int i;

	CU_ASSERT_EQUAL(begin(&intake, announce(1, 256)), 0);
	CU_ASSERT_EQUAL(add(&intake, chunk(1, 0, 253)), 0);
	CU_ASSERT_EQUAL(commit(&intake, 1, 257), -EPROTO);
	CU_ASSERT_EQUAL(add(&intake, chunk(1, 253, 4)), 0);
	CU_ASSERT_EQUAL(commit(&intake, 1, 257), 0);
	for (i = 0; i < 257; i++)
		CU_ASSERT_EQUAL(intake.fds[i], i);
	lendi_intake_reset(&intake);
	CU_ASSERT_EQUAL(begin(&intake, announce(2, 1)), 0);
	CU_ASSERT_EQUAL(add(&intake, chunk(2, 0, 1)), 0);
	CU_ASSERT_EQUAL(add(&intake, chunk(2, 1, 1)), 0);
	CU_ASSERT_EQUAL(commit(&intake, 2, 2), 0);
	lendi_intake_reset(&intake);
}

static void intake_refuses_what_does_not_follow(void)
{
	struct lendi_intake intake = {.active = false};

	CU_ASSERT_EQUAL(add(&intake, chunk(1, 0, 1)), -EPROTO);
	CU_ASSERT_EQUAL(commit(&intake, 1, 2), -EPROTO);
	CU_ASSERT_EQUAL(begin(&intake, announce(0, 1)), -EPROTO);
	CU_ASSERT_EQUAL(begin(&intake, announce(5, 1)), 0);
	CU_ASSERT_EQUAL(begin(&intake, announce(6, 1)), -EPROTO);
	CU_ASSERT_EQUAL(add(&intake, chunk(6, 0, 1)), -EPROTO);
	CU_ASSERT_EQUAL(add(&intake, chunk(5, 1, 1)), -EPROTO);
	CU_ASSERT_EQUAL(add(&intake, chunk(5, 0, 3)), -EPROTO);
	CU_ASSERT_EQUAL(add(&intake, chunk(5, UINT32_MAX, 2)), -EPROTO);
	CU_ASSERT_EQUAL(add(&intake, chunk(5, 0, 2)), 0);
	CU_ASSERT_EQUAL(add(&intake, chunk(5, 2, 1)), -EPROTO);
	CU_ASSERT_EQUAL(commit(&intake, 5, 1), -EPROTO);
	CU_ASSERT_EQUAL(commit(&intake, 6, 2), -EPROTO);
	CU_ASSERT_EQUAL(commit(&intake, 5, 2), 0);
	lendi_intake_reset(&intake);
	CU_ASSERT_EQUAL(begin(&intake, announce(5, 1)), -EPROTO);
	CU_ASSERT_EQUAL(begin(&intake, announce(4, 1)), -EPROTO);
}

static void intake_refuses_impossible_arenas(void)
{
	struct lendi_intake intake = {.active = false};
	struct lendi_lend_wire good = announce(1, 4);
	struct lendi_lend_wire bad[10];
	size_t i;

	for (i = 0; i < COUNT(bad); i++)
		bad[i] = good;
	bad[0].slot_count = 0;
	bad[1].slot_count = 3;
	bad[2].slot_count = 1u << 31;
	bad[3].slot = 2;
	bad[4].slot = UINT32_MAX - 3;
	bad[5].fd_count = 4;
	bad[6].data_bytes = UINT64_MAX & ~UINT64_C(4095);
	bad[7].data_bytes = 4096;
	bad[8].data_bytes += 1;
	bad[9].flags = 0;
	for (i = 0; i < COUNT(bad); i++) {
		CU_ASSERT_EQUAL(begin(&intake, bad[i]), -EPROTO);
		CU_ASSERT_FALSE(intake.active);
		CU_ASSERT_PTR_NULL(intake.fds);
	}
	CU_ASSERT_EQUAL(begin(&intake, good), 0);
	lendi_intake_reset(&intake);
}

static void intake_keeps_a_peer_within_its_limits(void)
{
	struct lendi_intake intake = {.active = false};
	struct lendi_lend_wire lend = announce(1, 256);

	CU_ASSERT_EQUAL(lendi_intake_begin(&intake, &lend, &limits, 3, 0), -EPROTO);
	CU_ASSERT_TRUE(says("at most 3"));
	CU_ASSERT_EQUAL(lendi_intake_begin(&intake, &lend, &limits, 2, 45), -EPROTO);
	CU_ASSERT_TRUE(says("301 slots"));
	CU_ASSERT_EQUAL(
		lendi_intake_begin(&intake, &lend, &limits, 2, UINT64_MAX >> 1), -EPROTO);
	lend = announce(1, 512);
	CU_ASSERT_EQUAL(begin(&intake, lend), -EPROTO);
	lend = announce(1, 256);
	CU_ASSERT_EQUAL(lendi_intake_begin(&intake, &lend, &limits, 2, 44), 0);
	lendi_intake_reset(&intake);
}

static void intake_is_withdrawn_at_any_point(void)
{
	struct lendi_intake intake = {.active = false};
	struct lendi_chunk_wire wire = chunk(1, 0, 0);

	CU_ASSERT_EQUAL(lendi_intake_withdraw(&intake, &wire), -EPROTO);
	CU_ASSERT_EQUAL(begin(&intake, announce(1, 1)), 0);
	CU_ASSERT_EQUAL(add(&intake, chunk(1, 0, 1)), 0);
	CU_ASSERT_EQUAL(lendi_intake_withdraw(&intake, &wire), 0);
	lendi_intake_reset(&intake);
	CU_ASSERT_EQUAL(lendi_intake_withdraw(&intake, &wire), -EPROTO);
}

static const struct suite_test tests[] = {
	SUITE_TEST(wire_layout_is_golden),
	SUITE_TEST(hello_names_the_version_of_the_library),
	SUITE_TEST(two_alike_open),
	SUITE_TEST(highest_common_version_is_chosen),
	SUITE_TEST(versions_that_do_not_meet_are_refused),
	SUITE_TEST(other_layout_is_refused),
	SUITE_TEST(other_window_is_refused_unless_one_may_relocate),
	SUITE_TEST(other_domain_is_refused),
	SUITE_TEST(missing_feature_is_refused_on_either_side),
	SUITE_TEST(equal_roles_are_refused),
	SUITE_TEST(message_out_of_order_is_refused_in_every_state),
	SUITE_TEST(refusal_brings_its_errno_and_reason),
	SUITE_TEST(refusal_without_a_true_errno_is_still_one),
	SUITE_TEST(long_reason_is_cut),
	SUITE_TEST(message_cut_short_is_refused),
	SUITE_TEST(short_hello_tells_its_version_and_no_more),
	SUITE_TEST(message_too_long_is_refused_but_a_hello),
	SUITE_TEST(foreign_bytes_are_refused),
	SUITE_TEST(unknown_message_is_skipped_only_if_optional),
	SUITE_TEST(fds_come_with_chunks_only_and_as_many_as_said),
	SUITE_TEST(text_must_end_and_is_made_printable),
	SUITE_TEST(intake_takes_an_arena_in_chunks),
	SUITE_TEST(intake_refuses_what_does_not_follow),
	SUITE_TEST(intake_refuses_impossible_arenas),
	SUITE_TEST(intake_keeps_a_peer_within_its_limits),
	SUITE_TEST(intake_is_withdrawn_at_any_point),
};

SUITE_MAIN("wire", tests)
