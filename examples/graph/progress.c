/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "measure.h"
#include "progress.h"

#define BAR_CELLS    32
#define STAGE_CELLS  50
#define DRAW_SECONDS 0.05 /* 20 pictures a second are enough */

void progress_init(struct progress *progress, bool asked)
{
	const char *terminal = getenv("TERM");

	*progress = (struct progress){0};
	progress->terminal = isatty(STDERR_FILENO) && terminal && strcmp(terminal, "dumb") != 0;
	progress->coloured = progress->terminal && !getenv("NO_COLOR");
	progress->shown = asked || progress->terminal;
}

void progress_begin(struct progress *progress, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(progress->stage, sizeof(progress->stage), format, arguments);
	va_end(arguments);
	progress->started = measure_now();
	progress->drawn = 0.0;
	progress_set(progress, 0.0);
}

/* "########------------": how far; or, when nobody knows, a mark that walks. */
static void draw_bar(double share, double seconds, char cells[BAR_CELLS + 1])
{
	int filled = (int)(share * BAR_CELLS + 0.5);
	int at = (int)(seconds * 16.0) % (BAR_CELLS - 3);
	int i;

	for (i = 0; i < BAR_CELLS; i++) {
		if (share < 0.0)
			cells[i] = i >= at && i < at + 4 ? '#' : '-';
		else
			cells[i] = i < filled ? '#' : '-';
	}
	cells[BAR_CELLS] = '\0';
}

void progress_set(struct progress *progress, double share)
{
	double now = measure_now();
	char cells[BAR_CELLS + 1];

	if (!progress->terminal || now - progress->drawn < DRAW_SECONDS)
		return;
	progress->drawn = now;
	progress->open = true;
	draw_bar(share > 1.0 ? 1.0 : share, now - progress->started, cells);
	if (share < 0.0)
		(void)fprintf(stderr, "\r\033[K  %-*.*s [%s]", STAGE_CELLS, STAGE_CELLS,
			progress->stage, cells);
	else
		(void)fprintf(stderr, "\r\033[K  %-*.*s [%s] %3.0f %%", STAGE_CELLS,
			STAGE_CELLS, progress->stage, cells,
			share > 1.0 ? 100.0 : share * 100.0);
	(void)fflush(stderr);
}

void progress_clear(struct progress *progress)
{
	if (progress->open)
		(void)fputs("\r\033[K", stderr);
	progress->open = false;
}

void progress_end(struct progress *progress)
{
	double seconds = measure_now() - progress->started;

	progress_clear(progress);
	if (!progress->shown)
		return;
	(void)fprintf(stderr, "  %s%-*.*s%s %6.2f s\n", progress->coloured ? "\033[32m" : "",
		STAGE_CELLS, STAGE_CELLS, progress->stage, progress->coloured ? "\033[0m" : "",
		seconds);
}
