/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc/cache.h"

#include <errno.h>

#include "base/error.h"

/* Objects of a class that jemalloc counts as allocated: the application's and the caches'. */
static uint64_t allocated_of(tsdn_t *tsdn, arena_t *je, szind_t class, uint64_t *out_slabs)
{
	arena_stats_large_t *large;
	uint64_t count;
	bin_t *bin;

	if (class >= SC_NBINS) {
		large = &je->stats.lstats[class - SC_NBINS];
		LOCKEDINT_MTX_LOCK(tsdn, je->stats.mtx);
		count = locked_read_u64(tsdn, LOCKEDINT_MTX(je->stats.mtx), &large->nmalloc) -
			locked_read_u64(tsdn, LOCKEDINT_MTX(je->stats.mtx), &large->ndalloc);
		LOCKEDINT_MTX_UNLOCK(tsdn, je->stats.mtx);
		*out_slabs = 0;
		return count;
	}
	bin = arena_get_bin(je, class, 0);
	malloc_mutex_lock(tsdn, &bin->lock);
	count = bin->stats.curregs;
	*out_slabs = bin->stats.curslabs;
	malloc_mutex_unlock(tsdn, &bin->lock);
	return count;
}

static void count_class(struct lendi_heap *heap, const uint64_t *cached, szind_t class,
	struct lend_class_stats *out_stats)
{
	uint64_t allocated =
		allocated_of(tsd_tsdn(tsd_fetch()), heap->je, class, &out_stats->slab_count);

	out_stats->bytes = sz_index2size(class);
	out_stats->cached_count = class < LENDI_CACHED_CLASSES ? cached[class] : 0;
	/* The two were counted at two moments. */
	out_stats->live_count =
		allocated > out_stats->cached_count ? allocated - out_stats->cached_count : 0;
}

int lend_arena_stats(struct lend_arena *arena, struct lend_arena_stats *out_stats)
{
	uint64_t cached[LENDI_CACHED_CLASSES];
	struct lend_arena_stats stats = {.struct_bytes = sizeof(stats)};
	struct lend_class_stats of;
	szind_t class;
	int err = lendi_arena_check_owned(arena);

	if (err)
		return err;
	if (out_stats->struct_bytes && out_stats->struct_bytes != sizeof(stats))
		return lendi_fail(-EINVAL, "statistics of %zu bytes, this version's have %zu",
			out_stats->struct_bytes, sizeof(stats));

	lendi_caches_count(arena->heap, cached);
	for (class = 0; class < SC_NSIZES; class ++) {
		count_class(arena->heap, cached, class, &of);
		stats.live_count += of.live_count;
		stats.live_bytes += of.live_count * of.bytes;
		stats.cached_count += of.cached_count;
		stats.cached_bytes += of.cached_count * of.bytes;
	}
	stats.committed_bytes = lend_load_relaxed64(&arena->committed_bytes);
	stats.quota_bytes = arena->quota_bytes;
	stats.reservation_bytes = arena->heap_bytes;
	stats.data_resident_bytes = lendi_segment_resident_bytes(&arena->data);
	stats.books_resident_bytes = lendi_segment_resident_bytes(&arena->books_file);
	stats.foreign_frees = lend_load_relaxed64(&arena->foreign_frees);
	*out_stats = stats;
	return 0;
}

int lend_arena_class_stats(
	struct lend_arena *arena, uint32_t index, struct lend_class_stats *out_stats)
{
	uint64_t cached[LENDI_CACHED_CLASSES];
	int err = lendi_arena_check_owned(arena);

	if (err)
		return err;
	if (index >= SC_NSIZES)
		return lendi_fail(
			-ENOENT, "size class %u, there are %u", index, (unsigned)SC_NSIZES);
	lendi_caches_count(arena->heap, cached);
	count_class(arena->heap, cached, index, out_stats);
	return 0;
}
