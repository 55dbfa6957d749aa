# SPDX-License-Identifier: Apache-2.0
"""Lays real files out as the partitions of a phone: folders, configuration, packages, SELinux labels."""
import os
import shutil
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import apk
from vary import vary

PARTITIONS = ("system", "product", "vendor")
# The root folder of system.img is the phone's root; the others hold their partition's content.
INNER = {"system": "system", "product": "", "vendor": ""}
# Parts of the kernel package that a phone's vendor partition carries.
MODULES = ("drivers/media", "drivers/gpu", "drivers/usb", "drivers/iio", "drivers/hid", "drivers/bluetooth", "drivers/phy", "sound", "net")
# One Mesa driver has 43 names. Tools that walk by name would read the 24 MB of it 43 times, which no phone makes them do.
MAX_NAMES = 3
SIGNERS = ("platform", "media", "shared", "partner")

_MOVES = (("usr/lib/aarch64-linux-gnu/", "lib64/"), ("lib/aarch64-linux-gnu/", "lib64/"), ("usr/bin/", "bin/"), ("usr/sbin/", "bin/"),
          ("bin/", "bin/"), ("sbin/", "bin/"), ("usr/share/fonts/", "fonts/"), ("usr/games/", "bin/"), ("usr/lib/", "lib/"), ("lib/", "lib/"))

PROPERTIES = """# begin build properties
ro.{p}.build.date.utc=1754000000
ro.{p}.build.fingerprint=Bench/bench/bench:14/UQ1A.240205.004/1:user/release-keys
ro.{p}.build.id=UQ1A.240205.004
ro.{p}.build.tags=release-keys
ro.{p}.build.type=user
ro.{p}.build.version.incremental=1
ro.{p}.build.version.release=14
ro.{p}.build.version.sdk=34
ro.product.{p}.brand=Bench
ro.product.{p}.device=bench
ro.product.{p}.manufacturer=Bench Phones
ro.product.{p}.model=Bench One
ro.build.version.security_patch=2024-02-05
ro.debuggable=0
ro.secure=1
ro.adb.secure=1
"""
SERVICE = """service {n} /{p}/bin/{n}
    class main
    user system
    group system inet
    capabilities NET_ADMIN
    oneshot

on property:sys.boot_completed=1
    start {n}
"""
FSTAB = """system /system ext4 ro,barrier=1 wait,slotselect,avb=vbmeta,logical,first_stage_mount
product /product erofs ro wait,slotselect,avb,logical,first_stage_mount
vendor /vendor ext4 ro,barrier=1 wait,slotselect,avb,logical,first_stage_mount
/dev/block/bootdevice/by-name/userdata /data f2fs noatime,nosuid,nodev latemount,wait,check,fileencryption=aes-256-xts
"""


def _target(rel):
    for old, new in _MOVES:
        if rel.startswith(old):
            return new + rel[len(old):]
    return rel


def _share(src, dst):
    """The same inode where the folders allow it, else a copy."""
    try:
        os.link(src, dst, follow_symlinks=False)
    except OSError:
        shutil.copy2(src, dst, follow_symlinks=False)


def _place(src, root, into, copy, names):
    """Copy 0 is the real files; a further copy holds a variant of each under names of its own."""
    for path in sorted(src.rglob("*")):
        if path.is_dir() and not path.is_symlink():
            continue
        rel = _target(str(path.relative_to(root)))
        head, _, tail = rel.rpartition("/")
        dst = into / head / (f"v{copy}" if copy else "") / tail
        if os.path.lexists(dst):
            continue
        dst.parent.mkdir(parents=True, exist_ok=True)
        if path.is_symlink():
            os.symlink(os.readlink(path), dst)
            continue
        names[path.stat().st_ino] += 1
        if names[path.stat().st_ino] > (1 if copy else MAX_NAMES):
            continue
        if copy:
            dst.write_bytes(vary(path.read_bytes(), path.name, f"copy{copy}{rel}"))
            shutil.copymode(path, dst)
        else:
            _share(path, dst)


def _files(job):
    cache, out, part, copy = job
    into, names = out / part / INNER[part], Counter()
    _place(cache / part, cache / part, into, copy, names)
    if part == "vendor":
        root = next((cache / "kernel/lib/modules").iterdir())
        for folder in MODULES:
            _place(root / "kernel" / folder, root / "kernel", into / "lib/modules", copy, names)


def _configure(out):
    for part in PARTITIONS:
        top = out / part / INNER[part]
        (top / "etc/init").mkdir(parents=True, exist_ok=True)
        (top / "build.prop").write_text(PROPERTIES.format(p=part))
        for path in sorted((top / "bin").glob("*"))[:40] if (top / "bin").is_dir() else []:
            (top / "etc/init" / f"{path.name}.rc").write_text(SERVICE.format(n=path.name, p=part))
    system = out / "system"
    for name in ("apex", "data", "dev", "proc", "sys", "mnt", "metadata", "product", "vendor"):
        (system / name).mkdir(exist_ok=True)
    os.symlink("/system/etc", system / "etc")
    os.symlink("/system/bin/init", system / "init")
    (system / "system/etc/hosts").write_text("127.0.0.1 localhost\n::1 ip6-localhost\n")
    (out / "vendor/etc/fstab.bench").write_text(FSTAB)


_state = {}


def _compose(job):
    path, seed, members, signer = job
    apk.compose(_state["pool"], path, seed, members, _state["signers"][signer])


def _packages(cache, out, count, members, jobs):
    places = ("system/system/app", "system/system/priv-app", "product/app", "product/priv-app", "product/app", "vendor/app")
    work = []
    real = sorted((cache / "npm").glob("*.apk"))
    for n in range(count):
        name = f"Bench{n:03d}"
        folder = out / places[n % len(places)] / name
        if n < len(real):
            folder.mkdir(parents=True)
            shutil.copy(real[n], folder / f"{name}.apk")
        else:
            work.append((folder / f"{name}.apk", f"apk{n}", members, n % len(SIGNERS)))
    keys = out.parent / "keys"
    keys.mkdir(exist_ok=True)
    _state["signers"] = [apk.Signer(keys, s) for s in SIGNERS]
    _state["pool"] = apk.Pool(cache)  # read once here; the workers share its pages
    with ProcessPoolExecutor(jobs) as pool:
        list(pool.map(_compose, work, chunksize=4))
    _state.clear()
    shutil.rmtree(keys)


def _label(out):
    """SELinux labels by folder, where the machine lets us write them. The image tools copy them."""
    for part in PARTITIONS:
        for base, _, names in os.walk(out / part):
            kind = next((k for k in ("lib64", "bin", "etc", "app") if f"/{k}" in base), "")
            label = {"lib64": "system_lib_file", "bin": "system_file", "etc": "system_configs_file", "app": "system_app_file"}.get(kind, "system_file")
            value = f"u:object_r:{'vendor_file' if part == 'vendor' else label}:s0\0".encode()
            for name in [".", *names]:
                try:
                    os.setxattr(os.path.join(base, name), "security.selinux", value, follow_symlinks=False)
                except OSError:
                    return False
    return True


def build(cache, out, copies, packages, members, jobs):
    """out/{system,product,vendor}: `copies` sets of files and `packages` packages of `members` members."""
    if out.exists():
        shutil.rmtree(out)
    with ProcessPoolExecutor(jobs) as pool:
        list(pool.map(_files, [(cache, out, p, c) for c in range(copies) for p in PARTITIONS]))
    _configure(out)
    _packages(cache, out, packages, members, jobs)
    return _label(out)
