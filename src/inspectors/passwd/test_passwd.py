#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""passwd: accounts against Python's own reading of the fields, keys against ssh-keygen's arithmetic (SHA-256 of the decoded key)."""
import base64
import hashlib
import pathlib
import random
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "tests/lib"))
import ght

d = ght.tmp()


def look(name, data):
    (d / name).write_bytes(data if isinstance(data, bytes) else data.encode())
    return ght.drive(d / name)


text = pathlib.Path("/etc/passwd").read_text()
want = [(f[0], int(f[2]), f[1], f[6]) for f in (x.split(":") for x in text.splitlines())]
ght.equal([(r["user"], r["uid"], r["hash"], r["shell"]) for r in ght.rows(look("passwd", text), "passwd")], want, "this machine's passwd")
rows = look("shadow", "root:absxcfbgXtb3o:10933:0:99999:7:::\ndaemon:*:1::::::\n# c\n\nbroken\n")
ght.equal([(r["user"], r["uid"], r["hash"], r["shell"], r["line"]) for r in ght.rows(rows, "passwd")],
          [("root", 0, "absxcfbgXtb3o", None, 1), ("daemon", None, "*", None, 2)], "shadow")
ght.equal([n["at"] for n in ght.rows(rows, "notes", code="bad")], [60], "a line that is no account is noted")
ght.equal(ght.rows(look("passwd", b"\x7fELF" + bytes(100)), "blob_runs", plugin="passwd"), [], "a program called passwd is not read")
r = random.Random(5)
keys = [r.randbytes(n) for n in (51, 279, 300, 535)]
lines = [b"ssh-rsa " + base64.b64encode(k) + b" user%d" % i for i, k in enumerate(keys)]
lines[1] = b'command="echo",no-pty ' + lines[1]
got = ght.rows(look("authorized_keys", b"# keys\n" + b"\n".join(lines) + b"\nssh-rsa ?? x\nnonsense\n"), "ssh_keys")
ght.equal([x["fp"] for x in got], [hashlib.sha256(k).hexdigest() for k in keys], "fingerprints, options before the type")
ght.equal([x["comment"] for x in got], [f"user{i}" for i in range(4)], "comments")
ght.equal(len(ght.rows(look("authorized_keys", b"ssh-rsa ?? x\nnonsense\n"), "notes", code="bad")), 2, "what is no key is noted")
ght.equal(ght.rows(look("authorized_keys", b"ssh-rsa " + b"A" * 400000), "ssh_keys"), [], "a key over the limit is no row")
ght.equal(ght.rows(look("passwd", b"root:x:0:0::/:/bin/sh"), "passwd")[0]["shell"], "/bin/sh", "no newline at the end")
ght.done()
