#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Verification of APK signatures: the vectors of apksig against the answers that its tests expect, and every APK of the corpus and of the
demonstration's parts against Debian's apksig, for several spans of Android releases."""
import csv
import hashlib
import os
import pathlib
import re
import shutil
import struct
import sys
import zlib

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[2] / "tests/lib"))
import ght  # noqa: E402

T = ght.tmp()
JAR = "/usr/share/java/apksig.jar"
END = 1 << 31
LEVELS = {"M": 23, "N": 24, "O": 26, "P": 28, "R": 30, "T": 33, "JELLY_BEAN_MR2": 18}

# Which of our reasons stands for what apksig calls the fault.
REASONS = {
    "JAR_SIG_NO_MANIFEST": "no manifest|no signature that these releases look at",
    "JAR_SIG_MAX_SIGNATURES_EXCEEDED": "more than ten signers",
    "JAR_SIG_MISSING_APK_SIG_REFERENCED": "signed by scheme v[23] too, as META-INF",
    "JAR_SIG_MANIFEST_SECTION_DIGEST_DID_NOT_VERIFY": "lines of the manifest are not what was signed",
    "JAR_SIG_ZIP_ENTRY_DIGEST_DID_NOT_VERIFY": "an entry is not what was signed",
    "JAR_SIG_UNNNAMED_MANIFEST_SECTION": "a part of the manifest without a name",
    "MIN_SIG_SCHEME_FOR_TARGET_SDK_NOT_MET": "target 30",
    "NO_SIG_FOR_TARGET_SANDBOX_VERSION": "sandbox",
    "V2_SIG_DID_NOT_VERIFY": "does not verify", "V3_SIG_DID_NOT_VERIFY": "does not verify", "V2_SIG_VERIFY_EXCEPTION": "does not verify",
    "V2_SIG_MAX_SIGNATURES_EXCEEDED": "more than ten signers",
    "V2_SIG_MISSING_APK_SIG_REFERENCED": "signed by scheme v3 too, as v2 says",
    "V2_SIG_NO_CERTIFICATES": "without certificate", "V3_SIG_NO_CERTIFICATES": "without certificate",
    "V2_SIG_NO_SIGNATURES": "without signature",
    "V2_SIG_NO_SUPPORTED_SIGNATURES": "by an algorithm that Android knows", "V3_SIG_NO_SUPPORTED_SIGNATURES": "by an algorithm that Android knows",
    "V2_SIG_PUBLIC_KEY_MISMATCH_BETWEEN_CERTIFICATE_AND_SIGNATURES_RECORD": "not the one in the certificate",
    "V3_SIG_PUBLIC_KEY_MISMATCH_BETWEEN_CERTIFICATE_AND_SIGNATURES_RECORD": "not the one in the certificate",
    "V2_SIG_SIG_ALG_MISMATCH_BETWEEN_SIGNATURES_AND_DIGESTS_RECORDS": "for different algorithms",
    "V3_SIG_SIG_ALG_MISMATCH_BETWEEN_SIGNATURES_AND_DIGESTS_RECORDS": "for different algorithms",
    "V3_SIG_APK_DIGEST_DID_NOT_VERIFY": "its digest is another",
}


class Apk:
    """What our facts say of one file."""

    def __init__(self, path):
        rows = ght.drive(path)
        blob = ght.rows(rows, "members", blob=1)[0]["child"]
        self.checks = ght.rows(rows, "apk_checks", blob=blob)
        self.blocks = {r["kind"] for r in ght.rows(rows, "apk_blocks", blob=blob)}
        self.notes = [r["what"] for r in ght.rows(rows, "notes", blob=blob)]
        child = [r["child"] for r in ght.rows(rows, "members", blob=blob) if r["name"] == "AndroidManifest.xml"]
        found = [r for r in ght.rows(rows, "manifests") if r["blob"] in child]
        self.manifest = found[0] if found else None
        self.names = {r["name"] for r in ght.rows(rows, "members", blob=blob)}

    def spans(self, scheme, low, high):
        """The rows of a scheme that meet the releases low to high, and whether they cover them all."""
        rows = sorted((r for r in self.checks if r["scheme"] == scheme and r["min_sdk"] is not None), key=lambda r: r["min_sdk"])
        meet = [r for r in rows if r["min_sdk"] <= high and (r["max_sdk"] or END) >= low]
        at = low
        for r in meet:
            if r["min_sdk"] > at:
                return meet, False
            at = (r["max_sdk"] or END) + 1
        return meet, at > high

    def whys(self, low=None, high=END):
        """Why the package as a whole does not verify for all releases from low to high; empty: it does."""
        if not self.manifest:
            return ["no AndroidManifest.xml"]
        low = (self.manifest["min_sdk"] or 1) if low is None else low
        meet, whole = self.spans("android", low, high)
        why = [r["why"] for r in meet if r["state"] != "verified"] + ([] if whole else ["no manifest"])
        why += [r["why"] for r in self.checks if r["scheme"] == "signers" and low < (28 if "v3" in r["why"] or "proof" in r["why"] else 24)
                and high >= (28 if "v3" in r["why"] or "proof" in r["why"] else 24)]
        # apksig asks v1 for later releases too, and v2 where an earlier release is asked for.
        if low < 24:
            meet, whole = self.spans("v1", low, high)
            why += [r["why"] for r in meet if r["state"] != "verified"] + ([] if whole else ["no manifest"])
        if low < 28 and high >= 24:
            why += [r["why"] for r in self.spans("v2", max(low, 24), high)[0] if r["state"] != "verified"]
        if high >= 28:
            why += [r["why"] for r in self.spans("v3", max(low, 28), high)[0] if r["state"] != "verified"]
        newer = any(r["state"] == "verified" for s in ("v2", "v3", "v3.1") for r in self.spans(s, low, high)[0])
        if (self.manifest["target_sdk"] or 0) >= 30 and high >= 30 and not newer:
            why.append("target 30 or later asks for v2")
        if (self.manifest["target_sandbox"] or 0) >= 2 and high >= 26 and not newer:
            why.append("sandbox 2 or later asks for v2")
        return why


def reference(asked):
    """apksig's answers: {(path, low, high): (state, schemes, errors)}."""
    if not shutil.which("javac") or not pathlib.Path(JAR).exists():
        ght.skip("apksig", "javac or apksig.jar is not installed")
        return {}
    ght.run("javac", "-cp", JAR, "-d", T, HERE / "Verify.java")
    out = {}
    lines = ["\t".join(["%s" % p, str(lo or "-"), str(hi or "-")]) for p, lo, hi in asked]
    for i in range(0, len(lines), 400):
        for line in ght.run("java", "-cp", f"{JAR}:{T}", "Verify", *lines[i:i + 400]).decode().splitlines():
            path, lo, hi, state, schemes, errors = line.split("\t")
            out[path, lo, hi] = (state, schemes, errors)
    return out


# ---- what apksig's own tests expect ----

def level(text):
    return LEVELS[text.rsplit(".", 1)[-1]] if text else None


def files_of(row, vectors):
    """The vectors that a row of expected.tsv stands for."""
    name, extra = row["apk_or_pattern"], row["extra"] or ""
    if "%s" not in name:
        return [vectors / name] if name.endswith(".apk") else []
    kind = next(k for k in ("DSA", "EC", "RSA") if extra.startswith(k))
    small, large = "SMALLER" in extra, "LARGER" in extra
    out = []
    for p in sorted(vectors.glob(name.replace("%s", "*"))):
        key = re.fullmatch(re.escape(name).replace("%s", "(.*)"), p.name).group(1)
        if not re.fullmatch(r"p\d+" if kind == "EC" else r"\d+", key):
            continue
        if kind == "DSA" and (small and int(key) > 1024 or large and int(key) < 2048):
            continue
        if kind == "RSA" and large and int(key) < 2048:
            continue
        out.append(p)
    return out


def expected(d, ours):
    """One line a row: how many vectors, how many agree. Rows whose release the list leaves out are asked as their test does."""
    vectors, table, total, agree = d / "vectors", [], 0, 0
    with open(d / "expected.tsv") as src:
        rows = list(csv.DictReader(src, delimiter="\t"))
    for row in rows:
        call, extra = row["verify_call"] or "", row["extra"] or ""
        bound = level(extra.split(",")[-1]) if "AndroidSdkVersion" in extra else None
        if not bound and "SdkVersion" in call:
            # The list does not say which: these are the releases before and from which the digest is picked otherwise, or v2's.
            bound = 24 if "targetSandbox" in row["apk_or_pattern"] else 17 if "Max" in call else 18
        low = bound if "MinSdk" in call or "MinSdk" in row["assertion"] else None
        high = bound if "MaxSdk" in call else END
        good = row["assertion"].startswith("assertVerified")
        found = files_of(row, vectors)
        for p in found:
            why = ours(p).whys(low, high)
            ok = bool(why) != good
            if not good and row["issue"] and ok:
                ok = any(re.search(REASONS[row["issue"]], w) for w in why)
            total += 1
            agree += ok
            if not ok:
                ght.check(False, f"{p.name} {row['assertion']} {row['issue']} {low} {high}", str(why))
        if found:
            table.append((row["apk_or_pattern"], len(found), row["issue"] or ("verified" if good else "not verified"), low, high))
    for name, n, say, low, high in table:
        span = f"{low or 'own'}..{'' if high == END else high}"
        print(f"     {n:3} × {name}: {say} ({span})")
    ght.check(total and agree == total, f"apksig's expectations: {agree} of {total} answers agree, {100 * agree / max(total, 1):.1f} %")


# ---- Debian's apksig ----

# What Debian's apksig (31.0.2, before v3.1 and without PSS in this JVM) cannot decide, or decides otherwise, and why.
MANY = "it has no limit on signers; Android and later releases of apksig take ten"
# Debian's apksig does not know the time of a stamp, and takes a warning about what it does not know for a failure.
WARNED = {"stamp-valid-timestamp-value.apk", "stamp-valid-timestamp-16-byte-buffer.apk", "stamp-unknown-attr.apk", "stamp-unknown-sig.apk"}
OTHERWISE = {
    "v1-only-11-signers.apk": MANY, "v2-only-11-signers.apk": MANY,
    "v1-only-with-signed-attrs-signerInfo1-wrong-content-type-signerInfo2-good.apk":
        "it asks once for all releases; each release for itself accepts: before Android 7 nobody looks at the type, from then on the second counts",
    "client.apk": "the lowest release is a code name, which it takes for a number", "library.apk": "as client.apk",
}


def against_apksig(apks, ours):
    spans = [(None, None), (18, 23), (21, 23), (24, 27), (28, 32), (28, None)]
    answers = reference([(p, lo, hi) for p in apks for lo, hi in spans])
    same = other = undecided = 0
    for (path, lo, hi), (state, schemes, errors) in answers.items():
        p = pathlib.Path(path)
        a = ours(p)
        if "NoSuchAlgorithm" in errors or "v31" in p.name or (hi == "-" and "v3.1" in a.blocks):
            undecided += 1
            continue
        why = a.whys(None if lo == "-" else int(lo), END if hi == "-" else int(hi))
        if (state == "verified") == (not why):
            same += 1
        elif OTHERWISE.get(p.name):
            other += 1
        else:
            ght.check(False, f"{p.name} {lo}..{hi}: as apksig", f"{state} {schemes} {errors}; ours {why}")
    stamps(answers, ours)
    if answers:
        ght.check(same > 0, f"Debian's apksig: {len(apks)} APKs, {same} answers agree, {other} differ for a stated reason, {undecided} it cannot give")


# ---- archives signed here ----

def der(tag, *parts):
    body = b"".join(parts)
    n = len(body)
    if n < 0x80:
        return bytes([tag, n]) + body
    size = n.to_bytes((n.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(size)]) + size + body


def integer(n):
    return der(2, n.to_bytes(n.bit_length() // 8 + 1, "big"))


RSA_OID, SHA256_RSA = bytes.fromhex("300d06092a864886f70d0101010500"), bytes.fromhex("300d06092a864886f70d01010b0500")


def spki(n, e):
    return der(0x30, RSA_OID, der(3, b"\0", der(0x30, integer(n), integer(e))))


def certificate(key, name=b"made", pad=b""):
    """Nobody checks who signed it: an app vouches for itself."""
    who = der(0x30, der(0x31, der(0x30, bytes.fromhex("0603550403"), der(0x0C, name))))
    when = der(0x30, der(0x17, b"200101000000Z"), der(0x17, b"400101000000Z"))
    more = der(0xA3, der(0x30, der(0x30, bytes.fromhex("06032a0304"), der(4, pad)))) if pad else b""
    tbs = der(0x30, der(0xA0, integer(2)), integer(7), SHA256_RSA, who, when, who, key, more)
    return der(0x30, tbs, SHA256_RSA, der(3, b"\0" * 257))


class Key:
    """An RSA key of openssl."""

    def __init__(self, name, *options):
        self.path = T / f"{name}.pem"
        ght.run("openssl", "genrsa", *options, "-out", self.path, "2048")
        self.n = int(ght.run("openssl", "rsa", "-in", self.path, "-noout", "-modulus").decode().split("=")[1], 16)
        self.e = 3 if "-3" in options else 65537
        self.spki, self.cert = spki(self.n, self.e), certificate(spki(self.n, self.e), name.encode())

    def sign(self, data):
        (T / "data").write_bytes(data)
        return ght.run("openssl", "dgst", "-sha256", "-sign", self.path, T / "data")


class Forger:
    """A key whose exponent is 1: every padded digest is its own signature. Or one that signs nothing."""

    def __init__(self, n, e):
        self.n, self.e = n, e
        self.spki, self.cert = spki(n, e), certificate(spki(n, e))

    def sign(self, data):
        info = bytes.fromhex("3031300d060960864801650304020105000420") + hashlib.sha256(data).digest()
        size = (self.n.bit_length() + 7) // 8
        return b"\0\1" + b"\xff" * (size - 3 - len(info)) + b"\0" + info


def box(*parts):
    data = b"".join(parts)
    return struct.pack("<I", len(data)) + data


def chunked(sections):
    sums = [hashlib.sha256(b"\xa5" + struct.pack("<I", len(c)) + c).digest()
            for s in sections for c in (s[i:i + (1 << 20)] for i in range(0, len(s), 1 << 20))]
    return hashlib.sha256(b"\x5a" + struct.pack("<I", len(sums)) + b"".join(sums)).digest()


def node(key, before=None):
    """A step of a proof of rotation, signed by the key before."""
    data = box(key.cert) + struct.pack("<I", 0x0103 if before else 0)
    return box(box(data), struct.pack("<II", 31, 0x0103), box(before.sign(data) if before else b""))


def lineage(*keys):
    return struct.pack("<II", 0x3BA06F8C, 1) + b"".join(node(k, keys[i - 1] if i else None) for i, k in enumerate(keys))


def signer(key, digest, v3=None, attributes=(), cert=None):
    sdk = struct.pack("<II", *v3) if v3 else b""
    signed = box(box(struct.pack("<I", 0x0103), box(digest))) + box(box(cert or key.cert)) + sdk + box(*[box(a) for a in attributes])
    return box(box(signed), sdk, box(box(struct.pack("<I", 0x0103), box(key.sign(signed)))), box(key.spki))


def pair(kind, *signers):
    value = box(*signers)
    return struct.pack("<QI", len(value) + 4, kind) + value


def archive(make, content=b"hello", comment=b"", after=b""):
    """A zip with one member; make(digest) gives the pairs of its signing block."""
    head = struct.pack("<IHHHHHIIIHH", 0x04034B50, 20, 0, 0, 0, 33, zlib.crc32(content), len(content), len(content), 1, 0) + b"a" + content
    central = struct.pack("<IHHHHHHIIIHHHHHII", 0x02014B50, 20, 20, 0, 0, 0, 33, zlib.crc32(content), len(content), len(content), 1, 0, 0, 0,
                          0, 0, 0) + b"a"

    def end(at):
        return struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, 1, 1, len(central), at, len(comment)) + comment
    pairs = make(chunked([head, central, end(len(head))]))
    size = struct.pack("<Q", len(pairs) + 24)
    block = size + pairs + size + b"APK Sig Block 42"
    return head + block + central + end(len(head) + len(block)) + after


V2, V3, V31 = 0x7109871A, 0xF05368C0, 0x1B93AD61


def made(name, data, scheme, state, why=None, sdk=33):
    p = T / "made.apk"
    p.write_bytes(data)
    rows = [r for r in ght.rows(ght.drive(p, only="apk"), "apk_checks", scheme=scheme) if r["min_sdk"] <= sdk <= (r["max_sdk"] or END)]
    got = [(r["state"], r["why"]) for r in rows]
    ght.check(len(got) == 1 and got[0][0] == state and (why or "") in (got[0][1] or ""), f"{name}: {state}", f"{got}, want {why}")
    return rows[0] if rows else None


def hostile():
    a, b, three = Key("a"), Key("b"), Key("three", "-3")
    wide = (0, 0x7FFFFFFF)
    row = made("v2", archive(lambda d: pair(V2, signer(a, d))), "v2", "verified")
    ght.equal(row["certs"], ght.sha(a.cert), "v2: the certificate that signed")
    made("exponent 3", archive(lambda d: pair(V2, signer(three, d))), "v2", "verified")
    made("v3", archive(lambda d: pair(V3, signer(a, d, wide))), "v3", "verified")
    made("large", archive(lambda d: pair(V2, signer(a, d)), os.urandom(3 << 20)), "android", "verified")
    made("exponent 1, forged", archive(lambda d: pair(V2, signer(Forger(a.n, 1), d))), "v2", "failed", "exponent below 3")
    made("exponent 2 to the 31", archive(lambda d: pair(V2, signer(Forger(a.n, 1 << 31), d))), "v2", "failed", "even RSA exponent")
    made("exponent of 80 bits", archive(lambda d: pair(V2, signer(Forger(a.n, (1 << 80) + 1), d))), "v2", "failed", "more than 64 bits")
    made("modulus of 32 bits", archive(lambda d: pair(V2, signer(Forger((1 << 31) + 11, 3), d))), "v2", "failed", "of a size that is not taken")
    made("modulus of 400,000 bits", archive(lambda d: pair(V2, signer(Forger((1 << 400000) + 1, 3), d))), "v2", "failed", "of a size that is not taken")
    bomb = certificate(a.spki, pad=b"x" * (300 << 10))
    made("certificate of 300 KiB", archive(lambda d: pair(V2, signer(a, d, cert=bomb))), "v2", "unsupported", "larger than is read")
    large = certificate(a.spki, pad=b"x" * (64 << 20))
    made("certificate of 64 MiB", archive(lambda d: pair(V2, signer(a, d, cert=large))), "v2", "unsupported", "more bytes than are read")
    made("one byte changed", archive(lambda d: pair(V2, signer(a, d))).replace(b"hello", b"hellO"), "v2", "failed", "its digest is another")
    made("first of two blocks counts: good", archive(lambda d: pair(V2, signer(a, d)) + pair(V2, signer(b, b"0" * 32))), "android", "verified")
    made("first of two blocks counts: bad", archive(lambda d: pair(V2, signer(b, b"0" * 32)) + pair(V2, signer(a, d))), "android", "failed",
         "its digest is another")
    made("rotation", archive(lambda d: pair(V3, signer(b, d, wide, [lineage(a, b)]))), "v3", "verified")
    made("rotation in a loop", archive(lambda d: pair(V3, signer(a, d, wide, [lineage(a, b, a)]))), "v3", "failed", "returns to an earlier")
    made("rotation to another", archive(lambda d: pair(V3, signer(b, d, wide, [lineage(b, a)]))), "v3", "failed", "does not end at the signer's")
    forged = lineage(a, b)
    forged = forged[:-9] + bytes(9)
    made("forged rotation", archive(lambda d: pair(V3, signer(b, d, wide, [forged]))), "v3", "failed", "rotation whose signature")
    made("two signers for a release", archive(lambda d: pair(V3, signer(a, d, (28, 30)), signer(b, d, (30, 40)))), "v3", "failed",
         "two signers for the same releases", sdk=30)
    made("a signer for other releases", archive(lambda d: pair(V3, signer(a, d, (28, 30)))), "android", "failed", "no signature that these")
    made("v3.1 alone", archive(lambda d: pair(V31, signer(a, d, (33, 99)))), "v3.1", "failed", "without the v3")
    made("v3.1 stripped", archive(lambda d: pair(V3, signer(a, d, wide, [struct.pack("<II", 0x559F8B02, 33)]))), "v3", "stripped", "v3.1 too")
    made("v3 stripped", archive(lambda d: pair(V2, signer(a, d, attributes=[struct.pack("<II", 0xBEEFF00D, 3)]))), "v2", "stripped", "v3 too")
    # Two end records: Android takes the one whose comment ends where the file ends.
    good = archive(lambda d: pair(V2, signer(a, d)))
    tail = struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, 1, 1, 47, 0, 4)
    made("an end record in the comment", archive(lambda d: pair(V2, signer(a, d)), comment=tail), "android", "verified")
    made("bytes behind the end record", good + b"more", "android", "failed", "behind the end record")
    second = good + good[good.rfind(b"PK\5\6"):]
    made("a second end record", second, "android", "failed", "overlooks: bytes between")
    for name, what in (("v2", 2), ("v3", 3)):
        for size in (1, 7, 40, 400):
            data = archive(lambda d: pair({2: V2, 3: V3}[what], signer(a, d, wide if what == 3 else None)[:-size] + bytes(size)))
            made(f"{name}: {size} bytes of the key gone", data, name, "failed")


def stamps(answers, ours):
    """Source stamps: apksig says + or - behind the schemes of a package that verifies."""
    n = 0
    for (path, lo, hi), (state, schemes, errors) in answers.items():
        if lo != "-" or hi != "-" or schemes[-1:] not in ("+", "-"):
            continue
        got = [(r["state"], r["why"]) for r in ours(pathlib.Path(path)).checks if r["scheme"] == "stamp"]
        n += 1
        want = schemes[-1] == "+"
        said = (got[0][0] if got else "none") == "verified"
        if said != want and not (said and pathlib.Path(path).name in WARNED and not errors):
            ght.check(False, f"{pathlib.Path(path).name}: stamp as apksig", f"{schemes} {errors}; ours {got}")
    if answers:
        ght.check(n >= 10, f"{n} source stamps compared with apksig")


def main():
    cache = {}

    def ours(p):
        if p not in cache:
            cache[p] = Apk(p)
        return cache[p]
    d = ght.corpus("apksig")
    apks = sorted((d / "vectors").glob("*.apk")) if d else []
    if d:
        expected(d, ours)
    for part in ("fdroidserver", "apktool", "jadx"):
        more = ght.corpus(part)
        apks += sorted(more.rglob("*.apk")) if more else []
    npm = pathlib.Path(os.environ.get("GH_DEMO", ght.ROOT / "build/demo")) / ".work/parts/npm"
    apks += sorted(npm.rglob("*.apk"))
    against_apksig(apks, ours)
    hostile()
    ght.done()


if __name__ == "__main__":
    main()
