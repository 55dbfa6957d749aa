#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""gifthorse unpack: the demonstration phone comes out as its source tree, and nothing is ever written outside of the folder,
whatever the names in an input say."""
import csv
import hashlib
import io
import json
import os
import pathlib
import resource
import signal
import stat
import subprocess
import sys
import tarfile
import warnings
import zipfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import ght  # noqa: E402

BIN = os.environ.get("GH_BIN", str(ght.BUILD / "gifthorse"))
DEMO = pathlib.Path(os.environ.get("GH_DEMO", ght.ROOT / "build/demo"))
D = ght.tmp()
ROOT = os.geteuid() == 0
warnings.filterwarnings("ignore", message="Duplicate name")


def gh(*argv, **kw):
    p = subprocess.run([BIN, *map(os.fspath, argv)], capture_output=True, cwd=D, **kw)
    return p.returncode, p.stdout.decode(errors="replace"), p.stderr.decode(errors="replace")


def manifest(name):
    return [json.loads(line) for line in (D / f"{name}.manifest.jsonl").read_text().splitlines()]


def sha(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def tree(folder):
    """All below it, by path: kind, and content or target. No link is followed."""
    out = {}
    for top, dirs, files in os.walk(os.fsencode(folder)):
        for n in dirs + files:
            p = os.path.join(top, n)
            st = os.lstat(p)
            key = os.path.relpath(p, os.fsencode(folder))
            out[key] = (("link", os.readlink(p)) if stat.S_ISLNK(st.st_mode) else ("dir", None) if stat.S_ISDIR(st.st_mode) else ("file", open(p, "rb").read()))
    return out


# ---- the demonstration phone ----

def demo_rows():
    with open(DEMO / "phone.tree.tsv", newline="") as f:
        return list(csv.DictReader(f, delimiter="\t", quoting=csv.QUOTE_NONE))


def test_demo():
    if not (DEMO / "phone.zip").is_file():
        ght.skip("the demonstration phone", "not made (make demo)")
        return
    code, out, err = gh("unpack", DEMO / "phone.zip", "-o", "phone", "--set-id")
    ght.check(code == 0 and not err, "the phone is unpacked", (code, out, err))
    rows = demo_rows()
    by = {(r["image"], r["name"]): r for r in manifest("phone") if "image" in r}
    wrong = {"there": [], "bytes": [], "modes": [], "owners": [], "attributes": [], "targets": []}
    for r in rows:
        p = D / "phone" / r["image"] / r["path"].lstrip("/")
        m = by.get((r["image"], r["path"]))
        if not m or not os.path.lexists(p):
            wrong["there"].append(r["path"])
            continue
        st = p.lstat()
        if r["kind"] == "file" and (sha(p) != r["sha256"] or m["sha256"] != r["sha256"]):
            wrong["bytes"].append(r["path"])
        if r["kind"] == "link" and (os.readlink(p) != r["target"] or m["target"] != r["target"]):
            wrong["targets"].append(r["path"])
        mode = int(r["mode"], 8)
        need = mode | (0 if ROOT else 0o700 if r["kind"] == "dir" else 0o600)
        if int(m["mode"], 8) != mode or (r["kind"] != "link" and stat.S_IMODE(st.st_mode) != need):
            wrong["modes"].append((r["path"], oct(st.st_mode)))
        if (m["uid"], m["gid"]) != (int(r["uid"]), int(r["gid"])) or (ROOT and (st.st_uid, st.st_gid) != (m["uid"], m["gid"])):
            wrong["owners"].append(r["path"])
        if m["selinux"] != r["label"] or int(m.get("capabilities", "0"), 16) != int(r["caps"], 0):
            wrong["attributes"].append(r["path"])
    files = [r for r in rows if r["kind"] in ("file", "dir", "link")]
    ght.check(len(files) > 400, "the source tree has its files", len(files))
    for what, list_ in wrong.items():
        ght.check(not list_, f"{len(files)} files of the source tree: {what} are equal", list_[:5])
    images = {r["image"] for r in rows}
    extra = [(r["image"], r["name"]) for r in manifest("phone") if r.get("image") in images and (r["image"], r["name"]) not in {(x["image"], x["path"]) for x in rows}
             and r["name"] not in ("/", "/lost+found")]
    ght.equal(extra, [], "and nothing that the source tree does not have")
    ght.check((D / "phone/init_boot/ramdisk/init").is_file(), "a ramdisk lies in the folder of its image")
    ght.check(any((D / "phone/apex").iterdir()), "an APEX's file system is unpacked")
    code, out, err = gh("scan", "phone", "-f", "json")
    ids = {x["rule"] for x in json.loads(out)["findings"]} if out else set()
    ght.check({"GH-B08", "GH-C10"} <= ids, "the folder is read as an unpacked phone", (code, sorted(ids), err))


def test_images():
    if not (DEMO / "phone.zip").is_file():
        return
    code, _, err = gh("unpack", DEMO / "phone.zip", "vbmeta", "-o", "some", "--images")
    ght.equal((code, sorted(p.name for p in (D / "some").iterdir())), (0, ["vbmeta.img", "vbmeta_system.img"]), "PATH and --images: only that " + err)
    ght.equal(sha(D / "some/vbmeta.img"), sha(DEMO / "phone/vbmeta.img"), "an image's bytes are equal")
    code, _, err = gh("unpack", DEMO / "phone.zip", "-o", "images", "--images")
    for name in ("system", "vendor", "odm", "product", "system_ext"):
        ght.equal(sha(D / f"images/{name}_a.img"), sha(DEMO / f"phone/{name}.img"), f"{name} out of the packed super image: bytes are equal")
    code, _, err = gh("unpack", DEMO / "phone.zip", "system:/system/etc/init", "-o", "part")
    got = sorted(str(p.relative_to(D / "part")) for p in (D / "part").rglob("*") if p.is_file())
    ght.check(code == 0 and got and all(x.startswith("system/system/etc/init") for x in got), "PATH: a part of one image", (code, got, err))


# ---- hostile names ----

def outside(before, name):
    """Nothing beside the folder and its manifest has changed."""
    after = {p.name: (p.stat().st_size if p.is_file() else sorted(tree(p))) for p in D.iterdir() if p.name not in (name, f"{name}.manifest.jsonl")}
    ght.equal(after, before, f"{name}: nothing was written outside")


def look(name):
    return {p.name: (p.stat().st_size if p.is_file() else sorted(tree(p))) for p in D.iterdir() if p.name not in (name, f"{name}.manifest.jsonl")}


def unpacked(source, name, *more, want=0):
    before = look(name)
    code, out, err = gh("unpack", source, "-o", name, *more)
    ght.check(code == want, f"{name}: exit code", (code, out, err))
    outside(before, name)
    return tree(D / name), manifest(name), out


def test_zip():
    names = {"../../up.txt": b"1", "/abs.txt": b"2", "a/../../b.txt": b"3", "line\nfeed": b"4", "x" * 300: b"5", "x" * 299 + "y": b"6", "dir": b"7",
             "dir/inner": b"8", "Case": b"9", "case": b"10", "./dot//slash/.": b"11", "esc\x1b[2J": b"12", "é": b"13", "back\\..\\..\\slash": b"14"}
    with zipfile.ZipFile(D / "slip.zip", "w") as z:
        for n, data in names.items():
            z.writestr(zipfile.ZipInfo(n), data)
        z.writestr(zipfile.ZipInfo("twice"), b"a")
        z.writestr(zipfile.ZipInfo("twice"), b"b")
        z.writestr(zipfile.ZipInfo("zzzNUL"), b"nul")
    raw = (D / "slip.zip").read_bytes().replace(b"zzzNUL", b"zz\0NUL")
    (D / "slip.zip").write_bytes(raw)
    got, rows, out = unpacked("slip.zip", "slip")
    files = {k: v[1] for k, v in got.items() if v[0] == "file"}
    ght.equal(sorted(files.values()), sorted([*names.values(), b"a", b"b", b"nul"]), "every member's bytes are there once")
    ght.equal(files.get(b"%2E%2E/%2E%2E/up.txt"), b"1", "a name that leads upwards stays below")
    ght.equal(files.get(b"abs.txt"), b"2", "an absolute name too")
    ght.equal(files.get(b"line%0Afeed"), b"4", "control characters are written out")
    ght.equal((files.get(b"twice"), files.get(b"twice~2")), (b"a", b"b"), "a name that is taken")
    ght.equal(files.get(b"dir~folder/inner"), b"8", "a file where a folder should be")
    ght.equal(files.get(b"zz%00NUL"), b"nul", "a zero in a name")
    ght.check(files.get(b"back\\..\\..\\slash") == b"14" and files.get(b"dot/slash") == b"11", "backslashes are letters here", sorted(files))
    ght.check(all(len(c) <= 255 for k in got for c in k.split(b"/")), "no name is longer than 255 bytes")
    ght.check("another name here" in out and "in case only" in out, "and that is told", out)
    by = {r["name"]: r for r in rows}
    ght.check(by["../../up.txt"]["state"] == "renamed" and "upwards" in by["../../up.txt"]["why"], "the manifest tells why", by["../../up.txt"])
    ght.equal(bytes.fromhex(next(r["name_hex"] for r in rows if r["name"].startswith("zz"))), b"zz\0NUL", "and the name byte for byte")


def add(t, name, data=b"", **kw):
    info = tarfile.TarInfo(name)
    info.size = len(data)
    for k, v in kw.items():
        setattr(info, k, v)
    t.addfile(info, io.BytesIO(data))


def test_tar():
    target = D / "victim"
    target.mkdir()
    with tarfile.open(D / "evil.tar", "w", format=tarfile.GNU_FORMAT) as t:
        add(t, "sys/link", type=tarfile.SYMTYPE, linkname=str(target))
        add(t, "sys/link/through", b"escaped")
        add(t, "sys/up", type=tarfile.SYMTYPE, linkname="../../victim")
        add(t, "sys/up/through2", b"escaped")
        add(t, "file", b"content", mode=0o4755, uid=12, gid=34, mtime=1234567890)
        add(t, "hard", type=tarfile.LNKTYPE, linkname="file")
        add(t, "hardout", type=tarfile.LNKTYPE, linkname="../victim/x")
        add(t, "null", type=tarfile.CHRTYPE, devmajor=1, devminor=3)
        add(t, "pipe", type=tarfile.FIFOTYPE)
        add(t, "closed", type=tarfile.DIRTYPE, mode=0o0)
        add(t, "closed/in", b"in", mode=0o0)
        add(t, "file/below", b"below")
        add(t, "good", type=tarfile.SYMTYPE, linkname="file")
        add(t, "../../top", b"top")
    got, rows, out = unpacked("evil.tar", "evil", "--no-owners", want=3)
    ght.equal(list(target.iterdir()), [], "a file through a link is not written through it")
    ght.equal(got.get(b"sys/link/through"), ("file", b"escaped"), "it lies in a folder of that name")
    ght.equal(got.get(b"sys/link~2"), ("link", os.fsencode(target)), "the link itself stands beside")
    ght.equal(got.get(b"good"), ("link", b"file"), "links are made")
    ght.equal(got.get(b"%2E%2E/%2E%2E/top"), ("file", b"top"), "a name that leads upwards stays below")
    ght.check(b"null" not in got and b"pipe" not in got, "devices and pipes are not made", sorted(got))
    ght.equal(got.get(b"file~folder/below"), ("file", b"below"), "a file below a file")
    st = (D / "evil/file").stat()
    ght.equal((stat.S_IMODE(st.st_mode), int(st.st_mtime)), (0o755, 1234567890), "mode without set-id, and time")
    ght.check("set-id" in out and "lead out" in out, "which is told", out)
    by = {r["name"]: r for r in rows}
    ght.check(by["/hardout"]["state"] == "not_written" and b"hardout" not in got, "a hard link to nowhere is not made, and told", by["/hardout"])
    ght.equal((by["/file"]["mode"], by["/file"]["uid"], by["/file"]["gid"]), ("4755", 12, 34), "the manifest has what was left off")
    if b"hard" in got:
        ght.equal(got[b"hard"], ("file", b"content"), "a second name has the same bytes")
    got, rows, _ = unpacked("evil.tar", "evil2", "--set-id", "--no-links", "--no-owners", want=3)
    ght.equal([k for k, v in got.items() if v[0] == "link"], [], "--no-links")
    ght.equal(stat.S_IMODE((D / "evil2/file").stat().st_mode), 0o4755, "--set-id")


def test_ext4():
    """Entries whose names are forged in the image: "..", a slash, a link's way out."""
    src = D / "ext4.src"
    (src / "XX").mkdir(parents=True)
    (src / "XX/inner").write_bytes(b"inner")
    (src / "aYb").write_bytes(b"slash")
    (src / "ZZ").write_bytes(b"dots")
    (src / "name").write_bytes(b"name")
    os.link(src / "name", src / "other")
    os.symlink("/etc/passwd", src / "link")
    with open(src / "holes", "wb") as f:
        f.truncate(3 << 20)
        f.seek(1 << 20)
        f.write(b"middle")
    ght.run("mke2fs", "-q", "-t", "ext4", "-O", "^metadata_csum,^dir_index", "-d", src, D / "forged.img", "8M", env={**os.environ, "PATH": os.environ["PATH"] + ":/usr/sbin:/sbin"})
    raw = (D / "forged.img").read_bytes()
    for a, b in ((b"\x02\x02XX", b"\x02\x02.."), (b"\x03\x01aYb", b"\x03\x01a/b"), (b"\x02\x01ZZ", b"\x02\x01..")):
        ght.check(raw.count(a) == 1, f"the entry {a!r} is there to be forged", raw.count(a))
        raw = raw.replace(a, b)
    (D / "forged.img").write_bytes(raw)
    before = look("forged")
    code, out, err = gh("unpack", "forged.img", "-o", "forged")
    outside(before, "forged")
    got = tree(D / "forged")
    ght.check(code in (0, 3), "forged names: unpacked", (code, out, err))
    ght.check(all(not k.startswith(b"..") and b"/../" not in k for k in got), "no name leads upwards", sorted(got))
    ght.equal(got.get(b"forged/name"), ("file", b"name"), "what is sound is there")
    ght.equal(os.stat(D / "forged/forged/name").st_ino, os.stat(D / "forged/forged/other").st_ino, "two names of one file stay that")
    holes = (D / "forged/forged/holes")
    ght.check(sha(holes) == sha(src / "holes") and holes.stat().st_blocks * 512 < 1 << 20, "holes stay holes", holes.stat().st_blocks)
    ght.equal(got.get(b"forged/link"), ("link", b"/etc/passwd"), "a link is made as it stands, and not followed")


# ---- use ----

def test_use():
    with zipfile.ZipFile(D / "plain.zip", "w") as z:
        z.writestr("a", b"a")
    for name, argv, word in (("no folder named", ["plain.zip"], "-o DIR"), ("no input", ["-o", "x"], "unpack INPUT -o DIR"), ("no such input", ["absent", "-o", "x"], "No such file"),
                             ("nothing of that name", ["plain.zip", "nope", "-o", "x"], "gifthorse ls INPUT"), ("a folder", [".", "-o", "x"], "is a folder"),
                             ("into a file", ["plain.zip", "-o", "plain.zip", "--manifest", "m"], "is a file")):
        before = sorted(p.name for p in D.iterdir())
        code, out, err = gh("unpack", *argv)
        ght.check(code == 2 and word in err and not out, f"{name}: exit 2 and the next step", (code, out, err))
        ght.equal(sorted(p.name for p in D.iterdir()), before, f"{name}: nothing is left behind")
    (D / "full").mkdir()
    (D / "full/mine").write_text("mine")
    code, _, err = gh("unpack", "plain.zip", "-o", "full")
    ght.check(code == 2 and "not empty" in err and (D / "full/mine").read_text() == "mine", "a folder that is not empty is left alone", (code, err))
    ght.equal(gh("unpack", "plain.zip", "-o", "plain")[0], 0, "a new folder")
    (D / "plain/a").unlink()
    code, _, err = gh("unpack", "plain.zip", "-o", "plain")
    ght.check(code == 2 and "File exists" in err, "a manifest that is there is not written over", (code, err))
    os.symlink(D / "full", D / "dirlink")


def test_damage():
    with zipfile.ZipFile(D / "whole.zip", "w", zipfile.ZIP_DEFLATED) as z:
        z.writestr("first", b"first" * 1000)
        z.writestr("second", os.urandom(100000))
        z.writestr("third", b"third" * 1000)
    raw = bytearray((D / "whole.zip").read_bytes())
    raw[30000:30100] = bytes(100)
    (D / "damaged.zip").write_bytes(raw)
    code, out, err = gh("unpack", "damaged.zip", "-o", "damaged")
    rows = {r["name"]: r for r in manifest("damaged")}
    ght.check(code == 3 and rows["second"]["state"] == "partial" and "damage" in rows["second"], "a damaged file: exit 3, written as far as it goes, told", (code, rows.get("second"), err))
    ght.equal(((D / "damaged/first").read_bytes(), (D / "damaged/third").read_bytes()), (b"first" * 1000, b"third" * 1000), "the rest is whole")


def test_limits():
    """A file that states a hundred gigabytes, and a machine that has no room."""
    (D / "hollow.src").mkdir()
    with open(D / "hollow.src/big", "wb") as f:
        f.truncate(100 << 30)
        f.seek(5 << 30)
        f.write(b"data")
    ght.run("mke2fs", "-q", "-t", "ext4", "-d", D / "hollow.src", D / "hollow.img", "8M", env={**os.environ, "PATH": os.environ["PATH"] + ":/usr/sbin:/sbin"})
    (D / "hollow.src/big").unlink()
    code, out, err = gh("unpack", "hollow.img", "-o", "hollow", timeout=60)
    row = next(r for r in manifest("hollow") if r["name"] == "/big")
    ght.check(code == 3 and row["state"] == "partial" and row["damage"] == "limit", "a hollow file is not written out", (code, row, err))
    with zipfile.ZipFile(D / "room.zip", "w", zipfile.ZIP_DEFLATED) as z:
        z.writestr("large", bytes(range(256)) * 40000)

    def small():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
    code, out, err = gh("unpack", "room.zip", "-o", "room", preexec_fn=small, timeout=60)
    ght.check(code == 2 and "cannot be written" in err, "no room: exit 2, told", (code, err))


for test in (test_demo, test_images, test_zip, test_tar, test_ext4, test_use, test_damage, test_limits):
    test()
ght.done()
