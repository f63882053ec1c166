/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LENDHEAP_DEADLINE_H
#define LENDHEAP_DEADLINE_H

/*
 * A moment after which a blocking call gives up with -ETIMEDOUT.
 *
 *	lend_open("roads", lend_deadline_in_ms(2000), &arena);
 *
 * It is absolute, on CLOCK_MONOTONIC, so that one deadline can bound several calls in a row.
 */
#include <stdint.h>

#include <lendheap/compiler.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
	int64_t ns; /* CLOCK_MONOTONIC, nanoseconds; INT64_MAX is never, 0 has passed already */
} lend_deadline;

/* The moment ms milliseconds from now; a negative ms is never. Any thread. */
LEND_API lend_deadline lend_deadline_in_ms(int64_t ms);

/* The deadline that never comes. */
static inline lend_deadline lend_deadline_never(void)
{
	lend_deadline never = {INT64_MAX};

	return never;
}

#ifdef __cplusplus
}
#endif

#endif /* LENDHEAP_DEADLINE_H */
