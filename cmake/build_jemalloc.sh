#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Build the private jemalloc in DIR, once: several build folders may share DIR and may ask at
# the same time.
#
#   build_jemalloc.sh DIR CC [TARBALL]
#
# Result: DIR/lib/libjemalloc_pic.a, DIR/include (all headers, generated ones too), DIR/COPYING.
# None of jemalloc's files is changed. It is never instrumented by a sanitizer: it talks to
# pthread mutexes, which the sanitizers see.
set -euo pipefail

dir=$1
cc=$2
tarball=${3:-}
here=$(cd "$(dirname "$0")" && pwd)
version=5.3.0

mkdir -p "$dir"
dir=$(cd "$dir" && pwd)
exec 9>"$dir/lock"
flock 9

configure_options=(
	--with-jemalloc-prefix=lendi_je_
	--with-private-namespace=lendi_jei_
	--with-lg-vaddr=48
	--with-lg-page=12
	--enable-static
	--disable-shared
	--disable-cxx
	--disable-doc
	--disable-libdl
	--disable-initial-exec-tls
	--disable-cache-oblivious
)
cflags="-O3 -g2 -fPIC -fvisibility=hidden"
recipe=$(printf '%s\n' "$version" "${configure_options[@]}" "$cflags")
if [ -f "$dir/recipe" ] && [ "$(cat "$dir/recipe")" = "$recipe" ] && [ -f "$dir/lib/libjemalloc_pic.a" ]; then
	touch "$dir/lib/libjemalloc_pic.a"
	exit 0
fi

"$here/get_jemalloc.sh" "$dir/jemalloc-$version.tar.bz2" "$tarball"

rm -rf "$dir/recipe" "$dir/lib" "$dir/include" "$dir/jemalloc-$version"
tar -C "$dir" --no-same-owner -xjf "$dir/jemalloc-$version.tar.bz2"
cd "$dir/jemalloc-$version"

run()
{
	local what=$1
	shift
	echo "jemalloc: $what"
	# No make jobserver of ours: this is a build of its own. No flags of the caller's
	# environment: presets share the result.
	if ! env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL -u CPPFLAGS -u LDFLAGS -u LIBS -u EXTRA_LDFLAGS -u MALLOC_CONF \
		CC="$cc" CFLAGS="$cflags" EXTRA_CFLAGS="-g2" force_tls=0 "$@" >"$dir/log" 2>&1 </dev/null; then
		tail -20 "$dir/log" >&2
		echo "jemalloc: $what failed, the whole log is $dir/log" >&2
		exit 1
	fi
}

run "configure (own prefix, own namespace, 48-bit addresses, no TLS)" ./configure "${configure_options[@]}"
run "build" make -j"$(nproc)" lib/libjemalloc_pic.a

strays=$(nm -g --defined-only lib/libjemalloc_pic.a | awk 'NF == 3 && $3 !~ /^lendi_je/ { print $3 }' | sort -u)
if [ -n "$strays" ]; then
	printf 'jemalloc: symbols without our prefix, refusing:\n%s\n' "$strays" >&2
	exit 1
fi

mkdir -p "$dir/lib"
cp -R include "$dir/include"
cp COPYING "$dir/COPYING"
cp lib/libjemalloc_pic.a "$dir/lib/libjemalloc_pic.a"
printf '%s\n' "$recipe" >"$dir/recipe"
