/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAPH_MEASURE_H
#define GRAPH_MEASURE_H

/* Time and memory: what the table at the end is made of. */
#include <stdint.h>
#include <sys/types.h>

#define MEASURE_ROUNDS_MAX 64u

/* Seconds on CLOCK_MONOTONIC. */
double measure_now(void);

/* Seconds that this thread has kept a CPU busy. */
double measure_busy(void);

/* Several measurements of one thing: the median, and the quarters that lie around it. */
struct sample {
	uint32_t count;
	double median;
	double low;  /* a quarter of all lies below */
	double high; /* a quarter of all lies above */
};

/* values are sorted in place; count must not be 0. */
struct sample sample_of(double *values, uint32_t count);

/* Memory of a process, and of that the part in one range of addresses. */
struct memory {
	uint64_t pss_bytes; /* each page divided by how many processes map it */
	uint64_t range_pss_bytes;
	uint64_t range_rss_bytes;
	uint64_t range_copied_bytes; /* in pages that this process has its own copy of */
};

/* Read it from /proc/PID/smaps. range_bytes may be 0. 0; -ENOENT no such process, -EACCES. */
int measure_memory(
	pid_t pid, uint64_t range_start, uint64_t range_bytes, struct memory *out_memory);

/* MemAvailable of this machine; UINT64_MAX where it does not say. */
uint64_t measure_available(void);

#endif /* GRAPH_MEASURE_H */
