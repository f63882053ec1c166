#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# A reader finds on the owner's graph, in place, what a private copy gives. test_csr.sh PROGRAM DATA:
# DATA is a folder of real graphs; without it the graph is a small made one.
program=$1
data=$2/cnr-2000.edges.tsv.xz
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

if [ -r "$data" ] && command -v xz >/dev/null; then
	xz -dc "$data" >"$work/edges" || exit 1
else
	echo "no real graph here: a made one"
	awk 'BEGIN { srand(7); for (i = 0; i < 50000; i++) print int(rand() * rand() * 9000), int(rand() * 9000) }' >"$work/edges"
fi

mkfifo "$work/end"
"$program" owner "csr-test/$$" "$work/edges" <"$work/end" >/dev/null &
exec 3>"$work/end" # the owner ends when we close it, also by dying
"$program" reader "csr-test/$$" >"$work/shared" || exit 1
exec 3>&-
wait $! || exit 1
"$program" plain "$work/edges" >"$work/plain" || exit 1
cat "$work/shared"
cmp "$work/shared" "$work/plain" || exit 1
grep -q "digest" "$work/shared" || exit 1

# A line that is no edge is named, and nothing is built.
printf '1 2\n3 x\n' >"$work/bad"
! "$program" plain "$work/bad" 2>"$work/fault" || exit 1
grep -q "line 2" "$work/fault"
