/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc/cache.h"

#include <pthread.h>
#include <sys/mman.h>

#include "base/error.h"

/* Objects given back in one turn: what their metadata look-ups keep in flight before the lock. */
#define FLUSH_CHUNK 128u
/* Refills and flushes between two looks at a bin for objects nobody asks for. */
#define LOOK_EVENTS 16u
#define FIRST_FILL  8u
/*
 * A bin begins small and grows when it was empty and full in turn, which is when a larger one
 * would have served. A thread that only allocates, or only frees what others allocated, stays
 * small, in its CPU's own cache: bench_alloc pass-2t 48 ns instead of 81, and the peak of churn is
 * 206 MiB instead of 219 although a bin may grow to twice as much.
 */
#define FIRST_LIMIT       128u
#define FIRST_LIMIT_MIN   16u
#define FIRST_LIMIT_BYTES (64u << 10)
#define LIMIT_GROWTH      4u

static struct lendi_thread no_caches; /* all NULL, never written */

__thread struct lendi_thread *lendi_thread = &no_caches;

/*
 * The registry: which caches exist, by thread and by arena. Its lock is held to change either
 * list, never while objects move.
 */
static pthread_mutex_t registry = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t flushed = PTHREAD_COND_INITIALIZER;
static pthread_key_t thread_key;
static int key_error; /* all keys of the process taken: threads go without caches */
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void lock_registry(void)
{
	(void)pthread_mutex_lock(&registry);
}

static void unlock_registry(void)
{
	(void)pthread_mutex_unlock(&registry);
}

/*
 * How many objects of a class a cache of this arena may hold. In an arena with a small quota it is
 * less: what one thread keeps another cannot have.
 */
static uint32_t class_slots(const struct lend_arena *arena, szind_t class)
{
	const bool lean = arena->cache_profile == LEND_CACHE_LEAN;
	const size_t most = lean ? 64 : 2048;
	size_t budget = lean ? 16 << 10 : 2 << 20;
	size_t slots;

	if (budget > arena->quota_bytes / 1024)
		budget = arena->quota_bytes / 1024;
	slots = budget / sz_index2size(class);
	if (slots > most)
		slots = most;
	return slots < 4 ? 4 : (uint32_t)slots;
}

/* How many it holds at first. */
static uint32_t first_limit(szind_t class, uint32_t slots)
{
	size_t limit = FIRST_LIMIT_BYTES / sz_index2size(class);

	if (limit > FIRST_LIMIT)
		limit = FIRST_LIMIT;
	if (limit < FIRST_LIMIT_MIN)
		limit = FIRST_LIMIT_MIN;
	return limit < slots ? (uint32_t)limit : slots;
}

static void link_cache(struct lend_cache *cache, struct lendi_heap *heap)
{
	struct lendi_thread *thread = cache->thread;

	cache->arena_next = heap->caches;
	cache->arena_link = &heap->caches;
	if (heap->caches)
		heap->caches->arena_link = &cache->arena_next;
	heap->caches = cache;
	if (!thread)
		return;
	cache->thread_next = thread->first;
	cache->thread_link = &thread->first;
	if (thread->first)
		thread->first->thread_link = &cache->thread_next;
	thread->first = cache;
	thread->has_caches = 1;
	thread->at[cache->arena->slot] = cache;
}

static void unlink_cache(struct lend_cache *cache)
{
	*cache->arena_link = cache->arena_next;
	if (cache->arena_next)
		cache->arena_next->arena_link = cache->arena_link;
	if (!cache->thread)
		return;
	*cache->thread_link = cache->thread_next;
	if (cache->thread_next)
		cache->thread_next->thread_link = cache->thread_link;
	cache->thread->at[cache->arena->slot] = NULL;
}

struct lend_cache *lendi_cache_create(struct lend_arena *arena, struct lendi_thread *thread)
{
	size_t bytes = sizeof(struct lend_cache);
	struct lend_cache *cache;
	void **slots;
	void *at;
	szind_t class;

	for (class = 0; class < LENDI_CACHED_CLASSES; class ++)
		bytes += class_slots(arena, class) * sizeof(void *);
	bytes = PAGE_CEILING(bytes);
	if (lendi_map_wiped(bytes, &at))
		return NULL;

	cache = at;
	cache->heap_base = arena->heap_base;
	cache->heap_bytes = arena->heap_bytes;
	cache->leaf_bias = lendi_leaf_at(lendi_window(), arena->slot) -
			   (arena->base >> LG_PAGE) * sizeof(rtree_leaf_elm_t);
	cache->arena = arena;
	cache->mapped_bytes = bytes;
	cache->thread = thread;
	slots = (void **)(cache + 1);
	for (class = 0; class < LENDI_CACHED_CLASSES; class ++) {
		struct lendi_bin *bin = &cache->bins[class];

		cache->slots[class] = (uint16_t)class_slots(arena, class);
		slots += cache->slots[class];
		bin->empty = slots;
		bin->full = slots - first_limit(class, cache->slots[class]);
		bin->head = slots;
		bin->low_water = slots;
		cache->fill[class] = class < SC_NBINS ? FIRST_FILL : 1;
		if (cache->fill[class] > bin->empty - bin->full)
			cache->fill[class] = (uint16_t)(bin->empty - bin->full);
	}

	lock_registry();
	link_cache(cache, arena->heap);
	unlock_registry();
	return cache;
}

/* Take a cache off both lists. The heap returned, if any, waits with its end until we flushed. */
static struct lendi_heap *retire_locked(struct lend_cache *cache)
{
	struct lendi_heap *heap;

	if (!cache->arena)
		return NULL;
	heap = cache->arena->heap;
	heap->flushing++;
	unlink_cache(cache);
	return heap;
}

/* The second half: objects move without the registry's lock. */
static void free_retired(struct lend_cache *cache, struct lendi_heap *heap)
{
	if (heap) {
		lendi_cache_flush(cache);
		lock_registry();
		heap->flushing--;
		(void)pthread_cond_broadcast(&flushed);
		unlock_registry();
	}
	(void)lendi_os.munmap(cache, cache->mapped_bytes);
}

void lendi_cache_destroy(struct lend_cache *cache)
{
	struct lendi_heap *heap;

	lock_registry();
	heap = retire_locked(cache);
	unlock_registry();
	free_retired(cache, heap);
}

void lendi_caches_drop(struct lendi_heap *heap)
{
	lock_registry();
	while (heap->flushing)
		(void)pthread_cond_wait(&flushed, &registry);
	while (heap->caches) {
		struct lend_cache *cache = heap->caches;
		szind_t class;

		unlink_cache(cache);
		if (cache->thread) {
			(void)lendi_os.munmap(cache, cache->mapped_bytes);
			continue;
		}
		/* An explicit cache is its user's to close: leave one that misses and refuses. */
		for (class = 0; class < LENDI_CACHED_CLASSES; class ++)
			memset(&cache->bins[class], 0, sizeof(cache->bins[class]));
		cache->heap_bytes = 0;
		cache->arena = NULL;
	}
	unlock_registry();
}

void lendi_caches_count(struct lendi_heap *heap, uint64_t *counts)
{
	struct lend_cache *cache;
	szind_t class;

	memset(counts, 0, LENDI_CACHED_CLASSES * sizeof(*counts));
	lock_registry();
	for (cache = heap->caches; cache; cache = cache->arena_next)
		for (class = 0; class < LENDI_CACHED_CLASSES; class ++)
			counts[class] += lendi_bin_count(&cache->bins[class]);
	unlock_registry();
}

void lendi_thread_flush(void)
{
	struct lendi_heap *heap;
	struct lend_cache *cache;

	/* A raw clone may find the registry locked for ever, but its table is wiped. */
	if (!lendi_thread->has_caches)
		return;
	lock_registry();
	for (cache = lendi_thread->first; cache; cache = cache->thread_next) {
		heap = cache->arena->heap;
		heap->flushing++; /* neither heap nor cache goes meanwhile */
		unlock_registry();
		lendi_cache_flush(cache);
		lock_registry();
		heap->flushing--;
		(void)pthread_cond_broadcast(&flushed);
	}
	unlock_registry();
}

/* A thread ends. Another may be destroying one of the arenas now, so each turn looks again. */
static void end_thread(void *argument)
{
	struct lendi_thread *thread = argument;
	struct lendi_heap *heap;
	struct lend_cache *cache;

	lendi_thread = &no_caches;
	if (!thread->has_caches)
		goto unmap_table; /* a forked child's, wiped */
	lock_registry();
	while ((cache = thread->first)) {
		heap = retire_locked(cache);
		unlock_registry();
		free_retired(cache, heap);
		lock_registry();
	}
	unlock_registry();
unmap_table:
	(void)lendi_os.munmap(thread, sizeof(*thread));
}

/* In a child only the forking thread lives on, and it finds its caches wiped. */
static void unlock_in_child(void)
{
	/* It may count waiters that are not there, and a broadcast would wait for those. */
	flushed = (pthread_cond_t)PTHREAD_COND_INITIALIZER;
	unlock_registry();
}

static void make_key(void)
{
	key_error = pthread_key_create(&thread_key, end_thread);
	(void)pthread_atfork(lock_registry, unlock_registry, unlock_in_child);
}

static struct lendi_thread *make_thread(void)
{
	struct lendi_thread *thread;
	void *at;

	(void)pthread_once(&once, make_key);
	if (key_error || lendi_map_wiped(sizeof(*thread), &at))
		return NULL;
	thread = at;
	if (pthread_setspecific(thread_key, thread)) {
		(void)lendi_os.munmap(thread, sizeof(*thread));
		return NULL;
	}
	lendi_thread = thread;
	return thread;
}

struct lend_cache *lendi_cache_get(struct lend_arena *arena)
{
	struct lendi_thread *thread = lendi_thread;

	if (thread->at[arena->slot])
		return thread->at[arena->slot];
	if (thread == &no_caches)
		thread = make_thread();
	return thread ? lendi_cache_create(arena, thread) : NULL;
}

static edata_t *edata_of(const struct lend_cache *cache, const void *object)
{
	return rtree_leaf_elm_bits_decode(lendi_page_bits(cache, object)).edata;
}

/* Give up to FLUSH_CHUNK small objects of a class back under one lock. */
static void free_small(
	struct lend_cache *cache, tsdn_t *tsdn, szind_t class, void **objects, uint32_t count)
{
	arena_t *je = ((struct lendi_heap *)cache->arena->heap)->je;
	bin_t *bin = arena_get_bin(je, class, 0);
	arena_dalloc_bin_locked_info_t info;
	edata_t *slabs[FLUSH_CHUNK];
	edata_t *emptied[FLUSH_CHUNK];
	uint32_t emptied_count = 0;
	uint32_t i;

	/* The look-ups miss the CPU's caches: make them before the lock is held. */
	for (i = 0; i < count; i++)
		slabs[i] = edata_of(cache, objects[i]);
	for (i = 0; i < count; i++)
		__builtin_prefetch(slabs[i], 1);

	malloc_mutex_lock(tsdn, &bin->lock);
	arena_dalloc_bin_locked_begin(&info, class);
	for (i = 0; i < count; i++)
		if (arena_dalloc_bin_locked_step(
			    tsdn, je, bin, &info, class, slabs[i], objects[i]))
			emptied[emptied_count++] = slabs[i];
	arena_dalloc_bin_locked_finish(tsdn, je, bin, &info);
	malloc_mutex_unlock(tsdn, &bin->lock);

	for (i = 0; i < emptied_count; i++)
		arena_slab_dalloc(tsdn, je, emptied[i]);
	arena_decay_ticks(tsdn, je, count);
}

/* Keep the newest objects of a bin, give the others back. */
static void flush_bin(struct lend_cache *cache, szind_t class, uint64_t keep)
{
	struct lendi_bin *bin = &cache->bins[class];
	tsdn_t *tsdn = tsd_tsdn(tsd_fetch());
	uint64_t left = lendi_bin_count(bin) - keep;
	void **objects = bin->empty - left;

	while (left) {
		uint32_t count = left < FLUSH_CHUNK ? (uint32_t)left : FLUSH_CHUNK;

		if (class < SC_NBINS) {
			free_small(cache, tsdn, class, objects, count);
		} else {
			uint32_t i;

			for (i = 0; i < count; i++)
				large_dalloc(tsdn, edata_of(cache, objects[i]));
		}
		objects += count;
		left -= count;
	}
	memmove(bin->empty - keep, bin->head, keep * sizeof(void *));
	__atomic_store_n(&bin->head, bin->empty - keep, __ATOMIC_RELAXED);
	if (bin->low_water < bin->head)
		bin->low_water = bin->head;
}

/*
 * Look at one bin in turn. Objects below the low-water mark were not wanted since the last look:
 * three in four go back, and refills become smaller.
 */
static void look_at_next(struct lend_cache *cache)
{
	szind_t class = cache->next_look++ % LENDI_CACHED_CLASSES;
	struct lendi_bin *bin = &cache->bins[class];
	uint64_t idle = (uint64_t)(bin->empty - bin->low_water);

	if (idle) {
		flush_bin(cache, class, lendi_bin_count(bin) - (idle - idle / 4));
		if (cache->fill[class] > FIRST_FILL)
			cache->fill[class] = (uint16_t)(cache->fill[class] / 2);
	}
	bin->low_water = bin->head;
}

static void count_event(struct lend_cache *cache)
{
	if (++cache->events % LOOK_EVENTS == 0)
		look_at_next(cache);
}

void *lendi_cache_refill(struct lend_cache *cache, szind_t class)
{
	struct lendi_heap *heap = cache->arena->heap;
	struct lendi_bin *bin = &cache->bins[class];
	const uint64_t slots = (uint64_t)(bin->empty - bin->full);
	tsdn_t *tsdn = tsd_tsdn(tsd_fetch());
	void *object;
	cache_bin_info_t info = {.ncached_max = cache->fill[class]};
	/* jemalloc fills one of its own bins; this one's stack is the end of ours. */
	cache_bin_t filled = {
		.stack_head = bin->empty,
		.low_bits_low_water = (uint16_t)(uintptr_t)bin->empty,
		.low_bits_full = (uint16_t)(uintptr_t)(bin->empty - info.ncached_max),
		.low_bits_empty = (uint16_t)(uintptr_t)bin->empty,
	};

	if (!lendi_heap_has_metadata(tsdn, heap->je))
		return NULL;
	if (class >= SC_NBINS)
		return large_malloc(tsdn, heap->je, sz_index2size(class), false);

	arena_cache_bin_fill_small(tsdn, heap->je, &filled, &info, class, info.ncached_max);
	__atomic_store_n(&bin->head, filled.stack_head, __ATOMIC_RELAXED);
	bin->low_water = bin->head;
	/* Who comes back soon is given more. */
	if (cache->fill[class] * 2u <= slots / 2)
		cache->fill[class] = (uint16_t)(cache->fill[class] * 2);
	cache->refilled[class] = 1;
	/* Taken before the look at idle objects, which may give a short fill back whole. */
	if (!lendi_bin_take(bin, &object))
		return NULL;
	count_event(cache);
	return object;
}

void lendi_cache_make_room(struct lend_cache *cache, szind_t class)
{
	struct lendi_bin *bin = &cache->bins[class];
	uint32_t limit = (uint32_t)(bin->empty - bin->full);
	const uint32_t slots = cache->slots[class];

	if (cache->refilled[class] && limit < slots) {
		limit = limit < slots / LIMIT_GROWTH ? limit * LIMIT_GROWTH : slots;
		bin->full = bin->empty - limit;
	} else {
		flush_bin(cache, class, limit / 2);
	}
	cache->refilled[class] = 0;
	count_event(cache);
}

void lendi_cache_flush(struct lend_cache *cache)
{
	szind_t class;

	for (class = 0; class < LENDI_CACHED_CLASSES; class ++) {
		if (lendi_bin_count(&cache->bins[class]))
			flush_bin(cache, class, 0);
		cache->bins[class].low_water = cache->bins[class].head;
	}
}
