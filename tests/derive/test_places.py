#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Where things lie and what stayed closed, as DERIVE says it: a folder beside the image it was unpacked from (mke2fs, cpio), and
files inside an app that are only called like files of the device."""
import gzip
import json
import os
import pathlib
import sqlite3
import subprocess
import sys
import zipfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import ght

BIN = os.environ.get("GH_BIN", str(ght.BUILD / "gifthorse"))
PROP = b"ro.build.type=user\nro.build.version.sdk=26\n"
TELNET = b"service remote /system/bin/telnetd -l /system/bin/sh\n    class main\n"


def write(root, files):
    for name, data in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(data, str):
            path.symlink_to(data)
        else:
            path.write_bytes(data)


def ext4(image, files, work):
    tree = work / (image.name + ".tree")
    tree.mkdir()
    write(tree, files)
    ght.run("mke2fs", "-q", "-t", "ext4", "-d", tree, image, "4M")


def ramdisk(path, files, work):
    tree = work / "ramdisk.tree"
    tree.mkdir()
    write(tree, files)
    names = "\n".join(str(p.relative_to(tree)) for p in sorted(tree.rglob("*")))
    path.write_bytes(gzip.compress(ght.run("cpio", "-o", "-H", "newc", "--quiet", cwd=tree, input=names.encode())))


def scan(root, work):
    db, report = work / (root.name + ".db"), work / (root.name + ".json")
    p = subprocess.run([BIN, "scan", root, "--db", db, "-f", f"json={report}"], capture_output=True)
    if p.returncode not in (0, 1, 3):
        raise RuntimeError(f"scan {root}: exit {p.returncode}: {p.stderr.decode(errors='replace')[-500:]}")
    return sqlite3.connect(f"file:{db}?mode=ro", uri=True), json.loads(report.read_text(encoding="utf-8"))


def live(db, image):
    """(path, from an image with attributes) of all that counts."""
    return sorted(db.execute("SELECT path, attrs FROM places WHERE image=? AND live=1 AND ftype<>'dir' AND path NOT LIKE '/lost+found%'", (image,)))


def beside_its_image():
    work = ght.tmp()
    root = work / "phone"
    write(root, {"system/build.prop": PROP, "system/same": b"a", "system/differs": b"folder", "system/only": b"more", "system/empty": b"",
                 "system/link": "same", "system/turned": "same"})
    ext4(root / "system.img", {"build.prop": PROP, "same": b"a", "differs": b"image", "empty": b"", "link": "same", "turned": "/elsewhere"}, work)
    db, _ = scan(root, work)
    ght.equal(live(db, "system"), sorted([("/build.prop", 1), ("/same", 1), ("/empty", 1), ("/link", 1), ("/differs", 1), ("/turned", 1),
                                          ("/differs", 0), ("/turned", 0), ("/only", 0)]),
              "a folder beside its image: what is alike counts once, what differs counts too")


def beside_an_empty_image():
    work = ght.tmp()
    root = work / "phone"
    write(root, {"system/build.prop": PROP, "system/etc/init/remote.rc": TELNET, "system/bin/telnetd": b"\x7fELF"})
    ext4(root / "system.img", {"nothing": b""}, work)
    _, report = scan(root, work)
    ght.equal([(f["rule"], f["severity"]) for f in report["findings"] if f["rule"] == "GH-N07"], [("GH-N07", "critical")],
              "an empty image hides nothing of the folder beside it")


def packed_ramdisk():
    work = ght.tmp()
    root = work / "phone"
    rc = b"on boot\n    start adbd\n"
    write(root, {"system/build.prop": PROP, "boot/ramdisk/init.rc": rc, "boot/img_info": b"kernel=kernel\n"})
    ramdisk(root / "boot" / "ramdisk.packed", {"init.rc": rc, "default.prop": PROP}, work)
    db, _ = scan(root, work)
    ght.equal(live(db, "ramdisk:boot"), [("/default.prop", 1), ("/init.rc", 1)], "a packed ramdisk counts before its unpacked twin")
    ght.equal(live(db, ""), [("/boot/img_info", 0), ("/boot/ramdisk.packed", 0)], "what lies beside an unpacked ramdisk counts")


def name_inside_an_app():
    fstab = b"/dev/block/system /system ext4 ro wait,verify\n"
    for where, bad, told in (("in an app", "system/app/A/A.apk", False), ("on the device", "system/etc/fstab.x", True)):
        work = ght.tmp()
        root = work / "phone"
        write(root, {"system/build.prop": PROP, "system/etc/fstab": fstab})
        if told:
            write(root, {bad: b"./DevDetail devdetail\n"})
        else:
            (root / bad).parent.mkdir(parents=True)
            with zipfile.ZipFile(root / bad, "w") as z:
                z.writestr("META-INF/MANIFEST.MF", "Manifest-Version: 1.0\r\n\r\n")
                z.writestr("assets/dm/fstab", "./DevDetail devdetail\n")
        _, report = scan(root, work)
        state = {r["id"]: r["state"] for r in report["rules"]}["GH-B12"]
        ght.equal((state, any("fstab" in x["place"] for x in report["coverage"]["not_examined"])),
                  ("not_evaluated" if told else "not_found", told), f"a file called fstab that is none, {where}")


def named_by_a_list():
    """What a list in the INPUT names and the INPUT lacks."""
    lists = {"all_files.txt": b"system/build.prop\nsystem/app/A.apk\nboot.img\nlogo.img\n",
             "flashfile.xml": b'<f><steps><step filename="boot.img"/><step filename="logo.img"/><step filename="flashfile.xml"/></steps></f>'}
    for name, data in lists.items():
        work = ght.tmp()
        root = work / "phone"
        write(root, {"system/build.prop": PROP, name: data})
        _, report = scan(root, work)
        ght.equal([x["place"] for x in report["coverage"]["not_examined"] if x["what"] == "missing"],
                  ["boot.img", "logo.img"] + (["system/app/A.apk"] if name == "all_files.txt" else []), f"missing by {name}")
        why = {r["id"]: r["why"] for r in report["rules"]}["GH-B20"]
        ght.equal("boot.img (missing)" in (why or ""), True, f"and rules are not silent about it, by {name}")


beside_its_image()
beside_an_empty_image()
packed_ramdisk()
name_inside_an_app()
named_by_a_list()
ght.done()
