/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LENDHEAP_SESSION_ADDRESS_H
#define LENDHEAP_SESSION_ADDRESS_H

/* Where a server listens: a path, or "@name" for an abstract socket. */
#include <sys/un.h>

#include "os/os.h"

struct lendi_address {
	struct sockaddr_un name;
	socklen_t bytes;
	dev_t device; /* of the socket file we made; inode 0: none */
	ino_t inode;
};

/* 0; -EINVAL empty or too long. */
int lendi_address_parse(const char *text, struct lendi_address *out_address);

/*
 * A listening socket at the address. A socket file that nobody listens behind is replaced. 0;
 * -EADDRINUSE, or a system call's error.
 */
int lendi_address_listen(struct lendi_address *address, int *out_fd);

/* Remove our socket file, if it is still ours. */
void lendi_address_remove(struct lendi_address *address);

/* Connect a new socket, within the deadline. 0; -ECONNREFUSED, -ENOENT, -ETIMEDOUT, ... */
int lendi_address_connect(
	const struct lendi_address *address, lend_deadline deadline, int *out_fd);

#endif /* LENDHEAP_SESSION_ADDRESS_H */
