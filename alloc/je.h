/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LENDHEAP_ALLOC_JE_H
#define LENDHEAP_ALLOC_JE_H

/*
 * jemalloc's internal headers, for the files of this floor that reach inside. The version is
 * pinned: what we rely on is asserted here and in je.c, and every other version is refused.
 *
 * They redefine assert() to jemalloc's own, which is off in its release build; our files that
 * include this one do not assert.
 */
#include "jemalloc/internal/jemalloc_preamble.h"
#include "jemalloc/internal/jemalloc_internal_includes.h"
#include "jemalloc/internal/cache_bin.h"
#include "jemalloc/internal/emap.h"
#include "jemalloc/internal/extent.h"
#include "jemalloc/internal/large_externs.h"
#include "jemalloc/internal/rtree.h"
#include "jemalloc/internal/sz.h"

#include <lendheap/layout.h>

LEND_STATIC_ASSERT(LG_VADDR == 48, "the page map is built for 48-bit addresses");
LEND_STATIC_ASSERT(LG_PAGE == 12, "the page map is built for 4 KiB pages");
LEND_STATIC_ASSERT(RTREE_HEIGHT == 2, "a leaf of the page map is one flat table per GiB");
LEND_STATIC_ASSERT(sizeof(rtree_leaf_elm_t) == 8, "a page takes 8 bytes of the page map");
LEND_STATIC_ASSERT(sizeof(edata_t) == 128, "an extent's metadata take 128 bytes");
LEND_STATIC_ASSERT(sizeof(uintptr_t) == 8, "64-bit");

/* An arena's index in jemalloc: the same in every process, above every index it gives itself. */
#define LENDI_JE_INDEX_OF(slot) ((unsigned)(slot) + 16u)

/*
 * Start jemalloc and check that it is the one we know, with the options we gave it. Once per
 * process; later calls give the first one's answer. 0; -ENOSYS.
 */
int lendi_je_start(void);

#endif /* LENDHEAP_ALLOC_JE_H */
