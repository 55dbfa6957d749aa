-- SPDX-License-Identifier: Apache-2.0
-- The tables that are not about one content. The c_ tables (facts of content) are made from tables.def.
CREATE TABLE IF NOT EXISTS scans(
	scan_id INTEGER PRIMARY KEY,
	inputs TEXT,            -- names as given, one a line
	root_blob INTEGER,      -- its members are the INPUTs
	tool_version TEXT, plugins TEXT,
	off TEXT,               -- plug-ins switched off, blank separated
	rules_sha256 TEXT, knowledge_sha256 TEXT,
	sandbox TEXT,           -- how the workers were locked in
	state TEXT,             -- running complete interrupted
	spilled INTEGER,        -- bytes
	crashes INTEGER);
CREATE TABLE IF NOT EXISTS blobs(
	blob_id INTEGER PRIMARY KEY,
	scan_id INTEGER,        -- that met it first
	sha256 BLOB,            -- 32 bytes; NULL: a volume, looked at through its files
	size INTEGER, format TEXT, entropy REAL);
CREATE TABLE IF NOT EXISTS blob_runs(
	blob_id INTEGER, plugin TEXT, version INTEGER,
	status TEXT,            -- ok io nomem short bad unsup limit crash hang jail off
	at INTEGER, why TEXT, PRIMARY KEY(blob_id, plugin)) WITHOUT ROWID;
-- Blobs to look at again in a later scan: something under them did not come to its end.
CREATE TABLE IF NOT EXISTS unfinished(blob_id INTEGER PRIMARY KEY);

-- DERIVE: containers as they lie inside each other in one scan.
CREATE TABLE IF NOT EXISTS nodes(
	node_id INTEGER PRIMARY KEY, scan_id INTEGER, parent_id INTEGER, blob_id INTEGER,
	key TEXT,               -- sorts as the tree is walked
	name TEXT,              -- own name in its container
	path TEXT,              -- from the INPUT down, joined with "!"
	image TEXT, slot TEXT,  -- of the file system it is or lies in
	prefix TEXT,            -- what its paths are called on the device; NULL: not mounted
	depth INTEGER, kind TEXT /* package archive folder image fs apex app */, live INTEGER);
CREATE INDEX IF NOT EXISTS nodes_blob ON nodes(blob_id);
CREATE INDEX IF NOT EXISTS nodes_scan ON nodes(scan_id, key);
-- A place is where something lies.
CREATE TABLE IF NOT EXISTS places(
	place_id INTEGER PRIMARY KEY, scan_id INTEGER, node_id INTEGER,
	image TEXT, slot TEXT, live INTEGER, -- 1: of the current slot
	path TEXT, dpath TEXT, name TEXT, ino INTEGER, ftype TEXT, mode INTEGER, uid INTEGER, gid INTEGER, caps INTEGER,
	selinux TEXT, iflags INTEGER, link_target TEXT, size INTEGER, attrs INTEGER, blob_id INTEGER, off INTEGER);
CREATE INDEX IF NOT EXISTS places_blob ON places(blob_id);
CREATE INDEX IF NOT EXISTS places_dpath ON places(dpath);
CREATE INDEX IF NOT EXISTS places_scan ON places(scan_id);
CREATE TABLE IF NOT EXISTS d_device(scan_id INTEGER, key TEXT, value TEXT, place_id INTEGER);
CREATE TABLE IF NOT EXISTS d_partitions(scan_id INTEGER, node_id INTEGER, name TEXT, slot TEXT, size INTEGER, fs_type TEXT,
	blob_id INTEGER, live INTEGER);
CREATE TABLE IF NOT EXISTS d_apks(
	scan_id INTEGER, place_id INTEGER, manifest INTEGER, package TEXT, version_code INTEGER, version_name TEXT,
	shared_uid TEXT, min_sdk INTEGER, target_sdk INTEGER, is_system INTEGER, is_priv INTEGER, persistent INTEGER,
	debuggable INTEGER, cleartext INTEGER, has_launcher INTEGER, has_code INTEGER, is_overlay INTEGER, enabled INTEGER, code TEXT,
	signer_role TEXT,
	signer_state TEXT,      -- of the signature this release goes by: verified stripped failed unsupported unsigned
	PRIMARY KEY(scan_id, place_id)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS d_apks_package ON d_apks(package);
CREATE TABLE IF NOT EXISTS d_oat_dex(scan_id INTEGER, place_id INTEGER, n INTEGER, at INTEGER, kind TEXT, dex_location TEXT, oat_checksum INTEGER,
	jar_place INTEGER, member TEXT, jar_checksum INTEGER, matches INTEGER);
CREATE TABLE IF NOT EXISTS d_code(scan_id INTEGER, place_id INTEGER, blob_id INTEGER);
CREATE INDEX IF NOT EXISTS d_code_place ON d_code(place_id);
CREATE TABLE IF NOT EXISTS d_code_flows(scan_id INTEGER, place_id INTEGER, blob_id INTEGER, n INTEGER, component INTEGER, entry TEXT, kind TEXT, guard TEXT, src TEXT, mids TEXT, sink TEXT,
	level INTEGER, length INTEGER, path TEXT);
CREATE INDEX IF NOT EXISTS d_code_flows_place ON d_code_flows(place_id, sink);
CREATE TABLE IF NOT EXISTS d_apk_signers(scan_id INTEGER, place_id INTEGER, scheme INTEGER, cert_sha256 TEXT, subject TEXT,
	key_bits INTEGER, sigalg TEXT,
	state TEXT);            -- verified stripped: this release's signature is by it, in whole or in what is left; failed unsupported; not used: this release does not go by it
CREATE INDEX IF NOT EXISTS d_apk_signers_place ON d_apk_signers(place_id);
CREATE TABLE IF NOT EXISTS d_apk_permissions(scan_id INTEGER, place_id INTEGER, name TEXT, how TEXT, protection TEXT);
CREATE INDEX IF NOT EXISTS d_apk_permissions_place ON d_apk_permissions(place_id, how);
CREATE INDEX IF NOT EXISTS d_apk_permissions_name ON d_apk_permissions(name, how);
CREATE TABLE IF NOT EXISTS d_uid_permissions(scan_id INTEGER, place_id INTEGER, name TEXT);
CREATE INDEX IF NOT EXISTS d_uid_permissions_place ON d_uid_permissions(place_id);
CREATE TABLE IF NOT EXISTS d_apex(scan_id INTEGER, place_id INTEGER, name TEXT, avb_key_sha1 TEXT, cert_sha256 TEXT,
	version INTEGER,
	container TEXT, vbmeta TEXT, payload TEXT, -- state of the container's signature, of the inner vbmeta's, of the payload's hash tree
	key TEXT,               -- same: the key beside the payload is the one that signed; other; NULL: not known
	original TEXT);         -- of a compressed APEX: is the original what the manifest names? same other; NULL: not one, or not known
CREATE TABLE IF NOT EXISTS d_elf_closure(scan_id INTEGER, place_id INTEGER, soname TEXT, resolved INTEGER);
CREATE INDEX IF NOT EXISTS d_elf_closure_place ON d_elf_closure(place_id);
CREATE TABLE IF NOT EXISTS d_zygote(scan_id INTEGER, place_id INTEGER, PRIMARY KEY(scan_id, place_id)) WITHOUT ROWID;
-- Verified boot, along the chains from the first vbmeta: a row a structure (kind vbmeta), a row a descriptor, or a verity table.
CREATE TABLE IF NOT EXISTS d_avb(scan_id INTEGER, kind TEXT /* vbmeta hash hashtree table */, partition TEXT, by_partition TEXT, place_id INTEGER, at INTEGER,
	key_sha1 TEXT, want_sha1 TEXT, algorithm TEXT, rollback INTEGER, rollback_location INTEGER, flags INTEGER,
	state TEXT,             -- verified consistent | failed other key differs other tree other footer | unsigned unsupported not checked missing
	why TEXT, fec INTEGER);
CREATE TABLE IF NOT EXISTS d_uncovered(scan_id INTEGER, list TEXT /* code firmware data */, name TEXT, slot TEXT, size INTEGER, format TEXT, files INTEGER,
	signed TEXT);           -- what is known of its own signatures
-- Signatures of firmware with the files beside it: state verified failed incomplete unsigned unsupported.
CREATE TABLE IF NOT EXISTS d_firmware(scan_id INTEGER, place_id INTEGER, n INTEGER, at INTEGER, maker TEXT, signer TEXT, part TEXT, state TEXT, why TEXT, why_at INTEGER,
	algorithm TEXT, cert_sha256 TEXT, subject TEXT, root_sha256 TEXT, root TEXT, software TEXT, hardware TEXT, first_bad INTEGER);
CREATE TABLE IF NOT EXISTS d_ca(scan_id INTEGER, place_id INTEGER, n INTEGER, blob_id INTEGER, store TEXT, in_baseline INTEGER);
CREATE TABLE IF NOT EXISTS d_ota_certs(scan_id INTEGER, place_id INTEGER, cert_sha256 TEXT, subject TEXT);
-- The place (file, partition, INPUT) in which a content lies that is no file of its own.
CREATE TABLE IF NOT EXISTS d_within(scan_id INTEGER, place_id INTEGER, blob_id INTEGER);
CREATE INDEX IF NOT EXISTS d_within_blob ON d_within(blob_id);
CREATE TABLE IF NOT EXISTS d_parts(scan_id INTEGER, kind TEXT, name TEXT, witness TEXT, place_id INTEGER, place TEXT, at INTEGER,
	certainty TEXT,         -- stated · only one named · one of N named · opaque · not told
	n INTEGER);             -- sorts
-- What a payload.bin or the file beside it says of digests and sizes: state ok, differs, or not computed.
CREATE TABLE IF NOT EXISTS d_payload_checks(scan_id INTEGER, node_id INTEGER, place TEXT, what TEXT, expected TEXT, computed TEXT, state TEXT);
-- Signatures of a payload.bin: state verified, no key fits (of those at hand), no key (is at hand); whose system package.
CREATE TABLE IF NOT EXISTS d_payload_sigs(scan_id INTEGER, place_id INTEGER, n INTEGER, at INTEGER, what TEXT, sha256 TEXT, state TEXT, whose TEXT,
	cert_sha256 TEXT, subject TEXT, keys INTEGER);
CREATE TABLE IF NOT EXISTS d_coverage(scan_id INTEGER, level TEXT, files INTEGER, bytes INTEGER);
CREATE TABLE IF NOT EXISTS d_not_examined(scan_id INTEGER, place TEXT, what TEXT, why TEXT, bytes INTEGER, damaged INTEGER, opaque INTEGER,
	hides TEXT);            -- what a rule may not be silent about: '*' anything, a plug-in, NULL nothing

-- Recordings of heart rate. Times are milliseconds as the recording has them.
CREATE TABLE IF NOT EXISTS d_watch_references(scan_id INTEGER, input INTEGER); -- numbers of the INPUTs, from 0; given, not derived
CREATE TABLE IF NOT EXISTS d_watch_given(scan_id INTEGER, no INTEGER, kind TEXT, act TEXT /* setup data reset; NULL: any */, value TEXT, source TEXT,
	n INTEGER); -- of the companion app and captures; given, not derived
CREATE TABLE IF NOT EXISTS d_watch_maker(scan_id INTEGER, act TEXT, n INTEGER /* 0: the answer */, answer TEXT /* no, yes, not assessed */, certainty TEXT,
	witness TEXT, words TEXT, settle TEXT);
CREATE TABLE IF NOT EXISTS d_recordings(scan_id INTEGER, id INTEGER, blob_id INTEGER, part INTEGER, place_id INTEGER, name TEXT,
	role TEXT /* watch reference */, rates INTEGER /* moments with heart rate */, from_ms INTEGER, to_ms INTEGER, PRIMARY KEY(scan_id, id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS d_watch_spans(scan_id INTEGER, recording INTEGER, kind TEXT /* half double cadence frozen dropout pause gap reboot
	clock low high */, from_ms INTEGER, to_ms INTEGER, certainty TEXT /* certain probable suspected */, paired INTEGER, a REAL, b REAL, words TEXT);
CREATE TABLE IF NOT EXISTS d_watch_checks(scan_id INTEGER, recording INTEGER, what TEXT, why_not TEXT /* NULL: it was looked for */);
CREATE TABLE IF NOT EXISTS d_watch_accuracy(scan_id INTEGER, recording INTEGER, reference INTEGER, scope TEXT /* all; outside the bad spans */,
	seconds INTEGER, bias REAL, low REAL, high REAL, low30 REAL, high30 REAL, mape REAL, within5 REAL, within5pc REAL, within10pc REAL,
	ccc REAL /* NULL: the reference spans less than 30 bpm */, spread REAL, worst REAL, worst_ms INTEGER);
CREATE TABLE IF NOT EXISTS d_watch_shifts(scan_id INTEGER, recording INTEGER, reference INTEGER, seconds INTEGER, known INTEGER, how TEXT);
CREATE TABLE IF NOT EXISTS d_watch_pairs(scan_id INTEGER, recording INTEGER, reference INTEGER, t INTEGER, hr REAL, ref REAL); -- for the plot

-- JUDGE.
CREATE TABLE IF NOT EXISTS rule_states(scan_id INTEGER, rule TEXT, state TEXT, why TEXT, rows INTEGER,
	PRIMARY KEY(scan_id, rule)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS findings(scan_id INTEGER, n INTEGER, rule TEXT, severity TEXT, place_id INTEGER, place TEXT, at INTEGER,
	evidence TEXT, subject TEXT, sha256 TEXT, fingerprint TEXT, PRIMARY KEY(scan_id, n)) WITHOUT ROWID;

-- TRAFFIC: who was talked to, and how. Flows are named by (blob_id, flow).
CREATE TABLE IF NOT EXISTS d_captures(scan_id INTEGER, blob_id INTEGER,
	place_id INTEGER,       -- of the capture, or of the outermost package it was in
	PRIMARY KEY(scan_id, blob_id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS d_flows(scan_id INTEGER, place_id INTEGER, blob_id INTEGER, flow INTEGER,
	party TEXT, by TEXT,    -- sni, quic sni, http host, ech outer sni, dns, certificate, address
	site TEXT,              -- the registered domain; NULL for an address
	state TEXT,             -- good bad not_visible; NULL: nothing to judge
	why TEXT, PRIMARY KEY(scan_id, blob_id, flow)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS d_parties(scan_id INTEGER, n INTEGER, party TEXT, by TEXT, local INTEGER, addresses INTEGER, first_us INTEGER,
	last_us INTEGER, bytes_out INTEGER, bytes_in INTEGER, flows INTEGER, protocols TEXT, state TEXT, why TEXT, tls TEXT, apps TEXT,
	place_id INTEGER, packet INTEGER, country TEXT, owner TEXT,
	code TEXT,              -- where the phone's software names it (--phone)
	PRIMARY KEY(scan_id, n)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS d_beacons(scan_id INTEGER, place_id INTEGER, src TEXT, party TEXT, dport INTEGER, n INTEGER, score REAL,
	period REAL, jitter REAL, bytes INTEGER, short INTEGER, packet INTEGER, at INTEGER);
-- What the user gave: builds that are trusted (kinds in docs/reference.md; about: what the reference says of itself), and names of keys.
CREATE TABLE IF NOT EXISTS d_reference(scan_id INTEGER, ref INTEGER, kind TEXT, name TEXT, value TEXT);
CREATE INDEX IF NOT EXISTS d_reference_name ON d_reference(kind, name, value);
CREATE TABLE IF NOT EXISTS d_known_keys(scan_id INTEGER, digest TEXT, kind TEXT, name TEXT, role TEXT, maker TEXT, source TEXT);
-- What the user gave: indicators (domain, ip), words about the capture (first_boot), apps of a phone's facts.
CREATE TABLE IF NOT EXISTS d_indicators(scan_id INTEGER, kind TEXT, value TEXT, label TEXT, source TEXT);
CREATE INDEX IF NOT EXISTS d_indicators_value ON d_indicators(kind, value);
CREATE TABLE IF NOT EXISTS d_given(scan_id INTEGER, key TEXT, value TEXT);
CREATE TABLE IF NOT EXISTS d_networks(scan_id INTEGER, address TEXT, country TEXT, owner TEXT, PRIMARY KEY(scan_id, address)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS d_names(scan_id INTEGER, name TEXT, site TEXT, PRIMARY KEY(scan_id, name)) WITHOUT ROWID; -- registered domains of names asked for
-- What the lists of a running phone say together, one row a package; and the APKs that lie where they say.
CREATE TABLE IF NOT EXISTS d_live_packages(scan_id INTEGER, package TEXT, place_id INTEGER, at INTEGER, line INTEGER, path TEXT, uid INTEGER, installer TEXT, initiator TEXT,
	system INTEGER, disabled INTEGER, hidden INTEGER, gone INTEGER, lists TEXT, PRIMARY KEY(scan_id, package)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS d_live_apks(scan_id INTEGER, package TEXT, place_id INTEGER, how TEXT, said TEXT);
