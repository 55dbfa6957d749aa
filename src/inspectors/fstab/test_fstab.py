#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""File system tables of both forms against str.split."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "tests/lib"))
import ght  # noqa: E402

REAL = b"""# Android fstab file.
#<src>                 <mnt_point> <type>  <mnt_flags and options>   <fs_mgr_flags>
system    /system  ext4 ro,barrier=1 wait,slotselect,avb=vbmeta_system,logical,first_stage_mount
/dev/block/by-name/userdata\t/data f2fs noatime,nosuid,nodev,discard wait,check,fileencryption=aes-256-xts:aes-256-cts
/dev/block/zram0 none swap defaults zramsize=75%
  overlay /odm overlay ro,lowerdir=/vendor/odm,override_creds=off
/devices/platform/usb* auto vfat defaults voldmanaged=usb:auto
tmpfs /mnt tmpfs
/dev/block/by-name/vendor /vendor ext4 rw wait"""

OLD = b"""/boot   emmc  /dev/block/mmcblk0p1
/system ext4 /dev/block/mmcblk0p2
/sdcard vfat /dev/block/mmcblk1p1 /dev/block/mmcblk1
/data   ext4 /dev/block/mmcblk0p3 length=-16384
/ext    ext4 /dev/block/a /dev/block/b flags=x"""


def reference(data):
    ret, at, bad = [], 0, 0
    if data.startswith(b"\xef\xbb\xbf"):
        data, at = data[3:], 3
    for n, line in enumerate(data.split(b"\n"), 1):
        w = line.split()
        here, at = at, at + len(line) + 1
        if not w or w[0].startswith(b"#"):
            continue
        if len(w) < 3:
            bad += 1
        elif w[0][:1] == b"/" and w[1][:1] != b"/" and w[2][:1] == b"/":
            rest = w[4] if len(w) > 4 else w[3] if len(w) > 3 else None
            ret.append((w[0], w[2], w[1], rest, None, n, here))
        else:
            w += [None, None]
            ret.append((w[1], w[0], w[2], w[3], w[4], n, here))
    return ret, bad


def compare(name, data, filename="fstab.qcom", zero=0):
    rows = ght.inspect(filename, data, "fstab")
    want, bad = reference(data)
    ght.equal(ght.texts(rows, "fstab", "mount_point", "dev", "fs_type", "mnt_flags", "mgr_flags", "line", "at"), want, name)
    ght.equal(len(ght.rows(rows, "notes")), bad + zero, f"{name}: notes")


def main():
    compare("fstab", REAL)
    compare("old recovery", OLD, "recovery.fstab")
    for name in ("fstab", "fstab.postinstall", "twrp.fstab"):
        compare(name, REAL, name)
    compare("CRLF", REAL.replace(b"\n", b"\r\n"))
    compare("byte order mark", b"\xef\xbb\xbf" + REAL)
    compare("a line end at the end", REAL + b"\n")
    compare("short lines", REAL + b"\none\ntwo words\n")
    compare("a zero byte", REAL.replace(b"zram0", b"zr\0m0"), zero=1)
    compare("20,000 lines", b"/dev/a /b ext4 ro wait\n" * 20000)
    rows = ght.inspect("fstab.x", b"/dev/a /b ext4 " + b"r" * (1 << 20) + b" wait\n" + REAL, "fstab")
    got = ght.texts(rows, "fstab", "mnt_flags", "mgr_flags")
    ght.equal(got[0], (b"r" * 65536, b"wait"), "flags of 1 MiB")
    ght.equal(len(got), 1 + len(reference(REAL)[0]), "what follows them is read")
    ght.equal(ght.texts(ght.inspect("mtab", REAL, "fstab"), "fstab", "dev"), [], "another name")
    for seed in sorted((pathlib.Path(__file__).parent / "seeds").iterdir()):
        data = seed.read_bytes()
        compare(f"seed {seed.name}", data, zero=int(b"\0" in data))
    ght.done()


main()
