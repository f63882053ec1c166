/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "support/child.h"
#include "support/tools.h"

enum { CHILD_SECONDS = 50 };

/*
 * Valgrind looks for leaks at a child's exit, in every page it believes to be mapped: with an
 * arena, whose books a child does not have and whose file ends long before its mapping, that is
 * minutes of faults. A child that became another program has nothing to look through.
 */
static void __attribute__((noreturn)) leave(int status)
{
	char text[16];

	if (under_valgrind()) {
		(void)snprintf(text, sizeof(text), "%d", status & 0xff);
		(void)execl("/bin/sh", "sh", "-c", "exit \"$0\"", text, (char *)NULL);
	}
	_exit(status);
}

struct child child_start(int (*run)(int parent, void *argument), void *argument)
{
	struct child child = {-1, -1};
	pid_t parent = getpid();
	int socks[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, socks))
		return child;
	(void)fflush(NULL);
	child.pid = fork();
	if (child.pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			leave(CHILD_FAILED);
		(void)signal(SIGALRM, SIG_DFL);
		(void)alarm(CHILD_SECONDS);
		(void)close(socks[0]);
		leave(run(socks[1], argument));
	}
	(void)close(socks[1]);
	if (child.pid < 0)
		(void)close(socks[0]);
	else
		child.sock = socks[0];
	return child;
}

int child_end(struct child *child)
{
	int status = 0;
	pid_t got;

	if (child->pid <= 0)
		return CHILD_FAILED;
	do {
		got = waitpid(child->pid, &status, 0);
	} while (got < 0 && errno == EINTR);
	(void)close(child->sock);
	child->pid = -1;
	child->sock = -1;
	if (got < 0)
		return CHILD_FAILED;
	return WIFSIGNALED(status) ? CHILD_SIGNAL + WTERMSIG(status) : WEXITSTATUS(status);
}

void child_kill(struct child *child)
{
	if (child->pid <= 0)
		return;
	(void)kill(child->pid, SIGKILL);
	(void)child_end(child);
}

int child_run(int (*run)(int parent, void *argument), void *argument)
{
	struct child child = child_start(run, argument);

	return child_end(&child);
}

bool child_tell_number(int sock, long long number)
{
	return send(sock, &number, sizeof(number), MSG_NOSIGNAL) == sizeof(number);
}

bool child_await_number(int sock, long long *out_number)
{
	ssize_t got;

	do {
		got = recv(sock, out_number, sizeof(*out_number), 0);
	} while (got < 0 && errno == EINTR);
	return got == sizeof(*out_number);
}

bool child_tell(int sock)
{
	return child_tell_number(sock, 1);
}

bool child_await(int sock)
{
	long long number;

	return child_await_number(sock, &number);
}

union fd_control {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(sizeof(int))];
};

bool child_send_fd(int sock, int fd)
{
	union fd_control control;
	char byte = 'f';
	struct iovec body = {&byte, 1};
	struct msghdr message = {.msg_iov = &body,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control)};
	struct cmsghdr *header = &control.align;

	memset(&control, 0, sizeof(control));
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(header), &fd, sizeof(int));
	return sendmsg(sock, &message, MSG_NOSIGNAL) == 1;
}

int child_receive_fd(int sock)
{
	union fd_control control;
	char byte;
	struct iovec body = {&byte, 1};
	struct msghdr message = {.msg_iov = &body,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control)};
	struct cmsghdr *header;
	int fd;

	if (recvmsg(sock, &message, MSG_CMSG_CLOEXEC) != 1)
		return -1;
	header = CMSG_FIRSTHDR(&message);
	if (!header || header->cmsg_type != SCM_RIGHTS)
		return -1;
	memcpy(&fd, CMSG_DATA(header), sizeof(int));
	return fd;
}

void child_fail(const char *file, int line, const char *claim, const char *detail)
{
	const char *name = strrchr(file, '/');

	fprintf(stderr, "\n%s:%d: in child %d: %s (errno %s; last sentence: %s)\n",
		name ? name + 1 : file, line, (int)getpid(), claim, strerror(errno), detail);
	leave(CHILD_FAILED);
}
