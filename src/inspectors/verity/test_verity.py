#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Hashes and hash trees of partitions, recomputed: trees of veritysetup under footers of tests/tools/mkvbmeta.py, of every block size,
hash and salt; one byte changed here or there; verity metadata of Android 7 around a file system of mke2fs."""
import hashlib
import pathlib
import random
import shutil
import struct
import sys

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT / "tests/lib"), str(ROOT / "tests/tools")]
import ght  # noqa: E402
import mkvbmeta as mk  # noqa: E402

D = ght.tmp()
RND = random.Random(77)
SALT = bytes(range(32))


def write(name, data):
    (D / name).write_bytes(data)
    return D / name


def checks(path):
    return ght.rows(ght.drive(path, only="verity"), "verity_checks")


def one(path, name, **want):
    got = checks(path)
    ght.check(len(got) == 1 and all(got[0][k] == v for k, v in want.items()), name, f"{got}, want {want}")
    return got[0] if got else {}


def tree_of(data, block, hash_block, salt, algorithm):
    """(tree, root) by veritysetup."""
    write("d", data)
    (D / "h").unlink(missing_ok=True)
    out = ght.run("veritysetup", "format", D / "d", D / "h", "--no-superblock", "--format=1", f"--hash={algorithm}",
                  f"--data-block-size={block}", f"--hash-block-size={hash_block}", f"--data-blocks={len(data) // block}",
                  f"--salt={salt.hex() or '-'}").decode()
    root = next(line.split()[-1] for line in out.splitlines() if line.startswith("Root hash"))
    return (D / "h").read_bytes(), bytes.fromhex(root)


def descriptor(name, size, tree_off, tree_size, block, hash_block, salt, root, algorithm, fec=(0, 0, 0), version=1):
    raw = name.encode()
    return mk.descriptor(mk.HASHTREE, struct.pack(">IQQQIIIQQ32sIIII60x", version, size, tree_off, tree_size, block, hash_block, *fec,
                                                  algorithm.encode(), len(raw), len(salt), len(root), 0) + raw + salt + root)


def image(path, data, tree, root, block=4096, hash_block=4096, salt=SALT, algorithm="sha256", fec=(0, 0, 0), version=1):
    """A partition: data, tree, vbmeta, footer."""
    path.write_bytes(data + tree)
    own = descriptor("system", len(data), len(data), len(tree), block, hash_block, salt, root, algorithm, fec, version)
    mk.append_footer(str(path), mk.vbmeta([own]), len(data), mk.round_up(len(data) + len(tree), 4096), 0)
    return path


def trees():
    if not shutil.which("veritysetup"):
        return ght.skip("trees", "veritysetup is not installed")
    made = 0
    for algorithm in ("sha1", "sha256", "sha512"):
        for block, hash_block in ((4096, 4096), (512, 512), (1024, 4096), (4096, 1024)):
            for salt in (b"", SALT[:20], SALT, bytes(range(200))):
                for blocks in (2, 129, 1000):
                    data = RND.randbytes(blocks * block // 2) + bytes(blocks * block - blocks * block // 2)
                    tree, root = tree_of(data, block, hash_block, salt, algorithm)
                    p = image(D / "t.img", data, tree, root, block, hash_block, salt, algorithm)
                    got = checks(p)
                    ok = len(got) == 1 and (got[0]["state"], got[0]["digest"], got[0]["tree"]) == ("same", root.hex(), "same")
                    made += 1
                    if not ok:
                        ght.check(False, f"{algorithm} {block}/{hash_block} salt {len(salt)}, {blocks} blocks", str(got))
    ght.check(made == 144, f"{made} trees of veritysetup have the root that it says")
    broken()


def broken():
    data = bytearray(RND.randbytes(700 * 4096))
    tree, root = tree_of(bytes(data), 4096, 4096, SALT, "sha256")
    for bad in (0, 127, 128, 400, 699):
        changed = bytearray(data)
        changed[bad * 4096 + 17] ^= 4
        one(image(D / "b.img", changed, tree, root), f"block {bad} changed", state="differs", first_bad=bad, tree="of other data", said=root.hex())
    changed[5 * 4096] ^= 1
    one(image(D / "b.img", changed, tree, root), "two blocks changed: the first", state="differs", first_bad=5)
    other, _ = tree_of(bytes(changed), 4096, 4096, SALT, "sha256")
    one(image(D / "b.img", changed, other, root), "data and tree changed", state="differs", first_bad=None, tree="same")
    dented = bytearray(tree)
    dented[4096 + 5] ^= 1
    row = one(image(D / "b.img", data, dented, root), "the tree alone changed", state="same", tree="differs")
    ght.check("the stored tree is not" in row.get("why", ""), "the tree alone changed: told")
    one(image(D / "b.img", data, b"", root), "no tree at all", state="same", tree="none", why=None)
    one(image(D / "b.img", data, tree, root, fec=(2, len(data) + len(tree), 8192)), "with error correction", state="same", fec=1)
    one(image(D / "b.img", data, tree, root), "without", fec=0)
    one(image(D / "b.img", data, tree, root, salt=SALT[1:]), "another salt", state="differs")
    one(image(D / "b.img", data, tree, root, version=0), "version 0", state="unsupported")
    one(image(D / "b.img", data, tree, root, block=3000), "blocks of 3,000 bytes", state="unsupported")
    one(image(D / "b.img", data, tree, root, hash_block=0), "blocks of nothing", state="unsupported")
    one(image(D / "b.img", data, tree, root, block=1 << 31), "blocks of 2 GiB", state="unsupported")
    one(image(D / "b.img", data, tree, root, algorithm="blake2b-256"), "another algorithm", state="unsupported")
    one(image(D / "b.img", data, tree, root[:20]), "a short digest", state="unsupported")
    p = image(D / "b.img", data, tree, root)
    raw = bytearray(p.read_bytes())
    at = struct.unpack_from(">Q", raw, len(raw) - 64 + 20)[0]
    where = at + 256 + 20
    struct.pack_into(">Q", raw, where, 1 << 50)
    struct.pack_into(">Q", raw, len(raw) - 64 + 12, 1 << 50)
    one(write("b.img", bytes(raw)), "a size behind the partition", state="unsupported")


def hashes():
    data = RND.randbytes(100001)
    p = write("boot.img", data)
    mk.add_footer(str(p), "boot", "hash", SALT, 1 << 20)
    want = hashlib.sha256(SALT + data).hexdigest()
    one(p, "hash", state="same", kind="hash", digest=want, partition="boot", fec=None)
    raw = bytearray(p.read_bytes())
    raw[100000] ^= 1
    one(write("boot.img", bytes(raw)), "its last byte changed", state="differs", said=want)
    raw[100000] ^= 1
    raw[100001] ^= 1
    one(write("boot.img", bytes(raw)), "a byte behind it changed", state="same")


def metadata():
    """Android 7: file system, 32 KiB of metadata, tree."""
    if not shutil.which("mke2fs") or not shutil.which("veritysetup"):
        return ght.skip("metadata", "mke2fs or veritysetup is not installed")
    for options in ("", "64bit"):
        fs = D / "fs"
        fs.unlink(missing_ok=True)
        ght.run("mke2fs", "-q", "-F", "-t", "ext4", "-b", "4096", *(["-O", options] if options else []), fs, "4M")
        data = fs.read_bytes()
        tree, root = tree_of(data, 4096, 4096, SALT, "sha256")
        n = len(data) // 4096
        table = f"1 /dev/block/by-name/system /dev/block/by-name/system 4096 4096 {n} {n + 8} sha256 {root.hex()} {SALT.hex()}".encode()
        block = struct.pack("<II256sI", 0xB001B001, 0, bytes(range(256)), len(table)) + table
        path = write("old.img", data + mk.pad(block, 32768) + tree)
        row = one(path, f"verity metadata {options}", state="same", kind="table", partition="system", tree="same", digest=root.hex())
        ght.equal((row["signature"], row["signed_text"]), (bytes(range(256)).hex(), table.decode()), "what is signed, and the signature")
        raw = bytearray(path.read_bytes())
        raw[2 << 20] ^= 1
        one(write("old.img", bytes(raw)), "one bit changed", state="differs", first_bad=512)
    raw[len(data):len(data) + 4] = b"VOFF"
    rows = ght.drive(write("old.img", bytes(raw)), only="verity")
    ght.check(any("verity is off" in r["what"] for r in ght.rows(rows, "notes")), "switched off: told")
    ght.equal(checks(write("plain.img", data)), [], "a file system without metadata: nothing")


def keys():
    """verity_key as libmincrypt holds it, written from the structure."""
    for e in (3, 65537):
        ght.run("openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-pkeyopt", f"rsa_keygen_pubexp:{e}", "-out", D / "v.pem")
        raw = mk.mincrypt(D / "v.pem")
        row, = ght.rows(ght.inspect("verity_key", raw, "verity"), "verity_keys")
        spki = ght.run("openssl", "pkey", "-in", D / "v.pem", "-pubout", "-outform", "DER")
        ght.equal((row["sha256"], row["spki"], row["bits"]), (ght.sha(spki), spki.hex(), 2048), f"verity_key, exponent {e}")
    for at, value, what in ((0, 65, "a key of 65 words"), (520, 1, "exponent below 3"), (520, 0x80000000, "even RSA exponent")):
        bad = bytearray(raw)
        struct.pack_into("<I", bad, at, value)
        got = ght.inspect("verity_key", bytes(bad), "verity")
        ght.check(not ght.rows(got, "verity_keys") and what in str(got), f"verity_key: {what}")
    ght.equal(ght.rows(ght.inspect("verity_key", raw[:-1], "verity"), "verity_keys"), [], "a file of another size is none")


def seeds():
    for p in sorted((pathlib.Path(__file__).parent / "seeds").iterdir()):
        ght.check(p.stat().st_size <= 16384 and checks(p), f"seed {p.name}")


trees()
hashes()
metadata()
keys()
seeds()
ght.done()
