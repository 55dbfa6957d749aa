#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Kernel images: packed by gzip, xz, lz4 and zstd, put behind a head written from the kernel's boot documents, with trees by dtc behind them."""
import pathlib
import shutil
import struct
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "tests/lib"))
import ght
import kernels
import trees

d = ght.tmp()
PATH = d / "kernel"
KERNEL = kernels.body() + kernels.noise(200000, 9)
TREES = [trees.compile_tree(trees.phone(i, 20)) for i in range(3)] if shutil.which("dtc") else []


def look(data):
    PATH.write_bytes(data)
    return ght.drive(PATH)


def children(rows):
    return {m["name"]: ght.blob_of(rows, m["child"]).get("sha256") for m in ght.rows(rows, "members", blob=2)}


def same(data, want, name, notes=()):
    """want: name of the child → its bytes."""
    rows = look(data)
    ght.equal(children(rows), {k: ght.sha(v) for k, v in want.items()}, f"{name}: children")
    for k, v in want.items():
        ght.equal(ght.sha(ght.cat(PATH, k) or b""), ght.sha(v), f"{name}: bytes of {k}")
    ght.equal([n["code"] for n in ght.rows(rows, "notes")], list(notes), f"{name}: notes")
    return rows


def three(start=0):
    return {f"{i + start}.dtb": t for i, t in enumerate(TREES)}


def main():
    for how in ("gzip", "xz", "lzma", "lz4", "zstd"):
        packed = kernels.pack(KERNEL, how)
        rows = same(kernels.zimage(packed), {"Image": KERNEL}, f"zImage, {how}")
        ght.equal([r["release"] for r in ght.rows(rows, "kernels") if r["release"]], ["4.9.112-perf+"], f"zImage, {how}: the kernel inside is read")
        if TREES:
            same(kernels.zimage(packed) + b"".join(TREES), {"Image": KERNEL, **three()}, f"zImage, {how}, with trees")
    packed = kernels.pack(KERNEL, "gzip")
    rows = look(kernels.zboot(packed))
    ght.equal(children(rows), {"Image": ght.sha(packed)}, "EFI zboot: the packed kernel")
    ght.equal(ght.cat(PATH, "Image!/content"), KERNEL, "EFI zboot: the kernel in it")
    rows = look(kernels.bzimage(kernels.pack(KERNEL, "xz")))
    ght.equal(ght.cat(PATH, "Image!/content"), KERNEL, "bzImage: the kernel in it")
    same(b"UNCOMPRESSED_IMG" + struct.pack("<I", len(KERNEL)) + KERNEL, {"Image": KERNEL}, "UNCOMPRESSED_IMG")
    if not TREES:
        ght.skip("dtc", "the package device-tree-compiler is not installed")
        return
    with_trees(packed)
    damaged(packed)


def with_trees(packed):
    rows = same(kernels.arm64(KERNEL) + b"".join(TREES), three(), "Image with trees")
    ght.equal(len(ght.rows(rows, "dt_trees")), 3, "each is read as a tree")
    ght.equal([(e["kind"], e["entry"]) for e in ght.rows(rows, "dt_entries")], [("appended", i) for i in range(3)], "entries")
    same(kernels.arm64(KERNEL + TREES[0] + kernels.noise(50)), {"0.dtb": TREES[0]}, "Image with a tree built in")
    for pad in (b"", bytes(2048)):
        data = kernels.pack(kernels.arm64(KERNEL), "gzip") + b"".join(TREES) + pad
        rows = look(data)
        got = children(rows)
        ght.equal(got, {"content": ght.sha(kernels.arm64(KERNEL)), **{k: ght.sha(v) for k, v in three().items()}}, f"Image.gz-dtb: kernel and trees ({len(pad)} zeros)")
        ght.equal(ght.rows(rows, "notes"), [], f"Image.gz-dtb: nothing stays unread ({len(pad)} zeros)")
        ght.equal([r["machine"] for r in ght.rows(rows, "kernels")], ["arm64"], "Image.gz-dtb: the kernel is read")
    rows = look(packed + TREES[0] + b"hidden\1\2" + TREES[1])
    ght.check([n for n in ght.rows(rows, "notes", plugin="zimage") if n["code"] == "unsup"], "what lies between trees is told")
    rows = look(packed + TREES[0] + b"\1\2hidden")
    ght.check([n for n in ght.rows(rows, "notes", plugin="gzip") if n["code"] == "unsup"], "a tree that something follows: gzip tells what it did not read")
    rows = look(packed)
    ght.equal([r["plugin"] for r in ght.rows(rows, "blob_runs", blob=2)], ["gzip"], "a packed file without trees is none of this format's")


def damaged(packed):
    rows = look(kernels.zimage(packed)[:-len(packed) // 2])
    ght.check([n for n in ght.rows(rows, "notes") if n["code"] == "short"], "a zImage that is cut off")
    rows = look(kernels.zimage(b"x" * 5000))
    ght.equal([n["code"] for n in ght.rows(rows, "notes")], ["unsup"], "a zImage without a packed kernel")
    broken = bytearray(packed)
    broken[-6] ^= 1
    rows = look(kernels.zimage(bytes(broken)))
    ght.equal([n["code"] for n in ght.rows(rows, "notes")], ["bad"], "a wrong CRC")
    for head in (b"MZ\0\0zimg" + struct.pack("<II", 512, 1 << 31) + bytes(600), b"UNCOMPRESSED_IMG\xff\xff\xff\xff" + bytes(50)):
        ght.equal([n["code"] for n in ght.rows(look(head), "notes", plugin="zimage")], ["short"], "a size beyond the end")


main()
ght.done()
