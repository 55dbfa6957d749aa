#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Signatures of firmware: images made by tests/tools/mkfirmware.py, as they were signed and changed in each part."""
import os
import pathlib
import sqlite3
import struct
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT / "tests/lib"), str(ROOT / "tests/tools")]
import ght  # noqa: E402
import mkfirmware as mk  # noqa: E402

T = ght.tmp()
BIN = os.environ.get("GH_BIN", str(ght.BUILD / "gifthorse"))
OLD = mk.Keys(T / "old", "rsa", 3)
RSA = mk.Keys(T / "rsa")
EC = mk.Keys(T / "ec", "ec", units=(), name="Curve")
QTI = mk.Keys(T / "qti", name="Chip")
PARTS = [os.urandom(5000), os.urandom(3000), b"", os.urandom(100)]
BARE, PSS, CURVE = "RSA PKCS #1, SHA-256 bound to software and hardware", "RSA-PSS, SHA-256", "ECDSA, SHA-384"


def rows(data, name="x.mbn"):
    return ght.rows(ght.inspect(name, data, "firmware"), "firmware_signs")


def states(data, name="x.mbn"):
    return [(r["signer"], r["state"], r["why"]) for r in rows(data, name)]


def flip(data, at):
    data = bytearray(data)
    data[at] ^= 1
    return bytes(data)


def qualcomm():
    for bits in (32, 64):
        for version, keys, digest, way in ((3, OLD, "sha256", BARE), (3, RSA, "sha256", BARE), (5, RSA, "sha256", PSS), (6, EC, "sha384", CURVE), (6, RSA, "sha256", PSS), (7, EC, "sha384", CURVE)):
            label = f"ELF of {bits} bits, header {version}, {keys.kind}"
            data, segs, head, seg = mk.elf(version, keys, PARTS, bits, digest)
            r, = rows(data)
            ght.equal((r["state"], r["why"], r["algorithm"], r["parts"], r["same"], r["elsewhere"], r["unlisted"]), ("verified", None, way, 4, 4, 0, 0), label)
            ght.equal((r["cert_sha256"], r["root_sha256"]), (ght.sha(keys.der("leaf")), ght.sha(keys.der("root"))), f"{label}: signer and root")
            for i, (off, size, _) in enumerate(segs):
                if i != 1 and size:
                    ght.equal([(x["state"], x["why"], x["first_bad"], x["why_at"]) for x in rows(flip(data, off + size - 1))],
                              [("failed", f"segment {i} is not what its hash was made over", i, off)], f"{label}: segment {i} changed")
            for name, at, why in (("header", 0x1000, "the signature is not over this header and these hashes"), ("hashes", 0x1000 + len(seg) - 0x1800 - (104 if keys.kind == "ec" else 256) - 1, "the signature is not over this header and these hashes"),
                                  ("signature", 0x1000 + len(seg) - 0x1800 - (104 if keys.kind == "ec" else 256) + 20, "the signature is not over this header and these hashes")):
                got = states(flip(data, at))
                ght.check(got and got[0][1] == "failed", f"{label}: {name} changed", got)
            if version == 3:
                ght.equal((r["software"], r["hardware"]), ("0000000000000007", "000be0e100350001"), f"{label}: what it is for")
            if version == 6:
                ght.equal((r["software"], r["hardware"]), ("00000009", "oem 0051"), f"{label}: what it is for")


def chains():
    data, _, _, seg = mk.elf(5, RSA, PARTS, qti=QTI)
    ght.equal(states(data), [("qti", "verified", None), ("oem", "verified", None)], "the chip maker's signature and the maker's")
    at = 0x1000 + 40 + 32 * 6
    ght.equal([s[1] for s in states(flip(data, at + 5))], ["failed", "verified"], "the chip maker's changed")
    for names, want in ((("leaf", "ca"), "incomplete"), (("leaf",), "incomplete"), (("leaf", "root"), "incomplete"), (("root",), "failed"), (("leaf", "ca", "root", "root"), "verified")):
        class Short(mk.Keys):
            def __init__(self, whole):
                self.d, self.kind = whole.d, whole.kind

            def chain(self, size=0x1800, names=names):
                return mk.Keys.chain(self, size, names)
        got = states(mk.elf(5, Short(RSA), PARTS)[0])
        ght.equal([g[1] for g in got], [want], f"a chain of {' '.join(names)}")
    data = mk.elf(5, RSA, PARTS, unlisted=(3,))[0]
    ght.equal([(r["state"], r["parts"], r["unlisted"]) for r in rows(data)], [("verified", 3, 1)], "a part without a hash is counted")
    data = mk.elf(5, RSA, PARTS)[0]
    ght.equal([(r["state"], r["elsewhere"]) for r in rows(data[:-100])], [("incomplete", 1)], "cut short: what is missing is told")


def split():
    """A .mdt and its parts: what lies in other files is judged with them, by its digest."""
    data, segs, head, seg = mk.elf(3, OLD, PARTS, 32)
    mdt = head + seg
    r, = rows(mdt, "modem.mdt")
    ght.equal((r["state"], r["parts"], r["same"], r["elsewhere"]), ("incomplete", 4, 1, 3), "a .mdt: its parts lie elsewhere")
    for label, change, want in (("as they were signed", None, "verified"), ("one changed", 3, "failed"), ("one missing", 2, "incomplete")):
        d = T / f"split-{want}"
        d.mkdir()
        (d / "modem.mdt").write_bytes(mdt)
        for i, (off, size, _) in enumerate(segs):
            if i > 1 and size and not (want == "incomplete" and i == change):
                (d / f"modem.b{i:02}").write_bytes(flip(data, off)[off:off + size] if i == change else data[off:off + size])
        subprocess.run([BIN, "scan", d, "--db", T / f"{want}.db", "-f", f"json={T}/r.json"], capture_output=True)
        ght.equal([x[0] for x in sqlite3.connect(T / f"{want}.db").execute("SELECT state FROM firmware_signs WHERE name='modem.mdt'")], [want], f"its parts beside it, {label}")


def listed():
    """What the list of firmware outside verified boot says of each partition."""
    d = T / "listed"
    d.mkdir()
    (d / "lk.img").write_bytes(mk.mtk_image(RSA, [("lk", os.urandom(5001)), ("lk_dtb", os.urandom(64))]))
    (d / "tz.img").write_bytes(flip(mk.elf(5, RSA, PARTS)[0], 0x1100))
    (d / "sspm.img").write_bytes(mk.mtk_image(RSA, [("sspm", b"x" * 50)]) + mk.mtk_part("logo", b"y" * 50))
    (d / "rpm.img").write_bytes(os.urandom(5000))
    subprocess.run([BIN, "scan", d, "--db", T / "l.db", "-f", f"json={T}/r.json"], capture_output=True)
    got = dict(sqlite3.connect(T / "l.db").execute("SELECT name, signed FROM uncovered"))
    root = ght.sha(mk.spki(RSA, "root"))[:16]
    ght.equal(got, {"lk": f"2 of 2 signatures hold, all by the root {root}…", "tz": "1 of 1 signatures do not hold: the signature is not over this header and these hashes",
                    "sspm": "1 of 2 signatures hold, the others were not verified", "rpm": "identified by its name, not verified"}, "the list says what is known of each")


def mediatek():
    data = mk.mtk_image(RSA, [("lk", os.urandom(5001)), ("lk_dtb", os.urandom(64))])
    got = rows(data, "lk.img")
    ght.equal([(r["name"], r["state"], r["same"]) for r in got], [("lk", "verified", 2), ("lk_dtb", "verified", 2)], "two parts")
    ght.equal({(r["cert_sha256"], r["root_sha256"]) for r in got}, {(ght.sha(mk.spki(RSA, "leaf")), ght.sha(mk.spki(RSA, "root")))}, "their keys")
    for at, why in ((40, "the header is not what was signed"), (600, "the content is not what was signed"), (512 + 5001, "the content is not what was signed")):
        ght.equal(states(flip(data, at), "lk.img")[0][1:], ("failed", why), f"a change at {at}")
    at = 512 + 5008 + 512
    bad = [states(flip(data, at + k), "lk.img")[0][1] for k in (200, 500, 900)]
    ght.check("verified" not in bad, "changes in the first certificate", bad)
    ght.equal([s[1:] for s in states(mk.mtk_image(RSA, [("lk", b"x" * 50)], other=QTI), "lk.img")], [("failed", "the image is signed by another key than the one that was handed to it")], "another key")
    ght.equal([s[1] for s in states(mk.mtk_image(RSA, [("logo", b"x" * 50)], signed=False), "logo.img")], ["unsigned"], "no certificates")
    strange = mk.mtk_part("lk", b"x" * 50) + mk.mtk_part("cert1", b"0" * 50) + mk.mtk_part("cert2", b"0" * 50)
    ght.equal(states(strange, "lk.img"), [("image", "unsupported", "certificates of a form that is not known")], "certificates of another form")


def preloader():
    code = os.urandom(9000)
    for turned in (False, True):
        data = mk.preloader(RSA, code, turned=turned)
        r, = rows(data, "preloader.bin")
        ght.equal((r["state"], r["why"], r["cert_sha256"], r["root_sha256"]), ("verified", None, ght.sha(mk.spki(RSA, "leaf")), ght.sha(mk.spki(RSA, "root"))), f"a preloader, exponent turned: {turned}")
    end = len(data) - 1644
    for at, want in ((2048 + 56 + 10, "the code is not what was signed"), (end + 4 + 300, None), (end + 4 + 1324 + 30, None), (len(data) - 9, None), (end - 5, "the code is not what was signed")):
        got = states(flip(data, at), "preloader.bin")
        ght.check(got[0][1] == "failed" and (want is None or got[0][2] == want), f"a preloader changed at {at}", got)
    ght.equal([s[1:] for s in states(mk.preloader(RSA, code, kind=3), "preloader.bin")], [("unsupported", "a signature of kind 3: identified, not verified")], "another kind")
    ght.equal([s[1] for s in states(mk.preloader(RSA, code, kind=0), "preloader.bin")], ["unsigned"], "no signature")
    at = end + 4
    ght.equal([s[1:] for s in states(data[:at] + b"\0" + data[at + 1:], "preloader.bin")], [("unsupported", "certificates of a form that is not known")], "another magic number")


def hostile():
    """None of these is ever verified."""
    data, segs, head, seg = mk.elf(5, RSA, PARTS)
    for word, value in [(w, v) for w in range(2, 10) for v in (0xffffffff, 0x7fffffff, 0, 1)]:
        bad = bytearray(data)
        struct.pack_into("<I", bad, 0x1000 + 4 * word, value)
        ght.check(bytes(bad) == data or all(s[1] != "verified" for s in states(bytes(bad))), f"header word {word} is {value:#x}", states(bytes(bad)))
    many = bytearray(data)
    for i in range(6):
        struct.pack_into("<QQQQ", many, 64 + 56 * i + 8, 0, 0, 0, len(data))
    ght.check("verified" not in str(states(bytes(many))), "every segment is the whole file")
    bomb = RSA.der("leaf") * 400
    seg_big = struct.pack("<10I", 25, 5, 0, 0, 32 * 6 + 256 + len(bomb), 32 * 6, 0, 256, 0, len(bomb)) + bytes(32 * 6 + 256) + bomb
    got = ght.inspect("x.mbn", seg_big, "firmware")
    ght.check(len(ght.rows(got, "certs")) <= 20 and all(s[1] != "verified" for s in states(seg_big)), "a bomb of 400 certificates: 20 are read")
    for e in (1, 2, 0x80000000):
        der = bytearray(RSA.der("leaf"))
        at = der.index(bytes.fromhex("0203010001"))
        der[at:at + 5] = bytes.fromhex("0203") + (b"\0\0\1" if e == 1 else b"\0\0\2" if e == 2 else b"\x80\0\0")
        ext = bytearray(data)
        chain = 0x1000 + len(seg) - 0x1800
        ext[chain:chain + len(der)] = der
        ght.check(all(s[1] != "verified" for s in states(bytes(ext))), f"an exponent of {e}")


if __name__ == "__main__":
    qualcomm()
    chains()
    mediatek()
    preloader()
    hostile()
    split()
    listed()
    ght.done()
