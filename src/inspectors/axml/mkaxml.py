# SPDX-License-Identifier: Apache-2.0
"""A writer of binary XML, from ResourceTypes.h of AOSP alone, for tests and seeds: also of what no tool would write."""
import struct

ANDROID = "http://schemas.android.com/apk/res/android"
IDS = {"label": 0x01010001, "name": 0x01010003, "permission": 0x01010006, "readPermission": 0x01010007, "writePermission": 0x01010008,
       "protectionLevel": 0x01010009, "sharedUserId": 0x0101000B, "hasCode": 0x0101000C, "persistent": 0x0101000D, "enabled": 0x0101000E,
       "debuggable": 0x0101000F, "exported": 0x01010010, "process": 0x01010011, "authorities": 0x01010018, "priority": 0x0101001C,
       "targetPackage": 0x01010021, "scheme": 0x01010027, "host": 0x01010028, "targetActivity": 0x01010202, "minSdkVersion": 0x0101020C,
       "versionCode": 0x0101021B, "versionName": 0x0101021C, "targetSdkVersion": 0x01010270, "testOnly": 0x01010272,
       "usesCleartextTraffic": 0x010104EC, "directBootAware": 0x01010505, "networkSecurityConfig": 0x01010527, "targetSandboxVersion": 0x0101054C,
       "versionCodeMajor": 0x01010576}
NONE = 0xFFFFFFFF


class Ref(int):
    """@0x7f…"""


class Hex(int):
    """An integer of type 0x11."""


class Typed(tuple):
    """(type, data) as it shall lie there."""


def E(tag, attrs=None, *children):
    """An element. An attribute's name is "android:x" or, without namespace, "x"."""
    return (tag, attrs or {}, children)


def chunk(kind, header, body):
    return struct.pack("<HHI", kind, 8 + len(header), 8 + len(header) + len(body)) + header + body


def length8(n):
    return bytes([n]) if n < 0x80 else bytes([0x80 | n >> 8 & 0x7F, n & 0xFF])


def length16(n):
    return struct.pack("<H", n) if n < 0x8000 else struct.pack("<HH", 0x8000 | n >> 16, n & 0xFFFF)


def string8(s):
    """Java's modified UTF-8: each half of a pair in three bytes."""
    units = struct.unpack(f"<{len(s.encode('utf-16-le', 'surrogatepass')) // 2}H", s.encode("utf-16-le", "surrogatepass"))
    raw = b"".join(chr(u).encode("utf-8", "surrogatepass") for u in units)
    return length8(len(units)) + length8(len(raw)) + raw + b"\0"


def string16(s):
    raw = s.encode("utf-16-le", "surrogatepass")
    return length16(len(raw) // 2) + raw + b"\0\0"


def pool(strings, utf8, pack=None, **header):
    data, offsets = b"", []
    for s in strings:
        offsets.append(len(data))
        data += (pack or (string8 if utf8 else string16))(s)
    data += b"\0" * (-len(data) % 4)
    table = struct.pack(f"<{len(offsets)}I", *offsets)
    h = {"count": len(strings), "styles": 0, "flags": 0x100 if utf8 else 0, "start": 28 + len(table), "style_start": 0, **header}
    return chunk(1, struct.pack("<5I", h["count"], h["styles"], h["flags"], h["start"], h["style_start"]), table + data)


class Writer:
    def __init__(self, utf8=True, by_name=(), sort=True, attr_size=20, pad_attrs=0):
        self.utf8, self.by_name, self.sort, self.attr_size, self.pad_attrs = utf8, set(by_name), sort, attr_size, pad_attrs
        self.strings, self.ids = [], []

    def collect(self, element):
        """Names with a resource id come first, as the id table demands."""
        if isinstance(element, bytes):
            return
        for name in element[1]:
            local = name.split(":")[-1]
            if name.startswith("android:") and local not in self.by_name and local not in self.strings:
                self.strings.append(local)
                self.ids.append(IDS[local])
        for c in element[2]:
            self.collect(c)

    def index(self, s, after=0):
        if s not in self.strings[after:]:
            self.strings.append(s)
        return self.strings.index(s, after)

    def value(self, v):
        if isinstance(v, Typed):
            return NONE, v[0], v[1]
        if isinstance(v, bool):
            return NONE, 0x12, 0xFFFFFFFF if v else 0
        if isinstance(v, Ref):
            return NONE, 1, v
        if isinstance(v, Hex):
            return NONE, 0x11, v
        if isinstance(v, int):
            return NONE, 0x10, v & 0xFFFFFFFF
        i = self.index(v, len(self.ids))
        return i, 3, i

    def attr(self, name, v):
        ns, _, local = name.rpartition(":")
        known = ns and local not in self.by_name
        n = self.strings.index(local) if known else self.index(local, len(self.ids))
        raw, kind, data = self.value(v)
        a = struct.pack("<3IHBBI", self.index(ANDROID, len(self.ids)) if ns else NONE, n, raw, 8, 0, kind, data)
        return (IDS[local] if known else 1 << 32), a + b"\xee" * (self.attr_size - 20)

    def node(self, kind, ext):
        return chunk(kind, struct.pack("<II", 1, NONE), ext)

    def element(self, e):
        tag, attrs, children = e
        flat = [self.attr(k, v) for k, v in attrs.items()]
        if self.sort:
            flat.sort(key=lambda a: a[0])
        i = self.index(tag, len(self.ids))
        ext = struct.pack("<IIHHHHHH", NONE, i, 20 + self.pad_attrs, self.attr_size, len(flat), 0, 0, 0) + b"\xdd" * self.pad_attrs
        out = self.node(0x102, ext + b"".join(a for _, a in flat))
        for c in children:
            out += c if isinstance(c, bytes) else self.element(c)
        return out + self.node(0x103, struct.pack("<II", NONE, i))

    def document(self, root, kind=3, header=8, size=None, between=b"", pool_args=None, tail=b""):
        self.collect(root)
        ns = struct.pack("<II", self.index("android", len(self.ids)), self.index(ANDROID, len(self.ids)))
        nodes = self.node(0x100, ns) + self.element(root) + self.node(0x101, ns)
        body = pool(self.strings, self.utf8, **(pool_args or {}))
        body += chunk(0x180, b"", struct.pack(f"<{len(self.ids)}I", *self.ids)) + between + nodes
        body = b"\xcc" * (header - 8 if header > 8 else 0) + body
        return struct.pack("<HHI", kind, header, len(body) + 8 if size is None else size) + body + tail


def manifest(root, utf8=True, by_name=(), sort=True, attr_size=20, pad_attrs=0, **kw):
    return Writer(utf8, by_name, sort, attr_size, pad_attrs).document(root, **kw)
