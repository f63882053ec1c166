/* SPDX-License-Identifier: Apache-2.0 */
/* Options, rows, and cases in processes of their own. */
#include "bench.h"

#include <errno.h>
#include <fnmatch.h>
#include <getopt.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define CASE_SECONDS_MAX 1800 /* a case that takes longer hangs */

static void print_usage(FILE *out, const char *name)
{
	fprintf(out,
		"usage: bench_%s [options]\n"
		"  --json             one JSON object a line instead of the table\n"
		"  --quick            a smoke run: every step, little work, figures mean "
		"nothing\n"
		"  --rounds N         rounds per case, up to %d (default: each case's own)\n"
		"  --case A,B         only these cases (shell patterns)\n"
		"  --subject A,B      only these subjects\n"
		"  --peer A,B         only these peers\n"
		"  --cpu N            run on this CPU (default: the last one allowed)\n"
		"  --help\n",
		name, BENCH_ROUNDS_MAX);
}

/* The last allowed CPU, since the first tends to serve interrupts, and another one. */
static int choose_cpus(struct bench *bench, int wanted)
{
	cpu_set_t allowed;
	int cpu;

	if (sched_getaffinity(0, sizeof(allowed), &allowed) < 0)
		return -errno;
	if (wanted >= 0 && (wanted >= CPU_SETSIZE || !CPU_ISSET((size_t)wanted, &allowed)))
		return -EINVAL;

	bench->cpu = wanted;
	for (cpu = CPU_SETSIZE - 1; cpu >= 0 && bench->cpu < 0; cpu--) {
		if (CPU_ISSET((size_t)cpu, &allowed))
			bench->cpu = cpu;
	}
	bench->cpu_other = bench->cpu;
	for (cpu = CPU_SETSIZE - 1; cpu >= 0; cpu--) {
		if (cpu != bench->cpu && CPU_ISSET((size_t)cpu, &allowed)) {
			bench->cpu_other = cpu;
			break;
		}
	}
	return 0;
}

static int parse_number(const char *text, long low, long high, long *out_number)
{
	char *end;
	long number;

	errno = 0;
	number = strtol(text, &end, 10);
	if (errno || end == text || *end || number < low || number > high)
		return -EINVAL;
	*out_number = number;
	return 0;
}

static int parse_options(struct bench *bench, int argc, char **argv)
{
	static const struct option options[] = {
		{"json", no_argument, NULL, 'j'},
		{"quick", no_argument, NULL, 'q'},
		{"rounds", required_argument, NULL, 'r'},
		{"case", required_argument, NULL, 'c'},
		{"subject", required_argument, NULL, 's'},
		{"peer", required_argument, NULL, 'p'},
		{"cpu", required_argument, NULL, 'u'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	long number, cpu = -1;
	int option, err = 0;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1 && !err) {
		switch (option) {
		case 'j':
			bench->json = 1;
			break;
		case 'q':
			bench->quick = 1;
			break;
		case 'r':
			err = parse_number(optarg, 1, BENCH_ROUNDS_MAX, &number);
			if (!err)
				bench->rounds = (uint32_t)number;
			break;
		case 'c':
			bench->cases = optarg;
			break;
		case 's':
			bench->subjects = optarg;
			break;
		case 'p':
			bench->peers = optarg;
			break;
		case 'u':
			err = parse_number(optarg, 0, CPU_SETSIZE - 1, &cpu);
			break;
		case 'h':
			print_usage(stdout, bench->name);
			exit(0);
		default:
			err = -EINVAL;
			break;
		}
	}
	if (err || optind != argc) {
		print_usage(stderr, bench->name);
		exit(2);
	}
	return choose_cpus(bench, (int)cpu);
}

int bench_init(struct bench *bench, const char *name, int argc, char **argv)
{
	int err;

	memset(bench, 0, sizeof(*bench));
	bench->name = name;
	bench->progress = isatty(STDERR_FILENO);
	err = parse_options(bench, argc, argv);
	if (err) {
		fprintf(stderr, "bench_%s: CPU not allowed: %s\n", name, strerror(-err));
		return err;
	}
	if (getloadavg(&bench->load, 1) != 1)
		bench->load = -1;

	bench->table = mmap(NULL, sizeof(*bench->table), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (bench->table == MAP_FAILED) {
		err = -errno;
		fprintf(stderr, "bench_%s: memory for the rows: %s\n", name, strerror(-err));
		return err;
	}
	return 0;
}

uint32_t bench_rounds(const struct bench *bench, uint32_t usual)
{
	if (bench->rounds)
		return bench->rounds;
	if (bench->quick)
		return usual < 2 ? usual : 2;
	return usual;
}

/* Copy the first of comma-separated texts and return what follows it; NULL after the last. */
static const char *take_text(const char *list, char *text)
{
	size_t bytes;

	if (!*list)
		return NULL;
	bytes = strcspn(list, ",");
	snprintf(text, BENCH_TEXT_MAX, "%.*s", (int)bytes, list);
	return list + bytes + (list[bytes] == ',');
}

/* Whether a name matches one of comma-separated patterns. No patterns: it does. */
static int matches(const char *patterns, const char *name)
{
	char pattern[BENCH_TEXT_MAX];

	if (!patterns)
		return 1;
	while ((patterns = take_text(patterns, pattern)) != NULL) {
		if (fnmatch(pattern, name, 0) == 0)
			return 1;
	}
	return 0;
}

static int wants_any_case(const struct bench *bench, const char *case_names)
{
	char name[BENCH_TEXT_MAX];

	while ((case_names = take_text(case_names, name)) != NULL) {
		if (bench_wants_case(bench, name))
			return 1;
	}
	return 0;
}

int bench_wants_case(const struct bench *bench, const char *case_name)
{
	return matches(bench->cases, case_name);
}

int bench_wants_row(const struct bench *bench, const char *name, enum bench_role role)
{
	return matches(role == BENCH_PEER ? bench->peers : bench->subjects, name);
}

/* Wait for a child; its run's negative errno came back as its exit status. */
static int await_child(pid_t child)
{
	int status;

	while (waitpid(child, &status, 0) < 0) {
		if (errno != EINTR)
			return -errno;
	}
	if (!WIFEXITED(status)) {
		fprintf(stderr, "bench: child ended by signal %d (%s)\n", WTERMSIG(status),
			strsignal(WTERMSIG(status)));
		return -ECHILD;
	}
	return -WEXITSTATUS(status);
}

int bench_in_child(int (*run)(void *context), void *context)
{
	pid_t parent = getpid(), child;

	fflush(NULL);
	child = fork();
	if (child < 0)
		return -errno;
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(ECHILD);
		_exit(-run(context) & 0xff);
	}
	return await_child(child);
}

struct isolated {
	struct bench *bench;
	int (*run)(struct bench *bench, void *context);
	void *context;
};

static int run_isolated(void *context)
{
	struct isolated *isolated = context;
	int err;

	alarm(CASE_SECONDS_MAX);
	err = bench_pin(isolated->bench->cpu);
	if (err)
		return err;
	return isolated->run(isolated->bench, isolated->context);
}

void bench_isolate(struct bench *bench, const char *case_names,
	int (*run)(struct bench *bench, void *context), void *context)
{
	struct isolated isolated = {bench, run, context};
	uint32_t rows_before = bench->table->row_count;
	int err;

	if (!wants_any_case(bench, case_names))
		return;
	err = bench_in_child(run_isolated, &isolated);
	bench_progress(bench, "", 0, 0);
	if (!err)
		return;

	fprintf(stderr, "bench_%s: case %s failed: %s\n", bench->name, case_names,
		strerror(-err));
	bench->table->row_count = rows_before; /* half a case says nothing */
	bench->failed++;
}

static void copy_text(char *to, const char *from)
{
	snprintf(to, BENCH_TEXT_MAX, "%s", from ? from : "");
}

struct bench_row *bench_add_row(struct bench *bench, const char *case_name, const char *name,
	enum bench_role role, const char *label_key, const char *label)
{
	struct bench_row *row;

	if (!bench_wants_case(bench, case_name) || !bench_wants_row(bench, name, role))
		return NULL;
	if (bench->table->row_count == BENCH_ROWS_MAX) {
		fprintf(stderr, "bench_%s: more than %d rows\n", bench->name, BENCH_ROWS_MAX);
		abort();
	}
	row = &bench->table->row[bench->table->row_count++];
	memset(row, 0, sizeof(*row));
	copy_text(row->case_name, case_name);
	copy_text(row->name, name);
	copy_text(row->label_key, label_key);
	copy_text(row->label, label);
	row->role = role;
	return row;
}

void bench_add(struct bench_row *row, const char *key, const char *ratio_key, double value)
{
	struct bench_series *series;
	uint32_t i;

	if (!row)
		return;
	for (i = 0; i < row->series_count; i++) {
		if (strcmp(row->series[i].key, key) == 0)
			break;
	}
	if (i == BENCH_SERIES_MAX)
		abort();
	series = &row->series[i];
	if (i == row->series_count) {
		row->series_count++;
		copy_text(series->key, key);
		copy_text(series->ratio_key, ratio_key);
	}
	if (series->count < BENCH_ROUNDS_MAX)
		series->value[series->count++] = value;
}

void bench_note(struct bench_row *row, const char *format, ...)
{
	va_list arguments;

	if (!row)
		return;
	va_start(arguments, format);
	vsnprintf(row->note, sizeof(row->note), format, arguments);
	va_end(arguments);
}

void bench_add_limit(struct bench *bench, const char *case_name, const char *subject,
	const char *label, const char *peer, const char *key, double limit)
{
	struct bench_limit *entry;

	if (bench->limit_count == BENCH_LIMITS_MAX)
		abort();
	entry = &bench->limit[bench->limit_count++];
	copy_text(entry->case_name, case_name);
	copy_text(entry->subject, subject);
	copy_text(entry->label, label);
	copy_text(entry->peer, peer);
	copy_text(entry->key, key);
	entry->limit = limit;
}

void bench_progress(
	const struct bench *bench, const char *what, uint32_t round, uint32_t rounds)
{
	if (!bench->progress)
		return;
	if (rounds)
		fprintf(stderr, "\r\033[Kbench_%s: %s, round %u of %u", bench->name, what,
			round + 1, rounds);
	else
		fprintf(stderr, "\r\033[K");
	fflush(stderr);
}
