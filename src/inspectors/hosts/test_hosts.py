#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""hosts: against an independent parser, on plain, large and damaged files."""
import pathlib
import random
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "tests/lib"))
import ght

d = ght.tmp()


def want(text):
    out = []
    for n, line in enumerate(text.split("\n"), 1):
        words = line.split("#")[0].split()
        out += [(words[0], name, n) for name in words[1:]]
    return out


def got(text):
    (d / "hosts").write_bytes(text.encode())
    rows = ght.drive(d / "hosts")
    return rows, [(r["ip"], r["host"], r["line"]) for r in ght.rows(rows, "hosts_entries")]


for name, text in {"plain": "127.0.0.1 localhost\n::1 ip6-localhost ip6-loopback\n", "no final newline": "10.0.0.1 x", "CRLF": "10.0.0.1 x\r\n10.0.0.2 y\r\n",
                   "comments": "# all\n1.2.3.4 a#b\n  # c\n", "tabs": "\t1.2.3.4\t\ta\tb \n", "empty": "", "long line": "1.2.3.4 " + "a" * 1000000}.items():
    rows, found = got(text)
    ght.equal(found, want(text), name)
r = random.Random(7)
big = "".join(f"{r.choice(['0.0.0.0', '127.0.0.1', '203.0.113.7'])} {'.'.join(str(r.randrange(99)) for _ in range(3))}.example\n" for _ in range(20000))
ght.equal(got(big)[1], want(big), "20,000 entries")
rows, found = got("1.2.3.4\n5.6.7.8 x\n")
ght.check(found == [("5.6.7.8", "x", 2)] and ght.rows(rows, "notes", code="bad", at=0), "an address without a name is noted, the rest read")
(d / "hosts").write_bytes(b"1.2.3.4 a\x00b \xff\xfe\n")
ght.equal([x["host"] for x in ght.rows(ght.drive(d / "hosts"), "hosts_entries")], ["a\\x00b", "\\xff\\xfe"], "bytes that are no text are kept")
at = [x["at"] for x in ght.rows(got("1.2.3.4 a bc\n")[0], "hosts_entries")]
ght.equal(at, [8, 10], "offsets of the names")
ght.done()
