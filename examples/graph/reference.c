/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "failure.h"
#include "reference.h"

/* Every array gets the room of the widest, whole cache lines. */
static uint64_t stride(uint32_t vertex_count)
{
	return ((uint64_t)vertex_count * sizeof(uint64_t) + 63) & ~UINT64_C(63);
}

static int map_file(
	int fd, uint32_t vertex_count, int protection, struct reference *out_reference)
{
	struct reference made = {.vertex_count = vertex_count};
	void *map;

	made.bytes = stride(vertex_count) * REFERENCE_SETS * WALK_COUNT;
	map = mmap(NULL, made.bytes, protection, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		return graph_fail(-errno, "mapping the reference results: %s", strerror(errno));
	made.map = map;
	*out_reference = made;
	return 0;
}

int reference_create(int fd, uint32_t vertex_count, struct reference *out_reference)
{
	uint64_t bytes = stride(vertex_count) * REFERENCE_SETS * WALK_COUNT;

	if (ftruncate(fd, (off_t)bytes) < 0)
		return graph_fail(
			-errno, "making room for the reference results: %s", strerror(errno));
	return map_file(fd, vertex_count, PROT_READ | PROT_WRITE, out_reference);
}

int reference_open(int fd, uint32_t vertex_count, struct reference *out_reference)
{
	return map_file(fd, vertex_count, PROT_READ, out_reference);
}

void reference_fini(struct reference *reference)
{
	if (reference->map)
		(void)munmap(reference->map, reference->bytes);
	*reference = (struct reference){0};
}

static uint8_t *array_at(
	const struct reference *reference, enum reference_set set, enum walk_kind kind)
{
	return reference->map +
	       stride(reference->vertex_count) * ((unsigned)set * WALK_COUNT + (unsigned)kind);
}

void reference_put(const struct reference *reference, enum reference_set set,
	enum walk_kind kind, const struct walk_arrays *arrays)
{
	const void *result;
	uint64_t bytes;

	result = walk_result(kind, arrays, &bytes);
	memcpy(array_at(reference, set, kind), result, bytes);
}

/* Find the first vertex that differs and say by how much. */
static int fail_difference(const uint8_t *expected, const uint8_t *result, uint64_t bytes,
	uint32_t vertex_count, enum walk_kind kind)
{
	size_t each = (size_t)(bytes / vertex_count);
	uint64_t right = 0;
	uint64_t wrong = 0;
	uint32_t v = 0;

	while (v + 1 < vertex_count &&
		memcmp(expected + v * each, result + v * each, each) == 0)
		v++;
	memcpy(&right, expected + v * each, each); /* x86: the low bytes come first */
	memcpy(&wrong, result + v * each, each);
	if (kind == WALK_RANK) {
		double ranks[2];

		memcpy(&ranks[0], &wrong, sizeof(wrong));
		memcpy(&ranks[1], &right, sizeof(right));
		return graph_fail(REFERENCE_DIFFERS,
			"%s: vertex %" PRIu32 " has %.17g here and %.17g in the private copy",
			walk_name(kind), v, ranks[0], ranks[1]);
	}
	return graph_fail(REFERENCE_DIFFERS,
		"%s: vertex %" PRIu32 " has %" PRIu64 " here and %" PRIu64
		" in the private copy",
		walk_name(kind), v, wrong, right);
}

int reference_compare(const struct reference *reference, enum reference_set set,
	enum walk_kind kind, const struct walk_arrays *arrays)
{
	const uint8_t *expected = array_at(reference, set, kind);
	const void *result;
	uint64_t bytes;

	result = walk_result(kind, arrays, &bytes);
	if (arrays->vertex_count != reference->vertex_count)
		return graph_fail(REFERENCE_DIFFERS,
			"the graph has %" PRIu32 " vertices here and %" PRIu32
			" in the private copy",
			arrays->vertex_count, reference->vertex_count);
	if (memcmp(expected, result, bytes) == 0)
		return 0;
	return fail_difference(expected, result, bytes, reference->vertex_count, kind);
}

uint32_t reference_changed(const struct reference *reference)
{
	const uint8_t *base = array_at(reference, REFERENCE_BASE, WALK_PATHS);
	const uint8_t *both = array_at(reference, REFERENCE_UNION, WALK_PATHS);
	uint32_t count = 0;
	uint32_t v;

	for (v = 0; v < reference->vertex_count; v++)
		count += memcmp(base + v * sizeof(uint64_t), both + v * sizeof(uint64_t),
				 sizeof(uint64_t)) != 0;
	return count;
}
