#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""xz, LZMA alone, raw LZMA1 and MicroLZMA against xz, Python's lzma and liblzma's own encoders."""
import ctypes
import lzma
import pathlib
import struct
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "tests/lib"))
import ght  # noqa: E402
from unpacking import INPUTS, cuts, flips, good, same, tool, unpack  # noqa: E402

CHECKS = {"none": lzma.CHECK_NONE, "crc32": lzma.CHECK_CRC32, "crc64": lzma.CHECK_CRC64, "sha256": lzma.CHECK_SHA256}


def xz():
    for name, data in INPUTS.items():
        for level in ("-0", "-6", "-9e") if name != "large" else ("-1",):
            good("xz", tool("xz", "-c", level, data=data), data, f"xz {level} {name}")
    for check, number in CHECKS.items():
        good("xz", lzma.compress(INPUTS["mixed"], check=number), INPUTS["mixed"], f"check {check}")
    for f in (lzma.FILTER_X86, lzma.FILTER_ARM, lzma.FILTER_ARMTHUMB, lzma.FILTER_POWERPC, lzma.FILTER_SPARC, lzma.FILTER_IA64):
        p = lzma.compress(INPUTS["mixed"], filters=[{"id": f}, {"id": lzma.FILTER_LZMA2, "preset": 1}])
        good("xz", p, INPUTS["mixed"], f"filter {f}")
    p = lzma.compress(INPUTS["small"], filters=[{"id": lzma.FILTER_DELTA, "dist": 4}, {"id": lzma.FILTER_LZMA2}])
    good("xz", p, INPUTS["small"], "delta filter")
    blocks = tool("xz", "-c", "-T2", "--block-size=100000", data=INPUTS["large"])
    good("xz", blocks, INPUTS["large"], "blocks")


def together():
    a, b = (tool("xz", "-c", data=INPUTS[x]) for x in ("small", "mixed"))
    both = INPUTS["small"] + INPUTS["mixed"]
    for pad in (0, 4, 8192, 600000):
        end = same("xz", "pour", 1 << 40, a + bytes(pad) + b, both, f"two streams, {pad} bytes of padding")
        ght.equal((end["streams"], end["in"]), (2, len(a) + pad + len(b)), f"two streams, {pad}: counts")
    end = same("xz", "pour", 1 << 40, a + bytes(12), INPUTS["small"], "padding behind")
    ght.equal((end["streams"], end["in"]), (1, len(a) + 12), "padding behind: counts")
    end = same("xz", "pour", 1 << 40, a + bytes(6) + b, INPUTS["small"], "padding of no multiple of four")
    ght.equal(end["in"], len(a) + 4, "padding of no multiple of four: where it stops")
    end = same("xz", "pour", 1 << 40, a + b"rest", INPUTS["small"], "something behind")
    ght.equal(end["in"], len(a), "something behind: where it stops")
    same("xz", "whole", 1000, a + b, INPUTS["small"], "whole: the first stream")
    same("xz", "pour", 1 << 40, b"no such thing", b"", "no xz", "bad")
    same("xz", "whole", 100, b"", b"", "nothing", "bad")


def memory():
    """A dictionary of 1 GiB is refused, one that the arena cannot give too; a buffer in the way is told."""
    p = lzma.compress(INPUTS["small"], filters=[{"id": lzma.FILTER_LZMA2, "dict_size": 1 << 20}])
    at = 12 + 4
    big = bytearray(p)
    ght.equal(big[at - 2], 0x21, "LZMA2 is where it is looked for")
    big[at] = 36  # 1 GiB
    header = bytes(big[12:20])
    big[20:24] = struct.pack("<I", __import__("zlib").crc32(header))
    got, end, notes = unpack("xz", "pour", 1 << 40, bytes(big))
    ght.equal((got, end["code"], notes), (b"", "limit", []), "a dictionary of 1 GiB")
    p = lzma.compress(INPUTS["small"], filters=[{"id": lzma.FILTER_LZMA2, "dict_size": 64 << 20}])
    got, end, _ = unpack("xz", "fill", 1000, p, memory=32 << 20)
    ght.equal((got, end["code"], end["full"]), (b"", "limit", 1), "a dictionary that memory has no room for")
    same("xz", "pour", 1 << 40, p, INPUTS["small"], "the same with room")
    many = b"".join(lzma.compress(b"x" * 50, filters=[{"id": lzma.FILTER_LZMA2, "dict_size": 1 << (20 + i % 4)}]) for i in range(60))
    got, end, _ = unpack("xz", "pour", 1 << 40, many, memory=32 << 20)
    ght.equal((len(got), end["code"], end["streams"]), (3000, "ok", 60), "memory is used again from stream to stream")


def check_unknown():
    data = bytearray(lzma.compress(INPUTS["small"], check=lzma.CHECK_CRC32))
    for at in (6, len(data) - 4):  # type 2 has four bytes too, and no meaning
        data[at + 1] = 2
    data[8:12] = struct.pack("<I", __import__("zlib").crc32(bytes(data[6:8])))
    data[-12:-8] = struct.pack("<I", __import__("zlib").crc32(bytes(data[-8:-2])))
    got, end, notes = unpack("xz", "pour", 1 << 40, bytes(data))
    ght.equal((got == INPUTS["small"], end["code"], [n["note"] for n in notes]), (True, "ok", ["unsup"]), "an unknown check: told")


def damage():
    for name in ("small", "mixed"):
        p = tool("xz", "-c", "--block-size=50000", data=INPUTS[name])
        cuts("xz", p, INPUTS[name], f"xz {name}")
        flips("xz", p, INPUTS[name], f"xz {name}")
    p = tool("xz", "-c", "--block-size=50000", data=INPUTS["mixed"])
    got, end, _ = unpack("xz", "pour", 1 << 40, p[:len(p) * 3 // 4])
    ght.check(end["code"] == "short" and len(got) > 200000 and INPUTS["mixed"].startswith(got) and end["at"] == len(p) * 3 // 4,
              "cut: most came, and the offset", str(end))


def alone():
    for name, data in INPUTS.items():
        good("lzma", tool("xz", "-c", "--format=lzma", data=data), data, f"lzma {name}")
    marked = lzma.compress(INPUTS["mixed"], format=lzma.FORMAT_ALONE)
    ght.equal(marked[5:13], b"\xff" * 8, "Python states no size")
    # The same with the size in the header: the end marker may stay.
    sized = marked[:5] + struct.pack("<Q", len(INPUTS["mixed"])) + marked[13:]
    good("lzma", sized, INPUTS["mixed"], "lzma with size and end marker")
    cuts("lzma", marked, INPUTS["mixed"], "lzma")
    flips("lzma", marked, INPUTS["mixed"], "lzma", checked=False)
    for lc, lp, pb in ((0, 0, 0), (4, 0, 4), (0, 4, 0), (3, 1, 2)):
        p = lzma.compress(INPUTS["mixed"], format=lzma.FORMAT_ALONE,
                          filters=[{"id": lzma.FILTER_LZMA1, "lc": lc, "lp": lp, "pb": pb, "dict_size": 1 << 16}])
        good("lzma", p, INPUTS["mixed"], f"lzma lc={lc} lp={lp} pb={pb}")
    huge = marked[:1] + b"\xff\xff\xff\xff" + marked[5:]
    got, end, _ = unpack("lzma", "pour", 1 << 40, huge)
    ght.equal((got, end["code"]), (b"", "limit"), "a dictionary of 4 GiB")
    end = same("lzma", "pour", 1 << 40, marked + b"behind", INPUTS["mixed"], "bytes behind")
    ght.equal(end["in"], len(marked), "bytes behind: where it stops")


def micro(data, room, dict_size=1 << 16, preset=6):
    """liblzma's own encoder: as much of data as `room` bytes hold. The stream, and how much it holds."""
    lib = ctypes.CDLL("liblzma.so.5")
    stream, options, out = (ctypes.create_string_buffer(n) for n in (256, 256, room))
    lib.lzma_lzma_preset(options, preset)
    struct.pack_into("<I", options, 0, dict_size)
    src = ctypes.create_string_buffer(data, len(data))
    if lib.lzma_microlzma_encoder(stream, options):
        raise RuntimeError("lzma_microlzma_encoder")
    struct.pack_into("<QQQQQ", stream, 0, ctypes.addressof(src), len(data), 0, ctypes.addressof(out), room)
    if lib.lzma_code(stream, 3) != 1:
        raise RuntimeError("lzma_code")
    taken, made = struct.unpack_from("<Q", stream, 16)[0], struct.unpack_from("<Q", stream, 40)[0]
    lib.lzma_end(stream)
    return out.raw[:made], taken


def microlzma():
    for name in ("short", "small", "noise", "zeros", "mixed", "large"):
        for room in (64, 4096, 65536, 1 << 20):
            p, n = micro(INPUTS[name], room)
            want, label = INPUTS[name][:n], f"microlzma {name} in {room}"
            same("microlzma", "whole", n, p, want, label, "ok", 1 << 16, 1)
            same("microlzma", "whole", n, p, want, f"{label}, size not exact", "ok", 1 << 16, 0)
            if n > 1:
                same("microlzma", "whole", n // 2, p, want[:n // 2], f"{label}: the first half", "ok", 1 << 16, 0)
                got, end, _ = unpack("microlzma", "whole", n - 1, p, 1 << 16, 1)
                ght.check(end["code"] in ("bad", "limit") and want.startswith(got), f"{label}: a wrong size is refused", str(end))
                got, end, _ = unpack("microlzma", "whole", n + 1, p, 1 << 16, 1)
                ght.check(end["code"] in ("bad", "short"), f"{label}: too large a size is refused", str(end))
    p, n = micro(INPUTS["mixed"], 65536)
    cuts("microlzma", p, INPUTS["mixed"][:n], "microlzma", False, (1 << 16, 1))
    flips("microlzma", p, INPUTS["mixed"][:n], "microlzma", False, (1 << 16, 1), checked=False)
    got, end, _ = unpack("microlzma", "whole", n, p, 0xffffffff, 1, memory=160 << 20)
    ght.equal((got == INPUTS["mixed"][:n], end["code"]), (True, "ok"), "a dictionary of 4 GiB is cut to what is allowed")
    raw = b"\0" + p[1:]
    same("lzma1", "whole", n, raw, INPUTS["mixed"][:n], "raw LZMA1", "ok", 3, 0, 2, 1 << 16)
    got, end, _ = unpack("lzma1", "whole", n + 5, raw, 3, 0, 2, 1 << 16)
    ght.check(end["code"] in ("bad", "short"), "raw LZMA1 of a wrong size", str(end))
    got, end, _ = unpack("lzma1", "whole", n, raw, 9, 9, 9, 1 << 16)
    ght.equal((got, end["code"]), (b"", "unsup"), "raw LZMA1 with impossible properties")


if __name__ == "__main__":
    xz()
    together()
    memory()
    check_unknown()
    damage()
    alone()
    microlzma()
    ght.done()
