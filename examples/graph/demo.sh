#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# What `make demo` runs once all is built; arguments go to the program.
exec "$(dirname "$0")/../../build/bin/lend-graph" "$@"
