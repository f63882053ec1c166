/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LENDHEAP_ALLOC_H
#define LENDHEAP_ALLOC_H

/*
 * Allocation in an arena.
 *
 *	struct node *n = lend_alloc(arena, sizeof *n);
 *	if (!n)
 *		return -errno;
 *	lend_free_sized(arena, n, sizeof *n);
 *
 * Speed. Each thread keeps a cache for each arena it allocates in; nearly every call is served
 * from it without a lock. Sized frees are the fastest. An explicit cache (lend_cache_open) saves
 * the look-up.
 * Threads. Any thread may allocate, and free what any other thread of the process allocated.
 * Processes. The owner only. A borrower or a forked child gets NULL and EPERM; its frees change
 * nothing and are counted (a forked child's do not abort in checked builds: it may well run its
 * parent's destructors). A child made by vfork(), or by clone(CLONE_VM | CLONE_VFORK), shares the
 * owner's memory while the owner waits, and is served as the owner.
 * Errors. Allocation returns NULL and sets errno (ENOMEM, EDQUOT, EPERM, EINVAL, ESTALE); the
 * sentence is in lend_error_detail(). Free is void: a pointer that is not this arena's changes
 * nothing and is counted (lend_arena_stats); builds with LENDHEAP_CHECKS abort there and also on
 * a double free, on a pointer into the middle of an object and on a wrong size.
 * Death. What a killed owner had allocated stays readable for its borrowers.
 */
#include <stddef.h>
#include <stdint.h>

#include <lendheap/arena.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Make an arena and own it. *out_arena is the caller's until lend_arena_destroy(). Any thread.
 * Returns 0; -EINVAL an option out of range, -EADDRINUSE no run of free slots, -ENOSYS the
 * machine is not one the library runs on, -ENOMEM, -EMFILE, or the error of the system call that
 * failed; then nothing is left behind.
 */
LEND_API int lend_arena_create(
	const struct lend_arena_options *options, struct lend_arena **out_arena);

/*
 * Destroy an arena that this process owns: unmap it, return its memory and its slots. Borrowers
 * keep what they have mapped. No other thread may be inside a call on it; threads that used it
 * need to do nothing, now or later. Returns 0; -EPERM borrowed or forked child, -ESTALE.
 */
LEND_API int lend_arena_destroy(struct lend_arena *arena);

/* bytes of memory, aligned for any C type of that size (16 from 16 bytes on). 0 bytes is 1. */
LEND_API void *lend_alloc(struct lend_arena *arena, size_t bytes);

/* The same, filled with zero bytes. */
LEND_API void *lend_alloc_zeroed(struct lend_arena *arena, size_t bytes);

/* The same at a multiple of alignment, a power of two up to 1 GiB (else NULL, EINVAL). */
LEND_API void *lend_alloc_aligned(struct lend_arena *arena, size_t bytes, size_t alignment);

/*
 * Resize an object, in place where possible; its bytes up to the smaller size are kept. NULL
 * object allocates. On failure NULL, and the object is as it was. An object that moves keeps no
 * alignment beyond the usual. Self-relative pointers inside
 * do not survive a move; raw pointers to it do not either.
 */
LEND_API void *lend_realloc(struct lend_arena *arena, void *object, size_t bytes);

/* Give an object back. NULL is allowed. */
LEND_API void lend_free(struct lend_arena *arena, void *object);

/* The same, told the size it was asked for with: one look-up less. */
LEND_API void lend_free_sized(struct lend_arena *arena, void *object, size_t bytes);

/* The same for what lend_alloc_aligned() gave: size and alignment as they were asked for. */
LEND_API void lend_free_sized_aligned(
	struct lend_arena *arena, void *object, size_t bytes, size_t alignment);

/*
 * How many bytes the object really has, at least what was asked for. 0 for a pointer that is not
 * this arena's, and in a process that does not own it.
 */
LEND_API size_t lend_usable_bytes(const struct lend_arena *arena, const void *object);

/*
 * count objects of bytes each into objects[]. Returns how many were made; when fewer than count,
 * errno says why and the rest of objects[] is untouched.
 */
LEND_API size_t lend_alloc_batch(
	struct lend_arena *arena, size_t bytes, void **objects, size_t count);

/* Give count objects back, of any sizes. NULLs among them are allowed. */
LEND_API void lend_free_batch(struct lend_arena *arena, void *const *objects, size_t count);

/*
 * An explicit cache: the thread's cache of an arena in the caller's hand. One thread at a time
 * may use it. It answers as the plain functions do.
 */
struct lend_cache;

/* Open a cache on an arena; the caller's until lend_cache_close(). 0; -EPERM, -ESTALE, -ENOMEM. */
LEND_API int lend_cache_open(struct lend_arena *arena, struct lend_cache **out_cache);

/* Flush and free it; allowed after the arena was destroyed. NULL is allowed. */
LEND_API void lend_cache_close(struct lend_cache *cache);

LEND_API void *lend_cache_alloc(struct lend_cache *cache, size_t bytes);
LEND_API void lend_cache_free(struct lend_cache *cache, void *object);
LEND_API void lend_cache_free_sized(struct lend_cache *cache, void *object, size_t bytes);

/* Give all that an explicit cache holds back to its arena. */
LEND_API void lend_cache_flush(struct lend_cache *cache);

/*
 * Give all that the calling thread has cached, in every arena, back to the arenas: for a thread
 * that is about to be idle. Its next allocations fill the caches again.
 */
LEND_API void lend_thread_flush(void);

/*
 * Flush the calling thread's cache of this arena and return every page without a live object to
 * the system at once, rather than over the next seconds. 0; -EPERM, -ESTALE.
 */
LEND_API int lend_arena_purge(struct lend_arena *arena);

/* The counts of an arena. Taken while others allocate, they are each right at some moment. */
struct lend_arena_stats {
	size_t struct_bytes; /* sizeof(struct lend_arena_stats), set before the call; 0: 0.1's */
	uint64_t live_count;   /* objects in the application's hands */
	uint64_t live_bytes;   /* usable bytes of those */
	uint64_t cached_count; /* free objects in thread caches */
	uint64_t cached_bytes;
	uint64_t committed_bytes; /* data bytes taken into use: what the quota bounds */
	uint64_t quota_bytes;
	uint64_t reservation_bytes; /* data bytes there are addresses for */
	uint64_t
		data_resident_bytes; /* memory behind the data now, in this and every process */
	uint64_t books_resident_bytes; /* memory behind the owner's books now */
	uint64_t foreign_frees; /* frees of pointers that are not this arena's: all ignored */
};

/* 0; -EPERM not the owner, -ESTALE, -EINVAL struct_bytes. */
LEND_API int lend_arena_stats(struct lend_arena *arena, struct lend_arena_stats *out_stats);

/* Objects of one size class. */
struct lend_class_stats {
	uint64_t bytes; /* of one object */
	uint64_t live_count;
	uint64_t cached_count;
	uint64_t slab_count; /* slabs that hold them; 0 for classes above 14 KiB */
};

/*
 * Size class index of an arena, 0 is the smallest. 0; -ENOENT past the last, -EPERM, -ESTALE.
 */
LEND_API int lend_arena_class_stats(
	struct lend_arena *arena, uint32_t index, struct lend_class_stats *out_stats);

/*
 * Frees that named no arena at all (lend_free(NULL, p), as lend_free(lend_arena_of(p), p) becomes
 * for a pointer outside every arena): ignored, counted for the process.
 */
LEND_API uint64_t lend_foreign_free_count(void);

/* Allocations and frees this process was refused because it is a forked child of the owner. */
LEND_API uint64_t lend_forked_call_count(void);

#ifdef __cplusplus
}
#endif

#endif /* LENDHEAP_ALLOC_H */
