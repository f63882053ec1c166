/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/file.h>

#include "session/address.h"
#include "session/wire.h"

#define BACKLOG    128
#define LOCK_TRIES 50 /* 20 ms apart */
#define RETRY_MS   5  /* a full backlog cannot be polled for */

int lendi_address_parse(const char *text, struct lendi_address *out_address)
{
	size_t count = text ? strlen(text) : 0;
	bool abstract;

	if (count == 0 || count > LEND_ADDRESS_BYTES_MAX)
		return lendi_fail(-EINVAL, "address of %zu bytes, 1 to %u are possible", count,
			LEND_ADDRESS_BYTES_MAX);
	abstract = text[0] == '@';
	if (abstract && count == 1)
		return lendi_fail(-EINVAL, "abstract address without a name");
	memset(out_address, 0, sizeof(*out_address));
	out_address->name.sun_family = AF_UNIX;
	memcpy(out_address->name.sun_path, text, count);
	if (abstract)
		out_address->name.sun_path[0] = 0;
	/* An abstract name ends where its length says, a path with a zero. */
	out_address->bytes = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + count +
					 (abstract ? 0 : 1));
	return 0;
}

static bool is_path(const struct lendi_address *address)
{
	return address->name.sun_path[0] != 0;
}

/* For sentences: an abstract name is shown with its '@'. */
static const char *show(const struct lendi_address *address, char *text)
{
	memcpy(text, address->name.sun_path, sizeof(address->name.sun_path));
	text[sizeof(address->name.sun_path)] = 0;
	if (!text[0])
		text[0] = '@';
	return text;
}

static int make_socket(int *out_fd)
{
	int fd = lendi_os.socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return lendi_fail_errno(-errno, "socket of a session");
	*out_fd = fd;
	return 0;
}

/*
 * Two servers that start at one dead file must not both replace it: the second would remove the
 * first one's new file. A lock on the folder makes look, remove and bind one step. Someone who
 * keeps the folder locked only delays us: we go on without.
 */
static int lock_folder(const struct lendi_address *address)
{
	char folder[sizeof(address->name.sun_path)] = ".";
	const char *slash = strrchr(address->name.sun_path, '/');
	size_t bytes = slash ? (size_t)(slash - address->name.sun_path) : 0;
	int fd;
	int i;

	if (slash) {
		memcpy(folder, address->name.sun_path, bytes ? bytes : 1);
		folder[bytes ? bytes : 1] = 0;
	}
	fd = lendi_os.open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	for (i = 0; fd >= 0 && i < LOCK_TRIES; i++) {
		if (lendi_os.flock(fd, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK)
			break;
		(void)lendi_os.poll(NULL, 0, 20);
	}
	return fd;
}

/* Is the file at the path a socket that nobody listens behind? 0 and it is removed, or is gone. */
static int remove_dead(const struct lendi_address *address)
{
	const char *path = address->name.sun_path;
	struct stat status;
	int fd = -1;
	int err;

	if (lendi_os.lstat(path, &status))
		return errno == ENOENT ? 0 : lendi_fail_errno(-errno, "status of %s", path);
	if (!S_ISSOCK(status.st_mode))
		return lendi_fail(-EADDRINUSE, "%s is there and is no socket", path);
	err = make_socket(&fd);
	if (err)
		return err;
	err = lendi_os.connect(fd, (const struct sockaddr *)&address->name, address->bytes)
		      ? -errno
		      : 0;
	lendi_close(fd);
	if (err != -ECONNREFUSED)
		return lendi_fail(-EADDRINUSE, "%s is served by another process", path);
	if (lendi_os.unlink(path) && errno != ENOENT)
		return lendi_fail_errno(-errno, "removing a dead server's %s", path);
	return 0;
}

static int bind_path(struct lendi_address *address, int fd)
{
	struct stat status;
	int folder = lock_folder(address);
	int err = 0;

	/* bind() makes the file with the mode of the socket: never open to others, not even briefly. */
	if (lendi_os.fchmod(fd, 0600))
		err = lendi_fail_errno(-errno, "mode of %s", address->name.sun_path);
	if (!err)
		err = remove_dead(address);
	if (!err && lendi_os.bind(fd, (const struct sockaddr *)&address->name, address->bytes))
		err = lendi_fail_errno(-errno, "address %s", address->name.sun_path);
	/* Listening before the lock goes: from here on a probe finds us alive. */
	if (!err && lendi_os.listen(fd, BACKLOG))
		err = lendi_fail_errno(-errno, "listening at %s", address->name.sun_path);
	if (!err && lendi_os.lstat(address->name.sun_path, &status) == 0) {
		address->device = status.st_dev;
		address->inode = status.st_ino;
	}
	lendi_close(folder);
	return err;
}

int lendi_address_listen(struct lendi_address *address, int *out_fd)
{
	char text[sizeof(address->name.sun_path) + 1];
	int fd = -1;
	int err;

	err = make_socket(&fd);
	if (err)
		return err;
	if (is_path(address)) {
		err = bind_path(address, fd);
	} else if (lendi_os.bind(fd, (const struct sockaddr *)&address->name, address->bytes) ||
		   lendi_os.listen(fd, BACKLOG)) {
		err = -errno;
		(void)lendi_fail_errno(err, "address %s", show(address, text));
	}
	if (err) {
		lendi_close(fd);
		return err;
	}
	*out_fd = fd;
	return 0;
}

void lendi_address_remove(struct lendi_address *address)
{
	struct stat status;

	if (!address->inode)
		return;
	if (lendi_os.lstat(address->name.sun_path, &status) == 0 &&
		status.st_dev == address->device && status.st_ino == address->inode)
		(void)lendi_os.unlink(address->name.sun_path);
	address->inode = 0;
}

int lendi_address_connect(
	const struct lendi_address *address, lend_deadline deadline, int *out_fd)
{
	char text[sizeof(address->name.sun_path) + 1];
	int left_ms;
	int fd = -1;
	int err;

	err = make_socket(&fd);
	if (err)
		return err;
	while (lendi_os.connect(fd, (const struct sockaddr *)&address->name, address->bytes)) {
		err = -errno;
		left_ms = lendi_deadline_poll_ms(deadline);
		if (err == -EAGAIN && left_ms == 0) {
			err = lendi_fail(-ETIMEDOUT, "%s accepts nobody", show(address, text));
			goto close_fd;
		}
		if (err != -EAGAIN && err != -EINTR) {
			(void)lendi_fail_errno(err, "connecting to %s", show(address, text));
			goto close_fd;
		}
		(void)lendi_os.poll(
			NULL, 0, left_ms < 0 || left_ms > RETRY_MS ? RETRY_MS : left_ms);
	}
	*out_fd = fd;
	return 0;
close_fd:
	lendi_close(fd);
	return err;
}
