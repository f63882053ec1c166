/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LENDHEAP_ARENA_TABLE_H
#define LENDHEAP_ARENA_TABLE_H

/*
 * Which arena of this process lies in which slot, owned and borrowed. Readers take no lock.
 */
#include "arena/arena.h"

/* A zeroed handle with its locks made and its FDs -1, LENDI_NONE. NULL: no memory. */
struct lend_arena *lendi_table_take_handle(void);

/* Return a handle to the pool. It reads as LENDI_NONE until it is taken again, oldest first. */
void lendi_table_give_handle(struct lend_arena *arena);

/*
 * Enter or remove an arena at all slots of its run. The table's lock is held. A run is entered
 * whole, also where an arena has too few data to be mapped in each slot: false when another
 * arena has one of them.
 */
bool lendi_table_put(struct lend_arena *arena);
void lendi_table_remove(struct lend_arena *arena);

/* Are these slots without an arena in this process? The table's lock is held. */
bool lendi_table_is_free(uint32_t slot, uint32_t count);

/* The arena in a slot, or NULL. */
struct lend_arena *lendi_table_at(uint64_t slot);

/* A number for lend_arena.generation. */
uint64_t lendi_table_next_generation(void);

void lendi_table_lock(void);
void lendi_table_unlock(void);

#endif /* LENDHEAP_ARENA_TABLE_H */
