#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The demonstration phone against its twin, which was built without the planted doors: they differ by exactly what was planted, as the
builder's own lists of files say. Against itself unpacked it is equal. Shared content is looked at once."""
import csv
import fnmatch
import hashlib
import json
import os
import pathlib
import re
import sqlite3
import subprocess
import sys
import time
import zipfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/lib"))
import ght  # noqa: E402

BIN = os.environ.get("GH_BIN", str(ght.BUILD / "gifthorse"))
DEMO = pathlib.Path(os.environ.get("GH_DEMO", ROOT / "build/demo"))
D = ght.tmp()
MEANS = 0x30  # inode flags that forbid changes; the others are how a file was laid out


def gh(*argv):
    p = subprocess.run([BIN, *map(str, argv), "--progress", "none"], capture_output=True)
    if p.returncode not in (0, 1, 3):
        raise RuntimeError(f"{argv}: {p.returncode}: {p.stderr.decode(errors='replace')[-500:]}")
    return p.returncode


def compare(a, b, *options):
    out = D / "c.json"
    code = gh("compare", a, b, "-f", f"json={out}", *options)
    return code, json.loads(out.read_text())


def built(variant):
    """(place: what the builder gave it) of every file in the five file systems."""
    with open(DEMO / f"{variant}.tree.tsv", newline="") as f:
        return {f"{r['image']}:{r['path']}": (r["kind"], r["mode"], r["uid"], r["gid"], r["caps"], int(r["flags"]) & MEANS, r["label"], r["sha256"], r["target"])
                for r in csv.DictReader(f, delimiter="\t", quoting=csv.QUOTE_NONE)}


def partitions(variant):
    """The images beside the file systems, by their bytes."""
    names = ("boot", "init_boot", "vendor_boot", "recovery", "dtbo", "modem", "vbmeta", "vbmeta_system", "ftmboot")
    return {n: hashlib.sha256(p.read_bytes()).hexdigest() for n in names if (p := DEMO / variant / f"{n}.img").is_file()}


def module(variant):
    """The files of the module's image, as debugfs lists them."""
    ght.run("debugfs", "-R", f"dump /system/apex/com.android.conscrypt.apex {D}/{variant}.apex", DEMO / variant / "system.img")
    with zipfile.ZipFile(D / f"{variant}.apex") as z:
        z.extract("apex_payload.img", D / variant)
    listing = ght.run("debugfs", "-R", "ls -p /cacerts", D / variant / "apex_payload.img").decode()
    return {f"apex:com.android.conscrypt:/cacerts/{line.split('/')[5]}" for line in listing.splitlines() if line.count("/") > 5 and line.split("/")[5] not in (".", "..")}


def wanted():
    """What differs by the builder's word: {place: kind}."""
    out = {}
    for a, b in ((built("phone"), built("twin")), (partitions("phone"), partitions("twin")), ({x: 1 for x in module("phone")}, {x: 1 for x in module("twin")})):
        out.update({k: "only_a" if k not in b else "only_b" if k not in a else "changed" for k in set(a) | set(b) if a.get(k) != b.get(k)})
    # images.py puts the vendor's file system table into both ramdisks
    out.update({p: "changed" for p in ("ramdisk:vendor_boot:/first_stage_ramdisk/fstab.lantern", "ramdisk:recovery:/system/etc/recovery.fstab")})
    return out


def twin():
    db = D / "both.db"
    start = time.time()
    code, r = compare(DEMO / "phone.zip", DEMO / "twin.zip", "--db", db)
    seconds = time.time() - start
    want, got = wanted(), {d["place"]: d["kind"] for d in r["differences"]}
    ght.equal(code, 1, "the phone and its twin differ")
    ght.equal(sorted(set(want.items()) - set(got.items()))[:5], [], f"all {len(want)} places that the builder made different are told, each as what it is")
    ght.equal(sorted(set(got.items()) - set(want.items()))[:5], [], "and no other")
    ght.equal([n for n in r["not_compared"] if n["why"].startswith("content") or "not there" in n["why"]], [], "nothing of the phone was left uncompared")
    ght.equal((r["counts"]["of_unit"], r["gate"]["state"]), (0, "contradicts"), "the phone's vendor image names another maker's build: the gate does not call it the same")
    with open(DEMO / "expected.tsv", newline="") as f:
        doors = list(csv.DictReader((x for x in f if not x.startswith("#")), delimiter="\t", quoting=csv.QUOTE_NONE))
    places = [d["image"] if d["path"] == "-" else f"{d['image']}:/{d['path']}" for d in doors]
    missed = [p for p in places if not any(fnmatch.fnmatchcase(g, p) for g in got)]
    ght.equal(missed, [], f"every one of {len(doors)} planted doors lies at a place that is told")
    code, m = compare(DEMO / "twin.zip", DEMO / "phone.zip")
    swap = {"only_a": "only_b", "only_b": "only_a", "changed": "changed"}
    ght.equal(({d["place"]: swap[d["kind"]] for d in m["differences"]}, m["counts"]["equal"]), (got, r["counts"]["equal"]), "the other way round it is the same")
    ght.check(all(compare(DEMO / "phone.zip", DEMO / "twin.zip", *o)[1] == r for o in (["--jobs", "1"], ["--jobs", "4", "--shuffle", "77"])), "for any number of workers and any order")
    return db, seconds


def cost(db, seconds):
    """Contents of both are looked at once."""
    sizes, hashes, times = {}, {}, {}
    for v in ("phone", "twin"):
        start = time.time()
        gh("scan", DEMO / f"{v}.zip", "--db", D / f"{v}.db", "-f", f"json={D}/s.json")
        times[v] = time.time() - start
        hashes[v] = {h for h, in sqlite3.connect(D / f"{v}.db").execute("SELECT sha256 FROM blobs WHERE sha256 NOT NULL")}
    sql = sqlite3.connect(db)
    n, = sql.execute("SELECT count(*) FROM blobs WHERE sha256 NOT NULL").fetchone()
    union = len(hashes["phone"] | hashes["twin"])
    sizes = {s: k for s, k in sql.execute("SELECT scan_id, count(*) FROM blobs WHERE sha256 NOT NULL GROUP BY 1")}
    print(f"     contents: {len(hashes['phone'])} and {len(hashes['twin'])} alone, {n} in the comparison ({sizes}); "
          f"{times['phone']:.1f} s and {times['twin']:.1f} s alone, {seconds:.1f} s compared")
    ght.equal(n, union, "each content has one row, whichever side it lies on")
    ght.equal(sizes.get(2), len(hashes["twin"] - hashes["phone"]), "the second side adds only what the first did not have")


def unpacked():
    code, r = compare(DEMO / "phone.zip", DEMO / "phone.zip")
    ght.equal((code, r["differences"], r["counts"]["equal"]), (0, [], r["counts"]["both"]), "a phone and itself are equal")
    folder = D / "unpacked"
    ght.run("sh", ROOT / "tests/demo/unpack_demo.sh", DEMO, "phone", folder)
    code, r = compare(DEMO / "phone.zip", folder)
    # debugfs writes zeros behind files that are kept inside of their inode: what it wrote is not what the builder gave.
    wrong = set()
    for place, (kind, *_, sha, _target) in built("phone").items():
        image, path = place.split(":", 1)
        if kind == "file" and hashlib.sha256((folder / image / path[1:]).read_bytes()).hexdigest() != sha:
            wrong.add(place)
    ght.equal({d["place"] for d in r["differences"]}, wrong, f"image and unpacked folder are equal but for the {len(wrong)} files that the unpacker changed")
    for place in wrong:
        image, path = place.split(":", 1)
        good = subprocess.run([BIN, "cat", DEMO / "phone.zip", place], capture_output=True, check=True).stdout
        (folder / image / path[1:]).write_bytes(good)
    code, r = compare(DEMO / "phone.zip", folder)
    ght.equal((code, r["differences"]), (0, []), "with these put right they are equal")
    out = {n["partition"] for n in r["not_compared"] if n["why"].startswith("mode, owner")}
    ght.check({"system", "vendor", "odm", "product", "system_ext"} <= out, "and modes, owners and labels are told as not compared", r["not_compared"])


def neighbours():
    """Other builds made from the twin: a later one, one for another region, one whose product partition alone is of another region."""
    folder = D / "other"
    ght.run("sh", ROOT / "tests/demo/unpack_demo.sh", DEMO, "twin", folder)
    files = [folder / f for f in ("system/system/build.prop", "vendor/build.prop", "product/etc/build.prop", "odm/etc/build.prop", "system_ext/etc/build.prop")]
    before = {f: f.read_bytes() for f in files}
    later = ((b"11224433", b"11224501"), (b"2026-05-05", b"2026-06-05"), (b"1779926400", b"1782518400"))
    region = ((b"/lantern/lantern:", b"/lantern_eea/lantern:"), (b".name=lantern", b".name=lantern_eea"))
    for name, changes, only, states in (("the next build", later, files, ("different",)), ("the build of another region", region, files, ("different",)),
                                        ("a product partition of another region", region, files[2:3], ("different", "contradicts"))):
        for f in files:
            data = before[f]
            for old, new in changes if f in only else ():
                data = data.replace(old, new)
            f.write_bytes(data)
        code, r = compare(DEMO / "twin.zip", folder)
        shown = subprocess.run([BIN, "compare", DEMO / "twin.zip", folder, "--progress", "none"], capture_output=True, text=True).stdout
        ght.check(code == 1 and r["gate"]["state"] in states, f"{name}: not the same build", (code, r["gate"]["sentence"]))
        ght.check("cannot judge" in shown or "Cannot tell" in shown, f"{name}: it cannot judge the unit", shown)
        ght.check(not re.search(r"malware|backdoor|implant|tamper|infect|manipul|malicious|suspicious|attack|fake", shown + json.dumps(r["verdict"]), re.I),
                  f"{name}: accuses nobody", shown)


if not (DEMO / "phone.zip").is_file():
    ght.skip("the demonstration phone and its twin", "tests/demo/make_demo.sh has not made them (GH_DEMO)")
    ght.done()
cost(*twin())
unpacked()
neighbours()
ght.done()
