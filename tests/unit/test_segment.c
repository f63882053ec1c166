/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files of an arena: seals, growth, quota, and every limit of the machine. What lowers a limit
 * or changes the view of the file system does so in a child.
 */
#include "support/suite.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <lendheap/alloc.h>

#include "arena/arena.h"
#include "os/os.h"
#include "support/child.h"
#include "support/leaks.h"
#include "support/tools.h"

#define MIB UINT64_C(1048576)

static bool detail_says(const char *part)
{
	return strstr(lend_error_detail(), part) != NULL;
}

/* A child that had nothing to test said so. */
#define CHECK_RAN(ended)                                                                       \
	do {                                                                                   \
		int how = (ended);                                                             \
                                                                                               \
		CU_ASSERT(how == 0 || how == CHILD_SKIPPED);                                   \
	} while (0)

static uint64_t size_of(int fd)
{
	struct stat status;

	return fstat(fd, &status) ? 0 : (uint64_t)status.st_size;
}

CLEAN_TEST(segment_is_sealed_and_its_user_s_alone)
{
	struct lendi_segment segment;
	struct stat status;

	CU_ASSERT_EQUAL_FATAL(
		lendi_segment_create("test", 64 * MIB, 4 * MIB, false, &segment), 0);
	CU_ASSERT_EQUAL(lendi_segment_commit(&segment, 0, 4096), 0);
	CU_ASSERT_EQUAL(fcntl(segment.fd, F_GET_SEALS) & (F_SEAL_SHRINK | F_SEAL_SEAL),
		F_SEAL_SHRINK | F_SEAL_SEAL);
	CU_ASSERT_EQUAL(fcntl(segment.fd, F_GET_SEALS) & (F_SEAL_GROW | F_SEAL_WRITE), 0);
	CU_ASSERT(ftruncate(segment.fd, 0) != 0 && errno == EPERM);
	CU_ASSERT(fcntl(segment.fd, F_ADD_SEALS, F_SEAL_GROW) != 0 && errno == EPERM);
	CU_ASSERT_EQUAL(fstat(segment.fd, &status), 0);
	CU_ASSERT_EQUAL(status.st_mode & 07777, 0600);
	CU_ASSERT_NOT_EQUAL(fcntl(segment.fd, F_GETFD) & FD_CLOEXEC, 0);
	lendi_segment_close(&segment);
}

CLEAN_TEST(segment_grows_in_steps_and_never_past_its_reservation)
{
	struct lendi_segment segment;

	CU_ASSERT_EQUAL_FATAL(
		lendi_segment_create("test", 10 * MIB, 4 * MIB, false, &segment), 0);
	CU_ASSERT_EQUAL(size_of(segment.fd), 0);
	CU_ASSERT_EQUAL(lendi_segment_commit(&segment, 0, 1), 0);
	CU_ASSERT_EQUAL(size_of(segment.fd), 4 * MIB);
	CU_ASSERT_EQUAL(lendi_segment_commit(&segment, 0, 4 * MIB), 0);
	CU_ASSERT_EQUAL(size_of(segment.fd), 4 * MIB);
	CU_ASSERT_EQUAL(lendi_segment_commit(&segment, 4 * MIB, 1), 0);
	CU_ASSERT_EQUAL(size_of(segment.fd), 8 * MIB);
	CU_ASSERT_EQUAL(lendi_segment_commit(&segment, 9 * MIB, MIB), 0);
	CU_ASSERT_EQUAL(size_of(segment.fd), 10 * MIB); /* not 12 */
	CU_ASSERT_EQUAL(lendi_segment_commit(&segment, 0, 1), 0);
	CU_ASSERT_EQUAL(size_of(segment.fd), 10 * MIB);
	CU_ASSERT_EQUAL(lend_load_relaxed64(&segment.file_bytes), 10 * MIB);
	CU_ASSERT_EQUAL(lendi_segment_resident_bytes(&segment), 0); /* growth takes no memory */
	lendi_segment_close(&segment);
}

static struct lendi_segment shared;

static void *grow_shared(void *argument)
{
	uint64_t seed = (uint64_t)(uintptr_t)argument + 1;
	int i;

	for (i = 0; i < 500; i++) {
		uint64_t end;

		seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
		end = (seed >> 33) % (uint64_t)(i + 1) * 4096 + 1;
		if (lendi_segment_commit(&shared, end - 1, 1) ||
			lend_load_acquire64(&shared.file_bytes) < end ||
			size_of(shared.fd) < end)
			return &shared;
	}
	return NULL;
}

CLEAN_TEST(segment_grown_by_several_threads_is_as_large_as_each_was_told)
{
	pthread_t threads[4];
	void *bad;
	size_t i;

	CU_ASSERT_EQUAL_FATAL(
		lendi_segment_create("test", 64 * MIB, 64 << 10, false, &shared), 0);
	for (i = 0; i < 4; i++)
		CU_ASSERT_EQUAL_FATAL(
			pthread_create(&threads[i], NULL, grow_shared, (void *)i), 0);
	for (i = 0; i < 4; i++) {
		(void)pthread_join(threads[i], &bad);
		CU_ASSERT_PTR_NULL(bad);
	}
	CU_ASSERT_EQUAL(size_of(shared.fd), lend_load_relaxed64(&shared.file_bytes));
	lendi_segment_close(&shared);
}

CLEAN_TEST(segment_backed_up_front_has_its_memory_and_gives_it_back)
{
	struct lendi_segment segment;
	char *at;

	CU_ASSERT_EQUAL_FATAL(
		lendi_segment_create("test", 16 * MIB, 4 * MIB, true, &segment), 0);
	CU_ASSERT_EQUAL(lendi_segment_commit(&segment, MIB, MIB), 0);
	CU_ASSERT_EQUAL(lendi_segment_resident_bytes(&segment), MIB);
	at = mmap(NULL, 4 * MIB, PROT_READ | PROT_WRITE, MAP_SHARED, segment.fd, 0);
	CU_ASSERT_PTR_NOT_EQUAL_FATAL(at, MAP_FAILED);
	memset(at + MIB, 'x', MIB);
	CU_ASSERT_EQUAL(lendi_segment_punch(&segment, MIB, MIB / 2), 0);
	CU_ASSERT_EQUAL(lendi_segment_resident_bytes(&segment), MIB / 2);
	CU_ASSERT_EQUAL(at[MIB], 0);
	CU_ASSERT_EQUAL(at[MIB + MIB / 2], 'x');
	CU_ASSERT_EQUAL(size_of(segment.fd), 4 * MIB);
	(void)munmap(at, 4 * MIB);
	lendi_segment_close(&segment);
}

CLEAN_TEST(segment_map_at_leaves_what_is_mapped_there)
{
	uintptr_t place = lend_window_current().base + 3 * LEND_SLOT_BYTES;
	struct lendi_segment segment;

	CU_ASSERT_EQUAL_FATAL(
		lendi_segment_create("test", 4 * MIB, 4 * MIB, false, &segment), 0);
	CU_ASSERT_EQUAL_FATAL(lendi_map_at(place, MIB, PROT_READ, segment.fd, 0), 0);
	CU_ASSERT_EQUAL(
		lendi_map_at(place + MIB - 4096, MIB, PROT_READ, segment.fd, 0), -EADDRINUSE);
	CU_ASSERT_TRUE(detail_says("0x")); /* valgrind takes the place as a hint */
	CU_ASSERT_EQUAL(lendi_map_at(place + MIB, MIB, PROT_READ, -1, 0), -EBADF);
	CU_ASSERT_TRUE(detail_says("0x"));
	lendi_unmap(place, MIB);
	lendi_unmap(0, MIB); /* nothing was mapped: nothing to undo */
	lendi_segment_close(&segment);
}

/* Borrowers cannot write: neither through the FD they get nor through a mapping of it. */
CLEAN_TEST(segment_lent_is_read_only)
{
	struct lend_arena *arena;

	CU_ASSERT_EQUAL_FATAL(lend_arena_create(NULL, &arena), 0);
	CU_ASSERT_TRUE(arena->lend_fd >= 0);
	CU_ASSERT_EQUAL(arena->lend_error, 0);
	CU_ASSERT_EQUAL(fcntl(arena->lend_fd, F_GETFL) & O_ACCMODE, O_RDONLY);
	CU_ASSERT_NOT_EQUAL(fcntl(arena->lend_fd, F_GETFD) & FD_CLOEXEC, 0);
	CU_ASSERT(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, arena->lend_fd, 0) ==
			  MAP_FAILED &&
		  errno == EACCES);
	CU_ASSERT(pwrite(arena->lend_fd, "x", 1, 0) < 0 && errno == EBADF);
	CU_ASSERT_EQUAL(lend_arena_destroy(arena), 0);
}

/* The file stays far below the reservation: nobody can fill what is not there. */
CLEAN_TEST(segment_of_an_arena_is_no_larger_than_its_use)
{
	struct lend_arena *arena;
	const void *base;
	uint64_t bytes;

	CU_ASSERT_EQUAL_FATAL(lend_arena_create(NULL, &arena), 0);
	CU_ASSERT(size_of(arena->data.fd) <= 4 * MIB);
	CU_ASSERT(size_of(arena->books_file.fd) <= 32 * MIB);
	CU_ASSERT_PTR_NOT_NULL(lend_alloc(arena, 20 * MIB));
	CU_ASSERT(size_of(arena->data.fd) >= 20 * MIB);
	CU_ASSERT(size_of(arena->data.fd) <= 32 * MIB);
	CU_ASSERT_EQUAL(lend_arena_range(arena, &base, &bytes), 0);
	CU_ASSERT_EQUAL(bytes, size_of(arena->data.fd));
	CU_ASSERT(lendi_segment_resident_bytes(&arena->data) < 4 * MIB);
	CU_ASSERT_EQUAL(lend_arena_destroy(arena), 0);
}

static uint64_t committed(struct lend_arena *arena)
{
	struct lend_arena_stats stats = {0};

	return lend_arena_stats(arena, &stats) ? UINT64_MAX : stats.committed_bytes;
}

CLEAN_TEST(segment_quota_is_exact)
{
	struct lend_arena_options options = {.name = "q", .quota_bytes = 128 << 10};
	struct lend_arena *arena;
	void *object;

	CU_ASSERT_EQUAL_FATAL(lend_arena_create(&options, &arena), 0);
	CU_ASSERT_EQUAL(committed(arena), 0);
	object = lend_alloc(arena, 128 << 10);
	CU_ASSERT_PTR_NOT_NULL_FATAL(object);
	CU_ASSERT_EQUAL(committed(arena), 128 << 10);
	errno = 0;
	CU_ASSERT_PTR_NULL(lend_alloc(arena, 1));
	CU_ASSERT_EQUAL(errno, EDQUOT);
	CU_ASSERT_TRUE(detail_says("131072 of 131072 bytes used"));
	CU_ASSERT_EQUAL(committed(arena), 128 << 10);
	lend_free(arena, object);
	CU_ASSERT_PTR_NOT_NULL(lend_alloc(arena, 1)); /* room was made at once */
	CU_ASSERT(committed(arena) <= 128 << 10);
	CU_ASSERT_EQUAL(lend_arena_destroy(arena), 0);
}

CLEAN_TEST(segment_quota_used_up_comes_back_in_one_piece)
{
	struct lend_arena_options options = {.quota_bytes = 32 * MIB};
	static void *objects[4096];
	struct lend_arena *arena;
	size_t count;
	size_t i;

	CU_ASSERT_EQUAL_FATAL(lend_arena_create(&options, &arena), 0);
	for (count = 0; count < 4096; count++) {
		objects[count] = lend_alloc(arena, 60 << 10);
		if (!objects[count])
			break;
	}
	CU_ASSERT_EQUAL(errno, EDQUOT);
	CU_ASSERT(count * (64 << 10) > 31 * MIB);
	CU_ASSERT(committed(arena) <= 32 * MIB);
	for (i = 0; i < count; i++)
		lend_free(arena, objects[i]);
	CU_ASSERT_EQUAL(lend_arena_purge(arena), 0);
	CU_ASSERT_EQUAL(committed(arena), 0);
	CU_ASSERT_PTR_NOT_NULL(lend_alloc(arena, 32 * MIB));
	CU_ASSERT_EQUAL(committed(arena), 32 * MIB);
	CU_ASSERT_EQUAL(lend_arena_destroy(arena), 0);
}

CLEAN_TEST(segment_purged_gives_its_memory_back)
{
	struct lend_arena *arena;
	char *object;

	CU_ASSERT_EQUAL_FATAL(lend_arena_create(NULL, &arena), 0);
	object = lend_alloc(arena, 16 * MIB);
	CU_ASSERT_PTR_NOT_NULL_FATAL(object);
	memset(object, 1, 16 * MIB);
	CU_ASSERT(lendi_segment_resident_bytes(&arena->data) >= 16 * MIB);
	lend_free(arena, object);
	CU_ASSERT_EQUAL(lend_arena_purge(arena), 0);
	CU_ASSERT(lendi_segment_resident_bytes(&arena->data) < MIB);
	CU_ASSERT_EQUAL(lend_arena_destroy(arena), 0);
}

/* RLIMIT_FSIZE: ftruncate() past it would send SIGXFSZ, which ends a process. */
static int meet_fsize(int parent, void *argument)
{
	struct rlimit limit = {18 * MIB + 3 * 4096 + 17, RLIM_INFINITY};
	struct lend_arena *arena;
	struct leaks before;
	uint64_t made = 0;

	(void)parent, (void)argument;
	CHILD_CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
	before = leaks_count();
	CHILD_CHECK(lend_arena_create(NULL, &arena) == 0);
	errno = 0;
	CHILD_CHECK(lend_alloc(arena, 64 * MIB) == NULL);
	CHILD_CHECK(errno == ENOMEM && detail_says("RLIMIT_FSIZE"));
	while (lend_alloc(arena, 64 << 10))
		made += 64 << 10;
	CHILD_CHECK(errno == ENOMEM && detail_says("RLIMIT_FSIZE"));
	CHILD_CHECK(made >= 15 * MIB); /* up to the limit, not to the last whole step */
	CHILD_CHECK(size_of(arena->data.fd) <= limit.rlim_cur);

	limit.rlim_cur = RLIM_INFINITY;
	CHILD_CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
	CHILD_CHECK(lend_alloc(arena, 64 * MIB));
	CHILD_CHECK(lend_arena_destroy(arena) == 0);

	/* Too little for an arena at all. */
	limit.rlim_cur = MIB / 2;
	CHILD_CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
	CHILD_CHECK(lend_arena_create(NULL, &arena) == -EFBIG);
	CHILD_CHECK(detail_says("RLIMIT_FSIZE"));
	limit.rlim_cur = 2 * MIB;
	CHILD_CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
	CHILD_CHECK(lend_arena_create(NULL, &arena) == -EFBIG);
	limit.rlim_cur = 0;
	CHILD_CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
	CHILD_CHECK(lend_arena_create(NULL, &arena) == -EFBIG);
	CHILD_CHECK(leaks_since(&before) == 0);
	return 0;
}

CLEAN_TEST(segment_meets_rlimit_fsize_without_a_signal)
{
	CU_ASSERT_EQUAL(child_run(meet_fsize, NULL), 0);
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

/* Room for each part of an arena but the next: every refusal undoes what was mapped. */
static int meet_as(int parent, void *argument)
{
	const uint64_t data = LENDI_DATA_SLOT_BYTES;
	const uint64_t rooms[] = {
		64 * MIB, 1024 * MIB, data + 64 * MIB, data + LENDI_BOOKS_SLOT_BYTES + 4 * MIB};
	struct lend_arena_options small = {.reservation_bytes = 64 * MIB};
	struct rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};
	struct lend_arena *arena = NULL;
	struct leaks before;
	size_t i;

	(void)parent, (void)argument;
	if (under_valgrind()) {
		fprintf(stderr, "skip: valgrind maps what RLIMIT_AS would refuse elsewhere\n");
		return CHILD_SKIPPED;
	}
	/* One before, so that all that is made once is there. */
	CHILD_CHECK(lend_arena_create(NULL, &arena) == 0);
	CHILD_CHECK(lend_arena_destroy(arena) == 0);
	arena = NULL;
	before = leaks_count();
	for (i = 0; i < sizeof(rooms) / sizeof(rooms[0]); i++) {
		limit.rlim_cur = mapped_bytes() + rooms[i];
		CHILD_CHECK(setrlimit(RLIMIT_AS, &limit) == 0);
		CHILD_CHECK(lend_arena_create(NULL, &arena) == -ENOMEM);
		CHILD_CHECK(detail_says("mapping of"));
		CHILD_CHECK(arena == NULL);
		limit.rlim_cur = RLIM_INFINITY;
		CHILD_CHECK(setrlimit(RLIMIT_AS, &limit) == 0);
		CHILD_CHECK(leaks_since(&before) == 0);
	}
	/* A smaller reservation is the answer. */
	limit.rlim_cur = mapped_bytes() + 1024 * MIB;
	CHILD_CHECK(setrlimit(RLIMIT_AS, &limit) == 0);
	CHILD_CHECK(lend_arena_create(&small, &arena) == 0);
	CHILD_CHECK(lend_alloc(arena, 1000));
	CHILD_CHECK(lend_arena_destroy(arena) == 0);
	CHILD_CHECK(leaks_since(&before) == 0);
	return 0;
}

CLEAN_TEST(segment_meets_rlimit_as_and_leaves_nothing)
{
	CHECK_RAN(child_run(meet_as, NULL));
}

/* From no FD at all to as many as it takes. */
static int meet_nofile(int parent, void *argument)
{
	struct rlimit limit;
	struct lend_arena *arena = NULL;
	struct leaks before = leaks_count();
	unsigned spare;
	bool lent = false;
	int made = 0;
	int top;

	(void)parent, (void)argument;
	CHILD_CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
	top = dup(0);
	CHILD_CHECK(top >= 0 && close(top) == 0);
	for (spare = 0; spare < 12 && !lent; spare++) {
		struct rlimit less = {(rlim_t)top + spare, limit.rlim_max};
		int err;

		CHILD_CHECK(setrlimit(RLIMIT_NOFILE, &less) == 0);
		err = lend_arena_create(NULL, &arena);
		CHILD_CHECK(err == 0 || err == -EMFILE);
		CHILD_CHECK(err == 0 || *lend_error_detail());
		if (err == 0) {
			made++;
			lent = arena->lend_fd >= 0;
			CHILD_CHECK(lent || arena->lend_error == -EMFILE);
			CHILD_CHECK(lend_alloc(arena, 100));
			CHILD_CHECK(lend_arena_destroy(arena) == 0);
		}
		CHILD_CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
		CHILD_CHECK(leaks_since(&before) == 0);
	}
	CHILD_CHECK(lent && made >= 1);
	return 0;
}

CLEAN_TEST(segment_meets_rlimit_nofile_and_leaves_nothing)
{
	CU_ASSERT_EQUAL(child_run(meet_nofile, NULL), 0);
}

/*
 * A tmpfs of a few MiB over /dev/shm, in a mount namespace of this child alone. Where that is not
 * permitted the test says so.
 */
static int mount_small(const char *options)
{
	uid_t uid = geteuid();

	if (under_valgrind()) {
		fprintf(stderr, "skip: valgrind has no mounts of its own\n");
		return CHILD_SKIPPED;
	}
	if (unshare(CLONE_NEWNS) && (uid == 0 || unshare(CLONE_NEWUSER | CLONE_NEWNS))) {
		fprintf(stderr, "skip: no mount namespace: %s\n", strerror(errno));
		return CHILD_SKIPPED;
	}
	if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
		mount("tmpfs", "/dev/shm", "tmpfs", 0, options)) {
		fprintf(stderr, "skip: no mount of a tmpfs: %s\n", strerror(errno));
		return CHILD_SKIPPED;
	}
	return 0;
}

/* Every byte handed out is written: what the backing lacks must be NULL before, not SIGBUS then. */
static uint64_t fill(struct lend_arena *arena, size_t bytes, void **objects, size_t count_max)
{
	uint64_t count = 0;

	while (count < count_max && (objects[count] = lend_alloc(arena, bytes))) {
		memset(objects[count], 0x5a, bytes);
		count++;
	}
	return count;
}

static int use_up_tmpfs(int parent, void *argument)
{
	struct lend_arena_options options = {
		.backing = LEND_BACKING_DIRECTORY, .directory = "/dev/shm"};
	static const size_t sizes[] = {16, 500, 5000, 70000, 1000000};
	static void *objects[1 << 20];
	struct lend_arena *arena;
	struct leaks before;
	uint64_t count;
	uint64_t i;
	size_t k;
	int skipped = mount_small("size=8m");

	(void)parent, (void)argument;
	if (skipped)
		return skipped;
	before = leaks_count();
	CHILD_CHECK(lend_arena_create(&options, &arena) == 0);
	for (k = 0; k < sizeof(sizes) / sizeof(sizes[0]); k++) {
		errno = 0;
		count = fill(arena, sizes[k], objects, 1 << 20);
		CHILD_CHECK(errno == ENOMEM);
		CHILD_CHECK(detail_says("from the machine"));
		CHILD_CHECK(count * sizes[k] > 4 * MIB && count * sizes[k] < 8 * MIB);
		for (i = 0; i < count; i++)
			lend_free(arena, objects[i]);
		CHILD_CHECK(lend_arena_purge(arena) == 0);
	}
	CHILD_CHECK(committed(arena) == 0);
	CHILD_CHECK(lend_arena_destroy(arena) == 0);
	CHILD_CHECK(leaks_since(&before) == 0);
	return 0;
}

CLEAN_TEST(segment_on_a_full_tmpfs_is_null_and_never_sigbus)
{
	CHECK_RAN(child_run(use_up_tmpfs, NULL));
}

static int create_on_full(int parent, void *argument)
{
	struct lend_arena_options options = {
		.backing = LEND_BACKING_DIRECTORY, .directory = "/dev/shm"};
	struct lend_arena *arena = NULL;
	struct leaks before;
	int skipped = mount_small("size=512k");

	(void)parent, (void)argument;
	if (skipped)
		return skipped;
	before = leaks_count();
	CHILD_CHECK(lend_arena_create(&options, &arena) == -ENOSPC);
	CHILD_CHECK(detail_says("from the machine") && arena == NULL);
	CHILD_CHECK(leaks_since(&before) == 0);
	return 0;
}

CLEAN_TEST(segment_on_a_tmpfs_without_room_is_a_clean_error)
{
	CHECK_RAN(child_run(create_on_full, NULL));
}

CLEAN_TEST(segment_in_a_directory_works_and_is_not_lent)
{
	struct lend_arena_options options = {
		.backing = LEND_BACKING_DIRECTORY, .directory = "/dev/shm"};
	struct lend_arena *arena = NULL;
	int err = lend_arena_create(&options, &arena);
	char *object;

	if (err) {
		fprintf(stderr, "skip: /dev/shm: %s\n", lend_error_detail());
		return;
	}
	object = lend_alloc_zeroed(arena, 100000);
	CU_ASSERT_PTR_NOT_NULL_FATAL(object);
	memset(object, 1, 100000);
	CU_ASSERT_EQUAL(arena->lend_fd, -1);
	CU_ASSERT_EQUAL(arena->lend_error, -EOPNOTSUPP);
	CU_ASSERT(lendi_segment_resident_bytes(&arena->data) >= committed(arena));
	CU_ASSERT_EQUAL(lend_arena_destroy(arena), 0);
}

CLEAN_TEST(segment_in_a_wrong_directory_is_a_clear_error)
{
	struct lend_arena_options options = {
		.backing = LEND_BACKING_DIRECTORY, .directory = "/dev/shm/no such folder"};
	struct lend_arena *arena = NULL;

	CU_ASSERT_EQUAL(lend_arena_create(&options, &arena), -ENOENT);
	CU_ASSERT_TRUE(detail_says("no such folder"));
	options.directory = "/proc/self"; /* no tmpfs, and takes no files */
	CU_ASSERT(lend_arena_create(&options, &arena) < 0);
	CU_ASSERT_TRUE(detail_says("/proc/self"));
	options.directory = NULL;
	CU_ASSERT_EQUAL(lend_arena_create(&options, &arena), -EINVAL);
	options.backing = LEND_BACKING_MEMFD;
	options.directory = "/dev/shm";
	CU_ASSERT_EQUAL(lend_arena_create(&options, &arena), -EINVAL);
	CU_ASSERT_PTR_NULL(arena);
}

/* A root without anything in it: no /proc to reopen the data through. */
static int live_without_proc(int parent, void *argument)
{
	struct lend_arena *arena;
	const void *base;
	uint64_t bytes;
	char *object;
	int skipped = mount_small("size=1m");

	(void)parent, (void)argument;
	if (skipped)
		return skipped;
	CHILD_CHECK(chroot("/dev/shm") == 0 && chdir("/") == 0);
	CHILD_CHECK(lend_arena_create(NULL, &arena) == 0);
	CHILD_CHECK(arena->lend_fd == -1);
	CHILD_CHECK(arena->lend_error == -ENOENT);
	object = lend_alloc(arena, 10 * MIB);
	CHILD_CHECK(object);
	memset(object, 1, 10 * MIB);
	CHILD_CHECK(lend_arena_range(arena, &base, &bytes) == 0 && bytes >= 10 * MIB);
	lend_free(arena, object);
	CHILD_CHECK(lend_arena_purge(arena) == 0);
	CHILD_CHECK(lend_arena_destroy(arena) == 0);
	return 0;
}

CLEAN_TEST(segment_without_proc_works_and_says_why_it_cannot_be_lent)
{
	CHECK_RAN(child_run(live_without_proc, NULL));
}

static const struct suite_test tests[] = {
	SUITE_TEST(segment_is_sealed_and_its_user_s_alone),
	SUITE_TEST(segment_grows_in_steps_and_never_past_its_reservation),
	SUITE_TEST(segment_grown_by_several_threads_is_as_large_as_each_was_told),
	SUITE_TEST(segment_backed_up_front_has_its_memory_and_gives_it_back),
	SUITE_TEST(segment_map_at_leaves_what_is_mapped_there),
	SUITE_TEST(segment_lent_is_read_only),
	SUITE_TEST(segment_of_an_arena_is_no_larger_than_its_use),
	SUITE_TEST(segment_quota_is_exact),
	SUITE_TEST(segment_quota_used_up_comes_back_in_one_piece),
	SUITE_TEST(segment_purged_gives_its_memory_back),
	SUITE_TEST(segment_meets_rlimit_fsize_without_a_signal),
	SUITE_TEST(segment_meets_rlimit_as_and_leaves_nothing),
	SUITE_TEST(segment_meets_rlimit_nofile_and_leaves_nothing),
	SUITE_TEST(segment_on_a_full_tmpfs_is_null_and_never_sigbus),
	SUITE_TEST(segment_on_a_tmpfs_without_room_is_a_clean_error),
	SUITE_TEST(segment_in_a_directory_works_and_is_not_lent),
	SUITE_TEST(segment_in_a_wrong_directory_is_a_clear_error),
	SUITE_TEST(segment_without_proc_works_and_says_why_it_cannot_be_lent),
};

SUITE_MAIN("segment", tests)
