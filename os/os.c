/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "os/os.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U /* Linux 6.3 */
#endif

/* The C library's open and fcntl are variadic, and pidfd_open is younger than Debian 12's. */
static int call_open(const char *path, int flags, mode_t mode)
{
	return open(path, flags, mode);
}

static int call_fcntl(int fd, int command, void *argument)
{
	return fcntl(fd, command, argument);
}

static int call_pidfd_open(pid_t pid, unsigned flags)
{
	return (int)syscall(SYS_pidfd_open, pid, flags);
}

static int call_getrlimit(int resource, struct rlimit *limit)
{
	return getrlimit((__rlimit_resource_t)resource, limit);
}

#ifndef LEND_CRASHPOINTS
const
#endif
	struct lendi_os_calls lendi_os = {
		.memfd_create = memfd_create,
		.open = call_open,
		.close = close,
		.ftruncate = ftruncate,
		.fallocate = fallocate,
		.fstat = fstat,
		.fstatfs = fstatfs,
		.fchmod = fchmod,
		.fcntl = call_fcntl,
		.pread = pread,
		.read = read,
		.write = write,
		.unlink = unlink,
		.lstat = lstat,
		.flock = flock,
		.mmap = mmap,
		.munmap = munmap,
		.mprotect = mprotect,
		.madvise = madvise,
		.socket = socket,
		.socketpair = socketpair,
		.bind = bind,
		.listen = listen,
		.accept4 = accept4,
		.connect = connect,
		.getsockname = getsockname,
		.getsockopt = getsockopt,
		.setsockopt = setsockopt,
		.sendmsg = sendmsg,
		.recvmsg = recvmsg,
		.poll = poll,
		.epoll_create1 = epoll_create1,
		.epoll_ctl = epoll_ctl,
		.epoll_wait = epoll_wait,
		.eventfd = eventfd,
		.timerfd_create = timerfd_create,
		.timerfd_settime = timerfd_settime,
		.pidfd_open = call_pidfd_open,
		.getpid = getpid,
		.geteuid = geteuid,
		.getegid = getegid,
		.getrlimit = call_getrlimit,
		.getrandom = getrandom,
};

void lendi_close(int fd)
{
	int kept = errno;

	/* Linux frees the number even when close() reports an error; a retry could hit another's. */
	if (fd >= 0)
		(void)lendi_os.close(fd);
	errno = kept;
}

int lendi_memfd(const char *name, int *out_fd)
{
	unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
	int fd;
	int err;

	fd = lendi_os.memfd_create(name, flags | MFD_NOEXEC_SEAL);
	if (fd < 0 && errno == EINVAL)
		fd = lendi_os.memfd_create(name, flags);
	if (fd < 0)
		return lendi_fail_errno(-errno, "memfd %s", name);

	/* A memfd's mode is 0777: another user who got a read-only FD could reopen it to write. */
	if (lendi_os.fchmod(fd, 0600)) {
		err = lendi_fail_errno(-errno, "mode of memfd %s", name);
		lendi_close(fd);
		return err;
	}
	*out_fd = fd;
	return 0;
}

int lendi_random(void *bytes, size_t count)
{
	ssize_t got = lendi_os.getrandom(bytes, count, 0);

	if (got < 0)
		return lendi_fail_errno(-errno, "%zu random bytes", count);
	/* Up to 256 bytes come whole, see getrandom(2). */
	if ((size_t)got != count)
		return lendi_fail(-EIO, "%zd of %zu random bytes", got, count);
	return 0;
}

int64_t lendi_now_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

lend_deadline lend_deadline_in_ms(int64_t ms)
{
	lend_deadline deadline = lend_deadline_never();
	int64_t now = lendi_now_ns();

	if (ms >= 0 && ms < (INT64_MAX - now) / 1000000)
		deadline.ns = now + ms * 1000000;
	return deadline;
}

int lendi_deadline_poll_ms(lend_deadline deadline)
{
	int64_t left;

	if (deadline.ns == INT64_MAX)
		return -1;
	left = deadline.ns - lendi_now_ns();
	if (left <= 0)
		return 0;
	left = left / 1000000 + (left % 1000000 != 0);
	return left > INT_MAX ? INT_MAX : (int)left;
}
