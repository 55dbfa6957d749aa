#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Public recordings, where they are there (GH_RECORDINGS: see README.md): read as the reference readers read them; false alarms and recall on those by which no
limit was chosen. Prints the tables of docs/watch.md."""
import collections
import hashlib
import json
import os
import pathlib
import random
import re
import sqlite3
import statistics
import subprocess
import sys
import xml.etree.ElementTree

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/lib"))
import ghrec  # noqa: E402
import ght  # noqa: E402

d = ght.tmp()
TOOL = ght.BUILD / "gifthorse"
BAD = ("half", "double", "cadence", "frozen", "low", "high")
# By these the limits were chosen (docs/watch.md).
CHOSEN_BY = ("GoldenCheetah+GoldenCheetah", "gfwilliams+EspruinoHRMTestHarness")
# Values of example programs that count up, not of hearts.
MADE_UP = ("from_official_sdk/", "chained_Activity_", "big_activity")
# What is told in recordings by which no limit was chosen, looked at by eye.
ALARMS = {
    "sports-alliance+sports-lib/src/specs/fixtures/triathlons/fit/4623204522.fit": "a half lock: 141 141 72 69 70 69 141 141",
    "GoldenCheetah+sweatpy/sweat/examples/data/3173437224.tcx": "a fault, but not half: 150 150 49 45 58 58 81 85 101 112 147",
    "sports-alliance+sports-lib/src/specs/fixtures/others/broken-dates.fit": "false: values that change every 13 s, 132 66 132 and 126 79 105 126",
    "jimmykane+fit-parser/examples/downhill.fit": "only suspected: a rise from 66 to 140 within 8 s, by a strap, downhill",
}
# Found of the half locks that are put in, by smoothing: measured, and kept from falling.
LEAST = {0: 0.9, 3: 0.9, 5: 0.9, 8: 0.8, 12: 0.7}
FOLDER = os.environ.get("GH_RECORDINGS", "")
ORACLE = pathlib.Path(os.environ.get("GH_FITSDK", ROOT / "build/oracle"))


def collect():
    """{sha256: path} of each content once, those that limits were chosen by first."""
    known = {hashlib.sha256(p.read_bytes()).hexdigest() for p in (ght.corpus("fit") or pathlib.Path("/nowhere")).glob("*.fit")}
    out, fresh = {}, {}
    for repository in sorted(pathlib.Path(FOLDER).iterdir(), key=lambda p: (p.name not in CHOSEN_BY, p.name)):
        for p in sorted(repository.rglob("*")):
            if p.suffix.lower() not in (".fit", ".tcx", ".gpx") or not p.is_file():
                continue
            digest = hashlib.sha256(p.read_bytes()).hexdigest()
            if digest not in out:
                out[digest] = p
                fresh[digest] = digest not in known and repository.name not in CHOSEN_BY
    return out, fresh


def judged(files, name):
    """Facts of recordings in one call: {number: {...}}; files: {number: (suffix, bytes)}"""
    db = d / f"{name}.db"
    db.unlink(missing_ok=True)
    folder = d / name
    folder.mkdir(exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    for k, (suffix, data) in files.items():
        (folder / f"{k}{suffix}").write_bytes(data)
    p = subprocess.run([TOOL, "watch", folder, "--db", db, "--fail-on", "never", "-f", f"json={d / 'x.json'}", "--progress", "none"], capture_output=True)
    if p.returncode not in (0, 2, 3):
        raise RuntimeError(p.stderr.decode(errors="replace")[-500:])
    c = sqlite3.connect(db)
    c.row_factory = sqlite3.Row
    out = {k: {"parts": [], "samples": [], "spans": [], "notes": []} for k in files}
    number = {}
    for r in c.execute("SELECT child, name FROM c_members WHERE child NOT NULL UNION SELECT child, path FROM c_entries WHERE child NOT NULL"):
        got = re.fullmatch(r"(?:.*/)?(\d+)\.\w+", r["name"])
        if got and int(got[1]) in out:
            number[r["child"]] = int(got[1])
    for r in c.execute("SELECT * FROM c_recordings ORDER BY blob_id, part"):
        if r["blob_id"] in number:
            out[number[r["blob_id"]]]["parts"].append(dict(r))
    for r in c.execute("SELECT blob_id, part, t, hr, cadence FROM c_samples ORDER BY blob_id, n"):
        if r["blob_id"] in number:
            out[number[r["blob_id"]]]["samples"].append((r["t"], r["hr"], r["cadence"], r["part"]))
    for r in c.execute("SELECT d.blob_id, s.* FROM d_watch_spans s JOIN d_recordings d ON d.id=s.recording ORDER BY s.from_ms"):
        if r["blob_id"] in number:
            out[number[r["blob_id"]]]["spans"].append(dict(r))
    c.close()
    return out


def rate(v):
    return v if v is not None and 25 <= v <= 240 else None


def points(path):
    """(time in ms, heart rate) of each point of TCX or GPX that has a time, by another reader of XML."""
    out, local = [], lambda e: e.tag.rsplit("}", 1)[-1]
    for e in xml.etree.ElementTree.parse(path).iter():
        if local(e) not in ("Trackpoint", "trkpt"):
            continue
        t = hr = None
        for x in e.iter():
            if local(x) in ("Time", "time") and t is None:
                t = (x.text or "").strip()
            elif local(x) == "HeartRateBpm":
                hr = next((v.text for v in x.iter() if local(v) == "Value"), None)
            elif local(x) in ("hr", "heartrate"):
                hr = x.text
        if t:
            out.append((moment(t), rate(round(float(hr))) if hr and hr.strip() else None))
    return out


def moment(text):
    import datetime
    got = re.fullmatch(r"(\d+-\d+-\d+)[T ](\d+:\d+:\d+)(\.\d+)?(Z|[+-]\d\d:?\d\d)?", text)
    if not got:
        return None
    zone = (got[4] or "Z").replace("Z", "+0000").replace(":", "")
    base = datetime.datetime.strptime(f"{got[1]} {got[2]} {zone}", "%Y-%m-%d %H:%M:%S %z")
    return int(base.timestamp()) * 1000 + int(float(got[3] or 0) * 1000 + 1e-6)


def main():
    if not FOLDER or not pathlib.Path(FOLDER).is_dir():
        ght.skip("public recordings", "not there (GH_RECORDINGS; tests/watch/README.md names them)")
        return ght.done()
    content, fresh = collect()
    order = list(content)
    facts = judged({k: (content[s].suffix.lower(), content[s].read_bytes()) for k, s in enumerate(order)}, "all")
    reading(order, content, facts)
    false_alarms(order, content, facts, fresh)
    recall(order, content, facts, fresh)
    ght.done()


def reading(order, content, facts):
    fits = [k for k, s in enumerate(order) if content[s].suffix.lower() == ".fit"]
    table = collections.defaultdict(collections.Counter)
    theirs = {}
    if (ORACLE / "node_modules/@garmin/fitsdk").is_dir():
        for i in range(0, len(fits), 20):
            p = subprocess.run(["node", ROOT / "tests/watch/oracle/records.mjs", ORACLE, *[d / "all" / f"{k}.fit" for k in fits[i:i + 20]]], capture_output=True, text=True)
            for line in p.stdout.splitlines():
                x = json.loads(line)
                theirs[int(pathlib.Path(x["file"]).stem)] = x
        ght.equal(sorted(theirs), sorted(fits), "the reference reader had every FIT file")
    else:
        ght.skip("FIT as the reference reader reads it", "no @garmin/fitsdk (npm install --prefix build/oracle ./tests/watch/oracle)")
    for k, s in enumerate(order):
        name, suffix = content[s].relative_to(FOLDER), content[s].suffix.lower()
        row = table[(name.parts[0], suffix)]
        ours = facts[k]["samples"]
        states = {p["state"] for p in facts[k]["parts"]}
        row["files"] += 1
        if suffix == ".fit" and k in theirs:
            unset = 0x10000000 * 1000
            mine = [(t + (ghrec.EPOCH * 1000 if t < unset else 0), hr, c) for t, hr, c, _ in ours]
            want = [(t, rate(hr), c) for t, hr, c in theirs[k]["records"]]
            n = min(len(mine), len(want))
            why = theirs[k]["why"]
            if mine == want:
                row["same"] += 1
                row["records"] += n
            elif mine[:n] == want[:n] and (why if len(want) < len(mine) else states - {"complete"}):
                row["ours further" if len(mine) > n else "theirs further"] += 1
                row["records"] += n
                print(f"     {name}: {len(mine)} records, the reference {len(want)}: {(why or '')[:90]} {sorted(states)}")
            else:
                row["differ"] += 1
                first = next((i for i in range(n) if mine[i] != want[i]), n)
                ght.check(False, f"{name}: {len(mine)} records, the reference {len(want)}, first other at {first}", f"{mine[first:first + 2]} {want[first:first + 2]} {why} {states}")
        elif suffix != ".fit":
            try:
                want = points(content[s])
            except xml.etree.ElementTree.ParseError as e:
                row["damaged"] += 1
                ght.check(states & {"short", "damaged"}, f"{name}: {e}: told as damaged", str(states))
                continue
            mine = [(t, hr) for t, hr, _, _ in ours]
            if mine == want:
                row["same"] += 1
                row["records"] += len(want)
            else:
                n = min(len(mine), len(want))
                first = next((i for i in range(n) if mine[i] != want[i]), n)
                ght.check(False, f"{name}: {len(mine)} points, the other reader {len(want)}, first other at {first}", f"{mine[first:first + 2]} {want[first:first + 2]}")
    print("     read as the reference readers read them: repository, form, files, the same, records compared, what differs")
    for (repository, suffix), row in sorted(table.items()):
        print(f"     {repository:40} {suffix} {row['files']:3} {row['same']:3} {row['records']:8}  " + ", ".join(f"{k} {v}" for k, v in row.items() if k not in ("files", "same", "records")))
        ght.check(row["differ"] == 0, f"{repository} {suffix}: {row['same']} of {row['files']} the same, the rest up to their damage")


def with_rate(x):
    return sum(hr is not None for _, hr, _, _ in x["samples"]) >= 120


def false_alarms(order, content, facts, fresh):
    total, alarms, hours, made = 0, collections.defaultdict(list), 0.0, 0
    for k, s in enumerate(order):
        if not fresh[s] or not with_rate(facts[k]):
            continue
        name = str(content[s].relative_to(FOLDER))
        if any(x in name for x in MADE_UP):
            made += 1
            continue
        total += 1
        times = [t for t, hr, _, _ in facts[k]["samples"] if hr is not None]
        hours += sum(min(b - a, 10000) for a, b in zip(times, times[1:]) if b > a) / 3600000
        for x in facts[k]["spans"]:
            if x["kind"] in BAD:
                alarms[name].append((x["kind"], x["certainty"], x["words"]))
    print(f"     recordings by which no limit was chosen: {total} with heart rate, {hours:.0f} hours ({made} of example programs, no hearts, left out)")
    for name, told in sorted(alarms.items()):
        print(f"     {name}: {ALARMS.get(name, 'not known')}")
        for x in told:
            print("       ", *x)
    ght.equal(sorted(alarms), sorted(n for n in ALARMS if (pathlib.Path(FOLDER) / n).exists()), f"stretches are told in {len(alarms)} of {total}, each looked at")


def seconds(x):
    """Heart rate second by second of the longest part without a break, or None."""
    best, run, last = [], [], None
    for t, hr, _, _ in x["samples"]:
        if hr is None:
            continue
        if last is not None and 0 < t - last[0] <= 5000:
            run += [last[1]] * ((t - last[0]) // 1000)
        elif last is None or t != last[0]:
            best, run = max(best, run, key=len), []
        last = (t, hr)
    best = max(best, run, key=len)
    return best if len(best) >= 900 else None


def recall(order, content, facts, fresh):
    hearts = [h for k, s in enumerate(order) if fresh[s] and (h := seconds(facts[k]))]
    places = {i: [k for k in range(120, len(h) - 120) if h[k] >= 120 and min(h[k:k + 60]) > 0.9 * h[k] and max(h[k - 20:k]) < 1.1 * h[k]] for i, h in enumerate(hearts)}
    usable = [i for i in places if places[i]]
    print(f"     recall of half locks put into {len(usable)} of these hearts ({len(hearts)} of 15 minutes or more without a break), without a reference")
    by, kinds = collections.defaultdict(list), collections.Counter()
    for tau in (0, 3, 5, 8, 12):
        r = random.Random(tau)
        made, truth = {}, {}
        for n in range(60 if usable else 0):
            h = hearts[usable[n % len(usable)]]
            start, depth = r.choice(places[usable[n % len(usable)]]), r.choice([0.45, 0.5, 0.55])
            length = min(r.choice([60, 120, 300, 600]), len(h) - start - 30)
            made[n] = (".fit", ghrec.fit(ghrec.samples(ghrec.lock(h, start, length, depth, tau))))
            truth[n] = (start, length, depth)
        found = judged(made, "injected") if made else {}
        for n, (start, length, depth) in truth.items():
            spans = [x for x in found[n]["spans"] if x["kind"] == "half" and abs(x["from_ms"] / 1000 - ghrec.BASE - start) <= 30]
            kinds[spans[0]["certainty"] if spans else "not found"] += 1
            for key in (("smoothing", tau), ("depth", depth), ("length", 60 if length < 120 else 120 if length < 300 else 300 if length < 600 else 600)):
                by[key].append(bool(spans))
    for key, v in sorted(by.items()):
        print(f"     {key[0]:9} {key[1]:5}: {sum(v):3} of {len(v):3} = {statistics.mean(v):.2f}")
    print("     certainty:", dict(kinds))
    for tau, least in LEAST.items():
        v = by[("smoothing", tau)]
        ght.check(len(v) == 60 and statistics.mean(v) >= least, f"half locks with a smoothing of {tau} s in hearts that no limit was chosen by: {least} or more", f"{sum(v)} of {len(v)}")

main()
