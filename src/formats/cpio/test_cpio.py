#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The cpio reader against GNU cpio (newc, crc, odc), both ways: what it packs and what it lists; rarities made here."""
import gzip
import os
import pathlib
import stat
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "tests/lib"))
import ght  # noqa: E402

T = ght.tmp()


def save(name, data):
    p = T / name
    p.write_bytes(data)
    return p


def look(path):
    rows = ght.drive(path, only="cpio")
    top = ght.rows(rows, "members", blob=1)[0]["child"]
    blobs = {r["blob"]: r["sha256"] for r in rows if r["table"] == "blobs" and r.get("sha256")}
    entries = ght.rows(rows, "entries", blob=top)
    for e in entries:
        e["sha"] = blobs.get(e["child"])
    members = [(m["name"], m["off"], m["size"]) for m in ght.rows(rows, "members", blob=top)]
    return entries, [(f["kind"], f["value"]) for f in ght.rows(rows, "archive_facts", blob=top)], \
        [n["code"] for n in ght.rows(rows, "notes", blob=top)], members


def brief(entries, *keys):
    return [tuple(e[k] for k in keys) for e in entries]


def tree():
    d = T / "tree"
    (d / "sub/deep").mkdir(parents=True)
    (d / "a.txt").write_bytes(b"hello\n" * 1000)
    (d / "zero").write_bytes(b"")
    for n in range(1, 6):
        (d / f"odd{n}").write_bytes(b"x" * n)
    (d / "sub/random").write_bytes(os.urandom(300001))
    os.symlink("../a.txt", d / "sub/link")
    os.link(d / "a.txt", d / "sub/hard1")
    os.link(d / "a.txt", d / "hard2")
    os.mkfifo(d / "fifo")
    (d / ("n" * 200)).write_bytes(b"long")
    os.chmod(d / "a.txt", 0o6755)
    os.utime(d / "zero", (1, 1))
    try:
        os.mknod(d / "null", stat.S_IFCHR | 0o666, os.makedev(1, 3))
        os.mknod(d / "disk", stat.S_IFBLK | 0o660, os.makedev(8, 17))
        os.chown(d / "odd1", 1000, 2000)
    except PermissionError:
        ght.skip("device nodes", "not root")
    return d


def kind(mode):
    return {stat.S_IFDIR: "dir", stat.S_IFLNK: "link", stat.S_IFCHR: "char", stat.S_IFBLK: "block", stat.S_IFIFO: "fifo"}.get(
        stat.S_IFMT(mode), "file")


def on_disk(d, name):
    p = d / name
    s = os.lstat(p)
    what = kind(s.st_mode)
    return ("/" + ("" if name == "." else name), what, stat.S_IMODE(s.st_mode), s.st_uid, s.st_gid, int(s.st_mtime),
            s.st_nlink, os.readlink(p) if what == "link" else None, s.st_rdev if what in ("char", "block") else 0,
            ght.sha(p.read_bytes()) if what == "file" else None)


def reference_tool():
    d = tree()
    names = sorted(os.path.relpath(os.path.join(r, x), d) for r, ds, fs in os.walk(d) for x in ds + fs)
    listing = "\n".join(["."] + names).encode() + b"\n"
    for fmt in ("newc", "crc", "odc"):
        p = save(f"{fmt}.cpio", ght.run("cpio", "-o", "--quiet", "-H", fmt, cwd=d, input=listing))
        entries, facts, notes, members = look(p)
        packed = [n for n in ght.run("cpio", "-it", "--quiet", input=p.read_bytes()).decode().splitlines()]
        ght.equal([e["path"] for e in entries], ["/" + ("" if n == "." else n) for n in packed], f"{fmt}: as cpio -t lists them")
        got = brief(entries, "path", "ftype", "mode", "uid", "gid", "mtime", "nlink", "link_target", "rdev", "sha")
        want = [on_disk(d, n) for n in packed]
        ght.equal([(g, w) for g, w in zip(got, want) if g != w], [], f"{fmt}: attributes, targets and bytes as on disk")
        ght.equal((facts, notes, members), ([], [], []), f"{fmt}: no facts, no notes, nothing left")
        hard = [e for e in entries if e["path"] in ("/a.txt", "/hard2", "/sub/hard1")]
        if fmt != "odc":
            ght.equal((len({e["ino"] for e in hard}), len({e["child"] for e in hard})), (1, 1), f"{fmt}: hard links are one content")
        for n in ("sub/random", "hard2"):
            ght.equal(ght.cat(p, f"/{n}"), (d / n).read_bytes(), f"{fmt}: bytes of {n}")
    joined = (T / "newc.cpio").read_bytes()
    second = ght.run("cpio", "-o", "--quiet", "-H", "newc", cwd=d, input=b"odd1\nodd2\n")
    for pad in (0, 4, 3000):
        entries, facts, notes, members = look(save("two.cpio", joined + bytes(pad) + second))
        ght.equal(([e["path"] for e in entries[-2:]], facts, notes, members), (["/odd1", "/odd2"], [("archive", "1")], [], []),
                  f"two archives, {pad} zeros between")
    packed = gzip.compress(second, mtime=0)
    p = save("mixed.cpio", joined + packed)
    _, _, notes, members = look(p)
    ght.equal((members, notes), ([("rest", len(joined), len(packed))], []), "a compressed archive behind: a member")
    ght.equal(ght.cat(p, "rest"), packed, "a compressed archive behind: its bytes")


# ---- hand-made ----
def newc(name, data=b"", mode=0o100644, ino=1, nlink=1, magic=b"070701", check=0, size=None, uid=0, major=0, namesize=None):
    name += b"\0"
    f = [ino, mode, uid, 0, nlink, 7, len(data) if size is None else size, major, 0, 0, 0,
         len(name) if namesize is None else namesize, check]
    h = magic + b"".join(b"%08X" % x for x in f) + name
    return h + bytes(-len(h) % 4) + data + bytes(-len(data) % 4)


END = newc(b"TRAILER!!!", mode=0)


def links():
    a = newc(b"a", ino=5, nlink=3) + newc(b"b", ino=5, nlink=3) + newc(b"c", b"data", ino=5, nlink=3)
    e, _, notes, _ = look(save("l.cpio", a + END))
    ght.equal(([x["sha"] for x in e], len({x["ino"] for x in e}), notes), ([ght.sha(b"data")] * 3, 1, []), "the last name has the content")
    e, _, _, _ = look(save("l.cpio", newc(b"a", b"one", ino=5, nlink=2) + newc(b"b", b"two", ino=5, nlink=2) + END))
    ght.equal(([x["sha"] for x in e], len({x["ino"] for x in e})), ([ght.sha(b"one"), ght.sha(b"two")], 2),
              "two contents under one inode number stay two")
    e, _, _, _ = look(save("l.cpio", newc(b"a", b"one", ino=5) + newc(b"b", b"two", ino=5) + END))
    ght.equal([x["sha"] for x in e], [ght.sha(b"one"), ght.sha(b"two")], "inode numbers that say nothing")
    e, _, _, _ = look(save("l.cpio", newc(b"a", ino=5, nlink=2) + newc(b"b", b"x", ino=5, nlink=2, major=9) + END))
    ght.equal(e[0]["sha"], ght.sha(b""), "another device is another inode")
    e, _, _, _ = look(save("l.cpio", newc(b"a", ino=5, nlink=2) + END + newc(b"b", b"x", ino=5, nlink=2) + END))
    ght.equal(e[0]["sha"], ght.sha(b""), "another archive is another inode")
    many = b"".join(newc(b"a%d" % i, ino=i, nlink=2) for i in range(300)) + b"".join(
        newc(b"b%d" % i, b"%d" % i, ino=i, nlink=2) for i in range(300))
    e, _, _, _ = look(save("l.cpio", many + END))
    ght.equal([x["sha"] for x in e], [ght.sha(b"%d" % i) for i in range(300)] * 2, "300 contents with two names")


def damage():
    f, g = newc(b"f", b"data"), newc(b"g", b"more")
    e, _, notes, _ = look(save("d.cpio", newc(b"s", b"abc", magic=b"070702", check=97 + 98 + 99) + END))
    ght.equal((e[0]["sha"], notes), (ght.sha(b"abc"), []), "a right sum")
    e, _, notes, _ = look(save("d.cpio", newc(b"s", b"abc", magic=b"070702", check=1) + END))
    ght.equal((e[0]["sha"], notes), (ght.sha(b"abc"), ["bad"]), "a wrong sum: content, and a note")
    e, _, notes, _ = look(save("d.cpio", f + g))
    ght.equal((brief(e, "path"), notes), ([("/f",), ("/g",)], ["short"]), "no trailer")
    for cut in (1, 60, 111, 115):
        e, _, notes, _ = look(save("d.cpio", f + g[:cut]))
        ght.equal((brief(e, "path")[0], set(notes) <= {"short", "bad"} and bool(notes)), (("/f",), True), f"cut at {cut} of an entry")
    e, _, notes, _ = look(save("d.cpio", newc(b"f", b"da", size=1000) + END[:0]))
    ght.equal((brief(e, "path", "size"), notes), ([("/f", 4)], ["short", "short"]), "cut inside a content")
    e, _, notes, _ = look(save("d.cpio", f + b"JUNK" * 5 + g + END))
    ght.equal((brief(e, "path"), notes), ([("/f",), ("/g",)], ["bad"]), "junk between entries: noted, the next is found")
    e, _, notes, _ = look(save("d.cpio", f + b"070701" + b"zz" * 60 + g + END))
    ght.equal((brief(e, "path"), notes), ([("/f",), ("/g",)], ["bad"]), "a header that is none")
    e, _, notes, _ = look(save("d.cpio", f + newc(b"x", namesize=1 << 20) + g + END))
    ght.equal((brief(e, "path"), notes), ([("/f",), ("/g",)], ["bad"]), "a name of 1 MiB")
    e, _, notes, m = look(save("d.cpio", f + END + bytes(50) + b"tail"))
    ght.equal((len(e), notes, m), (1, [], [("rest", len(f + END) + 50, 4)]), "bytes behind the archive are a member")
    _, facts, _, _ = look(save("d.cpio", newc(b"../x") + END))
    ght.equal(facts, [("traversal", "../x")], "traversal")
    e, _, notes, _ = look(save("d.cpio", newc(b"l", b"t" * 70000, mode=0o120777) + END))
    ght.equal((len(e[0]["link_target"]), notes), (65536, ["limit"]), "a link of 70,000 bytes is cut, noted")
    ght.equal(len(ght.rows(ght.drive(save("d.cpio", b"070701 is how a cpio archive begins. " * 9), only="cpio"), "entries")), 0,
              "text that begins with the magic number is not claimed")


def write_seeds():
    d = pathlib.Path(__file__).parent / "seeds"
    f = newc(b"f", b"data")
    odc = b"070707" + b"000001000002100644000000000000000001000000" + b"%011o%06o%011o" % (7, 2, 3) + b"f\0abc" + \
        b"070707" + b"000000" * 7 + b"%011o%06o%011o" % (0, 11, 0) + b"TRAILER!!!\0"
    made = {"newc": newc(b".", mode=0o40755) + f + newc(b"l", b"f", mode=0o120777) + END, "odc": odc,
            "links": newc(b"a", ino=5, nlink=2) + newc(b"b", b"data", ino=5, nlink=2) + END,
            "two": f + END + bytes(20) + newc(b"g", b"x") + END, "rest": f + END + b"rest", "cut": f + newc(b"g", b"x" * 50)[:140],
            "crc": newc(b"s", b"abc", magic=b"070702", check=1) + END, "junk": f + b"JUNK" + newc(b"g") + END}
    for name, data in made.items():
        (d / f"{name}.cpio").write_bytes(data)


def seeds():
    for p in sorted((pathlib.Path(__file__).parent / "seeds").iterdir()):
        rows = ght.drive(p)
        ght.check(len(ght.rows(rows, "entries")) >= 1 and p.stat().st_size <= 16384, f"seed {p.name}")


if __name__ == "__main__":
    if sys.argv[1:] == ["--seeds"]:
        write_seeds()
        sys.exit()
    reference_tool()
    links()
    damage()
    seeds()
    ght.done()
