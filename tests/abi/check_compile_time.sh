#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# How long one source file that uses the whole C++ face takes to compile at -O2, beside the same
# standard headers included alone. The target is 5 s; the time is printed, and the test fails only
# where it is far off.
#
#   check_compile_time.sh SOURCE COMPILER...
set -euo pipefail

source=$1
shift
target=5 limit=60
floors=(base os offset_ptr arena alloc containers session channel handoff capi)
include=("${floors[@]/#/-I$source/}")
include=("${include[@]/%//include}")

# seconds COMPILER FILE: of processor time, which other work on the machine disturbs little
seconds()
{
	local TIMEFORMAT=%U

	{ time "$1" -std=c++17 -O2 "${include[@]}" -x c++ -c "$2" -o /dev/null 2>&3; } 3>&2 2>&1
}

# The standard headers that the face includes itself, and nothing else.
alone=$(mktemp)
trap 'rm -f "$alone"' EXIT
cat "$source"/{base,offset_ptr,alloc,containers,capi}/include/lendheap/*.hpp | grep -h '^#include <[a-z_]*>$' |
	sort -u >"$alone"

for compiler; do
	face=$(seconds "$compiler" "$source/tests/abi/whole_face.cpp")
	headers=$(seconds "$compiler" "$source/capi/include/lendheap/lendheap.hpp")
	std=$(seconds "$compiler" "$alone")
	awk -v c="$(basename "$compiler")" -v f="$face" -v h="$headers" -v s="$std" -v t="$target" -v l="$limit" 'BEGIN {
		printf "%s: %.1f s (target %d s); of that the headers %.2f s, %.1fx of the standard ones in them, %.2f s\n",
			c, f, t, h, h / (s > 0 ? s : 1), s
		exit f > l }'
done
