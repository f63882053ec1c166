/* SPDX-License-Identifier: Apache-2.0 */
/* lend-test: no-valgrind */
/* The claims of test_map.c for the path that a machine without SSE2 takes. */
#undef __SSE2__
#include "unit/test_map.c"
