/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAPH_RANDOM_H
#define GRAPH_RANDOM_H

/*
 * A generator of random numbers of our own, so that one seed gives one graph on every machine.
 * SplitMix64: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.
 */
#include <stdint.h>

struct random {
	uint64_t state;
};

static inline struct random random_from(uint64_t seed)
{
	struct random made = {seed};

	return made;
}

static inline uint64_t random_next(struct random *random)
{
	uint64_t z = random->state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/* A number below bound, which is not 0: the high half of a product, even enough for a demo. */
static inline uint32_t random_below(struct random *random, uint32_t bound)
{
	return (uint32_t)(((random_next(random) >> 32) * bound) >> 32);
}

#endif /* GRAPH_RANDOM_H */
