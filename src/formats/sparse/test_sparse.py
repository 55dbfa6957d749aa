#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Sparse images against img2simg/simg2img and against the writer in tests/tools, byte for byte through the map."""
import pathlib
import random
import shutil
import sqlite3
import struct
import subprocess
import sys
import zipfile

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT / "tests/lib"), str(ROOT / "tests/tools")]
import ght  # noqa: E402
import mksparse  # noqa: E402

D = ght.tmp()
B = 4096


def raw_image(path, blocks, seed, tail=0):
    """Random data, fills, zeros, in runs of random length."""
    rnd = random.Random(seed)
    out = bytearray()
    while len(out) < blocks * B:
        n = rnd.randint(1, 9)
        kind = rnd.choice("dddzzf")
        if kind == "d":
            out += rnd.randbytes(n * B)
        else:
            out += (bytes(4) if kind == "z" else rnd.randbytes(4)) * (n * B // 4)
    path.write_bytes(bytes(out[:blocks * B + tail]))
    return path


def notes(rows):
    return [(r["code"], r["at"], r["what"]) for r in ght.rows(rows, "notes", plugin="sparse")]


def same(simg, want, name, problems=()):
    """One child `image` with exactly these bytes, and exactly these notes (code, at)."""
    rows = ght.drive(simg)
    members = ght.rows(rows, "members", name="image")
    if not ght.equal(len(members), 1, f"{name}: one child"):
        return
    ght.equal((members[0]["size"], members[0]["off"], members[0]["csize"]), (len(want), None, simg.stat().st_size),
              f"{name}: size of the child")
    ght.equal(ght.sha(ght.cat(simg, "image") or b""), ght.sha(want), f"{name}: bytes")
    blob = ght.blob_of(rows, members[0]["child"]) if members[0]["child"] else {}
    ght.equal(blob.get("sha256"), ght.sha(want), f"{name}: hash of the walk")
    ght.equal([n[:2] for n in notes(rows)], list(problems), f"{name}: notes")


def reference():
    if not shutil.which("img2simg"):
        ght.skip("img2simg", "android-sdk-libsparse-utils is not installed")
        return
    for block, blocks, seed in ((4096, 700, 1), (1024, 333, 2), (65536, 160, 3), (4096, 1, 4)):
        raw = raw_image(D / "raw", blocks, seed)
        ght.run("img2simg", raw, D / "a.simg", block)
        ght.run("simg2img", D / "a.simg", D / "back")
        same(D / "a.simg", (D / "back").read_bytes(), f"img2simg, blocks of {block}")
        ght.check((D / "back").read_bytes()[:raw.stat().st_size] == raw.read_bytes(), f"blocks of {block}: round trip")


def own_writer():
    raw = raw_image(D / "own", 400, 5)
    want = raw.read_bytes()
    for name, kw in (("holes", {}), ("crc chunk", {"crc": True}), ("zero fills", {"hole": "fill"}),
                     ("zeros raw", {"hole": "raw"}), ("long headers", {"header_extra": 20, "chunk_extra": 4})):
        mksparse.write_images(str(raw), [str(D / "o.simg")], **kw)
        if shutil.which("simg2img"):
            ght.run("simg2img", D / "o.simg", D / "o.raw")
            ght.equal(ght.sha((D / "o.raw").read_bytes()), ght.sha(want), f"{name}: simg2img reads it")
        same(D / "o.simg", want, name)


def split():
    raw = raw_image(D / "split", 500, 6)
    want = raw.read_bytes()
    parts = [D / f"super.img_sparsechunk.{i}" for i in range(4)]
    mksparse.write_images(str(raw), [str(p) for p in parts])
    joined = bytearray(len(want))
    for i, p in enumerate(parts):
        got = ght.cat(p, "image")
        ght.equal(len(got), len(want), f"part {i} is as long as the image")
        for at in range(0, len(got), B):
            block = got[at:at + B]
            if any(block):
                ght.check(not any(joined[at:at + B]), f"part {i}: block {at // B} is given once") \
                    if any(joined[at:at + B]) else None
                joined[at:at + B] = block
    ght.equal(ght.sha(bytes(joined)), ght.sha(want), "the parts together are the image")
    ght.equal(notes(ght.drive(parts[2])), [], "a part of a split set is not damaged")


def chunk(kind, blocks, payload=b"", total=None):
    return struct.pack("<HHII", kind, 0, blocks, 12 + len(payload) if total is None else total) + payload


def image(blocks, chunks, count=None, header=None):
    body = b"".join(chunks)
    head = header or struct.pack("<IHHHHIIII", mksparse.MAGIC, 1, 0, 28, 12, B, blocks,
                                 len(chunks) if count is None else count, 0)
    return head + body


def damaged(name, data, want, problems):
    path = D / "damaged.simg"
    path.write_bytes(data)
    if want is not None:
        same(path, want, name, problems)
        return
    rows = ght.drive(path, only="sparse")
    ght.equal([n[:2] for n in notes(rows)], problems, f"{name}: notes")


def joined():
    """The files of a split set, one behind the other, are one image; what no sparse file begins with is told."""
    raw = raw_image(D / "set.raw", 400, 21)
    whole = D / "set.simg"
    ght.run("img2simg", raw, whole)
    out = D / "parts"
    out.mkdir()
    ght.run("simg2simg", whole, out / "p", 600 * 1024) if shutil.which("simg2simg") else None
    parts = sorted(out.iterdir(), key=lambda p: int(p.name.rsplit(".", 1)[1])) if any(out.iterdir()) else []
    if not parts:
        ght.skip("joined split set by simg2simg", "simg2simg is not installed")
        return
    (D / "joined.simg").write_bytes(b"".join(p.read_bytes() for p in parts))
    ght.check(len(parts) > 1, f"{len(parts)} files in the set")
    rows = ght.drive(D / "joined.simg")
    ght.equal(ght.rows(rows, "members", name="image")[0]["size"], 400 * B, "joined: size of the image")
    ght.equal(ght.cat(D / "joined.simg", "image"), raw.read_bytes(), "joined: every byte")
    (D / "tail.simg").write_bytes(whole.read_bytes() + b"something else")
    ght.check(any(n[0] == "unsup" and n[1] == whole.stat().st_size for n in notes(ght.drive(D / "tail.simg"))), "other bytes behind the last chunk are told")


def make_zip(path, files, method=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", method) as z:
        for name, data in files.items():
            z.writestr(name, data)
    return path


def cat(path, name):
    p = subprocess.run([str(ght.BUILD / "gifthorse"), "cat", str(path), name], capture_output=True)
    return p.stdout, p.stderr.decode(), p.returncode


def states(rows):
    return [(r["idx"], r["state"]) for r in ght.rows(rows, "set_parts")]


def sets():
    """Sets that simg2simg splits, against what simg2img joins; whole, with files that are not there, and cut by bytes."""
    raw = raw_image(D / "sets.raw", 900, 31)
    ght.run("img2simg", raw, D / "sets.simg")
    (D / "pieces").mkdir()
    ght.run("simg2simg", D / "sets.simg", D / "pieces/super.img_sparsechunk", 300000)
    found = sorted((D / "pieces").iterdir(), key=lambda p: int(p.name.rsplit(".", 1)[1]))
    ght.run("simg2img", *found, D / "joined.raw")
    want = (D / "joined.raw").read_bytes()
    ght.equal(ght.sha(want), ght.sha(raw.read_bytes()), f"simg2img joins {len(found)} files to the image")
    pieces = [p.read_bytes() for p in found]
    n = len(pieces)
    ght.check(4 < n < 12, f"{n} files")
    whole = (D / "sets.simg").read_bytes()
    cuts = [whole[i:i + 280001] for i in range(0, len(whole), 280001)]
    for name, names, data in (
            ("sparsechunk", "super.img_sparsechunk.{}", pieces), ("in a folder", "fw/images/super.img_sparsechunk.{}", pieces),
            ("sparsechunk without a point", "super.img_sparsechunk{}", pieces), ("without img", "super_sparsechunk.{}", pieces),
            ("numbers behind", "super.img.{}", pieces), ("numbers before img", "super_{}.img", pieces), ("cut by bytes", "super.img.{}", cuts),
            ("raw, cut by bytes", "super.img.{}", [want[i:i + 700001] for i in range(0, len(want), 700001)])):
        for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            path = make_zip(D / "set.zip", {names.format(i): d for i, d in enumerate(data)}, method)
            rows = ght.drive(path)
            got = [m for m in ght.rows(rows, "members") if m["flags"] & 16]
            ght.equal([m["name"] for m in got], [names.format("X").split("super")[0] + "super.img"], f"{name}, {method}: one set")
            ght.equal(ght.sha(cat(path, "super.img")[0]), ght.sha(want), f"{name}, {method}: every byte")
            ght.equal(notes(rows), [], f"{name}, {method}: nothing is wrong")
            ght.equal(states(rows), [(i, "there") for i in range(len(data))], f"{name}, {method}: all files")
    begin_one = make_zip(D / "set.zip", {f"super_{i + 1}.img": d for i, d in enumerate(pieces)})
    ght.equal(ght.sha(cat(begin_one, "super.img")[0]), ght.sha(want), "numbers from 1: every byte")
    not_there(pieces, want)
    no_sets(raw)


def not_there(pieces, want):
    n = len(pieces)
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"a" * 64 + b"\nsize 134134032\n"
    for name, drop in (("first", 0), ("middle", 2), ("two", 3), ("last", n - 1)):
        gone = {drop} | ({drop + 1} if name == "two" else set())
        for lfs in (False, True):
            files = {f"s.img_sparsechunk.{i}": pointer if i in gone else d for i, d in enumerate(pieces) if lfs or i not in gone}
            path = make_zip(D / "gap.zip", files)
            rows = ght.drive(path)
            word = "pointer" if lfs else "missing"
            told = [i for i, s in states(rows) if s == word]
            ght.equal(told, sorted(gone) if lfs or name not in ("last",) else [], f"{name} not there, {word}: told")
            out, err, code = cat(path, "s.img")
            ght.check(code == 3 and "not there" in err, f"{name} not there, {word}: no zeros", (code, err))
            same_to = next((i for i in range(0, len(out), B) if out[i:i + B] != want[i:i + B]), len(out))
            ght.equal(same_to, len(out), f"{name} not there, {word}: what comes before is right")
            ght.equal([r["status"] for r in ght.rows(rows, "notes", plugin="sparse") if r["code"] == "bad"], [], f"{name}: no damage")
    rows = ght.drive(make_zip(D / "none.zip", {f"s.img_sparsechunk.{i}": pointer for i in range(4)}))
    ght.equal(states(rows), [(i, "pointer") for i in range(4)], "all are pointers: told")
    ght.check(any("none of the 4 files" in w for _, _, w in notes(rows)), "all are pointers: a note")
    both = {f"s.img_sparsechunk.{i}": d for i, d in enumerate(pieces)}
    both["s.img_sparsechunk.01"] = pieces[1]
    rows = ght.drive(make_zip(D / "both.zip", both))
    ght.equal(sorted(s for _, s in states(rows)), ["there"] * n + ["twice"], "a number twice: the first is taken")
    # Through the whole program, as a folder and as several INPUTs.
    tree = D / "settree"
    tree.mkdir()
    (tree / "build.prop").write_text("ro.build.type=user\n")
    (tree / "x.bin").write_bytes(random.Random(3).randbytes(900000))
    ght.run("truncate", "-s", "4M", D / "fs.raw")
    ght.run("mke2fs", "-q", "-t", "ext4", "-d", tree, D / "fs.raw")
    ght.run("img2simg", D / "fs.raw", D / "fs.simg")
    (D / "fw").mkdir()
    ght.run("simg2simg", D / "fs.simg", D / "fw/system.img_sparsechunk", 300000)
    for name, inputs, code in (("a folder", [D / "fw"], 0), ("several INPUTs", sorted((D / "fw").iterdir()), 0),
                               ("INPUTs without one", sorted((D / "fw").iterdir())[::2], 3)):
        db = D / f"{name}.db"
        argv = [str(ght.BUILD / "gifthorse"), "scan", *map(str, inputs), "--db", str(db), "--progress", "none"]
        ght.equal(subprocess.run(argv, capture_output=True).returncode, code, f"{name}: exit code")
        sql = sqlite3.connect(db)
        ght.equal(sql.execute("SELECT count(*) FROM places WHERE dpath='/system/build.prop'").fetchall(), [(1,)], f"{name}: files at their places")
        holes = sql.execute("SELECT why FROM d_not_examined WHERE what='missing' AND hides='*'").fetchall()
        ght.equal(len(holes), code and 1, f"{name}: what is missing")


def no_sets(raw):
    """Names that only look like those of a set."""
    data = raw.read_bytes()[:5 * B]
    rows = ght.drive(make_zip(D / "loose.zip", {"logo_1.img": data, "logo_2.img": data[::-1], "x.img.2024": data, "a.b.1": data, "_1.img": data}))
    ght.equal([m["name"] for m in ght.rows(rows, "members") if m["flags"] & 16], [], "no sparse file: no set")
    one = (D / "sets.simg").read_bytes()
    rows = ght.drive(make_zip(D / "loose.zip", {"logo_1.img": one, "logo_2.img": data}))
    ght.equal(states(rows), [(1, "there"), (2, "missing")], "one sparse file among them")


def damage():
    one, two = random.Random(7).randbytes(B), random.Random(8).randbytes(B)
    raw, fill, skip = mksparse.RAW, mksparse.FILL, mksparse.DONT_CARE
    ok = [chunk(raw, 1, one), chunk(fill, 2, b"abcd"), chunk(skip, 1), chunk(raw, 1, two)]
    whole = one + b"abcd" * (2 * B // 4) + bytes(B) + two
    damaged("hand-made", image(5, ok), whole, [])
    damaged("no chunks", image(3, []), bytes(3 * B), [("short", 16)])
    damaged("partial", image(9, ok), whole + bytes(4 * B), [("short", 16)])
    damaged("more than the header says", image(4, ok), whole, [("bad", 28 + 12 + B + 16 + 12)])
    damaged("bytes behind", image(5, ok) + b"xyz", whole, [("unsup", len(image(5, ok)))])
    damaged("fill without value", image(3, [chunk(raw, 1, one), chunk(fill, 2)]), one + bytes(2 * B),
            [("bad", 28 + 12 + B + 8), ("short", 28 + 24 + B)])
    odd = [chunk(raw, 1, one), chunk(0xCAC9, 1, b"????"), chunk(raw, 1, two)]
    damaged("unknown chunk", image(3, odd), one + bytes(B) + two, [("bad", 28 + 12 + B)])
    damaged("skip with bytes", image(3, [chunk(raw, 1, one), chunk(skip, 1, b"junk"), chunk(raw, 1, two)]),
            one + bytes(B) + two, [("bad", 28 + 12 + B + 8)])
    damaged("raw longer than its blocks", image(2, [chunk(raw, 1, one + b"1234"), chunk(raw, 1, two)]), one + two,
            [("bad", 36)])
    damaged("chunk length zero", image(2, [chunk(raw, 1, one, 0), chunk(raw, 1, two)]), one + two, [("bad", 36)])
    damaged("version 2", image(5, ok, header=struct.pack("<IHHHHIIII", mksparse.MAGIC, 2, 0, 28, 12, B, 5, 4, 0)),
            None, [("unsup", 4)])
    for what, head in (("block size 0", (28, 12, 0)), ("block size 6", (28, 12, 6)), ("short header", (27, 12, B)),
                       ("short chunk header", (28, 8, B))):
        path = D / "bad.simg"
        path.write_bytes(struct.pack("<IHHHHIIII", mksparse.MAGIC, 1, 0, *head, 5, 4, 0) + b"".join(ok))
        runs = ght.rows(ght.drive(path), "blob_runs", plugin="sparse")
        ght.equal([r["status"] for r in runs], ["bad"], f"{what}: refused")
    lost()
    bomb()


def lost():
    """What a cut file lost is an error, not zeros; what was there before is read."""
    one = random.Random(9).randbytes(4 * B)
    path = D / "cut.simg"
    path.write_bytes(image(8, [chunk(mksparse.RAW, 4, one), chunk(mksparse.RAW, 4, one)])[:28 + 12 + 4 * B + 12 + 100])
    rows = ght.drive(path)
    ght.equal([n[:2] for n in notes(rows)][:1], [("short", path.stat().st_size)], "cut: the place is told")
    ght.equal(ght.rows(rows, "members", name="image")[0]["size"], 8 * B, "cut: the image keeps its size")
    ght.check(ght.cat(path, "image") is None, "cut: lost bytes are not zeros")
    ght.check(any("ends before" in n[2] for n in notes(rows)), "cut: the reader of the image is told")


def bomb():
    """A few bytes promise 8 TiB of zeros: listed, not hashed."""
    path = D / "bomb.simg"
    path.write_bytes(image(1 << 31, [chunk(mksparse.DONT_CARE, 1 << 31)]))
    rows = ght.drive(path)
    members = ght.rows(rows, "members", name="image")
    ght.equal([(m["size"], m["child"]) for m in members], [(1 << 43, None)], "8 TiB of zeros: listed only")
    ght.equal([n[0] for n in notes(rows)], ["limit"], "8 TiB of zeros: told")


def conformance():
    d = ght.corpus("avb")
    if d:
        same(d / "data/test_file.bin.sparse", (d / "data/test_file.bin").read_bytes(), "libavb's test file")


reference()
own_writer()
split()
joined()
sets()
damage()
conformance()
ght.done()
