#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Kernels: the configuration as scripts/extract-ikconfig takes it out (its steps, in shell); modules: as modinfo of kmod reads them."""
import gzip
import pathlib
import random
import re
import shutil
import struct
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "tests/lib"))
import ght
import kernels
from kernels import BANNER, CONFIG, OPTIONS

d = ght.tmp()


def rows(name, data):
    return ght.inspect(name, data, "kernel")


def config(found):
    return [(r["key"], r["value"]) for r in ght.rows(found, "kernel_config")]


def extract_ikconfig(data):
    """What the kernel's own script does: the place behind IKCFG_ST, then zcat, whatever follows."""
    path = d / "image"
    path.write_bytes(data)
    shell = 'pos=$(grep -abo -P "IKCFG_ST\\037\\213\\010" "$1" | head -1 | cut -d: -f1); tail -c+$((pos+9)) "$1" | zcat 2>/dev/null'
    return subprocess.run(["bash", "-c", shell, "-", path], capture_output=True, env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"}).stdout


def options(text):
    out = []
    for line in text.decode().splitlines():
        unset = re.fullmatch(r"# (CONFIG_\w+) is not set", line)
        is_set = re.fullmatch(r"(CONFIG_\w+)=(.*)", line)
        if unset:
            out.append((unset[1], "n"))
        elif is_set:
            v = is_set[2]
            out.append((is_set[1], v[1:-1] if v.startswith('"') else v))
    return out


def images():
    data = kernels.arm64(kernels.body())
    found = rows("kernel", data)
    k = ght.rows(found, "kernels")
    ght.equal([(r["machine"], r["release"], r["built_by"], r["options"], r["cmdline"]) for r in k],
              [("arm64", "4.9.112-perf+", "builder@host-7", 6, "console=ttyMSM0 androidboot.x=1")], "an Image: what it says of itself")
    ght.equal(k[0]["banner"], BANNER[:-2].decode(), "banner")
    ght.equal(data[k[0]["at"]:][:20], BANNER[:20], "the banner's offset")
    ght.equal(config(found), OPTIONS, "configuration")
    ght.equal(config(found), options(extract_ikconfig(data)), "configuration as extract-ikconfig takes it out")
    at = {r["at"] for r in ght.rows(found, "kernel_config")}
    ght.equal(at, {data.index(b"IKCFG_ST") + 8}, "options lead to the packed configuration")
    r = random.Random(3)
    big = b"".join((b"# CONFIG_A%d is not set\n" if r.random() < .4 else b"CONFIG_A%d=" + r.choice([b"y", b"m", b"0x80", b'"a b"']) + b"\n") % i for i in range(6000))
    data = kernels.arm64(kernels.body(b"#\n# Automatically generated file; DO NOT EDIT.\n#\n" + big))
    ght.equal(config(rows("k", data)), options(extract_ikconfig(data)), "6,000 options")
    data = kernels.arm64(kernels.body(None))
    found = rows("k", data)
    ght.equal([(r["options"], r["cmdline"]) for r in ght.rows(found, "kernels")], [(None, None)], "no configuration built in: not said")
    found = rows("Image", kernels.body())
    ght.equal([(r["machine"], r["release"]) for r in ght.rows(found, "kernels")], [(None, "4.9.112-perf+")], "32 bits: no header, by name")
    ght.equal(ght.rows(rows("Image", kernels.noise(9000)), "kernels"), [], "something else that is called Image")
    found = rows("vmlinux", b"\177ELF\2\1\1" + bytes(57) + kernels.body())
    ght.equal([r["release"] for r in ght.rows(found, "kernels")], ["4.9.112-perf+"], "vmlinux")
    found = rows("k", kernels.arm64(kernels.body(more=b"\0write rootmydevice to it\0")))
    ght.check("write rootmydevice to it" in [r["text"] for r in ght.rows(found, "kernel_strings")], "texts of kernels that give root")
    found = rows("ikconfig", CONFIG)
    ght.equal((config(found), [r["options"] for r in ght.rows(found, "kernels")]), (OPTIONS, [6]), "a configuration beside its kernel")
    ght.equal([CONFIG[r["at"]:][:9] for r in ght.rows(found, "kernel_config")][0], b"CONFIG_AR", "its options lead to their lines")


def damaged():
    whole = kernels.body()
    i = whole.index(b"IKCFG_ST")
    for what, data, codes in (("no end", whole.replace(b"IKCFG_ED", b"xxxxxxxx"), ["short"]), ("cut off", whole[:i + 60], ["short", "short"]),
                              ("broken", whole[:i + 30] + b"\xff" * 40 + whole[i + 70:], ["bad"])):
        found = rows("k", kernels.arm64(data))
        ght.equal([n["code"] for n in ght.rows(found, "notes")][:len(codes)], codes, f"configuration, {what}: noted")
        ght.check(ght.rows(found, "kernels"), f"configuration, {what}: the rest is read")
    found = rows("k", kernels.arm64(b"IKCFG_ST is what we look for\0" + whole))
    ght.equal(config(found), OPTIONS, "the word alone is no configuration")


# ---- modules ----

INFO = {"name": "wlan_test", "vermagic": "4.9.112-perf+ SMP preempt mod_unload modversions aarch64", "license": "Dual BSD/GPL", "depends": "cfg80211,rfkill",
        "description": "a driver for tests", "version": "1.2", "srcversion": "0123456789ABCDEF", "intree": "Y"}


def module(info, cc="gcc", flags=()):
    text = "".join(f'const char m{i}[] __attribute__((section(".modinfo"), used)) = "{k}={v}";\n' for i, (k, v) in enumerate(info.items()))
    (d / "m.c").write_text(text + "int x;\n")
    ght.run(cc, *flags, "-c", d / "m.c", "-o", d / "m.ko")
    return (d / "m.ko").read_bytes()


def modinfo(data):
    (d / "t.ko").write_bytes(data)
    out = {}
    for line in ght.run("modinfo", d / "t.ko").decode().splitlines():
        if re.match(r"^\w+:", line):
            key, value = line.split(":", 1)
            out[key] = value.strip()
    return out


def sign(data, cn, digest):
    """As the kernel's scripts/sign-file does: CMS without certificates and attributes, then struct module_signature."""
    if not (d / "key.pem").exists():
        ght.run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", d / "key.pem", "-out", d / "cert.pem", "-subj", f"/O=Maker/CN={cn}", "-days", "30")
    (d / "plain").write_bytes(data)
    p7 = ght.run("openssl", "cms", "-sign", "-binary", "-noattr", "-nocerts", "-nosmimecap", "-outform", "DER", "-md", digest, "-signer", d / "cert.pem", "-inkey", d / "key.pem", "-in", d / "plain")
    return data + p7 + struct.pack(">BBBBB3xI", 0, 0, 2, 0, 0, len(p7)) + b"~Module signature appended~\n"


def against_modinfo(data, name):
    found = rows("t.ko", data)
    m = ght.rows(found, "kernel_modules")
    want = modinfo(data)
    ght.equal(len(m), 1, f"{name}: one row")
    for key in INFO:
        ght.equal(m[0][key] or "", want.get(key, ""), f"{name}: {key} as modinfo reads it")
    ght.equal(m[0]["is_signed"], int("sig_id" in want or "signer" in want), f"{name}: signed or not")
    if m[0]["is_signed"]:
        ght.equal((m[0]["signer"], m[0]["sig_key"], m[0]["sig_hash"]), (want["signer"], want["sig_key"].replace(":", "").lower(), want["sig_hashalgo"]), f"{name}: signer")
    ght.equal(ght.rows(found, "notes"), [], f"{name}: nothing noted")


def modules():
    if not shutil.which("modinfo"):
        ght.skip("modinfo", "the package kmod is not installed")
        return
    plain = module(INFO)
    against_modinfo(plain, "module")
    against_modinfo(module({"license": "GPL", "depends": "", "vermagic": "x"}), "module that says little")
    if shutil.which("aarch64-linux-gnu-gcc"):
        against_modinfo(module(INFO, "aarch64-linux-gnu-gcc"), "module for arm64")
    else:
        ght.skip("arm64 module", "gcc-aarch64-linux-gnu is not installed")
    for digest in ("sha256", "sha512"):
        against_modinfo(sign(plain, "Build time autogenerated kernel key", digest), f"signed, {digest}")
    # The serial number's first byte may be a zero that keeps it positive; kernels before 4.3 put name and key before the signature.
    ght.run("openssl", "req", "-x509", "-key", d / "key.pem", "-out", d / "cert.pem", "-subj", "/CN=high", "-set_serial", "0x00f1e2d3c4b5a697", "-days", "30")
    against_modinfo(sign(plain, "", "sha256"), "a serial number with its highest bit set")
    for algorithm, name in ((4, "sha256"), (6, "sha512"), (2, "sha1")):
        data = plain + b"Magrathea: Glacier signing key" + bytes(range(20)) + b"s" * 256 + struct.pack(">BBBBB3xI", 1, algorithm, 1, 30, 20, 256) + b"~Module signature appended~\n"
        against_modinfo(data, f"signed as kernels before 4.3 do, {name}")
    found = rows("t.ko", plain[:64] + struct.pack(">BBBBB3xI", 1, 4, 1, 200, 200, 256) + b"~Module signature appended~\n")
    ght.check([n for n in ght.rows(found, "notes") if "does not fit" in n["what"]], "an old signature that does not fit")
    signed = sign(plain, "", "sha256")
    keyid = ght.run("openssl", "cms", "-sign", "-binary", "-noattr", "-nocerts", "-keyid", "-outform", "DER", "-signer", d / "cert.pem", "-inkey", d / "key.pem", "-in", d / "plain")
    ski = re.search(r"Subject Key Identifier:\s*([0-9A-F:]+)", ght.run("openssl", "x509", "-in", d / "cert.pem", "-noout", "-text").decode())[1].replace(":", "").lower()
    m = ght.rows(rows("t.ko", plain + keyid + struct.pack(">BBBBB3xI", 0, 0, 2, 0, 0, len(keyid)) + b"~Module signature appended~\n"), "kernel_modules")[0]
    ght.equal((m["signer"], m["sig_key"], m["is_signed"]), (None, ski, 1), "a signer that is named by its key")
    tail = len(signed) - len(b"~Module signature appended~\n") - 12
    for what, data, code in (("a length that does not fit", signed[:tail + 8] + b"\xff\xff\xff\xff" + signed[tail + 12:], "bad"),
                             ("another kind", signed[:tail + 2] + b"\0" + signed[tail + 3:], "unsup"), ("broken PKCS#7", signed[:tail - 420] + bytes(300) + signed[tail - 120:], "bad")):
        found = rows("t.ko", data)
        m = ght.rows(found, "kernel_modules")
        ght.check(len(m) == 1 and m[0]["is_signed"] and m[0]["name"] == "wlan_test", f"signature, {what}: the module is read")
        ght.equal([n["code"] for n in ght.rows(found, "notes")], [code], f"signature, {what}: noted")
    ght.equal([n["code"] for n in ght.rows(rows("t.ko", b"\177ELF\2\1\1" + bytes(200)), "notes")], ["bad"], "a module without .modinfo")
    ght.equal([r["status"] for r in ght.rows(rows("t.ko", b"\177ELF\7\1\1" + bytes(200)), "blob_runs", plugin="kernel")], ["bad"], "no ELF class")
    for cut in range(64, len(plain), 97):
        rows("t.ko", plain[:cut])
    ght.check(True, "a module that is cut off anywhere is read to an end")


images()
damaged()
modules()
ght.done()
