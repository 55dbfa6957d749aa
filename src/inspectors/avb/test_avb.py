#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""vbmeta structures and footers: tests/tools/mkvbmeta.py's with openssl keys, libavb's own test data, damage."""
import hashlib
import pathlib
import random
import shutil
import struct
import sys

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT / "tests/lib"), str(ROOT / "tests/tools")]
import ght  # noqa: E402
import mklp  # noqa: E402
import mkvbmeta as mk  # noqa: E402

D = ght.tmp()
RND = random.Random(31)
COLUMNS = ("kind", "partition", "hash_algorithm", "salt", "digest", "image_size", "rollback_location", "flags")


def notes(rows):
    return [(r["code"], r["at"]) for r in ght.rows(rows, "notes", plugin="avb")]


def images(rows):
    return [{k: v for k, v in r.items() if k not in ("table", "blob", "n", "why", "why_at", "vbmeta")}
            for r in ght.rows(rows, "avb_images")]


def descriptors(rows):
    return [tuple(r[c] for c in COLUMNS) for r in ght.rows(rows, "avb_descriptors")]


def write(name, data):
    (D / name).write_bytes(data)
    return D / name


def key(bits):
    path = D / f"key{bits}.pem"
    if not path.exists():
        mk.openssl("genrsa", *(["-primes", "4"] if bits == 8192 else []), "-out", path, str(bits))  # two primes of 4,096 bits take a minute
    return path


def sha1(blob):
    return hashlib.sha1(blob).hexdigest()


def image(**kw):
    return {"at": 0, "algorithm": "NONE", "pubkey_sha1": None, "flags": 0, "rollback": 0, "rollback_location": 0,
            "release": "avbtool 1.3.0", "footer": 0, "original_size": None, "state": "verified" if kw.get("algorithm", "NONE") != "NONE" else "unsigned", **kw}


SALT = bytes(range(20))
DATA = RND.randbytes(50000)
write("data", DATA)


def own():
    """Every kind of descriptor; what was asked of the writer is what is read."""
    chain = mk.public_blob(key(2048))
    tree = mk.hashtree_descriptor("system", 1 << 33, 1 << 33, 4096, bytes(range(32)), SALT, "sha256", 1)
    made = [mk.property_descriptor("com.android.build.boot.os_version", "13"), mk.property_descriptor("bin", b"\xff\n\0z"),
            mk.hash_descriptor("boot", str(D / "data"), SALT, flags=1), tree,
            mk.cmdline_descriptor('dm="1 vroot none" root=/dev/dm-0 quiet', 2), mk.chain_descriptor("vbmeta_system", 3, chain)]
    want = [("property", "com.android.build.boot.os_version", None, None, "13", None, None, None),
            ("property", "bin", None, None, "\\xff\\x0a\\x00z", None, None, None),
            ("hash", "boot", "sha256", SALT.hex(), hashlib.sha256(SALT + DATA).hexdigest(), len(DATA), None, 1),
            ("hashtree", "system", "sha256", SALT.hex(), bytes(range(32)).hex(), 1 << 33, None, 1),
            ("cmdline", None, None, None, 'dm="1 vroot none" root=/dev/dm-0 quiet', None, None, 2),
            ("chain", "vbmeta_system", None, None, sha1(chain), None, 3, 0)]
    for algorithm, (_, digest, size) in mk.ALGORITHMS.items():
        pem = key(size * 8) if size else None
        blob = mk.vbmeta(made, algorithm, key=str(pem) if pem else None, rollback=17, location=2, flags=3, minor=2)
        rows = ght.drive(write("vbmeta.img", mk.pad(blob, 4096)))
        ght.equal(images(rows), [image(algorithm=algorithm, flags=3, rollback=17, rollback_location=2,
                                       pubkey_sha1=sha1(mk.public_blob(pem)) if pem else None)], f"{algorithm}: image")
        ght.equal(descriptors(rows), want, f"{algorithm}: descriptors")
        ght.equal(notes(rows), [], f"{algorithm}: notes")
        kept = ght.texts(rows, "avb_images", "vbmeta")[0][0]
        ght.check(kept == blob, f"{algorithm}: its bytes")
        if size:
            forged(algorithm, blob, size)
    ght.equal([(r["source"], r["key"], r["value"]) for r in ght.rows(rows, "boot_args")],
              [("avb", "dm", "1 vroot none"), ("avb", "root", "/dev/dm-0"), ("avb", "quiet", None)], "boot arguments")
    data = (D / "vbmeta.img").read_bytes()
    ght.check(all(data[r["at"]:].startswith(r["key"].encode()) for r in ght.rows(rows, "boot_args")), "places of arguments")
    ght.check(all(struct.unpack_from(">Q", data, r["at"])[0] == ["property", "hashtree", "hash", "cmdline", "chain"].index(r["kind"])
                  for r in ght.rows(rows, "avb_descriptors")), "places of descriptors")
    blob = mk.vbmeta([], rollback=(1 << 64) - 1)
    ght.equal(images(ght.drive(write("big.img", blob))), [image(rollback=None)], "a rollback index beyond 63 bits")


def verdict(data):
    """(state, reason, offset) of the structure at the beginning."""
    rows = ght.rows(ght.drive(write("one.img", data), only="avb"), "avb_images", at=0)
    return (rows[0]["state"], rows[0]["why"], rows[0]["why_at"]) if rows else (None, None, None)


def forged(algorithm, blob, size):
    """No byte that is signed can change, nor the hash, the signature, the key and the numbers beside it."""
    auth, aux = struct.unpack_from(">QQ", blob, 12)
    key_at, key_size = struct.unpack_from(">QQ", blob, 64)
    spots = list(range(4, 128, 3)) + list(range(256, 256 + size + 32, max(1, size // 24)))
    spots += [256 + auth + i for i in range(0, aux, max(1, aux // 40))] + [256 + auth + key_at + i for i in (0, 3, 4, 7, key_size - 1)]
    still = []
    for at in spots:
        bad = bytearray(blob)
        bad[at] ^= 1
        if verdict(bytes(bad))[0] == "verified":
            still.append(at)
    ght.equal(still, [], f"{algorithm}: {len(spots)} single changes, none verifies")
    other = mk.vbmeta([], algorithm, key=str(key(size * 8)))
    at = 256 + (64 if "512" in algorithm else 32)
    swapped = blob[:at] + other[at:at + size] + blob[at + size:]
    ght.equal(verdict(swapped), ("failed", "the signature does not verify", at), f"{algorithm}: another's signature")
    bad = bytearray(blob)
    bad[256] ^= 1
    ght.equal(verdict(bytes(bad)), ("failed", "the structure is not what was signed: its hash is another", 256), f"{algorithm}: hash")


def unverified():
    blob = bytearray(mk.vbmeta([], "SHA256_RSA2048", key=str(key(2048))))
    for number, word in ((7, "MLDSA65"), (8, "MLDSA87")):
        struct.pack_into(">I", blob, 28, number)
        rows = images(ght.drive(write("ml.img", bytes(blob))))
        ght.equal([(r["algorithm"], r["state"]) for r in rows], [(word, "unsupported")], f"{word}: recognised, not verified")
    # The numbers beside the modulus are signed too: made anew, they must still belong to it.
    pem = key(2048)
    good = mk.public_blob(pem)
    for name, at in (("n0inv", 4), ("rr", len(good) - 1)):
        bad = bytearray(good)
        bad[at] ^= 1
        real, mk.public_blob = mk.public_blob, lambda path, bad=bytes(bad): bad
        blob = mk.vbmeta([], "SHA256_RSA2048", key=str(pem))
        mk.public_blob = real
        ght.equal(verdict(blob)[:2], ("failed", "numbers beside the modulus that do not belong to it"), f"{name} of another key, signed")


def footers():
    for kind in ("hash", "hashtree"):
        path = write(f"{kind}.img", DATA)
        own_row = mk.add_footer(str(path), "boot", kind, SALT, 1 << 20, extra=[mk.property_descriptor("a", "b")],
                                algorithm="SHA256_RSA2048", key=str(key(2048)))
        rows = ght.drive(path)
        at = struct.unpack_from(">Q", path.read_bytes(), (1 << 20) - 64 + 20)[0]
        original = len(DATA) if kind == "hash" else len(mk.pad(DATA, 4096))
        ght.equal(images(rows), [image(at=at, algorithm="SHA256_RSA2048", pubkey_sha1=sha1(mk.public_blob(key(2048))),
                                       footer=1, original_size=original)], f"{kind} footer: image")
        got = descriptors(rows)
        ght.equal([d[0] for d in got], [kind, "property"], f"{kind} footer: descriptors")
        ght.check(bytes.fromhex(got[0][4]) in own_row, f"{kind} footer: digest")
        ght.equal(notes(rows), [], f"{kind} footer: notes")
    both = mk.pad(mk.vbmeta([mk.property_descriptor("head", "1")]), 4096)
    path = write("both.img", both)
    mk.add_footer(str(path), "x", "hash", SALT)
    rows = ght.drive(path)
    ght.equal([(i["at"], i["footer"]) for i in images(rows)], [(0, 0), (4096, 1)], "head and footer: both")
    of = [(r["kind"], r["image"]) for r in ght.rows(rows, "avb_descriptors")]
    n = [r["n"] for r in ght.rows(rows, "avb_images")]
    ght.equal(of, [("property", n[0]), ("hash", n[1])], "each descriptor names its structure")


def partition():
    """A file system inside a super image, with the footer at the end of the partition: never a blob in memory."""
    if not shutil.which("mke2fs"):
        ght.skip("partition", "mke2fs is not installed")
        return
    ght.run("mke2fs", "-q", "-F", "-t", "ext4", D / "system.img", "8M")
    mk.add_footer(str(D / "system.img"), "system", "hashtree", SALT)
    mklp.write_super([str(D / "super.img")], [mklp.Partition("system_a", [("file", str(D / "system.img"))])])
    rows = ght.drive(D / "super.img")
    blob = ght.rows(rows, "members", name="system_a")[0]["child"]
    ght.check("sha256" not in ght.blob_of(rows, blob), "partition: a volume that is not hashed as a whole")
    ght.equal([(r["blob"], r["footer"], r["original_size"]) for r in ght.rows(rows, "avb_images")], [(blob, 1, 8 << 20)],
              "partition: footer")
    ght.equal([(r["blob"], r["kind"], r["partition"]) for r in ght.rows(rows, "avb_descriptors")],
              [(blob, "hashtree", "system")], "partition: descriptor")
    if any(r["plugin"] == "ext4" for r in ght.rows(rows, "blob_runs")):
        ght.equal(ght.blob_of(rows, blob).get("format"), "ext4", "partition: claimed by its file system")


def signature():
    """A GKI boot signature: two structures one behind the other, padded."""
    two = mk.vbmeta([mk.property_descriptor("a", "1")]) + mk.vbmeta([mk.property_descriptor("b", "2")])
    rows = ght.drive(write("sig.img", mk.pad(two, 16384)))
    ght.equal([d[1] for d in descriptors(rows)], ["a", "b"], "two structures in a row")
    rows = ght.drive(write("many.img", mk.vbmeta([]) * 20))
    ght.equal((len(images(rows)), [n[0] for n in notes(rows)]), (8, ["limit"]), "not without end")


def corpus():
    d = ght.corpus("avb2021")
    if d:
        vbmeta2021(d / "data")
    d = ght.corpus("avb")
    if not d:
        return
    raw = [(d / f"rust/testdata/{n}_descriptor.bin").read_bytes() for n in ("property", "hashtree", "hash", "kernel_commandline",
                                                                             "chain_partition")]
    key4096 = mk.public_blob(d / "data/testkey_rsa4096_pub.pem")
    rows = ght.drive(write("rust.img", mk.vbmeta(raw, "SHA512_RSA4096", public_key=str(d / "data/testkey_rsa4096_public.pem"))))
    got = descriptors(rows)
    ght.equal([g[:3] + g[5:] for g in got],
              [("property", "test_prop_key", None, None, None, None), ("hashtree", "test_part_hashtree", "sha1", 16384, None, 0),
               ("hash", "test_part", "sha256", 16384, None, 0), ("cmdline", None, None, None, None, 0),
               ("chain", "test_part_2", None, None, 4, 0)], "libavb's descriptors")
    ght.equal((got[0][4], got[3][4]), ("test_prop_value", "test_cmdline_key=test_cmdline_value"), "libavb's values")
    at = raw[1].index(b"test_part_hashtree") + 18
    ght.equal(got[1][3:5], (raw[1][at:at + 20].hex(), raw[1][at + 20:at + 40].hex()), "libavb's hash tree")
    at = raw[2].index(b"test_part") + 9
    ght.equal(got[2][3:5], ("1000", raw[2][at + 2:at + 34].hex()), "libavb's hash")
    # As avbtool prints them: testkey_rsa4096, and the key of the chain, testkey_rsa8192.
    ght.equal(images(rows)[0]["pubkey_sha1"], "2597c218aae470a130f61162feaae70afd97f011", "SHA-1 of testkey_rsa4096")
    ght.equal(sha1(key4096), "2597c218aae470a130f61162feaae70afd97f011", "the writer's key blob")
    ght.equal(got[4][4], sha1(mk.public_blob(d / "data/testkey_rsa8192_public.pem")), "chain: SHA-1 of testkey_rsa8192")
    for bits, algorithm in ((2048, "SHA256_RSA2048"), (8192, "SHA512_RSA8192")):
        pem = d / f"data/testkey_rsa{bits}_public.pem"
        rows = ght.drive(write("planted.img", mk.vbmeta([], algorithm, public_key=str(pem))))
        ght.equal((images(rows)[0]["pubkey_sha1"], notes(rows)), (sha1(mk.public_blob(pem)), []), f"testkey_rsa{bits}")
        ght.equal(verdict((D / "planted.img").read_bytes())[:2], ("failed", "the signature does not verify"), f"testkey_rsa{bits}: planted")


def vbmeta2021(d):
    """What `avbtool info_image` prints of a phone's vbmeta (the AFTL block behind it is no part of it)."""
    key_a, key_b = "8c44014b96f0f41f3daa3825d4af410233372b65", "144820003f9d46c96e9090dcf0e4feb84ca84810"
    want = [("chain", "vbmeta_system", None, None, key_b, None, 1, 0)]
    want += [("property", f"com.android.build.{p}.{w}", None, None, v, None, None, None) for p in ("vendor", "boot", "product")
             for w, v in (("os_version", "10"), ("security_patch", "2019-10-05"))]
    want += [("hash", "boot", "sha256", "88426cf68325eeee30fa90ff734492218fd0f59b130224f6e8e0a44392a6cf6b",
              "0c1360eeb57b347addfb23706f3a3604ee2dd0a2ce3955d9d0b3bbc0f2c08681", 32653312, None, 0),
             ("hash", "dtbo", "sha256", "ddc9bed431c8f42661e87b5106616919f254c6d50634af299035c122e4f863ae",
              "64825eb08bb6058cbd7f33e77ec18a0ca6d8cf09ac0a56326483ad4ad0be9c17", 3242617, None, 0),
             ("hashtree", "product", "sha1", "ece92ab505e378d20dee61bd44a14671e2b16633",
              "f62a4a5d2eae42bea3889e6098023a018e59b48c", 2183692288, None, 0),
             ("hashtree", "vendor", "sha1", "463047c766f4f545ec2d82062220630ec5938f60",
              "223b5bb7a9bb2d9fe00d66d81ca4f070df47b3e7", 636297216, None, 0)]
    for name in ("aftl_input_vbmeta.img", "aftl_output_vbmeta_with_1_icp.img", "aftl_output_vbmeta_with_2_icp_same_log.img"):
        rows = ght.drive(d / name)
        ght.equal(images(rows), [image(algorithm="SHA256_RSA4096", pubkey_sha1=key_a, rollback=1570233600,
                                       release="avbtool 1.1.0")], f"{name}: image")
        ght.equal(descriptors(rows), want, f"{name}: descriptors")
        ght.equal(notes(rows), [], f"{name}: notes")


# ---- damage ----

def changed(name, blob, at, fmt, value, problems, images_left=1, descriptors_left=None):
    data = bytearray(blob)
    struct.pack_into(fmt, data, at, value)
    rows = ght.drive(write("bad.img", bytes(data)))
    ght.equal((notes(rows), len(images(rows))), (problems, images_left), f"{name}: told")
    if descriptors_left is not None:
        ght.equal(len(descriptors(rows)), descriptors_left, f"{name}: the readable part")


def damage():
    blob = mk.vbmeta([mk.property_descriptor("a", "1"), mk.hash_descriptor("boot", str(D / "data"), SALT),
                      mk.property_descriptor("b", "2")], "SHA256_RSA2048", key=str(key(2048)))
    aux = 256 + struct.unpack_from(">Q", blob, 12)[0]
    changed("version 2", blob, 4, ">I", 2, [("unsup", 4)], 0)
    changed("algorithm 9", blob, 28, ">I", 9, [("unsup", 28)], 1, 3)
    changed("hash outside", blob, 40, ">Q", 1 << 40, [("bad", 32), ("bad", 32)], 1, 3)
    changed("key outside", blob, 64, ">Q", 1 << 63, [("bad", 64)], 1, 3)
    changed("descriptors outside", blob, 104, ">Q", 1 << 20, [("bad", 96)], 1, 0)
    changed("huge blocks", blob, 12, ">Q", (1 << 64) - 64, [("limit", 12)], 0)
    changed("odd block", blob, 20, ">Q", struct.unpack_from(">Q", blob, 20)[0] - 1, [("bad", 12)], 1, 3)
    changed("descriptor too long", blob, aux + 8, ">Q", 1 << 62, [("bad", aux)], 1, 0)
    changed("unknown descriptor", blob, aux, ">Q", 77, [("unsup", aux)], 1, 2)
    changed("key of a property too long", blob, aux + 16, ">Q", 1 << 61, [("short", aux)], 1, 2)
    changed("another key size", blob, aux + struct.unpack_from(">Q", blob, 64)[0], ">I", 4096,
            [("bad", aux + struct.unpack_from(">Q", blob, 64)[0])], 1, 3)
    for size in (4, 255, 256, aux, len(blob) - 1):
        rows = ght.drive(write("cut.img", blob[:size]))
        ght.equal([c for c, _ in notes(rows)], ["short"], f"cut at {size}: told")
    path = write("foot.img", DATA)
    mk.add_footer(str(path), "boot", "hash", SALT, 1 << 18)
    data, tail = path.read_bytes(), (1 << 18) - 64
    changed("footer points outside", data, tail + 20, ">Q", 1 << 40, [("bad", tail + 20)], 0)
    changed("footer points at no vbmeta", data, tail + 20, ">Q", 4096, [("bad", tail + 12), ("bad", 4096)], 0)
    changed("footer version 2", data, tail + 4, ">I", 2, [("unsup", tail + 4)], 0)
    changed("footer says too little", data, tail + 28, ">Q", 300, [("bad", tail + 28)], 1, 1)
    changed("original size behind the vbmeta", data, tail + 12, ">Q", 1 << 50, [("bad", tail + 12)], 1, 1)


def resigned(blob, at, fmt, value):
    """Changed, and then signed by the right key."""
    data = bytearray(blob)
    struct.pack_into(fmt, data, at, value)
    auth, = struct.unpack_from(">Q", data, 12)
    hash_at, hash_n, sig_at, sig_n = struct.unpack_from(">4Q", data, 32)
    signed = bytes(data[:256] + data[256 + auth:])
    (D / "tbs").write_bytes(signed)
    data[256 + hash_at:256 + hash_at + hash_n] = hashlib.sha256(signed).digest()
    data[256 + sig_at:256 + sig_at + sig_n] = ght.run("openssl", "dgst", "-sha256", "-sign", key(2048), D / "tbs")
    return bytes(data)


def overruns():
    """A signature that holds is no help to a structure that does not hold together: libavb gives it up."""
    blob = mk.vbmeta([mk.property_descriptor("a", "1"), mk.hash_descriptor("boot", str(D / "data"), SALT)], "SHA256_RSA2048", key=str(key(2048)))
    aux = 256 + struct.unpack_from(">Q", blob, 12)[0]
    state = lambda data: [(r["state"], r["why"]) for r in ght.rows(ght.drive(write("re.img", data)), "avb_images")]  # noqa: E731
    ght.equal(state(resigned(blob, aux + 16, ">Q", 1)), [("verified", None)], "signed anew: verified")
    broken, outside = "signed, and its list of descriptors reaches behind its end", "signed, and one of its parts lies outside of it"
    for value in (1 << 62, (1 << 64) - 8, 3, 8 * 1000, (1 << 64) - 1):
        ght.equal(state(resigned(blob, aux + 8, ">Q", value)), [("failed", broken)], f"a descriptor of {value} bytes, signed")
    size, = struct.unpack_from(">Q", blob, 104)
    ght.equal(state(resigned(blob, 104, ">Q", size - 4)), [("failed", broken)], "a list that ends inside of a descriptor, signed")
    for at, what in ((96, "list"), (104, "list's size"), (80, "key metadata")):
        ght.equal(state(resigned(blob, at, ">Q", 1 << 40)), [("failed", outside)], f"{what} outside, signed")


own()
overruns()
unverified()
footers()
partition()
signature()
corpus()
damage()
ght.done()
