#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The lint: layout (clang-format), mistakes (clang-tidy), the order of the rooms, the kit of every plug-in, licence lines, habits."""
import argparse
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
# Who may include whom: only rooms to the left, and one's own. Declarations of tables are for all from tree on.
ORDER = ["base", "source", "cursor", "facts/tables", "tree", "plug-ins", "engine", "facts", "derive", "rules", "report", "compare", "cli"]
PLUGINS = ("formats", "codecs", "inspectors", "capture", "device")
TIDY = "-*,bugprone-*,clang-analyzer-*,-bugprone-easily-swappable-parameters,-bugprone-reserved-identifier,-bugprone-narrowing-conversions," \
       "-bugprone-implicit-widening-of-multiplication-result,-bugprone-assignment-in-if-condition,-bugprone-branch-clone," \
       "-clang-analyzer-security.insecureAPI.DeprecatedOrUnsafeBufferHandling,-clang-analyzer-security.insecureAPI.strcpy"
problems = []


def problem(where, what):
    problems.append(f"{where}: {what}")


def tracked(*patterns):
    out = subprocess.run(["git", "-C", ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard", *patterns], capture_output=True, check=True)
    return [pathlib.Path(os.fsdecode(p)) for p in sorted(set(out.stdout.split(b"\0"))) if p and (ROOT / os.fsdecode(p)).is_file()]


def room(path):
    parts = path.split("/")
    if path.startswith(("facts/tables", "facts/embed")):
        return "facts/tables"
    return "plug-ins" if parts[0] in PLUGINS else parts[0]


def layers():
    for f in tracked("src/*.c", "src/*.h"):
        mine = room("/".join(f.parts[1:]))
        for inc in re.findall(r'^#include "([^"]+)"', (ROOT / f).read_text(), re.M):
            theirs = room(inc) if "/" in inc else mine
            if mine in ORDER and theirs in ORDER and ORDER.index(theirs) > ORDER.index(mine):
                problem(f, f"includes {inc}, which is above it")


def kits():
    seen = set()
    for line in (ROOT / "src/plugins.txt").read_text().splitlines():
        words = line.split("#")[0].split()
        if tuple(words[:2]) in seen:
            problem("src/plugins.txt", f"{' '.join(words[:2])} stands there twice")
        seen.add(tuple(words[:2]) if words else "")
        if not words or words[0] == "codec":
            continue
        d = ROOT / "src" / (words[0] + "s") / words[1]
        for what, there in (("page", (d / f"{words[1]}.md").is_file()), ("test", (d / f"test_{words[1]}.py").is_file()),
                            ("seeds", (d / "seeds").is_dir() and any((d / "seeds").iterdir()))):
            if not there:
                problem(d.relative_to(ROOT), f"no {what}")
        for seed in (d / "seeds").glob("*"):
            if seed.stat().st_size > 16 << 10:
                problem(seed.relative_to(ROOT), "a seed has at most 16 KiB")


def habits():
    for f in tracked("*.c", "*.h", "*.py", "*.sh", "*.sql", "*.def", "Makefile", "meson.build", ".ci/run"):
        text = (ROOT / f).read_text(errors="replace")
        if "SPDX-License-Identifier: Apache-2.0" not in "\n".join(text.splitlines()[:3]):
            problem(f, "no SPDX line")
        if re.search(r"\b(TODO|FIXME|XXX)\b", text) and f.name != "lint.py":
            problem(f, "unfinished")
        if f.suffix in (".c", ".h") and f.parts[0] == "src" and len(text.splitlines()) > 700:
            problem(f, f"{len(text.splitlines())} lines: split it into layers")
    for f in tracked("src/formats/*.c", "src/inspectors/*.c"):
        for n, line in enumerate((ROOT / f).read_text().splitlines(), 1):
            if re.search(r"\b(malloc|calloc|realloc|strcpy|sprintf|strcat|alloca)\(", line):
                problem(f"{f}:{n}", "plug-ins allocate from the arena only")


def layout():
    files = [str(f) for f in tracked("*.c", "*.h")]
    p = subprocess.run(["clang-format", "--dry-run", "-Werror", *files], cwd=ROOT, capture_output=True)
    for where in sorted(set(re.findall(r"^([^:\n]+):\d+:\d+: error", p.stderr.decode(), re.M))):
        problem(where, "layout: make fmt")


def tidy_one(build, f):
    p = subprocess.run(["clang-tidy", "-quiet", f"-checks={TIDY}", "-p", build, str(f)], cwd=ROOT, capture_output=True)
    return [m for m in re.findall(r"^(\S+?:\d+):\d+: (?:warning|error): (.*)$", p.stdout.decode(), re.M)]


def tidy(build):
    files = [f for f in tracked("src/*.c")]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for found in pool.map(lambda f: tidy_one(build, f), files):
            for where, what in found:
                problem(os.path.relpath(where, ROOT), what)


def shell():
    files = [str(f) for f in tracked("*.sh", ".ci/run")]
    p = subprocess.run(["shellcheck", "-S", "warning", *files], cwd=ROOT, capture_output=True)
    for line in re.findall(r"^In (.*):$", p.stdout.decode(), re.M):
        problem(line, "shellcheck")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default="build")
    parser.add_argument("--fast", action="store_true", help="without clang-tidy")
    a = parser.parse_args()
    for step in (layers, kits, habits, layout, shell):
        step()
    if not a.fast:
        tidy(a.build)
    for p in sorted(set(problems)):
        print(p)
    print(f"lint: {len(set(problems))} problems")
    sys.exit(1 if problems else 0)


main()
