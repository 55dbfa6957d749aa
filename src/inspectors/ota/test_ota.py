#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Update packages signed by Debian's signapk; changed byte by byte; footers that lie. Metadata as release tools write it."""
import os
import pathlib
import shutil
import sqlite3
import struct
import subprocess
import sys
import zipfile

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tests/lib"))
import ght  # noqa: E402

T = ght.tmp()
BIN = os.environ.get("GH_BIN", str(ght.BUILD / "gifthorse"))
JAR = "/usr/share/signapk/signapk.jar"  # as a program it asks for the kernel's binfmt
METADATA = b"ota-type=AB\npost-build=demo/x/x:14/A/1:user/release-keys\npost-timestamp=1700000000\npre-device=x\nno line\n"


def key(name, kind):
    spec = ["-newkey", "rsa:2048"] if kind == "rsa" else ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    ght.run("openssl", "req", "-x509", *spec, "-nodes", "-keyout", T / f"{name}.pem", "-out", T / f"{name}.crt", "-subj", f"/CN={name}", "-days", "9000")
    ght.run("openssl", "pkcs8", "-topk8", "-nocrypt", "-in", T / f"{name}.pem", "-outform", "DER", "-out", T / f"{name}.pk8")
    return ght.sha(ght.run("openssl", "x509", "-in", T / f"{name}.crt", "-outform", "DER"))


def package(name, by):
    with zipfile.ZipFile(T / "plain.zip", "w") as z:
        z.writestr("META-INF/com/android/metadata", METADATA)
        z.writestr("payload.bin", os.urandom(3 << 20))
    ght.run("java", "-jar", JAR, "-w", T / f"{by}.crt", T / f"{by}.pk8", T / "plain.zip", T / name)
    return (T / name).read_bytes()


def look(data):
    (T / "x.zip").write_bytes(data)
    return [(r["state"], r["why"], r["cert_sha256"]) for r in ght.rows(ght.drive(T / "x.zip", only="ota"), "ota_packages")]


def signed():
    if not shutil.which("java") or not pathlib.Path(JAR).exists():
        return ght.skip("signed", "signapk is not installed")
    for kind in ("rsa", "ec"):
        cert = key(kind, kind)
        data = package(f"{kind}.zip", kind)
        comment = struct.unpack_from("<H", data, len(data) - 2)[0]
        ght.equal(look(data), [("verified", None, cert)], f"{kind}: as signed")
        still = []
        for at in [0, 5, 100, 1 << 20, len(data) - comment - 30, len(data) - comment - 3] + list(range(len(data) - 6 - 40, len(data) - 6, 7)):
            bad = bytearray(data)
            bad[at] ^= 1
            got = look(bytes(bad))
            if got and got[0][0] == "verified":
                still.append(at)
        ght.equal(still, [], f"{kind}: single changes, none verifies")
        ght.equal([g[0] for g in look(data[:-6] + struct.pack("<HHH", comment + 1, 0xFFFF, comment))], [], f"{kind}: a signature longer than its comment: none")
        ght.equal([g[0] for g in look(data[:-6] + struct.pack("<HHH", 20, 0xFFFF, comment))], ["failed"], f"{kind}: a signature of 14 bytes")
        inside = bytearray(data)
        at = len(data) - comment + 3
        inside[at:at + 4] = b"PK\5\6"
        ght.equal(look(bytes(inside))[0][:2], ("failed", "an end record inside the signature's comment"), f"{kind}: a second end record")
    accepted(data)


def accepted(data):
    """With the system's list beside it: its own key, then another's."""
    d = T / "phone"
    (d / "system/etc/security").mkdir(parents=True)
    (d / "system/build.prop").write_bytes(b"ro.build.type=user\n")
    (d / "update.zip").write_bytes(data)
    for name, want in (("ec", 1), ("rsa", 0)):
        with zipfile.ZipFile(d / "system/etc/security/otacerts.zip", "w") as z:
            z.write(T / f"{name}.crt", "a.x509.pem")
        db = T / "f.db"
        db.unlink(missing_ok=True)
        subprocess.run([BIN, "scan", d, "--db", db, "-f", f"json={T}/r.json"], capture_output=True)
        ght.equal(list(sqlite3.connect(db).execute("SELECT state, accepted FROM ota")), [("verified", want)], f"accepted by the list: {want}")


def metadata():
    rows = ght.rows(ght.inspect("metadata", METADATA, "ota"), "ota_metadata")
    ght.equal([(r["key"], r["value"], r["line"]) for r in rows], [("ota-type", "AB", 1), ("post-build", "demo/x/x:14/A/1:user/release-keys", 2),
                                                                    ("post-timestamp", "1700000000", 3), ("pre-device", "x", 4)], "metadata")
    ght.equal(ght.rows(ght.inspect("metadata", b"a=b\n", "ota"), "ota_metadata"), [], "another file called metadata: nothing")


def seeds():
    for p in sorted((pathlib.Path(__file__).parent / "seeds").iterdir()):
        rows = ght.drive(p, only="ota")
        ght.check(any(ght.rows(rows, t) for t in ("ota_packages", "ota_metadata")), f"seed {p.name}")


if __name__ == "__main__":
    signed()
    metadata()
    seeds()
    ght.done()
