/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many arenas: several in a process, several processes with their own, arenas of several slots,
 * slots used again and again, also by threads that lived through it.
 */
#include "support/suite.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include <lendheap/alloc.h>

#include "support/child.h"
#include "support/leaks.h"
#include "support/offer.h"
#include "support/tools.h"
#include "support/window.h"

#define GIB ((size_t)1 << 30)

static int run_alone(int (*run)(int parent, void *argument))
{
	return child_run(run, NULL);
}

/* Lines of /proc/self/maps that name a file of ours, wherever it is mapped. */
static int count_ours(void)
{
	char line[512];
	int count = 0;
	FILE *maps = fopen("/proc/self/maps", "re");

	while (maps && fgets(line, sizeof(line), maps))
		count += strstr(line, "lendheap-") != NULL;
	if (maps)
		(void)fclose(maps);
	return count;
}

static uint64_t mapped_bytes(void)
{
	unsigned long long pages = 0;
	FILE *file = fopen("/proc/self/statm", "re");

	if (file) {
		if (fscanf(file, "%llu", &pages) != 1)
			pages = 0;
		(void)fclose(file);
	}
	return pages * 4096;
}

/* A node of a list that goes through the arenas of three owners, by raw pointers. */
struct node {
	const struct node *next;
	uint64_t owner;
	uint64_t number;
};

struct nodes {
	struct node *at[1000];
};

enum { OWNERS = 3, NODES = 1000 };

static const struct nodes *nodes_of(const struct lend_arena *arena)
{
	const void *nodes;

	if (lend_root_get(arena, "nodes", LEND_TYPE(struct nodes, 1), &nodes))
		return NULL;
	return nodes;
}

/* Owner k has borrowed the arenas of the owners before it and points into the last of them. */
static int own_and_link(int parent, void *argument)
{
	const struct lend_arena *before[OWNERS];
	const struct nodes *targets = NULL;
	struct lend_arena *arena;
	struct nodes *nodes;
	long long owner;
	unsigned i;

	(void)argument;
	CHILD_CHECK(child_await_number(parent, &owner));
	for (i = 0; i < owner; i++) {
		CHILD_CHECK(offer_receive_arena(parent, &before[i]) == 0);
		targets = nodes_of(before[i]);
		CHILD_CHECK(targets);
	}
	CHILD_CHECK(lend_arena_create(NULL, &arena) == 0);
	nodes = lend_alloc(arena, sizeof(*nodes));
	CHILD_CHECK(nodes);
	for (i = 0; i < NODES; i++) {
		struct node *node = lend_alloc(arena, sizeof(*node));

		CHILD_CHECK(node);
		node->next = targets ? targets->at[i] : NULL;
		node->owner = (uint64_t)owner;
		node->number = i;
		nodes->at[i] = node;
	}
	CHILD_CHECK(lend_root_set(arena, "nodes", LEND_TYPE(struct nodes, 1), nodes) == 0);
	CHILD_CHECK(offer_send_arena(parent, arena));
	CHILD_CHECK(child_tell_number(parent, (long long)arena->base));
	(void)child_await(parent);
	for (i = 0; i < owner; i++)
		CHILD_CHECK(lendi_arena_detach(before[i]) == 0);
	CHILD_CHECK(lend_arena_destroy(arena) == 0);
	return 0;
}

static int read_through_all(int parent, void *argument)
{
	const struct lend_arena *arenas[OWNERS];
	const struct nodes *nodes;
	struct leaks before = leaks_count();
	long long base;
	unsigned i;

	(void)argument;
	for (i = 0; i < OWNERS; i++) {
		CHILD_CHECK(child_await_number(parent, &base));
		CHILD_CHECK(offer_receive_arena(parent, &arenas[i]) == 0);
		CHILD_CHECK(arenas[i]->base == (uintptr_t)base);
		CHILD_CHECK(lend_arena_is_fixed(arenas[i]) == 1);
	}
	nodes = nodes_of(arenas[OWNERS - 1]);
	CHILD_CHECK(nodes);
	for (i = 0; i < NODES; i++) {
		const struct node *node = nodes->at[i];
		unsigned owner = OWNERS;

		while (owner-- > 0) {
			CHILD_CHECK(node->owner == owner && node->number == i);
			CHILD_CHECK(lend_arena_of(node) == arenas[owner]);
			node = node->next;
		}
		CHILD_CHECK(node == NULL);
	}
	CHILD_CHECK(child_tell(parent));
	CHILD_CHECK(child_await(parent));
	/* The owners are gone; what we have mapped is not. */
	CHILD_CHECK(nodes->at[NODES - 1]->next->next->number == NODES - 1);
	for (i = 0; i < OWNERS; i++)
		CHILD_CHECK(lendi_arena_detach(arenas[i]) == 0);
	CHILD_CHECK(leaks_since(&before) == 0);
	return 0;
}

CLEAN_TEST(arenas_of_three_owners_hold_pointers_into_each_other)
{
	struct child owners[OWNERS];
	struct child reader = child_start(read_through_all, NULL);
	struct offer offers[OWNERS];
	long long bases[OWNERS];
	unsigned i;
	unsigned k;

	for (i = 0; i < OWNERS; i++) {
		owners[i] = child_start(own_and_link, NULL);
		CU_ASSERT_TRUE(child_tell_number(owners[i].sock, i));
		for (k = 0; k < i; k++)
			CU_ASSERT_TRUE(offer_send(owners[i].sock, &offers[k]));
		CU_ASSERT_TRUE_FATAL(offer_receive(owners[i].sock, &offers[i]));
		CU_ASSERT_TRUE(child_await_number(owners[i].sock, &bases[i]));
	}
	for (i = 0; i < OWNERS; i++) {
		CU_ASSERT_TRUE(child_tell_number(reader.sock, bases[i]));
		CU_ASSERT_TRUE(offer_send(reader.sock, &offers[i]));
		offer_drop(&offers[i]);
	}
	CU_ASSERT_TRUE(child_await(reader.sock));
	for (i = 0; i < OWNERS; i++) {
		CU_ASSERT_TRUE(child_tell(owners[i].sock));
		CU_ASSERT_EQUAL(child_end(&owners[i]), 0);
	}
	CU_ASSERT_TRUE(child_tell(reader.sock));
	CU_ASSERT_EQUAL(child_end(&reader), 0);
}

/* Several arenas in each of several processes: no two at one place, none mixed up. */
enum { PROCESSES = 6, ARENAS = 4 };

static int own_several(int parent, void *argument)
{
	struct lend_arena *arenas[ARENAS];
	uint64_t *objects[ARENAS];
	struct leaks before = leaks_count();
	int i;

	(void)argument;
	for (i = 0; i < ARENAS; i++) {
		CHILD_CHECK(lend_arena_create(NULL, &arenas[i]) == 0);
		objects[i] = lend_alloc(arenas[i], 4000);
		CHILD_CHECK(objects[i] && lend_arena_of(objects[i]) == arenas[i]);
		objects[i][0] = (uint64_t)getpid() * 10 + (uint64_t)i;
		CHILD_CHECK(child_tell_number(parent, (long long)arenas[i]->base));
	}
	CHILD_CHECK(child_await(parent));
	for (i = 0; i < ARENAS; i++) {
		CHILD_CHECK(objects[i][0] == (uint64_t)getpid() * 10 + (uint64_t)i);
		lend_free(arenas[i], objects[i]);
		CHILD_CHECK(lend_arena_destroy(arenas[i]) == 0);
		CHILD_CHECK(lend_arena_of(objects[i]) == NULL);
	}
	CHILD_CHECK(leaks_since(&before) == 0);
	CHILD_CHECK(count_ours() == 0);
	return 0;
}

CLEAN_TEST(arenas_of_many_processes_are_each_at_their_own_place)
{
	struct child children[PROCESSES];
	long long bases[PROCESSES * ARENAS];
	int doubles = 0;
	int i;
	int k;

	for (i = 0; i < PROCESSES; i++)
		children[i] = child_start(own_several, NULL);
	for (i = 0; i < PROCESSES * ARENAS; i++)
		CU_ASSERT_TRUE(child_await_number(children[i / ARENAS].sock, &bases[i]));
	for (i = 0; i < PROCESSES * ARENAS; i++)
		for (k = 0; k < i; k++)
			doubles += bases[i] == bases[k];
	CU_ASSERT_EQUAL(doubles, 0);
	for (i = 0; i < PROCESSES; i++)
		CU_ASSERT_TRUE(child_tell(children[i].sock));
	for (i = 0; i < PROCESSES; i++)
		CU_ASSERT_EQUAL(child_end(&children[i]), 0);
}

/* Objects of 3 GiB, touched at their ends: addresses beyond the first slot and the second. */
static int borrow_large(int parent, void *argument)
{
	const struct lend_arena *arena;
	const char *const *objects;

	(void)argument;
	CHILD_CHECK(offer_receive_arena(parent, &arena) == 0);
	CHILD_CHECK(arena->slot_count == 4);
	CHILD_CHECK(lend_root_get(arena, "objects", LEND_TYPE(char *, 1),
			    (const void **)&objects) == 0);
	for (int i = 0; i < 4; i++) {
		CHILD_CHECK(objects[i][0] == 'a' + i);
		CHILD_CHECK(objects[i][GIB] == 'A' + i);
		CHILD_CHECK(objects[i][3 * GIB - 1] == 'z' - i);
		CHILD_CHECK(lend_arena_of(objects[i] + 3 * GIB - 1) == arena);
	}
	CHILD_CHECK(lendi_arena_detach(arena) == 0);
	return 0;
}

static int own_large(int parent, void *argument)
{
	struct lend_arena_options options = {.reservation_bytes = 13 * GIB};
	struct child borrower = child_start(borrow_large, NULL);
	struct leaks before = leaks_count();
	struct lend_arena_stats stats = {0};
	struct lend_arena *arena;
	char **objects;
	int i;

	(void)parent, (void)argument;
	CHILD_CHECK(lend_arena_create(&options, &arena) == 0);
	CHILD_CHECK(arena->slot_count == 4 && arena->slot % 4 == 0);
	objects = lend_alloc(arena, 4 * sizeof(*objects));
	CHILD_CHECK(objects);
	for (i = 0; i < 4; i++) {
		objects[i] = lend_alloc(arena, 3 * GIB);
		CHILD_CHECK(objects[i] && lend_arena_of(objects[i] + GIB) == arena);
		objects[i][0] = (char)('a' + i);
		objects[i][GIB] = (char)('A' + i);
		objects[i][3 * GIB - 1] = (char)('z' - i);
	}
	CHILD_CHECK(lend_alloc(arena, 3 * GIB) == NULL && errno);
	CHILD_CHECK(lend_usable_bytes(arena, objects[3]) == 3 * GIB);
	CHILD_CHECK(lend_arena_stats(arena, &stats) == 0);
	CHILD_CHECK(stats.committed_bytes >= 12 * GIB);
	CHILD_CHECK(stats.data_resident_bytes < (1 << 20));
	CHILD_CHECK(lend_root_set(arena, "objects", LEND_TYPE(char *, 1), objects) == 0);
	CHILD_CHECK(offer_send_arena(borrower.sock, arena));
	CHILD_CHECK(child_end(&borrower) == 0);
	before.children--; /* the borrower, started before */
	before.fds--;
	for (i = 0; i < 4; i++)
		lend_free(arena, objects[i]);
	CHILD_CHECK(lend_arena_purge(arena) == 0);
	CHILD_CHECK(lend_alloc(arena, 12 * GIB)); /* in one piece, over every slot */
	CHILD_CHECK(lend_arena_destroy(arena) == 0);
	CHILD_CHECK(leaks_since(&before) == 0);
	CHILD_CHECK(count_ours() == 0);
	return 0;
}

CLEAN_TEST(arenas_of_several_slots_hold_data_beyond_4_gib)
{
	CU_ASSERT_EQUAL(run_alone(own_large), 0);
}

/*
 * Two threads that outlive many arenas at the same places. In each turn the main thread makes
 * arenas, the workers allocate, check and free (also what the other one allocated), and the main
 * thread destroys the arenas with all that is in them.
 */
enum { WORKERS = 2, OBJECTS = 200, ARENAS_MAX = 2 };

static struct lend_arena *current[ARENAS_MAX];
static int current_count;
static void *handed_over[WORKERS][OBJECTS];
static uint64_t faults[WORKERS];
static pthread_barrier_t barrier;
static bool ended;

static void use_arena(int worker, struct lend_arena *arena, uint64_t turn)
{
	void **mine = handed_over[worker];
	void **theirs = handed_over[(worker + 1) % WORKERS];
	uint64_t mark = turn * WORKERS + (uint64_t)worker;
	size_t i;

	for (i = 0; i < OBJECTS; i++) {
		size_t bytes = 16 + i * i % 5000;

		mine[i] = lend_alloc(arena, bytes);
		if (!mine[i] || lend_arena_of(mine[i]) != arena ||
			lend_arena_of((char *)mine[i] + bytes - 1) != arena) {
			faults[worker]++;
			continue;
		}
		memcpy(mine[i], &mark, sizeof(mark));
	}
	for (i = 0; i < OBJECTS; i++)
		faults[worker] += memcmp(mine[i], &mark, sizeof(mark)) != 0;
	(void)pthread_barrier_wait(&barrier);
	/* Half of the other's are freed here, the rest goes with the arena. */
	mark = turn * WORKERS + (uint64_t)((worker + 1) % WORKERS);
	for (i = 0; i < OBJECTS; i += 2) {
		faults[worker] += memcmp(theirs[i], &mark, sizeof(mark)) != 0;
		lend_free(arena, theirs[i]);
	}
	(void)pthread_barrier_wait(&barrier);
}

static void *live_through(void *argument)
{
	int worker = (int)(intptr_t)argument;
	uint64_t turn = 0;
	int i;

	for (;;) {
		(void)pthread_barrier_wait(&barrier); /* arenas made */
		if (ended)
			return NULL;
		for (i = 0; i < current_count; i++)
			use_arena(worker, current[i], ++turn);
		(void)pthread_barrier_wait(&barrier); /* arenas done with */
	}
}

static void start_workers(pthread_t *threads)
{
	int i;

	ended = false;
	CHILD_CHECK(pthread_barrier_init(&barrier, NULL, WORKERS) == 0);
	for (i = 1; i < WORKERS; i++)
		CHILD_CHECK(pthread_create(
				    &threads[i], NULL, live_through, (void *)(intptr_t)i) == 0);
}

/* The main thread is worker 0, so one that lived through it as well. */
static void take_turn(uint64_t *turn)
{
	int i;

	(void)pthread_barrier_wait(&barrier);
	for (i = 0; i < current_count; i++)
		use_arena(0, current[i], ++*turn);
	(void)pthread_barrier_wait(&barrier);
	for (i = 0; i < current_count; i++)
		CHILD_CHECK(lend_arena_destroy(current[i]) == 0);
}

static void end_workers(pthread_t *threads)
{
	int i;

	ended = true;
	(void)pthread_barrier_wait(&barrier);
	for (i = 1; i < WORKERS; i++)
		(void)pthread_join(threads[i], NULL);
	(void)pthread_barrier_destroy(&barrier);
	for (i = 0; i < WORKERS; i++)
		CHILD_CHECK(faults[i] == 0);
}

/*
 * From here on the program itself uses a window, of 16 slots: ThreadSanitizer follows no threads
 * into the child of a fork. The slots from `from` on are kept from its arenas.
 */
enum { SLOTS = 16 };

static void keep_slots(uint32_t from, int *claims)
{
	static bool configured;
	struct lend_window window = window_small(SLOTS, getpid());

	CHILD_CHECK(configured || lend_window_configure(&window) == 0);
	configured = true;
	CHILD_CHECK(lendi_run_claim(from, SLOTS - from, claims) == 0);
}

static void reuse_one_slot(void)
{
	pthread_t threads[WORKERS];
	struct leaks before;
	int claims[SLOTS];
	uint64_t mapped = 0;
	uint64_t turn = 0;
	int i;

	keep_slots(1, claims);
	start_workers(threads);
	before = leaks_count();
	current_count = 1;
	for (i = 0; i < 200; i++) {
		struct lend_arena_options options = {
			.cache = i % 2 ? LEND_CACHE_LEAN : LEND_CACHE_FAST};

		CHILD_CHECK(lend_arena_create(&options, &current[0]) == 0);
		take_turn(&turn);
		CHILD_CHECK(leaks_since(&before) == 0);
		if (i == 99)
			mapped = mapped_bytes();
	}
	/* A hundred more arenas left nothing of note; sanitizers keep some of their own. */
	CHILD_CHECK(mapped_bytes() < mapped + (64 << 20));
	CHILD_CHECK(count_ours() == 0);
	end_workers(threads);
	lendi_run_release(claims, SLOTS - 1);
}

CLEAN_TEST(arenas_in_one_slot_two_hundred_times)
{
	reuse_one_slot();
}

/* Now two arenas of one slot, now one of two slots over both: caches are found by first slot. */
static void reuse_as_run(void)
{
	struct lend_arena_options two = {.reservation_bytes = LEND_SLOT_BYTES};
	pthread_t threads[WORKERS];
	struct leaks before;
	int claims[SLOTS];
	uint64_t turn = 0;
	int i;

	keep_slots(2, claims);
	start_workers(threads);
	before = leaks_count();
	for (i = 0; i < 60; i++) {
		current_count = i % 2 ? 1 : 2;
		CHILD_CHECK(lend_arena_create(i % 2 ? &two : NULL, &current[0]) == 0);
		if (current_count == 2)
			CHILD_CHECK(lend_arena_create(NULL, &current[1]) == 0);
		else
			CHILD_CHECK(current[0]->slot_count == 2 && current[0]->slot == 0);
		take_turn(&turn);
		CHILD_CHECK(leaks_since(&before) == 0);
	}
	end_workers(threads);
	CHILD_CHECK(count_ours() == 0);
	lendi_run_release(claims, SLOTS - 2);
}

CLEAN_TEST(arenas_of_two_slots_over_used_slots)
{
	reuse_as_run();
}

/* Threads that each make and destroy arenas of their own, at the same time. */
static void *make_and_destroy(void *argument)
{
	uint64_t *bad = argument;
	int i;

	for (i = 0; i < 40; i++) {
		struct lend_arena *arena;
		uint64_t *object;

		if (lend_arena_create(NULL, &arena)) {
			++*bad;
			continue;
		}
		object = lend_alloc(arena, 1000);
		if (!object || lend_arena_of(object) != arena)
			++*bad;
		if (object)
			*object = (uint64_t)i;
		if (lend_root_set(arena, "o", LEND_TYPE(uint64_t, 1), object))
			++*bad;
		(void)sched_yield();
		if (object && *object != (uint64_t)i)
			++*bad;
		*bad += lend_arena_destroy(arena) != 0;
	}
	return NULL;
}

static void make_in_threads(void)
{
	struct leaks before;
	pthread_t threads[4];
	uint64_t bad[4][8] = {{0}};
	int claims[1];
	int i;

	keep_slots(SLOTS, claims);
	before = leaks_count();
	for (i = 0; i < 4; i++)
		CHILD_CHECK(pthread_create(&threads[i], NULL, make_and_destroy, bad[i]) == 0);
	for (i = 0; i < 4; i++) {
		(void)pthread_join(threads[i], NULL);
		CHILD_CHECK(bad[i][0] == 0);
	}
	CHILD_CHECK(leaks_since(&before) == 0);
	CHILD_CHECK(count_ours() == 0);
}

CLEAN_TEST(arenas_made_by_several_threads_at_once)
{
	make_in_threads();
}

/* A child forked at any moment can own arenas itself, beside what it reads of its parent's. */
static lend_word32 stop;

static void *keep_busy(void *argument)
{
	uint64_t bad[1];

	(void)argument;
	while (!lend_load_relaxed32(&stop))
		(void)make_and_destroy(bad);
	return NULL;
}

static int own_in_forked(int parent, void *argument)
{
	uint64_t *parents = argument;
	uint64_t bad = 0;

	(void)parent;
	(void)alarm(20); /* stuck is what this is about */
	CHILD_CHECK(*parents == 4711);
	(void)make_and_destroy(&bad);
	CHILD_CHECK(bad == 0);
	CHILD_CHECK(*parents == 4711);
	return 0;
}

static int fork_when_busy(int parent, void *argument)
{
	struct lend_arena *arena;
	pthread_t threads[2];
	uint64_t *object;
	int i;

	(void)parent, (void)argument;
	CHILD_CHECK(lend_arena_create(NULL, &arena) == 0);
	object = lend_alloc(arena, sizeof(*object));
	CHILD_CHECK(object);
	*object = 4711;
	for (i = 0; i < 2; i++)
		CHILD_CHECK(pthread_create(&threads[i], NULL, keep_busy, NULL) == 0);
	for (i = 0; i < 20; i++)
		CHILD_CHECK(child_run(own_in_forked, object) == 0);
	lend_store_relaxed32(&stop, 1);
	for (i = 0; i < 2; i++)
		(void)pthread_join(threads[i], NULL);
	CHILD_CHECK(lend_arena_destroy(arena) == 0);
	return 0;
}

CLEAN_TEST(arenas_of_a_child_forked_from_a_busy_parent)
{
	/* ThreadSanitizer ends the child of a process with threads at its first lock. */
	if (UNDER_TSAN) {
		fprintf(stderr, "skip: no forks beside threads under ThreadSanitizer\n");
		(void)fork_when_busy;
		return;
	}
	CU_ASSERT_EQUAL(run_alone(fork_when_busy), 0);
}

static const struct suite_test tests[] = {
	SUITE_TEST(arenas_of_three_owners_hold_pointers_into_each_other),
	SUITE_TEST(arenas_of_many_processes_are_each_at_their_own_place),
	SUITE_TEST(arenas_of_several_slots_hold_data_beyond_4_gib),
	SUITE_TEST(arenas_of_a_child_forked_from_a_busy_parent),
	SUITE_TEST(arenas_in_one_slot_two_hundred_times),
	SUITE_TEST(arenas_of_two_slots_over_used_slots),
	SUITE_TEST(arenas_made_by_several_threads_at_once),
};

SUITE_MAIN("many_arenas", tests)
