/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/mman.h>

#include "arena/segment.h"

#include "arena/layout.h"

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22 /* Linux 5.14 */
#endif
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25 /* Linux 6.1 */
#endif

static void init_segment(struct lendi_segment *segment, int fd, uint64_t reserved_bytes,
	uint64_t step_bytes, bool fallocates)
{
	memset(segment, 0, sizeof(*segment));
	segment->fd = fd;
	segment->fallocates = fallocates;
	segment->reserved_bytes = reserved_bytes;
	segment->step_bytes = step_bytes;
	(void)pthread_mutex_init(&segment->growing, NULL);
}

int lendi_segment_create(const char *name, uint64_t reserved_bytes, uint64_t step_bytes,
	bool fallocates, struct lendi_segment *out_segment)
{
	void *seals = (void *)(uintptr_t)(F_SEAL_SHRINK | F_SEAL_SEAL);
	int fd;
	int err;

	err = lendi_memfd(name, &fd);
	if (err)
		return err;
	if (lendi_os.fcntl(fd, F_ADD_SEALS, seals)) {
		err = lendi_fail_errno(-errno, "seals of %s", name);
		lendi_close(fd);
		return err;
	}
	init_segment(out_segment, fd, reserved_bytes, step_bytes, fallocates);
	return 0;
}

int lendi_segment_create_in(const char *directory, uint64_t reserved_bytes, uint64_t step_bytes,
	struct lendi_segment *out_segment)
{
	struct statfs status;
	int fd;
	int err;

	fd = lendi_os.open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd < 0)
		return lendi_fail_errno(-errno, "unnamed file in %s", directory);
	if (lendi_os.fstatfs(fd, &status))
		err = lendi_fail_errno(-errno, "file system of %s", directory);
	else if (status.f_type != TMPFS_MAGIC)
		err = lendi_fail(-EINVAL, "%s is on a file system of type 0x%lx, not a tmpfs",
			directory, (unsigned long)status.f_type);
	else
		err = 0;
	if (err) {
		lendi_close(fd);
		return err;
	}
	init_segment(out_segment, fd, reserved_bytes, step_bytes, true);
	return 0;
}

void lendi_segment_close(struct lendi_segment *segment)
{
	lendi_close(segment->fd);
	segment->fd = -1;
	(void)pthread_mutex_destroy(&segment->growing);
}

static int grow_locked(struct lendi_segment *segment, uint64_t end)
{
	uint64_t wanted =
		(end + segment->step_bytes - 1) / segment->step_bytes * segment->step_bytes;
	struct rlimit limit;

	if (wanted > segment->reserved_bytes)
		wanted = segment->reserved_bytes;
	/* Past RLIMIT_FSIZE ftruncate() kills the process with SIGXFSZ: stop short of it. */
	if (lendi_os.getrlimit(RLIMIT_FSIZE, &limit) == 0 && wanted > limit.rlim_cur) {
		wanted = limit.rlim_cur & ~(uint64_t)4095;
		if (wanted < end)
			return lendi_fail(-EFBIG, "%llu bytes are past RLIMIT_FSIZE, %llu",
				(unsigned long long)end, (unsigned long long)limit.rlim_cur);
	}
	if (lendi_os.ftruncate(segment->fd, (off_t)wanted))
		return lendi_fail_errno(
			-errno, "segment of %llu bytes", (unsigned long long)wanted);
	/* SIZE: release; a thread that reads the new size may touch up to it. */
	lend_store_release64(&segment->file_bytes, wanted);
	return 0;
}

/* Small enough that a kernel before 6.8, which gives up at any signal, gets one done. */
#define FALLOCATE_BYTES (UINT64_C(2) << 20)

static int fallocate_piece(int fd, int mode, uint64_t offset, uint64_t bytes)
{
	int failed;

	/* Interrupted, tmpfs keeps nothing of it; asking again is all there is to do. */
	do {
		failed = lendi_os.fallocate(fd, mode, (off_t)offset, (off_t)bytes);
	} while (failed && errno == EINTR);
	return failed ? -errno : 0;
}

/* Memory for all of it, or for none. */
static int back(int fd, uint64_t offset, uint64_t bytes)
{
	uint64_t done = 0;
	int err = 0;

	while (!err && done < bytes) {
		uint64_t piece =
			bytes - done < FALLOCATE_BYTES ? bytes - done : FALLOCATE_BYTES;

		err = fallocate_piece(fd, FALLOC_FL_KEEP_SIZE, offset + done, piece);
		if (!err)
			done += piece;
	}
	if (err) /* it was not in use before, so nothing is lost */
		(void)fallocate_piece(
			fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, bytes);
	return err;
}

int lendi_segment_grow(struct lendi_segment *segment, uint64_t end)
{
	int err = 0;

	/* SIZE: acquire, see grow_locked(). */
	if (LEND_LIKELY(end <= lend_load_acquire64(&segment->file_bytes)))
		return 0;
	(void)pthread_mutex_lock(&segment->growing);
	if (end > lend_load_relaxed64(&segment->file_bytes))
		err = grow_locked(segment, end);
	(void)pthread_mutex_unlock(&segment->growing);
	return err;
}

int lendi_segment_commit(struct lendi_segment *segment, uint64_t offset, uint64_t bytes)
{
	int err = lendi_segment_grow(segment, offset + bytes);

	if (err || !segment->fallocates)
		return err;

	err = back(segment->fd, offset, bytes);
	if (err)
		return lendi_fail_errno(
			err, "%llu bytes from the machine", (unsigned long long)bytes);
	return 0;
}

int lendi_segment_punch(struct lendi_segment *segment, uint64_t offset, uint64_t bytes)
{
	int err = fallocate_piece(
		segment->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, bytes);

	if (err)
		return lendi_fail_errno(err, "hole of %llu bytes", (unsigned long long)bytes);
	return 0;
}

int lendi_segment_take_huge(struct lendi_segment *segment, uint64_t offset)
{
	void *at = (void *)(segment->base + offset);

	if (offset + LENDI_HUGE_PAGE_BYTES >
		lend_load_acquire64(&segment->file_bytes)) /* SIZE */
		return -EFBIG;
	/* Of no page at all the kernel makes no huge one; and a touch could be SIGBUS. */
	if (lendi_os.madvise(at, LENDI_PAGE_BYTES, MADV_POPULATE_READ) ||
		lendi_os.madvise(at, LENDI_HUGE_PAGE_BYTES, MADV_COLLAPSE))
		return -errno;
	return 0;
}

uint64_t lendi_segment_resident_bytes(const struct lendi_segment *segment)
{
	struct stat status;

	if (lendi_os.fstat(segment->fd, &status))
		return 0;
	return (uint64_t)status.st_blocks * 512;
}

int lendi_map_at(uintptr_t at, uint64_t bytes, int prot, int fd, uint64_t offset)
{
	void *wanted = (void *)at;
	void *got = lendi_os.mmap(wanted, bytes, prot,
		MAP_SHARED | MAP_FIXED_NOREPLACE | MAP_NORESERVE, fd, (off_t)offset);

	if (got == MAP_FAILED) {
		if (errno == EEXIST)
			return lendi_fail(-EADDRINUSE, "0x%llx is mapped already",
				(unsigned long long)at);
		return lendi_fail_errno(-errno, "mapping of %llu bytes at 0x%llx",
			(unsigned long long)bytes, (unsigned long long)at);
	}
	if (got != wanted) {
		/* A kernel before 4.17 takes the address as a hint. */
		(void)lendi_os.munmap(got, bytes);
		return lendi_fail(
			-EADDRINUSE, "0x%llx is not to be had", (unsigned long long)at);
	}
	/* Only what the user asks for goes into core dumps: a reader's must not fill our memory. */
	(void)lendi_os.madvise(got, bytes, MADV_DONTDUMP);
	return 0;
}

void lendi_unmap(uintptr_t at, uint64_t bytes)
{
	if (at)
		(void)lendi_os.munmap((void *)at, bytes);
}
