/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LENDHEAP_PTR_H
#define LENDHEAP_PTR_H

/*
 * A self-relative pointer: eight bytes that say how far its target lies from the pointer. Where
 * both move together, as in an arena that is mapped at another address, it still holds.
 *
 *	struct node {
 *		LEND_PTR(struct node) next;
 *		uint64_t value;
 *	};
 *	lend_ptr_set(&n->next, target);
 *	for (n = lend_ptr_get(&list->first); n; n = lend_ptr_get(&n->next))
 *		sum += n->value;
 *
 * Null is all bits zero, so zeroed memory holds null pointers. A pointer may point to itself.
 * The one target that cannot be stored is the second byte of the pointer.
 *
 * What does not hold:
 * - memcpy and realloc break self-relative pointers, and so does `*a = *b` in C: at another
 *   address the bytes mean another place. Copy with lend_ptr_copy(), pointer by pointer; a
 *   container that grows needs a callback that does so. C++ refuses the assignment.
 * - Between two arenas it breaks when one of them is mapped elsewhere than at its window place.
 *   For those there is lend_ref (lendheap/ref.h), and raw pointers while all arenas are fixed.
 * - A raw pointer beside it still names the address at which the arena was made.
 *
 * Threads and processes: a plain word. What publishes the object around it (a root, a release)
 * publishes it too; it is not atomic by itself. Who follows a pointer trusts who wrote it.
 */
#include <assert.h>
#include <stdint.h>

#include <lendheap/compiler.h>
#include <lendheap/layout.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * The word in memory: target - address of the word - 1, modulo 2^64; 0 is null. The bits are
 * those of lend::offset_ptr<T> (lendheap/ptr.hpp). Why this null: docs/decisions, 0002.
 *
 * In C++ a copy of the word relocates, which makes it not trivially copyable: a LEND_PTR then
 * has no copy at all, and no template takes a struct that holds one for something to memcpy.
 */
struct lend_ptr_shm {
	uint64_t stored;
#ifdef __cplusplus
	lend_ptr_shm() = default;
	inline lend_ptr_shm(const lend_ptr_shm &from);
	inline lend_ptr_shm &operator=(const lend_ptr_shm &from);
#endif
};
LEND_SHM_SIZEOF(struct lend_ptr_shm, 8);
LEND_SHM_AT(struct lend_ptr_shm, stored, 0);

/*
 * A field that points to a type, complete or not: LEND_PTR(struct node) next. Nothing reads or
 * writes lend_type; it carries the type to the accessors.
 */
#define LEND_PTR(type)                                                                         \
	union {                                                                                \
		struct lend_ptr_shm shm;                                                       \
		__typeof__(type) *lend_type;                                                   \
	}

/* Initialises a LEND_PTR to null where no zeroing does. */
/* clang-format off */
#ifdef __cplusplus
#define LEND_PTR_NULL {}
#else
#define LEND_PTR_NULL {{0}}
#endif
/* clang-format on */

/*
 * The accessors take the address of a LEND_PTR and evaluate each argument once.
 *
 * lend_ptr_set(pointer, target): point at target, NULL or what a `type *` can be assigned from.
 * lend_ptr_get(pointer): the target as `type *`, NULL for null.
 * lend_ptr_get_raw(pointer): the same where it is known not to be null: one add, no check.
 * lend_ptr_is_null(pointer): 1 or 0.
 * lend_ptr_copy(to, from): point where the other points; both may be the same one.
 */
#define lend_ptr_set(pointer, target)                                                          \
	lendi_ptr_set(&(pointer)->shm, (uintptr_t)LENDI_PTR_CHECKED(pointer, target))
#define lend_ptr_get(pointer)     LENDI_PTR_TYPED(pointer, lendi_ptr_get(&(pointer)->shm))
#define lend_ptr_get_raw(pointer) LENDI_PTR_TYPED(pointer, lendi_ptr_get_raw(&(pointer)->shm))
#define lend_ptr_is_null(pointer) ((pointer)->shm.stored == 0)
#define lend_ptr_copy(to, from)                                                                \
	((void)sizeof(LENDI_PTR_CHECKED(to, (from)->lend_type)),                               \
		lendi_ptr_copy(&(to)->shm, &(from)->shm))

/*
 * Fold what this header lays down into a layout hash, so that two processes that store pointers
 * differently refuse each other.
 */
static inline uint64_t lend_ptr_layout_fold(uint64_t hash)
{
	hash = lend_layout_fold(hash, sizeof(struct lend_ptr_shm));
	return lend_layout_fold(hash, 1); /* what is subtracted */
}

/*
 * From here on: how the above is made; names with lendi_ are not for use elsewhere.
 *
 * CHECKED converts as an assignment does, no more; TYPED gives what lendi_ptr_get returns its
 * type back. The comma makes a value of the field, which drops the const of a const struct.
 */
#ifdef __cplusplus
#define LENDI_PTR_CHECKED(pointer, target) (decltype((pointer)->lend_type){target})
#define LENDI_PTR_TYPED(pointer, value)    (static_cast<decltype((pointer)->lend_type)>(value))
#else
#define LENDI_PTR_CHECKED(pointer, target) ((__typeof__((pointer)->lend_type)){(target)})
#define LENDI_PTR_TYPED(pointer, value)    ((LENDI_PTR_TYPEOF((pointer)->lend_type))(value))
#define LENDI_PTR_TYPEOF(field)            __typeof__(((void)0, (field)))
#endif

/* Lets the compiler drop the second null check of a loop over lend_ptr_get(). */
#define LENDI_PTR_ASSUME(condition) ((condition) ? (void)0 : __builtin_unreachable())

/*
 * Addresses are integers here. Of pointers the compiler may assume that a sum stays inside the
 * object it started from, and this one never does. self is where the word lies.
 */
static inline uintptr_t lendi_ptr_address(uintptr_t self, uint64_t stored)
{
	return self + stored + 1;
}

/*
 * An address to read and write through. GCC's last passes take a sum with the address of a
 * local, integers or not, for a place in the stack frame, and then move a write through it
 * behind a read of the target; so they get a value whose origin they cannot see. It costs no
 * instruction.
 */
static inline void *lendi_ptr_decode_raw(uintptr_t self, uint64_t stored)
{
	uintptr_t address = lendi_ptr_address(self, stored);

#ifndef __clang__
	__asm__("" : "+r"(address));
#endif
	return (void *)address;
}

static inline void *lendi_ptr_decode(uintptr_t self, uint64_t stored)
{
	void *target;

	if (stored == 0)
		return NULL;
	target = lendi_ptr_decode_raw(self, stored);
	LENDI_PTR_ASSUME(target != NULL);
	return target;
}

static inline uint64_t lendi_ptr_encode(uintptr_t self, uintptr_t target)
{
	uint64_t stored;

	if (target == 0)
		return 0;
	stored = target - self - 1;
	assert(stored != 0); /* the second byte of the pointer itself */
	LENDI_PTR_ASSUME(stored != 0);
	return stored;
}

/* The bits that mean at `to` what stored means at `from`. */
static inline uint64_t lendi_ptr_moved(uintptr_t to, uintptr_t from, uint64_t stored)
{
	uint64_t moved;

	if (stored == 0)
		return 0;
	moved = stored + (from - to);
	LENDI_PTR_ASSUME(moved != 0);
	return moved;
}

static inline void lendi_ptr_set(struct lend_ptr_shm *pointer, uintptr_t target)
{
	pointer->stored = lendi_ptr_encode((uintptr_t)pointer, target);
}

static inline void *lendi_ptr_get(const struct lend_ptr_shm *pointer)
{
	return lendi_ptr_decode((uintptr_t)pointer, pointer->stored);
}

static inline void *lendi_ptr_get_raw(const struct lend_ptr_shm *pointer)
{
	return lendi_ptr_decode_raw((uintptr_t)pointer, pointer->stored);
}

static inline void lendi_ptr_copy(struct lend_ptr_shm *to, const struct lend_ptr_shm *from)
{
	to->stored = lendi_ptr_moved((uintptr_t)to, (uintptr_t)from, from->stored);
}

#ifdef __cplusplus
inline lend_ptr_shm::lend_ptr_shm(const lend_ptr_shm &from)
{
	lendi_ptr_copy(this, &from);
}

inline lend_ptr_shm &lend_ptr_shm::operator=(const lend_ptr_shm &from)
{
	lendi_ptr_copy(this, &from);
	return *this;
}
#endif

#ifdef __cplusplus
}
#endif

#endif /* LENDHEAP_PTR_H */
