/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LENDHEAP_BENCH_PLAN_HPP
#define LENDHEAP_BENCH_PLAN_HPP

/*
 * What is put into a container, looked up in it and taken out again: made once per case, the same
 * for every row, and with the answers that each must give.
 *
 * A turn fills and empties a container in several passes. Each has keys of its own, so that no
 * branch predictor learns the order of a small container by heart. Every list lies in the order
 * of its use, so that reading it costs all rows the same little.
 */
#include <algorithm>
#include <cstdint>
#include <fstream>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "bench/harness/bench.h"

namespace contest
{

/* How much of everything. */
struct scale {
	const char *name;        /* "int-1e3" */
	uint32_t rounds;         /* turns of each row */
	uint32_t rounds_ordered; /* of trees, whose descents take long in large ones */
	uint32_t count;          /* elements; 0: all there are */
	uint32_t warm;           /* passes before those that are measured */
	uint32_t passes;         /* measured ones */
	uint32_t queries;        /* that hit, and as many that miss, in the last pass */
	uint32_t iterations;     /* over all elements, in the last pass */
};

/* Elements erased in a pass: as many as are looked up, if there are so many. */
inline uint32_t erased_in_pass(const scale &scale)
{
	return std::min(scale.count, scale.queries);
}

/* What iterating sums up of a key, so that it is read. */
inline uint64_t weight(uint64_t key)
{
	return key;
}

template <class String> uint64_t weight(const String &key)
{
	return key.size();
}

/* Numbers as they are drawn. */
class number_list
{
      public:
	using item = uint64_t;

	void add(uint64_t number)
	{
		items_.push_back(number);
	}
	const uint64_t &operator[](size_t index) const
	{
		return items_[index];
	}
	size_t size() const
	{
		return items_.size();
	}

      private:
	std::vector<uint64_t> items_;
};

/* Words, one behind the other. Their bytes move while words are added, so they are numbered. */
class word_list
{
      public:
	using item = std::string_view;

	void add(std::string_view word)
	{
		bytes_ += word;
		ends_.push_back(bytes_.size());
	}
	std::string_view operator[](size_t index) const
	{
		size_t begin = index ? ends_[index - 1] : 0;

		return {bytes_.data() + begin, ends_[index] - begin};
	}
	size_t size() const
	{
		return ends_.size();
	}

      private:
	std::string bytes_;
	std::vector<size_t> ends_;
};

/* The lists of a case and the answers. The value of an element is its number in its pass. */
template <class List> struct plan {
	using item = typename List::item;

	struct scale scale;
	List keys;            /* warm + passes times count, in order of insertion */
	List hits, misses;    /* about the last pass */
	List erased;          /* for each pass */
	uint64_t hit_sum = 0; /* of the values that hits find */
	uint64_t all_sum = 0; /* of weights and values in the last pass */

	uint32_t pass_count() const
	{
		return scale.warm + scale.passes;
	}

	/* Everything that follows from the keys but the misses. */
	void derive(uint64_t &seed)
	{
		uint32_t count = scale.count, erased_count = erased_in_pass(scale);
		std::vector<uint32_t> order(count);
		size_t last = size_t{pass_count() - 1} * count;

		for (uint32_t p = 0; p < pass_count(); p++) {
			bench_shuffle(order.data(), count, &seed);
			for (uint32_t i = 0; i < erased_count; i++)
				erased.add(keys[size_t{p} * count + order[i]]);
		}
		for (uint32_t q = 0; q < scale.queries; q++) {
			if (q % count == 0)
				bench_shuffle(order.data(), count, &seed);
			hits.add(keys[last + order[q % count]]);
			hit_sum += order[q % count];
		}
		for (uint32_t i = 0; i < count; i++)
			all_sum += weight(keys[last + i]) + i;
	}
};

using number_plan = plan<number_list>;
using word_plan = plan<word_list>;

constexpr uint64_t plan_seed = 20;

/*
 * Random 64-bit numbers. bench_random() is a bijection of a counter, so all that it gives are
 * distinct, the misses too.
 */
inline void make_plan(number_plan &plan)
{
	size_t key_count = size_t{plan.pass_count()} * plan.scale.count;
	uint64_t seed = plan_seed, order_seed = plan_seed + 1;

	for (size_t i = 0; i < key_count; i++)
		plan.keys.add(bench_random(&seed));
	for (uint32_t q = 0; q < plan.scale.queries; q++)
		plan.misses.add(bench_random(&seed));
	plan.derive(order_seed);
}

constexpr const char *word_file = "/usr/share/dict/polish";

/* The lines of the word file, and the text they lie in. */
struct dictionary {
	std::string text;
	std::vector<std::string_view> words;

	/* Up to bytes_max bytes of it; false when there are no words. */
	bool read(size_t bytes_max)
	{
		std::ifstream file(word_file, std::ios::ate);
		size_t at = 0, end;

		if (!file)
			return false;
		text.resize(std::min(bytes_max, size_t(file.tellg())));
		file.seekg(0);
		file.read(text.data(), std::streamsize(text.size()));
		while ((end = text.find('\n', at)) != std::string::npos) {
			words.emplace_back(text.data() + at, end - at);
			at = end + 1;
		}
		return !words.empty();
	}
};

/* A word with another letter somewhere that is none of the words. */
inline std::string misspell(std::string_view word,
	const std::unordered_set<std::string_view> &words, uint64_t &seed)
{
	std::string other(word);

	do {
		char &letter = other[bench_random_below(&seed, uint32_t(other.size()))];

		if (static_cast<unsigned char>(letter) >= 0x80) /* half a letter */
			other += 'x';
		else
			letter = static_cast<char>('a' + bench_random_below(&seed, 26));
	} while (words.count(other));
	return other;
}

/* Words in random order. False when the file is missing or too short. */
inline bool make_plan(word_plan &plan, bool quick)
{
	std::unordered_set<std::string_view> used;
	std::vector<uint32_t> order;
	uint64_t seed = plan_seed;
	dictionary all;
	size_t key_count;

	if (!all.read(quick ? size_t{1} << 20 : SIZE_MAX))
		return false;
	if (plan.scale.count == 0)
		plan.scale.count = uint32_t(all.words.size());
	key_count = size_t{plan.pass_count()} * plan.scale.count;
	if (all.words.size() < key_count)
		return false;

	order.resize(all.words.size());
	bench_shuffle(order.data(), uint32_t(order.size()), &seed);
	for (size_t i = 0; i < key_count; i++) {
		plan.keys.add(all.words[order[i]]);
		used.insert(all.words[order[i]]);
	}
	if (used.size() != key_count)
		return false; /* a word twice */
	for (uint32_t q = 0; q < plan.scale.queries; q++)
		plan.misses.add(misspell(all.words[order[q % key_count]], used, seed));
	plan.derive(seed);
	return true;
}

} /* namespace contest */

#endif /* LENDHEAP_BENCH_PLAN_HPP */
