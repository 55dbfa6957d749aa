#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes a payload.bin as update_engine reads it; written from update_metadata.proto and the layout at its head, without the reader.

  mkpayload.py --out payload.bin [--how xz] [--jobs 2] system=system.img vendor=vendor.img
cuts each image into operations of 2 MiB, as delta_generator does for full updates: what packs badly stays REPLACE, zeros become ZERO.
"""
import argparse
import base64
import bz2
import concurrent.futures
import hashlib
import lzma
import pathlib
import struct
import subprocess

BLOCK = 4096
CHUNK = 2 << 20
TYPES = {"REPLACE": 0, "REPLACE_BZ": 1, "MOVE": 2, "BSDIFF": 3, "SOURCE_COPY": 4, "SOURCE_BSDIFF": 5, "ZERO": 6, "DISCARD": 7, "REPLACE_XZ": 8, "PUFFDIFF": 9,
         "BROTLI_BSDIFF": 10, "ZUCCHINI": 11, "LZ4DIFF_BSDIFF": 12, "LZ4DIFF_PUFFDIFF": 13, "REPLACE_ZSTD": 14}


# ---- protocol buffers: the wire format ----

def varint(n):
    n &= (1 << 64) - 1
    out = bytearray()
    while n > 127:
        out.append(n & 127 | 128)
        n >>= 7
    return bytes(out) + bytes([n])


def number(field, value):
    return b"" if value is None else varint(field << 3) + varint(int(value))


def box(field, value):
    if value is None:
        return b""
    raw = value.encode() if isinstance(value, str) else value
    return varint(field << 3 | 2) + varint(len(raw)) + raw


def fixed32(field, value):
    return varint(field << 3 | 5) + struct.pack("<I", value)


def extent(start, count):
    return number(1, start) + number(2, count)


def info(size, digest):
    return number(1, size) + box(2, digest)


# ---- packing ----

def pack(kind, data):
    if kind == "REPLACE_BZ":
        return bz2.compress(data, 9)
    if kind == "REPLACE_XZ":
        return lzma.compress(data, preset=6)
    if kind == "REPLACE_ZSTD":
        return subprocess.run(["zstd", "-qc"], input=data, capture_output=True, check=True).stdout
    return data


class Op:
    """One operation: kind (name or number), destination extents [(start, blocks)], its data as it lies in the payload."""

    def __init__(self, kind, dst, data=None, digest="right", src=(), packed=None):
        self.kind, self.dst, self.src, self.digest = kind, list(dst), list(src), digest
        self.data = packed if packed is not None else None if data is None else pack(kind, data)

    def message(self, at):
        out = number(1, TYPES.get(self.kind, self.kind))
        if self.data is not None:
            out += number(2, at) + number(3, len(self.data))
        out += b"".join(box(4, extent(*e)) for e in self.src) + b"".join(box(6, extent(*e)) for e in self.dst)
        if self.digest == "right" and self.data is not None:
            out += box(8, hashlib.sha256(self.data).digest())
        elif isinstance(self.digest, bytes):
            out += box(8, self.digest)
        return out


class Partition:
    """ops in order; image: what they make (for size and digest). extra: fields of PartitionUpdate as bytes."""

    def __init__(self, name, ops, image=None, size=None, digest=None, old=None, extra=b""):
        self.name, self.ops, self.old, self.extra = name, list(ops), old, extra
        self.size = size if size is not None else None if image is None else len(image)
        self.digest = digest if digest is not None else None if image is None else hashlib.sha256(image).digest()


def blocks(n):
    return (n + BLOCK - 1) // BLOCK


def full(name, image, how="REPLACE_XZ", chunk=CHUNK, jobs=1, **kw):
    """A partition as a full update has it."""
    def one(at):
        data = image[at:at + chunk]
        dst = [(at // BLOCK, blocks(len(data)))]
        if not data.strip(b"\0"):
            return Op("ZERO", dst)
        packed = pack(how, data)
        return Op(how, dst, packed=packed) if len(packed) < len(data) else Op("REPLACE", dst, data)
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        return Partition(name, pool.map(one, range(0, len(image), chunk)), image, **kw)


def signatures(*blobs):
    return b"".join(box(1, box(2, b) + fixed32(3, len(b))) for b in blobs)


def payload(partitions, minor=0, block=BLOCK, extra=b"", metadata_signature=b"", signature=None, version=2, tail=b"", order=None):
    """The whole file. extra: fields of the manifest as bytes."""
    data, messages = bytearray(), []
    for p in partitions:
        body = box(1, p.name) + (box(6, info(*p.old)) if p.old else b"")
        if p.size is not None or p.digest is not None:
            body += box(7, info(p.size, p.digest))
        body += p.extra
        for op in p.ops:
            body += box(8, op.message(len(data)))
            data += op.data or b""
        messages.append(box(13, body))
    manifest = number(3, block) + number(12, minor)
    if signature is not None:
        manifest += number(4, len(data)) + number(5, len(signature))
    manifest += b"".join(messages) + extra
    head = struct.pack(">4sQQ", b"CrAU", version, len(manifest)) + (struct.pack(">I", len(metadata_signature)) if version >= 2 else b"")
    return head + manifest + metadata_signature + bytes(data) + (signature or b"") + tail


def properties(data):
    """payload_properties.txt for a payload."""
    size, = struct.unpack_from(">Q", data, 12)
    digest = lambda b: base64.b64encode(hashlib.sha256(b).digest()).decode()  # noqa: E731
    return (f"FILE_HASH={digest(data)}\nFILE_SIZE={len(data)}\nMETADATA_HASH={digest(data[:24 + size])}\nMETADATA_SIZE={24 + size}\n").encode()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", required=True)
    parser.add_argument("--how", default="xz", choices=["none", "bz", "xz", "zstd"])
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("partition", nargs="+", help="NAME=IMAGE")
    a = parser.parse_args()
    how = {"none": "REPLACE", "bz": "REPLACE_BZ", "xz": "REPLACE_XZ", "zstd": "REPLACE_ZSTD"}[a.how]
    made = [full(name, pathlib.Path(path).read_bytes(), how, jobs=a.jobs) for name, path in (p.split("=", 1) for p in a.partition)]
    pathlib.Path(a.out).write_bytes(payload(made))


if __name__ == "__main__":
    main()
