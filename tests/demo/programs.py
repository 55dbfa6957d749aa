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
