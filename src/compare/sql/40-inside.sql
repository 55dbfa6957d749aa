-- SPDX-License-Identifier: Apache-2.0
-- COMPARE: what a change of content amounts to. Reads temp.diff and the facts of content; adds to temp.fields.
-- Each field lists what only A has, and what only B has.
DROP TABLE IF EXISTS temp.sets2;
CREATE TEMP TABLE sets2(id INTEGER, side TEXT, field TEXT, item TEXT);
DROP TABLE IF EXISTS temp.lies;
CREATE TEMP TABLE lies AS SELECT id, 'A' AS side, a AS place_id, blob_a AS blob_id FROM diff WHERE kind='changed' AND sha_a<>sha_b
	UNION ALL SELECT id, 'B', b, blob_b FROM diff WHERE kind='changed' AND sha_a<>sha_b;
-- Packages.
INSERT INTO sets2 SELECT l.id, l.side, 'signer', s.cert_sha256||coalesce(' ('||(SELECT min(k.name) FROM known_keys k WHERE k.digest=lower(s.cert_sha256))||')','')||
	CASE s.state WHEN 'verified' THEN '' WHEN 'stripped' THEN ', in what is left of it' WHEN 'failed' THEN ', named; its signature does not hold' WHEN 'unsupported' THEN ', named; not verified'
	ELSE ', named; not what Android goes by' END FROM lies l JOIN d_apk_signers s ON s.place_id=l.place_id;
INSERT INTO sets2 SELECT l.id, l.side, 'signature', CASE a.signer_state WHEN 'verified' THEN 'holds' WHEN 'stripped' THEN 'holds in what is left of the package' WHEN 'failed' THEN 'does not hold'
	WHEN 'unsigned' THEN 'none' ELSE 'not verified' END FROM lies l JOIN d_apks a ON a.place_id=l.place_id;
INSERT INTO sets2 SELECT l.id, l.side, CASE p.how WHEN 'uses' THEN 'permissions' ELSE 'permissions that it defines' END, p.name||CASE WHEN p.how='defines' THEN ' ('||
	coalesce(p.protection,'normal')||')' ELSE '' END FROM lies l JOIN d_apk_permissions p ON p.place_id=l.place_id AND p.how IN ('uses','defines');
INSERT INTO sets2 SELECT l.id, l.side, 'components', c.kind||' '||c.name||CASE c.exported WHEN 1 THEN ', exported' ELSE '' END||coalesce(', guarded by '||nullif(c.permission,''),'')||
	CASE c.enabled WHEN 0 THEN ', disabled' ELSE '' END FROM lies l JOIN d_apks a ON a.place_id=l.place_id JOIN c_manifest_components c ON c.blob_id=a.manifest;
INSERT INTO sets2 SELECT l.id, l.side, 'manifest', x.column1||'='||x.column2 FROM lies l JOIN d_apks a ON a.place_id=l.place_id JOIN (SELECT place_id AS p, scan_id AS s, 'package' AS column1,
	package AS column2 FROM d_apks UNION ALL SELECT place_id, scan_id, 'version', version_code||' '||coalesce(version_name,'') FROM d_apks UNION ALL SELECT place_id, scan_id, 'shared user id', shared_uid
	FROM d_apks UNION ALL SELECT place_id, scan_id, 'debuggable', debuggable FROM d_apks UNION ALL SELECT place_id, scan_id, 'cleartext', cleartext FROM d_apks) x ON x.p=a.place_id AND x.s=a.scan_id
	WHERE x.column2 NOT NULL;
-- Configuration.
INSERT INTO sets2 SELECT l.id, l.side, 'properties', c.key||'='||coalesce(c.value,'') FROM lies l JOIN c_properties c USING(blob_id);
INSERT INTO sets2 SELECT l.id, l.side, 'services', c.name||': '||coalesce(c.exec_path,'')||coalesce(' '||nullif(c.args,''),'')||coalesce(', user '||nullif(c.user,''),'')||
	coalesce(', label '||nullif(c.seclabel,''),'')||CASE c.disabled WHEN 1 THEN ', disabled' ELSE '' END FROM lies l JOIN c_init_services c USING(blob_id);
INSERT INTO sets2 SELECT l.id, l.side, 'commands', coalesce(c.trigger,'')||': '||c.cmd||coalesce(' '||c.args,'') FROM lies l JOIN c_init_actions c USING(blob_id);
INSERT INTO sets2 SELECT l.id, l.side, 'commands', c.cmd||coalesce(' '||c.args,'') FROM lies l JOIN c_script_cmds c USING(blob_id);
INSERT INTO sets2 SELECT l.id, l.side, 'mounts', c.mount_point||' from '||coalesce(c.dev,'')||', '||coalesce(c.mgr_flags,'') FROM lies l JOIN c_fstab c USING(blob_id);
INSERT INTO sets2 SELECT l.id, l.side, 'device nodes', c.node||' '||printf('%04o', c.mode)||' '||coalesce(c.uid,'')||':'||coalesce(c.gid,'') FROM lies l JOIN c_ueventd c USING(blob_id);
INSERT INTO sets2 SELECT l.id, l.side, 'hosts', c.ip||' '||c.host FROM lies l JOIN c_hosts_entries c USING(blob_id);
INSERT INTO sets2 SELECT l.id, l.side, 'allowed permissions', c.package||' '||c.permission||CASE c.deny WHEN 1 THEN ' (denied)' ELSE '' END FROM lies l JOIN c_privapp c USING(blob_id);
INSERT INTO sets2 SELECT l.id, l.side, 'permissions given at first start', c.package||' '||c.permission||CASE c.fixed WHEN 1 THEN ' (fixed)' ELSE '' END FROM lies l JOIN c_default_perms c USING(blob_id);
INSERT INTO sets2 SELECT l.id, l.side, 'entries', c.tag||coalesce(' '||c.package,'')||coalesce(' '||c.attr,'') FROM lies l JOIN c_sysconfig c USING(blob_id);
INSERT INTO sets2 SELECT l.id, l.side, 'keys', c.fp||coalesce(' '||c.comment,'') FROM lies l JOIN c_adb_keys c USING(blob_id);
INSERT INTO sets2 SELECT l.id, l.side, 'keys', c.fp||coalesce(' '||c.comment,'') FROM lies l JOIN c_ssh_keys c USING(blob_id);
INSERT INTO sets2 SELECT l.id, l.side, 'accounts', c.user||' '||coalesce(c.uid,'')||' '||CASE WHEN coalesce(c.hash,'') IN ('','*','!','x') THEN 'no password hash here' ELSE 'with a password hash' END
	FROM lies l JOIN c_passwd c USING(blob_id);
INSERT INTO sets2 SELECT l.id, l.side, 'certificates', c.sha256||' '||coalesce(c.subject,'') FROM lies l JOIN c_certs c USING(blob_id) WHERE c.container<>'apk';
INSERT INTO sets2 SELECT l.id, l.side, 'certificates', c.cert_sha256||' '||coalesce(c.subject,'') FROM lies l JOIN d_ota_certs c ON c.place_id=l.place_id;
-- Programs.
INSERT INTO sets2 SELECT l.id, l.side, 'libraries asked for', c.soname FROM lies l JOIN c_elf_needed c USING(blob_id);
INSERT INTO sets2 SELECT l.id, l.side, 'functions imported', c.name FROM lies l JOIN c_elf_symbols c USING(blob_id) WHERE c.defined=0;
-- Boot images and vbmeta.
INSERT INTO sets2 SELECT l.id, l.side, 'parts', m.name||coalesce(' '||lower(hex(b.sha256)),'') FROM lies l JOIN blobs f ON f.blob_id=l.blob_id AND f.format='bootimg'
	JOIN c_members m ON m.blob_id=l.blob_id LEFT JOIN blobs b ON b.blob_id=m.child;
INSERT INTO sets2 SELECT l.id, l.side, 'kernel arguments', c.source||' '||c.key||coalesce('='||c.value,'') FROM lies l JOIN c_boot_args c USING(blob_id);
INSERT INTO sets2 SELECT l.id, l.side, 'header', 'version '||c.version||', Android '||coalesce(c.os_version,'')||', patch '||coalesce(c.os_patch_level,'') FROM lies l JOIN c_boot_headers c USING(blob_id);
INSERT INTO sets2 SELECT l.id, l.side, 'verified boot', c.algorithm||', key '||coalesce(nullif(c.pubkey_sha1,''),'none')||', flags '||c.flags||', rollback '||c.rollback||', signature '||
	CASE c.state WHEN 'verified' THEN 'holds' WHEN 'failed' THEN 'does not hold' WHEN 'unsigned' THEN 'none' ELSE 'not verified' END FROM lies l JOIN c_avb_images c USING(blob_id);
INSERT INTO sets2 SELECT l.id, l.side, 'vouched for', c.kind||' '||coalesce(c.partition,'')||' '||coalesce(c.digest,'') FROM lies l JOIN c_avb_descriptors c USING(blob_id);
-- Members of packages: code, and everything else in them.
INSERT INTO sets2 SELECT l.id, l.side, 'members', m.name||coalesce(' '||substr(lower(hex(b.sha256)),1,16),'') FROM lies l JOIN blobs f ON f.blob_id=l.blob_id AND f.format IN ('zip')
	JOIN c_members m ON m.blob_id=l.blob_id LEFT JOIN blobs b ON b.blob_id=m.child;
CREATE INDEX temp.sets2_item ON sets2(id, field, item, side);
INSERT INTO fields SELECT id, field, (SELECT group_concat(item, char(10)) FROM (SELECT DISTINCT item FROM sets2 x WHERE x.id=s.id AND x.field=s.field AND x.side='A'
		AND NOT EXISTS(SELECT 1 FROM sets2 y WHERE y.id=x.id AND y.field=x.field AND y.item=x.item AND y.side='B') ORDER BY item)),
	(SELECT group_concat(item, char(10)) FROM (SELECT DISTINCT item FROM sets2 x WHERE x.id=s.id AND x.field=s.field AND x.side='B'
		AND NOT EXISTS(SELECT 1 FROM sets2 y WHERE y.id=x.id AND y.field=x.field AND y.item=x.item AND y.side='A') ORDER BY item))
	FROM sets2 s GROUP BY id, field;
DELETE FROM fields WHERE a IS NULL AND b IS NULL;
-- A dump of a partition is longer than the image that was flashed to it: the parts are the same, and only what fills up differs.
UPDATE diff SET of_unit=1, note='its parts and all it says are the same; only its length or what lies around the parts differs' WHERE kind='changed' AND what='partition'
	AND EXISTS(SELECT 1 FROM sets2 s WHERE s.id=diff.id AND s.field IN ('parts','verified boot')) AND NOT EXISTS(SELECT 1 FROM fields f WHERE f.id=diff.id AND f.field<>'content')
	AND (SELECT size FROM blobs WHERE blob_id=blob_a)<>(SELECT size FROM blobs WHERE blob_id=blob_b);
DROP TABLE temp.lies;
