#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Does it need its maker? Three rows, from companion apps made with aapt2 and apksigner, captures made by the test, and the recordings themselves."""
import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests" / d) for d in ("lib", "demo", "tools")]
import apks  # noqa: E402
import ghcap as g  # noqa: E402
import ghrec  # noqa: E402
import ght  # noqa: E402
import keys  # noqa: E402

d = ght.tmp()
TOOL = ght.BUILD / "gifthorse"
ACTS = ("to be set up", "to read your own data", "to be reset")
SIGNER = ("maker", "/C=XX/O=Maker/CN=Maker")
NET = '<uses-permission android:name="android.permission.INTERNET"/><uses-permission android:name="android.permission.BLUETOOTH_CONNECT"/>'
LAUNCHER = '<intent-filter><action android:name="android.intent.action.MAIN"/><category android:name="android.intent.category.LAUNCHER"/></intent-filter>'
maker = apks.Maker(keys.Keys(str(d / "keys")), str(d / "cache"))
(d / "w.fit").write_bytes(ghrec.fit(ghrec.samples(ghrec.heart(600, 3))))


def apk(package, permissions, body, **kw):
    return maker.apk(package, f"{permissions}<application>{body}</application>", SIGNER, **kw)


def rows(*argv, recording="w.fit"):
    out = d / "r.json"
    p = subprocess.run([TOOL, "watch", d / recording, *argv, "-f", f"json={out}", "-f", f"html={d / 'r.html'}", "-f", "text"], capture_output=True, text=True)
    if p.returncode not in (0, 1, 3):
        raise RuntimeError(f"{p.returncode} {p.stderr[-400:]}")
    j = json.loads(out.read_text())["needs_its_maker"]
    got = {a: [(x["answer"], x["certainty"], x["witness"], x["words"]) for x in j if x["what"] == a] for a in ACTS}
    ght.check(all(v for v in got.values()) and all(x["would_settle_it"] for x in j) and [x["what"] for x in j if x["is_the_answer"]] == list(ACTS), "three rows, each with what would settle it", str(j))
    screen, page = " ".join(p.stdout.split()), (d / "r.html").read_text()
    ght.check(all(f"{a}: {v[0][0]}" in screen for a, v in got.items()) and all(x[0] in page for v in got.values() for x in v), "the same on the screen and on the page", p.stdout)
    return got


def answers(got):
    return [v[0][:3] for v in got.values()]


NOT = ("not assessed", None, None)
got = rows()
ght.equal(answers(got), [NOT] * 3, "a recording alone: not assessed")
(d / "Gadgetbridge").unlink(missing_ok=True)
ghrec.gadgetbridge(d / "Gadgetbridge", {"MI_BAND_ACTIVITY_SAMPLE": [(ghrec.BASE + 60 * i, 1, 70 + i % 9) for i in range(60)]})
got = rows(recording="Gadgetbridge")
ght.equal(answers(got), [NOT, ("no", "certain", "a recording"), NOT], "Gadgetbridge's database: its data was read without the maker")
(d / "hr.log").write_bytes(ghrec.btsnoop([(ghrec.BASE + i, b"\x06" + bytes([70 + i % 9])) for i in range(60)]))
got = rows(recording="hr.log")
ght.equal(answers(got)[1], ("no, for heart rate while it is measured", "certain", "a recording"), "the standard service: for the heart rate of the moment")

# the app
still = apk("com.maker.still", '<uses-permission android:name="android.permission.BLUETOOTH_CONNECT"/>', f'<activity android:name=".LoginActivity" android:exported="true">{LAUNCHER}</activity>')
got = rows("--app", still)
ght.equal(answers(got), [("no", "certain", "bytes of the app")] * 3, "an app without a permission for the network asks no server")
ght.check("com.maker.still 14 has no permission to use the network" in got["to be set up"][0][3], "and is named with its version", str(got))
lent = apk("com.maker.lent", "", "", shared="com.maker.shared")
ght.equal(answers(rows("--app", lent)), [("no", "probable", "bytes of the app")] * 3, "with a shared user id another app may lend it one")
plain = apk("com.maker.plain", NET, f'<activity android:name=".MainActivity" android:exported="true">{LAUNCHER}</activity>')
got = rows("--app", plain)
ght.check(answers(got) == [NOT] * 3 and "nothing in its manifest speaks of this" in got["to be set up"][0][3], "an app with network and no gate that can be told: not assessed", str(got))
gate = apk("com.maker.gate", NET + '<uses-permission android:name="android.permission.health.WRITE_HEART_RATE"/>',
           f'<activity android:name=".ui.LoginActivity" android:exported="true">{LAUNCHER}</activity><activity android:name=".ui.DeviceUnbindActivity"/>'
           '<activity android:name=".ui.RegisterActivity"/><service android:name=".sync.Auth" android:exported="true"><intent-filter><action android:name="android.accounts.AccountAuthenticator"/></intent-filter></service>',
           assets=[("servers.json", b'{"api": "https://api.maker.example/v1"}' * 40)])
got = rows("--app", gate)
ght.equal(answers(got), [("yes", "probable", "bytes of the app"), ("no", "suspected", "bytes of the app"), ("yes", "suspected", "bytes of the app")], "an account as first screen, Health Connect, a screen for letting go")
words = [x[3] for x in got["to be set up"]]
ght.check(len(words) == 3 and "com.maker.gate.ui.LoginActivity" in words[0] and "com.maker.gate.sync.Auth" in words[1] and "RegisterActivity" in words[2], "with the names that say so", str(words))

# captures
def http(host, server):
    return g.Talk(dport=80, server=server).open().say(0, b"GET /v1 HTTP/1.1\r\nHost: %s\r\n\r\n" % host).say(1, b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").close().frames


both = http(b"api.maker.example", "198.51.100.20") + http(b"ads.other.example", "198.51.100.99")
(d / "setup.pcap").write_bytes(g.pcap(both))
(d / "other.pcap").write_bytes(g.pcap(http(b"ads.other.example", "198.51.100.99")))
(d / "local.pcap").write_bytes(g.pcap(g.Talk(client="192.168.1.10", server="192.168.1.1", dport=80).open().say(0, b"GET / HTTP/1.1\r\nHost: router.lan\r\n\r\n").close().frames))
got = rows("--app", gate, "--capture", f"setup={d / 'setup.pcap'}")
first = [x for x in got["to be set up"] if "capture" in x[2]][0]
ght.check(got["to be set up"][0] == first and first[:3] == ("yes", "probable", "a capture and bytes of the app") and "api.maker.example while this was done" in first[3] and "ads.other" not in first[3],
          "a server that was contacted and that the app's bytes name", str(got))
ght.check(not any("capture" in x[2] for a in ACTS[1:] for x in got[a]), "it speaks of the set-up only", str(got))
got = rows("--app", plain, "--capture", f"setup={d / 'setup.pcap'}")
ght.check(answers(got)[0] == ("yes", "suspected", "a capture") and "not known" in got["to be set up"][0][3], "servers that the app does not name: suspected", str(got))
got = rows("--capture", d / "other.pcap")
ght.equal(answers(got), [("yes", "suspected", "a capture")] * 3, "a capture of nobody said what, without the app: suspected, in all three")
got = rows("--capture", f"reset={d / 'local.pcap'}")
ght.equal(answers(got), [NOT, NOT, ("no", "probable", "a capture")], "nobody was contacted while it was reset")
p = subprocess.run([TOOL, "watch", d / "w.fit", "--capture", d / "hr.log"], capture_output=True, text=True)
ght.check("no packets of a network in it" in p.stderr and "to be set up: not assessed" in " ".join(p.stdout.split()), "a capture without a network says nothing, and that is said", p.stderr + p.stdout)

# facts of scans in place of files
facts, seen = d / "app.db", d / "traffic.db"
subprocess.run([TOOL, "scan", gate, "--db", facts, "-f", "json=/dev/null", "--fail-on", "never"], capture_output=True)
subprocess.run([TOOL, "traffic", d / "local.pcap", "--db", seen, "-f", "json=/dev/null", "--fail-on", "never"], capture_output=True)
ght.equal(answers(rows("--app", facts, "--capture", f"reset={seen}"))[2], ("no", "probable", "a capture"), "facts of scans are read as the files are")
folder = d / "apps"
folder.mkdir(exist_ok=True)
for p in (gate, plain):
    (folder / pathlib.Path(p).name).write_bytes(pathlib.Path(p).read_bytes())
p = subprocess.run([TOOL, "watch", d / "w.fit", "--app", folder], capture_output=True, text=True)
ght.check(p.returncode == 2 and "--package" in p.stderr and "com.maker.gate" in p.stderr, "several apps: which one has to be said", p.stderr)
ght.equal(answers(rows("--app", folder, "--package", "com.maker.plain")), [NOT] * 3, "--package says it")
p = subprocess.run([TOOL, "watch", d / "w.fit", "--app", d / "w.fit"], capture_output=True, text=True)
ght.check(p.returncode == 2 and "holds no app" in p.stderr, "what is no app is refused", p.stderr)
p = subprocess.run([TOOL, "watch", d / "w.fit", "--capture", "setup=/nowhere"], capture_output=True, text=True)
ght.check(p.returncode == 2, "a capture that is not there is refused")
ght.done()
