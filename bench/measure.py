#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs a command and says what it and all its descendants used: measure.py [--memory] COMMAND...

Time from the clock and wait(2); bytes written from /proc/PID/io (proc(5)), which a parent inherits from the children it has
waited for. With --memory every process of the tree is sampled from /proc/PID/smaps_rollup: private and shared pages are
counted once over all processes by summing proportional shares (Pss_Anon + Pss_Shmem). Sampling costs time: not for timed runs.
"""
import ctypes
import json
import os
import subprocess
import sys
import threading
import time

INTERVAL = 0.05
PR_SET_CHILD_SUBREAPER = 36


def _io():
    with open("/proc/self/io") as f:
        return {k: int(v) for k, v in (line.split(":") for line in f)}


def _tree(root):
    """Ids of root and of everything below it."""
    below = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/stat") as f:
                below.setdefault(int(f.read().rpartition(")")[2].split()[1]), []).append(int(pid))
        except OSError:
            continue
    out = [root]
    for pid in out:
        out += below.get(pid, [])
    return out


def _memory_filesystems():
    with open("/proc/self/mountinfo") as f:
        rows = [line.split(" - ") for line in f]
    return {r[0].split()[2] for r in rows if r[1].split()[0] in ("tmpfs", "ramfs", "hugetlbfs")}


def _open_memory_files(pid, devices):
    """Files held open that live in memory: (device, inode) to bytes. A memfd lies on no mounted file system."""
    out = {}
    base = f"/proc/{pid}/fd"
    for fd in os.listdir(base):
        try:
            st, name = os.stat(f"{base}/{fd}"), os.readlink(f"{base}/{fd}")
        except OSError:
            continue
        if name.startswith("/memfd:") or f"{os.major(st.st_dev)}:{os.minor(st.st_dev)}" in devices:
            out[st.st_dev, st.st_ino] = st.st_blocks * 512
    return out


class Sampler(threading.Thread):
    def __init__(self, pid):
        super().__init__(daemon=True)
        self.pid, self.devices, self.done = pid, _memory_filesystems(), threading.Event()
        self.peak = {"anon_shmem": 0, "anon": 0, "shmem": 0, "memory_files": 0, "processes": 0, "samples": 0, "unreadable": 0}

    def sample(self):
        anon = shmem = 0
        files, pids = {}, _tree(self.pid)
        for pid in pids:
            try:
                with open(f"/proc/{pid}/smaps_rollup") as f:
                    text = f.read()
                files.update(_open_memory_files(pid, self.devices))
            except ProcessLookupError:
                continue
            except OSError:
                self.peak["unreadable"] += os.path.exists(f"/proc/{pid}")
                continue
            for line in text.splitlines():
                if line.startswith("Pss_Anon:"):
                    anon += int(line.split()[1]) << 10
                elif line.startswith("Pss_Shmem:"):
                    shmem += int(line.split()[1]) << 10
        for key, value in (("anon_shmem", anon + shmem), ("anon", anon), ("shmem", shmem), ("memory_files", sum(files.values())),
                           ("processes", len(pids))):
            self.peak[key] = max(self.peak[key], value)
        self.peak["samples"] += 1

    def run(self):
        while not self.done.wait(INTERVAL):
            self.sample()


def measure(command, memory=False, **kw):
    """Runs the command to its end; a dict of code, seconds, user, sys, written and, with memory, the peaks."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    before, start = _io(), time.monotonic()
    times = os.times()
    child = subprocess.Popen(command, **kw)
    sampler = Sampler(child.pid) if memory else None
    if sampler:
        sampler.start()
    code = child.wait()
    seconds = time.monotonic() - start
    if sampler:
        sampler.done.set()
        sampler.join()
    while True:  # what the command left behind is ours now; its bytes count when it has ended
        try:
            os.wait()
        except ChildProcessError:
            break
    after, end = _io(), os.times()
    out = {"code": code, "seconds": round(seconds, 3), "user": round(end.children_user - times.children_user, 2),
           "sys": round(end.children_system - times.children_system, 2),
           "written": after["write_bytes"] - before["write_bytes"], "cancelled": after["cancelled_write_bytes"] - before["cancelled_write_bytes"],
           "write_calls": after["wchar"] - before["wchar"]}
    if sampler:
        out.update(sampler.peak)
    return out


if __name__ == "__main__":
    args = sys.argv[1:]
    want = args[:1] == ["--memory"]
    if not args[want:]:
        sys.exit(__doc__)
    print(json.dumps(measure(args[want:], want)), file=sys.stderr)
