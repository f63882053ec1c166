/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The public functions of lendheap/alloc.h, from one thread. What a build with LENDHEAP_CHECKS
 * aborts on runs in a child there.
 */
#include <signal.h>

#include "support/heap.h"
#include "support/suite.h"
#include "support/tools.h"

#define KIB ((size_t)1 << 10)
#define MIB ((size_t)1 << 20)
#define GIB ((size_t)1 << 30)

static struct lend_arena *make(struct lend_arena_options options)
{
	struct lend_arena *arena = NULL;

	CU_ASSERT_EQUAL_FATAL(lend_arena_create(&options, &arena), 0);
	return arena;
}

static struct lend_arena *make_plain(void)
{
	return make((struct lend_arena_options){.name = "plain"});
}

static void end(struct lend_arena *arena)
{
	CU_ASSERT_EQUAL(lend_arena_destroy(arena), 0);
}

/* Did the last allocation fail with this errno, and say so in a sentence with this in it? */
static bool failed_with(const void *object, int err, const char *words)
{
	if (!object && errno == err && strstr(lend_error_detail(), words))
		return true;
	printf("\n  object %p, errno %d, \"%s\"\n", object, errno, lend_error_detail());
	return false;
}

/* Sizes on both sides of every class boundary that matters: small, cached large, large, huge. */
static size_t size_at(size_t index)
{
	static const size_t sizes[] = {0, 1, 7, 8, 9, 15, 16, 17, 31, 48, 63, 64, 65, 96, 127,
		128, 129, 255, 256, 1000, 1024, 4095, 4096, 4097, 5000, 8192, 14335, 14336,
		14337, 16384, 16385, 32 << 10, 65535, 65536, 65537, 100000, 1 << 20,
		(1 << 20) + 1, 5 << 20, 64 << 20, 1 << 30, SIZE_MAX};

	return sizes[index];
}

static void alloc_serves_every_size_and_aligns_it(void)
{
	struct lend_arena *arena = make_plain();
	size_t i;

	for (i = 0; size_at(i) != SIZE_MAX; i++) {
		size_t bytes = size_at(i);
		size_t filled = bytes < 2 * MIB ? bytes : 2 * MIB;
		char *object = lend_alloc(arena, bytes);

		CU_ASSERT_PTR_NOT_NULL_FATAL(object);
		CU_ASSERT_EQUAL((uintptr_t)object % (bytes >= 16 ? 16 : 8), 0);
		CU_ASSERT(lend_usable_bytes(arena, object) >= (bytes ? bytes : 1));
		CU_ASSERT_PTR_EQUAL(lend_arena_of(object), arena);
		CU_ASSERT_PTR_EQUAL(lend_arena_of(object + (bytes ? bytes - 1 : 0)), arena);
		heap_fill(object, filled, i);
		CU_ASSERT(heap_is_filled(object, filled, i));
		if (i % 2)
			lend_free(arena, object);
		else
			lend_free_sized(arena, object, bytes);
	}
	CU_ASSERT_EQUAL(heap_stats(arena).live_count, 0);
	CU_ASSERT_EQUAL(heap_stats(arena).foreign_frees, 0);
	end(arena);
}

static void alloc_aligned_serves_alignments_to_1_gib(void)
{
	static const size_t sizes[] = {
		0, 1, 96, 100, 2049, 4096, 4097, 14336, 16384, 65536, 1 << 20};
	struct lend_arena *arena = make_plain();
	size_t lg;
	size_t i;

	for (lg = 0; lg <= 30; lg++) {
		for (i = 0; i < HEAP_COUNT(sizes); i++) {
			size_t alignment = (size_t)1 << lg;
			void *object = lend_alloc_aligned(arena, sizes[i], alignment);

			CU_ASSERT_PTR_NOT_NULL_FATAL(object);
			CU_ASSERT_EQUAL((uintptr_t)object % alignment, 0);
			CU_ASSERT(lend_usable_bytes(arena, object) >= sizes[i]);
			heap_fill(object, sizes[i], lg);
			CU_ASSERT(heap_is_filled(object, sizes[i], lg));
			if (i % 2)
				lend_free_sized_aligned(arena, object, sizes[i], alignment);
			else
				lend_free(arena, object);
		}
	}
	CU_ASSERT_EQUAL(heap_stats(arena).live_count, 0);
	end(arena);
}

static void alloc_aligned_refuses_what_is_no_alignment(void)
{
	static const size_t alignments[] = {
		0, 3, 24, 48, 4095, 4097, (size_t)1 << 31, (size_t)1 << 63, SIZE_MAX};
	struct lend_arena *arena = make_plain();
	size_t i;

	for (i = 0; i < HEAP_COUNT(alignments); i++)
		CU_ASSERT(failed_with(
			lend_alloc_aligned(arena, 64, alignments[i]), EINVAL, "alignment"));
	CU_ASSERT_EQUAL(heap_stats(arena).live_count, 0);
	end(arena);
}

/* Dirty as much memory of a size as a few of it take, and give it back. */
static void dirty(struct lend_arena *arena, size_t bytes)
{
	void *objects[16];
	size_t i;

	for (i = 0; i < HEAP_COUNT(objects); i++) {
		objects[i] = lend_alloc(arena, bytes);
		CU_ASSERT_PTR_NOT_NULL_FATAL(objects[i]);
		memset(objects[i], 0xa5, lend_usable_bytes(arena, objects[i]));
	}
	for (i = 0; i < HEAP_COUNT(objects); i++)
		lend_free(arena, objects[i]);
}

static void alloc_zeroed_is_zero_over_dirty_memory(void)
{
	static const size_t sizes[] = {1, 8, 64, 1000, 4096, 5000, 14336, 20000, 65536, 70000,
		300000, 1 << 20, 3 << 20};
	struct lend_arena *arena = make_plain();
	void *objects[8];
	size_t turn;
	size_t i;
	size_t k;

	for (i = 0; i < HEAP_COUNT(sizes); i++) {
		/* Out of the cache, out of dirty extents, out of purged ones. */
		for (turn = 0; turn < 3; turn++) {
			dirty(arena, sizes[i]);
			if (turn == 1)
				lend_thread_flush();
			if (turn == 2)
				CU_ASSERT_EQUAL(lend_arena_purge(arena), 0);
			for (k = 0; k < HEAP_COUNT(objects); k++) {
				objects[k] = lend_alloc_zeroed(arena, sizes[i]);
				CU_ASSERT_PTR_NOT_NULL_FATAL(objects[k]);
				CU_ASSERT(heap_is_zero(objects[k], sizes[i]));
				memset(objects[k], 0x5a, sizes[i]);
			}
			for (k = 0; k < HEAP_COUNT(objects); k++)
				lend_free(arena, objects[k]);
		}
	}
	end(arena);
}

static void usable_bytes_is_0_for_what_is_no_object(void)
{
	struct lend_arena *arena = make_plain();
	struct lend_arena *other = make_plain();
	char *small = lend_alloc(arena, 100);
	char *large = lend_alloc(arena, 100000);
	char *elsewhere = lend_alloc(other, 100);
	int local = 0;

	CU_ASSERT_EQUAL(lend_usable_bytes(arena, small), 112);
	CU_ASSERT(lend_usable_bytes(arena, large) >= 100000);
	CU_ASSERT_EQUAL(lend_usable_bytes(arena, small + 8), 0);
	CU_ASSERT_EQUAL(lend_usable_bytes(arena, large + 8), 0);
	CU_ASSERT_EQUAL(lend_usable_bytes(arena, large + 4096), 0);
	CU_ASSERT_EQUAL(
		lend_usable_bytes(arena, large + lend_usable_bytes(arena, large) - 4096), 0);
	CU_ASSERT_EQUAL(lend_usable_bytes(arena, large + (100 << 20)), 0);
	CU_ASSERT_EQUAL(lend_usable_bytes(arena, elsewhere), 0);
	CU_ASSERT_EQUAL(lend_usable_bytes(arena, &local), 0);
	CU_ASSERT_EQUAL(lend_usable_bytes(arena, NULL), 0);
	CU_ASSERT_EQUAL(lend_usable_bytes(NULL, small), 0);
	lend_free(arena, small);
	lend_free(arena, large);
	end(other);
	end(arena);
}

static void realloc_keeps_the_bytes_over_all_sizes(void)
{
	struct lend_arena *arena = make_plain();
	uint64_t random = 1;
	size_t bytes = 1;
	char *object = lend_realloc(arena, NULL, bytes);
	int i;

	CU_ASSERT_PTR_NOT_NULL_FATAL(object);
	heap_fill(object, bytes, 1);
	for (i = 0; i < 2000; i++) {
		static const size_t most[] = {64, 5000, 80000, 2 << 20};
		size_t wanted = heap_draw(&random) % most[i % 4] + 1;
		size_t kept = (wanted < bytes ? wanted : bytes) & ~(size_t)7;
		char *moved = lend_realloc(arena, object, wanted);

		CU_ASSERT_PTR_NOT_NULL_FATAL(moved);
		CU_ASSERT(heap_is_filled(moved, kept, 1));
		object = moved;
		bytes = wanted;
		heap_fill(object, bytes, 1);
		CU_ASSERT(lend_usable_bytes(arena, object) >= bytes);
	}
	CU_ASSERT_EQUAL(heap_stats(arena).live_count, 1);
	object = lend_realloc(arena, object, 0);
	CU_ASSERT_PTR_NOT_NULL(object);
	lend_free(arena, object);
	CU_ASSERT_EQUAL(heap_stats(arena).live_count, 0);
	end(arena);
}

static void realloc_resizes_large_objects_in_place(void)
{
	struct lend_arena *arena = make_plain();
	char *object = lend_alloc(arena, 8 * MIB);
	char *moved;

	CU_ASSERT_PTR_NOT_NULL_FATAL(object);
	moved = lend_realloc(arena, object, 2 * MIB);
	CU_ASSERT_PTR_EQUAL(moved, object);
	CU_ASSERT_EQUAL(lend_usable_bytes(arena, moved), 2 * MIB);
	moved = lend_realloc(arena, object, 8 * MIB);
	CU_ASSERT_PTR_EQUAL(moved, object);
	CU_ASSERT_EQUAL(lend_usable_bytes(arena, moved), 8 * MIB);
	moved = lend_realloc(arena, object, 8 * MIB - 1);
	CU_ASSERT_PTR_EQUAL(moved, object);
	lend_free(arena, object);
	end(arena);
}

static void realloc_that_fails_leaves_the_object(void)
{
	struct lend_arena *arena = make((struct lend_arena_options){
		.name = "tight", .reservation_bytes = 32 * MIB, .quota_bytes = 8 * MIB});
	static const size_t sizes[] = {100, 20000, 3 << 20};
	int local = 0;
	size_t i;

	for (i = 0; i < HEAP_COUNT(sizes); i++) {
		char *object = lend_alloc(arena, sizes[i]);

		CU_ASSERT_PTR_NOT_NULL_FATAL(object);
		heap_fill(object, sizes[i], i);
		CU_ASSERT(failed_with(lend_realloc(arena, object, 16 * MIB), EDQUOT, "quota"));
		CU_ASSERT(failed_with(lend_realloc(arena, object, SIZE_MAX), ENOMEM, "bytes"));
		CU_ASSERT(failed_with(lend_realloc(arena, object, 64 * MIB), ENOMEM, "bytes"));
		CU_ASSERT(heap_is_filled(object, sizes[i], i));
		CU_ASSERT(failed_with(lend_realloc(arena, object + 8, 4), EINVAL, "realloc"));
		CU_ASSERT(heap_is_filled(object, sizes[i], i));
		CU_ASSERT(lend_usable_bytes(arena, object) >= sizes[i]);
		lend_free(arena, object);
	}
	CU_ASSERT(failed_with(lend_realloc(arena, &local, 4), EINVAL, "realloc"));
	CU_ASSERT(failed_with(lend_realloc(NULL, &local, 4), EINVAL, "NULL"));
	CU_ASSERT(failed_with(lend_realloc(NULL, NULL, 4), EINVAL, "NULL"));
	CU_ASSERT_EQUAL(heap_stats(arena).live_count, 0);
	end(arena);
}

/* 96 bytes are a class of 96, and 96 aligned to 64 one of 128: the size alone would mislead. */
static void sized_free_of_aligned_objects_finds_the_right_class(void)
{
	static const size_t sizes[] = {1, 96, 100, 320, 1000, 2049, 4096, 5000, 10000, 60000};
	static const size_t alignments[] = {8, 32, 64, 128, 512, 2048, 4096, 8192, 65536};
	struct lend_arena *arena = make_plain();
	void *objects[64];
	size_t i;
	size_t k;
	size_t n;

	for (i = 0; i < HEAP_COUNT(sizes); i++) {
		for (k = 0; k < HEAP_COUNT(alignments); k++) {
			for (n = 0; n < HEAP_COUNT(objects); n++) {
				objects[n] = lend_alloc_aligned(arena, sizes[i], alignments[k]);
				CU_ASSERT_PTR_NOT_NULL_FATAL(objects[n]);
				heap_fill(objects[n], lend_usable_bytes(arena, objects[n]), n);
			}
			for (n = 0; n < HEAP_COUNT(objects); n++) {
				CU_ASSERT(heap_is_filled(
					objects[n], lend_usable_bytes(arena, objects[n]), n));
				lend_free_sized_aligned(
					arena, objects[n], sizes[i], alignments[k]);
			}
			/* Had one entered a larger class, two of that class would overlap now. */
			for (n = 0; n < HEAP_COUNT(objects); n++) {
				objects[n] = lend_alloc(arena, sizes[i]);
				CU_ASSERT_PTR_NOT_NULL_FATAL(objects[n]);
				CU_ASSERT(lend_usable_bytes(arena, objects[n]) >= sizes[i]);
				heap_fill(objects[n], lend_usable_bytes(arena, objects[n]), n);
			}
			for (n = 0; n < HEAP_COUNT(objects); n++) {
				CU_ASSERT(heap_is_filled(
					objects[n], lend_usable_bytes(arena, objects[n]), n));
				lend_free_sized(arena, objects[n], sizes[i]);
			}
		}
	}
	CU_ASSERT_EQUAL(heap_stats(arena).live_count, 0);
	end(arena);
}

static void batch_makes_all_or_says_how_many(void)
{
	struct lend_arena *arena = make((struct lend_arena_options){.quota_bytes = 4 * MIB});
	static void *objects[2000];
	char untouched;
	size_t made;
	size_t i;

	for (i = 0; i < HEAP_COUNT(objects); i++)
		objects[i] = &untouched;
	CU_ASSERT_EQUAL(lend_alloc_batch(arena, 100, objects, 0), 0);
	CU_ASSERT_EQUAL(lend_alloc_batch(arena, 100, objects, 1000), 1000);
	CU_ASSERT_PTR_EQUAL(objects[1000], &untouched);
	for (i = 0; i < 1000; i++)
		heap_fill(objects[i], 100, i);
	for (i = 0; i < 1000; i++)
		CU_ASSERT(heap_is_filled(objects[i], 100, i));
	objects[5] = NULL; /* one leaks until destroy, and NULLs are allowed */
	lend_free_batch(arena, objects, 1000);
	CU_ASSERT_EQUAL(heap_stats(arena).live_count, 1);

	for (i = 0; i < HEAP_COUNT(objects); i++)
		objects[i] = &untouched;
	errno = 0;
	made = lend_alloc_batch(arena, 10000, objects, HEAP_COUNT(objects));
	CU_ASSERT(made > 300 && made < 420);
	CU_ASSERT_EQUAL(errno, EDQUOT);
	CU_ASSERT_PTR_NOT_NULL(strstr(lend_error_detail(), "quota"));
	CU_ASSERT_PTR_EQUAL(objects[made], &untouched);
	CU_ASSERT_EQUAL(heap_stats(arena).live_count, made + 1);
	lend_free_batch(arena, objects, made);
	CU_ASSERT_EQUAL(heap_stats(arena).live_count, 1);
	errno = 0;
	CU_ASSERT_EQUAL(lend_alloc_batch(NULL, 8, objects, 3), 0);
	CU_ASSERT_EQUAL(errno, EINVAL);
	end(arena);
}

static void arena_of_names_the_arena_of_any_pointer(void)
{
	struct lend_arena *arenas[4];
	char *objects[4];
	void *of_heap = malloc(100);
	int local = 0;
	size_t i;

	for (i = 0; i < 4; i++) {
		/* The last one is a run of two slots, and the object lies in its second. */
		arenas[i] = make(
			(struct lend_arena_options){.reservation_bytes = i == 3 ? 6 * GIB : 0});
		objects[i] = lend_alloc(arenas[i], 5000);
		CU_ASSERT_PTR_NOT_NULL_FATAL(objects[i]);
	}
	for (i = 0; i < 4; i++)
		CU_ASSERT(lend_arena_of(objects[i] + 4999) == arenas[i] &&
			  lend_arena_owns(objects[i] + 4999));
	CU_ASSERT_PTR_EQUAL(lend_arena_of(objects[3] + 4 * GIB), arenas[3]);
	CU_ASSERT_PTR_NULL(lend_arena_of(NULL));
	CU_ASSERT_PTR_NULL(lend_arena_of(&local));
	CU_ASSERT_PTR_NULL(lend_arena_of(of_heap));
	CU_ASSERT_PTR_NULL(lend_arena_of((void *)(uintptr_t)-1));
	CU_ASSERT_PTR_NULL(lend_arena_of((void *)(uintptr_t)-4096));
	CU_ASSERT(!lend_arena_owns(NULL) && !lend_arena_owns(&local) &&
		  !lend_arena_owns((void *)(uintptr_t)-1));
	for (i = 0; i < 4; i++) {
		lend_free(lend_arena_of(objects[i]), objects[i]);
		CU_ASSERT_EQUAL(heap_stats(arenas[i]).live_count, 0);
		end(arenas[i]);
		CU_ASSERT(!lend_arena_of(objects[i]) && !lend_arena_owns(objects[i]));
	}
	free(of_heap);
}

static void run_of_two_slots_serves_a_piece_over_the_slot_boundary(void)
{
	struct lend_arena *arena =
		make((struct lend_arena_options){.reservation_bytes = 7 * GIB});
	char *object = lend_alloc(arena, 5 * GIB);
	char *small;

	CU_ASSERT_PTR_NOT_NULL_FATAL(object);
	memset(object + 4 * GIB - 5 * MIB, 1, 10 * MIB);
	CU_ASSERT_EQUAL(lend_usable_bytes(arena, object), 5 * GIB);
	CU_ASSERT(failed_with(lend_alloc(arena, 3 * GIB), ENOMEM, "one piece"));
	small = lend_alloc(arena, 100);
	CU_ASSERT_PTR_NOT_NULL(small);
	lend_free(arena, object);
	object = lend_alloc_zeroed(arena, 6 * GIB / 100);
	CU_ASSERT(heap_is_zero(object, 6 * GIB / 100));
	lend_free(arena, object);
	lend_free(arena, small);
	CU_ASSERT_EQUAL(lend_arena_purge(arena), 0);
	CU_ASSERT_EQUAL(heap_stats(arena).committed_bytes, 0);
	end(arena);
}

static void cache_handle_answers_as_the_plain_functions(void)
{
	struct lend_arena *arena = make((struct lend_arena_options){.quota_bytes = 64 * MIB});
	struct lend_cache *cache = NULL;
	void *plain;
	size_t i;

	CU_ASSERT_EQUAL_FATAL(lend_cache_open(arena, &cache), 0);
	for (i = 0; size_at(i) < 32 * MIB; i++) {
		void *object = lend_cache_alloc(cache, size_at(i));

		CU_ASSERT_PTR_NOT_NULL_FATAL(object);
		CU_ASSERT(lend_usable_bytes(arena, object) >= size_at(i));
		heap_fill(object, size_at(i), i);
		if (i % 3 == 0)
			lend_cache_free(cache, object);
		else if (i % 3 == 1)
			lend_cache_free_sized(cache, object, size_at(i));
		else
			lend_free(arena, object); /* the thread's own cache takes it */
	}
	plain = lend_alloc(arena, 64);
	lend_cache_free_sized(cache, plain, 64);
	CU_ASSERT_EQUAL(heap_stats(arena).live_count, 0);
	CU_ASSERT(heap_stats(arena).cached_count > 0);

	CU_ASSERT(failed_with(lend_cache_alloc(cache, SIZE_MAX), ENOMEM, "bytes"));
	CU_ASSERT(failed_with(lend_cache_alloc(cache, 80 * MIB), EDQUOT, "quota"));
	lend_cache_free(cache, NULL);
	lend_cache_free_sized(cache, NULL, 10);
	CU_ASSERT_EQUAL(heap_stats(arena).foreign_frees, 0);

	lend_cache_flush(cache);
	lend_thread_flush();
	CU_ASSERT_EQUAL(heap_stats(arena).cached_count, 0);
	plain = lend_cache_alloc(cache, 64);
	CU_ASSERT_PTR_NOT_NULL(plain);
	lend_cache_close(cache); /* gives what it holds back */
	CU_ASSERT_EQUAL(heap_stats(arena).cached_count, 0);
	CU_ASSERT_EQUAL(heap_stats(arena).live_count, 1);
	lend_free(arena, plain);
	lend_cache_close(NULL);
	lend_cache_flush(NULL);
	end(arena);
}

/* What the thread's own cache holds is no reason to refuse a handle of the same thread. */
static void cache_handle_gets_what_its_thread_has_freed(void)
{
	struct lend_arena *arena = make((struct lend_arena_options){.quota_bytes = MIB});
	struct lend_cache *cache = NULL;
	void *objects[64];
	size_t bytes;
	size_t count;

	CU_ASSERT_EQUAL_FATAL(lend_cache_open(arena, &cache), 0);
	for (bytes = 64 * KIB; bytes >= 16 * KIB; bytes -= 8 * KIB) {
		count = lend_alloc_batch(arena, bytes, objects, HEAP_COUNT(objects));
		lend_free_batch(arena, objects, count);
	}
	CU_ASSERT(heap_stats(arena).cached_bytes > 0);
	objects[0] = lend_cache_alloc(cache, MIB);
	CU_ASSERT_PTR_NOT_NULL(objects[0]);
	lend_cache_free(cache, objects[0]);
	lend_cache_close(cache);
	end(arena);
}

static void cache_handle_outlives_its_arena(void)
{
	struct lend_arena *arena = make_plain();
	struct lend_cache *cache = NULL;
	void *object;

	CU_ASSERT_EQUAL_FATAL(lend_cache_open(arena, &cache), 0);
	object = lend_cache_alloc(cache, 64);
	CU_ASSERT_PTR_NOT_NULL(object);
	lend_cache_free(cache, object);
	end(arena);
	CU_ASSERT(failed_with(lend_cache_alloc(cache, 64), ESTALE, "destroyed"));
	CU_ASSERT(failed_with(lend_cache_alloc(cache, 100000), ESTALE, "destroyed"));
	lend_cache_free(cache, object);
	lend_cache_free_sized(cache, object, 64);
	lend_cache_flush(cache);
	lend_cache_close(cache);
}

static void sizes_beyond_quota_reservation_and_reason_are_refused(void)
{
	static const size_t sizes[] = {SIZE_MAX, SIZE_MAX - 4095, SIZE_MAX / 2,
		SIZE_MAX / 2 + 1, (size_t)1 << 62, (size_t)7 << 60, (size_t)1 << 47,
		(size_t)64 << 30};
	struct lend_arena *arena = make((struct lend_arena_options){
		.name = "narrow", .reservation_bytes = 64 * MIB, .quota_bytes = 32 * MIB});
	size_t i;

	for (i = 0; i < HEAP_COUNT(sizes); i++) {
		CU_ASSERT(failed_with(lend_alloc(arena, sizes[i]), ENOMEM, "bytes"));
		CU_ASSERT(failed_with(lend_alloc_zeroed(arena, sizes[i]), ENOMEM, "bytes"));
		CU_ASSERT(failed_with(
			lend_alloc_aligned(arena, sizes[i], 1 << 30), ENOMEM, "bytes"));
		CU_ASSERT(
			failed_with(lend_alloc_aligned(arena, sizes[i], 64), ENOMEM, "bytes"));
	}
	CU_ASSERT(failed_with(lend_alloc(arena, 40 * MIB), EDQUOT, "\"narrow\""));
	CU_ASSERT(failed_with(lend_alloc(arena, 100 * MIB), ENOMEM, "\"narrow\""));
	CU_ASSERT(failed_with(lend_alloc(NULL, 8), EINVAL, "NULL"));
	CU_ASSERT(failed_with(lend_alloc_zeroed(NULL, 8), EINVAL, "NULL"));
	CU_ASSERT(failed_with(lend_alloc_aligned(NULL, 8, 8), EINVAL, "NULL"));
	CU_ASSERT_EQUAL(heap_stats(arena).live_count, 0);
	CU_ASSERT_EQUAL(heap_stats(arena).committed_bytes, 0);
	end(arena);
}

static void reservation_used_up_is_enomem_with_a_sentence(void)
{
	struct lend_arena *arena =
		make((struct lend_arena_options){.reservation_bytes = 8 * MIB});
	static void *objects[512];
	size_t count = 0;
	void *object;

	while (count < HEAP_COUNT(objects) && (object = lend_alloc(arena, 64 * KIB)))
		objects[count++] = object;
	CU_ASSERT_EQUAL(count, 128);
	CU_ASSERT(failed_with(lend_alloc(arena, 64 * KIB), ENOMEM, "one piece"));
	CU_ASSERT(failed_with(lend_alloc(arena, 8), ENOMEM, "one piece"));
	lend_free(arena, objects[--count]);
	object = lend_alloc(arena, 8);
	CU_ASSERT_PTR_NOT_NULL(object);
	lend_free(arena, object);
	lend_free_batch(arena, objects, count);
	end(arena);
}

static void destroyed_arena_is_estale_everywhere(void)
{
	struct lend_arena *arena = make_plain();
	struct lend_arena_stats stats = {.struct_bytes = sizeof(stats)};
	struct lend_class_stats of_class;
	struct lend_cache *cache = NULL;
	struct lend_arena *later;
	void *object = lend_alloc(arena, 64);

	lend_free(arena, object);
	end(arena);
	later = make_plain(); /* the handle of the dead one is not this one's */
	CU_ASSERT(failed_with(lend_alloc(arena, 64), ESTALE, "destroyed"));
	CU_ASSERT(failed_with(lend_alloc_zeroed(arena, 64), ESTALE, "destroyed"));
	CU_ASSERT(failed_with(lend_alloc_aligned(arena, 64, 64), ESTALE, "destroyed"));
	CU_ASSERT(failed_with(lend_realloc(arena, object, 64), ESTALE, "destroyed"));
	CU_ASSERT(failed_with(lend_realloc(arena, NULL, 64), ESTALE, "destroyed"));
	CU_ASSERT_EQUAL(lend_usable_bytes(arena, object), 0);
	CU_ASSERT_EQUAL(lend_arena_purge(arena), -ESTALE);
	CU_ASSERT_EQUAL(lend_arena_stats(arena, &stats), -ESTALE);
	CU_ASSERT_EQUAL(lend_arena_class_stats(arena, 0, &of_class), -ESTALE);
	CU_ASSERT_EQUAL(lend_cache_open(arena, &cache), -ESTALE);
	CU_ASSERT_PTR_NULL(cache);
	CU_ASSERT_EQUAL(lend_arena_destroy(arena), -ESTALE);
	CU_ASSERT_EQUAL(heap_stats(later).live_count, 0);
	end(later);
}

static void create_refuses_options_that_make_no_arena(void)
{
	struct lend_arena *arena = NULL;

	CU_ASSERT_EQUAL(lend_arena_create(NULL, NULL), -EINVAL);
	CU_ASSERT_EQUAL(
		lend_arena_create(&(struct lend_arena_options){.cache = 2}, &arena), -EINVAL);
	CU_ASSERT_EQUAL(
		lend_arena_create(&(struct lend_arena_options){.commit = 2}, &arena), -EINVAL);
	CU_ASSERT_PTR_NULL(arena);
	CU_ASSERT_EQUAL(lend_arena_create(NULL, &arena), 0);
	CU_ASSERT_PTR_NOT_NULL(lend_alloc(arena, 1));
	end(arena);
}

/* Fill an arena with objects of a size until it refuses; they are linked through their first word. */
static size_t fill_up(struct lend_arena *arena, size_t bytes, void **chain)
{
	size_t count = 0;
	void **object;

	while ((object = lend_alloc(arena, bytes))) {
		*object = *chain;
		*chain = object;
		if (++count % 64 == 0 || bytes > 64 * KIB)
			CU_ASSERT(heap_stats(arena).committed_bytes <=
				  heap_stats(arena).quota_bytes);
	}
	return count;
}

static void free_chain(struct lend_arena *arena, void **chain)
{
	while (*chain) {
		void *object = *chain;

		*chain = *(void **)object;
		lend_free(arena, object);
	}
}

static void quota_is_exact_and_all_of_it_comes_back(void)
{
	static const size_t sizes[] = {16, 64, 1000, 5000, 14336, 40000, 65536, 200000};
	const size_t quota = (under_valgrind() ? 2 : 12) * MIB;
	size_t turn;
	size_t i;

	for (turn = 0; turn < 4; turn++) {
		struct lend_arena *arena = make((struct lend_arena_options){
			.quota_bytes = quota,
			.cache = turn & 1 ? LEND_CACHE_LEAN : LEND_CACHE_FAST,
			.commit = turn & 2 ? LEND_COMMIT_UP_FRONT : LEND_COMMIT_ON_TOUCH});
		struct lend_arena_stats stats;

		for (i = 0; i < HEAP_COUNT(sizes); i++) {
			void *chain = NULL;
			void *whole;
			size_t count = fill_up(arena, sizes[i], &chain);

			CU_ASSERT_EQUAL(errno, EDQUOT);
			CU_ASSERT_PTR_NOT_NULL(strstr(lend_error_detail(), "quota"));
			stats = heap_stats(arena);
			CU_ASSERT_EQUAL(stats.live_count, count);
			CU_ASSERT_EQUAL(stats.cached_count, 0);
			CU_ASSERT(stats.live_bytes >= quota * 95 / 100);
			CU_ASSERT(stats.committed_bytes <= quota);
			CU_ASSERT(stats.live_bytes <= stats.committed_bytes);

			free_chain(arena, &chain);
			CU_ASSERT_EQUAL(heap_stats(arena).live_count, 0);
			/* Also without a purge asked for: the failing path makes room itself. */
			whole = lend_alloc(arena, quota);
			CU_ASSERT_PTR_NOT_NULL(whole);
			CU_ASSERT_EQUAL(heap_stats(arena).committed_bytes, quota);
			lend_free(arena, whole);
			CU_ASSERT_EQUAL(lend_arena_purge(arena), 0);
			stats = heap_stats(arena);
			CU_ASSERT_EQUAL(stats.committed_bytes, 0);
			CU_ASSERT_EQUAL(stats.cached_count, 0);
			CU_ASSERT(stats.data_resident_bytes <= MIB);
		}
		end(arena);
	}
}

static void tiny_quotas_are_refused_not_exceeded(void)
{
	static const size_t quotas[] = {1, 4095, 4096, 8192, 16384, 65536};
	size_t i;

	for (i = 0; i < HEAP_COUNT(quotas); i++) {
		struct lend_arena *arena =
			make((struct lend_arena_options){.quota_bytes = quotas[i]});
		void *chain = NULL;
		size_t count = fill_up(arena, 16, &chain);

		CU_ASSERT_EQUAL(errno, EDQUOT);
		CU_ASSERT(count * 16 <= quotas[i]);
		CU_ASSERT(count > 0 || quotas[i] < 4096);
		CU_ASSERT(heap_stats(arena).committed_bytes <= quotas[i]);
		free_chain(arena, &chain);
		end(arena);
	}
}

static void check_class_sums(struct lend_arena *arena)
{
	struct lend_arena_stats stats = heap_stats(arena);
	struct lend_class_stats of;
	uint64_t live_count = 0;
	uint64_t live_bytes = 0;
	uint64_t cached_count = 0;
	uint64_t cached_bytes = 0;
	uint64_t before = 0;
	uint32_t i;
	int err;

	for (i = 0; (err = lend_arena_class_stats(arena, i, &of)) == 0; i++) {
		CU_ASSERT(of.bytes > before);
		before = of.bytes;
		live_count += of.live_count;
		live_bytes += of.live_count * of.bytes;
		cached_count += of.cached_count;
		cached_bytes += of.cached_count * of.bytes;
		CU_ASSERT(of.bytes > 14336 || of.slab_count ||
			  !(of.live_count + of.cached_count));
	}
	CU_ASSERT_EQUAL(err, -ENOENT);
	CU_ASSERT(i > 100);
	CU_ASSERT_EQUAL(stats.live_count, live_count);
	CU_ASSERT_EQUAL(stats.live_bytes, live_bytes);
	CU_ASSERT_EQUAL(stats.cached_count, cached_count);
	CU_ASSERT_EQUAL(stats.cached_bytes, cached_bytes);
	CU_ASSERT(stats.live_bytes + stats.cached_bytes <= stats.committed_bytes);
}

static void statistics_are_those_of_a_plain_count(void)
{
	struct lend_arena *arena = make_plain();
	struct lend_arena_stats stats = {.struct_bytes = 1};
	static void *objects[3000];
	uint64_t bytes = 0;
	uint64_t random = 3;
	size_t i;

	CU_ASSERT_EQUAL(lend_arena_stats(arena, &stats), -EINVAL);
	stats.struct_bytes = 0;
	CU_ASSERT_EQUAL(lend_arena_stats(arena, &stats), 0);
	CU_ASSERT_EQUAL(stats.reservation_bytes, stats.quota_bytes);
	CU_ASSERT(stats.books_resident_bytes > 0);

	for (i = 0; i < HEAP_COUNT(objects); i++) {
		static const size_t most[] = {100, 3000, 20000, 300000};

		objects[i] = lend_alloc(arena, heap_draw(&random) % most[i % 4]);
		CU_ASSERT_PTR_NOT_NULL_FATAL(objects[i]);
		bytes += lend_usable_bytes(arena, objects[i]);
	}
	stats = heap_stats(arena);
	CU_ASSERT_EQUAL(stats.live_count, HEAP_COUNT(objects));
	CU_ASSERT_EQUAL(stats.live_bytes, bytes);
	check_class_sums(arena);

	for (i = 0; i < HEAP_COUNT(objects); i += 2) {
		bytes -= lend_usable_bytes(arena, objects[i]);
		lend_free(arena, objects[i]);
	}
	stats = heap_stats(arena);
	CU_ASSERT_EQUAL(stats.live_count, HEAP_COUNT(objects) / 2);
	CU_ASSERT_EQUAL(stats.live_bytes, bytes);
	check_class_sums(arena);
	lend_thread_flush();
	CU_ASSERT_EQUAL(heap_stats(arena).cached_count, 0);
	check_class_sums(arena);

	for (i = 1; i < HEAP_COUNT(objects); i += 2)
		lend_free(arena, objects[i]);
	CU_ASSERT_EQUAL(lend_arena_purge(arena), 0);
	stats = heap_stats(arena);
	CU_ASSERT_EQUAL(stats.live_count, 0);
	CU_ASSERT_EQUAL(stats.live_bytes, 0);
	CU_ASSERT_EQUAL(stats.committed_bytes, 0);
	CU_ASSERT(stats.data_resident_bytes < MIB);
	end(arena);
}

/*
 * Misuse. In release builds nothing changes and it is counted; what the fast paths cannot see
 * (a double free, the middle of a small object, a wrong size) only checked builds find, and they
 * abort.
 */
struct misuse {
	void (*commit)(struct lend_arena *arena, struct lend_arena *other, void *object);
	const char *says; /* in the sentence of a checked build */
};

#ifdef LEND_CHECKS

static void commit_in_child(void *context)
{
	const struct misuse *misuse = context;
	struct lend_arena *arena = NULL;
	struct lend_arena *other = NULL;

	CHILD_REQUIRE(lend_arena_create(NULL, &arena) == 0);
	CHILD_REQUIRE(lend_arena_create(NULL, &other) == 0);
	misuse->commit(arena, other, lend_alloc(arena, 100));
}

static void check_refused(const struct misuse *misuse)
{
	char said[512];
	int status = heap_in_child_said(
		commit_in_child, (void *)(uintptr_t)misuse, said, sizeof(said));

	CU_ASSERT_EQUAL(status, 1000 + SIGABRT);
	if (!strstr(said, misuse->says))
		printf("\n  said \"%s\", wanted \"%s\"\n", said, misuse->says);
	CU_ASSERT_PTR_NOT_NULL(strstr(said, misuse->says));
	CU_ASSERT_PTR_NOT_NULL(strstr(said, "lendheap: "));
}

#else

static void check_refused(const struct misuse *misuse)
{
	struct lend_arena *arena = make_plain();
	struct lend_arena *other = make_plain();
	char *object = lend_alloc(arena, 100);
	struct lend_arena_stats before = heap_stats(arena);
	uint64_t frees = before.foreign_frees + lend_foreign_free_count();
	struct lend_arena_stats after;
	void *objects[500];
	size_t i;

	heap_fill(object, 100, 1);
	misuse->commit(arena, other, object);
	after = heap_stats(arena);
	CU_ASSERT_EQUAL(after.foreign_frees + lend_foreign_free_count(), frees + 1);
	CU_ASSERT_EQUAL(after.live_count, before.live_count);
	CU_ASSERT(heap_is_filled(object, 100, 1));

	/* It hands out its own memory only, and none of it twice. */
	CU_ASSERT_EQUAL(lend_alloc_batch(arena, 100, objects, HEAP_COUNT(objects)), 500);
	for (i = 0; i < HEAP_COUNT(objects); i++) {
		CU_ASSERT_PTR_EQUAL(lend_arena_of(objects[i]), arena);
		heap_fill(objects[i], 100, i + 2);
	}
	for (i = 0; i < HEAP_COUNT(objects); i++)
		CU_ASSERT(heap_is_filled(objects[i], 100, i + 2));
	CU_ASSERT(heap_is_filled(object, 100, 1));
	end(other);
	end(arena);
}

#endif

static void free_local(struct lend_arena *arena, struct lend_arena *other, void *object)
{
	int local = 0;

	(void)other, (void)object;
	lend_free(arena, &local);
}

static void free_of_heap(struct lend_arena *arena, struct lend_arena *other, void *object)
{
	void *of_heap = malloc(100);

	(void)other, (void)object;
	lend_free_sized(arena, of_heap, 100);
	free(of_heap);
}

static void free_of_other(struct lend_arena *arena, struct lend_arena *other, void *object)
{
	(void)object;
	lend_free_sized(arena, lend_alloc(other, 100), 100);
}

static void free_of_other_aligned(
	struct lend_arena *arena, struct lend_arena *other, void *object)
{
	(void)object;
	lend_free_sized_aligned(arena, lend_alloc_aligned(other, 96, 64), 96, 64);
}

static void free_into_other(struct lend_arena *arena, struct lend_arena *other, void *object)
{
	(void)arena;
	lend_free(lend_arena_of(object), lend_alloc(other, 8));
}

static void free_in_batch(struct lend_arena *arena, struct lend_arena *other, void *object)
{
	void *objects[3] = {lend_alloc(arena, 8), NULL, (char *)object - 4 * GIB};

	(void)other;
	lend_free_batch(arena, objects, 3);
	lend_thread_flush();
}

static void free_header(struct lend_arena *arena, struct lend_arena *other, void *object)
{
	const void *base;
	uint64_t bytes;

	(void)other, (void)object;
	if (lend_arena_range(arena, &base, &bytes) == 0)
		lend_free(arena, (void *)(uintptr_t)base);
}

static void free_without_arena(struct lend_arena *arena, struct lend_arena *other, void *object)
{
	(void)arena, (void)other;
	lend_free(NULL, object);
}

static void free_of_no_arena(struct lend_arena *arena, struct lend_arena *other, void *object)
{
	int local = 0;

	(void)arena, (void)other, (void)object;
	lend_free_sized(lend_arena_of(&local), &local, sizeof(local));
}

static void free_never_given(struct lend_arena *arena, struct lend_arena *other, void *object)
{
	(void)other;
	lend_free(arena, (char *)object + GIB);
}

static void free_inside_large(struct lend_arena *arena, struct lend_arena *other, void *object)
{
	char *large = lend_alloc(arena, 100000);

	(void)other, (void)object;
	lend_free(arena, large + 8);
	lend_free_sized(arena, large, 100000);
}

static void free_last_page_of_large(
	struct lend_arena *arena, struct lend_arena *other, void *object)
{
	char *large = lend_alloc(arena, 512 << 10);

	(void)other, (void)object;
	lend_free(arena, large + (512 << 10) - 4096);
	lend_free_sized(arena, large, 512 << 10);
}

static void free_large_twice(struct lend_arena *arena, struct lend_arena *other, void *object)
{
	char *large = lend_alloc(arena, 4 << 20);

	(void)other, (void)object;
	lend_free(arena, large);
	lend_free(arena, large);
}

static void free_in_slab_given_up(
	struct lend_arena *arena, struct lend_arena *other, void *object)
{
	(void)other;
	object = lend_alloc(arena, 14336);
	lend_free(arena, object);
	lend_thread_flush();
	lend_free(arena, object);
}

static void free_by_handle(struct lend_arena *arena, struct lend_arena *other, void *object)
{
	struct lend_cache *cache = NULL;

	(void)object;
	if (lend_cache_open(arena, &cache) == 0) {
		lend_cache_free(cache, lend_alloc(other, 64));
		lend_cache_close(cache);
	}
}

static void free_to_dead_arena(struct lend_arena *arena, struct lend_arena *other, void *object)
{
	(void)arena;
	(void)lend_arena_destroy(other);
	lend_free(other, object);
}

static void misuse_seen_by_every_build_changes_nothing(void)
{
	static const struct misuse misuses[] = {
		{free_local, "not in"},
		{free_of_heap, "not in"},
		{free_of_other, "not in"},
		{free_of_other_aligned, "not in"},
		{free_into_other, "not in"},
		{free_in_batch, "not in"},
		{free_header, "not in"},
		{free_without_arena, "not in"},
		{free_of_no_arena, "not in"},
		{free_never_given, "no object of"},
		{free_inside_large, "no object of"},
		{free_last_page_of_large, "no object of"},
		{free_large_twice, "no object of"},
		{free_in_slab_given_up, "no object of"},
		{free_by_handle, "not in"},
	};
	size_t i;

	for (i = 0; i < HEAP_COUNT(misuses); i++)
		check_refused(&misuses[i]);
}

static void free_to_a_dead_arena_is_counted_for_the_process(void)
{
	const struct misuse dead = {free_to_dead_arena, "not in"};
#ifdef LEND_CHECKS
	check_refused(&dead);
#else
	struct lend_arena *arena = make_plain();
	uint64_t frees = lend_foreign_free_count();

	dead.commit(NULL, arena, lend_alloc(arena, 100));
	CU_ASSERT_EQUAL(lend_foreign_free_count(), frees + 1);
#endif
}

#ifdef LEND_CHECKS

static void free_small_twice(struct lend_arena *arena, struct lend_arena *other, void *object)
{
	(void)other;
	lend_free(arena, object);
	lend_free(arena, object);
}

static void free_twice_by_size(struct lend_arena *arena, struct lend_arena *other, void *object)
{
	(void)other;
	lend_free_sized(arena, object, 100);
	lend_free_sized(arena, object, 100);
}

static void free_twice_by_handle(
	struct lend_arena *arena, struct lend_arena *other, void *object)
{
	struct lend_cache *cache = NULL;

	(void)other, (void)object;
	(void)lend_cache_open(arena, &cache);
	object = lend_cache_alloc(cache, 3000);
	lend_cache_free_sized(cache, object, 3000);
	lend_free(arena, object);
}

static void free_twice_after_flush(
	struct lend_arena *arena, struct lend_arena *other, void *object)
{
	(void)other;
	(void)lend_alloc(arena, 112); /* keeps the slab */
	lend_free(arena, object);
	lend_thread_flush();
	lend_free(arena, object);
}

static void free_cached_large_twice(
	struct lend_arena *arena, struct lend_arena *other, void *object)
{
	(void)other;
	object = lend_alloc(arena, 30000);
	lend_free(arena, object);
	lend_free(arena, object);
}

static void free_inside_small(struct lend_arena *arena, struct lend_arena *other, void *object)
{
	(void)other;
	lend_free(arena, (char *)object + 16);
}

static void free_misaligned(struct lend_arena *arena, struct lend_arena *other, void *object)
{
	(void)other;
	lend_free(arena, (char *)object + 3);
}

static void free_with_wrong_size(
	struct lend_arena *arena, struct lend_arena *other, void *object)
{
	(void)other;
	lend_free_sized(arena, object, 200);
}

static void free_large_with_small_size(
	struct lend_arena *arena, struct lend_arena *other, void *object)
{
	(void)other;
	object = lend_alloc(arena, 30000);
	lend_free_sized(arena, object, 64);
}

static void free_small_with_huge_size(
	struct lend_arena *arena, struct lend_arena *other, void *object)
{
	(void)other;
	lend_free_sized(arena, object, SIZE_MAX);
}

static void free_aligned_by_size_alone(
	struct lend_arena *arena, struct lend_arena *other, void *object)
{
	(void)other;
	object = lend_alloc_aligned(arena, 96, 64);
	lend_free_sized(arena, object, 96);
}

static void free_with_wrong_alignment(
	struct lend_arena *arena, struct lend_arena *other, void *object)
{
	(void)other;
	lend_free_sized_aligned(arena, object, 100, 4096);
}

static void free_with_wrong_size_by_handle(
	struct lend_arena *arena, struct lend_arena *other, void *object)
{
	struct lend_cache *cache = NULL;

	(void)other;
	(void)lend_cache_open(arena, &cache);
	lend_cache_free_sized(cache, object, 5000);
}

static void free_after_realloc(struct lend_arena *arena, struct lend_arena *other, void *object)
{
	(void)other;
	(void)lend_realloc(arena, object, 5000);
	lend_free(arena, object);
}

static void realloc_after_free(struct lend_arena *arena, struct lend_arena *other, void *object)
{
	(void)other;
	lend_free(arena, object);
	(void)lend_realloc(arena, object, 90);
}

static void misuse_that_only_checked_builds_see_aborts(void)
{
	static const struct misuse misuses[] = {
		{free_small_twice, "free already"},
		{free_twice_by_size, "free already"},
		{free_twice_by_handle, "free already"},
		{free_twice_after_flush, "free already"},
		{free_cached_large_twice, "free already"},
		{free_inside_small, "no object of"},
		{free_misaligned, "no object of"},
		{free_with_wrong_size, "as 200 bytes"},
		{free_large_with_small_size, "as 64 bytes"},
		{free_small_with_huge_size, "bytes"},
		{free_aligned_by_size_alone, "as 96 bytes"},
		{free_with_wrong_alignment, "aligned to 4096"},
		{free_with_wrong_size_by_handle, "as 5000 bytes"},
		{free_after_realloc, "free already"},
		{realloc_after_free, "free already"},
	};
	size_t i;

	for (i = 0; i < HEAP_COUNT(misuses); i++)
		check_refused(&misuses[i]);
}

#endif

static void free_of_null_is_nothing(void)
{
	struct lend_arena *arena = make_plain();
	uint64_t frees = lend_foreign_free_count();

	lend_free(arena, NULL);
	lend_free_sized(arena, NULL, 8);
	lend_free_sized_aligned(arena, NULL, 8, 8);
	lend_free(NULL, NULL);
	lend_free_sized(NULL, NULL, 8);
	lend_free_sized_aligned(NULL, NULL, 8, 8);
	CU_ASSERT_EQUAL(heap_stats(arena).foreign_frees, 0);
	CU_ASSERT_EQUAL(lend_foreign_free_count(), frees);
	end(arena);
}

static void create_and_destroy_leave_no_mapping(void)
{
	const int count = under_valgrind() ? 40 : 200;
	size_t before;
	int i;

	end(make_plain()); /* what the first one makes for ever */
	before = heap_mapping_count();
	for (i = 0; i < count; i++) {
		struct lend_arena *arena = make((struct lend_arena_options){
			.reservation_bytes = i % 3 ? 0 : 5 * GIB, .commit = (uint32_t)i % 2});

		CU_ASSERT_PTR_NOT_NULL(lend_alloc(arena, 100));
		CU_ASSERT_PTR_NOT_NULL(lend_alloc(arena, 100000));
		end(arena);
	}
	CU_ASSERT(heap_mapping_count() <= before + 4);
}

static const struct suite_test tests[] = {
	SUITE_TEST(alloc_serves_every_size_and_aligns_it),
	SUITE_TEST(alloc_aligned_serves_alignments_to_1_gib),
	SUITE_TEST(alloc_aligned_refuses_what_is_no_alignment),
	SUITE_TEST(alloc_zeroed_is_zero_over_dirty_memory),
	SUITE_TEST(usable_bytes_is_0_for_what_is_no_object),
	SUITE_TEST(realloc_keeps_the_bytes_over_all_sizes),
	SUITE_TEST(realloc_resizes_large_objects_in_place),
	SUITE_TEST(realloc_that_fails_leaves_the_object),
	SUITE_TEST(sized_free_of_aligned_objects_finds_the_right_class),
	SUITE_TEST(batch_makes_all_or_says_how_many),
	SUITE_TEST(arena_of_names_the_arena_of_any_pointer),
	SUITE_TEST(run_of_two_slots_serves_a_piece_over_the_slot_boundary),
	SUITE_TEST(cache_handle_answers_as_the_plain_functions),
	SUITE_TEST(cache_handle_gets_what_its_thread_has_freed),
	SUITE_TEST(cache_handle_outlives_its_arena),
	SUITE_TEST(sizes_beyond_quota_reservation_and_reason_are_refused),
	SUITE_TEST(reservation_used_up_is_enomem_with_a_sentence),
	SUITE_TEST(destroyed_arena_is_estale_everywhere),
	SUITE_TEST(create_refuses_options_that_make_no_arena),
	SUITE_TEST(quota_is_exact_and_all_of_it_comes_back),
	SUITE_TEST(tiny_quotas_are_refused_not_exceeded),
	SUITE_TEST(statistics_are_those_of_a_plain_count),
	SUITE_TEST(misuse_seen_by_every_build_changes_nothing),
	SUITE_TEST(free_to_a_dead_arena_is_counted_for_the_process),
#ifdef LEND_CHECKS
	SUITE_TEST(misuse_that_only_checked_builds_see_aborts),
#endif
	SUITE_TEST(free_of_null_is_nothing),
	SUITE_TEST(create_and_destroy_leave_no_mapping),
};

SUITE_MAIN("alloc", tests)
