#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""EROFS as mkfs.erofs 1.5 does not make it: LZMA, DEFLATE, zstd, fragments, interlaced and shared extents, long name prefixes,
further devices. The images come from erofsimg.py, which follows the on-disk description: no reference tool confirms them."""
import pathlib
import random
import stat
import struct
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[2] / "tests/lib")]
import ght  # noqa: E402
from erofsimg import C_PLAIN_PREFIXES, DEFLATE, HEAD1, INTERLACED, LZ4, LZMA, ZSTD, Extent, Image, pack  # noqa: E402

WORK = ght.tmp()
NAMES = {LZMA: "LZMA", DEFLATE: "DEFLATE", ZSTD: "zstd"}
WORDS = [w.encode() for w in "ro.build vendor system/lib64 android.permission. service class main user root exec seclabel".split()]


def text(rng, n):
    out = bytearray()
    while len(out) < n:
        out += rng.choice(WORDS) + b"%d\n" % rng.randrange(1000)
    return bytes(out[:n])


def mixed(rng, n):
    out = bytearray()
    while len(out) < n:
        k = rng.randrange(1, 20000)
        out += rng.choice([lambda: text(rng, k), lambda: rng.randbytes(k), lambda: bytes(k)])()
    return bytes(out[:n])


def look(image, root, name="i.img"):
    path = WORK / name
    path.write_bytes(image.finish(root) if isinstance(image, Image) else image)
    rows = ght.drive(path, only="erofs")
    blob = {r["blob"]: r["sha256"] for r in rows if r["table"] == "blobs" and "sha256" in r}
    files = {r["path"]: dict(r, sha256=blob.get(r["child"])) for r in ght.rows(rows, "entries", blob=rows[0]["blob"])}
    notes = [(r["code"], r["what"]) for r in ght.rows(rows, "notes") if r["plugin"] == "erofs"]
    return files, notes, rows


def same(label, image, root, want):
    files, notes, rows = look(image, root)
    ght.equal(sorted(files), sorted("/" + n for n in want), f"{label}: names")
    ght.equal([n for n in want if "/" + n in files and files["/" + n]["sha256"] != ght.sha(want[n])], [], f"{label}: every byte of {len(want)} files")
    ght.equal(notes, [], f"{label}: nothing to note")
    return files, rows


def told(label, image, root, code, words):
    files, notes, _ = look(image, root)
    ght.check(any(c == code and words in w for c, w in notes), f"{label}: noted", str(notes)[:300])
    return files


def contents(rng, bs):
    sizes = [1, bs - 1, bs, bs + 1, 5 * bs + 7, 40 * bs + 123]
    out = {f"t{n}": text(rng, n) for n in sizes} | {f"m{n}": mixed(rng, n) for n in sizes[3:]}
    return out | {"random": rng.randbytes(3 * bs + 5), "zeros": bytes(30 * bs)}


def algorithms():
    for bits, most, which in ((12, 1, [LZMA]), (12, 4, [LZMA]), (12, 1, [DEFLATE]), (12, 16, [DEFLATE]), (12, 1, [ZSTD]), (12, 4, [ZSTD]),
                              (12, 1, [DEFLATE, LZMA]), (12, 3, [ZSTD, DEFLATE]), (9, 2, [LZMA]), (9, 1, [DEFLATE]), (16, 1, [LZMA, ZSTD])):
        for interlaced in (False, True):
            rng = random.Random(most * 100 + bits)
            img, want, nids = Image(bits), contents(rng, 1 << bits), {}
            for name, data in want.items():
                x = img.extents(data, which, rng, most, interlaced)
                nids[name] = img.compressed(x, len(data), which, advise=INTERLACED * interlaced)
                if most == 1 and bits <= 14:  # a compact index has no more bits for a place in a cluster
                    x = img.extents(data, which[:1], rng, 1, interlaced)
                    nids[name + "c"] = img.compressed(x, len(data), which[:1], True, advise=INTERLACED * interlaced)
            want |= {n: want[n[:-1]] for n in nids if n not in want}
            label = f"blocks 2^{bits}, up to {most} packed, {'+'.join(NAMES[w] for w in which)}{', interlaced' * interlaced}"
            _, rows = same(label, img, img.directory(nids), want)
            named = ght.rows(rows, "fs_info")[0]["features"].split()
            ght.equal([a for a in ("lz4", "lzma", "deflate", "zstd") if a in named],
                      sorted((NAMES[a].lower() for a in img.algorithms), key=["lz4", "lzma", "deflate", "zstd"].index), f"{label}: named")


def shared():
    """Extents of which only the beginning is used, and those that two files share."""
    rng = random.Random(5)
    for which in (LZMA, DEFLATE, ZSTD):
        img = Image()
        data = text(rng, 20000)
        stream, n = pack(which, data, 8192)
        assert n == len(data)
        blocks = -(-len(stream) // 4096)
        block = img.put(bytes(-len(stream) % 4096) + stream)
        img.algorithms.add(which)
        nids = {"all": img.compressed([Extent(0, n, HEAD1, block, blocks)], n, [which]),
                "part": img.compressed([Extent(0, 9001, HEAD1, block, blocks, True)], 9001, [which]),
                "twice": img.compressed([Extent(0, 10000, HEAD1, block, blocks, True), Extent(10000, 10000 + n, HEAD1, block, blocks)], 10000 + n, [which])}
        want = {"all": data, "part": data[:9001], "twice": data[:10000] + data}
        same(f"shared extents, {NAMES[which]}", img, img.directory(nids), want)
        wrong = Image()
        block = wrong.put(bytes(-len(stream) % 4096) + stream)
        wrong.algorithms.add(which)
        nid = wrong.compressed([Extent(0, 9001, HEAD1, block, blocks)], 9001, [which])
        files = told(f"an extent that gives more than declared, {NAMES[which]}", wrong, wrong.directory({"f": nid}), "bad", "")
        ght.equal(files["/f"]["child"], None, f"an extent that gives more than declared, {NAMES[which]}: not read")
        nid = wrong.compressed([Extent(0, n + 9, HEAD1, block, blocks)], n + 9, [which])
        files = told(f"an extent that gives less than declared, {NAMES[which]}", wrong, wrong.directory({"f": nid}), "bad", "")
        ght.equal(files["/f"]["child"], None, f"an extent that gives less than declared, {NAMES[which]}: not read")


def fragments():
    rng = random.Random(9)
    for which in (LZMA, DEFLATE, ZSTD):
        img, nids, want = Image(), {}, {}
        box = mixed(rng, 200000)
        img.packed = img.compressed(img.extents(box, [which], rng, 4), len(box), [which])
        for i in range(20):
            at, n = rng.randrange(150000), rng.randrange(1, 50000)
            want[f"whole{i}"] = box[at:at + n]
            nids[f"whole{i}"] = img.whole_fragment(n, at, i % 2)
            data = mixed(rng, rng.randrange(5000, 50000))
            x = img.extents(data, [which], rng, 1)
            while x and x[-1].end - x[-1].at < 4096:  # a cluster has one beginning
                data = data[:x.pop().at]
            want[f"tail{i}"] = data + box[at:at + n]
            nids[f"tail{i}"] = img.tail_fragment(x, len(data) + n, [which], at, i % 2)
        root = img.directory(nids)
        same(f"fragments in a packed inode of {NAMES[which]}", img, root, want)
    img = Image()  # behind 4 GiB, which takes the upper half of a place
    box = rng.randbytes(6000)
    img.packed = img.chunks((4 << 30) + 6000, 32, [None, img.put(box)])
    data = text(rng, 9000)
    x = img.extents(data, [DEFLATE], rng, 1)
    if x[-1].end - x[-1].at < 4096:
        data = data[:x.pop().at]
    nids = {"whole": img.whole_fragment(5000, (4 << 30) + 77), "tail": img.tail_fragment(x, len(data) + 5990, [DEFLATE], (4 << 30) + 5),
            "alone": img.tail_fragment([], 100, [DEFLATE], (4 << 30) + 5)}
    same("fragments behind 4 GiB", img, img.directory(nids), {"whole": box[77:5077], "tail": data + box[5:5995], "alone": box[5:105]})


def packed_damage():
    rng = random.Random(10)

    def make(size=3000):
        img = Image()
        img.packed = img.plain(rng.randbytes(size))
        return img, img.directory({"f": img.whole_fragment(2000, 900), "g": img.plain(b"g")})
    img, root = make(2899)
    files = told("a fragment that reaches behind the packed inode", img, root, "bad", "of the packed inode")
    ght.equal((files["/f"]["child"], files["/g"]["sha256"]), (None, ght.sha(b"g")), "a fragment that reaches behind the packed inode: others are read")
    img, root = make()
    img.packed = 0
    told("no packed inode", img, root, "bad", "there is none")
    img, root = make()
    img.packed = 1 << 40
    told("a packed inode outside", img, root, "short", "needs the packed inode")
    img = Image()
    img.packed = img.whole_fragment(3000, 0)
    told("a packed inode in itself", img, img.directory({"f": img.whole_fragment(10, 0)}), "bad", "in fragments itself")
    img = Image()
    img.algorithms.add(DEFLATE)
    img.packed = img.tail_fragment([], 3000, [DEFLATE], 0)
    told("a packed inode whose tail is in itself", img, img.directory({"f": img.whole_fragment(10, 0)}), "bad", "in fragments itself")


def prefixes():
    label, caps = b"u:object_r:system_file:s0\0", struct.pack("<5I", 0x2000001, 1 << 21, 0, 0, 0)
    for how in ("plain", "no packed inode", "packed"):
        img = Image(compat=C_PLAIN_PREFIXES if how == "plain" else 0)
        img.prefixes = [(6, b"sel"), (6, b"capability"), (1, b"selinux"), (6, b"")]
        table = img.prefix_table(img.prefixes)
        if how == "no packed inode":
            img.prefix_at = img.put(table) << img.bits
        else:
            x = img.extents(bytes(500) + table + text(random.Random(3), 9000), [DEFLATE], random.Random(4), 1)
            img.packed = img.compressed(x, x[-1].end, [DEFLATE])
            img.incompat |= 0x20
            img.prefix_at = img.put(table) << img.bits if how == "plain" else 500
        e = img.xattr
        nids = {"a": img.plain(b"a", xattrs=e(0x80, b"inux", label) + e(0x81, b"", caps)),
                "b": img.plain(b"b", xattrs=e(0x83, b"selinux", label) + e(0x82, b"", b"no label")),
                "c": img.plain(b"c", xattrs=e(6, b"inux", b"no label either") + e(0x80, b"inuxes", b"nor this"))}
        files, _ = same(f"long name prefixes, {how}", img, img.directory(nids), {n: n.encode() for n in "abc"})
        ght.equal([(files[p]["selinux"], files[p]["caps"]) for p in ("/a", "/b", "/c")],
                  [("u:object_r:system_file:s0", 1 << 21), ("u:object_r:system_file:s0", 0), (None, 0)], f"long name prefixes, {how}: values")
    for code, at, words, index in (("bad", 0, "name prefix 9 of 1", 0x89), ("short", 1 << 30, "long name prefixes", 0x80)):
        img = Image(compat=C_PLAIN_PREFIXES)
        img.prefixes = [(6, b"sel")]
        img.prefix_at = at or img.put(img.prefix_table(img.prefixes)) << img.bits
        files = told(words, img, img.directory({"a": img.plain(b"a", xattrs=img.xattr(index, b"inux", label))}), code, words)
        ght.equal(files["/a"]["sha256"], ght.sha(b"a"), f"{words}: the file is read")


def devices():
    rng = random.Random(12)
    data = rng.randbytes(3 * 4096)
    img = Image()
    here = img.put(data)
    img.devices = [(b"first", 1000, 500000), (b"second", 1000, 0)]
    nids = {"here": img.chunks(3 * 4096, 12, [here, None, here + 1], [0, 0, 0]), "there": img.chunks(3 * 4096, 12, [here, 7, here], [0, 2, 0]),
            "reserved": img.chunks(4096, 12, [here], [0x100]), "far": img.chunks(4096, 12, [500007]),
            "flat": img.inode(0, stat.S_IFREG | 0o600, 100, 500999), "behind": img.inode(0, stat.S_IFREG | 0o600, 100, 501000)}
    files, notes, _ = look(img, img.directory(nids))
    hole = data[:4096] + bytes(4096) + data[4096:8192]
    ght.equal([files[p]["sha256"] for p in ("/here", "/reserved", "/there", "/far", "/flat", "/behind")],
              [ght.sha(hole), ght.sha(data[:4096])] + [None] * 4, "what lies on further devices is not read")
    words = [w for c, w in notes if c == "unsup"]
    ght.equal([sum(part in w for w in words) for part in ("lies on device 2", "lies on device 1", "behind the end of the first device")], [1, 2, 1],
              "what lies on further devices is told")
    raw = bytearray(img.finish(img.directory({"a": img.plain(b"a")})))
    struct.pack_into("<H", raw, 1024 + 88, 0xffff)
    told("a device table outside", bytes(raw), None, "short", "metadata lies behind")


def directory():
    """A compressed directory, and one in chunks."""
    for which in (LZMA, DEFLATE, ZSTD):
        img = Image()
        every = {f"a_name_that_is_rather_long_{i:04d}": img.plain(b"%d" % i) for i in range(150)}
        part = sorted(every)
        nid, data = len(img.meta) // 32, b""
        lists = [[(b".", None), (b"..", None)] + [(p.encode(), every[p]) for p in part[:60]], [(p.encode(), every[p]) for p in part[60:]]]
        for some in lists:
            at, heads, names = 12 * len(some), b"", b""
            for name, to in some:
                heads += struct.pack("<QHBB", nid if to is None else to, at + len(names), 2 if to is None else 1, 0)
                names += name
            data += (heads + names).ljust(4096, b"\0")
        stream, n = pack(which, data, 8192)
        blocks = -(-len(stream) // 4096)
        img.algorithms.add(which)
        x = [Extent(0, n, HEAD1, img.put(bytes(-len(stream) % 4096) + stream), blocks)]
        root = img.compressed(x, len(data), [which], mode=stat.S_IFDIR | 0o755)
        same(f"a directory packed with {NAMES[which]}", img, root, {p: b"%d" % i for i, p in enumerate(part)})
    img = Image()
    d = img.chunks(4096, 12, [img.put(bytes(4096))])
    struct.pack_into("<H", img.meta, 32 * d + 4, stat.S_IFDIR | 0o755)
    told("a directory in chunks", img, img.directory({"d": d}), "unsup", "in chunks")


def records():
    """Records of algorithms, and files whose algorithm the superblock does not name."""
    rng = random.Random(14)
    data = text(rng, 20000)

    def make():
        img = Image()
        return img, img.directory({"f": img.compressed(img.extents(data, [LZMA], random.Random(1), 1), len(data), [LZMA])})
    for record, code, words in ((struct.pack("<IH8x", 100, 0), "bad", "dictionary of 100 bytes"), (struct.pack("<IH8x", 9 << 20, 0), "bad", "dictionary"),
                                (struct.pack("<IH8x", 4096, 5), "unsup", "unknown format 5"), (b"x", "bad", "has 1 bytes")):
        img, root = make()
        img.config[LZMA] = record
        files = told(words, img, root, code, words)
        ght.equal(files["/f"]["sha256"], ght.sha(data), f"{words}: the file is read")
    img, root = make()
    img.algorithms.add(DEFLATE)
    img.config[DEFLATE] = struct.pack("<B5x", 16)
    told("a window of 2^16", img, root, "bad", "a window of 2^16 bytes")
    img, root = make()
    img.algorithms = {LZ4, ZSTD}
    files = told("not named", img, root, "bad", "LZMA, which the superblock does not name")
    ght.equal(files["/f"]["child"], None, "not named: not read")
    img, root = make()
    img.algorithms.add(9)
    img.config[9] = bytes(6)
    told("an unknown algorithm in the superblock", img, root, "unsup", "unknown compression algorithms")


def damage():
    """Packed bytes that change are told, or change nothing; the other files stay."""
    for which in (LZMA, DEFLATE, ZSTD):
        rng = random.Random(15)
        img, data = Image(9), text(rng, 6000)
        start = len(img.data)
        nid = img.compressed(img.extents(data, [which], rng, 1), len(data), [which])
        end = len(img.data)
        root = img.directory({"f": nid, "g": img.plain(b"other")})
        whole = img.finish(root)
        bad = []
        for at in range(start, end, 37):
            raw = bytearray(whole)
            raw[at] ^= 1 << at % 8
            files, notes, _ = look(bytes(raw), None)
            if files["/g"]["sha256"] != ght.sha(b"other") or (files["/f"]["sha256"] is None and not notes):
                bad.append(at)
        ght.equal(bad, [], f"changed packed bytes, {NAMES[which]}: {(end - start) // 37} places")
        for cut in (start + 100, end - 200):
            files, notes, _ = look(whole[:cut], None)
            ght.check(any(c == "short" for c, _ in notes), f"cut at {cut}: told", str(notes)[:200])


def seeds():
    """Small images of each kind, and the same with one thing wrong."""
    out = {}
    for name, which in (("lzma", [LZMA]), ("deflate", [DEFLATE]), ("zstd", [ZSTD]), ("two", [DEFLATE, LZMA])):
        rng = random.Random(16)
        img = Image(9, C_PLAIN_PREFIXES if name == "zstd" else 0)
        img.prefixes = [(6, b"sel")]
        table = img.prefix_table(img.prefixes)
        box = table + text(rng, 1500)
        img.packed = img.compressed(img.extents(box, which, rng, 2), len(box), which)
        img.prefix_at = img.put(table) << 9 if name == "zstd" else 0
        data = mixed(rng, 700) + text(rng, 1800)
        x = img.extents(data, which, rng, 1, True)
        nids = {"f": img.compressed(x, len(data), which, advise=INTERLACED), "w": img.whole_fragment(900, 30),
                "l": img.plain(b"l", xattrs=img.xattr(0x80, b"inux", b"u:object_r:x:s0\0"))}
        while x and x[-1].end - x[-1].at < 512:
            data = data[:x.pop().at]
        nids["t"] = img.tail_fragment(x, len(data) + 40, which, 7, False)
        c = img.extents(data, which[:1], rng, 1)
        nids["c"] = img.compressed(c, len(data), which[:1], True)
        if name == "two":
            nids["d"] = img.chunks(1024, 9, [img.put(b"chunk"), None], [0, 0])
            img.devices = [(b"more", 10, 100000)]
        out["packed_" + name] = img.finish(img.directory(nids))
    img = Image(9)
    img.packed = img.whole_fragment(3000, 0)
    out["bad_packed_loop"] = img.finish(img.directory({"f": img.whole_fragment(10, 0)}))
    img = Image(9)
    img.devices = [(b"more", 10, 100000)]
    out["bad_device"] = img.finish(img.directory({"f": img.chunks(1024, 9, [100001, None], [0, 1])}))
    img = Image(9)
    img.prefixes, img.prefix_at = [(6, b"sel")], 1 << 20
    out["bad_prefix"] = img.finish(img.directory({"f": img.plain(b"f", xattrs=img.xattr(0x80, b"inux", b"x"))}))
    for name, at in (("lzma", 5), ("deflate", 6), ("zstd", 7)):
        raw = bytearray(out["packed_" + name])
        raw[2000 + at:2040 + at] = bytes(40)
        raw[1024 + 128 + 2:1024 + 128 + 6] = b"\1\0\0\1"
        out["bad_packed_" + name] = bytes(raw)
    return out


def check_seeds():
    for name, data in seeds().items():
        ght.check(len(data) <= 16384 and (HERE / "seeds" / name).read_bytes() == data, f"seed {name} is as written")


def main():
    if sys.argv[1:] == ["--make-seeds"]:
        for name, data in seeds().items():
            (HERE / "seeds" / name).write_bytes(data)
        return
    algorithms()
    shared()
    fragments()
    packed_damage()
    prefixes()
    devices()
    directory()
    records()
    damage()
    check_seeds()
    ght.done()


if __name__ == "__main__":
    main()
