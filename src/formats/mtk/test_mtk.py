#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""MediaTek's headers, written here from U-Boot's mtk_image.h: one part, a chain of parts, longer headers; ramdisks by cpio and gzip inside."""
import gzip
import pathlib
import random
import struct
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "tests/lib"))
import ght

d = ght.tmp()
PATH = d / "x.img"
RND = random.Random(5)


def part(name, data, load=0x46000000, size=None, head=512, align=None):
    h = struct.pack("<II32sII", 0x58881688, len(data) if size is None else size, name, load, 0xffffffff)
    if align:
        h += struct.pack("<IIIIII", 0x58891689, head, 1, 0, 0, align)
    out = h + b"\xff" * (head - len(h)) + data
    return out + bytes(-len(out) % (align or 16))


def look(data):
    PATH.write_bytes(data)
    return ght.drive(PATH)


def same(data, want, name, notes=()):
    rows = look(data)
    members = ght.rows(rows, "members", blob=2)
    ght.equal([(m["name"], ght.blob_of(rows, m["child"]).get("sha256")) for m in members], [(n, ght.sha(b)) for n, b in want], f"{name}: children")
    for m, (n, b) in zip(members, want):
        ght.equal((m["size"], data[m["off"]:m["off"] + m["size"]]), (len(b), b), f"{name}: place of {n}")
    if len({n for n, _ in want}) == len(want):
        for n, b in want:
            ght.equal(ght.cat(PATH, n), b, f"{name}: bytes of {n}")
    ght.equal([n["code"] for n in ght.rows(rows, "notes", plugin="mtk")], list(notes), f"{name}: notes")
    return rows


def main():
    a, b, c = (RND.randbytes(n) for n in (5000, 777, 16))
    rows = same(part(b"KERNEL", a), [("KERNEL", a)], "one part")
    ght.equal([(f["maker"], f["kind"], f["name"], f["load"], f["size"]) for f in ght.rows(rows, "firmware")], [("mediatek", "image", "KERNEL", 0x46000000, 5000)], "its row")
    same(part(b"md1rom", a) + part(b"md1drdi", b) + part(b"cert1md", c), [("md1rom", a), ("md1drdi", b), ("cert1md", c)], "three parts")
    same(part(b"lk", a, align=4096) + part(b"lk_main_dtb", b, head=1024, align=4096) + part(b"", c), [("lk", a), ("lk_main_dtb", b), ("2", c)], "headers that tell length and alignment")
    same(part(b"lk", a) + bytes(4096), [("lk", a)], "zeros behind it")
    same(part(b"lk", a) + b"other", [("lk", a)], "something behind it", ["unsup"])
    same(part(b"lk", a, size=9999), [("lk", a + bytes(8))], "a size beyond the end", ["short"])
    rows = look(part(b"lk", a)[:300])
    ght.equal([n["code"] for n in ght.rows(rows, "notes", plugin="mtk")], ["short"], "a header that is cut off")
    (d / "init.rc").write_bytes(b"service a /bin/a\n")
    disk = gzip.compress(ght.run("cpio", "-o", "-H", "newc", "--quiet", cwd=d, input=b"init.rc"))
    rows = look(part(b"ROOTFS", disk))
    ght.check(any(r["path"].endswith("init.rc") for r in ght.rows(rows, "entries")), "the files of a ramdisk behind such a header are seen")


main()
ght.done()
