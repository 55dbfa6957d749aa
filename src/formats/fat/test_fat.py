#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""FAT12, FAT16 and FAT32 against mkfs.fat, mtools and fsck.fat: every name, time, attribute and byte."""
import lzma
import os
import pathlib
import random
import shutil
import struct
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "tests/lib"))
import ght  # noqa: E402
from fstree import mixed, put, text  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
ENV = dict(os.environ, TZ="UTC", LC_ALL="C.UTF-8", MTOOLS_SKIP_CHECK="1")
VARIANTS = [  # name, size in KiB, options of mkfs.fat, kind
    ("fat12", 4096, ["-F12"], "fat12"),
    ("fat12 floppy", 2880, ["-F12", "-s", "2", "-f", "1"], "fat12"),
    ("fat12 1K sectors", 8000, ["-F12", "-S", "1024"], "fat12"),
    ("fat16", 32768, ["-F16"], "fat16"),
    ("fat16 small clusters", 16384, ["-F16", "-s", "1", "-r", "1024"], "fat16"),
    ("fat16 2K sectors", 65536, ["-F16", "-S", "2048"], "fat16"),
    ("fat16 4K sectors", 65536, ["-F16", "-S", "4096", "-s", "1", "-R", "2"], "fat16"),
    ("fat32", 69632, ["-F32"], "fat32"),
    ("fat32 one table", 140000, ["-F32", "-s", "2", "-R", "40", "-f", "1"], "fat32"),
    ("fat32 4K sectors", 300000, ["-F32", "-S", "4096", "-s", "1"], "fat32"),
]


def mkfs(img, kib, *options):
    img.unlink(missing_ok=True)
    with open(img, "wb") as f:
        f.truncate(kib << 10)
    ght.run("mkfs.fat", "-i", "12345678", *options, img, env=ENV)
    return img


def copy(img, *sources, to="::"):
    ght.run("mcopy", "-s", "-m", "-Q", "-o", "-i", img, *sources, to, env=ENV)


def tree(root):
    rng = random.Random(7)
    for n in (0, 1, 511, 512, 513, 2047, 2048, 2049, 4096, 8192, 8193, 65537):
        put(root / f"T{n}.BIN", mixed(rng, n))
    put(root / "sizes/large file with a long name.bin", mixed(rng, 300001))
    names = ["a", "UPPER.TXT", "lower.txt", "Mixed.Txt", "two.dots.txt", ".hidden", "no ending", "x" * 255, "thirteen_chars", "twelve_chars", "UPPER.low",
             "low.UPP", "a+b,c;d=e[f]", "ümläut name.txt", "日本語の名前.txt", "12345678.123", "123456789.1234", "q" * 26, "w" * 39]
    for i, n in enumerate(names):
        put(root / "names" / n, b"%d" % i * i)
    deep = root / "deep"
    for i in range(12):
        deep = deep / f"d{i}"
    put(deep / "bottom", b"deep down\n")
    for i in range(300):
        put(root / "many" / f"a_rather_long_file_name_{i * 7919 % 100003:06d}", b"%d" % i)
    (root / "empty").mkdir()
    for i, t in enumerate((315532800, 1000000001, 1709164800, 1709208000, 4000000000)):  # 1980; 2024-02-29; 2096
        put(root / "times" / f"t{i}", b"t")
        os.utime(root / "times" / f"t{i}", (t, t))


def facts(root):
    """Paths to (size, time, digest), directories to None."""
    out = {}
    for d, dirs, files in os.walk(root):
        at = d[len(str(root)):]
        for n in dirs:
            out[f"{at}/{n}"] = None
        for n in files:
            p = pathlib.Path(d) / n
            st = p.stat()
            out[f"{at}/{n}"] = (st.st_size, int(st.st_mtime) & ~1, ght.sha(p.read_bytes()))
    return out


def look(img, only=None, paths=True):
    rows = ght.drive(img, only=only)
    blob = {r["blob"]: r["sha256"] for r in rows if r["table"] == "blobs" and "sha256" in r}
    files = {}
    for r in ght.rows(rows, "entries", blob=rows[0]["blob"]) if paths else []:
        path = ght.unescape(r["path"]).decode(errors="surrogateescape")
        if path in files:
            ght.check(False, "no path twice", path)
        files[path] = dict(r, sha256=blob.get(r["child"]))
    notes = [(r["code"], r["what"]) for r in ght.rows(rows, "notes") if r["plugin"] == "fat"]
    return files, notes, rows


def as_facts(files):
    return {p: None if f["ftype"] == "dir" else (f["size"], f["mtime"], f["sha256"] if f["size"] else ght.sha(b"")) for p, f in files.items()}


def differences(got, want):
    return [(p, got.get(p, "missing"), want.get(p, "not there")) for p in sorted(got.keys() | want.keys()) if got.get(p, 0) != want.get(p, 0)][:4]


def listed(img):
    """Paths as mdir lists them."""
    p = subprocess.run(["mdir", "-/", "-a", "-b", "-i", img, "::"], capture_output=True, env=ENV)
    out = p.stdout.decode()
    if p.returncode and b'File "::" not found' not in p.stderr:  # it is empty
        raise RuntimeError(p.stderr.decode())
    return {line[2:].rstrip("/") for line in out.splitlines() if line.startswith("::/") and line[2:].rstrip("/").rsplit("/", 1)[1] not in (".", "..")}


def blkid(img):
    out = ght.run("blkid", "-p", "-o", "export", img).decode()
    return dict(line.split("=", 1) for line in out.splitlines() if "=" in line)


def compare_super(name, img, rows, kind):
    fs, said = ght.rows(rows, "fs_info")[0], blkid(img)
    label = said.get("LABEL", said.get("LABEL_FATBOOT"))
    ours = ght.unescape(fs["label"])
    shown = ours and "".join(f"M-{chr(b - 128)}" if b > 127 else chr(b) for b in ours)  # as blkid shows letters above 127
    ght.equal((fs["kind"], fs["uuid"], shown), (kind, said.get("UUID"), label.replace("\\ ", " ") if label else None), f"{name}: as blkid prints it")
    ght.equal("FAT" + kind[3:], said.get("VERSION"), f"{name}: kind")


def variants(work, root, want):
    sources = sorted(root.iterdir())
    for name, kib, options, kind in VARIANTS:
        img = mkfs(work / "v.img", kib, "-n", "LABEL", *options)
        copy(img, *sources)
        files, notes, rows = look(img)
        ght.equal(differences(as_facts(files), want), [], f"{name}: every name, time and byte of {len(want)} files")
        ght.equal(notes, [], f"{name}: nothing to note")
        ght.equal(set(files), listed(img), f"{name}: names as mdir lists them")
        compare_super(name, img, rows, kind)
        ght.check(subprocess.run(["fsck.fat", "-n", img], capture_output=True).returncode == 0, f"{name}: fsck.fat finds nothing")
        whole = [f for f in files.values() if f["ftype"] == "file" and f["off"] is not None]
        with open(img, "rb") as raw:
            bad = [f["path"] for f in whole if ght.sha(os.pread(raw.fileno(), f["size"], f["off"])) != f["sha256"]]
        ght.check(len(whole) > 200 and not bad, f"{name}: {len(whole)} files lie where they are said to", str(bad[:3]))


def changes(work):
    """Deleted files, content in pieces, attributes of DOS."""
    rng, pieces = random.Random(3), 0
    for kib, options in ((4096, ["-F12"]), (32768, ["-F16"]), (69632, ["-F32", "-s", "1"])):
        img = mkfs(work / "c.img", kib, *options)
        for i in range(12):
            put(work / "c" / f"f{i}", rng.randbytes(5000 + i))
        copy(img, *sorted((work / "c").iterdir()))
        ght.run("mdel", "-i", img, *[f"::f{i}" for i in range(0, 12, 2)], env=ENV)
        put(work / "big of many pieces", rng.randbytes(40000))
        copy(img, work / "big of many pieces")
        put(work / "a long name that goes", b"x")
        copy(img, work / "a long name that goes")
        ght.run("mdel", "-i", img, "::a long name that goes", env=ENV)
        for flag, n in (("+h", 1), ("+s", 3), ("+r", 5)):
            ght.run("mattrib", flag, "-i", img, f"::f{n}", env=ENV)
        ght.run("mattrib", "+h", "+s", "+r", "-i", img, "::f7", env=ENV)
        files, notes, rows = look(img)
        want = {f"/f{i}": ght.sha((work / "c" / f"f{i}").read_bytes()) for i in range(1, 12, 2)}
        want["/big of many pieces"] = ght.sha((work / "big of many pieces").read_bytes())
        ght.equal({p: f["sha256"] for p, f in files.items()}, want, f"{options[0]}: what is left")
        ght.equal(notes, [], f"{options[0]}: nothing to note")
        raw = img.read_bytes()
        g = Geometry(raw)
        entry = raw.index(b"BIGOFM~1", g.root)
        chain = g.chain(raw, struct.unpack_from("<H", raw, entry + 26)[0])
        one = chain == list(range(chain[0], chain[0] + len(chain)))
        ght.equal(files["/big of many pieces"]["off"], g.at(chain[0]) if one else None, f"{options[0]}: where it lies, if that is one place")
        pieces += not one
        seen = ght.rows(rows, "archive_facts")
        ght.equal({(r["name"], r["value"]) for r in seen if r["kind"] == "attributes"}, {("/f1", "hidden"), ("/f3", "system"), ("/f7", "hidden system")},
                  f"{options[0]}: attributes")
        ght.equal([files[f"/f{n}"]["mode"] for n in (1, 5, 7)], [0o644, 0o444, 0o444], f"{options[0]}: read only")
        count = [int(r["value"]) for r in seen if r["kind"] == "deleted"]
        ght.equal(count, [deleted(raw)], f"{options[0]}: deleted entries are counted")
        ght.check(count[0] >= 1, f"{options[0]}: there are some", str(count))
    ght.check(pieces > 0, "files in pieces were met")


def surrogates(work):
    """Pairs of them, which mtools does not write, and half a pair."""
    img = mkfs(work / "p.img", 1440)
    for n in ("AB is a pair.txt", "CB is a half.txt"):
        put(work / n, b"x")
        copy(img, work / n)
    raw = bytearray(img.read_bytes())
    for old, new in (("AB is", b"\x3d\xd8\x00\xde"), ("CB is", b"C\0\x00\xde")):
        at = raw.index(old.encode("utf-16-le"))
        raw[at:at + 4] = new
    _, notes, rows = look_bytes(work, bytes(raw), False)
    ght.equal(([ght.unescape(r["path"]) for r in ght.rows(rows, "entries")], notes), (["/\U0001f600 is a pair.txt".encode(), b"/C\xed\xb8\x80 is a half.txt"], []),
              "surrogates in a long name")


def code_page(work):
    """A short name with letters above 127 stays as it is stored: nothing tells their code page (mtools writes 850)."""
    img = mkfs(work / "p.img", 1440)
    put(work / "ümläut.txt", b"x")
    copy(img, work / "ümläut.txt")
    rows = ght.drive(img, only="fat")
    ght.equal([ght.unescape(r["path"]) for r in ght.rows(rows, "entries")], [b"/\x9aml\x8eut.txt"], "letters above 127 in a short name")


class Geometry:
    """Where things lie, by the specification."""

    def __init__(self, raw):
        self.sector, per, reserved, self.tables, entries, few = struct.unpack_from("<HBHBHH", raw, 11)
        table = struct.unpack_from("<H", raw, 22)[0] or struct.unpack_from("<I", raw, 36)[0]
        self.wide = not struct.unpack_from("<H", raw, 22)[0]
        self.table, self.table_len, self.cluster = reserved * self.sector, table * self.sector, per * self.sector
        self.root = self.table + self.tables * self.table_len
        self.data = self.root + -(-entries * 32 // self.sector) * self.sector
        self.root_len = entries * 32
        if self.wide:
            self.root, self.root_len = self.at(struct.unpack_from("<I", raw, 44)[0]), self.cluster
        sectors = few or struct.unpack_from("<I", raw, 32)[0]
        self.bits = 32 if self.wide else 12 if (sectors - self.data // self.sector) // per < 4085 else 16

    def at(self, cluster):
        return self.data + (cluster - 2) * self.cluster

    def chain(self, raw, cluster):
        """The clusters of a file."""
        out = []
        while 2 <= cluster < 0xfff8 >> (4 * (self.bits == 12)):
            out.append(cluster)
            at = self.table + cluster * self.bits // 8
            cluster = struct.unpack_from("<H", raw, at)[0]
            if self.bits == 12:
                cluster = cluster >> 4 if out[-1] & 1 else cluster & 0xfff
        return out

    def link(self, raw, cluster, value):
        """Edits that set a cluster's entry in every table."""
        out = []
        for t in range(self.tables):
            at = self.table + t * self.table_len + cluster * self.bits // 8
            if self.bits == 12:
                old = struct.unpack_from("<H", raw, at)[0]
                value12 = (old & 0xf | (value & 0xfff) << 4) if cluster & 1 else (old & 0xf000 | value & 0xfff)
                out.append((at, struct.pack("<H", value12)))
            else:
                out.append((at, struct.pack("<H" if self.bits == 16 else "<I", value & (0xffff if self.bits == 16 else 0xfffffff))))
        return out


def deleted(raw):
    """Deleted entries in the root directory before its end (what follows the first cluster of a FAT32 root is followed, too)."""
    g, n = Geometry(raw), 0
    at, c = g.root, struct.unpack_from("<I", raw, 44)[0]
    while True:
        for i in range(at, at + g.root_len, 32):
            if not raw[i]:
                return n
            n += raw[i] == 0xe5
        if not g.wide:
            return n
        c = struct.unpack_from("<I", raw, g.table + 4 * c)[0] & 0xfffffff
        if c >= 0xffffff8:
            return n
        at = g.at(c)


def expect(work, raw, edits, code, words, name, fsck=True):
    data = bytearray(raw)
    for at, value in edits:
        data[at:at + len(value)] = value
    img = work / "p.img"
    img.write_bytes(data)
    files, notes, _ = look(img, only="fat")
    ght.check(any(c == code and words in w for c, w in notes), f"{name}: noted", str(notes)[:300])
    if fsck:
        ght.check(subprocess.run(["fsck.fat", "-n", img], capture_output=True).returncode != 0, f"{name}: fsck.fat finds it too")
    return files


def small(work, kib, *options):
    root = work / "small"
    if not root.exists():
        put(root / "ONE.BIN", text(random.Random(1), 9000))
        put(root / "TWO.BIN", text(random.Random(2), 9000))
        put(root / "dir/a long name for a file", b"three")
        put(root / "dir/SUB/FOUR", b"four")
    img = mkfs(work / "d.img", kib, *options)
    copy(img, *sorted(root.iterdir()))
    return img.read_bytes()


def damage(work):
    for kib, options in ((2048, ["-F12", "-s", "1"]), (16384, ["-F16", "-s", "4"]), (69632, ["-F32", "-s", "1"])):
        raw, kind = small(work, kib, *options), options[0]
        g = Geometry(raw)
        good = look_bytes(work, raw)[0]
        entry = {n: raw.index(n, g.root) for n in (b"ONE     BIN", b"TWO     BIN", b"DIR        ", b"FOUR       ", b"SUB        ")}
        first = {n: struct.unpack_from("<H", raw, at + 26)[0] | struct.unpack_from("<H", raw, at + 20)[0] << 16 for n, at in entry.items()}
        one, two, dirs = (first[n] for n in (b"ONE     BIN", b"TWO     BIN", b"DIR        "))
        size = lambda v: struct.pack("<I", v)  # noqa: E731
        cluster = lambda at, v: [(at + 26, struct.pack("<H", v & 0xffff)), (at + 20, struct.pack("<H", v >> 16))]  # noqa: E731
        check = lambda edits, words, name, **kw: expect(work, raw, edits, kw.pop("code", "bad"), words, f"{kind}: {name}", **kw)  # noqa: E731
        files = check(g.link(raw, one, one), "a loop at cluster", "a chain that leads to itself")
        ght.equal((files["/TWO.BIN"]["sha256"], "/dir/SUB/FOUR" in files), (good["/TWO.BIN"]["sha256"], True), f"{kind}: the rest is read")
        check(g.link(raw, one + 1, one), "a loop at cluster", "a longer loop")
        check(g.link(raw, two, one + 1), "belongs to another file", "a chain that runs into another")
        check(cluster(entry[b"TWO     BIN"], one), "belongs to another file", "two files with one beginning")
        files = check(g.link(raw, one, 0), "which is free", "a chain that leads to a free cluster")
        ght.equal(files["/ONE.BIN"]["child"], None, f"{kind}: a chain that leads to a free cluster: not read")
        check(g.link(raw, one, 1), "which is none", "a chain that leads to no cluster", fsck=False)
        check(g.link(raw, one, 0xffffff7), "marked bad", "a chain that leads to a bad cluster")
        check(g.link(raw, one, 0xfffffff), "ends after", "a chain that is too short")
        check([(entry[b"ONE     BIN"] + 28, size(1))], "and needs 1", "a chain that is too long")
        check([(entry[b"ONE     BIN"] + 28, size(0xffffffff))], "ends after", "a size that is too large")
        check(cluster(entry[b"ONE     BIN"], 0xffffff0 if g.wide else 0xfff0), "which is none", "a first cluster that is none")
        check(cluster(entry[b"SUB        "], dirs), "directory /dir/SUB", "a directory in itself")
        check([(g.at(dirs) + 26, struct.pack("<H", 99))], "'.' of a directory", "'.' that leads elsewhere")
        check([(g.at(dirs) + 32 + 26, struct.pack("<H", 99))], "'..' of a directory", "'..' that leads elsewhere")
        if g.tables > 1:
            check([(g.table + g.table_len + 50, b"\1\2\3\4")], "copy 1 of the table differs", "copies that differ", fsck=False)
        at = next(i for i in range(g.at(dirs), g.at(dirs) + g.cluster, 32) if raw[i + 11] == 15)
        names = (raw[at] & 0x3f) * 32 + at
        files = check([(at + 13, bytes([raw[at + 13] ^ 1]))], "not in order", "a checksum that differs within a name", fsck=False)
        ght.check("/dir/a long name for a file" not in files and any(p.startswith("/dir/ALONG") for p in files), f"{kind}: the short name is used", str(list(files)))
        check([(i + 13, bytes([raw[at + 13] ^ 1])) for i in range(at, names, 32)], "belongs to another short one", "a checksum of another name", fsck=False)
        check([(at, b"\x43")], "not in order", "a name that begins too high", fsck=False)
        check([(at, b"\x40")], "impossible length", "a name of no entries", fsck=False)
        check([(names, b"\xe5")], "has no short one", "a name whose file was deleted", fsck=False)
        slash = [(names - 32 + 3, b"/\0")]
        check(slash, "impossible name", "a long name with a slash", fsck=False)
        check([(entry[b"FOUR       "], b"FO/R")], "impossible name", "a short name with a slash")
        img = work / "p.img"
        img.write_bytes(raw[:g.at(two) + 100])
        files, notes, _ = look(img, only="fat")
        ght.check(any(c == "short" and "image ends here" in w for c, w in notes) and any(c == "short" and "TWO" in w for c, w in notes), f"{kind}: cut short: noted",
                  str(notes)[:200])
        ght.equal((files["/ONE.BIN"]["sha256"], files["/TWO.BIN"]["child"]), (good["/ONE.BIN"]["sha256"], None), f"{kind}: cut short: what is there is read")
        if g.wide:
            swap = bytearray(raw)
            swap[g.table:g.table + g.table_len] = bytes(g.table_len)
            swap[40] = 0x81
            files, notes, _ = look_bytes(work, bytes(swap))
            ght.equal((notes, files["/ONE.BIN"]["sha256"]), ([], good["/ONE.BIN"]["sha256"]), "the second table is used where the first is not")
            check([(42, b"\1")], "FAT32 version", "another version", code="unsup", fsck=False)
            check([(44, b"\0\0\0\0")], "which is none", "a root directory that is nowhere", fsck=False)
        random_damage(work, raw, g, kind)


def look_bytes(work, raw, paths=True):
    (work / "p.img").write_bytes(raw)
    return look(work / "p.img", only="fat", paths=paths)


def random_damage(work, raw, g, kind):
    bad = []
    for seed in range(25):
        rng = random.Random(seed)
        data = bytearray(raw)
        for _ in range(rng.randrange(1, 6)):
            at = rng.choice([rng.randrange(11, 90), g.table + rng.randrange(200), g.root + rng.randrange(512), g.data + rng.randrange(4096)])
            data[at] = rng.randrange(256)
        first, second = look_bytes(work, bytes(data)), look_bytes(work, bytes(data))
        if first != second:
            bad.append(seed)
    ght.equal(bad, [], f"{kind}: 25 images with random damage, the same twice")


def many(work):
    root = work / "many"
    rng = random.Random(21)
    for i in range(5200):
        put(root / f"d{i // 500}" / f"file_{i * 7919 % 100003:06d}.dat", text(rng, rng.randrange(0, 700)))
    img = mkfs(work / "m.img", 80000, "-F32", "-s", "2")
    copy(img, *sorted(root.iterdir()))
    files, notes, _ = look(img)
    ght.equal((differences(as_facts(files), facts(root)), notes), ([], []), "5,200 files: every name, time and byte")
    shutil.rmtree(root)


def corpus(work):
    d = ght.corpus("utillinux_blkid")
    for p in sorted((d / "tests/ts/blkid/images-fs").glob("*fat*.img.xz")) if d else []:
        if p.name.startswith("exfat"):
            continue
        img = work / p.name[:-3]
        img.write_bytes(lzma.decompress(p.read_bytes()))
        files, notes, rows = look(img)
        name = f"blkid {p.name[:-7]}"
        said = blkid(img)
        compare_super(name, img, rows, said["VERSION"].lower())
        whole = ght.rows(rows, "fs_info")[0]["size"] <= img.stat().st_size
        if whole:
            ght.equal(set(files), listed(img), f"{name}: names as mdir lists them")
        ght.check(whole or any(c == "short" for c, _ in notes), f"{name}: read, or told to be cut", str(notes)[:200])
        img.unlink()
    for p in [d / "tests/ts/blkid/images-fs/exfat.img.xz", d / "tests/ts/blkid/images-fs/ntfs.img.xz"] if d else []:
        if p.exists():
            _, _, rows = look_bytes(work, lzma.decompress(p.read_bytes()))
            ght.equal(ght.rows(rows, "fs_info"), [], f"{p.name[:-7]} is none")


def seeds():
    for path in sorted((HERE / "seeds").iterdir()):
        rows = ght.drive(path, only="fat")
        bad = [r for r in ght.rows(rows, "blob_runs") if r["plugin"] == "fat" and r["status"] != "ok"]
        ght.equal(bool(bad), path.name.startswith("bad_"), f"seed {path.name}")


def make_seeds():
    """Writes the seeds anew: the beginning of small file systems; what is cut off is not part of any file."""
    work, to = ght.tmp(), HERE / "seeds"
    to.mkdir(exist_ok=True)
    root = work / "s"
    put(root / "A.TXT", b"short\n")
    put(root / "dir/a long ünusual name", text(random.Random(1), 700))
    put(root / "dir/SUB/FOUR", b"four")
    put(root / "B.BIN", text(random.Random(2), 1500))
    for p in [*root.rglob("*"), root]:
        os.utime(p, (1000000000, 1000000000))
    for name, kib, options in (("fat12", 64, ["-F12", "-s", "1", "-r", "16", "-f", "2"]), ("fat12_one_table", 64, ["-F12", "-s", "2", "-r", "16", "-f", "1"])):
        img = mkfs(work / name, kib, "-n", "SEED", *options)
        copy(img, *sorted(root.iterdir()))
        ght.run("mdel", "-i", img, "::A.TXT", env=ENV)
        data = bytearray(img.read_bytes()[:16384])  # mkfs.fat makes none so small
        struct.pack_into("<H", data, 19, 32)
        (to / name).write_bytes(data)
    raw = (to / "fat12").read_bytes()
    g = Geometry(raw)
    b = raw.index(b"B       BIN", g.root)
    first = struct.unpack_from("<H", raw, b + 26)[0]
    d = struct.unpack_from("<H", raw, raw.index(b"DIR        ", g.root) + 26)[0]
    lfn = next(i for i in range(g.at(d), g.at(d) + g.cluster, 32) if raw[i + 11] == 15)
    for name, edits in (("loop", g.link(raw, first + 1, first)), ("free", g.link(raw, first, 0)), ("size", [(b + 28, b"\xff" * 4)]),
                        ("name", [(lfn, b"\x46")]), ("copies", [(g.table + g.table_len + 9, b"\7")]), ("cross", [(b + 26, struct.pack("<H", d))])):
        data = bytearray(raw)
        for at, value in edits:
            data[at:at + len(value)] = value
        (to / f"bad_{name}").write_bytes(data)
    # A FAT32 of one sector a table: fewer clusters than the specification allows, as tools of makers write it.
    wide = bytearray(16 * 512)
    struct.pack_into("<3s8sHBHBHHBHHHII", wide, 0, b"\xeb\x58\x90", b"seed    ", 512, 1, 2, 1, 0, 0, 0xf8, 0, 1, 1, 0, 16)
    struct.pack_into("<IHHIHH12xBBBI11s8s", wide, 36, 1, 0, 0, 2, 0, 0, 0x80, 0, 0x29, 77, b"WIDE       ", b"FAT32   ")
    wide[510:512] = b"\x55\xaa"
    struct.pack_into("<IIIII", wide, 1024, 0xffffff8, 0xfffffff, 0xfffffff, 4, 0xfffffff)
    wide[1536:1536 + 32] = struct.pack("<11sBBBHHHHHHHI", b"FILE    TXT", 0x20, 0x18, 0, 0, 0, 0, 0, 0, 0x2a21, 3, 700)
    wide[2048:2048 + 700] = text(random.Random(5), 700)
    (to / "fat32").write_bytes(wide)
    wide[44] = 9
    (to / "bad_root").write_bytes(wide)
    (to / "bad_cut").write_bytes(raw[:g.at(first) + 100])


def main():
    if sys.argv[1:] == ["--make-seeds"]:
        return make_seeds()
    for tool in ("mkfs.fat", "fsck.fat", "mcopy"):
        if not shutil.which(tool):
            ght.skip("fat", f"{tool} is not installed (dosfstools, mtools)")
            ght.done()
    work = ght.tmp()
    root = work / "tree"
    root.mkdir()
    tree(root)
    variants(work, root, facts(root))
    changes(work)
    surrogates(work)
    code_page(work)
    damage(work)
    many(work)
    corpus(work)
    seeds()
    ght.done()


main()
