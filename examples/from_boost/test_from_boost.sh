#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Each program, owner and reader, finds what is in the text; so they say the same.
#
#   test_from_boost.sh PROGRAM...
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkfifo "$work/end" "$work/said"
cat >"$work/text" <<'END'
the heap that several processes see
a process ends and the heap stays
see the-process-whose-name-is-too-long-to-lie-inside-of-a-string-object
END
cat >"$work/wanted" <<'END'
the: 1 2
see: 1 3
the-process-whose-name-is-too-long-to-lie-inside-of-a-string-object: 3
heap: 1 2
END

for program; do
	name=from-boost-test-$$
	"$program" own $name "$work/text" <"$work/end" >"$work/said" &
	owner=$!
	exec 3>"$work/end" # the owner ends when we close it, also by dying
	exec 4<"$work/said"
	read -r said <&4
	[ "$said" = "12 words" ] || exit 1
	"$program" look $name the see missing \
		the-process-whose-name-is-too-long-to-lie-inside-of-a-string-object heap \
		>"$work/found" || exit 1
	exec 3>&- 4<&-
	wait $owner || exit 1
	cmp "$work/wanted" "$work/found" || {
		cat "$work/found"
		exit 1
	}
done
