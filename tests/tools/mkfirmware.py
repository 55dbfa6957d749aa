# SPDX-License-Identifier: Apache-2.0
"""Signed firmware images as their makers' layouts draw them, with openssl(1) for keys, certificates and signatures. Written without the reader.
Qualcomm: "Secure Boot and Image Authentication" 1.0 and 2.0 (MBN header 3, 5, 6), coreboot util/qualcomm (7). MediaTek: parts with cert1 and cert2,
and the chain behind a preloader."""
import hashlib
import pathlib
import struct
import subprocess

UNITS = ("01 0000000000000007 SW_ID", "02 000BE0E100350001 HW_ID", "04 0035 OEM_ID", "06 0001 MODEL_ID", "07 0001 SHA256")


def run(*argv, data=None):
    p = subprocess.run([str(a) for a in argv], capture_output=True, input=data)
    if p.returncode:
        raise RuntimeError(f"{argv}: {p.stderr.decode(errors='replace')[-400:]}")
    return p.stdout


class Keys:
    """A root, an authority below it, and a signer; kind rsa (exponent e) or ec."""

    def __init__(self, folder, kind="rsa", e=65537, units=UNITS, name="Maker"):
        self.d = pathlib.Path(folder)
        self.d.mkdir(parents=True, exist_ok=True)
        self.kind = kind
        for who in ("root", "ca", "leaf"):
            if kind == "rsa":
                run("openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-pkeyopt", f"rsa_keygen_pubexp:{e}", "-out", self.d / f"{who}.pem")
            else:
                run("openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384", "-out", self.d / f"{who}.pem")
        subject = "".join(f"/OU={u}" for u in units)
        self._cert("root", f"/O={name}/CN={name} Root", None)
        self._cert("ca", f"/O={name}/CN={name} CA", "root")
        self._cert("leaf", f"/O={name}/CN={name}" + subject, "ca")

    def _cert(self, who, subject, by):
        digest = "-sha384" if self.kind == "ec" else "-sha256"
        if by is None:
            run("openssl", "req", "-x509", "-new", digest, "-key", self.d / f"{who}.pem", "-subj", subject, "-days", "9000", "-out", self.d / f"{who}.crt")
        else:
            run("openssl", "req", "-new", "-key", self.d / f"{who}.pem", "-subj", subject, "-out", self.d / f"{who}.csr")
            run("openssl", "x509", "-req", digest, "-in", self.d / f"{who}.csr", "-CA", self.d / f"{by}.crt", "-CAkey", self.d / f"{by}.pem", "-CAcreateserial", "-days", "9000", "-out", self.d / f"{who}.crt")

    def der(self, who):
        return run("openssl", "x509", "-in", self.d / f"{who}.crt", "-outform", "DER")

    def chain(self, size=0x1800, names=("leaf", "ca", "root")):
        out = b"".join(self.der(n) for n in names)
        return out + b"\xff" * (size - len(out))

    def sign(self, data, how, who="leaf"):
        """pss, ec: over the data; bare: PKCS #1 around the 32 bytes that data is."""
        key = self.d / f"{who}.pem"
        (self.d / "tbs").write_bytes(data)
        if how == "bare":
            return run("openssl", "pkeyutl", "-sign", "-inkey", key, "-in", self.d / "tbs", "-pkeyopt", "rsa_padding_mode:pkcs1")
        if how == "ec":
            out = run("openssl", "dgst", "-sha384", "-sign", key, self.d / "tbs")
            return out + bytes(104 - len(out))
        return run("openssl", "dgst", "-sha256", "-sign", key, "-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:32", self.d / "tbs")


def bound(data, units=UNITS):
    sw, hw = (bytes.fromhex(u.split()[1]) for u in units[:2])
    h = lambda x: hashlib.sha256(x).digest()  # noqa: E731
    return h(bytes(b ^ 0x5c for b in hw) + h(bytes(b ^ 0x36 for b in sw) + h(data)))


def segment(version, table, keys, qti=None, code=None):
    """MBN header, metadata, hashes, signatures and chains."""
    how = {3: "bare", 5: "pss", 6: "ec" if keys.kind == "ec" else "pss", 7: "ec" if keys.kind == "ec" else "pss"}[version]
    sig_size, chain = 104 if how == "ec" else 256, keys.chain()
    q_size, q_chain = (256, qti.chain()) if qti else (0, b"")
    n, meta = len(table), b""
    total = n + q_size + len(q_chain) + sig_size + len(chain)

    def head(oem):
        s, c = (sig_size, len(chain)) if oem else (0, 0)
        if version == 7:
            return struct.pack("<10I", 0, 7, 24, 0, 0, n, q_size, len(q_chain), s, c) + bytes(24)
        if version == 3:
            return struct.pack("<10I", 25, 3, 0, 0xffffffff, total, n, 0xffffffff, s, 0xffffffff, c)
        out = struct.pack("<10I", 25, version, q_size, len(q_chain), total, n, 0xffffffff, s, 0xffffffff, c)
        if version == 6:
            out += struct.pack("<II", 0, 120) + struct.pack("<30I", 0, 0, 9, 0, 0x51, *[0] * 25)
        return out

    signed = head(True) + meta + table
    sig = keys.sign(bound(signed) if how == "bare" else signed, how)
    q_sig = qti.sign(head(False) + meta + table, "pss") if qti else b""
    return signed + q_sig + q_chain + sig + chain


def elf(version, keys, parts, bits=64, digest="sha256", qti=None, unlisted=()):
    """An ELF file: its headers, the list of hashes, then these parts (bytes). unlisted: numbers of parts without a hash."""
    n = len(parts) + 2
    wide = bits == 64
    size = 64 + 56 * n if wide else 52 + 32 * n
    width = hashlib.new(digest).digest_size
    length = len(segment(version, bytes(width * n), keys, qti))
    at, rows = 0x1000 + (length + 0xfff & ~0xfff), [(0, size, 0x7000000), (0x1000, length, 0x2200000)]
    for p in parts:
        rows.append((at, len(p), 5))
        at += len(p) + 0xfff & ~0xfff
    if wide:
        head = b"\177ELF\2\1\1" + bytes(9) + struct.pack("<HHIQQQIHHHHHH", 2, 183, 1, 0x1000, 64, 0, 0, 64, 56, n, 64, 0, 0)
        head += b"".join(struct.pack("<IIQQQQQQ", int(f == 5), f, off, 0, 0, s, s, 4096) for off, s, f in rows)
    else:
        head = b"\177ELF\1\1\1" + bytes(9) + struct.pack("<HHIIIIIHHHHHH", 2, 40, 1, 0x1000, 52, 0, 0, 52, 32, n, 40, 0, 0)
        head += b"".join(struct.pack("<8I", int(f == 5), off, 0, 0, s, s, f, 4096) for off, s, f in rows)
    h = lambda x: hashlib.new(digest, x).digest()  # noqa: E731
    table = h(head) + bytes(width) + b"".join(bytes(width) if i in unlisted or not p else h(p) for i, p in enumerate(parts, 2))
    seg = segment(version, table, keys, qti)
    out = bytearray(head) + bytes(0x1000 - len(head)) + seg
    for (off, s, f), p in zip(rows[2:], parts):
        out += bytes(off - len(out)) + p
    return bytes(out), rows, head, seg


# ---- MediaTek ----

def der(tag, *content):
    body = b"".join(content)
    n = len(body)
    return bytes([tag]) + (bytes([n]) if n < 128 else bytes([0x82]) + struct.pack(">H", n)) + body


def oid(last):
    return der(6, b"\x60\x86\x76\x93\x16" + bytes(last))


def spki(keys, who):
    return run("openssl", "pkey", "-in", keys.d / f"{who}.pem", "-pubout", "-outform", "DER")


def cert(keys, who, pairs):
    name = der(0x30, der(0x31, der(0x30, bytes.fromhex("0603550406"), der(0x13, b"XX"))))
    algorithm = der(0x30, bytes.fromhex("06092a864886f70d01010b0500"))
    dates = der(0x30, der(0x17, b"150604031444Z"), der(0x17, b"350604031444Z"))
    tbs = der(0x30, der(0xa0, der(2, b"\2")), der(2, b"\1"), algorithm, name, dates, name, spki(keys, who), *[oid(o) + v for o, v in pairs])
    return der(0x30, tbs, algorithm, der(3, b"\0" + keys.sign(tbs, "pss", who)))


def mtk_part(name, body, kind=0):
    """The header, and the body filled up to 16 bytes."""
    head = struct.pack("<II32sII", 0x58881688, len(body), name.encode(), 0, 0xffffffff) + struct.pack("<6I", 0x58891689, 512, 1, kind, 0, 16)
    return head + b"\xff" * (512 - len(head)) + body + bytes(-len(body) % 16)


def mtk_image(keys, parts, signed=True, other=None):
    """other: the key that the image is signed by instead of the one that the root names."""
    out = b""
    for name, body in parts:
        p = mtk_part(name, body)
        out += p
        if signed:
            h = lambda x: der(3, b"\0" + hashlib.sha256(x).digest())  # noqa: E731
            one = cert(keys, "root", [((3, 1), der(2, b"\0")), ((1, 2), spki(keys, "leaf")), ((2, 2), der(2, b"\0"))])
            two = cert(other or keys, "leaf", [((3, 1), der(2, b"\0")), ((2, 1), h(p[512:])), ((2, 4), h(p[:512]))])
            out += mtk_part("cert1", one, 0x2000000) + mtk_part("cert2", two, 0x2000002)
    return out


def modulus(keys, who):
    out = run("openssl", "rsa", "-in", keys.d / f"{who}.pem", "-noout", "-modulus").decode()
    return bytes.fromhex(out.strip().split("=")[1])


def preloader(keys, code, kind=5, turned=True, storage=b"EMMC_BOOT\0\0\0"):
    """turned: the second key's exponent in the other byte order."""
    key = lambda who, e: struct.pack("<3I", 3, 256, 0) + e + bytes(252) + modulus(keys, who)  # noqa: E731
    chain_size = 4 + 1324 + 316
    info = b"MMM\1" + struct.pack("<HH12sIHBBIIIIIII", 56, 0, b"FILE_INFO", 1, 1, 12, kind, 0x201000, 56 + len(code) + chain_size, 0x80000, 56, chain_size, 56, 1)
    one = struct.pack("<4I", 0xe291f358, 0x10000, 1324, 0x10100) + key("root", b"\0\1\0\1") + key("leaf", b"\1\0\1\0" if turned else b"\0\1\0\1") + b"\1\0\2\0"
    two = struct.pack("<4I", 0xe291f358, 0x10000, 316, 0x1020100) + bytes(12) + hashlib.sha256(info + code).digest()
    chain = struct.pack("<I", 2) + one + keys.sign(one, "pss", "root") + two + keys.sign(two, "pss", "leaf")
    assert len(chain) == chain_size
    return storage + bytes(2048 - len(storage)) + info + code + chain
