#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A phone's side of adb, for tests: the transport protocol (CNXN, AUTH, OPEN, OKAY, WRTE, CLSE) over TCP, the sync service and shell v2, as
AOSP's protocol.txt, SYNC.TXT and shell_protocol.h describe them. Serves a tree with modes, owners, labels and what the shell user may not
read. Written from these descriptions, not from the client in src/device: Debian's adb agrees with it before gifthorse is asked (test_adbd.py).

As a program: adbd.py PORT FOLDER serves a folder of this machine as /system."""
import base64
import fnmatch
import hashlib
import os
import pathlib
import re
import shlex
import socket
import stat
import struct
import sys
import threading

CNXN, AUTH, OPEN, OKAY, CLSE, WRTE = (int.from_bytes(x, "little") for x in (b"CNXN", b"AUTH", b"OPEN", b"OKAY", b"CLSE", b"WRTE"))
VERSION, MAX = 0x01000001, 1 << 20
SHELL, FEATURES = 2000, "shell_v2,cmd,stat_v2,ls_v2"
SHA1_PREFIX = bytes.fromhex("3021300906052b0e03021a05000414")


class Node:
    def __init__(self, mode, uid=0, gid=0, label="u:object_r:system_file:s0", data=b"", target="", host=None, mtime=1230768000, getattr_ok=True):
        self.mode, self.uid, self.gid, self.label, self.target, self.host, self.mtime = mode, uid, gid, label, target, host, mtime
        self.data, self.getattr_ok, self.ino, self.grows = data, getattr_ok, 0, 0

    @property
    def size(self):
        if stat.S_ISREG(self.mode):
            return os.path.getsize(self.host) if self.host else len(self.data)
        return len(self.target) if stat.S_ISLNK(self.mode) else 4096 if stat.S_ISDIR(self.mode) else 0

    def readable(self):
        """By the shell user: what mode and owner say; policy is in `mode` as well here."""
        shift = 6 if self.uid == SHELL else 3 if self.gid == SHELL else 0
        return bool(self.mode >> shift & 4)

    def pieces(self, n):
        if self.host:
            with open(self.host, "rb", buffering=0) as f:
                while part := f.read(n):
                    yield part
        else:
            for i in range(0, len(self.data), n):
                yield self.data[i:i + n]
        for _ in range(self.grows):
            yield b"more" * (n // 4)


class Tree(dict):
    """Absolute path (bytes) -> Node."""

    def put(self, path, node):
        path = path.encode() if isinstance(path, str) else path
        parent = os.path.dirname(path)
        if parent not in self and path != b"/":
            self.put(parent, Node(0o40755, label="u:object_r:rootfs:s0"))
        node.ino = len(self) + 2
        self[path] = node
        return node

    def resolve(self, path):
        """Follows links, also in the middle; None where there is nothing."""
        path = path.encode() if isinstance(path, str) else path
        done, left, hops = b"/", [p for p in path.split(b"/") if p], 0
        while left:
            part = left.pop(0)
            if part == b"..":
                done = os.path.dirname(done)
                continue
            here = os.path.join(done, part)
            node = self.get(here)
            if node is None:
                return None
            if stat.S_ISLNK(node.mode):
                hops += 1
                if hops > 40:
                    return None
                target = node.target.encode() if isinstance(node.target, str) else node.target
                left = [p for p in target.split(b"/") if p] + left
                done = b"/" if target.startswith(b"/") else done
                continue
            done = here
        return done

    def below(self, path):
        """path and all below it, as find meets them; a folder that cannot be read is named and not entered."""
        todo = [path] if path in self else []
        while todo:
            at = todo.pop(0)
            yield at
            node = self[at]
            if stat.S_ISDIR(node.mode) and node.readable():
                todo = self.children(at) + todo

    def children(self, path):
        start = path if path == b"/" else path + b"/"
        return sorted(p for p in self._index().get(start, []))

    def _index(self):
        if getattr(self, "_at", -1) != len(self):
            self._by = {}
            for p in self:
                if p != b"/":
                    d = os.path.dirname(p)
                    self._by.setdefault(d if d == b"/" else d + b"/", []).append(p)
            self._at = len(self)
        return self._by


def from_folder(root, at="/system"):
    """A folder of this machine, as it lies there."""
    tree = Tree()
    tree.put("/", Node(0o40755))
    root = pathlib.Path(root)
    for p in sorted([root, *root.rglob("*")]):
        st = p.lstat()
        path = os.fsencode(at) + (b"" if p == root else b"/" + os.fsencode(p.relative_to(root)))
        mode = st.st_mode
        tree.put(path, Node(mode, 0, 0, target=os.readlink(p) if stat.S_ISLNK(mode) else "", host=str(p) if stat.S_ISREG(mode) else None,
                            mtime=int(st.st_mtime)))
    return tree


def from_demo(tsv, unpacked):
    """The demonstration phone: attributes from its list, contents from its unpacked images."""
    tree, kinds = Tree(), {"file": stat.S_IFREG, "dir": stat.S_IFDIR, "link": stat.S_IFLNK}
    tree.put("/", Node(0o40755, label="u:object_r:rootfs:s0"))
    for line in pathlib.Path(tsv).read_text().splitlines()[1:]:
        image, path, kind, mode, uid, gid, _, _, label, sha, target = line.split("\t")
        if image.startswith("ramdisk") or kind not in kinds:
            continue
        where = path if image == "system" else f"/{image}" + ("" if path == "/" else path)
        # A mounted partition covers the folder, and the link, that the root has in its place.
        if image == "system" and path.split("/")[1] in ("vendor", "product", "system_ext", "odm") or path in ("/", "/lost+found"):
            continue
        host = pathlib.Path(unpacked) / image / path[1:] if kind == "file" else None
        if host is not None and (not host.is_file() or hashlib.sha256(host.read_bytes()).hexdigest() != sha):
            raise RuntimeError(f"{host}: not what the list of the phone says")
        tree.put(where, Node(kinds[kind] | int(mode, 8), int(uid), int(gid), label, target="" if target == "-" else target,
                             host=str(host) if host else None))
    return tree


# ---- the shell ----

class Shell:
    """The commands that the shell of a phone is asked in the tests, on the tree. What is not known is `not found`, with 127."""

    def __init__(self, tree, answers):
        self.tree, self.answers = tree, answers

    def run(self, command):
        """Yields (stream, bytes); 1 is output, 2 are errors; at last (3, status)."""
        if command in self.answers:
            answer = self.answers[command]
            yield from answer() if callable(answer) else [(1, answer), (3, 0)]
            return
        loop = re.fullmatch(r'for d in (.*?); do case "\$d" in \*@\*\) continue;; esac; (.*); done( 2>/dev/null)?', command, re.S)
        if loop:
            muted = loop.group(3)
            yield from (x for x in self.loop(*loop.groups()[:2]) if not (muted and x[0] == 2))
            return
        if command.startswith("2>/dev/null "):
            yield from (x for x in self.run(command[12:]) if x[0] != 2)
            return
        words = shlex.split(command)
        done = getattr(self, "do_" + words[0].replace("-", "_"), None) if words else None
        if not done:
            yield 2, f"/system/bin/sh: {words[0] if words else ''}: inaccessible or not found\n".encode()
            yield 3, 127
            return
        status = yield from done(words[1:])
        yield 3, status or 0

    def expand(self, where):
        if where.startswith("$("):
            return [p for p, n in self.tree.items() if re.fullmatch(rb"/data/app/[^/]+/[^/]+", p)]
        found = []
        for word in where.split():
            if "*" not in word:
                found.append(word.encode())
                continue
            level = word.count("/")
            found += sorted(p for p in self.tree if p.count(b"/") == level and fnmatch.fnmatchcase(p, word.encode())) or [word.encode()]
        return found

    def loop(self, where, find):
        status = 0
        for d in self.expand(where):
            if b"@" in d:
                continue
            if d not in self.tree:
                yield 2, b"find: '" + d + b"': No such file or directory\n"
                status = 1
                continue
            words = shlex.split(find)
            if words[:2] != ["find", "$d"]:
                raise ValueError(find)
            yield from self.find(d, words[2:])
        yield 3, status

    def find(self, top, words):
        kinds, action, i = None, None, 0
        while i < len(words):
            if words[i] == "-type":
                kinds = (kinds or "") + words[i + 1]
                i += 1
            elif words[i] in ("-print0", "-exec"):
                action = words[i:]
                break
            elif words[i] not in ("(", ")", "-o"):
                raise ValueError(words)
            i += 1
        test = {"f": stat.S_ISREG, "d": stat.S_ISDIR, "l": stat.S_ISLNK}
        for path in self.tree.below(top):
            node = self.tree[path]
            if stat.S_ISDIR(node.mode) and not node.readable():
                yield 2, b"find: '" + path + b"': Permission denied\n"
            if kinds and not any(test[k](node.mode) for k in kinds):
                continue
            yield from self.act(action, path, node)

    def act(self, action, path, node):
        if action == ["-print0"]:
            yield 1, path + b"\0"
        elif action[1:3] == ["stat", "-c"] and action[4:] == ["{}", "+"]:
            yield from self.stat_one(action[3], path)
        elif action[1:3] == ["sh", "-c"] and action[4:] == ["sh", "{}", "+"]:
            if action[3] == 'for f do [ -r "$f" ] || printf "%s//\\n" "$f"; done':
                if not node.readable():
                    yield 1, path + b"//\n"
            elif action[3] == 'for f do printf "%s//\\n%s//\\n" "$f" "$(readlink "$f")"; done':
                target = node.target if isinstance(node.target, bytes) else node.target.encode()
                yield 1, path + b"//\n" + target.rstrip(b"\n") + b"//\n"
            else:
                raise ValueError(action)
        else:
            raise ValueError(action)

    def stat_one(self, form, path):
        n = self.tree.get(path)
        if n is None or not n.getattr_ok:
            yield 2, b"stat: '" + path + b"': " + (b"Permission denied\n" if n else b"No such file or directory\n")
            return
        say = {"f": "%x" % n.mode, "a": "%o" % (n.mode & 0o7777), "u": n.uid, "g": n.gid, "s": n.size, "Y": n.mtime, "i": n.ino, "C": n.label}
        out = b""
        for part in re.split(r"(%.)", form):
            out += path if part == "%n" else str(say[part[1]]).encode() if part.startswith("%") else part.encode()
        yield 1, out + b"\n"

    def open(self, word):
        real = self.tree.resolve(os.fsencode(word))
        node = self.tree.get(real) if real else None
        why = None if node and node.readable() and stat.S_ISREG(node.mode) else "Permission denied" if node else "No such file or directory"
        return node, why

    def do_stat(self, words):
        for w in words[2:]:
            yield from self.stat_one(words[1], w.encode())

    def do_sha256sum(self, words):
        bad = 0
        for w in words:
            node, why = self.open(w)
            if why:
                bad = 1
                yield 2, f"sha256sum: {w}: {why}\n".encode()
                continue
            digest = hashlib.sha256()
            for part in node.pieces(1 << 20):
                digest.update(part)
            yield 1, digest.hexdigest().encode() + b"  " + os.fsencode(w) + b"\n"
        return bad

    def do_cat(self, words):
        bad = 0
        for w in words:
            node, why = self.open(w)
            if why:
                bad = 1
                yield 2, f"cat: {w}: {why}\n".encode()
                continue
            for part in node.pieces(1 << 16):
                yield 1, part
        return bad

    def do_echo(self, words):
        yield 1, " ".join(words).encode() + b"\n"

    def do_id(self, words):
        yield 1, b"uid=2000(shell) gid=2000(shell) context=u:r:shell:s0\n"

    def do_exit(self, words):
        return int(words[0])
        yield


# ---- adbd ----

class Cut(Exception):
    """The cable is out."""


class Stream:
    def __init__(self, link, local, remote):
        self.link, self.local, self.remote = link, local, remote
        self.okay, self.closed = threading.Semaphore(0), threading.Event()
        self.buf, self.more = bytearray(), threading.Condition()

    def write(self, data):
        view = memoryview(data)
        for i in range(0, len(view), self.link.max):
            self.link.send(WRTE, self.local, self.remote, view[i:i + self.link.max])
            if not self.okay.acquire(timeout=60) or self.closed.is_set():
                raise Cut

    def read(self, n):
        with self.more:
            while len(self.buf) < n:
                if self.closed.is_set() or not self.more.wait(timeout=120):
                    raise Cut
            out = bytes(self.buf[:n])
            del self.buf[:n]
            return out

    def feed(self, data):
        with self.more:
            self.buf += data
            self.more.notify_all()

    def end(self):
        self.closed.set()
        self.okay.release()
        with self.more:
            self.more.notify_all()


class Link:
    """One host."""

    def __init__(self, device, sock):
        self.device, self.sock, self.max, self.lock = device, sock, 4096, threading.Lock()
        self.streams, self.next = {}, 1

    def recv(self, n):
        out = bytearray()
        while len(out) < n:
            part = self.sock.recv(n - len(out))
            if not part:
                raise Cut
            out += part
        return bytes(out)

    def packet(self):
        command, a, b, n, check, magic = struct.unpack("<6I", self.recv(24))
        if magic != command ^ 0xFFFFFFFF or n > MAX:
            raise Cut
        return command, a, b, self.recv(n)

    def send(self, command, a, b, data=b""):
        with self.lock:
            self.device.sent(24 + len(data), self)
            head = struct.pack("<6I", command, a, b, len(data), sum(data) & 0xFFFFFFFF if len(data) < 4096 else 0, command ^ 0xFFFFFFFF)
            self.sock.sendmsg([head, data]) if len(data) < 1024 else (self.sock.sendall(head), self.sock.sendall(data))

    def connect(self):
        command, version, maxdata, _ = self.packet()
        if command != CNXN:
            raise Cut
        self.max = min(maxdata, MAX)
        if self.device.keys is not None:
            self.prove()
        self.send(CNXN, VERSION, MAX, self.device.banner.encode())

    def prove(self):
        while True:
            token = os.urandom(20)
            self.send(AUTH, 1, 0, token)
            command, kind, _, data = self.packet()
            if command != AUTH:
                raise Cut
            if kind == 2 and any(signed(k, token, data) for k in self.device.keys):
                return
            if kind == 3:
                self.device.offered.append(data)
                if self.device.tap():
                    self.device.keys.append(public(data))
                    return
                raise Cut

    def serve(self):
        try:
            self.connect()
            while True:
                command, a, b, data = self.packet()
                s = self.streams.get(b)
                if command == OPEN:
                    s = Stream(self, self.next, a)
                    self.streams[self.next] = s
                    self.next += 1
                    threading.Thread(target=self.service, args=(s, data.rstrip(b"\0")), daemon=True).start()
                elif command == WRTE and s:
                    s.feed(data)
                    self.send(OKAY, s.local, s.remote)
                elif command == OKAY and s:
                    s.okay.release()
                elif command == CLSE and s:
                    self.streams.pop(b, None)
                    s.end()
        except (Cut, OSError):
            pass
        finally:
            self.close()

    def close(self):
        for s in list(self.streams.values()):
            s.end()
        try:
            self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.sock.close()

    def service(self, s, name):
        try:
            run = self.device.service(name)
            if run is None:
                self.send(CLSE, 0, s.remote)
                return
            self.send(OKAY, s.local, s.remote)
            run(s)
            self.send(CLSE, s.local, s.remote)
        except (Cut, OSError):
            pass
        finally:
            self.streams.pop(s.local, None)
            s.end()


def public(data):
    """(modulus, exponent) of what a host sends: words, -1/n, n, rr, e in base64, then a name."""
    raw = base64.b64decode(data.split(b" ")[0].rstrip(b"\0"))
    words, n0inv = struct.unpack("<2I", raw[:8])
    n, rr = int.from_bytes(raw[8:264], "little"), int.from_bytes(raw[264:520], "little")
    e, = struct.unpack("<I", raw[520:524])
    if words != 64 or len(raw) != 524 or (n * n0inv + 1) % (1 << 32) or rr != pow(2, 4096, n):
        raise Cut
    return n, e


def signed(key, token, signature):
    n, e = key
    want = b"\0\1" + b"\xff" * (256 - 3 - len(SHA1_PREFIX) - 20) + b"\0" + SHA1_PREFIX + token
    return len(signature) == 256 and pow(int.from_bytes(signature, "big"), e, n) == int.from_bytes(want, "big")


class Device:
    def __init__(self, tree, answers=None, features=FEATURES, keys=None, tap=lambda: True, name="lantern", port=0):
        self.tree, self.shell, self.keys, self.tap, self.offered = tree, Shell(tree, answers or {}), keys, tap, []
        self.features = features
        self.banner = f"device::ro.product.name={name};ro.product.model=Lantern 1;ro.product.device={name};features={features}"
        self.cut_after, self.bytes, self.recv_bytes = None, 0, 0
        self.sock = socket.create_server(("127.0.0.1", port))
        self.port = self.sock.getsockname()[1]
        self.links, self.overrides = [], {}
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                conn, _ = self.sock.accept()
            except OSError:
                return
            conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            link = Link(self, conn)
            self.links = [x for x in self.links if x.sock.fileno() >= 0] + [link]
            threading.Thread(target=link.serve, daemon=True).start()

    def close(self):
        self.sock.close()
        for link in self.links:
            link.close()

    def sent(self, n, link):
        self.bytes += n
        if self.cut_after is not None and self.bytes > self.cut_after:
            self.cut_after = None
            link.close()
            raise Cut

    def service(self, name):
        for prefix, run in self.overrides.items():
            if name.startswith(prefix):
                return lambda s: run(s, name)
        if name == b"sync:":
            return self.sync
        if name.startswith(b"shell,") and "shell_v2" in self.features:
            return lambda s: self.shell_v2(s, name.split(b":", 1)[1].decode("utf-8", "surrogateescape"))
        if name.startswith((b"exec:", b"shell:")):
            return lambda s: self.shell_v1(s, name.split(b":", 1)[1].decode("utf-8", "surrogateescape"))
        return None

    def shell_v2(self, s, command):
        out = bytearray()
        for stream, data in self.shell.run(command):
            data = bytes([data]) if stream == 3 else data
            for i in range(0, len(data), 32 << 10):
                part = data[i:i + (32 << 10)]
                out += struct.pack("<BI", stream, len(part)) + part
            if len(out) > 256 << 10 or stream == 3:
                s.write(bytes(out))
                out.clear()
        if out:
            s.write(bytes(out))

    def shell_v1(self, s, command):
        for stream, data in self.shell.run(command):
            if stream != 3 and data:
                s.write(data)

    # -- sync --

    def sync(self, s):
        while True:
            word, n = struct.unpack("<4sI", s.read(8))
            path = s.read(n)
            if word == b"QUIT":
                return
            if word in (b"STAT", b"STA2", b"LST2"):
                s.write(self.stat(word, path))
            elif word in (b"LIST", b"LIS2"):
                self.list(s, word, path)
            elif word in (b"RECV", b"RCV2"):
                if word == b"RCV2":
                    s.read(8)
                if not self.recv(s, path):
                    return
            else:
                s.write(b"FAIL" + struct.pack("<I", 15) + b"unknown command")
                return

    @staticmethod
    def numbers(v2, node):
        if not v2:
            return struct.pack("<3I", node.mode, node.size & 0xFFFFFFFF, node.mtime) if node else bytes(12)
        if not node:
            return struct.pack("<I", 2) + bytes(64)
        return struct.pack("<IQQIIIIQqqq", 0, 1, node.ino, node.mode, 1, node.uid, node.gid, node.size, node.mtime, node.mtime, node.mtime)

    def stat(self, word, path):
        node = self.tree.get(path.rstrip(b"/") or b"/") if word != b"STA2" else self.tree.get(self.tree.resolve(path) or b"")
        return word + self.numbers(word != b"STAT", node)

    def list(self, s, word, path):
        v2, out = word == b"LIS2", bytearray()
        real = self.tree.resolve(path)
        node = self.tree.get(real) if real else None
        names = [(b".", node), (b"..", node)] if node and node.readable() and stat.S_ISDIR(node.mode) else []
        names += [(os.path.basename(p), self.tree[p]) for p in self.tree.children(real)] if names else []
        for name, n in names:
            out += (b"DNT2" if v2 else b"DENT") + self.numbers(v2, n) + struct.pack("<I", len(name)) + name
        out += b"DONE" + bytes(72 if v2 else 16)
        s.write(bytes(out))

    def recv(self, s, path):
        real = self.tree.resolve(path)
        node = self.tree.get(real) if real else None
        if node is None or not node.readable() or not stat.S_ISREG(node.mode):
            why = b"open failed: " + (b"No such file or directory" if node is None else b"Permission denied")
            s.write(b"FAIL" + struct.pack("<I", len(why)) + why)
            return False
        out = bytearray()
        for part in node.pieces(64 << 10):
            out += b"DATA" + struct.pack("<I", len(part)) + part
            self.recv_bytes += len(part)
            if len(out) >= 900 << 10:
                s.write(out)
                out = bytearray()
        s.write(out + b"DONE" + bytes(4))
        return True


def main():
    device = Device(from_folder(sys.argv[2]), port=int(sys.argv[1]))
    print(device.port, flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    main()
