#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""gifthorse phone through Debian's real adb server, against the demonstration phone: what comes, what is refused, one altered library against its
ROM, other builds, forged properties, a cable that breaks, the direct path."""
import hashlib
import json
import os
import pathlib
import random
import re
import shutil
import signal
import stat
import subprocess
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import adbd  # noqa: E402
import lib  # noqa: E402
from lib import ght  # noqa: E402

D = ght.tmp()
QUIET = ("--progress", "none", "--wait", "5")
ACCUSES = re.compile(r"malware|backdoor|implant|tamper|infect|manipulat|malicious|suspicious|attack|fake|hacked", re.I)
LIBRARY = b"/system/lib64/libcutils.so.0"


def sha(data):
    return hashlib.sha256(data).hexdigest()


def content(node):
    return b"".join(node.pieces(1 << 20))


def expected(tree):
    """What must be in files.tsv: path -> (mode, uid, gid, size, label, target, state, sha256)."""
    roots = [b"/system", b"/system_ext", b"/product", b"/vendor", b"/odm", b"/oem", b"/sbin", b"/adb_keys", b"/init", b"/data/local/tmp"]
    out = {}
    for root in roots:
        for p in tree.below(root):
            n = tree[p]
            plain, told = stat.S_ISREG(n.mode), n.getattr_ok
            closed = not n.readable() and (plain or stat.S_ISDIR(n.mode))
            state = "denied" if closed or not told else "pulled" if plain else "no content"
            target = n.target if isinstance(n.target, str) else n.target.decode("utf-8", "surrogateescape")
            row = ("%o" % n.mode, str(n.uid), str(n.gid), str(n.size), n.label) if told else ("-", "-", "-", "0", "-")
            out[p.decode("utf-8", "surrogateescape")] = row + (target or "-", state, sha(content(n)) if state == "pulled" else "-")
    return out


def told(folder):
    return {p: tuple(r[k] for k in ("mode", "uid", "gid", "size", "label", "target", "state", "sha256")) for p, r in lib.rows(folder).items()}


def differ(got, want):
    return {p: (got.get(p), want.get(p)) for p in got.keys() | want.keys() if got.get(p) != want.get(p)}


def intact(folder, name):
    """Hashes, and that nothing can be run."""
    bad = [p for p, r in lib.rows(folder).items() if r["state"] == "pulled" and
           sha((folder / "files" / p[1:]).read_bytes()) != r["sha256"]]
    ght.equal(bad, [], f"{name}: every file that is said to be pulled lies there with its hash")
    ght.check(lib.no_right_to_run(folder), f"{name}: no file may be run")


def first_pull(server, tree, serial):
    folder = D / "first"
    code, out, err = lib.gh(server, "phone", "--pull", folder, "--only-pull", *QUIET)
    ght.equal(code, 0, "phone pulls")
    ght.equal(differ(told(folder), expected(tree)), {}, "every path with mode, owner, size, label, target, state and hash")
    intact(folder, "first")
    s = lib.summary(folder)
    ght.equal((s["schema_version"], s["serial"], s["complete"]), (1, serial, True), "acquisition.json says what it is")
    items = {x["name"]: x for x in s["items"]}
    ght.equal((items["getprop"]["state"], items["getprop"]["exit"]), ("answered", 0), "an answer")
    ght.equal((items["adb"]["state"], items["adb"]["exit"]), ("denied", 127), "a command that the phone does not have")
    ght.equal((folder / "live/getprop.txt").read_bytes(), server.adb("-s", serial, "shell", "getprop", binary=True), "getprop is what adb shell gives")
    p = subprocess.run(["sha256sum", "-c", "--quiet", "manifest.sha256"], cwd=folder, capture_output=True)
    ght.equal((p.returncode, p.stdout, p.stderr), (0, b"", b""), "sha256sum -c agrees with the manifest")
    last = (folder / "acquisition.log").read_text().splitlines()[-1].split()
    ght.equal(last[1:], ["manifest.sha256", sha((folder / "manifest.sha256").read_bytes())], "the last line of the log is the manifest's hash")
    listed = {x.split("  ", 1)[1] for x in (folder / "manifest.sha256").read_text().splitlines()}
    there = {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()} - {"manifest.sha256", "acquisition.log"}
    ght.equal(listed ^ there, set(), "the manifest names every file")
    return folder


def commands(server):
    code, out, _ = lib.gh(server, "phone", "--commands")
    page = (ght.ROOT / "docs/phone.md").read_text()
    ght.equal([x for x in out.splitlines() if x not in page], [], "docs/phone.md names every command")
    code, out, _ = lib.gh(server, "phone", "--guide")
    ght.check(code == 0 and "reset" in out and len(out.splitlines()) < 60, "the guide is one page")


def compare(server, rom, folder):
    out = D / "compare.json"
    out.unlink(missing_ok=True)
    code, text, err = lib.gh(server, "compare", rom, folder, "-f", f"json={out}", "--progress", "none")
    if not out.exists():
        raise RuntimeError(err)
    return code, json.loads(out.read_text()), text


def altered(server, tree):
    """One library is another on the served unit."""
    node = tree[LIBRARY]
    data, host = bytearray(content(node)), node.host
    data[len(data) // 2] ^= 1
    node.host, node.data = None, bytes(data)
    folder = D / "altered"
    code, out, err = lib.gh(server, "phone", "--pull", folder, "--only-pull", *QUIET)
    code, c, text = compare(server, lib.DEMO / "phone.zip", folder)
    ght.equal(c["gate"]["state"], "same", "the same build")
    ght.equal([(d["kind"], d["what"], d["place"]) for d in c["differences"] if d["what"] != "partition" and d["kind"] == "changed"],
              [("changed", "file", "system:" + LIBRARY.decode())], "exactly the altered library is named")
    mine = {"system:/etc/nostat", "vendor:/closed", "vendor:/secret.bin"}
    ght.equal({d["place"] for d in c["differences"] if d["kind"] == "only_b"}, mine, "what only the unit has is what was added to it")
    ght.equal([d["place"] for d in c["differences"] if d["kind"] == "only_a" and d["what"] != "partition"], [], "nothing is missing that it lists")
    ght.equal(code, 1, "and the exit code says so")
    by_reference(server, folder, c)
    node.host, node.data = host, b""


def by_reference(server, pulled, want):
    """The same with --reference: what is known is hashed on the phone."""
    folder, db = D / "reference", D / "reference.db"
    code, out, err = lib.gh(server, "phone", "--pull", folder, "--reference", lib.DEMO / "phone.zip", "--db", db, *QUIET)
    ght.check(code == 1 and LIBRARY.decode()[7:] in out, "phone --reference tells the altered library", (code, out[-600:], err))
    states = {p: r["state"] for p, r in lib.rows(folder).items() if r["size"] != "0"}
    ght.equal([p for p, s in states.items() if s == "pulled"], [LIBRARY.decode()], "only the altered library was pulled")
    code, c, _ = compare(server, lib.DEMO / "phone.zip", folder)
    same = [(d["kind"], d["place"]) for d in c["differences"]]
    ght.equal(same, [(d["kind"], d["place"]) for d in want["differences"]], "the comparison is the same as with all contents")
    code, out, err = lib.gh(server, "scan", folder, "-f", f"json={D / 'alone.json'}", "--progress", "none")
    hidden = [x for x in json.loads((D / "alone.json").read_text())["coverage"]["not_examined"] if "hashed by the phone" in json.dumps(x)]
    ght.check(len(hidden) > 100, "scanned without its reference, what was only hashed is not examined", len(hidden))


def other_builds(server, tree):
    """A neighbour of the build and another region cannot be judged, and nobody is accused."""
    prop = tree[b"/system/build.prop"]
    host, text = prop.host, content(prop)
    for name, old, new in (("neighbour", b"11224433", b"11224434"), ("region", b"ro.product.system.name=lantern", b"ro.product.system.name=lantern_cn")):
        prop.host, prop.data = None, text.replace(old, new)
        ght.check(prop.data != text, f"{name}: the property is there")
        folder = D / name
        lib.gh(server, "phone", "--pull", folder, "--only-pull", *QUIET)
        code, c, words = compare(server, lib.DEMO / "phone.zip", folder)
        ght.equal((c["gate"]["state"], c["verdict"]["state"]), ("different", "different_build"), f"{name}: another build, cannot be judged")
        ght.check(not ACCUSES.search(words + json.dumps(c)), f"{name}: nobody is accused")
    prop.host, prop.data = host, b""


def forged(server, tree, device, first):
    """Properties that lie: what the bytes say stays the same."""
    device.shell.answers = lib.answers(tree, **{"ro.debuggable": "0", "ro.build.type": "user", "ro.build.tags": "release-keys",
                                              "ro.boot.verifiedbootstate": "green", "ro.build.fingerprint": "google/clean/clean:14/X/1:user/release-keys"})
    found = []
    for folder in (first, D / "forged"):
        if folder != first:
            lib.gh(server, "phone", "--pull", folder, "--only-pull", *QUIET)
        out = D / "findings.json"
        lib.gh(server, "scan", folder, "-f", f"json={out}", "--progress", "none")
        j = json.loads(out.read_text())
        # What a phone says of itself may answer otherwise; what bytes say may not.
        bytes_only = [{k: v for k, v in f.items() if k != "verify"} for f in j["findings"] if "own word" not in json.dumps(f.get("witness", ""))]
        found.append(json.dumps(bytes_only, sort_keys=True))
    ght.check(found[0] == found[1] and len(found[0]) > 1000, "forged properties change no answer that is based on bytes")


# ---- a cable that breaks ----

def part_of(tree):
    small = adbd.Tree()
    for p, n in tree.items():
        if p.startswith((b"/system/etc", b"/vendor/etc", b"/vendor/secret", b"/vendor/closed", b"/product/etc")) or p in (LIBRARY, b"/system/build.prop"):
            small.put(p, n)
    return small


def broken(server, tree):
    small = part_of(tree)
    whole = adbd.Device(small, lib.answers(small))
    server.connect(whole)
    lib.gh(server, "phone", "--pull", D / "whole", "--only-pull", *QUIET)
    want, total = told(D / "whole"), whole.bytes
    server.drop(whole)
    whole.close()
    dice, seed = random.Random(5), 5
    folder, cuts, runs, codes = D / "cut", 0, 0, set()
    while cuts < 50 and runs < 200:
        device = adbd.Device(small, lib.answers(small))
        server.connect(device)
        device.bytes = 0
        device.cut_after = point = dice.randrange(total)
        code, out, err = lib.gh(server, "phone", "--pull", folder, "--only-pull", "--progress", "none", "--wait", "0")
        codes.add(code)
        runs += 1
        if device.cut_after is None:
            cuts += 1
        if code == 0 or runs % 10 == 0:
            good = {p: r for p, r in told(folder).items() if r[6] == "pulled"} if (folder / "files.tsv").exists() else {}
            ght.equal({p: r for p, r in good.items() if want.get(p) != r}, {}, f"run {runs}, cut after {point} bytes: what is there is right")
        if code == 0:
            ght.equal(differ(told(folder), want), {}, f"seed {seed}, run {runs}: resumed to the same result")
            intact(folder, f"run {runs}")
            lib.forget(folder)
        server.drop(device)
        device.close()
    ght.equal(cuts, 50, "the cable was cut 50 times")
    if folder.exists():
        device = adbd.Device(small, lib.answers(small))
        server.connect(device)
        code, out, err = lib.gh(server, "phone", "--pull", folder, "--only-pull", *QUIET)
        ght.equal((code, differ(told(folder), want)), (0, {}), "resumed to the same result in the end")
        server.drop(device)
        device.close()
    ght.equal(codes <= {0, 2}, True, f"a broken cable is told ({codes})")
    return small, want


def comes_again(server, small, want):
    """The connection breaks and comes back while it goes on."""
    device = adbd.Device(small, lib.answers(small))
    serial, stop = server.connect(device), threading.Event()

    def keep():
        while not stop.wait(0.3):
            server.adb("connect", serial, check=False)
    threading.Thread(target=keep, daemon=True).start()
    device.cut_after = 200_000 + device.bytes
    code, out, err = lib.gh(server, "phone", "--pull", D / "again", "--only-pull", "--progress", "none", "--wait", "30")
    stop.set()
    ght.equal((code, device.cut_after, differ(told(D / "again"), want)), (0, None, {}), "a cable that is put in again: goes on by itself")
    server.drop(device)
    device.close()


def interrupted(server, small, want):
    device = adbd.Device(small, lib.answers(small))
    slow, go = device.recv, threading.Event()
    seen = []
    device.recv = lambda s, path: (seen.append(path), len(seen) == 20 and go.wait(60))[1:] and slow(s, path)
    server.connect(device)
    p = subprocess.Popen([lib.BIN, "phone", "--pull", str(D / "stopped"), "--only-pull", *QUIET], env=server.env, stderr=subprocess.PIPE,
                         start_new_session=True)
    end = time.monotonic() + 60
    while len(seen) < 20 and time.monotonic() < end:
        time.sleep(0.05)
    os.killpg(p.pid, signal.SIGINT)
    err = p.communicate(timeout=60)[1].decode()
    go.set()
    kept = [r for r in told(D / "stopped").values() if r[6] == "pulled"]
    ght.check(p.returncode == 130 and kept and "goes on from there" in err, "Ctrl-C: told, and what came is kept", (p.returncode, len(kept), err))
    device.recv = slow
    code, out, err = lib.gh(server, "phone", "--pull", D / "stopped", "--only-pull", *QUIET)
    ght.equal((code, differ(told(D / "stopped"), want)), (0, {}), "and goes on to the same result")
    server.drop(device)
    device.close()


# ---- other ways, other phones ----

def directly(server, small, want):
    taps = []
    device = adbd.Device(small, lib.answers(small), keys=[], tap=lambda: taps.append(1) or True)
    for n in range(2):
        code, out, err = lib.gh(server, "phone", "--pull", D / f"direct{n}", "--only-pull", "--way", f"tcp:{device.port}", *QUIET)
        ght.equal((code, differ(told(D / f"direct{n}"), want)), (0, {}), "without a server: the same result")
        ght.equal("Allow" in err, n == 0, "the tap is asked for once")
    ght.equal(len(taps), 1, "the key was accepted, then its signature")
    key = D / "state/gifthorse/adbkey"
    ght.equal(stat.S_IMODE(key.stat().st_mode), 0o600, "the key is its owner's alone")
    device.tap, device.keys = (lambda: False), []
    code, out, err = lib.gh(server, "phone", "--pull", D / "no", "--only-pull", "--way", f"tcp:{device.port}", *QUIET)
    ght.equal((code, (D / "no").exists()), (2, False), "no tap, nothing is pulled")
    device.close()


def older(server, small, want):
    """Phones with version 1 of all, and with a shell that has neither find nor stat."""
    old = adbd.Device(small, lib.answers(small), features="cmd")
    server.connect(old)
    code, out, err = lib.gh(server, "phone", "--pull", D / "old", "--only-pull", *QUIET)
    ght.equal((code, differ(told(D / "old"), want)), (0, {}), "version 1 of shell and sync: the same files")
    ght.equal({x["exit"] for x in lib.summary(D / "old")["items"]}, {None}, "and no exit status, which it does not tell")
    server.drop(old)
    old.close()
    for features, by in ((adbd.FEATURES, "2"), ("shell_v2", "1")):
        bare = adbd.Device(small, lib.answers(small), features=features)
        bare.shell.loop = lambda where, find: iter([(2, b"find: not found\n"), (3, 127)])
        # Debian 12's server does not know LIS2, so the direct path asks for it.
        code, out, err = lib.gh(server, "phone", "--pull", D / f"bare{by}", "--only-pull", "--way", f"tcp:{bare.port}", *QUIET)
        got, plain = told(D / f"bare{by}"), {p: r for p, r in want.items() if r[6] == "pulled"}
        bad = {p: (got.get(p), r) for p, r in plain.items()
               if p.startswith(("/system", "/vendor", "/product")) and (got.get(p) is None or (got[p][0], got[p][3], got[p][7]) != (r[0], r[3], r[7]))}
        ght.equal((code, bad), (0, {}), f"a shell without find: listed by version {by} of the sync service")
        ght.equal(got["/system/build.prop"][1], "0" if by == "2" else "-", "owners only where they were told")
        ght.equal(got["/vendor/secret.bin"][6], "denied", "what is refused is told")
        bare.close()


def several(server, small):
    one, two = (adbd.Device(small, lib.answers(small)) for _ in range(2))
    a, b = server.connect(one), server.connect(two)
    code, out, err = lib.gh(server, "phone", "--pull", D / "two", "--only-pull", *QUIET)
    ght.check(code == 2 and a in err and b in err and "--serial" in err, "two phones: listed, and asked which", err)
    code, out, err = lib.gh(server, "phone", "--pull", D / "two", "--only-pull", "--serial", b, *QUIET)
    ght.equal((code, lib.summary(D / "two")["serial"]), (0, b), "--serial takes the one")
    for d in (one, two):
        server.drop(d)
        d.close()
    closed = adbd.Device(small, {}, keys=[], tap=lambda: time.sleep(20) or False)
    server.connect(closed, state="unauthorized")
    code, out, err = lib.gh(server, "phone", "--pull", D / "un", "--only-pull", "--progress", "none", "--wait", "1")
    ght.check(code == 2 and "Allow" in err, "an unauthorised phone: told what to tap", err)
    server.drop(closed)
    closed.close()
    code, out, err = lib.gh(server, "phone", "--pull", D / "none", "--only-pull", "--progress", "none", "--wait", "0")
    ght.check(code == 2 and "USB debugging" in err, "no phone: told how to connect it", err)
    (D / "else").mkdir()
    (D / "else/x").write_text("mine")
    last = adbd.Device(small, lib.answers(small))
    server.connect(last)
    code, out, err = lib.gh(server, "phone", "--pull", D / "else", "--only-pull", *QUIET)
    ght.check(code == 2 and os.listdir(D / "else") == ["x"], "a folder with something else in it is left alone", err)
    server.drop(last)
    last.close()


def main():
    tree = lib.add_closed(lib.unpacked("phone", D / "unpacked"))
    server = lib.Server(D)
    try:
        commands(server)
        device = adbd.Device(tree, lib.answers(tree))
        serial = server.connect(device)
        first = first_pull(server, tree, serial)
        altered(server, tree)
        other_builds(server, tree)
        forged(server, tree, device, first)
        server.drop(device)
        device.close()
        small, want = broken(server, tree)
        comes_again(server, small, want)
        interrupted(server, small, want)
        directly(server, small, want)
        older(server, small, want)
        several(server, small)
    finally:
        server.stop()
        shutil.rmtree(D / "unpacked", ignore_errors=True)
    ght.done()


main()
