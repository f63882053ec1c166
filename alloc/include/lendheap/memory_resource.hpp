/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LENDHEAP_MEMORY_RESOURCE_HPP
#define LENDHEAP_MEMORY_RESOURCE_HPP

/*
 * An arena as a std::pmr::memory_resource, for hot data of one process:
 *
 *	lend::memory_resource memory(arena);
 *	std::pmr::unordered_map<int, std::pmr::string> names(&memory);
 *
 * A pmr container holds a pointer to its resource, which is this process's alone, so it cannot
 * be shared; lend::fixed::map and its kin can.
 *
 * Threads: as lend_alloc(). The arena must outlive the resource, and the resource its containers.
 */
#include <memory_resource>

#include <lendheap/error.hpp>
#include <lendheap/scope.hpp>

namespace lend
{

class memory_resource final : public std::pmr::memory_resource
{
      public:
	explicit memory_resource(lend_arena *arena) noexcept : arena_(arena)
	{
	}

	/* Of whatever has its arena at get(): lend::arena. */
	template <class Arena,
		class = decltype(static_cast<lend_arena *>(std::declval<Arena &>().get()))>
	explicit memory_resource(Arena &arena) noexcept : memory_resource(arena.get())
	{
	}

	lend_arena *arena() const noexcept
	{
		return arena_;
	}

      private:
	/* Throws lend::bad_alloc. */
	void *do_allocate(std::size_t bytes, std::size_t alignment) override
	{
		void *memory = lend_alloc_aligned(arena_, bytes, alignment);

		if (!memory)
			throw bad_alloc();
		return memory;
	}

	void do_deallocate(void *memory, std::size_t bytes, std::size_t alignment) override
	{
		lend_free_sized_aligned(arena_, memory, bytes, alignment);
	}

	bool do_is_equal(const std::pmr::memory_resource &other) const noexcept override
	{
#ifdef __GXX_RTTI
		const auto *resource = dynamic_cast<const memory_resource *>(&other);

		return resource && resource->arena_ == arena_;
#else
		return this == &other; /* else pmr containers copy where they could move */
#endif
	}

	lend_arena *arena_;
};

} // namespace lend

#endif /* LENDHEAP_MEMORY_RESOURCE_HPP */
