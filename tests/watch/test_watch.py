#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""gifthorse watch: what it finds in recordings whose truth the test knows. Prints recall and false alarms."""
import json
import math
import pathlib
import random
import sqlite3
import statistics
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import ghrec
import ght

d = ght.tmp()
TOOL = ght.BUILD / "gifthorse"


def watch(recordings, against=(), name="r"):
    """Spans and figures by recording name; recordings: {name: bytes}."""
    db = d / f"{name}.db"
    db.unlink(missing_ok=True)
    argv = [str(TOOL), "watch"]
    for n, data in recordings.items():
        (d / n).write_bytes(data)
        argv.append(str(d / n))
    for n, data in dict(against).items():
        (d / n).write_bytes(data)
        argv += ["--against", str(d / n)]
    p = subprocess.run(argv + ["--db", str(db), "--fail-on", "never", "-f", f"json={d / 'r.json'}"], capture_output=True)
    if p.returncode not in (0, 3):
        raise RuntimeError(p.stderr.decode()[-500:])
    c = sqlite3.connect(db)
    c.row_factory = sqlite3.Row
    names = {r["id"]: r["name"] for r in c.execute("SELECT id, name FROM d_recordings")}
    out = {n: {"spans": [], "near": {}, "checks": {}, "shift": None} for n in names.values()}
    for r in c.execute("SELECT * FROM d_watch_spans ORDER BY from_ms"):
        out[names[r["recording"]]]["spans"].append(dict(r))
    for r in c.execute("SELECT * FROM d_watch_accuracy"):
        out[names[r["recording"]]]["near"][r["scope"]] = dict(r)
    for r in c.execute("SELECT * FROM d_watch_checks"):
        out[names[r["recording"]]]["checks"][r["what"]] = r["why_not"]
    for r in c.execute("SELECT * FROM d_watch_shifts"):
        out[names[r["recording"]]]["shift"] = (r["seconds"], r["known"])
    out["findings"] = [dict(r) for r in c.execute("SELECT rule, severity, evidence FROM findings ORDER BY n")]
    c.close()
    return out


def kinds(x, *which):
    return [s for s in x["spans"] if s["kind"] in which]


BAD = ("half", "double", "cadence", "frozen", "low", "high")

# ---- false alarms on hearts that are told truly ----
hearts = {f"h{k}.fit": ghrec.heart(3600, 100 + k) for k in range(40)}
# who runs has a pulse above 110; below, they walk
cadence = {n: [80 + (k // 300) % 8 if v > 110 else 55 for k, v in enumerate(h)] for n, h in hearts.items()}
found = watch({n: ghrec.fit(ghrec.samples(h, cadence=cadence[n])) for n, h in hearts.items()})
false = {n: kinds(found[n], *BAD) for n in hearts}
print(f"     false alarms on 40 true hours: {sum(map(len, false.values()))}")
ght.equal([s["words"] for x in false.values() for s in x], [], "no false alarm in 40 hours of true heart rate")

# ---- locks that begin or end inside, without a reference ----
print("     recall of injected half locks without a reference (found / injected), by smoothing and length")
least = {0: 0.95, 3: 0.95, 5: 0.93, 8: 0.9, 12: 0.75}
for tau in (0, 3, 5, 8, 12):
    made, truth = {}, {}
    r = random.Random(1000 + tau)
    for k in range(40):
        h = ghrec.heart(2400, 500 + 50 * tau + k)
        starts = [i for i in range(200, 1500) if h[i] >= 120 and all(x > 0.9 * h[i] for x in h[i:i + 60])]
        if not starts:
            continue
        start, length = r.choice(starts), r.choice([60, 120, 300, 600])
        made[f"l{k}.fit"] = ghrec.fit(ghrec.samples(ghrec.lock(h, start, length, 0.5, tau)))
        truth[f"l{k}.fit"] = (start, length)
    found = watch(made)
    hit, by = 0, {}
    for n, (start, length) in truth.items():
        spans = [s for s in kinds(found[n], "half") if abs(s["from_ms"] / 1000 - ghrec.BASE - start) <= 30]
        hit += bool(spans)
        by.setdefault(length, []).append(bool(spans))
    stray = sum(1 for n, (start, length) in truth.items() for s in kinds(found[n], *BAD) if s["to_ms"] / 1000 - ghrec.BASE < start - 30 or s["from_ms"] / 1000 - ghrec.BASE > start + length + 60)
    print(f"     smoothing {tau:2} s: {hit} of {len(truth)} = {hit / len(truth):.2f}; " + ", ".join(f"{k} s: {sum(v)}/{len(v)}" for k, v in sorted(by.items())) + f"; stray spans: {stray}")
    ght.check(len(truth) >= 25 and hit / len(truth) >= least[tau], f"locks at half with a smoothing of {tau} s are found")
    ght.equal(stray, 0, f"nothing else is told, smoothing {tau} s")

h = ghrec.heart(1800, 7, plan=lambda r, s: (140, 9999))
up = ghrec.lock(h, 600, 300, 2.0, 2)
x = watch({"a.fit": ghrec.fit(ghrec.samples([min(v, 239) for v in ghrec.lock([90.0 + math.sin(i / 40) for i in range(1800)], 600, 300, 2.0, 2)]))})["a.fit"]
ght.check([(s["kind"], s["certainty"]) for s in kinds(x, *BAD) if s["kind"] != "frozen"] == [("double", "certain")], "a lock at double that begins and ends inside is certain", str(kinds(x, *BAD)))
user = h[:600] + [v / 2 * (1 + i / 1200) for i, v in enumerate(h[600:])]
x = watch({"a.fit": ghrec.fit(ghrec.samples(user))})["a.fit"]
ght.check([(s["kind"], s["certainty"]) for s in kinds(x, *BAD)] == [("half", "probable")], "right up to 140, then 70 and rising from there: probable", str(kinds(x, *BAD)))
fall = h[:900] + [70 + (h[900] - 70) * math.exp(-i / 45) for i in range(900)]
ght.equal([s["words"] for s in kinds(watch({"a.fit": ghrec.fit(ghrec.samples(fall, cadence=[0] * 1800))})["a.fit"], "half", "double")], [], "a heart that comes to rest in minutes is no lock")
x = watch({"a.fit": ghrec.fit(ghrec.samples([v / 2 for v in h], cadence=[84] * 1800))})["a.fit"]
ght.check([(s["kind"], s["certainty"]) for s in kinds(x, "half")] == [("half", "suspected")], "running at 70 from start to end: suspected", str(kinds(x, *BAD)))
ght.check(watch({"a.fit": ghrec.fit(ghrec.samples([v / 2 for v in h]))})["a.fit"]["checks"]["half-rate from the start"] == "no cadence in it", "without cadence: not assessed")
x = watch({"m.fit": ghrec.fit([dict(s) for s in ghrec.samples(h)[::60]])})["m.fit"]
ght.check("sampled every 60 s" in (x["checks"]["half-rate inside"] or "") and x["checks"]["frozen values"], "one sample a minute: not assessed", str(x["checks"]))

# ---- against a reference ----
hits = boundaries = stray = total = 0
shifts = []
for k in range(12):
    h = ghrec.heart(2400, 900 + k)
    r = random.Random(k)
    start, length = (0, 2400) if k == 0 else (r.randrange(100, 1200), r.choice([40, 90, 300, 900]))
    lag = r.randrange(0, 13)
    w = [h[max(0, i - lag)] + r.gauss(0, 1.0) for i in range(2400)]
    w = [v / 2 for v in w] if k == 0 else ghrec.lock(w, start, length, 0.5 if k % 3 else 2.0, 3)
    x = watch({"w.fit": ghrec.fit(ghrec.samples([min(v, 239) for v in w]))}, {"ref.fit": ghrec.fit(ghrec.samples(h))})["w.fit"]
    spans = [s for s in kinds(x, "half", "double") if s["paired"]]
    near = [s for s in spans if abs(s["from_ms"] / 1000 - ghrec.BASE - start) <= 20]
    total += 1
    hits += bool(near)
    boundaries += bool(near) and abs(near[-1]["to_ms"] / 1000 - ghrec.BASE - min(start + length, 2400)) <= 30
    stray += len([s for s in kinds(x, *BAD) if s["to_ms"] / 1000 - ghrec.BASE < start - 30 or s["from_ms"] / 1000 - ghrec.BASE > start + length + 60])
    shifts.append(abs((x["shift"] or (99, 0))[0] - lag))
    if not near:
        print("     missed:", k, start, length, k % 3, [(s["kind"], s["from_ms"] / 1000 - ghrec.BASE, s["words"]) for s in x["spans"]], x["checks"])
print(f"     with a reference: {hits} of {total} locks, ends right in {boundaries}, stray {stray}; lag off by at most {max(shifts)} s")
ght.check(hits == total and boundaries >= total - 1 and stray == 0, "with a reference every lock is found, also from start to end")
ght.check(max(shifts) <= 2, "the lag is found to 2 s", str(shifts))

h = ghrec.heart(1800, 77)
r = random.Random(5)
a, b = [round(v) for v in h], [round(v + 2 + r.gauss(0, 3)) for v in h]
x = watch({"w.fit": ghrec.fit(ghrec.samples(b))}, {"ref.fit": ghrec.fit(ghrec.samples(a))})["w.fit"]
near = x["near"]["all"]
diff = [q - p for p, q in zip(a, b)]
bias, sd = statistics.mean(diff), statistics.stdev(diff)
ma, mb = statistics.mean(a), statistics.mean(b)
va, vb, cov = statistics.pvariance(a), statistics.pvariance(b), sum((p - ma) * (q - mb) for p, q in zip(a, b)) / len(a)
want = {"seconds": 1800, "bias": bias, "low": bias - 1.96 * sd, "high": bias + 1.96 * sd, "mape": 100 * statistics.mean(abs(v) / p for v, p in zip(diff, a)),
        "within5": 100 * sum(abs(v) <= 5 for v in diff) / 1800, "within10pc": 100 * sum(abs(v) <= 0.1 * p for v, p in zip(diff, a)) / 1800,
        "ccc": 2 * cov / (va + vb + (ma - mb) ** 2)}
ght.check(x["shift"][0] == 0 and all(abs(near[k] - v) < 1e-6 for k, v in want.items()), "bias, limits, MAPE, shares and CCC as computed by hand", f"{near} {want} {x['shift']}")
thirty = [statistics.mean(diff[i:i + 30]) for i in range((-ghrec.BASE) % 30, 1800 - 29, 30)]
ght.check(abs(near["low30"] - (statistics.mean(thirty) - 1.96 * statistics.stdev(thirty))) < 0.3, "limits of 30 s means", f"{near['low30']} {statistics.mean(thirty) - 1.96 * statistics.stdev(thirty)}")
x = watch({"w.fit": ghrec.fit(ghrec.samples(b))}, {"ref.tcx": ghrec.tcx([dict(s, t=s["t"] + 4020) for s in ghrec.samples(a)])})["w.fit"]
ght.check(x["shift"] == (-4020, 1) and abs(x["near"]["all"]["mape"] - want["mape"]) < 0.3, "clocks that differ by 67 minutes are aligned by shape", f"{x['shift']} {x['checks']}")
other = ghrec.heart(1800, 4242)
x = watch({"w.fit": ghrec.fit(ghrec.samples(other))}, {"ref.fit": ghrec.fit(ghrec.samples(a, t0=ghrec.BASE + 900000))})["w.fit"]
ght.check(not x["near"] and "too little in common" in x["checks"]["accuracy against a reference"], "recordings of different days are not compared", str(x["near"]))
flat = [62 + (i // 50) % 3 for i in range(900)]
x = watch({"w.fit": ghrec.fit(ghrec.samples([v + 1 for v in flat]))}, {"ref.fit": ghrec.fit(ghrec.samples(flat))})["w.fit"]
ght.check(x["near"]["all"]["ccc"] is None and x["near"]["all"]["spread"] == 2, "no concordance where heart rate hardly varies")

# ---- cadence, frozen, lost, paused, restarted ----
r = random.Random(3)
h = ghrec.heart(1800, 31, plan=lambda r, s: (140, 9999))
steps = [160 + 4 * math.sin(i / 25) + r.gauss(0, 0.6) - (55 if 900 <= i < 960 else 0) for i in range(1800)]
w = [steps[i] if 600 <= i < 1300 else h[i] for i in range(1800)]
x = watch({"c.fit": ghrec.fit(ghrec.samples(w, cadence=[v / 2 for v in steps]))})["c.fit"]
got = kinds(x, "cadence")
ght.check(len(got) == 1 and got[0]["certainty"] == "certain" and abs(got[0]["from_ms"] / 1000 - ghrec.BASE - 600) <= 90 and abs(got[0]["to_ms"] / 1000 - ghrec.BASE - 1300) <= 130,
          "heart rate that is the cadence, through a walk break: certain", str(kinds(x, *BAD)))
near = [160 + 3 * math.sin(i / 300) + r.gauss(0, 1) for i in range(1800)]
ght.equal(kinds(watch({"c.fit": ghrec.fit(ghrec.samples(near, cadence=[80 + r.gauss(0, 0.7) for _ in range(1800)]))})["c.fit"], "cadence"), [], "a pulse that is near the cadence by chance is not")
z = list(h)
z[700:840] = [z[700]] * 140
x = watch({"z.fit": ghrec.fit(ghrec.samples(z))})["z.fit"]
got = kinds(x, "frozen")
ght.check(len(got) == 1 and abs(got[0]["from_ms"] / 1000 - ghrec.BASE - 700) <= 10 and 135 <= (got[0]["to_ms"] - got[0]["from_ms"]) / 1000 <= 160, "140 s of one value at 140: frozen", str(x["spans"]))
lost = ghrec.samples(h)
for i in range(500, 540):
    lost[i]["hr"] = None
for i, v in zip(range(1000, 1010), (128, 128, 155, 179, 179, 96, 96, 55, 31, 31)):
    lost[i]["hr"] = v
for i in range(1010, 1050):
    lost[i]["hr"] = None
lost = [s for i, s in enumerate(lost) if not 1200 <= i < 1290 and not 1500 <= i < 1600]
t = lambda i: ghrec.BASE + i  # noqa: E731
x = watch({"d.fit": ghrec.fit(lost, events=[(t(1199), "stop"), (t(1290), "start")])})["d.fit"]
ght.equal([(s["kind"], s["from_ms"] / 1000 - ghrec.BASE, s["certainty"]) for s in x["spans"] if s["kind"] in ("dropout", "pause", "reboot", "gap")],
          [("dropout", 499, "certain"), ("dropout", 1009, "certain"), ("pause", 1199, "certain"), ("reboot", 1499, "suspected")], "lost contact, a pause and a restart are told apart")
ght.check("faded first" in kinds(x, "dropout")[1]["words"] and "faded" not in kinds(x, "dropout")[0]["words"], "fading before contact is lost is told")
again = ghrec.samples(h)
again = again[:700] + [dict(s, distance=s["distance"] - 2400) for s in again[800:]]
x = watch({"d.fit": ghrec.fit(again)})["d.fit"]
ght.check([(s["kind"], s["certainty"]) for s in kinds(x, "reboot")] == [("reboot", "probable")], "distance that begins again: probably restarted", str(x["spans"]))
x = watch({"d1.fit": ghrec.fit(ghrec.samples(h[:900]), end=False), "d2.fit": ghrec.fit(ghrec.samples(h[1000:], t0=ghrec.BASE + 1000))})
ght.check(len(kinds(x["d1.fit"], "reboot")) == 1 and not kinds(x["d2.fit"], "reboot"), "two files, the first never stopped: begun again")
back = ghrec.samples(h)
for s in back[900:]:
    s["t"] -= 3600
x = watch({"d.fit": ghrec.fit(back, end=False)})["d.fit"]
ght.check(len(kinds(x, "clock")) == 1 and "back by 3599 s" in kinds(x, "clock")[0]["words"], "a clock that runs backwards is told, once", str(x["spans"]))
x = watch({"u.fit": ghrec.fit(ghrec.samples(h), end=False, size=0, crc=0)})
ght.check(any(f["rule"] == "GH-W08" and f["evidence"].startswith("certain: unfinished") for f in x["findings"]), "an unfinished file is a finding", str(x["findings"]))
f = ghrec.Fit()
for i, v in enumerate(h):
    f.message(20, [(253, 0x86, ghrec.BASE - ghrec.EPOCH + i), (3, 2, round(v / 2 if 600 <= i < 1000 else v))])
    f.message(78, [(0, 0x84, round(60000 / v))], local=1)
x = watch({"b.fit": f.bytes()})["b.fit"]
own = [s for s in kinds(x, "half") if "own beats" in s["words"]]
ght.check(5 <= len(own) <= 7 and all(600 - 60 <= s["from_ms"] / 1000 - ghrec.BASE <= 1000 for s in own), "a rate at half of its own single beats is certain", str(x["spans"]))

# ---- the command and its forms ----
(d / "w.fit").write_bytes(ghrec.fit(ghrec.samples(ghrec.lock(h, 600, 400, 0.5, 3))))
(d / "ref.gpx").write_bytes(ghrec.gpx(ghrec.samples(h)))
p = subprocess.run([TOOL, "watch", d / "w.fit", "--against", d / "ref.gpx", "-f", "text", "-f", f"html={d / 'w.html'}", "-f", f"json={d / 'w.json'}"], capture_output=True, text=True)
ght.equal(p.returncode, 1, "a certain lock is a finding of level high")
ght.check("HHHHHH" in p.stdout and "beyond the 10 % used with CTA-2065" in p.stdout, "the screen has the strip and the numbers", p.stdout[-900:])
page = (d / "w.html").read_text()
ght.check(page.count("<svg class=\"plot\"") == 3 and 'class="span half"' in page.replace(chr(10), '') and 'class="twice"' in page and page.count("<script") == page.count('<script type="application/json"'), "the page has three plots, shaded, with the doubled trace")
ght.equal(page.count("not assessed: a recording does not show it"), 3, "whether it needs its maker: three rows, not assessed")
ght.check(all(x not in p.stdout + page for x in ("sweat", "passes", "52.50000", "13.40000", "home")), "neither words nor places that must not be told")
j = json.loads((d / "w.json").read_text())
ght.check(j["recordings"][0]["accuracy"][0]["mape"] > 10 and j["recordings"][0]["stretches"][0]["certainty"] == "certain" and {r["id"][:4] for r in j["rules"]} == {"GH-W"},
          "JSON has the same, and the rules of recordings only")
p = subprocess.run([TOOL, "watch", d / "ref.gpx", "-f", "json=-"], capture_output=True, text=True)
j = json.loads(p.stdout)
states = {r["id"]: (r["state"], r["why"]) for r in j["rules"]}
ght.check(p.returncode == 0 and states["GH-W01"][0] == "not_evaluated" and "--against" in states["GH-W01"][1] and states["GH-W02"][0] == "not_found", "without a reference its silence is not told as found nothing", str(states))
ght.check("does not show that it is right" in j["verdict"]["sentence"], "and the verdict says so")
p = subprocess.run([TOOL, "watch", "--plan"], capture_output=True, text=True)
ght.check(p.returncode == 0 and all(w in p.stdout for w in ("Rest", "Stairs", "135", "Cold", "shower", "walking")), "the plan of a week")
ght.check(subprocess.run([TOOL, "watch"], capture_output=True).returncode == 2, "no recording: told, exit code of a wrong call")

# ---- public recordings that are told truly: false alarms ----
folder = ght.corpus("fit")
if folder:
    files = {f.name: f.read_bytes() for f in sorted(folder.glob("*.fit"))}
    found = watch(files)
    files = {n: x for n, x in found.items() if n != "findings" and x["checks"].get("drop-outs", "-") is None}
    bad = {n: [s["words"] for s in kinds(x, *BAD)] for n, x in files.items()}
    print(f"     false alarms in {len(files)} public FIT recordings with heart rate: {sum(map(len, bad.values()))}")
    ght.equal({n: w for n, w in bad.items() if w}, {}, "no false alarm in the public FIT recordings")
ght.done()
