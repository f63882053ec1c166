#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The demo as its user meets it: what it prints, how it fails, what it leaves behind.
#
#   test_demo.sh PROGRAM SOURCE_ROOT [small]
#
# small: no real data, for builds in which everything takes ten times as long.
set -uo pipefail

program=$1
data=$2/../shared/data
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0
checks=0

fail()
{
	echo "FAILED: $*"
	[ ! -s "$work/err" ] || sed 's/^/    stderr: /' "$work/err"
	failures=$((failures + 1))
}

# Processes of a run that are still there: theirs is the only command line with its number.
left_of() { grep -ls "conductor[=]$1" /proc/[0-9]*/cmdline 2>/dev/null; }

# run STATUS ARGUMENTS...: the exit status must be so, and no process may be left.
run()
{
	local wanted=$1 status pid
	shift
	checks=$((checks + 1))
	"$program" "$@" >"$work/out" 2>"$work/err" &
	pid=$!
	wait "$pid"
	status=$?
	[ "$status" -eq "$wanted" ] || fail "status $status, wanted $wanted: $*"
	[ -z "$(left_of "$pid")" ] || fail "processes left behind: $*"
}

out_has() { grep -Fq -- "$1" "$work/out" || fail "not on stdout: $1"; }
err_has() { grep -Fq -- "$1" "$work/err" || fail "not on stderr: $1"; }

# refuse TEXT SENTENCE [NAME]: a file with this text fails with this sentence and prints nothing.
refuse()
{
	printf "$1" >"$work/${3:-input}"
	run 1 "$work/${3:-input}"
	err_has "lend-graph: $work/${3:-input}: $2"
	[ ! -s "$work/out" ] || fail "something on stdout for: $1"
	[ "$(wc -l <"$work/err")" -eq 1 ] || fail "more than one line on stderr for: $1"
}

check_json()
{
	if command -v python3 >/dev/null; then
		python3 -c 'import json, sys
for line in sys.stdin: assert json.loads(line)["bench"] == "graph"' <"$work/out" || fail "no JSON lines"
	fi
	out_has '"equal":true'
}

checksums() { grep -o '"checksum":"[0-9a-f]*"' "$work/out"; }

echo "a run: table, JSON, progress"
run 0 --kronecker 7 --readers 3
out_has "15 result arrays, 1,920 values: all equal"
[ ! -s "$work/err" ] || fail "something on stderr"
awk 'length($0) > 100 || /[ \t]$/ { bad = 1 } END { exit bad }' "$work/out" || fail "a line is too wide or ends in blanks"
run 0 --kronecker 7 --readers 2 --json
check_json
out_has '"arrays":11'
out_has '"copied_bytes":0'
first=$(checksums)
run 0 --kronecker 7 --readers 1 --json
[ "$first" = "$(checksums)" ] || fail "the same seed gave other results"
run 0 --kronecker 7 --readers 1 --json --seed 2
[ "$first" != "$(checksums)" ] || fail "another seed gave the same results"
run 0 --kronecker 5 --readers 1 --progress
err_has "it builds the graph"

echo "small files of every format"
printf '# Nodes: 3 Edges: 3\n1\t2\n2\t3\n1\t3\n' >"$work/small.txt"
run 0 "$work/small.txt" --readers 1
out_has "small.txt (edge list)"
printf '1 1' >"$work/loop"
run 0 "$work/loop" --readers 1
printf 'p sp 3 2\na 1 2 7\na 2 3 9\n' >"$work/small.gr"
run 0 "$work/small.gr" --readers 1 --json
check_json
out_has '"vertices":3,"edges":2'
printf 'Package: a\nDepends: b, c | d\n\nPackage: b\nRecommends: d\n' >"$work/Packages"
run 0 --format apt "$work/Packages" --readers 1
out_has "4 packages, 4 dependencies"
for packer in gzip xz; do
	command -v $packer >/dev/null || { echo "skipped: no $packer here"; continue; }
	$packer -k "$work/small.gr"
	packed=$(ls "$work"/small.gr.?z)
	run 0 "$packed" --readers 1
	out_has "3 vertices, 2 edges"
	head -c -9 "$packed" >"$work/cut"
	run 1 "$work/cut"
	err_has "data end early: the file is cut off"
	rm "$packed"
done

echo "files that are not graphs"
refuse '' 'the file is empty'
refuse '\177ELF\002\001' 'line 1: byte 0x7f at column 1: this is not text'
refuse 'hello\n' 'line 1: "hello" begins neither'
refuse '1 2\n3 -4\n' 'line 2: the second vertex is negative: "-4"'
refuse '1 2\n3\n' 'line 2: the line ends where the second vertex should be'
refuse '# Nodes: 9 Edges: 9\n1 2\n' 'line 2: the file ends after 1 edges and its head promises 9'
refuse 'a 1 2 3\n' 'line 1: the problem line ("p sp ...") is missing' bad.gr
refuse 'p sp 2 1\na 1 3 5\n' 'line 2: the second vertex is 3, outside 1 to 2' bad.gr
refuse 'p sp 2 2\na 1 2 5\n' 'line 2: the file ends after 1 edges' bad.gr
refuse 'Package: a\nnonsense\n' 'line 2: no field of a package record'
run 1 "$work/absent"
err_has "absent: No such file or directory"
run 1 "$work"
err_has "Is a directory"

echo "wrong usage"
run 2 --nonsense
err_has "no such option: --nonsense"
run 2 -x
err_has "no such option: -x"
run 2 --readers
err_has "--readers needs a value"
run 2 --readers 0
err_has '--readers takes a number from 1 to 64, not "0"'
run 2 --kronecker 99
run 2 --kronecker 5 "$work/small.gr"
err_has "a file or --kronecker, not both"
run 2 "$work/small.gr" "$work/small.txt"
err_has "one file at a time"
run 2 --format pdf
run 2 --quota lots
run 0 --help
out_has "Usage: lend-graph"

echo "no room"
run 1 --kronecker 14 --quota 1M
err_has "no room in the arena for"
err_has "quota"

echo "roles that die or go wrong"
for role in owner reader overlay-writer union-walker copier; do
	LEND_GRAPH_FAULT=die:$role run 4 --kronecker 6 --readers 2
	err_has "$role"
	err_has "was killed by signal 9"
done
for role in reader union-walker; do
	LEND_GRAPH_FAULT=bend:$role run 3 --kronecker 6 --readers 2
	err_has "WRONG RESULT: "
	err_has "breadth-first search: vertex 32 has"
	[ ! -s "$work/out" ] || fail "a wrong result and yet a table"
done

echo "signals"
# stop SIGNAL STATUS: end a run in its midst; all of it must be gone soon after.
stop()
{
	local pid status tries=0
	checks=$((checks + 1))
	"$program" --kronecker 17 >"$work/out" 2>"$work/err" &
	pid=$!
	while [ -z "$(left_of "$pid")" ] && [ $tries -lt 100 ]; do
		sleep 0.05
		tries=$((tries + 1))
	done
	sleep 0.3
	kill -s "$1" "$pid"
	wait "$pid" 2>/dev/null
	status=$?
	[ "$status" -eq "$2" ] || fail "status $status after SIG$1, wanted $2"
	tries=0
	while [ -n "$(left_of "$pid")" ] && [ $tries -lt 100 ]; do
		sleep 0.05
		tries=$((tries + 1))
	done
	[ -z "$(left_of "$pid")" ] || fail "processes left after SIG$1"
}
set -m # a job of a script ignores SIGINT otherwise
stop INT 130
stop TERM 143
stop KILL 137
set +m

echo "a full disk"
if [ -w /dev/full ]; then
	"$program" --kronecker 5 --readers 1 >/dev/full 2>"$work/err"
	[ $? -eq 1 ] || fail "no error for a full disk"
fi

if [ "${3:-}" = small ]; then
	echo "skipped in this build: packages and other real data"
else
	echo "without apt"
	PATH=/nonexistent run 0 --readers 1 --rounds 3 --json
	grep -Eq 'no package records|installed on this machine' "$work/out" || fail "what was walked without apt?"

	echo "real data"
	if [ -r "$data/cnr-2000.edges.tsv.xz" ]; then
		run 0 "$data/cnr-2000.edges.tsv.xz" --readers 2 --rounds 1 --json
		check_json
		out_has '"vertices":325557,"edges":3216152'
	else
		echo "skipped: no $data/cnr-2000.edges.tsv.xz"
	fi
fi

echo "$checks runs, $failures failures"
[ "$failures" -eq 0 ]
