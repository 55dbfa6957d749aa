#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes block updates: a transfer list of version 1 to 4 and the new.dat that it speaks of, after the description at the head of
bootable/recovery/updater/blockimg.cpp in AOSP.

  mknewdat.py --in raw.img --out NAME [--version N]      NAME.transfer.list, NAME.new.dat, NAME.patch.dat
"""
import argparse
import os
import random

BLOCK = 4096


def range_set(ranges):
    """"4,0,10,20,30": how many numbers follow, then pairs of first block and the one behind the last."""
    numbers = [n for r in ranges for n in r]
    return ",".join(map(str, [len(numbers), *numbers]))


def runs(data, hole=lambda block: not any(block)):
    """(is a hole, first block, block behind the last) over an image."""
    out = []
    for i in range(len(data) // BLOCK):
        kind = hole(data[i * BLOCK:(i + 1) * BLOCK])
        if out and out[-1][0] == kind and out[-1][2] == i:
            out[-1][2] = i + 1
        else:
            out.append([kind, i, i + 1])
    return [tuple(r) for r in out]


class Update:
    """Collects commands in order; `write` puts the head before them."""

    def __init__(self, version=4):
        self.version, self.lines, self.data, self.total = version, [], bytearray(), 0

    def new(self, image, ranges):
        self.lines.append(f"new {range_set(ranges)}")
        for a, b in ranges:
            self.data += image[a * BLOCK:b * BLOCK]
            self.total += b - a

    def zero(self, ranges):
        self.lines.append(f"zero {range_set(ranges)}")
        self.total += sum(b - a for a, b in ranges)

    def erase(self, ranges):
        self.lines.append(f"erase {range_set(ranges)}")

    def move(self, target, source):
        """Blocks of the older image, copied: where the words stand changed from version to version."""
        n, t, s = sum(b - a for a, b in source), range_set(target), range_set(source)
        self.lines.append({1: f"move {s} {t}", 2: f"move {t} {n} {s}"}.get(self.version, f"move {'ab' * 20} {t} {n} {s}"))
        self.total += sum(b - a for a, b in target)

    def diff(self, word, target, source):
        n, t, s = sum(b - a for a, b in source), range_set(target), range_set(source)
        self.lines.append({1: f"{word} 0 100 {s} {t}", 2: f"{word} 0 100 {t} {n} {s}"}.get(
            self.version, f"{word} 0 100 {'ab' * 20} {'cd' * 20} {t} {n} {s}"))
        self.total += sum(b - a for a, b in target)

    def head(self):
        return [str(self.version), str(self.total)] + (["3", "77"] if self.version >= 2 else [])

    def text(self):
        return ("\n".join(self.head() + self.lines) + "\n").encode()

    def write(self, name):
        for end, data in (("transfer.list", self.text()), ("new.dat", bytes(self.data)), ("patch.dat", b"")):
            with open(f"{name}.{end}", "wb") as f:
                f.write(data)


def whole(image, version, seed=1, per_command=37):
    """An update of a whole image: its data in an order that is not that of the image, its zero blocks, what is unused erased."""
    rnd = random.Random(seed)
    u = Update(version)
    found = runs(image)
    holes = [(a, b) for hole, a, b in found if hole]
    data = []
    for hole, a, b in found:
        while not hole and a < b:
            n = min(b - a, rnd.randint(1, 200))
            data.append((a, a + n))
            a += n
    rnd.shuffle(data)
    if version < 3 and holes:
        u.erase(holes[1::2] or holes)
    u.zero(holes) if holes else None
    for i in range(0, len(data), per_command):
        u.new(image, data[i:i + per_command])
    return u


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--in", dest="src", required=True)
    ap.add_argument("--out", required=True)
    ap.add_argument("--version", type=int, default=4)
    a = ap.parse_args()
    with open(a.src, "rb") as f:
        image = f.read()
    whole(image + bytes(-len(image) % BLOCK), a.version).write(a.out)
    print(os.path.getsize(a.out + ".new.dat"))


if __name__ == "__main__":
    main()
