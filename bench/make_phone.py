#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the phones the benchmarks read, out of real files and with the reference tools.

    make_phone.py [OUT]              one phone of about 2 GB as OUT/firmware.zip (super.img sparse, boot.img)
    make_phone.py --scale N [OUT]    N quarters of a 10 GB phone of 400 packages and 800,000 members as three partition images
"""
import argparse
import os
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import make_plan  # noqa: E402
import parts  # noqa: E402
import tree  # noqa: E402

REPO = Path(__file__).resolve().parent.parent
PHONE_PACKAGES, PHONE_MEMBERS = 90, 650
# A scale step. Four of the packages are the real ones, whatever the scale: at full size 400 packages hold 800,000 members.
SCALE_PACKAGES, SCALE_MEMBERS = 100, 2010
BLOCK = 4096
STAMP = 1754000000
UUIDS = {"system": "6f1b1d3e-0001-4c5a-9b1e-000000000001", "product": "6f1b1d3e-0001-4c5a-9b1e-000000000002",
         "vendor": "6f1b1d3e-0001-4c5a-9b1e-000000000003"}


def say(start, text):
    print(f"[{time.time() - start:6.1f} s] {text}", flush=True)


def run(*cmd, **kw):
    kw.setdefault("stdout", subprocess.DEVNULL)
    subprocess.run([str(c) for c in cmd], check=True, **kw)


def ext4(folder, image):
    """As Android's builders make it: no journal, no reserve, 4 KiB blocks, 256-byte inodes."""
    blocks, inodes, seen = 0, 64, set()
    for base, dirs, names in os.walk(folder):
        inodes += len(dirs) + len(names)
        blocks += 1 + len(names) // 40
        for name in names:
            st = os.lstat(os.path.join(base, name))
            if st.st_ino not in seen:
                seen.add(st.st_ino)
                blocks += -(-st.st_size // BLOCK)
    blocks += inodes * 256 // BLOCK
    size = int(blocks * 1.02) + 4096
    env = dict(os.environ, E2FSPROGS_FAKE_TIME=str(STAMP))
    image.unlink(missing_ok=True)
    run("mke2fs", "-q", "-t", "ext4", "-O", "^has_journal", "-m", "0", "-b", BLOCK, "-I", 256, "-N", inodes, "-L", folder.name,
        "-U", UUIDS[folder.name], "-E", "lazy_itable_init=0,root_owner=0:0", "-d", folder, image, size, env=env)


def erofs(folder, image, level):
    image.unlink(missing_ok=True)
    run("mkfs.erofs", f"-z{level}", "-C65536", "-T", STAMP, "-U", UUIDS[folder.name], "--all-root", image, folder)


def images(out, level, jobs):
    with ThreadPoolExecutor(jobs) as pool:
        work = [pool.submit(erofs, out / "tree/product", out / "product.img", level)]
        work += [pool.submit(ext4, out / "tree" / p, out / f"{p}.img") for p in ("system", "vendor")]
        for w in work:
            w.result()


def boot(cache, out):
    """A boot image of the arm64 kernel and a ramdisk of a first stage."""
    ram = out / "ramdisk"
    shutil.rmtree(ram, ignore_errors=True)
    for name in ("dev", "proc", "sys", "mnt", "first_stage_ramdisk", "system/bin", "system/etc"):
        (ram / name).mkdir(parents=True)
    shutil.copy(out / "tree/system/system/bin/toybox", ram / "init")
    shutil.copy(out / "tree/vendor/etc/fstab.bench", ram / "first_stage_ramdisk/fstab.bench")
    (ram / "prop.default").write_text(tree.PROPERTIES.format(p="bootimage"))
    names = sorted(str(p.relative_to(ram)) for p in ram.rglob("*"))
    cpio = subprocess.run(["cpio", "-o", "-H", "newc", "--quiet", "--owner=0:0", "--reproducible"], cwd=ram, check=True,
                          input="\n".join(names).encode() + b"\n", capture_output=True).stdout
    packed = subprocess.run(["gzip", "-9n"], input=cpio, check=True, capture_output=True).stdout
    (out / "ramdisk.gz").write_bytes(packed)
    kernel = next((cache / "kernel/boot").glob("vmlinuz-*"))
    run("mkbootimg", "--kernel", kernel, "--ramdisk", out / "ramdisk.gz", "--header_version", 2, "--dtb", out / "ramdisk.gz",
        "--cmdline", "androidboot.hardware=bench", "--os_version", "14.0.0", "--os_patch_level", "2024-02", "-o", out / "boot.img")
    shutil.rmtree(ram)
    (out / "ramdisk.gz").unlink()


def pack(out):
    """super.img with LP metadata, sparse, in a zip of the kind makers publish."""
    mklp = REPO / "tests/tools/mklp.py"
    if not mklp.exists():
        sys.exit(f"{mklp} is missing: it writes the LP metadata of super.img")
    raw, sparse = out / "super.raw", out / "super.img"
    filled = [a for p in tree.PARTITIONS for a in ("--partition", f"{p}_a={out / p}.img:bench_a:readonly")]
    empty = [a for p in tree.PARTITIONS for a in ("--partition", f"{p}_b=:bench_b:readonly")]
    run(sys.executable, mklp, "--out", raw, "--version", "10.2", "--slots", 3, "--group", "bench_a:4G", "--group", "bench_b:4G", *filled, *empty)
    sparse.unlink(missing_ok=True)
    run("img2simg", raw, sparse, BLOCK)
    raw.unlink()
    (out / "android-info.txt").write_text("require board=bench\nrequire version-bootloader=bench-1.0\n")
    (out / "firmware.zip").unlink(missing_ok=True)
    run("zip", "-q", "-6", "-X", "firmware.zip", "android-info.txt", "boot.img", "super.img", cwd=out)


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("out", nargs="?", help="folder to fill (default build/bench/phone or build/bench/scaleN)")
    args.add_argument("--scale", type=int, choices=(1, 2, 3, 4), help="quarters of the 10 GB phone")
    args.add_argument("--cache", help="folder of the fetched parts (default: `parts` beside OUT)")
    args.add_argument("--jobs", type=int, default=os.cpu_count())
    opt = args.parse_args()
    out = Path(opt.out or REPO / "build/bench" / (f"scale{opt.scale}" if opt.scale else "phone")).resolve()
    cache = Path(opt.cache).resolve() if opt.cache else out.parent / "parts"
    out.mkdir(parents=True, exist_ok=True)
    start = time.time()
    parts.fetch(cache, opt.jobs)
    say(start, f"parts in {cache}")
    copies = opt.scale or 1
    count, members = (SCALE_PACKAGES * copies, SCALE_MEMBERS) if opt.scale else (PHONE_PACKAGES, PHONE_MEMBERS)
    labels = tree.build(cache, out / "tree", copies, count, members, opt.jobs)
    say(start, "tree" + ("" if labels else " (no SELinux labels: this machine does not let us write them)"))
    # The high-compression encoder changes nothing for a reader and is several times slower: for the phone, not at scale.
    images(out, "lz4" if opt.scale else "lz4hc", opt.jobs)
    say(start, "partition images")
    if not opt.scale:
        boot(cache, out)
        pack(out)
        say(start, "firmware.zip")
    make_plan.make(out, opt.jobs)
    say(start, "plan.txt")
    if opt.scale:
        shutil.rmtree(out / "tree")
    for path in sorted(out.glob("*.*")):
        print(f"{path.stat().st_size:>14,} {path.name}")


if __name__ == "__main__":
    main()
