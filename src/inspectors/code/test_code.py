#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""code: flows of apps that are written in smali, each kind with a look-alike that has none; places compared with dexdump's.
`--make-seeds` writes the seeds anew."""
import pathlib
import re
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "tests/lib"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import ght
from mkapp import ACTIVITY, CREATE, ID, TM, archive, cls, dex, log, method

HERE = pathlib.Path(__file__).resolve().parent
END = "\nreturn-void"


def main(body, *members, name="Lx/A;", sup=ACTIVITY, registers=10):
    return cls(name, sup, method(CREATE, body + END, registers), *members)


def look(*dexes, name="app.apk"):
    path = archive(ght.tmp() / name, *dexes)
    return ght.drive(path, only="code")


def flows(rows, level=3):
    return sorted((r["src"], r["sink"], r["path"]) for r in ght.rows(rows, "code_flows") if r["level"] == level)


def pairs(*classes, level=3):
    return sorted({(s, k) for s, k, _ in flows(look(dex(*classes)), level) if s != "INTENT_IN"})  # getIntent() is one by itself


LEAK = [("DEVID", "LOG_OUT")]
FIELD = ".field public f:Ljava/lang/String;\n.field public static s:Ljava/lang/String;\n"
GET = "iget-object v1, p0, Lx/A;->f:Ljava/lang/String;\n"
PUT = "iput-object v1, p0, Lx/A;->f:Ljava/lang/String;\n"
CLEAN = 'const-string v1, "nothing"\n'
SB = "Ljava/lang/StringBuilder;"
BUILD = f"""new-instance v2, {SB}
invoke-direct {{v2}}, {SB}-><init>()V
invoke-virtual {{v2, v1}}, {SB}->append(Ljava/lang/String;){SB}
move-result-object v3
invoke-virtual {{v2}}, {SB}->toString()Ljava/lang/String;
move-result-object v1
"""
TRY = f"""{ID}
:a
new-instance v2, Ljava/lang/RuntimeException;
invoke-direct {{v2, v1}}, Ljava/lang/RuntimeException;-><init>(Ljava/lang/String;)V
throw v2
:b
.catch Ljava/lang/RuntimeException; {{:a .. :b}} :c
:c
move-exception v3
invoke-virtual {{v3}}, Ljava/lang/RuntimeException;->getMessage()Ljava/lang/String;
move-result-object v1
"""
ARRAY = f"{ID}\nconst/4 v2, 0x1\nnew-array v3, v2, [Ljava/lang/String;\nconst/4 v2, 0x0\naput-object v1, v3, v2\naget-object v1, v3, v2\n"
ECHO = method("static echo(Ljava/lang/String;)Ljava/lang/String;", "return-object p0", 2)
CALL = "invoke-static {v1}, Lx/A;->echo(Ljava/lang/String;)Ljava/lang/String;\nmove-result-object v1\n"
RUN = cls("Lx/R;", "Ljava/lang/Object;", ".field public v:Ljava/lang/String;\n",
          method("run()V", f"iget-object v1, p0, Lx/R;->v:Ljava/lang/String;\n{log()}{END}", 9), faces=("Ljava/lang/Runnable;",))
THREAD = f"""{ID}
new-instance v2, Lx/R;
invoke-direct {{v2}}, Lx/R;-><init>()V
iput-object v1, v2, Lx/R;->v:Ljava/lang/String;
new-instance v3, Ljava/lang/Thread;
invoke-direct {{v3, v2}}, Ljava/lang/Thread;-><init>(Ljava/lang/Runnable;)V
invoke-virtual {{v3}}, Ljava/lang/Thread;->start()V
"""
TASK = cls("Lx/T;", "Landroid/os/AsyncTask;", method("doInBackground([Ljava/lang/Object;)Ljava/lang/Object;", f"""const/4 v0, 0x0
aget-object v1, p1, v0
check-cast v1, Ljava/lang/String;
{log()}
return-object v1""", 10))
EXECUTE = f"""{ID}
const/4 v2, 0x1
new-array v3, v2, [Ljava/lang/Object;
const/4 v2, 0x0
aput-object v1, v3, v2
new-instance v2, Lx/T;
invoke-direct {{v2}}, Lx/T;-><init>()V
invoke-virtual {{v2, v3}}, Lx/T;->execute([Ljava/lang/Object;)Landroid/os/AsyncTask;
"""
INTENT = f"""{ID}
new-instance v2, Landroid/content/Intent;
const-class v3, Lx/B;
invoke-direct {{v2, p0, v3}}, Landroid/content/Intent;-><init>(Landroid/content/Context;Ljava/lang/Class;)V
const-string v3, "k"
invoke-virtual {{v2, v3, v1}}, Landroid/content/Intent;->putExtra(Ljava/lang/String;Ljava/lang/String;)Landroid/content/Intent;
invoke-virtual {{p0, v2}}, Lx/A;->startActivity(Landroid/content/Intent;)V
"""
TAKE = f"""invoke-virtual {{p0}}, Lx/B;->getIntent()Landroid/content/Intent;
move-result-object v1
const-string v2, "k"
invoke-virtual {{v1, v2}}, Landroid/content/Intent;->getStringExtra(Ljava/lang/String;)Ljava/lang/String;
move-result-object v1
{log()}
"""
FACE = cls("Lx/I;", "Ljava/lang/Object;", ".method public abstract go(Ljava/lang/String;)V\n.end method\n", access="public interface abstract")
GO = cls("Lx/G;", "Ljava/lang/Object;", method("go(Ljava/lang/String;)V", f"move-object v1, p1\n{log()}{END}", 10), faces=("Lx/I;",))
VIRTUAL = "{}\n{}\ninvoke-interface {{v2, v1}}, Lx/I;->go(Ljava/lang/String;)V\n"
MAKE = "new-instance v2, Lx/G;\ninvoke-direct {v2}, Lx/G;-><init>()V"
NEVER = method("never()V", ID + "\n" + log() + END, 10)
PREFS = "Landroid/content/SharedPreferences"
STORE = f"""{ID}
const-string v3, "k"
const/4 v2, 0x0
invoke-interface {{v2, v3, v1}}, {PREFS}$Editor;->putString(Ljava/lang/String;Ljava/lang/String;){PREFS}$Editor;
"""
LOADED = f"""const-string v3, "k"
const/4 v2, 0x0
invoke-interface {{v2, v3, v3}}, {PREFS};->getString(Ljava/lang/String;Ljava/lang/String;)Ljava/lang/String;
move-result-object v1
{log()}
"""

CASES = [
    ("straight", [main(f"{ID}\n{log()}")], [main(f"{ID}\n{CLEAN}{log()}")]),
    ("field", [main(f"{ID}\n{PUT}", FIELD, method("onDestroy()V", GET + log() + END, 10))],
     [main(f"{ID}\nsput-object v1, Lx/A;->s:Ljava/lang/String;", FIELD, method("onDestroy()V", GET + log() + END, 10))]),
    ("string builder", [main(f"{ID}\n{BUILD}{log()}")], [main(f"{ID}\nmove-object v6, v1\n{CLEAN}{BUILD}{log()}")]),
    ("array", [main(ARRAY + log())], [main(ARRAY + CLEAN + log())]),
    ("into and out of a method", [main(f"{ID}\n{CALL}{log()}", ECHO)], [main(f"{ID}\n{CALL}{CLEAN}{CALL}{log()}", ECHO)]),
    ("exception", [main(TRY + log())], [main(TRY + CLEAN + log())]),
    ("thread", [main(THREAD), RUN], [main(THREAD.replace(ID, CLEAN) + ID), RUN]),
    ("task", [main(EXECUTE), TASK], [main(EXECUTE.replace(ID, CLEAN) + ID), TASK]),
    ("Intent to a class", [main(INTENT), main(TAKE, name="Lx/B;")], [main(INTENT.replace("Lx/B;", "Lx/C;")), main(TAKE, name="Lx/B;"), main("nop", name="Lx/C;")]),
    ("interface", [main(VIRTUAL.format(ID, MAKE)), FACE, GO], [main(VIRTUAL.format(ID, "const/4 v2, 0x0")), FACE, GO]),
    ("button of a layout", [main(f"{ID}\n{PUT}", FIELD, method("press(Landroid/view/View;)V", GET + log() + END, 10))],
     [main(f"{ID}\n{PUT}", FIELD, method("press(I)V", GET.replace("->f", "->s").replace("iget-object v1, p0, Lx/A;->s", "sget-object v1, Lx/A;->s") + log() + END, 10))]),
    ("preferences", [main(STORE, method("onDestroy()V", LOADED + END, 10))], [main(STORE.replace(ID, CLEAN) + ID, method("onDestroy()V", LOADED + END, 10))]),
    ("code that is never called", [main("nop", NEVER.replace("never", "onStart"))], [main("nop", NEVER)]),
]
EXEC = """invoke-static {}, Ljava/lang/Runtime;->getRuntime()Ljava/lang/Runtime;
move-result-object v0
const-string v1, "ls"
invoke-virtual {v0, v1}, Ljava/lang/Runtime;->exec(Ljava/lang/String;)Ljava/lang/Process;
"""
RECEIVER = cls("Lx/W;", "Landroid/content/BroadcastReceiver;", method("onReceive(Landroid/content/Context;Landroid/content/Intent;)V", "invoke-static {}, Lx/D;->deed()V" + END, 10))
DEED = cls("Lx/D;", "Ljava/lang/Object;", method("static deed()V", EXEC + END, 8))
REFLECT = """const-string v0, "x.D"
invoke-static {v0}, Ljava/lang/Class;->forName(Ljava/lang/String;)Ljava/lang/Class;
move-result-object v0
const-string v1, "deed"
const/4 v2, 0x0
invoke-virtual {v0, v1, v2}, Ljava/lang/Class;->getMethod(Ljava/lang/String;[Ljava/lang/Class;)Ljava/lang/reflect/Method;
"""
SETTING = """const/4 v0, 0x0
const-string v1, "adb_enabled"
const/4 v2, 0x1
invoke-static {v0, v1, v2}, Landroid/provider/Settings$Global;->putInt(Landroid/content/ContentResolver;Ljava/lang/String;I)Z
"""


def seeds():
    small = dex(main(THREAD, FIELD, NEVER), RUN, FACE, GO, RECEIVER, DEED)
    app = archive(ght.tmp() / "s.apk", small, dex(main(INTENT, name="Lx/E;"), TASK)).read_bytes()
    hurt = bytearray(small)
    path = ght.tmp() / "small.dex"
    path.write_bytes(small)
    at = int(subprocess.run([ght.BUILD / "gifthorse", "methods", path, "->onCreate"], capture_output=True).stdout.split()[-1], 16)
    hurt[at:at + 2] = b"\x3e\x00"  # no operation
    return {"app.zip": app, "small.dex.bin": small, "cut.dex.bin": small[:-200], "hurt.dex.bin": bytes(hurt)}


if "--make-seeds" in sys.argv:
    for n, data in seeds().items():
        (HERE / "seeds" / n).write_bytes(data)
    sys.exit(0)

for what, leaks, none in CASES:
    ght.equal(pairs(*leaks), LEAK, f"{what}: found")
    ght.equal(pairs(*none), [], f"{what}: its look-alike has none")

# two dex files of one app are one app; a path is told step by step, and each step is a call that dexdump sees
one, two = dex(main(f"{ID}\ninvoke-static {{v1}}, Lx/L;->out(Ljava/lang/String;)V")), dex(cls("Lx/L;", "Ljava/lang/Object;", method("static out(Ljava/lang/String;)V", f"move-object v1, p0\n{log()}{END}", 10)))
rows = look(one, two)
ght.equal([p for _, _, p in flows(rows)], ["Lx/A;->onCreate(Landroid/os/Bundle;)V +0x2 > Lx/L;->out(Ljava/lang/String;)V +0x6"], "path: over two dex files")
row = ght.rows(rows, "code")[0]
ght.equal((row["dex_files"], row["classes"], row["bytes_lost"], row["over"]), (2, 2, 0, 0), "code: counts")
path = ght.tmp() / "two.dex"
path.write_bytes(two)
out = subprocess.run(["dexdump", "-d", path], capture_output=True).stdout.decode()
ght.check(re.search(r"\|0003: invoke-static .*Log;\.i:", out), "path: unit 3 of out() is the call, for dexdump", out[-800:])
ght.equal(flows(look(one)), [], "path: without the second dex it ends")

# level 2: reached from an entry; level 1: both there; reflection by constant names
ght.equal([(s, k, p) for s, k, p in flows(look(dex(RECEIVER, DEED)), 2) if k == "EXEC"][:1],
          [("INTENT_IN", "EXEC", "Lx/W;->onReceive(Landroid/content/Context;Landroid/content/Intent;)V +0x0 > Lx/D;->deed()V +0xc")], "level 2: path from the entry")
ght.equal([k for _, k, _ in flows(look(dex(main("nop"), DEED)), 2)], [], "level 2: not where nothing leads there")
ght.equal({k for _, k, _ in flows(look(dex(main(REFLECT), DEED)), 2)}, {"EXEC"}, "reflection: by constant names")
ght.equal({k for _, k, _ in flows(look(dex(main(REFLECT.replace("x.D", "x.Q")), DEED)), 2)}, set(), "reflection: of another class")
ght.equal([(r["class"], r["role"], r["reach"]) for r in ght.rows(look(dex(RECEIVER, DEED)), "code_entries")], [("Lx/W;", "receiver", "EXEC")], "entries: what it reaches")
ght.equal([(r["cap"], r["methods"], r["first"]) for r in ght.rows(look(dex(RECEIVER, DEED)), "code_caps")], [("EXEC", 1, "Lx/D;->deed()V +0xc")], "capabilities: where")
ght.equal([(r["callee"].split("(")[0], r["arg"], r["value"], r["site"]) for r in ght.rows(look(dex(main(SETTING))), "code_consts")],
          [("Landroid/provider/Settings$Global;->putInt", 0, "0", 8), ("Landroid/provider/Settings$Global;->putInt", 1, "adb_enabled", 8),
           ("Landroid/provider/Settings$Global;->putInt", 2, "1", 8)], "constants of a call")
ght.equal(pairs(main(f"const-string v1, \"content://sms/inbox\"\n{log()}")), [("SMS_READ", "LOG_OUT")], "a source that is a name")
ght.equal(pairs(main(f"const-string v1, \"content://smile\"\n{log()}")), [], "a name that is none")

# what cannot be read is told
ght.equal([r["status"] for r in ght.drive(archive(ght.tmp() / "b.apk", seeds()["hurt.dex.bin"]), only="code") if r["table"] == "blob_runs" and r["plugin"] == "code"], ["bad"], "damage: told")
rows = ght.inspect("other.dex", dex(main(f"{ID}\n{log()}")), "code")
ght.equal(len(flows(rows)), 1, "a dex of another name: by itself")
rows = ght.inspect("classes.dex", dex(main(f"{ID}\n{log()}")), "code")
ght.equal([r for r in rows if r["table"] == "blob_runs" and r["plugin"] == "code" and r["status"] == "ok"], [], "classes.dex alone: with its container only")
ght.equal(look(dex(main(f"{ID}\n{log()}"))), look(dex(main(f"{ID}\n{log()}"))), "the same again")
ght.done()
