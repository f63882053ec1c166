/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LENDHEAP_TESTS_COMPAT_REGION_HPP
#define LENDHEAP_TESTS_COMPAT_REGION_HPP

/*
 * A heap in a memfd that two processes may write in turn, each at an address of its own. An arena
 * is lent for reading only; here a visitor can insert too. While a process has one, lend::allocator
 * and lend::fixed_allocator themselves allocate in it: lend_scope_alloc() and lend_free_any() are
 * wrapped by the linker (--wrap) and ask for the region first.
 */
#include <cstddef>
#include <cstdint>

namespace compat
{

constexpr std::size_t region_bytes = std::size_t{16} << 20;

/* Start a heap in fresh memory, or go on with the one that lies there. */
void region_start(void *memory);
void region_go_on(void *memory);

/* The object that the region is about. */
void region_set_root(void *object);
void *region_root();

/* Objects not yet freed. */
std::uint64_t region_live();

/* Words in the region that hold addresses of this process. */
struct pointers {
	int inside;  /* of the region itself */
	int outside; /* of anything else that is mapped */
};
pointers region_pointers();

} // namespace compat

#endif /* LENDHEAP_TESTS_COMPAT_REGION_HPP */
