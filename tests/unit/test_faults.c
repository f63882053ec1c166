/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every system call failing in turn: the first, the second and so on until a life of an arena
 * needs no more of them. Each time the life succeeds or ends in a sentence, nothing is left
 * behind, and the next life is as if nothing had been. Each in a fresh child, so that what is made
 * once in a process fails too.
 */
#include "support/suite.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include <lendheap/alloc.h>

#include "support/child.h"
#include "support/fault.h"
#include "support/heap.h"
#include "support/leaks.h"
#include "support/offer.h"
#include "support/tools.h"

#define MIB ((size_t)1 << 20)

enum { CALLS_MAX = 400, NO_MORE = 3 };

/* Thousands of them are made here. */
#define SMALL .reservation_bytes = 64 * MIB

struct plan {
	void (*live)(const struct plan *plan);
	struct lend_arena_options options;
	const struct offer *offer;
	int call;
	unsigned nth;
	int err;
	bool on; /* all later ones of the kind too */
};

/* What was said about a failure must be said anew. */
static void forget(void)
{
	(void)lendi_fail(0, "%s", "");
	errno = 0;
}

static void *alloc_or_reason(struct lend_arena *arena, size_t bytes)
{
	void *object;

	forget();
	object = lend_alloc(arena, bytes);
	if (!object) {
		CHILD_CHECK(errno == ENOMEM || errno == EPERM);
		CHILD_CHECK(*lend_error_detail());
	} else {
		memset(object, 0x5a, bytes < 8192 ? bytes : 8192);
	}
	return object;
}

static int alloc_as_child(int parent, void *argument)
{
	struct lend_arena *arena = argument;

	(void)parent;
	CHILD_CHECK(!lend_arena_is_owned(arena));
	errno = 0;
	CHILD_CHECK(lend_alloc(arena, 100) == NULL);
	CHILD_CHECK(errno == EPERM);
	return 0;
}

/* The life of an owner's arena. */
static void live_as_owner(const struct plan *plan)
{
	const struct lend_type type = {"int", 4, 4, 1};
	struct lend_arena_stats stats = {0};
	struct lend_arena *arena = NULL;
	const void *found;
	void *objects[3];
	void *small;
	int err;
	int i;

	forget();
	err = lend_arena_create(&plan->options, &arena);
	if (err) {
		CHILD_CHECK(err < 0 && arena == NULL);
		CHILD_CHECK(*lend_error_detail());
		return;
	}
	small = alloc_or_reason(arena, 100);
	if (small) {
		CHILD_CHECK(lend_root_set(arena, "a", type, small) == 0);
		CHILD_CHECK(lend_root_get(arena, "a", type, &found) == 0 && found == small);
	}
	for (i = 0; i < 3; i++)
		objects[i] = alloc_or_reason(arena, 2 * MIB);
	/* What a child may not do it may not, whatever failed when the library started. */
	if (plan->nth)
		CHILD_CHECK(child_run(alloc_as_child, arena) == 0);
	for (i = 0; i < 3; i++)
		lend_free(arena, objects[i]);
	lend_free(arena, alloc_or_reason(arena, 40000));
	lend_free(arena, small);
	CHILD_CHECK(lend_arena_purge(arena) == 0);
	CHILD_CHECK(lend_arena_stats(arena, &stats) == 0);
	CHILD_CHECK(stats.live_count == 0);
	CHILD_CHECK(lend_arena_destroy(arena) == 0);
}

/* A borrower's: attach, read, look how far it reaches, let go. */
static void borrow(const struct plan *plan, bool may_relocate)
{
	struct offer copy = *plan->offer;
	const struct lend_arena *arena = NULL;
	const void *object = NULL;
	const void *base;
	uint64_t bytes;
	uint32_t i;
	int err;

	copy.data_fd = dup(copy.data_fd);
	for (i = 0; i < copy.claim_count; i++)
		copy.claims[i] = dup(copy.claims[i]);
	forget();
	err = offer_attach(&copy, may_relocate, &arena);
	if (err) {
		CHILD_CHECK(err < 0 && arena == NULL);
		CHILD_CHECK(*lend_error_detail());
		return;
	}
	forget();
	err = lend_root_get(arena, "a", LEND_TYPE(uint64_t, 1), &object);
	if (err == 0)
		CHILD_CHECK(*(const uint64_t *)object == 42);
	else
		CHILD_CHECK(*lend_error_detail());
	forget();
	if (lend_arena_range(arena, &base, &bytes))
		CHILD_CHECK(*lend_error_detail());
	CHILD_CHECK(lendi_arena_detach(arena) == 0);
}

static void live_as_borrower(const struct plan *plan)
{
	borrow(plan, plan->nth % 2);
}

/* The same where something else lies in the arena's place. All mappings are counted. */
static void live_as_relocated(const struct plan *plan)
{
	struct lend_arena_shm head;
	size_t mappings;
	void *foreign;

	CHILD_CHECK(pread(plan->offer->data_fd, &head, sizeof(head), 0) == sizeof(head));
	foreign = mmap((void *)lendi_slot_at(lendi_window(), head.slot), 4096, PROT_NONE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	CHILD_CHECK(foreign != MAP_FAILED);
	mappings = heap_mapping_count();
	borrow(plan, true);
	/* TSan maps a shadow of what is mapped for the first time, and keeps it. */
	CHILD_CHECK(UNDER_TSAN || heap_mapping_count() == mappings);
	(void)munmap(foreign, 4096);
}

static int live_with_fault(int parent, void *argument)
{
	const struct plan *plan = argument;
	struct leaks before = leaks_count();
	struct plan healthy = *plan;
	const char *struck;
	unsigned calls;

	(void)parent;
	fault_install();
	if (plan->on)
		fault_plan_from(plan->call, plan->nth, plan->err);
	else
		fault_plan(plan->call, plan->nth, plan->err);
	plan->live(plan);
	struck = fault_struck();
	calls = fault_calls(plan->call);
	fault_plan(FAULT_ANY, 0, 0);
	if (leaks_since(&before)) {
		fprintf(stderr, "\nafter call %u, %s, failed with %s\n", plan->nth,
			struck ? struck : "none", strerror(plan->err));
		return CHILD_FAILED;
	}

	/* And then as if nothing had been; what failed once is not remembered. */
	healthy.nth = 0;
	forget();
	plan->live(&healthy);
	CHILD_CHECK(!*lend_error_detail());
	CHILD_CHECK(leaks_since(&before) == 0);
	return calls < plan->nth ? NO_MORE : 0;
}

/* Fail the first, the second ... call until there is none to fail. Returns how many there were. */
static unsigned fail_in_turn(struct plan plan)
{
	for (plan.nth = 1; plan.nth < CALLS_MAX; plan.nth++) {
		int how = child_run(live_with_fault, &plan);

		if (how == NO_MORE)
			break;
		CU_ASSERT_EQUAL(how, 0);
		if (how) {
			fprintf(stderr, "\ncall %u failing with %s ended in %d\n", plan.nth,
				strerror(plan.err), how);
			break;
		}
	}
	CU_ASSERT(plan.nth < CALLS_MAX);
	return plan.nth - 1;
}

/* Under valgrind a fork takes half a second: there the plain arena stands for its variants. */
static bool is_too_slow(void)
{
	if (under_valgrind())
		fprintf(stderr, "skip: hundreds of forks under valgrind\n");
	return under_valgrind();
}

/* Backing up front is slow: fewer errors there, and under tools. */
static void fail_with_each(struct plan plan, unsigned calls_min)
{
	static const int errors[] = {ENOMEM, ENOSPC, EMFILE, EPERM, EINTR, EINVAL};
	size_t count = sizeof(errors) / sizeof(errors[0]);
	size_t i;

	if (plan.options.commit == LEND_COMMIT_UP_FRONT || plan.options.directory)
		count = 2;
	if (under_slow_tool())
		count = 1;

	for (i = 0; i < count; i++) {
		plan.call = FAULT_ANY;
		plan.err = errors[i];
		CU_ASSERT(fail_in_turn(plan) >= calls_min);
	}
}

CLEAN_TEST(faults_of_any_call_leave_nothing_of_an_arena)
{
	struct plan plan = {.live = live_as_owner, .options = {SMALL}};

	fail_with_each(plan, 30);
}

CLEAN_TEST(faults_of_any_call_leave_nothing_of_an_arena_backed_up_front)
{
	struct plan plan = {
		.live = live_as_owner, .options = {SMALL, .commit = LEND_COMMIT_UP_FRONT}};

	if (is_too_slow())
		return;
	fail_with_each(plan, 30);
}

static int try_options(int parent, void *argument)
{
	struct lend_arena *arena;

	(void)parent;
	if (lend_arena_create(argument, &arena) == 0)
		return 0;
	fprintf(stderr, "skip: /dev/shm: %s\n", lend_error_detail());
	return CHILD_SKIPPED;
}

CLEAN_TEST(faults_of_any_call_leave_nothing_of_an_arena_in_a_directory)
{
	struct plan plan = {.live = live_as_owner,
		.options = {SMALL, .backing = LEND_BACKING_DIRECTORY, .directory = "/dev/shm"}};

	if (is_too_slow() || child_run(try_options, &plan.options) == CHILD_SKIPPED)
		return;
	fail_with_each(plan, 30);
}

CLEAN_TEST(faults_of_any_call_leave_nothing_of_an_arena_of_two_slots)
{
	struct plan plan = {.live = live_as_owner,
		.options = {.reservation_bytes = LEND_SLOT_BYTES},
		.call = FAULT_ANY,
		.err = ENOMEM};

	if (!is_too_slow())
		CU_ASSERT_TRUE(fail_in_turn(plan) >= 30);
}

static int own_for_faults(int parent, void *argument)
{
	struct lend_arena *arena;
	uint64_t *object;

	(void)argument;
	CHILD_CHECK(lend_arena_create(NULL, &arena) == 0);
	object = lend_alloc(arena, sizeof(*object));
	CHILD_CHECK(object);
	*object = 42;
	CHILD_CHECK(lend_root_set(arena, "a", LEND_TYPE(uint64_t, 1), object) == 0);
	CHILD_CHECK(offer_send_arena(parent, arena));
	(void)child_await(parent);
	return 0;
}

static void fail_borrowing(void (*live)(const struct plan *plan))
{
	struct child owner = child_start(own_for_faults, NULL);
	struct offer offer;
	struct plan plan = {.live = live, .offer = &offer};

	CU_ASSERT_TRUE_FATAL(offer_receive(owner.sock, &offer));
	fail_with_each(plan, 8);
	offer_drop(&offer);
	child_kill(&owner);
}

CLEAN_TEST(faults_of_any_call_leave_nothing_of_a_borrowed_arena)
{
	fail_borrowing(live_as_borrower);
}

CLEAN_TEST(faults_of_any_call_leave_nothing_of_a_relocated_arena)
{
	if (!is_too_slow())
		fail_borrowing(live_as_relocated);
}

/* A kind of call that fails from some moment on, for good. */
CLEAN_TEST(faults_that_stay_leave_nothing)
{
	static const struct {
		int call;
		int err;
	} kinds[] = {
		{FAULT_memfd_create, ENOSYS},
		{FAULT_memfd_create, ENFILE},
		{FAULT_mmap, ENOMEM},
		{FAULT_madvise, EINVAL},
		{FAULT_ftruncate, EFBIG},
		{FAULT_fallocate, ENOSPC},
		{FAULT_fallocate, EOPNOTSUPP},
		{FAULT_fcntl, ENOLCK},
		{FAULT_socket, EMFILE},
		{FAULT_bind, EACCES},
		{FAULT_getrandom, ENOSYS},
		{FAULT_open, ENOENT},
		{FAULT_fchmod, EPERM},
		{FAULT_fstat, EIO},
		{FAULT_close, EIO},
		{FAULT_munmap, ENOMEM},
		{FAULT_getrlimit, EPERM},
	};
	struct plan plan = {.live = live_as_owner,
		.options = {SMALL, .commit = LEND_COMMIT_UP_FRONT},
		.on = true};
	size_t i;

	if (is_too_slow())
		return;
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		plan.call = kinds[i].call;
		plan.err = kinds[i].err;
		(void)fail_in_turn(plan);
	}
}

/* A signal that interrupts fallocate() is no reason to say no. */
static int live_interrupted(int parent, void *argument)
{
	const struct plan *plan = argument;
	struct lend_arena *arena;
	void *object;

	(void)parent;
	fault_install();
	fault_plan(FAULT_fallocate, plan->nth, EINTR);
	CHILD_CHECK(lend_arena_create(&plan->options, &arena) == 0);
	object = lend_alloc(arena, 8 * MIB);
	CHILD_CHECK(object);
	lend_free(arena, object);
	CHILD_CHECK(lend_arena_purge(arena) == 0);
	CHILD_CHECK(lend_arena_destroy(arena) == 0);
	return fault_struck() ? 0 : NO_MORE;
}

CLEAN_TEST(faults_that_are_interruptions_of_fallocate_are_overcome)
{
	struct plan plan = {.options = {SMALL, .commit = LEND_COMMIT_UP_FRONT}};
	int how = 0;

	for (plan.nth = 1; plan.nth < CALLS_MAX && how == 0; plan.nth++)
		how = child_run(live_interrupted, &plan);
	CU_ASSERT_EQUAL(how, NO_MORE);
	CU_ASSERT(plan.nth > 3);
}

static const struct suite_test tests[] = {
	SUITE_TEST(faults_of_any_call_leave_nothing_of_an_arena),
	SUITE_TEST(faults_of_any_call_leave_nothing_of_an_arena_backed_up_front),
	SUITE_TEST(faults_of_any_call_leave_nothing_of_an_arena_in_a_directory),
	SUITE_TEST(faults_of_any_call_leave_nothing_of_an_arena_of_two_slots),
	SUITE_TEST(faults_of_any_call_leave_nothing_of_a_borrowed_arena),
	SUITE_TEST(faults_of_any_call_leave_nothing_of_a_relocated_arena),
	SUITE_TEST(faults_that_stay_leave_nothing),
	SUITE_TEST(faults_that_are_interruptions_of_fallocate_are_overcome),
};

SUITE_MAIN("faults", tests)
