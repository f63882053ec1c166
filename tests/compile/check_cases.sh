#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# What must not compile, does not, and the first error says what to do instead. A file holds cases,
# each chosen by -DCASE=n and announced by a comment:
#
#   /* lend-test: case 1 expects "use lend::offset_ptr" */
#   /* lend-test: case 2 with -fno-rtti expects "name the type" */
#
# CASE=0, where none is chosen, compiles without a warning.
#
#   check_cases.sh SOURCE COMPILER FILE
set -euo pipefail

source=$1 compiler=$2 file=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

flags=(-std=c++17 -Wall -Wextra -Wpedantic -D_GNU_SOURCE)
for floor in "$source"/*/include; do
	flags+=("-I$floor")
done

# The headers of a file are compiled once, not once a case.
grep '^#include' "$file" >"$work/headers.hpp"
echo 'extern int lend_precompiled;' >>"$work/headers.hpp"
"$compiler" "${flags[@]}" -x c++-header "$work/headers.hpp" -o "$work/headers.hpp.gch"
headers=(-include "$work/headers.hpp")

compile() { # CASE [FLAG...]
	"$compiler" "${flags[@]}" -fsyntax-only "-DCASE=$1" "${@:2}" "$file" >"$work/said" 2>&1
}

faults=0
fault() {
	echo "$file: $1" >&2
	head -n 20 "$work/said" >&2
	faults=$((faults + 1))
}

compile 0 "${headers[@]}" -Werror || fault "CASE=0 does not compile"

count=0
while read -r number options expected; do
	count=$((count + 1))
	if [ "$options" = - ]; then
		options=("${headers[@]}")
	else
		options=("$options") # another compiler, in effect: the headers anew
	fi
	if compile "$number" "${options[@]}"; then
		fault "case $number compiles"
	elif ! grep -m 1 'error:' "$work/said" | grep -qF -- "$expected"; then
		fault "case $number: the first error does not say \"$expected\""
	fi
done < <(sed -nE \
	-e 's/.*lend-test: case ([0-9]+) with (\S+) expects "([^"]+)".*/\1 \2 \3/p' \
	-e 's/.*lend-test: case ([0-9]+) expects "([^"]+)".*/\1 - \2/p' "$file")

cases=$(grep -cE '^#(el)?if CASE == [1-9]' "$file" || true)
[ "$count" -eq "$cases" ] || fault "$cases cases, but $count that expect something"
echo "$count cases, $faults faults"
[ "$count" -gt 0 ] && [ "$faults" -eq 0 ]
