#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Block updates made by tests/tools/mknewdat.py (written from the description of the format, independently of the reader) from images
of mke2fs: every byte of the image, in a zip and in a folder, packed and not; what is missing, damaged or of a delta update."""
import gzip
import pathlib
import random
import shutil
import sqlite3
import subprocess
import sys
import zipfile

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT / "tests/lib"), str(ROOT / "tests/tools")]
import ght  # noqa: E402
import mknewdat  # noqa: E402

D = ght.tmp()
B = mknewdat.BLOCK
BIN = str(ght.BUILD / "gifthorse")


def make_zip(path, files, method=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", method) as z:
        for name, data in files.items():
            z.writestr(name, data)
    return path


def files(u, name="system", **other):
    out = {f"{name}.transfer.list": u.text(), f"{name}.new.dat": bytes(u.data), f"{name}.patch.dat": b""}
    out.update(other)
    return {k: v for k, v in out.items() if v is not None}


def image(blocks, seed):
    """Data, zeros and blocks that begin with zeros, in runs."""
    rnd, out = random.Random(seed), bytearray()
    while len(out) < blocks * B:
        n = rnd.randint(1, 9)
        out += rnd.choice((rnd.randbytes(n * B), bytes(n * B), (bytes(B - 1) + b"x") * n))
    return bytes(out[:blocks * B])


def look(path):
    rows = ght.drive(path)
    sets = [m for m in ght.rows(rows, "members") if m["flags"] is not None and m["flags"] & 16]
    return rows, sets


def same(path, want, name, notes=()):
    """One set, whose one child has exactly these bytes."""
    rows, sets = look(path)
    if not ght.equal([s["name"] for s in sets], ["system.img"], f"{name}: the set"):
        return rows
    inner = [m for m in ght.rows(rows, "members", name="image") if m["blob"] == sets[0]["child"]]
    ght.equal([m["size"] for m in inner], [len(want)], f"{name}: size of the image")
    got = subprocess.run([BIN, "cat", str(path), "system.img"], capture_output=True).stdout
    ght.equal(ght.sha(got), ght.sha(want), f"{name}: every byte")
    ght.equal([(n["code"], n["what"][:30]) for n in ght.rows(rows, "notes", plugin="newdat")], list(notes), f"{name}: notes")
    return rows


def versions():
    raw = image(400, 1)
    for v in (1, 2, 3, 4):
        u = mknewdat.whole(raw, v, seed=v)
        rows = same(make_zip(D / f"v{v}.zip", files(u)), raw, f"version {v}")
        head = ght.rows(rows, "transfer_lists")[0]
        ght.equal((head["version"], head["total"], head["image_blocks"], head["older"], head["stash_entries"], head["stash_blocks"]),
                  (v, u.total, 400, 0, None if v == 1 else 3, None if v == 1 else 77), f"version {v}: the head")
        count = {r["command"]: r["blocks"] for r in ght.rows(rows, "transfer_commands")}
        zeros = sum(b - a for hole, a, b in mknewdat.runs(raw) if hole)
        ght.equal((count["zero"], count["new"]), (zeros, 400 - zeros), f"version {v}: the commands")
    ght.equal(rows and [(r["role"], r["state"]) for r in ght.rows(rows, "set_parts")],
              [("list", "there"), ("data", "there"), ("patch", "there")], "the files of the set")


def packings():
    raw = image(200, 2)
    u = mknewdat.whole(raw, 4)
    same(make_zip(D / "deflated.zip", files(u), zipfile.ZIP_DEFLATED), raw, "deflated")
    packed = files(u, **{"system.new.dat": None, "system.new.dat.gz": gzip.compress(bytes(u.data))})
    same(make_zip(D / "gz.zip", packed), raw, "gzip")
    same(make_zip(D / "gzdef.zip", packed, zipfile.ZIP_DEFLATED), raw, "gzip, deflated")
    (D / "new.dat").write_bytes(bytes(u.data))
    ght.run("lz4", "-q", "-f", D / "new.dat", D / "new.dat.lz4")
    same(make_zip(D / "lz4.zip", files(u, **{"system.new.dat": None, "system.new.dat.lz4": (D / "new.dat.lz4").read_bytes()})), raw, "lz4")
    for tool, end, words in (("brotli", "br", ["-q", "5", "-k"]), ("xz", "xz", ["-k"]), ("xz", "lzma", ["-k", "--format=lzma"]), ("bzip2", "bz2", ["-k"]),
                             ("zstd", "zst", ["-q", "-k"])):
        if not shutil.which(tool):
            ght.skip(tool, "not installed")
            continue
        ght.run(tool, "-f", *words, D / "new.dat")
        for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            same(make_zip(D / f"{end}.zip", files(u, **{"system.new.dat": None, f"system.new.dat.{end}": (D / f"new.dat.{end}").read_bytes()}), method),
                 raw, f"{tool}, {end}, {method}")
        d = D / f"folder_{end}"
        d.mkdir()
        for k, v in files(u, **{"system.new.dat": None, f"system.new.dat.{end}": (D / f"new.dat.{end}").read_bytes()}).items():
            (d / k).write_bytes(v)
        db = D / f"{end}.db"
        subprocess.run([BIN, "scan", str(d), "--db", str(db), "--progress", "none"], capture_output=True)
        ght.equal(sqlite3.connect(db).execute("SELECT state, size FROM set_parts ORDER BY role").fetchall(),
                  [("there", len(u.data)), ("there", len(u.text())), ("there", 0)], f"{end}: a folder, through the engine")
    cut = bytes(u.data)
    pieces = {f"system.new.dat.{i}": cut[i * 100000:(i + 1) * 100000] for i in range(-(-len(cut) // 100000))}
    ght.check(2 < len(pieces) < 10, f"{len(pieces)} pieces")
    same(make_zip(D / "pieces.zip", files(u, **{"system.new.dat": None, **pieces})), raw, "new.dat in pieces")


def later_wins():
    """Where commands give a block twice, the later one counts, as when they are carried out one after the other."""
    old, new = image(64, 3), image(64, 4)
    u = mknewdat.Update(3)
    u.erase([(0, 64)])
    u.new(old, [(0, 64)])
    u.zero([(10, 20)])
    u.new(new, [(15, 18), (40, 41), (19, 30)])
    want = bytearray(old)
    want[10 * B:20 * B] = bytes(10 * B)
    for a, b in ((15, 18), (40, 41), (19, 30)):
        want[a * B:b * B] = new[a * B:b * B]
    same(make_zip(D / "twice.zip", files(u)), bytes(want), "given twice")
    rnd = random.Random(5)
    for n in range(20):
        u, want = mknewdat.Update(rnd.randint(1, 4)), bytearray(64 * B)
        u.zero([(0, 64)])
        for _ in range(rnd.randint(1, 40)):
            a = rnd.randrange(64)
            b = rnd.randint(a + 1, 64)
            what, source = rnd.choice("nz"), image(64, rnd.random())
            u.new(source, [(a, b)]) if what == "n" else u.zero([(a, b)])
            want[a * B:b * B] = source[a * B:b * B] if what == "n" else bytes((b - a) * B)
        path = make_zip(D / "many.zip", files(u))
        got = subprocess.run([BIN, "cat", str(path), "system.img"], capture_output=True).stdout
        ght.equal(ght.sha(got), ght.sha(bytes(want)), f"many overlaps, {n}")


def cat(path):
    p = subprocess.run([BIN, "cat", str(path), "system.img"], capture_output=True)
    return p.stdout, p.stderr.decode(), p.returncode


def delta():
    """What is made from the older image is counted, told, and no zeros."""
    raw = image(100, 6)
    for v in (1, 2, 3, 4):
        u = mknewdat.Update(v)
        u.lines.append("stash " + ("ab" * 20 if v >= 3 else "0") + " 2,0,4") if v >= 2 else None
        u.move([(10, 20)], [(30, 40)])
        u.diff("bsdiff", [(20, 25), (50, 55)], [(20, 30)])
        u.diff("imgdiff", [(60, 61)], [(60, 61)])
        u.new(raw, [(0, 10), (25, 50)])
        u.zero([(61, 100)])
        path = make_zip(D / "delta.zip", files(u))
        rows, sets = look(path)
        head = ght.rows(rows, "transfer_lists")[0]
        ght.equal((head["older"], head["image_blocks"]), (21, 100), f"delta, version {v}: blocks of the older image")
        count = {r["command"]: (r["n_commands"], r["blocks"]) for r in ght.rows(rows, "transfer_commands")}
        ght.equal([count[w] for w in ("move", "bsdiff", "imgdiff", "new")], [(1, 10), (1, 10), (1, 1), (1, 35)], f"delta, version {v}: commands")
        run = {r["status"] for r in ght.rows(rows, "blob_runs", plugin="newdat")}
        ght.equal(run, {"unsup"}, f"delta, version {v}: not examined, and no damage")
        ght.check("older image" in cat(path)[1] and cat(path)[2] == 3, f"delta, version {v}: what is not there is no zeros")


def missing():
    raw = image(100, 7)
    u = mknewdat.whole(raw, 4)
    everything = files(u)
    rows, sets = look(make_zip(D / "nolist.zip", {k: v for k, v in everything.items() if "list" not in k}))
    ght.equal([(r["role"], r["state"]) for r in ght.rows(rows, "set_parts")], [("data", "there"), ("patch", "there"), ("list", "missing")],
              "no list: told")
    ght.equal([n["code"] for n in ght.rows(rows, "notes", plugin="newdat")], ["short"], "no list: a note")
    rows, sets = look(make_zip(D / "nodata.zip", {k: v for k, v in everything.items() if "new.dat" not in k}))
    ght.check(("data", "missing") in [(r["role"], r["state"]) for r in ght.rows(rows, "set_parts")], "no data: told")
    path = make_zip(D / "short.zip", files(u, **{"system.new.dat": bytes(u.data)[:-B]}))
    out, err, code = cat(path)
    ght.check(code == 3 and "new.dat ends before" in err, "new.dat cut off: no zeros", (code, err))
    rows, sets = look(make_zip(D / "long.zip", files(u, **{"system.new.dat": bytes(u.data) + b"xyz"})))
    ght.equal([(n["code"], n["at"]) for n in ght.rows(rows, "notes", plugin="newdat")], [("bad", len(u.data))], "bytes behind: told")
    # Through the whole program: a file system behind a list that is not there hides anything.
    tree = D / "tree"
    (tree / "etc").mkdir(parents=True)
    (tree / "build.prop").write_text("ro.build.type=user\n")
    (tree / "etc/hosts").write_text("127.0.0.1 localhost\n")
    ght.run("truncate", "-s", "4M", D / "fs.img")
    ght.run("mke2fs", "-q", "-t", "ext4", "-d", tree, D / "fs.img")
    whole = files(mknewdat.whole((D / "fs.img").read_bytes(), 4))
    ext4_alone = [r["plugin"] for r in ght.rows(ght.drive(make_zip(D / "fs.zip", whole)), "blob_runs") if r["plugin"] == "ext4"]
    ght.equal(ext4_alone, ["ext4"], "new.dat begins like a file system, and is none: only the image is opened")
    for name, drop, code, states in (("whole", "none", 0, 1), ("list gone", "list", 3, 0), ("data gone", "new.dat", 3, 0)):
        d = D / name.replace(" ", "_")
        d.mkdir()
        for k, v in whole.items():
            if drop not in k:
                (d / k).write_bytes(v)
        db = D / f"{d.name}.db"
        p = subprocess.run([BIN, "scan", str(d), "--db", str(db), "--progress", "none"], capture_output=True)
        sql = sqlite3.connect(db)
        ght.equal(p.returncode, code, f"{name}: exit code")
        ght.equal(sql.execute("SELECT count(*) FROM places WHERE image='system' AND dpath='/system/build.prop'").fetchone()[0], states,
                  f"{name}: files at their places")
        holes = sql.execute("SELECT count(*) FROM d_not_examined WHERE hides='*' AND what='missing' AND damaged").fetchone()[0]
        ght.equal(holes > 0, code == 3, f"{name}: what is missing is told as missing")


def malformed():
    raw = image(20, 8)
    good = ["4", "20", "0", "0", "new 2,0,20"]
    for name, lines, want in (
            ("no version", ["new 2,0,20"], [("bad", 0)]), ("version 5", ["5", *good[1:]], [("unsup", 0)]),
            ("odd count", [*good[:4], "zero 3,0,4,5", good[4]], [("bad", 9)]), ("count too large", [*good[:4], "zero 4,0,4", good[4]], [("bad", 9)]),
            ("backward range", [*good[:4], "zero 2,9,4", good[4]], [("bad", 9)]), ("too many numbers", [*good[:4], "zero 2,0,4,9", good[4]], [("bad", 9)]),
            ("unknown word", [*good[:4], "explode 2,0,4", good[4]], [("unsup", 9)]), ("no ranges", [*good[:4], "zero", good[4]], [("bad", 9)]),
            ("not a number", [*good[:4], "zero 2,0,x", good[4]], [("bad", 9)]), ("blocks beyond 32 bits", [*good[:4], "zero 2,0,99999999999", good[4]], [("bad", 9)])):
        text = ("\n".join(lines) + "\n").encode()
        path = make_zip(D / "bad.zip", {"system.transfer.list": text, "system.new.dat": raw})
        rows, sets = look(path)
        ght.equal([(n["code"], n["at"]) for n in ght.rows(rows, "notes", plugin="newdat")], want, name)
        if lines[0] == "4":
            ght.equal(ght.sha(cat(path)[0]), ght.sha(raw), f"{name}: the rest is read")
    huge = make_zip(D / "huge.zip", {"system.transfer.list": b"4\n1\n0\n0\nzero 2,0,4294967295\n", "system.new.dat": b""})
    rows, sets = look(huge)
    members = ght.rows(rows, "members", name="image")
    ght.equal([(m["size"], m["child"]) for m in members], [(4294967295 * B, None)], "16 TiB of zeros: listed only")


versions()
packings()
later_wins()
delta()
missing()
malformed()
ght.done()
