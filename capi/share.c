/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#include <lendheap/session.h>
#include <lendheap/share.h>

#include "arena/arena.h"
#include "base/error.h"
#include "os/os.h"
#include "session/registry.h"

/*
 * One server per shared arena, one thread for all servers. The lock is held by the thread while it
 * dispatches, which never blocks, and by every call here; so a server is used by one thread at a
 * time, and a fork finds all of it at rest.
 */

#define NAME_BYTES_MAX  63u
#define RETRY_MS_MAX    20
#define EVENTS_PER_TURN 16
#define WAKE_TRIES      1000

struct share {
	struct share *next;
	struct lend_arena *arena;
	struct lend_server *server;
};

/* A helper thread and what it waits on. Its own object: an ending one and the next can overlap. */
struct helper {
	pthread_t thread;
	int epoll;
	int wake; /* eventfd */
	bool stop;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct share *shares;  /* under lock, as all below */
static struct helper *helper; /* NULL when nothing is shared */
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void free_share(struct share *share)
{
	lend_server_destroy(share->server);
	free(share);
}

static void free_helper(struct helper *self)
{
	lendi_close(self->epoll);
	lendi_close(self->wake);
	free(self);
}

static void before_fork(void)
{
	(void)pthread_mutex_lock(&lock);
}

static void after_fork(void)
{
	(void)pthread_mutex_unlock(&lock);
}

/*
 * The child has no helper thread and may not serve: the servers' FDs are closed by the session
 * floor, the helper's here. What the child shares later starts afresh.
 */
static void forget_in_child(void)
{
	struct share *share;

	while ((share = shares)) {
		shares = share->next;
		free_share(share);
	}
	if (helper)
		free_helper(helper);
	helper = NULL;
	(void)pthread_mutex_unlock(&lock);
}

static void watch_forks(void)
{
	/*
	 * Handlers that run before a fork take their locks in the reverse order of registration. Ours
	 * is held while sessions are registered, so theirs must be registered first.
	 */
	lendi_registry_watch_forks();
	(void)pthread_atfork(before_fork, after_fork, forget_in_child);
}

static void dispatch(const struct lend_server *server)
{
	struct share *share;

	/* The event may be older than the lock: the server may be gone. */
	for (share = shares; share; share = share->next)
		if (share->server == server)
			(void)lend_server_dispatch(share->server);
}

static void *serve(void *argument)
{
	struct helper *self = argument;
	struct epoll_event events[EVENTS_PER_TURN];
	bool stop = false;
	int count;
	int i;

	while (!stop) {
		count = lendi_os.epoll_wait(self->epoll, events, EVENTS_PER_TURN, -1);
		if (count < 0 && errno != EINTR)
			(void)lendi_os.poll(
				NULL, 0, 10); /* no way to tell anyone: not a busy loop */
		(void)pthread_mutex_lock(&lock);
		for (i = 0; i < count; i++)
			if (events[i].data.ptr)
				dispatch(events[i].data.ptr);
		stop = self->stop;
		(void)pthread_mutex_unlock(&lock);
	}
	return NULL;
}

static int make_thread(struct helper *self)
{
	sigset_t all;
	sigset_t kept;
	int err;

	/* The application's signals are not for this thread. */
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &kept);
	err = -pthread_create(&self->thread, NULL, serve, self);
	(void)pthread_sigmask(SIG_SETMASK, &kept, NULL);
	if (err)
		return lendi_fail_errno(err, "helper thread of lend_share()");
	(void)pthread_setname_np(self->thread, "lendheap-share");
	return 0;
}

static int watch(struct helper *self, int fd, void *about)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = about};

	if (lendi_os.epoll_ctl(self->epoll, EPOLL_CTL_ADD, fd, &event))
		return lendi_fail_errno(-errno, "watching a share");
	return 0;
}

static int start_helper(struct helper **out_helper)
{
	struct helper *self = calloc(1, sizeof(*self));
	int err = 0;

	if (!self)
		return lendi_fail(-ENOMEM, "helper of lend_share()");
	self->wake = -1;
	self->epoll = lendi_os.epoll_create1(EPOLL_CLOEXEC);
	if (self->epoll >= 0)
		self->wake = lendi_os.eventfd(0, EFD_CLOEXEC);
	if (self->epoll < 0 || self->wake < 0)
		err = lendi_fail_errno(-errno, "FDs of the helper thread");
	if (!err)
		err = watch(self, self->wake, NULL);
	if (!err)
		err = make_thread(self);
	if (err) {
		free_helper(self);
		return err;
	}
	*out_helper = self;
	return 0;
}

/* The lock is not held: the thread takes it once more to see that it is over. */
static void stop_helper(struct helper *self)
{
	const uint64_t one = 1;
	int tries = 0;

	if (!self)
		return;
	/* The counter cannot be full; should a call fail all the same, the join must not hang. */
	while (lendi_os.write(self->wake, &one, sizeof(one)) < 0 && ++tries < WAKE_TRIES)
		(void)lendi_os.poll(NULL, 0, 1);
	(void)pthread_join(self->thread, NULL);
	free_helper(self);
}

static int name_address(const char *name, char *address, size_t bytes)
{
	size_t count = name ? strlen(name) : 0;

	if (count == 0 || count > NAME_BYTES_MAX)
		return lendi_fail(-EINVAL, "share name of %zu bytes, 1 to %u are possible",
			count, NAME_BYTES_MAX);
	(void)snprintf(
		address, bytes, "@lendheap/share/%u/%s", (unsigned)lendi_os.geteuid(), name);
	return 0;
}

static struct share **find(const struct lend_arena *arena)
{
	struct share **link = &shares;

	while (*link && (*link)->arena != arena)
		link = &(*link)->next;
	return link;
}

static void unshare_before_destroy(struct lend_arena *arena)
{
	(void)lend_unshare(arena);
}

static int make_share(struct lend_arena *arena, const char *name, const char *address,
	struct share **out_share)
{
	const struct lend_session_options options = {.flags = LEND_SESSION_LENDS_ONLY};
	struct share *share = calloc(1, sizeof(*share));
	int err;

	if (!share)
		return lendi_fail(-ENOMEM, "a share");
	share->arena = arena;
	err = lend_server_create(address, &options, &share->server);
	if (!err)
		err = lend_server_offer(share->server, arena, name);
	if (err) {
		lend_server_destroy(share->server);
		free(share);
		return err;
	}
	*out_share = share;
	return 0;
}

/* The helper, if nothing is shared any more: for stop_helper() once the lock is gone. */
static struct helper *take_idle_helper(void)
{
	struct helper *idle = shares ? NULL : helper;

	if (idle) {
		idle->stop = true;
		helper = NULL;
	}
	return idle;
}

static int share_locked(struct lend_arena *arena, const char *name, const char *address,
	struct helper **out_idle)
{
	struct share *share = NULL;
	int err;

	if (*find(arena))
		return lendi_fail(-EBUSY, "arena \"%s\" is shared already", arena->name);
	err = make_share(arena, name, address, &share);
	if (err)
		return err;
	if (!helper)
		err = start_helper(&helper);
	if (!err)
		err = watch(helper, lend_server_fd(share->server), share->server);
	if (err) {
		free_share(share);
		*out_idle = take_idle_helper();
		return err;
	}
	arena->before_destroy = unshare_before_destroy;
	share->next = shares;
	shares = share;
	return 0;
}

int lend_share(struct lend_arena *arena, const char *name)
{
	char address[LEND_ADDRESS_BYTES_MAX + 1];
	struct helper *idle = NULL;
	int err;

	err = lendi_arena_check_owned(arena);
	if (!err)
		err = name_address(name, address, sizeof(address));
	if (err)
		return err;
	(void)pthread_once(&once, watch_forks);
	(void)pthread_mutex_lock(&lock);
	err = share_locked(arena, name, address, &idle);
	(void)pthread_mutex_unlock(&lock);
	stop_helper(idle);
	return err;
}

int lend_unshare(struct lend_arena *arena)
{
	struct helper *idle;
	struct share **link;
	struct share *share;

	(void)pthread_mutex_lock(&lock);
	link = find(arena);
	share = *link;
	if (share) {
		*link = share->next;
		arena->before_destroy = NULL;
		free_share(share);
	}
	idle = take_idle_helper();
	(void)pthread_mutex_unlock(&lock);
	stop_helper(idle);
	return share ? 0 : lendi_fail(-ENOENT, "the arena is not shared");
}

/* Anyone can bind an abstract name: only our own user serves our names. */
static int admit_own_user(
	const struct lend_peer *peer, char *reason, size_t reason_bytes, void *context)
{
	const char *name = context;

	if (peer->uid == lendi_os.geteuid())
		return 0;
	(void)snprintf(reason, reason_bytes,
		"\"%s\" is served by process %d of user %u, a stranger", name, peer->pid,
		peer->uid);
	return -EACCES;
}

/* Nobody there yet, or there no more, or no room just now: it may pass. */
static bool is_passing(int err)
{
	return err == -ECONNREFUSED || err == -EAGAIN || err == -EOWNERDEAD ||
	       err == -ENOLINK || err == -ECONNRESET || err == -EPIPE;
}

static int open_once(const char *name, const char *address, lend_deadline deadline,
	const struct lend_arena **out_arena)
{
	const struct lend_session_options options = {
		.admit = admit_own_user, .context = (void *)(uintptr_t)name};
	struct lend_session *session;
	char reason[LEND_REASON_BYTES_MAX + 1];
	int err;

	err = lend_session_connect(address, &options, deadline, &session);
	if (err)
		return err;
	err = lend_session_borrow(session, name, deadline, out_arena);
	(void)snprintf(reason, sizeof(reason), "%s", lend_error_detail());
	/* The mapping and the claims are all that is needed: growth needs no message. */
	lend_session_close(session);
	return err ? lendi_fail(err, "%s", reason) : 0;
}

static int give_up(const char *name)
{
	char last[LEND_REASON_BYTES_MAX + 1];

	(void)snprintf(last, sizeof(last), "%s", lend_error_detail());
	return lendi_fail(-ETIMEDOUT, "nobody shared \"%s\" in time: %s", name, last);
}

int lend_open(const char *name, lend_deadline deadline, const struct lend_arena **out_arena)
{
	char address[LEND_ADDRESS_BYTES_MAX + 1];
	int wait_ms = 1;
	int left_ms;
	int err;

	if (!out_arena)
		return lendi_fail(-EINVAL, "out_arena is NULL");
	err = name_address(name, address, sizeof(address));
	if (err)
		return err;
	for (;;) {
		err = open_once(name, address, deadline, out_arena);
		if (!is_passing(err))
			return err;
		left_ms = lendi_deadline_poll_ms(deadline);
		if (left_ms == 0)
			return give_up(name);
		if (left_ms > 0 && wait_ms > left_ms)
			wait_ms = left_ms;
		(void)lendi_os.poll(NULL, 0, wait_ms);
		wait_ms = wait_ms < RETRY_MS_MAX / 2 ? 2 * wait_ms : RETRY_MS_MAX;
	}
}

int lend_close(const struct lend_arena *arena)
{
	if (!arena)
		return lendi_fail(-EINVAL, "arena is NULL");
	return lendi_arena_detach(arena);
}
