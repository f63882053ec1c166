/* SPDX-License-Identifier: Apache-2.0 */
#include <string_view>

#include <lendheap/lendheap.hpp>

#include "program.hpp"

using string = lend::fixed::string;
using lines = lend::fixed::vector<int>;
using word_index = lend::fixed::map<string, lines>;

int own(const char *name, const char *text)
{
	lend::arena memory(name);
	lend::scope in(memory);
	auto *words = memory.find_or_construct<word_index>("words");

	for_each_word(text, [&](const std::string &word, int line) {
		(*words)[string(word)].push_back(line);
	});
	memory.share(name);
	serve(words->size());
	return 0;
}

int look(const char *name, int word_count, char **wanted)
{
	lend::borrowed memory = lend::open(name);
	const auto *words = memory.find<word_index>("words");

	if (!words)
		return 1;
	for (int i = 0; i < word_count; i++) {
		auto found = words->find(std::string_view(wanted[i])); /* allocates nothing */

		if (found != words->end())
			print_lines(wanted[i], found->second);
	}
	return 0;
}
