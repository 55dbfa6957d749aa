#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A redacted report holds nothing of what tells of a person or a unit, in any form; the same value has the same word; the rest of
the report is what it was."""
import base64
import io
import json
import os
import pathlib
import re
import subprocess
import sys
import tarfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import ght  # noqa: E402

BIN = os.environ.get("GH_BIN", str(ght.BUILD / "gifthorse"))
D = ght.tmp()
IMEI, NO_IMEI = "490154203237518", "490154203237519"  # the first has a right check digit
MAC, SERIAL, MAIL, SSID, PHONE = "a4:50:46:12:9f:01", "R58N12ABCDE", "jane.doe@example.org", "DoeFamily5G", "+4915112345678"
SECRETS = [IMEI, MAC, SERIAL, MAIL, SSID, PHONE, "janes-phone"]
KEY = "ssh-ed25519 " + base64.b64encode(b"\0\0\0\x0bssh-ed25519\0\0\0\x20" + bytes(range(32))).decode() + " "
WORDS = f"--imei {IMEI} --imei2 {IMEI} --not {NO_IMEI} --mac {MAC} --user {MAIL} --ssid={SSID} --tel {PHONE} serialno={SERIAL}"


def phone(name):
    files = {"system/build.prop": f"ro.build.type=user\nro.product.brand=Demo\nro.build.version.release=14\nro.serialno={SERIAL}\nro.debuggable=1\n",
             "system/etc/dropbear/authorized_keys": KEY + WORDS + "\n", "system/etc/prop.default": "service.adb.tcp.port=5555\n",
             f"system/etc/security/{MAIL}/x.rc": "x", "system/xbin/su": "\x7fELF"}
    with tarfile.open(D / name, "w", format=tarfile.GNU_FORMAT) as t:
        for n, data in files.items():
            info = tarfile.TarInfo(n)
            info.size = len(data)
            info.mode = 0o4755 if n.endswith("su") else 0o644
            t.addfile(info, io.BytesIO(data.encode("latin-1")))


def report(form, *more):
    p = subprocess.run([BIN, "report", "facts.db", "-f", form, "--fail-on", "never", *more], capture_output=True, cwd=D)
    return p.stdout.decode()


phone("janes-phone.tar")
p = subprocess.run([BIN, "scan", "janes-phone.tar", "--db", "facts.db", "--fail-on", "never", "-f", "json", "--redact"], capture_output=True, cwd=D)
scanned = p.stdout.decode()
plain, masked = json.loads(report("json")), json.loads(report("json", "--redact"))
ght.equal(json.loads(scanned), masked, "scan --redact and report --redact say the same")
raw = json.dumps(plain)
ght.check(all(x in raw for x in (IMEI, MAC, MAIL, SSID, "janes-phone")), "the report of this phone holds what is to be hidden", [x for x in SECRETS if x not in raw])
for form in ("json", "html", "text"):
    text = report(form, "--redact")
    ght.equal([x for x in SECRETS if x in text], [], f"{form}: nothing of it is left")
    ght.equal(report(form, "--redact"), text, f"{form}: the same again")
text = json.dumps(masked)
ght.check(NO_IMEI in text, "a number that is no IMEI stays")
ght.check("--imei IMEI-1 --imei2 IMEI-1" in text and "MAC-1" in text and "ACCOUNT-1" in text and "SSID-1" in text and "NUMBER-1" in text and "SERIAL-1" in text,
          "each has its word, the same value the same", re.findall(r"--imei[^\"]*", text)[:2])
ght.check(masked["inputs"][0]["name"] == "INPUT-1.tar" and masked["inputs"][0]["sha256"] == plain["inputs"][0]["sha256"], "the input's digest stays, its name does not", masked["inputs"])
ght.check(masked["scan"]["redacted"] and not plain["scan"]["redacted"], "the report says that it is redacted")
ght.equal([(f["rule"], f["severity"], f["offset"], f["fingerprint"]) for f in masked["findings"]], [(f["rule"], f["severity"], f["offset"], f["fingerprint"]) for f in plain["findings"]], "the findings are the same")
ght.check("Redacted for sharing" in report("html", "--redact"), "and so does the page")
fp = "12:34:56:78:9a:bc:de:f0:12:34:56:78:9a:bc:de:f0"
alike = ["android.hardware.power@1.0-service", fp, "20260505123456", "u:object_r:system_file:s0", "13800138000"]
with tarfile.open(D / "alike.tar", "w", format=tarfile.GNU_FORMAT) as t:
    for n, data in (("system/build.prop", "ro.build.type=user\nro.product.brand=Demo\nro.build.version.release=14\n"), ("system/etc/dropbear/authorized_keys", KEY + " ".join(alike) + "\n")):
        info = tarfile.TarInfo(n)
        info.size = len(data)
        t.addfile(info, io.BytesIO(data.encode()))
p = subprocess.run([BIN, "scan", "alike.tar", "--fail-on", "never", "-f", "json", "--redact"], capture_output=True, cwd=D)
out = p.stdout.decode()
q = subprocess.run([BIN, "scan", "alike.tar", "--fail-on", "never", "-f", "json"], capture_output=True, cwd=D).stdout.decode()
ght.equal([x for x in alike if (x in q) != (x in out)], [], "what only looks alike stays")
ght.check(any(x in q for x in alike), "and is in the report", q[:300])
ght.done()
