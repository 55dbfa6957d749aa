#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A real browser's traffic: Chromium against TLS servers of OpenSSL on the loopback interface, captured by `gifthorse traffic --live` itself: a certificate of a trusted root, one
signed by itself, one that has expired, TLS 1.0, and a proxy that signs for everybody with a root of its own. Each state must be right. Skipped, with its reason, where there is no
browser or capturing is not permitted."""
import json
import os
import pathlib
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import ght

d = ght.tmp()
GH = ght.BUILD / "gifthorse"
BROWSER = shutil.which("chromium")


def openssl(*argv):
    ght.run("openssl", *argv)


def authority(name, subject):
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", d / f"{name}.key", "-out", d / f"{name}.pem", "-days", "30", "-subj", subject)


def leaf(name, ca, host, days=20, start=None):
    openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", d / f"{name}.key", "-out", d / f"{name}.csr", "-subj", f"/CN={host}")
    (d / f"{name}.ext").write_text(f"subjectAltName=DNS:{host}\nbasicConstraints=CA:FALSE\n")
    if ca is None:
        openssl("x509", "-req", "-in", d / f"{name}.csr", "-signkey", d / f"{name}.key", "-extfile", d / f"{name}.ext", "-out", d / f"{name}.pem", "-days", str(days))
    elif start:  # only `ca` takes dates of the past
        (d / "index.txt").write_text("")
        (d / "serial").write_text("01\n")
        (d / "ca.cnf").write_text(f"[ca]\ndefault_ca=x\n[x]\ndatabase={d}/index.txt\nserial={d}/serial\nnew_certs_dir={d}\ndefault_md=sha256\npolicy=p\n[p]\ncommonName=supplied\n")
        openssl("ca", "-batch", "-config", d / "ca.cnf", "-cert", d / f"{ca}.pem", "-keyfile", d / f"{ca}.key", "-in", d / f"{name}.csr", "-extfile", d / f"{name}.ext", "-out",
                d / f"{name}.pem", "-startdate", start[0], "-enddate", start[1], "-notext")
    else:
        openssl("x509", "-req", "-in", d / f"{name}.csr", "-CA", d / f"{ca}.pem", "-CAkey", d / f"{ca}.key", "-CAcreateserial", "-extfile", d / f"{name}.ext", "-out",
                d / f"{name}.pem", "-days", str(days))


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def server(name, *options):
    port = free_port()
    p = subprocess.Popen(["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-cert", d / f"{name}.pem", "-key", d / f"{name}.key", "-www", "-quiet", *options],
                         stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for _ in range(100):
        with socket.socket() as s:
            if s.connect_ex(("127.0.0.1", port)) == 0:
                return p, port
        time.sleep(0.05)
    raise RuntimeError(f"no server {name}")


def browse(hosts, ports):
    rules = ",".join(f"MAP {h} 127.0.0.1:{ports[h]}" for h in hosts)
    for h in hosts:
        subprocess.run([BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--ignore-certificate-errors", "--disable-quic", f"--user-data-dir={d}/profile-{h}",
                        f"--host-resolver-rules={rules}", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--timeout=4000", "--dump-dom",
                        f"https://{h}/"], capture_output=True, timeout=120)


def begin_capture(*options):
    out = open(d / "live.json", "wb")
    p = subprocess.Popen([str(GH), "traffic", "--live", "lo", "-f", "json", "--fail-on", "never", *options], stdout=out, stderr=subprocess.PIPE)
    line = p.stderr.readline().decode()
    if "capturing" not in line:
        p.wait()
        return None, line
    return p, line


def main():
    if not BROWSER:
        ght.skip("browser", "chromium is not there")
        return
    authority("good", "/O=Test Root/CN=Test Root One")
    authority("proxy", "/O=Somebody/CN=Reads Along Root")
    leaf("right", "good", "good.test-site.example")
    leaf("self", None, "self.other-site.example")
    leaf("old", "good", "old.third-site.example", start=("20200101000000Z", "20210101000000Z"))
    leaf("legacy", "good", "legacy.fourth-site.example")
    names = ["www.one-shop.example", "mail.two-post.example", "news.three-press.example"]
    for i, n in enumerate(names):
        leaf(f"mitm{i}", "proxy", n)
    running, ports = [], {}
    old = ("-cipher", "ALL:@SECLEVEL=0")
    for name, host, more in [("right", "good.test-site.example", ("-tls1_2",)), ("self", "self.other-site.example", ("-tls1_2",)), ("old", "old.third-site.example", ("-tls1_2",))] + \
            [(f"mitm{i}", n, ("-tls1_2",)) for i, n in enumerate(names)]:
        p, ports[host] = server(name, *more)
        running.append(p)
    p, modern = server("right", "-tls1_3")
    running.append(p)
    p, legacy = server("legacy", "-tls1", *old)
    running.append(p)
    try:
        capture, line = begin_capture("--trust", d / "good.pem")
        if not capture:
            ght.skip("browser", line.strip())
            return
        second = subprocess.Popen(["dumpcap", "-q", "-i", "lo", "-P", "-w", d / "lo.pcap"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        running.append(second)
        time.sleep(1)
        browse(list(ports), ports)
        browse(["hidden.test-site.example"], {"hidden.test-site.example": modern})
        # No browser of today speaks TLS 1.0: OpenSSL does, as an old app would.
        client = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{legacy}", "-servername", "legacy.fourth-site.example", "-tls1", *old], input=b"GET / HTTP/1.0\r\n\r\n",
                           capture_output=True, timeout=30)
        time.sleep(1)
        second.terminate()
        second.wait()
        capture.send_signal(signal.SIGINT)
        told = capture.stderr.read().decode()
        ght.check(capture.wait(timeout=60) in (0, 3), "live: Ctrl-C ends it with a report", told)
    finally:
        for p in running:
            p.kill()
    judge("live, local", json.loads((d / "live.json").read_text()), client, names, True)
    # The same packets as if the servers were on the Internet: what is lenient in the local network is not there.
    (d / "public.pcap").write_bytes(moved((d / "lo.pcap").read_bytes(), set(ports.values()) | {modern, legacy}))
    p = subprocess.run([str(GH), "traffic", str(d / "public.pcap"), "-f", "json", "--fail-on", "never", "--trust", str(d / "good.pem")], capture_output=True)
    judge("as if far away", json.loads(p.stdout), client, names, False)


def moved(data, ports):
    """The capture with the servers' side at 198.51.100.1; checksums are left as they are, nobody here looks at them."""
    out, at = [data[:24]], 24
    far, near = bytes([198, 51, 100, 1]), bytes([192, 0, 2, 10])
    while at + 16 <= len(data):
        n = struct.unpack_from("<I", data, at + 8)[0]
        f = bytearray(data[at + 16:at + 16 + n])
        if f[12:14] == b"\x08\0" and f[23] == 6:
            sport, dport = struct.unpack_from("!HH", f, 34)
            f[26:30], f[30:34] = (far, near) if sport in ports else (near, far) if dport in ports else (f[26:30], f[30:34])
        out.append(data[at:at + 16] + bytes(f))
        at += 16 + n
    return b"".join(out)


def judge(where, j, client, names, local):
    states = {p["name"]: (p["state"], p["why"] or "") for p in j["traffic"]["parties"]}
    found = {f["rule"] for f in j["findings"]}
    state = lambda n: states.get(n, ("absent", ""))
    ght.equal(state("good.test-site.example")[0], "good", f"{where}: a trusted root: good")
    ght.check(state("self.other-site.example")[0] == ("not_visible" if local else "bad") and "itself" in state("self.other-site.example")[1],
              f"{where}: signed by itself: {'told, in the local network' if local else 'bad'}", str(state("self.other-site.example")))
    ght.check(state("old.third-site.example")[0] == "bad" and "expired" in state("old.third-site.example")[1], f"{where}: expired: bad", str(state("old.third-site.example")))
    ght.check(state("hidden.test-site.example")[0] == "not_visible" and "1.3" in state("hidden.test-site.example")[1], f"{where}: TLS 1.3: not visible",
              str(state("hidden.test-site.example")))
    for n in names:
        ght.check(state(n)[0] == "bad" and "does not know" in state(n)[1], f"{where}: {n}: read along by a proxy", str(state(n)))
    ght.check("GH-T08" in found, f"{where}: the proxy's root is told", str(found))
    if not local:
        ght.check("GH-T07" in found, f"{where}: wrong certificates over which data went are told", str(found))
    if b"no protocols available" in client.stderr:
        ght.skip("TLS 1.0", "this OpenSSL does not speak it")
    else:
        old = state("legacy.fourth-site.example")
        ght.check(old[0] == "bad" and "TLS 1.0" in old[1] and "GH-T09" in found, f"{where}: TLS 1.0: bad", f"{old} {client.stderr.decode()[:200]}")


main()
ght.done()
