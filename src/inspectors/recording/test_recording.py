#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""recording: FIT, TCX and GPX against gpsbabel, all formats against what the test wrote, and damage with its offset."""
import csv
import datetime
import io
import pathlib
import shutil
import sqlite3
import struct
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "tests/lib"))
import ghrec
import ght

d = ght.tmp()


def read(name, data):
    (d / name).write_bytes(data)
    return ght.drive(d / name, only="recording")


def got(rows, part=0):
    return [(r["t"], r["hr"], r["cadence"], r["speed"], r["distance"]) for r in ght.rows(rows, "samples", part=part)]


def want(samples):
    k = lambda v, n: None if v is None else round(v * n)  # noqa: E731
    return [(s["t"] * 1000, s["hr"], s["cadence"], k(s["speed"], 1000), k(s["distance"], 1000)) for s in samples]


def state(rows, part=0):
    return ght.rows(rows, "recordings", part=part)[0]["state"]


def note(rows, code, at):
    return bool(ght.rows(rows, "notes", code=code, at=at))


rates = [round(x) for x in ghrec.heart(600, 1)]
rates[100:110] = [None] * 10
run = ghrec.samples(rates, cadence=[85] * 600)

# FIT, written by the test
for big in (False, True):
    for header in (12, 14, 20):
        ght.equal(got(read("a.fit", ghrec.fit(run, big=big, header=header))), want(run), f"FIT, big endian {big}, header of {header}")
rows = read("a.fit", ghrec.fit(run, events=[(run[300]["t"], "stop")]))
ght.equal([(r["t"], r["kind"]) for r in ght.rows(rows, "recorder_events")],
          [(run[0]["t"] * 1000, "start"), (run[300]["t"] * 1000, "stop"), (run[-1]["t"] * 1000, "stop")], "FIT: timer events")
r = ght.rows(rows, "recordings")[0]
ght.equal((r["sport"], r["maker"], r["samples"], r["clock"], r["state"]), ("running", "maker 255, product 7", 600, 1, "complete"), "FIT: what it says of itself")
f = ghrec.Fit()
t = 1000000000
f.message(20, [(253, 0x86, t), (3, 2, 70)])
for k in range(1, 200):
    t += k % 7 + 1
    f.message(20, [(3, 2, 70 + k % 50)], local=1, compressed=t)
times = [x[0] for x in got(read("c.fit", f.bytes()))]
ght.equal(times[-1], (t + ghrec.EPOCH) * 1000, "FIT: compressed timestamps roll over")
ght.equal(len(times), 200, "FIT: and none is lost")
f = ghrec.Fit()
f.message(20, [(253, 0x86, 1000000000), (3, 2, 91)], developer=b"\1\2\3\4\5")
f.message(20, [(253, 0x86, 1000000001), (3, 2, 92)], developer=b"\1\2\3\4\5")
f.message(20, [(253, 0x86, 1000000002), (3, 2, 93)])
ght.equal([x[1] for x in got(read("d.fit", f.bytes()))], [91, 92, 93], "FIT: developer fields are stepped over, a local type is defined again")
one, two = ghrec.fit(run[:50]), ghrec.fit(run[50:], big=True)
rows = read("chain.fit", one + two)
ght.check(got(rows, 0) == want(run[:50]) and got(rows, 1) == want(run[50:]), "FIT: files in a row, each with its own byte order")
f = ghrec.Fit()
f.message(20, [(253, 0x86, 500), (3, 2, 88)])
rows = read("e.fit", f.bytes())
ght.check(ght.rows(rows, "recordings", clock=0) and got(rows)[0][0] == 500000, "FIT: time since switched on is no date")
f = ghrec.Fit()
f.message(78, [(0, 0x84, 800)])
f.message(20, [(253, 0x86, 1000000000), (3, 2, 75)])
f.message(78, [(0, 0x84, 801), (0, 0x84, 65535)], local=3)
ght.equal([x["rr"] for x in ght.rows(read("f.fit", f.bytes()), "beats")], [801], "FIT: beats, without those before any time and without empty ones")

# FIT, damaged
whole = ghrec.fit(run)
rows = read("g.fit", whole[:-2] + b"\0\1")
ght.check(state(rows) == "bad_crc" and note(rows, "bad", len(whole) - 2) and got(rows) == want(run), "FIT: a wrong checksum is told, the rest read")
rows = read("g.fit", ghrec.fit(run, end=False, size=0, crc=0))
ght.check(state(rows) == "unterminated" and got(rows)[:600] == want(run), "FIT: a file that was not ended is read to its end")
for cut in (len(whole) - 1, len(whole) - 40, 5000, 300, 60):
    rows = read("g.fit", whole[:cut])
    n = len(got(rows))
    ght.check(state(rows) == "short" and got(rows) == want(run)[:n] and n >= (cut - 150) // 16 - 3, f"FIT: cut off after {cut} bytes", f"{n} samples, {state(rows)}")
    ght.equal(ght.rows(rows, "recordings")[0]["missing"], len(whole) - cut, "FIT: and how much is missing")
text = whole.replace(b"\r\n", b"\n")
long = ghrec.fit([dict(s, hr=13 if i % 97 == 0 else 10, cadence=10) for i, s in enumerate(ghrec.samples([70] * 2000, t0=ghrec.BASE - 1))], sport=1)
mangled = long.replace(b"\r\n", b"\n")
ght.check(len(mangled) < len(long) and state(read("g.fit", mangled)) == "textmode", "FIT: a copy as text is told from a file cut off", f"{len(long) - len(mangled)} bytes fewer, {state(read('g.fit', mangled))}")
rows = read("g.fit", whole[:14] + b"\x0f" + whole[15:])
ght.check(note(rows, "bad", 14) and state(rows) in ("damaged", "bad_crc"), "FIT: a message that was not defined is told with its offset")
rows = read("g.fit", whole + b"junk that is no file")
ght.check(note(rows, "bad", len(whole)) and got(rows) == want(run), "FIT: what follows is told")

# XML and CSV, written by the test
plain = [dict(s, speed=None) for s in run]
ght.equal(got(read("a.tcx", ghrec.tcx(plain))), want(plain), "TCX")
only = [dict(s, speed=None, cadence=None, distance=None) for s in run]
for prefix in ("gpxtpx", "ns3"):
    rows = read("a.gpx", ghrec.gpx(only, prefix))
    ght.equal(got(rows), want(only), f"GPX, prefix {prefix}")
ght.check(not any(x in str(rows) for x in ("52.5", "13.4", "home")), "GPX: neither positions nor names become facts")
cut = ghrec.tcx(plain)[:20000]
rows = read("a.tcx", cut)
ght.check(state(rows) == "short" and got(rows) == want(plain)[:len(got(rows))] and len(got(rows)) > 80, "TCX: cut off, what came before is read")
bomb = b'<?xml version="1.0"?><!DOCTYPE gpx [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><gpx><trk><trkseg>&b;</trkseg></trk></gpx>'
rows = read("b.gpx", bomb)
ght.check(not got(rows) and any(r["table"] == "runs" and r.get("status") == "unsup" for r in rows) or ght.rows(rows, "notes", code="unsup"), "XML: entities are refused", str(rows)[:600])
rows = read("b.gpx", b"<gpx>" + b"<a>" * 5000)
ght.check("64 deep" in str(rows), "XML: depth is bounded")
for comma, head, made in ((",", "Time,Heart Rate (bpm)", lambda s: ghrec.iso(s["t"])), (";", "timestamp;hr", lambda s: str(s["t"])), ("\t", "unix_time\tBPM", lambda s: str(s["t"] * 1000))):
    body = head + "\n" + "".join(f'{made(s)}{comma}{"" if s["hr"] is None else s["hr"]}\r\n' for s in run)
    rows = read("a.csv", body.encode())
    ght.equal([x[:2] for x in got(rows)], [x[:2] for x in want(run)], f"CSV: {head!r}")
    ght.check("column" in ght.rows(rows, "recordings")[0]["source"], "CSV: the guess is told")
rows = read("a.csv", b"Name,Sport\nx,y\nTime,HR\n00:00:01,80\n00:01:02,81\nlater,82\n")
ght.check([x[:2] for x in got(rows)] == [(1000, 80), (62000, 81)] and ght.rows(rows, "recordings", clock=0) and "1 lines without" in str(rows), "CSV: a preamble, times of a stop-watch, a line without a time")

# Gadgetbridge
path = d / "Gadgetbridge"
steps = [(ghrec.BASE + 60 * i, 1 + i % 2, 60 + i % 50 if i % 9 else 255) for i in range(500)]
ghrec.gadgetbridge(path, {"MI_BAND_ACTIVITY_SAMPLE": steps, "HUAMI_SLEEP_MS": steps[:30]})
rows = ght.drive(path, only="recording")
for table, source, n in ((0, "table MI_BAND_ACTIVITY_SAMPLE, device 1", steps), (2, "table HUAMI_SLEEP_MS, device 1", steps[:30])):
    ght.equal([x[:2] for x in got(rows, table)], [(t * 1000, None if hr == 255 else hr) for t, dev, hr in n if dev == 1], f"Gadgetbridge: {source}")
    ght.equal(ght.rows(rows, "recordings", part=table)[0]["source"], source, "Gadgetbridge: the table is told")
raw = path.read_bytes()
wal = raw[:18] + b"\2\2" + raw[20:]
ght.equal(len(got(read("Gadgetbridge", wal))), 250, "Gadgetbridge: left in write-ahead mode")
db = sqlite3.connect(d / "evil")
db.executescript("CREATE TABLE t(TIMESTAMP INTEGER, HEART_RATE INTEGER AS (length(zeroblob(1000000000)))); INSERT INTO t VALUES(1700000000);"
                 "CREATE VIEW v AS SELECT 1 AS TIMESTAMP, 2 AS HEART_RATE; CREATE TABLE u(TIMESTAMP INTEGER, HEART_RATE INTEGER); INSERT INTO u VALUES(1700000000, 70);")
db.commit()
db.close()
rows = read("Gadgetbridge.db", (d / "evil").read_bytes())
ght.check(sum(len(got(rows, p)) for p in range(3)) <= 1 + 1 and "CRASH" not in str(rows), "Gadgetbridge: a schema made to harm runs nothing", str(rows)[:500])
for at in range(100, len(raw), 1777):
    read("Gadgetbridge", raw[:at] + b"\xff\xff\xff\xff" + raw[at + 4:])
ght.check(True, "Gadgetbridge: damage anywhere ends without a crash")

# btsnoop with the heart-rate service
beats = [(ghrec.BASE + i, [struct.pack("<BB", 0, 70 + i), struct.pack("<BH", 1, 70 + i), struct.pack("<BB", 6, 70 + i), struct.pack("<BB", 4, 70 + i),
                           struct.pack("<BBHHH", 0x18, 70 + i, 999, 1024, 512)][i % 5]) for i in range(100)]
for split in (False, True):
    rows = read("hr.log", ghrec.btsnoop(beats, split=split))
    ght.equal([x[:2] for x in got(rows)], [((ghrec.BASE + i) * 1000, 70 + i) for i in range(100)], f"btsnoop: rates of 8 and 16 bits, in fragments {split}")
    ght.equal([r["contact"] for r in ght.rows(rows, "samples")], [[None, None, 1, 0, None][i % 5] for i in range(100)], "btsnoop: contact, where the sensor knows it")
    ght.equal([r["rr"] for r in ght.rows(rows, "beats")], [1000, 500] * 20, "btsnoop: several beats in one notification, behind the energy")
rows = read("hr.log", ghrec.btsnoop(beats, discover=False))
ght.check(not got(rows) and "200 notifications" in str(rows), "btsnoop: without a discovery nothing is guessed, and told")
ght.check(ght.rows(rows, "recordings", state="unread")[0]["source"].endswith("attribute 0x002a has the form of a heart rate: if it is one, --hr-handle 0x002a reads it"), "btsnoop: and what would read it", str(ght.rows(rows, "notes")))
rows = read("hr.log", ghrec.btsnoop(beats)[:2000])
ght.check(10 < len(got(rows)) < 40 and ght.rows(rows, "notes", code="short"), "btsnoop: cut off, what came before is read")
rates = [((ghrec.BASE + i) * 1000, 70 + i) for i in range(100)]
for kind in (1001, 2001):
    ght.equal([x[:2] for x in got(read("hr.log", ghrec.btsnoop(beats, kind=kind)))], rates, f"btsnoop: packets of kind {kind}")
again = [(t + 200, v) for t, v in beats[:50]]
two = ghrec.hci(beats[:50], peer=b"strap1") + ghrec.hci(again, discover=False, handle=0x41, peer=b"strap1") + ghrec.hci(again, discover=False, handle=0x42, peer=b"strap2")
rows = read("hr.log", ghrec.btsnoop_of(two))
ght.check(len(got(rows)) == 50 and [x[0] for x in got(rows, 1)] == [t * 1000 for t, _ in again] and [r["state"] for r in ght.rows(rows, "recordings")] == ["complete", "complete", "unread"] and "100 notifications" in str(rows),
          "btsnoop: a device that comes back keeps its discovery, another has none", str(ght.rows(rows, "recordings")))
for link in (187, 201, 254):
    for big in (False, True):
        rows = read("hr.pcapng", ghrec.pcapng_of(ghrec.hci(beats, split=True), link, big))
        ght.equal([x[:2] for x in got(rows)], rates, f"pcapng: link type {link}, big endian {big}")
        ght.equal([r["rr"] for r in ght.rows(rows, "beats")], [1000, 500] * 20, f"pcapng: link type {link}, beats")
whole = ghrec.pcapng_of(ghrec.hci(beats), 201)
for cut in range(40, len(whole), 997):
    rows = read("hr.pcapng", whole[:cut])
    ght.check([x[:2] for x in got(rows)] == rates[:len(got(rows))] and len(got(rows)) >= cut / len(whole) * 98 - 4, f"pcapng: cut off after {cut} bytes", f"{len(got(rows))}")
rows = read("air.pcapng", ghrec.pcapng_of(ghrec.hci(beats), 251))
ght.check(not got(rows) and "203 packets of Bluetooth as they are on the air" in str(rows), "pcapng: packets of the air are told", str(ght.rows(rows, "notes")))
if shutil.which("tshark") and shutil.which("editcap"):
    def shark(path):
        """(ms, rate, beats) as tshark tells them."""
        fields = ("frame.time_epoch", "btatt.heart_rate_measurement.value.8", "btatt.heart_rate_measurement.value.16", "btatt.heart_rate_measurement.rr_interval")
        p = subprocess.run(["tshark", "-r", str(path), "-Y", "btatt.opcode==0x1b", "-T", "fields", *sum((["-e", f] for f in fields), [])], capture_output=True, text=True)
        lines = [line.split("\t") for line in p.stdout.splitlines()]
        return p.returncode, [(round(float(t) * 1000), int(a or b), [(int(r) * 1000 + 512) // 1024 for r in rr.split(",") if r]) for t, a, b, rr in lines if a or b]
    (d / "hr.log").write_bytes(ghrec.btsnoop(beats, split=True, peer=b"strap1"))
    for form in ("pcapng", "pcap"):
        subprocess.run(["editcap", "-F", form, d / "hr.log", d / f"conv.{form}"], check=True, capture_output=True)
        rows = ght.drive(d / f"conv.{form}", only="recording")
        code, theirs = shark(d / f"conv.{form}")
        rr = {}
        for r in ght.rows(rows, "beats"):
            rr.setdefault(r["t"], []).append(r["rr"])
        ght.check(code == 0 and len(theirs) == 100 and [(t, hr, rr.get(t, [])) for t, hr, *_ in got(rows)] == theirs, f"{form} made by editcap: times, rates and beats as tshark reads them", f"{code} {theirs[:5]} {got(rows)[:5]}")
        ght.equal(ght.rows(rows, "recordings")[0]["format"], form, f"{form}: the container is told")
else:
    ght.skip("tshark", "not installed")

# the reference tool
if not shutil.which("gpsbabel"):
    ght.skip("gpsbabel", "not installed")
    ght.done()


def babel(kind, path):
    """(time, heart rate) of each point that gpsbabel keeps: those with a position."""
    p = subprocess.run(["gpsbabel", "-t", "-i", kind, "-f", str(path), "-o", "unicsv,utc=0", "-F", "-"], capture_output=True)
    rows = csv.DictReader(io.StringIO(p.stdout.decode()))
    moment = lambda r: int(datetime.datetime.strptime(r["Date"] + " " + r["Time"][:8], "%Y/%m/%d %H:%M:%S").replace(tzinfo=datetime.timezone.utc).timestamp())  # noqa: E731
    return p.returncode, [(moment(r) * 1000, int(r["Heartrate"])) for r in rows if r.get("Heartrate")]


full = [dict(s, lat=52.5 + i / 1e5, lon=13.4) for i, s in enumerate(ghrec.samples([round(x) for x in ghrec.heart(400, 2)], cadence=[80] * 400))]
for kind, name, data in (("garmin_fit", "r.fit", ghrec.fit(full)), ("garmin_fit", "rb.fit", ghrec.fit(full, big=True)), ("gpx", "r.gpx", ghrec.gpx(full)), ("gtrnctr", "r.tcx", ghrec.tcx(full))):
    rows = read(name, data)
    code, theirs = babel(kind, d / name)
    ght.check(code == 0 and len(theirs) == 400 and [x[:2] for x in got(rows)] == theirs, f"{name}: times and heart rates as gpsbabel reads them", f"{code}, {len(theirs)}: {theirs[:3]}")
folder = ght.corpus("fit")
for path in sorted(folder.glob("*.fit")) if folder else []:
    code, theirs = babel("garmin_fit", path)
    ours = [(r["t"], r["hr"]) for r in ght.rows(ght.drive(path, only="recording"), "samples", part=0) if r["hr"] is not None]
    if code or not theirs:
        print(f"     {path.name}: gpsbabel reads no heart rate ({code}); ours {len(ours)}")
        continue
    rest = iter(ours)
    ght.check(all(x in rest for x in theirs), f"{path.name}: all {len(theirs)} points of gpsbabel in their order; {len(ours) - len(theirs)} more that have no position")
ght.done()
