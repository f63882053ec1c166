/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc/cache.h"

#include <errno.h>

#include <lendheap/scope.h>

#include "alloc/shadow.h"
#include "base/error.h"

/* The arena of the thread's scope. */
static __thread struct lend_arena *scope __attribute__((tls_model("initial-exec")));

static uint64_t foreign_frees; /* without an arena to count them in */
static uint64_t forked_calls;

static void count(uint64_t *counter)
{
	/* Relaxed: a number, it orders nothing. */
	(void)__atomic_add_fetch(counter, 1, __ATOMIC_RELAXED);
}

uint64_t lend_foreign_free_count(void)
{
	return __atomic_load_n(&foreign_frees, __ATOMIC_RELAXED);
}

uint64_t lend_forked_call_count(void)
{
	return __atomic_load_n(&forked_calls, __ATOMIC_RELAXED);
}

/* May this process write the arena? A refusal of a forked child is counted here. */
static int check_owned(const struct lend_arena *arena)
{
	int err = lendi_arena_check_owned(arena);

	if (err == -EPERM && arena->role == LENDI_OWNED)
		count(&forked_calls);
	return err;
}

/* The arena of an explicit cache; the kernel has wiped the cache in a forked child. */
static struct lend_arena *arena_of_cache(const struct lend_cache *cache)
{
	if (!cache->arena && !cache->mapped_bytes) {
		count(&forked_calls);
		errno = -lendi_fail(
			-EPERM, "the cache is the parent's: a forked child reads only");
	} else if (!cache->arena) {
		errno = -lendi_fail(-ESTALE, "the arena of the cache was destroyed");
	}
	return cache->arena;
}

static arena_t *je_of(const struct lend_arena *arena)
{
	return ((struct lendi_heap *)arena->heap)->je;
}

/*
 * Allocation. The public functions are the fast path alone; all else is out of line.
 */

/* From jemalloc itself, past the cache. class is that of bytes at this alignment. */
static void *take_uncached(struct lend_arena *arena, size_t usable, size_t alignment, bool zero)
{
	tsdn_t *tsdn = tsd_tsdn(tsd_fetch());

	if (!lendi_heap_has_metadata(tsdn, je_of(arena)))
		return NULL;
	if (alignment <= CACHELINE || usable <= SC_SMALL_MAXCLASS)
		return arena_malloc_hard(
			tsdn, je_of(arena), usable, sz_size2index(usable), zero);
	return large_palloc(tsdn, je_of(arena), usable, alignment, zero);
}

static void *take_any(struct lend_arena *arena, struct lend_cache *cache, size_t usable,
	size_t alignment, bool zero)
{
	szind_t class = sz_size2index(usable);
	void *object = NULL;

	if (!cache || class >= LENDI_CACHED_CLASSES || alignment > PAGE)
		return take_uncached(arena, usable, alignment, zero);
	if (!lendi_bin_take(&cache->bins[class], &object))
		object = lendi_cache_refill(cache, class);
	if (object && zero)
		memset(object, 0, usable);
	return object;
}

/* What is cached here and dirty anywhere goes back to the quota: then there may be room. */
static void reclaim(struct lend_arena *arena, struct lend_cache *cache)
{
	struct lend_cache *own = lendi_thread->at[arena->slot];

	if (cache)
		lendi_cache_flush(cache);
	if (own && own != cache)
		lendi_cache_flush(own); /* the thread's, beside a handle in its hand */
	lendi_heap_purge(tsd_tsdn(tsd_fetch()), je_of(arena));
}

static void *fail_alloc(int err)
{
	errno = -err;
	return NULL;
}

/* The class size of a request, or why it is hopeless: then nothing is flushed for it. */
static int plan_request(
	const struct lend_arena *arena, size_t bytes, size_t alignment, size_t *out_usable)
{
	size_t usable;

	if (alignment == 0 || (alignment & (alignment - 1)) || alignment > (size_t)1 << 30)
		return lendi_fail(-EINVAL, "alignment %zu, powers of two to 1 GiB are possible",
			alignment);
	usable = bytes > SC_LARGE_MAXCLASS ? 0 : sz_sa2u(bytes ? bytes : 1, alignment);
	if (usable == 0 || usable > arena->heap_bytes)
		return lendi_fail(-ENOMEM, "%zu bytes of arena \"%s\", which has %llu", bytes,
			arena->name, (unsigned long long)arena->heap_bytes);
	if (usable > arena->quota_bytes)
		return lendi_fail(-EDQUOT, "%zu bytes of arena \"%s\", whose quota is %llu",
			bytes, arena->name, (unsigned long long)arena->quota_bytes);
	*out_usable = usable;
	return 0;
}

static void *fail_exhausted(const struct lend_arena *arena, size_t usable)
{
	if (lendi_hook_error == -EDQUOT || lendi_hook_error == -EPERM)
		return fail_alloc(lendi_hook_error); /* the hook left the sentence */
	if (!lendi_hook_error)
		(void)lendi_fail(-ENOMEM,
			"arena \"%s\" has no %zu bytes in one piece of its %llu", arena->name,
			usable, (unsigned long long)arena->heap_bytes);
	return fail_alloc(-ENOMEM);
}

static LEND_NOINLINE void *alloc_slow(struct lend_arena *arena, struct lend_cache *cache,
	size_t bytes, size_t alignment, bool zero)
{
	size_t usable = 0;
	void *object;
	int err;

	err = check_owned(arena);
	if (!err)
		err = plan_request(arena, bytes, alignment, &usable);
	if (err)
		return fail_alloc(err);
	if (!cache)
		cache = lendi_cache_get(arena);

	lendi_hook_error = 0;
	object = take_any(arena, cache, usable, alignment, zero);
	if (!object) {
		reclaim(arena, cache);
		lendi_hook_error = 0;
		object = take_any(arena, cache, usable, alignment, zero);
	}
	if (!object)
		return fail_exhausted(arena, usable);
	lendi_shadow_born(arena->heap, object);
	return object;
}

/*
 * 4 to 64 KiB, whose class takes some computing. That the cache has an object proves all that
 * alloc_slow() asks: owner, process image, arena.
 */
static LEND_NOINLINE void *alloc_middle(
	struct lend_arena *arena, struct lend_cache *cache, size_t bytes, bool zero)
{
	void *object = NULL;
	szind_t class;

	if (!cache || bytes - 1 >= LENDI_CACHED_BYTES)
		return alloc_slow(arena, cache, bytes, 1, zero);
	class = sz_size2index(bytes);
	if (!lendi_bin_take(&cache->bins[class], &object))
		return alloc_slow(arena, cache, bytes, 1, zero);
	lendi_shadow_born(arena->heap, object);
	return zero ? memset(object, 0, sz_index2size(class)) : object;
}

/* True when the cache had an object. */
LEND_ALWAYS_INLINE bool alloc_fast(struct lend_cache *cache, size_t bytes, void **out_object)
{
	if (LEND_UNLIKELY(
		    !cache || bytes > SC_LOOKUP_MAXCLASS ||
		    !lendi_bin_take(&cache->bins[sz_size2index_lookup(bytes)], out_object)))
		return false;
#ifdef LEND_CHECKS
	lendi_shadow_born(cache->arena->heap, *out_object);
#endif
	return true;
}

void *lend_alloc(struct lend_arena *arena, size_t bytes)
{
	struct lend_cache *cache = arena ? lendi_thread->at[arena->slot] : NULL;
	void *object = NULL;

	if (LEND_LIKELY(alloc_fast(cache, bytes, &object)))
		return object;
	return alloc_middle(arena, cache, bytes, false);
}

void *lend_alloc_zeroed(struct lend_arena *arena, size_t bytes)
{
	struct lend_cache *cache = arena ? lendi_thread->at[arena->slot] : NULL;
	void *object = NULL;

	if (LEND_LIKELY(alloc_fast(cache, bytes, &object)))
		return memset(object, 0, bytes);
	return alloc_middle(arena, cache, bytes, true);
}

void *lend_alloc_aligned(struct lend_arena *arena, size_t bytes, size_t alignment)
{
	struct lend_cache *cache = arena ? lendi_thread->at[arena->slot] : NULL;
	void *object = NULL;

	/* Small classes lie at multiples of the largest power of two that divides them. */
	if (LEND_LIKELY(bytes <= SC_LOOKUP_MAXCLASS && alignment && alignment <= PAGE &&
			(alignment & (alignment - 1)) == 0 &&
			alloc_fast(cache, sz_sa2u(bytes ? bytes : 1, alignment), &object)))
		return object;
	return alloc_slow(arena, cache, bytes, alignment, false);
}

/* Does an object of this many bytes lie at such a multiple in any case? */
LEND_ALWAYS_INLINE bool is_aligned_anyway(size_t bytes, size_t alignment)
{
	return LEND_LIKELY(alignment - 1 < 8 || (alignment == 16 && bytes > 8)) &&
	       (alignment & (alignment - 1)) == 0;
}

void *lend_scope_alloc(size_t bytes, size_t alignment)
{
	if (LEND_UNLIKELY(!scope))
		return fail_alloc(lendi_fail(-EINVAL,
			"%zu bytes asked for outside of any scope, so of no arena", bytes));
	if (is_aligned_anyway(bytes, alignment))
		return lend_alloc(scope, bytes);
	return lend_alloc_aligned(scope, bytes, alignment);
}

struct lend_arena *lend_scope_enter(struct lend_arena *arena)
{
	struct lend_arena *outer = scope;

	scope = arena;
	return outer;
}

void lend_scope_leave(struct lend_arena *outer)
{
	scope = outer;
}

struct lend_arena *lend_scope_arena(void)
{
	return scope;
}

size_t lend_alloc_batch(struct lend_arena *arena, size_t bytes, void **objects, size_t count)
{
	size_t made;

	for (made = 0; made < count; made++) {
		void *object = lend_alloc(arena, bytes);

		if (!object)
			break;
		objects[made] = object;
	}
	return made;
}

void *lend_cache_alloc(struct lend_cache *cache, size_t bytes)
{
	void *object = NULL;

	if (LEND_LIKELY(alloc_fast(cache, bytes, &object)))
		return object;
	if (!arena_of_cache(cache))
		return NULL;
	return alloc_middle(cache->arena, cache, bytes, false);
}

/*
 * Free.
 */

/* A pointer that is no object of this arena: counted, and nothing else. */
static void refuse_free(struct lend_arena *arena, const void *object, const char *what)
{
	count(arena ? &arena->foreign_frees.raw : &foreign_frees);
	lendi_misuse(
		"free of %p, which is %s arena \"%s\"", object, what, arena ? arena->name : "");
}

static bool may_free(struct lend_arena *arena, const void *object)
{
	int err = arena ? check_owned(arena) : -EINVAL;

	if (err == 0 && lendi_arena_holds(arena, object))
		return true;
	if (err == 0)
		refuse_free(arena, object, "not in");
	else if (err != -EPERM)
		refuse_free(NULL, object, "not in");
	else if (arena->role == LENDI_BORROWED)
		refuse_free(arena, object, "borrowed with");
	/* A forked child was counted by check_owned(); it may well run its parent's destructors. */
	return false;
}

/*
 * Does an object begin at this address, as far as the page map knows? One that lies free in a
 * cache or a slab does too. jemalloc leaves class and slab mark of an extent behind when it takes
 * the extent back, so its state has to be asked.
 */
static bool begins_object(rtree_contents_t page, const void *object)
{
	const szind_t class = page.metadata.szind;
	size_t offset;

	if (!page.edata || class >= SC_NSIZES || page.metadata.state != extent_state_active)
		return false;
	offset = (uintptr_t)object - (uintptr_t)edata_addr_get(page.edata);
	if (!page.metadata.slab)
		return offset == 0;
	/* The quotient by jemalloc's multiplication is exact for multiples, and only there. */
	return div_compute(&arena_binind_div_info[class], offset) * bin_infos[class].reg_size ==
	       offset;
}

static void free_small(struct lend_cache *cache, szind_t class, void *object)
{
	if (!cache) {
		arena_dalloc_small(tsd_tsdn(tsd_fetch()), object);
		return;
	}
	if (!lendi_bin_put(&cache->bins[class], object)) {
		lendi_cache_make_room(cache, class);
		(void)lendi_bin_put(&cache->bins[class], object);
	}
}

static LEND_NOINLINE void free_slow(
	struct lend_arena *arena, struct lend_cache *cache, void *object)
{
	rtree_contents_t page;
	szind_t class;

	if (!object || !may_free(arena, object))
		return;
	if (!cache)
		cache = lendi_cache_get(arena);

	page = lendi_page_of(arena, object);
	class = page.metadata.szind;
	if (!begins_object(page, object)) {
		refuse_free(arena, object, "free already, or no object of");
		return;
	}
	if (!lendi_shadow_died(arena->heap, object)) {
		refuse_free(arena, object, "free already, or inside an object of");
		return;
	}
	if (page.metadata.slab || (cache && class < LENDI_CACHED_CLASSES))
		free_small(cache, class, object);
	else
		large_dalloc(tsd_tsdn(tsd_fetch()), page.edata);
}

/* True when the object went into the cache. */
LEND_ALWAYS_INLINE bool free_fast(struct lend_cache *cache, void *object)
{
	uintptr_t bits;

	if (LEND_UNLIKELY(!cache || (uintptr_t)object - cache->heap_base >= cache->heap_bytes))
		return false;
	bits = lendi_page_bits(cache, object);
	/* A page of a slab in use: the mark is left behind when the slab is given up. */
	if (LEND_UNLIKELY((bits & (1 | RTREE_LEAF_STATE_MASK)) != 1))
		return false;
#ifdef LEND_CHECKS
	return false; /* the slow path checks */
#else
	return lendi_bin_put(&cache->bins[bits >> LG_VADDR], object);
#endif
}

LEND_ALWAYS_INLINE bool free_sized_fast(struct lend_cache *cache, void *object, size_t bytes)
{
	if (LEND_UNLIKELY(!cache || bytes > SC_LOOKUP_MAXCLASS ||
			  (uintptr_t)object - cache->heap_base >= cache->heap_bytes))
		return false;
#ifdef LEND_CHECKS
	return false;
#else
	return lendi_bin_put(&cache->bins[sz_size2index_lookup(bytes)], object);
#endif
}

/* In checked builds: was the object asked for with this size and alignment? */
static bool size_is_right(
	struct lend_arena *arena, const void *object, size_t bytes, size_t alignment)
{
#ifdef LEND_CHECKS
	size_t usable = sz_sa2u(bytes ? bytes : 1, alignment);
	size_t has = lend_usable_bytes(arena, object);

	if (has && has != usable) {
		count(&arena->foreign_frees.raw);
		lendi_misuse("free of %p as %zu bytes aligned to %zu: it has %zu", object,
			bytes, alignment, has);
		return false;
	}
#else
	(void)arena, (void)object, (void)bytes, (void)alignment;
#endif
	return true;
}

void lend_free(struct lend_arena *arena, void *object)
{
	struct lend_cache *cache = arena ? lendi_thread->at[arena->slot] : NULL;

	if (LEND_UNLIKELY(!free_fast(cache, object)))
		free_slow(arena, cache, object);
}

void lend_free_sized(struct lend_arena *arena, void *object, size_t bytes)
{
	struct lend_cache *cache = arena ? lendi_thread->at[arena->slot] : NULL;

	if (LEND_LIKELY(free_sized_fast(cache, object, bytes)) || free_fast(cache, object))
		return;
	if (size_is_right(arena, object, bytes, 1))
		free_slow(arena, cache, object);
}

void lend_free_sized_aligned(
	struct lend_arena *arena, void *object, size_t bytes, size_t alignment)
{
	struct lend_cache *cache = arena ? lendi_thread->at[arena->slot] : NULL;
	size_t usable =
		bytes > SC_LOOKUP_MAXCLASS ? bytes : sz_sa2u(bytes ? bytes : 1, alignment);

	if (LEND_LIKELY(alignment <= PAGE && free_sized_fast(cache, object, usable)) ||
		free_fast(cache, object))
		return;
	if (size_is_right(arena, object, bytes, alignment))
		free_slow(arena, cache, object);
}

void lend_free_any(void *object, size_t bytes, size_t alignment)
{
	struct lend_arena *arena;

	/* Most often it lies in the scope's arena, and its cache tells. */
	if (LEND_LIKELY(scope && is_aligned_anyway(bytes, alignment)) &&
		free_sized_fast(lendi_thread->at[scope->slot], object, bytes))
		return;
	arena = lend_arena_of(object);
	if (is_aligned_anyway(bytes, alignment))
		lend_free_sized(arena, object, bytes);
	else
		lend_free_sized_aligned(arena, object, bytes, alignment);
}

void lend_free_batch(struct lend_arena *arena, void *const *objects, size_t count_of)
{
	size_t i;

	for (i = 0; i < count_of; i++)
		lend_free(arena, objects[i]);
}

void lend_cache_free(struct lend_cache *cache, void *object)
{
	if (LEND_UNLIKELY(!free_fast(cache, object)) && object && arena_of_cache(cache))
		free_slow(cache->arena, cache, object);
}

void lend_cache_free_sized(struct lend_cache *cache, void *object, size_t bytes)
{
	if (LEND_LIKELY(free_sized_fast(cache, object, bytes)) || free_fast(cache, object))
		return;
	if (object && arena_of_cache(cache) && size_is_right(cache->arena, object, bytes, 1))
		free_slow(cache->arena, cache, object);
}

size_t lend_usable_bytes(const struct lend_arena *arena, const void *object)
{
	rtree_contents_t page;

	if (!object || lendi_arena_check_owned(arena) || !lendi_arena_holds(arena, object))
		return 0;
	page = lendi_page_of(arena, object);
	return begins_object(page, object) ? sz_index2size(page.metadata.szind) : 0;
}

/* A large object to another large size where it lies. */
static bool resize_in_place(struct lend_arena *arena, void *object, size_t usable)
{
	rtree_contents_t page = lendi_page_of(arena, object);
	tsdn_t *tsdn = tsd_tsdn(tsd_fetch());

	if (page.metadata.slab || usable < SC_LARGE_MINCLASS ||
		!lendi_heap_has_metadata(tsdn, je_of(arena)))
		return false;
	lendi_hook_error = 0;
	return !large_ralloc_no_move(tsdn, page.edata, usable, usable, /* zero */ false);
}

void *lend_realloc(struct lend_arena *arena, void *object, size_t bytes)
{
	size_t old;
	size_t usable;
	void *moved;
	int err;

	if (!object)
		return lend_alloc(arena, bytes);
	err = check_owned(arena);
	if (err)
		return fail_alloc(err);
	old = lend_usable_bytes(arena, object);
	if (!old)
		return fail_alloc(lendi_fail(-EINVAL,
			"realloc of %p, no object of arena \"%s\"", object, arena->name));
	if (!lendi_shadow_lives(arena->heap, object)) {
		refuse_free(arena, object, "free already, or inside an object of");
		return fail_alloc(-EINVAL);
	}
	usable = bytes > SC_LARGE_MAXCLASS ? 0 : sz_s2u(bytes ? bytes : 1);
	if (usable == old || (usable && resize_in_place(arena, object, usable)))
		return object;

	moved = lend_alloc(arena, bytes);
	if (!moved)
		return NULL;
	memcpy(moved, object, bytes < old ? bytes : old);
	lend_free(arena, object);
	return moved;
}

/*
 * Arenas and caches as the application makes and ends them.
 */
int lend_arena_create(const struct lend_arena_options *options, struct lend_arena **out_arena)
{
	static const struct lend_arena_options defaults;
	struct lend_arena *arena;
	int err;

	if (!out_arena)
		return lendi_fail(-EINVAL, "out_arena is NULL");
	err = lendi_arena_create(options ? options : &defaults, &arena);
	if (err)
		return err;
	err = lendi_heap_create(arena);
	if (err) {
		lendi_arena_destroy(arena);
		return err;
	}
	lendi_arena_publish(arena);
	*out_arena = arena;
	return 0;
}

int lend_arena_destroy(struct lend_arena *arena)
{
	int err = lendi_arena_check_owned(arena);

	if (err)
		return err;
	if (arena->before_destroy)
		arena->before_destroy(arena);
	lendi_heap_destroy(arena);
	lendi_arena_destroy(arena);
	return 0;
}

int lend_cache_open(struct lend_arena *arena, struct lend_cache **out_cache)
{
	struct lend_cache *cache;
	int err = check_owned(arena);

	if (err)
		return err;
	cache = lendi_cache_create(arena, NULL);
	if (!cache)
		return -ENOMEM; /* the mapping left the sentence */
	*out_cache = cache;
	return 0;
}

void lend_cache_close(struct lend_cache *cache)
{
	/* In a forked child it was wiped, and its memory is all there is to it. */
	if (cache && cache->mapped_bytes)
		lendi_cache_destroy(cache);
}

void lend_cache_flush(struct lend_cache *cache)
{
	if (cache && cache->arena)
		lendi_cache_flush(cache);
}

void lend_thread_flush(void)
{
	lendi_thread_flush();
}

int lend_arena_purge(struct lend_arena *arena)
{
	int err = check_owned(arena);

	if (!err)
		reclaim(arena, lendi_thread->at[arena->slot]);
	return err;
}
