-- SPDX-License-Identifier: Apache-2.0
-- Containers as they lie inside each other, from the INPUTs down. Reads c_members, c_entries, blobs; makes nodes.
DROP TABLE IF EXISTS temp.containers;
CREATE TEMP TABLE containers(blob_id INTEGER PRIMARY KEY);
INSERT INTO containers SELECT DISTINCT blob_id FROM c_members;
INSERT OR IGNORE INTO containers SELECT DISTINCT blob_id FROM c_entries;

DROP TABLE IF EXISTS temp.tree;
CREATE TEMP TABLE tree AS
WITH RECURSIVE t(blob_id, key, parent, name, path, depth) AS (
	SELECT root, '', NULL, '', '', 0 FROM cur
	UNION ALL
	SELECT m.child, t.key||printf('%016x', m.n), t.key, m.name, CASE WHEN t.path='' THEN m.name ELSE t.path||'!'||m.name END, t.depth+1
		FROM t JOIN c_members m ON m.blob_id=t.blob_id WHERE m.child IN (SELECT blob_id FROM containers) AND t.depth<20
	UNION ALL
	SELECT e.child, t.key||printf('%016x', e.n), t.key, e.path, CASE WHEN t.path='' THEN e.path ELSE t.path||'!'||e.path END, t.depth+1
		FROM t JOIN c_entries e ON e.blob_id=t.blob_id WHERE e.child IN (SELECT blob_id FROM containers) AND t.depth<20
) SELECT * FROM t;
INSERT INTO nodes(scan_id, blob_id, key, name, path, depth)
	SELECT cur.scan_id, t.blob_id, t.key, t.name, t.path, t.depth FROM tree t, cur ORDER BY t.key;
CREATE INDEX temp.tree_key ON tree(key);
UPDATE nodes SET parent_id=(SELECT p.node_id FROM tree t JOIN nodes p ON p.key=t.parent AND p.scan_id=nodes.scan_id WHERE t.key=nodes.key)
	WHERE scan_id=(SELECT scan_id FROM cur);
DROP TABLE temp.tree;

-- What each one is.
UPDATE nodes SET kind=(SELECT CASE
	WHEN b.format='inputs' THEN 'inputs'
	WHEN b.format='folder' THEN 'folder'
	WHEN EXISTS(SELECT 1 FROM c_members m WHERE m.blob_id=b.blob_id AND m.name='apex_payload.img') THEN 'apex'
	WHEN EXISTS(SELECT 1 FROM c_members m WHERE m.blob_id=b.blob_id AND m.name IN ('AndroidManifest.xml','classes.dex','META-INF/MANIFEST.MF',
		'resources.arsc')) THEN 'app'
	WHEN b.format IN ('zip','tar') THEN 'archive'
	WHEN EXISTS(SELECT 1 FROM c_entries e WHERE e.blob_id=b.blob_id) THEN 'fs'
	ELSE 'image' END FROM blobs b WHERE b.blob_id=nodes.blob_id) WHERE scan_id=(SELECT scan_id FROM cur);

-- Archives count as folders only on the way from the INPUT; one that lies in a file system is just a file of it.
UPDATE nodes SET kind='app' WHERE scan_id=(SELECT scan_id FROM cur) AND kind='archive' AND EXISTS(
	WITH RECURSIVE up(id) AS (SELECT nodes.parent_id UNION SELECT n.parent_id FROM up JOIN nodes n ON n.node_id=up.id)
	SELECT 1 FROM up JOIN nodes n ON n.node_id=up.id WHERE n.kind IN ('fs','app','apex'));

-- The file system it is: its name without endings and slot; an APEX is called after its package, a ramdisk after its boot image.
-- What is only packed (sparse, newdat, gzip, xz and the like) has the name of its packing.
DROP TABLE IF EXISTS temp.called;
CREATE TEMP TABLE called AS WITH RECURSIVE up(node_id, at, name) AS (
	SELECT node_id, node_id, name FROM nodes WHERE scan_id=(SELECT scan_id FROM cur)
	UNION ALL SELECT up.node_id, p.node_id, p.name FROM up JOIN nodes n ON n.node_id=up.at JOIN nodes p ON p.node_id=n.parent_id
		JOIN blobs b ON b.blob_id=p.blob_id WHERE b.format IN ('sparse','newdat','gzip','lz4','xz','lzma','zstd','bzip2'))
	SELECT node_id, name, min(at) FROM up GROUP BY node_id;
CREATE INDEX temp.called_id ON called(node_id);
UPDATE nodes SET image=(SELECT gh_stem(c.name) FROM called c WHERE c.node_id=nodes.node_id), slot=(SELECT gh_slot(c.name) FROM called c
	WHERE c.node_id=nodes.node_id) WHERE scan_id=(SELECT scan_id FROM cur);
-- A ramdisk that an unpacker left packed in the folder of its image.
UPDATE nodes SET image='ramdisk:'||(SELECT gh_stem(gh_top(c.name)) FROM called c WHERE c.node_id=nodes.node_id), slot=NULL WHERE scan_id=(SELECT scan_id FROM cur)
	AND kind='fs' AND (SELECT gh_top(c.name) NOT NULL AND gh_base(c.name) LIKE 'ramdisk%' FROM called c WHERE c.node_id=nodes.node_id);
UPDATE nodes SET image='apex:'||(SELECT substr(s, 1, CASE WHEN instr(s,'@')>0 THEN instr(s,'@')-1 ELSE length(s) END)
		FROM (SELECT gh_stem(p.name) AS s FROM nodes p WHERE p.node_id=nodes.parent_id)), slot=NULL
	WHERE scan_id=(SELECT scan_id FROM cur) AND kind='fs' AND name='apex_payload.img';
-- The nearest boot image above a ramdisk names it.
DROP TABLE IF EXISTS temp.boots;
CREATE TEMP TABLE boots AS SELECT n.node_id FROM nodes n JOIN blobs b USING(blob_id) WHERE n.scan_id=(SELECT scan_id FROM cur)
	AND b.format='bootimg';
UPDATE nodes SET image='ramdisk:'||(WITH RECURSIVE up(id, d) AS (SELECT nodes.parent_id, 1 UNION ALL
		SELECT n.parent_id, d+1 FROM up JOIN nodes n ON n.node_id=up.id WHERE n.parent_id NOT NULL)
		SELECT gh_stem(n.name) FROM up JOIN nodes n ON n.node_id=up.id WHERE n.node_id IN (SELECT node_id FROM boots) ORDER BY d LIMIT 1),
	slot=(WITH RECURSIVE up(id, d) AS (SELECT nodes.parent_id, 1 UNION ALL
		SELECT n.parent_id, d+1 FROM up JOIN nodes n ON n.node_id=up.id WHERE n.parent_id NOT NULL)
		SELECT gh_slot(n.name) FROM up JOIN nodes n ON n.node_id=up.id WHERE n.node_id IN (SELECT node_id FROM boots) ORDER BY d LIMIT 1)
	WHERE scan_id=(SELECT scan_id FROM cur) AND kind='fs' AND EXISTS(
		WITH RECURSIVE up(id) AS (SELECT nodes.parent_id UNION SELECT n.parent_id FROM up JOIN nodes n ON n.node_id=up.id)
		SELECT 1 FROM up WHERE id IN (SELECT node_id FROM boots));

-- The current slot: the one whose file systems hold more; 'a' when they are alike.
DROP TABLE IF EXISTS temp.slots;
CREATE TEMP TABLE slots AS SELECT n.slot, gh_sum(b.size) AS size, count(*) AS n FROM nodes n JOIN blobs b USING(blob_id)
	WHERE n.scan_id=(SELECT scan_id FROM cur) AND n.kind='fs' AND n.slot NOT NULL GROUP BY n.slot;
UPDATE nodes SET live=(slot IS NULL OR slot=coalesce((SELECT slot FROM slots ORDER BY n DESC, size DESC, slot LIMIT 1), 'a'))
	WHERE scan_id=(SELECT scan_id FROM cur);
-- What lies in the other slot lies there with all its contents.
UPDATE nodes SET live=0 WHERE scan_id=(SELECT scan_id FROM cur) AND EXISTS(
	WITH RECURSIVE up(id) AS (SELECT nodes.parent_id UNION SELECT n.parent_id FROM up JOIN nodes n ON n.node_id=up.id)
	SELECT 1 FROM up JOIN nodes n ON n.node_id=up.id WHERE n.live=0);

-- Where it is mounted. A system image that holds /system is the root itself (system-as-root).
UPDATE nodes SET prefix=CASE
	WHEN image LIKE 'apex:%' THEN '/apex/'||substr(image, 6)
	WHEN image LIKE 'ramdisk:%' THEN ''
	WHEN image='system' AND EXISTS(SELECT 1 FROM c_entries e WHERE e.blob_id=nodes.blob_id AND e.path IN ('/system/build.prop','/system/bin','/system/etc'))
		THEN ''
	ELSE '/'||image END WHERE scan_id=(SELECT scan_id FROM cur) AND kind='fs';
