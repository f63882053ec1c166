/* SPDX-License-Identifier: Apache-2.0 */
/* Builds the graph in an arena and shares it until it is told to end: adjacency-owner NAME FILE */
#define ADJACENCY_SHARED
#include <fstream>

#include <lendheap/arena.hpp>

#include "adjacency.hpp"

int main(int argc, char **argv)
try {
	if (argc != 3) {
		std::fprintf(stderr, "usage: adjacency-owner NAME FILE\n");
		return 2;
	}

	std::ifstream file(argv[2]);
	lend::arena arena("adjacency");
	lend::scope in(arena);
	adjacency &graph = *arena.construct<adjacency>("graph");

	read_arcs(graph, file);
	arena.share(argv[1]);
	std::printf("shared as \"%s\" until the end of input\n", argv[1]);
	std::fflush(stdout);
	while (std::getchar() != EOF)
		;
} catch (const std::exception &e) {
	std::fprintf(stderr, "adjacency-owner: %s\n", e.what());
	return 1;
}
