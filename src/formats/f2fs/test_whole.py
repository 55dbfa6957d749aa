#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""F2FS through the whole program: a zip with a sparse super image with an F2FS partition, in it an APK and an APEX whose payload is F2FS too."""
import os
import pathlib
import shutil
import sqlite3
import subprocess
import sys
import zipfile

import test_f2fs as t
from test_f2fs import ght

for more in ("tests/tools", "tests/demo"):
    sys.path.insert(0, str(ght.ROOT / more))
import apks  # noqa: E402

BIN = os.environ.get("GH_BIN", str(ght.BUILD / "gifthorse"))
BODY = """  <uses-permission android:name="android.permission.INSTALL_PACKAGES"/>
  <application android:hasCode="false"><service android:name="org.example.Worker" android:exported="true"/></application>"""
APP = "org.example.inside"
MODULE = "org.example.module"


def archive(path, members):
    with zipfile.ZipFile(path, "w") as z:
        for name, data, stored in members:
            apks.add(z, name, data, stored, 4096)
    return path.read_bytes()


def f2fs(image, tree, size, prefix, work, *options):
    (work / "contexts").write_text("/.*  u:object_r:vendor_file:s0\n/vendor/bin/hw  u:object_r:hw_exec:s0\n")
    t.mkfs(image, size, "-g", "android", "-O", "compression,inode_checksum", "-l", prefix.strip("/"))
    t.sload(image, tree, "-t", prefix, "-P", "-T", "1230768000", "-s", work / "contexts", *options)


def make(work):
    cache = work / "cache"
    cache.mkdir()
    apks.small_framework(str(cache))
    manifest = lambda package, body, **how: apks.compiled_manifest(apks.manifest(package, body, **how), str(cache))  # noqa: E731
    payload = work / "payload"
    (payload / "etc").mkdir(parents=True)
    (payload / "etc/module.rc").write_text("service inside /apex/org.example.module/bin/inside\n    user root\n")
    proto = b"\x0a" + bytes([len(MODULE)]) + MODULE.encode() + b"\x10\x01"
    (payload / "apex_manifest.pb").write_bytes(proto)
    f2fs(work / "payload.img", payload, 72 << 20, "/apex", work)
    module = archive(work / "m.apex", [("apex_manifest.pb", proto, True), ("AndroidManifest.xml", manifest(MODULE, BODY), False),
                                       ("apex_payload.img", (work / "payload.img").read_bytes(), True)])
    tree = work / "vendor"
    for d in ("app/inside", "apex", "bin", "etc/init"):
        (tree / d).mkdir(parents=True)
    app = archive(tree / "app/inside/inside.apk", [("AndroidManifest.xml", manifest(APP, BODY), False)])
    (tree / f"apex/{MODULE}.apex").write_bytes(module)
    (tree / "bin/hw").write_bytes(t.pattern(20000, 1))
    os.chmod(tree / "bin/hw", 0o4755)
    (tree / "build.prop").write_text("ro.build.type=user\nro.product.vendor.model=horse\n")
    (tree / "etc/init/hw.rc").write_text("service hw /vendor/bin/hw\n    class main\n" * 400)
    f2fs(work / "vendor.img", tree, 192 << 20, "/vendor", work, *(["-c", "-a", "lz4", "-L", "2"] if t.has_compression(work) else []))
    run = lambda name, *a: ght.run("python3", ght.ROOT / "tests/tools" / name, *a)  # noqa: E731
    run("mklp.py", "--out", work / "super.img", "--slots", "2", "--group", "main_a", "--partition", f"vendor_a={work}/vendor.img:main_a:readonly")
    run("mksparse.py", "--in", work / "super.img", "--out", work / "super.simg")
    with zipfile.ZipFile(work / "phone.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as z:
        z.write(work / "super.simg", "super.img")
    for name in ("super.img", "super.simg", "vendor.img", "payload.img", "m.apex"):
        (work / name).unlink()
    return tree, app


def main():
    for tool in ("mkfs.f2fs", "sload.f2fs", "aapt2"):
        if not shutil.which(tool):
            ght.skip("f2fs through the whole program", f"{tool} is not installed")
            ght.done()
    work = ght.tmp()
    tree, app = make(work)
    phone, db = work / "phone.zip", work / "facts.db"
    p = subprocess.run([BIN, "scan", phone, "--db", db, "-f", f"text={work}/report.txt", "--progress", "none", "--spill-dir", work], capture_output=True)
    ght.check(p.returncode in (0, 1, 3), "the scan ends", p.stderr[-400:])
    ask = sqlite3.connect(db).execute
    ght.equal(sorted(r[0] for r in ask("SELECT kind FROM c_fs_info")), ["f2fs", "f2fs"], "two F2FS file systems: a partition and an APEX's payload")
    ght.equal(sorted(r[0] for r in ask("SELECT DISTINCT package FROM c_manifests WHERE package NOT NULL")), [APP, MODULE], "manifests of the APK and the APEX")
    want = {"/vendor" + str(q)[len(str(tree)):]: q for q in tree.rglob("*") if q.is_file()}
    got = {r[0]: r[1:] for r in ask("SELECT p.dpath, p.mode, p.selinux, lower(hex(b.sha256)) FROM places p LEFT JOIN blobs b USING(blob_id) WHERE p.ftype='file'")}
    wrong = [d for d, q in want.items() if d not in got or got[d][2] != ght.sha(q.read_bytes()) or got[d][0] & 0o7777 != q.stat().st_mode & 0o7777]
    ght.check(not wrong, f"{len(want)} files of the partition in their place on the device", (wrong, sorted(map(str, got))[:40]))
    ght.equal(got.get("/vendor/bin/hw", (0, 0))[1], "u:object_r:hw_exec:s0", "with their labels")
    inside = f"/apex/{MODULE}/etc/module.rc"
    ght.check(any(d and d.endswith("/etc/module.rc") for d in got), "files inside the APEX have places", sorted(map(str, got)))
    ght.check(inside in got, f"as {inside}", sorted(map(str, got)))
    bad = ask("SELECT plugin, status, why FROM blob_runs WHERE plugin IN ('f2fs','lp','sparse','zip') AND status<>'ok'").fetchall()
    ght.equal(bad, [], "each layer was read to its end")
    closed = ask("SELECT place, what, why FROM d_not_examined WHERE hides='*'").fetchall()
    ght.equal(closed, [], "nothing stayed closed")
    listed = subprocess.run([BIN, "ls", phone], capture_output=True).stdout.decode()
    ght.check("app/inside/inside.apk" in listed and "bin/hw" in listed, "ls names the files", listed[-600:])
    for path, data in (("/app/inside/inside.apk", app), ("/etc/init/hw.rc", (tree / "etc/init/hw.rc").read_bytes())):
        p = subprocess.run([BIN, "cat", phone, "vendor:" + path], capture_output=True)
        ght.check(p.stdout == data, f"cat writes {path}", p.stderr[-300:])
    ght.done()


if __name__ == "__main__":
    main()
