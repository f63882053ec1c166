#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Run the graph demo that was built; arguments go to it.
set -euo pipefail
cd "$(dirname "$0")/.."

if [ -x examples/graph/demo.sh ]; then
	exec examples/graph/demo.sh "$@"
fi
for program in build/bin/graph-demo build/bin/graph_demo; do
	if [ -x "$program" ]; then
		exec "$program" "$@"
	fi
done
echo "the graph demo was not built: no examples/graph here" >&2
exit 1
