# SPDX-License-Identifier: Apache-2.0
"""Shared by the test scripts: running gh_drive, counting checks, skipping with a reason."""
import hashlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
SHARED = pathlib.Path(os.environ.get("GH_SHARED", ROOT.parent / "shared"))
BUILD = pathlib.Path(os.environ.get("GH_BUILD", ROOT / "build"))
DRIVE = os.environ.get("GH_DRIVE", str(BUILD / "gh_drive"))
_count = {"passed": 0, "failed": 0, "skipped": 0}


def check(ok, name, detail=""):
    """Counts one check and prints it; returns ok."""
    _count["passed" if ok else "failed"] += 1
    print(("ok   " if ok else "FAIL ") + name + (f": {detail}" if detail and not ok else ""))
    return ok


def equal(got, want, name):
    return check(got == want, name, f"got {str(got)[:300]!r}, want {str(want)[:300]!r}")


def skip(name, reason):
    _count["skipped"] += 1
    print(f"SKIP {name}: {reason}")


def done():
    print(f"{_count['passed']} passed, {_count['failed']} failed, {_count['skipped']} skipped")
    sys.exit(1 if _count["failed"] else 0)


def run(*argv, **kw):
    """Runs a reference tool; raises with its words when it fails."""
    p = subprocess.run([str(a) for a in argv], capture_output=True, **kw)
    if p.returncode:
        raise RuntimeError(f"{argv}: {p.returncode}: {p.stderr.decode(errors='replace')[-500:]}")
    return p.stdout


def tmp():
    """A fresh directory that is removed when the script ends."""
    d = tempfile.TemporaryDirectory(prefix="ght-")
    _dirs.append(d)
    return pathlib.Path(d.name)


_dirs = []


def corpus(name):
    """The folder of the conformance data, or None (counted as skipped)."""
    d = SHARED / "corpus" / name
    if d.is_dir():
        return d
    skip(f"corpus {name}", "conformance data is not there (GH_SHARED)")
    return None


def drive(path, only=None):
    """Every row of one file, as dicts; a crash of gh_drive raises."""
    argv = [DRIVE] + (["--only", only] if only else []) + [str(path)]
    p = subprocess.run(argv, capture_output=True)
    if p.returncode:
        raise RuntimeError(f"gh_drive {path}: exit {p.returncode}: {p.stderr.decode(errors='replace')[-2000:]}")
    return [json.loads(line) for line in p.stdout.decode("utf-8").splitlines()]


def inspect(name, data, only):
    """Every row of one content under a name, as one plug-in sees it."""
    with tempfile.TemporaryDirectory(prefix="ght-") as d:
        path = pathlib.Path(d) / name
        path.write_bytes(data)
        return drive(path, only=only)


def unescape(text):
    """The bytes of a cell that gh_drive printed."""
    if text is None:
        return None
    out, raw, i = bytearray(), text.encode(), 0
    while i < len(raw):
        if raw[i:i + 2] == b"\\x":
            out.append(int(raw[i + 2:i + 4], 16))
            i += 4
        else:
            out.append(raw[i])
            i += 1
    return bytes(out)


def texts(all_rows, table, *columns):
    """The cells of a table as tuples; text as bytes."""
    cell = lambda v: unescape(v) if isinstance(v, str) else v  # noqa: E731
    return [tuple(cell(r[c]) for c in columns) for r in all_rows if r["table"] == table]


def rows(all_rows, table, **where):
    return [r for r in all_rows if r["table"] == table and all(r.get(k) == v for k, v in where.items())]


def cat(path, child):
    p = subprocess.run([DRIVE, "--cat", child, str(path)], capture_output=True)
    return p.stdout if p.returncode == 0 else None


def blob_of(all_rows, blob):
    """The blob row with the digest (a later row may add it)."""
    found = {}
    for r in all_rows:
        if r["table"] == "blobs" and r["blob"] == blob:
            found.update({k: v for k, v in r.items() if v is not None})
    return found


def sha(data):
    return hashlib.sha256(data).hexdigest()
