#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""References: what `gifthorse reference make` learns of a phone that is trusted, and what `scan --reference` then tells of others, through
real images (mke2fs), programs (gcc) and packages (aapt2, apksigner)."""
import hashlib
import json
import os
import pathlib
import sqlite3
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests" / d) for d in ("lib", "demo")]
import apks  # noqa: E402
import ght  # noqa: E402
import keys  # noqa: E402

BIN = os.environ.get("GH_BIN", str(ght.BUILD / "gifthorse"))
RULES = ("GH-N04", "GH-N09", "GH-P17", "GH-Z02", "GH-Z07", "GH-Z09")
PLATFORM, OTHER = ("platform", "/C=XX/O=Made Here/CN=Platform"), ("other", "/C=XX/O=Somebody Else/CN=Other")
WATCHER = """<service android:name=".Watch" android:exported="true" android:permission="android.permission.BIND_ACCESSIBILITY_SERVICE"/>"""
D = ght.tmp()
MAKE = apks.Maker(keys.Keys(str(D / "keys")), str(D / "cache"))


def library(name, needed=(), imports=(), size=0):
    """An ELF library: its name, the libraries it asks for, the functions it imports."""
    work = D / "elf"
    work.mkdir(exist_ok=True)
    for n in needed:
        (work / "stub.c").write_text("")
        ght.run("gcc", "-shared", "-nostdlib", f"-Wl,-soname,{n}", "-o", work / n, work / "stub.c")
    calls = "".join(f"extern void {i}(void); void call_{i}(void){{{i}();}}\n" for i in imports)
    (work / "x.c").write_text(calls + f"const char fill[{size + 1}]={{1}};\n")
    out = work / f"out-{name}"
    ght.run("gcc", "-shared", "-nostdlib", "-fPIC", f"-Wl,-soname,{name}", "-Wl,--no-as-needed", "-o", out, work / "x.c", *[work / n for n in needed])
    return out.read_bytes()


def app(package, signer, body=WATCHER):
    return pathlib.Path(MAKE.apk(package, f'  <uses-permission android:name="android.permission.INTERNET"/>\n  <application>{body}</application>', signer)).read_bytes()


def phone(name, build="1", sdk=34, unit=False):
    """A folder with system.img; of a unit something is added in each of the places that the rules look at."""
    tree, out = D / f"{name}.tree", D / name
    out.mkdir()

    def put(path, data):
        (tree / "system" / path).parent.mkdir(parents=True, exist_ok=True)
        (tree / "system" / path).write_bytes(data)
    put("build.prop", f"ro.build.fingerprint=made/phone/phone:14/X/{build}:user/release-keys\nro.build.type=user\nro.build.version.sdk={sdk}\n".encode())
    put("bin/app_process64", library("app_process64", ["libandroid_runtime.so"]))
    put("lib64/libandroid_runtime.so", library("libandroid_runtime.so", ["libutils.so"] + (["binder.so"] if unit else [])))
    put("lib64/libutils.so", library("libutils.so"))
    put("bin/netd", library("netd", imports=["listen", "getaddrinfo"]))
    put("bin/debuggerd", library("debuggerd", imports=["execve"] if unit else []))
    rc = b"service netd /system/bin/netd\n    user root\n"
    put("app/Reader/Reader.apk", app("com.made.reader", PLATFORM))
    if unit:
        put("lib64/binder.so", library("binder.so"))
        put("bin/debuggerd_real", library("debuggerd"))
        put("bin/debugs", library("debugs", imports=["listen", "accept", "inet_addr"]))
        put("lib64/libanl.so", library("libanl.so", imports=["connect", "dlopen"], size=30000))
        put("app/Watch/Watch.apk", app("com.made.watch", OTHER))
        rc += b"service debugs /system/bin/debugs\n    user root\n"
    put("etc/init/x.rc", rc)
    ght.run("mke2fs", "-q", "-t", "ext4", "-d", tree, out / "system.img", "16M")
    return out


def scan(folder, *references):
    out, db = D / "r.json", D / "r.db"
    db.unlink(missing_ok=True)
    options = [x for r in references for x in ("--reference", r)]
    p = subprocess.run([BIN, "scan", folder, "--db", db, "-f", f"json={out}", "--progress", "none", *options], capture_output=True)
    if p.returncode not in (0, 1, 3):
        raise RuntimeError(f"scan: {p.returncode}: {p.stderr.decode(errors='replace')[-500:]}")
    report = json.loads(out.read_text())
    found = {r: sorted(f["place"].split(":", 1)[1] for f in report["findings"] if f["rule"] == r) for r in RULES}
    return found, {r["id"]: (r["state"], r["why"] or "") for r in report["rules"]}


def make(folder, name, code=0):
    out = D / name
    p = subprocess.run([BIN, "reference", "make", folder, "-o", out], capture_output=True)
    ght.equal(p.returncode, code, f"reference make {pathlib.Path(folder).name}: exit code")
    return out, (p.stdout + p.stderr).decode()


def made(reference, folder):
    sql = sqlite3.connect(f"file:{reference}?mode=ro", uri=True)
    about = dict(sql.execute("SELECT key, value FROM about"))
    ght.equal({k: about.get(k) for k in ("gifthorse reference", "fingerprint", "sdk", "build_type")},
              {"gifthorse reference": "1", "fingerprint": "made/phone/phone:14/X/1:user/release-keys", "sdk": "34", "build_type": "user"}, "it says what it was made from")
    digest = hashlib.sha256((folder / "system.img").read_bytes()).hexdigest()
    ght.equal(about.get("image system.img"), digest, "and names the image by its digest")
    rows = set(sql.execute("SELECT kind, name, value FROM entries"))
    netd = hashlib.sha256((D / "trusted.tree/system/bin/netd").read_bytes()).hexdigest()
    want = {("file", "/system/bin/netd", netd), ("needed", "libandroid_runtime.so", "libutils.so"), ("service", "netd", "/system/bin/netd, user root"),
            ("library", "libutils.so", "")}
    ght.equal(want - rows, set(), "files by digest, what libraries ask for, services")
    certificate = hashlib.sha256(ght.run("openssl", "x509", "-in", MAKE.keys.cert(*PLATFORM), "-outform", "DER")).hexdigest()
    ght.check(("package", "com.made.reader", certificate) in rows, "packages by their verified signer", [r for r in rows if r[0] == "package"])


def main():
    trusted, unit = phone("trusted"), phone("unit", unit=True)
    reference, told = make(trusted, "trusted.ref")
    made(reference, trusted)
    ght.check("file 8" in told or "file" in told, "the command tells how much it learned", told)
    again, _ = make(trusted, "trusted.ref", 2)
    found, states = scan(unit)
    ght.equal(found, dict.fromkeys(RULES, []), "without a reference nothing is told")
    ght.equal({r: states[r] for r in RULES}, {r: ("not_evaluated", "no reference was given (scan --reference)") for r in RULES}, "and each says that it could not be evaluated")
    found, states = scan(unit, reference)
    s = "/system/"
    want = {"GH-N04": [s + "bin/debugs"], "GH-N09": [s + "bin/debuggerd"], "GH-P17": [s + "app/Watch/Watch.apk"], "GH-Z02": [s + "lib64/libandroid_runtime.so"],
            "GH-Z07": [s + "bin/debuggerd"], "GH-Z09": [s + "lib64/libanl.so"]}
    ght.equal(found, want, "with the reference each fires where something was added, and nowhere else")
    found, states = scan(trusted, reference)
    ght.equal((found, {states[r][0] for r in RULES}), (dict.fromkeys(RULES, []), {"not_found"}), "the trusted phone itself: not found")
    other, _ = make(phone("other", build="2", sdk=33), "other.ref")
    found, states = scan(unit, other)
    ght.equal((found["GH-N09"], found["GH-Z02"], states["GH-N09"][0], states["GH-Z02"][0]), ([], [], "not_evaluated", "not_evaluated"),
              "a reference of another build and release: what needs its own could not be evaluated")
    ght.check("made/phone/phone:14/X/1" in states["GH-N09"][1] and "release" in states["GH-Z02"][1], "and says which", states)
    found, _ = scan(unit, other, reference)
    ght.equal(found, want, "several references: what one has is known")
    from_facts, _ = make(D / "r.db", "facts.ref")
    rows = lambda f: sorted(sqlite3.connect(f).execute("SELECT kind, name, value FROM entries"))  # noqa: E731
    direct, _ = make(unit, "unit.ref")
    ght.equal(rows(from_facts), rows(direct), "out of the facts of a scan: the same reference")
    bad()


def bad():
    """What is no reference is refused before anything is judged by it."""
    for name, data in (("text.ref", b"no database"), ("cut.ref", (D / "trusted.ref").read_bytes()[:5000])):
        (D / name).write_bytes(data)
        p = subprocess.run([BIN, "scan", D / "trusted", "--reference", D / name], capture_output=True)
        ght.check(p.returncode == 2 and name.encode() in p.stderr, f"{name} is refused", p.stderr)
    for name, sql in (("empty.ref", "CREATE TABLE x(y)"), ("view.ref", "CREATE TABLE about(key, value); INSERT INTO about VALUES('gifthorse reference','1'); "
                                                           "CREATE VIEW entries AS SELECT 'file' AS kind, 'x' AS name, randomblob(9) AS value"),
                      ("later.ref", "CREATE TABLE about(key, value); INSERT INTO about VALUES('gifthorse reference','2'); CREATE TABLE entries(kind, name, value)")):
        db = sqlite3.connect(D / name)
        db.executescript(sql)
        db.close()
        p = subprocess.run([BIN, "scan", D / "trusted", "--reference", D / name], capture_output=True)
        ght.check(p.returncode == 2 and name.encode() in p.stderr, f"{name} is refused", p.stderr)
    (D / "nothing").mkdir()
    (D / "nothing/x.txt").write_bytes(b"x")
    out, told = make(D / "nothing", "nothing.ref", 2)
    ght.check(not out.exists() and "nothing of a phone" in told, "of nothing no reference is made", told)
    for line, why in (("zz\tapk\tn\ttest\t\ts", "hex"), ("ab\tapk\tn\ttest\t\ts", "length"), ("ab" * 32 + "\tapk\tn\tgood\t\ts", "role"), ("ab" * 32 + "\tapk\tn\ttest", "tab")):
        (D / "keys.tsv").write_text(line + "\n")
        p = subprocess.run([BIN, "scan", D / "trusted", "--known-keys", D / "keys.tsv"], capture_output=True)
        ght.check(p.returncode == 2 and b"line 1" in p.stderr and why.encode() in p.stderr, f"a list of keys that is wrong: {why}", p.stderr)


main()
ght.done()
