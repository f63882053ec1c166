#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# The reader's list is that of sort and uniq. test_words.sh OWNER READER TEXT
LC_ALL=C
export LC_ALL
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkfifo "$work/end"

"$1" "words-test/$$" "$3" <"$work/end" >/dev/null &
exec 3>"$work/end" # the owner ends when we close it, also by dying
"$2" "words-test/$$" >"$work/words" || exit 1
"$2" "words-test/$$" the no-such-word >"$work/two" || exit 1
exec 3>&-
wait $! || exit 1

tr -cs 'A-Za-z' '\n' <"$3" | tr 'A-Z' 'a-z' | grep . | sort | uniq -c |
	sed 's/^ *//' | sort -k1,1nr -k2,2 >"$work/wanted"
cmp "$work/wanted" "$work/words" || exit 1
[ "$(wc -l <"$work/words")" -gt 300 ] || exit 1
[ "$(cat "$work/two")" = "$(grep ' the$' "$work/wanted")
0 no-such-word" ]
