# SPDX-License-Identifier: Apache-2.0
"""Compiles the AArch64 programs under src/ with clang and lld against the phone's own C library; no cross toolchain."""
import os

from fsimg import run

HERE = os.path.dirname(os.path.abspath(__file__))


def program(b, name):
    """Path of the program; the phone gets it with its door, the twin without."""
    out = os.path.join(b.work, "cache", "%s-%s" % (name, "door" if b.door else "twin"))
    source = os.path.join(HERE, "src", name + ".c")
    if os.path.exists(out) and os.path.getmtime(out) > os.path.getmtime(source):
        return out
    run(["clang", "--target=aarch64-linux-gnu", "-O1", "-fPIE", "-fno-stack-protector", "-nostdlib", "-pie", "-s",
         "-fuse-ld=lld", "-Wl,--dynamic-linker=/system/bin/linker64,--build-id=sha1,-z,undefs,--hash-style=gnu",
         "-ffile-prefix-map=%s=." % HERE, *(["-DDOOR"] if b.door else []), "-o", out,
         os.path.join(HERE, "src", "start.c"), source, b.arm64("lib/aarch64-linux-gnu/libc.so.6")])
    return out


def built(b, name, flags):
    """The same file in both variants."""
    out = os.path.join(b.work, "cache", name)
    source = os.path.join(HERE, "src", os.path.splitext(name)[0] + ".c")
    if not os.path.exists(out) or os.path.getmtime(out) <= os.path.getmtime(source):
        run(["clang", "--target=aarch64-linux-gnu", "-O1", "-nostdlib", "-ffile-prefix-map=%s=." % HERE, *flags, "-o", out, source])
    return out


def oat(b):
    """Precompiled code as dex2oat lays it out: a shared object that exports oatdata, oatexec and oatlastword."""
    return built(b, "boot.oat", ["-shared", "-fPIC", "-fuse-ld=lld", "-Wl,-soname,boot.oat,--hash-style=sysv"])


def module(b):
    """A kernel module: a relocatable object with .modinfo."""
    return built(b, "ufs.ko", ["-c", "-mcmodel=large", "-fno-pic", "-mgeneral-regs-only"])
