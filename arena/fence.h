/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LENDHEAP_ARENA_FENCE_H
#define LENDHEAP_ARENA_FENCE_H

/*
 * The fence: a memfd of its own whose POSIX record lock says which process owns an arena. The
 * kernel gives one process the lock and takes it back at that process's death, in every
 * namespace, also from zombies and past forked children.
 *
 * POSIX locks have two traps. A process can take its own lock again, so locked fences are kept in
 * a list of this process. And closing any FD of the file drops the lock in silence: the fence's
 * FD is never duplicated, mapped or shown to the application, and lendi_fence_held() asks the
 * kernel before critical steps.
 */
#include <stdbool.h>
#include <stdint.h>

struct lendi_fence {
	int fd;
	uint64_t inode;           /* of the locked file, 0 when not locked */
	int32_t pid;              /* of the process that locked it */
	uint64_t fork_epoch;      /* of the process image that locked it */
	struct lendi_fence *next; /* of those this process has locked */
};

/* A new fence, locked by this process. 0, or a system call's error. */
int lendi_fence_create(struct lendi_fence *out_fence);

/*
 * Lock the fence behind fd without waiting; fd becomes the fence's. 0; -EBUSY another process, or
 * another part of this one, holds it; then fd stays the caller's, open: closing it where this
 * very process holds the lock would drop that.
 */
int lendi_fence_lock(int fd, struct lendi_fence *out_fence);

/* Unlock and close. */
void lendi_fence_release(struct lendi_fence *fence);

/* Forget a fence that is not there any more: its FD's number may be another file's. */
void lendi_fence_abandon(struct lendi_fence *fence);

/* Is the fence's FD still the fence's? No: something closed it, and perhaps our others with it. */
bool lendi_fence_is_there(const struct lendi_fence *fence);

/* Does this process still hold the lock? One system call. */
bool lendi_fence_held(const struct lendi_fence *fence);

#endif /* LENDHEAP_ARENA_FENCE_H */
