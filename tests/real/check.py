# SPDX-License-Identifier: Apache-2.0
"""Scans each public firmware dump that is at hand and compares the facts with what is known of it.

Two measures: oracle.py reads every dump a second way, and facts.py holds each row of $GH_SHARED/truth/real_inputs.tsv against the
views of the facts database. A row of that list nobody wrote a check for is a failure, so the list cannot grow unnoticed.
"""
import csv
import json
import os
import sqlite3
import subprocess
import sys
import tempfile

import facts
import inventory

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
SCAN_SECONDS = 3600  # a hang is a failure, a slow machine is not
DONE = (0, 1, 3)     # exit codes of a scan that came to its end


class Tally:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    def ok(self, what):
        self.passed += 1
        print(f"ok   {what}", flush=True)

    def fail(self, what, why):
        self.failed += 1
        print(f"FAIL {what}: {why}", flush=True)

    def skip(self, what, why):
        self.skipped += 1
        print(f"SKIP {what}: {why}", flush=True)

    def run(self, what, check, *args):
        """A check raises Wrong with what it saw, Undecided with the reason it cannot say."""
        try:
            check(*args)
        except facts.Undecided as e:
            self.skip(what, e)
        except (facts.Wrong, sqlite3.Error, KeyError) as e:
            self.fail(what, f"{type(e).__name__}: {e}" if not isinstance(e, facts.Wrong) else e)
        else:
            self.ok(what)

    def close(self):
        print(f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped")
        return 1 if self.failed else 0


class Dump:
    """One scanned folder: its facts database, its report, and the inventory read without gifthorse."""

    def __init__(self, name, root, code, db, report):
        self.name, self.root, self.code, self.report = name, root, code, report
        self.db = sqlite3.connect(f"file:{db}?mode=ro", uri=True)
        self.db.create_function("digest", 1, lambda v: v.hex() if isinstance(v, bytes) else v and v.lower(), deterministic=True)
        self.truth = inventory.read(root)

    def rows(self, sql, *args):
        return self.db.execute(sql, args).fetchall()

    def column(self, sql, *args):
        return [row[0] for row in self.rows(sql, *args)]

    def findings(self, *levels):
        return [f for f in self.report["findings"] if f["severity"] in levels]

    def not_examined(self):
        return [json.dumps(x, ensure_ascii=False) for x in self.report["coverage"]["not_examined"]]


def scan(binary, root, work):
    db, report = os.path.join(work, "facts.db"), os.path.join(work, "report.json")
    done = subprocess.run([binary, "scan", root, "--db", db, "-f", f"json={report}"], stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE, timeout=SCAN_SECONDS)
    if done.returncode not in DONE:
        raise facts.Wrong(f"exit code {done.returncode}: {done.stderr.decode(errors='replace')[-300:].strip()}")
    with open(report, encoding="utf-8") as f:
        return done.returncode, db, json.load(f)


def truth_rows(path):
    with open(path, encoding="utf-8", newline="") as f:
        return [facts.Row(r["input"], r["fact"], r["expected"]) for r in csv.DictReader(f, delimiter="\t", quoting=csv.QUOTE_NONE)]


def check_dump(tally, binary, name, root, rows):
    with tempfile.TemporaryDirectory(prefix="gh-real-") as work:
        try:
            dump = Dump(name, root, *scan(binary, root, work))
        except (facts.Wrong, subprocess.TimeoutExpired, OSError, ValueError) as e:
            tally.fail(f"{name}: scan", e)
            return
        tally.ok(f"{name}: scan")
        for what, check in inventory.checks(dump.truth):
            tally.run(f"{name}: {what}", check, dump)
        for row in rows:
            for what, check in facts.checks(row, name):
                tally.run(f"{name}: {what}", check, dump, row)
        dump.db.close()


def main():
    tally = Tally()
    shared = os.environ.get("GH_SHARED", os.path.join(ROOT, "..", "shared"))
    listed, dumps = os.path.join(shared, "truth", "real_inputs.tsv"), os.environ.get("GH_DUMPS", "")
    binary = os.path.abspath(os.environ.get("GH_BIN", os.path.join(ROOT, "build", "gifthorse")))
    if not os.path.exists(listed):
        tally.skip("real inputs", "no truth/real_inputs.tsv under GH_SHARED")
        return tally.close()
    rows = truth_rows(listed)
    for row in rows:
        if not facts.known(row):
            tally.fail(f"{row.input}: {row.fact}", "facts.py has no check for this row")
    if not os.access(binary, os.X_OK):
        tally.fail("gifthorse", f"{binary} is not a program (GH_BIN)")
        return tally.close()
    for name, place in facts.DUMPS.items():
        root = os.path.join(dumps, place)
        if not dumps or not os.path.isdir(root):
            tally.skip(name, f"no folder {place} in GH_DUMPS" if dumps else "GH_DUMPS is not set")
            continue
        check_dump(tally, binary, name, root, rows)
    return tally.close()


if __name__ == "__main__":
    sys.exit(main())
