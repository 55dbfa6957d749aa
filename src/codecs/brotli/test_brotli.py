#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Brotli against the brotli tool."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "tests/lib"))
import ght  # noqa: E402
from unpacking import INPUTS, cuts, flips, good, same, tool, unpack  # noqa: E402


def brotli(data, *options):
    return tool("brotli", "-c", *options, data=data)


def levels():
    for name, data in INPUTS.items():
        for level in ("-0", "-5", "-9") if name == "large" else ("-0", "-1", "-5", "-9", "-q11"):
            p = brotli(data, "-q", "11") if level == "-q11" else brotli(data, level)
            good("brotli", p, data, f"brotli {level} {name}")
    for window in (10, 16, 22, 24):
        good("brotli", brotli(INPUTS["large"], "-5", "-w", window), INPUTS["large"], f"window {window}")


def edges():
    a = brotli(INPUTS["small"])
    end = same("brotli", "pour", 1 << 40, a + b"behind", INPUTS["small"], "something behind")
    ght.equal((end["in"], end["streams"]), (len(a), 1), "something behind: where it stops")
    same("brotli", "pour", 1 << 40, b"", b"", "nothing", "bad")
    large = brotli(INPUTS["large"], "--large_window=28", "-5")
    got, end, _ = unpack("brotli", "pour", 1 << 40, large)
    ght.equal((got, end["code"]), (b"", "bad"), "a large window is no Brotli of RFC 7932")
    got, end, _ = unpack("brotli", "fill", len(INPUTS["large"]), brotli(INPUTS["large"], "-5", "-w", 24), memory=3 << 20)
    ght.check(end["code"] == "limit" and end["full"] == 1 and INPUTS["large"].startswith(got), "memory that is too little", str(end))


def damage():
    for name in ("small", "mixed"):
        p = brotli(INPUTS[name], "-5")
        cuts("brotli", p, INPUTS[name], f"brotli {name}")
        flips("brotli", p, INPUTS[name], f"brotli {name}", checked=False)
    p = brotli(INPUTS["mixed"], "-5")
    got, end, _ = unpack("brotli", "pour", 1 << 40, p[:len(p) * 3 // 4])
    ght.check(end["code"] == "short" and len(got) > 100000 and end["at"] == len(p) * 3 // 4, "cut: what came before, and the offset", str(end))


if __name__ == "__main__":
    levels()
    edges()
    damage()
    ght.done()
