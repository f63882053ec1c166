/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "message.h"

int message_send(int socket, const struct message *message)
{
	ssize_t count;

	do {
		count = send(socket, message, sizeof(*message), MSG_NOSIGNAL);
	} while (count < 0 && errno == EINTR);
	if (count < 0)
		return graph_fail(errno == EPIPE ? -ENOLINK : -errno, "sending a message: %s",
			strerror(errno));
	return 0;
}

int message_receive(int socket, struct message *out_message)
{
	ssize_t count;

	do {
		count = recv(socket, out_message, sizeof(*out_message), 0);
	} while (count < 0 && errno == EINTR);
	if (count < 0 && errno != ECONNRESET)
		return graph_fail(-errno, "receiving a message: %s", strerror(errno));
	if (count <= 0)
		return graph_fail(-ENOLINK, "the other process is gone");
	if ((size_t)count != sizeof(*out_message))
		return graph_fail(-EPROTO, "a message of %zd bytes, wanted %zu", count,
			sizeof(*out_message));
	return 0;
}

static int send_all(int socket, const void *bytes, uint64_t count)
{
	const char *at = bytes;

	while (count > 0) {
		ssize_t sent = send(socket, at, count, MSG_NOSIGNAL);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0)
			return graph_fail(-errno, "sending the graph: %s", strerror(errno));
		at += sent;
		count -= (uint64_t)sent;
	}
	return 0;
}

static int receive_all(int socket, void *bytes, uint64_t count)
{
	char *at = bytes;

	while (count > 0) {
		ssize_t received = recv(socket, at, count, 0);

		if (received < 0 && errno == EINTR)
			continue;
		if (received < 0)
			return graph_fail(-errno, "receiving the graph: %s", strerror(errno));
		if (received == 0)
			return graph_fail(-ENOLINK, "the owner ended before the graph did");
		at += received;
		count -= (uint64_t)received;
	}
	return 0;
}

int block_send(int socket, const struct block_head *head, const void *block)
{
	int err;

	err = send_all(socket, head, sizeof(*head));
	if (err)
		return err;
	return send_all(socket, block, head->bytes);
}

int block_receive(int socket, struct block_head *out_head, void **out_block)
{
	struct block_head head;
	void *block;
	int err;

	err = receive_all(socket, &head, sizeof(head));
	if (err)
		return err;
	block = malloc(head.bytes);
	if (!block)
		return graph_fail_memory("the bytes of the graph received");
	err = receive_all(socket, block, head.bytes);
	if (err) {
		free(block);
		return err;
	}

	*out_head = head;
	*out_block = block;
	return 0;
}
