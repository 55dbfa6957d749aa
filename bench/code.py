#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Following the code of apps beside `dexdump -d` and, where it is installed, androguard's analysis: processor time and memory at its peak.
code.py APK...; the last one is then cut to an eighth, a quarter, a half and all of its code (by whole dex files)."""
import os
import pathlib
import re
import resource
import subprocess
import sys
import tempfile
import zipfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
DRIVE = os.environ.get("GH_DRIVE", ROOT / "build/gh_drive")
ANALYSE = "import sys; from androguard.misc import AnalyzeAPK; AnalyzeAPK(sys.argv[1])"


def cost(argv):
    """Processor seconds and MiB of one run: the least of three."""
    best = None
    for _ in range(3):
        r, w = os.pipe()
        if os.fork() == 0:
            p = subprocess.run(list(map(str, argv)), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            u = resource.getrusage(resource.RUSAGE_CHILDREN)
            os.write(w, f"{u.ru_utime + u.ru_stime} {u.ru_maxrss / 1024} {p.returncode}".encode())
            os._exit(0)
        os.close(w)
        out = tuple(float(x) for x in os.read(r, 100).split())
        os.close(r)
        os.wait()
        best = min(best, out) if best else out
    return best


def members(apk):
    with zipfile.ZipFile(apk) as z:
        names = sorted((n for n in z.namelist() if re.fullmatch(r"classes\d*\.dex", n)), key=lambda n: int(re.sub(r"\D", "", n) or 1))
        return [z.read(n) for n in names]


def main():
    with tempfile.TemporaryDirectory(prefix="bench-code-") as d:
        d = pathlib.Path(d)
        for apk in (pathlib.Path(a) for a in sys.argv[1:] if a[0] != "-"):
            dexes = members(apk)
            size = sum(map(len, dexes)) / 1e6
            ours = cost([DRIVE, "--only", "code", apk])
            theirs = [0.0, 0.0]
            for data in dexes:
                (d / "x.dex").write_bytes(data)
                t = cost(["dexdump", "-d", d / "x.dex"])
                theirs = [theirs[0] + t[0], max(theirs[1], t[1])]
            print(f"{apk.name}: {apk.stat().st_size / 1e6:.1f} MB, {size:.1f} MB of dex: {ours[0]:.2f} s, {ours[1]:.0f} MiB; dexdump -d {theirs[0]:.2f} s ({theirs[0] / ours[0]:.1f} times)", flush=True)
            if subprocess.run(["/usr/bin/python3", "-c", "import androguard.misc"], capture_output=True).returncode == 0 and "--no-androguard" not in sys.argv:
                t = cost(["/usr/bin/python3", "-c", ANALYSE, apk])
                print(f"    androguard {t[0]:.1f} s ({t[0] / ours[0]:.0f} times), {t[1]:.0f} MiB" if not t[2] else "    androguard failed", flush=True)
        for n in sorted({max(1, len(dexes) * k // 8) for k in (1, 2, 4, 8)}):
            with zipfile.ZipFile(d / "part.zip", "w", zipfile.ZIP_DEFLATED) as z:
                for i, data in enumerate(dexes[:n]):
                    z.writestr(f"classes{i + 1 if i else ''}.dex", data)
            size = sum(map(len, dexes[:n])) / 1e6
            ours = cost([DRIVE, "--only", "code", d / "part.zip"])
            print(f"{n} dex files, {size:.1f} MB: {ours[0]:.2f} s, {1000 * ours[0] / size:.0f} ms a MB, {ours[1]:.0f} MiB", flush=True)


main()
