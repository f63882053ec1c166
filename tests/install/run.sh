#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The tests of the installed tree, one step a call:
#
#   run.sh STEP SOURCE BUILD CC CXX
#
# `tree` installs BUILD into BUILD/install-test/prefix; the other steps use that and need it to
# have run. Exit status 77 is a skip.
set -euo pipefail

step=$1 source=$2 build=$3 cc=$4 cxx=$5
work=$build/install-test
prefix=$work/prefix
here=$source/tests/install
cflags=(-std=c11 -D_GNU_SOURCE -Wall -Wextra -Werror -O2 -g)

skip() { echo "skipped: $*"; exit 77; }
fail() { echo "not so: $*" >&2; exit 1; }

libdir=$(dirname "$(find "$prefix" -name lendheap.pc 2>/dev/null | head -1)")/..
if [ "$step" != tree ]; then
	libdir=$(cd "$libdir" && pwd)
	export PKG_CONFIG_PATH=$libdir/pkgconfig
	export LD_LIBRARY_PATH=$libdir
fi
mkdir -p "$work/bin"
program=$work/bin/$step

# with_shared NAME: build tests/install/NAME.c against the installed shared library. The program
# is the step's own: steps run side by side.
with_shared()
{
	# shellcheck disable=SC2046 # words are wanted
	"$cc" "${cflags[@]}" "$here/$1.c" -I"$prefix/include" -L"$libdir" -llendheap -ldl -pthread -o "$program"
}

# says_hello PROGRAM: runs and prints its towns.
says_hello()
{
	local said
	said=$("$@")
	echo "$said"
	[[ $said == "lendheap 0."*Bonn* ]] || fail "$1 did not say its town"
}

case $step in
tree)
	rm -rf "$work"
	env -u DESTDIR cmake --install "$build" --prefix "$prefix" >"$build/install-test.log"
	libdir=$(dirname "$(dirname "$(find "$prefix" -name lendheap.pc)")")
	for file in "$libdir/liblendheap.so" "$libdir/liblendheap.so.0" "$libdir/liblendheap.a" \
		"$libdir/cmake/lendheap/lendheapConfig.cmake" "$prefix/include/lendheap/lendheap.h" \
		"$prefix/share/doc/lendheap/LICENSE" "$prefix/share/doc/lendheap/NOTICE" \
		"$prefix/share/doc/lendheap/COPYING.jemalloc"; do
		[ -s "$file" ] || fail "$file is installed"
	done
	if grep -rIlE --include='*.pc' --include='*.cmake' -e "(^|[^A-Za-z0-9_/}])($source|$build|$prefix)(/|\$|[^a-z])" "$prefix"; then
		fail "no installed file names the place it was built or installed at"
	fi
	;;
cmake)
	for static in OFF ON; do
		cmake -S "$source/examples/hello" -B "$work/hello-$static" -DCMAKE_PREFIX_PATH="$prefix" \
			-DHELLO_STATIC=$static -DCMAKE_C_COMPILER="$cc" -DCMAKE_CXX_COMPILER="$cxx" \
			-DCMAKE_BUILD_TYPE=Release >"$work/hello-$static.log"
		cmake --build "$work/hello-$static" >>"$work/hello-$static.log"
		says_hello env -u LD_LIBRARY_PATH "$work/hello-$static/hello"
		says_hello env -u LD_LIBRARY_PATH "$work/hello-$static/hello_cpp"
	done
	if readelf -d "$work/hello-ON/hello" | grep liblendheap; then
		fail "the static one needs no shared library"
	fi
	;;
pkgconfig)
	command -v pkg-config >/dev/null || skip "pkg-config is missing"
	pkg-config --exists --print-errors "lendheap >= 0.1"
	# Moved elsewhere, the .pc file still finds its tree.
	read -ra flags <<<"$(pkg-config --cflags --libs lendheap)"
	"$cc" "${cflags[@]}" "$source/examples/hello/hello.c" "${flags[@]}" -o "$work/bin/hello-shared"
	says_hello "$work/bin/hello-shared"
	"$cxx" -std=c++17 -Wall -Wextra -Werror "$source/examples/hello/hello.cpp" "${flags[@]}" -o "$work/bin/hello-shared-cpp"
	says_hello "$work/bin/hello-shared-cpp"
	read -ra flags <<<"$(pkg-config --static --cflags --libs lendheap)"
	flags=("${flags[@]/#-llendheap/-l:liblendheap.a}")
	"$cc" "${cflags[@]}" "$source/examples/hello/hello.c" "${flags[@]}" -o "$work/bin/hello-static"
	says_hello env -u LD_LIBRARY_PATH "$work/bin/hello-static"
	;;
dlopen)
	"$cc" "${cflags[@]}" "$here/dlopened.c" -I"$prefix/include" -ldl -pthread -o "$program"
	"$program" liblendheap.so.0
	;;
plugin)
	# No --exclude-libs, no version script: a plugin's author need not know of the trouble.
	"$cc" "${cflags[@]}" -shared -fPIC "$here/plugin.c" -I"$prefix/include" "$libdir/liblendheap.a" \
		-pthread -o "$work/bin/plugin.so"
	if nm -D --defined-only "$work/bin/plugin.so" | grep -E ' lendi?_'; then
		fail "the plugin keeps its copy to itself"
	fi
	with_shared plugin_host
	"$program" "$work/bin/plugin.so"
	;;
jemalloc-beside)
	# A program with a jemalloc of its own, of our very prefix, links the static library.
	archive=$(sed -n 's/^LENDHEAP_JEMALLOC_DIR:PATH=//p' "$build/CMakeCache.txt")/lib/libjemalloc_pic.a
	"$cc" "${cflags[@]}" "$source/examples/hello/hello.c" -I"$prefix/include" "$libdir/liblendheap.a" \
		-Wl,--whole-archive "$archive" -Wl,--no-whole-archive -pthread -o "$work/bin/hello-beside"
	says_hello "$work/bin/hello-beside"
	;;
malloc)
	with_shared host_malloc
	"$program" libc.so
	;;
preload-mimalloc | preload-jemalloc)
	name=lib${step#preload-}.so
	library=$(PATH=$PATH:/sbin:/usr/sbin ldconfig -p | awk -v n="$name" 'index($1, n) == 1 && !at { at = $NF } END { print at }')
	[ -n "$library" ] || skip "no $name here"
	with_shared host_malloc
	LD_PRELOAD=$library "$program" "$name"
	;;
options)
	with_shared options
	hostile="narenas:4,retain:false,oversize_threshold:1,muzzy_decay_ms:1000,dirty_decay_ms:0"
	hostile+=",background_thread:true,tcache:false,percpu_arena:percpu,metadata_thp:always"
	hostile+=",thp:always,dss:primary,lg_tcache_max:8,tcache_nslots_small_max:1,junk:true,zero:true"
	hostile+=",cache_oblivious:false,hpa:true,slabs:1-4096:17,abort:true"
	for settings in "$hostile" no_such_option:1 abort_conf:true dss:primary junk:true tcache:false \
		trust_madvise:false percpu_arena:phycpu stats_print:true hpa:true slabs:1-4096:17; do
		echo "LENDI_JE_MALLOC_CONF=$settings"
		said=$(LENDI_JE_MALLOC_CONF=$settings MALLOC_CONF=$settings _RJEM_MALLOC_CONF=$settings "$program" 2>&1) ||
			fail "an arena is made and used under these settings: $said"
		# jemalloc itself complains of an option it does not know; beyond that all is silent.
		said=$(grep -v '^<jemalloc>: Invalid conf' <<<"$said" || true)
		[ -z "$said" ] || fail "the library prints nothing: $said"
	done
	;;
*)
	echo "run.sh: no step $step" >&2
	exit 2
	;;
esac
