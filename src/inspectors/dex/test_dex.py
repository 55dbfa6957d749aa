#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""dex: every class, field, method and code item, and every index that code names, against dexdump; files made by smali and by a writer
from the specification. `--make-seeds` writes the seeds anew; GH_DEX=DIR compares every dex, APK and jar below DIR too."""
import os
import pathlib
import re
import struct
import subprocess
import sys
import zipfile
import zlib

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "tests/lib"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import ght
import mkdex
from mkdex import Code, Field, Method, cls

HERE = pathlib.Path(__file__).resolve().parent
TOOL = ght.BUILD / "gifthorse"
d = ght.tmp()
RET = Code(1, 0, [0x000e])
CLASSES = [
    cls("La/C;", access=0x601),
    cls("La/B;", source="B.java", interfaces=("Ljava/lang/Runnable;", "La/C;"), static=(Field("S", "I", 9), Field("J", "J", 0x19)),
        instance=(Field("x", "Ljava/lang/String;", 2),),
        direct=(Method("<init>", "V", (), 0x10001, RET), Method("n", "J", ("I", "D"), 0x109, None)),
        virtual=(Method("run", "V", (), 1, Code(20, 17, [0] * 2100 + [0x0e])), Method("m", "V", ("J", "[Ljava/lang/String;"), 1, Code(4, 0, [0x0e])))),
    cls("La/D;", sup="La/B;", access=0x10, direct=(Method("big", "V", ("J",) * 9, 9, Code(35, 2, [0] * 66000 + [0x0e])),))]
SMALI = """.class public abstract Lx/Üñí;
.super Ljava/lang/Object;
.source "Quell.java"
.implements Ljava/util/List;
.field private static final A:J = 0x7L
.field protected volatile b:[[Ljava/lang/Object;
.method public static native nat(ZBSCIJFD)V
.end method
.method public abstract abs([I)Ljava/lang/String;
.end method
.method public constructor <init>()V
    .registers 5
    invoke-direct {p0}, Ljava/lang/Object;-><init>()V
    const-string v0, "gr\\u00fc\\u00df \\ud83d\\ude00 \\ud800 end"
    sget-wide v1, Lx/Üñí;->A:J
    new-instance v3, Ljava/lang/StringBuilder;
    :a
    invoke-virtual {v3, v0}, Ljava/lang/StringBuilder;->append(Ljava/lang/String;)Ljava/lang/StringBuilder;
    :b
    .catch Ljava/lang/Throwable; {:a .. :b} :c
    return-void
    :c
    move-exception v0
    throw v0
.end method
"""


def tool(*argv):
    p = subprocess.run([TOOL, "dex", *map(str, argv)], capture_output=True)
    return p.returncode, p.stdout.decode()


def lists(path, what):
    return [line.split("\t") for line in tool("--list", what, path)[1].splitlines() if not line.startswith("# ")]


def name(s):
    return "".join(c if ord(c) >= 32 and ord(c) != 127 else "" for c in s)


def reference(path):
    """The lines of `dex --list classes` as dexdump's plain text says them; the indices that code names; the headers."""
    out = subprocess.run(["dexdump", "-d", "-f", str(path)], capture_output=True).stdout.decode("utf-8", "surrogateescape")
    rows, heads, named, kind = [], [], set(), None
    field = method = None
    for line in out.split("\n"):
        m = re.match(r"  Class descriptor  : '(.*)'$", line)
        if m:
            rows.append(["class", m[1], None, "-", "-"])
            kind, klass = None, rows[-1]
        elif line.startswith("  Access flags      : "):
            klass[2] = line.split()[3]
        elif line.startswith("  Superclass        : "):
            klass[3] = line.split("'")[1]
        elif re.match(r"  (Interfaces|Static fields|Instance fields|Direct methods|Virtual methods) +-$", line):
            kind = line.split("-")[0].strip()
        elif kind == "Interfaces" and re.match(r"    #\d+ +: '", line):
            rows.append(["interface", line.split("'")[1]])
        elif re.match(r"    #\d+ +: \(in (.*)\)$", line):
            owner = re.match(r"    #\d+ +: \(in (.*)\)$", line)[1]
        elif line.startswith("      name          : '"):
            field = line.split(": ", 1)[1][1:-1]
        elif line.startswith("      type          : '"):
            kinds = {"Static fields": "static-field", "Instance fields": "instance-field", "Direct methods": "direct-method",
                     "Virtual methods": "virtual-method"}
            rows.append([kinds[kind], f"{owner}->{field}{'' if 'methods' in kind else ':'}{line.split(': ', 1)[1][1:-1]}"])
            method = rows[-1]
        elif line.startswith("      access        : "):
            method.append(line.split()[2])
        elif line.startswith("      code          : (none)"):
            method.append("-")
        elif re.match(r"      (registers|ins|outs|insns size) +: \d+", line):
            method.append(re.search(r": (\d+)", line)[1])
        elif re.match(r"[0-9a-f]{6,}: .*\|0000: ", line):
            method.append("0x" + line.split(":")[0].lstrip("0"))
        elif line.startswith("      catches       : "):
            method.insert(6, "0" if "(none)" in line else line.split(": ")[1])
        elif line.startswith("  source_file_idx   : "):
            m = re.match(r"  source_file_idx   : (-?\d+) \((.*)\)$", line)
            klass[4] = "-" if m[1] == "-1" else m[2]
        elif re.match(r"[a-z_]+ +: ", line):
            key, value = line.split(":", 1)
            if key.strip() == "magic":
                heads.append({})
            heads[-1][key.strip()] = value.strip()
        m = re.search(r"([^\s{][^{}]*) // (method|field|type)@([0-9a-f]{4,})$", line)
        if m and "|" in line:
            named.add((m[2], int(m[3], 16), m[1].split("}, ")[-1].split(", ")[-1]))
    return rows, heads, named


def compare(path, what, sums=True):
    rows, heads, named = reference(path)
    ours = lists(path, "classes")
    data = path.read_bytes()
    if data[:4] == b"cdex":  # dexdump tells offsets in the data section, and takes each header for one of 16 bytes
        ours = [r[:8] + [hex(int(r[8], 16) - struct.unpack_from("<I", data, 0x6c)[0] + 12)] if len(r) == 9 else r for r in ours]
    # dexdump takes no tries from an item of code without them, and counts handlers; their number is in the file
    tries = [[r[:6] + ["*"] + r[7:] if len(r) == 9 else r for r in x] for x in (ours, rows)]
    ght.equal([[name(c) for c in r] for r in tries[0]], [[name(c) for c in r] for r in tries[1]], f"{what}: {len(rows)} classes, fields, methods")
    ght.check(all((r[6] == "0") == (s[6] == "0") for r, s in zip(ours, rows) if len(r) == 9), f"{what}: which have handlers")
    got = [r for r in (line.split("\t") for line in tool(path)[1].splitlines()) if r[0] == "dex"]
    keys = ("string_ids_size", "type_ids_size", "proto_ids_size", "field_ids_size", "method_ids_size", "class_defs_size")
    ght.equal([[r[3], r[4], r[6][:4] + "..." + r[6][-4:], *r[7:]] for r in got],
              [[h["file_size"], h["checksum"], h["signature"], *(h[k] for k in keys)] for h in heads], f"{what}: headers")
    tables = {k: [r[0] for r in lists(path, k + "s")] for k in ("method", "field", "type")}
    if len(heads) == 1:
        bad = [n for n in named if n[1] >= len(tables[n[0]]) or not same(tables[n[0]][n[1]], n)]
        ght.equal(bad[:3], [], f"{what}: {len(named)} methods, fields and types that code names")
    if sums:
        ght.check(all(r[4] == r[5] for r in got), f"{what}: checksums", got)
    return len(rows), len(named)


def same(ours, named):
    """dexdump: Ljava/lang/Object;.<init>:()V"""
    if named[0] == "method":
        ours = re.sub(r"^(.*?)->(.*?)\(", r"\1.\2:(", ours)
    elif named[0] == "field":
        ours = ours.replace("->", ".", 1)
    return name(ours) == name(named[2])


def real(root):
    n = [0, 0, 0]
    for path in sorted(p for p in pathlib.Path(root).rglob("*") if p.suffix in (".dex", ".apk", ".jar") and p.is_file()):
        head = path.read_bytes()[:4]
        if head == b"dex\n":
            parts = [path]
        elif zipfile.is_zipfile(path):
            parts = []
            with zipfile.ZipFile(path) as z:
                for m in z.namelist():
                    if re.fullmatch(r"classes\d*\.dex", m):
                        try:
                            parts.append(d / f"part{len(parts)}.dex")
                            parts[-1].write_bytes(z.read(m))
                        except (zipfile.BadZipFile, NotImplementedError, zlib.error):
                            parts.pop()
        else:
            continue
        for part in parts:
            if subprocess.run(["dexdump", "-f", str(part)], capture_output=True).returncode:
                continue  # dexdump refuses what it cannot verify
            a, b = compare(part, f"{path.relative_to(root)}", sums=False)
            n = [n[0] + 1, n[1] + a, n[2] + b]
    print(f"     {n[0]} dex files, {n[1]} classes and members, {n[2]} names in code")


def broken(data, what, status, word):
    rows = ght.inspect("x.dex", data, "dex")
    notes = [(r["code"], r["what"]) for r in ght.rows(rows, "notes")]
    runs = [r["status"] for r in rows if r["table"] == "blob_runs" and r["plugin"] == "dex"]
    ght.check(runs == [status] and any(word in w for _, w in notes) or (runs == [status] and any(word in r["why"] for r in rows if r["table"] == "blob_runs")),
              f"damage: {what}", (runs, notes, [r for r in rows if r["table"] == "blob_runs"]))
    return ght.rows(rows, "dex")


def patch(data, at, value, fmt="<I"):
    return data[:at] + struct.pack(fmt, value) + data[at + struct.calcsize(fmt):]


def make():
    plain = mkdex.build(CLASSES[:2], 35, ["häß", "😀", "\0z", "\ud800x"])
    return {"plain.dex": plain, "container.dex": mkdex.container([CLASSES[:1], [cls("Lx/Y;")], CLASSES[1:2]], ["zz"]),
            "compact.cdex": mkdex.build(CLASSES[:2], 1, ["häß"], compact=True), "cut.dex": plain[:-400],
            "tables.dex": patch(plain, 0x38, 0xffffff), "strings.dex": patch(plain, 0x70, 0x7fffffff),
            "classdata.dex": patch(plain, struct.unpack_from("<I", plain, 0x64)[0] + 32 + 24, len(plain) - 2), "version.dex": b"dex\n099\0" + plain[8:]}


if "--make-seeds" in sys.argv:
    for n, data in make().items():
        (HERE / "seeds" / n).write_bytes(data)
    sys.exit(0)

files = make()
for version in (35, 37, 38, 39):
    (d / "w.dex").write_bytes(mkdex.build(CLASSES, version, ["häß", "😀", "\0z"]))
    compare(d / "w.dex", f"written, version {version}")
(d / "w.cdex").write_bytes(mkdex.build(CLASSES, 1, ["häß", "😀"], compact=True))
compare(d / "w.cdex", "written, CompactDex", sums=False)
(d / "x.smali").write_text(SMALI)
for api in (15, 24, 26, 28):
    ght.run("smali", "assemble", "-a", api, "-o", d / f"s{api}.dex", d / "x.smali")
    compare(d / f"s{api}.dex", f"smali for API {api}")
strings = [r[0] for r in lists(d / "s15.dex", "strings")]
ght.check("grüß 😀 \\xed\\xa0\\x80 end" in strings, "strings: pairs become UTF-8, halves stay", strings)

# 041: no tool of Debian writes or reads a container; each dex in it equals the same dex alone
(d / "c.dex").write_bytes(files["container.dex"])
(d / "1.dex").write_bytes(mkdex.build(CLASSES[:1], 35, ["zz"]))
(d / "2.dex").write_bytes(mkdex.build([cls("Lx/Y;")], 35, ["zz"]))
(d / "3.dex").write_bytes(mkdex.build(CLASSES[1:2], 35, ["zz"]))
for what in ("strings", "types", "protos", "fields", "methods"):
    ght.equal(lists(d / "c.dex", what), [r for i in (1, 2, 3) for r in lists(d / f"{i}.dex", what)], f"container: {what}")
ght.equal([r[:6] for r in lists(d / "c.dex", "classes")], [r[:6] for i in (1, 2, 3) for r in lists(d / f"{i}.dex", "classes")], "container: classes")
rows = ght.rows(ght.inspect("c.dex", files["container.dex"], "dex"), "dex")
ght.equal([(r["version"], r["classes"], r["checksum"] == r["checksum_computed"], r["signature"] == r["signature_computed"]) for r in rows],
          [("041", 1, True, True)] * 3, "container: a row a dex")

r = ght.rows(ght.inspect("p.dex", mkdex.build(CLASSES), "dex"), "dex")[0]
ght.equal((r["natives"], r["codes"], r["units"], r["compact"]), (1, 4, 1 + 2101 + 1 + 66001, 0), "facts: natives, code")
ght.equal(r["crc32"], zlib.crc32(mkdex.build(CLASSES)), "facts: CRC-32")
r = ght.rows(ght.inspect("p.cdex", files["compact.cdex"], "dex"), "dex")[0]
ght.equal((r["version"], r["compact"], r["checksum"], r["checksum_computed"], r["signature_computed"]), ("001", 1, 0x12345678, None, None), "facts: CompactDex")
flipped = bytearray(files["plain.dex"])
flipped[-1] ^= 1
r = ght.rows(ght.inspect("p.dex", bytes(flipped), "dex"), "dex")[0]
ght.check(r["checksum"] != r["checksum_computed"] and r["signature"] != r["signature_computed"], "facts: one bit changes both sums")

broken(files["cut.dex"], "cut short", "bad", "of which")
ght.equal(broken(files["tables.dex"], "more strings than fit", "bad", "strings")[0]["strings"] < 0xffffff, True, "damage: the table is cut")
broken(files["strings.dex"], "a string outside", "bad", "string 0")
broken(files["classdata.dex"], "members that do not end", "bad", "members of class 1")
broken(files["version.dex"], "another version", "unsup", "version 099")
broken(patch(files["plain.dex"], 0x28, 0x78563412), "big endian", "unsup", "big-endian")
broken(patch(files["plain.dex"], 0x24, 8), "a header of 8 bytes", "bad", "header of 8")
broken(patch(files["container.dex"], 0x74, 1), "a header that says it lies elsewhere", "bad", "says it lies at")
tables = mkdex.Tables(CLASSES[:2], ["häß", "😀", "\0z", "\ud800x"])
broken(patch(files["plain.dex"], 0x70 + 4 * (len(tables.strings) + tables.type["La/B;"]), 0xffff), "a type without name", "bad", "name of class")

# inside: an APK, and a name that asks for one of several
with zipfile.ZipFile(d / "a.apk", "w") as z:
    z.writestr("classes.dex", files["plain.dex"])
    z.writestr("classes2.dex", (d / "s15.dex").read_bytes())
code, text = tool(d / "a.apk")
ght.equal((code, [line for line in text.splitlines() if line[0] == "#"]), (0, ["# classes.dex", "# classes2.dex"]), "inside: both")
ght.equal(len(tool(d / "a.apk", "classes2.dex")[1].splitlines()), 2, "inside: one by name")
ght.equal(tool(d / "a.apk", "nothing.dex")[0], 2, "inside: none of that name")
ght.equal(tool("-l", "nonsense", d / "a.apk")[0], 2, "a list that is not there")
ght.equal(tool(HERE / "seeds" / "version.dex")[0], 3, "a version that is not read is told")

for n in ("art_dexdump", "jadx", "apktool"):
    c = ght.corpus(n)
    if c:
        real(c)
if os.environ.get("GH_DEX"):
    real(os.environ["GH_DEX"])
ght.done()
