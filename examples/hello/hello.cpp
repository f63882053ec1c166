/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The same in C++: lendheap's C interface is C++17 too.
 *
 *	c++ -std=c++17 hello.cpp $(pkg-config --cflags --libs lendheap) -o hello_cpp
 */
#include <cstdio>
#include <new>

#include <lendheap/lendheap.h>

struct town {
	const char *name;
	int population;
};

int main()
{
	lend_arena_options options = {};
	lend_arena *a = nullptr;

	options.name = "towns";
	if (lend_arena_create(&options, &a)) {
		std::fprintf(stderr, "hello: no arena: %s\n", lend_error_detail());
		return 1;
	}

	void *memory = lend_alloc(a, sizeof(town));
	if (!memory) {
		std::fprintf(stderr, "hello: no memory: %s\n", lend_error_detail());
		return 1;
	}
	town *bonn = new (memory) town{"Bonn", 330000};

	std::printf("lendheap %s: %s %d\n", lend_version(), bonn->name, bonn->population);
	lend_free_sized(lend_arena_of(bonn), bonn, sizeof(*bonn));
	return lend_arena_destroy(a) ? 1 : 0;
}
