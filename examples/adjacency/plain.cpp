/* SPDX-License-Identifier: Apache-2.0 */
/* The program as it was: adjacency-plain PLACE <ARCS */
#include <iostream>

#include "adjacency.hpp"

int main(int argc, char **argv)
{
	if (argc != 2) {
		std::fprintf(stderr, "usage: adjacency-plain PLACE <ARCS\n");
		return 2;
	}

	adjacency graph;

	read_arcs(graph, std::cin);
	print_reached(graph, argv[1]);
}
