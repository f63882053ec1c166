/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LENDHEAP_BENCH_CHURN_HPP
#define LENDHEAP_BENCH_CHURN_HPP

/*
 * The churn: a heap kept at a target of live bytes by freeing at random while the sizes shift,
 * in a fresh process, with the memory behind it sampled on the way.
 *
 *	1. fill to 64 MiB with 16..256 B
 *	2. replace with 64..1024 B, then 256 B..4 KiB, then 1..32 KiB: 96 MiB each
 *	3. shrink to a quarter, then grow back with 16 B..32 KiB: 96 MiB
 *	4. free everything, purge
 *
 * Within a mix each doubling of the size is as likely. Footprint is the growth of the process's
 * resident set since before the heap was opened, or what the heap says it occupies if that is
 * more (pages of an arena that are not mapped here). The peak is over all samples, the mean is
 * what was occupied on average. Sampling is outside the measured time.
 */
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <sys/mman.h>

#include "bench/alloc/heaps.hpp"
#include "bench/alloc/workloads.hpp"

namespace contest
{

struct churn_result {
	uint64_t operations;
	uint64_t cpu_ns;
	uint64_t live_bytes; /* the target */
	uint64_t peak_bytes;
	double mean_bytes;
	uint64_t after_free_bytes;
	uint64_t after_free_data_bytes; /* of the heap's own count, beyond an empty heap's */
	bool counts_data;
};

template <class Heap> class churn
{
      public:
	explicit churn(bool quick) : target_bytes_((quick ? 4 : 64) * mib)
	{
	}

	/* In a fresh process. 0 or -errno. */
	int run(churn_result &result)
	{
		int err;

		err = map_objects();
		if (err)
			return err;
		draw_sizes();
		base_exact_ = bench_smaps_bytes(0, "Rss");
		base_resident_ = bench_resident_bytes();
		if (base_exact_ < 0 || base_resident_ < 0)
			return -ENOSYS;
		err = heap_.open();
		if (err)
			return err;

		result = {};
		base_usage_ = heap_.usage();
		walk_phases();
		free_down_to(0);
		flush_count();
		heap_.leave(thread_);
		heap_.purge();
		result.operations = operations_;
		result.cpu_ns = cpu_ns_;
		result.live_bytes = target_bytes_;
		result.peak_bytes = peak_bytes_;
		result.mean_bytes = sum_bytes_ / samples_;
		result.after_free_bytes = footprint(bench_smaps_bytes(0, "Rss") - base_exact_);
		result.counts_data = heap_.usage().total_bytes != 0;
		result.after_free_data_bytes = data_growth();
		heap_.close();
		return 0;
	}

      private:
	static constexpr uint64_t mib = 1024 * 1024;
	static constexpr uint32_t size_count = 65536;
	static constexpr uint32_t mix_count = 5;

	struct object {
		void *memory;
		uint64_t bytes;
	};

	struct mix {
		double low, high;
	};
	static constexpr mix mixes[mix_count] = {
		{16, 256}, {64, 1024}, {256, 4096}, {1024, 32768}, {16, 32768}};

	/* Memory of the bench itself is touched before the heap's is counted. */
	int map_objects()
	{
		capacity_ = target_bytes_ / 32;
		objects_ = static_cast<object *>(map_touched(capacity_ * sizeof(object)));
		sizes_ = static_cast<uint16_t *>(
			map_touched(mix_count * size_count * sizeof(uint16_t)));
		return objects_ && sizes_ ? 0 : -ENOMEM;
	}

	static void *map_touched(size_t bytes)
	{
		void *memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

		return memory == MAP_FAILED ? nullptr : memory;
	}

	void draw_sizes()
	{
		uint64_t seed = 7;

		for (uint32_t m = 0; m < mix_count; m++) {
			double span = std::log2(mixes[m].high / mixes[m].low);

			for (uint32_t i = 0; i < size_count; i++) {
				double share =
					double(bench_random(&seed) >> 11) / 9007199254740992.0;

				sizes_[m * size_count + i] =
					uint16_t(mixes[m].low * std::exp2(share * span));
			}
		}
	}

	void walk_phases()
	{
		uint64_t replaced = target_bytes_ + target_bytes_ / 2;

		thread_ = heap_.enter();
		started_ns_ = bench_thread_ns();
		replace(0, target_bytes_);
		for (uint32_t m = 1; m <= 3; m++)
			replace(m, replaced);
		free_down_to(target_bytes_ / 4);
		replace(4, replaced);
	}

	/* Allocate so many bytes of a mix, keeping the live bytes at the target. */
	void replace(uint32_t m, uint64_t bytes)
	{
		uint64_t sample_bytes = target_bytes_ / 16, next_sample = sample_bytes;
		const uint16_t *sizes = sizes_ + m * size_count;

		for (uint64_t done = 0; done < bytes; size_at_++) {
			uint64_t size = sizes[size_at_ % size_count];

			while (live_bytes_ + size > target_bytes_)
				free_one();
			add_one(size);
			done += size;
			if (done >= next_sample) {
				next_sample += sample_bytes;
				sample();
			}
		}
	}

	void add_one(uint64_t size)
	{
		object &o = objects_[count_++];

		o.bytes = size;
		o.memory = thread_.alloc(size);
		if (!o.memory || count_ == capacity_)
			fail("out of memory");
		for (uint64_t offset = 0; offset < size; offset += 4096)
			word(static_cast<char *>(o.memory) + (offset & ~uint64_t{7})) = size;
		word(static_cast<char *>(o.memory) + ((size - 8) & ~uint64_t{7})) = size;
		live_bytes_ += size;
		operations_++;
	}

	void free_one()
	{
		object &o = objects_[bench_random_below(&seed_, count_)];

		if (word(o.memory) != o.bytes)
			fail("an object changed while it was alive");
		thread_.free(o.memory, o.bytes);
		live_bytes_ -= o.bytes;
		o = objects_[--count_];
	}

	void free_down_to(uint64_t bytes)
	{
		while (live_bytes_ > bytes)
			free_one();
		sample();
	}

	void flush_count()
	{
		cpu_ns_ += bench_thread_ns() - started_ns_;
	}

	void sample()
	{
		uint64_t bytes;

		flush_count();
		bytes = footprint(bench_resident_bytes() - base_resident_);
		peak_bytes_ = std::max(peak_bytes_, bytes);
		sum_bytes_ += double(bytes);
		samples_++;
		started_ns_ = bench_thread_ns();
	}

	uint64_t footprint(int64_t grown) const
	{
		return std::max(
			uint64_t(std::max(grown, int64_t{0})), heap_.usage().total_bytes);
	}

	uint64_t data_growth() const
	{
		uint64_t now = heap_.usage().data_bytes;

		return now > base_usage_.data_bytes ? now - base_usage_.data_bytes : 0;
	}

	Heap heap_;
	typename Heap::thread thread_ = {};
	uint64_t target_bytes_;
	uint64_t capacity_ = 0;
	object *objects_ = nullptr;
	uint16_t *sizes_ = nullptr;
	uint32_t size_at_ = 0;
	uint32_t count_ = 0;
	uint64_t seed_ = 11;
	uint64_t live_bytes_ = 0;
	uint64_t operations_ = 0;
	uint64_t started_ns_ = 0;
	uint64_t cpu_ns_ = 0;
	int64_t base_exact_ = 0;
	int64_t base_resident_ = 0;
	heap_usage base_usage_ = {};
	uint64_t peak_bytes_ = 0;
	double sum_bytes_ = 0;
	double samples_ = 0;
};

} /* namespace contest */

#endif /* LENDHEAP_BENCH_CHURN_HPP */
