/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAPH_PROGRESS_H
#define GRAPH_PROGRESS_H

/*
 * Progress on stderr: a bar for the stage that runs, a line with its time for each that is done.
 * Without a terminal, and when asked for, the lines alone.
 */
#include <stdbool.h>

struct progress {
	bool shown;    /* at all */
	bool terminal; /* bars, and colours unless NO_COLOR is set */
	bool coloured;
	bool open; /* a bar stands on the last line */
	char stage[80];
	double started;
	double drawn; /* when the bar was drawn last */
};

void progress_init(struct progress *progress, bool asked);

/* A stage begins. */
void progress_begin(struct progress *progress, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* The share done, 0 to 1, or below 0 when nobody knows. */
void progress_set(struct progress *progress, double share);

/* The stage is done. */
void progress_end(struct progress *progress);

/* Take the bar away, for a message that comes instead of the stage's end. */
void progress_clear(struct progress *progress);

#endif /* GRAPH_PROGRESS_H */
