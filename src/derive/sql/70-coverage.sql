-- SPDX-License-Identifier: Apache-2.0
-- What was looked at, how far, and what was not. Reads places, nodes, blobs, blob_runs, c_avb_descriptors, c_listing, c_set_parts; makes
-- d_coverage, d_not_examined. Opaque by nature: firmware of other processors, encrypted or without public format. Listed, not a fault.
-- hides: what a rule may not be silent about because of it: '*' anything, else the plug-in that would have had something to look at.
-- Every blob of this scan: what the root reaches.
DROP TABLE IF EXISTS temp.in_scan;
CREATE TEMP TABLE in_scan(blob_id INTEGER PRIMARY KEY);
INSERT INTO in_scan WITH RECURSIVE r(b) AS (SELECT root FROM cur UNION SELECT m.child FROM r JOIN c_members m ON m.blob_id=r.b WHERE m.child NOT NULL
	UNION SELECT e.child FROM r JOIN c_entries e ON e.blob_id=r.b WHERE e.child NOT NULL) SELECT b FROM r;
-- Where accidents lie that are neither a place nor a container: the members they are.
DROP TABLE IF EXISTS temp.parents;
CREATE TEMP TABLE parents AS SELECT m.child, m.blob_id, m.n FROM c_members m WHERE m.child IN (SELECT blob_id FROM blob_runs WHERE status<>'ok');
-- Files that are parts of a set: they are looked at together, and not by themselves.
DROP TABLE IF EXISTS temp.sets;
CREATE TEMP TABLE sets AS SELECT n.node_id, n.blob_id AS holder, n.path, n.depth, m.name, m.child AS blob_id FROM nodes n JOIN c_members m USING(blob_id)
	WHERE n.scan_id=(SELECT scan_id FROM cur) AND m.child IN (SELECT blob_id FROM c_set_parts);
DROP TABLE IF EXISTS temp.of_set;
CREATE TEMP TABLE of_set(place_id INTEGER PRIMARY KEY, ok INTEGER);
INSERT OR IGNORE INTO of_set SELECT p.place_id, EXISTS(SELECT 1 FROM blob_runs r WHERE r.blob_id=s.blob_id AND r.status='ok') FROM temp.sets s
	JOIN c_set_parts t ON t.blob_id=s.blob_id AND t.state='there' JOIN places p ON p.node_id=s.node_id AND p.blob_id=coalesce(
		(SELECT e.child FROM c_entries e WHERE e.blob_id=s.holder AND e.n=t.row), (SELECT m.child FROM c_members m WHERE m.blob_id=s.holder AND m.n=t.row));
DROP TABLE IF EXISTS temp.at_place;
CREATE TEMP TABLE at_place AS SELECT p.place_id, p.node_id, p.image, p.path, p.name, p.ftype, p.size, p.blob_id, p.link_target, p.attrs, b.format, n.kind AS node_kind,
	CASE WHEN p.image='' THEN p.path WHEN p.path='' THEN p.image ELSE p.image||':'||p.path END AS place,
	-- To know a firmware image by its header is not to understand it.
	(EXISTS(SELECT 1 FROM blob_runs r WHERE r.blob_id=p.blob_id AND r.status='ok' AND r.plugin<>'firmware')
		OR coalesce((SELECT ok FROM of_set o WHERE o.place_id=p.place_id), 0))
		AND NOT EXISTS(SELECT 1 FROM c_firmware f WHERE f.blob_id=p.blob_id AND f.kind NOT IN ('scatter','image')) AS understood,
	(SELECT min(r.status) FROM blob_runs r WHERE r.blob_id=p.blob_id AND r.status NOT IN ('ok')) AS bad
	FROM places p LEFT JOIN blobs b USING(blob_id) LEFT JOIN nodes n ON n.node_id=p.node_id
	WHERE p.scan_id=(SELECT scan_id FROM cur) AND p.live=1 AND p.ftype IN ('file','image');
CREATE INDEX temp.at_place_blob ON at_place(blob_id);
INSERT INTO d_coverage SELECT (SELECT scan_id FROM cur), l, n, s FROM (
	SELECT 'files' AS l, count(*) AS n, coalesce(gh_sum(size),0) AS s, 0 AS o FROM at_place WHERE ftype='file'
	UNION ALL SELECT 'read', count(*), coalesce(gh_sum(size),0), 1 FROM at_place WHERE ftype='file' AND blob_id NOT NULL AND format<>'lfs-pointer'
	UNION ALL SELECT 'understood', count(*), coalesce(gh_sum(size),0), 2 FROM at_place WHERE ftype='file' AND understood AND bad IS NULL
	UNION ALL SELECT 'analysed', count(*), coalesce(gh_sum(size),0), 3 FROM at_place a WHERE ftype='file' AND EXISTS(SELECT 1 FROM c_code c WHERE c.blob_id=a.blob_id)
		AND EXISTS(SELECT 1 FROM blob_runs r WHERE r.blob_id=a.blob_id AND r.plugin='code' AND r.status='ok')) ORDER BY o;

-- What a file that is not there would have been, by its name.
DROP TABLE IF EXISTS temp.hides;
CREATE TEMP TABLE hides(pattern TEXT, plugin TEXT);
INSERT INTO hides VALUES ('*.apk','apk'),('*.jar','zip'),('*/otacerts.zip','zip'),('*/otacerts.zip','cert'),('*/security/*','cert'),('*.apex','*'),('*.capex','*'),
	('*.rc','initrc'),('*.prop','properties'),('*/prop.default','properties'),('*fstab*','fstab'),('*.sh','script'),('*/bin/*','script'),
	('*/bin/*','elf'),('*/xbin/*','script'),('*/xbin/*','elf'),('*/sbin/*','script'),('*/sbin/*','elf'),('*.so','elf'),('*.odex','elf'),
	('*.oat','elf'),('*.odex','dex'),('*.oat','dex'),('*.vdex','dex'),('*.apk','dex'),('*.jar','dex'),('*.odex','oat'),('*.oat','oat'),('*.odex','code'),('*.oat','code'),('*.vdex','code'),('*.apk','code'),('*.jar','code'),('*/hosts','hosts'),('*adb_keys','adbkeys'),('*permissions/*.xml','permissions'),('*/sysconfig/*.xml','permissions'),
	('*/passwd','passwd'),('*/shadow','passwd'),('*/authorized_keys*','passwd'),('*vbmeta*','avb');
DROP TABLE IF EXISTS temp.missing;
CREATE TEMP TABLE missing(place TEXT, name TEXT, what TEXT, why TEXT, bytes INTEGER, damaged INTEGER);
-- Names of partitions that are there, as an image or as a folder.
DROP TABLE IF EXISTS temp.have;
CREATE TEMP TABLE have(name TEXT PRIMARY KEY, folder INTEGER);
INSERT OR IGNORE INTO have SELECT DISTINCT CASE WHEN image LIKE 'ramdisk:%' THEN substr(image,9) ELSE image END, 1 FROM at_place WHERE image<>'';
INSERT OR IGNORE INTO have SELECT 'boot', 1 FROM have WHERE name='bootimg'; -- what some unpackers call it
INSERT OR IGNORE INTO have SELECT DISTINCT gh_stem(name), 0 FROM at_place WHERE image='' AND format<>'lfs-pointer';

DROP TABLE IF EXISTS temp.delta;
CREATE TEMP TABLE delta AS SELECT n.node_id, gh_stem(t.name) AS image, t.operations, t.needs_old, t.by_type, t.size FROM nodes n
	JOIN c_payload_partitions t USING(blob_id) WHERE n.scan_id=(SELECT scan_id FROM cur) AND n.live=1 AND t.state='delta';
-- Files whose content could not be had (hard links inside an archive point to one that could).
INSERT INTO missing SELECT place, path, 'content', 'could not be read: see notes of its container', size, 1
	FROM at_place WHERE blob_id IS NULL AND ftype='file' AND size>0 AND link_target IS NULL AND attrs<3;
-- What a phone that was asked did not give; what it does not even let be measured has no size.
INSERT INTO missing SELECT place, path, 'content', CASE attrs WHEN 3 THEN 'permission denied: the phone does not give it without root'
	WHEN 4 THEN 'hashed by the phone itself and not read; its content is not among these facts' ELSE 'not pulled, or cut off on the way' END, size, 0
	FROM at_place WHERE blob_id IS NULL AND ftype='file' AND attrs>=3;
INSERT INTO missing SELECT image, image||'.img', 'partition', 'content could not be read', size, 1
	FROM at_place a WHERE blob_id IS NULL AND ftype='image' AND size>0 AND NOT EXISTS(SELECT 1 FROM temp.delta d WHERE d.node_id=a.node_id AND d.image=a.image);
-- Partitions that only change an old one: what they will hold is not in this input. Their full operations are no file system.
INSERT INTO d_not_examined SELECT (SELECT scan_id FROM cur), image, 'partition', needs_old||' of '||operations||' operations need the old partition ('||by_type||
	'): a delta update is not applied', size, 0, 0, '*' FROM temp.delta;
-- What does not have the digest that its payload tells was read all the same.
INSERT INTO d_not_examined SELECT DISTINCT (SELECT scan_id FROM cur), place, 'digest', what||' is '||expected||' by its own word, '||computed||' by its bytes', NULL, 1, 0, NULL
	FROM d_payload_checks WHERE scan_id=(SELECT scan_id FROM cur) AND state='differs';
-- Git keeps large files elsewhere; what is in their place is three lines of text.
INSERT INTO missing SELECT place, path, 'missing', 'a Git LFS pointer stands where the file should be', NULL, 1 FROM at_place WHERE format='lfs-pointer';
-- What the list of files or images says that came with a phone.
DROP TABLE IF EXISTS temp.lists;
CREATE TEMP TABLE lists AS SELECT n.blob_id AS folder, p.blob_id AS list FROM places p JOIN nodes n USING(node_id) JOIN c_listing l ON l.blob_id=p.blob_id
	WHERE p.scan_id=(SELECT scan_id FROM cur) AND p.image='' GROUP BY 1, 2;
DROP TABLE IF EXISTS temp.listed;
CREATE TEMP TABLE listed(path TEXT PRIMARY KEY) WITHOUT ROWID;
INSERT OR IGNORE INTO listed SELECT e.path FROM lists JOIN c_entries e ON e.blob_id=lists.folder;
INSERT OR IGNORE INTO listed SELECT '/'||m.name FROM lists JOIN c_members m ON m.blob_id=lists.folder;
INSERT INTO missing SELECT DISTINCT '/'||l.path, '/'||l.path, 'missing', 'the list of files that came with the input names it; it is not there', l.size, 1
	FROM lists JOIN c_listing l ON l.blob_id=lists.list WHERE '/'||l.path NOT IN (SELECT path FROM listed) AND l.path NOT LIKE '%/[SYS]/%';
-- What verified boot vouches for. A footer speaks of the image it is in.
INSERT INTO missing SELECT DISTINCT d.partition, d.partition||'.img', 'partition', 'vbmeta vouches for it; it is not part of this input', NULL, 0
	FROM at_place a JOIN c_avb_images v USING(blob_id) JOIN c_avb_descriptors d ON d.blob_id=v.blob_id AND d.image=v.n
	WHERE v.footer=0 AND d.kind IN ('hash','hashtree','chain') AND d.partition<>'' AND gh_stem(d.partition) NOT IN (SELECT name FROM have);
-- A partition that is there as a folder of files hides no more than what only its image has.
INSERT INTO d_not_examined SELECT (SELECT scan_id FROM cur), m.place, m.what, m.why, m.bytes, m.damaged, 0,
	CASE WHEN gh_code_partition(m.name) AND m.name NOT LIKE '/%/%' THEN CASE WHEN (SELECT folder FROM have WHERE name=gh_stem(m.name)) THEN 'bootimg' ELSE '*' END
		ELSE h.plugin END
	FROM missing m LEFT JOIN hides h ON lower(m.name) GLOB h.pattern;

-- A folder that a phone does not let be listed: anything may lie in it.
INSERT INTO d_not_examined SELECT p.scan_id, p.image||':'||p.path, 'folder', 'permission denied: the phone does not list it without root', NULL, 0, 0,
	CASE WHEN gh_code_partition(p.image) THEN '*' END
	FROM places p WHERE p.scan_id=(SELECT scan_id FROM cur) AND p.live=1 AND p.ftype='dir' AND p.attrs=3;

-- Inspectors whose subject is a file of the device. What only has such a name inside an app is not one: an app's "fstab" mounts nothing.
DROP TABLE IF EXISTS temp.of_device;
CREATE TEMP TABLE of_device(plugin TEXT PRIMARY KEY);
INSERT INTO of_device VALUES ('adbkeys'),('fstab'),('hosts'),('initrc'),('listing'),('passwd'),('permissions'),('properties'),('script');
DROP TABLE IF EXISTS temp.no_subject;
CREATE TEMP TABLE no_subject AS SELECT r.blob_id, r.plugin FROM blob_runs r JOIN of_device USING(plugin) WHERE r.status IN ('bad','unsup')
	AND NOT EXISTS(SELECT 1 FROM places p WHERE p.scan_id=(SELECT scan_id FROM cur) AND p.blob_id=r.blob_id);
-- Files of a set that are not there: anything may have lain in them.
INSERT INTO d_not_examined SELECT (SELECT scan_id FROM cur), CASE WHEN s.path='' THEN s.name ELSE s.path||'!'||s.name END, 'missing',
	CASE WHEN t.role IS NULL THEN 'of its files, '||count(*)||CASE count(*) WHEN 1 THEN ' is not there: number ' ELSE ' are not there: numbers ' END||
		substr(group_concat(t.idx, ' '), 1, 60) ELSE 'its '||t.role||' is not there' END, NULL, 1, 0, '*'
	FROM temp.sets s JOIN c_set_parts t USING(blob_id) WHERE t.state='missing' GROUP BY s.node_id, s.blob_id, t.role;

-- Plug-ins that did not come to their end. A format that stopped may have had anything in it, unless it is an archive that is just a file.
INSERT INTO d_not_examined SELECT DISTINCT (SELECT scan_id FROM cur), coalesce((SELECT a.place FROM at_place a WHERE a.blob_id=r.blob_id ORDER BY a.place_id LIMIT 1),
		(SELECT n.path FROM nodes n WHERE n.blob_id=r.blob_id AND n.scan_id=(SELECT scan_id FROM cur) ORDER BY n.node_id LIMIT 1),
		(SELECT coalesce((SELECT a.place FROM at_place a WHERE a.blob_id=m.blob_id ORDER BY a.place_id LIMIT 1)||'!'||m.name, m.name)
			FROM temp.parents x JOIN c_members m ON m.blob_id=x.blob_id AND m.n=x.n WHERE x.child=r.blob_id ORDER BY 1 LIMIT 1), '?'),
	r.plugin, CASE r.status WHEN 'off' THEN 'switched off' ELSE r.status||' at '||r.at||': '||r.why END, b.size, r.status NOT IN ('unsup','off'),
	r.plugin='elf' AND r.status='unsup',
	CASE WHEN r.plugin IN ('dtbo','zimage') THEN r.plugin WHEN gh_is_format(r.plugin) AND (r.plugin NOT IN ('zip','gzip','lz4','xz','lzma','zstd','bzip2','brotli','tar','cpio','vdex','oat','odex')
		OR EXISTS(SELECT 1 FROM at_place a WHERE a.blob_id=r.blob_id AND (a.image='' OR a.ftype='image' OR a.name LIKE '%.apex' OR a.name LIKE '%.capex'))
		OR EXISTS(SELECT 1 FROM c_members m JOIN nodes n ON n.blob_id=m.blob_id WHERE m.child=r.blob_id AND n.scan_id=(SELECT scan_id FROM cur)
			AND n.kind<>'app')) THEN '*' WHEN NOT (r.plugin='elf' AND r.status='unsup') THEN r.plugin END
	FROM blob_runs r JOIN blobs b USING(blob_id) WHERE r.status<>'ok' AND r.blob_id IN (SELECT blob_id FROM temp.in_scan)
		AND NOT EXISTS(SELECT 1 FROM temp.no_subject s WHERE s.blob_id=r.blob_id AND s.plugin=r.plugin);

-- Apps that declare parts and whose code is nowhere.
INSERT INTO d_not_examined SELECT a.scan_id, p.place, 'code', 'its manifest names components; their code lies neither in it nor beside it', NULL, 0, 0, 'dex'
	FROM d_apks a JOIN at_place p USING(place_id) WHERE a.scan_id=(SELECT scan_id FROM cur) AND a.code='missing' AND a.is_overlay=0
	AND EXISTS(SELECT 1 FROM c_manifest_components c WHERE c.blob_id=a.manifest);

-- What lies innermost where nothing but packing is in between.
DROP TABLE IF EXISTS temp.leaf;
CREATE TEMP TABLE leaf AS WITH RECURSIVE d(place_id, blob_id, depth) AS (
	SELECT place_id, blob_id, 0 FROM at_place WHERE (image='' OR ftype='image' OR (node_kind IN ('archive','folder') AND (name LIKE '%.img%' OR name LIKE '%.bin' OR name LIKE '%.dat%')))
	AND place_id NOT IN (SELECT place_id FROM of_set)
	UNION ALL SELECT d.place_id, m.child, d.depth+1 FROM d JOIN blobs b USING(blob_id) JOIN c_members m ON m.blob_id=d.blob_id
		WHERE b.format IN ('sparse','newdat','gzip','lz4','xz','lzma','zstd','bzip2') AND m.child NOT NULL AND d.depth<8)
	SELECT a.*, b.format AS kind, b.size AS leaf_size, b.blob_id AS leaf_blob FROM d JOIN at_place a USING(place_id) JOIN blobs b ON b.blob_id=d.blob_id
	WHERE NOT EXISTS(SELECT 1 FROM c_entries e WHERE e.blob_id=d.blob_id) AND NOT EXISTS(SELECT 1 FROM c_members m WHERE m.blob_id=d.blob_id);
-- Partitions and packages that ought to hold files and were not opened: file systems that are not read yet, or no known format at all.
INSERT INTO d_not_examined SELECT (SELECT scan_id FROM cur), place, CASE WHEN ftype='image' OR gh_code_partition(name) THEN 'partition' ELSE 'package' END,
	CASE kind WHEN 'data' THEN 'its format is not known' WHEN 'empty' THEN 'it is empty' ELSE 'its format is not read yet ('||kind||')' END, size, 0, 0, '*'
	FROM leaf l WHERE leaf_size>0 AND kind NOT IN ('lfs-pointer','vbmeta') AND (kind IN ('payload','ubi','7z','rar')
		OR (ftype='image' AND gh_code_partition(image)) OR (ftype='file' AND gh_code_partition(name) AND leaf_size>=65536
			AND kind NOT IN ('text','xml','script','pem','png','jpeg','pdf','elf','dtb')))
	AND NOT EXISTS(SELECT 1 FROM blob_runs r WHERE r.blob_id=l.leaf_blob AND gh_is_format(r.plugin));
-- An INPUT that nobody knows.
INSERT INTO d_not_examined SELECT (SELECT scan_id FROM cur), l.place, 'input', 'its format is not known ('||l.kind||')', l.size, 0, 0, '*'
	FROM leaf l JOIN cur JOIN c_members m ON m.blob_id=cur.root AND m.child=l.blob_id WHERE l.leaf_size>0 AND NOT EXISTS(SELECT 1 FROM blob_runs r WHERE r.blob_id=l.leaf_blob)
	AND l.kind<>'lfs-pointer' AND NOT EXISTS(SELECT 1 FROM d_not_examined d WHERE d.scan_id=cur.scan_id AND d.place=l.place AND d.hides='*');
-- Ramdisks and modules whose files did not come out.
INSERT INTO d_not_examined SELECT DISTINCT (SELECT scan_id FROM cur), n.path||'!'||m.name, 'ramdisk', 'its format is not read yet ('||coalesce(b.format,'no content')||')', m.size, 0, 0, '*'
	FROM nodes n JOIN blobs f ON f.blob_id=n.blob_id AND f.format='bootimg' JOIN c_members m ON m.blob_id=n.blob_id LEFT JOIN blobs b ON b.blob_id=m.child
	WHERE n.scan_id=(SELECT scan_id FROM cur) AND n.live=1 AND m.name LIKE '%ramdisk%' AND m.size>0 AND NOT EXISTS(
		WITH RECURSIVE d(b) AS (SELECT m.child UNION SELECT x.child FROM d JOIN c_members x ON x.blob_id=d.b WHERE x.child NOT NULL)
		SELECT 1 FROM d JOIN c_entries e ON e.blob_id=d.b);
INSERT INTO d_not_examined SELECT (SELECT scan_id FROM cur), n.path, 'module', 'its file system did not come out', b.size, 0, 0, '*' FROM nodes n JOIN blobs b USING(blob_id)
	WHERE n.scan_id=(SELECT scan_id FROM cur) AND n.live=1 AND n.kind='apex' AND NOT EXISTS(SELECT 1 FROM nodes c WHERE c.parent_id=n.node_id AND c.kind='fs');
-- Firmware that was identified: what it does is in no format that is read.
INSERT INTO d_not_examined SELECT DISTINCT (SELECT scan_id FROM cur), a.place, 'firmware', CASE f.maker WHEN 'qualcomm' THEN 'Qualcomm' WHEN 'mediatek' THEN 'MediaTek'
		WHEN 'unisoc' THEN 'Unisoc' WHEN 'google' THEN 'Google' ELSE f.maker END||CASE WHEN f.is_signed=1 THEN ' signed' ELSE '' END||' image: '||
		coalesce(f.name||coalesce(' '||f.version,''), 'it does not name itself ('||f.kind||')')||'; identified only', a.size, 0, 1, NULL
	FROM c_firmware f JOIN at_place a USING(blob_id) WHERE f.kind<>'scatter' AND a.size>=65536;
-- Its name says more than that its ELF file is of another processor.
DELETE FROM d_not_examined WHERE scan_id=(SELECT scan_id FROM cur) AND what='elf' AND opaque=1 AND place IN (
	SELECT place FROM d_not_examined WHERE scan_id=(SELECT scan_id FROM cur) AND what='firmware');
-- Files and partitions that no plug-in knows, large enough to hold code: firmware of modem, TEE, DSP and the like.
INSERT INTO d_not_examined SELECT (SELECT scan_id FROM cur), place, 'format not known', 'hashed and searched only ('||format||')', size, 0, 1, NULL
	FROM at_place a WHERE NOT understood AND place_id NOT IN (SELECT place_id FROM of_set) AND format IN ('data','boot','dtbo','dtb','kernel','qcom-sbl','qcom-bootldr','mtk','mtk-boot','mtk-gfh','unisoc-dhtb','google-fbpk','payload','xz','zstd','bzip2','lz4') AND size>=1048576 AND (image='' OR ftype='image'
		OR image IN ('modem','dsp','bluetooth','firmware','tee')) AND NOT EXISTS(SELECT 1 FROM d_not_examined d WHERE d.scan_id=(SELECT scan_id FROM cur) AND d.place=a.place);
DROP TABLE temp.leaf;
DROP TABLE temp.missing;
DROP TABLE temp.at_place;
