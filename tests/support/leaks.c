/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/leaks.h"
#include "support/tools.h"

/* The window of the library and the page map behind it; below 2^47 in builds with a shadow. */
#if UNDER_TSAN
static uint64_t watched_from = UINT64_C(0x7e8000000000);
static uint64_t watched_bytes = UINT64_C(33) << 32;
#else
static uint64_t watched_from = UINT64_C(0x120000000000);
static uint64_t watched_bytes = UINT64_C(4096) << 32;
#endif

void leaks_watch(uint64_t base, uint64_t bytes)
{
	watched_from = base;
	watched_bytes = bytes;
}

/* The FD that reads the folder is its own; it is left out. */
static int count_fds(int print)
{
	struct dirent *entry;
	char target[256];
	char path[300];
	ssize_t bytes;
	int count = 0;
	DIR *dir;

	dir = opendir("/proc/self/fd");
	if (!dir)
		return -1;
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.' || atoi(entry->d_name) == dirfd(dir))
			continue;
		count++;
		if (!print)
			continue;
		(void)snprintf(path, sizeof(path), "/proc/self/fd/%s", entry->d_name);
		bytes = readlink(path, target, sizeof(target) - 1);
		target[bytes < 0 ? 0 : bytes] = 0;
		fprintf(stderr, "  fd %s %s\n", entry->d_name, target);
	}
	(void)closedir(dir);
	return count;
}

/* Neighbours that the kernel has made one are one: pieces of an arena never are neighbours' . */
static int count_mappings(int print)
{
	char line[512];
	uint64_t from;
	uint64_t end;
	int count = 0;
	FILE *maps;

	maps = fopen("/proc/self/maps", "re");
	if (!maps)
		return -1;
	while (fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%" SCNx64 "-%" SCNx64, &from, &end) != 2 ||
			end <= watched_from || from >= watched_from + watched_bytes)
			continue;
		count++;
		if (print)
			fprintf(stderr, "  %s", line);
	}
	(void)fclose(maps);
	return count;
}

static int count_children_of(const char *task)
{
	char path[300];
	int count = 0;
	FILE *file;
	int pid;

	(void)snprintf(path, sizeof(path), "/proc/self/task/%s/children", task);
	file = fopen(path, "re");
	if (!file)
		return 0; /* the thread is gone, or the kernel has no such file */
	while (fscanf(file, "%d", &pid) == 1)
		count++;
	(void)fclose(file);
	return count;
}

static int count_children(void)
{
	struct dirent *entry;
	int count = 0;
	DIR *dir;

	dir = opendir("/proc/self/task");
	if (!dir)
		return -1;
	while ((entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			count += count_children_of(entry->d_name);
	(void)closedir(dir);
	return count;
}

struct leaks leaks_count(void)
{
	struct leaks now = {count_fds(0), count_mappings(0), count_children()};

	return now;
}

int leaks_since(const struct leaks *before)
{
	struct leaks now = leaks_count();

	if (now.fds != before->fds) {
		fprintf(stderr, "\n%d FDs, %d before:\n", now.fds, before->fds);
		(void)count_fds(1);
	}
	if (now.mappings != before->mappings) {
		fprintf(stderr, "\n%d mappings, %d before:\n", now.mappings, before->mappings);
		(void)count_mappings(1);
	}
	if (now.children != before->children)
		fprintf(stderr, "\n%d children, %d before\n", now.children, before->children);
	return abs(now.fds - before->fds) + abs(now.mappings - before->mappings) +
	       abs(now.children - before->children);
}
