# SPDX-License-Identifier: Apache-2.0
"""Apps for tests: classes in smali, compiled by it, as a dex or in a zip. `M(name, body)` is a method; p0 is this."""
import pathlib
import tempfile
import zipfile

import ght


def method(head, body, registers=8):
    return f".method public {head}\n.registers {registers}\n{body}\n.end method\n"


def cls(name, sup="Ljava/lang/Object;", *members, faces=(), access="public"):
    init = "constructor <init>()V"
    text = f".class {access} {name}\n.super {sup}\n" + "".join(f".implements {f}\n" for f in faces)
    if not any("<init>" in m for m in members) and "interface" not in access:
        text += method(init, f"invoke-direct {{p0}}, {sup}-><init>()V\nreturn-void", 2)
    return text + "".join(sorted(members, key=lambda m: not m.startswith(".field")))


def dex(*classes):
    with tempfile.TemporaryDirectory(prefix="mkapp-") as d:
        d = pathlib.Path(d)
        for i, c in enumerate(classes):
            (d / f"{i}.smali").write_text(c)
        ght.run("smali", "assemble", "-a", 26, "-o", d / "out.dex", *sorted(d.glob("*.smali")))
        return (d / "out.dex").read_bytes()


def archive(path, *dexes, **more):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as z:
        for i, data in enumerate(dexes):
            z.writestr(zipfile.ZipInfo(f"classes{i + 1 if i else ''}.dex", (2020, 1, 1, 0, 0, 0)), data, zipfile.ZIP_DEFLATED)
        for name, data in more.items():
            z.writestr(zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0)), data, zipfile.ZIP_DEFLATED)
    return path


TM = "Landroid/telephony/TelephonyManager;"
ID = f"""const/4 v0, 0x0
invoke-virtual {{v0}}, {TM}->getDeviceId()Ljava/lang/String;
move-result-object v1"""
SMS = """const/4 v2, 0x0
invoke-static {}, Landroid/telephony/SmsManager;->getDefault()Landroid/telephony/SmsManager;
move-result-object v0
invoke-virtual/range {v0 .. v5}, Landroid/telephony/SmsManager;->sendTextMessage(Ljava/lang/String;Ljava/lang/String;Ljava/lang/String;Landroid/app/PendingIntent;Landroid/app/PendingIntent;)V"""
CREATE = "onCreate(Landroid/os/Bundle;)V"
ACTIVITY = "Landroid/app/Activity;"


def log(register="v1"):
    return f'const-string v7, "t"\ninvoke-static {{v7, {register}}}, Landroid/util/Log;->i(Ljava/lang/String;Ljava/lang/String;)I'
