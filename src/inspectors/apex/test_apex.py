#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""APEX manifests of protoc, keys of openssl, and AOSP's own APEX files: container, inner vbmeta, payload, key."""
import hashlib
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
import mkvbmeta as mk  # noqa: E402

T = ght.tmp()
BIN = os.environ.get("GH_BIN", str(ght.BUILD / "gifthorse"))
PROTO = """syntax = "proto3"; message A { string name = 1; int64 version = 2; string preInstallHook = 3; string versionName = 5;
  bool noCode = 6; repeated string provideNativeLibs = 7; message C { string originalApexDigest = 1; } C capexMetadata = 12; fixed64 x = 90; fixed32 y = 91; }"""


def protobuf(text):
    (T / "a.proto").write_text(PROTO)
    return ght.run("protoc", f"-I{T}", "--encode=A", T / "a.proto", input=text.encode())


def manifests():
    if not shutil.which("protoc"):
        return ght.skip("manifests", "protoc is not installed")
    data = protobuf('name: "com.android.x" version: 340090000 preInstallHook: "no" versionName: "v" noCode: true provideNativeLibs: "liba.so" '
                    'capexMetadata { originalApexDigest: "abcdef" } x: 7 y: 8')
    row = ght.rows(ght.inspect("apex_manifest.pb", data, "apex"), "apex_manifests")
    ght.equal([(r["name"], r["version"], r["version_name"], r["original_digest"]) for r in row], [("com.android.x", 340090000, "v", "abcdef")], "manifest")
    for n in range(len(data)):
        rows = ght.inspect("apex_manifest.pb", data[:n], "apex")
        if n and not (ght.rows(rows, "apex_manifests") or ght.rows(rows, "notes")):
            ght.check(False, f"manifest cut at {n}: told")
    for name, bad in (("a group", b"\x0b" + data), ("a length behind the end", b"\x0a\xff\xff\x03abc"), ("an endless number", b"\x10" + b"\xff" * 12)):
        ght.check(ght.rows(ght.inspect("apex_manifest.pb", bad, "apex"), "notes"), f"{name}: noted")


def keys():
    pem = T / "k.pem"
    mk.openssl("genrsa", "-out", pem, "2048")
    blob = mk.public_blob(pem)
    for name in ("apex_pubkey", "x.avbpubkey"):
        ght.equal([(r["sha1"], r["bits"]) for r in ght.rows(ght.inspect(name, blob, "apex"), "avb_keys")], [(hashlib.sha1(blob).hexdigest(), 2048)], name)
    for name, bad in (("cut", blob[:-1]), ("another size", struct.pack(">I", 4096) + blob[4:]), ("huge", b"\xff" * 520)):
        rows = ght.inspect("apex_pubkey", bad, "apex")
        ght.check(not ght.rows(rows, "avb_keys") and ght.rows(rows, "blob_runs", plugin="apex", status="bad"), f"a key, {name}")
    return pem


def scan(path):
    db = T / "f.db"
    db.unlink(missing_ok=True)
    p = subprocess.run([BIN, "scan", path, "--db", db, "-f", f"json={T}/r.json"], capture_output=True)
    if p.returncode not in (0, 1, 3):
        raise RuntimeError(p.stderr.decode(errors="replace")[-500:])
    sql = sqlite3.connect(f"file:{db}?mode=ro", uri=True)
    return sorted(sql.execute("SELECT DISTINCT name, container, vbmeta, payload, key, original FROM apex"), key=str)


def whole(pem):
    """An APEX made here, then with another key, another payload, and in a compressed one."""
    if not shutil.which("mke2fs") or not shutil.which("protoc"):
        return ght.skip("whole", "mke2fs or protoc is not installed")
    ght.run("mke2fs", "-q", "-F", "-t", "ext4", "-b", "4096", T / "payload", "1M")
    own = mk.add_footer(str(T / "payload"), "", "hashtree", bytes(32), algorithm="SHA256_RSA2048", key=str(pem))
    payload, key = (T / "payload").read_bytes(), mk.public_blob(pem)
    root = own[-32:] if len(own) % 8 == 0 else own
    at = own.index(b"sha256")
    sizes = struct.unpack_from(">III", own, at + 32)
    root = own[at + 32 + 16 + 60 + sizes[0] + sizes[1]:][:sizes[2]]
    other = T / "o.pem"
    mk.openssl("genrsa", "-out", other, "2048")

    def apex(path, payload=payload, key=key, more=""):
        with zipfile.ZipFile(path, "w") as z:
            z.writestr("apex_manifest.pb", protobuf('name: "com.example.m" version: 3 ' + more))
            z.writestr("apex_pubkey", key)
            z.writestr("AndroidManifest.xml", b"")
            z.writestr("apex_payload.img", payload)
        return path
    ght.equal(scan(apex(T / "com.example.m.apex")), [("com.example.m", "unsigned", "verified", "same", "same", None)], "as made")
    bad = bytearray(payload)
    bad[600000] ^= 1
    ght.equal(scan(apex(T / "com.example.m.apex", bytes(bad))), [("com.example.m", "unsigned", "verified", "differs", "same", None)], "one bit of the payload")
    ght.equal(scan(apex(T / "com.example.m.apex", key=mk.public_blob(other))), [("com.example.m", "unsigned", "verified", "same", "other", None)],
              "another key beside it")
    inner = apex(T / "inner").read_bytes()
    for digest, want in ((root.hex(), "same"), ("00" * 32, "other")):
        with zipfile.ZipFile(T / "com.example.m.capex", "w", zipfile.ZIP_DEFLATED) as z:
            z.writestr("apex_manifest.pb", protobuf('name: "com.example.m" version: 3 capexMetadata { originalApexDigest: "%s" }' % digest))
            z.writestr("apex_pubkey", key)
            z.writestr("AndroidManifest.xml", b"")
            z.writestr("original_apex", inner)
        got = scan(T / "com.example.m.capex")
        ght.equal([g[1:] for g in got], [("unsigned", "verified", "same", "same", want)], f"compressed, the original is {want}")


def corpus():
    d = ght.corpus("platform_build")
    if not d:
        return
    d = d / "tools/releasetools/testdata"
    ght.equal([r[1:] for r in scan(d / "foo.apex")], [("unsigned", "verified", "same", "same", None)], "AOSP's foo.apex")
    ght.equal([r[1:] for r in scan(d / "has_apk.apex")], [("verified", "verified", "same", "same", None)], "AOSP's has_apk.apex")


def seeds():
    for p in sorted((pathlib.Path(__file__).parent / "seeds").iterdir()):
        name = "apex_pubkey" if "key" in p.name.split("_")[-1] or p.suffix == ".avbpubkey" else "apex_manifest.pb"
        rows = ght.inspect(name, p.read_bytes(), "apex")
        ght.check(any(ght.rows(rows, t) for t in ("avb_keys", "apex_manifests", "notes")), f"seed {p.name}")


manifests()
whole(keys())
corpus()
seeds()
ght.done()
