#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A plug-in that crashes, hangs, runs out of memory or tries what the jail forbids: the scan ends, tells it, and every other row of
the database is that of the undisturbed scan. What has to be missing is worked out from the undisturbed database."""
import concurrent.futures
import fnmatch
import json
import os
import re

from facts import CHILD, FAULTS, SEQ, Facts, SLOW, differ, ght, phone, plugins, scan

if not FAULTS:
    ght.skip("faults", "this build has no faults (meson option `faults`)")
    ght.done()
work = ght.tmp()
WORD = {"crash": "crash", "abort": "crash", "deep": "crash", "hang": "hang", "memory": "nomem", "open": "jail", "exec": "jail",
        "socket": "jail", "fork": "jail", "signal": "jail"}


SET = 16  # flag of a member that is what several files are together


def sets_with(affected):
    """The sets of files that have one of these contents as a part."""
    child = {(r[0], r[1]): r[4] for t in ("c_members", "c_entries") for r in ROWS[t]}
    holder = {r[4]: r[0] for r in ROWS["c_members"] if r[8] is not None and r[8] & SET}
    return {r[0] for r in ROWS["c_set_parts"] if child.get((holder.get(r[0]), r[6])) in affected}


def below(rows, tops):
    """These contents and all that they hold."""
    kids, seen, todo = {}, set(), list(tops)
    for t in ("c_members", "c_entries"):
        for r in rows[t]:
            kids.setdefault(r[0], []).append(r[4])
    while todo:
        b = todo.pop()
        if b is not None and b not in seen:
            seen.add(b)
            todo += kids.get(b, ())
    return seen


def apart(rows, expected, sets):
    """Without what lies in sets that lost a part, unless it lies elsewhere too: test_sets.py is about them."""
    elsewhere = {r[0] for r in expected["blobs"]} - sets
    gone = below(rows, sets) - elsewhere
    return {t: {r for r in x if r[0] not in gone} for t, x in rows.items()}


def sizeless(rows, sets):
    """A set is as large as those of its parts that are there."""
    return dict(rows, c_members={r[:7] + (None,) + r[8:] if r[4] in sets else r for r in rows["c_members"]})


def without(drop_row, cut_child, ends=frozenset()):
    """The undisturbed rows of what is still reached when rows are dropped, contents of children are not known, and nothing is asked of
    these ends and what lies only in them."""
    seen, todo = set(), [want.names[want.root]]
    kids = {}
    for t in ("c_members", "c_entries"):
        for r in ROWS[t]:
            kids.setdefault(r[0], []).append((t, r))
    columns = {t: [x[1].decode() for x in want.sql.execute(f"PRAGMA table_info({t})")] for t in want.tables}
    child_at = {t: columns[t].index("child") for t in ("c_members", "c_entries")}
    while todo:
        b = todo.pop()
        if b in seen:
            continue
        seen.add(b)
        for t, r in kids.get(b, ()) if b not in ends else ():
            child = r[child_at[t]]
            if child is not None and not drop_row(t, r) and not cut_child(t, r):
                todo.append(child)
    out = {}
    for t, rows in ROWS.items():
        keep = {r for r in rows if r[0] in seen and r[0] not in ends and not drop_row(t, r)}
        if t in child_at:
            i = child_at[t]
            keep = {r[:i] + (None,) + r[i + 1:] if cut_child(t, r) else r for r in keep}
        out[t] = keep
    return out


def number(plugin):  # formats come before inspectors
    order = [n for k, n in plugins() if k == "format"] + [n for k, n in plugins() if k == "inspector"]
    return order.index(plugin)


def of_plugin(plugin, affected):
    """Is a row one that this plug-in wrote about an affected content?"""
    bit = number(plugin)
    lists = ("format", plugin) in plugins()

    def drop(t, r):
        if t in ("blobs", "c_bids", "c_hits", "c_digests") or r[0] not in affected:
            return False
        if t == "blob_runs":
            return r[1] == plugin.encode()
        if t == "c_members" and lists and r[8] is not None and r[8] & SET:
            return True  # sets of files are known by the names in the listing
        n = r[1]
        return (n >> SEQ) == bit if n < 1 << CHILD else ((n - (1 << CHILD)) >> 12 >> SEQ) == bit
    return drop


def names_of(table, r):
    return os.path.basename((r[3] or b"").decode(errors="replace"))


def met_as(ident, glob):
    """Is this content met under a name that the glob takes (in the order of jobs it may be any of them)?"""
    return any(fnmatch.fnmatchcase(n, glob) for n in NAMES.get(ident, ()))


def use(small):
    """Makes the phone and its undisturbed database what the cases are about."""
    global device, want, ROWS, NAMES
    room = work / ("small" if small else "large")
    room.mkdir()
    device = phone(room, small)
    base = room / "base.db"
    scan(device, base, "--jobs", 2)
    want = Facts(base)
    ROWS = want.rows()
    NAMES = {}
    for t in ("c_members", "c_entries"):
        for r in ROWS[t]:
            if r[4] is not None:
                NAMES.setdefault(r[4], set()).add(names_of(t, r))


def strip(rows, plugin, affected, kind):
    """Without what the fault itself is told by."""
    rows = dict(rows)
    rows["blob_runs"] = {r for r in rows["blob_runs"] if not (r[0] in affected and r[1] == plugin.encode())}
    rows.pop("c_digests")  # measured where a list lies beside the content, not wherever it lies
    rows["c_notes"] = {r for r in rows["c_notes"] if not (r[3] == b"engine" and r[4] == WORD[kind].encode())
                       and not (r[0] in affected and r[4] == b"nomem")}
    return rows


def run(fault, **kw):
    db = work / (re.sub(r"[^a-z0-9]", "_", fault) + ".db")
    patience = ["--hang-seconds", 2 * SLOW] if ":hang" in fault else []
    code = scan(device, db, "--jobs", 2, *patience, fault=fault, **kw)
    return code, db


def judge(fault, plugin, kind, expected, affected, code, db):
    if not ght.check(code in (0, 1, 3), f"{fault}: the scan ends", code):
        return
    got = Facts(db)
    told_by = got.runs(plugin)
    ght.check(told_by.get(WORD[kind], 0) > 0, f"{fault}: the runs tell it", told_by)
    text = json.dumps(json.load(open(f"{db}.json"))["coverage"]["not_examined"])
    ght.check(WORD[kind] + " at" in text and plugin in text, f"{fault}: the report tells it")
    sets = sets_with(affected)
    expected, rows = sizeless(expected, sets), sizeless(apart(got.rows(), expected, sets), sets)
    if kind == "memory":  # what it wrote before it ran out stays
        part = of_plugin(plugin, affected)
        rows = {t: {r for r in x if not part(t, r)} for t, x in rows.items()}
    ght.equal(differ(strip(expected, plugin, affected, kind), strip(rows, plugin, affected, kind)), "",
              f"{fault}: every other row is the same")
    got.sql.close()
    os.unlink(db)


def open_case(plugin, kind, glob=None):
    """The fault is where a format opens or an inspector begins: nothing of it is known."""
    fault = f"{plugin}:{kind}" + (f":{glob}" if glob else "")
    affected = {r[0] for r in ROWS["blob_runs"] if r[1] == plugin.encode() and (not glob or met_as(r[0], glob))}
    return fault, plugin, kind, without(of_plugin(plugin, affected), lambda t, r: False, sets_with(affected)), affected


def read_case(plugin, kind, glob, step):
    """The fault is where one child is read: the listing is whole, that child's content is not known."""
    bit = number(plugin)

    def cut(t, r):
        return (t in ("c_members", "c_entries") and r[1] >> SEQ == bit and r[1] < 1 << CHILD and r[4] is not None
                and fnmatch.fnmatchcase((r[3] or b"").decode(errors="replace"), glob))
    affected = {r[0] for t in ("c_members", "c_entries") for r in ROWS[t] if cut(t, r)}
    return f"{plugin}:{kind}:{glob}:{step}", plugin, kind, without(lambda t, r: False, cut, sets_with(affected)), affected


def next_case(plugin, kind, glob):
    """The fault is behind one entry of a listing: what was listed before is kept."""
    bit = number(plugin)
    first = {}
    for t in ("c_members", "c_entries"):
        for r in ROWS[t]:
            if r[1] >> SEQ == bit and fnmatch.fnmatchcase((r[3] or b"").decode(errors="replace"), glob):
                first[r[0]] = min(first.get(r[0], r[1]), r[1])

    def drop(t, r):
        if r[0] not in first:
            return False
        if t in ("c_members", "c_entries"):
            return r[1] >= first[r[0]]
        if t in ("blobs", "blob_runs", "c_bids", "c_hits"):
            return False
        return r[1] >= 1 << CHILD and ((r[1] - (1 << CHILD)) >> 12) >= first[r[0]]  # notes about those children
    return f"{plugin}:{kind}:{glob}:next", plugin, kind, without(drop, lambda t, r: False), set(first)


def hang_cases():
    """Each plug-in hangs on one content: one that is met under a single name, and with as few others of that name as there are."""
    for _, name in plugins():
        mine = [r[0] for r in ROWS["blob_runs"] if r[1] == name.encode()]
        names = sorted({n for b in mine if len(NAMES.get(b, ())) == 1 for n in NAMES[b]})
        if names:
            yield open_case(name, "hang", min(names, key=lambda n: sum(met_as(b, n) for b in mine)))


def all_of(cases, at_once=2):
    with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
        for case, (code, db) in zip(cases, pool.map(lambda c: run(c[0]), cases)):
            judge(*case, code, db)


use(small=True)
cases = []
for _, name in plugins():
    if not want.runs(name):
        ght.skip(name, "nothing in the input is for it")
        continue
    cases += [open_case(name, kind) for kind in ("crash", "memory")]
for fault_kind in ("abort", "deep", "open", "exec", "socket", "fork", "signal"):
    cases.append(open_case("ext4", fault_kind, "system.img"))
cases += [open_case("zip", "hang", "update.zip"), read_case("erofs", "crash", "*.prop", "read"),
          read_case("zip", "crash", "*/file01?.txt", "pour"), next_case("erofs", "abort", "/etc/file030.txt"),
          next_case("zip", "crash", "etc/file100.txt")]
all_of(cases)
cases = list(hang_cases())
ght.equal(sorted(c[1] for c in cases), sorted(n for _, n in plugins()), "every plug-in hangs once")
all_of(cases, at_once=4)  # they mostly wait

# More deaths than one job may have: the plug-in is left out of what comes behind, and what others write is there.
for fault in ("zip:crash:*.txt:pour", "elf:crash"):
    name = fault.split(":")[0]
    code, db = run(fault)
    got = Facts(db)
    rows = got.rows()
    ght.check(code in (0, 1, 3) and got.crashes < 100 and got.runs(name).get("crash", 0) > 0, f"{fault}: it ends soon", (code, got.crashes))
    extra = {t: len(rows[t] - ROWS[t]) for t in rows if t not in ("blob_runs", "c_notes", "c_members")}
    ght.equal({t: n for t, n in extra.items() if n}, {}, f"{fault}: nothing that is not true")
    ght.equal(len(rows["c_entries"]), len(ROWS["c_entries"]), f"{fault}: every file of the images is there")

# A large image, whose files are jobs of their own, and one that goes through a spill file.
use(small=False)
all_of([open_case("ext4", "crash", "system.img"), open_case("ext4", "hang", "system.img"), read_case("ext4", "crash", "*.txt", "read"),
        read_case("ext4", "socket", "*/file01?.txt", "read"), read_case("ext4", "hang", "*/file010.txt", "read"),
        next_case("ext4", "crash", "/etc/file100.txt"), next_case("ext4", "hang", "/etc/file070.txt")])
code, db = run("gzip:crash:*:pour")
got = Facts(db)
ght.check(code in (0, 1, 3) and got.runs("gzip").get("crash", 0) > 0, "gzip:crash:*:pour: it ends and is told", (code, got.runs("gzip")))
packed = {r[0] for r in ROWS["blob_runs"] if r[1] == b"gzip"}
lost = read_case("gzip", "crash", "*", "pour")
ends = sets_with(packed)
mine, theirs = (strip(sizeless(apart(x, lost[3], ends), ends), "gzip", packed, "crash") for x in (lost[3], got.rows()))
missing = {t: mine[t] - theirs[t] for t in mine if t not in ("c_members", "c_notes")}
ght.equal({t: len(x) for t, x in missing.items() if x}, {}, "gzip:crash:*:pour: nothing else is missing")
ght.done()
