/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LENDHEAP_BENCH_WORKLOADS_HPP
#define LENDHEAP_BENCH_WORKLOADS_HPP

/*
 * What bench_alloc does with a heap. One operation is one object: allocated, written, read,
 * freed. Every heap sees the same sizes in the same order.
 *
 *	tight      16..1024 B, freed at once; the cost of a call where all hits the cache
 *	tight-64   the same, 64 B always
 *	batch      10,000 objects of 16..1024 B alive, then freed in random order
 *	batch-100k the same with 100,000 objects, 50 MiB: more than any thread cache holds
 *	batch-2t   batch in two threads at a time
 *	pass-2t    one thread allocates and writes, another reads and frees (a ring of 1024 between)
 *	large      32 KiB..4 MiB, 32 alive, every page written
 *
 * Time is the CPU time of the threads, so that a neighbour on the machine does not count; the
 * cases with two threads also give wall-clock time. A turn starts with work that is not
 * measured, since the other heaps have just had the CPU's caches.
 */
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <pthread.h>
#include <sched.h>
#include <vector>

#include "bench/harness/bench.h"

namespace contest
{

enum class workload { tight, tight_64, batch, batch_100k, batch_2t, pass_2t, large };

/* Sizes and orders, made once and used by every heap. */
struct plan {
	explicit plan(workload kind_, bool quick) : kind(kind_)
	{
		uint64_t seed = 20;
		uint32_t count = object_count(quick);

		for (uint32_t i = 0; i < count; i++)
			sizes.push_back(draw_size(seed));
		order.resize(count);
		bench_shuffle(order.data(), count, &seed);
		budget_ns = kind == workload::large ? 25000000 : 8000000;
		if (quick)
			budget_ns /= 8;
	}

	workload kind;
	std::vector<uint32_t> sizes;
	std::vector<uint32_t> order;
	uint64_t budget_ns; /* of CPU time, for one turn */

      private:
	uint32_t object_count(bool quick) const
	{
		if (kind == workload::large)
			return 512;
		return (kind == workload::batch_100k ? 100000 : 10000) / (quick ? 5 : 1);
	}

	uint32_t draw_size(uint64_t &seed) const
	{
		if (kind == workload::tight_64)
			return 64;
		if (kind == workload::large) /* each doubling is as likely */
			return (32768u << bench_random_below(&seed, 7)) +
			       4096 * bench_random_below(&seed, 8);
		return 16 + bench_random_below(&seed, 1009);
	}
};

/* The cost of one operation. */
struct cost {
	double cpu_ns;
	double wall_ns;
};

[[noreturn]] inline void fail(const char *what)
{
	fprintf(stderr, "bench_alloc: %s\n", what);
	abort();
}

/* The first word of an object; a volatile access stays where it is written. */
inline volatile uint64_t &word(void *object)
{
	return *static_cast<volatile uint64_t *>(object);
}

template <class Thread>
[[gnu::noinline]] uint64_t tight_pass(Thread heap, const uint32_t *sizes, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		void *object = heap.alloc(sizes[i]);

		if (__builtin_expect(!object, 0))
			fail("out of memory");
		word(object) = i;
		heap.free(object, sizes[i]);
	}
	return count;
}

template <class Thread>
[[gnu::noinline]] uint64_t batch_pass(Thread heap, const uint32_t *sizes, const uint32_t *order,
	void **objects, uint32_t count)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < count; i++) {
		void *object = heap.alloc(sizes[i]);

		if (__builtin_expect(!object, 0))
			fail("out of memory");
		word(object) = i;
		objects[i] = object;
	}
	for (uint32_t i = 0; i < count; i++) {
		uint32_t at = order[i];

		sum += word(objects[at]);
		heap.free(objects[at], sizes[at]);
	}
	if (sum != uint64_t{count} * (count - 1) / 2)
		fail("an object changed while it was alive");
	return count;
}

constexpr uint32_t large_alive = 32;

/* objects[] and their sizes live from pass to pass; empty at first. */
template <class Thread>
[[gnu::noinline]] uint64_t large_pass(Thread heap, const uint32_t *sizes, const uint32_t *order,
	void **objects, uint32_t *alive_bytes, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		uint32_t at = order[i] % large_alive;

		if (objects[at])
			heap.free(objects[at], alive_bytes[at]);
		objects[at] = heap.alloc(sizes[i]);
		if (__builtin_expect(!objects[at], 0))
			fail("out of memory");
		alive_bytes[at] = sizes[i];
		for (uint32_t offset = 0; offset < sizes[i]; offset += 4096)
			word(static_cast<char *>(objects[at]) + offset) = i;
	}
	return count;
}

/* A single-threaded workload on one heap, with what it keeps between passes. */
template <class Thread> class runner
{
      public:
	runner(Thread heap, const plan &plan)
	    : heap_(heap), plan_(plan), objects_(plan.sizes.size()), alive_bytes_(large_alive)
	{
	}

	/* One pass; how many operations it was. */
	uint64_t pass()
	{
		const uint32_t *sizes = plan_.sizes.data(), *order = plan_.order.data();
		uint32_t count = static_cast<uint32_t>(plan_.sizes.size());

		if (plan_.kind == workload::tight || plan_.kind == workload::tight_64)
			return tight_pass(heap_, sizes, count);
		if (plan_.kind == workload::large)
			return large_pass(heap_, sizes, order, objects_.data(),
				alive_bytes_.data(), count);
		return batch_pass(heap_, sizes, order, objects_.data(), count);
	}

	/* Passes that fill the budget, at least one. */
	uint64_t calibrate()
	{
		uint64_t start, spent, passes = 0;

		pass();
		start = bench_thread_ns();
		do {
			pass();
			passes++;
			spent = bench_thread_ns() - start;
		} while (spent < plan_.budget_ns / 4);
		passes = passes * plan_.budget_ns / spent;
		return passes ? passes : 1;
	}

	void finish()
	{
		if (plan_.kind != workload::large)
			return;
		for (uint32_t i = 0; i < large_alive; i++) {
			if (objects_[i])
				heap_.free(objects_[i], alive_bytes_[i]);
			objects_[i] = nullptr;
		}
	}

      private:
	Thread heap_;
	const plan &plan_;
	std::vector<void *> objects_;
	std::vector<uint32_t> alive_bytes_;
};

/* A ring of pointers from one thread to one other. */
class spsc_ring
{
      public:
	bool try_put(void *object)
	{
		uint64_t tail = tail_.load(std::memory_order_relaxed); /* ours */

		if (tail - head_seen_ == count) {
			head_seen_ = head_.load(std::memory_order_acquire); /* HEAD */
			if (tail - head_seen_ == count)
				return false;
		}
		slot_[tail % count] = object;
		tail_.store(tail + 1, std::memory_order_release); /* TAIL */
		return true;
	}
	bool try_take(void *&object)
	{
		uint64_t head = head_.load(std::memory_order_relaxed); /* ours */

		if (head == tail_seen_) {
			tail_seen_ = tail_.load(std::memory_order_acquire); /* TAIL */
			if (head == tail_seen_)
				return false;
		}
		object = slot_[head % count];
		head_.store(head + 1, std::memory_order_release); /* HEAD */
		return true;
	}

      private:
	static constexpr uint64_t count = 1024;

	alignas(64) std::atomic<uint64_t> head_{0};
	uint64_t tail_seen_ = 0;
	alignas(64) std::atomic<uint64_t> tail_{0};
	uint64_t head_seen_ = 0;
	alignas(64) void *slot_[count];
};

/* Waiting for the other thread, whose CPU time is kept apart. */
class waiting
{
      public:
	template <class Condition> void until(Condition done)
	{
		uint64_t start;

		for (int i = 0; i < 64; i++) {
			if (done())
				return;
			__builtin_ia32_pause();
		}
		start = bench_thread_ns();
		while (!done())
			sched_yield();
		spent_ns += bench_thread_ns() - start;
	}

	uint64_t spent_ns = 0;
};

constexpr size_t payload_words = 8; /* a cache line, or less in a smaller object */

template <class Thread>
[[gnu::noinline]] void produce(
	Thread heap, const plan &plan, spsc_ring &ring, uint64_t count, waiting &wait)
{
	uint32_t size_count = static_cast<uint32_t>(plan.sizes.size()), at = 0;

	for (uint64_t i = 0; i < count; i++) {
		uint32_t bytes = plan.sizes[at];
		size_t words = bytes / 8 < payload_words ? bytes / 8 : payload_words;
		uint64_t *object = static_cast<uint64_t *>(heap.alloc(bytes));

		if (__builtin_expect(!object, 0))
			fail("out of memory");
		object[0] = bytes;
		for (size_t w = 1; w < words; w++)
			object[w] = i;
		if (__builtin_expect(!ring.try_put(object), 0))
			wait.until([&] { return ring.try_put(object); });
		if (++at == size_count)
			at = 0;
	}
}

template <class Thread>
[[gnu::noinline]] void consume(Thread heap, spsc_ring &ring, uint64_t count, waiting &wait)
{
	for (uint64_t i = 0; i < count; i++) {
		uint64_t bytes, sum = 0;
		uint64_t *object;
		void *taken;
		size_t words;

		if (__builtin_expect(!ring.try_take(taken), 0))
			wait.until([&] { return ring.try_take(taken); });
		object = static_cast<uint64_t *>(taken);
		bytes = object[0];
		words = bytes / 8 < payload_words ? bytes / 8 : payload_words;
		for (size_t w = 1; w < words; w++)
			sum += object[w];
		if (__builtin_expect(sum != i * (words - 1), 0))
			fail("an object changed on its way");
		heap.free(object, bytes);
	}
}

/* Two threads over one heap, each on a CPU of its own, and what they spent. */
template <class Heap> class pair_turn
{
      public:
	pair_turn(Heap &heap, const plan &plan, uint64_t passes, const int *cpus)
	    : heap_(heap), plan_(plan), passes_(passes)
	{
		for (int i = 0; i < 2; i++) {
			side_[i].turn = this;
			side_[i].index = i;
			side_[i].cpu = cpus[i];
		}
	}

	cost run()
	{
		uint64_t start, end, cpu_ns;

		pthread_barrier_init(&barrier_, nullptr, 2);
		for (side &s : side_) {
			if (pthread_create(&s.thread, nullptr, start_side, &s) != 0)
				fail("no thread");
		}
		for (side &s : side_)
			pthread_join(s.thread, nullptr);
		pthread_barrier_destroy(&barrier_);

		start = std::min(side_[0].start_ns, side_[1].start_ns);
		end = std::max(side_[0].end_ns, side_[1].end_ns);
		cpu_ns = side_[0].cpu_ns + side_[1].cpu_ns;
		return cost{double(cpu_ns) / double(operations()),
			double(end - start) / double(operations())};
	}

      private:
	struct side {
		pair_turn *turn;
		int index, cpu;
		pthread_t thread;
		uint64_t start_ns, end_ns, cpu_ns;
	};

	/* Objects in all; wall-clock time per object counts both threads' objects. */
	uint64_t operations() const
	{
		uint64_t each = passes_ * plan_.sizes.size();

		return plan_.kind == workload::pass_2t ? each : 2 * each;
	}

	static void *start_side(void *context)
	{
		side *s = static_cast<side *>(context);

		bench_pin(s->cpu);
		s->turn->work(*s);
		return nullptr;
	}

	void work(side &s)
	{
		auto heap = heap_.enter();
		uint64_t cpu_start;
		waiting wait;

		if (plan_.kind == workload::pass_2t) {
			pass_on(heap, s, 1, wait); /* not measured */
			wait.spent_ns = 0;
		}
		runner<decltype(heap)> runner(heap, plan_);
		if (plan_.kind == workload::batch_2t)
			runner.pass(); /* not measured */
		pthread_barrier_wait(&barrier_);
		s.start_ns = bench_wall_ns();
		cpu_start = bench_thread_ns();
		if (plan_.kind == workload::pass_2t) {
			pass_on(heap, s, passes_, wait);
		} else {
			for (uint64_t i = 0; i < passes_; i++)
				runner.pass();
		}
		s.cpu_ns = bench_thread_ns() - cpu_start - wait.spent_ns;
		s.end_ns = bench_wall_ns();
		heap_.leave(heap);
	}

	template <class Thread>
	void pass_on(Thread &heap, const side &s, uint64_t passes, waiting &wait)
	{
		uint64_t count = passes * plan_.sizes.size();

		if (s.index == 0)
			produce(heap, plan_, ring_, count, wait);
		else
			consume(heap, ring_, count, wait);
	}

	Heap &heap_;
	const plan &plan_;
	uint64_t passes_;
	pthread_barrier_t barrier_;
	side side_[2];
	spsc_ring ring_;
};

} /* namespace contest */

#endif /* LENDHEAP_BENCH_WORKLOADS_HPP */
