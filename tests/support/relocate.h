/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LENDHEAP_TESTS_RELOCATE_H
#define LENDHEAP_TESTS_RELOCATE_H

/*
 * A memfd mapped at several addresses, in this process and in a fresh one: what relocation is
 * tested with where no arena is needed. The kernel picks the addresses, which suits sanitizers.
 *
 *	int fd = region_create(bytes);
 *	void *here = region_map(fd, bytes, NULL);
 *	... fill it ...
 *	CU_ASSERT_EQUAL(region_visit(fd, here, "walk"), 0);
 *
 * region_visit() runs this very program anew, as `program walk <fd> <address of here>`, and its
 * main() maps the memfd with region_map(fd, bytes, here): surely at another address.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* Returns an FD that an exec keeps, or -1. */
static inline int region_create(size_t bytes)
{
	int fd = memfd_create("region", 0);

	if (fd >= 0 && ftruncate(fd, (off_t)bytes) != 0) {
		close(fd);
		fd = -1;
	}
	return fd;
}

/* Map the memfd anywhere but at `other`. Returns NULL on failure; undone by munmap(). */
static inline void *region_map(int fd, size_t bytes, const void *other)
{
	void *address = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	void *first = address;

	if (address == MAP_FAILED)
		return NULL;
	if (address == other) {
		address = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		munmap(first, bytes);
	}
	return address == MAP_FAILED ? NULL : address;
}

/* Run this program anew in the given role; its exit status, or -1 if it died otherwise. */
static inline int region_visit(int fd, const void *here, const char *role)
{
	char program[4096] = {0};
	char fd_text[16];
	char here_text[32];
	int status;
	pid_t child;

	snprintf(fd_text, sizeof(fd_text), "%d", fd);
	snprintf(here_text, sizeof(here_text), "%llu", (unsigned long long)(uintptr_t)here);
	/* Executing the link itself would start valgrind's own program under valgrind. */
	if (readlink("/proc/self/exe", program, sizeof(program) - 1) < 0)
		return -1;
	child = fork();
	if (child == 0) {
		execl(program, "visitor", role, fd_text, here_text, (char *)NULL);
		_exit(126);
	}
	while (child > 0 && waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return child > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* In the visitor: the FD and the address it was given, behind the role. */
static inline int region_visit_fd(char **argv)
{
	return atoi(argv[2]);
}

static inline const void *region_visit_there(char **argv)
{
	return (const void *)(uintptr_t)strtoull(argv[3], NULL, 10);
}

#endif /* LENDHEAP_TESTS_RELOCATE_H */
