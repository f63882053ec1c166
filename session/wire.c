/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "session/wire.h"

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the wire is little-endian and written by memcpy"
#endif

/* What is known of a type: its size, and whether FDs travel with it. 0: no such type. */
static uint32_t bytes_of(uint16_t type)
{
	switch (type) {
	case LENDI_WIRE_HELLO:
	case LENDI_WIRE_WELCOME:
		return sizeof(struct lendi_hello_wire);
	case LENDI_WIRE_READY:
		return sizeof(struct lendi_head_wire);
	case LENDI_WIRE_REFUSAL:
	case LENDI_WIRE_BYE:
		return sizeof(struct lendi_end_wire);
	case LENDI_WIRE_LEND:
		return sizeof(struct lendi_lend_wire);
	case LENDI_WIRE_FDS:
	case LENDI_WIRE_COMMIT:
	case LENDI_WIRE_WITHDRAW:
		return sizeof(struct lendi_chunk_wire);
	case LENDI_WIRE_ANSWER:
		return sizeof(struct lendi_answer_wire);
	default:
		return 0;
	}
}

static int is_hello(uint16_t type)
{
	return type == LENDI_WIRE_HELLO || type == LENDI_WIRE_WELCOME;
}

/* Types that two versions exchange before they agree: their size may grow. */
static int is_of_any_version(uint16_t type)
{
	return is_hello(type) || type == LENDI_WIRE_REFUSAL;
}

/* A text goes into sentences and logs: it must end, and hold nothing that a terminal obeys. */
static int check_text(char *text, size_t bytes, uint16_t type)
{
	char *end = memchr(text, 0, bytes);
	char *at;

	if (!end)
		return lendi_fail(-EPROTO, "text in message of type %u has no end", type);
	for (at = text; at < end; at++)
		if ((unsigned char)*at < 0x20 || *at == 0x7f)
			*at = '?';
	return 0;
}

static int check_head(
	const struct lendi_head_wire *head, size_t count, uint32_t fd_count, uint16_t version)
{
	if (head->magic != LENDI_WIRE_MAGIC)
		return lendi_fail(
			-EPROTO, "message begins with 0x%x, not \"LEND\"", head->magic);
	if (head->bytes != count)
		return lendi_fail(
			-EPROTO, "message of %zu bytes says it has %u", count, head->bytes);
	if (version && !is_of_any_version(head->type) && head->version != version)
		return lendi_fail(-EPROTO, "message of type %u in version %u, agreed was %u",
			head->type, head->version, version);
	if (fd_count && head->type != LENDI_WIRE_FDS)
		return lendi_fail(
			-EPROTO, "%u FDs in message of type %u", fd_count, head->type);
	return 0;
}

static int check_body(union lendi_message *message, uint32_t fd_count)
{
	uint16_t type = message->head.type;

	switch (type) {
	case LENDI_WIRE_HELLO:
	case LENDI_WIRE_WELCOME:
		return check_text(message->hello.window_domain,
			sizeof(message->hello.window_domain), type);
	case LENDI_WIRE_REFUSAL:
	case LENDI_WIRE_BYE:
		return check_text(message->end.reason, sizeof(message->end.reason), type);
	case LENDI_WIRE_ANSWER:
		return check_text(message->answer.reason, sizeof(message->answer.reason), type);
	case LENDI_WIRE_LEND:
		return check_text(message->lend.name, sizeof(message->lend.name), type);
	case LENDI_WIRE_FDS:
		if (fd_count == 0 || fd_count > LENDI_WIRE_FDS_MAX ||
			message->chunk.count != fd_count)
			return lendi_fail(-EPROTO, "chunk of %u FDs came with %u",
				message->chunk.count, fd_count);
		return 0;
	default:
		return 0;
	}
}

int lendi_wire_read(const void *bytes, size_t count, uint32_t fd_count, uint16_t version,
	union lendi_message *out_message)
{
	union lendi_message message;
	uint32_t wanted;
	uint32_t least;
	int err;

	memset(&message, 0, sizeof(message));
	if (count < sizeof(message.head) || count > LENDI_WIRE_BYTES_MAX)
		return lendi_fail(-EPROTO, "message of %zu bytes", count);
	memcpy(&message.head, bytes, sizeof(message.head));
	err = check_head(&message.head, count, fd_count, version);
	if (err)
		return err;

	wanted = bytes_of(message.head.type);
	if (!wanted) {
		if (!(message.head.flags & LENDI_WIRE_OPTIONAL))
			return lendi_fail(-EPROTO, "message of unknown type %u, not optional",
				message.head.type);
		message.head.type = LENDI_WIRE_SKIPPED;
		*out_message = message;
		return 0;
	}
	least = is_hello(message.head.type) ? LENDI_HELLO_BYTES_MIN : wanted;
	if (count < least || (count > wanted && !is_of_any_version(message.head.type)))
		return lendi_fail(-EPROTO, "message of type %u has %zu bytes, wanted %u",
			message.head.type, count, wanted);
	memcpy(&message, bytes, count < wanted ? count : wanted);
	err = check_body(&message, fd_count);
	if (err)
		return err;

	*out_message = message;
	return 0;
}

uint32_t lendi_wire_head(
	union lendi_message *message, enum lendi_wire_type type, uint16_t version)
{
	memset(message, 0, sizeof(*message));
	message->head.magic = LENDI_WIRE_MAGIC;
	message->head.type = (uint16_t)type;
	message->head.version = version;
	message->head.bytes = bytes_of((uint16_t)type);
	return message->head.bytes;
}

uint32_t lendi_wire_end(union lendi_message *message, enum lendi_wire_type type,
	uint16_t version, int err, const char *reason)
{
	uint32_t bytes = lendi_wire_head(message, type, version);

	message->end.error = (uint32_t)-err;
	lendi_wire_text(message->end.reason, sizeof(message->end.reason), reason);
	return bytes;
}

int lendi_wire_error(uint32_t error)
{
	/* The kernel's own bound, MAX_ERRNO: a peer must not make a success of a failure. */
	return error == 0 || error > 4095 ? -EPROTO : -(int)error;
}

void lendi_wire_text(char *field, size_t field_bytes, const char *text)
{
	size_t bytes = strnlen(text, field_bytes - 1);

	memcpy(field, text, bytes);
	memset(field + bytes, 0, field_bytes - bytes);
}

uint64_t lendi_wire_layout(void)
{
	static const uint64_t numbers[] = {
		LENDI_WIRE_MAGIC,
		sizeof(struct lendi_head_wire),
		sizeof(struct lendi_hello_wire),
		offsetof(struct lendi_hello_wire, role),
		offsetof(struct lendi_hello_wire, layout),
		offsetof(struct lendi_hello_wire, window_domain),
		offsetof(struct lendi_hello_wire, library_version),
		sizeof(struct lendi_end_wire),
		offsetof(struct lendi_end_wire, reason),
		sizeof(struct lendi_lend_wire),
		offsetof(struct lendi_lend_wire, identity),
		offsetof(struct lendi_lend_wire, data_bytes),
		offsetof(struct lendi_lend_wire, fd_count),
		offsetof(struct lendi_lend_wire, name),
		sizeof(struct lendi_chunk_wire),
		offsetof(struct lendi_chunk_wire, first),
		sizeof(struct lendi_answer_wire),
		offsetof(struct lendi_answer_wire, reason),
	};
	uint64_t hash = LEND_LAYOUT_SEED;
	size_t i;

	for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		hash = lend_layout_fold(hash, numbers[i]);
	return hash;
}
