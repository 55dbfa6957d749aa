#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the seeds with mkf2fs.py: whole file systems in 16 KiB, with blocks of 512 bytes, which no kernel mounts and which are said to
be so; then damaged ones."""
import pathlib
import struct
import sys

import mkf2fs as m

BS = 512
LABEL = (6, b"selinux", b"u:r:su:s0\0")
CAP = (6, b"capability", struct.pack("<5I", 0x02000001, 0x3000, 0, 0, 0))


def image(features=m.ALL, main=24, **kw):
    """Superblock in blocks 0 to 7, packs at 8 and 12, the table at 16; its twin lies where the main area begins, and is not used."""
    return m.Image(bs=BS, seg_bits=2, features=features, segment0=8, main=main, main_segs=(32 - main) // 4, **kw)


def lz4_literals(data):
    """A block of one run of literals, and before it a match: zeros."""
    zeros = len(data) - len(data.lstrip(b"\0"))
    rest = data[zeros:]
    long = zeros - 1 - 4 - 15
    match = b"\x1f\0\x01\0" + b"\xff" * (long // 255) + bytes([long % 255])
    return match + (bytes([len(rest) << 4]) if len(rest) < 15 else bytes([0xF0, len(rest) - 15])) + rest


def write(im, root, **pack):
    """Packs of at most four blocks: as after a crash, which leaves out summaries."""
    im.dir(root, ino=3)
    first = im.checkpoint(flags=m.COMPACT, **pack)
    second = im.checkpoint(version=im.version - 1, flags=m.COMPACT)
    return im.write(packs=(first, second), size=32 * BS)


def files(features=m.ALL):
    im = image(features, main=20)
    tool = im.inode(m.REG | 0o4755, 20, inline=b"\x7fELF" + bytes(range(16)), uid=1, gid=2000, links=2)
    link = im.inode(m.LNK | 0o777, 9, inline=b"/etc/name")
    null = im.inode(m.CHR | 0o666, addrs={1: 0x103})
    body = im.file(b"t" * 700)
    blank = im.file(b"u" * 1536, holes=(1,), new=(2,))
    return im, [(b"tool", tool, 1), (b"link", link, 7), (b"null", null, 3), (b"text", body, 1), (b"same", tool, 1), (b"holes", blank, 1)]


def full():
    im, names = files()
    return write(im, names)


def plain():
    im, names = files(0)
    return write(im, names)


def directories():
    im = image(main=20)
    f = im.inode(m.REG | 0o600, 3, inline=b"abc", xattr=[LABEL], slots=16)
    d = im.nid()
    im.dir([], ino=d, inline=True, parent=3)
    x = im.inode(m.REG | 0o755, 2, inline=b"xy", xattr=[LABEL, CAP], slots=0)
    z = im.dir([(b"in", f, 1)], parent=3)
    return write(im, [(b"f", f, 1), (b"d", d, 2), (b"x", x, 1), (b"z", z, 2)])


def packed(algorithm, body, flag=0):
    im = image()
    where = {0: m.COMPRESS, 1: im.block(m.packed(body, check=True))}
    f = im.inode(m.REG | 0o644, 2000, where, flags=4, algorithm=algorithm, cluster=2, cflag=flag, blocks=3)
    return write(im, [(b"z", f, 1)])


def tree():
    im = image()
    ino = im.nid()
    addrs, nids, _ = im.tree(ino, {0: im.block(b"first"), 18: im.block(b"second")})
    im.inode(m.REG | 0o644, 18 * BS + 100, addrs, ino=ino, nids=nids, blocks=4)
    return write(im, [(b"f", ino, 1)])


def journal():
    im = image()
    f = im.inode(m.REG | 0o644, 4, inline=b"what")
    moved = {f: im.nat.pop(f)}
    return write(im, [(b"f", f, 1)], journal=moved)


def orphan():
    im = image()
    gone = im.inode(m.REG | 0o600, links=0)
    f = im.inode(m.REG | 0o644, 4, inline=b"what")
    im.dir([(b"f", f, 1)], ino=3)
    warm = im.main + 6
    pack = im.checkpoint(flags=m.COMPACT, orphans=[gone], warm=warm)[:4]
    im.inode(m.REG | 0o644, 3, inline=b"new", ino=f, at=warm, flag=2, next_block=warm + 1, register=False)
    return im.write(packs=(pack, im.checkpoint(version=1, flags=m.COMPACT)), size=32 * BS)


def encrypted():
    im = image(m.ALL | m.ENCRYPT)
    f = im.inode(m.REG | 0o600, 3, inline=b"abc", advise=4)
    d = im.dir([(bytes(range(16)), f, 1)], advise=4)
    return write(im, [(b"e", d, 2)])


def patched(data, at, value):
    return data[:at] + value + data[at + len(value):]


def seeds():
    whole = full()
    at = lambda n: (20 + n) * BS  # noqa: E731
    yield "files", whole
    yield "plain", plain()
    yield "directories", directories()
    yield "tree", tree()
    yield "journal", journal()
    text = bytes(1024) + bytes(range(64)) * 16
    yield "lz4", packed(m.LZ4, lz4_literals(bytes(1900) + bytes(range(148))), 1)
    yield "zstd", packed(m.ZSTD, m.zstd(text))
    yield "lzo", packed(m.LZO, m.lzo(text))
    yield "lzorle", packed(m.LZORLE, m.lzorle(bytes(1900) + bytes(range(1, 149))))
    yield "bad_orphan", orphan()
    yield "bad_encrypted", encrypted()
    yield "bad_superblock_checksum", patched(whole, 1024 + 124, b"X")
    yield "bad_geometry", patched(whole, 1024 + 76, b"\xff" * 4)
    yield "bad_checkpoint", patched(whole, 8 * BS + 20, b"X")
    yield "bad_checkpoints", patched(patched(whole, 8 * BS + 20, b"X"), 12 * BS + 20, b"X")
    yield "bad_inode_checksum", patched(whole, at(0) + 8, b"\1")
    yield "bad_extra", patched(patched(plain(), at(0) + 3, b"\x22"), at(0) + 360, b"\x07\0")
    yield "bad_nat", patched(whole, 16 * BS + 9 * 4 + 5, b"\x0f\0\0\0")
    loop = bytearray(directories())
    where = loop.index(struct.pack("<IIHB", m.name_hash(b"d"), 5, 1, 2))
    struct.pack_into("<I", loop, where + 4, 3)
    yield "bad_loop", bytes(loop)
    yield "bad_attribute", patched(directories(), directories().index(b"selinux") - 2, b"\xff\xff")
    z = packed(m.LZ4, lz4_literals(bytes(1900) + bytes(range(148))), 1)
    yield "bad_cluster", patched(z, z.index(struct.pack("<I", m.COMPRESS)) + 4, b"\xff\xff\xff\x0f")
    yield "bad_packed", patched(z, z.index(bytes(range(1, 148))) - 3, b"\xff")
    deep = tree()
    yield "bad_tree", patched(deep, deep.index(b"second") + BS + 488, b"\x63")
    huge = patched(plain(), at(5) + 16, struct.pack("<Q", 1 << 29))
    yield "bad_huge", patched(huge, at(5) + BS - 24 - 20, struct.pack("<5I", 8, 8, 8, 8, 8))
    yield "bad_cut", whole[:26 * BS + 100]


def main():
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(__file__).parent / "seeds"
    folder.mkdir(exist_ok=True)
    for name, data in seeds():
        assert len(data) <= 16 << 10, name
        (folder / name).write_bytes(data)


if __name__ == "__main__":
    main()
