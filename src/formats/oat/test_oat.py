#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""oat: no tool of Debian writes oat data; the writer here follows runtime/oat.h and oat_file.cc of AOSP at each version. The ELF file around it is
made by lld for three processors, or by hand for seeds. `--make-seeds` writes the seeds anew; GH_DUMPS=DIR reads every oat and odex below DIR."""
import os
import pathlib
import struct
import sys
import zlib

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT / "tests/lib"), str(ROOT / "src/inspectors/dex"), str(ROOT / "src/formats/oat")]
import ght
import mkdex
import mkoat
from mkdex import cls
from mkoat import HEADERS, KEYS, elf_by_hand

HERE = pathlib.Path(__file__).resolve().parent
d = ght.tmp()
DEXES = [mkdex.build([cls("La/A;"), cls("La/B;")], 35), mkdex.build([cls("Lb/B;")], 35), mkdex.build([cls(f"Lc/C{i};") for i in range(3)], 35)]
NAMES = ["/system/framework/a.jar", "/system/framework/a.jar:classes2.dex", "/system/app/X/X.apk"]


def oat(version, inside, isa=2, gap=0):
    return mkoat.oat(version, inside, DEXES, NAMES, isa, gap=gap)


def elf_by_lld(data, target):
    (d / "oat.bin").write_bytes(data)
    (d / "x.S").write_text(f'.section .rodata,"a"\n.balign 4096\n.globl oatdata\noatdata: .incbin "{d}/oat.bin"\n.globl oatlastword\noatlastword: .long 0\n')
    ght.run("clang", f"--target={target}", "-shared", "-nostdlib", "-fuse-ld=lld", "-Wl,--hash-style=sysv", "-o", d / "lld.odex", d / "x.S")
    return (d / "lld.odex").read_bytes()


def look(data, name="x.odex"):
    (d / name).write_bytes(data)
    rows = ght.drive(d / name)
    return rows, [r["name"] for r in ght.rows(rows, "members") if r["name"] != name]


def holds(data, version, inside, what, isa="arm64", name="x.odex"):
    rows, kids = look(data, name)
    r = ght.rows(rows, "oat")
    image = 0x55667788 if version < 162 else None
    ght.equal([(x["version"], x["checksum"], x["isa"], x["dex_files"], x["image_checksum"]) for x in r], [(f"{version:03}", 0x11223344, isa, 3, image)], f"{what}: header")
    ght.equal({x["key"]: x["value"] for x in ght.rows(rows, "oat_keys")}, KEYS, f"{what}: keys")
    sha1 = [x[12:32].hex() if version >= 232 else None for x in DEXES]
    ght.equal([(x["location"], x["checksum"], x["sha1"]) for x in ght.rows(rows, "oat_dex")], list(zip(NAMES, map(zlib.crc32, DEXES), sha1)), f"{what}: dex files")
    ght.equal(kids, ["a.jar/classes.dex", "a.jar/classes2.dex", "X.apk/classes.dex"] if inside else [], f"{what}: children")
    for k, x in zip(kids, DEXES):
        ght.check(ght.cat(d / name, k) == x, f"{what}: {k}")
    ght.equal([x["what"] for x in ght.rows(rows, "notes")], [], f"{what}: no notes")
    ght.check(data[r[0]["data"]:][:4] == b"oat\n", f"{what}: where it lies")


def refused(data, what, status, word, name="x.odex"):
    rows, kids = look(data, name)
    runs = [(r["status"], r["why"]) for r in rows if r["table"] == "blob_runs" and r["plugin"] == "oat"]
    ght.check(len(runs) == 1 and runs[0][0] == status and word in runs[0][1], f"damage: {what}", runs)
    return rows, kids


def make():
    good = oat(64, True)
    return {"039.odex": elf_by_hand(oat(39, True), False), "064.odex": elf_by_hand(good), "088.odex": elf_by_hand(oat(88, True)), "138.odex": elf_by_hand(oat(138, False)),
            "199.odex": elf_by_hand(oat(199, False)), "240.odex": elf_by_hand(oat(240, False)), "260.odex": elf_by_hand(b"oat\n260\0" + good[8:]),
            "cut.odex": elf_by_hand(good)[:0x1000 + 400], "keys.odex": elf_by_hand(good[:68] + b"\xff\xff\xff\x7f" + good[72:])}


if "--make-seeds" in sys.argv:
    for n, data in make().items():
        (HERE / "seeds" / n).write_bytes(data)
    sys.exit(0)

for version in HEADERS:
    inside = version < 124
    holds(elf_by_hand(oat(version, inside, gap=0 if version < 127 else 8)), version, inside, f"version {version:03}")
holds(elf_by_hand(oat(64, True, 1), False), 64, True, "32 bits", "arm")
holds(elf_by_hand(oat(138, False), True, 0x4000), 138, False, "pages of 16 KiB")
for target, isa, number in (("aarch64-linux-gnu", "arm64", 2), ("armv7-linux-gnueabi", "thumb2", 3), ("x86_64-linux-gnu", "x86_64", 5)):
    holds(elf_by_lld(oat(88, True, number), target), 88, True, f"lld, {target}", isa)
    holds(elf_by_lld(oat(138, False, number), target), 138, False, f"lld, {target}, without dex", isa)
rows, _ = look(elf_by_hand(oat(230, False, 6)))
ght.equal(ght.rows(rows, "oat")[0]["isa"], "x86_64", "since RISC-V the numbers behind it are others")
ght.equal([r["table"] for r in look((ROOT / "build/gifthorse").read_bytes() if (ROOT / "build/gifthorse").is_file() else b"\x7fELF\2\1" + bytes(60), "x.so")[0] if r["table"] == "oat"], [],
          "another ELF file")

rows, kids = refused(make()["260.odex"], "a version not known", "unsup", "oat version 260")
ght.equal(([r["version"] for r in ght.rows(rows, "oat")], ght.rows(rows, "oat_dex"), kids), (["260"], [], []), "damage: nothing is guessed")
refused(make()["keys.odex"], "a key-value store outside", "short", "does not fit")
refused(elf_by_hand(oat(64, True))[:0x1000 + 400], "cut short", "short", "")
refused(elf_by_hand(b"xxxx" + oat(64, True)[4:]), "no header", "bad", "no oat header")
refused(elf_by_hand(oat(64, True)).replace(b"oatdata\0", b"oatdatb\0", 1), "no symbol", "bad", "no symbol oatdata")
bad = bytearray(elf_by_hand(oat(88, True)))
bad[bad.index(b"dex\n035\0")] = 0
rows, kids = look(bytes(bad))
ght.equal(kids, ["a.jar/classes2.dex", "X.apk/classes.dex"], "damage: one dex is not there, the others are")

if os.environ.get("GH_DUMPS"):
    n = 0
    for path in sorted(p for p in pathlib.Path(os.environ["GH_DUMPS"]).rglob("*") if p.suffix in (".oat", ".odex") and p.is_file() and p.read_bytes()[:4] == b"\x7fELF"):
        rows = ght.drive(path)
        runs = [r for r in rows if r["table"] == "blob_runs" and r["plugin"] == "oat" and r["status"] == "ok"]
        ght.check(len(runs) == 1 and len(ght.rows(rows, "oat_dex")) == ght.rows(rows, "oat")[0]["dex_files"], f"dump: {path.name}", [r for r in rows if r["table"] == "blob_runs"])
        n += 1
    print(f"     {n} oat files")
ght.done()
