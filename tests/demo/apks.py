# SPDX-License-Identifier: Apache-2.0
"""Applications and APEX files: manifests compiled by aapt2, signed by apksigner, code taken from real packages.

Containers are written with fixed dates and alignment padding as zipalign writes it (extra field 0xD935)."""
import hashlib
import os
import struct
import sys
import zipfile

import fsimg
from fsimg import run

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tools"))
import mkvbmeta  # noqa: E402

FRAMEWORK = "/usr/share/android-framework-res/framework-res.apk"
DATE = (2009, 1, 1, 0, 0, 0)
ALIGNMENT_FIELD = 0xD935

MANIFEST = """<?xml version="1.0" encoding="utf-8"?>
<manifest xmlns:android="http://schemas.android.com/apk/res/android" package="{package}"{shared}
    android:versionCode="{code}" android:versionName="{name}">
  <uses-sdk android:minSdkVersion="26" android:targetSdkVersion="{target}"/>
{body}
</manifest>
"""


def add(out, name, data, stored=False, align=4):
    info = zipfile.ZipInfo(name, DATE)
    info.external_attr = 0o644 << 16
    info.compress_type = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
    if stored:
        start = out.fp.tell() + 30 + len(name.encode()) + 6
        info.extra = struct.pack("<HHH", ALIGNMENT_FIELD, 2 + -start % align, align) + bytes(-start % align)
    out.writestr(info, data)


def compiled_manifest(xml, work):
    """Binary AndroidManifest.xml of the given text, by aapt2 against the real framework."""
    tag = hashlib.sha256(xml.encode()).hexdigest()[:24]
    kept = os.path.join(work, "axml-" + tag)
    if os.path.exists(kept):
        with open(kept, "rb") as src:
            return src.read()
    text, linked = kept + ".xml", kept + ".apk"
    with open(text, "w", encoding="utf-8") as out:
        out.write(xml)
    run(["aapt2", "link", "-o", linked, "-I", small_framework(work), "--manifest", text])
    with zipfile.ZipFile(linked) as src:
        data = src.read("AndroidManifest.xml")
    os.unlink(text)
    os.unlink(linked)
    with open(kept + ".new", "wb") as out:
        out.write(data)
    os.rename(kept + ".new", kept)
    return data


def small_framework(work):
    """The framework's resource table without its pictures: all that aapt2 reads."""
    path = os.path.join(work, "framework-table.apk")
    if not os.path.exists(path):
        with zipfile.ZipFile(FRAMEWORK) as src, zipfile.ZipFile(path + ".new", "w") as out:
            for name in ("AndroidManifest.xml", "resources.arsc"):
                add(out, name, src.read(name), stored=True)
        os.rename(path + ".new", path)
    return path


def manifest(package, body, shared=None, code=34, name="14", target=34):
    return MANIFEST.format(package=package, body=body, code=code, name=name, target=target,
                           shared="\n    android:sharedUserId=\"%s\"" % shared if shared else "")


def sign(unsigned, out, key, cert, minimum=26):
    tmp = out + ".signing"
    run(["apksigner", "sign", "--key", key, "--cert", cert, "--min-sdk-version", str(minimum),
         "--v1-signer-name", "CERT", "--v4-signing-enabled", "false", "--out", tmp, unsigned])
    os.rename(tmp, out)


class Maker:
    """Makes packages and keeps them in a cache folder under the digest of what they are made of."""

    def __init__(self, keys, cache):
        self.keys, self.cache = keys, cache
        os.makedirs(cache, exist_ok=True)
        small_framework(cache)

    def _kept(self, label, parts):
        h = hashlib.sha256()
        for part in parts:
            h.update(hashlib.sha256(part if isinstance(part, bytes) else str(part).encode()).digest())
        return os.path.join(self.cache, "%s-%s" % (label, h.hexdigest()[:24]))

    def _signed(self, label, members, signer, minimum=26):
        """members: (name, bytes, stored, alignment)."""
        name, subject = signer
        kept = self._kept(label, [m for member in members for m in member] + [name, subject, minimum])
        if os.path.exists(kept):
            return kept
        unsigned = kept + ".unsigned"
        with zipfile.ZipFile(unsigned, "w") as out:
            for member, data, stored, align in members:
                add(out, member, data, stored, align)
        cert = self.keys.cert(name, subject)
        sign(unsigned, kept, self.keys.pk8(name), cert, minimum)
        os.unlink(unsigned)
        return kept

    def apk(self, package, body, signer, dex=(), libs=(), assets=(), **how):
        """Path of a signed APK. dex: bytes each; libs, assets: (name, bytes)."""
        xml = manifest(package, body, **how)
        members = [("AndroidManifest.xml", compiled_manifest(xml, self.cache), False, 4)]
        for i, code in enumerate(dex):
            members.append(("classes%s.dex" % (i + 1 if i else ""), code, False, 4))
        members += [("lib/arm64-v8a/" + n, d, True, 4096) for n, d in libs]
        members += [("assets/" + n, d, False, 4) for n, d in assets]
        return self._signed(package, members, signer)

    def framework(self, signer):
        """The real framework-res.apk without its pictures, signed by the phone's platform key."""
        members = []
        with zipfile.ZipFile(FRAMEWORK) as src:
            for name in sorted(src.namelist()):
                keep = name in ("AndroidManifest.xml", "resources.arsc") or name.startswith(("res/xml", "res/layout"))
                if keep:
                    members.append((name, src.read(name), name == "resources.arsc", 4))
        return self._signed("framework-res", members, signer)

    def apex(self, name, files, signer, kind="ext4", version=340000000):
        """Path of an APEX: payload image with dm-verity tree and a vbmeta signed by the module's own key."""
        avb_key = self.keys.key("apex." + name)
        tree = fsimg.Tree("/apex/" + name)
        proto = b"\x0a" + bytes([len(name)]) + name.encode() + b"\x10" + varint(version)
        tree.add("apex_manifest.pb", proto)
        for path, data in files:
            tree.add(path, data)
        kept = self._kept("payload-" + name, [kind, mkvbmeta.public_blob(avb_key)] +
                          [x for f in files for x in f])
        if not os.path.exists(kept):
            image = kept + ".new"
            if kind == "ext4":
                fsimg.ext4(tree, image, self.cache, name)
            else:
                fsimg.erofs(tree, image, self.cache, name, ["-zlz4hc,9"])
            salt = hashlib.sha256(name.encode()).digest()
            mkvbmeta.add_footer(image, "", "hashtree", salt, algorithm="SHA256_RSA2048", key=avb_key,
                                extra=[mkvbmeta.property_descriptor("apex.key", name)])
            os.rename(image, kept)
        with open(kept, "rb") as src:
            payload = src.read()
        xml = manifest(name, '  <application android:hasCode="false"/>', code=version, target=34)
        members = [("apex_manifest.pb", proto, True, 4), ("AndroidManifest.xml",
                                                          compiled_manifest(xml, self.cache), False, 4),
                   ("apex_pubkey", mkvbmeta.public_blob(avb_key), True, 4),
                   ("apex_payload.img", payload, True, 4096)]
        return self._signed(name, members, signer, minimum=29)


def varint(value):
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def signer_certificate(apk):
    """DER of the first v2 signer's certificate, out of the APK signing block itself."""
    with open(apk, "rb") as src:
        data = src.read()
    directory, = struct.unpack_from("<I", data, data.rindex(b"PK\5\6") + 16)
    size, = struct.unpack_from("<Q", data, directory - 24)
    at, end = directory - size, directory - 24
    while at < end:
        length, kind = struct.unpack_from("<QI", data, at)
        if kind == 0x7109871A:
            # signers > signer > signed data > digests, certificates > certificate: each behind its length
            signed = at + 12 + 4 + 4 + 4
            digests, = struct.unpack_from("<I", data, signed)
            first = signed + 4 + digests + 4
            n, = struct.unpack_from("<I", data, first)
            return data[first + 4:first + 4 + n]
        at += 8 + length
    raise ValueError("no v2 signature in " + apk)
