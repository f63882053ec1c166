/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LENDHEAP_LENDHEAP_H
#define LENDHEAP_LENDHEAP_H

/*
 * The whole of lendheap's C interface. A program that allocates, shares and opens needs only
 * this; each header it includes says what it offers.
 */
#include <lendheap/error.h>
#include <lendheap/deadline.h>
#include <lendheap/ptr.h>
#include <lendheap/ref.h>
#include <lendheap/window.h>
#include <lendheap/arena.h>
#include <lendheap/alloc.h>
#include <lendheap/scope.h>
#include <lendheap/session.h>
#include <lendheap/share.h>

#define LEND_VERSION_MAJOR 0
#define LEND_VERSION_MINOR 1
#define LEND_VERSION_PATCH 0

#ifdef __cplusplus
extern "C" {
#endif

/* The version of the library that is loaded, "0.1.0"; a program was built with the macros above. */
LEND_API const char *lend_version(void);

#ifdef __cplusplus
}
#endif

#endif /* LENDHEAP_LENDHEAP_H */
