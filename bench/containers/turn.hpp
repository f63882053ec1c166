/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LENDHEAP_BENCH_TURN_HPP
#define LENDHEAP_BENCH_TURN_HPP

/*
 * One turn of a subject: passes that fill a container and empty it, and in the last of them look
 * up, miss and iterate. Every answer is checked; a wrong one ends the case.
 */
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <type_traits>
#include <vector>

#include "bench/containers/plan.hpp"
#include "bench/harness/bench.h"

namespace contest
{

enum operation { insert, find_hit, find_miss, iterate, erase, operation_count };

constexpr const char *operation_name[operation_count] = {
	"insert", "find-hit", "find-miss", "iterate", "erase"};

inline void expect(const char *what, uint64_t is, uint64_t wanted)
{
	if (is == wanted)
		return;
	fprintf(stderr, "bench_containers: %s: %llu, wanted %llu\n", what,
		(unsigned long long)is, (unsigned long long)wanted);
	abort();
}

/* CPU time of this thread without what reading the clock takes, which is half a microsecond. */
class stopwatch
{
      public:
	stopwatch()
	{
		for (int i = 0; i < 100; i++) {
			uint64_t start = bench_thread_ns();

			clock_ns_ = std::min(clock_ns_, bench_thread_ns() - start);
		}
	}

	template <class Work> void add(double &ns, Work work) const
	{
		uint64_t start = bench_thread_ns(), spent;

		work();
		spent = bench_thread_ns() - start;
		ns += double(spent > clock_ns_ ? spent - clock_ns_ : 0);
	}

      private:
	uint64_t clock_ns_ = UINT64_MAX;
};

template <class Subject, class List>
[[gnu::noinline]] void insert_all(Subject &subject, const List &keys, size_t from, size_t count)
{
	for (size_t i = 0; i < count; i++)
		subject.put(keys[from + i], i);
}

template <class Subject, class Keys>
[[gnu::noinline]] uint64_t find_hits(const Subject &subject, const Keys &keys)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < keys.size(); i++) {
		const uint64_t *value = subject.find(keys[i]);

		if (__builtin_expect(!value, 0))
			return UINT64_MAX;
		sum += *value;
	}
	return sum;
}

template <class Subject, class Keys>
[[gnu::noinline]] uint64_t find_misses(const Subject &subject, const Keys &keys)
{
	uint64_t found = 0;

	for (size_t i = 0; i < keys.size(); i++)
		found += subject.find(keys[i]) != nullptr;
	return found;
}

template <class Subject> [[gnu::noinline]] uint64_t sum_all(const Subject &subject)
{
	uint64_t sum = 0;

	subject.each([&sum](uint64_t key, uint64_t value) { sum += key + value; });
	return sum;
}

template <class Subject, class Keys>
[[gnu::noinline]] uint64_t erase_all(
	Subject &subject, const Keys &keys, size_t from, size_t count)
{
	uint64_t erased = 0;

	for (size_t i = 0; i < count; i++)
		erased += subject.erase(keys[from + i]);
	return erased;
}

/* A list's keys as the subject is searched with them: the list itself, or a copy of its own. */
template <class Subject, class List>
decltype(auto) search_keys(Subject &subject, const List &list)
{
	using key = typename Subject::key;

	if constexpr (std::is_same_v<key, typename List::item>) {
		return static_cast<const List &>(list);
	} else {
		std::vector<key> keys;

		keys.reserve(list.size());
		for (size_t i = 0; i < list.size(); i++)
			keys.push_back(subject.key_of(list[i]));
		return keys;
	}
}

/* The time of each operation on one element, into ns[]. The subject is open. */
template <class Subject, class List>
void run_turn(Subject &subject, const plan<List> &plan, double *ns)
{
	const scale &scale = plan.scale;
	size_t count = scale.count, erased_count = erased_in_pass(scale);
	decltype(auto) hits = search_keys(subject, plan.hits);
	decltype(auto) misses = search_keys(subject, plan.misses);
	decltype(auto) erased = search_keys(subject, plan.erased);
	uint64_t answer = 0;
	stopwatch watch;

	for (uint32_t pass = 0; pass < plan.pass_count(); pass++) {
		if (pass == scale.warm)
			std::fill(ns, ns + operation_count, 0.0);
		subject.make();
		watch.add(ns[insert],
			[&] { insert_all(subject, plan.keys, pass * count, count); });
		if (pass + 1 == plan.pass_count()) {
			subject.settle();
			watch.add(ns[find_hit], [&] { answer = find_hits(subject, hits); });
			expect("sum of the values found", answer, plan.hit_sum);
			watch.add(
				ns[find_miss], [&] { answer = find_misses(subject, misses); });
			expect("found that were never put", answer, 0);
			answer = 0;
			watch.add(ns[iterate], [&] {
				for (uint32_t i = 0; i < scale.iterations; i++) {
					answer += sum_all(subject);
					bench_keep(answer); /* sum again, not times */
				}
			});
			expect("sum over all", answer, scale.iterations * plan.all_sum);
		}
		watch.add(ns[erase], [&] {
			answer = erase_all(subject, erased, pass * erased_count, erased_count);
		});
		expect("erased", answer, erased_count);
		expect("left", subject.count(), count - erased_count);
		subject.drop();
	}
	ns[insert] /= double(scale.passes) * double(count);
	ns[find_hit] /= scale.queries;
	ns[find_miss] /= scale.queries;
	ns[iterate] /= double(scale.iterations) * double(count);
	ns[erase] /= double(scale.passes) * double(erased_count);
}

} /* namespace contest */

#endif /* LENDHEAP_BENCH_TURN_HPP */
