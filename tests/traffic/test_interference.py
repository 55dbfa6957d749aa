#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Interference on the path. Every capture with interference here is SYNTHETIC: made from published relations and fields, since no real capture of most of them is public.
Each family is found; no other capture is accused. Prints how many captures were looked at and how many were accused."""
import json
import pathlib
import socket
import struct
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import ght
import ghcap as g

d = ght.tmp()
GH = ght.BUILD / "gifthorse"
ACCUSES = {"GH-T01", "GH-T02", "GH-T03", "GH-T08", "GH-T14"}
HELLO = bytes.fromhex("16030100310100002d0303") + b"\7" * 32 + bytes.fromhex("000004130113020100") + b"\0\0"


def traffic(path, *options):
    p = subprocess.run([str(GH), "traffic", str(path), "-f", "json", "--fail-on", "never", *options], capture_output=True)
    if p.returncode not in (0, 3):
        raise RuntimeError(f"{path}: exit {p.returncode}: {p.stderr.decode()[-500:]}")
    return json.loads(p.stdout)


def rules(frames, *options, link=1):
    f = d / "case.pcap"
    f.write_bytes(g.pcap(frames, link=link))
    return [x["rule"] for x in traffic(f, *options)["findings"]]


def number(ip):
    return struct.unpack("!I", socket.inet_aton(ip))[0]


def talk():
    return g.Talk(ttl=(64, 52)).open().say(0, HELLO)


def related(t, win, n=1, ttl=91):
    """Resets whose fields fit the relation with k = 13."""
    sip, dip = number(t.end[1]), number(t.end[0])
    for i in range(n):
        w = win + i
        value = w - dip % 13
        t.add(1, g.RST | g.ACK, win=w, ipid=(65535 - value * 13 + sip % w) & 0xffff, ttl=ttl, after=0.001, move=False)
    return t.frames


def goes_on(t, **reset):
    t.add(1, reset.pop("flags", g.RST), move=False, **reset)
    return t.say(1, b"\x16\3\3\0\x31\2\0\0\x2d\3\3" + b"\5" * 32 + b"\0\x13\1\0\0\0").frames


# ---- resets ----
t = talk()
t.add(1, g.RST | g.ACK, b"\1\2\3\4\5\6\7\x08\x09\0", ttl=58, df=False, ipid=1, after=0.002)
ght.check("GH-T03" in rules(t.frames), "reset: the ten bytes of one injector")
ght.check("GH-T03" in rules(related(talk(), 1980, 3)), "reset: three with windows that rise by one, in the relation")
ght.check("GH-T03" in rules(related(talk(), 7000, 2)), "reset: two in the relation")
t = talk()
for w in (3293, 3294, 3295):
    t.add(1, g.RST | g.ACK, win=w, ipid=777, ttl=88, after=0.001, move=False)
ght.check("GH-T03" in rules(t.frames), "reset: windows 3293, 3294, 3295 (August 2025)")
t = talk()
for i, w in enumerate((500, 700, 900)):
    t.add(1, g.RST | g.ACK, win=w, ipid=(60000 - 13 * w + number(t.end[1]) % w) & 0xffff, ttl=88, after=0.2, move=False)
ght.check("GH-T03" in rules(t.frames), "reset: identification falls by 13 for each step of the window")
t = talk()
for w in (2000, 3000):
    t.add(1, g.RST | g.ACK, win=w, ipid=(65535 - 13 * w) & 0xffff, ttl=88, after=0.1, move=False)
ght.check("GH-T03" in rules(t.frames), "reset: the relation of 2010")
ght.check("GH-T03" in rules(goes_on(talk(), ttl=44)), "reset: its side goes on, from another distance, soon after an opening packet")
t = talk()
t.add(1, g.RST, ttl=90, ipid=0, df=False, win=0, after=0.005)
ght.check("GH-T03" in rules(t.frames), "reset: bare, without identification, from another distance")
t = g.Talk(ttl=(64, 52))
t.add(0, g.SYN, win=16384, ipid=5461)
t.add(1, g.RST | g.ACK, win=16384, ipid=5461, ttl=46, move=False)
t.add(1, g.SYN | g.ACK)
ght.check("GH-T03" in rules(t.frames), "reset: window and identification of the SYN turned round, and the true answer after it")
for what, frames in (("a plain reset of the server", talk().add(1, g.RST | g.ACK, win=0, ipid=901).frames), ("five resets of the server", [
        x for x in (lambda t: [t.add(1, g.RST, win=0, ipid=0, after=0.001) for _ in range(5)] and t.frames)(talk())]),
        ("a reset of the client that closes", talk().add(0, g.RST, win=0).frames), ("one reset with a window that fits by chance", related(talk(), 1980, 1, ttl=52)),
        ("a middlebox two hops nearer, and nothing after", talk().add(1, g.RST | g.ACK, ttl=54, win=0).frames)):
    got = rules(frames)
    ght.check(not ACCUSES & set(got), f"silent: {what}", str(got))

# ---- DNS ----


def dns(*answers, qname="one.example", edns=False, qtype=1):
    frames = [(1700000000.0, g.ether(g.ipv4("192.0.2.10", "192.0.2.1", 17, g.udp(5000, 53, g.query(7, qname, qtype, edns)))))]
    for t, payload, kw in answers:
        frames.append((1700000000.0 + t, g.ether(g.ipv4("192.0.2.1", "192.0.2.10", 17, g.udp(53, 5000, payload), **kw))))
    return frames


A, B = g.answer(7, "one.example", ["198.51.100.20"]), g.answer(7, "one.example", ["203.0.113.66"])
ght.check("GH-T01" in rules(dns((0.01, B, {"ttl": 44}), (0.03, A, {"ttl": 60}))), "DNS: the false answer first, from another distance")
ght.check("GH-T01" in rules(dns((0.03, A, {"ttl": 60}), (0.05, B, {"ttl": 44}))), "DNS: the false answer second")
ght.check("GH-T01" in rules(dns((0.01, B, {"ttl": 60, "df": False, "ipid": 0}), (0.03, A, {"ttl": 60}))), "DNS: same distance, other flags")
six = g.answer(7, "one.example", ["2001::1234:5678"], qtype=28)
ght.check("GH-T01" in rules(dns((0.01, six, {"ttl": 60}), qtype=28)), "DNS: an address in 2001::/32")
other = g.answer(7, "one.example", ["203.0.113.66"], qtype=16)
ght.check("GH-T01" in rules(dns((0.01, other, {"ttl": 60}), qtype=16)), "DNS: an address answers a question for text")
for what, frames in (("one answer", dns((0.02, A, {}))), ("the same answer twice", dns((0.02, A, {}), (0.03, A, {}))),
                     ("addresses in turn, one distance", dns((0.02, A, {}), (0.9, B, {}))), ("another answer after three seconds", dns((0.02, A, {"ttl": 60}), (3.2, B, {"ttl": 44})))):
    got = rules(frames)
    ght.check(not ACCUSES & set(got), f"silent: {what}", str(got))

# ---- Wallbleed: published vectors as packets ----
vectors = ght.corpus("pcap")
if vectors:
    lines = [x.split("\t") for x in (vectors / "wallbleed/vectors_v1.tsv").read_text().splitlines()[1:]]
    leaking = clean = found = wrong = 0
    surplus = 0
    for query_hex, length, _, answer_hex in lines:
        if not answer_hex:
            continue
        q, a = bytes.fromhex(query_hex), bytes.fromhex(answer_hex)
        a += b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4" + bytes([203, 0, 113, 7])
        f = d / "wall.pcap"
        f.write_bytes(g.pcap([g.ether(g.ipv4("192.0.2.10", "192.0.2.1", 17, g.udp(5000, 53, q))), g.ether(g.ipv4("192.0.2.1", "192.0.2.10", 17, g.udp(53, 5000, a)))]))
        odd = ght.rows(ght.drive(f, only="capture"), "traffic_oddities", kind="dns_over_read")
        extra = len(a) - 16 - len(q)
        if extra > 0:
            leaking += 1
            ok = len(odd) == 1 and ght.unescape(odd[0]["value"]) == a[len(q):-16]
            found += ok
            surplus = max(surplus, extra)
            if not ok:
                ght.check(False, f"over-read of {extra} bytes", query_hex)
        else:
            clean += 1
            wrong += bool(odd)
    ght.check(leaking and found == leaking, f"Wallbleed: {found} of {leaking} over-reads found, up to {surplus} bytes, every surplus byte kept")
    ght.check(clean and not wrong, f"Wallbleed: {clean} answers without surplus bytes, {wrong} accused")

# ---- nobody else is accused ----
REAL = {"rst-inject-rae.pcap": "GH-T03"}  # a reset injected by an observer, as its name says
if vectors:
    looked = accused = 0
    for path in sorted(vectors.glob("*/*.pcap*")):
        if path.suffix not in (".pcap", ".pcapng"):
            continue
        got = {x["rule"] for x in traffic(path)["findings"]} & ACCUSES
        if path.name in REAL:
            ght.check(got == {REAL[path.name]}, f"{path.name}: {REAL[path.name]}", str(got))
            continue
        looked += 1
        accused += bool(got)
        if got:
            ght.check(False, f"{path.name} is accused", str(got))
    ght.check(looked > 25 and not accused, f"conformance captures: {accused} of {looked} accused of interference")
ght.done()
