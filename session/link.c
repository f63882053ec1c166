/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "session/link.h"

/* Room for all that a packet can carry, so that a cut means our FD table is full. */
union control {
	struct cmsghdr head; /* for its alignment */
	char bytes[CMSG_SPACE(sizeof(struct ucred)) +
		   CMSG_SPACE(sizeof(int) * LENDI_WIRE_FDS_MAX)];
};

static void take_fds(struct lendi_packet *packet, struct cmsghdr *head)
{
	size_t count = (head->cmsg_len - CMSG_LEN(0)) / sizeof(int);
	const unsigned char *from = CMSG_DATA(head);
	int fd;

	for (; count; count--, from += sizeof(int)) {
		memcpy(&fd, from, sizeof(int));
		if (packet->fd_count < LENDI_WIRE_FDS_MAX)
			packet->fds[packet->fd_count++] = fd;
		else
			lendi_close(fd);
	}
}

static void take_control(struct lendi_packet *packet, struct msghdr *message)
{
	struct cmsghdr *head;

	for (head = CMSG_FIRSTHDR(message); head; head = CMSG_NXTHDR(message, head)) {
		if (head->cmsg_level != SOL_SOCKET)
			continue;
		if (head->cmsg_type == SCM_RIGHTS) {
			take_fds(packet, head);
		} else if (head->cmsg_type == SCM_CREDENTIALS &&
			   head->cmsg_len == CMSG_LEN(sizeof(packet->sender))) {
			memcpy(&packet->sender, CMSG_DATA(head), sizeof(packet->sender));
			packet->has_sender = true;
		}
	}
}

int lendi_link_receive(int fd, struct lendi_packet *out_packet)
{
	union control control;
	struct iovec part = {out_packet->bytes, sizeof(out_packet->bytes)};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control};
	int resets = 0;
	ssize_t got;

	out_packet->fd_count = 0;
	out_packet->has_sender = false;
	do {
		message.msg_controllen = sizeof(control);
		got = lendi_os.recvmsg(fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
		/* ECONNRESET comes once, when the peer left words of ours unread; its own follow. */
	} while (got < 0 && (errno == EINTR || (errno == ECONNRESET && !resets++)));
	if (got < 0)
		return errno == EAGAIN ? -EAGAIN
				       : lendi_fail_errno(-errno, "receiving from the peer");

	take_control(out_packet, &message);
	if (message.msg_flags & MSG_CTRUNC) {
		lendi_packet_close(out_packet);
		return lendi_fail(
			-EMFILE, "FDs of a message were lost: this process has too many open");
	}
	/* A packet of no bytes still tells its sender; the end does not. */
	if (got == 0 && !out_packet->has_sender && !out_packet->fd_count)
		return 0;
	out_packet->count =
		message.msg_flags & MSG_TRUNC ? LENDI_WIRE_BYTES_MAX + 1u : (size_t)got;
	return 1;
}

void lendi_packet_close(struct lendi_packet *packet)
{
	while (packet->fd_count)
		lendi_close(packet->fds[--packet->fd_count]);
}

static void add_control(struct msghdr *message, union control *control, int type,
	const void *data, size_t bytes)
{
	struct cmsghdr *head =
		(struct cmsghdr *)(void *)(control->bytes + message->msg_controllen);

	head->cmsg_level = SOL_SOCKET;
	head->cmsg_type = type;
	head->cmsg_len = CMSG_LEN(bytes);
	memcpy(CMSG_DATA(head), data, bytes);
	message->msg_control = control;
	message->msg_controllen += CMSG_SPACE(bytes);
}

int lendi_link_send(
	int fd, const union lendi_message *message, const int *fds, uint32_t fd_count)
{
	union control control;
	struct iovec part = {(void *)(uintptr_t)message, message->head.bytes};
	struct msghdr packet = {.msg_iov = &part, .msg_iovlen = 1};
	struct ucred self;
	ssize_t sent;

	memset(&control, 0, sizeof(control));
	if (message->head.type == LENDI_WIRE_HELLO ||
		message->head.type == LENDI_WIRE_WELCOME) {
		/* Explicit: the peer may ask for credentials only after this packet is on its way. */
		self.pid = lendi_os.getpid();
		self.uid = lendi_os.geteuid();
		self.gid = lendi_os.getegid();
		add_control(&packet, &control, SCM_CREDENTIALS, &self, sizeof(self));
	}
	if (fd_count)
		add_control(&packet, &control, SCM_RIGHTS, fds, fd_count * sizeof(int));
	do {
		sent = lendi_os.sendmsg(fd, &packet, MSG_DONTWAIT | MSG_NOSIGNAL);
	} while (sent < 0 && errno == EINTR);
	if (sent >= 0)
		return 0;
	return errno == EAGAIN ? -EAGAIN : lendi_fail_errno(-errno, "sending to the peer");
}

int lendi_outbox_post(struct lendi_outbox *outbox, int fd, const union lendi_message *message)
{
	struct lendi_letter *letter;
	int err = outbox->first ? -EAGAIN : lendi_link_send(fd, message, NULL, 0);

	if (err != -EAGAIN)
		return err;
	letter = malloc(sizeof(*letter));
	if (!letter)
		return lendi_fail(-ENOMEM, "a message for later");
	letter->next = NULL;
	letter->message = *message;
	if (outbox->last)
		outbox->last->next = letter;
	else
		outbox->first = letter;
	outbox->last = letter;
	outbox->count++;
	return 0;
}

int lendi_outbox_flush(struct lendi_outbox *outbox, int fd)
{
	struct lendi_letter *letter;
	int err;

	while ((letter = outbox->first)) {
		err = lendi_link_send(fd, &letter->message, NULL, 0);
		if (err)
			return err;
		outbox->first = letter->next;
		if (!outbox->first)
			outbox->last = NULL;
		outbox->count--;
		free(letter);
	}
	return 0;
}

void lendi_outbox_clear(struct lendi_outbox *outbox)
{
	struct lendi_letter *letter;

	while ((letter = outbox->first)) {
		outbox->first = letter->next;
		free(letter);
	}
	outbox->last = NULL;
	outbox->count = 0;
}
