/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ADJACENCY_HPP
#define ADJACENCY_HPP

/*
 * An adjacency list of the standard's containers, as programs have it: who is reached from where.
 * The one line that makes it shareable is the alias below; the rest is the same for both.
 */
#include <cstdio>
#include <istream>
#include <map>
#include <string>
#include <vector>

#ifdef ADJACENCY_SHARED
#include <lendheap/fixed.hpp>
namespace box = lend::fixed;
#else
namespace box = std;
#endif

using adjacency = box::map<box::string, box::vector<box::string>>;

/* Lines of "tail head". */
inline void read_arcs(adjacency &graph, std::istream &in)
{
	std::string tail;
	std::string head;

	while (in >> tail >> head) {
		graph[tail.c_str()].push_back(head.c_str());
		graph[head.c_str()];
	}
}

/* All that is reached from `from`, in breadth-first order. */
inline void print_reached(const adjacency &graph, const char *from)
{
	std::map<const box::string *, bool> seen;
	std::vector<adjacency::const_iterator> order;
	auto start = graph.find(from);

	std::printf("%zu places\n", graph.size());
	if (start == graph.end()) {
		std::printf("%s is none of them\n", from);
		return;
	}
	order.push_back(start);
	seen[&start->first] = true;
	for (std::size_t i = 0; i < order.size(); i++) {
		std::printf("%s\n", order[i]->first.c_str());
		for (const box::string &name : order[i]->second) {
			auto next = graph.find(name);

			if (!seen[&next->first])
				order.push_back(next);
			seen[&next->first] = true;
		}
	}
}

#endif /* ADJACENCY_HPP */
