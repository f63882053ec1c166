#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Run each bench that was built, one after the other; arguments (such as --json) go to all.
set -euo pipefail
cd "$(dirname "$0")/.."

found=0
status=0
for bench in build/bench/bench_*; do
	[ -f "$bench" ] && [ -x "$bench" ] || continue
	found=1
	echo "== $(basename "$bench")" >&2
	"$bench" "$@" || status=$?
done
[ "$found" = 1 ] || { echo "no bench was built: no bench/ here" >&2; exit 1; }
exit "$status"
