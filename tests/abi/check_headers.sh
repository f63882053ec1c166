#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Each public header compiles alone, in C11 and in C++17, strictly, with only its own floor and
# those below in reach: an upward include finds no file.
#
#   check_headers.sh SOURCE C|CXX COMPILER
set -euo pipefail

source=$1 language=$2 compiler=$3
floors=(base os offset_ptr arena alloc containers session channel handoff capi)
common=(-fsyntax-only -pedantic-errors -Wall -Wextra -Wconversion -Wundef -Wvla -Werror)

has_boost=yes
printf '#include <boost/version.hpp>\n' | "$compiler" -E -x c++ - >/dev/null 2>&1 || has_boost=

include=()
count=0
faults=0
for floor in "${floors[@]}"; do
	include+=("-I$source/$floor/include")
	for header in "$source/$floor"/include/lendheap/*.h "$source/$floor"/include/lendheap/*.hpp; do
		[ -f "$header" ] || continue
		name=lendheap/$(basename "$header")
		if [ "$language" = C ]; then
			[[ $name == *.hpp ]] && continue
			flags=(-std=c11 -x c -Wshadow -Wstrict-prototypes -Wmissing-prototypes)
		else
			[[ $name == lendheap/boost.hpp && -z $has_boost ]] && continue
			flags=(-std=c++17 -x c++)
		fi
		count=$((count + 1))
		# Twice: the guard works too.
		if ! printf '#include <%s>\n#include <%s>\nextern int lend_header_alone;\n' "$name" "$name" |
			"$compiler" "${flags[@]}" "${common[@]}" "${include[@]}" -; then
			echo "$floor: <$name> does not compile alone as $language" >&2
			faults=$((faults + 1))
		fi
	done
done
echo "$count headers as $language, $faults faults"
[ "$count" -gt 0 ] || exit 77
[ "$faults" -eq 0 ]
