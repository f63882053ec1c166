/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The same figures for machines: one object a line, with the keys that the benches use (bench,
 * case, subject, peer, ratio: the subject's figure over the peer's) and some of its own.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "results.h"

/* A quotient; null where there is none, as for a graph that takes no whole page. */
static void print_ratio(const char *key, double ratio)
{
	if (isfinite(ratio))
		(void)printf(",\"%s\":%.6g", key, ratio);
	else
		(void)printf(",\"%s\":null", key);
}

/* The start of a line, left open. Cases, subjects and peers are our own words. */
static void begin(const char *name, const char *subject, const char *peer, double ratio)
{
	(void)printf("{\"bench\":\"graph\",\"case\":\"%s\",\"subject\":\"%s\",\"peer\":\"%s\"",
		name, subject, peer);
	print_ratio("ratio", ratio);
}

static void print_sample(const char *key, const struct sample *sample)
{
	(void)printf(
		",\"%s_seconds\":%.9g,\"%s_low\":%.9g,\"%s_high\":%.9g,\"%s_count\":%" PRIu32,
		key, sample->median, key, sample->low, key, sample->high, key, sample->count);
}

static void print_text(const char *key, const char *text)
{
	(void)printf(",\"%s\":\"", key);
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '"' || c == '\\')
			(void)printf("\\%c", c);
		else if (c < ' ')
			(void)printf("\\u%04x", c);
		else
			(void)putchar(c);
	}
	(void)putchar('"');
}

static void print_number(const char *key, uint64_t number)
{
	(void)printf(",\"%s\":%" PRIu64, key, number);
}

static void end(void)
{
	(void)puts("}");
}

/* A line that compares two samples of seconds, by their rounds' ratio where they have rounds. */
static void print_pair(const char *name, const char *subject, const struct sample *left,
	const char *peer, const struct sample *right, const struct sample *ratio)
{
	begin(name, subject, peer, ratio ? ratio->median : left->median / right->median);
	if (ratio)
		(void)printf(
			",\"ratio_low\":%.6g,\"ratio_high\":%.6g", ratio->low, ratio->high);
	print_sample("subject", left);
	print_sample("peer", right);
}

static void print_input(const struct settings *settings, const struct results *results)
{
	(void)printf("{\"bench\":\"graph\",\"case\":\"input\"");
	print_text("title", results->loaded.title);
	print_text("weights", results->loaded.weight_note);
	print_number("vertices", results->loaded.vertex_count);
	print_number("edges", results->loaded.edge_count);
	print_number("arcs", results->shared.arc_count);
	print_number("objects", results->shared.object_count);
	print_number("arena_bytes", results->shared.live_bytes);
	print_number("seed", settings->load.seed);
	print_number("readers", results->reader_count);
	(void)printf(",\"load_seconds\":%.6f", results->loaded.seconds);
	end();
}

static void print_sharing(const struct results *results, const struct figures *figures)
{
	print_pair("build", "arena", &results->shared.in_arena, "private-heap",
		&results->shared.in_heap, &results->shared.ratio);
	end();
	print_pair("share-graph", "attach", &figures->attach, "unix-socket", &figures->usual,
		NULL);
	print_number("copied_bytes", figures->copied_bytes);
	print_number("sent_bytes", figures->sent_bytes);
	print_sample("serialize", &figures->serialize);
	print_sample("send", &figures->send);
	print_sample("rebuild", &figures->rebuild);
	end();
	print_pair("first-answer", "attach", &figures->first_in_place, "unix-socket",
		&figures->first_in_copy, NULL);
	end();
}

static void print_walks(const struct results *results)
{
	static const char *const names[WALK_COUNT] = {
		[WALK_BREADTH] = "walk-breadth-first",
		[WALK_RANK] = "walk-pagerank",
		[WALK_PATHS] = "walk-shortest-paths",
		[WALK_NAMES] = "walk-names",
	};
	unsigned kind;

	for (kind = 0; kind < WALK_COUNT; kind++) {
		const struct message_timed *timed = &results->timed[kind];

		print_pair(names[kind], "walk-reader", &timed->in_place, "private-copy",
			&timed->in_copy, &timed->ratio);
		print_number("walks_each_round", timed->repeats);

		(void)printf(",\"checksum\":\"%016" PRIx64 "\"",
			results->readers[0].walked.checksums[kind]);
		end();
	}
}

static void print_memory(const struct results *results, const struct figures *figures)
{
	char name[64];

	(void)snprintf(name, sizeof(name), "pss-%" PRIu32 "-readers", results->reader_count);
	begin(name, "owner-and-readers", "one-copy",
		(double)figures->graph_pss / (double)figures->copy_bytes);
	print_number("subject_bytes", figures->graph_pss);
	print_number("peer_bytes", figures->copy_bytes);
	end();
	(void)snprintf(
		name, sizeof(name), "process-pss-%" PRIu32 "-readers", results->reader_count);
	begin(name, "readers", "copiers",
		(double)figures->readers_pss / results->reader_count /
			((double)figures->copiers_pss / results->copier_count));
	print_number("subject_bytes", figures->readers_pss);
	print_number("peer_bytes", figures->copiers_pss);
	print_number("subject_processes", results->reader_count);
	print_number("peer_processes", results->copier_count);
	end();
}

static void print_checked(const struct results *results, const struct figures *figures)
{
	(void)printf("{\"bench\":\"graph\",\"case\":\"checked\",\"equal\":true");
	print_number("arrays", figures->arrays_compared);
	print_number("values", figures->values_compared);
	print_number("search_starts", results->reference.starts);
	print_number("overlay_arcs", results->overlaid.arc_count);
	print_number("paths_changed", results->union_walked.changed);
	print_number("graph_address", results->readers[0].attached.graph_address);
	print_number("processes", figures->process_count);
	print_number("code_places", figures->code_places);
	(void)printf(",\"walk_seconds\":%.6f,\"run_seconds\":%.3f", results->walk_seconds,
		results->seconds);
	end();
}

void print_json(const struct settings *settings, const struct results *results)
{
	struct figures figures;

	figures_of(results, &figures);
	print_input(settings, results);
	print_sharing(results, &figures);
	print_walks(results);
	print_memory(results, &figures);
	print_checked(results, &figures);
}
