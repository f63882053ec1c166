/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LENDHEAP_COMPILER_H
#define LENDHEAP_COMPILER_H

/* An exported function of the C ABI. Everything else in the library is hidden. */
#define LEND_API __attribute__((visibility("default")))

#define LEND_LIKELY(x)     __builtin_expect(!!(x), 1)
#define LEND_UNLIKELY(x)   __builtin_expect(!!(x), 0)
#define LEND_PRINTF(f, a)  __attribute__((format(printf, f, a)))
#define LEND_ALWAYS_INLINE static inline __attribute__((always_inline))
#define LEND_NOINLINE      __attribute__((noinline))

#endif /* LENDHEAP_COMPILER_H */
