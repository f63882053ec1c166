#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Configure a preset where needed and build it. Quiet: a failure shows the whole of its output.
#
#   build.sh PRESET JOBS [cmake arguments]...
set -euo pipefail
cd "$(dirname "$0")/.."

preset=$1
jobs=$2
shift 2
build=build
[ "$preset" = release ] || build=build-$preset
mkdir -p "$build"

# Configure again only when there is something new to say: ninja sees changed lists by itself.
wanted=$(printf '%s\n' "$@" | cat - CMakePresets.json | sha256sum)
if ! [ -f "$build/build.ninja" ] || [ "$(cat "$build/configured" 2>/dev/null)" != "$wanted" ]; then
	echo "configure $preset into $build/"
	if ! cmake --preset "$preset" "$@" >"$build/configure.log" 2>&1; then
		cat "$build/configure.log" >&2
		exit 1
	fi
	grep -A4 '^CMake Warning' "$build/configure.log" || true
	printf '%s\n' "$wanted" >"$build/configured"
fi

echo "build $preset with $jobs jobs"
if [ -t 1 ]; then
	exec cmake --build "$build" -j "$jobs"
fi
if ! cmake --build "$build" -j "$jobs" >"$build/build.log" 2>&1; then
	grep -v '^\[[0-9]*/[0-9]*\]' "$build/build.log" | tail -60 >&2
	echo "build of $preset failed, the whole log is $build/build.log" >&2
	exit 1
fi
grep -E 'warning:' "$build/build.log" || true
