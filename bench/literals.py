#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes literals that look like indicators and never hit: literals.py OUT [N]

Writes OUT/literals.txt (one a line) and OUT/literals.yar (the same as one YARA rule each). The same N gives the same files.
Lengths run from 12 to 40 bytes as those of host names and paths do. Each holds a word of random letters, so that no file
has it by chance; the floor prints its hits, and they are 0.
"""
import random
import sys
from pathlib import Path

SYLLABLES = """ba be bi bo bu ca ce co cu da de di do du fa fe fi fo ga ge go ha he hi ho ja jo ka ke ki ko la le li lo lu ma me mi mo mu
    na ne ni no pa pe pi po qua ra re ri ro ru sa se si so su ta te ti to tu va ve vi vo wa we xi ya yo za ze zo""".split()
TLDS = ["com", "net", "org", "info", "top", "xyz", "cn", "ru", "io", "co", "club", "site"]
HOSTS = ["api", "cdn", "up", "stat", "log", "c2", "dl", "s1", "push", "gate", "ota", "ad"]
PATHS = ["/gate.php", "/v2/report", "/cfg/get", "/upload", "/task", "/sdk/init", "/p.bin", "/update.zip"]


def word(rng):
    return "".join(rng.choice(SYLLABLES) for _ in range(rng.randint(4, 6)))


def literal(rng):
    kind, name = rng.random(), word(rng)
    host = f"{name}{rng.randrange(10, 99)}.{rng.choice(TLDS)}"
    if kind < 0.5:
        return f"{rng.choice(HOSTS)}.{host}"
    if kind < 0.8:
        return host
    if kind < 0.9:
        return f"{host}{rng.choice(PATHS)}"
    return f"com.{name}.{word(rng)}"


def make(out, count):
    rng, seen = random.Random(5000), {}
    while len(seen) < count:
        text = literal(rng)
        if 12 <= len(text) <= 40:
            seen[text] = None
    out.mkdir(parents=True, exist_ok=True)
    (out / "literals.txt").write_text("".join(t + "\n" for t in seen))
    rules = (f'rule l{n} {{ strings: $a = "{t}" condition: $a }}\n' for n, t in enumerate(seen))
    (out / "literals.yar").write_text("".join(rules))


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    make(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) == 3 else 5000)
