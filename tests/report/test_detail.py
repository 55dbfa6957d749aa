#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Evidence that opens in its place: the bytes are those of the images, the field is marked, certificates are as openssl tells them,
and a redacted page has no bytes."""
import html
import os
import pathlib
import re
import sqlite3
import subprocess
import sys
import zipfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import ght  # noqa: E402

BIN = os.environ.get("GH_BIN", str(ght.BUILD / "gifthorse"))
DEMO = pathlib.Path(os.environ.get("GH_DEMO", ght.ROOT / "build/demo"))
D = ght.tmp()


def main():
    if not (DEMO / "phone.zip").is_file():
        ght.skip("the demonstration phone", "not made (make demo)")
        return
    subprocess.run([BIN, "scan", DEMO / "phone.zip", "--db", D / "facts.db", "-f", f"html={D}/page.html", "--fail-on", "never"], capture_output=True, check=True)
    page = (D / "page.html").read_text()
    again = subprocess.run([BIN, "report", D / "facts.db", "-f", "html", "--fail-on", "never"], capture_output=True).stdout.decode()
    ght.check(page == again, "the page from the facts alone is the same")
    ght.check(len(page) < 5_000_000 and "<script>" not in page and "http-equiv=\"Content-Security-Policy\"" in page, "one page, below 5 MB, without a script")
    con = sqlite3.connect(D / "facts.db")
    wrong, n = [], 0
    for name, at, hex_ in con.execute("SELECT DISTINCT p.name, e.at, e.bytes FROM places p JOIN c_excerpts e USING(blob_id) WHERE p.image='' AND p.path LIKE '/%.img'"):
        n += 1
        with open(DEMO / "phone" / name, "rb") as f:
            f.seek(at)
            if f.read(len(hex_) // 2).hex() != hex_:
                wrong.append((name, at))
    ght.check(n >= 20 and not wrong, f"{n} excerpts are bytes of the images", wrong[:3])
    part = page[page.index("GH-B02"):]
    marked = "".join(re.findall(r"<mark>(..)</mark>", part[:part.index("</pre>")]))
    ght.equal(bytes.fromhex(marked), (DEMO / "phone/vbmeta.img").read_bytes()[120:124], "the flags of vbmeta are marked")
    dump = part[part.index("<pre>") + 5:part.index("</pre>")]
    rows = [re.sub(r"<.?mark>", "", html.unescape(x)) for x in dump.splitlines()]
    raw = (DEMO / "phone/vbmeta.img").read_bytes()
    ght.check(all(bytes.fromhex(r[10:33]) == raw[int(r[:8], 16):int(r[:8], 16) + 8] for r in rows) and len(rows) == 8, "and each line is what stands at its offset", rows)
    certs = re.findall(r"The certificate</summary><pre>(.*?)</pre>", page, re.S)
    ght.check(certs and all("Subject: " in c and "SHA-256: " in c and "Valid: " in c for c in certs), "certificates open", certs[:1])
    known = {x[0] for x in con.execute("SELECT sha256 FROM c_certs")}
    ght.check(all(re.search(r"SHA-256: ([0-9a-f]{64})", c)[1] in known for c in certs), "each is one of the phone's")
    lines = re.findall(r"What stands around it</summary><pre>(.*?)</pre>", page, re.S)
    ght.check(any("ro.adb.secure=0" in x and len(x.strip().splitlines()) > 2 for x in lines), "a property stands among its neighbours", lines[:1])
    apps = re.findall(r"What the app asks for and opens</summary><pre>(.*?)</pre>", page, re.S)
    ght.check(apps and all(x.startswith("package ") for x in apps), "an app: its package, permissions, open parts", apps[:1])
    ght.check("Who signed the apps of the system" in page and page.count("<svg") > 15, "charts")
    masked = subprocess.run([BIN, "report", D / "facts.db", "-f", "html", "--redact"], capture_output=True).stdout.decode()
    ght.check("The bytes there" not in masked and "The certificate" in masked, "a redacted page has no bytes")
    # A facts database whose excerpts were made up does not break the page.
    for change in ("bytes='<i>zz'", "bytes='abc'", "bytes='00ff', mark_len=9223372036854775807", "bytes='00ff', mark=9223372036854775807, mark_len=8", "mark=-5", "bytes=NULL"):
        con.execute(f"UPDATE c_excerpts SET {change}")
        con.commit()
        broken = subprocess.run([BIN, "report", D / "facts.db", "-f", "html", "--fail-on", "never"], capture_output=True)
        ght.check(broken.returncode == 0 and b"<i>zz" not in broken.stdout and b"zz  " not in broken.stdout, f"made-up excerpts ({change}) do not break the page", (broken.returncode, broken.stderr))


main()
ght.done()
