/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lendheap's containers, and the standard's and Boost's containers in an arena, beside the same
 * ones on the process's own heap, Abseil's, Boost's and Boost.Interprocess's, in one run. What is
 * done with each stands in containers/turn.hpp, with what keys in containers/plan.hpp, and how
 * each is called in containers/subjects.hpp.
 */
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#ifdef LEND_BENCH_ABSL
#include <absl/base/config.h>
#endif
#ifdef LEND_BENCH_BOOST
#include <boost/version.hpp>
#endif

#include <lendheap/error.h>

#include "bench/containers/c_maps.hpp"
#include "bench/containers/plan.hpp"
#include "bench/containers/subjects.hpp"
#include "bench/containers/turn.hpp"
#include "bench/harness/bench.h"

#define LEND_BENCH_TEXT_OF(name) #name
#define LEND_BENCH_TEXT(name)    LEND_BENCH_TEXT_OF(name) /* after expansion */

namespace contest
{
namespace
{

/* Enough of everything that a time is a millisecond or more. */
const scale number_scales[] = {
	/* name, rounds, of trees, count, warm, passes, queries, iterations */
	{"int-1e3", 21, 21, 1000, 2, 40, 100000, 400},
	{"int-1e5", 5, 5, 100000, 3, 1, 50000, 4},
	{"int-1e7", 2, 1, 10000000, 0, 1, 500000, 1},
};
const scale word_scales[] = {
	{"string-1e3", 21, 21, 1000, 2, 40, 50000, 400},
	{"string-1e5", 5, 5, 100000, 3, 1, 50000, 4},
	{"string-all", 2, 1, 0, 0, 1, 500000, 1},
};

constexpr uint64_t memory_wanted_bytes = uint64_t{4} << 30;

/* Little of everything. */
scale quick_scale(scale s)
{
	s.count = s.count == 0 || s.count > 2000 ? 2000 : s.count;
	s.warm = 0;
	s.passes = std::min(s.passes, 2u);
	s.queries = 2000;
	s.iterations = 1;
	return s;
}

std::string case_name(const scale &scale, int operation)
{
	return std::string(scale.name) + "-" + operation_name[operation];
}

/* A container that takes part, whatever its type. */
template <class List> class entry
{
      public:
	entry(const char *name_, enum bench_role role_, const char *kind_, const char *note_)
	    : name(name_), role(role_), kind(kind_), note(note_)
	{
	}
	virtual ~entry() = default;
	virtual int turn(const plan<List> &plan, double *ns) = 0;

	const char *name;
	enum bench_role role;
	const char *kind; /* hash, ordered, vector: compared within */
	const char *note; /* of a peer: its version */
	bench_row *row[operation_count] = {};
};

template <class Subject, class List> class entry_of : public entry<List>
{
      public:
	using entry<List>::entry;

	int turn(const plan<List> &plan, double *ns) override
	{
		auto subject = std::make_unique<Subject>();
		int err = subject->open();

		if (err)
			return err;
		run_turn(*subject, plan, ns);
		subject->close();
		return 0;
	}
};

template <class List> using entries = std::vector<std::unique_ptr<entry<List>>>;

template <class Subject, class List>
void add(entries<List> &list, const char *name, enum bench_role role, const char *kind,
	const char *note)
{
	list.push_back(std::make_unique<entry_of<Subject, List>>(name, role, kind, note));
}

/* All that take part in a case, subjects first. */
template <class List> entries<List> make_entries()
{
	using item = typename List::item;
	const char *libstdcxx = "libstdc++ " LEND_BENCH_TEXT(_GLIBCXX_RELEASE);
	entries<List> list;

	add<lend_map_subject<item>>(list, "lend_map", BENCH_SUBJECT, "hash", "");
	add<map_subject<fixed_heap, item, fixed_unordered_map>>(
		list, "fixed-std-unordered_map", BENCH_SUBJECT, "hash", "");
	add<lend_tree_subject<item>>(list, "lend_tree", BENCH_SUBJECT, "ordered", "");
	add<map_subject<fixed_heap, item, fixed_map>>(
		list, "fixed-std-map", BENCH_SUBJECT, "ordered", "");
	add<vector_subject<fixed_heap, item>>(
		list, "fixed-std-vector", BENCH_SUBJECT, "vector", "");
#ifdef LEND_BENCH_BOOST
	add<map_subject<fancy_heap, item, boost_unordered_map>>(
		list, "fancy-boost-unordered", BENCH_SUBJECT, "hash", "");
	add<map_subject<fancy_heap, item, boost_map>>(
		list, "fancy-boost-map", BENCH_SUBJECT, "ordered", "");
#endif

#ifdef LEND_BENCH_ABSL
	const char *abseil = "Abseil " LEND_BENCH_TEXT(ABSL_LTS_RELEASE_VERSION);

	add<map_subject<own_heap, item, absl_flat_hash_map>>(
		list, "absl-flat_hash_map", BENCH_PEER, "hash", abseil);
#endif
	add<map_subject<own_heap, item, std_unordered_map>>(
		list, "std-unordered_map", BENCH_PEER, "hash", libstdcxx);
#ifdef LEND_BENCH_BOOST
	const char *boost = "Boost " BOOST_LIB_VERSION;

	add<map_subject<own_heap, item, boost_unordered_map>>(
		list, "boost-unordered", BENCH_PEER, "hash", boost);
#if BOOST_VERSION >= 108100
	add<map_subject<own_heap, item, boost_unordered_flat_map>>(
		list, "boost-unordered_flat_map", BENCH_PEER, "hash", boost);
#endif
#endif
	add<map_subject<own_heap, item, std_map>>(
		list, "std-map", BENCH_PEER, "ordered", libstdcxx);
#ifdef LEND_BENCH_ABSL
	add<map_subject<own_heap, item, absl_btree_map>>(
		list, "absl-btree_map", BENCH_PEER, "ordered", abseil);
#endif
#ifdef LEND_BENCH_BOOST
	add<map_subject<segment_heap, item, boost_map>>(
		list, "boost-interprocess-map", BENCH_PEER, "ordered", boost);
#endif
	add<vector_subject<own_heap, item>>(
		list, "std-vector", BENCH_PEER, "vector", libstdcxx);
	return list;
}

/* Those that the options ask for, with a row for each operation. */
template <class List> entries<List> choose_entries(bench &b, const scale &scale)
{
	entries<List> list = make_entries<List>(), chosen;

	for (auto &e : list) {
		if (!bench_wants_row(&b, e->name, e->role))
			continue;
		for (int o = 0; o < operation_count; o++) {
			e->row[o] = bench_add_row(&b, case_name(scale, o).c_str(), e->name,
				e->role, "kind", e->kind);
			bench_note(e->row[o], "%s", e->note);
		}
		chosen.push_back(std::move(e));
	}
	return chosen;
}

template <class List> int run_turns(bench &b, const plan<List> &plan)
{
	const scale &scale = plan.scale;
	uint32_t rounds = bench_rounds(&b, scale.rounds);
	uint32_t rounds_ordered = bench_rounds(&b, scale.rounds_ordered);
	entries<List> list = choose_entries<List>(b, scale);
	double ns[operation_count];

	for (uint32_t round = 0; round < rounds; round++) {
		bench_progress(&b, scale.name, round, rounds);
		for (size_t i = 0; i < list.size(); i++) {
			entry<List> &e = *list[(i + round) % list.size()];
			int err;

			if (round >= rounds_ordered && strcmp(e.kind, "ordered") == 0)
				continue;
			err = e.turn(plan, ns);
			if (err) {
				fprintf(stderr, "bench_containers: %s: %s\n", e.name,
					e.role == BENCH_SUBJECT ? lend_error_detail()
								: strerror(-err));
				return err;
			}
			for (int o = 0; o < operation_count; o++)
				bench_add(e.row[o], "ns", "ratio", ns[o]);
		}
	}
	return 0;
}

int run_numbers(struct bench *b, void *context)
{
	number_plan plan;

	plan.scale = *static_cast<const scale *>(context);
	make_plan(plan);
	return run_turns(*b, plan);
}

int run_words(struct bench *b, void *context)
{
	word_plan plan;

	plan.scale = *static_cast<const scale *>(context);
	if (!make_plan(plan, b->quick)) {
		fprintf(stderr, "bench_containers: without %s: too few words in %s (wpolish)\n",
			plan.scale.name, word_file);
		return 0;
	}
	return run_turns(*b, plan);
}

/* The operations on one scale are measured together, in one process. */
void run_scale(bench &b, scale s, int (*run)(struct bench *, void *))
{
	std::string names;

	if (b.quick)
		s = quick_scale(s);
	else if ((s.count == 0 || s.count > 1000000) &&
		 bench_memory_available() < memory_wanted_bytes) {
		fprintf(stderr, "bench_containers: without %s: less than 4 GiB to be had\n",
			s.name);
		return;
	}
	for (int o = 0; o < operation_count; o++)
		names += (o ? "," : "") + case_name(s, o);
	bench_isolate(&b, names.c_str(), run, &s);
}

void set_limits(bench &b)
{
	for (const char *cases : {"*-insert", "*-find-hit", "*-find-miss"})
		bench_add_limit(
			&b, cases, "lend_map", nullptr, "absl-flat_hash_map", "ratio", 1.1);
	bench_add_limit(
		&b, "*-iterate", "lend_map", nullptr, "absl-flat_hash_map", "ratio", 1.0);
	bench_add_limit(&b, "*", "lend_tree", nullptr, "std-map", "ratio", 1.1);
	bench_add_limit(&b, "*", "fixed-std-map", nullptr, "std-map", "ratio", 1.0);
	bench_add_limit(
		&b, "*", "fixed-std-unordered_map", nullptr, "std-unordered_map", "ratio", 1.0);
	bench_add_limit(&b, "*", "fixed-std-vector", nullptr, "std-vector", "ratio", 1.0);
	bench_add_limit(&b, "*-insert", "fancy-boost-map", nullptr, "boost-interprocess-map",
		"ratio", 0.33);
}

} /* namespace */
} /* namespace contest */

int main(int argc, char **argv)
{
	struct bench b;

	if (bench_init(&b, "containers", argc, argv) != 0)
		return 2;
#ifndef LEND_BENCH_ABSL
	fprintf(stderr, "bench_containers: built without Abseil: no absl-*\n");
#endif
#ifndef LEND_BENCH_BOOST
	fprintf(stderr,
		"bench_containers: built without Boost: no boost-*, no fancy-boost-*\n");
#endif
	for (const contest::scale &s : contest::number_scales)
		contest::run_scale(b, s, contest::run_numbers);
	for (const contest::scale &s : contest::word_scales)
		contest::run_scale(b, s, contest::run_words);
	contest::set_limits(b);
	return bench_report(&b);
}
