#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""LZO1X against liblzo2, intact and damaged, and lzop; LZO-RLE by a writer made from its description."""
import ctypes
import pathlib
import random
import struct
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "tests/lib"))
import ght  # noqa: E402
from unpacking import INPUTS, RND, cuts, good, places, same, tool, unpack, words  # noqa: E402

LIB = ctypes.CDLL("liblzo2.so.2")
BLOCKS = dict(INPUTS, tiny=b"abc", four=b"abcd", run=b"a" * 300, far=words(20000) + random.Random(1).randbytes(20000) + words(20000),
              runs=bytes(5000) + words(100) + b"\1" * 3000 + random.Random(2).randbytes(3000) + bytes(40000))


def compress(data, how):
    out, n = ctypes.create_string_buffer(len(data) * 2 + 1000), ctypes.c_size_t(0)
    work = ctypes.create_string_buffer(1 << 20)
    if getattr(LIB, how)(data, ctypes.c_size_t(len(data)), out, ctypes.byref(n), work):
        raise RuntimeError(how)
    return out.raw[:n.value]


def reference(packed, cap):
    """liblzo2's code, and what it unpacked."""
    out, n = ctypes.create_string_buffer(max(cap, 1)), ctypes.c_size_t(cap)
    code = LIB.lzo1x_decompress_safe(packed, ctypes.c_size_t(len(packed)), out, ctypes.byref(n), None)
    return code, out.raw[:n.value]


def blocks():
    for name, data in BLOCKS.items():
        for how in ("lzo1x_1_compress", "lzo1x_1_15_compress", "lzo1x_1_11_compress", "lzo1x_999_compress"):
            good("lzo", compress(data, how), data, f"{how} {name}", pours=False)


def lzop():
    """The blocks of an lzop file."""
    for level in ("-1", "-3", "-9"):
        data = tool("lzop", "-c", level, "--no-name", data=INPUTS["mixed"])
        flags, = struct.unpack_from(">I", data, 17)
        sums = (4 if flags & 0x101 else 0), (4 if flags & 0x202 else 0)  # of the plain block; of the packed one, where it is packed
        at, got = 33 + 1 + data[33] + 4, b""
        while True:
            size, = struct.unpack_from(">I", data, at)
            if not size:
                break
            packed, = struct.unpack_from(">I", data, at + 4)
            at += 8 + sums[0] + (sums[1] if packed < size else 0)
            block = data[at:at + packed]
            got += block if packed == size else unpack("lzo", "whole", size, block)[0]
            at += packed
        ght.check(got == INPUTS["mixed"], f"lzop {level}")


def damage():
    """The same verdict as the reference, and the same bytes where it gives any."""
    LZO_OK, LZO_BEHIND = 0, -8
    bad, counts = [], {}
    for name in ("short", "small", "far", "runs"):
        packed, cap = compress(BLOCKS[name], "lzo1x_999_compress"), len(BLOCKS[name]) + 200
        for i in range(120):
            data = bytearray(packed)
            for _ in range(RND.choice((1, 1, 3))):
                data[RND.randrange(len(data))] = RND.randrange(256)
            want, out = reference(bytes(data), cap)
            got, end, _ = unpack("lzo", "whole", cap, bytes(data))
            ok = want in (LZO_OK, LZO_BEHIND)
            counts[end["code"]] = counts.get(end["code"], 0) + 1
            if ok != (end["code"] == "ok") or (ok and got != out):
                bad.append((name, i, want, end))
    ght.equal(bad, [], f"480 damaged blocks as liblzo2 takes them: {counts}")
    ght.check(len(counts) >= 3, "the damage shows in several ways", str(counts))
    for name in ("small", "far"):
        cuts("lzo", compress(BLOCKS[name], "lzo1x_1_compress"), BLOCKS[name], f"lzo {name}", pours=False)
    noise = [unpack("lzo", "whole", 5000, RND.randbytes(RND.randrange(200)))[1]["code"] for _ in range(100)]
    ght.check(set(noise) <= {"ok", "bad", "short", "limit", "unsup"}, "noise", str(set(noise)))


class Writer:
    """LZO bitstream version 1, instruction by instruction."""

    def __init__(self):
        self.bytes, self.plain = bytearray(b"\x11\x01"), bytearray()

    def literals(self, data):
        """At the beginning, or behind an instruction without literals of its own: long runs only."""
        n = len(data) - 3
        if len(self.bytes) == 2:
            self.bytes.append(17 + len(data))
        elif n <= 15:
            self.bytes.append(n)
        else:
            n -= 15
            self.bytes.append(0)
            while n > 255:
                self.bytes.append(0)
                n -= 255
            self.bytes.append(n)
        self.bytes += data
        self.plain += data

    def zeros(self, n, tail=b""):
        x, low = divmod(n - 4, 8)
        self.bytes += bytes([0x18 | low, 0xFC | len(tail), 0xFF, x]) + tail
        self.plain += bytes(n) + tail

    def end(self):
        return bytes(self.bytes + b"\x11\0\0"), bytes(self.plain)


def rle():
    for n in (4, 5, 11, 12, 100, 2051):
        for tail in (b"", b"1", b"12", b"123"):
            w = Writer()
            w.literals(b"first literals")
            w.zeros(n, tail)
            if not tail:
                w.literals(RND.randbytes(400))
            w.zeros(n)
            packed, want = w.end()
            good("lzo", packed, want, f"a run of {n} zeros, {len(tail)} literals behind", pours=False)
    w = Writer()
    w.literals(b"0123456789")
    w.zeros(2051)
    packed, want = w.end()
    for at in places(len(packed), 20):
        got, end, _ = unpack("lzo", "whole", 3000, packed[:at])
        # With less than five bytes there is no version byte, and 17 a copy from nowhere.
        ght.check(end["code"] == ("bad" if 3 <= at < 5 else "short") and want.startswith(got), f"a run of zeros cut at {at}", str(end))
    same("lzo", "whole", 100, b"\x11\x02" + packed[2:], b"", "bitstream version 2", "unsup")
    same("lzo", "whole", 3000, b"\x11\0" + packed[2:], b"0123456789", "in version 0 it is a copy from before the beginning", "bad")


if __name__ == "__main__":
    blocks()
    lzop()
    damage()
    rle()
    ght.done()
