#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""listing: both forms of all_files.txt against find(1)'s own output, flashfile.xml as another XML writer writes it and another reader
reads it, and what no list has."""
import os
import pathlib
import sys
import xml.etree.ElementTree as ET

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "tests/lib"))
import ght

d = ght.tmp()


def got(data, name="all_files.txt"):
    (d / name).write_bytes(data)
    return [(r["path"], r["size"], r["line"]) for r in ght.rows(ght.drive(d / name), "listing")]


def flashfile(names, **declaration):
    """A package that flashes these, one step a line from line 2 on."""
    root = ET.Element("flashing")
    root.text = "\n"
    for name in names:
        step = ET.SubElement(root, "step", MD5="d41d8cd98f00b204e9800998ecf8427e", filename=name, operation="flash", partition="x_a")
        step.tail = "\n"
    return ET.tostring(root, **declaration)


def refused(data, status):
    (d / "flashfile.xml").write_bytes(data)
    runs = [r["status"] for r in ght.rows(ght.drive(d / "flashfile.xml"), "blob_runs", plugin="listing")]
    return ght.equal(runs, [status], f"flashfile.xml, {status}: {data[:40]}")


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

images = ["boot.img", "super.img_sparsechunk.0", "NON-HLOS.bin", "a & \"b\" <c>.img", "é.img"]
ght.equal([(ght.unescape(p).decode(), s, n) for p, s, n in got(flashfile(images), "flashfile.xml")],
          [(p, None, n) for n, p in enumerate(images, 2)], "flashfile.xml: every image")
wide = flashfile(images, encoding="utf-16")
ght.equal([ght.unescape(p).decode() for p, _, _ in got(wide, "flashfile.xml")], [e.get("filename") for e in ET.fromstring(wide)],
          "flashfile.xml in UTF-16, as another reader reads it")
ght.equal(got(b'<flashing><steps><step operation="erase" partition="x"/><step filename=""/><other filename="x"/></steps></flashing>', "flashfile.xml"), [],
          "flashfile.xml: steps without a file, and other elements")
ght.equal(got(b'<f><step filename="a"/>\n<step filename="b"', "flashfile.xml"), [("a", None, 1)], "flashfile.xml cut off: what came before")
refused(b'<f><step filename="a"/>\n<step filename="b"', "bad")
refused(b'<!DOCTYPE f [<!ENTITY a "x">]><f><step filename="&a;"/></f>', "unsup")
refused(b"<f>" * 40 + b"</f>" * 40, "limit")
refused(flashfile(images), "ok")
ght.done()
