#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""resources: labels against `aapt2 dump badging` and `aapt dump badging`, on apps that aapt2 makes (many languages, references, sparse tables,
shortened names) and on the conformance data; network configurations against what was written. `--make-seeds` writes the seeds anew;
GH_APKS=DIR compares the labels of all packages below DIR."""
import os
import pathlib
import re
import shutil
import struct
import subprocess
import sys
import zipfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "tests/lib"))
import ght

HERE = pathlib.Path(__file__).resolve().parent
FRAMEWORK = "/usr/share/android-framework-res/framework-res.apk"
d = ght.tmp()
CONFIG = """<network-security-config>
  <base-config cleartextTrafficPermitted="false"><trust-anchors><certificates src="system"/></trust-anchors></base-config>
  <domain-config cleartextTrafficPermitted="true">
    <domain includeSubdomains="true">example.org</domain> <domain>  plain.example </domain>
    <trust-anchors><certificates src="@raw/ca"/><certificates src="user" overridePins="true"/></trust-anchors>
    <pin-set expiration="2030-01-01"><pin digest="SHA-256">7HIpactkIAq2Y49orFOOQKurWxmmSFZhBCoQYcRhJ3Y=</pin>
      <pin digest="SHA-256">fwza0LRMXouZHRC8Ei+4PyuldPDcf3UKgO/04cDM1oE=</pin></pin-set>
    <domain-config><domain includeSubdomains="false">inner.example.org</domain></domain-config>
  </domain-config>
  <debug-overrides><trust-anchors><certificates src="user"/></trust-anchors></debug-overrides>
</network-security-config>"""
PINS = "SHA-256/7HIpactkIAq2Y49orFOOQKurWxmmSFZhBCoQYcRhJ3Y= SHA-256/fwza0LRMXouZHRC8Ei+4PyuldPDcf3UKgO/04cDM1oE="
OUTER = dict(cleartext=1, anchors="res/raw/ca.pem user", overrides_pins=1, pins=PINS, expires="2030-01-01")
ROWS = [dict(scope="base", domain=None, subdomains=None, cleartext=0, anchors="system", overrides_pins=0, pins=None, expires=None),
        dict(scope="domain", domain="inner.example.org", subdomains=0, **OUTER), dict(scope="domain", domain="plain.example", subdomains=0, **OUTER),
        dict(scope="domain", domain="example.org", subdomains=1, **OUTER),
        dict(scope="debug", domain=None, subdomains=None, cleartext=None, anchors="user", overrides_pins=1, pins=None, expires=None)]


def app(name, label, values, config=None, link=(), short=()):
    """An APK that aapt2 makes. values: {folder: {name: text}}."""
    top = d / name
    shutil.rmtree(top, ignore_errors=True)
    top.mkdir()
    for folder, strings in values.items():
        (top / "res" / folder).mkdir(parents=True)
        (top / "res" / folder / "s.xml").write_text("<resources>" + "".join(f'<string name="{k}">{v}</string>' for k, v in strings.items()) + "</resources>")
    more = ""
    if config:
        for folder, file, text in (("xml", "net.xml", config), ("raw", "ca.pem", "none")):
            (top / "res" / folder).mkdir(parents=True)
            (top / "res" / folder / file).write_text(text)
        more = ' android:networkSecurityConfig="@xml/net"'
    said = f' android:label="{label}"' if label else ""
    (top / "AndroidManifest.xml").write_text('<manifest xmlns:android="http://schemas.android.com/apk/res/android" package="a.b">'
                                             f'<uses-sdk android:minSdkVersion="26" android:targetSdkVersion="34"/><application{said}{more} android:hasCode="false"/></manifest>')
    argv = ["aapt2", "link", "-I", FRAMEWORK, "--manifest", top / "AndroidManifest.xml", "-o", d / f"{name}.apk", *link]
    if values or config:
        ght.run("aapt2", "compile", "--dir", top / "res", "-o", top / "c.zip")
        argv.append(top / "c.zip")
    ght.run(*argv)
    if short:
        os.rename(d / f"{name}.apk", top / "long.apk")
        ght.run("aapt2", "optimize", *short, "-o", d / f"{name}.apk", top / "long.apk")
    return d / f"{name}.apk"


def ours(path):
    rows = ght.drive(path, only="resources")
    return ght.rows(rows, "app_labels"), rows


def badging(tool, path):
    text = subprocess.run([tool, "dump", "badging", str(path)], capture_output=True).stdout.decode("utf-8", "replace")
    return {m[1] or "": m[2] for m in re.finditer(r"^application-label(?:-([\w-]+))?:'(.*)'$", text, re.M)}


# aapt2 of Debian 12 is older than compact entries, and resolves no shared library's number: what the files themselves say.
OLDER = {"issue3366.apk": "Issue3366", "issue3705.apk": "CompactEntries", "client.apk": "SharedLibrary client"}


def compare(path, what):
    labels, _ = ours(path)
    theirs = badging("aapt2", path)
    if path.name in OLDER and theirs.get("") == "":
        theirs = {"": OLDER[path.name]}
    if "" not in theirs:
        return 0
    got = labels[0] if labels else {"label": None, "label_en": None}
    ght.equal(got["label"] or "", theirs[""], f"{what}: label")
    if "en" in theirs:
        ght.equal(got["label_en"] or got["label"] or "", theirs["en"], f"{what}: in English")
    return 1


def net(path):
    return [{k: r[k] for k in ROWS[0]} for r in ght.rows(ours(path)[1], "netsec")]


def make():
    small = app("seed", "@string/n", {"values": {"n": "Bote"}, "values-en": {"n": "Boats"}, "values-zh": {"n": "船"}}, CONFIG)
    with zipfile.ZipFile(small) as z:
        parts = {n: z.read(n) for n in z.namelist()}
    out = {"app.apk": parts, "sparse.apk": None, "cut_table.apk": {**parts, "resources.arsc": parts["resources.arsc"][:-300]},
           "no_config.apk": {k: v for k, v in parts.items() if not k.startswith("res/xml")},
           "sizes.apk": {**parts, "resources.arsc": parts["resources.arsc"][:12] + b"\1\0\x1c\0\xff\xff\xff\x7f" + parts["resources.arsc"][20:]}}
    with zipfile.ZipFile(app("seed2", "@string/n", {"values": {"n": "A"}, "values-en-rUS": {"n": "B"}}, link=("--enable-sparse-encoding",))) as z:
        out["sparse.apk"] = {n: z.read(n) for n in z.namelist()}
    return out


def pack(path, parts):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as z:
        for n, data in parts.items():
            z.writestr(zipfile.ZipInfo(n), data, zipfile.ZIP_DEFLATED)
    return path


if "--make-seeds" in sys.argv:
    for n, parts in make().items():
        pack(HERE / "seeds" / n, parts)
    sys.exit(0)

if not shutil.which("aapt2") or not pathlib.Path(FRAMEWORK).exists():
    ght.skip("aapt2", "not installed")
    ght.done()
MANY = {"values": {"n": "Grüße"}, "values-en": {"n": "Greetings"}, "values-en-rGB": {"n": "Hello"}, "values-zh-rCN": {"n": "你好"}, "values-land": {"n": "wide"}}
cases = {"text": ("Plain", {}), "none": (None, {}), "many": ("@string/n", MANY), "emoji": ("@string/n", {"values": {"n": "a 😀 b"}}),
         "region": ("@string/n", {"values": {"n": "x"}, "values-en-rUS": {"n": "us"}}), "framework": ("@android:string/ok", {}),
         "chain": ("@string/a", {"values": {"a": "@string/b", "b": "@string/c", "c": "end"}, "values-en": {"c": "the end"}}),
         "version": ("@string/n", {"values": {"n": "old"}, "values-v28": {"n": "new"}}),
         "entries": ("@string/z", {"values": {**{f"s{i}": str(i) for i in range(300)}, "z": "last"}, "values-en": {"s7": "seven"}})}
for name, (label, values) in cases.items():
    for kind, link, short in (("", (), ()), (" sparse", ("--enable-sparse-encoding",), ()), (" short", (), ("--enable-resource-path-shortening", "--enable-resource-obfuscation"))):
        path = app(name, label, values, link=link, short=short if values else ())
        compare(path, name + kind)
        theirs = badging("aapt", path)
        if "" in theirs and name not in ("framework", "none"):
            ght.equal(ours(path)[0][0]["label"], theirs[""], f"{name}{kind}: aapt")
ght.equal([ours(app("many", *cases["many"]))[0][0][k] for k in ("label", "label_en")], ["Grüße", "Greetings"], "both languages")
ght.equal(ours(app("framework", *cases["framework"]))[0][0]["label"], None, "a name in another package is not known")
ght.equal(ours(app("framework", *cases["framework"]))[0][0]["ref"][:5], "@0x01", "and what the manifest says is kept")

for kind, short in (("", ()), (" short", ("--enable-resource-path-shortening",))):
    path = app("net", "N", {"values": {"x": "y"}}, CONFIG, short=short)
    rows = net(path)
    if kind:
        rows = [{**r, "anchors": "res/raw/ca.pem user" if r["anchors"] and r["anchors"].startswith("res/") else r["anchors"]} for r in rows]
    ght.equal(rows, ROWS, f"network configuration{kind}")
for text, want in (("<network-security-config/>", []),
                   ('<network-security-config><base-config><trust-anchors/></base-config></network-security-config>', [("base", None, "")]),
                   ('<network-security-config><base-config cleartextTrafficPermitted="true"/></network-security-config>', [("base", 1, None)])):
    ght.equal([(r["scope"], r["cleartext"], r["anchors"]) for r in net(app("net", "N", {}, text))], want, f"configuration: {text[24:60]}")


def damaged(parts, what, status, word):
    labels, rows = ours(pack(d / "x.apk", parts))
    runs = [(r["status"], r["why"]) for r in rows if r["table"] == "blob_runs" and r["plugin"] == "resources"]
    ght.check(len(runs) == 1 and runs[0][0] == status and word in runs[0][1], f"damage: {what}", runs)
    return labels


seeds = make()
damaged(seeds["no_config.apk"], "no such configuration", "bad", "is not in the archive")
damaged({**seeds["app.apk"], "resources.arsc": b"nonsense" * 4}, "no table", "bad", "no resource table")
ght.equal(damaged({k: v for k, v in seeds["app.apk"].items() if k != "resources.arsc"}, "table missing", "ok", "")[0]["label"], None, "damage: no table, no name")
ght.equal(damaged({"a.txt": b"x"}, "no app", "ok", ""), [], "damage: no manifest, no row")
arsc = bytearray(seeds["app.apk"]["resources.arsc"])
found = 0
for at in range(0, len(arsc) - 8, 4):  # each entry refers to itself
    if struct.unpack_from("<HBB", arsc, at) == (8, 0, 3):
        struct.pack_into("<HBBI", arsc, at, 8, 0, 1, 0x7f020000)
        found += 1
ght.check(found and damaged({**seeds["app.apk"], "resources.arsc": bytes(arsc)}, "references in a circle", "ok", "")[0]["label"] is None, "damage: a circle ends")
pack(d / "bomb.apk", {**seeds["app.apk"], "resources.arsc": bytes(40 << 20)})
rows = ours(d / "bomb.apk")[1]
ght.check(any(r["code"] == "limit" for r in ght.rows(rows, "notes")) or any(r["table"] == "blob_runs" and r["status"] == "limit" for r in rows), "damage: a table of zeros", rows[-3:])

for corpus in [c for c in map(ght.corpus, ("apktool", "jadx")) if c] + ([pathlib.Path(os.environ["GH_APKS"])] if os.environ.get("GH_APKS") else []):
    n = sum(compare(p, p.name) for p in sorted(corpus.rglob("*.apk")) if p.is_file() and p.read_bytes()[:4] == b"PK\3\4")
    ght.check(n > 0, f"{corpus.name}: {n} packages")
ght.done()
