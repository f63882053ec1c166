/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LENDHEAP_BASE_CRASHPOINT_H
#define LENDHEAP_BASE_CRASHPOINT_H

/*
 * A named place where a test lets the process die as by SIGKILL: between two stores that others
 * see. LEND_CRASHPOINT("root.set.filled") is nothing in the shipped library; in builds with
 * LEND_CRASHPOINTS it costs a load, and dies when it is the armed one.
 */
#ifdef LEND_CRASHPOINTS

/* Die at the count-th passage (1 is the next) of the crash point called name; NULL disarms. */
void lendi_crashpoint_arm(const char *name, unsigned count);

/* Passed at a crash point: dies there if it is armed. */
void lendi_crashpoint_pass(const char *name);

#define LEND_CRASHPOINT(name) lendi_crashpoint_pass(name)
#else
#define LEND_CRASHPOINT(name) ((void)0)
#endif

#endif /* LENDHEAP_BASE_CRASHPOINT_H */
