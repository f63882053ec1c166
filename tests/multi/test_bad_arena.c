/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arenas that are not what they say. Each is made by hand like a good one, then bent in one place,
 * and lent over a session: it is refused with a reason, the session goes on, nothing is left here.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <linux/magic.h>
#include <linux/memfd.h>

#include "arena/arena.h"
#include "support/hostile.h"
#include "support/leaks.h"
#include "support/suite.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define FILE_BYTES   (4 << 20)

static struct lend_arena *mine; /* one that this process owns, for the impostors */

/* All that goes over the wire, to be bent. */
struct fake {
	struct lend_arena_shm head;
	union lendi_message lend;
	int data_fd;
	int claim;
	unsigned seals;
	off_t file_bytes;
	uint32_t slot;
};

static int make_memfd(unsigned flags)
{
	return memfd_create("fake", MFD_CLOEXEC | MFD_ALLOW_SEALING | flags);
}

static void make_good(struct fake *fake)
{
	const struct lend_window *window = lendi_window();
	struct lend_arena_shm *head = &fake->head;

	memset(fake, 0, sizeof(*fake));
	fake->claim = -1;
	for (fake->slot = 1; lendi_slot_claim(fake->slot, &fake->claim); fake->slot++)
		;
	fake->data_fd = make_memfd(0);
	fake->seals = F_SEAL_SHRINK | F_SEAL_SEAL;
	fake->file_bytes = FILE_BYTES;
	head->magic.raw = LENDI_ARENA_MAGIC;
	head->version = LENDI_LAYOUT_VERSION;
	head->slot = fake->slot;
	head->slot_count = 1;
	head->layout = lendi_arena_layout();
	memset(&head->identity, 0x5a, sizeof(head->identity));
	head->incarnation.raw = 1;
	head->window_base = window->base;
	head->data_bytes = FILE_BYTES;
	strcpy(head->name, "fake");
	memcpy(head->domain, window->domain, sizeof(head->domain));
	hostile_announce(&fake->lend, 1, 1);
	fake->lend.lend.slot = fake->slot;
	fake->lend.lend.identity = head->identity;
	fake->lend.lend.incarnation = 1;
}

static void use_data(struct fake *fake, int fd)
{
	(void)close(fake->data_fd);
	fake->data_fd = fd;
	fake->seals = 0;
	fake->file_bytes = 0;
}

static void use_claim(struct fake *fake, int fd)
{
	(void)close(fake->claim);
	fake->claim = fd;
}

/* The ways to bend it; each returns false where this machine has no such thing. */
static bool good(struct fake *fake)
{
	return fake->claim >= 0;
}

static bool unsealed(struct fake *fake)
{
	fake->seals = 0;
	return true;
}

static bool shrinkable(struct fake *fake)
{
	fake->seals = F_SEAL_SEAL;
	return true;
}

static bool still_sealable(struct fake *fake)
{
	fake->seals = F_SEAL_SHRINK;
	return true;
}

static bool on_disk(struct fake *fake)
{
	struct statfs status;
	int fd = open("/var/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd < 0 || fstatfs(fd, &status) || status.f_type == TMPFS_MAGIC) {
		(void)close(fd);
		return false;
	}
	use_data(fake, fd);
	fake->file_bytes = FILE_BYTES;
	return true;
}

static bool hugetlb(struct fake *fake)
{
	int fd = make_memfd(MFD_HUGETLB);

	if (fd < 0)
		return false;
	use_data(fake, fd);
	return true;
}

static bool pipe_as_data(struct fake *fake)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC))
		return false;
	(void)close(fds[1]);
	use_data(fake, fds[0]);
	return true;
}

static bool too_short(struct fake *fake)
{
	fake->file_bytes = 4096;
	return true;
}

static bool garbage(struct fake *fake)
{
	memset(&fake->head, 0xa5, sizeof(fake->head));
	return true;
}

static bool empty(struct fake *fake)
{
	memset(&fake->head, 0, sizeof(fake->head));
	return true;
}

static bool other_version(struct fake *fake)
{
	fake->head.version++;
	return true;
}

static bool other_layout(struct fake *fake)
{
	fake->head.layout++;
	return true;
}

static bool other_window(struct fake *fake)
{
	fake->head.window_base += LEND_SLOT_BYTES;
	return true;
}

static bool other_identity(struct fake *fake)
{
	fake->head.identity.bytes[0]++;
	return true;
}

static bool name_without_end(struct fake *fake)
{
	memset(fake->head.name, 'x', sizeof(fake->head.name));
	return true;
}

static bool too_many_bytes(struct fake *fake)
{
	fake->head.data_bytes = UINT64_MAX & ~UINT64_C(4095);
	return true;
}

static bool odd_bytes(struct fake *fake)
{
	fake->head.data_bytes++;
	return true;
}

static bool run_of_three(struct fake *fake)
{
	fake->head.slot_count = 3;
	return true;
}

static bool run_of_two(struct fake *fake)
{
	fake->head.slot_count = 2;
	fake->head.slot &= ~1u;
	return true;
}

static bool slot_outside(struct fake *fake)
{
	fake->head.slot = UINT32_MAX;
	return true;
}

static bool slot_not_announced(struct fake *fake)
{
	fake->lend.lend.slot++;
	return true;
}

static bool bytes_not_announced(struct fake *fake)
{
	fake->lend.lend.data_bytes += 4096;
	return true;
}

static bool incarnation_not_announced(struct fake *fake)
{
	fake->lend.lend.incarnation++;
	return true;
}

static bool claim_of_another_slot(struct fake *fake)
{
	uint32_t slot = fake->slot + 1;
	int fd;

	while (lendi_slot_claim(slot, &fd))
		slot++;
	use_claim(fake, fd);
	return true;
}

static bool claim_is_no_socket(struct fake *fake)
{
	use_claim(fake, make_memfd(0));
	return true;
}

static bool claim_is_unbound(struct fake *fake)
{
	use_claim(fake, socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
	return true;
}

static bool claim_is_a_datagram_socket(struct fake *fake)
{
	use_claim(fake, socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
	return true;
}

/* A borrower holds the one socket that is the claim: nothing it does to it may spoil it. */
static bool claim_is_tampered_with(struct fake *fake)
{
	struct sockaddr_un name;
	socklen_t bytes = sizeof(name);

	return listen(fake->claim, 8) == 0 &&
	       getsockname(fake->claim, (struct sockaddr *)&name, &bytes) == 0 &&
	       connect(fake->claim, (const struct sockaddr *)&name, bytes) != 0;
}

/* A connection accepted from a claim bears its name, and does not keep it. */
static bool claim_is_a_connection(struct fake *fake)
{
	struct sockaddr_un name;
	socklen_t bytes = sizeof(name);
	int caller = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int accepted = -1;

	if (caller >= 0 && getsockname(fake->claim, (struct sockaddr *)&name, &bytes) == 0 &&
		connect(caller, (const struct sockaddr *)&name, bytes) == 0)
		accepted = accept4(fake->claim, NULL, NULL, SOCK_CLOEXEC);
	(void)close(caller);
	if (accepted < 0)
		return false;
	use_claim(fake, accepted);
	return true;
}

/* The identity, the place and even the claim of an arena that is mapped here; other memory. */
static bool impostor(struct fake *fake)
{
	use_claim(fake, fcntl(mine->claims[0], F_DUPFD_CLOEXEC, 0));
	fake->head.slot = fake->lend.lend.slot = mine->slot;
	fake->head.identity = fake->lend.lend.identity = mine->identity;
	return true;
}

/* No fake at all, but our own come back. */
static bool own_arena(struct fake *fake)
{
	(void)impostor(fake);
	use_data(fake, fcntl(mine->lend_fd, F_DUPFD_CLOEXEC, 0));
	return true;
}

static const struct {
	bool (*bend)(struct fake *fake);
	int err;
	const char *word;
} cases[] = {
	{good, 0, ""},
	{unsealed, -EUCLEAN, "seals"},
	{shrinkable, -EUCLEAN, "seals"},
	{still_sealable, -EUCLEAN, "seals"},
	{on_disk, -EUCLEAN, "not a memfd"},
	{hugetlb, -EUCLEAN, "not a memfd"},
	{pipe_as_data, -EUCLEAN, "not a memfd"},
	{too_short, -EUCLEAN, "less than its header"},
	{garbage, -EUCLEAN, "magic 0xa5a5"},
	{empty, -EUCLEAN, "magic 0x0"},
	{other_version, -EPROTO, "layout version"},
	{other_layout, -EPROTO, "hash"},
	{other_window, -EPROTO, "window"},
	{other_identity, -EUCLEAN, "identity"},
	{name_without_end, -EUCLEAN, "no end"},
	{too_many_bytes, -EUCLEAN, "bytes of data"},
	{odd_bytes, -EUCLEAN, "bytes of data"},
	{run_of_three, -EUCLEAN, "run of 3"},
	{run_of_two, -EUCLEAN, "1 claims for 2"},
	{slot_outside, -EPROTO, "slot 4294967295"},
	{slot_not_announced, -EUCLEAN, "not the announced"},
	{bytes_not_announced, -EUCLEAN, "not the announced"},
	{incarnation_not_announced, -EUCLEAN, "not the announced"},
	{claim_of_another_slot, -EUCLEAN, "another name"},
	{claim_is_no_socket, -EUCLEAN, "no socket"},
	{claim_is_unbound, -EUCLEAN, "does not listen"},
	{claim_is_a_datagram_socket, -EUCLEAN, "type 2"},
	{claim_is_a_connection, -EUCLEAN, "does not listen"},
	{claim_is_tampered_with, 0, ""},
	{impostor, -EUCLEAN, "bears the identity"},
	{own_arena, -EEXIST, "own"},
};

/* Send it; what the other side answers is left in *out_answer. */
static void lend_fake(struct hostile *meeting, struct fake *fake, uint64_t id,
	union lendi_message *out_answer)
{
	union lendi_message message;
	int fds[2] = {fake->data_fd, fake->claim};

	if (fake->file_bytes) {
		CU_ASSERT_EQUAL(ftruncate(fake->data_fd, fake->file_bytes), 0);
		CU_ASSERT_EQUAL(pwrite(fake->data_fd, &fake->head, sizeof(fake->head), 0),
			sizeof(fake->head));
	}
	if (fake->seals)
		CU_ASSERT_EQUAL(fcntl(fake->data_fd, F_ADD_SEALS, fake->seals), 0);
	fake->lend.lend.id = id;
	hostile_say(meeting, &fake->lend, 0);
	hostile_chunk(&message, LENDI_WIRE_FDS, id, 0, 2);
	CU_ASSERT_EQUAL(lendi_link_send(meeting->sock, &message, fds, 2), 0);
	hostile_chunk(&message, LENDI_WIRE_COMMIT, id, 0, 2);
	hostile_say(meeting, &message, 0);
	(void)close(fake->data_fd);
	(void)close(fake->claim);
	CU_ASSERT_EQUAL(lend_session_dispatch(meeting->session), 0);
	hostile_hear(meeting, LENDI_WIRE_ANSWER, out_answer);
	CU_ASSERT_EQUAL(out_answer->answer.id, id);
}

static void borrow_keeps_the_reason(struct hostile *meeting, int err, const char *word)
{
	const struct lend_arena *arena;

	CU_ASSERT_EQUAL(
		lend_session_borrow(meeting->session, "bait", meet_deadline(), &arena), err);
	CU_ASSERT_PTR_NOT_NULL(strstr(lend_error_detail(), word));
}

CLEAN_TEST(bad_arena_is_refused_alone_with_a_reason)
{
	const struct lend_arena *arena;
	union lendi_message answer;
	struct hostile meeting;
	struct leaks before;
	struct fake fake;
	int good_count = 0;
	uint64_t id = 0;
	size_t i;

	mine = meet_arena("mine");
	hostile_open(&meeting, NULL);
	for (i = 0; i < COUNT(cases); i++) {
		before = leaks_count();
		make_good(&fake);
		if (!cases[i].bend(&fake)) {
			printf("\nno such thing here: %s\n", cases[i].word);
			(void)close(fake.data_fd);
			(void)close(fake.claim);
			continue;
		}
		lend_fake(&meeting, &fake, ++id, &answer);
		CU_ASSERT_EQUAL(answer.answer.error, (uint32_t)-cases[i].err);
		if (!strstr(answer.answer.reason, cases[i].word))
			printf("\n%s: %s\n", cases[i].word, answer.answer.reason);
		CU_ASSERT_PTR_NOT_NULL(strstr(answer.answer.reason, cases[i].word));
		if (cases[i].err) {
			borrow_keeps_the_reason(&meeting, cases[i].err, cases[i].word);
		} else {
			good_count++;
			CU_ASSERT_EQUAL_FATAL(meeting.log.arena_count, good_count);
			arena = meeting.log.arenas[good_count - 1];
			CU_ASSERT_TRUE(lend_arena_is_fixed(arena));
			CU_ASSERT_STRING_EQUAL(lend_arena_name(arena), "fake");
			CU_ASSERT_EQUAL(lend_close(arena), 0);
		}
		CU_ASSERT_EQUAL(leaks_since(&before), 0);
	}
	CU_ASSERT_EQUAL(meeting.log.closed, 0);
	hostile_end(&meeting);
	CU_ASSERT_EQUAL(lend_arena_destroy(mine), 0);
}

CLEAN_TEST(occupied_place_refuses_the_arena_or_relocates_it)
{
	struct lend_session_options options = {.flags = 0};
	union lendi_message answer;
	struct hostile meeting;
	struct fake fake;
	void *place;
	int relocates;

	for (relocates = 0; relocates < 2; relocates++) {
		options.flags = relocates ? LEND_SESSION_MAY_RELOCATE : 0;
		hostile_open(&meeting, &options);
		make_good(&fake);
		place = mmap((void *)lendi_slot_at(lendi_window(), fake.slot), 4096, PROT_NONE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
		CU_ASSERT(place != MAP_FAILED);
		lend_fake(&meeting, &fake, 1, &answer);
		CU_ASSERT_EQUAL(answer.answer.error, relocates ? 0 : EADDRINUSE);
		CU_ASSERT_EQUAL(munmap(place, 4096), 0);
		CU_ASSERT_EQUAL(meeting.log.arena_count, relocates);
		if (relocates) {
			CU_ASSERT_FALSE(lend_arena_is_fixed(meeting.log.arenas[0]));
			CU_ASSERT_EQUAL(lend_close(meeting.log.arenas[0]), 0);
		}
		hostile_end(&meeting);
	}
}

CLEAN_TEST(arena_limit_counts_what_is_mapped_now)
{
	const struct lend_session_options limits = {.arena_count_max = 2};
	union lendi_message answer;
	struct hostile meeting;
	struct fake fake;
	uint64_t id;

	hostile_open(&meeting, &limits);
	for (id = 1; id <= 3; id++) {
		make_good(&fake);
		memset(&fake.head.identity, (int)id, sizeof(fake.head.identity));
		fake.lend.lend.identity = fake.head.identity;
		if (id == 3)
			CU_ASSERT_EQUAL(lend_close(meeting.log.arenas[0]), 0);
		lend_fake(&meeting, &fake, id, &answer);
		CU_ASSERT_EQUAL(answer.answer.error, 0);
	}
	hostile_announce(&answer, id, 1);
	hostile_say(&meeting, &answer, 0);
	CU_ASSERT_EQUAL(lend_session_dispatch(meeting.session), -EPROTO);
	CU_ASSERT_PTR_NOT_NULL(strstr(meeting.log.closed_reason, "3 arenas, at most 2"));
	hostile_end(&meeting);
	/* The end of the session unmaps nothing that was handed out. */
	CU_ASSERT_EQUAL(lend_close(meeting.log.arenas[1]), 0);
	CU_ASSERT_EQUAL(lend_close(meeting.log.arenas[2]), 0);
}

CLEAN_TEST(who_only_lends_takes_nothing)
{
	const struct lend_session_options options = {.flags = LEND_SESSION_LENDS_ONLY};
	union lendi_message answer;
	struct hostile meeting;
	struct fake fake;

	hostile_open(&meeting, &options);
	make_good(&fake);
	lend_fake(&meeting, &fake, 1, &answer);
	CU_ASSERT_EQUAL(answer.answer.error, EACCES);
	CU_ASSERT_EQUAL(lend_session_error(meeting.session), 0);
	hostile_end(&meeting);
}

static const struct suite_test tests[] = {
	SUITE_TEST(bad_arena_is_refused_alone_with_a_reason),
	SUITE_TEST(occupied_place_refuses_the_arena_or_relocates_it),
	SUITE_TEST(arena_limit_counts_what_is_mapped_now),
	SUITE_TEST(who_only_lends_takes_nothing),
};

SUITE_MAIN("bad arena", tests)
