/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/offer.h"

static int copy_fd(int fd)
{
	return fcntl(fd, F_DUPFD_CLOEXEC, 0);
}

void offer_make(const struct lend_arena *arena, struct offer *out_offer)
{
	uint32_t i;

	memset(out_offer, 0, sizeof(*out_offer));
	out_offer->identity = arena->identity;
	out_offer->data_fd =
		copy_fd(arena->role == LENDI_OWNED ? arena->lend_fd : arena->data.fd);
	out_offer->claim_count = arena->slot_count;
	for (i = 0; i < arena->slot_count && i < OFFER_CLAIMS_MAX; i++)
		out_offer->claims[i] = copy_fd(arena->claims[i]);
}

void offer_drop(struct offer *offer)
{
	uint32_t i;

	(void)close(offer->data_fd);
	for (i = 0; i < offer->claim_count && i < OFFER_CLAIMS_MAX; i++)
		(void)close(offer->claims[i]);
}

bool offer_send(int sock, const struct offer *offer)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int) * (OFFER_CLAIMS_MAX + 1))];
	} control;
	struct iovec body = {(void *)(uintptr_t)offer, sizeof(*offer)};
	struct msghdr message = {.msg_iov = &body, .msg_iovlen = 1};
	size_t fd_bytes = sizeof(int) * (offer->claim_count + 1);
	struct cmsghdr *header;

	memset(&control, 0, sizeof(control));
	message.msg_control = &control;
	message.msg_controllen = CMSG_SPACE(fd_bytes);
	header = CMSG_FIRSTHDR(&message);
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(fd_bytes);
	memcpy(CMSG_DATA(header), &offer->data_fd, sizeof(int));
	memcpy(CMSG_DATA(header) + sizeof(int), offer->claims,
		sizeof(int) * offer->claim_count);
	return sendmsg(sock, &message, MSG_NOSIGNAL) == sizeof(*offer);
}

bool offer_receive(int sock, struct offer *out_offer)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int) * (OFFER_CLAIMS_MAX + 1))];
	} control;
	struct iovec body = {out_offer, sizeof(*out_offer)};
	struct msghdr message = {.msg_iov = &body,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control)};
	struct cmsghdr *header;

	if (recvmsg(sock, &message, MSG_CMSG_CLOEXEC) != sizeof(*out_offer))
		return false;
	header = CMSG_FIRSTHDR(&message);
	if (!header || header->cmsg_type != SCM_RIGHTS ||
		header->cmsg_len != CMSG_LEN(sizeof(int) * (out_offer->claim_count + 1)))
		return false;
	memcpy(&out_offer->data_fd, CMSG_DATA(header), sizeof(int));
	memcpy(out_offer->claims, CMSG_DATA(header) + sizeof(int),
		sizeof(int) * out_offer->claim_count);
	return true;
}

int offer_attach(struct offer *offer, bool may_relocate, const struct lend_arena **out_arena)
{
	struct lendi_offer inner = {
		.identity = offer->identity,
		.data_fd = offer->data_fd,
		.claims = offer->claims,
		.claim_count = offer->claim_count,
		.may_relocate = may_relocate,
	};
	int err = lendi_arena_attach(&inner, out_arena);

	if (err)
		offer_drop(offer);
	return err;
}

bool offer_send_arena(int sock, const struct lend_arena *arena)
{
	struct offer offer;
	bool sent;

	offer_make(arena, &offer);
	sent = offer_send(sock, &offer);
	offer_drop(&offer);
	return sent;
}

int offer_receive_arena(int sock, const struct lend_arena **out_arena)
{
	struct offer offer;

	if (!offer_receive(sock, &offer))
		return -ENOLINK;
	return offer_attach(&offer, false, out_arena);
}
