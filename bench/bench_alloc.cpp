/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lendheap's allocation beside glibc, jemalloc, mimalloc and Boost.Interprocess, in one run.
 * What is measured stands in alloc/workloads.hpp and alloc/churn.hpp, how each heap is called in
 * alloc/heaps.hpp.
 */
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <unistd.h>
#include <vector>

#include "bench/alloc/churn.hpp"
#include "bench/alloc/heaps.hpp"
#include "bench/alloc/workloads.hpp"
#include "bench/harness/bench.h"

namespace contest
{
namespace
{

struct heap_case {
	const char *name;
	workload kind; /* of all but the churn */
	uint32_t rounds;
	bool threads;
};

const heap_case cases[] = {
	{"tight", workload::tight, 41, false},
	{"tight-64", workload::tight_64, 41, false},
	{"batch", workload::batch, 41, false},
	{"batch-100k", workload::batch_100k, 15, false},
	{"batch-2t", workload::batch_2t, 31, true},
	{"pass-2t", workload::pass_2t, 31, true},
	{"large", workload::large, 31, false},
};

/* A heap that takes part, whatever its type. */
class entry
{
      public:
	entry(std::string name_, enum bench_role role_, const char *profile_)
	    : name(std::move(name_)), role(role_), profile(profile_)
	{
	}
	virtual ~entry() = default;
	virtual int open(const plan &plan, const int *cpus) = 0;
	virtual cost turn() = 0;
	virtual void close() = 0;
	virtual int churn_once(bool quick, churn_result &result) = 0;
	virtual std::string note() = 0;

	std::string name;
	enum bench_role role;
	const char *profile; /* NULL for a peer */
	std::string remark;  /* before the note */
	bench_row *row = nullptr;
};

template <class Heap> class entry_of : public entry
{
      public:
	using entry::entry;

	int open(const plan &plan, const int *cpus) override
	{
		int err = heap_.open();

		if (err)
			return err;
		plan_ = &plan;
		cpus_ = cpus;
		thread_ = heap_.enter();
		single_ = std::make_unique<runner<typename Heap::thread>>(thread_, plan);
		passes_ = single_->calibrate();
		return 0;
	}

	cost turn() override
	{
		uint64_t cpu_start, wall_start, operations = 0;

		if (plan_->kind == workload::batch_2t || plan_->kind == workload::pass_2t) {
			auto pair = std::make_unique<pair_turn<Heap>>(
				heap_, *plan_, passes_, cpus_);

			return pair->run();
		}
		single_->pass(); /* not measured */
		wall_start = bench_wall_ns();
		cpu_start = bench_thread_ns();
		for (uint64_t i = 0; i < passes_; i++)
			operations += single_->pass();
		return cost{double(bench_thread_ns() - cpu_start) / double(operations),
			double(bench_wall_ns() - wall_start) / double(operations)};
	}

	void close() override
	{
		single_->finish();
		heap_.leave(thread_);
		heap_.close();
	}

	int churn_once(bool quick, churn_result &result) override
	{
		auto run = std::make_unique<churn<Heap>>(quick);

		return run->run(result);
	}

	std::string note() override
	{
		std::string text = heap_.note();

		return remark.empty() || text.empty() ? remark + text : text + ", " + remark;
	}

      private:
	Heap heap_;
	const plan *plan_ = nullptr;
	const int *cpus_ = nullptr;
	typename Heap::thread thread_ = {};
	std::unique_ptr<runner<typename Heap::thread>> single_;
	uint64_t passes_ = 0;
};

using entries = std::vector<std::unique_ptr<entry>>;

template <class Heap>
void add(entries &list, const char *name, enum bench_role role, const char *profile,
	const char *remark = "")
{
	list.push_back(std::make_unique<entry_of<Heap>>(name, role, profile));
	list.back()->remark = remark;
}

#ifdef LEND_BENCH_BOOST
/* Boost's allocators that can do a case; the fastest of them will be boost-best. */
entries boost_candidates(const std::string &case_name, bool threads)
{
	const char *best = "boost-best";
	entries list;

	add<boost_rbtree<boost_mutex>>(list, best, BENCH_PEER, nullptr, "rbtree_best_fit");
	if (!threads)
		add<boost_rbtree<boost_no_mutex>>(
			list, best, BENCH_PEER, nullptr, "rbtree_best_fit, no mutex");
	if (case_name == "churn" || case_name == "batch-100k")
		return list; /* simple_seq_fit searches the holes one by one */
	add<boost_seq_fit<boost_mutex>>(list, best, BENCH_PEER, nullptr, "simple_seq_fit");
	if (!threads)
		add<boost_seq_fit<boost_no_mutex>>(
			list, best, BENCH_PEER, nullptr, "simple_seq_fit, no mutex");
	if (case_name != "tight-64")
		return list;
	add<boost_node_heap<boost_mutex, boost_cached_node>>(
		list, best, BENCH_PEER, nullptr, "cached_node_allocator");
	add<boost_node_heap<boost_no_mutex, boost_private_node>>(
		list, best, BENCH_PEER, nullptr, "private_node_allocator, no mutex");
	return list;
}

/* The best of three turns, after one that only warms up. */
double try_out(entry &candidate, const plan &plan, const int *cpus)
{
	double best_ns = 1e300;

	if (candidate.open(plan, cpus) != 0)
		return best_ns;
	for (int i = 0; i < 4; i++) {
		double ns = candidate.turn().cpu_ns;

		if (i > 0)
			best_ns = std::min(best_ns, ns);
	}
	candidate.close();
	return best_ns;
}

/* Give each candidate a few turns of one pass and keep the fastest. */
std::unique_ptr<entry> choose_boost_best(
	const std::string &case_name, workload kind, bool threads, const int *cpus, bool quick)
{
	entries list = boost_candidates(case_name, threads);
	size_t best = list.size() - 1; /* for churn: the one without a mutex */
	double best_ns = 1e300;

	if (case_name != "churn") {
		plan brief(kind, quick);

		brief.budget_ns = 1;
		for (size_t i = 0; i < list.size(); i++) {
			double ns = try_out(*list[i], brief, cpus);

			if (ns < best_ns) {
				best_ns = ns;
				best = i;
			}
		}
	}
	return std::move(list[best]);
}
#endif

/* All that take part in a case, subjects first. */
entries make_entries(const bench &b, const std::string &case_name, workload kind, bool threads,
	const int *cpus)
{
	entries list;

	add<lend_plain<LEND_CACHE_FAST>>(list, "lend", BENCH_SUBJECT, "fast");
	add<lend_plain<LEND_CACHE_LEAN>>(list, "lend", BENCH_SUBJECT, "lean");
	add<lend_handle<LEND_CACHE_FAST>>(list, "lend-handle", BENCH_SUBJECT, "fast");
	add<lend_handle<LEND_CACHE_LEAN>>(list, "lend-handle", BENCH_SUBJECT, "lean");
	add<glibc_heap>(list, "glibc", BENCH_PEER, nullptr);
	add<jemalloc_heap>(list, "jemalloc", BENCH_PEER, nullptr);
	add<mimalloc_heap>(list, "mimalloc", BENCH_PEER, nullptr);
#ifdef LEND_BENCH_BOOST
	add<boost_rbtree<boost_mutex>>(list, "boost-rbtree", BENCH_PEER, nullptr);
	if (bench_wants_row(&b, "boost-best", BENCH_PEER))
		list.push_back(choose_boost_best(case_name, kind, threads, cpus, b.quick));
#else
	(void)case_name;
	(void)kind;
	(void)threads;
	(void)cpus;
#endif
	for (size_t i = list.size(); i-- > 0;) {
		if (!bench_wants_row(&b, list[i]->name.c_str(), list[i]->role))
			list.erase(list.begin() + static_cast<ptrdiff_t>(i));
	}
	return list;
}

void make_row(bench &b, const char *case_name, entry &e)
{
	e.row = bench_add_row(&b, case_name, e.name.c_str(), e.role,
		e.profile ? "profile" : nullptr, e.profile);
}

/* A heap that is not there leaves the case, visibly; one of ours fails it. */
int open_entries(
	bench &b, const char *case_name, const plan &plan, const int *cpus, entries &list)
{
	for (size_t i = 0; i < list.size();) {
		int err = list[i]->open(plan, cpus);

		if (err && list[i]->role == BENCH_SUBJECT) {
			fprintf(stderr, "bench_alloc: %s: %s\n", list[i]->name.c_str(),
				lend_error_detail());
			return err;
		}
		if (err) {
			fprintf(stderr, "bench_alloc: %s without %s: %s\n", case_name,
				list[i]->name.c_str(), strerror(-err));
			list.erase(list.begin() + static_cast<ptrdiff_t>(i));
			continue;
		}
		make_row(b, case_name, *list[i]);
		bench_note(list[i]->row, "%s", list[i]->note().c_str());
		i++;
	}
	return 0;
}

int run_case(struct bench *b, void *context)
{
	const heap_case &c = *static_cast<const heap_case *>(context);
	const int cpus[2] = {b->cpu, b->cpu_other};
	uint32_t rounds = bench_rounds(b, c.rounds);
	plan plan(c.kind, b->quick);
	entries list = make_entries(*b, c.name, c.kind, c.threads, cpus);
	int err = open_entries(*b, c.name, plan, cpus, list);

	if (err)
		return err;
	for (uint32_t round = 0; round < rounds; round++) {
		bench_progress(b, c.name, round, rounds);
		for (size_t i = 0; i < list.size(); i++) {
			entry &e = *list[(i + round) % list.size()];
			cost spent = e.turn();

			bench_add(e.row, "ns", "ratio", spent.cpu_ns);
			if (c.threads)
				bench_add(e.row, "wall_ns", "wall_ratio", spent.wall_ns);
		}
	}
	for (auto &e : list)
		e->close();
	return 0;
}

struct churn_turn {
	bench *b;
	entry *e;
};

int run_churn_turn(void *context)
{
	churn_turn &turn = *static_cast<churn_turn *>(context);
	bench_row *row = turn.e->row;
	churn_result r;
	int err = turn.e->churn_once(turn.b->quick, r);

	if (err)
		return err;
	bench_add(row, "ns", "ratio", double(r.cpu_ns) / double(r.operations));
	bench_add(row, "footprint_bytes", "footprint_ratio", double(r.peak_bytes));
	bench_add(row, "mean_bytes", "mean_ratio", r.mean_bytes);
	bench_add(row, "footprint_over_live", nullptr,
		double(r.peak_bytes) / double(r.live_bytes));
	bench_add(row, "after_free_bytes", nullptr, double(r.after_free_bytes));
	if (r.counts_data)
		bench_add(
			row, "after_free_data_bytes", nullptr, double(r.after_free_data_bytes));
	return 0;
}

int run_churn(struct bench *b, void *)
{
	uint32_t rounds = bench_rounds(b, 3);
	entries list = make_entries(*b, "churn", workload::batch, false, nullptr);

	for (auto &e : list) {
		make_row(*b, "churn", *e);
		bench_note(e->row, "%s", e->remark.c_str());
	}
	for (uint32_t round = 0; round < rounds; round++) {
		bench_progress(b, "churn", round, rounds);
		for (size_t i = 0; i < list.size(); i++) {
			entry &e = *list[(i + round) % list.size()];
			churn_turn turn = {b, &e};
			int err = bench_in_child(run_churn_turn, &turn);

			if (err && e.role == BENCH_SUBJECT)
				return err;
			if (err && round == 0)
				fprintf(stderr, "bench_alloc: churn without %s: %s\n",
					e.name.c_str(), strerror(-err));
		}
	}
	return 0;
}

void set_limits(bench &b)
{
	for (const char *subject : {"lend", "lend-handle"}) {
		bench_add_limit(&b, "tight", subject, "fast", "jemalloc", "ratio", 0.8);
		bench_add_limit(&b, "batch", subject, "fast", "jemalloc", "ratio", 0.8);
		bench_add_limit(&b, "batch", subject, "fast", "mimalloc", "ratio", 1.1);
		bench_add_limit(&b, "tight", subject, "fast", "boost-rbtree", "ratio", 0.05);
		bench_add_limit(
			&b, "churn", subject, "lean", "jemalloc", "footprint_ratio", 1.0);
		bench_add_limit(
			&b, "churn", subject, "lean", nullptr, "after_free_data_bytes", 0);
	}
}

/*
 * libjemalloc.so keeps 2.6 KiB in static TLS, more than glibc sets aside for libraries loaded
 * later. The room is an option read at start, so start once more with it.
 */
void make_room_for_jemalloc(char **argv)
{
	const char *wanted = "glibc.rtld.optional_static_tls=16384";
	const char *now = getenv("GLIBC_TUNABLES");
	std::string tunables = now && *now ? std::string(now) + ":" + wanted : wanted;

	if (now && strstr(now, "optional_static_tls"))
		return;
	setenv("GLIBC_TUNABLES", tunables.c_str(), 1);
	execv("/proc/self/exe", argv); /* without /proc the run is without jemalloc */
}

} /* namespace */
} /* namespace contest */

int main(int argc, char **argv)
{
	struct bench b;

	contest::make_room_for_jemalloc(argv);
	if (bench_init(&b, "alloc", argc, argv) != 0)
		return 2;
#ifndef LEND_BENCH_BOOST
	fprintf(stderr, "bench_alloc: built without Boost: no boost-rbtree, no boost-best\n");
#endif
	for (const contest::heap_case &c : contest::cases)
		bench_isolate(
			&b, c.name, contest::run_case, const_cast<contest::heap_case *>(&c));
	bench_isolate(&b, "churn", contest::run_churn, nullptr);
	contest::set_limits(b);
	return bench_report(&b);
}
