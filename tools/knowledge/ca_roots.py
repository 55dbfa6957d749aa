#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Write data/ca_roots.tsv: every root certificate that Android's system/ca-certificates ever held, and Mozilla's web roots.

ca_roots.py GIT_DIR MOZILLA_DIR MOZILLA_NAME > data/ca_roots.tsv
  GIT_DIR      a clone of system/ca-certificates with all its branches
  MOZILLA_DIR  usr/share/ca-certificates/mozilla of Debian's package ca-certificates, unpacked
  MOZILLA_NAME how to cite it, e.g. "Debian ca-certificates 20250419~deb12u2"
Only digests, names and dates are written: facts, no certificate.
"""
import base64
import hashlib
import os
import re
import subprocess
import sys

STORES = {'files': 'system', 'luni/src/main/files': 'system', 'google/files': 'google', 'wfa_certs/files': 'wfa'}
PEM = re.compile(rb'-----BEGIN (?:TRUSTED )?CERTIFICATE-----(.+?)-----END (?:TRUSTED )?CERTIFICATE-----', re.S)


def git(repo, *args):
    return subprocess.run(['git', '-C', repo, *args], capture_output=True, check=True).stdout


def ders(data):
    return [base64.b64decode(m) for m in PEM.findall(data)]


def subject(der):
    out = subprocess.run(['openssl', 'x509', '-inform', 'der', '-noout', '-subject', '-nameopt', 'RFC2253,utf8,-esc_msb'],
                         input=der, capture_output=True, check=True).stdout.decode()
    return out.strip().removeprefix('subject=').replace('\t', ' ')


def tree(repo, commit, cache):
    """The set of (store, sha256) in one commit."""
    found = set()
    for line in git(repo, 'ls-tree', '-r', commit).decode().splitlines():
        meta, path = line.split('\t')
        store = STORES.get(path.rpartition('/')[0])
        if store is None or not re.search(r'\.\d+$', path):
            continue
        blob = meta.split()[2]
        if blob not in cache:
            cache[blob] = ders(git(repo, 'cat-file', 'blob', blob))
        for der in cache[blob]:
            found.add((store, der))
    return found


def android(repo):
    """{(store, der): [first, removed]} over all branches; removed is '' while the newest branch holds it."""
    cache, trees, parents, date, order = {}, {}, {}, {}, []
    for line in git(repo, 'log', '--all', '--format=%H %cs %P').decode().splitlines():
        commit, day, *up = line.split()
        order.append(commit)
        date[commit], parents[commit] = day, up
        trees[commit] = tree(repo, commit, cache)
    branches = git(repo, 'for-each-ref', '--sort=version:refname', '--format=%(objectname)', 'refs/heads').decode().split()
    newest = branches[-1]
    main = set(git(repo, 'log', '--format=%H', newest).decode().split())
    rows = {}
    for commit in order:
        for root in trees[commit]:
            first = rows.setdefault(root, [date[commit], ''])
            first[0] = min(first[0], date[commit])
    for root, row in rows.items():
        if root in trees[newest]:
            continue
        gone = [date[c] for c in main if root not in trees[c] and any(root in trees[p] for p in parents[c])]
        row[1] = max(gone) if gone else 'never on the newest branch'
    return rows, len(order), date[newest]


def main():
    repo, mozilla, name = sys.argv[1:4]
    rows, commits, last = android(repo)
    print('sha256\tsubject\tstore\tfirst_seen\tremoved\tsource')
    out, known = [], set()
    for (store, der), (first, removed) in rows.items():
        digest = hashlib.sha256(der).hexdigest()
        known.add(digest)
        out.append((digest, subject(der), store, first, removed, 'AOSP system/ca-certificates'))
    for file in sorted(os.listdir(mozilla)):
        with open(os.path.join(mozilla, file), 'rb') as f:
            for der in ders(f.read()):
                digest = hashlib.sha256(der).hexdigest()
                if digest not in known:
                    known.add(digest)
                    out.append((digest, subject(der), 'mozilla', '', '', name))
    for row in sorted(out):
        print('\t'.join(row))
    print(f'{commits} commits up to {last}, {len(out)} rows, {len(known)} roots', file=sys.stderr)


if __name__ == '__main__':
    main()
