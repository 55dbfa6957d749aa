# SPDX-License-Identifier: Apache-2.0
"""A partition's tree in memory, and its image: ext4 by mke2fs and debugfs, EROFS by mkfs.erofs.

ext4 needs no privilege: owners, modes, labels, capabilities and inode flags are set by debugfs.
EROFS takes the owners from the tree: run as root, or under fakeroot."""
import hashlib
import os
import re
import shutil
import struct
import subprocess

TIME = 1230768000                                   # 2009-01-01, as Android's build stamps every file
IMMUTABLE, NODUMP, NOATIME = 0x10, 0x40, 0x80       # inode flags, Documentation/filesystems/ext4/inodes.rst

# first match wins; paths as on the device
LABELS = [(re.compile(p), t) for p, t in (
    (r"/system/bin/(init|sh|toybox|toolbox|adbd|run-as|crash_dump64|clatd|netd|logd|vold|surfaceflinger|servicemanager)$",
     None),
    (r"/(system|product|system_ext)/lib(64)?(/|$)", "system_lib_file"),
    (r"/system/etc/security/cacerts(/|$)", "system_security_cacerts_file"),
    (r"/system/etc/hosts$", "system_file"),
    (r"/vendor/etc(/|$)", "vendor_configs_file"), (r"/vendor/lib(64)?(/|$)", "vendor_file"),
    (r"/vendor/overlay(/|$)", "vendor_overlay_file"), (r"/vendor/app(/|$)", "vendor_app_file"),
    (r"/(vendor|odm)(/|$)", "vendor_file"), (r"/(system|product|system_ext)(/|$)", "system_file"),
    (r"/$", "rootfs"), (r"/", "rootfs"))]
DOMAINS = {"sh": "shell_exec", "toybox": "toolbox_exec", "toolbox": "toolbox_exec", "init": "init_exec",
           "run-as": "runas_exec"}


class Node:
    def __init__(self, kind, data=b"", src=None, mode=0o644, uid=0, gid=0, caps=0, flags=0, target=None):
        self.kind, self.data, self.src, self.mode = kind, data, src, mode
        self.uid, self.gid, self.caps, self.flags, self.target = uid, gid, caps, flags, target

    def size(self):
        return os.path.getsize(self.src) if self.src else len(self.data)


class Tree:
    """mount: where the image's root lies on the device. Paths given to add() are inside the image."""

    def __init__(self, mount):
        self.mount, self.nodes = mount, {}

    def add(self, path, data=b"", **how):
        data = data.encode() if isinstance(data, str) else data
        self._parents(path)
        if "mode" not in how and re.search(r"(^|/)(bin|xbin)/", path):
            how = dict(how, mode=0o755, gid=how.get("gid", 2000))
        self.nodes[path] = Node("file", data, **how)

    def link(self, path, target):
        self._parents(path)
        self.nodes[path] = Node("link", mode=0o777, target=target)

    def folder(self, path, mode=0o755, uid=0, gid=0):
        self._parents(path)
        self.nodes[path] = Node("dir", mode=mode, uid=uid, gid=gid)

    def _parents(self, path):
        parts = path.split("/")[:-1]
        for i in range(1, len(parts) + 1):
            name = "/".join(parts[:i])
            if name not in self.nodes:
                shell = parts[i - 1] in ("bin", "xbin")
                self.nodes[name] = Node("dir", mode=0o751 if shell else 0o755, gid=2000 if shell else 0)

    def drop(self, path):
        del self.nodes[path]

    def label(self, path):
        full = (self.mount.rstrip("/") + "/" + path).rstrip("/") or "/"
        for pattern, name in LABELS:
            if pattern.search(full):
                base = os.path.basename(full)
                return "u:object_r:%s:s0" % (name or DOMAINS.get(base, base.replace("-", "_") + "_exec"))
        return "u:object_r:unlabeled:s0"

    def write(self, root):
        """Lay the tree out under root with neutral modes; returns bytes of content."""
        shutil.rmtree(root, ignore_errors=True)
        os.makedirs(root)
        total = 0
        for path in sorted(self.nodes):
            node, full = self.nodes[path], os.path.join(root, path)
            if node.kind == "dir":
                os.mkdir(full, 0o755)
            elif node.kind == "link":
                os.symlink(node.target, full)
            elif node.src:
                shutil.copyfile(node.src, full)
            else:
                with open(full, "wb") as out:
                    out.write(node.data)
            if node.kind == "file":
                total += (node.size() + 4095) // 4096 * 4096
                os.chmod(full, 0o644)
        for path in sorted(self.nodes, reverse=True):
            os.utime(os.path.join(root, path), (TIME, TIME), follow_symlinks=False)
        os.utime(root, (TIME, TIME))
        return total


def run(args, **kw):
    env = dict(os.environ, E2FSPROGS_FAKE_TIME=str(TIME), SOURCE_DATE_EPOCH=str(TIME), LC_ALL="C", TZ="UTC")
    done = subprocess.run(args, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=env, **kw)
    if done.returncode:
        raise RuntimeError("%s: %s" % (" ".join(args[:6]), done.stdout.decode(errors="replace")))
    return done.stdout.decode(errors="replace")


def capability(mask):
    """vfs_cap_data revision 2 with the effective bit, as linux/capability.h lays it out."""
    return struct.pack("<IIIII", 0x02000001, mask & 0xFFFFFFFF, 0, mask >> 32, 0)


def uuid_of(name):
    h = hashlib.sha256(name.encode()).hexdigest()
    return "-".join((h[:8], h[8:12], "4" + h[13:16], "a" + h[17:20], h[20:32]))


FORMAT = {"dir": 0o040000, "file": 0o100000, "link": 0o120000}


def debugfs_script(tree, values):
    """Commands that give every inode its owner, mode, times, label, capability and flags."""
    lines, written = [], {}

    def value_file(data):
        if data not in written:
            written[data] = os.path.join(values, "v%d" % len(written))
            with open(written[data], "wb") as out:
                out.write(data)
        return written[data]

    for path, node in [("", Node("dir", mode=0o755))] + sorted(tree.nodes.items()):
        at = "/" + path
        fields = [("mode", "0%o" % (FORMAT[node.kind] | node.mode)), ("uid", node.uid), ("gid", node.gid)]
        fields += [(name, "@%d" % TIME) for name in ("atime", "mtime", "ctime", "crtime")]
        lines += ["sif %s %s %s" % (at, name, value) for name, value in fields]
        lines.append("ea_set -f %s %s security.selinux" % (value_file(tree.label(path).encode() + b"\0"), at))
        if node.caps:
            lines.append("ea_set -f %s %s security.capability" % (value_file(capability(node.caps)), at))
    # the flags last: debugfs itself would heed none of them, and they are one write each
    return lines, [(path, node.flags) for path, node in sorted(tree.nodes.items()) if node.flags]


def inode_flags(image, path):
    text = run(["debugfs", "-R", "stat /" + path, image])
    return int(re.search(r"Flags: 0x([0-9a-f]+)", text).group(1), 16)


def ext4(tree, image, work, name, features=(), block_extra=256):
    root = os.path.join(work, name + ".tree")
    values = os.path.join(work, name + ".values")
    total = tree.write(root)
    shutil.rmtree(values, ignore_errors=True)
    os.makedirs(values)
    inodes = len(tree.nodes) + 64
    inodes = (inodes + 15) // 16 * 16
    blocks = total // 4096 + len(tree.nodes) + inodes // 16 + block_extra
    blocks += blocks // 50
    if os.path.exists(image):
        os.unlink(image)
    options = ["^has_journal", "^resize_inode", "^64bit", "^metadata_csum"] + list(features)
    seed = uuid_of(name + " hash seed")
    run(["mke2fs", "-q", "-F", "-t", "ext4", "-b", "4096", "-I", "256", "-m", "0", "-N", str(inodes),
         "-O", ",".join(options), "-L", name, "-M", tree.mount, "-U", uuid_of(name), "-d", root,
         "-E", "hash_seed=%s,lazy_itable_init=0,root_owner=0:0" % seed, image, str(blocks)])
    lines, flags = debugfs_script(tree, values)
    lines += ["sif /lost+found %s @%d" % (field, TIME) for field in ("atime", "mtime", "ctime", "crtime")]
    for path, extra in flags:
        lines.append("sif /%s flags 0x%x" % (path, inode_flags(image, path) | extra))
    lines += ["ssv wtime %d" % TIME, "ssv mtime 0", "ssv lastcheck %d" % TIME]
    script = os.path.join(values, "script")
    with open(script, "w", encoding="utf-8") as out:
        out.write("\n".join(lines) + "\n")
    said = run(["debugfs", "-w", "-f", script, image])
    wrong = [line for line in said.splitlines() if not line.startswith(("debugfs", "debugfs:"))]
    if wrong:
        raise RuntimeError("debugfs on %s: %s" % (name, wrong[:5]))
    shutil.rmtree(root)
    shutil.rmtree(values)


def file_contexts(tree, path):
    with open(path, "w", encoding="utf-8") as out:
        out.write("/ %s\n" % tree.label(""))
        for name in sorted(tree.nodes):
            out.write("/%s %s\n" % (re.escape(name).replace("\\-", "-"), tree.label(name)))


def erofs(tree, image, work, name, options=()):
    root = os.path.join(work, name + ".tree")
    contexts = os.path.join(work, name + ".contexts")
    tree.write(root)
    file_contexts(tree, contexts)
    for path in sorted(tree.nodes, reverse=True):
        node, full = tree.nodes[path], os.path.join(root, path)
        if node.mode & 0o6000 or node.caps:
            raise ValueError("%s: set-uid files and capabilities belong into an ext4 image" % path)
        os.chown(full, node.uid, node.gid, follow_symlinks=False)
        if node.kind != "link":
            os.chmod(full, node.mode)
        os.utime(full, (TIME, TIME), follow_symlinks=False)
    os.chown(root, 0, 0)
    os.utime(root, (TIME, TIME))
    if os.path.exists(image):
        os.unlink(image)
    run(["mkfs.erofs", "-T%d" % TIME, "-U" + uuid_of(name), "--file-contexts=" + contexts, *options, image, root])
    shutil.rmtree(root)
    os.unlink(contexts)
