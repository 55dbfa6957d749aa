#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""init scripts and ueventd files against a parser of our own here, written with shlex-like regular expressions from init's README,
on realistic and hostile input."""
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "tests/lib"))
import ght  # noqa: E402

REAL = rb"""# Copyright
import /init.environ.rc
import /vendor/etc/init/hw/init.${ro.hardware}.rc

on early-init
    # a comment
    write /proc/1/oom_score_adj -1000
    start ueventd

on post-fs-data && property:ro.debuggable=1
    mkdir /data/misc/adb 02750 system shell
    export LD_PRELOAD /data/local/lib.so
    exec - root root -- /system/bin/sh -c "echo \"not an escape in quotes; id"
    exec_background u:r:su:s0 root -- /system/bin/iptables -t nat -A OUTPUT \
        -p udp --dport 53 \
        -j DNAT
    setprop a.b "two words"
    write /sys/x "with # inside"

service adbd /system/bin/adbd --root_seclabel=u:r:su:s0
    class core
    socket adbd seqpacket+passcred 660 system system
    disabled
    seclabel u:r:adbd:s0

service flash_recovery /system/bin/install-recovery.sh
    class main late_start
    oneshot
service zygote /system/bin/app_process64 -Xzygote /system/bin --zygote --start-system-server
    class main
    priority -20
    user root
    group root readproc reserved_disk
    socket zygote stream 660 root system
    socket usap_pool_primary stream 660 root system
    capabilities NET_ADMIN NET_RAW SYS_NICE
    onrestart exec_background - system system -- /system/bin/vdc volume abort_fuse
    onrestart write /sys/power/state on
    setenv LD_PRELOAD libx.so
    user system
    critical window=${zygote.critical_window.minute:-off} target=zygote-fatal

on property:sys.boot_completed=1
    insmod /data/x.ko"""

UEVENTD = b"""firmware_directories /etc/firmware/ /vendor/firmware/
uevent_socket_rcvbuf_size 16M
subsystem adf
    devname uevent_devname

/dev/null                 0666   root       root
/dev/diag 0666 system qcom_diag
/dev/block/mmcblk*        0640   root   mount fnm_pathname
/sys/devices/virtual/input/input*   enable      0660  root   input
  /dev/x 600 1000 2000
/dev/short 0660 root
/dev/mode 9999 root root"""


def words(data):
    """[(line, offset, [words])], by a regular expression for each kind of piece."""
    piece = re.compile(rb'"([^"]*)"|\\\r?\n[ \t]*|\\(.)|([^ \t\r\n"\\]+)', re.S)
    ret, i, line, base = [], 0, 1, 0
    if data.startswith(b"\xef\xbb\xbf"):
        data, base = data[3:], 3
    now, begin = [], None
    while i < len(data):
        c = data[i:i + 1]
        if c == b"\n":
            if now:
                ret.append((*begin, now))
            now, i, line = [], i + 1, line + 1
        elif c in b" \t\r":
            i += 1
        elif c == b"#":
            i = data.find(b"\n", i) if b"\n" in data[i:] else len(data)
        else:
            if not now:
                begin = (line, base + i)
            text = b""
            while (m := piece.match(data, i)):
                line += m[0].count(b"\n")
                text += m[1] or m[3] or {b"n": b"\n", b"t": b"\t", b"r": b"\r"}.get(m[2], m[2] or b"")
                i = m.end()
            now.append(text)
            if i < len(data) and data[i:i + 1] not in b" \t\r\n":
                i += 1
    if now:
        ret.append((*begin, now))
    return ret


def reference(data):
    services, sockets, actions, where = [], [], [], None
    for line, at, w in words(data):
        if w[0] == b"service":
            where = {"name": w[1], "exec_path": w[2], "args": b" ".join(w[3:]), "user": None, "groups": None, "caps": None,
                     "seclabel": None, "class": None, "oneshot": 0, "disabled": 0, "line": line, "at": at}
            services.append(where)
        elif w[0] == b"on":
            where = b" ".join(w[1:])
        elif w[0] == b"import":
            actions.append((b"import", b"import", b" ".join(w[1:]), line, at))
        elif isinstance(where, bytes):
            actions.append((where, w[0], b" ".join(w[1:]), line, at))
        elif where:
            rest = b" ".join(w[1:])
            option = w[0].decode("latin-1")
            if option in ("oneshot", "disabled"):
                where[option] = 1
            elif option in ("user", "seclabel"):
                where[option] = w[1]
            elif option in ("group", "capabilities", "class"):
                where[{"group": "groups", "capabilities": "caps"}.get(option, option)] = rest
            elif option == "socket":
                sockets.append((where["name"], w[1], w[2], int(w[3], 8), w[4] if len(w) > 4 else None, line, at))
            elif option == "onrestart":
                actions.append((b"service " + where["name"], w[1], b" ".join(w[2:]), line, at))
            elif option == "setenv":
                actions.append((b"service " + where["name"], w[0], rest, line, at))
    return services, sockets, actions


COLUMNS = ("name", "exec_path", "args", "user", "groups", "caps", "seclabel", "class", "oneshot", "disabled", "line", "at")


def compare(name, data, filename="init.x.rc", notes=0):
    rows = ght.inspect(filename, data, "initrc")
    services, sockets, actions = reference(data)
    ght.equal(ght.texts(rows, "init_services", *COLUMNS), [tuple(s[c] for c in COLUMNS) for s in services], f"{name}: services")
    ght.equal(ght.texts(rows, "init_actions", "trigger", "cmd", "args", "line", "at"), actions, f"{name}: actions")
    by_n = {r["n"]: ght.unescape(r["name"]) for r in ght.rows(rows, "init_services")}
    got = [(by_n[s[0]], *s[1:]) for s in ght.texts(rows, "init_sockets", "service", "name", "type", "perm", "user", "line", "at")]
    ght.equal(got, sockets, f"{name}: sockets")
    ght.equal(len(ght.rows(rows, "notes")), notes, f"{name}: notes")


def nodes(data):
    ret, bad = [], 0
    for line, at, w in words(data):
        if w[0][:1] != b"/":
            continue
        sys_node = len(w) > 2 and re.fullmatch(rb"[0-7]+", w[2]) and not re.fullmatch(rb"[0-7]+", w[1])
        name, rest = (w[0] + b"/" + w[1], w[2:]) if sys_node else (w[0], w[1:])
        if len(rest) < 3 or not re.fullmatch(rb"[0-7]+", rest[0]) or int(rest[0], 8) > 0o7777:
            bad += 1
        else:
            ret.append((name, int(rest[0], 8), rest[1], rest[2], line, at))
    return ret, bad


def compare_nodes(name, data, filename="ueventd.rc", zero=0):
    rows = ght.inspect(filename, data, "initrc")
    want, bad = nodes(data)
    ght.equal(ght.texts(rows, "ueventd", "node", "mode", "uid", "gid", "line", "at"), want, f"{name}: nodes")
    ght.equal(len(ght.rows(rows, "notes")), bad + zero, f"{name}: notes")
    ght.equal(ght.texts(rows, "init_actions", "cmd"), [], f"{name}: no actions")


def hostile():
    rows = ght.inspect("a.rc", b'on boot\n    exec "never closed\n    start x\n', "initrc")
    ght.equal(ght.texts(rows, "init_actions", "cmd", "args"), [(b"exec", b"never closed"), (b"start", b"x")], "an open quote ends with its line")
    ght.check(any("quote" in n["what"] for n in ght.rows(rows, "notes")), "an open quote is noted")
    rows = ght.inspect("a.rc", b"service onlyname\n    user root\nservice a /b\n socket s stream\n", "initrc")
    ght.equal(ght.texts(rows, "init_services", "name", "exec_path", "user"), [(b"a", b"/b", None)], "a service without a program")
    ght.equal(len(ght.rows(rows, "notes")), 2, "that and a socket without a mode are noted")
    rows = ght.inspect("a.rc", b"on boot\n w " + b"x" * (1 << 20) + b"\n start y", "initrc")
    got = ght.texts(rows, "init_actions", "cmd", "args")
    ght.equal([(c, len(a)) for c, a in got], [(b"w", 65536), (b"start", 1)], "a word of 1 MiB")
    rows = ght.inspect("a.rc", b"on boot\n w" + b" a" * 1000 + b"\n start y", "initrc")
    got = ght.texts(rows, "init_actions", "cmd", "args")
    ght.equal([(c, len(a)) for c, a in got], [(b"w", 2 * 255 - 1), (b"start", 1)], "a line of 1,000 words")
    ght.equal([n["code"] for n in ght.rows(rows, "notes")], ["limit"], "is noted once")
    ght.equal(ght.texts(ght.inspect("x.rc", b"\x7fELF" + bytes(300), "initrc"), "init_actions", "cmd"), [], "a binary with the name of a script")


def main():
    compare("init.rc", REAL)
    compare("CRLF", REAL.replace(b"\n", b"\r\n"))
    compare("byte order mark", b"\xef\xbb\xbf" + REAL)
    compare("a line end at the end", REAL + b"\n")
    compare("a zero byte", REAL.replace(b"early-init", b"early\0init"), notes=1)
    compare("words before any section", b"stray words\n user root\n" + REAL)
    compare("not UTF-8", REAL.replace(b"adbd", b"adb\xff"))
    compare("escapes", b'on boot\n write /x a\\nb\\tc\\\\d\\qe "x\\y"z\n')
    compare("5,000 services", b"".join(b"service s%d /bin/s%d a b\n class c%d\n socket k stream 0600\n" % (i, i, i) for i in range(5000)))
    compare_nodes("ueventd.rc", UEVENTD)
    compare_nodes("ueventd.qcom.rc", UEVENTD.replace(b"\n", b"\r\n"), "ueventd.qcom.rc")
    compare_nodes("ueventd with a zero byte", UEVENTD.replace(b"diag ", b"di\0ag "), zero=1)
    hostile()
    for seed in sorted((pathlib.Path(__file__).parent / "seeds").iterdir()):
        if seed.name.startswith("init."):
            compare(f"seed {seed.name}", seed.read_bytes(), seed.name)
        elif seed.name.startswith("ueventd"):
            compare_nodes(f"seed {seed.name}", seed.read_bytes(), seed.name)
    ght.done()


main()
