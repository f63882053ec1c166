/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LENDHEAP_BASE_ERROR_H
#define LENDHEAP_BASE_ERROR_H

#include <lendheap/error.h>

/*
 * Keep a sentence about a failure for this thread and return err, so that a function fails in one
 * line: return lendi_fail(-EPROTO, "slot %u: magic 0x%x", slot, magic). Call it where the failure
 * is understood; callers above pass err on and add nothing.
 */
int lendi_fail(int err, const char *format, ...) LEND_PRINTF(2, 3);

/* The same for a system call that just failed: the sentence ends in errno's text. */
int lendi_fail_errno(int err, const char *format, ...) LEND_PRINTF(2, 3);

/*
 * The application broke a rule of the interface (a foreign free, a double free). Builds with
 * LENDHEAP_CHECKS print the sentence and abort, since the stack is the evidence; others return,
 * and the caller counts it and changes nothing.
 */
void lendi_misuse(const char *format, ...) LEND_PRINTF(1, 2);

#endif /* LENDHEAP_BASE_ERROR_H */
