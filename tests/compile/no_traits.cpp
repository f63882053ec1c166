/* SPDX-License-Identifier: Apache-2.0 */
/* What does not go into an arena: the compiler says why, and what to use. */
#include <any>
#include <atomic>
#include <functional>
#include <memory>
#include <memory_resource>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include <lendheap/traits.hpp>

struct plain {
	int a;
	int *p;
};

class hidden
{
	int a_;
	int *p_;

      public:
	hidden();
};

struct speaks {
	virtual void speak();
};

struct nested {
	int a;
	std::vector<speaks> all;
};

template <class T> struct heap {
	using value_type = T;
	heap();
	template <class U> heap(const heap<U> &);
	T *allocate(std::size_t);
	void deallocate(T *, std::size_t);
};

struct five {
	long a[5];
};

struct unwanted {
};
template <> inline constexpr lend::sharing lend::sharing_of<unwanted> = lend::sharing::refused;

struct stays {
};
template <> inline constexpr lend::sharing lend::sharing_of<stays> = lend::sharing::fixed;

void fixed_takes_these()
{
	lend::detail::require_shareable<plain>();
	lend::detail::require_shareable<hidden>();
	lend::detail::require_shareable<stays>();
	lend::detail::require_shareable<std::vector<int, heap<int>>>();
	lend::detail::require_relocatable<lend::offset_ptr<plain>>();
}

void fixed_refuses_these()
{
/* lend-test: case 1 expects "a reference does not go into an arena: use a pointer" */
#if CASE == 1
	lend::detail::require_shareable<int &>();
/* lend-test: case 2 expects "functions lie elsewhere in other processes: store an enum" */
#elif CASE == 2
	lend::detail::require_shareable<void (*)()>();
/* lend-test: case 3 expects "use std::variant of function objects" */
#elif CASE == 3
	lend::detail::require_shareable<std::function<void()>>();
/* lend-test: case 4 expects "use std::variant (docs/recipes.md)" */
#elif CASE == 4
	lend::detail::require_shareable<speaks>();
/* lend-test: case 5 expects "use lend::fixed::string, lend::fixed::vector and so on" */
#elif CASE == 5
	lend::detail::require_shareable<nested>();
/* lend-test: case 6 expects "use lend::unique<T>" */
#elif CASE == 6
	lend::detail::require_shareable<std::unique_ptr<plain>>();
/* lend-test: case 7 expects "use lend::shared<T>" */
#elif CASE == 7
	lend::detail::require_shareable<std::pair<int, std::shared_ptr<plain>>>();
/* lend-test: case 8 expects "pmr containers point to a resource with virtual functions" */
#elif CASE == 8
	lend::detail::require_shareable<std::pmr::string>();
/* lend-test: case 9 expects "std::any points into this process" */
#elif CASE == 9
	lend::detail::require_shareable<std::any>();
/* lend-test: case 10 expects "locks and threads of std work in one process alone" */
#elif CASE == 10
	lend::detail::require_shareable<std::mutex>();
/* lend-test: case 11 expects "use one that is lock-free" */
#elif CASE == 11
	lend::detail::require_shareable<std::atomic<five>>();
/* lend-test: case 12 expects "its author says that this type does not go into an arena" */
#elif CASE == 12
	lend::detail::require_shareable<unwanted[3]>();
/* lend-test: case 13 expects "only objects go into an arena" */
#elif CASE == 13
	lend::detail::require_shareable<void>();
#endif
}

void relocated_refuses_these()
{
/* lend-test: case 14 expects "use lend::offset_ptr<T>" */
#if CASE == 14
	lend::detail::require_relocatable<plain>();
/* lend-test: case 15 expects "use lend::offset_ptr<T> and a count" */
#elif CASE == 15
	lend::detail::require_relocatable<std::string_view>();
/* lend-test: case 16 expects "use lend::vector, lend::map and so on" */
#elif CASE == 16
	lend::detail::require_relocatable<std::vector<int, heap<int>>>();
/* lend-test: case 17 expects "name its fields with LEND_FIELDS" */
#elif CASE == 17
	lend::detail::require_relocatable<hidden>();
/* lend-test: case 18 expects "its author says that this type does not hold" */
#elif CASE == 18
	lend::detail::require_relocatable<stays>();
/* lend-test: case 19 expects "use std::variant (docs/recipes.md)" */
#elif CASE == 19
	lend::detail::require_relocatable<std::vector<speaks, heap<speaks>>>();
#endif
}

/* LEND_FIELDS names each field, and fields only. */
class forgetful
{
	int a_;
	int *p_;
#if CASE == 0
	LEND_FIELDS(forgetful, a_, p_)
/* lend-test: case 20 expects "only 1 name" */
#elif CASE == 20
	LEND_FIELDS(forgetful, a_)
/* lend-test: case 21 expects "b_" */
#elif CASE == 21
	LEND_FIELDS(forgetful, a_, b_)
#endif
      public:
	forgetful();
};

static_assert(!lend::is_relocatable_v<forgetful>);
