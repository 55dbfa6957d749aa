# SPDX-License-Identifier: Apache-2.0
"""Shared by the tests of codecs: inputs, and what must hold of every codec (whole buffers, sinks, cuts, damage)."""
import json
import os
import random
import subprocess

import ght

D = ght.tmp()
RND = random.Random(7)


def words(n, seed=3):
    """Packs well, over long distances too."""
    rnd = random.Random(seed)
    known = [rnd.randbytes(rnd.randint(2, 12)) for _ in range(400)]
    out = bytearray()
    while len(out) < n:
        out += rnd.choice(known)
    return bytes(out[:n])


INPUTS = {"empty": b"", "one": b"x", "short": b"The quick brown fox", "small": words(1000), "noise": random.Random(5).randbytes(70000),
          "zeros": bytes(500000), "mixed": words(300000) + random.Random(6).randbytes(100000) + bytes(100000), "large": words(3 << 20)}


def unpack(kind, way, cap, data, *args, memory=0, budget=None):
    """What came, how it went, and the notes."""
    path = D / "packed"
    path.write_bytes(data)
    env = dict(os.environ, GH_MEMORY=str(memory))
    if budget is not None:
        env["GH_BUDGET"] = str(budget)
    p = subprocess.run([str(ght.BUILD / "gh_codec"), kind, way, str(cap), str(path)] + [str(a) for a in args], capture_output=True, env=env)
    if p.returncode:
        raise RuntimeError(f"gh_codec {kind} {way}: exit {p.returncode}: {p.stderr.decode(errors='replace')[-2000:]}")
    lines = [json.loads(x) for x in p.stderr.decode().splitlines()]
    return p.stdout, lines[-1], lines[:-1]


def same(kind, way, cap, data, want, label, code="ok", *args):
    got, end, notes = unpack(kind, way, cap, data, *args)
    ght.check(got == want and end["code"] == code and not notes, label, f"{len(got)} of {len(want)} bytes, {end}, {notes}")
    return end


def good(kind, packed, want, label, pours=True, args=()):
    """A whole stream: every way to unpack it, into room that is enough, exact and too little."""
    n = len(want)
    same(kind, "whole", n, packed, want, f"{label}: whole", "ok", *args)
    same(kind, "whole", n + 100, packed, want, f"{label}: whole, more room", "ok", *args)
    if n:
        same(kind, "whole", n - 1, packed, want[:-1], f"{label}: whole, a byte too little", "limit", *args)
        same(kind, "whole", n // 2, packed, want[:n // 2], f"{label}: whole, half the room", "limit", *args)
    if not pours:
        return
    end = same(kind, "pour", 1 << 40, packed, want, f"{label}: poured")
    ght.equal((end["in"], end["out"], end["ended"]), (len(packed), n, 1), f"{label}: counts")
    end = same(kind, "fill", n, packed, want, f"{label}: into a buffer")
    ght.equal((end["in"], end["full"]), (len(packed), 0), f"{label}: into a buffer, counts")
    if n:
        end = same(kind, "fill", n - 1, packed, want[:-1], f"{label}: into a buffer a byte too small", "limit")
        ght.equal(end["full"], 1, f"{label}: tells a full buffer")
        end = same(kind, "pour", n - 1, packed, want[:-1], f"{label}: all but a byte")
        ght.equal(end["ended"], 0, f"{label}: tells that there is more")
        got, end, _ = unpack(kind, "pour", 1 << 40, packed, budget=n - 1)
        ght.check(want.startswith(got) and end["code"] == "limit", f"{label}: a budget a byte too small", str(end))


def places(n, count=40):
    return sorted({0, 1, 2, 3, n - 1, n - 2, n - 4, n - 5} & set(range(n)) | {RND.randrange(n) for _ in range(count)})


def cuts(kind, packed, want, label, pours=True, args=(), count=40):
    """A stream cut anywhere is never whole, and what comes is its beginning."""
    bad = []
    for at in places(len(packed), count):
        for way in ("whole", "pour", "fill") if pours else ("whole",):
            got, end, _ = unpack(kind, way, len(want) + 10, packed[:at], *args)
            if end["code"] not in ("short", "bad") or not want.startswith(got):
                bad.append((at, way, len(got), end))
    ght.equal(bad, [], f"{label}: cut at {len(places(len(packed), count))} places")


def flips(kind, packed, want, label, pours=True, args=(), count=60, checked=True):
    """Damage is found where the stream has a checksum, and never gives more than there is room for."""
    bad = []
    for _ in range(count):
        data = bytearray(packed)
        data[RND.randrange(len(data))] ^= 1 << RND.randrange(8)
        for way in ("whole", "pour", "fill") if pours else ("whole",):
            got, end, _ = unpack(kind, way, len(want) + 10, bytes(data), *args)
            if len(got) > len(want) + 10 or (checked and end["code"] == "ok" and got != want[:len(got)]):
                bad.append((way, len(got), end))
    ght.equal(bad, [], f"{label}: {count} flipped bits")


def tool(*argv, data=b""):
    """What a filter gives."""
    p = subprocess.run([str(a) for a in argv], input=data, capture_output=True)
    if p.returncode:
        raise RuntimeError(f"{argv}: {p.returncode}: {p.stderr.decode(errors='replace')[-500:]}")
    return p.stdout
