/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Package records as apt and dpkg keep them: fields of "Name: value", continued on lines that
 * begin with a blank, a blank line after each record. A vertex for every package named, an edge
 * to each alternative that it depends on. The format is that of the Debian Policy Manual,
 * chapter 5.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "failure.h"
#include "input.h"
#include "load.h"

static const char name_bytes[] =
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-._";

enum {
	FIELD_PACKAGE,
	FIELD_STATUS,
	FIELD_PRE_DEPENDS,
	FIELD_DEPENDS,
	FIELD_RECOMMENDS,
	FIELDS
};

/* The stronger the tie, the shorter the way: a shortest path is the firmest chain. */
static const struct {
	const char *name;
	uint32_t weight;
} fields[FIELDS] = {
	[FIELD_PACKAGE] = {"Package", 0},
	[FIELD_STATUS] = {"Status", 0},
	[FIELD_PRE_DEPENDS] = {"Pre-Depends", 1},
	[FIELD_DEPENDS] = {"Depends", 2},
	[FIELD_RECOMMENDS] = {"Recommends", 4},
};

/* The value of a field in the record being read. */
struct value {
	char *text;
	size_t bytes; /* 0: the record has no such field */
	size_t room;
};

/* What is known of a vertex while loading. */
struct seen {
	uint64_t edge;   /* the last one that leads here... */
	uint32_t stamp;  /* ...and the number of the record it is of */
	uint32_t record; /* the record that describes this package, 0 none yet */
};

struct apt {
	struct input *in;
	struct edge_list *list;
	struct value values[FIELDS];
	struct value *open; /* the field that a continuation line belongs to */
	struct seen *seen;
	uint32_t seen_room;
	uint32_t record; /* counts from 1 */
	bool in_record;
};

static int append(struct value *value, const char *text)
{
	size_t bytes = strlen(text);
	size_t room = value->bytes + bytes + 1;
	char *larger;

	if (room > value->room) {
		room *= 2;
		larger = realloc(value->text, room);
		if (!larger)
			return graph_fail_memory("a package record");
		value->text = larger;
		value->room = room;
	}

	memcpy(value->text + value->bytes, text, bytes + 1);
	value->bytes += bytes;
	return 0;
}

/* The books on a vertex, made when it is new. NULL: no memory. */
static struct seen *look(struct apt *apt, uint32_t index)
{
	uint32_t room = apt->seen_room ? apt->seen_room * 2 : 4096;
	struct seen *larger;

	if (index < apt->seen_room)
		return &apt->seen[index];
	if (room <= index)
		room = index + 1;
	larger = realloc(apt->seen, room * sizeof(*larger));
	if (!larger)
		return NULL;

	memset(larger + apt->seen_room, 0, (room - apt->seen_room) * sizeof(*larger));
	apt->seen = larger;
	apt->seen_room = room;
	return &apt->seen[index];
}

static int add_tie(struct apt *apt, uint32_t tail, const char *name, uint32_t weight)
{
	struct edge_list *list = apt->list;
	struct seen *seen;
	uint32_t head;
	int err;

	err = edges_intern(list, name, &head);
	if (err)
		return err;
	seen = look(apt, head);
	if (!seen)
		return graph_fail_memory("a package record");
	if (seen->stamp == apt->record) { /* twice, "x (>= 1), x (<= 2)": the firmer counts */
		if (weight < list->edges[seen->edge].weight)
			list->edges[seen->edge].weight = weight;
		return 0;
	}

	seen->stamp = apt->record;
	seen->edge = list->edge_count;
	return edges_add(list, tail, head, weight);
}

/* Skip "(>= 1.2)", "[amd64]", "<!nocheck>" and blanks. NULL: a bracket that does not close. */
static char *skip_conditions(char *at)
{
	static const char opens[] = "([<";
	static const char closes[] = ")]>";
	const char *open;

	for (;;) {
		at += strspn(at, " \t");
		open = *at ? strchr(opens, *at) : NULL;
		if (!open)
			return at;
		at = strchr(at, closes[open - opens]);
		if (!at)
			return NULL;
		at++;
	}
}

/* "libc6 (>= 2.34), default-mta | mail-transport-agent, perl:any" */
static int read_ties(struct apt *apt, uint32_t tail, int field)
{
	char *at = apt->values[field].text;
	char *after;
	size_t count;
	char end;
	int err;

	for (;;) {
		at += strspn(at, " \t,|");
		if (*at == '\0')
			return 0;
		count = strspn(at, name_bytes);
		after = at + count;
		if (*after == ':') /* of any or of one architecture */
			after += 1 + strspn(after + 1, name_bytes);
		after = skip_conditions(after);
		if (count == 0 || !after || (*after && *after != ',' && *after != '|'))
			return input_fail(apt->in,
				"the %s field of the record ending here is not "
				"a list of packages at \"%.24s\"",
				fields[field].name, at);
		end = *after;
		at[count] = '\0';
		err = add_tie(apt, tail, at, fields[field].weight);
		if (err || end == '\0')
			return err;
		at = after + 1;
	}
}

static int read_package(struct apt *apt, uint32_t *out_index)
{
	char *name = apt->values[FIELD_PACKAGE].text;
	size_t count;

	if (apt->values[FIELD_PACKAGE].bytes == 0)
		return input_fail(apt->in, "the record ending here has no Package field");
	name += strspn(name, " \t");
	count = strspn(name, name_bytes);
	if (count == 0 || name[count + strspn(name + count, " \t")] != '\0')
		return input_fail(apt->in, "\"%.24s\" is no name of a package", name);
	name[count] = '\0';
	return edges_intern(apt->list, name, out_index);
}

/* The record is read to its end: take its edges, if it is the first of its package. */
static int end_record(struct apt *apt)
{
	const struct value *status = &apt->values[FIELD_STATUS];
	struct seen *seen;
	uint32_t index;
	int field;
	int err;

	if (!apt->in_record)
		return 0;
	apt->in_record = false;
	apt->open = NULL;
	err = read_package(apt, &index);
	if (err)
		return err;
	seen = look(apt, index);
	if (!seen)
		return graph_fail_memory("a package record");
	if (seen->record || (status->bytes && !strstr(status->text, " installed")))
		return 0;

	seen->record = ++apt->record;
	for (field = FIELD_PRE_DEPENDS; field < FIELDS; field++) {
		if (apt->values[field].bytes == 0)
			continue;
		err = read_ties(apt, index, field);
		if (err)
			return err;
	}
	return 0;
}

static int read_line(struct apt *apt, char *line)
{
	size_t count;
	int field;

	if (line[strspn(line, " \t")] == '\0')
		return end_record(apt);
	if (*line == ' ' || *line == '\t') {
		if (!apt->in_record)
			return input_fail(apt->in, "a continued line outside a record");
		return apt->open ? append(apt->open, line) : 0;
	}
	count = strcspn(line, ": \t");
	if (line[count] != ':' || count == 0)
		return input_fail(apt->in, "no field of a package record: \"%.24s\"", line);

	if (!apt->in_record) {
		for (field = 0; field < FIELDS; field++)
			apt->values[field].bytes = 0;
		apt->in_record = true;
	}
	apt->open = NULL;
	for (field = 0; field < FIELDS; field++) {
		if (strlen(fields[field].name) == count &&
			strncmp(line, fields[field].name, count) == 0)
			apt->open = &apt->values[field];
	}
	return apt->open ? append(apt->open, line + count + 1) : 0;
}

int load_apt(const struct load_options *options, struct input *in, struct edge_list *list)
{
	struct apt apt = {.in = in, .list = list};
	char *line;
	int field;
	int more;
	int err = 0;

	list->vertex_noun = "packages";
	list->edge_noun = "dependencies";
	list->weight_note = "1 pre-depends, 2 depends, 4 recommends";
	while (err == 0 && (more = input_next(in, &line)) != 0) {
		err = more < 0 ? more : read_line(&apt, line);
		load_report(options, in, list);
	}
	if (!err)
		err = end_record(&apt);

	for (field = 0; field < FIELDS; field++)
		free(apt.values[field].text);
	free(apt.seen);
	return err;
}
