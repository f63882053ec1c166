#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The private jemalloc: the right tarball only, apt asked with lists made from the machine's own,
# and nothing in the archive that a program could mistake for its own.
#
#   check_jemalloc.sh SOURCE JEMALLOC_DIR
set -euo pipefail

source=$1 dir=$2
get=$source/cmake/get_jemalloc.sh
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() { echo "not so: $*" >&2; exit 1; }

# A tarball that is not the pinned one: refused, and told both sums; nothing is left.
echo "not a tarball" >"$work/wrong.tar.bz2"
if said=$("$get" "$work/out/jemalloc-5.3.0.tar.bz2" "$work/wrong.tar.bz2" 2>&1); then
	fail "a wrong tarball is refused"
fi
[[ $said == *"$(sha256sum "$work/wrong.tar.bz2" | cut -d' ' -f1)"*wanted*2db82d1e7119df3e* ]] || fail "the refusal names both sums: $said"
[ -z "$(ls -A "$work/out")" ] || fail "nothing is left of it"
if "$get" "$work/out/jemalloc-5.3.0.tar.bz2" "$work/none.tar.bz2" >/dev/null 2>&1; then
	fail "a missing tarball is refused"
fi
# The pinned one is taken, and lies there whole.
"$get" "$work/out/jemalloc-5.3.0.tar.bz2" "$dir/jemalloc-5.3.0.tar.bz2" >/dev/null
cmp "$work/out/jemalloc-5.3.0.tar.bz2" "$dir/jemalloc-5.3.0.tar.bz2"

# Source lists in both formats: entries of the distribution, as deb-src, with their options.
codename=$(. /etc/os-release && printf '%s' "${VERSION_CODENAME:-stable}")
mkdir -p "$work/etc/sources.list.d" "$work/lists"
cat >"$work/etc/sources.list.d/distribution.sources" <<END
# a comment
Types: deb
# another
URIs: https://mirror.example/distribution
Suites: $codename $codename-updates
Components: main
Signed-By: /usr/share/keyrings/archive.gpg

Types: deb
URIs: https://vendor.example/tool
Suites: vendor-$codename
Components: main

Enabled: no
Types: deb
URIs: https://off.example/distribution
Suites: $codename
Components: main
END
cat >"$work/etc/sources.list" <<END
# deb https://old.example/distribution $codename main
deb [arch=amd64 signed-by=/usr/share/keyrings/archive.gpg] https://mirror.example/distribution $codename main contrib
deb-src https://mirror.example/distribution $codename-security main
deb https://vendor.example/tool stable-vendor main
END
cp "$work/etc/sources.list" "$work/before"
"$get" --source-lists "$work/etc" "$work/lists"
cat >"$work/wanted.sources" <<END
Types: deb-src
URIs: https://mirror.example/distribution
Suites: $codename $codename-updates
Components: main
Signed-By: /usr/share/keyrings/archive.gpg

END
cat >"$work/wanted.list" <<END
deb-src [arch=amd64 signed-by=/usr/share/keyrings/archive.gpg] https://mirror.example/distribution $codename main contrib
deb-src https://mirror.example/distribution $codename-security main
END
diff "$work/wanted.sources" "$work/lists/distribution.sources"
diff "$work/wanted.list" "$work/lists/sources.list"
cmp "$work/before" "$work/etc/sources.list"

# The archive: our prefix on every symbol, thread-local storage none (force_tls=0).
if nm -g --defined-only "$dir/lib/libjemalloc_pic.a" | awk 'NF == 3 && $3 !~ /^lendi_je/ { print $3 }' | grep .; then
	fail "every global symbol of jemalloc has our prefix"
fi
if readelf -SW "$dir/lib/libjemalloc_pic.a" | grep -E '\.t(bss|data)'; then
	fail "jemalloc has no thread-local storage of its own"
fi
if nm -u "$dir/lib/libjemalloc_pic.a" | grep -E '\b(malloc|free|calloc|realloc|dlsym|dlopen)$'; then
	fail "jemalloc does not use the program's heap"
fi
cmp "$dir/COPYING" "$dir/jemalloc-5.3.0/COPYING"
