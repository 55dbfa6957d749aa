#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A phone that means harm: output without end, names that climb or break lines, links in circles, files that grow, nonsense in every message.
Each ends in bounded time, is told, and leaves nothing outside of its folder."""
import os
import pathlib
import struct
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import adbd  # noqa: E402
import lib  # noqa: E402
from lib import ght  # noqa: E402

D = ght.tmp()
OUT = D / "out"
NAMES = b"for d in /system; do"


class Alone:
    """The direct path has no server; only its environment is needed."""
    env = dict(os.environ, HOME=str(D), XDG_STATE_HOME=str(D / "state"))


def tree():
    t = adbd.Tree()
    t.put("/", adbd.Node(0o40755))
    for i in range(6):
        t.put(f"/system/etc/f{i}", adbd.Node(0o100644, data=bytes([65 + i]) * 3000))
    return t


def pull(name, t=None, answers=None, overrides=None, features=adbd.FEATURES, expect=(0, 2), seconds=120):
    device = adbd.Device(t or tree(), answers or {}, features=features)
    device.overrides = overrides or {}
    OUT.mkdir(exist_ok=True)
    canary = OUT / "canary"
    canary.write_text("stays")
    folder = OUT / name.replace(" ", "-")
    start = time.monotonic()
    code, out, err = lib.gh(Alone, "phone", "--pull", folder, "--only-pull", "--way", f"tcp:{device.port}", "--progress", "none", "--wait", "0",
                            timeout=seconds)
    device.close()
    took = time.monotonic() - start
    ght.check(code in expect and "ended by itself" not in err and "Sanitizer" not in err, f"{name}: told ({code}, {took:.0f} s)", err[-800:])
    if folder.exists():
        ght.check(lib.no_right_to_run(folder), f"{name}: nothing may be run")
    ght.equal(sorted(x.name for x in OUT.iterdir() if x != folder), sorted(["canary", *(SEEN - {folder.name})]), f"{name}: nothing beside its folder")
    SEEN.add(folder.name) if folder.exists() else None
    return folder, err


SEEN = set()


def endless(stream, every=1 << 16):
    while True:
        yield stream, b"x" * every


def shell_raw(data, then=None):
    """A shell service that answers these bytes, whatever is asked."""
    def run(s, name):
        s.write(data)
        if then:
            then(s)
    return {b"shell,v2": run}


def sync_raw(data, again=False):
    def run(s, name):
        s.read(8)
        while True:
            s.write(data)
            if not again:
                return
    return {b"sync:": run}


def outputs():
    folder, _ = pull("endless getprop", answers={"getprop": lambda: endless(1)})
    item = [x for x in lib.summary(folder)["items"] if x["name"] == "getprop"][0]
    ght.equal((item["state"], item["bytes"], (folder / "live/getprop.txt").stat().st_size), ("cut", 64 << 20, 64 << 20), "cut at the limit, and told")
    ght.equal(lib.rows(folder)["/system/etc/f1"]["state"], "pulled", "and the files are pulled all the same")
    pull("endless errors", answers={"id": lambda: [(2, b"e" * (4 << 20)), (3, 1)]})
    pull("shell of another kind", overrides=shell_raw(b"\x09\xff\xff\xff\xffnonsense"))
    pull("shell that says nothing", overrides=shell_raw(b"\1\0\0\0\0" * 5000))
    pull("shell packet of four gigabytes", overrides=shell_raw(b"\1\xff\xff\xff\xff" + b"y" * 1000))
    pull("exit status of many bytes", overrides=shell_raw(b"\3\4\0\0\0abcd"))
    pull("shell ends at once", overrides=shell_raw(b""))


def listings():
    bad = [b"/system/../../climb", b"/etc/passwd", b"system/x", b"/system//two", b"/system/./dot", b"/system/" + b"n" * 300, b"/system/" + b"d/" * 200 + b"x",
           b"", b"/", b"/system/etc/..", b"/system/" + b"p" * 5000]
    good = [b"/system", b"/system/etc", b"/system/etc/f1"]
    command = [x for x in subprocess.run([lib.BIN, "phone", "--commands"], capture_output=True).stdout.decode().split("\n") if x.startswith(NAMES.decode())]
    names, stats = command[0], command[1]
    t = tree()
    folder, _ = pull("names that climb", t, {names: b"\0".join(bad + good) + b"\0"})
    ght.equal(sorted(lib.rows(folder)), sorted(x.decode() for x in good), "only what can be a path below the root is one")
    ght.equal(lib.summary(folder)["files"]["strange_names"], len(bad) + 5, "the others are counted, as are five that stat names and find did not")
    numbers = b"81a4 0 0 99999999999999999999 1 1 u:object_r:x:s0 /system/etc/f1//\n81a4 -5 0 1 1 1 x /system/etc/f1//\nzz//\n//\n" + b"1 2//\n" * 100
    folder, _ = pull("numbers that are none", t, {stats: numbers})
    ght.equal(lib.rows(folder)["/system/etc/f1"]["state"], "denied", "what was not told is not pulled")
    odd = adbd.Tree()
    odd.put("/", adbd.Node(0o40755))
    for name in (b"/system/line\nbreak", b"/system/tab\there", b"/system/esc\x1b[2J", b"/system/back\\slash", b"/system/q'uote", b"/system/\xff\xfe", b"/system/ lead"):
        odd.put(name, adbd.Node(0o100644, data=b"odd " + name))
    odd.put("/system/loop", adbd.Node(0o120777, target="loop"))
    odd.put("/system/round", adbd.Node(0o120777, target="/system"))
    odd.put("/system/out", adbd.Node(0o120777, target="../../../../../../etc/passwd"))
    folder, err = pull("names with escapes", odd)
    rows = lib.rows(folder)
    ght.equal(sorted(p for p, r in rows.items() if r["state"] == "pulled"),
              sorted(x.encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape") for x in
                     ("/system/line\\x0abreak", "/system/tab\\x09here", "/system/esc\\x1b[2J", "/system/back\\x5cslash", "/system/q'uote", "/system/\udcff\udcfe",
                      "/system/ lead")), "each odd name is pulled and written down")
    ght.equal((folder / "files/system/line\nbreak").read_bytes(), b"odd /system/line\nbreak", "under its own name")
    ght.equal({rows[f"/system/{x}"]["target"] for x in ("loop", "round", "out")}, {"loop", "/system", "../../../../../../etc/passwd"}, "links are facts")
    ght.equal([p for p in (folder / "files").rglob("*") if p.is_symlink()], [], "and no links here")
    ght.check("\x1b" not in err, "no escape reaches the screen")
    lied = adbd.Tree({p: n for p, n in tree().items()})
    lied.put("/system/dir", adbd.Node(0o120777, target="/etc"))
    lied.put("/system/dir/passwd", adbd.Node(0o100644, data=b"mine"))
    pull("a link that has files", lied)
    both = tree()
    folder, _ = pull("a file that is a folder too", both, {names: b"/system\0/system/etc\0/system/etc/f1\0/system/etc/f1/below\0",
                                                            stats: b"81a4 0 0 3000 1 1 x /system/etc/f1//\n81a4 0 0 3000 1 1 x /system/etc/f1/below//\n"})
    ght.check(lib.rows(folder)["/system/etc/f1/below"]["state"] != "pulled", "only one of both can lie there")
    pull("a list without end", t, {names: lambda: ((1, b"".join(b"/system/%d\0" % (i * 4096 + k) for k in range(4096))) for i in range(1 << 20))}, seconds=500)


def files():
    t = tree()
    t[b"/system/etc/f2"].grows = 40
    folder, _ = pull("a file that grows", t)
    rows = lib.rows(folder)
    ght.equal([rows[f"/system/etc/f{i}"]["state"] for i in range(6)], ["pulled", "pulled", "cut", "pulled", "pulled", "pulled"], "it is cut, the others come")
    ght.check(not (folder / "files/system/etc/f2").exists(), "and what is cut is not kept as if it were the file")
    t = tree()
    real = t[b"/system/etc/f3"]
    real.data = b""
    type(real).size = property(lambda self: 3000 if self is real else adbd.Node.__dict__["_size"].fget(self))
    folder, _ = pull("a file that shrinks", t)
    type(real).size = adbd.Node.__dict__["_size"]
    ght.equal(lib.rows(folder)["/system/etc/f3"]["state"], "cut", "a file that is shorter than it said is cut")
    for name, data in (("data of a gigabyte", b"DATA" + struct.pack("<I", 1 << 30)), ("data without end", b"DATA" + struct.pack("<I", 65536) + b"z" * 65536),
                       ("nonsense for a file", b"\x1b[31mX" * 100), ("refusal of a gigabyte", b"FAIL" + struct.pack("<I", 1 << 30) + b"no" * 500),
                       ("empty data for ever", b"DATA\0\0\0\0" * 1000), ("done too early", b"DONE\0\0\0\0" * 10)):
        folder, _ = pull(name, overrides=sync_raw(data, again=name.endswith(("end", "ever"))))
        ght.equal([r["state"] for r in lib.rows(folder).values() if r["state"] == "pulled"], [], f"{name}: nothing counts as pulled")
    bare = {"answers": {}, "features": "shell_v2,stat_v2,ls_v2"}
    for name, entry in (("a name of a gigabyte", bytes(68) + struct.pack("<I", 1 << 30)), ("a name that climbs", bytes(68) + struct.pack("<I", 7) + b"../../x")):
        def run(s, _, entry=entry):
            while True:
                word, n = struct.unpack("<4sI", s.read(8))
                s.read(n)
                s.write(word + struct.pack("<IQQIIIIQqqq", 0, 1, 1, 0o40755, 1, 0, 0, 0, 1, 1, 1) if word == b"LST2" else b"DNT2" + entry + b"DONE" + bytes(72))
        pull(name, overrides={b"sync:": run, b"shell,v2": lambda s, _: s.write(b"\3\1\0\0\0\x7f")}, **bare)


def packets():
    """Nonsense instead of an adbd."""
    import socket
    import threading
    head = lambda *v: struct.pack("<6I", *v)  # noqa: E731
    cnxn = head(adbd.CNXN, adbd.VERSION, 1 << 20, 0, 0, adbd.CNXN ^ 0xFFFFFFFF)
    for name, data in (("no magic", b"\0" * 24), ("four gigabytes", head(adbd.CNXN, 1, 1, 0xFFFFFFFF, 0, adbd.CNXN ^ 0xFFFFFFFF)), ("packets of no size", cnxn[:8] + bytes(4) + cnxn[12:]),
                       ("tokens for ever", head(adbd.AUTH, 1, 0, 20, 0, adbd.AUTH ^ 0xFFFFFFFF) + bytes(20)), ("closed at once", b""),
                       ("strange packets for ever", head(adbd.OKAY, 5, 5, 0, 0, adbd.OKAY ^ 0xFFFFFFFF) * 50), ("connects for ever", cnxn * 50)):
        server = socket.create_server(("127.0.0.1", 0))

        def serve(server=server, data=data, name=name):
            try:
                while True:
                    c, _ = server.accept()
                    c.settimeout(60)
                    while data and c.sendall(data) is None and "ever" in name:
                        pass
                    c.close()
            except OSError:
                pass
        threading.Thread(target=serve, daemon=True).start()
        code, out, err = lib.gh(Alone, "phone", "--pull", OUT / "packets", "--only-pull", "--way", f"tcp:{server.getsockname()[1]}", "--progress", "none", "--wait", "1",
                                timeout=300)
        ght.check(code == 2 and "Sanitizer" not in err and "ended by itself" not in err, f"{name}: told", (code, err[-500:]))
        server.close()


def main():
    adbd.Node._size = adbd.Node.size
    outputs()
    listings()
    files()
    packets()
    ght.done()


main()
