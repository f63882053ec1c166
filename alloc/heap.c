/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc/heap.h"

#include <sched.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "alloc/cache.h"
#include "base/error.h"

__thread int lendi_hook_error;

/*
 * Hooks. The whole heap range is registered with jemalloc at creation as one uncommitted,
 * retained extent, so the alloc hook always refuses, commit and decommit see every byte that
 * goes in and out of use, and free space merges without bounds: extents of separate alloc calls
 * never would.
 */
static void *refuse_alloc(extent_hooks_t *hooks, void *at, size_t bytes, size_t alignment,
	bool *zero, bool *commit, unsigned index)
{
	(void)hooks, (void)at, (void)bytes, (void)alignment, (void)zero, (void)commit,
		(void)index;
	return NULL;
}

static bool commit_extent(extent_hooks_t *hooks, void *extent, size_t extent_bytes,
	size_t offset, size_t bytes, unsigned index)
{
	struct lendi_heap *heap = (struct lendi_heap *)hooks;

	(void)extent_bytes, (void)index;
	lendi_hook_error = lendi_arena_commit(heap->arena, (uintptr_t)extent + offset, bytes);
	LEND_CRASHPOINT("hook.commit");
	return lendi_hook_error != 0;
}

static bool decommit_extent(extent_hooks_t *hooks, void *extent, size_t extent_bytes,
	size_t offset, size_t bytes, unsigned index)
{
	struct lendi_heap *heap = (struct lendi_heap *)hooks;

	(void)extent_bytes, (void)index;
	LEND_CRASHPOINT("hook.decommit");
	return lendi_arena_decommit(heap->arena, (uintptr_t)extent + offset, bytes) != 0;
}

static bool allow_split(extent_hooks_t *hooks, void *extent, size_t extent_bytes, size_t first,
	size_t second, bool committed, unsigned index)
{
	(void)hooks, (void)extent, (void)extent_bytes, (void)first, (void)second,
		(void)committed;
	(void)index;
	LEND_CRASHPOINT("hook.split");
	return false;
}

static bool allow_merge(extent_hooks_t *hooks, void *first, size_t first_bytes, void *second,
	size_t second_bytes, bool committed, unsigned index)
{
	(void)hooks, (void)first, (void)first_bytes, (void)second, (void)second_bytes;
	(void)committed, (void)index;
	LEND_CRASHPOINT("hook.merge");
	return false;
}

/* jemalloc's metadata come from the books. */
static void *alloc_base_block(extent_hooks_t *hooks, void *at, size_t bytes, size_t alignment,
	bool *zero, bool *commit, unsigned index)
{
	void *start = (char *)hooks - offsetof(struct lendi_heap, books_hooks);
	struct lendi_heap *heap = start;
	void *block = NULL;

	(void)index;
	if (at || alignment > HUGEPAGE)
		return NULL;
	lendi_hook_error = lendi_arena_add_base_block(heap->arena, bytes, &block);
	*zero = true;
	*commit = true;
	return block;
}

static const extent_hooks_t data_hooks = {
	.alloc = refuse_alloc,
	.commit = commit_extent,
	.decommit = decommit_extent,
	.split = allow_split,
	.merge = allow_merge,
};

static const extent_hooks_t books_hooks = {
	.alloc = alloc_base_block,
	.split = allow_split,
	.merge = allow_merge,
};

/*
 * The page map. A leaf of jemalloc's radix tree covers 1 GiB as a flat table; ours lie in the leaf
 * range. Only the leaves of slots this process owns are in the root.
 */
static void set_leaves(const struct lend_arena *arena, bool present)
{
	uintptr_t leaf = lendi_leaf_at(lendi_window(), arena->slot);
	const uint64_t gib = UINT64_C(1) << 30;
	uint64_t i;

	for (i = 0; i < arena->slot_count * (LEND_SLOT_BYTES / gib); i++) {
		rtree_node_elm_t *node =
			&arena_emap_global.rtree.root[rtree_subkey(arena->base + i * gib, 0)];
		void *child =
			present ? (void *)(leaf + i * (gib / LENDI_PAGE_BYTES * 8)) : NULL;

		atomic_store_p(&node->child, child, ATOMIC_RELEASE);
	}
}

/* Hand the heap range to jemalloc, see the hooks above. */
static int add_range(tsdn_t *tsdn, struct lendi_heap *heap)
{
	struct lend_arena *arena = heap->arena;
	pac_t *pac = &heap->je->pa_shard.pac;
	edata_t *edata = edata_cache_get(tsdn, pac->edata_cache);

	if (!edata)
		return lendi_fail(-ENOMEM, "metadata of arena \"%s\"", arena->name);
	edata_init(edata, LENDI_JE_INDEX_OF(arena->slot), (void *)arena->heap_base,
		arena->heap_bytes, /* slab */ false, SC_NSIZES, extent_sn_next(pac),
		extent_state_active, /* zeroed */ true, /* committed */ false, EXTENT_PAI_PAC,
		EXTENT_IS_HEAD);
	if (emap_register_boundary(
		    tsdn, &arena_emap_global, edata, SC_NSIZES, /* slab */ false))
		return lendi_fail(-ENOMEM, "page map of arena \"%s\"", arena->name);
	extent_record(tsdn, pac, arena_get_ehooks(heap->je), &pac->ecache_retained, edata);
	return 0;
}

/* What a successor must agree on before it believes the books: jemalloc's own shapes. */
static uint64_t heap_layout(void)
{
	uint64_t hash = LEND_LAYOUT_SEED;
	unsigned class;

	hash = lend_layout_fold(hash, sizeof(arena_t));
	hash = lend_layout_fold(hash, sizeof(base_block_t));
	hash = lend_layout_fold(hash, sizeof(edata_t));
	hash = lend_layout_fold(hash, sizeof(bin_t));
	hash = lend_layout_fold(hash, SC_NSIZES);
	for (class = 0; class < SC_NBINS; class ++) {
		hash = lend_layout_fold(hash, bin_infos[class].reg_size);
		hash = lend_layout_fold(hash, bin_infos[class].slab_size);
		hash = lend_layout_fold(hash, bin_infos[class].nregs);
	}
	return hash;
}

static int make_je_arena(struct lendi_heap *heap)
{
	struct lend_arena *arena = heap->arena;
	struct lend_books_shm *books = (struct lend_books_shm *)arena->books;
	arena_config_t config = {
		.extent_hooks = &heap->books_hooks,
		.metadata_use_hooks = true,
	};
	tsd_t *tsd = tsd_fetch();
	tsdn_t *tsdn = tsd_tsdn(tsd);

	set_leaves(arena, true);
	heap->je = arena_init(tsdn, LENDI_JE_INDEX_OF(arena->slot), &config);
	if (!heap->je) {
		set_leaves(arena, false);
		return lendi_fail(-ENOMEM, "heap of arena \"%s\"", arena->name);
	}
	/* The hooks for metadata stay those of the start: this sets the hooks for data alone. */
	(void)arena_set_extent_hooks(tsd, heap->je, &heap->data_hooks);
	if (arena->cache_profile == LEND_CACHE_LEAN)
		(void)arena_decay_ms_set(
			tsdn, heap->je, extent_state_dirty, LENDI_LEAN_DECAY_MS);
	books->heap_layout = heap_layout();
	lend_store_release64(&books->arena, (uintptr_t)heap->je - arena->books);
	return add_range(tsdn, heap);
}

#define EDATA_RESERVE                                                                          \
	64 /* an allocation splits twice; this many threads may at once, and more */

bool lendi_heap_has_metadata(tsdn_t *tsdn, arena_t *je)
{
	edata_cache_t *spare = je->pa_shard.pac.edata_cache;

	while (atomic_load_zu(&spare->count, ATOMIC_RELAXED) < EDATA_RESERVE) {
		edata_t *edata = base_alloc_edata(tsdn, spare->base);

		if (!edata)
			return false;
		edata_cache_put(tsdn, spare, edata);
	}
	return true;
}

static bool is_purging(tsdn_t *tsdn, decay_t *decay)
{
	bool purging;

	malloc_mutex_lock(tsdn, &decay->mtx);
	purging = decay->purging;
	malloc_mutex_unlock(tsdn, &decay->mtx);
	return purging;
}

void lendi_heap_purge(tsdn_t *tsdn, arena_t *je)
{
	decay_t *decay = &je->pa_shard.pac.decay_dirty;
	bool others;

	/*
	 * jemalloc lets one thread purge at a time and sends others away; what that one holds is
	 * neither free nor off the quota until it is done.
	 */
	do {
		others = is_purging(tsdn, decay);
		arena_decay(tsdn, je, /* is_background_thread */ false, /* all */ true);
		others = is_purging(tsdn, decay) || others;
		if (others)
			(void)sched_yield();
	} while (others);
}

#ifdef LEND_CHECKS
static int make_shadow(struct lendi_heap *heap)
{
	void *at;

	heap->shadow_bytes = heap->arena->heap_bytes / 64;
	at = lendi_os.mmap(NULL, heap->shadow_bytes, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (at == MAP_FAILED)
		return lendi_fail_errno(-errno, "shadow of arena \"%s\"", heap->arena->name);
	heap->shadow = at;
	return 0;
}
#endif

int lendi_heap_create(struct lend_arena *arena)
{
	struct lendi_heap *heap;
	int err;

	err = lendi_je_start();
	if (err)
		return err;
	heap = calloc(1, sizeof(*heap));
	if (!heap)
		return lendi_fail(-ENOMEM, "heap of arena \"%s\"", arena->name);
	heap->arena = arena;
	heap->data_hooks = data_hooks;
	heap->books_hooks = books_hooks;
	arena->heap = heap;
#ifdef LEND_CHECKS
	err = make_shadow(heap);
	if (err)
		goto free_heap;
#endif
	err = make_je_arena(heap);
	if (err) {
		lendi_heap_destroy(arena);
		return err;
	}
	return 0;
#ifdef LEND_CHECKS
free_heap:
	free(heap);
	arena->heap = NULL;
	return err;
#endif
}

void lendi_heap_destroy(struct lend_arena *arena)
{
	struct lendi_heap *heap = arena->heap;

	/*
	 * In this order (a cache that is flushed into a dead heap, or a look-up of an index without
	 * memory behind it, would be the end): no thread finds a cache, jemalloc does not find the
	 * arena, nothing finds a page of it. The memory itself goes with its files, so nothing is
	 * handed back piece by piece.
	 */
	lendi_caches_drop(heap);
	if (heap->je)
		arena_set(LENDI_JE_INDEX_OF(arena->slot), NULL);
	set_leaves(arena, false);
#ifdef LEND_CHECKS
	(void)lendi_os.munmap(heap->shadow, heap->shadow_bytes);
#endif
	arena->heap = NULL;
	free(heap);
}
