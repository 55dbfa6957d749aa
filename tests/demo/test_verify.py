#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The command under "Check it by hand" of every finding on the demonstration phone, pasted into bash beside the phone: it ends well
and shows what the finding says."""
import concurrent.futures
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/lib"))
import ght  # noqa: E402

BIN = os.environ.get("GH_BIN", str(ght.BUILD / "gifthorse"))
DEMO = pathlib.Path(os.environ.get("GH_DEMO", ROOT / "build/demo"))
# What the finding says in other words than the command: the flags of vbmeta, a capability as bytes, the rest of a link.
SHOWS = {"GH-B02": r"00 00 00 0[1-3]", "GH-N02": r"\(\d+\) = 01 00 00 0[23]", "GH-N10": r"[0-9a-f]{64}",
         "GH-C10": r"1:(root:\$1\$|ssh-)"}


def tokens(text):
    return {t.lower() for t in re.findall(r"[A-Za-z0-9_./=-]{5,}", text.replace(":", " "))}


def paste(f):
    with tempfile.TemporaryDirectory(prefix="ght-") as d:
        os.symlink(DEMO.resolve() / "phone.zip", pathlib.Path(d) / "phone.zip")
        (pathlib.Path(d) / "bin").mkdir()
        os.symlink(BIN, pathlib.Path(d) / "bin/gifthorse")
        env = dict(os.environ, PATH=f"{d}/bin:{os.environ['PATH']}:/usr/sbin:/sbin", LC_ALL="C.UTF-8")
        return subprocess.run(["bash", "-c", f["verify"]], cwd=d, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace")


def main():
    out = ght.tmp() / "r.json"
    subprocess.run([BIN, "scan", DEMO / "phone.zip", "-f", f"json={out}", "--progress", "none"], capture_output=True)
    findings = json.loads(out.read_text())["findings"]
    ght.check(len({f["rule"] for f in findings}) > 20, "the demonstration phone has findings of many rules")
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for f, p in zip(findings, pool.map(paste, findings)):
            name = f"{f['rule']} {f['place']}"
            ght.check(p.returncode == 0 and p.stdout.strip(), f"{name}: the command ends well", (f["verify"], p.returncode, p.stderr[-300:]))
            told = p.stdout.lower()
            plain = told.replace(":", "").replace(" ", "")
            want = SHOWS.get(f["rule"])
            seen = re.search(want, told) if want else any(t in told or t in plain for t in tokens(f["evidence"]))
            ght.check(seen, f"{name}: and shows what the finding says", (f["evidence"], p.stdout[:400]))
    ght.done()


main()
