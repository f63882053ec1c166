/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "support/role.h"

enum { ROLE_SECONDS = 50 };

static void exec_role(const char *name, int parent, int link, const char *argument)
{
	char parent_text[16];
	char link_text[16];

	(void)snprintf(parent_text, sizeof(parent_text), "%d", parent);
	(void)snprintf(link_text, sizeof(link_text), "%d", link);
	(void)fcntl(parent, F_SETFD, 0);
	if (link >= 0)
		(void)fcntl(link, F_SETFD, 0);
	(void)execl("/proc/self/exe", "role", "--role", name, parent_text, link_text, argument,
		(char *)NULL);
	_exit(CHILD_FAILED);
}

struct child role_start(const char *name, int link, const char *argument)
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
			_exit(CHILD_FAILED);
		exec_role(name, socks[1], link, argument ? argument : "");
	}
	(void)close(socks[1]);
	if (link >= 0)
		(void)close(link);
	if (child.pid < 0)
		(void)close(socks[0]);
	else
		child.sock = socks[0];
	return child;
}

int role_main(const struct role *roles, size_t count, int argc, char **argv)
{
	int parent;
	int link;
	size_t i;

	if (argc != 6 || strcmp(argv[1], "--role") != 0)
		return -1;
	(void)alarm(ROLE_SECONDS);
	parent = atoi(argv[3]);
	link = atoi(argv[4]);
	(void)fcntl(parent, F_SETFD, FD_CLOEXEC);
	if (link >= 0)
		(void)fcntl(link, F_SETFD, FD_CLOEXEC);
	for (i = 0; i < count; i++)
		if (strcmp(roles[i].name, argv[2]) == 0)
			return roles[i].run(parent, link, argv[5]);
	fprintf(stderr, "no role %s\n", argv[2]);
	return CHILD_FAILED;
}
