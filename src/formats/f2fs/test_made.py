#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""F2FS images that mkf2fs.py makes: what sload.f2fs cannot. Where dump.f2fs can read them, it is asked too."""
import os
import re
import shutil
import struct
import sys

import make_seeds
import mkf2fs as m
import test_f2fs as t
from test_f2fs import Drive, ght, pattern, text

SELINUX = (6, b"selinux", b"u:object_r:system_file:s0\0")


def cap(revision, low, high=0, root=1000):
    head = struct.pack("<III", revision << 24 | 1, low, 0)
    return (6, b"capability", head + (struct.pack("<II", high, 0) if revision > 1 else b"") + (struct.pack("<I", root) if revision == 3 else b""))


def root(im, names, **kw):
    """A root directory: {name: (inode, type)}."""
    return im.dir([(n, i, k) for n, (i, k) in names.items()], ino=3, parent=3, **kw)


def is_sound(name, got):
    return ght.check(got.status == "ok" and not got.notes, f"{name}: nothing is wrong with it", (got.status, got.why, got.notes[:4]))


def small(bs=4096):
    """Of blocks that no kernel takes: said each time."""
    return ("no kernel mounts it",) if bs not in (4096, 16384, 65536) else ()


def contents(name, got, want):
    wrong = [(p, got.entries.get(p, {}).get("sha256"), len(d)) for p, d in want.items() if got.entries.get(p, {}).get("sha256") != ght.sha(d)]
    ght.check(not wrong, f"{name}: {len(want)} contents, byte for byte", (wrong[:5], got.notes[:5]))


def spread(im, blocks, at, size=None, **kw):
    """A file with data at some blocks only: (inode, content)."""
    ino, where = im.nid(), {}
    data = bytearray(blocks * im.bs)
    for k, i in enumerate(at):
        piece = pattern(im.bs, i)
        data[i * im.bs:(i + 1) * im.bs] = piece
        where[i] = im.block(piece)
        im.next += k % 2
    addrs, nids, made = im.tree(ino, where)
    n = size or len(data)
    im.inode(m.REG | 0o644, n, addrs, ino=ino, nids=nids, blocks=1 + len(where) + made)
    return ino, bytes(data[:n])


def test_trees(work):
    """Every level of the node tree, its first and last entries; blocks of four sizes."""
    for bs, seg_bits in ((512, 9), (4096, 9), (16384, 9), (65536, 4)):
        im = m.Image(bs=bs, seg_bits=seg_bits, main_segs=12 if seg_bits == 9 else 100, label=f"{bs} 字")
        d, n = im.room - 9, im.per_node
        i1, i2, dd = d + 2 * n, d + 2 * n + n * n, d + 2 * n + 2 * n * n
        limit = {512: dd + n * n + 300, 4096: i1 + 2 * n + 5, 16384: d + 300, 65536: 1000}[bs]
        edges = [0, 1, d - 1, d, d + n - 1, d + n, i1 - 1, i1, i1 + n - 1, i1 + n, i2 - 1, i2, dd - 1, dd, dd + n, dd + n * n, limit - 1]
        edges = sorted({e for e in edges if e < limit})
        want, names = {}, {}
        for name, at, cut in (("edges", edges, 7), ("none", [], 0), ("first", [0], 100), ("last", [limit - 1], 0)):
            ino, data = spread(im, limit, at, limit * bs - cut)
            if at:
                want[b"/" + name.encode()] = data
            names[name.encode()] = (ino, 1)
        data = pattern(9 * bs + 5, bs)
        zeros = bytearray(data)
        for i in (1, 2, 8):
            zeros[i * bs:(i + 1) * bs] = bytes(bs)
        names[b"holes"] = (im.file(data, holes=(1, 2), new=(8,)), 1)
        want[b"/holes"] = bytes(zeros)
        names[b"scatter"] = (im.file(data, scatter=True), 1)
        want[b"/scatter"] = data
        names[b"tail"] = (im.file(data[:bs + 1]), 1)
        want[b"/tail"] = data[:bs + 1]
        names[b"inline"] = (im.inode(m.REG | 0o600, 60, inline=data[:60]), 1)
        want[b"/inline"] = data[:60]
        many = {b"f%04d" % i: (im.inode(m.REG | 0o644), 1) for i in range(700 if bs > 4096 else 300)}
        names[b"many"] = (im.dir([(k, i, 1) for k, (i, _) in many.items()], level_gap=3), 2)
        root(im, names)
        image = im.write(work / "t.img")
        got = Drive(image)
        name = f"blocks of {bs}"
        for big in (b"/edges", b"/first", b"/last"):  # so little of them is there that a scan does not read them
            ght.check(ght.cat(image, os.fsdecode(big)) == want.pop(big), f"{name}: {os.fsdecode(big[1:])}, {limit} blocks")
        contents(name, got, want)
        ght.equal({p for p in got.entries if p.startswith(b"/many/")}, {b"/many/" + k for k in many}, f"{name}: a directory with holes")
        ght.equal(got.info["label"], f"{bs} 字", f"{name}: label")
        ght.equal(got.other_notes(*small(bs), "in segments of 16: no kernel", "more than its container's budget"), [], f"{name}: nothing else is wrong with it")
        if bs == 4096:
            ino = got.entries[b"/edges"]["ino"]
            ght.equal(t.dump(image, ino)["i_size"], limit * bs - 7, f"{name}: dump.f2fs reads it")
        os.unlink(image)


def attribute_files(im):
    """{name: (inode, type, what is expected of it)}"""
    long_label = b"u:object_r:" + b"x" * 3000 + b":s0\0"
    f = {}
    f["chr"] = im.inode(m.CHR | 0o666, addrs={1: 1 << 8 | 3}), 3, {"rdev": os.makedev(1, 3)}
    f["old"] = im.inode(m.BLK | 0o660, addrs={0: 8 << 8 | 1}), 4, {"rdev": os.makedev(8, 1)}
    f["big"] = im.inode(m.CHR | 0o600, addrs={1: 0x45 | 511 << 8 | 0x123 << 20}), 3, {"rdev": os.makedev(511, 0x12345)}
    f["fifo"] = im.inode(m.FIFO | 0o644), 5, {"ftype": "fifo"}
    f["sock"] = im.inode(m.SOCK | 0o755), 6, {"ftype": "socket"}
    f["su"] = im.inode(m.REG | 0o6755, 4, inline=b"suid", uid=70000, gid=100000), 1, {"mode": 0o6755, "uid": 70000, "gid": 100000}
    f["late"] = im.inode(m.REG | 0o644, mtime=2**33), 1, {"mtime": 2**33}
    f["early"] = im.inode(m.REG | 0o644, mtime=(1 << 64) - 1000), 1, {"mtime": -1000}
    f["cap2"] = im.inode(m.REG | 0o755, xattr=[SELINUX, cap(2, 0x3000, 0x1ff)], slots=50), 1, {"caps": 0x1ff00003000}
    f["cap1"] = im.inode(m.REG | 0o755, xattr=[cap(1, 0xff)], slots=50), 1, {"caps": 0xff, "selinux": None}
    f["cap3"] = im.inode(m.REG | 0o755, xattr=[cap(3, 0x1000, 1)], slots=50), 1, {"caps": 0x100001000}
    f["node"] = im.inode(m.REG | 0o644, xattr=[(1, b"user", b"v" * 900), SELINUX, cap(2, 1)], slots=0), 1, {"caps": 1}
    f["both"] = im.inode(m.REG | 0o644, xattr=[(1, b"more", b"v" * 150), SELINUX, cap(2, 2)], slots=50), 1, {"caps": 2}
    f["straddle"] = im.inode(m.REG | 0o644, 3, inline=b"abc", xattr=[(6, b"selinux", long_label)], slots=50), 1, {"selinux": long_label[:-1].decode()}
    f["nozero"] = im.inode(m.REG | 0o644, xattr=[(6, b"selinux", b"u:r:su:s0")], slots=50), 1, {"selinux": "u:r:su:s0"}
    f["link"] = im.inode(m.LNK | 0o777, 6, inline=b"target"), 7, {"link_target": b"target"}
    f["blocklink"] = im.file(b"b" * 4000, mode=m.LNK | 0o777), 7, {"link_target": b"b" * 4000}
    f["immutable"] = im.inode(m.REG | 0o644, flags=0x30), 1, {"iflags": 0x30}
    f["verity"] = im.inode(m.REG | 0o644, 3, inline=b"abc", advise=0x40), 1, {"iflags": 0x100000, "sha256": ght.sha(b"abc")}
    f["inlinedir"] = im.dir([(b"in", f["su"][0], 1)], inline=True, flags=0x40000000), 2, {"iflags": 0x40000000}
    f["one"] = im.inode(m.REG | 0o644, 5, inline=b"hello", links=2), 1, {"nlink": 2, "sha256": ght.sha(b"hello")}
    f["two"] = f["one"]
    return f


def test_attributes(work):
    for bs in (4096, 16384):
        for features in (m.ALL, m.ALL & ~m.FLEXIBLE, 0, m.CASEFOLD | m.QUOTA_INO):
            quota = ()
            im = m.Image(bs=bs, features=features)
            if features & m.QUOTA_INO:
                quota = im.quota = tuple(im.inode(m.REG | 0o600) for _ in range(3))
            f = attribute_files(im)
            root(im, {k.encode(): v[:2] for k, v in f.items()})
            image = im.write(work / "a.img")
            got, name = Drive(image), f"attributes, blocks of {bs}, features {features:#x}"
            wrong = [(n, k, got.entries.get(b"/" + n.encode(), {}).get(k), v) for n, (_, _, e) in f.items() for k, v in e.items()
                     if got.entries.get(b"/" + n.encode(), {}).get(k) != v]
            ght.check(not wrong and b"/inlinedir/in" in got.entries, f"{name}: {len(f)} files", wrong)
            ght.equal(len(got.entries), len(f) + 1, f"{name}: and no others" + (", quota files are internal" if quota else ""))
            is_sound(name, got)
            if bs == 4096:
                wrong = []
                for n in ("su", "cap2", "late", "link", "verity"):
                    d, e = t.dump(image, f[n][0]), got.entries[b"/" + n.encode()]
                    wrong += [(n, k) for k, v in (("uid", d["i_uid"]), ("gid", d["i_gid"]), ("mtime", d["i_mtime"])) if e[k] != v]
                ght.equal(wrong, [], f"{name}: as dump.f2fs shows them")
            os.unlink(image)


def test_encrypted(work):
    im = m.Image(features=m.ALL | m.ENCRYPT)
    secret = im.file(pattern(5000, 1), advise=4)
    link = im.inode(m.LNK | 0o777, 18, inline=b"\x10\0" + b"\xee" * 16, advise=4)
    odd = b"\0/" + bytes(range(14))
    d = im.dir([(odd, secret, 1, 0x01020304), (b"/" * 16, link, 7, 0xFFFFFFFF)], advise=4)
    plain = im.file(b"plain" * 2000)
    root(im, {b"enc": (d, 2), b"plain": (plain, 1)})
    got = Drive(im.write(work / "e.img"))
    paths = sorted(got.entries)
    ght.equal(len(paths), 4, "encrypted: four entries")
    ght.check(b"/enc/BAMCAQAAAAAALwABAgMEBQYHCAkKCwwN" in paths and not any(b"\0" in p or p.count(b"/") > 2 for p in paths),
              "encrypted: names as a kernel without the key shows them", paths)
    ght.equal([e["sha256"] for p, e in sorted(got.entries.items()) if p.startswith(b"/enc/")], [None, None], "encrypted: contents are not read")
    ght.equal({e["iflags"] & 0x800 for p, e in got.entries.items() if p.startswith(b"/enc")}, {0x800}, "encrypted: the flag")
    ght.equal(got.status, "unsup", "encrypted: it is said")
    ght.equal(sorted(n["what"] for n in got.notes), [f"directory {d} is encrypted: names and contents", f"file {secret} is encrypted"],
              "encrypted: and nothing else")
    ght.equal(got.entries[b"/plain"]["sha256"], ght.sha(b"plain" * 2000), "encrypted: what is plain is read")


def test_compression(work):
    data = {n: text(n, n) for n in (1, 4095, 4096, 16384, 16385, 100000, 1 << 20)}
    for bs in (4096, 16384):
        for algorithm, word, packs in ((m.LZ4, "lz4", (lambda d: m.lz4(d, 1), lambda d: m.lz4(d, 9))), (m.ZSTD, "zstd", (m.zstd, lambda d: m.zstd(d, 19))),
                                       (m.LZO, "lzo", (m.lzo, lambda d: m.lzo(d, 9))), (m.LZORLE, "lzo-rle", (m.lzo, m.lzorle))):
            im, names, want = m.Image(bs=bs, main_segs=16), {}, {}
            largest = 8 if "lzo" not in word else 6 if bs == 4096 else 4  # lzop cuts at 256 KiB
            for cluster in {2, 4, largest}:
                for i, pack in enumerate(packs):
                    for n, d in data.items():
                        if cluster != 2 and n != 100000:
                            continue
                        k = b"%d-%d-%d" % (cluster, i, n)
                        names[k] = (im.compressed(d, algorithm, cluster, pack, check=n == 16385, scatter=n == 100000, released=i == 0), 1)
                        want[b"/" + k] = d
            n, c = 5 * 4 * bs + 300, 4 * bs
            d = bytearray(text(n, 3))
            d[c:2 * c] = bytes(c)
            names[b"mixed"] = (im.compressed(bytes(d), algorithm, 2, packs[0], plain=(2, 5), holes=(1,)), 1)
            want[b"/mixed"] = bytes(d)
            noise = pattern(4 * c, 9)
            names[b"noise"] = (im.compressed(noise[:2 * c] + text(c, 1), algorithm, 2, packs[0], plain=(0, 1)), 1)
            want[b"/noise"] = noise[:2 * c] + text(c, 1)
            deep = text((im.room + im.per_node + 100) * bs if bs == 4096 else 200000, 4)
            names[b"deep"] = (im.compressed(deep, algorithm, largest, packs[0]), 1)
            want[b"/deep"] = deep
            root(im, names)
            got, name = Drive(im.write(work / "z.img")), f"{word}, blocks of {bs}"
            contents(name, got, want)
            is_sound(name, got)
    test_compression_damage(work)


def test_compression_damage(work):
    im = m.Image()
    d = text(70000, 1)
    names = {b"check": (im.compressed(d, m.LZ4, 2, wrong=True), 1)}
    good = m.lz4
    names[b"length"] = (im.compressed(d, m.LZ4, 2, lambda x: good(x) + b"\0" * 9), 1)
    names[b"algorithm"] = (im.compressed(d, 9, 2, good), 1)
    ino = im.nid()
    im.inode(m.REG | 0o644, 5 * 4096, {0: im.block(b"x"), 1: m.COMPRESS, 2: im.block(b"y")}, ino=ino, flags=4, algorithm=1, cluster=2, blocks=3)
    names[b"middle"] = (ino, 1)
    names[b"empty"] = (im.inode(m.REG | 0o644, 16384, {0: m.COMPRESS}, flags=4, algorithm=1, cluster=2, blocks=3), 1)
    too_long = im.block(struct.pack("<II16x", 5000, 0))
    names[b"header"] = (im.inode(m.REG | 0o644, 16384, {0: m.COMPRESS, 1: too_long}, flags=4, algorithm=1, cluster=2, blocks=3), 1)
    names[b"cluster"] = (im.inode(m.REG | 0o644, 16384, {0: m.COMPRESS, 1: too_long}, flags=4, algorithm=1, cluster=9, blocks=3), 1)
    names[b"not"] = (im.inode(m.REG | 0o644, 16384, {0: m.COMPRESS, 1: too_long}, blocks=3), 1)
    names[b"good"] = (im.compressed(d, m.LZ4, 2), 1)
    root(im, names)
    got = Drive(im.write(work / "y.img"))
    ght.equal(sorted(p for p, e in got.entries.items() if e["sha256"]), [b"/check", b"/good"], "damaged clusters: what is read")
    ght.equal(got.entries[b"/check"]["sha256"], ght.sha(d), "a wrong checksum costs nothing, as in the kernel")
    for words in ("checksum of compressed cluster 0 does", "is compressed in an unknown way", "block 1 cannot begin a compressed cluster",
                  "compressed cluster 0 has no block", "says 5000 packed bytes, more than it has", "clusters of 2.n blocks, n is 9", "block 0 cannot begin"):
        ght.check(got.has_note(words), f"damaged clusters: {words}", [n["what"] for n in got.notes])


def journal_image(work, name, **cp):
    """Two files; the NAT says of both what is out of date, the journal what holds."""
    flags = cp.pop("flags", m.UMOUNT)
    im = m.Image(**cp)
    new, old = im.file(b"new content" * 1000, name=b"f"), None
    where = im.nat[new]
    old = im.inode(m.REG | 0o644, 3, inline=b"old", ino=new, name=b"f")
    stale, journal = dict(im.nat), {new: where}
    root(im, {b"f": (new, 1)})
    journal[3] = im.nat.pop(3)
    stale[3] = (3, im.nat[new][1])
    packs = (im.checkpoint(flags=flags, journal=journal), im.checkpoint(version=5, flags=flags))
    image = im.write(work / "j.img", packs=packs, nat=stale)
    got = Drive(image)
    ght.equal(got.entries.get(b"/f", {}).get("sha256"), ght.sha(b"new content" * 1000), f"{name}: the journal holds")
    is_sound(name, got)
    return got, image, old


def test_checkpoints(work):
    for name, cp in (("compact journal", {"flags": m.UMOUNT | m.COMPACT}), ("journal", {}), ("journal before a crash", {"flags": 0}),
                     ("journal after fastboot", {"flags": m.FASTBOOT}), ("journal, 16 KiB", {"bs": 16384}), ("large bitmap", {"large_nat": True}),
                     ("bitmaps in blocks of their own", {"payload": 2})):
        got, image, ino = journal_image(work, name, **cp)
        if name in ("compact journal", "journal", "journal before a crash"):  # dump.f2fs does not know the mark of fastboot; the kernel does
            ght.equal(t.dump_content(image, ino, work), b"new content" * 1000, f"{name}: dump.f2fs reads it so too")
    im = m.Image()
    a = im.inode(m.REG | 0o644, 1, inline=b"a", ino=9)
    root(im, {b"old": (a, 1)})
    first = dict(im.nat)
    root(im, {b"new": (a, 1)})
    older, newer = im.checkpoint(version=7), im.checkpoint(version=8, half=1)
    broken = list(newer)
    broken[-1] = bytes(im.bs)
    torn = im.checkpoint(version=9, half=1, tail_version=6)
    wrap = im.checkpoint(version=2**64 - 1)
    long_pack = im.checkpoint(version=9, half=1, total=600)
    for name, packs, want, note in (("the second is newer", (older, newer), b"/new", None), ("the first is newer", (newer, older), b"/new", None),
                                    ("the newer is not whole", (broken, older), b"/old", "checkpoint: its checksum would lie at byte 0; the pack at byte"),
                                    ("the newer is torn", (older, torn), b"/old", "was not written to its end; the pack"),
                                    ("versions wrap around", (wrap, newer), b"/new", None), ("one is too long", (older, long_pack), b"/old", "pack of 600 blocks")):
        got = Drive(im.write(work / "c.img", packs=packs, nat=first, other=im.nat))
        ght.equal(sorted(got.entries), [want], f"checkpoints: {name}")
        if note:
            ght.check(got.has_note(note) and len(got.notes) == 1, f"checkpoints: {name}: that is said", got.notes)
        else:
            is_sound(f"checkpoints: {name}", got)
    got = Drive(im.write(work / "c.img", packs=(broken, broken)))
    ght.equal((got.status, got.entries), ("bad", {}), "checkpoints: none is whole")
    many = {i: (i, 9000) for i in range(100, 138)}
    pack = im.checkpoint(journal=many, flags=m.UMOUNT)
    at = (im.cp + 1) * im.bs + 4096 // 8 * 7
    image = im.write(work / "c.img", packs=(pack, older), nat=im.nat)
    t_patch(image, at, struct.pack("<H", 39))
    got = Drive(image)
    ght.check(got.has_note("journal of 39 node addresses") and b"/new" in got.entries, "checkpoints: a journal of impossible length", got.notes)


def t_patch(image, at, data):
    with open(image, "r+b") as f:
        f.seek(at)
        f.write(data)


def test_superblocks(work):
    im = m.Image(label="x" * 511 + "y")
    root(im, {b"f": (im.file(b"z" * 9000), 1)})
    for bs in (4096, 16384):
        im = m.Image(bs=bs, label="ab\U0001f600" + "ü" * 30)
        root(im, {b"f": (im.file(b"z" * 9000), 1)})
        for name, at, data, words in (("wiped", 1024, bytes(3072), "no F2FS superblock; the copy at byte %d" % (bs + 1024)),
                                      ("checksum", 1024 + 130, b"Q", "superblock checksum does not match; the copy at"),
                                      ("geometry", 1024 + 72 + 8, b"\xff" * 12, "in no order; the copy at")):
            image = im.write(work / "s.img")
            t_patch(image, at, data)
            got = Drive(image)
            if name == "wiped" and bs != 4096:  # too far from the beginning to be recognised
                continue
            ght.check(got.has_note(words) and len(got.notes) == 1 and b"/f" in got.entries, f"superblock, {bs}: {name}", got.notes)
            ght.equal(got.info["label"], "ab\U0001f600" + "ü" * 30, f"superblock, {bs}: {name}: label")
    image = im.write(work / "s.img", copy=False)
    t_patch(image, 1024 + 130, b"Q")
    got = Drive(image)
    ght.check([n["what"] for n in got.notes] == ["superblock checksum does not match"] and b"/f" in got.entries, "superblock: no better one", got.notes)
    im.features |= 0x10000
    got = Drive(im.write(work / "s.img"))
    ght.check(got.status == "unsup" and got.has_note("features 0x10000 are not known"), "superblock: unknown features", got.notes)
    im.features = m.ALL | m.BLKZONED
    got = Drive(im.write(work / "s.img"))
    ght.check("blkzoned" in got.info["features"].split(), "superblock: zoned is told")
    for size in (6 << 20, 33 << 20):
        whole = Drive(im.write(work / "s.img"))
        image = im.write(work / "s.img", size=size)
        got = Drive(image)
        ght.check(got.status in ("short", "bad"), f"cut at {size}: told", got.why)
        ght.equal(set(got.entries) - set(whole.entries), set(), f"cut at {size}: no names from nowhere")


def test_structure(work):
    im = m.Image()
    f = im.inode(m.REG | 0o644, 1, inline=b"f")
    loop, second = im.nid(), im.nid()
    im.dir([(b"again", loop, 2), (b"root", 3, 2), (b"f", f, 1)], ino=loop)
    im.dir([(b"g", f, 1)], ino=second)
    lost = [im.inode(m.REG | 0o644) for _ in range(3)]
    orphan = [im.inode(m.REG | 0o600, links=0) for _ in range(2)]
    root(im, {b"loop": (loop, 2), b"second": (second, 2), b"twice": (second, 2)})
    got = Drive(im.write(work / "d.img", packs=(im.checkpoint(orphans=orphan), im.checkpoint(version=2))))
    ght.equal(sorted(got.entries), [b"/loop", b"/loop/again", b"/loop/f", b"/loop/root", b"/second", b"/second/g", b"/twice"], "loops: entered once")
    ght.equal(sum("second name" in n["what"] for n in got.notes), 3, "loops: each is noted")
    ght.check(got.has_note("^2 files were deleted while they were open") and got.has_note(f"^{len(lost)} inodes are in use"),
              "deleted and lost files are counted", [n["what"] for n in got.notes])
    im = m.Image()
    f = im.inode(m.REG | 0o644, 3, inline=b"old", links=1)
    root(im, {b"f": (f, 1)})
    warm = im.next + 20
    for flags, mark in ((m.UMOUNT | m.CRC_RECOVERY, True), (m.NOCRC, False), (0, False)):
        pack = im.checkpoint(flags=flags, warm=warm)
        crc = struct.unpack("<I", pack[0][-4:])[0]
        ver = im.version | (crc << 32 if mark else 0)
        nat = dict(im.nat)
        im.inode(m.REG | 0o644, 3, inline=b"new", ino=f, at=warm, flag=2, next_block=warm + 1, ver=ver, register=False)
        im.node(f + 100, f, b"", at=warm + 1, flag=2, next_block=warm + 2, ver=ver, register=False)
        im.node(f + 101, f, b"", at=warm + 2, flag=2, next_block=warm + 3, ver=ver ^ 1, register=False)
        got = Drive(im.write(work / "r.img", packs=(pack, im.checkpoint(version=2)), nat=nat))
        ght.check(got.info["journal"] == 1 and got.has_note("^2 nodes were written after the checkpoint and are not replayed"),
                  f"after a crash, flags {flags:#x}: said", got.notes)
        ght.equal((got.status, got.entries[b"/f"]["sha256"]), ("unsup", ght.sha(b"old")), f"after a crash, flags {flags:#x}: the checkpoint's state")


def test_damage(work):
    """Each damage is told where it is, and the rest is read."""
    im = m.Image()
    files = {b"f%02d" % i: (im.file(pattern(9000, i)), 1) for i in range(6)}
    big, data = spread(im, im.room + 2 * im.per_node + 3000, [0, im.room + 5, im.room + 2 * im.per_node, im.room + 2 * im.per_node + 2900])
    d = im.dir([(k, i, 1) for k, (i, _) in files.items()])
    x = im.inode(m.REG | 0o644, xattr=[SELINUX, cap(2, 5)], slots=50)
    names = {b"d": (d, 2), b"big": (big, 1), b"x": (x, 1)}
    root(im, names)
    image = work / "x.img"
    good = im.write(image)
    plain = Drive(good)
    is_sound("undamaged", plain)
    at = {n: b * 4096 for n, (_, b) in im.nat.items()}
    f00, dirblock = files[b"f00"][0], struct.unpack_from("<I", im.data[im.nat[d][1]], 396)[0] * 4096
    entries = dirblock + 4096 - 19 * 214
    nids = at[big] + 360 + 4 * im.room
    nat = lambda n: im.nat_at * 4096 + n * 9  # noqa: E731
    raw = im.data[im.nat[big][1]]
    leaf, inner = struct.unpack_from("<I", raw, nids - at[big])[0], struct.unpack_from("<I", raw, nids - at[big] + 8)[0]
    sum_note = f"inode {f00}: checksum does not match"
    cases = [
        ("inode", at[f00] + 4, b"\1", sum_note, at[f00] + 368, set()),
        ("extra length", at[f00] + 360, b"\x07\0", f"inode {f00}: extra attributes of so many bytes: 7", at[f00] + 360, {b"/d/f00"}),
        ("inline attributes", at[f00] + 362, b"\xff\xff", f"inode {f00}: inline attributes that have no room: 65535", at[f00] + 362, {b"/d/f00"}),
        ("negative size", at[f00] + 23, b"\x80", f"inode {f00}: negative size", at[f00] + 16, {b"/d/f00"}),
        ("mode", at[f00], b"\0\0", "names inode %d, which is no file" % f00, entries + 22, {b"/d/f00"}),
        ("type", entries + 22 + 10, b"\2", "says type 2, inode %d" % f00, entries + 22, set()),
        ("another node's block", at[f00] + 4072, b"\x77", f"node {f00}: its block is that of node 119", at[f00] + 4072, {b"/d/f00"}),
        ("another inode's block", at[f00] + 4076, b"\x77", f"inode {f00}: its block is one of inode 119", at[f00] + 4076, {b"/d/f00"}),
        ("address of an inode", nat(f00) + 5, b"\1\0\0\0", f"node {f00} should lie at block 1, which", nat(f00), {b"/d/f00"}),
        ("block address", at[f00] + 396, b"\1\0\0\0", f"inode {f00}: block 1 of the file system can hold no data", at[f00] + 396, {b"/d/f00"}),
        ("leaf of a tree", nat(leaf) + 5, b"\0" * 4, f"node {leaf} should lie at block 0", nat(leaf), {b"/big"}),
        ("node of a tree", at[inner] + 4072, b"\0\0", f"node {inner}: its block is that of node", at[inner] + 4072, {b"/big"}),
        ("owner of a leaf", at[leaf] + 4076, b"\x77", f"inode {big}: its node {leaf} is one of inode 119", at[leaf] + 4076, set()),
        ("entry's inode", entries + 22 + 4, b"\0\0\0\x7f", "which does not exist", entries + 22, {b"/d/f00"}),
        ("name length", entries + 22 + 8, b"\0\1", "an entry with a name of 256 bytes", entries + 22, {b"/d/f00"}),
        ("no name", entries + 22 + 8, b"\0\0", "an entry with a name of 0 bytes", entries + 22, {b"/d/f00"}),
        ("slash", entries + 214 * 11 + 8 * 2, b"a/", '"a/0" is not a name', entries + 22, {b"/d/f00"}),
        ("dot", entries + 4, b"\x09", '"." leads to inode', entries, set()),
        ("dot dot", entries + 15, b"\x09", '".." leads to inode', entries + 11, set()),
        ("directory size", at[d] + 16, b"\x01\x10", f"directory {d}: 4097 bytes are not whole blocks", at[d] + 16, set()),
        ("attribute length", at[x] + 360 + 4 * (im.room - 50) + 26, b"\xff\xff", f"inode {x}: attribute list is cut off", at[x] + 360 + 4 * (im.room - 50) + 24, set()),
        ("attribute magic", at[x] + 360 + 4 * (im.room - 50), b"\0", "attribute list without its magic", at[x] + 360 + 4 * (im.room - 50), set()),
        ("capability", at[x] + 360 + 4 * (im.room - 50) + 24 + 40 + 14 + 3, b"\x09", "security.capability of 20 bytes, revision 9", None, set()),
    ]
    for name, where, value, words, note_at, gone in cases:
        im.write(image)
        t_patch(image, where, value)
        got = Drive(image)
        hits = [n for n in got.notes if re.search(words, n["what"])]
        ght.check(bool(hits), f"damage: {name} is noted", [n["what"] for n in got.notes])
        if note_at is not None and hits:
            ght.equal(hits[0]["at"], note_at, f"damage: {name}: where")
        lost = {p for p, e in plain.entries.items() if got.entries.get(p, {}).get("sha256") != e["sha256"]}
        ght.equal(lost, gone, f"damage: {name}: everything else is read")
        rest = got.other_notes(words, "checksum does not match", "inodes are in use", "blocks whose addresses are lost", "a block that does not exist")
        ght.equal(rest, [], f"damage: {name}: nothing else is said")


def test_seeds(work):
    for name, data in make_seeds.seeds():
        path = t.HERE / "seeds" / name
        if name not in ("zstd", "lzo"):  # other versions of those tools pack otherwise
            ght.equal(ght.sha(path.read_bytes()), ght.sha(data), f"seed {name} is what make_seeds.py makes")
        got = Drive(path)
        more = got.other_notes(*small(512))
        ght.equal(bool(more), name.startswith("bad_"), f"seed {name}: {'told to be damaged' if more else 'nothing but its blocks'}")
        if name in ("lz4", "zstd", "lzo", "lzorle"):
            want = {"lz4": bytes(1900) + bytes(range(148)), "lzorle": bytes(1900) + bytes(range(1, 149))}.get(name, bytes(1024) + bytes(range(64)) * 16)
            ght.equal(got.entries[b"/z"]["sha256"], ght.sha(want[:2000]), f"seed {name}: content")


def main():
    for tool in ("lz4", "zstd", "lzop", "dump.f2fs"):
        if not shutil.which(tool):
            ght.skip("f2fs made", f"{tool} is not installed")
            ght.done()
    work = ght.tmp()
    only = sys.argv[1:]
    for test in (test_trees, test_attributes, test_encrypted, test_compression, test_checkpoints, test_superblocks, test_structure, test_damage, test_seeds):
        if not only or test.__name__ in only:
            test(work)
    ght.done()


if __name__ == "__main__":
    main()
