/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LENDHEAP_ARENA_SEGMENT_H
#define LENDHEAP_ARENA_SEGMENT_H

/*
 * A segment: one file of an arena, mapped at a fixed place. The whole reservation is mapped at
 * once, the file grows with use in coarse steps: growth needs no message to those who map it, and
 * nothing that walks a mapping (a core dump, mlockall, a reader of holes) can fill more memory
 * than the last step.
 *
 * The owner grows and punches; both are safe from several threads.
 */
#include <pthread.h>
#include <stdbool.h>

#include <lendheap/layout.h>

#include "os/os.h"

struct lendi_segment {
	int fd;                  /* read-write */
	bool fallocates;         /* memory is taken from the machine before it is used */
	uint64_t reserved_bytes; /* the file never grows past this */
	uint64_t step_bytes;     /* growth is a multiple of it */
	uintptr_t base;          /* where its owner maps it */
	lend_word64 file_bytes;  /* its size now */
	pthread_mutex_t growing;
};

/*
 * A new memfd, sealed against shrinking and further seals before anyone else can see it: a
 * borrower that writes could otherwise add F_SEAL_FUTURE_WRITE and stop the owner's purging.
 */
int lendi_segment_create(const char *name, uint64_t reserved_bytes, uint64_t step_bytes,
	bool fallocates, struct lendi_segment *out_segment);

/* An unnamed file in a directory, which must be on a tmpfs; cannot be sealed; fallocates. */
int lendi_segment_create_in(const char *directory, uint64_t reserved_bytes, uint64_t step_bytes,
	struct lendi_segment *out_segment);

/* Close it; mappings stay. */
void lendi_segment_close(struct lendi_segment *segment);

/* Let the file reach to end at least. 0; -ENOSPC, -EFBIG (RLIMIT_FSIZE) and nothing changed. */
int lendi_segment_grow(struct lendi_segment *segment, uint64_t end);

/*
 * Make bytes at offset usable: the file reaches past them, and they are backed if the segment
 * fallocates. 0; -ENOSPC, -ENOMEM, -EFBIG (RLIMIT_FSIZE) and then nothing changed.
 */
int lendi_segment_commit(struct lendi_segment *segment, uint64_t offset, uint64_t bytes);

/* Give the memory behind whole pages back; they read as zeroes after. 0, or fallocate's error. */
int lendi_segment_punch(struct lendi_segment *segment, uint64_t offset, uint64_t bytes);

#define LENDI_HUGE_PAGE_BYTES (UINT64_C(2) << 20)

/*
 * Put a huge page behind the 2 MiB at offset, a multiple of that, of a mapped segment; what lies
 * there stays. 0; -EFBIG the file ends before, or madvise's error (-EINVAL the kernel does not do
 * this, -ENOMEM it has none to give).
 */
int lendi_segment_take_huge(struct lendi_segment *segment, uint64_t offset);

/* Memory behind the file now, from the kernel; 0 when it cannot tell. */
uint64_t lendi_segment_resident_bytes(const struct lendi_segment *segment);

/*
 * Map bytes of fd at offset at exactly this address. 0; -EADDRINUSE something is mapped there,
 * or mmap's error.
 */
int lendi_map_at(uintptr_t at, uint64_t bytes, int prot, int fd, uint64_t offset);

void lendi_unmap(uintptr_t at, uint64_t bytes);

#endif /* LENDHEAP_ARENA_SEGMENT_H */
