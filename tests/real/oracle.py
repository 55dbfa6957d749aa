# SPDX-License-Identifier: Apache-2.0
"""What an unpacked phone holds, read without gifthorse: Python's standard library, and aapt2 for binary manifests.

Formats as their specifications give them: ELF e_ident, PEM (RFC 7468), PKCS#7 SignedData (RFC 2315), APK Signing Block v2/v3
(source.android.com/docs/security/features/apksigning), vbmeta (external/avb, avb_vbmeta_image.h), fstab and init's language.
"""
import base64
import hashlib
import os
import re
import shutil
import struct
import subprocess
import zipfile

LFS = b"version https://git-lfs.github.com/spec/"
CERT = re.compile(rb"-----BEGIN CERTIFICATE-----(.*?)-----END CERTIFICATE-----", re.S)


def sha256(data):
    return hashlib.sha256(data).hexdigest()


# ---- DER, as much of it as a signer needs ----

def der(data, at=0):
    """(tag, whole element, contents, offset behind it)"""
    tag, n, p = data[at], data[at + 1], at + 2
    if n & 0x80:
        k = n & 0x7F
        n, p = int.from_bytes(data[p:p + k], "big"), p + k
    if p + n > len(data):
        raise ValueError("DER element runs past the end")
    return tag, data[at:p + n], data[p:p + n], p + n


def der_items(contents):
    at, items = 0, []
    while at < len(contents):
        tag, whole, inner, at = der(contents, at)
        items.append((tag, whole, inner))
    return items


def issuer_and_serial(cert):
    fields = der_items(der_items(der(cert)[2])[0][2])
    if fields[0][0] == 0xA0:
        fields = fields[1:]
    return name_text(fields[2][1]), fields[0][1]


def name_text(name):
    """A distinguished name without the kinds of its strings: signers write PrintableString where the certificate says UTF8String."""
    sets = [rdn for _, _, contents in der_items(der(name)[2]) for _, _, rdn in der_items(contents)]
    return tuple(tuple(value for _, _, value in der_items(rdn)) for rdn in sets)


def pkcs7_signers(data):
    """SHA-256 of the certificates that a SignerInfo of a PKCS#7 SignedData names."""
    content = der_items(der(data)[2])
    signed = der_items(der(content[1][2])[2])
    certs = {issuer_and_serial(w): sha256(w) for t, _, inner in signed if t == 0xA0 for _, w, _ in der_items(inner)}
    named = set()
    for _, _, info in der_items(signed[-1][2]):
        issuer, serial = (x[1] for x in der_items(der_items(info)[1][2]))
        named.add(certs[name_text(issuer), serial])
    return named


def certificates(data):
    """DER of the certificates in a PEM or DER file."""
    found = [base64.b64decode(m[1]) for m in CERT.finditer(data)]
    return found or ([der(data)[1]] if data[:1] == b"\x30" else [])


# ---- APK ----

def prefixed(data, most=None):
    """The items of a sequence whose items carry a 32-bit length; with most, that many of them (plain numbers may follow)."""
    at, items = 0, []
    while at + 4 <= len(data) and len(items) != most:
        n, = struct.unpack_from("<I", data, at)
        if at + 4 + n > len(data):
            raise ValueError("item runs past the end of the signing block")
        items.append(data[at + 4:at + 4 + n])
        at += 4 + n
    return items


def signing_block(data):
    """{id: value} of the APK Signing Block in front of the central directory."""
    end = data.rfind(b"PK\5\6")
    if end < 0 or end + 20 > len(data):
        return {}
    cd, = struct.unpack_from("<I", data, end + 16)
    if cd < 32 or data[cd - 16:cd] != b"APK Sig Block 42":
        return {}
    size, = struct.unpack_from("<Q", data, cd - 24)
    at, block = cd - size, {}
    while at + 12 <= cd - 24:
        n, ident = struct.unpack_from("<QI", data, at)
        block[ident] = data[at + 12:at + 8 + n]
        at += 8 + n
    return block


def block_signers(value):
    """SHA-256 of each signer's own certificate, the first of its list."""
    found = set()
    for signer in prefixed(prefixed(value)[0]):
        signed_data, = prefixed(signer, 1)
        certs = prefixed(prefixed(signed_data, 2)[1])
        found.add(sha256(certs[0]))
    return found


def apk_signers(data, archive):
    """{scheme: set of certificate digests}"""
    signers = {1: set(), 2: set(), 3: set()}
    for info in archive.infolist():
        if re.fullmatch(r"META-INF/[^/]+\.(RSA|DSA|EC)", info.filename, re.I):
            signers[1] |= pkcs7_signers(archive.read(info))
    block = signing_block(data)
    for scheme, ident in ((2, 0x7109871A), (3, 0xF05368C0)):
        if ident in block:
            signers[scheme] |= block_signers(block[ident])
    return signers


ATTRIBUTE = re.compile(r'A: (?:http://schemas.android.com/apk/res/android:)?([\w:.]*)(?:\((0x[0-9a-f]+)\))?=(")?(.*)')
NAME, SHARED_UID, DEBUGGABLE = "0x01010003", "0x0101000b", "0x0101000f"


def manifest(path):
    """package, shared_uid, debuggable and the permissions asked for, as aapt2 prints them."""
    out = subprocess.run(["aapt2", "dump", "xmltree", path, "--file", "AndroidManifest.xml"], capture_output=True)
    app = {"package": None, "shared_uid": None, "debuggable": False, "permissions": set()}
    stack = []
    for line in out.stdout.decode(errors="replace").split("\n"):
        text = line.lstrip()
        if text.startswith("E: "):
            while stack and stack[-1][0] >= len(line) - len(text):
                stack.pop()
            # the package manager goes by the local name: an element in Android's namespace counts
            stack.append((len(line) - len(text), text[3:].split(" ")[0].rsplit(":", 1)[-1]))
        elif text.startswith("A: ") and stack:
            attribute(app, [e for _, e in stack], ATTRIBUTE.match(text))
    return app


def attribute(app, elements, m):
    if not m:
        return
    name, ident, quoted, value = m.groups()
    if quoted:
        value = re.sub(r'" \(Raw: ".*$|"$', "", value)
    if elements == ["manifest"] and name == "package":
        app["package"] = value
    elif elements == ["manifest"] and ident == SHARED_UID:
        app["shared_uid"] = value
    elif elements == ["manifest", "application"] and ident == DEBUGGABLE:
        app["debuggable"] = value == "true"
    elif len(elements) == 2 and elements[1].startswith("uses-permission") and ident == NAME:
        app["permissions"].add(value)


# ---- verified boot ----

def avb_key_sha1(key):
    return hashlib.sha1(key).hexdigest()


def avb_descriptor(tag, d):
    """(kind, partition, digest) for the three kinds that vouch for a partition."""
    if tag == 1:
        n, salt, digest = struct.unpack_from(">3I", d, 88)
        body = d[164:]
        return "hashtree", body[:n].decode(), body[n + salt:n + salt + digest].hex()
    if tag == 2:
        n, salt, digest = struct.unpack_from(">3I", d, 40)
        body = d[116:]
        return "hash", body[:n].decode(), body[n + salt:n + salt + digest].hex()
    if tag == 4:
        n, key = struct.unpack_from(">2I", d, 4)
        return "chain", d[76:76 + n].decode(), avb_key_sha1(d[76 + n:76 + n + key])
    return None


def vbmeta(data):
    auth, aux = struct.unpack_from(">2Q", data, 12)
    algorithm, = struct.unpack_from(">I", data, 28)
    key_at, key_n = struct.unpack_from(">2Q", data, 64)
    desc_at, desc_n = struct.unpack_from(">2Q", data, 96)
    rollback, flags = struct.unpack_from(">QI", data, 112)
    body = data[256 + auth:256 + auth + aux]
    names = ("NONE", "SHA256_RSA2048", "SHA256_RSA4096", "SHA256_RSA8192", "SHA512_RSA2048", "SHA512_RSA4096", "SHA512_RSA8192")
    image = {"algorithm": names[algorithm], "flags": flags, "rollback": rollback,
             "key": avb_key_sha1(body[key_at:key_at + key_n]) if key_n else None, "descriptors": set()}
    at = desc_at
    while at + 16 <= desc_at + desc_n:
        tag, n = struct.unpack_from(">2Q", body, at)
        found = avb_descriptor(tag, body[at + 16:at + 16 + n])
        if found:
            image["descriptors"].add(found)
        at += 16 + n
    return image


# ---- text ----

def text_lines(data):
    for n, line in enumerate(data.split(b"\n"), 1):
        yield n, line.decode("latin-1").strip()


def properties(data):
    for n, line in text_lines(data):
        if "=" in line and not line.startswith(("#", "import ")) and line.isascii():
            key, value = line.split("=", 1)
            yield n, key.strip(), value.strip()


def fstab(data):
    for n, line in text_lines(data):
        fields = line.split()
        if len(fields) >= 5 and not line.startswith("#"):
            yield n, *fields[:5]


def services(data):
    """Each service of an init script: (line, name, program). A line behind a trailing backslash belongs to the one before it."""
    continued = False
    for n, line in text_lines(data):
        words = line.split()
        if not continued and len(words) >= 3 and words[0] == "service" and words[2] != "\\":
            yield n, words[1], words[2]
        continued = line.endswith("\\") and not line.startswith("#")


# ---- the whole folder ----

class Inventory:
    """Everything the checks compare, from one walk over the folder."""

    def __init__(self, root):
        self.root = root
        self.files, self.links, self.pointers = {}, {}, []
        self.elf, self.properties, self.fstab, self.services = set(), set(), set(), set()
        self.cas, self.ota, self.avb, self.apks = set(), set(), [], []
        for folder, _, names in os.walk(root):
            for name in names:
                self.add(os.path.join(folder, name), name)
            for name in os.listdir(folder):
                path = os.path.join(folder, name)
                if os.path.islink(path):
                    self.links[os.path.relpath(path, root)] = os.readlink(path)

    def add(self, path, name):
        if os.path.islink(path) or not os.path.isfile(path):
            return
        with open(path, "rb") as f:
            data = f.read()
        digest, rel = sha256(data), os.path.relpath(path, self.root)
        self.files[rel] = digest
        if data.startswith(LFS):
            self.pointers.append(rel)
        if data.startswith(b"\x7fELF"):
            self.elf.add(digest)
        if data.startswith(b"AVB0"):
            self.avb.append((rel, vbmeta(data)))
        if name in ("build.prop", "default.prop", "prop.default"):
            self.properties |= {(digest, key, value) for _, key, value in properties(data)}
        if (name.startswith("fstab.") or name.endswith(".fstab")) and name != "vold.fstab":
            self.fstab |= {(digest, mnt, dev, a, b.rstrip(",")) for _, dev, mnt, _, a, b in fstab(data)}
        if name.endswith(".rc"):
            self.services |= {(digest, *service[1:]) for service in services(data)}
        if re.search(r"/etc/security/cacerts[^/]*/[^/]+$", path):
            self.cas |= {(digest, sha256(cert)) for cert in certificates(data)}
        if name == "otacerts.zip":
            with zipfile.ZipFile(path) as z:
                self.ota |= {sha256(c) for i in z.infolist() for c in certificates(z.read(i))}
        if name.endswith(".apk") and data.startswith(b"PK"):
            self.apks.append((rel, digest, data))

    def apk_facts(self):
        """(path, digest, manifest, signers) of every app; the manifest is None where aapt2 is not installed."""
        have = shutil.which("aapt2")
        for rel, digest, data in self.apks:
            path = os.path.join(self.root, rel)
            with zipfile.ZipFile(path) as z:
                signers = apk_signers(data, z)
            yield rel, digest, manifest(path) if have else None, signers
