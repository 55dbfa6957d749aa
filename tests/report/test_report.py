#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The report in its three forms: the same findings, the same bytes every time, nothing raw from the input in any of them, 24 lines,
exit codes; and query, rules, explain. Inputs are made here, small, with tarfile and zipfile."""
import fcntl
import html.parser
import io
import json
import os
import pathlib
import pty
import re
import signal
import sqlite3
import struct
import subprocess
import sys
import tarfile
import termios
import time
import zipfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import ght

BIN = os.environ.get("GH_BIN", str(ght.BUILD / "gifthorse"))
KEYS = ["schema_version", "tool", "scan", "inputs", "device", "verdict", "integrity", "coverage", "bytes", "unclaimed", "bytes_left_out", "axes", "counts", "findings",
        "findings_left_out", "rules", "parts", "exit"]
FINDING = ["rule", "severity", "axis", "certainty", "witness", "title", "place", "offset", "sha256", "evidence", "verify", "next", "fingerprint"]
# What a hostile name may try: the terminal, HTML, JSON, the reading direction, broken UTF-8, the shell.
EVIL = ("a<script>alert(1)</script>&\"'\x1b[2J\x9b31m\x07\u202egnp.\u200f\u061c\u2028\ufeff$(touch PWNED)`touch PWNED`;touch PWNED\\".encode()
        + b"\xff\xc0\xaf")
RAW = [b"\x1b", b"\x07", "\x9b".encode(), "\u202e".encode(), "\u200f".encode(), "\u061c".encode(), "\u2028".encode(), "\ufeff".encode(), b"\xff",
       b"\xc0\xaf"]
VOID = {"meta", "br", "hr"}


def gh(*argv, env=None, stdin=None):
    p = subprocess.run([BIN, *[os.fspath(a) for a in argv]], capture_output=True, input=stdin, env=dict(os.environ, **(env or {})))
    return p.returncode, p.stdout, p.stderr


def tar(path, files, links=(), pad=b""):
    with tarfile.open(path, "w", format=tarfile.GNU_FORMAT, encoding="utf-8", errors="surrogateescape") as t:
        for name, data in files:
            info = tarfile.TarInfo(os.fsdecode(name))
            info.size = len(data)
            t.addfile(info, io.BytesIO(data))
        for name, target in links:
            info = tarfile.TarInfo(os.fsdecode(name))
            info.type, info.linkname = tarfile.SYMTYPE, target
            t.addfile(info)
    if pad:
        with open(path, "ab") as f:
            f.write(pad)


PROP = b"ro.build.type=user\nro.product.brand=Demo\nro.build.version.release=14\n"


def phone(path, evil=False):
    """A tar as it comes from an unpacked phone, with a door that one rule knows: a link to / below a www folder."""
    name = EVIL.replace(b"/", b"_") if evil else b"plain"
    prop = PROP + (b"ro.product.model=" + EVIL + b"\n" if evil else b"ro.product.model=One\n")
    tar(path, [(b"system/build.prop", prop), (b"system/bin/tool", b"#!/system/bin/sh\nexit\n"), (b"system/etc/" + name, b"text")],
        [(b"system/www/" + name, "/")])
    return path


class Page(html.parser.HTMLParser):
    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.stack, self.bad, self.data, self.refs, self.articles, self.badges, self.ids, self.visible = [], [], "", [], 0, [], set(), []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        a = dict(attrs)
        self.refs += [v for k, v in attrs if k in ("href", "src", "action", "data", "srcset", "background")]
        self.bad += [k for k, v in attrs if k.startswith("on")]
        if tag in ("link", "img", "iframe", "object", "embed", "form", "base", "video") or (tag == "script" and a.get("type") != "application/json"):
            self.bad.append(tag)
        self.articles += tag == "article"
        self.ids.add(a.get("id"))
        if tag not in VOID:
            self.stack.append(tag)

    def handle_endtag(self, tag):
        if not self.stack or self.stack.pop() != tag:
            self.bad.append("unbalanced " + tag)

    def handle_data(self, data):
        if self.stack and self.stack[-1] == "script":
            self.data += data
        elif "style" not in self.stack:
            self.visible.append(data)


def forms(source, d, *more):
    """text, json, html and the exit code of one scan."""
    code, out, err = gh("scan", source, "-f", "text", "-f", f"json={d}/r.json", "-f", f"html={d}/r.html", "--db", d / "r.db", *more)
    return code, out, (d / "r.json").read_bytes(), (d / "r.html").read_bytes(), err


def check_keys(doc):
    ght.equal(list(doc), KEYS, "JSON has the keys of the schema, in order")
    ght.equal(doc["schema_version"], 1, "schema version")
    ght.equal(sorted(doc["tool"]), ["knowledge_sha256", "name", "rules_sha256", "version"], "tool")
    ght.check(all(sorted(i) == ["name", "sha256", "size"] for i in doc["inputs"]) and doc["inputs"], "inputs")
    ght.equal(list(doc["axes"]), ["integrity", "provenance", "behaviour", "coverage"], "axes")
    ght.check(all(a["state"] and a["sentence"] for a in doc["axes"].values()), "each axis has a state and a sentence")
    for level in ("files", "read", "understood", "analysed"):
        ght.equal(sorted(doc["coverage"][level]), ["bytes", "files"], f"coverage {level}")
    ght.check(all(list(f) == FINDING for f in doc["findings"]) and doc["findings"], "findings have all keys")
    ght.check(all(sorted(r) == ["id", "rows", "state", "title", "why"] for r in doc["rules"]) and doc["rules"], "rules")
    c = doc["coverage"]["rules"]
    ght.equal(c["evaluated"] + c["not_evaluated"], len(doc["rules"]), "every rule is evaluated or not")
    ght.equal(c["found"] + c["not_found"], c["evaluated"], "what was evaluated found something or not")
    ght.check(all(r["why"] for r in doc["rules"] if r["state"] == "not_evaluated"), "what could not be made says why")
    ght.equal(sorted(doc["exit"]), ["fail_on", "findings", "incomplete"], "exit")


def check_words(text):
    """The words that press and sellers like are never printed."""
    for word in ("backdoor", "implant", "clean", "malware", "score", "safe phone"):
        ght.check(not re.search(r"\b" + word + r"\b", text, re.I), f"never says {word}")


def check_parity(out, doc, page, name):
    text = out.decode()
    for severity, n in doc["counts"].items():
        ght.equal(sum(f["severity"] == severity for f in doc["findings"]), n, f"{name}: JSON counts {severity}")
        line = next(x for x in text.splitlines() if x.startswith("In all:"))
        told = re.search(rf"([\d,]+) {severity}", line)
        ght.equal(int(told[1].replace(",", "")) if told else 0, n, f"{name}: text counts {severity}")
    groups = {(f["rule"], f["severity"]) for f in doc["findings"]}
    ght.equal(page.articles, len(groups), f"{name}: one article a rule and severity")
    seen = " ".join(page.visible)
    ght.check(all(f["title"] in seen and f["evidence"] in seen for f in doc["findings"]), f"{name}: HTML shows what JSON holds")
    ght.check(doc["verdict"]["sentence"] in text, f"{name}: text and JSON give the same verdict")
    top = doc["findings"][0] if doc["findings"] else None
    if top:
        line = next((x for x in text.splitlines() if top["title"] in x), "")
        ght.check(line.startswith(top["severity"].upper()) and top["certainty"] in line and top["witness"] in line,
                  f"{name}: severity, certainty and witness stand in the finding's line", line)


def check_html(data, name):
    page = Page(data.decode("utf-8"))
    ght.equal(page.bad, [], f"{name}: no script, no foreign element, balanced")
    ght.equal(page.stack, [], f"{name}: every element is closed")
    ght.check(all(r.startswith("#") and r[1:] in page.ids for r in page.refs) and page.refs, f"{name}: references stay in the page and lead somewhere")
    css = re.search(rb"<style>(.*?)</style>", data, re.S)[1]
    ght.check(b"url(" not in css and b"@import" not in css, f"{name}: the style sheet loads nothing")
    ght.check(len(data) < 5_000_000, f"{name}: under 5 MB", len(data))
    return page


def test_forms(d):
    code, out, js, ht, err = forms(phone(d / "phone.tar"), d)
    doc = json.loads(js)
    check_keys(doc)
    page = check_html(ht, "plain phone")
    check_parity(out, doc, page, "plain phone")
    check_words(out.decode() + js.decode() + " ".join(page.visible))
    ght.equal(json.loads(page.data), doc, "the JSON inside the HTML is the JSON report")
    ght.check(len(out.splitlines()) <= 24 and b"\x1b" not in out, "piped: at most 24 lines and no escapes")
    ght.equal(doc["inputs"][0]["sha256"], ght.sha((d / "phone.tar").read_bytes()), "the input's digest")
    ght.equal(code, 1, "a high finding: exit 1")
    ght.equal(doc["exit"], {"fail_on": "high", "findings": True, "incomplete": code == 3}, "exit is told in JSON")
    ght.check(str(d).encode() not in js + ht, "no path of this machine")
    return doc


def test_same_bytes(d):
    want = None
    for i, more in enumerate((["--jobs", "1"], ["--jobs", "2"], ["--jobs", "2", "--shuffle", "7"])):
        sub = d / f"n{i}"
        sub.mkdir()
        _, _, js, ht, _ = forms(d / "phone.tar", sub, *more)
        want = want or (js, ht)
        ght.equal((js, ht) == want, True, f"the same bytes with {' '.join(more)}")
    _, _, js, ht, _ = forms(d / "phone.tar", d / "n0")
    ght.check((js, ht) == want, "the same bytes from a second scan into the same database")
    phone(d / "other.tar", evil=True)
    gh("scan", d / "other.tar", "--db", d / "n0/r.db", "-f", f"json={d}/other1.json")
    gh("scan", d / "other.tar", "-f", f"json={d}/other2.json")
    ght.check((d / "other1.json").read_bytes() == (d / "other2.json").read_bytes(), "two phones in one database do not mix")
    for scan in ("1", "2"):
        _, out, _ = gh("report", d / "n0/r.db", "--scan", scan, "-f", "json")
        ght.check(out == want[0], f"report --scan {scan} gives the same bytes")


def test_hostile(d):
    source = d / (os.fsdecode(b"evil \x1b]0;x\x07\xe2\x80\xaename\xff.tar"))
    phone(source, evil=True)
    sub = d / "evil"
    sub.mkdir()
    code, out, js, ht, err = forms(source, sub)
    doc = json.loads(js.decode("utf-8"))
    page = check_html(ht, "hostile names")
    check_parity(out, doc, page, "hostile names")
    for form, data in (("text", out), ("JSON", js), ("HTML", ht)):
        ght.equal([r for r in RAW if r in data], [], f"{form}: nothing raw from the input")
        data.decode("utf-8")
    ght.check(b"<script>alert" not in js + ht and b"</script>&" not in js, "no tag of the input in JSON or HTML")
    ght.check(any("<script>alert(1)<_script>" in x for x in page.visible), "the name is shown, as text")
    _, q, _ = gh("query", sub / "r.db", "SELECT path, link_target FROM files")
    _, qj, _ = gh("query", sub / "r.db", "SELECT path, link_target FROM files", "--json")
    _, qc, _ = gh("query", sub / "r.db", "SELECT path, link_target, '=1+1' FROM files", "--csv")
    for form, data in (("columns", q), ("json", qj), ("csv", qc)):
        ght.equal([r for r in RAW if r in data], [], f"query {form}: nothing raw from the input")
    ght.check(len(json.loads(qj)) == 5 or len(json.loads(qj)) > 3, "query --json parses")
    ght.check(b"'=1+1" in qc, "query --csv disarms what a spreadsheet would compute")
    _, _, err2 = gh("report", d / "nothing.db")
    ght.check(b"\x1b" not in err + err2, "nothing raw on standard error")
    return doc, sub


def test_verify(d, doc, sub):
    """The command to check by hand, run by bash with gifthorse replaced: it gets the very names and starts nothing else."""
    f = next(f for f in doc["findings"] if f["rule"] == "GH-C09")
    shell = "gifthorse() { printf '%s\\0' \"$@\" >args; }\n" + f["verify"] + "\n"
    subprocess.run(["bash", "-c", shell], cwd=sub, env={"PATH": "/usr/bin:/bin", "LC_ALL": "C"}, capture_output=True)
    args = (sub / "args").read_bytes().split(b"\0") if (sub / "args").exists() else []
    ght.check(not (sub / "PWNED").exists(), "a name cannot start a command")
    ght.equal(args[:1] + args[2:3], [b"ls", b"system:/www/" + EVIL.replace(b"/", b"_")], "the command holds the name byte for byte")
    ght.equal(args[1:2], [os.fsencode(next(p.name for p in d.iterdir() if p.name.startswith("evil ")))], "and the input's")


def test_templates(d):
    """Quoting inside the quotes of a rule's command: a path in 'stat {path}'."""
    db = d / "t.db"
    (d / "t.db").write_bytes((d / "evil/r.db").read_bytes())
    con = sqlite3.connect(db)
    con.execute("UPDATE findings SET rule='GH-N01', severity='critical' WHERE rule='GH-C09'")
    con.execute("UPDATE findings SET place_id=(SELECT place_id FROM places WHERE CAST(path AS TEXT) LIKE '/www/%')")
    con.commit()
    con.close()
    _, out, _ = gh("report", db, "-f", "json")
    f = next(f for f in json.loads(out)["findings"] if f["rule"] == "GH-N01")
    command = f["verify"].split("&&")[-1] if "touch" not in f["verify"].split("&&")[0] else f["verify"]
    shell = "gifthorse() { :; }; debugfs() { printf '%s\\0' \"$@\" >args2; }\n" + f["verify"] + "\n"
    subprocess.run(["bash", "-c", shell], cwd=d, env={"PATH": "/usr/bin:/bin", "LC_ALL": "C"}, capture_output=True)
    args = (d / "args2").read_bytes().split(b"\0")[:-1] if (d / "args2").exists() else [command]
    ght.equal(args, [b"-R", b"stat /www/" + EVIL.replace(b"/", b"_"), b"part.img"], "a name inside quotes stays one word")
    ght.check(not (d / "PWNED").exists(), "and starts nothing")


def screen(argv, width, env=None):
    """What the program writes to a terminal of this width."""
    pid, fd = pty.fork()
    if pid == 0:
        for k in ("NO_COLOR",):
            os.environ.pop(k, None)
        os.environ.update({"TERM": "xterm", **(env or {})})
        time.sleep(0.2)
        os.execv(BIN, [BIN, *map(str, argv)])
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
    data = b""
    while True:
        try:
            part = os.read(fd, 65536)
        except OSError:
            break
        if not part:
            break
        data += part
    os.waitpid(pid, 0)
    return data.replace(b"\r\n", b"\n")


def test_screen(d):
    plain = lambda s: re.sub(rb"\x1b\[[0-9;]*m", b"", s)
    for width in (40, 60, 80, 100, 200):
        for db in ("n0/r.db", "many.db"):
            data = screen(["report", d / db], width)
            lines = plain(data).decode().splitlines()
            ght.check(len(lines) <= 24 and lines, f"{db} at {width} columns: at most 24 lines", len(lines))
            ght.check(max(len(x) for x in lines) <= width, f"{db} at {width} columns: no line is wider", max(len(x) for x in lines))
            ght.check(b"\x1b" not in plain(data), f"{db} at {width} columns: only colours are escapes")
            ght.check("All of it" in plain(data).decode() and "In all" in plain(data).decode(), f"{db} at {width} columns: counts and the way to the rest")
    wide = plain(screen(["report", d / "many.db"], 80)).decode()
    shown = sum(x.startswith(("CRITICAL", "HIGH", "MEDIUM", "LOW", "INFO")) for x in wide.splitlines())
    ght.check(shown >= 2, "two findings or more at 80 columns, whole", shown)
    ght.check(b"\x1b[" in screen(["report", d / "n0/r.db"], 80), "colour on a terminal")
    ght.check(b"\x1b" not in screen(["report", d / "n0/r.db"], 80, {"NO_COLOR": "1"}), "NO_COLOR")
    ght.check(b"\x1b" not in screen(["report", d / "n0/r.db"], 80, {"TERM": "dumb"}), "no colour on a dumb terminal")
    ght.check(b"\x1b" not in screen(["report", d / "n0/r.db", "--color", "never"], 80), "--color never")
    _, out, _ = gh("report", d / "n0/r.db", "--color", "always")
    _, none, _ = gh("report", d / "n0/r.db")
    ght.equal(plain(out), none, "--color always adds colour and nothing else")


def test_many(d):
    """5,000 findings with long hostile words: the page stays below 5 MB, says what it leaves out, and counts agree."""
    (d / "many.db").write_bytes((d / "n0/r.db").read_bytes())
    con = sqlite3.connect(d / "many.db")
    scan, place = con.execute("SELECT max(scan_id), (SELECT max(place_id) FROM places WHERE scan_id=1) FROM scans").fetchone()
    con.execute("DELETE FROM scans WHERE scan_id>1")
    rules = ["GH-N01", "GH-C09", "GH-N08", "GH-P11", "GH-P35"]
    severities = ["critical", "high", "high", "medium", "low"]
    con.execute("DELETE FROM findings WHERE scan_id=1")
    for i in range(5000):
        k = i % 5
        con.execute("INSERT INTO findings VALUES(1,?,?,?,?,?,?,?,NULL,?,?)", (i, rules[k], severities[k], place,
                    f"system:/bin/<b>{i:05}" + "x&" * 400, i, "<script>\x1b[31m" * 60 + str(i), "ab" * 32, f"{i:032x}"))
        con.execute("INSERT INTO d_not_examined(scan_id,place,what,why,bytes,damaged,opaque) VALUES(1,?,?,?,?,?,?)", (f"system:/n{i}" + "<" * 300, "zip", "bad & worse" * 20, 1, 1, 0))
    con.commit()
    con.close()
    code, out, err = gh("report", d / "many.db", "-f", "text", "-f", f"json={d}/many.json", "-f", f"html={d}/many.html")
    doc = json.loads((d / "many.json").read_bytes())
    ght.equal((len(doc["findings"]), doc["findings_left_out"]), (5000, 0), "JSON holds all 5,000")
    page = check_html((d / "many.html").read_bytes(), "5,000 findings")
    ght.equal(page.articles, 5, "5,000 findings: an article a rule")
    inner = json.loads(page.data)
    ght.equal(len(inner["findings"]) + inner["findings_left_out"], 5000, "5,000 findings: the JSON inside counts what it leaves out")
    ght.equal(inner["counts"], doc["counts"], "5,000 findings: the same counts")
    ght.check("further places are in the facts" in " ".join(page.visible), "5,000 findings: the page says that it leaves out")
    ght.check(len(out.splitlines()) <= 24, "5,000 findings: 24 lines")
    ght.equal(code, 1, "5,000 findings: exit 1 wins over incomplete")
    ght.check(doc["exit"]["incomplete"], "but JSON carries both")
    order = [("critical", "high", "medium", "low", "info").index(f["severity"]) for f in doc["findings"]]
    ght.equal(order, sorted(order), "findings by severity")


def test_sums(d):
    """Sizes that an input states add up to more than can be said: the most that can is printed, in each form."""
    largest = (1 << 63) - 1
    names = b"".join(b"%d\tsystem/app/%d.apk\n" % (largest, i) for i in range(3))
    tar(d / "sums.tar", [(b"system/build.prop", PROP), (b"all_files.txt", names), (b"modem.bin", b"\x01\xfe" * (1 << 19))])
    code, out, doc, page, err = forms(d / "sums.tar", d)
    ght.equal((code, json.loads(doc)["coverage"]["not_examined_totals"]["damaged"]), (3, {"places": 3, "bytes": largest}), "a sum that has no room")
    ght.equal(json.loads(doc)["coverage"]["not_examined_totals"]["opaque"], {"places": 1, "bytes": 1 << 20}, "and another beside it")
    ght.check("4 places (9.2 EB)" in json.loads(doc)["axes"]["coverage"]["sentence"], "the sum of both in words", json.loads(doc)["axes"]["coverage"])
    ght.check(b"3 not examined (9.2 EB, 3 damaged or missing)" in b" ".join(out.split()), "the first screen", out)


def test_exit_codes(d):
    tar(d / "quiet.tar", [(b"system/build.prop", PROP), (b"system/etc/note", b"text")])
    code, out, _ = gh("scan", d / "quiet.tar", "--db", d / "quiet.db")
    ght.equal(code, 0, "nothing at or above high: exit 0")
    ght.check(b"checks that could be made" in out and b"could not be made" in out, "nothing found is told as checks made and not made")
    with zipfile.ZipFile(d / "cut.zip", "w", zipfile.ZIP_DEFLATED) as z:
        z.writestr("system/build.prop", PROP)
        z.writestr("system/etc/big", os.urandom(200000))
    data = (d / "cut.zip").read_bytes()
    spoiled = bytearray(data)
    spoiled[len(data) // 2:len(data) // 2 + 64] = bytes(64)
    (d / "cut.zip").write_bytes(spoiled)
    code, out, _ = gh("scan", d / "cut.zip", "-f", "text", "-f", f"json={d}/cut.json")
    doc = json.loads((d / "cut.json").read_bytes())
    ght.equal((code, doc["exit"]["incomplete"], doc["axes"]["coverage"]["state"]), (3, True, "incomplete"), "damaged: exit 3, in JSON too")
    ght.check(any(h["damaged"] for h in doc["coverage"]["not_examined"]), "damaged places are listed")
    ght.check(b"damaged" in out, "and told on the first screen")
    ght.equal(gh("report", d / "n0/r.db", "--fail-on", "never")[0], 0, "--fail-on never: exit 0")
    ght.equal(gh("report", d / "n0/r.db", "--fail-on", "critical")[0], 0, "--fail-on critical: a high finding passes")
    for argv in (["report"], ["report", d / "absent.db"], ["report", d / "quiet.tar"], ["report", d / "n0/r.db", "--scan", "9"],
                 ["report", d / "n0/r.db", "--scan", "x"], ["report", d / "n0/r.db", "-f", "pdf"], ["report", d / "n0/r.db", "-f", f"json={d}/phone.tar/x"],
                 ["report", d / "n0/r.db", "--fail-on", "much"], ["query", d / "n0/r.db"], ["explain"], ["rules", "x"]):
        code, out, err = gh(*argv)
        ght.check(code == 2 and err.startswith(b"gifthorse: ") and not out, f"wrong use: exit 2 and a word: {' '.join(map(str, argv))[-40:]}", (code, err))
    (d / "noise.bin").write_bytes(b"just words\n" * 50)
    code, out, _ = gh("scan", d / "noise.bin")
    ght.equal(code, 3, "nothing to judge is not told as nothing found: exit 3")
    ght.check(b"Nothing can be said about a phone" in out, "what is no phone is not judged")


def test_killed(d):
    """A scan whose end never came: by hand, then by a real SIGKILL."""
    (d / "dead.db").write_bytes((d / "n0/r.db").read_bytes())
    con = sqlite3.connect(d / "dead.db")
    con.execute("DELETE FROM scans WHERE scan_id>1")
    con.execute("UPDATE scans SET state='running', root_blob=NULL, sandbox=NULL, crashes=NULL")
    for table in ("nodes", "places", "d_coverage", "d_not_examined", "d_device", "findings", "rule_states", "d_partitions"):
        con.execute(f"DELETE FROM {table}")
    con.commit()
    con.close()
    before = (d / "dead.db").read_bytes()
    code, out, _ = gh("report", d / "dead.db", "-f", "text", "-f", f"json={d}/dead.json", "-f", f"html={d}/dead.html")
    doc, whole = json.loads((d / "dead.json").read_bytes()), json.loads((d / "n0/r.json").read_bytes())
    ght.equal(doc["findings"], whole["findings"], "a killed scan: the findings of what was read")
    ght.equal((doc["scan"]["state"], doc["exit"]["incomplete"]), ("interrupted", True), "a killed scan is told as interrupted")
    ght.check(b"interrupted" in out and b"interrupted" in (d / "dead.html").read_bytes(), "in every form")
    ght.check((d / "dead.db").read_bytes() == before, "the file stays as it is")
    ght.equal(gh("report", d / "dead.db", "--fail-on", "never")[0], 3, "a killed scan: exit 3")
    with tarfile.open(d / "large.tar", "w") as t:
        for i in range(3000):
            data = os.urandom(20000)
            info = tarfile.TarInfo(f"system/etc/f{i}")
            info.size = len(data)
            t.addfile(info, io.BytesIO(data))
    for wait in (0.0, 0.3):
        db = d / f"killed{wait}.db"
        ght.check(killed_after(d, db, wait), f"killed {wait} s after its start, or earlier: it had not ended")
        code, out, err = gh("report", db, "-f", "text", "-f", f"json={d}/killed.json")
        ght.check(code in (1, 3) and b"interrupted" in out, f"killed {wait} s after its start: report works", (code, out, err))
        ght.equal(json.loads((d / "killed.json").read_bytes())["inputs"][0]["name"], "large.tar", f"killed {wait} s after its start: the input is named")


def killed_after(d, db, wait):
    """Kills a scan so long after its start; sooner where it had ended by then."""
    for _ in range(8):
        db.unlink(missing_ok=True)
        p = subprocess.Popen([BIN, "scan", str(d / "large.tar"), "--db", str(db), "--jobs", "1"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        end = time.time() + 60
        while p.poll() is None and time.time() < end and not (db.exists() and sqlite_says(db, "SELECT count(*) FROM scans") == 1):
            time.sleep(0.005)
        time.sleep(wait)
        p.send_signal(signal.SIGKILL)
        p.wait()
        if p.returncode == -signal.SIGKILL:
            return True
        wait /= 2
    return False


def sqlite_says(db, sql):
    try:
        con = sqlite3.connect(f"file:{db}?mode=ro", uri=True)
        try:
            return con.execute(sql).fetchone()[0]
        finally:
            con.close()
    except sqlite3.Error:
        return None


def test_pipe(d):
    """A report into what is no file: it is written into, not replaced."""
    pipe = d / "pipe"
    os.mkfifo(pipe)
    reader = subprocess.Popen(["cat", str(pipe)], stdout=subprocess.PIPE)
    gh("report", d / "n0/r.db", "-f", f"json={pipe}")
    got, _ = reader.communicate(timeout=60) if pipe.is_fifo() else (b"", reader.kill())
    ght.check(pipe.is_fifo(), "a pipe stays a pipe")
    ght.equal(got, gh("report", d / "n0/r.db", "-f", "json")[1], "and what is written into it is the report")
    ght.check(not (d / "pipe.part").exists(), "nothing is left beside it")


def test_warnings(d):
    (d / "warn.db").write_bytes((d / "n0/r.db").read_bytes())
    con = sqlite3.connect(d / "warn.db")
    con.execute("UPDATE scans SET sandbox='NOT LOCKED IN (this kernel refuses seccomp and Landlock)', crashes=3, rules_sha256='00'")
    con.commit()
    con.close()
    _, out, _ = gh("report", d / "warn.db", "-f", "text", "-f", f"html={d}/warn.html")
    page = (d / "warn.html").read_bytes()
    for word in (b"not locked in", b"crashed or hung 3 times", b"other rules"):
        ght.check(word in out, f"first screen: {word.decode()}")
    for word in (b"readers were not locked in", b"crashed or hung 3 times", b"other rules"):
        ght.check(word in page, f"HTML: {word.decode()}")
    ght.check(len(out.splitlines()) <= 24, "with all warnings: 24 lines")


def test_query(d):
    db = d / "n0/r.db"
    before = db.read_bytes()
    for sql in ("DELETE FROM scans", "DROP TABLE scans", "ATTACH '/tmp/x.db' AS x", "PRAGMA user_version=5", "CREATE TABLE t(x)", "UPDATE scans SET state='x'",
                "SELECT load_extension('x')", "VACUUM INTO '/tmp/x.db'", "SELECT 1; DELETE FROM scans", "", "SELEC"):
        code, out, err = gh("query", db, sql)
        ght.check(code == 2 and err.startswith(b"gifthorse: "), f"query refuses: {sql or 'nothing'}", (code, out, err))
    ght.check(db.read_bytes() == before, "query leaves the file as it is")
    _, one, _ = gh("query", db, "SELECT scan_id AS s FROM scan", "--scan", "1", "--tsv")
    _, last, _ = gh("query", db, "SELECT scan_id AS s FROM scan", "--tsv")
    ght.equal((one, last), (b"s\n1\n", b"s\n3\n"), "query binds the views to the scan asked for, else to the newest")
    _, out, _ = gh("query", db, "SELECT 'a\"b,c' AS x, NULL AS y, 1.5 AS z", "--csv")
    ght.equal(out, b'x,y,z\n"a""b,c",,1.5\n', "query --csv quotes")
    _, out, _ = gh("query", db, "SELECT name AS a, 7 AS b FROM files WHERE ftype='file' ORDER BY 1", "--scan", "1")
    rows = out.decode().splitlines()
    ght.check(len({r.rstrip().rfind(r.split()[-1]) for r in rows}) == 1, "columns are lined up", rows)


def test_rules(d):
    _, out, _ = gh("rules")
    ids = [line.split()[0] for line in out.decode().splitlines()]
    ght.equal(ids, sorted(p.stem for p in (ght.ROOT / "src/rules/library").glob("*.sql")), "rules lists every rule")
    _, longer, _ = gh("rules", "--long")
    ght.check(longer.count(b"needs") >= len(ids), "rules --long tells what each needs")
    for i in ids:
        code, out, _ = gh("explain", i.lower())
        ght.check(code == 0 and out.startswith(i.encode()) and all(w in out for w in (b"severity", b"certainty", b"witness", b"needs", b"case", b"what it is",
                  b"looks alike", b"by hand", b"what to do")), f"explain {i}")
    code, out, err = gh("explain", "GH-N0l")
    ght.check(code == 2 and b"GH-N01" in err and not out, "explain names the nearest rules", err)
    data = screen(["explain", "GH-N01"], 60).decode().splitlines()
    ght.check(max(len(x) for x in data) <= 60, "explain wraps to the width", max(len(x) for x in data))


def main():
    d = ght.tmp()
    test_forms(d)
    test_same_bytes(d)
    doc, sub = test_hostile(d)
    test_verify(d, doc, sub)
    test_templates(d)
    test_many(d)
    test_screen(d)
    test_sums(d)
    test_exit_codes(d)
    test_killed(d)
    test_pipe(d)
    test_warnings(d)
    test_query(d)
    test_rules(d)
    ght.done()


main()
