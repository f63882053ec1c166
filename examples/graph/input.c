/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "failure.h"
#include "input.h"
#include "unpack.h"

#define RAW_BYTES  (64u << 10)
#define TEXT_BYTES (256u << 10) /* at first; grows to hold the longest line */

/*
 *   file -> raw[raw_at, raw_end) -> unpack -> text[line_at, text_end)
 *
 * text holds the line last returned, which ends at next_at, and what was decoded beyond it.
 */
struct input {
	char *name;
	FILE *pipe; /* of a command, else NULL */
	int fd;
	bool fd_ended;
	bool again; /* the line at line_at was unread */
	uint64_t line_number;
	uint64_t raw_total; /* of the file, 0 for a pipe */
	uint64_t raw_seen;
	struct unpack unpack;
	bool unpack_ready;
	size_t raw_at;
	size_t raw_end;
	char *text;
	size_t text_bytes;
	size_t text_end;
	size_t line_at;
	size_t next_at;
	uint8_t raw[RAW_BYTES];
};

static int create(const char *name, struct input **out_input)
{
	struct input *in = calloc(1, sizeof(*in));

	if (!in)
		return graph_fail_memory("reading");
	in->fd = -1;
	in->name = strdup(name);
	in->text = malloc(TEXT_BYTES + 1); /* one more for the end of the last line */
	in->text_bytes = TEXT_BYTES;
	if (!in->name || !in->text) {
		(void)input_close(in);
		return graph_fail_memory("reading");
	}

	*out_input = in;
	return 0;
}

int input_open(const char *path, struct input **out_input)
{
	struct input *in = NULL;
	struct stat status;
	int err;

	err = create(path, &in);
	if (err)
		return err;
	in->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (in->fd < 0 || fstat(in->fd, &status) < 0) {
		err = -errno;
		goto close;
	}
	if (S_ISDIR(status.st_mode)) {
		err = -EISDIR;
		goto close;
	}

	in->raw_total = S_ISREG(status.st_mode) ? (uint64_t)status.st_size : 0;
	*out_input = in;
	return 0;
close:
	(void)input_close(in);
	return graph_fail(err, "%s: %s", path, strerror(-err));
}

int input_open_command(const char *command, const char *name, struct input **out_input)
{
	struct input *in = NULL;
	int err;

	err = create(name, &in);
	if (err)
		return err;
	in->pipe = popen(command, "re");
	if (!in->pipe) {
		err = errno ? -errno : -ENOMEM;
		(void)input_close(in);
		return graph_fail(err, "%s: %s", name, strerror(-err));
	}

	in->fd = fileno(in->pipe);
	*out_input = in;
	return 0;
}

static int fail_at(
	const struct input *in, bool with_line, const char *format, va_list arguments)
{
	char what[GRAPH_FAILURE_BYTES_MAX];

	(void)vsnprintf(what, sizeof(what), format, arguments);
	if (with_line)
		return graph_fail(-EBADMSG, "%s: line %llu: %s", in->name,
			(unsigned long long)in->line_number, what);
	return graph_fail(-EBADMSG, "%s: %s", in->name, what);
}

int input_fail(const struct input *in, const char *format, ...)
{
	va_list arguments;
	int err;

	va_start(arguments, format);
	err = fail_at(in, true, format, arguments);
	va_end(arguments);
	return err;
}

int input_fail_whole(const struct input *in, const char *format, ...)
{
	va_list arguments;
	int err;

	va_start(arguments, format);
	err = fail_at(in, false, format, arguments);
	va_end(arguments);
	return err;
}

/* Fill raw as far as the file goes at once: a pipe may give its first bytes one by one. */
static int read_raw(struct input *in)
{
	ssize_t count;

	memmove(in->raw, in->raw + in->raw_at, in->raw_end - in->raw_at);
	in->raw_end -= in->raw_at;
	in->raw_at = 0;
	while (in->raw_end < RAW_BYTES && !in->fd_ended) {
		count = read(in->fd, in->raw + in->raw_end, RAW_BYTES - in->raw_end);
		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0)
			return graph_fail(-errno, "%s: %s", in->name, strerror(errno));
		in->fd_ended = count == 0;
		in->raw_end += (size_t)count;
		in->raw_seen += (uint64_t)count;
	}

	if (in->unpack_ready)
		return 0;
	in->unpack_ready = true;
	if (unpack_init(&in->unpack, unpack_kind(in->raw, in->raw_end)))
		return input_fail_whole(in, "%s", graph_failure());
	return 0;
}

/* Decode some bytes behind text_end, where there must be room. 1 some, 0 the end. */
static int decode(struct input *in)
{
	const uint8_t *from;
	size_t count;
	long made;
	int err;

	for (;;) {
		if (in->raw_at == in->raw_end && !in->fd_ended) {
			err = read_raw(in);
			if (err)
				return err;
		}
		from = in->raw + in->raw_at;
		count = in->raw_end - in->raw_at;
		made = unpack_run(&in->unpack, &from, &count,
			(uint8_t *)in->text + in->text_end, in->text_bytes - in->text_end,
			in->fd_ended);
		in->raw_at = (size_t)(from - in->raw);
		if (made < 0)
			return input_fail(in, "%s", graph_failure());
		if (made > 0) {
			in->text_end += (size_t)made;
			return 1;
		}
		if (in->fd_ended && in->raw_at == in->raw_end)
			return 0;
		if (in->fd_ended && in->unpack.complete)
			return input_fail(in, "bytes follow the end of the compressed data");
	}
}

/* Make room behind text_end: by moving the started line to the front, or by growing. */
static int make_room(struct input *in)
{
	char *larger;
	size_t bytes;

	if (in->line_at > 0) {
		memmove(in->text, in->text + in->line_at, in->text_end - in->line_at);
		in->text_end -= in->line_at;
		in->line_at = 0;
	}
	if (in->text_end < in->text_bytes)
		return 0;

	if (in->text_bytes >= INPUT_LINE_BYTES_MAX)
		return input_fail(in, "a line of more than %u bytes: not a graph in text form",
			INPUT_LINE_BYTES_MAX);
	bytes = in->text_bytes * 2;
	larger = realloc(in->text, bytes + 1);
	if (!larger)
		return graph_fail_memory("a long line");
	in->text = larger;
	in->text_bytes = bytes;
	return 0;
}

/* Control characters stand in no graph: name the first, before it garbles a terminal. */
static int check_text(const struct input *in, const char *line, size_t bytes)
{
	size_t i;

	for (i = 0; i < bytes; i++) {
		unsigned char c = (unsigned char)line[i];

		if ((c < ' ' && c != '\t') || c == 0x7f)
			return input_fail(
				in, "byte 0x%02x at column %zu: this is not text", c, i + 1);
	}
	return 0;
}

int input_next(struct input *in, char **out_line)
{
	size_t searched = 0;
	char *end = NULL;
	int more = 1;
	size_t bytes;

	if (in->again) {
		in->again = false;
		*out_line = in->text + in->line_at;
		return 1;
	}

	in->line_at = in->next_at;
	in->line_number++;
	while (!end) {
		char *from = in->text + in->line_at + searched;

		end = memchr(from, '\n', in->text_end - in->line_at - searched);
		if (end)
			break;
		searched = in->text_end - in->line_at;
		more = make_room(in);
		if (more == 0)
			more = decode(in);
		if (more < 0)
			return more;
		if (more == 0) {
			if (searched == 0) {
				in->line_number--; /* what is said now is of the last line */
				return 0;
			}
			end = in->text + in->text_end; /* a last line without an end */
		}
	}

	in->next_at = (size_t)(end - in->text) + (more ? 1 : 0);
	*end = '\0';
	bytes = (size_t)(end - in->text) - in->line_at;
	if (bytes > 0 && end[-1] == '\r') {
		end[-1] = '\0';
		bytes--;
	}
	more = check_text(in, in->text + in->line_at, bytes);
	if (more)
		return more;
	*out_line = in->text + in->line_at;
	return 1;
}

void input_unread(struct input *in)
{
	in->again = true;
}

uint64_t input_position(const struct input *in, uint64_t *out_total)
{
	*out_total = in->raw_total;
	return in->raw_seen;
}

int input_close(struct input *in)
{
	int status = 0;
	int err = 0;

	if (!in)
		return 0;
	unpack_fini(&in->unpack);
	if (in->pipe) {
		status = pclose(in->pipe);
		if (status != 0 && in->fd_ended)
			err = graph_fail(-EIO, "%s ended with status %d", in->name, status);
	} else if (in->fd >= 0) {
		close(in->fd);
	}
	free(in->text);
	free(in->name);
	free(in);
	return err;
}
