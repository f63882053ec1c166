/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Attaching what another process offers: the arena forged here, one lie at a time. Each lie ends
 * in an error with its sentence, and the FDs stay whose they were.
 */
#include "support/suite.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stddef.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <lendheap/alloc.h>
#include <lendheap/ptr.h>

#include "os/os.h"
#include "support/child.h"
#include "support/leaks.h"
#include "support/offer.h"
#include "support/window.h"

enum { SLOT = 5, SLOTS = 16, FILE_BYTES = 4 << 20 };

/* A lie is told in one of these, which are true at first. */
struct forgery {
	struct lend_arena_shm head;
	uint64_t file_bytes;
	int seals;
	struct offer offer; /* identity and claims; data_fd when it is not -1 */
	bool may_relocate;
};

static bool detail_says(const char *part)
{
	return strstr(lend_error_detail(), part) != NULL;
}

static void forge(struct forgery *forgery)
{
	const struct lend_window window = lend_window_current();
	struct lend_arena_shm *head = &forgery->head;

	memset(forgery, 0, sizeof(*forgery));
	head->magic.raw = LENDI_ARENA_MAGIC;
	head->version = LENDI_LAYOUT_VERSION;
	head->slot = SLOT;
	head->slot_count = 1;
	head->layout = lendi_arena_layout();
	memset(&head->identity, 7, sizeof(head->identity));
	head->incarnation.raw = 1;
	head->window_base = window.base;
	head->data_bytes = LENDI_HEADER_BYTES + (UINT64_C(64) << 20);
	memcpy(head->name, "forged", 7);
	memcpy(head->domain, window.domain, sizeof(head->domain));
	forgery->file_bytes = FILE_BYTES;
	forgery->seals = F_SEAL_SHRINK | F_SEAL_SEAL;
	forgery->offer.identity = head->identity;
	forgery->offer.data_fd = -1;
	forgery->offer.claim_count = 1;
	CU_ASSERT_EQUAL_FATAL(lendi_slot_claim(SLOT, &forgery->offer.claims[0]), 0);
}

/* Write the file as described. */
static void make_file(struct forgery *forgery)
{
	uint64_t bytes = sizeof(forgery->head);
	int fd;

	CU_ASSERT_EQUAL_FATAL(lendi_memfd("forged", &fd), 0);
	if (bytes > forgery->file_bytes)
		bytes = forgery->file_bytes;
	CU_ASSERT_EQUAL(ftruncate(fd, (off_t)forgery->file_bytes), 0);
	CU_ASSERT_EQUAL(pwrite(fd, &forgery->head, bytes, 0), (ssize_t)bytes);
	if (forgery->seals)
		CU_ASSERT_EQUAL(fcntl(fd, F_ADD_SEALS, forgery->seals), 0);
	forgery->offer.data_fd = fd;
}

/* Attach the forgery; what it left in FDs is dropped. */
static int attach(struct forgery *forgery, const struct lend_arena **out_arena)
{
	if (forgery->offer.data_fd == -1)
		make_file(forgery);
	return offer_attach(&forgery->offer, forgery->may_relocate, out_arena);
}

static void refused(struct forgery *forgery, int wanted, const char *sentence)
{
	const struct lend_arena *arena = NULL;
	int err = attach(forgery, &arena);

	CU_ASSERT_EQUAL(err, wanted);
	CU_ASSERT_PTR_NULL(arena);
	CU_ASSERT_TRUE(detail_says(sentence));
	if (err != wanted || !detail_says(sentence))
		fprintf(stderr, "\nwanted %d \"...%s...\", got %d \"%s\"\n", wanted, sentence,
			err, lend_error_detail());
	if (err == 0)
		(void)lendi_arena_detach(arena);
}

CLEAN_TEST(attach_takes_an_offer_without_a_lie)
{
	const struct lend_arena *arena = NULL;
	struct forgery forgery;
	const void *object;
	const void *base;
	uint64_t bytes;

	forge(&forgery);
	CU_ASSERT_EQUAL_FATAL(attach(&forgery, &arena), 0);
	CU_ASSERT_STRING_EQUAL(lend_arena_name(arena), "forged");
	CU_ASSERT_EQUAL(lend_arena_is_owned(arena), 0);
	CU_ASSERT_EQUAL(lend_arena_is_fixed(arena), 1);
	CU_ASSERT_EQUAL(lend_arena_incarnation(arena), 1);
	CU_ASSERT_EQUAL(lend_arena_range(arena, &base, &bytes), 0);
	CU_ASSERT_EQUAL(bytes, FILE_BYTES);
	CU_ASSERT_PTR_EQUAL(lend_arena_of((const char *)base + 4096), arena);
	CU_ASSERT_EQUAL(lend_arena_owns((const char *)base + 4096), 0);
	CU_ASSERT_EQUAL(lend_root_get(arena, "a", LEND_TYPE(uint64_t, 1), &object), -ENOENT);
	CU_ASSERT_EQUAL(lend_arena_destroy((struct lend_arena *)(uintptr_t)arena), -EPERM);
	errno = 0;
	CU_ASSERT_PTR_NULL(lend_alloc((struct lend_arena *)(uintptr_t)arena, 1));
	CU_ASSERT_EQUAL(errno, EPERM);
	CU_ASSERT_EQUAL(lendi_arena_detach(arena), 0);
	CU_ASSERT_PTR_NULL(lend_arena_of((const char *)base + 4096));
	CU_ASSERT_EQUAL(lendi_arena_detach(arena), -ESTALE);
	CU_ASSERT_EQUAL(lend_arena_range(arena, &base, &bytes), -ESTALE);
}

CLEAN_TEST(attach_refuses_what_its_owner_could_shrink)
{
	static const int seals[] = {0, F_SEAL_SHRINK, F_SEAL_SEAL, F_SEAL_GROW | F_SEAL_SEAL,
		F_SEAL_GROW | F_SEAL_WRITE};
	struct forgery forgery;
	size_t i;

	for (i = 0; i < sizeof(seals) / sizeof(seals[0]); i++) {
		forge(&forgery);
		forgery.seals = seals[i];
		refused(&forgery, -EUCLEAN, "shrink");
	}
}

static void refused_fd(int fd, int wanted, const char *sentence)
{
	struct forgery forgery;

	if (fd < 0) {
		fprintf(stderr, "skip: one kind of FD: %s\n", strerror(errno));
		return;
	}
	forge(&forgery);
	forgery.offer.data_fd = fd;
	refused(&forgery, wanted, sentence);
}

CLEAN_TEST(attach_refuses_what_is_no_memfd)
{
	int ends[2];
	int fd;

	refused_fd(open("/proc/self/exe", O_RDONLY | O_CLOEXEC), -EUCLEAN, "lent");
	refused_fd(open("/proc/self/maps", O_RDONLY | O_CLOEXEC), -EUCLEAN, "not a memfd");
	refused_fd(open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC), -EUCLEAN, "not a memfd");
	refused_fd(open("/dev/zero", O_RDONLY | O_CLOEXEC), -EUCLEAN, "not a memfd");
	refused_fd(eventfd(0, EFD_CLOEXEC), -EUCLEAN, "not a memfd");
	refused_fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), -EUCLEAN, "not a memfd");
	CU_ASSERT_EQUAL_FATAL(pipe2(ends, O_CLOEXEC), 0);
	refused_fd(ends[0], -EUCLEAN, "not a memfd");
	(void)close(ends[1]);
	/* Sealed, but a page that the machine lacks is SIGBUS. */
	fd = memfd_create("huge", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_HUGETLB);
	if (fd >= 0)
		(void)fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_SEAL);
	refused_fd(fd, -EUCLEAN, "not a memfd");
}

CLEAN_TEST(attach_refuses_closed_and_unreadable_fds)
{
	struct forgery forgery;
	char path[64];
	int writable;
	int closed;

	forge(&forgery);
	closed = dup(0);
	(void)close(closed);
	forgery.offer.data_fd = closed;
	refused(&forgery, -EBADF, "lent FD");

	forge(&forgery);
	make_file(&forgery);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", forgery.offer.data_fd);
	writable = open(path, O_WRONLY | O_CLOEXEC);
	CU_ASSERT_TRUE_FATAL(writable >= 0);
	(void)close(forgery.offer.data_fd);
	forgery.offer.data_fd = writable;
	refused(&forgery, -EBADF, "header"); /* pread of what is open for writing only */
}

CLEAN_TEST(attach_refuses_files_shorter_than_their_header)
{
	const uint64_t sizes[] = {0, 1, 4095, 4096, 65536, LENDI_ROOTS_END - 1};
	struct forgery forgery;
	size_t i;

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		forge(&forgery);
		forgery.file_bytes = sizes[i];
		refused(&forgery, -EUCLEAN, "less than its header");
	}
}

CLEAN_TEST(attach_refuses_garbage_and_unfinished_headers)
{
	struct forgery forgery;

	forge(&forgery);
	memset(&forgery.head, 0, sizeof(forgery.head));
	refused(&forgery, -EUCLEAN, "magic 0x0");
	forge(&forgery);
	memset(&forgery.head, 0xff, sizeof(forgery.head));
	refused(&forgery, -EUCLEAN, "magic");
	forge(&forgery);
	forgery.head.magic.raw = LENDI_BOOKS_MAGIC;
	refused(&forgery, -EUCLEAN, "magic");
}

CLEAN_TEST(attach_refuses_another_identity_version_or_layout)
{
	struct forgery forgery;

	forge(&forgery);
	forgery.offer.identity.bytes[15]++;
	refused(&forgery, -EUCLEAN, "identity");
	forge(&forgery);
	forgery.head.version++;
	refused(&forgery, -EPROTO, "version 2");
	forge(&forgery);
	forgery.head.layout++;
	refused(&forgery, -EPROTO, "layout");
}

CLEAN_TEST(attach_refuses_places_outside_the_window)
{
	static const uint32_t runs[][2] = {
		{SLOT, 0}, {SLOT, 3}, {SLOT, 2}, {0, 2048}, {0, UINT32_MAX}, {UINT32_MAX, 2}};
	struct forgery forgery;
	size_t i;

	forge(&forgery);
	forgery.head.slot = SLOTS;
	refused(&forgery, -EPROTO, "slot 16");
	forge(&forgery);
	forgery.head.slot = UINT32_MAX;
	refused(&forgery, -EPROTO, "our window has 16");
	forge(&forgery);
	forgery.head.slot = 0;
	forgery.head.slot_count = 32;
	refused(&forgery, -EPROTO, "our window has 16");
	for (i = 0; i < sizeof(runs) / sizeof(runs[0]); i++) {
		forge(&forgery);
		forgery.head.slot = runs[i][0];
		forgery.head.slot_count = runs[i][1];
		refused(&forgery, -EUCLEAN, "run of");
	}
	forge(&forgery);
	forgery.head.window_base += LEND_SLOT_BYTES * 64;
	refused(&forgery, -EPROTO, "window at");
}

CLEAN_TEST(attach_refuses_sizes_that_cannot_be)
{
	const uint64_t sizes[] = {0, 4096, LENDI_HEADER_BYTES, LENDI_HEADER_BYTES + 1,
		LENDI_DATA_SLOT_BYTES + 4096, LEND_SLOT_BYTES, UINT64_MAX, UINT64_MAX - 4095};
	struct forgery forgery;
	size_t i;

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		forge(&forgery);
		forgery.head.data_bytes = sizes[i];
		refused(&forgery, -EUCLEAN, "bytes of data");
	}
	forge(&forgery);
	memset(forgery.head.name, 'x', sizeof(forgery.head.name));
	refused(&forgery, -EUCLEAN, "name");
}

CLEAN_TEST(attach_refuses_forged_claims)
{
	struct forgery forgery;
	int fd;

	forge(&forgery);
	fd = forgery.offer.claims[0];
	forgery.offer.claim_count = 0;
	refused(&forgery, -EUCLEAN, "0 claims for 1 slots");
	(void)close(fd);

	forge(&forgery);
	forgery.offer.claim_count = 2;
	CU_ASSERT_EQUAL(lendi_slot_claim(SLOT + 1, &forgery.offer.claims[1]), 0);
	refused(&forgery, -EUCLEAN, "2 claims for 1 slots");

	forge(&forgery);
	(void)close(forgery.offer.claims[0]);
	CU_ASSERT_EQUAL(lendi_slot_claim(SLOT + 1, &forgery.offer.claims[0]), 0);
	refused(&forgery, -EUCLEAN, "another name");

	forge(&forgery);
	(void)close(forgery.offer.claims[0]);
	forgery.offer.claims[0] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	refused(&forgery, -EUCLEAN, "does not listen");

	forge(&forgery);
	(void)close(forgery.offer.claims[0]);
	CU_ASSERT_EQUAL(lendi_memfd("claim", &forgery.offer.claims[0]), 0);
	refused(&forgery, -EUCLEAN, "no socket");
}

/* What lies where the arena should: an error, or another place for who may take one. */
CLEAN_TEST(attach_to_a_place_that_is_taken_relocates_or_fails)
{
	const struct lend_arena *arena = NULL;
	const struct lend_window window = lend_window_current();
	struct forgery forgery;
	const void *base;
	uint64_t bytes;
	void *foreign = mmap((void *)(lendi_slot_at(&window, SLOT) + 4096), 4096, PROT_NONE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

	CU_ASSERT_PTR_NOT_EQUAL_FATAL(foreign, MAP_FAILED);
	forge(&forgery);
	refused(&forgery, -EADDRINUSE, "0x"); /* valgrind takes the place as a hint */
	forge(&forgery);
	forgery.may_relocate = true;
	CU_ASSERT_EQUAL_FATAL(attach(&forgery, &arena), 0);
	CU_ASSERT_EQUAL(lend_arena_is_fixed(arena), 0);
	CU_ASSERT_EQUAL(lend_arena_range(arena, &base, &bytes), 0);
	CU_ASSERT_PTR_NOT_EQUAL(base, (void *)lendi_slot_at(&window, SLOT));
	CU_ASSERT_EQUAL(*(const uint64_t *)base, LENDI_ARENA_MAGIC);
	CU_ASSERT_EQUAL(lendi_arena_detach(arena), 0);
	(void)munmap(foreign, 4096);
}

CLEAN_TEST(attach_from_another_window_relocates_when_it_may)
{
	const struct lend_arena *arena = NULL;
	struct forgery forgery;
	const void *object;

	forge(&forgery);
	forgery.head.window_base += LEND_SLOT_BYTES * 64;
	forgery.head.slot = UINT32_MAX - 7; /* of a window we know nothing of */
	forgery.may_relocate = true;
	CU_ASSERT_EQUAL_FATAL(attach(&forgery, &arena), 0);
	CU_ASSERT_EQUAL(lend_arena_is_fixed(arena), 0);
	CU_ASSERT_EQUAL(lend_root_get(arena, "a", LEND_TYPE(uint64_t, 1), &object), -ENOENT);
	CU_ASSERT_EQUAL(lendi_arena_detach(arena), 0);
}

CLEAN_TEST(attach_twice_is_one_mapping_held_twice)
{
	const struct lend_arena *first = NULL;
	const struct lend_arena *second = NULL;
	struct forgery forgery;
	struct leaks once;

	forge(&forgery);
	make_file(&forgery);
	{
		struct offer copy = forgery.offer;

		copy.data_fd = fcntl(forgery.offer.data_fd, F_DUPFD_CLOEXEC, 0);
		copy.claims[0] = fcntl(forgery.offer.claims[0], F_DUPFD_CLOEXEC, 0);
		CU_ASSERT_EQUAL_FATAL(attach(&forgery, &first), 0);
		once = leaks_count();
		once.fds -= 2; /* the copy's, which the handle has no use for */
		CU_ASSERT_EQUAL_FATAL(offer_attach(&copy, false, &second), 0);
	}
	CU_ASSERT_PTR_EQUAL(first, second);
	CU_ASSERT_EQUAL(leaks_since(&once), 0);
	CU_ASSERT_EQUAL(lendi_arena_detach(first), 0);
	CU_ASSERT_EQUAL(lend_arena_is_fixed(second), 1);
	CU_ASSERT_EQUAL(lendi_arena_detach(second), 0);
	CU_ASSERT_EQUAL(lendi_arena_detach(second), -ESTALE);
}

CLEAN_TEST(attach_of_one_s_own_arena_is_refused)
{
	const struct lend_arena *borrowed = NULL;
	struct lend_arena *own;
	struct offer offer;

	CU_ASSERT_EQUAL_FATAL(lend_arena_create(NULL, &own), 0);
	offer_make(own, &offer);
	CU_ASSERT_EQUAL(offer_attach(&offer, false, &borrowed), -EEXIST);
	offer_make(own, &offer);
	CU_ASSERT_EQUAL(offer_attach(&offer, true, &borrowed), -EEXIST);
	CU_ASSERT_EQUAL(lendi_arena_detach(own), -EPERM);
	CU_ASSERT_EQUAL(lend_arena_destroy(own), 0);
}

/* A header with a few bytes changed: accepted or refused, but never more than that. */
CLEAN_TEST(attach_survives_headers_with_changed_bytes)
{
	uint64_t seed = UINT64_C(0x9e3779b97f4a7c15);
	unsigned accepted = 0;
	unsigned i;

	for (i = 0; i < 1500; i++) {
		const struct lend_arena *arena = NULL;
		struct forgery forgery;
		unsigned changes = i % 4 + 1;
		unsigned visits = 0;

		forge(&forgery);
		while (changes--) {
			seed ^= seed << 13;
			seed ^= seed >> 7;
			seed ^= seed << 17;
			((uint8_t *)&forgery.head)[(seed >> 32) % 168] = (uint8_t)(seed >> 8);
		}
		forgery.may_relocate = i % 2;
		forgery.offer.identity = forgery.head.identity;
		if (attach(&forgery, &arena) == 0) {
			const void *object;

			accepted++;
			visits +=
				lend_root_get(arena, "a", LEND_TYPE(uint64_t, 1), &object) == 0;
			(void)lendi_arena_detach(arena);
		}
		CU_ASSERT_EQUAL(visits, 0);
	}
	CU_ASSERT(accepted > 0 && accepted < i);
}

/*
 * Threads of one borrower that attach and let go of the same arena at the same time: each time it
 * is there, at its place.
 */
struct sharer {
	pthread_t thread;
	const struct offer *offer;
	unsigned failed;
	bool may_relocate;
};

static void *attach_and_detach(void *argument)
{
	struct sharer *sharer = argument;
	int i;

	for (i = 0; i < 300; i++) {
		struct offer copy = *sharer->offer;
		const struct lend_arena *arena;

		copy.data_fd = fcntl(copy.data_fd, F_DUPFD_CLOEXEC, 0);
		copy.claims[0] = fcntl(copy.claims[0], F_DUPFD_CLOEXEC, 0);
		if (offer_attach(&copy, sharer->may_relocate, &arena)) {
			sharer->failed++;
			continue;
		}
		sharer->failed += !lend_arena_is_fixed(arena);
		(void)sched_yield();
		sharer->failed += lendi_arena_detach(arena) != 0;
	}
	return NULL;
}

/* Mapped, and for a while not yet entered: so that the others come in between. */
static void *map_slowly(void *at, size_t bytes, int prot, int flags, int fd, off_t offset)
{
	void *got = mmap(at, bytes, prot, flags, fd, offset);
	int kept = errno;
	int i;

	for (i = 0; i < 10; i++)
		(void)sched_yield();
	errno = kept;
	return got;
}

static void share_between_threads(bool may_relocate)
{
	struct sharer sharers[4];
	struct forgery forgery;
	int i;

	forge(&forgery);
	make_file(&forgery);
	lendi_os.mmap = map_slowly;
	for (i = 0; i < 4; i++) {
		sharers[i].offer = &forgery.offer;
		sharers[i].failed = 0;
		sharers[i].may_relocate = may_relocate;
		CU_ASSERT_EQUAL_FATAL(pthread_create(&sharers[i].thread, NULL,
					      attach_and_detach, &sharers[i]),
			0);
	}
	for (i = 0; i < 4; i++) {
		(void)pthread_join(sharers[i].thread, NULL);
		CU_ASSERT_EQUAL(sharers[i].failed, 0);
	}
	lendi_os.mmap = mmap;
	offer_drop(&forgery.offer);
}

CLEAN_TEST(attach_in_several_threads_finds_the_place_free_or_held)
{
	share_between_threads(false);
}

CLEAN_TEST(attach_in_several_threads_relocates_none)
{
	share_between_threads(true);
}

/* A list of self-relative pointers, its end named by a reference. */
struct knot {
	LEND_PTR(struct knot) next;
	uint64_t number;
};

struct rope {
	LEND_PTR(struct knot) first;
	lend_ref third;
};

enum { KNOTS = 1000 };

/* Run anew, with the window elsewhere. */
static int visit_relocated(int sock)
{
	struct lend_window window = lend_window_current();
	const struct lend_arena *arena;
	const struct rope *rope = NULL;
	const struct knot *knot;
	const void *third;
	struct lendi_offer offer = {0};
	struct offer got;
	uint64_t count = 0;

	window.base += 16 * LEND_SLOT_BYTES;
	window.slot_count = 8;
	CHILD_CHECK(lend_window_configure(&window) == 0);
	CHILD_CHECK(offer_receive(sock, &got));
	offer.identity = got.identity;
	offer.data_fd = got.data_fd;
	offer.claims = got.claims;
	offer.claim_count = got.claim_count;
	CHILD_CHECK(lendi_arena_attach(&offer, &arena) == -EPROTO);
	CHILD_CHECK(detail_says("window at"));
	CHILD_CHECK(offer_attach(&got, true, &arena) == 0);
	CHILD_CHECK(lend_arena_is_fixed(arena) == 0);
	CHILD_CHECK(lend_arena_is_owned(arena) == 0);
	CHILD_CHECK(strcmp(lend_arena_name(arena), "rope") == 0);
	CHILD_CHECK(lend_root_get(arena, "rope", LEND_TYPE(struct rope, 1),
			    (const void **)&rope) == 0);
	CHILD_CHECK(lend_arena_of(rope) == NULL); /* not at the window */
	for (knot = lend_ptr_get(&rope->first); knot; knot = lend_ptr_get(&knot->next))
		CHILD_CHECK(knot->number == count++);
	CHILD_CHECK(count == KNOTS);
	CHILD_CHECK(lend_ref_resolve(arena, rope->third, sizeof(*knot), &third) == 0);
	CHILD_CHECK(((const struct knot *)third)->number == 2);
	CHILD_CHECK(lendi_arena_detach(arena) == 0);
	return 0;
}

static int exec_visitor(int parent, void *argument)
{
	char program[4096];
	char fd_text[16];
	ssize_t bytes;

	(void)argument;
	(void)snprintf(fd_text, sizeof(fd_text), "%d", parent);
	/* The link's target: the link itself is valgrind's where that runs us. */
	bytes = readlink("/proc/self/exe", program, sizeof(program) - 1);
	if (bytes < 0 || fcntl(parent, F_SETFD, 0))
		return CHILD_FAILED;
	program[bytes] = 0;
	(void)execl(program, "visitor", "--relocated", fd_text, (char *)NULL);
	return CHILD_FAILED;
}

CLEAN_TEST(attach_in_a_process_with_another_window_reads_offsets)
{
	struct lend_arena_options options = {.name = "rope"};
	struct child child = child_start(exec_visitor, NULL);
	struct lend_arena *arena;
	struct rope *rope;
	struct knot *last = NULL;
	unsigned i;

	CU_ASSERT_EQUAL_FATAL(lend_arena_create(&options, &arena), 0);
	rope = lend_alloc_zeroed(arena, sizeof(*rope));
	CU_ASSERT_PTR_NOT_NULL_FATAL(rope);
	for (i = 0; i < KNOTS; i++) {
		struct knot *knot = lend_alloc_zeroed(arena, sizeof(*knot));

		knot->number = i;
		lend_ptr_set(&knot->next, NULL);
		if (last)
			lend_ptr_set(&last->next, knot);
		else
			lend_ptr_set(&rope->first, knot);
		if (i == 2)
			CU_ASSERT_EQUAL(lend_ref_make(arena, knot, &rope->third), 0);
		last = knot;
	}
	CU_ASSERT_EQUAL(lend_root_set(arena, "rope", LEND_TYPE(struct rope, 1), rope), 0);
	CU_ASSERT_TRUE(offer_send_arena(child.sock, arena));
	CU_ASSERT_EQUAL(child_end(&child), 0);
	CU_ASSERT_EQUAL(lend_arena_destroy(arena), 0);
}

int main(int argc, char **argv)
{
	static const struct suite_test tests[] = {
		SUITE_TEST(attach_takes_an_offer_without_a_lie),
		SUITE_TEST(attach_refuses_what_its_owner_could_shrink),
		SUITE_TEST(attach_refuses_what_is_no_memfd),
		SUITE_TEST(attach_refuses_closed_and_unreadable_fds),
		SUITE_TEST(attach_refuses_files_shorter_than_their_header),
		SUITE_TEST(attach_refuses_garbage_and_unfinished_headers),
		SUITE_TEST(attach_refuses_another_identity_version_or_layout),
		SUITE_TEST(attach_refuses_places_outside_the_window),
		SUITE_TEST(attach_refuses_sizes_that_cannot_be),
		SUITE_TEST(attach_refuses_forged_claims),
		SUITE_TEST(attach_to_a_place_that_is_taken_relocates_or_fails),
		SUITE_TEST(attach_from_another_window_relocates_when_it_may),
		SUITE_TEST(attach_twice_is_one_mapping_held_twice),
		SUITE_TEST(attach_of_one_s_own_arena_is_refused),
		SUITE_TEST(attach_survives_headers_with_changed_bytes),
		SUITE_TEST(attach_in_several_threads_finds_the_place_free_or_held),
		SUITE_TEST(attach_in_several_threads_relocates_none),
		SUITE_TEST(attach_in_a_process_with_another_window_reads_offsets),
	};
	struct lend_window window = window_small(SLOTS, getpid());

	if (argc == 3 && !strcmp(argv[1], "--relocated"))
		return visit_relocated(atoi(argv[2]));
	/* A domain of its own: the slots this test claims are free in it. */
	if (lend_window_configure(&window))
		return EXIT_FAILURE;
	return suite_run("attach", tests, sizeof(tests) / sizeof(tests[0]), argc, argv);
}
