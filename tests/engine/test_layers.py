#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""File systems where phones have them: partitions of a super image, which is a sparse image in a zip. What scan, ls and cat make of
EROFS (LZMA with fragments, and LZ4), SquashFS and FAT there."""
import hashlib
import os
import pathlib
import random
import shutil
import sqlite3
import subprocess
import sys
import zipfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests/lib"), str(ROOT / "src/formats/erofs")]
import ght  # noqa: E402
from erofsimg import LZMA, Image  # noqa: E402
from fstree import mixed, put, text  # noqa: E402

BIN = os.environ.get("GH_BIN", str(ght.BUILD / "gifthorse"))
PROP = b"ro.build.type=user\nro.product.brand=Demo\n"


def erofs_lzma(rng, files):
    """A root directory of the first and last file, packed; the last as a fragment."""
    img, nids = Image(), {}
    box = bytes(100) + files["note"]
    img.packed = img.compressed(img.extents(box, [LZMA], rng, 2), len(box), [LZMA])
    x = img.extents(files["build.prop"], [LZMA], rng, 4)
    nids["build.prop"] = img.compressed(x, len(files["build.prop"]), [LZMA])
    nids["note"] = img.whole_fragment(len(files["note"]), 100)
    return img.finish(img.directory(nids))


def phone(work):
    rng = random.Random(31)
    want, images = {}, {}
    for name in ("system", "vendor", "product", "modem"):
        files = {"build.prop": PROP * 600, "note": mixed(rng, 90000)}
        if name != "system":
            files |= {f"sub/file{i}": text(rng, rng.randrange(0, 20000)) for i in range(40)}
        for path, data in files.items():
            put(work / name / path, data)
            want[f"{name}:/{path}"] = data
        images[name] = work / f"{name}.img"
    images["system"].write_bytes(erofs_lzma(rng, {n: want[f"system:/{n}"] for n in ("build.prop", "note")}))
    ght.run("mkfs.erofs", "--quiet", "-zlz4hc", "-C16384", images["product"], work / "product")
    ght.run("mksquashfs", work / "vendor", images["vendor"], "-comp", "zstd", "-quiet", "-no-progress")
    with open(images["modem"], "wb") as f:
        f.truncate(4 << 20)
    ght.run("mkfs.fat", "-F12", images["modem"])
    ght.run("mcopy", "-s", "-Q", "-i", images["modem"], *sorted((work / "modem").iterdir()), "::", env=dict(os.environ, MTOOLS_SKIP_CHECK="1"))
    partitions = [a for n, p in images.items() for a in ("--partition", f"{n}={p}:all:readonly")]
    ght.run(sys.executable, ROOT / "tests/tools/mklp.py", "--out", work / "raw", "--slots", "2", "--group", "all:64M", *partitions)
    ght.run(sys.executable, ROOT / "tests/tools/mksparse.py", "--in", work / "raw", "--out", work / "super.img")
    with zipfile.ZipFile(work / "phone.zip", "w", zipfile.ZIP_DEFLATED) as z:
        z.write(work / "super.img", "images/super.img")
    return work / "phone.zip", want


def main():
    for tool in ("mkfs.erofs", "mksquashfs", "mkfs.fat", "mcopy"):
        if not shutil.which(tool):
            ght.skip("layers", f"{tool} is not installed")
            ght.done()
    work = ght.tmp()
    zipped, want = phone(work)
    db = work / "facts.db"
    p = subprocess.run([BIN, "scan", zipped, "--db", db], capture_output=True)
    ght.check(p.returncode in (0, 1, 3), "scan ends", p.stderr.decode()[-300:])
    con = sqlite3.connect(db)
    got = {f"{i}:{p}": s for i, p, s in con.execute("SELECT p.image, p.path, b.sha256 FROM places p JOIN blobs b USING(blob_id) WHERE p.ftype='file'")}
    ght.equal({n: got.get(n) == hashlib.sha256(d).digest() for n, d in want.items() if got.get(n) != hashlib.sha256(d).digest()}, {},
              f"scan: {len(want)} files in four partitions, every byte")
    kinds = sorted(k for k, in con.execute("SELECT kind FROM c_fs_info"))
    ght.equal(kinds, ["erofs", "erofs", "fat12", "squashfs"], "scan: kinds of file systems")
    runs = con.execute("SELECT plugin, status, why FROM blob_runs WHERE plugin IN ('erofs','squashfs','fat') AND status<>'ok'").fetchall()
    ght.equal(runs, [], "scan: nothing went wrong in them")
    closed = con.execute("SELECT place, why FROM d_not_examined WHERE what IN ('partition','input') AND place IN ('system','vendor','product','modem')").fetchall()
    ght.equal(closed, [], "scan: none of them is told to be closed")
    out = subprocess.run([BIN, "ls", zipped], capture_output=True).stdout.decode()
    listed = {line.split()[-1] for line in out.splitlines() if line}
    ght.equal(sorted(n for n in want if n not in listed), [], "ls: every file")
    for name in ("system:/build.prop", "system:/note", "product:/note", "vendor:/note", "modem:/note", "modem:/sub/file7", "vendor:/sub/file9"):
        p = subprocess.run([BIN, "cat", zipped, name], capture_output=True)
        ght.check(p.returncode == 0 and p.stdout == want[name], f"cat {name}", p.stderr.decode()[-300:])
    ght.done()


main()
