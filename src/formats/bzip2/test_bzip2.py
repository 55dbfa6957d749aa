#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""bzip2 files of bzip2, pbzip2 and Python's bz2: levels, streams together, damaged."""
import pathlib
import sys
import bz2
import struct

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "tests/lib"))
import ght  # noqa: E402
import packed  # noqa: E402
from unpacking import D, INPUTS, tool  # noqa: E402

SEEDS = pathlib.Path(__file__).parent / "seeds"
F = packed.Format("bzip2", ".bz2")


def levels():
    for name, data in INPUTS.items():
        for level in ("-1", "-5", "-9"):
            F.same(tool("bzip2", "-c", level, data=data), data, f"{level} {name}")
    (D / "in").write_bytes(INPUTS["large"])
    F.same(ght.run("pbzip2", "-c", "-p2", "-b2", D / "in"), INPUTS["large"], "pbzip2")


def together():
    a, b = bz2.compress(INPUTS["small"]), bz2.compress(INPUTS["mixed"], 1)
    F.same(a + b, INPUTS["small"] + INPUTS["mixed"], "two streams")
    F.same(a + bytes(5000), INPUTS["small"], "padding")
    F.same(a + struct.pack("<I", 1000), INPUTS["small"], "the size behind a kernel")
    F.same(a + b"rest", INPUTS["small"], "bytes behind", [("unsup", len(a))])
    F.claimed(b"BZh9 is not enough of it", "the magic without a block", False)
    F.claimed(b"BZh0" + a[4:], "level 0", False)
    F.claimed(a[:9], "nine bytes", False)


def damage():
    F.damage(bz2.compress(INPUTS["mixed"], 1), INPUTS["mixed"], "bzip2", kept=100000)


def seeds_made():
    a, b = bz2.compress(INPUTS["small"], 1), bz2.compress(bytes(3000) + b"end", 9)
    bad = bytearray(a)
    bad[len(a) // 2] ^= 4
    return {"plain.bz2": a, "two.bz2": a + b, "empty.bz2": bz2.compress(b""), "cut.bz2": a[:-300], "behind.bz2": b + b"rest", "damaged.bz2": bytes(bad),
            "padded.bz2": b + bytes(600), "crc.bz2": b[:10] + b"\0\0\0\0" + b[14:]}


if __name__ == "__main__":
    if sys.argv[1:] == ["--seeds"]:
        packed.write_seeds(SEEDS, seeds_made())
        sys.exit()
    levels()
    together()
    damage()
    packed.seeds(SEEDS, "bzip2")
    ght.done()
