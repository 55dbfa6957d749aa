#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""LZMA files of xz and Python's lzma: known and unknown size, properties, what is not claimed; damaged ones."""
import pathlib
import sys
import lzma
import random
import struct

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "tests/lib"))
import ght  # noqa: E402
import packed  # noqa: E402
from unpacking import INPUTS, tool  # noqa: E402

SEEDS = pathlib.Path(__file__).parent / "seeds"
F = packed.Format("lzma", ".lzma")


def alone(data, **options):
    if not options:
        return lzma.compress(data, format=lzma.FORMAT_ALONE)
    return lzma.compress(data, format=lzma.FORMAT_ALONE, filters=[dict({"id": lzma.FILTER_LZMA1}, **options)])


def sized(data, **options):
    """With the size in the header, as the LZMA SDK and Linux write it; an end marker may stay."""
    p = alone(data, **options)
    return p[:5] + struct.pack("<Q", len(data)) + p[13:]


def levels():
    for name, data in INPUTS.items():
        for level in ("-0", "-6", "-9e"):
            F.same(tool("xz", "-c", "--format=lzma", level, data=data), data, f"{level} {name}")
        if data:
            F.same(sized(data), data, f"with size, {name}")
            F.hint(sized(data), len(data), f"with size, {name}: known before")
    for dict_size in (4096, 1 << 16, 3 << 15, 64 << 20):
        F.same(alone(INPUTS["mixed"], dict_size=dict_size), INPUTS["mixed"], f"dictionary of {dict_size}")
    F.same(alone(INPUTS["mixed"], lc=0, lp=2, pb=0), INPUTS["mixed"], "other properties, with the name")
    F.claimed(alone(INPUTS["mixed"], lc=0, lp=2, pb=0), "other properties, without the name", False, F.path.parent / "t.bin")
    F.claimed(alone(INPUTS["mixed"]), "usual properties, without the name", True, F.path.parent / "t.bin")
    p = alone(INPUTS["small"])
    F.same(p + bytes(5000), INPUTS["small"], "padding")
    F.same(p + struct.pack("<I", 1000), INPUTS["small"], "the size behind a kernel")
    F.same(p + b"rest", INPUTS["small"], "bytes behind", [("unsup", len(p))])


def claims():
    """Noise and tables of numbers are nobody's, not even with a beginning that is right."""
    rnd = random.Random(3)
    claimed = 0
    for i in range(60):
        data = rnd.randbytes(300) if i % 2 else b"".join(struct.pack("<I", rnd.choice((0, 1, 4, 93, 4096, 65536))) for _ in range(75))
        rows = F.drive(data, F.path.parent / "t.bin")
        claimed += any(r["plugin"] == "lzma" for r in ght.rows(rows, "blob_runs"))
    ght.equal(claimed, 0, "60 times noise or numbers")
    p = alone(INPUTS["small"])
    for label, data in {"dictionary": p[:1] + struct.pack("<I", 12345) + p[5:], "first byte": p[:13] + b"\1" + p[14:], "first bit": p[:14] + b"\x80" + p[15:],
                        "size 0": p[:5] + bytes(8) + p[13:], "far too large a size": p[:5] + struct.pack("<Q", 1 << 50) + p[13:],
                        "far too small a size": p[:5] + struct.pack("<Q", 5) + p[13:], "cut": p[:13], "properties": b"\xff" + p[1:]}.items():
        F.claimed(data, f"not claimed: {label}", False)


def damage():
    F.damage(alone(INPUTS["mixed"]), INPUTS["mixed"], "lzma", checked=False, kept=100000)
    p = sized(INPUTS["small"])
    F.same(p[:5] + struct.pack("<Q", 900) + p[13:], INPUTS["small"][:900], "a size that is too small", ("bad", 800, len(p)))
    F.same(p[:1] + struct.pack("<I", 1 << 31) + p[5:], b"", "a dictionary of 2 GiB", [("limit", 13)])


def seeds_made():
    a, b = alone(INPUTS["small"]), sized(bytes(3000) + b"end")
    bad = bytearray(a)
    bad[len(a) // 2] ^= 4
    return {"plain.lzma": a, "sized.lzma": b, "empty.lzma": alone(b""), "cut.lzma": a[:-300], "behind.lzma": b + b"rest", "damaged.lzma": bytes(bad),
            "dict.lzma": a[:1] + struct.pack("<I", 1 << 31) + a[5:], "other.lzma": alone(INPUTS["small"], lc=0, lp=2, pb=0), "padded.lzma": a + bytes(600)}


if __name__ == "__main__":
    if sys.argv[1:] == ["--seeds"]:
        packed.write_seeds(SEEDS, seeds_made())
        sys.exit()
    levels()
    claims()
    damage()
    packed.seeds(SEEDS, "lzma")
    ght.done()
