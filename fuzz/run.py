#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Fuzzes targets for some seconds each from the seeds of their plug-in, and prints how many inputs each tried. A crash is kept as
fuzz/crashes/<target>-*; what is mended becomes a seed. fuzz/run.py --build DIR --seconds N TARGET...|all"""
import argparse
import os
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent


def seeds(name):
    dirs = [d for d in (ROOT / "src").glob("*/*/seeds") if name == "tree" or d.parent.name == name]
    return [str(d) for d in dirs]


def fuzz(build, name, seconds):
    crashes = ROOT / "fuzz/crashes"
    crashes.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="fuzz-") as corpus:
        argv = [str(build / f"fuzz_{name}"), corpus, *seeds(name), f"-max_total_time={seconds}", "-max_len=65536", "-timeout=25", "-rss_limit_mb=4096",
                "-print_final_stats=1", f"-artifact_prefix={crashes}/{name}-", "-detect_leaks=0"]
        # What is undefined must stop the run as a crash does.
        p = subprocess.run(argv, capture_output=True, env={**os.environ, "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1"})
    text = p.stderr.decode(errors="replace")
    runs = re.search(r"number_of_executed_units: (\d+)", text)
    cov = re.findall(r"cov: (\d+)", text)
    print(f"{'ok  ' if p.returncode == 0 else 'FAIL'} {name}: {runs.group(1) if runs else '?'} inputs in {seconds} s, coverage {cov[-1] if cov else '?'}", flush=True)
    if p.returncode:
        print(text[-3000:])
    return p.returncode == 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default="build-fuzz")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("targets", nargs="+")
    a = parser.parse_args()
    build = ROOT / a.build
    names = a.targets
    if names == ["all"]:
        names = sorted(p.name[5:] for p in build.glob("fuzz_*") if p.is_file())
    bad = [n for n in names if not fuzz(build, n, a.seconds)]
    print(f"{len(names) - len(bad)} passed, {len(bad)} failed, 0 skipped")
    sys.exit(1 if bad else 0)


main()
