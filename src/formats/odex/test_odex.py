#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""odex: a writer from libdex/DexFile.h of AOSP; the dex inside is compared byte by byte. `--make-seeds` writes the seeds anew."""
import pathlib
import struct
import sys

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT / "tests/lib"), str(ROOT / "src/inspectors/dex")]
import ght
import mkdex

HERE = pathlib.Path(__file__).resolve().parent
d = ght.tmp()
DEX = mkdex.build([mkdex.cls("La/A;")], 36)


def odex(dex=DEX, gap=0, size=None):
    at = 40 + gap
    end = at + len(dex) + -len(dex) % 8
    head = b"dey\n036\0" + struct.pack("<8I", at, len(dex) if size is None else size, end, 16, end + 16, 8, 0, 0)
    return head + bytes(gap) + dex + bytes(-len(dex) % 8) + bytes(24)


def look(data):
    (d / "x.odex").write_bytes(data)
    return ght.drive(d / "x.odex")


def refused(data, what, status, word):
    runs = [(r["status"], r["why"]) for r in look(data) if r["table"] == "blob_runs" and r["plugin"] == "odex"]
    ght.check(len(runs) == 1 and runs[0][0] == status and word in runs[0][1], f"damage: {what}", runs)


SEEDS = {"plain.odex": odex(), "cut.odex": odex()[:200], "none.odex": odex(b"no dex file here")}
if "--make-seeds" in sys.argv:
    for n, data in SEEDS.items():
        (HERE / "seeds" / n).write_bytes(data)
    sys.exit(0)

for gap in (0, 8):
    rows = look(odex(gap=gap))
    ght.check(ght.cat(d / "x.odex", "classes.dex") == DEX, f"the dex inside, {gap} bytes behind the header")
    ght.equal([(r["version"], r["classes"]) for r in ght.rows(rows, "dex")], [("036", 1)], "its facts")
    ght.equal(ght.rows(rows, "notes"), [], "no notes")
refused(SEEDS["cut.odex"], "cut short", "short", "does not fit")
refused(SEEDS["none.odex"], "no dex inside", "bad", "no dex file")
refused(odex(size=4), "a dex of four bytes", "bad", "no dex file")
refused(odex()[:20], "a header alone", "short", "")
ght.done()
