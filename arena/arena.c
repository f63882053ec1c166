/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "arena/table.h"
#include "os/os.h"

#define DATA_STEP_BYTES  (UINT64_C(4) << 20)
#define BOOKS_STEP_BYTES (UINT64_C(2) << 20)

uint64_t lendi_arena_layout(void)
{
	static const uint64_t numbers[] = {
		LENDI_LAYOUT_VERSION,
		LENDI_HEADER_BYTES,
		LENDI_BOOKS_SLOT_BYTES,
		LEND_SLOT_BYTES,
		sizeof(struct lend_arena_shm),
		offsetof(struct lend_arena_shm, identity),
		offsetof(struct lend_arena_shm, data_bytes),
		offsetof(struct lend_arena_shm, name),
		LENDI_ROOT_INDEX_AT,
		LENDI_ROOT_INDEX_COUNT,
		LENDI_ROOT_ENTRY_AT,
		LENDI_ROOT_ENTRY_COUNT,
		sizeof(struct lend_root_shm),
		offsetof(struct lend_root_shm, type_name),
		offsetof(struct lend_root_shm, object),
		sizeof(struct lend_books_shm),
		offsetof(struct lend_books_shm, blocks),
	};
	uint64_t hash = LEND_LAYOUT_SEED;
	size_t i;

	for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		hash = lend_layout_fold(hash, numbers[i]);
	return hash;
}

static int check_options(const struct lend_arena_options *options)
{
	if (options->struct_bytes && options->struct_bytes < sizeof(*options))
		return lendi_fail(-EINVAL, "options of %zu bytes, of %zu at least",
			options->struct_bytes, sizeof(*options));
	if (options->struct_bytes > sizeof(*options))
		return lendi_fail(-EINVAL, "options of %zu bytes are a later version's",
			options->struct_bytes);
	if (options->name && strlen(options->name) > LEND_ARENA_NAME_BYTES_MAX)
		return lendi_fail(-EINVAL, "arena name of %zu bytes, at most %u",
			strlen(options->name), LEND_ARENA_NAME_BYTES_MAX);
	if (options->commit > LEND_COMMIT_UP_FRONT)
		return lendi_fail(-EINVAL, "commit policy %u is unknown", options->commit);
	if (options->cache > LEND_CACHE_LEAN)
		return lendi_fail(-EINVAL, "cache profile %u is unknown", options->cache);
	if (options->backing > LEND_BACKING_DIRECTORY)
		return lendi_fail(-EINVAL, "backing %u is unknown", options->backing);
	if ((options->backing == LEND_BACKING_DIRECTORY) != (options->directory != NULL))
		return lendi_fail(
			-EINVAL, "a directory is for LEND_BACKING_DIRECTORY, and needed there");
	if (options->huge_pages > LEND_HUGE_PAGES_NEVER)
		return lendi_fail(
			-EINVAL, "huge page policy %u is unknown", options->huge_pages);
	return 0;
}

/* The run an arena of this many heap bytes needs, and where data and books lie in it. */
static int plan_run(const struct lend_arena_options *options, struct lend_arena *arena)
{
	uint64_t wanted = options->reservation_bytes;
	uint32_t count = 1;

	if (wanted == 0)
		wanted = LENDI_DATA_SLOT_BYTES - LENDI_HEADER_BYTES;
	while (count <= LENDI_RUN_SLOTS_MAX &&
		count * LENDI_DATA_SLOT_BYTES - LENDI_HEADER_BYTES < wanted)
		count *= 2;
	if (count > LENDI_RUN_SLOTS_MAX || count > lendi_window()->slot_count)
		return lendi_fail(-EINVAL,
			"reservation of %llu bytes is more than a run can have",
			(unsigned long long)wanted);

	arena->slot_count = count;
	arena->heap_bytes = (wanted + LENDI_HEADER_BYTES - 1) & ~(LENDI_HEADER_BYTES - 1);
	arena->data_bytes = LENDI_HEADER_BYTES + arena->heap_bytes;
	arena->books_bytes = count * LENDI_BOOKS_SLOT_BYTES;
	arena->quota_bytes = options->quota_bytes ? options->quota_bytes : arena->heap_bytes;
	return 0;
}

/* With strict overcommit a page the machine lacks is SIGBUS at its touch, whatever the file. */
static bool overcommit_is_strict(void)
{
	char mode = '0';
	int fd = lendi_os.open("/proc/sys/vm/overcommit_memory", O_RDONLY | O_CLOEXEC, 0);

	if (fd >= 0)
		(void)lendi_os.read(fd, &mode, 1);
	lendi_close(fd);
	return mode == '2';
}

/*
 * The FD that borrowers get. Reopened once, now: later the process may have dropped the rights
 * that a reopen needs. Without /proc an arena works but cannot be lent.
 */
static void open_for_borrowers(struct lend_arena *arena)
{
	char path[32];

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", arena->data.fd);
	arena->lend_fd = lendi_os.open(path, O_RDONLY | O_CLOEXEC, 0);
	arena->lend_error = arena->lend_fd < 0 ? -errno : 0;
}

static int make_files(const struct lend_arena_options *options, struct lend_arena *arena)
{
	bool fallocates = options->commit == LEND_COMMIT_UP_FRONT || overcommit_is_strict();
	int err;

	if (options->backing == LEND_BACKING_DIRECTORY)
		err = lendi_segment_create_in(
			options->directory, arena->data_bytes, DATA_STEP_BYTES, &arena->data);
	else
		err = lendi_segment_create("lendheap-data", arena->data_bytes, DATA_STEP_BYTES,
			fallocates, &arena->data);
	if (err)
		return err;

	err = lendi_segment_create("lendheap-books", arena->books_bytes, BOOKS_STEP_BYTES,
		fallocates || options->backing == LEND_BACKING_DIRECTORY, &arena->books_file);
	if (err)
		goto close_data;
	err = lendi_fence_create(&arena->fence);
	if (err)
		goto close_books;
	if (options->backing == LEND_BACKING_MEMFD)
		open_for_borrowers(arena);
	else
		arena->lend_error = -EOPNOTSUPP; /* not sealed: borrowers would refuse it */

	/*
	 * What is written without asking again: headers, roots, and the page map of the data with the
	 * word behind it, which jemalloc reads for a neighbour.
	 */
	err = lendi_segment_commit(&arena->data, 0, LENDI_ROOTS_END);
	if (!err)
		err = lendi_segment_commit(
			&arena->books_file, 0, sizeof(struct lend_books_shm));
	if (!err)
		err = lendi_segment_commit(&arena->books_file, LENDI_HEADER_BYTES,
			arena->data_bytes / LENDI_PAGE_BYTES * 8 + LENDI_PAGE_BYTES);
	if (err)
		goto release_fence;
	return 0;
release_fence:
	lendi_close(arena->lend_fd);
	lendi_fence_release(&arena->fence);
close_books:
	lendi_segment_close(&arena->books_file);
close_data:
	lendi_segment_close(&arena->data);
	return err;
}

static void close_files(struct lend_arena *arena)
{
	/* Something else closed our FDs: the numbers may be the application's files by now. */
	if (!lendi_fence_is_there(&arena->fence)) {
		lendi_fence_abandon(&arena->fence);
		return;
	}
	lendi_close(arena->lend_fd);
	lendi_fence_release(&arena->fence);
	lendi_segment_close(&arena->books_file);
	lendi_segment_close(&arena->data);
	/* Last: only now may another process take the slots. */
	lendi_run_release(arena->claims, arena->placed ? arena->slot_count : 0);
}

static void unmap_run(struct lend_arena *arena)
{
	const struct lend_window *window = lendi_window();

	lendi_unmap(
		lendi_leaf_at(window, arena->slot), arena->slot_count * LENDI_LEAF_SLOT_BYTES);
	lendi_unmap(arena->books, arena->books_bytes);
	lendi_unmap(arena->base, arena->data_bytes);
}

/* Map data, books and page map at a run, or nothing. */
static int map_run(struct lend_arena *arena, uint32_t slot)
{
	const struct lend_window *window = lendi_window();
	const uint64_t leaf_bytes = arena->slot_count * LENDI_LEAF_SLOT_BYTES;
	const int rw = PROT_READ | PROT_WRITE;
	uintptr_t leaf = lendi_leaf_at(window, slot);
	int err;

	arena->slot = slot;
	arena->home_slot = slot;
	arena->base = lendi_slot_at(window, slot);
	arena->books = arena->base + arena->slot_count * LENDI_DATA_SLOT_BYTES;
	arena->heap_base = arena->base + LENDI_HEADER_BYTES;
	arena->data.base = arena->base;

	err = lendi_map_at(arena->base, arena->data_bytes, rw, arena->data.fd, 0);
	if (err)
		return err;
	err = lendi_map_at(arena->books, arena->books_bytes, rw, arena->books_file.fd, 0);
	if (err)
		goto unmap_data;
	err = lendi_map_at(leaf, leaf_bytes, rw, arena->books_file.fd, LENDI_HEADER_BYTES);
	if (err)
		goto unmap_books;

	/* A forked child has no use for the books, and must not write them. */
	if (lendi_os.madvise((void *)arena->books, arena->books_bytes, MADV_DONTFORK) ||
		lendi_os.madvise((void *)leaf, leaf_bytes, MADV_DONTFORK)) {
		err = lendi_fail_errno(-errno, "MADV_DONTFORK of the books");
		goto unmap_leaf;
	}
	return 0;
unmap_leaf:
	lendi_unmap(leaf, leaf_bytes);
unmap_books:
	lendi_unmap(arena->books, arena->books_bytes);
unmap_data:
	lendi_unmap(arena->base, arena->data_bytes);
	return err;
}

/* Enter it in the table, or unmap it: a small arena of another network namespace may lie there. */
static bool enter_run(struct lend_arena *arena)
{
	bool entered;

	lendi_table_lock();
	entered = lendi_table_put(arena);
	lendi_table_unlock();
	if (!entered)
		unmap_run(arena);
	return entered;
}

/*
 * Find a run that nobody has claimed and where nothing of this process lies. The search starts at
 * a random run: processes in other network namespaces do not see our claims, and spread so.
 */
static int place_run(struct lend_arena *arena)
{
	const uint32_t count = arena->slot_count;
	const uint32_t runs = lendi_window()->slot_count / count;
	uint32_t start;
	uint32_t i;
	int err;

	err = lendi_random(&start, sizeof(start));
	if (err)
		return err;
	for (i = 0; i < runs; i++) {
		uint32_t slot = (start % runs + i) % runs * count;

		err = lendi_run_claim(slot, count, arena->claims);
		if (err == -EADDRINUSE)
			continue;
		if (err)
			return err;
		err = map_run(arena, slot);
		if (!err && enter_run(arena)) {
			arena->placed = true;
			return 0;
		}
		lendi_run_release(arena->claims, count);
		if (!err)
			continue;
		if (err != -EADDRINUSE)
			return err;
	}
	return lendi_fail(-EADDRINUSE, "none of %u runs of %u slots is free", runs, count);
}

static void write_headers(struct lend_arena *arena, const struct lend_arena_options *options)
{
	struct lend_arena_shm *head = (struct lend_arena_shm *)arena->base;
	struct lend_books_shm *books = (struct lend_books_shm *)arena->books;
	const struct lend_window *window = lendi_window();

	head->version = LENDI_LAYOUT_VERSION;
	head->slot = arena->slot;
	head->slot_count = arena->slot_count;
	head->backing = options->backing;
	head->layout = lendi_arena_layout();
	head->identity = arena->identity;
	lend_store_relaxed64(&head->incarnation, arena->incarnation); /* before ARENA */
	head->window_base = window->base;
	head->data_bytes = arena->data_bytes;
	memcpy(head->name, arena->name, sizeof(head->name));
	memcpy(head->domain, window->domain, sizeof(head->domain));

	books->version = LENDI_LAYOUT_VERSION;
	books->slot = arena->slot;
	books->layout = lendi_arena_layout();
	books->identity = arena->identity;
	lend_store_relaxed64(&books->incarnation, arena->incarnation); /* before BOOKS */
	lend_store_relaxed64(&books->block_end,
		LENDI_HEADER_BYTES + arena->slot_count * LENDI_LEAF_SLOT_BYTES);
	books->quota_bytes = arena->quota_bytes;
	books->commit = options->commit;
	books->cache = options->cache;
	LEND_CRASHPOINT("arena.create.filled");
	/* BOOKS: release; what a successor reads is whole. */
	lend_store_release64(&books->magic, LENDI_BOOKS_MAGIC);
}

int lendi_arena_create(const struct lend_arena_options *options, struct lend_arena **out_arena)
{
	struct lend_arena *arena;
	int err;

	err = lendi_machine_check();
	if (!err)
		err = check_options(options);
	if (err)
		return err;

	arena = lendi_table_take_handle();
	if (!arena)
		return lendi_fail(-ENOMEM, "handle of an arena");
	arena->fixed = true;
	arena->incarnation = 1;
	arena->cache_profile = options->cache;
	arena->fork_epoch = lendi_fork_epoch();
	arena->generation = lendi_table_next_generation();
	lendi_huge_init(&arena->huge, options->huge_pages == LEND_HUGE_PAGES_GROWING &&
					      options->cache == LEND_CACHE_FAST);
	if (options->name)
		memcpy(arena->name, options->name, strlen(options->name));

	err = plan_run(options, arena);
	if (!err)
		err = lendi_random(&arena->identity, sizeof(arena->identity));
	if (err)
		goto give_handle;
	arena->claims = malloc(arena->slot_count * sizeof(int));
	if (!arena->claims) {
		err = lendi_fail(-ENOMEM, "claims of %u slots", arena->slot_count);
		goto give_handle;
	}
	err = make_files(options, arena);
	if (err)
		goto free_claims;
	err = place_run(arena);
	if (err)
		goto close_files;

	write_headers(arena, options);
	*out_arena = arena;
	return 0;
close_files:
	close_files(arena);
free_claims:
	free(arena->claims);
give_handle:
	lendi_huge_fini(&arena->huge);
	lendi_table_give_handle(arena);
	return err;
}

void lendi_arena_publish(struct lend_arena *arena)
{
	struct lend_arena_shm *head = (struct lend_arena_shm *)arena->base;

	lendi_table_lock();
	arena->role = LENDI_OWNED;
	lendi_table_unlock();
	LEND_CRASHPOINT("arena.create.placed");
	/* ARENA: release; who attaches finds the header and an empty heap. */
	lend_store_release64(&head->magic, LENDI_ARENA_MAGIC);
}

void lendi_arena_destroy(struct lend_arena *arena)
{
	struct lend_arena_shm *head = (struct lend_arena_shm *)arena->base;
	struct lend_books_shm *books = (struct lend_books_shm *)arena->books;

	/* Nobody may attach to, or take over, what is about to go. */
	lend_store_release64(&books->magic, 0);
	lend_store_release64(&head->magic, 0);
	LEND_CRASHPOINT("arena.destroy.cleared");
	lendi_table_lock();
	lendi_table_remove(arena);
	lendi_table_unlock();

	unmap_run(arena);
	LEND_CRASHPOINT("arena.destroy.unmapped");
	close_files(arena);
	free(arena->claims);
	lendi_huge_fini(&arena->huge);
	lendi_table_give_handle(arena);
}

int lendi_arena_check_owned(const struct lend_arena *arena)
{
	if (!arena)
		return lendi_fail(-EINVAL, "arena is NULL");
	if (arena->role == LENDI_NONE)
		return lendi_fail(-ESTALE, "the arena was destroyed or closed");
	if (arena->role == LENDI_BORROWED)
		return lendi_fail(-EPERM, "arena \"%s\" is borrowed: read-only", arena->name);
	if (arena->fork_epoch != lendi_fork_epoch())
		return lendi_fail(-EPERM,
			"arena \"%s\" is the parent's: a forked child reads only", arena->name);
	return 0;
}

/*
 * Before each system call that changes a file of the arena the kernel is asked whether we still
 * hold the fence. What closed it (closefrom, a careless close) dropped its lock in silence, and
 * may have closed our other FDs too: their numbers can be files of the application by now.
 */
static int check_fence(const struct lend_arena *arena)
{
	if (lendi_fence_held(&arena->fence))
		return 0;
	return lendi_fail(-EPERM, "the lock that proves the ownership of arena \"%s\" is gone",
		arena->name);
}

int lendi_arena_commit(struct lend_arena *arena, uintptr_t address, uint64_t bytes)
{
	uint64_t used = lend_load_relaxed64(&arena->committed_bytes);
	uint64_t end = address + bytes - arena->base;
	int err;

	/* Without growth or fallocate the files are not touched, and nothing is asked. */
	if (LEND_UNLIKELY(end > lend_load_relaxed64(&arena->data.file_bytes) ||
			  arena->data.fallocates)) {
		err = check_fence(arena);
		if (err)
			return err;
	}

	/* Relaxed: the count orders nothing; the exchange makes it exact. */
	do {
		if (used + bytes > arena->quota_bytes)
			return lendi_fail(-EDQUOT,
				"quota of arena \"%s\": %llu of %llu bytes used, %llu more "
				"asked",
				arena->name, (unsigned long long)used,
				(unsigned long long)arena->quota_bytes,
				(unsigned long long)bytes);
	} while (!__atomic_compare_exchange_n(&arena->committed_bytes.raw, &used, used + bytes,
		true, __ATOMIC_RELAXED, __ATOMIC_RELAXED));

	err = lendi_segment_grow(&arena->data, end);
	if (!err) {
		lendi_huge_commit(&arena->huge, &arena->data, end - bytes, bytes);
		err = lendi_segment_commit(&arena->data, end - bytes, bytes);
	}
	if (err)
		(void)__atomic_sub_fetch(&arena->committed_bytes.raw, bytes, __ATOMIC_RELAXED);
	return err;
}

int lendi_arena_decommit(struct lend_arena *arena, uintptr_t address, uint64_t bytes)
{
	int err = check_fence(arena);

	if (!err)
		err = lendi_huge_decommit(
			&arena->huge, &arena->data, address - arena->base, bytes);
	if (!err)
		(void)__atomic_sub_fetch(&arena->committed_bytes.raw, bytes, __ATOMIC_RELAXED);
	return err;
}

/* The next bytes of the books, entered in the block table. books_lock is held. */
static int add_block_locked(struct lend_arena *arena, uint64_t bytes, uint64_t *out_at)
{
	struct lend_books_shm *books = (struct lend_books_shm *)arena->books;
	uint32_t index = lend_load_relaxed32(&books->block_count);
	uint64_t at = lend_load_relaxed64(&books->block_end);
	struct lend_base_block_shm *block;
	int err;

	if (index >= LENDI_BASE_BLOCKS_MAX || bytes > arena->books_bytes - at)
		return lendi_fail(-ENOMEM,
			"books of arena \"%s\": %llu of %llu bytes used, %u blocks",
			arena->name, (unsigned long long)at,
			(unsigned long long)arena->books_bytes, index);
	err = check_fence(arena);
	if (!err)
		err = lendi_segment_commit(&arena->books_file, at, bytes);
	if (err)
		return err;

	block = &books->blocks[index];
	block->at = at;
	block->incarnation = arena->incarnation;
	LEND_CRASHPOINT("books.block.filled");
	/* BLOCK: release; a rebuild that sees the count sees the block. */
	lend_store_release64(&block->bytes, bytes);
	lend_store_release64(&books->block_end, at + bytes);
	lend_store_release32(&books->block_count, index + 1);
	*out_at = at;
	return 0;
}

int lendi_arena_add_base_block(struct lend_arena *arena, uint64_t bytes, void **out_block)
{
	uint64_t at = 0;
	int err;

	/* Not a hot path: a block is 2 MiB of metadata, for some 64 MiB of small objects. */
	(void)pthread_mutex_lock(&arena->books_lock);
	err = add_block_locked(arena, bytes, &at);
	(void)pthread_mutex_unlock(&arena->books_lock);
	if (!err)
		*out_block = (void *)(arena->books + at);
	return err;
}

const char *lend_arena_name(const struct lend_arena *arena)
{
	return arena->name;
}

struct lend_identity lend_arena_identity(const struct lend_arena *arena)
{
	return arena->identity;
}

uint64_t lend_arena_incarnation(const struct lend_arena *arena)
{
	return arena->incarnation;
}

int lend_arena_is_fixed(const struct lend_arena *arena)
{
	return arena->fixed;
}

static bool is_owned(const struct lend_arena *arena)
{
	return arena->role == LENDI_OWNED && arena->fork_epoch == lendi_fork_epoch();
}

int lend_arena_is_owned(const struct lend_arena *arena)
{
	return is_owned(arena);
}

int lend_arena_owns(const void *pointer)
{
	const struct lend_arena *arena =
		lendi_table_at(lendi_slot_of(lendi_window(), (uintptr_t)pointer));

	return arena && is_owned(arena);
}

int lendi_arena_file_bytes(const struct lend_arena *arena, uint64_t *out_bytes)
{
	struct stat status;
	uint64_t bytes;

	/* The file's own size: the header's word is the owner's, who may lie. */
	if (lendi_os.fstat(arena->data.fd, &status))
		return lendi_fail_errno(-errno, "size of arena \"%s\"", arena->name);
	bytes = (uint64_t)status.st_size;
	*out_bytes = bytes < arena->data_bytes ? bytes : arena->data_bytes;
	return 0;
}

int lendi_arena_check_exists(const struct lend_arena *arena, uint64_t end)
{
	struct lendi_segment *data = (struct lendi_segment *)(uintptr_t)&arena->data;
	uint64_t bytes;
	int err;

	/* Relaxed: a number of the kernel's; the memory it speaks of is there for every thread. */
	if (end <= lend_load_relaxed64(&data->file_bytes))
		return 0;
	err = lendi_arena_file_bytes(arena, &bytes);
	if (err)
		return err;
	if (arena->role == LENDI_BORROWED)
		lend_store_relaxed64(&data->file_bytes, bytes);
	if (end > bytes)
		return lendi_fail(-EUCLEAN, "byte %llu of arena \"%s\", which has %llu",
			(unsigned long long)end, arena->name, (unsigned long long)bytes);
	return 0;
}

int lend_arena_range(const struct lend_arena *arena, const void **out_base, uint64_t *out_bytes)
{
	uint64_t bytes;
	int err;

	if (arena->role == LENDI_NONE)
		return lendi_fail(-ESTALE, "the arena was destroyed or closed");
	err = lendi_arena_file_bytes(arena, &bytes);
	if (err)
		return err;
	*out_base = (const void *)arena->base;
	*out_bytes = bytes;
	return 0;
}
