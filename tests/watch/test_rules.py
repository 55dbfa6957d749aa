#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The rules of family W through real files: each fires in a recording made to show what it is about, and is silent in one that looks like it."""
import json
import math
import pathlib
import random
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import ghrec
import ght

d = ght.tmp()
TOOL = ght.BUILD / "gifthorse"


def findings(recordings, against=()):
    """{rule: [(severity, evidence)]}"""
    argv = [TOOL, "watch"]
    for option, files in (([], recordings), (["--against"], dict(against))):
        for name, data in files.items():
            (d / name).write_bytes(data)
            argv += [*option, d / name]
    out = d / "r.json"
    p = subprocess.run([*argv, "--fail-on", "never", "-f", f"json={out}"], capture_output=True)
    if p.returncode not in (0, 3):
        raise RuntimeError(p.stderr.decode(errors="replace")[-500:])
    got = {}
    for f in json.loads(out.read_text())["findings"]:
        got.setdefault(f["rule"], []).append((f["severity"], f["evidence"]))
    return got


def fires(rule, severity, begin, what, recordings, against=()):
    got = findings(recordings, against).get(rule, [])
    ght.check(len(got) == 1 and got[0][0] == severity and got[0][1].startswith(begin), f"{rule} {what}", str(got))


def silent(rule, what, recordings, against=()):
    got = findings(recordings, against)
    ght.equal(got.get(rule, []), [], f"{rule} is silent: {what}")
    return got


def fit(rates, **kw):
    return ghrec.fit(ghrec.samples(rates), **kw)


heart = ghrec.heart(1800, 7, plan=lambda r, s: (140, 9999))
rest = ghrec.heart(1800, 8, plan=lambda r, s: (72, 9999))
run = lambda rates, cadence: ghrec.fit(ghrec.samples(rates, cadence=cadence))  # noqa: E731
noise = random.Random(5)

# W01 and W02: half, certain and probable
fires("GH-W01", "high", "certain: ", "half against a reference", {"w.fit": fit(ghrec.lock(heart, 600, 400, 0.5, 3))}, {"ref.tcx": ghrec.tcx(ghrec.samples(heart))})
got = silent("GH-W01", "half, and no step back up", {"w.fit": fit(heart[:600] + [v / 2 * (1 + i / 1200) for i, v in enumerate(heart[600:])])})
ght.check(len(got["GH-W02"]) == 1 and got["GH-W02"][0][1].startswith("probable: ") and got["GH-W02"][0][0] == "medium", "GH-W02 right to 140, then 70 and rising from there", str(got))
silent("GH-W02", "a heart that comes to rest in minutes", {"w.fit": fit(heart[:900] + [70 + (heart[900] - 70) * math.exp(-i / 45) for i in range(900)])})

# W03: suspected from the start, by running cadence
fires("GH-W03", "low", "suspected: ", "a run at 70 from start to end", {"w.fit": run([v / 2 for v in heart], [84] * 1800)})
silent("GH-W03", "the same pulse on a walk", {"w.fit": run([v / 2 for v in heart], [55] * 1800)})
silent("GH-W03", "a run at 140", {"w.fit": run(heart, [84] * 1800)})

# W04: double
quiet = [90 + math.sin(i / 40) * 6 for i in range(1800)]
fires("GH-W04", "high", "certain: ", "double for five minutes", {"w.fit": fit([min(v, 239) for v in ghrec.lock(quiet, 600, 300, 2.0, 2)])})
fires("GH-W04", "high", "certain: ", "double from start to end, beside a reference", {"w.fit": fit([2 * v for v in quiet])}, {"ref.gpx": ghrec.gpx(ghrec.samples(quiet))})
silent("GH-W04", "exercise that begins fast", {"w.fit": fit([75 + 75 * (1 - math.exp(-max(0, i - 600) / 15)) + noise.gauss(0, 0.5) for i in range(1800)])})

# W05: the steps
steps = [160 + 4 * math.sin(i / 25) + noise.gauss(0, 0.6) - (55 if 900 <= i < 960 else 0) for i in range(1800)]
fires("GH-W05", "high", "certain: ", "the steps of a run, through a walk break", {"w.fit": run([steps[i] if 600 <= i < 1300 else heart[i] for i in range(1800)], [v / 2 for v in steps])})
even = [160 + 4 * math.sin(i / 25) + noise.gauss(0, 0.6) for i in range(1800)]
fires("GH-W05", "medium", "probable: ", "the steps of a run without a break", {"w.fit": run([even[i] if 600 <= i < 1300 else heart[i] for i in range(1800)], [v / 2 for v in even])})
silent("GH-W05", "a pulse near the steps that does not follow them", {"w.fit": run([160 + 3 * math.sin(i / 300) + noise.gauss(0, 1) for i in range(1800)], [80 + noise.gauss(0, 0.7) for _ in range(1800)])})

# W06: frozen
frozen = list(heart)
frozen[700:840] = [frozen[700]] * 140
fires("GH-W06", "medium", "probable: ", "one value for 140 s at 140", {"w.fit": fit(frozen)})
asleep = list(rest)
asleep[700:840] = [72] * 140
silent("GH-W06", "one value for 140 s at rest", {"w.fit": fit(asleep)})

# W07: lost contact
lost = [None if 500 <= i < 540 else v for i, v in enumerate(heart)]
fires("GH-W07", "low", "certain: lost contact 1 times, 41 s in all", "no heart rate for 40 s while the run goes on", {"w.fit": fit(lost)})
fires("GH-W07", "medium", "certain: lost contact 1 times", "for three minutes", {"w.fit": fit([None if 500 <= i < 680 else v for i, v in enumerate(heart)])})
pause = ghrec.samples(heart)
silent("GH-W07", "a pause, with the timer stopped", {"w.fit": ghrec.fit(pause[:500] + pause[540:], events=[(pause[499]["t"], "stop"), (pause[540]["t"], "start")])})

# W08: not ended, restarted
fires("GH-W08", "high", "certain: unfinished file", "a file without its end", {"w.fit": fit(heart, end=False, size=0, crc=0)})
silent("GH-W08", "a file cut off in a copy", {"w.fit": fit(heart)[:20000]})

# W09: the clock
later = ghrec.samples(heart)
for s in later[900:]:
    s["t"] += 68342403
fires("GH-W09", "low", "certain: ", "791 days forward", {"w.fit": ghrec.fit(later)})
back = ghrec.samples(heart)
for s in back[900:]:
    s["t"] -= 3600
fires("GH-W09", "low", "certain: ", "an hour back", {"w.fit": ghrec.fit(back, end=False)})
lap = ghrec.samples(heart)
lap[900]["t"] -= 2
silent("GH-W09", "a second back at the turn of a lap", {"w.fit": ghrec.fit(lap, end=False)})

# W10: the file itself
whole = fit(heart)
fires("GH-W10", "low", "certain: its checksum", "one bit of its checksum", {"w.fit": whole[:-1] + bytes([whole[-1] ^ 1])})
fires("GH-W10", "low", "certain: cut off, 100 bytes", "100 bytes short", {"w.fit": whole[:-100]})
text = ghrec.fit([dict(s, hr=13 if i % 97 == 0 else 10, cadence=10) for i, s in enumerate(ghrec.samples([70] * 2000, t0=ghrec.BASE - 1))]).replace(b"\r\n", b"\n")
fires("GH-W10", "info", "probable: damaged after recording", "a copy as text", {"w.fit": text})
silent("GH-W10", "as it was written", {"w.fit": whole})

# W11 and W12: against a reference
off = [v * (0.87 if i % 2 else 0.89) for i, v in enumerate(heart)]
fires("GH-W11", "medium", "certain: off by 12.", "12 % too low", {"w.fit": fit(off)}, {"ref.fit": fit(heart)})
got = silent("GH-W11", "8 % too low", {"w.fit": fit([v * 0.92 for v in heart])}, {"ref.fit": fit(heart)})
ght.equal(got.get("GH-W12", []), [], "GH-W12 is silent: 8 % too low")
low = [v * 0.7 if 600 <= i < 700 else v for i, v in enumerate(heart)]
fires("GH-W12", "medium", "certain: ", "0.7 of the reference for 100 s", {"w.fit": fit(low)}, {"ref.fit": fit(heart)})
silent("GH-W12", "the same for 10 s", {"w.fit": fit([v * 0.7 if 600 <= i < 610 else v for i, v in enumerate(heart)])}, {"ref.fit": fit(heart)})
silent("GH-W12", "half", {"w.fit": fit(ghrec.lock(heart, 600, 400, 0.5, 0))}, {"ref.fit": fit(heart)})
ght.done()
