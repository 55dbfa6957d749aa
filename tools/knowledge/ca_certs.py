#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Write data/roots/ca_certs.tsv: the certificates themselves behind the digests of data/ca_roots.tsv (stores `system` and `mozilla`), against which the
chains of a capture are verified.

ca_certs.py GIT_DIR MOZILLA_DIR MOZILLA_NAME < data/ca_roots.tsv > data/roots/ca_certs.tsv
  as for ca_roots.py; what is in none of both is told on standard error
"""
import base64
import csv
import hashlib
import os
import re
import subprocess
import sys

PEM = re.compile(rb'-----BEGIN (?:TRUSTED )?CERTIFICATE-----(.+?)-----END (?:TRUSTED )?CERTIFICATE-----', re.S)


def git(repo, *args):
    return subprocess.run(['git', '--git-dir', repo, *args], capture_output=True, check=True).stdout


def android(repo):
    seen = set()
    for line in git(repo, 'rev-list', '--all', '--objects').decode().splitlines():
        blob, _, path = line.partition(' ')
        if re.search(r'\.\d+$', path) and blob not in seen:
            seen.add(blob)
            for m in PEM.findall(git(repo, 'cat-file', 'blob', blob)):
                yield base64.b64decode(m)


def mozilla(folder):
    for name in sorted(os.listdir(folder)):
        for m in PEM.findall(open(os.path.join(folder, name), 'rb').read()):
            yield base64.b64decode(m)


def main():
    repo, folder, name = sys.argv[1:4]
    wanted = {}
    for row in csv.DictReader(sys.stdin, delimiter='\t', quoting=csv.QUOTE_NONE):
        if row['store'] in ('system', 'mozilla'):
            wanted.setdefault(row['sha256'], set()).add(row['store'])
    found = {}
    for source, ders in (('AOSP system/ca-certificates', android(repo)), (name, mozilla(folder))):
        for der in ders:
            found.setdefault(hashlib.sha256(der).hexdigest(), (der, source))
    print('sha256\tder\tsource')
    for digest in sorted(wanted):
        if digest in found:
            der, source = found[digest]
            print(f'{digest}\t{base64.b64encode(der).decode()}\t{source}')
        else:
            print(f'{digest}: no certificate', file=sys.stderr)


main()
