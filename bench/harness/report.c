/* SPDX-License-Identifier: Apache-2.0 */
/* What a bench says at the end: a table for people or JSON lines for programs. */
#include "bench.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#define NAME_WIDTH_MIN  13
#define LABEL_WIDTH     15
#define PEER_WIDTH_MIN  10
#define PEER_COLUMN_MAX 16
#define MIB_BYTES       1048576.0

static int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* The value a share of the way through sorted values, between neighbours where it falls there. */
static double quantile(const double *sorted, uint32_t count, double share)
{
	double at = share * (double)(count - 1);
	uint32_t low = (uint32_t)at;
	uint32_t high = low + 1 < count ? low + 1 : low;

	return sorted[low] + (at - (double)low) * (sorted[high] - sorted[low]);
}

struct bench_summary bench_summarize(const double *value, uint32_t count)
{
	struct bench_summary summary = {0, 0, 0, 0, 0, 0};
	double sorted[BENCH_ROUNDS_MAX];

	if (count == 0 || count > BENCH_ROUNDS_MAX)
		return summary;
	memcpy(sorted, value, count * sizeof(*value));
	qsort(sorted, count, sizeof(*sorted), compare_doubles);
	summary.median = quantile(sorted, count, 0.5);
	summary.p10 = quantile(sorted, count, 0.1);
	summary.p90 = quantile(sorted, count, 0.9);
	summary.min = sorted[0];
	summary.max = sorted[count - 1];
	summary.count = count;
	return summary;
}

struct bench_summary bench_compare(
	const struct bench_series *subject, const struct bench_series *peer)
{
	uint32_t count = subject->count < peer->count ? subject->count : peer->count;
	double ratio[BENCH_ROUNDS_MAX];
	uint32_t i, usable = 0;

	for (i = 0; i < count; i++) {
		if (peer->value[i] > 0)
			ratio[usable++] = subject->value[i] / peer->value[i];
	}
	return bench_summarize(ratio, usable);
}

static const struct bench_series *find_series(const struct bench_row *row, const char *key)
{
	uint32_t i;

	for (i = 0; i < row->series_count; i++) {
		if (strcmp(row->series[i].key, key) == 0)
			return &row->series[i];
	}
	return NULL;
}

/* Rows of one case are compared, unless both carry a label and the labels differ. */
static int is_pair(const struct bench_row *subject, const struct bench_row *peer)
{
	if (subject->role != BENCH_SUBJECT || peer->role != BENCH_PEER)
		return 0;
	if (strcmp(subject->case_name, peer->case_name) != 0)
		return 0;
	return !subject->label[0] || !peer->label[0] ||
	       strcmp(subject->label, peer->label) == 0;
}

static int limit_is_about(const struct bench_limit *limit, const struct bench_row *subject)
{
	return subject->role == BENCH_SUBJECT &&
	       fnmatch(limit->case_name, subject->case_name, 0) == 0 &&
	       strcmp(limit->subject, subject->name) == 0 &&
	       (!limit->label[0] || strcmp(limit->label, subject->label) == 0);
}

/* The figure a limit is about; peer is NULL for one without. Returns 1 when there is one. */
static int find_limited(const struct bench_limit *limit, const struct bench_row *subject,
	const struct bench_row *peer, double *out_value)
{
	const struct bench_series *ours, *theirs;
	uint32_t i;

	if (!limit_is_about(limit, subject))
		return 0;
	if (!limit->peer[0]) {
		ours = find_series(subject, limit->key);
		if (!ours || ours->count == 0)
			return 0;
		*out_value = bench_summarize(ours->value, ours->count).median;
		return 1;
	}
	if (!peer || strcmp(peer->name, limit->peer) != 0 || !is_pair(subject, peer))
		return 0;
	for (i = 0; i < subject->series_count; i++) {
		ours = &subject->series[i];
		theirs = find_series(peer, ours->key);
		if (theirs && strcmp(ours->ratio_key, limit->key) == 0) {
			*out_value = bench_compare(ours, theirs).median;
			return 1;
		}
	}
	return 0;
}

/* JSON. */

static void print_json_text(const char *key, const char *text)
{
	const unsigned char *c;

	printf(",\"%s\":\"", key);
	for (c = (const unsigned char *)text; *c; c++) {
		if (*c == '"' || *c == '\\')
			printf("\\%c", *c);
		else if (*c < 0x20)
			printf("\\u%04x", *c);
		else
			putchar(*c);
	}
	putchar('"');
}

static void print_json_series(
	const struct bench_series *series, const char *prefix, const char *spread_key)
{
	struct bench_summary s = bench_summarize(series->value, series->count);

	printf(",\"%s%s\":%.9g,\"%s%s\":[%.9g,%.9g]", prefix, series->key, s.median, prefix,
		spread_key, s.p10, s.p90);
}

/* The first series is what the pair is about: its spread is called just that. */
static void print_json_figures(const struct bench_row *row, const char *prefix)
{
	char spread_key[BENCH_TEXT_MAX + 8];
	uint32_t i;

	for (i = 0; i < row->series_count; i++) {
		if (i == 0)
			snprintf(spread_key, sizeof(spread_key), "spread");
		else
			snprintf(spread_key, sizeof(spread_key), "%s_spread",
				row->series[i].key);
		print_json_series(&row->series[i], prefix, spread_key);
	}
}

static void print_json_ratios(const struct bench_row *subject, const struct bench_row *peer)
{
	const struct bench_series *ours, *theirs;
	struct bench_summary s;
	uint32_t i;

	for (i = 0; i < subject->series_count; i++) {
		ours = &subject->series[i];
		theirs = find_series(peer, ours->key);
		if (!ours->ratio_key[0] || !theirs)
			continue;
		s = bench_compare(ours, theirs);
		if (s.count == 0)
			continue;
		printf(",\"%s\":%.4g,\"%s_spread\":[%.4g,%.4g]", ours->ratio_key, s.median,
			ours->ratio_key, s.p10, s.p90);
	}
}

static void print_json_pair(const struct bench *bench, const struct bench_row *subject,
	const struct bench_row *peer)
{
	double value;
	uint32_t i;

	printf("{\"bench\":\"%s\"", bench->name);
	print_json_text("case", subject->case_name);
	print_json_text("subject", subject->name);
	if (subject->label[0])
		print_json_text(subject->label_key, subject->label);
	print_json_text("peer", peer->name);
	print_json_ratios(subject, peer);
	print_json_figures(subject, "");
	print_json_figures(peer, "peer_");
	printf(",\"rounds\":%u", subject->series_count ? subject->series[0].count : 0);
	for (i = 0; i < bench->limit_count; i++) {
		const struct bench_limit *limit = &bench->limit[i];

		if (find_limited(limit, subject, peer, &value))
			printf(",\"%s_limit\":%.6g,\"%s_met\":%s", limit->key, limit->limit,
				limit->key, value <= limit->limit ? "true" : "false");
	}
	if (subject->note[0])
		print_json_text("note", subject->note);
	if (peer->note[0])
		print_json_text("peer_note", peer->note);
	if (bench->quick)
		printf(",\"quick\":true");
	printf("}\n");
}

static void print_json(const struct bench *bench)
{
	const struct bench_table *table = bench->table;
	uint32_t s, p;

	for (s = 0; s < table->row_count; s++) {
		for (p = 0; p < table->row_count; p++) {
			if (is_pair(&table->row[s], &table->row[p]))
				print_json_pair(bench, &table->row[s], &table->row[p]);
		}
	}
}

/* The table. */

static void print_machine(const struct bench *bench)
{
	char line[256], model[128] = "unknown CPU", when[64] = "";
	struct utsname system;
	time_t now = time(NULL);
	struct tm local;
	FILE *file;

	file = fopen("/proc/cpuinfo", "re");
	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "model name : %127[^\n]", model) == 1)
			break;
	}
	if (file)
		fclose(file);
	if (localtime_r(&now, &local))
		strftime(when, sizeof(when), "%Y-%m-%d %H:%M", &local);
	if (uname(&system) < 0)
		system.release[0] = '\0';

	printf("bench_%s on %s, %ld CPUs, Linux %s, %s, load %.2f at start%s\n", bench->name,
		model, sysconf(_SC_NPROCESSORS_ONLN), system.release, when, bench->load,
		bench->quick ? " (--quick: the figures mean nothing)" : "");
	printf("medians and p10..p90 of interleaved rounds; under a peer's name: subject over "
	       "peer, median of\nthe rounds' ratios, below 1 is better for us\n");
}

static int is_bytes(const char *key)
{
	size_t length = strlen(key);

	return length >= 5 && strcmp(key + length - 5, "bytes") == 0;
}

/* A number in few characters, the smaller the more digits behind the point. */
static void format_number(char *text, size_t bytes, double value)
{
	double size = value < 0 ? -value : value;

	if (value == 0)
		snprintf(text, bytes, "0");
	else if (size < 0.1)
		snprintf(text, bytes, "%.4f", value);
	else if (size < 10)
		snprintf(text, bytes, "%.2f", value);
	else if (size < 1000)
		snprintf(text, bytes, "%.1f", value);
	else
		snprintf(text, bytes, "%.0f", value);
}

static void format_value(char *text, size_t bytes, const char *key, double value)
{
	format_number(text, bytes, is_bytes(key) ? value / MIB_BYTES : value);
}

static void format_key(char *text, size_t bytes, const char *key)
{
	size_t length = strlen(key);

	if (strcmp(key, "bytes") == 0)
		snprintf(text, bytes, "MiB");
	else if (is_bytes(key))
		snprintf(text, bytes, "%.*sMiB", (int)(length - 5), key);
	else
		snprintf(text, bytes, "%s", key);
}

/* Of the column of names in the blocks of a case, labels and margins apart. */
static int name_width(const struct bench_table *table, const char *case_name)
{
	int width = NAME_WIDTH_MIN;
	uint32_t r;

	for (r = 0; r < table->row_count; r++) {
		int wanted = (int)strlen(table->row[r].name);

		if (strcmp(table->row[r].case_name, case_name) == 0 && wanted > width)
			width = wanted;
	}
	return width;
}

static void print_name(const struct bench_table *table, const struct bench_row *row)
{
	int width = name_width(table, row->case_name);

	printf("  %-*s %-*s", width, row->name, LABEL_WIDTH - 3, row->label);
}

static int peer_width(const struct bench_row *peer)
{
	int width = (int)strlen(peer->name) + 2;

	return width < PEER_WIDTH_MIN ? PEER_WIDTH_MIN : width;
}

/* Whether a row has a line in the block of a series; with a label, in that label's block. */
static int is_in_block(
	const struct bench_row *row, const char *case_name, const char *key, const char *label)
{
	return strcmp(row->case_name, case_name) == 0 && find_series(row, key) &&
	       (!label || !row->label[0] || strcmp(row->label, label) == 0);
}

/* The peers of a block, one column for each name. */
static uint32_t list_peers(const struct bench_table *table, const char *case_name,
	const char *key, const char *label, const struct bench_row **peers)
{
	uint32_t r, i, count = 0;

	for (r = 0; r < table->row_count; r++) {
		const struct bench_row *row = &table->row[r];

		if (row->role != BENCH_PEER || !is_in_block(row, case_name, key, label))
			continue;
		for (i = 0; i < count; i++) {
			if (strcmp(peers[i]->name, row->name) == 0)
				break;
		}
		if (i == count && count < PEER_COLUMN_MAX)
			peers[count++] = row;
	}
	return count;
}

static void print_ratio_cells(const struct bench_table *table, const struct bench_row *row,
	const struct bench_series *series, const struct bench_row **peers, uint32_t peer_count)
{
	const struct bench_series *theirs;
	struct bench_summary s;
	char text[32];
	uint32_t i, r;

	for (i = 0; i < peer_count; i++) {
		text[0] = '\0';
		for (r = 0; r < table->row_count; r++) {
			const struct bench_row *peer = &table->row[r];

			if (strcmp(peer->name, peers[i]->name) != 0 || !is_pair(row, peer))
				continue;
			theirs = find_series(peer, series->key);
			if (!theirs)
				continue;
			s = bench_compare(series, theirs);
			if (s.count)
				format_number(text, sizeof(text), s.median);
		}
		printf("%*s", peer_width(peers[i]), text);
	}
}

/* One block: a series of a case, its rows (of one label), and their ratios to the peers. */
static void print_series_block(const struct bench_table *table, const char *case_name,
	const struct bench_series *series, const char *label)
{
	const struct bench_row *peers[PEER_COLUMN_MAX];
	const struct bench_series *own;
	char value[32], low[32], high[32], range[72];
	char unit[BENCH_TEXT_MAX], title[2 * BENCH_TEXT_MAX + 4];
	uint32_t i, r, peer_count;
	struct bench_summary s;

	peer_count = list_peers(table, case_name, series->key, label, peers);
	format_key(unit, sizeof(unit), series->key);
	snprintf(title, sizeof(title), "%s (%s)", case_name, unit);
	printf("\n%-*s  %-18s", name_width(table, case_name) + LABEL_WIDTH + 10, title,
		"p10..p90");
	for (i = 0; i < peer_count; i++)
		printf("%*s", peer_width(peers[i]), peers[i]->name);
	printf("\n");

	for (r = 0; r < table->row_count; r++) {
		const struct bench_row *row = &table->row[r];

		if (!is_in_block(row, case_name, series->key, label))
			continue;
		own = find_series(row, series->key);
		s = bench_summarize(own->value, own->count);
		format_value(value, sizeof(value), own->key, s.median);
		format_value(low, sizeof(low), own->key, s.p10);
		format_value(high, sizeof(high), own->key, s.p90);
		snprintf(range, sizeof(range), "%s..%s", low, high);
		print_name(table, row);
		printf("%10s  %-18s", value, range);
		if (row->role == BENCH_SUBJECT)
			print_ratio_cells(table, row, own, peers, peer_count);
		if (row->note[0])
			printf("  %s", row->note);
		printf("\n");
	}
}

/* Figures that are not compared, side by side. */
static void print_figures_block(
	const struct bench_table *table, const char *case_name, const struct bench_row *model)
{
	const struct bench_series *own;
	char text[BENCH_TEXT_MAX];
	uint32_t i, r, columns = 0;

	for (i = 0; i < model->series_count; i++)
		columns += !model->series[i].ratio_key[0];
	if (columns == 0)
		return;

	printf("\n%-*s", name_width(table, case_name) + LABEL_WIDTH, case_name);
	for (i = 0; i < model->series_count; i++) {
		if (model->series[i].ratio_key[0])
			continue;
		format_key(text, sizeof(text), model->series[i].key);
		printf("%24s", text);
	}
	printf("\n");
	for (r = 0; r < table->row_count; r++) {
		const struct bench_row *row = &table->row[r];

		if (strcmp(row->case_name, case_name) != 0)
			continue;
		print_name(table, row);
		for (i = 0; i < model->series_count; i++) {
			if (model->series[i].ratio_key[0])
				continue;
			own = find_series(row, model->series[i].key);
			text[0] = '\0';
			if (own)
				format_value(text, sizeof(text), own->key,
					bench_summarize(own->value, own->count).median);
			printf("%24s", text);
		}
		printf("\n");
	}
}

/* A series in one block, or where its peers carry labels in one for each label. */
static void print_series_blocks(const struct bench_table *table, const char *case_name,
	const struct bench_series *series)
{
	uint32_t r, earlier, labelled = 0;

	for (r = 0; r < table->row_count; r++) {
		const struct bench_row *row = &table->row[r];

		if (row->role != BENCH_PEER || !row->label[0] ||
			!is_in_block(row, case_name, series->key, NULL))
			continue;
		for (earlier = 0; earlier < r; earlier++) {
			const struct bench_row *other = &table->row[earlier];

			if (other->role == BENCH_PEER &&
				strcmp(other->label, row->label) == 0 &&
				is_in_block(other, case_name, series->key, NULL))
				break;
		}
		if (earlier == r)
			print_series_block(table, case_name, series, row->label);
		labelled = 1;
	}
	if (!labelled)
		print_series_block(table, case_name, series, NULL);
}

static void print_case(const struct bench_table *table, const struct bench_row *first)
{
	const struct bench_row *model = first;
	uint32_t i, r;

	/* The row that knows most says which series there are. */
	for (r = 0; r < table->row_count; r++) {
		if (strcmp(table->row[r].case_name, first->case_name) == 0 &&
			table->row[r].series_count > model->series_count)
			model = &table->row[r];
	}
	for (i = 0; i < model->series_count; i++) {
		if (model->series[i].ratio_key[0])
			print_series_blocks(table, first->case_name, &model->series[i]);
	}
	print_figures_block(table, first->case_name, model);
}

static void print_limit(
	const struct bench_limit *limit, const struct bench_row *subject, double value)
{
	char text[32], bound[32], about[2 * BENCH_TEXT_MAX + 8], unit[BENCH_TEXT_MAX];

	if (limit->peer[0]) {
		snprintf(about, sizeof(about), "%s to %s", limit->key, limit->peer);
	} else {
		format_key(unit, sizeof(unit), limit->key);
		snprintf(about, sizeof(about), "%s", unit);
	}
	format_value(text, sizeof(text), limit->key, value);
	format_value(bound, sizeof(bound), limit->key, limit->limit);
	printf("  %-6s  %-20s  %-23s %-7s  %-32s %8s  at most %s\n",
		value <= limit->limit ? "met" : "MISSED", subject->case_name, subject->name,
		subject->label, about, text, bound);
}

static void print_limits(const struct bench *bench)
{
	const struct bench_table *table = bench->table;
	uint32_t i, s, p, shown = 0;
	double value;

	for (i = 0; i < bench->limit_count; i++) {
		const struct bench_limit *limit = &bench->limit[i];

		for (s = 0; s < table->row_count; s++) {
			int found = 0;

			for (p = 0; p < table->row_count && !found; p++)
				found = find_limited(
					limit, &table->row[s], &table->row[p], &value);
			if (!found)
				continue;
			if (!shown++)
				printf("\ntargets (shown, never asserted)\n");
			print_limit(limit, &table->row[s], value);
		}
	}
}

static void print_table(const struct bench *bench)
{
	const struct bench_table *table = bench->table;
	uint32_t r, earlier;

	print_machine(bench);
	for (r = 0; r < table->row_count; r++) {
		for (earlier = 0; earlier < r; earlier++) {
			if (strcmp(table->row[earlier].case_name, table->row[r].case_name) == 0)
				break;
		}
		if (earlier == r)
			print_case(table, &table->row[r]);
	}
	print_limits(bench);
}

int bench_report(struct bench *bench)
{
	if (bench->json)
		print_json(bench);
	else
		print_table(bench);
	if (bench->failed)
		fprintf(stderr, "bench_%s: %d cases failed\n", bench->name, bench->failed);
	fflush(stdout);
	return bench->failed ? 1 : 0;
}
