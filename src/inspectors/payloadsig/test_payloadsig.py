#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Payloads signed by openssl(1) with RSA and elliptic keys: digest and signature as the reader tells them, whose key it is, single changes.
The payloads are made by tests/tools/mkpayload.py, from the specification."""
import os
import pathlib
import sqlite3
import struct
import subprocess
import sys
import zipfile

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT / "tests/lib"), str(ROOT / "tests/tools")]
import ght  # noqa: E402
import mkpayload as mk  # noqa: E402

T = ght.tmp()
BIN = os.environ.get("GH_BIN", str(ght.BUILD / "gifthorse"))
KINDS = {"rsa2048": ["rsa:2048"], "rsa4096": ["rsa:4096"], "ec": ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"], "other": ["rsa:2048"]}


def key(name):
    ght.run("openssl", "req", "-x509", "-newkey", *KINDS[name], "-nodes", "-keyout", T / f"{name}.pem", "-out", T / f"{name}.crt", "-subj", f"/CN={name}", "-days", "9000")
    return ght.sha(ght.run("openssl", "x509", "-in", T / f"{name}.crt", "-outform", "DER"))


CERT = {name: key(name) for name in KINDS}


def sign(data, by):
    (T / "tbs").write_bytes(data)
    return ght.run("openssl", "dgst", "-sha256", "-sign", T / f"{by}.pem", T / "tbs")


def message(*raws, pad=0):
    """pad: update_engine fills signatures up to the longest that the key can make."""
    return b"".join(mk.box(1, mk.box(2, raw + bytes(max(0, pad - len(raw)))) + mk.fixed32(3, len(raw))) for raw in raws)


def signed(by, metadata_by=None, parts=None):
    """Both ranges follow from the header alone: written here without the reader."""
    metadata_by = metadata_by or by
    longest = {"rsa2048": 256, "rsa4096": 512, "ec": 72, "other": 256}
    blank = lambda names: message(*(bytes(longest[n]) for n in names))  # noqa: E731
    parts = parts or [mk.full("system", os.urandom(3 << 20), "REPLACE_XZ"), mk.full("vendor", bytes(1 << 20))]
    data = bytearray(mk.payload(parts, metadata_signature=blank(metadata_by), signature=blank(by)))
    manifest, = struct.unpack_from(">Q", data, 12)
    size, = struct.unpack_from(">I", data, 20)
    head = bytes(data[:24 + manifest])
    fill = lambda names, tbs: message(*(sign(tbs, n) for n in names), pad=0) if "ec" not in names else message(*(sign(tbs, n) for n in names), pad=72)  # noqa: E731
    data[24 + manifest:24 + manifest + size] = fill(metadata_by, head)
    last = len(blank(by))
    body = bytes(data[24 + manifest + size:len(data) - last])
    data[len(data) - last:] = fill(by, head + body)
    return bytes(data), ght.sha(head), ght.sha(head + body)


def rows(data):
    return [(r["what"], r["sha256"], len(r["signature"]) // 2) for r in ght.rows(ght.inspect("payload.bin", data, "payloadsig"), "payload_sigs")]


def facts():
    for by, size in (("rsa2048", 256), ("rsa4096", 512)):
        data, metadata, whole = signed([by])
        ght.equal(rows(data), [("metadata", metadata, size), ("payload", whole, size)], f"{by}: digests of both ranges")
    data, metadata, whole = signed(["rsa2048", "other"])
    ght.equal([r[:2] for r in rows(data)], [("metadata", metadata)] * 2 + [("payload", whole)] * 2, "two signers each")
    ght.equal(rows(mk.payload([mk.full("system", bytes(8192))])), [], "no signatures: no rows")
    data, metadata, whole = signed(["ec"])
    got = ght.rows(ght.inspect("payload.bin", data, "payloadsig"), "payload_sigs")
    ght.check(all(68 <= len(r["signature"]) // 2 <= 72 for r in got) and len(got) == 2, "ec: padding is left out")


def scan(data, system=(), package=()):
    """The states of a package beside a system with these keys."""
    d = T / "in"
    subprocess.run(["rm", "-rf", d, T / "f.db"])
    (d / "system/etc/security").mkdir(parents=True)
    (d / "system/build.prop").write_bytes(b"ro.build.type=user\n")
    if system:
        with zipfile.ZipFile(d / "system/etc/security/otacerts.zip", "w") as z:
            for n in system:
                z.write(T / f"{n}.crt", f"{n}.x509.pem")
    with zipfile.ZipFile(d / "update.zip", "w") as z:
        z.writestr("payload.bin", data)
        for n in package:
            z.write(T / f"{n}.crt", "META-INF/com/android/otacert")
    subprocess.run([BIN, "scan", d, "--db", T / "f.db", "-f", f"json={T}/r.json"], capture_output=True)
    return list(sqlite3.connect(T / "f.db").execute("SELECT what, state, whose, cert_sha256 FROM payload_sigs ORDER BY at"))


def whose():
    for by in ("rsa2048", "rsa4096", "ec"):
        data, _, _ = signed([by])
        both = lambda *r: [("metadata", *r), ("payload", *r)]  # noqa: E731
        ght.equal(scan(data, [by], [by]), both("verified", "system", CERT[by]), f"{by}: the system's own key")
        ght.equal(scan(data, ["other"], [by]), both("verified", "package", CERT[by]), f"{by}: the package's certificate, which the system does not list")
        ght.equal(scan(data, ["other"]), both("no key fits", None, None), f"{by}: another's key")
        ght.equal(scan(data), both("no key", None, None), f"{by}: no key at hand")
    data, _, _ = signed(["rsa2048"])
    manifest, = struct.unpack_from(">Q", data, 12)
    size, = struct.unpack_from(">I", data, 20)
    for at, want in ((24 + manifest + size + 1000, ["verified", "no key fits"]), (24 + manifest - 3, ["no key fits"] * 2),
                     (24 + manifest + size - 40, ["no key fits", "verified"]), (len(data) - 40, ["verified", "no key fits"])):
        bad = bytearray(data)
        bad[at] ^= 1
        ght.equal([r[1] for r in scan(bytes(bad), ["rsa2048"], ["rsa2048"])], want, f"a change at {at}")


def hostile():
    base, _, _ = signed(["rsa2048"])
    manifest, = struct.unpack_from(">Q", base, 12)
    at = 24 + manifest
    many = b"".join(mk.box(1, mk.box(2, b"x")) for _ in range(100))
    got = ght.inspect("payload.bin", mk.payload([mk.full("a", bytes(4096))], signature=many), "payloadsig")
    ght.check(len(ght.rows(got, "payload_sigs")) == 16 and "more than 16 signatures" in str(got), "a hundred signatures: sixteen, and it is told")
    long = mk.box(1, mk.box(2, b"x" * 8) + mk.fixed32(3, 9))
    got = ght.inspect("payload.bin", mk.payload([mk.full("a", bytes(4096))], signature=long), "payloadsig")
    ght.check("a signature of 9 bytes in 8" in str(got), "a length behind its bytes")
    got = ght.inspect("payload.bin", mk.payload([mk.full("a", bytes(4096))], signature=mk.box(1, mk.box(2, b"x" * 4000))), "payloadsig")
    ght.check(not ght.rows(got, "payload_sigs") and "a signature of 4000 bytes" in str(got), "a signature of 4,000 bytes is refused")
    bad = bytearray(base)
    bad[at:at + 3] = b"\xff\xff\xff"
    got = ght.inspect("payload.bin", bytes(bad), "payloadsig")
    ght.equal([r["what"] for r in ght.rows(got, "payload_sigs")], ["payload"], "the metadata's signature cannot be read, the payload's can")
    ght.check(ght.rows(got, "notes"), "and it is noted")


def seeds():
    want = {"two.bin": (3, 0), "damaged.bin": (0, 2)}
    for p in sorted((pathlib.Path(__file__).parent / "seeds").iterdir()):
        got = ght.drive(p, only="payloadsig")
        ght.equal((len(ght.rows(got, "payload_sigs")), sum("signature" in str(r) or r["table"] == "notes" for r in got if r["table"] == "notes")), want[p.name], f"seed {p.name}")


if __name__ == "__main__":
    if len(sys.argv) > 1:  # writes the seeds
        d = pathlib.Path(sys.argv[1])
        small = lambda **kw: mk.payload([mk.full("a", os.urandom(4096), "REPLACE")], **kw)  # noqa: E731
        (d / "two.bin").write_bytes(small(metadata_signature=message(b"m" * 256), signature=message(b"a" * 256, b"b" * 70, pad=72)))
        (d / "damaged.bin").write_bytes(small(metadata_signature=b"\x0a\xff\xff\x03", signature=b"\x0a\x05\x12\x7f\0\0\0"))
        sys.exit(0)
    facts()
    whose()
    hostile()
    seeds()
    ght.done()
