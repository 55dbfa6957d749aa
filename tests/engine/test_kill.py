#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""kill -9 of the coordinator at any moment: the database opens, its report can be written and says so, no worker lives on, and a
later scan into it says what a fresh one says. Two scans never write into one database at the same time."""
import json
import pathlib
import os
import random
import signal
import sqlite3
import subprocess
import time

from facts import BIN, Facts, SLOW, argv, differ, environment, ght, phone, scan

SEED = int(os.environ.get("GH_SEED", random.randrange(1 << 30)))
print(f"     GH_SEED={SEED}")
rng = random.Random(SEED)
work = ght.tmp()
device = phone(work)
base = work / "base.db"
begun = time.monotonic()
scan(device, base)
took = time.monotonic() - begun
want = Facts(base)
rows, places, findings, text = want.rows(), want.places(), want.findings(), pathlib.Path(f"{base}.json").read_bytes()


def family(pid):
    """All processes whose environment names this scan."""
    mark = f"GH_TEST_SCAN={pid}".encode()
    found = []
    for p in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if mark in (p / "environ").read_bytes() and (p / "stat").read_text().rsplit(")", 1)[1].split()[0] != "Z":
                found.append(int(p.name))
        except OSError:
            pass
    return found


def start(db, mark, *options):
    env = environment(GH_TEST_SCAN=mark)
    return subprocess.Popen(argv(device, db, "-f", f"json={db}.json", *options), env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


states, orphans, unread, wrong = [], [], [], []
for i in range(20):
    db = work / f"kill{i}.db"
    p = start(db, f"k{SEED}-{i}", "--jobs", rng.choice("1237"))
    time.sleep(rng.random() * took * 1.1)
    p.kill()
    p.wait()
    for _ in range(100):
        left = family(f"k{SEED}-{i}")
        if not left:
            break
        time.sleep(0.05)
    orphans += left
    if not db.exists() or not sqlite3.connect(db).execute("SELECT 1 FROM sqlite_master WHERE name='blob_runs'").fetchone():
        continue  # killed before there was a table
    out = work / "report.json"
    r = subprocess.run([BIN, "report", str(db), "-f", f"json={out}"], env=environment(), capture_output=True)
    try:
        state = json.loads(out.read_bytes())["scan"]["state"] if r.returncode in (0, 1, 3) else None
    except ValueError:
        state = None
    states.append(state)
    if state is None and b"no scan" not in r.stderr:
        unread.append((i, r.returncode, r.stderr[-300:]))
    if i % 5 == 0:  # a later scan into it
        code = scan(device, db)
        got = Facts(db)
        if code not in (0, 1, 3) or differ(rows, got.rows()) or got.places() != places or got.findings() != findings or \
                pathlib.Path(f"{db}.json").read_bytes() != text:
            wrong.append((i, code, differ(rows, got.rows())))
print(f"     states: { {s: states.count(s) for s in set(states)} }")
ght.equal(orphans, [], "no worker lives on")
ght.equal(unread, [], "the report of every killed scan can be written")
ght.check(states.count("complete") < len(states), "some were killed midway", states)
ght.check(all(s in ("running", "interrupted", "complete", None) for s in states), "the state is told", states)
ght.equal(wrong, [], "a later scan into the same database says what a fresh one says")

# The worker's side of the same: SIGKILL of workers (the machine is out of memory) loses nothing.
db = work / "workers.db"
p = start(db, f"w{SEED}", "--jobs", "2")
killed = 0
while p.poll() is None and killed < 6:
    time.sleep(took / 12)
    workers = [x for x in family(f"w{SEED}") if x != p.pid]
    children = [x for x in workers if len(os.sched_getaffinity(x)) and x != min(workers)] if workers else []
    if children:
        try:
            os.kill(rng.choice(children), signal.SIGKILL)
            killed += 1
        except ProcessLookupError:
            pass
ght.check(p.wait(120) in (0, 1, 3), f"{killed} workers killed: the scan ends")

# Two at once.
db = work / "two.db"
first = start(db, f"t{SEED}")
time.sleep(0.15)
second = subprocess.run(argv(device, db), env=environment(), capture_output=True)
code = first.wait(120)
got = Facts(db)
ght.check(code in (0, 1, 3) and second.returncode in (0, 1, 2, 3), "two scans at once: both end", (code, second.returncode))
ght.check(second.returncode != 2 or b"another scan" in second.stderr, "two scans at once: the second is told why not", second.stderr[-200:])
if got.state == "complete":
    ght.equal(differ(rows, got.rows()), "", "two scans at once: the facts are right")

# Somebody begins to read while the scan runs, and does not stop.
db = work / "reader.db"
p = start(db, f"r{SEED}")
cursor = None
while cursor is None and p.poll() is None:
    try:
        reader = sqlite3.connect(db)
        cursor = reader.execute("SELECT * FROM blobs UNION ALL SELECT * FROM blobs")
        if cursor.fetchone() is None:
            cursor = None
    except sqlite3.OperationalError:
        pass
    time.sleep(0.02)
ght.check(p.wait(120) in (0, 1, 3), "a reader does not cost the scan its end", p.returncode)
reader.close()
ght.equal(differ(rows, Facts(db).rows()), "", "a reader: the facts are right")
ght.done()
