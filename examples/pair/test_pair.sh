#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# The reader prints the owner's towns, in order; without an owner it says so.
owner=$1
reader=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkfifo "$work/end"

"$owner" "pair-test/$$" Bonn Siegburg Hennef <"$work/end" >/dev/null &
exec 3>"$work/end" # the owner ends when we close it, also by dying
"$reader" "pair-test/$$" >"$work/towns" || exit 1
exec 3>&-
wait $! || exit 1

[ "$(cut -d ' ' -f 2 "$work/towns" | tr '\n' ' ')" = "Bonn Siegburg Hennef " ] || {
	cat "$work/towns"
	exit 1
}
! "$reader" "pair-test/$$/nobody" 2>/dev/null || exit 1
