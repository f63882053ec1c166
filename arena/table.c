/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "arena/table.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
/* Handles that rest before they are used again: a stale one answers -ESTALE for that long. */
#define HANDLES_RESTING 64u

static struct lend_arena *free_first; /* handles, under lock */
static struct lend_arena *free_last;
static uint32_t free_count;
static struct lend_arena *live[LEND_WINDOW_SLOTS_MAX]; /* TABLE: release put, acquire at */
static uint64_t last_generation;
static pthread_once_t once = PTHREAD_ONCE_INIT;

/*
 * In a forked child the data of arenas its parent owns become read-only: there is no copy on
 * write between processes that share memory. A raw clone runs no handler; there only the
 * allocator refuses.
 */
static void make_child_reader(void)
{
	uint32_t slot;

	for (slot = 0; slot < LEND_WINDOW_SLOTS_MAX; slot++) {
		struct lend_arena *arena = live[slot];

		if (arena && arena->slot == slot && arena->role == LENDI_OWNED)
			(void)lendi_os.mprotect(
				(void *)arena->base, arena->data_bytes, PROT_READ);
	}
	lendi_table_unlock();
}

static void watch_forks(void)
{
	(void)pthread_atfork(lendi_table_lock, lendi_table_unlock, make_child_reader);
}

void lendi_table_lock(void)
{
	(void)pthread_mutex_lock(&lock);
}

void lendi_table_unlock(void)
{
	(void)pthread_mutex_unlock(&lock);
}

struct lend_arena *lendi_table_take_handle(void)
{
	struct lend_arena *arena;

	(void)pthread_once(&once, watch_forks);
	lendi_table_lock();
	arena = free_count > HANDLES_RESTING ? free_first : NULL;
	if (arena) {
		free_count--;
		free_first = arena->next_free;
		if (!free_first)
			free_last = NULL;
		memset(arena, 0, sizeof(*arena));
	}
	lendi_table_unlock();
	if (!arena)
		arena = calloc(1, sizeof(*arena));
	if (!arena)
		return NULL;

	arena->lend_fd = -1;
	arena->data.fd = -1;
	arena->books_file.fd = -1;
	arena->fence.fd = -1;
	(void)pthread_mutex_init(&arena->root_lock, NULL);
	(void)pthread_mutex_init(&arena->books_lock, NULL);
	return arena;
}

void lendi_table_give_handle(struct lend_arena *arena)
{
	(void)pthread_mutex_destroy(&arena->root_lock);
	(void)pthread_mutex_destroy(&arena->books_lock);
	lendi_table_lock();
	arena->role = LENDI_NONE;
	arena->heap = NULL;
	arena->heap_bytes = 0; /* holds no pointer */
	arena->generation = 0;
	/* No thread has a cache there; at its old slot one of another arena may come to lie. */
	arena->slot = LEND_WINDOW_SLOTS_MAX;
	arena->next_free = NULL;
	if (free_last)
		free_last->next_free = arena;
	else
		free_first = arena;
	free_last = arena;
	free_count++;
	lendi_table_unlock();
}

bool lendi_table_is_free(uint32_t slot, uint32_t count)
{
	uint32_t i;

	for (i = 0; i < count; i++)
		if (live[slot + i])
			return false;
	return true;
}

bool lendi_table_put(struct lend_arena *arena)
{
	uint32_t i;

	if (!lendi_table_is_free(arena->slot, arena->slot_count))
		return false;
	/* TABLE: release; who finds the arena finds it filled. */
	for (i = 0; i < arena->slot_count; i++)
		__atomic_store_n(&live[arena->slot + i], arena, __ATOMIC_RELEASE);
	return true;
}

void lendi_table_remove(struct lend_arena *arena)
{
	uint32_t i;

	for (i = 0; i < arena->slot_count; i++)
		if (live[arena->slot + i] == arena)
			__atomic_store_n(&live[arena->slot + i], NULL, __ATOMIC_RELEASE);
}

struct lend_arena *lendi_table_at(uint64_t slot)
{
	if (slot >= LEND_WINDOW_SLOTS_MAX)
		return NULL;
	/* TABLE: acquire. */
	return __atomic_load_n(&live[slot], __ATOMIC_ACQUIRE);
}

uint64_t lendi_table_next_generation(void)
{
	/* Relaxed: only its being new matters. */
	return __atomic_add_fetch(&last_generation, 1, __ATOMIC_RELAXED);
}

struct lend_arena *lend_arena_of(const void *pointer)
{
	return lendi_table_at(lendi_slot_of(lendi_window(), (uintptr_t)pointer));
}
