#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# A type has one identity, whichever compiler asks and however it optimizes.
#
#   check_types.sh SOURCE COMPILER OTHER_COMPILER FILE
set -euo pipefail

source=$1 compilers=("$2" "$3") file=$4
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

flags=(-std=c++17 -Wall -Wextra -Wpedantic -Werror -D_GNU_SOURCE)
for floor in "$source"/*/include; do
	flags+=("-I$floor")
done
"${compilers[0]}" "${flags[@]}" -O0 "$file" -o "$work/one"
"${compilers[1]}" "${flags[@]}" -O1 "$file" -o "$work/other"
"$work/one" >"$work/one.txt"
"$work/other" >"$work/other.txt"
diff "$work/one.txt" "$work/other.txt"
echo "$(wc -l <"$work/one.txt") types"
