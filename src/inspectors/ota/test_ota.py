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
sys.path[:0] = [str(ROOT / "tests/lib"), str(ROOT / "tests/tools")]
import ght  # noqa: E402
import mkpayload as mk  # noqa: E402

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


def messages():
    """Written from the .proto files, without the reader."""
    state = lambda devices, builds: b"".join(mk.box(1, d) for d in devices) + b"".join(mk.box(2, b) for b in builds) + mk.box(3, "77") + mk.number(4, 1700000000) + mk.box(5, "34") + mk.box(6, "2024-01-05")  # noqa: E731
    pb = mk.number(1, 1) + mk.number(2, 1) + mk.number(3, 0) + mk.box(4, mk.box(1, "ota-property-files") + mk.box(2, "payload.bin:1:2")) + \
        mk.box(5, state(["x"], ["a"])) + mk.box(6, state(["x", "y"], ["b", "c"])) + mk.number(7, 1) + mk.number(8, 5) + mk.number(9, 1) + mk.box(99, "later")
    got = {r["key"]: r["value"] for r in ght.rows(ght.inspect("metadata.pb", pb, "ota"), "ota_metadata")}
    both = lambda s, d, b: {f"{s}-device": d, f"{s}-build": b, f"{s}-build-incremental": "77", f"{s}-timestamp": "1700000000", f"{s}-sdk-level": "34", f"{s}-security-patch-level": "2024-01-05"}  # noqa: E731
    ght.equal(got, {"ota-type": "AB", "ota-wipe": "yes", "ota-downgrade": "no", "ota-property-files": "payload.bin:1:2", "ota-retrofit-dynamic-partitions": "yes",
                    "ota-required-cache": "5", "spl-downgrade": "yes", **both("pre", "x", "a"), **both("post", "x|y", "b|c")}, "metadata.pb")
    part = lambda name, ranges: mk.box(1, mk.box(1, name) + mk.box(2, ranges) + mk.box(3, "ro.system.build.fingerprint") + mk.box(4, "f/p"))  # noqa: E731
    maps = lambda data: [(r["partition"], r["ranges"], r["blocks"], r["end"], r["property"], r["fingerprint"]) for r in ght.rows(data, "care_maps")]  # noqa: E731
    tell = ("ro.system.build.fingerprint", "f/p")
    ght.equal(maps(ght.inspect("care_map.pb", part("system", "4,0,100,200,300") + part("vendor", "2,5,6"), "ota")),
              [("system", 2, 200, 300, *tell), ("vendor", 1, 1, 6, *tell)], "care_map.pb")
    for bad in ("", "0", "2,5", "3,1,2,3", "4,1,2", "2,6,5", "2,1,x", "2,1,2,", "2,0,99999999999999999999", "2,0,4294967297", "-2,1,2"):
        got = ght.inspect("care_map.pb", part("system", bad), "ota")
        ght.check(maps(got) == [("system", None, None, None, *tell)] and ght.rows(got, "notes"), f"ranges {bad!r}: noted")
    for name in ("metadata.pb", "care_map.pb"):
        got = ght.inspect(name, b"\x0a\xff\xff\xff\x7f\x01", "ota")
        ght.check("a field of the manifest" in str(got) and not ght.rows(got, "ota_metadata") + ght.rows(got, "care_maps"), f"{name}: a length behind the end")
        ght.check("a message of" in str(ght.inspect(name, bytes(2 << 20), "ota")), f"{name}: 2 MiB are refused")


def bounds():
    """A care map in a package against the partitions of its payload."""
    d, db = T / "care", T / "care.db"
    d.mkdir()
    part = lambda name, ranges: mk.box(1, mk.box(1, name) + mk.box(2, ranges))  # noqa: E731
    with zipfile.ZipFile(d / "update.zip", "w") as z:
        z.writestr("payload.bin", mk.payload([mk.full("system", os.urandom(10 * 4096)), mk.full("vendor", os.urandom(10 * 4096))]))
        z.writestr("care_map.pb", part("system", "2,0,10") + part("vendor", "2,0,11") + part("odd", "2,9"))
    subprocess.run([BIN, "scan", d, "--db", db, "-f", f"json={T}/r.json"], capture_output=True)
    ght.equal(list(sqlite3.connect(db).execute("SELECT partition, state FROM care_maps ORDER BY 1")), [("odd", "unreadable"), ("system", "fits"), ("vendor", "behind the end")], "bounds of a care map")


def seeds():
    for p in sorted((pathlib.Path(__file__).parent / "seeds").iterdir()):
        rows = ght.drive(p, only="ota")
        ght.check(any(ght.rows(rows, t) for t in ("ota_packages", "ota_metadata", "care_maps")), f"seed {p.name}")


if __name__ == "__main__":
    signed()
    metadata()
    messages()
    bounds()
    seeds()
    ght.done()
