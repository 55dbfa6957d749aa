#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""No statement of DERIVE, of a rule or of a report looks at all files for each file: a phone of four times the files takes it about four
times the steps of SQLite's machine. Counted, not timed."""
import os
import pathlib
import random
import shutil
import subprocess
import sys
import zipfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import ght  # noqa: E402

BIN = os.environ.get("GH_BIN", str(ght.BUILD / "gifthorse"))
HERE = pathlib.Path(__file__).resolve().parent
DEMO = pathlib.Path(os.environ.get("GH_DEMO", "build/demo"))
work = ght.tmp()
shim = work / "steps.so"
subprocess.run(["cc", "-O1", "-shared", "-fPIC", "-o", shim, HERE / "steps.c", "-ldl"], check=True)
libraries = sorted((DEMO / ".work").rglob("*.so*")) if DEMO.is_dir() else []
small = min((p for p in libraries if p.is_file() and p.stat().st_size > 1000), key=lambda p: p.stat().st_size, default=None)
LESS, MORE, FACTOR, FROM = 700, 2800, 7, 1_000_000


def phone(n):
    """A folder of n files of the kinds that phones have most of."""
    rng = random.Random(n)
    at = work / f"phone{n}"
    for part in ("system/app", "system/lib64", "system/etc/init", "system/etc/permissions", "vendor/lib64", "vendor/firmware", "product/media"):
        (at / part).mkdir(parents=True)
    (at / "system/build.prop").write_text("ro.build.type=user\nro.product.model=Test\nro.build.fingerprint=a/b/c:9/X/1:user/release-keys\n")
    library = small.read_bytes() if small else b"\x7fELF"
    for i in range(n // 7):
        app = at / f"system/app/App{i}"
        app.mkdir()
        with zipfile.ZipFile(app / f"App{i}.apk", "w") as z:
            z.writestr("assets/x", f"{i}")
        (at / f"system/lib64/lib{i}.so").write_bytes(library + str(i).encode())
        (at / f"vendor/lib64/libv{i}.so").write_bytes(library + b"v" + str(i).encode())
        (at / f"vendor/firmware/fw{i}.bin").write_bytes(rng.randbytes(64))
        (at / f"system/etc/init/s{i}.rc").write_text(f"service s{i} /system/bin/s{i}\n    class main\n    user root\n")
        (at / f"system/etc/permissions/p{i}.xml").write_text(f'<permissions><privapp-permissions package="com.p{i}"><permission name="android.permission.DUMP"/></privapp-permissions></permissions>')
        (at / f"product/media/m{i}.ogg").write_bytes(rng.randbytes(64))
    return at


def steps(n):
    at, out = phone(n), work / f"steps{n}"
    env = {**os.environ, "LD_PRELOAD": str(shim), "GH_STEPS": str(out), "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"}
    done = subprocess.run([BIN, "scan", at, "--db", work / f"{n}.db", "-f", f"json={work / 'x.json'}", "-f", f"html={work / 'x.html'}", "--progress", "none"],
                          env=env, capture_output=True, text=True)
    ght.check(done.returncode in (0, 1, 3), f"the scan of {n} files ends", done.stderr[-500:])
    shutil.rmtree(at)
    got = {}
    for line in out.read_text(errors="replace").splitlines():
        count, _, sql = line.partition("\t")
        got[sql] = got.get(sql, 0) + int(count)
    return got


few, many = steps(LESS), steps(MORE)
ght.check(len(many) > 200, f"{len(many)} statements counted")
steep = {sql: (few.get(sql, 0), n) for sql, n in many.items() if n > FROM and sql in few and n > FACTOR * max(few[sql], 1)}
ght.check(not steep, "no statement grows faster than the phone", "\n".join(f"{a} -> {b}: {sql[:200]}" for sql, (a, b) in steep.items()))
print(f"     {sum(few.values())} steps for {LESS} files, {sum(many.values())} for {MORE}")
ght.check(sum(many.values()) < FACTOR * sum(few.values()), "nor do all of them together")
ght.done()
