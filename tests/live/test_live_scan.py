#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Whole scans of what a running phone says: the folder of an acquisition, androidqf's zip, a bug report with its FS folder and a backup. The rules of family L through real
texts, each with its look-alike; refusals in the coverage; and what a phone says changes no answer about bytes."""
import io
import json
import os
import pathlib
import re
import sqlite3
import subprocess
import sys
import tarfile
import zipfile
import zlib

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import ght  # noqa: E402

TOOL = ght.BUILD / "gifthorse"
DEMO = pathlib.Path(os.environ.get("GH_DEMO", ght.ROOT / "build/demo"))
d = ght.tmp()


def folder(name, files):
    base = d / name
    for path, text in files.items():
        (base / path).parent.mkdir(parents=True, exist_ok=True)
        (base / path).write_bytes(text if isinstance(text, bytes) else text.encode())
    return base


def scan(name, *inputs, forms=()):
    db = d / f"{name}.db"
    p = subprocess.run([str(TOOL), "scan", *map(str, inputs), "--db", str(db), "--fail-on", "never", "--progress", "none", "-f", f"text={d / name}.txt", *forms], capture_output=True)
    if p.returncode not in (0, 3):
        raise RuntimeError(p.stderr.decode()[-800:])
    return sqlite3.connect(db)


def states(c):
    return dict(c.execute("SELECT rule, state FROM rule_states WHERE rule LIKE 'GH-L%' AND scan_id=(SELECT max(scan_id) FROM scans)"))


def findings(c, rule):
    return sorted(r[0] for r in c.execute("SELECT evidence FROM findings WHERE rule=? AND scan_id=(SELECT max(scan_id) FROM scans)", (rule,)))


QUIET = {
    "live/getprop.txt": "[ro.boot.verifiedbootstate]: [green]\n[ro.boot.flash.locked]: [1]\n[ro.boot.veritymode]: [enforcing]\n[service.adb.tcp.port]: [-1]\n",
    "live/selinux.txt": "Enforcing\n",
    "live/packages.txt": "package:/system/priv-app/Store/Store.apk=com.android.vending versionCode:1 uid:10001\npackage:/data/app/~~x==/com.own-y==/base.apk=com.own versionCode:1 "
                         "installer=com.android.vending uid:10100\npackage:/system/app/Agent/Agent.apk=com.agent uid:10002\npackage:/product/app/Gms/Gms.apk=com.gms uid:10003\n",
    "live/netstat.txt": "Active Internet connections (established and servers)\nProto Recv-Q Send-Q Local Address Foreign Address State PID/Program\n"
                        "tcp 0 0 127.0.0.1:5037 0.0.0.0:* LISTEN -\n",
    "live/proc_net_tcp.txt": "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
                             "   0: 00000000:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000 10100        0 4321 1 0 100 0 0 10 0\n",
    "live/accessibility.txt": "ACCESSIBILITY MANAGER (dumpsys accessibility)\nUser state[attributes:{id=0, currentUser=true\n  installed services: {\n    0 : com.own/.Reader\n  }\n  enabled services: {\n  }\n",
    "live/device_policy.txt": "Current Device Policy Manager state:\n  Enabled Device Admins (User 0, provisioningState: 0):\n    com.gms/.Admin:\n      uid=10003\n",
    "live/notification.txt": "Current Notification Manager state:\n  Notification listeners:\n    All notification listeners (0) enabled for current profiles:\n",
    "live/settings_global.txt": "private_dns_mode=hostname\nprivate_dns_specifier=dns.google\nhttp_proxy=:0\n",
    "live/settings_secure.txt": "enabled_accessibility_services=null\n",
    "live/cacerts_user.txt": "ls: /data/misc/user/0/cacerts-added: Permission denied\n",
    "live/dropbox.txt": "Permission Denial: can't dump dropbox\n",
    "acquisition.json": json.dumps({"schema_version": 1, "items": [{"name": "getprop", "asked": "getprop", "state": "answered", "bytes": 1, "path": "live/getprop.txt"},
                                    {"name": "dropbox", "asked": "dumpsys dropbox", "state": "denied", "bytes": 0, "path": "live/dropbox.txt"},
                                    {"name": "package", "asked": "dumpsys package", "state": "cut", "bytes": 9, "path": "live/package.txt"}]}),
}


def loud():
    texts = dict(QUIET)
    texts["live/getprop.txt"] = "[ro.boot.verifiedbootstate]: [yellow]\n[ro.boot.vbmeta.public_key_digest]: [ab12]\n[ro.boot.flash.locked]: [0]\n[service.adb.tcp.port]: [5555]\n[ro.adb.secure]: [0]\n"
    texts["live/selinux.txt"] = "Permissive\n"
    texts["live/packages.txt"] = QUIET["live/packages.txt"] + "package:/data/app/~~z==/com.game-z==/base.apk=com.game versionCode:1 installer=com.agent uid:10101\n"
    texts["live/netstat.txt"] = QUIET["live/netstat.txt"] + "tcp6 0 0 :::5555 :::* LISTEN 0 11 -\n"
    texts["live/proc_net_tcp.txt"] = QUIET["live/proc_net_tcp.txt"] + "   1: 00000000:15B3 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4321 1 0 100 0 0 10 0\n"
    texts["live/accessibility.txt"] = QUIET["live/accessibility.txt"].replace("enabled services: {\n", "enabled services: {\n    0 : com.game/.Watch\n")
    texts["live/settings_global.txt"] = "private_dns_mode=hostname\nprivate_dns_specifier=dns.somebody.example\nhttp_proxy=10.0.0.1:8080\n"
    texts["live/settings_secure.txt"] = "enabled_notification_listeners=com.own/.L:com.gms/.L\n"
    texts["live/cacerts_user.txt"] = "/data/misc/user/0/cacerts-added:\ntotal 4\n-rw-r--r-- 1 system system u:object_r:misc_user_data_file:s0 1310 2024-01-01 10:00 ab12cd34.0\n"
    texts["files.json"] = json.dumps([{"path": "/data/dalvik-cache/arm64/data@system@vndx_10x.jar@classes.dex", "size": 1, "mode": "-rw-r--r--"},
                                      {"path": "/data/dalvik-cache/arm64/system@framework@services.jar@classes.dex", "size": 1, "mode": "-rw-r--r--"},
                                      {"path": "/system/framework/services.jar", "size": 1, "mode": "-rw-r--r--"}])
    return texts


def rules():
    c = scan("quiet", folder("quiet", QUIET))
    ght.equal(states(c), {"GH-L01": "not_evaluated", "GH-L03": "not_found", "GH-L04": "not_found", "GH-L05": "not_evaluated", "GH-L06": "not_found", "GH-L07": "not_evaluated",
                          "GH-L08": "not_found", "GH-L09": "not_found", "GH-L10": "not_found", "GH-L11": "not_evaluated"}, "a phone that says nothing odd: what needs root is not evaluated")
    why = dict(c.execute("SELECT rule, why FROM rule_states"))
    ght.check("without root" in why["GH-L05"] and "without root" in why["GH-L11"], "why not: root", f"{why['GH-L05']} / {why['GH-L11']}")
    holes = {(r[0], r[1]) for r in c.execute("SELECT place, why FROM d_not_examined")}
    ght.check(("dropbox", "the phone refused: dumpsys dropbox") in holes and ("package", "the answer was cut off: dumpsys package") in holes, "refused and cut answers are told as not examined",
              str(holes))
    ght.check(("cacerts_user.txt", "ls: the phone refused") in holes, "a refusal in an answer's own text is told", str(holes))
    ght.equal(c.execute("SELECT count(*) FROM places WHERE dpath NOT NULL").fetchone()[0], 0, "answers lie on no partition of the phone")
    c = scan("loud", folder("loud", loud()), forms=("-f", f"html={d / 'loud.html'}", "-f", f"json={d / 'loud.json'}"))
    want = {
        "GH-L03": ["tcp 0.0.0.0:5555 uid 0, program not known", "tcp6 :::5555 uid 0, program not known"],
        "GH-L04": ["com.game: accessibility", "com.own: listener, installed by com.android.vending"],
        "GH-L05": ["/data/misc/user/0/cacerts-added/ab12cd34.0"],
        "GH-L06": ["com.game was installed by com.agent"],
        "GH-L08": ["SELinux is Permissive", "ro.boot.flash.locked=0", "ro.boot.verifiedbootstate=yellow, key ab12"],
        "GH-L09": ["http_proxy=10.0.0.1:8080", "private_dns_specifier=dns.somebody.example"],
        "GH-L10": ["service.adb.tcp.port=5555, and no key is asked for"],
        "GH-L11": ["/data/dalvik-cache/arm64/data@system@vndx_10x.jar@classes.dex"]}
    got = {rule: findings(c, rule) for rule in want}
    got["GH-L04"] = [x.replace(", installed by com.agent", "") for x in got["GH-L04"]]
    for rule in want:
        ght.equal(got[rule], want[rule], f"{rule} through real texts")
    ght.equal(states(c)["GH-L05"], "found", "a listed folder of authorities")
    page, report = (d / "loud.html").read_text(), json.loads((d / "loud.json").read_text())
    ght.check('id="told"' in page and "What the phone says of itself" in page and "dns.somebody.example" in page, "the page has the section")
    ght.check(all(x["witness"] == "the phone's own word" for x in report["phone_says"]) and len(report["phone_says"]) > 15, "JSON: each line with its witness")
    ght.check({f["witness"] for f in report["findings"] if f["rule"].startswith("GH-L")} == {"the phone's own word"}, "witness of every such finding")
    text = (d / "loud.txt").read_text()
    ght.check("by the phone's own word" in text and "own word, in the report" in text, "the first screen says whose word it is")


def demo():
    if not (DEMO / "phone.zip").exists():
        ght.skip("the demonstration phone", "tests/demo/make_demo.sh has not made it (GH_DEMO)")
        return
    c = scan("demo", DEMO / "phone.zip")
    # Rules whose witness is the phone's own word (L, and GH-B32) may be answered by it.
    rows = "SELECT rule, severity, place, at, evidence, subject, fingerprint FROM findings WHERE rule NOT LIKE 'GH-L%' AND rule<>'GH-B32' AND scan_id=(SELECT max(scan_id) FROM scans) ORDER BY n"
    rest = "SELECT rule, state, why FROM rule_states WHERE rule NOT LIKE 'GH-L%' AND rule<>'GH-B32' AND scan_id=(SELECT max(scan_id) FROM scans) ORDER BY 1"
    device = "SELECT key, value FROM d_device WHERE scan_id=(SELECT max(scan_id) FROM scans) ORDER BY 1"
    avb = "SELECT kind, partition, state, why FROM d_avb WHERE scan_id=(SELECT max(scan_id) FROM scans) ORDER BY 1, 2, 3, 4"
    before = [c.execute(q).fetchall() for q in (rows, rest, device, avb)]
    fingerprint, patch = (dict(before[2])[k] for k in ("fingerprint", "security_patch"))
    packages = sorted(c.execute("SELECT package, dpath FROM apks JOIN files USING(file_id) WHERE dpath LIKE '%.apk'"))
    c.close()
    ght.check(len(before[0]) > 20 and len(packages) > 10, "the demonstration phone has something to change")
    forged = {
        "live/getprop.txt": "".join(f"[{k}]: [{v}]\n" for k, v in {
            "ro.build.fingerprint": "google/husky/husky:15/AP3A/1:userdebug/dev-keys", "ro.build.type": "eng", "ro.build.tags": "release-keys", "ro.product.brand": "google",
            "ro.build.version.sdk": "19", "ro.debuggable": "0", "ro.secure": "1", "ro.adb.secure": "1", "ro.boot.verifiedbootstate": "green", "ro.boot.flash.locked": "1",
            "import": "/system/etc/x.prop", "net.dns1": "6.6.6.6", "ro.build.version.security_patch": "2030-01-01"}.items()),
        "live/packages.txt": "".join(f"package:{p}={n} uid:1000\n" for n, p in packages), "live/selinux.txt": "Enforcing\n"}
    c = scan("demo", DEMO / "phone.zip", folder("forged", forged))
    for what, was, now in zip(("findings", "states of rules", "device", "verified boot"), before, [c.execute(q).fetchall() for q in (rows, rest, device, avb)]):
        ght.equal([x for x in now if x not in was], [], f"forged properties add nothing to the {what}")
        ght.equal([x for x in was if x not in now], [], f"forged properties take nothing from the {what}")
    ght.equal(states(c)["GH-L07"], "not_found", "another build by its word: no package is missed")
    apks = dict(c.execute("SELECT package, count(*) FROM live_apks WHERE how='path' GROUP BY 1"))
    ght.equal(sorted(apks), sorted({n for n, _ in packages}), "packages of the phone and the APKs of the image at their paths")
    c.close()
    hidden = [n for n, p in packages if n == "com.demo.fota"]
    same = {"live/getprop.txt": f"[ro.build.fingerprint]: [{fingerprint}]\n[ro.build.version.security_patch]: [{patch}]\n",
            "live/packages_uninstalled.txt": "".join(f"package:{p}={n} uid:1000\n" for n, p in packages if n not in hidden)}
    c = scan("demo", DEMO / "phone.zip", folder("same", same))
    ght.equal([x.split(" at ")[0] for x in findings(c, "GH-L07")], hidden, "GH-L07: the one package that the phone of this build does not list")
    ght.equal(states(c)["GH-L01"], "not_evaluated", "GH-L01: without files that the running phone gave")
    c.close()
    unit(fingerprint, patch)


def unit(fingerprint, patch):
    """Files that the running phone gave beside the image of its build: one of them altered, one alike, one refused."""
    def image(path):
        return subprocess.run([str(TOOL), "cat", str(DEMO / "phone.zip"), "system:" + path], capture_output=True, check=True).stdout
    helper, other = image("/system/bin/clatd"), image("/system/bin/applypatch")
    ght.check(len(helper) > 1000 and len(other) > 1000, "two programs of the image")
    listing = "path\tmode\tuid\tgid\tsize\tmtime\tlabel\ttarget\tstate\tsha256\n" + "".join(
        f"{p}\t100755\t0\t2000\t{n}\t0\tu:object_r:system_file:s0\t-\t{state}\t-\n" for p, n, state in (
            ("/system/bin/clatd", len(helper) + 1, "pulled"), ("/system/bin/applypatch", len(other), "pulled"), ("/system/bin/busybox", 9, "denied")))
    files = {"live/getprop.txt": f"[ro.build.fingerprint]: [{fingerprint}]\n[ro.build.version.security_patch]: [{patch}]\n",
             "live/mounts.txt": "/dev/block/dm-0 / ext4 ro,seclabel 0 0\n/dev/block/loop9 /system/bin/clatd ext4 ro,seclabel 0 0\n", "files.tsv": listing,
             "acquisition.json": json.dumps({"schema_version": 1, "items": []}), "files/system/bin/clatd": helper + b"x", "files/system/bin/applypatch": other}
    c = scan("demo", DEMO / "phone.zip", folder("unit", files))
    got = findings(c, "GH-L01")
    ght.check(len(got) == 1 and got[0].startswith("/system/bin/clatd is " + ght.sha(helper + b"x")[:16]) and ght.sha(helper)[:16] in got[0] and "/dev/block/loop9" in got[0],
              "GH-L01: exactly the altered file is named, with its mount", str(got))
    c.close()
    files["live/getprop.txt"] = files["live/getprop.txt"].replace(patch, "2001-01-01")
    c = scan("demo", DEMO / "phone.zip", folder("unit2", files))
    ght.equal((findings(c, "GH-L01"), states(c)["GH-L01"]), ([], "not_evaluated"), "GH-L01: another build by its word: no accusation, cannot judge")
    ght.check("another build" in c.execute("SELECT why FROM rule_states WHERE rule='GH-L01' ORDER BY scan_id DESC").fetchone()[0], "GH-L01: and why")


def zipped(name, files):
    b = io.BytesIO()
    with zipfile.ZipFile(b, "w", zipfile.ZIP_DEFLATED) as z:
        for path, text in files.items():
            z.writestr(path, text)
    (d / name).write_bytes(b.getvalue())
    return d / name


def containers():
    seeds = ght.ROOT / "src/inspectors/live/seeds"
    report, tombstone = (seeds / "1-bugreport-x.txt").read_bytes(), (seeds / "15-tombstone_00.pb").read_bytes()
    bugreport = zipped("bugreport-x.zip", {"main_entry.txt": "bugreport-x.txt", "bugreport-x.txt": report, "version.txt": "2.0", "FS/data/tombstones/tombstone_00.pb": tombstone,
                                           "FS/data/misc/x": b"y" * 50})
    c = scan("report", bugreport)
    ght.equal(c.execute("SELECT count(*) FROM live_packages WHERE package='com.a'").fetchone()[0], 1, "a bug report's zip: packages")
    ght.equal(sorted(r[0] for r in c.execute("SELECT thread FROM live_crashes")), ["w", "worker"], "a bug report's zip: the tombstone in the text and the one in FS")
    alone = d / "bugreport-x.txt"
    alone.write_bytes(report)
    plain = scan("text", alone)
    tables = [r[0] for r in plain.execute("SELECT name FROM sqlite_master WHERE name LIKE 'c_live_%' AND type='table'")]
    for t in tables:
        columns = [r[1] for r in plain.execute(f"PRAGMA table_info({t})") if r[1] != "blob_id"]
        q = f"SELECT {','.join(columns)} FROM {t} ORDER BY 1, 2"
        if t not in ("c_live_crashes", "c_live_sections"):
            ght.equal(c.execute(q).fetchall(), plain.execute(q).fetchall(), f"the same facts from the text alone: {t}")
    ght.check(len(tables) == 28, "every table of live facts was compared", str(len(tables)))
    message = zlib.compress(json.dumps([{"address": "1", "body": "https://x.example", "date": "5", "type": "1"}]).encode())
    b = io.BytesIO()
    with tarfile.open(fileobj=b, mode="w", format=tarfile.USTAR_FORMAT) as t:
        info = tarfile.TarInfo("apps/com.android.providers.telephony/d_f/000000_sms_backup")
        info.size = len(message)
        t.addfile(info, io.BytesIO(message))
    backup = b"ANDROID BACKUP\n5\n1\nnone\n" + zlib.compress(b.getvalue())
    qf = {"x/getprop.txt": "[ro.qf]: [1]\n", "x/packages.json": (seeds / "8-packages.json").read_bytes(), "x/backup.ab": backup, "x/bugreport.zip": bugreport.read_bytes(),
          "x/acquisition.json": json.dumps({"uuid": "u", "androidqf_version": "v1"}), "x/apks/a.apk": b"no apk"}
    c = scan("qf", zipped("qf.zip", qf))
    ght.equal((c.execute("SELECT key FROM live_properties WHERE key='ro.qf'").fetchall(), c.execute("SELECT links FROM live_messages").fetchall()), ([("ro.qf",)], [("https://x.example",)]),
              "androidqf's zip: properties, and the messages of the backup in it")
    ght.equal(c.execute("SELECT value FROM live_facts WHERE kind='acquisition' AND key='androidqf_version'").fetchall(), [("v1",)], "androidqf's own word of itself")
    ght.check(c.execute("SELECT count(*) FROM live_packages WHERE package='com.a'").fetchone()[0], "the bug report inside it")
    ght.equal(c.execute("SELECT count(*) FROM places WHERE dpath NOT NULL").fetchone()[0], 0, "nothing of it lies on a partition of the phone")
    (d / "x.ab").write_bytes(b"ANDROID BACKUP\n5\n1\nAES-256\n" + b"0" * 400)
    c = scan("secret", d / "x.ab")
    ght.check(any("encrypted" in r[0] for r in c.execute("SELECT why FROM d_not_examined")), "an encrypted backup is told as not examined")


def main():
    rules()
    containers()
    demo()
    ght.done()


main()
