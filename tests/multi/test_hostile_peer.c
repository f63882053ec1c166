/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Peers that break the protocol. The hostile side writes its packets by hand; whatever it does, its
 * own session ends with a reason on both sides, and nothing it sent is left here.
 */
#include <errno.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/child.h"
#include "support/hostile.h"
#include "support/leaks.h"
#include "support/meet.h"
#include "support/suite.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* The session ends with -EPROTO and this word, and the peer reads the same sentence. */
static void expect_end(struct hostile *meeting, const char *word)
{
	uint16_t type = meeting->log.opened ? LENDI_WIRE_BYE : LENDI_WIRE_REFUSAL;
	union lendi_message message;

	CU_ASSERT_EQUAL(lend_session_dispatch(meeting->session), -EPROTO);
	CU_ASSERT_EQUAL(meeting->log.closed, 1);
	CU_ASSERT_EQUAL(meeting->log.closed_err, -EPROTO);
	if (!strstr(meeting->log.closed_reason, word))
		printf("\n\"%s\", wanted %s\n", meeting->log.closed_reason, word);
	CU_ASSERT_PTR_NOT_NULL(strstr(meeting->log.closed_reason, word));
	hostile_hear(meeting, type, &message);
	CU_ASSERT_EQUAL(message.end.error, EPROTO);
	CU_ASSERT_STRING_EQUAL(message.end.reason, meeting->log.closed_reason);
}

enum { LIES_ABOUT_ITS_SIZE = 7 };

/* Each way to say a wrong hello, and the word of the refusal. */
static void bend_hello(union lendi_message *hello, int way, const char **out_word)
{
	static const char *const words[] = {
		"versions 2 to 9",
		"layout",
		"window at",
		"domain",
		"features",
		"role",
		"LEND",
		"says it has",
		"type 3 in step",
		"24 bytes",
	};

	*out_word = words[way];
	switch (way) {
	case 0:
		hello->hello.version_min = 2;
		hello->hello.version_max = 9;
		break;
	case 1:
		hello->hello.layout ^= 1;
		break;
	case 2:
		hello->hello.window_base += LEND_SLOT_BYTES;
		break;
	case 3:
		strcpy(hello->hello.window_domain, "another");
		break;
	case 4:
		hello->hello.features_needed = 2;
		break;
	case 5:
		hello->hello.role = LEND_SESSION_ACCEPTS;
		break;
	case 6:
		hello->head.magic = 0x20544547; /* "GET " */
		break;
	case LIES_ABOUT_ITS_SIZE:
		hello->head.bytes = 200;
		break;
	case 8:
		(void)lendi_wire_head(hello, LENDI_WIRE_READY, 1);
		break;
	default:
		hello->head.bytes = LENDI_HELLO_BYTES_MIN;
		break;
	}
}

CLEAN_TEST(wrong_hello_is_refused_on_both_sides)
{
	union lendi_message message;
	struct hostile meeting;
	const char *word;
	int way;

	for (way = 0; way < 10; way++) {
		hostile_begin(&meeting, NULL);
		hostile_hello(&message);
		bend_hello(&message, way, &word);
		if (way == LIES_ABOUT_ITS_SIZE)
			CU_ASSERT_EQUAL(send(meeting.sock, &message, 104, 0), 104)
		else
			hostile_say(&meeting, &message, 0);
		expect_end(&meeting, word);
		CU_ASSERT_EQUAL(meeting.log.opened, 0);
		hostile_end(&meeting);
	}
}

CLEAN_TEST(fds_where_none_belong_are_closed)
{
	static const uint16_t types[] = {LENDI_WIRE_HELLO, LENDI_WIRE_BYE, LENDI_WIRE_LEND,
		LENDI_WIRE_COMMIT, LENDI_WIRE_ANSWER, 999};
	union lendi_message message;
	struct hostile meeting;
	struct leaks before;
	size_t i;

	for (i = 0; i < COUNT(types); i++) {
		if (types[i] == LENDI_WIRE_HELLO)
			hostile_begin(&meeting, NULL);
		else
			hostile_open(&meeting, NULL);
		before = leaks_count();
		(void)lendi_wire_head(&message, (enum lendi_wire_type)types[i], 1);
		if (types[i] == 999) {
			message.head.bytes = 16;
			message.head.flags = LENDI_WIRE_OPTIONAL;
		}
		hostile_say(&meeting, &message, LENDI_WIRE_FDS_MAX);
		expect_end(&meeting, "253 FDs");
		/* The socket, and the pidfd of an open session, are gone as well. */
		CU_ASSERT_EQUAL(leaks_count().fds, before.fds - 1 - meeting.log.opened);
		hostile_end(&meeting);
	}
}

CLEAN_TEST(arena_out_of_order_ends_the_session)
{
	/* What is sent after a good announcement of 2 FDs of arena 1. */
	static const struct {
		uint16_t type;
		uint64_t id;
		uint32_t first;
		uint32_t count;
		uint32_t fds;
		const char *word;
	} cases[] = {
		{LENDI_WIRE_LEND, 2, 0, 0, 0, "inside arena 1"},
		{LENDI_WIRE_FDS, 2, 0, 1, 1, "not the announced one"},
		{LENDI_WIRE_FDS, 1, 1, 1, 1, "after 0 of 2"},
		{LENDI_WIRE_FDS, 1, 0, 3, 3, "after 0 of 2"},
		{LENDI_WIRE_FDS, 1, 0, 253, 253, "after 0 of 2"},
		{LENDI_WIRE_FDS, 1, 0, 2, 1, "came with 1"},
		{LENDI_WIRE_FDS, 1, 0, 1, 2, "came with 2"},
		{LENDI_WIRE_FDS, 1, 0, 2, 0, "came with 0"},
		{LENDI_WIRE_COMMIT, 1, 0, 2, 0, "0 of 2 came"},
		{LENDI_WIRE_WITHDRAW, 2, 0, 0, 0, "not the announced one"},
		{LENDI_WIRE_ANSWER, 1, 0, 0, 0, "not lent"},
		{LENDI_WIRE_HELLO, 0, 0, 0, 0, "type 1"},
		{LENDI_WIRE_READY, 0, 0, 0, 0, "type 3"},
		{77, 0, 0, 0, 0, "unknown type 77"},
	};
	union lendi_message message;
	struct hostile meeting;
	size_t i;

	for (i = 0; i < COUNT(cases); i++) {
		hostile_open(&meeting, NULL);
		hostile_announce(&message, 1, 1);
		hostile_say(&meeting, &message, 0);
		if (cases[i].type == LENDI_WIRE_LEND)
			hostile_announce(&message, 2, 1);
		else if (cases[i].type == LENDI_WIRE_HELLO)
			hostile_hello(&message);
		else
			hostile_chunk(&message, cases[i].type, cases[i].id, cases[i].first,
				cases[i].count);
		if (!message.head.bytes)
			message.head.bytes = 16;
		hostile_say(&meeting, &message, cases[i].fds);
		expect_end(&meeting, cases[i].word);
		hostile_end(&meeting);
	}
}

CLEAN_TEST(limits_of_a_peer_hold)
{
	static const struct {
		struct lend_session_options limits;
		uint32_t slot_count;
		const char *word;
	} cases[] = {
		{{.slot_count_max = 2}, 4, "at most 2"},
		{{.fd_pending_max = 4}, 4, "5 FDs, at most 4"},
		{{.flags = 0}, 2048, "run of 2048"},
		{{.flags = 0}, 0, "run of 0"},
	};
	union lendi_message message;
	struct hostile meeting;
	size_t i;

	for (i = 0; i < COUNT(cases); i++) {
		hostile_open(&meeting, &cases[i].limits);
		hostile_announce(&message, 1, cases[i].slot_count);
		hostile_say(&meeting, &message, 0);
		expect_end(&meeting, cases[i].word);
		hostile_end(&meeting);
	}
}

CLEAN_TEST(fds_on_their_way_are_closed_with_the_session)
{
	union lendi_message message;
	struct hostile meeting;
	int close_ours;

	for (close_ours = 0; close_ours < 2; close_ours++) {
		hostile_open(&meeting, NULL);
		hostile_announce(&message, 1, 256);
		hostile_say(&meeting, &message, 0);
		hostile_chunk(&message, LENDI_WIRE_FDS, 1, 0, 253);
		hostile_say(&meeting, &message, 253);
		CU_ASSERT_EQUAL(lend_session_dispatch(meeting.session), 0);
		if (!close_ours) {
			(void)close(meeting.sock);
			meeting.sock = -1;
			CU_ASSERT_EQUAL(lend_session_dispatch(meeting.session), -EOWNERDEAD);
		}
		hostile_end(&meeting);
	}
}

CLEAN_TEST(fds_that_do_not_fit_are_an_error_and_closed)
{
	union lendi_message message;
	struct hostile meeting;
	struct rlimit kept;
	struct rlimit tight;
	struct leaks before;

	hostile_open(&meeting, NULL);
	hostile_announce(&message, 1, 128);
	hostile_say(&meeting, &message, 0);
	hostile_chunk(&message, LENDI_WIRE_FDS, 1, 0, 100);
	hostile_say(&meeting, &message, 100);
	before = leaks_count();
	CU_ASSERT_EQUAL(getrlimit(RLIMIT_NOFILE, &kept), 0);
	tight = kept;
	tight.rlim_cur = (rlim_t)before.fds + 50;
	CU_ASSERT_EQUAL(setrlimit(RLIMIT_NOFILE, &tight), 0);
	CU_ASSERT_EQUAL(lend_session_dispatch(meeting.session), -EMFILE);
	CU_ASSERT_EQUAL(setrlimit(RLIMIT_NOFILE, &kept), 0);
	CU_ASSERT_EQUAL(meeting.log.closed_err, -EMFILE);
	hostile_hear(&meeting, LENDI_WIRE_BYE, &message);
	CU_ASSERT_EQUAL(message.end.error, EMFILE);
	CU_ASSERT_EQUAL(leaks_count().fds, before.fds - 2);
	hostile_end(&meeting);
}

CLEAN_TEST(packets_of_odd_sizes_end_the_session)
{
	static const size_t sizes[] = {0, 1, 15, 17, 1023, 1024, 1025, 5000};
	static const uint8_t bytes[5000];
	struct hostile meeting;
	size_t i;

	for (i = 0; i < COUNT(sizes); i++) {
		hostile_open(&meeting, NULL);
		CU_ASSERT_EQUAL(send(meeting.sock, bytes, sizes[i], 0), (ssize_t)sizes[i]);
		expect_end(&meeting, "message");
		hostile_end(&meeting);
	}
}

static int speak_for_parent(int parent, void *argument)
{
	const struct hostile *meeting = argument;
	union lendi_message message;

	(void)parent;
	(void)lendi_wire_end(&message, LENDI_WIRE_BYE, 1, 0, "");
	return lendi_link_send(meeting->sock, &message, NULL, 0) ? CHILD_FAILED : 0;
}

CLEAN_TEST(another_process_cannot_speak_for_the_peer)
{
	struct hostile meeting;

	hostile_open(&meeting, NULL);
	CU_ASSERT_EQUAL(child_run(speak_for_parent, &meeting), 0);
	expect_end(&meeting, "a message of process");
	hostile_end(&meeting);
}

CLEAN_TEST(optional_messages_of_the_future_are_skipped)
{
	union lendi_message message;
	struct hostile meeting;
	int i;

	hostile_open(&meeting, NULL);
	(void)lendi_wire_head(&message, LENDI_WIRE_READY, 1);
	message.head.type = 4711;
	message.head.flags = LENDI_WIRE_OPTIONAL;
	for (i = 0; i < 100; i++)
		hostile_say(&meeting, &message, 0);
	for (i = 0; i < 4; i++)
		CU_ASSERT_EQUAL(lend_session_dispatch(meeting.session), 0);
	CU_ASSERT_EQUAL(lend_session_error(meeting.session), 0);
	hostile_end(&meeting);
}

/* Send without end, read nothing. */
CLEAN_TEST(peer_that_only_talks_is_held_back)
{
	union lendi_message message[3];
	struct hostile meeting;
	struct leaks before;
	uint64_t id;
	int fds[2] = {STDIN_FILENO, STDIN_FILENO};
	int err = 0;

	hostile_open(&meeting, NULL);
	before = leaks_count();
	for (id = 1; id < 20000 && !err; id++) {
		hostile_announce(&message[0], id, 1);
		hostile_chunk(&message[1], LENDI_WIRE_FDS, id, 0, 2);
		hostile_chunk(&message[2], LENDI_WIRE_COMMIT, id, 0, 2);
		err = lendi_link_send(meeting.sock, &message[0], NULL, 0);
		if (!err)
			err = lendi_link_send(meeting.sock, &message[1], fds, 2);
		if (!err)
			err = lendi_link_send(meeting.sock, &message[2], NULL, 0);
		CU_ASSERT_EQUAL(lend_session_dispatch(meeting.session), 0);
	}
	/* Its socket is full, because we stopped reading when our answers piled up. */
	CU_ASSERT(err == -EAGAIN || err == -ETOOMANYREFS);
	CU_ASSERT(leaks_count().fds <= before.fds + 2);
	CU_ASSERT_EQUAL(meeting.log.arena_count, 0);
	/* Once it reads, it goes on. */
	while (recv(meeting.sock, message, sizeof(message), MSG_DONTWAIT) > 0)
		;
	CU_ASSERT_EQUAL(lend_session_dispatch(meeting.session), 0);
	CU_ASSERT(recv(meeting.sock, message, sizeof(message), MSG_DONTWAIT) > 0);
	hostile_end(&meeting);
}

CLEAN_TEST(peer_that_is_gone_raises_no_sigpipe)
{
	struct lend_arena *arena = meet_arena("roads");
	struct hostile meeting;

	hostile_open(&meeting, NULL);
	(void)close(meeting.sock);
	meeting.sock = -1;
	CU_ASSERT_EQUAL(lend_session_lend(meeting.session, arena, NULL), 0);
	CU_ASSERT_TRUE(meet_session(meeting.session, &meeting.log.closed, 1));
	CU_ASSERT_EQUAL(meeting.log.closed_err, -EOWNERDEAD);
	hostile_end(&meeting);
	CU_ASSERT_EQUAL(lend_arena_destroy(arena), 0);
}

static void on_arena_close(struct lend_session *session, const struct lend_arena *arena,
	const char *name, void *context)
{
	(void)arena;
	(void)name;
	(void)context;
	lend_session_close(session);
}

static void on_closed_close(
	struct lend_session *session, int err, const char *reason, void *context)
{
	(void)err;
	(void)reason;
	*(int *)context += 1;
	lend_session_close(session);
}

CLEAN_TEST(any_callback_may_close_its_session)
{
	int closed = 0;
	struct lend_session_options options = {
		.context = &closed, .on_arena = on_arena_close, .on_closed = on_closed_close};
	struct lend_session *session;
	int socks[2];

	CU_ASSERT_TRUE_FATAL(meet_pair(socks));
	CU_ASSERT_EQUAL_FATAL(
		lend_session_start(socks[0], LEND_SESSION_ACCEPTS, &options, &session), 0);
	CU_ASSERT_EQUAL(send(socks[1], "rubbish", 7, 0), 7);
	CU_ASSERT_EQUAL(lend_session_dispatch(session), -ENOLINK); /* and it is freed */
	CU_ASSERT_EQUAL(closed, 1);
	(void)close(socks[1]);
}

static const struct suite_test tests[] = {
	SUITE_TEST(wrong_hello_is_refused_on_both_sides),
	SUITE_TEST(fds_where_none_belong_are_closed),
	SUITE_TEST(arena_out_of_order_ends_the_session),
	SUITE_TEST(limits_of_a_peer_hold),
	SUITE_TEST(fds_on_their_way_are_closed_with_the_session),
	SUITE_TEST(fds_that_do_not_fit_are_an_error_and_closed),
	SUITE_TEST(packets_of_odd_sizes_end_the_session),
	SUITE_TEST(another_process_cannot_speak_for_the_peer),
	SUITE_TEST(optional_messages_of_the_future_are_skipped),
	SUITE_TEST(peer_that_only_talks_is_held_back),
	SUITE_TEST(peer_that_is_gone_raises_no_sigpipe),
	SUITE_TEST(any_callback_may_close_its_session),
};

SUITE_MAIN("hostile peer", tests)
