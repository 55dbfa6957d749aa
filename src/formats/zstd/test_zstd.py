#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Zstandard files of the zstd tool: levels, frames together, damaged."""
import pathlib
import sys
import struct

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "tests/lib"))
import ght  # noqa: E402
import packed  # noqa: E402
from unpacking import D, INPUTS, tool  # noqa: E402

SEEDS = pathlib.Path(__file__).parent / "seeds"
F = packed.Format("zstd", ".zst")


def zstd(name, *options):
    return tool("zstd", "-q", "-c", *options, data=INPUTS[name])


def of_file(name, *options):
    (D / "in").write_bytes(INPUTS[name])
    return ght.run("zstd", "-q", "-c", *options, D / "in")


def levels():
    for name, data in INPUTS.items():
        for level in ("-1", "-3", "-19", "--fast=3", "--no-check"):
            F.same(zstd(name, level), data, f"{level} {name}")
        F.hint(of_file(name), len(data) or 3 * len(of_file(name)), f"{name}: the size is known before")
    F.same(of_file("large", "-T2", "-B200000"), INPUTS["large"], "blocks by threads")
    F.same(ght.run("pzstd", "-q", "-c", "-p", "2", D / "in"), INPUTS["large"], "pzstd")
    F.same(of_file("large", "--long=27", "-22", "--ultra"), INPUTS["large"], "--long=27 --ultra -22")


def together():
    a, b = zstd("small"), of_file("mixed")
    skip = struct.pack("<II", 0x184D2A51, 7) + b"skipped"
    both = INPUTS["small"] + INPUTS["mixed"]
    F.same(a + b, both, "two frames")
    F.same(skip + a + skip + b, both, "skippable frames")
    F.same(a + bytes(5000), INPUTS["small"], "padding")
    F.same(a + struct.pack("<I", 1000), INPUTS["small"], "the size behind a kernel")
    F.same(a + b"rest", INPUTS["small"], "bytes behind", [("unsup", len(a))])
    F.same(a + bytes(5000) + b"rest", INPUTS["small"], "bytes behind padding", [("unsup", len(a) + 5000)])
    F.claimed(struct.pack("<II", 0x184D2A51, 7) + b"skipped" + b"other", "a skippable frame alone is nobody's", False)
    F.claimed(b"\x28\xb5\x2f", "three bytes of the magic", False)


def damage():
    F.damage(zstd("mixed"), INPUTS["mixed"], "zstd", kept=100000)
    p = bytearray(zstd("small"))
    p[-1] ^= 1
    F.same(bytes(p), INPUTS["small"], "a wrong checksum: the content, and a note", [("bad", len(p) - 4)])
    p = bytearray(zstd("small"))
    p[5] = (31 - 10) << 3
    F.same(bytes(p), b"", "a window of 2 GiB", [("limit", 5)])


def seeds_made():
    a, b = tool("zstd", "-q", "-c", data=INPUTS["small"]), tool("zstd", "-q", "-c", "-19", "--no-check", data=bytes(3000) + b"end")
    skip = struct.pack("<II", 0x184D2A51, 7) + b"skipped"
    window, check = bytearray(a), bytearray(a)
    window[5], check[-1] = 0xA8, check[-1] ^ 1
    return {"plain.zst": a, "two.zst": a + b, "skip.zst": skip + a + skip, "empty.zst": zstd("empty"), "cut.zst": a[:-300], "behind.zst": b + b"rest",
            "window.zst": bytes(window), "check.zst": bytes(check), "padded.zst": b + bytes(600), "sized.zst": of_file("short")}


if __name__ == "__main__":
    if sys.argv[1:] == ["--seeds"]:
        packed.write_seeds(SEEDS, seeds_made())
        sys.exit()
    levels()
    together()
    damage()
    packed.seeds(SEEDS, "zstd")
    ght.done()
