#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Say what a ctest run found.

usage: report_tests.py JUNIT_XML COUNTS

Prints the output of each failed test and the reason of each skipped one, and appends a line
"passed failed skipped" to the file COUNTS. Exit status 1 when a test failed. A test that could
not be started counts as failed: only one that ended with the status for skips is skipped.
"""
import sys
import xml.etree.ElementTree as ElementTree

LINES_SHOWN = 60


def main(junit, counts):
    passed = failed = skipped = 0
    try:
        cases = list(ElementTree.parse(junit).getroot().iter("testcase"))
    except (OSError, ElementTree.ParseError) as error:
        print(f"ctest left no result: {error}")
        cases, failed = [], 1
    for case in cases:
        output = (case.findtext("system-out") or "").strip().split("\n")
        skip = case.find("skipped")
        if case.get("status") == "run":
            passed += 1
        elif skip is not None and "SKIP" in skip.get("message", ""):
            skipped += 1
            print(f"  skipped {case.get('name')}: {output[-1].removeprefix('skipped: ') or 'no reason given'}")
        else:
            failed += 1
            why = skip if skip is not None else case.find("failure")
            print(f"  FAILED {case.get('name')}: {why.get('message', '') if why is not None else ''}")
            for line in output[-LINES_SHOWN:]:
                print(f"    | {line}")
    with open(counts, "a", encoding="ascii") as file:
        file.write(f"{passed} {failed} {skipped}\n")
    return 1 if failed else 0


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
