/* SPDX-License-Identifier: Apache-2.0 */
/* Walks the owner's graph where it lies: adjacency-reader NAME PLACE */
#define ADJACENCY_SHARED
#include <stdexcept>

#include <lendheap/arena.hpp>

#include "adjacency.hpp"

int main(int argc, char **argv)
try {
	if (argc != 3) {
		std::fprintf(stderr, "usage: adjacency-reader NAME PLACE\n");
		return 2;
	}

	lend::borrowed arena = lend::open(argv[1]);
	const adjacency *graph = arena.find<adjacency>("graph");

	if (!graph)
		throw std::runtime_error("no graph in this arena");
	print_reached(*graph, argv[2]);
} catch (const std::exception &e) {
	std::fprintf(stderr, "adjacency-reader: %s\n", e.what());
	return 1;
}
