#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Images made of several files, through the engine: a part whose reader dies is a part that is not there, and no set waits for ever;
switched-off formats; what makers' lists state of the files beside them."""
import hashlib
import shutil
import sqlite3
import zipfile

from facts import FAULTS, Facts, ght, phone, scan

work = ght.tmp()
device = phone(work, small=True)


def ask(db, sql):
    return sqlite3.connect(db).execute(sql).fetchall()


base = work / "base.db"
scan(device, base, "--jobs", 2)
want = Facts(base)
for plugin in ("sparse", "newdat"):
    ght.check(want.runs(plugin).get("ok", 0) > 0, f"{plugin}: sets come to their end", want.runs(plugin))
FILES = "SELECT count(*) FROM places WHERE image='{}' AND ftype='file'"
for name in ("odm", "oem", "cust"):
    ght.equal(ask(base, FILES.format(name)), [(33,)], f"{name}: every file of the joined image")
    ght.equal(ask(base, f"SELECT * FROM d_not_examined WHERE place LIKE '%{name}.img%' OR place LIKE '%{name}.new%'"), [], f"{name}: nothing stayed closed")

# ---- parts whose readers die ----
if not FAULTS:
    ght.skip("faults", "this build has no faults (meson option `faults`)")
for fault, name, plugin in (("zip:crash:*cust.img_sparsechunk.1:pour", "cust", "sparse"), ("zip:abort:oem.transfer.list:pour", "oem", "newdat"),
                            ("gzip:crash:*:pour", "oem", "newdat"), ("zip:crash:oem.new.dat.gz:read", "oem", "newdat"),
                            ("newdat:crash", "oem", None), ("sparse:abort:/odm.img", "odm", None), ("zip:crash:oem.patch.dat:next", "cust", None)):
    for jobs in (1, 3) if FAULTS else ():
        db = work / "fault.db"
        db.unlink(missing_ok=True)
        code = scan(device, db, "--jobs", jobs, fault=fault)
        if not ght.check(code in (0, 1, 3), f"{fault}, {jobs} jobs: the scan ends", code):
            continue
        if plugin:
            gone = ask(db, f"SELECT count(*) FROM d_not_examined WHERE what='missing' AND hides='*' AND place LIKE '%{name}.img%'")
            ght.equal(gone, [(1,)], f"{fault}, {jobs} jobs: the part is told as missing")
        whole = sum(ask(db, FILES.format(n))[0][0] for n in ("odm", "oem", "cust") if n != name)
        ght.equal(whole, 66, f"{fault}, {jobs} jobs: the other sets are whole")
        told = ask(db, "SELECT count(*) FROM d_not_examined WHERE damaged AND (why LIKE 'crash%' OR why LIKE '%stopped%')")[0][0]
        ght.check(told > 0 or plugin, f"{fault}, {jobs} jobs: told")

# ---- formats switched off ----
for plugin, name in (("newdat", "oem"), ("sparse", "odm")):
    db = work / f"off_{plugin}.db"
    scan(device, db, "--without", plugin)
    ght.equal(ask(db, FILES.format(name)), [(0,)], f"without {plugin}: its sets stay closed")
    closed = ask(db, f"SELECT count(*) FROM d_not_examined WHERE why='switched off' AND hides='*' AND what='{plugin}'")[0][0]
    ght.check(closed > 0, f"without {plugin}: told", closed)

# ---- what a list states ----
box = work / "moto"
box.mkdir()
files = {"boot.img": b"ANDROID!" * 1000, "PGPT": bytes(5000), "lk.img": b"lk" * 4000}
for k, v in files.items():
    (box / k).write_bytes(v)
steps = "".join(f'<step MD5="{hashlib.md5(v if k != "lk.img" else b"other").hexdigest().upper()}" filename="{k}" operation="flash" partition="{k[:2]}_a"/>'
                for k, v in files.items())
(box / "flashfile.xml").write_text(f'<flashing><header><x name="cid.dat" SHA1="{"a" * 40}"/></header><steps>{steps}'
                                   f'<step MD5="{"0" * 32}" filename="gone.img" operation="flash"/></steps></flashing>')
with zipfile.ZipFile(work / "moto.zip", "w", zipfile.ZIP_DEFLATED) as z:
    for p in sorted(box.iterdir()):
        z.write(p, f"fw/{p.name}")
stated = [("PGPT", "same"), ("boot.img", "same"), ("cid.dat", "missing"), ("gone.img", "missing"), ("lk.img", "differs")]
for source in (box, work / "moto.zip"):
    db = work / f"{source.name}.db"
    scan(source, db)
    ght.equal(ask(db, "SELECT path, state FROM package_sums ORDER BY 1"), stated, f"{source.name}: what the list states")
(box / "flashfile.xml").unlink()
scan(box, work / "plain.db")
ght.equal(ask(work / "plain.db", "SELECT count(*) FROM c_digests"), [(0,)], "no list: no MD5 is measured")

# ---- Samsung's archives ----
if shutil.which("lz4"):
    for n in ("odm", "oem"):
        ght.run("lz4", "-q", "-f", work / f"{n}.img", work / f"{n}.img.lz4")
    ght.run("tar", "-C", work, "-H", "ustar", "-cf", work / "AP.tar", "odm.img.lz4", "oem.img.lz4")
    tar = (work / "AP.tar").read_bytes()
    line = ght.run("md5sum", "-t", "AP.tar", cwd=work)
    for name, data, state in (("AP.tar.md5", tar + line, "same"), ("BL.tar.md5", tar[:1000] + b"?" + tar[1001:] + line, "differs")):
        (work / name).write_bytes(data)
        db = work / f"{name}.db"
        scan(work / name, db)
        ght.equal(ask(db, "SELECT path, state FROM package_sums"), [(name, state)], f"{name}: its last line")
        if state == "same":
            ght.equal([ask(db, FILES.format(n))[0][0] for n in ("odm", "oem")], [33, 33], f"{name}: opened to the last file")
else:
    ght.skip("Samsung", "lz4 is not installed")
ght.done()
