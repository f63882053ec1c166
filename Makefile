# SPDX-License-Identifier: Apache-2.0
#
# A thin face over CMake: each goal gets what it needs through apt (LENDHEAP_NO_INSTALL=1: says
# what is missing and stops), configures, builds, runs.
#
#   make           the library, benches and examples, release, into build/
#   make demo      build and run examples/graph              DEMO_ARGS="..."
#   make test      every suite: release, sanitizers, valgrind, fuzz
#   make compat    which container holds where: writes docs/containers-table.md
#   make bench     build and run bench/bench_*               BENCH_ARGS=--json
#   make install   PREFIX=/usr/local DESTDIR=
#   make clean     removes the build folders
#
# CMAKE_ARGS go to every configuration, e.g. CMAKE_ARGS=-DLENDHEAP_JEMALLOC_TARBALL=file.

PREFIX ?= /usr/local
DESTDIR ?=
CMAKE_ARGS ?=
DEMO_ARGS ?=
BENCH_ARGS ?=
JOBS ?= $(shell nproc)

.PHONY: all build demo test compat bench install clean

all: build

build:
	@tools/need.sh build
	@tools/build.sh release build $(JOBS) $(CMAKE_ARGS)

demo:
	@tools/need.sh demo
	@tools/build.sh release demo $(JOBS) $(CMAKE_ARGS)
	@examples/graph/demo.sh $(DEMO_ARGS)

test:
	@tools/need.sh test
	@tools/test.sh $(JOBS) $(CMAKE_ARGS)

compat:
	@tools/need.sh test
	@tools/build.sh release compat $(JOBS) $(CMAKE_ARGS)

bench:
	@tools/need.sh bench
	@tools/build.sh release bench $(JOBS) $(CMAKE_ARGS)
	@tools/bench.sh $(BENCH_ARGS)

install: build
	@cmake --install build --prefix "$(PREFIX)"

clean:
	@rm -rf build build-*
