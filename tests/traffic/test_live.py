#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""gifthorse traffic --live: on the loopback interface until Ctrl-C, then a report of what was seen; without the capability a message that says what is missing."""
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import ght

d = ght.tmp()
GH = ght.BUILD / "gifthorse"
spill = d / "spill"
spill.mkdir()


def listen(*before):
    """Starts it; the process once it says that it captures, or None with what it said."""
    p = subprocess.Popen([*before, str(GH), "traffic", "--live", "lo", "-f", f"json={d / 'live.json'}", "--fail-on", "never", "--progress", "none", "--spill-dir", str(spill)],
                         stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    os.set_blocking(p.stderr.fileno(), False)
    said, until = b"", time.time() + 30
    while time.time() < until and b"capturing; " not in said and p.poll() is None:
        said += p.stderr.read() or b""
        time.sleep(0.05)
    said += p.stderr.read() or b""
    return p, said


p, said = listen()
if p.poll() is not None:
    ght.check(p.returncode == 2 and b"cap_net_raw" in said, "without the capability: what is missing is said", said.decode())
    ght.skip("live capture", "capturing is not permitted here")
    ght.done()
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
    for n in range(40):
        s.sendto(b"live packet", ("127.0.0.1", 40053))
        time.sleep(0.01)
time.sleep(0.5)
p.send_signal(signal.SIGINT)
p.wait(60)
said += p.stderr.read() or b""
ght.check(p.returncode in (0, 3), "Ctrl-C ends it in good order", f"{p.returncode} {said.decode()[-300:]}")
j = json.loads((d / "live.json").read_text())
ght.check(j["traffic"]["packets"] >= 40, "the report tells what was seen", str(j["traffic"]["packets"]))
ght.check(any(x["name"] == "127.0.0.1" and x["local"] for x in j["traffic"]["parties"]), "and with whom")
ght.check(b"of which the system dropped" in said, "packets that the system dropped are told")
ght.equal(list(spill.iterdir()), [], "and the packets are not kept")
if shutil.which("setpriv") and os.geteuid() == 0:
    program = d / "gifthorse"
    shutil.copy(GH, program)
    for x in (d, program):
        x.chmod(0o755)
    p = subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", str(program), "traffic", "--live", "lo"], capture_output=True, timeout=60)
    ght.check(p.returncode == 2 and b"cap_net_raw" in p.stderr, "without the capability: what is missing is said", f"{p.returncode} {p.stderr.decode()[-300:]}")
else:
    ght.skip("without the capability", "setpriv is not there, or this is not root")
ght.done()
