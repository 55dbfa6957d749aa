# SPDX-License-Identifier: Apache-2.0
"""Writes dex files from "Dalvik executable format" (source.android.com): 035 to 039, which dexdump reads too; containers of 041; and
CompactDex as compact_dex_file.h of AOSP describes it."""
import collections
import hashlib
import struct
import zlib

Class = collections.namedtuple('Class', 'name access super interfaces source static instance direct virtual')
Field = collections.namedtuple('Field', 'name type access')
# code: None, or registers, outs and 16-bit units; ins follow from the prototype and the flag for static
Method = collections.namedtuple('Method', 'name ret params access code')
Code = collections.namedtuple('Code', 'registers outs units')
NONE = 0xffffffff


def cls(name, access=1, sup='Ljava/lang/Object;', interfaces=(), source=None, static=(), instance=(), direct=(), virtual=()):
    return Class(name, access, sup, interfaces, source, static, instance, direct, virtual)


def uleb(n):
    out = b''
    while True:
        out += bytes([n & 0x7f | (0x80 if n > 0x7f else 0)])
        n >>= 7
        if not n:
            return out


def utf16(s):
    return struct.unpack(f'<{len(s.encode("utf-16-le", "surrogatepass")) // 2}H', s.encode('utf-16-le', 'surrogatepass'))


def mutf8(s):
    out = b''
    for u in utf16(s):
        if 0 < u < 0x80:
            out += bytes([u])
        elif u < 0x800:
            out += bytes([0xc0 | u >> 6, 0x80 | u & 0x3f])
        else:
            out += bytes([0xe0 | u >> 12, 0x80 | u >> 6 & 0x3f, 0x80 | u & 0x3f])
    return out


def shorty(m):
    return ''.join('L' if t[0] == '[' else t[0] for t in (m.ret, *m.params))


def width(t):
    return 2 if t in 'JD' else 1


class Tables:
    def __init__(self, classes, strings=()):
        s, t, p = set(strings), set(), set()
        self.fields, self.methods = set(), set()
        for c in classes:
            t |= {c.name, *([c.super] if c.super else []), *c.interfaces}
            s |= {c.source} if c.source else set()
            for f in (*c.static, *c.instance):
                t.add(f.type)
                s.add(f.name)
                self.fields.add((c.name, f.name, f.type))
            for m in (*c.direct, *c.virtual):
                t |= {m.ret, *m.params}
                s |= {m.name, shorty(m)}
                p.add((m.ret, tuple(m.params), shorty(m)))
                self.methods.add((c.name, m.name, m.ret, tuple(m.params)))
        self.strings = sorted(s | t, key=utf16)
        self.string = {v: i for i, v in enumerate(self.strings)}
        self.types = sorted(t, key=self.string.get)
        self.type = {v: i for i, v in enumerate(self.types)}
        self.protos = sorted(p, key=lambda x: (self.type[x[0]], [self.type[y] for y in x[1]]))
        self.proto = {x[:2]: i for i, x in enumerate(self.protos)}
        self.fields = sorted(self.fields, key=lambda x: (self.type[x[0]], self.string[x[1]], self.type[x[2]]))
        self.methods = sorted(self.methods, key=lambda x: (self.type[x[0]], self.string[x[1]], self.proto[x[2:]]))


def code_item(c, ins):
    return struct.pack('<HHHHII', c.registers, ins, c.outs, 0, 0, len(c.units)) + struct.pack(f'<{len(c.units)}H', *c.units)


def compact_code_item(c, ins):
    """The bytes before the item (its sizes above four bits), and the item."""
    sizes = [c.registers - ins, ins, c.outs, 0]
    fields = sizes[0] % 16 << 12 | sizes[1] % 16 << 8 | sizes[2] % 16 << 4
    n, flags, before = len(c.units), 0, b''
    if n >> 11:
        flags |= 16
        rest = n - n % 2048
        before = struct.pack('<HH', rest >> 16, rest & 0xffff) + before
    for i, v in enumerate(sizes):
        if v > 15:
            flags |= 1 << i
            before = struct.pack('<H', v - v % 16) + before
    return before, struct.pack(f'<HH{n}H', fields, n % 2048 << 5 | flags, *c.units)


def build(classes, version=35, strings=(), base=0, compact=False):
    """One dex. base: where it will lie in a container (version 41)."""
    t = Tables(classes, strings)
    header = 0x88 if compact else 0x78 if version >= 41 else 0x70
    at = {}
    pos = header
    for name, n, size in (('string', len(t.strings), 4), ('type', len(t.types), 4), ('proto', len(t.protos), 12), ('field', len(t.fields), 8),
                          ('method', len(t.methods), 8), ('class', len(classes), 32)):
        at[name] = pos
        pos += n * size
    data_off = pos
    rel = -data_off if compact else base  # what offsets of the data section are relative to
    data, items = bytearray(4 if compact else 0), collections.OrderedDict()  # offset 0 says that there is none

    def put(kind, b, align=1):
        while (data_off + len(data)) % align:
            data.append(0)
        off = data_off + len(data)
        data.extend(b)
        items.setdefault(kind, []).append(off)
        return off + rel

    lists = {}
    for types in [x[1] for x in t.protos] + [tuple(c.interfaces) for c in classes]:
        if types and types not in lists:
            lists[types] = put(0x1001, struct.pack(f'<I{len(types)}H', len(types), *[t.type[x] for x in types]), 4)
    codes = {}
    for c in classes:
        for m in (*c.direct, *c.virtual):
            if m.code is None:
                continue
            ins = sum(map(width, m.params)) + (0 if m.access & 8 else 1)
            if compact:
                before, item = compact_code_item(m.code, ins)
                while (data_off + len(data) + len(before)) % 2:
                    data.append(0)
                data.extend(before)
                codes[c.name, m.name, m.ret, tuple(m.params)] = put(0x2001, item)
            else:
                codes[c.name, m.name, m.ret, tuple(m.params)] = put(0x2001, code_item(m.code, ins), 4)
    members = {}
    for c in classes:
        if not (c.static or c.instance or c.direct or c.virtual):
            continue
        b = b''.join(uleb(len(x)) for x in (c.static, c.instance, c.direct, c.virtual))
        for group in (c.static, c.instance):
            last = 0
            for i, f in sorted((t.fields.index((c.name, f.name, f.type)), f) for f in group):
                b += uleb(i - last) + uleb(f.access)
                last = i
        for group in (c.direct, c.virtual):
            last = 0
            for i, m in sorted(((t.methods.index((c.name, m.name, m.ret, tuple(m.params))), m) for m in group), key=lambda x: x[0]):
                b += uleb(i - last) + uleb(m.access) + uleb(codes.get((c.name, m.name, m.ret, tuple(m.params)), 0))
                last = i
        members[c.name] = put(0x2000, b)
    texts = [put(0x2002, uleb(len(utf16(s))) + mutf8(s) + b'\0') for s in t.strings]
    while (data_off + len(data)) % 4:
        data.append(0)
    map_at = data_off + len(data)
    sections = [(0, 1, 0)]
    for kind, name, n in ((1, 'string', len(t.strings)), (2, 'type', len(t.types)), (3, 'proto', len(t.protos)), (4, 'field', len(t.fields)),
                          (5, 'method', len(t.methods)), (6, 'class', len(classes))):
        if n:
            sections.append((kind, n, at[name]))
    sections += [(kind, len(offs), offs[0]) for kind, offs in items.items()] + [(0x1000, 1, map_at)]
    data += struct.pack('<I', len(sections)) + b''.join(
        struct.pack('<HHII', k, 0, n, off + (rel if k >= 0x1000 or not compact else 0)) for k, n, off in sorted(sections, key=lambda x: x[2]))
    where = 0 if compact else base
    ids = b''.join(struct.pack('<I', x) for x in texts)
    ids += b''.join(struct.pack('<I', t.string[x]) for x in t.types)
    ids += b''.join(struct.pack('<III', t.string[s], t.type[r], lists.get(ps, 0)) for r, ps, s in t.protos)
    ids += b''.join(struct.pack('<HHI', t.type[c], t.type[ty], t.string[n]) for c, n, ty in t.fields)
    ids += b''.join(struct.pack('<HHI', t.type[c], t.proto[r, ps], t.string[n]) for c, n, r, ps in t.methods)
    ids += b''.join(struct.pack('<8I', t.type[c.name], c.access, t.type[c.super] if c.super else NONE, lists.get(tuple(c.interfaces), 0),
                                t.string[c.source] if c.source else NONE, 0, members.get(c.name, 0), 0) for c in classes)
    size = data_off + (0 if compact else len(data))
    tables = b''.join(struct.pack('<II', n, at[k] + where if n else 0) for k, n in (
        ('string', len(t.strings)), ('type', len(t.types)), ('proto', len(t.protos)), ('field', len(t.fields)), ('method', len(t.methods)),
        ('class', len(classes))))
    head = struct.pack('<IIIIII', size, header, 0x12345678, 0, 0, map_at + rel) + tables + struct.pack('<II', len(data), data_off)
    head += struct.pack('<6I', 0, 0, 0, 0, 0, len(data)) if compact else b''
    magic = b'cdex001\0' if compact else b'dex\n%03d\0' % version
    if version >= 41 and not compact:
        return magic, head, ids + bytes(data)
    return seal(magic, head + ids + bytes(data), compact)


def seal(magic, rest, compact=False):
    sha1 = hashlib.sha1(rest).digest()
    adler = 0x12345678 if compact else zlib.adler32(sha1 + rest)
    return magic + struct.pack('<I', adler) + sha1 + rest


def container(lists, strings=()):
    """Version 041: one dex a list of classes, one behind the other. Each header says how large all are and where it lies."""
    parts, base = [], 0
    for classes in lists:
        magic, head, rest = build(classes, 41, strings, base)
        rest += bytes(-(32 + len(head) + 8 + len(rest)) % 4)
        parts.append((magic, head, rest, base))
        base += 32 + len(head) + 8 + len(rest)
    out = b''
    for magic, head, rest, at in parts:
        size = 32 + len(head) + 8 + len(rest)
        out += seal(magic, struct.pack('<I', size) + head[4:] + struct.pack('<II', base, at) + rest)
    return out
