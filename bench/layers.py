# SPDX-License-Identifier: Apache-2.0
"""Where the bytes of a partition lie: Android sparse images and LP metadata as lists of extents.

Formats: AOSP system/core/libsparse/sparse_format.h; system/core/fs_mgr/liblp/include/liblp/metadata_format.h.
Reads images of this folder's generator only; it is no reader for firmware of unknown origin.
"""
import os
import struct
from bisect import bisect_right

HOLE = None


class Map:
    """Extents (length, space, offset) one after the other; those of space HOLE repeat their offset's value as a 32-bit word."""

    def __init__(self, extents):
        self.extents, self.starts, at = [], [], 0
        for length, space, off in extents:
            self.extents.append((length, space, off))
            self.starts.append(at)
            at += length
        self.size = at

    def slice(self, off, length):
        out = []
        n = bisect_right(self.starts, off) - 1
        while length:
            size, space, base = self.extents[n]
            skip = off - self.starts[n]
            take = min(length, size - skip)
            out.append((take, space, base + skip if space is not HOLE else base))
            off, length, n = off + take, length - take, n + 1
        return out


def whole(space, size):
    return Map([(size, space, 0)])


def is_sparse(path):
    with open(path, "rb") as f:
        return f.read(4) == b"\x3a\xff\x26\xed"


def sparse(path, space):
    """The map of an Android sparse image onto its own file."""
    out = []
    with open(path, "rb") as f:
        _, _, _, head, chunk_head, block, _, chunks, _ = struct.unpack("<IHHHHIIII", f.read(28))
        at = head
        for _ in range(chunks):
            f.seek(at)
            kind, _, blocks, total = struct.unpack("<HHII", f.read(12))
            if kind == 0xCAC1:
                out.append((blocks * block, space, at + chunk_head))
            elif kind == 0xCAC2:
                out.append((blocks * block, HOLE, struct.unpack("<I", f.read(4))[0]))
            elif kind == 0xCAC3:
                out.append((blocks * block, HOLE, 0))
            elif kind != 0xCAC4:
                raise ValueError(f"{path}: chunk {kind:#x} at {at}")
            at += total
    return Map(out)


def read(fd, layer, off, length):
    return b"".join((struct.pack("<I", o) * (n // 4 + 1))[:n] if s is HOLE else os.pread(fd, n, o) for n, s, o in layer.slice(off, length))


def partitions(path, layer):
    """Name to map, for the partitions of slot 0 of a super image."""
    fd = os.open(path, os.O_RDONLY)
    try:
        magic, _, _, _, _, _ = struct.unpack("<II32sIII", read(fd, layer, 4096, 52))
        if magic != 0x616C4467:
            raise ValueError(f"{path}: no LP geometry")
        at = 4096 + 2 * 4096
        head = read(fd, layer, at, 128)
        magic, _, _, header_size = struct.unpack_from("<IHHI", head)
        if magic != 0x414C5030:
            raise ValueError(f"{path}: no LP metadata")
        tables = struct.unpack_from("<12I", head, 80)
        rows = []
        for n in range(2):
            off, count, size = tables[3 * n:3 * n + 3]
            rows.append([read(fd, layer, at + header_size + off + k * size, size) for k in range(count)])
    finally:
        os.close(fd)
    out = {}
    for row in rows[0]:
        name, _, first, count, _ = struct.unpack_from("<36sIIII", row)
        extents = []
        for ext in rows[1][first:first + count]:
            sectors, target, data, _ = struct.unpack_from("<QIQI", ext)
            extents += layer.slice(data * 512, sectors * 512) if target == 0 else [(sectors * 512, HOLE, 0)]
        if extents:
            out[name.rstrip(b"\0").decode()] = Map(extents)
    return out
