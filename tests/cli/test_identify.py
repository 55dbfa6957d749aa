#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""gifthorse identify: what it says of the demonstration phone's files, of files cut off anywhere, and of what nobody knows."""
import gzip
import json
import os
import pathlib
import random
import resource
import subprocess
import sys
import zipfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import ght  # noqa: E402

BIN = os.environ.get("GH_BIN", str(ght.BUILD / "gifthorse"))
DEMO = pathlib.Path(os.environ.get("GH_DEMO", ght.ROOT / "build/demo"))
D = ght.tmp()
SBIN = {**os.environ, "PATH": os.environ["PATH"] + ":/usr/sbin:/sbin"}


def gh(*argv, **kw):
    p = subprocess.run([BIN, "identify", *map(os.fspath, argv)], capture_output=True, cwd=D, **kw)
    return p.returncode, p.stdout.decode(), p.stderr.decode()


def one(path, want=0, **kw):
    code, out, err = gh("--json", path, **kw)
    ght.check(code == want and not err, f"identify {pathlib.Path(path).name}: exit {want}", (code, out, err))
    return json.loads(out)


def hints(r):
    out = {}
    for k, v in r["hints"]:
        out.setdefault(k, []).append(v)
    return out


def test_demo():
    if not (DEMO / "phone/vbmeta.img").is_file():
        ght.skip("the demonstration phone", "not made (make demo)")
        return
    print_ = "demo/lantern/lantern:14/UP1A.231105.003/11224433:user/release-keys"
    for name, formats, words in (("boot", ["bootimg"], {"header version": ["4"], "security patch": ["2026-05"], "fingerprint": [print_]}),
                                 ("recovery", ["bootimg"], {"header version": ["2"], "Android": ["14.0.0"]}),
                                 ("vendor_boot", ["bootimg"], {"boot image": ["vendor_boot"]}),
                                 ("system", ["ext4"], {"label": ["system"], "was mounted on": ["/"], "block size": ["4096"], "fingerprint": [print_]}),
                                 ("product", ["erofs"], {"verified partition": ["product"]}), ("vbmeta", [], {"verified boot": ["SHA256_RSA4096"], "fingerprint": [print_]})):
        r = one(DEMO / f"phone/{name}.img")
        ght.equal(r["formats"], formats, f"{name}: its format")
        got = hints(r)
        ght.equal({k: got.get(k) for k in words}, words, f"{name}: what it says of itself")
        ght.check("gifthorse scan" in r["next"] and f"{name}.img" in r["next"], f"{name}: the next command", r["next"])
    r = one(DEMO / "phone.zip")
    ght.equal((r["formats"], r["children"], hints(r).get("board")), (["zip"], 11, ["lantern"]), "the package")
    ght.equal(one(DEMO / "phone/super.img")["packed"], "super image (LP metadata)", "a sparse image: what it packs")
    r = one(DEMO / "phone/modem.img")
    ght.check(not r["known"] and r["guess_is_weak"] and r["entropy"] > 7.9 and "encrypted" in r["guess"], "modem firmware: what its bytes are like", r)


def test_cut():
    """Cut off at every kind of place: always an answer with facts, never a crash."""
    (D / "src").mkdir()
    (D / "src/file").write_bytes(os.urandom(300000))
    ght.run("mke2fs", "-q", "-t", "ext4", "-d", D / "src", D / "whole.ext4", "2M", env=SBIN)
    ght.run("mkfs.erofs", D / "whole.erofs", D / "src", env=SBIN)
    with zipfile.ZipFile(D / "whole.zip", "w") as z:
        for n in ("boot.img", "system.img"):
            z.writestr(n, os.urandom(200000))
    (D / "whole.gz").write_bytes(gzip.compress((D / "whole.ext4").read_bytes()))
    rng = random.Random(7)
    for name in ("whole.ext4", "whole.erofs", "whole.zip", "whole.gz"):
        raw = (D / name).read_bytes()
        ght.equal((one(name)["known"], one(name)["cut"]), (True, False), f"{name} whole")
        bad = []
        for n in [0, 1, 3, 4, 16, 100, 1023, 1024, 1100, 2048, 4096, 8192, *(rng.randrange(len(raw)) for _ in range(12))]:
            (D / "cut.bin").write_bytes(raw[:n])
            code, out, err = gh("--json", "cut.bin")
            r = json.loads(out) if code in (0, 3) else None
            code2, text, _ = gh("cut.bin")
            if not r or r["size"] != n or r["head"] != raw[:min(16, n)].hex() or "next:" not in text or code != code2:
                bad.append((n, code, out, err))
            if r and n > 8192 and name != "whole.gz" and not (r["known"] and r["cut"] and code == 3):
                bad.append((n, "not told as cut", r))
        ght.check(not bad, f"{name} cut at 24 lengths", bad[:1])
        (D / "cut.bin").write_bytes(raw[:2000] + raw[:2000])
        ght.check(gh("cut.bin")[0] in (0, 3), f"{name}, damaged")


def test_unknown():
    for data, word in ((b"", "empty"), (bytes(9000), "zeros"), (b"\xff" * 9000, "erased"), (b"hello world\n" * 50, "text"), (os.urandom(9000), "encrypted"),
                       (b"CrAU" + bytes(100), "update package"), (bytes(512) + b"EFI PART" + bytes(600), "whole disk"), (os.urandom(256) + b"ANDROID!" + bytes(900), "behind a header"),
                       (b"<!DOCTYPE html><p>403", "web page"), (b"\x28\xb5\x2f\xfd" + bytes(40), "Zstandard")):
        (D / "unknown.bin").write_bytes(data)
        code, out, err = gh("unknown.bin")
        ght.check(word.lower() in out.lower() and "next:" in out and f"{len(data)} bytes" in out and code in (0, 3), f"{word}: told", (code, out, err))
        if "not read here" in out and data:
            ght.check(" ".join(f"{b:02x}" for b in data[:16]) in out, f"{word}: the first bytes", out)
    (D / "it's; $(x).bin").write_bytes(b"\x7fELF" + bytes(60))
    out = gh("it's; $(x).bin")[1]
    ght.check("'it'\\''s; $(x).bin'" in out, "a file name in a command is quoted", out)


def test_speed():
    """A sparse file of a terabyte, in a second of processor time."""
    (D / "big.img").write_bytes((D / "whole.ext4").read_bytes())
    with open(D / "big.img", "r+b") as f:
        f.truncate(1 << 40)
    r = one("big.img", preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, (1, 1)), timeout=20)
    ght.equal((r["formats"], r["size"]), (["ext4"], 1 << 40), "a terabyte")


def test_use():
    for argv, word in (([], "identify FILE"), (["absent"], "No such file"), (["/dev/zero"], "stream"), (["--jsn", "x"], "--json")):
        code, out, err = gh(*argv)
        ght.check(code == 2 and word in err and not out, f"identify {argv}: exit 2 and a word", (code, out, err))
    code, out, err = gh("absent", "whole.zip", D)
    ght.check(code == 2 and "ZIP archive" in out and "a folder" in out and "absent" in err, "the rest is told all the same", (code, out, err))


for test in (test_demo, test_cut, test_unknown, test_speed, test_use):
    test()
ght.done()
