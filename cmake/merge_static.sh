#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# One relocatable object of all floors and the private jemalloc, for liblendheap.a.
#
#   merge_static.sh OUT CC LD NM OBJCOPY FILE...
#
# Only lend_* stays global, so nothing in it can clash with what a program brings along (its own
# jemalloc under any prefix, say). And lend_* is made hidden: a plugin that links this copy keeps
# it to itself, rather than being bound to the host's copy when it is loaded.
set -euo pipefail

out=$1 cc=$2 ld=$3 nm=$4 objcopy=$5
shift 5
trap 'rm -f "$out.all" "$out.names.s" "$out.names.o"' EXIT

"$ld" -r -o "$out.all" "$@"
# The linker keeps the narrowest visibility that any of the objects asks for.
{
	"$nm" -g --defined-only "$out.all" | awk '$3 ~ /^lend_/ { print "\t.hidden " $3 }'
	printf '\t.section .note.GNU-stack,"",@progbits\n'
} >"$out.names.s"
"$cc" -c -o "$out.names.o" "$out.names.s"
"$ld" -r -o "$out" "$out.all" "$out.names.o"
"$objcopy" --wildcard --keep-global-symbol='lend_*' "$out"
