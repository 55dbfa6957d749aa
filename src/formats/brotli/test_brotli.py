#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Brotli files of the brotli tool, known by their name alone; damaged ones."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "tests/lib"))
import ght  # noqa: E402
import packed  # noqa: E402
from unpacking import INPUTS, tool  # noqa: E402

SEEDS = pathlib.Path(__file__).parent / "seeds"
F = packed.Format("brotli", ".br")


def brotli(name, *options):
    return tool("brotli", "-c", *options, data=INPUTS[name])


def levels():
    for name, data in INPUTS.items():
        for level in ("-0", "-1", "-6", "-9"):
            F.same(brotli(name, level), data, f"{level} {name}")
    for window in (10, 18, 24):
        F.same(brotli("mixed", "-w", window, "-6"), INPUTS["mixed"], f"window {window}")


def names():
    p = brotli("small")
    F.claimed(p, "with the name", True)
    for name in ("t", "t.bin", "t.brx", "br", "t.br.1"):
        F.claimed(p, f"without the name: {name}", False, F.path.parent / name)
    rows = F.drive(tool("gzip", "-c", data=b"hello"))
    ght.equal([r["plugin"] for r in ght.rows(rows, "blob_runs")], ["gzip"], "a gzip stream called .br is gzip's")
    F.claimed(b"", "nothing", False)


def damage():
    F.damage(brotli("mixed", "-5"), INPUTS["mixed"], "brotli", checked=False, kept=100000)
    p = brotli("small")
    F.same(p + bytes(100), INPUTS["small"], "padding")
    F.same(p + b"rest", INPUTS["small"], "bytes behind", [("unsup", len(p))])
    F.same(b"\x11\x1e" + p, b"", "a large window", [("bad", 1)])
    got, notes = F.look(b"The quick brown fox jumps over the lazy dog.")
    ght.check(notes[:1] and notes[0][0] in ("bad", "short"), "text that is called .br", str((got, notes)))


def seeds_made():
    a, b = brotli("small"), tool("brotli", "-c", "-w", "24", data=bytes(3000) + b"end")
    bad = bytearray(a)
    bad[len(a) // 2] ^= 4
    return {"plain.br": a, "zeros.br": b, "empty.br": brotli("empty"), "cut.br": a[:-300], "behind.br": b + b"rest", "damaged.br": bytes(bad),
            "large.br": b"\x11\x1e" + a, "text.br": b"The quick brown fox jumps over the lazy dog."}


if __name__ == "__main__":
    if sys.argv[1:] == ["--seeds"]:
        packed.write_seeds(SEEDS, seeds_made())
        sys.exit()
    levels()
    names()
    damage()
    packed.seeds(SEEDS, "brotli")
    ght.done()
