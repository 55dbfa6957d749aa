#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Captures: gifthorse traffic beside tshark and nDPI's reader, in one run on the same files.

traffic.py [--gifthorse BIN] [--million N] [--times 1,2,4] [--jobs 1,2] [--all] [CAPTURE...]
  The capture is made of the given ones (default: the conformance captures), repeated with other addresses until it has N million packets (0.25), and again with 2 and 4 times as many.
  Prints for each program and size: processor seconds (its own and its children's), seconds by the clock, thousand packets and Gbit for each processor second, and the largest
  resident size over all processes of each. tshark reads the smallest one only, unless --all. The clock of a busy machine tells little; processor time does.
"""
import argparse
import os
import pathlib
import resource
import shutil
import struct
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
SHARED = pathlib.Path(os.environ.get("GH_SHARED", ROOT.parent / "shared"))


def packets(path):
    """Ethernet frames of a little-endian pcap."""
    data = path.read_bytes()
    if data[:4] != b"\xd4\xc3\xb2\xa1" or struct.unpack_from("<I", data, 20)[0] & 0xffff != 1:
        return
    at = 24
    while at + 16 <= len(data):
        sec, us, n, wire = struct.unpack_from("<IIII", data, at)
        yield sec, us, wire, data[at + 16:at + 16 + n]
        at += 16 + n


def make(out, sources, million):
    """One capture, each round with the private addresses moved on, so that its flows are others."""
    rounds = [sorted((p for s in sources for p in packets(s)), key=lambda p: p[:2])]
    n = size = 0
    with open(out, "wb") as f:
        f.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 262144, 1))
        turn = 0
        while n < million * 1e6:
            for sec, us, wire, x in rounds[0]:
                if x[12:14] == b"\x08\0" and len(x) > 34:
                    x = bytearray(x)
                    x[28] = (x[28] + turn) & 255
                    x[32] = (x[32] + turn) & 255
                    x[29] ^= turn >> 8 & 255
                    x[33] ^= turn >> 8 & 255
                f.write(struct.pack("<IIII", 1700000000 + turn * 60 + sec % 60, us, len(x), wire) + bytes(x))
                n += 1
                size += wire
            turn += 1
    return n, size


def resident(pid):
    """Bytes resident of a process and all its children: their own pages, shared ones counted once each."""
    total, todo = 0, [pid]
    while todo:
        p = todo.pop()
        try:
            for line in open(f"/proc/{p}/smaps_rollup"):
                if line.startswith("Pss:"):
                    total += int(line.split()[1]) * 1024
            todo += [int(c) for t in os.listdir(f"/proc/{p}/task") for c in open(f"/proc/{p}/task/{t}/children").read().split()]
        except (OSError, ValueError):
            pass
    return total


def measure(argv):
    """Seconds by the clock, processor seconds, largest resident size, exit code."""
    start, before = time.time(), resource.getrusage(resource.RUSAGE_CHILDREN)
    p = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    peak = 0
    while p.poll() is None:
        peak = max(peak, resident(p.pid))
        time.sleep(0.02)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.time() - start, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, peak, p.returncode


def runs(a, cap, out, smallest):
    """Name and arguments of each program to be measured."""
    for jobs in a.jobs.split(","):
        yield f"gifthorse traffic, --jobs {jobs}", [a.gifthorse, "traffic", str(cap), "--jobs", jobs, "-f", f"json={out}", "--fail-on", "never", "--progress", "none"]
    if shutil.which("ndpiReader"):
        yield "ndpiReader, 1 thread", ["ndpiReader", "-i", str(cap), "-n", "1", "-q"]
    if shutil.which("tshark") and (smallest or a.all):
        yield "tshark -T fields, names", ["tshark", "-n", "-r", str(cap), "-T", "fields", "-e", "frame.number", "-e", "tls.handshake.extensions_server_name", "-e", "dns.qry.name", "-e", "http.host"]


def main():
    a = argparse.ArgumentParser()
    a.add_argument("--gifthorse", default=str(ROOT / "build/gifthorse"))
    a.add_argument("--million", type=float, default=0.25)
    a.add_argument("--times", default="1,2,4")
    a.add_argument("--jobs", default="1,2")
    a.add_argument("--all", action="store_true")
    a.add_argument("captures", nargs="*", type=pathlib.Path)
    a = a.parse_args()
    sources = a.captures or sorted((SHARED / "corpus/pcap").glob("*/*.pcap"))
    if not sources:
        sys.exit("no captures: name some")
    with tempfile.TemporaryDirectory(prefix="ghb-") as d:
        cap, out = pathlib.Path(d) / "bench.pcap", pathlib.Path(d) / "out"
        for i, times in enumerate(a.times.split(",")):
            n, size = make(cap, sources, a.million * float(times))
            print(f"{n} packets, {size / 1e6:.1f} MB on the wire, {cap.stat().st_size / 1e6:.1f} MB of file")
            for name, argv in runs(a, cap, out, i == 0):
                wall, cpu, peak, code = measure(argv)
                bad = "" if code in (0, 1, 3) else f"  exit {code}"
                print(f"  {name:28} {cpu:7.2f} s cpu {wall:7.2f} s clock {n / cpu / 1000:6.0f} kpps {size * 8 / cpu / 1e9:6.2f} Gbit/s {peak / 1e6:6.0f} MB resident{bad}", flush=True)


main()
