#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The zip reader against zip, 7z and Python's zipfile; hostile archives, made here field by field, against what they must show."""
import hashlib
import os
import pathlib
import struct
import sys
import zipfile
import zlib

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "tests/lib"))
import ght  # noqa: E402

T = ght.tmp()


def esc(name):
    """As the drive tool shows bytes: valid UTF-8 passes, but for control characters."""
    if isinstance(name, str):
        name = name.encode()
    out = []
    for ch in name.decode("utf-8", "surrogateescape"):
        b = ch.encode("utf-8", "surrogateescape")
        out.append(ch if "\udc80" > ch >= " " != "\x7f" or ch > "\udcff" else "".join(f"\\x{x:02x}" for x in b))
    return "".join(out)


def save(name, data):
    p = T / name
    p.write_bytes(data)
    return p


def look(path):
    """The zip blob's members [(name, size, sha256 or None)], facts and notes."""
    rows = ght.drive(path, only="zip")
    top = ght.rows(rows, "members", blob=1)[0]["child"]
    blobs = {r["blob"]: r for r in rows if r["table"] == "blobs" and r.get("sha256")}
    members = [(r["name"], r["size"], blobs.get(r["child"], {}).get("sha256")) for r in ght.rows(rows, "members", blob=top)]
    return members, ght.rows(rows, "zip_facts", blob=top), ght.rows(rows, "notes", blob=top)


def kinds(facts, name=None):
    return sorted(f["kind"] for f in facts if name is None or f["name"] == name)


def reference(path):
    """What Python's zipfile reads: [(raw name, size, sha256 or None where it refuses)]."""
    out = []
    with zipfile.ZipFile(path) as z:
        for i in z.infolist():
            raw = i.orig_filename.encode("utf-8" if i.flag_bits & 0x800 else "cp437")
            try:
                digest = ght.sha(z.read(i))
            except Exception:
                digest = None
            out.append((esc(raw), i.file_size, digest))
    return out


def same(path, label, order=None):
    """Names, order, sizes and bytes as Python's zipfile has them."""
    got, _, notes = look(path)
    want = reference(path)
    ok = ght.equal([m[:2] for m in got], [m[:2] for m in want], f"{label}: names and sizes")
    if ok:
        bad = [(g, w) for g, w in zip(got, want) if w[2] and g[2] != w[2]]
        ght.equal(bad, [], f"{label}: bytes")
    return notes


# ---- archives of the reference tools ----
def tree():
    d = T / "tree"
    (d / "sub/deep").mkdir(parents=True)
    (d / "empty").mkdir()
    (d / "a.txt").write_bytes(b"hello\n" * 1000)
    (d / "zero").write_bytes(b"")
    (d / "sub/random").write_bytes(os.urandom(300000))
    (d / "sub/deep/zeros").write_bytes(bytes(5 << 20))
    (d / "sub/\u00e4\u00f6\u00fc \u65e5\u672c.txt").write_bytes(b"name\n")
    (d / "one").write_bytes(b"x")
    os.symlink("../a.txt", d / "sub/link")
    return d


def reference_tools():
    d = tree()
    runs = {"store": ["zip", "-q", "-r", "-0"], "deflate": ["zip", "-q", "-r", "-6"], "best": ["zip", "-q", "-r", "-9"],
            "symlinks": ["zip", "-q", "-r", "-y"], "zip64": ["zip", "-q", "-r", "-fz"], "nodirs": ["zip", "-q", "-r", "-D"],
            "noextra": ["zip", "-q", "-r", "-X"]}
    for name, argv in runs.items():
        p = T / f"{name}.zip"
        ght.run(*argv, p, ".", cwd=d)
        notes = same(p, f"zip {name}")
        ght.equal(notes, [], f"zip {name}: no notes")
    ght.equal(kinds(look(T / "deflate.zip")[1]), [], "zip deflate: no facts")
    (T / "stream.zip").write_bytes(ght.run("zip", "-q", "-r", "-", ".", cwd=d))
    ght.equal(same(T / "stream.zip", "data descriptors"), [], "data descriptors: no notes")
    ght.equal(kinds(look(T / "stream.zip")[1]), [], "data descriptors: no facts")
    ght.run("zip", "-q", "-z", T / "deflate.zip", input=b"a comment\nof two lines")
    facts = look(T / "deflate.zip")[1]
    ght.equal([(f["kind"], f["central"].replace("\\x0d", "").replace("\\x0a", "|")) for f in facts],
              [("comment", "a comment|of two lines")], "archive comment")
    same(T / "deflate.zip", "commented")
    ght.run("7z", "a", "-bd", "-mx=5", T / "seven.zip", ".", cwd=d)
    ght.equal(same(T / "seven.zip", "7z"), [], "7z: no notes")
    prefix = b"#!/bin/sh\nexit 0\n" * 40
    ght.run("zip", "-q", "-r", T / "plain.zip", ".", cwd=d)
    save("prefix.zip", prefix + (T / "plain.zip").read_bytes())
    same(T / "prefix.zip", "prefix, offsets not adjusted")
    ght.equal([(f["kind"], f["central"], f["local"]) for f in look(T / "prefix.zip")[1]],
              [("base", str(len(prefix)), None), ("gap", "0", str(len(prefix)))], "prefix: facts")
    ght.run("zip", "-q", "-A", T / "prefix.zip")
    same(T / "prefix.zip", "prefix, offsets adjusted")
    ght.equal([(f["kind"], f["central"], f["local"]) for f in look(T / "prefix.zip")[1]],
              [("gap", "0", str(len(prefix)))], "prefix adjusted: facts")
    encrypted(d)
    methods(d)
    unzip_agrees(d)


def unzip_agrees(d):
    """unzip and zipinfo, as a second opinion on one archive: names, sizes, CRC-32 of what we unpack."""
    p = T / "plain.zip"
    want = []
    for line in ght.run("unzip", "-v", "-qq", p).decode().splitlines():
        f = line.split(None, 7)
        want.append((f[7], int(f[0]), f[6]))
    got = []
    for name, size, _ in look(p)[0]:
        data = ght.cat(p, name) if not name.endswith("/") else b""
        got.append((name, size, f"{zlib.crc32(data):08x}"))
    ght.equal(got, want, "unzip -v: names, sizes and CRC-32")
    ght.equal([esc(n) for n in ght.run("zipinfo", "-1", p).decode().splitlines()], [m[0] for m in got], "zipinfo -1: names")
    for name in ("a.txt", "sub/random", "sub/deep/zeros"):
        ght.equal(ght.cat(p, name), ght.run("unzip", "-p", p, name), f"unzip -p {name}")


def encrypted(d):
    p = T / "crypt.zip"
    ght.run("zip", "-q", "-r", "-P", "secret", p, "a.txt", "sub/random", cwd=d)
    members, facts, notes = look(p)
    ght.equal([m[0] for m in members], ["a.txt", "sub/random"], "encrypted: listed")
    ght.equal([m[2] for m in members], [None, None], "encrypted: not read")
    ght.equal(kinds(facts), ["encrypted", "encrypted"], "encrypted: facts")
    ght.equal([n["code"] for n in notes], ["unsup", "unsup"], "encrypted: notes")
    p = T / "aes.zip"
    ght.run("7z", "a", "-bd", "-psecret", "-mem=AES256", p, "a.txt", cwd=d)
    members, facts, notes = look(p)
    ght.equal((members[0][2], kinds(facts), [n["code"] for n in notes]), (None, ["encrypted"], ["unsup"]), "AES: not read, noted")


def methods(d):
    for method in ("BZip2", "LZMA", "Deflate64", "PPMd"):
        p = T / f"{method}.zip"
        ght.run("7z", "a", "-bd", f"-mm={method}", p, "a.txt", cwd=d)
        members, _, notes = look(p)
        ght.equal((members[0][:2], members[0][2], [n["code"] for n in notes]), (("a.txt", 6000), None, ["unsup"]),
                  f"method {method}: listed, not read, noted")


# ---- hand-made archives ----
class Made:
    """An archive put together field by field."""

    def __init__(self, prefix=b""):
        self.body = bytearray(prefix)
        self.central = bytearray()
        self.n = 0

    def add(self, name, data, method=8, central=None, local=None, extra=b"", packed=None, at=None, tail=b"", cextra=b""):
        """central and local override fields: name method flags crc csize size off."""
        if packed is None:
            c = zlib.compressobj(9, zlib.DEFLATED, -15)
            packed = c.compress(data) + c.flush() if method == 8 else data
        f = {"name": name, "method": method, "flags": 0, "crc": zlib.crc32(data), "csize": len(packed), "size": len(data)}
        lo, ce = dict(f, **(local or {})), dict(f, **(central or {}))
        off = len(self.body) if at is None else at
        if at is None:
            self.body += struct.pack("<IHHHHHIIIHH", 0x04034b50, 20, lo["flags"], lo["method"], 0, 0x5821, lo["crc"],
                                     lo["csize"], lo["size"], len(lo["name"]), len(extra)) + lo["name"] + extra + packed + tail
        self.central += struct.pack("<IHHHHHHIIIHHHHHII", 0x02014b50, 20, 20, ce["flags"], ce["method"], 0, 0x5821, ce["crc"],
                                    ce["csize"], ce["size"], len(ce["name"]), len(cextra), 0, 0, 0, 0, ce.get("off", off)) \
            + ce["name"] + cextra
        self.n += 1
        return off

    def end(self, comment=b"", gap=b"", n=None, off=None, size=None, behind=b""):
        self.body += gap
        at = len(self.body)
        size = len(self.central) if size is None else size
        return bytes(self.body + self.central + struct.pack("<IHHHHIIH", 0x06054b50, 0, 0, self.n if n is None else n,
                     self.n if n is None else n, size, at if off is None else off, len(comment)) + comment + behind)

    def end64(self, far=None):
        at = len(self.body) if far is None else far
        body = bytes(self.body + self.central)
        where = at + len(self.central)
        return body + struct.pack("<IQHHIIQQQQ", 0x06064b50, 44, 45, 45, 0, 0, self.n, self.n, len(self.central), at) \
            + struct.pack("<IIQI", 0x07064b50, 0, where, 1) + struct.pack("<IHHHHIIH", 0x06054b50, 0xffff, 0xffff, 0xffff,
                                                                          0xffff, 0xffffffff, 0xffffffff, 0)


TEXT = b"The quick brown fox jumps over the lazy dog. " * 20


def disagreements():
    crc = zlib.crc32(TEXT)
    cases = {
        "name": ({"local": {"name": b"b.txt"}}, [("name", "a.txt", "b.txt")]),
        "crc": ({"local": {"crc": 0x11223344}}, [("crc", f"{crc:08x}", "11223344")]),
        "csize": ({"local": {"csize": 7}}, None),
        "size": ({"local": {"size": 7}}, [("size", str(len(TEXT)), "7")]),
        "method": ({"local": {"method": 0}}, [("method", "8", "0")]),
        "flags": ({"local": {"flags": 0x800}}, [("flags", "0000", "0800")]),
    }
    for kind, (over, want) in cases.items():
        m = Made()
        m.add(b"a.txt", TEXT, **over)
        m.add(b"z", b"last", 0)
        members, facts, _ = look(save(f"dis_{kind}.zip", m.end()))
        ght.equal(members, [("a.txt", len(TEXT), ght.sha(TEXT)), ("z", 4, ght.sha(b"last"))], f"{kind}: the directory decides")
        ght.equal(kinds(facts), [kind], f"{kind}: one fact")
        if want:
            ght.equal([(f["kind"], f["central"], f["local"]) for f in facts], want, f"{kind}: both values")
    m = Made()
    m.add(b"a.txt", TEXT, local={"flags": 8, "crc": 0, "csize": 0, "size": 0}, central={"flags": 8},
          tail=struct.pack("<III", crc ^ 1, 0, 0)[:0] + struct.pack("<IIII", 0x08074b50, crc ^ 1, 5, 6))
    _, facts, _ = look(save("descriptor.zip", m.end()))
    ght.equal(kinds(facts), ["crc", "csize", "size"], "a data descriptor that contradicts")
    for signed in (True, False):
        for wide in (True, False):
            m = Made()
            c = zlib.compressobj(9, zlib.DEFLATED, -15)
            packed = c.compress(TEXT) + c.flush()
            d = (b"PK\7\10" if signed else b"") + struct.pack("<IQQ" if wide else "<III", crc, len(packed), len(TEXT))
            m.add(b"a.txt", TEXT, local={"flags": 8, "crc": 0, "csize": 0, "size": 0}, central={"flags": 8}, tail=d)
            m.add(b"b", b"b", 0)
            members, facts, notes = look(save("dd.zip", m.end()))
            ght.equal((len(members), facts, notes), (2, [], []), f"data descriptor, signature {signed}, 64 bits {wide}")


def oddities():
    m = Made()
    m.add(b"a", TEXT)
    first = m.add(b"dup", b"one", 0)
    second = m.add(b"dup", b"two", 0)
    members, facts, _ = look(save("dup.zip", m.end()))
    ght.equal([x[2] for x in members[1:]], [ght.sha(b"one"), ght.sha(b"two")], "duplicate: both are read")
    ght.equal([(f["kind"], f["name"], f["central"], f["local"]) for f in facts], [("duplicate", "dup", str(second), str(first))],
              "duplicate: fact")
    m = Made()
    m.add(b"a", TEXT)
    at = len(m.body)
    members, facts, notes = look(save("gap.zip", m.end(gap=b"x" * 16 + b"APK Sig Block 42")))
    ght.equal([(f["kind"], f["at"], f["central"], f["local"]) for f in facts], [("gap", at, str(at), "32")], "gap: offset and size")
    ght.equal(notes, [], "gap: no note")
    hidden = Made()
    hidden.add(b"hidden", TEXT)
    m = Made()
    m.add(b"a", TEXT)
    _, facts, _ = look(save("hidden.zip", m.end(gap=bytes(hidden.body))))
    ght.equal([(f["kind"], f["name"]) for f in facts], [("gap", "hidden")], "a member outside the directory is a gap with a name")
    for name in (b"../../etc/passwd", b"/etc/passwd", b"a/../b", b"..\\x", b"C:\\x", b"a\0b"):
        m = Made()
        m.add(name, b"x", 0)
        members, facts, _ = look(save("trav.zip", m.end()))
        ght.equal((kinds(facts), members[0][0]), (["traversal"], esc(name)), f"traversal: {name!r}")
    for name in (b"a..b/c", b"...", b"a/..b", b"xy:z", b"1:"):
        m = Made()
        m.add(name, b"x", 0)
        ght.equal(kinds(look(save("notrav.zip", m.end()))[1]), [], f"no traversal: {name!r}")
    m = Made()
    a = m.add(b"a", TEXT)
    m.add(b"over", TEXT, central={"name": b"over"}, at=a)
    _, facts, _ = look(save("overlap.zip", m.end()))
    ght.equal(kinds(facts), ["name", "overlap"], "two names for one member overlap")
    m = Made()
    m.add(b"a", b"1", 0)
    m.add(b"b", b"2", 0)
    rec = len(m.central) // 2
    m.central = m.central[rec:] + m.central[:rec]
    members, facts, _ = look(save("order.zip", m.end()))
    ght.equal(([x[0] for x in members], kinds(facts)), (["b", "a"], ["order"]), "order of the directory differs")
    _, facts, notes = look(save("trail.zip", Made().end() + b""))
    ght.equal((facts, notes), ([], []), "an empty archive")
    m = Made()
    m.add(b"a", b"1", 0)
    data = m.end(behind=b"trailing")
    members, facts, _ = look(save("trailing.zip", data))
    ght.equal(([x[0] for x in members], [(f["kind"], f["at"], f["local"]) for f in facts]),
              (["a"], [("gap", len(data) - 8, "8")]), "bytes behind the archive")
    inner = Made()
    inner.add(b"inner", b"2", 0)
    m = Made()
    m.add(b"outer", b"1", 0)
    base = len(m.body) + len(m.central) + 22
    inner_bytes = Made(bytes(base))
    inner_bytes.add(b"inner", b"2", 0)
    members, facts, _ = look(save("twoends.zip", m.end(comment=inner_bytes.end()[base:])))
    ght.equal(([x[0] for x in members], "end" in kinds(facts)), (["inner"], True), "an archive in the comment: the last end counts, a fact")
    m = Made()
    m.add(b"a", b"1", 0)
    _, _, notes = look(save("count.zip", m.end(n=5)))
    ght.equal([n["code"] for n in notes], ["bad"], "the end record's count is wrong")


def lies():
    crc = zlib.crc32(TEXT)
    n = len(TEXT)
    c = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = c.compress(TEXT) + c.flush()
    cases = {
        "crc": ({"crc": 1}, TEXT, n, 1), "smaller": ({"size": 100}, TEXT[:100], 100, 2),
        "larger": ({"size": n + 50}, TEXT, n + 50, 1),
    }
    for label, (over, content, size, count) in cases.items():
        m = Made()
        m.add(b"a", TEXT, central=over, local=over)
        members, _, notes = look(save(f"lie_{label}.zip", m.end()))
        ght.equal((members[0], [x["code"] for x in notes]), (("a", size, ght.sha(content)), ["bad"] * count), f"a lie about {label}")
    long = hashlib.sha512(b"x").hexdigest().encode() + b"".join(hashlib.sha512(b"%d" % i).hexdigest().encode() for i in range(99))
    c = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = c.compress(long) + c.flush()
    for label, cut in (("cut", packed[:-60]), ("damaged", packed[:5000] + b"\xff" * 200 + packed[5200:])):
        m = Made()
        m.add(b"a", long, packed=cut)
        m.add(b"b", b"b", 0)
        members, _, notes = look(save(f"lie_{label}.zip", m.end()))
        d = zlib.decompressobj(-15)
        want = b""
        try:
            for i in range(len(cut)):
                want += d.decompress(cut[i:i + 1])
        except zlib.error:
            pass
        got = ght.cat(T / f"lie_{label}.zip", "a")
        ght.equal([x["code"] for x in notes], ["short" if label == "cut" else "bad"], f"{label} deflate: noted")
        ght.equal(members[1], ("b", 1, ght.sha(b"b")), f"{label} deflate: the next member is read")
        ght.check(len(want) > 8000 and got[:len(want)] == want and len(got) < len(want) + 300 and ght.sha(got) == members[0][2],
                  f"{label} deflate: what comes before the damage is delivered", f"{len(got)} of {len(want)}")
    c = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = c.compress(TEXT) + c.flush()
    m = Made()
    m.add(b"a", TEXT, packed=packed + b"EXTRA")
    members, _, notes = look(save("inside.zip", m.end()))
    ght.equal((members[0][2], [x["code"] for x in notes]), (ght.sha(TEXT), ["bad"]), "bytes behind a stream's end")
    m = Made()
    m.add(b"a", b"x" * 50, 0, central={"csize": 1 << 30, "size": 1 << 30})
    members, _, notes = look(save("far.zip", m.end()))
    ght.check(members[0][1] < 400 and [x["code"] for x in notes] == ["short"], "a stored member longer than the archive is cut, noted")
    m = Made()
    m.add(b"a", b"x", 0, central={"off": 9999999})
    m.add(b"b", b"b", 0)
    members, _, notes = look(save("nolocal.zip", m.end()))
    ght.equal((members[0][2], members[1][2], [x["code"] for x in notes]), (None, ght.sha(b"b"), ["short"]), "no local header")


def android():
    m = Made()
    m.add(b"AndroidManifest.xml", TEXT, 0, central={"method": 0x1234}, local={"method": 0x1234})
    members, _, notes = look(save("method.apk", m.end()))
    ght.equal((members[0], [x["code"] for x in notes]), (("AndroidManifest.xml", len(TEXT), ght.sha(TEXT)), ["bad"]),
              "an unassigned method is read as stored")
    m = Made()
    m.add(b"AndroidManifest.xml", TEXT, 0, central={"method": 14}, local={"method": 14})
    ght.equal(look(save("method14.apk", m.end()))[0][0][2], ght.sha(TEXT), "an assigned method with equal sizes too")
    for method in (0, 8):
        m = Made()
        m.add(b"classes.dex", TEXT, method, central={"flags": 1}, local={"flags": 1})
        members, facts, notes = look(save("flag.apk", m.end()))
        ght.equal((members[0][2], kinds(facts), [x["code"] for x in notes]), (ght.sha(TEXT), ["encrypted"], ["bad"]),
                  f"a false encryption flag, method {method}")
    big = TEXT * 500
    m = Made()
    m.add(b"classes.dex", big, 8, central={"flags": 1}, local={"flags": 1})
    ght.equal(look(save("flagbig.apk", m.end()))[0][0][2], ght.sha(big), "a false encryption flag, large")


def damaged_directory():
    m = Made()
    for i in range(5):
        m.add(b"m%d" % i, TEXT + bytes([i]))
    whole = m.end()
    want = [(f"m{i}", len(TEXT) + 1, ght.sha(TEXT + bytes([i]))) for i in range(5)]
    ght.equal(look(save("whole.zip", whole))[0], want, "hand-made: whole")
    cut = whole[:len(m.body)]
    members, _, notes = look(save("nodir.zip", cut))
    ght.equal((members, [x["code"] for x in notes]), (want, ["bad"]), "no directory: walked")
    broken = bytearray(whole)
    third = len(m.body) + 2 * (46 + 2)
    broken[third:third + 4] = b"XXXX"
    members, _, notes = look(save("baddir.zip", bytes(broken)))
    ght.equal((sorted(members), members[-1][0]), (want, "m2"), "a broken record: the others, then the member by its local header")
    ght.equal([x["code"] for x in notes], ["bad"], "a broken record: noted")
    # Descriptors: a walk finds sizes by them.
    for signed in (True, False):
        m = Made()
        for i in range(3):
            data = TEXT + bytes([i])
            c = zlib.compressobj(9, zlib.DEFLATED, -15)
            packed = c.compress(data) + c.flush()
            d = (b"PK\7\10" if signed else b"") + struct.pack("<III", zlib.crc32(data), len(packed), len(data))
            m.add(b"m%d" % i, data, local={"flags": 8, "crc": 0, "csize": 0, "size": 0}, tail=d)
        c = zlib.compressobj(9, zlib.DEFLATED, -15)
        packed = c.flush()
        d = (b"PK\7\10" if signed else b"") + struct.pack("<III", 0, len(packed), 0)
        m.add(b"none", b"", local={"flags": 8, "crc": 0, "csize": 0, "size": 0}, tail=d)
        m.add(b"last", b"last", 0)
        members, _, _ = look(save("dwalk.zip", bytes(m.body)))
        ght.equal((members[:3], [x[:2] for x in members[3:]]), (want[:3], [("none", 0), ("last", 4)]), f"a walk by data descriptors, signature {signed}")
    m = Made()
    m.add(b"cut", TEXT)
    members, _, notes = look(save("cut.zip", bytes(m.body[:-10])))
    ght.equal(([x[0] for x in members], "short" in [x["code"] for x in notes]), (["cut"], True), "cut inside the only member")


def zip64():
    p = T / "many.zip"
    with zipfile.ZipFile(p, "w") as z:
        for i in range(70000):
            z.writestr(zipfile.ZipInfo(f"d/{i}"), b"")
    members, facts, notes = look(p)
    ght.equal((len(members), members[69999][0], facts, notes), (70000, "d/69999", [], []), "zip64: 70,000 members")
    with zipfile.ZipFile(T / "force.zip", "w", zipfile.ZIP_DEFLATED) as z:
        with z.open("big", "w", force_zip64=True) as f:
            f.write(TEXT * 100)
    ght.equal(same(T / "force.zip", "zip64 local header"), [], "zip64 local header: no notes")
    m = Made()
    ext = struct.pack("<HHQQQ", 1, 24, len(TEXT), len(TEXT), 0)
    loc = struct.pack("<HHQQ", 1, 16, len(TEXT), len(TEXT))
    over = {"csize": 0xffffffff, "size": 0xffffffff}
    m.add(b"all", TEXT, 0, central=dict(over, off=0xffffffff), local=over, extra=loc, cextra=ext)
    p = save("all64.zip", m.end64())
    ght.equal(same(p, "every zip64 field"), [], "every zip64 field: no notes")
    ght.equal(look(p)[1], [], "every zip64 field: no facts")
    m = Made()
    m.add(b"none", TEXT, 0, central=over, local=over)
    ght.check("bad" in [x["code"] for x in look(save("no64.zip", m.end()))[2]], "a missing zip64 field is noted")
    far = (4 << 30) + 12345
    m = Made()
    m.add(b"far", TEXT, 8)
    local = bytes(m.body)
    m = Made()
    m.add(b"far", TEXT, 8, central={"off": 0xffffffff}, cextra=struct.pack("<HHQ", 1, 8, far))
    m.body = bytearray()
    tail = m.end64(far=far + len(local))
    p = T / "far64.zip"
    with open(p, "wb") as f:
        f.seek(far)
        f.write(local + tail[:len(m.central)] + tail[len(m.central):])
    with zipfile.ZipFile(p) as z:
        ght.equal(ght.cat(p, "far"), z.read("far"), "a member behind 4 GiB")
    p.unlink()


def against_corpus():
    n = refused = 0
    bad = []
    for name in ("apksig", "apktool", "fdroidserver", "platform_build", "binwalk", "jadx", "art_dexdump", "mvt", "update_engine"):
        d = ght.corpus(name)
        for p in sorted(d.rglob("*")) if d else []:
            if not p.is_file() or p.is_symlink():
                continue
            data = p.read_bytes()
            if not data.startswith(b"PK\3\4") and b"PK\5\6" not in data[-65557:]:
                continue
            got, facts, notes = look(p)
            try:
                want = reference(p)
            except zipfile.BadZipFile:
                refused += 1
                ght.check(notes or facts, f"{p.name}: refused by zipfile, noted here: {[x['what'] for x in notes][:1] or kinds(facts)}, {len(got)} members")
                continue
            n += 1
            if [g[:2] for g in got] != [w[:2] for w in want] or any(w[2] and g[2] != w[2] for g, w in zip(got, want)):
                bad.append(p.name)
    if n:
        ght.equal(bad, [], f"corpus: {n} archives as zipfile reads them, {refused} that it refuses")


def seeds():
    for p in sorted((pathlib.Path(__file__).parent / "seeds").iterdir()):
        rows = ght.drive(p)
        ght.check(len(rows) > 1 and p.stat().st_size <= 16384, f"seed {p.name}")


def write_seeds():
    d = pathlib.Path(__file__).parent / "seeds"
    d.mkdir(exist_ok=True)

    def made(*members, **kw):
        m = Made()
        for a, k in members:
            m.add(*a, **k)
        return m

    two = [((b"AndroidManifest.xml", TEXT), {}), ((b"lib/x.so", b"\x7fELF", 0), {})]
    dd = {"local": {"flags": 8, "crc": 0, "csize": 0, "size": 0}, "central": {"flags": 8}}
    c = zlib.compressobj(9, zlib.DEFLATED, -15)
    n = len(c.compress(TEXT) + c.flush())
    dd["tail"] = struct.pack("<IIII", 0x08074b50, zlib.crc32(TEXT), n, len(TEXT))
    over = {"csize": 0xffffffff, "size": 0xffffffff}
    all64 = made(((b"all", TEXT, 0), {"central": dict(over, off=0xffffffff), "local": over, "extra":
                 struct.pack("<HHQQ", 1, 16, len(TEXT), len(TEXT)), "cextra": struct.pack("<HHQQQ", 1, 24, len(TEXT), len(TEXT), 0)}))
    seeds_of = {
        "two": made(*two).end(), "empty": Made().end(), "zip64": all64.end64(),
        "descriptor": made(((b"a", TEXT), dd), two[1]).end(comment=b"comment"),
        "walk": bytes(made(((b"a", TEXT), dd), two[1]).body), "gap": made(*two).end(gap=b"x" * 16 + b"APK Sig Block 42"),
        "names": made(((b"../a", TEXT), {"local": {"name": b"b"}}), ((b"../a", TEXT), {}), two[1]).end(),
        "lies": made(((b"a", TEXT), {"central": {"size": 5, "crc": 1}}), ((b"b", TEXT), {"central": {"csize": 1 << 30}})).end(),
        "method": made(((b"a", TEXT, 0), {"central": {"method": 4660}}), ((b"b", TEXT), {"central": {"flags": 1}})).end(),
        "baddir": made(*two).end().replace(b"PK\1\2", b"XXXX", 1), "prefix": b"#!/bin/sh\n" + made(*two).end(),
        "overlap": made(two[0], ((b"over", TEXT), {"at": 0}), two[1]).end(behind=b"behind"),
    }
    for name, data in seeds_of.items():
        (d / f"{name}.zip").write_bytes(data)


if __name__ == "__main__":
    if sys.argv[1:] == ["--seeds"]:
        write_seeds()
        sys.exit()
    reference_tools()
    disagreements()
    oddities()
    lies()
    android()
    damaged_directory()
    zip64()
    seeds()
    against_corpus()
    ght.done()
