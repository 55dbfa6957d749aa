#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the seeds: whole file systems of 16 blocks of 1 KiB, smaller than mke2fs makes them, from the kernel's
Documentation/filesystems/ext4 alone; then damaged ones. The undamaged are checked with e2fsck by test_ext4.py."""
import pathlib
import struct
import sys

BS, BLOCKS, INODES, ISIZE, TABLE, FIRST = 1024, 16, 16, 256, 5, 9
UUID = bytes(range(16))
REG, DIR, LNK, CHR = 0x8000, 0x4000, 0xA000, 0x2000


def crc32c(crc, data):
    for b in data:
        crc ^= b
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc


SEED = crc32c(0xFFFFFFFF, UUID)


def entry_hash(name, value):
    h = 0
    for c in name:
        h = (h << 5 ^ h >> 27 ^ c) & 0xFFFFFFFF
    for (w,) in struct.iter_unpack("<I", value):
        h = (h << 16 ^ h >> 16 ^ w) & 0xFFFFFFFF
    return h


def xattrs(entries, size, base):
    """Entries (index, name, value) packed into `size` bytes; offsets count from base before them."""
    head, tail, end = b"", b"", size
    for index, name, value in entries:
        pad = value + b"\0" * (-len(value) % 4)
        end -= len(pad)
        tail = pad + tail
        head += struct.pack("<BBHIII", len(name), index, end + base if value else 0, 0, len(value), entry_hash(name, pad) if base else 0) + name
        head += b"\0" * (-len(name) % 4)
    assert len(head) + 4 <= end
    return head + b"\0" * (end - len(head)) + tail


class Image:
    def __init__(self, csum=True, extents=True, inline=True, journal=False):
        self.csum, self.extents = csum, extents
        self.incompat = 0x2 | (0x40 if extents else 0) | (0x8000 if inline else 0) | (4 if journal else 0)
        self.ro = 0x400 if csum else 0
        self.data = bytearray(BS * BLOCKS)
        self.inodes, self.used, self.dirs = {}, 0, 0
        self.next = FIRST
        self.dir_blocks, self.tree_blocks = [], []

    def block(self, content):
        b = self.next
        self.next += 1
        self.data[b * BS:b * BS + len(content)] = content
        return b

    def inode(self, ino, mode, size, iblock, flags=0, links=1, sectors=2, body=(), acl=0):
        raw = bytearray(ISIZE)
        struct.pack_into("<HHIIIIIHHIII", raw, 0, mode, 0, size, 0, 0, 1500000000 + ino, 0, 0, links, sectors, flags, 0)
        raw[0x28:0x28 + len(iblock)] = iblock
        struct.pack_into("<I", raw, 0x68, acl)
        struct.pack_into("<H", raw, 0x80, 32)
        if body:
            raw[160:164] = struct.pack("<I", 0xEA020000)
            raw[164:256] = xattrs(body, 92, 0)
        self.inodes[ino] = raw

    def extent(self, block, n=1):
        if not self.extents:
            return struct.pack("<I", block)
        return struct.pack("<HHHHI", 0xF30A, 1, 4, 0, 0) + struct.pack("<IHHI", 0, n, 0, block)

    def flag(self):
        return 0x80000 if self.extents else 0

    def directory(self, ino, entries, links):
        """entries: (inode, type, name)"""
        room = BS - (12 if self.csum else 0)
        out = b""
        for n, (child, kind, name) in enumerate(entries):
            size = 8 + len(name) + -len(name) % 4
            if n == len(entries) - 1:
                size = room - len(out)
            out += struct.pack("<IHBB", child, size, len(name), kind) + name
            out += b"\0" * (size - 8 - len(name))
        if self.csum:
            out += struct.pack("<IHBBI", 0, 12, 0, 0xDE, 0)
        block = self.block(out)
        self.dir_blocks.append((ino, block))
        self.inode(ino, DIR | 0o755, BS, self.extent(block), self.flag(), links)
        self.dirs += 1

    def seed_of(self, ino):
        return crc32c(crc32c(SEED, struct.pack("<I", ino)), b"\0\0\0\0")

    def finish(self):
        d = self.data
        if self.csum:
            for ino, b in self.dir_blocks:
                struct.pack_into("<I", d, b * BS + BS - 4, crc32c(self.seed_of(ino), d[b * BS:b * BS + BS - 12]))
            for ino, b in self.tree_blocks:
                n = 12 + 12 * struct.unpack_from("<H", d, b * BS + 4)[0]
                struct.pack_into("<I", d, b * BS + n, crc32c(self.seed_of(ino), d[b * BS:b * BS + n]))
        for ino, raw in self.inodes.items():
            if self.csum:
                crc = crc32c(self.seed_of(ino), raw)
                struct.pack_into("<H", raw, 0x7C, crc & 0xFFFF)
                struct.pack_into("<H", raw, 0x82, crc >> 16)
            at = TABLE * BS + (ino - 1) * ISIZE
            d[at:at + ISIZE] = raw
        taken = set(range(1, 11)) | set(self.inodes)
        bb, ib = bytearray(b"\xff" * BS), bytearray(b"\xff" * BS)
        for b in range(1, BLOCKS):
            if b >= self.next:
                bb[(b - 1) // 8] &= ~(1 << (b - 1) % 8)
        for i in range(1, INODES + 1):
            if i not in taken:
                ib[(i - 1) // 8] &= ~(1 << (i - 1) % 8)
        d[3 * BS:4 * BS], d[4 * BS:5 * BS] = bb, ib
        self.super(BLOCKS - self.next, INODES - len(taken), bb, ib)
        return bytes(d)

    def super(self, free_blocks, free_inodes, bb, ib):
        d = self.data
        desc = bytearray(32)
        struct.pack_into("<IIIHHHH", desc, 0, 3, 4, TABLE, free_blocks, free_inodes, self.dirs, 4)
        if self.csum:
            struct.pack_into("<HH", desc, 0x18, crc32c(SEED, bb) & 0xFFFF, crc32c(SEED, ib[:INODES // 8]) & 0xFFFF)
            crc = crc32c(SEED, struct.pack("<I", 0) + bytes(desc))
            struct.pack_into("<H", desc, 0x1E, crc & 0xFFFF)
        d[2 * BS:2 * BS + 32] = desc
        sb = bytearray(1024)
        struct.pack_into("<11I", sb, 0, INODES, BLOCKS, 0, free_blocks, free_inodes, 1, 0, 0, 8192, 8192, INODES)
        struct.pack_into("<IIHHHHHHIIII", sb, 0x2C, 0, 1500000000, 0, 65535, 0xEF53, 1, 1, 0, 1500000000, 0, 0, 1)
        struct.pack_into("<IHHIII", sb, 0x54, 11, ISIZE, 0, 0x28, self.incompat, self.ro)
        sb[0x68:0x78], sb[0x78:0x7C], sb[0x88:0x90] = UUID, b"seed", b"/system\0"
        struct.pack_into("<I", sb, 0x108, 1500000000)
        struct.pack_into("<HH", sb, 0x15C, 32, 32)
        if self.csum:
            sb[0x175] = 1
            struct.pack_into("<I", sb, 0x3FC, crc32c(0xFFFFFFFF, sb[:0x3FC]))
        d[BS:2 * BS] = sb


CAP = struct.pack("<5I", 0x02000001, 0x3000, 0, 0, 0)
LABEL = b"u:r:su:s0\0"


def full(**options):
    """One of everything."""
    im = Image(**options)
    extents = im.extents
    names = [(2, 2, b"."), (2, 2, b".."), (11, 2, b"lost+found"), (12, 1, b"tool"), (13, 7, b"link"), (14, 3, b"null"), (15, 1, b"text"),
             (12, 1, b"same"), (16, 2 if extents else 1, b"in")]
    im.directory(2, names, 4 if extents else 3)
    im.directory(11, [(11, 2, b"."), (2, 2, b"..")], 2)
    block = im.block(b"\x7fELF" + bytes(range(200)))
    im.inode(12, REG | 0o4755, 600, im.extent(block), im.flag(), 2, 2, [(6, b"selinux", LABEL), (6, b"capability", CAP)])
    im.inode(13, LNK | 0o777, 9, b"/etc/name", 0, 1, 0)
    im.inode(14, CHR | 0o666, 0, struct.pack("<I", 0x103), 0, 1, 0)
    if extents:
        im.inode(15, REG | 0o644, 70, b"t" * 60, 0x10000000, 1, 0, [(7, b"data", b"tail of it")])
        inline = struct.pack("<I", 2) + struct.pack("<IHBB", 15, 56, 1, 1) + b"t"
        im.inode(16, DIR | 0o700, 60, inline, 0x10000000, 2, 0, [(7, b"data", b"")])
        im.inodes[15][0x1A] = 2
        im.dirs += 1
        if im.csum:
            leaf = struct.pack("<HHHHI", 0xF30A, 2, 84, 0, 0) + struct.pack("<IHHI", 0, 1, 0, 0) + struct.pack("<IHHI", 2, 1, 0, 0)
            leaf = bytearray(leaf)
            node = im.block(bytes(BS))
            one, two = block, im.block(b"third")
            struct.pack_into("<I", leaf, 12 + 8, one)
            struct.pack_into("<I", leaf, 24 + 8, two)
            im.data[node * BS:node * BS + len(leaf)] = leaf
            im.tree_blocks.append((12, node))
            root = struct.pack("<HHHHI", 0xF30A, 1, 4, 1, 0) + struct.pack("<IIHH", 0, node, 0, 0)
            im.inodes[12][0x28:0x28 + len(root)] = root
            struct.pack_into("<I", im.inodes[12], 4, 3000)
            struct.pack_into("<I", im.inodes[12], 0x1C, 6)
    else:
        im.inode(15, REG | 0o644, 5, struct.pack("<I", im.block(b"plain")), 0, 1, 2)
        one = im.block(b"far away")
        ind = im.block(struct.pack("<I", one))
        attrs = xattrs([(6, b"selinux", LABEL)], BS - 32, 32)
        acl = im.block(struct.pack("<III", 0xEA020000, 1, 1) + attrs[12:16] + bytes(16) + attrs)
        im.inode(16, REG | 0o600, 13 * BS, struct.pack("<15I", *[0] * 12, ind, 0, 0), 0, 1, 6, (), acl)
    return im


def patched(data, at, value):
    return data[:at] + value + data[at + len(value):]


def seeds():
    ext4 = full().finish()
    plain = full(csum=False).finish()
    ext2 = full(csum=False, extents=False, inline=False).finish()
    inode = lambda ino: TABLE * BS + (ino - 1) * ISIZE  # noqa: E731
    yield "ext4", ext4
    yield "ext4_nocsum", plain
    yield "ext2", ext2
    yield "ext4_journal", full(journal=True).finish()
    root = FIRST * BS
    loop = bytearray(plain)
    for at in range(root, root + BS - 8):
        if loop[at:at + 12] == struct.pack("<IHBB", 14, 12, 4, 3) + b"null":
            loop[at:at + 8] = struct.pack("<IHBB", 2, 12, 4, 2)
    yield "bad_loop", bytes(loop)
    yield "bad_entry_length", patched(plain, root + 16, b"\x03\x00")
    yield "bad_superblock_checksum", patched(ext4, BS + 0x78, b"X")
    yield "bad_group_checksum", patched(ext4, 2 * BS + 0x0C, b"\x7f")
    yield "bad_inode_checksum", patched(ext4, inode(12) + 2, b"\x01")
    yield "bad_extent_depth", patched(plain, inode(12) + 0x28 + 6, b"\x05")
    yield "bad_extent_range", patched(plain, inode(12) + 0x28 + 20, struct.pack("<I", 0xFFFFFF))
    yield "bad_extent_node", patched(ext4, inode(12) + 0x28 + 16, struct.pack("<I", TABLE))
    yield "bad_attribute", patched(plain, inode(12) + 164 + 2, b"\xff\xff")
    yield "bad_inline", patched(plain, inode(15) + 4, struct.pack("<I", 5000))
    itself = patched(ext2, inode(16) + 4, struct.pack("<I", 200 << 20))
    yield "bad_map_to_itself", patched(itself, inode(16) + 0x28 + 4 * 12, struct.pack("<I", 14) * 3)
    yield "bad_geometry", patched(plain, BS + 0x20, struct.pack("<I", 1))
    yield "bad_huge_size", patched(plain, inode(12) + 0x6C, b"\xff\xff\xff\x7f")
    yield "cut", ext4[:11 * BS + 500]


def main():
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(__file__).parent / "seeds"
    for name, data in seeds():
        (folder / name).write_bytes(data)


if __name__ == "__main__":
    main()
