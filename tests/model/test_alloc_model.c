/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lend-test: timeout=180
 *
 * Random operations on an arena against a plain list of what must be alive, for both cache
 * profiles and commit policies, one and two slots, with a quota small enough to refuse often.
 *
 *	model_alloc_model [seed [how many times as long]]
 */
#include <pthread.h>

#include "support/heap.h"
#include "support/leaks.h"
#include "support/suite.h"

#define KIB ((size_t)1 << 10)
#define MIB ((size_t)1 << 20)
#define GIB ((size_t)1 << 30)

enum { OBJECTS_MAX = 1500, BATCH_MAX = 40, MAIL_MAX = 64, THREADS_MAX = 4, TURNS = 6000 };

static uint64_t first_seed;
static uint64_t longer = 1;

struct object {
	char *at;
	size_t bytes; /* as asked for */
	size_t alignment;
	uint64_t seed;
};

/* Objects on their way to another thread. */
struct mail {
	pthread_mutex_t lock;
	struct object objects[MAIL_MAX];
	size_t count;
};

struct player {
	struct lend_arena *arena;
	struct lend_cache *handle;
	struct mail *mail; /* NULL: it plays alone, and the statistics are exact */
	uint64_t random;
	uint64_t quota_bytes;
	uint64_t last_seed;
	uint64_t failures;
	uint64_t refusals;
	struct object objects[OBJECTS_MAX];
	size_t count;
};

/* Both in threads: CUnit counts without a lock, so failures are kept and reported at the end. */
#define EXPECT(player, condition)                                                              \
	do {                                                                                   \
		if (!(condition)) {                                                            \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);        \
			(player)->failures++;                                                  \
		}                                                                              \
	} while (0)

static size_t draw_size(struct player *player)
{
	static const size_t most[] = {24, 64, 64, 200, 1000, 1000, 5000, 5000, 20000, 70000,
		70000, 300 * KIB, 2 * MIB};
	uint64_t number = heap_draw(&player->random);

	/* Large ones seldom: most turns are about many small objects. */
	if (number % 8)
		return (number >> 8) % most[(number >> 4) % 7] + (number % 64 != 0);
	return (number >> 8) % most[(number >> 4) % HEAP_COUNT(most)] + 1;
}

static size_t draw_alignment(struct player *player)
{
	uint64_t number = heap_draw(&player->random);

	return (size_t)1 << (number % 16 ? number / 16 % 13 : number / 16 % 22);
}

/* A request was refused: with a reason, and only when the quota is really used up. */
static void check_refusal(struct player *player, size_t bytes, size_t alignment)
{
	struct lend_arena_stats stats;
	int err = errno;

	player->refusals++;
	EXPECT(player, err == EDQUOT);
	EXPECT(player, strstr(lend_error_detail(), "quota"));
	if (player->mail)
		return;
	stats = heap_stats(player->arena);
	if (bytes < 64 * KIB)
		bytes = 64 * KIB; /* slabs are up to that */
	EXPECT(player, stats.committed_bytes + bytes * 5 / 4 + alignment > player->quota_bytes);
}

/* Enter a new object: aligned, of this arena, as large as asked for. */
static void enter(struct player *player, void *at, size_t bytes, size_t alignment)
{
	struct object *object = &player->objects[player->count];

	if (!at) {
		check_refusal(player, bytes, alignment);
		return;
	}
	EXPECT(player, (uintptr_t)at % alignment == 0);
	EXPECT(player, lend_arena_of(at) == player->arena);
	EXPECT(player, lend_usable_bytes(player->arena, at) >= bytes);
	object->at = at;
	object->bytes = bytes;
	object->alignment = alignment;
	object->seed = ++player->last_seed;
	heap_fill(at, bytes, object->seed);
	player->count++;
}

static struct object leave(struct player *player)
{
	size_t i = heap_draw(&player->random) % player->count;
	struct object object = player->objects[i];

	player->objects[i] = player->objects[--player->count];
	EXPECT(player, heap_is_filled(object.at, object.bytes, object.seed));
	return object;
}

static void play_alloc(struct player *player)
{
	size_t bytes = draw_size(player);

	enter(player, lend_alloc(player->arena, bytes), bytes, 1);
}

static void play_alloc_zeroed(struct player *player)
{
	size_t bytes = draw_size(player);
	void *at = lend_alloc_zeroed(player->arena, bytes);

	EXPECT(player, !at || heap_is_zero(at, bytes));
	enter(player, at, bytes, 1);
}

static void play_alloc_aligned(struct player *player)
{
	size_t bytes = draw_size(player);
	size_t alignment = draw_alignment(player);

	enter(player, lend_alloc_aligned(player->arena, bytes, alignment), bytes, alignment);
}

static void play_alloc_batch(struct player *player)
{
	void *made[BATCH_MAX];
	size_t room = OBJECTS_MAX - player->count;
	size_t wanted = heap_draw(&player->random) % (room < BATCH_MAX ? room : BATCH_MAX);
	size_t bytes = draw_size(player);
	size_t count = lend_alloc_batch(player->arena, bytes, made, wanted);
	size_t i;

	if (count < wanted)
		check_refusal(player, bytes, 1);
	for (i = 0; i < count; i++)
		enter(player, made[i], bytes, 1);
}

static void play_handle_alloc(struct player *player)
{
	size_t bytes = draw_size(player);

	enter(player, lend_cache_alloc(player->handle, bytes), bytes, 1);
}

static void give_back(struct player *player, struct object object)
{
	switch (heap_draw(&player->random) % 5) {
	case 0:
		lend_free(player->arena, object.at);
		break;
	case 1:
		lend_free_sized_aligned(
			player->arena, object.at, object.bytes, object.alignment);
		break;
	case 2:
		lend_cache_free(player->handle, object.at);
		break;
	case 3:
		if (object.alignment == 1)
			lend_free_sized(player->arena, object.at, object.bytes);
		else
			lend_free(lend_arena_of(object.at), object.at);
		break;
	default:
		if (object.alignment == 1)
			lend_cache_free_sized(player->handle, object.at, object.bytes);
		else
			lend_cache_free(player->handle, object.at);
	}
}

static void play_free(struct player *player)
{
	give_back(player, leave(player));
}

static void play_free_batch(struct player *player)
{
	void *gone[BATCH_MAX];
	size_t most = player->count < BATCH_MAX ? player->count : BATCH_MAX;
	size_t count = heap_draw(&player->random) % (most + 1);
	size_t i;

	for (i = 0; i < count; i++)
		gone[i] = leave(player).at;
	lend_free_batch(player->arena, gone, count);
}

static void play_realloc(struct player *player)
{
	struct object old = leave(player);
	size_t bytes = draw_size(player);
	size_t kept = (bytes < old.bytes ? bytes : old.bytes) & ~(size_t)7;
	char *at = lend_realloc(player->arena, old.at, bytes);

	if (!at) {
		check_refusal(player, bytes, 1);
		EXPECT(player, heap_is_filled(old.at, old.bytes, old.seed));
		player->objects[player->count++] = old;
		return;
	}
	EXPECT(player, heap_is_filled(at, kept, old.seed));
	enter(player, at, bytes, 1);
}

static void play_flush(struct player *player)
{
	if (heap_draw(&player->random) % 2)
		lend_thread_flush();
	else
		lend_cache_flush(player->handle);
}

static void play_reopen(struct player *player)
{
	lend_cache_close(player->handle);
	EXPECT(player, lend_cache_open(player->arena, &player->handle) == 0);
}

static void play_purge(struct player *player)
{
	EXPECT(player, lend_arena_purge(player->arena) == 0);
}

static void play_statistics(struct player *player)
{
	struct lend_arena_stats stats = heap_stats(player->arena);
	uint64_t bytes = 0;
	size_t i;

	EXPECT(player, stats.committed_bytes <= player->quota_bytes);
	EXPECT(player, stats.foreign_frees == 0);
	for (i = 0; i < player->count; i++)
		bytes += lend_usable_bytes(player->arena, player->objects[i].at);
	if (player->mail)
		return;
	EXPECT(player, stats.live_count == player->count);
	EXPECT(player, stats.live_bytes == bytes);
	EXPECT(player, stats.live_bytes + stats.cached_bytes <= stats.committed_bytes);
}

static void play_send(struct player *player)
{
	struct mail *mail = player->mail;

	if (!mail)
		return;
	(void)pthread_mutex_lock(&mail->lock);
	if (mail->count < MAIL_MAX)
		mail->objects[mail->count++] = leave(player);
	(void)pthread_mutex_unlock(&mail->lock);
}

static void play_receive(struct player *player)
{
	struct mail *mail = player->mail;
	struct object object = {0};

	if (!mail)
		return;
	(void)pthread_mutex_lock(&mail->lock);
	if (mail->count)
		object = mail->objects[--mail->count];
	(void)pthread_mutex_unlock(&mail->lock);
	if (object.at)
		player->objects[player->count++] = object;
}

static const struct play {
	void (*play)(struct player *player);
	unsigned weight;
	unsigned needs; /* objects that must be there */
	unsigned makes; /* room that must be there */
} plays[] = {
	{play_alloc, 30, 0, 1},
	{play_alloc_zeroed, 8, 0, 1},
	{play_alloc_aligned, 10, 0, 1},
	{play_alloc_batch, 3, 0, BATCH_MAX},
	{play_handle_alloc, 12, 0, 1},
	{play_free, 60, 1, 0},
	{play_free_batch, 3, 1, 0},
	{play_realloc, 14, 1, 0},
	{play_flush, 2, 0, 0},
	{play_reopen, 1, 0, 0},
	{play_purge, 1, 0, 0},
	{play_statistics, 2, 0, 0},
	{play_send, 12, 1, 0},
	{play_receive, 12, 0, 1},
};

static int compare_places(const void *a, const void *b)
{
	const struct object *first = a;
	const struct object *second = b;

	return (first->at > second->at) - (first->at < second->at);
}

/* No two of them share a byte, and each holds what was written. */
static void check_all(struct player *player)
{
	size_t i;

	qsort(player->objects, player->count, sizeof(player->objects[0]), compare_places);
	for (i = 0; i < player->count; i++) {
		struct object *object = &player->objects[i];
		size_t usable = lend_usable_bytes(player->arena, object->at);

		EXPECT(player, usable >= object->bytes);
		EXPECT(player, heap_is_filled(object->at, object->bytes, object->seed));
		EXPECT(player, i + 1 == player->count || object->at + usable <= object[1].at);
	}
}

static void *play_all(void *context)
{
	struct player *player = context;
	const uint64_t turns = TURNS * longer;
	uint64_t turn;
	unsigned total = 0;
	size_t i;

	for (i = 0; i < HEAP_COUNT(plays); i++)
		total += plays[i].weight;
	EXPECT(player, lend_cache_open(player->arena, &player->handle) == 0);
	for (turn = 0; turn < turns && player->failures < 10; turn++) {
		unsigned number = (unsigned)(heap_draw(&player->random) % total);

		/* Tides: half of the time it mostly allocates, then it mostly frees. */
		if (turn / 1000 % 2 == 0 && number % 3 == 0)
			number = 0;
		for (i = 0; number >= plays[i].weight; i++)
			number -= plays[i].weight;
		if (player->count >= plays[i].needs &&
			player->count + plays[i].makes <= OBJECTS_MAX)
			plays[i].play(player);
		if (turn % 2000 == 1999)
			check_all(player);
	}
	check_all(player);
	while (player->count)
		give_back(player, leave(player));
	lend_cache_close(player->handle);
	return NULL;
}

static void play_with(struct lend_arena_options options, unsigned thread_count, uint64_t seed)
{
	static struct player players[THREADS_MAX];
	static struct mail mail;
	pthread_t threads[THREADS_MAX];
	struct lend_arena *arena = NULL;
	uint64_t failures = 0;
	uint64_t refusals = 0;
	unsigned i;

	CU_ASSERT_EQUAL_FATAL(lend_arena_create(&options, &arena), 0);
	memset(players, 0, sizeof(players));
	memset(&mail, 0, sizeof(mail));
	(void)pthread_mutex_init(&mail.lock, NULL);
	for (i = 0; i < thread_count; i++) {
		players[i].arena = arena;
		players[i].mail = thread_count > 1 ? &mail : NULL;
		players[i].random = heap_mix(seed + i);
		players[i].last_seed = (uint64_t)i << 48;
		players[i].quota_bytes = options.quota_bytes;
		if (thread_count == 1)
			(void)play_all(&players[i]);
		else
			CU_ASSERT_EQUAL_FATAL(
				pthread_create(&threads[i], NULL, play_all, &players[i]), 0);
	}
	for (i = 0; i < thread_count; i++) {
		if (thread_count > 1)
			CU_ASSERT_EQUAL(pthread_join(threads[i], NULL), 0);
		failures += players[i].failures;
		refusals += players[i].refusals;
	}
	while (mail.count) {
		struct object *object = &mail.objects[--mail.count];

		failures += !heap_is_filled(object->at, object->bytes, object->seed);
		lend_free(arena, object->at);
	}
	(void)pthread_mutex_destroy(&mail.lock);

	CU_ASSERT_EQUAL(failures, 0);
	if (failures)
		printf("\n  seed %llu: %u threads, cache %u, commit %u\n",
			(unsigned long long)first_seed, thread_count, options.cache,
			options.commit);
	CU_ASSERT(refusals > 0);
	CU_ASSERT_EQUAL(heap_stats(arena).live_count, 0);
	CU_ASSERT_EQUAL(lend_arena_purge(arena), 0);
	CU_ASSERT_EQUAL(heap_stats(arena).cached_count, 0);
	CU_ASSERT_EQUAL(heap_stats(arena).committed_bytes, 0);
	CU_ASSERT_EQUAL(heap_stats(arena).foreign_frees, 0);
	CU_ASSERT_EQUAL(lend_arena_destroy(arena), 0);
}

/* Both profiles, both policies, one and two slots. */
static void play_everywhere(unsigned thread_count)
{
	unsigned i;

	for (i = 0; i < 8; i++)
		play_with(
			(struct lend_arena_options){
				.name = "model",
				.cache = i & 1 ? LEND_CACHE_LEAN : LEND_CACHE_FAST,
				.commit = i & 2 ? LEND_COMMIT_UP_FRONT : LEND_COMMIT_ON_TOUCH,
				.reservation_bytes = i & 4 ? 6 * GIB : 0,
				.quota_bytes = (4 + 2 * thread_count) * MIB,
			},
			thread_count, first_seed + i * 100 + thread_count);
}

CLEAN_TEST(one_thread_agrees_with_the_model)
{
	play_everywhere(1);
}

CLEAN_TEST(two_threads_that_pass_objects_agree_with_the_model)
{
	play_everywhere(2);
}

CLEAN_TEST(four_threads_that_pass_objects_agree_with_the_model)
{
	play_everywhere(4);
}

static const struct suite_test tests[] = {
	SUITE_TEST(one_thread_agrees_with_the_model),
	SUITE_TEST(two_threads_that_pass_objects_agree_with_the_model),
	SUITE_TEST(four_threads_that_pass_objects_agree_with_the_model),
};

int main(int argc, char **argv)
{
	first_seed = heap_seed(argc, argv);
	if (argc > 2)
		longer = strtoull(argv[2], NULL, 0);
	return suite_run("alloc_model", tests, HEAP_COUNT(tests), 1, argv);
}
