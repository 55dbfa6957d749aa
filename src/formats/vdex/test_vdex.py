#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""vdex: no tool of Debian writes vdex files; the writer here follows runtime/vdex_file.h of AOSP at each version. The dex files inside
are compared with what was put in, byte by byte. `--make-seeds` writes the seeds anew; GH_DUMPS=DIR reads every vdex below DIR and
compares each dex in it with dexdump."""
import os
import pathlib
import struct
import sys
import zlib

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT / "tests/lib"), str(ROOT / "src/inspectors/dex")]
import ght
import mkdex
from mkdex import Code, Method, cls

HERE = pathlib.Path(__file__).resolve().parent
d = ght.tmp()
RUN = Method("run", "V", (), 1, Code(1, 0, [0x0e]))
LISTS = [[cls("La/A;", virtual=(RUN,))], [cls("Lb/B;", source="B.java")], [cls("Lc/C;"), cls("Lc/D;", virtual=(RUN,))]]
DEXES = [mkdex.build(c, 37) + b"\0" * i for i, c in enumerate(LISTS)]
DEXES = [x[:32] + struct.pack("<I", len(x)) + x[36:] for x in DEXES]  # odd sizes: the next one is aligned
SUMS = [zlib.crc32(x) for x in DEXES]


def aligned(parts, before=b""):
    out = b""
    for p in parts:
        out += bytes(-len(out) % 4) + before + p
    return out + bytes(-len(out) % 4)


def sums(n):
    return b"".join(struct.pack("<I", s) for s in n)


def plain(version, dexes=DEXES, quick=8):
    body = aligned(dexes) if version > b"006" else b"".join(x + bytes(-len(x) % 4) for x in dexes)
    return b"vdex" + version + b"\0" + struct.pack("<4I", len(dexes), len(body), 12, quick) + sums(map(zlib.crc32, dexes)) + body + bytes(12 + quick)


def split(version, dexes=DEXES, checksums=None, shared=b"", boot=b"", context=b"", quick=4):
    n = len(checksums) if checksums else len(dexes)
    out = b"vdex" + version + b"\0" + (b"002\0" if dexes else b"000\0") + struct.pack("<2I", n, 16)
    out += struct.pack("<2I", len(boot), len(context)) if version == b"021" else b""
    out += sums(checksums or map(zlib.crc32, dexes))
    if dexes:
        body = aligned(dexes, struct.pack("<I", 0))
        out += struct.pack("<3I", len(body), len(shared), quick) + body + shared
    return out + bytes(16) + bytes(quick if dexes else 0) + boot + context


def sections(dexes=DEXES, checksums=None, kinds=4):
    body = aligned(dexes)
    parts = [sums(checksums or map(zlib.crc32, dexes)), body, bytes(20), bytes(8)][:kinds]
    off, table = 12 + 12 * kinds, b""
    for kind, p in enumerate(parts):
        table += struct.pack("<3I", kind, off if p else 0, len(p))
        off += len(p)
    return b"vdex027\0" + struct.pack("<I", kinds) + table + b"".join(parts)


def compact(lists):
    """CompactDex files, each header part in the dex section, and what their data offsets lead to behind it: here one after the other."""
    whole = [mkdex.build(c, 1, compact=True) for c in lists]
    cut = [struct.unpack_from("<I", w, 0x6c)[0] for w in whole]
    pos, places = 0, []
    for n in cut:
        pos += -pos % 4 + 4
        places.append(pos)
        pos += n
    end, shared, mains = pos + -pos % 4, b"", []
    for w, n, at in zip(whole, cut, places):
        mains.append(w[:0x6c] + struct.pack("<I", end + len(shared) - at) + w[0x70:n])
        shared += w[n:] + bytes(-len(w[n:]) % 4)
    return mains, shared


def look(data, name="x.vdex"):
    (d / name).write_bytes(data)
    rows = ght.drive(d / name)
    kids = [r["name"] for r in ght.rows(rows, "members") if r["name"] != name]
    return rows, kids


def holds(data, dexes, what, version, checksums=None):
    rows, kids = look(data)
    ght.equal(kids, ["classes.dex" if not i else f"classes{i + 1}.dex" for i in range(len(dexes))], f"{what}: names")
    for k, x in zip(kids, dexes):
        ght.check(ght.cat(d / "x.vdex", k) == x, f"{what}: {k}")
    ght.equal([r["checksum"] for r in ght.rows(rows, "oat_dex")], checksums or [zlib.crc32(x) for x in dexes], f"{what}: checksums")
    ght.equal([r["version"] for r in ght.rows(rows, "vdex")], [version], f"{what}: version")
    ght.equal([r["what"] for r in ght.rows(rows, "notes")], [], f"{what}: no notes")
    return ght.rows(rows, "vdex")[0], rows


def refused(data, what, status, word):
    rows, kids = look(data)
    runs = [(r["status"], r["why"]) for r in rows if r["table"] == "blob_runs" and r["plugin"] == "vdex"]
    ght.check(len(runs) == 1 and runs[0][0] == status and word in runs[0][1], f"damage: {what}", runs)
    return kids


def make():
    mains, shared = compact(LISTS[:2])
    return {"006.vdex": plain(b"006"), "010.vdex": plain(b"010"), "019.vdex": split(b"019", mains, shared=shared), "019_empty.vdex": split(b"019", [], SUMS),
            "021.vdex": split(b"021", boot=b"i;1/abc", context=b"PCL[]"), "027.vdex": sections(), "027_empty.vdex": sections([], SUMS),
            "cut.vdex": plain(b"010")[:300], "size.vdex": plain(b"010")[:36 + 32] + b"\xff\xff\xff\x7f" + plain(b"010")[36 + 36:],
            "version.vdex": b"vdex999\0" + plain(b"010")[8:], "sections.vdex": sections()[:16] + b"\xff\xff\0\0" + sections()[20:]}


if "--make-seeds" in sys.argv:
    for n, data in make().items():
        (HERE / "seeds" / n).write_bytes(data)
    sys.exit(0)

r, _ = holds(plain(b"006", DEXES[:1]), DEXES[:1], "006", "006")
ght.equal((r["quickening_size"], r["dex_files"], r["deps_size"]), (8, 1, 12), "006: sizes")
holds(plain(b"010"), DEXES, "010, three dex files of odd sizes", "010")
holds(split(b"019"), DEXES, "019", "019")
holds(split(b"019", [], SUMS), [], "019 without dex section", "019", SUMS)
r, _ = holds(split(b"021", boot=b"i;1/abc", context=b"PCL[]"), DEXES, "021", "021")
ght.equal((r["boot_checksums"], r["class_loader"], r["dex_version"]), ("i;1/abc", "PCL[]", "002"), "021: texts")
r, _ = holds(split(b"021", [], SUMS, boot=b"i;1/abc"), [], "021 without dex section", "021", SUMS)
ght.equal((r["boot_checksums"], r["dex_version"], r["dex_size"]), ("i;1/abc", "000", 0), "021: texts without dex section")
holds(sections(), DEXES, "027", "027")
holds(sections(kinds=3), DEXES, "027 without type lookup tables", "027")
holds(sections([], SUMS), [], "027 without dex", "027", SUMS)
box = mkdex.container(LISTS)
rows, kids = look(sections([box], SUMS))
ght.equal((kids, [r["classes"] for r in ght.rows(rows, "dex")]), (["classes.dex"], [1, 1, 2]), "027: a container of three is one child")

# CompactDex: each child reaches to the end of what they share, and its classes are those that were put in
mains, shared = compact(LISTS)
rows, kids = look(split(b"019", mains, shared=shared))
ght.equal(kids, ["classes.dex", "classes2.dex", "classes3.dex"], "CompactDex: names")
ght.equal([(r["compact"], r["classes"], r["codes"]) for r in ght.rows(rows, "dex")], [(1, 1, 1), (1, 1, 0), (1, 2, 1)], "CompactDex: facts")
for i, k in enumerate(kids):
    (d / f"c{i}.dex").write_bytes(ght.cat(d / "x.vdex", k))
    (d / f"s{i}.dex").write_bytes(mkdex.build(LISTS[i], 37))
    for what in ("strings", "methods", "types"):
        a, b = (ght.run(ght.BUILD / "gifthorse", "dex", "-l", what, d / f"{x}{i}.dex") for x in "cs")
        ght.equal(a, b, f"CompactDex: {what} of {k}")
    text = ght.run("dexdump", d / f"c{i}.dex").decode()
    ght.check(all(f"'{c.name}'" in text for c in LISTS[i]), f"CompactDex: dexdump reads {k}")

ght.equal(refused(plain(b"010")[:300], "cut short", "bad", "says it has"), ["classes.dex"] if len(DEXES[0]) + 36 <= 300 else [], "damage: what is whole stays")
refused(make()["size.vdex"], "a dex larger than the section", "bad", "says it has")
refused(make()["version.vdex"], "another version", "unsup", "vdex version")
refused(b"vdex019\0" + b"003\0" + split(b"019")[12:], "another dex section", "unsup", "dex section of version 003")
refused(make()["sections.vdex"], "a section outside", "short", "outside")
refused(plain(b"010")[:8] + b"\xff\xff\xff\xff" + plain(b"010")[12:], "too many dex files", "limit", "dex files")
refused(plain(b"010")[:36] + b"xxxx" + plain(b"010")[40:], "no dex where one should lie", "bad", "no dex file")
refused(b"vdex010\0", "a header alone", "short", "ends too early")

if os.environ.get("GH_DUMPS"):
    import subprocess
    n = same = 0
    for path in sorted(p for p in pathlib.Path(os.environ["GH_DUMPS"]).rglob("*.vdex") if p.is_file() and p.read_bytes()[:4] == b"vdex"):
        rows = ght.drive(path)
        runs = [r for r in rows if r["table"] == "blob_runs" and r["status"] != "ok"]
        ght.check(not runs, f"dump: {path.name}", runs)
        n += 1
        for k in [r["name"] for r in ght.rows(rows, "members") if r["name"] != path.name]:
            (d / "k.dex").write_bytes(ght.cat(path, k))
            ref = subprocess.run(["dexdump", "-i", str(d / "k.dex")], capture_output=True)
            ours = subprocess.run([ght.BUILD / "gifthorse", "dex", "-l", "classes", d / "k.dex"], capture_output=True).stdout.decode().splitlines()
            theirs = [line for line in ref.stdout.decode(errors="replace").splitlines() if line.startswith("  Class descriptor")]
            if ref.returncode == 0:
                same += ght.equal([x.split("\t")[1] for x in ours if x.startswith("class\t")], [x.split("'")[1] for x in theirs], f"dump: {path.name}!{k}")
    print(f"     {n} vdex files, {same} dex files with the classes that dexdump sees")
ght.done()
