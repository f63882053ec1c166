/* SPDX-License-Identifier: Apache-2.0 */
/* STANDIN */
#pragma once
#include <lendheap/arena.h>
namespace lend { template <class T> lend_type type_of() { return lend_type{__PRETTY_FUNCTION__, sizeof(T), alignof(T), 1}; } }
