/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LENDHEAP_BENCH_H
#define LENDHEAP_BENCH_H

/*
 * The harness of every bench: rows that take turns, and what is said about them at the end.
 *
 *	bench_init(&b, "alloc", argc, argv);
 *	bench_isolate(&b, "tight", run_tight, NULL);             a fresh process for each case
 *		row = bench_add_row(&b, "tight", "lend", BENCH_SUBJECT, "profile", "fast");
 *		peer = bench_add_row(&b, "tight", "glibc", BENCH_PEER, NULL, NULL);
 *		for (round = 0; round < b.rounds; round++)       rows interleaved, order rotating
 *			bench_add(row, "ns", "ratio", measure());
 *	bench_add_limit(&b, "tight", "lend", "fast", "glibc", "ratio", 0.8);
 *	return bench_report(&b);
 *
 * A row is a subject (ours) or a peer (what it is compared with) of one case. It has up to
 * BENCH_SERIES_MAX series of one value per round. A series that has a ratio key is compared: the
 * ratio is the median over the rounds of subject / peer **of the same round**, so a slow moment
 * of the machine hits both. Every pair of a subject and a peer in a case becomes a JSON object.
 *
 * Rows lie in memory shared with forked children, so a case may run in a process of its own. One
 * process at a time adds to them.
 */
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#define BENCH_ROWS_MAX   640
#define BENCH_SERIES_MAX 8
#define BENCH_ROUNDS_MAX 201
#define BENCH_LIMITS_MAX 64
#define BENCH_TEXT_MAX   48 /* of a name, with its end */

enum bench_role { BENCH_SUBJECT, BENCH_PEER };

/* One value per round of one thing about a row. */
struct bench_series {
	char key[BENCH_TEXT_MAX];       /* "ns": in JSON, and the unit in the table */
	char ratio_key[BENCH_TEXT_MAX]; /* "ratio"; "": not compared */
	uint32_t count;
	double value[BENCH_ROUNDS_MAX];
};

struct bench_row {
	char case_name[BENCH_TEXT_MAX];
	char name[BENCH_TEXT_MAX];
	char label_key[BENCH_TEXT_MAX]; /* "profile"; "": no label */
	char label[BENCH_TEXT_MAX];     /* "fast" */
	char note[2 * BENCH_TEXT_MAX];  /* shown as it is, "" if none */
	enum bench_role role;
	uint32_t series_count;
	struct bench_series series[BENCH_SERIES_MAX];
};

/* What a figure is meant to stay at or below. Shown, never asserted. */
struct bench_limit {
	char case_name[BENCH_TEXT_MAX]; /* a shell pattern */
	char subject[BENCH_TEXT_MAX];
	char label[BENCH_TEXT_MAX]; /* "": any */
	char peer[BENCH_TEXT_MAX];  /* "": the subject's own value under key */
	char key[BENCH_TEXT_MAX];   /* a ratio key, or with no peer a series key */
	double limit;
};

/* Shared with the children. */
struct bench_table {
	double answer[16]; /* for a child to leave its figures in */
	uint32_t row_count;
	struct bench_row row[BENCH_ROWS_MAX];
};

struct bench {
	const char *name;
	int json;
	int quick;            /* a smoke run: little work, the figures mean nothing */
	int progress;         /* stderr is a terminal */
	uint32_t rounds;      /* as asked for with --rounds; 0: the case's default */
	int cpu;              /* single-threaded cases run here */
	int cpu_other;        /* the second thread or process; equals cpu on a machine of one */
	const char *cases;    /* comma-separated shell patterns, NULL: all */
	const char *subjects; /* the same for the names of subjects */
	const char *peers;    /* the same for the names of peers */
	int failed;           /* cases that did not end well */
	uint32_t limit_count;
	struct bench_limit limit[BENCH_LIMITS_MAX];
	struct bench_table *table;
	double load; /* load average at start */
};

/* The middle and the spread of some values; all zero when there are none. */
struct bench_summary {
	double median;
	double p10, p90;
	double min, max;
	uint32_t count;
};

/*
 * Read the options, choose CPUs. Ends the process on --help and on a bad option. Returns 0 or a
 * negative errno with a line on stderr.
 */
int bench_init(struct bench *bench, const char *name, int argc, char **argv);

/* Rounds to run: --rounds, or what --quick asks for, or the case's own number. */
uint32_t bench_rounds(const struct bench *bench, uint32_t usual);

/* 1 when the options ask for this case; the same for a row's name. */
int bench_wants_case(const struct bench *bench, const char *case_name);
int bench_wants_row(const struct bench *bench, const char *name, enum bench_role role);

/*
 * Run a case, or several that are measured together, in a child process, pinned to bench->cpu,
 * so that none inherits another's heap. case_names are separated by commas; when the options
 * leave all of them out nothing is run. What fails, dies or outlasts its time is reported on
 * stderr and counted in bench->failed. run returns 0 or a negative errno.
 */
void bench_isolate(struct bench *bench, const char *case_names,
	int (*run)(struct bench *bench, void *context), void *context);

/*
 * Run something in a child and wait for it: a measurement that needs a fresh process. Returns
 * run's result: 0 or a negative errno; -ECHILD when the child died.
 */
int bench_in_child(int (*run)(void *context), void *context);

/* A new row; NULL when the options leave it or its case out. label_key and label may be NULL. */
struct bench_row *bench_add_row(struct bench *bench, const char *case_name, const char *name,
	enum bench_role role, const char *label_key, const char *label);

/*
 * Add the next round's value to a series, which the first value makes. ratio_key may be NULL.
 * This and the note do nothing for a NULL row.
 */
void bench_add(struct bench_row *row, const char *key, const char *ratio_key, double value);

void bench_note(struct bench_row *row, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* State what a figure should be; see struct bench_limit. label and peer may be NULL. */
void bench_add_limit(struct bench *bench, const char *case_name, const char *subject,
	const char *label, const char *peer, const char *key, double limit);

/* One line on a terminal's stderr, written over by the next; round 0 of 0 clears it. */
void bench_progress(
	const struct bench *bench, const char *what, uint32_t round, uint32_t rounds);

/* Print the table or the JSON lines. Returns the exit status: 0, or 1 when a case failed. */
int bench_report(struct bench *bench);

struct bench_summary bench_summarize(const double *value, uint32_t count);

/* Of subject and peer, the ratio of each round summarized. */
struct bench_summary bench_compare(
	const struct bench_series *subject, const struct bench_series *peer);

/* Clocks, in nanoseconds. */
uint64_t bench_wall_ns(void);
uint64_t bench_thread_ns(void);

/* Keep the calling thread on one CPU. 0 or a negative errno. */
int bench_pin(int cpu);

/* A sequence of 64-bit numbers that look random; equal seeds give equal sequences. */
uint64_t bench_random(uint64_t *state);

/* Below bound, which is not 0. */
static inline uint32_t bench_random_below(uint64_t *state, uint32_t bound)
{
	return (uint32_t)(((bench_random(state) >> 32) * bound) >> 32);
}

/* index[] becomes a random permutation of 0..count-1. */
void bench_shuffle(uint32_t *index, uint32_t count, uint64_t *state);

/*
 * The caller's resident set: fast, and right to some hundred KiB, since the kernel counts for each
 * CPU apart. Negative errno when it cannot be read.
 */
int64_t bench_resident_bytes(void);

/*
 * A field of /proc/<pid>/smaps_rollup in bytes, such as "Rss" or "Pss"; pid 0 is the caller.
 * Exact, and slow: it visits each page. Negative errno when it cannot be read.
 */
int64_t bench_smaps_bytes(pid_t pid, const char *field);

/* MemAvailable of the machine in bytes; 0 when unknown. */
uint64_t bench_memory_available(void);

/* Keep a value that the compiler would find unused. */
static inline void bench_keep(uint64_t value)
{
	__asm__ volatile("" : : "r"(value) : "memory");
}

#ifdef __cplusplus
}
#endif

#endif /* LENDHEAP_BENCH_H */
