#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The certificate reader against openssl: every field of the roots that Debian ships, of the certificates of the corpus, and of
certificates, chains and signatures made here; then containers that are damaged or unusual."""
import json
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[2] / "tests/lib"))
import ght  # noqa: E402

T = ght.tmp()
KEYS = {"rsaEncryption": "RSA", "id-ecPublicKey": "EC", "dsaEncryption": "DSA", "ED25519": "Ed25519", "ED448": "Ed448", "rsassaPss": "RSA-PSS"}
MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()


def ssl(*argv, data=None):
    p = subprocess.run(["openssl", *map(str, argv)], input=data, capture_output=True)
    if p.returncode:
        raise RuntimeError(f"openssl {argv}: {p.stderr.decode(errors='replace')[-300:]}")
    return p.stdout


def esc(s):
    """As the drive tool shows bytes."""
    return "".join(c if c >= " " and c != "\x7f" else "\\x%02x" % ord(c) for c in s)


def when(s):
    m = re.match(r"(\w{3}) +(\d+) (\d\d:\d\d:\d\d) (\d{4}) GMT", s)
    return f"{int(m[4]):04d}-{MONTHS.index(m[1]) + 1:02d}-{int(m[2]):02d}T{m[3]}Z"


def reference(data, form="PEM"):
    """A row of certs without container, signer and offset, from what openssl says about one certificate."""
    der = ssl("x509", "-inform", form, "-outform", "DER", data=data)
    out = ssl("x509", "-inform", "DER", "-noout", "-subject", "-issuer", "-serial", "-dates", "-text", "-nameopt", "RFC2253,-esc_msb",
              data=der).decode("utf-8", "replace")
    field = {k: v.strip() for k, v in re.findall(r"^(subject|issuer|serial|notBefore|notAfter)=(.*)$", out, re.M)}
    algorithm = re.search(r"Public Key Algorithm: (\S+)", out)[1]
    bits = re.search(r"Public-Key: \((\d+) bit\)", out)
    ca = re.search(r"X509v3 Basic Constraints:.*\n\s*(?:CA:(TRUE|FALSE))?", out)
    fixed = {"ED25519": 256, "ED448": 456}.get(algorithm)
    return {"sha256": ght.sha(der), "subject": esc(field["subject"]), "issuer": esc(field["issuer"]), "serial": field["serial"].lower(),
            "not_before": when(field["notBefore"]), "not_after": when(field["notAfter"]), "key_type": KEYS.get(algorithm, algorithm),
            "key_bits": fixed or (int(bits[1]) if bits else None), "sigalg": re.search(r"Signature Algorithm: (\S+)", out)[1],
            "is_ca": None if not ca else int(ca[1] == "TRUE"), "self_signed": int(field["subject"] == field["issuer"])}


def look(data, name):
    """(rows of certs, notes) of a file with this name."""
    p = data if isinstance(data, pathlib.Path) else T / name
    if p != data:
        p.write_bytes(data)
    rows = ght.drive(p, only="cert")
    return [{k: v for k, v in r.items() if k not in ("table", "blob", "n")} for r in ght.rows(rows, "certs")], \
        [r["what"] for r in ght.rows(rows, "notes", plugin="cert")]


def same(name, got, want):
    """got: a row of ours; want: a reference."""
    return ght.equal({k: got.get(k) for k in want}, want, name)


def one(name, data, file, container, note=None):
    """A file with a single certificate in PEM or DER, against openssl."""
    rows, notes = look(data, file)
    if not ght.check(len(rows) == 1 and (note in " ".join(notes) if note else not notes), f"{name}: one certificate", (len(rows), notes)):
        return
    raw = data.read_bytes() if isinstance(data, pathlib.Path) else data
    same(name, rows[0], {**reference(raw, "DER" if container == "der" else "PEM"), "container": container})


# ---- certificates others made ----

def shipped():
    d = pathlib.Path("/usr/share/ca-certificates/mozilla")
    files = sorted(d.glob("*.crt")) if d.is_dir() else []
    if not files:
        return ght.skip("Debian's roots", "ca-certificates is not installed")
    for p in files:
        one(p.name, p, p.name, "pem")
    bundle = b"".join(b"# " + p.name.encode() + b"\n" + p.read_bytes() for p in files)
    rows, notes = look(bundle, "bundle.crt")
    ght.equal([r["sha256"] for r in rows], [reference(p.read_bytes())["sha256"] for p in files], "all of them in one file, in order")
    ght.equal([r["at"] for r in rows], [m.start() for m in re.finditer(b"-----BEGIN", bundle)], "each at its BEGIN line")
    print(f"     {len(files)} roots")


def corpus():
    found = []
    for part in ("apksig", "platform_build", "avb", "update_engine"):
        d = ght.corpus(part)
        found += sorted(p for p in d.rglob("*") if re.search(r"x509\.(pem|der)$|\.crt$", p.name)) if d else []
    for p in found:
        pem = b"-----BEGIN" in p.read_bytes()
        try:
            reference(p.read_bytes(), "PEM" if pem else "DER")
        except RuntimeError:
            rows, notes = look(p, p.name)
            ght.check(not rows and notes, f"{p.name}: openssl does not read it, and neither do we", (rows, notes))
            continue
        if "2-certs" in p.name:
            rows, notes = look(p, p.name)
            same(f"{p.name}: the first of two", rows[0], reference(p.read_bytes(), "PEM" if pem else "DER"))
            ght.equal((len(rows), notes), (2, []), f"{p.name}: two")
        else:
            one(p.name, p, p.name, "pem" if pem else "der")


# ---- certificates made here ----

ALGORITHMS = {"rsa2048": ["rsa:2048"], "rsa3072": ["rsa:3072"], "p256": ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
              "p521": ["ec", "-pkeyopt", "ec_paramgen_curve:P-521"], "ed25519": ["ed25519"], "ed448": ["ed448"]}


def make(name, subject="/CN=x", *more, key=None):
    """A certificate and its key: paths without suffix."""
    base = T / name
    new = ["-newkey", *(ALGORITHMS[key or "p256"])] if not isinstance(key, pathlib.Path) else ["-key", key]
    ssl("req", "-x509", *new, "-nodes", "-utf8", "-subj", subject, "-days", 3650, "-keyout", f"{base}.key", "-out", f"{base}.pem", *more)
    ssl("x509", "-in", f"{base}.pem", "-outform", "DER", "-out", f"{base}.der")
    return base


def read(base, suffix):
    return pathlib.Path(f"{base}.{suffix}").read_bytes()


def made():
    for key in ALGORITHMS:
        base = make(key, f"/C=DE/O=Key/CN={key}", key=key)
        one(f"{key}, PEM", read(base, "pem"), "c.pem", "pem")
        one(f"{key}, DER", read(base, "der"), "c.der", "der")
        one(f"{key}, DER by content", read(base, "der"), "anything.bin", "der")
    ssl("dsaparam", "-out", T / "dsa.param", 2048)
    ssl("gendsa", "-out", T / "dsa.in", T / "dsa.param")
    one("DSA", read(make("dsa", "/CN=dsa", key=T / "dsa.in"), "der"), "c.cer", "der")
    names = ["/CN=\u00e4\u4e2d\U0001f600 x/O=a, b; \"c\" + d=#<>\\\\e", "/CN= leading", "/CN=#hash/OU=trailing ", "/C=US/ST=CA/L=M V/O=O/OU=U/CN=C/emailAddress=a@b.c",
             "/CN=a/1.2.3.4=odd", "/DC=org/DC=example/UID=u/serialNumber=7", "/CN=two+O=parts", "/CN=line\nbreak"]
    for i, n in enumerate(names):
        one(f"name {n!r}", read(make(f"n{i}", n, "-multivalue-rdn"), "pem"), "c.pem", "pem")
    for serial in ("1", "0x80", "0x00ff00", "0x7fffffffffffffffffffffffffffffffffffffff", "0"):
        one(f"serial {serial}", read(make("s", "/CN=s", "-set_serial", serial), "pem"), "c.pem", "pem")
    one("not an authority", read(make("e", "/CN=e", "-addext", "basicConstraints=critical,CA:FALSE"), "pem"), "c.pem", "pem")
    ca = make("ca", "/CN=ca")
    ssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=leaf", "-keyout", T / "leaf.key", "-out", T / "leaf.csr")
    ssl("x509", "-req", "-in", T / "leaf.csr", "-CA", f"{ca}.pem", "-CAkey", f"{ca}.key", "-CAcreateserial", "-days", 20000, "-out", T / "leaf.pem")
    one("issued by another, without constraints", read(T / "leaf", "pem"), "c.pem", "pem")


# ---- PEM ----

def pem():
    a, b = make("a", "/CN=a"), make("b", "/CN=b")
    pa, pb = read(a, "pem"), read(b, "pem")
    text = ssl("x509", "-in", f"{a}.pem", "-text", "-noout")
    one("text before", text * 4 + pa, "5ed36f99.0", "pem")
    one("text behind", pa + text, "5ed36f99.0", "pem")
    one("CR LF", pa.replace(b"\n", b"\r\n"), "c.pem", "pem")
    rows, notes = look(ssl("x509", "-in", f"{a}.pem", "-trustout", "-addtrust", "serverAuth"), "c.pem")
    ght.equal(([r["sha256"] for r in rows], notes), ([ght.sha(read(a, "der"))], []), "TRUSTED CERTIFICATE")
    da, db = ght.sha(read(a, "der")), ght.sha(read(b, "der"))
    for name, data, file in (
            ("JSON", json.dumps({"ca": pa.decode()}).encode(), "x.json"), ("properties", b"ca = " + pa.replace(b"\n", b"\\n\\\n"), "x.properties"),
            ("C text", b'const char *ca = "' + pa.replace(b"\n", b'\\n"\n"') + b'";', "x.c"), ("one line", pa.replace(b"\n", b" "), "x.txt"),
            ("headers", pa.replace(b"CERTIFICATE-----\n", b"CERTIFICATE-----\nProc-Type: 4\nX: y\n\n", 1), "x.pem"),
            ("old label", pa.replace(b"CERTIFICATE", b"X509 CERTIFICATE"), "x.pem")):
        rows, notes = look(data, file)
        ght.equal(([r["sha256"] for r in rows], notes), ([da], []), f"PEM in {name}")
    rows, notes = look(pa[:200] + pb, "c.pem")
    ght.equal([r["sha256"] for r in rows], [db], "a block without its end, then a whole one")
    ght.check(notes, "... is noted", notes)
    rows, notes = look(pa.replace(b"\n", b"\n!", 3) + pb, "c.pem")
    ght.equal(([r["sha256"] for r in rows], notes), ([db], ["not base64 in a PEM block"]), "a damaged block, then a whole one")
    rows, notes = look(b"see -----BEGIN CERTIFICATE----- and what follows it?\n", "notes.txt")
    ght.equal((rows, notes), ([], []), "text about certificates is not damaged")
    rows, notes = look(read(a, "key"), "key.pem")
    ght.equal((rows, notes), ([], []), "a key is no certificate")
    rows, notes = look(ssl("crl2pkcs7", "-nocrl", "-certfile", f"{a}.pem", "-certfile", f"{b}.pem"), "x.p7b")
    ght.equal([(r["sha256"], r["container"], r["signer"], r["at"]) for r in rows], [(da, "pkcs7", 0, 0), (db, "pkcs7", 0, 0)], "PKCS#7 in PEM")


# ---- DER ----

def der():
    a, b = read(make("a", "/CN=a"), "der"), read(make("b", "/CN=b"), "der")
    rows, notes = look(a + b + b"\0\0\n", "two.der")
    ght.equal(([(r["sha256"], r["at"]) for r in rows], notes), ([(ght.sha(a), 0), (ght.sha(b), len(a))], []), "two, one behind the other")
    rows, notes = look(a + b"garbage", "c.der")
    ght.equal(([r["sha256"] for r in rows], notes), ([ght.sha(a)], ["no certificate behind a certificate"]), "garbage behind")
    for cut in (1, len(a) // 2, 40):
        rows, notes = look(a[:-cut], "c.der")
        ght.check(not rows and notes, f"cut by {cut}", (rows, notes))
    bad = bytearray(a)
    bad[a.index(b"\x17\x0d")] = 0x30
    rows, notes = look(bytes(bad), "c.der")
    ght.equal((rows, notes), ([], ["no X.509 certificate, though it is shaped like one"]), "a time that is a sequence")
    bad = bytearray(a)
    bad[a.index(b"\x17\x0d") + 2:a.index(b"\x17\x0d") + 4] = b"zz"
    rows, notes = look(bytes(bad), "c.der")
    ght.equal(([r["not_before"] for r in rows], notes), ([None], ["a certificate's time that is no time"]), "a time that is no time")
    for name, data, file in (("key", ssl("pkey", "-in", T / "a.key", "-outform", "DER"), "k.der"), ("nothing", b"", "c.der"),
                             ("two bytes", b"\x30\x82", "c.der"), ("text", b"hello, world. no dashes", "c.cer"), ("zeros", bytes(99), "a.crt")):
        rows, notes = look(data, file)
        ght.equal((rows, notes), ([], []), f"{name}: nothing and no complaint")
    big = b"\x30\x83\x05\x00\x00" + b"\x30\x83\x04\xff\xe0" + bytes(0x4FFE0) + b"\x30\x03\x06\x01\x01" + b"\x03\x83\x00\x00\x11" + bytes(17)
    big = b"\x30\x83" + (len(big) - 5).to_bytes(3, "big") + big[5:]
    rows, notes = look(big, "big.der")
    ght.check(not rows and "more than 262144" in " ".join(notes), "a certificate that is too large", notes)


# ---- PKCS#7 ----

def sign(*more, signer="sig", data=b"Signature-Version: 1.0\n", tool="smime"):
    return ssl(tool, "-sign", "-binary", "-outform", "DER", "-signer", T / f"{signer}.pem", "-inkey", T / f"{signer}.key", *more, data=data)


def signers(data, file="CERT.RSA"):
    rows, notes = look(data, file)
    return {r["subject"]: r["signer"] for r in rows}, notes, rows


def pkcs7():
    for name, key in (("sig", "rsa2048"), ("sig2", "p256"), ("extra", "p256")):
        make(name, f"/C=US/O=Signing/CN={name}", key=key)
    one_, extra = "CN=sig,O=Signing,C=US", "CN=extra,O=Signing,C=US"
    for tool in ("smime", "cms"):
        got, notes, rows = signers(sign(tool=tool))
        ght.equal((got, notes), ({one_: 1}, []), f"{tool}: a signature")
        same(f"{tool}: its certificate", rows[0], {**reference(read(T / "sig", "pem")), "container": "pkcs7"})
        p7 = sign("-certfile", T / "extra.pem", tool=tool)
        ght.equal(signers(p7)[:2], ({one_: 1, extra: 0}, []), f"{tool}: a certificate that does not sign")
        ght.equal([r["at"] for r in signers(p7)[2]], [p7.index(read(T / n, "der")) for n in sorted(("sig", "extra"), key=lambda n: p7.index(read(T / n, "der")))],
                  f"{tool}: offsets")
        listed = ssl("pkcs7", "-inform", "DER", "-print_certs", data=p7)
        ght.equal([r["sha256"] for r in signers(p7)[2]], [reference(c)["sha256"] for c in re.findall(b"-----BEGIN.*?-----END[^\n]*\n", listed, re.S)],
                  f"{tool}: order of openssl pkcs7")
    two = sign("-signer", T / "sig2.pem", "-inkey", T / "sig2.key", "-certfile", T / "extra.pem")
    ght.equal(signers(two)[:2], ({one_: 1, "CN=sig2,O=Signing,C=US": 1, extra: 0}, []), "two signers")
    ght.equal(signers(sign("-keyid", "-certfile", T / "extra.pem", tool="cms"))[:2], ({one_: 1, extra: 0}, []), "named by key identifier")
    stream = sign("-stream", "-certfile", T / "extra.pem", tool="cms")
    ght.check(stream[1] == 0x80, "openssl made indefinite lengths")
    ght.equal(signers(stream)[:2], ({one_: 1, extra: 0}, []), "indefinite lengths")
    ght.equal(signers(sign("-nocerts"))[:2], ({}, ["a signer whose certificate is not there"]), "without certificates")
    ght.equal(signers(sign(), "by-content.bin")[0], {one_: 1}, "known by its content")
    issuers()
    damaged(sign("-certfile", T / "extra.pem"))


def issuers():
    """A SignerInfo that writes its issuer otherwise than the certificate does."""
    sig, extra = "CN=sig,O=Signing,C=US", "CN=extra,O=Signing,C=US"
    p7 = sign("-certfile", T / "extra.pem")
    at = p7.rindex(b"\x0c\x07Signing")
    printable = p7[:at] + b"\x13" + p7[at + 1:]
    ght.equal(signers(printable)[:2], ({sig: 1, extra: 0}, []), "issuer as PrintableString instead of UTF8String")
    other_case = p7[:at] + b"\x13\x07SIGNING" + p7[at + 9:]
    ght.equal(signers(other_case)[:2], ({sig: 1, extra: 0}, []), "issuer in other letters")
    wrong = p7[:at] + b"\x0c\x07Another" + p7[at + 9:]
    got, notes, _ = signers(wrong)
    ght.equal(got, {sig: 1, extra: 0}, "another issuer, but the only certificate with this serial number")
    ght.check("found by its serial number" in " ".join(notes), "... is noted", notes)
    make("t1", "/CN=t1", "-set_serial", "77", key="rsa2048")
    make("t2", "/CN=t2", "-set_serial", "77")
    p7 = sign("-certfile", T / "t2.pem", signer="t1")
    ght.equal(signers(p7)[0], {"CN=t1": 1, "CN=t2": 0}, "two with one serial number: the issuer decides")
    at = p7.rindex(b"\x0c\x02t1")
    got, notes, _ = signers(p7[:at] + b"\x0c\x02zz" + p7[at + 4:])
    ght.equal((got, notes), ({"CN=t1": 0, "CN=t2": 0}, ["a signer whose certificate is not there"]), "two with one serial number, another issuer")
    at = p7.rindex(b"\x02\x01\x4d")
    got, notes, _ = signers(p7[:at] + b"\x02\x01\x4e" + p7[at + 3:])
    ght.equal((got, notes), ({"CN=t1": 0, "CN=t2": 0}, ["a signer whose certificate is not there"]), "another serial number")


def damaged(p7):
    for cut in (1, 100, len(p7) - 40):
        rows, notes = look(p7[:-cut], "x.p7b")
        ght.check(notes and not rows, f"PKCS#7 cut by {cut}", (len(rows), notes))
    c = read(T / "extra", "der")
    at = p7.index(c)
    got, notes, _ = signers(p7[:at] + b"\x02" + p7[at + 1:])
    ght.equal((got, notes), ({"CN=sig,O=Signing,C=US": 1}, ["not a certificate among the certificates"]), "an integer among the certificates")


def make_seeds():
    to = HERE / "seeds"
    to.mkdir(exist_ok=True)
    a = make("seed", "/C=US/O=Signing/CN=\u00e4", key="p256")
    make("sig", "/CN=sig", key="p256")
    make("extra", "/CN=extra", key="p256")
    p7 = sign("-certfile", T / "extra.pem")
    at = p7.rindex(b"\x0c\x03sig")
    seeds = {"c.pem": read(a, "pem"), "c.der": read(a, "der"), "two.crt": read(a, "pem") + b"text\n" + read(T / "sig", "pem"), "s.RSA": p7,
             "wrong.RSA": p7[:at] + b"\x13\x03abc" + p7[at + 5:], "indef.RSA": sign("-stream", tool="cms"), "cut.der": read(a, "der")[:-30],
             "keyid.EC": sign("-keyid", tool="cms"), "bad.pem": read(a, "pem").replace(b"\n", b"\n!", 2), "p7.pem": ssl(
                 "crl2pkcs7", "-nocrl", "-certfile", f"{a}.pem"), "ed.der": read(make("ed", "/CN=ed", key="ed25519"), "der")}
    for name, data in seeds.items():
        (to / name).write_bytes(data)


def seeds():
    for p in sorted((HERE / "seeds").iterdir()):
        rows, notes = look(p, p.name)
        ght.check((rows or notes) and p.stat().st_size <= 16384, f"seed {p.name}", (rows, notes))


def main():
    if sys.argv[1:] == ["--make-seeds"]:
        return make_seeds()
    shipped()
    corpus()
    made()
    pem()
    der()
    pkcs7()
    seeds()
    ght.done()


if __name__ == "__main__":
    main()
