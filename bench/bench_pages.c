/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What pages cost: a heap that asks for huge pages, the same heap without, and glibc's. In each
 * round each heap is a new one.
 *
 *	grow	allocating and writing 256 MiB of objects of 64 bytes, per object
 *	random	then reading one word of each of a million in random order, per read
 *	large	then allocating and writing 32 MiB in one piece, per 4 KiB
 *
 * grow and large count first touches, and so what a new page costs on this machine at this moment:
 * a guest whose host took its free memory back pays several times as much.
 */
#include <errno.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lendheap/alloc.h>
#include <lendheap/error.h>

#include "bench/harness/bench.h"

#define OBJECT_BYTES 64u
#define READS        1000000u

enum { GROW, RANDOM, LARGE, CASES };
static const char *const cases[CASES] = {"grow", "random", "large"};

struct heap {
	const char *name;
	enum bench_role role;
	uint32_t huge_pages;
	bool ours;
};

static const struct heap heaps[] = {
	{"huge-pages", BENCH_SUBJECT, LEND_HUGE_PAGES_GROWING, true},
	{"4KiB-pages", BENCH_PEER, LEND_HUGE_PAGES_NEVER, true},
	{"glibc", BENCH_PEER, 0, false},
};
enum { HEAPS = sizeof(heaps) / sizeof(heaps[0]) };

struct amount {
	uint32_t objects;
	uint32_t *order; /* READS of them, drawn once */
	uint64_t large_bytes;
	void **object;
};

static void *take(struct lend_arena *arena, size_t bytes)
{
	return arena ? lend_alloc(arena, bytes) : malloc(bytes);
}

static double per(uint64_t start_ns, uint64_t count)
{
	return (double)(bench_thread_ns() - start_ns) / (double)count;
}

static int grow(struct lend_arena *arena, const struct amount *amount, double *out_ns)
{
	uint64_t start = bench_thread_ns();
	uint32_t i;

	for (i = 0; i < amount->objects; i++) {
		uint64_t *object = take(arena, OBJECT_BYTES);

		if (!object)
			return -ENOMEM;
		object[0] = i;
		object[OBJECT_BYTES / 8 - 1] = i;
		amount->object[i] = object;
	}
	*out_ns = per(start, amount->objects);
	return 0;
}

static int read_at_random(const struct amount *amount, double *out_ns)
{
	uint64_t start = bench_thread_ns();
	uint64_t wanted = 0;
	uint64_t sum = 0;
	uint32_t i;

	for (i = 0; i < READS; i++)
		sum += *(uint64_t *)amount->object[amount->order[i]];
	*out_ns = per(start, READS);
	for (i = 0; i < READS; i++)
		wanted += amount->order[i];
	return sum == wanted ? 0 : -EIO;
}

static int write_large(struct lend_arena *arena, const struct amount *amount, double *out_ns)
{
	uint64_t start = bench_thread_ns();
	char *piece = take(arena, amount->large_bytes);
	uint64_t at;

	if (!piece)
		return -ENOMEM;
	for (at = 0; at < amount->large_bytes; at += 4096)
		piece[at] = 1;
	*out_ns = per(start, amount->large_bytes / 4096);
	if (arena)
		lend_free(arena, piece);
	else
		free(piece);
	return 0;
}

static void give_back(struct lend_arena *arena, const struct amount *amount)
{
	uint32_t i;

	if (arena) {
		(void)lend_arena_destroy(arena);
		return;
	}
	for (i = 0; i < amount->objects; i++)
		free(amount->object[i]);
	(void)malloc_trim(0);
}

static int turn(const struct heap *heap, const struct amount *amount, double *ns)
{
	struct lend_arena_options options = {.name = "pages", .huge_pages = heap->huge_pages};
	struct lend_arena *arena = NULL;
	int err = heap->ours ? lend_arena_create(&options, &arena) : 0;

	if (err)
		return err;
	memset(amount->object, 0, amount->objects * sizeof(*amount->object));
	err = grow(arena, amount, &ns[GROW]);
	if (!err)
		err = read_at_random(amount, &ns[RANDOM]);
	if (!err)
		err = write_large(arena, amount, &ns[LARGE]);
	give_back(arena, amount);
	return err;
}

static int run(struct bench *bench, void *context)
{
	struct amount amount = {
		bench->quick ? 1u << 16 : 1u << 22, NULL, UINT64_C(32) << 20, NULL};
	uint32_t rounds = bench_rounds(bench, 15);
	struct bench_row *rows[HEAPS][CASES];
	uint64_t seed = 7;
	uint32_t round;
	uint32_t i;
	int err = 0;

	(void)context;
	amount.object = malloc(amount.objects * sizeof(*amount.object));
	amount.order = malloc(READS * sizeof(*amount.order));
	if (!amount.object || !amount.order) {
		free(amount.object);
		free(amount.order);
		return -ENOMEM;
	}
	for (i = 0; i < READS; i++)
		amount.order[i] = bench_random_below(&seed, amount.objects);
	for (i = 0; i < HEAPS * CASES; i++)
		rows[i / CASES][i % CASES] = bench_add_row(bench, cases[i % CASES],
			heaps[i / CASES].name, heaps[i / CASES].role, NULL, NULL);

	for (round = 0; !err && round < rounds; round++) {
		bench_progress(bench, "pages", round, rounds);
		for (i = 0; !err && i < HEAPS; i++) {
			uint32_t which = (round + i) % HEAPS;
			double ns[CASES];
			uint32_t j;

			err = turn(&heaps[which], &amount, ns);
			for (j = 0; !err && j < CASES; j++)
				bench_add(rows[which][j], "ns", "ratio", ns[j]);
		}
	}
	if (err)
		fprintf(stderr, "pages: %s %s\n", strerror(-err), lend_error_detail());
	free(amount.object);
	free(amount.order);
	return err;
}

int main(int argc, char **argv)
{
	struct bench bench;

	if (bench_init(&bench, "pages", argc, argv) != 0)
		return 2;
	bench_isolate(&bench, "grow,random,large", run, NULL);
	return bench_report(&bench);
}
