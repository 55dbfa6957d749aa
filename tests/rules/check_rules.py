#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Hold every shipped rule to src/rules/README.md: its comments, its statement, and on planted facts that it fires on its case and stays silent on
its look-alikes. The same through real file formats is tested elsewhere. Prints "N passed, N failed"; exits 1 if anything failed."""
import glob
import os
import re
import sqlite3
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import cases
from facts import ROOT, SCHEMA, Facts, tables

KEYS = ['id', 'title', 'severity', 'axis', 'certainty', 'witness', 'needs', 'case', 'lookalike', 'explain', 'verify', 'next']
SEVERITIES = ['info', 'low', 'medium', 'high', 'critical']
AXES = {'integrity', 'provenance', 'behaviour', 'coverage'}
WITNESSES = {'bytes of an image', 'a signature', 'hardware attestation', 'a capture', "the phone's own word", 'a recording'}
CERTAINTY = re.compile(r'(able|path found|observed|same structure as a documented case)$')
PLUGINS = set('zip gzip tar cpio sparse lp ext4 erofs bootimg vdex oat odex elf dex code art apk cert avb properties initrc fstab permissions hosts adbkeys script passwd verity ota payload payloadsig firmware capture recording live'.split())
TOLD = {'properties', 'packages', 'sockets', 'settings', 'powers'}  # live WHAT
CHECKS = ('half-rate inside', 'half-rate from the start', 'cadence lock', 'frozen values', 'drop-outs', 'pauses and restarts', 'rate against its own beats',
          'accuracy against a reference')
PLACEHOLDERS = {'input', 'image', 'path', 'dpath', 'sha256', 'offset'}
FORBIDDEN = re.compile('back' + r'door|\bim' + r'plant|\bcle' + r'an\b|\bcle' + r'an(er|ed|up)', re.I)
COLUMNS = {'file_id', 'at', 'evidence', 'severity', 'subject'}
DIGEST = {'sha256': 64, 'cert_sha256': 64, 'sha1': 40}

passed, failed = 0, 0


def check(ok, what):
    global passed, failed
    if ok:
        passed += 1
    else:
        failed += 1
        print('FAIL', what)
    return ok


def parse(path):
    """(front matter, statement) of a rule file."""
    meta, key, sql = {}, None, []
    with open(path, encoding='utf-8') as f:
        for line in f:
            line = line.rstrip('\n')
            if line.startswith('--@ '):
                key, _, value = line[4:].partition(':')
                if key in meta:
                    raise ValueError(f'{path}: {key} twice')
                meta[key] = value.strip()
            elif line.startswith('--|'):
                text = line[3:].strip()
                meta[key] += '\n\n' if not text else ('' if meta[key].endswith('\n') else ' ') + text
            else:
                sql.append(line)
    return meta, '\n'.join(sql)


def check_front(name, meta, text, knowledge):
    check(list(meta) == KEYS, f'{name}: keys {list(meta)}')
    check(meta.get('id') == name and re.fullmatch(r'GH-[ZNBPCLTW]\d\d', name), f'{name}: id')
    check(text.startswith('-- SPDX-License-Identifier: Apache-2.0\n'), f'{name}: licence line')
    check(0 < len(meta['title']) <= 78 and not meta['title'].endswith('.'), f'{name}: title')
    check(meta['severity'] in SEVERITIES, f'{name}: severity')
    check(meta['axis'] in AXES, f'{name}: axis')
    check(CERTAINTY.match(meta['certainty']), f'{name}: certainty')
    check(meta['witness'] in WITNESSES, f'{name}: witness')
    check(not FORBIDDEN.search(text), f'{name}: a word that is never printed: {FORBIDDEN.search(text)}')
    check(all(ord(c) < 128 or c in '…·' for c in text), f'{name}: letters outside ASCII')
    check(max(len(x) for x in text.split('\n')) <= 170, f'{name}: a line is too long')
    check(all(len(meta[k]) > 15 for k in ('case', 'lookalike', 'verify', 'next')) and len(meta['explain']) > 150, f'{name}: too short')
    check('\n' not in meta['verify'] and set(re.findall(r'\{(\w+)\}', meta['verify'] + meta['next'])) <= PLACEHOLDERS, f'{name}: placeholders')
    command = re.sub(r'\{\w+\}', 'x', meta['verify'])
    check(subprocess.run(['sh', '-n', '-c', command], capture_output=True).returncode == 0, f'{name}: verify is no shell command')
    first = meta['next'].split('. ')[0]
    destroys = [m.start() for m in re.finditer(r'\b(update|reset|flash|uninstall)', meta['next'])]
    keeps = meta['next'].find('Keep the firmware file')
    check(not destroys or 0 <= keeps < destroys[0] or re.match(r'(Look up|If you|Nothing|If it was not you)', first), f'{name}: evidence comes first')
    for token in [x.strip() for x in meta['needs'].split(',')]:
        word, _, arg = token.partition(' ')
        check((word == 'plugin' and arg in PLUGINS) or (word == 'knowledge' and arg in knowledge) or token in ('attributes', 'user-build', 'reference', 'resolvers', 'indicators', 'verified signers', 'verified lists', 'verified modules',
                    'reference of this build', 'reference of this release', 'same-build', 'vbmeta digest')
              or (word == 'live' and (arg in TOLD or arg.startswith('path /')))
              or (word == 'recording' and arg in CHECKS),
              f'{name}: needs {token!r}')


def tables_read(facts, sql):
    """The tables a statement reads, as SQLite itself resolves them."""
    seen = set()

    def note(action, table, column, *_):
        if action == sqlite3.SQLITE_READ:
            seen.add(table)
        return sqlite3.SQLITE_OK
    facts.db.set_authorizer(note)
    facts.db.execute('EXPLAIN ' + sql)
    facts.db.set_authorizer(None)
    return seen


NEEDED_FOR = {'script_cmds': 'plugin script', 'init_services': 'plugin initrc', 'init_actions': 'plugin initrc', 'ueventd': 'plugin initrc', 'properties': 'plugin properties',
              'apks': 'plugin apk', 'oat_dex': 'plugin oat', 'fstab': 'plugin fstab', 'hosts_entries': 'plugin hosts', 'adb_keys': 'plugin adbkeys', 'avb_images': 'plugin avb', 'avb': 'plugin avb', 'apk_checks': 'plugin apk', 'ota': 'plugin ota', 'payload_sigs': 'plugin payloadsig', 'firmware_signs': 'plugin firmware', 'payload_checks': 'plugin payload',
              'boot_args': 'plugin bootimg', 'passwd': 'plugin passwd', 'ssh_keys': 'plugin passwd', 'privapp': 'plugin permissions', 'default_perms': 'plugin permissions',
              'ca_certs': 'plugin cert', 'ota_certs': 'plugin cert', 'elf_symbols': 'plugin elf', 'flows': 'plugin capture', 'dns_messages': 'plugin capture', 'tls_sessions': 'plugin capture', 'leaks': 'plugin capture',
              'traffic_oddities': 'plugin capture', 'beacons': 'plugin capture', 'resolvers': 'resolvers', 'indicators': 'indicators', 'apk_signers': 'plugin cert', 'reference': 'reference', 'elf_needed': 'plugin elf', 'elf': 'plugin elf', 'apex': 'plugin avb',
              'live_properties': 'live properties',
              'live_powers': 'live powers', 'live_sockets': 'live sockets', 'live_apps': 'live packages', 'live_settings': 'live settings', 'live_same_build': 'same-build'}


def check_statement(name, meta, sql, knowledge):
    statements = [s for s in re.sub(r'--.*', '', sql).split(';') if s.strip()]
    if not check(len(statements) == 1, f'{name}: one statement'):
        return
    facts = Facts(scan=False)
    try:
        cursor = facts.db.execute(sql)
    except sqlite3.Error as e:
        check(False, f'{name}: {e}')
        return
    columns = [d[0] for d in cursor.description]
    check({'file_id', 'at', 'evidence'} <= set(columns) <= COLUMNS and len(set(columns)) == len(columns), f'{name}: columns {columns}')
    check(cursor.fetchall() == [], f'{name}: rows from nothing')
    check(not re.search(r'\b(random|date|time|datetime|julianday|changes|last_insert_rowid)\s*\(', sql, re.I), f'{name}: not deterministic')
    needs = [x.strip() for x in meta['needs'].split(',')]
    for table in sorted(tables_read(facts, sql)):
        need = NEEDED_FOR.get(table) or (f'knowledge {table}' if table in knowledge else None)
        check(need is None or need in needs or (need == 'reference' and any(n.startswith(need) for n in needs)) or table in cases.OPTIONAL.get(name, ()), f'{name}: reads {table} but does not need {need!r}')
    if 'f.mode' in sql or 'f.caps' in sql or 'f.iflags' in sql:
        said = 'f.attrs=1' in sql or ('f.attrs>0' in sql and 'own word' in sql)  # a phone's word of itself is told as that
        check('attributes' in needs and said, f'{name}: modes without attributes')


def run(facts, sql):
    cursor = facts.db.execute(sql)
    columns = [d[0] for d in cursor.description]
    return [dict(zip(columns, row)) for row in cursor.fetchall()]


def check_rows(name, what, facts, rows):
    for row in rows:
        ok = isinstance(row['evidence'], str) and row['evidence'] and '\n' not in row['evidence'] and not FORBIDDEN.search(row['evidence'])
        check(ok, f'{name}, {what}: evidence {row["evidence"]!r}')
        check(row['at'] is None or isinstance(row['at'], int), f'{name}, {what}: at {row["at"]!r}')
        known = row['file_id'] is None or facts.db.execute('SELECT 1 FROM files WHERE file_id=?', (row['file_id'],)).fetchone()
        check(known, f'{name}, {what}: file_id {row["file_id"]} is no file')
        check(row.get('severity') in [None] + SEVERITIES, f'{name}, {what}: severity {row.get("severity")!r}')
    prints = [(r['file_id'], r.get('subject')) for r in rows]
    check(len(set(prints)) == len(prints), f'{name}, {what}: two findings cannot be told apart: {prints}')


def plant(case, build='user'):
    facts = Facts(build=build, sdk=case.sdk)
    case.plant(facts)
    return facts


def turned(facts):
    """The same facts in the opposite order."""
    for (table,) in facts.db.execute("SELECT name FROM sqlite_master WHERE type='table'").fetchall():
        rows = facts.db.execute(f'SELECT * FROM {table}').fetchall()
        facts.db.execute(f'DELETE FROM {table}')
        for row in reversed(rows):
            facts.db.execute(f'INSERT INTO {table} VALUES({",".join("?" * len(row))})', row)
    return facts


def check_case(case, rules):
    meta, sql = rules[case.rule]
    facts = plant(case)
    rows = run(facts, sql)
    check_rows(case.rule, case.what, facts, rows)
    check(len(rows) == case.rows, f'{case.rule}, {case.what}: {len(rows)} rows instead of {case.rows}: {rows}')
    again = run(turned(plant(case)), sql)
    check(sorted(map(repr, rows)) == sorted(map(repr, again)), f'{case.rule}, {case.what}: the order of facts changes the result')
    got = sorted({r.get('severity') or meta['severity'] for r in rows})
    if case.rows:
        check(got == sorted(case.severity or {meta['severity']}), f'{case.rule}, {case.what}: severity {got}')
    if case.rows and 'user-build' in meta['needs']:
        lowered = [r for r in run(plant(case, 'userdebug'), sql) if r.get('severity') is None]
        check(not lowered or meta['severity'] == 'info', f'{case.rule}, {case.what}: not lowered on a developer build: {lowered}')


def check_knowledge(data):
    for name, (columns, rows) in data.items():
        check(rows and all(len(r) == len(columns) for r in rows), f'data/{name}.tsv: ragged')
        check(columns[-1] == 'source' and all(r[-1] for r in rows), f'data/{name}.tsv: a row without source')
        check(len({tuple(r) for r in rows}) == len(rows), f'data/{name}.tsv: a row twice')
        for n, column in enumerate(columns):
            if column in DIGEST:
                good = all(re.fullmatch('[0-9a-f]{%d}' % DIGEST[column], r[n]) or (name == 'named_exceptions' and r[n] == '') for r in rows)
                check(good, f'data/{name}.tsv: a {column} is no digest')
        if columns[0] in DIGEST and name != 'ca_roots':
            check(len({r[0] for r in rows}) == len(rows), f'data/{name}.tsv: a digest twice')
    keys = [dict(zip(data['known_keys'][0], r)) for r in data['known_keys'][1]]
    rows = {r['digest']: r['name'] for r in keys if r['role'] == 'test'}
    # the published values of the two keys that most findings rest on
    check(rows.get('c8a2e9bccf597c2fb6dc66bee293fc13f2fc47ec77bc6b2b0d52c11f51192ab8') == 'AOSP platform', 'known_keys: AOSP platform')
    check(rows.get('2597c218aae470a130f61162feaae70afd97f011') == 'AOSP testkey_rsa4096', 'known_keys: testkey_rsa4096')
    check(len({(r['digest'], r['kind']) for r in keys}) == len(keys), 'known_keys: a digest twice for one kind')
    for r in keys:
        check(re.fullmatch('[0-9a-f]{40}' if r['kind'] == 'avb' else '[0-9a-f]{64}|[0-9a-f]{40}' if r['kind'] == 'apex' else '[0-9a-f]{64}', r['digest']), f'known_keys: {r["digest"]}')
        check(r['kind'] in ('apk', 'apex', 'ota', 'avb') and r['role'] in ('test', 'google', 'google_named', 'platform', 'update', 'boot', 'leaked'), f'known_keys: {r}')
        check(r['maker'] in ({b[1] for b in data['brand_families'][1]} | {'aosp'}) or r['role'] != 'platform', f'known_keys: maker {r["maker"]} is no family')
        check(r['role'] in ('test', 'google', 'google_named', 'leaked') or re.search(r'@[0-9a-f]{40}', r['source']), f'known_keys: {r["digest"]} names no dump and commit')
        check(r['role'] == 'test' or not any(o['role'] == 'test' and o['digest'] == r['digest'] for o in keys), f'known_keys: {r["digest"]} is a test key and another')
    for r in data['bl_priv_files'][1]:
        row = dict(zip(data['bl_priv_files'][0], r))
        check(int(row['mode']) == int(row['mode_octal'], 8), f'bl_priv_files: {row["path"]} mode')
    brands = {r[0] for r in data['brand_families'][1]}
    check(all(b == b.lower() for b in brands), 'brand_families: brands are lower case')


def real_views():
    """An empty facts database as the program makes it: the tables of content from tables.def, the other tables, the views, the knowledge."""
    db = sqlite3.connect(':memory:')
    base = os.path.join(ROOT, 'src', 'facts')
    with open(os.path.join(base, 'tables.def'), encoding='utf-8') as f:
        columns = re.findall(r'^(?:TEXT|INT)\((\w+), (\w+)\)', f.read(), re.M)
    for table in dict.fromkeys(t for t, _ in columns):
        db.execute(f'CREATE TABLE c_{table}(blob_id, n, at, {",".join(c for t, c in columns if t == table)})')
    for name in sorted(os.listdir(os.path.join(base, 'sql'))):
        with open(os.path.join(base, 'sql', name), encoding='utf-8') as f:
            db.executescript(f.read().replace('@VIEW@', 'CREATE VIEW').replace('@SCAN@', '1'))
    return db


def check_views(rules, data):
    """The planted tables against the program's views: no column that is not there; and every rule prepares on the views."""
    ours, real = sqlite3.connect(':memory:'), real_views()
    ours.executescript(SCHEMA)
    for (table,) in ours.execute("SELECT name FROM sqlite_master WHERE type='table'").fetchall():
        have = {r[1] for r in ours.execute(f'PRAGMA table_info({table})')}
        there = {r[1] for r in real.execute(f'PRAGMA table_info({table})')}
        check(have <= there, f'facts: {table} has no {sorted(have - there)}')
    for name, (columns, _) in data.items():
        real.execute(f'CREATE TABLE {name}({",".join(columns)})')
    for name, (_, sql) in rules.items():
        try:
            check(real.execute(sql).fetchall() == [], f'{name}: rows from an empty database')
        except sqlite3.Error as e:
            check(False, f'{name} on the views: {e}')


def main():
    data = tables(os.path.join(ROOT, 'data'))
    check_knowledge(data)
    rules = {}
    for path in sorted(glob.glob(os.path.join(ROOT, 'src', 'rules', 'library', '*.sql'))):
        name = os.path.basename(path)[:-4]
        with open(path, encoding='utf-8') as f:
            text = f.read()
        rules[name] = meta, sql = parse(path)
        check_front(name, meta, text, data)
        check_statement(name, meta, sql, data)
    check_views(rules, data)
    check(len({m['title'] for m, _ in rules.values()}) == len(rules), 'a title twice')

    for case in cases.CASES:
        check_case(case, rules)
    for name in rules:
        mine = [c for c in cases.CASES if c.rule == name]
        check(any(c.rows for c in mine), f'{name}: no case in which it fires')
        check(any(not c.rows for c in mine), f'{name}: no look-alike on which it is silent')

    # an honest phone with every look-alike at once, and all cases at once: no rule disturbs another
    honest = Facts()
    cases.honest(honest)
    for name, (meta, sql) in rules.items():
        rows = run(honest, sql)
        check(not rows, f'{name}: fires on the honest phone: {rows}')
    print(f'{len(rules)} rules, {len(cases.CASES)} cases')
    print(f'{passed} passed, {failed} failed')
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
