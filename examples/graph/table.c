/* SPDX-License-Identifier: Apache-2.0 */

/* The table at the end: what was shared against what the usual way costs, at a glance. */
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "results.h"

#define CELL_BYTES 64u
#define NAME_CELLS 34
#define SIDE_CELLS 22

static bool coloured;

/* "1,934,010" */
static const char *count_text(uint64_t count, char text[CELL_BYTES])
{
	char digits[24];
	size_t used = 0;
	size_t i;

	(void)snprintf(digits, sizeof(digits), "%" PRIu64, count);
	for (i = 0; digits[i]; i++) {
		if (i > 0 && (strlen(digits) - i) % 3 == 0)
			text[used++] = ',';
		text[used++] = digits[i];
	}
	text[used] = '\0';
	return text;
}

static const char *seconds_text(double seconds, char text[CELL_BYTES])
{
	static const struct {
		double unit;
		const char *name;
	} units[] = {{1.0, "s"}, {1e-3, "ms"}, {1e-6, "us"}};
	unsigned i = 0;
	double number;

	while (i < 2 && seconds < units[i].unit)
		i++;
	number = seconds / units[i].unit;
	(void)snprintf(text, CELL_BYTES, "%.*f %s",
		number < 10    ? 2
		: number < 100 ? 1
			       : 0,
		number, units[i].name);
	return text;
}

static const char *bytes_text(uint64_t bytes, char text[CELL_BYTES])
{
	static const char *const names[] = {"B", "KiB", "MiB", "GiB"};
	double number = (double)bytes;
	unsigned i = 0;

	while (i < 3 && number >= 1024.0) {
		number /= 1024.0;
		i++;
	}
	(void)snprintf(
		text, CELL_BYTES, "%.*f %s", i && number < 100 ? 1 : 0, number, names[i]);
	return text;
}

/* A median with half the way between its quarters: "3.31 ms +-2%". */
static const char *sample_text(const struct sample *sample, char text[CELL_BYTES])
{
	char seconds[CELL_BYTES];
	double spread = (sample->high - sample->low) / 2.0 / sample->median * 100.0;

	(void)seconds_text(sample->median, seconds);
	if (sample->count < 2)
		(void)snprintf(text, CELL_BYTES, "%.20s", seconds);
	else
		(void)snprintf(text, CELL_BYTES, "%.20s +-%.0f%%", seconds, spread);
	return text;
}

/* "0.97x", or for what is another order of magnitude "440x less". */
static const char *ratio_text(double ratio, char text[CELL_BYTES])
{
	if (!isfinite(ratio))
		(void)snprintf(text, CELL_BYTES, "-");
	else if (ratio > 0.0 && ratio < 0.1)
		(void)snprintf(text, CELL_BYTES, "%.0fx less", 1.0 / ratio);
	else
		(void)snprintf(text, CELL_BYTES, "%.2fx", ratio);
	return text;
}

static void print_rule(void)
{
	int i;

	(void)fputs("  ", stdout);
	for (i = 0; i < NAME_CELLS + 2 * (SIDE_CELLS + 1) + 12; i++)
		(void)putchar('-');
	(void)putchar('\n');
}

/* One line of the table; ratio below 0: none. Good is what costs at most what its peer does. */
static void print_row(const char *name, const char *shared, const char *usual, double ratio)
{
	char text[CELL_BYTES];
	(void)printf("  %-*s %*s %*s", NAME_CELLS, name, SIDE_CELLS, shared, SIDE_CELLS, usual);
	if (ratio >= 0.0)
		(void)printf(" %s%11s%s", coloured && ratio <= 1.05 ? "\033[1;32m" : "",
			ratio_text(ratio, text), coloured ? "\033[0m" : "");
	(void)putchar('\n');
}

static void print_head(const struct settings *settings, const struct results *results)
{
	const struct message_loaded *loaded = &results->loaded;
	char vertices[CELL_BYTES];
	char edges[CELL_BYTES];
	char objects[CELL_BYTES];
	char bytes[CELL_BYTES];

	(void)printf("\n%slend-graph: built by one process, walked in place by others%s\n\n",
		coloured ? "\033[1m" : "", coloured ? "\033[0m" : "");
	(void)printf("  input     %s\n", loaded->title);
	(void)printf("            %s %s, %s %s; read in %.2f s\n",
		count_text(loaded->vertex_count, vertices), loaded->vertex_noun,
		count_text(loaded->edge_count, edges), loaded->edge_noun, loaded->seconds);
	(void)printf("            weights %s; seed %" PRIu64 "\n", loaded->weight_note,
		settings->load.seed);
	(void)printf("  graph     %s C structs and strings, %s, raw pointers between them;\n",
		count_text(results->shared.object_count, objects),
		bytes_text(results->shared.live_bytes, bytes));
	(void)printf("            searches start at \"%s\", which has most arcs\n\n",
		results->shared.hub);
}

static void print_sharing(const struct results *results, const struct figures *figures)
{
	const struct message_shared *shared = &results->shared;
	char left[CELL_BYTES];
	char right[CELL_BYTES];

	print_row("", "shared arena", "the usual way", -1.0);
	print_rule();
	print_row("build it: lend_alloc, malloc", sample_text(&shared->in_arena, left),
		sample_text(&shared->in_heap, right), shared->ratio.median);
	print_row("reach it from another process", sample_text(&figures->attach, left),
		sample_text(&figures->usual, right),
		figures->attach.median / figures->usual.median);
	print_row("   bytes copied", bytes_text(figures->copied_bytes, left),
		bytes_text(figures->sent_bytes, right), -1.0);
	print_row("   serialize", "-", sample_text(&figures->serialize, right), -1.0);
	print_row("   send over a Unix socket", "-", sample_text(&figures->send, right), -1.0);
	print_row("   rebuild with malloc", "-", sample_text(&figures->rebuild, right), -1.0);
	print_row("first search answered there", sample_text(&figures->first_in_place, left),
		sample_text(&figures->first_in_copy, right),
		figures->first_in_place.median / figures->first_in_copy.median);
}

/* "CPU time, 12 to 41 rounds": long walks get less of them. */
static void name_rounds(const struct results *results, char name[CELL_BYTES])
{
	uint32_t least = results->timed[0].ratio.count;
	uint32_t most = least;
	unsigned kind;

	for (kind = 1; kind < WALK_COUNT; kind++) {
		uint32_t count = results->timed[kind].ratio.count;

		least = count < least ? count : least;
		most = count > most ? count : most;
	}
	if (least == most)
		(void)snprintf(name, CELL_BYTES, "CPU time, rounds of each: %" PRIu32, most);
	else
		(void)snprintf(name, CELL_BYTES, "CPU time, %" PRIu32 " to %" PRIu32 " rounds",
			least, most);
}

static void print_walks(const struct results *results)
{
	char name[CELL_BYTES];
	char left[CELL_BYTES];
	char right[CELL_BYTES];
	unsigned kind;

	print_rule();
	name_rounds(results, name);
	print_row(name, "in place", "private malloc copy", -1.0);
	for (kind = 0; kind < WALK_COUNT; kind++) {
		const struct message_timed *timed = &results->timed[kind];

		(void)snprintf(name, sizeof(name), "   %s", walk_name((enum walk_kind)kind));
		print_row(name, sample_text(&timed->in_place, left),
			sample_text(&timed->in_copy, right), timed->ratio.median);
	}
}

static void print_memory(const struct results *results, const struct figures *figures)
{
	char name[CELL_BYTES];
	char left[CELL_BYTES];
	char right[CELL_BYTES];

	print_rule();
	(void)snprintf(name, sizeof(name), "memory of %" PRIu32 " processes (PSS)",
		results->copier_count);
	if (results->copier_count == results->reader_count)
		print_row(name, bytes_text(figures->readers_pss, left),
			bytes_text(figures->copiers_pss, right),
			(double)figures->readers_pss / (double)figures->copiers_pss);
	else
		print_row(name, "-", bytes_text(figures->copiers_pss, right), -1.0);
	(void)snprintf(name, sizeof(name), "the graph in owner and %" PRIu32 " others",
		results->reader_count);
	print_row(name, bytes_text(figures->graph_pss, left),
		bytes_text(figures->copy_bytes * (results->reader_count + 1), right),
		(double)figures->graph_pss /
			(double)(figures->copy_bytes * (results->reader_count + 1)));
	print_rule();
}

static void print_notes(const struct results *results, const struct figures *figures)
{
	char text[CELL_BYTES];

	(void)printf("\n  addresses the graph lies at 0x%" PRIx64
		     " in all %u processes that looked,\n",
		results->readers[0].attached.graph_address, figures->process_count);
	(void)printf(
		"            their own code at %u different places\n", figures->code_places);
	(void)printf(
		"  overlay   process %ld put %s new arcs in its own arena, pointing into\n",
		(long)results->overlay_writer, count_text(results->overlaid.arc_count, text));
	(void)printf(
		"            process %ld's; process %ld walked both: %s distances changed\n",
		(long)results->owner, (long)results->union_walker,
		count_text(results->union_walked.changed, text));
	(void)printf("  PageRank  %.86s\n", results->readers[0].walked.top);
	(void)printf("  checked   %s%u result arrays, %s values: all equal, bit for bit, to "
		     "those of a\n"
		     "            graph built with malloc%s\n",
		coloured ? "\033[1;32m" : "", figures->arrays_compared,
		count_text(figures->values_compared, text), coloured ? "\033[0m" : "");
	(void)printf("  run       %.1f s in all\n", results->seconds);
}

/* The table in two lines. */
static void print_summary(const struct results *results, const struct figures *figures)
{
	double least = results->timed[0].ratio.median;
	double most = least;
	char shared[CELL_BYTES];
	char usual[CELL_BYTES];
	char copied[CELL_BYTES];
	unsigned kind;

	for (kind = 1; kind < WALK_COUNT; kind++) {
		double ratio = results->timed[kind].ratio.median;

		least = ratio < least ? ratio : least;
		most = ratio > most ? ratio : most;
	}
	(void)printf(
		"\n  %sin short%s  another process is at the graph in %s instead of %s, %s "
		"copied;\n",
		coloured ? "\033[1m" : "", coloured ? "\033[0m" : "",
		seconds_text(figures->attach.median, shared),
		seconds_text(figures->usual.median, usual),
		bytes_text(figures->copied_bytes, copied));
	(void)printf(
		"            it walks it in %.2f to %.2f of the time a private copy takes; "
		"%" PRIu32 " of them\n"
		"            need %.2f of the memory\n\n",
		least, most, results->reader_count,
		(double)figures->readers_pss / results->reader_count /
			((double)figures->copiers_pss / results->copier_count));
}

void print_table(const struct settings *settings, const struct results *results)
{
	struct figures figures;

	coloured = isatty(STDOUT_FILENO) && !getenv("NO_COLOR");
	figures_of(results, &figures);
	print_head(settings, results);
	print_sharing(results, &figures);
	print_walks(results);
	print_memory(results, &figures);
	print_notes(results, &figures);
	print_summary(results, &figures);
}
