#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes vbmeta images, AVB footers and dm-verity trees; layout after Android Verified Boot 2.0
(avb_vbmeta_image.h, avb_footer.h, avb_*_descriptor.h, avb_crypto.h) and the kernel's verity.rst.

Signatures and keys are openssl's. A key of which only the public half exists can be planted
(--public-key): the signature is then rubbish, and the program says so.

  mkvbmeta.py make --out vbmeta.img --key k.pem --algorithm SHA256_RSA4096 --include boot.img \
              --chain vbmeta_system:1:key.pem --prop k=v --cmdline 'a=b' --flags 2
  mkvbmeta.py footer --image boot.img --partition boot --size 16M --kind hash [--key k.pem]
  mkvbmeta.py footer --image system.img --partition system --kind hashtree
"""
import argparse
import hashlib
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile

ALGORITHMS = {"NONE": (0, None, 0), "SHA256_RSA2048": (1, "sha256", 256), "SHA256_RSA4096": (2, "sha256", 512),
              "SHA256_RSA8192": (3, "sha256", 1024), "SHA512_RSA2048": (4, "sha512", 256),
              "SHA512_RSA4096": (5, "sha512", 512), "SHA512_RSA8192": (6, "sha512", 1024)}
PROPERTY, HASHTREE, HASH, CMDLINE, CHAIN = range(5)
RELEASE = b"avbtool 1.3.0"
FOOTER_SIZE = 64
BLOCK = 4096


def openssl(*args, data=None):
    return subprocess.run(["openssl", *args], input=data, check=True, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL).stdout


def pad(data, to):
    return data + bytes(-len(data) % to)


def round_up(value, to):
    return (value + to - 1) // to * to


def public_blob(path):
    """AvbRSAPublicKeyHeader, modulus and Montgomery's rr for a private or public PEM key."""
    with open(path, "rb") as src:
        head = src.read()
    public = ["-pubin"] if b"PUBLIC KEY" in head else []
    text = openssl("rsa", *public, "-in", path, "-modulus", "-noout").decode()
    n = int(re.search(r"Modulus=([0-9A-Fa-f]+)", text).group(1), 16)
    bits = n.bit_length()
    n0inv = (1 << 32) - pow(n, -1, 1 << 32)
    rr = pow(1 << bits, 2, n)
    return struct.pack(">II", bits, n0inv) + n.to_bytes(bits // 8, "big") + rr.to_bytes(bits // 8, "big")


def mincrypt(path):
    """The public key of 2,048 bits as libmincrypt's RSAPublicKey: words, n0inv, modulus and R squared from the lowest word on, exponent."""
    text = openssl("rsa", "-in", str(path), "-noout", "-text").decode()
    n = int(openssl("rsa", "-in", str(path), "-noout", "-modulus").decode().strip().split("=")[1], 16)
    e = int(re.search(r"publicExponent: (\d+)", text).group(1))
    return struct.pack("<II", 64, -pow(n, -1, 1 << 32) % (1 << 32)) + n.to_bytes(256, "little") + pow(1 << 2048, 2, n).to_bytes(256, "little") + struct.pack("<I", e)


def is_private(path):
    with open(path, "rb") as src:
        return b"PRIVATE KEY" in src.read()


def descriptor(tag, body):
    body = pad(body, 8)
    return struct.pack(">QQ", tag, len(body)) + body


def property_descriptor(key, value):
    key, value = key.encode(), value if isinstance(value, bytes) else value.encode()
    return descriptor(PROPERTY, struct.pack(">QQ", len(key), len(value)) + key + b"\0" + value + b"\0")


def cmdline_descriptor(text, flags=0):
    raw = text.encode()
    return descriptor(CMDLINE, struct.pack(">II", flags, len(raw)) + raw)


def chain_descriptor(name, location, blob, flags=0):
    raw = name.encode()
    return descriptor(CHAIN, struct.pack(">IIII60x", location, len(raw), len(blob), flags) + raw + blob)


def hash_descriptor(name, path, salt, algorithm="sha256", flags=0):
    digest = hashlib.new(algorithm, salt)
    size = 0
    with open(path, "rb") as src:
        for chunk in iter(lambda: src.read(1 << 20), b""):
            digest.update(chunk)
            size += len(chunk)
    raw, value = name.encode(), digest.digest()
    return descriptor(HASH, struct.pack(">Q32sIIII60x", size, algorithm.encode(), len(raw), len(salt), len(value),
                                        flags) + raw + salt + value)


def level_up(blocks, salt, algorithm):
    """Digests of the blocks, each padded to a power of two, as whole blocks."""
    width = 1 << (hashlib.new(algorithm).digest_size - 1).bit_length()
    base = hashlib.new(algorithm, salt)
    out = bytearray()
    for block in blocks:
        one = base.copy()
        one.update(block)
        out += one.digest().ljust(width, b"\0")
    return pad(bytes(out), BLOCK)


def hash_tree(path, salt, algorithm="sha256"):
    """(tree, root digest): the level next to the root first, the one next to the data last."""
    with open(path, "rb") as src:
        level = level_up(iter(lambda: src.read(BLOCK), b""), salt, algorithm)
        if os.path.getsize(path) <= BLOCK:
            src.seek(0)
            return b"", hashlib.new(algorithm, salt + src.read()).digest()
    levels = [level]
    while len(levels[-1]) > BLOCK:
        last = levels[-1]
        levels.append(level_up((last[i:i + BLOCK] for i in range(0, len(last), BLOCK)), salt, algorithm))
    root = hashlib.new(algorithm, salt + levels[-1]).digest()
    return b"".join(reversed(levels)), root


def hashtree_descriptor(name, data_size, tree_offset, tree_size, root, salt, algorithm="sha256", flags=0):
    raw = name.encode()
    return descriptor(HASHTREE, struct.pack(">IQQQIIIQQ32sIIII60x", 1, data_size, tree_offset, tree_size, BLOCK,
                                            BLOCK, 0, 0, 0, algorithm.encode(), len(raw), len(salt), len(root),
                                            flags) + raw + salt + root)


def sign(data, key, digest):
    with tempfile.NamedTemporaryFile() as tmp:
        tmp.write(data)
        tmp.flush()
        return openssl("dgst", "-" + digest, "-sign", key, tmp.name)


def vbmeta(descriptors, algorithm="NONE", key=None, public_key=None, rollback=0, location=0, flags=0,
           minor=0, key_metadata=b"", release=RELEASE):
    """The bytes of one vbmeta image. public_key: a public PEM to plant under a rubbish signature."""
    number, digest, signature_size = ALGORITHMS[algorithm]
    body = b"".join(descriptors)
    blob = public_blob(public_key or key) if number else b""
    aux = pad(body + blob + key_metadata, 64)
    hash_size = hashlib.new(digest).digest_size if number else 0
    authentication = round_up(hash_size + signature_size, 64)
    # sizes and offsets of: hash, signature, key, key metadata, descriptors
    header = struct.pack(">4sIIQQIQQQQQQQQQQQII48s80x", b"AVB0", 1, minor, authentication, len(aux), number,
                         0, hash_size, hash_size, signature_size, len(body), len(blob), len(body) + len(blob),
                         len(key_metadata), 0, len(body), rollback, flags, location, release)
    if not number:
        return header + aux
    value = hashlib.new(digest, header + aux).digest()
    if public_key:
        print("mkvbmeta: the public key of %s is planted; the signature is rubbish" % public_key, file=sys.stderr)
        rubbish = b"".join(hashlib.sha256(value + bytes([i])).digest() for i in range(signature_size // 32))
        signature = b"\0" + rubbish[1:]
    else:
        signature = sign(header + aux, key, digest)
        if len(signature) != signature_size:
            raise ValueError("the key does not fit the algorithm " + algorithm)
    return header + pad(value + signature, 64) + aux


def read_descriptors(path):
    """Raw descriptors of a vbmeta image, or of the one a footer points to."""
    with open(path, "rb") as src:
        src.seek(0, os.SEEK_END)
        size = src.tell()
        src.seek(max(0, size - FOOTER_SIZE))
        tail = src.read(FOOTER_SIZE)
        at = struct.unpack_from(">Q", tail, 20)[0] if tail[:4] == b"AVBf" else 0
        src.seek(at)
        header = src.read(256)
        if header[:4] != b"AVB0":
            raise ValueError("no vbmeta in " + path)
        authentication, = struct.unpack_from(">Q", header, 12)
        offset, length = struct.unpack_from(">QQ", header, 96)
        src.seek(at + 256 + authentication + offset)
        return src.read(length)


def append_footer(path, blob, original, vbmeta_at, partition_size):
    """Put the vbmeta at vbmeta_at and the footer at the very end of the partition."""
    end = partition_size or round_up(vbmeta_at + round_up(len(blob), BLOCK) + FOOTER_SIZE, BLOCK)
    if vbmeta_at + len(blob) > end - FOOTER_SIZE:
        raise ValueError("the partition is too small for the footer")
    with open(path, "r+b") as out:
        out.truncate(end)
        out.seek(vbmeta_at)
        out.write(blob)
        out.seek(end - FOOTER_SIZE)
        out.write(struct.pack(">4sIIQQQ28x", b"AVBf", 1, 0, original, vbmeta_at, len(blob)))


def add_footer(path, partition, kind, salt, partition_size=0, extra=(), flags=0, **signing):
    """Footer of `kind` hash or hashtree on the image itself; returns the image's own descriptor."""
    original = os.path.getsize(path)
    if kind == "hash":
        own = hash_descriptor(partition, path, salt, flags=flags)
        at = round_up(original, BLOCK)
    else:
        with open(path, "r+b") as out:
            out.truncate(round_up(original, BLOCK))
        size = os.path.getsize(path)
        tree, root = hash_tree(path, salt)
        with open(path, "ab") as out:
            out.write(tree)
        own = hashtree_descriptor(partition, size, size, len(tree), root, salt, flags=flags)
        original, at = size, size + len(tree)
    append_footer(path, vbmeta([own, *extra], **signing), original, at, partition_size)
    return own


def size_of(text):
    unit = {"K": 10, "M": 20, "G": 30}.get(text[-1:].upper())
    return int(text[:-1]) << unit if unit else int(text, 0)


def extras(args):
    out = [property_descriptor(*p.split("=", 1)) for p in args.prop]
    out += [cmdline_descriptor(c) for c in args.cmdline]
    for chain in args.chain:
        name, location, key = chain.split(":", 2)
        out.append(chain_descriptor(name, int(location), public_blob(key)))
    return out


def main(argv=None):
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    sub = ap.add_subparsers(dest="verb", required=True)
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--algorithm", default="NONE", choices=sorted(ALGORITHMS))
    common.add_argument("--key", help="private key that signs")
    common.add_argument("--public-key", help="public key to plant; the signature is then rubbish")
    common.add_argument("--prop", action="append", default=[], metavar="KEY=VALUE")
    common.add_argument("--cmdline", action="append", default=[])
    common.add_argument("--chain", action="append", default=[], metavar="PARTITION:LOCATION:KEY.pem")
    common.add_argument("--flags", type=int, default=0, help="1 hashtree disabled, 2 verification disabled")
    common.add_argument("--rollback", type=int, default=0)
    make = sub.add_parser("make", parents=[common])
    make.add_argument("--out", required=True)
    make.add_argument("--include", action="append", default=[], help="image whose descriptors are taken over")
    make.add_argument("--padding", default="4096", help="pad the image to a multiple of this")
    foot = sub.add_parser("footer", parents=[common])
    foot.add_argument("--image", required=True)
    foot.add_argument("--out", help="write here and leave the image as it is")
    foot.add_argument("--partition", required=True)
    foot.add_argument("--kind", choices=["hash", "hashtree"], required=True)
    foot.add_argument("--size", default="0", help="size of the partition")
    foot.add_argument("--salt", default="", help="hexadecimal; by default made from the partition's name")
    args = ap.parse_args(argv)
    if args.algorithm != "NONE" and not (args.public_key or args.key):
        ap.error("an algorithm needs --key or --public-key")
    if args.key and not is_private(args.key):
        ap.error("--key is a public key: use --public-key")
    signing = dict(algorithm=args.algorithm, key=args.key, public_key=args.public_key, rollback=args.rollback)
    if args.verb == "make":
        taken = [read_descriptors(path) for path in args.include]
        blob = vbmeta(extras(args) + taken, flags=args.flags, **signing)
        with open(args.out, "wb") as out:
            out.write(pad(blob, size_of(args.padding)))
        return 0
    if args.out:
        shutil.copyfile(args.image, args.out)
    salt = bytes.fromhex(args.salt) or hashlib.sha256(args.partition.encode()).digest()
    add_footer(args.out or args.image, args.partition, args.kind, salt, size_of(args.size), extras(args),
               **signing)
    return 0


if __name__ == "__main__":
    sys.exit(main())
