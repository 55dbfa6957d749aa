#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""EROFS against mkfs.erofs, fsck.erofs and dump.erofs: every kind of image they make, every name, attribute and byte."""
import calendar
import lzma
import os
import pathlib
import random
import re
import shutil
import stat
import struct
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "tests/lib"))
import ght  # noqa: E402
from fstree import compare, escape, facts_of_image, facts_of_tree, put, sha_file, text, tree  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent


def dump_super(img):
    out = {}
    for line in ght.run("dump.erofs", "-s", img, env=dict(os.environ, TZ="UTC")).decode().splitlines():
        k, _, v = line.partition(":")
        out[k.replace("Filesystem ", "")] = v.strip()
    return out


def compare_super(name, img, rows):
    d = dump_super(img)
    fs = ght.rows(rows, "fs_info")[0]
    known = d["features"].split()
    ours = [f for f in fs["features"].split() if f in ("sb_csum", "mtime", "0padding", "big_pcluster", "chunked_file", "device_table")]
    created = calendar.timegm(time.strptime(d["created"], "%a %b %d %H:%M:%S %Y"))
    ght.equal([fs["kind"], fs["blocks"], fs["inodes"], fs["uuid"], ours, fs["build_time"], fs["size"]],
              ["erofs", int(d["blocks"]), int(d["inode count"]), d["UUID"], known, created, int(d["blocks"]) * 4096],
              f"{name}: superblock as dump.erofs prints it")
    return created


def dump_inode(img, path):
    out = ght.run("dump.erofs", "--path=" + path, img, env=dict(os.environ, TZ="UTC")).decode()
    m = re.search(r"Size: (\d+).*?NID: (\d+)\s+Links: (\d+)\s+Layout: (\d+).*?Uid: (\d+)\s+Gid: (\d+)\s+Access: (\d+)/.*?"
                  r"Timestamp: (\S+ [\d:]+)", out, re.S)
    size, nid, links, layout, uid, gid, mode = (int(x, 8 if i == 6 else 10) for i, x in enumerate(m.groups()[:7]))
    return {"size": size, "ino": nid, "nlink": links, "uid": uid, "gid": gid, "mode": mode & 0o7777,
            "mtime": calendar.timegm(time.strptime(m[8], "%Y-%m-%d %H:%M:%S"))}, layout


def compare_dump(name, img, got, layouts):
    """A sample of files as dump.erofs tells them."""
    wrong = []
    for path in sorted(p for p in got if re.fullmatch(r"[\w/]+", p))[::61]:
        if len(path) > 200:
            continue
        d, layout = dump_inode(img, path)
        layouts.add(layout)
        ours = {k: got[path][k] & 0xffffffff if k in ("uid", "gid") else got[path][k] for k in d}
        if ours != {k: v & 0xffffffff if k in ("uid", "gid") else v for k, v in d.items()}:
            wrong.append((path, ours, d))
    ght.equal(wrong[:3], [], f"{name}: inodes as dump.erofs prints them")


def compare_fsck(name, img, got):
    """Bytes as fsck.erofs extracts them."""
    out = ght.tmp() / "x"
    ght.run("fsck.erofs", f"--extract={out}", "--no-preserve", img)
    wrong = []
    for d, _, files in os.walk(os.fsencode(out)):
        for f in files:
            p = os.path.join(d, f)
            path = escape(p[len(os.fsencode(out)):])
            if stat.S_ISREG(os.lstat(p).st_mode) and got[path]["sha256"] != sha_file(p):
                wrong.append(path)
    ght.equal(wrong[:5], [], f"{name}: bytes as fsck.erofs extracts them")
    shutil.rmtree(out, ignore_errors=True)


VARIANTS = [  # name, options, what they change, shares inline data
    ("plain", []),
    ("plain without inline data", ["-Enoinline_data"]),
    ("extended", ["-Eforce-inode-extended"]),
    ("no checksum", ["-Enosbcrc"]),
    ("chunks 4K", ["--chunksize=4096"]),
    ("chunks 64K", ["--chunksize=65536"]),
    ("chunk indexes", ["--chunksize=8192", "-Eforce-chunk-indexes"]),
    ("chunk block map", ["--chunksize=16384", "-Eforce-inode-blockmap"]),
    ("lz4", ["-zlz4"]),
    ("lz4hc", ["-zlz4hc,9"]),
    ("lz4 16K", ["-zlz4", "-C16384"]),
    ("lz4hc 64K", ["-zlz4hc,6", "-C65536"]),
    ("lz4 1M", ["-zlz4", "-C1048576"]),
    ("lz4 legacy", ["-zlz4", "-Elegacy-compress"]),
    ("lz4hc legacy without inline data", ["-zlz4hc,6", "-Elegacy-compress,noinline_data"]),
    ("lz4 tail packing", ["-zlz4", "-Eztailpacking"]),
    ("lz4hc 64K tail packing", ["-zlz4hc,6", "-C65536", "-Eztailpacking"]),
    ("lz4 legacy 16K tail packing", ["-zlz4", "-C16384", "-Elegacy-compress,ztailpacking"]),
    ("lz4 short extents", ["-zlz4", "--max-extent-bytes=65536"]),
    ("lz4 long extents", ["-zlz4hc,4", "-C1048576", "--max-extent-bytes=4096000"]),
    ("xattrs inline only", ["-x-1"]),
    ("xattrs shared early", ["-x1", "-zlz4"]),
]


def make(img, root, *options):
    ght.run("mkfs.erofs", "--quiet", *options, img, root)
    return img


def variants(work, root, want):
    layouts = set()
    for name, options in VARIANTS:
        img = make(work / "v.img", root, *options)
        rows = ght.drive(img)
        got = facts_of_image(rows)
        changed = {"selinux": None, "caps": 0} if "-x-1" in options else {}
        compare(name, got, want, **changed)
        ght.equal([r for r in ght.rows(rows, "notes") if r["plugin"] == "erofs"], [], f"{name}: nothing to note")
        compare_super(name, img, rows)
        compare_dump(name, img, got, layouts)
        compare_fsck(name, img, got)
        img.unlink()
    ght.equal(layouts, {0, 1, 2, 3, 4}, "all five data layouts were met")


def options(work, root, want):
    """Owners, times and labels given to mkfs.erofs."""
    img = make(work / "o.img", root, "--all-root", "-T1234567890", "-Eforce-inode-compact", "-zlz4hc,4",
               "-U00112233-4455-6677-8899-aabbccddeeff")
    rows = ght.drive(img)
    compare("compact", facts_of_image(rows), want, uid=0, gid=0, mtime=1234567890, nlink=lambda w: w["nlink"])
    ght.equal(ght.rows(rows, "fs_info")[0]["uuid"], "00112233-4455-6677-8899-aabbccddeeff", "compact: the uuid given")
    contexts = work / "contexts"
    contexts.write_text("/.* u:object_r:rootfs:s0\n/sizes(/.*)? u:object_r:system_file:s0\n"
                        "/large/elf u:object_r:shell_exec:s0:c1,c2\n")
    try:
        img = make(work / "o.img", root, f"--file-contexts={contexts}", "-zlz4", "--force-uid=1", "--force-gid=2")
    except RuntimeError as e:
        return ght.skip("labels from file contexts", str(e)[-80:])

    got = facts_of_image(ght.drive(img))
    compare("file contexts", got, want, uid=1, gid=2, selinux=...)
    wrong = [(p, g["selinux"]) for p, g in got.items() if g["selinux"] != (
        "u:object_r:shell_exec:s0:c1,c2" if p == "/large/elf" else
        "u:object_r:system_file:s0" if p == "/sizes" or p.startswith("/sizes/") else "u:object_r:rootfs:s0")]
    ght.equal(wrong[:5], [], f"file contexts: {len(got)} labels")
    return None


def reads(work, root, want):
    """Parts of a file in any order give the same bytes: the drive tool reads whole files, a child inside one does not."""
    img = make(work / "r.img", root, "-zlz4hc,6", "-C65536", "-Eztailpacking")
    for path in ("/large/mixed0", "/large/text", "/sizes/t131073", "/kinds/file"):
        ght.equal(ght.sha(ght.cat(img, path) or b""), want[path]["sha256"], f"--cat {path}")
    inner = work / "inner"
    inner.mkdir()
    big = make(inner / "inner.img", root, "-zlz4")  # an image inside a compressed image is read at random places
    outer = make(work / "outer.img", inner, "-zlz4hc,4", "-C65536")
    for path in ("/large/mixed1", "/sizes/t4096", "/large/zeros"):
        ght.equal(ght.sha(ght.cat(outer, "/inner.img!" + path) or b""), want[path]["sha256"], f"--cat /inner.img!{path}")
    big.unlink()


# ---- damage ----

def patched(work, img, edits, name="p.img"):
    data = bytearray(img.read_bytes())
    for at, value in edits:
        data[at:at + len(value)] = value
    out = work / name
    out.write_bytes(data)
    return out


def notes_of(img):
    rows = ght.drive(img)
    return [(r["code"], r["what"]) for r in ght.rows(rows, "notes") if r["plugin"] == "erofs"], rows


def expect(img, code, words, name):
    notes, rows = notes_of(img)
    ght.check(any(c == code and words in w for c, w in notes), f"{name}: noted", str(notes)[:300])
    return rows


def damage(work):
    root = work / "small"
    put(root / "a/one", text(random.Random(1), 30000))
    put(root / "a/two", text(random.Random(2), 5000))
    put(root / "b/three", b"three")
    os.symlink("a/one", root / "link")
    img = make(work / "d.img", root, "-zlz4", "-T1")
    whole = img.read_bytes()
    got = facts_of_image(ght.drive(img))
    one, a = (got[p]["ino"] * 32 for p in ("/a/one", "/a"))
    header = one + (64 if whole[one] & 1 else 32) + 7 & ~7
    dirents = a + (64 if whole[a] & 1 else 32)
    expect(patched(work, img, [(1024 + 64, b"label")]), "bad", "checksum of the superblock", "checksum")
    expect(patched(work, img, [(1024 + 80, b"\x81")]), "unsup", "48-bit addresses", "48-bit layout")
    expect(patched(work, img, [(1024 + 81, b"\x01")]), "unsup", "metadata in a box", "metadata box")
    expect(patched(work, img, [(header + 4, b"\x20")]), "bad", "there is none", "fragments without a packed inode")
    for number, code, word in ((1, "bad", "LZMA"), (2, "bad", "DEFLATE"), (3, "bad", "zstd"), (9, "unsup", "unknown compression")):
        rows = expect(patched(work, img, [(header + 6, bytes([number]))]), code, word, word)
        listed = facts_of_image(rows)
        ght.equal((listed["/a/one"]["child"], listed["/a/two"]["sha256"]), (None, got["/a/two"]["sha256"]),
                  f"{word}: the other files are read")
    expect(patched(work, img, [(header + 7, b"\x80")]), "bad", "there is none", "a whole file in no packed inode")
    expect(patched(work, img, [(header + 7, b"\x01")]), "unsup", "clusters larger than a block", "large clusters")
    expect(patched(work, img, [(header + 8, b"\xff" * 4)]), "bad", "inode", "index of ones")
    expect(patched(work, img, [(one + 8, b"\xff" * 4)]), "short", "index", "huge size")
    expect(patched(work, img, [(one, b"\xf1")]), "unsup", "unknown format", "inode format")
    expect(patched(work, img, [(one + 4, b"\xed\x01")]), "bad", "impossible mode", "inode mode")
    expect(patched(work, img, [(dirents + 24, struct.pack("<Q", 1 << 60))]), "short", "behind the end", "inode number")
    expect(patched(work, img, [(dirents + 24, struct.pack("<Q", a // 32))]), "bad", "second time", "directory loop")
    expect(patched(work, img, [(dirents, struct.pack("<Q", 7))]), "bad", "'.' of directory", "dot that leads elsewhere")
    expect(patched(work, img, [(dirents + 8, b"\x07\x00")]), "bad", "names begin at", "directory block")
    expect(patched(work, img, [(dirents + 24 + 8, b"\xff\xff")]), "bad", "name is at", "name outside its block")
    expect(patched(work, img, [(dirents + 24 + 10, b"\x03")]), "bad", "another type", "type in the directory")
    where = whole.index(b"onetwo", dirents)
    expect(patched(work, img, [(where, b"zzz")]), "bad", "not sorted", "names out of order")
    expect(patched(work, img, [(where, b"two")]), "bad", "not sorted", "a name twice")
    expect(patched(work, img, [(where, b"a/b")]), "bad", "impossible name", "a name with a slash")
    cut = work / "cut.img"
    cut.write_bytes(whole[:len(whole) - 4096])
    expect(cut, "short", "file system would reach", "image cut short")
    # packed data: every byte of the first extent, one after another, changes the content or is told
    silent = 0
    data = whole.rindex(text(random.Random(1), 30000)[:12]) & ~4095
    for at in range(data, data + 4096, 173):
        rows = ght.drive(patched(work, img, [(at, bytes([whole[at] ^ 0x55]))]))
        listed = facts_of_image(rows)
        same = all(listed[p]["sha256"] == got[p]["sha256"] for p in got)
        told = any(r["plugin"] == "erofs" for r in ght.rows(rows, "notes"))
        silent += same and not told and whole[at] != 0
    ght.equal(silent, 0, "changed packed bytes never pass silently")


def random_damage(work):
    """Any bytes: the drive tool ends in order, and lists the same tree twice."""
    root = work / "small"
    img = make(work / "e.img", root, "-zlz4hc", "-C16384", "-Eztailpacking", "-T1")
    whole = img.read_bytes()
    for seed in range(60):
        rng = random.Random(seed)
        edits = [(rng.randrange(1024, min(len(whole), 12288)), rng.randbytes(rng.choice((1, 2, 4)))) for _ in range(rng.randrange(1, 6))]
        bad = patched(work, img, edits)
        first, second = ght.drive(bad, only="erofs"), ght.drive(bad, only="erofs")
        if first != second:
            ght.check(False, "the same rows twice", f"seed {seed}")
            return
    ght.check(True, "60 images with random damage")


def corpus(work):
    d = ght.corpus("utillinux_blkid")
    if not d:
        return
    for name in ("erofs", "erofs-minix-magic"):
        img = work / f"{name}.img"
        img.write_bytes(lzma.decompress((d / f"tests/ts/blkid/images-fs/{name}.img.xz").read_bytes()))
        rows = ght.drive(img)
        compare_super(f"blkid {name}", img, rows)
        said = ght.run("blkid", "-p", "-n", "erofs", "-o", "export", img).decode()
        fs = ght.rows(rows, "fs_info")[0]
        ght.equal([f"{k}={v}" for k, v in (("UUID", fs["uuid"]), ("FSSIZE", fs["size"])) if f"\n{k}={v}\n" not in said
                   and f"\n{k}=" in said], [], f"blkid {name}: as blkid prints it")
        if fs["blocks"] * 4096 > img.stat().st_size:
            expect(img, "short", "the image ends here", f"blkid {name}: only a beginning")
            continue
        got = facts_of_image(rows)
        compare_fsck(f"blkid {name}", img, got)
        compare_dump(f"blkid {name}", img, got, set())


def seeds():
    for path in sorted((HERE / "seeds").iterdir()):
        rows = ght.drive(path, only="erofs")
        bad = [r for r in ght.rows(rows, "blob_runs") if r["plugin"] == "erofs" and r["status"] != "ok"]
        ght.equal(bool(bad), path.name.startswith("bad_"), f"seed {path.name}")


def make_seeds():
    """Writes the seeds anew: small images of each kind, and the same with one thing wrong."""
    work = ght.tmp()
    root = work / "t"
    rng = random.Random(3)
    put(root / "d/text", text(rng, 6000))
    put(root / "d/tail", text(rng, 4500))
    put(root / "d/odd", rng.randbytes(300) + bytes(6000))
    put(root / "f", b"short\n")
    os.symlink("d/text", root / "l")
    os.mkfifo(root / "p")
    os.setxattr(root / "f", "security.selinux", b"u:object_r:system_file:s0\0")
    os.setxattr(root / "d", "security.selinux", b"u:object_r:system_file:s0\0")
    os.setxattr(root / "d/odd", "security.capability", struct.pack("<5I", 0x2000001, 1 << 21, 0, 0, 0))
    to = HERE / "seeds"
    to.mkdir(exist_ok=True)
    fixed = ("-T1", "-U00112233-4455-6677-8899-aabbccddeeff")
    short = work / "short"
    put(short / "a/b", b"content")
    put(short / "a/c", text(rng, 300))
    for name, tree_of, opts in (("flat", short, ["-x1"]), ("compact", root, ["-zlz4hc"]), ("full", root, ["-zlz4", "-Elegacy-compress"]),
                                ("tail", root, ["-zlz4hc", "-Eztailpacking"]), ("big", root, ["-zlz4hc", "-C16384"]),
                                ("chunks", short, ["--chunksize=4096"])):
        img = make(work / name, tree_of, *opts, *fixed)
        shutil.copy(img, to / name)
    whole = (to / "compact").read_bytes()
    got = facts_of_image(ght.drive(to / "compact"))
    node, d = got["/d/text"]["ino"] * 32, got["/d"]["ino"] * 32
    header = node + (64 if whole[node] & 1 else 32) + 7 & ~7
    dirents = whole.index(struct.pack("<Q", d // 32), d)
    for name, edits in (("bad_checksum", [(1024 + 64, b"x")]), ("bad_48bit", [(1024 + 80, b"\x80")]),
                        ("bad_loop", [(dirents + 24, struct.pack("<Q", d // 32))]), ("bad_index", [(header + 8, b"\xff" * 8)]),
                        ("bad_zstd", [(header + 6, b"\x03")]), ("bad_size", [(node + 8, b"\xff" * 4)]),
                        ("bad_names", [(dirents + 8, b"\x05\x00")])):
        shutil.copy(patched(work, to / "compact", edits), to / name)
    (to / "bad_cut").write_bytes(whole[:4096])


def main():
    if sys.argv[1:] == ["--make-seeds"]:
        return make_seeds()
    for tool in ("mkfs.erofs", "fsck.erofs", "dump.erofs"):
        if not shutil.which(tool):
            ght.skip("erofs", f"{tool} is not installed (erofs-utils)")
            ght.done()
    work = ght.tmp()
    root = work / "tree"
    root.mkdir()
    tree(root)
    want = facts_of_tree(root)
    variants(work, root, want)
    options(work, root, want)
    reads(work, root, want)
    damage(work)
    random_damage(work)
    corpus(work)
    seeds()
    ght.done()


main()
