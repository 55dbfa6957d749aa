#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""bzip2 against the bzip2 tool and Python's bz2."""
import bz2
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "tests/lib"))
import ght  # noqa: E402
from unpacking import INPUTS, cuts, flips, good, same, tool, unpack  # noqa: E402


def levels():
    for name, data in INPUTS.items():
        for level in ("-1", "-9"):
            good("bzip2", tool("bzip2", "-c", level, data=data), data, f"bzip2 {level} {name}")
    for level in range(1, 10):
        good("bzip2", bz2.compress(INPUTS["mixed"], level), INPUTS["mixed"], f"level {level}")


def together():
    a, b = bz2.compress(INPUTS["small"]), bz2.compress(INPUTS["mixed"], 1)
    end = same("bzip2", "pour", 1 << 40, a + b, INPUTS["small"] + INPUTS["mixed"], "two streams")
    ght.equal((end["streams"], end["in"]), (2, len(a) + len(b)), "two streams: counts")
    many = b"".join(bz2.compress(b"x" * i, 1 + i % 9) for i in range(400))
    got, end, _ = unpack("bzip2", "pour", 1 << 40, many, memory=24 << 20)
    ght.equal((len(got), end["code"], end["streams"]), (sum(range(400)), "ok", 400), "400 streams: memory is used again")
    end = same("bzip2", "pour", 1 << 40, a + b"rest", INPUTS["small"], "something behind")
    ght.equal(end["in"], len(a), "something behind: where it stops")
    same("bzip2", "whole", 1000, a + b, INPUTS["small"], "whole: the first stream")
    same("bzip2", "pour", 1 << 40, b"no such thing", b"", "no bzip2", "bad")
    same("bzip2", "pour", 1 << 40, b"BZh0" + a[4:], b"", "level 0", "bad")
    got, end, _ = unpack("bzip2", "fill", 1000, a, memory=2 << 20)
    ght.equal((got, end["code"], end["full"]), (b"", "limit", 1), "memory that is too little")


def damage():
    for name in ("small", "mixed"):
        p = bz2.compress(INPUTS[name], 1)
        cuts("bzip2", p, INPUTS[name], f"bzip2 {name}")
        flips("bzip2", p, INPUTS[name], f"bzip2 {name}")
    p = bz2.compress(INPUTS["mixed"], 1)
    got, end, _ = unpack("bzip2", "pour", 1 << 40, p[:len(p) * 3 // 4])
    ght.check(end["code"] == "short" and len(got) > 100000 and end["at"] == len(p) * 3 // 4, "cut: what came before, and the offset", str(end))


if __name__ == "__main__":
    levels()
    together()
    damage()
    ght.done()
