#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Reads src/plugins.txt for the build: `sources` (of everything but the command line), `program` (the command line), `libs`, `formats`, `inspectors`, or
`registry OUT` (the generated C table)."""
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
KINDS = {"format": "formats", "inspector": "inspectors", "codec": "codecs"}
ROOMS = ("base", "source", "cursor", "tree", "capture", "device", "engine", "facts", "derive", "rules", "report", "compare")


def plugins():
    rows = []
    for line in (ROOT / "src/plugins.txt").read_text().splitlines():
        words = line.split("#")[0].split()
        if words:
            rows.append((words[0], words[1], words[2:]))
    return sorted(rows)


def registry(out):
    with open(out, "w") as f:
        f.write("/* Generated from src/plugins.txt. */\n#include \"tree/plugin.h\"\n")
        for kind in ("format", "inspector"):
            names = [n for k, n, _ in plugins() if k == kind]
            for n in names:
                f.write(f"extern const struct gh_{kind} gh_{kind}_{n};\n")
            f.write(f"const struct gh_{kind} *const gh_{kind}s[] = {{\n")
            for n in names:
                f.write(f"\t&gh_{kind}_{n},\n")
            f.write(f"\t0,\n}};\nconst size_t gh_n_{kind}s = {len(names)};\n")


def main():
    what = sys.argv[1]
    if what == "registry":
        registry(sys.argv[2])
    elif what == "libs":
        print("\n".join(sorted({lib for _, _, libs in plugins() for lib in libs})))
    elif what == "program":
        for c in sorted((ROOT / "src/cli").glob("*.c")):
            print(c.relative_to(ROOT))
    elif what == "sources":
        for room in ROOMS:
            for c in sorted((ROOT / "src" / room).glob("*.c")):
                print(c.relative_to(ROOT))
        for kind, name, _ in plugins():
            for c in sorted((ROOT / "src" / KINDS[kind] / name).glob("*.c")):
                print(c.relative_to(ROOT))
    else:
        print("\n".join(n for k, n, _ in plugins() if k + "s" == what))


main()
