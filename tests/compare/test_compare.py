#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""gifthorse compare on small phones that are made for it (mke2fs, debugfs, mkfs.erofs): each attribute that may differ, what is not
compared, what honest units differ in, the gate before it all, forms and exit codes."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import zipfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import ght  # noqa: E402

BIN = os.environ.get("GH_BIN", str(ght.BUILD / "gifthorse"))
D = ght.tmp()
ACCUSES = re.compile(r"malware|backdoor|implant|tamper|infect|manipulat|malicious|suspicious|attack|fake|hacked", re.I)
FINGERPRINT = "maker/{product}/dev:14/UP1A/{number}:user/release-keys"


def gh(*argv, **kw):
    p = subprocess.run([BIN, *map(str, argv)], capture_output=True, **kw)
    return p.returncode, p.stdout.decode(), p.stderr.decode()


def compare(a, b, *options):
    """(exit code, JSON)"""
    out = D / "c.json"
    out.unlink(missing_ok=True)
    code, text, err = gh("compare", a, b, "-f", f"json={out}", "--progress", "none", *options)
    if code not in (0, 1, 3):
        raise RuntimeError(f"compare {a} {b}: {code}: {text} {err}")
    return code, json.loads(out.read_text())


def props(product="dev", number="100", patch="2026-05-05", date="1700000000", vendor=None, **more):
    one = FINGERPRINT.format(product=product, number=number)
    system = {"ro.build.fingerprint": one, "ro.system.build.fingerprint": one, "ro.build.version.security_patch": patch, "ro.build.date.utc": date,
              "ro.build.version.incremental": number, "ro.product.system.name": product, "ro.build.type": "user", **more}
    return ("".join(f"{k}={v}\n" for k, v in system.items()).encode(),
            f"ro.vendor.build.fingerprint={vendor or one}\nro.product.vendor.name={product}\n".encode())


def tree(to, system=None, vendor=None, prop=None):
    """An unpacked phone: folders system and vendor."""
    sys_prop, ven_prop = prop or props()
    files = {"system/system/build.prop": sys_prop, "system/system/bin/tool": b"\x7fELF tool", "system/system/etc/hosts": b"127.0.0.1 localhost\n",
             "system/system/etc/init/one.rc": b"service one /system/bin/tool\n    user root\n", "system/system/empty": b"",
             "system/system/app/A/A.apk": b"no zip", "vendor/build.prop": ven_prop, "vendor/etc/fstab.x": b"/dev/a /data ext4 rw wait\n"}
    files.update({f"system/{k}": v for k, v in (system or {}).items()})
    files.update({f"vendor/{k}": v for k, v in (vendor or {}).items()})
    for name, data in files.items():
        if data is None:
            continue
        p = to / name
        p.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(data, str):
            p.symlink_to(data)
        else:
            p.write_bytes(data)
    return to


def ext4(source, image, *requests, size=4):
    with open(image, "wb") as f:
        f.truncate(size << 20)
    ght.run("mke2fs", "-q", "-t", "ext4", "-d", source, image)
    if requests:
        p = subprocess.run(["debugfs", "-w", "-f", "-", image], input="\n".join(requests).encode(), capture_output=True)
        if p.returncode:
            raise RuntimeError(p.stderr)
    return image


def images(name, *requests, base=None, **how):
    """A folder with system.img (ext4, all labelled) and vendor.img (EROFS)."""
    out = D / name
    source = base or tree(D / f"{name}.tree", **how)
    out.mkdir()
    label = [f"ea_set {p} security.selinux u:object_r:system_file:s0" for p in
             ("/system/bin/tool", "/system/etc/hosts", "/system/etc/init/one.rc", "/system/build.prop")]
    ext4(source / "system", out / "system.img", *label, *requests)
    ght.run("mkfs.erofs", "-T0", out / "vendor.img", source / "vendor")
    return out


def found(result):
    return {(d["place"], d["kind"]): {f["field"]: (f["a"], f["b"]) for f in d["fields"]} for d in result["differences"]}


def attributes():
    """Each attribute alone is told, and nothing else."""
    a = images("a")
    code, r = compare(a, a)
    ght.equal((code, r["differences"], r["verdict"]["state"], r["gate"]["state"]), (0, [], "equal", "same"), "a phone and itself are equal")
    ght.check(r["counts"]["equal"] == r["counts"]["both"] > 15 and r["counts"]["with_attributes"] == r["counts"]["both"], "all of it, with attributes", r["counts"])
    ght.check("Whether A is what the maker published was not checked" in r["verdict"]["sentence"], "and the sentence says what was not checked")
    tool = "system:/system/bin/tool"
    for name, request, field, want in (
            ("mode", "sif /system/bin/tool mode 0104755", "mode", (["0644"], ["4755"])),
            ("owner", "sif /system/bin/tool gid 2000", "owner", None),
            ("label", "ea_set /system/bin/tool security.selinux u:object_r:su_exec:s0", "SELinux label", (["u:object_r:system_file:s0"], ["u:object_r:su_exec:s0"])),
            ("flags", "sif /system/bin/tool flags 0x80010", "flags", (["none"], ["immutable"]))):
        b = images(f"b_{name}", request, base=D / "a.tree")
        code, r = compare(a, b)
        got = found(r)
        ght.equal((code, list(got), list(got.get((tool, "changed"), {}))), (1, [(tool, "changed")], [field]), f"{name}: that alone")
        if want:
            ght.equal(got[tool, "changed"][field], want, f"{name}: with both values")
    caps = D / "caps"
    caps.write_bytes(bytes.fromhex("0100000200200000000000000000000000000000"))
    b = images("b_caps", f"ea_set -f {caps} /system/bin/tool security.capability", base=D / "a.tree")
    ght.equal(found(compare(a, b)[1]), {(tool, "changed"): {"capabilities": (["0"], ["2000"])}}, "capabilities: that alone")
    content = {"system/bin/tool": b"\x7fELF t00l", "system/new": b"n", "system/empty": None, "system/etc/hosts": b"127.0.0.1 localhost\n1.2.3.4 update.example\n"}
    b = images("b_content", system=content)
    code, r = compare(a, b)
    got = found(r)
    ght.equal(sorted(got), sorted([("system:/system/bin/tool", "changed"), ("system:/system/etc/hosts", "changed"), ("system:/system/new", "only_b"),
                                   ("system:/system/empty", "only_a")]), "added, removed, changed")
    ght.equal(got["system:/system/etc/hosts", "changed"]["hosts"], ([], ["1.2.3.4 update.example"]), "what a change amounts to")
    code, mirrored = compare(b, a)
    swap = {"only_a": "only_b", "only_b": "only_a", "changed": "changed"}
    ght.equal({(p, swap[k]): {f: (y, x) for f, (x, y) in v.items()} for (p, k), v in found(mirrored).items()}, got, "the other way round it is the same")
    ght.equal((r["counts"]["changed"], r["counts"]["only_a"], r["counts"]["only_b"]), (2, 1, 1), "counted")


def links():
    a, b = images("la", system={"system/x": "toybox", "system/y": "toybox"}), images("lb", system={"system/x": "/data/x", "system/y": b"toybox"})
    got = found(compare(a, b)[1])
    ght.equal(got["system:/system/x", "changed"], {"link target": (["toybox"], ["/data/x"])}, "the target of a link")
    ght.equal(got["system:/system/y", "changed"]["type"], (["link"], ["file"]), "a file in the place of a link")


def folder():
    """A folder has lost its attributes: they are not compared, and that is said."""
    a = images("fa")
    b = D / "fa.tree"
    for name, pair in (("image and folder", (a, b)), ("folder and image", (b, a))):
        code, r = compare(*pair)
        ght.equal((code, r["differences"], r["counts"]["with_attributes"]), (0, [], 0), f"{name}: equal, without attributes")
        why = {n["partition"]: n for n in r["not_compared"] if n["why"].startswith("mode, owner")}
        side = "B" if name.startswith("image") else "A"
        ght.check(set(why) == {"system", "vendor"} and {n["side"] for n in why.values()} == {side}, f"{name}: what was not compared is told, and whose fault", r["not_compared"])
        ght.check(any("file system makes for itself" in n["why"] for n in r["not_compared"]), f"{name}: lost+found is no difference")
    (b / "system/lost+found").mkdir()
    (b / "system/lost+found/x").write_bytes(b"x")
    ght.check(("system:/lost+found/x", "only_b") in found(compare(a, b)[1]), "what lies in lost+found is one")
    out = D / "packed.zip"
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as z:
        for p in a.iterdir():
            z.write(p, f"IMAGES/{p.name}")
    code, r = compare(out, a)
    ght.equal((code, r["differences"]), (0, []), "images in a zip and beside each other are equal")
    ght.run("img2simg", a / "system.img", D / "s.img")
    sparse = D / "sparse"
    sparse.mkdir()
    shutil.move(D / "s.img", sparse / "system_a.img")
    shutil.copy(a / "vendor.img", sparse / "vendor_a.img")
    code, r = compare(sparse, a)
    ght.equal((code, r["differences"]), (0, []), "sparse, with slots, and raw are equal")


def parts():
    """What one side does not have, or could not read, is no difference of what both hold."""
    a = images("pa", vendor={"etc/big": os.urandom(300000)})
    b = D / "pb"
    b.mkdir()
    shutil.copy(a / "system.img", b)
    (b / "modem.img").write_bytes(os.urandom(100000))
    code, r = compare(a, b)
    ght.equal((code, sorted((d["place"], d["kind"], d["what"]) for d in r["differences"])), (3, [("modem", "only_b", "partition"), ("vendor", "only_a", "partition")]),
              "partitions that only one side has are told once, and the exit code is 3")
    ght.equal((r["verdict"]["state"], r["counts"]["partitions_on_one_side"]), ("equal_as_far", 2), "the rest is equal as far as compared")
    shutil.copy(b / "modem.img", a)
    shutil.copy(a / "vendor.img", b)
    data = bytearray((b / "modem.img").read_bytes())
    data[77] ^= 1
    (b / "modem.img").write_bytes(data)
    code, r = compare(a, b)
    ght.equal((code, sorted(found(r))), (1, [("modem", "changed")]), "firmware is compared as it is")
    cut = D / "pcut"
    shutil.copytree(a, cut)
    (cut / "vendor.img").write_bytes((a / "vendor.img").read_bytes()[:150000])
    code, r = compare(a, cut)
    ght.equal((code, r["differences"]), (3, []), "what is damaged in B is not told as removed")
    ght.check(r["not_compared"] and r["verdict"]["state"] == "equal_as_far", "it is not compared, and counted", r["not_compared"])
    ght.check("could not be read" in r["verdict"]["sentence"], "and said", r["verdict"])
    (D / "x1").write_bytes(os.urandom(5000))
    (D / "x2.txt").write_bytes(b"hello\n")
    code, r = compare(D / "x1", D / "x2.txt")
    ght.check(code == 3 and r["verdict"]["state"] in ("nothing", "equal_as_far"), "two files that are no phones: nothing is claimed", (code, r["verdict"]))


def units():
    """What the factory writes into each unit, and what use leaves behind, is told apart."""
    a, b = images("ua"), images("ub")
    for x, n in ((a, 1), (b, 2)):
        (x / "persist.img").write_bytes(bytes([n]) * 70000)
        (x / "modemst1.img").write_bytes(bytes([n]) * 70000)
    code, r = compare(a, b)
    ght.equal((code, [d["of_unit"] for d in r["differences"]], r["counts"]["changed"], r["counts"]["of_unit"]), (1, [True, True], 0, 2), "calibration differs between honest units")
    ght.check(all(d["note"] for d in r["differences"]) and "honest units" in r["verdict"]["sentence"], "and is explained")
    ght.equal((compare(a, b, "--fail-on", "unexplained")[0], compare(a, b, "--fail-on", "never")[0]), (0, 0), "--fail-on unexplained passes it")
    c = images("uc", system={"system/new": b"x"})
    d = images("ud")
    ght.equal((compare(c, d, "--fail-on", "unexplained")[0], compare(c, d, "--fail-on", "never")[0]), (1, 0), "but not a file that nothing explains")


def gate():
    """Neighbours and other regions cannot judge, and nobody is accused."""
    a = tree(D / "ga")
    for name, how, want in (
            ("the next release", dict(number="101", patch="2026-06-05", date="1700009999"), "different"),
            ("another region by its product", dict(product="dev_eea"), "different"),
            ("another patch level alone", dict(patch="2026-06-05"), "different"),
            ("another date alone", dict(date="1700000001"), "different"),
            ("another locale alone", {"ro.product.locale": "pl-PL"}, "same"),
            ("another vendor image", dict(vendor="maker/dev/dev:14/UP1A/099:user/release-keys"), "contradicts")):
        more = {k: v for k, v in how.items() if k.startswith("ro.")}
        rest = {k: v for k, v in how.items() if not k.startswith("ro.")}
        b = tree(D / ("g " + name), prop=props(**rest, **more), system={"system/bin/tool": b"\x7fELF other"})
        for x, y in ((a, b), (b, a)):
            code, r = compare(x, y)
            text = gh("compare", x, y)[1]
            ght.equal((code, r["gate"]["state"]), (1, want), f"{name}: the gate")
            ght.check(not ACCUSES.search(text + json.dumps(r)), f"{name}: accuses nobody", text)
            if want == "different":
                ght.check(r["verdict"]["state"] == "different_build" and "cannot judge" in text and "says nothing about the unit" in r["verdict"]["sentence"],
                          f"{name}: cannot judge the unit by it", r["verdict"])
            if want == "contradicts":
                ght.check("Cannot tell" in text, f"{name}: cannot tell", text)
    pl, de = tree(D / "gpl", prop=props(**{"ro.product.locale": "pl-PL"})), tree(D / "gde", prop=props(**{"ro.product.locale": "de-DE"}))
    ght.equal(compare(pl, de)[1]["gate"]["state"], "different", "two locales are two regions")
    for x in (D / "n1", D / "n2"):
        (x / "system/bin").mkdir(parents=True)
        (x / "system/etc").mkdir()
        (x / "system/etc/hosts").write_bytes(b"127.0.0.1 localhost\n")
        (x / "system/build.prop").write_bytes(b"ro.build.type=user\n")
    code, r = compare(D / "n1", D / "n2")
    ght.equal((code, r["gate"]["state"]), (0, "unknown"), "no name of a build on either side: cannot tell")


def forms():
    a = tree(D / "oa")
    b = tree(D / "ob", system={f"system/etc/init/<b>{i}\x1b[2J.rc": b"on boot\n    write /x %d\n" % i for i in range(40)} |
             {f"system/{d}/f{i}": b"x" for i in range(9) for d in ("lib64", "framework", "priv-app/P", "app/Q", "etc/permissions", "etc/security/cacerts", "bin", "zz")})
    code, text, _ = gh("compare", a, b)
    ght.check(code == 1 and len(text.splitlines()) <= 24 and "\x1b" not in text, "piped: at most 24 lines, escaped", text)
    for width in (40, 80, 200):
        script = f"stty cols {width} rows 30; {BIN} compare '{a}' '{b}' --color never --progress none"
        p = subprocess.run(["script", "-qec", script, "/dev/null"], capture_output=True)
        shown = p.stdout.decode(errors="replace").splitlines()
        ght.check(0 < len(shown) <= 24 and max(map(len, shown)) <= width and "In all:" in p.stdout.decode(), f"{width} columns: at most 24 lines, the sums among them", (len(shown), shown[-3:]))
    html = D / "o.html"
    code, text, _ = gh("compare", a, b, "-f", f"html={html}")
    page = html.read_text()
    ght.check(str(html) in text and "<b>0" not in page and "\x1b" not in page and "http" not in page.replace("http-equiv", "") and "<script" not in page, "HTML: escaped, no network, no script")
    ght.check(all(w in page for w in ("Is it the same build?", "What was not compared", "Start-up and boot images", "only in B")), "HTML: its parts")
    one = gh("compare", a, b, "-f", "json")[1]
    ght.equal([gh("compare", a, b, "-f", "json", *o)[1] == one for o in (["--jobs", "1"], ["--jobs", "5"], ["--shuffle", "7"], ["--shuffle", "991"])], [True] * 4,
              "the same bytes for any number of workers and any order")
    ght.equal(json.loads(one)["schema_version"], 1, "the schema has a version")
    fa, fb, both = D / "fa.db", D / "fb.db", D / "both.db"
    gh("scan", a, "--db", fa)
    gh("scan", b, "--db", fb)
    before = fa.read_bytes()
    ght.equal([gh("compare", x, y, "-f", "json")[1] == one for x, y in ((fa, fb), (fa, b), (a, fb))], [True] * 3, "facts of earlier scans stand for their inputs")
    ght.check(fa.read_bytes() == before, "and stay as they were")
    code, _, err = gh("compare", a, b, "--db", both)
    rows = gh("query", both, "SELECT kind, count(*) FROM differences GROUP BY 1 ORDER BY 1")[1]
    ght.check(code == 1 and "only_b" in rows, "--db keeps what was found", (code, err, rows))
    code, text, _ = gh("report", both, "-f", "json", "--scan", "2", "--fail-on", "never")
    ght.check(code in (0, 3) and len(json.loads(text)["rules"]) > 30, "and both scans, each with its report")


def mistakes():
    a = D / "oa"
    (D / "text.db").write_bytes(b"SQLite format 3\0" + bytes(100))
    for name, argv, word in (("one", [a], "takes two"), ("three", [a, a, a], "third"), ("none there", [a, D / "absent"], "No such file"),
                             ("--fail-on", [a, a, "--fail-on", "high"], "any, unexplained or never"), ("two pipes", ["-", "-"], "standard input"),
                             ("over an input", [a, a, "-f", f"json={a}/x.json"], "another file"), ("facts over facts", [D / "fa.db", a, "--db", D / "fa.db"], "another file"),
                             ("a broken database", [D / "text.db", a], "")):
        code, out, err = gh("compare", *argv)
        ght.check(code == 2 and not out and err.startswith("gifthorse: ") and word in err, f"{name}: exit 2 and a word", (code, out, err))
    code, out, _ = gh("compare", "--help")
    ght.check(code == 0 and "130 interrupted" in out, "--help tells the exit codes")


attributes()
links()
folder()
parts()
units()
gate()
forms()
mistakes()
ght.done()
