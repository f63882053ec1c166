/* SPDX-License-Identifier: Apache-2.0 */
#include "results.h"

/* How many different numbers there are. */
static unsigned count_distinct(const uint64_t *numbers, unsigned count)
{
	unsigned distinct = 0;
	unsigned i;
	unsigned j;

	for (i = 0; i < count; i++) {
		for (j = 0; j < i && numbers[j] != numbers[i]; j++)
			;
		distinct += j == i;
	}
	return distinct;
}

static void count_places(const struct results *results, struct figures *figures)
{
	uint64_t places[SETTINGS_READERS_MAX + 2];
	unsigned count = 0;
	uint32_t i;

	for (i = 0; i < results->reader_count; i++)
		places[count++] = results->readers[i].attached.code_address;
	places[count++] = results->overlaid.code_address;
	places[count++] = results->union_walked.code_address;
	figures->process_count = count;
	figures->code_places = count_distinct(places, count);
}

static void sum_copiers(const struct results *results, struct figures *figures)
{
	double seconds[5][SETTINGS_READERS_MAX];
	uint64_t heap_bytes = 0;
	uint32_t count = results->copier_count;
	uint32_t i;

	for (i = 0; i < count; i++) {
		const struct message_copied *copied = &results->copiers[i].copied;

		seconds[0][i] = copied->serialize_seconds;
		seconds[1][i] = copied->send_seconds;
		seconds[2][i] = copied->rebuild_seconds;
		seconds[3][i] = copied->total_seconds;
		seconds[4][i] = copied->first_answer_seconds;
		heap_bytes += copied->heap_bytes;
		figures->sent_bytes = copied->sent_bytes;
		figures->copiers_pss += results->copiers[i].memory.pss_bytes;
	}
	figures->serialize = sample_of(seconds[0], count);
	figures->send = sample_of(seconds[1], count);
	figures->rebuild = sample_of(seconds[2], count);
	figures->usual = sample_of(seconds[3], count);
	figures->first_in_copy = sample_of(seconds[4], count);
	figures->copy_bytes = heap_bytes / count;
}

void figures_of(const struct results *results, struct figures *out_figures)
{
	double attach[SETTINGS_READERS_MAX];
	double first[SETTINGS_READERS_MAX];
	struct figures figures = {0};
	uint32_t i;

	figures.graph_pss = results->owner_memory.range_pss_bytes;
	for (i = 0; i < results->reader_count; i++) {
		const struct reader_results *reader = &results->readers[i];

		attach[i] = reader->attached.seconds;
		first[i] = reader->attached.first_answer_seconds;
		figures.copied_bytes += reader->memory.range_copied_bytes;
		figures.readers_pss += reader->memory.pss_bytes;
		figures.graph_pss += reader->memory.range_pss_bytes;
		figures.arrays_compared += reader->walked.walk_count;
	}
	figures.arrays_compared += results->union_walked.walk_count;
	figures.values_compared = figures.arrays_compared * results->loaded.vertex_count;
	figures.attach = sample_of(attach, results->reader_count);
	figures.first_in_place = sample_of(first, results->reader_count);
	count_places(results, &figures);
	sum_copiers(results, &figures);
	*out_figures = figures;
}
