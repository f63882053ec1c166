/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <pthread.h>
#include <sys/mman.h>

#include "os/os.h"

/*
 * The epoch word lies in a page that the kernel hands to a child as zeroes, and the last number
 * given out in ordinary memory, which the child inherits. So a child finds 0 and takes the next.
 */
static uint64_t *epoch_word; /* NULL: there was no such page to be had */
static uint64_t last_epoch;
static pthread_once_t once = PTHREAD_ONCE_INIT;

int lendi_map_wiped(size_t bytes, void **out_at)
{
	void *at = lendi_os.mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	int err;

	if (at == MAP_FAILED)
		return lendi_fail_errno(-errno, "%zu bytes for a thread's cache", bytes);
	if (lendi_os.madvise(at, bytes, MADV_WIPEONFORK)) {
		err = lendi_fail_errno(
			-errno, "MADV_WIPEONFORK (Linux 4.14 or later is needed)");
		(void)lendi_os.munmap(at, bytes);
		return err;
	}
	/* Only keeps core dumps small; a kernel that refuses it does no harm. */
	(void)lendi_os.madvise(at, bytes, MADV_DONTDUMP);
	*out_at = at;
	return 0;
}

static void map_epoch_word(void)
{
	void *at = NULL;

	if (lendi_map_wiped(4096, &at) == 0)
		/* WORD: release; the page is mapped. */
		__atomic_store_n(&epoch_word, (uint64_t *)at, __ATOMIC_RELEASE);
}

uint64_t lendi_fork_epoch(void)
{
	uint64_t *word;
	uint64_t epoch;
	uint64_t fresh;

	/* WORD: acquire; pthread_once() is a call into libc. */
	word = __atomic_load_n(&epoch_word, __ATOMIC_ACQUIRE);
	if (LEND_UNLIKELY(!word)) {
		(void)pthread_once(&once, map_epoch_word);
		word = epoch_word;
	}
	if (LEND_UNLIKELY(!word))
		return (uint64_t)lendi_os.getpid(); /* slower, and a vfork child differs too */
	epoch = __atomic_load_n(word, __ATOMIC_RELAXED);
	if (LEND_LIKELY(epoch))
		return epoch;

	/* Relaxed: a number, it publishes nothing; racing threads agree by the exchange. */
	fresh = __atomic_add_fetch(&last_epoch, 1, __ATOMIC_RELAXED);
	if (__atomic_compare_exchange_n(
		    word, &epoch, fresh, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		return fresh;
	return epoch;
}
