/* SPDX-License-Identifier: Apache-2.0 */
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "support/meet.h"

struct text {
	char *words; /* raw: every process maps it at one place */
};

static int admit(const struct lend_peer *peer, char *reason, size_t reason_bytes, void *context)
{
	struct meet_log *log = context;

	log->peer = *peer;
	if (log->admit_err && log->admit_reason)
		(void)snprintf(reason, reason_bytes, "%s", log->admit_reason);
	return log->admit_err;
}

static void on_open(struct lend_session *session, void *context)
{
	struct meet_log *log = context;

	log->opened++;
	log->session = session;
}

static void on_arena(struct lend_session *session, const struct lend_arena *arena,
	const char *name, void *context)
{
	struct meet_log *log = context;

	(void)session;
	(void)name;
	if (log->arena_count < MEET_ARENAS_MAX)
		log->arenas[log->arena_count++] = arena;
}

static void on_lent(struct lend_session *session, const char *name, int err, const char *reason,
	void *context)
{
	struct meet_log *log = context;

	(void)session;
	(void)name;
	log->lent++;
	log->lent_err = err;
	(void)snprintf(log->lent_reason, sizeof(log->lent_reason), "%s", reason);
}

static void on_closed(struct lend_session *session, int err, const char *reason, void *context)
{
	struct meet_log *log = context;

	(void)session;
	log->closed++;
	log->closed_err = err;
	(void)snprintf(log->closed_reason, sizeof(log->closed_reason), "%s", reason);
	log->session = NULL;
}

struct lend_session_options meet_options(struct meet_log *log)
{
	struct lend_session_options options = {
		.struct_bytes = sizeof(options),
		.context = log,
		.admit = admit,
		.on_open = on_open,
		.on_lent = on_lent,
		.on_closed = on_closed,
	};

	return options;
}

struct lend_session_options meet_options_taking(struct meet_log *log)
{
	struct lend_session_options options = meet_options(log);

	options.on_arena = on_arena;
	return options;
}

lend_deadline meet_deadline(void)
{
	return lend_deadline_in_ms(MEET_MS);
}

bool meet_session(struct lend_session *session, const int *word, int wanted)
{
	struct pollfd fd = {.fd = lend_session_fd(session), .events = POLLIN};

	while (*word < wanted) {
		if (poll(&fd, 1, MEET_MS) != 1)
			return false;
		if (lend_session_dispatch(session) && *word < wanted)
			return false;
	}
	return true;
}

bool meet_server(struct lend_server *server, const int *word, int wanted)
{
	struct pollfd fd = {.fd = lend_server_fd(server), .events = POLLIN};

	while (*word < wanted)
		if (poll(&fd, 1, MEET_MS) != 1 || lend_server_dispatch(server))
			return false;
	return true;
}

bool meet_child(struct lend_server *server, int sock)
{
	struct pollfd fds[2] = {
		{.fd = lend_server_fd(server), .events = POLLIN},
		{.fd = sock, .events = POLLIN},
	};

	for (;;) {
		if (poll(fds, 2, MEET_MS) <= 0)
			return false;
		if (fds[0].revents && lend_server_dispatch(server))
			return false;
		if (fds[1].revents)
			return true;
	}
}

struct lend_arena *meet_arena(const char *name)
{
	struct lend_arena *arena;
	struct text *text;

	if (lend_arena_create(&(struct lend_arena_options){.name = name}, &arena))
		return NULL;
	text = lend_alloc(arena, sizeof(*text));
	if (text)
		text->words = lend_alloc(arena, strlen(name) + 1);
	if (!text || !text->words) {
		(void)lend_arena_destroy(arena);
		return NULL;
	}
	strcpy(text->words, name);
	(void)lend_root_set(arena, "text", LEND_TYPE(struct text, 1), text);
	return arena;
}

bool meet_reads(const struct lend_arena *arena, const char *name)
{
	const void *text;

	return lend_root_get(arena, "text", LEND_TYPE(struct text, 1), &text) == 0 &&
	       strcmp(((const struct text *)text)->words, name) == 0;
}

bool meet_pair(int socks[2])
{
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, socks) == 0;
}
