/* SPDX-License-Identifier: Apache-2.0 */
#include <functional>
#include <utility>

#include <boost/interprocess/allocators/allocator.hpp>
#include <boost/interprocess/containers/map.hpp>
#include <boost/interprocess/containers/string.hpp>
#include <boost/interprocess/containers/vector.hpp>
#include <boost/interprocess/managed_shared_memory.hpp>

#include "program.hpp"

namespace bip = boost::interprocess;

using segment = bip::managed_shared_memory;
template <class T> using allocator = bip::allocator<T, segment::segment_manager>;

using string = bip::basic_string<char, std::char_traits<char>, allocator<char>>;
using lines = bip::vector<int, allocator<int>>;
using word_index =
	bip::map<string, lines, std::less<string>, allocator<std::pair<const string, lines>>>;

int own(const char *name, const char *text)
{
	bip::shared_memory_object::remove(name); /* a dead owner's */
	segment memory(bip::create_only, name, 16 << 20);
	segment::segment_manager *manager = memory.get_segment_manager();
	auto *words = memory.find_or_construct<word_index>("words")(
		std::less<string>(), allocator<word_index::value_type>(manager));

	for_each_word(text, [&](const std::string &word, int line) {
		string key(word.c_str(), allocator<char>(manager));
		auto at = words->try_emplace(std::move(key), allocator<int>(manager)).first;

		at->second.push_back(line);
	});
	serve(words->size());
	bip::shared_memory_object::remove(name);
	return 0;
}

int look(const char *name, int word_count, char **wanted)
{
	segment memory(bip::open_only, name);
	auto *words = memory.find<word_index>("words").first;

	if (!words)
		return 1;
	for (int i = 0; i < word_count; i++) {
		/* The key is allocated in the segment: who looks must be able to write. */
		string key(wanted[i], allocator<char>(memory.get_segment_manager()));
		auto found = words->find(key);

		if (found != words->end())
			print_lines(wanted[i], found->second);
	}
	return 0;
}
