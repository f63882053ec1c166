/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAPH_FAILURE_H
#define GRAPH_FAILURE_H

/*
 * What went wrong, in one sentence for the person at the terminal. A function that fails returns
 * a negative errno and leaves the sentence here; whoever gives up prints it. One thread.
 */
#define GRAPH_FAILURE_BYTES_MAX 400u

/* Keep a sentence and return err, so that a failing line is one line. */
int graph_fail(int err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The same for out of memory; what is the thing there was no room for. */
int graph_fail_memory(const char *what);

/* The last sentence; "" when nothing failed yet. */
const char *graph_failure(void);

#endif /* GRAPH_FAILURE_H */
