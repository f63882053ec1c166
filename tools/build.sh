#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Configure a preset where needed and build what a goal needs of it. Quiet: a failure shows
# itself, the rest goes to a log.
#
#   build.sh PRESET GOAL JOBS [cmake arguments]...
#
# GOAL: all (tests too), build (libraries, benches, examples), demo, compat, bench, or labels
# of tests as in "unit|crash".
set -euo pipefail
cd "$(dirname "$0")/.."

preset=$1
goal=$2
jobs=$3
shift 3
build=build
[ "$preset" = release ] || build=build-$preset
mkdir -p "$build"

# Configure again only when there is something new to find: other arguments, other packages.
# Of changed lists of files ninja knows by itself.
wanted=$({ printf '%s\n' "$@"; cat CMakePresets.json; stat -c %Y /var/lib/dpkg/status 2>/dev/null || true; } | sha256sum)
if ! [ -f "$build/build.ninja" ] || [ "$(cat "$build/configured" 2>/dev/null)" != "$wanted" ]; then
	echo "configure $preset into $build/"
	if ! cmake --preset "$preset" "$@" >"$build/configure.log" 2>&1; then
		cat "$build/configure.log" >&2
		exit 1
	fi
	grep -A4 '^CMake Warning' "$build/configure.log" || true
	printf '%s\n' "$wanted" >"$build/configured"
fi

case $goal in
all) targets=(all) ;;
demo) targets=(lend-graph) ;;
compat) targets=(compat) ;;
bench) targets=(bench/all) ;;
build)
	targets=(lendheap lendheap_static)
	for folder in bench examples; do
		[ -f "$folder/CMakeLists.txt" ] && targets+=("$folder/all")
	done
	;;
*)
	IFS='|' read -ra labels <<<"$goal"
	targets=("${labels[@]/%/_tests}")
	;;
esac

echo "build $preset with $jobs jobs"
if [ -t 1 ]; then
	exec cmake --build "$build" -j "$jobs" --target "${targets[@]}"
fi
if ! cmake --build "$build" -j "$jobs" --target "${targets[@]}" >"$build/build.log" 2>&1; then
	grep -v '^\[[0-9]*/[0-9]*\]' "$build/build.log" | tail -60 >&2
	echo "build of $preset failed, the whole log is $build/build.log" >&2
	exit 1
fi
grep -E 'warning:' "$build/build.log" | sort -u || true
