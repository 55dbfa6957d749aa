#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""One tree as F2FS, ext4 and EROFS: how long gifthorse takes to scan each, beside the nearest a chain of tools comes. Debian has no tool that takes
all files out of F2FS, so that fsck.erofs --extract and openssl dgst over the same files stand in for it; the digests alone are timed too.

  bench/f2fs.py TREE WORK [--rounds N] [--gifthorse PATH]

SLOAD_F2FS names a sload.f2fs that can compress; then there is an image with LZ4 clusters too. WORK needs about four times the tree."""
import argparse
import os
import pathlib
import shutil
import statistics
import subprocess
import time

SLOAD = os.environ.get("SLOAD_F2FS", "sload.f2fs")


def run(*argv):
    p = subprocess.run([str(a) for a in argv], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if p.returncode > (1 if argv[0] == SLOAD else 0):
        raise SystemExit(f"{argv[0]}: {p.stdout[-300:]}")
    return p.stdout


def blank(path, size):
    path.unlink(missing_ok=True)
    with open(path, "wb") as f:
        f.truncate(size)
    return path


def make(tree, work, size):
    """{name: image}"""
    room = (size * 5 // 4 + (512 << 20)) >> 20 << 20
    made = {}
    for name, options in (("f2fs", []), ("f2fs_lz4", ["-c", "-a", "lz4"])):
        image = blank(work / f"{name}.img", room)
        run("mkfs.f2fs", "-q", "-g", "android", "-O", "compression", image)
        if b"not supported" in run(SLOAD, *options, "-f", tree, "-t", "/", image):
            image.unlink()
            continue
        made[name] = image
    run("mke2fs", "-q", "-F", "-t", "ext4", "-d", tree, blank(work / "ext4.img", room))
    run("mkfs.erofs", "-zlz4hc", work / "erofs.img", tree)
    return made | {"ext4": work / "ext4.img", "erofs": work / "erofs.img"}


def timed(step):
    before, start = os.times(), time.monotonic()
    step()
    wall, after = time.monotonic() - start, os.times()
    return wall, after.children_user + after.children_system - before.children_user - before.children_system


def digests(folder):
    find = subprocess.Popen(["find", folder, "-type", "f", "-print0"], stdout=subprocess.PIPE)
    subprocess.run(["xargs", "-0", "-P", str(os.cpu_count()), "-n", "500", "openssl", "dgst", "-sha256"], stdin=find.stdout, stdout=subprocess.DEVNULL,
                   check=True)
    find.wait()


def chain(image, work):
    out = work / "out"
    run("fsck.erofs", f"--extract={out}", image)
    digests(out)
    shutil.rmtree(out)


def scan(gifthorse, image, work):
    (work / "facts.db").unlink(missing_ok=True)
    p = subprocess.run([gifthorse, "scan", image, "--db", work / "facts.db", "-f", f"text={work}/report.txt", "--progress", "none"], capture_output=True)
    if p.returncode not in (0, 1, 3):
        raise SystemExit(p.stderr.decode())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tree", type=pathlib.Path)
    parser.add_argument("work", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--gifthorse", default=str(pathlib.Path(__file__).resolve().parent.parent / "build/gifthorse"))
    a = parser.parse_args()
    a.work.mkdir(parents=True, exist_ok=True)
    size = sum(p.stat().st_size for p in a.tree.rglob("*") if p.is_file() and not p.is_symlink())
    images = make(a.tree, a.work, size)
    steps = {f"gifthorse {n}": (lambda i=i: scan(a.gifthorse, i, a.work)) for n, i in images.items()}
    steps["fsck.erofs --extract, openssl"] = lambda: chain(images["erofs"], a.work)
    steps["openssl alone, over the tree"] = lambda: digests(a.tree)
    got = {n: [] for n in steps}
    for image in images.values():
        subprocess.run(["cat", image], stdout=subprocess.DEVNULL, check=True)
    for _ in range(a.rounds):
        for name, step in steps.items():
            got[name].append(timed(step))
    print(f"{size / 1e6:.0f} MB of files; medians of {a.rounds} rounds")
    for name, times in got.items():
        wall, cpu = (statistics.median(t[i] for t in times) for i in (0, 1))
        print(f"{name:32} {wall:7.2f} s {size / 1e6 / wall:7.0f} MB/s   processor {cpu:6.2f} s {size / 1e6 / cpu:7.0f} MB/s")


if __name__ == "__main__":
    main()
