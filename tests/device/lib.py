# SPDX-License-Identifier: Apache-2.0
"""Shared by the tests of gifthorse phone: a private adb server, the demonstration phone as a device, gifthorse itself."""
import json
import os
import pathlib
import shutil
import socket
import stat
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import ght  # noqa: E402
import adbd  # noqa: E402

BIN = os.environ.get("GH_BIN", str(ght.BUILD / "gifthorse"))
DEMO = pathlib.Path(os.environ.get("GH_DEMO", ght.ROOT / "build/demo"))


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Server:
    """Debian's adb server, with a port, a home and a key of its own."""

    def __init__(self, home):
        self.port = free_port()
        self.env = dict(os.environ, ANDROID_ADB_SERVER_PORT=str(self.port), HOME=str(home), XDG_STATE_HOME=str(home / "state"), TMPDIR=str(home))
        self.env.pop("ANDROID_SERIAL", None)
        self.adb("start-server")

    def adb(self, *argv, check=True, binary=False):
        p = subprocess.run(["adb", *map(str, argv)], env=self.env, capture_output=True, timeout=300)
        if check and p.returncode:
            raise RuntimeError(f"adb {argv}: {p.stderr.decode()} {p.stdout.decode()}")
        return p.stdout if binary else p.stdout.decode()

    def connect(self, device, state="device", seconds=20):
        serial = f"127.0.0.1:{device.port}"
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.adb("connect", serial, check=False)
            if f"{serial}\t{state}" in self.adb("devices"):
                return serial
            time.sleep(0.2)
        raise RuntimeError(f"{serial} is not {state}: {self.adb('devices')}")

    def drop(self, device):
        self.adb("disconnect", f"127.0.0.1:{device.port}", check=False)

    def stop(self):
        self.adb("kill-server", check=False)


def gh(server, *argv, timeout=600, **kw):
    p = subprocess.run([BIN, *map(str, argv)], env=server.env, capture_output=True, timeout=timeout, **kw)
    return p.returncode, p.stdout.decode(errors="replace"), p.stderr.decode(errors="replace")


def rows(folder):
    """files.tsv as dicts by path."""
    lines = (pathlib.Path(folder) / "files.tsv").read_text(errors="surrogateescape").split("\n")
    head = lines[0].split("\t")
    return {r["path"]: r for r in (dict(zip(head, line.split("\t"))) for line in lines[1:] if line)}


def summary(folder):
    return json.loads((pathlib.Path(folder) / "acquisition.json").read_text())


def unpacked(which, to):
    """The files of the demonstration phone, or of its twin, as folders."""
    p = subprocess.run([BIN, "unpack", DEMO / f"{which}.zip", "-o", to], capture_output=True)
    if not (to / "system").is_dir():
        raise RuntimeError(p.stderr.decode())
    return adbd.from_demo(DEMO / f"{which}.tree.tsv", to)


def add_closed(tree):
    """What the shell may not read on a real phone: a folder, a file, and one that it may not even stat."""
    tree.put("/vendor/closed", adbd.Node(0o40750, 0, 0, "u:object_r:vendor_file:s0"))
    tree.put("/vendor/closed/inside", adbd.Node(0o100644, data=b"never seen"))
    tree.put("/vendor/secret.bin", adbd.Node(0o100600, 0, 0, "u:object_r:vendor_file:s0", data=b"not for the shell"))
    tree.put("/system/etc/nostat", adbd.Node(0o100644, data=b"no getattr", getattr_ok=False))
    return tree


def props(tree):
    """What getprop says: the build properties, as init reads them."""
    found = {}
    for path, node in tree.items():
        if path.endswith(b"/build.prop"):
            for line in b"".join(node.pieces(1 << 20)).decode(errors="replace").splitlines():
                if "=" in line and not line.startswith("#"):
                    found.setdefault(*line.split("=", 1))
    return found


def answers(tree, **forged):
    said = {**props(tree), "ro.boot.verifiedbootstate": "green", "ro.serialno": "LANTERN0001", **forged}
    text = "".join(f"[{k}]: [{v}]\n" for k, v in sorted(said.items())).encode()
    return {"getprop": text, "dumpsys battery": b"level: 50\n", "cat /proc/net/tcp": b"  sl  local_address rem_address\n",
            "pm list packages -f -U -i --show-versioncode": b"package:/system/app/A/A.apk=a.b versionCode:1  installer=null uid:10001\n"}


def forget(folder):
    shutil.rmtree(folder, ignore_errors=True)


def no_right_to_run(folder):
    return all(not p.lstat().st_mode & 0o111 for p in pathlib.Path(folder).rglob("*") if stat.S_ISREG(p.lstat().st_mode))
