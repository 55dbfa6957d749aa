# SPDX-License-Identifier: Apache-2.0
"""A facts database in memory with the tables and columns that the shipped rules read, and helpers to plant facts in it."""
import glob
import os
import sqlite3

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

# The views of src/facts/sql as plain tables, with the columns that the rules read; check_rules.py compares them with the views.
SCHEMA = '''
CREATE TABLE scan(scan_id INTEGER PRIMARY KEY, kind TEXT, fingerprint TEXT, sdk INT, build_type TEXT, build_tags TEXT, soc TEXT, brand TEXT, is_live INT);
CREATE TABLE files(file_id INTEGER PRIMARY KEY, artifact_id INT, partition TEXT, image TEXT, slot TEXT, path TEXT, dpath TEXT, name TEXT, ftype TEXT, magic TEXT,
  size INT, attrs INT, mode INT, uid INT, gid INT, caps INT, selinux TEXT, iflags INT, link_target TEXT, sha256 TEXT, bl INT);
CREATE TABLE device(key TEXT, value TEXT, file_id INT);
CREATE TABLE reference(ref INT, kind TEXT, name TEXT, value TEXT);
CREATE TABLE elf(file_id INT, machine TEXT, etype TEXT, soname TEXT, zygote_loaded INT);
CREATE TABLE elf_needed(file_id INT, soname TEXT, resolved_file_id INT);
CREATE TABLE elf_symbols(file_id INT, name TEXT, defined INT, bind TEXT, stype TEXT, value INT, size INT);
CREATE TABLE code_flows(apk_id INT, component_id INT, entry TEXT, kind TEXT, guard TEXT, src TEXT, mids TEXT, sink TEXT, level INT, length INT, path TEXT);
CREATE TABLE code_consts(apk_id INT, at INT, method TEXT, site INT, callee TEXT, arg INT, value TEXT);
CREATE TABLE oat_dex(file_id INT, at INT, kind TEXT, dex_location TEXT, oat_checksum INT, jar_checksum INT, jar_file_id INT, member TEXT, matches INT);
CREATE TABLE apks(apk_id INTEGER PRIMARY KEY, file_id INT, package TEXT, label TEXT, version_code INT, shared_uid TEXT, min_sdk INT, target_sdk INT,
  partition TEXT, is_system INT, is_priv INT, persistent INT, debuggable INT, cleartext INT, has_launcher INT, is_overlay INT, enabled INT, has_code INT, signer_role TEXT, signer_state TEXT, is_bl INT);
CREATE TABLE apk_permissions(apk_id INT, name TEXT, how TEXT, protection TEXT);
CREATE TABLE apk_components(component_id INTEGER PRIMARY KEY, apk_id INT, kind TEXT, name TEXT, exported INT, permission TEXT, perm_level TEXT, enabled INT, process TEXT);
CREATE TABLE apk_intents(component_id INT, apk_id INT, action TEXT, category TEXT, scheme TEXT, host TEXT, priority INT);
CREATE TABLE apk_signers(apk_id INT, scheme INT, cert_sha256 TEXT, subject TEXT, key_bits INT, sigalg TEXT, state TEXT DEFAULT 'verified');
CREATE TABLE apk_checks(file_id INT, scheme TEXT, min_sdk INT, max_sdk INT, state TEXT, why TEXT, certs TEXT, at INT);
CREATE TABLE avb(kind TEXT, partition TEXT, by_partition TEXT, file_id INT, at INT, key_sha1 TEXT, want_sha1 TEXT, algorithm TEXT, rollback INT, rollback_location INT,
  flags INT, state TEXT, why TEXT, fec INT);
CREATE TABLE ota(file_id INT, state TEXT, why TEXT, cert_sha256 TEXT, signed_size INT, at INT, accepted INT);
CREATE TABLE payload_sigs(file_id INT, at INT, what TEXT, state TEXT, whose TEXT, cert_sha256 TEXT, keys INT, sha256 TEXT);
CREATE TABLE firmware_signs(file_id INT, at INT, maker TEXT, signer TEXT, part TEXT, state TEXT, why TEXT, why_at INT, cert_sha256 TEXT);
CREATE TABLE payload_checks(artifact_id INT, place TEXT, what TEXT, expected TEXT, computed TEXT, state TEXT);
CREATE TABLE apex(file_id INT, name TEXT, avb_key_sha1 TEXT, cert_sha256 TEXT, container TEXT DEFAULT 'verified', vbmeta TEXT DEFAULT 'verified', payload TEXT, key TEXT, original TEXT);
CREATE TABLE privapp(file_id INT, package TEXT, permission TEXT, deny INT, line INT);
CREATE TABLE default_perms(file_id INT, package TEXT, permission TEXT, fixed INT, line INT);
CREATE TABLE init_services(svc_id INTEGER PRIMARY KEY, file_id INT, line INT, name TEXT, exec_path TEXT, exec_file_id INT, args TEXT, user TEXT, groups TEXT, caps TEXT, seclabel TEXT, class TEXT, oneshot INT, disabled INT);
CREATE TABLE init_actions(file_id INT, line INT, trigger TEXT, cmd TEXT, args TEXT);
CREATE TABLE ueventd(file_id INT, line INT, node TEXT, mode INT, uid TEXT, gid TEXT);
CREATE TABLE script_cmds(file_id INT, line INT, cmd TEXT, args TEXT);
CREATE TABLE properties(file_id INT, partition TEXT, image TEXT, key TEXT, value TEXT, line INT, loaded INT DEFAULT 1);
CREATE TABLE boot_args(file_id INT, at INT, source TEXT, key TEXT, value TEXT);
CREATE TABLE fstab(file_id INT, line INT, mount_point TEXT, dev TEXT, mnt_flags TEXT, mgr_flags TEXT);
CREATE TABLE ca_certs(file_id INT, store TEXT, subject TEXT, sha256 TEXT, is_ca INT, not_after TEXT, in_baseline INT);
CREATE TABLE ota_certs(file_id INT, cert_sha256 TEXT, subject TEXT);
CREATE TABLE avb_images(image_id INTEGER PRIMARY KEY, file_id INT, at INT, artifact_id INT, partition TEXT, algorithm TEXT, pubkey_sha1 TEXT, flags INT, rollback INT, state TEXT DEFAULT 'verified');
CREATE TABLE avb_descriptors(image_id INT, file_id INT, at INT, kind TEXT, partition TEXT, root_digest TEXT, key_sha1 TEXT, flags INT, verified INT);
CREATE TABLE hosts_entries(file_id INT, line INT, ip TEXT, host TEXT);
CREATE TABLE ssh_keys(file_id INT, user TEXT, fp TEXT, comment TEXT, line INT);
CREATE TABLE passwd(file_id INT, user TEXT, uid INT, hash TEXT, shell TEXT, line INT);
CREATE TABLE adb_keys(file_id INT, fp TEXT, comment TEXT, line INT);
CREATE TABLE recordings(recording INT, file_id INT, at INT, name TEXT, part INT, role TEXT, format TEXT, samples INT, state TEXT, missing INT, clock INT);
CREATE TABLE samples(recording INT, t INT, hr INT);
CREATE TABLE watch_spans(file_id INT, recording INT, part INT, role TEXT, kind TEXT, from_ms INT, to_ms INT, seconds INT, certainty TEXT, paired INT, words TEXT, times TEXT);
CREATE TABLE watch_accuracy(file_id INT, recording INT, reference INT, scope TEXT, seconds INT, bias REAL, low REAL, high REAL, mape REAL);
CREATE TABLE captures(file_id INT, packets INT, first_us INT, last_us INT);
CREATE TABLE flows(file_id INT, blob_id INT DEFAULT 1, flow INT, at INT, proto TEXT, src TEXT, sport INT, dst TEXT, dport INT, local INT, first_us INT, last_us INT, packet INT, packets_out INT, packets_in INT,
  bytes_out INT, bytes_in INT, stream_out INT, stream_in INT, protocol TEXT, app TEXT, party TEXT, by TEXT, site TEXT, state TEXT, why TEXT);
CREATE TABLE beacons(file_id INT, src TEXT, party TEXT, dport INT, n INT, score REAL, period REAL, jitter REAL, bytes INT, short INT, packet INT, at INT);
CREATE TABLE indicators(kind TEXT, value TEXT, label TEXT, source TEXT);
CREATE TABLE dns_messages(file_id INT, blob_id INT DEFAULT 1, flow INT, at INT, packet INT, us INT, response INT, rcode INT, client TEXT, server TEXT, qname TEXT, qtype INT, site TEXT);
CREATE TABLE resolvers(file_id INT, at INT, address TEXT, by TEXT, packet INT);
CREATE TABLE tls_clients(file_id INT, blob_id INT DEFAULT 1, flow INT, at INT, packet INT, sni TEXT);
CREATE TABLE tls_sessions(file_id INT, blob_id INT DEFAULT 1, flow INT, at INT, packet INT, version INT, cipher INT, chain TEXT, why TEXT, issuer TEXT, app_data INT, alert_client INT);
CREATE TABLE tls_certs(file_id INT, blob_id INT DEFAULT 1, flow INT, at INT, packet INT, position INT, names TEXT);
CREATE TABLE http_requests(file_id INT, blob_id INT DEFAULT 1, flow INT, at INT, packet INT, host TEXT);
CREATE TABLE leaks(file_id INT, blob_id INT DEFAULT 1, flow INT, at INT, packet INT, kind TEXT, form TEXT, coding TEXT, spot TEXT, outward INT, inside_tls INT, known INT, value TEXT);
CREATE TABLE traffic_oddities(file_id INT, blob_id INT DEFAULT 1, flow INT, at INT, kind TEXT, packet INT, score INT, value);
CREATE TABLE live_properties(file_id INT, at INT, line INT, key TEXT, value TEXT);
CREATE TABLE live_settings(file_id INT, at INT, line INT, space TEXT, user INT, key TEXT, value TEXT);
CREATE TABLE live_facts(file_id INT, at INT, kind TEXT, key TEXT, value TEXT);
CREATE TABLE live_apps(file_id INT, at INT, line INT, package TEXT, path TEXT, uid INT, installer TEXT, initiator TEXT, system INT, disabled INT, hidden INT, gone INT, lists TEXT);
CREATE TABLE live_powers(file_id INT, line INT, role TEXT, user INT, package TEXT, component TEXT);
CREATE TABLE live_sockets(file_id INT, line INT, proto TEXT, local TEXT, lport INT, state TEXT, uid INT, program TEXT);
CREATE TABLE live_mounts(file_id INT, line INT, device TEXT, dir TEXT, type TEXT, options TEXT);
CREATE TABLE live_components(file_id INT, line INT, kind TEXT, action TEXT, package TEXT, component TEXT);
CREATE TABLE live_files(file_id INT, line INT, path TEXT, list TEXT, state TEXT);
CREATE TABLE live_same_build(same INT);
CREATE VIEW v_perm AS SELECT DISTINCT a.apk_id AS apk_id, p.name AS name FROM apks a JOIN apks b ON b.apk_id=a.apk_id OR (a.shared_uid IS NOT NULL AND b.shared_uid=a.shared_uid)
  JOIN apk_permissions p ON p.apk_id=b.apk_id AND p.how='granted';
'''

TESTKEY = 'a40da80a59d170caa950cf15c18c454d47a39b26989d8b640ecd745ba71bf5dc'
TESTPLATFORM = 'c8a2e9bccf597c2fb6dc66bee293fc13f2fc47ec77bc6b2b0d52c11f51192ab8'
AVB4096 = '2597c218aae470a130f61162feaae70afd97f011'
AVB2048 = 'cdbb77177f731920bbe0a0f94f84d9038ae0617d'
OEM = '0e' * 32
THIRD = '73' * 32


def tables(text_dir):
    """{name: (columns, rows)} of every TSV in data/."""
    out = {}
    for path in sorted(glob.glob(os.path.join(text_dir, '*.tsv'))):
        with open(path, encoding='utf-8') as f:
            lines = f.read().split('\n')
        out[os.path.basename(path)[:-4]] = (lines[0].split('\t'), [x.split('\t') for x in lines[1:-1]])
    return out


class Facts:
    def __init__(self, build='user', sdk=34, scan=True):
        self.db = sqlite3.connect(':memory:')
        self.db.executescript(SCHEMA)
        self.last = 1000
        for name, (columns, rows) in tables(os.path.join(ROOT, 'data')).items():
            self.db.execute(f'CREATE TABLE {name}({",".join(columns)})')
            self.db.executemany(f'INSERT INTO {name} VALUES({",".join("?" * len(columns))})', rows)
        if scan:
            self.add('scan', kind='image', build_type=build, sdk=sdk, is_live=0)

    def id(self):
        self.last += 1
        return self.last

    def add(self, table, **row):
        self.db.execute(f'INSERT INTO {table}({",".join(row)}) VALUES({",".join("?" * len(row))})', list(row.values()))

    def file(self, dpath, **more):
        first = dpath.split('/')[1]
        image = first if first in ('system', 'vendor', 'product', 'odm', 'system_ext') else 'system'
        row = dict(file_id=self.id(), partition=image, image=image + '.img', path=dpath, dpath=dpath, name=dpath.rsplit('/', 1)[-1], ftype='file', magic='elf',
                   attrs=1, mode=0o755, uid=0, gid=2000, caps=0, iflags=0, sha256='%064x' % self.last)
        row.update(more)
        self.add('files', **row)
        return row['file_id']

    def props(self, path, **pairs):
        f = self.file(path, magic='text')
        for n, (key, value) in enumerate(pairs.items(), 1):
            self.add('properties', file_id=f, partition='system', image='system.img', key=key.replace('__', '.'), value=value, line=n)
        return f

    def prop(self, key, value, path='/system/build.prop', loaded=1):
        f = self.file(path, magic='text')
        self.add('properties', file_id=f, partition='system', image='system.img', key=key, value=value, line=7, loaded=loaded)
        return f

    def capture(self, hours=1):
        f = self.file('/capture.pcap', magic='data', image='')
        self.add('captures', file_id=f, packets=1000, first_us=0, last_us=hours * 3600 * 1000000)
        return f

    def flow(self, f, party='one.example', **more):
        labels = party.split('.')
        row = dict(file_id=f, flow=self.id(), at=24, proto='tcp', src='192.0.2.10', sport=40000, dst='198.51.100.20', dport=443, local=0, first_us=0, last_us=1000000, packet=9,
                   packets_out=9, packets_in=9, bytes_out=900, bytes_in=900, stream_out=500, stream_in=500, protocol='tls', party=party, by='sni', site='.'.join(labels[-2:]),
                   state='good')
        row.update(more)
        self.add('flows', **row)
        return row['flow']

    def session(self, f, party='one.example', flow=None, **more):
        flow = self.flow(f, party, **(flow or {}))
        row = dict(file_id=f, flow=flow, at=30, packet=11, version=771, cipher=49199, chain='good', app_data=1)
        row.update(more)
        self.add('tls_sessions', **row)

    def service(self, name, exec_path, rc='/system/etc/init/x.rc', **more):
        f = self.file(rc, magic='text', **({'image': more.pop('image')} if 'image' in more else {}))
        row = dict(svc_id=self.id(), file_id=f, line=12, name=name, exec_path=exec_path, args='', user='root', disabled=0)
        row.update(more)
        self.add('init_services', **row)
        return f

    def action(self, cmd, args, trigger='boot', rc='/vendor/etc/init/y.rc'):
        f = self.file(rc, magic='text')
        self.add('init_actions', file_id=f, line=3, trigger=trigger, cmd=cmd, args=args)
        return f

    def script(self, cmd, args='', path='/system/bin/install-recovery.sh'):
        f = self.file(path, magic='script')
        self.add('script_cmds', file_id=f, line=2, cmd=cmd, args=args)
        return f

    def oat_dex(self, path, jar, stated, computed, kind='oat', member='classes.dex'):
        j = self.file(jar, magic='zip', mode=0o644)
        f = self.file(path, magic='elf' if kind == 'oat' else 'vdex', mode=0o644)
        self.add('oat_dex', file_id=f, at=4300, kind=kind, dex_location=jar, oat_checksum=stated, jar_checksum=computed, jar_file_id=j, member=member,
                 matches=None if computed is None else int(stated == computed))

    def apk(self, package, cert=OEM, uses=(), granted=(), parts=(), schemes=(3,), sha256=None, **more):
        path = more.pop('path', f'/system/priv-app/{package}/{package}.apk')
        state, subject = more.get('signer_state', 'verified'), more.pop('subject', None)
        f = self.file(path, magic='zip', mode=0o644, **({'sha256': sha256} if sha256 else {}))
        row = dict(apk_id=self.id(), file_id=f, package=package, is_system=1, is_priv=1, target_sdk=34, debuggable=0, is_overlay=0, enabled=1, signer_role='oem',
                   signer_state=state)
        row.update(more)
        self.add('apks', **row)
        for scheme in schemes:
            self.add('apk_signers', apk_id=row['apk_id'], scheme=scheme, cert_sha256=cert, state=state, subject=subject)
        for how, names in (('uses', uses), ('granted', granted)):
            for name in names:
                self.add('apk_permissions', apk_id=row['apk_id'], name='android.permission.' + name, how=how)
        for part in parts:
            c = self.id()
            intents = part.get('intents', ())
            self.add('apk_components', component_id=c, apk_id=row['apk_id'],
                     **{k: v for k, v in dict(dict(kind='activity', name='.Main', exported=1, enabled=1), **part).items() if k != 'intents'})
            for intent in intents:
                self.add('apk_intents', component_id=c, apk_id=row['apk_id'], **intent)
        return row['apk_id']

    def recording(self, state='complete', role='watch', **more):
        """A recording; the number of its file."""
        f = self.file('/w.fit', ftype='file')
        self.add('recordings', **{'recording': 1, 'file_id': f, 'at': 0, 'name': 'w.fit', 'part': 0, 'role': role, 'format': 'fit', 'samples': 100, 'state': state, 'missing': 0, 'clock': 1, **more})
        return f

    def span(self, kind, certainty='certain', seconds=60, role='watch', words='100 fell to 50', state='complete'):
        f = self.recording(state, role)
        self.add('watch_spans', file_id=f, recording=1, part=0, role=role, kind=kind, from_ms=1000, to_ms=1000 + 1000 * seconds, seconds=seconds, certainty=certainty, paired=0,
                 words=words, times='2023-11-14 22:13:20-22:14:20 UTC')
