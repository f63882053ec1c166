/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LENDHEAP_PTR_BOOST_HPP
#define LENDHEAP_PTR_BOOST_HPP

/*
 * Tag bits in lend::offset_ptr for Boost.Intrusive, whose trees keep a node's colour or balance
 * in its parent pointer (optimize_size<true>). Include it before such a container is used:
 *
 *	#include <lendheap/ptr_boost.hpp>
 *	using hook = boost::intrusive::set_base_hook<
 *		boost::intrusive::void_pointer<lend::offset_ptr<void>>,
 *		boost::intrusive::optimize_size<true>>;
 *
 * It includes nothing of Boost: the two templates are declared here as Boost declares them.
 *
 * The distance from an aligned pointer to an aligned target ends in zero bits; that of null is
 * 1. The tag lies from bit 1 of the distance on, so a tagged null stays null. Touch a tagged
 * pointer through pointer_plus_bits only: a copy would take the tag for a part of the distance.
 */
#include <cassert>
#include <cstddef>
#include <cstdint>

#include <lendheap/ptr.hpp>

namespace lend::detail
{

/* Bits below the alignment of target and pointer, less the one that tells null. */
constexpr std::size_t tag_bits(std::size_t alignment)
{
	return alignment >= 8 ? 2 : alignment >= 4 ? 1 : 0;
}

} // namespace lend::detail

namespace boost::intrusive
{

template <class VoidPointer, std::size_t Alignment> struct max_pointer_plus_bits;

template <class Pointer, std::size_t NumBits> struct pointer_plus_bits;

template <std::size_t Alignment>
struct max_pointer_plus_bits<lend::offset_ptr<void>, Alignment> {
	static const std::size_t value = lend::detail::tag_bits(Alignment);
};

template <class T, std::size_t NumBits> struct pointer_plus_bits<lend::offset_ptr<T>, NumBits> {
	static_assert(NumBits <= lend::detail::tag_bits(8), "no room for the tag");

	using pointer = lend::offset_ptr<T>;

	static pointer get_pointer(const pointer &tagged) noexcept
	{
		pointer clean;

		access::set_stored(
			clean, lendi_ptr_moved(access::place(clean), access::place(tagged),
				       (distance(tagged) & ~mask) - 1));
		return clean;
	}

	static void set_pointer(pointer &tagged, const pointer &target) noexcept
	{
		const std::uint64_t tag = distance(tagged) & mask;

		assert((distance(target) & mask) == 0);
		tagged = target;
		access::set_stored(tagged, (distance(tagged) | tag) - 1);
	}

	static std::size_t get_bits(const pointer &tagged) noexcept
	{
		return (distance(tagged) & mask) >> 1;
	}

	static void set_bits(pointer &tagged, std::size_t bits) noexcept
	{
		assert(bits <= mask >> 1);
		access::set_stored(tagged, ((distance(tagged) & ~mask) | bits << 1) - 1);
	}

      private:
	using access = lend::detail::offset_ptr_access;

	static constexpr std::uint64_t mask = ((std::uint64_t{1} << NumBits) - 1) << 1;

	static std::uint64_t distance(const pointer &p) noexcept
	{
		return access::stored(p) + 1;
	}
};

} // namespace boost::intrusive

#endif /* LENDHEAP_PTR_BOOST_HPP */
