#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`scan --literals`: where each word of the list stands first in each content, as a plain search of the bytes finds it; and what was searched for other
words in an earlier scan is looked at again, what was searched for the same is not."""
import json
import os
import pathlib
import random
import sqlite3
import subprocess
import sys
import zipfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import ght  # noqa: E402

BIN = os.environ.get("GH_BIN", "build/gifthorse")
work = ght.tmp()
rng = random.Random(7)
words = ["needle", "haystack", "http://example.org/a", "needle in", "\u00fcber"]


def content(n):
    parts = [rng.randbytes(rng.randrange(400)) if rng.random() < 0.7 else rng.choice(words).encode() for _ in range(n)]
    return b"".join(parts)


files = {f"f{i}.bin": content(40) for i in range(8)} | {"big.bin": content(40) + rng.randbytes(3 << 20) + b"needle", "none.bin": b"nothing here at all"}
image = work / "in.zip"
with zipfile.ZipFile(image, "w") as z:
    for i, (name, data) in enumerate(files.items()):
        z.writestr(name, data, zipfile.ZIP_DEFLATED if i % 2 else zipfile.ZIP_STORED)


def list_of(name, some):
    path = work / name
    path.write_text("# a list\n\n" + "\n".join(some) + "\n")
    return path


def scan(db, *options):
    done = subprocess.run([BIN, "scan", image, "--db", db, "-f", f"json={work / 'out.json'}", "--progress", "none", *map(str, options)],
                          capture_output=True, text=True)
    ght.check(done.returncode in (0, 1, 3), f"the scan ends: {done.stderr[-300:]}")


def hits(db):
    """Of the newest scan: name, offset, word."""
    with sqlite3.connect(db) as sql:
        last = sql.execute("SELECT max(scan_id) FROM scans").fetchone()[0]
        return sorted(sql.execute("SELECT m.name, h.at, h.text FROM c_members m JOIN c_hits h ON h.blob_id=m.child "
                                  "JOIN nodes n ON n.blob_id=m.blob_id WHERE n.scan_id=? AND n.kind='archive'", (last,)))


def blobs(db):
    with sqlite3.connect(db) as sql:
        return sql.execute("SELECT count(*) FROM blobs").fetchone()[0]


def want(some):
    return sorted((name, at, word) for name, data in files.items() for word in some
                  if (at := data.find(word.encode())) >= 0)


db = work / "facts.db"
first, second = list_of("a.txt", words), list_of("b.txt", ["haystack", "nothing"])
scan(db, "--literals", first)
ght.equal(hits(db), want(words), "every word of the first list")
looked = blobs(db)
scan(db, "--literals", first)
ght.equal(hits(db), want(words), "the same list again")
ght.equal(blobs(db), looked + 1, "no content was looked at twice but the list of inputs")
scan(db, "--literals", second)
ght.equal(hits(db), want(["haystack", "nothing"]), "another list")
scan(db)
ght.equal(hits(db), [], "no list: no hits")
scan(db, "--literals", first)
ght.equal(hits(db), want(words), "the first list once more")
before = json.loads((work / "out.json").read_text())
scan(work / "alone.db", "--literals", first)
ght.equal(json.loads((work / "out.json").read_text()), before, "the report is that of a database of its own")
done = subprocess.run([BIN, "scan", image, "--literals", work / "absent.txt"], capture_output=True, text=True)
ght.check(done.returncode == 2 and "absent.txt" in done.stderr, "a list that is not there is told")
ght.check(pathlib.Path(image).exists(), "the input stays")
ght.done()
