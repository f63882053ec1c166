/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LENDHEAP_SCOPE_HPP
#define LENDHEAP_SCOPE_HPP

/*
 * While a lend::scope lives, allocators without state allocate in its arena:
 *
 *	lend::scope in(arena);
 *	auto &words = *arena.construct<lend::fixed::vector<lend::fixed::string>>("words");
 *	words.push_back("Bonn");
 *
 * It is the thread's that made it, and scopes nest (lendheap/scope.h). Freeing needs none.
 */
#include <utility>

#include <lendheap/scope.h>

namespace lend
{

class [[nodiscard]] scope
{
      public:
	explicit scope(lend_arena *arena) noexcept : outer_(lend_scope_enter(arena))
	{
	}

	/* Of whatever has its arena at get(): lend::arena. */
	template <class Arena,
		class = decltype(static_cast<lend_arena *>(std::declval<Arena &>().get()))>
	explicit scope(Arena &arena) noexcept : scope(arena.get())
	{
	}

	~scope()
	{
		lend_scope_leave(outer_);
	}

	scope(const scope &) = delete;
	scope &operator=(const scope &) = delete;

      private:
	lend_arena *outer_;
};

} // namespace lend

#endif /* LENDHEAP_SCOPE_HPP */
