#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""ELF against readelf: libraries of this machine, arm64 libraries, objects made with many linker options, damaged files.
GH_PARTS: a folder in which tests/demo/fetch_parts.sh unpacked arm64 packages; GH_MODULES: a folder with kernel modules."""
import collections
import os
import pathlib
import re
import shutil
import struct
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "tests/lib"))
import ght  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
MACHINES = {"AArch64": "aarch64", "ARM": "arm", "Advanced Micro Devices X86-64": "x86_64", "Intel 80386": "x86", "RISC-V": "riscv64"}
TYPES = {"REL": "rel", "EXEC": "exec", "DYN": "dyn", "CORE": "core"}
STYPES = {"NOTYPE": "notype", "OBJECT": "object", "FUNC": "func", "SECTION": "section", "FILE": "file", "COMMON": "common",
          "TLS": "tls", "IFUNC": "ifunc"}
FLAGS = {"W": 1, "A": 2, "X": 4, "M": 0x10, "S": 0x20, "I": 0x40, "L": 0x80, "O": 0x100, "G": 0x200, "T": 0x400, "C": 0x800,
         "E": 0x80000000}  # R (retain) is printed for some systems only


def readelf(*argv):
    p = subprocess.run(["readelf", "-W", *map(str, argv)], capture_output=True, env=dict(os.environ, LC_ALL="C"))
    return p.stdout.decode("utf-8", "surrogateescape")


def ref_dynamic(text, f):
    f["needed"] = re.findall(r"\(NEEDED\)\s+Shared library: \[(.*)\]", text)
    one = lambda tag: (re.findall(r"\(%s\)\s+.*?\[(.*)\]" % tag, text) or [None])[-1]
    number = lambda tag: int((re.findall(r"\(%s\)\s+(\w+)" % tag, text) or ["0"])[-1], 0)
    f["soname"] = one("SONAME")
    f["runpath"] = one("RUNPATH") if "(RUNPATH)" in text else one("RPATH")
    word = f["bits"] // 8
    f["n_init"] = (number("INIT") != 0) + number("INIT_ARRAYSZ") // word + number("PREINIT_ARRAYSZ") // word
    f["textrel"] = int("(TEXTREL)" in text or bool(re.search(r"\(FLAGS\).*TEXTREL", text)))
    f["pie"] = bool(re.search(r"\(FLAGS_1\).*PIE", text))


def ref_symbols(text, table):
    """Symbols of one table: undefined ones and oatdata as rows, and how many are exported."""
    rows, exports, inside = [], 0, False
    for line in text.splitlines():
        if line.startswith("Symbol table"):
            inside = f"'{table}'" in line
        line = re.sub(r"<(?:OS|processor) specific>: \d+", "OTHER", line)  # one column, in two words
        m = inside and re.match(r"\s*(\d+): ([0-9a-f]+)\s+(\w+) (\S+)\s+(\S+)\s+(\w+)\s+(?:\[[^\]]*\]\s+)?(\w+) ?(.*)$", line)
        if not m or m[1] == "0":
            continue
        value, size, kind, bind, vis, ndx, name = int(m[2], 16), int(m[3], 0), m[4], m[5], m[6], m[7], m[8]
        name = re.sub(r"\s+\[[^\]]*\]$", "", name)
        name = re.sub(r"@.*", "", name) if table == ".dynsym" else name
        row = (name, int(ndx != "UND"), {"LOCAL": "local", "GLOBAL": "global", "WEAK": "weak", "UNIQUE": "unique"}.get(bind, "other"),
               STYPES.get(kind, "other"), value, size)
        if ndx == "UND":
            if name:
                rows.append(row)
        else:
            exports += bind != "LOCAL" and vis in ("DEFAULT", "PROTECTED")
            if name == "oatdata":
                rows.append(row)
    return rows, exports


def ref_sections(text):
    rows = []
    for m in re.finditer(r"^  \[ *(\d+)\] (.*?) (NULL|[A-Z_0-9a-z+.:<> ]+?)\s+([0-9a-f]{8,16}) ([0-9a-f]{6,}) ([0-9a-f]{6,}) ([0-9a-f]{2,}) ([ A-Za-z]*?)\s+\d+\s+\d+\s+\d+$",
                         text, re.M):
        if m[1] != "0":
            rows.append((m[2].strip(), int(m[5], 16), int(m[6], 16), "".join(c for c in m[8] if c in FLAGS)))
    return rows


def reference(path):
    f = {}
    head = readelf("-h", path)
    machine = re.search(r"Machine:\s+(.*)", head)[1].strip()
    f["machine"] = MACHINES.get(machine, "other")
    f["etype"] = TYPES.get(re.search(r"Type:\s+(\w+)", head)[1], "other")
    f["bits"] = int(re.search(r"Class:\s+ELF(\d+)", head)[1])
    segments = readelf("-l", path)
    m = re.search(r"Requesting program interpreter: (.*)\]", segments)
    f["interp"] = m[1] if m else None
    f["rwx"] = int(bool(re.search(r"^\s+LOAD .* RWE ", segments, re.M)))
    m = re.search(r"Build ID: ([0-9a-f]+)", readelf("-n", path))
    f["build_id"] = m[1] if m else None
    sections = readelf("-S", path)
    f["sections"] = ref_sections(sections)
    f["stripped"] = int(not re.search(r"\bSYMTAB\b", sections))
    ref_dynamic(readelf("-d", path), f)
    f["is_static"] = int((f["etype"] == "exec" or (f["etype"] == "dyn" and f["pie"])) and not f["interp"])
    f["symbols"], f["n_exports"] = ref_symbols(readelf("-s", path), ".symtab" if f["etype"] == "rel" else ".dynsym")
    f["n_imports"] = sum(1 for s in f["symbols"] if not s[1])
    f["oatdata"] = int(any(s[1] for s in f["symbols"]))
    del f["pie"]
    return f


def letters(flags):
    return {c for c, bit in FLAGS.items() if flags & bit}


def ours(path):
    rows = ght.drive(path)
    blob = next(r["child"] for r in rows if r["table"] == "members")
    mine = [r for r in rows if r.get("blob") == blob]
    f = dict(next(iter(ght.rows(mine, "elf")), {}))
    for k in ("table", "blob", "n", "at"):
        f.pop(k, None)
    f["needed"] = [r["soname"] for r in ght.rows(mine, "elf_needed")]
    f["sections"] = [(r["name"], r["off"], r["size"], r["flags"]) for r in ght.rows(mine, "elf_sections")]
    f["symbols"] = [(r["name"], r["defined"], r["bind"], r["stype"], r["value"] & (1 << 64) - 1, r["size"]) for r in ght.rows(mine, "elf_symbols")]
    f["notes"] = [(r["code"], r["what"]) for r in ght.rows(mine, "notes") if r["plugin"] == "elf"]
    return f


def differences(got, want):
    out = []
    for k in want:
        if k == "sections":
            g = [(n or "", o, s, letters(fl)) for n, o, s, fl in got["sections"]]
            w = [(n, o, s, set(fl)) for n, o, s, fl in want["sections"]]
            if g != w:
                out.append((k, [x for x in zip(g, w) if x[0] != x[1]][:2] or (len(g), len(w))))
        elif k == "symbols":
            if collections.Counter(got[k]) != collections.Counter(want[k]):
                a, b = collections.Counter(got[k]), collections.Counter(want[k])
                out.append((k, list((a - b))[:2], list((b - a))[:2]))
        elif got.get(k) != want[k]:
            out.append((k, got.get(k), want[k]))
    return out


def compare(name, paths, quiet=True):
    """All facts of all files; on well-formed files there is nothing to note."""
    wrong = []
    for p in paths:
        try:
            got = ours(p)
            d = differences(got, reference(p)) + ([("notes", got["notes"][:3])] if quiet and got["notes"] else [])
        except Exception as e:  # a crash of either names the file
            d = [repr(e)]
        if d:
            wrong.append((pathlib.Path(p).name, d))
    ght.equal(wrong[:3], [], f"{name}: {len(paths)} files as readelf reads them ({len(wrong)} differ)")


def is_elf(p):
    try:
        with open(p, "rb") as f:
            return f.read(4) == b"\x7fELF"
    except OSError:
        return False


def sample(folder, n, suffix=""):
    found = sorted(p for p in pathlib.Path(folder).rglob("*" + suffix) if p.is_file() and not p.is_symlink() and is_elf(p))
    return found[::max(1, len(found) // n)][:n]


# ---- files made here ----

LIB = """
#include <stdio.h>
extern int elsewhere(int); extern int maybe(int) __attribute__((weak)); __thread int tls_here; extern __thread int tls_there;
int data = 7; int *pointer = &data; __attribute__((visibility("hidden"))) int hidden = 3;
__attribute__((visibility("protected"))) int shielded(void) { return hidden; }
__attribute__((constructor)) static void begin(void) { puts("begin"); }
__attribute__((constructor)) static void again(void) { puts("again"); }
int oatdata_not; int exported(int x) { return elsewhere(x) + (maybe ? maybe(x) : 0) + tls_there + tls_here; }
void *table[] = {(void *)exported, (void *)puts, &data, (void *)shielded};
"""
OAT = "const char oatdata[64] = {1}; const char oatexec[4] = {2};\n"
MAIN = "int main(void) { return 0; }\n"
# As a kernel module is laid out: strings of .modinfo, the module's structure, init and exit under names of their own.
MODULE = """
#define INFO(n, s) static const char n[] __attribute__((used, section(".modinfo"))) = s
INFO(license, "license=GPL"); INFO(vermagic, "vermagic=6.1.57-android14-11 SMP preempt mod_unload aarch64"); INFO(depends, "depends=");
extern int register_it(void *); extern void unregister_it(void *);
static int begin(void) { return register_it(0); }
static void end(void) { unregister_it(0); }
int init_module(void) __attribute__((alias("begin"))); void cleanup_module(void) __attribute__((alias("end")));
struct module { char room[64]; int (*init)(void); void (*exit)(void); };
struct module __this_module __attribute__((section(".gnu.linkonce.this_module"))) = {{"made"}, begin, end};
"""


def build(work):
    """Objects of many kinds: [path], by gcc and by clang with lld, for two or three machines."""
    (work / "lib.c").write_text(LIB)
    (work / "oat.c").write_text(OAT)
    (work / "main.c").write_text(MAIN)
    (work / "module.c").write_text(MODULE)
    (work / "text.c").write_text("extern int far_away; int *const where = &far_away;\n")  # an address in read-only data
    out = []

    def one(name, *argv):
        p = subprocess.run([*argv, "-o", str(work / name)], cwd=work, capture_output=True)
        if p.returncode:
            return ght.check(False, f"built {name}", p.stderr.decode(errors="replace").strip()[-300:])
        out.append(work / name)
        return work / name

    shared = ["-shared", "-fPIC", "-nostdlib", "lib.c"]
    compilers = {"gcc": ["gcc"]}
    if shutil.which("clang") and shutil.which("ld.lld"):
        for t in ("aarch64-linux-android29", "armv7a-linux-androideabi29", "x86_64-linux-android29", "i686-linux-android29",
                  "riscv64-linux-android", "powerpc64-linux-gnu", "mips-linux-gnu"):
            compilers[t] = ["clang", f"--target={t}", "-fuse-ld=lld", "-ffreestanding", "-D_STDIO_H"]
    else:
        ght.skip("objects by clang and lld", "not installed")
    if shutil.which("aarch64-linux-gnu-gcc"):
        compilers["aarch64-gcc"] = ["aarch64-linux-gnu-gcc"]
    else:
        ght.skip("objects by aarch64-linux-gnu-gcc", "not installed")
    (work / "stdio.h").write_text("int puts(const char *);\n")
    for c, cc in compilers.items():
        base = cc + ([] if cc == ["gcc"] else ["-I."])
        lib = one(f"{c}-lib.so", *base, *shared, "-Wl,-soname,libone.so", "-Wl,--build-id=sha1")
        one(f"{c}-oat.so", *base, "-shared", "-fPIC", "-nostdlib", "oat.c", "-Wl,--hash-style=sysv")
        one(f"{c}-both.so", *base, *shared, f"-Wl,--hash-style={'sysv' if 'mips' in c else 'both'}", "-Wl,-soname,libboth.so", "-Wl,-z,now", "-Wl,--enable-new-dtags", "-Wl,-rpath,/odd/place:$ORIGIN")
        one(f"{c}-rpath.so", *base, *shared, "-Wl,--disable-new-dtags", "-Wl,-rpath,/older", "-Wl,--build-id=0x1234abcd")
        one(f"{c}-obj.o", *base, "-c", "-fPIC", "lib.c", "-ffunction-sections", "-fdata-sections")
        one(f"{c}-module.ko", *base, "-r", "-nostdlib", "-fno-common", "module.c")
        one(f"{c}-stripped.so", *base, *shared, "-s", "-Wl,-z,norelro")
        one(f"{c}-rwx", *base, "-nostdlib", "-static", "-Wl,-N", "-Wl,-e,main", "main.c")
        one(f"{c}-static", *base, "-nostdlib", "-static", "-Wl,-e,main", "main.c")
        one(f"{c}-static-pie", *base, "-nostdlib", "-static-pie", "-fPIE", "-Wl,-e,main", "main.c")
        one(f"{c}-pie", *base, "-nostdlib", "-pie", "-fPIE", "-Wl,-e,main", "-Wl,--dynamic-linker=/system/bin/linker64", "main.c", str(lib),
            "-Wl,--unresolved-symbols=ignore-all", "-Wl,--no-as-needed")
        if "clang" in cc:
            one(f"{c}-relr.so", *base, *shared, "-Wl,--pack-dyn-relocs=relr", "-Wl,-z,separate-code")
            one(f"{c}-packed.so", *base, *shared, "-Wl,--pack-dyn-relocs=android", "-Wl,-z,max-page-size=16384")
            if "mips" not in c:  # its ABI knows another table
                one(f"{c}-gnu.so", *base, *shared, "-Wl,--hash-style=gnu", "-Wl,--no-rosegment")
            one(f"{c}-text.so", *base, "-shared", "-nostdlib", "-fno-PIC", "-Wl,-z,notext", "text.c")
    if shutil.which("gcc"):
        one("gcc-full", "gcc", "main.c")
        one("gcc-full-static", "gcc", "-static", "main.c")
        one("gcc-debug.so", "gcc", "-g", *shared)
        if (work / "gcc-debug.so").exists() and shutil.which("objcopy"):
            ght.run("objcopy", "--only-keep-debug", "gcc-debug.so", "only-debug", cwd=work)
            ght.run("objcopy", "--compress-debug-sections", "gcc-debug.so", "compressed.so", cwd=work)
            out.append(work / "compressed.so")
        many = work / "many.c"
        many.write_text("".join(f"int f{i}(void){{return {i};}}\n" for i in range(33000)))
        one("many-sections.o", "gcc", "-c", "-O0", "-ffunction-sections", "-g0", "-fno-asynchronous-unwind-tables", "many.c", "-include", "lib.c")
    return out


def sections_gone(work):
    """With the section table cut off, the loader's view alone must give the same."""
    for p in sorted(work.glob("*-lib.so")) + sorted(work.glob("*-both.so")) + sorted(work.glob("*-oat.so")):
        want = ours(p)
        data = bytearray(p.read_bytes())
        wide, order = data[4] == 2, "<" if data[5] == 1 else ">"
        struct.pack_into(order + ("Q" if wide else "I"), data, 0x28 if wide else 0x20, 0)
        struct.pack_into(order + "HHH", data, 0x3a if wide else 0x2e, 0, 0, 0)
        bare = work / ("bare-" + p.name)
        bare.write_bytes(data)
        got = ours(bare)
        want.update(sections=[], stripped=1)
        ght.equal({k: got.get(k) for k in want if got.get(k) != want[k]}, {}, f"{p.name} without a section table")


# ---- damage ----

class Edit:
    """A file with some fields changed."""

    def __init__(self, work, path):
        self.work, self.data = work, bytearray(path.read_bytes())
        self.phoff, self.shoff = struct.unpack_from("<QQ", self.data, 0x20)
        self.phnum, _, self.shnum = struct.unpack_from("<HHH", self.data, 0x38)

    def segment(self, kind):
        return next(self.phoff + 56 * i for i in range(self.phnum) if struct.unpack_from("<I", self.data, self.phoff + 56 * i)[0] == kind)

    def section(self, kind):
        return next(self.shoff + 64 * i for i in range(self.shnum) if struct.unpack_from("<I", self.data, self.shoff + 64 * i + 4)[0] == kind)

    def dynamic(self, tag):
        off, = struct.unpack_from("<Q", self.data, self.segment(2) + 8)
        return next(off + 16 * i for i in range(200) if struct.unpack_from("<Q", self.data, off + 16 * i)[0] == tag)

    def put(self, at, fmt, *v):
        struct.pack_into("<" + fmt, self.data, at, *v)
        return self

    def expect(self, code, words, name):
        p = self.work / "edited"
        p.write_bytes(self.data)
        got = ours(p)
        ght.check(any(c == code and words in w for c, w in got["notes"]), f"{name}: noted", str(got["notes"])[:300])
        return got


def damage(work):
    lib = work / "gcc-both.so"
    if not lib.exists():
        return ght.skip("damage", "no library was built")
    e = lambda: Edit(work, lib)  # noqa: E731
    whole = ours(lib)
    e().put(0x28, "Q", 1 << 40).expect("short", "section headers", "section table outside")
    e().put(0x20, "Q", 1 << 62).expect("short", "program headers", "program headers outside")
    e().put(0x3a, "H", 63).expect("bad", "section headers of 63", "odd size of section headers")
    e().put(0x36, "H", 55).expect("bad", "program headers of 55", "odd size of program headers")
    e().put(0x3e, "H", 0xfff0).expect("bad", "with the names", "names of sections missing")
    e().put(4, "B", 9).expect("bad", "class 9", "class")
    x = e()
    x.put(x.segment(1) + 32, "Q", 1 << 33).expect("short", "segment", "segment outside")
    x = e()
    x.put(x.segment(2) + 8, "Q", 0x7fffffff).expect("short", "dynamic section", "dynamic section outside")
    x = e()
    x.put(x.segment(2), "I", 0x6abcdef0).expect("bad", "no segment names", "dynamic section in no segment")
    x = e()
    got = x.put(x.section(6) + 24, "Q", 64).expect("bad", "different dynamic sections", "two dynamic sections")
    ght.equal(got["needed"], whole["needed"], "two dynamic sections: the loader's is read")
    x = e()
    got = x.put(x.section(11) + 32, "Q", 48).expect("bad", "different dynamic symbols", "two counts of symbols")
    ght.equal(got["symbols"], whole["symbols"], "two counts of symbols: the loader's is read")
    x = e()
    x.put(x.dynamic(5) + 8, "Q", 1 << 45).expect("bad", "strings of the dynamic section lie in no segment", "strings in no segment")
    x = e()
    x.put(x.dynamic(10) + 8, "Q", 1 << 45).expect("bad", "strings of the dynamic section reach", "strings too long")
    x = e()
    x.put(x.dynamic(14) + 8, "Q", 1 << 40).expect("bad", "name of the dynamic section", "soname outside the strings")
    x = e()
    x.put(x.dynamic(6) + 8, "Q", 1 << 45).expect("bad", "symbols of the dynamic section lie in no segment", "symbols in no segment")
    x = e()
    x.put(x.dynamic(11) + 8, "Q", 25).expect("bad", "symbols of 25 bytes", "odd size of symbols")
    x = e()
    hash_at, = struct.unpack_from("<Q", x.data, x.dynamic(4) + 8)  # the first segment lies at offset 0
    x.put(hash_at + 4, "I", 0xffffffff).expect("bad", "symbols do not fit", "count of symbols")
    x = e()
    text = next(i for i in range(x.shnum) if struct.unpack_from("<QQ", x.data, x.shoff + 64 * i + 8)[0] & 6 == 6)
    at = x.shoff + 64 * text + 24
    x.put(at, "Q", struct.unpack_from("<Q", x.data, at)[0] + 16).expect("bad", "lies elsewhere", "section apart from its segment")
    foreign(work, lib)
    data = lib.read_bytes()
    for n in list(range(0, 200)) + list(range(200, len(data), 509)):
        (work / "cut").write_bytes(data[:n])
        got = ours(work / "cut")
        if n >= 4 and not got["notes"]:
            return ght.check(False, f"cut to {n} bytes: noted")
    ght.check(True, f"cut at {200 + (len(data) - 200) // 509} lengths: always noted")
    only = work / "only-debug"
    if only.exists():
        ght.equal(ours(only)["notes"], [], "a file with debugging information alone is well-formed")
    return None


def foreign(work, lib):
    """Pieces of images for modem, DSP and TEE: told as not supported, never as damaged."""
    for name, edit in (("another processor", lambda x: x.put(0x12, "H", 0)),
                       ("segment of hashes", lambda x: x.put(x.segment(0x6474e551), "II", 0, 2 << 24 | 1 << 21))):
        x = edit(Edit(work, lib))
        del x.data[len(x.data) // 2:]
        codes = {c for c, _ in x.expect("unsup", "segment", f"{name}, cut")["notes"]}
        ght.equal(codes, {"unsup"}, f"{name}, cut: nothing is called damaged")


def seeds():
    for path in sorted((HERE / "seeds").iterdir()):
        ght.equal(bool(ours(path)["notes"]), path.name.startswith("bad_"), f"seed {path.name}")


def make_seeds():
    work = ght.tmp()
    build(work)
    to = HERE / "seeds"
    to.mkdir(exist_ok=True)
    small = ["-Wl,-z,max-page-size=4096"]
    for name, target, extra in (("aarch64.so", "aarch64-linux-android29", ["-Wl,--pack-dyn-relocs=relr"]), ("arm.so", "armv7a-linux-androideabi29", []),
                                ("mips_be.so", "mips-linux-gnu", []), ("sysv.so", "x86_64-linux-android29", ["-Wl,--hash-style=sysv"])):
        ght.run("clang", f"--target={target}", "-fuse-ld=lld", "-ffreestanding", "-I.", "-shared", "-fPIC", "-nostdlib", "lib.c", "-Os",
                "-Wl,-soname,lib.so", "-Wl,--build-id", *small, *extra, "-o", to / name, cwd=work)
    shutil.copy(work / "gcc-obj.o", to / "object.o")
    lib = to / "sysv.so"
    for name, edit in (("bad_sections", lambda x: x.put(0x28, "Q", 1 << 40)), ("bad_segment", lambda x: x.put(x.segment(1) + 32, "Q", 1 << 33)),
                       ("bad_dynamic", lambda x: x.put(x.segment(2) + 8, "Q", 0x7fffffff)), ("bad_strings", lambda x: x.put(x.dynamic(5) + 8, "Q", 1 << 45)),
                       ("bad_soname", lambda x: x.put(x.dynamic(14) + 8, "Q", 1 << 40)), ("bad_two", lambda x: x.put(x.section(6) + 24, "Q", 64))):
        x = Edit(work, lib)
        edit(x)
        (to / name).write_bytes(x.data)
    (to / "bad_cut").write_bytes(lib.read_bytes()[:600])


def main():
    if sys.argv[1:] == ["--make-seeds"]:
        return make_seeds()
    if not shutil.which("readelf"):
        ght.skip("elf", "readelf is not installed (binutils)")
        ght.done()
    work = ght.tmp()
    compare("built here", build(work))
    sections_gone(work)
    damage(work)
    seeds()
    host = pathlib.Path("/usr/lib") / (os.uname().machine + "-linux-gnu")
    compare("libraries of this machine", sample(host, 300))
    compare("programs of this machine", sample("/usr/bin", 60))
    parts = pathlib.Path(os.environ.get("GH_DEMO", ght.ROOT / "build/demo")) / ".work/parts/arm64"
    cross = pathlib.Path("/usr/aarch64-linux-gnu/lib")
    if parts.is_dir():
        compare("arm64 packages", sample(parts, 200))
    elif cross.is_dir():
        compare("arm64 C library", sample(cross, 60))
    else:
        ght.skip("arm64 libraries", "neither the demonstration phone's parts (GH_DEMO) nor libc6-dev-arm64-cross are there")
    if os.path.isdir("/lib/modules"):  # modules are made above; these are more
        compare("kernel modules of this machine", sample("/lib/modules", 60, ".ko"))
    ght.done()


main()
