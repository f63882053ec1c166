/* SPDX-License-Identifier: Apache-2.0 */
/* A server of sessions that lends an arena when a reader asks for it through a pipe. */
#include "share.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <unistd.h>

static void remember_session(struct lend_session *session, void *context)
{
	struct share_lender *lender = context;

	lender->session = session;
}

static void forget_session(
	struct lend_session *session, int err, const char *reason, void *context)
{
	struct share_lender *lender = context;

	(void)err, (void)reason;
	if (lender->session == session)
		lender->session = NULL;
}

static void answer_request(struct share_lender *lender)
{
	uint8_t index;
	int err;

	if (read(lender->request_fd, &index, 1) != 1 || index >= lender->arena_count)
		return;
	if (!lender->session)
		return; /* the reader will find its deadline passed */
	err = lend_session_lend(lender->session, lender->arena[index], lender->name[index]);
	if (err)
		share_complain("lend_session_lend", err);
}

static void *serve_sessions(void *context)
{
	struct share_lender *lender = context;
	struct pollfd fds[2] = {
		{.fd = lend_server_fd(lender->server), .events = POLLIN},
		{.fd = lender->request_fd, .events = POLLIN},
	};

	for (;;) {
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			return NULL;
		/* In this order: a request is about a session that is open by then. */
		if (fds[0].revents && lend_server_dispatch(lender->server) != 0)
			return NULL;
		if (fds[1].revents & POLLIN)
			answer_request(lender);
	}
}

int share_lender_start(struct share_lender *lender)
{
	struct lend_session_options options = {
		.struct_bytes = sizeof(options),
		.context = lender,
		.on_open = remember_session,
		.on_closed = forget_session,
	};
	pthread_t thread;
	int err;

	err = lend_server_create(lender->address, &options, &lender->server);
	if (err)
		return share_complain("lend_server_create", err);
	err = pthread_create(&thread, NULL, serve_sessions, lender);
	if (err)
		return -err;
	pthread_detach(thread);
	return 0;
}
