/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAPH_INPUT_H
#define GRAPH_INPUT_H

/*
 * Text, line by line, from a file that is plain, gzip or xz (told by its first bytes, not by its
 * name) or from the output of a command.
 *
 *	struct input *in;
 *	char *line;
 *	int more;
 *
 *	input_open("roads.gr.xz", &in);
 *	while ((more = input_next(in, &line)) > 0)
 *		more = use(line) ? 0 : input_fail(in, "no number in \"%s\"", line);
 *	input_close(in);
 *
 * Compressed data that end early or fail their checksum are an error, and so is a byte that no
 * text holds. One thread.
 */
#include <stdint.h>

#define INPUT_LINE_BYTES_MAX (1u << 20)

struct input;

/* Read a file. 0, or a negative errno and a sentence that names the file. */
int input_open(const char *path, struct input **out_input);

/* Read what a shell command prints; name stands for it in messages. */
int input_open_command(const char *command, const char *name, struct input **out_input);

/*
 * The next line, without its end, valid until the next call; the caller may write into it.
 * 1 a line, 0 the end, else a negative errno and a sentence.
 */
int input_next(struct input *in, char **out_line);

/* Make the next input_next() return the line just read once more; the line must be unchanged. */
void input_unread(struct input *in);

/* A failure at the line just read: keeps "name: line 7: ..." and returns -EBADMSG. */
int input_fail(const struct input *in, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* A failure of the file as a whole: keeps "name: ..." and returns -EBADMSG. */
int input_fail_whole(const struct input *in, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* How far we are, in bytes of the file as it lies there; *out_total is 0 when nobody knows. */
uint64_t input_position(const struct input *in, uint64_t *out_total);

/* Close it. For a command: -EIO when it did not end well. NULL is allowed. */
int input_close(struct input *in);

#endif /* GRAPH_INPUT_H */
