# SPDX-License-Identifier: Apache-2.0
"""A tree of files for the tests of file systems (every kind, size and attribute), its facts, and their comparison with what was read."""
import hashlib
import os
import pathlib
import random
import shutil
import socket
import stat
import struct

import ght

ROOT = os.geteuid() == 0
WORDS = [w.encode() for w in "ro.build vendor system/lib64 android.permission. service class main user root exec seclabel".split()]
FTYPE = {stat.S_IFREG: "file", stat.S_IFDIR: "dir", stat.S_IFLNK: "link", stat.S_IFCHR: "char", stat.S_IFBLK: "block",
         stat.S_IFIFO: "fifo", stat.S_IFSOCK: "socket"}


def text(rng, n):
    out = bytearray()
    while len(out) < n:
        out += rng.choice(WORDS) + b"%d\n" % rng.randrange(1000)
    return bytes(out[:n])


def mixed(rng, n):
    """Compressible and incompressible by turns, so that all kinds of clusters follow each other."""
    out = bytearray()
    while len(out) < n:
        k = rng.randrange(1, 40000)
        out += rng.choice([lambda: text(rng, k), lambda: rng.randbytes(k), lambda: bytes(k), lambda: rng.randbytes(7) * (k // 7)])()
    return bytes(out[:n])


def put(path, data):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def sizes(rng, base):
    for n in list(range(0, 70)) + list(range(4090, 4102)) + [8191, 8192, 8193, 12288, 16385, 65535, 65536, 65537, 131073]:
        put(base / f"t{n}", text(rng, n))
        put(base / f"r{n}", rng.randbytes(n))
    for n in rng.sample(range(70, 4090), 60) + rng.sample(range(4102, 70000), 60):
        put(base / f"t{n}", text(rng, n))
        put(base / f"m{n}", mixed(rng, n))


def large(rng, base):
    put(base / "text", text(rng, 3 << 20))
    put(base / "zeros", bytes((2 << 20) + 5))
    put(base / "random", rng.randbytes((1 << 20) + 77))
    for i in range(4):
        put(base / f"mixed{i}", mixed(rng, rng.randrange(300000, 1500000)))
    put(base / "period", rng.randbytes(301) * 7000)
    shutil.copy("/bin/bash", base / "elf")
    with open(base / "sparse", "wb") as f:
        f.write(b"begin")
        f.seek((1 << 20) + 4096 * 3)
        f.write(b"middle" * 1000)
        f.truncate(3 << 20)
    with open(base / "all_hole", "wb") as f:
        f.truncate(60001)


def kinds(base):
    base.mkdir()
    put(base / "file", b"content\n")
    os.link(base / "file", base / "hard")
    os.symlink("file", base / "soft")
    os.symlink("/" + "long/" * 800 + "x", base / "soft_long")
    os.symlink("x" * 40, base / "soft40")
    os.mkfifo(base / "fifo")
    s = socket.socket(socket.AF_UNIX)
    here = os.getcwd()
    os.chdir(base)  # names of sockets are short
    s.bind("sock")
    os.chdir(here)
    s.close()
    (base / "empty_dir").mkdir()
    for m in (0o4755, 0o2755, 0o1777, 0o000, 0o6711):
        put(base / f"mode{m:o}", b"m")
        os.chmod(base / f"mode{m:o}", m)
    for t in (0, 1, 1 << 31, (1 << 32) + 5):
        put(base / f"time{t}", b"t")
        os.utime(base / f"time{t}", (t, t))
    put(pathlib.Path(os.fsdecode(os.fsencode(base) + b"/not\xffutf8 \x01\t\"'\\")), b"name")
    put(base / ("n" * 254), b"the longest name that mkfs.erofs 1.5 takes")
    if ROOT:
        os.mknod(base / "chr", stat.S_IFCHR | 0o620, os.makedev(10, 229))
        os.mknod(base / "blk", stat.S_IFBLK | 0o660, os.makedev(259, 70000))
        for i, (u, g) in enumerate([(1000, 2000), (65535, 65535), (65536, 1), (3000000000, 4000000000)]):
            put(base / f"owner{i}", b"o")
            os.chown(base / f"owner{i}", u, g)
    else:
        ght.skip("device nodes and owners", "needs root")


def xattrs(base):
    """Returns {path: capability bits} or None when this file system has none."""
    base.mkdir()
    if not ROOT:
        return ght.skip("extended attributes", "needs root")
    for i in range(12):
        put(base / f"x{i}", b"x" * i)
        try:
            os.setxattr(base / f"x{i}", "user.shared", b"the same value in many files, so that it is stored once")
        except OSError as e:
            return ght.skip("extended attributes", f"cannot be set here ({e.strerror})")
        os.setxattr(base / f"x{i}", "trusted.own", b"%d" % i * i)
        os.setxattr(base / f"x{i}", "user.selinux", b"not a label")
    caps = {"x1": (1 << 21, 2), "x2": (1 << 38 | 1 << 7, 2), "x3": (1 << 12, 3), "x4": (1 << 39 | 1, 3)}
    for name, (bits, rev) in caps.items():
        value = struct.pack("<5I", rev << 24 | 1, bits & 0xffffffff, 0, bits >> 32, 0)
        os.setxattr(base / name, "security.capability", value + (struct.pack("<I", 0) if rev == 3 else b""))
    for i in range(5, 9):
        try:
            os.setxattr(base / f"x{i}", "security.selinux", b"u:object_r:system_file:s0\0")
        except OSError as e:
            ght.skip("labels on files", f"cannot be set here ({e.strerror})")
            break
    return caps


def tree(root):
    rng = random.Random(7)
    sizes(rng, root / "sizes")
    (root / "large").mkdir()
    large(rng, root / "large")
    kinds(root / "kinds")
    xattrs(root / "xattrs")
    deep = root
    for i in range(70):
        deep = deep / f"d{i}"
    put(deep / "bottom", b"deep down\n")
    (root / "many").mkdir()
    for i in range(2500):
        (root / "many" / f"file_with_a_rather_long_name_{i * 7919 % 100003:06d}").touch()
    for i in range(60):
        put(root / "dirs" / f"sub{i}" / "f", b"%d" % i)


def escape(name):
    """As gh_escape prints names."""
    out = ""
    for c in name.decode("utf-8", "surrogateescape"):
        if 0xdc80 <= ord(c) <= 0xdcff:
            out += "\\x%02x" % (ord(c) - 0xdc00)
        else:
            out += "\\x%02x" % ord(c) if ord(c) < 32 or ord(c) == 127 else c
    return out


def sha_file(path):
    with open(path, "rb") as f:
        return hashlib.sha256(f.read()).hexdigest()


def xattr_facts(path):
    label, caps = None, 0
    try:
        names = os.listxattr(path, follow_symlinks=False)
    except OSError:
        return label, caps
    if "security.selinux" in names:
        label = os.getxattr(path, "security.selinux", follow_symlinks=False).rstrip(b"\0").decode()
    if "security.capability" in names:
        v = os.getxattr(path, "security.capability", follow_symlinks=False)
        caps = struct.unpack_from("<I", v, 4)[0] | struct.unpack_from("<I", v, 12)[0] << 32
    return label, caps


def facts_of_tree(root):
    out = {}
    root_b = os.fsencode(root)
    for d, dirs, files in os.walk(root_b):
        for name in dirs + files:
            p = os.path.join(d, name)
            st = os.lstat(p)
            t = stat.S_IFMT(st.st_mode)
            label, caps = xattr_facts(p)
            dev = t in (stat.S_IFCHR, stat.S_IFBLK)
            out[escape(p[len(root_b):])] = {
                "ftype": FTYPE[t], "mode": stat.S_IMODE(st.st_mode), "uid": st.st_uid, "gid": st.st_gid,
                "mtime": int(st.st_mtime // 1), "nlink": st.st_nlink, "rdev": st.st_rdev if dev else 0,
                "link_target": escape(os.readlink(p)) if t == stat.S_IFLNK else None, "selinux": label, "caps": caps,
                "size": st.st_size if t in (stat.S_IFREG, stat.S_IFLNK) else None,
                "sha256": sha_file(p) if t == stat.S_IFREG else None, "key": (st.st_dev, st.st_ino)}
    return out


def facts_of_image(rows):
    blob = {r["blob"]: r["sha256"] for r in rows if r["table"] == "blobs" and "sha256" in r}
    image = rows[0]["blob"]
    out = {}
    for r in ght.rows(rows, "entries", blob=image):
        if r["path"] in out:
            ght.check(False, "no path twice", r["path"])
        out[r["path"]] = dict(r, sha256=blob.get(r["child"]) if r["ftype"] == "file" else None)
    return out


def compare(name, got, want, **other):
    """All files and attributes; `other` replaces what the options of mkfs.erofs changed (None: not compared)."""
    ght.equal(sorted(set(got) ^ set(want)), [], f"{name}: the same {len(want)} paths")
    wrong = []
    for path in sorted(set(got) & set(want)):
        for k, v in want[path].items():
            if k in ("key",) or (k == "size" and v is None):
                continue
            if k in other:
                v = other[k](want[path]) if callable(other[k]) else other[k]
                if v is Ellipsis:
                    continue
            if got[path][k] != v:
                wrong.append((path[-60:], k, got[path][k], v))
    ght.equal(wrong[:5], [], f"{name}: every attribute and every byte")
    links = {}
    for path, w in want.items():
        if path in got and w["ftype"] == "file":
            links.setdefault(w["key"], set()).add(got[path]["ino"])
    ght.check(all(len(v) == 1 for v in links.values()) and len(set.union(*links.values())) == len(links),
              f"{name}: one inode a file, hard links share it")
