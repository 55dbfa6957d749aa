#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The gzip reader against gzip and Python's gzip; headers and damage made here field by field."""
import gzip
import os
import pathlib
import struct
import sys
import zlib

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "tests/lib"))
import ght  # noqa: E402

T = ght.tmp()
TEXT = b"The quick brown fox jumps over the lazy dog. " * 50


def save(name, data):
    p = T / name
    p.write_bytes(data)
    return p


def look(path):
    rows = ght.drive(path, only="gzip")
    top = ght.rows(rows, "members", blob=1)[0]["child"]
    members = ght.rows(rows, "members", blob=top)
    sums = [(m["name"], ght.blob_of(rows, m["child"]).get("sha256"), ght.blob_of(rows, m["child"]).get("size")) for m in members]
    return sums, ght.rows(rows, "archive_facts", blob=top), [n["code"] for n in ght.rows(rows, "notes", blob=top)]


def member(data, name=None, comment=None, extra=None, hcrc=False, flags=0, crc=None, size=None, mtime=0, level=9):
    f = flags | (8 if name is not None else 0) | (16 if comment is not None else 0) | (4 if extra is not None else 0) | (2 if hcrc else 0)
    h = struct.pack("<BBBBIBB", 0x1f, 0x8b, 8, f, mtime, 2, 3)
    if extra is not None:
        h += struct.pack("<H", len(extra)) + extra
    if name is not None:
        h += name + b"\0"
    if comment is not None:
        h += comment + b"\0"
    if hcrc:
        h += struct.pack("<H", zlib.crc32(h) & 0xffff if hcrc is True else hcrc)
    c = zlib.compressobj(level, zlib.DEFLATED, -15)
    return h + c.compress(data) + c.flush() + struct.pack("<II", zlib.crc32(data) if crc is None else crc,
                                                         len(data) & 0xffffffff if size is None else size)


def whole(data, name="content"):
    return [(name, ght.sha(data), len(data))]


def reference_tool():
    contents = {"text": TEXT, "one": b"x", "random": os.urandom(700000), "zeros": bytes(9 << 20), "empty": b""}
    for label, data in contents.items():
        for level in ("-1", "-9"):
            p = save(label, data)
            ght.run("gzip", "-kf", level, p)
            got, facts, notes = look(f"{p}.gz")
            ght.equal(([(m[0], m[2]) for m in got], notes), ([(label, len(data))], []), f"gzip {level} {label}: name, size, no notes")
            ght.equal(ght.cat(f"{p}.gz", label), ght.run("gzip", "-dc", f"{p}.gz"), f"gzip {level} {label}: bytes")
            ght.equal([(f["kind"], f["value"]) for f in facts], [("time", str(int(p.stat().st_mtime)))], f"gzip {level} {label}: time")
    p = T / "text"
    save("n.gz", ght.run("gzip", "-nc", p))
    ght.equal(look(T / "n.gz"), (whole(TEXT), [], []), "gzip -n: no name, no facts")
    big = bytes(range(256)) * (70 << 12)
    p = save("big.gz", gzip.compress(big, 1, mtime=0))
    ght.check(ght.cat(p, "content") == big, "70 MiB: more than is held whole")


def headers():
    got = look(save("h.gz", member(TEXT, b"a name", b"a comment", b"AB\4\0data", True, mtime=77)))
    ght.equal((got[0], got[2]), (whole(TEXT, "a name"), []), "every header field")
    ght.equal([(f["kind"], f["value"]) for f in got[1]], [("comment", "a comment"), ("time", "77")], "comment and time")
    ght.equal(look(save("h.gz", member(TEXT, hcrc=0x1234)))[2], ["bad"], "a wrong header CRC is noted")
    long = b"n" * 60000
    ght.equal(look(save("h.gz", member(TEXT, long)))[0], whole(TEXT, "n" * 60000), "a long name")
    ght.equal(look(save("h.gz", member(TEXT, b"n" * 300000)))[2], ["limit"], "a name beyond the limit")
    ght.equal(look(save("h.gz", member(TEXT, b"")))[0], whole(TEXT), "an empty name")
    rows = ght.drive(save("h.gz", member(TEXT, flags=0x20)), only="gzip")
    ght.equal(len(ght.rows(rows, "members")), 1, "reserved flags: not claimed")


def streams():
    a, b = member(TEXT, b"a"), member(b"second", b"b")
    p = save("m.gz", a + b)
    ght.equal(look(p), (whole(TEXT + b"second", "a"), [], []), "two members")
    ght.equal(ght.cat(p, "a"), ght.run("gzip", "-dc", p), "two members: as gzip")
    many = b"".join(member(bytes([i & 255]) * 9) for i in range(3000))
    ght.equal(look(save("many.gz", many))[0], whole(gzip.decompress(many)), "3,000 members")
    ght.equal(look(save("e.gz", member(b"") * 3))[0][0][2], 0, "empty members")
    ght.equal(look(save("z.gz", a + bytes(5000))), (whole(TEXT, "a"), [], []), "zeros behind the stream")
    got = look(save("t.gz", a + b"garbage"))
    ght.equal((got[0], got[2]), (whole(TEXT, "a"), ["unsup"]), "bytes behind the stream: noted")
    got = look(save("t.gz", a + bytes(40000) + b"garbage"))
    ght.equal((got[0], got[2]), (whole(TEXT, "a"), ["unsup"]), "bytes behind zeros behind the stream: noted")


def damage():
    ght.equal(look(save("d.gz", member(TEXT, crc=1)))[::2], (whole(TEXT), ["bad"]), "wrong CRC-32: content, and a note")
    ght.equal(look(save("d.gz", member(TEXT, size=1)))[::2], (whole(TEXT), ["bad"]), "wrong size: content, and a note")
    ght.equal(look(save("d.gz", member(TEXT)[:-3]))[::2], (whole(TEXT), ["short"]), "trailer cut off")
    data = b"".join(struct.pack("<I", zlib.crc32(struct.pack("<I", i))) for i in range(30000))
    m = member(data)
    (name, digest, size), = look(save("d.gz", m[:60000]))[0]
    got = ght.cat(T / "d.gz", "content")
    ght.check(40000 < size < len(data) and data.startswith(got) and ght.sha(got) == digest, "cut stream: what comes before")
    ght.equal(look(T / "d.gz")[2], ["short"], "cut stream: noted")
    ght.equal(look(save("d.gz", m[:9]))[2], [], "nine bytes are no gzip")
    bad = look(save("d.gz", member(TEXT)[:10] + b"\xff" * 40))
    ght.equal(bad[2], ["bad"], "no deflate stream: noted")


def against_corpus():
    d = ght.corpus("e2fsprogs")
    if not d:
        return
    n, bad = 0, []
    for p in sorted(d.rglob("*.gz")):
        data = gzip.decompress(p.read_bytes())
        got, _, notes = look(p)
        n += 1
        if len(data) > 64 << 20:  # held whole by the command that shows bytes only
            if ght.cat(p, got[0][0]) != data:
                bad.append(p.parent.name)
        elif [g[2] for g in got] != [len(data)] or (data and got[0][1] != ght.sha(data)) or notes:
            bad.append((p.parent.name, got, notes))
    ght.equal(bad, [], f"corpus: {n} images as Python's gzip unpacks them")


def write_seeds():
    d = pathlib.Path(__file__).parent / "seeds"
    made = {"plain": member(b"hello\n", b"hello"), "fields": member(TEXT, b"n", b"c", b"xx", True), "two": member(TEXT) + member(b"2"),
            "trailing": member(TEXT) + b"garbage", "cut": member(TEXT)[:-12], "crc": member(TEXT, crc=1), "hcrc": member(TEXT, hcrc=7),
            "nostream": member(TEXT)[:10] + b"\xff" * 40, "empty": member(b"") + bytes(30)}
    for name, data in made.items():
        (d / f"{name}.gz").write_bytes(data)


def seeds():
    for p in sorted((pathlib.Path(__file__).parent / "seeds").iterdir()):
        rows = ght.drive(p)
        ght.check(len(rows) > 1 and p.stat().st_size <= 16384, f"seed {p.name}")


if __name__ == "__main__":
    if sys.argv[1:] == ["--seeds"]:
        write_seeds()
        sys.exit()
    reference_tool()
    headers()
    streams()
    damage()
    seeds()
    against_corpus()
    ght.done()
