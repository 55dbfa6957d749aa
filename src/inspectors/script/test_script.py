#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Shell scripts: generated ones, whose commands are known because they were put there; straight ones, which bash executes with every
command missing and so tells what it would have run; hand-written and hostile ones. bash -n checks that what we made is shell."""
import pathlib
import random
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "tests/lib"))
import ght  # noqa: E402


def commands(data, name="x.sh"):
    rows = ght.inspect(name, data, "script")
    return ght.texts(rows, "script_cmds", "line", "cmd", "args"), rows


class Maker:
    """Writes a script and notes the commands in it."""

    def __init__(self, seed):
        self.r = random.Random(seed)
        self.out, self.want, self.line, self.n = "", [], 1, 0

    def put(self, text):
        self.out += text
        self.line += text.count("\n")

    def word(self):
        """(as written, as told)"""
        w = self.r.choice(["-a", "x1", "/data/y", "--k=v", "10.0.0.1", "a,b", "éa"])
        return self.r.choice([(w, w), (f'"{w} z"', f"{w} z"), (f"'{w};|&'", f"{w};|&"), ("$" + "V", "$V"), ("${V:-d e}", "${V:-d e}"),
                              (w + "\\ q", w + " q"), ('"a\\"b"', 'a"b'), ("$((1 + 2))", "$((1 + 2))"), ("\\\n  " + w, w), (f'{w}"#"', w + "#")])

    def simple(self):
        self.n += 1
        name = f"cmd{self.n}"
        before = "".join(self.r.choice(["A=1 ", 'B="x y" ', "C='z' ", ""]) for _ in range(2))
        self.put(before)
        line, args = self.line, []
        self.put(name)
        for _ in range(self.r.randrange(4)):
            raw, told = self.word()
            self.put(" " + raw)
            args.append(told)
        inner = None
        if self.r.random() < 0.2:
            inner = f"inner{self.n}"
            raw = self.r.choice([f"$({inner} q)", f'"$({inner} q)"', f"`{inner} q`"])
            self.put(" " + raw)
            args.append(raw.strip('"'))
            inner_line = self.line
        if self.r.random() < 0.2:
            raw, told = self.r.choice([("> /dev/null", ">/dev/null"), ("2>&1", "2>&1"), (">>/x", ">>/x"), ("< /in", "</in")])
            self.put(" " + raw)
            args.append(told)
        self.want.append((line, name.encode(), " ".join(args).encode()))
        if inner:
            self.want.append((inner_line, inner.encode(), b"q"))

    def end(self):
        self.put(self.r.choice(["\n", ";", " ;  ", "\n\n", " # comment ; none\n", " &\n", "\r\n" if False else "\n"]))

    def list(self, depth):
        for _ in range(self.r.randrange(1, 4)):
            self.statement(depth)
            self.end()

    def statement(self, depth):
        kinds = ["simple"] * 4 + ["and", "pipe", "heredoc", "assign"]
        if depth:
            kinds += ["if", "for", "while", "case", "function", "sub", "brace", "arith"]
        getattr(self, "make_" + self.r.choice(kinds))(depth)

    def make_simple(self, depth):
        self.simple()

    def make_and(self, depth):
        self.simple()
        self.put(self.r.choice([" && ", " || ", "||", " &&\n  "]))
        self.simple()

    def make_pipe(self, depth):
        self.simple()
        self.put(self.r.choice([" | ", "|", " |\n"]))
        self.simple()

    def make_assign(self, depth):
        self.put(self.r.choice(["X=1", 'Y="a b"', "Z+=3", "E="]))

    def make_heredoc(self, depth):
        self.n += 1
        mark = self.r.choice(["EOF", "'E F'", '"X"'])
        self.want.append((self.line, f"cmd{self.n}".encode(), b"-k"))
        self.put(f"cmd{self.n} <<{mark} -k\nhidden 1; hidden 2\n$(hidden 3)\n  EOF\n" + mark.strip("'\"") + "\n:")
        self.want.append((self.line, b":", b""))

    def make_if(self, depth):
        self.put("if ")
        self.simple()
        self.put(self.r.choice(["; then ", "\nthen\n"]))
        self.list(depth - 1)
        if self.r.random() < 0.5:
            self.put("elif ! ")
            self.simple()
            self.put("; then\n")
            self.list(depth - 1)
        if self.r.random() < 0.5:
            self.put("else\n")
            self.list(depth - 1)
        self.put("fi")

    def make_for(self, depth):
        self.put(self.r.choice(["for i in a 'b c' $V; do ", "for i in 1 2\ndo\n", "for i; do\n", "for ((i=0; i<3; i++)); do "]))
        self.list(depth - 1)
        self.put("done")

    def make_while(self, depth):
        self.put(self.r.choice(["while ", "until "]))
        self.simple()
        self.put("; do\n")
        self.list(depth - 1)
        self.put("done" + self.r.choice(["", " < /list", " 2>/dev/null"]))

    def make_case(self, depth):
        self.put(self.r.choice(['case "$1" in\n', "case $x\nin "]))
        for _ in range(self.r.randrange(1, 4)):
            self.put(self.r.choice(["a|b) ", "(c)\n", "*) ", '"q r") ']))
            self.list(depth - 1)
            self.put(self.r.choice([":;;\n", ":\n;;\n"]))
            self.want.append((self.line - self.out[-4:].count("\n"), b":", b""))
        self.put("esac")

    def make_function(self, depth):
        self.n += 1
        self.put(self.r.choice([f"fn{self.n}() {{\n", f"function fn{self.n} {{ ", f"fn{self.n} ()\n{{\n"]))
        self.list(depth - 1)
        self.put("}")

    def make_sub(self, depth):
        self.put("( ")
        self.list(depth - 1)
        self.put(")")

    def make_brace(self, depth):
        self.put("{ ")
        self.list(depth - 1)
        self.put("}")

    def make_arith(self, depth):
        self.put("((x = x + 1))")


def generated():
    bad, total = [], 0
    for seed in range(150):
        m = Maker(seed)
        m.put("#!/system/bin/sh\n")
        for _ in range(6):
            m.statement(3)
            m.end()
        text = m.out.replace("&;", "&").encode()
        p = subprocess.run(["bash", "-n"], input=text, capture_output=True)
        if p.returncode:
            continue  # a combination that is no shell, such as ";" behind "&"
        total += 1
        got, rows = commands(text)
        if got != m.want or ght.rows(rows, "notes"):
            wrong = [(g, w) for g, w in zip(got + [None] * 9, m.want + [None] * 9) if g != w][:1]
            bad.append((seed, wrong))
    ght.check(total > 80, f"{total} generated scripts are shell to bash")
    ght.check(not bad, f"{total} generated scripts: every command, its arguments and line", bad[:3])


def executed():
    """bash calls this function for each command it cannot find: the words are its own."""
    text = rb'''one a "b c" 'd "e"' f\ g
two "$(three x)" `four y`; five | six -z
A=1 seven "tab	in" '' && eight # not this
nine \
  continued "line
two"
if ten; then eleven; fi
for i in 1; do twelve fixed; done
{ thirteen; } ; ( fourteen "a;b" )
case q in q) fifteen;; esac
fn() { sixteen; }; fn
'''
    # One printf is one write: the two ends of a pipe run at the same time.
    handler = b'command_not_found_handle() { printf "%s\\0" "$@" $\'\\n\' >&9; return 0; }\n'
    import os
    r, w = os.pipe()
    script = handler + text
    p = subprocess.Popen(["bash", "--norc", "-s"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                         env={"PATH": "/nonexistent"}, executable="/bin/bash",
                         preexec_fn=lambda: os.dup2(w, 9), close_fds=False)
    p.communicate(script)
    os.close(w)
    ran = os.fdopen(r, "rb").read().split(b"\0\n\0")[:-1]
    ran = sorted(tuple(x.split(b"\0")) for x in ran)
    got, _ = commands(text)
    # What bash expanded we show as it is written, and calls of the function it did not look for.
    mine = []
    for _, cmd, args in got:
        if cmd == b"fn":
            continue
        if cmd == b"two":
            args = b" "  # both substitutions came out empty: one empty word in quotes, none without
        mine.append((cmd, args))
    want = sorted((x[0], b" ".join(x[1:]) if x[0] != b"two" else b" ") for x in ran)
    ght.equal(sorted(mine), want, f"{len(ran)} commands as bash itself runs them")


HAND = [
    ("redirect without a command", b"> /x\n2>/dev/null one\n", [(2, b"one", b"")]),
    ("here-string", b"one <<< word two\n", [(1, b"one", b"<<<word two")]),
    ("tabs before a here-document's end", b"one <<-E\n\thidden\n\tE\ntwo\n", [(1, b"one", b""), (4, b"two", b"")]),
    ("two here-documents", b"one <<A <<B\nh\nA\nh\nB\ntwo", [(1, b"one", b""), (6, b"two", b"")]),
    ("a here-document without an end", b"one <<A\nhidden\n", [(1, b"one", b"")]),
    ("substitution in an assignment", b"x=$(one a | two) y=`three`\n", [(1, b"one", b"a"), (1, b"two", b""), (1, b"three", b"")]),
    ("substitution in a for list", b"for i in $(one); do two; done", [(1, b"one", b""), (1, b"two", b"")]),
    ("substitution in a case", b"case $(one) in\na) two;;\nesac", [(1, b"one", b""), (2, b"two", b"")]),
    ("nested substitutions", b"one $(two $(three $(four)))", [(1, b"one", b"$(two $(three $(four)))"), (1, b"two", b"$(three $(four))"),
                                                               (1, b"three", b"$(four)"), (1, b"four", b"")]),
    ("lines in a substitution", b"one $(two\nthree\n)\nfour", [(1, b"one", b"$(two\nthree\n)"), (1, b"two", b""), (2, b"three", b""), (4, b"four", b"")]),
    ("double brackets", b"[[ -n $a && ( b || c ) ]] && one", [(1, b"[[", b"-n $a b c ]]"), (1, b"one", b"")]),
    ("list assigned", b"a=(x y\nz) ; one", [(2, b"one", b"")]),
    ("indexed assignment", b"a[1]=x one", [(1, b"one", b"")]),
    ("quoted control words", b"'if' x; \"done\" y; \\do z", [(1, b"if", b"x"), (1, b"done", b"y"), (1, b"do", b"z")]),
    ("control words as arguments", b"echo if then fi done", [(1, b"echo", b"if then fi done")]),
    ("number sign in a word", b"one a#b ${#x} #c", [(1, b"one", b"a#b ${#x}")]),
    ("fall-through", b"case x in a) one;& b) two;;& c) three;; esac", [(1, b"one", b""), (1, b"two", b""), (1, b"three", b"")]),
    ("mksh's case in braces", b"case x {\na) one;;\n}\ntwo", [(2, b"one", b""), (4, b"two", b"")]),
    ("nested subshells are no sum", b"((one); (two))", [(1, b"one", b""), (1, b"two", b"")]),
    ("CRLF", b"one a\r\nif two\r\nthen three\r\nfi\r\n", [(1, b"one", b"a"), (2, b"two", b""), (3, b"three", b"")]),
    ("byte order mark", b"\xef\xbb\xbfone\ntwo", [(1, b"one", b""), (2, b"two", b"")]),
    ("not UTF-8", b"one \xff\xfe", [(1, b"one", b"\xff\xfe")]),
    ("an open quote", b"one 'a\ntwo", [(1, b"one", b"a\ntwo")]),
    ("an open substitution", b"one $(two 'a", [(1, b"one", b"$(two 'a"), (1, b"two", b"a")]),
    ("stray words", b"fi; done; esac; } ; ;; ) one", [(1, b"one", b"")]),
    ("real: install-recovery.sh", b"#!/system/bin/sh\nif ! applypatch -c EMMC:/dev/r:12:ab; then\n  applypatch --bonus /x \\\n   EMMC:/dev/b && log -t recovery \"ok\" || log -t recovery bad\nelse\n"
     b"  log x\nfi\n", [(2, b"applypatch", b"-c EMMC:/dev/r:12:ab"), (3, b"applypatch", b"--bonus /x EMMC:/dev/b"),
                        (4, b"log", b"-t recovery ok"), (4, b"log", b"-t recovery bad"), (6, b"log", b"x")]),
]


def hostile():
    got, rows = commands(b"one a\0b\ntwo\n")
    ght.equal(got, [(1, b"one", b"a\0b"), (2, b"two", b"")], "a zero byte")
    ght.equal([n["at"] for n in ght.rows(rows, "notes")], [5], "is noted where it is")
    got, rows = commands(b"one " + b"x" * (1 << 20) + b"\ntwo")
    ght.equal([(a, c, len(b)) for a, c, b in got], [(1, b"one", 65536), (2, b"two", 0)], "a line of 1 MiB")
    ght.equal([n["code"] for n in ght.rows(rows, "notes")], ["limit"], "is noted")
    got, rows = commands(b"one " + b"$(" * 50000)
    ght.check(len(got) >= 1 and ght.rows(rows, "notes"), "50,000 open substitutions end")
    got, rows = commands(b"(" * 300000 + b"\none")
    ght.check(len(ght.rows(rows, "blob_runs")) == 1, "300,000 open parentheses end")
    got, rows = commands(b"case x in " * 5000 + b"\none")
    ght.check(len(ght.rows(rows, "blob_runs")) == 1, "5,000 open cases end")
    got, rows = commands(b"one\n" * 100010)
    ght.equal((len(got), [n["code"] for n in ght.rows(rows, "notes")]), (100000, ["limit"]), "more commands than are told")
    for seed in range(40):
        r = random.Random(seed)
        commands(bytes(r.choice(b"ab $(){}`'\"\\;&|<>\n#=[]!\0case in esac do") for _ in range(3000)))
    ght.check(True, "40 scripts of random operators end")


def names():
    text = b"#!/bin/sh\none\n"
    ght.equal(len(commands(text, "noext")[0]), 1, "by its first line")
    ght.equal(len(commands(b"one\n", "x.sh")[0]), 1, "by its name")
    for first in (b"#! /vendor/bin/sh -e", b"#!/usr/bin/env bash", b"#!/system/bin/mksh", b"#!/sbin/busybox sh"):
        ght.equal(len(commands(first + b"\none\n", "x")[0]), 1, first.decode())
    for first in (b"#!/usr/bin/python3", b"#!/usr/bin/env python3", b"#!/usr/bin/perl", b"none"):
        ght.equal(len(commands(first + b"\none\n", "x")[0]), 0, f"{first.decode()} is no shell")
    ght.equal(len(commands(b"#!/usr/bin/python3\none\n", "x.sh")[0]), 0, "another language under a shell's name")
    ght.equal(len(commands(b"\x7fELF" + bytes(300), "x.sh")[0]), 0, "a binary under a shell's name")


def main():
    for name, text, want in HAND:
        got, rows = commands(text)
        ght.equal(got, want, name)
    generated()
    executed()
    hostile()
    names()
    at = ght.texts(ght.inspect("x.sh", b"a\n  b c\n", "script"), "script_cmds", "at")
    ght.equal(at, [(0,), (4,)], "offsets")
    ght.done()


main()
