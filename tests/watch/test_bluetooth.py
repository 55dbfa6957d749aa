#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Bluetooth logs as recordings: the contact bit is judged, a log without a discovery is read with --hr-handle, a strap's log is a reference."""
import json
import pathlib
import struct
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import ghrec
import ght

d = ght.tmp()
TOOL = ght.BUILD / "gifthorse"


def watch(*argv):
    p = subprocess.run([TOOL, "watch", *argv, "--fail-on", "never", "-f", f"json={d / 'r.json'}"], capture_output=True, text=True)
    return p, json.loads((d / "r.json").read_text()) if p.returncode in (0, 3) else None


def lost(j, i=0):
    return [(s["from_ms"] // 1000 - ghrec.BASE, s["to_ms"] // 1000 - ghrec.BASE, s["certainty"], s["words"]) for s in j["recordings"][i]["stretches"] if s["kind"] == "dropout"]


def values(rates, contact):
    """0x2A37 as a sensor that knows contact sends it; contact None: one that does not."""
    return [(ghrec.BASE + i, struct.pack("<BB", 0 if contact[i] is None else 6 if contact[i] else 4, round(v or 0))) for i, v in enumerate(rates)]


heart = ghrec.heart(900, 3, plan=lambda r, s: (130, 9999))
touch = [not (300 <= i < 360 or 600 <= i < 605) for i in range(900)]
(d / "a.pcapng").write_bytes(ghrec.pcapng_of(ghrec.hci(values(heart, touch)), 201))
p, j = watch(d / "a.pcapng")
low, high = min(map(round, heart[300:360])), max(map(round, heart[300:360]))
ght.equal(lost(j), [(299, 360, "certain", f"lost contact by its own word for 61 s while the recording went on, and showed {low} to {high} all the same")],
          "a minute without contact is told with what was shown in it; five seconds are not")
ght.check(j["recordings"][0]["format"] == "pcapng" and [f["rule"] for f in j["findings"]] == ["GH-W07"], "and is a finding", str(j["findings"]))
ght.check("sweat" not in p.stdout.lower(), "what caused it is not guessed")
(d / "b.log").write_bytes(ghrec.btsnoop(values([v if t else None for v, t in zip(heart, touch)], touch)))
got = lost(watch(d / "b.log")[1])
ght.check(len(got) == 1 and got[0][:3] == (299, 360, "certain") and got[0][3].startswith("no heart rate for 61 s") and "the sensor itself says that it lost contact" in got[0][3],
          "without contact and without values", str(got))
(d / "c.log").write_bytes(ghrec.btsnoop(values(heart, [i >= 40 for i in range(900)])))
got = lost(watch(d / "c.log")[1])
ght.check(len(got) == 1 and got[0][:2] == (0, 40) and got[0][3].endswith("; from the start"), "without contact from the start", str(got))
(d / "c.log").write_bytes(ghrec.btsnoop(values(heart, [False] * 900)))
got = lost(watch(d / "c.log")[1])
ght.check(len(got) == 1 and got[0][:2] == (0, 899) and got[0][3].endswith("it did not come back"), "without contact from start to end", str(got))
(d / "c.log").write_bytes(ghrec.btsnoop(values(heart, [None] * 900)))
ght.equal(lost(watch(d / "c.log")[1]), [], "a sensor that does not know contact: its bit means nothing")

# a log that begins after the discovery
(d / "n.log").write_bytes(ghrec.btsnoop(values(heart, touch), discover=False))
p, j = watch(d / "n.log")
ght.check(j and [(r["state"], r["with_heart_rate"]) for r in j["recordings"]] == [("unread", 0)] and "--hr-handle 0x002a reads it" in j["recordings"][0]["source"]
          and j["verdict"]["state"] == "not_judged" and not j["findings"], "without a discovery: not judged, with the option that reads it", p.stderr + str(j)[:800])
p = subprocess.run([TOOL, "watch", d / "n.log"], capture_output=True, text=True)
ght.check("nothing can be said" in p.stdout and "--hr-handle 0x002a" in " ".join(p.stdout.split()), "and on the screen", p.stdout)
for handle in ("0x2a", "42"):
    p, j = watch("--hr-handle", handle, d / "n.log")
    ght.check(len(lost(j)) == 1 and j["recordings"][0]["source"].endswith("attribute 0x002a (as given)"), f"--hr-handle {handle} reads it, and that it was given is told", str(j["recordings"])[:300])
p, j = watch("--hr-handle", "0x30", d / "n.log")
ght.check([r["state"] for r in j["recordings"]] == ["unread"], "a handle that is not in it reads nothing", str(j)[:500])
p, j = watch("--hr-handle", "0x2f", d / "b.log")
ght.check(j["recordings"][0]["with_heart_rate"] == 835 and len(j["recordings"]) == 1, "and what the log itself shows goes before it", str(j["recordings"])[:300])
for bad in ("0", "0x10000", "heart", "-1", ""):
    ght.check(watch("--hr-handle", bad, d / "n.log")[0].returncode == 2, f"--hr-handle {bad!r} is refused")
db = d / "facts.db"
watch("--db", db, d / "n.log")
_, j = watch("--db", db, "--hr-handle", "0x2a", d / "n.log")
ght.check(len(j["recordings"]) == 1, "what was looked at before without the option is looked at again")

# a strap's log as reference; what it shows without contact settles nothing
truth = [v if t else min(2 * v, 239) for v, t in zip(heart, touch)]
(d / "w.fit").write_bytes(ghrec.fit(ghrec.samples(heart)))
(d / "s.pcapng").write_bytes(ghrec.pcapng_of(ghrec.hci(values(truth, touch)), 254))
_, j = watch(d / "w.fit", "--against", d / "s.pcapng")
w = next(r for r in j["recordings"] if r["role"] == "watch")
ght.check(w["accuracy"][0]["seconds"] in range(820, 840) and w["accuracy"][0]["mape"] < 0.5 and not [s for s in w["stretches"] if s["kind"] in ("half", "low")], "a reference without contact is no reference", str(w["accuracy"]))

# what holds no recording is no report of nothing
(d / "notes.txt").write_text("hello\n")
p, _ = watch(d / "notes.txt")
ght.check(p.returncode == 2 and "no recording in what was named" in p.stderr and not p.stdout.strip(), "a file that is no recording: told, not reported on", p.stdout + p.stderr)
ght.done()
