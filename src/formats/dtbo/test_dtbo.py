#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Collections of device trees: trees made by dtc, put into tables by a writer made from dt_table.h and the other layouts."""
import gzip
import pathlib
import shutil
import struct
import sys
import zlib

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "tests/lib"))
import ght
import trees

d = ght.tmp()
PATH = d / "dtbo.img"


def table(entries, version=0, page=2048, head=32, entry=32, count=None, shift=0, total=None):
    """entries: (bytes, id, rev, custom[4])"""
    at = head + entry * len(entries)
    rows = body = b""
    for data, ident, rev, custom in entries:
        rows += struct.pack(">8I", len(data), at + len(body) + shift, ident, rev, *custom) + bytes(entry - 32)
        body += data
    return struct.pack(">8I", 0xd7b7ab1e, total or at + len(body), head, entry, len(entries) if count is None else count, head, page, version) + bytes(head - 32) + rows + body


def qcdt(entries, version):
    ids = {1: 3, 2: 4, 3: 8}[version]
    entry = ids * 4 + 8
    at = 12 + entry * len(entries)
    at += -at % 2048
    rows = body = b""
    for i, data in enumerate(entries):
        rows += struct.pack(f"<{ids}I", *range(100 + i, 100 + i + ids)) + struct.pack("<II", at + len(body), len(data))
        body += data
    head = b"QCDT" + struct.pack("<II", version, len(entries)) + rows
    return head + bytes(at - len(head)) + body


def dtbh(entries, version=2):
    at = 2048
    rows = body = b""
    for i, data in enumerate(entries):
        rows += struct.pack("<8I", 7420, 0x50a6, 0x217584da, i, i + 5, at + len(body), len(data), 32)
        body += data
    head = b"DTBH" + struct.pack("<II", version, len(entries)) + rows
    return head + bytes(at - len(head)) + body


def look(data):
    PATH.write_bytes(data)
    return ght.drive(PATH)


def same(data, want, kind, name, notes=()):
    """Exactly these trees as children, each with its bytes; as many rows in dt_entries; each read by the inspector of trees."""
    rows = look(data)
    members = ght.rows(rows, "members", blob=2)
    ght.equal([m["name"] for m in members], [f"{i}.dtb" for i in range(len(want))], f"{name}: children")
    for m, tree in zip(members, want):
        ght.equal(ght.blob_of(rows, m["child"]).get("sha256"), ght.sha(tree), f"{name}: hash of {m['name']}")
        ght.equal(ght.cat(PATH, m["name"]), tree, f"{name}: bytes of {m['name']}")
    entries = ght.rows(rows, "dt_entries")
    ght.equal([(e["kind"], e["entry"]) for e in entries], [(kind, i) for i in range(len(want))], f"{name}: entries")
    for e, m in zip(entries, members):
        ght.equal((e["off"], e["size"]), (m["off"], m["csize"]), f"{name}: place of {m['name']}")
    ght.equal([n["code"] for n in ght.rows(rows, "notes", plugin="dtbo")], list(notes), f"{name}: notes")
    return rows


def main():
    if not shutil.which("dtc"):
        ght.skip("dtc", "the package device-tree-compiler is not installed")
        return
    tree = [trees.compile_tree(trees.phone(i, 20)) for i in range(3)]
    nodes = len(ght.rows(ght.inspect("x.dtb", tree[0], "fdt"), "dt_nodes"))
    entries = [(t, 0x10 + i, 7, (1, 2, 3, 4)) for i, t in enumerate(tree)]
    rows = same(table(entries), tree, "table", "table, version 0")
    ght.equal([e["ids"] for e in ght.rows(rows, "dt_entries")][0], "id=0x10 rev=0x7 custom0=0x1 custom=0x2,0x3,0x4", "ids of version 0")
    ght.equal(len(ght.rows(rows, "dt_trees")), 3, "each child is read as a tree")
    same(table(entries, head=64, entry=48), tree, "table", "longer header and entries")
    same(table(entries) + bytes(8192), tree, "table", "zeros behind it")
    packed = [(zlib.compress(tree[0]), 1, 0, (1, 0, 0, 0)), (gzip.compress(tree[1]), 2, 0, (2, 0, 0, 0)), (tree[2], 3, 0, (0x10, 9, 9, 9))]
    rows = look(table(packed, 1))
    ght.equal(sorted(ght.rows(rows, "dt_trees")[i]["size"] for i in range(3)), sorted(map(len, tree)), "version 1: packed trees are read")
    ght.equal([e["packed"] for e in ght.rows(rows, "dt_entries")], [1, 2, 0], "version 1: how each is packed")
    ght.equal(ght.cat(PATH, "0.dtb"), tree[0], "version 1: bytes from zlib")
    ght.equal(ght.cat(PATH, "1.dtb!/content"), tree[1], "version 1: bytes from gzip")
    ght.equal(ght.rows(rows, "dt_entries")[2]["ids"], "id=0x3 rev=0x0 flags=0x10 custom=0x9,0x9,0x9", "ids of version 1")
    ght.equal(ght.rows(rows, "notes"), [], "version 1: nothing noted")
    for version in (1, 2, 3):
        rows = same(qcdt(tree, version), tree, "qcdt", f"QCDT version {version}")
        want = {1: "platform=0x65 variant=0x66 subtype=0x0 soc_rev=0x67 pmic=0x0,0x0,0x0,0x0", 2: "platform=0x65 variant=0x66 subtype=0x67 soc_rev=0x68 pmic=0x0,0x0,0x0,0x0",
                3: "platform=0x65 variant=0x66 subtype=0x67 soc_rev=0x68 pmic=0x69,0x6a,0x6b,0x6c"}[version]
        ght.equal(ght.rows(rows, "dt_entries")[1]["ids"], want, f"QCDT version {version}: ids")
    rows = same(dtbh(tree), tree, "dtbh", "DTBH")
    ght.equal(ght.rows(rows, "dt_entries")[2]["ids"], "chip=0x1cfc platform=0x50a6 subtype=0x217584da hw_rev=0x2..0x7", "DTBH: ids")
    chains(tree, nodes)
    damaged(tree, entries)


def chains(tree, nodes):
    same(b"".join(tree), tree, "chain", "chain")
    aligned = b"".join(t + bytes(-len(t) % 4) for t in tree)
    same(aligned + bytes(4096), tree, "chain", "chain with zeros behind it")
    same(b"".join(tree) + b"other bytes", tree, "chain", "chain with something behind it", ["unsup"])
    same(b"".join(tree) + b"x" * 500 + b"AVBf" + bytes(60), tree, "chain", "chain with a footer of verified boot")
    for what, more, notes in (("zeros", bytes(100), []), ("something", bytes(50) + b"x" * 50, ["unsup"])):
        rows = look(tree[0] + more)
        ght.equal((ght.rows(rows, "members", blob=2), len(ght.rows(rows, "dt_nodes"))), ([], nodes), f"one tree with {what} behind it is read where it lies")
        ght.equal([n["code"] for n in ght.rows(rows, "notes", plugin="dtbo")], notes, f"one tree with {what} behind it: notes")
    ght.equal(len(ght.rows(look(b"".join(tree)), "dt_trees")), 3, "no tree of a chain is read twice")


def damaged(tree, entries):
    far = table(entries, shift=1 << 24)
    rows = look(far)
    ght.equal(len(ght.rows(rows, "notes", plugin="dtbo", code="short")), 3, "trees behind the end are noted")
    rows = look(table(entries, count=9))
    ght.check(len(ght.rows(rows, "members", blob=2)) >= 3, "a count that is too large: the trees that are there are listed")
    rows = look(table(entries)[:32 + 48])
    ght.equal([r["status"] for r in ght.rows(rows, "blob_runs", plugin="dtbo")], ["short"], "a table that is cut off")
    for what, data in (("version 7", table(entries, 7)), ("QCDT of version 9", b"QCDT" + struct.pack("<II", 9, 1) + bytes(100)), ("DTBH of version 1", dtbh(tree, 1))):
        ght.equal([r["status"] for r in ght.rows(look(data), "blob_runs", plugin="dtbo")], ["unsup"], what)
    ght.equal([r["status"] for r in ght.rows(look(table(entries, entry=32)[:12] + struct.pack(">I", 8) + bytes(100)), "blob_runs", plugin="dtbo")], ["bad"], "entries of 8 bytes")
    rows = look(table([(b"x\x9cnothing", 1, 1, (1, 0, 0, 0)), (tree[0], 2, 2, (3, 0, 0, 0))], 1))
    ght.check(ght.rows(rows, "notes", code="unsup"), "an unknown packing is noted")
    ght.check([r for r in ght.rows(rows, "notes") if r["code"] in ("bad", "short")], "broken zlib is noted")


main()
ght.done()
