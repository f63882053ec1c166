/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LENDHEAP_ARENA_LAYOUT_H
#define LENDHEAP_ARENA_LAYOUT_H

/*
 * What an arena looks like in memory, for every process that maps any of it.
 *
 *	run of n slots, n a power of two, aligned to n
 *	+----------------------------------------------------------+---------------------------+
 *	| data: n * 3.75 GiB, a memfd that borrowers map read-only | books: n * 256 MiB, owner |
 *	+--------+-------------------------------------------------+--------+--------+---------+
 *	| header | heap: what jemalloc hands out                   | header | (hole) | base    |
 *	| 2 MiB  |                                                 | 2 MiB  |        | blocks  |
 *	+--------+-------------------------------------------------+--------+--------+---------+
 *
 * The hole in the books is where their file holds the page map (jemalloc's emap leaves, 8 bytes
 * per page of the run), which is mapped elsewhere: in the leaf range behind the window, at a place
 * that is a pure function of the address described. jemalloc caches leaf addresses per thread
 * and never looks again, so a slot's leaf must lie at one place for ever.
 *
 * Data are what borrowers see and hold offsets only. The books hold jemalloc's metadata, which is
 * raw pointers; only an owner touches them.
 */
#include <lendheap/arena.h>
#include <lendheap/layout.h>
#include <lendheap/window.h>

#define LENDI_PAGE_BYTES UINT64_C(4096)
#define LENDI_HEADER_BYTES                                                                     \
	(UINT64_C(2) << 20) /* of data and of books; keeps the heap 2 MiB aligned */
#define LENDI_BOOKS_SLOT_BYTES (UINT64_C(256) << 20)
#define LENDI_DATA_SLOT_BYTES  (LEND_SLOT_BYTES - LENDI_BOOKS_SLOT_BYTES)
#define LENDI_LEAF_SLOT_BYTES  (LEND_SLOT_BYTES / LENDI_PAGE_BYTES * 8)
#define LENDI_RUN_SLOTS_MAX    1024u

#define LENDI_ARENA_MAGIC    UINT64_C(0x6e657261646e656c) /* "lendaren" */
#define LENDI_BOOKS_MAGIC    UINT64_C(0x6b6f6f62646e656c) /* "lendbook" */
#define LENDI_LAYOUT_VERSION 1u

#define LENDI_ROOT_INDEX_COUNT   8192u /* twice the entries: probes stay short */
#define LENDI_ROOT_INDEX_AT      UINT64_C(4096)
#define LENDI_ROOT_ENTRY_AT      (UINT64_C(64) << 10)
#define LENDI_ROOT_TYPE_NAME_MAX 79u
/* One more than roots: in a full table, too, a new entry is filled before the old one goes. */
#define LENDI_ROOT_ENTRY_COUNT (LEND_ROOT_COUNT_MAX + 1u)
#define LENDI_ROOTS_END                                                                        \
	(LENDI_ROOT_ENTRY_AT + LENDI_ROOT_ENTRY_COUNT * sizeof(struct lend_root_shm))

/*
 * First page of the data.
 * field        written by             order                       a death before the store leaves
 * magic        creator                ARENA: release when all     no arena: attach refuses it
 *                                     else is written; acquire
 *                                     in attach
 * incarnation  each owner, at start   before ARENA                the life before
 * the rest     creator, once          before ARENA                -
 */
struct lend_arena_shm {
	lend_word64 magic;
	uint32_t version; /* LENDI_LAYOUT_VERSION */
	uint32_t slot;    /* first of the run */
	uint32_t slot_count;
	uint32_t backing; /* enum lend_backing */
	uint64_t layout;  /* lendi_arena_layout() */
	struct lend_identity identity;
	lend_word64 incarnation;
	uint64_t window_base;
	uint64_t data_bytes; /* mapped: header and heap */
	char name[LEND_ARENA_NAME_BYTES_MAX + 1];
	char domain[LEND_WINDOW_DOMAIN_MAX + 1];
	uint8_t pad[3928];
};
LEND_SHM_SIZEOF(struct lend_arena_shm, 4096);
LEND_SHM_AT(struct lend_arena_shm, layout, 24);
LEND_SHM_AT(struct lend_arena_shm, identity, 32);
LEND_SHM_AT(struct lend_arena_shm, incarnation, 48);
LEND_SHM_AT(struct lend_arena_shm, window_base, 56);
LEND_SHM_AT(struct lend_arena_shm, data_bytes, 64);
LEND_SHM_AT(struct lend_arena_shm, name, 72);
LEND_SHM_AT(struct lend_arena_shm, domain, 136);

/*
 * A root. The index names entries by number; an entry no index word names is free, whatever its
 * bytes. Written by the owner only.
 * field     order                                            a death before the store leaves
 * index     ROOT: release once the entry is filled, acquire  the root as before
 *           in get
 * sequence  SEQUENCE: odd while the entry is filled; a       a free entry with an odd number
 *           reader that saw it move reads again
 * object    ROOT: release; set on an existing root of the    the root as before
 *           same type is this one store
 */
struct lend_root_shm {
	char name[LEND_ROOT_NAME_BYTES_MAX + 1];
	char type_name[LENDI_ROOT_TYPE_NAME_MAX + 1];
	uint64_t type_hash; /* of the whole type name, which may be longer than 79 bytes */
	uint64_t type_bytes;
	uint32_t type_alignment;
	uint32_t type_version;
	lend_word64 object; /* bytes from the arena's base */
	lend_word32 sequence;
	uint8_t pad[12];
};
LEND_SHM_SIZEOF(struct lend_root_shm, 192);
LEND_SHM_AT(struct lend_root_shm, type_hash, 144);
LEND_SHM_AT(struct lend_root_shm, object, 168);
LEND_SHM_AT(struct lend_root_shm, sequence, 176);

/* One block of jemalloc's metadata: where a rebuild finds every extent from. */
struct lend_base_block_shm {
	uint64_t at;          /* bytes from the start of the books */
	lend_word64 bytes;    /* BLOCK: release when the rest is written; 0 is no block yet */
	uint64_t incarnation; /* of the owner that made it */
};
LEND_SHM_SIZEOF(struct lend_base_block_shm, 24);

#define LENDI_BASE_BLOCKS_MAX 4096u

/*
 * Start of the books. What must survive the owner has its place here from the first version, so
 * that a successor of a later version finds it: sections that this version does not write are 0.
 * field        order                                         a death before the store leaves
 * magic        BOOKS: release when all else is written       no books: nothing to take over
 * block_count  BLOCK: release after the block's entry        a block nobody points into
 * arena        before the first allocation                   an arena without a heap
 */
struct lend_books_shm {
	lend_word64 magic;
	uint32_t version;
	uint32_t slot;
	uint64_t layout;
	struct lend_identity identity;
	lend_word64 incarnation;
	lend_word64 arena; /* jemalloc's arena_t: bytes from the start of the books; 0 none */
	lend_word64 block_end;    /* first byte of the books that no base block uses */
	lend_word64 borrowers_at; /* table of borrowers: 0, not written by this version */
	lend_word64 ledger_at;    /* ledger of lent objects: 0, not written by this version */
	lend_word64
		retired_at; /* memory waiting for borrowers: 0, not written by this version */
	uint64_t
		heap_layout; /* of jemalloc's structures and size classes, folded by the alloc floor */
	uint64_t quota_bytes;
	uint32_t commit; /* enum lend_commit */
	uint32_t cache;  /* enum lend_cache_profile */
	lend_word32 block_count;
	uint32_t pad;
	struct lend_base_block_shm blocks[LENDI_BASE_BLOCKS_MAX];
};
LEND_SHM_AT(struct lend_books_shm, identity, 24);
LEND_SHM_AT(struct lend_books_shm, arena, 48);
LEND_SHM_AT(struct lend_books_shm, heap_layout, 88);
LEND_SHM_AT(struct lend_books_shm, block_count, 112);
LEND_SHM_AT(struct lend_books_shm, blocks, 120);
LEND_SHM_SIZEOF(struct lend_books_shm, 120 + 24 * 4096);

/*
 * The layout of all shared types above, as one number. Two processes compare it before either
 * reads the other's memory; a build that changed nothing shared has the same number.
 */
uint64_t lendi_arena_layout(void);

#endif /* LENDHEAP_ARENA_LAYOUT_H */
