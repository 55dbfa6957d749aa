# SPDX-License-Identifier: Apache-2.0
"""Shared by the tests of the engine: a small phone with every kind of content, scanning it, and comparing what two databases say
of content, whatever numbers the contents have."""
import collections
import gzip
import os
import pathlib
import random
import shutil
import sqlite3
import subprocess
import sys
import zipfile

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[1] / d) for d in ("lib", "tools")]
import ght  # noqa: E402
import mknewdat  # noqa: E402

BIN = os.environ.get("GH_BIN", str(ght.BUILD / "gifthorse"))
FAULTS = b"GH_FAULT" in pathlib.Path(BIN).read_bytes()
SANITIZED = b"__asan_" in pathlib.Path(BIN).read_bytes()
SLOW = 4 if SANITIZED else 1
SEQ, CHILD = 24, 50  # bits, as in tree/run.c


def seeds():
    return sorted(p for p in (ght.ROOT / "src").glob("*/*/seeds/*") if p.is_file())


def plugins():
    """(kind, name) of every format and inspector."""
    words = [line.split("#")[0].split() for line in (ght.ROOT / "src/plugins.txt").read_text().splitlines()]
    return sorted((w[0], w[1]) for w in words if w and w[0] in ("format", "inspector"))


def image(path, tree, size):
    """An ext4 image of that size with the files of a tree."""
    with open(path, "wb") as f:
        f.truncate(size)
    ght.run("mke2fs", "-q", "-t", "ext4", "-d", tree, "-E", "hash_seed=01020304-0506-0708-090a-0b0c0d0e0f10", "-U",
            "01020304-0506-0708-090a-0b0c0d0e0f10", path)


def sets(to, out):
    """Images that are made of several files: in the folder, in a zip as they are and packed, and packed inside their packing."""
    for name in ("odm", "oem", "cust"):
        tree = to / f"tree_{name}"
        (tree / "etc").mkdir(parents=True)
        for i in range(30):
            (tree / "etc" / f"{name}{i:02}.txt").write_text(f"{name} {i}\n" * (i + 1))
        (tree / "build.prop").write_text(f"ro.{name}.build.type=user\n")
        (tree / "blob.bin").write_bytes(random.Random(name).randbytes(1500000))
        shutil.copy(ght.ROOT / "src/formats/newdat/seeds/packed.zip", tree / f"{name}.zip")  # a set inside a set
        image(to / f"{name}.img", tree, 6 << 20)
    for name, where in (("odm", out), ("cust", to)):
        ght.run("img2simg", to / f"{name}.img", to / f"{name}.simg")
        ght.run("simg2simg", to / f"{name}.simg", where / f"{name}.img_sparsechunk", 500000)
    chunks = sorted(to.glob("cust.img_sparsechunk.*"))
    mknewdat.whole((to / "oem.img").read_bytes(), 4).write(str(to / "oem"))
    with open(to / "oem.new.dat", "rb") as f, gzip.GzipFile(to / "oem.new.dat.gz", "wb", 6, mtime=0) as g:
        shutil.copyfileobj(f, g)
    with zipfile.ZipFile(out / "ota.zip", "w") as z:
        for p in chunks:
            z.write(p, f"images/{p.name}", zipfile.ZIP_DEFLATED if p.name[-1] in "13" else zipfile.ZIP_STORED)
        z.write(to / "oem.new.dat.gz", "oem.new.dat.gz", zipfile.ZIP_STORED)
        for end in ("transfer.list", "patch.dat"):
            z.write(to / f"oem.{end}", f"oem.{end}", zipfile.ZIP_DEFLATED)


def phone(to, small=False):
    """A folder with a large ext4 image, an EROFS image, a zip and a packed image, each with the seeds of all plug-ins."""
    tree = to / "tree"
    out = to / "phone"
    (tree / "etc").mkdir(parents=True)
    out.mkdir()
    for p in seeds():
        d = tree / "seeds" / p.parents[1].name
        d.mkdir(parents=True, exist_ok=True)
        shutil.copy(p, d / p.name)
    for i in range(150):
        (tree / "etc" / f"file{i:03}.txt").write_text(f"file {i}\n" * (i + 1))
    (tree / "build.prop").write_text("ro.build.type=user\nro.build.tags=test-keys\nro.debuggable=1\n")
    os.symlink("/system/bin/toybox", tree / "etc/link")
    os.link(tree / "build.prop", tree / "etc/other.prop")
    shutil.copy("/bin/true", tree / "true")
    ght.run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=test", "-keyout",
            to / "key.pem", "-out", tree / "etc/cert.pem")
    image(out / "system.img", tree, (16 if small else 72) << 20)
    ght.run("mkfs.erofs", "-zlz4", "-T0", "-U01020304-0506-0708-090a-0b0c0d0e0f10", out / "vendor.img", tree)
    with zipfile.ZipFile(out / "update.zip", "w") as z:
        for p in sorted(q for q in tree.rglob("*") if q.is_file() and not q.is_symlink()):
            z.write(p, str(p.relative_to(tree)), zipfile.ZIP_DEFLATED if len(p.name) % 2 else zipfile.ZIP_STORED)
    sets(to, out)
    if not small:  # too large for memory, so it goes through a spill file
        (tree / "only_packed.txt").write_text("inside the packed image\n")
        image(to / "product.img", tree, 80 << 20)
        with open(to / "product.img", "rb") as f, gzip.GzipFile(out / "product.img.gz", "wb", 1, mtime=0) as g:
            shutil.copyfileobj(f, g)
        os.unlink(to / "product.img")
    return out


def environment(**more):
    env = dict(os.environ, **{k: str(v) for k, v in more.items()})
    if SANITIZED:  # a worker that dies on purpose dies like one without sanitizers
        env["ASAN_OPTIONS"] = "detect_leaks=0:allocator_may_return_null=1:handle_segv=0:handle_sigbus=0:handle_abort=0"
    return env


def argv(inputs, db, *options):
    inputs = inputs if isinstance(inputs, (list, tuple)) else [inputs]
    return [BIN, "scan", *map(str, inputs), "--db", str(db), "--progress", "none", *map(str, options)]


def scan(inputs, db, *options, fault=None, limit=150, **kw):
    """The exit code of a scan; 'hang' when it does not end."""
    env = environment(GH_FAULT=fault) if fault else environment()
    options = list(options) if "-f" in options else ["-f", f"json={db}.json", *options]
    try:
        return subprocess.run(argv(inputs, db, *options), env=env, capture_output=True, timeout=limit, **kw).returncode
    except subprocess.TimeoutExpired:
        return "hang"


class Facts:
    """What a database says of one scan (the newest, or the one given), with contents told apart by what they are."""

    def __init__(self, path, scan_id=None):
        self.sql = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        self.sql.text_factory = bytes
        one = "SELECT scan_id, root_blob, state, spilled, crashes FROM scans WHERE scan_id=coalesce(?,(SELECT max(scan_id) FROM scans))"
        self.scan_id, self.root, state, self.spilled, self.crashes = self.sql.execute(one, (scan_id,)).fetchone()
        self.state = state.decode()
        self.sha = {b: s for b, s in self.sql.execute("SELECT blob_id, sha256 FROM blobs")}
        self.tables = sorted(n.decode() for n, in self.sql.execute("SELECT name FROM sqlite_master WHERE type='table' AND name GLOB 'c_*'"))
        self.edges = {}  # container: (table, n, child)
        for t in ("c_members", "c_entries"):
            for b, n, c in self.sql.execute(f"SELECT blob_id, n, child FROM {t}"):
                self.edges.setdefault(b, []).append((t, n, c))
        self.names = {}
        self.name(self.root, ("root",))

    def name(self, root, name):
        """Every reachable content's identity: its SHA-256, else (a volume) where it lies."""
        todo = [(root, name)]
        while todo:
            b, k = todo.pop()
            if b in self.names:
                continue
            self.names[b] = k = self.sha.get(b) or k
            todo += [(c, (k, t, n)) for t, n, c in self.edges.get(b, ()) if c is not None]

    def rows(self):
        """{table: set of rows}, contents by identity; only what this scan reaches."""
        out = {}
        for t in self.tables:
            columns = [r[1].decode() for r in self.sql.execute(f"PRAGMA table_info({t})")]
            child = columns.index("child") if "child" in columns else None
            got = out[t] = set()
            for r in self.sql.execute(f"SELECT * FROM {t}"):
                if r[0] not in self.names:
                    continue
                r = list(r)
                r[0] = self.names[r[0]]
                if child is not None and r[child] is not None:
                    r[child] = self.names[r[child]]
                got.add(tuple(r))
        out["blobs"] = {(self.names[b], s, z, f, e) for b, s, z, f, e in
                        self.sql.execute("SELECT blob_id, sha256, size, format, entropy FROM blobs") if b in self.names}
        out["blob_runs"] = {(self.names[b], *rest) for b, *rest in
                            self.sql.execute("SELECT blob_id, plugin, version, status, at, why FROM blob_runs") if b in self.names}
        return out

    def places(self):
        """What DERIVE says of the device, for the scan."""
        q = ("SELECT image, slot, live, path, dpath, name, ino, ftype, mode, uid, gid, caps, selinux, iflags, link_target, size, attrs, off, blob_id "
             "FROM places WHERE scan_id=?")
        return sorted((*map(str, r[:-1]), str(self.names.get(r[-1]))) for r in self.sql.execute(q, (self.scan_id,)))

    def findings(self):
        q = "SELECT rule, severity, place, at, evidence, subject, sha256, fingerprint FROM findings WHERE scan_id=? ORDER BY n"
        return list(self.sql.execute(q, (self.scan_id,)))

    def states(self):
        return sorted(self.sql.execute("SELECT rule, state, why FROM rule_states WHERE scan_id=?", (self.scan_id,)))

    def runs(self, plugin):
        """How many contents of this scan have which status of one plug-in."""
        q = "SELECT status, blob_id FROM blob_runs WHERE plugin=?"
        return collections.Counter(s.decode() for s, b in self.sql.execute(q, (plugin,)) if b in self.names)


def differ(a, b):
    """The first differences of two results of rows(), as text; empty when they are equal."""
    out = []
    for t in sorted(set(a) | set(b)):
        for sign, rows in (("-", a.get(t, set()) - b.get(t, set())), ("+", b.get(t, set()) - a.get(t, set()))):
            if rows:
                out.append(f"{sign}{len(rows)} {t}: {sorted(map(str, rows))[0][:300]}")
    return "\n     ".join(out)
