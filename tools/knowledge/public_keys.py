#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""List signing keys whose private half lies in public Android source, as rows for data/known_keys.tsv.

public_keys.py certs|avb NAME=GIT_DIR...
  NAME  how to cite the repository, e.g. "AOSP platform/build"
A certificate X.x509.pem counts when X.pk8 is beside it; an AVB key X.avbpubkey when X.pem beside it holds a private key. All commits are walked,
so keys that were removed later are found too: phones that were signed with them are still about.
"""
import base64
import hashlib
import re
import subprocess
import sys




def git(repo, *args):
    return subprocess.run(['git', '-C', repo, *args], capture_output=True, check=True).stdout


def blobs(repo, patterns):
    """{(path, blob): first commit} of every version of the matching files, over all branches."""
    seen = {}
    out = git(repo, 'log', '--all', '--no-renames', '--diff-filter=AM', '--raw', '--no-abbrev', '--reverse', '--format=@%h %cs', '--', *patterns)
    commit = ''
    for line in out.decode().splitlines():
        if line.startswith('@'):
            commit, day = line[1:].split()
            commit = f'{commit[:12]} {day}'
        elif line.startswith(':'):
            meta, path = line.split('\t', 1)
            seen.setdefault((path, meta.split()[3]), commit)
    return seen


def content(repo, blob):
    got = subprocess.run(['git', '-C', repo, 'cat-file', 'blob', blob], capture_output=True)
    return got.stdout if got.returncode == 0 else b''


def certs(name, repo):
    files = blobs(repo, ['*.x509.pem', '*.pk8'])
    private = {path[:-4] for path, _ in files if path.endswith('.pk8')}
    for (path, blob), commit in files.items():
        if not path.endswith('.x509.pem') or path[:-9] not in private:
            continue
        pem = re.search(rb'-----BEGIN CERTIFICATE-----(.+?)-----END', content(repo, blob), re.S)
        if pem:
            yield hashlib.sha256(base64.b64decode(pem[1])).hexdigest(), path, commit


def avb(name, repo):
    files = blobs(repo, ['*.avbpubkey', '*.pem'])
    private = {path[:-4] for (path, blob) in files if path.endswith('.pem') and b'PRIVATE KEY-----' in content(repo, blob)}
    for (path, blob), commit in files.items():
        if path.endswith('.avbpubkey') and path[:-10] in private:
            key = content(repo, blob)
            bits = int.from_bytes(key[:4], 'big')
            if bits and len(key) == 8 + bits // 4:
                yield hashlib.sha1(key).hexdigest(), path, commit


def main():
    kind = {'certs': certs, 'avb': avb}[sys.argv[1]]
    rows = {}
    for arg in sys.argv[2:]:
        name, repo = arg.split('=', 1)
        for digest, path, commit in kind(name, repo):
            if re.search(r'(^|/)(tests?|cts|testdata|test_data|apexd_testdata)(/|$)', path) and 'releasetools' not in path:
                continue
            label = path.rsplit('/', 1)[-1].removesuffix('.x509.pem').removesuffix('.avbpubkey')
            rows.setdefault(digest, (label, f'{name}, {path} ({commit})'))
    for digest, (label, source) in sorted(rows.items(), key=lambda r: (r[1][0], r[0])):
        kind = 'apex' if sys.argv[1] == 'avb' or 'apex' in source else 'apk'
        print('\t'.join((digest, kind, 'AOSP ' + label, 'test', 'aosp', source)))


if __name__ == '__main__':
    main()
