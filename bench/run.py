#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The rounds behind run.sh and linear.sh; see README.md. Prints ratios and figures and judges none of them."""
import argparse
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parent))
from measure import measure  # noqa: E402

HERE = Path(__file__).resolve().parent
MB = 1e6
SCAN_CODES = (0, 1, 3)  # nothing found, findings, parts unreadable: the scan ran to its end


class Bench:
    def __init__(self, opt):
        self.opt = opt
        self.literals = opt.build / "literals.txt"
        self.work = Path(tempfile.mkdtemp(prefix="run.", dir=opt.build))
        self.outer = opt.outer or self._same_library()

    def _same_library(self):
        """The inflater of the outer zip that gifthorse itself links, so that the floor has no better one."""
        if self.opt.gifthorse.exists():
            libs = subprocess.run(["ldd", self.opt.gifthorse], capture_output=True, text=True).stdout
            return "isal" if "libisal" in libs else "zlib"
        return "isal"

    def floor(self, phone):
        out = subprocess.run([self.opt.build / "floor", "-j", str(self.opt.jobs), "-o", self.outer, "-l", self.literals, phone / "plan.txt"],
                             check=True, capture_output=True, text=True).stdout.split()
        return dict(zip(out[::2], out[1::2]))

    def scan(self, inputs, db, memory=False):
        reports = [str(self.work / "report.json"), str(self.work / "report.html")]
        command = [self.opt.gifthorse, "scan", *inputs, "--db", db, "--jobs", str(self.opt.jobs), "--literals", self.literals,
                   "-f", "text", "-f", "json=" + reports[0], "-f", "html=" + reports[1]]
        log = open(self.work / "scan.log", "w+")
        got = measure([str(c) for c in command], memory, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        if got["code"] not in SCAN_CODES:
            log.seek(0)
            sys.exit(f"gifthorse ended with {got['code']}:\n{log.read()[-4000:]}")
        log.close()
        got["reports"] = sum(os.path.getsize(r) for r in reports if os.path.exists(r))
        return got

    def chain(self, phone):
        got = subprocess.run([HERE / "chain.sh", phone / "firmware.zip", self.opt.build / "literals.yar", self.work], check=True,
                             capture_output=True, text=True).stdout.splitlines()
        return {**{f"step {r[1]}": float(r[2]) for r in map(str.split, got) if r[0] == "step"},
                "seconds": float(got[-1].split()[1]), "written": int(next(g for g in got if g.startswith("bytes_on_disk")).split()[1])}

    def fresh(self, name):
        for path in self.work.glob(name + "*"):
            path.unlink()
        return self.work / name

    def close(self):
        shutil.rmtree(self.work, ignore_errors=True)


def warm(paths):
    for path in paths:
        with open(path, "rb", buffering=0) as f:
            while f.read(1 << 22):
                pass


def inputs_of(phone):
    firmware = phone / "firmware.zip"
    return [firmware] if firmware.exists() else sorted(phone.glob("*.img"))


def spread(rows, key="seconds"):
    values = [float(r[key]) for r in rows]
    return f"{median(values):9.2f} s   ({min(values):.2f} .. {max(values):.2f})"


def middle(rows, key="seconds"):
    return median(float(r[key]) for r in rows)


def print_memory(got):
    print(f"  peak anonymous + shared   {got['anon_shmem'] / 2**20:9.1f} MiB  (anonymous {got['anon'] / 2**20:.1f}, shared {got['shmem'] / 2**20:.1f}; "
          f"{got['processes']} processes, {got['samples']} samples, {got['unreadable']} unreadable)")
    print(f"  peak files in memory      {got['memory_files'] / 2**20:9.1f} MiB  held open on tmpfs or as memfd")


def print_written(got, db):
    size = db.stat().st_size
    print(f"  bytes written             {got['written'] / MB:9.1f} MB   (taken back unwritten {got['cancelled'] / MB:.1f}; through write calls "
          f"{got['write_calls'] / MB:.1f})")
    print(f"  facts.db                  {size / MB:9.1f} MB   reports {got['reports'] / MB:.1f} MB")


def rows_per_table(db):
    con = sqlite3.connect(f"file:{db}?mode=ro", uri=True)
    names = [r[0] for r in con.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name")]
    rows = {n: con.execute(f'SELECT count(*) FROM "{n}"').fetchone()[0] for n in names}
    con.close()
    return rows


def print_rows(db):
    print("\nrows per table")
    for name, count in rows_per_table(db).items():
        print(f"  {name:<28}{count:>12,}")


def phone(bench):
    opt, where = bench.opt, bench.opt.phone[0]
    floor, scan, again, chain = [], [], [], []
    inputs = inputs_of(where)
    ready = opt.gifthorse.exists()
    warm(inputs)
    for n in range(opt.rounds):
        floor.append(bench.floor(where))
        if ready:
            db = bench.fresh("facts.db")
            scan.append(bench.scan(inputs, db))
            again.append(bench.scan(inputs, db))
        if opt.chain:
            chain.append(bench.chain(where))
        print(f"round {n + 1} of {opt.rounds}: floor {floor[-1]['seconds']} s" + (f", gifthorse {scan[-1]['seconds']} s" if ready else "") +
              (f", chain {chain[-1]['seconds']} s" if opt.chain else ""), file=sys.stderr)
    print(f"input {sum(p.stat().st_size for p in inputs) / MB:.0f} MB, {floor[0]['files']} files and {floor[0]['members']} members of "
          f"{int(floor[0]['bytes']) / MB:.0f} MB, {floor[0]['literals']} literals, {opt.jobs} jobs, median of {opt.rounds}\n")
    print(f"  floor ({bench.outer:<10})        {spread(floor)}")
    if ready:
        print(f"  gifthorse                 {spread(scan)}   user {middle(scan, 'user'):.1f} s, system {middle(scan, 'sys'):.1f} s")
        print(f"  gifthorse, same db again  {spread(again)}")
    if opt.chain:
        print(f"  chain                     {spread(chain)}   left on disk {chain[0]['written'] / MB:.0f} MB")
        for key in (k for k in chain[0] if k.startswith("step")):
            print(f"    {key[5:]:<24}{spread(chain, key)}")
    print()
    if ready:
        print(f"  gifthorse / floor         {middle(scan) / middle(floor):9.2f}     goal <= 1.5")
        print(f"  again / first             {middle(again) / middle(scan):9.2f}     goal <= 0.3")
    if ready and opt.chain:
        print(f"  chain / gifthorse         {middle(chain) / middle(scan):9.2f}     goal >= 10")
    if opt.chain:
        print(f"  chain / floor             {middle(chain) / middle(floor):9.2f}")
    if not ready:
        print(f"\n{opt.gifthorse} is not there: run `make` and then this again for its side of the comparison.")
        return
    db = bench.fresh("memory.db")
    got = bench.scan(inputs, db, memory=True)
    print("\none more scan, its processes sampled")
    print_memory(got)
    print_written(got, db)
    told = measure([str(opt.gifthorse), "report", str(db)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    print(f"  report from facts.db      {told['seconds']:9.2f} s   (exit code {told['code']})")
    print_rows(db)


def linear(bench):
    opt = bench.opt
    if not opt.gifthorse.exists():
        print(f"{opt.gifthorse} is not there: run `make` first; this run times the floor alone.")
    table = []
    for where in opt.phone:
        floor, scan, memory, rows, size = [], [], None, {}, 0
        inputs = inputs_of(where)
        warm(inputs)
        for _ in range(opt.rounds):
            floor.append(bench.floor(where))
            if opt.gifthorse.exists():
                db = bench.fresh("facts.db")
                scan.append(bench.scan(inputs, db))
                size, rows = db.stat().st_size, rows_per_table(db)
        if opt.gifthorse.exists():
            memory = bench.scan(inputs, bench.fresh("memory.db"), memory=True)
        table.append((where.name, sum(p.stat().st_size for p in inputs), floor, scan, memory, rows, size))
        print(json.dumps({"phone": where.name, "floor": [f["seconds"] for f in floor], "gifthorse": [s["seconds"] for s in scan]}), file=sys.stderr)
    print(f"{'phone':<10}{'GB':>7}{'files':>9}{'members':>10}{'floor s':>9}{'/GB':>7}{'scan s':>9}{'/GB':>7}{'/floor':>8}{'db MB':>8}{'MiB':>8}")
    for name, size, floor, scan, memory, rows, db in table:
        gb, f = size / 1e9, middle(floor)
        line = f"{name:<10}{gb:>7.2f}{floor[0]['files']:>9}{floor[0]['members']:>10}{f:>9.2f}{f / gb:>7.2f}"
        if scan:
            s = middle(scan)
            line += f"{s:>9.2f}{s / gb:>7.2f}{s / f:>8.2f}{db / MB:>8.1f}{memory['anon_shmem'] / 2**20:>8.1f}"
        print(line)
    print("goals: seconds per GB the same in every line; facts.db <= 300 MB and memory <= 512 MiB in the last")
    if table[-1][5]:
        print(f"\nrows per table, {table[-1][0]}")
        for name, count in table[-1][5].items():
            print(f"  {name:<28}{count:>12,}")


def main():
    args = argparse.ArgumentParser()
    args.add_argument("what", choices=("phone", "linear"))
    args.add_argument("phone", nargs="+", type=Path)
    args.add_argument("--build", type=Path, required=True, help="folder with floor, literals.txt and literals.yar")
    args.add_argument("--gifthorse", type=Path, required=True)
    args.add_argument("--rounds", type=int, default=3)
    args.add_argument("--jobs", type=int, default=2)
    args.add_argument("--outer", choices=("zlib", "isal", "libdeflate"))
    args.add_argument("--no-chain", dest="chain", action="store_false")
    opt = args.parse_args()
    bench = Bench(opt)
    try:
        {"phone": phone, "linear": linear}[opt.what](bench)
    finally:
        bench.close()


if __name__ == "__main__":
    main()
