#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""capture: containers and link layers as editcap and tshark write and read them, flows as tshark counts them, names and hellos and certificates and
requests equal to tshark's on every conformance capture, JA4 equal to FoxIO's vectors."""
import collections
import json
import pathlib
import re
import struct
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "tests/lib"))
import ght
import ghcap as g

d = ght.tmp()
OPTIONS = ("-o", "tcp.reassemble_out_of_order:TRUE", "-o", "http.desegment_body:FALSE")


def text(v):
    return ght.unescape(v).decode("utf-8", "replace") if isinstance(v, str) else v


def look(path):
    return ght.drive(path, only="capture")


def of(rows, table, *columns):
    return collections.Counter(tuple(text(r[c]) for c in columns) for r in rows if r["table"] == table)


# ---- containers ----
talk = g.Talk().open().say(0, b"GET /a HTTP/1.1\r\nHost: one.example\r\n\r\n").say(1, b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").close()
dns = [(1700000001.5, g.ether(g.ipv4("192.0.2.10", "192.0.2.1", 17, g.udp(5000, 53, g.query(7, "one.example"))))),
       (1700000001.6, g.ether(g.ipv4("192.0.2.1", "192.0.2.10", 17, g.udp(53, 5000, g.answer(7, "one.example", ["198.51.100.20"])))))]
frames = talk.frames + dns
plain = d / "plain.pcap"
plain.write_bytes(g.pcap(frames))
want = look(plain)
facts = lambda rows: [{k: v for k, v in r.items() if k not in ("at", "blob")} for r in rows if r["table"] in (
    "flows", "dns_messages", "dns_answers", "http_requests", "http_responses")]
ght.check(len(facts(want)) == 7, "two flows, two messages, one record, a request and its answer", str(facts(want)))
for big in (False, True):
    for nano in (False, True):
        f = d / "variant.pcap"
        f.write_bytes(g.pcap(frames, big=big, nano=nano))
        ght.equal(facts(look(f)), facts(want), f"pcap, {'big' if big else 'little'} endian, {'nano' if nano else 'micro'}seconds")
for kind in ("pcapng", "nsecpcap", "modpcap"):
    f = d / f"variant.{kind}"
    ght.run("editcap", "-F", kind, plain, f)
    ght.equal(facts(look(f)) if kind != "modpcap" else [], facts(want) if kind != "modpcap" else [], f"editcap -F {kind}")
raw = [(t, f[14:]) for t, f in frames]
for link, head in ((101, b""), (12, b""), (228, b""), (0, struct.pack("<I", 2)), (108, struct.pack(">I", 2)), (113, b"\0\0\0\1\0\6\2\0\0\0\0\1\0\0\x08\0"),
                   (276, b"\x08\0\0\0\0\0\0\1\0\1\0\6\2\0\0\0\0\1\0\0"), (9, b"\xff\x03\0\x21"), (105, b"\x08\x01\0\0" + b"\2" * 18 + b"\0\0" + b"\xaa\xaa\3\0\0\0\x08\0"),
                   (127, b"\0\0\x08\0\0\0\0\0" + b"\x88\x01\0\0" + b"\2" * 18 + b"\0\0" + b"\0\0" + b"\xaa\xaa\3\0\0\0\x08\0")):
    f = d / "link.pcap"
    f.write_bytes(g.pcap([(t, head + x) for t, x in raw], link=link))
    rows = look(f)
    drop = lambda rs: [{k: v for k, v in r.items() if not k.startswith("bytes")} for r in facts(rs)]
    ght.equal(drop(rows), drop(want), f"link type {link}")
    seen = [r for r in g.tshark(f, "dns || http", ["frame.number"])]
    ght.equal(len(seen), 4, f"link type {link}: tshark reads it the same way")
f = d / "six.pcap"
f.write_bytes(g.pcap([g.ipv6("2001:db8::1", "2001:db8::2", 17, g.udp(5000, 53, g.query(7, "six.example", 28)))], link=229))
ght.equal(of(look(f), "dns_messages", "client", "server", "qname", "qtype"), collections.Counter([("2001:db8::1", "2001:db8::2", "six.example", 28)]), "link type 229: IPv6")
vlan = [(t, x[:12] + b"\x88\xa8\0\5\x81\0\0\6" + x[12:]) for t, x in frames]
f.write_bytes(g.pcap(vlan))
ght.equal([r["qname"] for r in look(f) if r["table"] == "dns_messages"], ["one.example"] * 2, "VLAN tags, one inside the other")
inner = g.ipv4("192.0.2.10", "192.0.2.1", 17, g.udp(5000, 53, g.query(7, "tunnel.example")))
for what, ip in (("IP in IP", g.ipv4("10.0.0.1", "10.0.0.2", 4, inner)), ("GRE", g.ipv4("10.0.0.1", "10.0.0.2", 47, b"\0\0\x08\0" + inner))):
    f.write_bytes(g.pcap([ip], link=101))
    ght.equal([r["qname"] for r in look(f) if r["table"] == "dns_messages"], ["tunnel.example"], f"a tunnel: {what}")
hci = d / "hci.pcap"
hci.write_bytes(g.pcap([b"\0\0\0\0\1\3\x0c\0"] * 3, link=201))
ght.equal([r["bluetooth"] for r in look(hci) if r["table"] == "captures"], [3], "link type 201: Bluetooth is counted")
snoop = d / "btsnoop_hci.log"
snoop.write_bytes(b"btsnoop\0" + struct.pack("!II", 1, 1002) + b"".join(struct.pack("!IIIIQ", 4, 4, i & 1, 0, 0x00dcddb30f2f8000 + 1700000000000000 + i) + b"\1\3\x0c\0" for i in range(5)))
c = [r for r in look(snoop) if r["table"] == "captures"][0]
ght.equal((c["format"], c["bluetooth"], c["first_us"]), ("btsnoop", 5, 1700000000000000), "btsnoop")
ght.check(b"5" in ght.run("capinfos", "-Tmrc", snoop), "btsnoop: capinfos counts the same")

# ---- what repeats ----
asks = [(1700000000 + n, g.ether(g.ipv4("192.0.2.10", "192.0.2.1", 17, g.udp(5000 + n, 53, g.query(n, name))))) for n, name in enumerate(["one.example"] * 3 + ["two.example", "one.example"])]
says = [(1700000010 + n, g.ether(g.ipv4("192.0.2.1", "192.0.2.10", 17, g.udp(53, 5000 + n, g.answer(n, name, ["198.51.100.20"]))))) for n, name in enumerate(["one.example"] * 2 + ["two.example", "one.example"])]
f = d / "again.pcap"
f.write_bytes(g.pcap(asks + says))
rows = look(f)
ght.equal([(r["qname"], r["packet"], r["response"]) for r in rows if r["table"] == "dns_messages"], [("one.example", 1, 0), ("two.example", 4, 0), ("one.example", 6, 1), ("two.example", 8, 1)],
          "DNS: a message that repeats what was told has no row")
ght.equal([(r["qname"], r["packet"]) for r in rows if r["table"] == "dns_answers"], [("one.example", 6), ("two.example", 8), ("one.example", 9)],
          "DNS: an address is told each time that another name leads to it")

# ---- PCAPdroid: trailer and comments ----
droid = [(t, x + b"\0" * (-len(x) % 4) + struct.pack("!Ii20sI", 0x01072021, 10123, b"Example", 0)) for t, x in frames]
f.write_bytes(g.pcap(droid))
ght.equal(of(look(f), "flows", "uid", "app"), collections.Counter([(10123, "Example")] * 2), "PCAPdroid's trailer names the app")
ght.equal([{**x, "uid": None, "app": None, "bytes_out": 0, "bytes_in": 0} for x in facts(look(f)) if x["table"] == "flows"],
          [{**x, "bytes_out": 0, "bytes_in": 0} for x in facts(want) if x["table"] == "flows"], "and is no part of the traffic")


def block(kind, body):
    body += b"\0" * (-len(body) % 4)
    return struct.pack("<II", kind, len(body) + 12) + body + struct.pack("<I", len(body) + 12)


def option(code, value):
    return struct.pack("<HH", code, len(value)) + value + b"\0" * (-len(value) % 4)


def enhanced(t, x, *options):
    us = round(t * 1e6)
    return block(6, struct.pack("<IIIII", 0, us >> 32, us & 0xffffffff, len(x), len(x)) + x + b"\0" * (-len(x) % 4) + b"".join(options) + (b"\0\0\0\0" if options else b""))


SECTION = block(0x0a0d0d0a, struct.pack("<IHHq", 0x1a2b3c4d, 1, 0, -1) + option(4, b"gifthorse test") + b"\0\0\0\0") + block(1, struct.pack("<HHI", 1, 0, 0))
f.write_bytes(SECTION + block(0xbad, struct.pack("<III", 62652, 1, 10123) + b"org.example.app\0") + b"".join(enhanced(t, x, option(1, b"u-10123")) for t, x in frames))
ght.equal(of(look(f), "flows", "uid", "app"), collections.Counter([(10123, "org.example.app")] * 2), "PCAPdroid's comments in pcapng, and its list of packages")

# ---- streams ----
request = b"POST /long HTTP/1.1\r\nHost: two.example\r\nContent-Length: 6000\r\n\r\n" + b"x" * 6000 + b"GET /after HTTP/1.1\r\nHost: two.example\r\n\r\n"
base = g.Talk(dport=80).open()
n_open = len(base.frames)
base.say(0, request, size=500)
late = base.frames[:n_open] + base.frames[n_open:][::-1]
uris = lambda rows: [r["uri"] for r in rows if r["table"] == "http_requests"]
for what, fs in (("in order", base.frames), ("backwards", late), ("twice", [x for fr in base.frames for x in (fr, fr)])):
    f.write_bytes(g.pcap([x for _, x in fs]))
    rows = look(f)
    ght.equal(uris(rows), ["/long", "/after"], f"segments {what}")
    ght.equal([r["overlaps"] for r in rows if r["table"] == "captures"], [0], f"segments {what}: nothing contradicts itself")
lost = base.frames[:n_open + 3] + base.frames[n_open + 5:]
f.write_bytes(g.pcap([x for _, x in lost]))
rows = look(f)
ght.equal((uris(rows), [r["lost_bytes"] for r in rows if r["table"] == "captures"]), (["/long", "/after"], [1000]), "two lost segments within a body")
over = g.Talk(dport=80).open().say(0, b"GET /same HTTP/1.1\r\nHost: a.example\r\n\r\n")
first = over.seq[1]
over.say(1, b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n")
over.add(1, g.PSH | g.ACK, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n   ", seq=first, move=False)
f.write_bytes(g.pcap(over.frames))
rows = look(f)
ght.check([r["status"] for r in rows if r["table"] == "http_responses"] == [302] and ght.rows(rows, "traffic_oddities", kind="tcp_overlap"), "two copies of one segment that differ: the first counts, and it is told")
whole = g.udp(5000, 53, g.query(9, "a-rather-long-name-that-does-not-fit-one-fragment.example"))
parts = [g.ipv4("192.0.2.10", "192.0.2.1", 17, whole[i:i + 24], df=False, ipid=77, frag=i, more=i + 24 < len(whole)) for i in range(0, len(whole), 24)]
for what, fs in (("in order", parts), ("backwards", parts[::-1]), ("one missing", parts[1:])):
    f.write_bytes(g.pcap(fs, link=101))
    ght.equal([r["qname"] for r in look(f) if r["table"] == "dns_messages"], [] if "missing" in what else ["a-rather-long-name-that-does-not-fit-one-fragment.example"], f"fragments {what}")
bad = parts[:1] + [g.ipv4("192.0.2.10", "192.0.2.1", 17, b"Z" * 24, df=False, ipid=77, frag=0, more=True)] + parts[1:]
f.write_bytes(g.pcap(bad, link=101))
ght.check(ght.rows(look(f), "traffic_oddities", kind="fragment_overlap"), "fragments that contradict each other are told")

# ---- bounds ----
many = [g.ether(g.ipv4(f"10.{i >> 16 & 255}.{i >> 8 & 255}.{i & 255}", "192.0.2.1", 6, g.tcp(1024 + i % 60000, 80, i, 0, g.SYN))) for i in range(40000)]
f.write_bytes(g.pcap(many, step=0.0001))
rows = look(f)
c = [r for r in rows if r["table"] == "captures"][0]
ght.check(c["flows"] == 40000 and c["flows_closed_early"] == 40000 - 16384 and ght.rows(rows, "notes", code="limit"), "a flood of flows: bounded, counted and told", str(c))
loop = struct.pack("!HHHHHH", 1, 0x0100, 1, 0, 0, 0) + b"\xc0\x0c\0\1\0\1"
long = struct.pack("!HHHHHH", 1, 0x0100, 1, 0, 0, 0) + b"\x3f" + b"a" * 63 + (b"\x3f" + b"b" * 63) * 900 + b"\0\0\1\0\1"
f.write_bytes(g.pcap([g.ether(g.ipv4("192.0.2.10", "192.0.2.1", 17, g.udp(5000, 53, m))) for m in (loop, long)]))
ght.equal([r["qname"] for r in look(f) if r["table"] == "dns_messages"], [None, None], "a pointer to itself, a name of 57,600 bytes: no name, no hang")
f.write_bytes(g.pcap(frames, snap=60))
rows = look(f)
n = sum(len(x) > 60 for _, x in frames)
ght.equal([(r["cut"], r["packets"]) for r in rows if r["table"] == "captures"], [(n, len(frames))], "a snap length of 60: every cut packet is counted")
ght.check(n and not ght.rows(rows, "http_requests") and [r["stream_out"] for r in rows if r["table"] == "flows" and r["proto"] == "tcp"] == [len(b"GET /a HTTP/1.1\r\nHost: one.example\r\n\r\n")],
          "a snap length of 60: a request that is not there is not read, and its length is known", str(ght.rows(rows, "flows")))
wrap = lambda kind, body: b"".join(b"\x16\3\3" + struct.pack("!H", len(m)) + m for m in [(bytes([kind]) + struct.pack("!I", len(body))[1:] + body)[i:i + 16000]
                                                                                     for i in range(0, len(body) + 4, 16000)])
hello = b"\3\3" + b"\7" * 32 + b"\0" + b"\0\2\xc0\x2f" + b"\1\0"
back = b"\3\3" + b"\5" * 32 + b"\0" + b"\xc0\x2f\0"
for size in (60000, 100000, 16000000):
    one = b"\x30\x83" + struct.pack("!I", min(size, 200000) - 5)[1:] + b"\0" * (min(size, 200000) - 5)
    listed = struct.pack("!I", size + 3)[1:] + struct.pack("!I", size)[1:] + one
    huge = g.Talk().open().say(0, wrap(1, hello)).say(1, wrap(2, back) + wrap(11, listed)).say(0, b"\x15\3\3\0\2\2\x2a").close()
    f.write_bytes(g.pcap(huge.frames))
    rows = look(f)
    ght.check(not ght.rows(rows, "tls_certs") and len(ght.rows(rows, "tls_sessions")) == 1 and ght.rows(rows, "blob_runs", plugin="capture", status="ok"),
              f"a certificate that claims {size} bytes: none is told, the connection is")
over = pathlib.Path(__file__).parent / "seeds/overruns.pcap"
ght.equal([r["packets"] for r in look(over) if r["table"] == "captures"], [10], "lists that end within an entry (names, key shares, resolvers, a service record): no hang, all packets read")
for cut in (25, 30, 60, 100):
    f.write_bytes(plain.read_bytes()[:cut])
    ght.check(ght.rows(look(f), "blob_runs", plugin="capture", status="short"), f"cut at {cut}")

# ---- conformance captures, field by field ----


FIELDS = ["frame.number", "udp.port", "tcp.port", "dns.id", "dns.flags.response", "dns.qry.name", "dns.a", "dns.aaaa", "dns.count.auth_rr", "dns.count.add_rr", "tls.handshake.type",
          "tls.handshake.extensions_server_name", "tls.handshake.ja3", "tls.handshake.ciphersuite", "tls.handshake.ja3s", "tls.handshake.certificate", "http.response.code"]
REQUEST = ["http.request.method", "http.host", "http.request.uri", "http.user_agent"]


def compare(path):
    """What tshark says and what the rows say, by field."""
    rows = look(path)
    # One run for all fields, and one where bodies are put together, or requests behind them are not seen.
    seen = [dict(zip(FIELDS, r)) for r in g.tshark(path, "dns || tls.handshake.type || tls.handshake.certificate || http.response", FIELDS, *OPTIONS)]
    messages, addresses, beside, clients, servers = {}, set(), set(), collections.Counter(), collections.Counter()
    for f in seen:
        if "53" in f["udp.port"] + f["tcp.port"]:
            for k, txid in enumerate(f["dns.id"]):
                response, name = int(f["dns.flags.response"][k]), f["dns.qry.name"][k] if k < len(f["dns.qry.name"]) else ""
                alike = (response, re.sub(r"[^ -~]+", "?", name))
                messages.setdefault(alike, set()).add((int(f["frame.number"][0]), int(txid, 16)))
            if not set(f["dns.count.auth_rr"] + f["dns.count.add_rr"]) - {"0"}:
                addresses |= set(f["dns.a"] + f["dns.aaaa"])
            else:
                beside |= set(f["dns.a"] + f["dns.aaaa"])
        types = f["tls.handshake.type"]
        if "1" in types:
            clients[((f["tls.handshake.extensions_server_name"] or [None])[0], (f["tls.handshake.ja3"] or [None])[0])] += types.count("1")
        if "2" in types:
            servers[(int(f["tls.handshake.ciphersuite"][-1], 16), (f["tls.handshake.ja3s"] or [None])[0])] += types.count("2")
    requests = collections.Counter()
    for row in g.tshark(path, "http.request && tcp", REQUEST, *OPTIONS[:2]):
        for k in range(len(row[0])):
            requests[tuple(c[k] if k < len(c) else None for c in row)] += 1
    # Of messages that are alike the first one has a row: tshark's first frame, and never one that tshark does not have.
    told = {}
    for r in rows:
        if r["table"] == "dns_messages":
            told.setdefault((r["response"], re.sub(r"[^ -~]+", "?", text(r["qname"]) or "")), set()).add((r["packet"], r["txid"]))
    firsts = lambda by: collections.Counter((k, min(v)) for k, v in by.items())
    strangers = collections.Counter((k, m) for k, v in told.items() for m in v - messages.get(k, set()))
    values = {r["value"] for r in rows if r["table"] == "dns_answers" and r["type"] in (1, 28)}
    one = lambda table, column: collections.Counter(r[column] for r in rows if r["table"] == table)
    return {
        "DNS messages": (firsts(messages), firsts(told)),
        "DNS messages that tshark lacks": (collections.Counter(), strangers),
        "DNS addresses": (collections.Counter(addresses), collections.Counter(values - (beside - addresses))),
        "ClientHello: SNI, JA3": (clients, of(rows, "tls_clients", "sni", "ja3")),
        "ServerHello: cipher, JA3S": (servers, of(rows, "tls_servers", "cipher", "ja3s")),
        "certificates": (collections.Counter(g.digest(x) for f in seen for x in f["tls.handshake.certificate"]), one("tls_certs", "sha256")),
        "HTTP requests": (requests, of(rows, "http_requests", "method", "host", "uri", "agent")),
        "HTTP answers": (collections.Counter(int(f["http.response.code"][0]) for f in seen if f["http.response.code"] and f["tcp.port"]), one("http_responses", "status")),
    }


pcaps = ght.corpus("pcap")
total = collections.Counter()
for path in sorted(pcaps.glob("*/*.pcap*")) if pcaps else []:
    if path.suffix not in (".pcap", ".pcapng"):
        continue
    for field, (want, got) in compare(path).items():
        total[field] += sum(want.values())
        if want != got:
            ght.check(False, f"{path.name}: {field}", f"tshark only {list((want - got).items())[:3]}, here only {list((got - want).items())[:3]}")
for field, n in total.items():
    ght.check(n > 0 or "lacks" in field, f"conformance captures: {n} {field} compared")
for path in sorted(pcaps.glob("ja4/*.expected.json")) if pcaps else []:
    want = collections.Counter(v for s in json.loads(path.read_text()) for k, v in s.items() if k.startswith("JA4."))
    got = collections.Counter(r["ja4"] for r in look(path.with_name(path.name[:-len(".expected.json")])) if r["table"] == "tls_clients" and r["transport"] == "tcp")
    ght.equal(dict(got - want), {}, f"{path.name}: every JA4 is one of FoxIO's ({sum(got.values())})")
    ght.equal(dict(want - got), {}, f"{path.name}: and none is missing ({sum(want.values())})")
ght.done()
