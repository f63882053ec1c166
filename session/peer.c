/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "session/session.h"

/*
 * Who is at the other end. SO_PEERCRED would name who made the socket: on an inherited socketpair
 * that is ourselves or our parent. So each hello carries SCM_CREDENTIALS, which the kernel checks,
 * and every later message must come from that process: a child it forked cannot speak for it.
 */

static int watch_pidfd(struct lend_session *session)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = &session->watch_pidfd};

	if (lendi_os.epoll_ctl(session->epoll, EPOLL_CTL_ADD, session->peer.pidfd, &event))
		return lendi_fail_errno(-errno, "watching process %d", session->peer.pid);
	return 0;
}

int lendi_peer_meet(struct lend_session *session, const struct lendi_packet *packet)
{
	struct lend_peer *peer = &session->peer;

	if (!packet->has_sender)
		return lendi_fail(-EPROTO, "hello without credentials");
	peer->pid = packet->sender.pid;
	peer->uid = packet->sender.uid;
	peer->gid = packet->sender.gid;
	peer->library_version = session->handshake.peer_library_version;
	/* 0: it lives where our pid namespace cannot see. EOF alone tells its death. */
	if (peer->pid == 0)
		return 0;

	peer->pidfd = lendi_os.pidfd_open(peer->pid, 0);
	if (peer->pidfd >= 0)
		return watch_pidfd(session);
	if (errno == ESRCH)
		return lendi_fail(-EOWNERDEAD, "process %d died after its hello", peer->pid);
	/* Before Linux 5.3, or a sandbox that forbids it: EOF is all there is again. */
	if (errno == ENOSYS || errno == EPERM)
		return 0;
	return lendi_fail_errno(-errno, "pidfd of process %d", peer->pid);
}

int lendi_peer_check(const struct lend_session *session, const struct lendi_packet *packet)
{
	if (!packet->has_sender || packet->sender.pid != session->peer.pid)
		return lendi_fail(-EPROTO, "a message of process %d in the session of %d",
			packet->has_sender ? packet->sender.pid : -1, session->peer.pid);
	return 0;
}

int lendi_peer_admit(struct lend_session *session)
{
	const struct lend_session_options *options = &session->options;
	char reason[LENDI_WIRE_TEXT_BYTES] = "";
	int err;

	if (!options->admit) {
		if (session->peer.uid == lendi_os.geteuid())
			return 0;
		return lendi_fail(-EACCES, "user %u at one side, %u at the other",
			session->peer.uid, lendi_os.geteuid());
	}
	err = options->admit(&session->peer, reason, sizeof(reason), options->context);
	if (!err)
		return 0;
	reason[sizeof(reason) - 1] = 0;
	/* A policy that returns nonsense has refused all the same. */
	if (err > 0 || err < -4095)
		err = -EACCES;
	return lendi_fail(
		err, "%s", reason[0] ? reason : "the policy refused and gave no reason");
}
