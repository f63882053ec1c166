/* SPDX-License-Identifier: Apache-2.0 */
/*
 * attach-1MiB, attach-100MiB, attach-4GiB: how long a new process takes from lend_open() to its
 * first read of the root, by the amount of live data. Each measurement is the first thing a
 * fresh process does with the library, as with a real reader.
 *
 * The same in its parts, over a session of the program's own: connect, from nothing to an open
 * session; borrow, on that session, from asking the owner to lend the arena to the first
 * read of its root.
 */
#include "share.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SIZE_COUNT  3
#define BLOCK_BYTES 65536u
#define PAGE_BYTES  4096u
#define MARK        UINT64_C(0x6c656e6468656170)

struct attach_block {
	struct attach_block *next;
	uint64_t mark;
	unsigned char filling[BLOCK_BYTES - 16];
};

struct attach_root {
	uint64_t mark;
	uint64_t block_count;
	struct attach_block *first;
};

struct attach_size {
	const char *name;
	uint64_t data_bytes;
	uint64_t reservation_bytes; /* 0: the default, one slot */
	struct bench_row *row;      /* as a subject */
	struct bench_row *base_row; /* the measurement of 1 MiB again, as its peer */
	struct lend_arena *arena;   /* the owner's */
	double microseconds[3];     /* of this round: open, connect, attach on a session */
};

struct attach_case {
	struct attach_size size[SIZE_COUNT];
	uint32_t size_count;
	pid_t parent; /* part of the names */
	struct share_lender lender;
	int request_fd; /* the readers' end of what the lender reads */
};

static int fill_arena(struct lend_arena *arena, uint64_t bytes)
{
	struct attach_root *root = lend_alloc_zeroed(arena, sizeof(*root));
	struct attach_block *block;
	uint32_t offset;

	if (!root)
		return share_complain("root", -errno);
	root->mark = MARK;
	for (; root->block_count < bytes / BLOCK_BYTES; root->block_count++) {
		block = lend_alloc(arena, sizeof(*block));
		if (!block)
			return share_complain("block", -errno);
		for (offset = 0; offset < sizeof(block->filling); offset += PAGE_BYTES)
			block->filling[offset] = 1;
		block->mark = MARK + root->block_count;
		block->next = root->first;
		root->first = block;
	}
	return lend_root_set(arena, "blocks", LEND_TYPE(struct attach_root, 1), root);
}

static int share_size(const struct attach_case *c, struct attach_size *size)
{
	struct lend_arena_options options = {
		.struct_bytes = sizeof(options), .name = size->name};
	char name[LEND_ARENA_NAME_BYTES_MAX + 1];
	int err;

	options.reservation_bytes = size->reservation_bytes;
	err = lend_arena_create(&options, &size->arena);
	if (err)
		return share_complain("lend_arena_create", err);
	err = fill_arena(size->arena, size->data_bytes);
	if (err)
		return err;
	share_name(name, sizeof(name), size->name, c->parent);
	err = lend_share(size->arena, name);
	return err ? share_complain("lend_share", err) : 0;
}

static int prepare_owner(void *context)
{
	struct attach_case *c = context;
	uint32_t i;
	int err;

	for (i = 0; i < c->size_count; i++) {
		err = share_size(c, &c->size[i]);
		if (err)
			return err;
		c->lender.arena[i] = c->size[i].arena;
		c->lender.name[i] = c->size[i].name;
	}
	c->lender.arena_count = c->size_count;
	return share_lender_start(&c->lender);
}

struct attach_turn {
	struct attach_case *c;
	struct attach_size *size;
	uint8_t index;  /* of the size */
	double *answer; /* shared with the parent: microseconds */
};

/* The first read of what an arena holds; *out_end is when it is done. */
static int read_root(
	const struct attach_turn *turn, const struct lend_arena *arena, uint64_t *out_end)
{
	const struct attach_root *root = NULL;
	uint64_t mark;
	int err;

	err = lend_root_get(
		arena, "blocks", LEND_TYPE(struct attach_root, 1), (const void **)&root);
	if (err)
		return share_complain("lend_root_get", err);
	mark = *(const volatile uint64_t *)&root->mark;
	*out_end = bench_wall_ns();

	if (mark != MARK || root->block_count != turn->size->data_bytes / BLOCK_BYTES)
		return -EUCLEAN;
	return root->first->mark == MARK + root->block_count - 1 ? 0 : -EUCLEAN;
}

/* In a fresh process. */
static int open_and_read(void *context)
{
	struct attach_turn *turn = context;
	char name[LEND_ARENA_NAME_BYTES_MAX + 1];
	lend_deadline deadline = lend_deadline_in_ms(SHARE_OPEN_MS);
	const struct lend_arena *arena;
	uint64_t start, end;
	int err;

	share_name(name, sizeof(name), turn->size->name, turn->c->parent);
	start = bench_wall_ns();
	err = lend_open(name, deadline, &arena);
	if (err)
		return share_complain("lend_open", err);
	err = read_root(turn, arena, &end);
	if (err)
		return err;
	turn->answer[0] = (double)(end - start) / 1000;
	return lend_close(arena);
}

/* In a fresh process. */
static int borrow_and_read(void *context)
{
	struct attach_turn *turn = context;
	lend_deadline deadline = lend_deadline_in_ms(SHARE_OPEN_MS);
	const struct lend_arena *arena;
	struct lend_session *session;
	uint64_t start, open, end;
	int err;

	start = bench_wall_ns();
	err = lend_session_connect(turn->c->lender.address, NULL, deadline, &session);
	if (err)
		return share_complain("lend_session_connect", err);
	open = bench_wall_ns();
	if (write(turn->c->request_fd, &turn->index, 1) != 1)
		return -EPIPE;
	err = lend_session_borrow(session, turn->size->name, deadline, &arena);
	if (err)
		return share_complain("lend_session_borrow", err);
	err = read_root(turn, arena, &end);
	if (err)
		return err;
	turn->answer[1] = (double)(open - start) / 1000;
	turn->answer[2] = (double)(end - open) / 1000;
	lend_session_close(session);
	return lend_close(arena);
}

static void add_round(struct bench_row *row, const double *microseconds)
{
	bench_add(row, "microseconds", "ratio", microseconds[0]);
	bench_add(row, "connect_microseconds", NULL, microseconds[1]);
	bench_add(row, "borrow_microseconds", "borrow_ratio", microseconds[2]);
}

/* Readers of each size, in rotating order, then the round's values into the rows. */
static int run_round(struct bench *bench, struct attach_case *c, uint32_t round)
{
	uint32_t i;
	int err;

	for (i = 0; i < c->size_count; i++) {
		uint32_t index = (i + round) % c->size_count;
		struct attach_turn turn = {
			c, &c->size[index], (uint8_t)index, bench->table->answer};

		err = bench_in_child(open_and_read, &turn);
		if (!err)
			err = bench_in_child(borrow_and_read, &turn);
		if (err)
			return err;
		memcpy(c->size[index].microseconds, turn.answer, 3 * sizeof(double));
	}
	for (i = 0; i < c->size_count; i++) {
		add_round(c->size[i].row, c->size[i].microseconds);
		add_round(c->size[i].base_row, c->size[0].microseconds);
	}
	return 0;
}

static void choose_sizes(struct bench *bench, struct attach_case *c)
{
	static const struct attach_size sizes[SIZE_COUNT] = {
		{.name = "attach-1MiB", .data_bytes = UINT64_C(1) << 20},
		{.name = "attach-100MiB", .data_bytes = UINT64_C(100) << 20},
		{.name = "attach-4GiB",
			.data_bytes = UINT64_C(4) << 30,
			.reservation_bytes = UINT64_C(6) << 30},
	};
	uint32_t i;

	memcpy(c->size, sizes, sizeof(sizes));
	c->size_count = SIZE_COUNT;
	c->parent = getpid();
	if (bench->quick) {
		c->size_count--; /* 4 GiB take seconds to fill */
	} else if (bench_memory_available() < UINT64_C(6) << 30) {
		fprintf(stderr,
			"bench_share: attach-4GiB left out: less than 6 GiB of memory\n");
		c->size_count--;
	}
	for (i = 0; i < c->size_count; i++) {
		c->size[i].row = bench_add_row(
			bench, c->size[i].name, "lend", BENCH_SUBJECT, NULL, NULL);
		c->size[i].base_row = bench_add_row(
			bench, c->size[i].name, "attach-1MiB", BENCH_PEER, NULL, NULL);
	}
}

int share_run_attach(struct bench *bench, void *context)
{
	uint32_t round, rounds = bench_rounds(bench, 101);
	struct share_owner owner;
	struct attach_case c;
	int request[2], err;

	(void)context;
	memset(&c, 0, sizeof(c));
	choose_sizes(bench, &c);
	if (pipe2(request, O_CLOEXEC) < 0)
		return -errno;
	c.lender.request_fd = request[0];
	c.request_fd = request[1];
	snprintf(c.lender.address, sizeof(c.lender.address), "@bench-lender-%ld",
		(long)getpid());
	err = share_owner_start(&owner, bench->cpu_other, prepare_owner, &c);
	if (err)
		return err;
	for (round = 0; round < rounds && !err; round++) {
		bench_progress(bench, "attach", round, rounds);
		err = run_round(bench, &c, round);
	}
	share_owner_stop(&owner);
	return err;
}
