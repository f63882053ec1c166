#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# See that the packages a goal needs are there, and install those that are missing through apt.
#
#   need.sh build|demo|test|bench
#
# LENDHEAP_NO_INSTALL=1 names what is missing and stops instead. On a machine without dpkg this
# does nothing: there the compiler says what it lacks.
set -euo pipefail

goal=$1
command -v dpkg-query >/dev/null || exit 0

# package : what for
packages_build="
gcc:compiles the library
g++:compiles the C++ face and its tests
libc6-dev:the C library's headers
make:builds jemalloc
cmake:configures the build
ninja-build:runs the build
bzip2:unpacks jemalloc's release tarball
ca-certificates:to fetch that tarball from upstream if the source package is not to be had
zlib1g-dev:reads gzipped graph files in the example
liblzma-dev:reads xz graph files in the example"
packages_test="
libcunit1-dev:the unit tests' framework
libboost1.81-dev:containers the offset pointer must work with
pkg-config:one of the two ways an installed lendheap is found
python3:the checkers in tools/
valgrind:the unit tests once more
clang:the second compiler and the fuzz targets
libclang-rt-14-dev:the sanitizers and libFuzzer for clang
libmimalloc2.0:a foreign malloc to preload
libjemalloc2:another one"
packages_bench="
libboost1.81-dev:Boost.Interprocess and Boost's maps, peers
libabsl-dev:Abseil's maps, peers
wpolish:four million words, the keys of strings in bench_containers
libjemalloc-dev:jemalloc as a heap, a peer
libmimalloc2.0:mimalloc, a peer
libmimalloc-dev:mimalloc's header"

list=$packages_build
case $goal in
build | demo) ;;
test) list+=$packages_test ;;
bench) list+=$packages_bench ;;
*)
	echo "need.sh: no goal $goal" >&2
	exit 2
	;;
esac

installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

# Where the wanted release of a package is not offered, its unversioned sibling does.
sibling() { case $1 in libboost1.81-dev) echo libboost-dev ;; libclang-rt-14-dev) echo libclang-rt-dev ;; libmimalloc2.0) echo libmimalloc-dev ;; esac; }

missing=()
while IFS=: read -r package why; do
	[ -n "$package" ] || continue
	installed "$package" && continue
	other=$(sibling "$package")
	if [ -n "$other" ] && [ "$other" != "$package" ] && installed "$other"; then
		continue
	fi
	# pkgconf provides pkg-config on newer releases.
	if [ "$package" = pkg-config ] && command -v pkg-config >/dev/null; then
		continue
	fi
	if [ ${#missing[@]} -eq 0 ]; then
		echo "make $goal needs packages that are not installed:"
	fi
	printf '  %-20s %s\n' "$package" "$why"
	missing+=("$package")
done <<<"$list"
[ ${#missing[@]} -gt 0 ] || exit 0

if [ -n "${LENDHEAP_NO_INSTALL:-}" ]; then
	echo "LENDHEAP_NO_INSTALL is set, so install them yourself: ${missing[*]}" >&2
	exit 1
fi
as_root=()
if [ "$(id -u)" -ne 0 ]; then
	if ! command -v sudo >/dev/null; then
		echo "not root and no sudo here, so install them yourself: ${missing[*]}" >&2
		exit 1
	fi
	as_root=(sudo)
fi

log=$(mktemp)
trap 'rm -f "$log"' EXIT
update() { "${as_root[@]}" apt-get -q -o Acquire::Retries=3 update >>"$log" 2>&1 || true; }
install()
{
	"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o Acquire::Retries=3 \
		-o DPkg::Lock::Timeout=120 install --no-install-recommends "$@" >>"$log" 2>&1
}
offered() { apt-cache policy "$1" 2>/dev/null | grep 'Candidate: [^(]' >/dev/null; }

echo "installing them with apt-get"
for package in "${missing[@]}"; do
	if ! offered "$package"; then
		update
		break
	fi
done
wanted=()
for package in "${missing[@]}"; do
	other=$(sibling "$package")
	if [ -n "$other" ] && ! offered "$package"; then
		package=$other
	fi
	wanted+=("$package")
done
if ! install "${wanted[@]}"; then
	update # lists older than the archive name files that are gone
	if ! install "${wanted[@]}"; then
		tail -20 "$log" >&2
		echo "apt-get could not install: ${wanted[*]}" >&2
		exit 1
	fi
fi
