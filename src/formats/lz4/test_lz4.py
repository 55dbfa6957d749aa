#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""LZ4 files of the lz4 tool, frames with every option and legacy; put together, padded, damaged."""
import pathlib
import random
import shutil
import struct
import sys

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT / "tests/lib")]
import ght  # noqa: E402

D = ght.tmp()
RND = random.Random(41)


def text(n):
    """Packs well, over long distances too."""
    words = [RND.randbytes(RND.randint(2, 12)) for _ in range(500)]
    out = bytearray()
    while len(out) < n:
        out += RND.choice(words)
    return bytes(out[:n])


INPUTS = {"empty": b"", "one": b"x", "small": text(1000), "noise": RND.randbytes(300000), "mixed": text(600000) + bytes(700000),
          "blocks": text(65536 * 3), "large": text(9 << 20) + RND.randbytes(100)}


def packed(name, *options):
    (D / "in").write_bytes(INPUTS[name])
    ght.run("lz4", "-q", "-f", *options, D / "in", D / "out.lz4")
    return (D / "out.lz4").read_bytes()


def notes(rows):
    return [(r["code"], r["at"]) for r in ght.rows(rows, "notes", plugin="lz4")]


def same(data, want, name, problems=()):
    path = D / "t.lz4"
    path.write_bytes(data)
    rows = ght.drive(path)
    members = ght.rows(rows, "members", name="content")
    ght.equal(len(members), 1, f"{name}: one child")
    got = ght.blob_of(rows, members[0]["child"]) if members and members[0]["child"] else {}
    ght.equal((got.get("size"), got.get("sha256")), (len(want), ght.sha(want)), f"{name}: content")
    ght.equal(notes(rows), list(problems), f"{name}: notes")
    return rows


def tool():
    for name in INPUTS:
        same(packed(name, "-l"), INPUTS[name], f"legacy, {name}") if INPUTS[name] else None
        for block in ("-B4", "-B5", "-B6", "-B7"):
            same(packed(name, block), INPUTS[name], f"frame {block}, {name}")
    for options in (["-BD"], ["-BD", "-B4"], ["-BX"], ["-B4", "-BX", "-BD"], ["--no-frame-crc"], ["--content-size"],
                    ["-9", "-BD", "--content-size"], ["--fast=9"]):
        for name in ("small", "noise", "mixed", "blocks"):
            same(packed(name, *options), INPUTS[name], f"{' '.join(options)}, {name}")
    rows = same(packed("small", "--content-size"), INPUTS["small"], "content size")
    ght.equal(ght.rows(rows, "members", name="content")[0]["size"], 1000, "a declared size is the hint")


def together():
    a, b, legacy = packed("small"), packed("blocks", "-BD"), packed("mixed", "-l")
    skip = struct.pack("<II", 0x184D2A53, 5) + b"12345"
    small, blocks, mixed = INPUTS["small"], INPUTS["blocks"], INPUTS["mixed"]
    same(a + b, small + blocks, "two frames")
    same(a + skip + b, small + blocks, "a skippable frame")
    same(legacy + legacy, mixed * 2, "two legacy streams")
    same(legacy + a + legacy, mixed + small + mixed, "legacy and frame")
    same(legacy + bytes(2048), mixed, "padding")
    same(a + bytes(3), small, "padding of 3 bytes")
    same(legacy + struct.pack("<I", len(mixed)), mixed, "the size behind a kernel")
    same(legacy + b"\xff\xff\xff\xffrest", mixed, "bytes behind", [("unsup", len(legacy))])
    same(a + b"PK", small, "bytes behind a frame", [("unsup", len(a))])


def damage():
    small, blocks = packed("small"), packed("blocks", "-B4", "-BX")
    head = 7
    same(flip(small, 6), INPUTS["small"], "header checksum", [("bad", 6)])
    same(flip(small, len(small) - 1), INPUTS["small"], "content checksum", [("bad", len(small) - 4)])
    first, = struct.unpack_from("<I", blocks, head)
    same(flip(blocks, head + 4 + first), INPUTS["blocks"], "block checksum", [("bad", head)])
    size = packed("small", "--content-size")
    body = bytearray(size)
    struct.pack_into("<Q", body, 6, 999)
    same(bytes(body), INPUTS["small"], "content size", [("bad", 14), ("bad", len(size))])
    legacy = packed("large", "-l")
    second = 4 + 4 + struct.unpack_from("<I", legacy, 4)[0]
    first_block = INPUTS["large"][:8 << 20]
    same(legacy[:second + 100], first_block, "cut: what came before is kept", [("short", second + 4)])
    bad = bytearray(legacy)
    bad[second + 4:second + 64] = bytes([255] * 60)
    same(bytes(bad), first_block, "damaged block: what came before is kept", [("bad", second)])
    over = bytearray(blocks)
    struct.pack_into("<I", over, head, 70000)
    same(bytes(over), b"", "a block longer than the frame allows", [("bad", head)])
    # Without a usable header there is only the magic number to go by; nobody else claims it.
    for name, at, value in (("version", 4, 0xC0), ("block size", 5, 0x10), ("dictionary", 4, small[4] | 1)):
        data = bytearray(small)
        data[at] = value
        rows = drive(bytes(data))
        ght.equal([c for c, _ in notes(rows)][:1], ["unsup"], f"{name}: refused")
    forever()


def forever():
    """A content beyond what is held in memory is told apart from damage."""
    big = struct.pack("<I", 0x184C2102)
    zeros = packed_zeros()
    path = D / "big.lz4"
    path.write_bytes(big + (struct.pack("<I", len(zeros)) + zeros) * 9)
    rows = ght.drive(path)
    ght.equal([r["what"].split(":")[-1].strip() for r in ght.rows(rows, "notes")],
              ["too large to unpack in memory"], "72 MiB wants a spill file, which gh_drive has not")


def packed_zeros():
    """One legacy block of 8 MiB of zeros."""
    (D / "zeros").write_bytes(bytes(8 << 20))
    ght.run("lz4", "-q", "-f", "-l", D / "zeros", D / "zeros.lz4")
    return (D / "zeros.lz4").read_bytes()[8:]


def drive(data):
    (D / "d.lz4").write_bytes(data)
    return ght.drive(D / "d.lz4")


def flip(data, at):
    out = bytearray(data)
    out[at] ^= 0x55
    return bytes(out)


if shutil.which("lz4"):
    tool()
    together()
    damage()
else:
    ght.skip("lz4", "the package lz4 is not installed")
ght.done()
