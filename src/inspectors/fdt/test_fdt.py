#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Device trees made by dtc: every node and property compared, versions 16 and 17, overlays; damaged ones."""
import pathlib
import random
import shutil
import struct
import subprocess
import sys
import zlib

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "tests/lib"))
import ght
import trees
from trees import Node, text

d = ght.tmp()


def rows(data):
    return ght.inspect("x.dtb", data, "fdt")


def strings(value):
    parts = value[:-1].split(b"\0") if value and not value[-1] else []
    ok = parts and all(p and all(0x20 <= b < 0x7f for b in p) for p in parts)
    return " ".join(p.decode() for p in parts) if ok else None


def want(root):
    out = []
    for path, node in root.walk():
        p = dict(node.props)
        panel = [v for k, v in node.props if k.endswith("panel-name")]
        row = [strings(p.get(k, b"")) for k in ("compatible", "status", "model", "label")] + [strings(panel[-1]) if panel else None]
        if row[0] or row[2] or row[3] or row[4]:
            out.append((path or "/", *row, p["reg"][:64].hex() if "reg" in p else None, len(node.props)))
    return sorted(out, key=str)


def got(found):
    return sorted(((r["path"], r["compatible"], r["status"], r["model"], r["label"], r["panel"], r["reg"], r["props"])
                   for r in ght.rows(found, "dt_nodes")), key=str)


def same(root, data, version, name):
    found = rows(data)
    tree = ght.rows(found, "dt_trees")
    count = sum(1 for _ in root.walk()), sum(len(n.props) for _, n in root.walk())
    ght.equal([(t["nodes"], t["props"], t["crc"], t["version"], t["size"]) for t in tree], [(*count, trees.crc(root), version, len(data))], f"{name}: all nodes and properties")
    ght.equal(got(found), want(root), f"{name}: the nodes that are kept")
    ght.equal(ght.rows(found, "notes"), [], f"{name}: nothing noted")
    for r in ght.rows(found, "dt_nodes"):
        if not ght.check(data[r["at"]:r["at"] + 4] == b"\0\0\0\1", f"{name}: {r['path']} leads to its bytes"):
            break
    return found


def tools():
    if not shutil.which("dtc"):
        ght.skip("dtc", "the package device-tree-compiler is not installed")
        return
    for seed, nodes in ((1, 0), (2, 40), (3, 2000)):
        root = trees.phone(seed, nodes)
        for version in (16, 17):
            same(root, trees.compile_tree(root, "-V", str(version)), version, f"{nodes} nodes, version {version}")
    root = trees.phone(4)
    same(root, trees.compile_tree(root, "-S", "65536"), 17, "room behind the strings")
    same(root, trees.compile_tree(root, "-R", "9"), 17, "reserved memory")
    ids = trees.phone(5, 3, model=text("M"), compatible=text("a", "b"), qcom_msm_id=b"")
    ids.props[-1:] = [("qcom,msm-id", struct.pack(">II", 293, 0)), ("qcom,board-id", struct.pack(">II", 8, 0))]
    t = ght.rows(rows(trees.compile_tree(ids)), "dt_trees")[0]
    ght.equal((t["model"], t["compatible"], t["chip_id"], t["board_id"]), ("M", "a b", "0000012500000000", "0000000800000000"), "what the root says")
    overlay(), against_fdtget()


def overlay():
    source = b"/dts-v1/;\n/plugin/;\n/ { compatible = \"x,ov\"; };\n&spi { chip@0 { compatible = \"maker,touch\"; label = \"t\"; }; };\n&{/soc} { led { status = \"ok\"; }; };\n"
    found = rows(ght.run("dtc", "-@", "-O", "dtb", input=source))
    ght.equal([t["fragments"] for t in ght.rows(found, "dt_trees")], [2], "an overlay's fragments are counted")
    ght.check(("/fragment@0/__overlay__/chip@0", "maker,touch", "t") in [(r["path"], r["compatible"], r["label"]) for r in ght.rows(found, "dt_nodes")],
              "a node of an overlay")


def against_fdtget():
    """The tool's own reading, property by property."""
    root = trees.phone(6, 6)
    path = d / "get.dtb"
    path.write_bytes(trees.compile_tree(root))
    c = 0
    todo = ["/"]
    while todo:
        node = todo.pop(0)
        c = zlib.crc32(node.encode().lstrip(b"/") and node.encode() + b"\0" or b"\0", c)
        for prop in ght.run("fdtget", "-p", path, node).decode().split("\n")[:-1]:
            p = subprocess.run(["fdtget", "-t", "bx", path, node, prop], capture_output=True, check=True).stdout.split()
            value = bytes(int(x, 16) for x in p)
            c = zlib.crc32(prop.encode() + b"\0" + struct.pack(">I", len(value)) + value, c)
        below = ght.run("fdtget", "-l", path, node).decode().split("\n")[:-1]
        todo[:0] = [(node if node != "/" else "") + "/" + n for n in below]
    ght.equal(ght.rows(rows(path.read_bytes()), "dt_trees")[0]["crc"], c, "as fdtget reads it")


# ---- damaged, written here from the specification ----

def raw(structs, names=b"", version=17, size=None, last=16):
    head = 40
    at = head + 16
    total = at + len(structs) + len(names)
    return struct.pack(">10I", 0xd00dfeed, size or total, at, at + len(structs), head, version, last, 0, len(names), len(structs)) + bytes(16) + structs + names


BEGIN, END, PROP, NOP, LAST = (struct.pack(">I", x) for x in (1, 2, 3, 4, 9))


def name(n):
    return n + bytes(4 - len(n) % 4)


def prop(off, value):
    return PROP + struct.pack(">II", len(value), off) + value + bytes(-len(value) % 4)


COMPATIBLE = b"compatible\0"
TREE = BEGIN + name(b"") + NOP + BEGIN + name(b"chip") + prop(0, b"a,b\0") + END + END + LAST
DAMAGED = {
    "no end token": (TREE[:-4], "short"), "node not closed": (BEGIN + name(b"") + LAST, "bad"), "an unknown token": (TREE[:8] + struct.pack(">I", 77) + TREE[8:], "bad"),
    "property outside": (prop(0, b"x\0") + TREE, "bad"), "one end too many": (BEGIN + name(b"") + END + END + LAST, "bad"),
    "name outside of the strings": (BEGIN + name(b"") + prop(99, b"x\0") + END + LAST, "bad"), "a value too long": (BEGIN + name(b"") + PROP + struct.pack(">II", 1 << 31, 0), "short"),
    "too deep": ((BEGIN + name(b"n")) * 70, "limit"), "two roots": (TREE[:-4] + TREE, "bad"), "long path": ((BEGIN + name(b"n" * 300)) * 5, "limit"),
}


def damaged():
    whole = raw(TREE, COMPATIBLE)
    ght.equal([(r["path"], r["compatible"]) for r in ght.rows(rows(whole), "dt_nodes")], [("/chip", "a,b")], "the writer's own tree")
    for what, (structs, code) in DAMAGED.items():
        found = rows(raw(structs, COMPATIBLE))
        ght.equal([n["code"] for n in ght.rows(found, "notes")][:1], [code], f"{what} is noted")
    found = rows(raw(TREE[:-8] + struct.pack(">I", 5), COMPATIBLE))
    ght.equal([r["path"] for r in ght.rows(found, "dt_nodes")], ["/chip"], "what came before the damage stays")
    for what, data, code in (("version 3", raw(TREE, COMPATIBLE, version=3, last=1), "unsup"), ("made for later readers", raw(TREE, COMPATIBLE, last=18, version=18), "unsup"),
                             ("blocks outside", whole[:8] + struct.pack(">I", 1 << 30) + whole[12:], "bad"), ("the header alone", whole[:20], "short")):
        found = rows(data)
        ght.equal([r["status"] for r in ght.rows(found, "blob_runs", plugin="fdt")], [code], f"{what}: {code}")
        ght.equal(ght.rows(found, "dt_nodes"), [], f"{what}: no rows")
    cut = rows(whole[:-15])
    ght.check(ght.rows(cut, "notes", code="short") and ght.rows(cut, "dt_trees"), "a tree that is cut off is noted and read")
    r = random.Random(9)
    for _ in range(40):
        data = bytearray(whole)
        for _ in range(3):
            data[r.randrange(8, len(data))] = r.randrange(256)
        rows(bytes(data))
    ght.check(True, "forty damaged trees are read to an end")


tools()
damaged()
ght.done()
