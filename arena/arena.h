/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LENDHEAP_ARENA_ARENA_H
#define LENDHEAP_ARENA_ARENA_H

/*
 * An arena as this process sees it: its memory, its place, what proves the ownership. The heap
 * inside it is the alloc floor's.
 *
 * Handles come from a pool and are never freed, so that a handle used after destroy is a -ESTALE
 * rather than a wild read, until an arena made much later takes it over.
 */
#include <pthread.h>
#include <stdbool.h>

#include <lendheap/arena.h>

#include "arena/fence.h"
#include "arena/huge.h"
#include "arena/layout.h"
#include "arena/segment.h"
#include "arena/slot.h"
#include "arena/window.h"
#include "base/crashpoint.h"
#include "base/error.h"

enum lendi_role {
	LENDI_NONE = 0, /* destroyed or detached: the handle is stale */
	LENDI_OWNED = 1,
	LENDI_BORROWED = 2,
};

struct lend_arena {
	/* Read by every allocation; constant while the arena lives. */
	uint32_t slot;       /* first of the run: where a thread finds its cache */
	uint32_t role;       /* enum lendi_role */
	uintptr_t heap_base; /* objects lie in [heap_base, heap_base + heap_bytes) */
	uint64_t heap_bytes;
	void *heap;             /* the alloc floor's */
	uint64_t fork_epoch;    /* of the process image that owns it */
	uint64_t generation;    /* a number no other arena of this process has */
	uint32_t cache_profile; /* enum lend_cache_profile */
	uint32_t slot_count;
	uint32_t
		home_slot; /* first of the run in its owner's window: what references count from */

	uintptr_t base; /* of the data; at the window: the slot's address */
	uint64_t data_bytes;
	uintptr_t books; /* 0 for a borrower */
	uint64_t books_bytes;
	bool fixed;
	bool placed; /* an owner's: its claims are held */
	char name[LEND_ARENA_NAME_BYTES_MAX + 1];
	struct lend_identity identity;
	uint64_t incarnation;

	struct lendi_segment data; /* a borrower's fd is read-only */
	struct lendi_segment books_file;
	struct lendi_huge huge; /* of data; an owner's */
	struct lendi_fence fence;
	int lend_fd; /* read-only reopen of the data, for borrowers; -1 and lend_error if none */
	int lend_error;
	int *claims; /* slot_count FDs */

	uint64_t quota_bytes;
	lend_word64 committed_bytes;
	lend_word64 foreign_frees;
	pthread_mutex_t books_lock; /* adding base blocks */

	pthread_mutex_t root_lock; /* writers of roots */
	uint64_t root_used[LENDI_ROOT_ENTRY_COUNT / 64 + 1];
	uint32_t root_count;

	uint32_t holds; /* of a borrowed arena, under the table's lock */
	void (*before_destroy)(struct lend_arena *arena); /* set by a floor above, or NULL */
	struct lend_arena *next_free;                     /* in the pool of handles */
};

/*
 * Make the memory of a new arena: claimed, mapped, headers written, fence locked, heap NULL. The
 * caller makes the heap and then calls lendi_arena_publish(), or lendi_arena_destroy().
 */
int lendi_arena_create(const struct lend_arena_options *options, struct lend_arena **out_arena);

/* From here on pointers into it name it and borrowers can attach. */
void lendi_arena_publish(struct lend_arena *arena);

/* Give everything back: mappings, FDs, slots. The heap is gone already. */
void lendi_arena_destroy(struct lend_arena *arena);

/* May this process write the arena? 0; -ESTALE, -EPERM (borrowed, forked child). */
int lendi_arena_check_owned(const struct lend_arena *arena);

/* What another process says of an arena it lends, and the FDs that came with it. */
struct lendi_offer {
	struct lend_identity identity;
	int data_fd;
	const int *claims;
	uint32_t claim_count;
	bool may_relocate; /* map elsewhere when the place is taken or the windows differ */
};

/*
 * Map an arena that another process owns, read-only, at its place. On success its FDs are the
 * handle's; on failure they stay the caller's. An arena that is mapped already is held once more
 * and the new FDs are closed. 0; -EADDRINUSE place taken, -EEXIST this process owns it, -EPROTO
 * version, layout or window differ, -EUCLEAN the memory or the claims fail a check, or a system
 * call's error.
 */
int lendi_arena_attach(const struct lendi_offer *offer, const struct lend_arena **out_arena);

/* Let go once; the last one unmaps. 0; -ESTALE, -EPERM not borrowed. */
int lendi_arena_detach(const struct lend_arena *arena);

/* How many bytes of the data exist now, from the kernel. It only grows. 0; fstat's error. */
int lendi_arena_file_bytes(const struct lend_arena *arena, uint64_t *out_bytes);

/*
 * Do the first end bytes of the data exist? What another process names beyond is SIGBUS to touch.
 * The size once seen is kept, since it never shrinks. 0; -EUCLEAN, or fstat's error.
 */
int lendi_arena_check_exists(const struct lend_arena *arena, uint64_t end);

/* Does the owner's heap range hold this address? */
static inline bool lendi_arena_holds(const struct lend_arena *arena, const void *pointer)
{
	return (uintptr_t)pointer - arena->heap_base < arena->heap_bytes;
}

/*
 * Charge bytes of the heap at address to the quota and make them usable. 0; -EDQUOT, or the
 * segment's error, and then nothing is charged.
 */
int lendi_arena_commit(struct lend_arena *arena, uintptr_t address, uint64_t bytes);

/* The opposite; pages read as zeroes after. On failure nothing changed. */
int lendi_arena_decommit(struct lend_arena *arena, uintptr_t address, uint64_t bytes);

/*
 * The next bytes of the books for a base block of jemalloc, 2 MiB aligned, backed and entered in
 * the block table. 0; -ENOMEM they are used up, -EPERM the fence is lost, or the segment's error.
 */
int lendi_arena_add_base_block(struct lend_arena *arena, uint64_t bytes, void **out_block);

#endif /* LENDHEAP_ARENA_ARENA_H */
