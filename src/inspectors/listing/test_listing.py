#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""listing: both forms against find(1)'s own output, and what no list has."""
import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "tests/lib"))
import ght

d = ght.tmp()


def got(data):
    (d / "all_files.txt").write_bytes(data)
    return [(r["path"], r["size"], r["line"]) for r in ght.rows(ght.drive(d / "all_files.txt"), "listing")]


tree = d / "tree"
for path, size in {"system/build.prop": 10, "system/app/A b/A.apk": 0, "vendor/etc/x": 3}.items():
    os.makedirs(tree / os.path.dirname(path), exist_ok=True)
    (tree / path).write_bytes(bytes(size))
plain = ght.run("find", ".", "-type", "f", cwd=tree)
names = [n[2:] for n in plain.decode().splitlines()]
ght.equal(got(plain), [(n, None, i) for i, n in enumerate(names, 1)], "as find prints it")
sized = ght.run("find", ".", "-type", "f", "-printf", "%s\\t%P\\n", cwd=tree)
ght.equal(got(sized), [(n, (tree / n).stat().st_size, i) for i, n in enumerate(names, 1)], "with sizes")
ght.equal(got(b"a\r\nb"), [("a", None, 1), ("b", None, 2)], "CRLF, no final newline")
ght.equal(got(b"\n\n./\n"), [], "empty lines")
ght.equal(got(b"x\ty\n99999999999999999999999\tz\n"), [("x\\x09y", None, 1), ("99999999999999999999999\\x09z", None, 2)],
          "a first field that is no size belongs to the path")
ght.equal(got(b"\xff\x00\n"), [("\\xff\\x00", None, 1)], "bytes that are no text are kept")
ght.equal(got(b""), [], "empty")
ght.done()
