#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Boot images made by mkbootimg, compared with what unpack_bootimg takes out; version 4 written here from bootimg.h."""
import pathlib
import random
import re
import shutil
import struct
import sys

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT / "tests/lib")]
import ght  # noqa: E402

D = ght.tmp()
RND = random.Random(21)
PARTS = {"kernel": RND.randbytes(50001), "ramdisk": RND.randbytes(12288), "second": RND.randbytes(777),
         "recovery_dtbo": RND.randbytes(4097), "dtb": RND.randbytes(2048)}
for part, data in PARTS.items():
    (D / part).write_bytes(data)


def pad(data, page=4096):
    return data + bytes(-len(data) % page)


def children(rows):
    return [m["name"] for m in ght.rows(rows, "members") if m["blob"] != 1]


def notes(rows):
    return [(r["code"], r["at"]) for r in ght.rows(rows, "notes", plugin="bootimg")]


def same(path, want, name, problems=()):
    """Exactly these sections, in order, with these bytes at their places."""
    rows = ght.drive(path)
    whole = path.read_bytes()
    ght.equal(children(rows), list(want), f"{name}: sections")
    for m in ght.rows(rows, "members"):
        if m["blob"] == 1 or m["name"] not in want:
            continue
        data = want[m["name"]]
        ght.equal((m["size"], m["csize"]), (len(data), len(data)), f"{name}: size of {m['name']}")
        ght.equal(ght.sha(whole[m["off"]:m["off"] + len(data)]), ght.sha(data), f"{name}: place of {m['name']}")
        ght.equal(ght.blob_of(rows, m["child"]).get("sha256"), ght.sha(data), f"{name}: hash of {m['name']}")
        ght.equal(ght.sha(ght.cat(path, m["name"]) or b""), ght.sha(data), f"{name}: bytes of {m['name']}")
    ght.equal(notes(rows), list(problems), f"{name}: notes")
    return rows


def header(rows):
    h = ght.rows(rows, "boot_headers")
    return h[0] if len(h) == 1 else {}


def args(rows):
    return [(r["source"], r["key"], r["value"]) for r in ght.rows(rows, "boot_args")]


# ---- against the tools ----

LONG = " ".join(f"androidboot.key{i}=value{i}" for i in range(40))
VERSIONS = {
    0: (["kernel", "ramdisk", "second"], ["--pagesize", "2048", "--board", "lk-8953", "--cmdline", LONG]),
    1: (["kernel", "ramdisk", "second"], ["--pagesize", "4096", "--cmdline", "quiet loop.max=7"]),
    2: (["kernel", "ramdisk", "dtb"], ["--pagesize", "16384", "--board", "b", "--cmdline", "x=1"]),
    3: (["kernel", "ramdisk"], ["--cmdline", LONG]),
}


def tools():
    if not shutil.which("mkbootimg") or not shutil.which("unpack_bootimg"):
        ght.skip("mkbootimg", "the package mkbootimg is not installed")
        return
    for version, (parts, extra) in VERSIONS.items():
        name = f"version {version}"
        argv = [x for p in parts for x in ("--" + p, D / p)] + extra
        argv += ["--os_version", "13.1.2", "--os_patch_level", "2023-07", "--header_version", version]
        path = D / f"boot{version}.img"
        ght.run("mkbootimg", *argv, "-o", path)
        out = D / f"out{version}"
        said = ght.run("unpack_bootimg", "--boot_img", path, "--out", out).decode()
        rows = same(path, {p: (out / p).read_bytes() for p in parts}, name)
        ght.check(all((out / p).read_bytes() == PARTS[p] for p in parts), f"{name}: unpack_bootimg agrees with the input")
        against_words(rows, said, name)
        cmdline = extra[extra.index("--cmdline") + 1]
        ght.equal([(k, v) for _, k, v in args(rows)], [tuple(w.split("=")) if "=" in w else (w, None)
                                                       for w in cmdline.split()], f"{name}: arguments")
        if version == 0:
            sources = [s for s, _, _ in args(rows)]
            ght.check(sources == sorted(sources) and set(sources) == {"cmdline", "extra_cmdline"}, "both fields are told")
            led = [(r["key"], r["at"]) for r in ght.rows(rows, "boot_args")]
            data = path.read_bytes()
            # One argument may run over from the first field (64..576) into the second.
            ght.check(all(data[at:].startswith(k[:576 - at if at < 576 else None].encode()) for k, at in led),
                      "each argument leads to its bytes")
    recovery()
    vendor3()


def against_words(rows, said, name):
    word = dict(re.findall(r"^(.*?): (.*)$", said, re.M))
    h = header(rows)
    ght.equal((h["kind"], h["version"], h["kernel_size"], h["ramdisk_size"]),
              ("boot", int(word["boot image header version"]), int(word["kernel_size"]), int(word["ramdisk size"])),
              f"{name}: header")
    ght.equal((h["os_version"], h["os_patch_level"]), (word["os version"], word["os patch level"]), f"{name}: version")
    ght.equal(h["board"] or "", word.get("product name", ""), f"{name}: board")
    ght.equal(h["page_size"], int(word.get("page size", 4096)), f"{name}: page size")
    ght.equal(h["dtb_size"], int(word.get("dtb size", 0)), f"{name}: dtb size")
    ght.equal(h["cmdline"], word["command line args"] + word.get("additional command line args", ""), f"{name}: cmdline")


def recovery():
    """Debian's mkbootimg fails on a recovery DTBO, its unpack_bootimg does not: written here from bootimg.h."""
    for version, page, parts in ((1, 2048, ["kernel", "ramdisk", "second", "recovery_dtbo"]),
                                 (2, 4096, ["kernel", "ramdisk", "second", "recovery_dtbo", "dtb"])):
        size = {p: len(PARTS[p]) if p in parts else 0 for p in PARTS}
        at = page + sum(len(pad(PARTS[p], page)) for p in ("kernel", "ramdisk", "second"))
        head = struct.pack("<8sIIIIIIIIII16s512s32x1024sIQI", b"ANDROID!", size["kernel"], 0, size["ramdisk"], 0,
                           size["second"], 0, 0, page, version, 0, b"rec", b"cmd", b"", size["recovery_dtbo"], at,
                           1648 if version == 1 else 1660)
        head += struct.pack("<IQ", size["dtb"], 0) if version == 2 else b""
        path, out = D / f"recovery{version}.img", D / f"outr{version}"
        path.write_bytes(pad(head, page) + b"".join(pad(PARTS[p], page) for p in parts))
        ght.run("unpack_bootimg", "--boot_img", path, "--out", out)
        same(path, {p: (out / p).read_bytes() for p in parts}, f"recovery, version {version}")
        ght.check(all((out / p).read_bytes() == PARTS[p] for p in parts), f"recovery, version {version}: as written")
        data = bytearray(path.read_bytes())
        data[1636:1644] = struct.pack("<Q", page)
        path.write_bytes(data)
        same(path, {p: PARTS[p] for p in parts}, f"recovery, version {version}: wrong offset", [("bad", 1636)])


def vendor3():
    for page in (4096, 2048):
        path, out = D / "vendor3.img", D / "outv3"
        ght.run("mkbootimg", "--vendor_boot", path, "--vendor_ramdisk", D / "ramdisk", "--dtb", D / "dtb",
                "--header_version", 3, "--vendor_cmdline", "androidboot.hardware=x \"a b=c d\"", "--pagesize", page,
                "--board", "brd")
        name = f"vendor_boot 3, pages of {page}"
        rows = same(path, {"ramdisk": PARTS["ramdisk"], "dtb": PARTS["dtb"]}, name)
        if page == 4096:  # unpack_bootimg 29 takes the header for one page, also when it is longer
            ght.run("unpack_bootimg", "--boot_img", path, "--out", out)
            ght.check((out / "vendor_ramdisk").read_bytes() == PARTS["ramdisk"] and
                      (out / "dtb").read_bytes() == PARTS["dtb"], f"{name}: unpack_bootimg agrees")
        h = header(rows)
        ght.equal((h["kind"], h["version"], h["page_size"], h["dtb_size"], h["board"]),
                  ("vendor_boot", 3, page, 2048, "brd"), f"{name}: header")
        ght.equal(args(rows), [("cmdline", "androidboot.hardware", "x"), ("cmdline", "a b", "c d")],
                  f"{name}: arguments")


# ---- version 4, from bootimg.h ----

def boot4(kernel=PARTS["kernel"], ramdisk=PARTS["ramdisk"], signature=b"", cmdline=b"", version=4, size=None):
    head = struct.pack("<8sIIII16xI1536s", b"ANDROID!", len(kernel), len(ramdisk), (14 << 14 << 11) | (24 << 4 | 9),
                       size or (1584 if version == 4 else 1580), version, cmdline)
    head += struct.pack("<I", len(signature)) if version == 4 else b""
    return pad(head) + pad(kernel) + pad(ramdisk) + pad(signature)


def vendor4(fragments, dtb=b"", config=b"", page=4096, rows=None, size=2128, entry=108, pad_to=0):
    """fragments: (name, type, bytes). rows: the table, when it is to say something else."""
    section = b"".join(f[2] for f in fragments) + bytes(pad_to)
    if rows is None:
        rows, at = [], 0
        for name, kind, data in fragments:
            rows.append((len(data), at, kind, name))
            at += len(data)
    table = b"".join(struct.pack("<III32s64x", s, o, k, n) + bytes(entry - 108) for s, o, k, n in rows)
    head = struct.pack("<8sIIIII2048sI16sIIQIIII", b"VNDRBOOT", 4, page, 0, 0, len(section), b"quiet", 0, b"board", size,
                       len(dtb), 0, len(table), len(rows), entry, len(config))
    return b"".join(pad(x, page) for x in (head, section, dtb, table, config))


CONFIG = b"""# comment
androidboot.hardware = cheetah
androidboot.boot_devices = "14700000.ufs", 'b c',
    d  # the array ends
kernel { loglevel=4 ; opt
  nested.deep { key := value
  } }
plain
a = x;b+=y
"""
CONFIG_ROWS = [("androidboot.hardware", "cheetah"), ("androidboot.boot_devices", "14700000.ufs"),
               ("androidboot.boot_devices", "b c"), ("androidboot.boot_devices", "d"), ("kernel.loglevel", "4"),
               ("kernel.opt", None), ("kernel.nested.deep.key", "value"), ("plain", None), ("a", "x"), ("b", "y")]


def version4():
    path = D / "v4.img"
    path.write_bytes(boot4(signature=RND.randbytes(4096), cmdline=b'a="b c" "d e" f= ="x" g'))
    rows = same(path, {"kernel": PARTS["kernel"], "ramdisk": PARTS["ramdisk"],
                       "signature": path.read_bytes()[-4096:]}, "version 4")
    h = header(rows)
    ght.equal((h["version"], h["signature_size"], h["os_version"], h["os_patch_level"]), (4, 4096, "14.0.0", "2024-09"),
              "version 4: header")
    ght.equal(args(rows), [("cmdline", "a", "b c"), ("cmdline", "d e", None), ("cmdline", "f", ""),
                           ("cmdline", '="x"', None), ("cmdline", "g", None)], "quotes as the kernel reads them")
    path.write_bytes(boot4(kernel=b""))
    rows = same(path, {"ramdisk": PARTS["ramdisk"]}, "init_boot")
    ght.equal(header(rows)["kernel_size"], 0, "init_boot: no kernel")
    frags = [(b"", 1, RND.randbytes(5000)), (b"recovery", 2, RND.randbytes(3000)), (b"dlkm", 3, RND.randbytes(1))]
    path.write_bytes(vendor4(frags, dtb=PARTS["dtb"], config=CONFIG, page=2048))
    rows = same(path, {"ramdisk0": frags[0][2], "recovery": frags[1][2], "dlkm": frags[2][2], "dtb": PARTS["dtb"],
                       "bootconfig": CONFIG}, "vendor_boot 4")
    ght.equal([(r["name"], r["type"], r["size"]) for r in ght.rows(rows, "boot_ramdisks")],
              [(n.decode(), k, len(b)) for n, k, b in frags], "vendor_boot 4: boot_ramdisks")
    ght.equal([(k, v) for s, k, v in args(rows) if s == "bootconfig"], CONFIG_ROWS, "vendor_boot 4: bootconfig")
    path.write_bytes(vendor4(frags[:1], entry=120))
    same(path, {"ramdisk": frags[0][2]}, "one nameless ramdisk, longer rows")


# ---- damage and oddities ----

def old_qualcomm():
    """Before versions, Qualcomm kept the size of a device tree table in that word."""
    dt = RND.randbytes(3000)
    head = struct.pack("<8sIIIIIIIIII16s512s32x1024s", b"ANDROID!", 5000, 0, 12288, 0, 0, 0, 0, 2048, len(dt), 0, b"",
                       b"console=null", b"")
    path = D / "old.img"
    path.write_bytes(b"".join(pad(x, 2048) for x in (head, PARTS["kernel"][:5000], PARTS["ramdisk"], dt)))
    rows = same(path, {"kernel": PARTS["kernel"][:5000], "ramdisk": PARTS["ramdisk"], "dt": dt}, "device tree table")
    ght.equal((header(rows)["version"], header(rows)["os_version"]), (0, None), "device tree table: version 0")


def damage():
    path = D / "bad.img"
    data = boot4()
    for size in (100, 1500, 4096, 10000, 4096 + 53248 + 100):
        path.write_bytes(data[:size])
        rows = ght.drive(path)
        ght.check(any(c == "short" for c, _ in notes(rows)), f"cut at {size}: told")
    ght.equal(ght.sha(ght.cat(path, "ramdisk")), ght.sha(PARTS["ramdisk"][:100]), "cut ramdisk: what is there is read")
    path.write_bytes(boot4(size=1600))
    same(path, {"kernel": PARTS["kernel"], "ramdisk": PARTS["ramdisk"]}, "wrong header size", [("bad", 20)])
    path.write_bytes(boot4(version=9))
    ght.equal(notes(ght.drive(path)), [("unsup", 40)], "version 9: refused")
    head = bytearray(pad(struct.pack("<8sIIIIIIIIII", b"ANDROID!", 5000, 0, 12288, 0, 0, 0, 0, 3, 0, 0), 2048))
    path.write_bytes(head + pad(PARTS["kernel"][:5000], 2048) + pad(PARTS["ramdisk"], 2048))
    same(path, {"kernel": PARTS["kernel"][:5000], "ramdisk": PARTS["ramdisk"]}, "page size 3", [("bad", 36)])
    vendor_damage(path)
    bootconfig_damage(path)


def vendor_damage(path):
    frags = [(b"a", 1, RND.randbytes(5000)), (b"b", 2, RND.randbytes(3000))]
    table = 4096 + 8192
    for name, rows, at in (("inside another", [(5000, 0, 1, b"a"), (5000, 3000, 2, b"b")], table + 108),
                           ("outside of the section", [(5000, 0, 1, b"a"), (3001, 5000, 2, b"b")], table + 108)):
        path.write_bytes(vendor4(frags, rows=rows))
        got = ght.drive(path)
        ght.equal(notes(got)[0], ("bad", at), f"ramdisk {name}: told")
        ght.equal([(m["name"], m["flags"]) for m in ght.rows(got, "members") if m["blob"] != 1], [("a", 0), ("b", 4)],
                  f"ramdisk {name}: listed, not read")
    path.write_bytes(vendor4(frags, pad_to=50))
    same(path, {"a": frags[0][2], "b": frags[1][2]}, "bytes behind the last ramdisk", [("bad", 4096 + 8000)])
    data = bytearray(vendor4(frags))
    data[2120:2124] = struct.pack("<I", 12)
    path.write_bytes(data)
    same(path, {"ramdisk": frags[0][2] + frags[1][2]}, "rows too short: the section as one", [("bad", 2112)])


def bootconfig_damage(path):
    for text, want, at in ((b"a = 1\n} \nb = 2", [("a", "1"), ("b", "2")], 6), (b"x = \"open\ny = 2", [("y", "2")], 4),
                           (b"k {\nv = 1", [("k.v", "1")], 9), (b"what ever\nz", [("z", None)], 5),
                           (b"a{" * 20 + b"\nq=1", [("q", "1")], 33)):
        path.write_bytes(vendor4([(b"a", 1, b"x")], config=text))
        rows = ght.drive(path)
        ght.equal([(k, v) for s, k, v in args(rows) if s == "bootconfig"], want, f"bootconfig {text[:12]}: rows")
        ght.equal(notes(rows), [("bad", 3 * 4096 + at)], f"bootconfig {text[:12]}: told")


tools()
version4()
old_qualcomm()
damage()
ght.done()
