/* SPDX-License-Identifier: Apache-2.0 */
/*
 * share-graph: from nothing to a searched graph in a new process. lendheap: open, search in
 * place. The usual way (unix-socket): connect, the owner flattens the graph and sends it, the
 * reader rebuilds it on its heap and searches that. Each reader is a fresh process.
 */
#include "share.h"

#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct copy_case {
	struct graph_shape shape;
	char name[LEND_ARENA_NAME_BYTES_MAX + 1];
	double *answer; /* shared: milliseconds until ready, until searched; the sum */
	int listener;
	const struct graph *graph; /* the owner's */
};

static socklen_t make_address(struct sockaddr_un *address, const char *name)
{
	memset(address, 0, sizeof(*address));
	address->sun_family = AF_UNIX;
	snprintf(address->sun_path + 1, sizeof(address->sun_path) - 1, "%s-copy", name);
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 +
			   strlen(address->sun_path + 1));
}

static int send_all(int fd, const void *bytes, size_t count)
{
	const char *at = bytes;
	ssize_t sent;

	while (count > 0) {
		sent = send(fd, at, count, MSG_NOSIGNAL);
		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0)
			return -errno;
		at += sent;
		count -= (size_t)sent;
	}
	return 0;
}

static int receive_all(int fd, void *bytes, size_t count)
{
	char *at = bytes;
	ssize_t got;

	while (count > 0) {
		got = recv(fd, at, count, 0);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			return -EPIPE;
		at += got;
		count -= (size_t)got;
	}
	return 0;
}

static size_t flat_bytes(const struct graph *graph)
{
	return (2 + (size_t)graph->vertex_count + graph->edge_count) * sizeof(uint32_t);
}

/* One reader's request: its size first, then the graph as it is now. */
static int serve_copy(int fd, const struct graph *graph)
{
	uint32_t *words;
	uint64_t bytes;
	int err;

	words = malloc(flat_bytes(graph));
	if (!words)
		return -ENOMEM;
	bytes = graph_flatten(graph, words);
	err = send_all(fd, &bytes, sizeof(bytes));
	if (!err)
		err = send_all(fd, words, bytes);
	free(words);
	return err;
}

static void *serve_copies(void *context)
{
	struct copy_case *c = context;
	int fd;

	for (;;) {
		fd = accept4(c->listener, NULL, NULL, SOCK_CLOEXEC);
		if (fd < 0 && errno != EINTR && errno != ECONNABORTED)
			return NULL;
		if (fd < 0)
			continue;
		serve_copy(fd, c->graph);
		close(fd);
	}
}

static int start_server(struct copy_case *c)
{
	struct sockaddr_un address;
	socklen_t bytes = make_address(&address, c->name);
	pthread_t thread;
	int err;

	c->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->listener < 0)
		return -errno;
	if (bind(c->listener, (struct sockaddr *)&address, bytes) < 0 ||
		listen(c->listener, 16) < 0)
		return -errno;
	err = pthread_create(&thread, NULL, serve_copies, c);
	if (err)
		return -err;
	pthread_detach(thread);
	return 0;
}

static int prepare_owner(void *context)
{
	struct copy_case *c = context;
	int err;

	err = share_graph_publish(&c->shape, 0, c->name, &c->graph);
	return err ? err : start_server(c);
}

static int answer(struct copy_case *c, uint64_t start, uint64_t ready,
	const struct graph *graph, struct graph_scratch *scratch)
{
	uint64_t sum = graph_search(graph, scratch);

	c->answer[0] = (double)(bench_wall_ns() - start) / 1e6;
	c->answer[1] = (double)(ready - start) / 1e6;
	c->answer[2] = (double)(sum >> 11); /* exact in a double */
	return 0;
}

static int read_in_place(void *context)
{
	struct copy_case *c = context;
	const struct graph *graph = NULL;
	struct graph_scratch scratch;
	uint64_t start;
	int err;

	err = graph_scratch_init(&scratch, c->shape.vertex_count);
	if (err)
		return err;
	start = bench_wall_ns();
	err = share_graph_open(c->name, &graph);
	if (err)
		return err;
	return answer(c, start, bench_wall_ns(), graph, &scratch);
}

/* Receive a flattened graph and rebuild it on the heap. NULL on any failure. */
static struct graph *receive_graph(const char *name)
{
	struct sockaddr_un address;
	socklen_t address_bytes = make_address(&address, name);
	struct graph *graph = NULL;
	struct graph_shape shape;
	uint32_t *words = NULL;
	uint64_t bytes;
	int fd;

	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return NULL;
	if (connect(fd, (struct sockaddr *)&address, address_bytes) == 0 &&
		receive_all(fd, &bytes, sizeof(bytes)) == 0)
		words = malloc(bytes);
	if (words && receive_all(fd, words, bytes) == 0 &&
		graph_unflatten(words, bytes, &shape) == 0)
		graph = graph_build(&shape, &graph_private_heap, 0);
	free(words);
	close(fd);
	return graph;
}

static int read_a_copy(void *context)
{
	struct copy_case *c = context;
	struct graph_scratch scratch;
	struct graph *graph;
	uint64_t start;
	int err;

	err = graph_scratch_init(&scratch, c->shape.vertex_count);
	if (err)
		return err;
	start = bench_wall_ns();
	graph = receive_graph(c->name);
	if (!graph)
		return -EIO;
	return answer(c, start, bench_wall_ns(), graph, &scratch);
}

static int measure(
	struct copy_case *c, int (*read_graph)(void *), struct bench_row *row, double *out_sum)
{
	int err;

	err = bench_in_child(read_graph, c);
	if (err)
		return err;
	bench_add(row, "milliseconds", "ratio", c->answer[0]);
	bench_add(row, "ready_milliseconds", "ready_ratio", c->answer[1]);
	*out_sum = c->answer[2];
	return 0;
}

static int compare_ways(struct bench *bench, struct copy_case *c)
{
	uint32_t round, rounds = bench_rounds(bench, 9);
	struct bench_row *lend, *socket_copy;
	double sum, copy_sum;
	int err = 0;

	lend = bench_add_row(bench, "share-graph", "lend", BENCH_SUBJECT, NULL, NULL);
	socket_copy =
		bench_add_row(bench, "share-graph", "unix-socket", BENCH_PEER, NULL, NULL);
	bench_note(lend, "%u vertices, %u edges, %.0f MiB", c->shape.vertex_count,
		c->shape.edge_count, (double)graph_shape_bytes(&c->shape) / (1 << 20));
	for (round = 0; round < rounds && !err; round++) {
		bench_progress(bench, "share-graph", round, rounds);
		if (round % 2)
			err = measure(c, read_a_copy, socket_copy, &copy_sum);
		if (!err)
			err = measure(c, read_in_place, lend, &sum);
		if (!err && round % 2 == 0)
			err = measure(c, read_a_copy, socket_copy, &copy_sum);
		if (!err && sum != copy_sum)
			err = -EUCLEAN;
	}
	return err;
}

int share_run_graph(struct bench *bench, void *context)
{
	struct copy_case c = {.answer = bench->table->answer};
	struct share_owner owner;
	int err;

	(void)context;
	err = graph_shape_draw(&c.shape, bench->quick ? 16384 : 524288);
	if (err)
		return err;
	share_name(c.name, sizeof(c.name), "graph", getpid());
	err = share_owner_start(&owner, bench->cpu_other, prepare_owner, &c);
	if (!err) {
		err = compare_ways(bench, &c);
		share_owner_stop(&owner);
	}
	graph_shape_free(&c.shape);
	return err;
}
