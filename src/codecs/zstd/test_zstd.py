#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Zstandard against the zstd tool; frames put together and headers changed here."""
import pathlib
import struct
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "tests/lib"))
import ght  # noqa: E402
from unpacking import D, INPUTS, cuts, flips, good, same, tool, unpack  # noqa: E402


def zstd(data, *options):
    return tool("zstd", "-q", "-c", *options, data=data)


def of_file(data, *options):
    """The tool knows the size of a file: it is in the header."""
    (D / "in").write_bytes(data)
    return ght.run("zstd", "-q", "-c", *options, D / "in")


def levels():
    for name, data in INPUTS.items():
        for level in ("-1", "-3", "-19", "--fast=5"):
            good("zstd", zstd(data, level), data, f"zstd {level} {name}")
        good("zstd", of_file(data), data, f"zstd with size, {name}")
    for options in (["--no-check"], ["-22", "--ultra"], ["--long=27"], ["-T2", "-B100000"], ["--no-content-size"]):
        good("zstd", of_file(INPUTS["large"], *options), INPUTS["large"], f"zstd {' '.join(options)}")


def together():
    a, b = zstd(INPUTS["small"]), of_file(INPUTS["mixed"])
    both = INPUTS["small"] + INPUTS["mixed"]
    end = same("zstd", "pour", 1 << 40, a + b, both, "two frames")
    ght.equal((end["streams"], end["in"]), (2, len(a) + len(b)), "two frames: counts")
    for n in (0, 10, 1000000):
        skip = struct.pack("<II", 0x184D2A57, n) + bytes(n)
        end = same("zstd", "pour", 1 << 40, skip + a + skip + b + skip, both, f"skippable frames of {n}")
        ght.equal((end["streams"], end["in"]), (2, len(a) + len(b) + 3 * len(skip)), f"skippable frames of {n}: counts")
        same("zstd", "whole", 1000, skip + a, INPUTS["small"], f"whole behind a skippable frame of {n}")
    same("zstd", "pour", 1 << 40, struct.pack("<II", 0x184D2A50, 5) + b"hello", b"", "nothing but a skippable frame")
    same("zstd", "pour", 1 << 40, a + struct.pack("<II", 0x184D2A57, 1 << 31), INPUTS["small"], "a skippable frame cut off", "short")
    end = same("zstd", "pour", 1 << 40, a + b"rest", INPUTS["small"], "something behind")
    ght.equal(end["in"], len(a), "something behind: where it stops")
    same("zstd", "whole", 1000, a + b"rest", INPUTS["small"], "whole: what is behind is not looked at")
    same("zstd", "pour", 1 << 40, b"no such thing", b"", "no zstd", "bad")
    many = b"".join(zstd(b"x" * i) for i in range(60)) * 20
    end = same("zstd", "pour", 1 << 40, many, b"".join(b"x" * i for i in range(60)) * 20, "1,200 frames")
    ght.equal(end["streams"], 1200, "1,200 frames: count")


def windows():
    p = bytearray(zstd(INPUTS["small"]))
    ght.check(not p[4] & 0x20, "the frame has a window")
    p[5] = (31 - 10) << 3
    got, end, _ = unpack("zstd", "pour", 1 << 40, bytes(p))
    ght.equal((got, end["code"]), (b"", "limit"), "a window of 2 GiB is refused")
    p[5] = 255
    ght.equal(unpack("zstd", "pour", 1 << 40, bytes(p))[1]["code"], "limit", "a window of 3.75 TiB is refused")
    p[5] = (27 - 10) << 3
    same("zstd", "pour", 1 << 40, bytes(p), INPUTS["small"], "a window of 128 MiB")
    got, end, _ = unpack("zstd", "fill", 1000, bytes(p), memory=64 << 20)
    ght.equal((got, end["code"], end["full"]), (b"", "limit", 1), "a window that memory has no room for")
    grow = b"".join(zstd(b"x", "--zstd=wlog=%d" % (10 + i % 14)) for i in range(100))
    got, end, _ = unpack("zstd", "pour", 1 << 40, grow, memory=48 << 20)
    ght.equal((len(got), end["code"]), (100, "ok"), "memory is used again from frame to frame")
    words = INPUTS["small"]
    (D / "dict").write_bytes(ght.run("sh", "-c", f"cd {D}; for i in $(seq 200); do echo some words $i and $((i*7)) more > s$i; done; "
                                     "zstd -q --train s* -o d --maxdict=1000 >/dev/null 2>&1; cat d"))
    p = zstd(words, "-D", D / "dict")
    got, end, _ = unpack("zstd", "pour", 1 << 40, p)
    ght.equal((got, end["code"]), (b"", "unsup"), "a dictionary is needed")


def damage():
    for name in ("small", "mixed"):
        p = zstd(INPUTS[name])
        cuts("zstd", p, INPUTS[name], f"zstd {name}")
        flips("zstd", p, INPUTS[name], f"zstd {name}")
    p = zstd(INPUTS["large"])
    for way in ("pour", "fill", "whole"):
        got, end, _ = unpack("zstd", way, len(INPUTS["large"]), p[:-1] + bytes([p[-1] ^ 1]))
        ght.equal((got == INPUTS["large"], end["code"]), (True, "bad"), f"{way}: a wrong checksum: all content, and the error")
    bad = bytearray(p)
    bad[len(p) // 2:len(p) // 2 + 8] = bytes([255] * 8)
    got, end, _ = unpack("zstd", "pour", 1 << 40, bytes(bad))
    ght.check(end["code"] == "bad" and len(got) >= 1 << 20 and INPUTS["large"][:1 << 20] == got[:1 << 20], "damage: what came before", str((len(got), end)))
    p = zstd(INPUTS["mixed"])
    got, end, _ = unpack("zstd", "pour", 1 << 40, p[:len(p) * 3 // 4])
    ght.check(end["code"] == "short" and len(got) > 100000 and end["at"] == len(p) * 3 // 4, "cut: what came before, and the offset", str(end))


if __name__ == "__main__":
    levels()
    together()
    windows()
    damage()
    ght.done()
