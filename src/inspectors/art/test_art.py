#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""art: headers written from runtime/image.h of AOSP. `--make-seeds` writes the seeds anew; GH_DUMPS=DIR compares every image below DIR with the
oat file beside it."""
import os
import pathlib
import struct
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "tests/lib"))
import ght

HERE = pathlib.Path(__file__).resolve().parent
# fields behind magic and version, in the order of image.h
FIELDS = {"012": "begin size bitmap_offset bitmap_size oat".split(), "017": "begin size oat".split(), "030": "begin size oat".split(),
          "056": "begin size oat".split(), "074": "reservation components begin size image oat".split(),
          "099": "reservation components begin size image oat fb db de fe bib bis bic boot".split()}
VALUES = {"oat": 0x11223344, "image": 0x55667788, "boot": 0x99aabbcc, "components": 3}


def art(version, n=160):
    b = b"art\n" + version.encode() + b"\0" + b"".join(struct.pack("<I", VALUES.get(f, 0xdddddddd)) for f in FIELDS.get(version, []))
    return b + bytes(n - len(b))


SEEDS = {"056.art": art("056"), "099.art": art("099"), "cut.art": art("074")[:22], "999.art": art("999")}
if "--make-seeds" in sys.argv:
    for name, data in SEEDS.items():
        (HERE / "seeds" / name).write_bytes(data)
    sys.exit(0)


def row(data):
    rows = ght.inspect("boot.art", data, "art")
    runs = [(r["status"], r["why"]) for r in rows if r["table"] == "blob_runs"]
    return ght.rows(rows, "art"), runs


for v, fields in FIELDS.items():
    r, runs = row(art(v))
    ght.equal([(x["version"], x["oat_checksum"], x["image_checksum"], x["boot_checksum"], x["components"]) for x in r],
              [(v, VALUES["oat"], *(VALUES[f] if f in fields else None for f in ("image", "boot", "components")))], f"version {v}")
    ght.equal(runs, [("ok", "")], f"version {v}: status")
r, runs = row(SEEDS["999.art"])
ght.equal(([(x["version"], x["oat_checksum"]) for x in r], runs[0][0]), ([("999", None)], "unsup"), "a version not known")
r, runs = row(SEEDS["cut.art"])
ght.equal((r[0]["oat_checksum"], runs[0][0]), (None, "short"), "cut short")
ght.equal(row(b"art\nabc\0" + bytes(100))[0], [], "no version")

if os.environ.get("GH_DUMPS"):
    n = 0
    for path in sorted(p for p in pathlib.Path(os.environ["GH_DUMPS"]).rglob("*.art") if p.is_file() and p.read_bytes()[:4] == b"art\n"):
        beside = [p for p in (path.with_suffix(".oat"), path.with_suffix(".odex")) if p.is_file() and p.read_bytes()[:4] == b"\x7fELF"]
        if beside:
            a, o = ght.rows(ght.drive(path), "art")[0], ght.rows(ght.drive(beside[0]), "oat")[0]
            ght.equal(a["oat_checksum"], o["checksum"], f"dump: {path.name}")
            n += 1
    print(f"     {n} images")
ght.done()
