/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "session/address.h"
#include "session/session.h"

#define ACCEPTS_PER_DISPATCH 16
#define EVENTS_PER_DISPATCH  64
#define PAUSE_NS             INT64_C(100000000) /* of accepting, when FDs or memory ran out */

#define OFFERS_MAX LENDI_GIFTS_MAX

/* An arena that every peer gets. */
struct offered {
	struct offered *next;
	struct lend_arena *arena;
	uint64_t generation;
	char name[LEND_ARENA_NAME_BYTES_MAX + 1];
};

struct lend_server {
	struct lendi_registered registered;
	struct lend_session_options options;
	struct lendi_address address;
	uint64_t fork_epoch;
	int listener;
	int epoll;
	int timer;
	struct lendi_watch watch_listener;
	struct lendi_watch watch_timer;
	struct offered *offers;
	struct lend_session *sessions;
	uint32_t session_count;
	uint32_t depth;
	int64_t accept_again_ns; /* accepting pauses until then; 0: it does not */
	int64_t timer_ns;        /* what the timer is set to; INT64_MAX: nothing */
};

static void close_in_child(struct lendi_registered *registered)
{
	struct lend_server *server = (struct lend_server *)registered;

	lendi_close(server->listener);
	lendi_close(server->epoll);
	lendi_close(server->timer);
	server->listener = server->epoll = server->timer = -1;
}

static int watch(struct lend_server *server, int operation, int fd, uint32_t events,
	struct lendi_watch *about)
{
	struct epoll_event event = {.events = events, .data.ptr = about};

	if (lendi_os.epoll_ctl(server->epoll, operation, fd, &event))
		return lendi_fail_errno(-errno, "watching a server's FD");
	return 0;
}

static int make_fds(struct lend_server *server)
{
	int err;

	server->epoll = lendi_os.epoll_create1(EPOLL_CLOEXEC);
	if (server->epoll < 0)
		return lendi_fail_errno(-errno, "epoll FD of a server");
	server->timer = lendi_os.timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (server->timer < 0)
		return lendi_fail_errno(-errno, "timer of a server");
	err = lendi_address_listen(&server->address, &server->listener);
	if (!err)
		err = watch(
			server, EPOLL_CTL_ADD, server->timer, EPOLLIN, &server->watch_timer);
	if (!err)
		err = watch(server, EPOLL_CTL_ADD, server->listener, EPOLLIN,
			&server->watch_listener);
	return err;
}

static void close_fds(struct lend_server *server)
{
	lendi_close(server->listener);
	lendi_close(server->timer);
	lendi_close(server->epoll);
}

int lend_server_create(const char *address, const struct lend_session_options *options,
	struct lend_server **out_server)
{
	struct lend_server *server = calloc(1, sizeof(*server));
	int err;

	if (!server)
		return lendi_fail(-ENOMEM, "a server");
	server->registered.close_in_child = close_in_child;
	server->listener = server->epoll = server->timer = -1;
	server->fork_epoch = lendi_fork_epoch();
	server->timer_ns = INT64_MAX;
	server->watch_listener = (struct lendi_watch){LENDI_WATCH_LISTENER, NULL};
	server->watch_timer = (struct lendi_watch){LENDI_WATCH_TIMER, NULL};

	err = lendi_session_options(options, &server->options);
	if (!err)
		err = lendi_address_parse(address, &server->address);
	if (!err)
		err = make_fds(server);
	if (err) {
		lendi_address_remove(&server->address);
		close_fds(server);
		free(server);
		return err;
	}
	lendi_registry_add(&server->registered);
	*out_server = server;
	return 0;
}

int lend_server_fd(const struct lend_server *server)
{
	return server->epoll;
}

uint32_t lend_server_session_count(const struct lend_server *server)
{
	const struct lend_session *session;
	uint32_t count = 0;

	for (session = server->sessions; session; session = session->next)
		count += !session->error && session->handshake.state == LENDI_HANDSHAKE_OPEN;
	return count;
}

/* The timer rings at the first of: accepting again, the end of a handshake's time. */
static void set_timer(struct lend_server *server)
{
	const struct lend_session *session;
	int64_t first = server->accept_again_ns ? server->accept_again_ns : INT64_MAX;
	struct itimerspec when = {.it_value = {0, 0}};

	for (session = server->sessions; session; session = session->next)
		if (!session->error && session->handshake_until_ns < first)
			first = session->handshake_until_ns;
	if (first == server->timer_ns)
		return;
	server->timer_ns = first;
	if (first != INT64_MAX) {
		when.it_value.tv_sec = first / 1000000000;
		when.it_value.tv_nsec = first % 1000000000;
	}
	(void)lendi_os.timerfd_settime(server->timer, TFD_TIMER_ABSTIME, &when, NULL);
}

static void pause_accepting(struct lend_server *server)
{
	server->accept_again_ns = lendi_now_ns() + PAUSE_NS;
	(void)watch(server, EPOLL_CTL_MOD, server->listener, 0, &server->watch_listener);
}

static void go_on_accepting(struct lend_server *server)
{
	server->accept_again_ns = 0;
	(void)watch(server, EPOLL_CTL_MOD, server->listener, EPOLLIN, &server->watch_listener);
}

/* One more than there may be: it learns why. */
static void turn_away(struct lend_server *server, int fd)
{
	union lendi_message message;

	(void)lendi_fail(-EAGAIN, "the server has %u sessions, as many as it may",
		server->session_count);
	(void)lendi_wire_end(&message, LENDI_WIRE_REFUSAL, 1, -EAGAIN, lend_error_detail());
	(void)lendi_link_send(fd, &message, NULL, 0);
	lendi_close(fd);
}

static void accept_peers(struct lend_server *server)
{
	struct lend_session *session;
	int fd;
	int i;

	for (i = 0; i < ACCEPTS_PER_DISPATCH; i++) {
		fd = lendi_os.accept4(
			server->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd < 0) {
			/* Readable it stays: without a pause dispatch would be called for ever. */
			if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
				pause_accepting(server);
			return;
		}
		if (server->session_count >= server->options.session_count_max) {
			turn_away(server, fd);
			continue;
		}
		if (lendi_session_create(fd, LEND_SESSION_ACCEPTS, &server->options, server,
			    server->epoll, &session)) {
			lendi_close(fd);
			pause_accepting(server);
			return;
		}
		LEND_CRASHPOINT("session.accepted");
		session->handshake_until_ns =
			lendi_now_ns() + server->options.handshake_ms * INT64_C(1000000);
		session->next = server->sessions;
		server->sessions = session;
		server->session_count++;
	}
}

static void ring(struct lend_server *server)
{
	struct lend_session *session;
	int64_t now = lendi_now_ns();
	uint64_t rings;

	(void)lendi_os.read(server->timer, &rings, sizeof(rings));
	server->timer_ns = INT64_MAX;
	if (server->accept_again_ns && server->accept_again_ns <= now)
		go_on_accepting(server);
	for (session = server->sessions; session; session = session->next)
		if (!session->error && session->handshake_until_ns <= now)
			lendi_session_fail(
				session, lendi_fail(-ETIMEDOUT, "no handshake in %u ms",
						 server->options.handshake_ms));
}

void lendi_server_reap(struct lend_server *server)
{
	struct lend_session **link = &server->sessions;
	struct lend_session *session;

	if (server->depth)
		return;
	while ((session = *link)) {
		if (session->depth || !(session->unwanted || session->error)) {
			link = &session->next;
			continue;
		}
		*link = session->next;
		server->session_count--;
		lendi_session_free(session);
	}
}

int lendi_server_greet(struct lend_server *server, struct lend_session *session)
{
	struct offered *offer;
	int err = 0;

	for (offer = server->offers; offer && !err; offer = offer->next)
		if (offer->arena->generation == offer->generation)
			err = lendi_give_add(session, offer->arena, offer->name, NULL);
	return err;
}

static int check(const struct lend_server *server)
{
	if (!server)
		return lendi_fail(-EINVAL, "server is NULL");
	if (server->fork_epoch != lendi_fork_epoch())
		return lendi_fail(-EPERM, "the server is the parent's, not a forked child's");
	return 0;
}

int lend_server_dispatch(struct lend_server *server)
{
	struct epoll_event events[EVENTS_PER_DISPATCH];
	const struct lendi_watch *about;
	int err = check(server);
	int count;
	int i;

	if (err)
		return err;
	server->depth++;
	count = lendi_os.epoll_wait(server->epoll, events, EVENTS_PER_DISPATCH, 0);
	for (i = 0; i < count; i++) {
		about = events[i].data.ptr;
		if (about->kind == LENDI_WATCH_LISTENER)
			accept_peers(server);
		else if (about->kind == LENDI_WATCH_TIMER)
			ring(server);
		else
			lendi_session_step(about->session, about->kind == LENDI_WATCH_PIDFD);
	}
	server->depth--;
	lendi_server_reap(server);
	set_timer(server);
	return 0;
}

static void lend_to_all(struct lend_server *server, const struct offered *offer)
{
	struct lend_session *session;
	int err;

	server->depth++;
	for (session = server->sessions; session; session = session->next) {
		if (!lendi_session_may_lend(session))
			continue;
		session->depth++;
		err = lendi_give_add(session, offer->arena, offer->name, NULL);
		/* A peer that answers nothing would wait in vain for this one: let it know. */
		if (err)
			lendi_session_fail(session, err);
		else
			lendi_session_send(session);
		session->depth--;
	}
	server->depth--;
	lendi_server_reap(server);
}

int lend_server_offer(struct lend_server *server, struct lend_arena *arena, const char *name)
{
	struct offered **link;
	struct offered *offer;
	uint32_t count = 0;
	int err = check(server);

	if (!err)
		err = lendi_give_check(arena, name);
	if (err)
		return err;
	name = name ? name : arena->name;
	for (link = &server->offers; *link; link = &(*link)->next, count++)
		if (strcmp((*link)->name, name) == 0)
			return lendi_fail(-EEXIST, "\"%s\" is offered already", name);
	if (count >= OFFERS_MAX)
		return lendi_fail(-ENOSPC, "%u arenas are offered already", count);
	offer = calloc(1, sizeof(*offer));
	if (!offer)
		return lendi_fail(-ENOMEM, "an offered arena");
	offer->arena = arena;
	offer->generation = arena->generation;
	lendi_wire_text(offer->name, sizeof(offer->name), name);
	*link = offer;

	lend_to_all(server, offer);
	return 0;
}

int lend_server_retract(struct lend_server *server, struct lend_arena *arena)
{
	struct lend_session *session;
	struct offered **link;
	struct offered *offer;
	int err = check(server);

	if (err)
		return err;
	for (link = &server->offers; *link && (*link)->arena != arena;)
		link = &(*link)->next;
	offer = *link;
	if (!offer)
		return lendi_fail(-ENOENT, "the arena is not offered by this server");
	*link = offer->next;
	free(offer);

	server->depth++;
	for (session = server->sessions; session; session = session->next)
		lend_session_withdraw(session, arena);
	server->depth--;
	lendi_server_reap(server);
	return 0;
}

void lend_server_destroy(struct lend_server *server)
{
	struct lend_session *session;
	struct offered *offer;

	if (!server)
		return;
	server->depth++;
	for (session = server->sessions; session; session = session->next)
		lend_session_close(session);
	server->depth--;
	lendi_server_reap(server);
	while ((offer = server->offers)) {
		server->offers = offer->next;
		free(offer);
	}
	lendi_registry_remove(&server->registered);
	/* In a forked child the file is still the parent's. */
	if (server->fork_epoch == lendi_fork_epoch())
		lendi_address_remove(&server->address);
	close_fds(server);
	free(server);
}
