#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What verification costs: a hash tree and a payload beside `openssl dgst` over the same bytes, and APKs beside apksigner, started once a file and as
one virtual machine for all. verify.py [--build build] [--size MiB] [APK or folder ...]. Ratios of processor time; runs take turns."""
import argparse
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests/tools"))
import mkpayload  # noqa: E402
import mkvbmeta as mk  # noqa: E402

JAR = "/usr/share/java/apksig.jar"
SALT = bytes(range(32))


def cpu(*argv):
    """Processor seconds of a command and all below it."""
    before = os.times()
    subprocess.run([str(a) for a in argv], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def partition(path, size):
    """Random bytes with the tree of veritysetup and a footer."""
    with open(path, "wb") as out:
        for _ in range(size):
            out.write(os.urandom(1 << 20))
    tree = path.with_suffix(".tree")
    text = subprocess.run(["veritysetup", "format", path, tree, "--no-superblock", "--format=1", "--hash=sha256", f"--salt={SALT.hex()}"],
                          check=True, capture_output=True, text=True).stdout
    root = bytes.fromhex(next(line.split()[-1] for line in text.splitlines() if line.startswith("Root hash")))
    n, data = path.stat().st_size, tree.read_bytes()
    tree.unlink()
    with open(path, "ab") as out:
        out.write(data)
    mk.append_footer(str(path), mk.vbmeta([mk.hashtree_descriptor("system", n, n, len(data), root, SALT)]), n, n + len(data), 0)


def trees(drive, work, size, rounds):
    image = work / "system.img"
    partition(image, size)
    # gh_drive hashes its input anyway: what verity adds is the difference to a plug-in that reads only the footer.
    rows = [(cpu("openssl", "dgst", "-sha256", image), cpu(drive, "--only", "verity", image), cpu(drive, "--only", "avb", image))
            for _ in range(rounds)]
    least = [min(r[i] for r in rows) for i in range(3)]
    print(f"hash tree over {size} MiB: openssl dgst -sha256 {least[0]:.2f} s, verity {least[1] - least[2]:.2f} s: "
          f"{(least[1] - least[2]) / least[0]:.2f} times")


def payload(drive, work, size, rounds):
    """The pass over a payload that its signatures are checked by."""
    path, image = work / "payload.bin", os.urandom(size << 20)
    path.write_bytes(mkpayload.payload([mkpayload.full("system", image, "REPLACE")], signature=mkpayload.signatures(bytes(256))))
    # gh_drive hashes its input anyway: a plug-in that reads nothing else is taken off.
    rows = [(cpu("openssl", "dgst", "-sha256", path), cpu(drive, "--only", "payloadsig", path), cpu(drive, "--only", "hosts", path)) for _ in range(rounds)]
    least = [min(r[i] for r in rows) for i in range(3)]
    print(f"payload of {size} MiB: openssl dgst -sha256 {least[0]:.2f} s, payloadsig {least[1] - least[2]:.2f} s: "
          f"{(least[1] - least[2]) / least[0]:.2f} times")
    path.unlink()


def apks(drive, work, files):
    subprocess.run(["javac", "-cp", JAR, "-d", work, ROOT / "bench/Verify.java"], check=True)
    whole = sum(cpu(drive, "--only", "apk", f) for f in files)
    ours = whole - sum(cpu(drive, "--only", "hosts", f) for f in files)  # without starting, and hashing the file
    some = files[:: max(1, len(files) // 20)]
    each = sum(cpu("apksigner", "verify", f) for f in some) * len(files) / len(some)
    one = cpu("java", "-cp", f"{JAR}:{work}", "Verify", *files)
    size = sum(f.stat().st_size for f in files)
    print(f"{len(files)} APKs, {size / 1e6:.1f} MB: verification {ours:.2f} s, with a process a file {whole:.2f} s; apksigner once a file {each:.1f} s "
          f"(from {len(some)} of them), {each / whole:.0f} times; one virtual machine for all {one:.2f} s, {one / ours:.1f} times the verification")


def main():
    ap = argparse.ArgumentParser(description=__doc__)
    ap.add_argument("--build", default=ROOT / "build", type=pathlib.Path)
    ap.add_argument("--size", default=512, type=int)
    ap.add_argument("--rounds", default=3, type=int)
    ap.add_argument("apks", nargs="*", type=pathlib.Path)
    a = ap.parse_args()
    files = [f for p in a.apks for f in (sorted(p.rglob("*.apk")) if p.is_dir() else [p])]
    with tempfile.TemporaryDirectory() as d:
        trees(a.build / "gh_drive", pathlib.Path(d), a.size, a.rounds)
        payload(a.build / "gh_drive", pathlib.Path(d), a.size, a.rounds)
        if files:
            apks(a.build / "gh_drive", pathlib.Path(d), files)


if __name__ == "__main__":
    main()
