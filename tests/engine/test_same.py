#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The same input gives the same facts and the same report: for any number of workers, any order of jobs, a second scan into the
same database, a scan after one that was killed; and two phones in one database never mix."""
import os
import pathlib
import signal
import sqlite3
import subprocess
import time

from facts import BIN, Facts, SLOW, argv, differ, environment, ght, phone, scan

work = ght.tmp()
device = phone(work)
other = work / "other"
other.mkdir()
(other / "build.prop").write_text("ro.build.type=userdebug\nro.product.model=other\n")
(other / "hosts").write_text("1.2.3.4 example.org\n")


def report(db):
    return pathlib.Path(f"{db}.json").read_bytes()


base = work / "base.db"
ght.check(scan(device, base, "--jobs", 2) in (0, 1, 3), "the undisturbed scan ends")
want = Facts(base)
rows, places, findings, states, text = want.rows(), want.places(), want.findings(), want.states(), report(base)
print(f"     {sum(map(len, rows.values()))} rows, {len(places)} places, {len(findings)} findings, {want.spilled} bytes spilled")
ght.check(want.spilled > 64 << 20 and len(rows["blobs"]) > 300, "it holds a spill and hundreds of contents")


def compare(db, name, scan_id=None, json=True):
    got = Facts(db, scan_id)
    ght.equal(differ(rows, got.rows()), "", f"{name}: facts of content")
    ght.equal(got.places() == places, True, f"{name}: places")
    ght.equal(got.findings(), findings, f"{name}: findings")
    ght.equal(got.states(), states, f"{name}: states of the rules")
    if json:
        ght.equal(report(db) == text, True, f"{name}: the report, byte for byte")


for options in (["--jobs", 1], ["--jobs", 7], *(["--jobs", 3, "--shuffle", seed] for seed in (1, 2, 77, 4242, 990001))):
    db = work / ("-".join(map(str, options)).strip("-") + ".db")
    scan(device, db, *options)
    compare(db, " ".join(map(str, options)))
    os.unlink(db)

again = work / "again.db"
scan(device, again)
before = Facts(again)
scan(device, again, "--jobs", 3)
compare(again, "a second scan into the same database")
scan(device, again)
compare(again, "a third")
compare(again, "the first, seen after the third", scan_id=1, json=False)
ght.check(Facts(again).scan_id == 3, "three scans are told apart")

# Two phones in one database: each says what it says alone.
mixed = work / "mixed.db"
scan(device, mixed)
scan(other, mixed)
alone = work / "alone.db"
scan(other, alone)
a, b = Facts(alone), Facts(mixed)
ght.equal(differ(a.rows(), b.rows()), "", "two phones: facts of the second")
ght.equal(b.places(), a.places(), "two phones: places of the second")
ght.equal((b.findings(), b.states()), (a.findings(), a.states()), "two phones: findings of the second")
ght.equal(report(mixed) == report(alone), True, "two phones: report of the second, byte for byte")
views = [n for n, in sqlite3.connect(alone).execute("SELECT name FROM sqlite_master WHERE type='view'")]
drop = {"file_id", "artifact_id", "place_id", "apk_id", "svc_id", "component_id", "image_id", "exec_file_id", "resolved_file_id", "scan_id",
        "node_id", "blob_id"}  # numbers of this database, not of the phone


def view(db, name):
    sql = sqlite3.connect(db)
    sql.text_factory = bytes
    cursor = sql.execute(f"SELECT * FROM {name}")
    keep = [i for i, c in enumerate(cursor.description) if c[0] not in drop]
    return sorted(str([r[i] for i in keep]) for r in cursor)


wrong = [v for v in views if view(alone, v) != view(mixed, v)]
ght.equal(wrong, [], f"two phones: {len(views)} views of the second")
scan(device, mixed)
compare(mixed, "the first phone again, after the second")

# After a scan that was interrupted by its user.
cut = work / "cut.db"
p = subprocess.Popen(argv(device, cut, "-f", f"json={cut}.json"), env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
time.sleep(0.3 * SLOW)
p.send_signal(signal.SIGINT)
code = p.wait(60)
state = Facts(cut).state
ght.check((code, state) == (130, "interrupted") or state == "complete", "Ctrl-C: the state is told", f"exit {code}, state {state}")
scan(device, cut)
compare(cut, "after an interrupted scan")
ght.done()
