/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LENDHEAP_TESTS_HEAP_H
#define LENDHEAP_TESTS_HEAP_H

/*
 * What the tests of the alloc floor share: bytes that betray an object given to two, random
 * numbers with a seed, and children that report by their exit status.
 *
 *	heap_fill(object, bytes, 7);
 *	CU_ASSERT(heap_is_filled(object, bytes, 7));
 *
 *	static void child_reads(void *arena) { CHILD_REQUIRE(...); }
 *	CU_ASSERT_EQUAL(heap_in_child(child_reads, arena), 0);
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <lendheap/alloc.h>

/* In a child: say what failed and leave. */
#define CHILD_REQUIRE(condition)                                                               \
	do {                                                                                   \
		if (!(condition)) {                                                            \
			fprintf(stderr, "child: %s:%d: %s (errno %d, \"%s\")\n", __FILE__,     \
				__LINE__, #condition, errno, lend_error_detail());             \
			_exit(1);                                                              \
		}                                                                              \
	} while (0)

#define HEAP_COUNT(array) (sizeof(array) / sizeof((array)[0]))

/*
 * A reservation for arenas that live across a fork. The child makes them read-only, and
 * valgrind then walks the whole range byte by byte: 9 s for one of 4 GiB.
 */
#define HEAP_FORKED_BYTES ((uint64_t)64 << 20)

static inline uint64_t heap_mix(uint64_t x)
{
	x ^= x >> 30;
	x *= UINT64_C(0xbf58476d1ce4e5b9);
	x ^= x >> 27;
	x *= UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

/* The next number of a sequence that its seed determines. */
static inline uint64_t heap_draw(uint64_t *state)
{
	*state += UINT64_C(0x9e3779b97f4a7c15);
	return heap_mix(*state);
}

/* LEND_TEST_SEED, or argv[1] where that is a number, or a new seed. It is printed. */
static inline uint64_t heap_seed(int argc, char **argv)
{
	const char *given = getenv("LEND_TEST_SEED");
	uint64_t seed = (uint64_t)getpid() * UINT64_C(0x9e3779b97f4a7c15);

	if (argc > 1 && argv[1][0] >= '0' && argv[1][0] <= '9')
		given = argv[1];
	seed = given ? strtoull(given, NULL, 0) : heap_mix(seed ^ (uintptr_t)&seed);
	printf("LEND_TEST_SEED=%llu\n", (unsigned long long)seed);
	fflush(stdout);
	return seed;
}

/* Bytes that hold for one object with one seed only. */
static inline void heap_fill(void *object, size_t bytes, uint64_t seed)
{
	uint64_t word = heap_mix(seed + 1);
	size_t at;

	for (at = 0; at + 8 <= bytes; at += 8, word += UINT64_C(0x9e3779b97f4a7c15))
		memcpy((char *)object + at, &word, 8);
	memcpy((char *)object + at, &word, bytes - at);
}

static inline bool heap_is_filled(const void *object, size_t bytes, uint64_t seed)
{
	uint64_t word = heap_mix(seed + 1);
	size_t at;

	for (at = 0; at + 8 <= bytes; at += 8, word += UINT64_C(0x9e3779b97f4a7c15))
		if (memcmp((const char *)object + at, &word, 8) != 0)
			return false;
	return memcmp((const char *)object + at, &word, bytes - at) == 0;
}

static inline bool heap_is_zero(const void *object, size_t bytes)
{
	const char *at = (const char *)object;

	return bytes == 0 || (at[0] == 0 && memcmp(at, at + 1, bytes - 1) == 0);
}

static inline struct lend_arena_stats heap_stats(struct lend_arena *arena)
{
	struct lend_arena_stats stats;

	stats.struct_bytes = sizeof(stats);
	if (lend_arena_stats(arena, &stats) != 0)
		memset(&stats, 0xff, sizeof(stats));
	return stats;
}

/* A death in a child is expected: no core. */
static inline void heap_no_core(void)
{
	const struct rlimit none = {0, 0};

	(void)setrlimit(RLIMIT_CORE, &none);
}

/* Wait for a child: its exit status, 1000 + the signal that ended it, or -1. */
static inline int heap_wait(pid_t child)
{
	int status;

	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return WIFSIGNALED(status) ? 1000 + WTERMSIG(status) : WEXITSTATUS(status);
}

static inline int heap_in_child(void (*role)(void *context), void *context)
{
	pid_t child = fork();

	if (child == 0) {
		heap_no_core();
		role(context);
		_exit(0);
	}
	return child < 0 ? -1 : heap_wait(child);
}

/* The same with what the child wrote to stderr in said[bytes]. */
static inline int heap_in_child_said(
	void (*role)(void *context), void *context, char *said, size_t bytes)
{
	size_t used = 0;
	ssize_t got;
	pid_t child;
	int fds[2];

	if (pipe(fds))
		return -1;
	child = fork();
	if (child == 0) {
		heap_no_core();
		(void)dup2(fds[1], STDERR_FILENO);
		role(context);
		_exit(0);
	}
	(void)close(fds[1]);
	while (used + 1 < bytes && (got = read(fds[0], said + used, bytes - 1 - used)) > 0)
		used += (size_t)got;
	said[used] = 0;
	(void)close(fds[0]);
	return child < 0 ? -1 : heap_wait(child);
}

/* This very program anew, with these arguments; returns only if there is none. */
static inline void heap_exec_self(const char *first, const char *second, const char *third)
{
	char path[4096];
	/* Its name: under valgrind the link itself would run valgrind. */
	ssize_t bytes = readlink("/proc/self/exe", path, sizeof(path) - 1);

	if (bytes <= 0)
		return;
	path[bytes] = 0;
	(void)execl(path, path, first, second, third, (char *)NULL);
}

/* Lines of /proc/self/maps: mappings that this process has; 0 when it cannot tell. */
static inline size_t heap_mapping_count(void)
{
	FILE *file = fopen("/proc/self/maps", "r");
	size_t count = 0;
	int c;

	if (!file)
		return 0;
	while ((c = fgetc(file)) != EOF)
		count += c == '\n';
	(void)fclose(file);
	return count;
}

#endif /* LENDHEAP_TESTS_HEAP_H */
