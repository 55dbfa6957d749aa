#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""SquashFS against mksquashfs and unsquashfs: every compressor, every name, attribute and byte."""
import calendar
import lzma
import os
import pathlib
import random
import re
import shutil
import struct
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "tests/lib"))
import ght  # noqa: E402
from fstree import compare, facts_of_image, facts_of_tree, put, text, tree  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
UTC = dict(os.environ, TZ="UTC")
STORED = ["-noI", "-noId", "-noD", "-noF", "-noX"]
VARIANTS = [
    ("gzip", ["-comp", "gzip"]),
    ("gzip 4K", ["-comp", "gzip", "-b", "4096", "-Xcompression-level", "1", "-Xwindow-size", "9"]),
    ("xz", ["-comp", "xz", "-b", "64K"]),
    ("xz with filters", ["-comp", "xz", "-Xbcj", "arm,x86", "-b", "1M"]),
    ("lzo", ["-comp", "lzo"]),
    ("lzo1x_1", ["-comp", "lzo", "-Xalgorithm", "lzo1x_1", "-b", "8K"]),
    ("lz4", ["-comp", "lz4"]),
    ("lz4hc", ["-comp", "lz4", "-Xhc", "-b", "16K", "-always-use-fragments"]),
    ("zstd", ["-comp", "zstd", "-Xcompression-level", "3"]),
    ("zstd 1M", ["-comp", "zstd", "-Xcompression-level", "1", "-b", "1M", "-tailends"]),
    ("lzma", ["-comp", "lzma", "-b", "32K"]),
    ("stored", STORED),
    ("stored data", ["-noD", "-no-fragments"]),
    ("no fragments", ["-comp", "lz4", "-no-fragments"]),
    ("stored fragments", ["-comp", "lz4", "-noF", "-tailends"]),
    ("no duplicates", ["-comp", "lz4", "-no-duplicates", "-no-exports", "-no-sparse"]),
    ("no hard links", ["-comp", "lz4", "-no-hardlinks"]),
    ("no attributes", ["-comp", "lz4", "-no-xattrs"]),
]


def make(img, root, *options):
    img.unlink(missing_ok=True)
    ght.run("mksquashfs", root, img, "-quiet", "-no-progress", "-noappend", *options)
    return img


def superblock(img):
    out = ght.run("unsquashfs", "-s", img, env=UTC).decode()
    one = lambda rx: re.search(rx, out)[1]  # noqa: E731
    made = calendar.timegm(time.strptime(one(r"time (.*)"), "%a %b %d %H:%M:%S %Y"))
    return {"kind": "squashfs", "size": int(one(r"Filesystem size (\d+) bytes")), "block_size": int(one(r"Block size (\d+)")), "inodes": int(one(r"Number of inodes (\d+)")),
            "build_time": made}, one(r"Compression (\w+)"), one(r"Filesystem is (not )?exportable") is None


def compare_super(name, img, rows):
    want, compressor, exports = superblock(img)
    fs = ght.rows(rows, "fs_info")[0]
    named = fs["features"].split()
    ght.equal(({k: fs[k] for k in want}, named[0], "exportable" in named), (want, compressor, exports), f"{name}: superblock as unsquashfs prints it")


def compare_extracted(name, img, got):
    out = ght.tmp() / "x"
    ght.run("unsquashfs", "-q", "-n", "-d", out, img)
    wrong = [p for p, w in facts_of_tree(out).items() if w["ftype"] == "file" and got[p]["sha256"] != w["sha256"]]
    ght.equal(wrong[:5], [], f"{name}: bytes as unsquashfs extracts them")
    shutil.rmtree(out, ignore_errors=True)


def variants(work, root, want):
    for name, options in VARIANTS:
        img = make(work / "v.img", root, *options)
        rows = ght.drive(img)
        got = facts_of_image(rows)
        other = {"mtime": lambda w: w["mtime"] & 0xffffffff}
        if "-no-xattrs" in options:
            other |= {"selinux": None, "caps": 0}
        if "-no-hardlinks" in options:
            other["nlink"] = lambda w: w["nlink"] if w["ftype"] == "dir" else 1
            mine = {p: dict(w, key=p) for p, w in want.items()}
            compare(name, got, mine, **other)
        else:
            compare(name, got, want, **other)
        ght.equal([r for r in ght.rows(rows, "notes") if r["plugin"] == "squashfs"], [], f"{name}: nothing to note")
        compare_super(name, img, rows)
        if name in ("gzip", "stored"):
            compare_extracted(name, img, got)
        if name == "stored data":
            raw = img.read_bytes()
            whole = [p for p, f in got.items() if f["ftype"] == "file" and f["off"] is not None]
            bad = [p for p in whole if ght.sha(raw[got[p]["off"]:got[p]["off"] + got[p]["size"]]) != want[p]["sha256"]]
            ght.check(len(whole) > 100 and not bad, f"{name}: {len(whole)} files lie where they are said to", str(bad[:3]))
    return img


def many(work):
    """5,200 files in directories of many names, which have an index."""
    root, rng = work / "many", random.Random(21)
    for i in range(5200):
        put(root / f"d{i % 4}" / f"{'long_name_' * (i % 5)}{i * 7919 % 100003:06d}", text(rng, rng.randrange(0, 900)))
    want = facts_of_tree(root)
    rows = ght.drive(make(work / "m.img", root, "-comp", "zstd", "-Xcompression-level", "1"))
    compare("5,200 files", facts_of_image(rows), want)
    ght.equal([r for r in ght.rows(rows, "notes") if r["plugin"] == "squashfs"], [], "5,200 files: nothing to note")
    shutil.rmtree(root)


def reads(work, root, want):
    inner = work / "inner"
    inner.mkdir()
    make(inner / "inner.img", root, "-comp", "lz4")  # an image inside a compressed image is read at random places
    outer = make(work / "outer.img", inner, "-comp", "xz")
    for path in ("/large/mixed1", "/sizes/t4096", "/large/period"):
        ght.equal(ght.sha(ght.cat(outer, "/inner.img!" + path) or b""), want[path]["sha256"], f"--cat /inner.img!{path}")


# ---- damage ----

def notes_of(data, work):
    path = work / "p.img"
    path.write_bytes(data)
    rows = ght.drive(path, only="squashfs")
    return [(r["code"], r["what"]) for r in ght.rows(rows, "notes") if r["plugin"] == "squashfs"], rows


def expect(work, whole, edits, code, words, name):
    data = bytearray(whole)
    for at, value in edits:
        data[at:at + len(value)] = value
    notes, rows = notes_of(bytes(data), work)
    ght.check(any(c == code and words in w for c, w in notes), f"{name}: noted", str(notes)[:300])
    return facts_of_image(rows)


def small(root):
    put(root / "a/one", text(random.Random(1), 30000))
    put(root / "a/two", text(random.Random(2), 300))
    put(root / "b/three", b"three")
    os.symlink("a/one", root / "link")
    try:
        os.setxattr(root / "b/three", "security.capability", struct.pack("<5I", 0x2000001, 1 << 21, 0, 0, 0))
    except OSError as e:
        ght.skip("extended attributes", e.strerror)


def places(whole):
    """Where inodes lie in an image with stored metadata: {number: offset}, and the directory table."""
    inodes, dirs = (struct.unpack_from("<Q", whole, at)[0] for at in (64, 72))
    at, out = inodes + 2, {}
    end = at + (struct.unpack_from("<H", whole, inodes)[0] & 0x7fff)
    lens = {1: 16, 2: 16, 3: 8, 8: 24, 9: 40}
    while at < end:
        kind = struct.unpack_from("<H", whole, at)[0]
        number = struct.unpack_from("<I", whole, at + 12)[0]
        out[number] = at
        n = 16 + lens[kind]
        if kind == 2:
            fragment, _, size = struct.unpack_from("<III", whole, at + 20)
            n += 4 * (size // 4096 + (fragment == 0xffffffff and size % 4096 > 0))
        if kind == 9:
            size, fragment = struct.unpack_from("<Q", whole, at + 24)[0], struct.unpack_from("<I", whole, at + 44)[0]
            n += 4 * (size // 4096 + (fragment == 0xffffffff and size % 4096 > 0))
        if kind == 3:
            n += struct.unpack_from("<I", whole, at + 20)[0]
        at += n
    return out, dirs + 2


def damage(work):
    root = work / "small"
    small(root)
    img = make(work / "d.img", root, *STORED, "-b", "4096", "-all-time", "1")
    whole = img.read_bytes()
    used = struct.unpack_from("<Q", whole, 40)[0]
    got = facts_of_image(ght.drive(img))
    inode, dirs = places(whole)
    ref = {p: f["ino"] - 1 for p, f in got.items()}
    table = struct.unpack_from("<Q", whole, 64)[0]
    at = {p: table + (r >> 16) + 2 + (r & 0xffff) for p, r in ref.items()}
    ght.equal(sorted(at.values()), sorted(inode.values())[:-1], "inodes are where their places say")
    u16, u32, u64 = (lambda v, f=f: struct.pack(f, v) for f in ("<H", "<I", "<Q"))
    expect(work, whole, [(28, u16(3))], "unsup", "version 3.0", "an older version")
    expect(work, whole, [(0, b"sqsh")], "unsup", "big-endian", "another byte order")
    expect(work, whole, [(22, u16(13))], "bad", "blocks of", "block size")
    expect(work, whole, [(20, u16(9))], "unsup", "unknown compressor 9", "compressor")
    expect(work, whole, [(20, u16(0))], "unsup", "unknown compressor 0", "no compressor")
    expect(work, whole, [(32, u64(1 << 40))], "short", "behind the end", "root outside")
    expect(work, whole, [(32, u64(ref["/a/one"]))], "bad", "root is not a directory", "a file as root")
    expect(work, whole, [(48, u64(1 << 50))], "short", "table of owners", "owners outside")
    files = expect(work, whole, [(26, u16(0))], "bad", "not in their table", "owners without a table")
    ght.equal((files["/a/one"]["attrs"], files["/a/one"]["uid"], files["/a/one"]["sha256"]), (0, 0xffffffff, got["/a/one"]["sha256"]), "owners without a table: the rest is read")
    files = expect(work, whole, [(80, u64(1 << 50))], "short", "", "fragments outside")
    ght.equal((files["/a/two"]["child"], files["/link"]["link_target"]), (None, "a/one"), "fragments outside: other files are listed")
    files = expect(work, whole, [(at["/a/two"] + 20, u32(77))], "bad", "fragment 77 of", "a fragment that is not there")
    ght.equal((files["/a/two"]["child"], files["/b/three"]["sha256"]), (None, got["/b/three"]["sha256"]), "a fragment that is not there: others are read")
    files = expect(work, whole, [(at["/a/two"] + 24, u32(4000))], "bad", "of a fragment", "a tail outside its fragment")
    expect(work, whole, [(at["/a/two"] + 24, u32(3700))], "bad", "of a fragment of", "a tail behind what its fragment holds")
    expect(work, whole, [(at["/a/one"] + 16, u32(used))], "short", "behind the end", "blocks outside")
    expect(work, whole, [(at["/a/one"] + 32, u32(0x80001000))], "bad", "block of size", "an impossible block")
    expect(work, whole, [(at["/a/one"] + 32, u32(0x1000800))], "bad", "gives 2048 bytes", "a block that is too short")
    expect(work, whole, [(at["/a/one"] + 32, u32(0x1000))], "bad", "", "a stored block that says it is packed")
    expect(work, whole, [(at["/a/one"] + 28, u32(0xffffffff))], "bad", "", "a huge size")
    expect(work, whole, [(at["/a"], u16(15))], "bad", "unknown type 15", "inode type")
    expect(work, whole, [(at["/link"] + 20, u32(1 << 30))], "limit", "link of inode", "a huge link")
    expect(work, whole, [(at["/a/one"], u16(6))], "bad", "another type", "a type that is not its directory's")
    expect(work, whole, [(at["/a/one"] + 12, u32(99))], "bad", "has the number", "a number that is not its directory's")
    expect(work, whole, [(at["/a"] + 28, u32(99))], "bad", "'..' of directory", "a parent that is none")
    expect(work, whole, [(at["/a"] + 26, u16(0x1fff))], "bad", "metadata block", "a directory outside its block")
    expect(work, whole, [(at["/a"] + 24, u16(9))], "bad", "reaches behind the end of directory", "a directory cut short")
    where = whole.index(b"onetwo"[:3], dirs)
    expect(work, whole, [(where, b"zzz")], "bad", "not sorted", "names out of order")
    expect(work, whole, [(where, b"a/b")], "bad", "impossible name", "a name with a slash")
    expect(work, whole, [(where, b"a\0b")], "bad", "impossible name", "a name with a zero")
    expect(work, whole, [(where - 2, u16(400))], "bad", "name of 401 bytes", "a long name")
    expect(work, whole, [(where - 20, u32(300))], "bad", "a header for 301 entries", "a header for too many")
    expect(work, whole, [(where - 20, u32(5))], "bad", "", "a header for more than there is")
    top = whole.index(b"\0\0a", dirs)  # the entry of /a: place, delta, type, length, name
    root_ref = struct.unpack_from("<Q", whole, 32)[0]
    expect(work, whole, [(top - 6, u16(root_ref & 0xffff))], "bad", "second time", "a loop")
    expect(work, whole, [(table, u16(0))], "bad", "metadata block of 0 bytes", "an empty metadata block")
    expect(work, whole, [(table, u16(0xa001))], "bad", "metadata block of 8193 bytes", "a metadata block that is too long")
    expect(work, whole, [(table, u16(100))], "bad", "", "metadata that does not unpack")
    xattr = next((n for n, p in inode.items() if struct.unpack_from("<H", whole, p)[0] == 9), None)
    if xattr:
        files = expect(work, whole, [(inode[xattr] + 52, u32(7))], "bad", "has attributes 7 of 1", "attributes that are not there")
        ght.equal(files["/b/three"]["sha256"], got["/b/three"]["sha256"], "attributes that are not there: the file is read")
        expect(work, whole, [(56, u64(1 << 50))], "short", "", "the table of attributes outside")
        value = whole.index(b"capability") + 14
        expect(work, whole, [(value + 3, b"\x09")], "unsup", "unknown revision 9", "an unknown revision of capabilities")
        expect(work, whole, [(value - 4, u32(8))], "bad", "", "short capabilities")
    cut = whole[:used - 200]
    notes, _ = notes_of(cut, work)
    ght.check(any(c == "short" for c, _ in notes), "image cut short: noted", str(notes)[:200])


def packed_damage(work):
    """Every compressor: bytes that change are told or change nothing that was read."""
    root = work / "small"
    for comp in ("gzip", "xz", "lzo", "lz4", "zstd", "lzma"):
        img = make(work / "e.img", root, "-comp", comp, "-b", "4096", "-all-time", "1")
        whole = img.read_bytes()
        used = struct.unpack_from("<Q", whole, 40)[0]
        rng, silent = random.Random(comp), []
        got = facts_of_image(ght.drive(img))
        for at in rng.sample(range(96, used), 40):
            data = bytearray(whole)
            data[at] ^= 1 << rng.randrange(8)
            notes, rows = notes_of(bytes(data), work)
            again = notes_of(bytes(data), work)[1]
            files = facts_of_image(rows)
            lost = [p for p in got if got[p]["sha256"] and (p not in files or files[p]["sha256"] is None)]
            if rows != again or (lost and not notes):
                silent.append(at)
        ght.equal(silent, [], f"{comp}: 40 changed bytes, what is lost is told, the same twice")


def corpus(work):
    d = ght.corpus("utillinux_blkid")
    if d:
        for name, code, words in (("squashfs3", "unsup", "version"), ("squashfs4", None, None)):
            img = work / f"{name}.img"
            img.write_bytes(lzma.decompress((d / f"tests/ts/blkid/images-fs/{name}.img.xz").read_bytes()))
            notes, rows = notes_of(img.read_bytes(), work)
            if code:
                ght.check(any(c == code and words in w for c, w in notes), f"blkid {name}: refused", str(notes)[:200])
            else:
                ght.equal(notes, [], f"blkid {name}: nothing to note")
                compare_super(f"blkid {name}", img, rows)
                compare_extracted(f"blkid {name}", img, facts_of_image(rows))
    d = ght.corpus("binwalk")
    if d:
        for name in ("squashfs.bin", "squashfs_v2.bin"):
            p = d / "tests/inputs" / name
            notes, rows = notes_of(p.read_bytes(), work)
            opened = subprocess.run(["unsquashfs", "-q", "-n", "-d", ght.tmp() / "x", p], capture_output=True).returncode == 0
            ght.check(bool(notes) or opened, f"binwalk {name}: read as unsquashfs does, or refused with a reason", str(notes)[:200])


def seeds():
    for path in sorted((HERE / "seeds").iterdir()):
        rows = ght.drive(path, only="squashfs")
        bad = [r for r in ght.rows(rows, "blob_runs") if r["plugin"] == "squashfs" and r["status"] != "ok"]
        ght.equal(bool(bad), path.name.startswith("bad_"), f"seed {path.name}")


def make_seeds():
    """Writes the seeds anew: small images of each kind, and the same with one thing wrong."""
    work, to = ght.tmp(), HERE / "seeds"
    to.mkdir(exist_ok=True)
    root = work / "t"
    small(root)
    os.mkfifo(root / "p")
    os.setxattr(root / "a", "security.selinux", b"u:object_r:system_file:s0\0")
    for comp in ("gzip", "xz", "lzo", "lz4", "zstd", "lzma"):
        shutil.copy(make(work / comp, root, "-comp", comp, "-b", "4096", "-nopad", "-all-time", "1", "-mkfs-time", "1"), to / comp)
    put(root / "a/one", text(random.Random(1), 5000))
    whole = make(work / "s", root, *STORED, "-b", "4096", "-nopad", "-all-time", "1", "-mkfs-time", "1").read_bytes()
    (to / "stored").write_bytes(whole)
    dirs = struct.unpack_from("<Q", whole, 72)[0] + 2
    where, top = whole.index(b"one", dirs), whole.index(b"\0\0a", dirs)
    root_ref = struct.unpack_from("<Q", whole, 32)[0]
    for name, edits in (("version", [(28, b"\3")]), ("loop", [(top - 6, struct.pack("<H", root_ref & 0xffff))]), ("names", [(where, b"a/b")]),
                        ("fragment_table", [(80, struct.pack("<Q", 200))]), ("xattr_table", [(56, struct.pack("<Q", 100))]),
                        ("owners", [(26, b"\0\0")]), ("header", [(where - 20, struct.pack("<I", 255))])):
        data = bytearray(whole)
        for at, value in edits:
            data[at:at + len(value)] = value
        (to / f"bad_{name}").write_bytes(data)
    (to / "bad_cut").write_bytes(whole[:-60])


def main():
    if sys.argv[1:] == ["--make-seeds"]:
        return make_seeds()
    for tool in ("mksquashfs", "unsquashfs"):
        if not shutil.which(tool):
            ght.skip("squashfs", f"{tool} is not installed (squashfs-tools)")
            ght.done()
    work = ght.tmp()
    root = work / "tree"
    root.mkdir()
    tree(root)
    # What is far larger than it occupies is not hashed at all, by any format: these are below that.
    put(root / "large/zeros", bytes(1000003))
    with open(root / "large/sparse", "r+b") as f:
        f.truncate(1 << 20)
    want = facts_of_tree(root)
    variants(work, root, want)
    many(work)
    reads(work, root, want)
    damage(work)
    packed_damage(work)
    corpus(work)
    seeds()
    ght.done()


main()
