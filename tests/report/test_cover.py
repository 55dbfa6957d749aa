#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Coverage by bytes: what was planted outside of every layout is found at its offset and nothing else is; and each container's
numbers are its size."""
import io
import json
import os
import pathlib
import random
import struct
import subprocess
import sys
import tarfile
import zipfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import ght  # noqa: E402

BIN = os.environ.get("GH_BIN", str(ght.BUILD / "gifthorse"))
DEMO = pathlib.Path(os.environ.get("GH_DEMO", ght.ROOT / "build/demo"))
D = ght.tmp()
SBIN = {**os.environ, "PATH": os.environ["PATH"] + ":/usr/sbin:/sbin"}
RNG = random.Random(3)
SECRET = bytes(RNG.randrange(1, 255) for _ in range(5000))  # no zeros, no FF: its ends are its ends


def scan(*names):
    p = subprocess.run([BIN, "scan", *map(os.fspath, names), "-f", "json", "--fail-on", "never"], capture_output=True, cwd=D)
    r = json.loads(p.stdout)
    wrong = [b for b in r["bytes"] if b["opened"] and b["size"] != sum(b[k] for k in ("content", "structure", "padding", "unclaimed", "not_told_apart", "not_swept"))]
    ght.check(not wrong, f"{names[0]}: the parts are the whole", wrong[:2])
    ght.equal(r["scan"]["crashes"], 0, f"{names[0]}: no reader stopped")
    return r


def strays(r):
    return [(u["place"], u["offset"], u["bytes"]) for u in r["unclaimed"]]


def ext4(name, size="4M", options=()):
    src = D / f"{name}.src"
    src.mkdir()
    for i in range(40):
        (src / f"file{i}").write_bytes(bytes(RNG.randrange(256) for _ in range(3000)) * (i % 5 + 1))
    (src / "holes").write_bytes(b"\1" * 4096 + bytes(1 << 20) + b"\2" * 4096)
    ght.run("mke2fs", "-q", "-t", "ext4", "-b", "4096", *options, "-d", src, D / name, size, env=SBIN)
    return D / name


def free_block(path):
    """The number of a free block, as dumpe2fs tells it."""
    text = ght.run("dumpe2fs", path, env=SBIN).decode()
    ranges = [x.split(":", 1)[1].split(",")[-1].strip() for x in text.splitlines() if x.strip().startswith("Free blocks:")]
    return int([r for r in ranges if r][-1].split("-")[-1])


def test_ext4():
    for name, options in (("plain.img", ()), ("small.img", ("-O", "^has_journal,^resize_inode")), ("old.img", ("-O", "^metadata_csum,^64bit,^flex_bg"))):
        r = scan(ext4(name, options=options))
        ght.equal(strays(r), [], f"{name}: all bytes of a file system that mke2fs made are claimed")
        size = sum(p.stat().st_size for p in (D / f"{name}.src").iterdir())
        content = r["bytes"][0]["content"]
        ght.check(size - (1 << 20) <= content <= size + 42 * 4096, f"{name}: its files' blocks are content", (size, content))
    for block in (1024, 2048):
        ght.run("mke2fs", "-q", "-t", "ext4", "-b", block, "-d", D / "plain.img.src", D / f"b{block}.img", "6M", env=SBIN)
        ght.equal(strays(scan(f"b{block}.img")), [], f"blocks of {block} bytes: all claimed")
    free = free_block(D / "plain.img")
    raw = bytearray((D / "plain.img").read_bytes())
    raw[free * 4096:free * 4096 + 900] = SECRET[:900]
    raw += bytes(8192) + SECRET[:3000] + bytes(5000)
    (D / "planted.img").write_bytes(raw)
    ght.equal(sorted(strays(scan("planted.img"))), [("planted.img", free * 4096, 900), ("planted.img", len(raw) - 8000, 3000)], "bytes in a free block, and behind the file system's end")


def test_zip():
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as z:
        z.writestr("hidden", b"x" * 5000)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as z:
        for i in range(20):
            z.writestr(f"name{i}", b"text" * i * 50)
        hidden = zipfile.ZipInfo("hidden.zip")
        z.writestr(hidden, inner.getvalue())
        z.writestr("large", os.urandom(100000))
    raw = out.getvalue()
    (D / "clean.zip").write_bytes(raw)
    ght.equal(strays(scan("clean.zip")), [], "a zip as Python makes it: all claimed")
    # The same without a word of hidden.zip in the directory.
    size, cd = struct.unpack("<II", raw[-10:-2])
    at = raw.index(b"hidden.zip", cd) - 46
    n = 46 + len("hidden.zip")
    end = raw[cd + size:]
    end = end[:8] + struct.pack("<HHII", 21, 21, size - n, cd) + end[20:]
    (D / "gap.zip").write_bytes(raw[:at] + raw[at + n:cd + size] + end)
    ght.equal(len(zipfile.ZipFile(D / "gap.zip").namelist()), 21, "the directory is sound")
    r = scan("gap.zip")
    found = [(u["offset"], u["bytes"], u["begins_like"]) for u in r["unclaimed"]]
    want = (hidden.header_offset, 40 + len(inner.getvalue()), "zip")
    ght.check(len(found) == 1 and found[0][0] == want[0] and found[0][2] == "zip" and want[1] - 32 <= found[0][1] <= want[1] + 32, "a member that the directory does not name: found, and what it is", (found, want))


def test_others():
    with tarfile.open(D / "plain.tar", "w") as t:
        for i in range(5):
            info = tarfile.TarInfo(f"f{i}")
            info.size = 700 * i
            t.addfile(info, io.BytesIO(b"\5" * info.size))
    ght.equal(strays(scan("plain.tar")), [], "a tar archive: all claimed")
    raw = (D / "plain.tar").read_bytes() + bytes(1024) + SECRET
    (D / "behind.tar").write_bytes(raw)
    ght.equal(strays(scan("behind.tar")), [("behind.tar", len(raw) - 5000, 5000)], "bytes behind a tar archive's end")
    (D / "opaque.bin").write_bytes(os.urandom(5000))
    r = scan("opaque.bin")
    ght.equal((r["bytes"][0]["opened"], r["bytes"][0]["size"], strays(r)), (False, 5000, []), "what nothing opens is told as that")
    p = subprocess.run([BIN, "coverage", "opaque.bin"], capture_output=True, cwd=D)
    ght.check(b"nothing here opens it" in p.stdout, "on the screen too", p.stdout)


def test_demo():
    if not (DEMO / "phone.zip").is_file():
        ght.skip("the demonstration phone", "not made (make demo)")
        return
    ght.equal(strays(scan(DEMO / "phone.zip")), [], "the demonstration phone: all bytes are claimed")
    for name, at in (("boot", 6 << 20), ("system", (DEMO / "phone/system.img").stat().st_size - 70000)):
        raw = bytearray((DEMO / f"phone/{name}.img").read_bytes())
        quiet = raw[at:at + 5000].count(0)
        raw[at:at + 5000] = SECRET
        (D / f"{name}.img").write_bytes(raw)
        found = strays(scan(f"{name}.img"))
        if name == "boot":
            ght.equal((quiet, found), (5000, [("boot.img", at, 5000)]), "bytes in a boot image's padding")
    code = {}
    for argv in (["boot.img"], ["facts.db"]):
        if argv == ["facts.db"]:
            subprocess.run([BIN, "scan", "boot.img", "--db", "facts.db"], capture_output=True, cwd=D)
        p = subprocess.run([BIN, "coverage", *argv], capture_output=True, cwd=D)
        code[argv[0]] = (p.returncode, p.stdout)
    ght.equal(code["boot.img"], code["facts.db"], "coverage of an input and of its facts are the same")
    ght.check(code["boot.img"][0] == 1 and b"5,000 bytes" in code["boot.img"][1], "unclaimed bytes: exit 1, told", code["boot.img"])
    p = subprocess.run([BIN, "report", "facts.db", "-f", "html"], capture_output=True, cwd=D)
    ght.check(b"5,000" in p.stdout and b"<svg" in p.stdout, "and in the HTML report")


for test in (test_ext4, test_zip, test_others, test_demo):
    test()
ght.done()
