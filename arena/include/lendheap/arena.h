/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LENDHEAP_ARENA_H
#define LENDHEAP_ARENA_H

/*
 * An arena: a heap that several processes see at one address.
 *
 *	struct lend_arena *a;
 *	lend_arena_create(&(struct lend_arena_options){.name = "roads"}, &a);
 *	struct graph *g = lend_alloc_zeroed(a, sizeof *g);
 *	lend_root_set(a, "roads", LEND_TYPE(struct graph, 1), g);
 *	lend_share(a, "roads");
 *
 * It lies in one slot of the window (a range of addresses that is the same in every process) or
 * in an aligned run of slots, so raw pointers inside it, and between arenas, hold in every
 * process that maps them there.
 *
 * Processes. The one process that created an arena owns it: it alone allocates, frees and writes
 * roots. Others borrow it (lendheap/session.h, lendheap/share.h) and read; a borrower holds a
 * const struct lend_arena *. A child that the owner forks is a reader too: its reads go on, its
 * allocations get EPERM. So become a daemon first, and create arenas after.
 * Threads. All functions may be called from any thread at any time, except that
 * lend_arena_destroy() must not run while another thread is inside a call on the same arena.
 * Lifetime. A handle is valid until lend_arena_destroy() or lend_close(). The memory lives as
 * long as any process maps it: a borrower's data stays readable after the owner's death.
 */
#include <stddef.h>
#include <stdint.h>

#include <lendheap/error.h>
#include <lendheap/layout.h>
#include <lendheap/ref.h>

#ifdef __cplusplus
extern "C" {
#endif

#define LEND_ARENA_NAME_BYTES_MAX 63u /* of a name, without its end */
#define LEND_ROOT_NAME_BYTES_MAX  63u
#define LEND_ROOT_COUNT_MAX       4096u /* roots of one arena */

struct lend_arena;

/* When memory that jemalloc takes into use is charged to the machine. */
enum lend_commit {
	/* On first touch, as any heap: an exhausted machine or cgroup ends as it does there. */
	LEND_COMMIT_ON_TOUCH = 0,
	/* Before it is handed out, with fallocate(): an exhausted backing is NULL, never SIGBUS. */
	LEND_COMMIT_UP_FRONT = 1,
};

/* How much each thread may keep in its cache: speed against footprint and crash loss. */
enum lend_cache_profile {
	LEND_CACHE_FAST = 0, /* grows with use, up to 2 MiB per size class */
	LEND_CACHE_LEAN = 1, /* up to about 16 KiB per size class, freed pages go back sooner */
};

/* May memory be taken in pages of 2 MiB? They cost less to get, and fewer look-ups miss the TLB. */
enum lend_huge_pages {
	/*
	 * Where the heap grows and for objects of 2 MiB and more, once 16 MiB are resident; never with
	 * LEND_CACHE_LEAN. It takes memory ahead of its touch: less than 2 MiB where the heap grows, for
	 * a large object at most as much as is resident already. The quota does not count that. With
	 * LEND_COMMIT_UP_FRONT large objects only, and nothing ahead. Works from Linux 6.1 on, with any
	 * setting of the machine but shmem_enabled=deny.
	 */
	LEND_HUGE_PAGES_GROWING = 0,
	/* None but what the machine's settings give to any memfd. */
	LEND_HUGE_PAGES_NEVER = 1,
};

/* Where the memory comes from. */
enum lend_backing {
	/* memfds, sealed against shrinking. */
	LEND_BACKING_MEMFD = 0,
	/*
	 * Unnamed files in options.directory, which must be on a tmpfs; always LEND_COMMIT_UP_FRONT.
	 * Such files cannot be sealed, so sessions do not lend them.
	 */
	LEND_BACKING_DIRECTORY = 1,
};

/*
 * Zero in any field asks for its default, so name the fields you set:
 * (struct lend_arena_options){.name = "roads", .quota_bytes = 1u << 30}.
 */
struct lend_arena_options {
	size_t struct_bytes; /* sizeof(struct lend_arena_options); 0: as in version 0.1 */
	const char *name;    /* up to 63 bytes, seen by borrowers; NULL: "" */
	/*
	 * Addresses for data; 0: all of one slot (3.75 GiB). Up to 3.75 GiB take one slot, 7.5 two,
	 * 15 four, and so on. With LEND_COMMIT_UP_FRONT 1/512 of it is taken at once.
	 */
	uint64_t reservation_bytes;
	/*
	 * Of committed data; 0: the reservation. What threads keep in their caches counts, so a small
	 * quota makes those small too.
	 */
	uint64_t quota_bytes;
	uint32_t commit;       /* enum lend_commit */
	uint32_t cache;        /* enum lend_cache_profile */
	uint32_t backing;      /* enum lend_backing */
	uint32_t huge_pages;   /* enum lend_huge_pages */
	const char *directory; /* for LEND_BACKING_DIRECTORY */
};

/* Who an arena is, in every process and for ever: 128 random bits, drawn at its creation. */
struct lend_identity {
	uint8_t bytes[16];
};

/*
 * The arena whose slot a pointer lies in, owned or borrowed by this process at the window; NULL
 * for every other pointer. O(1): one shift and one load. Whether the object is alive is not
 * checked. For free: lend_free(lend_arena_of(x), x). A borrowed arena comes back too, and what
 * writes to it answers EPERM.
 */
LEND_API struct lend_arena *lend_arena_of(const void *pointer);

/* The name given at creation; "" if none. Lives as long as the handle. */
LEND_API const char *lend_arena_name(const struct lend_arena *arena);

LEND_API struct lend_identity lend_arena_identity(const struct lend_arena *arena);

/* Which life of the arena this is: 1 at creation, one more each time an owner takes it over. */
LEND_API uint64_t lend_arena_incarnation(const struct lend_arena *arena);

/* 1 when the arena is mapped at the window (raw pointers hold), 0 when elsewhere (relocated). */
LEND_API int lend_arena_is_fixed(const struct lend_arena *arena);

/* 1 when this process owns the arena and may write it, else 0. */
LEND_API int lend_arena_is_owned(const struct lend_arena *arena);

/*
 * 1 when the address lies in an arena that this process owns and may write, at the window, else 0:
 * lend_arena_is_owned() of lend_arena_of(), in one call. NULL is allowed.
 */
LEND_API int lend_arena_owns(const void *pointer);

/*
 * Where the arena's data lie in this process and how many of the bytes there exist now. The
 * count grows with use; what another process names beyond it is not there (yet), so a borrower
 * checks offsets it was told against this. Returns 0; -ESTALE after destroy or close.
 */
LEND_API int lend_arena_range(
	const struct lend_arena *arena, const void **out_base, uint64_t *out_bytes);

/*
 * References (lendheap/ref.h): objects named by value, for messages and for links that outlive a
 * mapping. They hold in relocated arenas too.
 */

/* A reference to what lies at address in the arena. 0; -EXDEV not in its data, -ESTALE. */
LEND_API int lend_ref_make(
	const struct lend_arena *arena, const void *address, lend_ref *out_ref);

/*
 * Where bytes of the object that ref names lie in this process. A reference that another process
 * sent is checked in full: *out_address is safe to read for that many bytes. Returns 0; -EXDEV it
 * names another arena, -ESTALE another life of this one, -EUCLEAN nothing is there (yet), -EINVAL
 * null.
 */
LEND_API int lend_ref_resolve(
	const struct lend_arena *arena, lend_ref ref, uint64_t bytes, const void **out_address);

/* The arena, of those this process has at the window, that a reference names; or NULL. O(1). */
LEND_API struct lend_arena *lend_ref_arena(lend_ref ref);

/*
 * Roots: objects with a name and a type, the entry points into an arena. Up to
 * LEND_ROOT_COUNT_MAX in an arena; set, add, get, unset and take are O(1).
 *
 * Order. Set and add publish with release and lend_root_get() reads with acquire (pair
 * ROOT): a reader that finds the root sees the object as it was when it was set. Fill the object
 * first. Readers take no lock, in any process; writers exclude each other inside the library.
 * Death. An owner that dies inside set, unset or take leaves the root as before or as after.
 */
struct lend_type {
	const char *name;   /* of the type, as written in the source */
	uint64_t bytes;     /* sizeof */
	uint32_t alignment; /* alignof */
	uint32_t version;   /* yours: raise it when the meaning of a field changes */
};

/* The identity of a C type: LEND_TYPE(struct graph, 1). */
#ifdef __cplusplus
#define LEND_TYPE(type, version_)                                                              \
	(lend_type{#type, sizeof(type), (uint32_t)alignof(type), (uint32_t)(version_)})
#else
#define LEND_TYPE(type, version_)                                                              \
	((struct lend_type){#type, sizeof(type), (uint32_t) _Alignof(type), (version_)})
#endif

/*
 * Name an object of this arena, in place of what had that name. Owner only; the strings are
 * copied. Returns 0; -EXDEV object outside the arena's data, -EINVAL name empty or longer than
 * 63 bytes or object misaligned for its type, -ENOSPC 4096 roots, -EPERM not the owner, -ESTALE.
 */
LEND_API int lend_root_set(
	struct lend_arena *arena, const char *name, struct lend_type type, const void *object);

/* The same for a name that is free: of several that try, one gets it. Also -EEXIST: it is taken. */
LEND_API int lend_root_add(
	struct lend_arena *arena, const char *name, struct lend_type type, const void *object);

/*
 * Find a named object. Any process that maps the arena. *out_object points into this process's
 * mapping and is untouched on failure. Returns 0; -ENOENT no such root, -EPROTOTYPE another type
 * (the sentence names both), -EUCLEAN the root's words fail a check, -EINVAL, -ESTALE.
 */
LEND_API int lend_root_get(const struct lend_arena *arena, const char *name,
	struct lend_type type, const void **out_object);

/* Forget a name; the object stays. Owner only. 0; -ENOENT, -EINVAL, -EPERM, -ESTALE. */
LEND_API int lend_root_unset(struct lend_arena *arena, const char *name);

/*
 * Get and unset in one step: forget a name and give the object it had, which the caller may
 * destroy. Of several threads that take a name, each object goes to one, also where others add
 * the name anew meanwhile; after lend_root_get(), an unset may hit the newcomer. Owner only.
 * Returns as lend_root_get(), and -EPERM; on failure the root stays.
 */
LEND_API int lend_root_take(
	struct lend_arena *arena, const char *name, struct lend_type type, void **out_object);

/* A root as lend_root_each() shows it: valid during the call only. */
struct lend_root {
	const char *name;
	struct lend_type type; /* type.name is cut to 79 bytes */
	const void *object;
};

/*
 * Call visit for each root, in no order, until it returns non-zero, which is then returned.
 * Roots that change meanwhile may or may not be seen. 0; -ESTALE.
 */
LEND_API int lend_root_each(const struct lend_arena *arena,
	int (*visit)(const struct lend_root *root, void *context), void *context);

#ifdef __cplusplus
}
#endif

#endif /* LENDHEAP_ARENA_H */
