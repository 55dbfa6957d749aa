#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes a super image with LP metadata; layout after Android's liblp metadata_format.h (10.0 to 10.2).

Raw super: 4096 reserved bytes, geometry twice, every metadata slot, every backup slot, then the data.

  mklp.py --out super.img --version 10.2 --slots 2 --group group_a:64M \
          --partition system_a=system.img:group_a:readonly --partition system_b=:group_b
A partition's image may be empty (no extents) or several pieces: `A.img+zero:8M+B.img` makes one extent each.
"""
import argparse
import hashlib
import os
import struct
import sys

GEOMETRY_MAGIC = 0x616C4467
HEADER_MAGIC = 0x414C5030
RESERVED = 4096
GEOMETRY_SIZE = 4096
SECTOR = 512
TARGET_LINEAR, TARGET_ZERO = 0, 1
ATTRIBUTES = {"none": 0, "readonly": 1, "slot_suffixed": 2, "updated": 4, "disabled": 8}
GROUP_SLOT_SUFFIXED = 1
DEVICE_SLOT_SUFFIXED = 1
HEADER_FLAGS = {"virtual_ab": 1, "overlays_active": 2}
COPY = 1 << 20


class Partition:
    def __init__(self, name, pieces=(), group="default", attributes=0):
        """pieces: list of (kind, value): ("file", path), ("bytes", b"..."), ("zero", size)."""
        self.name, self.pieces, self.group, self.attributes = name, list(pieces), group, attributes


class Device:
    def __init__(self, name="super", size=0, alignment=1 << 20, alignment_offset=0, flags=0):
        self.name, self.size, self.flags = name, size, flags
        self.alignment, self.alignment_offset = alignment, alignment_offset


def name36(text):
    raw = text.encode()
    if len(raw) > 36:
        raise ValueError("name longer than 36 bytes: " + text)
    return raw.ljust(36, b"\0")


def round_up(value, to):
    return (value + to - 1) // to * to


def geometry(max_size, slots, block_size):
    body = struct.pack("<II32sIII", GEOMETRY_MAGIC, 52, b"\0" * 32, max_size, slots, block_size)
    digest = hashlib.sha256(body).digest()
    return (body[:8] + digest + body[40:]).ljust(GEOMETRY_SIZE, b"\0")


def metadata(version, partitions, extents, groups, devices, flags=0):
    """One metadata copy: header and its four tables. extents: (sectors, type, data, source)."""
    major, minor = version
    index = {name: i for i, (name, _flags, _size) in enumerate(groups)}
    tables = [b"".join(struct.pack("<36sIIII", name36(p.name), p.attributes, first, count, index[p.group])
                       for p, first, count in partitions),
              b"".join(struct.pack("<QIQI", *e) for e in extents),
              b"".join(struct.pack("<36sIQ", name36(n), f, s) for n, f, s in groups),
              b"".join(struct.pack("<QIIQ36sI", d.first_sector, d.alignment, d.alignment_offset, d.size,
                                   name36(d.name), d.flags) for d in devices)]
    entry = (52, 24, 48, 64)
    blob, descriptors = b"", b""
    for table, size in zip(tables, entry):
        descriptors += struct.pack("<III", len(blob), len(table) // size, size)
        blob += table
    tail = struct.pack("<I124x", flags) if minor >= 2 else b""
    header_size = 128 + len(tail)

    def header(checksum):
        return struct.pack("<IHHI32sI32s", HEADER_MAGIC, major, minor, header_size, checksum, len(blob),
                           hashlib.sha256(blob).digest()) + descriptors + tail

    return header(hashlib.sha256(header(b"\0" * 32)).digest()) + blob


def piece_size(kind, value):
    if kind == "zero":
        return value
    return len(value) if kind == "bytes" else os.path.getsize(value)


def place(partitions, devices, block_size):
    """Lay the pieces out in order, filling one device after the other. Returns (rows, extents, writes)."""
    extents, rows, writes = [], [], []
    dev, cursor = 0, devices[0].first_sector * SECTOR
    for part in partitions:
        first = len(extents)
        for kind, value in part.pieces:
            size = round_up(piece_size(kind, value), block_size)
            if kind == "zero":
                extents.append((size // SECTOR, TARGET_ZERO, 0, 0))
                continue
            done = 0
            while done < size:
                room = devices[dev].size - cursor if devices[dev].size else size
                if room <= 0:
                    dev += 1
                    if dev == len(devices):
                        raise ValueError("the partitions do not fit the block devices")
                    cursor = devices[dev].first_sector * SECTOR
                    continue
                take = min(room, size - done)
                extents.append((take // SECTOR, TARGET_LINEAR, cursor // SECTOR, dev))
                writes.append((dev, cursor, kind, value, done, take))
                done += take
                cursor += take
        cursor = round_up(cursor, devices[dev].alignment)
        rows.append((part, first, len(extents) - first))
    return rows, extents, writes, (dev, cursor)


def copy_piece(out, at, kind, value, start, size):
    out.seek(at)
    if kind == "bytes":
        out.write(value[start:start + size])
        return
    with open(value, "rb") as src:
        src.seek(start)
        left = size
        while left:
            chunk = src.read(min(COPY, left))
            if not chunk:
                return                      # the rounding up to a block is a hole
            out.write(chunk)
            left -= len(chunk)


def write_super(out_paths, partitions, groups=(), version=(10, 2), slots=2, max_size=65536, block_size=4096,
                devices=None, flags=0, slot_metadata=None):
    """out_paths: one path a block device. slot_metadata: {slot: list of partition names kept in that slot}."""
    devices = devices or [Device()]
    known = [("default", 0, 0)] + [g for g in groups if g[0] != "default"]
    for part in partitions:
        if part.group not in [g[0] for g in known]:
            known.append((part.group, 0, 0))
    for i, dev in enumerate(devices):
        lead = RESERVED + 2 * GEOMETRY_SIZE + 2 * slots * max_size if i == 0 else 0
        dev.first_sector = round_up(max(lead, dev.alignment if i else lead), dev.alignment) // SECTOR
    rows, extents, writes, end = place(partitions, devices, block_size)
    if not devices[end[0]].size:
        devices[end[0]].size = round_up(end[1], devices[end[0]].alignment)
    if any(d.size == 0 for d in devices):
        raise ValueError("every block device but the last in use needs a size")
    with open(out_paths[0], "wb") as out:
        out.truncate(devices[0].size)
        geo = geometry(max_size, slots, block_size)
        for at in (RESERVED, RESERVED + GEOMETRY_SIZE):
            out.seek(at)
            out.write(geo)
        for slot in range(slots):
            keep = (slot_metadata or {}).get(slot)
            rows_of_slot = [r for r in rows if keep is None or r[0].name in keep]
            blob = metadata(version, rows_of_slot, extents, known, devices, flags)
            if len(blob) > max_size:
                raise ValueError("the metadata is larger than its slot")
            base = RESERVED + 2 * GEOMETRY_SIZE
            for at in (base + slot * max_size, base + (slots + slot) * max_size):
                out.seek(at)
                out.write(blob)
    for i, path in enumerate(out_paths):
        if i:
            with open(path, "wb") as out:
                out.truncate(devices[i].size)
        with open(path, "r+b") as out:
            for dev, at, kind, value, start, size in writes:
                if dev == i:
                    copy_piece(out, at, kind, value, start, size)
    return rows, extents


def write_empty(out_path, partitions, groups=(), version=(10, 2), slots=2, max_size=65536, block_size=4096,
                device_size=1 << 30, flags=0):
    """super_empty.img as the build system makes it: one geometry, one metadata, no reserved bytes, no data."""
    known = [("default", 0, 0)] + list(groups)
    dev = Device(size=device_size)
    dev.first_sector = round_up(RESERVED + 2 * GEOMETRY_SIZE + 2 * slots * max_size, dev.alignment) // SECTOR
    rows = [(p, 0, 0) for p in partitions]
    with open(out_path, "wb") as out:
        out.write(geometry(max_size, slots, block_size))
        out.write(metadata(version, rows, [], known, [dev], flags))


def size_of(text):
    unit = {"K": 10, "M": 20, "G": 30}.get(text[-1:].upper())
    return int(text[:-1]) << unit if unit else int(text, 0)


def parse_partition(text):
    """NAME=PIECE[+PIECE...]:GROUP[:ATTRIBUTE...]; a PIECE is a path without ':' or '+', or zero:SIZE."""
    name, _, rest = text.partition("=")
    fields = rest.split("+")
    last = fields[-1].split(":")
    keep = 2 if last[0] == "zero" else 1
    options, fields[-1] = last[keep:], ":".join(last[:keep])
    pieces = [("zero", size_of(f[5:])) if f.startswith("zero:") else ("file", f) for f in fields if f]
    group = options[0] if options and options[0] else "default"
    attributes = 0
    for option in options[1:]:
        attributes |= ATTRIBUTES[option]
    return Partition(name, pieces, group, attributes)


def parse_group(text):
    fields = text.split(":")
    return (fields[0], GROUP_SLOT_SUFFIXED if "slot_suffixed" in fields[2:] else 0,
            size_of(fields[1]) if len(fields) > 1 and fields[1] else 0)


def parse_device(text):
    """NAME:SIZE[:slot_suffixed]"""
    fields = text.split(":")
    return Device(fields[0], size_of(fields[1]) if len(fields) > 1 and fields[1] else 0,
                  flags=DEVICE_SLOT_SUFFIXED if "slot_suffixed" in fields[2:] else 0)


def main(argv=None):
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--out", required=True, action="append", help="one for each block device, in order")
    ap.add_argument("--version", default="10.2", choices=["10.0", "10.1", "10.2"])
    ap.add_argument("--slots", type=int, default=2)
    ap.add_argument("--metadata-size", default="64K")
    ap.add_argument("--block-size", type=int, default=4096)
    ap.add_argument("--group", action="append", default=[], metavar="NAME[:MAX[:slot_suffixed]]")
    ap.add_argument("--device", action="append", default=[], metavar="NAME[:SIZE[:slot_suffixed]]")
    ap.add_argument("--partition", action="append", default=[], metavar="NAME=IMAGE[+zero:SIZE+...]:GROUP[:ATTR...]")
    ap.add_argument("--slot-only", action="append", default=[], metavar="SLOT=NAME,NAME",
                    help="this slot's metadata names these partitions only")
    ap.add_argument("--flag", action="append", default=[], choices=sorted(HEADER_FLAGS))
    ap.add_argument("--empty", action="store_true", help="metadata without data, as in super_empty.img")
    args = ap.parse_args(argv)
    version = tuple(int(x) for x in args.version.split("."))
    flags = sum(HEADER_FLAGS[f] for f in set(args.flag))
    if flags and version < (10, 2):
        ap.error("header flags need version 10.2")
    partitions = [parse_partition(p) for p in args.partition]
    if version < (10, 1) and any(p.attributes & ~3 for p in partitions):
        ap.error("updated and disabled need version 10.1")
    groups = [parse_group(g) for g in args.group]
    common = dict(groups=groups, version=version, slots=args.slots, max_size=size_of(args.metadata_size),
                  block_size=args.block_size, flags=flags)
    if args.empty:
        write_empty(args.out[0], partitions, **common)
        return 0
    devices = [parse_device(d) for d in args.device] or None
    if len(args.out) != len(devices or [0]):
        ap.error("as many --out as --device")
    only = {int(s.split("=")[0]): s.split("=")[1].split(",") for s in args.slot_only}
    write_super(args.out, partitions, devices=devices, slot_metadata=only, **common)
    return 0


if __name__ == "__main__":
    sys.exit(main())
