#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Gather makers' keys out of facts databases of firmware dumps, into data/known_keys.tsv.

maker_keys.py FACTS.db=OWNER/DUMP@COMMIT[:BRAND]...
  FACTS.db  made by `gifthorse scan DUMP --db FACTS.db`
  BRAND     where the dump has no property that says it
Only signatures that hold count. platform: who signs the package `android`, else most packages of android.uid.system (two at least). update: the
certificates that the image itself accepts for updates. boot: who signs each list on the way of verified boot. A module's key is Google's where its
name says so and dumps of two makers have it. Keys whose private half is public stay what they are. Rows that are there keep their name;
their sources are written anew where a dump has them again.
"""
import csv
import pathlib
import re
import sqlite3
import sys

DATA = pathlib.Path(__file__).resolve().parents[2] / 'data'
HOLDS = "s.state IN ('verified','stripped')"
FRAMEWORK = f"SELECT DISTINCT lower(s.cert_sha256), s.subject FROM apks a JOIN apk_signers s USING(apk_id) WHERE {HOLDS} AND a.package='android' AND a.is_system"
MOST = f"""SELECT cert, subject FROM (SELECT lower(s.cert_sha256) AS cert, min(s.subject) AS subject, count(DISTINCT a.apk_id) AS n FROM apks a JOIN apk_signers s USING(apk_id)
  WHERE {HOLDS} AND a.shared_uid='android.uid.system' AND a.is_system GROUP BY 1) WHERE n>=2 AND 2*n>(SELECT count(*) FROM apks WHERE shared_uid='android.uid.system')"""
UPDATE = "SELECT DISTINCT lower(cert_sha256), subject FROM ota_certs"
BOOT = "SELECT key_sha1, group_concat(partition, ', ') FROM (SELECT DISTINCT key_sha1, partition FROM avb WHERE kind='vbmeta' AND state='verified' AND key_sha1<>'' ORDER BY 2) GROUP BY 1"
MODULES = "SELECT DISTINCT lower(avb_key_sha1), name FROM apex WHERE vbmeta='verified' AND name LIKE 'com.google.android.%'"


def table(name):
    with open(DATA / name, encoding='utf-8', newline='') as f:
        return list(csv.DictReader(f, delimiter='\t', quoting=csv.QUOTE_NONE))


FAMILY = {r['brand']: r['family'] for r in table('brand_families.tsv') if r['family'] != 'reference'}


def family_of(subject, said):
    """The family that a certificate's subject names, else the one that the build names; and the word that named it."""
    for word in re.findall(r'[a-z]+', (subject or '').lower()):
        if word in FAMILY and word not in ('mi', 'blade', 'palm', 'android'):
            return FAMILY[word], word
    for word in said:
        if word in FAMILY:
            return FAMILY[word], word
    return (said[0], said[0]) if said else ('', 'somebody\'s')


def gather(path, brand):
    """(digest, kind, role, maker, what) of one dump."""
    db = sqlite3.connect(f'file:{path}?mode=ro', uri=True)
    ask = lambda sql: [r for r in db.execute(sql) if r[0]]  # noqa: E731
    said = [brand] * bool(brand) + [v.lower() for k in ('brand', 'manufacturer') for _, v in db.execute('SELECT key, value FROM device WHERE key=?', (k,))]
    maker = lambda subject: family_of(subject, said)  # noqa: E731
    for digest, subject in ask(FRAMEWORK) or ask(MOST):
        yield digest, 'apk', 'platform', maker(subject), 'platform'
    for digest, subject in ask(UPDATE):
        yield digest, 'ota', 'update', maker(subject), 'updates'
    for digest, parts in ask(BOOT):
        yield digest, 'avb', 'boot', maker(''), f'verified boot ({parts})'
    for digest, module in ask(MODULES):
        yield digest, 'apex', 'google_named', ('google', 'google'), f'module {module}'


def main():
    rows = {(r['digest'], r['kind']): r for r in table('known_keys.tsv')}
    public = {r['digest'] for r in rows.values() if r['role'] == 'test'}
    seen = {}
    for arg in sys.argv[1:]:
        path, dump = arg.split('=', 1)
        dump, _, brand = dump.partition(':')
        if not re.fullmatch(r'[^/@\s]+/[^/@\s]+@[0-9a-f]{40}', dump):
            sys.exit(f'{arg}: want FACTS.db=OWNER/DUMP@COMMIT')
        for digest, kind, role, maker, what in gather(path, brand):
            if digest not in public:
                seen.setdefault((digest, kind), {}).setdefault((role, maker, what), set()).add(dump)
    for (digest, kind), whats in sorted(seen.items()):
        (role, (maker, word), what), _ = min(whats.items())
        dumps = sorted(set().union(*whats.values()))
        if role == 'google_named' and len({d.split('/')[1].split('_')[0] for d in dumps}) > 1:
            role = 'google'
        row = rows.get((digest, kind))
        if row and row['role'].startswith('google') and role != 'google':
            continue
        name = row['name'] if row else f'{word.upper() if len(word) < 4 else word.capitalize()} {what}'
        rows[digest, kind] = dict(digest=digest, kind=kind, name=name, role=role, maker=maker, source='read from the public firmware dumps ' + '; '.join(dumps))
    order = ['test', 'google', 'google_named', 'platform', 'update', 'boot', 'leaked']
    out = sorted(rows.values(), key=lambda r: (order.index(r['role']), r['kind'], r['name'], r['digest']))
    with open(DATA / 'known_keys.tsv', 'w', encoding='utf-8') as f:
        for r in [dict.fromkeys(out[0])] + out:
            f.write('\t'.join(v if v is not None else k for k, v in r.items()) + '\n')


if __name__ == '__main__':
    main()
