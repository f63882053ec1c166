/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LENDHEAP_INSTANCE_H
#define LENDHEAP_INSTANCE_H

/*
 * What the container headers are made with; not for use elsewhere.
 *
 * LENDI_JOIN(a, b): the name a_b, after both are expanded.
 * LENDI_INSTANCE, LENDI_INSTANCE_COLD: how a function of an instance is declared; not every
 * program calls all of them.
 * LENDI_STORE_ORDER(): stores before it are made before those after it, as one sees them who
 * looks after their writer was killed. A process stops between two instructions, and x86 shows
 * its stores in their order; so it is enough that the compiler keeps it.
 */
#define LENDI_JOIN(a, b)     LENDI_JOIN_RAW(a, b)
#define LENDI_JOIN_RAW(a, b) a##_##b
#define LENDI_INSTANCE       static inline __attribute__((unused))
#define LENDI_INSTANCE_COLD  static __attribute__((unused, noinline, cold))
#define LENDI_STORE_ORDER()  __atomic_signal_fence(__ATOMIC_RELEASE)

#endif /* LENDHEAP_INSTANCE_H */
