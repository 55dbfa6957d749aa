#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""F2FS against its reference tools: mkfs.f2fs and sload.f2fs make images of a tree in many forms; names, bytes and attributes are
compared with the tree, dump.f2fs and blkid. What they cannot make comes from mkf2fs.py. SLOAD_F2FS names another sload.f2fs: one that
was built with compression is then compared too (Debian's is not)."""
import os
import pathlib
import re
import shutil
import stat
import struct
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[2] / "tests/lib"))
import ght  # noqa: E402

FTYPES = {stat.S_IFREG: "file", stat.S_IFDIR: "dir", stat.S_IFLNK: "link", stat.S_IFCHR: "char", stat.S_IFBLK: "block", stat.S_IFIFO: "fifo",
          stat.S_IFSOCK: "socket"}
SLOAD = os.environ.get("SLOAD_F2FS", "sload.f2fs")
CONTEXTS = """/system(/.*)?            u:object_r:system_file:s0
/system/bin/tool0*       u:object_r:tool_exec:s0
/system/etc/s4096        u:object_r:%s:s0
/system/many(/.*)?       u:object_r:many_file:s0
""" % ("t" * 300)


def pattern(n, seed):
    """n bytes that do not repeat by block."""
    x = (seed * 2654435761 + 12345) % 2**32
    out = bytearray()
    while len(out) < n:
        x = (x * 6364136223846793005 + 1442695040888963407) % 2**64
        out += struct.pack("<Q", x)
    return bytes(out[:n])


def text(n, seed):
    return b"".join(b"line %d of %d: the quick brown fox %d\n" % (i, seed, i * i % 977) for i in range(n // 36 + 1))[:n]


def make_tree(root, many):
    for d in ("bin", "etc", "many", "links", "odd", "big"):
        (root / d).mkdir(parents=True)
    for n in (0, 1, 60, 3400, 3487, 3488, 3489, 3687, 3688, 3689, 3690, 4095, 4096, 4097, 8192, 49152, 300001):
        (root / "etc" / f"s{n}").write_bytes(pattern(n, n))
        (root / "etc" / f"t{n}.txt").write_bytes(text(n, n))
    deep = root / "deep"
    for i in range(60):
        deep = deep / f"level{i}"
    deep.mkdir(parents=True)
    (deep / "bottom").write_bytes(b"found\n")
    for i in range(many):
        (root / "many" / f"file-with-a-longer-name-{i:05d}").write_bytes(b"" if i % 3 else b"%d" % i)
    (root / "big/indirect").write_bytes(b"".join(pattern(4096, i) for i in range(5000)))
    (root / "big/text").write_bytes(text(3 << 20, 5))
    with open(root / "big/sparse", "wb") as f:
        f.truncate(1 << 20)
        f.seek(500000)
        f.write(text(50000, 1))
    for n in (10, 59, 60, 200, 1000, 3600, 4000):
        os.symlink("x" * (n - 1) + "y", root / "links" / f"l{n}")
    os.symlink("\xff\n".encode("latin-1"), os.fsencode(root / "links/odd"))
    (root / "links/a").write_bytes(b"shared by three names")
    os.link(root / "links/a", root / "links/b")
    os.link(root / "links/a", root / "bin/c")
    for name in (b"new\nline", b"\xff\xfe", b" blank ", b'quo"te\\', b"n" * 255, "ärger".encode(), b"\x01\x1b[31m", b"...", b"12345678", b"123456789"):
        with open(os.fsencode(root / "odd") + b"/" + name, "wb") as f:
            f.write(name)
    for i in range(4):
        p = root / "bin" / f"tool{i}"
        p.write_bytes(pattern(5000 + i, i))
        os.chown(p, 70000 + i, 2000 + i)
        os.chmod(p, (0o6755, 0o750, 0o1644, 0)[i])
        t = (5, 2**31 - 1, 2**31 + 10, 2**33)[i]
        os.utime(p, (t, t))


def expected(root):
    """{path: what stat and the bytes say}; sload.f2fs keeps 16 bits of owners and 32 of times."""
    ret, top = {}, os.fsencode(root)
    for folder, dirs, files in os.walk(top):
        for name in dirs + files:
            path = os.path.join(folder, name)
            st = os.lstat(path)
            kind = stat.S_IFMT(st.st_mode)
            e = {"ftype": FTYPES[kind], "mode": stat.S_IMODE(st.st_mode), "uid": st.st_uid & 0xFFFF, "gid": st.st_gid,
                 "mtime": int(st.st_mtime) % 2**32}
            if kind == stat.S_IFREG:
                e.update(size=st.st_size, sha256=ght.sha(open(path, "rb").read()), nlink=st.st_nlink)
            if kind == stat.S_IFLNK:
                e["link_target"] = os.readlink(path)
            ret[path[len(top):]] = e
    return ret


class Drive:
    def __init__(self, image):
        rows = ght.drive(image, only="f2fs")
        runs = [r for r in ght.rows(rows, "blob_runs") if r["plugin"] == "f2fs"]
        # the image's own first; contents of files that break off have runs too
        self.status, self.why = (runs[-1]["status"], runs[-1]["why"]) if runs else (None, None)
        self.notes = [n for n in ght.rows(rows, "notes") if n["plugin"] == "f2fs"]
        self.info = (ght.rows(rows, "fs_info") or [None])[0]
        blobs = {}
        for r in ght.rows(rows, "blobs"):
            blobs.setdefault(r["blob"], {}).update(r)
        self.entries = {}
        for e in ght.rows(rows, "entries"):
            e["sha256"] = blobs[e["child"]].get("sha256") if e["child"] else None
            e["link_target"] = ght.unescape(e["link_target"])
            self.entries[ght.unescape(e["path"])] = e

    def has_note(self, words):
        return any(re.search(words, n["what"]) for n in self.notes)

    def other_notes(self, *words):
        return [n["what"] for n in self.notes if not any(re.search(w, n["what"]) for w in words)]


def compare(name, got, want, skip=()):
    wrong = []
    for path, e in want.items():
        mine = got.entries.get(path)
        if mine is None:
            wrong.append((path, "missing"))
            continue
        for k, v in e.items():
            if k not in skip and mine[k] != v:
                wrong.append((path, k, mine[k], v))
    wrong += [(p, "too many") for p in set(got.entries) - set(want) - {b"/lost+found"}]
    ght.check(not wrong, f"{name}: {len(want)} entries, every byte and attribute of the tree", wrong[:4])
    ght.check(got.status == "ok" and not got.notes, f"{name}: nothing is wrong with it", (got.status, got.why, got.notes[:3]))


def dump(image, ino):
    """Fields of an inode as dump.f2fs prints them."""
    p = subprocess.run(["dump.f2fs", "-d", "1", "-i", str(ino), str(image)], input=b"n\n", capture_output=True)
    out = p.stdout.decode(errors="replace")
    out = out[out.index("[print_node_info"):]
    return {k: int(v) for k, v in re.findall(r"^(i_\w+)\s+\[0x[ 0-9a-f]+ : (\d+)\]", out, re.M)}


def dump_content(image, ino, work):
    """The bytes that dump.f2fs takes out."""
    folder = work / "dump"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    subprocess.run(["dump.f2fs", "-i", str(ino), str(image)], input=b"y\n" * 3, capture_output=True, cwd=folder)
    files = list((folder / "lost_found").iterdir()) if (folder / "lost_found").is_dir() else []
    return files[0].read_bytes() if files else None


def compare_dump(name, got, image, step):
    wrong, inos = [], {}
    for e in got.entries.values():
        inos.setdefault(e["ino"], e)
    some = [e for i, e in enumerate(inos.values()) if i % step == 0 or e["ftype"] == "link" or e["uid"]]
    for e in some:
        d = dump(image, e["ino"])
        pairs = [("mode", stat.S_IMODE(d["i_mode"])), ("uid", d["i_uid"]), ("gid", d["i_gid"]), ("nlink", d["i_links"]), ("mtime", d["i_mtime"]),
                 ("iflags", d["i_flags"])]
        if e["ftype"] in ("file", "link"):
            pairs.append(("size", d["i_size"]))
        wrong += [(e["path"], k, e[k], v) for k, v in pairs if e[k] != v]
    ght.check(not wrong, f"{name}: {len(some)} inodes as dump.f2fs shows them", wrong[:4])


def compare_info(name, got, image):
    out = subprocess.run(["dump.f2fs", "-d", "1", str(image)], input=b"n\n", capture_output=True).stdout.decode(errors="replace")
    features = re.search(r"superblock features = \w+ : +(.*)", out)[1].split()
    num = {k: int(v) for k, v in re.findall(r"^(\w+)\s+\[0x[ 0-9a-f]+ : (\d+)\]", out, re.M)}
    said = dict(line.split("=", 1) for line in ght.run("blkid", "-p", "-o", "export", image).decode().splitlines() if "=" in line)
    i = got.info
    size = num["block_count"] << num["log_blocksize"]
    pairs = [("uuid", said["UUID"]), ("label", said.get("LABEL", "").replace("\\", "")), ("blocks", num["block_count"]), ("size", size),
             ("block_size", 1 << num["log_blocksize"]), ("inodes", num["valid_inode_count"])]
    wrong = [(k, i[k], v) for k, v in pairs if i[k] != v]
    mine = i["features"].split()
    if sorted(mine) != sorted(f.replace("ro", "readonly") if f == "ro" else f for f in features):
        wrong.append(("features", mine, features))
    ght.check(not wrong, f"{name}: superblock as dump.f2fs and blkid show it", wrong)


def mkfs(image, size, *options):
    image.unlink(missing_ok=True)
    with open(image, "wb") as f:
        f.truncate(size)
    ght.run("mkfs.f2fs", "-q", *options, image)


def sload(image, root, *options):
    """It checks and corrects what it wrote, and then ends with 1: of a link that fills a block it counts one block too few."""
    out = subprocess.run([SLOAD, "-f", root, *options, image], capture_output=True)
    if out.returncode > 1 or b"not supported" in out.stdout:
        raise RuntimeError(f"sload.f2fs: {out.stdout[-300:]}")


VARIANTS = [
    # name, options of mkfs.f2fs, options of sload.f2fs
    ("plain", ["-l", "a label"], ["-t", "/", "-P"]),
    ("android", ["-g", "android", "-l", "vendor_a"], ["-t", "/system", "-P", "-s"]),
    ("android, one time", ["-g", "android"], ["-t", "/system", "-P", "-T", "1230768000"]),
    ("checksums", ["-O", "extra_attr,inode_checksum,sb_checksum,inode_crtime"], ["-t", "/system", "-P", "-s"]),
    ("read only", ["-O", "extra_attr,inode_checksum,sb_checksum,compression,ro"], ["-t", "/system", "-P", "-s"]),
    ("casefold", ["-O", "casefold", "-C", "utf8"], ["-t", "/", "-P"]),
    ("large bitmap", ["-i"], ["-t", "/", "-P"]),
    ("quota and lost+found", ["-O", "extra_attr,quota,project_quota,lost_found,verity,encrypt"], ["-t", "/system", "-P", "-s"]),
    ("two segments a section", ["-s", "2", "-a", "0"], ["-t", "/", "-P"]),
]


def has_compression(work):
    mkfs(work / "p.img", 64 << 20, "-O", "extra_attr,compression")
    p = subprocess.run([SLOAD, "-c", "-a", "lz4", "-f", work, "-t", "/", work / "p.img"], capture_output=True)
    (work / "p.img").unlink()
    return b"not supported" not in p.stdout


def test_variants(work):
    trees = {}
    for many in (5000, 250):
        root = work / f"tree{many}"
        make_tree(root, many)
        want = expected(root)
        for path, e in want.items():
            label = "many_file" if path.startswith(b"/many") else "t" * 300 if path == b"/etc/s4096" else \
                "tool_exec" if path.startswith(b"/bin/tool0") else "system_file"
            e["selinux"] = f"u:object_r:{label}:s0"
        trees[many] = root, want
    (work / "contexts").write_text(CONTEXTS)
    image = work / "v.img"
    variants = list(VARIANTS)
    if has_compression(work):
        for algorithm, log in (("lz4", "2"), ("lz4", "5"), ("lzo", "3"), ("lz4", "8")):
            variants.append((f"sload with {algorithm} in clusters of 2^{log}", ["-g", "android", "-O", "compression,inode_checksum"],
                             ["-t", "/system", "-P", "-s", "-c", "-a", algorithm, "-L", log]))
        variants.append(("sload with released blocks", ["-g", "android", "-O", "compression"], ["-t", "/system", "-P", "-s", "-c", "-a", "lz4", "-r"]))
    for name, make, load in variants:
        root, want = trees[5000 if name == "android" or "2^2" in name else 250]
        mkfs(image, 256 << 20, *make)
        labels = "-s" in load
        sload(image, root, *[x for o in load for x in ((o, work / "contexts") if o == "-s" else (o,))])
        got = Drive(image)
        this = want
        if "-T" in load:
            this = {p: dict(e, mtime=1230768000) for p, e in want.items()}
        compare(name, got, this, () if labels else ("selinux",))
        compare_dump(name, got, image, 97)
        compare_info(name, got, image)
        packed = sum(bool(e["iflags"] & 4) for e in got.entries.values())
        ght.check(bool(packed) == ("-c" in load), f"{name}: {packed} compressed files")
    image.unlink()
    for root, _ in trees.values():
        shutil.rmtree(root)


def test_devices(work):
    """A file system on two devices: what lies on the second is told, the rest is read."""
    root, one, two = work / "devices", work / "one.img", work / "two.img"
    root.mkdir()
    for i in range(40):
        (root / f"f{i:02d}").write_bytes(pattern(2 << 20, i))
    for p in (one, two):
        with open(p, "wb") as f:
            f.truncate(80 << 20)
    ght.run("mkfs.f2fs", "-q", "-c", two, one)
    p = subprocess.run([SLOAD, "-f", root, "-t", "/", "-P", one], capture_output=True)
    got = Drive(one)
    if not ght.check(len(got.entries) == 40, "two devices: the names are read", (len(got.entries), p.stdout[-200:])):
        return
    want = expected(root)
    good = [k for k, e in got.entries.items() if e["sha256"] == want[k]["sha256"]]
    lost = [k for k, e in got.entries.items() if e["sha256"] is None]
    ght.check(good and lost and len(good) + len(lost) == 40, f"two devices: {len(good)} files are here, {len(lost)} are not")
    ght.check(got.has_note("on several devices: this is the first"), "two devices: that is noted", got.notes)
    (work / "two.img").unlink()


def main():
    for tool in ("mkfs.f2fs", "sload.f2fs", "dump.f2fs"):
        if not shutil.which(tool):
            ght.skip("f2fs", f"{tool} is not installed (f2fs-tools)")
            ght.done()
    work = ght.tmp()
    test_variants(work)
    test_devices(work)
    ght.done()


if __name__ == "__main__":
    main()
