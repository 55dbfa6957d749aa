#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The rules that stand on code, through compiled code: packages of dex files (made by smali) and binary manifests in a phone's folder, on which
each rule fires where it should, and beside each one that looks like it, on which it does not; and that silence is not claimed without the code."""
import os
import pathlib
import sqlite3
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests/lib"), str(ROOT / "src/inspectors/axml"), str(ROOT / "src/inspectors/code")]
import ght  # noqa: E402
import mkaxml  # noqa: E402
from mkapp import archive, cls, dex, method  # noqa: E402
from mkaxml import E  # noqa: E402

BIN = os.environ.get("GH_BIN", str(ght.BUILD / "gifthorse"))
D = ght.tmp()
END = "\nreturn-void"
RECEIVE = "onReceive(Landroid/content/Context;Landroid/content/Intent;)V"
READ = """const/4 v0, 0x0
invoke-virtual {v0}, Ljava/net/URL;->openStream()Ljava/io/InputStream;
move-result-object v1
new-instance v2, Ljava/io/BufferedReader;
new-instance v3, Ljava/io/InputStreamReader;
invoke-direct {v3, v1}, Ljava/io/InputStreamReader;-><init>(Ljava/io/InputStream;)V
invoke-direct {v2, v3}, Ljava/io/BufferedReader;-><init>(Ljava/io/Reader;)V
invoke-virtual {v2}, Ljava/io/BufferedReader;->readLine()Ljava/lang/String;
move-result-object v1
"""
FIXED = 'const-string v1, "logcat -d"\n'
EXEC = """invoke-static {}, Ljava/lang/Runtime;->getRuntime()Ljava/lang/Runtime;
move-result-object v4
invoke-virtual {v4, v1}, Ljava/lang/Runtime;->exec(Ljava/lang/String;)Ljava/lang/Process;
"""
LOAD = """const/4 v2, 0x0
new-instance v4, Ldalvik/system/DexClassLoader;
invoke-direct {v4, v1, v2, v2, v2}, Ldalvik/system/DexClassLoader;-><init>(Ljava/lang/String;Ljava/lang/String;Ljava/lang/String;Ljava/lang/ClassLoader;)V
"""
CHECK = """const-string v5, "x.y.P"
invoke-virtual {p1, v5}, Landroid/content/Context;->checkCallingPermission(Ljava/lang/String;)I
"""
QUERY = """sget-object v1, {}->CONTENT_URI:Landroid/net/Uri;
const/4 v0, 0x0
move-object v2, v0
move-object v3, v0
move-object v4, v0
move-object v5, v0
invoke-virtual/range {{v0 .. v5}}, Landroid/content/ContentResolver;->query(Landroid/net/Uri;[Ljava/lang/String;Ljava/lang/String;[Ljava/lang/String;Ljava/lang/String;)Landroid/database/Cursor;
move-result-object v1
const/4 v2, 0x0
invoke-interface {{v1, v2}}, Landroid/database/Cursor;->getString(I)Ljava/lang/String;
move-result-object v1
"""
SEND = """new-instance v2, Ljava/net/URL;
invoke-direct {v2, v1}, Ljava/net/URL;-><init>(Ljava/lang/String;)V
invoke-virtual {v2}, Ljava/net/URL;->openConnection()Ljava/net/URLConnection;
"""
SET = """const/4 v0, 0x0
const-string v1, "{}"
const/4 v2, {}
invoke-static {{v0, v1, v2}}, Landroid/provider/Settings$Global;->putInt(Landroid/content/ContentResolver;Ljava/lang/String;I)Z
"""
SMS, IMAGES = "Landroid/provider/Telephony$Sms;", "Landroid/provider/MediaStore$Images$Media;"
BOOT = E("intent-filter", {}, E("action", {"android:name": "android.intent.action.BOOT_COMPLETED"}))
HOME = E("intent-filter", {}, E("action", {"android:name": "android.intent.action.MAIN"}), E("category", {"android:name": "android.intent.category.LAUNCHER"}))


def receiver(body):
    """A receiver that leaves its work to another class, on a thread."""
    start = f"""new-instance v0, Lx/y/Work;
invoke-direct {{v0}}, Lx/y/Work;-><init>()V
new-instance v1, Ljava/lang/Thread;
invoke-direct {{v1, v0}}, Ljava/lang/Thread;-><init>(Ljava/lang/Runnable;)V
invoke-virtual {{v1}}, Ljava/lang/Thread;->start()V"""
    work = cls("Lx/y/Work;", "Ljava/lang/Object;", method("run()V", body + END, 12), faces=("Ljava/lang/Runnable;",))
    guard = CHECK if "checkCallingPermission" in body else ""
    return dex(cls("Lx/y/Wake;", "Landroid/content/BroadcastReceiver;", method(RECEIVE, guard + start + END, 12)), work.replace(CHECK, ""))


def manifest(package, *more, **attrs):
    wake = E("receiver", {"android:name": "x.y.Wake", "android:exported": True, **{"android:" + k: v for k, v in attrs.items()}}, BOOT)
    return mkaxml.Writer().document(E("manifest", {"package": package}, E("application", {}, wake, *more)))


def phone(apps):
    """A folder of a phone: name of an app -> (code, manifest)."""
    root = ght.tmp()
    (root / "system").mkdir()
    (root / "system/build.prop").write_text("ro.build.type=user\nro.build.version.sdk=30\n")
    for name, (code, xml) in apps.items():
        folder = root / "system/priv-app" / name
        folder.mkdir(parents=True)
        archive(folder / f"{name}.apk", *([code] if code else []), **{"AndroidManifest.xml": xml})
    return root


def scan(root, *options):
    db = D / f"{len(list(D.iterdir()))}.db"
    p = subprocess.run([BIN, "scan", root, "--db", db, "--fail-on", "never", *options], capture_output=True)
    if p.returncode not in (0, 1, 3):
        raise RuntimeError(p.stderr.decode()[-800:])
    con = sqlite3.connect(db)
    return {(r, pathlib.Path(place).stem) for r, place in con.execute("SELECT rule, place FROM findings") if r in RULES}, con


RULES = ("GH-P03", "GH-P05", "GH-P06", "GH-P08", "GH-P28")
OWN = {"exported": False}
# rule: code and manifest on which it fires, and the same for the look-alikes
APPS = {
    "GH-P05": [(READ + EXEC, OWN), (READ + FIXED + EXEC, OWN)],
    "GH-P03": [(READ + LOAD, OWN), (READ + FIXED + LOAD, OWN)],
    "GH-P06": [(FIXED + EXEC, {}), (FIXED + EXEC, OWN), (CHECK + FIXED + EXEC, {}), (FIXED + EXEC, {"enabled": False})],
    "GH-P08": [(QUERY.format(SMS) + SEND, OWN), (QUERY.format(IMAGES) + SEND, OWN), (QUERY.format(SMS) + FIXED + SEND, OWN)],
    "GH-P28": [(SET.format("adb_enabled", "0x1"), OWN), (SET.format("adb_enabled", "0x0"), OWN), (SET.format("airplane_mode_on", "0x1"), OWN)],
}

apps, want = {}, set()
for rule, kinds in APPS.items():
    for i, (body, attrs) in enumerate(kinds):
        name = rule[3:] + ("Like%d" % i if i else "")
        apps[name] = (receiver(body), manifest("x.y." + name.lower(), **attrs))
        if not i:
            want.add((rule, name))
apps["P08Icon"] = (receiver(QUERY.format(SMS) + SEND), manifest("x.y.icon", E("activity", {"android:name": "x.y.Main", "android:exported": True}, HOME), exported=False))
root = phone(apps)
found, db = scan(root)
ght.equal(sorted(found), sorted(want), f"{len(apps)} packages: the rules fire on theirs, and on no look-alike")
paths = dict(db.execute("SELECT gh.package, f.path FROM d_code_flows f JOIN d_apks gh USING(scan_id, place_id) WHERE f.level=3 AND f.sink='EXEC'").fetchall())
place = lambda name: subprocess.run([BIN, "callers", root / "system/priv-app/P05/P05.apk", name], capture_output=True).stdout.decode().splitlines()[-1].split("\t")[:2]  # noqa: E731
ght.equal(paths.get("x.y.p05"), " > ".join(" ".join(place(n)) for n in ("->openStream(", "->exec(")), "path: both ends, as `callers` places them")
ght.equal(db.execute("SELECT DISTINCT f.kind, f.guard, f.entry FROM d_code_flows f JOIN d_apks a USING(scan_id, place_id) WHERE a.package IN ('x.y.p06','x.y.p06like2') AND level=2 ORDER BY 2").fetchall(),
          [("receiver", "none", "Lx/y/Wake;"), ("receiver", "selfcheck", "Lx/y/Wake;")], "doors: who guards them")

# what hides the code keeps the rules from saying "not found"; without it they say it
states = lambda db: {r for r, in db.execute("SELECT rule FROM rule_states WHERE state='not_found'") if r in RULES}  # noqa: E731
key, cert = D / "k.pk8", D / "c.pem"
ght.run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", D / "k.pem", "-out", cert, "-subj", "/CN=Somebody")
ght.run("openssl", "pkcs8", "-topk8", "-outform", "DER", "-nocrypt", "-in", D / "k.pem", "-out", key)


def signed(name, code):
    """A phone of one package that is signed: all that the rules need is there."""
    folder = phone({name: (code, manifest("x.y." + name.lower(), **OWN))})
    app = folder / "system/priv-app" / name / f"{name}.apk"
    ght.run("apksigner", "sign", "--key", key, "--cert", cert, "--min-sdk-version", "21", "--v1-signer-name", "CERT", "--v4-signing-enabled", "false", app)
    return folder


plain = signed("Plain", receiver(FIXED))
found, db = scan(plain)
ght.equal((found, states(db)), (set(), set(RULES)), "nothing there: not found")
for plugin in ("code", "axml", "dex", "apk", "zip"):
    found, db = scan(plain, "--without", plugin)
    ght.equal((found, states(db)), (set(), set()), f"without {plugin}: could not be evaluated")
found, db = scan(signed("Cut", receiver(FIXED)[:-300]))
ght.equal((found, states(db)), (set(), set()), "a dex cut short: could not be evaluated")
(plain / "system/priv-app/Plain/classes.dex").write_bytes(receiver(FIXED))
found, db = scan(plain)
ght.equal((found, states(db)), (set(), set()), "code of an app without the app: could not be evaluated")
ght.done()
