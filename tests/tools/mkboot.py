#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes boot images of header version 3 and 4 and vendor_boot images of 3 and 4; layout after Android's bootimg.h.

Debian's mkbootimg ends at version 3. What both can write is compared byte for byte by check_tools.sh.

  mkboot.py boot --version 4 --kernel Image --ramdisk r.lz4 --cmdline '...' --out boot.img
  mkboot.py vendor --version 4 --ramdisk platform::p.lz4 --ramdisk dlkm:dlkm:d.gz --dtb dtb --bootconfig c --out v.img
"""
import argparse
import struct
import sys

PAGE = 4096
TYPES = {"none": 0, "platform": 1, "recovery": 2, "dlkm": 3}


def pad(data, to):
    return data + bytes(-len(data) % to)


def read(path):
    if not path:
        return b""
    with open(path, "rb") as src:
        return src.read()


def os_version(version, patch):
    """14.0.0 and 2026-05 packed as the header wants them."""
    a, b, c = (int(x) for x in (version or "0.0.0").split("."))
    year, month = (int(x) for x in (patch or "2000-00").split("-")[:2])
    return ((a << 14 | b << 7 | c) << 11) | (year - 2000) << 4 | month


def boot(version, kernel=b"", ramdisk=b"", cmdline="", system=0, signature=b""):
    size = {3: 1580, 4: 1584}[version]
    raw = cmdline.encode()
    if len(raw) > 1535:
        raise ValueError("the command line is longer than 1535 bytes")
    header = struct.pack("<8sIIII16xI1536s", b"ANDROID!", len(kernel), len(ramdisk), system, size, version, raw)
    if version >= 4:
        header += struct.pack("<I", len(signature))
    return b"".join(pad(part, PAGE) for part in (header, kernel, ramdisk, signature) if part)


def vendor_boot(version, ramdisks, dtb=b"", cmdline="", bootconfig=b"", page=PAGE, base=0x10000000, board=""):
    """ramdisks: (type, name, bytes) in order; version 3 takes one."""
    raw = cmdline.encode()
    if len(raw) > 2047:
        raise ValueError("the command line is longer than 2047 bytes")
    blob, table = b"", b""
    for kind, name, data in ramdisks:
        table += struct.pack("<III32s64x", len(data), len(blob), TYPES[kind], name.encode())
        blob += data
    header = struct.pack("<8sIIIII2048sI16sIIQ", b"VNDRBOOT", version, page, base + 0x8000, base + 0x1000000,
                         len(blob), raw, base + 0x100, board.encode(), {3: 2112, 4: 2128}[version], len(dtb),
                         base + 0x1F00000)
    parts = [header, blob, dtb]
    if version >= 4:
        parts[0] += struct.pack("<IIII", len(table), len(ramdisks), 108, len(bootconfig))
        parts += [table, bootconfig]
    return b"".join(pad(part, page) for part in parts if part)


def main(argv=None):
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("kind", choices=["boot", "vendor"])
    ap.add_argument("--version", type=int, choices=[3, 4], default=4)
    ap.add_argument("--out", required=True)
    ap.add_argument("--kernel")
    ap.add_argument("--ramdisk", action="append", default=[], metavar="FILE or TYPE:NAME:FILE")
    ap.add_argument("--cmdline", default="")
    ap.add_argument("--dtb")
    ap.add_argument("--bootconfig")
    ap.add_argument("--signature", help="boot signature, version 4")
    ap.add_argument("--os-version")
    ap.add_argument("--os-patch-level")
    ap.add_argument("--base", type=lambda x: int(x, 0), default=0x10000000)
    args = ap.parse_args(argv)
    if args.kind == "boot":
        data = boot(args.version, read(args.kernel), read(args.ramdisk[0] if args.ramdisk else None), args.cmdline,
                    os_version(args.os_version, args.os_patch_level), read(args.signature))
    else:
        split = [r.split(":", 2) if ":" in r else ("platform", "", r) for r in args.ramdisk]
        data = vendor_boot(args.version, [(kind, name, read(path)) for kind, name, path in split], read(args.dtb),
                           args.cmdline, read(args.bootconfig), base=args.base)
    with open(args.out, "wb") as out:
        out.write(data)
    return 0


if __name__ == "__main__":
    sys.exit(main())
