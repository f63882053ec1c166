/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAPH_UNPACK_H
#define GRAPH_UNPACK_H

/*
 * One decoder for three ways a file may lie on disk. Bytes in, bytes out, no I/O:
 *
 *	unpack_init(&u, unpack_kind(first_bytes, count));
 *	unpack_run(&u, &in, &in_count, out, out_count, at_end);
 *	unpack_fini(&u);
 *
 * gzip needs zlib and xz needs liblzma when the program is built; without one of them its files
 * are refused with a sentence that says so.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum unpack_kind { UNPACK_PLAIN, UNPACK_GZIP, UNPACK_XZ };

struct unpack {
	enum unpack_kind kind;
	bool complete; /* the compressed stream has come to its proper end */
	void *stream;  /* z_stream or lzma_stream, on the heap */
};

/* What the first bytes of a file say it is. */
enum unpack_kind unpack_kind(const uint8_t *bytes, size_t count);

int unpack_init(struct unpack *unpack, enum unpack_kind kind);

/*
 * Decode from *in, which is advanced, to out. at_end: no bytes come after these. Returns how
 * many bytes were written, 0 when more input is needed or all is done, or a negative errno and a
 * sentence: -EBADMSG for data that are damaged, -ENODATA for data that end early.
 */
long unpack_run(struct unpack *unpack, const uint8_t **in, size_t *in_count, uint8_t *out,
	size_t out_count, bool at_end);

void unpack_fini(struct unpack *unpack);

#endif /* GRAPH_UNPACK_H */
