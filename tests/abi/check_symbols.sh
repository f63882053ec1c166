#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# What the built libraries show to others.
#
#   check_symbols.sh STEP SOURCE SHARED STATIC
#
# STEP shared:   nm -D has lend_* only, in a version node, and the promised link flags
#      static:   the archive's only global symbols are the same lend_*
#      declared: every LEND_API function of the public headers is there, and nothing else
#      golden:   the list is tests/abi/symbols.txt; --write as a fifth argument renews that file
set -euo pipefail

step=$1 source=$2 shared=$3 static=$4
golden=$source/tests/abi/symbols.txt

dynamic() { nm -D --defined-only "$shared" | awk '$2 != "A" { print $3 }' | sed 's/@.*//' | LC_ALL=C sort -u; }

# compare WHAT FILE FILE: two sorted lists are the same.
compare()
{
	local differ
	if ! differ=$(diff "$2" "$3"); then
		echo "$1:" >&2
		grep '^[<>]' <<<"$differ" >&2
		exit 1
	fi
}

[ -n "$(dynamic)" ] || { echo "skipped: the library exports nothing yet"; exit 77; }

case $step in
shared)
	if dynamic | grep -v '^lend_'; then
		echo "the shared library exports more than lend_*" >&2
		exit 1
	fi
	if nm -D --defined-only "$shared" | awk '$2 != "A"' | grep -v '@@LENDHEAP_[0-9.]*$'; then
		echo "symbols without a version node" >&2
		exit 1
	fi
	flags=$(readelf -Wd "$shared"; readelf -Wl "$shared")
	for flag in NODELETE BIND_NOW GNU_RELRO 'SONAME.*liblendheap.so.0'; do
		grep -q "$flag" <<<"$flags" || { echo "the shared library lacks $flag" >&2; exit 1; }
	done
	if grep -q TEXTREL <<<"$flags"; then
		echo "the shared library has text relocations" >&2
		exit 1
	fi
	if grep 'GNU_STACK' <<<"$flags" | grep RWE >/dev/null; then
		echo "the shared library wants an executable stack" >&2
		exit 1
	fi
	dynamic | wc -l
	;;
static)
	compare "< static only, > shared only" \
		<(nm -g --defined-only "$static" 2>/dev/null | awk 'NF == 3 { print $3 }' | LC_ALL=C sort -u) <(dynamic)
	;;
declared)
	compare "< declared in a header only, > exported only" \
		<(sed -e 's|/\*.*\*/||' "$source"/*/include/lendheap/*.h | tr '\n' ' ' |
			grep -oE 'LEND_API[^;{]*[;{]' | grep -oE '\blend_[a-z0-9_]+ *\(' | tr -d ' (' | LC_ALL=C sort -u) \
		<(dynamic)
	;;
golden)
	if [ "${5:-}" = --write ]; then
		dynamic >"$golden"
	fi
	[ -f "$golden" ] || { echo "skipped: no golden list yet"; exit 77; }
	compare "< promised in tests/abi/symbols.txt only, > exported only" "$golden" <(dynamic)
	;;
*)
	echo "check_symbols.sh: no step $step" >&2
	exit 2
	;;
esac
