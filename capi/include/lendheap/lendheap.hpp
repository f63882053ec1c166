/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LENDHEAP_LENDHEAP_HPP
#define LENDHEAP_LENDHEAP_HPP

/*
 * The whole of lendheap's C++17 interface, but for Boost's containers (lendheap/boost.hpp); each
 * header it includes says what it offers, and docs/cpp.md which one to take when. All of it is
 * templates and inline functions over the C interface, so a program links the same library.
 */
#include <lendheap/lendheap.h>

#include <lendheap/error.hpp>
#include <lendheap/ptr.hpp>
#include <lendheap/scope.hpp>
#include <lendheap/allocator.hpp>
#include <lendheap/memory_resource.hpp>
#include <lendheap/traits.hpp>
#include <lendheap/type.hpp>
#include <lendheap/hashing.hpp>
#include <lendheap/fixed.hpp>
#include <lendheap/unique.hpp>
#include <lendheap/shared.hpp>
#include <lendheap/arena.hpp>

#endif /* LENDHEAP_LENDHEAP_HPP */
