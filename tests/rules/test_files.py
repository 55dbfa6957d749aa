#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The rules that no door of the demonstration phone is about, through real file formats: a phone made by mke2fs, aapt2 and apksigner
on which each of them fires where it should, and one with the look-alikes, on which none does.

Private halves of the public test keys are nowhere here: a package that names such a key as its signer carries the signing block of a
real package (npm: appium-uiautomator2-server), and vbmeta images get the public half with a signature that fits nothing."""
import json
import os
import pathlib
import re
import struct
import subprocess
import sys
import zipfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests" / d) for d in ("lib", "demo", "tools")]
import apks  # noqa: E402
import ght  # noqa: E402
import keys  # noqa: E402
import mkvbmeta  # noqa: E402

BIN = os.environ.get("GH_BIN", str(ght.BUILD / "gifthorse"))
DEMO = pathlib.Path(os.environ.get("GH_DEMO", ROOT / "build/demo"))
SERVER = DEMO / ".work/parts/npm/node_modules/appium-uiautomator2-server/apks"
RULES = ("GH-B01", "GH-B04", "GH-B05", "GH-B20", "GH-P10", "GH-P37")
# Rules that have cases with planted facts (cases.py) and none through real files yet. The list only gets shorter.
PLANTED = ("GH-B26", "GH-B27", "GH-T06", "GH-T15", "GH-T16", "GH-W03", "GH-W04", "GH-W05", "GH-W06", "GH-W07", "GH-W09", "GH-W10", "GH-W11", "GH-W12")
PLATFORM, OTHER = ("platform", "/C=XX/O=Made Here/CN=Platform"), ("other", "/C=XX/O=Somebody Else/CN=Other")
TESTKEY = "a40da80a59d170caa950cf15c18c454d47a39b26989d8b640ecd745ba71bf5dc"
CODE = """<receiver android:name=".Code" android:exported="true"><intent-filter><action android:name="android.provider.Telephony.SECRET_CODE"/>
<data android:scheme="android_secret_code" android:host="{}"/></intent-filter></receiver>"""
D = ght.tmp()


def signing_block(apk):
    """The APK signing block of a package."""
    data = pathlib.Path(apk).read_bytes()
    directory, = struct.unpack_from("<I", data, data.rindex(b"PK\5\6") + 16)
    size, = struct.unpack_from("<Q", data, directory - 24)
    return data[directory - size - 8:directory]


def claim(members, block, out):
    """A zip of these members that carries a signing block made for another package."""
    with zipfile.ZipFile(out, "w") as z:
        for name, data in members:
            apks.add(z, name, data, stored=name.endswith(".img"), align=4096)
    data = out.read_bytes()
    end = data.rindex(b"PK\5\6")
    at, = struct.unpack_from("<I", data, end + 16)
    out.write_bytes(data[:at] + block + data[at:end + 16] + struct.pack("<I", at + len(block)) + data[end + 20:])


class Phone:
    def __init__(self, name, door):
        self.door, self.out, self.tree = door, D / name, D / f"{name}.tree"
        self.keys = keys.Keys(str(D / "keys"))
        self.make = apks.Maker(self.keys, str(D / "cache"))
        self.block = signing_block(next(SERVER.glob("appium-uiautomator2-server-v*.apk")))
        self.out.mkdir()

    def put(self, path, data):
        p = self.tree / "system" / path
        p.parent.mkdir(parents=True, exist_ok=True)
        p.write_bytes(data)

    def app(self, path, package, body, signer, shared=None):
        self.put(path, pathlib.Path(self.make.apk(package, f"  <application>{body}</application>", signer, shared=shared)).read_bytes())

    def framework(self):
        """The package `android`: whose signature it has is whose the system is."""
        signed = pathlib.Path(self.make.framework(PLATFORM)).read_bytes()
        if self.door:
            with zipfile.ZipFile(self.make.framework(PLATFORM)) as z:
                members = [(n, z.read(n)) for n in z.namelist() if not n.startswith("META-INF/")]
            claim(members, self.block, D / "framework.apk")
            signed = (D / "framework.apk").read_bytes()
        self.put("framework/framework-res.apk", signed)

    def module(self, public_key):
        """A module whose payload and container name public keys, or the maker's."""
        name = "com.made.module"
        apex = pathlib.Path(self.make.apex(name, [("etc/file", b"content\n")], OTHER))
        data = apex.read_bytes()
        if self.door:
            with zipfile.ZipFile(apex) as z:
                members = {n: z.read(n) for n in z.namelist() if not n.startswith("META-INF/")}
            payload = D / "payload.img"
            payload.write_bytes(members["apex_payload.img"])
            original, = struct.unpack_from(">Q", members["apex_payload.img"], len(members["apex_payload.img"]) - 64 + 12)
            os.truncate(payload, original)
            mkvbmeta.add_footer(str(payload), "", "hashtree", b"s" * 32, algorithm="SHA256_RSA4096", public_key=str(public_key))
            members.update({"apex_payload.img": payload.read_bytes(), "apex_pubkey": mkvbmeta.public_blob(str(public_key))})
            claim(sorted(members.items()), self.block, D / "module.apex")
            data = (D / "module.apex").read_bytes()
        self.put(f"apex/{name}.apex", data)

    def build(self, public_key):
        self.put("build.prop", b"ro.build.type=user\nro.build.version.sdk=34\npersist.sys.usb.config=%s\n" % (
            b"mtp,adb" if self.door else b"mtp"))
        self.framework()
        self.app("app/Codes/Codes.apk", "com.made.codes", CODE.format("31337" if self.door else "4636"), OTHER)
        self.app("priv-app/Claims/Claims.apk", "com.made.claims", "", OTHER, "android.uid.system" if self.door else "android.uid.bluetooth")
        self.app("priv-app/Settings/Settings.apk", "com.made.settings", "", PLATFORM)
        self.module(public_key)
        ght.run("mke2fs", "-q", "-t", "ext4", "-d", self.tree, self.out / "system.img", "64M")
        signing = {"public_key": str(public_key)} if self.door else {"key": self.keys.key("vbmeta", 4096)}
        (self.out / "vbmeta.img").write_bytes(mkvbmeta.vbmeta([], "SHA256_RSA4096", rollback=7, **signing))
        return self.out


def scan(folder):
    out = D / "r.json"
    p = subprocess.run([BIN, "scan", folder, "-f", f"json={out}", "--progress", "none"], capture_output=True)
    if p.returncode not in (0, 1, 3):
        raise RuntimeError(f"scan: {p.returncode}: {p.stderr.decode(errors='replace')[-500:]}")
    return json.loads(out.read_text())


def untouched():
    """Every shipped rule has a door of the demonstration phone or is tested here."""
    doors = {line.split("\t")[1] for line in (ROOT / "tests/demo/expected.tsv").read_text().splitlines()[2:]}
    shipped = {p.stem for p in (ROOT / "src/rules/library").glob("*.sql")}
    scripts = [p for d in ("derive", "traffic", "watch") for p in (ROOT / "tests" / d).glob("test_*.py")] + [ROOT / "tests/rules" / f"test_{d}.py" for d in ("code", "behaviour")]
    elsewhere = set(re.findall(r"GH-[A-Z]\d\d", " ".join(p.read_text() for p in scripts)))
    ght.equal(sorted(shipped - doors - set(RULES) - elsewhere), sorted(PLANTED), "every other shipped rule fires somewhere through real file formats")
    print(f"     {len(PLANTED)} rules on planted facts only: {' '.join(PLANTED)}")
    ght.equal(sorted(set(RULES) - shipped), [], "and every rule named here is shipped")


def main():
    untouched()
    avb = ght.corpus("avb")
    if not avb or not SERVER.is_dir():
        ght.skip("public test keys", "the corpus (GH_SHARED) or the demonstration phone's parts (GH_DEMO) are not there")
        ght.done()
    public_key = avb / "data/testkey_rsa4096_public.pem"
    doors = scan(Phone("doors", True).build(public_key))
    got = {r: sorted((f["place"], f["severity"]) for f in doors["findings"] if f["rule"] == r) for r in RULES}
    system = "system:/system/"
    ght.equal(got, {"GH-B01": [("vbmeta.img", "critical")], "GH-B04": [(system + "framework/framework-res.apk", "critical")],
                    "GH-B05": [(system + "apex/com.made.module.apex", "critical")] * 2, "GH-B20": [(system + "build.prop", "medium")],
                    "GH-P10": [(system + "app/Codes/Codes.apk", "info")], "GH-P37": [(system + "priv-app/Claims/Claims.apk", "high")]},
              "each fires where it should, and nowhere else")
    ght.check(all(TESTKEY in f["evidence"] for f in doors["findings"] if f["rule"] in ("GH-B04", "GH-P37")), "the evidence names the public key")
    quiet = scan(Phone("quiet", False).build(public_key))
    ght.equal([(f["rule"], f["place"]) for f in quiet["findings"]], [], "nothing is found on the phone of look-alikes")
    states = {r["id"]: (r["state"], r["why"]) for r in quiet["rules"]}
    ght.equal({r: states[r] for r in RULES if states[r][0] != "not_found"}, {}, "and each says so")
    ght.done()


main()
