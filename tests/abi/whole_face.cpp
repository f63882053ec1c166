/* SPDX-License-Identifier: Apache-2.0 */
/* One source file that uses the whole C++ face, to time its compilation: check_compile_time.sh. */
#include <lendheap/lendheap.hpp>

namespace
{

namespace fixed = lend::fixed;

struct road {
	fixed::string name;
	lend::unique<road> next;
	lend::shared<road> crossing;
	lend::weak<road> seen;
};

using graph = fixed::map<fixed::string, fixed::vector<int>>;
using index = fixed::unordered_map<fixed::string, fixed::list<road>>;

struct everything {
	fixed::string string;
	fixed::u16string u16string;
	fixed::vector<fixed::string> vector;
	fixed::vector<bool> bits;
	fixed::deque<fixed::string> deque;
	fixed::list<int> list;
	fixed::forward_list<int> forward_list;
	fixed::set<fixed::string> set;
	fixed::multiset<int> multiset;
	fixed::map<int, fixed::string> map;
	fixed::multimap<int, int> multimap;
	fixed::unordered_set<fixed::string> unordered_set;
	fixed::unordered_multiset<int> unordered_multiset;
	fixed::unordered_map<fixed::string, int> unordered_map;
	fixed::unordered_multimap<int, int> unordered_multimap;
	fixed::stack<int> stack;
	fixed::queue<int> queue;
	fixed::priority_queue<int> priority_queue;
};

void fill(everything &all, int i)
{
	all.string += "a";
	all.u16string += u"b";
	all.vector.emplace_back(all.string);
	all.bits.push_back(i & 1);
	all.deque.push_front(all.string);
	all.list.push_back(i);
	all.forward_list.push_front(i);
	all.set.insert(all.string);
	all.multiset.insert(i);
	all.map[i] = all.string;
	all.multimap.emplace(i, i);
	all.unordered_set.insert(all.string);
	all.unordered_multiset.insert(i);
	all.unordered_map[all.string] = i;
	all.unordered_multimap.emplace(i, i);
	all.stack.push(i);
	all.queue.push(i);
	all.priority_queue.push(i);
}

} // namespace

int main()
{
	lend::arena arena(lend::arena_options("whole").quota_bytes(1u << 28));
	lend::scope in(arena);
	lend::memory_resource memory(arena);
	graph &g = *arena.construct<graph>("g");
	index &by_name = *arena.find_or_construct<index>("index");

	for (int i = 0; i < 100; i++)
		fill(*arena.find_or_construct<everything>("all"), i);
	g["Bonn"].push_back(7);
	by_name["A5"].push_back(
		road{"A5", lend::make_unique<road>(), lend::make_shared<road>(), {}});
	std::vector<int, lend::allocator<int>> relocatable(100);
	std::deque<int, lend::bound_allocator<int>> bound(100, 7, arena);
	std::pmr::vector<int> pmr(100, &memory);
	arena.share("whole");
	lend::destroy(arena.make<road>());

	if (auto there = lend::try_open("whole", lend_deadline_in_ms(0)))
		return there->find<everything>("all") ? 0 : 1;
	const graph *other = lend::open("whole").find<graph>("g");
	return other && arena.destroy<graph>("g") ? relocatable[0] + bound[0] + pmr[0] : 1;
}
