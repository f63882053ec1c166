/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LENDHEAP_OS_OS_H
#define LENDHEAP_OS_OS_H

/*
 * The only floor that makes system calls. Every call goes through the table lendi_os, so that a
 * test can put a failing function in the place of any of them; in the shipped library the table
 * is constant. Entries behave as the C library's functions of the same name: -1 and errno.
 */
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/types.h>
#include <sys/vfs.h>

#include <lendheap/deadline.h>

#include "base/error.h"

/* X(result, name, parameters, arguments) for each call; tests expand it too. */
#define LENDI_OS_CALLS(X)                                                                      \
	X(int, memfd_create, (const char *name, unsigned flags), (name, flags))                \
	X(int, open, (const char *path, int flags, mode_t mode), (path, flags, mode))          \
	X(int, close, (int fd), (fd))                                                          \
	X(int, ftruncate, (int fd, off_t bytes), (fd, bytes))                                  \
	X(int, fallocate, (int fd, int mode, off_t at, off_t bytes), (fd, mode, at, bytes))    \
	X(int, fstat, (int fd, struct stat *status), (fd, status))                             \
	X(int, fstatfs, (int fd, struct statfs *status), (fd, status))                         \
	X(int, fchmod, (int fd, mode_t mode), (fd, mode))                                      \
	X(int, fcntl, (int fd, int command, void *argument), (fd, command, argument))          \
	X(ssize_t, pread, (int fd, void *bytes, size_t count, off_t at),                       \
		(fd, bytes, count, at))                                                        \
	X(ssize_t, read, (int fd, void *bytes, size_t count), (fd, bytes, count))              \
	X(ssize_t, write, (int fd, const void *bytes, size_t count), (fd, bytes, count))       \
	X(int, unlink, (const char *path), (path))                                             \
	X(int, lstat, (const char *path, struct stat *status), (path, status))                 \
	X(int, flock, (int fd, int operation), (fd, operation))                                \
	X(void *, mmap, (void *at, size_t bytes, int prot, int flags, int fd, off_t offset),   \
		(at, bytes, prot, flags, fd, offset))                                          \
	X(int, munmap, (void *at, size_t bytes), (at, bytes))                                  \
	X(int, mprotect, (void *at, size_t bytes, int prot), (at, bytes, prot))                \
	X(int, madvise, (void *at, size_t bytes, int advice), (at, bytes, advice))             \
	X(int, socket, (int domain, int type, int protocol), (domain, type, protocol))         \
	X(int, socketpair, (int domain, int type, int protocol, int *fds),                     \
		(domain, type, protocol, fds))                                                 \
	X(int, bind, (int fd, const struct sockaddr *name, socklen_t bytes),                   \
		(fd, name, bytes))                                                             \
	X(int, listen, (int fd, int backlog), (fd, backlog))                                   \
	X(int, accept4, (int fd, struct sockaddr *name, socklen_t *bytes, int flags),          \
		(fd, name, bytes, flags))                                                      \
	X(int, connect, (int fd, const struct sockaddr *name, socklen_t bytes),                \
		(fd, name, bytes))                                                             \
	X(int, getsockname, (int fd, struct sockaddr *name, socklen_t *bytes),                 \
		(fd, name, bytes))                                                             \
	X(int, getsockopt, (int fd, int level, int option, void *value, socklen_t *bytes),     \
		(fd, level, option, value, bytes))                                             \
	X(int, setsockopt,                                                                     \
		(int fd, int level, int option, const void *value, socklen_t bytes),           \
		(fd, level, option, value, bytes))                                             \
	X(ssize_t, sendmsg, (int fd, const struct msghdr *message, int flags),                 \
		(fd, message, flags))                                                          \
	X(ssize_t, recvmsg, (int fd, struct msghdr *message, int flags), (fd, message, flags)) \
	X(int, poll, (struct pollfd * fds, nfds_t count, int timeout), (fds, count, timeout))  \
	X(int, epoll_create1, (int flags), (flags))                                            \
	X(int, epoll_ctl, (int epoll, int operation, int fd, struct epoll_event *event),       \
		(epoll, operation, fd, event))                                                 \
	X(int, epoll_wait, (int epoll, struct epoll_event *events, int count, int timeout),    \
		(epoll, events, count, timeout))                                               \
	X(int, eventfd, (unsigned initial, int flags), (initial, flags))                       \
	X(int, timerfd_create, (int clock, int flags), (clock, flags))                         \
	X(int, timerfd_settime,                                                                \
		(int fd, int flags, const struct itimerspec *when, struct itimerspec *before), \
		(fd, flags, when, before))                                                     \
	X(int, pidfd_open, (pid_t pid, unsigned flags), (pid, flags))                          \
	X(pid_t, getpid, (void), ())                                                           \
	X(uid_t, geteuid, (void), ())                                                          \
	X(gid_t, getegid, (void), ())                                                          \
	X(int, getrlimit, (int resource, struct rlimit *limit), (resource, limit))             \
	X(ssize_t, getrandom, (void *bytes, size_t count, unsigned flags),                     \
		(bytes, count, flags))

struct lendi_os_calls {
#define LENDI_OS_MEMBER(result, name, parameters, arguments) result(*name) parameters;
	LENDI_OS_CALLS(LENDI_OS_MEMBER)
#undef LENDI_OS_MEMBER
};

#ifdef LEND_CRASHPOINTS
extern struct lendi_os_calls lendi_os; /* a build for tests: entries may be replaced */
#else
extern const struct lendi_os_calls lendi_os;
#endif

/* fd = -1 is allowed and nothing. errno is kept, so a failing path may close. */
void lendi_close(int fd);

/*
 * An empty memfd: close-on-exec, sealable, not executable where the kernel knows that, mode 0600.
 * Its owner seals it.
 */
int lendi_memfd(const char *name, int *out_fd);

/* Fill bytes with randomness of the system. 0; a negative errno. */
int lendi_random(void *bytes, size_t count);

/* CLOCK_MONOTONIC in nanoseconds. Cannot fail. */
int64_t lendi_now_ns(void);

/* Milliseconds to the deadline as poll() takes them: -1 never, 0 passed; rounds up. */
int lendi_deadline_poll_ms(lend_deadline deadline);

/*
 * Which process image this is, by fork: 1 in the first, another number in a child made by fork()
 * or by a raw clone without CLONE_VM, which runs no handler of ours: the word lies in memory the
 * kernel wipes in the child. A vfork child has its parent's.
 */
uint64_t lendi_fork_epoch(void);

/* Private zeroed memory that is wiped in a forked child and left out of core dumps. */
int lendi_map_wiped(size_t bytes, void **out_at);

#endif /* LENDHEAP_OS_OS_H */
