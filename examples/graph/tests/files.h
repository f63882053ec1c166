/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAPH_TESTS_FILES_H
#define GRAPH_TESTS_FILES_H

/* Files for the tests: written, packed, cut short and read back. */
#include <CUnit/CUnit.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../failure.h"
#include "../load.h"

#ifdef GRAPH_WITH_ZLIB
#include <zlib.h>
#endif
#ifdef GRAPH_WITH_LZMA
#include <lzma.h>
#endif

#define PACKED_BYTES_MAX 65536u

struct bytes {
	unsigned char at[PACKED_BYTES_MAX];
	size_t count;
};

/* Write bytes into a new file, load it, and remove it. Returns what load_graph() did. */
static inline int load_bytes(
	const void *bytes, size_t count, enum load_format format, struct edge_list *list)
{
	char path[] = "/tmp/lend-graph-test-XXXXXX";
	struct load_options options = {.path = path, .format = format, .seed = 1};
	int fd = mkstemp(path);
	int err;

	CU_ASSERT_FATAL(fd >= 0);
	CU_ASSERT_FATAL(write(fd, bytes, count) == (ssize_t)count);
	close(fd);
	edges_init(list);
	err = load_graph(&options, list);
	if (err) { /* the sentence names the file, which has another name each time */
		CU_ASSERT(strstr(graph_failure(), path) != NULL);
	}
	unlink(path);
	return err;
}

static inline int load_text(const char *text, struct edge_list *list)
{
	return load_bytes(text, strlen(text), LOAD_AUTO, list);
}

/* The text must be refused with a sentence that has these words, and leave nothing loaded. */
static inline void refuse_bytes(const void *bytes, size_t count, const char *words)
{
	struct edge_list list;
	int err = load_bytes(bytes, count, LOAD_AUTO, &list);

	CU_ASSERT(err < 0);
	CU_ASSERT(strstr(graph_failure(), words) != NULL);
	if (err >= 0 || !strstr(graph_failure(), words))
		fprintf(stderr, "\n  wanted \"%s\", got %d \"%s\"\n", words, err,
			graph_failure());
	CU_ASSERT(list.vertex_count == 0 && list.edge_count == 0);
	CU_ASSERT(list.edges == NULL && list.names == NULL && list.slots == NULL);
	edges_fini(&list);
}

static inline void refuse(const char *text, const char *words)
{
	refuse_bytes(text, strlen(text), words);
}

/* Is edge index so? Names, not numbers, since those are the loader's business. */
static inline int edge_is(const struct edge_list *list, uint64_t index, const char *tail,
	const char *head, uint32_t weight)
{
	const struct edge *edge = &list->edges[index];

	return index < list->edge_count && strcmp(edges_name(list, edge->tail), tail) == 0 &&
	       strcmp(edges_name(list, edge->head), head) == 0 && edge->weight == weight;
}

#ifdef GRAPH_WITH_ZLIB
static inline void pack_gzip(const char *text, struct bytes *out_bytes)
{
	z_stream stream = {0};

	CU_ASSERT_FATAL(
		deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
	stream.next_in = (Bytef *)(uintptr_t)text;
	stream.avail_in = (uInt)strlen(text);
	stream.next_out = out_bytes->at + out_bytes->count;
	stream.avail_out = (uInt)(sizeof(out_bytes->at) - out_bytes->count);
	CU_ASSERT_FATAL(deflate(&stream, Z_FINISH) == Z_STREAM_END);
	out_bytes->count = sizeof(out_bytes->at) - stream.avail_out;
	deflateEnd(&stream);
}
#endif

#ifdef GRAPH_WITH_LZMA
static inline void pack_xz(const char *text, struct bytes *out_bytes)
{
	size_t room = sizeof(out_bytes->at);

	CU_ASSERT_FATAL(
		lzma_easy_buffer_encode(6, LZMA_CHECK_CRC64, NULL, (const uint8_t *)text,
			strlen(text), out_bytes->at, &out_bytes->count, room) == LZMA_OK);
}
#endif

#endif /* GRAPH_TESTS_FILES_H */
