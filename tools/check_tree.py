#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Check what every file of the tree must have.

usage: check_tree.py ROOT

- An SPDX line among the first three of each source, script and build file.
- A header's guard is LENDHEAP_<FILE>_H or LENDHEAP_<FLOOR>_<FILE>_H; a public C header has extern "C"
  where it declares functions.
- Tabs, not spaces, begin a line of C; none ends in white space; each file ends in one newline.
- No path of one machine, no mark of unfinished work.
- Each floor has a README.md (once it has a .c or a .h).
"""
import pathlib
import re
import subprocess
import sys

FLOORS = ["base", "os", "offset_ptr", "arena", "alloc", "containers", "session", "channel", "handoff", "capi"]
C_LIKE = (".c", ".h", ".cpp", ".hpp")
NEED_SPDX = C_LIKE + (".py", ".sh", ".cmake")
NEED_SPDX_NAMES = ("CMakeLists.txt", "Makefile")
# Spelled in pieces, so that this file does not find itself.
MARKS = re.compile(r"\b(" + "|".join(["TO" + "DO", "FIX" + "ME", "X" * 3]) + r")\b")
PATHS = re.compile(r"(^|[\s\"'=(])/(" + "|".join(["home", "root", "work", "Users"]) + r")/")

# As clang-format has them: an access label, the empty line of a macro.
SPACED = re.compile(r" *((public|protected|private):|\\)$")


def tracked(root):
    """The files git knows or would add; without git or a checkout, all outside the build folders."""
    try:
        run = subprocess.run(["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                             capture_output=True, check=True)
        names = [name for name in run.stdout.decode().split("\0") if name]
        return [root / name for name in names if (root / name).is_file()]
    except (OSError, subprocess.CalledProcessError):
        pass
    return [p for p in sorted(root.rglob("*"))
            if p.is_file() and not re.match(r"(build|\.git/)", p.relative_to(root).as_posix())]


def guard_faults(path, where, text):
    stem = re.sub(r"\W", "_", path.stem).upper()
    suffix = "HPP" if path.suffix == ".hpp" else "H"
    found = re.search(r"^#ifndef (\w+)\n#define (\w+)\n", text, re.M)
    if not found or found[1] != found[2]:
        yield "has no include guard"
    elif where.split("/")[0] in FLOORS and not re.fullmatch(rf"LENDHEAP_(\w+_)?{stem}_{suffix}", found[1]):
        yield f"guard {found[1]}, wanted LENDHEAP_{stem}_{suffix}"
    if "/include/" in where and path.suffix == ".h" and re.search(r"^LEND_API", text, re.M) and 'extern "C"' not in text:
        yield 'declares functions without extern "C"'


def faults_of(root, path):
    where = path.relative_to(root).as_posix()
    raw = path.read_bytes()
    if b"\0" in raw or not raw:
        return
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        return
    lines = text.split("\n")
    if path.suffix in NEED_SPDX or path.name in NEED_SPDX_NAMES:
        if not any("SPDX-License-Identifier: Apache-2.0" in line for line in lines[:3]):
            yield "1: no SPDX line"
    if path.suffix in (".h", ".hpp"):
        for fault in guard_faults(path, where, text):
            yield f"1: {fault}"
    checked = path.suffix in NEED_SPDX or path.name in NEED_SPDX_NAMES or path.suffix == ".md"
    for number, line in enumerate(lines, 1):
        if checked and path.suffix != ".md" and line != line.rstrip():
            yield f"{number}: ends in white space"
        if path.suffix in C_LIKE and line.startswith("    ") and not SPACED.match(line):
            yield f"{number}: begins with spaces; indent with tabs"
        if checked and MARKS.search(line):
            yield f"{number}: a mark of unfinished work"
        if checked and PATHS.search(line):
            yield f"{number}: a path of one machine"
    if checked and (not text.endswith("\n") or text.endswith("\n\n")):
        yield f"{len(lines)}: does not end in one newline"


def main(root):
    root = pathlib.Path(root).resolve()
    faults, paths = [], tracked(root)
    for path in paths:
        faults += [f"{path.relative_to(root)}:{fault}" for fault in faults_of(root, path)]
    for floor in FLOORS:
        folder = root / floor
        if any(folder.rglob("*.[ch]")) and not (folder / "README.md").is_file():
            faults.append(f"{floor}/README.md:1: missing")
    print("\n".join(faults + [f"{len(paths)} files, {len(faults)} faults"]))
    return 1 if faults else 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1]))
