#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The demonstration phone and its twin through the whole program: every planted door whose rule is shipped is found where it was
planted; in the twin, which has a look-alike at each of these places, none of those rules fires; with a plug-in switched off no rule
that needs it says that it found nothing; from standard input the findings are the same; ls and cat give what the builder put in."""
import csv
import json
import os
import pathlib
import re
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


def doors():
    """(rule, place) of each door whose rule is shipped."""
    shipped = {p.stem for p in (ROOT / "src/rules/library").glob("*.sql")}
    with open(DEMO / "expected.tsv", newline="") as f:
        rows = [r for r in csv.DictReader((x for x in f if not x.startswith("#")), delimiter="\t", quoting=csv.QUOTE_NONE)]
    return [r for r in rows if r["rule"] in shipped]


def found(door, findings):
    base = door["path"].rsplit("/", 1)[-1]
    return any(f["rule"] == door["rule"] and (f["place"].endswith(base) or f["place"].startswith(door["image"].split(".")[0])) for f in findings)


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
    wanted = doors()
    ght.check(len(wanted) > 30, f"{len(wanted)} doors have a shipped rule")
    for d in wanted:
        ght.check(found(d, phone["findings"]), f"{d['rule']} at {d['image']}:{d['path']}", "not found")


def twin(phone, result):
    fired = {f["rule"] for f in result["findings"] if f["severity"] in ("critical", "high")}
    ght.equal(sorted(fired & {d["rule"] for d in doors()}), [], "no rule fires at high or above on the twin")
    states = {r["id"]: r for r in result["rules"]}
    ght.equal([f"{i}: {r['why']}" for i, r in states.items() if r["state"] == "not_evaluated"], [], "every check could be made on the twin")
    ght.check(len([r for r in states.values() if r["state"] == "not_found"]) >= 25, "and most found nothing")


def switched_off():
    for plugin, rules in sorted(needs().items()):
        states = {r["id"]: r["state"] for r in scan([DEMO / "twin.zip"], "--without", plugin)["rules"]}
        ght.equal(sorted(r for r in rules if states[r] == "not_found"), [], f"without {plugin} no rule that needs it says it found nothing")


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
phone_json = scan([DEMO / "phone.zip"])
planted(phone_json)
twin(phone_json, scan([DEMO / "twin.zip"]))
inside()
closed()
switched_off()
ght.done()
