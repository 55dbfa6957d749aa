#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The manifest reader against aapt and aapt2: every distinct manifest of the corpus and of the npm packages, and manifests built
here; then binary XML that no tool writes, made field by field. The rules of the package manager are written here a second time."""
import os
import pathlib
import re
import shutil
import struct
import subprocess
import sys
import zipfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parents[2] / "tests/lib"), str(HERE)]
import ght  # noqa: E402
import mkaxml  # noqa: E402
from mkaxml import E, Hex, Ref, Typed  # noqa: E402

T = ght.tmp()
A = mkaxml.ANDROID
TABLES = ("manifests", "manifest_permissions", "manifest_components", "manifest_intents")
FLAGS = ["privileged", "development", "appop", "pre23", "installer", "verifier", "preinstalled", "setup", "instant", "runtime", "oem",
         "vendorPrivileged", "textClassifier", "wellbeing", "documenter", "configurator", "incidentReportApprover", "appPredictor",
         "module", "companion", "retailDemo", "recents", "role", "knownSigner"]

# ---- what the reference tools print, as a tree: (tag, {(namespace?, name): (type, value)}, children) ----


def unescape(s):
    return re.sub(r"\\(.)", lambda m: {"n": "\n"}.get(m[1], m[1]), s, flags=re.S)


def value1(v):
    """aapt: "text" (Raw: …) | (type 0x10)0xa | @0x… | ?0x…"""
    if v.startswith('"'):
        return "s", unescape(re.match(r'"((?:[^"\\]|\\.)*)"', v, re.S)[1])
    m = re.match(r"\(type 0x([0-9a-f]+)\)0x([0-9a-f]+)", v)
    if m:
        kind, data = int(m[1], 16), int(m[2], 16)
        return ("b", data != 0) if kind == 0x12 else ("i", data - (data >> 31 << 32)) if 0x10 <= kind <= 0x1F else ("t%d" % kind, data)
    return ("r", int(v[1:].split()[0], 16)) if v[0] in "@?" else ("?", v)


def value2(v):
    """aapt2: "text" (Raw: …) | 10 | 0x0000000a | true | @0x…"""
    if v.startswith('"'):
        half = re.match(r'"(.*)" \(Raw: "(.*)"\)$', v, re.S)
        return "s", half[1] if half else v[1:-1]
    if v in ("true", "false"):
        return "b", v == "true"
    if v[:1] in "@?":
        return "r", int(v[1:], 16) if re.match(r"[@?]0x[0-9a-f]+$", v) else 0 if v == "@null" else v
    m = re.match(r"(-?\d+|0x[0-9a-f]+)( \(Raw: .*\))?$", v)
    if m:
        n = int(m[1], 0)
        return "i", n - (n >> 31 << 32) if n > 0 else n
    return "?", v


def tree(text, value):
    lines = []
    for line in text.split("\n"):
        if re.match(r"\s*[NEACT]: ", line):
            lines.append(line)
        elif lines:
            lines[-1] += "\n" + line
    root, stack, last = ("", {}, []), [], None
    for line in lines:
        indent, kind, rest = len(line) - len(line.lstrip()), line.lstrip()[0], line.lstrip()[3:]
        if kind == "E":
            while stack and stack[-1][0] >= indent:
                stack.pop()
            # The package manager does not ask for the namespace of an element, and so <android:uses-permission> counts.
            last = (re.sub(r" \(line=\d+\)\s*$", "", rest).rsplit(":", 1)[-1], {}, [])
            (stack[-1][1] if stack else root)[2].append(last)
            stack.append((indent, last))
        elif kind == "A":
            m = re.match(r"(?:(http\S*|[\w.]+):)?([^=(:]*)(?:\(0x([0-9a-f]{8})\))?=(.*)", rest, re.S)
            name = mkaxml_name(m)
            last[1].setdefault(name, value(m[4].rstrip("\n")))
    return root[2][0] if root[2] else None


NAMES = {v: k for k, v in mkaxml.IDS.items()}


def mkaxml_name(m):
    if m[3]:
        return NAMES.get(int(m[3], 16), m[3])
    return m[2] if m[2] == "package" and not m[1] else "plain:" + m[2]


# ---- the package manager's rules ----


def text(e, name):
    v = e[1].get(name)
    if not v or v[0] == "r" or v[0][0] == "t":
        return None
    return v[1] if v[0] == "s" else ("true" if v[1] else "false") if v[0] == "b" else str(v[1])


def flag(e, name, otherwise):
    v = e[1].get(name)
    if not v or v == ("r", 0):
        return otherwise
    if v[0] == "r":
        return None
    return int(v[1] in ("true", "TRUE", "1")) if v[0] == "s" else int(v[1] != 0)


def number(e, name, otherwise):
    v = e[1].get(name)
    if not v:
        return otherwise
    if v[0] == "s":
        return int(v[1]) if re.fullmatch(r"-?\d+", v[1]) else None
    return None if v[0] == "r" else int(v[1])


def protection(level):
    if level is None:
        return None
    base = {0: "normal", 1: "dangerous", 2: "signature", 3: "signature", 4: "internal"}.get(level & 15, str(level & 15))
    bits = level >> 4 | (1 if level & 15 == 3 else 0)
    return "|".join([base] + [w for i, w in enumerate(FLAGS) if bits >> i & 1])


def of(e, *tags):
    return [c for c in e[2] if c[0] in tags]


def expect(root):
    """The rows of a manifest, as the package manager understands it: {table: [row, …]}."""
    out = {t: [] for t in TABLES}
    pkg = text(root, "package")
    app = (of(root, "application") or [("application", {}, [])])[0]
    has_app = bool(of(root, "application"))
    sdk = (of(root, "uses-sdk") or [("", {}, [])])[-1]

    def cls(s):
        return s if s is None or not s or not pkg else pkg + s if s[0] == "." else s if "." in s else pkg + "." + s

    def proc(s, otherwise):
        return otherwise if not s else pkg + s if s[0] == ":" else s
    app_proc = proc(text(app, "process"), None)
    app_perm = text(app, "permission") or None
    low = number(sdk, "minSdkVersion", 1)
    target = number(sdk, "targetSdkVersion", low)
    if target is None and sdk[1].get("targetSdkVersion", sdk[1].get("minSdkVersion", ("",)))[0] == "s":
        target = 10000
    for p in root[2]:
        if p[0] in ("uses-permission", "uses-permission-sdk-23", "uses-permission-sdk-m") and text(p, "name") is not None:
            out["manifest_permissions"].append({"name": text(p, "name"), "how": "uses", "protection": None})
        if p[0] in ("permission", "permission-tree") and text(p, "name") is not None:
            level = 0 if p[0] == "permission-tree" else number(p, "protectionLevel", 0)
            out["manifest_permissions"].append({"name": text(p, "name"), "how": "defines", "protection": protection(level)})
    launcher, activities = 0, {}
    for c in of(app, "activity", "activity-alias", "service", "receiver", "provider"):
        own = flag(c, "enabled", 1)
        enabled = 0 if 0 in (own, flag(app, "enabled", 1)) else None if None in (own, flag(app, "enabled", 1)) else 1
        name, perm = cls(text(c, "name")), text(c, "permission")
        row = {"kind": c[0], "name": name, "enabled": enabled, "process": proc(text(c, "process"), app_proc),
               "direct_boot": flag(c, "directBootAware", 0), "authorities": text(c, "authorities") if c[0] == "provider" else None,
               "read_permission": None, "write_permission": None,
               "permission": (perm if perm is not None else app_perm) or None}
        filters = []
        for f in of(c, "intent-filter"):
            pick = [[text(x, "name") for x in of(f, tag) if text(x, "name") is not None] for tag in ("action", "category")]
            pick += [[text(x, a) for x in of(f, "data") if text(x, a) is not None] for a in ("scheme", "host")]
            if pick[0] or c[0] in ("service", "provider"):
                filters.append((pick, number(f, "priority", 0)))
        if c[0] == "provider":
            r, w = text(c, "readPermission"), text(c, "writePermission")
            row["read_permission"] = (r if r is not None else perm if perm is not None else app_perm) or None
            row["write_permission"] = (w if w is not None else perm if perm is not None else app_perm) or None
            row["permission"] = row["write_permission"] if row["read_permission"] else None
            implied = None if target is None else int(target < 17)
        else:
            implied = int(bool(filters))
        if c[0] == "activity":
            activities.setdefault(name, row)
        if c[0] == "activity-alias":
            to = activities.get(cls(text(c, "targetActivity")))
            row.update(permission=perm or None, process=to["process"] if to else app_proc, direct_boot=to["direct_boot"] if to else 0)
        row["exported"] = flag(c, "exported", implied)
        out["manifest_components"].append(row)
        for (actions, categories, schemes, hosts), priority in filters:
            if c[0].startswith("activity") and "android.intent.action.MAIN" in actions and enabled != 0 and launcher != 1 and \
                    {"android.intent.category.LAUNCHER", "android.intent.category.LEANBACK_LAUNCHER"} & set(categories):
                launcher = enabled
            out["manifest_intents"] += [
                {"component": len(out["manifest_components"]) - 1, "action": a, "category": g, "scheme": s, "host": h, "priority": priority}
                for a in actions for g in categories or [None] for s in schemes or [None] for h in hosts or [None]]
    net = app[1].get("networkSecurityConfig")
    code, major = number(root, "versionCode", 0), number(root, "versionCodeMajor", 0)
    said = {"versionCode", "versionCodeMajor"} & set(root[1]) and code is not None and major is not None
    overlays = [text(o, "targetPackage") for o in of(root, "overlay")]
    out["manifests"].append({
        "package": pkg, "version_code": (major << 32 | code & 0xFFFFFFFF) if said else None, "version_name": text(root, "versionName"),
        "shared_uid": text(root, "sharedUserId"), "min_sdk": number(sdk, "minSdkVersion", None),
        "target_sdk": number(sdk, "targetSdkVersion", None), "persistent": flag(app, "persistent", 0),
        "debuggable": flag(app, "debuggable", 0), "cleartext": flag(app, "usesCleartextTraffic", None), "enabled": flag(app, "enabled", 1),
        "has_code": flag(app, "hasCode", 1) if has_app else 0, "has_launcher": launcher, "test_only": flag(app, "testOnly", 0),
        "overlay_target": next((o for o in overlays if o is not None), None),
        "network_config": "@0x%08x" % net[1] if net and net[0] == "r" else text(app, "networkSecurityConfig"), "process": app_proc,
        "target_sandbox": number(root, "targetSandboxVersion", None)})
    return out


# ---- ours ----


def ours(rows, blob):
    """The same of gh_drive: without blob, n and at; components by their order."""
    out, first = {}, None
    for t in TABLES:
        out[t] = []
        for r in ght.rows(rows, t, blob=blob):
            if t == "manifest_components" and first is None:
                first = r["n"]
            r = {k: v for k, v in r.items() if k not in ("table", "blob", "n", "at")}
            if t == "manifest_intents":
                r["component"] -= first
            out[t].append(r)
    return out


def axml_notes(rows, blob=None):
    return [(r["at"], r["what"]) for r in rows if r["table"] == "notes" and r["plugin"] == "axml" and blob in (None, r["blob"])]


def compare(name, got, want):
    for t in TABLES:
        if got[t] != want[t]:
            for g, w in zip(got[t] + [None] * 9999, want[t]):
                if g != w:
                    return ght.check(False, f"{name}: {t}", f"{len(got[t])} rows, want {len(want[t])}; got {g}, want {w}")
            return ght.check(False, f"{name}: {t}", f"{len(got[t])} rows, want {len(want[t])}; too much: {got[t][len(want[t])]}")
    n = sum(map(len, want.values()))
    return ght.check(True, f"{name} ({n} rows)")


def dump(tool, apk):
    argv = {"aapt": ["aapt", "dump", "xmltree", apk, "AndroidManifest.xml"],
            "aapt2": ["aapt2", "dump", "xmltree", "--file", "AndroidManifest.xml", apk]}[tool]
    p = subprocess.run([str(a) for a in argv], capture_output=True)
    out = p.stdout.decode("utf-8", "surrogateescape")
    return tree(out, value1 if tool == "aapt" else value2) if p.returncode == 0 else None


def badging(name, apk, rows):
    """Package, version, releases and permissions once more, as aapt's own interpretation of the manifest has them."""
    p = subprocess.run(["aapt2", "dump", "badging", str(apk)], capture_output=True)
    out = p.stdout.decode("utf-8", "replace")
    m = re.match(r"package: name='(.*?)' versionCode='(.*?)' versionName='(.*?)'", out)
    if not m:
        return False
    got = rows["manifests"][0]
    uses = re.findall(r"^uses-permission(?:-sdk-23)?: name='(.*?)'", out, re.M)
    implied = set(re.findall(r"^uses-implied-permission: name='(.*?)'", out, re.M))
    want = {"package": m[1], "uses": sorted(set(uses) - implied)}
    have = {"package": got["package"], "uses": sorted({r["name"] for r in rows["manifest_permissions"] if r["how"] == "uses"} - implied)}
    for key, field, pattern in (("min", "min_sdk", r"^sdkVersion:'(\d+)'"), ("target", "target_sdk", r"^targetSdkVersion:'(\d+)'")):
        said = re.search(pattern, out, re.M)
        if said:
            want[key], have[key] = int(said[1]), got[field]
    if m[2] and got["version_code"] is not None:
        want["code"], have["code"] = int(m[2]) & 0xFFFFFFFF, got["version_code"] & 0xFFFFFFFF
    if got["version_name"] is not None:
        want["version"], have["version"] = m[3], got["version_name"]
    ght.equal(have, want, f"{name}: badging")
    return True


# ---- real manifests ----

# What neither aapt nor aapt2 reads: rows of manifests, permissions, components, intents; the first note.
ODD = {"incorrect-manifest-size.apk": ([0, 0, 0, 0], "not a chunk: 292 bytes stepped over"),  # damaged: its CRC-32 is wrong too
       "janus.apk": ([1, 6, 1, 1], "")}  # a DEX file before the archive: not an APK for aapt


def manifests_of(apk, rows):
    """[(blob, sha256)] of the members called AndroidManifest.xml of the archive itself that were looked at."""
    top = ght.rows(rows, "members", blob=1)[0]["child"]
    blobs = [r["child"] for r in ght.rows(rows, "members", blob=top, name="AndroidManifest.xml") if r["child"]]
    return [(b, ght.blob_of(rows, b)["sha256"]) for b in dict.fromkeys(blobs)]


def one_apk(apk, seen):
    rows = ght.drive(apk)
    found = manifests_of(apk, rows)
    for blob, digest in found:
        if digest in seen:
            continue
        seen.add(digest)
        got = ours(rows, blob)
        read = 0
        for tool in ("aapt", "aapt2"):
            want = dump(tool, apk) if len(found) == 1 else None
            if want and want[0] == "manifest":
                compare(f"{apk.name}: {tool}", got, expect(want))
                read += 1
        if read and got["manifests"]:
            badging(apk.name, apk, got)
        if not read:
            odd(apk, blob, rows, got)
        elif axml_notes(rows, blob):
            ght.equal(axml_notes(rows, blob)[0][1], NOTED.get(apk.name), f"{apk.name}: note")


def odd(apk, blob, rows, got):
    said = [len(got[t]) for t in TABLES], (axml_notes(rows, blob) or [(0, "")])[0][1]
    ght.equal(said, ODD.get(apk.name), f"{apk.name}: no tool reads it; stated result")


# What they read, but we have something to say about: the first note.
NOTED = {}


def real():
    seen, apks = set(), []
    for part in ("apksig", "apktool", "fdroidserver", "jadx"):
        d = ght.corpus(part)
        apks += sorted(d.rglob("*.apk")) if d else []
    npm = pathlib.Path(os.environ.get("GH_DEMO", ght.ROOT / "build/demo")) / ".work/parts/npm"
    if npm.is_dir():
        apks += sorted(npm.rglob("*.apk"))
    else:
        ght.skip("npm packages", "the demonstration phone was not made (make demo)")
    framework = pathlib.Path("/usr/share/android-framework-res/framework-res.apk")
    if framework.exists():
        apks.append(framework)
    for apk in apks:
        one_apk(apk, seen)
    print(f"     {len(apks)} APKs, {len(seen)} distinct manifests")


# ---- manifests compiled here ----

RICH = """<?xml version="1.0" encoding="utf-8"?>
<manifest xmlns:android="http://schemas.android.com/apk/res/android" package="org.example.app" android:versionCode="7"
    android:versionName="1.0-\u00e4\u4e2d\U0001f600" android:sharedUserId="android.uid.system">
  <uses-sdk android:minSdkVersion="14" android:targetSdkVersion="TARGET"/>
  <uses-permission android:name="android.permission.INTERNET"/>
  <uses-permission android:name="android.permission.CAMERA" android:maxSdkVersion="22"/>
  <uses-permission-sdk-23 android:name="android.permission.READ_SMS"/>
  <permission android:name="org.example.NONE"/>
  <permission android:name="org.example.DANGEROUS" android:protectionLevel="dangerous"/>
  <permission android:name="org.example.OLD" android:protectionLevel="signatureOrSystem"/>
  <permission android:name="org.example.ALL" android:protectionLevel="signature|privileged|development|appop|pre23|installer|verifier|preinstalled|setup|instant|runtime|oem|vendorPrivileged|textClassifier|wellbeing|documenter|configurator|incidentReportApprover|appPredictor"/>
  <permission-tree android:name="org.example.tree" />
  <permission-group android:name="org.example.group"/>
  <application android:permission="org.example.APP" android:process=":main" android:persistent="true" android:debuggable="true"
      android:usesCleartextTraffic="false" android:testOnly="true">
    <activity android:name=".Main" android:process=":ui" android:directBootAware="true">
      <intent-filter android:priority="5"><action android:name="android.intent.action.MAIN"/>
        <category android:name="android.intent.category.LAUNCHER"/><category android:name="android.intent.category.DEFAULT"/></intent-filter>
      <intent-filter android:priority="-1"><action android:name="android.intent.action.VIEW"/>
        <data android:scheme="http" android:host="a.example"/><data android:scheme="https"/><data android:host="*.b.example"/></intent-filter>
    </activity>
    <activity android:name="Plain"/>
    <activity android:name="org.example.other.Off" android:enabled="false" android:exported="true" android:permission=""/>
    <activity android:name=".NoAction"><intent-filter><category android:name="x.y"/></intent-filter></activity>
    <activity-alias android:name=".Alias" android:targetActivity=".Main"/>
    <activity-alias android:name=".OpenAlias" android:targetActivity="org.example.app.Plain" android:exported="true"
        android:permission="org.example.ALIAS"/>
    <service android:name=".Service"><intent-filter><action android:name="org.example.DO"/></intent-filter></service>
    <service android:name=".Closed" android:exported="false" android:permission="p.q" android:process="com.other.process">
      <intent-filter><action android:name="org.example.DO"/></intent-filter></service>
    <service android:name=".Empty"><intent-filter/></service>
    <receiver android:name=".Boot" android:permission="android.permission.RECEIVE_BOOT_COMPLETED"><intent-filter>
      <action android:name="android.intent.action.BOOT_COMPLETED"/><action android:name="android.intent.action.USER_PRESENT"/></intent-filter>
      <intent-filter><action android:name="android.provider.Telephony.SECRET_CODE"/><data android:scheme="android_secret_code" android:host="1234"/>
      </intent-filter></receiver>
    <provider android:name=".Implied" android:authorities="a;b"/>
    <provider android:name=".Half" android:authorities="c" android:exported="true" android:readPermission="r.r" android:permission=""/>
    <provider android:name=".Two" android:authorities="d" android:readPermission="r.r" android:writePermission="w.w"/>
    <provider android:name=".Own" android:authorities="e" android:permission="o.o"/>
  </application>
</manifest>
"""


def compiled():
    if not shutil.which("aapt2") or not pathlib.Path("/usr/share/android-framework-res/framework-res.apk").exists():
        return ght.skip("compiled manifests", "aapt2 or android-framework-res is not installed")
    for tool in ("aapt", "aapt2"):
        for target in ("16", "29"):
            src, apk = T / "AndroidManifest.xml", T / f"{tool}-{target}.apk"
            src.write_text(RICH.replace("TARGET", target))
            framework = "/usr/share/android-framework-res/framework-res.apk"
            if tool == "aapt":
                ght.run("aapt", "package", "-f", "-M", src, "-I", framework, "-F", apk)
            else:
                ght.run("aapt2", "link", "--manifest", src, "-I", framework, "-o", apk)
            rows = ght.drive(apk)
            blob = manifests_of(apk, rows)[0][0]
            got = ours(rows, blob)
            compare(f"{tool}, target {target}", got, expect(dump(tool, apk)))
            ght.equal(axml_notes(rows, blob), [], f"{tool}, target {target}: no notes")
            by_hand(f"{tool}, target {target}", got, int(target))


def by_hand(name, got, target):
    """What must come out of RICH, written down without any program."""
    c = {r["name"].rsplit(".", 1)[1]: r for r in got["manifest_components"]}
    m = got["manifests"][0]
    ght.equal((m["package"], m["version_code"], m["version_name"], m["shared_uid"], m["min_sdk"], m["target_sdk"], m["process"]),
              ("org.example.app", 7, "1.0-\u00e4\u4e2d\U0001f600", "android.uid.system", 14, target, "org.example.app:main"), f"{name}: package")
    ght.equal((m["persistent"], m["debuggable"], m["cleartext"], m["enabled"], m["has_code"], m["has_launcher"], m["test_only"]),
              (1, 1, 0, 1, 1, 1, 1), f"{name}: application")
    ght.equal([k for k in c if c[k]["exported"]],
              ["Main", "Off", "OpenAlias", "Service", "Empty", "Boot"] + (["Implied"] if target < 17 else []) + ["Half"] +
              (["Two", "Own"] if target < 17 else []), f"{name}: exported")
    app = "org.example.APP"
    ght.equal({k: c[k]["permission"] for k in c},
              {"Main": app, "Plain": app, "Off": None, "NoAction": app, "Alias": None, "OpenAlias": "org.example.ALIAS", "Service": app,
               "Closed": "p.q", "Empty": app, "Boot": "android.permission.RECEIVE_BOOT_COMPLETED", "Implied": app, "Half": None,
               "Two": "w.w", "Own": "o.o"}, f"{name}: permissions")
    ght.equal([(c[k]["read_permission"], c[k]["write_permission"]) for k in ("Implied", "Half", "Two", "Own", "Main")],
              [(app, app), ("r.r", None), ("r.r", "w.w"), ("o.o", "o.o"), (None, None)], f"{name}: providers")
    ght.equal({k: c[k]["process"].replace("org.example.app", "") for k in ("Main", "Plain", "Alias", "OpenAlias", "Closed")},
              {"Main": ":ui", "Plain": ":main", "Alias": ":ui", "OpenAlias": ":main", "Closed": "com.other.process"}, f"{name}: processes")
    ght.equal([k for k in c if c[k]["direct_boot"]], ["Main", "Alias"], f"{name}: direct boot")
    links = {(r["scheme"], r["host"]) for r in got["manifest_intents"] if r["action"] == "android.intent.action.VIEW"}
    ght.equal(links, {(s, h) for s in ("http", "https") for h in ("a.example", "*.b.example")}, f"{name}: links")
    ght.equal({r["name"][12:]: r["protection"] for r in got["manifest_permissions"] if r["how"] == "defines"},
              {"NONE": "normal", "DANGEROUS": "dangerous", "OLD": "signature|privileged", "tree": "normal",
               "ALL": "signature|" + "|".join(FLAGS[:18])}, f"{name}: protection")


# ---- binary XML that no tool writes ----

def base(**kw):
    return E("manifest", {"package": "org.e", "android:versionCode": 3, **kw},
             E("uses-permission", {"android:name": "android.permission.INTERNET"}),
             E("application", {"android:debuggable": True},
               E("activity", {"android:name": ".A"},
                 E("intent-filter", {"android:priority": 2}, E("action", {"android:name": "android.intent.action.MAIN"}),
                   E("category", {"android:name": "android.intent.category.LAUNCHER"})))))


def to_tree(e):
    """The tree of what mkaxml is given."""
    def kind(v):
        if isinstance(v, Typed):
            return {0x12: ("b", v[1] != 0), 7: ("r", v[1]), 0x10: ("i", v[1]), 3: ("s", "")}.get(v[0], ("t%d" % v[0], v[1]))
        return ("b", v) if isinstance(v, bool) else ("r", int(v)) if isinstance(v, Ref) else ("i", int(v)) if isinstance(v, int) else ("s", v)
    return (e[0], {k.split(":")[-1]: kind(v) for k, v in e[1].items()}, [to_tree(c) for c in e[2] if not isinstance(c, bytes)])


def look(data, name="AndroidManifest.xml"):
    p = T / name
    p.write_bytes(data)
    rows = ght.drive(p, only="axml")
    blob = ght.rows(rows, "members", blob=1)[0]["child"]
    return ours(rows, blob), [w for _, w in axml_notes(rows, blob)]


def same(name, data, want=None, note=None):
    """The rows are those of `want` (a tree), and the first note holds these words, or there is none."""
    got, notes = look(data)
    compare(name, got, expect(to_tree(want or base())))
    ght.check(note in notes[0] if note and notes else not note and not notes, f"{name}: note", notes)


def hostile():
    for utf8 in (True, False):
        way = "UTF-8" if utf8 else "UTF-16"
        same(f"{way}", mkaxml.manifest(base(), utf8))
        for text_ in ("x" * 127, "x" * 128, "y" * 300, "z" * 0x7FFE, "\u00e9" * 200, "\U0001f600\u4e2d", "", "a\x00b"):
            m = base(**{"android:versionName": text_})
            got, notes = look(mkaxml.manifest(m, utf8))
            ght.equal((got["manifests"][0]["version_name"], notes), (text_.replace("\x00", "\\x00"), []), f"{way}: text {text_[:5]!r}*{len(text_)}")
    got, _ = look(mkaxml.manifest(base(**{"android:versionName": "a\ud800b"}), False))
    ght.equal(got["manifests"][0]["version_name"], "a\\xed\\xa0\\x80b", "half of a pair")
    n = 0x8000 + 77
    same("UTF-8 text of 32 KiB and more", mkaxml.manifest(base(**{"android:versionName": "w" * n}), pool_args={
        "pack": lambda s: mkaxml.string8(s) if len(s) < n else mkaxml.length8(n & 0x7FFF) * 2 + s.encode() + b"\0"}),
        base(**{"android:versionName": "w" * n}), "longer than its length says")
    unended = {"pack": lambda s: mkaxml.string8(s)[:-1] + b"!" if s == "org.e" else mkaxml.string8(s)}
    same("a string that is not ended", mkaxml.manifest(base(), pool_args=unended), note="Android refuses it")
    documents()
    values()
    structures()


def documents():
    z = b"\0" * 4
    same("type 0", mkaxml.manifest(base(), kind=0), note="chunk type 0")
    same("another type", mkaxml.manifest(base(), kind=0x3C), note="chunk type 60")
    same("a header of 28 bytes", mkaxml.manifest(base(), header=28), note="Android loads it all the same")
    same("a header of 2 bytes", mkaxml.manifest(base(), header=2), note="header of 2 bytes instead of 8: Android refuses it")
    same("a size that is too large", mkaxml.manifest(base(), size=1 << 30), note="Android refuses it")
    same("bytes behind the document", mkaxml.manifest(base(), tail=b"PK\3\4" * 5))
    same("an unknown chunk", mkaxml.manifest(base(), between=mkaxml.chunk(0x7777, z, z)), note="unknown chunk of type 0x7777")
    same("no chunk at all", mkaxml.manifest(base(), between=b"\xff" * 24), note="24 bytes stepped over")
    same("styles in the pool", mkaxml.manifest(base(), pool_args={"styles": 9, "style_start": 4}), note="styles outside")
    same("too many strings", mkaxml.manifest(base(), pool_args={"count": 1 << 30}), note="1073741824 strings")
    same("attributes 24 bytes apart", mkaxml.manifest(base(), attr_size=24), note="not 20 bytes apart")
    same("a gap before the attributes", mkaxml.manifest(base(), pad_attrs=8))
    m = base()
    same("chunks among the nodes", mkaxml.manifest(E(*m[:2], mkaxml.chunk(0x1F0, z * 2, z), *m[2])), note="chunk of type 0x1f0 among")
    same("damage among the nodes", mkaxml.manifest(E(*m[:2], b"\xff\xff\0\0" + z * 3, *m[2])), note="not a chunk: 16 bytes")
    same("an element without room", mkaxml.manifest(E(*m[:2], mkaxml.chunk(0x102, z * 2, z), *m[2])), note="element of 20 bytes stepped")
    for cut in (4, 8, 40):
        got, notes = look(mkaxml.manifest(base())[:-cut])
        ght.check(notes and len(got["manifests"]) == 1, f"cut off by {cut} bytes: what came before is there", (got, notes))
    for name, data in (("text", b'<?xml version="1.0"?>\n<manifest package="a"/>'), ("UTF-16 text", "\ufeff<?xml?><manifest/>".encode("utf-16-le")),
                       ("four bytes", b"\3\0\x08\0"), ("nothing", b"")):
        got, notes = look(data)
        ght.equal((sum(map(len, got.values())), notes), (0, []), f"{name} is not binary XML")
    got, notes = look(mkaxml.manifest(E("resources", {})))
    ght.check(not any(got.values()) and "not a manifest" in " ".join(notes) or "no manifest element" in " ".join(notes), "no manifest inside", notes)


def values():
    app = {"android:debuggable": Ref(0x7F050001), "android:usesCleartextTraffic": Typed((7, 0x02050001)), "android:networkSecurityConfig":
           Ref(0x7F150003), "android:enabled": Ref(0x7F050002), "android:permission": Ref(0x7F0C0001), "android:persistent": "true",
           "android:testOnly": Hex(0xFFFFFFFF), "android:hasCode": Ref(0)}
    m = E("manifest", {"package": "org.e", "android:versionCode": Hex(0x80000001), "android:versionCodeMajor": 2, "android:versionName":
                       Ref(0x7F0C0002), "android:sharedUserId": ""},
          E("uses-sdk", {"android:minSdkVersion": "Q"}),
          E("permission", {"android:name": "a.B", "android:protectionLevel": Hex(0x5)}),
          E("permission", {"android:name": "a.C", "android:protectionLevel": Ref(0x7F010001)}),
          E("application", app, E("activity", {"android:name": "A", "android:exported": Ref(0x7F050003)}),
            E("provider", {"android:name": ".P", "android:enabled": False}),
            E("activity-alias", {"android:name": "L", "android:targetActivity": "A"},
              E("intent-filter", {}, E("action", {"android:name": "android.intent.action.MAIN"}),
                E("category", {"android:name": "android.intent.category.LEANBACK_LAUNCHER"})))))
    got, notes = look(mkaxml.manifest(m))
    want = expect(to_tree(m))
    compare("references", got, want)
    r = got["manifests"][0]
    ght.equal([r[k] for k in ("debuggable", "cleartext", "enabled", "network_config", "version_name", "persistent", "test_only", "has_code",
                              "has_launcher", "version_code", "min_sdk", "shared_uid")],
              [None, None, None, "@0x7f150003", None, 1, 1, 1, None, 0x280000001, None, ""], "references: by hand")
    ght.equal([c["exported"] for c in got["manifest_components"]], [None, 0, 1], "exported by a reference")
    ght.equal(notes, [], "references: no notes")
    got, notes = look(mkaxml.manifest(base(), by_name=["debuggable"]))
    ght.equal((got["manifests"][0]["debuggable"], notes), (1, ["an attribute without resource id: Android overlooks it"]), "known by name only")
    late = E("manifest", {"package": "p"}, E("application", {}, E("provider", {"android:name": ".P"})), E("uses-sdk", {"android:targetSdkVersion": 17}))
    same("releases named behind the application", mkaxml.manifest(late), late)
    m = base(**{"android:sharedUserId": "u"})
    same("attributes out of order", mkaxml.manifest(m, sort=False), E(m[0], m[1], *m[2]), "not in the order")
    data = bytearray(mkaxml.manifest(base()))
    at = data.index(struct.pack("<IIIHBB", *raw_of(data, "org.e")))
    other = string_index(data, "android.permission.INTERNET")
    data[at + 8:at + 12] = struct.pack("<I", other)
    got, notes = look(bytes(data))
    ght.equal(got["manifests"][0]["package"], "android.permission.INTERNET", "package: the text as written counts, as for XmlPullParser")


def strings_of(data):
    count, start = struct.unpack_from("<I", data, 16)[0], struct.unpack_from("<I", data, 28)[0]
    out = []
    for i in range(count):
        at = 8 + start + struct.unpack_from("<I", data, 36 + 4 * i)[0]
        out.append(bytes(data[at + 2:at + 2 + data[at + 1]]).decode("utf-8", "replace"))
    return out


def string_index(data, s):
    return strings_of(data).index(s)


def raw_of(data, s):
    """The attribute without namespace whose value is this string."""
    strings = strings_of(data)
    return mkaxml.NONE, strings.index("package"), strings.index(s), 8, 0, 3


def structures():
    m = base()
    two = E(*m[:2], *m[2], E("application", {"android:debuggable": False}, E("service", {"android:name": ".Hidden"})))
    same("a second application", mkaxml.manifest(two), note="a second application")
    deep = E("activity", {"android:name": ".No"})
    for _ in range(300):
        deep = E("application", {}, deep)
    same("elements where they do not count", mkaxml.manifest(E(*m[:2], E("x", {}, deep), E("activity", {"android:name": ".Z"}), *m[2])))
    missing = E("manifest", {"package": "p"}, E("application", {}, E("activity-alias", {"android:name": ".L", "android:targetActivity": ".None"})))
    same("an alias for nothing", mkaxml.manifest(missing), missing, "an alias for an activity that does not stand before it")
    unnamed = E("manifest", {"package": "p"}, E("uses-permission", {"android:name": Ref(0x7F0C0001)}), E("application", {}, E("service", {})))
    got, notes = look(mkaxml.manifest(unnamed))
    ght.equal((len(got["manifest_permissions"]), [c["name"] for c in got["manifest_components"]], len(notes)), (0, [None], 2), "nameless")
    end = mkaxml.chunk(0x103, struct.pack("<II", 1, mkaxml.NONE), struct.pack("<II", mkaxml.NONE, 0))
    got, notes = look(mkaxml.manifest(E("manifest", {"package": "p"}, end, end)))
    ght.check("the end of an element that did not begin" in notes, "ends without begin", notes)
    many = [E("data", {"android:host": f"h{i}"}) for i in range(200)] + [E("data", {"android:scheme": f"s{i}"}) for i in range(90)]
    crowd = E("manifest", {"package": "p"}, E("application", {}, E("activity", {"android:name": ".A"}, E(
        "intent-filter", {}, *[E("action", {"android:name": f"a{i}"}) for i in range(3)], *many))))
    got, notes = look(mkaxml.manifest(crowd))
    rows = got["manifest_intents"]
    ght.equal((len(rows), {len({r[k] for r in rows}) for k in ("action",)}, len({r["host"] for r in rows}), len({r["scheme"] for r in rows}), len(notes)),
              (200, {3}, 200, 90, 1), "more combinations than are listed")


def make_seeds():
    to = HERE / "seeds"
    to.mkdir(exist_ok=True)
    rich = E("manifest", {"package": "p.q", "android:versionCode": 1}, E("uses-sdk", {"android:targetSdkVersion": 16}),
             E("permission", {"android:name": "p.P", "android:protectionLevel": Hex(0x12)}), E("overlay", {"android:targetPackage": "android"}),
             E("application", {"android:networkSecurityConfig": Ref(0x7F150003), "android:process": ":x"},
               E("activity", {"android:name": ".A"}), E("activity-alias", {"android:name": ".L", "android:targetActivity": ".A"}),
               E("provider", {"android:name": ".P", "android:readPermission": "r"}),
               E("receiver", {"android:name": "R"}, E("intent-filter", {}, E("action", {"android:name": "a"}), E("data", {"android:scheme": "s"}),
                                                      E("data", {"android:host": "h"})))))
    seeds = {"utf8": mkaxml.manifest(base()), "utf16": mkaxml.manifest(base(), False), "rich": mkaxml.manifest(rich),
             "header": mkaxml.manifest(base(), header=28, kind=0), "stepped": mkaxml.manifest(base(), between=b"\xff" * 24),
             "pool": mkaxml.manifest(base(), pool_args={"count": 1 << 30, "styles": 9, "style_start": 4}),
             "cut": mkaxml.manifest(rich)[:-40], "attrs": mkaxml.manifest(base(), attr_size=24, pad_attrs=8, sort=False)}
    for name, data in seeds.items():
        (to / f"{name}-AndroidManifest.xml").write_bytes(data)


def seeds():
    for p in sorted((HERE / "seeds").iterdir()):
        got, _ = look(p.read_bytes())
        ght.check(len(got["manifests"]) == 1 and p.stat().st_size <= 16384, f"seed {p.name}", got)


def main():
    if sys.argv[1:] == ["--make-seeds"]:
        return make_seeds()
    if not shutil.which("aapt") or not shutil.which("aapt2"):
        ght.skip("real manifests", "aapt and aapt2 are not installed")
    else:
        real()
    compiled()
    hostile()
    seeds()
    ght.done()


if __name__ == "__main__":
    main()
