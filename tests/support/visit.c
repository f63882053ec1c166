/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "support/offer.h"
#include "support/visit.h"

enum { VISIT_SECONDS = 100 };

static void exec_visitor(const char *name, int sock, enum visit_place place)
{
	char program[4096] = {0};
	char sock_text[16];
	char place_text[16];

	(void)snprintf(sock_text, sizeof(sock_text), "%d", sock);
	(void)snprintf(place_text, sizeof(place_text), "%d", (int)place);
	(void)fcntl(sock, F_SETFD, 0);
	/* Executing the link itself would start valgrind's own program under valgrind. */
	if (readlink("/proc/self/exe", program, sizeof(program) - 1) < 0)
		_exit(CHILD_FAILED);
	(void)execl(program, "visitor", "--visit", name, sock_text, place_text, (char *)NULL);
	_exit(CHILD_FAILED);
}

struct child visit_start(
	const struct lend_arena *arena, enum visit_place place, const char *name)
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
		exec_visitor(name, socks[1], place);
	}
	(void)close(socks[1]);
	if (child.pid < 0) {
		(void)close(socks[0]);
		return child;
	}
	child.sock = socks[0];
	if (!child_tell_number(child.sock, (long long)(uintptr_t)arena->base) ||
		!offer_send_arena(child.sock, arena))
		child_kill(&child);
	return child;
}

int visit(const struct lend_arena *arena, enum visit_place place, const char *name)
{
	struct child child = visit_start(arena, place, name);

	return child_end(&child);
}

/* Borrow what the parent sends; relocated, because a page of ours lies at its place. */
static int attach(int parent, enum visit_place place, const struct lend_arena **out_arena)
{
	struct offer offer;
	long long base;
	int err;

	if (!child_await_number(parent, &base) || !offer_receive(parent, &offer))
		return -ENOLINK;
	if (place == VISIT_RELOCATED &&
		mmap((void *)(uintptr_t)base, 4096, PROT_NONE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == MAP_FAILED)
		return -errno;
	err = offer_attach(&offer, place == VISIT_RELOCATED, out_arena);
	if (!err && lend_arena_is_fixed(*out_arena) != (place == VISIT_FIXED))
		return -EXDEV;
	return err;
}

int visit_main(const struct visitor *visitors, size_t count, int argc, char **argv)
{
	const struct lend_arena *arena = NULL;
	int parent;
	int err;
	size_t i;

	if (argc != 5 || strcmp(argv[1], "--visit") != 0)
		return -1;
	(void)alarm(VISIT_SECONDS);
	parent = atoi(argv[3]);
	(void)fcntl(parent, F_SETFD, FD_CLOEXEC);
	err = attach(parent, (enum visit_place)atoi(argv[4]), &arena);
	if (err) {
		fprintf(stderr, "visitor %s: %s: %s\n", argv[2], strerror(-err),
			lend_error_detail());
		return CHILD_FAILED;
	}
	for (i = 0; i < count; i++)
		if (strcmp(visitors[i].name, argv[2]) == 0)
			return visitors[i].run(arena, parent);
	fprintf(stderr, "no visitor %s\n", argv[2]);
	return CHILD_FAILED;
}
