#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Firmware images, written here from the makers' layouts (no tool of Debian makes them); readelf checks the ELF files that are written."""
import pathlib
import shutil
import struct
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "tests/lib"))
import ght

d = ght.tmp()
WORDS = b"\0QC_IMAGE_VERSION_STRING=TZ.BF.4.0.5-00136.1\0IMAGE_VARIANT_STRING=QAOAANAAA\0OEM_IMAGE_VERSION_STRING=CRM\0"


def mbn(version, hashes=b"h" * 96, signature=b"s" * 256, certs=b"c" * 512):
    """The header and what follows it, as Qualcomm's papers draw it."""
    total = len(hashes) + len(signature) + len(certs)
    if version == 7:
        head = struct.pack("<10I", 0, 7, 24, 0, 0, len(hashes), 0, 0, len(signature), len(certs)) + bytes(24)
    elif version == 3:
        head = struct.pack("<10I", 0, 3, 0, 0x86700028, total, len(hashes), 0x86700088, len(signature), 0x86700188, len(certs))
    else:
        head = struct.pack("<10I", 0, version, 0, 0, total, len(hashes), 0xffffffff, len(signature), 0xffffffff, len(certs))
        head += bytes(8) if version == 6 else b""
    return head + hashes + signature + certs


def elf(segment, body, bits=64, entry=0x86500000, flags=0x2200000, mdt=False):
    """A signed ELF file: placeholder, hash segment, one segment to load."""
    n = 3
    size = (64 + 56 * n) if bits == 64 else (52 + 32 * n)
    at = size if mdt else 0x1000
    rows = [(0, size, 0x7000000), (0x1000, len(segment), flags), (0x3000, len(body), 5)]
    if bits == 64:
        head = b"\177ELF\2\1\1" + bytes(9) + struct.pack("<HHIQQQIHHHHHH", 2, 183, 1, entry, 64, 0, 0, 64, 56, n, 64, 0, 0)
        head += b"".join(struct.pack("<IIQQQQQQ", int(f == 5), f, off, 0, 0, s, s, 4096) for off, s, f in rows)
    else:
        head = b"\177ELF\1\1\1" + bytes(9) + struct.pack("<HHIIIIIHHHHHH", 2, 40, 1, entry, 52, 0, 0, 52, 32, n, 40, 0, 0)
        head += b"".join(struct.pack("<8I", int(f == 5), off, 0, 0, s, s, f, 4096) for off, s, f in rows)
    if mdt:
        return head + segment
    data = head + bytes(at - len(head)) + segment
    return data + bytes(0x3000 - len(data)) + body


def got(name, data):
    rows = ght.inspect(name, data, "firmware")
    return [tuple(r[c] for c in ("maker", "kind", "name", "version", "variant", "oem_version", "load", "size", "header", "is_signed")) for r in ght.rows(rows, "firmware")]


def qualcomm():
    for bits in (32, 64):
        for version in (3, 5, 6, 7):
            data = elf(mbn(version), WORDS, bits)
            want = ("qualcomm", "elf", "tz", "TZ.BF.4.0.5-00136.1", "QAOAANAAA", "CRM", 0x86500000, len(data), version, 1)
            ght.equal(got("tz.mbn", data), [want], f"ELF of {bits} bits, header {version}")
    if shutil.which("readelf"):
        (d / "t").write_bytes(elf(mbn(3), WORDS))
        out = ght.run("readelf", "-lW", d / "t").decode()
        ght.check("Entry point 0x86500000" in out and "0x001000 0x0000000000000000 0x0000000000000000 0x000388" in out, "readelf reads the ELF files that are written here alike")
    data = elf(mbn(6, signature=b"", certs=b""), WORDS)
    ght.equal([r[-1] for r in got("x", data)], [0], "hashes alone: not signed")
    data = elf(mbn(5), WORDS, 32, mdt=True)
    ght.equal([(r[7], r[8], r[9]) for r in got("modem.mdt", data)], [(len(data), 5, 1)], "a .mdt: the hash segment lies behind the headers")
    ght.equal([r[1] for r in got("abl.elf", elf(mbn(5), bytes(40) + b"_FVH" + bytes(60)))], ["uefi"], "a UEFI volume inside")
    ght.equal([r[2:6] for r in got("x", elf(mbn(3), b"nothing"))], [(None, None, None, None)], "an image that does not name itself")
    ght.equal([(r[8], r[9]) for r in got("x", elf(b"no header of that kind" * 9, b""))], [(None, None)], "no MBN header in the hash segment: not told")
    ght.equal(got("libc.so", elf(mbn(3), WORDS, flags=5)), [], "an ELF file without a hash segment is none")
    bare = mbn(3)
    ght.equal([r[:2] + r[8:] for r in got("tz.mbn", bare[:4] + bare[4:] + bytes(50))], [("qualcomm", "mbn", 3, 1)], "a bare MBN")
    ght.equal(got("x", mbn(3, signature=b"", certs=b"")), [], "a bare header that could be anything is none")
    wrong = bytearray(mbn(3))
    wrong[20] ^= 1
    ght.equal(got("x", bytes(wrong)), [], "a bare header whose sizes do not add up is none")
    sbl = b"\xd1\xdc\x4b\x84\x34\x10\xd7\x73" + struct.pack("<5I", 0x15, 0xffffffff, 0xffffffff, 0x50, 0x0800c000) + bytes(60) + WORDS
    ght.equal([(r[1], r[3], r[6]) for r in got("sbl1.mbn", sbl)], [("sbl", "TZ.BF.4.0.5-00136.1", 0x50)], "a secondary boot loader")
    for cut in (10, 60, 150, 0x1010):
        ght.inspect("x", elf(mbn(3), WORDS)[:cut], "firmware")
    many = bytearray(elf(mbn(3), WORDS))
    many[56:58] = b"\xff\xff"
    ght.equal([r[8] for r in got("x", bytes(many))], [3], "a count of program headers that is too large")


def mediatek():
    info = b"MMM\1" + struct.pack("<HH12sIHBBIIIIIII", 56, 0, b"FILE_INFO", 1, 1, 5, 1, 0x201000, 0x30000, 0x40000, 0x38, 0x148, 0x100, 1)
    for name in (b"EMMC_BOOT", b"UFS_BOOT", b"COMBO_BOOT"):
        head = struct.pack("<12sII", name, 1, 0x200) + bytes(512 - 20) + struct.pack("<8sIIIIIIII", b"BRLYT", 1, 0x800, 0x40000, 0x42424242, 0x10005, 0x800, 0x40000, 0)
        data = head + bytes(2048 - len(head)) + info + bytes(100)
        ght.equal(got("preloader.bin", data), [("mediatek", "preloader", None, None, name.decode(), None, 0x201000, len(data), None, 1)], f"preloader, {name.decode()}")
    ght.equal([(r[1], r[6], r[9]) for r in got("preloader.bin", info)], [("gfh", 0x201000, 1)], "preloader without headers of its storage")
    unsigned = info.replace(struct.pack("<BBI", 5, 1, 0x201000), struct.pack("<BBI", 5, 0, 0x201000))
    ght.equal([r[9] for r in got("preloader.bin", unsigned)], [0], "no kind of signature: not signed")
    ght.equal([(r[6], r[9]) for r in got("preloader.bin", b"EMMC_BOOT\0\0\0" + bytes(900))], [(None, None)], "no FILE_INFO: not told")
    text = b"####\n- general: MTK_PLATFORM_CFG\n  info: \n    - config_version: V1.1.2\n      platform: MT6753\r\n      project: x6753_m0\n"
    ght.equal([r[:5] for r in got("MT6753_Android_scatter.txt", text)], [("mediatek", "scatter", "MT6753", None, "x6753_m0")], "scatter file")
    ght.equal(got("other.txt", text), [], "the same text under another name")


def others():
    dhtb = b"DHTB" + struct.pack("<I40sII", 1, b"", 0x12345, 0) + bytes(456)
    ght.equal([(r[0], r[1], r[7], r[8]) for r in got("sml.bin", dhtb)], [("unisoc", "dhtb", 0x12345, 1)], "DHTB")
    ght.equal([n["code"] for n in ght.rows(ght.inspect("x", dhtb[:20], "firmware"), "notes")], ["short"], "DHTB, cut off")
    ght.equal([(r[0], r[1], r[8]) for r in got("bootloader.img", b"FBPK\2\0\0\0" + bytes(50))], [("google", "fbpk", 2)], "FBPK")
    ght.equal([(r[0], r[1], r[8]) for r in got("bootloader.img", b"BOOTLDR!" + struct.pack("<III", 6, 512, 999))], [("qualcomm", "bootldr", 6)], "BOOTLDR!")


qualcomm()
mediatek()
others()
ght.done()
