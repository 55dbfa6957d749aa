#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The tar reader against GNU tar (all its formats) and Python's tarfile; damage and rarities made here header by header."""
import os
import pathlib
import stat
import struct
import sys
import tarfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "tests/lib"))
import ght  # noqa: E402

T = ght.tmp()
TYPES = {tarfile.DIRTYPE: "dir", tarfile.SYMTYPE: "link", tarfile.CHRTYPE: "char", tarfile.BLKTYPE: "block", tarfile.FIFOTYPE: "fifo"}


def save(name, data):
    p = T / name
    p.write_bytes(data)
    return p


def esc(b):
    return "".join(ch if "\udc80" > ch >= " " != "\x7f" or ch > "\udcff" else
                   "".join(f"\\x{x:02x}" for x in ch.encode("utf-8", "surrogateescape"))
                   for ch in b.decode("utf-8", "surrogateescape"))


def clean(name):
    return "/" + "/".join(c for c in name.split("/") if c not in ("", "."))


def look(path):
    """Entries by path, in order; facts; codes of notes."""
    rows = ght.drive(path, only="tar")
    top = ght.rows(rows, "members", blob=1)[0]["child"]
    blobs = {r["blob"]: r["sha256"] for r in rows if r["table"] == "blobs" and r.get("sha256")}
    entries = ght.rows(rows, "entries", blob=top)
    for e in entries:
        e["sha"] = blobs.get(e["child"])
    return entries, ght.rows(rows, "archive_facts", blob=top), [n["code"] for n in ght.rows(rows, "notes", blob=top)]


def brief(entries, *keys):
    return [tuple(e[k] for k in keys) for e in entries]


def reference(path):
    """The same from Python's tarfile, which follows hard links itself."""
    out = []
    with tarfile.open(path, errors="surrogateescape") as t:
        for m in t:
            data = t.extractfile(m).read() if m.isreg() or m.islnk() else None
            kind = TYPES.get(m.type, "file")
            out.append((esc(clean(m.name).encode("utf-8", "surrogateescape")), kind, m.mode & 0o7777, m.uid, m.gid, int(m.mtime // 1),
                        esc(m.linkname.encode("utf-8", "surrogateescape")) if m.issym() or m.islnk() else None,
                        os.makedev(m.devmajor, m.devminor) if m.ischr() or m.isblk() else 0, None if data is None else ght.sha(data)))
    return out


def same(path, label):
    entries, facts, notes = look(path)
    got = brief(entries, "path", "ftype", "mode", "uid", "gid", "mtime", "link_target", "rdev", "sha")
    want = reference(path)
    if not ght.equal(len(got), len(want), f"{label}: entries"):
        return entries, facts, notes
    ght.equal([(g, w) for g, w in zip(got, want) if g != w], [], f"{label}: names, attributes, targets, bytes")
    return entries, facts, notes


def tree():
    d = T / "tree"
    (d / "sub/deep").mkdir(parents=True)
    (d / "a.txt").write_bytes(b"hello\n" * 1000)
    (d / "zero").write_bytes(b"")
    (d / "block").write_bytes(b"b" * 512)
    (d / "sub/random").write_bytes(os.urandom(300000))
    os.symlink("../a.txt", d / "sub/link")
    os.symlink("x/" * 40 + "end", d / "sub/longlink")
    os.link(d / "a.txt", d / "sub/zhard")
    os.mkfifo(d / "fifo")
    long = d / ("n" * 80) / ("m" * 60)
    long.mkdir(parents=True)
    (long / "file").write_bytes(b"long path")
    os.chmod(d / "a.txt", 0o4755)
    os.chmod(d / "zero", 0o600)
    os.utime(d / "zero", (1, 1))
    try:
        os.mknod(d / "null", stat.S_IFCHR | 0o666, os.makedev(1, 3))
        os.mknod(d / "disk", stat.S_IFBLK | 0o660, os.makedev(259, 300))
        os.chown(d / "block", 1000, 2000)
    except PermissionError:
        ght.skip("device nodes", "not root")
    return d


def reference_tool():
    d = tree()
    for fmt in ("gnu", "pax", "ustar", "v7", "oldgnu"):
        p = T / f"{fmt}.tar"
        extra = []
        if fmt == "v7":
            extra = ["--exclude=null", "--exclude=disk", "--exclude=fifo", "--exclude=n*", "--exclude=longlink"]
        ght.run("tar", f"--format={fmt}", "--sort=name", *extra, "-cf", p, ".", cwd=d)
        entries, facts, notes = same(p, f"tar --format={fmt}")
        ght.equal((facts, notes), ([], []), f"tar --format={fmt}: no facts, no notes")
        ght.equal(len(entries), len(ght.run("tar", "-tf", p).splitlines()), f"tar --format={fmt}: as many as tar -t")
        hard = [e for e in entries if e["path"] == "/sub/zhard"][0]
        ght.equal((hard["ftype"], hard["link_target"], hard["sha"]), ("file", "./a.txt", ght.sha((d / "a.txt").read_bytes())),
                  f"tar --format={fmt}: a hard link has its target's content")
        ght.equal(ght.cat(p, "/sub/random"), ght.run("tar", "-xOf", p, "./sub/random"), f"tar --format={fmt}: tar -xO")
    deep = T / "deep"
    at = deep
    for i in range(12):
        at = at / ("d%02d" % i + "x" * 96)
    at.mkdir(parents=True)
    (at / ("f" * 200)).write_bytes(b"deep")
    os.symlink("t" * 300, at / "target")
    for fmt in ("gnu", "pax"):
        ght.run("tar", f"--format={fmt}", "-cf", T / "deep.tar", ".", cwd=deep)
        ght.equal(same(T / "deep.tar", f"long names, {fmt}")[2], [], f"long names, {fmt}: no notes")
    plain = (T / "gnu.tar").read_bytes()
    body = plain.rstrip(b"\0")
    body += bytes(-len(body) % 512)
    ght.equal(brief(look(save("noend.tar", body))[0], "path"), brief(look(T / "gnu.tar")[0], "path"), "without the blocks of zeros")


def xattrs():
    d = T / "x"
    d.mkdir()
    (d / "capable").write_bytes(b"x")
    (d / "labelled").write_bytes(b"x")
    p = T / "x.tar"
    caps = struct.pack("<IIIII", 0x02000001, 0x3000, 0, 0x20, 0)
    raw = pax(b"SCHILY.xattr.security.capability", caps) + pax(b"RHT.security.selinux", b"u:object_r:su_exec:s0\0")
    save("x.tar", header(b"paxhdr", typ=b"x", size=len(raw)) + block(raw) + header(b"capable", size=1) + block(b"x") + bytes(1024))
    e, _, notes = look(p)
    ght.equal((e[0]["caps"], e[0]["selinux"], notes), (0x20 << 32 | 0x3000, "u:object_r:su_exec:s0", []), "capabilities and label, made here")
    try:
        ght.run("setcap", "cap_net_raw,cap_sys_admin,cap_bpf=ep", d / "capable")
        os.setxattr(d / "labelled", "security.selinux", b"u:object_r:system_file:s0\0")
    except (RuntimeError, OSError, FileNotFoundError) as error:
        ght.skip("xattrs by GNU tar", f"this file system takes none: {error}")
        return
    ght.run("tar", "--format=pax", "--xattrs", "--xattrs-include=*", "--sort=name", "-cf", p, "capable", "labelled", cwd=d)
    e, _, notes = look(p)
    ght.equal((e[0]["caps"], e[1]["selinux"], notes), (1 << 13 | 1 << 21 | 1 << 39, "u:object_r:system_file:s0", []),
              "capabilities and label, by GNU tar")


# ---- hand-made headers ----
def octal(v, n):
    return b"%0*o\0" % (n - 1, v)


def header(name, size=0, typ=b"0", link=b"", mode=0o644, uid=0, gid=0, mtime=0, magic=b"ustar\00000", prefix=b"", raw=None, signed=False,
           tail=b""):
    f = {"mode": octal(mode, 8), "uid": octal(uid, 8), "gid": octal(gid, 8), "size": octal(size, 12), "mtime": octal(mtime, 12)}
    f.update(raw or {})
    h = bytearray(name.ljust(100, b"\0") + f["mode"] + f["uid"] + f["gid"] + f["size"] + f["mtime"] + b" " * 8 + typ
                  + link.ljust(100, b"\0") + magic.ljust(8, b"\0") + bytes(80) + prefix.ljust(155, b"\0") + bytes(12))
    if tail:
        h[345:345 + len(tail)] = tail
    total = sum((b - 256 if signed and b > 127 else b) for b in h)
    h[148:156] = b"%06o\0 " % total
    return bytes(h)


def block(data):
    return data + bytes(-len(data) % 512)


def pax(key, value):
    n = len(key) + len(value) + 3
    while len(b"%d" % n) + len(key) + len(value) + 3 != n:
        n = len(b"%d" % n) + len(key) + len(value) + 3
    return b"%d %s=%s\n" % (n, key, value)


def paxed(records, name=b"f", data=b"data", typ=b"x", **kw):
    raw = b"".join(pax(k, v) for k, v in records)
    return header(b"hdr", typ=typ, size=len(raw)) + block(raw) + header(name, size=len(data), **kw) + block(data)


END = bytes(1024)


def fields():
    big = (1 << 31) + 5
    raw = {"size": b"\x80" + bytes(7) + struct.pack(">I", 4), "uid": b"\x80" + bytes(3) + struct.pack(">I", big),
           "mtime": b"\xff" * 11 + b"\xfe"}
    e, _, notes = look(save("b.tar", header(b"f", raw=raw) + block(b"data") + END))
    ght.equal((brief(e, "size", "uid", "mtime", "sha"), notes), ([(4, big, -2, ght.sha(b"data"))], []), "base 256, negative too")
    e, _, notes = look(save("b.tar", header(b"f", size=4, raw={"mode": b"   644 \0"}, prefix=b"usr/lib") + block(b"data") + END))
    ght.equal(brief(e, "path", "mode"), [("/usr/lib/f", 0o644)], "prefix; blanks before a number")
    e, _, notes = look(save("b.tar", header("\u00e9\u00e9".encode("latin-1") * 9, size=4, signed=True) + block(b"data") + END))
    ght.equal((len(e), notes), (1, []), "a signed checksum")
    e, _, notes = look(save("b.tar", header(b"f", raw={"uid": b"12x4567\0"}) + END))
    ght.equal((len(e), notes), (1, ["bad"]), "a number that is none: noted")
    recs = [(b"path", "p\u00e4th/".encode() + b"x" * 300), (b"uid", b"3000000000"), (b"gid", b"7"), (b"mtime", b"-12.5"), (b"size", b"4")]
    e, _, notes = look(save("p.tar", paxed(recs, raw={"size": octal(0, 12)}) + END))
    ght.equal((brief(e, "path", "uid", "gid", "mtime", "sha"), notes), ([("/p\u00e4th/" + "x" * 300, 3000000000, 7, -13, ght.sha(b"data"))], []),
              "pax: path, uid, gid, mtime, size")
    e, _, notes = look(save("p.tar", paxed([(b"linkpath", b"t" * 200)], typ=b"x", data=b"")[:-512] + header(b"l", typ=b"2") + END))
    ght.equal(brief(e, "ftype", "link_target"), [("link", "t" * 200)], "pax: linkpath")
    e, _, notes = look(save("p.tar", paxed([(b"comment", b"abc")], typ=b"g") + END))
    ght.equal((brief(e, "path"), notes), ([("/f",)], []), "pax: a global comment")
    e, _, notes = look(save("p.tar", paxed([(b"uid", b"9")], typ=b"g") + END))
    ght.equal((brief(e, "path", "uid"), notes), ([("/f", 0)], ["unsup"]), "pax: global attributes are noted, not applied")
    for bad in (b"99 path=x\n", b"x path=x\n", b"8 path=x", b"10 pathxx\n\n", b"5 a=b\n", b"18446744073709551626 a=b\n"):
        raw = header(b"h", typ=b"x", size=len(bad)) + block(bad) + header(b"f", size=4) + block(b"data") + END
        e, _, notes = look(save("p.tar", raw))
        ght.equal((brief(e, "path"), notes), ([("/f",)], ["bad"]), f"a damaged pax record {bad!r}")
    for v in (b"12x", b"", b"99999999999"):
        e, _, notes = look(save("p.tar", paxed([(b"uid", v)]) + END))
        ght.equal(notes, ["bad"], f"pax: uid {v!r} is none")
    for kind, name in ((b"3", "char"), (b"4", "block"), (b"6", "fifo"), (b"5", "dir"), (b"7", "file"), (b"Q", "file")):
        e, _, _ = look(save("t.tar", header(b"f", typ=kind) + END))
        ght.equal(brief(e, "ftype"), [(name,)], f"type {kind.decode()}")


def sparse():
    d = T / "sp"
    d.mkdir()
    with open(d / "holes", "wb") as f:
        f.seek(1 << 20)
        f.write(b"data")
        f.seek(3 << 20)
        f.write(b"more")
    (d / "after").write_bytes(b"after")
    for fmt in (["--format=gnu"], ["--format=pax", "--sparse-version=0.0"], ["--format=pax", "--sparse-version=0.1"],
                ["--format=pax", "--sparse-version=1.0"]):
        p = T / "sp.tar"
        ght.run("tar", "-S", *fmt, "-cf", p, "holes", "after", cwd=d)
        if os.stat(p).st_size > 1 << 20:
            ght.skip(f"sparse {fmt}", "the file system shows no holes")
            continue
        e, _, notes = look(p)
        ght.equal((brief(e, "path", "sha"), notes), ([("/holes", None), ("/after", ght.sha(b"after"))], ["unsup"]),
                  f"sparse {' '.join(fmt)}: listed, refused, the next is read")
    maps = b"".join(octal(i * 1024, 12) + octal(1, 12) for i in range(4))
    head = header(b"s", typ=b"S", size=4, magic=b"ustar  \0", tail=bytes(41) + maps + b"\1" + octal(99999, 12))
    more = b"".join(octal(i * 1024, 12) + octal(1, 12) for i in range(21)) + b"\1" + bytes(7)
    last = bytes(504) + b"\0" + bytes(7)
    e, _, notes = look(save("s.tar", head + more + last + block(b"data") + header(b"n", size=1) + block(b"n") + END))
    ght.equal((brief(e, "path", "sha"), notes), ([("/s", None), ("/n", ght.sha(b"n"))], ["unsup"]), "a long map in GNU's old format")


def links():
    f = header(b"f", size=3) + block(b"one")
    g = header(b"./f", size=3) + block(b"two")
    h = header(b"h", typ=b"1", link=b"f")
    e, _, notes = look(save("l.tar", f + g + h + END))
    ght.equal((e[2]["sha"], e[2]["ftype"], e[2]["link_target"], notes), (ght.sha(b"two"), "file", "f", []), "a hard link takes the last before it")
    e, _, notes = look(save("l.tar", f + h + g + header(b"k", typ=b"1", link=b"./h") + END))
    ght.equal((brief(e, "sha"), notes), ([(ght.sha(x),) for x in (b"one", b"one", b"two", b"one")], []), "a hard link to a hard link")
    e, _, notes = look(save("l.tar", h + f + END))
    ght.equal((e[0]["sha"], notes), (None, ["bad"]), "a hard link to what comes later")
    e, _, notes = look(save("l.tar", header(b"h", typ=b"1", link=b"h") + f + END))
    ght.equal((e[0]["sha"], notes), (None, ["bad"]), "a hard link to itself")
    e, _, notes = look(save("l.tar", f + header(b"h", typ=b"1", link=b"f", size=3) + header(b"n") + END))
    ght.equal((brief(e, "path", "sha"), notes), ([("/f", ght.sha(b"one")), ("/h", ght.sha(b"one")), ("/n", ght.sha(b""))], []),
              "a hard link that states a size and has no content")
    e, _, notes = look(save("l.tar", f + header(b"h", typ=b"1", link=b"f", size=5) + block(b"other") + header(b"n") + END))
    ght.equal((brief(e, "path", "sha"), notes), ([("/f", ght.sha(b"one")), ("/h", ght.sha(b"other")), ("/n", ght.sha(b""))], []),
              "a hard link with content of its own")
    many = b"".join(header(b"f%d" % i, size=4) + block(b"%04d" % i) for i in range(500))
    many += b"".join(header(b"l%d" % i, typ=b"1", link=b"f%d" % i) for i in range(500))
    e, _, notes = look(save("l.tar", many + END))
    ght.equal(([x["sha"] for x in e[500:]], notes), ([ght.sha(b"%04d" % i) for i in range(500)], []), "500 hard links")


def damage():
    f = header(b"f", size=600) + block(b"x" * 600)
    g = header(b"g", size=4) + block(b"data")
    ght.equal(look(save("d.tar", f + g + END + b"0123456789abcdef0123456789abcdef  AP.tar\n"))[2], [], ".tar.md5: no error")
    _, facts, _ = look(T / "d.tar")
    ght.equal(brief(facts, "kind", "at", "value"), [("trailing", len(f + g + END), "41"), ("md5", len(f + g + END), "0123456789abcdef" * 2)],
              ".tar.md5: the line is a fact")
    _, facts, notes = look(save("d.tar", g + END + bytes(50000) + g + END))
    ght.equal((brief(facts, "kind", "at"), notes), ([("trailing", len(g) + 51024)], []), "bytes behind zeros are a fact")
    bad = bytearray(header(b"a", size=4) + block(b"data") + header(b"b", size=4) + block(b"data") + header(b"c", size=4) + block(b"data") + END)
    bad[1024 + 5] ^= 0x55
    e, _, notes = look(save("d.tar", bytes(bad)))
    ght.equal((brief(e, "path"), notes), ([("/a",), ("/c",)], ["bad"]), "a wrong checksum: noted, the next header is found")
    e, _, notes = look(save("d.tar", g + f[:900]))
    ght.equal((brief(e, "path", "size"), notes), ([("/g", 4), ("/f", 388)], ["short"]), "cut inside a content")
    e, _, notes = look(save("d.tar", g + f[:300]))
    ght.equal((brief(e, "path"), notes), ([("/g",)], ["short"]), "cut inside a header")
    e, _, notes = look(save("d.tar", g + header(b"f", raw={"size": b"\x80" + b"\xff" * 11}) + g))
    ght.equal((len(e), notes), (2, ["short"]), "a size beyond everything")
    e, _, notes = look(save("d.tar", header(b"L", typ=b"L", size=5) + block(b"long\0") * 1 + END))
    ght.equal((e, notes), ([], ["bad"]), "an extension header without an entry")
    e, _, notes = look(save("d.tar", (header(b"L", typ=b"L", size=5) + block(b"long\0")) * 40 + g + END))
    ght.equal(("bad" in notes, brief(e, "path")[-1:]), (True, [("/long",)]), "a tower of extension headers")
    e, _, notes = look(save("d.tar", header(b"L", typ=b"L", size=2 << 20) + bytes(2 << 20) + g + END))
    ght.equal((brief(e, "path"), notes), ([("/g",)], ["limit"]), "an extension header of 2 MiB")
    e, _, notes = look(save("d.tar", header(b"L", typ=b"L", size=70000) + block(b"n" * 70000) + g + END))
    ght.equal((len(e[0]["path"]), notes), (65537, ["limit"]), "a path of 70,000 bytes is cut, noted")
    for name in (b"../x", b"a/../../b"):
        _, facts, _ = look(save("d.tar", header(name) + END))
        ght.equal(brief(facts, "kind", "value"), [("traversal", name.decode())], f"traversal: {name!r}")


def write_seeds():
    d = pathlib.Path(__file__).parent / "seeds"
    f = header(b"f", size=3) + block(b"one")
    maps = b"".join(octal(i * 1024, 12) + octal(1, 12) for i in range(4))
    made = {
        "ustar": f + header(b"d/", typ=b"5") + header(b"l", typ=b"2", link=b"f") + END, "links": f + header(b"h", typ=b"1", link=b"f") + END,
        "pax": paxed([(b"path", b"p" * 120), (b"mtime", b"1.5"), (b"SCHILY.xattr.security.capability", struct.pack("<5I", 0x02000001, 8, 0, 0, 0))]) + END,
        "gnulong": header(b"././@LongLink", typ=b"L", size=121, magic=b"ustar  \0") + block(b"n" * 120 + b"\0") + f + END,
        "global": paxed([(b"uid", b"9")], typ=b"g") + END, "badpax": header(b"h", typ=b"x", size=10) + block(b"99 path=x\n") + f + END,
        "sparse": header(b"s", typ=b"S", size=4, magic=b"ustar  \0", tail=bytes(41) + maps + b"\1") + bytes(512) + block(b"data") + END,
        "cut": f + header(b"g", size=5000) + b"x" * 99, "v7": header(b"d/", typ=b"\0", magic=b"") + header(b"d/f", typ=b"\0", magic=b"", size=2) + block(b"ab"),
        "md5": f + END + b"0123456789abcdef0123456789abcdef  AP.tar\n", "badsum": f + f.replace(b"f", b"k", 1) + f + END,
    }
    for name, data in made.items():
        (d / f"{name}.tar").write_bytes(data)


def seeds():
    for p in sorted((pathlib.Path(__file__).parent / "seeds").iterdir()):
        rows = ght.drive(p)
        ght.check(len(ght.rows(rows, "entries")) >= 1 and p.stat().st_size <= 16384, f"seed {p.name}")


if __name__ == "__main__":
    if sys.argv[1:] == ["--seeds"]:
        write_seeds()
        sys.exit()
    reference_tool()
    xattrs()
    fields()
    sparse()
    links()
    damage()
    seeds()
    ght.done()
