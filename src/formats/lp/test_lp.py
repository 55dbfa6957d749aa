#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Super images made by tests/tools/mklp.py (and by img2simg around them), read back byte for byte, whole and damaged."""
import hashlib
import pathlib
import random
import shutil
import struct
import sys

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT / "tests/lib"), str(ROOT / "tests/tools")]
import ght  # noqa: E402
import mklp  # noqa: E402
from mklp import Device, Partition  # noqa: E402

D = ght.tmp()
MAX = 65536
META = 12288  # slot 0 of a super partition
RND = random.Random(11)
A, B, C = RND.randbytes(300 * 1024), RND.randbytes(2 << 20), RND.randbytes(8192)
GROUPS = [("group_a", 0, 64 << 20), ("group_b", 0, 64 << 20)]
FULL = [Partition("system_a", [("bytes", A)], "group_a", 1), Partition("system_b", [], "group_b", 1),
        Partition("vendor_a", [("bytes", B), ("zero", 1 << 20), ("bytes", C)], "group_a", 1 | 4),
        Partition("odm_a", [("zero", 8192)], "group_a", 8)]
WANT = {"system_a": A, "system_b": b"", "vendor_a": B + bytes(1 << 20) + C, "odm_a": bytes(8192)}


def make(name="super.img", partitions=FULL, **kw):
    path = D / name
    kw.setdefault("groups", GROUPS)
    mklp.write_super([str(path)], partitions, **kw)
    return path


def of(rows, blob_name=None):
    """Rows of lp's own blob: members by name, notes as (code, at)."""
    names = {r["name"]: r for r in ght.rows(rows, "members") if r["name"] != blob_name}
    return names, [(r["code"], r["at"]) for r in ght.rows(rows, "notes", plugin="lp")]


def same(path, want, name, notes=()):
    rows = ght.drive(path)
    members, got = of(rows, path.name)
    ght.equal(sorted(members), sorted(want), f"{name}: names")
    ght.equal({n: m["size"] for n, m in members.items()}, {n: len(b) for n, b in want.items()}, f"{name}: sizes")
    for part, data in want.items():
        ght.equal(ght.sha(ght.cat(path, part) or b""), ght.sha(data), f"{name}: bytes of {part}")
        if part in members and members[part]["child"]:
            ght.equal(ght.blob_of(rows, members[part]["child"]).get("sha256"), ght.sha(data), f"{name}: hash of {part}")
    if notes is not None:
        ght.equal(got, list(notes), f"{name}: notes")
    return rows


def versions():
    for version in ((10, 0), (10, 1), (10, 2)):
        for slots in (1, 2, 3):
            path = make(version=version, slots=slots, flags=1 if version >= (10, 2) else 0)
            rows = same(path, WANT, f"version {version}, {slots} slots")
            got = [(r["slot"], r["name"], r["group_name"], r["attributes"], r["size"], r["extents"])
                   for r in ght.rows(rows, "lp_partitions")]
            want = [(s, p.name, p.group, p.attributes, len(WANT[p.name]), len(p.pieces))
                    for s in range(slots) for p in FULL]
            ght.equal(got, want, f"version {version}, {slots} slots: lp_partitions")


def order_and_places():
    rows = ght.drive(make())
    members = [m for m in ght.rows(rows, "members") if m["name"] != "super.img"]
    ght.equal([m["name"] for m in members], [p.name for p in FULL], "order of the metadata")
    data = (D / "super.img").read_bytes()
    ght.check(data[members[0]["off"]:members[0]["off"] + len(A)] == A, "a partition in one piece tells its offset")
    ght.equal(members[2]["off"], None, "a scattered partition has none")
    ght.equal(members[2]["csize"], len(B) + len(C), "zeros occupy nothing")
    ats = [r["at"] for r in ght.rows(rows, "lp_partitions")]
    ght.check(all(data[at:at + 36].rstrip(b"\0").decode() == FULL[i % len(FULL)].name for i, at in enumerate(ats)),
              "each row leads to its bytes")


def suffixes():
    path = make(partitions=[Partition("system", [("bytes", A)], "group_a", 1 | 2)], slots=2)
    rows = same(path, {"system_a": A}, "slot suffixed")
    ght.equal([r["name"] for r in ght.rows(rows, "lp_partitions")], ["system_a", "system_b"], "suffix of each slot")
    path = make(groups=[("main", 1, 1 << 30)], partitions=[Partition("system", [("bytes", A)], "main", 1 | 2)])
    ght.equal([r["group_name"] for r in ght.rows(ght.drive(path), "lp_partitions")], ["main_a", "main_b"],
              "suffixed group")


def slots_differ():
    path = make(slot_metadata={1: ["vendor_a", "odm_a"]})
    same(path, WANT, "slot 1 names fewer", [("unsup", META + MAX)])
    path = make(slot_metadata={0: ["system_a"]})
    same(path, WANT, "slot 1 names more: nothing is left out", [("unsup", META + MAX)])
    path = make(slots=2)
    data = bytearray(path.read_bytes())
    # Slot 1's vendor_a loses its last extent: another content under the same name.
    for base in (META + MAX, META + 3 * MAX):
        set32(data, base + 256 + 2 * 52 + 44, 2)
        resign(data, base)
    path.write_bytes(data)
    same(path, {**WANT, "vendor_a@slot1": B + bytes(1 << 20)}, "same name, other content", [("unsup", META + MAX)])


def set32(data, at, value):
    data[at:at + 4] = struct.pack("<I", value)


def resign(data, base):
    """Checksums of one metadata copy made right again."""
    size, = struct.unpack_from("<I", data, base + 8)
    tables, = struct.unpack_from("<I", data, base + 44)
    data[base + 48:base + 80] = hashlib.sha256(data[base + size:base + size + tables]).digest()
    data[base + 12:base + 44] = bytes(32)
    data[base + 12:base + 44] = hashlib.sha256(data[base:base + size]).digest()


def change(name, edit, want, notes, **kw):
    path = make("changed.img", **kw)
    data = bytearray(path.read_bytes())
    out = edit(data)
    path.write_bytes(data if out is None else out)
    return same(path, want, name, notes)


def wipe(data, at, n=4096):
    data[at:at + n] = bytes(n)


def flip(data, at):
    data[at] ^= 1


def copies():
    change("primary geometry gone", lambda d: wipe(d, 4096), WANT, [("bad", 4096)])
    change("backup geometry gone", lambda d: wipe(d, 8192), WANT, [("bad", 8192)])
    change("checksum of the primary geometry", lambda d: flip(d, 4096 + 48), WANT, [("bad", 4096)])
    change("both geometry checksums", lambda d: (flip(d, 4096 + 9), flip(d, 8192 + 9)) and None, WANT,
           [("bad", 4096)])
    change("primary metadata gone", lambda d: wipe(d, META), WANT, [("bad", META)])
    change("primary metadata's tables damaged", lambda d: flip(d, META + 256 + 3), WANT, [("bad", META)])
    change("backup metadata damaged", lambda d: flip(d, META + 2 * MAX + 300), WANT, [("bad", META + 2 * MAX)])

    def only_slot_1(data):
        wipe(data, META)
        wipe(data, META + 2 * MAX)
    change("slot 0 gone in both copies", only_slot_1, WANT, [("bad", META), ("bad", META + 2 * MAX)])

    def backup_lies(data):
        base = META + 2 * MAX
        data[base + 256:base + 262] = b"xystem"
        resign(data, base)
    change("backup says something else", backup_lies, WANT, [("bad", META + 2 * MAX)])

    def unsigned(data):
        for base in (META, META + MAX):
            flip(data, base + 256 + 36)
    change("both copies damaged: read nevertheless", unsigned, WANT, [("bad", META), ("bad", META + MAX)], slots=1)


def tables():
    def both(data, edit):
        for slot in range(4):
            edit(data, META + slot * MAX)
            resign(data, META + slot * MAX)
    ext = META + 256 + 4 * 52
    base = make("probe.img").read_bytes()
    first, = struct.unpack_from("<Q", base, ext + 12)
    others = {n: b for n, b in WANT.items() if n != "system_a"}
    path = make("changed.img")
    data = bytearray(path.read_bytes())
    both(data, lambda d, b: set32(d, b + 256 + 40, 99))
    path.write_bytes(data)
    rows = ght.drive(D / "changed.img")
    ght.equal(of(rows)[0]["system_a"]["flags"] & 4, 4, "such a partition is listed, not read")
    ght.equal(of(rows)[1], [("bad", META + 256 + 40)], "and told with its offset")
    for part, want in others.items():
        ght.equal(ght.sha(ght.cat(path, part)), ght.sha(want), f"extents outside of the table: {part} is read")
    # vendor_a begins on system_a's first sector; then system_a on the image's first.
    for name, at, sector, victim, note in (("overlap", 36, first, "vendor_a", ext + 24 + 12),
                                           ("inside the metadata", 12, 0, "system_a", ext + 12)):
        path = make("changed.img")
        data = bytearray(path.read_bytes())
        both(data, lambda d, b: d.__setitem__(slice(b + 256 + 4 * 52 + at, b + 256 + 4 * 52 + at + 8),
                                              struct.pack("<Q", sector)))
        path.write_bytes(data)
        rows = ght.drive(path)
        ght.equal(of(rows)[1][0], ("bad", note), f"{name}: told")
        ght.check(ght.cat(path, victim) is None, f"{name}: {victim} is not read")
        for part in set(WANT) - {victim}:
            ght.equal(ght.sha(ght.cat(path, part)), ght.sha(WANT[part]), f"{name}: {part} is read")
    path = make("changed.img")
    data = bytearray(path.read_bytes())
    both(data, lambda d, b: (set32(d, b + 256 + 52 + 40, 0), set32(d, b + 256 + 52 + 44, 1)))
    path.write_bytes(data)
    ght.equal(of(ght.drive(path))[1][0], ("bad", META + 256 + 52 + 40), "an extent of two partitions: told")
    ght.check(ght.cat(path, "system_b") is None, "an extent of two partitions: the second does not get it")
    change("group outside", lambda d: both(d, lambda d, b: set32(d, b + 256 + 48, 77)), WANT,
           [("bad", META + 256 + 48), ("bad", META + MAX + 256 + 48)])
    refused()


def refused():
    for name, at, value, code in (("metadata version 11", 4, 11, "unsup"), ("tables of 4 GB", 44, 0xFFFFFFF0, "limit"),
                                  ("partition table outside", 84, 1 << 30, "bad"), ("header of 12 bytes", 8, 12, "bad")):
        path = make("refused.img", slots=1)
        data = bytearray(path.read_bytes())
        for base in (META, META + MAX):
            set32(data, base + at, value)
        path.write_bytes(data)
        runs = ght.rows(ght.drive(path), "blob_runs", plugin="lp")
        ght.equal([r["status"] for r in runs], [code], f"{name}: refused")
    path = make("refused.img")
    data = bytearray(path.read_bytes())
    for at in (4096, 8192):
        set32(data, at + 44, 0)
    path.write_bytes(data)
    ght.equal([r["status"] for r in ght.rows(ght.drive(path), "blob_runs", plugin="lp")], ["bad"], "no slots: refused")


def cut():
    """A super image that was cut off: what is there is read, what is not is an error."""
    path = make("cut.img")
    data = path.read_bytes()
    path.write_bytes(data[:(2 << 20) + 4096])
    rows = ght.drive(path)
    members, notes = of(rows, "cut.img")
    ght.equal({n: m["size"] for n, m in members.items()}, {n: len(b) for n, b in WANT.items()}, "cut: sizes stay")
    ght.equal(ght.sha(ght.cat(path, "system_a")), ght.sha(A), "cut: what is there is read")
    ght.check(ght.cat(path, "vendor_a") is None, "cut: what is lost does not read as zeros")
    ght.check(any(c == "short" for c, _ in notes), "cut: told")


def inside_itself():
    """Partitions that are the whole image again would be walked for ever."""
    path = make("self.img", partitions=[Partition(f"p{i}", [("bytes", C)]) for i in range(10)])
    data = bytearray(path.read_bytes())
    for base in (META, META + MAX, META + 2 * MAX, META + 3 * MAX):
        for i in range(10):
            at = base + 256 + 10 * 52 + i * 24
            data[at:at + 24] = struct.pack("<QIQI", len(data) // 512, 0, 0, 0)
        resign(data, base)
    path.write_bytes(data)
    rows = ght.drive(path)
    ght.equal(len(ght.rows(rows, "lp_partitions")), 20, "an image inside itself is opened once")


def same_place():
    """After an update slot 1 names the other slot's partitions where slot 0 has its own: the same bytes, once."""
    path = make(partitions=[Partition("system_a", [("bytes", A)])])
    data = bytearray(path.read_bytes())
    for base in (META + MAX, META + 3 * MAX):
        data[base + 256:base + 264] = b"system_b"
        resign(data, base)
    path.write_bytes(data)
    rows = same(path, {"system_a": A}, "same place in another slot", [("unsup", META + MAX)])
    ght.equal([(r["slot"], r["name"]) for r in ght.rows(rows, "lp_partitions")], [(0, "system_a"), (1, "system_b")],
              "same place in another slot: both names are facts")


def devices():
    """Two block devices: the part on the other one is missing, not zero."""
    paths = [D / "super.img", D / "vendor.img"]
    mklp.write_super([str(p) for p in paths], [Partition("system", [("bytes", A)]), Partition("vendor", [("bytes", B)])],
                     devices=[Device("super", 2 << 20), Device("vendor", 4 << 20)])
    rows = ght.drive(paths[0])
    members, notes = of(rows, "super.img")
    ght.equal(members["vendor"]["size"], len(B), "another device: size")
    ght.equal(ght.sha(ght.cat(paths[0], "system")), ght.sha(A), "first device: bytes")
    ght.check(ght.cat(paths[0], "vendor") is None, "another device: not read")
    what = [r["what"] for r in ght.rows(rows, "notes", plugin="lp") if r["code"] == "unsup"]
    ght.check(any("another block device: vendor" in w for w in what), "another device: named", what)


def empty():
    path = D / "super_empty.img"
    mklp.write_empty(str(path), [Partition("system_a", [], "group_a", 1), Partition("vendor_a", [], "group_a")], GROUPS)
    same(path, {"system_a": b"", "vendor_a": b""}, "super_empty.img")


def sparse():
    if not shutil.which("img2simg"):
        ght.skip("sparse super", "android-sdk-libsparse-utils is not installed")
        return
    path = make()
    ght.run("img2simg", path, D / "sparse.img")
    rows = ght.drive(D / "sparse.img")
    members, notes = of(rows, "sparse.img")
    for part, data in WANT.items():
        ght.equal(ght.sha(ght.cat(D / "sparse.img", "image!/" + part) or b""), ght.sha(data), f"sparse super: {part}")
        ght.equal(ght.blob_of(rows, members[part]["child"]).get("sha256"), ght.sha(data), f"sparse super: hash {part}")
    ght.equal(notes, [], "sparse super: notes")


versions()
order_and_places()
suffixes()
slots_differ()
copies()
tables()
cut()
inside_itself()
same_place()
devices()
empty()
sparse()
ght.done()
