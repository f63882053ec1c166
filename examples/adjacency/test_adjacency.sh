#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# The reader prints what the plain program prints. test_adjacency.sh PLAIN OWNER READER
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkfifo "$work/end"
awk 'BEGIN { srand(3); for (i = 0; i < 4000; i++) print "place-" int(rand() * 900), "a-place-with-a-long-name-" int(rand() * 900)
	for (i = 0; i < 900; i++) print "a-place-with-a-long-name-" i, "place-" int(rand() * 900) }' >"$work/arcs"

"$2" "adjacency-test/$$" "$work/arcs" <"$work/end" >/dev/null &
exec 3>"$work/end" # the owner ends when we close it, also by dying
"$3" "adjacency-test/$$" place-1 >"$work/shared" || exit 1
"$3" "adjacency-test/$$" nowhere >"$work/none" || exit 1
exec 3>&-
wait $! || exit 1
"$1" place-1 <"$work/arcs" >"$work/plain" || exit 1
cmp "$work/plain" "$work/shared" || exit 1
[ "$(wc -l <"$work/plain")" -gt 1000 ] || exit 1
grep -q "nowhere is none of them" "$work/none"
