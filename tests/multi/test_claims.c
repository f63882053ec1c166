/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Several processes and one window: races for slots, small windows used up or occupied. The parent
 * uses no window, so that each test's children can have one of their own.
 */
#include "support/suite.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>

#include <lendheap/alloc.h>

#include "support/child.h"
#include "support/leaks.h"
#include "support/offer.h"
#include "support/window.h"

enum {
	RIVALS = 8,
	ROUNDS = 25,
	SLOTS = 4,
};

/* What rivals share: who holds a slot, counted by the holders themselves. */
struct board {
	lend_word32 holders[SLOTS];
	lend_word32 doubles;
	lend_word32 won;
	lend_word32 go; /* the round all are in */
	lend_word32 done;
};

struct job {
	struct board *board;
	struct lend_window window;
};

static uint32_t add(lend_word32 *word, uint32_t number)
{
	return __atomic_add_fetch(&word->raw, number, __ATOMIC_ACQ_REL);
}

static struct board *make_board(void)
{
	void *at = mmap(NULL, sizeof(struct board), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return at == MAP_FAILED ? NULL : at;
}

static void start_round_together(struct board *board, uint32_t round)
{
	(void)add(&board->done, 1);
	while (lend_load_acquire32(&board->done) < RIVALS * round)
		(void)sched_yield();
}

/* Claim whatever is free of the four slots, keep it for a moment, let go; all rivals at once. */
static int race_for_slots(int parent, void *argument)
{
	struct job *job = argument;
	struct board *board = job->board;
	uint32_t round;
	uint32_t slot;
	int fd;

	(void)parent;
	CHILD_CHECK(lend_window_configure(&job->window) == 0);
	for (round = 1; round <= ROUNDS; round++) {
		start_round_together(board, round);
		for (slot = 0; slot < SLOTS; slot++) {
			int err = lendi_slot_claim(slot, &fd);

			if (err) {
				CHILD_CHECK(err == -EADDRINUSE);
				continue;
			}
			if (add(&board->holders[slot], 1) != 1)
				(void)add(&board->doubles, 1);
			(void)add(&board->won, 1);
			(void)sched_yield();
			(void)add(&board->holders[slot], (uint32_t)-1);
			(void)close(fd);
		}
	}
	return 0;
}

/* Create and destroy arenas where there is one slot for two: each gets it or a clean error. */
static int race_for_arena(int parent, void *argument)
{
	struct job *job = argument;
	struct board *board = job->board;
	struct lend_arena *arena;
	struct leaks before;
	uint32_t round;

	(void)parent;
	CHILD_CHECK(lend_window_configure(&job->window) == 0);
	before = leaks_count();
	for (round = 1; round <= ROUNDS; round++) {
		uint32_t slot;
		int err;

		start_round_together(board, round);
		err = lend_arena_create(NULL, &arena);
		if (err) {
			CHILD_CHECK(err == -EADDRINUSE);
			CHILD_CHECK(strstr(lend_error_detail(), "is free"));
			continue;
		}
		slot = arena->slot;
		if (add(&board->holders[slot], 1) != 1)
			(void)add(&board->doubles, 1);
		(void)add(&board->won, 1);
		CHILD_CHECK(lend_alloc(arena, 64));
		(void)add(&board->holders[slot], (uint32_t)-1);
		CHILD_CHECK(lend_arena_destroy(arena) == 0);
	}
	CHILD_CHECK(leaks_since(&before) == 0);
	return 0;
}

static void race(int (*run)(int parent, void *argument), uint32_t slots)
{
	struct board *board = make_board();
	struct child rivals[RIVALS];
	struct job job = {board, window_small(slots, getpid())};
	int i;

	CU_ASSERT_PTR_NOT_NULL_FATAL(board);
	for (i = 0; i < RIVALS; i++)
		rivals[i] = child_start(run, &job);
	for (i = 0; i < RIVALS; i++)
		CU_ASSERT_EQUAL(child_end(&rivals[i]), 0);
	CU_ASSERT_EQUAL(lend_load_relaxed32(&board->doubles), 0);
	CU_ASSERT(lend_load_relaxed32(&board->won) >= ROUNDS);
	(void)munmap(board, sizeof(*board));
}

CLEAN_TEST(claims_racing_for_slots_never_double)
{
	race(race_for_slots, SLOTS);
}

CLEAN_TEST(claims_owners_racing_for_one_slot_never_double)
{
	race(race_for_arena, 1);
}

CLEAN_TEST(claims_owners_racing_for_few_slots_never_double)
{
	race(race_for_arena, SLOTS);
}

static int use_up(int parent, void *argument)
{
	struct lend_window window = window_small(SLOTS, getpid());
	struct lend_arena_options two_slots = {.reservation_bytes = LEND_SLOT_BYTES};
	struct lend_arena_options eight_slots = {.reservation_bytes = 5 * LEND_SLOT_BYTES};
	struct lend_arena *arenas[SLOTS];
	struct lend_arena *more = NULL;
	struct leaks empty;
	struct leaks full;
	int i;

	(void)parent, (void)argument;
	CHILD_CHECK(lend_window_configure(&window) == 0);
	empty = leaks_count();
	for (i = 0; i < SLOTS; i++)
		CHILD_CHECK(lend_arena_create(NULL, &arenas[i]) == 0);
	full = leaks_count();
	CHILD_CHECK(lend_arena_create(NULL, &more) == -EADDRINUSE);
	CHILD_CHECK(strstr(lend_error_detail(), "none of 4 runs of 1 slots is free"));
	CHILD_CHECK(lend_arena_create(&two_slots, &more) == -EADDRINUSE);
	CHILD_CHECK(lend_arena_create(&eight_slots, &more) == -EINVAL);
	CHILD_CHECK(more == NULL && leaks_since(&full) == 0);

	/* One slot is no place for two; two neighbours that are no aligned pair are none either. */
	for (i = 0; i < SLOTS; i++)
		if (arenas[i]->slot == 1 || arenas[i]->slot == 2)
			CHILD_CHECK(lend_arena_destroy(arenas[i]) == 0);
	CHILD_CHECK(lend_arena_create(&two_slots, &more) == -EADDRINUSE);
	CHILD_CHECK(strstr(lend_error_detail(), "none of 2 runs of 2 slots is free"));
	for (i = 0; i < SLOTS; i++)
		if (lend_arena_is_owned(arenas[i]) && arenas[i]->slot == 3)
			CHILD_CHECK(lend_arena_destroy(arenas[i]) == 0);
	CHILD_CHECK(lend_arena_create(&two_slots, &more) == 0);
	CHILD_CHECK(more->slot == 2 && more->slot_count == 2);
	CHILD_CHECK(lend_arena_of((char *)more->base + LEND_SLOT_BYTES) == more);
	CHILD_CHECK(lend_arena_destroy(more) == 0);
	CHILD_CHECK(lend_arena_create(NULL, &more) == 0);
	CHILD_CHECK(lend_arena_destroy(more) == 0);
	for (i = 0; i < SLOTS; i++)
		if (lend_arena_is_owned(arenas[i]))
			CHILD_CHECK(lend_arena_destroy(arenas[i]) == 0);
	CHILD_CHECK(leaks_since(&empty) == 0);
	return 0;
}

CLEAN_TEST(claims_window_used_up_is_a_clear_error)
{
	CU_ASSERT_EQUAL(child_run(use_up, NULL), 0);
}

static void *occupy(uintptr_t at)
{
	return mmap((void *)at, 4096, PROT_NONE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
}

/* Foreign mappings in each part of a run: data, books, page map. The one free slot is found. */
static int avoid_foreign(int parent, void *argument)
{
	struct lend_window window = window_small(SLOTS, getpid());
	struct lend_arena *arena = NULL;
	struct leaks before;
	void *in_books;
	void *in_data;
	void *in_leaf;
	void *last;
	int i;

	(void)parent, (void)argument;
	CHILD_CHECK(lend_window_configure(&window) == 0);
	in_data = occupy(window.base + 12345 * 4096);
	in_books = occupy(lendi_slot_at(&window, 1) + LENDI_DATA_SLOT_BYTES + 4096);
	in_leaf = occupy(lendi_leaf_at(&window, 2) + 4096);
	CHILD_CHECK(in_data != MAP_FAILED && in_books != MAP_FAILED && in_leaf != MAP_FAILED);
	before = leaks_count();
	for (i = 0; i < 8; i++) {
		CHILD_CHECK(lend_arena_create(NULL, &arena) == 0);
		CHILD_CHECK(arena->slot == 3);
		CHILD_CHECK(lend_alloc(arena, 100));
		CHILD_CHECK(lend_arena_destroy(arena) == 0);
	}
	CHILD_CHECK(leaks_since(&before) == 0);

	last = occupy(lendi_slot_at(&window, 3));
	CHILD_CHECK(last != MAP_FAILED);
	before = leaks_count();
	arena = NULL;
	CHILD_CHECK(lend_arena_create(NULL, &arena) == -EADDRINUSE);
	CHILD_CHECK(strstr(lend_error_detail(), "none of 4 runs"));
	CHILD_CHECK(arena == NULL && leaks_since(&before) == 0);

	/* No claim was left behind on the way. */
	CHILD_CHECK(munmap(in_data, 4096) == 0 && munmap(in_books, 4096) == 0);
	CHILD_CHECK(munmap(in_leaf, 4096) == 0 && munmap(last, 4096) == 0);
	for (i = 0; i < SLOTS; i++) {
		int fd;

		CHILD_CHECK(lendi_slot_claim((uint32_t)i, &fd) == 0);
		(void)close(fd);
	}
	return 0;
}

CLEAN_TEST(claims_occupied_slots_are_skipped)
{
	CU_ASSERT_EQUAL(child_run(avoid_foreign, NULL), 0);
}

/* An arena in the only slot, held by whoever has its claim. */
static int own_only_slot(int parent, void *argument)
{
	struct job *job = argument;
	struct lend_arena *arena;

	CHILD_CHECK(lend_window_configure(&job->window) == 0);
	CHILD_CHECK(lend_arena_create(NULL, &arena) == 0);
	CHILD_CHECK(offer_send_arena(parent, arena));
	(void)child_await(parent);
	return 0;
}

static int find_taken(int parent, void *argument)
{
	struct job *job = argument;
	struct lend_arena *arena;

	(void)parent;
	CHILD_CHECK(lend_window_configure(&job->window) == 0);
	CHILD_CHECK(lend_arena_create(NULL, &arena) == -EADDRINUSE);
	return 0;
}

static int find_free(int parent, void *argument)
{
	struct job *job = argument;
	struct lend_arena *arena;

	(void)parent;
	CHILD_CHECK(lend_window_configure(&job->window) == 0);
	CHILD_CHECK(lend_arena_create(NULL, &arena) == 0);
	CHILD_CHECK(lend_arena_destroy(arena) == 0);
	return 0;
}

/* The parent stands for a borrower: it keeps the FDs, not a mapping. */
CLEAN_TEST(claims_travel_and_free_the_slot_with_their_last_holder)
{
	struct job job = {NULL, window_small(1, getpid())};
	struct child owner = child_start(own_only_slot, &job);
	struct offer offer;

	CU_ASSERT_TRUE_FATAL(offer_receive(owner.sock, &offer));
	CU_ASSERT_EQUAL(child_run(find_taken, &job), 0);
	child_kill(&owner);
	/* The owner is dead; the claim it sent keeps the slot. */
	CU_ASSERT_EQUAL(child_run(find_taken, &job), 0);
	offer_drop(&offer);
	CU_ASSERT_EQUAL(child_run(find_free, &job), 0);
}

/* In flight, in the queue of a socket, it has a holder too. */
CLEAN_TEST(claims_in_flight_keep_the_slot)
{
	struct job job = {NULL, window_small(1, getpid())};
	struct child owner = child_start(own_only_slot, &job);
	struct offer offer;
	int flight[2];

	CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, flight), 0);
	CU_ASSERT_TRUE_FATAL(offer_receive(owner.sock, &offer));
	CU_ASSERT_TRUE(offer_send(flight[0], &offer));
	offer_drop(&offer);
	child_kill(&owner);
	CU_ASSERT_EQUAL(child_run(find_taken, &job), 0);
	(void)close(flight[0]);
	(void)close(flight[1]);
	CU_ASSERT_EQUAL(child_run(find_free, &job), 0);
}

/* Another domain has its own names; there the mapping is what is not free. */
static int live_beside(int parent, void *argument)
{
	struct job *job = argument;
	struct lend_arena *arena;

	(void)parent;
	(void)snprintf(job->window.domain, sizeof(job->window.domain), "other-%d", getpid());
	CHILD_CHECK(lend_window_configure(&job->window) == 0);
	CHILD_CHECK(lend_arena_create(NULL, &arena) == 0);
	CHILD_CHECK(lend_arena_destroy(arena) == 0);
	return 0;
}

CLEAN_TEST(claims_of_two_domains_do_not_meet)
{
	struct job job = {NULL, window_small(1, getpid())};
	struct child owner = child_start(own_only_slot, &job);
	struct offer offer;

	CU_ASSERT_TRUE_FATAL(offer_receive(owner.sock, &offer));
	CU_ASSERT_EQUAL(child_run(live_beside, &job), 0);
	offer_drop(&offer);
	child_kill(&owner);
}

static const struct suite_test tests[] = {
	SUITE_TEST(claims_racing_for_slots_never_double),
	SUITE_TEST(claims_owners_racing_for_one_slot_never_double),
	SUITE_TEST(claims_owners_racing_for_few_slots_never_double),
	SUITE_TEST(claims_window_used_up_is_a_clear_error),
	SUITE_TEST(claims_occupied_slots_are_skipped),
	SUITE_TEST(claims_travel_and_free_the_slot_with_their_last_holder),
	SUITE_TEST(claims_in_flight_keep_the_slot),
	SUITE_TEST(claims_of_two_domains_do_not_meet),
};

SUITE_MAIN("claims", tests)
