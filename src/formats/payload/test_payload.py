#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Payloads made by tests/tools/mkpayload.py, and update_engine's own, read back byte for byte; whole, damaged, inside packages, scanned."""
import hashlib
import os
import pathlib
import random
import sqlite3
import struct
import subprocess
import sys
import tarfile
import zipfile

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT / "tests/lib"), str(ROOT / "tests/tools")]
import ght  # noqa: E402
import mkpayload as mk  # noqa: E402
import packed  # noqa: E402
from mkpayload import BLOCK, Op, Partition, box, number  # noqa: E402
from unpacking import words  # noqa: E402

D = ght.tmp()
SEEDS = pathlib.Path(__file__).parent / "seeds"
RND = random.Random(13)
MIXED = words(40 * BLOCK) + RND.randbytes(8 * BLOCK) + bytes(8 * BLOCK) + words(5 * BLOCK, 9)
SMALL = words(3 * BLOCK, 4)
HOWS = ("REPLACE", "REPLACE_BZ", "REPLACE_XZ", "REPLACE_ZSTD")


def write(data, name="payload.bin"):
    path = D / name
    path.write_bytes(data)
    return path


def look(data):
    """Rows, members by name, notes as (code, at), rows of partitions by name."""
    rows = ght.drive(write(data))
    top = [m for m in ght.rows(rows, "members") if m["name"] == "payload.bin"]
    blob = top[0]["child"]
    members = {m["name"]: m for m in ght.rows(rows, "members", blob=blob)}
    notes = [(r["code"], r["at"]) for r in ght.rows(rows, "notes", plugin="payload")]
    return rows, members, notes, {r["name"]: r for r in ght.rows(rows, "payload_partitions")}


def same(data, want, label, notes=()):
    rows, members, got, parts = look(data)
    ght.equal({n: m["size"] for n, m in members.items()}, {n: len(b) for n, b in want.items()}, f"{label}: names and sizes")
    for name, image in want.items():
        ght.equal(ght.sha(ght.cat(D / "payload.bin", name) or b""), ght.sha(image), f"{label}: bytes of {name}")
    ght.equal({n: ght.blob_of(rows, m["child"]).get("sha256") for n, m in members.items()}, {n: ght.sha(b) for n, b in want.items()}, f"{label}: hashes")
    ght.equal(got, list(notes), f"{label}: notes")
    return rows, members, parts


def at_of(data, piece):
    """Where a message's bytes lie."""
    at = data.index(piece)
    ght.check(data.count(piece) == 1, "the place is one")
    return at


# ---- what is read ----

def kinds():
    for how in HOWS:
        for chunk in (BLOCK, 8 * BLOCK, mk.CHUNK):
            data = mk.payload([mk.full("system", MIXED, how, chunk), mk.full("vendor", SMALL, how, chunk)])
            rows, members, parts = same(data, {"system": MIXED, "vendor": SMALL}, f"{how}, operations of {chunk}")
            ght.equal([(p["state"], p["sha256"], p["needs_old"], p["unhashed"]) for p in parts.values()],
                      [("full", ght.sha(MIXED), 0, 0), ("full", ght.sha(SMALL), 0, 0)], f"{how}: payload_partitions")
    one = mk.full("boot", SMALL, "REPLACE")
    data = mk.payload([one])
    rows, members, parts = same(data, {"boot": SMALL}, "one plain operation")
    off = members["boot"]["off"]
    ght.check(data[off:off + len(SMALL)] == SMALL, "a partition that lies as it is tells where")
    ght.equal([p["at"] for p in parts.values()], [at_of(data, box(1, "boot"))], "each row leads to its bytes")


def extents():
    a, b, c = words(2 * BLOCK, 1), words(BLOCK, 2), words(3 * BLOCK, 5)
    for how in HOWS:
        ops = [Op(how, [(4, 1), (0, 2), (5, 2)], b + a + c[:2 * BLOCK]), Op("ZERO", [(2, 1), (7, 3)]), Op("DISCARD", [(3, 1)]), Op(how, [(10, 1)], c[2 * BLOCK:])]
        image = a + bytes(2 * BLOCK) + b + c[:2 * BLOCK] + bytes(3 * BLOCK) + c[2 * BLOCK:]
        same(mk.payload([Partition("p", ops, image)]), {"p": image}, f"{how}: several extents, out of order")
    short = words(2 * BLOCK + 100, 6)
    for how in HOWS:
        padded = short + bytes(BLOCK - 100)
        same(mk.payload([Partition("p", [Op(how, [(0, 3)], short)], padded)]), {"p": padded}, f"{how}: the last block is filled up")
        same(mk.payload([Partition("p", [Op(how, [(0, 3)], padded)], short)]), {"p": short}, f"{how}: a size that is no multiple of the block")
    image = words(64 * 1024, 8)
    ops = [Op("REPLACE_XZ", [(i, 1)], image[i * 16384:i * 16384 + 16384]) for i in (2, 0, 3, 1)]
    same(mk.payload([Partition("p", ops, image)], block=16384), {"p": image}, "blocks of 16 KiB")
    same(mk.payload([Partition("p", [Op("REPLACE", [(0, 3)], SMALL)])]), {"p": SMALL}, "without a size: what the operations write")
    same(mk.payload([Partition("p", [], b"")]), {"p": b""}, "an empty partition")
    data = mk.payload([Partition("p", [Op("REPLACE_XZ", [(0, 3)], SMALL, digest=None)], SMALL)])
    ght.equal(same(data, {"p": SMALL}, "no digest")[2]["p"]["unhashed"], 1, "no digest: counted")


def manifest():
    group = box(1, box(1, "main") + number(2, 1 << 33) + box(3, "system") + box(3, "vendor")) + box(1, box(1, "empty"))
    dynamic = group + number(2, 1) + number(3, 1) + box(4, "lz4") + number(5, 3) + box(6, number(1, 1))
    extra = number(14, 1700000000) + box(15, dynamic) + number(16, 1) + box(17, box(1, "com.android.adbd") + number(2, 340090000) + number(3, 1) + number(4, 5242880))
    extra += box(18, "2024-08-05") + varied()
    more = number(2, 1) + box(3, "system/bin/otapreopt_script") + box(4, "ext4") + box(5, box(2, b"sig")) + number(9, 1) + box(10, mk.extent(0, 2)) + box(11, mk.extent(2, 1))
    more += box(12, "sha256") + box(13, b"\1\2\3") + box(14, mk.extent(0, 2)) + box(15, mk.extent(1, 2)) + number(16, 2) + box(17, "1700000001") + box(18, b"") + number(19, 9) + varied()
    signature = mk.signatures(b"x" * 256, b"y" * 256)
    data = mk.payload([mk.full("system", SMALL, extra=more), mk.full("vendor", MIXED)], extra=extra, metadata_signature=mk.signatures(b"m" * 256), signature=signature)
    rows, members, parts = same(data, {"system": SMALL, "vendor": MIXED}, "a manifest with everything")
    size = struct.unpack_from(">Q", data, 12)[0] + 24
    want = dict(version=2, minor_version=0, block_size=4096, metadata_size=size, metadata_sha256=ght.sha(data[:size]), metadata_signatures=1, signatures=2, signatures_at=len(data) - len(signature),
                signatures_size=len(signature), partitions=2, max_timestamp=1700000000, partial_update=1, security_patch_level="2024-08-05", snapshot_enabled=1,
                vabc_enabled=1, vabc_compression="lz4", cow_version=3, metadata_signature_size=len(mk.signatures(b"m" * 256)), data_at=size + len(mk.signatures(b"m" * 256)))
    got = ght.rows(rows, "payload_info")[0]
    ght.equal({k: got[k] for k in want}, want, "payload_info")
    want = dict(name="system", state="full", size=len(SMALL), operations=1, by_type="REPLACE_XZ 1", version="1700000001", file_system="ext4",
                postinstall="system/bin/otapreopt_script", postinstall_optional=1, hash_tree_at=2 * BLOCK, hash_tree_size=BLOCK, hash_tree_algorithm="sha256",
                hash_tree_salt="010203", fec_at=BLOCK, fec_size=2 * BLOCK, fec_roots=2, merge_operations=1, signatures=1, old_size=None)
    ght.equal({k: parts["system"][k] for k in want}, want, "payload_partitions")
    ght.equal(ght.texts(rows, "payload_groups", "name", "size", "partitions"), [(b"main", 1 << 33, b"system vendor"), (b"empty", 0, None)], "payload_groups")
    ght.equal(ght.texts(rows, "payload_apexes", "package", "version", "compressed", "size"), [(b"com.android.adbd", 340090000, 1, 5242880)], "payload_apexes")


def varied():
    """Fields that no version has, of every wire type."""
    return number(900, 7) + mk.varint(901 << 3 | 1) + bytes(8) + box(902, b"unknown") + mk.fixed32(903, 5) + number((1 << 29) - 1, 1 << 63)


# ---- what cannot be opened ----

def delta():
    for kind in ("MOVE", "BSDIFF", "SOURCE_COPY", "SOURCE_BSDIFF", "PUFFDIFF", "BROTLI_BSDIFF", "ZUCCHINI", "LZ4DIFF_BSDIFF", "LZ4DIFF_PUFFDIFF", 99):
        ops = [Op("REPLACE_XZ", [(0, 3)], SMALL), Op(kind, [(3, 2)], b"diff" if kind != "SOURCE_COPY" else None, src=[(0, 2)])]
        image = SMALL + bytes(2 * BLOCK)
        data = mk.payload([Partition("system", ops, image, old=(BLOCK, bytes(32))), mk.full("vendor", SMALL)], minor=9)
        rows, members, notes, parts = look(data)
        word = kind if isinstance(kind, str) else "unknown"
        types = sorted(("REPLACE_XZ 1", f"{word} 1"), key=lambda t: mk.TYPES.get(t.split()[0], 15))
        ght.equal((members["system"]["child"], members["system"]["size"], parts["system"]["state"], parts["system"]["needs_old"], parts["system"]["by_type"], parts["system"]["old_size"]),
                  (None, len(image), "delta", 1, " ".join(types), BLOCK), f"{word}: described, not opened")
        ght.equal([n[0] for n in notes], ["unsup"], f"{word}: noted")
        ght.equal(ght.sha(ght.cat(D / "payload.bin", "vendor") or b""), ght.sha(SMALL), f"{word}: what needs nothing old is read")
        ght.equal(ght.cat(D / "payload.bin", "system"), None, f"{word}: no bytes are made up")


def refused(data, label, code, at, table="blob_runs"):
    rows = ght.drive(write(data))
    ght.equal([(r["status"], r["at"]) for r in ght.rows(rows, table, plugin="payload")], [(code, at)], label)


def headers():
    good = mk.payload([mk.full("p", SMALL)])
    refused(good[:4] + struct.pack(">Q", 3) + good[12:], "version 3", "unsup", 4)
    refused(mk.payload([mk.full("p", SMALL)], version=1), "version 1 (Brillo) is told", "unsup", 4)
    refused(good[:12] + struct.pack(">Q", 33 << 20) + good[20:], "a manifest over the limit", "limit", 12)
    refused(good[:12] + struct.pack(">Q", 1 << 63) + good[20:], "a manifest of exabytes", "limit", 12)
    refused(good[:12] + struct.pack(">Q", len(good)) + good[20:], "a manifest longer than the file", "short", 0)
    refused(good[:23], "a cut header", "short", 0)
    refused(mk.payload([], block=3000), "blocks of 3000 bytes", "bad", 24)
    ght.check(not [r for r in ght.rows(ght.drive(write(b"CrAV" + good[4:])), "blob_runs") if r["plugin"] == "payload"], "another magic number is no payload")


def contradictions():
    """(operations, size, notes expected, bytes that still come: (offset, bytes), bytes that do not)"""
    a = words(BLOCK, 21)
    bad = hashlib.sha256(b"other").digest()

    def case(label, ops, size, notes, reads=(), fails=(), **kw):
        data = mk.payload([Partition("p", ops, size=size, **kw), mk.full("good", SMALL)])
        rows, members, got, parts = look(data)
        ght.equal([n[0] for n in got], notes, f"{label}: notes")
        # What is over a limit is listed as not to be read; gh_drive would read it all the same.
        whole = ght.cat(D / "payload.bin", "p") if parts["p"]["state"] == "full" else None
        ght.check(whole is None if fails else whole == b"".join(reads), f"{label}: bytes", repr(whole)[:80])
        ght.equal(ght.sha(ght.cat(D / "payload.bin", "good") or b""), ght.sha(SMALL), f"{label}: the next partition is read")
        return data, got, parts

    for how in HOWS:
        op = Op(how, [(0, 1)], a, digest=bad)
        data, got, _ = case(f"{how}: another digest", [op], BLOCK, ["bad"], fails=True)
        ght.equal(got, [("bad", at_of(data, op.data))], f"{how}: another digest: where")
    case("a gap", [Op("REPLACE", [(0, 1)], a), Op("REPLACE", [(2, 1)], a)], 3 * BLOCK, ["bad", "bad"], fails=True)
    case("nothing written behind", [Op("REPLACE", [(0, 1)], a)], 2 * BLOCK, ["bad", "bad"], fails=True)
    case("behind the end", [Op("REPLACE", [(0, 1)], a), Op("REPLACE", [(1, 1)], a)], BLOCK, ["bad"], reads=[a])
    _, _, parts = case("the same block twice", [Op("REPLACE", [(0, 2)], a + a), Op("ZERO", [(1, 1)])], 2 * BLOCK, ["bad"], fails=True)
    ght.equal(parts["p"]["state"], "refused", "the same block twice: not guessed")
    case("too little data", [Op("REPLACE", [(0, 3)], a)], 3 * BLOCK, ["bad", "bad"], fails=True)
    case("too much data", [Op("REPLACE", [(0, 1)], a + a)], BLOCK, ["bad", "bad"], fails=True)
    for how in HOWS[1:]:
        case(f"{how}: unpacks to too little", [Op(how, [(0, 3)], a)], 3 * BLOCK, ["bad"], fails=True)
        case(f"{how}: unpacks to too much", [Op(how, [(0, 1)], a + a)], BLOCK, ["limit"], fails=True)
        case(f"{how}: no such stream", [Op(how, [(0, 1)], packed=b"plain text")], BLOCK, ["bad"], fails=True)
        case(f"{how}: more than is held", [Op(how, [(0, 33 << 8)], a)], 33 << 20, ["limit", "limit"], fails=True)
    case("terabytes of zeros", [Op("ZERO", [(0, 1 << 31)])], 1 << 43, ["limit"], fails=True)
    case("an extent without end", [Op("ZERO", [(0, (1 << 64) - 1)])], 1 << 43, ["limit"], fails=True)
    case("a block without end", [Op("REPLACE", [((1 << 64) - 1, 1)], a)], BLOCK, ["limit"], fails=True)
    case("a size without end", [Op("REPLACE", [(0, 1)], a)], (1 << 64) - 1, ["limit"], fails=True)
    far = Op("REPLACE", [(0, 1)], a)
    far.message = lambda at: number(1, 0) + number(2, 1 << 40) + number(3, BLOCK) + box(6, mk.extent(0, 1))
    case("data behind the end", [far], BLOCK, ["short", "short"], fails=True)
    far.message = lambda at: number(1, 0) + number(2, (1 << 64) - 1) + number(3, BLOCK) + box(6, mk.extent(0, 1))
    case("data at an offset that overflows", [far], BLOCK, ["short", "short"], fails=True)
    data = mk.payload([Partition(f"p{i}", [Op("REPLACE_XZ", [(0, 3)], SMALL)], SMALL) for i in range(2)])
    twice = mk.payload([mk.full("a", SMALL, "REPLACE"), Partition("b", [], size=len(SMALL))])
    shared = Op("REPLACE", [(0, 3)])
    shared.message = lambda at: number(1, 0) + number(2, 0) + number(3, len(SMALL)) + box(6, mk.extent(0, 3))
    twice = mk.payload([mk.full("a", SMALL, "REPLACE"), Partition("b", [shared], size=len(SMALL)), Partition("c", [shared], size=len(SMALL))])
    rows, members, notes, parts = look(twice)
    ght.equal(([p["state"] for p in parts.values()], notes), (["full", "refused", "refused"], [("limit", parts[n]["at"]) for n in "bc"]), "the same data again and again")
    ght.check(look(data)[2] == [], "two alike")


def wire():
    """Malformed messages: what came before counts."""
    good = mk.full("good", SMALL)
    for label, raw in {"a group": mk.varint(50 << 3 | 3), "wire type 7": mk.varint(50 << 3 | 7), "field 0": b"\0\0", "a box too long": mk.varint(50 << 3 | 2) + mk.varint(1 << 40),
                       "a varint of eleven bytes": mk.varint(50 << 3) + b"\xff" * 10 + b"\1", "a varint cut off": mk.varint(50 << 3) + b"\xff"}.items():
        data = mk.payload([good], extra=raw)
        rows, members, notes, parts = look(data)
        ght.check(set(members) == {"good"} and ght.cat(D / "payload.bin", "good") == SMALL, f"{label} in the manifest: the partition before is read")
        ght.check(notes and all(n[0] in ("bad", "short") and n[1] >= 24 + struct.unpack_from(">Q", data, 12)[0] - len(raw) for n in notes), f"{label} in the manifest: noted", str(notes))
        data = mk.payload([mk.full("bad", SMALL, extra=raw), good])
        rows, members, notes, parts = look(data)
        ght.equal((members["bad"]["child"], parts["bad"]["state"], ght.cat(D / "payload.bin", "good") == SMALL), (None, "refused", True), f"{label} in a partition: the next is read")
    rows, members, notes, parts = look(mk.payload([mk.full("", SMALL), mk.full("a/../b\n\xff", SMALL)]))
    ght.equal(([n[0] for n in notes], len(members)), (["bad"], 2), "a partition without a name, and one with an odd one")
    many = mk.payload([Partition(f"p{i}", [], b"") for i in range(1025)])
    rows, members, notes, parts = look(many)
    ght.equal((len(members), [n[0] for n in notes]), (1024, ["limit"]), "more than 1024 partitions")


def damage():
    data = mk.payload([mk.full("system", MIXED, how, 8 * BLOCK) for how in HOWS[:1]] + [mk.full("vendor", SMALL, "REPLACE_ZSTD")], signature=mk.signatures(b"s" * 64))
    size = 24 + struct.unpack_from(">Q", data, 12)[0]
    wrong = []
    for at in sorted(RND.sample(range(size, len(data) - 80), 30)):
        bad = bytearray(data)
        bad[at] ^= 1 << RND.randrange(8)
        rows, members, notes, parts = look(bytes(bad))
        got = {n: ght.cat(D / "payload.bin", n) for n in ("system", "vendor")}
        if not [n for n in notes if n[0] == "bad"] or (got["system"] is not None and got["vendor"] is not None) or [g for g, w in ((got["system"], MIXED), (got["vendor"], SMALL)) if g not in (None, w)]:
            wrong.append((at, notes))
    ght.equal(wrong, [], "a flipped bit in the data: told, and no other bytes are given")
    wrong = []
    for at in sorted(RND.sample(range(size, len(data)), 30)):
        rows, members, notes, parts = look(data[:at])
        if "short" not in [n[0] for n in notes]:
            wrong.append((at, notes))
    ght.equal(wrong, [], "cut in the data: told")


# ---- update_engine's own ----

def reference():
    d = ght.corpus("update_engine")
    if not d:
        return
    w = ght.tmp()
    for name in ("sample_payloads.tar.xz", "sample_images.tar.bz2"):
        with tarfile.open(d / "sample_images" / name) as t:
            t.extractall(w)
    want = {"kernel": (w / "disk_ext2_4k.img").read_bytes(), "root": (w / "disk_sqfs_default.img").read_bytes()}
    data = (w / "full_payload.bin").read_bytes()
    rows = ght.drive(w / "full_payload.bin")
    for name, image in want.items():
        ght.equal(ght.sha(ght.cat(w / "full_payload.bin", name) or b""), ght.sha(image), f"update_engine's full payload: {name} is its image bit for bit")
    ght.equal([(p["name"], p["sha256"], p["by_type"]) for p in ght.rows(rows, "payload_partitions")],
              [("kernel", ght.sha(want["kernel"]), "REPLACE_BZ 2"), ("root", ght.sha(want["root"]), "REPLACE_XZ 1")], "update_engine's full payload: rows")
    rows = ght.drive(w / "delta_payload.bin")
    ght.equal([(p["name"], p["state"], p["needs_old"]) for p in ght.rows(rows, "payload_partitions")], [("kernel", "delta", 2), ("root", "full", 0)], "update_engine's delta payload")
    ght.equal(ght.rows(rows, "payload_info")[0]["minor_version"], 6, "update_engine's delta payload: minor version")
    ght.equal(ght.sha(ght.cat(w / "delta_payload.bin", "root") or b""), ght.sha(want["root"]), "update_engine's delta payload: the partition that needs nothing old")
    # Its own tests: a payload that is cut, of which a byte is changed in data or manifest, or whose version is too new, is refused.
    for label, bad, where in (("cut", data[:-1], "root"), ("data changed", data[:-90] + bytes([data[-90] ^ 1]) + data[-89:], "root"),
                              ("digest changed", data.replace(hashlib.sha256(data[281:281 + 1342]).digest(), bytes(32)), "kernel")):
        ght.check(bad != data, f"{label}: changed")
        path = write(bad)
        ght.check(ght.cat(path, where) is None and ght.rows(ght.drive(path), "notes"), f"update_engine's full payload, {label}: refused with a note")


# ---- the whole program ----

def ext4(files, size):
    tree = ght.tmp()
    for name, data in files.items():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_bytes(data)
    path = D / "fs.img"
    if path.exists():
        path.unlink()
    ght.run("mke2fs", "-q", "-t", "ext4", "-d", tree, path, size)
    return path.read_bytes()


def erofs(files):
    tree = ght.tmp()
    for name, data in files.items():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_bytes(data)
    ght.run("mkfs.erofs", "-zlz4hc", D / "fs.erofs", tree)
    data = (D / "fs.erofs").read_bytes()
    return data + bytes(-len(data) % BLOCK)


def scan(path, *options):
    db = D / "facts.db"
    if db.exists():
        db.unlink()
    p = subprocess.run([str(ght.BUILD / "gifthorse"), "scan", str(path), "--db", str(db), *options], capture_output=True)
    ght.check(p.returncode in (0, 1, 3), f"scan of {path.name} ends", p.stderr.decode()[-300:])
    return sqlite3.connect(f"file:{db}?mode=ro", uri=True), p


def package():
    """A package as makers publish it: zip, stored payload, partitions, an app in one; and the same with a deflated payload."""
    aapt = D / "app.apk"
    (D / "AndroidManifest.xml").write_text('<manifest xmlns:android="http://schemas.android.com/apk/res/android" package="org.example.inside" android:versionCode="7">'
                                           '<application android:label="x"/></manifest>')
    ght.run("aapt2", "link", "-o", aapt, "--manifest", D / "AndroidManifest.xml", "-I", "/usr/share/android-framework-res/framework-res.apk")
    system = {"system/build.prop": b"ro.build.type=user\nro.build.version.sdk=34\n", "system/app/Inside/Inside.apk": aapt.read_bytes(), "system/etc/hosts": b"127.0.0.1 localhost\n"}
    system.update({f"system/lib/f{i}": words(70000, 100 + i) for i in range(40)})
    vendor = {"build.prop": b"ro.vendor=1\n", "etc/x.txt": words(200000, 77)}
    images = {"system": ext4(system, "8M"), "vendor": erofs(vendor), "modem": words(300000 // BLOCK * BLOCK, 31), "odm": words(BLOCK, 2)}
    parts = [mk.full(n, i, "REPLACE_XZ", 256 * 1024, jobs=2) for n, i in images.items() if n != "odm"]
    parts.append(Partition("odm", [Op("SOURCE_COPY", [(0, 1)], src=[(0, 1)])], images["odm"]))
    parts[2].digest = hashlib.sha256(b"another modem").digest()
    data = mk.payload(parts, signature=mk.signatures(b"z" * 256))
    props = mk.properties(data)
    for label, method, told in (("stored", zipfile.ZIP_STORED, props), ("deflated", zipfile.ZIP_DEFLATED, props.replace(b"FILE_SIZE=", b"FILE_SIZE=1"))):
        with zipfile.ZipFile(D / "ota.zip", "w", method) as z:
            z.writestr("META-INF/com/android/metadata", "ota-type=AB\n")
            z.writestr("payload.bin", data)
            z.writestr("payload_properties.txt", told)
        con, p = scan(D / "ota.zip")
        files = dict(con.execute("SELECT dpath, sha256 FROM files WHERE ftype='file' AND image IN ('system','vendor')"))
        want = {"/" + n: ght.sha(b) for n, b in system.items()} | {"/vendor/" + n: ght.sha(b) for n, b in vendor.items()}
        ght.equal({k: v for k, v in files.items() if "lost+found" not in k}, want, f"{label}: every file of every partition at its place")
        ght.equal(con.execute("SELECT package, version_code FROM apks").fetchall(), [("org.example.inside", 7)], f"{label}: the app inside")
        ght.equal(con.execute("SELECT name, fs_type, size FROM partitions ORDER BY name").fetchall(),
                  [("modem", "data", len(images["modem"])), ("odm", None, BLOCK), ("system", "ext4", len(images["system"])), ("vendor", "erofs", len(images["vendor"]))], f"{label}: partitions")
        checks = con.execute("SELECT what, place, state FROM payload_checks ORDER BY 1, 2").fetchall()
        ght.equal(checks, [("FILE_HASH", "/payload.bin", "ok"), ("FILE_SIZE", "/payload.bin", "ok" if label == "stored" else "differs"), ("METADATA_HASH", "/payload.bin", "ok"),
                           ("METADATA_SIZE", "/payload.bin", "ok"), ("SHA-256", "modem", "differs"), ("SHA-256", "odm", "not computed"), ("SHA-256", "system", "ok"),
                           ("SHA-256", "vendor", "ok")], f"{label}: digests and sizes compared")
        missed = con.execute("SELECT place, what, bytes, damaged, hides FROM d_not_examined ORDER BY 1, 2").fetchall()
        ght.check(("odm", "partition", BLOCK, 0, "*") in missed and ("modem", "digest", None, 1, None) in missed, f"{label}: what is told as not examined", str(missed))
        ght.equal(con.execute("SELECT signatures, metadata_signatures FROM payload_info").fetchall(), [(1, 0)], f"{label}: signatures are counted")
        con.close()
    for args, want in ((("ls", "system:/system/etc"), b"system:/system/etc/hosts"), (("cat", "system:/system/etc/hosts"), b"127.0.0.1 localhost\n")):
        p = subprocess.run([str(ght.BUILD / "gifthorse"), args[0], str(D / "ota.zip"), args[1]], capture_output=True)
        ght.check(want in p.stdout, f"{args[0]} {args[1]}", (p.stdout + p.stderr).decode(errors="replace")[-300:])
    con, p = scan(write(data))
    ght.equal(con.execute("SELECT count(*) FROM partitions WHERE name='payload'").fetchone(), (0,), "a payload is no partition itself")
    ght.equal(con.execute("SELECT count(*) FROM apks").fetchone(), (1,), "a payload alone is read too")


def entries_of():
    con = sqlite3.connect(f"file:{D / 'facts.db'}?mode=ro", uri=True)
    got = con.execute("SELECT path, e.size, hex(b.sha256), off, ftype, mode, uid, gid, mtime, link_target, ino, nlink FROM c_entries e LEFT JOIN blobs b ON b.blob_id = e.child"
                      " ORDER BY e.blob_id, n").fetchall()
    notes = con.execute("SELECT plugin, code, what FROM c_notes ORDER BY 1, 2, 3").fetchall()
    con.close()
    return got, notes


def entries(path):
    scan(path)[0].close()
    return entries_of()


def many():
    """Small files by the thousand in operations of 2 MiB: read in the order in which they lie, told in the order of the directories, as in the image by itself."""
    files = {f"d{i % 61}/e{i % 7}/f{i}": words(RND.randrange(1, 9000), 1000 + i) for i in range(2600)}
    files.update({f"large{i}": RND.randbytes(700000) for i in range(6)})
    for pack in (["-zlz4"], []):
        tree = ght.tmp()
        for name, data in files.items():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            (tree / name).write_bytes(data)
        for i in range(20):
            (tree / f"d{i}/link").symlink_to(f"../d{i}/e{i % 7}")
        ght.run("mkfs.erofs", *pack, D / "fs.erofs", tree)
        image = (D / "fs.erofs").read_bytes()
        image += bytes(-len(image) % BLOCK)
        want, notes = entries(write(image, "system.img"))
        ght.equal((len([e for e in want if e[4] == "file"]), len([e for e in want if e[9]])), (len(files), 20), "many files: all are listed")
        data = mk.payload([mk.full("system", image, "REPLACE_XZ", jobs=2)])
        ght.check(data.count(b"\xfd7zXZ\0") >= 3, "many files: several operations are packed")
        for jobs in ("1", "3"):
            con, _ = scan(write(data), "--jobs", jobs)
            con.close()
            ght.equal(entries_of(), (want, notes), f"many files, {pack}, {jobs} workers: as in the image")


# ---- seeds ----

def seeds_made():
    small = (words(700, 3) * 12)[:2 * BLOCK]
    parts = [mk.full("system", small + bytes(BLOCK), "REPLACE_XZ", BLOCK), Partition("vendor", [Op("REPLACE_BZ", [(1, 1), (0, 1)], small)], small[BLOCK:] + small[:BLOCK]),
             mk.full("boot", small, "REPLACE_ZSTD")]
    group = box(15, box(1, box(1, "g") + number(2, 5) + box(3, "system")))
    good = mk.payload(parts, extra=group + number(14, 5), metadata_signature=mk.signatures(b"m" * 20), signature=mk.signatures(b"s" * 20))
    one = [mk.full("p", small[:BLOCK], "REPLACE")]
    flipped = bytearray(good)
    flipped[-100] ^= 4
    a = small[:BLOCK]
    return {"full.bin": good, "plain.bin": mk.payload(one, extra=varied()), "v1.bin": mk.payload(one, version=1), "cut.bin": good[:-60], "digest.bin": bytes(flipped),
            "delta.bin": mk.payload([Partition("d", [Op("PUFFDIFF", [(0, 1)], b"x" * 90, src=[(0, 1)]), Op("ZERO", [(1, 1)])], bytes(2 * BLOCK)), *one], minor=9),
            "overlap.bin": mk.payload([Partition("p", [Op("REPLACE", [(0, 2)], small), Op("DISCARD", [(1, 3)])], size=4 * BLOCK)]),
            "gap.bin": mk.payload([Partition("p", [Op("REPLACE_ZSTD", [(2, 1)], a), Op("ZERO", [(5, 1)])], size=8 * BLOCK)]),
            "huge.bin": mk.payload([Partition("p", [Op("ZERO", [(0, 1 << 31)])], size=1 << 43), Partition("q", [Op("ZERO", [((1 << 64) - 1, 1 << 60)])], size=5)]),
            "wire.bin": mk.payload(one, extra=mk.varint(50 << 3 | 2) + mk.varint(1 << 40)), "manifest.bin": good[:12] + struct.pack(">Q", 1 << 40) + good[20:],
            "short_op.bin": mk.payload([Partition("p", [Op("REPLACE_XZ", [(0, 3)], a), Op("REPLACE", [(3, 2)], a)], size=5 * BLOCK)])}


if __name__ == "__main__":
    if sys.argv[1:] == ["--seeds"]:
        packed.write_seeds(SEEDS, seeds_made())
        sys.exit()
    for step in (kinds, extents, manifest, delta, headers, contradictions, wire, damage, reference, package, many):
        step()
    packed.seeds(SEEDS, "payload")
    ght.done()
