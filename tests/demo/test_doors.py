#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The demonstration phone and its twin through the whole program: every planted door whose rule is shipped is found where it was
planted, and nothing else is; in the twin, which has a look-alike at each of these places, none of those rules fires; with a plug-in
switched off no rule that needs it says that it found nothing, and none says so of what it found before; every file of the file
systems has the bytes and attributes that the builder gave it; from standard input the findings are the same."""
import collections
import csv
import fnmatch
import json
import os
import pathlib
import re
import sqlite3
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/lib"))
import ght  # noqa: E402

BIN = os.environ.get("GH_BIN", str(ght.BUILD / "gifthorse"))
DEMO = pathlib.Path(os.environ.get("GH_DEMO", ROOT / "build/demo"))
D = ght.tmp()


def scan(inputs, *options, stdin=None):
    out = D / "r.json"
    p = subprocess.run([BIN, "scan", *map(str, inputs), "-f", f"json={out}", "--progress", "none", *options], stdin=stdin, capture_output=True)
    if p.returncode not in (0, 1, 3):
        raise RuntimeError(f"scan {inputs} {options}: {p.returncode}: {p.stderr.decode(errors='replace')[-500:]}")
    return json.loads(out.read_text())


def shown(f):
    return (f["rule"], f["place"], f.get("offset"), f["evidence"])


LAID_OUT = 0x80000 | 0x1000 | 0x10000000  # inode flags of how mke2fs laid a file out: extents, hash tree, inline
# True of the real packages that both phones carry, and no door: they were built debuggable. Without special rights that is low.
REAL = {("GH-P36", "low", f"product:/app/{a}.apk") for a in ("ApiDemos/ApiDemos", "AutomationTest/AutomationTest")}
REAL_TWIN = REAL | {("GH-P36", "low", f"product:/app/{a}.apk") for a in ("QuickSettings/QuickSettings", "TestAgent/TestAgent")}
# What follows from a door elsewhere: the first-stage copy of the file system table, and the real packages where they have rights.
FOLLOWS = {("GH-B12", "high", "ramdisk:vendor_boot:/first_stage_ramdisk/fstab.lantern"),
           ("GH-P36", "high", "product:/priv-app/QuickSettings/QuickSettings.apk"),
           ("GH-P36", "high", "system:/system/priv-app/TestAgent/TestAgent.apk")}


# What this image alone cannot answer: it is no update, has no known firmware, and nobody asked a running phone.
UNASKED = {"GH-B30": "no payload of an update in this input", "GH-B31": "no firmware of a chip in this input", "GH-B32": "getprop: not in this input"}
REFERENCE = D / "twin.ref"


def judged(variant, *options):
    """A scan by the twin as the build that is trusted."""
    if not REFERENCE.exists():
        ght.run(BIN, "reference", "make", DEMO / "twin.zip", "-o", REFERENCE)
    return scan([DEMO / f"{variant}.zip"], "--reference", str(REFERENCE), *options)


def doors():
    """Each door whose rule is shipped, with `where`, the place its finding must have."""
    shipped = {p.stem for p in (ROOT / "src/rules/library").glob("*.sql")}
    with open(DEMO / "expected.tsv", newline="") as f:
        rows = [r for r in csv.DictReader((x for x in f if not x.startswith("#")), delimiter="\t", quoting=csv.QUOTE_NONE)]
    for r in rows:
        r["where"] = f"{r['image']}.img" if r["path"] == "-" else f"{r['image']}:/{r['path']}"
    return [r for r in rows if r["rule"] in shipped]


def listed():
    """The list in the repository is what the doors say."""
    printed = subprocess.run([sys.executable, ROOT / "tests/demo/doors.py"], capture_output=True, check=True).stdout
    ght.equal((ROOT / "tests/demo/expected.tsv").read_bytes() == printed, True, "expected.tsv is what doors.py prints")
    ght.equal((DEMO / "expected.tsv").read_bytes() == printed, True, "and the phone was made with it")


def needs():
    """Plug-in -> rules that name it in their needs (a package is the work of four plug-ins)."""
    out = {}
    for p in (ROOT / "src/rules/library").glob("*.sql"):
        text = re.search(r"^--@ needs: (.*)$", p.read_text(), re.M).group(1)
        for plugin in re.findall(r"plugin (\w+)", text):
            for name in ("zip", "axml", "apk", "cert") if plugin == "apk" else (plugin,):
                out.setdefault(name, set()).add(p.stem)
    return out


def planted(phone):
    """Each door by its place, as many findings as doors; and no finding that is neither a door's nor follows from one."""
    wanted = collections.defaultdict(list)
    for d in doors():
        wanted[d["rule"], d["where"]].append(d["door"])
    ght.check(len(doors()) > 36, f"{len(doors())} doors have a shipped rule")
    left = {(f["rule"], f["severity"], f["place"]) for f in phone["findings"]}
    for (rule, where), names in wanted.items():
        hits = [f for f in phone["findings"] if f["rule"] == rule and fnmatch.fnmatchcase(f["place"], where)]
        ght.equal(len(hits), len(names), f"{rule} at {where}: {', '.join(names)}")
        left -= {(f["rule"], f["severity"], f["place"]) for f in hits}
    ght.equal(sorted(left), sorted(REAL | FOLLOWS), "nothing else is found")


def twin(result):
    fired = {(f["rule"], f["severity"], f["place"]) for f in result["findings"]}
    ght.equal(sorted(fired), sorted(REAL_TWIN), "no rule fires on the twin, but for what is true of its real packages")
    states = {r["id"]: r for r in result["rules"]}
    ght.equal([f"{i}: {r['why']}" for i, r in states.items() if r["state"] == "not_evaluated"], [f"{i}: {w}" for i, w in UNASKED.items()],
              "every check that an image can answer could be made on the twin")
    ght.equal(sorted(i for i, r in states.items() if r["state"] != "not_found"), sorted({"GH-P36", *UNASKED}), "and all others found nothing")


def plugins():
    words = [line.split("#")[0].split() for line in (ROOT / "src/plugins.txt").read_text().splitlines()]
    return sorted(w[1] for w in words if w and w[0] in ("format", "inspector"))


def switched_off(phone):
    """On the twin nothing is found, so a rule's needs alone decide; on the phone a need that a rule forgot to declare shows."""
    before = {r["id"] for r in phone["rules"] if r["state"] == "found"}
    named = needs()
    ght.equal(sorted(set(named) - set(plugins())), [], "every plug-in that a rule needs is there")
    for plugin in plugins():
        states = {r["id"]: r["state"] for r in judged("twin", "--without", plugin)["rules"]}
        ght.equal(sorted(r for r in named.get(plugin, ()) if states.get(r) == "not_found"), [],
                  f"without {plugin} no rule that needs it says it found nothing")
        states = {r["id"]: r["state"] for r in judged("phone", "--without", plugin)["rules"]}
        ght.equal(sorted(r for r in before | named.get(plugin, set()) if states.get(r) == "not_found"), [],
                  f"without {plugin} no rule says it found nothing where it had found something")


def built(variant):
    """Every file of every file system: its bytes and attributes, as the builder meant them."""
    db = D / f"{variant}.db"
    scan([DEMO / f"{variant}.zip"], "--db", str(db))
    kinds = {"file": "file", "dir": "dir", "link": "link"}
    query = """SELECT image, path, ftype, mode, uid, gid, caps, iflags, selinux, sha256, link_target FROM files WHERE image IN ({})"""
    with open(DEMO / f"{variant}.tree.tsv", newline="") as f:
        rows = list(csv.DictReader(f, delimiter="\t", quoting=csv.QUOTE_NONE))
    images = sorted({r["image"] for r in rows})
    sql = sqlite3.connect(db)
    got = {}
    for image, path, *cells in sql.execute(query.format(",".join("?" * len(images))), images):
        got[image, path] = cells
    wrong = []
    for r in rows:
        mine = got.pop((r["image"], r["path"]), None)
        want = [kinds[r["kind"]], int(r["mode"], 8), int(r["uid"]), int(r["gid"]), int(r["caps"]), int(r["flags"]), r["label"],
                r["sha256"] if r["kind"] == "file" else None, r["target"] if r["target"] != "-" else None]
        if mine is None:
            wrong.append((r["image"], r["path"], "missing"))
            continue
        mine[1] &= 0o7777
        mine[4] = mine[4] or 0
        mine[5] = (mine[5] or 0) & ~LAID_OUT
        mine[7], mine[8] = mine[7] or None, mine[8] or None
        wrong += [(r["image"], r["path"], m, w) for m, w in zip(mine, want) if m != w]
    ght.equal(wrong[:6], [], f"{variant}: {len(rows)} files in {len(images)} images as they were built ({len(wrong)} differences)")
    ght.equal(sorted(k for k in got if k[1] not in ("/lost+found", "")), [], f"{variant}: and no others")


def closed():
    """A phone of which one partition is nothing that we read: no rule is silent over it."""
    d = D / "part"
    d.mkdir()
    (d / "system.img").write_bytes((DEMO / "twin/system_a.img").read_bytes() if (DEMO / "twin/system_a.img").is_file() else b"")
    (d / "vendor.img").write_bytes(bytes(1024) + b"\x10\x20\xf5\xf2" + os.urandom(200000))
    states = {r["id"]: r["state"] for r in scan([d])["rules"]}
    ght.check("not_found" not in states.values(), "an unread vendor image: no rule says it found nothing")


def inside():
    with open(DEMO / "phone.zip", "rb") as f:
        piped = scan(["-"], stdin=f)
    whole = scan([DEMO / "phone.zip"])
    ght.equal([shown(f) for f in piped["findings"]], [shown(f) for f in whole["findings"]], "from standard input: the same findings")
    listing = subprocess.run([BIN, "ls", DEMO / "phone.zip"], capture_output=True).stdout.decode()
    for want in ("system:/system/bin/sync_agent", "vendor:/etc/fstab.lantern", "product:/etc/build.prop", "ramdisk:vendor_boot:"):
        ght.check(want in listing, f"ls names {want}")
    ght.check(re.search(r"^-4755 .* system:/system/bin/sync_agent$", listing, re.M), "ls tells the set-user-id bit")
    hosts = subprocess.run([BIN, "cat", DEMO / "phone.zip", "system:/system/etc/hosts"], capture_output=True).stdout
    ght.check(b"203.0.113.9" in hosts, "cat writes a file's bytes")
    wrong = subprocess.run([BIN, "cat", DEMO / "phone.zip", "system:/nothing"], capture_output=True)
    ght.check(wrong.returncode == 2 and b"gifthorse ls INPUT tells what is" in wrong.stderr, "a wrong path ends with the next step")
    typo = subprocess.run([BIN, "scan", D / "no-such-file"], capture_output=True)
    ght.check(typo.returncode == 2 and b"No such file" in typo.stderr, "a wrong input is told")


if not (DEMO / "phone.zip").is_file():
    ght.skip("the demonstration phone", "tests/demo/make_demo.sh has not made it (GH_DEMO)")
    ght.done()
listed()
phone_json = judged("phone")
planted(phone_json)
twin(judged("twin"))
built("phone")
built("twin")
inside()
closed()
switched_off(phone_json)
ght.done()
