#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Verified boot of a small phone, put together from real images: what is verified, what is not, what no list covers, and which rules
speak. Each part is then broken by itself. tests/tools/mkvbmeta.py signs with keys of openssl."""
import hashlib
import json
import os
import pathlib
import shutil
import sqlite3
import struct
import subprocess
import sys
import zipfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests/lib"), str(ROOT / "tests/tools")]
import ght  # noqa: E402
import mkvbmeta as mk  # noqa: E402

BIN = os.environ.get("GH_BIN", str(ght.BUILD / "gifthorse"))
T = ght.tmp()
SALT = bytes(range(32))
PROP = b"ro.build.type=user\nro.build.version.sdk=34\nro.product.brand=demo\n"


def key(name, bits=2048):
    path = T / f"{name}.pem"
    if not path.exists():
        mk.openssl("genrsa", "-out", path, str(bits))
    return str(path)


def sha1(name):
    return hashlib.sha1(mk.public_blob(key(name))).hexdigest()


def ext4(path, files):
    tree = T / "tree"
    shutil.rmtree(tree, ignore_errors=True)
    for name, data in files.items():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_bytes(data)
    path.unlink(missing_ok=True)
    ght.run("mke2fs", "-q", "-t", "ext4", "-b", "4096", "-d", tree, path, "4M")


def phone(name, flags=0, rollback=7, system_key="system", boot_key=None):
    """system under vbmeta_system, chained; vendor and dtbo named by vbmeta; boot chained; a modem, a splash and a stray oem."""
    d = T / name
    d.mkdir()
    ext4(d / "system.img", {"system/build.prop": PROP, "system/bin/sh": b"\x7fELF"})
    own = mk.add_footer(str(d / "system.img"), "system", "hashtree", SALT)
    ext4(d / "vendor.img", {"build.prop": b"ro.vendor.x=1\n"})
    vendor = mk.add_footer(str(d / "vendor.img"), "vendor", "hashtree", SALT)
    ext4(d / "oem.img", {"app/x.txt": b"x"})
    (d / "dtbo.img").write_bytes(b"\xd7\xb7\xab\x1e" + bytes(4092))
    dtbo = mk.hash_descriptor("dtbo", str(d / "dtbo.img"), SALT)
    (d / "boot.img").write_bytes(b"not much of a kernel" * 500)
    mk.add_footer(str(d / "boot.img"), "boot", "hash", SALT, 65536, algorithm="SHA256_RSA2048", key=key(boot_key or "boot"), rollback=rollback)
    (d / "modem.img").write_bytes(bytes(9000))
    (d / "splash.img").write_bytes(b"SPLASH!!" + bytes(9000))
    vs = mk.vbmeta([own], "SHA256_RSA2048", key=key(system_key), rollback=rollback)
    (d / "vbmeta_system.img").write_bytes(mk.pad(vs, 4096))
    chains = [mk.chain_descriptor("vbmeta_system", 1, mk.public_blob(key("system"))), mk.chain_descriptor("boot", 2, mk.public_blob(key("boot")))]
    top = mk.vbmeta(chains + [vendor, dtbo], "SHA512_RSA4096", key=key("top", 4096), rollback=rollback, flags=flags)
    (d / "vbmeta.img").write_bytes(mk.pad(top, 4096))
    return d


def scan(d):
    db, report = T / f"{d.name}.db", T / f"{d.name}.json"
    db.unlink(missing_ok=True)
    p = subprocess.run([BIN, "scan", d, "--db", db, "-f", f"json={report}"], capture_output=True)
    if p.returncode not in (0, 1, 3):
        raise RuntimeError(f"scan {d}: exit {p.returncode}: {p.stderr.decode(errors='replace')[-500:]}")
    sql = sqlite3.connect(f"file:{db}?mode=ro", uri=True)
    sql.text_factory = lambda b: b.decode(errors="replace")
    return sql, json.loads(report.read_text(encoding="utf-8"))


def states(sql):
    return {(kind, part): state for kind, part, state in sql.execute("SELECT kind, partition, state FROM d_avb")}


def rules(sql):
    return {(r, s) for r, s in sql.execute("SELECT rule, severity FROM findings WHERE rule BETWEEN 'GH-B21' AND 'GH-B25'")}


GOOD = {("vbmeta", "vbmeta"): "verified", ("vbmeta", "vbmeta_system"): "verified", ("vbmeta", "boot"): "verified", ("hash", "boot"): "verified",
        ("hashtree", "system"): "verified", ("hashtree", "vendor"): "verified", ("hash", "dtbo"): "not checked"}


def as_made():
    d = phone("good")
    sql, report = scan(d)
    said = report["integrity"]
    ght.equal({(r["kind"], r["partition"]): r["state"] for r in said["verified_boot"]}, GOOD, "JSON says the same")
    ght.equal({k: [u["name"] for u in v] for k, v in said["not_covered"].items()}, {"code": ["oem"], "firmware": ["modem"], "data": ["splash"]},
              "JSON has the three lists")
    text = subprocess.run([BIN, "report", T / "good.db", "-f", "integrity"], capture_output=True).stdout.decode()
    page = subprocess.run([BIN, "report", T / "good.db", "-f", f"html={T}/good.html"], capture_output=True)
    page = (T / "good.html").read_text()
    for form, name in ((text, "text"), (page, "HTML")):
        ght.check(all(w in form for w in ("consistent with its own signature, key " + hashlib.sha1(mk.public_blob(key("top", 4096))).hexdigest(),
                                          "not known to us", "the one that vbmeta expects", "named by vbmeta_system", "splash", "modem",
                                          "every phone has some", "Code outside verified boot")), f"{name}: chain and lists")
    ght.equal(states(sql), GOOD, "as made: verified along the chains; what has no parameters is not checked")
    ght.equal(rules(sql), set(), "as made: no rule speaks")
    ght.equal(sorted(sql.execute("SELECT list, name FROM d_uncovered")), [("code", "oem"), ("data", "splash"), ("firmware", "modem")],
              "what no list covers, in three lists")
    order = ["vbmeta", "vbmeta_system", "boot"]
    both = hashlib.sha512()
    for name in order:
        raw = (d / f"{name}.img").read_bytes()
        at = struct.unpack_from(">Q", raw, len(raw) - 44)[0] if name == "boot" else 0
        a, x = struct.unpack_from(">QQ", raw, at + 12)
        both.update(raw[at:at + 256 + a + x])
    ght.equal([v for v, in sql.execute("SELECT value FROM d_device WHERE key='vbmeta_digest'")], [both.hexdigest()], "digest over all structures")
    ght.equal([(r, w) for r, w in sql.execute("SELECT rollback, want_sha1 FROM d_avb WHERE partition='boot' AND kind='vbmeta'")], [(7, sha1("boot"))],
              "rollback index and expected key of a chain")


def broken():
    def flip(d, name, at):
        raw = bytearray((d / name).read_bytes())
        raw[at] ^= 1
        (d / name).write_bytes(bytes(raw))

    d = phone("system")
    flip(d, "system.img", 3 << 20)
    sql, _ = scan(d)
    ght.equal((states(sql), rules(sql)), ({**GOOD, ("hashtree", "system"): "differs"}, {("GH-B23", "critical")}), "one bit of system")
    why = sql.execute("SELECT why FROM d_avb WHERE partition='system'").fetchone()[0]
    ght.check("block 768 of the data" in why, "one bit of system: the block is named", why)
    flip(d, "system.img", 3 << 20)
    flip(d, "vbmeta_system.img", 700)
    sql, _ = scan(d)
    ght.equal((states(sql)["vbmeta", "vbmeta_system"], {r for r, _ in rules(sql)} >= {"GH-B22"}), ("failed", True), "one bit of vbmeta_system")

    d = phone("resigned", system_key="stranger")
    sql, _ = scan(d)
    ght.equal((states(sql), rules(sql)), ({**GOOD, ("vbmeta", "vbmeta_system"): "other key"}, {("GH-B24", "critical")}), "signed by somebody else")

    d = phone("off", flags=2)
    flip(d, "vendor.img", 1 << 20)
    sql, _ = scan(d)
    ght.equal((states(sql)["hashtree", "vendor"], rules(sql)), ("differs", {("GH-B23", "high")}), "changed, and verification is off")
    ght.equal(list(sql.execute("SELECT value FROM d_device WHERE key='vbmeta_digest'")), [], "verification is off: no digest is told")

    d = phone("zero", rollback=0)
    sql, _ = scan(d)
    ght.equal((states(sql), rules(sql)), (GOOD, {("GH-B25", "low")}), "all counters at zero")

    d = phone("less")
    for name in ("vbmeta_system.img", "vendor.img", "boot.img"):
        (d / name).unlink()
    sql, _ = scan(d)
    ght.equal((states(sql), rules(sql)), ({("vbmeta", "vbmeta"): "verified", ("vbmeta", "vbmeta_system"): "missing", ("vbmeta", "boot"): "missing",
                                            ("hashtree", "vendor"): "missing", ("hash", "dtbo"): "not checked"}, set()), "parts that are not there accuse nobody")
    ght.check(("code", "system") in set(sql.execute("SELECT list, name FROM d_uncovered")), "what was named by a list that is not there is not covered")

    d = phone("anew")
    # Changed, and given a footer of its own that fits: nobody signed that footer.
    (d / "boot.img").write_bytes(b"another kernel......" * 500)
    mk.add_footer(str(d / "boot.img"), "boot", "hash", SALT, 65536)
    sql, _ = scan(d)
    ght.equal((states(sql)["vbmeta", "boot"], {r for r, _ in rules(sql)}), ("other key", {"GH-B24"}), "a chained partition with an unsigned footer")
    ext4(d / "vendor.img", {"build.prop": b"ro.vendor.x=2\n"})
    mk.add_footer(str(d / "vendor.img"), "vendor", "hashtree", SALT[::-1])
    sql, _ = scan(d)
    ght.equal(states(sql)["hashtree", "vendor"], "other footer", "a footer that speaks of another hash")


def reported():
    """What the running phone reports of its lists (getprop, a bug report), against the lists themselves; and as a mark of the same build."""
    d = phone("reported")
    ask = lambda report: next((r["state"], r["why"] or "") for r in report["rules"] if r["id"] == "GH-B32")  # noqa: E731
    sql, report = scan(d)
    digest, = sql.execute("SELECT value FROM d_device WHERE key='vbmeta_digest'").fetchone()
    state, why = ask(report)
    ght.check(state == "not_evaluated" and "getprop" in why, "no report of the running phone: could not be evaluated", why)
    (d / "getprop.txt").write_text(f"[ro.boot.vbmeta.digest]: [{digest.upper()}]\n[ro.build.type]: [user]\n")
    ght.equal(ask(scan(d)[1])[0], "not_found", "the phone reports the digest that was computed here")
    (d / "getprop.txt").write_text("[ro.boot.vbmeta.digest]: [" + "0" * len(digest) + "]\n")
    sql, report = scan(d)
    ght.equal([(f["rule"], f["severity"], digest in f["evidence"]) for f in report["findings"] if f["rule"] == "GH-B32"], [("GH-B32", "high", True)], "it reports another")
    (d / "vbmeta_system.img").unlink()
    state, why = ask(scan(d)[1])
    ght.check(state == "not_evaluated" and "vbmeta_system" in why, "a list is missing: could not be evaluated", why)

    def gate(a, b):
        p = subprocess.run([BIN, "compare", a, b, "-f", f"json={T}/c.json", "--progress", "none"], capture_output=True)
        gate = json.loads((T / "c.json").read_text())["gate"]
        return gate["state"], {f["key"]: f["state"] for f in gate["facts"]}.get("ro.boot.vbmeta.digest"), gate["sentence"]
    a, c = phone("one"), phone("three", rollback=8)
    b = pathlib.Path(shutil.copytree(a, T / "two"))
    digest, = scan(a)[0].execute("SELECT value FROM d_device WHERE key='vbmeta_digest'").fetchone()
    ght.equal(gate(a, b)[:2], ("same", "same"), "compare: the same digest over all lists is the same build")
    state, fact, words = gate(a, c)
    ght.equal((state, fact), ("contradicts", "differs"), "compare: another digest is not called the same build")
    ght.check(words.startswith("Cannot tell") and "ro.boot.vbmeta.digest" in words, "and the gate says by what", words)
    unit = T / "unit"
    (unit / "system").mkdir(parents=True)
    (unit / "system/build.prop").write_bytes(PROP)
    (unit / "getprop.txt").write_text(f"[ro.boot.vbmeta.digest]: [{digest}]\n")
    ght.equal(gate(a, unit)[:2], ("same", "same"), "compare: images and a pulled tree, by what the running phone reports")


def package():
    """A package in system whose content was changed after signing, beside one that is as signed."""
    if not shutil.which("apksigner") or not shutil.which("aapt2"):
        return ght.skip("package", "apksigner or aapt2 is not installed")
    (T / "m.xml").write_text('<manifest xmlns:android="http://schemas.android.com/apk/res/android" package="com.example.one" android:versionCode="1">'
                             '<uses-sdk android:minSdkVersion="21"/><application android:hasCode="false"/></manifest>')
    ght.run("aapt2", "link", "-I", "/usr/share/android-framework-res/framework-res.apk", "--manifest", T / "m.xml", "-o", T / "one.apk")
    with zipfile.ZipFile(T / "one.apk", "a") as z:
        z.writestr("assets/a.txt", "text that is stored as it is")
    ght.run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", T / "k.pem", "-out", T / "c.pem", "-subj", "/CN=one", "-days", "9000")
    ght.run("openssl", "pkcs8", "-topk8", "-nocrypt", "-in", T / "k.pem", "-outform", "DER", "-out", T / "k.pk8")
    ght.run("apksigner", "sign", "--key", T / "k.pk8", "--cert", T / "c.pem", T / "one.apk")
    good = (T / "one.apk").read_bytes()
    bad = bytearray(good)
    bad[good.index(b"text that is stored")] ^= 1
    for name, data, want in (("same", good, set()), ("changed", bytes(bad), {"GH-B21"})):
        d = T / f"apk_{name}"
        d.mkdir()
        ext4(d / "system.img", {"system/build.prop": PROP, "system/app/one/one.apk": data})
        sql, _ = scan(d)
        got = {r for r, in sql.execute("SELECT rule FROM findings WHERE rule='GH-B21'")}
        state = [s for s, in sql.execute("SELECT state FROM c_apk_checks WHERE scheme='android' AND min_sdk<=34 AND coalesce(max_sdk,99)>=34")]
        ght.equal((got, state), (want, ["failed" if want else "verified"]), f"package {name}")


def tables():
    """Android 7: a table behind the file system, signed by the key that lies in the ramdisk."""
    def made(name, by, beside=None, change=None):
        d = T / f"old-{name}"
        d.mkdir()
        ext4(d / "system.img", {"system/build.prop": PROP, "system/etc/noise": os.urandom(3 << 20)})
        data = (d / "system.img").read_bytes()
        tree, root = mk.hash_tree(str(d / "system.img"), SALT)
        n = len(data) // 4096
        table = f"1 /dev/block/by-name/system /dev/block/by-name/system 4096 4096 {n} {n + 8} sha256 {root.hex()} {SALT.hex()}".encode()
        (T / "table").write_bytes(table)
        sig = mk.openssl("dgst", "-sha256", "-sign", key(by), str(T / "table"))
        raw = bytearray(data + mk.pad(struct.pack("<II256sI", 0xB001B001, 0, sig, len(table)) + table, 32768) + tree)
        if change is not None:
            raw[change if change >= 0 else len(data) - change] ^= 1
        (d / "system.img").write_bytes(raw)
        if beside:
            (d / "ramdisk").mkdir()
            (d / "ramdisk/verity_key").write_bytes(mk.mincrypt(key(beside)))
        sql, _ = scan(d)
        return sql.execute("SELECT state, key_sha1, why FROM d_avb WHERE kind='table'").fetchall(), {r for r, _ in rules(sql)}
    spki = ght.sha(mk.openssl("pkey", "-in", key("verity"), "-pubout", "-outform", "DER"))
    got, found = made("good", "verity", "verity")
    ght.equal((got, found), ([("verified", spki, f"the table is signed by verity_key, SHA-256 of the key {spki}")], set()), "a table signed by verity_key")
    got, found = made("stranger", "stranger", "verity")
    ght.equal(([g[0] for g in got], found), (["other key"], {"GH-B24"}), "a table signed by somebody else")
    got, _ = made("alone", "verity")
    ght.equal([g[:2] for g in got], [("consistent", None)], "no key among what was given: nothing more than consistent")
    got, found = made("changed", "verity", "verity", 2 << 20)
    ght.equal(([g[0] for g in got], found), (["differs"], {"GH-B23"}), "a changed file system, its table signed")
    got, found = made("sig", "verity", "verity", -100)
    ght.equal(([g[0] for g in got], found), (["other key"], {"GH-B24"}), "a changed signature")


as_made()
broken()
reported()
package()
tables()
ght.done()
