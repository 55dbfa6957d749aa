#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Builds the demonstration phone or its twin: partitions, verified boot, super image, boot images, package.

  images.py phone|twin PARTS WORK OUTDIR"""
import concurrent.futures
import gzip
import hashlib
import os
import shutil
import struct
import sys
import zipfile

import apks
import contents
import doors
import fsimg
import keys
import programs
from fsimg import run

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tools"))
import mkboot  # noqa: E402
import mklp  # noqa: E402
import mkvbmeta  # noqa: E402

PAGE = 4096
OS = ("14.0.0", "2026-05")


def finish(b):
    """Text files, packages, modules and certificate stores into the trees."""
    trees = {"system": b.system, "vendor": b.vendor, "odm": b.odm, "product": b.product, "system_ext": b.system_ext}
    for (tree, path), lines in b.lines.items():
        how = {"mode": 0o600, "uid": 0} if path.endswith("default.prop") else {}
        trees[tree].add(path, "\n".join(lines) + "\n", **how)
    for path in b.cacerts:
        with open(path, "rb") as src:
            b.system.add("system/etc/security/cacerts/%s.0" % keys.subject_hash_old(path), src.read())
    with open(os.path.join(b.work, "otacerts.zip"), "wb") as raw, zipfile.ZipFile(raw, "w") as out:
        for i, cert in enumerate(b.otacerts):
            apks.add(out, "releasekey%s.x509.pem" % (i or ""), cert)
    with open(os.path.join(b.work, "otacerts.zip"), "rb") as src:
        b.system.add("system/etc/security/otacerts.zip", src.read())
    install_packages(b, trees)


def install_packages(b, trees):
    jobs = []
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        for tree, path, args, how in b.apk_jobs:
            jobs.append((tree, path, pool.submit(getattr(b.make, args[0]), *args[1:], **how)))
        jobs += [("system", "system/apex/%s.apex" % name, pool.submit(b.make.apex, name, files, contents.MODULES, kind))
                 for name, files, kind in modules(b)]
        for tree, path, job in jobs:
            trees[tree].add(path, src=job.result())


def modules(b):
    certs = []
    for path in b.apex_cacerts:
        with open(path, "rb") as src:
            certs.append(("cacerts/%s.0" % keys.subject_hash_old(path), src.read()))

    def content(path):
        with open(b.arm64(path), "rb") as src:
            return src.read()

    lib = "usr/lib/aarch64-linux-gnu/"
    return [("com.android.conscrypt", certs + [("lib64/libssl.so.3", content(lib + "libssl.so.3"))], "ext4"),
            ("com.android.adbd", [("bin/adbd", content("usr/bin/choom")),
                                  ("lib64/libbase.so.0", content(lib + "android/libbase.so.0"))], "erofs"),
            ("com.android.tzdata", [("etc/tz/tz_version", b"006.001|2024a|001")], "ext4")]


# partitions and verified boot

def footer(b, image, name, kind, size=0, key=None):
    signing = dict(algorithm="SHA256_RSA2048", key=b.keys.key(key)) if key else {}
    salt = hashlib.sha256(("salt of " + name).encode()).digest()
    extra = [mkvbmeta.property_descriptor("com.android.build.%s.fingerprint" % name, contents.FINGERPRINT),
             mkvbmeta.property_descriptor("com.android.build.%s.os_version" % name, "14")]
    return mkvbmeta.add_footer(image, name, kind, salt, size, extra, **signing)


def partitions(b, out):
    """Path of each logical partition's image, with its hash tree and footer."""
    made = {}
    for name, tree, features in (("system", b.system, ()), ("vendor", b.vendor, ("inline_data",)), ("odm", b.odm, ())):
        made[name] = os.path.join(out, name + ".img")
        fsimg.ext4(tree, made[name], b.work, name, features)
    made["product"] = os.path.join(out, "product.img")
    fsimg.erofs(b.product, made["product"], b.work, "product", ["-zlz4hc,9", "-C65536", "-Eztailpacking"])
    made["system_ext"] = os.path.join(out, "system_ext.img")
    fsimg.erofs(b.system_ext, made["system_ext"], b.work, "system_ext", ["-Eforce-inode-compact"])
    for name, path in made.items():
        footer(b, path, name, "hashtree")
    return made


def write_super(made, out):
    parts = [mklp.Partition(name + "_a", [("file", path)], "demo_dynamic_partitions_a", mklp.ATTRIBUTES["readonly"])
             for name, path in sorted(made.items())]
    parts += [mklp.Partition(name + "_b", [], "demo_dynamic_partitions_b", mklp.ATTRIBUTES["readonly"])
              for name in sorted(made)]
    groups = [("demo_dynamic_partitions_a", 0, 1 << 30), ("demo_dynamic_partitions_b", 0, 1 << 30)]
    raw = os.path.join(out, "super.raw")
    mklp.write_super([raw], parts, groups, (10, 2), 3, flags=mklp.HEADER_FLAGS["virtual_ab"])
    run(["img2simg", raw, os.path.join(out, "super.img")])
    os.unlink(raw)


def cpio(files, path, pack):
    """newc archive of {name: (mode, bytes or None for a folder)}, packed as gz, lz4 or not at all."""
    out, number = b"", 300000
    for name in sorted(files):
        mode, data = files[name]
        number += 1
        data = data or b""
        raw = name.encode() + b"\0"
        fields = [number, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(raw), 0]
        head = b"070701" + b"".join(b"%08x" % f for f in fields) + raw
        out += head + bytes(-len(head) % 4) + data + bytes(-len(data) % 4)
    raw = b"TRAILER!!!\0"
    head = b"070701" + b"".join(b"%08x" % f for f in [0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, len(raw), 0]) + raw
    out += head + bytes(-len(head) % 4)
    out += bytes(-len(out) % 256)
    plain = path + ".cpio"
    with open(plain, "wb") as f:
        f.write(out)
    if pack == "gz":
        with open(path, "wb") as f:
            f.write(gzip.compress(out, 9, mtime=0))
    elif pack == "lz4":
        run(["lz4", "-l", "-9", "-f", "-q", plain, path])
    else:
        shutil.copyfile(plain, path)
    os.unlink(plain)
    return path


def kernel(path):
    """Stands for the kernel: the 64-byte header of Documentation/arch/arm64/booting.rst, a banner, opaque bytes."""
    body = (b"\0" * 64 + b"Linux version 6.1.57-android14-11-gdemo (build@builder) (clang 17.0.2) "
            b"#1 SMP PREEMPT Mon May 25 00:00:00 UTC 2026\0").ljust(PAGE, b"\0") + contents.noise("kernel", 3 << 20)
    head = struct.pack("<IIQQQQQQ4sI", 0x91005A4D, 0x14000000, 0, len(body), 10, 0, 0, 0, b"ARM\x64", 0)
    with open(path, "wb") as out:
        out.write(head + body[64:])
    return path


def ramdisks(b, out):
    init = b.system.nodes["system/bin/init"].src
    with open(init, "rb") as src:
        first_stage = src.read()
    d, f = 0o40755, 0o100750
    fstab = b.vendor.nodes["etc/fstab.lantern"].data
    generic = {"init": (f, first_stage), "dev": (d, None), "proc": (d, None), "system": (d, None),
               "system/etc": (d, None), "system/etc/ramdisk": (d, None), "system/etc/ramdisk/build.prop":
               (0o100644, b"ro.bootimage.build.fingerprint=%s\n" % contents.FINGERPRINT.encode())}
    platform = {"first_stage_ramdisk": (d, None), "first_stage_ramdisk/fstab.lantern": (0o100640, fstab),
                "lib": (d, None), "lib/modules": (d, None), "lib/modules/modules.load": (0o100644, b"ufs.ko\n")}
    dlkm = {"lib": (d, None), "lib/modules": (d, None), "lib/modules/ufs.ko":
            (0o100644, load(programs.module(b)))}
    recovery = {"init": (f, first_stage), "prop.default": (0o100644, b"ro.debuggable=0\nro.secure=1\n"),
                "system": (d, None), "system/etc": (d, None), "system/etc/recovery.fstab": (0o100644, fstab)}
    return [cpio(files, os.path.join(b.work, name), pack) for name, files, pack in (
        ("generic.lz4", generic, "lz4"), ("platform.lz4", platform, "lz4"), ("dlkm.gz", dlkm, "gz"),
        ("recovery.gz", recovery, "gz"))]


# an empty tree of nodes, after the Devicetree specification: header, no reservations, one node, no strings
DTB = struct.pack(">10I", 0xD00DFEED, 72, 56, 72, 40, 17, 16, 0, 0, 16) + bytes(16) + struct.pack(">4I", 1, 0, 2, 9)


def boot_images(b, out):
    """boot (v4), init_boot (v4), vendor_boot (v4, two ramdisks, bootconfig), recovery (v2, by mkbootimg)."""
    generic, platform, dlkm, recovery = ramdisks(b, out)
    code = kernel(os.path.join(b.work, "Image"))
    dtb = os.path.join(b.work, "dtb")
    with open(dtb, "wb") as f:
        f.write(DTB)
    made = {n: os.path.join(out, n + ".img") for n in ("boot", "init_boot", "vendor_boot", "recovery")}
    save(made["boot"], mkboot.boot(4, load(code), system=mkboot.os_version(*OS)))
    save(made["init_boot"], mkboot.boot(4, b"", load(generic), system=mkboot.os_version(*OS)))
    fragments = [("platform", "", load(platform)), ("dlkm", "dlkm", load(dlkm))]
    save(made["vendor_boot"], mkboot.vendor_boot(4, fragments, DTB, " ".join(b.cmdline),
                                                 ("\n".join(b.bootconfig) + "\n").encode()))
    run(["mkbootimg", "--header_version", "2", "--kernel", code, "--ramdisk", recovery, "--dtb", dtb, "--pagesize",
         str(PAGE), "--cmdline", "console=null", "--os_version", OS[0], "--os_patch_level", OS[1], "-o",
         made["recovery"]])
    for name, path in made.items():
        footer(b, path, name, "hash", 8 << 20, "recovery" if name == "recovery" else None)
    return made


def vbmeta_images(b, made, boots, out):
    system = os.path.join(out, "vbmeta_system.img")
    chained = [mkvbmeta.read_descriptors(made[n]) for n in ("product", "system", "system_ext")]
    save(system, mkvbmeta.vbmeta(chained, "SHA256_RSA2048", b.keys.key("vbmeta_system"), rollback=1777939200))
    own = [mkvbmeta.read_descriptors(p) for n, p in sorted({**boots, "vendor": made["vendor"],
                                                             "odm": made["odm"]}.items()) if n != "recovery"]
    chain = [mkvbmeta.chain_descriptor("vbmeta_system", 1, mkvbmeta.public_blob(b.keys.key("vbmeta_system"))),
             mkvbmeta.chain_descriptor("recovery", 2, mkvbmeta.public_blob(b.keys.key("recovery")))]
    salt = hashlib.sha256(b"salt of dtbo").digest()
    own.append(mkvbmeta.hash_descriptor("dtbo", os.path.join(out, "dtbo.img"), salt))
    save(os.path.join(out, "vbmeta.img"), mkvbmeta.vbmeta(chain + own, "SHA256_RSA4096",
                                                          b.keys.key("vbmeta", 4096), flags=b.vbmeta_flags))


def write_tree(b, path):
    """What the builder meant, for tests: image, path, kind, mode, owner, capabilities, inode flags, label, SHA-256, target."""
    with open(path, "w", encoding="utf-8") as out:
        out.write("image\tpath\tkind\tmode\tuid\tgid\tcaps\tflags\tlabel\tsha256\ttarget\n")
        for image, tree in (("system", b.system), ("vendor", b.vendor), ("odm", b.odm), ("product", b.product), ("system_ext", b.system_ext)):
            for name, n in sorted(tree.nodes.items()):
                data = load(n.src) if n.src else n.data
                out.write("\t".join(str(c) for c in (image, "/" + name, n.kind, "%o" % n.mode, n.uid, n.gid, n.caps, n.flags, tree.label(name),
                    hashlib.sha256(data).hexdigest() if n.kind == "file" else "-", n.target or "-")) + "\n")


def load(path):
    with open(path, "rb") as src:
        return src.read()


def save(path, data):
    with open(path, "wb") as out:
        out.write(mkvbmeta.pad(data, 4096))


ANDROID_INFO = "require board=lantern\nrequire version-bootloader=lantern-1.0-11224433\nrequire partition-exists=super\n"


def package(out, target):
    """The package as a maker publishes it; fixed dates, fixed order."""
    with zipfile.ZipFile(target + ".new", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as z:
        for name in ["android-info.txt"] + sorted(n for n in os.listdir(out) if n not in NOT_PACKED):
            info = zipfile.ZipInfo(name, apks.DATE)
            info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            if name == "android-info.txt":
                z.writestr(info, ANDROID_INFO, compresslevel=9)
                continue
            info.file_size = os.path.getsize(os.path.join(out, name))
            with open(os.path.join(out, name), "rb") as src, z.open(info, "w") as member:
                shutil.copyfileobj(src, member, 1 << 20)
    os.rename(target + ".new", target)


NOT_PACKED = {n + ".img" for n in ("system", "vendor", "odm", "product", "system_ext")}


def build(variant, parts, work, outdir):
    b = contents.Builder(parts, os.path.join(work, variant), variant == "phone")
    b.keys = keys.Keys(os.path.join(work, "keys"))
    b.make = apks.Maker(b.keys, os.path.join(work, "cache"))
    os.makedirs(os.path.join(b.work, "cache"), exist_ok=True)
    out = os.path.join(outdir, variant)
    shutil.rmtree(out, ignore_errors=True)
    os.makedirs(out)
    b.keys.prepare(("vbmeta", 4096), ("vbmeta_system", 2048), ("recovery", 2048))
    contents.common(b)
    doors.apply(b)
    finish(b)
    write_tree(b, os.path.join(outdir, variant + ".tree.tsv"))
    made = partitions(b, out)
    write_super(made, out)
    boots = boot_images(b, out)
    save(os.path.join(out, "dtbo.img"), contents.noise("dtbo", 60000))
    save(os.path.join(out, "modem.img"), contents.noise("modem", 2 << 20))
    for name, data in b.extra_images.items():
        save(os.path.join(out, name), data)
    vbmeta_images(b, made, boots, out)
    package(out, os.path.join(outdir, variant + ".zip"))


if __name__ == "__main__":
    if len(sys.argv) != 5 or sys.argv[1] not in ("phone", "twin"):
        sys.exit("usage: images.py phone|twin PARTS WORK OUTDIR")
    build(*sys.argv[1:])
