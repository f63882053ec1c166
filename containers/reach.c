/* SPDX-License-Identifier: Apache-2.0 */
#include "containers/reach.h"

#include <errno.h>

int lendi_reach_check(const struct lendi_reach *reach, const char *what, const void *owner,
	const void *block, uint64_t bytes, uint64_t alignment)
{
	uintptr_t at = (uintptr_t)block;

	if (!lendi_reach_holds(reach, at, bytes, 1))
		return lendi_fail(-EUCLEAN,
			"%s at %p: %llu bytes at %p, outside the arena's data (%llu at %p)",
			what, owner, (unsigned long long)bytes, block,
			(unsigned long long)reach->bytes, (const void *)reach->base);
	if (!lendi_reach_holds(reach, at, bytes, alignment))
		return lendi_fail(-EUCLEAN, "%s at %p: %llu bytes at %p, not aligned to %llu",
			what, owner, (unsigned long long)bytes, block,
			(unsigned long long)alignment);
	return 0;
}
