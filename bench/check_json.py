#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Run a bench with --quick --json and check what it prints.

    check_json.py BENCH CASE...

Each line must be an object with the keys that programs rely on, and each CASE must occur. The
figures of a quick run mean nothing and are only checked to be figures.
"""
import json
import math
import subprocess
import sys

TEXTS = ("bench", "case", "subject", "peer")
SKIPPED = 77


def check_line(line):
    """Return the object of a line, or raise ValueError."""
    entry = json.loads(line)
    for key in TEXTS:
        if not isinstance(entry.get(key), str) or not entry[key]:
            raise ValueError(f"no text under {key}")
    for key in ("ratio", "rounds"):
        if not isinstance(entry.get(key), (int, float)) or not math.isfinite(entry[key]):
            raise ValueError(f"no number under {key}")
        if entry[key] <= 0:
            raise ValueError(f"{key} is {entry[key]}")
    spread = entry.get("spread")
    if not isinstance(spread, list) or len(spread) != 2 or spread[0] > spread[1]:
        raise ValueError("no spread")
    if entry["subject"].startswith("lend") and entry["bench"] == "alloc" and not entry.get("profile"):
        raise ValueError("no profile")
    return entry


def main():
    bench, wanted = sys.argv[1], set(sys.argv[2:])
    run = subprocess.run([bench, "--quick", "--json"], stdout=subprocess.PIPE, text=True, check=False)
    if run.returncode == SKIPPED:
        return SKIPPED
    if run.returncode != 0:
        print(f"{bench} ended with {run.returncode}")
        return 1
    seen = set()
    for number, line in enumerate(run.stdout.splitlines(), 1):
        try:
            seen.add(check_line(line)["case"])
        except ValueError as error:
            print(f"line {number}: {error}: {line}")
            return 1
    missing = wanted - seen
    if missing:
        print(f"no line for {', '.join(sorted(missing))}")
        return 1
    print(f"{len(run.stdout.splitlines())} lines, cases {', '.join(sorted(seen))}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
