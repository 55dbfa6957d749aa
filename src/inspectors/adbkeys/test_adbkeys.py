#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""adbkeys: keys made with openssl and packed as adb packs them, against an independent decoder; lines that are no keys."""
import base64
import hashlib
import pathlib
import struct
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "tests/lib"))
import ght

d = ght.tmp()


def key(i):
    pem = d / f"k{i}.pem"
    ght.run("openssl", "genrsa", "-out", pem, "2048")
    n = int(ght.run("openssl", "rsa", "-in", pem, "-noout", "-modulus").decode().split("=")[1], 16)
    n0inv = (-pow(n, -1, 1 << 32)) % (1 << 32)
    return struct.pack("<II", 64, n0inv) + n.to_bytes(256, "little") + (pow(1 << 2048, 2, n)).to_bytes(256, "little") + struct.pack("<I", 65537)


def look(data, name="adb_keys"):
    (d / name).write_bytes(data)
    return ght.drive(d / name)


keys = [key(i) for i in range(3)]
lines = [base64.b64encode(k) + b" user%d@host" % i for i, k in enumerate(keys)]
rows = ght.rows(look(b"\n".join(lines) + b"\n"), "adb_keys")
ght.equal([r["fp"] for r in rows], [hashlib.sha256(k).hexdigest() for k in keys], "fingerprints of three keys")
ght.equal([(r["comment"], r["line"], r["at"]) for r in rows], [(f"user{i}@host", i + 1, sum(len(x) + 1 for x in lines[:i])) for i in range(3)], "comments, lines, offsets")
ght.equal(ght.rows(look(base64.b64encode(keys[0])), "adb_keys")[0]["comment"], None, "a key without comment or newline")
ght.equal(ght.rows(look(lines[0] + b"\r\n" + lines[1] + b"\r\n"), "adb_keys")[1]["comment"], "user1@host", "CRLF")
bad = look(b"# comment\n????\n\n" + lines[0] + b"\n" + base64.b64encode(b"short") + b" x\n")
ght.equal([n["at"] for n in ght.rows(bad, "notes", code="bad")], [10, 16 + len(lines[0]) + 1], "what is no key is noted at its offset")
ght.equal(len(ght.rows(bad, "adb_keys")), 2, "and the rest is read; a key of odd size is still a row")
ght.equal(ght.rows(look(b"A" * 100000), "adb_keys"), [], "a line of 100,000 characters is no key")
ght.equal(ght.rows(look(b"ABX\0rest", "adb_temp_keys.xml"), "blob_runs", plugin="adbkeys")[0]["status"], "unsup", "binary XML is refused")
ght.equal(ght.rows(look(lines[0], "other"), "adb_keys"), [], "other names are not looked at")
ght.done()
