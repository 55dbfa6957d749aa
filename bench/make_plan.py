#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes OUT/plan.txt: where each file of a generated phone and each zip member lies in the bytes that are read.

make_plan.py OUT      OUT is a folder filled by make_phone.py, its `tree` still there

One record a line, numbers in bytes:
  I SIZE NAME                     an input, a file of OUT
  O INPUT OFF CSIZE USIZE NAME    a deflated member of an input: inflated, it is space `number of inputs + its own number`
  F SIZE PIECES MEMBERS NAME      a file: this many piece and member records follow (each inode once)
  R LENGTH SPACE OFF              bytes that lie in a space as they are
  H LENGTH WORD                   a 32-bit word over and over (a hole, a fill chunk)
  Z LENGTH CLENGTH PIECES         LENGTH bytes out of one LZ4 cluster, whose CLENGTH bytes are the next PIECES R or H records
  M OFF CSIZE USIZE METHOD        a member of this file
Extents come from debugfs and dump.erofs, members from Python's zipfile: nothing of gifthorse is used.
"""
import os
import re
import struct
import subprocess
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import layers  # noqa: E402
from layers import HOLE, Map  # noqa: E402
from tree import PARTITIONS  # noqa: E402

BLOCK = 4096
ZIPS = (".apk", ".jar", ".zip", ".apex")
_LEAF = re.compile(r"^\s*(\d+)/\s*(\d+)\s+\d+/\s*\d+\s+(\d+) -\s+(\d+)\s+(\d+) -\s+(\d+)\s+\d+\s*(\S*)")
_CLUSTER = re.compile(r"^\s*\d+:\s*(\d+)\.\.\s*(\d+) \|\s*\d+ :\s*(\d+)\.\.\s*(\d+) \|")


def _debugfs(image, commands):
    """Output of each command; debugfs repeats every command of its script before the answer."""
    out = subprocess.run(["debugfs", "-f", "-", image], input="".join(c + "\n" for c in commands).encode(), capture_output=True, check=True)
    answers = re.split(r"^debugfs: .*\n", out.stdout.decode("utf-8", "surrogateescape"), flags=re.M)[1:]
    if len(answers) != len(commands):
        raise ValueError(f"{image}: debugfs gave {len(answers)} answers to {len(commands)} commands")
    return answers


def _ext4_files(image):
    """Inode number, path and size of each regular file, level by level; one name an inode."""
    level, files = {2: ""}, {}
    while level:
        below = {}
        for base, listing in zip(level.values(), _debugfs(image, [f"ls -p <{i}>" for i in level])):
            for line in listing.splitlines():
                row = line.split("/")
                if len(row) < 7 or row[5] in (".", "..") or row[1] == "0":
                    continue
                ino, mode, path = int(row[1]), int(row[2], 8), f"{base}/{row[5]}"
                if mode & 0o170000 == 0o040000:
                    below[ino] = path
                elif mode & 0o170000 == 0o100000:
                    files.setdefault(ino, (path, int(row[6])))
        level = below
    return files


def ext4(image, below):
    files = _ext4_files(image)
    for (path, size), listing in zip(files.values(), _debugfs(image, [f"ex <{i}>" for i in files])):
        pieces, at = [], 0
        for line in listing.splitlines():
            m = _LEAF.match(line)
            if not m or m[1] != m[2] or at >= size:
                continue
            first, last, phys = int(m[3]) * BLOCK, (int(m[4]) + 1) * BLOCK, int(m[5]) * BLOCK
            if first > at:
                pieces.append(("R", [(first - at, HOLE, 0)]))
            n = min(last, size) - first
            pieces.append(("R", [(n, HOLE, 0)] if "Uninit" in m[7] else below.slice(phys, n)))
            at = first + n
        if at < size:
            pieces.append(("R", [(size - at, HOLE, 0)]))
        yield path, size, pieces


def _erofs_file(image, path, size, below):
    out = subprocess.run(["dump.erofs", "-e", f"--path={path}", image], capture_output=True, check=True).stdout.decode("utf-8", "replace")
    pieces = []
    for line in out.splitlines():
        m = _CLUSTER.match(line)
        if not m:
            continue
        # of an uncompressed file the last block is listed whole
        length, phys, clength = min(int(m[2]), size) - int(m[1]), int(m[3]), int(m[4]) - int(m[3])
        if clength < length:
            pieces.append(("Z", length, clength, below.slice(phys, clength)))
        else:
            pieces.append(("R", below.slice(phys, length)))
    return path, size, pieces


def erofs(image, folder, below, jobs):
    """dump.erofs answers for one path at a time; the paths are those of the folder the image was made of."""
    names = {}
    for base, _, entries in os.walk(folder):
        for name in sorted(entries):
            st = os.lstat(os.path.join(base, name))
            if not os.path.islink(os.path.join(base, name)):
                names.setdefault(st.st_ino, ("/" + os.path.relpath(os.path.join(base, name), folder), st.st_size))
    with ThreadPoolExecutor(jobs) as pool:
        yield from pool.map(lambda f: _erofs_file(image, *f, below), names.values())


def _members(path):
    rows = []
    with zipfile.ZipFile(path) as z, open(path, "rb") as f:
        for info in z.infolist():
            if info.is_dir():
                continue
            f.seek(info.header_offset + 26)
            name, extra = struct.unpack("<HH", f.read(4))
            rows.append(f"M {info.header_offset + 30 + name + extra} {info.compress_size} {info.file_size} {info.compress_type}\n")
    return rows


def _extents(parts):
    return "".join(f"H {n} {o}\n" if s is HOLE else f"R {n} {s} {o}\n" for n, s, o in parts)


def _write(out, where, size, pieces, members, name):
    text, count = [], 0
    for piece in pieces:
        if piece[0] == "Z":
            text.append(f"Z {piece[1]} {piece[2]} {len(piece[3])}\n")
            count += 1
        else:
            count += len(piece[1])
        text.append(_extents(piece[-1]))
    out.write(f"F {size} {count} {len(members)} {where}{name}\n" + "".join(text) + "".join(members))


def _inputs(out):
    """Head of the plan, and the map of each partition and plain file onto the spaces."""
    firmware = out / "firmware.zip"
    if not firmware.exists():
        names = [f"{p}.img" for p in PARTITIONS]
        sizes = [(out / n).stat().st_size for n in names]
        head = [f"I {s} {n}\n" for s, n in zip(sizes, names)]
        return head, {p: layers.whole(n, sizes[n]) for n, p in enumerate(PARTITIONS)}, {}
    head, images, plain = [f"I {firmware.stat().st_size} firmware.zip\n"], {}, {}
    with zipfile.ZipFile(firmware) as z, open(firmware, "rb") as f:
        for n, info in enumerate(z.infolist(), 1):
            f.seek(info.header_offset + 26)
            name, extra = struct.unpack("<HH", f.read(4))
            if info.compress_type != zipfile.ZIP_DEFLATED:
                raise ValueError(f"{info.filename}: the plan knows deflated outer members only")
            head.append(f"O 0 {info.header_offset + 30 + name + extra} {info.compress_size} {info.file_size} {info.filename}\n")
            if info.filename == "super.img":
                found = layers.partitions(out / "super.img", layers.sparse(out / "super.img", n))
                images = {p: found[p + "_a"] for p in PARTITIONS}
            else:
                plain[info.filename] = Map([(info.file_size, n, 0)])
    return head, images, plain


def make(out, jobs):
    head, images, plain = _inputs(out)
    with open(out / "plan.txt.part", "w", encoding="utf-8", errors="surrogateescape") as f:
        f.writelines(head)
        for name, layer in plain.items():
            _write(f, "", layer.size, [("R", layer.extents)], [], name)
        for part in PARTITIONS:
            image, folder = out / f"{part}.img", out / "tree" / part
            found = erofs(image, folder, images[part], jobs) if part == "product" else ext4(image, images[part])
            for path, size, pieces in found:
                members = _members(f"{folder}{path}") if path.endswith(ZIPS) else []
                if size:
                    _write(f, part, size, pieces, members, path)
    os.replace(out / "plan.txt.part", out / "plan.txt")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    make(Path(sys.argv[1]), os.cpu_count())
