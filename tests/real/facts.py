# SPDX-License-Identifier: Apache-2.0
"""One check for each row of truth/real_inputs.tsv, as SQL over the views of the facts database.

The digests stand in the list as prefixes; a check names the prefix it looks for, and Row.says fails where the list does not hold it,
so the two cannot drift apart.
"""
from dataclasses import dataclass
import re

# name of the input in the list -> folder under GH_DUMPS
DUMPS = {
    "blu_blu_vivo_5r_dump": "blu_blu_vivo_5r_dump",
    "nokia_dpl_sprout_dump": "nokia_dpl_sprout_dump",
    "aosp_testkey_vbmeta": "aosp_testkey_vbmeta",
    "motorola_milan_cfc": "motorola_milan_cfc",
    "xiaomi_mido_dump": "xiaomi_mido_dump",
    "xiaomi_pine_dump": "xiaomi_pine_dump",
    "samsung_kanas_dump": "samsung_kanas_dump",
    "google_walleye_dump": "google_walleye_dump",
    "t95_corejava": "t95_corejava",
    "malware-samples": "quark",
    "triada": "triada",
    "appium-uiautomator2-server": "npm/appium-uiautomator2-server-10.6.6",
    "io.appium.settings": "npm/io.appium.settings-8.0.10",
}
EVERY = "every dump Android 7+"
ANDROID_7 = 24
INSTALL = "android.permission.INSTALL_PACKAGES"


class Wrong(Exception):
    """What was found instead."""


class Undecided(Exception):
    """Why nothing can be said."""


@dataclass(frozen=True)
class Row:
    input: str
    fact: str
    expected: str

    def says(self, prefix):
        if not re.search(r"(?<![0-9a-z])" + re.escape(prefix), self.fact + " " + self.expected):
            raise Wrong(f"the list of real inputs does not say {prefix} here")
        return prefix


def want(found, expected, what):
    if found != expected:
        raise Wrong(f"{what}: {found!r} instead of {expected!r}")


# ---- questions to the database ----

@dataclass
class App:
    ident: int
    path: str
    sha256: str
    shared_uid: str
    debuggable: bool
    role: str
    signers: dict      # scheme: set of certificate digests
    permissions: set

    @property
    def certs(self):
        return set().union(*self.signers.values()) if self.signers else set()

    def want_cert(self, prefix):
        if not self.certs or any(not c.startswith(prefix) for c in self.certs):
            raise Wrong(f"{self.path} is signed with {sorted(self.certs)} instead of {prefix}…")


def apps(dump, where, *args):
    found = []
    for ident, path, sha256, uid, debuggable, role in dump.rows(
            "SELECT a.apk_id, f.path, digest(f.sha256), a.shared_uid, a.debuggable, a.signer_role FROM apks a "
            f"JOIN files f ON f.file_id=a.file_id WHERE {where}", *args):
        signers = {}
        for scheme, cert in dump.rows("SELECT scheme, digest(cert_sha256) FROM apk_signers WHERE apk_id=?", ident):
            signers.setdefault(scheme, set()).add(cert)
        asked = set(dump.column("SELECT name FROM apk_permissions WHERE apk_id=? AND how='uses'", ident))
        found.append(App(ident, path, sha256, uid, bool(debuggable), role, signers, asked))
    return found


def app(dump, package, sha256=""):
    found = apps(dump, "a.package=? AND digest(f.sha256) LIKE ?", package, sha256 + "%")
    if len(found) != 1:
        raise Wrong(f"{len(found)} apps are package {package} {sha256}")
    return found[0]


def platform_cert(dump, prefix):
    """Every app with the system's own user id and this key is told as platform-signed, and they are most of them."""
    ours = other = 0
    for a in apps(dump, "a.shared_uid='android.uid.system'"):
        if any(c.startswith(prefix) for c in a.certs):
            ours += 1
            want(a.role, "platform", f"role of the signer of {a.path}")
        else:
            other += 1
    if ours <= other:
        raise Wrong(f"{ours} apps of android.uid.system carry {prefix}…, {other} another key")


def update_cert(dump, prefix):
    found = dump.rows("SELECT digest(cert_sha256), subject FROM ota_certs")
    if len(found) != 1 or not found[0][0].startswith(prefix):
        raise Wrong(f"updates are signed with {found} instead of {prefix}…")
    return found[0][1]


def build(dump, kind, tags):
    want(dump.rows("SELECT build_type, build_tags FROM scan"), [(kind, tags)], "build type and tags")


def property_values(dump, key, file_name):
    return set(dump.column("SELECT p.value FROM properties p JOIN files f ON f.file_id=p.file_id WHERE p.key=? AND "
                           "(f.path=? OR f.path LIKE '%/'||?)", key, file_name, file_name))


def file_at(dump, sha256, tail):
    # a path is the place in its image, dpath that on the device
    if not dump.rows("SELECT 1 FROM files WHERE digest(sha256) LIKE ?||'%' AND (path LIKE '%/'||? OR dpath LIKE '%/'||?)", sha256, tail, tail):
        raise Wrong(f"no file {tail} with SHA-256 {sha256}…")


def told(dump, *words):
    """A finding of medium or above that names one of the words."""
    for f in dump.findings("critical", "high", "medium"):
        if any(w in str(f) for w in words):
            return
    raise Wrong(f"no finding of medium or above names {' or '.join(words)}")


def chain_keys(dump, partition):
    return dump.column("SELECT digest(key_sha1) FROM avb_descriptors WHERE kind='chain' AND partition=?", partition)


def vbmeta_keys(dump):
    return set(dump.column("SELECT digest(pubkey_sha1) FROM avb_images"))


# ---- BLU Vivo 5R ----

def adups(dump, row):
    app(dump, "com.adups.fota", row.says("7917555d"))
    helper = app(dump, "com.adups.fota.sysoper", row.says("a4afdb8b"))
    want(helper.shared_uid, row.says("android.uid.system"), "shared user id")
    helper.want_cert(row.says("c2d992c8"))


def silent_installer(dump, row):
    a = app(dump, row.says("com.dti.blu"), row.says("7ff49d35"))
    a.want_cert(row.says("db2ec54f"))
    want(INSTALL in a.permissions, True, f"{a.path} asks for INSTALL_PACKAGES")
    want(a.role, "third", "role of its signer")


def gionee(dump, row):
    platform_cert(dump, row.says("c2d992c8"))
    subject = update_cert(dump, "12dd8f3c")
    want("Gionee" in (subject or ""), True, f"Gionee in the subject {subject}")


def amigo(dump, row):
    a = app(dump, "amigo")
    want(a.path.endswith("/amigoframework-res.apk"), True, a.path)
    want(a.shared_uid, row.says("android.uid.system"), "shared user id")
    a.want_cert(row.says("c8a2e9bc"))
    want(a.role, "aosp_test", "role of its signer")
    told(dump, "amigoframework-res.apk")


def sale_time(dump, row):
    want(app(dump, row.says("com.gionee.saletimesender")).debuggable, True, "debuggable")


def usb_debugging(dump, row):
    want(property_values(dump, "persist.sys.usb.config", "default.prop"), {row.says("mtp,adb")}, "persist.sys.usb.config")
    want(dump.column("SELECT build_type FROM scan"), ["user"], "build type")


# ---- verified boot ----

def nokia_chain(dump, row):
    key = row.says("cdbb77177f731920bbe0a0f94f84d9038ae0617d")
    want(chain_keys(dump, "system"), [key], "key of the chain to system")
    want(dump.column("SELECT DISTINCT flags FROM avb_images"), [0], "flags")
    want(dump.column("SELECT DISTINCT state FROM avb_images"), ["verified"], "the signature of vbmeta")
    want(vbmeta_keys(dump) & set(dump.column("SELECT digest(digest) FROM known_keys WHERE role='test'")), set(), "published keys at the top level")
    told(dump, key)


def aosp_keys(dump, row):
    top, chained = row.says("2597c218aae470a130f61162feaae70afd97f011"), "cdbb77177f731920bbe0a0f94f84d9038ae0617d"
    want(vbmeta_keys(dump), {top}, "key of vbmeta")
    want(dump.column("SELECT DISTINCT state FROM avb_images"), ["verified"], "the signature of vbmeta")
    want(chain_keys(dump, "system"), [chained], "key of the chain to system")
    told(dump, top)
    told(dump, chained)


def moto_vbmeta(dump, row):
    row.says("SHA256_RSA2048"), row.says("rollback 18"), row.says("flags 0")
    found = dump.rows("SELECT algorithm, rollback, flags, substr(digest(pubkey_sha1),1,8) FROM avb_images")
    want(found, [("SHA256_RSA2048", 18, 0, row.says("fd29248b"))] * 2, "vbmeta and vbmeta_system")
    want({k[:8] for k in chain_keys(dump, "vbmeta_system")}, {"fd29248b"}, "key of the chain")
    want(dump.column("SELECT DISTINCT state FROM avb_images"), ["verified"], "the signatures of both")
    named = [n.strip() for n in row.says("PGPT, preloader, lk, tee, spmfw, scp, sspm, gz, vbmeta, vbmeta_system, dtbo").split(",")]
    same = {re.sub(r"\.img$", "", p) for p in dump.column("SELECT DISTINCT path FROM package_sums WHERE state='same'")}
    want((len(named), sorted(set(named) - same)), (11, []), "files whose MD5 is the one that flashfile.xml states")


def moto_absent(dump, row):
    text = "\n".join(dump.not_examined())
    chunks = {f"super.img_sparsechunk.{i}" for i in range(int(row.says("49")))}
    untold = [c for c in chunks if not re.search(re.escape(c) + r"(?!\d)", text)]
    want(untold, [], "sparse chunks that are not under 'not examined'")
    for absent in row.says("boot/logo/md1img").split("/"):
        want(bool(re.search(rf"\b{absent}\.img\b", text)), True, f"{absent}.img, which the package names and which is absent, under 'not examined'")
    want(re.findall(r"(?i)\bclean\b", str(dump.report)), [], "the word 'clean'")
    want(dump.code in (1, 3), True, f"exit code {dump.code} says that bytes are missing")


# ---- Xiaomi ----

def xiaomi_key(dump, row):
    platform_cert(dump, row.says("c9009d01ebf9f5d0302bc71b2fe9aa9a47a432bba17308a3111b75d7b2149025"))
    update_cert(dump, row.says("d45f076f"))


def xiaomi_analytics(dump, row):
    a = app(dump, row.says("com.miui.analytics"))
    want(a.sha256[:8], row.says("57b5d457" if dump.name == "xiaomi_mido_dump" else "f84d5515"), "SHA-256")
    want({INSTALL, "android.permission.READ_PRIVILEGED_PHONE_STATE"} <= a.permissions, True, "permissions")
    a.want_cert("c9009d01")
    want(a.role, "platform", "role of its signer")


# ---- Samsung, Google ----

def samsung_key(dump, row):
    platform_cert(dump, row.says("34df0e7a9f1cf1892e45c056b4973cd81ccf148a4050d11aea4ac5a65f900a42"))


def samsung_fstab(dump, row):
    flags = dump.column("SELECT DISTINCT t.mgr_flags FROM fstab t JOIN files f ON f.file_id=t.file_id WHERE t.mount_point='/system' "
                        "AND f.path LIKE '%fstab.sc8830'")
    want(flags, ["wait"], "fs_mgr flags of /system")
    want(property_values(dump, "ro.build.version.release", "build.prop"), {row.says("4.4.2")}, "release")
    want(property_values(dump, "ro.build.version.security_patch", "build.prop"), {row.says("2016-10-01")}, "patch level")


def pixel(dump, row):
    build(dump, "user", row.says("user/release-keys").split("/")[1])
    platform_cert(dump, row.says("378376e6"))
    update_cert(dump, row.says("66295e69"))
    flags = dump.column("SELECT DISTINCT mgr_flags FROM fstab WHERE mount_point='/'")
    want([f for f in flags if "avb" not in f.split(",")], [], "fstab entries of / without avb")
    want(dump.column("SELECT count(DISTINCT digest(sha256)) FROM ca_certs"), [int(row.says("162"))], "certificate authorities")
    want(dump.rows("SELECT path FROM files WHERE path='su' OR path LIKE '%/su'"), [], "files called su")
    high = [(f["rule"], str(f["place"])) for f in dump.findings("critical", "high")]
    want(high, [], "findings of high or above")


def cts_shim(dump, row):
    if any((sdk or 0) < ANDROID_7 for sdk in dump.column("SELECT sdk FROM scan")):
        raise Undecided("older than Android 7")
    shims = apps(dump, "a.package IN ('com.android.cts.ctsshim','com.android.cts.priv.ctsshim')")
    want(len(shims), 2, "CtsShim packages")
    for a in shims:
        a.want_cert(row.says("a40da80a"))
        want(a.role, "aosp_test", f"role of the signer of {a.path}")
    if dump.name in ("google_walleye_dump", "xiaomi_mido_dump"):
        file_at(dump, row.says("bb5b66c9"), "CtsShimPrebuilt.apk")
    held = [f["rule"] for f in dump.findings("critical", "high", "medium") if "CtsShim" in str(f["place"]) or "ctsshim" in str(f)]
    want(held, [], "findings that hold CtsShim against the phone")


# ---- samples ----

def corejava(dump, row):
    file_at(dump, row.says("8ba4ca94"), "data/system/Corejava/classes.dex")
    file_at(dump, row.says("ac0607ae"), "classes.dex")


def quark_sample(dump, row):
    app(dump, row.says("com.tencent.mm"), row_digest(row)).want_cert("a40da80a")


def triada_sample(dump, row):
    want(len(dump.rows("SELECT 1 FROM files WHERE digest(sha256) LIKE ?||'%'", row_digest(row))), 1, "files with that digest")


def row_digest(row):
    return re.search(r"/([0-9a-f]{8})…", row.input)[1]


def appium_server(dump, row):
    row.says("v1+v2+v3")
    a = app(dump, "io.appium.uiautomator2.server")
    a.want_cert(row.says("a40da80a"))
    want(a.debuggable, True, "debuggable")
    want(set(a.signers), {1, 2, 3}, "signature schemes")


def appium_settings(dump, row):
    a = app(dump, "io.appium.settings")
    a.want_cert(row.says("680dbbc3"))
    want(a.debuggable, True, "debuggable")
    want(set(a.signers), {2}, "signature schemes")


# ---- which check belongs to which row ----

FACTS = [  # inputs, beginning of the row's fact, check
    (("blu_blu_vivo_5r_dump",), "preinstalled Adups FOTA pair", adups),
    (("blu_blu_vivo_5r_dump",), "silent installer", silent_installer),
    (("blu_blu_vivo_5r_dump",), "foreign platform signer", gionee),
    (("blu_blu_vivo_5r_dump",), "public-key signed uid-system package", amigo),
    (("blu_blu_vivo_5r_dump",), "debuggable app in user build", sale_time),
    (("blu_blu_vivo_5r_dump",), "USB debugging on by default", usb_debugging),
    (("nokia_dpl_sprout_dump",), "chained partition 'system'", nokia_chain),
    (("aosp_testkey_vbmeta",), "top-level vbmeta key is AOSP testkey_rsa4096", aosp_keys),
    (("motorola_milan_cfc",), "intact vendor set", moto_vbmeta),
    (("motorola_milan_cfc",), "honesty about absent evidence", moto_absent),
    (("xiaomi_mido_dump", "xiaomi_pine_dump"), "genuine Xiaomi platform key", xiaomi_key),
    (("xiaomi_mido_dump", "xiaomi_pine_dump"), "vendor analytics with installer right", xiaomi_analytics),
    (("nokia_dpl_sprout_dump", "xiaomi_mido_dump", "xiaomi_pine_dump", "google_walleye_dump"), "false-positive trap", cts_shim),
    (("samsung_kanas_dump",), "leaked platform cert", samsung_key),
    (("samsung_kanas_dump",), "no verified boot on /system", samsung_fstab),
    (("google_walleye_dump",), "clean control", pixel),
    (("t95_corejava",), "preinstalled TV-box backdoor", corejava),
    (("malware-samples",), "end-to-end IOC hit", quark_sample),
    (("triada",), "Triada; IOC hit", triada_sample),
    (("appium-uiautomator2-server",), "APK signed with AOSP testkey", appium_server),
    (("io.appium.settings",), "v2-only, debuggable", appium_settings),
]

UNDECIDED = [  # beginning of the row's fact, the part that these formats do not decide, why
    ("vendor analytics", "an upload address over plain HTTP", "code in dex is not followed"),
    ("leaked platform cert", "the key is one that leaked in 2022", "no source that names the digest was read"),
    ("clean control", "no permissive domains", "the SELinux policy is not read"),
    ("preinstalled TV-box backdoor", "addresses in the second stage and in the capture", "neither dex strings nor captures are read"),
    ("end-to-end IOC hit", "the digest stands in a list of indicators", "no list of indicators is shipped"),
    ("Triada; IOC hit", "the digest stands in a list of indicators", "no list of indicators is shipped"),
]


def belongs(row, inputs, name):
    return name in inputs and (row.input.startswith(EVERY) or name in row.input)


def known(row):
    return any(row.fact.startswith(fact) and any(belongs(row, inputs, n) for n in inputs) for inputs, fact, _ in FACTS)


def undecided(why):
    def check(*_):
        raise Undecided(why)
    return check


def checks(row, name):
    """(title, check) of the row for this dump."""
    for inputs, fact, check in FACTS:
        if row.fact.startswith(fact) and belongs(row, inputs, name):
            yield row.fact, check
            yield from ((f"{fact}: {part}", undecided(why)) for begin, part, why in UNDECIDED if row.fact.startswith(begin))
