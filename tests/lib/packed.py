# SPDX-License-Identifier: Apache-2.0
"""Shared by the tests of formats that are one packed content: what the walk makes of a file, and of a damaged one."""
import random

import ght
from unpacking import places

RND = random.Random(11)


class Format:
    def __init__(self, name, ending):
        self.name, self.path = name, ght.tmp() / f"t{ending}"

    def drive(self, data, path=None):
        path = path or self.path
        path.write_bytes(data)
        return ght.drive(path)

    def look(self, data, path=None):
        """Children as (name, size, digest), and notes as (code, at)."""
        rows = self.drive(data, path)
        top = ght.rows(rows, "members", blob=1)
        members = ght.rows(rows, "members", blob=top[0]["child"]) if top else []
        got = [(m["name"], ght.blob_of(rows, m["child"]).get("size"), ght.blob_of(rows, m["child"]).get("sha256")) if m["child"]
               else (m["name"], None, None) for m in members]
        return got, [(r["code"], r["at"]) for r in ght.rows(rows, "notes", plugin=self.name)]

    def same(self, data, want, label, notes=()):
        got, noted = self.look(data)
        ght.equal(got, [("content", len(want), ght.sha(want))], f"{label}: content")
        if isinstance(notes, tuple) and notes:  # a code, and the range of the offset: where the library stopped
            ght.check(len(noted) == 1 and noted[0][0] == notes[0] and notes[1] <= noted[0][1] <= notes[2], f"{label}: notes", str(noted))
        else:
            ght.equal(noted, list(notes), f"{label}: notes")

    def claimed(self, data, label, yes, path=None):
        rows = self.drive(data, path)
        runs = [r for r in ght.rows(rows, "blob_runs") if r["plugin"] == self.name] + ght.rows(rows, "members", name="content")
        ght.check(bool(runs) == yes, label, str(rows)[:300])

    def hint(self, data, want, label):
        rows = self.drive(data)
        ght.equal([m["size"] for m in ght.rows(rows, "members", name="content")], [want], label)

    def damage(self, packed, want, label, count=40, checked=True, kept=0):
        """Cut and flipped: what came is the beginning, and something is noted."""
        bad, most = [], 0
        for at in places(len(packed), count):
            got, notes = self.look(packed[:at])
            if not got:
                continue
            size = got[0][1] or 0
            if not notes or notes[0][0] not in ("short", "bad") or got[0][2] not in (ght.sha(want[:size]), None):
                bad.append((at, got, notes))
            most = max(most, size)
        ght.equal(bad, [], f"{label}: cut")
        ght.check(most > kept, f"{label}: what came before is kept", str(most))
        bad = []
        for _ in range(count):
            data = bytearray(packed)
            data[RND.randrange(len(data))] ^= 1 << RND.randrange(8)
            got, notes = self.look(bytes(data))
            if checked and got and not notes and got[0][2] != ght.sha(want):
                bad.append((got, notes))
        ght.equal(bad, [], f"{label}: flipped bits")


def write_seeds(folder, made):
    for name, data in made.items():
        assert len(data) <= 16384, name
        (folder / name).write_bytes(data)


def seeds(folder, name):
    found = sorted(folder.iterdir())
    ght.check(len(found) >= 4, f"{name}: seeds")
    for p in found:
        ght.check(len(ght.drive(p)) > 1 and p.stat().st_size <= 16384, f"seed {p.name}")
