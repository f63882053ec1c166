/* SPDX-License-Identifier: Apache-2.0 */
/* lend-test: timeout=120 no-valgrind */
/*
 * Beside Boost.Interprocess: its offset pointers in our arenas, and ours in its segments. Each
 * structure is made in this process, then walked in a fresh one, at another address too.
 */
#include "support/suite.h"

#if !__has_include(<boost/version.hpp>)

int main()
{
	return suite_skip("Boost's headers are not installed");
}

#else

#include <cstdint>
#include <functional>
#include <new>
#include <string>
#include <utility>

#include <lendheap/boost.hpp>
#include <lendheap/lendheap.hpp>

#include <boost/interprocess/containers/list.hpp>
#include <boost/interprocess/containers/map.hpp>
#include <boost/interprocess/containers/string.hpp>
#include <boost/interprocess/containers/vector.hpp>
#include <boost/interprocess/managed_external_buffer.hpp>
#include <boost/interprocess/managed_shared_memory.hpp>
#include <boost/interprocess/offset_ptr.hpp>
#include <boost/intrusive/list.hpp>
#include <boost/intrusive/set.hpp>

#include "support/relocate.h"
#include "support/tools.h"
#include "support/visit.h"

namespace
{

namespace bi = boost::intrusive;
namespace bip = boost::interprocess;

constexpr int built = 500;
constexpr int grown = 700; /* after a visitor has added its own */

std::string text(int i)
{
	return (i % 2 ? "a text that is too long to lie inside of a string object " : "text ") +
	       std::to_string(i);
}

/* Theirs in ours: an arena with bip::offset_ptr in it. */

template <class T> class their_allocator
{
      public:
	using value_type = T;
	using pointer = bip::offset_ptr<T>;

	their_allocator() = default;

	template <class U> their_allocator(const their_allocator<U> &) noexcept
	{
	}

	pointer allocate(std::size_t count)
	{
		return lend::fixed_allocator<T>().allocate(count);
	}

	void deallocate(const pointer &memory, std::size_t count) noexcept
	{
		lend::fixed_allocator<T>().deallocate(memory.get(), count);
	}

	template <class U> bool operator==(const their_allocator<U> &) const noexcept
	{
		return true;
	}

	template <class U> bool operator!=(const their_allocator<U> &) const noexcept
	{
		return false;
	}
};

using their_hook = bi::void_pointer<bip::offset_ptr<void>>;

struct their_item : bi::list_base_hook<their_hook>,
		    bi::set_base_hook<their_hook, bi::optimize_size<true>> {
	int value = 0;

	friend bool operator<(const their_item &a, const their_item &b)
	{
		return a.value < b.value;
	}
};

using their_string = bip::basic_string<char, std::char_traits<char>, their_allocator<char>>;

struct theirs {
	bip::vector<int, their_allocator<int>> numbers;
	bip::list<their_string, their_allocator<their_string>> list;
	bip::map<int, their_string, std::less<int>,
		their_allocator<std::pair<const int, their_string>>>
		map;
	bi::list<their_item> items;
	bi::set<their_item> tree;
	bip::offset_ptr<their_item> last;
};

void add(theirs &t, int i)
{
	auto *it = ::new (lend::fixed_allocator<their_item>().allocate(1)) their_item;

	it->value = i;
	t.numbers.push_back(i);
	t.list.push_back(their_string(text(i).c_str()));
	t.map.emplace(i, text(i).c_str());
	t.items.push_back(*it);
	t.tree.insert(*it);
	t.last = it;
}

bool is_whole(const theirs &t, int count)
{
	auto line = t.list.begin();
	auto item = t.items.begin();
	auto node = t.tree.begin();

	for (int i = 0; i < count; i++, ++line, ++item, ++node) {
		auto found = t.map.find(i);

		if (t.numbers[std::size_t(i)] != i || *line != text(i).c_str() ||
			item->value != i || node->value != i)
			return false;
		if (found == t.map.end() || found->second != text(i).c_str())
			return false;
	}
	return line == t.list.end() && item == t.items.end() && node == t.tree.end() &&
	       t.numbers.size() == std::size_t(count) && t.map.find(count) == t.map.end() &&
	       t.last->value == count - 1;
}

const lend_type theirs_type = LEND_TYPE(theirs, 1);

int look(const lend_arena *arena, int count)
{
	const void *object;

	CHILD_CHECK(lend_root_get(arena, "theirs", theirs_type, &object) == 0);
	return is_whole(*static_cast<const theirs *>(object), count) ? 0 : 2;
}

int look_at_built(const lend_arena *arena, int)
{
	return look(arena, built);
}

int look_at_grown(const lend_arena *arena, int)
{
	return look(arena, grown);
}

const visitor visitors[] = {VISITOR(look_at_built), VISITOR(look_at_grown)};

void their_structures_hold_in_our_arena(visit_place place)
{
	lend::arena arena("theirs");
	lend::scope in(arena);
	auto *t = arena.make<theirs>();

	CU_ASSERT_EQUAL_FATAL(lend_root_set(arena.get(), "theirs", theirs_type, t), 0);
	for (int i = 0; i < built; i++)
		add(*t, i);
	CU_ASSERT_EQUAL(visit(arena.get(), place, "look_at_built"), 0);
	for (int i = built; i < grown; i++)
		add(*t, i);
	CU_ASSERT_EQUAL(visit(arena.get(), place, "look_at_grown"), 0);
}

void their_structures_hold_in_our_arena_at_its_place()
{
	their_structures_hold_in_our_arena(VISIT_FIXED);
}

void their_structures_hold_in_our_arena_relocated()
{
	their_structures_hold_in_our_arena(VISIT_RELOCATED);
}

/* Ours in theirs: a managed segment with lend::offset_ptr in it. */

template <class T, class Manager> class segment_allocator
{
      public:
	using value_type = T;
	using pointer = lend::offset_ptr<T>;
	using const_pointer = lend::offset_ptr<const T>;
	using void_pointer = lend::offset_ptr<void>;
	using const_void_pointer = lend::offset_ptr<const void>;

	template <class U> struct rebind {
		using other = segment_allocator<U, Manager>;
	};

	segment_allocator(Manager *manager) noexcept : manager_(manager)
	{
	}

	template <class U>
	segment_allocator(const segment_allocator<U, Manager> &other) noexcept
	    : manager_(other.manager())
	{
	}

	pointer allocate(std::size_t count)
	{
		return static_cast<T *>(manager_->allocate(count * sizeof(T)));
	}

	void deallocate(const pointer &memory, std::size_t) noexcept
	{
		manager_->deallocate(memory.get());
	}

	Manager *manager() const noexcept
	{
		return manager_.get();
	}

	template <class U>
	bool operator==(const segment_allocator<U, Manager> &other) const noexcept
	{
		return manager() == other.manager();
	}

	template <class U>
	bool operator!=(const segment_allocator<U, Manager> &other) const noexcept
	{
		return !(*this == other);
	}

      private:
	lend::offset_ptr<Manager> manager_;
};

/* As C sees it too. */
struct c_node {
	LEND_PTR(struct c_node) next;
	int value;
};

using our_hook = bi::void_pointer<lend::offset_ptr<void>>;

struct our_item : bi::set_base_hook<our_hook, bi::optimize_size<true>> {
	int value = 0;

	friend bool operator<(const our_item &a, const our_item &b)
	{
		return a.value < b.value;
	}
};

template <class Manager> struct ours {
	template <class T> using allocator = segment_allocator<T, Manager>;
	using string =
		boost::container::basic_string<char, std::char_traits<char>, allocator<char>>;

	boost::container::map<int, string, std::less<int>,
		allocator<std::pair<const int, string>>>
		map;
	boost::unordered_map<int, int, boost::hash<int>, std::equal_to<int>,
		allocator<std::pair<const int, int>>>
		table;
	std::vector<int, allocator<int>> numbers;
	bi::set<our_item> tree;
	LEND_PTR(struct c_node) first; /* the newest */

	explicit ours(Manager *manager) : map(manager), table(manager), numbers(manager)
	{
		lend_ptr_set(&first, nullptr);
	}

	void add(int i)
	{
		Manager *manager = numbers.get_allocator().manager();
		auto *node = static_cast<c_node *>(manager->allocate(sizeof(c_node)));
		auto *item = ::new (manager->allocate(sizeof(our_item))) our_item;

		node->value = i;
		lend_ptr_copy(&node->next, &first);
		lend_ptr_set(&first, node);
		item->value = i;
		tree.insert(*item);
		map.emplace(i, string(text(i).c_str(), allocator<char>(manager)));
		table.emplace(i, -i);
		numbers.push_back(i);
	}

	bool is_whole(int count) const
	{
		const c_node *node = lend_ptr_get(&first);
		auto item = tree.begin();

		for (int i = 0; i < count; i++, ++item, node = lend_ptr_get(&node->next)) {
			auto named = map.find(i);
			auto hashed = table.find(i);

			if (named == map.end() || named->second != text(i).c_str())
				return false;
			if (hashed == table.end() || hashed->second != -i)
				return false;
			if (numbers[std::size_t(i)] != i || item->value != i)
				return false;
			if (!node || node->value != count - 1 - i)
				return false;
		}
		return !node && item == tree.end() && map.size() == std::size_t(count) &&
		       table.find(count) == table.end();
	}
};

constexpr std::size_t segment_bytes = std::size_t{4} << 20;

using buffer = bip::managed_external_buffer;
using ours_in_buffer = ours<buffer::segment_manager>;

void our_structures_hold_in_an_external_buffer()
{
	const int fd = region_create(segment_bytes);
	void *memory = region_map(fd, segment_bytes, nullptr);

	CU_ASSERT_PTR_NOT_NULL_FATAL(memory);
	buffer segment(bip::create_only, memory, segment_bytes);
	auto *o = segment.construct<ours_in_buffer>("ours")(segment.get_segment_manager());

	for (int i = 0; i < built; i++)
		o->add(i);
	CU_ASSERT_EQUAL(region_visit(fd, memory, "grow"), 0);
	CU_ASSERT(o->is_whole(grown));
	munmap(memory, segment_bytes);
	close(fd);
}

int visit_buffer(char **argv)
{
	const void *there = region_visit_there(argv);
	void *memory = region_map(region_visit_fd(argv), segment_bytes, there);

	if (!memory || memory == there)
		return 2;

	buffer segment(bip::open_only, memory, segment_bytes);
	auto *o = segment.find<ours_in_buffer>("ours").first;

	if (!o || !o->is_whole(built))
		return 3;
	for (int i = built; i < grown; i++)
		o->add(i);
	return o->is_whole(grown) ? 0 : 4;
}

/* One segment mapped twice in this process, which is two addresses. */
void our_structures_hold_in_a_shared_memory_mapped_twice()
{
	using segment = bip::managed_shared_memory;
	using ours_in_segment = ours<segment::segment_manager>;
	const std::string name = "lendheap-test-" + std::to_string(getpid());

	{
		segment first(bip::create_only, name.c_str(), segment_bytes);
		segment second(bip::open_only, name.c_str());
		auto *here =
			first.construct<ours_in_segment>("ours")(first.get_segment_manager());
		auto *there = second.find<ours_in_segment>("ours").first;

		CU_ASSERT_FATAL(there && there != here);
		for (int i = 0; i < built; i++)
			here->add(i);
		CU_ASSERT(there->is_whole(built));
		for (int i = built; i < grown; i++)
			there->add(i);
		CU_ASSERT(there->is_whole(grown));
		CU_ASSERT(here->is_whole(grown));
	}
	CU_ASSERT(bip::shared_memory_object::remove(name.c_str()));
}

/* The two kinds of pointer point to the same things in the same memory. */
void pointers_of_both_kinds_stand_for_each_other()
{
	struct pair {
		bip::offset_ptr<int> theirs;
		lend::offset_ptr<int> ours;
		int target;
	} p = {nullptr, nullptr, 7};

	p.theirs = &p.target;
	p.ours = p.theirs.get();
	CU_ASSERT_EQUAL(*p.ours, 7);
	CU_ASSERT(p.ours == p.theirs.get());
	p.theirs = p.ours.get();
	CU_ASSERT(p.theirs == &p.target);
	p.theirs = nullptr;
	p.ours = p.theirs.get();
	CU_ASSERT(!p.ours);
}

const struct suite_test tests[] = {
	SUITE_TEST(their_structures_hold_in_our_arena_at_its_place),
	SUITE_TEST(their_structures_hold_in_our_arena_relocated),
	SUITE_TEST(our_structures_hold_in_an_external_buffer),
	SUITE_TEST(our_structures_hold_in_a_shared_memory_mapped_twice),
	SUITE_TEST(pointers_of_both_kinds_stand_for_each_other),
};

} // namespace

int main(int argc, char **argv)
{
	int status = visit_main(visitors, VISITOR_COUNT(visitors), argc, argv);

	if (status >= 0)
		return status;
	if (argc == 4 && std::string(argv[1]) == "grow")
		return visit_buffer(argv);
	return suite_run("interprocess", tests, VISITOR_COUNT(tests), argc, argv);
}

#endif
