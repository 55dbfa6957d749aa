#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""xz files of xz and Python's lzma: levels, blocks, streams, padding; the index and what contradicts it; damaged ones."""
import pathlib
import sys
import lzma
import os
import struct
import subprocess
import zlib

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "tests/lib"))
import ght  # noqa: E402
import packed  # noqa: E402
from unpacking import D, INPUTS, tool, words  # noqa: E402

SEEDS = pathlib.Path(__file__).parent / "seeds"
F = packed.Format("xz", ".xz")


def xz(data, *options):
    return tool("xz", "-c", *options, data=data)


def levels():
    for name, data in INPUTS.items():
        for level in ("-0", "-6", "-9e"):
            F.same(xz(data, level), data, f"{level} {name}")
        F.hint(xz(data), len(data) if name != "empty" else 3 * len(xz(data)), f"{name}: the size is known before")
    for check in ("none", "crc32", "crc64", "sha256"):
        F.same(xz(INPUTS["mixed"], f"--check={check}", "--block-size=60000", "-T2"), INPUTS["mixed"], f"blocks, check {check}")


def together():
    a, b, c = xz(INPUTS["small"]), xz(INPUTS["mixed"], "--block-size=60000"), xz(b"")
    both = INPUTS["small"] + INPUTS["mixed"]
    for label, data in {"two streams": a + b, "padding between": a + bytes(4096) + b, "padding behind": a + b + bytes(8), "with empty ones": c + a + c + b + c}.items():
        F.same(data, both, label)
        F.hint(data, len(both), f"{label}: size from the indexes")
    F.same(a + bytes(513), INPUTS["small"], "zeros behind that are no padding")
    F.same(a + struct.pack("<I", 1000), INPUTS["small"], "the size behind a kernel")
    F.same(a + b"rest", INPUTS["small"], "bytes behind", [("unsup", len(a))])
    F.claimed(b"\xfd7zXZ", "five bytes of the magic", False)


def scan(path):
    """The whole program, several workers: content of every file, by name, and notes."""
    db = D / "facts.db"
    if db.exists():
        db.unlink()
    p = subprocess.run([str(ght.BUILD / "gifthorse"), "scan", str(path), "--db", str(db)], capture_output=True, env=dict(os.environ))
    import sqlite3
    con = sqlite3.connect(db)
    files = {(n.decode() if isinstance(n, bytes) else n).lstrip("/"): bytes(s).hex() for n, s in con.execute(
        "SELECT e.path, b.sha256 FROM c_entries e JOIN blobs b ON b.blob_id=e.child")}
    members = con.execute("SELECT m.name, b.size, hex(b.sha256) FROM c_members m JOIN blobs b ON b.blob_id=m.child WHERE m.name='content'").fetchall()
    runs = con.execute("SELECT plugin, status, why FROM blob_runs WHERE status<>'ok'").fetchall()
    con.close()
    return files, members, runs, p


def large():
    """More than is held whole, of several blocks: read at any place, and inside it a tar with many files."""
    import io
    import tarfile
    buf, want, base = io.BytesIO(), {}, words(1 << 20)
    with tarfile.open(fileobj=buf, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for i in range(90):
            data = struct.pack("<I", i) + base[i * 977:] + base[:i * 977]
            info = tarfile.TarInfo(f"d/f{i}")
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
            want[f"d/f{i}"] = ght.sha(data)
    plain = buf.getvalue()
    (D / "in").write_bytes(plain)
    for label, made in {"xz, blocks of 8 MiB": ght.run("xz", "-c", "-0", "-T2", "--block-size=8388608", D / "in"),
                        "two streams, the first too large": ght.run("sh", "-c", f"head -c 60000000 {D}/in | xz -c0; tail -c +60000001 {D}/in | xz -c0")}.items():
        path = D / "t.tar.xz"
        path.write_bytes(made)
        files, members, runs, p = scan(path)
        ght.equal((len(files), files == want, runs), (90, True, []), f"{label}: every file")
        flags = 0 if label.startswith("xz") else 3
        ght.equal(members, [("content", len(plain), ght.sha(plain).upper())], f"{label}: the content")
        rows = ght.drive(path)
        told = [r["what"] for r in ght.rows(rows, "notes", plugin="xz")]
        # gh_drive has no spill files: what comes in order is too large for it.
        ght.equal(len(told), 0 if flags == 0 else 1, f"{label}: at random or in order")
    bad = bytearray((D / "t.tar.xz").read_bytes())
    blocks = bytearray(ght.run("xz", "-c", "-0", "-T2", "--block-size=8388608", D / "in"))
    blocks[len(blocks) // 2] ^= 1
    (D / "t.tar.xz").write_bytes(blocks)
    files, members, runs, p = scan(D / "t.tar.xz")
    ght.check(runs and all(want[k] == v for k, v in files.items()), "a damaged block: told, and nothing false", str((len(files), runs, len(bad))))


def index_word(data, at, value):
    """An index of one record with another byte, its checksums right."""
    data = bytearray(data)
    size = (struct.unpack_from("<I", data, len(data) - 8)[0] + 1) * 4
    start = len(data) - 12 - size
    data[start + at] = value
    struct.pack_into("<I", data, len(data) - 16, zlib.crc32(bytes(data[start:len(data) - 16])))
    return bytes(data)


def damage():
    F.damage(xz(INPUTS["mixed"], "--block-size=50000"), INPUTS["mixed"], "xz", kept=100000)
    a = xz(INPUTS["small"])
    F.same(index_word(a, 2, 0x99), INPUTS["small"], "an index with another packed size", ("bad", len(a) - 24, len(a) - 12))
    F.same(index_word(a, 4, 0x01), INPUTS["small"], "an index with another size", ("bad", len(a) - 24, len(a) - 12))
    p = bytearray(a)
    p[-1] = 0
    F.same(bytes(p), INPUTS["small"], "no footer: content, and a note", [("bad", len(p))])
    p = bytearray(a)
    p[8] ^= 1
    F.same(bytes(p), b"", "a header with a wrong checksum", [("bad", 12)])


def seeds_made():
    a, b = xz(INPUTS["small"], "--block-size=400"), xz(bytes(3000) + b"end", "--check=sha256")
    one = xz(INPUTS["small"])
    bad = bytearray(a)
    bad[len(a) // 2] ^= 4
    return {"blocks.xz": a, "two.xz": a + bytes(8) + b, "empty.xz": xz(b""), "cut.xz": a[:-300], "behind.xz": b + b"rest", "damaged.xz": bytes(bad),
            "index.xz": index_word(one, 2, 0x99), "size.xz": index_word(one, 4, 1), "footer.xz": one[:-1] + b"\0",
            "filter.xz": lzma.compress(INPUTS["small"], filters=[{"id": lzma.FILTER_X86}, {"id": lzma.FILTER_LZMA2}]), "padded.xz": one + bytes(601)}


if __name__ == "__main__":
    if sys.argv[1:] == ["--seeds"]:
        packed.write_seeds(SEEDS, seeds_made())
        sys.exit()
    levels()
    together()
    large()
    damage()
    packed.seeds(SEEDS, "xz")
    ght.done()
