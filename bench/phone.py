#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""gifthorse phone beside adb pull, over loopback, of the same served tree through the same adb server; then with a reference. Prints seconds, the processor time of
each program, and the bytes of files that moved.

phone.py [--gifthorse BIN] [--folder FOLDER] [--megabytes N]
  The tree is FOLDER, served as /system; by default /usr/lib of this machine, up to N megabytes (1024)."""
import argparse
import os
import pathlib
import resource
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests/device"), str(ROOT / "tests/lib")]


def choose(folder, megabytes, to):
    """Copies regular files until there are enough."""
    left = megabytes << 20
    for p in sorted(pathlib.Path(folder).rglob("*")):
        if p.is_symlink() or not p.is_file() or not os.access(p, os.R_OK) or p.stat().st_size > left:
            continue
        q = to / p.relative_to(folder)
        q.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(p, q)
        left -= q.stat().st_size
        if left < 1 << 16:
            break


def timed(argv, env):
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    p = subprocess.run([str(a) for a in argv], env=env, capture_output=True)
    took, after = time.monotonic() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    if p.returncode not in (0, 1, 3):
        sys.exit(f"{argv}: {p.returncode}: {p.stderr.decode(errors='replace')[-1000:]}")
    return took, cpu


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--gifthorse", default=str(ROOT / "build/gifthorse"))
    parser.add_argument("--folder", default="/usr/lib")
    parser.add_argument("--megabytes", type=int, default=1024)
    a = parser.parse_args()
    os.environ["GH_BIN"] = a.gifthorse
    import lib
    with tempfile.TemporaryDirectory(prefix="bench-phone-", dir=os.environ.get("BENCH_DIR")) as d:
        d = pathlib.Path(d)
        choose(a.folder, a.megabytes, d / "system")
        size = sum(p.stat().st_size for p in (d / "system").rglob("*") if p.is_file())
        port = lib.free_port()
        device = subprocess.Popen([sys.executable, ROOT / "tests/device/adbd.py", str(port), d / "system"], stdout=subprocess.PIPE)
        device.stdout.readline()
        server = lib.Server(d)
        try:
            serial = f"127.0.0.1:{port}"
            while serial + "\tdevice" not in server.adb("devices"):
                server.adb("connect", serial, check=False)
            runs = [("adb pull", ["adb", "-s", serial, "pull", "/system", d / "pulled"]),
                    ("phone --only-pull", [a.gifthorse, "phone", "--pull", d / "one", "--only-pull", "--progress", "none"]),
                    ("phone, with its scan", [a.gifthorse, "phone", "--pull", d / "two", "--db", d / "two.db", "--progress", "none"]),
                    ("phone --reference", [a.gifthorse, "phone", "--pull", d / "three", "--reference", d / "two.db", "--progress", "none"])]
            first = None
            print(f"{size / 1e6:.0f} MB served")
            for name, argv in runs:
                took, cpu = timed(argv, server.env)
                first = first or took
                folder = {"one": d / "one", "two": d / "two", "three": d / "three"}.get(pathlib.Path(str(argv[3])).name)
                moved = lib.summary(folder)["files"]["bytes"] if folder else size
                print(f"{name:22} {took:7.1f} s, {first / took:5.2f} times adb pull's speed, {cpu:6.1f} s of processor, {moved / size:6.3f} of the bytes moved", flush=True)
        finally:
            server.stop()
            device.kill()


main()
