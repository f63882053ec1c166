/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which container holds where. Each is made in one process, empty and filled, and then
 *
 *	fixed       in an arena: a program run anew, which has it at its place, walks it and
 *	            finds each element; then the owner inserts, and another one does the same
 *	relocated   the same with the arena at another address; and in a memory that both may
 *	            write (region.hpp), where the visitor inserts too, walks again, the first
 *	            process walks at the first address, and destroys it
 *
 * and nothing in it may point out of that memory, or relocated, raw into it. Prints a line for
 * each, with tabs: container, pointer, fixed, relocated, sizeof. tests/compat/table.py makes the
 * table of docs/ from that. An argument picks the rows whose container it is a part of.
 */
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <sys/resource.h>
#include <unistd.h>
#include <vector>

#include <lendheap/lendheap.h>

#include "compat.hpp"
#include "region.hpp"
#include "support/relocate.h"
#include "support/visit.h"
extern "C" {
#include "support/role.h"
}

namespace compat
{

namespace
{

enum status { HOLDS = 0, LOST = 40, BROKEN };

std::vector<row> all_rows()
{
	std::vector<row> all;

	for (auto *rows : {rows_of_std, rows_of_boost_container, rows_of_boost_trees,
		     rows_of_boost_tables, rows_of_boost_intrusive})
		for (const row &one : rows())
			all.push_back(one);
	return all;
}

/* The row this process is about: programs run anew learn it from the environment. */
const row &current()
{
	static const std::vector<row> all = all_rows();

	return all.at(static_cast<std::size_t>(std::atoi(std::getenv("COMPAT_ROW"))));
}

/* Its exit status, or 128 and the signal that ended it, as a shell says it. */
int plain_status(int status)
{
	return status > CHILD_SIGNAL ? 128 + status - CHILD_SIGNAL : status;
}

/* In an arena. */

const lend_type type = LEND_TYPE(char, 1);

int look(const lend_arena *borrowed, int more)
{
	const void *both;
	lend_arena *own; /* for keys that are looked for */

	CHILD_CHECK(lend_root_get(borrowed, "both", type, &both) == 0);
	CHILD_CHECK(lend_arena_create(nullptr, &own) == 0);
	(void)lend_scope_enter(own);
	return current().holds(both, more) ? HOLDS : LOST;
}

int look_at_built(const lend_arena *borrowed, int)
{
	return look(borrowed, 0);
}

int look_at_grown(const lend_arena *borrowed, int)
{
	return look(borrowed, grown);
}

const visitor visitors[] = {VISITOR(look_at_built), VISITOR(look_at_grown)};

int try_in_arena(int, void *place_of)
{
	const auto place = *static_cast<visit_place *>(place_of);
	lend_arena *arena;
	int status;

	CHILD_CHECK(lend_arena_create(nullptr, &arena) == 0);
	(void)lend_scope_enter(arena);
	void *both = current().make();

	CHILD_CHECK(lend_root_set(arena, "both", type, both) == 0);
	status = visit(arena, place, "look_at_built");
	if (status == HOLDS) {
		current().grow(both);
		status = visit(arena, place, "look_at_grown");
	}
	if (status == HOLDS)
		current().destroy(both);
	(void)lend_arena_destroy(arena);
	return plain_status(status);
}

/* In a region. */

/* Map it at another address; the first one is taken, so that what points there crashes. */
void come_to_region(int fd, const char *there)
{
	void *first = reinterpret_cast<void *>(std::strtoull(there, nullptr, 10));

	CHILD_CHECK(mmap(first, region_bytes, PROT_NONE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == first);
	void *here = region_map(fd, region_bytes, first);

	CHILD_CHECK(here);
	region_go_on(here);
}

int visit_region(int, int fd, const char *there)
{
	come_to_region(fd, there);
	if (!current().holds(region_root(), 0))
		return LOST;
	current().grow(region_root());
	return current().holds(region_root(), grown) ? HOLDS : LOST;
}

int revisit_region(int, int fd, const char *there)
{
	come_to_region(fd, there);
	return current().holds(region_root(), grown) ? HOLDS : LOST;
}

const role roles[] = {ROLE(visit_region), ROLE(revisit_region)};

int send_visitor(const char *name, int fd, const void *here)
{
	const std::string there = std::to_string(reinterpret_cast<std::uintptr_t>(here));
	child visitor = role_start(name, dup(fd), there.c_str());

	return plain_status(child_end(&visitor));
}

/* Tells the parent the pointers in the memory of both, then what became of it. */
int try_in_region(int parent, void *)
{
	int fd = region_create(region_bytes);
	void *here = region_map(fd, region_bytes, nullptr);
	int status;

	CHILD_CHECK(here);
	region_start(here);
	region_set_root(current().make());
	const pointers found = region_pointers();

	CHILD_CHECK(child_tell_number(parent, found.inside));
	CHILD_CHECK(child_tell_number(parent, found.outside));
	status = send_visitor("visit_region", fd, here);
	if (status == HOLDS && !current().holds(region_root(), grown))
		status = BROKEN;
	if (status == HOLDS)
		status = send_visitor("revisit_region", fd, here);
	if (status == HOLDS) {
		current().destroy(region_root());
		status = region_live() == 0 ? HOLDS : BROKEN;
	}
	return status;
}

/* The table. */

/* What a status says that is not HOLDS. */
std::string fault_of(int status)
{
	status = plain_status(status);
	switch (status) {
	case LOST:
		return "elements lost";
	case BROKEN:
		return "broken when back";
	case 128 + SIGSEGV:
	case 128 + SIGBUS:
		return "crash";
	case 128 + SIGALRM:
		return "no end";
	default:
		return status > 128 ? "killed" : "test failed";
	}
}

std::string verdict(const std::vector<std::string> &faults)
{
	std::string all;

	for (const std::string &fault : faults)
		if (all.find(fault) == std::string::npos)
			all += (all.empty() ? "no: " : ", ") + fault;
	return all.empty() ? "works" : all;
}

void judge(const row &one)
{
	std::vector<std::string> fixed;
	std::vector<std::string> relocated;
	visit_place place = VISIT_FIXED;
	long long inside = -1;
	long long outside = -1;
	child owner = child_start(try_in_region, nullptr);

	if (!child_await_number(owner.sock, &inside) ||
		!child_await_number(owner.sock, &outside))
		relocated.push_back("test failed");
	if (inside)
		relocated.push_back("raw pointers inside");
	if (outside) {
		relocated.push_back("pointers into the program");
		fixed.push_back("pointers into the program");
	}
	if (int status = child_end(&owner))
		relocated.push_back(fault_of(status));
	if (int status = child_run(try_in_arena, &place))
		fixed.push_back(fault_of(status));
	place = VISIT_RELOCATED;
	if (std::strcmp(one.pointer, "offset") == 0)
		if (int status = child_run(try_in_arena, &place))
			relocated.push_back(fault_of(status));
	std::printf("%s\t%s\t%s\t%s\t%zu\n", one.container, one.pointer, verdict(fixed).c_str(),
		verdict(relocated).c_str(), one.bytes);
}

int judge_all(const char *part)
{
	const std::vector<row> all = all_rows();
	const rlimit no_core = {0, 0}; /* crashes are findings */

	(void)setrlimit(RLIMIT_CORE, &no_core);
	std::setvbuf(stdout, nullptr, _IONBF, 0);
	for (std::size_t i = 0; i < all.size(); i++) {
		if (!std::strstr(all[i].container, part))
			continue;
		(void)setenv("COMPAT_ROW", std::to_string(i).c_str(), 1);
		judge(all[i]);
	}
	return 0;
}

} // namespace

} // namespace compat

int main(int argc, char **argv)
{
	using namespace compat;
	int status = visit_main(visitors, VISITOR_COUNT(visitors), argc, argv);

	if (status < 0)
		status = role_main(roles, VISITOR_COUNT(roles), argc, argv);
	return status >= 0 ? status : judge_all(argc > 1 ? argv[1] : "");
}
