#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Check that no type lying in shared memory (struct ..._shm) has padding the source does not name.

usage: check_padding.py SOURCE COMPILER [include folder]...

A hidden hole is a place where compilers may differ and where old bytes leak to a peer. Every
header that defines such a type is compiled with -Wpadded; warnings outside those types (private
structs may have holes) do not count.
"""
import pathlib
import re
import subprocess
import sys

DEFINITION = re.compile(r"^\s*(?:typedef\s+)?(?:struct|union)\s+(\w+_shm)\s*\{", re.M)
WARNING = re.compile(r"^(?P<file>[^:\n]+):(?P<line>\d+):\d+: warning: (?P<text>.*)\[-Wpadded\]", re.M)


def shm_lines(text):
    """Line number -> name, for each line inside a definition of a struct ..._shm."""
    lines = {}
    for found in DEFINITION.finditer(text):
        depth, at = 1, found.end()
        while depth and at < len(text):
            depth += {"{": 1, "}": -1}.get(text[at], 0)
            at += 1
        first = text.count("\n", 0, found.start(1)) + 1
        last = text.count("\n", 0, at) + 1
        lines.update((line, found.group(1)) for line in range(first, last + 1))
    return lines


def main(argv):
    root, compiler, folders = pathlib.Path(argv[1]).resolve(), argv[2], argv[3:]
    faults = types = 0
    for source in sorted(root.glob("*/**/*.[ch]")):
        if source.relative_to(root).parts[0].startswith(("build", "tests", ".")):
            continue
        inside = shm_lines(source.read_text())
        if not inside:
            continue
        types += len(set(inside.values()))
        run = subprocess.run(
            [compiler, "-std=gnu11", "-D_GNU_SOURCE", "-fsyntax-only", "-Wpadded", "-x", "c", f"-I{root}"]
            + [f"-I{folder}" for folder in folders] + [str(source)],
            capture_output=True, text=True, env={"LC_ALL": "C", "PATH": "/usr/local/bin:/usr/bin:/bin"}, check=False)
        if run.returncode:
            print(f"{source}: does not compile:\n{run.stderr}")
            faults += 1
        for warning in WARNING.finditer(run.stderr):
            name = inside.get(int(warning["line"]))
            if name and pathlib.Path(warning["file"]).resolve() == source:
                print(f"{warning['file']}:{warning['line']}: struct {name}: {warning['text'].strip()}")
                faults += 1
    print(f"{types} shared types, {faults} faults")
    if not types:
        return 77
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
