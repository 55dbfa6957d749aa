# SPDX-License-Identifier: Apache-2.0
"""Composes Android packages from members of real ones, aligned and signed as a build does.

Zip: PKWARE APPNOTE 6.3. Signature: APK Signature Scheme v2, one RSA signer, SHA-256 over 1 MiB chunks.
"""
import hashlib
import random
import struct
import subprocess
import zipfile
import zlib
from pathlib import Path

from parts import files
from vary import vary

STORED_KINDS = {"png", "jpg", "ogg", "mp3", "gif", "arsc", "webp"}
DOS_DATE = 0x0221  # 1981-01-01, the date build tools write
PAGE = 4096


class Writer:
    """Members one after the other; stored ones aligned as zipalign -p does."""

    def __init__(self):
        self.body = bytearray()
        self.central = []

    def add(self, name, data, stored):
        raw, crc = name.encode(), zlib.crc32(data)
        packed, method = data, 0
        if not stored:
            z = zlib.compressobj(6, zlib.DEFLATED, -15)
            packed, method = z.compress(data) + z.flush(), 8
        at = len(self.body)
        align = PAGE if name.endswith(".so") else 4
        pad = -(at + 30 + len(raw)) % align if stored else 0
        fixed = struct.pack("<HHHHHIIIHH", 20, 0x0800, method, 0, DOS_DATE, crc, len(packed), len(data), len(raw), pad)
        self.body += b"PK\3\4" + fixed + raw + bytes(pad) + packed
        self.central.append(struct.pack("<4sHHHHHHIIIHHHHHII", b"PK\1\2", 20, 20, 0x0800, method, 0, DOS_DATE, crc, len(packed),
                                        len(data), len(raw), 0, 0, 0, 0, 0, at) + raw)

    def parts(self):
        directory = b"".join(self.central)
        return bytes(self.body), directory, len(self.central)


def _eocd(count, directory, offset):
    n = min(count, 0xFFFF)
    return struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, n, n, len(directory), offset, 0)


def _lp(*chunks):
    """Each chunk behind its length, and the whole behind its own."""
    body = b"".join(struct.pack("<I", len(c)) + c for c in chunks)
    return struct.pack("<I", len(body)) + body


def _chunk_digest(sections):
    out, count = b"", 0
    for section in sections:
        for at in range(0, len(section), 1 << 20):
            piece = section[at:at + (1 << 20)]
            out += hashlib.sha256(b"\xa5" + struct.pack("<I", len(piece)) + piece).digest()
            count += 1
    return hashlib.sha256(b"\x5a" + struct.pack("<I", count) + out).digest()


class Signer:
    """One key and its certificate, made anew in the folder if they are not there."""

    def __init__(self, folder, name):
        self.key = folder / f"{name}.pem"
        cert = folder / f"{name}.der"
        if not cert.exists():
            subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-sha256", "-days", "9999", "-outform", "DER",
                            "-keyout", str(self.key), "-out", str(cert), "-subj", f"/C=CH/O=Bench Phones/CN={name}"],
                           check=True, stderr=subprocess.DEVNULL)
        self.cert = cert.read_bytes()
        self.public = subprocess.run(["openssl", "pkey", "-in", str(self.key), "-pubout", "-outform", "DER"], check=True,
                                     capture_output=True).stdout

    def block(self, digest):
        algo = struct.pack("<I", 0x0103)
        data = _lp(algo + struct.pack("<I", 32) + digest) + _lp(self.cert) + struct.pack("<I", 0)
        signature = subprocess.run(["openssl", "dgst", "-sha256", "-sign", str(self.key)], input=data, check=True,
                                   capture_output=True).stdout
        signer = struct.pack("<I", len(data)) + data + _lp(algo + struct.pack("<I", len(signature)) + signature)
        value = _lp(signer + struct.pack("<I", len(self.public)) + self.public)
        pair = struct.pack("<QI", len(value) + 4, 0x7109871A) + value
        size = struct.pack("<Q", len(pair) + 24)
        return size + pair + size + b"APK Sig Block 42"


def _sign(writer, signer):
    body, directory, count = writer.parts()
    digest = _chunk_digest([body, directory, _eocd(count, directory, len(body))])
    block = signer.block(digest)
    return body + block + directory + _eocd(count, directory, len(body) + len(block))


class Pool:
    """Members of the real packages and of Debian's small files, by kind."""

    def __init__(self, cache):
        self.kind = {k: [] for k in ("dex", "axml", "res", "image", "text", "other")}
        self.heads = []  # manifest and resource table of one package: they refer to each other
        for apk in sorted((cache / "npm").glob("*.apk")):
            self._apk(apk)
        for path in files(cache / "pool"):
            ext = path.suffix[1:]
            if ext == "png" and path.stat().st_size < 200_000:
                self.kind["image"].append((ext, path.read_bytes()))
            elif ext in ("svg", "html", "js", "css"):
                self.kind["text"].append((ext, path.read_bytes()[:400_000]))
        libs = [p for s in ("system", "product", "vendor") for p in files(cache / s) if ".so" in p.name]
        self.libs = [p for p in libs if 30_000 < p.stat().st_size < 5_000_000 and p.open("rb").read(4) == b"\x7fELF"]

    def _apk(self, path):
        with zipfile.ZipFile(path) as z:
            self.heads.append((z.read("AndroidManifest.xml"), z.read("resources.arsc")))
            for info in z.infolist():
                name, ext = info.filename, info.filename.rsplit(".", 1)[-1]
                if name.endswith("/") or name == "AndroidManifest.xml" or ext in ("SF", "MF", "RSA", "EC", "DSA", "arsc"):
                    continue
                data = z.read(info)
                kind = {"dex": "dex", "res": "res", "png": "image", "jpg": "image"}.get(ext, "other")
                if ext == "dex" and len(data) < 50_000:
                    continue
                if data[:4] == b"\x03\0\x08\0":
                    kind = "axml"
                self.kind[kind].append((ext, data))


# Share of each kind among the small members, after what the real packages hold.
MIX = (("image", 45), ("axml", 22), ("text", 20), ("res", 6), ("other", 7))
FOLDER = {"image": "res/drawable-xhdpi-v4", "axml": "res/layout", "text": "assets/www", "res": "assets/icudt", "other": "assets/data"}
# Of the small members of a real phone's packages a part is the same in all of them: the support libraries' own.
SHARED = 0.3

_PACKAGE_NAMES = (b"io.appium.settings", b"io.appium.android.apis", b"io.appium.uiautomator2")


def _rename(data, rng):
    """Another package name of the same length, wherever the real one stands (string pools hold UTF-8 or UTF-16)."""
    for old in _PACKAGE_NAMES:
        head, _, tail = old.rpartition(b".")
        new = head + b"." + bytes(rng.choice(b"abcdefghijklmnopqrstuvwxyz") for _ in tail)
        data = data.replace(old, new)
        data = data.replace(old.decode().encode("utf-16le"), new.decode().encode("utf-16le"))
    return data


def compose(pool, path, seed, members, signer):
    """One package of exactly `members` members at path; the same seed gives the same members."""
    rng = random.Random(seed)
    w = Writer()
    renamed = rng.randbytes(16)
    for name, data in zip(("AndroidManifest.xml", "resources.arsc"), rng.choice(pool.heads)):
        w.add(name, _rename(data, random.Random(renamed)), name.endswith("arsc"))
    count = 2
    for n in range(rng.randint(1, 3)):
        w.add(f"classes{n + 1 if n else ''}.dex", vary(rng.choice(pool.kind["dex"])[1], "dex", f"{seed}d{n}"), False)
        count += 1
    pages = rng.random() < 0.5  # libraries mapped from the package, or compressed and extracted at installation
    for lib in sorted(rng.sample(pool.libs, rng.randint(0, 5))):
        name = lib.name.split(".so")[0] + ".so"
        w.add(f"lib/arm64-v8a/{name}", vary(lib.read_bytes(), "so", f"{seed}{name}"), pages)
        count += 1
    kinds = rng.choices([k for k, _ in MIX], [s for _, s in MIX], k=members - count)
    for n, kind in enumerate(kinds):
        ext, data = rng.choice(pool.kind[kind])
        if rng.random() >= SHARED:
            data = vary(data, "x." + ext, f"{seed}m{n}")
        w.add(f"{FOLDER[kind]}/{kind}_{n:05d}.{ext}", data, ext in STORED_KINDS)
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_bytes(_sign(w, signer))
