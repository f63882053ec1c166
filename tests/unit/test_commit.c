/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LEND_COMMIT_UP_FRONT: memory is the machine's before it is handed out. A full backing is NULL
 * and ENOMEM, never SIGBUS, and what is freed is to be had again. The backing that fills up is a
 * tmpfs of its own in a mount namespace of a child.
 */
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "arena/arena.h"
#include "support/fault.h"
#include "support/heap.h"
#include "support/leaks.h"
#include "support/suite.h"

#define MIB ((size_t)1 << 20)

static struct lend_arena *make(struct lend_arena_options options)
{
	struct lend_arena *arena = NULL;

	CU_ASSERT_EQUAL_FATAL(lend_arena_create(&options, &arena), 0);
	return arena;
}

static uint64_t resident(struct lend_arena *arena)
{
	return heap_stats(arena).data_resident_bytes;
}

CLEAN_TEST(up_front_memory_is_backed_before_its_touch)
{
	static const size_t sizes[] = {64, 5000, 40000, MIB, 8 * MIB};
	struct lend_arena *touch = make((struct lend_arena_options){.name = "touch"});
	struct lend_arena *front =
		make((struct lend_arena_options){.commit = LEND_COMMIT_UP_FRONT});
	size_t i;

	for (i = 0; i < HEAP_COUNT(sizes); i++) {
		void *of_touch = lend_alloc(touch, sizes[i]);
		void *of_front = lend_alloc(front, sizes[i]);
		struct lend_arena_stats stats = heap_stats(front);

		CU_ASSERT_PTR_NOT_NULL_FATAL(of_touch);
		CU_ASSERT_PTR_NOT_NULL_FATAL(of_front);
		CU_ASSERT(stats.data_resident_bytes >= stats.committed_bytes);
		CU_ASSERT(stats.committed_bytes >= sizes[i]);
		CU_ASSERT(resident(touch) < MIB);
	}
	CU_ASSERT(resident(front) >= 9 * MIB);
	CU_ASSERT(heap_stats(front).books_resident_bytes >= 2 * MIB);
	CU_ASSERT_EQUAL(lend_arena_destroy(front), 0);
	CU_ASSERT_EQUAL(lend_arena_destroy(touch), 0);
}

CLEAN_TEST(purged_memory_goes_back_and_is_backed_again)
{
	struct lend_arena *arena =
		make((struct lend_arena_options){.commit = LEND_COMMIT_UP_FRONT});
	int turn;

	for (turn = 0; turn < 5; turn++) {
		char *object = lend_alloc_zeroed(arena, 16 * MIB);

		CU_ASSERT_PTR_NOT_NULL_FATAL(object);
		CU_ASSERT(heap_is_zero(object, 16 * MIB));
		memset(object, 1, 16 * MIB);
		CU_ASSERT(resident(arena) >= 16 * MIB);
		lend_free(arena, object);
		CU_ASSERT_EQUAL(lend_arena_purge(arena), 0);
		CU_ASSERT(resident(arena) < MIB);
	}
	CU_ASSERT_EQUAL(lend_arena_destroy(arena), 0);
}

/* A child with a tmpfs of 24 MiB at a place that only it sees. */
static char place[] = "/tmp/lendheap-commit-XXXXXX";

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd >= 0 && write(fd, text, strlen(text)) < 0)
		perror(path);
	if (fd >= 0)
		(void)close(fd);
}

/* 77 when this machine does not let us. */
static void mount_small_tmpfs(void)
{
	char map[64];
	uid_t user = getuid();
	gid_t group = getgid();

	if (unshare(CLONE_NEWNS)) {
		if (unshare(CLONE_NEWUSER | CLONE_NEWNS))
			_exit(SUITE_SKIPPED);
		write_file("/proc/self/setgroups", "deny");
		(void)snprintf(map, sizeof(map), "0 %u 1", (unsigned)user);
		write_file("/proc/self/uid_map", map);
		(void)snprintf(map, sizeof(map), "0 %u 1", (unsigned)group);
		write_file("/proc/self/gid_map", map);
	}
	if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
		mount("lendheap", place, "tmpfs", 0, "size=24m,mode=0700"))
		_exit(SUITE_SKIPPED);
}

static void become_role(void *role)
{
	heap_exec_self("role", role, place);
	_exit(126);
}

/* Run a role of this program anew: jemalloc's mutexes after a fork confuse TSan. */
static bool runs_on_small_tmpfs(const char *role)
{
	int status;

	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(place));
	status = heap_in_child(become_role, (void *)(uintptr_t)role);
	(void)rmdir(place);
	memset(strrchr(place, '-') + 1, 'X', 6);
	if (status == SUITE_SKIPPED)
		printf("skipped here, no mount of a tmpfs is allowed: ");
	return status == 0 || status == SUITE_SKIPPED;
}

static struct lend_arena *make_in_place(uint32_t cache)
{
	struct lend_arena_options options = {.name = "small",
		.backing = LEND_BACKING_DIRECTORY,
		.directory = place,
		.cache = cache};
	struct lend_arena *arena = NULL;

	CHILD_REQUIRE(lend_arena_create(&options, &arena) == 0);
	return arena;
}

/* Objects of a size until there are none, each written whole: a page too many would be SIGBUS. */
static size_t fill_up(struct lend_arena *arena, size_t bytes, void **chain)
{
	size_t count = 0;
	void **object;

	for (;;) {
		errno = 0;
		object = lend_alloc(arena, bytes);
		if (!object)
			break;
		memset(object, (int)count, bytes);
		*object = *chain;
		*chain = object;
		count++;
	}
	CHILD_REQUIRE(errno == ENOMEM);
	CHILD_REQUIRE(strstr(lend_error_detail(), "from the machine"));
	return count;
}

static void free_chain(struct lend_arena *arena, void **chain)
{
	while (*chain) {
		void *object = *chain;

		*chain = *(void **)object;
		lend_free(arena, object);
	}
}

static void fill_the_tmpfs(void)
{
	static const size_t sizes[] = {16, 5000, 40000, 3 << 20};
	struct lend_arena *arena;
	const void *found = NULL;
	void *chain = NULL;
	size_t counts[HEAP_COUNT(sizes)];
	size_t turn;
	size_t i;

	mount_small_tmpfs();
	for (turn = 0; turn < 2; turn++) {
		arena = make_in_place((uint32_t)turn);
		for (i = 0; i < HEAP_COUNT(sizes); i++) {
			counts[i] = fill_up(arena, sizes[i], &chain);
			CHILD_REQUIRE(counts[i] * sizes[i] > 20 * MIB);
			CHILD_REQUIRE(heap_stats(arena).data_resident_bytes <= 24 * MIB);
			CHILD_REQUIRE(heap_stats(arena).live_count == counts[i]);
			/* What was promised at creation is there on a full tmpfs too. */
			CHILD_REQUIRE(
				lend_root_set(arena, "last", LEND_TYPE(void *, 1), chain) == 0);
			CHILD_REQUIRE(lend_root_get(arena, "last", LEND_TYPE(void *, 1),
					      &found) == 0);
			CHILD_REQUIRE(found == chain);
			free_chain(arena, &chain);
			CHILD_REQUIRE(fill_up(arena, sizes[i], &chain) == counts[i]);
			free_chain(arena, &chain);
		}
		CHILD_REQUIRE(lend_arena_purge(arena) == 0);
		CHILD_REQUIRE(heap_stats(arena).committed_bytes == 0);
		CHILD_REQUIRE(heap_stats(arena).data_resident_bytes <= MIB);
		CHILD_REQUIRE(lend_arena_destroy(arena) == 0);
	}
}

static void full_tmpfs_is_enomem_and_freeing_makes_room(void)
{
	CU_ASSERT(runs_on_small_tmpfs("fill_the_tmpfs"));
}

/* Another file takes the room away and gives it back. */
static void share_the_tmpfs(void)
{
	struct lend_arena *arena;
	struct lend_arena *second;
	void *chain = NULL;
	size_t alone;
	size_t beside;
	char *object;
	int fd;

	mount_small_tmpfs();
	arena = make_in_place(LEND_CACHE_LEAN);
	alone = fill_up(arena, 4096, &chain);
	free_chain(arena, &chain);
	CHILD_REQUIRE(lend_arena_purge(arena) == 0);

	fd = open(place, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	CHILD_REQUIRE(fd >= 0 && fallocate(fd, 0, 0, 12 << 20) == 0);
	beside = fill_up(arena, 4096, &chain);
	CHILD_REQUIRE(beside < alone - 2500);
	object = *(void **)chain;
	CHILD_REQUIRE(!lend_realloc(arena, object, 8 << 20) && errno == ENOMEM);
	CHILD_REQUIRE(lend_usable_bytes(arena, object) == 4096);
	CHILD_REQUIRE(close(fd) == 0);
	CHILD_REQUIRE(beside + fill_up(arena, 4096, &chain) == alone);
	free_chain(arena, &chain);
	CHILD_REQUIRE(lend_arena_purge(arena) == 0);

	second = make_in_place(LEND_CACHE_FAST);
	CHILD_REQUIRE(fill_up(second, 4096, &chain) > alone - 300);
	CHILD_REQUIRE(!lend_alloc(arena, MIB) && errno == ENOMEM);
	CHILD_REQUIRE(lend_arena_destroy(second) == 0);
	chain = NULL;
	CHILD_REQUIRE(fill_up(arena, 4096, &chain) == alone);
	CHILD_REQUIRE(lend_arena_destroy(arena) == 0);
}

static void room_taken_by_others_is_enomem_until_it_is_back(void)
{
	CU_ASSERT(runs_on_small_tmpfs("share_the_tmpfs"));
}

static void *fill_and_free(void *context)
{
	struct lend_arena *arena = context;
	void *chain = NULL;
	int turn;

	for (turn = 0; turn < 20; turn++) {
		size_t bytes = turn % 2 ? 3000 : 50000;
		void **object;

		while ((object = lend_alloc(arena, bytes))) {
			memset(object, turn, bytes);
			*object = chain;
			chain = object;
		}
		CHILD_REQUIRE(errno == ENOMEM);
		free_chain(arena, &chain);
	}
	return NULL;
}

static void fight_for_the_tmpfs(void)
{
	struct lend_arena *arena;
	pthread_t threads[3];
	void *chain = NULL;
	size_t i;

	mount_small_tmpfs();
	arena = make_in_place(LEND_CACHE_LEAN);
	for (i = 0; i < HEAP_COUNT(threads); i++)
		CHILD_REQUIRE(pthread_create(&threads[i], NULL, fill_and_free, arena) == 0);
	for (i = 0; i < HEAP_COUNT(threads); i++)
		CHILD_REQUIRE(pthread_join(threads[i], NULL) == 0);
	CHILD_REQUIRE(heap_stats(arena).live_count == 0);
	CHILD_REQUIRE(fill_up(arena, 4096, &chain) > 5000);
	CHILD_REQUIRE(lend_arena_destroy(arena) == 0);
}

static void threads_on_a_full_tmpfs_get_enomem(void)
{
	CU_ASSERT(runs_on_small_tmpfs("fight_for_the_tmpfs"));
}

/* A tmpfs too small for what is written without asking: no arena, and nothing left behind. */
static void create_on_a_full_tmpfs(void)
{
	struct lend_arena_options options = {
		.backing = LEND_BACKING_DIRECTORY, .directory = place};
	struct lend_arena *arena = NULL;
	struct leaks before;
	struct stat status;
	int fd;

	mount_small_tmpfs();
	CHILD_REQUIRE(lend_arena_create(&options, &arena) == 0);
	CHILD_REQUIRE(lend_arena_destroy(arena) == 0);
	arena = NULL;
	fd = open(place, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	CHILD_REQUIRE(fd >= 0 && fallocate(fd, 0, 0, (24 << 20) - (64 << 10)) == 0);
	before = leaks_count();
	CHILD_REQUIRE(lend_arena_create(&options, &arena) == -ENOSPC && !arena);
	CHILD_REQUIRE(strstr(lend_error_detail(), "from the machine"));
	CHILD_REQUIRE(leaks_since(&before) == 0);
	CHILD_REQUIRE(fstat(fd, &status) == 0 && status.st_blocks > 0);
	(void)close(fd);
	CHILD_REQUIRE(lend_arena_create(&options, &arena) == 0);
	CHILD_REQUIRE(lend_arena_destroy(arena) == 0);
}

static void create_on_a_full_tmpfs_fails_and_leaves_nothing(void)
{
	CU_ASSERT(runs_on_small_tmpfs("create_on_a_full_tmpfs"));
}

CLEAN_TEST(directory_that_is_no_tmpfs_is_refused)
{
	struct lend_arena_options options = {
		.backing = LEND_BACKING_DIRECTORY, .directory = "/proc/self"};
	struct lend_arena *arena = NULL;

	CU_ASSERT_NOT_EQUAL(lend_arena_create(&options, &arena), 0);
	CU_ASSERT_PTR_NULL(arena);
	options.directory = "/nowhere/at/all";
	CU_ASSERT_EQUAL(lend_arena_create(&options, &arena), -ENOENT);
	options.directory = NULL;
	CU_ASSERT_EQUAL(lend_arena_create(&options, &arena), -EINVAL);
	CU_ASSERT_PTR_NULL(arena);
}

/* The books have an end as the data do: what needs more metadata is refused, and says so. */
CLEAN_TEST(books_used_up_are_enomem_with_a_sentence)
{
	struct lend_arena *arena = make((struct lend_arena_options){.name = "short"});
	const size_t bytes = 4096; /* the most metadata for the memory */
	const struct lend_books_shm *books = (const struct lend_books_shm *)arena->books;
	uint64_t books_bytes = arena->books_bytes;
	void *chain = NULL;
	size_t count = 0;
	void **object;

	arena->books_bytes = lend_load_relaxed64(&books->block_end); /* no further block */
	(void)lend_alloc_aligned(arena, SIZE_MAX, 3); /* leaves another sentence */
	while ((object = lend_alloc(arena, bytes))) {
		*object = chain;
		chain = object;
		count++;
	}
	CU_ASSERT_EQUAL(errno, ENOMEM);
	CU_ASSERT_PTR_NOT_NULL(strstr(lend_error_detail(), "books of arena \"short\""));
	CU_ASSERT(count > 1000);
	CU_ASSERT_EQUAL(heap_stats(arena).live_count, count);
	free_chain(arena, &chain);
	CU_ASSERT_EQUAL(heap_stats(arena).live_count, 0);
	object = lend_alloc(arena, bytes);
	CU_ASSERT_PTR_NOT_NULL(object);
	lend_free(arena, object);
	CU_ASSERT_EQUAL(lend_arena_purge(arena), 0);
	CU_ASSERT_EQUAL(heap_stats(arena).committed_bytes, 0);
	arena->books_bytes = books_bytes;
	CU_ASSERT_EQUAL(lend_arena_destroy(arena), 0);
}

/*
 * A day in the life of an arena, in which system calls of a kind fail. What it got it can use,
 * what it did not get is NULL with an errno, and all of it comes back.
 */
static unsigned live_a_day(struct lend_arena *arena)
{
	static const size_t sizes[] = {16, 100, 3000, 14336, 20000, 65536, 300000, 5 << 20};
	struct lend_cache *cache = NULL;
	void *objects[24]; /* each size in each of the three ways */
	unsigned refused = 0;
	size_t i;

	(void)lend_cache_open(arena, &cache);
	for (i = 0; i < HEAP_COUNT(objects); i++) {
		size_t bytes = sizes[i % HEAP_COUNT(sizes)];

		errno = 0;
		objects[i] = i % 3 == 0 && cache ? lend_cache_alloc(cache, bytes)
			     : i % 3 == 1        ? lend_alloc_zeroed(arena, bytes)
						 : lend_alloc(arena, bytes);
		if (objects[i])
			heap_fill(objects[i], bytes, i);
		else
			refused += (errno == ENOMEM || errno == EPERM) && *lend_error_detail();
		if (!objects[i] && !refused)
			return 1000;
	}
	for (i = 0; i < HEAP_COUNT(objects); i++) {
		size_t bytes = sizes[i % HEAP_COUNT(sizes)];
		void *moved;

		if (objects[i] && !heap_is_filled(objects[i], bytes, i))
			return 2000;
		moved = i % 5 == 0 && objects[i] ? lend_realloc(arena, objects[i], bytes * 2)
						 : NULL;
		if (moved && !heap_is_filled(moved, bytes & ~(size_t)7, i))
			return 3000;
		lend_free(arena, moved ? moved : objects[i]);
	}
	lend_cache_close(cache);
	(void)lend_arena_purge(arena);
	return refused;
}

/* One kind of call fails from the nth on; true if the day came to that. */
static bool survives(int call, unsigned nth, unsigned *refusals)
{
	struct lend_arena *arena = make(
		(struct lend_arena_options){.name = "unlucky", .commit = LEND_COMMIT_UP_FRONT});
	unsigned refused;
	bool struck;

	fault_plan_from(call, nth, ENOMEM);
	refused = live_a_day(arena);
	struck = fault_struck() != NULL;
	if (refused >= 1000)
		printf("\n  call %u of %s: %u\n", nth, fault_struck(), refused);
	CU_ASSERT(refused < 1000);
	*refusals += refused;
	fault_plan(FAULT_ANY, 0, 0);
	CU_ASSERT_EQUAL(heap_stats(arena).live_count, 0);
	CU_ASSERT_EQUAL(live_a_day(arena), 0);
	CU_ASSERT_EQUAL(heap_stats(arena).live_count, 0);
	CU_ASSERT_EQUAL(lend_arena_destroy(arena), 0);
	return struck;
}

CLEAN_TEST(system_calls_that_fail_make_null_and_no_harm)
{
	static const int calls[] = {FAULT_fallocate, FAULT_ftruncate, FAULT_mmap, FAULT_madvise,
		FAULT_munmap, FAULT_fcntl, FAULT_fstat};
	unsigned refusals = 0;
	unsigned nth;
	size_t i;

	fault_install();
	for (i = 0; i < HEAP_COUNT(calls); i++)
		for (nth = 1; survives(calls[i], nth, &refusals); nth += nth / 2 + 1)
			CU_ASSERT_FATAL(nth < 5000);
	CU_ASSERT(refusals > 20);
	fault_remove();
}

static const struct suite_test tests[] = {
	SUITE_TEST(up_front_memory_is_backed_before_its_touch),
	SUITE_TEST(purged_memory_goes_back_and_is_backed_again),
	SUITE_TEST(full_tmpfs_is_enomem_and_freeing_makes_room),
	SUITE_TEST(room_taken_by_others_is_enomem_until_it_is_back),
	SUITE_TEST(threads_on_a_full_tmpfs_get_enomem),
	SUITE_TEST(create_on_a_full_tmpfs_fails_and_leaves_nothing),
	SUITE_TEST(directory_that_is_no_tmpfs_is_refused),
	SUITE_TEST(books_used_up_are_enomem_with_a_sentence),
	SUITE_TEST(system_calls_that_fail_make_null_and_no_harm),
};

static const struct suite_test roles[] = {
	SUITE_TEST(fill_the_tmpfs),
	SUITE_TEST(share_the_tmpfs),
	SUITE_TEST(fight_for_the_tmpfs),
	SUITE_TEST(create_on_a_full_tmpfs),
};

int main(int argc, char **argv)
{
	size_t i;

	if (argc == 4 && strcmp(argv[1], "role") == 0 && strlen(argv[3]) < sizeof(place)) {
		strcpy(place, argv[3]);
		for (i = 0; i < HEAP_COUNT(roles); i++)
			if (strcmp(roles[i].name, argv[2]) == 0)
				roles[i].run();
		return EXIT_SUCCESS;
	}
	return suite_run("commit", tests, HEAP_COUNT(tests), argc, argv);
}
