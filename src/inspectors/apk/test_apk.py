#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The signing block reader against apksig: which certificates each scheme of each APK of the corpus names; against a second reader
of the block, written here; and blocks made field by field, against what they must show."""
import hashlib
import os
import pathlib
import shutil
import struct
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[2] / "tests/lib"))
import ght  # noqa: E402

T = ght.tmp()
MAGIC = b"APK Sig Block 42"
V2, V3, V31, LINEAGE = 0x7109871A, 0xF05368C0, 0x1B93AD61, 0x3BA06F8C
KINDS = {V2: "v2", V3: "v3", V31: "v3.1", 0x2B09189E: "stamp", 0x6DFF800D: "stamp2", 0x42726577: "padding", 0x504B4453: "dependencies",
         0x2146444E: "frosting", 0x71777777: "channel"}


# ---- a second reader ----

def boxes(data):
    out = []
    while data:
        n = struct.unpack_from("<I", data)[0]
        if n > len(data) - 4:
            raise ValueError("box")
        out.append(data[4:4 + n])
        data = data[4 + n:]
    return out


def take(data):
    n = struct.unpack_from("<I", data)[0]
    if n > len(data) - 4:
        raise ValueError("box")
    return data[4:4 + n], data[4 + n:]


def sdk(n):
    return None if n > 0x7FFFFFFF else n


def signer(data, scheme, n):
    signed, rest = take(data)
    digests, signed = take(signed)
    certs, signed = take(signed)
    row = {"scheme": scheme, "signer": n, "min_sdk": None, "max_sdk": None, "lineage": None}
    if scheme != 2:
        row["min_sdk"], row["max_sdk"] = map(sdk, struct.unpack_from("<II", signed))
        signed, rest = signed[8:], rest[8:]
    for a in boxes(take(signed)[0]) if signed else []:
        if struct.unpack_from("<I", a)[0] == LINEAGE and scheme != 2:
            row["lineage"] = len(boxes(a[8:]))
    certs = boxes(certs)
    row["cert_sha256"] = ght.sha(certs[0]) if certs else None
    row["algorithms"] = ",".join("0x%04x" % struct.unpack_from("<I", s) for s in boxes(take(rest)[0]))
    return row, [(ght.sha(c), int(not i)) for i, c in enumerate(certs)]


def read_block(data):
    """(blocks, signers, certificates) of an APK; None when it has no block, or one that is malformed."""
    end = data.rfind(b"PK\5\6")
    central = struct.unpack_from("<I", data, end + 16)[0]
    if data[central - 16:central] != MAGIC:
        return None
    size = struct.unpack_from("<Q", data, central - 24)[0]
    if size > central - 8 or struct.unpack_from("<Q", data, central - 8 - size)[0] != size:
        return None
    at, blocks, signers, certs = central - size, [], [], []
    while at < central - 24:
        n, kind = struct.unpack_from("<QI", data, at)
        blocks.append({"at": at, "id": kind, "size": n - 4, "kind": KINDS.get(kind)})
        scheme = {V2: 2, V3: 3, V31: 31}.get(kind) if kind not in [b["id"] for b in blocks[:-1]] else None
        for i, s in enumerate(boxes(take(data[at + 12:at + 8 + n])[0]) if scheme else []):
            row, named = signer(s, scheme, i)
            signers.append(row)
            certs += named
        at += 8 + n
    return blocks, signers, certs


# ---- ours ----

def look(path):
    """(blocks, signers, certificates, notes) of the file itself."""
    rows = ght.drive(path, only="apk")
    blob = ght.rows(rows, "members", blob=1)[0]["child"]

    def plain(table, *drop):
        return [{k: v for k, v in r.items() if k not in ("table", "blob", "n") + drop} for r in ght.rows(rows, table, blob=blob)]
    certs = [(r["sha256"], r["signer"]) for r in ght.rows(rows, "certs", blob=blob, container="apk")]
    notes = [(r["at"], r["what"]) for r in ght.rows(rows, "notes", blob=blob) if r["plugin"] == "apk"]
    return plain("apk_blocks"), plain("apk_sigs", "at"), certs, notes


# ---- the corpus ----

# What is wrong with the blocks that cannot be read to their end: the note.
NOTED = {
    "incorrect-manifest-size.apk": "signing block of 1056561956259 bytes, before which there are 5672",
    "v3-only-with-rsa-pkcs1-sha512-4096-apk-sig-block-size-mismatch.apk": "signing block of 4084 bytes that begins with 10664403795968",
    "issue-1128-min-sdk-30-poc.apk": "a second v2 block, which Android overlooks",
    "issue-1128-poc2.apk": "a second v2 block, which Android overlooks",
    "v2-only-garbage-between-cd-and-eocd.apk": "a signing block that Android overlooks: bytes between the central directory and its end record",
    "v2-only-no-certs-in-sig.apk": "a signer without certificate",
    "v3-only-no-certs-in-sig.apk": "a signer without certificate",
    "v2-only-two-signers-second-signer-no-sig.apk": "a signer without signature",
}

# The archive's reader takes a member of method 21 for stored, apksig for deflated.
UNREAD = {"weird-compression-method.apk": "a signature file that is no PKCS#7"}


def corpus():
    d = ght.corpus("apksig")
    apks = sorted((d / "vectors").glob("*.apk")) if d else []
    for part in ("fdroidserver", "apktool", "jadx"):
        d = ght.corpus(part)
        apks += sorted(d.rglob("*.apk")) if d else []
    npm = pathlib.Path(os.environ.get("GH_DEMO", ght.ROOT / "build/demo")) / ".work/parts/npm"
    apks += sorted(npm.rglob("*.apk"))
    found = {}
    for apk in apks:
        blocks, signers, certs, notes = found[str(apk)] = look(apk)
        try:
            want = read_block(apk.read_bytes())
        except (ValueError, struct.error) as e:
            want = None
            ght.check(notes, f"{apk.name}: malformed ({e}), and noted")
        if want:
            ght.equal((blocks, signers, certs), want, f"{apk.name}: {len(want[0])} blocks, {len(want[1])} signers")
        said = notes[0][1] if notes else None
        if said != NOTED.get(apk.name) and (want or apk.name in NOTED or not blocks and said):
            ght.equal(said, NOTED.get(apk.name), f"{apk.name}: note")
    if apks:
        apksig(apks, found)


def apksig(apks, found):
    jar = "/usr/share/java/apksig.jar"
    if not shutil.which("javac") or not pathlib.Path(jar).exists():
        return ght.skip("apksig", "javac or /usr/share/java/apksig.jar is not installed")
    ght.run("javac", "-cp", jar, "-d", T, HERE / "Signers.java")
    out = ght.run("java", "-cp", f"{jar}:{T}", "Signers", *apks).decode()
    named, verified = {}, 0
    for line in out.splitlines():
        name, scheme, certs, state = line.split("\t")
        named.setdefault((name, int(scheme)), []).append(certs.split(",")[0])
        verified += state == "verified"
    for (name, scheme), want in sorted(named.items()):
        short = pathlib.Path(name).name
        if scheme != 1:
            # apksig keeps back the certificates of a signer that does not verify.
            got = [r["cert_sha256"] for r in found[name][1] if r["scheme"] == scheme]
            ght.check(len(got) == len(want) and not set(want) - set(got) - {""}, f"{short}: v{scheme} as apksig names it", f"{got}, {want}")
        elif short in UNREAD:
            ght.check(any(r["what"] == UNREAD[short] for r in ght.rows(ght.drive(name), "notes", plugin="cert")), f"{short}: noted")
        else:
            rows = ght.drive(name)
            top = ght.rows(rows, "members", blob=1)[0]["child"]
            inside = {r["child"] for r in ght.rows(rows, "members", blob=top)}
            got = {r["sha256"] for r in ght.rows(rows, "certs", container="pkcs7", signer=1) if r["blob"] in inside}
            ght.check(set(want) <= got, f"{short}: v1 as apksig names it", f"{got}, apksig {want}")
    print(f"     {len(apks)} APKs, {len(named)} schemes of signers compared, {verified} signers verified by apksig")


# ---- blocks made here ----

def box(*parts):
    data = b"".join(parts)
    return struct.pack("<I", len(data)) + data


def a_cert():
    """A certificate made by openssl, in DER."""
    if not hasattr(a_cert, "der"):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=block",
                        "-days", "3650", "-outform", "DER", "-keyout", str(T / "k.pem"), "-out", str(T / "c.der")], check=True,
                       capture_output=True)
        a_cert.der = (T / "c.der").read_bytes()
    return a_cert.der


def v3_signer(certs, lineage=0, low=28, high=33, outer=None, algorithm=0x0201):
    node = box(box(box(b"cert"), struct.pack("<I", 1)), struct.pack("<II", 0, 1), box(b"sig"))
    attrs = box(struct.pack("<II", LINEAGE, 1), *[box(node)] * lineage) if lineage else b""
    signed = box(box(struct.pack("<I", algorithm), box(b"d"))) + box(*[box(c) for c in certs]) + struct.pack("<II", low, high) + box(attrs)
    return box(box(signed), struct.pack("<II", *(outer or (low, high))), box(box(struct.pack("<I", algorithm), box(b"s"))), box(b"key"))


def v2_signer(certs, attrs=True):
    signed = box(box(struct.pack("<I", 0x0103), box(b"d"))) + box(*[box(c) for c in certs]) + (box() if attrs else b"")
    return box(box(signed), box(*[box(struct.pack("<I", a), box(b"s")) for a in (0x0103, 0x0421)]), box(b"key"))


def pair(kind, value):
    return struct.pack("<QI", len(value) + 4, kind) + value


def archive(pairs, size=None, first=None, prefix=b"", comment=b"", zip64=False, magic=MAGIC):
    """A zip with one member and a signing block of these pairs."""
    name, data = b"a", b"hello"
    local = struct.pack("<IHHHHHIIIHH", 0x04034B50, 20, 0, 0, 0, 33, 0x3610A686, 5, 5, 1, 0) + name + data
    n = len(pairs) + 24
    block = struct.pack("<Q", n if first is None else first) + pairs + struct.pack("<Q", n if size is None else size) + magic
    at = len(local) + len(block) if pairs is not None else len(local)
    central = struct.pack("<IHHHHHHIIIHHHHHII", 0x02014B50, 20, 20, 0, 0, 0, 33, 0x3610A686, 5, 5, 1, 0, 0, 0, 0, 0, 0) + name
    out = local + block + central
    if zip64:
        out += struct.pack("<IQHHIIQQQQ", 0x06064B50, 44, 45, 45, 0, 0, 1, 1, len(central), at)
        out += struct.pack("<IIQI", 0x07064B50, 0, at + len(central), 1)
        return prefix + out + struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, len(comment)) + comment
    return prefix + out + struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, 1, 1, len(central), at, len(comment)) + comment


def made(name, data, signers, note=None):
    """Looks at an archive: [(scheme, has certificate, algorithms, min, max, lineage)], and the first note."""
    p = T / "made.bin"
    p.write_bytes(data)
    blocks, got, certs, notes = look(p)
    rows = [(r["scheme"], r["cert_sha256"], r["algorithms"], r["min_sdk"], r["max_sdk"], r["lineage"]) for r in got]
    ok = rows == signers and (note in notes[0][1] if note and notes else not note and not notes)
    ght.check(ok, name, f"{rows}, {notes}; want {signers}, {note}")
    return blocks, certs


def hostile():
    der = a_cert()
    c = ght.sha(der)
    two, three = (2, c, "0x0103,0x0421", None, None, None), (3, c, "0x0201", 28, 33, None)
    v2, v3 = pair(V2, box(v2_signer([der]))), pair(V3, box(v3_signer([der])))
    made("v2", archive(v2), [two])
    made("v2 without attributes", archive(pair(V2, box(v2_signer([der], attrs=False)))), [two])
    made("v2 and v3", archive(v2 + v3), [two, three])
    made("v3.1 with a lineage of three", archive(pair(V31, box(v3_signer([der], 3)))), [(31, c, "0x0201", 28, 33, 3)])
    made("two signers", archive(pair(V2, box(v2_signer([der]), v2_signer([der])))), [two, two])
    blocks, certs = made("two certificates", archive(pair(V2, box(v2_signer([der, der])))), [two])
    ght.equal(certs, [(c, 1), (c, 0)], "the first of two certificates signs")
    made("zip64", archive(v2, zip64=True), [two], "a signing block that Android overlooks: zip64")
    made("bytes before the archive", archive(v2, prefix=b"dex\n035\0" * 40), [two])
    made("a long comment", archive(v2, comment=b"c" * 65535), [two])
    made("no release limit", archive(pair(V3, box(v3_signer([der], low=24, high=0xFFFFFFFF)))), [(3, c, "0x0201", 24, None, None)])
    made("other magic", archive(v2, magic=b"APK Sig Block 41"), [])
    made("size too large", archive(v2, size=1 << 60), [], "signing block of 1152921504606846976 bytes")
    made("size too small", archive(v2, size=3), [], "signing block of 3 bytes")
    made("sizes that differ", archive(v2, first=7), [two], "that begins with 7")
    made("an entry that does not fit", archive(v2 + struct.pack("<QI", 1 << 40, V3)), [two], "does not fit into the signing block")
    made("an entry of 3 bytes", archive(struct.pack("<QI", 3, V3)), [], "entry 0xf05368c0 of 3 bytes")
    made("bytes at the end", archive(v2 + b"\0" * 5), [two], "5 bytes at the end")
    made("releases that differ", archive(pair(V3, box(v3_signer([der], outer=(1, 2))))), [three], "for releases 1 to 2")
    other = v2_signer([der], attrs=False)
    made("a second block of a scheme", archive(v2 + pair(V2, box(other, other))), [two], "a second v2 block")
    made("no signers", archive(pair(V2, box())), [], "without signers")
    made("a cut signer", archive(pair(V2, box(box(v2_signer([der])[4:60])))), [(2, None, None, None, None, None)], "does not fit")
    made("no certificate", archive(pair(V2, box(v2_signer([])))), [(2, None, "0x0103,0x0421", None, None, None)], "without certificate")
    made("a certificate that is none", archive(pair(V2, box(v2_signer([b"\x30\x03abc"])))),
         [(2, hashlib.sha256(b"\x30\x03abc").hexdigest(), "0x0103,0x0421", None, None, None)], "no X.509 certificate")
    made("a lineage of version 7", archive(pair(V3, box(v3_signer([der], 1))).replace(struct.pack("<II", LINEAGE, 1), struct.pack("<II", LINEAGE, 7))),
         [three], "lineage of version 7")
    made("an empty value", archive(pair(V2, b"")), [], "does not fit")
    many = archive(b"".join(pair(0x1234, b"") for _ in range(5000)))
    blocks, _ = made("too many entries", many, [], "more than 4096 entries")
    ght.equal(len(blocks), 4096, "the first 4096 of them are listed")
    crowd = archive(pair(V2, box(*[v2_signer([der])] * 70)))
    made("too many signers", crowd, [two] * 64, "more than 64 signers")
    blocks, _ = made("kinds", archive(b"".join(pair(k, b"xyz") for k in list(KINDS)[3:] + [0x99999999])), [])
    ght.equal([b["kind"] for b in blocks], list(KINDS.values())[3:] + [None], "kinds of entries")
    for name, data in (("text", b"no archive at all " * 9), ("end record alone", b"PK\5\6" + b"\0" * 18), ("zip", archive(b"", magic=b"\0" * 16))):
        made(name + ": nothing", data, [])


def large():
    """An archive of more than 64 MiB is not held in memory."""
    p = T / "large.apk"
    data = archive(pair(V2, box(v2_signer([a_cert()]))))
    at = data.index(b"hello")
    with open(p, "wb") as f:
        f.truncate(70 << 20)
        f.seek(70 << 20)
        f.write(data)
    ght.check(at and [r["scheme"] for r in look(p)[1]] == [2], "behind 70 MiB of nothing")


def make_seeds():
    to, der = HERE / "seeds", a_cert()
    to.mkdir(exist_ok=True)
    v2, v3 = pair(V2, box(v2_signer([der]))), pair(V3, box(v3_signer([der], 2)))
    seeds = {"v2v3.apk": archive(v2 + v3), "zip64.apk": archive(v3, zip64=True), "prefix.apk": archive(v2, prefix=b"dex\n"),
             "cut.apk": archive(pair(V2, box(box(v2_signer([der])[4:60])))), "size.apk": archive(v2, size=1 << 60),
             "kinds.apk": archive(b"".join(pair(k, b"xyz") for k in KINDS)), "nocert.apk": archive(pair(V31, box(v3_signer([]))))}
    for name, data in seeds.items():
        (to / name).write_bytes(data)


def seeds():
    for p in sorted((HERE / "seeds").iterdir()):
        blocks, signers, _, notes = look(p)
        checks = ght.rows(ght.drive(p, only="apk"), "apk_checks")
        ght.check((blocks or notes or checks) and p.stat().st_size <= 16384, f"seed {p.name}")


def main():
    if sys.argv[1:] == ["--make-seeds"]:
        return make_seeds()
    corpus()
    hostile()
    large()
    seeds()
    ght.done()


if __name__ == "__main__":
    main()
