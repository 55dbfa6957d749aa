#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The images of the tests of e2fsprogs, most of them damaged on purpose: each is read as debugfs reads it, or what differs is
explained by a note about that inode or directory; or it is refused with an offset."""
import collections
import gzip
import os
import pathlib
import re
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "tests/lib"))
import ght  # noqa: E402
from debugfs import TYPES, Debugfs, Refused  # noqa: E402

DUMP_MAX = 64 << 20
INLINE, ENCRYPTED = 0x10000000, 0x800


def unescape(text):
    return re.sub(rb"\\x([0-9a-f]{2})", lambda m: bytes([int(m[1], 16)]), text.encode())


class Ours:
    """What gh_drive says."""

    def __init__(self, image):
        rows = ght.drive(image, only="ext4")
        runs = [r for r in ght.rows(rows, "blob_runs") if r["plugin"] == "ext4"]
        self.run = runs[0] if runs else None
        self.entries = ght.rows(rows, "entries")
        self.notes = ght.rows(rows, "notes")
        self.blobs = {}
        for r in ght.rows(rows, "blobs"):
            self.blobs.setdefault(r["blob"], {}).update(r)
        self.info = ght.rows(rows, "fs_info")
        self.named = {2} if re.search("root", self.run["why"] if self.run else "") else set()
        for n in self.notes:
            self.named.update(int(v) for v in re.findall(r"\d+", re.sub(r'"[^"]*"', "", n["what"])))
        stated = {int(m[1]) for n in self.notes if (m := re.match(r"(\d+) bytes stated, .* budget", n["what"]))}
        self.named.update(e["ino"] for e in self.entries if e["size"] in stated)  # holes the engine does not read
        self.general = [n["what"] for n in self.notes
                        if re.search(r"^group|copy at byte|superblock|image ends", n["what"])]


def content_differs(ours, theirs, sizes, image, folder):
    """[(inode, what)] for regular files."""
    differs, reg = [], {}
    for e in ours.entries:
        if e["ftype"] == "file" and e["ino"] in theirs:
            reg[e["ino"]] = e
    small = [i for i, e in reg.items() if e["size"] is not None and e["size"] <= DUMP_MAX]
    dumped = image.dump([i for i in small if reg[i]["size"] or sizes[i]], folder)
    for ino in small:
        e, (data, complaint) = reg[ino], dumped.get(ino, (b"", b""))
        if e["child"] is None:
            differs.append((ino, "not read"))
        elif complaint or data is None:
            differs.append((ino, "debugfs: " + complaint.decode(errors="replace")[:80]))
        elif e["iflags"] & INLINE and len(data) > e["size"]:
            # debugfs writes all that is stored inline, the kernel only what the size covers.
            if ours.blobs[e["child"]].get("sha256") != ght.sha(data[:e["size"]]):
                differs.append((ino, "inline content"))
        elif ours.blobs[e["child"]].get("sha256") != ght.sha(data):
            differs.append((ino, f"content of {len(data)} and {e['size']} bytes"))
    return differs, len(small), len(reg) - len(small)


def compare(ours, image, folder):
    """Everything that differs, as (inode or directory, words); and counts."""
    found, bad, sizes = image.list_all({e["ino"] for e in ours.entries if e["ftype"] == "dir" and e["ino"] != 2})
    theirs = collections.Counter((p, i, m) for p, i, m in found)
    modes = {v: k << 12 for k, v in TYPES.items()}
    mine = collections.Counter(
        (unescape(e["path"]), e["ino"], e["mode"] | modes[e["ftype"]]) for e in ours.entries)
    differs = [(ino, f"debugfs: {text.decode(errors='replace')[:80]}") for ino, text in bad.items()]
    inodes = {p: i for p, i, _ in list(theirs) + list(mine)}

    def parents(path):
        ret = [2]
        while b"/" in path[1:]:
            path = path.rsplit(b"/", 1)[0]
            ret.append(inodes.get(path, 2))
        return ret
    for key in (theirs - mine):
        differs.append((key[1], f"only debugfs lists {key}", tuple(parents(key[0]))))
    for key in (mine - theirs):
        differs.append((key[1], f"only we list {key}", tuple(parents(key[0]))))
    both = {i for _, i, _ in (theirs & mine)}
    regular = {i for _, i, m in (theirs & mine) if m >> 12 == 8}
    more, files, large = content_differs(ours, regular, sizes, image, folder)
    differs += more
    by_ino = {e["ino"]: e for e in ours.entries}
    for ino, st in image.stat(sorted(both)).items():
        e = by_ino[ino]
        pairs = [("uid", e["uid"]), ("gid", e["gid"]), ("links", e["nlink"]), ("mtime", e["mtime"]), ("flags", e["iflags"])]
        if e["ftype"] in ("file", "link"):
            pairs.append(("size", e["size"]))
        if e["ftype"] in ("char", "block"):
            pairs.append(("rdev", e["rdev"]))
        if st["link"] is not None and e["ftype"] == "link" and not e["iflags"] & (ENCRYPTED | INLINE):
            # of an inline link debugfs shows the first 60 bytes only, of an encrypted one the ciphertext
            pairs.append(("link", unescape(e["link_target"] or "")))
        differs += [(ino, f"{k}: {st[k]!r}, we say {v!r}") for k, v in pairs if st[k] != v]
    return differs, len(mine), files, large


def where(row):
    """Does a note or a run tell an offset? Nothing of a file system lies at 0."""
    return row["at"] not in (None, 0)


def one(name, path, folder):
    """The category of one image; and what is not explained."""
    try:
        ours = Ours(path)
    except RuntimeError as e:
        return "crash", [str(e)]
    if ours.run is None:
        return "not claimed by us", []
    for options in ([], ["-c"], ["-c", "-n"]):
        image = Debugfs(path, *options)
        try:
            image.run(["stat <2>"])
            break
        except Refused as e:
            refused = str(e)
    else:
        if ours.info:
            return "debugfs refuses, we read it and say what is wrong", [] if any(where(n) for n in ours.notes) else [refused]
        return "both refuse", [] if ours.run["why"] and where(ours.run) else [f"no reason or no offset: {ours.run}"]
    if not ours.info:
        return "we refuse, debugfs reads", [] if ours.run["why"] and where(ours.run) else [f"no reason or no offset: {ours.run}"]
    differs, entries, files, large = compare(ours, image, folder)
    left = []
    for d in differs:
        about = {d[0], *(d[2] if len(d) > 2 else ())}
        about.update(int(n) for n in re.findall(r"debugfs: .*inode (\d+)", d[1]))
        kind = re.sub(r"[^a-z :]", "", re.sub(r"\(b['\"].*|inode \d+.*|: [\db{-].*", "", d[1]))
        one.kinds[kind] += 1
        # what is wrong with a group or the superblock excuses only that debugfs stopped there and we did not
        if not (about & ours.named) and not (ours.general and re.match("debugfs: |only we list", d[1])):
            left.append(d[:2])
    word = "equal" if not differs else "differs, and notes say why"
    if options:
        word += f" (debugfs {' '.join(options)})"
    if "GH_DIFFS" in os.environ:
        for d in differs:
            print("    ", d[:2], [n["what"] for n in ours.notes if str(d[0]) in n["what"]][:3])
    one.entries += entries
    one.files += files
    one.large += large
    return word, left


one.kinds = collections.Counter()
one.entries = one.files = one.large = 0


def main():
    corpus = ght.corpus("e2fsprogs")
    if not corpus:
        ght.done()
    work = ght.tmp()
    count = collections.Counter()
    only = sys.argv[1:]
    for gz in sorted((corpus / "tests").glob("*/image.gz")):
        name = gz.parent.name
        if only and name not in only:
            continue
        image = work / name
        try:
            image.write_bytes(gzip.open(gz).read())
        except (gzip.BadGzipFile, EOFError):
            image.write_bytes(gz.read_bytes())
        began = time.time()
        word, left = one(name, image, work)
        if "GH_TIMES" in os.environ:
            print(f"{time.time() - began:8.2f} s {name}")
        count[word] += 1
        ght.check(not left, f"{name}: {word}", left[:3] if not only else left)
        image.unlink()
    for word, n in sorted(count.items()):
        print(f"     {n:4d} {word}")
    for kind, n in one.kinds.most_common():
        print(f"     {n:6d} differences: {kind}")
    print(f"     {one.entries} entries and the bytes of {one.files} files compared, {one.large} larger than {DUMP_MAX} bytes not")
    ght.done()


if __name__ == "__main__":
    main()
