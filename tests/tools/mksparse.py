#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes Android sparse images; layout after system/core/libsparse/sparse_format.h (version 1.0).

Makes what img2simg cannot: CRC chunks, fill patterns that are not zero, an image split over several files
with the skips libsparse uses, long headers, a bare range of an image (partial).

  mksparse.py --in raw.img --out a.simg [--split N] [--crc] [--hole zero|dontcare|raw]
"""
import argparse
import os
import struct
import sys
import zlib

MAGIC = 0xED26FF3A
RAW, FILL, DONT_CARE, CRC32 = 0xCAC1, 0xCAC2, 0xCAC3, 0xCAC4


class Writer:
    """Collects chunks; `write` puts them behind the header. Counts are in blocks, as in the format."""

    def __init__(self, block=4096, header_extra=0, chunk_extra=0):
        self.block, self.header_extra, self.chunk_extra = block, header_extra, chunk_extra
        self.chunks, self.blocks, self.crc = [], 0, 0

    def _add(self, kind, blocks, payload, covers=None):
        self.chunks.append((kind, blocks, payload))
        self.blocks += blocks
        if covers is not None:
            for part, times in covers:
                for _ in range(times):
                    self.crc = zlib.crc32(part, self.crc)

    def raw(self, data):
        if len(data) % self.block:
            raise ValueError("raw data is not a whole number of blocks")
        self._add(RAW, len(data) // self.block, data, [(data, 1)])

    def fill(self, word, blocks):
        word = word if isinstance(word, bytes) else struct.pack("<I", word)
        self._add(FILL, blocks, word, [(word * (self.block // 4), blocks)])

    def dont_care(self, blocks):
        self._add(DONT_CARE, blocks, b"", [(bytes(self.block), blocks)])

    def crc32(self):
        """Chunk with the sum of everything written so far (holes count as zero)."""
        self._add(CRC32, 0, struct.pack("<I", self.crc & 0xFFFFFFFF))

    def write(self, path, total_blocks=None, checksum=0):
        head = 28 + self.header_extra
        chunk_head = 12 + self.chunk_extra
        with open(path, "wb") as out:
            out.write(struct.pack("<IHHHHIIII", MAGIC, 1, 0, head, chunk_head, self.block,
                                  self.blocks if total_blocks is None else total_blocks, len(self.chunks), checksum))
            out.write(bytes(self.header_extra))
            for kind, blocks, payload in self.chunks:
                out.write(struct.pack("<HHII", kind, 0, blocks, chunk_head + len(payload)))
                out.write(bytes(self.chunk_extra) + payload)


def classify(data):
    """('fill', word) when the block repeats one 32-bit word, else ('raw', None)."""
    word = data[:4]
    return ("fill", word) if data == word * (len(data) // 4) else ("raw", None)


def runs(path, block, hole):
    """Yields (kind, word, first block, blocks); kind is raw, fill or hole."""
    current, at = None, 0
    with open(path, "rb") as src:
        while True:
            data = src.read(block)
            if not data:
                break
            kind, word = classify(data.ljust(block, b"\0"))
            if word == b"\0\0\0\0" and hole != "fill":
                kind, word = ("hole", None) if hole == "dontcare" else ("raw", None)
            if current and current[0] == kind and current[1] == word:
                current[3] += 1
            else:
                if current:
                    yield tuple(current)
                current = [kind, word, at, 1]
            at += 1
    if current:
        yield tuple(current)


def cut(all_runs, limit):
    """Cut long runs so that no piece holds more than `limit` blocks of payload."""
    for kind, word, first, count in all_runs:
        while kind == "raw" and count > limit:
            yield kind, word, first, limit
            first, count = first + limit, count - limit
        yield kind, word, first, count


def write_images(src, outs, block=4096, hole="dontcare", crc=False, **extra):
    """Split src over outs. Each file states the whole length and skips what the others hold."""
    total = -(-os.path.getsize(src) // block)
    share = -(-total // len(outs))
    pieces = list(cut(runs(src, block, hole), max(1, share // 4)))
    with open(src, "rb") as data:
        taken = 0
        for number, out in enumerate(outs):
            writer = Writer(block, **extra)
            if taken and pieces:
                writer.dont_care(pieces[0][2])
            elif taken:
                writer.dont_care(total)
            while pieces and (number == len(outs) - 1 or pieces[0][2] < (number + 1) * share):
                kind, word, first, count = pieces.pop(0)
                if kind == "hole":
                    writer.dont_care(count)
                elif kind == "fill":
                    writer.fill(word, count)
                else:
                    data.seek(first * block)
                    writer.raw(data.read(count * block).ljust(count * block, b"\0"))
                taken = first + count
            if crc:
                writer.crc32()
            if writer.blocks < total:
                writer.dont_care(total - writer.blocks)
            writer.write(out)


def main(argv=None):
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--in", dest="src", required=True)
    ap.add_argument("--out", required=True, help="with --split N: OUT.0 ... OUT.N-1")
    ap.add_argument("--split", type=int, default=0)
    ap.add_argument("--block", type=int, default=4096)
    ap.add_argument("--hole", choices=["fill", "dontcare", "raw"], default="dontcare",
                    help="how a zero block is written")
    ap.add_argument("--crc", action="store_true", help="a CRC32 chunk behind the data")
    ap.add_argument("--header-extra", type=int, default=0, help="bytes a newer header would have more")
    ap.add_argument("--chunk-extra", type=int, default=0, help="bytes a newer chunk header would have more")
    args = ap.parse_args(argv)
    outs = ["%s.%d" % (args.out, i) for i in range(args.split)] if args.split else [args.out]
    write_images(args.src, outs, args.block, args.hole, args.crc,
                 header_extra=args.header_extra, chunk_extra=args.chunk_extra)
    return 0


if __name__ == "__main__":
    sys.exit(main())
