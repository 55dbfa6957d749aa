# SPDX-License-Identifier: Apache-2.0
"""Shared by the tests of captures: writing packets from the specifications, and reading the same capture with tshark."""
import collections
import hashlib
import ipaddress
import struct
import subprocess

# ---- writing ----


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    s = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while s >> 16:
        s = (s & 0xffff) + (s >> 16)
    return ~s & 0xffff


def ipv4(src, dst, proto, payload, ttl=64, ipid=1, df=True, frag=0, more=False):
    flags = (0x4000 if df else 0) | (0x2000 if more else 0) | frag // 8
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), ipid, flags, ttl, proto, 0, ipaddress.ip_address(src).packed, ipaddress.ip_address(dst).packed)
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + payload


def ipv6(src, dst, proto, payload, ttl=64):
    return struct.pack("!IHBB16s16s", 6 << 28, len(payload), proto, ttl, ipaddress.ip_address(src).packed, ipaddress.ip_address(dst).packed) + payload


def udp(sport, dport, payload):
    return struct.pack("!HHHH", sport, dport, 8 + len(payload), 0) + payload


FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16


def tcp(sport, dport, seq, ack, flags, payload=b"", win=65535, options=b""):
    return struct.pack("!HHIIBBHHH", sport, dport, seq & 0xffffffff, ack & 0xffffffff, (5 + len(options) // 4) << 4, flags, win, 0, 0) + options + payload


def ether(ip):
    return b"\x02\0\0\0\0\1\x02\0\0\0\0\2" + (b"\x08\0" if ip[0] >> 4 == 4 else b"\x86\xdd") + ip


def pcap(frames, link=1, start=1700000000.0, step=0.01, nano=False, big=False, snap=262144):
    """frames: bytes, or (time, bytes)."""
    e = ">" if big else "<"
    out = [struct.pack(e + "IHHiIII", 0xa1b23c4d if nano else 0xa1b2c3d4, 2, 4, 0, 0, snap, link)]
    t = start
    for f in frames:
        if isinstance(f, tuple):
            t, f = f
        sec = int(t)
        out.append(struct.pack(e + "IIII", sec, round((t - sec) * 1e6) % 1000000 * (1000 if nano else 1), min(len(f), snap), len(f)) + f[:snap])
        t += step
    return b"".join(out)


class Talk:
    """A TCP connection as frames, with a clock."""

    def __init__(self, client="192.0.2.10", server="198.51.100.20", sport=40000, dport=443, start=1700000000.0, rtt=0.03, ttl=(64, 52)):
        self.end, self.port, self.t, self.rtt, self.ttl = (client, server), (sport, dport), start, rtt, ttl
        self.seq, self.frames, self.ipid = [1000, 5000], [], [100, 900]

    def add(self, side, flags, payload=b"", **kw):
        ipid = kw.pop("ipid", self.ipid[side])
        ttl, df = kw.pop("ttl", self.ttl[side]), kw.pop("df", True)
        seq, ack = kw.pop("seq", self.seq[side]), kw.pop("ack", self.seq[1 - side] if flags & ACK else 0)
        move = kw.pop("move", True)
        self.t += kw.pop("after", self.rtt / 2)
        seg = tcp(self.port[side], self.port[1 - side], seq, ack, flags, payload, **kw)
        self.frames.append((self.t, ether(ipv4(self.end[side], self.end[1 - side], 6, seg, ttl=ttl, ipid=ipid, df=df))))
        self.ipid[side] += 1
        if move:
            self.seq[side] += len(payload) + (1 if flags & (SYN | FIN) else 0)
        return self

    def open(self):
        return self.add(0, SYN).add(1, SYN | ACK).add(0, ACK)

    def say(self, side, data, size=1400):
        for i in range(0, len(data), size):
            self.add(side, PSH | ACK, data[i:i + size], after=0.001 if i else self.rtt / 2)
        return self

    def close(self):
        return self.add(0, FIN | ACK).add(1, FIN | ACK).add(0, ACK)


def name(text):
    return b"".join(bytes([len(x)]) + x.encode() for x in text.split(".") if x) + b"\0"


def query(txid, qname, qtype=1, edns=False):
    return struct.pack("!HHHHHH", txid, 0x0100, 1, 0, 0, 1 if edns else 0) + name(qname) + struct.pack("!HH", qtype, 1) + \
        (b"\0" + struct.pack("!HHIH", 41, 4096, 0, 0) if edns else b"")


def answer(txid, qname, addresses, qtype=1, flags=0x8180, rtype=None, ttl=60):
    out = struct.pack("!HHHHHH", txid, flags, 1, len(addresses), 0, 0) + name(qname) + struct.pack("!HH", qtype, 1)
    for a in addresses:
        raw = ipaddress.ip_address(a).packed
        out += b"\xc0\x0c" + struct.pack("!HHIH", rtype or (1 if len(raw) == 4 else 28), 1, ttl, len(raw)) + raw
    return out


# ---- tshark ----


def tshark(path, flt, fields, *more):
    argv = ["tshark", "-n", "-r", str(path), "-Y", flt, "-T", "fields", "-E", "separator=\t", "-E", "occurrence=a", "-E", "aggregator=\x01", *more]
    for f in fields:
        argv += ["-e", f]
    p = subprocess.run(argv, capture_output=True)
    rows = []
    for line in p.stdout.decode("utf-8", "replace").splitlines():
        cells = line.split("\t")
        rows.append([c.split("\x01") if c else [] for c in cells] + [[]] * (len(fields) - len(cells)))
    return rows


def multiset(items):
    return collections.Counter(items)


def digest(hexbytes):
    return hashlib.sha256(bytes.fromhex(hexbytes.replace(":", ""))).hexdigest()
