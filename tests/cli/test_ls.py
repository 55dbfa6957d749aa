#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""gifthorse ls: lines, tree and JSON say the same; attributes equal the demonstration phone's source tree; what holds no names is
not unpacked."""
import csv
import io
import json
import os
import pathlib
import resource
import subprocess
import sys
import tarfile
import zipfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import ght  # noqa: E402

BIN = os.environ.get("GH_BIN", str(ght.BUILD / "gifthorse"))
DEMO = pathlib.Path(os.environ.get("GH_DEMO", ght.ROOT / "build/demo"))
D = ght.tmp()


def gh(*argv, **kw):
    p = subprocess.run([BIN, *map(os.fspath, argv)], capture_output=True, cwd=D, **kw)
    return p.returncode, p.stdout.decode(errors="replace"), p.stderr.decode(errors="replace")


def rows(*argv, want=0):
    code, out, err = gh("ls", "--json", *argv)
    ght.equal(code, want, f"ls --json {argv[-1]}: exit code {err}")
    return [json.loads(x) for x in out.splitlines()]


def test_demo():
    if not (DEMO / "phone.zip").is_file():
        ght.skip("the demonstration phone", "not made (make demo)")
        return
    got = rows(DEMO / "phone.zip")
    places = {r["place"]: r for r in got}
    with open(DEMO / "phone.tree.tsv", newline="") as f:
        want = list(csv.DictReader(f, delimiter="\t", quoting=csv.QUOTE_NONE))
    kinds = {"dir": "folder"}
    wrong = []
    for w in want:
        r = places.get(f"{w['image']}:{w['path']}")
        same = r and (r["type"], int(r["mode"], 8), r["uid"], r["gid"], r.get("selinux"), int(r.get("capabilities", "0"), 16)) == (
            kinds.get(w["kind"], w["kind"]), int(w["mode"], 8), int(w["uid"]), int(w["gid"]), w["label"], int(w["caps"], 0))
        if not same or (w["kind"] == "link" and r["target"] != w["target"]):
            wrong.append((w, r))
    ght.check(len(want) > 400 and not wrong, f"attributes of {len(want)} files equal the source tree", wrong[:2])
    _, lines, _ = gh("ls", DEMO / "phone.zip")
    ght.equal(len(lines.splitlines()), len(got), "as many lines as objects")
    for line, r in zip(lines.splitlines(), got):
        if r["place"] not in line or str(r["size"]) not in line.split():
            ght.check(False, "a line and its object", (line, r))
            break
    _, tree, _ = gh("ls", "--tree", DEMO / "phone.zip")
    names = [x.strip() for x in tree.splitlines()]
    members = [f"{m.filename}  {m.file_size}" for m in zipfile.ZipFile(DEMO / "phone.zip").infolist()]
    ght.check(set(members) <= set(names) and any(x.startswith("build.prop  ") for x in names), "the tree has members and files", names[:20])
    last = [x for x in tree.splitlines() if x.endswith("otacerts.zip") or "otacerts.zip  " in x]
    ght.check(last and last[0].startswith("  " * 6), "which stand below their folders", last)
    _, long, _ = gh("ls", "-l", DEMO / "phone.zip", "system:/system/build.prop")
    ght.check("2009-01-01T00:00:00Z" in long and "system:/system/build.prop" in long, "-l has the time", long)
    _, top, _ = gh("ls", "--depth", "1", DEMO / "phone.zip")
    ght.equal([x.split()[-1] for x in top.splitlines()], [i.filename for i in zipfile.ZipFile(DEMO / "phone.zip").infolist()], "--depth 1: the package's own members")


def test_names():
    """Names are bytes, whoever chose them."""
    odd = ["a\nb", "tab\tx", "esc\x1b[31m", "quote\"'", "back\\x41", "é", "\ud800".encode("utf-8", "surrogatepass").decode("latin-1")]
    with tarfile.open(D / "odd.tar", "w", format=tarfile.GNU_FORMAT) as t:
        for n in odd:
            info = tarfile.TarInfo("d/" + n)
            info.size = 1
            t.addfile(info, io.BytesIO(b"x"))
        info = tarfile.TarInfo(b"d/\xff\xfe".decode("utf-8", "surrogateescape"))
        t.addfile(info)
    got = rows("odd.tar")
    back = [bytes.fromhex(r["name_hex"]) if "name_hex" in r else r["name"].encode() for r in got]
    ght.equal(back, [b"/d/" + n.encode() for n in odd] + [b"/d/\xff\xfe"], "each name comes back byte for byte")
    for form in ([], ["--tree"], ["-l"], ["--json"]):
        out = gh("ls", *form, "odd.tar")[1]
        ght.check("\x1b" not in out and "\t" not in out and len(out.splitlines()) == len(odd) + (2 if form == ["--tree"] else 1), f"ls {form}: no name breaks a line", out)


def test_sizes():
    """Neither a packed gigabyte of nothing known nor a partition that was not asked for is unpacked."""
    with zipfile.ZipFile(D / "large.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as z:
        z.writestr("system/build.prop", "ro.build.type=user\n")
        with z.open("modem.img", "w", force_zip64=True) as f:
            for _ in range(1024):
                f.write(b"modem firmware, as nobody reads " * 32768)
    def few():
        resource.setrlimit(resource.RLIMIT_CPU, (1, 1))
    env = {**os.environ, "TMPDIR": "/nonexistent"}
    code, out, err = gh("ls", "large.zip", env=env, preexec_fn=few)
    ght.check(code == 0 and "1073741824" in out and not err, "a packed gigabyte is listed, not unpacked", (code, out, err))
    with zipfile.ZipFile(D / "half.zip", "w", zipfile.ZIP_DEFLATED) as z:
        for name in ("system", "vendor"):
            src = D / name
            src.mkdir()
            (src / f"{name}.txt").write_text(name)
            ght.run("mke2fs", "-q", "-t", "ext4", "-d", src, D / f"{name}.img", "2M", env={**os.environ, "PATH": os.environ["PATH"] + ":/usr/sbin:/sbin"})
            z.write(D / f"{name}.img", f"{name}.img")
    raw = bytearray((D / "half.zip").read_bytes())
    at = raw.index(b"vendor.img") + 10
    raw[at + 100:at + 120] = b"\xff" * 20
    (D / "half.zip").write_bytes(raw)
    ght.equal(gh("ls", "half.zip")[0], 3, "a damaged member is told when it is asked for")
    code, out, err = gh("ls", "half.zip", "system:/")
    ght.check(code == 0 and "system:/system.txt" in out and not err, "and not opened when another is", (code, out, err))


def test_use():
    for argv, word in ((["--depth", "0", "odd.tar"], "from 1"), (["--tre", "odd.tar"], "--tree"), ([], "gifthorse ls INPUT"), (["odd.tar", "a", "b"], "one word too many")):
        code, out, err = gh("ls", *argv)
        ght.check(code == 2 and word in err and not out, f"ls {argv}: exit 2 and the next step", (code, out, err))


for test in (test_demo, test_names, test_sizes, test_use):
    test()
ght.done()
