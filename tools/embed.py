#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Puts text files into the program: embed.py OUT.c NAME FILE... writes `const struct gh_file gh_NAME[]`, sorted by name."""
import pathlib
import sys

out, name, files = sys.argv[1], sys.argv[2], sorted(sys.argv[3:], key=lambda f: pathlib.Path(f).name)
with open(out, "w") as f:
    f.write('/* Generated from text files. */\n#include "facts/embed.h"\n')
    for i, path in enumerate(files):
        data = pathlib.Path(path).read_bytes()
        f.write(f"static const unsigned char d{i}[] = {{")
        f.write(",".join(str(b) for b in data) + ("," if data else "") + "0};\n")
    f.write(f"const struct gh_file gh_{name}[] = {{\n")
    for i, path in enumerate(files):
        f.write(f'\t{{"{pathlib.Path(path).name}", (const char *)d{i}, sizeof d{i} - 1}},\n')
    f.write(f"\t{{0}},\n}};\nconst size_t gh_n_{name} = {len(files)};\n")
