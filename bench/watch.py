#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Recordings: gifthorse watch on made-up days at one value a second, beside what a recording of ten seconds costs (the start of the program).

watch.py [--gifthorse BIN] [--rounds N] [--days N]
  Prints the median of processor seconds over all processes, the range, seconds by the clock, and the largest resident size of a process.
"""
import argparse
import os
import pathlib
import resource
import subprocess
import sys
import tempfile
import time
from statistics import median

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests/lib"))
import ghrec  # noqa: E402

CODES = (0, 1, 3)


def once(argv):
    """(processor seconds, seconds by the clock, largest resident KiB) of it and what it waited for."""
    begin, pid = time.monotonic(), os.fork()
    if not pid:
        p = subprocess.run(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        u = resource.getrusage(resource.RUSAGE_CHILDREN)
        os.write(write, f"{u.ru_utime + u.ru_stime} {u.ru_maxrss} {p.returncode}\n".encode())
        os._exit(0)
    os.waitpid(pid, 0)
    cpu, rss, code = os.read(read, 200).split()
    if int(code) not in CODES:
        sys.exit(f"{argv}: exit code {int(code)}")
    return float(cpu), time.monotonic() - begin, int(rss)


read, write = os.pipe()


def main():
    opt = argparse.ArgumentParser()
    opt.add_argument("--gifthorse", type=pathlib.Path, default=ROOT / "build/gifthorse")
    opt.add_argument("--rounds", type=int, default=9)
    opt.add_argument("--days", type=int, default=1)
    opt = opt.parse_args()
    with tempfile.TemporaryDirectory() as work:
        work = pathlib.Path(work)
        heart = ghrec.heart(86400 * opt.days, 3)
        files = {"ten.fit": heart[:10], "day.fit": heart, "strap.fit": [v + 1 for v in heart]}
        for name, rates in files.items():
            (work / name).write_bytes(ghrec.fit(ghrec.samples(rates, cadence=[80] * len(rates))))
        base = [opt.gifthorse, "watch", "--progress", "none", "-f", f"json={work / 'r.json'}"]
        print(f"{opt.days} day(s) at 1 Hz, {(work / 'day.fit').stat().st_size / 1e6:.1f} MB of FIT; {opt.rounds} rounds")
        for what, argv in (("start of the program", [work / "ten.fit"]), ("one recording", [work / "day.fit"]),
                           ("with a page", [work / "day.fit", "-f", f"html={work / 'r.html'}"]), ("against a reference", [work / "day.fit", "--against", work / "strap.fit"])):
            got = [once([str(x) for x in base + argv]) for _ in range(opt.rounds)]
            cpu = [g[0] for g in got]
            print(f"{what:22} processor {median(cpu):.3f} s ({min(cpu):.3f} to {max(cpu):.3f}), clock {median(g[1] for g in got):.3f} s, resident {max(g[2] for g in got) / 1024:.0f} MiB")


main()
