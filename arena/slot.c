/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#include "arena/slot.h"
#include "os/os.h"

static socklen_t name_slot(uint32_t slot, struct sockaddr_un *name)
{
	const struct lend_window *window = lendi_window();
	int used;

	memset(name, 0, sizeof(*name));
	name->sun_family = AF_UNIX;
	/* Abstract: the first byte is 0, and the name has no end but the length. */
	used = snprintf(name->sun_path + 1, sizeof(name->sun_path) - 1,
		"lendheap/slot/%s/%llx/%u", window->domain, (unsigned long long)window->base,
		slot);
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)used);
}

int lendi_slot_claim(uint32_t slot, int *out_fd)
{
	struct sockaddr_un name;
	socklen_t bytes = name_slot(slot, &name);
	int fd;
	int err;

	fd = lendi_os.socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return lendi_fail_errno(-errno, "socket for the claim of slot %u", slot);
	if (lendi_os.bind(fd, (const struct sockaddr *)&name, bytes)) {
		err = lendi_fail_errno(-errno, "claim of slot %u", slot);
		lendi_close(fd);
		return err;
	}
	if (lendi_os.listen(fd, 0)) {
		err = lendi_fail_errno(-errno, "claim of slot %u, listening", slot);
		lendi_close(fd);
		return err;
	}
	*out_fd = fd;
	return 0;
}

int lendi_run_claim(uint32_t first, uint32_t count, int *fds)
{
	uint32_t i;
	int err;

	for (i = 0; i < count; i++) {
		err = lendi_slot_claim(first + i, &fds[i]);
		if (err) {
			lendi_run_release(fds, i);
			return err;
		}
	}
	return 0;
}

void lendi_run_release(int *fds, uint32_t count)
{
	uint32_t i;

	for (i = 0; i < count; i++) {
		lendi_close(fds[i]);
		fds[i] = -1;
	}
}

int lendi_slot_check_claim(int fd, uint32_t slot)
{
	struct sockaddr_un wanted;
	struct sockaddr_un name;
	socklen_t wanted_bytes = name_slot(slot, &wanted);
	socklen_t bytes = sizeof(name);
	int type = 0;
	int listening = 0;
	socklen_t int_bytes = sizeof(int);

	if (lendi_os.getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &int_bytes))
		return lendi_fail(-EUCLEAN, "claim of slot %u is no socket", slot);
	int_bytes = sizeof(int);
	/* A connection accepted from a claim bears its name and does not keep it: it cannot listen. */
	if (lendi_os.getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &int_bytes) ||
		type != SOCK_STREAM || !listening)
		return lendi_fail(-EUCLEAN, "claim of slot %u is a socket of type %d%s", slot,
			type, listening ? "" : " that does not listen");
	if (lendi_os.getsockname(fd, (struct sockaddr *)&name, &bytes))
		return lendi_fail(-EUCLEAN, "claim of slot %u does not tell its name", slot);
	if (bytes != wanted_bytes || memcmp(&name, &wanted, wanted_bytes) != 0)
		return lendi_fail(-EUCLEAN,
			"claim of slot %u has another name, or another domain's", slot);
	return 0;
}
