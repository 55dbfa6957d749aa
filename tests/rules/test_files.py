#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The rules that no door of the demonstration phone is about, through real file formats: a phone made by mke2fs, aapt2 and apksigner
on which each of them fires where it should, and one with the look-alikes, on which none does.

Private halves of the public test keys are nowhere here. So the rules about them are told of keys made here, as public ones
(--known-keys), and verify them; and on a third phone packages and lists only name the real ones: a package carries the signing block
of another (npm: appium-uiautomator2-server), vbmeta images the public half with a signature that fits nothing. There no such rule may
speak, nor say that nothing was found."""
import hashlib
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
RULES = ("GH-B01", "GH-B04", "GH-B05", "GH-B20", "GH-B28", "GH-B29", "GH-P09", "GH-P10", "GH-P37")
KEYS = ("GH-B01", "GH-B04", "GH-B05", "GH-B19", "GH-P37")
CLAIMED = ("GH-B21", "GH-B22", "GH-B26")
# Rules that have cases with planted facts (cases.py) and none through real files yet. The list only gets shorter.
PLANTED = ()
PLATFORM, OTHER, PUBLIC = ("platform", "/C=XX/O=Made Here/CN=Platform"), ("other", "/C=XX/O=Somebody Else/CN=Other"), ("public", "/C=XX/CN=Public")
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
    def __init__(self, name, door=False, claims=False):
        self.door, self.claims, self.out, self.tree = door, claims, D / name, D / f"{name}.tree"
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
        signed = pathlib.Path(self.make.framework(PUBLIC if self.door else PLATFORM)).read_bytes()
        if self.claims:
            with zipfile.ZipFile(self.make.framework(PLATFORM)) as z:
                members = [(n, z.read(n)) for n in z.namelist() if not n.startswith("META-INF/")]
            claim(members, self.block, D / "framework.apk")
            signed = (D / "framework.apk").read_bytes()
        self.put("framework/framework-res.apk", signed)

    def module(self, public_key):
        """A module whose payload and container name public keys, or the maker's."""
        name = "com.made.module"
        apex = pathlib.Path(self.make.apex(name, [("etc/file", b"content\n")], PUBLIC if self.door else OTHER))
        data = apex.read_bytes()
        if self.claims:
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
        self.put("build.prop", b"ro.build.type=user\nro.build.version.sdk=34\nro.product.brand=%s\nro.build.tags=release-keys\npersist.sys.usb.config=%s\n" % (
            b"Redmi" if self.door else b"Nokia", b"mtp,adb" if self.door else b"mtp"))
        self.framework()
        self.app("app/Codes/Codes.apk", "com.made.codes", CODE.format("31337" if self.door else "4636"), OTHER)
        self.app("priv-app/Claims/Claims.apk", "com.made.claims", "", OTHER, "android.uid.system" if self.door else "android.uid.bluetooth")
        self.app("priv-app/Settings/Settings.apk", "com.made.settings", "", PLATFORM)
        self.app("priv-app/Updates/Updates.apk", "com.google.android.updates" if self.door else "com.googlefan.updates", "", OTHER)
        self.module(public_key)
        ght.run("mke2fs", "-q", "-t", "ext4", "-d", self.tree, self.out / "system.img", "64M")
        signing = {"public_key": str(public_key)} if self.claims else {"key": self.keys.key("vbmeta", 4096)}
        (self.out / "vbmeta.img").write_bytes(mkvbmeta.vbmeta([], "SHA256_RSA4096", rollback=7, **signing))
        return self.out


def known_keys(phone):
    """The keys of this phone as if their private halves were public, as a list for --known-keys."""
    certificate = ght.run("openssl", "x509", "-in", phone.keys.cert(*PUBLIC), "-outform", "DER")
    sha1 = lambda name, bits: hashlib.sha1(mkvbmeta.public_blob(phone.keys.key(name, bits))).hexdigest()  # noqa: E731
    rows = [(hashlib.sha256(certificate).hexdigest(), "apk"), (sha1("vbmeta", 4096), "avb"), (sha1("apex.com.made.module", 2048), "apex")]
    maker = ght.run("openssl", "x509", "-in", phone.keys.cert(*PLATFORM), "-outform", "DER")
    (D / "maker.tsv").write_text(f"# keys of a maker\n{hashlib.sha256(maker).hexdigest()}\tapk\tNokia platform\tplatform\thmd\tthis test\n"
                                 f"{sha1('vbmeta', 4096)}\tavb\tNokia boot\tboot\thmd\tthis test\n")
    out = D / "keys.tsv"
    out.write_text("digest\tkind\tname\trole\tmaker\tsource\n" + "".join(f"{d}\t{k}\tmade public\ttest\t\tthis test\n" for d, k in rows))
    return rows, out


def scan(folder, *options):
    out = D / "r.json"
    p = subprocess.run([BIN, "scan", folder, "-f", f"json={out}", "--progress", "none", *options], capture_output=True)
    if p.returncode not in (0, 1, 3):
        raise RuntimeError(f"scan: {p.returncode}: {p.stderr.decode(errors='replace')[-500:]}")
    return json.loads(out.read_text())


def untouched():
    """Every shipped rule has a door of the demonstration phone or is tested here."""
    doors = {line.split("\t")[1] for line in (ROOT / "tests/demo/expected.tsv").read_text().splitlines()[2:]}
    shipped = {p.stem for p in (ROOT / "src/rules/library").glob("*.sql")}
    scripts = [p for d in ("derive", "live", "traffic", "watch") for p in (ROOT / "tests" / d).glob("test_*.py")] + [ROOT / "tests/rules" / f"test_{n}.py" for n in ("code", "reference", "behaviour")]
    elsewhere = set(re.findall(r"GH-[A-Z]\d\d", " ".join(p.read_text() for p in scripts)))
    ght.equal(sorted(shipped - doors - set(RULES) - set(CLAIMED) - elsewhere), sorted(PLANTED), "every other shipped rule fires somewhere through real file formats")
    print(f"     {len(PLANTED)} rules on planted facts only: {' '.join(PLANTED)}")
    ght.equal(sorted(set(RULES) - shipped), [], "and every rule named here is shipped")


def main():
    untouched()
    avb = ght.corpus("avb")
    if not avb or not SERVER.is_dir():
        ght.skip("public test keys", "the corpus (GH_SHARED) or the demonstration phone's parts (GH_DEMO) are not there")
        ght.done()
    public_key = avb / "data/testkey_rsa4096_public.pem"
    phone = Phone("doors", door=True)
    rows, listed = known_keys(phone)
    doors = scan(phone.build(public_key), "--known-keys", listed)
    got = {r: sorted((f["place"], f["severity"]) for f in doors["findings"] if f["rule"] == r) for r in RULES}
    system = "system:/system/"
    ght.equal(got, {"GH-B01": [("vbmeta.img", "critical")], "GH-B04": [(system + "framework/framework-res.apk", "critical")],
                    "GH-B05": [(system + "apex/com.made.module.apex", "critical")] * 2, "GH-B20": [(system + "build.prop", "medium")],
                    "GH-B28": [], "GH-B29": [(system + "framework/framework-res.apk", "high"), ("vbmeta.img", "high")],
                    "GH-P09": [(system + "priv-app/Updates/Updates.apk", "medium")],
                    "GH-P10": [(system + "app/Codes/Codes.apk", "info")], "GH-P37": [(system + "priv-app/Claims/Claims.apk", "high")]},
              "each fires where it should, and nowhere else")
    ght.check(all(rows[0][0] in f["evidence"] for f in doors["findings"] if f["rule"] in ("GH-B04", "GH-P37")), "the evidence names the public key")
    unlisted = scan(D / "doors")
    ght.equal([f["rule"] for f in unlisted["findings"] if f["rule"] in ("GH-B01", "GH-B04", "GH-B05")], [], "the same keys, where no list calls them public")
    claims = scan(Phone("claims", claims=True).build(public_key))
    ght.equal(sorted({f["rule"] for f in claims["findings"]}), list(CLAIMED), "public keys that are only named: only that the signatures do not hold")
    said = {r["id"]: (r["state"], r["why"] or "") for r in claims["rules"]}
    ght.equal({r: said[r][0] for r in KEYS}, dict.fromkeys(KEYS, "not_evaluated"), "and rules about keys say that they could not be evaluated")
    ght.check("android" in said["GH-B04"][1] and "com.made.module" in said["GH-B05"][1] and "2597c218aae470a130f61162feaae70afd97f011" in said["GH-B01"][1],
              "naming the package, the module, the key that is claimed", said)
    foreign = scan(D / "doors", "--known-keys", D / "maker.tsv")
    ght.equal([(f["place"], "Nokia boot" in f["evidence"] and "redmi" in f["evidence"]) for f in foreign["findings"] if f["rule"] == "GH-B28"], [("vbmeta.img", True)],
              "a key of another maker than the build names")
    quiet = scan(Phone("quiet").build(public_key), "--known-keys", D / "maker.tsv")
    ght.equal([(f["rule"], f["place"]) for f in quiet["findings"]], [], "nothing is found on the phone of look-alikes")
    states = {r["id"]: (r["state"], r["why"]) for r in quiet["rules"]}
    ght.equal({r: states[r] for r in RULES if states[r][0] != "not_found"}, {}, "and each says so")
    ght.done()


main()
