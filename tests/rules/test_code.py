#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Where the code of apps lies, and whether precompiled code was made from what lies beside it (GH-Z05): an unpacked phone with apps whose
code is in the APK, in a vdex, in an odex and nowhere; and its twin, in which every checksum fits."""
import os
import pathlib
import sqlite3
import struct
import subprocess
import sys
import zipfile
import zlib

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests/lib"), str(ROOT / "src/inspectors/dex"), str(ROOT / "src/formats/oat")]
import ght  # noqa: E402
import mkdex  # noqa: E402
import mkoat  # noqa: E402

BIN = os.environ.get("GH_BIN", str(ght.BUILD / "gifthorse"))
FRAMEWORK = "/usr/share/android-framework-res/framework-res.apk"
D = ght.tmp()
DEX = [mkdex.build([mkdex.cls(f"La/A{i};")], 37) for i in range(3)]


def vdex(dexes, sums):
    """Version 019; without dex files it has no dex section."""
    out = b"vdex019\0" + (b"002\0" if dexes else b"000\0") + struct.pack("<2I", len(sums), 0) + struct.pack(f"<{len(sums)}I", *sums)
    if dexes:
        body = b"".join(bytes(4) + x for x in dexes)
        out += struct.pack("<3I", len(body), 0, 0) + body
    return out


def manifest(package, code, part):
    top = D / "manifest"
    top.mkdir(exist_ok=True)
    (top / "AndroidManifest.xml").write_text(f'<manifest xmlns:android="http://schemas.android.com/apk/res/android" package="{package}">'
                                             f'<application android:label="{package}" android:hasCode="{code}">{part}</application></manifest>')
    ght.run("aapt2", "link", "-I", FRAMEWORK, "--manifest", top / "AndroidManifest.xml", "-o", top / "o.apk")
    with zipfile.ZipFile(top / "o.apk") as z:
        return {n: z.read(n) for n in z.namelist()}


def put(path, data):
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(data, dict):
        with zipfile.ZipFile(path, "w") as z:
            for n, x in data.items():
                z.writestr(n, x)
    else:
        path.write_bytes(data)


def phone(name, wrong):
    """wrong: the second dex of the framework, and one app, are not what the precompiled code was made from."""
    top = D / name / "system"
    put(top / "build.prop", b"ro.build.type=user\nro.build.version.sdk=28\n")
    part = '<activity android:name=".A"/>'
    crc = list(map(zlib.crc32, DEX))
    put(top / "app/InApk/InApk.apk", {**manifest("a.inapk", "true", part), "classes.dex": DEX[0]})
    put(top / "app/InApk/oat/arm64/InApk.vdex", vdex([], [1 if wrong else zlib.adler32(DEX[0][12:])]))  # made from the dex file by itself
    put(top / "app/InVdex/InVdex.apk", manifest("a.invdex", "true", part))
    put(top / "app/InVdex/oat/arm64/InVdex.vdex", vdex([DEX[0]], [4711]))
    put(top / "app/InOdex/InOdex.apk", manifest("a.inodex", "true", part))
    put(top / "app/InOdex/oat/arm/InOdex.odex", mkoat.elf_by_hand(mkoat.oat(64, True, DEX[:1], ["/system/app/InOdex/InOdex.apk"]), False))
    put(top / "app/InOld/InOld.apk", manifest("a.inold", "true", part))
    put(top / "app/InOld/InOld.odex", b"dey\n036\0" + struct.pack("<8I", 40, len(DEX[1]), 0, 0, 0, 0, 0, 0) + DEX[1])
    put(top / "app/Nowhere/Nowhere.apk", manifest("a.nowhere", "true", part))
    put(top / "app/Says/Says.apk", manifest("a.says", "false", ""))
    put(top / "framework/framework.jar", {"META-INF/MANIFEST.MF": b"", "classes.dex": DEX[1], "classes2.dex": DEX[2]})
    names = ["/system/framework/framework.jar", "/system/framework/framework.jar!classes2.dex"]
    sums = [crc[1], 2 if wrong else crc[2]]
    put(top / "framework/arm64/boot-framework.oat", mkoat.elf_by_hand(mkoat.oat(138, False, DEX[1:], names, sums=sums)))
    put(top / "framework/boot-framework.vdex", vdex([], sums))
    db = D / f"{name}.db"
    p = subprocess.run([BIN, "scan", str(D / name), "--db", str(db), "-f", f"json={D / name}.json"], capture_output=True)
    ght.check(p.returncode in (0, 1, 3), f"{name}: the scan ends", p.stderr[-300:])
    return sqlite3.connect(db)


def ask(db, sql):
    return db.execute(sql).fetchall()


for name, wrong in (("wrong", True), ("twin", False)):
    db = phone(name, wrong)
    ght.equal(dict(ask(db, "SELECT package, code FROM apks")), {"a.inapk": "dex", "a.invdex": "vdex", "a.inodex": "odex", "a.inold": "odex", "a.nowhere": "missing", "a.says": "none"},
              f"{name}: where code lies")
    ght.equal(ask(db, "SELECT label FROM apks WHERE package='a.says'"), [("a.says",)], f"{name}: label")
    ght.equal(ask(db, "SELECT place, hides FROM d_not_examined WHERE what='code'"), [("system:/app/Nowhere/Nowhere.apk", "dex")], f"{name}: code that is nowhere is told")
    got = ask(db, "SELECT replace(f.dpath,'/system/',''), o.member, o.matches FROM oat_dex o JOIN files f USING(file_id) ORDER BY 1, o.at")
    bad = int(not wrong)
    ght.equal(got, [("app/InApk/oat/arm64/InApk.vdex", "classes.dex", bad), ("app/InOdex/oat/arm/InOdex.odex", "classes.dex", None),
                    ("app/InVdex/oat/arm64/InVdex.vdex", "classes.dex", None), ("framework/arm64/boot-framework.oat", "classes.dex", 1),
                    ("framework/arm64/boot-framework.oat", "classes2.dex", bad), ("framework/boot-framework.vdex", "classes.dex", 1),
                    ("framework/boot-framework.vdex", "classes2.dex", bad)], f"{name}: what matches")
    found = ask(db, "SELECT severity, place FROM findings WHERE rule='GH-Z05' ORDER BY 2")
    want = [("low", "system:/app/InApk/oat/arm64/InApk.vdex"), ("high", "system:/framework/arm64/boot-framework.oat"), ("high", "system:/framework/boot-framework.vdex")]
    ght.equal(found, want if wrong else [], f"{name}: GH-Z05")
    state = ask(db, "SELECT state, why FROM rule_states WHERE rule='GH-Z05'")[0]
    ght.check(state[0] == ("found" if wrong else "not_evaluated") and (wrong or "Nowhere" in state[1]), f"{name}: GH-Z05's state", state)
    ght.equal(ask(db, "SELECT count(*) FROM dex WHERE member IS NOT NULL"), [(6,)], f"{name}: dex files inside of others")
ght.done()
