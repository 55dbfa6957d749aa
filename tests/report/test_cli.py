#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Mistakes at the command line: each is told in one or two lines that name the next step, nothing is written over, nothing fails in
silence, and a reader that goes away is no fault."""
import os
import pathlib
import signal
import sqlite3
import subprocess
import sys
import tarfile
import time
import zipfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import ght  # noqa: E402

BIN = os.environ.get("GH_BIN", str(ght.BUILD / "gifthorse"))
D = ght.tmp()
PROP = b"ro.build.type=user\nro.product.brand=Demo\nro.build.version.release=14\n"


def gh(*argv, **kw):
    p = subprocess.run([BIN, *map(os.fspath, argv)], capture_output=True, cwd=D, **kw)
    return p.returncode, p.stdout.decode(), p.stderr.decode()


def wrong(name, argv, *words):
    """Exit 2, nothing on standard output, and every line on standard error a sentence of ours; words: the next step in it."""
    code, out, err = gh(*argv)
    lines = err.splitlines()
    ght.check(code == 2 and not out and lines and all(x.startswith("gifthorse: ") for x in lines) and len(lines) <= 2, f"{name}: exit 2 and a word", (code, out, err))
    for word in words:
        ght.check(word in err, f"{name}: says {word}", err)


def inputs():
    (D / "empty").write_bytes(b"")
    (D / "words.txt").write_bytes(b"hello text\n")
    (D / "folder/sub").mkdir(parents=True)
    (D / "folder/a.txt").write_bytes(b"hi\n")
    with tarfile.open(D / "phone.tar", "w", format=tarfile.GNU_FORMAT) as t:
        for name, data in (("system/build.prop", PROP), ("system/etc/none", b""), ("system/etc/note", b"text" * 40000)):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            t.addfile(info, __import__("io").BytesIO(data))
        info = tarfile.TarInfo("system/etc")
        info.type = tarfile.DIRTYPE
        t.addfile(info)
        info = tarfile.TarInfo("system/lib")
        info.type, info.linkname = tarfile.SYMTYPE, "/vendor/lib\x1b[2J"
        t.addfile(info)
    with zipfile.ZipFile(D / "cut.zip", "w", zipfile.ZIP_DEFLATED) as z:
        z.writestr("system/build.prop", PROP)
        z.writestr("system/etc/big", os.urandom(200000))
    (D / "cut.zip").write_bytes((D / "cut.zip").read_bytes()[:100000])
    con = sqlite3.connect(D / "other.db")
    con.execute("CREATE TABLE t(x)")
    con.commit()
    con.close()
    code, _, err = gh("scan", "phone.tar", "--db", "facts.db")
    ght.equal(code, 0, "the phone of this test is scanned: " + err)


def test_commands():
    wrong("misspelt command", ["scna", "x"], "did you mean scan?")
    wrong("misspelt command", ["reprot"], "did you mean report?")
    wrong("no such command", ["xyzzy"], "gifthorse --help")
    wrong("a file for a command", ["phone.tar"], "gifthorse scan phone.tar")
    wrong("misspelt option", ["scan", "--fail-onn", "high", "phone.tar"], "did you mean --fail-on?")
    wrong("no such option", ["scan", "--xyzzy", "phone.tar"], "gifthorse scan --help")
    wrong("misspelt rule", ["explain", "GH-B99"], "GH-B09", "gifthorse rules")
    wrong("misspelt plug-in", ["scan", "phone.tar", "--without", "ex4"], "did you mean ext4")
    code, out, err = gh()
    ght.check(code == 2 and not out and "gifthorse scan INPUT" in err, "no arguments: the commands, exit 2", (code, out, err))
    for command in ("scan", "ls", "cat", "report", "query", "rules", "explain"):
        code, out, err = gh(command, "--help")
        ght.check(code == 0 and out.startswith(f"use: gifthorse {command}") and not err, f"{command} --help", (code, err))
        ght.equal(gh("help", command)[:2], (0, out), f"help {command} is the same")
    for command in ("scan", "report"):
        ght.check("130 interrupted" in gh(command, "--help")[1], f"{command} --help tells the exit codes")
    ght.equal(gh("--version")[0], 0, "--version")


def test_scan():
    wrong("missing file", ["scan", "absent.zip"], "No such file", "INPUT is")
    wrong("empty file", ["scan", "empty"], "is empty", "again")
    wrong("nothing to scan", ["scan"], "gifthorse scan --help")
    wrong("--jobs 0", ["scan", "phone.tar", "--jobs", "0"], "from 1 to 64")
    wrong("--fail-on bogus", ["scan", "phone.tar", "--fail-on", "bogus"], "critical, high, medium")
    wrong("no spill folder", ["scan", "phone.tar", "--spill-dir", "absent"], "make it first")
    wrong("a report into no folder", ["scan", "phone.tar", "-f", "html=absent/x.html"], "no folder absent/", "mkdir -p")
    wrong("facts into no folder", ["scan", "phone.tar", "--db", "absent/x.db"], "no folder absent/")
    wrong("a report onto a folder", ["scan", "phone.tar", "-f", "html=folder"], "is a folder")
    wrong("a report without a name", ["scan", "phone.tar", "-f", "json="], "file name is missing")
    wrong("two forms to one place", ["scan", "phone.tar", "-f", "text", "-f", "json"], "same place", "-f json=FILE")
    wrong("a report and the facts in one file", ["scan", "phone.tar", "-f", "json=x", "--db", "x"], "another file")
    wrong("facts into somebody else's database", ["scan", "phone.tar", "--db", "other.db"], "another name")
    wrong("facts into a text", ["scan", "phone.tar", "--db", "words.txt"], "another name")
    ght.equal((D / "words.txt").read_bytes(), b"hello text\n", "which stays as it was")
    code, out, _ = gh("scan", "phone.tar", "-f", "json=only.json")
    ght.check("checks that could be made" in out and (D / "only.json").exists(), "a report into a file alone: the first screen is shown too", (code, out))
    ght.equal(gh("scan", "phone.tar", "-f", "json")[1].count("gifthorse 0"), 0, "a form on standard output stands alone")
    code, out, _ = gh("scan", "cut.zip")
    ght.check(code == 3 and "incomplete" in out, "a cut-off zip: exit 3, told", (code, out))
    for source in ("words.txt", "folder"):
        _, out, _ = gh("scan", source)
        ght.check("Nothing can be said about a phone" in out and "Checks: 0 found nothing" in out, f"{source}: no check claims to have found nothing", out)


def test_evidence_stays():
    """What is given to look at is never written over."""
    for name, argv in (("report over the input", ["-f", "html=phone.tar"]), ("report over a link to it", ["-f", "json=link.tar"]),
                       ("facts over the input", ["--db", "phone.tar"])):
        if not (D / "link.tar").exists():
            os.link(D / "phone.tar", D / "link.tar")
        before = (D / "phone.tar").read_bytes()
        wrong(name, ["scan", "phone.tar", *argv], "another file")
        ght.check((D / "phone.tar").read_bytes() == before, f"{name}: it stays as it was")
    wrong("a report into the folder that is looked at", ["scan", "folder", "-f", "html=folder/sub/r.html"], "another file")
    wrong("the same by another way", ["scan", "folder/sub/..", "--db", "./folder/f.db"], "another file")
    ght.equal(sorted(p.name for p in (D / "folder").rglob("*")), ["a.txt", "sub"], "nothing was written there")
    before = (D / "facts.db").read_bytes()
    wrong("a report over the facts", ["report", "facts.db", "-f", "json=facts.db"], "another file")
    ght.check((D / "facts.db").read_bytes() == before, "the facts stay as they were")


def test_facts():
    for command, more in (("report", []), ("query", ["SELECT 1"])):
        wrong(f"{command}: no such file", [command, "absent.db", *more], "--db FACTS.db")
        wrong(f"{command}: a text", [command, "words.txt", *more], "--db FACTS.db")
        wrong(f"{command}: somebody else's database", [command, "other.db", *more], "--db FACTS.db")
        wrong(f"{command}: a folder", [command, "folder", *more], "is a folder")
    wrong("query: writing", ["query", "facts.db", "DELETE FROM files"], "only reading", "sqlite_master")
    wrong("query: no SQL", ["query", "facts.db", "SELEC 1"], "syntax error", "sqlite_master")
    wrong("query: no such table", ["query", "facts.db", "SELECT * FROM fils"], "no such table", "sqlite_master")
    code, out, _ = gh("query", "facts.db", "SELECT name, sql FROM sqlite_master")
    ght.check(code == 0 and "files" in out, "the statement that is named there works")


def test_inside():
    wrong("cat: no such path", ["cat", "phone.tar", "system:/no"], "gifthorse ls INPUT")
    wrong("cat: a folder", ["cat", "phone.tar", "system/etc"], "is a folder", "gifthorse ls INPUT")
    wrong("cat: a link", ["cat", "phone.tar", "system/lib"], "is a link to /vendor/lib")
    ght.check("\x1b" not in gh("cat", "phone.tar", "system/lib")[2], "its target is escaped")
    ght.equal(gh("cat", "phone.tar", "system/etc/none"), (0, "", ""), "cat: an empty file is empty")
    wrong("cat: one word", ["cat", "phone.tar"], "gifthorse cat INPUT PATH")
    wrong("cat: three words", ["cat", "phone.tar", "b", "c"], "c is one word too many")
    wrong("cat: a folder in a folder", ["cat", "folder", "sub"], "Is a directory")
    wrong("cat: nothing in a folder", ["cat", "folder", "absent"], "No such file")
    wrong("ls: three words", ["ls", "phone.tar", "b", "c"], "c is one word too many")
    wrong("ls: no such path", ["ls", "phone.tar", "absent"], "gifthorse ls INPUT")
    wrong("ls: no such file", ["ls", "absent"], "INPUT is")
    wrong("ls: standard input", ["ls", "-"], "gifthorse scan")
    wrong("ls: a text", ["ls", "words.txt"], "gifthorse identify")
    wrong("ls: a folder", ["ls", "folder"], "gifthorse scan folder")


def test_output():
    """A full disk is told; a reader that has seen enough is no fault."""
    commands = (["rules"], ["explain", "GH-B02"], ["report", "facts.db"], ["query", "facts.db", "SELECT * FROM files"], ["ls", "phone.tar"],
                ["cat", "phone.tar", "system/etc/note"])
    for argv in commands:
        with open("/dev/full", "w") as full:
            p = subprocess.run([BIN, *argv], stdout=full, stderr=subprocess.PIPE, cwd=D)
        ght.check(p.returncode == 2 and b"standard output" in p.stderr, f"{argv[0]} onto a full disk: told", (p.returncode, p.stderr))
        r, w = os.pipe()
        os.close(r)
        p = subprocess.run([BIN, *argv], stdout=w, stderr=subprocess.PIPE, cwd=D)
        os.close(w)
        ght.check(p.returncode in (0, -signal.SIGPIPE) and not p.stderr, f"{argv[0]} | head: no complaint", (p.returncode, p.stderr))


def test_interrupt():
    with tarfile.open(D / "large.tar", "w") as t:
        for i in range(3000):
            info = tarfile.TarInfo(f"system/etc/f{i}")
            data = os.urandom(20000)
            info.size = len(data)
            t.addfile(info, __import__("io").BytesIO(data))
    for wait in (0.6, 0.3, 0.15, 0.05):
        p = subprocess.Popen([BIN, "scan", "large.tar", "--jobs", "1", "-f", "text", "-f", "json=cut.json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=D)
        time.sleep(wait)
        p.send_signal(signal.SIGINT)
        out, err = p.communicate(timeout=120)
        if p.returncode == 130:
            break
    ght.check(p.returncode == 130 and b"interrupted" in out and b"interrupted" in (D / "cut.json").read_bytes(), "Ctrl-C: 130, and what was read is told", (p.returncode, out, err))


inputs()
test_commands()
test_scan()
test_evidence_stays()
test_facts()
test_inside()
test_output()
test_interrupt()
ght.done()
