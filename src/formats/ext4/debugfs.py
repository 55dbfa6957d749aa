# SPDX-License-Identifier: Apache-2.0
"""Reads a file system with debugfs, the reference: for the tests of this folder."""
import os
import re
import subprocess

TYPES = {1: "fifo", 2: "char", 4: "dir", 6: "block", 8: "file", 10: "link", 12: "socket"}


class Refused(Exception):
    """debugfs does not open the image."""


class Debugfs:
    """One image. Each call runs many commands in one process; answers come by command, with what it complained of."""

    def __init__(self, image, *options):
        self.image = str(image)
        self.options = list(options)

    def run(self, commands, file_limit=None):
        """A list of (stdout with stderr, as bytes), one a command."""
        if not commands:
            return []
        text = "".join(c + "\n" for c in commands)
        limit = ["prlimit", f"--fsize={file_limit}"] if file_limit else []
        p = subprocess.run(limit + ["stdbuf", "-oL", "debugfs", *self.options, "-f", "-", self.image],
                           input=text.encode(), capture_output=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                           env={**os.environ, "DEBUGFS_PAGER": "cat", "TZ": "UTC"}, timeout=600)
        out, answers, at = p.stdout, [], None
        marks, pos = [], 0
        for c in commands:
            mark = b"debugfs: " + c.encode() + b"\n"
            at = out.find(mark, pos)
            if at < 0:
                raise Refused(f"{c!r}: {out[-300:]!r}")
            marks.append((at, at + len(mark)))
            pos = at + len(mark)
        for i, (_, begin) in enumerate(marks):
            end = marks[i + 1][0] if i + 1 < len(marks) else len(out)
            answers.append(out[begin:end])
        first = out[:marks[0][0]]
        if b"while opening" in first or b"Filesystem not open" in b"".join(answers[:1]):
            raise Refused(first.decode(errors="replace").strip().splitlines()[-1])
        return answers

    def list_dirs(self, inodes):
        """{inode: ([(name, inode, mode, size)], complaint)}"""
        ret = {}
        for ino, text in zip(inodes, self.run([f"ls -l -p <{i}>" for i in inodes])):
            entries = [(m[5], int(m[1]), int(m[2], 8), int(m[6] or 0)) for m in ENTRY.finditer(text)]
            ret[ino] = [e for e in entries if e[1] and e[0] not in (b".", b"..")], ENTRY.sub(b"", text).strip()
        return ret

    def list_all(self, hints=()):
        """[(path, inode, mode)] without "." and "..", {directory inode: complaint}, {inode: size}; each directory is entered
        once. hints: inodes of directories, asked for together (only those that names lead to count)."""
        found, bad, sizes, seen = [], {}, {}, {2}
        known = self.list_dirs([2, *hints])
        level = [(b"", 2)]
        while level:
            known.update(self.list_dirs([ino for _, ino in level if ino not in known]))
            below = []
            for path, ino in level:
                entries, complaint = known[ino]
                if complaint:
                    bad[ino] = complaint
                for name, child, mode, size in entries:
                    found.append((path + b"/" + name, child, mode))
                    sizes[child] = size
                    if mode >> 12 == 4 and child not in seen:
                        seen.add(child)
                        below.append((path + b"/" + name, child))
            level = below
        return found, bad, sizes

    def stat(self, inodes):
        """{inode: dict of what `stat` says}"""
        ret = {}
        for ino, text in zip(inodes, self.run([f"stat <{i}>" for i in inodes])):
            ret[ino] = stat_fields(text)
        return ret

    def attributes(self, inodes):
        """{inode: {name: value}} for the attributes named."""
        lists = self.run([f"ea_list <{i}>" for i in inodes])
        ret, wanted = {i: {} for i in inodes}, []
        for ino, text in zip(inodes, lists):
            for name in (b"security.selinux", b"security.capability"):
                if re.search(rb"^\s+" + re.escape(name) + rb" \(", text, re.M):
                    wanted.append((ino, name.decode()))
        for (ino, name), text in zip(wanted, self.run([f"ea_get -V -x <{i}> {n}" for i, n in wanted])):
            ret[ino][name] = bytes.fromhex(re.sub(rb"[^0-9a-f]", b"", text).decode())
        return ret

    def dump(self, inodes, folder):
        """{inode: (bytes, complaint)} of regular files."""
        ret = {}
        texts = self.run([f"dump <{i}> {folder}/{i}" for i in inodes], file_limit=1 << 28)
        for ino, text in zip(inodes, texts):
            try:
                with open(f"{folder}/{ino}", "rb") as f:
                    ret[ino] = (f.read(), text.strip())
                os.unlink(f"{folder}/{ino}")
            except FileNotFoundError:
                ret[ino] = (None, text.strip())
        return ret


ENTRY = re.compile(rb"^/(\d+)/(\d{6})/(\d+)/(\d+)/(.*?)/(\d*)/\n", re.M | re.S)


def stat_fields(text):
    """The numbers of debugfs' `stat`."""
    def field(pattern, base=10):
        m = re.search(pattern, text)
        return int(m[1], base) if m else None
    ret = {
        "mode": field(rb"Mode:\s+(\d+)", 8), "flags": field(rb"Flags: 0x([0-9a-f]+)", 16),
        "uid": field(rb"User:\s+(\d+)"), "gid": field(rb"Group:\s+(\d+)"), "size": field(rb"Size: (\d+)"),
        "links": field(rb"Links: (\d+)"), "blocks": field(rb"Blockcount: (\d+)"),
    }
    m = re.search(rb"mtime: 0x([0-9a-f]+)(?::([0-9a-f]+))?", text)
    if m:
        low = int(m[1], 16)
        ret["mtime"] = (low - (1 << 32) if low >> 31 else low) + ((int(m[2] or b"0", 16) & 3) << 32)
    m = re.search(rb"Type: (\w+)", text)
    ret["type"] = m[1].decode() if m else None
    m = re.search(rb'Fast link dest: "(.*)"\n', text, re.S)
    ret["link"] = m[1] if m else None
    m = re.search(rb"Device major/minor number: (\d+):(\d+)", text)
    ret["rdev"] = os.makedev(int(m[1]), int(m[2])) if m else 0
    return ret
