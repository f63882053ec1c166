/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LENDHEAP_SESSION_LINK_H
#define LENDHEAP_SESSION_LINK_H

/*
 * Packets on the socket: FDs and credentials in, FDs out, what does not fit now kept for later.
 * Nothing blocks and nothing raises SIGPIPE.
 */
#include <stdbool.h>

#include "os/os.h"
#include "session/wire.h"

/* A packet as it came. The FDs are the receiver's from the first moment, close-on-exec. */
struct lendi_packet {
	size_t count; /* bytes; more than LENDI_WIRE_BYTES_MAX: it was cut */
	uint32_t fd_count;
	bool has_sender;
	struct ucred sender; /* who sent it, from the kernel */
	int fds[LENDI_WIRE_FDS_MAX];
	uint8_t bytes[LENDI_WIRE_BYTES_MAX];
};

/* 1 a packet; 0 the end; -EAGAIN none now; -EMFILE its FDs did not fit here; recvmsg's error. */
int lendi_link_receive(int fd, struct lendi_packet *out_packet);

/* Close the FDs that are still the packet's. */
void lendi_packet_close(struct lendi_packet *packet);

/*
 * Send a message with fd_count FDs, which stay the caller's. A hello or welcome carries our
 * credentials. 0; -EAGAIN the peer must read first, or sendmsg's error.
 */
int lendi_link_send(
	int fd, const union lendi_message *message, const int *fds, uint32_t fd_count);

/* Messages without FDs that the socket did not take yet, oldest first. */
struct lendi_letter {
	struct lendi_letter *next;
	union lendi_message message;
};

struct lendi_outbox {
	struct lendi_letter *first;
	struct lendi_letter *last;
	uint32_t count;
};

/* More waiting than this, and nothing more is read: answers cannot pile up. */
#define LENDI_OUTBOX_COUNT_MAX 64u

/* Send now, or keep for lendi_outbox_flush(). 0; -ENOMEM or sendmsg's error. */
int lendi_outbox_post(struct lendi_outbox *outbox, int fd, const union lendi_message *message);

/* 0 all are sent; -EAGAIN; or sendmsg's error. */
int lendi_outbox_flush(struct lendi_outbox *outbox, int fd);

void lendi_outbox_clear(struct lendi_outbox *outbox);

#endif /* LENDHEAP_SESSION_LINK_H */
