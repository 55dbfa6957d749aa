#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""payload_properties.txt: against a second reader, plain and damaged."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "tests/lib"))
import ght  # noqa: E402

NAME = "payload_properties.txt"
PLAIN = "FILE_HASH=lURPCIkIAjtMOyB/EjQcl8zDzqtD6Ta3tJef6G/+z2k=\nFILE_SIZE=871903868\nMETADATA_HASH=tBvj43QOB0Jn++JojcpVdbRLz0qdAuL+uTkSy7hokaw=\nMETADATA_SIZE=70604\n"


def want(text):
    return [(k.strip().encode(), v.strip().encode(), n) for n, line in enumerate(text.split("\n"), 1) if "=" in line for k, v in [line.split("=", 1)]]


def rows(data, name=NAME):
    return ght.inspect(name, data, "payloadprops")


for label, text in {"plain": PLAIN, "CRLF": PLAIN.replace("\n", "\r\n"), "no final newline": PLAIN[:-1], "blanks": " A = b=c \n\n\tD=\n", "empty": "",
                    "long": "A=" + "x" * 60000 + "\nB=1\n"}.items():
    got = rows(text.encode())
    ght.equal(ght.texts(got, "payload_properties", "key", "value", "line"), want(text), label)
    ght.equal(ght.rows(got, "notes"), [], f"{label}: notes")
ght.equal([r["at"] for r in ght.rows(rows(PLAIN.encode()), "payload_properties")], [PLAIN.index(k) for k in ("FILE_HASH", "FILE_SIZE", "METADATA_HASH", "METADATA_SIZE")],
          "each row leads to its line")
got = rows(b"A=1\nnothing\nB=\xff\n")
ght.equal((ght.texts(got, "payload_properties", "key", "value", "line"), [(r["code"], r["at"]) for r in ght.rows(got, "notes")]),
          ([(b"A", b"1", 1), (b"B", b"\xff", 3)], [("bad", 4)]), "a line without '=' is noted, the rest read")
ght.equal(ght.texts(rows(PLAIN.encode(), "other.txt"), "payload_properties", "key"), [], "another name is another file")
ght.equal(ght.texts(rows(b"\0\1\2\3" * 64), "payload_properties", "key"), [], "bytes that are no text are none")
seeds = sorted((pathlib.Path(__file__).parent / "seeds").iterdir())
ght.check(len(seeds) >= 2 and all(ght.rows(ght.drive(s), "payload_properties") for s in seeds), "seeds")
ght.done()
