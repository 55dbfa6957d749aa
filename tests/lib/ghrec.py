# SPDX-License-Identifier: Apache-2.0
"""Recordings of heart rate as devices write them, made from lists of samples; written from the specifications, independently of the readers."""
import math
import random
import sqlite3
import struct

EPOCH = 631065600
BASE = 1700000000  # Unix time at which made-up recordings begin


def _crc16_of(byte):
    """Of one byte, bit by bit."""
    for _ in range(8):
        byte = (byte >> 1) ^ 0xA001 if byte & 1 else byte >> 1
    return byte


CRC16 = [_crc16_of(byte) for byte in range(256)]


def crc16(data):
    """CRC-16/ARC."""
    crc = 0
    for byte in data:
        crc = CRC16[(crc ^ byte) & 0xff] ^ (crc >> 8)
    return crc


class Fit:
    """One FIT file. Messages are (local type, global number, [(field, base type, value)]); a definition is written when the layout changes."""
    CODES = {0: 'B', 1: 'b', 2: 'B', 0x83: 'h', 0x84: 'H', 0x85: 'i', 0x86: 'I', 0x88: 'f', 0x8c: 'I', 0x0a: 'B', 0x8b: 'H'}

    def __init__(self, big=False, header=14, developer=0):
        self.big, self.header, self.developer = big, header, developer
        self.data, self.layout = bytearray(), {}

    def _pack(self, base, value):
        return struct.pack(('>' if self.big else '<') + self.CODES[base], value)

    def message(self, number, fields, local=0, compressed=None, developer=b''):
        body = b''.join(self._pack(base, value) for _, base, value in fields) + developer
        layout = (number, tuple((f, len(self._pack(b, v)), b) for f, b, v in fields), len(developer))
        if self.layout.get(local) != layout:
            self.layout[local] = layout
            head = 0x40 | local | (0x20 if developer else 0)
            self.data += struct.pack('BBB', head, 0, int(self.big)) + struct.pack(('>' if self.big else '<') + 'HB', number, len(fields))
            self.data += b''.join(struct.pack('BBB', *x) for x in layout[1])
            if developer:
                self.data += struct.pack('BBBB', 1, 0, len(developer), 0)
        self.data += struct.pack('B', local if compressed is None else 0x80 | local << 5 | compressed & 31) + body

    def bytes(self, size=None, crc=None):
        head = struct.pack('<BBHI4s', self.header, 0x20, 2132, len(self.data) if size is None else size, b'.FIT')
        if self.header == 14:
            head += struct.pack('<H', crc16(head))
        head += b'\0' * (self.header - len(head))
        return head + self.data + struct.pack('<H', crc16(head + self.data) if crc is None else crc)


def fit(samples, sport=1, events=(), big=False, header=14, end=True, start=True, **kw):
    """samples: dicts with t (Unix s), hr, cadence, speed (m/s), distance (m); None is written as the type's "no value". events: (t, 'start' or 'stop')."""
    f = Fit(big=big, header=header)
    f.message(0, [(0, 0, 4), (1, 0x84, 255), (2, 0x84, 7), (4, 0x86, int(samples[0]['t']) - EPOCH)])
    marks = [(t, 0 if kind == 'start' else 4) for t, kind in events]
    if start:
        marks.append((samples[0]['t'], 0))
    if end:
        marks.append((samples[-1]['t'], 4))
    marks.sort()
    for s in samples + [None]:
        while marks and (s is None or marks[0][0] < s['t'] or (marks[0][0] == s['t'] and marks[0][1] == 0)):
            t, kind = marks.pop(0)
            f.message(21, [(253, 0x86, int(t) - EPOCH), (0, 0, 0), (1, 0, kind)], local=1)
        if s is None:
            break
        value = lambda key, scale, none: none if s.get(key) is None else round(s[key] * scale)  # noqa: E731
        f.message(20, [(253, 0x86, int(s['t']) - EPOCH), (3, 2, value('hr', 1, 255)), (4, 2, value('cadence', 1, 255)), (6, 0x84, value('speed', 1000, 65535)),
                       (5, 0x86, value('distance', 100, 0xffffffff))]
                  + ([(0, 0x85, round(s['lat'] * 2**31 / 180)), (1, 0x85, round(s['lon'] * 2**31 / 180))] if 'lat' in s else []))
    if end:
        f.message(18, [(253, 0x86, int(samples[-1]['t']) - EPOCH), (5, 0, sport)], local=2)
    return f.bytes(**kw)


def iso(t):
    import datetime
    return datetime.datetime.fromtimestamp(t, datetime.timezone.utc).strftime('%Y-%m-%dT%H:%M:%SZ')


def tcx(samples, sport='Running'):
    out = ['<?xml version="1.0"?>\n<TrainingCenterDatabase xmlns="http://www.garmin.com/xmlschemas/TrainingCenterDatabase/v2"><Activities>',
           f'<Activity Sport="{sport}"><Id>{iso(samples[0]["t"])}</Id><Lap StartTime="{iso(samples[0]["t"])}"><Track>']
    for s in samples:
        out.append(f'<Trackpoint><Time>{iso(s["t"])}</Time>'
                   + (f'<Position><LatitudeDegrees>{s["lat"]}</LatitudeDegrees><LongitudeDegrees>{s["lon"]}</LongitudeDegrees></Position>' if 'lat' in s else '') + (f'<DistanceMeters>{s["distance"]}</DistanceMeters>' if s.get('distance') is not None else '')
                   + (f'<HeartRateBpm><Value>{s["hr"]}</Value></HeartRateBpm>' if s.get('hr') is not None else '')
                   + (f'<Cadence>{s["cadence"]}</Cadence>' if s.get('cadence') is not None else '') + '</Trackpoint>')
    return '\n'.join(out + ['</Track></Lap></Activity></Activities></TrainingCenterDatabase>\n']).encode()


def gpx(samples, prefix='gpxtpx'):
    out = [f'<?xml version="1.0"?>\n<gpx version="1.1" creator="test" xmlns="http://www.topografix.com/GPX/1/1" xmlns:{prefix}="http://www.garmin.com/xmlschemas/TrackPointExtension/v1">'
           '<trk><name>home</name><trkseg>']
    for s in samples:
        hr = f'<extensions><{prefix}:TrackPointExtension><{prefix}:hr>{s["hr"]}</{prefix}:hr></{prefix}:TrackPointExtension></extensions>' if s.get('hr') is not None else ''
        out.append(f'<trkpt lat="52.500001" lon="13.400001"><time>{iso(s["t"])}</time>{hr}</trkpt>')
    return '\n'.join(out + ['</trkseg></trk></gpx>\n']).encode()


def gadgetbridge(path, tables):
    """tables: {name: [(t, device, hr)]}; a table whose name ends in _MS has milliseconds."""
    db = sqlite3.connect(path)
    db.execute('CREATE TABLE DEVICE(_id INTEGER PRIMARY KEY, NAME TEXT)')
    for name, rows in tables.items():
        db.execute(f'CREATE TABLE "{name}"(TIMESTAMP INTEGER NOT NULL, DEVICE_ID INTEGER NOT NULL, STEPS INTEGER, HEART_RATE INTEGER, PRIMARY KEY(TIMESTAMP, DEVICE_ID)) WITHOUT ROWID')
        k = 1000 if name.endswith('_MS') else 1
        db.executemany(f'INSERT INTO "{name}" VALUES(?,?,0,?)', [(t * k, d, hr) for t, d, hr in rows])
    db.commit()
    db.close()


def hci(notifications, attribute=0x2a, discover=True, handle=0x40, split=False, peer=None):
    """Packets of the UART transport: [(t in s, from the controller, bytes)]. notifications: (t, value of the characteristic). split: each packet in two fragments. peer: the address of a
    device of Low Energy, whose connection is told first."""
    out = []

    def att(t, pdu):
        l2cap = struct.pack('<HH', len(pdu), 4) + pdu
        parts = [l2cap[:5], l2cap[5:]] if split else [l2cap]
        for i, part in enumerate(parts):
            out.append((t, True, struct.pack('<BHH', 2, handle | (0x2000 if i == 0 else 0x1000), len(part)) + part))
    start = notifications[0][0] - 1
    if peer:
        out.append((start, True, struct.pack('<BBBBBHBB6sHHHB', 4, 0x3e, 19, 1, 0, handle, 0, 0, peer, 24, 0, 500, 0)))
    if discover:
        out.append((start, False, struct.pack('<BHHHHBHHH', 2, handle, 11, 7, 4, 8, 1, 0xffff, 0x2803)))
        att(start, struct.pack('<BBHBHH', 9, 7, attribute - 1, 0x10, attribute, 0x2a37))
    for t, value in notifications:
        att(t, struct.pack('<BH', 0x1b, attribute) + value)
        att(t, struct.pack('<BH', 0x1b, attribute + 5) + b'\0\x99')
    out.append((notifications[-1][0] + 1, True, struct.pack('<BBBBHB', 4, 5, 4, 0, handle, 0x13)))
    return out


def btsnoop(notifications, kind=1002, **kw):
    """kind: of its packets; 1001 without a transport, 1002 of the UART transport, 2001 of Linux's monitor."""
    return btsnoop_of(hci(notifications, **kw), kind)


def btsnoop_of(packets, kind=1002):
    out = [b'btsnoop\0' + struct.pack('>II', 1, kind)]
    for t, received, data in packets:
        flags = int(received) | (2 if data[0] != 2 else 0)
        if kind != 1002:
            if kind == 2001:
                flags = {4: 3, 2: 5 if received else 4}[data[0]]
            data = data[1:]
        out.append(struct.pack('>IIIIq', len(data), len(data), flags, 0, round(t * 1e6) + 0x00dcddb30f2f8000) + data)
    return b''.join(out)


def pcapng_of(packets, link, big=False):
    """link: 187 of the UART transport, 201 with a direction, 254 of Linux's monitor."""
    e = '>' if big else '<'

    def block(kind, body):
        body += b'\0' * (-len(body) % 4)
        return struct.pack(e + 'II', kind, len(body) + 12) + body + struct.pack(e + 'I', len(body) + 12)
    out = [block(0x0a0d0d0a, struct.pack(e + 'IHHq', 0x1a2b3c4d, 1, 0, -1)), block(1, struct.pack(e + 'HHI', link, 0, 0))]
    for t, received, data in packets:
        if link == 201:
            data = struct.pack('>I', int(received)) + data
        elif link == 254:
            data = struct.pack('>HH', 0, {4: 3, 2: 5 if received else 4}[data[0]]) + data[1:]
        us = round(t * 1e6)
        out.append(block(6, struct.pack(e + 'IIIII', 0, us >> 32, us & 0xffffffff, len(data), len(data)) + data))
    return b''.join(out)


# ---- hearts ----

def heart(seconds, seed, plan=None):
    """A heart second by second: effort in steps, first-order rise (25 s) and fall (60 s), slow drift and small variation. Returns floats."""
    r = random.Random(seed)
    hr, wander, out, target, left = 75.0, 0.0, [], 75.0, 60
    for s in range(seconds):
        if left == 0:
            target, left = (r.choice([95, 115, 135, 150, 165, 175, 120]), r.randrange(90, 420)) if plan is None else plan(r, s)
        left -= 1
        hr += (target - hr) / (25 if target > hr else 60)
        wander = wander * 0.97 + r.gauss(0, 0.35)
        out.append(hr + wander)
    return out


def samples(rates, t0=BASE, cadence=None):
    return [{'t': t0 + i, 'hr': None if v is None else round(v), 'cadence': None if cadence is None else cadence[i], 'speed': 3.0, 'distance': 3.0 * i} for i, v in enumerate(rates)]


def lock(rates, start, length, depth=0.5, tau=3.0):
    """The rates with a lock from start for length seconds: depth times the truth, reached and left with a smoothing of tau seconds."""
    out, y = list(rates), rates[start]
    for i in range(start, len(rates)):
        target = rates[i] * depth if i < start + length else rates[i]
        y = target if tau == 0 else y + (target - y) * (1 - math.exp(-1 / tau))
        out[i] = y
        if i > start + length + 6 * tau + 1:
            break
    return out
