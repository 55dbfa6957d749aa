#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""dex: every instruction, with its registers, numbers and names, against `dexdump -d`: a file of smali that uses each operation, the
conformance data, GH_DEX=DIR; `gifthorse methods` and `callers` against the same."""
import os
import pathlib
import re
import subprocess
import sys
import zipfile
import zlib

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "tests/lib"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import dexdump
import ght

TOOL = ght.BUILD / "gifthorse"
d = ght.tmp()
FIELD, STATIC, METHOD = "Lx/A;->{}:{}", "Lx/A;->s{}:{}", "Lx/A;->m(IJ)V"
KINDS = (("", "I"), ("-wide", "J"), ("-object", "Ljava/lang/Object;"), ("-boolean", "Z"), ("-byte", "B"), ("-char", "C"), ("-short", "S"))


def smali():
    """One method that holds each operation that Dalvik knows; nobody runs it."""
    out = ["nop", "move v0, v15", "move/from16 v255, v1000", "move/16 v1000, v2000", "move-wide v0, v2", "move-wide/from16 v200, v600", "move-wide/16 v700, v800",
           "move-object v1, v2", "move-object/from16 v99, v999", "move-object/16 v998, v999", "const/4 v3, -0x8", "const/16 v4, -0x8000", "const v5, -0x12345678",
           "const/high16 v6, 0x7fff0000", "const-wide/16 v8, -0x2", "const-wide/32 v8, -0x7ffffff", "const-wide v8, 0x7ffffffffffffff1L",
           "const-wide/high16 v8, 0x4000000000000000L", 'const-string v0, "a \\"b\\" c"', 'const-string/jumbo v0, "jumbo"', "const-class v0, Lx/A;",
           "monitor-enter v0", "monitor-exit v0", "check-cast v0, Lx/A;", "instance-of v0, v1, [I", "array-length v0, v1", "new-instance v0, Lx/A;",
           "new-array v0, v1, [J", "filled-new-array {v0, v1, v2, v3, v4}, [I", "filled-new-array/range {v100 .. v109}, [I", "fill-array-data v0, :array",
           "packed-switch v0, :packed", "sparse-switch v0, :sparse", ":back", "goto :next", ":next", "goto/16 :back", "goto/32 :back", "throw v0"]
    out += [f"{o} v0, v1, v2" for o in ("cmpl-float", "cmpg-float", "cmpl-double", "cmpg-double", "cmp-long")]
    out += [f"if-{c} v0, v1, :back" for c in ("eq", "ne", "lt", "ge", "gt", "le")] + [f"if-{c}z v200, :back" for c in ("eq", "ne", "lt", "ge", "gt", "le")]
    for suffix, kind in KINDS:
        name = kind[0]
        out += [f"aget{suffix} v200, v201, v202", f"aput{suffix} v2, v3, v4", f"iget{suffix} v0, v15, {FIELD.format(name, kind)}",
                f"iput{suffix} v0, v15, {FIELD.format(name, kind)}", f"sget{suffix} v200, {STATIC.format(name, kind)}", f"sput{suffix} v0, {STATIC.format(name, kind)}"]
    for how in ("virtual", "super", "direct", "static", "interface"):
        out += [f"invoke-{how} {{v1, v2, v4, v5}}, {METHOD}", f"invoke-{how}/range {{v300 .. v303}}, {METHOD}", f"invoke-{how} {{}}, Lx/A;->n()V",
                f"invoke-{how} {{v1, v2, v3, v4, v15}}, Lx/A;->five(IIIII)V"]
    out += ["move-result v0", "move-result-wide v0", "move-result-object v255", "move-exception v1", "return v0", "return-wide v0", "return-object v0"]
    out += [f"{o} v1, v2" for o in ("neg-int not-int neg-long not-long neg-float neg-double int-to-long int-to-float int-to-double long-to-int long-to-float long-to-double "
            "float-to-int float-to-long float-to-double double-to-int double-to-long double-to-float int-to-byte int-to-char int-to-short").split()]
    whole = "add sub mul div rem and or xor shl shr ushr".split()
    both = [f"{o}-{t}" for t in ("int", "long") for o in whole] + [f"{o}-{t}" for t in ("float", "double") for o in whole[:5]]
    out += [f"{o} v200, v101, v2" for o in both] + [f"{o}/2addr v1, v15" for o in both]
    lits = ["add-int", "rsub-int", "mul-int", "div-int", "rem-int", "and-int", "or-int", "xor-int"]
    out += [f"{o}{'' if o == 'rsub-int' else '/lit16'} v1, v2, -0x7000" for o in lits] + [f"{o}/lit8 v100, v200, -0x7f" for o in lits + ["shl-int", "shr-int", "ushr-int"]]
    out += ["return-void", ":array", ".array-data 2", "1", "2", "3", ".end array-data", ":packed", ".packed-switch 0x5", ":back", ":next", ".end packed-switch",
            ":sparse", ".sparse-switch", "-0x5 -> :back", "0x70 -> :next", ".end sparse-switch"]
    return ".class Lx/A;\n.super Ljava/lang/Object;\n.method static all()V\n.registers 2100\n" + "\n".join(out) + "\n.end method\n"


def tool(*argv):
    p = subprocess.run([TOOL, *map(str, argv)], capture_output=True)
    return p.returncode, [line.split("\t") for line in p.stdout.decode().splitlines() if not line.startswith("# ")]


def ours(path):
    rows, method = [], None
    for line in tool("dex", "--list", "code", path)[1]:
        if line[0] == "method":
            method = dexdump.text(line[1])
        elif line[0] == "?":
            rows.append((method, None, "?", [], None, ""))
        else:
            rows.append((method, int(line[0], 16), line[1], [int(r[1:]) for r in line[2].split(",") if r], int(line[3]) & dexdump.MASK, dexdump.text(line[4])))
    return rows


def plain(s):
    """Strings without what either escapes in its own way."""
    return re.sub(r"\\x[0-9a-f]{2}|\\.|[^ -~]", "", s)


def fits(a, b):
    """Ours against dexdump's: it names only the registers that an operation has; wide calls name only what dexdump prints of them."""
    method, at, op, regs, number, name = b
    if a[:3] != (method, at, op) or a[3][:len(regs)] != regs:
        return False
    if op == "goto/32":  # printed as #fffffffd
        return a[4] & 0xffffffff == int(name[1:], 16)
    if name.startswith('"'):  # a string with line breaks, of which only the first line follows the offset
        return plain(a[5]).startswith(plain(name[1:]))
    if name and plain(a[5]) != plain(name) and not a[5].isdigit():
        return False
    if op == "const-wide/32":  # dexdump prints its 32 bits without their sign
        return a[4] & 0xffffffff == number
    if number is not None and a[4] != number:
        if op.endswith("high16") and a[4] == number << (48 if "wide" in op else 16) & dexdump.MASK:
            return True
        if a[4] & 0xffffffff != number & 0xffffffff or "wide" in op:
            return False
    return True


def compare(path, what):
    a, b = ours(path), dexdump.code(path)
    bad = [(x, y) for x, y in zip(a, b) if not fits(x, y)]
    ght.equal((len(a), bad[:2]), (len(b), []), f"{what}: {len(b)} instructions")
    calls = sorted((m, f"+0x{at:x}", op, n) for m, at, op, _, _, n in b if op.startswith("invoke") and "(" in n)
    code, rows = tool("callers", path, "->")
    ght.equal(sorted((dexdump.text(r[0]), r[1], r[2], dexdump.text(r[3])) for r in rows), calls, f"{what}: {len(calls)} calls by name")
    return len(b), len(calls)


def real(root):
    n = [0, 0, 0]
    for path in sorted(p for p in pathlib.Path(root).rglob("*") if p.suffix in (".dex", ".apk", ".jar") and p.is_file()):
        parts = [path]
        if path.read_bytes()[:4] != b"dex\n":
            parts = []
            if zipfile.is_zipfile(path):
                with zipfile.ZipFile(path) as z:
                    for m in z.namelist():
                        try:
                            if re.fullmatch(r"classes\d*\.dex", m):
                                (d / f"part{len(parts)}.dex").write_bytes(z.read(m))
                                parts.append(d / f"part{len(parts)}.dex")
                        except (zipfile.BadZipFile, NotImplementedError, zlib.error):
                            pass
        for part in parts:
            if subprocess.run(["dexdump", "-f", str(part)], capture_output=True).returncode:
                continue  # dexdump refuses what it cannot verify
            a, b = compare(part, str(path.relative_to(root)))
            n = [n[0] + 1, n[1] + a, n[2] + b]
    print(f"     {n[0]} dex files, {n[1]} instructions, {n[2]} calls")


(d / "x.smali").write_text(smali())
ght.run("smali", "assemble", "-a", 26, "-o", d / "x.dex", d / "x.smali")
compare(d / "x.dex", "each operation")
used = {r[2] for r in ours(d / "x.dex")}
ght.equal(len(used), 218 + 3, "operations in it")

ght.equal(tool("methods", d / "x.dex", "->all"), (0, [["Lx/A;->all()V", "0x0008", *tool("methods", d / "x.dex", "->all")[1][0][2:]]]), "methods: the one")
ght.equal(tool("methods", d / "x.dex", "nothing"), (0, []), "methods: none of that name")
ght.equal([r[3] for r in tool("callers", d / "x.dex", "->five(")[1]], ["Lx/A;->five(IIIII)V"] * 5, "callers: five")
ght.equal(tool("callers", d / "x.dex")[0], 2, "callers: without a name")
cut = bytearray((d / "x.dex").read_bytes())
at = int(tool("methods", d / "x.dex", "->all")[1][0][3], 16)
cut[at:at + 2] = b"\x3e\0"
(d / "bad.dex").write_bytes(cut)
ght.equal(tool("callers", d / "bad.dex", "->five("), (3, []), "an operation that does not exist: told by the exit code")
with zipfile.ZipFile(d / "a.apk", "w") as z:
    z.write(d / "x.dex", "classes2.dex")
ght.equal(len(tool("callers", d / "a.apk", "->five(")[1]), 5, "callers: in an APK")

c = ght.corpus("art_dexdump")
if c:
    real(c)
if os.environ.get("GH_DEX"):
    real(os.environ["GH_DEX"])
ght.done()
