/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The same in C++: a std::map of strings in an arena, found by its name.
 *
 *	c++ -std=c++17 hello.cpp $(pkg-config --cflags --libs lendheap) -o hello_cpp
 */
#include <cstdio>

#include <lendheap/lendheap.hpp>

using towns = lend::fixed::map<lend::fixed::string, int>;

int main()
{
	lend::arena a("towns");
	lend::scope in(a); /* containers changed from here on allocate in a */
	towns &made = *a.construct<towns>("towns");

	made["Bonn"] = 330000;
	made["Hennef"] = 47000;

	std::printf("lendheap %s:", lend_version());
	for (const auto &[name, population] : *a.find<towns>("towns"))
		std::printf(" %s %d", name.c_str(), population);
	std::printf("\n");
}
