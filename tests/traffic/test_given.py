#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What is given beside a capture: a MaxMind database, written here from the published format (MaxMind DB File Format Specification 2.0), and the facts of a phone whose app and code
name the party. And rules that fire through captures alone: parties in the clear (GH-T06), answers in turn (GH-T15), apps that break off (GH-T16), made-up
domains (GH-T17), alerts of another distance (GH-T18)."""
import ipaddress
import json
import pathlib
import shutil
import struct
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "demo"))
import apks
import ght
import ghcap as g
import keys

d = ght.tmp()
GH = ght.BUILD / "gifthorse"
OTHER = ("other", "/C=XX/O=Somebody Else/CN=Other")


def traffic(frames, *options, name="case.pcap"):
    (d / name).write_bytes(g.pcap(frames))
    p = subprocess.run([str(GH), "traffic", str(d / name), "-f", "json", "--fail-on", "never", *map(str, options)], capture_output=True)
    if p.returncode not in (0, 3):
        raise RuntimeError(f"exit {p.returncode}: {p.stderr.decode()[-500:]}")
    return json.loads(p.stdout)


def rules(j):
    return {f["rule"]: f["evidence"] for f in j["findings"]}


def parties(j):
    return {p["name"]: p for p in j["traffic"]["parties"]}


# ---- a MaxMind database ----


def mmdb(networks, kind):
    """networks: [(prefix, record)]; IPv6 tree, IPv4 below ::/96, records of 24 bits."""

    def enc(v):
        if isinstance(v, dict):
            return bytes([7 << 5 | len(v)]) + b"".join(enc(k) + enc(x) for k, x in v.items())
        if isinstance(v, str):
            raw = v.encode()
            return (bytes([2 << 5 | len(raw)]) if len(raw) < 29 else bytes([2 << 5 | 29, len(raw) - 29])) + raw
        if isinstance(v, list):
            return bytes([len(v), 11 - 7]) + b"".join(map(enc, v))
        v, kind = v if isinstance(v, tuple) else (v, 6)
        raw = v.to_bytes((v.bit_length() + 7) // 8, "big")
        return (bytes([kind << 5 | len(raw)]) if kind < 8 else bytes([len(raw), kind - 7])) + raw

    nodes, data = [[None, None]], b""
    for prefix, record in networks:
        net = ipaddress.ip_network(prefix)
        bits = format(int(net.network_address), f"0{net.max_prefixlen}b")[:net.prefixlen]
        if net.version == 4:
            bits = "0" * 96 + bits
        at = 0
        for b in bits[:-1]:
            if not isinstance(nodes[at][int(b)], int):
                nodes.append([None, None])
                nodes[at][int(b)] = len(nodes) - 1
            at = nodes[at][int(b)]
        nodes[at][int(bits[-1])] = ("data", len(data))
        data += enc(record)
    n = len(nodes)
    value = lambda x: n if x is None else n + 16 + x[1] if isinstance(x, tuple) else x
    tree = b"".join(value(x).to_bytes(3, "big") for node in nodes for x in node)
    meta = {"node_count": n, "record_size": (24, 5), "ip_version": (6, 5), "database_type": kind, "languages": ["en"], "binary_format_major_version": (2, 5), "binary_format_minor_version": (0, 5),
            "build_epoch": (1700000000, 9), "description": {"en": "made for a test"}}
    return tree + b"\0" * 16 + data + b"\xab\xcd\xefMaxMind.com" + enc(meta)


clear = g.Talk(dport=80, server="198.51.100.77").open().say(0, b"GET /a HTTP/1.1\r\nHost: plain.example\r\n\r\n").say(1, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").close().frames
(d / "country.mmdb").write_bytes(mmdb([("198.51.100.0/24", {"country": {"iso_code": "XQ"}}), ("2001:db8::/32", {"country": {"iso_code": "XR"}})], "Test-Country"))
(d / "asn.mmdb").write_bytes(mmdb([("198.51.100.64/26", {"autonomous_system_number": 64500, "autonomous_system_organization": "Example Networks of a rather long name"})], "Test-ASN"))
six = [(1700000009.0 + n, g.ether(g.ipv6("2001:db8::1", "2001:db8::2", 17, g.udp(5000, 9999, b"x")))) for n in range(2)]
got = parties(traffic(clear + six, "--geo", d / "country.mmdb"))
ght.equal((got["plain.example"]["country"], got["2001:db8::2"]["country"]), ("XQ", "XR"), "--geo: a country, by IPv4 and by IPv6")
got = parties(traffic(clear, "--geo", d / "asn.mmdb"))["plain.example"]
ght.check("64500" in got["owner"] and "Example Networks" in got["owner"], "--geo: a network", str(got))
elsewhere = [x for x in g.Talk(dport=80, server="203.0.113.1").open().say(0, b"GET / HTTP/1.1\r\nHost: far.example\r\n\r\n").frames]
ght.equal(parties(traffic(elsewhere, "--geo", d / "country.mmdb"))["far.example"].get("country"), None, "--geo: nothing is said where the database says nothing")
if shutil.which("mmdblookup"):
    p = subprocess.run(["mmdblookup", "--file", d / "country.mmdb", "--ip", "198.51.100.77", "country", "iso_code"], capture_output=True)
    ght.check(b'"XQ"' in p.stdout, "--geo: the database is one for MaxMind's own tool", p.stderr.decode())
else:
    ght.skip("the database under MaxMind's own tool", "mmdblookup is not there")
(d / "damaged.mmdb").write_bytes((d / "country.mmdb").read_bytes()[:200])
p = subprocess.run([str(GH), "traffic", str(d / "case.pcap"), "--geo", str(d / "damaged.mmdb"), "-f", "json"], capture_output=True)
ght.check(p.returncode == 2 and b"damaged.mmdb" in p.stderr, "--geo: a damaged database is refused by name", f"{p.returncode} {p.stderr.decode()[-200:]}")

# ---- rules through captures ----
got = rules(traffic(clear))
ght.check("plain.example" in got.get("GH-T06", ""), "GH-T06: a request in the clear", str(got))
check = g.Talk(dport=80, server="198.51.100.78").open().say(0, b"GET /generate_204 HTTP/1.1\r\nHost: connectivitycheck.gstatic.com\r\n\r\n").say(1, b"HTTP/1.1 204 No Content\r\n\r\n").close().frames
ght.check("GH-T06" not in rules(traffic(check)), "GH-T06 silent: a check for a captive portal")
dns = lambda t, server_says: (t, g.ether(g.ipv4("192.0.2.1", "192.0.2.10", 17, g.udp(53, 5000, server_says), ttl=60, ipid=7)))
asked = [(1700000000.0, g.ether(g.ipv4("192.0.2.10", "192.0.2.1", 17, g.udp(5000, 53, g.query(7, "turns.example")))))]
turns = asked + [dns(1700000000.1, g.answer(7, "turns.example", ["198.51.100.1"])), dns(1700000000.9, g.answer(7, "turns.example", ["198.51.100.2"]))]
got = rules(traffic(turns))
ght.check("turns.example" in got.get("GH-T15", "") and "GH-T01" not in got, "GH-T15: two answers in turn, from one distance", str(got))
same = asked + [dns(1700000000.1, g.answer(7, "turns.example", ["198.51.100.1"])), dns(1700000000.9, g.answer(7, "turns.example", ["198.51.100.1"]))]
ght.check("GH-T15" not in rules(traffic(same)), "GH-T15 silent: the same answer twice")


def broken_off(names, word):
    """Handshakes of TLS 1.2 that the client ends with an alert."""
    frames = []
    for n, sni in enumerate(names):
        host = sni.encode()
        ext = struct.pack("!HHHBH", 0, len(host) + 5, len(host) + 3, 0, len(host)) + host
        hello = b"\3\3" + b"\7" * 32 + b"\0" + b"\0\2\xc0\x2f" + b"\1\0" + struct.pack("!H", len(ext)) + ext
        back = b"\3\3" + b"\5" * 32 + b"\0" + b"\xc0\x2f\0"
        wrap = lambda kind, body: b"\x16\3\3" + struct.pack("!H", len(body) + 4) + bytes([kind]) + struct.pack("!I", len(body))[1:] + body
        t = g.Talk(sport=42000 + n, server=f"198.51.100.{10 + n}", start=1700000000 + n).open()
        frames += t.say(0, wrap(1, hello)).say(1, wrap(2, back)).say(0, b"\x15\3\3\0\2\2" + bytes([word])).close().frames
    return frames





def names(how_many, code, label="q{}zx.made-{}.example", start=0):
    """Answers to that many questions, with one result."""
    frames = []
    for n in range(how_many):
        q = label.format(n * 7919 % 10007, n * 104729 % 99991) + str(n)
        frames.append((1700000000 + start + n, g.ether(g.ipv4("192.0.2.10", "192.0.2.1", 17, g.udp(5000 + n, 53, g.query(n, q))))))
        frames.append((1700000000 + start + n + 0.1, g.ether(g.ipv4("192.0.2.1", "192.0.2.10", 17, g.udp(53, 5000 + n, g.answer(n, q, ["198.51.100.1"] if not code else [], flags=0x8180 | code))))))
    return frames


there = names(4, 0, "true{}.site{}.test", 100)
got = rules(traffic(names(25, 3, "q{}zx{}.example") + there))
ght.check("25 domains that do not exist" in got.get("GH-T17", ""), "GH-T17: made-up domains", str(got))
ght.check("GH-T17" not in rules(traffic(names(25, 3, "random{}z{}") + there)), "GH-T17 silent: names of one label")
ght.check("GH-T17" not in rules(traffic(names(25, 3, "q{}zx{}.example"))), "GH-T17 silent: a network where no name exists")


def ended(ttl):
    hello = b"\x16\3\1\0\x31\1\0\0\x2d\3\3" + b"\7" * 32 + b"\0\0\4\x13\1\x13\2\1\0"
    return g.Talk(ttl=(64, 52)).open().say(0, hello).add(1, g.PSH | g.ACK, b"\x15\3\3\0\2\2\x28", ttl=ttl).frames


got = rules(traffic(ended(250)))
ght.check("time to live 250" in got.get("GH-T18", ""), "GH-T18: an alert from another distance", str(got))
ght.check("GH-T18" not in rules(traffic(ended(52))), "GH-T18 silent: the server's own alert")
three = ["www.one.example", "www.two.invalid", "www.three.test"]
got = rules(traffic(broken_off(three, 48)))
ght.check("3 domains" in got.get("GH-T16", ""), "GH-T16: three apps break off with unknown authority", str(got))
ght.check("GH-T16" not in rules(traffic(broken_off(three, 40))), "GH-T16 silent: no common cipher is no certificate")
ght.check("GH-T16" not in rules(traffic(broken_off(["a.one.example", "b.one.example", "c.one.example"], 48))), "GH-T16 silent: one domain")

# ---- the phone's own facts: an app whose intent filter names a party, and code that names another ----
tree, image = d / "tree", d / "phone"
maker = apks.Maker(keys.Keys(str(d / "keys")), str(d / "cache"))
FILTER = """<activity android:name=".A" android:exported="true"><intent-filter><action android:name="android.intent.action.VIEW"/>
<data android:scheme="https" android:host="plain.example"/></intent-filter></activity>"""
for path, data in (("app/Calls/Calls.apk", pathlib.Path(maker.apk("com.made.calls", f"  <application>{FILTER}</application>", OTHER)).read_bytes()),
                   ("bin/agent", b"\x7fnothing" + b"\0" * 64 + b"https://far.example/report\0")):
    (tree / "system" / path).parent.mkdir(parents=True)
    (tree / "system" / path).write_bytes(data)
image.mkdir()
ght.run("mke2fs", "-q", "-t", "ext4", "-d", tree, image / "system.img", "16M")
(d / "words.txt").write_text("far.example\n")
p = subprocess.run([str(GH), "scan", str(image), "--literals", str(d / "words.txt"), "--db", str(d / "phone.db"), "-f", f"json={d / 'phone.json'}", "--fail-on", "never", "--progress", "none"],
                   capture_output=True)
ght.check(p.returncode in (0, 3), "the phone is scanned", p.stderr.decode()[-300:])
both = clear + [(t + 1, x) for t, x in elsewhere]
got = parties(traffic(both, "--phone", d / "phone.db"))
ght.check("Calls.apk" in str(got["plain.example"].get("named_in")), "--phone: the app that names a party", str(got["plain.example"]))
ght.check("bin/agent" in str(got["far.example"].get("named_in")), "--phone: the code that names a party", str(got["far.example"]))
ght.check(not any(p.get("named_in") for p in parties(traffic(both)).values()), "--phone: nothing is named without it")
ght.done()
