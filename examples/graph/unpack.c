/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#ifdef GRAPH_WITH_ZLIB
#include <zlib.h>
#endif
#ifdef GRAPH_WITH_LZMA
#include <lzma.h>
#endif

#include "failure.h"
#include "unpack.h"

#ifdef GRAPH_WITH_LZMA
#define XZ_MEMORY_BYTES_MAX (UINT64_C(512) << 20) /* xz -9 needs 65 MiB to decode */
#endif

enum unpack_kind unpack_kind(const uint8_t *bytes, size_t count)
{
	static const uint8_t gzip[] = {0x1f, 0x8b};
	static const uint8_t xz[] = {0xfd, '7', 'z', 'X', 'Z', 0};

	if (count >= sizeof(gzip) && memcmp(bytes, gzip, sizeof(gzip)) == 0)
		return UNPACK_GZIP;
	if (count >= sizeof(xz) && memcmp(bytes, xz, sizeof(xz)) == 0)
		return UNPACK_XZ;
	return UNPACK_PLAIN;
}

static long run_plain(const uint8_t **in, size_t *in_count, uint8_t *out, size_t out_count)
{
	size_t count = *in_count < out_count ? *in_count : out_count;

	memcpy(out, *in, count);
	*in += count;
	*in_count -= count;
	return (long)count;
}

#ifdef GRAPH_WITH_ZLIB
static int init_gzip(struct unpack *unpack)
{
	z_stream *stream = calloc(1, sizeof(*stream));

	if (!stream)
		return graph_fail_memory("the gzip decoder");
	if (inflateInit2(stream, 15 + 16) != Z_OK) { /* the largest window; gzip framing only */
		free(stream);
		return graph_fail_memory("the gzip decoder");
	}

	unpack->stream = stream;
	return 0;
}

static long run_gzip(struct unpack *unpack, const uint8_t **in, size_t *in_count, uint8_t *out,
	size_t out_count, bool at_end)
{
	z_stream *stream = unpack->stream;
	uInt given = *in_count < UINT_MAX ? (uInt)*in_count : UINT_MAX;
	uInt room = out_count < UINT_MAX ? (uInt)out_count : UINT_MAX;
	int status;

	if (unpack->complete && given > 0) { /* a file may be several gzip members in a row */
		if (inflateReset(stream) != Z_OK)
			return graph_fail(-EBADMSG, "the gzip decoder cannot start again");
		unpack->complete = false;
	}
	if (unpack->complete)
		return 0;

	stream->next_in = (Bytef *)(uintptr_t)*in; /* zlib reads it only */
	stream->avail_in = given;
	stream->next_out = out;
	stream->avail_out = room;
	status = inflate(stream, Z_NO_FLUSH);
	*in += given - stream->avail_in;
	*in_count -= given - stream->avail_in;

	if (status == Z_STREAM_END)
		unpack->complete = true;
	else if (status != Z_OK && status != Z_BUF_ERROR)
		return graph_fail(-EBADMSG, "the gzip data are damaged (%s)",
			stream->msg ? stream->msg : "no reason given");
	if (room == stream->avail_out && at_end && *in_count == 0 && !unpack->complete)
		return graph_fail(-ENODATA, "the gzip data end early: the file is cut off");
	return (long)(room - stream->avail_out);
}

static void fini_gzip(struct unpack *unpack)
{
	(void)inflateEnd(unpack->stream);
}
#endif /* GRAPH_WITH_ZLIB */

#ifdef GRAPH_WITH_LZMA
static int init_xz(struct unpack *unpack)
{
	lzma_stream *stream = calloc(1, sizeof(*stream));

	if (!stream)
		return graph_fail_memory("the xz decoder");
	if (lzma_stream_decoder(stream, XZ_MEMORY_BYTES_MAX, LZMA_CONCATENATED) != LZMA_OK) {
		free(stream);
		return graph_fail_memory("the xz decoder");
	}

	unpack->stream = stream;
	return 0;
}

static long run_xz(struct unpack *unpack, const uint8_t **in, size_t *in_count, uint8_t *out,
	size_t out_count, bool at_end)
{
	lzma_stream *stream = unpack->stream;
	lzma_ret status;

	if (unpack->complete)
		return 0;

	stream->next_in = *in;
	stream->avail_in = *in_count;
	stream->next_out = out;
	stream->avail_out = out_count;
	status = lzma_code(stream, at_end ? LZMA_FINISH : LZMA_RUN);
	*in = stream->next_in;
	*in_count = stream->avail_in;

	if (status == LZMA_STREAM_END)
		unpack->complete = true;
	else if (status == LZMA_MEMLIMIT_ERROR)
		return graph_fail(-ENOMEM, "the xz data ask for more than 512 MiB to decode");
	else if (status != LZMA_OK && status != LZMA_BUF_ERROR)
		return graph_fail(-EBADMSG, "the xz data are damaged (code %d)", (int)status);
	if (out_count == stream->avail_out && at_end && *in_count == 0 && !unpack->complete)
		return graph_fail(-ENODATA, "the xz data end early: the file is cut off");
	return (long)(out_count - stream->avail_out);
}

static void fini_xz(struct unpack *unpack)
{
	lzma_end(unpack->stream);
}
#endif /* GRAPH_WITH_LZMA */

int unpack_init(struct unpack *unpack, enum unpack_kind kind)
{
	*unpack = (struct unpack){.kind = kind};
	switch (kind) {
	case UNPACK_PLAIN:
		return 0;
	case UNPACK_GZIP:
#ifdef GRAPH_WITH_ZLIB
		return init_gzip(unpack);
#else
		return graph_fail(
			-ENOSYS, "a gzip file, and this program was built without zlib");
#endif
	case UNPACK_XZ:
#ifdef GRAPH_WITH_LZMA
		return init_xz(unpack);
#else
		return graph_fail(
			-ENOSYS, "an xz file, and this program was built without liblzma");
#endif
	}
	return graph_fail(-EINVAL, "no such packing");
}

long unpack_run(struct unpack *unpack, const uint8_t **in, size_t *in_count, uint8_t *out,
	size_t out_count, bool at_end)
{
#ifdef GRAPH_WITH_ZLIB
	if (unpack->kind == UNPACK_GZIP)
		return run_gzip(unpack, in, in_count, out, out_count, at_end);
#endif
#ifdef GRAPH_WITH_LZMA
	if (unpack->kind == UNPACK_XZ)
		return run_xz(unpack, in, in_count, out, out_count, at_end);
#endif
	(void)unpack;
	(void)at_end;
	return run_plain(in, in_count, out, out_count);
}

void unpack_fini(struct unpack *unpack)
{
	if (!unpack->stream)
		return;
#ifdef GRAPH_WITH_ZLIB
	if (unpack->kind == UNPACK_GZIP)
		fini_gzip(unpack);
#endif
#ifdef GRAPH_WITH_LZMA
	if (unpack->kind == UNPACK_XZ)
		fini_xz(unpack);
#endif
	free(unpack->stream);
	unpack->stream = NULL;
}
