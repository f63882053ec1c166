/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FROM_BOOST_PROGRAM_HPP
#define FROM_BOOST_PROGRAM_HPP

/*
 * An index of a text, which one process makes and others look into: in which lines is a word?
 * with_boost.cpp and with_lendheap.cpp are the two ways to write it; the rest is here.
 *
 *	with_lendheap own NAME TEXT          makes the index, shares it until its input ends
 *	with_lendheap look NAME WORD...      prints the lines of each word
 */
#include <fstream>
#include <iostream>
#include <limits>
#include <sstream>
#include <string>

int own(const char *name, const char *text);
int look(const char *name, int word_count, char **words);

/* Call f(word, line) for each word of a file, in order; lines from 1 on. */
template <class F> void for_each_word(const char *text, F &&f)
{
	std::ifstream file(text);
	std::string line;
	std::string word;

	for (int number = 1; std::getline(file, line); number++)
		for (std::istringstream words(line); words >> word;)
			f(word, number);
}

/* Say that the index is there, and stay until the input ends. */
inline void serve(std::size_t word_count)
{
	std::cout << word_count << " words" << std::endl;
	std::cin.ignore(std::numeric_limits<std::streamsize>::max());
}

template <class Lines> void print_lines(const char *word, const Lines &lines)
{
	std::cout << word << ':';
	for (int line : lines)
		std::cout << ' ' << line;
	std::cout << '\n';
}

#endif /* FROM_BOOST_PROGRAM_HPP */
