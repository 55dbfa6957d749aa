# SPDX-License-Identifier: Apache-2.0
"""Writes F2FS images from include/linux/f2fs_fs.h and Documentation/filesystems/f2fs.rst of the Linux kernel alone: what mkfs.f2fs
and sload.f2fs cannot make, and seeds that are smaller than they make them. For the tests; nothing here mounts or checks."""
import struct
import subprocess
import zlib

MAGIC, XATTR_MAGIC = 0xF2F52010, 0xF2F52011
REG, DIR, LNK, CHR, BLK, FIFO, SOCK = 0x8000, 0x4000, 0xA000, 0x2000, 0x6000, 0x1000, 0xC000
FTYPE = {REG: 1, DIR: 2, CHR: 3, BLK: 4, FIFO: 5, SOCK: 6, LNK: 7}
ENCRYPT, BLKZONED, EXTRA_ATTR, PRJQUOTA, INODE_CHKSUM, FLEXIBLE, QUOTA_INO, CRTIME = 1, 2, 8, 16, 32, 64, 128, 256
VERITY, SB_CHKSUM, CASEFOLD, COMPRESSION, RO, DEVICE_ALIAS = 0x400, 0x800, 0x1000, 0x2000, 0x4000, 0x8000
ALL = EXTRA_ATTR | INODE_CHKSUM | FLEXIBLE | CRTIME | SB_CHKSUM | COMPRESSION
UMOUNT, ORPHANS, COMPACT, FASTBOOT, CRC_RECOVERY, NOCRC, LARGE_NAT = 1, 2, 4, 0x20, 0x40, 0x200, 0x400
I_XATTR, I_DATA, I_DENTRY, I_EXIST, I_EXTRA, I_RELEASED = 1, 2, 4, 8, 0x20, 0x80
LZO, LZ4, ZSTD, LZORLE = 0, 1, 2, 3
NEW, COMPRESS = 0xFFFFFFFF, 0xFFFFFFFE


def crc(data, seed=MAGIC):
    return zlib.crc32(data, seed ^ 0xFFFFFFFF) ^ 0xFFFFFFFF


def name_hash(name):
    """The hash of a name in a directory: TEA over pieces of 16 bytes."""
    if name in (b".", b".."):
        return 0
    a, b = 0x67452301, 0xEFCDAB89
    left = name
    while True:
        piece = left[:16]
        pad = (len(left) | len(left) << 8) & 0xFFFFFFFF
        pad |= pad << 16 & 0xFFFFFFFF
        words, val = [], pad
        for i, c in enumerate(piece):
            if i % 4 == 0:
                val = pad
            val = c + (val << 8) & 0xFFFFFFFF
            if i % 4 == 3:
                words.append(val)
                val = pad
        if len(words) < 4:
            words.append(val)
        words += [pad] * (4 - len(words))
        x, y, total = a, b, 0
        for _ in range(16):
            total = total + 0x9E3779B9 & 0xFFFFFFFF
            x = x + ((y << 4) + words[0] ^ y + total ^ (y >> 5) + words[1]) & 0xFFFFFFFF
            y = y + ((x << 4) + words[2] ^ x + total ^ (x >> 5) + words[3]) & 0xFFFFFFFF
        a, b = a + x & 0xFFFFFFFF, b + y & 0xFFFFFFFF
        left = left[16:]
        if not left:
            return a


def xattrs(entries):
    """The list that inode and attribute node hold together: (index, name, value)."""
    out = struct.pack("<II4I", XATTR_MAGIC, 1, 0, 0, 0, 0)
    for index, name, value in entries:
        e = struct.pack("<BBH", index, len(name), len(value)) + name + value
        out += e + bytes(-len(e) % 4)
    return out


def tool(data, *argv):
    return subprocess.run(argv, input=data, capture_output=True, check=True).stdout


def lz4(data, level=1):
    """One raw block, taken out of a frame."""
    f = tool(data, "lz4", f"-{level}", "-B7", "--no-frame-crc", "-c")
    at = 7 + (8 if f[4] & 8 else 0)
    n = struct.unpack_from("<I", f, at)[0]
    assert not n >> 31, "does not pack"
    return f[at + 4:at + 4 + n]


def zstd(data, level=3):
    return tool(data, "zstd", "-q", f"-{level}", "-c")


def lzo(data, level=1):
    """One raw LZO1X block, taken out of lzop's file."""
    f = tool(data, "lzop", "-q", f"-{level}", "-c", "-F")
    flags = struct.unpack_from(">I", f, 9 + 8)[0]
    at = 9 + 2 * 3 + 2 + 4 + 12 + 1 if not flags & 0x800 else None
    at += f[at - 1] + 4
    dst, src = struct.unpack_from(">II", f, at)
    assert dst == len(data) and src < dst, "more than one block, or it does not pack"
    at += 8 + 4 * bin(flags & 0x3).count("1") + 4 * bin(flags & 0x300).count("1")
    return f[at:at + src]


def literals(data, first):
    """An instruction that copies literals (Documentation/staging/lzo.rst)."""
    n = len(data)
    if first and n < 4:
        return bytes([17 + n]) + data
    if n <= 18:
        return bytes([n - 3]) + data
    zeros, rest = divmod(n - 18 - 1, 255)
    return bytes(1 + zeros) + bytes([rest + 1]) + data


def lzorle(data):
    """LZO-RLE, version 1 of the bit stream: literals, and runs of zeros; no other copies."""
    out, at, first = bytearray(b"\x11\x01"), 0, True
    while at < len(data):
        run = data.find(bytes(8), at)
        run = len(data) if run < 0 else 4 if first and run == 0 else run  # the first instruction cannot be a run of zeros
        if run > at:
            piece = data[at:run]
            if len(piece) < 4 and not first:
                out[tail] |= len(piece)  # behind the run of zeros just written
                out += piece
            else:
                out += literals(piece, first)
            at, first = run, False
        while at < len(data):
            n = len(data[at:at + 2051]) - len(data[at:at + 2051].lstrip(b"\0"))
            if n < 4:
                break
            out += bytes([0x18 | (n - 4) & 7])
            tail = len(out)
            out += bytes([0xFC, 0xFF, (n - 4) >> 3])
            at, first = at + n, False
            left = len(data) - at
            if 0 < left < 4 or (data[at:at + 1] and data[at:at + 4].strip(b"\0") and 0 < data.find(bytes(8), at) - at < 4):
                break
    return bytes(out + b"\x11\0\0")


def packed(data, check=False, wrong=False):
    """A compressed cluster: its header and what was packed."""
    return struct.pack("<II16x", len(data), (crc(data) ^ wrong) if check or wrong else 0) + data


class Image:
    def __init__(self, bs=4096, seg_bits=9, features=ALL, segment0=None, main_segs=12, nat_segs=2, payload=0, label="", devices=(), quota=(),
                 main=None, uuid=bytes(range(16)), large_nat=False):
        self.bs, self.seg_bits, self.features, self.uuid, self.label = bs, seg_bits, features, uuid, label
        self.payload, self.devices, self.quota, self.large_nat = payload, devices, quota, large_nat
        seg = 1 << seg_bits
        self.segment0 = segment0 or seg
        self.cp, self.nat_segs = self.segment0, nat_segs
        self.sit = self.cp + 2 * seg
        self.nat_at = self.sit + (2 * seg if seg_bits == 9 else 0)
        self.ssa = self.nat_at + nat_segs * seg
        self.main = main or self.ssa + (seg if seg_bits == 9 else 0)
        self.main_segs = main_segs
        self.end = self.main + main_segs * seg
        self.next, self.next_nid = self.main, 4
        self.data, self.nat = {}, {}
        self.room = (bs - 404) // 4
        self.per_node = (bs - 24) // 4
        self.extra = 36 if features & EXTRA_ATTR else 0
        self.seed = crc(uuid, 0xFFFFFFFF)
        self.version = 0x1000

    # ---- blocks and nodes ----
    def block(self, content, at=None):
        if at is None:
            at = self.next
            self.next += 1
        self.data[at] = bytes(content).ljust(self.bs, b"\0")
        return at

    def blocks(self, content):
        """Side by side."""
        return [self.block(content[i:i + self.bs]) for i in range(0, len(content), self.bs)]

    def nid(self):
        self.next_nid += 1
        return self.next_nid - 1

    def node(self, nid, ino, body, ofs=0, flag=0, next_block=0, at=None, ver=None, register=True):
        b = bytearray(body.ljust(self.bs - 24, b"\0"))
        b += struct.pack("<IIIQI", nid, ino, flag | ofs << 3, self.version if ver is None else ver, next_block)
        if nid == ino and self.features & INODE_CHKSUM and b[3] & I_EXTRA:
            b[368:372] = bytes(4)
            c = crc(bytes(b), crc(bytes(b[68:72]), crc(struct.pack("<I", ino), self.seed)))
            struct.pack_into("<I", b, 368, c)
        where = self.block(b, at)
        if register:
            self.nat[nid] = (ino, where)
        return where

    # ---- inodes ----
    def inode(self, mode, size=0, addrs=None, inline=None, ino=None, inl=0, nids=(0,) * 5, uid=0, gid=0, links=1, mtime=1500000000, flags=0,
              advise=0, xattr=(), slots=None, xnid=0, algorithm=0, cluster=0, cflag=0, gen=7, name=b"", blocks=None, ext=(0, 0, 0), extra=None,
              xattr_node=None, register=True, **node):
        """addrs: {slot: address}; inline: bytes; xattr: entries, of which as many slots lie in the inode as `slots` says."""
        ino = ino or self.nid()
        b = bytearray(self.bs - 24)
        if self.extra:
            inl |= I_EXTRA
        lst = xattrs(xattr) if xattr else b""
        default = 50 if inl & (I_XATTR | I_DENTRY) or (xattr and slots is None) else 0
        slots = slots if slots is not None else (0 if self.features & FLEXIBLE and not lst and not inl & I_XATTR else default)
        if lst and slots:
            inl |= I_XATTR
            b[360 + 4 * (self.room - slots):360 + 4 * self.room] = lst[:4 * slots].ljust(4 * slots, b"\0")
        rest = lst[4 * slots:]
        if rest or xattr_node is not None:
            xnid = self.nid()
            self.node(xnid, ino, rest if xattr_node is None else xattr_node, 0x1FFFFFFF)
        if inline is not None:
            at = 360 + self.extra + 4
            b[at:at + len(inline)] = inline
            inl |= 0 if inl & I_DENTRY else I_DATA | I_EXIST
        struct.pack_into("<HBBIIIQQQQQIIIIIIIII", b, 0, mode, advise, inl, uid, gid, links, size, blocks or 1, mtime, mtime, mtime, 1, 2, 3, gen,
                         0, xnid, flags, 3, len(name))
        b[92:92 + len(name)] = name
        struct.pack_into("<III", b, 348, *ext)
        if self.extra:
            struct.pack_into("<HHIIQIQBBH", b, 360, self.extra if extra is None else extra, slots, 0, 0, mtime - 5, 0, 0, algorithm, cluster, cflag)
        for i, a in (addrs or {}).items():
            struct.pack_into("<I", b, 360 + self.extra + 4 * i, a)
        struct.pack_into("<5I", b, 360 + 4 * self.room, *nids)
        self.node(ino, ino, bytes(b), register=register, **node)
        return ino

    def tree(self, ino, where, cluster=0, slots=0):
        """{block of the file: address} into slots of the inode and nodes: (addrs, nids, nodes made)."""
        first = self.room - self.extra // 4 - slots & ~((1 << cluster) - 1)
        per = self.per_node & ~((1 << cluster) - 1)
        addrs, leaves, made = {}, {}, 0
        for i, a in where.items():
            if i < first:
                addrs[i] = a
            else:
                leaves.setdefault((i - first) // per, {})[(i - first) % per] = a
        n, nids, inner = self.per_node, [0] * 5, {}
        for leaf, content in sorted(leaves.items()):
            body = bytearray(self.bs - 24)
            for i, a in content.items():
                struct.pack_into("<I", body, 4 * i, a)
            nid = self.nid()
            made += 1
            if leaf < 2:
                nids[leaf], ofs = nid, 1 + leaf
            elif leaf < 2 + 2 * n:
                k, j = divmod(leaf - 2, n)
                inner.setdefault((2 + k,), {})[j] = nid
                ofs = 4 + k * (n + 1) + j
            else:
                k, j = divmod(leaf - 2 - 2 * n, n)
                inner.setdefault((4, k), {})[j] = nid
                ofs = 7 + 2 * n + k * (n + 1) + j
            self.node(nid, ino, bytes(body), ofs)
        for key in sorted(inner, key=len, reverse=True):
            body = bytearray(self.bs - 24)
            for j, nid in inner[key].items():
                struct.pack_into("<I", body, 4 * j, nid)
            nid = self.nid()
            made += 1
            k = key[1] if len(key) == 2 else 0
            self.node(nid, ino, bytes(body), {2: 3, 3: 4 + n, 4: 6 + 2 * n + k * (n + 1)}[key[0]])
            if len(key) == 1:
                nids[key[0]] = nid
            else:
                inner.setdefault((4,), {})[k] = nid
        if (4,) in inner and not nids[4]:
            body = bytearray(self.bs - 24)
            for j, nid in inner[(4,)].items():
                struct.pack_into("<I", body, 4 * j, nid)
            nids[4] = self.nid()
            made += 1
            self.node(nids[4], ino, bytes(body), 5 + 2 * n)
        return addrs, nids, made

    def file(self, data, mode=REG | 0o644, holes=(), new=(), scatter=False, size=None, slots=None, **kw):
        """Plain content in blocks; blocks in `holes` have no address, those in `new` are reserved only."""
        ino = kw.pop("ino", None) or self.nid()
        where = {}
        for i in range((len(data) + self.bs - 1) // self.bs):
            if i in new:
                where[i] = NEW
            elif i not in holes:
                where[i] = self.block(data[i * self.bs:(i + 1) * self.bs])
                self.next += scatter
        addrs, nids, made = self.tree(ino, where, slots=slots or (50 if kw.get("xattr") and slots is None else 0))
        return self.inode(mode, len(data) if size is None else size, addrs, ino=ino, nids=nids, blocks=1 + len(where) + made, slots=slots, **kw)

    def compressed(self, data, algorithm, cluster=2, pack=None, plain=(), holes=(), check=False, wrong=False, scatter=False, released=True, **kw):
        """Content in clusters of 2^cluster blocks; clusters in `plain` are stored as they are, those in `holes` not at all."""
        pack = pack or {LZO: lzo, LZ4: lz4, ZSTD: zstd}[algorithm]
        ino, n = self.nid(), 1 << cluster
        where, used = {}, 0
        for k in range((len(data) + n * self.bs - 1) // (n * self.bs)):
            piece = data[k * n * self.bs:(k + 1) * n * self.bs]
            if k in holes:
                continue
            z = b"" if k in plain else packed(pack(piece.ljust(n * self.bs, b"\0")), check, wrong)
            if k in plain or len(z) > (n - 1) * self.bs:
                for i in range((len(piece) + self.bs - 1) // self.bs):
                    where[k * n + i] = self.block(piece[i * self.bs:(i + 1) * self.bs])
                continue
            where[k * n] = COMPRESS
            for i in range((len(z) + self.bs - 1) // self.bs):
                where[k * n + 1 + i] = self.block(z[i * self.bs:(i + 1) * self.bs])
                self.next += scatter
                used += 1
            if not released:
                for i in range((len(z) + self.bs - 1) // self.bs + 1, n):
                    where[k * n + i] = NEW
        addrs, nids, made = self.tree(ino, where, cluster)
        return self.inode(REG | 0o644, len(data), addrs, ino=ino, nids=nids, flags=kw.pop("flags", 0) | 4, algorithm=algorithm, cluster=cluster,
                          cflag=int(check or wrong), blocks=1 + len(where) + made, inl=I_RELEASED if released else 0, **kw)

    # ---- directories ----
    def dentries(self, entries, n):
        """entries (name, ino, type[, hash]) into an area of n bytes: (area, how many went in)."""
        slots = n * 8 // (19 * 8 + 1)
        area, at, done = bytearray(n), 0, 0
        base = n - 19 * slots
        for e in entries:
            name, ino, kind = e[:3]
            need = (len(name) + 7) // 8
            if at + need > slots:
                break
            for i in range(at, at + need):
                area[i // 8] |= 1 << i % 8
            struct.pack_into("<IIHB", area, base + 11 * at, e[3] if len(e) > 3 else name_hash(name), ino, len(name), kind)
            where = base + 11 * slots + 8 * at
            area[where:where + len(name)] = name
            at, done = at + need, done + 1
        return bytes(area), done

    def dir(self, entries, ino=None, parent=3, inline=False, level_gap=0, **kw):
        """A directory; entries do not go by their hash, which only a look-up by name needs. level_gap: unused blocks between two."""
        ino = ino or self.nid()
        todo = [(b".", ino, 2), (b"..", parent, 2)] + list(entries)
        if inline:
            slots = kw.pop("slots", 50 if not self.features & FLEXIBLE else 0)
            n = 4 * (self.room - self.extra // 4 - slots - 1)
            area, done = self.dentries(todo, n)
            assert done == len(todo), "no room inline"
            return self.inode(DIR | kw.pop("perm", 0o755), n, inline=area, ino=ino, inl=I_DENTRY, slots=slots, **kw)
        where, i = {}, 0
        while todo:
            area, done = self.dentries(todo, self.bs)
            where[i] = self.block(area)
            todo, i = todo[done:], i + 1 + level_gap
        addrs, nids, _ = self.tree(ino, where, slots=kw.get("slots") or (50 if kw.get("xattr") else 0))
        return self.inode(DIR | kw.pop("perm", 0o755), i * self.bs, addrs, ino=ino, nids=nids, **kw)

    # ---- superblock, checkpoints, NAT ----
    def super(self, change=None):
        seg_count = 2 + self.nat_segs + self.main_segs + (3 if self.seg_bits == 9 else 0)
        b = bytearray(3072)
        bits = self.bs.bit_length() - 1
        struct.pack_into("<IHHIIIIIII", b, 0, MAGIC, 1, 15, 9, bits - 9, bits, self.seg_bits, 1, 1, 3068 if self.features & SB_CHKSUM else 0)
        struct.pack_into("<Q17I", b, 36, self.end, self.main_segs, seg_count, 2, 2, self.nat_segs, 1, self.main_segs, self.segment0,
                         self.cp, self.sit, self.nat_at, self.ssa, self.main, 3, 1, 2, 0)
        b[108:124] = self.uuid
        text = self.label.encode("utf-16-le")
        b[124:124 + len(text)] = text
        struct.pack_into("<I", b, 1664, self.payload)
        struct.pack_into("<I", b, 2180, self.features)
        for i, (path, segs) in enumerate(self.devices):
            struct.pack_into("<64sI", b, 2201 + 68 * i, path, segs)
        for i, q in enumerate(self.quota):
            struct.pack_into("<I", b, 2745 + 4 * i, q)
        for at, value in (change or {}).items():
            b[at:at + len(value)] = value
        if self.features & SB_CHKSUM:
            struct.pack_into("<I", b, 3068, crc(bytes(b[:3068])))
        return bytes(b)

    def checkpoint(self, version=None, flags=UMOUNT | CRC_RECOVERY, journal=None, half=0, orphans=(), warm=None, total=None, inodes=None, tail_version=None):
        """The blocks of one pack. journal: {nid: (ino, block)}; half: which halves of the NAT hold; warm: block fsync would write next."""
        version = self.version if version is None else version
        bs, seg = self.bs, 1 << self.seg_bits
        nat_blocks = self.nat_segs // 2 * seg
        nat_len, sit_len = max(nat_blocks // 8, 1), max(seg // 8, 1)
        if self.large_nat:
            flags |= LARGE_NAT
        if orphans:
            flags |= ORPHANS
        per = (bs - 16) // 4
        orphan_blocks = [orphans[i:i + per] for i in range(0, len(orphans), per)]
        sums = 1 if flags & COMPACT else 3
        node_sums = 3 if flags & (UMOUNT | FASTBOOT) else 0
        start = 1 + self.payload + len(orphan_blocks)
        blocks = start + sums + node_sums + 1
        b = bytearray(bs)
        struct.pack_into("<QQQIII", b, 0, version, max(self.main_segs - 4, 1) * seg, len(self.data), 4, 4, 4)
        for i in range(3):
            struct.pack_into("<I", b, 36 + 4 * i, 0)
            struct.pack_into("<I", b, 84 + 4 * i, 0)
        if warm is not None:
            struct.pack_into("<I", b, 40, (warm - self.main) // seg)
            struct.pack_into("<H", b, 70, (warm - self.main) % seg)
        off = 192 if self.large_nat else bs - 4
        struct.pack_into("<9IQ", b, 132, flags, blocks if total is None else total, start, len(self.nat),
                         sum(1 for n, (i, _) in self.nat.items() if n == i) if inodes is None else inodes, self.next_nid, sit_len, nat_len, off, 0)
        bitmap = (b"\xff" if half else b"\0") * nat_len
        at = 196 if self.large_nat else 192 if self.payload else 192 + sit_len
        b[at:at + nat_len] = bitmap

        def seal(block, ver):
            block = bytearray(block)
            struct.pack_into("<Q", block, 0, ver)
            c = crc(bytes(block[:off]))
            if off < bs - 4:
                c = crc(bytes(block[off + 4:]), c)
            struct.pack_into("<I", block, off, c)
            return bytes(block)
        entries = b"".join(struct.pack("<IBII", nid, 0, ino, block) for nid, (ino, block) in (journal or {}).items())
        j = struct.pack("<H", len(journal or {})) + entries
        summary = j.ljust(bs, b"\0") if flags & COMPACT else bytes(bs // 8 * 7) + j.ljust(bs // 8, b"\0")
        out = [seal(b, version)] + [bytes(bs)] * self.payload
        for i, o in enumerate(orphan_blocks):
            ob = bytearray(struct.pack(f"<{len(o)}I", *o).ljust(bs, b"\0"))
            struct.pack_into("<HHI", ob, bs - 12, i + 1, len(orphan_blocks), len(o))
            out.append(bytes(ob))
        out += [summary] + [bytes(bs)] * (sums - 1 + node_sums)
        return out + [seal(b, version if tail_version is None else tail_version)]

    def nat_blocks(self, entries):
        """{block of the table: content}, counted without twins."""
        per, out = self.bs // 9, {}
        for nid, (ino, block) in entries.items():
            b = out.setdefault(nid // per, bytearray(self.bs))
            struct.pack_into("<BII", b, nid % per * 9, 0, ino, block)
        return out

    def write(self, path=None, packs=None, nat=None, other=None, super_change=None, copy=True, size=None):
        """packs: two lists of blocks (default: both the same, the second a version older); nat and other: what the halves of the table
        say. Without a path the bytes are returned."""
        packs = packs if packs is not None else (self.checkpoint(), self.checkpoint(version=self.version - 1))
        seg = 1 << self.seg_bits
        out = {}
        for half, entries in ((0, self.nat if nat is None else nat), (1, other or {})):
            for i, b in self.nat_blocks(entries).items():
                out[self.nat_at + 2 * i - i % seg + half * seg] = bytes(b)
        if self.seg_bits == 9:  # every block counts as used: dump.f2fs asks for that
            for i in range(0, self.main_segs, self.bs // 74):
                out[self.sit + i // (self.bs // 74)] = struct.pack("<H64sQ", 512, b"\xff" * 64, 0) * min(self.bs // 74, self.main_segs - i)
        for i, pack in enumerate(packs):
            for k, b in enumerate(pack):
                out[self.cp + i * seg + k] = b
        out.update(self.data)
        n = size or max(self.end, max(out) + 1) * self.bs
        pieces = [(b * self.bs, c) for b, c in out.items()] + [(1024, self.super(super_change))]
        if copy and self.bs >= 4096:
            pieces.append((self.bs + 1024, self.super(super_change)))
        if path is None:
            whole = bytearray(n)
            for at, c in pieces:
                whole[at:at + len(c)] = c
            return bytes(whole[:n])
        with open(path, "wb") as f:
            f.truncate(n)
            for at, c in pieces:
                f.seek(at)
                f.write(c)
            f.truncate(n)
        return path
