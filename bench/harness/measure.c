/* SPDX-License-Identifier: Apache-2.0 */
/* Clocks, CPUs, random numbers and what the kernel says about memory. */
#include "bench.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static uint64_t read_clock(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

uint64_t bench_wall_ns(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

uint64_t bench_thread_ns(void)
{
	return read_clock(CLOCK_THREAD_CPUTIME_ID);
}

int bench_pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((size_t)cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set) < 0)
		return -errno;
	return 0;
}

/* splitmix64. Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators". */
uint64_t bench_random(uint64_t *state)
{
	uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

void bench_shuffle(uint32_t *index, uint32_t count, uint64_t *state)
{
	uint32_t i, j, t;

	for (i = 0; i < count; i++)
		index[i] = i;
	for (i = count; i > 1; i--) {
		j = bench_random_below(state, i);
		t = index[i - 1];
		index[i - 1] = index[j];
		index[j] = t;
	}
}

/* A small file of /proc. Without stdio, whose buffers come out of a heap that is being measured. */
static int read_text(const char *path, char *text, size_t bytes)
{
	ssize_t got;
	int fd;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	got = read(fd, text, bytes - 1);
	close(fd);
	if (got < 0)
		return -EIO;
	text[got] = '\0';
	return 0;
}

/* The number behind "field:" in a file of the form of /proc/meminfo, in bytes. */
static int64_t read_kib_field(const char *path, const char *field)
{
	size_t field_bytes = strlen(field);
	char text[8192];
	const char *line;
	uint64_t kib;
	int err;

	err = read_text(path, text, sizeof(text));
	if (err)
		return err;
	for (line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, field, field_bytes) != 0 || line[field_bytes] != ':')
			continue;
		if (sscanf(line + field_bytes + 1, "%" SCNu64, &kib) == 1)
			return (int64_t)(kib * 1024);
	}
	return -ENOENT;
}

int64_t bench_resident_bytes(void)
{
	uint64_t all, resident;
	char text[256];
	int err;

	err = read_text("/proc/self/statm", text, sizeof(text));
	if (err)
		return err;
	if (sscanf(text, "%" SCNu64 " %" SCNu64, &all, &resident) != 2)
		return -EIO;
	return (int64_t)resident * sysconf(_SC_PAGESIZE);
}

int64_t bench_smaps_bytes(pid_t pid, const char *field)
{
	char path[64];

	if (pid == 0)
		pid = getpid();
	snprintf(path, sizeof(path), "/proc/%ld/smaps_rollup", (long)pid);
	return read_kib_field(path, field);
}

uint64_t bench_memory_available(void)
{
	int64_t bytes = read_kib_field("/proc/meminfo", "MemAvailable");

	return bytes < 0 ? 0 : (uint64_t)bytes;
}
