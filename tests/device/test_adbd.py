#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The test device agrees with Debian's real adb (shell, pull, ls, keys), and its shell with mksh and toybox, which are what a phone has."""
import os
import pathlib
import re
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import adbd  # noqa: E402
import lib  # noqa: E402
from lib import ght  # noqa: E402

D = ght.tmp()
TREE = adbd.Tree()


def small():
    TREE.put("/", adbd.Node(0o40755))
    TREE.put("/system/lib64/libone.so", adbd.Node(0o100644, data=b"one" * 100000))
    TREE.put("/system/lib64/empty", adbd.Node(0o100644))
    TREE.put("/system/bin/run", adbd.Node(0o100755, 0, 2000, data=os.urandom(70000)))
    TREE.put("/system/bin/secret", adbd.Node(0o100600, data=b"no"))
    TREE.put("/system/etc", adbd.Node(0o120777, target="/system/lib64"))
    return TREE


def with_adb(server):
    device = adbd.Device(small(), {"getprop": b"[a]: [b]\n"})
    serial = server.connect(device)
    ght.equal(server.adb("-s", serial, "shell", "getprop"), "[a]: [b]\n", "adb shell gives the output")
    p = subprocess.run(["adb", "-s", serial, "shell", "exit 7"], env=server.env)
    ght.equal(p.returncode, 7, "adb shell gives the exit status")
    p = subprocess.run(["adb", "-s", serial, "shell", "cat /system/bin/secret"], env=server.env, capture_output=True)
    ght.equal((p.returncode, p.stdout, p.stderr), (1, b"", b"cat: /system/bin/secret: Permission denied\n"), "adb shell keeps both streams apart")
    features = server.adb("-s", serial, "features").split()
    ght.check({"shell_v2", "stat_v2"} <= set(features), "adb and device agree on features", features)
    server.adb("-s", serial, "pull", "/system/lib64", D / "lib64")
    ght.equal((D / "lib64/libone.so").read_bytes(), b"one" * 100000, "adb pull gives a file of a folder")
    ght.equal((D / "lib64/empty").read_bytes(), b"", "and an empty one")
    p = subprocess.run(["adb", "-s", serial, "pull", "/system/bin/secret", D / "s"], env=server.env, capture_output=True)
    ght.check(p.returncode and b"Permission denied" in p.stderr + p.stdout, "adb pull is refused what is closed", p.stderr)
    listed = {x.split()[3]: x.split()[:2] for x in server.adb("-s", serial, "ls", "/system/bin").splitlines()}
    ght.equal(listed["run"], ["000081ed", "%08x" % 70000], "adb ls tells mode and size")
    device.close()


def with_key(server):
    taps = []
    device = adbd.Device(small(), keys=[], tap=lambda: taps.append(1) or True)
    server.connect(device)
    ght.equal((len(device.keys), len(device.offered)), (1, 1), "adb's own key is asked for, offered and kept")
    server.drop(device)
    server.connect(device)
    ght.equal(len(taps), 1, "adb's signature is accepted the second time")
    device.close()


def with_toybox():
    """Every command that lists files, under mksh and toybox, on a tree that lies on this machine."""
    box, top = D / "box", D / "real"
    box.mkdir()
    for name in ("find", "stat", "readlink", "printf", "sha256sum", "sed"):
        (box / name).symlink_to("/bin/toybox")
    (box / "sh").symlink_to("/bin/mksh")
    (top / "a b").mkdir(parents=True)
    (top / "a b" / "it's\nnew").write_bytes(b"x" * 10)
    (top / "plain").write_bytes(b"plain")
    (top / "to").symlink_to("a b/nowhere")
    (top / "loop").symlink_to("loop")
    os.chmod(top / "plain", 0o755)
    tree = adbd.from_folder(top, str(top))
    for p, node in tree.items():
        if p.startswith(os.fsencode(top)):
            st = os.lstat(p)
            node.ino, node.uid, node.gid, node.label = st.st_ino, st.st_uid, st.st_gid, "?"
            node.size_of = st.st_size
    shell = adbd.Shell(tree, {})
    asked = subprocess.run([lib.BIN, "phone", "--commands"], capture_output=True).stdout.decode().split("\n")
    first = [x.replace("for d in /system;", f"for d in {top};", 1) for x in asked if x.startswith("for d in /system; ")]
    ght.equal(len(first), 4, "four commands list a root")
    folder = re.compile(rb"(?m)^(4[0-9a-f]+ \d+ \d+) \d+ ")  # the size of a folder is the file system's own
    for command in first + [f"sha256sum '{top}/plain'"]:
        p = subprocess.run(["/bin/mksh", "-c", command], env={"PATH": str(box)}, capture_output=True)
        mine = b"".join(data for stream, data in shell.run(command) if stream == 1)
        mark = b"\0" if b"\0" in mine else b"//\n"
        pair = lambda out: sorted(folder.sub(rb"\1 0 ", out).split(mark))  # noqa: E731
        ght.equal(pair(mine), pair(p.stdout), f"toybox agrees: {command[-60:]}")


def main():
    server = lib.Server(D)
    try:
        with_adb(server)
        with_key(server)
    finally:
        server.stop()
    with_toybox()
    ght.done()


main()
