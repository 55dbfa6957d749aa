#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Backups of adb: a tar that tar itself made, packed by zlib, must come out byte by byte, with its files; damage must be told."""
import os
import pathlib
import sys
import zlib

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "tests/lib"))
import ght  # noqa: E402

DIR = ght.tmp()


def made(name, data):
    path = DIR / name
    path.write_bytes(data)
    return path


def tar_of(files):
    """A tar of files, made by tar."""
    base = DIR / "tree"
    for name, data in files.items():
        (base / name).parent.mkdir(parents=True, exist_ok=True)
        (base / name).write_bytes(data)
    return ght.run("tar", "--format=ustar", "--owner=1000", "--group=1000", "-C", base, "-cf", "-", "apps")


def status(rows):
    return [(r["plugin"], r["status"]) for r in ght.rows(rows, "blob_runs") if r["plugin"] == "ab"]


def check_tree(name, backup, tar, files):
    path = made(name, backup)
    rows = ght.drive(path)
    ght.equal(status(rows), [("ab", "ok")], f"{name}: status")
    ght.equal([(r["name"], r["flags"] & 4) for r in ght.rows(rows, "members") if r["name"] == "backup.tar"], [("backup.tar", 0)], f"{name}: its one member")
    child = next(r["child"] for r in ght.rows(rows, "members") if r["name"] == "backup.tar")
    ght.equal(ght.blob_of(rows, child)["sha256"], ght.sha(tar), f"{name}: the tar, byte by byte")
    ght.equal(ght.blob_of(rows, child)["format"], "tar", f"{name}: is read as one")
    got = {e["path"]: ght.blob_of(rows, e["child"])["sha256"] for e in ght.rows(rows, "entries") if e["ftype"] == "file" and e["size"]}
    ght.equal(got, {"/" + k: ght.sha(v) for k, v in files.items() if v}, f"{name}: every file of it")


def main():
    files = {"apps/com.a/_manifest": b"1\ncom.a\n7\n", "apps/com.a/f/data": os.urandom(100000), "apps/com.a/db/empty": b"", "apps/com.b/sp/x.xml": b"<map/>" * 1000}
    tar = tar_of(files)
    for version in (1, 3, 5):
        for level in (1, 6, 9):
            check_tree(f"v{version}-{level}.ab", b"ANDROID BACKUP\n%d\n1\nnone\n" % version + zlib.compress(tar, level), tar, files)
        check_tree(f"v{version}-plain.ab", b"ANDROID BACKUP\n%d\n0\nnone\n" % version + tar, tar, files)
    big = tar_of(dict(files, **{"apps/com.c/f/big": os.urandom(3 << 20) * 23}))
    path = made("big.ab", b"ANDROID BACKUP\n5\n1\nnone\n" + zlib.compress(big, 1))
    ght.check(ght.cat(path, "backup.tar") == big, "one of 69 MiB: more than is held whole")

    rows = ght.drive(made("secret.ab", b"ANDROID BACKUP\n5\n1\nAES-256\n" + b"00" * 64 + b"\n" + os.urandom(5000)))
    ght.equal(status(rows), [("ab", "unsup")], "an encrypted one: told as not read")
    ght.equal([(r["child"], r["flags"]) for r in ght.rows(rows, "members") if r["name"] == "backup.tar"], [(None, 4)], "an encrypted one: listed as unreadable")
    packed = b"ANDROID BACKUP\n5\n1\nnone\n" + zlib.compress(tar)
    bad = bytearray(packed)
    bad[-1] ^= 1
    for name, data, want in (("adler.ab", bytes(bad), ["bad"]), ("cut.ab", packed[:-2], ["short"]), ("half.ab", packed[:len(packed) // 2], ["short", "bad"]),
                             ("behind.ab", packed + b"xyz", ["unsup"]), ("version.ab", packed.replace(b"\n5\n", b"\n9\n", 1), ["unsup"]),
                             ("nozlib.ab", b"ANDROID BACKUP\n5\n1\nnone\nxxxx", ["bad"]), ("head.ab", b"ANDROID BACKUP\n5\n1\n", ["bad"])):
        codes = [n["code"] for n in ght.rows(ght.drive(made(name, data)), "notes") if n["plugin"] == "ab"]
        ght.check(codes and codes[0] in want, f"{name} is told as {want[0]}", str(codes))
    ght.equal([r for r in ght.rows(ght.drive(made("no.ab", b"ANDROID BACKUPS\n")), "blob_runs") if r["plugin"] == "ab"], [], "another word is no backup")

    base = ght.corpus("mvt")
    if base:
        base = base / "tests/artifacts"
        # The digests that the reference's own tests state of what is inside.
        for name, want in (("backup", "ce1ac5009fea5187a9f546b51e1446ba450243ae91d31dc779233ec0937b5d18"),
                           ("backup3", "33e73df2ede9798dcb3a85c06200ee41c8f52dd2f2e50ffafcceb0407bc13e3a")):
            rows = ght.drive(base / f"android_backup/{name}.ab")
            child = next(r["child"] for r in ght.rows(rows, "members") if r["name"] == "backup.tar")
            ght.equal(ght.blob_of(rows, child)["sha256"], want, f"MVT {name}.ab")
        rows = ght.drive(base / "android_backup/backup.ab")
        got = sorted(((r["kind"], ght.unescape(r["links"])) for r in ght.rows(rows, "live_messages")), reverse=True)
        ght.equal(got, [("sms", b"https://google.com/"), ("mms", b"http://google.com")], "MVT backup.ab: two messages with a link each")
        rows = ght.drive(base / "android_backup/backup3.ab")
        ght.equal([ght.unescape(r["links"]) for r in ght.rows(rows, "live_messages")], [b"https://google.com/"], "MVT backup3.ab: one message with a link")
        for name in ("android_backup/backup2.ab", "androidqf_encrypted/backup.ab"):
            ght.equal(status(ght.drive(base / name)), [("ab", "unsup")], f"MVT {name}: encrypted")
    ght.done()


main()
