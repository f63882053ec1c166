/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#include "arena/fence.h"
#include "os/os.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct lendi_fence *locked;

static void take_lock(void)
{
	(void)pthread_mutex_lock(&lock);
}

static void give_lock(void)
{
	(void)pthread_mutex_unlock(&lock);
}

static void watch_forks(void)
{
	(void)pthread_atfork(take_lock, give_lock, give_lock);
}

/* A forked child inherits the list, but none of the locks: those entries are its parent's. */
static struct lendi_fence *find_locked(uint64_t inode)
{
	const uint64_t epoch = lendi_fork_epoch();
	struct lendi_fence *fence = locked;

	while (fence && (fence->inode != inode || fence->fork_epoch != epoch))
		fence = fence->next;
	return fence;
}

static int inode_of(int fd, uint64_t *out_inode)
{
	struct stat status;

	if (lendi_os.fstat(fd, &status))
		return lendi_fail_errno(-errno, "status of a fence");
	/* All memfds lie on one device, the kernel's own tmpfs. */
	*out_inode = status.st_ino;
	return 0;
}

static int lock_file(int fd)
{
	struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	if (lendi_os.fcntl(fd, F_SETLK, &whole) == 0)
		return 0;
	if (errno == EAGAIN || errno == EACCES)
		return lendi_fail(-EBUSY, "the arena is owned by another process");
	return lendi_fail_errno(-errno, "lock of a fence");
}

int lendi_fence_lock(int fd, struct lendi_fence *out_fence)
{
	uint64_t inode = 0;
	int err;

	err = inode_of(fd, &inode);
	if (err)
		return err;

	(void)pthread_once(&once, watch_forks);
	take_lock();
	err = find_locked(inode)
		      ? lendi_fail(-EBUSY, "the arena is owned by this process already")
		      : lock_file(fd);
	if (err == 0) {
		out_fence->fd = fd;
		out_fence->inode = inode;
		out_fence->pid = lendi_os.getpid();
		out_fence->fork_epoch = lendi_fork_epoch();
		out_fence->next = locked;
		locked = out_fence;
	}
	give_lock();
	return err;
}

int lendi_fence_create(struct lendi_fence *out_fence)
{
	int fd;
	int err;

	err = lendi_memfd("lendheap-fence", &fd);
	if (err)
		return err;
	err = lendi_fence_lock(fd, out_fence);
	if (err)
		lendi_close(fd);
	return err;
}

/* Take it off the list. The lock of the list is held. */
static void unlink_fence(struct lendi_fence *fence)
{
	struct lendi_fence **link;

	for (link = &locked; *link && *link != fence;)
		link = &(*link)->next;
	if (*link)
		*link = fence->next;
}

void lendi_fence_release(struct lendi_fence *fence)
{
	take_lock();
	unlink_fence(fence);
	/* Under the lock: this close drops whatever lock of the file the process has by then. */
	lendi_close(fence->fd);
	give_lock();
	fence->fd = -1;
	fence->inode = 0;
}

void lendi_fence_abandon(struct lendi_fence *fence)
{
	take_lock();
	unlink_fence(fence);
	give_lock();
	fence->fd = -1;
	fence->inode = 0;
}

bool lendi_fence_is_there(const struct lendi_fence *fence)
{
	struct stat status;

	if (lendi_os.fstat(fence->fd, &status))
		return errno != EBADF; /* a failure that says nothing of the FD */
	return status.st_ino == fence->inode;
}

bool lendi_fence_held(const struct lendi_fence *fence)
{
	struct flock probe = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	/*
	 * An open-file-description lock conflicts with our own POSIX lock, so asking for one shows
	 * who holds it; F_GETLK would show us only the locks of others. The process that locked it is
	 * ours even where getpid() differs: a vfork child is served as the owner. A forked one is not.
	 */
	if (fence->fork_epoch != lendi_fork_epoch() ||
		lendi_os.fcntl(fence->fd, F_OFD_GETLK, &probe))
		return false;
	if (probe.l_type != F_WRLCK || probe.l_pid != fence->pid)
		return false;
	/* The number may be another file by now, one that the application has locked. */
	return lendi_fence_is_there(fence);
}
