#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""gifthorse traffic: key logs, QUIC of each version, identifiers in every coding, indicators, calls home, tunnels, resolvers, packed input, the same report for any number of
workers, options that are wrong. OpenSSL makes the TLS, Python's cryptography the QUIC."""
import base64
import gzip
import hashlib
import json
import os
import pathlib
import random
import socket
import struct
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import ght
import ghcap as g

d = ght.tmp()
GH = ght.BUILD / "gifthorse"


def traffic(path, *options, code=(0, 3)):
    p = subprocess.run([str(GH), "traffic", str(path), "-f", "json", "--fail-on", "never", *map(str, options)], capture_output=True)
    ght.check(p.returncode in code, f"exit code of {' '.join(map(str, options))[:60]}", f"{p.returncode} {p.stderr.decode()[-300:]}")
    return json.loads(p.stdout)


def write(name, frames, **kw):
    (d / name).write_bytes(g.pcap(frames, **kw))
    return d / name


def rules(j):
    return {f["rule"]: f for f in j["findings"]}


# ---- key logs: OpenSSL's own connections ----


def tls_capture(version):
    """A connection of OpenSSL with a request in it: capture, key log."""
    key, cert, log, cap = d / "k.pem", d / "c.pem", d / f"{version}.log", d / f"{version}.pcap"
    ght.run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", cert, "-days", "9", "-subj", "/CN=in.side.example")
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    server = subprocess.Popen(["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-cert", cert, "-key", key, "-www", "-quiet", f"-{version}"], stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    dump = subprocess.Popen(["dumpcap", "-q", "-i", "lo", "-P", "-f", f"tcp port {port}", "-w", cap], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        time.sleep(1.5)
        if dump.poll() is not None:
            return None
        subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-servername", "in.side.example", "-keylogfile", log, f"-{version}", "-ign_eof"],
                       input=b"GET /secret?imei=490154203237518 HTTP/1.0\r\nHost: in.side.example\r\nUser-Agent: x\r\n\r\n", capture_output=True, timeout=30)
        time.sleep(1)
    finally:
        dump.terminate()
        dump.wait()
        server.kill()
    return cap, log


for version in ("tls1_2", "tls1_3"):
    made = tls_capture(version)
    if not made:
        ght.skip(f"key log, {version}", "capturing is not permitted here")
        continue
    cap, log = made
    shut, opened = ght.drive(cap, only="capture"), subprocess.run([ght.DRIVE, "--only", "capture", "--keylog", log, cap], capture_output=True)
    opened = [json.loads(x) for x in opened.stdout.decode().splitlines()]
    ght.check(not ght.rows(shut, "http_requests"), f"{version}: nothing is read without the key log")
    got = [(r["uri"], r["inside_tls"], r["host"]) for r in ght.rows(opened, "http_requests")]
    ght.equal(got, [("/secret?imei=490154203237518", 1, "in.side.example")], f"{version}: the request inside is read with it")
    ght.check([r["kind"] for r in ght.rows(opened, "leaks")] == ["imei"] and ght.rows(opened, "leaks")[0]["inside_tls"] == 1, f"{version}: an identifier inside is marked as hidden from others")
    want = [(r[0][0], r[1][0]) for r in g.tshark(cap, "http.request", ["http.request.method", "http.request.uri"], "-o", f"tls.keylog_file:{log}")]
    ght.equal([(r["method"], r["uri"]) for r in ght.rows(opened, "http_requests")], want, f"{version}: as tshark reads it")
    want = [g.digest(x) for row in g.tshark(cap, "tls.handshake.certificate", ["tls.handshake.certificate"], "-o", f"tls.keylog_file:{log}") for x in row[0]]
    ght.equal([r["sha256"] for r in ght.rows(opened, "tls_certs")], want, f"{version}: the certificate")
    ng = d / f"{version}.pcapng"
    ght.run("editcap", "--inject-secrets", f"tls,{log}", cap, ng)
    inside = ght.drive(ng, only="capture")
    ght.equal(len(ght.rows(inside, "http_requests")), 1, f"{version}: the same from a decryption secrets block")
    j = traffic(cap, "--keylog", log)
    ght.check(j["traffic"]["decrypted_bytes"] > 0 and "GH-T05" not in rules(j), f"{version}: what only a key log shows is no leak")

# ---- QUIC ----
try:
    from cryptography.hazmat.primitives import hashes, hmac
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
except ImportError:
    AESGCM = None
    ght.skip("QUIC", "python3-cryptography is not there")

VERSIONS = {"1": (1, "38762cf7f55934b34d179ae6a4c80cadccbb7f0a", "quic", 0), "2": (0x6b3343cf, "0dede3def700a6db819381be6e269dcbf9bd2ed9", "quicv2", 1),
            "draft 29": (0xff00001d, "afbfec289993d24c9e9786f19c6111e04390a899", "quic", 0)}


def expand(secret, label, n):
    full = b"tls13 " + label.encode()
    return HKDFExpand(hashes.SHA256(), n, struct.pack("!HB", n, len(full)) + full + b"\0").derive(secret)


def client_hello(sni):
    ext = lambda t, v: struct.pack("!HH", t, len(v)) + v
    host = sni.encode()
    exts = ext(0, struct.pack("!HBH", len(host) + 3, 0, len(host)) + host) + ext(16, b"\0\3\2h3") + ext(43, b"\2\3\4") + ext(13, b"\0\2\4\3") + ext(10, b"\0\2\0\x1d") + ext(57, b"")
    body = b"\3\3" + b"\5" * 32 + b"\0" + b"\0\4\x13\1\x13\2" + b"\1\0" + struct.pack("!H", len(exts)) + exts
    return b"\1" + struct.pack("!I", len(body))[1:] + body


def initial(version, dcid, pieces, number):
    """One Initial packet with CRYPTO frames at the given offsets, padded to 1,200 bytes."""
    code, salt, word, kind = VERSIONS[version]
    mac = hmac.HMAC(bytes.fromhex(salt), hashes.SHA256())
    mac.update(dcid)
    secret = expand(mac.finalize(), "client in", 32)
    key, iv, hp = (expand(secret, f"{word} {x}", n) for x, n in (("key", 16), ("iv", 12), ("hp", 16)))
    frames = b"".join(b"\6" + struct.pack("!H", 0x4000 | off) + struct.pack("!H", 0x4000 | len(p)) + p for off, p in pieces)
    head = bytes([0xc3 | kind << 4]) + struct.pack("!I", code) + bytes([len(dcid)]) + dcid + b"\0" + b"\0"
    frames += b"\0" * (1200 - len(head) - 2 - 4 - 16 - len(frames))
    head += struct.pack("!H", 0x4000 | (4 + len(frames) + 16)) + struct.pack("!I", number)
    nonce = bytes(a ^ b for a, b in zip(iv, number.to_bytes(12, "big")))
    sealed = AESGCM(key).encrypt(nonce, frames, head)
    enc = Cipher(algorithms.AES(hp), modes.ECB()).encryptor()
    mask = enc.update(sealed[:16])
    first = bytes([head[0] ^ mask[0] & 15])
    pn = bytes(a ^ b for a, b in zip(head[-4:], mask[1:5]))
    return first + head[1:-4] + pn + sealed


if AESGCM:
    for version in VERSIONS:
        hello = client_hello("quic.test-site.example")
        half = len(hello) // 2
        frames = [g.ether(g.ipv4("192.0.2.10", "198.51.100.20", 17, g.udp(50000, 443, initial(version, b"8bytesid", pieces, n))))
                  for n, pieces in enumerate([[(half, hello[half:])], [(0, hello[:half])]])]
        f = write(f"quic-{version}.pcap", frames)
        got = [(r["sni"], r["transport"], r["ja4"][:10]) for r in ght.rows(ght.drive(f, only="capture"), "tls_clients")]
        ght.equal(got, [("quic.test-site.example", "quic", "q13d0206h3")], f"QUIC {version}: a ClientHello in two datagrams, the second half first")
        want = [r[0] for r in g.tshark(f, "tls.handshake.type==1", ["tls.handshake.extensions_server_name"])]
        ght.equal(want, [["quic.test-site.example"]], f"QUIC {version}: tshark reads the same")
    blocked = [(1700000000 + n, g.ether(g.ipv4("192.0.2.10", "198.51.100.20", 17, g.udp(50000, 443, initial("1", b"8bytesid", [(0, hello)], n))))) for n in range(3)]
    works = []
    for n in range(3):
        works += [(1700000000.5 + n, g.ether(g.ipv4("192.0.2.10", "198.51.100.30", 17, g.udp(50001, 443, initial("1", b"otherid8", [(0, client_hello("fine.example"))], n))))),
                  (1700000000.6 + n, g.ether(g.ipv4("198.51.100.30", "192.0.2.10", 17, g.udp(443, 50001, b"\x40" + b"x" * 60))))]
    later = [(1700000020.0, g.ether(g.ipv4("192.0.2.10", "192.0.2.1", 17, g.udp(9, 9, b"x"))))]
    ght.check("GH-T04" in rules(traffic(write("quic-blocked.pcap", sorted(blocked + works) + later))), "QUIC: one name unanswered while another is answered")
    ght.check("GH-T04" not in rules(traffic(write("quic-all.pcap", blocked + later))), "QUIC: nothing answered at all is not told")

# ---- identifiers ----
IMEI = "490154203237518"


def post(body, *head):
    return g.Talk(dport=80, server="198.51.100.77").open().say(0, b"POST /c HTTP/1.1\r\nHost: collect.example\r\nContent-Length: %d\r\n%s\r\n" % (len(body), b"".join(h + b"\r\n" for h in head)) + body) \
        .say(1, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").close().frames


def leaks(frames, *options):
    f = write("leak.pcap", frames)
    p = subprocess.run([ght.DRIVE, "--only", "capture", *options, str(f)], capture_output=True)
    return [(r["kind"], r["form"], r["coding"]) for r in map(json.loads, p.stdout.decode().splitlines()) if r["table"] == "leaks"]


for what, body, want in (
        ("plain", f"imei={IMEI}&x=1".encode(), ("imei", "plain", None)), ("JSON", json.dumps({"deviceId": IMEI}).encode(), ("imei", "plain", None)),
        ("percent", b"data=%7B%22imei%22%3A%22" + IMEI.encode() + b"%22%7D", ("imei", "plain", "percent")),
        ("base64", b"d=" + base64.b64encode(json.dumps({"imei": IMEI}).encode()), ("imei", "plain", "base64")),
        ("IMSI", b"imsi=310150123456789", ("imsi", "plain", None)), ("ICCID", b"iccid=8901260232714958936", ("iccid", "plain", None)),
        ("MAC", b"wifi_mac=3c:5a:b4:01:02:03", ("mac", "plain", None)), ("Android ID", b"android_id=b9e28776354d259e", ("android_id", "plain", None)),
        ("advertising id", b"gaid=5ac6a0ff-8d18-47bc-a902-2812cf0c251e", ("advertising_id", "plain", None)), ("phone", b"msisdn=%2B4915112345678", ("phone", "plain", "percent")),
        ("place", b'{"lat": 52.51628, "lng": 13.37770}', ("latitude", "plain", None)), ("network", b"ssid=HomeNet", ("ssid", "plain", None))):
    got = leaks(post(body))
    ght.check(want in got, f"identifier: {what}", str(got))
ght.check(("imei", "plain", None) in leaks(post(gzip.compress(f"imei={IMEI}".encode()), b"Content-Encoding: gzip")), "identifier: in a gzip body")
for what, body in (("a wrong check digit", b"imei=490154203237517"), ("15 digits without a key", IMEI.encode()), ("zeros", b"imei=000000000000000"), ("Android's placeholder", b"mac=02:00:00:00:00:00"),
                   ("a place too coarse", b"lat=52.5"), ("an empty id", b"gaid=00000000-0000-0000-0000-000000000000")):
    ght.equal(leaks(post(body)), [], f"silent: {what}")
value = "Alice.Example+1"
for form, text in (("plain", value), ("hex", value.encode().hex()), ("base64", base64.b64encode(b"x" + value.encode() + b"yz").decode()), ("md5", hashlib.md5(value.encode()).hexdigest()),
                   ("sha1", hashlib.sha1(value.encode()).hexdigest().upper()), ("sha256", hashlib.sha256(value.encode()).hexdigest())):
    got = leaks(post(b"q=" + text.encode()), "--known", f"account={value}")
    ght.check(any(k == "account" and f == form for k, f, _ in got), f"--known: as {form}", str(got))
j = traffic(write("leak.pcap", post(f"imei={IMEI}".encode())))
ght.check("GH-T05" in rules(j) and IMEI not in json.dumps(j), "an identifier in the clear is told, and not repeated in full")

# ---- indicators ----
ask = [g.ether(g.ipv4("192.0.2.10", "192.0.2.1", 17, g.udp(5000 + i, 53, g.query(i, n)))) for i, n in enumerate(["www.spy.example", "notspy.example", "fine.example"])]
f = write("ask.pcap", ask + post(b"x"))
(d / "list.txt").write_text("# names\nspy.example\n198.51.100.77\n")
stix = {"type": "bundle", "objects": [{"type": "indicator", "name": "Family", "pattern": "[domain-name:value='spy.example']"}, {"type": "malware", "name": "x"}]}
(d / "list.stix2").write_text(json.dumps(stix))
for name, n in (("list.txt", 2), ("list.stix2", 1)):
    hits = [x["evidence"] for x in traffic(f, "--indicators", d / name)["findings"] if x["rule"] == "GH-T13"]
    ght.check(len(hits) == n and not any("notspy" in h for h in hits), f"indicators: {name}", str(hits))
state = {r["id"]: r["state"] for r in traffic(f)["rules"]}
ght.equal(state.get("GH-T13"), "not_evaluated", "indicators: without a list the check is told as not made")

# ---- calls home ----
r = random.Random(5)


def calls(times, server="198.51.100.90"):
    frames = []
    for n, t in enumerate(times):
        frames += g.Talk(server=server, sport=41000 + n, start=1700000000 + t).open().say(0, b"\x16\3\1\0\x31\1\0\0\x2d\3\3" + b"\7" * 32 + b"\0\0\4\x13\1\x13\2\1\0").frames
    return sorted(frames)


ght.check("GH-T10" in rules(traffic(write("beacon.pcap", calls([60 * n + r.uniform(-1, 1) for n in range(20)])))), "a call every minute")
got = rules(traffic(write("browse.pcap", calls(sorted(r.expovariate(1) ** 2 * 300 for _ in range(20))))))
ght.check("GH-T10" not in got, "calls at random", str(got.get("GH-T10")))
hours = traffic(write("day.pcap", calls([3600 * n + r.uniform(-20, 20) for n in range(30)])))
ght.check("GH-T10" in rules(hours) and "short" not in rules(hours)["GH-T10"]["evidence"], "a call every hour, over 30 hours")
dhcp = bytes([2, 1, 6, 0]) + bytes(232) + b"\x63\x82\x53\x63" + b"\x35\1\5" + b"\6\4" + bytes([192, 0, 2, 1]) + b"\xff"
given = [g.ether(g.ipv4("192.0.2.1", "192.0.2.10", 17, g.udp(67, 68, dhcp)))]
past = [g.ether(g.ipv4("192.0.2.10", "203.0.113.53", 17, g.udp(5000, 53, g.query(1, "a.example"))))]
ght.check("GH-T12" in rules(traffic(write("past.pcap", given + past))), "DNS past the resolver of the network")
ght.equal({x["id"]: x["state"] for x in traffic(write("past.pcap", past))["rules"]}.get("GH-T12"), "not_evaluated", "DNS past the resolver: not evaluated where the resolver is not known")
tunnels = ght.corpus("pcap")
for name in ("dns-tunnel-iodine", "dns_exfiltration") if tunnels else ():
    ght.check("GH-T11" in rules(traffic(tunnels / f"ndpi/{name}.pcap")), f"tunnel: {name}")

# ---- the command ----
f = write("all.pcap", sorted(calls([60 * n for n in range(10)]) + [(1700000000 + n, x) for n, x in enumerate(ask)]))
one = traffic(f, "--jobs", 1)
ght.equal(traffic(f, "--jobs", 4), one, "the same report for any number of workers")
(d / "all.pcap.gz").write_bytes(gzip.compress(f.read_bytes()))
ght.equal(traffic(d / "all.pcap.gz")["traffic"], one["traffic"], "the same from a gzip")
p = subprocess.run([str(GH), "traffic", "-", "-f", "json", "--fail-on", "never"], stdin=open(f, "rb"), capture_output=True)
ght.equal(json.loads(p.stdout)["traffic"], one["traffic"], "the same from standard input")
ght.check(all(x["id"].startswith("GH-T") for x in one["rules"]), "a capture's report does not count the checks of a phone")
ght.check(traffic(f, "--first-boot")["traffic"]["first_boot"] is True, "--first-boot")
for argv in (["traffic"], ["traffic", "--known", "x", str(f)], ["traffic", "--live", "no-such-interface-0"], ["traffic", "--keylog", "/nonexistent", str(f)], ["traffic", "--phone", str(f), str(f)]):
    p = subprocess.run([str(GH), *argv], capture_output=True)
    ght.check(p.returncode == 2 and p.stderr.startswith(b"gifthorse: "), f"refused: {' '.join(argv[:2])}", f"{p.returncode} {p.stderr.decode()}")
page = d / "page.html"
subprocess.run([str(GH), "traffic", str(write("x.pcap", post(b'imei=490154203237518')[:3] + [g.ether(g.ipv4("192.0.2.10", "192.0.2.1", 17, g.udp(5000, 53, g.query(1, "<script>alert(1)</script>.example"))))])),
                "-f", f"html={page}"], capture_output=True)
ght.check(b"Who it talks to" in page.read_bytes() and b"<script>alert" not in page.read_bytes(), "HTML: parties, and names escaped")
ght.done()
