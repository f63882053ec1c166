/* SPDX-License-Identifier: Apache-2.0 */
#include <cstring>
#include <exception>
#include <iostream>

#include "program.hpp"

int main(int argc, char **argv)
{
	try {
		if (argc == 4 && std::strcmp(argv[1], "own") == 0)
			return own(argv[2], argv[3]);
		if (argc >= 4 && std::strcmp(argv[1], "look") == 0)
			return look(argv[2], argc - 3, argv + 3);
	} catch (const std::exception &error) {
		std::cerr << argv[0] << ": " << error.what() << '\n';
		return 1;
	}
	std::cerr << "usage: " << argv[0] << " own NAME TEXT | look NAME WORD...\n";
	return 2;
}
