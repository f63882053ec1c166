/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "arena/layout.h"
#include "arena/window.h"
#include "base/error.h"
#include "session/handshake.h"

#define LIBRARY_VERSION 0x000100u /* 0.1.0 */

void lendi_self_init(struct lendi_self *self, uint32_t role, uint32_t flags)
{
	memset(self, 0, sizeof(*self));
	self->role = role;
	self->version_min = LENDI_WIRE_VERSION_MIN;
	self->version_max = LENDI_WIRE_VERSION_MAX;
	self->layout = lendi_arena_layout();
	self->window = *lendi_window();
	self->library_version = LIBRARY_VERSION;
	if (flags & LEND_SESSION_MAY_RELOCATE)
		self->options |= LENDI_HELLO_MAY_RELOCATE;
	if (flags & LEND_SESSION_LENDS_ONLY)
		self->options |= LENDI_HELLO_LENDS_ONLY;
}

void lendi_handshake_init(struct lendi_handshake *handshake, const struct lendi_self *self)
{
	memset(handshake, 0, sizeof(*handshake));
	handshake->self = *self;
}

static uint32_t write_hello(const struct lendi_handshake *handshake, enum lendi_wire_type type,
	union lendi_message *out_message)
{
	const struct lendi_self *self = &handshake->self;
	uint32_t bytes = lendi_wire_head(out_message, type, 1);
	struct lendi_hello_wire *hello = &out_message->hello;

	hello->version_min = handshake->version ? handshake->version : self->version_min;
	hello->version_max = handshake->version ? handshake->version : self->version_max;
	hello->role = self->role;
	hello->features = self->features;
	hello->features_needed = self->features_needed;
	hello->layout = self->layout;
	hello->window_base = self->window.base;
	hello->window_slot_count = self->window.slot_count;
	hello->options = self->options;
	lendi_wire_text(
		hello->window_domain, sizeof(hello->window_domain), self->window.domain);
	hello->library_version = self->library_version;
	return bytes;
}

uint32_t lendi_handshake_hello(
	struct lendi_handshake *handshake, union lendi_message *out_message)
{
	assert(handshake->state == LENDI_HANDSHAKE_START);
	handshake->state = LENDI_HANDSHAKE_HELLO;
	return write_hello(handshake, LENDI_WIRE_HELLO, out_message);
}

static int check_version(
	struct lendi_handshake *handshake, const struct lendi_hello_wire *hello)
{
	const struct lendi_self *self = &handshake->self;
	uint16_t version =
		hello->version_max < self->version_max ? hello->version_max : self->version_max;

	if (version < hello->version_min || version < self->version_min || version == 0)
		return lendi_fail(-EPROTO,
			"protocol versions %u to %u of one side, %u to %u of the other",
			hello->version_min, hello->version_max, self->version_min,
			self->version_max);
	if (hello->head.bytes < sizeof(*hello))
		return lendi_fail(-EPROTO, "hello of version %u has %u bytes, wanted %zu",
			version, hello->head.bytes, sizeof(*hello));
	handshake->version = version;
	return 0;
}

/* Could either side map what the other lends? */
static int check_window(const struct lendi_self *self, const struct lendi_hello_wire *hello)
{
	uint32_t relocates = (self->options | hello->options) & LENDI_HELLO_MAY_RELOCATE;

	if (strcmp(hello->window_domain, self->window.domain) != 0)
		return lendi_fail(-EPROTO,
			"window domain \"%s\" of one side, \"%s\" of the other",
			hello->window_domain, self->window.domain);
	if (hello->window_base != self->window.base && !relocates)
		return lendi_fail(-EPROTO,
			"window at 0x%llx of one side, at 0x%llx of the other; neither may "
			"relocate",
			(unsigned long long)hello->window_base,
			(unsigned long long)self->window.base);
	return 0;
}

static int take_hello(struct lendi_handshake *handshake, const struct lendi_hello_wire *hello)
{
	const struct lendi_self *self = &handshake->self;
	uint64_t missing;
	int err;

	err = check_version(handshake, hello);
	if (err)
		return err;
	if (hello->role == self->role ||
		(hello->role != LEND_SESSION_CONNECTS && hello->role != LEND_SESSION_ACCEPTS))
		return lendi_fail(-EPROTO, "role %u of one side, %u of the other", hello->role,
			self->role);
	if (hello->layout != self->layout)
		return lendi_fail(-EPROTO,
			"memory layout 0x%llx of one side, 0x%llx of the other",
			(unsigned long long)hello->layout, (unsigned long long)self->layout);
	err = check_window(self, hello);
	if (err)
		return err;
	missing = (hello->features_needed & ~self->features) |
		  (self->features_needed & ~hello->features);
	if (missing)
		return lendi_fail(-EPROTO, "one side needs features 0x%llx the other lacks",
			(unsigned long long)missing);

	handshake->features = hello->features & self->features;
	handshake->peer_options = hello->options;
	handshake->peer_library_version = hello->library_version;
	handshake->state = LENDI_HANDSHAKE_DECIDE;
	return 0;
}

static int take_refusal(struct lendi_handshake *handshake, const struct lendi_end_wire *end)
{
	handshake->state = LENDI_HANDSHAKE_REFUSED;
	return lendi_fail(
		lendi_wire_error(end->error), "the peer refused the session: %s", end->reason);
}

int lendi_handshake_take(struct lendi_handshake *handshake, const union lendi_message *message)
{
	uint16_t type = message->head.type;

	if (type == LENDI_WIRE_REFUSAL && handshake->state != LENDI_HANDSHAKE_OPEN)
		return take_refusal(handshake, &message->end);
	if (type == LENDI_WIRE_HELLO && handshake->state == LENDI_HANDSHAKE_START &&
		handshake->self.role == LEND_SESSION_ACCEPTS)
		return take_hello(handshake, &message->hello);
	if (type == LENDI_WIRE_HELLO && handshake->state == LENDI_HANDSHAKE_HELLO)
		return lendi_fail(-EPROTO, "both sides connect, neither accepts");
	if (type == LENDI_WIRE_WELCOME && handshake->state == LENDI_HANDSHAKE_HELLO)
		return take_hello(handshake, &message->hello);
	if (type == LENDI_WIRE_READY && handshake->state == LENDI_HANDSHAKE_WELCOME) {
		handshake->state = LENDI_HANDSHAKE_OPEN;
		return 0;
	}
	return lendi_fail(-EPROTO, "message of type %u in step %u of the handshake", type,
		(unsigned)handshake->state);
}

uint32_t lendi_handshake_admit(
	struct lendi_handshake *handshake, union lendi_message *out_message)
{
	assert(handshake->state == LENDI_HANDSHAKE_DECIDE);
	if (handshake->self.role == LEND_SESSION_ACCEPTS) {
		handshake->state = LENDI_HANDSHAKE_WELCOME;
		return write_hello(handshake, LENDI_WIRE_WELCOME, out_message);
	}
	handshake->state = LENDI_HANDSHAKE_OPEN;
	return lendi_wire_head(out_message, LENDI_WIRE_READY, handshake->version);
}
