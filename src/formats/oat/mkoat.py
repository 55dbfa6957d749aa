# SPDX-License-Identifier: Apache-2.0
"""Writes oat data after runtime/oat.h and oat_file.cc of AOSP at each version, and the smallest ELF file around it."""
import struct
import zlib

KEYS = {"classpath": "&", "compiler-filter": "speed", "dex2oat-cmdline": "--x --y", "image-location": "/system/framework/boot.art"}
# version: fields of the header behind magic and version, as oat.h of that version has them; and words of a record behind the dex's offset
OLD = "checksum isa features count exec i2i i2c jni".split()
QUICK = "generic imt resolution interpreter".split()
IMAGE = "patch image image_begin".split()
NEW = "checksum isa features count records exec".split()
HEADERS = {
    39: (OLD + "pimt pres pint".split() + QUICK + IMAGE, None), 45: (OLD + "pimt pres pint".split() + QUICK + IMAGE, None),
    64: (OLD + QUICK + IMAGE, None), 79: (OLD + QUICK + IMAGE, 2), 88: (OLD + QUICK + IMAGE, 2), 124: (OLD + QUICK + IMAGE, 2),
    131: (NEW + "i2i i2c jni".split() + QUICK + IMAGE, 4), 138: (NEW + "i2i i2c jni".split() + QUICK + IMAGE, 6), 170: (NEW + ["jni"] + QUICK, 6),
    183: (NEW + ["jni", "jnic"] + QUICK, 6), 199: (NEW + ["jni", "jnic"] + QUICK + ["nterp"], 8),
    225: (NEW[:5] + ["bcp"] + NEW[5:] + ["jni", "jnic"] + QUICK + ["nterp"], 8), 230: (NEW[:5] + ["bcp"] + NEW[5:] + ["jni", "jnic"] + QUICK + ["nterp"], 8),
    232: (NEW[:5] + ["bcp"] + NEW[5:] + ["jni", "jnic"] + QUICK + ["nterp"], 8), 240: (NEW[:5] + ["bcp"] + NEW[5:] + ["jni", "jnic"] + QUICK + ["nterp"], 8)}


def oat(version, inside, dexes, names, isa=2, keys=KEYS, gap=0, sums=None):
    """inside: the dex files themselves lie behind the records. sums: checksums to state instead of the right ones."""
    fields, after = HEADERS[version]
    store = b"".join(k.encode() + b"\0" + v.encode() + b"\0" for k, v in sorted(keys.items()))
    head = 8 + 4 * len(fields) + 4
    records = head + len(store) + gap
    rows, off = [], records + sum(4 + len(n) + 8 + (20 if version >= 232 else 0) + (8 if version >= 233 else 0) +
                                  (4 * classes(x) if after is None else 4 * after) for n, x in zip(names, dexes))
    off += -off % 4
    bodies, at = b"", off
    for n, x, s in zip(names, dexes, sums or map(zlib.crc32, dexes)):
        r = struct.pack("<I", len(n)) + n.encode() + (b"dex\n035\0" if version >= 233 else b"") + struct.pack("<I", s)
        r += (x[12:32] if version >= 232 else b"") + struct.pack("<I", at if inside else 0x40 if version >= 124 else 0)
        rows.append(r + b"\xee" * 4 * (classes(x) if after is None else after))
        bodies += x + bytes(-len(x) % 4)
        at += len(x) + -len(x) % 4
    values = {"checksum": 0x11223344, "isa": isa, "count": len(dexes), "image": 0x55667788, "records": records}
    out = b"oat\n%03d\0" % version + b"".join(struct.pack("<I", values.get(f, 0xdddddddd)) for f in fields) + struct.pack("<I", len(store)) + store
    out += bytes(gap) + b"".join(rows)
    return out + bytes(off - len(out)) + (bodies if inside else b"")


def classes(x):
    return struct.unpack_from("<I", x, 0x60)[0]


def elf_by_hand(data, wide=True, at=0x1000):
    """An ELF file with two segments, whose dynamic section names hash table, symbols and strings."""
    strings = b"\0oatdata\0oatlastword\0"
    base = 0x40 + 3 * 56 if wide else 0x34 + 3 * 32
    syms = [(0, 0), (1, at), (9, at + len(data) - 4)]
    table = b"".join(struct.pack("<IBBHQQ", n, 0x11, 0, 1, v, 4) if wide else struct.pack("<IIIBBH", n, v, 4, 0x11, 0, 1) for n, v in syms)
    hashed = struct.pack("<6I", 1, 3, 1, 0, 0, 0)
    o_str, o_sym = base, base + len(strings) + -(base + len(strings)) % 8
    o_hash = o_sym + len(table)
    o_dyn = o_hash + len(hashed)
    o_dyn += -o_dyn % 8
    dyn = b"".join(struct.pack("<QQ" if wide else "<II", *e) for e in ((4, o_hash), (5, o_str), (6, o_sym), (10, len(strings)), (0, 0)))
    segs = [(1, 0, at), (1, at, len(data)), (2, o_dyn, len(dyn))]
    if wide:
        head = struct.pack("<4sBBB9xHHIQQQIHHHHHH", b"\x7fELF", 2, 1, 1, 3, 183, 1, 0, 64, 0, 0, 64, 56, 3, 64, 0, 0)
        head += b"".join(struct.pack("<IIQQQQQQ", t, 4, o, o, o, n, n, 8) for t, o, n in segs)
    else:
        head = struct.pack("<4sBBB9xHHIIIIIHHHHHH", b"\x7fELF", 1, 1, 1, 3, 40, 1, 0, 52, 0, 0, 52, 32, 3, 40, 0, 0)
        head += b"".join(struct.pack("<IIIIIIII", t, o, o, o, n, n, 4, 4) for t, o, n in segs)
    out = bytearray(at)
    for o, b in ((0, head), (o_str, strings), (o_sym, table), (o_hash, hashed), (o_dyn, dyn)):
        out[o:o + len(b)] = b
    return bytes(out) + data
