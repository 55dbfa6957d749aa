#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The documents: generated pages are current, links lead somewhere, options named exist, queries run, words of the house."""
import os
import pathlib
import re
import shlex
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests/lib"), str(ROOT / "tools")]
import docs  # noqa: E402
import ght  # noqa: E402

BIN = os.environ.get("GH_BIN", str(ght.BUILD / "gifthorse"))
DEMO = pathlib.Path(os.environ.get("GH_DEMO", ROOT / "build/demo"))
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def tracked():
    p = subprocess.run(["git", "-C", ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard"], capture_output=True)
    if p.returncode == 0:
        return [ROOT / os.fsdecode(n) for n in p.stdout.split(b"\0") if n and (ROOT / os.fsdecode(n)).is_file()]
    leave = {".git", "build", "build-san", "build-fuzz", "build-cover"}
    return [f for f in ROOT.rglob("*") if f.is_file() and f.relative_to(ROOT).parts[0] not in leave]


def blocks(text):
    """Fenced blocks: (language, content)."""
    return re.findall(r"^```(\w*)\n(.*?)^```$", text, re.M | re.S)


def generated():
    pages = docs.generated(BIN)
    folder = ROOT / "docs/rules"
    ght.equal(sorted(f.name for f in folder.glob("*")), sorted(pages), "docs/rules holds a page for each rule and an index")
    stale = [name for name, text in pages.items() if not (folder / name).is_file() or (folder / name).read_text() != text]
    ght.check(not stale, "the pages of the rules are current (make docs)", stale)
    text = (ROOT / "docs/formats.md").read_text()
    ght.check(docs.between(text, "plug-ins", docs.plugin_table()) == text, "the table of plug-ins is current (make docs)")


def shape(text):
    """A screen without its digits, digests and line ends: those of the demonstration phone differ with its parts."""
    return re.sub(r"[0-9a-f]{16}|\d[\d.,]*", "0", text).split()


def screen():
    phone = DEMO / "phone.zip"
    if not phone.is_file():
        return ght.skip("the screen in README.md", f"no {phone}")
    text = (ROOT / "README.md").read_text()
    want = re.search(r"<!-- screen:.*?-->\n(.*?)<!-- end of screen -->", text, re.S)[1]
    return ght.check(shape(docs.screen(BIN, phone)) == shape(want), "the screen in README.md is what scan prints (make docs)")


def anchors(text):
    heads = re.findall(r"^#+ (.*)$", re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S), re.M)
    return {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in heads}


def links(files):
    dead = []
    for f in files:
        text = re.sub(r"^```.*?^```$|`[^`\n]*`", "", f.read_text(), flags=re.M | re.S)
        for target in re.findall(r"(?<!\\)\]\(([^)\s]+)\)", text):
            path, _, anchor = target.partition("#")
            if re.match(r"[a-z]+:", path):
                continue
            there = (f.parent / path).resolve() if path else f
            if not there.exists() or (anchor and there.suffix == ".md" and anchor not in anchors(there.read_text())):
                dead.append(f"{f.relative_to(ROOT)}: {target}")
    ght.check(not dead, "every relative link leads somewhere", dead)


def options_of(command):
    p = subprocess.run([BIN, command, "--help"], capture_output=True, text=True)
    return set(re.findall(r"(?<![\w-])(--?[a-z][a-z-]*)", p.stdout)) if p.returncode == 0 else None


def command_lines(text):
    """What begins with gifthorse or build/gifthorse, in blocks and between backquotes."""
    for _, body in blocks(text):
        yield from (line.split("   # ")[0] for line in body.splitlines() if re.match(r"(build/)?gifthorse ", line) and not re.match(r"gifthorse \d", line))
    yield from re.findall(r"`((?:build/)?gifthorse [^`\n]+)`", re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S))


def commands():
    known = set(re.findall(r"^  gifthorse (\w+)", subprocess.run([BIN, "--help"], capture_output=True, text=True).stdout, re.M))
    wrong, n = [], 0
    for page in PAGES:
        for line in command_lines(page.read_text()):
            words = shlex.split(line.split(" && ")[0].split(" > ")[0].split(" < ")[0])
            n += 1
            offered = options_of(words[1]) if words[1] in known else set()
            if words[1] not in known and words[1] not in ("COMMAND", "--help", "--version"):
                wrong.append(f"{page.name}: there is no command {words[1]}")
            elif words[1] in known:
                wrong += [f"{page.name}: {words[1]} has no {w}" for w in words[2:] if re.match(r"--?[a-z]", w) and w.split("=")[0] not in offered]
    ght.check(n > 5, "there are command lines to check", n)
    ght.check(not wrong, "commands and options in the pages exist", wrong)


def queries():
    phone = DEMO / "phone.zip"
    if not phone.is_file():
        return ght.skip("queries of docs/facts.md", f"no {phone}")
    db = ght.tmp() / "facts.db"
    captures = [ROOT / "src/inspectors/capture/seeds" / name for name in ("dns.pcap", "fragments.pcap", "tls12.pcap")]
    p = subprocess.run([BIN, "scan", phone, *captures, "--db", db, "--progress", "none"], capture_output=True, text=True)
    if not ght.check(p.returncode in (0, 1, 3), "the demonstration phone is scanned", p.stderr):
        return None
    for _, body in [b for b in blocks((ROOT / "docs/facts.md").read_text()) if b[0] == "sql"]:
        for sql in filter(None, (s.strip() for s in body.split(";"))):
            p = subprocess.run([BIN, "query", db, sql], capture_output=True, text=True, errors="replace")
            rows = len(p.stdout.splitlines()) - 1
            ght.check(p.returncode == 0 and (rows > 0 or "scan_id=2" in sql or "IS NULL" in sql), f"query: {sql.split(chr(10))[0][:70]}", p.stderr or "no row")
    views = re.findall(r"^@VIEW@ (\w+) AS", (ROOT / "src/facts/sql/20-views.sql").read_text(), re.M)
    named = set(re.findall(r"`(\w+)`", (ROOT / "docs/facts.md").read_text()))
    return ght.check(not set(views) - named - {"here"}, "docs/facts.md names every view", sorted(set(views) - named))


def words(files):
    """No host of a package mirror, no path of somebody's machine; in the documents no label that accuses, none that acquits."""
    # Put together here, so that this file does not hold them.
    house = re.compile("|".join(("/" + "work/(?:main|shared|wt)", "arti" + "factory", "jfr" + r"og\.", "nex" + r"us\.\w+\.(?:com|net)", "npm" + "mirror")), re.I)
    found = []
    for f in files:
        if m := house.search(f.read_bytes().decode("latin-1")):
            found.append(f"{f.relative_to(ROOT)}: {m[0]}")
    ght.check(not found, "no path of a machine and no package host in tracked files", found)
    labels = re.compile(r"\b(back" + r"doors?|implants?|cl" + r"ean)\b", re.I)
    ght.equal([f"{p.relative_to(ROOT)}: {m[0]}" for p in [*PAGES, *(ROOT / "docs/rules").glob("*.md")] if (m := labels.search(p.read_text()))], [],
              "no label that accuses or acquits in the documents")


def main():
    files = tracked()
    generated()
    screen()
    links([f for f in files if f.suffix == ".md"])
    commands()
    queries()
    words(files)
    ght.done()


main()
