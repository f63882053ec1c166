/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "failure.h"
#include "measure.h"

static double read_clock(clockid_t clock)
{
	struct timespec now;

	(void)clock_gettime(clock, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

double measure_now(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

double measure_busy(void)
{
	return read_clock(CLOCK_THREAD_CPUTIME_ID);
}

static int compare(const void *left, const void *right)
{
	double a = *(const double *)left;
	double b = *(const double *)right;

	return (a > b) - (a < b);
}

/* The value at a share of the way through the sorted ones, between two of them if need be. */
static double at_share(const double *values, uint32_t count, double share)
{
	double at = share * (double)(count - 1);
	uint32_t below = (uint32_t)at;

	if (below + 1 >= count)
		return values[count - 1];
	return values[below] + (values[below + 1] - values[below]) * (at - (double)below);
}

struct sample sample_of(double *values, uint32_t count)
{
	struct sample made;

	qsort(values, count, sizeof(*values), compare);
	made.count = count;
	made.median = at_share(values, count, 0.5);
	made.low = at_share(values, count, 0.25);
	made.high = at_share(values, count, 0.75);
	return made;
}

/* "Pss:                 12 kB" */
static bool read_field(const char *line, const char *name, uint64_t *sum)
{
	size_t count = strlen(name);

	if (strncmp(line, name, count) != 0)
		return false;
	*sum += strtoull(line + count, NULL, 10) * 1024;
	return true;
}

static bool read_range(const char *line, uint64_t *out_start, uint64_t *out_end)
{
	return sscanf(line, "%" SCNx64 "-%" SCNx64 " ", out_start, out_end) == 2;
}

int measure_memory(
	pid_t pid, uint64_t range_start, uint64_t range_bytes, struct memory *out_memory)
{
	struct memory memory = {0};
	bool inside = false;
	char line[512];
	uint64_t start;
	uint64_t end;
	FILE *file;

	(void)snprintf(line, sizeof(line), "/proc/%ld/smaps", (long)pid);
	file = fopen(line, "re");
	if (!file)
		return graph_fail(-errno, "%s: %s", line, strerror(errno));
	while (fgets(line, sizeof(line), file)) {
		if (read_range(line, &start, &end)) {
			inside = start < range_start + range_bytes && end > range_start;
			continue;
		}
		if (read_field(line, "Pss:", &memory.pss_bytes) && inside)
			(void)read_field(line, "Pss:", &memory.range_pss_bytes);
		if (!inside)
			continue;
		(void)read_field(line, "Rss:", &memory.range_rss_bytes);
		(void)read_field(line, "Anonymous:", &memory.range_copied_bytes);
	}
	(void)fclose(file);

	*out_memory = memory;
	return 0;
}

uint64_t measure_available(void)
{
	uint64_t available = 0;
	char line[256];
	FILE *file;

	file = fopen("/proc/meminfo", "re");
	if (!file)
		return UINT64_MAX;
	while (fgets(line, sizeof(line), file)) {
		if (read_field(line, "MemAvailable:", &available))
			break;
	}
	(void)fclose(file);
	return available ? available : UINT64_MAX;
}
