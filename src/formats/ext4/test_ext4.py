#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""ext4 against its reference tools: mke2fs makes images of a tree in many forms, debugfs and e2fsck change and read them;
every name, byte and attribute that gh_drive tells is compared with the tree and with debugfs."""
import os
import pathlib
import re
import shutil
import stat
import struct
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "tests/lib"))
import ght  # noqa: E402
import make_seeds  # noqa: E402
from debugfs import Debugfs  # noqa: E402

CAPS = {"bin/net": ("cap_net_admin,cap_net_raw+ep", 0x3000), "bin/all": ("=p", 0x1ffffffffff), "bin/bpf": ("cap_bpf+p", 1 << 39)}
LABEL = "u:object_r:system_file:s0"
FTYPES = {stat.S_IFREG: "file", stat.S_IFDIR: "dir", stat.S_IFLNK: "link", stat.S_IFCHR: "char", stat.S_IFBLK: "block",
          stat.S_IFIFO: "fifo", stat.S_IFSOCK: "socket"}


def unescape(text):
    return re.sub(rb"\\x([0-9a-f]{2})", lambda m: bytes([int(m[1], 16)]), text.encode())


def pattern(n, seed):
    """n bytes that do not repeat by block."""
    out, x = bytearray(), seed * 2654435761 % 2**32 or 1
    while len(out) < n:
        x = (x * 1103515245 + 12345) % 2**32
        out += struct.pack("<I", x)
    return bytes(out[:n])


def sparse(path, size, pieces):
    with open(path, "wb") as f:
        f.truncate(size)
        for at, n in pieces:
            f.seek(at)
            f.write(pattern(n, at + 7))


def make_tree(root, xattrs):
    """Everything a file system can hold; xattrs: some files get labels and capabilities."""
    for d in ("bin", "etc", "many", "sparse", "links", "dev", "odd"):
        (root / d).mkdir(parents=True)
    for n in (0, 1, 59, 60, 61, 95, 96, 97, 130, 160, 255, 1023, 1024, 1025, 4095, 4096, 4097, 12288, 49152, 300001):
        (root / "etc" / f"s{n}").write_bytes(pattern(n, n))
    deep = root / "deep"
    for i in range(120):
        deep = deep / f"level{i}"
    deep.mkdir(parents=True)
    (deep / "bottom").write_bytes(b"found\n")
    for i in range(3000):
        (root / "many" / f"file-with-a-longer-name-{i:05d}").write_bytes(b"" if i % 3 else b"%d" % i)
    sparse(root / "sparse/hole", 64 << 10, [])  # of files with less data than that the engine reads no more
    sparse(root / "sparse/start", 1 << 20, [(0, 5000)])
    sparse(root / "sparse/end", 1 << 20, [((1 << 20) - 5000, 5000)])
    sparse(root / "sparse/middle", 1000001, [(300000, 10000), (700001, 1)])
    sparse(root / "sparse/comb", 600 * 8192 + 1, [(i * 8192, 4096) for i in range(600)])
    sparse(root / "sparse/far", 70 << 20, [(0, 4096), (300 << 10, 600 << 10), (69 << 20, 4096)])
    for n in (10, 58, 59, 60, 61, 200, 1000):
        os.symlink("x" * (n - 1) + "y", root / "links" / f"l{n}")
    os.symlink("\xff\n".encode("latin-1"), os.fsencode(root / "links/odd"))
    (root / "links/a").write_bytes(b"shared by three names")
    os.link(root / "links/a", root / "links/b")
    os.link(root / "links/a", root / "bin/c")
    os.mknod(root / "dev/null", 0o666 | stat.S_IFCHR, os.makedev(1, 3))
    os.mknod(root / "dev/big", 0o600 | stat.S_IFCHR, os.makedev(511, 0x12345))
    os.mknod(root / "dev/sda", 0o660 | stat.S_IFBLK, os.makedev(8, 0))
    os.mknod(root / "dev/fifo", 0o644 | stat.S_IFIFO)
    os.mknod(root / "dev/sock", 0o755 | stat.S_IFSOCK)
    for name in (b"new\nline", b"\xff\xfe", b" blank ", b'quo"te\\', b"n" * 255, "ärger".encode(), b"\x01\x1b[31m", b"..."):
        with open(os.fsencode(root / "odd") + b"/" + name, "wb") as f:
            f.write(name)
    for i, name in enumerate(("net", "all", "bpf", "su")):
        p = root / "bin" / name
        p.write_bytes(pattern(5000 + i, i))
        os.chown(p, 70000 + i, 2000 + i)
        os.chmod(p, 0o6755 if name == "su" else 0o750)
        for path, t in ((p, (-1000, 2**31 - 1, 2**31 + 10, 2**33)[i]),):
            os.utime(path, (t, t))
    if xattrs:
        for name, (words, _) in CAPS.items():
            ght.run("setcap", words, root / name)
        for p in ("bin/net", "bin/su", "etc/s60", "etc/s130", "etc", "dev/null", "links/a", "etc/s0"):
            os.setxattr(root / p, "security.selinux", LABEL.encode() + b"\0")
        os.setxattr(root / "links/l10", "security.selinux", b"u:object_r:rootfs:s0", follow_symlinks=False)
        os.setxattr(root / "etc/s4096", "security.selinux", b"u:object_r:" + b"t" * 300 + b":s0\0")
        os.setxattr(root / "etc/s4096", "user.more", b"m" * 200)
        os.setxattr(root / "links/l200", "security.selinux", b"u:object_r:" + b"l" * 300 + b":s0\0", follow_symlinks=False)


def expected(root):
    """{path: what stat and the bytes say}"""
    ret = {}
    for folder, dirs, files in os.walk(os.fsencode(root)):
        for name in dirs + files:
            path = os.path.join(folder, name)
            st = os.lstat(path)
            kind = stat.S_IFMT(st.st_mode)
            e = {"ftype": FTYPES[kind], "mode": stat.S_IMODE(st.st_mode), "uid": st.st_uid, "gid": st.st_gid,
                 "mtime": int(st.st_mtime)}
            if kind == stat.S_IFREG:
                e["size"] = st.st_size
                e["sha256"] = ght.sha(open(path, "rb").read())
                e["nlink"] = st.st_nlink
            if kind == stat.S_IFLNK:
                e["link_target"] = os.readlink(path)
            if kind in (stat.S_IFCHR, stat.S_IFBLK):
                e["rdev"] = st.st_rdev
            try:
                e["selinux"] = os.getxattr(path, "security.selinux", follow_symlinks=False).rstrip(b"\0").decode()
            except OSError:
                e["selinux"] = None
            ret[path[len(os.fsencode(root)):]] = e
    for name, (_, bits) in CAPS.items():
        e = ret[b"/" + name.encode()]
        has = "security.capability" in os.listxattr(root / name)
        e["caps"] = bits if has else 0
    return ret


class Drive:
    def __init__(self, image):
        rows = ght.drive(image)
        runs = [r for r in ght.rows(rows, "blob_runs") if r["plugin"] == "ext4"]
        self.status, self.why = (runs[0]["status"], runs[0]["why"]) if runs else (None, None)
        self.notes = [n for n in ght.rows(rows, "notes") if n["plugin"] == "ext4"]
        self.info = (ght.rows(rows, "fs_info") or [None])[0]
        blobs = {}
        for r in ght.rows(rows, "blobs"):
            blobs.setdefault(r["blob"], {}).update(r)
        self.entries, self.order = {}, []
        for e in ght.rows(rows, "entries"):
            e["sha256"] = blobs[e["child"]].get("sha256") if e["child"] else None
            if e["link_target"] is not None:
                e["link_target"] = unescape(e["link_target"])
            path = unescape(e["path"])
            self.order.append(path)
            self.entries[path] = e

    def has_note(self, words):
        return any(re.search(words, n["what"]) for n in self.notes)


def compare(name, got, want):
    """Each attribute of each file; prints one line. mke2fs keeps the lower 32 bits of times only."""
    wrong = []
    for path, e in want.items():
        mine = got.entries.get(path)
        if mine is None:
            wrong.append((path, "missing"))
            continue
        for k, v in e.items():
            if k == "mtime":
                v = (v + 2**31) % 2**32 - 2**31
            if mine[k] != v:
                wrong.append((path, k, mine[k], v))
    more = set(got.entries) - set(want) - {b"/lost+found"}
    wrong += [(p, "too many") for p in more]
    ght.check(not wrong, f"{name}: {len(want)} entries, every byte and attribute of the tree", wrong[:4])
    ght.check(got.status == "ok" and not got.notes, f"{name}: nothing is wrong with it", (got.status, got.notes[:3]))


def compare_debugfs(name, got, image):
    """Inode numbers, order, flags, link counts: what the tree does not know."""
    ref = Debugfs(image)
    found, bad, _ = ref.list_all({e["ino"] for e in got.entries.values() if e["ftype"] == "dir" and e["ino"] != 2})
    mine = sorted((p, e["ino"]) for p, e in got.entries.items())
    ght.equal(mine, sorted((p, i) for p, i, _ in found), f"{name}: names and inodes as debugfs lists them")
    inodes = {e["ino"]: e for e in got.entries.values()}
    some = [i for n, i in enumerate(sorted(inodes)) if n < 300 or n % 10 == 0]
    wrong = []
    for ino, st in ref.stat(some).items():
        e = inodes[ino]
        for k, v in (("flags", e["iflags"]), ("links", e["nlink"]), ("uid", e["uid"]), ("gid", e["gid"]), ("rdev", e["rdev"]),
                     ("mtime", e["mtime"])):
            if st[k] != v:
                wrong.append((ino, k, st[k], v))
    for ino, attrs in ref.attributes(some).items():
        e = inodes[ino]
        label = attrs.get("security.selinux")
        if (label.rstrip(b"\0").decode() if label is not None else None) != e["selinux"]:
            wrong.append((ino, "selinux", label, e["selinux"]))
        cap = attrs.get("security.capability")
        bits = 0
        if cap:
            words = struct.unpack(f"<{len(cap) // 4}I", cap)
            bits = words[1] | (words[3] << 32 if len(words) >= 5 else 0)
        if bits != e["caps"]:
            wrong.append((ino, "caps", cap, e["caps"]))
    ght.check(not wrong and not bad, f"{name}: {len(some)} inodes as debugfs shows them", wrong[:4] or bad)


def compare_info(name, got, image):
    text = ght.run("dumpe2fs", "-h", image).decode(errors="replace")
    f = dict(re.findall(r"^([^:\n]+):\s+(.*)$", text, re.M))
    i = got.info
    pairs = [("uuid", f["Filesystem UUID"]), ("features", f["Filesystem features"].replace("(none)", "")), ("blocks", int(f["Block count"])),
             ("block_size", int(f["Block size"])), ("inodes", int(f["Inode count"])),
             ("label", f["Filesystem volume name"].replace("<none>", "")),
             ("mounted_on", f["Last mounted on"].replace("<not available>", "")),
             ("size", int(f["Block count"]) * int(f["Block size"]))]
    wrong = [(k, i[k], v) for k, v in pairs if i[k] != v]
    ght.check(not wrong, f"{name}: superblock as dumpe2fs shows it", wrong)


def mke2fs(image, root, size, *options):
    image.unlink(missing_ok=True)
    ght.run("mke2fs", "-q", "-F", *options, "-d", root, image, size)


VARIANTS = [
    # name, size, options, with attributes
    ("ext4 1k", "120M", ["-t", "ext4", "-b", "1024"], True),
    ("ext4 4k 256", "160M", ["-t", "ext4", "-b", "4096", "-I", "256"], True),
    ("ext4 4k 128", "160M", ["-t", "ext4", "-b", "4096", "-I", "128"], True),
    ("ext4 2k 512", "160M", ["-t", "ext4", "-b", "2048", "-I", "512"], True),
    ("ext4 8k", "400M", ["-t", "ext4", "-b", "8192", "-N", "5000"], True),
    ("ext4 64k", "800M", ["-t", "ext4", "-b", "65536", "-N", "5000"], False),
    ("ext2 1k", "120M", ["-t", "ext2", "-b", "1024"], True),
    ("ext2 4k", "160M", ["-t", "ext2", "-b", "4096"], True),
    ("ext3", "160M", ["-t", "ext3", "-b", "1024"], True),
    ("ext2 revision 0", "120M", ["-t", "ext2", "-r", "0", "-b", "1024"], False),
    ("block maps", "160M", ["-t", "ext4", "-O", "^extent,^64bit", "-b", "1024"], True),
    ("no metadata_csum", "160M", ["-t", "ext4", "-O", "^metadata_csum"], True),
    ("uninit_bg", "160M", ["-t", "ext4", "-b", "1024", "-O", "^metadata_csum,uninit_bg,^64bit"], True),
    ("uninit_bg 64bit", "160M", ["-t", "ext4", "-b", "1024", "-O", "^metadata_csum,uninit_bg,64bit"], True),
    ("csum seed", "160M", ["-t", "ext4", "-O", "metadata_csum,metadata_csum_seed"], True),
    ("32bit", "160M", ["-t", "ext4", "-O", "^64bit"], True),
    ("inline data 256", "160M", ["-t", "ext4", "-O", "inline_data", "-I", "256"], "dense"),
    ("inline data 1024", "160M", ["-t", "ext4", "-O", "inline_data", "-I", "1024"], "dense"),
    ("bigalloc", "300M", ["-t", "ext4", "-O", "bigalloc", "-C", "16384"], True),
    ("bigalloc 1k", "300M", ["-t", "ext4", "-O", "bigalloc", "-b", "1024", "-C", "4096"], True),
    ("meta_bg", "160M", ["-t", "ext4", "-b", "1024", "-O", "meta_bg,^resize_inode"], True),
    ("meta_bg 64bit", "160M", ["-t", "ext4", "-b", "1024", "-O", "meta_bg,^resize_inode,64bit"], True),
    ("no flex_bg", "160M", ["-t", "ext4", "-b", "1024", "-O", "^flex_bg"], True),
    ("sparse_super2", "160M", ["-t", "ext4", "-O", "sparse_super2,^resize_inode"], True),
    ("no sparse_super", "160M", ["-t", "ext4", "-b", "1024", "-O", "^sparse_super,^resize_inode"], True),
    ("small groups", "160M", ["-t", "ext4", "-b", "1024", "-g", "2048"], True),
    ("no filetype", "160M", ["-t", "ext4", "-O", "^filetype"], True),
    ("ea_inode", "160M", ["-t", "ext4", "-O", "ea_inode"], True),
    ("many features", "160M", ["-t", "ext4", "-E", "encoding=utf8", "-O",
                               "casefold,encrypt,verity,large_dir,project,quota,mmp,stable_inodes"], True),
]


def test_variants(work, variants):
    plain, full, dense = work / "plain", work / "full", work / "dense"
    make_tree(plain, False)
    make_tree(full, True)
    make_tree(dense, True)
    shutil.rmtree(dense / "sparse")  # of sparse files mke2fs loses the end when it may store data inline
    trees = {False: plain, True: full, "dense": dense}
    want = {k: expected(v) for k, v in trees.items()}
    image = work / "v.img"
    for name, size, options, attrs in variants:
        mke2fs(image, trees[attrs], size, *options)
        if "many" in name or "csum seed" in name:
            ght.run("tune2fs", "-L", "a label", "-M", "/system", image)
        got = Drive(image)
        compare(name, got, want[attrs])
        compare_debugfs(name, got, image)
        compare_info(name, got, image)
        if name in ("ext4 1k", "no metadata_csum", "ext2 1k", "many features", "inline data 256"):
            subprocess.run(["e2fsck", "-fyD", image], capture_output=True)
            got = Drive(image)
            compare(name + ", hash trees", got, want[attrs])
            indexed = [p for p, e in got.entries.items() if e["ftype"] == "dir" and e["iflags"] & 0x1000]
            if "dir_index" in got.info["features"]:
                ght.check(b"/many" in indexed, name + ": the large directory has a hash tree")
    image.unlink()
    for tree in trees.values():
        shutil.rmtree(tree)


def debugfs_write(image, *commands):
    out = subprocess.run(["debugfs", "-w", "-f", "-", image], input="\n".join(commands).encode() + b"\n", capture_output=True)
    return out.stdout + out.stderr


def patch(image, at, data):
    with open(image, "r+b") as f:
        f.seek(at)
        f.write(data)


def peek(image, at, n):
    with open(image, "rb") as f:
        f.seek(at)
        return f.read(n)


def small_tree(work):
    root = work / "small"
    (root / "a/b/c").mkdir(parents=True)
    for i in range(20):
        (root / f"a/f{i:02d}").write_bytes(pattern(3000 + 200 * i, i))
    sparse(root / "a/comb", 700 * 8192, [(i * 8192, 4096) for i in range(700)])
    (root / "a/b/c/end").write_bytes(b"end")
    return root


def test_made_by_debugfs(work, root):
    """What mke2fs -d does not make."""
    image = work / "d.img"
    mke2fs(image, root, "64M", "-t", "ext4", "-b", "16384", "-O", "ea_inode,verity")
    before = Drive(image)
    long_label = b"u:object_r:" + b"v" * 2500 + b":s0\0"
    (work / "value").write_bytes(long_label)
    (work / "value3").write_bytes(b"u:object_r:" + b"w" * 9000 + b":s0\0")
    (work / "cap3").write_bytes(struct.pack("<6I", 0x03000001, 0x1000, 0, 0x20, 0, 1000))
    (work / "cap1").write_bytes(struct.pack("<3I", 0x01000000, 0xff, 0))
    (work / "cap9").write_bytes(struct.pack("<3I", 0x09000000, 0xff, 0))
    out = debugfs_write(
        image, f"ea_set -f {work}/value /a/f00 security.selinux", f"ea_set -f {work}/value3 /a/f01 security.selinux",
        "sif /a/f02 flags 0x80030", "sif /a/f03 flags 0x180000", "sif /a/f04 flags 0x80800",
        f"ea_set -f {work}/cap3 /a/f06 security.capability", f"ea_set -f {work}/cap1 /a/f07 security.capability",
        f"ea_set -f {work}/cap9 /a/f10 security.capability",
        "write /dev/null empty", "fallocate /empty 0 99", "sif /empty size 51200",
        "sif /a/f08 mtime @0x80000000", "sif /a/f08 mtime_extra 1",
        "ea_set /a/f09 trusted.overlay.opaque y")
    got = Drive(image)
    name = "debugfs"
    ght.equal(got.entries[b"/a/f00"]["selinux"], long_label[:-1].decode(), name + ": label in an inode of its own")
    ght.equal(got.entries[b"/a/f01"]["selinux"], None, name + ": label of 9,000 bytes is refused")
    ght.check(got.has_note("attribute of 90"), name + ": and said", got.notes)
    for path, bits, words in ((b"/a/f02", 0x30, "immutable and append"), (b"/a/f03", 0x100000, "verity")):
        ght.equal(got.entries[path]["iflags"] & 0x100030, bits, name + ": flags " + words)
        ght.equal(got.entries[path]["sha256"], before.entries[path]["sha256"], name + f": content with {words}")
    ght.equal(got.entries[b"/a/f04"]["child"], None, name + ": encrypted content is not read")
    ght.check(got.has_note("is encrypted"), name + ": encryption is noted")
    ght.equal(got.entries[b"/a/f06"]["caps"], 0x2000001000, name + ": capability revision 3")
    ght.equal(got.entries[b"/a/f07"]["caps"], 0xff, name + ": capability revision 1")
    ght.equal(got.entries[b"/empty"]["sha256"], ght.sha(bytes(51200)), name + ": unwritten extents are zeros", )
    ght.equal(got.entries[b"/a/f08"]["mtime"], -2**31 + 2**32, name + ": mtime with an epoch bit")
    ght.check(got.has_note("security.capability of 12 bytes, revision 9"), name + ": capability of another revision", got.notes)
    other = [n["what"] for n in got.notes if not re.search("encrypted|attribute of|revision 9", n["what"])]
    ght.equal(other, [], name + ": no other notes" + ("" if not other else str(out)))
    ref = Debugfs(image)
    ght.equal(ref.dump([got.entries[b"/empty"]["ino"]], work)[got.entries[b"/empty"]["ino"]][0], bytes(51200),
              name + ": debugfs reads them so too")


def test_structure(work, root):
    """Loops, second parents, lost inodes, a journal that needs recovery."""
    image = work / "s.img"
    opts = ["-t", "ext4", "-b", "1024", "-O", "^metadata_csum"]
    mke2fs(image, root, "32M", *opts)
    plain = Drive(image)
    debugfs_write(image, "link /a /a/b/loop", "link <2> /a/b/c/root", "link /a/b/c /second")
    got = Drive(image)
    ght.equal(sorted(set(got.entries) - set(plain.entries)), [b"/a/b/c/root", b"/a/b/loop", b"/second"],
              "loops: each directory is entered once")
    ght.equal(sum("second name" in n["what"] for n in got.notes), 3, "loops: each is noted")
    mke2fs(image, root, "32M", *opts)
    debugfs_write(image, "unlink /a/f00", "unlink /a/f01")
    got = Drive(image)
    ght.check(got.has_note("^2 inodes are in use, but no name"), "inodes without a name are counted", got.notes)
    ght.check(b"/a/f00" not in got.entries, "and not listed")
    mke2fs(image, root, "32M", *opts)
    debugfs_write(image, "feature needs_recovery")
    got = Drive(image)
    ght.equal(got.info["journal"], 1, "journal needs recovery")
    ght.check(got.has_note("journal needs recovery") and got.status == "unsup", "and that is noted", got.notes)
    ght.equal(set(got.entries), set(plain.entries), "and all is read")
    ght.equal(plain.info["journal"], 0, "a clean journal needs none")
    mke2fs(image, root, "32M", *opts)
    ino = plain.entries[b"/a/f03"]["ino"]
    debugfs_write(image, f"sif /a/b parent_ino 1", f"link <7> /reserved", f"clri <{ino}>", "sif /a/f05 links_count 0")
    got = Drive(image)
    ght.check(got.has_note('"f03" names inode %d, which is no file' % ino), "an entry for a cleared inode", got.notes)
    ght.check(b"/a/f03" not in got.entries, "is stepped over")
    ght.check(got.has_note('"reserved" names inode 7'), "a name for a reserved inode", got.notes)
    ght.check(got.has_note('"f05" names inode .* should have no name'), "a name for an inode without links", got.notes)
    ght.equal(got.entries[b"/a/f05"]["sha256"], plain.entries[b"/a/f05"]["sha256"], "which is read all the same")


def inode_at(image, ino):
    m = re.search(rb"located at block (\d+), offset 0x([0-9a-f]+)", ght.run("debugfs", "-R", f"imap <{ino}>", image))
    return int(m[1]) * 1024 + int(m[2], 16)


def first_block(image, path):
    return int(ght.run("debugfs", "-R", f"blocks {path}", image).split()[0]) * 1024


def test_damage(work, root):
    """Each checksum is looked at, each damage is told where it is, and the rest is read."""
    image, good = work / "x.img", work / "good.img"
    mke2fs(good, root, "32M", "-t", "ext4", "-b", "1024", "-O", "metadata_csum,64bit,^flex_bg")
    plain = Drive(good)
    ght.equal((plain.status, plain.notes), ("ok", []), "undamaged: nothing to say")
    nodes = re.findall(rb"\(ETB(\d)\):(\d+)", ght.run("debugfs", "-R", "stat /a/comb", good))
    tree_node, leaf = [int(n) * 1024 for _, n in nodes[:2]]
    ght.equal([d for d, _ in nodes[:2]], [b"0", b"1"], "the test file has extents of depth 2")
    f07, comb = inode_at(good, plain.entries[b"/a/f07"]["ino"]), inode_at(good, plain.entries[b"/a/comb"]["ino"])
    dir_a = first_block(good, "/a")
    cases = [
        ("superblock checksum", 1024 + 0x88, b"/elsewhere", "superblock checksum does not match; the copy at byte 8389632", None),
        ("superblock gone", 1024, bytes(1024), "no ext4 superblock; the copy at byte 8389632 is used", None),
        ("superblock geometry", 1024 + 0x28, b"\0\0\0\0", "0 inodes a group.*; the copy", None),
        ("group descriptor", 2048 + 0x0c, b"\xff\xff", "group 0: descriptor checksum does not match; its copy is used", 2048),
        ("inode table elsewhere", 2048 + 8, b"\xff\xff\xff\x7f", "group 0: its inode table lies outside; its copy", 2048 + 8),
        ("inode", f07 + 0x10, b"\1", "inode %d: checksum does not match" % plain.entries[b"/a/f07"]["ino"], f07 + 0x7c),
        ("directory block", dir_a + 0x0a, b"X", "directory %d: block checksum" % plain.entries[b"/a"]["ino"], dir_a),
        ("extent block", tree_node + 8, b"\1", "inode %d: extent block checksum" % plain.entries[b"/a/comb"]["ino"], tree_node),
    ]
    for name, at, data, words, where in cases:
        shutil.copyfile(good, image)
        patch(image, at, data)
        got = Drive(image)
        hit = [n for n in got.notes if re.search(words, n["what"])]
        ght.check(bool(hit), f"damage: {name} is noted", got.notes)
        if where is not None and hit:
            ght.equal(hit[0]["at"], where, f"damage: {name}: where")
        same = {p for p, e in plain.entries.items()
                if p in got.entries and got.entries[p]["sha256"] == e["sha256"]}
        lost = set(plain.entries) - same
        ght.equal(len(lost), 0, f"damage: {name}: everything is still read")
        ght.equal(len(got.notes), len(hit), f"damage: {name}: nothing else is said")
    test_damaged_maps(good, image, plain, leaf, comb)


def test_damaged_maps(good, image, plain, node, comb):
    shutil.copyfile(good, image)
    patch(image, node, b"\0\0")
    got = Drive(image)
    ght.check(got.has_note("not an extent node"), "maps: a node without its magic number", got.notes)
    ght.check(got.entries[b"/a/comb"]["sha256"] not in (None, plain.entries[b"/a/comb"]["sha256"]), "maps: the rest of it is read")
    shutil.copyfile(good, image)
    patch(image, comb + 0x28 + 12 + 4, struct.pack("<I", comb // 1024))
    got = Drive(image)
    ght.check(got.has_note("not an extent node"), "maps: an index that leads to an inode", got.notes)
    shutil.copyfile(good, image)
    patch(image, node + 12 + 8, struct.pack("<I", 0x7fffffff))
    got = Drive(image)
    ght.check(got.has_note("block 2147483647 of the file system does not exist"), "maps: an extent outside", got.notes)
    for size in (9 << 20, 4 << 20, 300 << 10, 5000, 2048, 1500):
        shutil.copyfile(good, image)
        os.truncate(image, size)
        got = Drive(image)
        ght.check(got.status in ("short", "bad") if size >= 2048 else got.status is None, f"cut at {size}: told", got.why)
    got_names = set(got.entries)
    ght.equal(got_names - set(plain.entries), set(), "cut: no names from nowhere")


def test_names(work):
    """Directory entries no tool makes, written into a block of a file system without checksums."""
    root, image = work / "names", work / "n.img"
    root.mkdir()
    for n in ("aaaa", "bbbb", "cccc", "dddd", "eeee"):
        (root / n).write_bytes(n.encode())
    mke2fs(image, root, "8M", "-t", "ext2", "-b", "1024")
    good = image.read_bytes()
    block = first_block(image, "/")
    data = good[block:block + 1024]

    def changed(old, new):
        at = data.index(old)
        image.write_bytes(good[:block + at] + new + good[block + at + len(new):])
        return Drive(image)
    got = changed(b"aaaa", b"a/a\0")
    ght.check(b"/a/a\0" in got.entries and got.has_note("is not a name"), "names: slash and zero", got.notes)
    at = data.index(b"bbbb")
    got = changed(b"bbbb", b"..")
    ght.check(b"/cccc" in got.entries, "names: what follows is read")
    image.write_bytes(good[:block + at - 4] + b"\2\0" + good[block + at - 2:])
    got = Drive(image)
    ght.check(got.has_note("entry of length 2") and b"/aaaa" in got.entries, "names: a broken length is noted", got.notes)
    image.write_bytes(good[:block] + b"\x0c" + good[block + 1:])
    got = Drive(image)
    ght.check(got.has_note('"." leads to inode 12, not 2') and b"/aaaa" in got.entries, 'names: "." that leads elsewhere', got.notes)
    image.write_bytes(good[:block + at - 1] + b"\2" + good[block + at:])
    got = Drive(image)
    ght.check(got.has_note('"bbbb" says type 2, inode'), "names: another type than the inode's", got.notes)


def test_seeds(work):
    """The hand-made seeds: the undamaged ones are sound to e2fsck, and to us."""
    folder = pathlib.Path(__file__).parent / "seeds"
    for name, data in make_seeds.seeds():
        ght.equal(ght.sha((folder / name).read_bytes()), ght.sha(data), f"seed {name} is what make_seeds.py makes")
    for name in ("ext4", "ext4_nocsum", "ext2"):
        image = work / "seed"
        shutil.copyfile(folder / name, image)
        p = subprocess.run(["e2fsck", "-fn", "-E", "no_optimize_extents", image], capture_output=True)
        ght.equal(p.returncode, 0, f"seed {name} is sound to e2fsck")
        got = Drive(image)
        ght.equal((got.status, got.notes), ("ok", []), f"seed {name} is sound to us")
        compare_debugfs(f"seed {name}", got, image)


def main():
    work = ght.tmp()
    only = sys.argv[1:]
    if only != ["-"]:  # names of variants; "-": none of them
        test_variants(work, [v for v in VARIANTS if not only or v[0] in only])
        if only:
            ght.done()
    root = small_tree(work)
    test_made_by_debugfs(work, root)
    test_structure(work, root)
    test_damage(work, root)
    test_names(work)
    test_seeds(work)
    ght.done()


if __name__ == "__main__":
    main()
