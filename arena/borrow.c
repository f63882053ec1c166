/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "arena/table.h"
#include "os/os.h"

/*
 * Attaching: everything here reads what another process made. The header is copied once, checked,
 * and used from the copy; it lies below the sealed end of the file, so reading it cannot fault.
 */

static struct lend_arena *relocated; /* a list through next_free, under the table's lock */

static int check_file(int fd)
{
	struct statfs system;
	struct stat status;
	int seals;

	if (lendi_os.fstatfs(fd, &system) || lendi_os.fstat(fd, &status))
		return lendi_fail_errno(-errno, "status of a lent FD");
	if (!S_ISREG(status.st_mode) || system.f_type != TMPFS_MAGIC)
		return lendi_fail(-EUCLEAN,
			"lent FD is not a memfd: mode 0%o, file system 0x%lx", status.st_mode,
			(unsigned long)system.f_type);
	seals = lendi_os.fcntl(fd, F_GET_SEALS, NULL);
	if (seals < 0 || !(seals & F_SEAL_SHRINK) || !(seals & F_SEAL_SEAL))
		return lendi_fail(-EUCLEAN,
			"lent memfd has seals 0x%x: its owner could shrink it under us",
			(unsigned)seals);
	if ((uint64_t)status.st_size < LENDI_ROOTS_END)
		return lendi_fail(-EUCLEAN, "lent memfd has %lld bytes, less than its header",
			(long long)status.st_size);
	return 0;
}

static int read_header(int fd, struct lend_arena_shm *out_head)
{
	ssize_t got = lendi_os.pread(fd, out_head, sizeof(*out_head), 0);

	if (got < 0)
		return lendi_fail_errno(-errno, "header of a lent arena");
	if (got != (ssize_t)sizeof(*out_head))
		return lendi_fail(-EUCLEAN, "header of a lent arena: %zd bytes", got);
	return 0;
}

static int check_header(const struct lend_arena_shm *head, const struct lendi_offer *offer)
{
	const struct lend_window *window = lendi_window();
	uint64_t data_max = head->slot_count * LENDI_DATA_SLOT_BYTES;

	if (head->magic.raw != LENDI_ARENA_MAGIC)
		return lendi_fail(-EUCLEAN, "lent arena: magic 0x%llx, wanted 0x%llx",
			(unsigned long long)head->magic.raw,
			(unsigned long long)LENDI_ARENA_MAGIC);
	if (head->version != LENDI_LAYOUT_VERSION || head->layout != lendi_arena_layout())
		return lendi_fail(-EPROTO,
			"lent arena: layout version %u hash 0x%llx, ours %u and 0x%llx",
			head->version, (unsigned long long)head->layout, LENDI_LAYOUT_VERSION,
			(unsigned long long)lendi_arena_layout());
	if (memcmp(&head->identity, &offer->identity, sizeof(head->identity)) != 0)
		return lendi_fail(
			-EUCLEAN, "lent arena is not the one announced: identity differs");
	if (head->slot_count == 0 || head->slot_count > LENDI_RUN_SLOTS_MAX ||
		(head->slot_count & (head->slot_count - 1)) || head->slot % head->slot_count)
		return lendi_fail(-EUCLEAN, "lent arena: run of %u slots at slot %u",
			head->slot_count, head->slot);
	if (head->data_bytes <= LENDI_HEADER_BYTES || head->data_bytes > data_max ||
		head->data_bytes % LENDI_PAGE_BYTES)
		return lendi_fail(-EUCLEAN, "lent arena: %llu bytes of data in %u slots",
			(unsigned long long)head->data_bytes, head->slot_count);
	if (!memchr(head->name, 0, sizeof(head->name)))
		return lendi_fail(-EUCLEAN, "lent arena: its name has no end");
	if (head->window_base == window->base &&
		(uint64_t)head->slot + head->slot_count > window->slot_count)
		return lendi_fail(-EPROTO, "lent arena: slot %u, our window has %u", head->slot,
			window->slot_count);
	if (head->window_base != window->base && !offer->may_relocate)
		return lendi_fail(-EPROTO, "lent arena: window at 0x%llx, ours at 0x%llx",
			(unsigned long long)head->window_base,
			(unsigned long long)window->base);
	return 0;
}

static int check_claims(const struct lend_arena_shm *head, const struct lendi_offer *offer)
{
	uint32_t i;
	int err = 0;

	if (offer->claim_count != head->slot_count)
		return lendi_fail(-EUCLEAN, "lent arena: %u claims for %u slots",
			offer->claim_count, head->slot_count);
	/* Of another window they are names we cannot check, and slots that are not ours. */
	for (i = 0; !err && head->window_base == lendi_window()->base && i < head->slot_count;
		i++)
		err = lendi_slot_check_claim(offer->claims[i], head->slot + i);
	return err;
}

/* An arena that is mapped already, by identity. The table's lock is held. */
static struct lend_arena *find_mapped(const struct lend_arena_shm *head)
{
	struct lend_arena *arena = NULL;

	if (head->window_base == lendi_window()->base)
		arena = lendi_table_at(head->slot);
	if (arena && memcmp(&arena->identity, &head->identity, sizeof(head->identity)) == 0)
		return arena;
	for (arena = relocated; arena; arena = arena->next_free)
		if (memcmp(&arena->identity, &head->identity, sizeof(head->identity)) == 0)
			return arena;
	return NULL;
}

/* At a multiple of 2 MiB, so that what are huge pages to the owner are to us. */
static int map_anywhere(uint64_t bytes, int fd, uintptr_t *out_base)
{
	const uint64_t room = bytes + LENDI_HUGE_PAGE_BYTES;
	void *at = lendi_os.mmap(
		NULL, room, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	uintptr_t start = (uintptr_t)at;
	uintptr_t base;

	if (at == MAP_FAILED)
		return lendi_fail_errno(
			-errno, "addresses for %llu bytes", (unsigned long long)bytes);
	base = (start + LENDI_HUGE_PAGE_BYTES - 1) & ~(LENDI_HUGE_PAGE_BYTES - 1);
	at = lendi_os.mmap(
		(void *)base, bytes, PROT_READ, MAP_SHARED | MAP_FIXED | MAP_NORESERVE, fd, 0);
	if (at == MAP_FAILED) {
		int err = lendi_fail_errno(
			-errno, "mapping of %llu bytes", (unsigned long long)bytes);

		lendi_unmap(start, room);
		return err;
	}
	(void)lendi_os.madvise(at, bytes, MADV_DONTDUMP);
	if (base > start)
		lendi_unmap(start, base - start);
	lendi_unmap(base + bytes, start + room - (base + bytes));
	*out_base = base;
	return 0;
}

static int map_data(const struct lend_arena_shm *head, const struct lendi_offer *offer,
	struct lend_arena *arena)
{
	const struct lend_window *window = lendi_window();
	int err = -EADDRINUSE;

	if (head->window_base == window->base &&
		!lendi_table_is_free(head->slot, head->slot_count)) {
		err = lendi_fail(-EADDRINUSE, "of slots %u to %u one has another arena here",
			head->slot, head->slot + head->slot_count - 1);
	} else if (head->window_base == window->base) {
		arena->base = lendi_slot_at(window, head->slot);
		arena->fixed = true;
		err = lendi_map_at(arena->base, head->data_bytes, PROT_READ, offer->data_fd, 0);
	}
	if (err != -EADDRINUSE || !offer->may_relocate)
		return err;

	err = map_anywhere(head->data_bytes, offer->data_fd, &arena->base);
	arena->fixed = false;
	return err;
}

static void close_offer(const struct lendi_offer *offer)
{
	uint32_t i;

	lendi_close(offer->data_fd);
	for (i = 0; i < offer->claim_count; i++)
		lendi_close(offer->claims[i]);
}

/* A handle for what is offered, neither mapped nor in the table. */
static struct lend_arena *make_handle(
	const struct lend_arena_shm *head, const struct lendi_offer *offer)
{
	struct lend_arena *arena = lendi_table_take_handle();

	if (!arena)
		return NULL;
	arena->claims = malloc(head->slot_count * sizeof(int));
	if (!arena->claims) {
		lendi_table_give_handle(arena);
		return NULL;
	}
	memcpy(arena->claims, offer->claims, head->slot_count * sizeof(int));
	arena->home_slot = head->slot;
	arena->slot_count = head->slot_count;
	arena->data_bytes = head->data_bytes;
	arena->heap_bytes = head->data_bytes - LENDI_HEADER_BYTES;
	arena->identity = head->identity;
	arena->incarnation = head->incarnation.raw;
	arena->data.fd = offer->data_fd;
	memcpy(arena->name, head->name, sizeof(arena->name));
	arena->generation = lendi_table_next_generation();
	arena->holds = 1;
	return arena;
}

/* The handle was not entered: the FDs stay the offer's. */
static void drop_handle(struct lend_arena *arena)
{
	free(arena->claims);
	lendi_table_give_handle(arena);
}

/* The handle is in no table and its memory unmapped. */
static void unmake_borrowed(struct lend_arena *arena)
{
	lendi_close(arena->data.fd);
	/* Last: only now may another process take the slots. */
	lendi_run_release(arena->claims, arena->slot_count);
	free(arena->claims);
	lendi_table_give_handle(arena);
}

/* An identity is no secret: another memfd that bears it must not pass for the arena. */
static bool is_same_file(int one, int other)
{
	struct stat a;
	struct stat b;

	return lendi_os.fstat(one, &a) == 0 && lendi_os.fstat(other, &b) == 0 &&
	       a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/* Map a new handle and enter it. The table's lock is held. */
static int enter(const struct lend_arena_shm *head, const struct lendi_offer *offer,
	struct lend_arena *arena)
{
	int err = map_data(head, offer, arena);

	if (err)
		return err;
	/* A relocated arena has no slot: its number here stands behind the last one. */
	arena->slot = arena->fixed ? head->slot : LEND_WINDOW_SLOTS_MAX;
	arena->heap_base = arena->base + LENDI_HEADER_BYTES;
	arena->role = LENDI_BORROWED;
	if (arena->fixed) {
		(void)lendi_table_put(arena); /* map_data() saw that its slots are free */
	} else {
		arena->next_free = relocated;
		relocated = arena;
	}
	return 0;
}

/*
 * Hold the arena once more if it is mapped already, else enter the fresh handle: in one piece, or
 * of two threads that attach it one would find its place taken and no arena there. The table's
 * lock is held.
 */
static int hold_or_enter(const struct lend_arena_shm *head, const struct lendi_offer *offer,
	struct lend_arena *fresh, struct lend_arena **out_arena)
{
	struct lend_arena *arena = find_mapped(head);

	if (!arena) {
		*out_arena = fresh;
		return enter(head, offer, fresh);
	}
	if (!is_same_file(arena->data.fd, offer->data_fd))
		return lendi_fail(-EUCLEAN,
			"lent memfd bears the identity of arena \"%s\", which is another",
			arena->name);
	if (arena->role == LENDI_OWNED)
		return lendi_fail(-EEXIST, "arena \"%s\" is this process's own", arena->name);
	arena->holds++;
	*out_arena = arena;
	return 0;
}

int lendi_arena_attach(const struct lendi_offer *offer, const struct lend_arena **out_arena)
{
	struct lend_arena *fresh;
	struct lend_arena *arena = NULL;
	struct lend_arena_shm head;
	int err;

	err = check_file(offer->data_fd);
	if (!err)
		err = read_header(offer->data_fd, &head);
	if (!err)
		err = check_header(&head, offer);
	if (!err)
		err = check_claims(&head, offer);
	if (err)
		return err;

	fresh = make_handle(&head, offer);
	if (!fresh)
		return lendi_fail(-ENOMEM, "handle of an arena of %u slots", head.slot_count);
	lendi_table_lock();
	err = hold_or_enter(&head, offer, fresh, &arena);
	lendi_table_unlock();
	if (err || arena != fresh)
		drop_handle(fresh);
	if (err)
		return err;
	if (arena != fresh)
		close_offer(offer); /* the handle has its own */
	*out_arena = arena;
	return 0;
}

int lendi_arena_detach(const struct lend_arena *borrowed)
{
	struct lend_arena *arena =
		(struct lend_arena *)(uintptr_t)borrowed; /* ours, const to users */
	struct lend_arena **link;
	bool last = false;
	int err = 0;

	lendi_table_lock();
	if (arena->role == LENDI_NONE) {
		err = lendi_fail(-ESTALE, "the arena was closed already");
	} else if (arena->role != LENDI_BORROWED) {
		err = lendi_fail(-EPERM, "arena \"%s\" is owned: destroy it", arena->name);
	} else if (--arena->holds == 0) {
		last = true;
		arena->role = LENDI_NONE;
		if (arena->fixed) {
			lendi_table_remove(arena);
		} else {
			for (link = &relocated; *link != arena;)
				link = &(*link)->next_free;
			*link = arena->next_free;
		}
		/* Under the lock: who attaches it again now finds its place free. */
		lendi_unmap(arena->base, arena->data_bytes);
	}
	lendi_table_unlock();
	if (last)
		unmake_borrowed(arena);
	return err;
}
