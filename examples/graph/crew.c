/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crew.h"
#include "role.h"

#define FD_ABOVE_ROLES     10 /* ours lie above those that a role finds at fixed numbers */
#define STATUS_NOT_STARTED 127

static volatile sig_atomic_t signal_seen;

static void see_signal(int signal)
{
	signal_seen = signal;
}

int crew_signal(void)
{
	return signal_seen;
}

/* Move an FD out of the way of those that a member inherits. Close-on-exec stays set. */
static int raise_fd(int *fd)
{
	int raised = fcntl(*fd, F_DUPFD_CLOEXEC, FD_ABOVE_ROLES);

	if (raised < 0)
		return graph_fail(-errno, "fcntl: %s", strerror(errno));
	close(*fd);
	*fd = raised;
	return 0;
}

static int make_pair(int type, int out_fds[2])
{
	int err;

	if (socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, out_fds) < 0)
		return graph_fail(-errno, "socketpair: %s", strerror(errno));
	err = raise_fd(&out_fds[0]);
	if (!err)
		err = raise_fd(&out_fds[1]);
	if (err) {
		close(out_fds[0]);
		close(out_fds[1]);
	}
	return err;
}

static void catch_signals(void)
{
	/* Without SA_RESTART: a wait in poll() ends when one comes. */
	struct sigaction action = {.sa_handler = see_signal};

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
}

int crew_init(struct crew *crew, int argc, char **argv, struct progress *progress)
{
	int pair[2];
	int err;

	*crew = (struct crew){
		.argc = argc,
		.argv = argv,
		.progress = progress,
		.reference = -1,
		.owner_copies = -1,
		.copies = -1,
		.exit_status = EXIT_STATUS_INPUT,
	};
	catch_signals();
	crew->members = calloc(CREW_MEMBERS_MAX, sizeof(*crew->members));
	if (!crew->members)
		return graph_fail_memory("the list of processes");
	crew->reference = memfd_create("lend-graph reference results", MFD_CLOEXEC);
	if (crew->reference < 0)
		return graph_fail(-errno, "memfd_create: %s", strerror(errno));
	err = raise_fd(&crew->reference);
	if (err)
		return err;
	err = make_pair(SOCK_STREAM, pair);
	if (err)
		return err;
	crew->owner_copies = pair[0];
	crew->copies = pair[1];
	return 0;
}

/* Put an FD where the role looks for it; a copy made so stays open over exec. */
static void place_fd(int fd, int place)
{
	if (dup2(fd, place) < 0)
		_exit(STATUS_NOT_STARTED);
}

/* In the child: become the role. Only calls that are safe after fork() are made. */
static void become(
	const struct crew *crew, enum role role, int control, pid_t conductor, char **arguments)
{
	/* Ctrl-C reaches the whole terminal group: the conductor alone decides what it means. */
	struct sigaction ignore = {.sa_handler = SIG_IGN};

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != conductor)
		_exit(STATUS_NOT_STARTED);
	sigaction(SIGINT, &ignore, NULL);
	place_fd(control, ROLE_FD_CONTROL);
	place_fd(role == ROLE_OWNER ? crew->owner_copies : crew->copies, ROLE_FD_COPIES);
	place_fd(crew->reference, ROLE_FD_REFERENCE);
	execv("/proc/self/exe", arguments);
	_exit(STATUS_NOT_STARTED);
}

static int spawn(struct crew *crew, enum role role, uint32_t index, int control, pid_t *out_pid)
{
	char role_text[48];
	char conductor_text[48];
	pid_t conductor = getpid();
	char **arguments;
	pid_t pid;
	int i;

	arguments = calloc((size_t)crew->argc + 3, sizeof(*arguments));
	if (!arguments)
		return graph_fail_memory("the arguments of a process");
	(void)snprintf(role_text, sizeof(role_text), "--role=%s:%u", role_name(role), index);
	(void)snprintf(
		conductor_text, sizeof(conductor_text), "--conductor=%ld", (long)conductor);
	arguments[0] = crew->argv[0];
	arguments[1] = role_text;
	arguments[2] = conductor_text;
	for (i = 1; i < crew->argc; i++)
		arguments[i + 2] = crew->argv[i];

	pid = fork();
	if (pid == 0)
		become(crew, role, control, conductor, arguments);
	free(arguments);
	if (pid < 0)
		return graph_fail(-errno, "fork: %s", strerror(errno));
	*out_pid = pid;
	return 0;
}

int crew_start(struct crew *crew, enum role role, uint32_t index, struct member **out_member)
{
	struct member *member = &crew->members[crew->count];
	int pair[2];
	pid_t pid = 0;
	int err;

	err = make_pair(SOCK_SEQPACKET, pair);
	if (err)
		return err;
	err = spawn(crew, role, index, pair[1], &pid);
	close(pair[1]);
	if (err) {
		close(pair[0]);
		return err;
	}

	*member = (struct member){.role = role, .index = index, .pid = pid, .control = pair[0]};
	crew->count++;
	*out_member = member;
	return 0;
}

static void describe(const struct member *member, char *text, size_t room)
{
	if (member->role == ROLE_READER || member->role == ROLE_COPIER)
		(void)snprintf(text, room, "%s %u (process %ld)", role_name(member->role),
			member->index + 1, (long)member->pid);
	else
		(void)snprintf(text, room, "the %s (process %ld)", role_name(member->role),
			(long)member->pid);
}

/* Reap a member whose socket closed and say how it ended. */
static int bury(struct crew *crew, struct member *member)
{
	char who[64];
	int status = 0;

	describe(member, who, sizeof(who));
	while (waitpid(member->pid, &status, 0) < 0 && errno == EINTR)
		;
	member->pid = 0;
	crew->exit_status = EXIT_STATUS_DIED;
	if (WIFEXITED(status) && WEXITSTATUS(status) == STATUS_NOT_STARTED)
		return graph_fail(-ECHILD, "%s could not be started", who);
	if (WIFSIGNALED(status))
		return graph_fail(-ECHILD, "%s was killed by signal %d (%s)", who,
			WTERMSIG(status), strsignal(WTERMSIG(status)));
	return graph_fail(
		-ECHILD, "%s ended by itself with status %d", who, WEXITSTATUS(status));
}

static void show_progress(struct crew *crew)
{
	double sum = 0.0;
	unsigned workers = 0;
	unsigned i;

	for (i = 0; i < crew->count; i++) {
		const struct member *member = &crew->members[i];

		if (member->share < 0.0) {
			progress_set(crew->progress, -1.0);
			return;
		}
		sum += member->share;
		workers += member->share > 0.0;
	}
	if (crew->workers > workers)
		workers = crew->workers;
	progress_set(crew->progress, workers ? sum / workers : 0.0);
}

/* Take one message of a member: progress is shown, a failure returned, the rest kept. */
static int hear(struct crew *crew, struct member *member)
{
	struct message message;
	char who[64];
	int err;

	err = message_receive(member->control, &message);
	if (err == -ENOLINK)
		return bury(crew, member);
	if (err)
		return err;
	switch (message.kind) {
	case MESSAGE_PROGRESS:
		member->share = message.u.share;
		show_progress(crew);
		return 0;
	case MESSAGE_FAILED:
		crew->exit_status = message.exit_status;
		message.u.sentence[GRAPH_FAILURE_BYTES_MAX - 1] = '\0';
		if (member->role == ROLE_OWNER)
			return graph_fail(-ECANCELED, "%s", message.u.sentence);
		describe(member, who, sizeof(who));
		return graph_fail(-ECANCELED, "%s: %s", who, message.u.sentence);
	default:
		if (member->inbox_count == MEMBER_INBOX_MAX)
			return graph_fail(-EPROTO, "a process talks too much");
		member->inbox[member->inbox_count++] = message;
		return 0;
	}
}

/* Wait until any member says something, and hear it. */
static int hear_any(struct crew *crew)
{
	struct pollfd fds[CREW_MEMBERS_MAX];
	unsigned i;
	int err;

	for (i = 0; i < crew->count; i++) {
		fds[i] = (struct pollfd){.fd = crew->members[i].control, .events = POLLIN};
		if (crew->members[i].pid == 0)
			fds[i].fd = -1;
	}
	if (signal_seen)
		return graph_fail(-EINTR, "ended by signal %d", (int)signal_seen);
	if (poll(fds, crew->count, 100) < 0 && errno != EINTR)
		return graph_fail(-errno, "poll: %s", strerror(errno));
	if (signal_seen)
		return graph_fail(-EINTR, "ended by signal %d", (int)signal_seen);

	for (i = 0; i < crew->count; i++) {
		if (fds[i].fd < 0 || fds[i].revents == 0)
			continue;
		err = hear(crew, &crew->members[i]);
		if (err)
			return err;
	}
	return 0;
}

int crew_tell(struct crew *crew, struct member *member, enum message_kind kind)
{
	struct message message = {.kind = kind};
	int err;

	err = message_send(member->control, &message);
	if (err == -ENOLINK)
		return hear(crew, member); /* its last words, or its death, say more */
	return err;
}

int crew_await(struct crew *crew, struct member *member, enum message_kind kind,
	struct message *out_message)
{
	int err;

	while (member->inbox_count == 0) {
		err = hear_any(crew);
		if (err)
			return err;
	}
	*out_message = member->inbox[0];
	member->inbox_count--;
	memmove(&member->inbox[0], &member->inbox[1],
		member->inbox_count * sizeof(*member->inbox));
	if (out_message->kind != kind)
		return graph_fail(-EPROTO, "the %s said %d, wanted %d", role_name(member->role),
			(int)out_message->kind, (int)kind);
	return 0;
}

void crew_restart_progress(struct crew *crew, unsigned worker_count)
{
	unsigned i;

	for (i = 0; i < crew->count; i++)
		crew->members[i].share = 0.0;
	crew->workers = worker_count;
}

/* Wait for an end that should be near; a member that hangs is killed. */
static int reap(struct member *member)
{
	double deadline = measure_now() + CREW_QUIT_SECONDS;
	int status = 0;
	pid_t pid;

	for (;;) {
		pid = waitpid(member->pid, &status, WNOHANG);
		if (pid == member->pid || (pid < 0 && errno != EINTR))
			break;
		if (measure_now() > deadline) {
			(void)kill(member->pid, SIGKILL);
			deadline += CREW_QUIT_SECONDS;
		}
		(void)poll(NULL, 0, 1);
	}
	return status;
}

int crew_release(struct crew *crew, struct member *member)
{
	char who[64];
	int status;
	int err;

	if (member->pid == 0)
		return 0;
	describe(member, who, sizeof(who));
	err = crew_tell(crew, member, MESSAGE_DO_QUIT);
	if (err)
		return err;
	status = reap(member);
	member->pid = 0;
	close(member->control);
	member->control = -1;
	if (status == 0)
		return 0;
	crew->exit_status = EXIT_STATUS_DIED;
	return graph_fail(-ECHILD, "%s did not end well: %s %d", who,
		WIFSIGNALED(status) ? "signal" : "status",
		WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
}

int crew_dismiss(struct crew *crew)
{
	unsigned i;
	int err;

	for (i = crew->count; i-- > 0;) { /* borrowers first, the owner last */
		err = crew_release(crew, &crew->members[i]);
		if (err)
			return err;
	}
	return 0;
}

static void close_if_open(int fd)
{
	if (fd >= 0)
		close(fd);
}

void crew_fini(struct crew *crew)
{
	unsigned i;

	for (i = 0; i < crew->count; i++) {
		struct member *member = &crew->members[i];

		if (member->pid > 0) {
			(void)kill(member->pid, SIGKILL);
			while (waitpid(member->pid, NULL, 0) < 0 && errno == EINTR)
				;
		}
		close_if_open(member->control);
	}
	close_if_open(crew->reference);
	close_if_open(crew->owner_copies);
	close_if_open(crew->copies);
	free(crew->members);
	crew->members = NULL;
	crew->count = 0;
}
