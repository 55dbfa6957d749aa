#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Outputs of a running phone: what is written here must come back as facts; then every value that the reference (MVT) expects of its own test data."""
import base64
import hashlib
import json
import pathlib
import sys
import zlib

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "tests/lib"))
import ght  # noqa: E402


def live(name, data, *notes):
    if isinstance(data, str):
        data = data.encode()
    rows = ght.inspect(name, data, "live")
    ght.equal([n["code"] for n in ght.rows(rows, "notes")], list(notes), f"{name}: notes")
    return rows


def t(rows, table, *columns):
    """Cells of a table; text as str."""
    return [tuple(c.decode("utf-8", "surrogateescape") if isinstance(c, bytes) else c for c in r) for r in ght.texts(rows, "live_" + table, *columns)]


def state(rows):
    return t(rows, "sections", "name", "how", "state")


def getprop():
    text = "[ro.a]: [1]\n[ro.empty]: []\n[ro.lines]: [one\ntwo\n\nthree]\n[ro.brackets]: [[x]: [y]]\n[ro.last]: [z]\n"
    rows = live("getprop.txt", text)
    ght.equal(t(rows, "properties", "key", "value", "line"), [("ro.a", "1", 1), ("ro.empty", "", 2), ("ro.lines", "one\ntwo\n\nthree", 3),
                                                               ("ro.brackets", "[x]: [y]", 7), ("ro.last", "z", 8)], "getprop")
    ght.equal(state(rows), [("getprop", "file", "read")], "getprop: section")
    rows = live("getprop.txt", "[ro.a]: [1\n[ro.b]: [2]\n[ro.c]: [3\n", "bad", "short")
    ght.equal(t(rows, "properties", "key", "value"), [("ro.a", "1"), ("ro.b", "2"), ("ro.c", "3")], "getprop without ends")
    rows = live("getprop.txt", "[ro.big]: [" + "x" * (1 << 20) + "]\n[ro.b]: [2]\n", "limit")
    # A property that spells headings of a report begins no section.
    rows = live("getprop.txt", "[a]: [\nDUMP OF SERVICE package:\nPackages:\n  Package [evil] (1):\n    userId=0\n]\n[b]: [1]\n")
    ght.equal((t(rows, "packages", "package"), [k for k, in t(rows, "properties", "key")]), ([], ["a", "b"]), "headings inside a property")


def settings():
    rows = live("settings_global.txt", "adb_enabled=1\nhttp_proxy=10.0.0.1:8080\nempty=\nwith=a=b\nno equals\n")
    ght.equal(t(rows, "settings", "space", "key", "value", "user"), [("global", "adb_enabled", "1", None), ("global", "http_proxy", "10.0.0.1:8080", None),
                                                                   ("global", "empty", "", None), ("global", "with", "a=b", None)], "settings list")
    rows = live("bugreport-x.txt", "DUMP OF SERVICE settings:\nGLOBAL SETTINGS (user 0)\nversion: 1\n_id:42 name:adb_enabled pkg:com.android.shell value:1 "
                "default:0 defaultSystemSet:true\nSECURE SETTINGS (user 10)\n_id:7 name:x pkg:android value:a default:b c default:d\n"
                "_id:8 name:y pkg:android value:plain\n")
    ght.equal(t(rows, "settings", "space", "user", "key", "value", "package"), [("global", 0, "adb_enabled", "1", "com.android.shell"),
              ("secure", 10, "x", "a default:b c", "android"), ("secure", 10, "y", "plain", "android")], "dumpsys settings")


def lists():
    rows = live("packages.txt", "package:/data/app/~~a==/com.a-b==/base.apk=com.a versionCode:12 installer=com.android.vending uid:10123\n"
                "package:/system/app/S/S.apk=com.s installer=null uid:1000,1001000\npackage:com.plain\n")
    ght.equal(t(rows, "packages", "list", "package", "path", "uid", "installer", "version_code"), [
        ("all", "com.a", "/data/app/~~a==/com.a-b==/base.apk", 10123, "com.android.vending", 12), ("all", "com.s", "/system/app/S/S.apk", 1000, None, None),
        ("all", "com.plain", None, None, None, None)], "pm list packages")
    for name, kind in (("packages_disabled", "disabled"), ("packages_hidden", "known"), ("packages_uninstalled", "with-uninstalled")):
        ght.equal(t(live(name + ".txt", "package:com.x\n"), "packages", "list", "package"), [(kind, "com.x")], name)
    rows = live("services.txt", "Found 2 services:\n0\tfoo.bar/default: [foo.IBar]\n1\tactivity: [android.app.IActivityManager]\n2\tnone: []\n")
    ght.equal(t(rows, "services", "name", "interface"), [("foo.bar/default", "foo.IBar"), ("activity", "android.app.IActivityManager"), ("none", None)], "service list")
    rows = live("users.txt", "Users:\n\tUserInfo{0:Owner: x:4c13} running\n\tUserInfo{10:Work:30}\n")
    ght.equal(t(rows, "users", "user", "name", "flags", "state"), [(0, "Owner: x", 0x4c13, "running"), (10, "Work", 0x30, None)], "users")
    ght.equal(t(live("uname.txt", "Linux localhost 5.10.1 #1 SMP aarch64 Toybox\n"), "facts", "kind", "key", "value"),
              [("kernel", "uname", "Linux localhost 5.10.1 #1 SMP aarch64 Toybox")], "uname")
    ght.equal(t(live("getenforce.txt", "Permissive\n"), "facts", "kind", "value"), [("selinux", "Permissive")], "getenforce")
    ght.equal(t(live("battery.txt", "Current Battery Service state:\n  AC powered: false\n  level: 90\n"), "facts", "key", "value"),
              [("AC powered", "false"), ("level", "90")], "battery")
    rows = live("battery.txt", "Current Battery Service state:\n  level: 90\nBattery History (0%):\n  +1h (2) 95 +top=u0a280:\"com.w\"\n")
    ght.equal((t(rows, "facts", "key"), t(rows, "battery", "kind", "package")), ([("level",)], [("start_top", "com.w")]), "battery and its statistics in one")
    ght.equal(t(live("cmdline.txt", "a=b androidboot.x=1\n"), "facts", "kind", "key"), [("kernel", "cmdline")], "cmdline")
    rows = live("dropbox.txt", "Drop box contents: 2 entries\nMax entries: 1000\n\n2022-03-29 18:37:30 system_app_crash (compressed text, 123 bytes)\n"
                "2022-03-30 18:37:30 SYSTEM_BOOT (text, 5 bytes)\n")
    ght.equal(t(rows, "dropbox", "time", "tag", "what"), [("2022-03-29 18:37:30", "system_app_crash", "compressed text, 123 bytes"),
                                                          ("2022-03-30 18:37:30", "SYSTEM_BOOT", "text, 5 bytes")], "dropbox")


PACKAGE = """Packages:
  Package [com.a] (abc):
    userId=10100
    sharedUser=SharedUserSetting{1 android.uid.shared/10100}
    codePath=/data/app/com.a
    versionCode=7 minSdk=21 targetSdk=33
    versionName=1.2 beta
    signatures=PackageSignatures{1 version:2, signatures:[b378e95c], past signatures:[]}
    pkgFlags=[ HAS_CODE ALLOW_BACKUP ]
    installerPackageName=com.store
    initiatingPackageName=com.agent
    lastUpdateTime=2024-02-01 00:00:00
    requested permissions:
      android.permission.CAMERA
    install permissions:
      android.permission.INTERNET: granted=true
    User 0: ceDataInode=1 installed=true hidden=true suspended=false stopped=false notLaunched=false enabled=3 instant=false virtual=false
      firstInstallTime=2024-01-10 09:19:39
      runtime permissions:
        android.permission.CAMERA: granted=true, flags=[ USER_SET ]
    User 10: ceDataInode=2 installed=false hidden=false suspended=true stopped=true notLaunched=false enabled=0 instant=false virtual=false
      firstInstallTime=2025-01-10 09:19:39
      runtime permissions:
        android.permission.CAMERA: granted=false, flags=[ USER_SET ]

Hidden system packages:
  Package [com.s] (1):
    userId=1000
    codePath=/system/app/S
    pkgFlags=[ SYSTEM HAS_CODE ]
"""


def package():
    rows = live("package.txt", PACKAGE)
    ght.equal(t(rows, "packages", "list", "package", "path", "uid", "shared_user", "installer", "initiator", "signers", "system", "disabled", "hidden", "installed",
                "version_name", "version_code", "min_sdk", "target_sdk", "first_install", "last_update"),
              [("package", "com.a", "/data/app/com.a", 10100, "android.uid.shared", "com.store", "com.agent", "b378e95c", 0, 1, 1, 1, "1.2 beta", 7, 21, 33,
                "2024-01-10 09:19:39", "2024-02-01 00:00:00"),
               ("replaced", "com.s", "/system/app/S", 1000, None, None, None, None, 1, None, None, None, None, None, None, None, None, None)], "dumpsys package")
    ght.equal(t(rows, "package_users", "package", "user", "installed", "hidden", "suspended", "stopped", "enabled"),
              [("com.a", 0, 1, 1, 0, 0, 3), ("com.a", 10, 0, 0, 1, 1, 0)], "users of a package")
    ght.equal(t(rows, "permissions", "package", "user", "name", "kind", "granted"), [
        ("com.a", None, "android.permission.CAMERA", "requested", None), ("com.a", None, "android.permission.INTERNET", "install", 1),
        ("com.a", 0, "android.permission.CAMERA", "runtime", 1), ("com.a", 10, "android.permission.CAMERA", "runtime", 0)], "permissions")
    rows = live("package.txt", "Receiver Resolver Table:\n  Non-Data Actions:\n      a.b.C:\n        b5b40f6 com.x/.R (2 filters)\n               d.E:\n        1 com.y/.S\n"
                "  MIME Typed Actions:\n      f.G:\n        2 com.z/.T\n")
    ght.equal(t(rows, "components", "kind", "action", "package", "component"), [("receiver", "a.b.C", "com.x", "com.x/.R"), ("receiver", "d.E", "com.y", "com.y/.S")],
              "resolver tables, one action indented wrongly")


def processes():
    rows = live("ps.txt", "LABEL                          USER           PID  PPID   VSZ  RSS WCHAN ADDR S NAME\nu:r:init:s0 root 1 0 5 2 0 0 S init\n"
                "u:r:untrusted_app:s0 u0_a12 77 1 5 2 0 0 S com.x with blank\nu:r:x:s0 u10_i5 78 1 5 2 0 0 R y\nshort line\n")
    ght.equal(t(rows, "processes", "pid", "ppid", "user", "uid", "label", "name", "state"), [(1, 0, "root", 0, "u:r:init:s0", "init", "S"),
              (77, 1, "u0_a12", 10012, "u:r:untrusted_app:s0", "com.x with blank", "S"), (78, 1, "u10_i5", 1099005, "u:r:x:s0", "y", "R")], "ps -Z")
    rows = live("ps.txt", "LABEL USER UID PID PPID NAME ARGS\nu:r:init:s0 root 0 1 0 init /init second_stage\n")
    ght.equal(t(rows, "processes", "uid", "name", "args"), [(0, "init", "/init second_stage")], "ps -o")
    rows = live("netstat.txt", "Active Internet connections (established and servers)\nProto Recv-Q Send-Q Local Address Foreign Address State User Inode PID/Program\n"
                "tcp 0 0 0.0.0.0:5555 0.0.0.0:* LISTEN 2000 123 900/adbd\ntcp6 0 0 ::ffff:10.0.0.2:4000 ::ffff:1.2.3.4:443 ESTABLISHED 10123 5 -\n"
                "udp 0 0 0.0.0.0:5353 0.0.0.0:* 1020 9 -\ntcp 0 0 [::1]:80 *:* LISTEN\n")
    ght.equal(t(rows, "sockets", "proto", "local", "lport", "remote", "rport", "state", "uid", "inode", "pid", "program"), [
        ("tcp", "0.0.0.0", 5555, "0.0.0.0", None, "LISTEN", 2000, 123, 900, "adbd"),
        ("tcp6", "::ffff:10.0.0.2", 4000, "::ffff:1.2.3.4", 443, "ESTABLISHED", 10123, 5, None, None),
        ("udp", "0.0.0.0", 5353, "0.0.0.0", None, None, 1020, 9, None, None), ("tcp", "::1", 80, "*", None, "LISTEN", None, None, None, None)], "netstat")
    head = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
    rows = live("proc_net_tcp.txt", head + "   0: 0100007F:13AD 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 4321 1 0 100 0 0 10 0\n")
    ght.equal(t(rows, "sockets", "proto", "local", "lport", "state", "uid", "inode"), [("tcp", "127.0.0.1", 5037, "LISTEN", 1000, 4321)], "/proc/net/tcp")
    six = ("00000000000000000000000000000000", "::"), ("00000000000000000000000001000000", "::1"), ("0000000000000000FFFF00000100007F", "::ffff:127.0.0.1"), \
        ("B80D0120000000000000000001000000", "2001:db8:0:0:0:0:0:1")
    for n, (raw, want) in enumerate(six):
        rows = live("proc_net_tcp6.txt", head + f"   {n}: {raw}:0050 {six[0][0]}:0000 01 0:0 00:0 0 10001 0 7 1 0 0\n")
        ght.equal(t(rows, "sockets", "proto", "local", "lport", "state"), [("tcp6", want, 80, "ESTABLISHED")], f"/proc/net/tcp6 {want}")
    rows = live("proc_net_unix.txt", "Num       RefCount Protocol Flags    Type St Inode Path\n0000000000000000: 00000002 00000000 00010000 0001 01 12 /dev/socket/x y\n"
                "0000000000000000: 00000002 00000000 00000000 0001 03 13\n")
    ght.equal(t(rows, "sockets", "proto", "local", "state", "inode"), [("unix", "/dev/socket/x y", "LISTEN", 12), ("unix", None, None, 13)], "/proc/net/unix")
    rows = live("mounts.txt", "/dev/block/dm-12 on / type ext4 (ro,seclabel,noatime)\n/dev/block/dm-3 /data f2fs rw,nosuid 0 0\ntmpfs on /a type b type tmpfs (rw)\n")
    ght.equal(t(rows, "mounts", "device", "dir", "type", "options")[:2], [("/dev/block/dm-12", "/", "ext4", "ro,seclabel,noatime"),
              ("/dev/block/dm-3", "/data", "f2fs", "rw,nosuid")], "mounts")


def roles():
    rows = live("device_policy.txt", "Current Device Policy Manager state:\n  Device Owner: \n    admin=ComponentInfo{com.mdm/com.mdm.Admin}\n    name=x\n    package=com.mdm\n    User ID: 0\n\n"
                "  Profile Owner (User 10): \n    admin=ComponentInfo{com.w/com.w.P}\n\n  Enabled Device Admins (User 0, provisioningState: 0):\n    com.lock/.Admin:\n      uid=10200\n"
                "      policies:\n        limit-password\n      a/b:\n  Other:\n    com.not/.An:\n")
    got = t(rows, "roles", "role", "user", "package", "component")
    ght.equal(got[:3], [("device-owner", None, "com.mdm", "com.mdm/com.mdm.Admin"), ("profile-owner", 10, "com.w", "com.w/com.w.P"), ("admin", 0, "com.lock", "com.lock/.Admin")],
              "device policy")
    ght.check("com.not" not in [r[2] for r in got], "device policy: what follows the admins is none")
    rows = live("notification.txt", "Current Notification Manager state:\n  Notification attention state:\n    x\n  Notification listeners:\n    Allowed notification listeners:\n"
                "      com.x/.L:com.y/com.y.M (user: 0 isPrimary: true)\n    All notification listeners (1) enabled for current profiles:\n      ComponentInfo{com.x/com.x.L}\n"
                "    Live notification listeners (1):\n      ComponentInfo{com.x/com.x.L} (user 10): a.b.C\n  Condition providers:\n    Live condition providers (1):\n      ComponentInfo{android/z}\n")
    ght.equal(t(rows, "roles", "role", "user", "component"), [("listener-allowed", 0, "com.x/.L"), ("listener-allowed", 0, "com.y/com.y.M"), ("listener", None, "com.x/com.x.L"),
                                                             ("listener-live", 10, "com.x/com.x.L")], "notification listeners")
    rows = live("input_method.txt", "Current Input Method Manager state:\n  Input Methods: mMethodMapUpdateCount=1\n  InputMethod #0:\n    mId=com.k/.Ime mSettingsActivityName=null\n"
                "  mCurMethodId=com.k/.Ime\n")
    ght.equal(t(rows, "roles", "role", "component"), [("ime", "com.k/.Ime"), ("ime-current", "com.k/.Ime")], "input methods")
    rows = live("vpn.txt", "VPNs:\n  0: com.vpn\n    NetworkCapabilities: [ x ]\n  10: [Legacy VPN]\n")
    ght.equal(t(rows, "roles", "role", "user", "package"), [("vpn", 0, "com.vpn")], "vpn")
    rows = live("connectivity.txt", "NetworkProviders for: x\n  NetworkAgentInfo{network{100} handle{1} ni{WIFI CONNECTED} lp{{InterfaceName: wlan0 LinkAddresses: [ 10.0.0.2/24 ] "
                "DnsAddresses: [ /10.0.0.1,/1.1.1.1 ] UsePrivateDns: true PrivateDnsServerName: dns.example Domains: null HttpProxy: [proxy.example] 8080 xl= }} nc{[ Transports: WIFI Capabilities: X ]}}\n")
    ght.equal(t(rows, "network", "kind", "iface", "transports", "value"), [("dns", "wlan0", "WIFI", "10.0.0.1"), ("private-dns", "wlan0", "WIFI", "dns.example"),
                                                                          ("proxy", "wlan0", "WIFI", "proxy.example:8080")], "connectivity")
    rows = live("netstats.txt", "Active interfaces:\n  iface=wlan0 ident=[{}]\nDev stats:\n  ident=[{t=1}] uid=-1 set=ALL tag=0x0\n    NetworkStatsHistory: bucketDuration=3600\n"
                "      st=1 rb=5 rp=5 tb=5 tp=5 op=0\nUID stats:\n  Pending bytes: 0\n  History since boot:\n  ident=[{t=1}] uid=10123 set=DEFAULT tag=0x0\n    NetworkStatsHistory: bucketDuration=7200\n"
                "      st=1 rb=100 rp=1 tb=10 tp=2 op=0\n      st=2 rb=200 rp=2 tb=20 tp=3 op=0\n")
    ght.equal(t(rows, "traffic", "uid", "counter_set", "tag", "rx_bytes", "rx_packets", "tx_bytes", "tx_packets"), [(10123, "DEFAULT", 0, 300, 3, 30, 5)], "netstats")


def denied():
    for name, text, want in (("package.txt", "Permission Denial: can't dump package from pid=1\n", "denied"),
                             ("accessibility.txt", "Can't find service: accessibility\n", "denied"),
                             ("appops.txt", "Current AppOps Service state:\n", "read")):
        ght.equal([s[2] for s in state(live(name, text))], [want], f"{name}: {want}")
    report = "========\n== dumpstate: 2022-03-29 23:14:26\n========\n\nBuild: Q\nBuild fingerprint: 'a/b/c:1/2/3:user/release-keys'\nKernel: Linux version 5\n\n" \
        "------ SYSTEM PROPERTIES (getprop) ------\n[a]: [1]\n------ 0.012s was the duration of 'SYSTEM PROPERTIES' ------\n" \
        "------ SOMETHING ELSE (cat x) ------\n[b]: [2]\n------ PROCESSES AND THREADS (ps -A) ------\nUSER PID PPID NAME\nroot 1 0 init\n\n" \
        "-------------------------------------------------------------------------------\nDUMP OF SERVICE CRITICAL package:\n" + PACKAGE + \
        "--------- 0.1s was the duration of dumpsys package, ending at: x\n-------------------------------------------------------------------------------\nDUMP OF SERVICE appops:\n" \
        "Permission Denial: x\n"
    rows = live("bugreport-x.txt", report)
    ght.equal(state(rows), [("dumpstate", "section", "read"), ("getprop", "section", "read"), ("ps", "section", "read"), ("dumpsys package", "section", "read"),
                            ("dumpsys appops", "section", "denied")], "sections of a report")
    ght.equal((t(rows, "properties", "key"), [p for p, in t(rows, "packages", "package")], t(rows, "processes", "name")), ([("a",)], ["com.a", "com.s"], [("init",)]), "a report's facts")
    ght.check(("Build fingerprint", "a/b/c:1/2/3:user/release-keys") in t(rows, "facts", "key", "value"), "head of a report")
    for at, row in [(r["at"], r) for r in ght.rows(rows, "live_processes")]:
        ght.equal(report[at:at + 8], "root 1 0", "at leads to the line")
    ght.equal(live("notes.txt", "DUMP OF\nSERVICE x\n"), live("notes.txt", "DUMP OF\nSERVICE x\n"), "another text")
    ght.equal(t(live("package.txt", "a list of parcels\n"), "sections", "name"), [], "a text with such a name that is something else")


def acquisition():
    item = {"name": "getprop", "asked": "getprop", "state": "answered", "bytes": 12, "sha256": "ab", "time": "2026-01-01T00:00:00Z", "path": "live/getprop.txt"}
    rows = live("acquisition.json", json.dumps({"schema_version": 1, "serial": "\u00e4\U0001f600\n\"x", "items": [item, dict(item, name="dropbox", state="denied", bytes=0)]}))
    ght.equal(t(rows, "items", "name", "asked", "state", "bytes", "sha256", "path"), [("getprop", "getprop", "answered", 12, "ab", "live/getprop.txt"),
                                                                                     ("dropbox", "getprop", "denied", 0, "ab", "live/getprop.txt")], "items")
    ght.equal(t(rows, "facts", "key", "value"), [("schema_version", "1"), ("serial", "\u00e4\U0001f600\n\"x")], "strings of JSON with all escapes")
    rows = live("cacerts_user.txt", "/data/misc/user/0/cacerts-added:\ntotal 4\n-rw-r--r-- 1 system u0_a5 u:object_r:misc_user_data_file:s0 1310 2024-01-01 10:00 ab12 x.0\n"
                "lrwxrwxrwx 1 root root ? 4 2024-01-01 10:00 l\n")
    ght.equal(t(rows, "files", "path", "mode", "uid", "gid", "selinux", "size"), [("/data/misc/user/0/cacerts-added/ab12 x.0", 0o644, 1000, 10005,
              "u:object_r:misc_user_data_file:s0", 1310), ("/data/misc/user/0/cacerts-added/l", 0o777, 0, 0, "?", 4)], "ls -lZ")
    ght.equal(state(live("cacerts_user.txt", "ls: /data/misc/user/0/cacerts-added: Permission denied\n")), [("ls", "file", "denied")], "ls, denied")
    rows = live("files.json", json.dumps([{"path": "/x", "mode": "-rwsr-x--t", "user_id": 0}, {"path": "/y", "mode": "755"}]))
    ght.equal(t(rows, "files", "path", "mode", "uid"), [("/x", 0o5751, 0), ("/y", 0o755, None)], "modes in files.json")
    rows = live("processes.json", json.dumps([{"pid": 5, "uid": 0, "ppid": 1, "filename": "x", "path": "/bin/x", "context": "u:r:x:s0", "command_line": ["x", "y"]}]))
    ght.equal(t(rows, "processes", "pid", "ppid", "uid", "name", "path", "label"), [(5, 1, 0, "x", "/bin/x", "u:r:x:s0")], "processes.json")
    rows = live("mounts.json", json.dumps(["/dev/block/dm-12 on / type ext4 (ro)", "tmpfs /dev tmpfs rw 0 0"]))
    ght.equal(t(rows, "mounts", "device", "dir", "type", "options"), [("/dev/block/dm-12", "/", "ext4", "ro"), ("tmpfs", "/dev", "tmpfs", "rw")], "mounts.json")
    for name, text, code in (("packages.json", '[{"name":"a"', "bad"), ("packages.json", '[{"name":"a"}] x', "bad"), ("files.json", '[{"path":"\\q"}]', "bad"),
                             ("files.json", '[{"path":' + "[" * 40 + "]" * 40 + "}]", "limit"), ("files.json", '[{"path":"x"} {"path":"y"}]', "bad")):
        runs = [r["status"] for r in ght.rows(ght.inspect(name, text.encode(), "live"), "blob_runs")]
        ght.equal(runs, [code], f"{name}: {text[:30]} is {code}")


def messages():
    body = "see https://a.example/x?y=1 and http://b.example\nend"
    entries = [{"self_phone": "1", "address": "06543219", "body": body, "date": "1645543781956", "date_sent": "0", "status": "-1", "type": "2", "read": "1"},
               {"date": "1579531789", "msg_box": "1", "mms_body": "nothing"}]
    rows = live("000000_sms_backup", zlib.compress(json.dumps(entries).encode()))
    ght.equal(t(rows, "messages", "kind", "address", "date", "sent", "length", "links"), [("sms", "06543219", 1645543781956, 1, len(body), "https://a.example/x?y=1 http://b.example"),
              ("sms", None, 1579531789, 0, 7, None)], "messages")
    packed = zlib.compress(json.dumps([dict(entries[0], body=hashlib.sha256(b"%d" % n).hexdigest()) for n in range(400)]).encode())
    rows = ght.inspect("000001_mms_backup", packed[:len(packed) // 2], "live")
    ght.check(ght.rows(rows, "live_messages") and ght.rows(rows, "notes"), "messages of a stream that breaks off: those before, and a note")


def field(n, value):
    def varint(v):
        out = b""
        while v > 127:
            out += bytes([v & 127 | 128])
            v >>= 7
        return out + bytes([v])
    if isinstance(value, int):
        return varint(n << 3) + varint(value)
    value = value.encode() if isinstance(value, str) else value
    return varint(n << 3 | 2) + varint(len(value)) + value


def tombstones():
    thread = field(1, 9) + field(2, field(1, 9) + field(2, "worker"))
    other = field(1, 8) + field(2, field(1, 8) + field(2, "other"))
    pb = field(2, "a/b:user") + field(4, "2023-04-12 12:32:40+0200") + field(5, 7) + field(6, 9) + field(7, 1046) + field(8, "u:r:x:s0") + field(9, "/bin/x") + field(9, "-a") \
        + field(10, field(1, 11) + field(2, "SIGSEGV")) + field(14, "abort it") + field(15, field(1, "null pointer")) + field(16, other) + field(16, thread)
    columns = ("pid", "tid", "uid", "thread", "command", "signal", "abort", "cause", "time", "fingerprint", "label")
    want = [(7, 9, 1046, "worker", "/bin/x", "SIGSEGV", "abort it", "null pointer", "2023-04-12 12:32:40+0200", "a/b:user", "u:r:x:s0")]
    ght.equal(t(live("tombstone_00.pb", pb), "crashes", *columns), want, "a tombstone as protocol buffer")
    text = "*** *** *** *** *** *** *** *** *** *** *** *** *** *** *** ***\nBuild fingerprint: 'a/b:user'\nTimestamp: 2023-04-12 12:32:40+0200\nCmdline: /bin/x\n" \
        "pid: 7, tid: 9, name: worker  >>> /bin/x <<<\nuid: 1046\nsignal 11 (SIGSEGV), code 1 (SEGV_MAPERR), fault addr 0\nAbort message: 'abort it'\nCause: null pointer\n\nbacktrace:\n" \
        "      #00 pc 1  /bin/x\n\nuid: 0\npid: 1, tid: 1, name: z  >>> /bin/z <<<\n"
    ght.equal(t(live("tombstone_00", text), "crashes", *columns[:-1]), [want[0][:-1]], "the same as text: what follows the head counts no more")
    runs = [r["status"] for r in ght.rows(ght.inspect("tombstone_01.pb", pb[:-3], "live"), "blob_runs")]
    ght.check(runs == ["short"] or runs == ["bad"], "a tombstone that is cut", str(runs))


def adb():
    raw = b"@\0\0\0" + bytes(range(256)) * 2 + bytes(8)
    key = base64.b64encode(raw).decode()
    md5 = ":".join("%02X" % b for b in hashlib.md5(raw).digest())
    rows = live("adb.txt", f"ADB MANAGER STATE (dumpsys adb):\n{{\n  debugging_manager={{\n    connected_to_adb=true\n    user_keys={key} a@b\n{key} second\n\n"
                f"    keystore=<?xml version='1.0' ?>\n    <keyStore version=\"1\">\n    <adbKey key=\"{key} c@d\" lastConnection=\"123\" />\n    </keyStore>\n  }}\n}}\n")
    sha = hashlib.sha256(raw).hexdigest()
    ght.equal(t(rows, "adb_keys", "list", "md5", "sha256", "comment", "last_used"), [("user_keys", md5, sha, "a@b", None), ("user_keys", md5, sha, "second", None),
                                                                                    ("keystore", md5, sha, "c@d", "123")], "keys of adb")


# ---- the reference's own data and what its tests expect of them ----

def appop_packages(rows):
    """Packages in order, each with its operations, as the reference lists them."""
    out = []
    for package, op, mode in t(rows, "appops", "package", "op", "mode"):
        if package is None:
            continue
        if not out or out[-1][0] != package:
            out.append((package, []))
        out[-1][1].append((op, mode))
    return out


def reference(base):
    data = lambda name: (base / name).read_bytes()  # noqa: E731
    android, qf, report = base / "android_data", base / "androidqf", base / "android_data/bugreport"

    def read(path):
        return ght.inspect(path.name, path.read_bytes(), "live")
    got = t(read(android / "getprop.txt"), "properties", "key", "value")
    ght.equal((len(got), got[0]), (13, ("af.fast_track_multiplier", "1")), "MVT: getprop")
    got = t(read(qf / "getprop.txt"), "properties", "key", "value")
    ght.equal((len(got), got[0]), (10, ("dalvik.vm.appimageformat", "lz4")), "MVT: androidqf getprop")
    inside = [r for r in ght.drive(base / "androidqf.zip") if r["table"] == "live_properties"]
    ght.equal([(r["key"], r["value"]) for r in inside], got, "MVT: the same in the zip")
    got = t(read(android / "ps.txt"), "processes", "name", "pid")
    ght.equal((len(got), got[0]), (17, ("init", 1)), "MVT: processes")
    ght.equal(len(t(read(qf / "ps.txt"), "processes", "pid")), 15, "MVT: androidqf processes")
    got = t(read(android / "dumpsys_accessibility.txt"), "roles", "role", "package", "component")
    ght.equal((len(got), got[0]), (4, ("accessibility-installed", "com.android.settings",
                                       "com.android.settings/com.samsung.android.settings.development.gpuwatch.GPUWatchInterceptor")), "MVT: accessibility")
    ght.equal(t(read(android / "dumpsys_accessibility_v14_or_later.txt"), "roles", "role", "package", "component"),
              [("accessibility", "com.malware.accessibility", "com.malware.accessibility/com.malware.service.malwareservice")], "MVT: accessibility, Android 14")
    for name in ("dumpsys_adb.txt", "dumpsys_adb_wifi.txt"):
        rows = read(android / name)
        got = t(rows, "adb_keys", "list", "md5", "comment")
        ght.equal(got[0], ("user_keys", "F0:A1:3D:8C:B3:F4:7B:09:9F:EE:8B:D8:38:2E:BD:C6", "user@linux"), f"MVT: {name}")
        ght.equal(len([g for g in got if g[0] == "user_keys"]), 1, f"MVT: {name}: one key")
        ght.check(("last_key_received", got[0][1]) in t(rows, "facts", "key", "value"), f"MVT: {name}: last key")
    got = t(read(android / "dumpsys_adb_xml.txt"), "adb_keys", "list", "md5", "comment", "last_used")
    ght.equal(got, [("user_keys", "F0:0B:27:08:E3:68:7B:FA:4C:79:A2:B4:BF:0E:CF:70", "user@laptop", None),
                    ("keystore", "F0:0B:27:08:E3:68:7B:FA:4C:79:A2:B4:BF:0E:CF:70", "user@laptop", "1628501829898")], "MVT: dumpsys adb, XML")
    rows = read(android / "dumpsys_appops.txt")
    got = appop_packages(rows)
    ght.equal((len(got), got[0], got[6][0], len(got[11][1])), (13, ("com.android.phone", [("MANAGE_IPSEC_TUNNELS", "allow")]), "com.sec.factory.camera", 4), "MVT: app-ops")
    ght.equal([u for u, p in t(rows, "appops", "uid", "package") if p == "com.android.phone"], [0], "MVT: app-ops: uid")
    uses = t(rows, "appop_uses", "package", "op")
    ght.equal(uses.count((got[6][0], got[6][1][1][0])), 1, "MVT: app-ops: one use of the camera's second operation")
    ght.equal(sum(1 for p, ops in got for op, _ in ops if op == "REQUEST_INSTALL_PACKAGES"), 2, "MVT: app-ops: two may install packages")
    rows = read(android / "dumpsys_battery.txt")
    updates = {u for u in t(rows, "battery", "kind", "time", "package", "version") if u[0] == "update"}
    ght.equal(len(updates), 3, "MVT: battery, daily updates")
    got = [b for b in t(rows, "battery", "kind", "uid", "package") if b[0] != "update"]
    ght.equal((len(got), got[0][2], got[1][0], got[2], got[3][0], got[4][2]), (5, "com.samsung.android.app.reminder", "end_job", ("start_top", "u0a280", "com.whatsapp"), "end_top",
              "com.sec.android.app.launcher"), "MVT: battery history")
    got = t(read(android / "dumpsys_dbinfo.txt"), "databases", "action", "sql", "path")
    ght.equal((len(got), got[0]), (5, ("executeForCursorWindow", "PRAGMA database_list;", "/data/user/0/com.wssyncmldm/databases/idmsdk.db")), "MVT: dbinfo")
    rows = read(android / "dumpsys_packages.txt")
    got = [c for c in t(rows, "components", "kind", "package", "component") if c[0] == "activity"]
    ght.equal((len(got), got[0][1:]), (4, ("com.samsung.android.app.social", "com.samsung.android.app.social/.feed.FeedsActivity")), "MVT: activities")
    got = [c for c in t(rows, "components", "kind", "action", "package") if c[0] == "receiver"]
    ght.equal((len({c[1] for c in got}), got[0][1:]), (4, ("com.android.storagemanager.automatic.SHOW_NOTIFICATION", "com.android.storagemanager")), "MVT: receivers")
    got = t(rows, "packages", "package", "version_name", "first_install", "system")
    ght.equal((len(got), got[0]), (2, ("com.samsung.android.provider.filterprovider", "5.0.07", "2008-12-31 16:00:00", 1)), "MVT: packages")
    ght.equal(t(read(android / "dumpsys_platform_compat.txt"), "compat", "package"), [("org.torproject.torbrowser",), ("org.article19.circulo.next",)], "MVT: platform_compat")
    for name in ("tombstone_process.txt", "tombstone_process.pb"):
        got = t(read(android / name), "crashes", "command", "uid", "pid", "tid", "thread", "time", "cause")
        ght.equal(got, [("/vendor/bin/hw/android.hardware.media.c2@1.2-mediatek", 1046, 25541, 21307, "mtk.ape.decoder", "2023-04-12 12:32:40.518290770+0200",
                         "null pointer dereference")], f"MVT: {name}")
    rows = read(report / "dumpstate.txt")
    got = appop_packages(rows)
    ght.equal((len(got), len(t(rows, "appop_uses", "op"))), (12, 16), "MVT: app-ops of a bug report")
    got = t(rows, "packages", "package", "installer")
    ght.equal((len(got), got[0][1], got[1]), (2, None, ("com.instagram.android", "com.android.vending")), "MVT: packages of a bug report")
    kinds = t(rows, "permissions", "package", "kind", "user")
    first = t(rows, "packages", "package")[0][0]
    ght.equal([sum(1 for p, k, u in kinds if p == n and k != "requested" and u in (None, 0)) for n in (first, "com.instagram.android")], [4, 32], "MVT: their permissions")
    ght.equal(len(t(rows, "properties", "key")), 0, "MVT: no properties in it")
    got = t(read(qf / "packages.json"), "packages", "package", "installer", "uid", "system")
    ght.equal((len(got), got[0], dict((g[0], g[1]) for g in got)["org.nuclearfog.apollo"]), (7, ("com.whatsapp", None, 10271, 0), "org.fdroid.fdroid"), "MVT: androidqf packages")
    source = json.loads(data("androidqf/packages.json"))
    ght.equal(t(read(qf / "packages.json"), "package_files", "package", "path", "sha256", "cert_sha256"),
              [(p["name"], f["path"], f["sha256"], f["certificate"]["Sha256"]) for p in source for f in p["files"]], "MVT: their files and certificates")
    source = json.loads(data("androidqf/files.json"))
    ght.equal(t(read(qf / "files.json"), "files", "path", "size", "uid", "gid", "mtime", "ctime", "selinux"),
              [(f["path"], f["size"], f["user_id"], f["group_id"], f["modified_time"], f["changed_time"], f["context"] or None) for f in source], "MVT: files")
    ght.equal([p for p, in t(read(qf / "root_binaries.json"), "files", "path")], json.loads(data("androidqf/root_binaries.json")), "MVT: root binaries")
    got = t(read(qf / "settings_random.txt"), "settings", "space", "key", "value")
    ght.check(len(got) == 9 and got[0] == ("random", "samsung_errorlog_agree", "0"), "MVT: settings", str(got))
    names = [s[0] for s in state(read(qf / "dumpsys.txt"))]
    ght.equal(names, ["dumpsys accessibility", "dumpsys package", "dumpsys appops", "dumpsys adb", "dumpsys dbinfo", "dumpsys batterystats", "dumpsys platform_compat"], "MVT: dumpsys.txt")


def main():
    for part in (getprop, settings, lists, package, processes, roles, denied, acquisition, messages, tombstones, adb):
        part()
    base = ght.corpus("mvt")
    if base:
        reference(base / "tests/artifacts")
    for seed in sorted((pathlib.Path(__file__).parent / "seeds").iterdir()):
        ght.check(ght.inspect(seed.name.split("-", 1)[-1], seed.read_bytes(), "live") is not None, f"seed {seed.name}")
    ght.done()


main()
