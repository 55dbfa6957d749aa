# SPDX-License-Identifier: Apache-2.0
"""Makes a further copy of a real file that is a different file and still a valid one of its kind.

gifthorse looks at equal content once. A generated phone that repeats the same bytes would therefore measure the repetition;
each function here changes what two builds of the same thing differ in: a build id, a comment, a line number.
"""
import hashlib
import struct
import zlib


def _dex(data, token):
    """A Dalvik executable with 16 more bytes of data section; checksum and signature are recomputed."""
    out = bytearray(data) + token[:16]
    struct.pack_into("<I", out, 0x20, len(out))
    size, = struct.unpack_from("<I", out, 0x68)
    struct.pack_into("<I", out, 0x68, size + 16)
    out[12:32] = hashlib.sha1(out[32:]).digest()
    struct.pack_into("<I", out, 8, zlib.adler32(out[12:]))
    return bytes(out)


def _elf(data, token):
    """An ELF file of another GNU build id; one without a build id gets trailing bytes."""
    note = struct.pack("<III", 4, 20, 3) + b"GNU\0"
    at = data.find(note)
    if at < 0:
        return data + token[:16]
    return data[:at + 16] + token[:20] + data[at + 36:]


def _png(data, token):
    """A PNG with one text chunk more, right after its header."""
    body = b"tEXtComment\0" + token.hex()[:32].encode()
    return data[:33] + struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body)) + data[33:]


def _axml(data, token):
    """A compiled XML file whose first element stands on another source line."""
    at = 8
    while at + 16 <= len(data):
        kind, _, size = struct.unpack_from("<HHI", data, at)
        if kind == 0x0102:
            return data[:at + 8] + token[:3] + b"\0" + data[at + 12:]
        if size < 8:
            break
        at += size
    return data


_COMMENT = {"html": b"\n<!-- %s -->\n", "xml": b"\n<!-- %s -->\n", "svg": b"\n<!-- %s -->\n", "js": b"\n/* %s */\n", "css": b"\n/* %s */\n"}


def vary(data, name, key):
    """A variant of data that depends on nothing but the data and the key."""
    token = hashlib.sha256(key.encode()).digest()
    if data[:4] == b"dex\n":
        return _dex(data, token)
    if data[:4] == b"\x7fELF":
        return _elf(data, token)
    if data[:8] == b"\x89PNG\r\n\x1a\n":
        return _png(data, token)
    if data[:4] == b"\x03\0\x08\0":
        return _axml(data, token)
    if b"\0" in data[:4096]:
        return data + token[:16]
    return data + _COMMENT.get(name.rsplit(".", 1)[-1], b"\n# %s\n") % token.hex()[:32].encode()
