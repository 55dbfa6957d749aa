# SPDX-License-Identifier: Apache-2.0
"""Does check.py fail where a scan is wrong? A small phone folder, a stand-in for gifthorse that answers from oracle.py, and one row
spoilt at a time: each must be noticed by the check that is meant to, and by no scan left whole."""
import json
import os
import sqlite3
import struct
import subprocess
import sys
import tempfile
import zipfile

import oracle

HERE = os.path.dirname(os.path.abspath(__file__))
TEST_KEYS = {"cdbb77177f731920bbe0a0f94f84d9038ae0617d", "2597c218aae470a130f61162feaae70afd97f011"}

# ---- the stand-in: what a scan writes, filled from the other reader ----

SCHEMA = """
CREATE TABLE scan(build_type, build_tags, sdk); CREATE TABLE blobs(blob_id INTEGER PRIMARY KEY, sha256 BLOB);
CREATE TABLE blob_runs(blob_id, plugin, status); CREATE TABLE files(file_id INTEGER PRIMARY KEY, path, ftype, sha256, link_target, dpath);
CREATE TABLE elf(file_id); CREATE TABLE properties(file_id, key, value); CREATE TABLE fstab(file_id, mount_point, dev, mnt_flags, mgr_flags);
CREATE TABLE init_services(file_id, name, exec_path); CREATE TABLE ca_certs(file_id, sha256); CREATE TABLE ota_certs(cert_sha256, subject);
CREATE TABLE avb_images(image_id INTEGER PRIMARY KEY, algorithm, pubkey_sha1, flags, rollback); CREATE TABLE known_keys(digest, role);
CREATE TABLE avb_descriptors(image_id, kind, partition, root_digest, key_sha1);
CREATE TABLE apks(apk_id INTEGER PRIMARY KEY, file_id, package, shared_uid, debuggable, signer_role);
CREATE TABLE apk_permissions(apk_id, name, how); CREATE TABLE apk_signers(apk_id, scheme, cert_sha256);
"""


def fill(db, inventory):
    db.executescript(SCHEMA)
    ids = {}
    for path, digest in inventory.files.items():
        ids[digest] = db.execute("INSERT INTO files(path,ftype,sha256) VALUES(?,'file',?)", (path, bytes.fromhex(digest))).lastrowid
        db.execute("INSERT INTO blobs(sha256) VALUES(?)", (bytes.fromhex(digest),))
    put = db.executemany
    put("INSERT INTO files(path,ftype,link_target) VALUES(?,'link',?)", inventory.links.items())
    put("INSERT INTO elf VALUES(?)", [(ids[d],) for d in inventory.elf])
    put("INSERT INTO properties VALUES(?,?,?)", [(ids[d], *rest) for d, *rest in inventory.properties])
    put("INSERT INTO fstab VALUES(?,?,?,?,?)", [(ids[d], *rest) for d, *rest in inventory.fstab])
    put("INSERT INTO init_services VALUES(?,?,?)", [(ids[d], *rest) for d, *rest in inventory.services])
    put("INSERT INTO ca_certs VALUES(?,?)", [(ids[d], cert) for d, cert in inventory.cas])
    put("INSERT INTO ota_certs VALUES(?,'O=Gionee')", [(c,) for c in inventory.ota])
    put("INSERT INTO known_keys VALUES(?, 'test')", [(k,) for k in TEST_KEYS])
    for _, image in inventory.avb:
        ident = db.execute("INSERT INTO avb_images(algorithm,pubkey_sha1,flags,rollback) VALUES(?,?,?,?)",
                           (image["algorithm"], image["key"], image["flags"], image["rollback"])).lastrowid
        put("INSERT INTO avb_descriptors VALUES(?,?,?,?,?)",
            [(ident, kind, name, *((None, d) if kind == "chain" else (d, None))) for kind, name, d in image["descriptors"]])
    fill_apps(db, inventory, ids)
    values = {key: value for _, key, value in inventory.properties}
    db.execute("INSERT INTO scan VALUES(?,?,?)", (values.get("ro.build.type"), values.get("ro.build.tags"),
                                                  int(values.get("ro.build.version.sdk", 0))))


def fill_apps(db, inventory, ids):
    system = {}
    for _, digest, manifest, signers in inventory.apk_facts():
        manifest = manifest or {"package": None, "shared_uid": None, "debuggable": False, "permissions": set()}
        ident = db.execute("INSERT INTO apks(file_id,package,shared_uid,debuggable) VALUES(?,?,?,?)",
                           (ids[digest], manifest["package"], manifest["shared_uid"], manifest["debuggable"])).lastrowid
        db.executemany("INSERT INTO apk_permissions VALUES(?,?,'uses')", [(ident, p) for p in manifest["permissions"]])
        for scheme, certs in signers.items():
            db.executemany("INSERT INTO apk_signers VALUES(?,?,?)", [(ident, scheme, c) for c in certs])
            for c in certs if manifest["shared_uid"] == "android.uid.system" else ():
                system[c] = system.get(c, 0) + 1
    platform = max(system, key=system.get, default="")
    db.execute("UPDATE apks SET signer_role=CASE WHEN EXISTS(SELECT 1 FROM apk_signers g WHERE g.apk_id=apks.apk_id AND g.cert_sha256=?) "
               "THEN 'platform' WHEN EXISTS(SELECT 1 FROM apk_signers g WHERE g.apk_id=apks.apk_id AND substr(g.cert_sha256,1,8) IN "
               "('a40da80a','c8a2e9bc')) THEN 'aosp_test' ELSE 'third' END", (platform,))


def stand_in(arguments):
    """gifthorse scan ROOT --db DB -f json=REPORT, with $GH_SPOIL run over the database and $GH_UNTOLD left out of the report."""
    root, db_path, report = arguments[1], arguments[3], arguments[5].removeprefix("json=")
    inventory = oracle.Inventory(root)
    db = sqlite3.connect(db_path)
    fill(db, inventory)
    if os.environ.get("GH_SPOIL"):
        if db.execute(os.environ["GH_SPOIL"]).rowcount < 1:
            sys.exit("nothing was spoilt")
    db.commit()
    missing = [] if os.environ.get("GH_UNTOLD") else [{"path": p} for p in inventory.pointers] + [{"path": "boot"}]
    finding = {"rule": "GH-B01", "severity": "high", "place": "", "evidence": " ".join(TEST_KEYS) + " amigoframework-res.apk"}
    told = any(d[0] == "chain" and d[2] in TEST_KEYS for _, i in inventory.avb for d in i["descriptors"]) or "amigo" in str(inventory.files)
    with open(report, "w", encoding="utf-8") as f:
        json.dump({"findings": [finding] if told else [], "coverage": {"not_examined": missing}}, f)
    sys.exit(3 if missing else 0)


# ---- the small phone ----

def chain_descriptor(partition, key):
    body = struct.pack(">3I", 1, len(partition), len(key)).ljust(76, b"\0") + partition + key
    body += b"\0" * (-len(body) % 8)
    return struct.pack(">2Q", 4, len(body)) + body


def vbmeta(key):
    descriptors = chain_descriptor(b"system", key)
    header = b"AVB0" + struct.pack(">2I2QI", 1, 0, 0, len(descriptors) + len(key), 1)
    header += struct.pack(">10Q", 0, 0, 0, 0, len(descriptors), len(key), 0, 0, 0, len(descriptors)) + struct.pack(">QI", 7, 0)
    return header.ljust(256, b"\0") + descriptors + key


def certificate(work):
    pem = os.path.join(work, "ca.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:1024", "-nodes", "-keyout", os.devnull, "-out", pem, "-subj", "/CN=test"],
                   check=True, capture_output=True)
    with open(pem, "rb") as f:
        return f.read()


def small_phone(root, work):
    pem = certificate(work)
    for path, data in {
        "system/build.prop": b"ro.build.type=user\nro.build.tags=release-keys\n",
        "vendor/etc/fstab.x": b"/dev/block/system / ext4 ro wait,avb\n",
        "system/etc/init/a.rc": b"service a /system/bin/a -x\n    user root\n",
        "system/etc/security/cacerts/00.0": pem,
        "system/bin/a": b"\x7fELF" + bytes(60),
        "vbmeta.img": vbmeta(b"\0\0\x08\0" + bytes(516)),
        "super.img_sparsechunk.0": oracle.LFS + b"v1\noid sha256:00\nsize 9\n",
    }.items():
        os.makedirs(os.path.dirname(os.path.join(root, path)), exist_ok=True)
        with open(os.path.join(root, path), "wb") as f:
            f.write(data)
    os.symlink("a", os.path.join(root, "system/bin/b"))
    with zipfile.ZipFile(os.path.join(root, "system/etc/security/otacerts.zip"), "w") as z:
        z.writestr("k.x509.pem", pem)


# ---- one spoilt row, one failing check ----

SPOILT = {
    "every file is listed with its digest": "DELETE FROM files WHERE path LIKE 'super%'",
    "every symbolic link is listed with its target": "UPDATE files SET link_target='c' WHERE ftype='link'",
    "every ELF file is read or told": "DELETE FROM elf",
    "every property": "UPDATE properties SET value='eng' WHERE key='ro.build.type'",
    "every fstab line": "UPDATE fstab SET mgr_flags='wait'",
    "every init service": "UPDATE init_services SET exec_path='/bin/a'",
    "every certificate authority": "UPDATE ca_certs SET sha256='00'",
    "the keys that sign updates": "INSERT INTO ota_certs VALUES('00','')",
    "vbmeta images and their descriptors": "UPDATE avb_descriptors SET key_sha1='00'",
}


def run(work, **env):
    program = os.path.join(work, "gifthorse")
    done = subprocess.run([os.path.join(HERE, "run.sh")], capture_output=True, text=True, env={
        **os.environ, "GH_DUMPS": os.path.join(work, "dumps"), "GH_BIN": program, "GH_SHARED": os.path.join(work, "shared"), **env})
    failed = [line.split(": ")[1] for line in done.stdout.splitlines() if line.startswith("FAIL")]
    return done.returncode, failed, done.stdout.splitlines()[-1] if done.stdout else done.stderr


def prepare(work):
    small_phone(os.path.join(work, "dumps", "t95_corejava"), work)
    os.makedirs(os.path.join(work, "shared", "truth"))
    with open(os.path.join(work, "shared", "truth", "real_inputs.tsv"), "w", encoding="utf-8") as f:
        f.write("input\tpublic_source\tfact\texpected\thow_known\tconfidence\n")
    program = os.path.join(work, "gifthorse")
    with open(program, "w", encoding="utf-8") as f:
        f.write(f"#!/bin/sh\nexec {sys.executable} {os.path.join(HERE, 'test_check.py')} --stand-in \"$@\"\n")
    os.chmod(program, 0o755)


def list_row(work, fact, expected):
    with open(os.path.join(work, "shared", "truth", "real_inputs.tsv"), "w", encoding="utf-8") as f:
        f.write("input\tpublic_source\tfact\texpected\thow_known\tconfidence\n")
        f.write(f"firmware/t95_corejava\t\t{fact}\t{expected}\t\t\n")


def main():
    passed = failed = 0
    with tempfile.TemporaryDirectory(prefix="gh-check-") as work:
        prepare(work)
        cases = [("a right scan passes", {}, [])]
        cases += [(f"noticed: {what}", {"GH_SPOIL": sql}, [what]) for what, sql in SPOILT.items()]
        cases += [("noticed: an LFS pointer that is not told", {"GH_UNTOLD": "1"}, ["files that are only Git LFS pointers are told"])]
        cases += [("noticed: a scan that breaks off", {"GH_SPOIL": "DELETE FROM apks"}, ["scan"])]
        backdoor = "preinstalled TV-box backdoor"
        cases += [("noticed: a listed file that is not there", {}, [backdoor], (backdoor, "8ba4ca94 ac0607ae")),
                  ("noticed: a list that lost a digest", {}, [backdoor], (backdoor, "ac0607ae")),
                  ("noticed: a row of the list without a check", {}, ["a fact without a check"], ("a fact without a check", ""))]
        for title, env, expected, *row in cases:
            if row:
                list_row(work, *row[0])
            code, names, last = run(work, **env)
            right = names == expected and code == (1 if expected else 0)
            print(f"{'ok  ' if right else 'FAIL'} {title}" + ("" if right else f": exit {code}, failed {names}, {last}"))
            passed, failed = passed + right, failed + (not right)
    print(f"{passed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["--stand-in"]:
        stand_in(sys.argv[2:])
    sys.exit(main())
