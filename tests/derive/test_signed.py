#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What was signed and then changed, through real files: a module (GH-B26), an update package signed over the whole file (GH-B27), an
update with a payload (GH-B30), firmware (GH-B31); and the same as they were signed, on which nothing is found."""
import base64
import hashlib
import json
import os
import pathlib
import struct
import subprocess
import sys
import zipfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / p) for p in ("tests/lib", "tests/tools", "tests/demo", "src/inspectors/payloadsig")]
import apks  # noqa: E402
import ght  # noqa: E402
import keys  # noqa: E402
import mkfirmware as mkf  # noqa: E402
import test_payloadsig as ps  # noqa: E402

BIN = os.environ.get("GH_BIN", str(ght.BUILD / "gifthorse"))
D = ght.tmp()
MADE = ("made", "/C=XX/O=Made Here/CN=Modules")


def flipped(data, at):
    data = bytearray(data)
    data[at] ^= 1
    return bytes(data)


def module(changed):
    """Changed where a file of the module lies: the container's signature and the hash tree inside are both over that byte."""
    data = pathlib.Path(apks.Maker(keys.Keys(str(D / "keys")), str(D / "cache")).apex("com.made.module", [("etc/file", b"content of a module\n")], MADE)).read_bytes()
    return flipped(data, data.index(b"content of a module")) if changed else data


def package(changed):
    """An update of the kind before A/B."""
    with zipfile.ZipFile(D / "plain.zip", "w") as z:
        z.writestr("META-INF/com/android/metadata", b"ota-type=BLOCK\npost-timestamp=1700000000\n")
        z.writestr("firmware-update/x.bin", b"blocks" * 1000)
    key = ps.T / "rsa2048.pk8"
    ght.run("openssl", "pkcs8", "-topk8", "-nocrypt", "-in", ps.T / "rsa2048.pem", "-outform", "DER", "-out", key)
    ght.run("java", "-jar", "/usr/share/signapk/signapk.jar", "-w", ps.T / "rsa2048.crt", key, D / "plain.zip", D / "signed.zip")
    data = (D / "signed.zip").read_bytes()
    return flipped(data, data.index(b"blocksblocks")) if changed else data


def payload(out, changed):
    (D / "tree/etc").mkdir(parents=True, exist_ok=True)
    (D / "tree/etc/noise").write_bytes(os.urandom(200000))
    ght.run("mke2fs", "-q", "-F", "-t", "ext4", "-d", D / "tree", D / "odm.img", "4M")
    data, head, _ = ps.signed(["rsa2048"], parts=[ps.mk.full("odm", (D / "odm.img").read_bytes())])
    manifest, = struct.unpack_from(">Q", data, 12)
    b64 = lambda x: base64.b64encode(x).decode()  # noqa: E731
    told = f"FILE_HASH={b64(hashlib.sha256(data).digest())}\nFILE_SIZE={len(data)}\nMETADATA_HASH={b64(bytes.fromhex(head))}\nMETADATA_SIZE={24 + manifest}\n"
    with zipfile.ZipFile(out, "w") as z:
        z.writestr("payload.bin", flipped(data, len(data) - 2000) if changed else data)
        z.writestr("payload_properties.txt", told)
        z.write(ps.T / "rsa2048.crt", "META-INF/com/android/otacert")


def firmware(changed):
    data, segments, _, _ = mkf.elf(5, mkf.Keys(D / "rsa"), [b"code " * 900, b"data " * 300])
    return flipped(data, segments[2][0] + 100) if changed else data


def scan(changed):
    d = D / ("changed" if changed else "signed")
    (d / "system/apex").mkdir(parents=True)
    (d / "system/build.prop").write_bytes(b"ro.build.type=user\nro.build.version.sdk=34\n")
    (d / "system/apex/com.made.module.apex").write_bytes(module(changed))
    (d / "update.zip").write_bytes(package(changed))
    payload(d / "ab.zip", changed)
    (d / "firmware").mkdir()
    (d / "firmware/tz.mbn").write_bytes(firmware(changed))
    out = D / "r.json"
    subprocess.run([BIN, "scan", d, "-f", f"json={out}", "--progress", "none"], capture_output=True)
    return json.loads(out.read_text())


def main():
    got = sorted((f["rule"], f["place"].rsplit("/", 1)[-1].split(":")[-1]) for f in scan(True)["findings"])
    ght.equal(got, [("GH-B21", "com.made.module.apex"), ("GH-B26", "com.made.module.apex"), ("GH-B27", "update.zip"), ("GH-B30", "payload.bin"), ("GH-B30", "payload.bin"), ("GH-B31", "tz.mbn")],
              "what was changed after signing, and nothing else")
    quiet = scan(False)
    ght.equal([(f["rule"], f["place"]) for f in quiet["findings"]], [], "nothing is found on what is as signed")
    states = {r["id"]: (r["state"], r["why"]) for r in quiet["rules"] if r["id"] in ("GH-B27", "GH-B30", "GH-B31")}
    ght.equal({r: s[0] for r, s in states.items()}, {"GH-B27": "not_found", "GH-B30": "not_found", "GH-B31": "not_found"}, f"and each says so {states}")
    ght.done()


if __name__ == "__main__":
    main()
