#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes an RSA key from a seed, the same for the same seed, so that generated phones are the same byte for byte.

These keys protect nothing: anyone can make them again. PKCS#1 RSAPrivateKey after RFC 8017, appendix A.1.2.

  mkkey.py SEED BITS OUT.pem
"""
import base64
import hashlib
import sys

SMALL = [p for p in range(3, 2000, 2) if all(p % q for q in range(3, int(p ** 0.5) + 1, 2))]


def stream(seed):
    counter = 0
    while True:
        yield hashlib.sha256(b"%s/%d" % (seed, counter)).digest()
        counter += 1


def number(source, bits):
    raw = b"".join(next(source) for _ in range(-(-bits // 256)))
    return int.from_bytes(raw, "big") >> (len(raw) * 8 - bits)


def is_prime(n, source):
    if any(n % p == 0 for p in SMALL):
        return False
    d, s = n - 1, 0
    while d % 2 == 0:
        d, s = d // 2, s + 1
    for _ in range(12):
        x = pow(number(source, n.bit_length() - 2) + 2, d, n)
        if x in (1, n - 1):
            continue
        for _ in range(s - 1):
            x = x * x % n
            if x == n - 1:
                break
        else:
            return False
    return True


def prime(source, bits, e=65537):
    while True:
        n = number(source, bits) | 3 << (bits - 2) | 1
        while n.bit_length() == bits:
            if n % e != 1 and is_prime(n, source):
                return n
            n += 2


def der_int(value):
    raw = value.to_bytes(value.bit_length() // 8 + 1, "big")
    return b"\x02" + der_len(len(raw)) + raw


def der_len(n):
    if n < 128:
        return bytes([n])
    raw = n.to_bytes((n.bit_length() + 7) // 8, "big")
    return bytes([0x80 | len(raw)]) + raw


def make(seed, bits):
    """PEM text of the key that belongs to seed."""
    source = stream(seed.encode())
    e, p, q = 65537, 0, 0
    while p == q:
        p, q = prime(source, bits // 2), prime(source, bits // 2)
    p, q = max(p, q), min(p, q)
    d = pow(e, -1, (p - 1) * (q - 1))
    body = b"".join(der_int(v) for v in (0, p * q, e, d, p, q, d % (p - 1), d % (q - 1), pow(q, -1, p)))
    text = base64.encodebytes(b"\x30" + der_len(len(body)) + body).decode().replace("\n", "")
    lines = [text[i:i + 64] for i in range(0, len(text), 64)]
    return "-----BEGIN RSA PRIVATE KEY-----\n%s\n-----END RSA PRIVATE KEY-----\n" % "\n".join(lines)


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit("usage: mkkey.py SEED BITS OUT.pem")
    with open(sys.argv[3], "w", encoding="ascii") as out:
        out.write(make(sys.argv[1], int(sys.argv[2])))
