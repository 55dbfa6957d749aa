#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Whole buffers of DEFLATE and zlib against Python's zlib; the streams are tested with gzip and zip."""
import pathlib
import sys
import zlib

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "tests/lib"))
import ght  # noqa: E402
from unpacking import INPUTS, cuts, flips, good, same  # noqa: E402


def packed(data, bits, level=9, strategy=0):
    c = zlib.compressobj(level, zlib.DEFLATED, bits, 9, strategy)
    return c.compress(data) + c.flush()


def main():
    for kind, bits in (("deflate", -15), ("zlib", 15)):
        for name, data in INPUTS.items():
            for level in (0, 1, 6, 9):
                good(kind, packed(data, bits, level), data, f"{kind} {level} {name}", pours=False)
        good(kind, packed(INPUTS["mixed"], bits, strategy=zlib.Z_FIXED), INPUTS["mixed"], f"{kind} fixed codes", pours=False)
        p = packed(INPUTS["mixed"], bits)
        same(kind, "whole", 1 << 20, p + b"behind", INPUTS["mixed"], f"{kind}: what is behind is not looked at")
        cuts(kind, p, INPUTS["mixed"], kind, pours=False)
        flips(kind, p, INPUTS["mixed"], kind, pours=False, checked=kind == "zlib")
    p = packed(INPUTS["small"], 15)
    same("zlib", "whole", 1000, p[:-1] + bytes([p[-1] ^ 1]), INPUTS["small"], "a wrong Adler-32: the content, and the error", "bad")
    same("zlib", "whole", 1000, b"no zlib at all", b"", "no zlib", "bad")


if __name__ == "__main__":
    main()
    ght.done()
