# SPDX-License-Identifier: Apache-2.0
"""Writes EROFS images after the on-disk description (fs/erofs/erofs_fs.h, Documentation/filesystems/erofs.rst), independently of the
reader: what mkfs.erofs 1.5 does not make. Data comes first, then inodes, so that every place is known when it is written."""
import ctypes
import stat
import struct
import subprocess
import zlib

LZ4, LZMA, DEFLATE, ZSTD = range(4)
PLAIN, HEAD1, NONHEAD, HEAD2 = range(4)
EXTENDED, FULL, COMPACT, CHUNKS = 1, 1 << 1, 3 << 1, 4 << 1
BIG, INTERLACED, FRAGMENT = 6, 0x10, 0x20
CBLKCNT, PARTIAL = 1 << 11, 1 << 15
F_0PADDING, F_CONFIGS, F_CHUNKED, F_DEVICES, F_FRAGMENTS, F_PREFIXES = 1, 2, 4, 8, 0x20, 0x40
C_PLAIN_PREFIXES = 0x10
CONFIG = {LZ4: struct.pack("<HH10x", 65535, 16), LZMA: struct.pack("<IH8x", 1 << 20, 0), DEFLATE: struct.pack("<B5x", 15),
          ZSTD: struct.pack("<BB4x", 0, 7)}


def microlzma(data, room):
    """As much of data as `room` bytes hold: the stream, and how much it holds."""
    lib = ctypes.CDLL("liblzma.so.5")
    stream, options, out = (ctypes.create_string_buffer(n) for n in (256, 256, room))
    lib.lzma_lzma_preset(options, 6)
    struct.pack_into("<I", options, 0, 1 << 20)
    src = ctypes.create_string_buffer(data, len(data))
    if lib.lzma_microlzma_encoder(stream, options):
        raise RuntimeError("lzma_microlzma_encoder")
    struct.pack_into("<QQQQQ", stream, 0, ctypes.addressof(src), len(data), 0, ctypes.addressof(out), room)
    if lib.lzma_code(stream, 3) != 1:
        raise RuntimeError("lzma_code")
    taken, made = struct.unpack_from("<Q", stream, 16)[0], struct.unpack_from("<Q", stream, 40)[0]
    lib.lzma_end(stream)
    return out.raw[:made], taken


def pack(algorithm, data, room):
    """A piece of data from its start, packed: the stream, and how much of data it holds."""
    if algorithm == LZMA:
        return microlzma(data, room)
    if algorithm == DEFLATE:
        z = zlib.compressobj(6, zlib.DEFLATED, -15)
        return z.compress(data) + z.flush(), len(data)
    return subprocess.run(["zstd", "-q", "-c", "--no-check"], input=data, stdout=subprocess.PIPE, check=True).stdout, len(data)


class Extent:
    def __init__(self, at, end, kind, block, blocks, partial=False):
        self.at, self.end, self.kind, self.block, self.blocks, self.partial = at, end, kind, block, blocks, partial


class Image:
    def __init__(self, bits=12, compat=0):
        self.bits, self.bs, self.compat, self.incompat = bits, 1 << bits, compat, F_0PADDING
        first = -(-(1024 + 128 + 200) // self.bs)  # superblock and configurations
        self.data = bytearray(first * self.bs)
        self.meta = bytearray(32)  # inode 0 is none
        self.algorithms, self.devices, self.prefixes, self.packed = set(), [], [], 0
        self.prefix_at, self.nodes, self.config = 0, [], dict(CONFIG)

    # ---- data ----

    def put(self, data):
        """Stores blocks; the number of the first."""
        at = len(self.data) >> self.bits
        self.data += data + bytes(-len(data) % self.bs)
        return at

    def extents(self, data, algorithms, rng, most=1, interlaced=False):
        """Data as packed extents of up to `most` blocks; what does not pack is stored."""
        out, at = [], 0
        while at < len(data):
            want = rng.randrange(self.bs, (most + 2) * 3 * self.bs)
            which = rng.randrange(len(algorithms))
            piece = data[at:at + want]
            room = self.bs * rng.randrange(1, most + 1)
            stream, taken = pack(algorithms[which], piece, room)
            blocks = -(-len(stream) // self.bs)
            last = at + taken == len(data)
            if blocks > most or (taken < self.bs and not last) or blocks * self.bs >= taken:
                taken = min(self.bs, len(data) - at)
                block = bytearray(self.bs)
                for i, b in enumerate(data[at:at + taken]):
                    block[(at + i if interlaced else i) % self.bs] = b
                out.append(Extent(at, at + taken, PLAIN, self.put(bytes(block)), 1))
            else:
                self.algorithms.add(algorithms[which])
                padded = bytes(-len(stream) % self.bs) + stream
                out.append(Extent(at, at + taken, HEAD2 if which else HEAD1, self.put(padded), blocks))
            at += taken
        return out

    # ---- indexes ----

    def entries(self, extents, size):
        """(type, extent, clusters back, clusters forward) of each cluster."""
        n = -(-size // self.bs)
        heads = {x.at >> self.bits: x for x in extents}
        assert len(heads) == len(extents)
        order = sorted(heads) + [n]
        out, k = [], 0
        for i in range(n):
            if i == order[k + 1]:
                k += 1
            x = heads[order[k]]
            out.append((x.kind if i == order[k] else NONHEAD, x, i - order[k], order[k + 1] - i))
        return out

    def full(self, extents, size, big):
        out = bytearray(8)
        for kind, x, back, forward in self.entries(extents, size):
            if kind != NONHEAD:
                out += struct.pack("<HHI", kind | PARTIAL * x.partial, x.at % self.bs, x.block & 0xffffffff)
            else:
                out += struct.pack("<HHHH", NONHEAD, 0, CBLKCNT | x.blocks if big and back == 1 else back, forward)
        return bytes(out)

    def compact(self, extents, size):
        """Packs of two entries in 4 bytes each; extents of one block, which follow each other."""
        e = self.entries(extents, size)
        out = bytearray()
        for i in range(0, len(e), 2):
            bits, base = 0, 0
            for k, (kind, x, back, forward) in enumerate(e[i:i + 2]):
                low = x.at % self.bs if kind != NONHEAD else forward if k else back
                bits |= (low | kind << 12) << 16 * k
                if kind != NONHEAD:
                    base = base or x.block
            out += struct.pack("<II", bits, (base - 1) & 0xffffffff)
        return bytes(out)

    # ---- inodes ----

    def inode(self, layout, mode, size, u, tail=b"", xattrs=b"", shared=(), nlink=1):
        ids = b"".join(struct.pack("<I", s) for s in shared)
        body = struct.pack("<IB7x", 0, len(shared)) + ids + xattrs if xattrs or shared else b""
        count = (len(body) - 12) // 4 + 1 if body else 0
        nid = len(self.meta) // 32
        self.meta += struct.pack("<HHHHQIIIIQII16x", EXTENDED | layout, count, mode, 0, size, u, nid, 0, 0, 1000, 0, nlink) + body
        if tail:
            self.meta += bytes(-len(self.meta) % 8) + tail
        self.meta += bytes(-len(self.meta) % 32)
        return nid

    def plain(self, data, mode=stat.S_IFREG | 0o644, **kw):
        return self.inode(0, mode, len(data), self.put(data) if data else 0xffffffff, **kw)

    def chunks(self, size, bits, blocks, devices=None):
        """One entry a chunk: a block or None for a hole, each on a device (with indexes) or on the first."""
        self.incompat |= F_CHUNKED
        blocks = [0xffffffff if b is None else b for b in blocks]
        if devices:
            tail = b"".join(struct.pack("<HHI", 0, d, b) for b, d in zip(blocks, devices))
        else:
            tail = b"".join(struct.pack("<I", b) for b in blocks)
        return self.inode(CHUNKS, stat.S_IFREG | 0o644, size, (bits - self.bits) | 0x20 * bool(devices), tail)

    def compressed(self, extents, size, algorithms, compact=False, advise=0, low=0, **kw):
        big = any(x.blocks > 1 for x in extents)
        self.incompat |= F_CONFIGS
        head = struct.pack("<IHBB", low, advise | BIG * big, algorithms[0] | (algorithms[1] << 4 if len(algorithms) > 1 else 0), 0)
        index = self.compact(extents, size) if compact else self.full(extents, size, big)
        return self.inode(COMPACT if compact else FULL, kw.pop("mode", stat.S_IFREG | 0o644), size, sum(x.blocks for x in extents),
                          head + index, **kw)

    def whole_fragment(self, size, at, compact=False):
        self.incompat |= F_FRAGMENTS
        return self.inode(COMPACT if compact else FULL, stat.S_IFREG | 0o644, size, 0, struct.pack("<Q", 1 << 63 | at))

    def tail_fragment(self, extents, size, algorithms, at, compact=False):
        """The last extent lies in the packed inode; its entry holds the upper half of its place there."""
        self.incompat |= F_FRAGMENTS
        start = extents[-1].end if extents else 0
        tail = Extent(start, size, HEAD1, at >> 32 if not compact else 1, 1)
        return self.compressed(extents + [tail], size, algorithms, compact, FRAGMENT, at & 0xffffffff)

    def directory(self, names, parent=None):
        """One block of entries; names to nids."""
        kinds = {stat.S_IFREG: 1, stat.S_IFDIR: 2}
        nid = len(self.meta) // 32
        every = sorted([(b".", nid), (b"..", nid if parent is None else parent)] + [(k.encode(), v) for k, v in names.items()])
        at, heads, text = 12 * len(every), b"", b""
        for name, to in every:
            mode = stat.S_IFDIR if name in (b".", b"..") else struct.unpack_from("<H", self.meta, 32 * to + 4)[0]
            heads += struct.pack("<QHBB", to, at + len(text), kinds.get(stat.S_IFMT(mode), 0), 0)
            text += name
        assert len(heads + text) <= self.bs
        return self.plain(heads + text, stat.S_IFDIR | 0o755, nlink=2)

    # ---- tables and the end ----

    @staticmethod
    def xattr(index, name, value):
        e = struct.pack("<BBH", len(name), index, len(value)) + name + value
        return e + bytes(-len(e) % 4)

    @staticmethod
    def prefix_table(prefixes):
        out = b""
        for base, infix in prefixes:
            rec = struct.pack("<HB", 1 + len(infix), base) + infix
            out += rec + bytes(-len(rec) % 4)
        return out

    def finish(self, root):
        meta = len(self.data) >> self.bits
        slot = 0
        if self.devices:
            self.incompat |= F_DEVICES
            slots = b"".join(struct.pack("<64sII56x", tag, blocks, start) for tag, blocks, start in self.devices)
            self.data += bytes(-len(self.data) % max(128, self.bs))
            slot = len(self.data) // 128
            self.put(slots)
            meta = len(self.data) >> self.bits
        if self.prefixes:
            self.incompat |= F_PREFIXES
        data = self.data + self.meta
        data += bytes(-len(data) % self.bs)
        sb = struct.pack("<IIIBBHQQIIII16s16sIHHHBBIQ24x", 0xe0f5e1e2, 0, self.compat, self.bits, 0, root, 9, 1000, 0,
                         len(data) >> self.bits, meta, meta, b"spec", b"spec", self.incompat,
                         sum(1 << a for a in self.algorithms) if self.incompat & F_CONFIGS else 0, len(self.devices), slot, 0,
                         len(self.prefixes), self.prefix_at >> 2, self.packed)
        data[1024:1024 + len(sb)] = sb
        at = 1024 + 128
        if self.incompat & F_CONFIGS:
            for a in sorted(self.algorithms):
                rec = struct.pack("<H", len(self.config[a])) + self.config[a]
                data[at:at + len(rec)] = rec
                at += -(-len(rec) // 4) * 4
        return bytes(data)

