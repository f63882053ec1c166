/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LENDHEAP_LIST_H
#define LENDHEAP_LIST_H

/*
 * A doubly linked list whose links lie in the elements. Nothing is allocated.
 *
 *	struct job {
 *		struct lend_list_hook_shm hook;
 *		uint64_t number;
 *	};
 *	#define LEND_LIST      job_list		struct job_list, job_list_push_back(), ...
 *	#define LEND_LIST_TYPE struct job
 *	#define LEND_LIST_HOOK hook
 *	#include <lendheap/list.h>
 *
 *	job_list_push_back(&queue->jobs, job);
 *	lend_list_each(job_list, job, &queue->jobs)
 *		sum += job->number;
 *
 * An element is in at most one list per hook. List and elements lie in one arena, or together
 * in any memory; they hold where it is relocated. Neither may be copied or moved while linked.
 * Zeroed memory is an empty list, and a zeroed hook is not linked.
 *
 * operation                      cost   readers and other writers meanwhile
 * is_empty first last next prev  O(1)   R
 * is_linked                      O(1)   R
 * count check                    O(n)   R
 * push_ pop_ insert_ erase       O(1)   X
 * replace splice_ init           O(1)   X
 *
 * R: any number of readers, in any process; nothing is written. X: nobody else is in the list,
 * nor in the other one for splice_. Pointers to elements stay valid whatever happens to others.
 * Death of a writer: walked forward the list is as before or as after the operation; walked
 * backward it may miss or still show the element. _check() tells.
 */
#include <lendheap/arena.h>
#include <lendheap/compiler.h>
#include <lendheap/instance.h>
#include <lendheap/layout.h>
#include <lendheap/link.h>

#ifdef __cplusplus
extern "C" {
#endif

struct lend_list_hook_shm {
	uint64_t next; /* links (lendheap/link.h): zero leads to the hook itself */
	uint64_t prev;
};
LEND_SHM_SIZEOF(struct lend_list_hook_shm, 16);
LEND_SHM_AT(struct lend_list_hook_shm, next, 0);
LEND_SHM_AT(struct lend_list_hook_shm, prev, 8);

/* A ring of hooks through that of the list. */
struct lend_list_shm {
	struct lend_list_hook_shm ring;
};
LEND_SHM_SIZEOF(struct lend_list_shm, 16);

/*
 * Walk a list, forward. The body must not erase the element it is at; in the second form it
 * may, and `following` is the one after it meanwhile.
 */
#define lend_list_each(instance, element, list)                                                \
	for ((element) = LENDI_JOIN(instance, first)(list); (element);                         \
		(element) = LENDI_JOIN(instance, next)(list, element))
#define lend_list_each_safe(instance, element, following, list)                                \
	for ((element) = LENDI_JOIN(instance, first)(list);                                    \
		(element) && (((following) = LENDI_JOIN(instance, next)(list, element)), 1);   \
		(element) = (following))

/*
 * Called by <instance>_check(): walk every link and that back. With an arena, every element
 * must lie whole in its data, and so the walk is safe and bounded whatever the bytes are; NULL
 * trusts the links to lead to memory. Returns 0; -EUCLEAN with a sentence, -EXDEV the list
 * itself is not in the arena, -ESTALE.
 */
LEND_API int lend_list_check(const struct lend_list_shm *list, size_t hook_offset,
	size_t element_bytes, const struct lend_arena *arena);

static inline struct lend_list_hook_shm *lendi_list_next(const struct lend_list_hook_shm *hook)
{
	return (struct lend_list_hook_shm *)lendi_link_follow(hook, hook->next);
}

static inline struct lend_list_hook_shm *lendi_list_prev(const struct lend_list_hook_shm *hook)
{
	return (struct lend_list_hook_shm *)lendi_link_follow(hook, hook->prev);
}

static inline void lendi_list_join(
	struct lend_list_hook_shm *before, struct lend_list_hook_shm *after)
{
	before->next = lendi_link_to(before, after);
	LENDI_STORE_ORDER();
	after->prev = lendi_link_to(after, before);
}

/* Put the chain first...last between two neighbours. */
static inline void lendi_list_insert(struct lend_list_hook_shm *before,
	struct lend_list_hook_shm *first, struct lend_list_hook_shm *last,
	struct lend_list_hook_shm *after)
{
	first->prev = lendi_link_to(first, before);
	last->next = lendi_link_to(last, after);
	LENDI_STORE_ORDER();
	before->next = lendi_link_to(before, first);
	LENDI_STORE_ORDER();
	after->prev = lendi_link_to(after, last);
}

static inline void lendi_list_erase(struct lend_list_hook_shm *hook)
{
	lendi_list_join(lendi_list_prev(hook), lendi_list_next(hook));
	LENDI_STORE_ORDER();
	hook->next = 0;
	hook->prev = 0;
}

/* Move all of `from` between two neighbours in another list. */
static inline void lendi_list_splice(struct lend_list_hook_shm *before,
	struct lend_list_hook_shm *after, struct lend_list_shm *from)
{
	struct lend_list_hook_shm *first = lendi_list_next(&from->ring);
	struct lend_list_hook_shm *last = lendi_list_prev(&from->ring);

	if (first == &from->ring)
		return;
	from->ring.next = 0;
	from->ring.prev = 0;
	LENDI_STORE_ORDER();
	lendi_list_insert(before, first, last, after);
}

#ifdef __cplusplus
}
#endif

#endif /* LENDHEAP_LIST_H */

/*
 * An instance. Parameters, all undefined at the end:
 *	LEND_LIST       its name
 *	LEND_LIST_TYPE  the type of the elements
 *	LEND_LIST_HOOK  the field of it that is the hook
 */
#ifdef LEND_LIST

#define LENDI_LIST(verb)            LENDI_JOIN(LEND_LIST, verb)
#define LENDI_LIST_OFFSET           offsetof(LEND_LIST_TYPE, LEND_LIST_HOOK)
#define LENDI_LIST_HOOK_OF(element) (&(element)->LEND_LIST_HOOK)

struct LEND_LIST {
	struct lend_list_shm shm;
};

/* Make any memory an empty list. Elements of a list that was there are forgotten. */
LENDI_INSTANCE void LENDI_LIST(init)(struct LEND_LIST *list)
{
	list->shm.ring.next = 0;
	list->shm.ring.prev = 0;
}

LENDI_INSTANCE int LENDI_LIST(is_empty)(const struct LEND_LIST *list)
{
	return list->shm.ring.next == 0;
}

/* 1 when the element is in a list by this hook. Its memory was zeroed before its first use. */
LENDI_INSTANCE int LENDI_LIST(is_linked)(const LEND_LIST_TYPE *element)
{
	return LENDI_LIST_HOOK_OF(element)->next != 0;
}

/* The element of a hook; NULL where the ring comes back to the list. */
LENDI_INSTANCE LEND_LIST_TYPE *LENDI_LIST(lendi_at)(
	const struct LEND_LIST *list, const struct lend_list_hook_shm *hook)
{
	if (hook == &list->shm.ring)
		return NULL;
	return (LEND_LIST_TYPE *)lendi_link_element(hook, LENDI_LIST_OFFSET);
}

/* First, last, next and previous element; NULL when there is none. */
LENDI_INSTANCE LEND_LIST_TYPE *LENDI_LIST(first)(const struct LEND_LIST *list)
{
	return LENDI_LIST(lendi_at)(list, lendi_list_next(&list->shm.ring));
}

LENDI_INSTANCE LEND_LIST_TYPE *LENDI_LIST(last)(const struct LEND_LIST *list)
{
	return LENDI_LIST(lendi_at)(list, lendi_list_prev(&list->shm.ring));
}

LENDI_INSTANCE LEND_LIST_TYPE *LENDI_LIST(next)(
	const struct LEND_LIST *list, const LEND_LIST_TYPE *element)
{
	return LENDI_LIST(lendi_at)(list, lendi_list_next(LENDI_LIST_HOOK_OF(element)));
}

LENDI_INSTANCE LEND_LIST_TYPE *LENDI_LIST(prev)(
	const struct LEND_LIST *list, const LEND_LIST_TYPE *element)
{
	return LENDI_LIST(lendi_at)(list, lendi_list_prev(LENDI_LIST_HOOK_OF(element)));
}

/* How many: counted by a walk. */
LENDI_INSTANCE uint64_t LENDI_LIST(count)(const struct LEND_LIST *list)
{
	const struct lend_list_hook_shm *hook = &list->shm.ring;
	uint64_t count = 0;

	while ((hook = lendi_list_next(hook)) != &list->shm.ring)
		count++;
	return count;
}

/* Link an element that is in no list; its hook may hold anything. */
LENDI_INSTANCE void LENDI_LIST(insert_before)(LEND_LIST_TYPE *at, LEND_LIST_TYPE *element)
{
	struct lend_list_hook_shm *after = LENDI_LIST_HOOK_OF(at);
	struct lend_list_hook_shm *hook = LENDI_LIST_HOOK_OF(element);

	lendi_list_insert(lendi_list_prev(after), hook, hook, after);
}

LENDI_INSTANCE void LENDI_LIST(insert_after)(LEND_LIST_TYPE *at, LEND_LIST_TYPE *element)
{
	struct lend_list_hook_shm *before = LENDI_LIST_HOOK_OF(at);
	struct lend_list_hook_shm *hook = LENDI_LIST_HOOK_OF(element);

	lendi_list_insert(before, hook, hook, lendi_list_next(before));
}

LENDI_INSTANCE void LENDI_LIST(push_front)(struct LEND_LIST *list, LEND_LIST_TYPE *element)
{
	struct lend_list_hook_shm *hook = LENDI_LIST_HOOK_OF(element);

	lendi_list_insert(&list->shm.ring, hook, hook, lendi_list_next(&list->shm.ring));
}

LENDI_INSTANCE void LENDI_LIST(push_back)(struct LEND_LIST *list, LEND_LIST_TYPE *element)
{
	struct lend_list_hook_shm *hook = LENDI_LIST_HOOK_OF(element);

	lendi_list_insert(lendi_list_prev(&list->shm.ring), hook, hook, &list->shm.ring);
}

/* Unlink an element of whichever list it is in: it is the caller's, its hook is zeroed. */
LENDI_INSTANCE void LENDI_LIST(erase)(LEND_LIST_TYPE *element)
{
	lendi_list_erase(LENDI_LIST_HOOK_OF(element));
}

/* Unlink the first or last element and return it; NULL when the list is empty. */
LENDI_INSTANCE LEND_LIST_TYPE *LENDI_LIST(pop_front)(struct LEND_LIST *list)
{
	LEND_LIST_TYPE *element = LENDI_LIST(first)(list);

	if (element)
		LENDI_LIST(erase)(element);
	return element;
}

LENDI_INSTANCE LEND_LIST_TYPE *LENDI_LIST(pop_back)(struct LEND_LIST *list)
{
	LEND_LIST_TYPE *element = LENDI_LIST(last)(list);

	if (element)
		LENDI_LIST(erase)(element);
	return element;
}

/* Put an element that is in no list where another one is, which is then in none. */
LENDI_INSTANCE void LENDI_LIST(replace)(LEND_LIST_TYPE *old, LEND_LIST_TYPE *element)
{
	struct lend_list_hook_shm *hook = LENDI_LIST_HOOK_OF(old);
	struct lend_list_hook_shm *in = LENDI_LIST_HOOK_OF(element);

	lendi_list_insert(lendi_list_prev(hook), in, in, lendi_list_next(hook));
	LENDI_STORE_ORDER();
	hook->next = 0;
	hook->prev = 0;
}

/* Move all elements of another list to the front, or the back, of this one, in their order. */
LENDI_INSTANCE void LENDI_LIST(splice_front)(struct LEND_LIST *list, struct LEND_LIST *from)
{
	lendi_list_splice(&list->shm.ring, lendi_list_next(&list->shm.ring), &from->shm);
}

LENDI_INSTANCE void LENDI_LIST(splice_back)(struct LEND_LIST *list, struct LEND_LIST *from)
{
	lendi_list_splice(lendi_list_prev(&list->shm.ring), &list->shm.ring, &from->shm);
}

/* lend_list_check() of it; arena may be NULL. */
LENDI_INSTANCE_COLD int LENDI_LIST(check)(
	const struct LEND_LIST *list, const struct lend_arena *arena)
{
	return lend_list_check(&list->shm, LENDI_LIST_OFFSET, sizeof(LEND_LIST_TYPE), arena);
}

#undef LENDI_LIST
#undef LENDI_LIST_OFFSET
#undef LENDI_LIST_HOOK_OF
#undef LEND_LIST
#undef LEND_LIST_TYPE
#undef LEND_LIST_HOOK

#endif /* LEND_LIST */
