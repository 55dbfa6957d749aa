#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Cuts a raw super image into its partitions' images: lpsplit.py SUPER.RAW OUTDIR"""
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import layers  # noqa: E402


def copy(src, out, extents):
    with open(out, "wb") as f:
        for length, space, off in extents:
            if space is layers.HOLE:
                f.truncate(f.tell() + length)
                f.seek(length, os.SEEK_CUR)
                continue
            while length:
                n = os.copy_file_range(src, f.fileno(), min(length, 1 << 30), off)
                off, length = off + n, length - n
            f.seek(0, os.SEEK_END)


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    path, out = sys.argv[1], Path(sys.argv[2])
    out.mkdir(parents=True, exist_ok=True)
    src = os.open(path, os.O_RDONLY)
    for name, part in layers.partitions(path, layers.whole(0, os.path.getsize(path))).items():
        copy(src, out / f"{name}.img", part.extents)
    os.close(src)


if __name__ == "__main__":
    main()
