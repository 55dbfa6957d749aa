# SPDX-License-Identifier: Apache-2.0
"""Kernel images for tests, written from the kernel's boot documents; packed by the usual tools."""
import gzip
import random
import struct

import ght

BANNER = b"Linux version 4.9.112-perf+ (builder@host-7) (gcc version 4.9.x 20150123 (prerelease) (GCC) ) #1 SMP PREEMPT Tue Jul 2 04:19:36 CST 2019\n\0"
CONFIG = b"""#
# Automatically generated file; DO NOT EDIT.
# Linux/arm64 4.9.112 Kernel Configuration
#
CONFIG_ARM64=y
# CONFIG_MODULE_SIG_FORCE is not set
CONFIG_LOCALVERSION="-perf"
CONFIG_CMDLINE="console=ttyMSM0 androidboot.x=1"
CONFIG_HZ=100
CONFIG_BT_WILINK=m
"""
OPTIONS = [("CONFIG_ARM64", "y"), ("CONFIG_MODULE_SIG_FORCE", "n"), ("CONFIG_LOCALVERSION", "-perf"), ("CONFIG_CMDLINE", "console=ttyMSM0 androidboot.x=1"),
           ("CONFIG_HZ", "100"), ("CONFIG_BT_WILINK", "m")]


def noise(n, seed=1):
    """Bytes that hold none of the magic numbers which are looked for."""
    return bytes(random.Random(seed).choices(range(0x60, 0x7b), k=n))


def body(config=CONFIG, banner=BANNER, more=b""):
    packed = b"IKCFG_ST" + gzip.compress(config, 9, mtime=0) + b"IKCFG_ED" if config is not None else b""
    return noise(3000) + b"\0%s version %s (a@b)\0" + banner + noise(500, 2) + b"\0" + packed + b"\0" + more + noise(700, 3)


def arm64(data):
    return (struct.pack("<IIQQQQQQ4sI", 0x91005a4d, 0x14000000, 0x80000, len(data) + 64, 10, 0, 0, 0, b"ARM\x64", 64) + data)


def zimage(packed, code=4000, behind=60):
    """A zImage: branch instructions, the magic number, start and end, unpacking code, the packed kernel, data behind it."""
    end = 0x30 + code + len(packed) + behind
    return struct.pack("<9I", *[0xe1a00000] * 9) + struct.pack("<III", 0x016f2818, 0, end) + noise(code, 4) + packed + bytes(behind)


def zboot(packed, method=b"gzip"):
    head = b"MZ\0\0zimg" + struct.pack("<II8x32s", 512, len(packed), method)
    return head + bytes(512 - len(head)) + packed + bytes(128)


def bzimage(packed, sectors=3):
    """A bzImage: setup sectors, protected-mode code, the packed kernel at payload_offset."""
    setup = bytearray((sectors + 1) * 512)
    setup[0x1f1] = sectors
    setup[0x1fe:0x200] = b"\x55\xaa"
    setup[0x202:0x206] = b"HdrS"
    setup[0x248:0x250] = struct.pack("<II", 2000, len(packed))
    return bytes(setup) + noise(2000, 5) + packed + noise(100, 6)


def pack(data, how):
    tool = {"gzip": ["gzip", "-n", "-9"], "xz": ["xz", "--check=crc32", "--arm", "--lzma2=,dict=1MiB"], "lzma": ["xz", "--format=lzma", "-9"], "lz4": ["lz4", "-l", "-9"],
            "zstd": ["zstd", "-q", "-19", "--no-check"]}[how]
    size = struct.pack("<I", len(data)) if how != "gzip" else b""  # size_append in scripts/Makefile.lib
    return ght.run(*tool, "-c", input=data) + size
