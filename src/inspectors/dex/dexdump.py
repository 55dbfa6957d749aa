# SPDX-License-Identifier: Apache-2.0
"""What `dexdump -d` says of code, as `gifthorse dex --list code` says it: (method, offset, operation, registers, number, name)."""
import re
import subprocess

MASK = (1 << 64) - 1


def text(s):
    return "".join(c if 32 <= ord(c) < 127 else "" for c in s)


def member(kind, s):
    if kind == "method":
        return re.sub(r"^(.*?)\.([^.:]*):\(", r"\1->\2(", s)
    return re.sub(r"^(.*?)\.([^.:]*):", r"\1->\2:", s)


def operands(op, rest):
    """Registers, number, name of one line's operands."""
    comment = None
    m = re.search(r" // (\w+@[0-9a-f]+(, proto@[0-9a-f]+)?|[-+][0-9a-f]{4,}|#.*)$", rest)
    if m:
        rest, comment = rest[:m.start()], m[1]
    regs, number, named = [], None, None
    m = re.match(r"\{(.*?)\}(?:, )?(.*)$", rest, re.S)
    if m:
        span = re.fullmatch(r"v(\d+) \.\. v(\d+)", m[1])
        regs = list(range(int(span[1]), int(span[2]) + 1)) if span else [int(r[1:]) for r in m[1].split(", ") if r]
        named = m[2]
    else:
        while True:
            m = re.match(r"v(\d+)(?:, )?", rest)
            if not m:
                break
            regs.append(int(m[1]))
            rest = rest[m.end():]
        m = re.match(r"#(int|long) (-?\d+)", rest)
        if m:
            number = int(m[2]) & MASK
        elif re.match(r"#(float|double)", rest):  # raw bits stand behind it
            number = int(comment[1:], 16) & MASK
        elif rest:
            named = rest
    if comment and comment[0] in "+-" and op.startswith(("if", "goto", "packed", "sparse", "fill-array")):
        number = int(comment, 16) & MASK
        named = None
    if comment and "@" in comment:
        kind = comment.split("@")[0]
        if op.startswith("invoke-polymorphic"):
            named = named.split(", (")[0]
        if kind in ("method", "field"):
            named = member(kind, named)
        elif kind == "string":
            named = named[1:-1]
    elif comment and comment[0] in "+-#":
        named = None
    return regs, number, text(named) if named else ""


def code(path):
    """A list of (method, offset in bytes, operation, registers, number or None, name)."""
    out = subprocess.run(["dexdump", "-d", str(path)], capture_output=True).stdout.decode("utf-8", "surrogateescape")
    rows, method = [], None
    owner = name = None
    for line in out.split("\n"):
        m = re.match(r"    #\d+ +: \(in (.*)\)$", line)
        if m:
            owner = m[1]
        elif line.startswith("      name          : '"):
            name = line.split(": ", 1)[1][1:-1]
        elif line.startswith("      type          : '"):
            method = text(f"{owner}->{name}{line.split(': ', 1)[1][1:-1]}")
        m = re.match(r"[0-9a-f]{6,}: [0-9a-f. ]*\|([0-9a-f]{4,}): (.*)$", line)
        if m:
            op, _, rest = m[2].partition(" ")
            if m[2] == "nop // spacer":
                rest = ""
            if op.endswith("-data") and rest.startswith("("):
                rest = ""
            rows.append((method, int(m[1], 16) * 2, op, *operands(op, rest)))
    return rows
