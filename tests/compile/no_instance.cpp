/* SPDX-License-Identifier: Apache-2.0 */
/* Instances of the C containers that would go wrong in silence. */
#include <cstdint>

#include <lendheap/ordered_map.h>

struct plain {
	uint64_t number = 1;
};

#define LEND_ORDERED_MAP       plain_map
#define LEND_ORDERED_MAP_KEY   int
#define LEND_ORDERED_MAP_VALUE plain
#include <lendheap/ordered_map.h>

#if CASE == 1
/* lend-test: case 1 expects "no destructors, give a FINI instead" */
struct owner {
	~owner();
	uint64_t *owned;
};

#define LEND_ORDERED_MAP       owner_map
#define LEND_ORDERED_MAP_KEY   int
#define LEND_ORDERED_MAP_VALUE owner
#include <lendheap/ordered_map.h>
#endif
