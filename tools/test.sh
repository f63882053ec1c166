#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Every suite, one step after the other; a failed step does not stop the next.
#
#   test.sh JOBS [cmake arguments]...
#
# The last line is "N passed, N failed, N skipped", counted over all steps; exit status 1 when
# anything failed. LENDHEAP_TEST_STEPS="release asan" runs some steps only.
set -uo pipefail
cd "$(dirname "$0")/.."

jobs=$1
shift
ulimit -c 0 # tests die on purpose: no core files
arguments=("$@")
steps=${LENDHEAP_TEST_STEPS:-release dev asan tsan fuzz}
mkdir -p build
counts=$PWD/build/test-counts
: >"$counts"

count() { echo "$*" >>"$counts"; }

# step NAME PRESET WHAT GOAL [ctest arguments]...: build a goal of a preset, run its tests, show the end of what ctest said.
step()
{
	local name=$1 preset=$2 what=$3 goal=$4 dir=build
	shift 4
	[[ " $steps " == *" $name "* ]] || return 0
	[ "$preset" = release ] || dir=build-$preset
	echo "== $name: $what"
	local start=$SECONDS built
	if ! tools/build.sh "$preset" "$goal" "$jobs" "${arguments[@]}" | cat; then
		echo "   $name does not build"
		count 0 1 0
		return 0
	fi
	built=$((SECONDS - start))
	rm -f "$dir/junit.xml"
	ctest --test-dir "$dir" -j "$jobs" --output-junit junit.xml "$@" >"$dir/test.log" 2>&1
	# From ctest's verdict to its end, without the times per label.
	sed -n '/^[0-9]*% tests passed/,$p' "$dir/test.log" | sed '/^Label Time Summary/,/^$/d; /^$/d; /^Errors while running/d; /^Output from these tests/d; /^Use "--rerun/d'
	python3 tools/report_tests.py "$dir/junit.xml" "$counts"
	echo "   built in $built s, tested in $((SECONDS - start - built)) s"
}

skip()
{
	[[ " $steps " == *" $1 "* ]] || return 0
	echo "== $1: skipped: $2"
	count 0 0 1
}

step release release "all tests, -O3, as installed" all
step dev dev "debug checks, warnings are errors, unit tests under valgrind too" 'unit|crash' -L 'unit|valgrind|crash'
step asan asan "AddressSanitizer with leak check, UBSan" all -LE 'install|abi'
step tsan tsan "ThreadSanitizer" all -L 'unit|model|multi'
if command -v clang >/dev/null && command -v clang++ >/dev/null; then
	step fuzz fuzz "libFuzzer with AddressSanitizer, clang, a bounded time each" fuzz -L fuzz
else
	skip fuzz "clang is missing"
fi

read -r passed failed skipped < <(awk '{ p += $1; f += $2; s += $3 } END { print p + 0, f + 0, s + 0 }' "$counts")
echo
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
