-- SPDX-License-Identifier: Apache-2.0
-- A place is where something lies. Reads nodes, c_entries, c_members; makes places and d_partitions.
-- Folders and archives that carry an unpacked phone: their first folders are its partitions.
DROP TABLE IF EXISTS temp.tops;
CREATE TEMP TABLE tops(node_id INTEGER, top TEXT, image TEXT, slot TEXT, prefix TEXT, root TEXT, live INTEGER, PRIMARY KEY(node_id, top));
-- Paths are made text whatever their bytes are: SQLite holds what is not UTF-8 as bytes unequal to every text, and one broken byte in a
-- name would put its file outside of every partition and every rule.
DROP TABLE IF EXISTS temp.loose;
CREATE TEMP TABLE loose AS
	SELECT n.node_id, n.blob_id, e.n, CAST(e.path AS TEXT) AS path, 1 AS entry FROM nodes n JOIN c_entries e USING(blob_id)
		WHERE n.scan_id=(SELECT scan_id FROM cur) AND n.kind IN ('folder','archive')
	UNION ALL SELECT n.node_id, n.blob_id, m.n, CASE WHEN m.name LIKE '/%' THEN m.name ELSE '/'||m.name END, 0 FROM nodes n JOIN c_members m USING(blob_id)
		WHERE n.scan_id=(SELECT scan_id FROM cur) AND n.kind IN ('folder','archive') AND substr(m.name,-1)<>'/';
CREATE INDEX temp.loose_path ON loose(node_id, path);
-- A folder that is one partition itself (somebody scanned dump/system) has system's own folders at its top.
DROP TABLE IF EXISTS temp.single;
CREATE TEMP TABLE single AS SELECT n.node_id, n.name, n.live FROM nodes n WHERE n.scan_id=(SELECT scan_id FROM cur)
	AND n.kind IN ('folder','archive') AND EXISTS(SELECT 1 FROM loose l WHERE l.node_id=n.node_id AND l.path IN ('/build.prop','/priv-app','/framework',
		'/lib64','/etc/init','/etc/vintf'))
	AND NOT EXISTS(SELECT 1 FROM loose l WHERE l.node_id=n.node_id AND l.path IN ('/system/build.prop','/system/system/build.prop','/vendor/build.prop'));
INSERT INTO tops SELECT node_id, top, CASE WHEN top='' THEN '' WHEN lower(top) IN ('boot','recovery','vendor_boot','init_boot','bootimg')
		THEN 'ramdisk:'||gh_stem(lower(top)) ELSE gh_stem(lower(top)) END, gh_slot(top),
	CASE WHEN top='' THEN NULL
		WHEN lower(top) IN ('boot','recovery','vendor_boot','init_boot','bootimg','root','ramdisk') THEN ''
		WHEN gh_stem(lower(top))='system' AND EXISTS(SELECT 1 FROM loose l WHERE l.node_id=x.node_id AND
			l.path IN ('/'||top||'/system/build.prop','/'||top||'/system/bin','/'||top||'/system/etc')) THEN ''
		ELSE '/'||gh_stem(lower(top)) END,
	CASE WHEN top='' THEN '' ELSE '/'||top END, 1
	FROM (SELECT DISTINCT node_id, coalesce(gh_top(path),'') AS top FROM loose) x WHERE node_id NOT IN (SELECT node_id FROM single);
-- What a phone answered, and what a backup holds, is no partition: the folder or archive that such answers lie in, unless a system lies there too.
DROP TABLE IF EXISTS temp.told;
CREATE TEMP TABLE told AS SELECT DISTINCT n.node_id FROM nodes n WHERE n.scan_id=(SELECT scan_id FROM cur) AND n.kind IN ('folder','archive')
	AND (EXISTS(SELECT 1 FROM c_entries e JOIN c_live_sections s ON s.blob_id=e.child WHERE e.blob_id=n.blob_id)
		OR EXISTS(SELECT 1 FROM c_members m JOIN c_live_sections s ON s.blob_id=m.child WHERE m.blob_id=n.blob_id)
		OR EXISTS(SELECT 1 FROM nodes u JOIN blobs b USING(blob_id) WHERE u.node_id=n.parent_id AND b.format='ab'));
UPDATE tops SET image='', slot=NULL, prefix=NULL, root='' WHERE node_id IN (SELECT node_id FROM told) AND NOT gh_code_partition(top);
-- What lies beside an unpacked ramdisk is a piece of its image, or the unpacker's.
UPDATE tops SET root=root||'/ramdisk' WHERE image LIKE 'ramdisk:%' AND EXISTS(SELECT 1 FROM loose l WHERE l.node_id=tops.node_id
	AND l.path='/'||tops.top||'/ramdisk');
UPDATE tops SET live=coalesce(slot='a', 1);
INSERT OR IGNORE INTO tops SELECT node_id, coalesce(gh_top(path),''), img, NULL, '/'||img, '', 1
	FROM (SELECT DISTINCT s.node_id, l.path, CASE WHEN gh_stem(s.name) IN ('vendor','product','odm','system_ext','oem') THEN gh_stem(s.name) ELSE 'system' END
		AS img FROM single s JOIN loose l USING(node_id)) GROUP BY 1, 2;

-- INPUTs themselves, archive members on the way, partitions, then all files, in the order of the tree.
DROP TABLE IF EXISTS temp.p;
CREATE TEMP TABLE p(k TEXT, n INTEGER, node_id INTEGER, image TEXT, slot TEXT, live INTEGER, path TEXT, dpath TEXT, ino INTEGER, ftype TEXT,
	mode INTEGER, uid INTEGER, gid INTEGER, caps INTEGER, selinux TEXT, iflags INTEGER, link_target TEXT, size INTEGER, attrs INTEGER,
	blob_id INTEGER, off INTEGER);
INSERT INTO p SELECT n.key, m.n, n.node_id, '', gh_slot(m.name), 1, '/'||gh_base(m.name), NULL, 0, 'file', NULL, NULL, NULL, NULL, NULL, NULL, NULL,
	m.size, 0, m.child, m.off FROM nodes n JOIN c_members m USING(blob_id) LEFT JOIN blobs b ON b.blob_id=m.child
	WHERE n.scan_id=(SELECT scan_id FROM cur) AND n.kind='inputs' AND coalesce(b.format,'')<>'folder';
DROP TABLE IF EXISTS temp.lie;
CREATE TEMP TABLE lie AS SELECT l.*, t.image, t.slot, t.prefix, t.root, t.live, substr(l.path, 1, length(t.root)+1)=t.root||'/' AS inside
	FROM loose l JOIN tops t ON t.node_id=l.node_id AND t.top=coalesce(gh_top(l.path),'') WHERE l.path<>t.root;
UPDATE lie SET image='', slot=NULL, root='', prefix=NULL WHERE NOT inside;
-- Of a phone that was asked, what lies at the root of its tree is of the root file system, which is system's; and what lies beside that tree are
-- records of the asking, and no partition.
DROP TABLE IF EXISTS temp.acquired;
CREATE TEMP TABLE acquired AS SELECT n.node_id, n.parent_id FROM nodes n WHERE n.scan_id=(SELECT scan_id FROM cur) AND n.kind='folder'
	AND EXISTS(SELECT 1 FROM c_entries e WHERE e.blob_id=n.blob_id AND e.attrs>=2);
UPDATE lie SET image='system', slot=NULL, root='', prefix='', live=1 WHERE entry=1 AND image='' AND gh_top(path) IS NULL
	AND node_id IN (SELECT node_id FROM acquired);
UPDATE lie SET image='', slot=NULL, root='', prefix=NULL, live=1 WHERE node_id IN (SELECT parent_id FROM acquired);
DROP TABLE temp.acquired;
INSERT INTO p SELECT n.key, m.n, n.node_id, l.image, l.slot, n.live AND l.live, substr(l.path, length(l.root)+1),
	l.prefix||substr(l.path, length(l.root)+1), 0, 'file', NULL, NULL, NULL, NULL, NULL, NULL, NULL, m.size, 0, m.child, m.off
	FROM lie l JOIN nodes n USING(node_id) JOIN c_members m ON m.blob_id=l.blob_id AND m.n=l.n WHERE l.entry=0;
INSERT INTO p SELECT n.key, e.n, n.node_id, l.image, l.slot, n.live AND l.live, substr(l.path, length(l.root)+1),
	l.prefix||substr(l.path, length(l.root)+1), e.ino, e.ftype, e.mode, e.uid, e.gid, e.caps, e.selinux, e.iflags, e.link_target, e.size, e.attrs,
	e.child, e.off FROM lie l JOIN nodes n USING(node_id) JOIN c_entries e ON e.blob_id=l.blob_id AND e.n=l.n WHERE l.entry=1;
INSERT INTO p SELECT n.key, m.n, n.node_id, gh_stem(m.name), gh_slot(m.name), n.live AND coalesce(gh_slot(m.name)=
		coalesce((SELECT slot FROM slots ORDER BY n DESC, size DESC, slot LIMIT 1),'a'), 1), '', NULL, 0, 'image', NULL, NULL, NULL, NULL, NULL, NULL, NULL,
	m.size, 0, m.child, m.off FROM nodes n JOIN blobs b USING(blob_id) JOIN c_members m USING(blob_id)
	WHERE n.scan_id=(SELECT scan_id FROM cur) AND b.format IN ('lp','payload');
INSERT INTO p SELECT n.key, e.n, n.node_id, n.image, n.slot, n.live, CAST(e.path AS TEXT), n.prefix||e.path, e.ino, e.ftype, e.mode, e.uid, e.gid, e.caps, e.selinux,
	e.iflags, e.link_target, e.size, e.attrs, e.child, e.off FROM nodes n JOIN c_entries e USING(blob_id)
	WHERE n.scan_id=(SELECT scan_id FROM cur) AND n.kind='fs';
-- A folder beside the image it was unpacked from has lost the attributes. What the image holds alike (type, content, target) at the same
-- path says nothing more; all else counts: an empty image must not hide a folder.
DROP TABLE IF EXISTS temp.held;
CREATE TEMP TABLE held AS SELECT p.image, p.path, p.ftype, p.blob_id, p.size, p.link_target FROM p JOIN nodes n USING(node_id)
	WHERE n.kind='fs' AND p.live AND p.image IN (SELECT image FROM tops WHERE image<>'');
CREATE INDEX temp.held_path ON held(path, image);
UPDATE p SET live=0 WHERE live AND image<>'' AND node_id IN (SELECT node_id FROM tops) AND EXISTS(SELECT 1 FROM held h
	WHERE h.path=p.path AND h.image=p.image AND h.ftype=p.ftype AND h.link_target IS p.link_target
		AND (h.ftype<>'file' OR h.blob_id=p.blob_id OR (h.size=0 AND p.size=0)));
DROP TABLE temp.held;
INSERT INTO places(scan_id, node_id, image, slot, live, path, dpath, name, ino, ftype, mode, uid, gid, caps, selinux, iflags, link_target, size, attrs,
		blob_id, off)
	SELECT (SELECT scan_id FROM cur), node_id, image, slot, live, path, dpath, gh_base(path), ino, ftype, mode, uid, gid, caps, CAST(selinux AS TEXT), iflags,
		CAST(link_target AS TEXT), size, attrs, blob_id, off FROM p ORDER BY k, n;
DROP TABLE temp.p;
DROP TABLE temp.lie;
DROP TABLE temp.loose;

INSERT INTO d_partitions SELECT p.scan_id, p.node_id, p.image, p.slot, p.size, b.format, p.blob_id, p.live FROM places p LEFT JOIN blobs b USING(blob_id)
	WHERE p.scan_id=(SELECT scan_id FROM cur) AND p.ftype='image'
	UNION ALL SELECT p.scan_id, p.node_id, gh_stem(p.name), gh_slot(p.name), p.size, b.format, p.blob_id, p.live FROM places p JOIN blobs b USING(blob_id)
	WHERE p.scan_id=(SELECT scan_id FROM cur) AND p.image='' AND (p.name LIKE '%.img' OR p.name LIKE '%.bin' OR p.name LIKE '%.mbn')
		AND b.format NOT IN ('lp','payload');

-- The planner knows now which tables are large.
PRAGMA analysis_limit=1000;
ANALYZE;
